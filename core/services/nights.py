"""What falls due by itself as days pass: orders that take effect, bills of the day, collections, papers whose time is over.

The demo's clock passes through it day by day. Each part looks at what is due, not at when it last ran: a second time does nothing.
"""

from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.models.bill import Bill, BillCategory
from core.services import bill_issuing, collections, documents, dunning, move_progress, orders, payment_plans
from core.services.periods import next_banking_day

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
            payment_plans.break_due(session, actor, day=day)
            dunning.run_due(session, actor, day=day)  # Before the bills: a reminder's fee lies on the next one.
            bill_issuing.issue_due(session, actor, day=day)
            _collect_due(session, actor, day)
            documents.purge_due(session, actor)


def _collect_due(session: Session, actor: Actor, day: date) -> None:
    """Collect the bills of direct debits on their due date, or the banking day after it (R7)."""
    due = session.execute(
        select(col(Bill.customer_id), col(Bill.bill_no), col(Bill.due_date)).where(
            col(Bill.category) != BillCategory.CREDIT_NOTE,
            col(Bill.mandate_id).is_not(None),
            col(Bill.remaining_cents) > 0,
            col(Bill.due_date) <= day,
        )
    ).all()
    for customer_id, bill_no, due_date in due:
        if next_banking_day(due_date) <= day:
            collections.collect(session, actor, customer_id=customer_id, bill_no=bill_no)
