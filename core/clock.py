"""The one clock. Business time can be stopped by a test and moved by a demo; real time can't.

A moment is an aware UTC datetime (`*_at`); a day is a date in Europe/Brussels (`day`, `since`, `until`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")

_standing: ContextVar[datetime | None] = ContextVar("standing", default=None)


def now() -> datetime:
    """Return the business moment in UTC: the standing one if there is one, else the real one."""
    return _standing.get() or real_now()


def real_now() -> datetime:
    """Return the real moment in UTC, for sessions, throttles and logs: a demo that moves its clock must not sign anyone out."""
    return datetime.now(UTC)


def today() -> date:
    """Return the business day in Brussels."""
    return local(now()).date()


def stand_at(moment: datetime | None) -> None:
    """Stop the business clock of this context at a moment, or let it run (None)."""
    _standing.set(moment)


@contextmanager
def standing(moment: datetime) -> Iterator[None]:
    """Stop the business clock within a block."""
    token = _standing.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _standing.reset(token)


def local(moment: datetime) -> datetime:
    """Turn a moment into Brussels time."""
    return moment.astimezone(BRUSSELS)


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """Return the UTC moment of a Brussels wall-clock time; of the hour that comes twice in October, the first."""
    return datetime.combine(day, time(hour, minute), BRUSSELS).astimezone(UTC)


def month_start(day: date) -> date:
    """Return the first day of the month of a day."""
    return day.replace(day=1)


def add_months(day: date, months: int, cycle_day: int | None = None) -> date:
    """Move a day by months; a cycle day of 29 to 31 clamps to the month's end (W2)."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(cycle_day or day.day, last))


def from_stored(value: datetime | str) -> datetime:
    """Read a moment as a database returns it to plain SQL: SQLite gives text, PostgreSQL a datetime."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
