"""Fixtures that every test may use: a stopped clock and a real database of each kind."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text
from sqlmodel import Session, create_engine

import core.models
from core import clock
from core.db import Base, make_engine
from core.models.audit import AuditRelease
from core.services.audit_trail import released

assert core.models.__all__  # Importing the package is what defines the tables.

FIRST_DAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""Wed 18 Nov 2026, 10:00 in Brussels."""

POSTGRES = os.environ.get("GUICHET_TEST_POSTGRES")
"""Address of a PostgreSQL server on which the tests may make databases; `make test` starts one."""


@pytest.fixture(autouse=True)
def _stopped_clock() -> Iterator[None]:
    with clock.standing(FIRST_DAY):
        yield


def address(kind: str, folder: Path, name: str = "own") -> str:
    """Return the address of an empty database of a kind; on PostgreSQL this worker has one of each name."""
    if kind == "sqlite":
        return f"sqlite:///{folder / 'guichet.db'}"
    if not POSTGRES:
        pytest.fail("No PostgreSQL: run `make test`, which starts one, or set GUICHET_TEST_POSTGRES.")
    name = f"guichet_{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'one')}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    server.dispose()
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A real database of each kind with all tables; each test leaves it empty."""
    engine = make_engine(address(request.param, tmp_path_factory.mktemp("db"), "shared"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of this test's own, in which commits are real."""
    engine = make_engine(address(request.param, tmp_path, "scratch"))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    """Delete all rows of a database, its audit trail too."""
    with Session(engine) as session, session.begin(), released(session):
        for table in reversed(Base.metadata.sorted_tables):
            if table.name != AuditRelease.__tablename__:
                session.execute(table.delete())


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose writes are rolled back when the test ends: call flush(), never commit()."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()
