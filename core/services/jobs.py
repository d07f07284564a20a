"""What is done by itself as days pass: orders that take effect, bills, collections, papers whose time is over.

A job does what is due on a day, and looks at what is due, not at when it last ran: a second time, or a second process at the same
time, does nothing. What was done for which day is written down, so that days nobody ran are made good in their order.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.db.keys import insert_once
from core.errors import N_
from core.models.bill_run import JobRun
from core.services import (
    approvals,
    audit_trail,
    bill_runs,
    collection_runs,
    documents,
    dunning,
    move_progress,
    network_hours,
    orders,
    payment_plans,
    price_notices,
    usage_alerts,
)

HOUR = 6
"""The hour in Brussels from which on a day's work is due."""


@dataclass(frozen=True)
class Job:
    """Something done once for each day; `do` returns how many things it did. `label` is its name on the screen."""

    name: str
    label: str
    do: Callable[[Session, Actor, date], int]


@dataclass(frozen=True)
class JobState:
    """Up to which day a job was done, when that was, and how much it did on that day."""

    job: Job
    until: date | None
    done_at: datetime | None
    count: int


def _settle_orders(session: Session, actor: Actor, _day: date) -> int:
    return orders.settle_due(session, actor)


def _settle_moves(session: Session, actor: Actor, _day: date) -> int:
    return move_progress.settle_due(session, actor)


def _break_plans(session: Session, actor: Actor, day: date) -> int:
    return len(payment_plans.break_due(session, actor, day=day))


def _follow_up(session: Session, actor: Actor, day: date) -> int:
    return len(dunning.run_due(session, actor, day=day))


def _make_bills(session: Session, actor: Actor, day: date) -> int:
    return bill_runs.run_day(session, actor, day=day)


def _make_debit_files(session: Session, actor: Actor, day: date) -> int:
    return len(collection_runs.make_due(session, actor, day))


def _expire_approvals(session: Session, actor: Actor, _day: date) -> int:
    return approvals.expire(session, actor)


def _purge_documents(session: Session, actor: Actor, _day: date) -> int:
    return documents.purge_due(session, actor)


TRAIL = Job("trail", N_("Check of the audit trail"), audit_trail.let_go)
BILLS = Job("bills", N_("Bills"), _make_bills)
JOBS: tuple[Job, ...] = (
    Job("orders", N_("Orders that take effect"), _settle_orders),
    Job("moves", N_("House moves"), _settle_moves),
    Job("alerts", N_("Usage alerts"), usage_alerts.send_due),
    Job("prices", N_("Notices of new prices"), price_notices.send_due),
    Job("plans", N_("Payment plans"), _break_plans),
    Job("dunning", N_("Follow-up of late bills"), _follow_up),
    BILLS,
    Job("debit_files", N_("Files of direct debits"), _make_debit_files),
    Job("collections", N_("Direct debits"), collection_runs.settle_due),
    Job("approvals", N_("Requests whose time is over"), _expire_approvals),
    Job("documents", N_("Papers whose time is over"), _purge_documents),
    Job("network", N_("Use of the network by the hour"), network_hours.count_day),
    TRAIL,
)
"""In the order of a day: a broken plan is followed up, the fee of a reminder is on the next bill, what is billed is collected."""


def pass_days(session: Session, actor: Actor, *, since: date, until: date) -> None:
    """Do what falls due on each day after `since`, up to and with `until`, at the hour it falls due; all in one transaction."""
    actor.require(Permission.JOB_RUN)
    day = since
    while day < until:
        day += timedelta(days=1)
        for job in JOBS:
            do(session, actor, job=job, day=day)


def do(session: Session, actor: Actor, *, job: Job, day: date) -> int | None:
    """Do a job for a day and return how many things it did; None where it was done before.

    Its place is claimed first: a second process waits here until the first one is through, and then finds it done.
    """
    actor.require(Permission.JOB_RUN)
    if not insert_once(session, JobRun, [{"day": day, "job": job.name, "done_at": clock.real_now(), "count": 0}]):
        return None
    with clock.standing(clock.at(day, HOUR)):
        count = job.do(session, actor, day)
    session.get_one(JobRun, (day, job.name)).count = count
    session.flush()
    return count


def mark_done(session: Session, actor: Actor, *, day: date) -> None:
    """Write down that all that fell due until a day is done: where a house, or a demo, begins."""
    actor.require(Permission.JOB_RUN)
    insert_once(session, JobRun, [{"day": day, "job": job.name, "done_at": clock.real_now(), "count": 0} for job in JOBS])


def due(session: Session, actor: Actor) -> Iterator[tuple[date, Job]]:
    """Return what is to be done now, the oldest day first: all days since a job was done last, or today for one that never was."""
    actor.require(Permission.JOB_RUN)
    now = clock.local(clock.now())
    last = now.date() if now.hour >= HOUR else now.date() - timedelta(days=1)
    done = {one.job.name: one.until for one in states(session, actor)}
    first = {name: day + timedelta(days=1) if day else last for name, day in done.items()}
    day = min(first.values())
    while day <= last:
        yield from ((day, job) for job in JOBS if first[job.name] <= day)
        day += timedelta(days=1)


def states(session: Session, actor: Actor) -> list[JobState]:
    """Return how far each job has come, in the order of a day."""
    actor.require(Permission.JOB_RUN)
    newest = select(col(JobRun.job), func.max(col(JobRun.day)).label("day")).group_by(col(JobRun.job)).subquery()
    query = select(JobRun).join(newest, (col(JobRun.job) == newest.c.job) & (col(JobRun.day) == newest.c.day))
    found = {row.job: row for row in session.execute(query).scalars()}
    return [
        JobState(job, found[job.name].day, found[job.name].done_at, found[job.name].count)
        if job.name in found
        else JobState(job, None, None, 0)
        for job in JOBS
    ]
