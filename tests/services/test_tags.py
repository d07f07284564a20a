"""Tags above a file: whose, until when, each once."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.services import tags
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, self_of

TODAY = date(2026, 11, 18)

COLLEAGUE = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture
def customer(session: Session) -> Customer:
    return make_customer(session)


def words(session: Session, customer: Customer) -> list[str]:
    return [tag.word for tag in tags.of_customer(session, AGENT, customer_id=customer.id)]


class TestAdd:
    def test_stands_with_its_owner_until_it_is_taken_off(self, session: Session, customer: Customer) -> None:
        tags.add(session, AGENT, customer_id=customer.id, word="fibre")
        (tag,) = tags.of_customer(session, AGENT, customer_id=customer.id)
        assert (tag.word, tag.owner, tag.last) == ("fibre", "agent", None)
        tags.end(session, AGENT, customer_id=customer.id, tag_id=tag.id, shown_version=tag.version)
        assert words(session, customer) == []

    def test_stands_on_its_last_day_and_no_longer(self, session: Session, customer: Customer) -> None:
        tags.add(session, AGENT, customer_id=customer.id, word="fibre", last=TODAY)
        assert words(session, customer) == ["fibre"]
        with clock.standing(clock.now() + timedelta(days=1)):
            assert words(session, customer) == []

    def test_comes_back_after_it_ran_out(self, session: Session, customer: Customer) -> None:
        tags.add(session, AGENT, customer_id=customer.id, word="fibre", last=TODAY)
        with clock.standing(clock.now() + timedelta(days=1)):
            tags.add(session, AGENT, customer_id=customer.id, word="Fibré")
            assert words(session, customer) == ["Fibré"]

    def test_refuses_a_word_that_stands_in_any_spelling(self, session: Session, customer: Customer) -> None:
        tags.add(session, AGENT, customer_id=customer.id, word="Fibre")
        with pytest.raises(tags.Stands):
            tags.add(session, AGENT, customer_id=customer.id, word="fïbre")

    def test_refuses_a_day_that_passed_an_empty_word_and_a_ninth(self, session: Session, customer: Customer) -> None:
        with pytest.raises(tags.UntilPast):
            tags.add(session, AGENT, customer_id=customer.id, word="x", last=TODAY - timedelta(days=1))
        with pytest.raises(Missing):
            tags.add(session, AGENT, customer_id=customer.id, word=" ")
        for number in range(8):
            tags.add(session, AGENT, customer_id=customer.id, word=f"tag {number}")
        with pytest.raises(tags.TooMany):
            tags.add(session, AGENT, customer_id=customer.id, word="one more")

    def test_is_not_for_readers_and_never_for_the_customer(self, session: Session, customer: Customer) -> None:
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                tags.add(session, actor, customer_id=customer.id, word="x")
        with pytest.raises(NotPermitted):
            tags.of_customer(session, self_of(customer), customer_id=customer.id)


class TestEnd:
    def test_is_written_down_with_who_took_it_off(self, session: Session, customer: Customer) -> None:
        tag = tags.add(session, AGENT, customer_id=customer.id, word="x")
        tags.end(session, COLLEAGUE, customer_id=customer.id, tag_id=tag, shown_version=1)
        trail = session.exec(select(AuditEntry.action, AuditEntry.actor).order_by(col(AuditEntry.id))).all()
        assert trail == [("tag:put", AGENT.username), ("tag:take_off", COLLEAGUE.username)]

    def test_happens_once(self, session: Session, customer: Customer) -> None:
        tag = tags.add(session, AGENT, customer_id=customer.id, word="x")
        with pytest.raises(ChangedMeanwhile):
            tags.end(session, AGENT, customer_id=customer.id, tag_id=tag, shown_version=2)
        tags.end(session, AGENT, customer_id=customer.id, tag_id=tag, shown_version=1)
        with pytest.raises(ChangedMeanwhile) as refusal:
            tags.end(session, COLLEAGUE, customer_id=customer.id, tag_id=tag, shown_version=1)
        assert refusal.value.params["who"] == AGENT.username
        with pytest.raises(tags.NotStanding):
            tags.end(session, AGENT, customer_id=customer.id, tag_id=tag, shown_version=2)

    def test_of_another_files_tag_is_not_found(self, session: Session, customer: Customer) -> None:
        tag = tags.add(session, AGENT, customer_id=customer.id, word="x")
        with pytest.raises(NotFound):
            tags.end(session, AGENT, customer_id=make_customer(session).id, tag_id=tag, shown_version=1)
