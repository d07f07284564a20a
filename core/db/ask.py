"""The way to ask what every page asks: plain rows, from a query that is made once."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable
from sqlmodel import Session

ANSWERS = "answers"
CONNECTION = "connection"
"""Where a session that only reads, and sees one moment, keeps what it was told, and by whom."""


def ask(session: Session, query: Executable, **given: Any) -> Sequence[Any]:  # noqa: ANN401 - what a column can hold
    """Return the rows of a query of columns, past the ORM, which takes as long as the database itself.

    The query is made once (`@cache`, its values as `bindparam`s): to build one takes longer than to run it. Within a snapshot the
    same question is asked once; in a transaction, what was written so far is seen.
    """
    answers = session.info.get(ANSWERS)
    question = (query, *sorted(given.items()))
    if answers is not None and question in answers:
        known: Sequence[Any] = answers[question]
        return known
    if session.autoflush:
        session.flush()
    connection = session.info.get(CONNECTION) or session.connection()
    found = connection.execute(query, given).all()
    if answers is not None:
        session.info[CONNECTION] = connection
        answers[question] = found
    return found
