"""`make bench`: every page of a filled demo beside an empty page on the same settings, turn by turn in one run. Ratios are what counts."""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.client import ROOT, Server, Tab, server

ROUNDS = 100
WARM_UP = 5
CUSTOMER = "10000017"
PAGES = ("home", "bills", "account", "security", "appointments", "usage")
GOALS = {"home": 8.0, "toggle": 3.0}
"""Processor time of the server per run, against the empty page's: waits of a shared machine do not count in it."""


@dataclass(frozen=True)
class Timing:
    """What one run costs: the median a browser waits, and the processor time the server takes, in ms."""

    wait_ms: float
    cpu_ms: float


def main() -> None:
    """Print a table of times and ratios; exit with an error where a goal is missed."""
    with tempfile.TemporaryDirectory() as folder:
        environment = _filled(Path(folder))
        with server("app.py", environment) as ours, server("benchmarks/empty.py", environment) as empty:
            found = _measure(ours, empty, _cookie(environment))
    print(f"{'run':<14}{'wait ms':>9}{'x empty':>9}{'cpu ms':>9}{'x empty':>9}{'goal':>7}")
    missed = False
    for name, (run, base) in found.items():
        waits, works = run.wait_ms / base.wait_ms, run.cpu_ms / base.cpu_ms
        goal = GOALS.get(name)
        missed |= goal is not None and works > goal
        print(f"{name:<14}{run.wait_ms:>9.1f}{waits:>9.2f}{run.cpu_ms:>9.1f}{works:>9.2f}{goal or '':>7}")
    bases = [base for _, base in found.values()]
    wait, cpu = (statistics.median(values) for values in ([base.wait_ms for base in bases], [base.cpu_ms for base in bases]))
    print(f"{'empty page':<14}{wait:>9.1f}{1:>9.2f}{cpu:>9.1f}{1:>9.2f}")
    sys.exit(1 if missed else 0)


def _measure(ours: Server, empty: Server, cookie: str) -> dict[str, tuple[Timing, Timing]]:
    """Time each page's run, and the flip of a toggle in the drawer of mobile options, each with the empty page's turn by turn."""
    blank, tab = Tab(empty.port), Tab(ours.port, cookie)
    query = f"customer={CUSTOMER}"
    found = {page: _pair(lambda page=page: tab.run(page, query), ours, blank, empty) for page in PAGES}  # type: ignore[misc]
    tab.run("home", query)
    tab.run("home", query, click=tab.widget("home:options:1000001705:mobile"))
    options = cycle([tab.widget(f"home:option:1000001705:{code}") for code in ("MOB_DATA_5G", "MOB_UNLIM_CALLS")])
    found["toggle"] = _pair(lambda: tab.run("home", query, flip=next(options)), ours, blank, empty)
    blank.close()
    tab.close()
    return found


def _pair(run: Callable[[], float], ours: Server, blank: Tab, empty: Server) -> tuple[Timing, Timing]:
    """Time a run of ours and the empty page's, in turn, so that both meet the machine in the same state."""
    for _ in range(WARM_UP):
        run()
        blank.run("", "")
    before = ours.cpu_ms(), empty.cpu_ms()
    waits = [(run(), blank.run("", "")) for _ in range(ROUNDS)]
    used = ours.cpu_ms() - before[0], empty.cpu_ms() - before[1]
    here, there = (statistics.median(side) for side in zip(*waits, strict=True))
    return Timing(here, used[0] / ROUNDS), Timing(there, used[1] / ROUNDS)


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
