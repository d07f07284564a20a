"""Hands out ids before their rows are written, so that rows that point to each other go to the database many at a time."""

from typing import Any

from sqlalchemy import text
from sqlmodel import Session, func, select


def take_ids(session: Session, model: Any, many: int) -> list[int]:  # noqa: ANN401 - any model with an id
    """Return the next free ids of a table, for use in this transaction."""
    if session.get_bind().dialect.name == "postgresql":
        sequence = text("SELECT nextval(pg_get_serial_sequence(:named, 'id')) FROM generate_series(1, :many)")
        return list(session.execute(sequence, {"named": model.__tablename__, "many": many}).scalars())
    last = session.execute(select(func.max(model.id))).scalar() or 0  # Nobody else writes to SQLite while this transaction does.
    return list(range(last + 1, last + many + 1))
