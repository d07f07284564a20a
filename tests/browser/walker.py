"""Somebody at a browser, in the words of a test."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Server, key, settled


class Walker:
    """Somebody at a browser: where he goes, what he clicks and types, and what he is sure to see then."""

    def __init__(self, page: Page, server: Server, file: str = "") -> None:
        self.page, self.server, self.file = page, server, file

    def opens(self, tab: str) -> None:
        """Go to a tab and wait until it stands."""
        self.page.goto(f"{self.server.url}/{tab}{self.file}")
        self.page.wait_for_selector(key("card-band"))
        settled(self.page)

    def clicks(self, name: str) -> None:
        """Click the button with this key."""
        self.page.locator(f"{key(name)} button").first.click()

    def ticks(self, name: str) -> None:
        """Flip a toggle or a box."""
        self.page.locator(f"{key(name)} label").click()

    def types(self, name: str, text: str) -> None:
        """Fill a field and leave it."""
        field = self.field(name)
        field.fill(text)
        field.press("Tab")
        settled(self.page)

    def presses(self, name: str, keys: str) -> None:
        """Change a toggle or a box from the keyboard."""
        self.part(name).locator("input").press(keys)
        settled(self.page)

    def unfolds(self, words: str) -> None:
        """Open what is folded, or a bubble, by its words."""
        self.page.locator("summary, [data-testid=stPopover] button").filter(has_text=words).first.click()
        settled(self.page)

    def picks(self, name: str, choice: str) -> None:
        """Pick the first choice of a list that begins with what is typed, where others hold the same words."""
        choice = choice.replace(" €", "\N{NO-BREAK SPACE}€")
        field = self.field(name)
        field.fill(choice)
        expect(self.page.get_by_role("option").first).to_have_text(choice)
        field.press("Enter")
        expect(field).to_have_value(choice)
        settled(self.page)

    def chooses(self, name: str, choice: str) -> None:
        """Pick a choice of a list by typing it: a list that scrolls or still moves closes under the mouse."""
        choice = choice.replace(" €", "\N{NO-BREAK SPACE}€")
        field = self.field(name)
        field.fill(choice)
        expect(self.page.get_by_role("option")).to_have_count(1)
        field.press("Enter")
        expect(field).to_have_value(choice)
        settled(self.page)

    def downloads(self, name: str) -> bytes:
        """Click a download and return the file."""
        with self.page.expect_download() as download:
            self.clicks(name)
        return Path(download.value.path()).read_bytes()

    def field(self, name: str) -> Locator:
        """Return the field with this key."""
        return self.page.locator(f"{key(name)} :is(input, textarea)").first

    def part(self, name: str) -> Locator:
        """Return the part of the screen with this key."""
        return self.page.locator(key(name))

    def sees(self, name: str, *sentences: str) -> None:
        """Wait until a part of the screen says all of this, whatever blanks it is written with."""
        for sentence in sentences:
            expect(self.part(name)).to_contain_text(sentence, use_inner_text=True)
        settled(self.page)
