"""Visits of a technician: planned, moved, cancelled and closed (TMF646, W14)."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select

from core import catalogue, clock
from core.actor import Actor, Permission
from core.db import ask
from core.errors import N_, DomainError, NotFound
from core.models.appointment import Appointment, AppointmentCategory, AppointmentMove, AppointmentState, DayPart, Failure
from core.models.customer import Customer, CustomerStatus
from core.services import audit, communications, slots, visits
from core.services.visits import Place, Visit
from core.text_rules import normalise

PAST_SHOWN = 20
REASON_LENGTH = 200


class FileClosed(DomainError):
    """The customer has left."""

    message = N_("This file is closed: its visits can only be read.")


class TooLate(DomainError):
    """The cut-off has passed, and the actor may not override it."""

    message = N_("This visit could be changed until {until}. Call {phone}: a colleague can still do it.")


class ReasonNeeded(DomainError):
    """The cut-off has passed; who may override it says why."""

    message = N_("This visit could be changed until {until}. Give the reason for changing it now.")
    field = "reason"


class NoMovesLeft(DomainError):
    """The customer has moved the visit as often as he may."""

    message = N_("This visit has been moved {count} times, which is the most you can do yourself. Call {phone}.")


class NotComing(DomainError):
    """The visit is over, or was cancelled."""

    message = N_("This visit is over or cancelled. Plan a new one.")


class AlreadyPlanned(DomainError):
    """One visit of a kind at a time."""

    message = N_("A visit of this kind is already planned on {day}. Move that one.")


class SameSlot(DomainError):
    """Nothing would change."""

    message = N_("The visit is already planned on this half day. Choose another one.")
    field = "slot"


class OfHouseMove(DomainError):
    """A running house move needs its visit."""

    message = N_("This visit belongs to a house move. Choose another day for it, or cancel the house move.")


class NotYet(DomainError):
    """A visit has no outcome before it begins."""

    message = N_("This visit begins on {start}. Its outcome can be noted from then on.")


@dataclass(frozen=True)
class Visits:
    """All visits of a customer, the next one and the latest one first, and what can be planned at home."""

    coming: tuple[Visit, ...]
    past: tuple[Visit, ...]
    home: Place | None
    plannable: tuple[AppointmentCategory, ...]


@dataclass(frozen=True)
class NextVisit:
    """The next visit, for the band above the tabs."""

    day: date
    part: DayPart
    category: AppointmentCategory
    state: AppointmentState


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> Visits:
    """Return a customer's visits; of the past ones the latest twenty."""
    actor.require(Permission.APPOINTMENT_READ, customer_id)
    found = visits.of_file(session, customer_id)
    coming = tuple(visit for visit in found if visit.coming)
    past = tuple(visit for visit in reversed(found) if not visit.coming)[:PAST_SHOWN]
    home = visits.home_of(session, customer_id)
    status = session.exec(select(Customer.status).where(Customer.id == customer_id)).first()
    open_file = home and status is not CustomerStatus.CLOSED and actor.may(Permission.APPOINTMENT_WRITE)
    kinds = [AppointmentCategory.REPAIR, AppointmentCategory.INSTALLATION] if actor.staff else [AppointmentCategory.REPAIR]
    taken = {visit.category for visit in coming}
    return Visits(coming, past, home, tuple(kind for kind in kinds if kind not in taken) if open_file else ())


def find(session: Session, actor: Actor, *, customer_id: int, appointment_no: str) -> Visit:
    """Return one visit by its number. Raises NotFound for one of another customer."""
    actor.require(Permission.APPOINTMENT_READ, customer_id)
    found = visits.of_file(session, customer_id, Appointment.appointment_no == appointment_no)
    if not found:
        raise NotFound
    return found[0]


def next_of(session: Session, customer_id: int) -> NextVisit | None:
    """Return the next visit of a customer whose file is already open."""
    coming = ask(session, _coming_query(), customer_id=customer_id, today=clock.today())
    return next((NextVisit(*row) for row in coming if clock.now() < slots.ends_at(row[0], row[1])), None)


@cache
def _coming_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of four columns
    """Make the query of `next_of` once: the band asks it on every page."""
    mine = Appointment.customer_id == bindparam("customer_id")
    return (
        select(Appointment.day, Appointment.part, Appointment.category, Appointment.state)  # type: ignore[call-overload]
        .where(mine, Appointment.state == AppointmentState.CONFIRMED, Appointment.day >= bindparam("today"))
        .order_by(col(Appointment.day), col(Appointment.part))
    )


