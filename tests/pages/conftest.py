"""Pages run on a database of their own: what a test put in place of the installation's is taken away again."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from sqlmodel import Session

from core import db, start
from core.db import Base
from core.models.audit import DemoClock
from core.services import users
from tests.conftest import FIRST_DAY

NewDemo = Callable[[], AbstractContextManager[Session]]


@pytest.fixture(autouse=True)
def _own_database() -> Iterator[None]:
    yield
    sys.modules["core.db.engine"]._used.clear()


@pytest.fixture
def new_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewDemo:
    """Open a demo on its first day, to be filled: who is written within the block has his account at its end, with those of the house."""
    db.use(f"sqlite:///{tmp_path / 'guichet.db'}")
    monkeypatch.setattr(start, "ready", lambda: None)
    Base.metadata.create_all(db.engine())

    @contextmanager
    def opened() -> Iterator[Session]:
        with Session(db.engine()) as session, session.begin():
            session.add(DemoClock(moment=FIRST_DAY))
            yield session
            users.create_demo_accounts(session)

    return opened
