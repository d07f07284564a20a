"""Money that comes in, that the bank takes back, and that we pay back; and what it does to the bills (W8, R9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n, money
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.billing_account import PaymentMethod
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.models.payment import Instalment, Payment, PaymentAllocation, PaymentPlan, PaymentState, PlanState, Refund, RefundState
from core.services import audit, bills, communications, mandates
from core.services.bill_issuing import lower, set_remaining
from core.services.periods import next_banking_day
from core.services.references import iban as checked_iban
from core.services.references import mask_iban, parse_ogm

RETURN_CODES = {
    "AC01": N_("the account number is wrong"),
    "AC04": N_("the account is closed"),
    "AC06": N_("the account is blocked"),
    "AG01": N_("this account does not allow direct debits"),
    "AM04": N_("not enough money on the account"),
    "AM05": N_("collected twice"),
    "MD01": N_("the bank has no valid mandate"),
    "MD06": N_("the holder asked for the money back"),
    "MD07": N_("the holder has died"),
    "MS02": N_("the holder refused it"),
    "MS03": N_("the bank gives no reason"),
    "RC01": N_("the bank's code is wrong"),
}
"""What a bank says when a collection comes back (R9)."""

PLAN_PARTS = range(2, 13)
BROKEN_PLANS = 2
TASK_RETURNED = "debit_returned"


class NotCollectible(DomainError):
    """The bill is not paid by direct debit, or nothing is left of it."""

    message = N_("Nothing of this bill can be collected. Ask for a transfer.")


class UnknownReturnCode(DomainError):
    """The bank's code is not one of R9."""

    message = N_("{code} is not a return code. The bank's file names one such as AM04.")


class ReturnTooLate(DomainError):
    """The bank may no longer take the money back (R7, R9)."""

    message = N_("The time for {code} ended on {until}: dispute the return with the bank.")


class RefundTooHigh(DomainError):
    """More would be paid back than the credit note gives."""

    message = N_("Only {left_cents} of this credit note is left to pay back.")


class NothingOpen(DomainError):
    """There is nothing to pay."""

    message = N_("Nothing is open: there is nothing to spread.")


class PlanParts(DomainError):
    """A plan has 2 to 12 parts (W8)."""

    message = N_("A plan has {least} to {most} instalments.")


class PlansBroken(DomainError):
    """Too many plans were broken within a year (W8)."""

    message = N_("{broken} plans were broken in the last 12 months. Hand the file to a colleague of Billing.")


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
class PlanView:
    """A payment plan as it is shown; amounts in cents."""

    id: int
    state: PlanState
    proposed_on: date
    total_cents: int
    parts: tuple[tuple[date, int], ...]


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
        _pay(session, payment, [*([bill] if bill else []), *_open_bills(session, owner)], received_on)
    _record(session, actor, payment, "payment:record", {"amount_cents": amount_cents, "state": payment.state})
    return payment.id


def match(session: Session, actor: Actor, *, payment_id: int, customer_id: int, bill_no: str | None = None) -> None:
    """Give an unmatched payment to a customer: to one bill first where it is named, then to the oldest. Raises NotFound."""
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    payment = session.get(Payment, payment_id)
    if payment is None or payment.state is not PaymentState.UNMATCHED:
        raise NotFound
    named = [_bill(session, customer_id, bill_no)] if bill_no else []
    payment.customer_id, payment.state = customer_id, PaymentState.MATCHED
    session.flush()
    _pay(session, payment, [*named, *_open_bills(session, customer_id)], clock.today())
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


def collect(session: Session, actor: Actor, *, customer_id: int, bill_no: str, day: date | None = None) -> int:
    """Write down that a bill was collected on its due date, or the banking day after it; return the payment's id.

    Raises NotFound, NotCollectible for a bill without mandate or without anything left.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    bill = _bill(session, customer_id, bill_no)
    mandate = session.get(Mandate, bill.mandate_id) if bill.mandate_id else None
    if mandate is None or bill.remaining_cents == 0:
        raise NotCollectible
    day = day or next_banking_day(bill.due_date)
    payment = Payment(
        customer_id=customer_id,
        received_on=day,
        amount_cents=bill.remaining_cents,
        method=PaymentMethod.DIRECT_DEBIT.value,
        state=PaymentState.MATCHED,
        communication=bill.ogm,
        payer_name=mandate.holder,
        payer_iban=mandate.iban,
        mandate_id=mandate.id,
    )
    session.add(payment)
    session.flush()
    _pay(session, payment, [bill], day)
    mandate.last_used_on = day
    _record(session, actor, payment, "payment:collect", {"amount_cents": payment.amount_cents, "bill_no": bill_no})
    return payment.id


def return_collection(session: Session, actor: Actor, *, customer_id: int, bill_no: str, code: str, day: date | None = None) -> None:
    """Carry out a bank's return: the bill is open again, payable by transfer for 14 days more, the mandate ends, at no cost (R9, W7).

    Raises NotFound, UnknownReturnCode, and ReturnTooLate for MD06 after 8 weeks and MD01 after 13 months.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    if code not in RETURN_CODES:
        raise UnknownReturnCode(code=code)
    day = day or clock.today()
    bill = _bill(session, customer_id, bill_no)
    allocation, payment = _collection_of(session, bill)
    until = _returnable_until(code, payment.received_on)
    if until and day > until:
        raise ReturnTooLate(code=code, until=until)
    allocation.reversed_on = day
    payment.state, payment.returned_on, payment.return_code = PaymentState.RETURNED, day, code
    bill.payable_until, bill.mandate_id = day + timedelta(days=law("refused_debit_new_due_days")), None
    set_remaining(bill, bill.remaining_cents + allocation.amount_cents)
    mandate = session.get(Mandate, payment.mandate_id) if payment.mandate_id else None
    if mandate and mandate.state in {MandateState.ACTIVE, MandateState.SUSPENDED}:
        mandates.end(session, actor, mandate=mandate, reason=code, tell=False)
    session.add(Task(customer_id=customer_id, code=TASK_RETURNED, due=bill.payable_until, created_at=clock.now()))
    session.flush()
    _record(session, actor, payment, "payment:return", {"state": payment.state, "code": code, "bill_no": bill_no})
    language = session.get_one(Customer, customer_id).language.value
    params = {
        "bill_no": bill_no,
        "amount_cents": allocation.amount_cents,
        "due": bill.payable_until,
        "reason": i18n.translate(language, RETURN_CODES[code]),
        "ogm": bill.ogm,
    }
    communications.send(session, actor, customer_id=customer_id, template="direct_debit_refused", params=params)


