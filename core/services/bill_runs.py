"""The bills of a day for all customers, a few at a time: each customer's bill and its place in the run are one transaction.

So a run may be killed at any point and taken up again, by whoever comes next: each customer has each bill once, and no number is lost.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, func, insert, literal, or_, select, update
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.db import part
from core.db.keys import insert_once
from core.models.bill import Bill, BillCategory
from core.models.bill_run import BillRun, BillRunItem, Outcome
from core.models.billing_account import BillingAccount, BillModel
from core.models.customer import Customer, CustomerStatus
from core.services import audit, bill_issuing, billing, billing_facts, usage
from core.services.bill_issuing import ToIssue

log = logging.getLogger("guichet")

AT_ONCE = 50
"""How many customers one step takes: a bill waits for as long as the ones beside it take."""
_LOOK_AHEAD_DAYS = 32
_LAST_CYCLE_DAY = 31
_JUMPS = 10
_BILLED = (CustomerStatus.ACTIVE, CustomerStatus.SUSPENDED)


@dataclass(frozen=True)
class Problem:
    """A customer whose bill could not be made, and why; the next run of the day tries again."""

    customer_no: str
    name: str
    told: str


@dataclass(frozen=True)
class Jump:
    """A bill that differs much from the one before; amounts in cents."""

    customer_no: str
    name: str
    before_cents: int
    after_cents: int


@dataclass(frozen=True)
class Rehearsal:
    """A run that was only tried out; amounts in cents. `jumps` are the bills that change most, the largest change first."""

    day: date
    customers: int
    bills: int
    nothing: int
    failed: int
    excl_cents: int
    vat_cents: int
    third_party_cents: int
    jumps: tuple[Jump, ...]

    @property
    def due_cents(self) -> int:
        """What all bills would ask together."""
        return self.excl_cents + self.vat_cents + self.third_party_cents


@dataclass(frozen=True)
class RunSummary:
    """How far a run has come; amounts in cents. Who is in it was issued a bill, has nothing to pay, failed, or waits."""

    day: date
    started_at: datetime
    started_by: str
    finished_at: datetime | None
    customers: int
    issued: int
    nothing: int
    failed: int
    waiting: int
    excl_cents: int
    vat_cents: int
    third_party_cents: int
    due_cents: int

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return 1 - self.waiting / self.customers if self.customers else 1.0


def start(session: Session, actor: Actor, *, day: date) -> None:
    """Open the run of a day: everybody whose bill may be due on it waits in it. Opened before, it only lets who failed try again."""
    actor.require(Permission.BILL_ISSUE)
    if not insert_once(session, BillRun, [{"day": day, "started_at": clock.real_now(), "started_by": actor.username}]):
        _try_again(session, day)
        return
    _pass_to_current_model(session, day)
    items = _table(BillRunItem)
    who = (
        select(literal(day, items.c.day.type), col(BillingAccount.customer_id), literal(Outcome.WAITING, items.c.outcome.type))
        .join(Customer, col(Customer.id) == BillingAccount.customer_id)
        .where(_may_be_due(day))
    )
    session.execute(insert(items).from_select(("day", "customer_id", "outcome"), who))
    audit.record(session, actor, action="bill_run:start", object_type="bill_run", object_id=day)


def step(session: Session, actor: Actor, *, day: date, at_once: int = AT_ONCE) -> bool:
    """Make the bills of the next customers of a run, and say whether somebody still waits.

    Whoever steps at the same time waits here. One customer's mistake leaves the others their bills; he stands in the run as failed.
    """
    actor.require(Permission.BILL_ISSUE)
    run = session.execute(select(BillRun).where(col(BillRun.day) == day).with_for_update()).scalar_one()
    waiting = (col(BillRunItem.day) == day, col(BillRunItem.outcome) == Outcome.WAITING)
    query = select(col(BillRunItem.customer_id)).where(*waiting).order_by(col(BillRunItem.customer_id)).limit(at_once)
    ids = session.execute(query).scalars().all()
    if ids:
        _make(session, actor, day, ids)
    left: int = session.execute(select(func.count()).where(*waiting)).scalar_one()
    if not left and run.finished_at is None:
        run.finished_at = clock.real_now()
        session.flush()
        audit.record(session, actor, action="bill_run:finish", object_type="bill_run", object_id=day, after=_told(session, day))
    return left > 0


def run_day(session: Session, actor: Actor, *, day: date) -> int:
    """Make all bills of a day within one transaction, as a demo's clock does; return how many were issued. A second call does nothing."""
    actor.require(Permission.BILL_ISSUE)
    start(session, actor, day=day)
    while step(session, actor, day=day):
        pass
    found = summary(session, actor, day=day)
    return found.issued if found else 0


def summary(session: Session, actor: Actor, *, day: date) -> RunSummary | None:
    """Return how far the run of a day has come; None where there is none."""
    actor.require(Permission.JOB_RUN)
    found = _summaries(session, [day])
    return found[0] if found else None


