"""What falls due by itself as days pass: orders that take effect, bills of the day, collections, papers whose time is over.

The demo's clock passes through it day by day. Each part looks at what is due, not at when it last ran: a second time does nothing.
"""

from datetime import date, timedelta

from sqlmodel import Session

from core import clock
from core.actor import Actor, Permission
from core.services import bill_issuing, collection_runs, documents, move_progress, orders

HOUR = 6
"""The hour in Brussels at which a day's work is done."""


def pass_days(session: Session, actor: Actor, *, since: date, until: date) -> None:
    """Do what falls due on each day after `since`, up to and with `until`, at the time it falls due."""
    actor.require(Permission.BILL_ISSUE)
    day = since
    while day < until:
        day += timedelta(days=1)
        with clock.standing(clock.at(day, HOUR)):
            orders.settle_due(session, actor)
            move_progress.settle_due(session, actor)
            bill_issuing.issue_due(session, actor, day=day)
            collection_runs.make_due(session, actor, day)
            collection_runs.settle_due(session, actor, day)
            documents.purge_due(session, actor)
