"""The bills of a day, made for all customers at once: a run that can be stopped and taken up again."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint
from sqlmodel import Field

from core.db.base import Base, closed


class BillRun(Base, table=True):
    """A row is the run of one day; it is finished once nobody waits in it."""

    __tablename__ = "bill_run"

    day: date = Field(primary_key=True)
    started_at: datetime
    started_by: str = Field(max_length=60)
    finished_at: datetime | None = None


class Outcome(StrEnum):
    """What came of a customer in a run."""

    WAITING = "waiting"
    ISSUED = "issued"
    NOTHING = "nothing"
    FAILED = "failed"


class BillRunItem(Base, table=True):
    """A row is one customer of a run, and what came of him: written in the transaction of his bill."""

    __tablename__ = "bill_run_item"
    __table_args__ = (
        PrimaryKeyConstraint("day", "customer_id"),
        ForeignKeyConstraint(["day"], ["bill_run.day"]),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("(outcome = 'issued') = (bill_id IS NOT NULL)", name="issued"),
        CheckConstraint("(outcome = 'failed') = (problem IS NOT NULL)", name="failed"),
        Index("ix_bill_run_item_outcome", "day", "outcome", "customer_id"),
    )

    day: date
    customer_id: int = Field(foreign_key="customer.id")
    outcome: Outcome = Field(default=Outcome.WAITING, sa_type=closed(Outcome))
    bill_id: int | None = None
    problem: str | None = Field(default=None, max_length=200)


class JobRun(Base, table=True):
    """A row is one job that was done for one day, and what it did."""

    __tablename__ = "job_run"
    __table_args__ = (PrimaryKeyConstraint("day", "job"),)

    day: date
    job: str = Field(max_length=40)
    done_at: datetime
    count: int
