"""The way to ask what every page asks: plain rows, from a query that is made once, asked once."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable
from sqlmodel import Session

ANSWERS = "answers"
"""Where a session that only reads, and sees one moment, keeps what it was told."""

Answer = TypeVar("Answer")


def ask(session: Session, query: Executable, **given: Any) -> Sequence[Any]:  # noqa: ANN401 - what a column can hold
    """Return the rows of a query of columns, past the ORM, which takes as long as the database itself.

    The query is made once (`@cache`, its values as `bindparam`s): to build one takes longer than to run it. Within a snapshot the
    same question is asked once; in a transaction, what was written so far is seen.
    """
    if session.autoflush:
        session.flush()
    return once(session, (query, *sorted(given.items())), lambda: _connection(session).execute(query, given).all())


def once(session: Session, question: Hashable, find: Callable[[], Answer]) -> Answer:
    """Return what `find` finds; within a snapshot the same question is asked once."""
    answers: dict[Hashable, Any] | None = session.info.get(ANSWERS)
    if answers is None:
        return find()
    if question not in answers:
        answers[question] = find()
    known: Answer = answers[question]
    return known


def _connection(session: Session) -> Connection:
    return once(session, "connection", session.connection)
