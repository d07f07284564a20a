"""Money that comes in, and the bills it counts on (W8).

Whoever changes what counts takes the locks in one order, customers, then payments, then bills, so that two clerks wait for each other
and never block each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.billing_account import PaymentMethod
from core.models.customer import Customer
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, dunning, surplus
from core.services.bill_issuing import lower
from core.services.references import mask_iban, parse_ogm


class NothingReceived(DomainError):
    """A payment of nothing, or of less."""

    message = N_("The amount must be above zero. Type what the bank received.")
    field = "amount"


class NotReceivedYet(DomainError):
    """The money is said to come in later."""

    message = N_("A payment is recorded once it came in. Choose today or an earlier day.")
    field = "received_on"


class MoreThanReceived(DomainError):
    """More is counted on bills than the payment holds."""

    message = N_("Only {left_cents} of this payment can be counted. Lower the amounts.")
    field = "amount"


class MoreThanAsked(DomainError):
    """More is counted on a bill than it still asks."""

    message = N_("Bill {bill_no} asks only {left_cents} more. Lower the amount; what is left stays as credit.")
    field = "amount"


@dataclass(frozen=True)
class UnmatchedPayment:
    """Money whose bill is not known yet."""

    id: int
    received_on: date
    amount_cents: int
    communication: str | None
    payer_name: str | None
    payer_masked: str | None


@dataclass(frozen=True)
class Origin:
    """Where a payment stands in the bank's books: the statement, the number of the entry in it, and the bank's own reference."""

    statement_id: int
    entry_no: int
    reference: str | None


def record(
    session: Session,
    actor: Actor,
    *,
    received_on: date,
    amount_cents: int,
    customer_id: int | None = None,
    bill_no: str | None = None,
    communication: str | None = None,
    payer_name: str | None = None,
    payer_iban: str | None = None,
    origin: Origin | None = None,
    comment: str | None = None,
) -> int:
    """Write down a transfer and return its id.

    Its communication finds the bill, or `bill_no` of a known customer names it; what is left of it, and money of a known customer
    without one, pays the oldest bill first; the rest stays as credit. Without bill and customer it waits as unmatched.
    Raises NothingReceived, NotReceivedYet, and NotFound for a bill of somebody else.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    if amount_cents <= 0:
        raise NothingReceived
    if received_on > clock.today():
        raise NotReceivedYet
    owner = customer_id or owner_of(session, communication)
    payment = Payment(
        customer_id=owner,
        received_on=received_on,
        amount_cents=amount_cents,
        method=PaymentMethod.TRANSFER.value,
        state=PaymentState.MATCHED if owner else PaymentState.UNMATCHED,
        communication=communication,
        payer_name=payer_name,
        payer_iban=payer_iban,
        statement_id=origin.statement_id if origin else None,
        entry_no=origin.entry_no if origin else None,
        bank_reference=origin.reference if origin else None,
    )
    session.add(payment)
    session.flush()
    if owner:
        lock(session, [owner])
        named = bill_no or parse_ogm(communication or "")
        pay(session, payment, _in_turn(session, owner, named, must=bool(bill_no)), received_on)
    after = {"amount_cents": amount_cents, "state": payment.state}
    written(session, actor, payment, "payment:record", after, comment)
    return payment.id


