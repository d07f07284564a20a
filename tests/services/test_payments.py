"""Money in, and the bills it counts on."""

from datetime import date

import pytest
from sqlmodel import Session

from core.actor import SYSTEM
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.bill import BillState
from core.models.customer import Customer
from core.services import bills, open_amounts, payments
from core.services.payments import MoreThanAsked, MoreThanReceived, NothingReceived, NotReceivedYet
from tests.builders import AGENT, VIEWER, make_customer
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
        assert open_amounts.open_summary(session, customer.id).credit_cents == 800

    @pytest.mark.parametrize("communication", ["+++260/8000/05548+++", "loyer", None])
    def test_waits_where_no_bill_is_found(self, session: Session, communication: str | None) -> None:
        customer = trio(session, 8)
        payment = payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200, communication=communication)
        assert [(one.id, one.communication) for one in payments.unmatched(session, SYSTEM)] == [(payment, communication)]
        assert rests(session, customer) == [4200]

    def test_needs_the_right(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            payments.record(session, VIEWER, received_on=NOVEMBER, amount_cents=1)

    def test_pays_the_named_bill_first(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payments.record(session, SYSTEM, customer_id=customer.id, bill_no="2609000055", received_on=date(2026, 11, 18), amount_cents=5000)
        assert rests(session, customer) == [0, 3400]

    def test_counts_a_bill_that_is_named_and_the_oldest_only_once(self, session: Session) -> None:
        customer = trio(session, 8)
        payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=9000, communication="+++260/8000/05549+++")
        assert open_amounts.open_summary(session, customer.id).credit_cents == 9000 - 4200

    @pytest.mark.parametrize(
        ("cents", "day", "refusal"),
        [(0, NOVEMBER, NothingReceived), (-1, NOVEMBER, NothingReceived), (1, date(2026, 11, 19), NotReceivedYet)],
    )
    def test_refuses_no_money_and_money_to_come(self, session: Session, cents: int, day: date, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            payments.record(session, SYSTEM, received_on=day, amount_cents=cents)

    def test_refuses_a_bill_of_somebody_else(self, session: Session) -> None:
        trio(session, 8)
        other = make_customer(session)
        with pytest.raises(NotFound):
            payments.record(session, SYSTEM, customer_id=other.id, bill_no="2608000055", received_on=NOVEMBER, amount_cents=1)


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
        with pytest.raises(ChangedMeanwhile) as refusal:
            payments.match(session, SYSTEM, payment_id=payment, customer_id=customer.id)
        assert refusal.value.params == {"who": "system", "at": "10:00"}

    def test_counts_as_it_is_told_and_keeps_the_rest_as_credit(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payment = payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200)
        told = {"2608000055": 1000, "2609000055": 2000}
        payments.match(session, AGENT, payment_id=payment, customer_id=customer.id, allocations=told)
        assert rests(session, customer) == [2200, 3200]
        assert open_amounts.open_summary(session, customer.id).credit_cents == 1200

    @pytest.mark.parametrize(
        ("told", "refusal"),
        [
            ({"2608000055": 4201}, MoreThanReceived),
            ({"2608000055": 4199, "2609000055": 2}, MoreThanReceived),
            ({"2610000055": 3000}, MoreThanAsked),
            ({"2608000055": 0}, NothingReceived),
            ({"2608000055": 10, "2609000055": -1}, NothingReceived),
            ({"2611000017": 1}, NotFound),
        ],
    )
    def test_refuses_what_does_not_add_up(self, session: Session, told: dict[str, int], refusal: type[Exception]) -> None:
        customer = trio(session, 8, 9, 10)
        payments.record(session, SYSTEM, customer_id=customer.id, bill_no="2610000055", received_on=date(2026, 11, 1), amount_cents=2000)
        payment = payments.record(session, SYSTEM, received_on=date(2026, 11, 18), amount_cents=4200)
        with pytest.raises(refusal):
            payments.match(session, AGENT, payment_id=payment, customer_id=customer.id, allocations=told)
