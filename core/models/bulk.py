"""The same action on many: what it would do, what it did, row by row."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class BulkState(StrEnum):
    """How far a run has come: tried out, under way, stopped by somebody, or through."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


S = BulkState
BULK_MOVES: dict[BulkState, frozenset[BulkState]] = {
    S.DRAFT: frozenset({S.RUNNING}),
    S.RUNNING: frozenset({S.STOPPED, S.FINISHED}),
    S.STOPPED: frozenset({S.RUNNING}),
    S.FINISHED: frozenset({S.RUNNING}),  # What failed is tried again.
}


class RowState(StrEnum):
    """What came of a row; an excluded one is never tried."""

    EXCLUDED = "excluded"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class BulkRun(Versioned, Base, table=True):
    """A row is one action on a selection: `where_` tells the filter it came from, `at_once` that all rows are done, or none."""

    __tablename__ = "bulk_run"
    __table_args__ = (
        CheckConstraint("amount_cents >= 0", name="amount_cents"),
        CheckConstraint("(state = 'finished') = (finished_at IS NOT NULL)", name="finished"),
        Index("ix_bulk_run_by", "created_by", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    action: str = Field(max_length=40)
    noun: str = Field(max_length=20)
    where_: str = Field(default="", max_length=2000)
    params: dict[str, Any] = Field(sa_type=JSON)
    state: BulkState = Field(default=BulkState.DRAFT, sa_type=closed(BulkState))
    at_once: bool = False
    amount_cents: int = 0
    created_by: str = Field(max_length=60)
    created_at: datetime
    finished_at: datetime | None = None


class BulkRow(Base, table=True):
    """A row is one object of a run, and what came of it: written in the transaction of the action itself, so that it happens once.

    `account_version` is the customer's account as it was tried out, where the action writes on it. `problem` is the English sentence of a
    refusal with its `problem_params`.
    """

    __tablename__ = "bulk_row"
    __table_args__ = (
        PrimaryKeyConstraint("run_id", "ordinal"),
        ForeignKeyConstraint(["run_id"], ["bulk_run.id"]),
        CheckConstraint("(state IN ('excluded', 'failed')) = (problem IS NOT NULL)", name="problem"),
        CheckConstraint("(state IN ('done', 'failed')) = (tried_at IS NOT NULL)", name="tried"),
        Index("ix_bulk_row_state", "run_id", "state", "ordinal"),
    )

    run_id: int
    ordinal: int
    object_id: int
    customer_id: int = Field(foreign_key="customer.id")
    subject: str = Field(max_length=40)
    amount_cents: int = 0
    account_version: int | None = None
    state: RowState = Field(default=RowState.WAITING, sa_type=closed(RowState))
    problem: str | None = Field(default=None, max_length=300)
    problem_params: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    tried_at: datetime | None = None
