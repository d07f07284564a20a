"""Clients: the search box and what it leads to."""

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import db
from core.models.audit import AuditEntry
from core.services import customers, looks, search
from core.services.customers import search_name
from core.settings import ROOT
from tests.builders import make_customer
from tests.pages.conftest import NewDemo

SHELL = ROOT / "core" / "shell.py"
PEOPLE = (
    ("10000017", "Sophie", "Lambert"),
    ("10000055", "Kevin", "Dubois"),
    ("10000086", "Anna", "Dubois"),
    ("10000093", "**x**", "![x](http://y/z)"),
)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with four customers."""
    with new_demo() as session:
        for number, given, family in PEOPLE:
            name = search_name(given, family, None)
            make_customer(session, customer_no=number, given_name=given, family_name=family, search_name=name)


def desk(who: str = "agent", **query: str) -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    for name, value in query.items():
        screen.query_params[name] = value
    screen.switch_page("../pages/customers.py").run()
    assert not screen.exception
    return screen


def links(screen: AppTest) -> list[str]:
    return [link.proto.label for link in screen.get("page_link")]


def texts(screen: AppTest) -> str:
    return " ".join(text.value for text in screen.text)


class TestHits:
    def test_lists_several_and_says_how_many(self) -> None:
        screen = desk(q="dubois")
        assert "2 résultats pour « dubois »" in texts(screen)
        assert {"Kevin Dubois", "Anna Dubois"} <= set(links(screen))

    def test_says_why_somebody_was_found(self) -> None:
        assert "proche : « dubios »" in texts(desk(q="dubios"))

    def test_says_what_to_try_when_nobody_is_found(self) -> None:
        assert "Aucun client pour « zwartkruis »" in texts(desk(q="zwartkruis"))

    def test_says_that_a_communication_is_mistyped(self) -> None:
        screen = desk(q="+++261/1000/05534+++")
        assert any("mal recopiée" in warning.value for warning in screen.warning)

    def test_shows_hostile_names_and_terms_as_they_are(self) -> None:
        screen = desk(q="x z ![x](http://y/z)")
        assert "![x](http://y/z)" in texts(screen)
        assert not any("![x]" in label for label in links(screen))

    def test_is_not_for_customers(self) -> None:
        assert not desk("p01", q="dubois").get("page_link") or "Kevin Dubois" not in links(desk("p01", q="dubois"))


class TestSingleHit:
    def test_opens_at_once_and_is_written_down(self) -> None:
        screen = desk(q="lambert")
        assert "10000017" in screen.query_params["customer"]
        with db.reading() as session:
            assert session.exec(select(AuditEntry.action).where(AuditEntry.action == customers.OPENED)).all() == [customers.OPENED]

    def test_shows_the_list_to_who_comes_back(self) -> None:
        screen = desk(q="lambert")
        screen.query_params.clear()
        screen.query_params["q"] = "lambert"
        screen.switch_page("../pages/customers.py").run()
        assert "1 résultat pour « lambert »" in texts(screen)


class TestSearchBox:
    def test_shows_the_hits_beneath_it_and_leads_to_all(self) -> None:
        screen = desk()
        screen.text_input(key="desk:search").set_value("dubois").run()
        assert not screen.exception
        named = {label.split("**")[1] for label in links(screen) if label.startswith("**")}
        assert named == {"Kevin Dubois", "Anna Dubois"}
        assert "Tous les résultats" in links(screen)

    def test_closes_the_list_with_the_next_run_of_the_page(self) -> None:
        screen = desk()
        screen.text_input(key="desk:search").set_value("dubois").run()
        screen.run()
        assert "Tous les résultats" not in links(screen)

    @pytest.mark.parametrize("term", ["zwartkruis", "+++261/1000/05534+++"])
    def test_says_when_nobody_is_found_and_what_can_be_searched(self, term: str) -> None:
        screen = desk()
        screen.text_input(key="desk:search").set_value(term).run()
        assert not screen.exception
        assert "Ce qui peut être cherché" in links(screen)

    def test_does_not_search_for_a_single_letter(self) -> None:
        screen = desk()
        screen.text_input(key="desk:search").set_value("d").run()
        assert "Tous les résultats" not in links(screen)

    def test_writes_down_each_list_and_whom_it_showed_but_not_each_pause_in_typing(self) -> None:
        screen = desk()
        for term in ("dubo", "duboi", "dubois", "lambert", "zwartkruis"):
            screen.text_input(key="desk:search").set_value(term).run()
        with db.reading() as session:
            noted = session.exec(select(AuditEntry.after).where(AuditEntry.action == search.SEARCHED)).all()
            shown = session.exec(select(AuditEntry.after).where(AuditEntry.action == looks.FOUND)).all()
        assert noted == [{"kind": "name", "hits": 2}, {"kind": "name", "hits": 1}, {"kind": "nothing", "hits": 0}]
        assert shown == [{"by": "name"}] * 3

    def test_is_not_for_customers(self) -> None:
        assert [box.key for box in desk("p01").text_input if box.key == "desk:search"] == []


class TestPins:
    def test_pins_a_file_that_was_opened_and_unpins_it(self) -> None:
        screen = desk(q="lambert")
        screen.query_params.clear()
        screen.switch_page("../pages/customers.py").run()
        screen.button(key="desk:pin:recent:10000017").click().run()
        assert not screen.exception
        screen.button(key="desk:pin:pinned:10000017").click().run()
        assert not screen.exception
        assert [button.key for button in screen.button if (button.key or "").startswith("desk:pin:pinned")] == []


class TestKeys:
    def test_are_switched_off_for_good(self) -> None:
        screen = desk()
        assert any("g-keys" in piece.proto.body for piece in screen.get("html"))
        screen.button(key="session:access").click().run()
        screen.toggle(key="prefs:keys").set_value(False).run()
        assert not screen.exception
        assert not any("<dialog" in piece.proto.body for piece in screen.run().get("html"))


class TestRecent:
    def test_shows_the_files_opened_last(self) -> None:
        screen = desk(q="lambert")
        screen.query_params.clear()
        screen.switch_page("../pages/customers.py").run()
        assert "Sophie Lambert" in links(screen)


class TestTwoAtOnce:
    def test_a_colleague_reads_who_has_the_file_open(self) -> None:
        def home(who: str) -> str:
            screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
            screen.button(key=f"sign_in:demo:{who}").click().run()
            screen.query_params["customer"] = "10000017"
            screen.switch_page("../pages/home.py").run()
            assert not screen.exception
            return " ".join(str(block.proto.body) for block in screen.get("html"))

        said = "a ce dossier ouvert"
        assert said not in home("agent")
        assert said in home("senior")
        assert said not in home("p01")
