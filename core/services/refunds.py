"""Money that we pay back (W8): what a credit note gives, or what a payment holds too much, to an account that is known as the customer's."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import String, cast, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission, Role
from core.catalogue import law
from core.errors import N_, DomainError, NotFound, NotPermitted
from core.models.approval import Approval, ApprovalState
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory
from core.models.billing_account import PaymentMethod
from core.models.mandate import Mandate
from core.models.payment import REFUND_MOVES, Payment, PaymentState, Refund, RefundState
from core.services import audit, communications, surplus
from core.services.bill_issuing import set_remaining
from core.services.references import iban as checked_iban
from core.services.references import mask_iban

_BY_HAND = ("payment:record", "payment:match", "payment:enter")
"""What says in the audit that somebody gave a payment to a customer."""


class RefundTooHigh(DomainError):
    """More would be paid back than is left."""

    message = N_("Only {left_cents} is left to pay back. Lower the amount.")
    field = "amount"


class AccountUnknown(DomainError):
    """No mandate and no payment names this account as the customer's: a second person looks at it (W8)."""

    message = N_("This account is not known as the customer's. Choose one of the list, or ask for approval.")
    field = "iban"


class StillReturnable(DomainError):
    """The bank may still take a direct debit back for its holder: what we paid back by then would go out twice (R7)."""

    message = N_("The bank may still take this direct debit back. Pay it back from {since} on; it goes off the next bill meanwhile.")


class RefundDecided(DomainError):
    """The refund was paid out or sent back already."""

    message = N_("This refund is settled already. Load the page again to see how.")


class Source(StrEnum):
    """From where an account is known."""

    MANDATE = "mandate"
    PAYMENT = "payment"


@dataclass(frozen=True)
class Wish:
    """What is to be paid back: of a credit note or of a payment, all that is left or an amount in cents, to an account."""

    iban: str
    credit_note_no: str | None = None
    payment_id: int | None = None
    amount_cents: int | None = None
    comment: str = ""

    @property
    def subject(self) -> str:
        """The paper it is about."""
        return self.credit_note_no or f"payment {self.payment_id}"


@dataclass(frozen=True)
class Account:
    """An account that is known as a customer's; the screen shows `masked`."""

    iban: str
    masked: str
    source: Source
    day: date


@dataclass(frozen=True)
class RefundRow:
    """A refund as the screen shows it; the amount in cents."""

    id: int
    amount_cents: int
    masked: str
    state: RefundState
    requested_on: date
    completed_on: date | None
    credit_note_no: str | None
    version: int


@dataclass(frozen=True)
class Overpaid:
    """A payment that holds more than its bills asked, in cents."""

    payment_id: int
    received_on: date
    amount_cents: int
    left_cents: int


def accounts(session: Session, actor: Actor, *, customer_id: int) -> list[Account]:
    """Return the accounts that are known as the customer's, the newest first: of signed mandates, and of payments that found his bills.

    A payment that this colleague wrote down or matched himself names none to him: what a stranger paid would else be his to send back.
    """
    actor.require(Permission.REFUND_WRITE, customer_id)
    signed = select(col(Mandate.iban), col(Mandate.signed_on)).where(
        col(Mandate.customer_id) == customer_id, col(Mandate.signed_on).is_not(None)
    )
    paid = select(col(Payment.payer_iban), col(Payment.received_on)).where(
        col(Payment.customer_id) == customer_id,
        col(Payment.state) == PaymentState.MATCHED,
        col(Payment.payer_iban).is_not(None),
        cast(col(Payment.id), String).not_in(
            select(col(AuditEntry.object_id)).where(
                col(AuditEntry.object_type) == "payment", col(AuditEntry.actor) == actor.username, col(AuditEntry.action).in_(_BY_HAND)
            )
        ),
    )
    known = [(iban, day, Source.MANDATE) for iban, day in session.execute(signed)]
    known += [(iban or "", day, Source.PAYMENT) for iban, day in session.execute(paid)]
    found: dict[str, Account] = {}
    for iban, day, source in sorted(known, key=lambda one: (one[2] is Source.PAYMENT, -(one[1] or date.min).toordinal())):
        found.setdefault(iban, Account(iban, mask_iban(iban), source, day or date.min))
    return list(found.values())


