"""Whatever a fresh server is asked for first, a stranger gets the sign-in form and nothing of a customer."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from core.ui.navigation import DESK_PATHS, DESK_TABS, STORY, TABS
from tests.browser.conftest import Server, key, settled

HER_FACTS = ("Rue de Fer", "p01@example.be", "1000001701", "2611000017")
"""What only the open file of customer 10000017 tells; her name stands on a button of the demo."""

ADDRESSES = [tab.path for tab in (*TABS, STORY, *DESK_TABS)]


@pytest.mark.parametrize("path", ["", *ADDRESSES])
def test_the_first_request_of_a_fresh_server_shows_the_sign_in_form_only(make_server: Callable[..., Server], page: Page, path: str) -> None:
    server = make_server()
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(str(data))))
    page.goto(f"{server.url}/{path}?customer=10000017")
    expect(page.locator(key("sign_in:demo:agent"))).to_be_visible()
    settled(page)
    assert page.locator(key("topbar")).count() == 0
    assert frames
    assert not any(fact in frame for frame in [*frames, page.content()] for fact in HER_FACTS)


@pytest.mark.parametrize("path", ADDRESSES)
def test_the_address_and_its_query_survive_the_sign_in(server: Server, page: Page, path: str) -> None:
    page.goto(f"{server.url}/{path}?customer=10000055")
    page.locator(f"{key('sign_in:demo:agent')} button").click()
    page.wait_for_selector(key("topbar"))
    settled(page)
    assert page.url == f"{server.url}/{path}?customer=10000055"
    if path not in DESK_PATHS:
        expect(page.get_by_role("heading", name="Kevin Dubois")).to_be_visible()


def test_a_customer_who_names_another_file_sees_his_own(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/home?customer=10000055")
    page.get_by_text("Entrer comme client").click()
    page.locator(f"{key('sign_in:demo:p01')} button").click()
    page.wait_for_selector(key("topbar"))
    settled(page)
    expect(page.get_by_role("heading", name="Sophie Lambert")).to_be_visible()
    assert "Dubois" not in page.content()


def test_no_script_can_read_the_session_cookie(server: Server, page: Page) -> None:
    page.goto(server.url)
    page.locator(f"{key('sign_in:demo:agent')} button").click()
    page.wait_for_selector(key("topbar"))
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["guichet_session"]["httpOnly"]
    assert cookies["guichet_session"]["sameSite"] == "Strict"
    assert "guichet_session" not in page.evaluate("document.cookie")
