"""The follow-up of unpaid bills: what was sent and for which bills, what is disputed, and who says that the money is on its way."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed
from core.models.communication import MessageChannel


class DunningStep(StrEnum):
    """A rung of the ladder, named as the state it leads to (W9); or the reminder of one more missed due date, which leads nowhere."""

    REMINDER1 = "reminder1"
    REMINDER2 = "reminder2"
    FORMAL_NOTICE = "formalNotice"
    RESTRICTED = "restricted"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    MISSED = "missedDueDate"


_OPEN = text("until IS NULL")


class DunningNotice(Base, table=True):
    """A row is one step that was taken and told. An episode begins with the first one and ends when nothing is left to claim.

    `free_until` is exclusive: the time to pay without any cost that the notice opens.
    """

    __tablename__ = "dunning_notice"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        UniqueConstraint("customer_id", "day"),
        CheckConstraint("episode >= 1", name="episode"),
        CheckConstraint("claimed_cents > 0", name="claimed_cents"),
        CheckConstraint("free_until > day", name="free_until"),
        Index(
            "uq_dunning_notice_rung", "customer_id", "episode", "step", unique=True,
            sqlite_where=text("step <> 'missedDueDate'"), postgresql_where=text("step <> 'missedDueDate'"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    episode: int
    step: DunningStep = Field(sa_type=closed(DunningStep))
    day: date
    channel: MessageChannel = Field(sa_type=closed(MessageChannel))
    claimed_cents: int
    free_until: date


class DunningClaim(Base, table=True):
    """A row is a bill that a notice names. The first one for a bill counts its missed due date in the year, and alone may cost (R24)."""

    __tablename__ = "dunning_claim"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "notice_id"], ["dunning_notice.customer_id", "dunning_notice.id"]),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("claimed_cents > 0", name="claimed_cents"),
        CheckConstraint("fee_cents = 0 OR (fee_cents > 0 AND missed_no IS NOT NULL)", name="fee_cents"),
        Index(
            "uq_dunning_claim_first", "customer_id", "bill_id", unique=True,
            sqlite_where=text("missed_no IS NOT NULL"), postgresql_where=text("missed_no IS NOT NULL"),
        ),
    )  # fmt: skip

    customer_id: int
    notice_id: int = Field(primary_key=True)
    bill_id: int = Field(primary_key=True)
    claimed_cents: int
    missed_no: int | None = None
    fee_cents: int = 0


class DisputeEnd(StrEnum):
    """Why nothing of a bill is contested any more."""

    DECIDED = "decided"
    PAID = "paid"
    CREDITED = "credited"


class BillDispute(Versioned, Base, table=True):
    """A row is an amount of a bill that the customer contests: until it is decided, it is not claimed (W9). `until` is exclusive."""

    __tablename__ = "bill_dispute"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("disputed_cents > 0", name="disputed_cents"),
        CheckConstraint("until IS NULL OR until >= since", name="dates"),
        CheckConstraint("(until IS NULL) = (outcome IS NULL)", name="outcome"),
        Index("uq_bill_dispute_open", "customer_id", "bill_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    bill_id: int
    disputed_cents: int
    reason: str = Field(max_length=200)
    since: date
    until: date | None = None
    outcome: DisputeEnd | None = Field(default=None, sa_type=closed(DisputeEnd))


class PaymentDeclaration(Base, table=True):
    """A row is a customer's word, with its proof, that the money is on its way: believed once a year, until a day (W9)."""

    __tablename__ = "payment_declaration"
    __table_args__ = (
        UniqueConstraint("customer_id", "year"),
        ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        CheckConstraint("until > day", name="dates"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    year: int
    day: date
    until: date
    proof: str = Field(max_length=200)
