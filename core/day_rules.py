"""What a day from outside must be before it is stored or counted with."""

from datetime import date

from core import clock
from core.errors import N_, DomainError

FIRST = date(1900, 1, 1)
AHEAD_MONTHS = 120
"""Nothing is planned further ahead than the date pickers go."""


class OddDay(DomainError):
    """The day lies so far away that it is a slip of the fingers."""

    message = N_("Choose a day from {first} to {last}.")


def near(day: date, *, field: str) -> date:
    """Return a day that somebody may mean, from 1900 to ten years ahead. Raises OddDay."""
    last = clock.add_months(clock.today(), AHEAD_MONTHS)
    if not FIRST <= day <= last:
        raise OddDay(field=field, first=FIRST, last=last)
    return day
