"""How a customer is billed and pays."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class BillModel(StrEnum):
    """`legacy`: anniversary day, 12 bills; `current`: calendar month in advance, 24 bills."""

    LEGACY = "legacy"
    CURRENT = "current"


class BillMedia(StrEnum):
    """How the bill reaches the customer."""

    PDF = "pdf"
    PAPER = "paper"
    PEPPOL = "peppol"


class PaymentMethod(StrEnum):
    """How the customer pays."""

    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"


class DunningState(StrEnum):
    """How far the follow-up of unpaid bills has come (W9)."""

    NONE = "none"
    REMINDER1 = "reminder1"
    REMINDER2 = "reminder2"
    FORMAL_NOTICE = "formalNotice"
    RESTRICTED = "restricted"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class HoldReason(StrEnum):
    """Why nothing is claimed for a time: the ombudsman took the case (R22), or the house looks into it itself, or the holder is said to have died."""

    OMBUDSMAN = "ombudsman"
    INQUIRY = "inquiry"
    DECEASED = "deceased"


class BillingAccount(Versioned, Base, table=True):
    """A row says how one customer is billed and pays (TMF666). Nothing is claimed from `dunning_hold_since` until `dunning_hold_until`."""

    __tablename__ = "billing_account"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("cycle_day BETWEEN 1 AND 31", name="cycle_day"),
        CheckConstraint("payment_due_days BETWEEN 1 AND 60", name="payment_due_days"),
        CheckConstraint("(dunning_hold_until IS NULL) = (dunning_hold_since IS NULL)", name="dunning_hold_since"),
        CheckConstraint("(dunning_hold_until IS NULL) = (dunning_hold_reason IS NULL)", name="dunning_hold_reason"),
        CheckConstraint("dunning_hold_until > dunning_hold_since", name="dunning_hold_dates"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", unique=True)
    bill_model: BillModel = Field(default=BillModel.CURRENT, sa_type=closed(BillModel))
    migrate_on: date | None = None
    cycle_day: int = 1
    media: BillMedia = Field(default=BillMedia.PDF, sa_type=closed(BillMedia))
    payment_method: PaymentMethod = Field(default=PaymentMethod.TRANSFER, sa_type=closed(PaymentMethod))
    payment_due_days: int = 15
    order_reference: str | None = Field(default=None, max_length=50)
    peppol_id: str | None = Field(default=None, max_length=50)
    easy_switch_id: str = Field(max_length=20, unique=True)
    dunning_state: DunningState = Field(default=DunningState.NONE, sa_type=closed(DunningState))
    dunning_hold_since: date | None = None
    dunning_hold_until: date | None = None
    dunning_hold_reason: HoldReason | None = Field(default=None, sa_type=closed(HoldReason))
