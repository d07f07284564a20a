"""What customers were told about prices to come."""

from datetime import date

from sqlalchemy import CheckConstraint, PrimaryKeyConstraint
from sqlmodel import Field

from core.db.base import Base


class PriceNotice(Base, table=True):
    """A row is one customer who was told, once, that something he holds will cost more from a day on (R19)."""

    __tablename__ = "price_notice"
    __table_args__ = (
        PrimaryKeyConstraint("customer_id", "offering_code", "since"),
        CheckConstraint("after_cents > before_cents", name="rise"),
    )

    customer_id: int = Field(foreign_key="customer.id")
    offering_code: str = Field(max_length=40)
    since: date
    sent_on: date
    before_cents: int
    after_cents: int
