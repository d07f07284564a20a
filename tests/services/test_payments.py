"""Money in, money the bank takes back, money paid back, and plans."""

from datetime import date

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.bill import BillState
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.models.payment import PlanState
from core.services import arrears, bills, payments
from core.services.payments import NotCollectible, NothingOpen, PlanParts, RefundTooHigh, ReturnTooLate, UnknownReturnCode
from tests.builders import AGENT, make_customer, make_product
from tests.services.money_stories import NOVEMBER, bill, mandate


def trio(session: Session, *months: int) -> Customer:
    """P05: a Trio with the bills of some months."""
    customer = make_customer(session)
    make_product(session, customer, "TRIO")
    for month in months:
        bill(session, customer, date(2026, month, 5), bill_no=f"26{month:02d}000055")
    return customer


def rests(session: Session, customer: Customer) -> list[int]:
    return [row.remaining_cents for row in bills.of_customer(session, AGENT, customer_id=customer.id)]


class TestRecord:
    def test_finds_the_bill_by_its_communication(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200, communication="+++260/9000/05576+++")
        newest = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (newest.state, newest.paid_on) == (BillState.SETTLED, date(2026, 11, 18))
        assert rests(session, customer) == [0, 4200]

    def test_pays_the_oldest_first_without_communication(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 18), amount_cents=5000)
        assert rests(session, customer) == [3400, 0]

    def test_keeps_what_is_too_much_as_credit(self, session: Session) -> None:
        customer = trio(session, 8)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 18), amount_cents=5000)
        assert bills.open_summary(session, customer.id).credit_cents == 800

    @pytest.mark.parametrize("communication", ["+++260/8000/05548+++", "loyer", None])
    def test_waits_where_no_bill_is_found(self, session: Session, communication: str | None) -> None:
        customer = trio(session, 8)
        payment = payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200, communication=communication)
        assert [(one.id, one.communication) for one in payments.unmatched(session, SYSTEM)] == [(payment, communication)]
        assert rests(session, customer) == [4200]

    def test_needs_the_right(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            payments.record(session, AGENT, received_on=NOVEMBER, amount_cents=1)


class TestMatch:
    def test_gives_the_money_to_the_named_bill(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payment = payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200)
        payments.match(session, SYSTEM, payment_id=payment, customer_id=customer.id, bill_no="2609000055")
        assert rests(session, customer) == [0, 4200]
        assert payments.unmatched(session, SYSTEM) == []

    def test_refuses_what_is_matched_already(self, session: Session) -> None:
        customer = trio(session, 8)
        payment = payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=100)
        with pytest.raises(NotFound):
            payments.match(session, SYSTEM, payment_id=payment, customer_id=customer.id)


class TestCollect:
    def test_takes_the_banking_day_after_a_sunday(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "HOT")
        found = mandate(session, customer)
        issued = bill(session, customer, NOVEMBER)
        payments.collect(session, SYSTEM, customer_id=customer.id, bill_no=issued.bill_no)
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.state, row.collected_on, row.due) == (BillState.SETTLED, date(2026, 11, 16), date(2026, 11, 15))
        assert found.last_used_on == date(2026, 11, 16)

    def test_refuses_a_bill_that_is_paid_by_transfer(self, session: Session) -> None:
        customer = trio(session, 11)
        with pytest.raises(NotCollectible):
            payments.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000055")


class TestReturnCollection:
    def _collected(self, session: Session) -> Customer:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        make_product(session, customer, "RED")
        mandate(session, customer)
        bill(session, customer, NOVEMBER, bill_no="2611000062")
        payments.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        return customer

    def test_p06_opens_the_bill_again_and_ends_the_mandate(self, session: Session) -> None:
        customer = self._collected(session)
        with clock.standing(clock.at(date(2026, 11, 17), 11)):
            payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.state, row.remaining_cents, row.due, row.days_overdue) == (BillState.SENT, 3100, date(2026, 12, 1), 0)
        assert (row.collected_on, row.returned_on, row.return_code, row.by_debit) == (date(2026, 11, 16), date(2026, 11, 17), "AM04", False)
        ended = session.exec(select(Mandate).where(col(Mandate.customer_id) == customer.id)).one()
        assert (ended.state, ended.cancelled_on, ended.cancel_reason) == (MandateState.CANCELLED, date(2026, 11, 17), "AM04")
        account = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).one()
        assert (account.payment_method, account.payment_due_days) == (PaymentMethod.TRANSFER, 15)

    def test_tells_the_customer_once_and_leaves_a_task(self, session: Session) -> None:
        customer = self._collected(session)
        payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04", day=date(2026, 11, 17))
        templates = session.exec(select(Communication.template).where(col(Communication.customer_id) == customer.id)).all()
        assert sorted(templates) == ["bill_issued", "direct_debit_refused"]
        assert session.exec(select(col(Task.due)).where(col(Task.customer_id) == customer.id)).all() == [date(2026, 12, 1)]

    def test_refuses_a_code_no_bank_sends(self, session: Session) -> None:
        customer = self._collected(session)
        with pytest.raises(UnknownReturnCode):
            payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="XX99")

    @pytest.mark.parametrize(("code", "day"), [("MD06", date(2027, 1, 12)), ("MD01", date(2027, 12, 17))])
    def test_refuses_a_return_after_its_time(self, session: Session, code: str, day: date) -> None:
        customer = self._collected(session)
        with pytest.raises(ReturnTooLate):
            payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code=code, day=day)

    def test_refuses_a_second_return(self, session: Session) -> None:
        customer = self._collected(session)
        payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        with pytest.raises(NotFound):
            payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")


