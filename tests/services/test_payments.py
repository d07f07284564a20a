"""Money in, and the bills it counts on."""

from datetime import date

import pytest
from sqlmodel import Session

from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.bill import BillState
from core.models.customer import Customer
from core.services import bills, payments
from tests.builders import AGENT, VIEWER
from tests.services.money_stories import NOVEMBER, trio


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
            payments.record(session, VIEWER, received_on=NOVEMBER, amount_cents=1)


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
