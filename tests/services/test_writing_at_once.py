"""Processes that write to one SQLite file at the same time: each gets its turn, and none is told that the database is locked."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from threading import Timer

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
from tests.scenarios.filling import ROOT, installed

PROCESSES, CLICKS = 4, 30


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Engine]:
    """An installation on one SQLite file, with one customer."""
    with installed(f"sqlite:///{tmp_path / 'guichet.db'}", tmp_path) as engine:
        Base.metadata.create_all(engine)
        with db.transaction() as session:
            make_customer(session)
        yield engine


def click(url: str, who: int) -> None:
    """Write notes as fast as it goes, in a process of its own."""
    db.use(url)
    for number in range(CLICKS):
        with db.transaction() as session:
            notes.add(session, AGENT, customer_id=1, text=f"{who} {number}")


def hold(url: str) -> None:
    """Take the right to write, say so, and keep it until somebody says that it is enough."""
    db.use(url)
    with db.transaction():
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        sys.stdin.readline()


def started(call: str, *given: object) -> subprocess.Popen[str]:
    """Start a function of this file in a process of its own; by hand, as Streamlit's tests leave a `__main__` that can't be spawned."""
    code = f"from tests.services import test_writing_at_once as here; here.{call}(*{given!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=PIPE, stdout=PIPE, text=True
    )


@contextmanager
def held(engine: Engine, seconds: float) -> Iterator[None]:
    """Let another process keep the right to write during a block, for so many seconds at most."""
    with started("hold", str(engine.url)) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        enough = Timer(seconds, process.stdin.close)
        enough.start()
        try:
            yield
        finally:
            enough.cancel()
            process.stdin.close()
            process.wait()


def test_every_click_of_four_processes_is_written_and_sealed(shared: Engine) -> None:
    processes = [started("click", str(shared.url), who) for who in range(PROCESSES)]
    assert [process.wait() for process in processes] == [0] * PROCESSES
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
