"""What a house move asks, and what holds for it: dates, the line at the new place, the number, the cost (W5). Pure, but for the clock."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

import phonenumbers
import yaml

from core import catalogue, clock, postcodes
from core.catalogue import Offering, Service, Strict, law
from core.errors import N_, DomainError
from core.models.order import Occupancy
from core.services import slots
from core.services.contacts import NotAPhone
from core.services.products import Held
from core.services.slots import HalfDay
from core.text_rules import address_line, fold, needed, normalise

FEE = "FEE_TECHNICIAN"


class NothingToMove(DomainError):
    """Mobile lines move with their owner."""

    message = N_("Nothing here is tied to a place. Change the address under “My account”.")


class SamePlace(DomainError):
    """The new address is the old one."""

    message = N_("This is the present address. Enter the new one.")
    field = "street"


class MoveOutPast(DomainError):
    """A line can't stop yesterday."""

    message = N_("The day of leaving lies in the past. Choose today or a later day.")
    field = "move_out"


class MoveInPast(DomainError):
    """Nobody comes yesterday."""

    message = N_("The day of arrival lies in the past. Choose today or a later day.")
    field = "move_in"


class MoveInTooFar(DomainError):
    """The technicians' calendar is not open that far."""

    message = N_("Visits can be planned until {last}. Choose an earlier day of arrival, or order the move later.")
    field = "move_in"


class InstallTooSoon(DomainError):
    """The network needs its working days."""

    message = N_("The earliest installation is on {earliest}. Choose a half day from then on.")
    field = "slot"


class InstallBeforeArrival(DomainError):
    """Nobody would open the door."""

    message = N_("The installation comes before the arrival on {move_in}. Choose a later half day.")
    field = "slot"


class OverlapTooLong(DomainError):
    """Two places are served for two weeks at most."""

    message = N_("Both addresses can be served for {most} days at most, and this would be {days}. Leave earlier, or install later.")
    field = "move_out"


class NumberStaysInZone(DomainError):
    """A fixed number belongs to its zone."""

    message = N_("The number stays within zone {zone}, and the new address lies in zone {new_zone}. Go on without keeping it.")
    field = "keep_number"


class NotAtThisPlace(DomainError):
    """The line at the new address can't carry the plan."""

    message = N_("“{plan}” is not possible at {postcode}. Tick the box to go on with “{proposal}”.")
    field = "accept_proposal"


@dataclass(frozen=True)
class Wish:
    """What the wizard asks; texts as they were typed."""

    street: str
    number: str
    postcode: str
    town: str
    move_out: date
    move_in: date
    contact_name: str
    contact_phone: str
    box: str = ""
    floor: str = ""
    town_kept: bool = False
    occupancy: Occupancy = Occupancy.TENANT
    new_build: bool = False
    keep_number: bool = False
    technician: bool = False
    accept_proposal: bool = False
    slot_id: int | None = None


@dataclass(frozen=True)
class LineCheck:
    """What the line at a postcode does with a plan: carries it, or something else instead."""

    plan: Held
    proposal: Offering | None
    why: Literal["television", "speed"] | None


def checked_address(wish: Wish, home: tuple[str, str, str]) -> Wish:
    """Return the wish with its texts as they may be stored; `home` is the present street, number and postcode.

    Raises SamePlace, and what text_rules, postcodes and contacts raise, with the field to correct.
    """
    found = replace(
        wish,
        street=needed(wish.street, field="street", length=120),
        number=needed(wish.number, field="number", length=12),
        box=normalise(wish.box, field="box", length=12),
        floor=normalise(wish.floor, field="floor", length=12),
        postcode=needed(wish.postcode, field="postcode", length=10),
        town=needed(wish.town, field="town", length=80),
        contact_name=needed(wish.contact_name, field="contact_name", length=120),
        contact_phone=_phone(needed(wish.contact_phone, field="contact_phone", length=30)),
    )
    postcodes.check(found.postcode, found.town, kept=found.town_kept)
    if (fold(found.street), fold(found.number), found.postcode) == (fold(home[0]), fold(home[1]), home[2]) and not found.box:
        raise SamePlace
    return found


