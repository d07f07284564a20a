"""Processes that write to one SQLite file at the same time: each gets its turn, and none is told that the database is locked."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from core import db
from core.actor import SYSTEM
from core.db import Base
from core.models.note import Note
from core.services import notes
from core.services.audit_trail import verify
from tests.builders import AGENT, make_customer
from tests.scenarios.filling import installed

PROCESSES, CLICKS = 4, 30
SPAWN: Any = get_context("spawn")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Engine]:
    """An installation on one SQLite file, with one customer."""
    with installed(f"sqlite:///{tmp_path / 'guichet.db'}", tmp_path) as engine:
        Base.metadata.create_all(engine)
        with db.transaction() as session:
            make_customer(session)
        yield engine


def click(url: str, who: int) -> int:
    """Write notes as fast as it goes, in a process of its own; return how many were written."""
    db.use(url)
    for number in range(CLICKS):
        with db.transaction() as session:
            notes.add(session, AGENT, customer_id=1, text=f"{who} {number}")
    return CLICKS


def hold(url: str, begun: Event, enough: Event, seconds: float) -> None:
    """Keep the right to write, until it is enough."""
    db.use(url)
    with db.transaction():
        begun.set()
        enough.wait(seconds)


@contextmanager
def held(engine: Engine, seconds: float) -> Iterator[None]:
    begun, enough = SPAWN.Event(), SPAWN.Event()
    process = SPAWN.Process(target=hold, args=(str(engine.url), begun, enough, seconds))
    process.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        enough.set()
        process.join()


def test_every_click_of_four_processes_is_written_and_sealed(shared: Engine) -> None:
    with SPAWN.Pool(PROCESSES) as pool:
        assert pool.starmap(click, [(str(shared.url), who) for who in range(PROCESSES)]) == [CLICKS] * PROCESSES
    with db.reading() as session:
        assert session.execute(select(func.count(col(Note.id)))).scalar() == PROCESSES * CLICKS
        assert verify(session, SYSTEM).wrong is None


def test_a_click_waits_longer_than_sqlite_itself_does(shared: Engine) -> None:
    patience: int = sys.modules["core.db.engine"]._BUSY_MS
    with held(shared, seconds=patience * 4 / 1000), db.transaction() as session:
        notes.add(session, AGENT, customer_id=1, text="at last")
    with db.reading() as session:
        assert session.execute(select(func.count(col(Note.id)))).scalar() == 1


def test_a_click_gives_up_after_its_time_and_the_next_one_is_written(shared: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch, held(shared, seconds=60):
        patch.setattr(sys.modules["core.db.engine"], "WAIT_SECONDS", 0.1)
        with pytest.raises(OperationalError, match="database is locked"), db.transaction():
            pass
    with db.transaction() as session:
        notes.add(session, AGENT, customer_id=1, text="the next one")


def test_who_reads_does_not_wait_for_who_writes(shared: Engine) -> None:
    with held(shared, seconds=60), ThreadPoolExecutor(1) as thread:
        assert thread.submit(_read).result(timeout=10) == 0


def _read() -> int:
    with db.reading() as session:
        return int(session.execute(select(func.count(col(Note.id)))).scalar() or 0)
