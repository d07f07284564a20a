"""Hands out ids before their rows are written, and writes rows that may be there already."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, func, select


def take_ids(session: Session, model: Any, many: int) -> list[int]:  # noqa: ANN401 - any model with an id
    """Return the next free ids of a table, for use in this transaction."""
    if session.get_bind().dialect.name == "postgresql":
        sequence = text("SELECT nextval(pg_get_serial_sequence(:named, 'id')) FROM generate_series(1, :many)")
        return list(session.execute(sequence, {"named": model.__tablename__, "many": many}).scalars())
    last = session.execute(select(func.max(model.id))).scalar() or 0  # Nobody else writes to SQLite while this transaction does.
    return list(range(last + 1, last + many + 1))


def insert_once(session: Session, model: Any, rows: list[dict[str, Any]]) -> int:  # noqa: ANN401 - any model
    """Write rows whose key is not there yet, and return how many they were; who writes the same at the same time waits for the first."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(model.__table__).values(rows).on_conflict_do_nothing().returning(*model.__table__.primary_key.columns)
    return len(session.execute(statement).all())
