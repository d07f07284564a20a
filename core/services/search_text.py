"""The one place that knows how each database looks into texts: FTS5's trigrams on SQLite, pg_trgm on PostgreSQL."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, column, or_, select, table, text
from sqlmodel import Session, col

from core.models.customer import Customer
from core.models.search import SearchEntry

SHORTEST = 3
"""So many letters, blanks included, make a trigram: shorter ones are looked for without an index."""
_ESCAPE = "\\"
_TEXT = table("search_text", column("rowid"))


@dataclass(frozen=True)
class Texts:
    """A condition on what an entry holds: texts in columns, joined by `and` and `or`.

    `short` when it holds a text that has no trigram, so that no index helps; `partly` when FTS5 is asked for some of it only.
    """

    match: str
    condition: ColumnElement[bool]
    short: bool = False
    partly: bool = False


def holds(name: str, wanted: str) -> Texts:
    """An entry's column holds a text, letter by letter."""
    quoted = wanted.replace('"', '""')
    like = col(getattr(SearchEntry, name)).like(f"%{_literal(wanted)}%", escape=_ESCAPE)
    return Texts(f'{name} : "{quoted}"', like, short=len(wanted) < SHORTEST or "\x00" in wanted)


def all_of(parts: Sequence[Texts]) -> Texts:
    """Each condition holds; those too short for the index are looked at in what the others found."""
    long = [part for part in parts if not part.short]
    partly = len(long) < len(parts) or any(part.partly for part in long)
    return Texts(_join(" AND ", long), and_(*(part.condition for part in parts)), not long, partly)


def any_of(parts: Sequence[Texts]) -> Texts:
    """One of the conditions holds."""
    condition = or_(*(part.condition for part in parts))
    return Texts(_join(" OR ", parts), condition, any(part.short for part in parts), any(part.partly for part in parts))


def rows(session: Session, where: Texts, *names: str, limit: int) -> Sequence[Any]:
    """Return entries that satisfy a condition: the customer's id and the columns named."""
    query = select(col(SearchEntry.customer_id), *(getattr(SearchEntry, name) for name in names))
    return session.execute(query.where(_found(session, where)).limit(limit)).all()


def people(session: Session, where: Texts, *, limit: int) -> Sequence[Any]:
    """Return entries that satisfy a condition, with the customers' names as they are written."""
    written = (getattr(Customer, name) for name in ("given_name", "family_name", "trading_name", "second_holder"))
    query = select(col(SearchEntry.customer_id), col(SearchEntry.name), col(SearchEntry.place), *written)
    query = query.join(Customer, col(Customer.id) == col(SearchEntry.customer_id))
    return session.execute(query.where(_found(session, where)).limit(limit)).all()


def _found(session: Session, where: Texts) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "postgresql" or where.short:
        return where.condition
    matching = select(_TEXT.c.rowid).where(text("search_text MATCH :match").bindparams(match=where.match))
    found = col(SearchEntry.customer_id).in_(matching)
    return found & where.condition if where.partly else found


def _join(word: str, parts: Sequence[Texts]) -> str:
    return f"({word.join(part.match for part in parts)})" if parts else ""


def _literal(wanted: str) -> str:
    """Escape what LIKE would read as a wildcard (S38)."""
    return re.sub(r"([%_\\])", r"\\\1", wanted)
