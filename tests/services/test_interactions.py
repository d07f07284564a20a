"""Talks: one at a time, who is on the line, how it ends, who goes on with it."""

from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.interaction import CallerCheck, CallerFact, Interaction, InteractionChannel, Task, Team
from core.services import interactions, tasks
from core.services.interactions import OpenTalk
from core.services.tasks import Target
from core.services.throttle import TooManyTries
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services import money_stories

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture
def customer(session: Session) -> Customer:
    found = make_customer(session, birth_date=date(1991, 7, 2))
    make_product(session, found, "TRIO")
    money_stories.bill(session, found, date(2026, 11, 5))
    return found


def begin(session: Session, customer: Customer, actor: Actor = AGENT) -> OpenTalk:
    interactions.begin(session, actor, customer_id=customer.id)
    talk = interactions.current(session, actor)
    assert talk is not None
    return talk


def end(session: Session, customer: Customer, talk: OpenTalk, **given: object) -> Interaction:
    facts: dict[str, object] = {"reason": "bill", "words": "Explained the bill."} | given
    interactions.end(session, AGENT, customer_id=customer.id, talk_id=talk.id, shown_version=talk.version, **facts)  # type: ignore[arg-type]
    return session.get_one(Interaction, talk.id)


class TestBegin:
    def test_opens_one_talk_at_a_time(self, session: Session, customer: Customer) -> None:
        begin(session, customer)
        with pytest.raises(interactions.OnTheLine) as refusal:
            interactions.begin(session, AGENT, customer_id=make_customer(session).id)
        assert refusal.value.params == {"customer_no": customer.customer_no}
        assert begin(session, customer, SENIOR).customer_id == customer.id

    def test_the_database_holds_to_it(self, session: Session, customer: Customer) -> None:
        for _ in range(2):
            session.add(Interaction(customer_id=customer.id, channel=InteractionChannel.PHONE, at=clock.now(), agent="agent"))
        with pytest.raises(IntegrityError):
            session.flush()

    def test_is_not_for_readers_nor_for_the_customer(self, session: Session, customer: Customer) -> None:
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                interactions.begin(session, actor, customer_id=customer.id)


class TestCheck:
    @pytest.mark.parametrize(
        ("fact", "heard", "right"),
        [
            (CallerFact.BIRTH_DATE, "2/7/91", True),
            (CallerFact.BIRTH_DATE, "02.07.1991", True),
            (CallerFact.BIRTH_DATE, "2-7-2091", False),
            (CallerFact.BIRTH_DATE, "7/2/1991", False),
            (CallerFact.BIRTH_DATE, "in July", False),
            (CallerFact.BIRTH_DATE, "31/31/1991", False),
            (CallerFact.BILL_AMOUNT, "42", True),
            (CallerFact.BILL_AMOUNT, "42,00 €", True),
            (CallerFact.BILL_AMOUNT, "42,01", False),
            (CallerFact.POSTCODE, "5000", True),
            (CallerFact.POSTCODE, "B-5000", True),
            (CallerFact.POSTCODE, "Namur", False),
            (CallerFact.CUSTOMER_NO, "10000017", False),
        ],
    )
    def test_reads_an_answer_as_it_is_said(self, session: Session, customer: Customer, fact: CallerFact, heard: str, right: bool) -> None:
        begin(session, customer)
        assert interactions.check(session, AGENT, customer_id=customer.id, fact=fact, heard=heard) is right

    def test_two_right_answers_make_the_caller_known(self, session: Session, customer: Customer) -> None:
        talk = begin(session, customer)
        number = f"{customer.customer_no[:4]} {customer.customer_no[4:]}"
        for fact, heard in ((CallerFact.CUSTOMER_NO, number), (CallerFact.POSTCODE, "9000"), (CallerFact.POSTCODE, "5000")):
            assert not talk.known
            interactions.check(session, AGENT, customer_id=customer.id, fact=fact, heard=heard)
            talk = interactions.current(session, AGENT) or talk
        assert talk.known
        assert talk.checks == {CallerFact.CUSTOMER_NO: True, CallerFact.POSTCODE: True}

    def test_keeps_that_it_was_right_or_wrong_and_never_what_was_said(self, session: Session, customer: Customer) -> None:
        begin(session, customer)
        interactions.check(session, AGENT, customer_id=customer.id, fact=CallerFact.POSTCODE, heard="9876")
        session.flush()
        assert [(row.fact, row.matched) for row in session.exec(select(CallerCheck))] == [(CallerFact.POSTCODE, False)]
        told = session.exec(select(AuditEntry).where(AuditEntry.action == "interaction:check")).one()
        assert told.after == {"fact": "postcode", "match": False}
        assert "9876" not in str(told.model_dump())

    def test_rests_after_three_wrong_answers_to_a_question(self, session: Session, customer: Customer) -> None:
        begin(session, customer)
        for heard in ("9000", "9001", "9002"):
            interactions.check(session, AGENT, customer_id=customer.id, fact=CallerFact.POSTCODE, heard=heard)
        with pytest.raises(TooManyTries):
            interactions.check(session, AGENT, customer_id=customer.id, fact=CallerFact.POSTCODE, heard="5000")
        assert interactions.check(session, AGENT, customer_id=customer.id, fact=CallerFact.BIRTH_DATE, heard="2/7/1991")

    def test_refuses_what_the_file_does_not_hold(self, session: Session) -> None:
        other = make_customer(session)
        begin(session, other)
        for fact in (CallerFact.BIRTH_DATE, CallerFact.BILL_AMOUNT):
            with pytest.raises(interactions.NotAsked):
                interactions.check(session, AGENT, customer_id=other.id, fact=fact, heard="1")

    def test_needs_a_talk_with_this_customer(self, session: Session, customer: Customer) -> None:
        begin(session, make_customer(session))
        with pytest.raises(interactions.TalkOver):
            interactions.check(session, AGENT, customer_id=customer.id, fact=CallerFact.POSTCODE, heard="5000")


