"""When we spoke with a customer, and what is left to do for him."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class InteractionChannel(StrEnum):
    """How we spoke (TMF683)."""

    PHONE = "phone"
    EMAIL = "email"
    CHAT = "chat"
    SHOP = "shop"


class Interaction(Base, table=True):
    """A row is one contact with a customer."""

    __tablename__ = "interaction"
    __table_args__ = (Index("ix_interaction_customer", "customer_id", "at"), Index("ix_interaction_at", "at", "id"))

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    channel: InteractionChannel = Field(sa_type=closed(InteractionChannel))
    reason: str = Field(max_length=80)
    at: datetime
    agent: str = Field(max_length=60)
    note: str = Field(default="", max_length=2000)


class Task(Versioned, Base, table=True):
    """A row is something left to do for a customer."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_customer", "customer_id"), Index("ix_task_created", "created_at", "id"))

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    code: str = Field(max_length=40)
    due: date | None = None
    created_at: datetime
    done_at: datetime | None = None
