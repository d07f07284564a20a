"""The one place that knows how each database looks into texts: FTS5's trigrams on SQLite, pg_trgm on PostgreSQL."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, column, or_, select, table, text
from sqlmodel import Session, col

from core.models.customer import Customer
from core.models.search import SearchEntry

SHORTEST = 3
"""So many letters, blanks included, make a trigram: shorter ones are looked for without an index."""
_ESCAPE = "\\"
_TEXT = table("search_text", column("rowid"))


@dataclass(frozen=True)
class Texts:
    """A condition on what an entry holds: texts in columns, joined by `and` and `or`; each database is told it in its own words.

    `short` when it holds a text that has no trigram, so that no index helps; `partly` when FTS5 is asked for some of it only.
    """

    match: str
    condition: Callable[[], ColumnElement[bool]]
    short: bool = False
    partly: bool = False


def holds(name: str, wanted: str) -> Texts:
    """An entry's column holds a text, letter by letter."""
    quoted = wanted.replace('"', '""')

    def condition() -> ColumnElement[bool]:
        return col(getattr(SearchEntry, name)).like(f"%{_literal(wanted)}%", escape=_ESCAPE)

    return Texts(f'{name} : "{quoted}"', condition, short=len(wanted) < SHORTEST)


def all_of(parts: Sequence[Texts]) -> Texts:
    """Each condition holds; those too short for the index are looked at in what the others found."""
    long = [part for part in parts if not part.short]
    partly = len(long) < len(parts) or any(part.partly for part in long)
    return Texts(_join(" AND ", long), lambda: and_(*(part.condition() for part in parts)), not long, partly)


def any_of(parts: Sequence[Texts]) -> Texts:
    """One of the conditions holds."""
    short, partly = any(part.short for part in parts), any(part.partly for part in parts)
    return Texts(_join(" OR ", parts), lambda: or_(*(part.condition() for part in parts)), short, partly)


def rows(session: Session, where: Texts, *names: str, limit: int) -> Sequence[Any]:
    """Return entries that satisfy a condition: the customer's id and the columns named."""
    return _ask(session, _entries(names), where, limit)


def people(session: Session, where: Texts, *, limit: int) -> Sequence[Any]:
    """Return entries that satisfy a condition, with the customers' names as they are written."""
    return _ask(session, _people(), where, limit)


@cache
def _entries(names: tuple[str, ...]) -> Select[Any]:
    return select(*(getattr(SearchEntry, name) for name in ("customer_id", *names)))


@cache
def _people() -> Select[Any]:
    written = (getattr(Customer, name) for name in ("given_name", "family_name", "trading_name", "second_holder"))
    columns = (getattr(SearchEntry, name) for name in ("customer_id", "name", "place"))
    return select(*columns, *written).join(Customer, col(Customer.id) == col(SearchEntry.customer_id))


def _ask(session: Session, query: Select[Any], where: Texts, limit: int) -> Sequence[Any]:
    if session.get_bind().dialect.name == "postgresql" or where.short:
        return session.execute(query.where(where.condition()).limit(limit)).all()
    if where.partly:
        return session.execute(_matching(query).where(where.condition()), {"match": where.match, "many": limit}).all()
    return session.execute(_matching(query), {"match": where.match, "many": limit}).all()


@cache
def _matching(query: Select[Any]) -> Select[Any]:
    """Ask FTS5, by a query that is made once: to build one takes longer than to run it."""
    found = select(_TEXT.c.rowid).where(text("search_text MATCH :match"))
    return query.where(col(SearchEntry.customer_id).in_(found)).limit(bindparam("many"))


def _join(word: str, parts: Sequence[Texts]) -> str:
    return f"({word.join(part.match for part in parts)})" if parts else ""


def _literal(wanted: str) -> str:
    """Escape what LIKE would read as a wildcard (S38)."""
    return re.sub(r"([%_\\])", r"\\\1", wanted)
