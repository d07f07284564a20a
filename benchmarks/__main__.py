"""`make bench`: every page of a filled demo beside an empty page on the same settings, interleaved in one run. Ratios are what counts."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.client import ROOT, Tab, server

ROUNDS = 25
CUSTOMER = "10000017"
PAGES = ("home", "bills", "account", "security", "appointments", "usage")
GOALS = {"home": 8.0, "toggle": 3.0}


def main() -> None:
    """Print a table of medians and ratios; exit with an error where a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _filled(Path(folder))
        with server("app.py", environment) as ours, server("benchmarks/empty.py", environment) as empty:
            times = _measure(ours, empty, _cookie(environment))
    base = statistics.median(times.pop("empty"))
    print(f"{'run':<14}{'median ms':>10}{'x empty':>9}{'goal':>7}")
    print(f"{'empty page':<14}{base:>10.1f}{1:>9.2f}")
    missed = False
    for name, found in times.items():
        ratio = statistics.median(found) / base
        goal = GOALS.get(name)
        missed |= goal is not None and ratio > goal
        print(f"{name:<14}{statistics.median(found):>10.1f}{ratio:>9.2f}{goal or '':>7}")
    sys.exit(1 if missed else 0)


def _measure(ours: int, empty: int, cookie: str) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in ("empty", *PAGES, "toggle")}
    blank, tab = Tab(empty), Tab(ours, cookie)
    query = f"customer={CUSTOMER}"
    for page in PAGES:
        tab.run(page, query)
    for _ in range(3):
        blank.run("", "")
    drawer = Drawer(tab, query)
    for _ in range(ROUNDS):
        times["empty"].append(blank.run("", ""))
        for page in PAGES:
            times[page].append(tab.run(page, query))
        times["toggle"].append(drawer.flip())
    blank.close()
    tab.close()
    return times


class Drawer:
    """The drawer of mobile options: flipping a toggle in it reruns the drawer alone."""

    def __init__(self, tab: Tab, query: str) -> None:
        self.tab = tab
        self.query = query

    def flip(self) -> float:
        """Open the drawer, flip a toggle, and return the milliseconds of the flip."""
        self.tab.run("home", self.query)
        self.tab.run("home", self.query, click=self.tab.widget("home:options:1000001705:mobile"))
        return self.tab.run("home", self.query, flip=self.tab.widget("home:option:1000001705:MOB_DATA_5G"))


def _filled(folder: Path) -> dict[str, str]:
    environment = {
        "GUICHET_DATABASE_URL": f"sqlite:///{folder / 'guichet.db'}",
        "GUICHET_DOCUMENTS_URL": f"file://{folder / 'documents'}",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, "-c", "from core import start; start.ready()"], cwd=ROOT, env=os.environ | environment, check=True)
    return environment


def _cookie(environment: dict[str, str]) -> str:
    """Open a session for the agent and return the cookies of a browser that holds it."""
    code = (
        "from sqlmodel import select\nfrom core.db import transaction\nfrom core.models.user import User\nfrom core.services import sessions\n"
        "with transaction() as session:\n"
        "    user = session.exec(select(User.id).where(User.username == 'agent')).one()\n"
        "    print(sessions.open_(session, user, device='bench', browser='bench'))\n"
    )
    token = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, text=True
    ).stdout.strip()
    return f"guichet_session={token}; guichet_browser=bench"


if __name__ == "__main__":
    main()
