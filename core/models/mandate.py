"""Direct debit: what a customer signed."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class MandateState(StrEnum):
    """R8 and the table of vocabulary: a mandate lives from its signature to its end."""

    DRAFT = "draft"
    PENDING_SIGNATURE = "pendingSignature"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


S = MandateState
MANDATE_MOVES: dict[MandateState, frozenset[MandateState]] = {
    S.DRAFT: frozenset({S.PENDING_SIGNATURE, S.CANCELLED}),
    S.PENDING_SIGNATURE: frozenset({S.ACTIVE, S.CANCELLED}),
    S.ACTIVE: frozenset({S.SUSPENDED, S.CANCELLED, S.EXPIRED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.CANCELLED}),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}


class Mandate(Versioned, Base, table=True):
    """A row is one SEPA mandate; a customer has at most one that is running or waits for its signature."""

    __tablename__ = "mandate"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("state <> 'active' OR signed_on IS NOT NULL", name="signed"),
        Index("ix_mandate_requested", "requested_at", "id"),
        Index(
            "uq_mandate_running", "customer_id", unique=True,
            sqlite_where=text("state IN ('draft', 'pendingSignature', 'active', 'suspended')"),
            postgresql_where=text("state IN ('draft', 'pendingSignature', 'active', 'suspended')"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    umr: str = Field(max_length=35, unique=True)
    state: MandateState = Field(sa_type=closed(MandateState))
    holder: str = Field(max_length=120)
    iban: str = Field(max_length=34)
    requested_at: datetime
    signed_on: date | None = None
    cancelled_on: date | None = None
    cancel_reason: str | None = Field(default=None, max_length=60)
    last_used_on: date | None = None
    amends_iban: str | None = Field(default=None, max_length=34)
    pending_iban: str | None = Field(default=None, max_length=34)
    pending_holder: str | None = Field(default=None, max_length=120)
    code_hash: str | None = Field(default=None, max_length=64)
    code_expires_at: datetime | None = None
    code_failures: int = 0
