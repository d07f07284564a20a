"""What is late, what came of it and what comes next: as the law counts missed due dates (W9, R24)."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import catalogue
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, DunningState, HoldReason
from core.models.customer import Customer, CustomerStatus
from core.models.dunning import BillDispute, DunningClaim, DunningNotice, DunningStep, PaymentDeclaration
from core.services import dunning_facts, dunning_steps, open_amounts, payment_plans
from core.services.dunning_steps import Next, Rest, Situation
from core.services.open_amounts import OpenAmount
from core.services.payment_plans import Broken, PlanView


@dataclass(frozen=True)
class Told:
    """A notice that was sent; `free_until` is exclusive."""

    step: DunningStep
    day: date
    claimed_cents: int
    fee_cents: int
    free_until: date


@dataclass(frozen=True)
class Coming:
    """A step that would come if nothing was paid, in the order of the ladder, and what its reminder would cost."""

    step: DunningStep
    day: date
    fee_cents: int


@dataclass(frozen=True)
class Hold:
    """Nothing is claimed until a day, and why."""

    reason: HoldReason
    until: date


@dataclass(frozen=True)
class Arrears:
    """What is late. `missed` counts this year's due dates that passed unpaid; the next one costs at most `next_fee_cents`.

    `broken` is the last plan, where it broke. `told` holds the notices of the running episode, `coming` what follows; `rest` says why nothing does. By law `lump_sum_cents` could
    be asked at most; `version` is that of the account, for what is changed here.
    """

    amount: OpenAmount
    missed: int
    next_due: date | None
    next_fee_cents: int
    suspended_on: date | None
    plan: PlanView | None
    broken: Broken | None
    state: DunningState
    told: tuple[Told, ...]
    coming: tuple[Coming, ...]
    rest: Rest | None
    hold: Hold | None
    may_announce: bool
    lump_sum_cents: int
    version: int


@dataclass(frozen=True)
class Dispute:
    """What is contested of a bill. `reason` is what a colleague noted, for colleagues alone: None for the customer."""

    disputed_cents: int
    reason: str | None
    since: date


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> Arrears | None:
    """Return what is late; None when nothing is, or is disputed, nothing is followed up and no plan is there."""
    actor.require(Permission.BILL_READ, customer_id)
    amount, plan = open_amounts.open_summary(session, customer_id), payment_plans.plan_of(session, actor, customer_id=customer_id)
    account = session.execute(select(BillingAccount).where(col(BillingAccount.customer_id) == customer_id)).scalar_one()
    if not (amount.overdue_cents or amount.disputed_cents) and plan is None and account.dunning_state is DunningState.NONE:
        return None
    today, rules = clock.today(), catalogue().dunning
    at = dunning_facts.of_customer(session, customer_id, today)
    missed = len({day for day in at.missed if day.year == today.year})
    comes = dunning_steps.next_step(at, today, rules)
    status, since = session.execute(select(col(Customer.status), col(Customer.status_since)).where(col(Customer.id) == customer_id)).one()
    announced = session.execute(
        select(col(PaymentDeclaration.id)).where(
            col(PaymentDeclaration.customer_id) == customer_id, col(PaymentDeclaration.year) == today.year
        )
    ).first()
    owed = sum(one.claimed_cents for one in dunning_steps.owed(at, today, rules))
    until, reason = account.dunning_hold_until, account.dunning_hold_reason
    return Arrears(
        amount=amount,
        missed=missed,
        next_due=amount.next_due,
        next_fee_cents=_next_fee(at, amount.next_due),
        suspended_on=since if status is CustomerStatus.SUSPENDED else None,
        plan=plan,
        broken=payment_plans.broken_of(session, actor, customer_id=customer_id) if plan is None else None,
        state=account.dunning_state,
        told=_told(session, customer_id) if account.dunning_state is not DunningState.NONE else (),
        coming=_coming(at, today) if isinstance(comes, Next) else (),
        rest=comes if isinstance(comes, Rest) else None,
        hold=Hold(reason, until) if reason and until and until > today else None,
        may_announce=bool(owed) and announced is None,
        lump_sum_cents=dunning_steps.lump_sum_max_cents(owed),
        version=account.version,
    )


def dispute_of(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> Dispute | None:
    """Return the dispute of a bill that waits for a decision."""
    actor.require(Permission.BILL_READ, customer_id)
    row = session.execute(
        select(col(BillDispute.disputed_cents), col(BillDispute.reason), col(BillDispute.since))
        .join(Bill, (col(Bill.customer_id) == BillDispute.customer_id) & (col(Bill.id) == BillDispute.bill_id))
        .where(col(BillDispute.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(BillDispute.until).is_(None))
    ).first()
    return Dispute(row[0], row[1] if actor.staff else None, row[2]) if row else None


def _next_fee(at: Situation, next_due: date | None) -> int:
    """Return what the reminder of the next due date would cost, by law at most, if it passed unpaid too."""
    if next_due is None:
        return 0
    number = dunning_steps.missed_no(at.missed, next_due)
    return dunning_steps.fee_cents(number, catalogue().dunning, consumer=at.consumer, by_post=at.by_post)


def _told(session: Session, customer_id: int) -> tuple[Told, ...]:
    """Return the notices of the last episode, the oldest first."""
    last = select(func.max(col(DunningNotice.episode))).where(col(DunningNotice.customer_id) == customer_id).scalar_subquery()
    names = (DunningNotice.step, DunningNotice.day, DunningNotice.claimed_cents)
    query = (
        select(*(col(name) for name in names), func.sum(col(DunningClaim.fee_cents)), col(DunningNotice.free_until))
        .join(
            DunningClaim, (col(DunningClaim.customer_id) == DunningNotice.customer_id) & (col(DunningClaim.notice_id) == DunningNotice.id)
        )
        .where(col(DunningNotice.customer_id) == customer_id, col(DunningNotice.episode) == last)
        .group_by(col(DunningNotice.id), *(col(name) for name in names), col(DunningNotice.free_until))
        .order_by(col(DunningNotice.day))
    )
    return tuple(Told(step, day, cents, int(fee), free) for step, day, cents, fee, free in session.execute(query))


def _coming(at: Situation, today: date) -> tuple[Coming, ...]:
    """Play the next steps through, as if nothing was paid."""
    rules, day = catalogue().dunning, today
    found: list[Coming] = []
    while len(found) <= len(rules.steps):
        comes = dunning_steps.next_step(at, day, rules)
        if isinstance(comes, Rest):
            break
        day = max(day + timedelta(days=1), comes.day)  # What is due today already comes with the next night.
        at = replace(at, missed={*at.missed, *(one.due for one in at.debts if one.claimed_cents and one.due < day)})
        notice = dunning_steps.take(at, day, rules)
        if notice is None:
            break
        found.append(Coming(notice.step, day, notice.fee_cents))
        at = dunning_steps.after(at, notice)
    return tuple(found)
