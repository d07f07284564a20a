"""When a file opens without a word, when it asks why, and what is masked in it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.mandate import Mandate, MandateState
from core.services import access, customers
from core.services.access import Because, Masked, Why
from core.services.audit_trail import released
from core.text_rules import Missing, TooLong, Unreadable
from tests.builders import AGENT, SINCE, VIEWER, make_customer, self_of

OTHER_AGENT = Actor(user_id=None, username="c.martin", role=Role.AGENT)


def asks(session: Session, customer: Customer, actor: Actor = AGENT, *, offered: bool = False) -> Because | None:
    return access.door(session, actor, customer_no=customer.customer_no, offered=offered).asks


def say(session: Session, customer: Customer, why: Why = Why.CALLER, words: str = "") -> None:
    access.give_reason(session, AGENT, customer_no=customer.customer_no, why=why, words=words)
    session.flush()


def last(session: Session, action: str) -> AuditEntry:
    return session.exec(select(AuditEntry).where(AuditEntry.action == action)).one()


class TestDoor:
    def test_opens_what_the_desk_led_to(self, session: Session) -> None:
        assert asks(session, make_customer(session), offered=True) is None

    def test_asks_who_comes_by_a_bare_link(self, session: Session) -> None:
        assert asks(session, make_customer(session)) is Because.LINK

    @pytest.mark.parametrize("flag", ["vip", "colleague"])
    def test_always_asks_for_a_protected_file(self, session: Session, flag: str) -> None:
        assert asks(session, make_customer(session, **{flag: True}), offered=True) is Because.PROTECTED

    def test_a_look_of_today_opens_an_ordinary_file_again(self, session: Session) -> None:
        customer = make_customer(session)
        customers.open_file(session, AGENT, customer_id=customer.id)
        session.flush()
        assert (asks(session, customer), asks(session, customer, OTHER_AGENT)) == (None, Because.LINK)

    def test_a_look_of_today_does_not_open_a_protected_file(self, session: Session) -> None:
        customer = make_customer(session, vip=True)
        customers.open_file(session, AGENT, customer_id=customer.id)
        session.flush()
        assert asks(session, customer) is Because.PROTECTED

    def test_lets_the_customer_himself_in(self, session: Session) -> None:
        customer = make_customer(session, vip=True)
        assert asks(session, customer, self_of(customer)) is None

    def test_answers_the_same_for_another_file_and_for_none(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        for number in (other.customer_no, "99999999", "x"):
            with pytest.raises(NotFound):
                access.door(session, self_of(one), customer_no=number, offered=True)

    def test_a_sample_customer_of_the_demo_is_in_everybodys_queue(self, session: Session) -> None:
        assert asks(session, make_customer(session, customer_no="10000017")) is None


class TestGiveReason:
    def test_opens_the_file_for_the_one_who_gave_it_and_is_written_down(self, session: Session) -> None:
        customer = make_customer(session, vip=True)
        say(session, customer, Why.OTHER, "call of the minister's office")
        assert (asks(session, customer), asks(session, customer, OTHER_AGENT)) == (None, Because.PROTECTED)
        entry = last(session, access.REASON)
        assert (entry.actor, entry.customer_id, entry.reason) == ("agent", customer.id, "call of the minister's office")
        assert entry.after == {"why": "other", "because": "protected"}

    def test_holds_for_the_working_day_only(self, session: Session) -> None:
        customer = make_customer(session, vip=True)
        say(session, customer)
        with released(session):
            last(session, access.REASON).at -= timedelta(days=1)
            session.flush()
        assert asks(session, customer) is Because.PROTECTED

    @pytest.mark.parametrize(("words", "refusal"), [("", Missing), ("  ", Missing), ("a\x00b", Unreadable), ("x" * 201, TooLong)])
    def test_another_reason_needs_words(self, session: Session, words: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            say(session, make_customer(session), Why.OTHER, words)


class TestReveal:
    def test_gives_the_birth_date_and_writes_down_who_saw_it_and_why(self, session: Session) -> None:
        customer = make_customer(session, birth_date=date(1979, 9, 17))
        shown = access.reveal(session, AGENT, customer_id=customer.id, masked=Masked.BIRTH_DATE, why=Why.CALLER, words="asked for it")
        session.flush()
        entry = last(session, access.REVEAL)
        assert (shown, entry.reason, entry.customer_id) == ("1979-09-17", "asked for it", customer.id)
        assert entry.after == {"field": "birth_date", "why": "caller"}

    def test_gives_the_account_of_the_mandate_that_runs(self, session: Session) -> None:
        customer = make_customer(session)
        facts: dict[str, Any] = {"holder": "S. Lambert", "requested_at": SINCE, "signed_on": SINCE.date()}
        for umr, iban, state in (("U1", "BE66539000001343", MandateState.CANCELLED), ("U2", "BE77539000001242", MandateState.ACTIVE)):
            session.add(Mandate(customer_id=customer.id, umr=umr, iban=iban, state=state, **facts))
        session.flush()
        shown = access.reveal(session, AGENT, customer_id=customer.id, masked=Masked.IBAN, why=Why.CALLER, words="")
        assert shown == "BE77 5390 0000 1242"

    def test_finds_nothing_where_nothing_is_known(self, session: Session) -> None:
        customer = make_customer(session)
        for masked in Masked:
            with pytest.raises(NotFound):
                access.reveal(session, AGENT, customer_id=customer.id, masked=masked, why=Why.CALLER, words="")

    def test_is_not_for_who_only_reads(self, session: Session) -> None:
        customer = make_customer(session, birth_date=date(1979, 9, 17))
        with pytest.raises(NotPermitted):
            access.reveal(session, VIEWER, customer_id=customer.id, masked=Masked.BIRTH_DATE, why=Why.CALLER, words="")


class TestHead:
    def test_keeps_the_birth_date_from_the_house_and_gives_it_to_the_customer(self, session: Session) -> None:
        customer = make_customer(session, birth_date=date(1979, 9, 17))
        head = customers.head(session, AGENT, customer_no=customer.customer_no)
        assert (head.born, head.birth_date) == (True, None)
        assert customers.head(session, self_of(customer)).birth_date == date(1979, 9, 17)
