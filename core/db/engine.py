"""One engine per database address, and the ways to use it: `reading()`, many of them in one `snapshot()`, and `transaction()`."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, create_engine

from core import clock
from core.db.ask import ANSWERS
from core.settings import settings

WAIT_SECONDS = 30
"""How long a click waits for its turn to write on SQLite before it gives up."""
_BUSY_MS = 250
"""How long SQLite itself waits at a time. It looks less often the longer it waits, so who came late would go first: it is asked anew instead."""
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


@cache
def make_engine(url: str) -> Engine:
    """Return the engine of an address: SQLite in WAL mode with foreign keys on, or PostgreSQL."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if address.database and address.database != ":memory:":
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    return _sqlite(url, (*_SQLITE_PRAGMAS, f"busy_timeout={_BUSY_MS}"), _begin_writing)


def _sqlite(url: str, pragmas: Sequence[str], begin: Callable[[Connection], None]) -> Engine:
    """Make an engine of SQLite that sets up each connection, and begins each transaction, as it is told."""

    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own class
        connection.isolation_level = None  # The driver must not begin by itself: `begin` does.
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    engine = create_engine(url, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later would fail as soon as another one wrote in between.

    Only this waits, for nothing was read or written yet: once it began, a transaction has the lock until its end.
    """
    driver: Any = connection.connection.driver_connection
    given_up = monotonic() + WAIT_SECONDS
    while monotonic() < given_up:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # Once more, so that it fails as any statement does.


def _begin_reading(connection: Connection) -> None:
    """Begin past SQLAlchemy, since it can't fail: every page does."""
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN")


_used: list[str] = []


def use(url: str) -> None:
    """Work on another database from now on: tests and tools do."""
    _used[:] = [url]


def engine() -> Engine:
    """Return the engine of this installation's database."""
    return make_engine(_used[0] if _used else settings().database_url)


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the one transaction of a click: everything in it is written, or nothing is."""
    look_again()
    try:
        with Session(engine(), expire_on_commit=False) as session, session.begin():
            _follow_demo_clock(session, known={})
            yield session
    finally:
        _moments.clear()  # The transaction may have moved the clock.
        look_again()  # What is read from now on must know of the write.


@contextmanager
def part(session: Session) -> Iterator[None]:
    """Open a part of the transaction that fails alone: what it wrote is taken back, and what was written before it stays."""
    with session.begin_nested():
        yield


@contextmanager
def reading() -> Iterator[Session]:
    """Open a session that only reads; within a `snapshot()`, the one that all its readings share."""
    shared = _snapshot.get()
    if shared is None:
        with _reader() as session:
            yield session
        return
    try:
        yield shared.session()
    except SQLAlchemyError as error:
        shared.end(error)  # PostgreSQL answers nothing more in a transaction that failed.
        raise


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all readings of a block share one transaction: what a page shows side by side was true at the same moment.

    It begins with the first reading, and a `transaction()` in between ends it: the next reading sees what was written.
    """
    if _snapshot.get() is not None:
        yield  # Within one already.
        return
    shared = _Snapshot()
    token = _snapshot.set(shared)
    try:
        yield
    except BaseException as error:
        shared.end(error)
        raise
    finally:
        _snapshot.reset(token)
        shared.end()


def look_again() -> None:
    """Let the next reading of a snapshot see the newest moment."""
    if shared := _snapshot.get():
        shared.end()


class _Snapshot:
    """The session that the readings of a block share; none before the first one, and none after a write."""

    def __init__(self) -> None:
        self._opened: ExitStack | None = None
        self._session: Session | None = None

    def session(self) -> Session:
        """Return the session, opened if there is none."""
        if self._session is None:
            self._opened = ExitStack()
            self._session = self._opened.enter_context(_reader())
        return self._session

    def end(self, error: BaseException | None = None) -> None:
        """Let go of the database; an error that is under way stays the one that is told."""
        opened, self._opened, self._session = self._opened, None, None
        if opened is not None:
            opened.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


_snapshot: ContextVar[_Snapshot | None] = ContextVar("snapshot", default=None)


@cache
def _readers(engine: Engine) -> Engine:
    """Return an engine's side for reading: nothing is locked or written, and a transaction sees one moment from its first statement on."""
    if engine.dialect.name == "sqlite":
        return _sqlite(
            engine.url.render_as_string(hide_password=False),
            (*_SQLITE_PRAGMAS, f"busy_timeout={WAIT_SECONDS * 1000}", "query_only=ON"),
            _begin_reading,
        )
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


RESET_LOCK = "demo_clock"
"""The table that a reset on PostgreSQL holds alone: emptied tables look empty to a moment that began before, so pages finish first, or wait."""


class OnlyReads(Exception):
    """A session of `reading()` was asked to write."""


class _ReadingSession(Session):
    """A session that refuses to write, and to be used once it was closed: what it would answer then is of another moment."""

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise OnlyReads
        super().flush(objects)


@contextmanager
def _reader() -> Iterator[Session]:
    reader = _ReadingSession(_readers(engine()), autoflush=False, close_resets_only=False, info={ANSWERS: {}})
    with reader as session, session.begin():
        if settings().demo and engine().dialect.name == "postgresql":
            session.connection().exec_driver_sql(f"LOCK TABLE {RESET_LOCK} IN ACCESS SHARE MODE")
        _follow_demo_clock(session, _moments)
        yield session


_CLOCK = text("SELECT moment, resets FROM demo_clock")
_CLOCK_READ_EVERY_SECONDS = 1.0
_moments: dict[Engine, tuple[float, datetime | None, int]] = {}
"""When the demo's clock of a database was read last, and where it stood: a page reads it seven times, another process moves it rarely."""


_life: ContextVar[int] = ContextVar("life", default=0)


def life() -> int:
    """Return how often the demo was reset when this context last looked at its database: what was drawn before is of another life."""
    return _life.get()


def _follow_demo_clock(session: Session, known: dict[Engine, tuple[float, datetime | None, int]]) -> None:
    """Stop business time at the demo's moment, which lies in the database so that all processes share it."""
    if not settings().demo:
        return
    bound = engine()
    read_at, moment, resets = known.get(bound, (-_CLOCK_READ_EVERY_SECONDS, None, 0))
    if monotonic() - read_at >= _CLOCK_READ_EVERY_SECONDS:
        stored = session.execute(_CLOCK).first()
        moment, resets = (clock.from_stored(stored.moment), stored.resets) if stored else (None, 0)
        known[bound] = monotonic(), moment, resets
    _life.set(resets)
    if moment is not None:
        clock.stand_at(moment)
