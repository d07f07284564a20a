"""The story in a real browser: by the keyboard, in the address bar, on a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, key, settled

WIDTH = 390
WIDTHS = "[document.documentElement.scrollWidth, document.body.scrollWidth, innerWidth]"


def sign_in(server: Server, page: Page, path: str) -> None:
    page.goto(f"{server.url}{path}")
    page.locator(f"{key('sign_in:demo:agent')} button").click()
    page.wait_for_selector(key("topbar"))
    settled(page)


def test_an_entry_opens_and_closes_by_the_keyboard_and_stands_in_the_address(server: Server, page: Page) -> None:
    sign_in(server, page, "/timeline?customer=10000055&kind=call")
    entry = page.locator(f"{key('story')} a").first
    entry.focus()
    page.keyboard.press("Enter")
    drawer = page.locator("[role=dialog]")
    expect(drawer).to_contain_text("Plan 3 × 56,00 €")
    assert "&entry=call-" in page.url
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page).not_to_have_url(re.compile("entry="))
    assert "kind=call" in page.url


def test_a_bill_of_the_story_opens_its_drawer(server: Server, page: Page) -> None:
    sign_in(server, page, "/timeline?customer=10000055&kind=bill")
    page.locator(f"{key('story')} a").first.click()
    expect(page.locator("[role=dialog]")).to_contain_text("Facture 2611000055")
    assert page.url.endswith("/bills?customer=10000055&details=2611000055")


@pytest.mark.parametrize("path", ["/timeline?customer=10000086", "/tasks?whose=all"])
def test_a_page_fits_a_phone(server: Server, page: Page, path: str) -> None:
    page.set_viewport_size({"width": WIDTH, "height": 844})
    sign_in(server, page, path)
    assert page.locator("[data-testid=stException]").count() == 0
    assert page.evaluate(WIDTHS) == [WIDTH] * 3
