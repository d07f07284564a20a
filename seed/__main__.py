"""Adds generated customers to the configured database, or puts a demo back to its first day: `python -m seed --help`."""

import argparse
import sys
from collections.abc import Callable
from datetime import timedelta

from core import clock, db, start
from core.actor import SYSTEM
from core.settings import settings
from seed import background
from seed.bulk import working

_WIDTH = 32


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m seed", description=__doc__)
    parser.add_argument("--customers", type=_count(1_000_000), default=1000, help="how many customers to add (1000)")
    parser.add_argument("--months", type=_count(60), default=24, help="how many months of bills and use each has behind him (24)")
    parser.add_argument("--database-url", help="the database; else the one of GUICHET_DATABASE_URL")
    parser.add_argument("--reset", action="store_true", help="put a demo back to its first day instead")
    told = parser.parse_args(arguments)
    if told.database_url:
        db.use(told.database_url)
    if told.reset and not settings().demo:
        parser.error("Only a demo can be reset.")
    start.ready()
    if told.reset:
        start.reset_demo(SYSTEM)
    else:
        add(told.customers, told.months)


def add(customers: int, months: int) -> None:
    """Add customers, some hundred in each transaction."""
    began, done = clock.real_now(), 0
    while done < customers:
        many = min(background.CHUNK, customers - done)
        with working() as session:
            background.add(session, customers=many, months=months)
        done += many
        left = (clock.real_now() - began) / done * (customers - done)
        print(f"\r{_bar(done, customers, left)}", end="" if done < customers else "\n", file=sys.stderr, flush=True)


def _bar(done: int, of: int, left: timedelta) -> str:
    full = _WIDTH * done // of
    ends = f"{clock.local(clock.real_now() + left):%H:%M:%S}"
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {done:,} of {of:,} customers, {'ends' if done < of else 'done'} at {ends}"


def _count(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= most:
            msg = f"a number from 1 to {most}"
            raise argparse.ArgumentTypeError(msg)
        return int(text)

    return read


if __name__ == "__main__":
    main()