def newest(session: Session, actor: Actor, *, limit: int = 24) -> list[RunSummary]:
    """Return the last runs that had customers, the newest first."""
    actor.require(Permission.JOB_RUN)
    with_customers = select(col(BillRunItem.day)).distinct().order_by(col(BillRunItem.day).desc()).limit(limit)
    return _summaries(session, session.execute(with_customers).scalars().all())


def upcoming(session: Session, actor: Actor) -> dict[date, int]:
    """Return the days of the month to come on which bills may be due, and for how many customers."""
    actor.require(Permission.JOB_RUN)
    query = (
        select(col(BillingAccount.bill_model), col(BillingAccount.cycle_day), col(BillingAccount.migrate_on), func.count())
        .join(Customer, col(Customer.id) == BillingAccount.customer_id)
        .where(col(Customer.status).in_(_BILLED))
        .group_by(col(BillingAccount.bill_model), col(BillingAccount.cycle_day), col(BillingAccount.migrate_on))
    )
    found, today = session.execute(query).all(), clock.today()
    days = [today + timedelta(days=ahead) for ahead in range(1, _LOOK_AHEAD_DAYS)]
    counts = {day: sum(many for model, cycle_day, moves, many in found if _falls_on(day, model, cycle_day, moves)) for day in days}
    return {day: many for day, many in counts.items() if many}


def rehearse(session: Session, actor: Actor, *, day: date) -> Rehearsal:
    """Draft all bills of a day to come as things stand now, and write nothing: the same drafts that the run would issue."""
    actor.require(Permission.JOB_RUN)
    query = select(Customer).join(BillingAccount, col(BillingAccount.customer_id) == Customer.id).where(_may_be_due(day))
    before, jumps, drafts, nothing, failed = _last_amounts(session), [], [], 0, 0
    for customer in session.execute(query.order_by(col(Customer.id))).scalars().all():
        try:
            draft = _draft(session, customer.id, day)
        except Exception as error:
            log.exception("no bill of %s for customer id %s: %s", day, customer.id, type(error).__name__)
            failed += 1
            continue
        if draft is None:
            nothing += 1
            continue
        drafts.append(draft)
        if customer.id in before and before[customer.id] != draft.amount_due_cents:
            jumps.append(Jump(customer.customer_no, customer.name, before[customer.id], draft.amount_due_cents))
    jumps.sort(key=lambda one: (-abs(one.after_cents - one.before_cents), one.customer_no))
    excl, vat, third = (sum(getattr(one, name) for one in drafts) for name in ("excl_cents", "vat_cents", "third_party_cents"))
    return Rehearsal(day, len(drafts) + nothing + failed, len(drafts), nothing, failed, excl, vat, third, tuple(jumps[:_JUMPS]))


def problems(session: Session, actor: Actor, *, day: date) -> list[Problem]:
    """Return whose bill could not be made, and why."""
    actor.require(Permission.JOB_RUN)
    query = (
        select(Customer, col(BillRunItem.problem))
        .join(BillRunItem, col(BillRunItem.customer_id) == Customer.id)
        .where(col(BillRunItem.day) == day, col(BillRunItem.outcome) == Outcome.FAILED)
        .order_by(col(Customer.customer_no))
    )
    return [Problem(row.customer_no, row.name, told or "") for row, told in session.execute(query)]


def _make(session: Session, actor: Actor, day: date, ids: Sequence[int]) -> None:
    """Draft and issue the bills of some customers; one customer's mistake, in his draft or in his issue, is his alone."""
    todo: list[ToIssue] = []
    for customer_id in ids:
        try:
            with part(session):
                draft = _draft(session, customer_id, day)
        except Exception as error:  # noqa: BLE001 - told where the run is told
            _fail(session, day, customer_id, error)
            continue
        if draft is None:
            _mark(session, day, customer_id, Outcome.NOTHING)
        else:
            todo.append(ToIssue(customer_id, draft))
    _issue(session, actor, day, todo)


def _issue(session: Session, actor: Actor, day: date, todo: Sequence[ToIssue]) -> None:
    """Issue bills together; where that fails, each alone, so that the one who cannot be billed is found."""
    try:
        with part(session):
            issued = bill_issuing.issue_many(session, actor, bills=todo)
            for one, bill in zip(todo, issued, strict=True):
                usage.bill(session, actor, customer_id=one.customer_id, bill_id=bill.id, until=one.draft.usage_period.until)
                bill_issuing.announce(session, actor, customer_id=one.customer_id, bill=bill)
                _mark(session, day, one.customer_id, Outcome.ISSUED, bill_id=bill.id)
    except Exception as error:  # noqa: BLE001 - told where the run is told
        if len(todo) == 1:
            _fail(session, day, todo[0].customer_id, error)
            return
        for one in todo:
            _issue(session, actor, day, [one])


def _fail(session: Session, day: date, customer_id: int, error: Exception) -> None:
    log.error("no bill of %s for customer id %s", day, customer_id, exc_info=error)
    _mark(session, day, customer_id, Outcome.FAILED, problem=f"{type(error).__name__}: {error}"[:200])


