"""The use of the whole network by the hour: counted once a night for the day before, so that looking at it costs nothing."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, cast, delete, extract, func, insert, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.models.usage import UsageEvent, UsageKind
from core.models.usage_hour import UsageHour

_HOUR = 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def count_day(session: Session, actor: Actor, day: date) -> int:
    """Count the day before a day, and return how many events that were: a job of the night. What comes in later is counted no more."""
    actor.require(Permission.JOB_RUN)
    return count(session, actor, since=day - timedelta(days=1), until=day)


def count(session: Session, actor: Actor, *, since: date, until: date) -> int:
    """Count the days from one to another, which is exclusive, anew, and return how many events that were."""
    actor.require(Permission.JOB_RUN)
    hour = (cast(extract("epoch", col(UsageEvent.at)), BigInteger) // _HOUR).label("hour")
    within = (col(UsageEvent.at) >= clock.at(since), col(UsageEvent.at) < clock.at(until))
    columns = (hour, col(UsageEvent.kind), func.count(), func.sum(col(UsageEvent.quantity)))
    sums: dict[tuple[date, int, UsageKind], tuple[int, int]] = {}
    for since_epoch, kind, events, quantity in session.execute(select(*columns).where(*within).group_by(hour, col(UsageEvent.kind))):
        there = clock.local(_EPOCH + timedelta(hours=int(since_epoch)))
        key = (there.date(), there.hour, kind)
        before = sums.get(key, (0, 0))  # In October an hour comes twice.
        sums[key] = before[0] + events, before[1] + int(quantity)
    _replace(session, since, until, [
        {"day": day, "hour": at, "kind": kind, "events": events, "quantity": quantity} for (day, at, kind), (events, quantity) in sums.items()
    ])  # fmt: skip
    return sum(events for events, _quantity in sums.values())


def _replace(session: Session, since: date, until: date, rows: Sequence[dict[str, Any]]) -> None:
    table: Any = UsageHour.__table__  # type: ignore[attr-defined]
    session.execute(delete(table).where(table.c.day >= since, table.c.day < until))
    if rows:
        session.execute(insert(table), list(rows))
