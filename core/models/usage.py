"""What was used: one row per event in the order it is read, and a roll-up per day kept in the same transaction."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlmodel import Field

from core.db.base import Base, closed


class UsageKind(StrEnum):
    """What was used. Quantities: data and tv in kB and seconds, voice in seconds, messages in pieces; premium in seconds or pieces."""

    DATA = "data"
    VOICE = "voice"
    SMS = "sms"
    MMS = "mms"
    PREMIUM = "premium"
    TV = "tv"


class Direction(StrEnum):
    """Which way it went."""

    OUT = "out"
    IN = "in"


class Zone(StrEnum):
    """Where it was used, or called to."""

    NATIONAL = "national"
    EU = "eu"
    WORLD = "world"
    PREMIUM = "premium"


class Tariff(StrEnum):
    """How it is charged. `free` uses no bundle (what comes in, 0800); `world` has prices of its own, outside every bundle."""

    INCLUDED = "included"
    OFFPEAK = "offpeak"
    PEAK = "peak"
    OVER = "over"
    THIRD_PARTY = "thirdParty"
    FREE = "free"
    WORLD = "world"


class UsageEvent(Base, table=True):
    """A row is one call, message, data session, premium service or programme watched. A row is in one of two small indexes: billed, or open."""

    __tablename__ = "usage_event"
    __table_args__ = (
        PrimaryKeyConstraint("customer_id", "product_id", "at", "id"),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        CheckConstraint("quantity >= 0 AND over_quantity >= 0 AND over_quantity <= quantity", name="quantity"),
        CheckConstraint("charged_cents >= 0", name="charged_cents"),
        Index(
            "ix_usage_event_bill", "customer_id", "bill_id",
            sqlite_where=text("bill_id IS NOT NULL"), postgresql_where=text("bill_id IS NOT NULL"),
        ),
        Index(
            "ix_usage_event_open", "customer_id", "at",
            sqlite_where=text("bill_id IS NULL"), postgresql_where=text("bill_id IS NULL"),
        ),
        {"sqlite_with_rowid": False},
    )  # fmt: skip

    customer_id: int
    product_id: int
    at: datetime
    id: int = Field(sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    kind: UsageKind = Field(sa_type=closed(UsageKind))
    direction: Direction = Field(default=Direction.OUT, sa_type=closed(Direction))
    zone: Zone = Field(default=Zone.NATIONAL, sa_type=closed(Zone))
    country: str | None = Field(default=None, max_length=2)
    tariff: Tariff = Field(default=Tariff.INCLUDED, sa_type=closed(Tariff))
    other_party: str | None = Field(default=None, max_length=20)
    quantity: int = Field(sa_type=BigInteger)
    over_quantity: int = Field(default=0, sa_type=BigInteger)
    charged_cents: int = Field(default=0, sa_type=BigInteger)
    bill_id: int | None = Field(default=None, foreign_key="bill.id")


class UsageDay(Base, table=True):
    """A row sums a product's events of one Brussels day, kind and tariff."""

    __tablename__ = "usage_day"
    __table_args__ = (
        PrimaryKeyConstraint("customer_id", "product_id", "day", "kind", "tariff"),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        {"sqlite_with_rowid": False},
    )

    customer_id: int
    product_id: int
    day: date
    kind: UsageKind = Field(sa_type=closed(UsageKind))
    tariff: Tariff = Field(sa_type=closed(Tariff))
    events: int
    quantity: int = Field(sa_type=BigInteger)
    over_quantity: int = Field(default=0, sa_type=BigInteger)
    charged_cents: int = Field(default=0, sa_type=BigInteger)
