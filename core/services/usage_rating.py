"""From events to charges: what comes in is rated and recorded once, and an open period is rated again where something changed in it.

A period of a line is charged as if its events had come in the order they happened, however they came. What a bill charged never changes:
events of a billed period that come late count behind what the bill held, keep their moment, and are charged by the next bill.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlmodel import Session, col, func, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Catalogue, catalogue, held
from core.models.product import Product
from core.models.usage import Tariff, UsageDay, UsageEvent, UsageKind
from core.services import audit, rating, usage, usage_lines, usage_numbers
from core.services.periods import Period
from core.services.rating import NOTHING, OUTSIDE, Used
from core.services.usage import DayChanges, NewEvent
from core.services.usage_intake import NUMBERED, RawEvent, Reason, classed, identified, premium_of
from core.services.usage_lines import Line

_CHUNK = 500
"""How many lines are rated again at a time."""


@dataclass(frozen=True)
class Taken:
    """What became of some events: accepted + known already + rejected (by their place) are all of them."""

    accepted: int
    known: int
    rejected: tuple[tuple[int, Reason], ...]


@dataclass(frozen=True)
class Rerated:
    """What rating again changed: so many events, whose charges were and are so many cents."""

    events: int
    before_cents: int
    after_cents: int


@dataclass
class _Group:
    """What is rated together: the open events of a line and period from a moment on, new ones among them."""

    line: Line
    period: Period
    fresh: list[NewEvent] = field(default_factory=list)
    known: list[NewEvent] = field(default_factory=list)
    used: Used = NOTHING


def take_in(session: Session, actor: Actor, *, events: Sequence[RawEvent]) -> Taken:
    """Rate and record events that were not recorded before, in one transaction, whatever order they come in.

    An event whose line, moment and id are known changes nothing, whatever else it says. What can't be rated is rejected with its reason.
    """
    actor.require(Permission.USAGE_RECORD)
    sold = catalogue()
    with held():
        found, rejected = identified(session, events, sold)
        lines = {line.product_id: line for line, _event in found}
        usage.hold_still(session, {line.customer_id for line in lines.values()})
        newest = _newest(session, lines)
        fresh = _unknown(session, [event for _line, event in found], newest)
        if fresh:
            groups = _grouped(fresh, lines)
            _complete(session, groups, newest)
            _rate(session, groups, sold)
            first, last = fresh[0], fresh[-1]
            after = {"events": len(fresh), "first_at": min(one.at for one in fresh), "last_at": max(one.at for one in fresh)}
            customer_id = first.customer_id if first.customer_id == last.customer_id else None
            audit.record(
                session, actor, action="usage:take_in", object_type="usage", object_id=f"{first.product_id}/{first.id}",
                customer_id=customer_id, after=after,
            )  # fmt: skip
    return Taken(len(fresh), len(found) - len(fresh), tuple(rejected))


def rerate(session: Session, actor: Actor, *, since: date, customer_id: int | None = None, product_no: str | None = None) -> Rerated:
    """Rate what happened from a day on, and is on no bill, again by the catalogue as it stands: of one line, one customer or everybody.

    Each customer whose charges change has an entry in the trail with the difference.
    """
    actor.require(Permission.USAGE_RECORD, customer_id)
    query = select(UsageEvent.customer_id, UsageEvent.product_id).distinct()
    query = query.where(col(UsageEvent.bill_id).is_(None), col(UsageEvent.at) >= clock.at(since))
    if customer_id is not None:
        query = query.where(UsageEvent.customer_id == customer_id)
    if product_no is not None:
        query = query.where(col(UsageEvent.product_id).in_(select(Product.id).where(Product.product_no == product_no)))
    open_lines = sorted(session.exec(query))
    total, sold = Rerated(0, 0, 0), catalogue()  # The file as it stands this moment: a price was just corrected in it.
    with held():
        for start in range(0, len(open_lines), _CHUNK):
            part = open_lines[start : start + _CHUNK]
            usage.hold_still(session, {customer for customer, _product in part})
            lines = usage_lines.by_id(session, [product for _customer, product in part])
            known = [event for event in _open_events(session, list(lines), clock.at(since)) if event.product_id in lines]
            groups = _grouped([], lines, known)
            _set_out(session, groups)
            changed = _rate(session, groups, sold)
            total = _told(session, actor, changed, total)
    return total


def _told(session: Session, actor: Actor, changed: Iterable[tuple[NewEvent, NewEvent]], total: Rerated) -> Rerated:
    """Leave an entry in the trail of each customer whose events changed, and add them up."""
    by_customer: dict[int, list[int]] = {}
    for before, after in changed:
        figures = by_customer.setdefault(before.customer_id, [0, 0, 0])
        for place, figure in enumerate((1, before.charged_cents, after.charged_cents)):
            figures[place] += figure
    for customer, (events, before_cents, after_cents) in sorted(by_customer.items()):
        audit.record(
            session, actor, action="usage:rerate", object_type="usage", object_id=customer, customer_id=customer,
            before={"charged_cents": before_cents}, after={"charged_cents": after_cents, "events": events},
        )  # fmt: skip
        total = Rerated(total.events + events, total.before_cents + before_cents, total.after_cents + after_cents)
    return total


def _newest(session: Session, lines: dict[int, Line]) -> dict[int, datetime]:
    """Return the moment of the last event of each line that has one."""
    last = (
        select(func.max(UsageEvent.at))
        .where(UsageEvent.customer_id == Product.customer_id, UsageEvent.product_id == Product.id)
        .scalar_subquery()
    )
    found: Any = session.exec(select(Product.id, last).where(col(Product.id).in_(list(lines))))
    return {product: clock.from_stored(at) for product, at in found if at is not None}


def _unknown(session: Session, events: Sequence[NewEvent], newest: dict[int, datetime]) -> list[NewEvent]:
    """Return the events that are not recorded, each once: those behind the last one of their line need not be looked for."""
    never = datetime.min.replace(tzinfo=UTC)
    ahead = {event[1:4]: event for event in reversed(events) if event.at > newest.get(event.product_id, never)}
    return sorted([*ahead.values(), *usage.unknown(session, [event for event in events if event[1:4] not in ahead])])


def _grouped(fresh: Iterable[NewEvent], lines: dict[int, Line], known: Iterable[NewEvent] = ()) -> list[_Group]:
    found: dict[tuple[int, Period], _Group] = {}
    for events, new in ((fresh, True), (known, False)):
        for event in events:
            line = lines[event.product_id]
            period = line.period(_brussels(event.at))
            group = found.get((event.product_id, period))
            if group is None:
                group = found[event.product_id, period] = _Group(line, period)
            (group.fresh if new else group.known).append(event)
    return list(found.values())


def _brussels(at: datetime) -> date:
    return _day(at.replace(minute=0, second=0, microsecond=0))


@lru_cache(maxsize=4096)
def _day(hour: datetime) -> date:
    return hour.astimezone(clock.BRUSSELS).date()


def _complete(session: Session, groups: Sequence[_Group], newest: dict[int, datetime]) -> None:
    """Add the open events that happened after the first new one, which count anew, and what was used before it."""
    never = datetime.min.replace(tzinfo=UTC)
    behind: dict[Period, list[_Group]] = {}
    for group in groups:
        if group.fresh[0].at <= newest.get(group.line.product_id, never):
            behind.setdefault(group.period, []).append(group)
    for period, some in behind.items():
        of_line = {group.line.product_id: group for group in some}
        for event in _open_events(session, list(of_line), min(group.fresh[0].at for group in some), clock.at(period.until)):
            group = of_line[event.product_id]
            if event.at >= group.fresh[0].at:
                group.known.append(event)
    _set_out(session, groups)


def _open_events(session: Session, products: Sequence[int], since: datetime, until: datetime | None = None) -> list[NewEvent]:
    """Return the events of lines that are on no bill, from a moment on."""
    columns = [getattr(UsageEvent, name) for name in NewEvent._fields]
    mine = (col(Product.customer_id) == UsageEvent.customer_id) & (col(Product.id) == UsageEvent.product_id)
    query: Any = select(*columns).join(Product, mine).where(col(Product.id).in_(products), UsageEvent.at >= since)
    query = query.where(col(UsageEvent.bill_id).is_(None))
    return [NewEvent(*row) for row in session.exec(query.where(UsageEvent.at < until) if until else query)]


def _set_out(session: Session, groups: Sequence[_Group]) -> None:
    """Find what each line used before the events that are to be rated: the sums of the period without them.

    Whatever a bill charged is in the sums, so that late events count behind it.
    """
    of_period: dict[Period, list[_Group]] = {}
    for group in groups:
        of_period.setdefault(group.period, []).append(group)
    mine = (col(Product.customer_id) == UsageDay.customer_id) & (col(Product.id) == UsageDay.product_id)
    figures = (func.sum(UsageDay.quantity), func.sum(UsageDay.over_quantity), func.sum(UsageDay.charged_cents))
    for period, some in of_period.items():
        sums: dict[int, list[tuple[UsageKind, Tariff, int, int, int]]] = {}
        query: Any = (
            select(UsageDay.product_id, UsageDay.kind, UsageDay.tariff, *figures)  # type: ignore[call-overload]
            .join(Product, mine)
            .where(col(Product.id).in_([one.line.product_id for one in some]), UsageDay.day >= period.since, UsageDay.day < period.until)
            .group_by(col(UsageDay.product_id), col(UsageDay.kind), col(UsageDay.tariff))
        )
        for product, kind, tariff, quantity, over, cents in session.exec(query):
            sums.setdefault(product, []).append((kind, tariff, int(quantity), int(over), int(cents)))
        for group in some:
            again = [
                (one.kind, one.tariff, -one.quantity, -one.over_quantity, -one.charged_cents)
                for one in group.known
                if usage_numbers.told(one.other_party)
            ]
            group.used = _used([*sums.get(group.line.product_id, []), *again])


def _used(figures: Iterable[tuple[UsageKind, Tariff, int, int, int]]) -> Used:
    """Add up what counts off bundles, and what was charged above them."""
    within = {UsageKind.DATA: 0, UsageKind.VOICE: 0, UsageKind.SMS: 0}
    over_kb = world_kb = third_party = 0
    for kind, tariff, quantity, over, cents in figures:
        if tariff is Tariff.THIRD_PARTY:
            third_party += cents
        elif tariff is Tariff.WORLD:
            world_kb += quantity if kind is UsageKind.DATA else 0
        elif tariff not in OUTSIDE and kind in within:
            within[kind] += quantity - over
            over_kb += over if kind is UsageKind.DATA else 0
    return Used(within[UsageKind.DATA], within[UsageKind.VOICE], within[UsageKind.SMS], over_kb, world_kb, third_party)


def _rate(session: Session, groups: Iterable[_Group], sold: Catalogue) -> list[tuple[NewEvent, NewEvent]]:
    """Rate each group in the order it happened, write what is new or other than before, and return what changed."""
    written: list[NewEvent] = []
    changed: list[tuple[NewEvent, NewEvent]] = []
    for group in groups:
        used = group.used
        new = {(event.at, event.id) for event in group.fresh} if group.known else None
        for event in sorted([*group.known, *group.fresh], key=_order) if group.known else group.fresh:
            rated, used = _charged(event, group, used, sold)
            if new is None or (event.at, event.id) in new:
                written.append(rated)
            elif rated != event:
                changed.append((event, rated))
    days = DayChanges()
    for event in written:
        days.add(event)
    for before, after in changed:
        days.add(before, -1)
        days.add(after)
    if written:
        usage.write_events(session, sorted(written))
    if changed:
        usage.change_events(session, [after for _before, after in changed])
    days.write(session)
    return changed


def _order(event: NewEvent) -> tuple[datetime, int]:
    return event.at, event.id


def _charged(event: NewEvent, group: _Group, used: Used, sold: Catalogue) -> tuple[NewEvent, Used]:
    premium = None
    if event.other_party is not None and event.kind in NUMBERED:
        if not usage_numbers.told(event.other_party):
            return event._replace(tariff=Tariff.FREE, over_quantity=0, charged_cents=0), used
        known = classed(event, sold)
        if known is None:  # Its class is no longer in the catalogue: what it was charged stands.
            return event, used._replace(third_party_cents=used.third_party_cents + event.charged_cents)
        event = known
        if event.kind is UsageKind.PREMIUM:
            premium = premium_of(usage_numbers.premium(event.other_party) or "", event.kind, sold)
    bundle = group.line.bundle(group.period, event.at, sold)
    peak = bundle.fixed and event.kind is UsageKind.VOICE and _in_peak(event.at, sold)
    use = rating.Use(event.kind, event.quantity, peak, event.direction, event.zone, premium)
    charge = rating.rate(use, bundle, used, sold)
    return event._replace(tariff=charge.tariff, over_quantity=charge.over_quantity, charged_cents=charge.charged_cents), rating.after(
        use, charge, used
    )


def _in_peak(at: datetime, sold: Catalogue) -> bool:
    local = clock.local(at)
    return local.weekday() in sold.peak.weekdays and sold.peak.since_hour <= local.hour < sold.peak.until_hour
