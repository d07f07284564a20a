"""What the whole network was used for, by the hour: counted in the night, so that nobody sums up all events to look at it."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.db.base import Base, closed
from core.models.usage import UsageKind


class UsageHour(Base, table=True):
    """A row sums all events of one Brussels hour and kind, whoever's they are; `hour` 0 to 23."""

    __tablename__ = "usage_hour"
    __table_args__ = (
        UniqueConstraint("day", "hour", "kind"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
        CheckConstraint("events > 0", name="events"),
        CheckConstraint("quantity >= 0", name="quantity"),
    )

    id: int = Field(default=None, primary_key=True)
    day: date
    hour: int
    kind: UsageKind = Field(sa_type=closed(UsageKind))
    events: int = Field(sa_type=BigInteger)
    quantity: int = Field(sa_type=BigInteger)
