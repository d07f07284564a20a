"""Who is signed in, in a real browser: the cookie, the way in and out, and what a thief of a session id or a cookie gets."""

import re
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.browser.conftest import ROOT, Server, key, settled, sign_in

PASSWORD = "demo-Guichet-2026"
CARD, BAR = key("card-sign_in"), key("topbar")
FILE = "/security?customer=10000017"


def type_in(page: Page, username: str, password: str) -> None:
    """Fill the form and send it."""
    page.get_by_label("Nom d'utilisateur").fill(username)
    page.get_by_label("Mot de passe", exact=True).fill(password)
    page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()


def sign_out(page: Page) -> None:
    """Sign out through the account's menu."""
    page.locator(f"{key('topbar-right')} [data-testid=stPopover] button").last.click()
    page.locator(f"{key('session:sign_out')} button").click()
    expect(page.locator(CARD)).to_be_visible()


def cookies(context: BrowserContext) -> dict[str, Any]:
    """Return the cookies of a browser by name."""
    return {found["name"]: found for found in context.cookies()}


class TestCookie:
    def test_is_set_by_the_server_and_hidden_from_scripts(self, page: Page, context: BrowserContext, server: Server) -> None:
        page.goto(server.url)
        type_in(page, "agent", PASSWORD)
        expect(page.locator(BAR)).to_be_visible()
        found = cookies(context)
        assert (found["guichet_session"]["httpOnly"], found["guichet_session"]["sameSite"]) == (True, "Strict")
        assert (found["guichet_browser"]["httpOnly"], found["guichet_browser"]["sameSite"]) == (True, "Lax")
        assert "guichet" not in page.evaluate("document.cookie")

    def test_outlives_a_reload_and_serves_a_second_tab(self, page: Page, context: BrowserContext, server: Server) -> None:
        sign_in(page, server, "agent")
        page.reload()
        expect(page.locator(BAR)).to_be_visible()
        second = context.new_page()
        second.goto(server.url + FILE)
        expect(second.locator(BAR)).to_be_visible()

    def test_is_a_new_one_at_each_sign_in_and_the_old_one_is_dead(self, page: Page, context: BrowserContext, server: Server) -> None:
        sign_in(page, server, "agent")
        first = cookies(context)["guichet_session"]["value"]
        sign_out(page)
        sign_in(page, server, "agent")
        assert cookies(context)["guichet_session"]["value"] != first


