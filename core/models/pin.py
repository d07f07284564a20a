"""The files that colleagues keep at hand."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from core.db.base import Base


class PinnedFile(Base, table=True):
    """A row is a customer's file that somebody of the house pinned for himself."""

    __tablename__ = "pinned_file"
    __table_args__ = (Index("ix_pinned_file_customer_id", "customer_id"),)

    user_id: int = Field(primary_key=True, foreign_key="user_account.id")
    customer_id: int = Field(primary_key=True, foreign_key="customer.id")
    pinned_at: datetime
