"""What generated customers use: the totals of all their months drawn at once, kept as sums, and event by event for the last of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.catalogue import catalogue
from core.models.usage import Tariff, UsageKind
from core.services import usage
from core.services.billing import Usage
from core.services.periods import Period, cycle_of
from core.services.rating import RATES
from core.services.usage import DayKey, NewEvent, Sum
from seed import crowd
from seed.rhythm import HOURS, KINDS, MINUTE, Kind

DETAIL_MONTHS = 3
"""Events are told for the running period and those just before it; of older ones there are sums."""
_SPREAD, _UNEVEN, _EVENTS = 0.33, 0.6, 4
_SATURDAY = 5
_CALLED = {UsageKind.VOICE, UsageKind.SMS}
Array = np.ndarray[Any, Any]


class Line(NamedTuple):
    """A plan that is used, from its first day until its last (exclusive); its periods begin on the cycle day."""

    customer_id: int
    product_id: int
    code: str
    since: date
    until: date | None
    cycle_day: int


class _Stream(NamedTuple):
    """One kind of use of a line: `mean` of a month in its unit, what a unit costs, and how many there are before data are charged."""

    line: Line
    kind: Kind
    mean: float
    tariff: Tariff
    cents: int
    most: float


class _Cells(NamedTuple):
    """What each stream came to in each period in which it was used, one beneath the other; days are counted as Python's ordinals."""

    stream: Array
    period: Array
    total: Array
    first: Array
    days: Array
    events: Array


