"""What a collection does to a bill: booked when the bank carried it out, taken back when the bank sent it back (W7, R7, R9)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, HoldReason, PaymentMethod
from core.models.collection import Collection, CollectionState
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
DUPLICATE, DECEASED = "AM05", "MD07"

TASKS = {DUPLICATE: "debit_duplicate", DECEASED: "debit_holder_died"}


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
    """Write down that a bill was collected outside of our files, on its due date or the banking day after it; return the payment's id.

    Raises NotFound, NotCollectible for a bill without mandate, without anything left, or that is in a file.
    """
    actor.require(Permission.COLLECTION_RUN, customer_id)
    bill = payments.bill_of(session, customer_id, bill_no)
    mandate = session.get(Mandate, bill.mandate_id) if bill.mandate_id else None
    if mandate is None or bill.remaining_cents == 0 or _live(session, bill):
        raise NotCollectible
    day = day or next_banking_day(bill.due_date)
    return _book(session, actor, bill, mandate, payer=(mandate.holder, mandate.iban), cents=bill.remaining_cents, day=day)


def settle(session: Session, actor: Actor, *, collection: Collection) -> int:
    """Book what the bank collected on its day; return the payment's id.

    It is the amount of the file, whatever became of the bill since: what was paid twice stays as credit. Called with its batch locked.
    """
    actor.require(Permission.COLLECTION_RUN, collection.customer_id)
    bill_no = session.get_one(Bill, collection.bill_id).bill_no
    bill, mandate = payments.bill_of(session, collection.customer_id, bill_no), session.get_one(Mandate, collection.mandate_id)
    payer = (collection.holder, collection.iban)
    collection.payment_id = _book(session, actor, bill, mandate, payer=payer, cents=collection.amount_cents, day=collection.collect_on)
    collection.state = CollectionState.SETTLED
    session.flush()
    return collection.payment_id


def return_collection(
    session: Session, actor: Actor, *, customer_id: int, bill_no: str, code: str, day: date | None = None, booked_on: date | None = None
) -> None:
    """Carry out a bank's return: the bill is open again, payable by transfer for 14 days more, the mandate ends, at no cost (R9, W7).

    Refused before it was booked, the bill just stays open. Other bills that wait under the ended mandate are paid by transfer too.
    A collection that was sent twice (AM05) is our mistake: the mandate stays. Where the holder has died (MD07) no mail is sent, reminders
    rest, and a task asks a colleague to look. `day` is when we learn of it, `booked_on` when the bank took the money back.
    Raises NotFound, UnknownReturnCode, and ReturnTooLate for MD06 after 8 weeks and MD01 after 13 months.
    """
    actor.require(Permission.COLLECTION_RUN, customer_id)
    if code not in RETURN_CODES:
        raise UnknownReturnCode(code=code)
    day = day or clock.today()
    _lock_payments(session, customer_id)
    bill = payments.bill_of(session, customer_id, bill_no)
    sent = _live(session, bill)
    payment = session.get(Payment, sent.payment_id or 0) if sent else _payment_of(session, bill)
    if sent is None and payment is None:
        raise NotFound
    if payment:
        until = returnable_until(code, payment.received_on)
        if until and (booked_on or day) > until:
            raise ReturnTooLate(code=code, until=until)
        _take_back(session, payment, code, day)
    if sent:
        sent.state, sent.return_code, sent.returned_on = CollectionState.RETURNED, code, day
    cents = payment.amount_cents if payment else sent.amount_cents if sent else 0
    until = day + timedelta(days=law("refused_debit_new_due_days"))
    bill.mandate_id = None
    if bill.remaining_cents:
        bill.payable_until = until
    session.add(Task(customer_id=customer_id, code=TASKS.get(code, mandates.TASK_RETURNED), due=until, created_at=clock.now()))
    session.flush()
    subject = ("payment", payment.id) if payment else ("bill", bill_no)
    audit.record(
        session, actor, action=f"{subject[0]}:return", object_type=subject[0], object_id=subject[1], customer_id=customer_id,
        after={"state": PaymentState.RETURNED, "code": code, "bill_no": bill_no, "amount_cents": cents},
    )  # fmt: skip
    if code == DECEASED:
        _rest(session, actor, customer_id)
    _end_mandate(session, actor, (payment.mandate_id if payment else sent.mandate_id if sent else None), code)
    if bill.remaining_cents and code != DECEASED:
        _tell(session, actor, bill, code, cents)


def pay_by_transfer(session: Session, actor: Actor, *, bill: Bill, tell: bool = True) -> None:
    """Let a bill that would have been collected be paid by transfer, for as long as a refused one (W7)."""
    actor.require(Permission.MANDATE_WRITE, bill.customer_id)
    bill.mandate_id, bill.payable_until = None, clock.today() + timedelta(days=law("refused_debit_new_due_days"))
    session.flush()
    audit.record(
        session, actor, action="bill:pay_by_transfer", object_type="bill", object_id=bill.bill_no, customer_id=bill.customer_id,
        after={"payable_until": bill.payable_until},
    )  # fmt: skip
    if tell:
        params = {"bill_no": bill.bill_no, "amount_cents": bill.remaining_cents, "due": bill.payable_until, "ogm": bill.ogm}
        communications.send(session, actor, customer_id=bill.customer_id, template="collection_withdrawn", params=params)


def release(session: Session, actor: Actor, *, mandate: Mandate, tell: bool = True) -> None:
    """Let the bills under a mandate that is dead be paid by transfer, but those that the bank was asked for already."""
    actor.require(Permission.MANDATE_WRITE, mandate.customer_id)
    asked = select(col(Collection.bill_id)).where(
        col(Collection.customer_id) == mandate.customer_id, col(Collection.state) == CollectionState.PENDING
    )
    query = select(Bill).where(
        col(Bill.customer_id) == mandate.customer_id,
        col(Bill.mandate_id) == mandate.id,
        col(Bill.remaining_cents) > 0,
        col(Bill.id).not_in(asked),
    )
    for bill in session.execute(query.order_by(col(Bill.id)).with_for_update()).scalars().all():
        pay_by_transfer(session, actor, bill=bill, tell=tell)


def returnable_until(code: str, collected_on: date) -> date | None:
    """Return until when the bank may take the money back for a reason; None where no law of ours says (R7, R9)."""
    if code == "MD06":
        return collected_on + timedelta(weeks=law("direct_debit_refund_weeks"))
    return clock.add_months(collected_on, law("direct_debit_unauthorised_months")) if code == "MD01" else None


def _book(session: Session, actor: Actor, bill: Bill, mandate: Mandate, *, payer: tuple[str, str], cents: int, day: date) -> int:
    payment = Payment(
        customer_id=bill.customer_id,
        received_on=day,
        amount_cents=cents,
        method=PaymentMethod.DIRECT_DEBIT.value,
        state=PaymentState.MATCHED,
        communication=bill.ogm,
        payer_name=payer[0],
        payer_iban=payer[1],
        mandate_id=mandate.id,
    )
    session.add(payment)
    session.flush()
    payments.pay(session, payment, [bill], day)
    mandate.last_used_on = max(day, mandate.last_used_on or day)
    audit.record(
        session, actor, action="payment:collect", object_type="payment", object_id=payment.id, customer_id=bill.customer_id,
        after={"amount_cents": cents, "bill_no": bill.bill_no},
    )  # fmt: skip
    return payment.id


def _live(session: Session, bill: Bill) -> Collection | None:
    """Return the collection of a bill that waits for its day or was carried out."""
    found: Collection | None = session.execute(
        select(Collection).where(
            col(Collection.customer_id) == bill.customer_id,
            col(Collection.bill_id) == bill.id,
            col(Collection.state).in_([CollectionState.PENDING, CollectionState.SETTLED]),
        )
    ).scalar_one_or_none()
    return found


def _payment_of(session: Session, bill: Bill) -> Payment | None:
    """Return what collected a bill whose file is not known here."""
    found: Payment | None = session.execute(
        select(Payment)
        .join(
            PaymentAllocation,
            (col(Payment.customer_id) == col(PaymentAllocation.customer_id)) & (col(Payment.id) == PaymentAllocation.payment_id),
        )
        .where(
            col(PaymentAllocation.customer_id) == bill.customer_id,
            col(PaymentAllocation.bill_id) == bill.id,
            col(PaymentAllocation.reversed_on).is_(None),
            col(Payment.method) == PaymentMethod.DIRECT_DEBIT.value,
        )
        .limit(1)
    ).scalar_one_or_none()
    return found


def _lock_payments(session: Session, customer_id: int) -> None:
    """Let nobody count or pay back what direct debits brought until their return is carried out; payments are locked before bills."""
    query = select(col(Payment.id)).where(
        col(Payment.customer_id) == customer_id,
        col(Payment.method) == PaymentMethod.DIRECT_DEBIT.value,
        col(Payment.state) == PaymentState.MATCHED,
    )
    session.execute(query.order_by(col(Payment.id)).with_for_update()).all()


def _take_back(session: Session, payment: Payment, code: str, day: date) -> None:
    """Reverse all that a payment was counted on: what stayed as credit may have paid another bill."""
    counted: Sequence[Any] = session.execute(
        select(PaymentAllocation, Bill)
        .join(Bill, (col(Bill.customer_id) == col(PaymentAllocation.customer_id)) & (col(Bill.id) == PaymentAllocation.bill_id))
        .where(
            col(PaymentAllocation.customer_id) == payment.customer_id,
            col(PaymentAllocation.payment_id) == payment.id,
            col(PaymentAllocation.reversed_on).is_(None),
        )
        .with_for_update()
    ).all()
    for allocation, bill in counted:
        allocation.reversed_on = day
        set_remaining(bill, bill.remaining_cents + allocation.amount_cents)
        bill.payable_until = day + timedelta(days=law("refused_debit_new_due_days"))
    payment.state, payment.returned_on, payment.return_code = PaymentState.RETURNED, day, code


def _end_mandate(session: Session, actor: Actor, mandate_id: int | None, code: str) -> None:
    mandate = session.get(Mandate, mandate_id) if mandate_id else None
    if mandate is None or code == DUPLICATE:
        return
    if mandate.state in {MandateState.ACTIVE, MandateState.SUSPENDED}:
        mandates.end(session, actor, mandate=mandate, reason=code, tell=False)
    release(session, actor, mandate=mandate, tell=code != DECEASED)


def _rest(session: Session, actor: Actor, customer_id: int) -> None:
    """Let reminders rest until the heirs are known, if they don't rest for longer already (W9)."""
    account = session.execute(select(BillingAccount).where(col(BillingAccount.customer_id) == customer_id)).scalar_one()
    until = clock.add_months(clock.today(), law("deceased_hold_months"))
    if account.dunning_hold_until is None or account.dunning_hold_until < until:
        account.dunning_hold_since, account.dunning_hold_until = clock.today(), until
        account.dunning_hold_reason = HoldReason.DECEASED
        session.flush()
        audit.record(
            session, actor, action="account:hold", object_type="billing_account", object_id=account.id, customer_id=customer_id,
            after={"dunning_hold_until": until, "reason": "deceased"},
        )  # fmt: skip


def _tell(session: Session, actor: Actor, bill: Bill, code: str, cents: int) -> None:
    language = session.get_one(Customer, bill.customer_id).language.value
    params = {
        "bill_no": bill.bill_no,
        "amount_cents": cents,
        "due": bill.payable_until,
        "reason": i18n.translate(language, RETURN_CODES[code]),
        "ogm": bill.ogm,
    }
    template = "direct_debit_returned" if code == DUPLICATE else "direct_debit_refused"
    communications.send(session, actor, customer_id=bill.customer_id, template=template, params=params)