def book(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    category: AppointmentCategory,
    slot_id: int,
    place: Place | None = None,
    contact_phone: str | None = None,
) -> Visit:
    """Plan a visit, at the customer's address unless another place is named, and confirm it by a message.

    Raises FileClosed, AlreadyPlanned, SlotNotOffered, SlotTaken or AllTaken.
    """
    actor.require(Permission.APPOINTMENT_WRITE, customer_id)
    language = _lock(session, customer_id)
    place = place or visits.home_of(session, customer_id)
    if place is None:
        raise NotFound
    for visit in visits.of_file(session, customer_id, Appointment.category == category, Appointment.state == AppointmentState.CONFIRMED):
        if visit.coming:
            raise AlreadyPlanned(day=visit.day)
    half_day = slots.offered(slot_id, zone=slots.zone_of(place.postcode), category=category)
    slots.take(session, half_day, category=category)
    fee_cents, fee_reason = visits.fee_of(session, customer_id=customer_id, category=category, day=half_day.day)
    row = Appointment(
        customer_id=customer_id,
        appointment_no=_next_number(session, customer_id),
        category=category,
        state=AppointmentState.CONFIRMED,
        slot_id=half_day.id,
        zone=half_day.zone,
        day=half_day.day,
        part=half_day.part,
        place=place.text,
        contact_phone=contact_phone,
        fee_cents=fee_cents,
        fee_reason=fee_reason,
        created_at=clock.now(),
    )
    session.add(row)
    session.flush()
    _record(session, actor, row, "book", after=_when(row))
    _tell(session, actor, row, language, "appointment_confirmed")
    return _visit(session, row)


def move(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    appointment_id: int,
    shown_version: int,
    slot_id: int,
    reason: str | None = None,
) -> Visit:
    """Put a visit on another half day: the new place is taken before the old one is freed, or nothing changes (W14).

    Its price stays. Raises what `book` raises, and NotComing, SameSlot, TooLate, ReasonNeeded or NoMovesLeft.
    """
    actor.require(Permission.APPOINTMENT_WRITE, customer_id)
    language, row = _open(session, customer_id, appointment_id, shown_version)
    visit = _visit(session, row)
    reason = _may_change(actor, visit, reason)
    if not actor.staff and not visit.moves_left:
        raise NoMovesLeft(count=row.self_moves, phone=slots.phone())
    half_day = slots.offered(slot_id, zone=row.zone, category=row.category)
    if (half_day.day, half_day.part) == (row.day, row.part):
        raise SameSlot
    slots.take(session, half_day, category=row.category, giving_back=row.slot_id)
    before = _when(row)
    session.add(
        AppointmentMove(
            customer_id=customer_id,
            appointment_id=row.id,
            from_day=row.day,
            from_part=row.part,
            to_day=half_day.day,
            to_part=half_day.part,
            moved_by=actor.username,
            moved_at=clock.now(),
            reason=reason,
        )
    )
    row.slot_id, row.day, row.part = half_day.id, half_day.day, half_day.part
    row.sequence += 1
    row.self_moves += not actor.staff
    session.flush()
    _record(session, actor, row, "move", before=before, after=_when(row), reason=reason)
    _tell(session, actor, row, language, "appointment_moved")
    return _visit(session, row)


def cancel(
    session: Session, actor: Actor, *, customer_id: int, appointment_id: int, shown_version: int, reason: str | None = None
) -> Visit:
    """Cancel a visit and free its half day. Raises NotComing, TooLate, ReasonNeeded, or OfHouseMove while that move runs."""
    actor.require(Permission.APPOINTMENT_WRITE, customer_id)
    language, row = _open(session, customer_id, appointment_id, shown_version)
    visit = _visit(session, row)
    reason = _may_change(actor, visit, reason)
    if visit.house_move:
        raise OfHouseMove
    if row.slot_id is not None:
        slots.give_back(session, row.slot_id)
    row.slot_id, row.state = None, AppointmentState.CANCELLED
    row.sequence += 1
    session.flush()
    _record(session, actor, row, "cancel", before=_when(row), reason=reason)
    _tell(session, actor, row, language, "appointment_cancelled")
    return _visit(session, row)


def complete(
    session: Session, actor: Actor, *, customer_id: int, appointment_id: int, shown_version: int, network_fault: bool = False
) -> Visit:
    """Note that a visit took place; a fault in the network costs the customer nothing. Raises NotComing or NotYet."""
    _language, row = _to_close(session, actor, customer_id, appointment_id, shown_version)
    row.state = AppointmentState.COMPLETED
    if network_fault:
        row.fee_cents, row.fee_reason = 0, visits.NETWORK_FAULT
    return _close(session, actor, row, "complete")