@dataclass
class Habits:
    """What was used, before it is written; sums and events by the last day of their period."""

    sums: dict[int, dict[date, dict[tuple[int, UsageKind, Tariff], Sum]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    days: dict[DayKey, Sum] = field(default_factory=dict)
    events: list[tuple[date, NewEvent]] = field(default_factory=list)

    def of(self, customer_id: int, since: date, until: date) -> Usage:
        """Return what a customer used in the periods that end within these days, for a bill."""
        return {key: found for last, sums in self.sums[customer_id].items() if since <= last < until for key, found in sums.items()}


def draw(rng: np.random.Generator, lines: Sequence[Line], months: int) -> Habits:
    """Draw what lines were used for in the running period and the `months` before it."""
    streams = [stream for line in lines for stream in _streams(line)]
    periods = {day: _periods(day, months) for day in {line.cycle_day for line in lines}}
    cells, found = _cells(rng, streams, periods), Habits()
    for index, column, total, first, _days, events in zip(*(array.tolist() for array in cells), strict=True):
        (line, kind, _mean, tariff, cents, _most) = streams[index]
        period, quantity = periods[line.cycle_day][column], total * kind.size
        one = Sum(events, quantity, quantity if tariff is Tariff.OVER else 0, total * cents)
        found.sums[line.customer_id][period.last][line.product_id, kind.kind, tariff] = one
        if column <= months - DETAIL_MONTHS:
            found.days[line.customer_id, line.product_id, date.fromordinal(first), kind.kind, tariff] = one
    late = cells.period > months - DETAIL_MONTHS
    _events(rng, found, streams, periods, _Cells(*(array[late] for array in cells)))
    return found


def record(session: Session, habits: Habits, billed: Mapping[int, Mapping[date, int]]) -> None:
    """Write what was used; `billed` names the bills of each customer by the last day of their period of use."""
    usage.record_sums(session, SYSTEM, days=habits.days)
    usage.record(session, SYSTEM, events=[event._replace(bill_id=billed[event.customer_id].get(last)) for last, event in habits.events])


def _streams(line: Line) -> list[_Stream]:
    """Return what a line is used for; what comes above a bundle that is charged is a stream of its own, right behind."""
    sold, found = catalogue(), []
    offering = sold[line.code]
    for name, mean in crowd.facts()["use"].get(line.code, {}).items():
        kind = KINDS[name]
        held, rate = getattr(offering.allowance, name, None), RATES.get((kind.kind, kind.tariff))
        most = float(held) if isinstance(held, int) else np.inf
        found.append(_Stream(line, kind, mean, kind.tariff, sold.rates[rate].cents if rate else 0, most))
        if kind.kind is UsageKind.DATA and offering.when_used_up == "charge":
            cents = sold.rates[RATES[kind.kind, Tariff.OVER]].cents
            found.append(_Stream(line, kind, 0, Tariff.OVER, cents, np.inf))
    return found


def _periods(cycle_day: int, months: int) -> list[Period]:
    found = [cycle_of(clock.today(), cycle_day)]
    while len(found) <= months:
        found.append(cycle_of(found[-1].since - timedelta(days=1), cycle_day))
    return found[::-1]


def _cells(rng: np.random.Generator, streams: Sequence[_Stream], periods: Mapping[int, list[Period]]) -> _Cells:
    """Draw how much of each stream was used in each period, in proportion to the days on which it could be."""
    tomorrow = clock.today().toordinal() + 1
    bounds = np.array([[(one.since.toordinal(), one.until.toordinal()) for one in periods[stream.line.cycle_day]] for stream in streams])
    since = np.array([stream.line.since.toordinal() for stream in streams])
    until = np.array([min(stream.line.until.toordinal() if stream.line.until else tomorrow, tomorrow) for stream in streams])
    first = np.maximum(bounds[:, :, 0], since[:, None])
    days = np.maximum(np.minimum(bounds[:, :, 1], until[:, None]) - first, 0)
    mean = np.array([stream.mean for stream in streams])[:, None] * days / (bounds[:, :, 1] - bounds[:, :, 0])
    drawn = np.rint(mean * rng.lognormal(-(_SPREAD**2) / 2, _SPREAD, size=mean.shape))
    totals = np.minimum(drawn, np.array([stream.most for stream in streams])[:, None])
    above = [index for index, stream in enumerate(streams) if stream.tariff is Tariff.OVER]
    totals[above] = (drawn - totals)[[index - 1 for index in above]]
    stream, period = np.nonzero(totals > 0)
    total = totals[stream, period].astype(np.int64)
    by_piece = np.array([stream.kind.size == 1 for stream in streams])[stream]
    events = np.where(by_piece, total, np.minimum(rng.poisson(_EVENTS - 1, size=total.shape) + 1, total))
    return _Cells(stream, period, total, first[stream, period], days[stream, period], events)


def _events(
    rng: np.random.Generator, found: Habits, streams: Sequence[_Stream], periods: Mapping[int, list[Period]], cells: _Cells
) -> None:
    """Cut each total into events and give them their moments, all at once; none comes after now."""
    if not cells.total.size:
        return
    cell = np.repeat(np.arange(cells.total.size), cells.events)
    starts = np.concatenate(([0], np.cumsum(cells.events)[:-1]))
    weights = rng.lognormal(0, _UNEVEN, size=cell.size)
    parts = 1 + np.floor(weights / np.add.reduceat(weights, starts)[cell] * (cells.total - cells.events)[cell]).astype(np.int64)
    parts[starts] += cells.total - np.add.reduceat(parts, starts)
    on = cells.first[cell] + np.floor(rng.random(cell.size) * cells.days[cell]).astype(np.int64)
    names = list(HOURS)
    likely = np.cumsum(np.array([HOURS[name] for name in names], dtype=float), axis=1)
    rhythms = np.array([names.index(stream.kind.rhythm) for stream in streams])[cells.stream[cell]]
    hours = (rng.random(cell.size)[:, None] * likely[:, -1:][rhythms] >= likely[rhythms]).sum(axis=1)
    seconds, others, now = rng.integers(0, 3600, size=cell.size), rng.integers(10_000, 99_999, size=cell.size), clock.now()
    drawn = (cells.stream[cell], cells.period[cell], cells.first[cell], cells.days[cell], parts, on, hours, seconds, others)
    for number, (index, column, first, length, part, day, hour, second, other) in enumerate(
        zip(*(array.tolist() for array in drawn), strict=True), 1
    ):
        line, kind, _mean, tariff, cents, _most = streams[index]
        at, quantity = _moment(kind, day, range(first, first + length), hour, second, now), part * kind.size
        found.events.append(
            (
                periods[line.cycle_day][column].last,
                NewEvent(
                    line.customer_id, line.product_id, at, number, kind.kind, quantity,
                    tariff=tariff, other_party=f"+324700{other}" if kind.kind in _CALLED else None,
                    over_quantity=quantity if tariff is Tariff.OVER else 0, charged_cents=part * cents,
                ),
            )
        )  # fmt: skip


def _moment(kind: Kind, day: int, days: range, hour: int, second: int, now: datetime) -> datetime:
    """Return when something was used: in the hours of its rhythm, as near to a day as can be.

    A call of the evening costs nothing and one of the office does, so neither may slip into the other's hours.
    """
    for near in sorted(days, key=lambda one: abs(one - day)):
        at = clock.at(date.fromordinal(near), hour) + timedelta(seconds=second)
        if at < now and not (kind.rhythm == "office" and date.fromordinal(near).weekday() >= _SATURDAY):
            return at
    return now - timedelta(seconds=MINUTE + second)  # The first of its days is today.
