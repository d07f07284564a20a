"""Who did what, for whom, and when; and which clicks were already carried out."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index
from sqlmodel import Field

from core.db.base import Base


class AuditEntry(Base, table=True):
    """A row is one change, or one look at a customer's file, written in the transaction of what it tells about."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_customer", "customer_id", "id"),
        Index("ix_audit_entry_object", "object_type", "object_id", "id"),
        Index("ix_audit_entry_actor", "actor", "action", "customer_id"),
    )

    id: int = Field(default=None, primary_key=True)
    at: datetime
    business_at: datetime
    actor: str = Field(max_length=60)
    user_id: int | None = None
    customer_id: int | None = None
    action: str = Field(max_length=60)
    object_type: str = Field(max_length=40)
    object_id: str = Field(max_length=40)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    reason: str | None = Field(default=None, max_length=200)


class Operation(Base, table=True):
    """A row is a click that was carried out: the same key again returns its result and does nothing (S52)."""

    __tablename__ = "operation"

    key: str = Field(primary_key=True, max_length=64)
    actor: str = Field(max_length=60)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    at: datetime


class DemoClock(Base, table=True):
    """The one row says at which moment a demo's business time stands, and counts its resets."""

    __tablename__ = "demo_clock"

    id: int = Field(default=1, primary_key=True)
    moment: datetime
    resets: int = 0
