"""What writing many rows at once needs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session

from core import db
from core.catalogue import held
from core.db.keys import take_ids

_CACHE_KB = 64_000


def table(model: Any) -> Any:  # noqa: ANN401 - SQLModel hides the table of a class
    """Return the table of a model, for statements that write many rows."""
    return model.__table__


def keyed(session: Session, model: Any, rows: list[dict[str, Any]]) -> list[int]:  # noqa: ANN401 - any model with an id
    """Write rows and return their ids, in the order of the rows."""
    if not rows:
        return []
    ids = take_ids(session, model, len(rows))
    session.execute(insert(table(model)), [row | {"id": key} for key, row in zip(ids, rows, strict=True)])
    return ids


@contextmanager
def working() -> Iterator[Session]:
    """Open a transaction for a great deal of work.

    Within it the catalogue is looked at once, SQLite keeps what is written in memory until the end, and nobody searches a million
    rows in the making for rubbish: that alone would cost a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        with held(), db.transaction() as session:
            if session.get_bind().dialect.name == "sqlite":
                session.execute(text(f"PRAGMA cache_size = -{_CACHE_KB}"))
            yield session
    finally:
        if was_on:
            gc.enable()
