"""The demo's clock, and the way back to its first day."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from core import clock
from core.actor import SYSTEM, Actor, Permission
from core.errors import N_, DomainError
from core.models.audit import DemoClock
from core.services import audit, jobs

FIRST_MOMENT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
"""Wed 18 Nov 2026, 10:00 in Brussels: the day the sample customers are told for."""


Live = Callable[[Session, datetime, datetime], None]
"""What happens between two moments by itself: who uses his line, who pays."""


class NoDemoClock(DomainError):
    """Business time is real time here."""

    message = N_("This is not a demo: its clock can't be moved.")


def start_clock(session: Session, moment: datetime = FIRST_MOMENT) -> None:
    """Stop business time at a moment, for everybody who uses this database."""
    session.merge(DemoClock(id=1, moment=moment))
    session.flush()
    clock.stand_at(moment)


def days_ahead(*, months: int) -> int:
    """Return how many days it is to the same day of the calendar some months on."""
    today = clock.today()
    return (clock.add_months(today, months) - today).days


def move_clock(session: Session, actor: Actor, *, days: int = 0, months: int = 0, live: Live | None = None) -> datetime:
    """Move business time forward by days or months of the calendar, to the same hour in Brussels; return the new moment.

    What falls due on the way is done, day by day: options take effect, bills are made, direct debits are collected. `live` is told
    each stretch of time first: what people do meanwhile.
    """
    actor.require(Permission.DEMO_MOVE)
    row = session.get(DemoClock, 1)
    if row is None:
        raise NoDemoClock
    here = clock.local(row.moment)
    day = clock.add_months(here.date(), months) + timedelta(days=days)
    moved = clock.at(day, here.hour, here.minute)
    audit.record(
        session, actor, action="demo:clock", object_type="demo_clock", object_id=1, before={"moment": row.moment}, after={"moment": moved}
    )
    row.moment = moved
    session.flush()
    reached = here.date()
    while reached < day:
        before, reached = reached, reached + timedelta(days=1)
        if live:
            live(session, clock.at(before, here.hour, here.minute), clock.at(reached, here.hour, here.minute))
        jobs.pass_days(session, SYSTEM, since=before, until=reached)
    clock.stand_at(moved)
    return moved