class TestWayIn:
    def test_leads_to_the_address_that_was_asked_for_with_its_query(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent", "/usage?customer=10000017&from=2026-10-01&to=2026-11-01&kind=data")
        address = urlsplit(page.url)
        assert address.path == "/usage"
        assert parse_qs(address.query)["customer"] == ["10000017"]
        assert parse_qs(address.query)["from"] == ["2026-10-01"]

    def test_says_the_same_for_a_wrong_password_and_an_unknown_name(self, page: Page, server: Server) -> None:
        page.goto(server.url)
        for username in ("viewer", "nobody-at-all"):
            type_in(page, username, "wrong")
            expect(page.get_by_text("Nom d'utilisateur ou mot de passe incorrect.")).to_be_visible()
            settled(page)


class TestWayOut:
    def test_ends_on_the_server_so_that_a_copied_cookie_opens_nothing(
        self, page: Page, context: BrowserContext, chromium: Browser, server: Server
    ) -> None:
        sign_in(page, server, "agent", FILE)
        copied = context.cookies()
        sign_out(page)
        assert "guichet_session" not in cookies(context)
        page.reload()
        expect(page.locator(CARD)).to_be_visible()
        thief = chromium.new_context()
        thief.add_cookies(copied)  # type: ignore[arg-type]
        stolen = thief.new_page()
        stolen.goto(server.url + FILE)
        expect(stolen.locator(CARD)).to_be_visible()
        thief.close()

    def test_cannot_be_forced_by_a_link(self, page: Page, server: Server) -> None:
        sign_in(page, server, "agent")
        page.goto(f"{server.url}/auth/out")
        expect(page.locator(BAR)).to_be_visible()


class TestTwoBrowsers:
    def test_a_changed_password_ends_the_other_one(self, page: Page, chromium: Browser, server: Server) -> None:
        sign_in(page, server, "p03", "/security")
        context = chromium.new_context(locale="fr-BE")
        other = context.new_page()
        sign_in(other, server, "p03", "/security")
        for name, value in (("current", PASSWORD), ("new", "vier natte lantaarns"), ("repeat", "vier natte lantaarns")):
            page.locator(f"{key(f'security:{name}')} input").fill(value)
        page.locator(f"{key('security:save')} button").click()
        expect(page.get_by_text("Votre mot de passe est modifié. 1 autre session fermée.")).to_be_visible()
        other.locator(f"{key('security:save')} button").click()
        expect(other.locator(CARD)).to_be_visible()
        context.close()


class TestThief:
    def talk(self, server: Server, sent: dict[str, str], session_id: str | None = None) -> tuple[str, str]:
        """Open a connection as Streamlit's own client does, ask for a page, and return the session's id and all that came back."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in sent.items())}
        asked = ["streamlit", "none", *([session_id] if session_id else [])]
        found = ""
        came: list[str] = []
        with connect(
            f"ws://127.0.0.1:{server.port}/_stcore/stream",
            subprotocols=asked,  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=None,
        ) as channel:
            message = BackMsg()
            message.rerun_script.query_string = urlsplit(FILE).query
            message.rerun_script.page_name = "security"
            message.rerun_script.context_info.url = server.url + "/security"
            channel.send(message.SerializeToString())
            while True:
                try:
                    raw = channel.recv(timeout=4)
                except TimeoutError:
                    return found, "".join(came)
                assert isinstance(raw, bytes)
                answer = ForwardMsg.FromString(raw)
                found = answer.new_session.initialize.session_id or found
                came.append(str(answer))

    def test_of_a_session_id_gets_nothing_and_its_owner_keeps_it(self, page: Page, context: BrowserContext, server: Server) -> None:
        sign_in(page, server, "agent")
        mine = {name: found["value"] for name, found in cookies(context).items()}
        session_id, shown = self.talk(server, mine)
        assert "card-access" in shown
        same_id, stolen = self.talk(server, {}, session_id)
        assert same_id == session_id, "Streamlit no longer gives a session to whoever names it: this test proves nothing any more"
        assert "Cet onglet appartient" in stolen
        assert not any(mark in stolen for mark in ("card-access", "Lambert", "p01", "10000017"))
        assert "card-access" in self.talk(server, mine, session_id)[1]


class TestLink:
    def test_lets_a_customer_choose_a_password_once(self, page: Page, chromium: Browser, server: Server) -> None:
        sign_in(page, server, "agent", "/security?customer=10000055")
        page.locator(f"{key('security:reset')} button").click()
        expect(page.get_by_text("Le lien est envoyé.")).to_be_visible()
        with sqlite3.connect(server.folder / "guichet.db") as database:
            (body,) = database.execute("SELECT body FROM communication WHERE template = 'password_reset'").fetchone()
        link = re.search(r"http\S+", body)
        assert link is not None
        assert link[0] not in page.content()
        context = chromium.new_context(locale="fr-BE")
        theirs = context.new_page()
        theirs.goto(link[0])
        for name in ("new", "repeat"):
            theirs.locator(f"{key(f'sign_in:{name}')} input").fill("zes gele regenjassen")
        theirs.locator(f"{key('sign_in:reset:save')} button").click()
        expect(theirs.get_by_text("Votre mot de passe est enregistré.")).to_be_visible()
        type_in(theirs, "p05", "zes gele regenjassen")
        expect(theirs.locator(BAR)).to_be_visible()
        sign_out(theirs)
        theirs.goto(link[0])
        expect(theirs.get_by_text("Ce lien ne fonctionne plus.")).to_be_visible()
        context.close()


class _CookieDropper(socketserver.BaseRequestHandler):
    """Forwards a connection to the server, and lets none of our cookies through: as some hosts' proxies do."""

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.behind)) as behind:  # type: ignore[attr-defined]
            back = threading.Thread(target=self._pump, args=(behind, self.request, None))
            back.start()
            self._pump(self.request, behind, b"guichet_")
            back.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket, dropped: bytes | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data.replace(dropped, b"unknown_") if dropped else data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


class TestWithoutCookies:
    @pytest.fixture
    def proxied(self, server: Server) -> Iterator[Server]:
        """The server behind a proxy that drops our cookies."""
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _CookieDropper) as proxy:
            proxy.daemon_threads = True
            proxy.behind = server.port  # type: ignore[attr-defined]
            threading.Thread(target=proxy.serve_forever, daemon=True).start()
            yield Server(server.folder, port=proxy.server_address[1])
            proxy.shutdown()

    def test_a_demo_signs_in_within_the_tab(self, page: Page, context: BrowserContext, proxied: Server) -> None:
        sign_in(page, proxied, "agent", FILE)
        assert "guichet_session" not in cookies(context)
        expect(page.locator(key("card-access"))).to_be_visible()
        page.reload()
        expect(page.locator(CARD)).to_be_visible()

    def test_such_a_tab_signs_out(self, page: Page, proxied: Server) -> None:
        sign_in(page, proxied, "agent", FILE)
        sign_out(page)


class TestPlainScript:
    @pytest.fixture
    def plain(self, filled: Path, server: Server) -> Iterator[Server]:
        """A host that runs app.py as a script, and knows of no st.App."""
        found = Server(server.folder)
        found.port = server.port + 1
        code = f"from streamlit.web import bootstrap; bootstrap.load_config_options({{'server.port': {found.port}, 'server.headless': True}}); bootstrap.run('app.py', False, [], {{}})"
        environment = {"GUICHET_DATABASE_URL": server.database_url, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        found.process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment)
        yield found
        found.stop()

    def test_asks_for_a_sign_in_on_the_very_first_page_and_then_works(self, page: Page, plain: Server) -> None:
        for _ in range(50):
            try:
                page.goto(plain.url + FILE)
                break
            except Exception:  # noqa: BLE001 - not listening yet
                page.wait_for_timeout(300)
        expect(page.locator(CARD)).to_be_visible()
        assert page.locator(key("card-access")).count() == 0
        page.locator(f"{key('sign_in:demo:agent')} button").click()
        expect(page.locator(key("card-access"))).to_be_visible()
