"""What the bank said of our account."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.db.base import Base


class BankStatement(Base, table=True):
    """A row is one statement that was taken in, once: its number and day on an account are the bank's, `entry_count` its movements."""

    __tablename__ = "bank_statement"
    __table_args__ = (
        UniqueConstraint("account", "number", "day"),
        CheckConstraint("entry_count >= 0", name="entry_count"),
    )

    id: int = Field(default=None, primary_key=True)
    account: str = Field(max_length=34)
    number: str = Field(max_length=35)
    day: date
    opening_cents: int = Field(sa_type=BigInteger)
    closing_cents: int = Field(sa_type=BigInteger)
    entry_count: int
    sha256: str = Field(max_length=64)
    name: str = Field(max_length=120)
    imported_at: datetime
    imported_by: str = Field(max_length=60)
