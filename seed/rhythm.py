"""How people use their lines: quiet nights, evenings of television, other weekends. Totals are met exactly, whatever the chance."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from core import clock
from core.models.usage import Direction, Tariff, UsageKind, Zone

KB_PER_MB = 1000
MINUTE = 60
PREMIUM_SMS_CENTS = 200

HOURS = {
    "data": [2, 1, 1, 0, 0, 1, 4, 9, 8, 7, 7, 8, 10, 8, 7, 7, 8, 10, 12, 13, 14, 14, 10, 5],
    "voice": [0, 0, 0, 0, 0, 0, 0, 2, 5, 8, 9, 9, 8, 7, 8, 8, 9, 10, 10, 8, 6, 3, 1, 0],
    "sms": [0, 0, 0, 0, 0, 0, 1, 5, 7, 7, 7, 8, 9, 8, 7, 8, 9, 9, 9, 9, 8, 7, 4, 1],
    "tv": [1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 5, 4, 2, 2, 3, 5, 8, 12, 16, 16, 11, 5],
    "evening": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 8, 12, 14, 10, 5, 1, 0],
    "office": [0, 0, 0, 0, 0, 0, 0, 0, 6, 9, 10, 10, 6, 7, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0],
}
"""How often each hour of the day, by rhythm."""


Totals = Mapping[str, object]
"""What a month's use adds up to, by the names of the stories: data_mb, voice_min, ..."""


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


class Span(NamedTuple):
    """The days in which something is used, `until` exclusive, and the moment after which nothing was."""

    since: date
    until: date
    last: datetime

    @property
    def days(self) -> int:
        """How many days there are."""
        return max(1, (self.until - self.since).days)


def month(rng: np.random.Generator, totals: Totals, span: Span) -> list[Use]:
    """Spread a month's totals over its days, in order of time."""
    roaming = totals.get("roaming")
    uses = [use for name, total in _told(totals) for use in KINDS[name].spread(rng, total, span, str(roaming) if roaming else None)]
    return sorted(uses, key=lambda use: use.at)


def whole(totals: Totals, span: Span) -> list[tuple[Use, int]]:
    """Return a month's totals as they are, on its first day, each with how many events it stands for: all that is kept of an old month (R27)."""
    noon = clock.at(span.since, 12)
    return [
        (Use(noon, one.kind, total * one.size, one.tariff, charged_cents=total * one.each_cents), one.events(total, span.days))
        for one, total in ((KINDS[name], total) for name, total in _told(totals))
    ]


def _told(totals: Totals) -> list[tuple[str, int]]:
    return [(name, int(str(total))) for name, total in totals.items() if name in KINDS and total]


def _times(rng: np.random.Generator, count: int, span: Span, rhythm: str) -> list[datetime]:
    """Draw moments by the hours of a rhythm; more on weekends for what is leisure, none for the office."""
    days = [span.since + timedelta(days=index) for index in range((span.until - span.since).days)]
    weekend = {"office": 0.0, "voice": 0.7}.get(rhythm, 1.4)
    weights = np.array([weekend if day.weekday() >= 5 else 1.0 for day in days])  # noqa: PLR2004 - Saturday is 5
    hours = np.array(HOURS[rhythm], dtype=float)
    if not weights.sum():
        weights = np.ones(len(days))
    chosen = rng.choice(len(days), size=count, p=weights / weights.sum())
    at_hours = rng.choice(24, size=count, p=hours / hours.sum())
    seconds = rng.integers(0, 3600, size=count)
    found = []
    for day, hour, second in zip(chosen, at_hours, seconds, strict=True):
        moment = clock.at(days[int(day)], int(hour)) + timedelta(seconds=int(second))
        if moment >= span.last:  # Still to come: the same hour of the day before.
            moment -= timedelta(days=1)
        found.append(max(moment, clock.at(span.since, 0)))
    return sorted(found)


def _parts(rng: np.random.Generator, total: int, count: int, spread: float = 0.9) -> list[int]:
    """Cut a total into uneven whole parts that add up to it."""
    if total <= 0:
        return [0] * count
    weights = rng.lognormal(0, spread, size=count)
    parts = np.floor(weights / weights.sum() * total).astype(int)
    parts[int(parts.argmax())] += total - int(parts.sum())
    return [int(part) for part in parts]


def _number(rng: np.random.Generator) -> str:
    """A Belgian mobile number of the block that is kept free here."""
    return f"+324700{int(rng.integers(10000, 99999)):05d}"