def overpaid(session: Session, actor: Actor, *, customer_id: int) -> list[Overpaid]:
    """Return the payments that hold too much, the oldest first; not those that the bank may still take back."""
    actor.require(Permission.BILL_READ, customer_id)
    query = select(Payment).where(col(Payment.customer_id) == customer_id, col(Payment.state) == PaymentState.MATCHED)
    rows = session.execute(query.order_by(col(Payment.received_on), col(Payment.id))).scalars().all()
    counted = surplus.used_up(session, [customer_id])
    found = [
        Overpaid(row.id, row.received_on, row.amount_cents, row.amount_cents - counted.get(row.id, 0))
        for row in rows
        if not _returnable(row)
    ]
    return [one for one in found if one.left_cents > 0]


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> list[RefundRow]:
    """Return a customer's refunds, the newest first."""
    actor.require(Permission.BILL_READ, customer_id)
    query = (
        select(Refund, col(Bill.bill_no))
        .outerjoin(Bill, (col(Bill.customer_id) == Refund.customer_id) & (col(Bill.id) == Refund.credit_note_id))
        .where(col(Refund.customer_id) == customer_id)
        .order_by(col(Refund.id).desc())
    )
    return [
        RefundRow(row.id, row.amount_cents, mask_iban(row.iban), row.state, row.requested_on, row.completed_on, note, row.version)
        for row, note in session.execute(query)
    ]


def refund(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    iban: str,
    credit_note_no: str | None = None,
    payment_id: int | None = None,
    amount_cents: int | None = None,
    completed_on: date | None = None,
    tell: bool = True,
) -> int:
    """Pay back what is left of a credit note or of a payment, or part of it, and return the refund's id.

    Only to an account of `accounts`; the system, which tells what was paid out elsewhere, may name any. With `completed_on` the money
    has left already. Raises NotFound, RefundTooHigh, StillReturnable, AccountUnknown, and the refusals of a mistyped account.
    """
    actor.require(Permission.REFUND_WRITE, customer_id)
    number = checked_iban(iban)
    if actor.role is not Role.SYSTEM and number not in {one.iban for one in accounts(session, actor, customer_id=customer_id)}:
        raise AccountUnknown
    wish = Wish(number, credit_note_no, payment_id, amount_cents)
    return _write(session, actor, customer_id, wish, completed_on=completed_on, tell=tell)


def refund_approved(session: Session, actor: Actor, *, approval: Approval, wish: Wish) -> int:
    """Pay back to an account that was typed and that this colleague just approved; return the refund's id. Raises what `refund` raises."""
    actor.require(Permission.REFUND_WRITE, approval.customer_id)
    if approval.state is not ApprovalState.APPROVED or approval.decided_by != actor.username or approval.requested_by == actor.username:
        raise NotPermitted
    return _write(session, actor, approval.customer_id, wish, asked_by=approval.requested_by)


def left_cents(session: Session, actor: Actor, *, customer_id: int, wish: Wish) -> int:
    """Return what a wish would pay back. Raises NotFound, RefundTooHigh, StillReturnable, and the refusals of a mistyped account."""
    actor.require(Permission.REFUND_WRITE, customer_id)
    checked_iban(wish.iban)
    return _amount(wish, _left(session, customer_id, wish, lock=False)[1])


def complete(session: Session, actor: Actor, *, customer_id: int, refund_id: int, shown_version: int, day: date | None = None) -> None:
    """Note that the bank paid a refund out. Raises NotFound, ChangedMeanwhile, RefundDecided."""
    actor.require(Permission.COLLECTION_RUN, customer_id)
    row = _decide(session, customer_id, refund_id, shown_version, RefundState.COMPLETED)
    row.completed_on = day or clock.today()
    _record(session, actor, row, "payment:refund_complete", {"state": row.state, "completed_on": row.completed_on})


