"""What the search box looks through."""

from sqlalchemy import DDL, Text, event
from sqlmodel import Field

from core.db.base import Base

_TEXTS = ("name", "place", "mail", "number")


class SearchEntry(Base, table=True):
    """A row is all that one customer is found by, folded and between blanks; it follows from his file, in the transaction that changes that.

    `name` holds each name in both orders, between bars; `place` the address with the town in each of its languages; `number` digits
    behind a letter that says whose: c customer, e enterprise, p contact phone, l line.
    """

    __tablename__ = "search_entry"

    customer_id: int = Field(primary_key=True, foreign_key="customer.id")
    name: str = Field(sa_type=Text)
    place: str = Field(sa_type=Text)
    mail: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)


_TABLE = SearchEntry.__table__  # type: ignore[attr-defined]
_OLD, _NEW = (f"{row}.customer_id, {', '.join(f'{row}.{name}' for name in _TEXTS)}" for row in ("old", "new"))
_INTO = f"INSERT INTO search_text (rowid, {', '.join(_TEXTS)}) VALUES ({_NEW});"  # noqa: S608 - our own columns
_OUT = f"INSERT INTO search_text (search_text, rowid, {', '.join(_TEXTS)}) VALUES ('delete', {_OLD});"  # noqa: S608 - the same
_OPTIONS = "content='search_entry', content_rowid='customer_id', columnsize=0, tokenize='trigram'"
SQLITE = (
    f"CREATE VIRTUAL TABLE search_text USING fts5({', '.join(_TEXTS)}, {_OPTIONS})",
    f"CREATE TRIGGER search_entry_in AFTER INSERT ON search_entry BEGIN {_INTO} END",
    f"CREATE TRIGGER search_entry_out AFTER DELETE ON search_entry BEGIN {_OUT} END",
    f"CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN {_OUT} {_INTO} END",
)
"""SQLite keeps the trigrams in a table of FTS5 that holds no text of its own; its triggers write both in one transaction."""
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
POSTGRESQL = f"CREATE INDEX ix_search_entry_texts ON search_entry USING gin ({', '.join(f'{name} gin_trgm_ops' for name in _TEXTS)})"

event.listen(_TABLE, "before_create", DDL(EXTENSION).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
for _statement in SQLITE:
    event.listen(_TABLE, "after_create", DDL(_statement).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]
event.listen(_TABLE, "after_create", DDL(POSTGRESQL).execute_if(dialect="postgresql"))  # type: ignore[no-untyped-call]
