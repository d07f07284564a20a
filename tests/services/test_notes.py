"""Notes of the house: whose they are, until when they change, and that no wording is lost."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.note import Note
from core.services import notes
from core.text_rules import Missing, TooLong, Unreadable
from tests.builders import AGENT, VIEWER, make_customer, self_of

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture
def customer(session: Session) -> Customer:
    return make_customer(session)


def add(session: Session, customer: Customer, text: str = "Prefers to be called in the evening.", *, pinned: bool = False) -> int:
    return notes.add(session, AGENT, customer_id=customer.id, text=text, pinned=pinned)


def texts(session: Session, customer: Customer) -> list[str]:
    return [row.text for row in notes.of_customer(session, AGENT, customer_id=customer.id)]


class TestAdd:
    def test_keeps_author_and_moment_and_writes_the_trail(self, session: Session, customer: Customer) -> None:
        add(session, customer)
        (row,) = notes.of_customer(session, AGENT, customer_id=customer.id)
        assert (row.author, row.created_at, row.editable, row.pinned) == ("agent", clock.now(), True, False)
        assert session.exec(select(AuditEntry.action)).all() == ["note:write"]

    def test_pinned_ones_stand_first(self, session: Session, customer: Customer) -> None:
        add(session, customer, "pinned", pinned=True)
        add(session, customer, "newer")
        assert texts(session, customer) == ["pinned", "newer"]

    @pytest.mark.parametrize(
        ("text", "refusal"), [(" \n ", Missing), ("x" * 2001, TooLong), ("a\u202eb", Unreadable), ("a\x00", Unreadable)]
    )
    def test_refuses_what_nobody_could_read(self, session: Session, customer: Customer, text: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            add(session, customer, text)

    def test_keeps_its_lines(self, session: Session, customer: Customer) -> None:
        add(session, customer, "one\r\ntwo")
        assert texts(session, customer) == ["one\ntwo"]

    @pytest.mark.parametrize("who", ["viewer", "himself"])
    def test_is_not_for_readers_nor_for_the_customer(self, session: Session, customer: Customer, who: str) -> None:
        actor = VIEWER if who == "viewer" else self_of(customer)
        with pytest.raises(NotPermitted):
            notes.add(session, actor, customer_id=customer.id, text="x")


class TestRead:
    def test_the_customer_never_reads_them(self, session: Session, customer: Customer) -> None:
        number = add(session, customer)
        for read in (
            lambda: notes.of_customer(session, self_of(customer), customer_id=customer.id),
            lambda: notes.one(session, self_of(customer), customer_id=customer.id, note_id=number),
            lambda: notes.wordings(session, self_of(customer), customer_id=customer.id, note_id=number),
        ):
            with pytest.raises(NotPermitted):
                read()


class TestTrail:
    def test_a_note_that_was_withdrawn_is_written_down(self, session: Session, customer: Customer) -> None:
        note = notes.add(session, AGENT, customer_id=customer.id, text="x")
        notes.withdraw(session, AGENT, customer_id=customer.id, note_id=note, shown_version=1)
        trail = session.exec(select(AuditEntry.action).order_by(col(AuditEntry.id))).all()
        assert trail == ["note:write", "note:withdraw"]


class TestReword:
    def test_replaces_the_words_and_keeps_the_earlier_ones(self, session: Session, customer: Customer) -> None:
        first = add(session, customer, "one", pinned=True)
        with clock.standing(clock.now() + timedelta(hours=1)):
            second = notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="two")
            third = notes.reword(session, AGENT, customer_id=customer.id, note_id=second, shown_version=1, text="three")
        (row,) = notes.of_customer(session, AGENT, customer_id=customer.id)
        assert (row.id, row.text, row.pinned, row.created_at, row.reworded) == (third, "three", True, clock.now(), True)
        assert row.first_id == first
        assert [one.text for one in notes.wordings(session, AGENT, customer_id=customer.id, note_id=third)] == ["two", "one"]

    def test_of_the_second_of_two_writers_is_refused(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="two")
        with pytest.raises(ChangedMeanwhile) as refusal:
            notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="mine")
        assert refusal.value.params["who"] == AGENT.username

    def test_sees_that_it_was_pinned_meanwhile(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        notes.pin(session, SENIOR, customer_id=customer.id, note_id=first, shown_version=1, pinned=True)
        with pytest.raises(ChangedMeanwhile) as refusal:
            notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="mine")
        assert refusal.value.params["who"] == "senior"

    def test_is_for_its_author_within_a_day(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        with pytest.raises(notes.NotYours):
            notes.reword(session, SENIOR, customer_id=customer.id, note_id=first, shown_version=1, text="two")
        with clock.standing(clock.now() + timedelta(days=1)), pytest.raises(notes.TooOld):
            notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="two")

    def test_of_another_customers_note_is_not_found(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        with pytest.raises(NotFound):
            notes.reword(session, AGENT, customer_id=make_customer(session).id, note_id=first, shown_version=1, text="two")


class TestWithdraw:
    def test_takes_it_out_of_the_list_and_deletes_nothing(self, session: Session, customer: Customer) -> None:
        first = add(session, customer, pinned=True)
        notes.withdraw(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1)
        assert texts(session, customer) == []
        (row,) = session.exec(select(Note).order_by(col(Note.id))).all()
        assert (row.until_by, row.pinned) == ("agent", False)


class TestTable:
    def test_lets_a_wording_be_replaced_once(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        for _ in range(2):
            session.add(Note(customer_id=customer.id, text="x", author="agent", created_at=clock.now(), replaces_id=first))
        with pytest.raises(IntegrityError):
            session.flush()

    def test_lets_no_note_replace_one_of_another_file(self, session: Session, customer: Customer) -> None:
        first = add(session, customer)
        session.add(Note(customer_id=make_customer(session).id, text="x", author="agent", created_at=clock.now(), replaces_id=first))
        with pytest.raises(IntegrityError):
            session.flush()
