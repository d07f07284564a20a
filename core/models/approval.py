"""What one colleague asks for and another one lets pass (W8)."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class ApprovalKind(StrEnum):
    """What is asked for."""

    CREDIT = "credit"
    REFUND = "refund"


class ApprovalState(StrEnum):
    """How far a request has come."""

    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


S = ApprovalState
APPROVAL_MOVES: dict[ApprovalState, frozenset[ApprovalState]] = {
    S.PENDING: frozenset({S.APPROVED, S.REFUSED, S.WITHDRAWN, S.EXPIRED}),
    S.APPROVED: frozenset(),
    S.REFUSED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.EXPIRED: frozenset(),
}


class Approval(Versioned, Base, table=True):
    """A row is one request: `payload` holds it whole, `subject` names the paper it is about; one waits per paper, and nobody decides his own."""

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("(decided_at IS NULL) = (decided_by IS NULL)", name="decided_by"),
        CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by <> requested_by", name="two_people"),
        Index(
            "uq_approval_waiting", "customer_id", "kind", "subject", unique=True,
            sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_approval_state", "state", "id"),
        Index("ix_approval_requested", "requested_at", "id"),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    kind: ApprovalKind = Field(sa_type=closed(ApprovalKind))
    subject: str = Field(max_length=20)
    payload: dict[str, Any] = Field(sa_type=JSON)
    amount_cents: int
    reason: str = Field(max_length=40)
    comment: str = Field(max_length=200)
    state: ApprovalState = Field(default=ApprovalState.PENDING, sa_type=closed(ApprovalState))
    requested_by: str = Field(max_length=60)
    requested_by_id: int | None = Field(default=None, foreign_key="user_account.id")
    requested_at: datetime
    decided_by: str | None = Field(default=None, max_length=60)
    decided_by_id: int | None = Field(default=None, foreign_key="user_account.id")
    decided_at: datetime | None = None
    note: str | None = Field(default=None, max_length=200)