def _draft(session: Session, customer_id: int, day: date) -> billing.BillDraft | None:
    """Return a customer's bill of a day; None where none is due, or what is given back is more than what is charged."""
    facts = billing_facts.of_customer(session, customer_id)
    if not facts.runs or billing.next_bill_date(facts.account, facts.previous, day) != day:
        return None
    draft = billing_facts.draft(session, customer_id, facts, day)
    return draft if draft.lines and draft.amount_due_cents >= 0 else None


def _last_amounts(session: Session) -> dict[int, int]:
    """Return by customer what his last bill asked."""
    regular = col(Bill.category) != BillCategory.CREDIT_NOTE
    last = (
        select(col(Bill.customer_id), func.max(col(Bill.bill_date)).label("day")).where(regular).group_by(col(Bill.customer_id)).subquery()
    )
    query = (
        select(col(Bill.customer_id), col(Bill.incl_cents) + col(Bill.third_party_cents))
        .join(last, (col(Bill.customer_id) == last.c.customer_id) & (col(Bill.bill_date) == last.c.day))
        .where(regular)
    )
    return {customer_id: int(cents) for customer_id, cents in session.execute(query)}


def _mark(
    session: Session, day: date, customer_id: int, outcome: Outcome, *, bill_id: int | None = None, problem: str | None = None
) -> None:
    items = _table(BillRunItem)
    session.execute(
        update(items)
        .where(items.c.day == day, items.c.customer_id == customer_id)
        .values(outcome=outcome, bill_id=bill_id, problem=problem)
    )


def _try_again(session: Session, day: date) -> None:
    items, runs = _table(BillRunItem), _table(BillRun)
    failed: Any = session.execute(
        update(items).where(items.c.day == day, items.c.outcome == Outcome.FAILED).values(outcome=Outcome.WAITING, problem=None)
    )
    if failed.rowcount:
        session.execute(update(runs).where(runs.c.day == day).values(finished_at=None))


def _pass_to_current_model(session: Session, day: date) -> None:
    """Let customers whose day has come pass from the anniversary to the calendar month."""
    accounts = _table(BillingAccount)
    session.execute(
        update(accounts)
        .where(accounts.c.bill_model == BillModel.LEGACY, accounts.c.migrate_on <= day)
        .values(bill_model=BillModel.CURRENT, version=accounts.c.version + 1)
    )


def _falls_on(day: date, model: BillModel, cycle_day: int, migrate_on: date | None = None) -> bool:
    """Tell by the account alone whether its bill falls on a day: a cycle day of 29 to 31 is the last day of a shorter month (W2)."""
    if model is BillModel.CURRENT or (migrate_on is not None and migrate_on <= day):
        return bool(day.day == law("bill_day"))
    return day == clock.add_months(day, 0, cycle_day)


def _may_be_due(day: date) -> Any:  # noqa: ANN401 - a condition
    """Select by the account alone whose bill may fall on a day; who has changed model by then is billed as the new one bills."""
    cycle_days = [one for one in range(1, _LAST_CYCLE_DAY + 1) if _falls_on(day, BillModel.LEGACY, one)]
    legacy = and_(col(BillingAccount.bill_model) == BillModel.LEGACY, col(BillingAccount.cycle_day).in_(cycle_days))
    current = or_(col(BillingAccount.bill_model) == BillModel.CURRENT, col(BillingAccount.migrate_on) <= day)
    due = or_(legacy, current) if _falls_on(day, BillModel.CURRENT, 0) else legacy
    return and_(col(Customer.status).in_(_BILLED), due)


def _summaries(session: Session, days: Sequence[date]) -> list[RunSummary]:
    counted = {outcome: func.coalesce(func.sum(case((col(BillRunItem.outcome) == outcome, 1), else_=0)), 0) for outcome in Outcome}
    sums = [func.coalesce(func.sum(col(column)), 0) for column in (Bill.excl_cents, Bill.vat_cents, Bill.third_party_cents)]
    query = (
        select(BillRun, *counted.values(), *sums)
        .outerjoin(BillRunItem, col(BillRunItem.day) == BillRun.day)
        .outerjoin(Bill, (col(Bill.customer_id) == BillRunItem.customer_id) & (col(Bill.id) == BillRunItem.bill_id))
        .where(col(BillRun.day).in_(days))
        .group_by(*_table(BillRun).c)
        .order_by(col(BillRun.day).desc())
    )
    found = []
    for run, *figures in session.execute(query):
        waiting, issued, nothing, failed, excl, vat, third = (int(figure) for figure in figures)
        found.append(
            RunSummary(
                run.day, run.started_at, run.started_by, run.finished_at, waiting + issued + nothing + failed, issued, nothing, failed,
                waiting, excl, vat, third, excl + vat + third,
            )
        )  # fmt: skip
    return found


def _table(model: Any) -> Any:  # noqa: ANN401 - SQLModel hides the table of a class
    return model.__table__


def _told(session: Session, day: date) -> audit.Facts:
    found = _summaries(session, [day])[0]
    return {
        "customers": found.customers,
        "issued": found.issued,
        "nothing": found.nothing,
        "failed": found.failed,
        "due_cents": found.due_cents,
    }