def refund(session: Session, actor: Actor, *, customer_id: int, credit_note_no: str, iban: str, completed_on: date | None = None) -> int:
    """Pay back what is left of a credit note to a checked account; return the refund's id. Raises NotFound, RefundTooHigh."""
    actor.require(Permission.PAYMENT_RECORD, customer_id)
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


def propose_plan(session: Session, actor: Actor, *, customer_id: int, parts: int = 3) -> int:
    """Propose to pay what is open in equal monthly instalments, the first in 14 days; return the plan's id.

    An earlier proposal is withdrawn. Raises PlanParts, PlansBroken, NothingOpen.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    if parts not in PLAN_PARTS:
        raise PlanParts(least=PLAN_PARTS.start, most=PLAN_PARTS.stop - 1)
    today = clock.today()
    plans = session.execute(select(PaymentPlan).where(col(PaymentPlan.customer_id) == customer_id)).scalars().all()
    broken = sum(one.state is PlanState.BROKEN and one.proposed_on > clock.add_months(today, -12) for one in plans)
    if broken > BROKEN_PLANS:
        raise PlansBroken(broken=broken)
    total = bills.open_summary(session, customer_id).open_cents
    if not total:
        raise NothingOpen
    for one in plans:
        if one.state is PlanState.PROPOSED:
            one.state = PlanState.WITHDRAWN
    plan = PaymentPlan(customer_id=customer_id, state=PlanState.PROPOSED, proposed_on=today, total_cents=total)
    session.add(plan)
    session.flush()
    first = today + timedelta(days=law("reminder_days"))
    for index, cents in enumerate(money.spread(total, parts)):
        due = clock.add_months(first, index)
        session.add(Instalment(customer_id=customer_id, plan_id=plan.id, ordinal=index + 1, due_date=due, amount_cents=cents))
    session.flush()
    audit.record(
        session, actor, action="plan:propose", object_type="payment_plan", object_id=plan.id, customer_id=customer_id,
        after={"total_cents": total, "parts": parts},
    )  # fmt: skip
    return plan.id


def plan_of(session: Session, actor: Actor, *, customer_id: int) -> PlanView | None:
    """Return the payment plan that runs or is proposed."""
    actor.require(Permission.BILL_READ, customer_id)
    plan = session.execute(
        select(PaymentPlan)
        .where(col(PaymentPlan.customer_id) == customer_id, col(PaymentPlan.state).in_([PlanState.PROPOSED, PlanState.ACTIVE]))
        .order_by(col(PaymentPlan.id).desc())
        .limit(1)
    ).scalar_one_or_none()
    if plan is None:
        return None
    parts = session.execute(
        select(col(Instalment.due_date), col(Instalment.amount_cents))
        .where(col(Instalment.customer_id) == customer_id, col(Instalment.plan_id) == plan.id)
        .order_by(col(Instalment.ordinal))
    )
    return PlanView(plan.id, plan.state, plan.proposed_on, plan.total_cents, tuple((due, cents) for due, cents in parts))


def _pay(session: Session, payment: Payment, bills_first: Iterable[Bill], day: date) -> None:
    """Count a payment on bills, in their order, until it is used up."""
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


def _bill(session: Session, customer_id: int, bill_no: str) -> Bill:
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE)
    found: Bill | None = session.execute(select(Bill).where(*named).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _collection_of(session: Session, bill: Bill) -> tuple[PaymentAllocation, Payment]:
    row = session.execute(
        select(PaymentAllocation, Payment)
        .join(Payment, (col(Payment.customer_id) == col(PaymentAllocation.customer_id)) & (col(Payment.id) == PaymentAllocation.payment_id))
        .where(
            col(PaymentAllocation.customer_id) == bill.customer_id,
            col(PaymentAllocation.bill_id) == bill.id,
            col(PaymentAllocation.reversed_on).is_(None),
            col(Payment.method) == PaymentMethod.DIRECT_DEBIT.value,
        )
    ).first()
    if row is None:
        raise NotFound
    return row[0], row[1]


def _returnable_until(code: str, collected_on: date) -> date | None:
    if code == "MD06":
        return collected_on + timedelta(weeks=law("direct_debit_refund_weeks"))
    return clock.add_months(collected_on, law("direct_debit_unauthorised_months")) if code == "MD01" else None


def _record(session: Session, actor: Actor, payment: Payment, action: str, after: audit.Facts) -> None:
    audit.record(session, actor, action=action, object_type="payment", object_id=payment.id, customer_id=payment.customer_id, after=after)
