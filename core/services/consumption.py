"""How far a customer's lines have come in the running period: used, left, above the bundle, and where it will end (W2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Service, catalogue
from core.models.usage import Tariff, UsageKind
from core.services import billing, caps, holdings
from core.services.periods import Period
from core.services.rating import MINUTE, OUTSIDE, Bundle, Running, bundle
from core.services.usage import Sum, period_sums

FORECAST_AFTER_DAYS = 3
WATCH_FROM = 0.8
"""The share of a bundle from which a line deserves a look (the first of the legal alert steps)."""


class Counter(StrEnum):
    """What is counted on a line."""

    INTERNET = "internet"
    DATA = "data"
    CALLS = "calls"
    OFFPEAK = "offpeak"
    PEAK = "peak"
    TEXTS = "texts"
    PICTURES = "pictures"
    TELEVISION = "television"
    PREMIUM = "premium"
    ADDED = "added"
    ABROAD = "abroad"


@dataclass(frozen=True)
class Gauge:
    """One counter of a line: quantities in kB, seconds or pieces, money in cents. `bundle` None is unlimited or not counted off.

    `over` is what was charged above the bundle of its moment: an option bought later does not take it back.
    """

    counter: Counter
    used: int
    bundle: int | None
    forecast: int | None = None
    over: int = 0
    over_cents: int = 0
    charged_cents: int = 0

    @property
    def share(self) -> float | None:
        """How full the bundle is; above 1 when it is passed; None without a bundle."""
        return None if self.bundle is None else (self.used / self.bundle if self.bundle else 1.0)


@dataclass(frozen=True)
class LineUse:
    """All counters of one plan. `blocked` beyond its bundle by its cap, but for volume that was added; or `slowed` down."""

    product_id: int
    gauges: tuple[Gauge, ...]
    cap_cents: int | None
    blocked: bool
    slowed: bool

    @property
    def over_cents(self) -> int:
        """What lies above the bundle, in cents."""
        return sum(gauge.over_cents for gauge in self.gauges)

    @property
    def added_left(self) -> int:
        """What is left of the volume that was bought for this period, in kB."""
        return sum((gauge.bundle or 0) - gauge.used for gauge in self.gauges if gauge.counter is Counter.ADDED)

    @property
    def third_party_cents(self) -> int:
        """What third parties charge, in cents."""
        return sum(gauge.charged_cents for gauge in self.gauges if gauge.counter is Counter.PREMIUM)

    @property
    def nearly_used_up(self) -> bool:
        """Whether a bundle is nearly empty, or will be before the period ends."""
        return any(gauge.share is not None and WATCH_FROM <= gauge.share <= 1 for gauge in self.gauges)


@dataclass(frozen=True)
class Consumption:
    """The running period of all plans, by product id."""

    period: Period
    as_of: datetime
    lines: Mapping[int, LineUse]

    @property
    def days_left(self) -> int:
        """The days that are still to come, today not counted."""
        return (self.period.last - clock.local(self.as_of).date()).days


@dataclass(frozen=True)
class PastPeriod:
    """What one counter came to in an earlier period."""

    period: Period
    counter: Counter
    used: int


def running(session: Session, actor: Actor, *, customer_id: int) -> Consumption:
    """Return the running period of every plan a customer holds."""
    actor.require(Permission.USAGE_READ, customer_id)
    period = _period(session, customer_id, clock.today())
    sums = period_sums(session, customer_id=customer_id, since=period.since, until=period.until)
    limits = caps.of_customer(session, actor, customer_id=customer_id)
    lines = {}
    for plan_id, plan, options in _plans(session, customer_id, period):
        use = {(kind, tariff): found for (product, kind, tariff), found in sums.items() if product == plan_id}
        lines[plan_id] = _line(plan_id, plan, options, period, use, limits.get(plan_id))
    return Consumption(period, clock.now(), lines)


def last_periods(session: Session, actor: Actor, *, customer_id: int, product_id: int, count: int = 3) -> list[PastPeriod]:
    """Return the counters of a plan over its last periods, the oldest first, the running one last."""
    actor.require(Permission.USAGE_READ, customer_id)
    period = _period(session, customer_id, clock.today())
    periods = [period]
    for _ in range(count):
        periods.insert(0, _period(session, customer_id, periods[0].since - (periods[0].until - periods[0].last)))
    found = []
    for one in periods:
        plan = next((plan for plan_id, plan, _ in _plans(session, customer_id, one) if plan_id == product_id), None)
        if plan is None:
            continue
        sums = period_sums(session, customer_id=customer_id, since=one.since, until=one.until)
        use = {(kind, tariff): total for (product, kind, tariff), total in sums.items() if product == product_id}
        found += [PastPeriod(one, gauge.counter, gauge.used) for gauge in _gauges(plan, bundle(plan, [], one), use, one, added=0)]
    return found


def _period(session: Session, customer_id: int, day: date) -> Period:
    return billing.counted_period(holdings.of_customer(session, customer_id).account, day)


def _plans(session: Session, customer_id: int, period: Period) -> list[tuple[int, Running, list[Running]]]:
    under: dict[int | None, list[tuple[int, Running]]] = {}
    for row in holdings.of_customer(session, customer_id).products:
        if row.since < period.until and (row.until is None or row.until > period.since):
            under.setdefault(row.parent_id, []).append((row.id, Running(row.code, row.since, row.until)))
    return [(plan_id, plan, [option for _, option in under.get(plan_id, [])]) for plan_id, plan in under.get(None, [])]


def _line(
    product_id: int,
    plan: Running,
    options: Sequence[Running],
    period: Period,
    use: Mapping[tuple[UsageKind, Tariff], Sum],
    cap_cents: int | None,
) -> LineUse:
    sold = catalogue()
    held = bundle(plan, [option for option in options if not sold[option.code].one_shot], period)
    bought = bundle(plan, options, period)
    added = (bought.data_kb or 0) - (held.data_kb or 0)
    gauges = tuple(_gauges(plan, held, use, period, added))
    used_up = any(gauge.bundle is not None and gauge.used >= gauge.bundle for gauge in gauges if gauge.counter is not Counter.ADDED)
    blocked = not held.throttled and caps.blocked(cap_cents, used_up=used_up, over_cents=sum(gauge.over_cents for gauge in gauges))
    found = LineUse(product_id, gauges, cap_cents, blocked, slowed=False)
    return replace(found, slowed=held.throttled and used_up and not found.added_left)


def _gauges(plan: Running, held: Bundle, use: Mapping[tuple[UsageKind, Tariff], Sum], period: Period, added: int) -> list[Gauge]:
    services = catalogue()[plan.code].services
    start = max(period.since, plan.since)
    found = []
    if Service.INTERNET in services:
        found += _data(Counter.INTERNET, _total(use, UsageKind.DATA), held.data_kb, added, start, period)
    if Service.TV in services:
        found.append(Gauge(Counter.TELEVISION, _total(use, UsageKind.TV).quantity, None))
    if Service.PHONE in services:
        peak = use.get((UsageKind.VOICE, Tariff.PEAK), _NOTHING)
        offpeak = _total(use, UsageKind.VOICE).quantity - peak.quantity
        found.append(Gauge(Counter.OFFPEAK, offpeak, None))
        found.append(Gauge(Counter.PEAK, peak.quantity, None, charged_cents=peak.charged_cents))
    if Service.MOBILE in services:
        found += _data(Counter.DATA, _total(use, UsageKind.DATA), held.data_kb, added, start, period)
        found.append(_gauge(Counter.CALLS, _total(use, UsageKind.VOICE), held.voice_seconds, start, period))
        found.append(_gauge(Counter.TEXTS, _total(use, UsageKind.SMS), held.sms, start, period))
        pictures = _total(use, UsageKind.MMS)
        if pictures.events:
            found.append(Gauge(Counter.PICTURES, pictures.quantity, None, charged_cents=pictures.charged_cents))
    abroad = [total for (_, tariff), total in use.items() if tariff is Tariff.WORLD]
    if abroad:
        events, cents = sum(total.events for total in abroad), sum(total.charged_cents for total in abroad)
        found.append(Gauge(Counter.ABROAD, events, None, charged_cents=cents))
    premium = _total(use, UsageKind.PREMIUM)
    if premium.events:
        found.append(Gauge(Counter.PREMIUM, premium.events, None, charged_cents=premium.charged_cents))
    return found


def _data(counter: Counter, total: Sum, held: int | None, added: int, start: date, period: Period) -> list[Gauge]:
    """Return the bundle first, then the volume that was bought for this period, which is used once the bundle is empty."""
    if held is None or not added:
        return [_gauge(counter, total, held, start, period)]
    included = total.quantity - total.over_quantity
    first = replace(total, quantity=min(included, held) + total.over_quantity)
    return [_gauge(counter, first, held, start, period), Gauge(Counter.ADDED, min(max(0, included - held), added), added)]


def _gauge(counter: Counter, total: Sum, held: int | None, start: date, period: Period) -> Gauge:
    forecast = _forecast(total.quantity, start, period) if held is not None else None
    return Gauge(counter, total.quantity, held, forecast, total.over_quantity, total.charged_cents)


def _forecast(used: int, start: date, period: Period) -> int | None:
    """Where the period will end at this pace, to three digits; None while the first days say little, or once it is over."""
    elapsed = (clock.today() - start).days + 1
    if elapsed <= FORECAST_AFTER_DAYS or clock.today() not in period:
        return None
    expected = used * (period.until - start).days // elapsed
    step: int = 10 ** max(0, len(str(expected)) - 3)
    return -(-expected // step) * step


_NOTHING = Sum(0, 0, 0, 0)


def _total(use: Mapping[tuple[UsageKind, Tariff], Sum], kind: UsageKind) -> Sum:
    """Sum what a bundle counts of a kind; what came in, was free or used outside the EU is not of it."""
    found = [total for (one, tariff), total in use.items() if one is kind and tariff not in OUTSIDE]
    return Sum(
        sum(total.events for total in found),
        sum(total.quantity for total in found),
        sum(total.over_quantity for total in found),
        sum(total.charged_cents for total in found),
    )


def minutes(seconds: int) -> int:
    """Return the started minutes of a duration, as counters show them."""
    return -(-seconds // MINUTE)
