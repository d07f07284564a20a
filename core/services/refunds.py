"""Money that we pay back (W8)."""

from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.payment import Refund, RefundState
from core.services import audit
from core.services.bill_issuing import lower
from core.services.references import iban as checked_iban
from core.services.references import mask_iban


class RefundTooHigh(DomainError):
    """More would be paid back than the credit note gives."""

    message = N_("Only {left_cents} of this credit note is left to pay back.")


def refund(session: Session, actor: Actor, *, customer_id: int, credit_note_no: str, iban: str, completed_on: date | None = None) -> int:
    """Pay back what is left of a credit note to a checked account; return the refund's id. Raises NotFound, RefundTooHigh."""
    actor.require(Permission.REFUND_WRITE, customer_id)
    note = session.execute(
        select(Bill).where(
            col(Bill.customer_id) == customer_id, col(Bill.bill_no) == credit_note_no, col(Bill.category) == BillCategory.CREDIT_NOTE
        )
    ).scalar_one_or_none()
    if note is None:
        raise NotFound
    if note.remaining_cents == 0:
        raise RefundTooHigh(left_cents=0)
    row = Refund(
        customer_id=customer_id,
        amount_cents=note.remaining_cents,
        iban=checked_iban(iban),
        state=RefundState.COMPLETED if completed_on else RefundState.REQUESTED,
        requested_on=clock.today(),
        completed_on=completed_on,
        credit_note_id=note.id,
    )
    lower(note, note.remaining_cents)
    session.add(row)
    session.flush()
    audit.record(
        session, actor, action="payment:refund", object_type="refund", object_id=row.id, customer_id=customer_id,
        after={"amount_cents": row.amount_cents, "iban": mask_iban(row.iban), "credit_note": credit_note_no},
    )  # fmt: skip
    return row.id
