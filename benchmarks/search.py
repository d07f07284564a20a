"""Search among 100,000 customers: whom it finds, and how long it takes, beside plain LIKE and the bare query of the database's own index."""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import make_url, text
from sqlmodel import Session, create_engine

import core.models  # noqa: F401 - importing the package is what defines the tables
from benchmarks import people
from core import db
from core.actor import Actor, Role
from core.db import Base
from core.services import search, search_names
from core.text_rules import fold
from seed.bulk import working

CUSTOMERS, NAMES, FIRST = 100_000, 500, 10
EVERY = 20
"""Of each name's slips, every so many-th is searched, so that it takes minutes; with `--all`, each of them."""
AGENT = Actor(user_id=None, username="bench", role=Role.AGENT)
Ask = Callable[[Session, str], object]


def main() -> None:
    """Print whom the search finds and its times, on SQLite and, where GUICHET_TEST_POSTGRES names a server, on PostgreSQL; exit with an error where somebody is missed."""
    every = 1 if "--all" in sys.argv else EVERY
    with tempfile.TemporaryDirectory() as folder:
        missed = [_run(f"sqlite:///{Path(folder) / 'search.db'}", every=every)]
    if server := os.environ.get("GUICHET_TEST_POSTGRES"):
        missed.append(_run(_database(server), every=every))
    sys.exit(1 if any(missed) else 0)


def _run(url: str, *, every: int) -> int:
    db.use(url)
    Base.metadata.create_all(db.engine())
    start = time.perf_counter()
    with working() as session:
        names = people.write(session, CUSTOMERS)
    engine = db.engine().dialect.name
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    print(f"{engine}: {CUSTOMERS:,} customers written in {time.perf_counter() - start:.0f} s")
    wanted = people.unique(names, NAMES)
    with db.reading() as session:
        missed = _find_all(session, wanted, set(names), every=every) + _fragments(session, len(names))
        _compare(session, wanted)
    db.engine().dispose()
    return missed


def _find_all(session: Session, wanted: list[str], names: set[str], *, every: int) -> int:
    """Search each slip of each name that is nobody else's, and count those whose customer is not among the first."""
    tried, missed, times = 0, [], []
    forms = names | {" ".join(reversed(name.split(" ", 1))) for name in names}
    for name in wanted:
        for term in list(people.slips(name))[::every]:
            if fold(term) in forms or fold(term) != term:
                continue
            start = time.perf_counter()
            hits = search.find(session, AGENT, term=term, limit=FIRST)
            times.append(time.perf_counter() - start)
            tried += 1
            if name not in {fold(hit.name) for hit in hits}:
                missed.append((name, term))
    print(f"  {tried:,} slips of {len(wanted)} names: {tried - len(missed):,} found among the first {FIRST}; {_told(times)}")
    for name, term in missed[:20]:
        print(f"  missed: {name!r} typed as {term!r}")
    return len(missed)


def _fragments(session: Session, many: int) -> int:
    """Search parts of phones, lines, bill numbers, e-mails and communications of customers spread over all."""
    missed, found = 0, dict[str, list[float]]()
    for index in range(0, many, many // 200):
        bill = f"2611{index + 1:06d}"
        for what, term in {
            "phone": f"0470 {index:06d}"[:8] + f" {index:06d}"[4:], "last 6 of a phone": f"{index:06d}", "last 6 of a line": f"71{index:06d}"[-7:],
            "customer no.": str(people.FIRST_NO + index), "bill": bill, "part of a bill": bill[2:], "mail": f".{index}@example", "tel:": f"tel:0471{index:06d}",
        }.items():  # fmt: skip
            start = time.perf_counter()
            hits = search.find(session, AGENT, term=term)
            found.setdefault(what, []).append(time.perf_counter() - start)
            if str(people.FIRST_NO + index) not in {hit.customer_no for hit in hits}:
                missed += 1
                if missed < 10:  # noqa: PLR2004 - enough to see what is wrong
                    print(f"  missed: {index} by {what}: {term!r}")
    for what, times in found.items():
        print(f"  {what:<18} {_told(times)}")
    return missed


def _compare(session: Session, wanted: list[str]) -> None:
    """Time the same slips of names in turn: ours, plain LIKE, and the bare index query."""
    ways: dict[str, Ask] = {"ours": _ours, "plain LIKE": _like, "bare index": _bare}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for term in (term for name in wanted for term in list(people.slips(name))[:: EVERY * 20]):
        for way, ask in ways.items():
            start = time.perf_counter()
            ask(session, term)
            times[way].append(time.perf_counter() - start)
    ours = _p95(times["ours"])
    print(f"  {'way':<14}{'p50 ms':>9}{'p95 ms':>9}{'ours/way':>10}")
    for way, taken in times.items():
        print(f"  {way:<14}{statistics.median(taken) * 1000:>9.1f}{_p95(taken) * 1000:>9.1f}{ours / _p95(taken):>10.2f}")


def _ours(session: Session, term: str) -> object:
    return search.find(session, AGENT, term=term)


def _like(session: Session, term: str) -> object:
    like = {"like": f"%{term}%"}
    return session.execute(text("SELECT id, customer_no FROM customer WHERE search_name LIKE :like LIMIT 20"), like).all()


def _bare(session: Session, term: str) -> object:
    """Ask for names that hold half of the term, and refine nothing."""
    halves = [half for half in search_names.pieces(f" {term} ", 2) if half]
    if session.get_bind().dialect.name == "sqlite":
        match = " OR ".join(f'name : "{half}"' for half in halves)
        return session.execute(text("SELECT rowid FROM search_text WHERE search_text MATCH :match LIMIT 5000"), {"match": match}).all()
    given = {f"half{number}": f"%{half}%" for number, half in enumerate(halves)}
    where = " OR ".join(f"name LIKE :{name}" for name in given)
    return session.execute(text(f"SELECT customer_id FROM search_entry WHERE {where} LIMIT 5000"), given).all()  # noqa: S608 - names of our own


def _told(times: list[float]) -> str:
    return f"p50 {statistics.median(times) * 1000:.1f} ms, p95 {_p95(times) * 1000:.1f} ms"


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _database(server: str) -> str:
    """Make an empty database on a server and return its address."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS guichet_bench WITH (FORCE)"))
        connection.execute(text("CREATE DATABASE guichet_bench TEMPLATE template0 ENCODING 'UTF8'"))
    engine.dispose()
    return make_url(server).set(database="guichet_bench").render_as_string(hide_password=False)


if __name__ == "__main__":
    main()
