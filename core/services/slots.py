"""The half days in which technicians come: which there are, which are free, and how a place is taken and given back.

A zone is the first two digits of a postcode. A half day is known by a number that says what it is, so that a free one needs
no row: zone, year, month, day, part (102611251 is zone 10, 25 Nov 2026, morning). Its row is written with its first visit.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import holidays
import phonenumbers
import yaml
from sqlalchemy import update
from sqlmodel import Session, col, select

from core import catalogue, clock
from core.db.keys import insert_once
from core.errors import N_, DomainError
from core.models.appointment import AppointmentCategory, DayPart, TimeSlot

SUNDAY = 6
DAYS_OF_A_WEEK = 6
WEEK = timedelta(days=7)
ENOUGH_DAYS = 4
_PARTS = tuple(DayPart)


class SlotTaken(DomainError):
    """Somebody took the last place first."""

    message = N_("This half day has just been taken. The nearest one is free: {day}, {hours}.")
    field = "slot"


class AllTaken(DomainError):
    """Nothing is free in the whole window."""

    message = N_("This half day has just been taken, and no other one is free until {last}. Call {phone}.")
    field = "slot"


class SlotNotOffered(DomainError):
    """A Sunday, a holiday, another zone, too soon or too far away."""

    message = N_("No visit is possible on this half day. Choose one from {since} to {last}.")
    field = "slot"


class DayKind(StrEnum):
    """Why a day has half days to choose from, or has none."""

    OPEN = "open"
    CLOSED = "closed"
    TOO_SOON = "tooSoon"
    TOO_FAR = "tooFar"


@dataclass(frozen=True)
class HalfDay:
    """One half day of a zone, and how many places are left on it."""

    id: int
    zone: str
    day: date
    part: DayPart
    free: int


@dataclass(frozen=True)
class Day:
    """A day from Monday to Saturday; without half days where no visit is possible."""

    day: date
    kind: DayKind
    half_days: tuple[HalfDay, ...] = ()


@dataclass(frozen=True)
class Window:
    """The days on which a visit can be planned: from `since` until `until` (exclusive)."""

    since: date
    until: date

    @property
    def last(self) -> date:
        """The last day on which a visit can be planned."""
        return self.until - timedelta(days=1)


@dataclass(frozen=True)
class Week:
    """Six days from a Monday on, and the Mondays of the weeks around it in which there is something to choose."""

    days: tuple[Day, ...]
    earlier: date | None
    later: date | None


def rule(name: str) -> Any:  # noqa: ANN401 - numbers, and numbers by category or zone
    """Return a constant of `seed/appointments.yaml`, in the unit its name ends with."""
    path = catalogue.FILES / "appointments.yaml"
    return _rules(path, path.stat().st_mtime_ns)[name]["value"]


def zone_of(postcode: str) -> str:
    """Return the technicians' zone of a postcode: its first two digits."""
    return postcode[:2]


def slot_id(zone: str, day: date, part: DayPart) -> int:
    """Return the number of a half day: zone, yymmdd, 1 for the morning or 2 for the afternoon."""
    return int(f"{zone}{day:%y%m%d}{_PARTS.index(part) + 1}")


def starts_at(day: date, part: DayPart) -> datetime:
    """Return the moment at which a half day begins."""
    return clock.at(day, int(part.value[:2]))


def ends_at(day: date, part: DayPart) -> datetime:
    """Return the moment at which a half day ends."""
    return clock.at(day, int(part.value[3:]))


def is_working_day(day: date) -> bool:
    """Whether technicians work: Monday to Saturday, no Belgian holiday."""
    return day.weekday() != SUNDAY and day not in _holidays(day.year)


def working_day_after(day: date, count: int = 1) -> date:
    """Return the working day that comes so many working days after a day."""
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def cut_off(day: date) -> datetime:
    """Return until when a visit of that day may change: 18:00 on the working day before (W14)."""
    day -= timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return clock.at(day, rule("cut_off_hour"))


def window(category: AppointmentCategory) -> Window:
    """Return the days that can be chosen now; a day whose own cut-off has passed is not offered any more (W14)."""
    since = working_day_after(clock.today(), rule("lead_working_days")[category])
    while cut_off(since) <= clock.now():
        since = working_day_after(since)
    return Window(since=since, until=clock.today() + timedelta(days=rule("window_days")[category] + 1))


def open_days(session: Session, *, zone: str, since: date, until: date) -> tuple[Day, ...]:
    """Return the days from Monday to Saturday in [since, until) with their places left; a holiday has none."""
    booked = _left(session, zone, since, until)
    days = (since + timedelta(days=offset) for offset in range((until - since).days))
    return tuple(_day(zone, day, booked) for day in days if day.weekday() != SUNDAY)


def week(session: Session, *, zone: str, category: AppointmentCategory, day: date) -> Week:
    """Return the week of a day as it can be chosen from; it keeps its six days, also where they lie outside of the window."""
    span = window(category)
    monday = _monday(day)
    found = open_days(session, zone=zone, since=monday, until=monday + timedelta(days=DAYS_OF_A_WEEK))
    return Week(
        days=tuple(_within(one, span) for one in found),
        earlier=monday - WEEK if span.since < monday else None,
        later=monday + WEEK if span.last >= monday + WEEK else None,
    )


def week_to_move(category: AppointmentCategory, day: date) -> date:
    """Return the Monday of the week to offer for a visit of a day: its own, or the next one when that one is nearly over."""
    span = window(category)
    monday = _monday(min(max(day, span.since), span.last))
    days = (monday + timedelta(days=offset) for offset in range(DAYS_OF_A_WEEK))
    left = sum(is_working_day(day) and span.since <= day < span.until for day in days)
    return monday + WEEK if left < ENOUGH_DAYS and span.last >= monday + WEEK else monday


