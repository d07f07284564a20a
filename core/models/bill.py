"""What was asked to be paid: bills, credit notes and their lines. An issued one never changes but in what is left to pay."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class BillCategory(StrEnum):
    """TMF678, with the bill that carries a customer from the old to the current model."""

    NORMAL = "normal"
    LAST = "last"
    TRANSITION = "transition"
    CREDIT_NOTE = "creditNote"


class BillState(StrEnum):
    """TMF678. Overdue is derived from the due date, never stored."""

    NEW = "new"
    SENT = "sent"
    PARTIALLY_PAID = "partiallyPaid"
    SETTLED = "settled"


BILL_MOVES: dict[BillState, frozenset[BillState]] = {
    BillState.NEW: frozenset({BillState.SENT, BillState.SETTLED}),
    BillState.SENT: frozenset({BillState.PARTIALLY_PAID, BillState.SETTLED}),
    BillState.PARTIALLY_PAID: frozenset({BillState.SENT, BillState.SETTLED}),
    BillState.SETTLED: frozenset({BillState.SENT, BillState.PARTIALLY_PAID}),  # A returned direct debit opens the bill again (R9).
}


class Bill(Versioned, Base, table=True):
    """A row is one bill or credit note. `printed` holds all that its PDF shows.

    `remaining_cents` is what is left to pay, on a credit note what is left to give back. With `mandate_id` it is collected, else it is
    paid by transfer; `payable_until` is the later date that a refused collection gave (R9). A credit note says why (`reason`, and for the
    house alone `comment`), and whose own limit it used up (W8): nobody's where a rule or a second person let it pass.
    """

    __tablename__ = "bill"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        ForeignKeyConstraint(["customer_id", "refers_to_id"], ["bill.customer_id", "bill.id"]),
        ForeignKeyConstraint(["customer_id", "mandate_id"], ["mandate.customer_id", "mandate.id"]),
        CheckConstraint("excl_cents + vat_cents = incl_cents", name="vat_adds_up"),
        CheckConstraint("remaining_cents BETWEEN 0 AND incl_cents + third_party_cents", name="remaining"),
        CheckConstraint("(state = 'settled') = (remaining_cents = 0)", name="settled"),
        CheckConstraint("(category = 'creditNote') = (ogm IS NULL)", name="ogm"),
        CheckConstraint("category = 'creditNote' OR (reason IS NULL AND comment IS NULL AND credited_by IS NULL)", name="credit"),
        Index("ix_bill_customer_date", "customer_id", "bill_date"),
        Index("ix_bill_date", "bill_date", "id"),
        Index(
            "ix_bill_open", "due_date", "id",
            sqlite_where=text("state <> 'settled' AND category <> 'creditNote'"),
            postgresql_where=text("state <> 'settled' AND category <> 'creditNote'"),
        ),
        Index(
            "uq_bill_day", "customer_id", "bill_date", unique=True,
            sqlite_where=text("category <> 'creditNote'"), postgresql_where=text("category <> 'creditNote'"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    bill_no: str = Field(max_length=10, unique=True)
    category: BillCategory = Field(default=BillCategory.NORMAL, sa_type=closed(BillCategory))
    bill_date: date
    due_date: date
    period_since: date
    period_until: date
    state: BillState = Field(sa_type=closed(BillState))
    excl_cents: int
    vat_cents: int
    incl_cents: int
    third_party_cents: int = 0
    credited_cents: int = 0
    remaining_cents: int
    ogm: str | None = Field(default=None, max_length=20, unique=True)
    refers_to_id: int | None = None
    reason: str | None = Field(default=None, max_length=40)
    comment: str | None = Field(default=None, max_length=200)
    credited_by: str | None = Field(default=None, max_length=60)
    payable_until: date | None = None
    mandate_id: int | None = None
    document_token: str = Field(max_length=32)
    printed: dict[str, Any] = Field(sa_type=JSON)
    issued_at: datetime


class LineKind(StrEnum):
    """The section of a bill a line belongs to (R13). A penalty makes good a damage, it is no price: it lies outside VAT (R24)."""

    ONE_OFF = "oneOff"
    SUBSCRIPTION = "subscription"
    OPTION = "option"
    USAGE = "usage"
    ADJUSTMENT = "adjustment"
    PENALTY = "penalty"
    THIRD_PARTY = "thirdParty"


class BillLine(Base, table=True):
    """A row is one line of a bill. Consumers' lines are priced with VAT, businesses' without (R4).

    A credit note's line may name the line of a bill that it credits, with `refers_bill_id` and `refers_ordinal`.
    """

    __tablename__ = "bill_line"
    __table_args__ = (
        PrimaryKeyConstraint("customer_id", "bill_id", "ordinal"),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        ForeignKeyConstraint(
            ["customer_id", "refers_bill_id", "refers_ordinal"], ["bill_line.customer_id", "bill_line.bill_id", "bill_line.ordinal"]
        ),
        CheckConstraint("(refers_bill_id IS NULL) = (refers_ordinal IS NULL)", name="refers"),
        CheckConstraint("refers_bill_id IS NULL OR amount_cents > 0", name="credited"),
    )

    customer_id: int
    bill_id: int
    ordinal: int
    kind: LineKind = Field(sa_type=closed(LineKind))
    code: str = Field(max_length=40)
    product_id: int | None = None
    detail: str | None = Field(default=None, max_length=200)
    since: date | None = None
    until: date | None = None
    quantity: int = 1
    unit: str = Field(default="piece", max_length=12)
    unit_price_cents: int = 0
    share_days: int | None = None
    month_days: int | None = None
    amount_cents: int
    refers_bill_id: int | None = None
    refers_ordinal: int | None = None


class BillCounter(Base, table=True):
    """A row holds the last number given out in a month's series, so that numbers have no gap."""

    __tablename__ = "bill_counter"

    series: str = Field(primary_key=True, max_length=6)
    last: int
