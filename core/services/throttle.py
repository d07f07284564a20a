"""How often somebody may try: counted in the database, so that five tabs, a restart or a second server change nothing (S16, S17).

A try is counted before it is judged, since a hundred tries at once would all pass a count that comes afterwards. What rests
ends by itself, and a try made while it rests counts for nothing: nobody can keep another one out for ever.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from core import clock
from core.db.keys import insert_once
from core.errors import N_, DomainError
from core.models.user import Throttle

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Scope:
    """What tries are counted on, and how many are free."""

    name: str
    free: int = 5


class TooManyTries(DomainError):
    """It rests: nothing is judged until then. `time` is a Brussels time of day."""

    message = N_("Too many tries. Try again at {time}.")


def begin(session: Session, *scopes: Scope) -> None:
    """Count one try on each scope; commit before judging it. Raises TooManyTries where one of them rests."""
    now = clock.real_now()
    forgotten = select(Throttle.scope).where(col(Throttle.last_failure_at) < now - FORGOTTEN_AFTER).with_for_update(skip_locked=True)
    session.execute(delete(Throttle).where(col(Throttle.scope).in_(forgotten)))
    rows = [(scope, _row(session, scope, now)) for scope in sorted(scopes, key=lambda scope: scope.name)]
    resting = [row.rests_until for _, row in rows if row.rests_until and row.rests_until > now]
    if resting:
        raise TooManyTries(time=_minute(max(resting)))
    for scope, row in rows:
        row.failures += 1
        row.last_failure_at = now
        if row.failures >= scope.free:
            row.rests_until = now + min(FIRST_REST * 2 ** min(row.failures - scope.free, 10), LONGEST_REST)
        session.add(row)
    session.flush()


def succeeded(session: Session, *scopes: Scope) -> None:
    """Forget what was counted: the try was right."""
    session.execute(delete(Throttle).where(col(Throttle.scope).in_([scope.name for scope in scopes])))


def take_back(session: Session, scope: Scope) -> None:
    """Take back the last try alone: for an address, from which somebody else may be guessing."""
    row = session.get(Throttle, scope.name, with_for_update=True)
    if row is not None:
        row.failures = max(row.failures - 1, 0)
        row.rests_until = None
        session.add(row)


def _row(session: Session, scope: Scope, now: datetime) -> Throttle:
    """Return the scope's row, made if need be and locked until the transaction ends."""
    insert_once(session, Throttle, [{"scope": scope.name, "failures": 0, "last_failure_at": now}])
    query = select(Throttle).where(Throttle.scope == scope.name).with_for_update().execution_options(populate_existing=True)
    return session.exec(query).one()


def _minute(moment: datetime) -> str:
    """Write the first full minute that is not before a moment."""
    return clock.local(moment + timedelta(seconds=59)).strftime("%H:%M")
