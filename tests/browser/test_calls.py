"""Twelve calls of a day at the desk, each within its clicks: what the agent must see, what he does, and what is true afterwards."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Make, key, settled, sign_in
from tests.browser.walker import Walker

NOA = "1000001705"


class Agent(Walker):
    """An agent whose clicks and confirmed searches are counted; typing is free."""

    used = 0

    def finds(self, term: str) -> None:
        """Type into the search box and confirm."""
        box = self.page.locator(f"{key('desk:search')} input")
        box.fill(term)
        box.press("Enter")
        self.used += 1
        self.page.wait_for_selector(key("card-band"))
        settled(self.page)

    def clicks(self, name: str) -> None:
        self.used += 1
        super().clicks(name)
        settled(self.page)

    def ticks(self, name: str) -> None:
        self.used += 1
        super().ticks(name)
        settled(self.page)

    def follows(self, part: str, words: str) -> None:
        """Click a link of a part of the screen by its words."""
        self.used += 1
        self.part(part).get_by_role("link").filter(has_text=words).first.click()
        settled(self.page)


@pytest.fixture
def agent(make_server: Make, someone: Callable[[], Page]) -> Agent:
    """An agent at the desk on the first day, on data of his own."""
    server = make_server()
    found = Agent(someone(), server)
    sign_in(found.page, server, "agent", "/customers")
    return found


def test_c01_why_will_my_next_bill_be_so_high(agent: Agent) -> None:
    agent.finds("0470 00 00 12")
    agent.follows("card-band", "Prochaine facture")
    agent.sees("drawer", "146,00 €", "62,00 €", "6,00 €", "1 240 Mo")
    assert agent.used <= 3
    agent.follows("drawer", "Ajouter")
    agent.sees("card-review", "5 Go par mois", "4,33 €")
    agent.clicks("home:review:confirm")
    agent.clicks(f"home:settings:{NOA}")
    agent.chooses(f"home:cap:{NOA}:choice", "0,00 € : numéros surtaxés et étranger bloqués aussi")
    agent.clicks(f"home:cap:{NOA}:save")
    agent.sees("drawer", "Enregistré.")
    assert agent.used <= 7