class TestEnd:
    def test_keeps_reason_words_and_how_long_it_took(self, session: Session, customer: Customer) -> None:
        row = end(session, customer, begin(session, customer))
        assert (row.reason, row.note, row.ended_at, row.handed_to) == ("bill", "Explained the bill.", clock.now(), None)
        assert row.seconds is not None
        assert interactions.current(session, AGENT) is None
        assert session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all()[-2:] == ["interaction:begin", "interaction:end"]

    def test_needs_a_reason_of_the_list(self, session: Session, customer: Customer) -> None:
        talk = begin(session, customer)
        for reason in ("", "weather"):
            with pytest.raises(interactions.ReasonMissing):
                end(session, customer, talk, reason=reason)

    def test_handed_over_leaves_a_task_for_the_team_today(self, session: Session, customer: Customer) -> None:
        row = end(session, customer, begin(session, customer), hand_to=Target(team=Team.BILLING), left="Check the payment of 3/11")
        assert row.handed_to == "billing"
        (task,) = session.exec(select(Task)).all()
        assert (task.code, task.words, task.team, task.due) == (
            tasks.HANDOVER,
            "Check the payment of 3/11",
            Team.BILLING,
            date(2026, 11, 18),
        )

    def test_handed_over_says_what_is_left(self, session: Session, customer: Customer) -> None:
        talk = begin(session, customer)
        with pytest.raises(Missing):
            end(session, customer, talk, hand_to=Target(team=Team.BILLING), left=" ")

    def test_happens_once_and_as_it_was_shown(self, session: Session, customer: Customer) -> None:
        talk = begin(session, customer)
        with pytest.raises(ChangedMeanwhile):
            interactions.end(session, AGENT, customer_id=customer.id, talk_id=talk.id, shown_version=9, reason="bill")
        end(session, customer, talk)
        begin(session, customer)
        with pytest.raises(ChangedMeanwhile):
            end(session, customer, talk, words="of the talk before")
        assert interactions.current(session, AGENT) is not None

    def test_is_for_who_speaks(self, session: Session, customer: Customer) -> None:
        talk = begin(session, customer)
        with pytest.raises(NotFound):
            interactions.end(session, SENIOR, customer_id=customer.id, talk_id=talk.id, shown_version=talk.version, reason="bill")