def match(
    session: Session,
    actor: Actor,
    *,
    payment_id: int,
    customer_id: int,
    bill_no: str | None = None,
    allocations: Mapping[str, int] | None = None,
) -> None:
    """Give an unmatched payment to a customer: as `allocations` say (cents by bill), else to the named bill first, then to the oldest.

    Raises NotFound, MoreThanReceived, MoreThanAsked, and ChangedMeanwhile where a colleague matched it first.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    lock(session, [customer_id])
    payment = locked(session, payment_id)
    if payment.state is not PaymentState.UNMATCHED:
        raise audit.changed_meanwhile(session, "payment", payment_id)
    payment.customer_id, payment.state = customer_id, PaymentState.MATCHED
    session.flush()
    if allocations is None:
        pay(session, payment, _in_turn(session, customer_id, bill_no, must=bool(bill_no)), clock.today())
    else:
        count(session, payment, allocations)
    written(session, actor, payment, "payment:match", {"state": payment.state, "bill_no": bill_no})


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
    """Count what is left of a payment on bills, in their order, until it is used up; called by the service that wrote it down."""
    left = left_of(session, payment)
    for bill in bills_first:
        cents = min(left, bill.remaining_cents)
        if cents:
            _count(session, payment, bill, cents, day)
            left -= cents
    session.flush()


def count(session: Session, payment: Payment, allocations: Mapping[str, int]) -> None:
    """Count a payment on bills as it is told, in cents by bill number; called by the service that changes it.

    Raises NothingReceived, MoreThanReceived, MoreThanAsked, NotFound.
    """
    left = left_of(session, payment)
    if sum(allocations.values()) > left:
        raise MoreThanReceived(left_cents=left)
    for bill_no, cents in sorted(allocations.items()):
        bill = bill_of(session, payment.customer_id or 0, bill_no)
        if cents <= 0:
            raise NothingReceived
        if cents > bill.remaining_cents:
            raise MoreThanAsked(bill_no=bill_no, left_cents=bill.remaining_cents)
        _count(session, payment, bill, cents, clock.today())
    session.flush()


def left_of(session: Session, payment: Payment) -> int:
    """Return what of a payment counts on no bill and was not paid back, in cents."""
    return payment.amount_cents - surplus.used_up(session, [payment.customer_id] if payment.customer_id else []).get(payment.id, 0)


def owner_of(session: Session, communication: str | None) -> int | None:
    """Return whose bill a structured communication names."""
    return next(iter(owners_of(session, [communication] if communication else []).values()), None)


def owners_of(session: Session, communications: Iterable[str]) -> dict[str, int]:
    """Return by structured communication whose bill it names; what names none is not in it."""
    numbers = {text: number for text in communications if (number := parse_ogm(text))}
    if not numbers:
        return {}
    named = (col(Bill.bill_no).in_(set(numbers.values())), col(Bill.category) != BillCategory.CREDIT_NOTE)
    owners = {number: owner for number, owner in session.execute(select(col(Bill.bill_no), col(Bill.customer_id)).where(*named))}  # noqa: C416 - rows, not pairs
    return {text: owners[number] for text, number in numbers.items() if number in owners}


def lock(session: Session, customer_ids: Iterable[int]) -> None:
    """Let nobody else count money of these customers until the transaction ends. Raises NotFound."""
    wanted = sorted(set(customer_ids))
    query = select(col(Customer.id)).where(col(Customer.id).in_(wanted)).order_by(col(Customer.id))
    if len(session.execute(query.with_for_update(key_share=True)).all()) < len(wanted):
        raise NotFound


def locked(session: Session, payment_id: int) -> Payment:
    """Return a payment as it is now, locked until the transaction ends. Raises NotFound."""
    query = select(Payment).where(col(Payment.id) == payment_id).with_for_update()
    found: Payment | None = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def bill_of(session: Session, customer_id: int, bill_no: str) -> Bill:
    """Return a bill, locked until the transaction ends. Raises NotFound, for a credit note too."""
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE)
    found: Bill | None = session.execute(select(Bill).where(*named).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def open_bills(customer_id: int) -> Select[Bill]:
    """Return the query for the bills that ask something, in the order in which money pays them: the oldest first."""
    asks = (col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0)
    return select(Bill).where(*asks).order_by(col(Bill.bill_date), col(Bill.id))


def written(session: Session, actor: Actor, payment: Payment, action: str, after: audit.Facts, comment: str | None = None) -> None:
    """Write down what was done with a payment: the last step of whatever changes what it counts on; who owes nothing late any more is let go."""
    actor.require(Permission.PAYMENT_RECORD, payment.customer_id)
    if payment.customer_id:
        dunning.on_payment(session, actor, customer_id=payment.customer_id)
    audit.record(
        session, actor, action=action, object_type="payment", object_id=payment.id, customer_id=payment.customer_id, after=after,
        reason=comment,
    )  # fmt: skip


def _in_turn(session: Session, customer_id: int, named: str | None, *, must: bool) -> list[Bill]:
    """Return the bills that money pays, the named one first. Raises NotFound where it `must` exist."""
    bills = list(session.execute(open_bills(customer_id).with_for_update()).scalars())
    if must and named and not any(bill.bill_no == named for bill in bills):
        bill_of(session, customer_id, named)
    return sorted(bills, key=lambda bill: bill.bill_no != named)


def _count(session: Session, payment: Payment, bill: Bill, cents: int, day: date) -> None:
    lower(bill, cents)
    session.add(
        PaymentAllocation(
            customer_id=bill.customer_id, payment_id=payment.id, bill_id=bill.id, amount_cents=cents, allocated_on=day
        )
    )  # fmt: skip
