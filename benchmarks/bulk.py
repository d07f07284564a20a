"""Work on many rows, beside the least it can cost on the same database, in one run: events taken in, and the bills of a day."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from core import clock, db
from core.actor import SYSTEM
from core.db import Base
from core.models.product import Product
from core.models.usage import UsageKind
from core.services import bill_runs, demo, usage_rating
from core.services.usage_intake import RawEvent
from seed import background
from seed.bulk import working

CUSTOMERS, MONTHS, EVENTS, BATCH = 400, 3, 60_000, 5_000
BILL_DAY = date(2026, 12, 5)


def main() -> None:
    """Print a table: rows a second of ours, of the raw driver, and their ratio."""
    print(f"{'bulk':<34}{'ours /s':>10}{'limit /s':>10}{'ours/limit':>12}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bulk.db"
        db.use(f"sqlite:///{path}")
        Base.metadata.create_all(db.engine())
        with working() as session:
            demo.start_clock(session)
            background.add(session, customers=CUSTOMERS, months=MONTHS)
        events = _events()
        ours = _rate(lambda: _take_in(events), len(events))
        _row("events taken in, rated, summed", ours, _raw(path))
        _row("the same events again", _rate(lambda: _take_in(events), len(events)), _raw(path))
        made = _rate(_make_bills, _bills_due())
        _row("bills made (limit: drafted only)", made, _rate(_draft_bills, CUSTOMERS))


def _row(name: str, ours: float, limit: float) -> None:
    print(f"{name:<34}{ours:>10,.0f}{limit:>10,.0f}{ours / limit:>12.2f}")


def _rate(work: Callable[[], object], many: int) -> float:
    start = time.process_time()
    work()
    return many / (time.process_time() - start)


def _events() -> list[RawEvent]:
    """Make data sessions of mobile lines over the running month, in the order they happened."""
    with Session(db.engine()) as session, clock.standing(demo.FIRST_MOMENT):
        named = (col(Product.parent_id).is_(None), col(Product.line).is_not(None), col(Product.offering_code).in_(["RED", "HOT", "CHILI"]))
        lines = session.exec(select(Product.product_no).where(*named, col(Product.until).is_(None))).all()
    first = clock.at(date(2026, 11, 1))
    return [
        RawEvent(first + timedelta(seconds=20 * number), 10_000_000 + number, UsageKind.DATA, 1000, product_no=lines[number % len(lines)])
        for number in range(EVENTS)
    ]


def _take_in(events: list[RawEvent]) -> None:
    for start in range(0, len(events), BATCH):
        with db.transaction() as session, clock.standing(demo.FIRST_MOMENT):
            usage_rating.take_in(session, SYSTEM, events=events[start : start + BATCH])


def _raw(path: Path) -> float:
    """Return how many rows a second the driver writes of the same events into a table with the same key and indexes."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM usage_event WHERE id >= 10000000 ORDER BY at").fetchall()
        told = [row[0] for row in connection.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'usage_event' AND sql IS NOT NULL")]
    with tempfile.TemporaryDirectory() as folder, sqlite3.connect(Path(folder) / "raw.db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in told:
            connection.execute(statement)
        marks = ", ".join("?" * len(rows[0]))

        def write() -> None:
            for start in range(0, len(rows), BATCH):
                with connection:
                    connection.executemany(f"INSERT INTO usage_event VALUES ({marks})", rows[start : start + BATCH])  # noqa: S608 - our own marks

        return _rate(write, len(rows))


def _bills_due() -> int:
    with Session(db.engine()) as session, clock.standing(clock.at(BILL_DAY, 5)):
        return bill_runs.rehearse(session, SYSTEM, day=BILL_DAY).bills


def _make_bills() -> None:
    waits = True
    with db.transaction() as session, clock.standing(clock.at(BILL_DAY, 6)):
        bill_runs.start(session, SYSTEM, day=BILL_DAY)
    while waits:
        with db.transaction() as session, clock.standing(clock.at(BILL_DAY, 6)):
            waits = bill_runs.step(session, SYSTEM, day=BILL_DAY)


def _draft_bills() -> None:
    """Draft the bills of the month after, and write nothing: what a run can't do without."""
    day = clock.add_months(BILL_DAY, 1)
    with db.reading() as session, clock.standing(clock.at(day, 5)):
        bill_runs.rehearse(session, SYSTEM, day=day)


if __name__ == "__main__":
    main()