def fail(
    session: Session, actor: Actor, *, customer_id: int, appointment_id: int, shown_version: int, by: Failure, waive: bool = False
) -> Visit:
    """Note that a visit did not take place. Raises NotComing or NotYet.

    An absent customer pays for it unless that is waived; when it is us, `credit_cents` of the answer is what we owe him (R21).
    """
    language, row = _to_close(session, actor, customer_id, appointment_id, shown_version)
    row.state, row.failed_by = AppointmentState.FAILED, by
    charged = by is Failure.CUSTOMER and not waive
    row.fee_cents = catalogue.catalogue().fees["FEE_TECHNICIAN"].cents if charged else 0
    row.fee_reason = {Failure.CUSTOMER: visits.WAIVED if waive else visits.CUSTOMER_ABSENT}.get(by)
    if by is Failure.OPERATOR:
        _tell(session, actor, row, language, "appointment_failed_by_us")
    return _close(session, actor, row, "fail")


def _lock(session: Session, customer_id: int) -> str:
    """Let one change of a customer's visits happen at a time. Raises NotFound, or FileClosed for one who left."""
    row = session.exec(select(Customer.status, Customer.language).where(Customer.id == customer_id).with_for_update(key_share=True)).first()
    if row is None:
        raise NotFound
    if row[0] is CustomerStatus.CLOSED:
        raise FileClosed
    return row[1]


def _open(session: Session, customer_id: int, appointment_id: int, shown_version: int) -> tuple[str, Appointment]:
    language = _lock(session, customer_id)
    row = session.exec(
        select(Appointment)
        .where(Appointment.customer_id == customer_id, Appointment.id == appointment_id)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "appointment", row.id)
    return language, row


def _may_change(actor: Actor, visit: Visit, reason: str | None) -> str | None:
    """Let through before the cut-off; after it, who may override it says why. Returns the reason to keep."""
    if not visit.coming:
        raise NotComing
    if visit.in_time:
        return None
    if not actor.may(Permission.APPOINTMENT_OVERRIDE):
        raise TooLate(until=visit.cut_off_at, phone=slots.phone())
    given = normalise(reason or "", field="reason", length=REASON_LENGTH)
    if not given:
        raise ReasonNeeded(until=visit.cut_off_at)
    return given


def _to_close(session: Session, actor: Actor, customer_id: int, appointment_id: int, shown_version: int) -> tuple[str, Appointment]:
    actor.require(Permission.APPOINTMENT_OVERRIDE, customer_id)
    language, row = _open(session, customer_id, appointment_id, shown_version)
    if row.state is not AppointmentState.CONFIRMED:
        raise NotComing
    if clock.now() < slots.starts_at(row.day, row.part):
        raise NotYet(start=slots.starts_at(row.day, row.part))
    return language, row


def _close(session: Session, actor: Actor, row: Appointment, verb: str) -> Visit:
    session.flush()
    _record(session, actor, row, verb, after={"state": row.state, "failed_by": row.failed_by, "fee_cents": row.fee_cents})
    return _visit(session, row)


def _when(row: Appointment) -> audit.Facts:
    return {"day": row.day, "part": row.part}


def _record(
    session: Session,
    actor: Actor,
    row: Appointment,
    verb: str,
    *,
    before: audit.Facts | None = None,
    after: audit.Facts | None = None,
    reason: str | None = None,
) -> None:
    audit.record(
        session, actor, action=f"appointment:{verb}", object_type="appointment", object_id=row.id, customer_id=row.customer_id,
        before=before, after=after, reason=reason,
    )  # fmt: skip


def _tell(session: Session, actor: Actor, row: Appointment, language: str, template: str) -> None:
    params: dict[str, object] = {"appointment_no": row.appointment_no, "when": visits.when(language, row.day, row.part)}
    if template in {"appointment_confirmed", "appointment_moved"}:
        params |= {"place": row.place, "cut_off": slots.cut_off(row.day)}
    communications.send(session, actor, customer_id=row.customer_id, template=template, params=params)


def _next_number(session: Session, customer_id: int) -> str:
    number = session.exec(select(Customer.customer_no).where(Customer.id == customer_id)).one()
    count = session.exec(select(func.count()).select_from(Appointment).where(Appointment.customer_id == customer_id)).one()
    return f"A{number}{count + 1:02d}"


def _visit(session: Session, row: Appointment) -> Visit:
    return visits.of_file(session, row.customer_id, Appointment.id == row.id)[0]
