"""The search box and the keys, by hand: from any page, without a mouse, and with no key that fires while somebody types."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, key, settled, sign_in

FILE = "/home?customer=10000017"
HITS = key("search-hits")


def types(page: Page, term: str) -> None:
    """Go to the box by its key, and type."""
    page.keyboard.press("/")
    page.keyboard.type(term)


class TestSearchBox:
    @pytest.mark.parametrize("path", [FILE, "/bills?customer=10000017", "/customers", "/payments"])
    def test_lists_whom_it_finds_without_leaving_the_page(self, page: Page, server: Server, path: str) -> None:
        sign_in(page, server, "agent", path)
        types(page, "peeters mech")
        expect(page.locator(key("desk:hit:10000024"))).to_be_visible()
        assert path.partition("?")[0] in page.url

    def test_is_walked_through_with_arrows_and_opened_with_enter(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        types(page, "dubios")
        expect(page.locator(f"{HITS} a").first).to_be_visible()
        settled(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        focused = page.locator(f"{HITS} a:focus")
        expect(focused).to_have_count(1)
        number = (focused.get_attribute("href") or "").partition("customer=")[2]
        page.keyboard.press("Enter")
        page.wait_for_url(f"**customer={number}")
        expect(page.locator(HITS)).to_have_count(0)

    @pytest.mark.parametrize(
        ("term", "address"),
        [
            ("10000055", "/home?customer=10000055"),
            ("2611000055", "/bills?customer=10000055&bill=2611000055"),
            ("+++261/1000/05533+++", "/bills?customer=10000055&bill=2611000055"),
            ("O1000003101", "/timeline?customer=10000031&entry=order-*"),
            ("Peeters, Mechelen", "/home?customer=10000024"),
        ],
    )
    def test_opens_the_only_one_on_enter_however_fast(self, page: Page, server: Server, term: str, address: str) -> None:
        sign_in(page, server, "agent", FILE)
        types(page, term)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{address}")

    def test_marks_the_line_whose_number_was_searched(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", "/home?customer=10000024")
        types(page, "0470 00 00 12")
        page.keyboard.press("Enter")
        page.wait_for_url("**/home?customer=10000017&found=*")
        card = page.locator("[class*='st-key-card-product-']").filter(has_text="Trouvé")
        expect(card).to_have_count(1)
        expect(card).to_contain_text("Noa")

    def test_opens_the_whole_list_on_enter_where_there_are_several(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        types(page, "dubois")
        page.keyboard.press("Enter")
        page.wait_for_url("**/customers?q=dubois")
        expect(page.locator(key("desk:hit:10000055"))).to_be_visible()

    def test_closes_by_escape_and_by_a_click_elsewhere(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        types(page, "lambert")
        expect(page.locator(HITS)).to_be_visible()
        page.locator(key("card-band")).click(position={"x": 900, "y": 10})
        expect(page.locator(HITS)).to_be_hidden()

    def test_fits_a_phone(self, page: Page, server: Server) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        sign_in(page, server, "agent", FILE)
        types(page, "dubois")
        expect(page.locator(f"{HITS} a").first).to_be_visible()
        box = page.locator(HITS).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


class TestKeys:
    def test_lead_to_the_tabs(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        for number, tab in enumerate(("home", "bills", "account", "security", "appointments", "usage"), 1):
            page.keyboard.press(str(number))
            page.wait_for_url(f"**/{tab}?customer=10000017")
            settled(page)

    def test_the_box_is_reached_from_an_open_drawer(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        page.locator("[class*='st-key-home-options-'] button").first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        settled(page)
        page.keyboard.press("/")
        expect(page.locator(f"{key('desk:search')} input")).to_be_focused()
        expect(page.get_by_role("dialog")).to_have_count(0)

    def test_are_told_on_a_question_mark_and_rest_while_it_stands(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        page.keyboard.press("?")
        expect(page.locator("dialog.g-keys")).to_be_visible()
        page.keyboard.press("2")
        page.keyboard.press("Escape")
        expect(page.locator("dialog.g-keys")).to_be_hidden()
        assert "/home" in page.url

    def test_rest_while_somebody_types(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", FILE)
        types(page, "2/?1")
        settled(page)
        assert "/home" in page.url
        expect(page.locator(f"{key('desk:search')} input")).to_have_value("2/?1")

    def test_are_switched_off_and_stay_so_while_the_box_still_works(self, page: Page, server: Server) -> None:
        sign_in(page, server, "viewer", FILE)
        page.locator(key("topbar-right")).get_by_text("viewer").click()
        page.locator(f"{key('session:access')} button").click()
        page.locator(f"{key('prefs:keys')} label").first.click()
        settled(page)
        page.reload()
        page.wait_for_selector(key("topbar"))
        settled(page)
        for pressed in ("2", "?", "/"):
            page.keyboard.press(pressed)
        page.wait_for_timeout(500)
        assert "/home" in page.url
        assert page.locator("dialog.g-keys").count() == 0
        page.locator(f"{key('desk:search')} input").fill("10000055")
        page.keyboard.press("Enter")
        page.wait_for_url("**customer=10000055")

    def test_are_not_there_for_customers(self, page: Page, server: Server) -> None:
        sign_in(page, server, "p01")
        page.keyboard.press("2")
        page.keyboard.press("?")
        page.wait_for_timeout(300)
        assert "/home" in page.url
