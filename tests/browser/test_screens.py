"""Each tab on a phone: nothing sticks out, nothing breaks, and nothing comes from another host."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from core.ui.navigation import DESK_TABS, STORY, TABS
from tests.browser.conftest import Server, key, settled, sign_in

WIDTH = 390
WIDTHS = "[window.innerWidth, document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth]"
"""The page scrolls within its main element: what sticks out shows there, not in the document."""

THREE_LINES = 110
"""Three lines of text in pixels, the last of them buttons that a finger hits."""

CUSTOMERS = {"P01": "10000017", "P05": "10000055", "P12": "10000123", "P13": "10000130"}
HARMLESS = {f"/{tab.path}/_stcore/{name}" for tab in (*TABS, STORY, *DESK_TABS) for name in ("health", "host-config")}
"""Streamlit looks for itself beside a page's own address first; exactly these are missing."""


@dataclass
class Phone:
    """An agent's browser, as narrow as a phone, and what went on in it."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def hear(self, message: ConsoleMessage) -> None:
        """Remember an error of the console."""
        path = urlsplit(message.location["url"]).path
        if message.type == "error" and not ("404" in message.text and path in HARMLESS):
            self.errors.append(f"{message.text} ({path})")

    def fetch(self, url: str) -> None:
        """Remember where something was fetched from; what the page holds itself has no host."""
        if host := urlsplit(url).netloc:
            self.hosts.add(host)


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, server: Server) -> Iterator[Phone]:
    """A phone on which an agent stays signed in for all these tests."""
    yield from _phone_of(chromium, server, "agent")


@pytest.fixture(scope="module")
def lead(chromium: Browser, server: Server) -> Iterator[Phone]:
    """A phone of a team lead, who may open most pages of the house."""
    yield from _phone_of(chromium, server, "senior")


def _phone_of(chromium: Browser, server: Server, who: str) -> Iterator[Phone]:
    context = chromium.new_context(viewport={"width": WIDTH, "height": 844}, locale="fr-BE", timezone_id="Europe/Brussels", is_mobile=True)
    phone = Phone(context.new_page())
    phone.page.on("console", phone.hear)
    phone.page.on("pageerror", lambda error: phone.errors.append(str(error)))
    phone.page.on("request", lambda request: phone.fetch(request.url))
    phone.page.on("websocket", lambda socket: phone.fetch(socket.url))
    sign_in(phone.page, server, who)
    yield phone
    context.close()


@pytest.fixture
def phone(signed_in: Phone) -> Phone:
    """The same phone, with nothing remembered."""
    signed_in.errors.clear()
    signed_in.hosts.clear()
    return signed_in


@pytest.mark.parametrize("who", CUSTOMERS)
@pytest.mark.parametrize("path", [tab.path for tab in TABS])
def test_a_tab_fits_a_phone_and_is_whole(phone: Phone, server: Server, path: str, who: str) -> None:
    phone.page.goto(f"{server.url}/{path}?customer={CUSTOMERS[who]}")
    phone.page.wait_for_selector(key("card-band"))
    settled(phone.page)
    assert phone.page.locator("[data-testid=stException]").count() == 0
    widths = phone.page.evaluate(WIDTHS)
    assert widths == [WIDTH] * 3
    assert phone.errors == []
    assert phone.hosts == {f"127.0.0.1:{server.port}"}


@pytest.mark.parametrize("path", [*(tab.path for tab in DESK_TABS), f"{STORY.path}?customer=10000055"])
def test_a_page_of_the_house_fits_a_phone_and_is_whole(lead: Phone, server: Server, path: str) -> None:
    lead.errors.clear()
    lead.page.goto(f"{server.url}/{path}")
    lead.page.wait_for_selector(key("topbar"))
    settled(lead.page)
    assert lead.page.locator("[data-testid=stException]").count() == 0
    assert lead.page.evaluate(WIDTHS) == [WIDTH] * 3
    assert lead.errors == []


def test_a_heading_of_a_list_stands_above_its_column(page: Page, server: Server) -> None:
    sign_in(page, server, "senior", "/lists?of=customers")
    page.wait_for_selector(key("lists-heading"))
    settled(page)
    places = "line => [...line.querySelectorAll('.g-cell')].map(cell => Math.round(cell.getBoundingClientRect().x))"
    row = page.locator("[class*='st-key-billrow-list-']").first
    assert page.locator(key("lists-heading")).evaluate(places) == row.evaluate(places)


def test_what_was_used_folds_to_the_width_of_a_phone(phone: Phone, server: Server) -> None:
    phone.page.goto(f"{server.url}/usage?customer={CUSTOMERS['P01']}")
    table = phone.page.locator(".g-used")
    table.wait_for()
    settled(phone.page)
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    assert table.get_by_role("row").count() > 1
    assert table.get_by_role("columnheader").count() == len(table.get_by_role("row").nth(1).locator("td").all())


def test_a_bill_is_no_higher_than_three_lines(phone: Phone, server: Server) -> None:
    phone.page.goto(f"{server.url}/bills?customer={CUSTOMERS['P01']}")
    row = phone.page.locator(key("billrow-2611000017"))
    row.wait_for()
    settled(phone.page)
    assert row.evaluate("row => row.getBoundingClientRect().height") <= THREE_LINES
