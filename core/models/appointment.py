"""Technician visits and the half days in which they can take place."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class DayPart(StrEnum):
    """The half days of R21: a technician's slot is never longer."""

    MORNING = "08-12"
    AFTERNOON = "12-17"


class TimeSlot(Base, table=True):
    """A row is one half day of the technicians of a zone; `booked` never passes `capacity`."""

    __tablename__ = "time_slot"
    __table_args__ = (
        UniqueConstraint("zone", "day", "part"),
        CheckConstraint("booked BETWEEN 0 AND capacity", name="booked"),
    )

    id: int = Field(default=None, primary_key=True)
    zone: str = Field(max_length=8)
    day: date
    part: DayPart = Field(sa_type=closed(DayPart))
    capacity: int
    booked: int = 0


class AppointmentCategory(StrEnum):
    """Why a technician comes."""

    INSTALLATION = "installation"
    REPAIR = "repair"
    MOVE = "move"


class AppointmentState(StrEnum):
    """TMF646; `failed` is a visit that did not take place."""

    INITIALIZED = "initialized"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


S = AppointmentState
APPOINTMENT_MOVES: dict[AppointmentState, frozenset[AppointmentState]] = {
    S.INITIALIZED: frozenset({S.CONFIRMED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.COMPLETED, S.FAILED, S.CANCELLED}),
    S.COMPLETED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}


class Failure(StrEnum):
    """Why a visit failed."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    NO_ACCESS = "noAccess"


class Appointment(Versioned, Base, table=True):
    """A row is one visit of a technician at a customer's; `sequence` counts its changes for the calendar file."""

    __tablename__ = "appointment"
    __table_args__ = (
        UniqueConstraint("customer_id", "id"),
        CheckConstraint("(state = 'failed') = (failed_by IS NOT NULL)", name="failed_by"),
        Index("ix_appointment_customer", "customer_id", "day"),
        Index("ix_appointment_day", "day", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    appointment_no: str = Field(max_length=14, unique=True)
    category: AppointmentCategory = Field(sa_type=closed(AppointmentCategory))
    state: AppointmentState = Field(sa_type=closed(AppointmentState))
    slot_id: int | None = Field(default=None, foreign_key="time_slot.id")
    zone: str = Field(max_length=8)
    day: date
    part: DayPart = Field(sa_type=closed(DayPart))
    place: str = Field(max_length=250)
    contact_phone: str | None = Field(default=None, max_length=16)
    sequence: int = 0
    self_moves: int = 0
    fee_cents: int = 0
    fee_reason: str | None = Field(default=None, max_length=60)
    failed_by: Failure | None = Field(default=None, sa_type=closed(Failure))
    created_at: datetime


class AppointmentMove(Base, table=True):
    """A row remembers where a visit was before it moved."""

    __tablename__ = "appointment_move"
    __table_args__ = (ForeignKeyConstraint(["customer_id", "appointment_id"], ["appointment.customer_id", "appointment.id"]),)

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    appointment_id: int
    from_day: date
    from_part: DayPart = Field(sa_type=closed(DayPart, "from_part"))
    to_day: date
    to_part: DayPart = Field(sa_type=closed(DayPart, "to_part"))
    moved_by: str = Field(max_length=60)
    moved_at: datetime
    reason: str | None = Field(default=None, max_length=200)
