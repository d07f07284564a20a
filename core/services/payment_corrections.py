"""Taking back what a payment was counted on, and counting it elsewhere (W8). Nothing is deleted: each step stays to be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.billing_account import PaymentMethod
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, payments, surplus
from core.services.bill_issuing import lower
from core.services.references import mask_iban
from core.text_rules import needed

COMMENT_LENGTH = 200


class NotOurs(DomainError):
    """A collection, or money that the bank took back: only the bank's return undoes it."""

    message = N_("A collection is undone by the bank's return alone. Wait for it, or credit the bill.")


class NothingCounted(DomainError):
    """The payment counts on no such bill any more."""

    message = N_("Nothing of this payment counts on that bill any more. Look at the bill again.")


class PaidBack(DomainError):
    """Part of the money went back to the customer: it can't belong to another one."""

    message = N_("Part of this payment was paid back to this customer. Reject that refund first, then take the payment back.")


@dataclass(frozen=True)
class Counted:
    """A payment that counts on a bill, in cents: how much of it, of how much."""

    payment_id: int
    received_on: date
    cents: int
    of_cents: int
    by_debit: bool
    payer_name: str | None
    payer_masked: str | None
    communication: str | None


@dataclass(frozen=True)
class Left:
    """Money of a customer that counts on no bill yet, in cents."""

    payment_id: int
    received_on: date
    left_cents: int


