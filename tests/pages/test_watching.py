"""A file as its customer sees it: all six tabs, a banner, no change, and the way back."""

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import db
from core.models.user import UserSession
from core.settings import ROOT
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo

SHELL = ROOT / "core" / "shell.py"
TABS = ("home", "bills", "account", "security", "appointments", "usage")


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer."""
    with new_demo() as session:
        customer = make_customer(session, customer_no="10000017", vip=False)
        make_product(session, customer, "RED", line="+32470000001")


def opened(who: str = "agent", tab: str = "home") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    return go(screen, tab)


def go(screen: AppTest, tab: str) -> AppTest:
    screen.query_params["customer"] = "10000017"
    screen.switch_page(f"../pages/{tab}.py").run()
    assert not screen.exception
    return screen


def keys(screen: AppTest) -> set[str]:
    found = {str(one.key) for kind in ("button", "text_input", "toggle", "selectbox", "checkbox") for one in getattr(screen, kind)}
    return {key for key in found if not key.startswith(("prefs", "session", "demo", "desk", "watch", "security:session"))}


def banner(screen: AppTest) -> bool:
    return any("Vous voyez ce dossier comme le client" in one.value for one in screen.markdown)


class TestView:
    @pytest.mark.parametrize("tab", TABS)
    def test_shows_each_tab_as_the_customer_sees_it(self, tab: str) -> None:
        own = keys(opened("p01", tab))
        screen = opened()
        screen.button(key="desk:as_customer").click().run()
        go(screen, tab)
        assert banner(screen)
        assert keys(screen) == own
        assert not [one for one in screen.text_input if one.key == "desk:search"]

    def test_refuses_a_change_and_says_why(self) -> None:
        screen = opened()
        screen.button(key="desk:as_customer").click().run()
        go(screen, "account")
        screen.button(key="account:edit").click().run()
        assert any("Quittez d'abord sa vue" in one.value for one in screen.warning)
        assert [one.key for one in screen.text_input] == []

    def test_leads_back_to_the_file(self) -> None:
        screen = opened()
        screen.button(key="desk:as_customer").click().run()
        screen.button(key="watch:leave").click().run()
        assert not screen.exception
        assert not banner(screen)
        assert screen.text_input(key="desk:search")
        screen.button(key="desk:as_customer").click().run()
        assert banner(screen)

    def test_leads_back_to_the_file_from_a_tab_whose_address_names_no_customer(self) -> None:
        screen = opened()
        screen.button(key="desk:as_customer").click().run()
        del screen.query_params["customer"]
        screen.switch_page("../pages/account.py").run()
        screen.button(key="watch:leave").click().run()
        assert not screen.exception
        assert not banner(screen)
        assert screen.query_params["customer"] in ("10000017", ["10000017"])
        assert screen.button(key="account:edit")

    def test_ends_after_its_time(self) -> None:
        screen = opened()
        screen.button(key="desk:as_customer").click().run()
        with db.transaction() as session:
            for row in session.exec(select(UserSession)).all():
                row.watches_until = row.created_at if row.watches_until else None
        screen.run()
        assert not screen.exception
        assert not banner(screen)

    @pytest.mark.parametrize("who", ["viewer", "p01"])
    def test_is_not_offered_to_others(self, who: str) -> None:
        assert not [one for one in opened(who).button if one.key == "desk:as_customer"]
