"""What the follow-up of unpaid bills depends on, read from the database: a handful of queries for any number of customers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount, BillMedia, DunningState
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.dunning import BillDispute, DunningClaim, DunningNotice, DunningStep, PaymentDeclaration
from core.models.payment import PaymentAllocation, PaymentPlan, PlanBill, PlanState
from core.services.dunning_steps import Debt, Situation, height

MANY = 500
"""How many customers are read together."""
PAYABLE = func.coalesce(col(Bill.payable_until), col(Bill.due_date))
"""Until when a bill can be paid without being late."""


def followed(session: Session, day: date) -> list[int]:
    """Return the customers who have something late on a day, or are being followed up, in the order of their files."""
    late = select(col(Bill.customer_id)).where(
        col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0, col(Bill.mandate_id).is_(None), day > PAYABLE
    )
    under_way = select(col(BillingAccount.customer_id)).where(col(BillingAccount.dunning_state) != DunningState.NONE)
    return sorted({*session.execute(late).scalars(), *session.execute(under_way).scalars()})


def of_customer(session: Session, customer_id: int, day: date) -> Situation:
    """Return how things stand with one customer on a day."""
    return dict(of_many(session, [customer_id], day)).get(customer_id, Situation())


def of_many(session: Session, customer_ids: Iterable[int], day: date) -> Iterator[tuple[int, Situation]]:
    """Return how things stand on a day, some hundred customers at a time."""
    waiting = iter(customer_ids)
    while ids := list(islice(waiting, MANY)):
        yield from _read(session, ids, day).items()


def _read(session: Session, ids: Collection[int], day: date) -> dict[int, Situation]:
    notices, episodes = _notices(session, ids)
    bills, debts, missed = _bills(session, ids, day), defaultdict(list), defaultdict(set)
    disputed, planned, claims = _disputed(session, ids), _planned(session, ids), _claims(session, ids)
    for row in bills:
        open_dispute = disputed.get(row.id, 0)
        if row.remaining_cents:
            free_until, reached = claims.get(row.id, (None, -1))
            debts[row.customer_id].append(
                Debt(
                    row.id, row.bill_no, row.due, row.remaining_cents, open_dispute, row.mandate_id is not None, row.id in planned,
                    free_until, reached,
                )
            )  # fmt: skip
        if row.due < day and row.mandate_id is None and (row.remaining_cents > open_dispute or (row.paid_on and row.paid_on > row.due)):
            missed[row.customer_id].add(row.due)
    announced, letters = _announced(session, ids), _without_mail(session, ids)
    found = {}
    for row in session.execute(_people(ids)):
        rung = episodes.get(row.customer_id) if row.dunning_state is not DunningState.NONE else None
        found[row.customer_id] = Situation(
            debts=tuple(debts[row.customer_id]),
            rung=rung[0] if rung else None,
            rung_day=rung[1] if rung else None,
            told_on=notices.get(row.customer_id),
            missed=frozenset(missed[row.customer_id]),
            consumer=row.kind is CustomerKind.INDIVIDUAL,
            by_post=row.media is BillMedia.PAPER or row.customer_id in letters,
            held_since=row.dunning_hold_since,
            held_until=row.dunning_hold_until,
            announced_until=announced.get(row.customer_id),
            deceased=row.deceased_on is not None and row.deceased_on <= day,
            closed=row.status is CustomerStatus.CLOSED,
        )
    return found


def _people(ids: Collection[int]) -> Any:  # noqa: ANN401 - a select of more columns than its type can tell
    account = (
        BillingAccount.customer_id,
        BillingAccount.dunning_state,
        BillingAccount.dunning_hold_since,
        BillingAccount.dunning_hold_until,
    )
    columns = (*account, BillingAccount.media, Customer.kind, Customer.deceased_on, Customer.status)
    joined = select(*(col(column) for column in columns)).join(Customer, col(Customer.id) == BillingAccount.customer_id)
    return joined.where(col(BillingAccount.customer_id).in_(ids)).order_by(col(BillingAccount.customer_id))


def _bills(session: Session, ids: Collection[int], day: date) -> list[Any]:
    """Return what is open, and what was due since last year began: a missed due date counts in its own year, paid or not."""
    paid_on = (
        select(func.max(col(PaymentAllocation.allocated_on)))
        .where(
            col(PaymentAllocation.customer_id) == col(Bill.customer_id),
            col(PaymentAllocation.bill_id) == col(Bill.id),
            col(PaymentAllocation.reversed_on).is_(None),
        )
        .scalar_subquery()
    )
    names = (Bill.customer_id, Bill.id, Bill.bill_no, Bill.remaining_cents, Bill.mandate_id)
    query = select(*(col(name) for name in names), PAYABLE.label("due"), paid_on.label("paid_on")).where(
        col(Bill.customer_id).in_(ids),
        col(Bill.category) != BillCategory.CREDIT_NOTE,
        (col(Bill.remaining_cents) > 0) | (date(day.year - 1, 1, 1) <= PAYABLE),
    )
    return list(session.execute(query.order_by(PAYABLE, col(Bill.id))))


def _notices(session: Session, ids: Collection[int]) -> tuple[dict[int, date], dict[int, tuple[DunningStep, date]]]:
    """Return by customer the day of the last notice, and the last rung of the last episode."""
    last: dict[int, date] = {}
    rungs: dict[int, tuple[DunningStep, date]] = {}
    names = (DunningNotice.customer_id, DunningNotice.step, DunningNotice.day)
    query = select(*(col(name) for name in names)).where(col(DunningNotice.customer_id).in_(ids))
    for customer_id, step, day in session.execute(query.order_by(col(DunningNotice.episode), col(DunningNotice.day))):
        last[customer_id] = max(day, last.get(customer_id, day))
        if step is not DunningStep.MISSED:
            rungs[customer_id] = step, day
    return last, rungs


def _claims(session: Session, ids: Collection[int]) -> dict[int, tuple[date | None, int]]:
    """Return by bill the end of the days without cost, and how high the notices that named it were."""
    found: dict[int, tuple[date | None, int]] = {}
    names = (DunningClaim.bill_id, DunningClaim.missed_no, DunningNotice.step, DunningNotice.free_until)
    query = (
        select(*(col(name) for name in names))
        .join(
            DunningNotice, (col(DunningNotice.customer_id) == DunningClaim.customer_id) & (col(DunningNotice.id) == DunningClaim.notice_id)
        )
        .where(col(DunningClaim.customer_id).in_(ids))
    )
    for bill_id, number, step, free_until in session.execute(query):
        before, reached = found.get(bill_id, (None, -1))
        found[bill_id] = (free_until if number is not None else before, max(reached, height(step)))
    return found


def _disputed(session: Session, ids: Collection[int]) -> dict[int, int]:
    query = select(col(BillDispute.bill_id), col(BillDispute.disputed_cents)).where(
        col(BillDispute.customer_id).in_(ids), col(BillDispute.until).is_(None)
    )
    return {bill_id: cents for bill_id, cents in session.execute(query)}  # noqa: C416 - rows, not pairs


def _planned(session: Session, ids: Collection[int]) -> set[int]:
    """Return the bills that a running plan spreads."""
    query = (
        select(col(PlanBill.bill_id))
        .join(PaymentPlan, (col(PaymentPlan.customer_id) == PlanBill.customer_id) & (col(PaymentPlan.id) == PlanBill.plan_id))
        .where(col(PlanBill.customer_id).in_(ids), col(PaymentPlan.state) == PlanState.ACTIVE)
    )
    return set(session.execute(query).scalars())


def _announced(session: Session, ids: Collection[int]) -> dict[int, date]:
    query = select(col(PaymentDeclaration.customer_id), func.max(col(PaymentDeclaration.until))).where(
        col(PaymentDeclaration.customer_id).in_(ids)
    )
    return {customer: until for customer, until in session.execute(query.group_by(col(PaymentDeclaration.customer_id)))}  # noqa: C416 - rows, not pairs


def _without_mail(session: Session, ids: Collection[int]) -> set[int]:
    """Return who has no e-mail address, and is written to by letter."""
    mail: ColumnElement[bool] = (col(ContactMedium.kind) == ContactKind.EMAIL) & col(ContactMedium.until_at).is_(None)
    query = select(col(ContactMedium.customer_id)).where(col(ContactMedium.customer_id).in_(ids), mail)
    return set(ids) - set(session.execute(query).scalars())