def on_bill(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> list[Counted]:
    """Return the payments that count on a bill, the oldest first."""
    actor.require(Permission.BILL_READ, customer_id)
    query = (
        _live(customer_id)
        .join(Bill, (col(Bill.customer_id) == col(PaymentAllocation.customer_id)) & (col(Bill.id) == col(PaymentAllocation.bill_id)))
        .where(col(Bill.bill_no) == bill_no)
        .order_by(col(PaymentAllocation.id))
    )
    return [_counted(payment, allocation.amount_cents) for payment, allocation in session.execute(query)]


def left_over(session: Session, actor: Actor, *, customer_id: int) -> list[Left]:
    """Return the customer's payments of which something counts on no bill, the oldest first."""
    actor.require(Permission.BILL_READ, customer_id)
    query = select(Payment).where(col(Payment.customer_id) == customer_id, col(Payment.state) == PaymentState.MATCHED)
    rows = session.execute(query.order_by(col(Payment.received_on), col(Payment.id))).scalars().all()
    used = surplus.used_up(session, [customer_id])
    found = [Left(row.id, row.received_on, row.amount_cents - used.get(row.id, 0)) for row in rows]
    return [one for one in found if one.left_cents > 0]


def count_left(session: Session, actor: Actor, *, customer_id: int, payment_id: int, bill_no: str) -> None:
    """Count what is left of a payment on a bill, as far as it asks something; of a collection too: its return takes all of it back.

    Raises NotFound, NothingCounted, NotOurs for money that the bank took back, ChangedMeanwhile.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    payments.lock(session, [customer_id])
    payment = _of_customer(session, customer_id, payment_id, collected=True)
    cents = min(payments.left_of(session, payment), payments.bill_of(session, customer_id, bill_no).remaining_cents)
    if cents <= 0:
        raise NothingCounted
    payments.count(session, payment, {bill_no: cents})
    payments.written(session, actor, payment, "payment:count", {"bill_no": bill_no, "cents": cents})


def reverse(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    payment_id: int,
    comment: str,
    bill_no: str | None = None,
    to_queue: bool = False,
) -> None:
    """Take back what a payment was counted on, all of it or on one bill: the bills ask it again.

    The money stays with the customer as credit; `to_queue` takes all of it out of his file, to wait for its bill again.
    Raises NotFound, NotOurs, NothingCounted, PaidBack, Missing without a comment, ChangedMeanwhile.
    """
    actor.require(Permission.PAYMENT_REVERSE, customer_id)
    comment = needed(comment, field="comment", length=COMMENT_LENGTH)
    payments.lock(session, [customer_id])
    payment = _of_customer(session, customer_id, payment_id)
    taken = _take_back(session, payment, None if to_queue else bill_no)
    if not taken and not to_queue:
        raise NothingCounted
    after: audit.Facts = {"taken_back": taken}
    if to_queue:
        after["moved_to"] = _to_queue(session, payment)
    payments.written(session, actor, payment, "payment:reverse", after, comment)


def reallocate(
    session: Session, actor: Actor, *, customer_id: int, payment_id: int, allocations: Mapping[str, int], comment: str
) -> None:  # fmt: skip
    """Count a payment anew, in cents by bill number; what is not told stays as credit.

    Raises what `reverse` does, and MoreThanReceived, MoreThanAsked.
    """
    actor.require(Permission.PAYMENT_REVERSE, customer_id)
    comment = needed(comment, field="comment", length=COMMENT_LENGTH)
    payments.lock(session, [customer_id])
    payment = _of_customer(session, customer_id, payment_id)
    taken = _take_back(session, payment, None)
    payments.count(session, payment, allocations)
    payments.written(session, actor, payment, "payment:reallocate", {"taken_back": taken, "counted": dict(allocations)}, comment)


def _take_back(session: Session, payment: Payment, bill_no: str | None) -> dict[str, int]:
    """Reverse what counts, and return it in cents by bill number."""
    query = (
        select(PaymentAllocation, Bill)
        .join(Bill, (col(Bill.customer_id) == col(PaymentAllocation.customer_id)) & (col(Bill.id) == col(PaymentAllocation.bill_id)))
        .where(
            col(PaymentAllocation.customer_id) == payment.customer_id,
            col(PaymentAllocation.payment_id) == payment.id,
            col(PaymentAllocation.reversed_on).is_(None),
        )
        .order_by(col(Bill.bill_date), col(Bill.id))
        .with_for_update(of=Bill)
    )
    if bill_no:
        query = query.where(col(Bill.bill_no) == bill_no)
    taken: dict[str, int] = {}
    for allocation, bill in session.execute(query):
        allocation.reversed_on = clock.today()
        lower(bill, -allocation.amount_cents)
        taken[bill.bill_no] = taken.get(bill.bill_no, 0) + allocation.amount_cents
    session.flush()
    return taken


def _to_queue(session: Session, payment: Payment) -> int:
    """Let another row hold the money, without a customer, and return its id: what counted in this file stays its history."""
    if payments.left_of(session, payment) < payment.amount_cents:
        raise PaidBack
    same = (
        "received_on",
        "amount_cents",
        "method",
        "communication",
        "payer_name",
        "payer_iban",
        "statement_id",
        "entry_no",
        "bank_reference",
    )
    facts = {name: getattr(payment, name) for name in same}
    payment.statement_id = payment.entry_no = None
    session.flush()  # An entry of a statement belongs to one row.
    waiting = Payment(state=PaymentState.UNMATCHED, **facts)
    session.add(waiting)
    session.flush()
    payment.state, payment.moved_to_id = PaymentState.MOVED, waiting.id
    session.flush()
    return waiting.id


def _of_customer(session: Session, customer_id: int, payment_id: int, *, collected: bool = False) -> Payment:
    """Return a customer's payment, locked; one that a direct debit `collected` only where it is asked for."""
    payment = payments.locked(session, payment_id)
    if payment.customer_id != customer_id:
        raise NotFound
    if (payment.method != PaymentMethod.TRANSFER and not collected) or payment.state is PaymentState.RETURNED:
        raise NotOurs
    if payment.state is not PaymentState.MATCHED:
        raise audit.changed_meanwhile(session, "payment", payment_id)
    return payment


def _live(customer_id: int) -> Select[Payment, PaymentAllocation]:
    """Return the query for what counts of a customer's payments."""
    return (
        select(Payment, PaymentAllocation)
        .join(
            PaymentAllocation,
            (col(Payment.customer_id) == col(PaymentAllocation.customer_id)) & (col(Payment.id) == col(PaymentAllocation.payment_id)),
        )
        .where(col(PaymentAllocation.customer_id) == customer_id, col(PaymentAllocation.reversed_on).is_(None))
    )


def _counted(payment: Payment, cents: int) -> Counted:
    return Counted(
        payment_id=payment.id,
        received_on=payment.received_on,
        cents=cents,
        of_cents=payment.amount_cents,
        by_debit=payment.method == PaymentMethod.DIRECT_DEBIT,
        payer_name=payment.payer_name,
        payer_masked=mask_iban(payment.payer_iban) if payment.payer_iban else None,
        communication=payment.communication,
    )
