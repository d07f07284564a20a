"""What an event costs: how much of it lies outside the bundle, and at which rate. Pure: values in, values out.

Data outside the bundle is charged per started MB of the period (1 MB = 1,000 kB); calls per second after a first full minute. What is
charged never depends on a cap: see core/services/caps.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from core import money
from core.catalogue import UNLIMITED, Amount, Catalogue, Offering, Premium, Rate, catalogue, law
from core.models.usage import Direction, Tariff, UsageKind, Zone
from core.services.periods import Period, prorate

KB_PER_MB = 1000
MINUTE = 60
RATES = {
    (UsageKind.DATA, Tariff.OVER): "RATE_OOB_DATA",
    (UsageKind.VOICE, Tariff.OVER): "RATE_OOB_VOICE",
    (UsageKind.VOICE, Tariff.PEAK): "RATE_FIX_PEAK",
    (UsageKind.SMS, Tariff.OVER): "RATE_OOB_SMS",
    (UsageKind.MMS, Tariff.OVER): "RATE_MMS",
    (UsageKind.DATA, Tariff.WORLD): "RATE_WORLD_DATA",
    (UsageKind.VOICE, Tariff.WORLD): "RATE_WORLD_VOICE",
    (UsageKind.SMS, Tariff.WORLD): "RATE_WORLD_SMS",
}
OUTSIDE = frozenset({Tariff.WORLD, Tariff.FREE})
"""Tariffs of what no bundle counts."""


@dataclass(frozen=True)
class Running:
    """A plan or an option on a line, while it ran."""

    code: str
    since: date
    until: date | None = None


@dataclass(frozen=True)
class Bundle:
    """What a line may use in a period before it pays or slows down; None is unlimited, 0 is nothing."""

    data_kb: int | None
    voice_seconds: int | None
    sms: int | None
    peak_free: bool = False
    throttled: bool = False
    fixed: bool = False


class Used(NamedTuple):
    """What a line used of its bundle before the event at hand, and what it was charged for already.

    What was charged above the bundle is not in the first three: a volume bought afterwards is there to be used (W3).
    """

    data_kb: int = 0
    voice_seconds: int = 0
    sms: int = 0
    over_kb: int = 0
    world_kb: int = 0
    third_party_cents: int = 0


NOTHING = Used()


class Use(NamedTuple):
    """One event to be rated; the quantity in kB, seconds or pieces. `peak` counts for calls of a fixed line only."""

    kind: UsageKind
    quantity: int
    peak: bool = False
    direction: Direction = Direction.OUT
    zone: Zone = Zone.NATIONAL
    premium: Premium | None = None


class Charge(NamedTuple):
    """How an event is charged, VAT included."""

    tariff: Tariff
    over_quantity: int = 0
    charged_cents: int = 0


_INCLUDED, _FREE, _OFFPEAK = Charge(Tariff.INCLUDED), Charge(Tariff.FREE), Charge(Tariff.OFFPEAK)


def bundle(plan: Running, options: Iterable[Running], period: Period, sold: Catalogue | None = None, day: date | None = None) -> Bundle:
    """Return what a line may use in a period; with a `day`, which calls are free on that day.

    The plan and a one-shot count in full; an option that began within the period counts for its share of days, as its price does (W3).
    Free calls have no share: they end with their option.
    """
    sold = sold or catalogue()
    offering = sold[plan.code]
    parts, today = [(offering, 1, 1)], [(offering, 1, 1)]
    for option in options:
        if option.since < period.until and (option.until is None or option.until > max(option.since, period.since)):
            found = sold[option.code]
            share = prorate(0, option.since, option.until or period.until, period)
            parts.append((found, 1, 1) if found.one_shot else (found, share.days, share.of_days))
            if day is None or option.until is None or day < option.until:
                today.append(parts[-1])
    data, voice = _total(parts, "data_mb"), _total(parts, "voice_min")
    return Bundle(
        data_kb=None if data is None else data * KB_PER_MB,
        voice_seconds=None if voice is None else voice * MINUTE,
        sms=_total(parts, "sms"),
        peak_free=_total(today, "peak_min") is None,
        throttled=offering.when_used_up == "throttle",
        fixed=offering.allowance.offpeak_min is not None,
    )


def rate(use: Use, bundle: Bundle, used: Used = NOTHING, sold: Catalogue | None = None) -> Charge:  # noqa: PLR0911 - one answer for each kind of use
    """Return how one event is charged after what the line used before it in the period.

    In the EU a line is used as at home (Reg. (EU) 2022/612); elsewhere at the rates of the world, outside every bundle. What comes in is
    free. A third party's service is passed on by the class of its number, never above the ceilings of a charge and of a month (R5, W4).
    """
    sold = sold or catalogue()
    if use.premium is not None and use.premium.charged != "as_call":
        return _FREE if use.premium.charged == "free" else Charge(Tariff.THIRD_PARTY, 0, premium_cents(use.premium, use.quantity, used))
    if use.direction is Direction.IN:
        return _FREE
    kind = use.kind
    if kind is UsageKind.TV or kind is UsageKind.PREMIUM:
        return _INCLUDED
    if use.zone is Zone.WORLD and kind is not UsageKind.MMS:
        return _world(use, used, sold)
    if kind is UsageKind.DATA:
        return _data(use, bundle, used, sold)
    if kind is UsageKind.VOICE and bundle.fixed:
        return _fixed_call(use, bundle, sold)
    if kind is UsageKind.VOICE:
        over = _over(use.quantity, used.voice_seconds, bundle.voice_seconds)
        return Charge(Tariff.OVER, over, call_cents(sold.rates["RATE_OOB_VOICE"], over, begun=over < use.quantity)) if over else _INCLUDED
    over = use.quantity if kind is UsageKind.MMS else _over(use.quantity, used.sms, bundle.sms)
    return Charge(Tariff.OVER, over, over * sold.rates[RATES[kind, Tariff.OVER]].cents) if over else _INCLUDED


def over(uses: Iterable[Use], bundle: Bundle, used: Used = NOTHING) -> list[Charge]:
    """Return how the events of one line and period are charged, in the order they happened."""
    charges = []
    for use in uses:
        charges.append(rate(use, bundle, used))
        used = after(use, charges[-1], used)
    return charges


def after(use: Use, charge: Charge, used: Used) -> Used:
    """Return what a line has used once an event is over."""
    if charge.tariff is Tariff.THIRD_PARTY:
        return used._replace(third_party_cents=used.third_party_cents + charge.charged_cents)
    if charge.tariff is Tariff.WORLD:
        return used._replace(world_kb=used.world_kb + use.quantity) if use.kind is UsageKind.DATA else used
    if charge.tariff is Tariff.FREE:
        return used
    within = use.quantity - charge.over_quantity
    if use.kind is UsageKind.DATA:
        return used._replace(data_kb=used.data_kb + within, over_kb=used.over_kb + charge.over_quantity)
    if use.kind is UsageKind.VOICE:
        return used._replace(voice_seconds=used.voice_seconds + within)
    return used._replace(sms=used.sms + within) if use.kind is UsageKind.SMS else used


def started_mb(over_kb: int) -> int:
    """Return the started MB of a quantity in kB."""
    return -(-over_kb // KB_PER_MB)


def call_cents(rate: Rate | Premium, seconds: int, *, begun: bool = False) -> int:
    """Return what seconds of a call cost at a rate; a call that `begun` within the bundle owes no first minute any more."""
    first, step = 0 if begun else rate.first_seconds or 0, rate.then_seconds or 1
    counted = first + -(-max(0, seconds - first) // step) * step if seconds else 0
    return money.times(rate.cents, counted, MINUTE)


def premium_cents(premium: Premium, quantity: int, used: Used = NOTHING) -> int:
    """Return what a third party charges for a call of so many seconds, or so many messages, within the ceilings of W4.

    A call by the minute ends after its longest time (R15): what a record holds beyond is not charged. The month is the period of the line.
    """
    if premium.unit == "minute":
        seconds = min(quantity, premium.max_minutes * MINUTE) if premium.max_minutes else quantity
        cents = call_cents(premium, seconds)
    else:
        cents = premium.cents * (quantity if premium.unit == "message" else min(quantity, 1))
    left: int = law("premium_month_ceiling_cents") - used.third_party_cents
    highest: int = law("premium_transaction_ceiling_cents")
    return max(0, min(cents, highest, left))


def _world(use: Use, used: Used, sold: Catalogue) -> Charge:
    rate = sold.rates[RATES[use.kind, Tariff.WORLD]]
    if use.kind is UsageKind.DATA:
        cents = rate.cents * (started_mb(used.world_kb + use.quantity) - started_mb(used.world_kb))
    else:
        cents = call_cents(rate, use.quantity) if use.kind is UsageKind.VOICE else rate.cents * use.quantity
    return Charge(Tariff.WORLD, use.quantity, cents)


def _data(use: Use, bundle: Bundle, used: Used, sold: Catalogue) -> Charge:
    """Charge the MB that this event starts: the events of a period add up to what the period owes."""
    over = 0 if bundle.throttled else _over(use.quantity, used.data_kb, bundle.data_kb)
    if not over:
        return _INCLUDED
    started = started_mb(used.over_kb + over) - started_mb(used.over_kb)
    return Charge(Tariff.OVER, over, sold.rates["RATE_OOB_DATA"].cents * started)


def _fixed_call(use: Use, bundle: Bundle, sold: Catalogue) -> Charge:
    if not use.peak:
        return _OFFPEAK
    if bundle.peak_free:
        return _INCLUDED
    return Charge(Tariff.PEAK, 0, call_cents(sold.rates["RATE_FIX_PEAK"], use.quantity))  # Above no bundle: there is none for it.


def _over(quantity: int, used: int, allowance: int | None) -> int:
    return 0 if allowance is None else min(quantity, max(0, used + quantity - allowance))


def _total(parts: list[tuple[Offering, int, int]], name: str) -> int | None:
    """Add up one allowance; None as soon as one part is unlimited."""
    total = 0
    for offering, days, of_days in parts:
        amount: Amount | None = getattr(offering.allowance, name)
        if amount == UNLIMITED and days:
            return None
        if isinstance(amount, int):
            total += amount * days // of_days
    return total
