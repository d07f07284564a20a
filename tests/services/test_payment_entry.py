"""A payment written down by hand: what it would do, what it does, and what is refused."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from core.actor import SYSTEM, Actor, Role
from core.bank.statement import Entry
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.services import bills, open_amounts, payment_entry, payments, statements
from core.services.payment_entry import AmountUnreadable, BookedAlready, NamesAnotherFile, TooLongAgo, TooMuchByHand, cents_of, spread
from core.services.payments import NothingReceived, NotReceivedYet
from core.text_rules import Missing
from tests.bank.writers import coda
from tests.builders import AGENT, VIEWER, make_customer
from tests.services.money_stories import trio

TODAY = date(2026, 11, 18)
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
AUGUST, SEPTEMBER = "+++260/8000/05549+++", "+++260/9000/05576+++"


def enter(session: Session, customer: Customer, **more: Any) -> int:
    facts: dict[str, Any] = {"received_on": TODAY, "amount_cents": 4200, "comment": "Proof of payment by e-mail"}
    return payment_entry.enter(session, AGENT, customer_id=customer.id, **(facts | more))


class TestSpread:
    def test_pays_in_turn_and_leaves_the_rest(self) -> None:
        rests = [("a", 4200), ("b", 0), ("c", 800)]
        assert spread(4500, rests) == (("a", 4200), ("c", 300))
        assert spread(9000, rests) == (("a", 4200), ("c", 800))
        assert spread(0, rests) == ()


class TestCentsOf:
    @pytest.mark.parametrize(("text", "cents"), [("42", 4200), ("42,5", 4250), ("42.05", 4205), ("1 234,56 €", 123_456), ("0,01", 1)])
    def test_reads_what_people_type(self, text: str, cents: int) -> None:
        assert cents_of(text) == cents

    @pytest.mark.parametrize("text", ["", "-1", "1.234,56", "1.234", "4,200", "abc", "1e3", "٤٢", "42,", "9999999999"])
    def test_refuses_what_could_be_read_in_two_ways(self, text: str) -> None:
        with pytest.raises(AmountUnreadable):
            cents_of(text)


class TestEnter:
    def test_does_what_its_preview_said(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        told = payment_entry.preview(session, AGENT, customer_id=customer.id, amount_cents=9000, bill_no="2609000055")
        assert told.counted == (("2609000055", 4200), ("2608000055", 4200))
        assert (told.open_before_cents, told.credit_before_cents) == (8400, 0)
        enter(session, customer, amount_cents=9000, bill_no="2609000055")
        found = open_amounts.open_summary(session, customer.id)
        assert (found.open_cents, found.credit_cents) == (told.open_after_cents, told.credit_after_cents) == (0, 600)

    def test_pays_the_bill_that_its_communication_names(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        enter(session, customer, communication="+++260/9000/05576+++")
        assert [row.remaining_cents for row in bills.of_customer(session, AGENT, customer_id=customer.id)] == [0, 4200]

    def test_keeps_who_wrote_it_down_and_why(self, session: Session) -> None:
        enter(session, trio(session, 8))
        session.flush()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "payment:record")).one()
        assert (entry.actor, entry.reason) == ("agent", "Proof of payment by e-mail")

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            ({"amount_cents": 0}, NothingReceived),
            ({"amount_cents": 250_001}, TooMuchByHand),
            ({"received_on": date(2026, 11, 19)}, NotReceivedYet),
            ({"received_on": date(2026, 8, 19)}, TooLongAgo),
            ({"comment": " "}, Missing),
            ({"bill_no": "2611000099"}, NotFound),
        ],
    )
    def test_refuses_what_can_not_be(self, session: Session, given: dict[str, Any], refusal: type[Exception]) -> None:
        customer = trio(session, 8)
        with pytest.raises(refusal):
            enter(session, customer, **given)

    def test_takes_the_day_at_the_edge(self, session: Session) -> None:
        assert enter(session, trio(session, 8), received_on=date(2026, 8, 20), amount_cents=250_000)

    def test_refuses_the_communication_of_another_file(self, session: Session) -> None:
        trio(session, 8)
        with pytest.raises(NamesAnotherFile):
            enter(session, make_customer(session), communication="+++260/8000/05549+++")

    def test_needs_the_right(self, session: Session) -> None:
        customer = trio(session, 8)
        with pytest.raises(NotPermitted):
            payment_entry.enter(session, VIEWER, customer_id=customer.id, received_on=TODAY, amount_cents=1, comment="x")


class TestEnterAfterTheStatement:
    """The bank brought 42.00 for the bill of August on 5 November."""

    BROUGHT = date(2026, 11, 5)

    def _brought(self, session: Session) -> Customer:
        customer = trio(session, 8, 9)
        entry = Entry(4200, self.BROUGHT, communication="260800005549", structured=True, bank_reference="A1")
        statements.take_in(session, BILLING, name="x", data=coda([entry], day=self.BROUGHT))
        return customer

    @pytest.mark.parametrize("communication", ["", AUGUST, "260800005549", "***260/8000/05549***"])
    @pytest.mark.parametrize("days", [-10, 0, 10])
    def test_refuses_what_the_statement_brought_and_names_its_day(self, session: Session, communication: str, days: int) -> None:
        customer = self._brought(session)
        with pytest.raises(BookedAlready) as refusal:
            enter(session, customer, communication=communication, received_on=self.BROUGHT + timedelta(days=days))
        assert (refusal.value.field, refusal.value.params) == ("amount", {"day": self.BROUGHT, "amount_cents": 4200})
        assert open_amounts.open_summary(session, customer.id).open_cents == 4200

    @pytest.mark.parametrize(
        "more",
        [{"communication": SEPTEMBER}, {"amount_cents": 4199}, {"received_on": date(2026, 11, 16)}, {"received_on": date(2026, 10, 25)}],
    )
    def test_takes_other_money(self, session: Session, more: dict[str, Any]) -> None:
        assert enter(session, self._brought(session), **({"received_on": self.BROUGHT} | more))

    def test_takes_the_same_amount_of_another_customer(self, session: Session) -> None:
        self._brought(session)
        assert enter(session, make_customer(session), received_on=self.BROUGHT)

    def test_refuses_again_what_the_statement_confirmed(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=self.BROUGHT, amount_cents=4200)
        entry = Entry(4200, self.BROUGHT, communication="260800005549", structured=True, bank_reference="A1")
        statements.take_in(session, BILLING, name="x", data=coda([entry], day=self.BROUGHT))
        with pytest.raises(BookedAlready):
            enter(session, customer, received_on=self.BROUGHT)
