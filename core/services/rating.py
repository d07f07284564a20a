"""What an event costs: how much of it lies outside the bundle, and at which rate. Pure: values in, values out.

Data outside the bundle is charged per started MB of the period (1 MB = 1,000 kB); calls per second after a first full minute.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from core import money
from core.catalogue import UNLIMITED, Amount, Catalogue, Offering, catalogue
from core.models.usage import Direction, Tariff, UsageKind
from core.services.periods import Period, prorate

KB_PER_MB = 1000
MINUTE = 60
RATES = {
    (UsageKind.DATA, Tariff.OVER): "RATE_OOB_DATA",
    (UsageKind.VOICE, Tariff.OVER): "RATE_OOB_VOICE",
    (UsageKind.VOICE, Tariff.PEAK): "RATE_FIX_PEAK",
    (UsageKind.SMS, Tariff.OVER): "RATE_OOB_SMS",
    (UsageKind.MMS, Tariff.OVER): "RATE_MMS",
}


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


@dataclass(frozen=True)
class Used:
    """What a line used of its period before the event at hand."""

    data_kb: int = 0
    voice_seconds: int = 0
    sms: int = 0


@dataclass(frozen=True)
class Use:
    """One event to be rated; the quantity in kB, seconds or pieces. `peak` counts for calls of a fixed line only."""

    kind: UsageKind
    quantity: int
    peak: bool = False
    direction: Direction = Direction.OUT


@dataclass(frozen=True)
class Charge:
    """How an event is charged, VAT included."""

    tariff: Tariff
    over_quantity: int = 0
    charged_cents: int = 0


def bundle(plan: Running, options: Iterable[Running], period: Period, sold: Catalogue | None = None) -> Bundle:
    """Return what a line may use in a period.

    The plan and a one-shot count in full; an option that began within the period counts for its share of days, as its price does (W3).
    """
    sold = sold or catalogue()
    offering = sold[plan.code]
    parts = [(offering, 1, 1)]
    for option in options:
        if option.since < period.until and (option.until is None or option.until > max(option.since, period.since)):
            found = sold[option.code]
            share = prorate(0, option.since, option.until or period.until, period)
            parts.append((found, 1, 1) if found.one_shot else (found, share.days, share.of_days))
    data, voice = _total(parts, "data_mb"), _total(parts, "voice_min")
    return Bundle(
        data_kb=None if data is None else data * KB_PER_MB,
        voice_seconds=None if voice is None else voice * MINUTE,
        sms=_total(parts, "sms"),
        peak_free=_total(parts, "peak_min") is None,
        throttled=offering.when_used_up == "throttle",
        fixed=offering.allowance.offpeak_min is not None,
    )


def rate(use: Use, bundle: Bundle, used: Used = Used(), sold: Catalogue | None = None) -> Charge:
    """Return how one event is charged after what the line used before it in the period."""
    cents = {code: found.cents for code, found in (sold or catalogue()).rates.items()}
    if use.direction is Direction.IN or use.kind in {UsageKind.TV, UsageKind.PREMIUM}:
        return Charge(Tariff.INCLUDED)
    if use.kind is UsageKind.VOICE and bundle.fixed:
        return _fixed_call(use, bundle, cents["RATE_FIX_PEAK"])
    if use.kind is UsageKind.DATA:
        return _data(use, bundle, used, cents["RATE_OOB_DATA"])
    if use.kind is UsageKind.VOICE:
        over = _over(use.quantity, used.voice_seconds, bundle.voice_seconds)
        billed = over if over < use.quantity else max(over, MINUTE)
        return Charge(Tariff.OVER, over, money.times(cents["RATE_OOB_VOICE"], billed, MINUTE)) if over else Charge(Tariff.INCLUDED)
    over = use.quantity if use.kind is UsageKind.MMS else _over(use.quantity, used.sms, bundle.sms)
    return Charge(Tariff.OVER, over, over * cents[RATES[use.kind, Tariff.OVER]]) if over else Charge(Tariff.INCLUDED)


def over(uses: Iterable[Use], bundle: Bundle, used: Used = Used()) -> list[Charge]:
    """Return how the events of one line and period are charged, in the order they happened."""
    charges = []
    for use in uses:
        charges.append(rate(use, bundle, used))
        used = after(use, used)
    return charges


def after(use: Use, used: Used) -> Used:
    """Return what a line has used once an event is over."""
    if use.direction is Direction.IN:
        return used
    if use.kind is UsageKind.DATA:
        return replace(used, data_kb=used.data_kb + use.quantity)
    if use.kind is UsageKind.VOICE:
        return replace(used, voice_seconds=used.voice_seconds + use.quantity)
    return replace(used, sms=used.sms + use.quantity) if use.kind is UsageKind.SMS else used


def started_mb(over_kb: int) -> int:
    """Return the started MB of a quantity in kB."""
    return -(-over_kb // KB_PER_MB)


def _data(use: Use, bundle: Bundle, used: Used, cents: int) -> Charge:
    """Charge the MB that this event starts: the events of a period add up to what the period owes."""
    over = 0 if bundle.throttled else _over(use.quantity, used.data_kb, bundle.data_kb)
    if not over or bundle.data_kb is None:
        return Charge(Tariff.INCLUDED)
    before = max(0, used.data_kb - bundle.data_kb)
    return Charge(Tariff.OVER, over, cents * (started_mb(before + over) - started_mb(before)))


def _fixed_call(use: Use, bundle: Bundle, cents: int) -> Charge:
    if not use.peak:
        return Charge(Tariff.OFFPEAK)
    if bundle.peak_free:
        return Charge(Tariff.INCLUDED)
    return Charge(Tariff.PEAK, use.quantity, money.times(cents, max(use.quantity, MINUTE), MINUTE) if use.quantity else 0)


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
