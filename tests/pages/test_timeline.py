"""Historique, clicked: the story, the notes, the tasks, the talk and the macros; and that its customer sees none of it."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart, Failure
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.interaction import CallerCheck, Interaction, Task
from core.models.note import Note, Tag
from core.services import caps, orders
from tests.builders import AGENT, make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import SHELL, click, has, texts
from tests.services import money_stories

PAGE = "../pages/timeline.py"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day: P01's number, with bills of three months, a visit that we missed, and a task that a rule wrote."""
    with new_demo() as session:
        found = make_customer(session, customer_no="10000017", birth_date=date(1991, 7, 2))
        make_product(session, found, "TRIO", product_no="1000001701")
        for month in (9, 10, 11):
            money_stories.bill(session, found, date(2026, month, 5), bill_no=f"26{month:02d}000017")
        with clock.standing(clock.at(date(2026, 11, 12), 18)):
            session.add(
                Appointment(
                    customer_id=found.id, appointment_no="A1000001701", category=AppointmentCategory.REPAIR, zone="50", day=date(2026, 11, 12),
                    part=DayPart.MORNING, place="Namur", created_at=clock.now(), state=AppointmentState.FAILED, failed_by=Failure.OPERATOR,
                )
            )  # fmt: skip
            session.add(Task(customer_id=found.id, code="debit_returned", created_at=clock.now(), due=date(2026, 11, 16)))
        session.flush()


def open_(who: str = "agent", page: str = PAGE, **query: str) -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    for name, value in {"customer": "10000017", **query}.items():
        screen.query_params[name] = value
    screen.switch_page(page).run()
    assert not screen.exception
    return screen