def offered(slot: int, *, zone: str, category: AppointmentCategory) -> HalfDay:
    """Return the half day of a number. Raises SlotNotOffered for one that the screen could not have shown."""
    span = window(category)
    for day in (span.since + timedelta(days=offset) for offset in range((span.until - span.since).days)):
        for part in _PARTS:
            if slot == slot_id(zone, day, part) and is_working_day(day):
                return HalfDay(slot, zone, day, part, capacity(zone))
    raise SlotNotOffered(since=span.since, last=span.last)


def take(session: Session, half_day: HalfDay, *, category: AppointmentCategory, giving_back: int | None = None) -> None:
    """Take a place, and only then give another one back.

    Both rows are locked in the order of their numbers, so that two visits which change places don't wait for each other.
    Raises SlotTaken, with the nearest free half day, when the last place is gone.
    """
    _ensure(session, half_day.zone, half_day.day, half_day.part)
    ids = sorted({half_day.id, giving_back} - {None})  # type: ignore[type-var]
    session.exec(select(TimeSlot.id).where(col(TimeSlot.id).in_(ids)).order_by(col(TimeSlot.id)).with_for_update()).all()
    taken = session.exec(
        update(TimeSlot)
        .where(col(TimeSlot.id) == half_day.id, col(TimeSlot.booked) < col(TimeSlot.capacity))
        .values(booked=col(TimeSlot.booked) + 1)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:
        raise _lost(session, half_day, category, giving_back)
    if giving_back is not None:
        give_back(session, giving_back)


def give_back(session: Session, slot: int) -> None:
    """Free a place, for others to take at once."""
    session.exec(
        update(TimeSlot)
        .where(col(TimeSlot.id) == slot)
        .values(booked=col(TimeSlot.booked) - 1)
        .execution_options(synchronize_session=False)
    )


def prebook(session: Session, zone: str, *, since: date, until: date) -> None:
    """Fill the calendar of a demo: a quarter of the half days is full, some have one place left.

    The same zone and days give the same calendar each time; a half day that already has a visit is left as it is, so call this
    after the visits of the sample customers are booked.
    """
    days = (since + timedelta(days=offset) for offset in range((until - since).days))
    insert_once(session, TimeSlot, [_prebooked(zone, day, part) for day in days if is_working_day(day) for part in _PARTS])


def capacity(zone: str) -> int:
    """Return how many visits a half day of a zone holds."""
    return int(rule("capacity").get(zone, rule("capacity_elsewhere")))


def phone() -> str:
    """Return the number to call when the screen can't help, as it is dialled in Belgium."""
    return str(phonenumbers.format_number(phonenumbers.parse(catalogue.company().phone), phonenumbers.PhoneNumberFormat.NATIONAL))


def hours(part: DayPart) -> str:
    """Write the hours of a half day: 08 – 12."""  # noqa: RUF002 - the dash that a span of hours is written with
    return part.value.replace("-", " – ")  # noqa: RUF001 - the same dash


def _lost(session: Session, wanted: HalfDay, category: AppointmentCategory, current: int | None) -> DomainError:
    span = window(category)
    free = [
        half_day
        for day in open_days(session, zone=wanted.zone, since=span.since, until=span.until)
        for half_day in day.half_days
        if half_day.free and half_day.id != current
    ]
    if not free:
        return AllTaken(last=span.last, phone=phone())
    nearest = min(free, key=lambda half_day: _distance(half_day, wanted))
    return SlotTaken(day=nearest.day, hours=hours(nearest.part))


def _distance(half_day: HalfDay, wanted: HalfDay) -> tuple[int, bool]:
    """How far one half day is from another; of two equally near ones the later comes first."""
    apart = (half_day.day - wanted.day).days * len(_PARTS) + _PARTS.index(half_day.part) - _PARTS.index(wanted.part)
    return abs(apart), apart < 0


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(zone: str, day: date, left: dict[int, int]) -> Day:
    if not is_working_day(day):
        return Day(day, DayKind.CLOSED)
    ids = ((slot_id(zone, day, part), part) for part in _PARTS)
    return Day(day, DayKind.OPEN, tuple(HalfDay(number, zone, day, part, left.get(number, capacity(zone))) for number, part in ids))


def _within(day: Day, span: Window) -> Day:
    if day.kind is DayKind.CLOSED or span.since <= day.day < span.until:
        return day
    return Day(day.day, DayKind.TOO_SOON if day.day < span.since else DayKind.TOO_FAR)


def _left(session: Session, zone: str, since: date, until: date) -> dict[int, int]:
    rows = session.exec(
        select(TimeSlot.id, col(TimeSlot.capacity) - col(TimeSlot.booked)).where(
            TimeSlot.zone == zone, TimeSlot.day >= since, TimeSlot.day < until
        )
    )
    return {number: int(left) for number, left in rows}


def _ensure(session: Session, zone: str, day: date, part: DayPart) -> None:
    slot = {"id": slot_id(zone, day, part), "zone": zone, "day": day, "part": part, "capacity": capacity(zone), "booked": 0}
    insert_once(session, TimeSlot, [slot])


def _prebooked(zone: str, day: date, part: DayPart) -> dict[str, object]:
    number, places = slot_id(zone, day, part), capacity(zone)
    drawn = sha256(str(number).encode()).digest()
    booked = {0: places, 1: places, 2: places - 1}.get(drawn[0] % 8, drawn[1] % (places - 1))
    return {"id": number, "zone": zone, "day": day, "part": part, "capacity": places, "booked": booked}


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("BE", years=year))


@lru_cache(maxsize=4)
def _rules(path: Path, _changed: int) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found
