"""A real server on a filled demo, and a real Chromium that uses it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

SLOW_MS = 90_000
"""Two cores may be busy with another file's server: what is slow is not wrong."""

expect.set_options(timeout=30_000)


@dataclass
class Server:
    """A running Guichet on a database of its own, which outlives a restart."""

    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """Where its data lie."""
        return f"sqlite:///{self.folder / 'guichet.db'}"

    def start(self) -> None:
        """Start it on a free port and wait until it is healthy."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = os.environ | {
            "GUICHET_DATABASE_URL": self.database_url,
            "GUICHET_DOCUMENTS_URL": f"file://{self.folder / 'documents'}",
            "PYTHONPATH": str(ROOT),
        }
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(ROOT / "app.py"),
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
        ]
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1"], cwd=ROOT, env=environment | self.environment, stdout=log, stderr=log
        )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"The server did not start:\n{(self.folder / 'server.log').read_text()[-3000:]}")

    def stop(self) -> None:
        """Stop it as a host would, and wait until it is gone."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def restart(self) -> None:
        """Start it anew on the same data."""
        self.stop()
        self.start()


Make = Callable[..., Server]
"""Makes a server on a copy of the filled demo."""


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo on its first day, filled once and copied for each server."""
    folder = tmp_path_factory.mktemp("filled")
    environment = os.environ | {
        "GUICHET_DATABASE_URL": f"sqlite:///{folder / 'guichet.db'}",
        "GUICHET_DOCUMENTS_URL": f"file://{folder / 'documents'}",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "-c", "from core import start; start.ready()"], cwd=ROOT, env=environment, check=True)
    return folder


@pytest.fixture
def make_server(filled: Path, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Make servers, each on a copy of the filled demo; all are stopped at the end."""
    made: list[Server] = []

    def make(**environment: str) -> Server:
        folder = tmp_path / f"server{len(made)}"
        shutil.copytree(filled, folder)
        server = Server(folder, environment=environment)
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def server(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a file."""
    folder = tmp_path_factory.mktemp("server") / "copy"
    shutil.copytree(filled, folder)
    found = Server(folder)
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        open_context = browser.new_context

        def patient(**given: Any) -> BrowserContext:
            context = open_context(**given)
            context.set_default_timeout(SLOW_MS)
            return context

        browser.new_context = patient  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture
def someone(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """Open further browsers: of another person, or of the same one on the next day."""
    contexts = []

    def open_() -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}, locale="fr-BE", timezone_id="Europe/Brussels"))
        return contexts[-1].new_page()

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser of its own: no cookie of another test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="fr-BE", timezone_id="Europe/Brussels")
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of that browser."""
    return context.new_page()


def settled(page: Page) -> None:
    """Wait until the script is done and nothing is a grey bar any more."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]", timeout=60_000)
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton]')", timeout=60_000)


def key(name: str) -> str:
    """Return how a widget is found on the page: by the class that Streamlit makes of its key; "drawer" is the one that is open."""
    if name == "drawer":
        return "[role=dialog]"
    return ".st-key-" + "".join(char if char.isalnum() or char in "-_" else "-" for char in name)


def sign_in(page: Page, server: Server, account: str, path: str = "/") -> None:
    """Sign a demo account in by its button, on a page's address."""
    page.goto(server.url + path)
    button = page.locator(f"{key(f'sign_in:demo:{account}')} button")
    if account.startswith("p") and account[1:].isdigit():
        page.get_by_text("Entrer comme client").click()
    button.click()
    page.wait_for_selector(key("topbar"))
    settled(page)
