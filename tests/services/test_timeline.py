"""The story of a file: everything, the newest first, page by page, for the house alone."""

from datetime import date, timedelta
from time import perf_counter

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.appointment import AppointmentCategory, Failure
from core.models.audit import AuditEntry
from core.models.communication import Communication, MessageChannel
from core.models.customer import Customer, Language
from core.models.interaction import Interaction, InteractionChannel, Task
from core.models.note import Note, Tag
from core.models.payment import PaymentPlan, PlanState
from core.models.usage import UsageKind
from core.services import appointments, audit, collections, customers, notes, timeline, usage
from core.services.timeline import Cursor, Kind
from core.services.usage import NewEvent
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services import money_stories
from tests.services.test_appointments import namur

TODAY = date(2026, 11, 18)


def told(session: Session, customer: Customer, *kinds: Kind) -> list[str]:
    page = timeline.of_customer(session, AGENT, customer_id=customer.id, kinds=kinds, limit=200)
    return [entry.source for entry in page.entries]


def message(session: Session, customer: Customer, at: str, subject: str = "Hello") -> None:
    session.add(
        Communication(
            customer_id=customer.id, template="welcome", channel=MessageChannel.EMAIL, language=Language.FR, receiver="s@example.be",
            subject=subject, body="…", sent_at=clock.from_stored(at),
        )
    )  # fmt: skip
    session.flush()


class TestTells:
    def test_bills_credit_notes_payments_and_what_came_back(self, session: Session) -> None:
        customer = money_stories.trio(session)
        money_stories.mandate(session, customer)
        money_stories.bill(session, customer, date(2026, 11, 5), bill_no="2611000055")
        with clock.standing(clock.at(date(2026, 11, 16), 9)):
            collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000055")
        with clock.standing(clock.at(date(2026, 11, 17), 9)):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000055", code="AM04")
        page = timeline.of_customer(session, AGENT, customer_id=customer.id)
        found = {(entry.day, entry.source) for entry in page.entries}
        assert {
            (date(2026, 11, 5), "bill"),
            (date(2026, 11, 16), "payment"),
            (date(2026, 11, 17), "returned"),
            (date(2026, 11, 17), "task"),
            (date(2026, 11, 17), "message"),
            (date(2026, 11, 17), "change"),
        } <= found

    def test_a_broken_plan_long_after_it_ended(self, session: Session) -> None:
        customer = make_customer(session)
        session.add(
            PaymentPlan(
                customer_id=customer.id, state=PlanState.BROKEN, proposed_on=date(2026, 3, 1), accepted_on=date(2026, 3, 2),
                ended_on=date(2026, 4, 20), total_cents=12600,
            )
        )  # fmt: skip
        session.flush()
        assert told(session, customer, Kind.FOLLOW_UP) == ["plan_ended", "plan_accepted", "plan"]

    def test_a_visit_that_was_planned_moved_and_missed(self, session: Session) -> None:
        customer = make_customer(session)
        visit = appointments.book(
            session, AGENT, customer_id=customer.id, category=AppointmentCategory.REPAIR, slot_id=namur(date(2026, 11, 19))
        )  # fmt: skip
        visit = appointments.move(
            session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version, slot_id=namur(date(2026, 11, 20)),
        )  # fmt: skip
        with clock.standing(clock.at(date(2026, 11, 20), 18)):
            appointments.fail(
                session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version, by=Failure.OPERATOR
            )  # fmt: skip
            assert told(session, customer, Kind.VISIT) == ["visit_outcome", "visit_moved", "visit"]

    def test_no_message_that_still_waits_for_the_morning(self, session: Session) -> None:
        customer = make_customer(session)
        message(session, customer, "2026-11-19T06:00:00")
        message(session, customer, "2026-11-18T09:00:00")
        assert told(session, customer, Kind.MESSAGE) == ["message"]

    def test_not_who_looked_at_the_file(self, session: Session) -> None:
        customer = make_customer(session)
        customers.open_file(session, AGENT, customer_id=customer.id)
        audit.record(session, AGENT, action="contact:change", object_type="customer", object_id=customer.id, customer_id=customer.id)
        session.flush()
        assert told(session, customer) == ["change"]

    def test_a_reworded_note_once_and_a_withdrawn_one_too(self, session: Session) -> None:
        customer = make_customer(session)
        first = notes.add(session, AGENT, customer_id=customer.id, text="One")
        notes.reword(session, AGENT, customer_id=customer.id, note_id=first, shown_version=1, text="Two")
        gone = notes.add(session, AGENT, customer_id=customer.id, text="Three")
        notes.withdraw(session, AGENT, customer_id=customer.id, note_id=gone, shown_version=1)
        page = timeline.of_customer(session, AGENT, customer_id=customer.id, kinds=[Kind.NOTE])
        assert [(entry.facts["text"], entry.facts["until_at"] is None) for entry in page.entries] == [("Three", False), ("Two", True)]

    def test_nothing_of_another_customer(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        notes.add(session, AGENT, customer_id=other.id, text="Not yours")
        assert told(session, customer) == []
        (entry,) = timeline.of_customer(session, AGENT, customer_id=other.id).entries
        with pytest.raises(NotFound):
            timeline.one(session, AGENT, customer_id=customer.id, source=entry.source, entry_id=entry.id)

    def test_every_source_is_a_query_that_runs(self, session: Session) -> None:
        customer = make_customer(session)
        for name in timeline.sources():
            with pytest.raises(NotFound):
                timeline.one(session, AGENT, customer_id=customer.id, source=name, entry_id=1)


class TestPages:
    def everything(self, session: Session, customer: Customer, limit: int) -> list[tuple[str, int]]:
        found, before = [], None
        while True:
            page = timeline.of_customer(session, AGENT, customer_id=customer.id, before=before, limit=limit)
            found += [(entry.source, entry.id) for entry in page.entries]
            if page.older is None:
                return found
            before = Cursor.read(str(page.older))

    def test_hold_each_entry_once_whatever_their_size(self, session: Session) -> None:
        customer = money_stories.trio(session, *range(1, 12))
        for number in range(7):
            message(session, customer, "2026-11-05T00:00:00", f"Same moment {number}")
            message(session, customer, "2026-11-04T23:00:00", f"The moment at which the day of a bill begins {number}")
        whole = self.everything(session, customer, 500)
        assert len(whole) == len(set(whole)) >= 25
        assert [self.everything(session, customer, limit) for limit in (1, 2, 3, 10)] == [whole] * 4

    def test_begin_at_the_end_of_a_day_that_was_asked_for(self, session: Session) -> None:
        customer = money_stories.trio(session, 9, 10, 11)
        message(session, customer, "2026-10-05T21:59:59")
        message(session, customer, "2026-10-05T22:00:00")
        page = timeline.of_customer(session, AGENT, customer_id=customer.id, until=date(2026, 10, 5))
        assert [(entry.source, entry.day) for entry in page.entries][:2] == [("message", date(2026, 10, 5)), ("message", date(2026, 10, 5))]
        assert max(entry.at for entry in page.entries) == clock.from_stored("2026-10-05T21:59:59")

    def test_a_cursor_of_the_future_shows_nothing_that_is_to_come(self, session: Session) -> None:
        customer = make_customer(session)
        message(session, customer, "2026-11-19T06:00:00")
        before = Cursor.read("20990101T000000.000000-3-7")
        assert timeline.of_customer(session, AGENT, customer_id=customer.id, before=before).entries == ()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "1-2",
            "20261118T0900-x-1",
            "99999999T000000-1-1",
            "20261118T090000.0-1-",
            "-1-1",
            "00010101T000000.0-1-1",
            "18991231T000000.0-1-1",
            "22010101T000000.0-1-1",
            "99991231T235959.0-1-1",
        ],
    )
    def test_what_is_no_cursor_is_none(self, text: str) -> None:
        assert Cursor.read(text) is None

    def test_stay_fast_with_24_months_and_ten_thousand_events(self, session: Session, engine: Engine) -> None:
        customer = make_customer(session)
        plan = make_product(session, customer, "RED", line="+32470000001")
        for month in range(24):
            money_stories.bill(session, customer, clock.add_months(date(2024, 12, 5), month))
        start = clock.at(date(2026, 10, 1))
        events = [
            NewEvent(customer.id, plan.id, start + timedelta(minutes=number), number + 1, UsageKind.VOICE, 60, other_party="+32470000002")
            for number in range(10_000)
        ]  # fmt: skip
        usage.record(session, SYSTEM, events=events)
        session.add_all(
            AuditEntry(
                at=clock.real_now(), business_at=start + timedelta(minutes=number), actor="agent", customer_id=customer.id,
                action=customers.OPENED, object_type="customer", object_id=str(customer.id),
            )
            for number in range(2_000)
        )  # fmt: skip
        session.add_all(
            Interaction(
                customer_id=customer.id, channel=InteractionChannel.PHONE, reason="bill", at=start + timedelta(hours=number), agent="agent",
                ended_at=start + timedelta(hours=number),
            )
            for number in range(500)
        )  # fmt: skip
        session.flush()
        page = timeline.of_customer(session, AGENT, customer_id=customer.id)
        began = perf_counter()
        for _ in range(10):
            page = timeline.of_customer(session, AGENT, customer_id=customer.id, before=page.older)
        assert (perf_counter() - began) / 10 < 0.1, engine.dialect.name


