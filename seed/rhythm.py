"""How people use their lines: quiet nights, evenings of television, other weekends. Totals are met exactly, whatever the chance."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from core import clock
from core.models.usage import Direction, Tariff, UsageKind, Zone

KB_PER_MB = 1000
PREMIUM_SMS_CENTS = 200

_HOURS = {
    "data": [2, 1, 1, 0, 0, 1, 4, 9, 8, 7, 7, 8, 10, 8, 7, 7, 8, 10, 12, 13, 14, 14, 10, 5],
    "voice": [0, 0, 0, 0, 0, 0, 0, 2, 5, 8, 9, 9, 8, 7, 8, 8, 9, 10, 10, 8, 6, 3, 1, 0],
    "sms": [0, 0, 0, 0, 0, 0, 1, 5, 7, 7, 7, 8, 9, 8, 7, 8, 9, 9, 9, 9, 8, 7, 4, 1],
    "tv": [1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 5, 4, 2, 2, 3, 5, 8, 12, 16, 16, 11, 5],
    "evening": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 12, 14, 10, 5, 1, 0],
    "office": [0, 0, 0, 0, 0, 0, 0, 0, 6, 9, 10, 10, 6, 7, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0],
}


class Use(NamedTuple):
    """One event before it has a product: quantity in kB, seconds or pieces."""

    at: datetime
    kind: UsageKind
    quantity: int
    tariff: Tariff = Tariff.INCLUDED
    zone: Zone = Zone.NATIONAL
    country: str | None = None
    direction: Direction = Direction.OUT
    other_party: str | None = None
    charged_cents: int = 0


def month(rng: np.random.Generator, totals: dict[str, object], since: date, until: date, last: datetime) -> list[Use]:
    """Spread a month's totals over the days from `since` until `until` (exclusive), none after `last`, in order of time."""
    uses: list[Use] = []
    roaming = totals.get("roaming")
    for name, value in totals.items():
        if name in _MAKERS and value:
            uses += _MAKERS[name](rng, int(str(value)), _Span(since, until, last), str(roaming) if roaming else None)
    return sorted(uses, key=lambda use: use.at)


class _Span(NamedTuple):
    """The days in which something is used."""

    since: date
    until: date
    last: datetime


def _times(rng: np.random.Generator, count: int, span: _Span, rhythm: str) -> list[datetime]:
    """Draw moments by the hours of a rhythm; more on weekends for what is leisure, none for the office."""
    days = [span.since + timedelta(days=index) for index in range((span.until - span.since).days)]
    weekend = {"office": 0.0, "voice": 0.7}.get(rhythm, 1.4)
    weights = np.array([weekend if day.weekday() >= 5 else 1.0 for day in days])  # noqa: PLR2004 - Saturday is 5
    hours = np.array(_HOURS[rhythm], dtype=float)
    if not weights.sum():
        weights = np.ones(len(days))
    chosen = rng.choice(len(days), size=count, p=weights / weights.sum())
    at_hours = rng.choice(24, size=count, p=hours / hours.sum())
    seconds = rng.integers(0, 3600, size=count)
    found = []
    for day, hour, second in zip(chosen, at_hours, seconds, strict=True):
        moment = clock.at(days[int(day)], int(hour)) + timedelta(seconds=int(second))
        found.append(moment if moment < span.last else span.last - timedelta(minutes=int(second) + 1))
    return sorted(found)


def _parts(rng: np.random.Generator, total: int, count: int, spread: float = 0.9) -> list[int]:
    """Cut a total into uneven whole parts that add up to it."""
    if total <= 0:
        return [0] * count
    weights = rng.lognormal(0, spread, size=count)
    parts = np.floor(weights / weights.sum() * total).astype(int)
    parts[int(parts.argmax())] += total - int(parts.sum())
    return [int(part) for part in parts]


def _days(span: _Span) -> int:
    return max(1, (span.until - span.since).days)


def _number(rng: np.random.Generator) -> str:
    """A Belgian mobile number of the block that is kept free here."""
    return f"+324700{int(rng.integers(10000, 99999)):05d}"


def _data(rng: np.random.Generator, total_mb: int, span: _Span, roaming: str | None) -> list[Use]:
    count = max(1, min(round(2.2 * _days(span)), total_mb))
    times, sizes = _times(rng, count, span, "data"), _parts(rng, total_mb * KB_PER_MB, count)
    abroad = range(max(0, count - 9), max(0, count - 3)) if roaming else range(0)
    return [
        Use(at, UsageKind.DATA, size, zone=Zone.EU if index in abroad else Zone.NATIONAL, country=roaming if index in abroad else None)
        for index, (at, size) in enumerate(zip(times, sizes, strict=True))
    ]


def _calls(rng: np.random.Generator, minutes: int, span: _Span, rhythm: str, tariff: Tariff) -> list[Use]:
    """Calls of whole minutes, so that a month's minutes are exact whatever the rounding of each call."""
    count = max(1, min(minutes, round(minutes / 5)))
    times, lengths = _times(rng, count, span, rhythm), [part + 1 for part in _parts(rng, minutes - count, count)]
    return [
        Use(at, UsageKind.VOICE, length * 60, tariff=tariff, other_party=_number(rng)) for at, length in zip(times, lengths, strict=True)
    ]


def _messages(rng: np.random.Generator, count: int, span: _Span, _roaming: str | None) -> list[Use]:
    return [Use(at, UsageKind.SMS, 1, other_party=_number(rng)) for at in _times(rng, count, span, "sms")]


def _premium(rng: np.random.Generator, count: int, span: _Span, _roaming: str | None) -> list[Use]:
    late = _Span(max(span.since, span.until - timedelta(days=7)), span.until, span.last)
    return [
        Use(at, UsageKind.PREMIUM, 1, tariff=Tariff.THIRD_PARTY, zone=Zone.PREMIUM, other_party="6040", charged_cents=PREMIUM_SMS_CENTS)
        for at in _times(rng, count, late, "sms")
    ]


def _television(rng: np.random.Generator, minutes: int, span: _Span, _roaming: str | None) -> list[Use]:
    count = max(1, min(round(1.2 * _days(span)), minutes))
    times, lengths = _times(rng, count, span, "tv"), _parts(rng, minutes * 60, count, 0.5)
    return [Use(at, UsageKind.TV, length) for at, length in zip(times, lengths, strict=True)]


_MAKERS: dict[str, Callable[[np.random.Generator, int, _Span, str | None], list[Use]]] = {
    "data_mb": _data,
    "voice_min": lambda rng, total, span, _: _calls(rng, total, span, "voice", Tariff.INCLUDED),
    "offpeak_min": lambda rng, total, span, _: _calls(rng, total, span, "evening", Tariff.OFFPEAK),
    "peak_min": lambda rng, total, span, _: _calls(rng, total, span, "office", Tariff.PEAK),
    "free_peak_min": lambda rng, total, span, _: _calls(rng, total, span, "office", Tariff.INCLUDED),
    "sms": _messages,
    "premium_sms": _premium,
    "tv_min": _television,
}
