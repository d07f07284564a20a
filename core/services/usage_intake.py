"""Events as the network tells them: which line each is of, what kind of service its number is, and why some can't be taken in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlmodel import Session

from core import clock
from core.catalogue import Catalogue, Premium, Service
from core.models.usage import Direction, Tariff, UsageKind, Zone
from core.services import usage_detail, usage_lines, usage_numbers
from core.services.usage import NewEvent
from core.services.usage_lines import Line

NUMBERED = frozenset({UsageKind.VOICE, UsageKind.SMS, UsageKind.PREMIUM})
"""Kinds whose price may follow from the number that was called."""
_BROUGHT_BY = {
    UsageKind.DATA: {Service.INTERNET, Service.MOBILE},
    UsageKind.VOICE: {Service.PHONE, Service.MOBILE},
    UsageKind.SMS: {Service.MOBILE},
    UsageKind.MMS: {Service.MOBILE},
    UsageKind.PREMIUM: {Service.PHONE, Service.MOBILE},
    UsageKind.TV: {Service.TV},
}
_MOST = {UsageKind.DATA: 1_000_000_000, UsageKind.VOICE: 604_800, UsageKind.PREMIUM: 604_800, UsageKind.TV: 604_800}
"""What no single event can be: a terabyte, a week; of messages a thousand. More is a defect of who sent it."""
_MOST_PIECES = 1000
_LONGEST_NUMBER = 20
_LARGEST_ID = 2**63 - 1


class Reason(StrEnum):
    """Why an event is not taken in, as the file of rejects says it."""

    NO_LINE = "no line of this number or product ran at that moment"
    TWO_LINES = "number and product are not of the same line"
    FUTURE = "the moment lies in the future"
    TOO_OLD = "the moment is older than the detail that is kept"
    CLOSED = "the customer is closed: no bill will follow"
    NOT_BROUGHT = "the plan of this line does not bring this service"
    QUANTITY = "the quantity can't be"
    PARTY = "the other party or the country can't be"
    ID = "the id is no whole number of 64 bits"
    UNPRICED = "no class of premium numbers holds this number: add it to the catalogue"


class RawEvent(NamedTuple):
    """An event as the network tells it: on a number (E.164) or a product number; quantity in kB, seconds or pieces by its kind.

    `id` tells apart events of one line at one moment; the moment is aware.
    """

    at: datetime
    id: int
    kind: UsageKind
    quantity: int
    line: str | None = None
    product_no: str | None = None
    direction: Direction = Direction.OUT
    zone: Zone = Zone.NATIONAL
    country: str | None = None
    other_party: str | None = None


def identified(
    session: Session, events: Sequence[RawEvent], sold: Catalogue
) -> tuple[list[tuple[Line, NewEvent]], list[tuple[int, Reason]]]:
    """Find the line of each event, and sort out what can't be taken in."""
    numbers, products = usage_lines.named(
        session, {one.line for one in events if one.line}, {one.product_no for one in events if one.product_no}
    )
    now, oldest = clock.now(), clock.at(usage_detail.detail_since())
    found: list[tuple[Line, NewEvent]] = []
    rejected: list[tuple[int, Reason]] = []
    for place, one in enumerate(events):
        at = one.at if one.at.tzinfo is UTC else one.at.astimezone(UTC)
        reason = Reason.FUTURE if at > now else Reason.TOO_OLD if at < oldest else None
        line = _line_of(one, at, numbers, products) if reason is None else reason
        if isinstance(line, Line):
            event = _made(one, at, line, sold)
            if isinstance(event, NewEvent):
                found.append((line, event))
                continue
            line = event
        rejected.append((place, line))
    return found, rejected


def _line_of(one: RawEvent, at: datetime, numbers: dict[str, list[Line]], products: dict[str, list[Line]]) -> Line | Reason:
    named = numbers.get(one.line or "", []) if one.product_no is None else products.get(one.product_no, [])
    for line in named:
        if line.ran(at):
            if one.line and line.number != one.line:
                return Reason.TWO_LINES
            return Reason.CLOSED if line.closed else line
    return Reason.NO_LINE


def _made(one: RawEvent, at: datetime, line: Line, sold: Catalogue) -> NewEvent | Reason:
    """Return the event as it will be kept, not charged yet: a call or message to a premium number is a premium service."""
    if not _BROUGHT_BY[one.kind].intersection(sold[line.plan.code].services):
        return Reason.NOT_BROUGHT
    if not 0 <= one.quantity <= _MOST.get(one.kind, _MOST_PIECES):
        return Reason.QUANTITY
    if not -_LARGEST_ID <= one.id <= _LARGEST_ID:
        return Reason.ID
    if len(one.other_party or "") > _LONGEST_NUMBER or len(one.country or "XX") != len("XX") or "\x00" in (one.other_party or ""):
        return Reason.PARTY
    event = NewEvent(
        line.customer_id, line.product_id, at, one.id, one.kind, one.quantity, one.direction, one.zone, one.country, Tariff.INCLUDED,
        usage_numbers.stored(one.other_party),
    )  # fmt: skip
    return classed(event, sold) or Reason.UNPRICED


def classed(event: NewEvent, sold: Catalogue) -> NewEvent | None:
    """Return an event as the kind of service its number is of; None for a premium number without a price."""
    if event.kind not in NUMBERED or event.direction is Direction.IN:
        return None if event.kind is UsageKind.PREMIUM else event
    numbers = usage_numbers.premium(event.other_party)
    if numbers is None:
        return None if event.kind is UsageKind.PREMIUM else event
    found = premium_of(numbers, event.kind, sold)
    if found is None or found.charged != "third_party":
        priced = found is not None or (event.kind is UsageKind.VOICE and usage_numbers.short(event.other_party))
        return event if priced and event.kind is not UsageKind.PREMIUM else None
    return event._replace(kind=UsageKind.PREMIUM, zone=Zone.PREMIUM)


def premium_of(numbers: str, kind: UsageKind, sold: Catalogue) -> Premium | None:
    """Return the class of numbers that a call or a message falls under: messages to short codes, calls to the others."""
    found = sold.premium.get(numbers)
    wrong = found is not None and kind is not UsageKind.PREMIUM and (found.unit == "message") != (kind is UsageKind.SMS)
    return None if wrong else found
