"""The customer's view in a real browser: its banner is a fragment, so only a browser shows that leaving it draws the page anew."""

from playwright.sync_api import Page

from tests.browser.conftest import Server, key, settled, sign_in


def test_leads_into_the_customers_view_and_back(page: Page, server: Server) -> None:
    sign_in(page, server, "agent", "/account?customer=10000017")
    page.locator(f"{key('topbar-right')} button").last.click()
    page.locator(f"{key('desk:as_customer')} button").click()
    page.wait_for_selector(key("watch:leave"))
    settled(page)
    assert page.locator(key("desk:search")).count() == 0
    page.locator(f"{key('watch:leave')} button").click()
    page.wait_for_selector(key("desk:search"))
    settled(page)
    assert page.locator(key("watch:leave")).count() == 0


def test_a_masked_value_is_shown_and_hidden_again(page: Page, server: Server) -> None:
    sign_in(page, server, "agent", "/account?customer=10000086")
    page.get_by_text("Afficher : date de naissance").click()
    page.locator(f"{key('reveal:birth_date:why')} input").click()
    page.get_by_role("option").first.click()
    page.locator(f"{key('reveal:birth_date:show')} button").click()
    page.get_by_text("17/09/1979").wait_for()
    page.locator(f"{key('reveal:birth_date:hide')} button").click()
    page.get_by_text("••/••/••••").wait_for()