def reject(session: Session, actor: Actor, *, customer_id: int, refund_id: int, shown_version: int) -> None:
    """Note that the bank sent a refund back: the credit is there again, and the customer is told. Raises as `complete` does."""
    actor.require(Permission.COLLECTION_RUN, customer_id)
    row = _decide(session, customer_id, refund_id, shown_version, RefundState.REJECTED)
    if row.credit_note_id:
        note = session.execute(
            select(Bill).where(col(Bill.customer_id) == customer_id, col(Bill.id) == row.credit_note_id).with_for_update()
        ).scalar_one()
        set_remaining(note, note.remaining_cents + row.amount_cents)
    _record(session, actor, row, "payment:refund_reject", {"state": row.state})
    _tell(session, actor, row, "refund_rejected")


def _write(
    session: Session, actor: Actor, customer_id: int, wish: Wish, *,
    completed_on: date | None = None, tell: bool = True, asked_by: str | None = None,
) -> int:  # fmt: skip
    source, left = _left(session, customer_id, wish, lock=True)
    row = Refund(
        customer_id=customer_id,
        amount_cents=_amount(wish, left),
        iban=checked_iban(wish.iban),
        state=RefundState.COMPLETED if completed_on else RefundState.REQUESTED,
        requested_on=clock.today(),
        completed_on=completed_on,
        credit_note_id=source.id if isinstance(source, Bill) else None,
        payment_id=source.id if isinstance(source, Payment) else None,
    )
    if isinstance(source, Bill):
        set_remaining(source, source.remaining_cents - row.amount_cents)
    session.add(row)
    session.flush()
    after = {"amount_cents": row.amount_cents, "iban": mask_iban(row.iban), "of": wish.subject}
    _record(session, actor, row, "payment:refund", after | ({"asked_by": asked_by} if asked_by else {}), reason=wish.comment or None)
    if tell:
        _tell(session, actor, row, "refund_requested")
    return row.id


def _left(session: Session, customer_id: int, wish: Wish, *, lock: bool) -> tuple[Bill | Payment, int]:
    """Return what is paid back and how much is left of it; locked, a second one that comes at the same time sees what the first one left."""
    if wish.credit_note_no:
        named = (
            col(Bill.customer_id) == customer_id,
            col(Bill.bill_no) == wish.credit_note_no,
            col(Bill.category) == BillCategory.CREDIT_NOTE,
        )
        query = select(Bill).where(*named)
        note: Bill | None = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
        if note is None:
            raise NotFound
        return note, note.remaining_cents
    paid = select(Payment).where(
        col(Payment.customer_id) == customer_id, col(Payment.id) == wish.payment_id, col(Payment.state) == PaymentState.MATCHED
    )
    payment: Payment | None = session.execute(paid.with_for_update() if lock else paid).scalar_one_or_none()
    if payment is None:
        raise NotFound
    if until := _returnable(payment):
        raise StillReturnable(since=until + timedelta(days=1))
    return payment, payment.amount_cents - surplus.used_up(session, [customer_id]).get(payment.id, 0)


def _returnable(payment: Payment) -> date | None:
    """Return the last day on which the holder's bank may take a direct debit back without a reason; None once it has passed."""
    if payment.method != PaymentMethod.DIRECT_DEBIT:
        return None
    until = payment.received_on + timedelta(weeks=law("direct_debit_refund_weeks"))
    return until if clock.today() <= until else None


def _amount(wish: Wish, left: int) -> int:
    cents = left if wish.amount_cents is None else wish.amount_cents
    if not 0 < cents <= left:
        raise RefundTooHigh(left_cents=left)
    return cents


def _decide(session: Session, customer_id: int, refund_id: int, shown_version: int, state: RefundState) -> Refund:
    row: Refund | None = session.execute(
        select(Refund).where(col(Refund.customer_id) == customer_id, col(Refund.id) == refund_id).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "refund", refund_id)
    if state not in REFUND_MOVES[row.state]:
        raise RefundDecided
    row.state = state
    return row


def _record(session: Session, actor: Actor, row: Refund, action: str, after: audit.Facts, reason: str | None = None) -> None:
    session.flush()
    audit.record(
        session, actor, action=action, object_type="refund", object_id=row.id, customer_id=row.customer_id, after=after, reason=reason
    )


def _tell(session: Session, actor: Actor, row: Refund, template: str) -> None:
    params = {"amount_cents": row.amount_cents, "masked": mask_iban(row.iban)}
    communications.send(session, actor, customer_id=row.customer_id, template=template, params=params)
