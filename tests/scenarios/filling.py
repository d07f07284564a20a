"""Fills a demo in a database of the test's own, and writes down what is in it."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from core import clock, db, start
from core.db import Base
from core.settings import settings
from tests.conftest import FIRST_DAY

ROOT = Path(__file__).resolve().parents[2]
RANDOM = {"document_token", "storage_key", "password_hash", "sha256"}
REAL_TIME = {("job_run", "done_at"), ("audit_entry", "at"), ("audit_seal", "hash"), ("user_account", "created_at")}


@contextmanager
def installed(url: str, folder: Path) -> Iterator[Engine]:
    """Work on an installation of its own for the time of a block."""
    with pytest.MonkeyPatch.context() as patch, clock.standing(FIRST_DAY):
        patch.setattr(settings(), "documents_url", f"file://{folder / 'documents'}")
        patch.setattr(sys.modules["core.db.engine"], "_used", [url])
        engine = db.engine()
        yield engine
        engine.dispose()


@contextmanager
def filled(url: str, folder: Path) -> Iterator[Engine]:
    """Start a demo on an empty database, as its first start does."""
    with installed(url, folder) as engine:
        start.ready()
        yield engine


def contents(engine: Engine, but: frozenset[str] = frozenset()) -> dict[str, tuple[int, str]]:
    """Return the number of rows of each table and a hash of them; what is random or of real time is left out."""
    with engine.connect() as connection:
        found = {}
        for table in Base.metadata.sorted_tables:
            columns = [one for one in table.columns if one.name not in RANDOM and (table.name, one.name) not in REAL_TIME]
            rows = connection.execute(select(*columns).order_by(*table.primary_key.columns)).all() if table.name not in but else []
            plain = [tuple(_plain(value) for value in row) for row in rows]
            found[table.name] = (len(plain), hashlib.sha256(repr(plain).encode()).hexdigest())
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((name, _plain(one)) for name, one in value.items() if name not in RANDOM)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime) else value
