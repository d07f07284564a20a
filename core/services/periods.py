"""Periods of both bill models, shares of a period, and the days on which a bank works. Pure: values in, values out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from core import clock, i18n, money

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class Period:
    """From a day until another, which no longer belongs to it."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.until - self.since).days

    @property
    def last(self) -> date:
        """The last day in it, as people write it."""
        return self.until - _DAY

    def __contains__(self, day: date) -> bool:
        return self.since <= day < self.until


@dataclass(frozen=True)
class Share:
    """What a part of a period costs; its formula can be checked with a pocket calculator."""

    cents: int
    days: int
    of_days: int
    price_cents: int
    since: date
    until: date

    @property
    def whole(self) -> bool:
        """Whether it is the full price of a full period."""
        return self.days == self.of_days

    def sum_of(self, language: str) -> str:
        """Write "10,00 € x 13/30 (18/11 - 30/11)"; a whole period is its price alone."""
        price = i18n.money(self.price_cents, language)
        parts = "" if self.whole else f" × {self.days}/{self.of_days}"  # noqa: RUF001 - a real multiplication sign
        return f"{price}{parts} ({self._span(language)})"

    def formula(self, language: str) -> str:
        """Write "10,00 € x 13/30 = 4,33 € (18/11 - 30/11)"; a whole period is its price alone."""
        if self.whole:
            return self.sum_of(language)
        price, amount = i18n.money(self.price_cents, language), i18n.money(self.cents, language)
        return f"{price} × {self.days}/{self.of_days} = {amount} ({self._span(language)})"  # noqa: RUF001 - a real multiplication sign

    def _span(self, language: str) -> str:
        return f"{i18n.day(self.since, language, 'short')} – {i18n.day(self.until - _DAY, language, 'short')}"  # noqa: RUF001 - a dash between days


def month_of(day: date) -> Period:
    """Return the calendar month of a day: the period of the current model."""
    since = clock.month_start(day)
    return Period(since, clock.add_months(since, 1))


def cycle_of(day: date, cycle_day: int) -> Period:
    """Return the anniversary period of a day: the legacy model. A cycle day of 29 to 31 clamps to the month's end (W2)."""
    since = clock.add_months(day, 0, cycle_day)
    if since > day:
        since = clock.add_months(day, -1, cycle_day)
    return Period(since, clock.add_months(since, 1, cycle_day))


def prorate(cents: int, since: date, until: date, period: Period) -> Share:
    """Return what the days of [since, until) that lie in a period cost, of a price for the whole period (R6).

    `prorate(500, date(2026, 11, 18), date(2026, 12, 1), month_of(date(2026, 11, 18)))` is 217 cents, 13 days of 30.
    """
    first, end = max(since, period.since), min(until, period.until)
    days = max(0, (end - first).days)
    return Share(money.times(cents, days, period.days), days, period.days, cents, first, max(first, end))


def next_banking_day(day: date) -> date:
    """Return the day, or the first one after it, on which SEPA collections settle (TARGET calendar)."""
    while day.weekday() >= _SATURDAY or day in _closed(day.year):
        day += _DAY
    return day


def previous_banking_day(day: date) -> date:
    """Return the last day before this one on which SEPA collections settle."""
    return next(found for found in _backwards(day) if next_banking_day(found) == found)


def banking_days_before(day: date, many: int) -> date:
    """Return the banking day that lies so many of them before a day."""
    for _ in range(many):
        day = previous_banking_day(day)
    return day


def banking_day_ahead(today: date, many: int) -> date:
    """Return the first banking day after today that still has so many banking days before it, today included."""
    day = next_banking_day(today + _DAY)
    while banking_days_before(day, many) < today:
        day = next_banking_day(day + _DAY)
    return day


def _backwards(day: date) -> Iterator[date]:
    while True:
        day -= _DAY
        yield day


def _closed(year: int) -> frozenset[date]:
    """Return the holidays of the TARGET system: New Year, Good Friday, Easter Monday, 1 May, Christmas and the day after."""
    easter = _easter(year)
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)}
    return frozenset(fixed | {easter - 2 * _DAY, easter + _DAY})


def _easter(year: int) -> date:
    """Return Easter Sunday of a year by the Gregorian computus (Butcher's rule)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
