"""Two people, two browsers, one form: nobody's change is lost, and who comes second keeps what he typed."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import ROOT, SLOW_MS, Server, key, settled, sign_in
from tests.browser.two_cases import CASES, Case, Names
from tests.browser.walker import Walker

FILE = "?customer=10000017"
NOA = "1000001705"
DRAWER = "[data-testid=stDialog]"
_LOOKS = ("session:", "customer:open", "customer:view", "file:", "reveal:")

Seat = Callable[[str, int], Walker]
"""Somebody at his browser: his account, and which of the two he is."""


@pytest.fixture(scope="module")
def names(server: Server) -> Names:
    """Set the scene on the server's database, and say how everything is called."""
    environment = os.environ | {
        "GUICHET_DATABASE_URL": server.database_url, "GUICHET_DOCUMENTS_URL": f"file://{server.folder / 'documents'}", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    made = subprocess.run(
        [sys.executable, "-m", "tests.browser.two_scene"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    found: Names = json.loads(made.stdout)
    return found


@pytest.fixture(scope="module")
def seat(server: Server, chromium: Browser) -> Iterator[Seat]:
    """Browsers that stay open and signed in for all cases."""
    known: dict[tuple[str, int], Walker] = {}
    contexts: list[BrowserContext] = []

    def at(account: str, place: int) -> Walker:
        if (account, place) not in known:
            contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}, locale="fr-BE", timezone_id="Europe/Brussels"))
            known[account, place] = Walker(contexts[-1].new_page(), server, FILE)
            sign_in(known[account, place].page, server, account)
        return known[account, place]

    yield at
    for context in contexts:
        context.close()


@pytest.fixture
def two(seat: Seat) -> tuple[Walker, Walker]:
    """An agent and a senior at the same file."""
    return seat("agent", 1), seat("senior", 0)


class Trail:
    """What the database says was done."""

    def __init__(self, server: Server) -> None:
        self.path = server.folder / "guichet.db"
        self.seen = self._last()

    def grows(self, page: Page) -> None:
        """Wait until something was written since."""
        until = time.monotonic() + SLOW_MS / 1000
        while not self.since():
            assert time.monotonic() < until, "The first one's click wrote nothing."
            page.wait_for_timeout(50)
        self.seen = self._last()

    def since(self) -> list[tuple[str, str]]:
        """Return who changed what since; looks at a file are no changes."""
        query = "select actor, action from audit_entry where id > ? order by id"
        with sqlite3.connect(self.path) as database:
            return [(actor, action) for actor, action in database.execute(query, (self.seen,)) if not action.startswith(_LOOKS)]

    def _last(self) -> int:
        with sqlite3.connect(self.path) as database:
            return int(database.execute("select coalesce(max(id), 0) from audit_entry").fetchone()[0])


class TestEveryForm:
    @pytest.mark.parametrize("verb", CASES)
    def test_tells_the_second_one_who_was_first_and_writes_nothing_over_his_work(
        self, verb: str, server: Server, names: Names, seat: Seat
    ) -> None:
        case = CASES[verb]
        first, second = (seat(account, place) for place, account in enumerate(case.who))
        for who in (first, second):
            who.page.goto(server.url + case.path.format_map(names), wait_until="commit")
        for who in (first, second):
            who.page.wait_for_selector(key("topbar"))
            settled(who.page)
            case.opens(who, names)
            settled(who.page)
        case.types(second, names)
        settled(second.page)
        trail = Trail(server)
        if case.first:
            case.first(first, names)
        else:
            _fill_and_save(case, first, names)
        trail.grows(first.page)

        case.saves(second, names)
        told = case.told.format(who=case.who[0])
        expect(second.page.get_by_text(told).first).to_be_visible()
        settled(second.page)
        if second.page.locator(DRAWER).count():  # It covers the page: what is told must stand in it.
            expect(second.page.locator(DRAWER)).to_contain_text(told)
        assert trail.since() == []
        for field, text in case.keeps.items():
            expect(second.field(field.format_map(names))).to_have_value(text.replace(" €", "\N{NO-BREAK SPACE}€"))


def _fill_and_save(case: Case, who: Walker, names: Names) -> None:
    case.types(who, names)
    case.saves(who, names)


class TestContactData:
    def test_the_second_one_keeps_his_typing_and_takes_over_what_he_left_alone(self, two: tuple[Walker, Walker]) -> None:
        agent, senior = two
        for who in two:
            who.opens("account")
            who.clicks("account:edit")
        agent.types("account:street", "Rue de Bruxelles")
        senior.types("account:phone", "0470 00 00 31")
        senior.clicks("account:save")
        senior.sees("card-contact", "0470 00 00 31")

        agent.clicks("account:save")
        agent.sees("drawer", "Modifié par senior", "Modifié par quelqu'un d'autre", "0470 00 00 31")
        expect(agent.field("account:street")).to_have_value("Rue de Bruxelles")
        expect(agent.field("account:phone")).to_have_value("0470 00 00 31")
        agent.clicks("account:save")
        agent.sees("card-contact", "Rue de Bruxelles", "0470 00 00 31")

    def test_the_second_one_sees_both_values_side_by_side_and_may_take_the_other(self, two: tuple[Walker, Walker]) -> None:
        agent, senior = two
        for who in two:
            who.opens("account")
            who.clicks("account:edit")
        agent.types("account:phone", "0470 00 00 33")
        senior.types("account:phone", "0470 00 00 32")
        senior.clicks("account:save")
        senior.sees("card-contact", "0470 00 00 32")

        agent.clicks("account:save")
        agent.sees("account:beside", "0470 00 00 32", "0470 00 00 33")
        expect(agent.field("account:phone")).to_have_value("0470 00 00 33")
        agent.clicks("account:theirs")
        expect(agent.field("account:phone")).to_have_value("0470 00 00 32")
        expect(agent.page.locator(key("account:beside"))).to_have_count(0)


class TestCap:
    def test_the_second_one_is_told_before_his_cap_holds(self, two: tuple[Walker, Walker]) -> None:
        agent, senior = two
        for who in two:
            who.opens("home")
            who.clicks(f"home:settings:{NOA}")
            who.sees("drawer", "Plafond")
        senior.chooses(f"home:cap:{NOA}:choice", "10,00 €")
        senior.clicks(f"home:cap:{NOA}:save")
        senior.sees("drawer", "Enregistré.")

        agent.chooses(f"home:cap:{NOA}:choice", "0,00 € : numéros surtaxés et étranger bloqués aussi")
        agent.clicks(f"home:cap:{NOA}:save")
        agent.sees(f"home:cap:{NOA}:beside", "10,00 €", "0,00 €")
        agent.clicks(f"home:cap:{NOA}:save")
        agent.sees("drawer", "Enregistré.")
        settled(agent.page)