class TestWho:
    def test_staff_reads_it_a_reader_too(self, session: Session) -> None:
        customer = make_customer(session)
        assert timeline.of_customer(session, VIEWER, customer_id=customer.id).entries == ()

    def test_its_customer_does_not(self, session: Session) -> None:
        customer = make_customer(session)
        himself = self_of(customer)
        with pytest.raises(NotPermitted):
            timeline.of_customer(session, himself, customer_id=customer.id)
        with pytest.raises(NotPermitted):
            timeline.one(session, himself, customer_id=customer.id, source="note", entry_id=1)


class TestMarks:
    def test_tell_tasks_tags_and_the_talk_in_one_question(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        session.add(Task(customer_id=customer.id, code="free", words="Call back", created_at=clock.now()))
        for word, until in (("fibre", None), ("old", TODAY), ("new", date(2026, 11, 19))):
            session.add(Tag(customer_id=customer.id, word=word, folded=word, owner="agent", since_at=clock.now(), until=until))
        session.add(
            Interaction(customer_id=other.id, channel=InteractionChannel.PHONE, at=clock.now(), agent="agent", opened_at=clock.real_now())
        )
        session.add(Note(customer_id=customer.id, text="x", author="agent", created_at=clock.now()))
        session.flush()
        found = customers.marks(session, AGENT, customer_id=customer.id)
        assert [task.words for task in found.tasks] == ["Call back"]
        assert sorted(found.tags) == ["fibre", "new"]
        assert found.on_the_line == other.customer_no

    def test_are_nothing_for_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        session.add(Task(customer_id=customer.id, code="modem_not_returned", created_at=clock.now()))
        session.add(Tag(customer_id=customer.id, word="x", folded="x", owner="agent", since_at=clock.now()))
        session.flush()
        assert customers.marks(session, self_of(customer), customer_id=customer.id) == customers.Marks()
