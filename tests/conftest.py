"""Fixtures that every test may use: a stopped clock and a real, empty database."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

import core.models
from core import clock
from core.db import Base, make_engine

assert core.models.__all__  # Importing the package is what defines the tables.

FIRST_DAY = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""Wed 18 Nov 2026, 10:00 in Brussels."""

POSTGRES = os.environ.get("GUICHET_TEST_POSTGRES")
"""Address of a PostgreSQL database the tests may empty; `make test` starts one."""


@pytest.fixture(autouse=True)
def _stopped_clock() -> Iterator[None]:
    with clock.standing(FIRST_DAY):
        yield


def _emptied(url: str) -> Engine:
    engine = make_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    Base.metadata.create_all(engine)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A real, empty database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    elif POSTGRES:
        url = POSTGRES
    else:
        pytest.fail("No PostgreSQL: run `make test`, which starts one, or set GUICHET_TEST_POSTGRES.")
    engine = _emptied(url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on a real, empty database; what a test writes is rolled back."""
    with Session(engine, expire_on_commit=False) as session:
        yield session
        session.rollback()
