"""What was written to a customer."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from core.db.base import Base, closed
from core.models.customer import Language


class MessageChannel(StrEnum):
    """How a message travels (TMF681)."""

    EMAIL = "email"
    SMS = "sms"
    LETTER = "letter"
    PORTAL = "portal"


class MessageState(StrEnum):
    """TMF681."""

    INITIAL = "initial"
    IN_PROGRESS = "inProgress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Communication(Base, table=True):
    """A row is one message as it was sent, in the customer's language, read or not; `secret` is what staff may not see in it."""

    __tablename__ = "communication"
    __table_args__ = (
        Index("ix_communication_customer", "customer_id", "sent_at"),
        Index(
            "ix_communication_waiting", "next_try_at",
            sqlite_where=text("state IN ('initial', 'inProgress')"), postgresql_where=text("state IN ('initial', 'inProgress')"),
        ),
        CheckConstraint("tries >= 0", name="tries"),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    template: str = Field(max_length=40)
    channel: MessageChannel = Field(sa_type=closed(MessageChannel))
    language: Language = Field(sa_type=closed(Language))
    receiver: str = Field(max_length=254)
    subject: str = Field(max_length=200)
    body: str
    secret: str | None = Field(default=None, max_length=300)
    state: MessageState = Field(default=MessageState.COMPLETED, sa_type=closed(MessageState))
    sent_at: datetime
    read_at: datetime | None = None
    tries: int = 0
    next_try_at: datetime | None = None
    problem: str | None = Field(default=None, max_length=200)
