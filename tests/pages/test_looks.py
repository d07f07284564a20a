"""Who looked: the report of a customer, and its file."""

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import ROOT
from tests.builders import make_customer
from tests.pages.conftest import NewDemo

SHELL = ROOT / "core" / "shell.py"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer."""
    with new_demo() as session:
        make_customer(session, customer_no="10000017")


def opened(who: str, page: str = "looks") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page(f"../pages/{page}.py").run()
    assert not screen.exception
    return screen


def html(screen: AppTest) -> str:
    return " ".join(str(one.proto) for one in screen.get("html"))


class TestLooks:
    def test_shows_who_opened_the_file_after_it_was_asked(self) -> None:
        opened("agent", "home")
        screen = opened("senior")
        assert "Dossier ouvert" not in html(screen)
        screen.text_input(key="looks:customer").set_value("10000017")
        screen.button(key="looks:show").click().run()
        assert not screen.exception
        assert "Dossier ouvert" in html(screen)
        assert screen.get("download_button")

    def test_says_what_is_wrong_with_a_number(self) -> None:
        screen = opened("admin")
        screen.text_input(key="looks:customer").set_value("1")
        screen.button(key="looks:show").click().run()
        assert "Introuvable" in " ".join(one.value for one in screen.caption)

    @pytest.mark.parametrize("who", ["agent", "viewer", "billing", "product", "p01"])
    def test_is_for_a_team_lead_only(self, who: str) -> None:
        screen = opened(who)
        assert not [one for one in screen.button if one.key == "looks:show"]
