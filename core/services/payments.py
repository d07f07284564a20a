"""Money that comes in, and the bills it counts on (W8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import NotFound
from core.models.bill import Bill, BillCategory
from core.models.billing_account import PaymentMethod
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, dunning
from core.services.bill_issuing import lower
from core.services.references import mask_iban, parse_ogm


@dataclass(frozen=True)
class UnmatchedPayment:
    """Money whose bill is not known yet."""

    id: int
    received_on: date
    amount_cents: int
    communication: str | None
    payer_name: str | None
    payer_masked: str | None


def record(
    session: Session,
    actor: Actor,
    *,
    received_on: date,
    amount_cents: int,
    customer_id: int | None = None,
    communication: str | None = None,
    payer_name: str | None = None,
    payer_iban: str | None = None,
) -> int:
    """Write down a transfer and return its id.

    Its communication finds the bill; what is left of it, and money of a known customer without one, pays the oldest bill first; the
    rest stays as credit. Without bill and customer it waits as unmatched.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    bill = _by_ogm(session, communication)
    owner = bill.customer_id if bill else customer_id
    payment = Payment(
        customer_id=owner,
        received_on=received_on,
        amount_cents=amount_cents,
        method=PaymentMethod.TRANSFER.value,
        state=PaymentState.MATCHED if owner else PaymentState.UNMATCHED,
        communication=communication,
        payer_name=payer_name,
        payer_iban=payer_iban,
    )
    session.add(payment)
    session.flush()
    if owner:
        pay(session, payment, [*([bill] if bill else []), *_open_bills(session, owner)], received_on)
        dunning.on_payment(session, actor, customer_id=owner)
    _record(session, actor, payment, "payment:record", {"amount_cents": amount_cents, "state": payment.state})
    return payment.id


def match(session: Session, actor: Actor, *, payment_id: int, customer_id: int, bill_no: str | None = None) -> None:
    """Give an unmatched payment to a customer: to one bill first where it is named, then to the oldest. Raises NotFound."""
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    payment = session.get(Payment, payment_id)
    if payment is None or payment.state is not PaymentState.UNMATCHED:
        raise NotFound
    named = [bill_of(session, customer_id, bill_no)] if bill_no else []
    payment.customer_id, payment.state = customer_id, PaymentState.MATCHED
    session.flush()
    pay(session, payment, [*named, *_open_bills(session, customer_id)], clock.today())
    dunning.on_payment(session, actor, customer_id=customer_id)
    _record(session, actor, payment, "payment:match", {"state": payment.state})


def unmatched(session: Session, actor: Actor) -> list[UnmatchedPayment]:
    """Return the money that waits for its bill, the oldest first."""
    actor.require(Permission.PAYMENT_RECORD)
    query = select(Payment).where(col(Payment.state) == PaymentState.UNMATCHED).order_by(col(Payment.received_on), col(Payment.id))
    return [
        UnmatchedPayment(
            row.id,
            row.received_on,
            row.amount_cents,
            row.communication,
            row.payer_name,
            mask_iban(row.payer_iban) if row.payer_iban else None,
        )
        for row in session.execute(query).scalars()
    ]


def pay(session: Session, payment: Payment, bills_first: Iterable[Bill], day: date) -> None:
    """Count a payment on bills, in their order, until it is used up; called by the service that wrote it down."""
    left = payment.amount_cents
    for bill in bills_first:
        cents = min(left, bill.remaining_cents)
        if cents and payment.customer_id:
            lower(bill, cents)
            session.add(
                PaymentAllocation(
                    customer_id=payment.customer_id, payment_id=payment.id, bill_id=bill.id, amount_cents=cents, allocated_on=day
                )
            )
            left -= cents
    session.flush()


def _by_ogm(session: Session, communication: str | None) -> Bill | None:
    number = parse_ogm(communication) if communication else None
    if number is None:
        return None
    found: Bill | None = session.execute(
        select(Bill).where(col(Bill.bill_no) == number, col(Bill.category) != BillCategory.CREDIT_NOTE).with_for_update()
    ).scalar_one_or_none()
    return found


def _open_bills(session: Session, customer_id: int) -> list[Bill]:
    query = select(Bill).where(
        col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0
    )
    return list(session.execute(query.order_by(col(Bill.bill_date), col(Bill.id)).with_for_update()).scalars())


def bill_of(session: Session, customer_id: int, bill_no: str) -> Bill:
    """Return a bill, locked until the transaction ends. Raises NotFound, for a credit note too."""
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE)
    found: Bill | None = session.execute(select(Bill).where(*named).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _record(session: Session, actor: Actor, payment: Payment, action: str, after: audit.Facts) -> None:
    audit.record(session, actor, action=action, object_type="payment", object_id=payment.id, customer_id=payment.customer_id, after=after)
