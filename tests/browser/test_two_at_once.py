"""Two people, two browsers, one form: nobody's change is lost, and who comes second keeps what he typed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, key, settled, sign_in
from tests.browser.walker import Walker

FILE = "?customer=10000017"
NOA = "1000001705"

Someone = Callable[[], Page]


@pytest.fixture
def two(server: Server, someone: Someone) -> tuple[Walker, Walker]:
    """An agent and a senior at the same file."""
    found = []
    for account in ("agent", "senior"):
        who = Walker(someone(), server, FILE)
        sign_in(who.page, server, account, f"/home{FILE}")
        found.append(who)
    return found[0], found[1]


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
        senior.chooses(f"home:cap:{NOA}:choice", "25,00 €")
        senior.clicks(f"home:cap:{NOA}:save")
        senior.sees("drawer", "Enregistré.")

        agent.chooses(f"home:cap:{NOA}:choice", "10,00 €")
        agent.clicks(f"home:cap:{NOA}:save")
        agent.sees(f"home:cap:{NOA}:beside", "25,00 €", "10,00 €")
        agent.clicks(f"home:cap:{NOA}:save")
        agent.sees("drawer", "Enregistré.")
        settled(agent.page)