def story(screen: AppTest) -> list[str]:
    return [link.proto.label.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ") for link in screen.get("page_link")]


def rows(model: type[Any]) -> list[Any]:
    with Session(db.engine()) as session:
        return list(session.exec(select(model).order_by(col(model.id))))


def everything(screen: AppTest) -> str:
    return "\n".join([texts(screen), *story(screen), *(text.value for text in screen.text), *(button.label for button in screen.button)])


class TestChange:
    def test_names_the_line_and_tells_old_and_new_in_words(self) -> None:
        with db.transaction() as session:
            found = session.exec(select(Customer)).one()
            make_product(session, found, "RED", product_no="1000001702", line="+32470000012", user_name="Noa")
            given: dict[str, Any] = {"customer_id": found.id, "product_no": "1000001702"}
            caps.set_cap(session, AGENT, shown_version=1, cap_cents=2500, **given)
            caps.set_cap(session, AGENT, shown_version=2, cap_cents=1000, **given)
            orders.confirm(session, AGENT, offering_code="MOB_UNLIM_CALLS", turn_on=True, shown_version=3, **given)
            entry = session.exec(select(AuditEntry.id).where(col(AuditEntry.action) == "cap:set")).all()[-1]
        told = "\n".join(story(open_()))
        assert "Plafond modifié : 25,00 € → 10,00 €" in told
        assert told.count("Mobile Red · Noa · 0470 00 00 12 · par agent") == 3
        rows = texts(open_(entry=f"change-{entry}"))
        assert "<dt>Plafond</dt><dd>25,00 € → 10,00 €</dd>" in rows
        assert "cap cents" not in rows


class TestStory:
    def test_tells_what_happened_by_day_and_leads_to_each_thing(self) -> None:
        screen = open_()
        told = story(screen)
        assert any("Facture 2611000017 émise" in line and "42,00 €" in line for line in told)
        assert any("Réparation : la visite n'a pas eu lieu" in line for line in told)
        assert any("À faire : Domiciliation refusée" in line for line in told)
        assert "jeudi 5 novembre 2026" in texts(screen)
        queries = [link.proto.query_string for link in screen.get("page_link")]
        assert any("details=2611000017" in query for query in queries)

    def test_keeps_its_filter_in_the_address(self) -> None:
        told = story(open_(kind="visit,task"))
        assert any("Réparation" in line for line in told)
        assert not any("Facture" in line and "émise" in line for line in told)

    def test_puts_a_choice_into_the_address(self) -> None:
        screen = open_(before="20261101T000000.000000-0-0")
        pills: Any = screen.get("button_group")[0]
        pills.set_value(["bill"]).run()
        assert not screen.exception
        assert "bill" in screen.query_params["kind"]
        assert "before" not in screen.query_params

    def test_jumps_to_a_day(self) -> None:
        told = story(open_(on="2026-10-05", kind="bill"))
        assert any("Facture 2610000017 émise" in line for line in told)
        assert not any("Facture 2611000017 émise" in line for line in told)

    @pytest.mark.parametrize(
        "query", [{"on": "x"}, {"before": "x"}, {"kind": "x"}, {"entry": "x-1"}, {"entry": "note-99999999999999"}, {"on": "9999-12-31"}]
    )  # fmt: skip
    def test_bears_any_address(self, query: dict[str, str]) -> None:
        open_(**query)

    def test_is_read_by_a_reader_without_a_form(self) -> None:
        screen = open_("viewer")
        assert any("Facture 2611000017 émise" in line for line in story(screen))
        assert not has(screen, "desk:talk:begin")
        assert not screen.text_area


class TestNotForTheCustomer:
    @pytest.fixture(autouse=True)
    def secrets(self) -> None:
        with Session(db.engine()) as session, session.begin():
            found = session.exec(select(Customer)).one()
            session.add(Note(customer_id=found.id, text="SECRET-NOTE", author="agent", pinned=True, created_at=clock.now()))
            session.add(Tag(customer_id=found.id, word="SECRET-TAG", folded="x", owner="agent", since_at=clock.now()))
            session.add(Task(customer_id=found.id, code="free", words="SECRET-TASK", owner="agent", created_at=clock.now()))

    @pytest.mark.parametrize("page", ["home", "bills", "account", "security", "appointments", "usage", "timeline", "tasks"])
    def test_he_sees_no_note_tag_task_or_tab(self, page: str) -> None:
        screen = open_("p01", f"../pages/{page}.py")
        assert "SECRET" not in everything(screen)
        assert not any("Historique" in label or "Mes tâches" in label for label in story(screen))
        assert not has(screen, "desk:talk:begin")

    def test_the_page_is_shut_to_him(self) -> None:
        screen = open_("p01")
        assert any("droit" in warning.value for warning in screen.warning)

    def test_staff_sees_them_above_the_file(self) -> None:
        screen = open_(page="../pages/home.py")
        assert "SECRET-TAG" in everything(screen)
        assert "SECRET-TASK" in everything(screen)
        assert "SECRET-NOTE" in everything(open_())


class TestNotes:
    def write(self, screen: AppTest, text: str) -> AppTest:
        number = rows(Customer)[0].id
        area = next(one for one in screen.text_area if str(one.key).startswith(f"desk:note:text:{number}:"))
        area.input(text)
        return click(screen, str(next(one.key for one in screen.button if str(one.key).startswith("desk:note:save"))))

    def test_a_note_is_written_pinned_reworded_and_withdrawn(self) -> None:
        screen = self.write(open_(), "Calls only in the evening")
        (note,) = rows(Note)
        assert (note.text, note.author) == ("Calls only in the evening", "agent")
        screen = click(screen, f"desk:note:keep:card:{note.id}")
        assert rows(Note)[0].pinned
        screen.text_area(key=f"desk:note:words:card:{note.id}").input("Calls only after five")
        screen = click(screen, f"desk:note:reword:card:{note.id}")
        assert "La note est reformulée." in texts(screen)
        newest = rows(Note)[-1]
        assert (newest.text, newest.pinned, newest.replaces_id) == ("Calls only after five", True, note.id)
        click(screen, f"desk:note:withdraw:card:{newest.id}")
        assert [one.until_by for one in rows(Note)] == ["agent", "agent"]

    def test_an_empty_note_says_so_at_the_field(self) -> None:
        assert "Ce champ est nécessaire" in texts(self.write(open_(), "  "))

    def test_the_form_is_empty_after_it_was_saved(self) -> None:
        screen = self.write(open_(), "One")
        assert screen.text_area[0].value == ""
        assert len(rows(Note)) == 1

    def test_mark_up_in_a_note_stays_text(self) -> None:
        screen = self.write(open_(), "**x** ![y](http://z) :red[q]")
        assert any(text.value == "**x** ![y](http://z) :red[q]" for text in screen.text)
        assert any(r"\*\*x\*\*" in link.proto.label for link in screen.get("page_link"))


class TestTasks:
    def test_the_badge_of_a_rule_can_be_completed(self) -> None:
        screen = open_()
        task = rows(Task)[0]
        screen.text_input(key=f"desk:task:words:card:{task.id}").input("Reached him")
        screen = click(screen, f"desk:task:complete:card:{task.id}")
        assert (rows(Task)[0].done_by, rows(Task)[0].done_words) == ("agent", "Reached him")
        assert "Domiciliation refusée" not in texts(open_(page="../pages/home.py"))
        assert any("Fait : Domiciliation refusée" in line for line in story(screen))

    def test_a_task_is_written_down_and_handed_over(self) -> None:
        screen = open_()
        number = rows(Customer)[0].id
        screen.text_input(key=f"desk:task:what:{number}:0").input("Check the line")
        screen = click(screen, "desk:task:save")
        task = rows(Task)[-1]
        assert (task.words, task.owner) == ("Check the line", "agent")
        screen.selectbox(key=f"desk:task:to:card:{task.id}").select("team:billing")
        click(screen, f"desk:task:hand_over:card:{task.id}")
        assert (rows(Task)[-1].owner, rows(Task)[-1].team) == (None, "billing")

    def test_my_tasks_shows_mine_the_teams_and_all(self) -> None:
        def page(who: str, **query: str) -> str:
            return texts(open_(who, "../pages/tasks.py", **query))

        assert "Rien à faire ici." in page("agent")
        assert "Domiciliation refusée" in page("agent", whose="team")
        assert "2 jours de retard" in page("agent", whose="team", late="1")
        assert "Domiciliation refusée" not in page("billing", whose="team")
        assert "Domiciliation refusée" in page("viewer", whose="all")

    def test_a_task_is_completed_from_the_list(self) -> None:
        screen = open_("senior", "../pages/tasks.py", whose="team")
        click(screen, f"desk:task:complete:list:{rows(Task)[0].id}")
        assert rows(Task)[0].done_by == "senior"


class TestTalk:
    def begin(self, page: str = "../pages/home.py") -> AppTest:
        screen = open_(page=page)
        return click(screen, "desk:talk:begin")

    def answer(self, screen: AppTest, fact: str, heard: str) -> AppTest:
        next(one for one in screen.selectbox if str(one.key).startswith("desk:talk:fact")).select(fact).run()
        next(one for one in screen.text_input if str(one.key).startswith("desk:talk:heard")).input(heard)
        return click(screen, "desk:talk:check")

    def test_one_click_opens_it_from_any_tab_and_shows_its_card(self) -> None:
        screen = self.begin()
        (talk,) = rows(Interaction)
        assert (talk.agent, talk.ended_at) == ("agent", None)
        assert has(screen, "desk:talk:end")

    def test_two_right_answers_make_the_caller_known_and_the_rest_is_only_right_or_wrong(self) -> None:
        screen = self.begin(PAGE)
        screen = self.answer(screen, "postcode", "9000")
        assert "Code postal de l'adresse : faux." in texts(screen)
        assert ">5000<" not in everything(screen).replace("5000 : 2500", "")  # His address, and a time of keys.js.
        asked = next(one for one in screen.selectbox if str(one.key).startswith("desk:talk:fact"))
        assert "date de naissance" in [option.lower() for option in asked.options]
        screen = self.answer(screen, "birthDate", "2/7/1991")
        screen = self.answer(screen, "billAmount", "42,00")
        assert "Appelant reconnu" in texts(screen)
        assert [one.matched for one in rows(CallerCheck)] == [False, True, True]

    def test_a_wrong_answer_stays_known_beside_the_right_one_that_followed(self) -> None:
        screen = self.answer(self.answer(self.begin(PAGE), "postcode", "9000"), "postcode", "5000")
        assert "Code postal de l'adresse : faux." not in texts(screen)
        assert any("1 réponse fausse de l'appelant" in line for line in story(screen))
        drawer = open_(entry=f"call-{rows(Interaction)[0].id}")
        assert "faux → juste" in everything(drawer)

    def test_ends_with_reason_and_words_and_hands_over(self) -> None:
        screen = self.begin(PAGE)
        number = rows(Interaction)[0].id
        assert "Choisissez le sujet" in texts(click(screen, "desk:talk:end"))
        assert "Choisissez le sujet" not in texts(screen.selectbox(key=f"desk:talk:reason:{number}").select("bill").run())
        screen.text_area(key=f"desk:talk:words:{number}").input("Explained")
        screen.toggle(key=f"desk:talk:hand:{number}").set_value(True).run()
        screen.text_input(key=f"desk:talk:left:{number}").input("Look into the payment")
        screen = click(screen, "desk:talk:end")
        talk, task = rows(Interaction)[0], rows(Task)[-1]
        assert (talk.reason, talk.note, talk.handed_to) == ("bill", "Explained", "billing")
        assert (task.code, task.words, task.team) == ("handover", "Look into the payment", "billing")
        assert any("Appel : question sur une facture" in line for line in story(screen))

    def test_stays_in_sight_on_other_tabs(self) -> None:
        self.begin(PAGE)
        screen = open_(page="../pages/bills.py")
        assert any("En ligne" in label for label in story(screen))
        assert not has(screen, "desk:talk:begin")


def _macro() -> None:
    """The script of a macro's drawer; it closes as the dialog does."""
    import streamlit as st

    from core.ui import forms, macro_card

    answer = forms.last(macro_card.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
    else:
        macro_card._body("missed_visit")


def _drawer(entry: str) -> None:
    """The script of an entry's drawer."""
    from core.ui import timeline_drawer

    source, _, number = entry.partition("-")
    timeline_drawer._body(source, int(number))


def drawn(body: Callable[..., None], *given: str) -> AppTest:
    """Run a drawer's body for the agent: only a browser keeps a dialog open from click to click."""
    screen = AppTest.from_function(body, args=given, default_timeout=60)
    screen.session_state["_tab_token"] = open_().session_state["_tab_token"]
    screen.query_params["customer"] = "10000017"
    screen.run()
    assert not screen.exception
    return screen


class TestMacro:
    def test_is_offered_shown_step_by_step_and_done_at_once(self) -> None:
        assert has(open_(), "desk:macro:missed_visit")
        screen = drawn(_macro)
        told = texts(screen)
        assert "1. Créditer 30,00 € sur la facture 2611000017, sans TVA : reste à payer 42,00 € → 12,00 €" in told
        assert "2. Planifier une visite : " in told
        assert "Votre note de crédit" in told
        assert rows(Note) == []
        screen = click(screen, "desk:macro:run")
        assert "C'est fait : Visite manquée." in texts(screen)
        assert len(rows(Note)) == 1
        assert [one.action for one in rows(AuditEntry)].count("macro:run") == 1
        assert not has(open_(), "desk:macro:missed_visit")
        assert any("Macro exécutée : Visite manquée" in line for line in story(open_()))

    def test_of_a_reader_is_not_offered(self) -> None:
        assert not has(open_("viewer"), "desk:macro:missed_visit")


class TestDrawer:
    def test_tells_all_of_a_message_and_writes_the_look_down_once(self) -> None:
        screen = drawn(_macro)
        click(screen, "desk:macro:run")
        with Session(db.engine()) as session:
            number = session.exec(select(Communication.id).where(Communication.template == "credit_note")).one()
        screen = drawn(_drawer, f"message-{number}")
        assert any("Bonjour Sophie Lambert" in text.value for text in screen.text)
        screen.run()
        assert [one.action for one in rows(AuditEntry)].count("message:open") == 1

    @pytest.mark.parametrize("source", ["task", "visit", "bill"])
    def test_opens_for_any_entry(self, source: str) -> None:
        model = {"task": Task, "visit": Appointment}.get(source)
        screen = drawn(_drawer, f"{source}-{rows(model)[0].id if model else 1}")
        assert "Quand" in texts(screen)

    def test_lets_a_task_be_done(self) -> None:
        task = rows(Task)[0].id
        click(drawn(_drawer, f"task-{task}"), f"desk:task:complete:drawer:{task}")
        assert rows(Task)[0].done_by == "agent"