class TestRefund:
    def test_pays_a_credit_note_back_once(self, session: Session) -> None:
        customer = trio(session, 9)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=4200)
        note = bills.issue_credit_note(
            session, SYSTEM, customer_id=customer.id, bill_no="2609000055", reason=bills.CreditReason.GOODWILL, incl_cents=1000
        )
        payments.refund(session, SYSTEM, customer_id=customer.id, credit_note_no=note, iban="BE66539000001343")
        with pytest.raises(RefundTooHigh):
            payments.refund(session, SYSTEM, customer_id=customer.id, credit_note_no=note, iban="BE66539000001343")


class TestProposePlan:
    def test_p05_is_offered_three_times_56(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        payments.propose_plan(session, SYSTEM, customer_id=customer.id)
        plan = payments.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert (plan.state, plan.total_cents, plan.parts) == (
            PlanState.PROPOSED,
            16800,
            ((date(2026, 12, 2), 5600), (date(2027, 1, 2), 5600), (date(2027, 2, 2), 5600)),
        )

    def test_withdraws_the_proposal_before(self, session: Session) -> None:
        customer = trio(session, 8)
        payments.propose_plan(session, SYSTEM, customer_id=customer.id, parts=2)
        payments.propose_plan(session, SYSTEM, customer_id=customer.id, parts=4)
        plan = payments.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert [cents for _due, cents in plan.parts] == [1050] * 4

    def test_refuses_thirteen_parts_and_an_empty_account(self, session: Session) -> None:
        customer = trio(session)
        with pytest.raises(PlanParts):
            payments.propose_plan(session, SYSTEM, customer_id=customer.id, parts=13)
        with pytest.raises(NothingOpen):
            payments.propose_plan(session, SYSTEM, customer_id=customer.id)


class TestArrears:
    def test_p05_missed_three_and_the_fourth_may_cost_7_50(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        customer.status, customer.status_since = CustomerStatus.SUSPENDED, date(2026, 11, 10)
        found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert (found.amount.overdue_cents, found.missed, found.next_due, found.next_fee_cents, found.suspended_on) == (
            12600, 3, date(2026, 11, 20), 750, date(2026, 11, 10),
        )  # fmt: skip

    def test_the_third_missed_due_date_is_still_free(self, session: Session) -> None:
        found = arrears.of_customer(session, AGENT, customer_id=trio(session, 9, 10, 11).id)
        assert found is not None
        assert (found.missed, found.next_fee_cents) == (2, 0)

    def test_a_bill_paid_late_counts(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 10, 1), amount_cents=4200)
        found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert found.missed == 3

    def test_what_waits_for_the_bank_over_a_weekend_is_not_late(self, session: Session) -> None:
        customer = self._debited(session)
        with clock.standing(clock.at(date(2026, 8, 16), 10)):  # The due date was a Saturday.
            assert bills.open_summary(session, customer.id).overdue_cents == 0
            assert [row.days_overdue for row in bills.of_customer(session, AGENT, customer_id=customer.id)] == [0]

    def test_a_bill_that_we_collected_was_not_missed(self, session: Session) -> None:
        customer = self._debited(session)
        payments.collect(session, SYSTEM, customer_id=customer.id, bill_no="2608000062")
        bill(session, customer, NOVEMBER, bill_no="2611000062")
        payments.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        with clock.standing(clock.at(date(2026, 11, 17), 11)):
            payments.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        with clock.standing(clock.at(date(2026, 12, 2), 10)):
            found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert (found.amount.overdue_cents, found.missed) == (2300, 1)

    def _debited(self, session: Session) -> Customer:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        mandate(session, customer)
        bill(session, customer, date(2026, 8, 5), bill_no="2608000062")
        return customer

    def test_is_none_when_nothing_is_late(self, session: Session) -> None:
        assert arrears.of_customer(session, AGENT, customer_id=trio(session, 11).id) is None
