"""What the house writes down about a customer for itself: notes, and tags above his file."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class NoteSource(StrEnum):
    """Who or what wrote a note."""

    AGENT = "agent"
    SYSTEM = "system"
    RULE = "rule"


class Note(Versioned, Base, table=True):
    """A row is one wording of a note. Another wording is a row of its own that replaces it; none is ever deleted."""

    __tablename__ = "note"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        UniqueConstraint("replaces_id"),
        ForeignKeyConstraint(["customer_id", "replaces_id"], ["note.customer_id", "note.id"]),
        CheckConstraint("text <> ''", name="text"),
        CheckConstraint("(until_at IS NULL) = (until_by IS NULL)", name="until_by"),
        CheckConstraint("until_at IS NULL OR until_at >= created_at", name="until_at"),
        Index("ix_note_customer", "customer_id", "created_at"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    text: str = Field(max_length=2000)
    source: NoteSource = Field(default=NoteSource.AGENT, sa_type=closed(NoteSource))
    author: str = Field(max_length=60)
    pinned: bool = False
    created_at: datetime
    replaces_id: int | None = None
    until_at: datetime | None = None
    until_by: str | None = Field(default=None, max_length=60)


_STANDS = text("ended_at IS NULL")


class Tag(Versioned, Base, table=True):
    """A row is a word above a customer's file, whose it is and how long it stands; `until` is exclusive. `folded` is how it is compared."""

    __tablename__ = "tag"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by"),
        Index("ix_tag_customer", "customer_id"),
        Index("uq_tag_stands", "customer_id", "folded", unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    word: str = Field(max_length=30)
    folded: str = Field(max_length=60)
    owner: str = Field(max_length=60)
    since_at: datetime
    until: date | None = None
    ended_at: datetime | None = None
    ended_by: str | None = Field(default=None, max_length=60)