def _data(rng: np.random.Generator, total_mb: int, span: Span, roaming: str | None) -> list[Use]:
    count = _data_events(total_mb, span.days)
    times, sizes = _times(rng, count, span, "data"), _parts(rng, total_mb * KB_PER_MB, count)
    abroad = range(max(0, count - 9), max(0, count - 3)) if roaming else range(0)
    return [
        Use(at, UsageKind.DATA, size, zone=Zone.EU if index in abroad else Zone.NATIONAL, country=roaming if index in abroad else None)
        for index, (at, size) in enumerate(zip(times, sizes, strict=True))
    ]


def _calls(rhythm: str, tariff: Tariff) -> "_Spread":
    """Calls of whole minutes, so that a month's minutes are exact whatever the rounding of each call."""

    def spread(rng: np.random.Generator, minutes: int, span: Span, _roaming: str | None) -> list[Use]:
        count = _call_events(minutes, span.days)
        times, lengths = _times(rng, count, span, rhythm), [part + 1 for part in _parts(rng, minutes - count, count)]
        return [
            Use(at, UsageKind.VOICE, length * MINUTE, tariff=tariff, other_party=_number(rng))
            for at, length in zip(times, lengths, strict=True)
        ]

    return spread


def _messages(rng: np.random.Generator, count: int, span: Span, _roaming: str | None) -> list[Use]:
    return [Use(at, UsageKind.SMS, 1, other_party=_number(rng)) for at in _times(rng, count, span, "sms")]


def _premium(rng: np.random.Generator, count: int, span: Span, _roaming: str | None) -> list[Use]:
    late = span._replace(since=max(span.since, span.until - timedelta(days=7)))
    return [
        Use(at, UsageKind.PREMIUM, 1, tariff=Tariff.THIRD_PARTY, zone=Zone.PREMIUM, other_party="6040", charged_cents=PREMIUM_SMS_CENTS)
        for at in _times(rng, count, late, "sms")
    ]


def _television(rng: np.random.Generator, minutes: int, span: Span, _roaming: str | None) -> list[Use]:
    count = _programmes(minutes, span.days)
    times, lengths = _times(rng, count, span, "tv"), _parts(rng, minutes * MINUTE, count, 0.5)
    return [Use(at, UsageKind.TV, length) for at, length in zip(times, lengths, strict=True)]


def _data_events(total_mb: int, days: int) -> int:
    return max(1, min(round(1.5 * days), total_mb))


def _call_events(minutes: int, _days: int) -> int:
    return max(1, min(minutes, round(minutes / 5)))


def _programmes(minutes: int, days: int) -> int:
    return max(1, min(days, minutes))


_Spread = Callable[[np.random.Generator, int, Span, str | None], list[Use]]


class Kind(NamedTuple):
    """What a name of the stories stands for: how large its unit is, when it is used, how many events a total makes in so many days."""

    kind: UsageKind
    tariff: Tariff
    size: int
    rhythm: str
    events: Callable[[int, int], int]
    spread: _Spread
    each_cents: int = 0


KINDS = {
    "data_mb": Kind(UsageKind.DATA, Tariff.INCLUDED, KB_PER_MB, "data", _data_events, _data),
    "voice_min": Kind(UsageKind.VOICE, Tariff.INCLUDED, MINUTE, "voice", _call_events, _calls("voice", Tariff.INCLUDED)),
    "offpeak_min": Kind(UsageKind.VOICE, Tariff.OFFPEAK, MINUTE, "evening", _call_events, _calls("evening", Tariff.OFFPEAK)),
    "peak_min": Kind(UsageKind.VOICE, Tariff.PEAK, MINUTE, "office", _call_events, _calls("office", Tariff.PEAK)),
    "free_peak_min": Kind(UsageKind.VOICE, Tariff.INCLUDED, MINUTE, "office", _call_events, _calls("office", Tariff.INCLUDED)),
    "sms": Kind(UsageKind.SMS, Tariff.INCLUDED, 1, "sms", lambda count, _days: count, _messages),
    "premium_sms": Kind(UsageKind.PREMIUM, Tariff.THIRD_PARTY, 1, "sms", lambda count, _days: count, _premium, PREMIUM_SMS_CENTS),
    "tv_min": Kind(UsageKind.TV, Tariff.INCLUDED, MINUTE, "tv", _programmes, _television),
}
