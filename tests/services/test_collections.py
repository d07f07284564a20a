"""Direct debits that are collected, and sent back by the bank."""

from datetime import date

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound
from core.models.bill import Bill, BillState
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.models.payment import Payment, PaymentAllocation
from core.services import bills, collections, payment_corrections, surplus
from core.services.bill_issuing import set_remaining
from core.services.collections import NotCollectible, ReturnTooLate, UnknownReturnCode
from tests.builders import AGENT, make_customer, make_product
from tests.services.money_stories import NOVEMBER, bill, mandate, trio


class TestCollect:
    def test_takes_the_banking_day_after_a_sunday(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "HOT")
        found = mandate(session, customer)
        issued = bill(session, customer, NOVEMBER)
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no=issued.bill_no)
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.state, row.collected_on, row.due) == (BillState.SETTLED, date(2026, 11, 16), date(2026, 11, 15))
        assert found.last_used_on == date(2026, 11, 16)

    def test_refuses_a_bill_that_is_paid_by_transfer(self, session: Session) -> None:
        customer = trio(session, 11)
        with pytest.raises(NotCollectible):
            collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000055")


class TestReturnCollection:
    def _collected(self, session: Session) -> Customer:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        make_product(session, customer, "RED")
        mandate(session, customer)
        bill(session, customer, NOVEMBER, bill_no="2611000062")
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        return customer

    def test_p06_opens_the_bill_again_and_ends_the_mandate(self, session: Session) -> None:
        customer = self._collected(session)
        with clock.standing(clock.at(date(2026, 11, 17), 11)):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.state, row.remaining_cents, row.due, row.days_overdue) == (BillState.SENT, 3100, date(2026, 12, 1), 0)
        assert (row.collected_on, row.returned_on, row.return_code, row.by_debit) == (date(2026, 11, 16), date(2026, 11, 17), "AM04", False)
        ended = session.exec(select(Mandate).where(col(Mandate.customer_id) == customer.id)).one()
        assert (ended.state, ended.cancelled_on, ended.cancel_reason) == (MandateState.CANCELLED, date(2026, 11, 17), "AM04")
        account = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).one()
        assert (account.payment_method, account.payment_due_days) == (PaymentMethod.TRANSFER, 15)

    def test_tells_the_customer_once_and_leaves_a_task(self, session: Session) -> None:
        customer = self._collected(session)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04", day=date(2026, 11, 17))
        templates = session.exec(select(Communication.template).where(col(Communication.customer_id) == customer.id)).all()
        assert sorted(templates) == ["bill_issued", "direct_debit_refused"]
        assert session.exec(select(col(Task.due)).where(col(Task.customer_id) == customer.id)).all() == [date(2026, 12, 1)]

    def test_refuses_a_code_no_bank_sends(self, session: Session) -> None:
        customer = self._collected(session)
        with pytest.raises(UnknownReturnCode):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="XX99")

    @pytest.mark.parametrize(("code", "day"), [("MD06", date(2027, 1, 12)), ("MD01", date(2027, 12, 17))])
    def test_refuses_a_return_after_its_time(self, session: Session, code: str, day: date) -> None:
        customer = self._collected(session)
        with pytest.raises(ReturnTooLate):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code=code, day=day)

    def test_opens_every_bill_that_the_money_counted_on(self, session: Session) -> None:
        """31.00 collected, 11.00 of it counted on another bill by a colleague: the bank takes all of it back."""
        customer = self._collected(session)
        payment = session.exec(select(Payment).where(col(Payment.customer_id) == customer.id)).one()
        counted = session.exec(select(PaymentAllocation).where(col(PaymentAllocation.payment_id) == payment.id)).one()
        first = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id)).one()
        second = bill(session, customer, date(2026, 12, 5), bill_no="2612000062")
        counted.amount_cents = 2000
        set_remaining(first, 1100)
        session.flush()
        payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment.id, bill_no=second.bill_no)
        other = session.exec(select(Bill).where(col(Bill.bill_no) == second.bill_no)).one()
        assert (first.remaining_cents, other.remaining_cents) == (1100, 2000)
        with clock.standing(clock.at(date(2026, 12, 10), 10)):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no=first.bill_no, code="MD06")
        assert (first.remaining_cents, other.remaining_cents) == (3100, 3100)
        assert (first.state, other.state, other.payable_until) == (BillState.SENT, BillState.SENT, date(2026, 12, 24))
        live = select(PaymentAllocation).where(col(PaymentAllocation.reversed_on).is_(None))
        assert session.exec(live).all() == []
        assert surplus.used_up(session, [customer.id]) == {}
        with pytest.raises(payment_corrections.NotOurs):
            payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment.id, bill_no=second.bill_no)

    def test_refuses_a_second_return(self, session: Session) -> None:
        customer = self._collected(session)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        with pytest.raises(NotFound):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
