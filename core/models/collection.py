"""What was asked of the bank: files of collections, and each collection in them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class BatchState(StrEnum):
    """How far a file has come: until it is sent, collections still leave it."""

    MADE = "made"
    SENT = "sent"
    SETTLED = "settled"


class CollectionState(StrEnum):
    """What became of one collection."""

    PENDING = "pending"
    SETTLED = "settled"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class Sequence(StrEnum):
    """Which collection of its mandate it is (R8)."""

    FRST = "FRST"
    RCUR = "RCUR"
    OOFF = "OOFF"
    FNAL = "FNAL"


C = CollectionState
COLLECTION_MOVES: dict[CollectionState, frozenset[CollectionState]] = {
    C.PENDING: frozenset({C.SETTLED, C.RETURNED, C.WITHDRAWN}),
    C.SETTLED: frozenset({C.RETURNED}),
    C.RETURNED: frozenset(),
    C.WITHDRAWN: frozenset(),
}


class CollectionBatch(Versioned, Base, table=True):
    """A row is one file for the bank; `content` is the file itself, deflated, and `sha256` is of the file as it travels."""

    __tablename__ = "collection_batch"
    __table_args__ = (
        CheckConstraint("collections > 0", name="collections"),
        CheckConstraint("sum_cents > 0", name="sum_cents"),
        CheckConstraint("(state = 'made') = (sent_at IS NULL)", name="sent"),
        Index("ix_collection_batch_collect_on", "collect_on"),
    )

    id: int = Field(default=None, primary_key=True)
    message_id: str = Field(max_length=35, unique=True)
    collect_on: date
    made_at: datetime
    sent_at: datetime | None = None
    state: BatchState = Field(sa_type=closed(BatchState))
    collections: int
    sum_cents: int
    sha256: str = Field(max_length=64)
    content: bytes = Field(sa_type=LargeBinary)


class Collection(Versioned, Base, table=True):
    """A row is one bill that is collected, as its file says it: an amended mandate says so, and holder and account are those of that day.

    Without a batch it was withdrawn before its file was sent.
    """

    __tablename__ = "collection"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        ForeignKeyConstraint(["customer_id", "mandate_id"], ["mandate.customer_id", "mandate.id"]),
        ForeignKeyConstraint(["customer_id", "payment_id"], ["payment.customer_id", "payment.id"]),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        CheckConstraint("(state = 'returned') = (return_code IS NOT NULL)", name="return_code"),
        CheckConstraint("(state = 'returned') = (returned_on IS NOT NULL)", name="returned_on"),
        CheckConstraint("state <> 'settled' OR payment_id IS NOT NULL", name="settled"),
        CheckConstraint("state NOT IN ('pending', 'withdrawn') OR payment_id IS NULL", name="unpaid"),
        CheckConstraint("batch_id IS NOT NULL OR state = 'withdrawn'", name="in_a_file"),
        Index(
            "uq_collection_live", "bill_id", unique=True,
            sqlite_where=text("state IN ('pending', 'settled')"), postgresql_where=text("state IN ('pending', 'settled')"),
        ),
        Index("ix_collection_customer", "customer_id", "bill_id"),
        Index("ix_collection_batch", "batch_id"),
        Index("ix_collection_returned", "returned_on"),
        Index("ix_collection_collect_on", "collect_on", "id"),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    bill_id: int
    mandate_id: int
    batch_id: int | None = Field(default=None, foreign_key="collection_batch.id")
    payment_id: int | None = None
    end_to_end_id: str = Field(max_length=35, unique=True)
    amount_cents: int
    sequence: Sequence = Field(sa_type=closed(Sequence))
    collect_on: date
    state: CollectionState = Field(sa_type=closed(CollectionState))
    holder: str = Field(max_length=120)
    iban: str = Field(max_length=34)
    amended: bool = False
    returned_on: date | None = None
    return_code: str | None = Field(default=None, max_length=4)
