"""When we spoke with a customer, what we checked of the caller, and what is left to do for him."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class InteractionChannel(StrEnum):
    """How we spoke (TMF683)."""

    PHONE = "phone"
    EMAIL = "email"
    CHAT = "chat"
    SHOP = "shop"


class Team(StrEnum):
    """Who does what nobody took yet."""

    CARE = "care"
    BILLING = "billing"
    PRODUCT = "product"


class Interaction(Versioned, Base, table=True):
    """A row is one contact with a customer; without an end somebody is on the line, and an agent speaks with one at a time.

    `opened_at` and `seconds` are real time, which a demo's clock does not stop. `reason` is empty until the wrap-up, `note` holds its words.
    """

    __tablename__ = "interaction"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("ended_at IS NULL OR ended_at >= at", name="ended_at"),
        CheckConstraint("ended_at IS NULL OR reason <> ''", name="reason"),
        CheckConstraint("handed_to IS NULL OR ended_at IS NOT NULL", name="handed_to"),
        CheckConstraint("seconds >= 0", name="seconds"),
        Index("ix_interaction_customer", "customer_id", "at"),
        Index("ix_interaction_at", "at", "id"),
        Index(
            "uq_interaction_open", "agent", unique=True,
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    channel: InteractionChannel = Field(sa_type=closed(InteractionChannel))
    reason: str = Field(default="", max_length=80)
    at: datetime
    agent: str = Field(max_length=60)
    note: str = Field(default="", max_length=2000)
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: int | None = None
    handed_to: str | None = Field(default=None, max_length=60)


class CallerFact(StrEnum):
    """What a caller is asked for, two of them (W13)."""

    CUSTOMER_NO = "customerNo"
    BIRTH_DATE = "birthDate"
    BILL_AMOUNT = "billAmount"
    POSTCODE = "postcode"


class CallerCheck(Base, table=True):
    """A row is one answer of a caller, and whether it was right; what he said is nowhere."""

    __tablename__ = "caller_check"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "interaction_id"], ["interaction.customer_id", "interaction.id"]),
        Index("ix_caller_check_interaction", "customer_id", "interaction_id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    interaction_id: int
    fact: CallerFact = Field(sa_type=closed(CallerFact))
    matched: bool
    at: datetime


class Task(Versioned, Base, table=True):
    """A row is something left to do for a customer: `code` names it, or its `words` do. It has an owner, a team, or goes by its code."""

    __tablename__ = "task"
    __table_args__ = (
        CheckConstraint("owner IS NULL OR team IS NULL", name="owner"),
        CheckConstraint("done_by IS NULL OR done_at IS NOT NULL", name="done_by"),
        CheckConstraint("done_words IS NULL OR done_by IS NOT NULL", name="done_words"),
        CheckConstraint("code NOT IN ('free', 'handover') OR words IS NOT NULL", name="words"),
        Index("ix_task_customer", "customer_id"),
        Index("ix_task_created", "created_at", "id"),
        Index("ix_task_open", "due", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    code: str = Field(max_length=40)
    words: str | None = Field(default=None, max_length=200)
    due: date | None = None
    owner: str | None = Field(default=None, max_length=60)
    team: Team | None = Field(default=None, sa_type=closed(Team))
    created_at: datetime
    created_by: str = Field(default="system", max_length=60)
    done_at: datetime | None = None
    done_by: str | None = Field(default=None, max_length=60)
    done_words: str | None = Field(default=None, max_length=200)
