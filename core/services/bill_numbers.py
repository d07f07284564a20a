"""Numbers of bills and credit notes: per month, without gaps, each series its own (R11).

A bill is YYMM and a counter of six digits. Credit notes count from 900001, so bills pass on to a second series, month + 20, before that.
A number is taken in the transaction of its bill: where that one is undone, the number is given out again.
"""

from datetime import date

from sqlalchemy import text
from sqlmodel import Session

CREDIT_NOTES_AFTER = 900_000
_TAKE = text(
    "INSERT INTO bill_counter (series, last) VALUES (:series, :start + :many) "
    "ON CONFLICT (series) DO UPDATE SET last = bill_counter.last + :many RETURNING last"
)
_PUSH = text(
    "INSERT INTO bill_counter (series, last) VALUES (:series, :last) "
    "ON CONFLICT (series) DO UPDATE SET last = :last WHERE bill_counter.last < :last"
)


def take(session: Session, day: date, many: int = 1) -> list[str]:
    """Return the next numbers of bills of a day's month; whoever asks at the same time waits, so no number comes twice."""
    first, second = _series(day, 0), _series(day, 20)
    end = _last(session, first, 0, many)
    numbers = [f"{first}{number:06d}" for number in range(end - many + 1, end + 1) if number <= CREDIT_NOTES_AFTER]
    if rest := many - len(numbers):
        end = _last(session, second, 0, rest)
        numbers += [f"{second}{number:06d}" for number in range(end - rest + 1, end + 1)]
    return numbers


def take_credit_note(session: Session, day: date) -> str:
    """Return the next number of a credit note of a day's month."""
    return f"{_series(day, 0)}{_last(session, _series(day, 0) + '9', CREDIT_NOTES_AFTER, 1):06d}"


def push(session: Session, number: str) -> None:
    """Let the counter go on behind a number that was given from outside."""
    series, last = number[:4], int(number[4:])
    session.execute(_PUSH, {"series": series + "9" if last > CREDIT_NOTES_AFTER else series, "last": last})


def _series(day: date, later: int) -> str:
    return f"{day.year % 100:02d}{day.month + later:02d}"


def _last(session: Session, series: str, start: int, many: int) -> int:
    return int(session.execute(_TAKE, {"series": series, "start": start, "many": many}).scalar_one())
