"""How an issued bill reached a business over Peppol."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, closed


class EInvoiceState(StrEnum):
    """Whether an access point took it over."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


E_INVOICE_MOVES: dict[EInvoiceState, frozenset[EInvoiceState]] = {
    EInvoiceState.QUEUED: frozenset({EInvoiceState.SENT, EInvoiceState.FAILED}),
    EInvoiceState.SENT: frozenset(),
    EInvoiceState.FAILED: frozenset(),
}


class EInvoice(Base, table=True):
    """A row is one transmission of a bill, the first or a further one; the bill itself is the same each time.

    `message_id` is the reference of the transmission, the same however often it is tried; `receiver` is scheme:number. `access_point`
    says who took it over; without one it was simulated, and nothing left this installation. `sha256` is that of the document.
    """

    __tablename__ = "e_invoice"
    __table_args__ = (
        UniqueConstraint("customer_id", "bill_id", "attempt"),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        CheckConstraint("state <> 'sent' OR sha256 IS NOT NULL", name="sha256"),
        Index(
            "uq_e_invoice_queued", "customer_id", "bill_id", unique=True,
            sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_e_invoice_due", "due_at",
            sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    bill_id: int
    attempt: int
    message_id: str = Field(max_length=36, unique=True)
    receiver: str = Field(max_length=50)
    state: EInvoiceState = Field(default=EInvoiceState.QUEUED, sa_type=closed(EInvoiceState))
    tries: int = 0
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    access_point: str | None = Field(default=None, max_length=120)
    answer: str | None = Field(default=None, max_length=300)
    sha256: str | None = Field(default=None, max_length=64)
