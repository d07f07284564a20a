"""What was paid, on which bill it counts, what was paid back, and plans to pay later."""

from datetime import date
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class PaymentState(StrEnum):
    """Whether a payment found its customer, was taken back by the bank, or by us from the wrong customer."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    RETURNED = "returned"
    MOVED = "moved"


class Payment(Versioned, Base, table=True):
    """A row is money that came in, by transfer or by direct debit.

    With a statement it stands in the bank's books, as the entry of that number; without one somebody wrote it down by hand. Money that
    was given to the wrong customer is `moved`: it stays in his file as history, and another row holds the money from then on.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        UniqueConstraint("statement_id", "entry_no"),
        CheckConstraint("(state = 'returned') = (returned_on IS NOT NULL)", name="returned"),
        CheckConstraint("(state = 'moved') = (moved_to_id IS NOT NULL)", name="moved"),
        CheckConstraint("(state = 'unmatched') = (customer_id IS NULL)", name="owner"),
        CheckConstraint("(statement_id IS NULL) = (entry_no IS NULL)", name="entry"),
        Index("ix_payment_customer", "customer_id", "received_on"),
        Index("ix_payment_payer_iban", "payer_iban"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    received_on: date
    amount_cents: int
    method: str = Field(max_length=20)
    state: PaymentState = Field(sa_type=closed(PaymentState))
    communication: str | None = Field(default=None, max_length=140)
    payer_name: str | None = Field(default=None, max_length=120)
    payer_iban: str | None = Field(default=None, max_length=34)
    mandate_id: int | None = Field(default=None, foreign_key="mandate.id")
    returned_on: date | None = None
    return_code: str | None = Field(default=None, max_length=4)
    statement_id: int | None = Field(default=None, foreign_key="bank_statement.id")
    entry_no: int | None = None
    bank_reference: str | None = Field(default=None, max_length=35)
    moved_to_id: int | None = Field(default=None, foreign_key="payment.id")


class PaymentAllocation(Base, table=True):
    """A row counts part of a payment on one bill (TMF678); a return or a correction reverses it."""

    __tablename__ = "payment_allocation"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "payment_id"], ["payment.customer_id", "payment.id"]),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        Index("ix_payment_allocation_bill", "customer_id", "bill_id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    payment_id: int
    bill_id: int
    amount_cents: int
    allocated_on: date
    reversed_on: date | None = None


class RefundState(StrEnum):
    """How far a refund has come."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    REJECTED = "rejected"


REFUND_MOVES: dict[RefundState, frozenset[RefundState]] = {
    RefundState.REQUESTED: frozenset({RefundState.COMPLETED, RefundState.REJECTED}),
    RefundState.COMPLETED: frozenset(),
    RefundState.REJECTED: frozenset(),
}


class Refund(Versioned, Base, table=True):
    """A row is money paid back to a customer's account: what a credit note gives, or what a payment holds too much."""

    __tablename__ = "refund"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "credit_note_id"], ["bill.customer_id", "bill.id"]),
        ForeignKeyConstraint(["customer_id", "payment_id"], ["payment.customer_id", "payment.id"]),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        CheckConstraint("(credit_note_id IS NULL) <> (payment_id IS NULL)", name="source"),
        CheckConstraint("(state = 'completed') = (completed_on IS NOT NULL)", name="completed"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    amount_cents: int
    iban: str = Field(max_length=34)
    state: RefundState = Field(sa_type=closed(RefundState))
    requested_on: date
    completed_on: date | None = None
    credit_note_id: int | None = None
    payment_id: int | None = None


class PlanState(StrEnum):
    """How far a payment plan has come (W8)."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


PLAN_MOVES: dict[PlanState, frozenset[PlanState]] = {
    PlanState.PROPOSED: frozenset({PlanState.ACTIVE, PlanState.WITHDRAWN}),
    PlanState.ACTIVE: frozenset({PlanState.KEPT, PlanState.BROKEN, PlanState.WITHDRAWN}),
    PlanState.KEPT: frozenset(),
    PlanState.BROKEN: frozenset(),
    PlanState.WITHDRAWN: frozenset(),
}
_LIVES = text("state IN ('proposed', 'active')")


class PaymentPlan(Versioned, Base, table=True):
    """A row is an agreement to pay what is open in instalments; how much of it is paid, its bills say."""

    __tablename__ = "payment_plan"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("total_cents > 0", name="total_cents"),
        CheckConstraint("(state IN ('proposed', 'active')) = (ended_on IS NULL)", name="ended_on"),
        CheckConstraint("state NOT IN ('active', 'kept', 'broken') OR accepted_on IS NOT NULL", name="accepted_on"),
        Index("uq_payment_plan_alive", "customer_id", unique=True, sqlite_where=_LIVES, postgresql_where=_LIVES),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    state: PlanState = Field(sa_type=closed(PlanState))
    proposed_on: date
    accepted_on: date | None = None
    ended_on: date | None = None
    total_cents: int


class PlanBill(Base, table=True):
    """A row is a bill in a payment plan, with what was open of it when the plan was made."""

    __tablename__ = "plan_bill"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id", "plan_id"], ["payment_plan.customer_id", "payment_plan.id"]),
        ForeignKeyConstraint(["customer_id", "bill_id"], ["bill.customer_id", "bill.id"]),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        Index("ix_plan_bill_bill", "customer_id", "bill_id"),
    )

    customer_id: int
    plan_id: int = Field(primary_key=True)
    bill_id: int = Field(primary_key=True)
    amount_cents: int


class Instalment(Base, table=True):
    """A row is one part of a payment plan."""

    __tablename__ = "instalment"
    __table_args__ = (
        UniqueConstraint("plan_id", "ordinal"),
        ForeignKeyConstraint(["customer_id", "plan_id"], ["payment_plan.customer_id", "payment_plan.id"]),
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        CheckConstraint("ordinal BETWEEN 1 AND 12", name="ordinal"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    plan_id: int
    ordinal: int
    due_date: date
    amount_cents: int
