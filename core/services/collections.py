"""Direct debits that are collected, and what it does to a bill when the bank sends one back (W7, R7, R9)."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.billing_account import PaymentMethod
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, communications, mandates, payments
from core.services.bill_issuing import set_remaining
from core.services.periods import next_banking_day

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


def collect(session: Session, actor: Actor, *, customer_id: int, bill_no: str, day: date | None = None) -> int:
    """Write down that a bill was collected on its due date, or the banking day after it; return the payment's id.

    Raises NotFound, NotCollectible for a bill without mandate or without anything left.
    """
    actor.require(Permission.COLLECTION_RUN, customer_id)
    bill = payments.bill_of(session, customer_id, bill_no)
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
    payments.pay(session, payment, [bill], day)
    mandate.last_used_on = day
    _record(session, actor, payment, "payment:collect", {"amount_cents": payment.amount_cents, "bill_no": bill_no})
    return payment.id


def return_collection(session: Session, actor: Actor, *, customer_id: int, bill_no: str, code: str, day: date | None = None) -> None:
    """Carry out a bank's return: the bill is open again, payable by transfer for 14 days more, the mandate ends, at no cost (R9, W7).

    Raises NotFound, UnknownReturnCode, and ReturnTooLate for MD06 after 8 weeks and MD01 after 13 months.
    """
    actor.require(Permission.COLLECTION_RUN, customer_id)
    if code not in RETURN_CODES:
        raise UnknownReturnCode(code=code)
    day = day or clock.today()
    bill = payments.bill_of(session, customer_id, bill_no)
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
