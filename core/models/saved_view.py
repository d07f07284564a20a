"""Lists that somebody set up once and opens every day."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class Ownership(StrEnum):
    """Who sees a view, and who may change it: its owner, the whole team, or the team leads alone."""

    MINE = "mine"
    TEAM = "team"
    LOCKED = "locked"


class SavedView(Versioned, Base, table=True):
    """A row is a list with its filter, columns and order, as its address says them; names are unique among what one colleague sees."""

    __tablename__ = "saved_view"
    __table_args__ = (
        CheckConstraint("length(name) > 0", name="name"),
        Index(
            "uq_saved_view_mine", "owner", "noun", "name", unique=True,
            sqlite_where=text("ownership = 'mine'"), postgresql_where=text("ownership = 'mine'"),
        ),
        Index(
            "uq_saved_view_shared", "noun", "name", unique=True,
            sqlite_where=text("ownership <> 'mine'"), postgresql_where=text("ownership <> 'mine'"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    noun: str = Field(max_length=20)
    name: str = Field(max_length=60)
    ownership: Ownership = Field(sa_type=closed(Ownership))
    owner: str = Field(max_length=60)
    where_: str = Field(default="", max_length=2000)
    columns: str = Field(default="", max_length=400)
    sort: str = Field(default="", max_length=40)
    changed_at: datetime