def check_days(wish: Wish, last: date) -> None:
    """Refuse days that lie in the past, or later than technicians can be planned."""
    if wish.move_out < clock.today():
        raise MoveOutPast
    if wish.move_in < clock.today():
        raise MoveInPast
    if wish.move_in > last:
        raise MoveInTooFar(last=last)


def check_install(half_day: HalfDay, *, move_in: date, move_out: date) -> None:
    """Refuse a visit before it is possible or before the arrival, or one that leaves both places served for too long."""
    if half_day.day < earliest():
        raise InstallTooSoon(earliest=earliest())
    if half_day.day < move_in:
        raise InstallBeforeArrival(move_in=move_in)
    if (days := overlap_days(half_day.day, move_out)) > law("move_overlap_days"):
        raise OverlapTooLong(most=law("move_overlap_days"), days=days)


def check_number(wish: Wish, home_postcode: str) -> None:
    """Refuse to keep a number in another zone."""
    zone, new_zone = postcodes.zone_of(home_postcode), postcodes.zone_of(wish.postcode)
    if wish.keep_number and zone != new_zone:
        raise NumberStaysInZone(zone=zone or "?", new_zone=new_zone or "?")


def check_line(plans: tuple[Held, ...], postcode: str) -> tuple[LineCheck, ...]:
    """Return what the line at a postcode does with each plan that is tied to a place."""
    found = []
    for plan in plans:
        refusal = next((one for one in _refusals() if postcode in one.postcodes and plan.code in one.refuses), None)
        proposal = catalogue.catalogue()[refusal.proposes] if refusal else None
        found.append(LineCheck(plan, proposal, refusal.why if refusal else None))
    return tuple(found)


def fixed(plans: tuple[Held, ...]) -> tuple[Held, ...]:
    """Return the plans that are tied to a place."""
    return tuple(plan for plan in plans if set(plan.offering.services) != {Service.MOBILE})


def has_number(plans: tuple[Held, ...]) -> bool:
    """Whether there is a fixed number that could be kept."""
    return any(Service.PHONE in plan.offering.services for plan in plans)


def earliest() -> date:
    """Return the first day on which a line can be installed somewhere else."""
    return slots.working_day_after(clock.today(), law("move_lead_working_days"))


def short_notice_weeks(wish: Wish) -> int | None:
    """Return how many weeks ahead a move should be ordered, if this one is later than that."""
    weeks: int = law("move_warn_weeks_new_build" if wish.new_build else "move_warn_weeks")
    return weeks if wish.move_in < clock.today() + timedelta(weeks=weeks) else None


def overlap_days(active: date, move_out: date) -> int:
    """Return on how many days both places are served: from the installation to the day of leaving, both included."""
    return max(0, (move_out - active).days + 1)


def without_days(active: date, move_out: date) -> int:
    """Return on how many days neither place is served."""
    return max(0, (active - move_out).days - 1)


def fee_cents(wish: Wish) -> int:
    """Return what a move costs, VAT included: nothing, or the technician's in-home work."""
    return catalogue.catalogue().fees[FEE].cents if wish.technician else 0


def address(wish: Wish, language: str) -> str:
    """Write the new address on one line."""
    return address_line(wish.street, wish.number, wish.box or None, wish.postcode, wish.town, language)


def old_line_stops_at(move_out: date) -> datetime:
    """Return the moment at which the old line stops: the end of the day of leaving."""
    return clock.at(move_out + timedelta(days=1))


def _phone(text: str) -> str:
    try:
        number = phonenumbers.parse(text, "BE")
    except phonenumbers.NumberParseException:
        raise NotAPhone(field="contact_phone") from None
    if not phonenumbers.is_valid_number(number):
        raise NotAPhone(field="contact_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class _Refusal(Strict):
    postcodes: tuple[str, ...]
    refuses: tuple[str, ...]
    proposes: str
    why: Literal["television", "speed"]


def _refusals() -> tuple[_Refusal, ...]:
    path = catalogue.FILES / "line_check.yaml"
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(path: Path, _changed: int) -> tuple[_Refusal, ...]:
    return tuple(_Refusal(**one) for one in yaml.safe_load(path.read_text("utf-8")))
