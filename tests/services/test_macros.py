"""Macros: offered where they apply, shown before they run, all of it or nothing."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from core import catalogue, clock
from core.actor import SYSTEM, Actor, Role
from core.errors import NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart, Failure
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus, Language
from core.models.interaction import Task
from core.models.note import Note, NoteSource
from core.services import appointments, collections, credit_notes, macro_book, macros, slots
from core.services.bill_words import CreditReason
from core.services.macro_conditions import CONDITIONS
from core.services.macros import Plan
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services import money_stories

MISSED = date(2026, 11, 12)
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)


def missed(session: Session) -> Customer:
    """A customer with a bill of 42.00, whose repair of last Thursday we missed."""
    customer = money_stories.trio(session, 11)
    session.add(
        Appointment(
            customer_id=customer.id, appointment_no=f"A{customer.customer_no}01", category=AppointmentCategory.REPAIR, zone="50", day=MISSED,
            part=DayPart.MORNING, place="Rue de Fer 12, 5000 Namur", created_at=clock.now(), state=AppointmentState.FAILED,
            failed_by=Failure.OPERATOR,
        )
    )  # fmt: skip
    session.flush()
    return customer


def refused(session: Session) -> Customer:
    """A customer whose direct debit of November came back yesterday."""
    customer = make_customer(session)
    make_product(session, customer, "TRIO")
    money_stories.mandate(session, customer)
    money_stories.bill(session, customer, date(2026, 11, 5), bill_no="2611000062")
    with clock.standing(clock.at(date(2026, 11, 16), 9)):
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
    with clock.standing(clock.at(date(2026, 11, 17), 9)):
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
    return customer


def preview(session: Session, customer: Customer, code: str, **given: int) -> Plan:
    return macros.preview(session, AGENT, customer_id=customer.id, code=code, language="fr", **given)


def run(session: Session, customer: Customer, code: str, actor: Actor = AGENT, **given: int) -> Plan:
    seal = preview(session, customer, code, **given).seal
    return macros.run(session, actor, customer_id=customer.id, code=code, language="fr", seal=seal, **given)


def written(session: Session, customer: Customer) -> tuple[int, ...]:
    """How many credit notes, visits, messages, tasks, notes and entries of the trail there are."""
    counts = (
        session.exec(select(Bill.id).where(Bill.customer_id == customer.id, Bill.category == BillCategory.CREDIT_NOTE)),
        session.exec(select(Appointment.id).where(Appointment.customer_id == customer.id)),
        session.exec(select(Communication.id).where(Communication.customer_id == customer.id)),
        session.exec(select(Task.id).where(Task.customer_id == customer.id)),
        session.exec(select(Note.id).where(Note.customer_id == customer.id)),
        session.exec(select(AuditEntry.id).where(AuditEntry.customer_id == customer.id)),
    )
    return tuple(len(found.all()) for found in counts)


class TestOffered:
    def test_where_it_applies_and_nowhere_else(self, session: Session) -> None:
        assert list(macros.offered(session, AGENT, customer_id=missed(session).id)) == ["missed_visit"]
        assert list(macros.offered(session, AGENT, customer_id=refused(session).id)) == ["refused_debit"]
        assert macros.offered(session, AGENT, customer_id=make_customer(session).id) == {}

    def test_for_a_modem_that_is_missing_in_a_closed_file(self, session: Session) -> None:
        customer = make_customer(session, status=CustomerStatus.CLOSED)
        session.add(Task(customer_id=customer.id, code="modem_not_returned", created_at=clock.now()))
        session.flush()
        assert list(macros.offered(session, AGENT, customer_id=customer.id)) == ["modem_back"]

    @pytest.mark.parametrize("who", ["viewer", "himself"])
    def test_not_to_readers_nor_to_the_customer(self, session: Session, who: str) -> None:
        customer = missed(session)
        actor = VIEWER if who == "viewer" else self_of(customer)
        with pytest.raises(NotPermitted):
            macros.offered(session, actor, customer_id=customer.id)
        with pytest.raises(NotPermitted):
            macros.run(session, actor, customer_id=customer.id, code="missed_visit", language="fr", seal="")


class TestPreview:
    def test_tells_amounts_dates_and_texts_and_changes_nothing(self, session: Session) -> None:
        customer = missed(session)
        before = written(session, customer)
        plan = preview(session, customer, "missed_visit")
        assert written(session, customer) == before
        credit, visit, message, note = plan.steps
        assert credit.told.params == {
            "credit_cents": 3000, "bill_no": "2611000055", "before_cents": 4200, "after_cents": 1200,
        }  # fmt: skip
        assert "vendredi 20 novembre 2026" in str(visit.told.params["when"]) or "jeudi 19 novembre 2026" in str(visit.told.params["when"])
        assert message.subject == "Votre note de crédit …"
        assert "Bonjour Sophie Lambert" in message.text
        assert "Visite du 12/11/2026 manquée par nous" in note.text

    def test_writes_to_the_customer_in_his_language_and_notes_in_the_agents(self, session: Session) -> None:
        customer = refused(session)
        customer.language = Language.NL
        session.flush()
        message, done, task, note = preview(session, customer, "refused_debit").steps
        assert message.subject == "Factuur 2611000062: hoe u ze betaalt"
        assert "42,00" in message.text
        assert done.told.params == {"words": "Client informé : payable jusqu'au 01/12/2026"}
        assert task.told.params == {"due": date(2026, 12, 1)}
        assert note.text.startswith("Prélèvement de la facture 2611000062 refusé")

    def test_leaves_out_a_credit_that_was_given_already(self, session: Session) -> None:
        customer = missed(session)
        credit_notes.issue_credit_note(
            session, SYSTEM, customer_id=customer.id, reason=CreditReason.MISSED_VISIT, bill_no="2611000055", since=MISSED
        )  # fmt: skip
        credit, visit, message, _note = preview(session, customer, "missed_visit").steps
        assert (credit.left_out, visit.left_out, message.left_out) == (True, False, True)
        run(session, customer, "missed_visit")
        assert len(session.exec(select(Bill.id).where(Bill.category == BillCategory.CREDIT_NOTE)).all()) == 1

    def test_is_over_once_it_is_credited_and_planned(self, session: Session) -> None:
        customer = missed(session)
        run(session, customer, "missed_visit")
        assert macros.offered(session, AGENT, customer_id=customer.id) == {}
        with pytest.raises(macros.NotOffered):
            preview(session, customer, "missed_visit")


class TestRun:
    def test_credits_plans_writes_and_notes(self, session: Session) -> None:
        customer = missed(session)
        plan = preview(session, customer, "missed_visit")
        chosen = plan.slots[3]
        run(session, customer, "missed_visit", slot_id=chosen.id)
        note = session.exec(select(Bill).where(Bill.category == BillCategory.CREDIT_NOTE)).one()
        assert (note.incl_cents, note.vat_cents, note.reason, note.period_since, note.credited_by) == (
            3000,
            0,
            "missed_visit",
            MISSED,
            None,
        )
        visit = session.exec(select(Appointment).where(Appointment.state == AppointmentState.CONFIRMED)).one()
        assert (visit.day, visit.part, visit.category) == (chosen.day, chosen.part, AppointmentCategory.REPAIR)
        templates = session.exec(select(Communication.template).order_by(col(Communication.id))).all()
        assert templates[-2:] == ["appointment_confirmed", "credit_note"]
        message = session.exec(select(Communication.subject).where(Communication.template == "credit_note")).one()
        assert message == f"Votre note de crédit {note.bill_no}"
        assert [(row.source, row.author) for row in session.exec(select(Note))] == [(NoteSource.RULE, "agent")]

    def test_writes_one_entry_for_itself_and_those_of_its_steps(self, session: Session) -> None:
        customer = missed(session)
        last = session.exec(select(AuditEntry.id).order_by(col(AuditEntry.id).desc())).first() or 0
        run(session, customer, "missed_visit")
        found = session.exec(select(AuditEntry).where(AuditEntry.id > last).order_by(col(AuditEntry.id))).all()
        assert [entry.action for entry in found] == ["bill:credit", "appointment:book", "note:write", "macro:run"]
        assert found[-1].after is not None
        assert found[-1].after["steps"] == ["credit", "visit", "message", "note"]

    def test_ends_the_task_of_a_refused_debit_and_writes_the_next_one(self, session: Session) -> None:
        customer = refused(session)
        run(session, customer, "refused_debit")
        done, next_one = session.exec(select(Task).order_by(col(Task.id))).all()
        assert (done.code, done.done_by) == ("debit_returned", "agent")
        assert (next_one.due, next_one.owner, next_one.done_at) == (date(2026, 12, 1), "agent", None)

    def test_gives_a_missing_modem_two_weeks(self, session: Session) -> None:
        customer = make_customer(session)
        session.add(Task(customer_id=customer.id, code="modem_not_returned", created_at=clock.now()))
        session.flush()
        run(session, customer, "modem_back")
        task = session.exec(select(Task)).one()
        assert (task.due, task.owner) == (date(2026, 12, 2), "agent")
        assert macros.offered(session, AGENT, customer_id=customer.id) == {}
        with clock.standing(clock.now() + timedelta(days=14)):
            assert list(macros.offered(session, AGENT, customer_id=customer.id)) == ["modem_back"]

    def test_does_nothing_where_something_changed_since_it_was_shown(self, session: Session) -> None:
        customer = missed(session)
        seal = preview(session, customer, "missed_visit").seal
        money_stories.paid(session, date(2026, 11, 18), 4200, customer_id=customer.id)
        before = written(session, customer)
        with pytest.raises(macros.MacroChanged):
            macros.run(session, AGENT, customer_id=customer.id, code="missed_visit", language="fr", seal=seal)
        assert written(session, customer) == before

    @pytest.mark.parametrize("colleague", [AGENT, Actor(user_id=None, username="other", role=Role.AGENT)], ids=["himself", "colleague"])
    def test_what_was_shown_runs_once_whoever_else_looks_at_it(self, session: Session, colleague: Actor) -> None:
        """A refused debit without an open task looks the same before and after."""
        customer = refused(session)
        run(session, customer, "refused_debit")
        seal = preview(session, customer, "refused_debit").seal
        assert macros.preview(session, colleague, customer_id=customer.id, code="refused_debit", language="fr").seal == seal
        macros.run(session, AGENT, customer_id=customer.id, code="refused_debit", language="fr", seal=seal)
        before = written(session, customer)
        with pytest.raises(macros.MacroChanged):
            macros.run(session, colleague, customer_id=customer.id, code="refused_debit", language="fr", seal=seal)
        assert written(session, customer) == before

    def test_does_none_of_it_where_one_step_is_refused(self, session: Session) -> None:
        """The credit is written before the visit is refused: it goes with the transaction."""
        customer = missed(session)
        customer.status = CustomerStatus.CLOSED
        session.flush()
        before = written(session, customer)
        with pytest.raises(appointments.FileClosed), session.begin_nested():
            run(session, customer, "missed_visit")
        session.expire_all()
        assert written(session, customer) == before

    def test_asks_for_the_right_to_each_step(self, session: Session) -> None:
        customer = missed(session)
        assert macros.offered(session, BILLING, customer_id=customer.id) == {}
        seal = preview(session, customer, "missed_visit").seal
        with pytest.raises(NotPermitted):
            macros.run(session, BILLING, customer_id=customer.id, code="missed_visit", language="fr", seal=seal)

    def test_offers_only_half_days_that_are_free(self, session: Session) -> None:
        customer = missed(session)
        first = preview(session, customer, "missed_visit").slots[0]
        slots.prebook(session, "50", since=first.day, until=first.day + timedelta(days=30))
        for one in preview(session, customer, "missed_visit").slots:
            slots.offered(one.id, zone="50", category=AppointmentCategory.REPAIR)
            assert one.free > 0


class TestBook:
    @pytest.fixture
    def file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        copy = tmp_path / "macros.yaml"
        copy.write_text((catalogue.FILES / "macros.yaml").read_text("utf-8"), "utf-8")
        monkeypatch.setattr(catalogue, "FILES", tmp_path)
        return copy

    def test_holds_real_macros_in_four_languages(self) -> None:
        book = macro_book.book()
        assert {"missed_visit", "refused_debit", "modem_back", "move_along"} <= set(book)
        assert {macro.when for macro in book.values()} <= set(macro_book.FACTS) == set(CONDITIONS)

    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ("when: visit_missed", "when: visit_mised", "visit_mised is no condition"),
            (
                "{fr: Visite manquée, nl: Gemist bezoek, de: Versäumter Besuch, en: Missed visit}",
                "{fr: Visite manquée}",
                "needs fr, nl, de and en",
            ),
            ("message: credit_note", "message: credit_noot", "messages.yaml holds no credit_noot"),
            ("message: modem_reminder", "message: move_checklist", "needs"),
            ("{visit_day}", "{visit_date}", "visit_date"),
            ("due: after_move", "due: after_the_move", "after_the_move is not brought by move_running"),
            ("- credit: missed_visit", "- credit: goodwill", "missed_visit"),
            ("to: me", "to: nobody", "nobody"),
        ],
    )
    def test_names_a_mistake_when_it_is_read(self, file: Path, old: str, new: str, told: str) -> None:
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        with pytest.raises(ValueError, match=told):
            macro_book.book()

    def test_a_change_is_seen_at_the_next_call(self, file: Path) -> None:
        file.write_text(file.read_text("utf-8").replace("fr: Visite manquée", "fr: Rendez-vous manqué"), "utf-8")
        assert macro_book.book()["missed_visit"].names["fr"] == "Rendez-vous manqué"
