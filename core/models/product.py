"""What a customer holds, and the alerts and caps on it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class ProductStatus(StrEnum):
    """TMF637."""

    CREATED = "created"
    PENDING_ACTIVE = "pendingActive"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    PENDING_TERMINATE = "pendingTerminate"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


S = ProductStatus
PRODUCT_MOVES: dict[ProductStatus, frozenset[ProductStatus]] = {
    S.CREATED: frozenset({S.PENDING_ACTIVE, S.ACTIVE, S.CANCELLED}),
    S.PENDING_ACTIVE: frozenset({S.ACTIVE, S.CANCELLED}),
    S.ACTIVE: frozenset({S.SUSPENDED, S.PENDING_TERMINATE, S.TERMINATED, S.CANCELLED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.TERMINATED}),
    S.PENDING_TERMINATE: frozenset({S.ACTIVE, S.TERMINATED}),
    S.TERMINATED: frozenset(),
    S.CANCELLED: frozenset(),
}


class Product(Versioned, Base, table=True):
    """A row is one offering that a customer holds from `since` until `until` (exclusive); an option hangs under its parent."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        ForeignKeyConstraint(["customer_id", "parent_id"], ["product.customer_id", "product.id"]),
        CheckConstraint("until IS NULL OR until >= since", name="dates"),
        CheckConstraint("ordinal >= 1", name="ordinal"),
        Index(
            "uq_product_open_option", "parent_id", "offering_code", "ordinal", unique=True,
            sqlite_where=text("until IS NULL AND parent_id IS NOT NULL"), postgresql_where=text("until IS NULL AND parent_id IS NOT NULL"),
        ),
        Index("ix_product_line", "line"),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    product_no: str = Field(max_length=12, unique=True)
    offering_code: str = Field(max_length=40)
    parent_id: int | None = None
    ordinal: int = 1
    since: date
    until: date | None = None
    status: ProductStatus = Field(default=ProductStatus.ACTIVE, sa_type=closed(ProductStatus))
    line: str | None = Field(default=None, max_length=16)
    user_name: str | None = Field(default=None, max_length=100)
    is_minor: bool = False
    provisioned_at: datetime | None = None


class AlertMetric(StrEnum):
    """What an alert watches (W4)."""

    BUNDLE_PERCENT = "bundlePercent"
    OVER_CENTS = "overCents"


class AlertChannel(StrEnum):
    """Where an alert is sent."""

    SMS = "sms"
    EMAIL = "email"
    BOTH = "both"


class UsageAlert(Versioned, Base, table=True):
    """A row is a warning a customer asked for on one line: it tells, it never blocks. No row means the legal default (R18)."""

    __tablename__ = "usage_alert"
    __table_args__ = (
        UniqueConstraint("product_id", "metric"),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        CheckConstraint("threshold IS NULL OR threshold >= 0", name="threshold"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    product_id: int
    metric: AlertMetric = Field(sa_type=closed(AlertMetric))
    threshold: int | None = None
    channel: AlertChannel = Field(default=AlertChannel.BOTH, sa_type=closed(AlertChannel))
    set_at: datetime


class UsageAlertSent(Base, table=True):
    """A row is a threshold of a line that was passed in a period, and told: once."""

    __tablename__ = "usage_alert_sent"
    __table_args__ = (
        PrimaryKeyConstraint("product_id", "metric", "threshold", "period_since"),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        Index("ix_usage_alert_sent_customer", "customer_id"),
    )

    customer_id: int
    product_id: int
    metric: AlertMetric = Field(sa_type=closed(AlertMetric))
    threshold: int
    period_since: date
    sent_at: datetime


class UsageCap(Versioned, Base, table=True):
    """A row is a limit in cents above the bundle, after which a line is blocked until the period ends; 0 also blocks premium numbers."""

    __tablename__ = "usage_cap"
    __table_args__ = (
        UniqueConstraint("product_id"),
        ForeignKeyConstraint(["customer_id", "product_id"], ["product.customer_id", "product.id"]),
        CheckConstraint("cap_cents >= 0", name="cap_cents"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    product_id: int
    cap_cents: int
    set_at: datetime
