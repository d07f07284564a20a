"""The tab Sécurité: what a customer changes, what the house sees of it, and what nobody sees."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from core import db, start
from core.actor import SYSTEM, Actor, Role
from core.db import Base
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.user import User
from core.services import security, sessions, users
from tests.builders import make_customer

SHELL = str(Path(__file__).resolve().parents[2] / "core" / "shell.py")
OLD = users.DEMO_PASSWORD
NEW = "vier natte lantaarns"


@pytest.fixture(autouse=True)
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo with two customers, on a database of its own."""
    db.use(f"sqlite:///{tmp_path / 'guichet.db'}")
    monkeypatch.setattr(start, "ready", lambda: None)
    Base.metadata.create_all(db.engine())
    with Session(db.engine()) as session, session.begin():
        make_customer(session, customer_no="10000017")
        make_customer(session, customer_no="10000024")
        users.create_demo_accounts(session)


def open_tab(account: str, customer: str | None = None) -> AppTest:
    screen = AppTest.from_file(SHELL, default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{account}").click().run()
    if customer:
        screen.query_params["customer"] = customer
    screen.switch_page("../pages/security.py").run()
    assert not screen.exception
    assert screen.button(key="session:sign_out"), "the page came without its shell"
    return screen


def fill(screen: AppTest, **fields: str) -> AppTest:
    for name, value in fields.items():
        screen.text_input(key=f"security:{name.replace('_', ':')}").set_value(value)
    return screen


def press(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click().run()
    assert not screen.exception
    return screen


def keys(screen: AppTest) -> set[str]:
    return {widget.key for widget in (*screen.button, *screen.text_input) if widget.key}


def said(elements: Any) -> list[str]:
    """Return what is read on the screen: a sentence's signs are escaped, so that they stay signs."""
    return [element.value.replace("\\", "") for element in elements]


def errors(screen: AppTest) -> list[str]:
    return [text for text in said(screen.caption) if text.startswith(":red[")]


def account(username: str = "p01") -> User:
    with db.reading() as session:
        found = session.exec(select(User).where(User.username == username)).one()
        session.expunge_all()
        return found


def himself() -> Actor:
    user = account()
    return Actor(user.id, "p01", Role.CUSTOMER, user.customer_id)


class TestPassword:
    def change(self, screen: AppTest, current: str, new: str, repeat: str) -> AppTest:
        return press(fill(screen, current=current, new=new, repeat=repeat), "security:save")

    def test_is_changed_and_leaves_the_screen(self) -> None:
        screen = self.change(open_tab("p01"), OLD, NEW, NEW)
        assert said(screen.success) == ["Votre mot de passe est modifié. 0 autre session fermée."]
        assert [screen.text_input(key=f"security:{name}").value for name in ("current", "new", "repeat")] == ["", "", ""]
        with db.reading() as session:
            assert users.judge(users.entry(session, username="p01", browser="", address=None), NEW)

    @pytest.mark.parametrize(
        ("current", "new", "repeat", "sentence"),
        [
            ("wrong", NEW, NEW, "Ce n'est pas votre mot de passe actuel"),
            (OLD, "court", "court", "Utilisez 15 caractères ou plus ; il en manque 10"),
            (OLD, NEW, NEW + " ", "Les deux nouveaux mots de passe diffèrent"),
            (OLD, "Sophie-Lambert-p01", "Sophie-Lambert-p01", "repose sur votre nom"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(self, current: str, new: str, repeat: str, sentence: str) -> None:
        screen = self.change(open_tab("p01"), current, new, repeat)
        assert [sentence in error for error in errors(screen)] == [True]
        assert [screen.text_input(key=f"security:{name}").value for name in ("current", "new", "repeat")] == [current, new, repeat]
        assert account().password_changed_at is None

    def test_rests_after_five_wrong_current_ones(self) -> None:
        screen = open_tab("p01")
        for number in range(5):
            self.change(screen, f"wrong {number}", NEW, NEW)
        self.change(screen, OLD, NEW, NEW)
        assert said(screen.error)[0].startswith("Trop d'essais.")
        assert account().password_changed_at is None

    def test_can_be_changed_twice(self) -> None:
        screen = self.change(open_tab("p01"), OLD, NEW, NEW)
        self.change(screen, NEW, "drie droge paraplu's", "drie droge paraplu's")
        with db.reading() as session:
            assert users.judge(users.entry(session, username="p01", browser="", address=None), "drie droge paraplu's")

    def test_ends_the_session_in_another_tab(self) -> None:
        here, there = open_tab("p01"), open_tab("p01")
        self.change(here, OLD, NEW, NEW)
        assert "session:sign_out" in keys(here.run())
        assert "session:sign_out" not in keys(there.run())


class TestQuestion:
    def test_is_chosen_with_the_password_and_only_the_question_is_shown(self) -> None:
        screen = press(fill(open_tab("p01"), question="Mon chat ?", answer="Minou", question_current=OLD), "security:question:save")
        assert said(screen.success) == ["Votre question est enregistrée."]
        assert screen.text_input(key="security:answer").value == ""
        shown = " ".join(html.proto.body for html in screen.get("html"))
        assert "Mon chat ?" in shown
        assert "Minou" not in shown

    def test_is_refused_with_a_wrong_password(self) -> None:
        screen = press(fill(open_tab("p01"), question="Mon chat ?", answer="Minou", question_current="wrong"), "security:question:save")
        assert "Ce n'est pas votre mot de passe actuel" in errors(screen)[0]
        assert screen.text_input(key="security:answer").value == "Minou"


class TestHouse:
    @pytest.mark.parametrize("born", [None, date(1980, 5, 17)])
    def test_is_told_to_ask_a_caller_for_what_the_file_holds(self, born: date | None) -> None:
        with db.transaction() as session:
            session.exec(select(Customer).where(Customer.customer_no == "10000017")).one().birth_date = born
        asked = next(text for text in said(open_tab("agent", "10000017").caption) if text.startswith("Aucune question"))
        assert "n° de client" in asked
        assert ("date de naissance" in asked) == (born is not None)

    def test_sees_states_and_no_form_of_the_customer(self) -> None:
        found = keys(open_tab("agent", "10000017"))
        assert "security:reset" in found
        assert not found & {"security:current", "security:new", "security:answer", "security:question"}

    def test_sends_a_link_once_for_a_double_click_and_does_not_see_it(self) -> None:
        screen = press(open_tab("agent", "10000017"), "security:reset")
        assert said(screen.success)[0].startswith("Le lien est envoyé.")
        with db.reading() as session:
            body = session.exec(select(Communication.body).where(Communication.template == "password_reset")).one()
        token = body.split("?reset=")[1].split()[0]
        assert token not in str(screen.main)

    def test_compares_an_answer_and_wipes_it(self) -> None:
        with db.transaction() as session:
            customer_id = account().customer_id
            assert customer_id is not None
            security.set_question(
                session, himself(), customer_id=customer_id, current=OLD, question="Mon chat ?", answer="Minou", shown_version=0
            )
        screen = open_tab("agent", "10000017")
        press(fill(screen, check="Médor"), "security:check:save")
        assert said(screen.error) == ["La réponse ne correspond pas."]
        press(fill(screen, check="MINOU"), "security:check:save")
        assert said(screen.success) == ["La réponse correspond."]
        assert screen.text_input(key="security:check").value == ""

    def test_ends_a_customers_session(self) -> None:
        theirs = open_tab("p01")
        with db.reading() as session:
            session_id = sessions.of_user(session, SYSTEM, customer_id=account().customer_id)[0].id
        press(open_tab("agent", "10000017"), f"security:session:{session_id}")
        assert "session:sign_out" not in keys(theirs.run())

    def test_may_only_look_as_a_viewer(self) -> None:
        open_tab("p01")
        found = keys(open_tab("viewer", "10000017"))
        assert not {name for name in found if name.startswith("security:")}


class TestSessions:
    def test_are_one_s_own_and_the_others_can_be_ended(self) -> None:
        here, there = open_tab("p01"), open_tab("p01")
        open_tab("p02")
        buttons = {name for name in keys(here.run()) if name.startswith("security:session:")}
        assert len(buttons) == 1
        press(here, "security:sessions:all")
        assert "session:sign_out" not in keys(there.run())
        assert "session:sign_out" in keys(here.run())
