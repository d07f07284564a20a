"""Fills a demo in a database of the test's own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core import clock, db, start
from core.settings import settings
from tests.conftest import FIRST_DAY


@contextmanager
def installed(url: str, folder: Path) -> Iterator[Engine]:
    """Work on an installation of its own for the time of a block."""
    with pytest.MonkeyPatch.context() as patch, clock.standing(FIRST_DAY):
        patch.setattr(settings(), "documents_url", f"file://{folder / 'documents'}")
        db.use(url)
        try:
            yield db.engine()
        finally:
            db.engine().dispose()
            sys.modules["core.db.engine"]._used.clear()


@contextmanager
def filled(url: str, folder: Path) -> Iterator[Engine]:
    """Start a demo on an empty database, as its first start does."""
    with installed(url, folder) as engine:
        start.ready()
        yield engine
