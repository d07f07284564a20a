"""What writing many rows at once needs."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session


def table(model: Any) -> Any:  # noqa: ANN401 - SQLModel hides the table of a class
    """Return the table of a model, for statements that write many rows."""
    return model.__table__


def keyed(session: Session, model: Any, rows: list[dict[str, Any]]) -> list[int]:  # noqa: ANN401 - any model with an id
    """Write rows and return their ids, in the order of the rows."""
    if not rows:
        return []
    return list(session.execute(insert(table(model)).returning(table(model).c.id, sort_by_parameter_order=True), rows).scalars())


@contextmanager
def unswept() -> Iterator[None]:
    """Let memory be for the time of a block: looking through a million rows in the making for rubbish costs a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
