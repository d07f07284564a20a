"""Payment plans: what is open, spread over months (W8). How much of a plan is paid is read from its bills, it is not written twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n, money
from core.actor import Actor, Permission
from core.catalogue import catalogue, law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer
from core.models.payment import PLAN_MOVES, Instalment, PaymentPlan, PlanBill, PlanState
from core.services import audit, communications, dunning, tasks
from core.services.open_amounts import disputed_of_bill
from core.services.products import lock_customer

ALIVE = (PlanState.PROPOSED, PlanState.ACTIVE)
WITHIN_MONTHS = 12
"""How far back broken plans count."""


class NothingOpen(DomainError):
    """There is nothing to pay."""

    message = N_("Nothing is open: there is nothing to spread.")


class PlanParts(DomainError):
    """A plan has 2 to 12 parts (W8)."""

    message = N_("A plan has {least} to {most} instalments.")


class PlansBroken(DomainError):
    """Too many plans were broken within a year (W8)."""

    message = N_("{broken} plans were broken in the last 12 months. Hand the file to a colleague of Billing.")


class PlanRuns(DomainError):
    """One plan at a time."""

    message = N_("A payment plan runs already. End it before you propose another one.")


class PlanOver(DomainError):
    """The plan can't be accepted or ended any more."""

    message = N_("This payment plan is over, or has not begun. Reload the page to see how it stands.")


class PlanDisputed(DomainError):
    """What is disputed is not claimed, so it is not spread either (W9)."""

    message = N_("A bill of this plan is disputed by now. Take the proposal back, and propose another one without it.")


@dataclass(frozen=True)
class Part:
    """An instalment; `left_cents` is what is not paid of it yet."""

    due: date
    cents: int
    left_cents: int


@dataclass(frozen=True)
class PlanView:
    """A payment plan as it is shown; amounts in cents. `accepted_on` is the day from which it runs."""

    id: int
    state: PlanState
    proposed_on: date
    accepted_on: date | None
    total_cents: int
    paid_cents: int
    instalments: tuple[Part, ...]
    version: int

    @property
    def next_part(self) -> Part | None:
        """The first instalment that is not paid in full."""
        return next((part for part in self.instalments if part.left_cents), None)

    @property
    def parts(self) -> tuple[tuple[date, int], ...]:
        """Days and amounts of the instalments."""
        return tuple((part.due, part.cents) for part in self.instalments)


@dataclass(frozen=True)
class Broken:
    """A plan that broke on a day, and what is left of it in cents; `missed` is the instalment that did not arrive, unless it did since."""

    on: date
    left_cents: int
    missed: Part | None


def least_and_most() -> tuple[int, int]:
    """Return in how many instalments can be paid."""
    terms = catalogue().instalments
    return terms.least_parts.value, terms.most_parts.value


def schedule(total_cents: int, parts: int, today: date) -> tuple[tuple[date, int], ...]:
    """Return days and amounts of equal monthly instalments, the first in 14 days; the first ones hold the odd cents. Pure."""
    first = today + timedelta(days=law("reminder_days"))
    return tuple((clock.add_months(first, index), cents) for index, cents in enumerate(money.spread(total_cents, parts)))


def preview(session: Session, actor: Actor, *, customer_id: int, parts: int) -> tuple[tuple[date, int], ...]:
    """Return the instalments that would be proposed. Raises PlanParts, NothingOpen."""
    actor.require(Permission.BILL_READ, customer_id)
    return schedule(_total(_open(session, customer_id), parts), parts, clock.today())


def propose_plan(
    session: Session, actor: Actor, *, customer_id: int, shown_plan: int | None, parts: int = 3, ask_on: date | None = None
) -> int:
    """Propose to pay what is open in equal monthly instalments, the first in 14 days; return the plan's id.

    What is collected is not spread, nor a bill that is disputed. The plan of that id, `shown_plan`, is withdrawn: a proposal that was
    not on the screen is never replaced. On the day `ask_on` the colleague asks for the answer: a task until there is one.
    Raises PlanParts, PlanRuns, PlansBroken, NothingOpen, ChangedMeanwhile, DuePast.
    """
    actor.require(Permission.PLAN_WRITE, customer_id)
    lock_customer(session, customer_id)
    today, terms = clock.today(), catalogue().instalments
    plans = session.execute(select(PaymentPlan).where(col(PaymentPlan.customer_id) == customer_id)).scalars().all()
    if any(one.state is PlanState.ACTIVE for one in plans):
        raise PlanRuns
    proposed = next((one.id for one in plans if one.state is PlanState.PROPOSED), None)
    if proposed != shown_plan:
        raise audit.changed_meanwhile(session, "payment_plan", proposed or shown_plan)
    since = clock.add_months(today, -WITHIN_MONTHS)
    broken = sum(one.state is PlanState.BROKEN and one.ended_on is not None and one.ended_on > since for one in plans)
    if broken > terms.most_broken.value:
        raise PlansBroken(broken=broken)
    bills = _open(session, customer_id)
    total = _total(bills, parts)
    for one in plans:
        if one.state is PlanState.PROPOSED:
            _move(one, PlanState.WITHDRAWN)
    session.flush()
    plan = PaymentPlan(customer_id=customer_id, state=PlanState.PROPOSED, proposed_on=today, total_cents=total)
    session.add(plan)
    session.flush()
    for bill in bills:
        session.add(PlanBill(customer_id=customer_id, plan_id=plan.id, bill_id=bill.id, amount_cents=bill.remaining_cents))
    for ordinal, (due, cents) in enumerate(schedule(total, parts, today), 1):
        session.add(Instalment(customer_id=customer_id, plan_id=plan.id, ordinal=ordinal, due_date=due, amount_cents=cents))
    session.flush()
    _record(session, actor, plan, "plan:propose", {"total_cents": total, "parts": parts})
    if ask_on:
        tasks.settle(session, actor, customer_id=customer_id, code=tasks.PLAN_ANSWER)
        tasks.add(session, actor, customer_id=customer_id, due=ask_on, code=tasks.PLAN_ANSWER)
    return plan.id


def accept(session: Session, actor: Actor, *, customer_id: int, plan_id: int, shown_version: int) -> date:
    """Start a proposed plan, for the customer himself or on his word; return the day of its first instalment.

    Its bills are not late any more: what was suspended for them comes back the same day. Raises PlanOver, PlanDisputed, NothingOpen,
    ChangedMeanwhile.
    """
    actor.require(Permission.PLAN_ACCEPT, customer_id)
    plan = _plan(session, customer_id, plan_id, shown_version)
    if plan.state is not PlanState.PROPOSED:
        raise PlanOver
    if not _left(session, plan):
        raise NothingOpen
    if _disputed(session, plan):
        raise PlanDisputed
    _move(plan, PlanState.ACTIVE)
    plan.accepted_on = clock.today()
    session.flush()
    _record(session, actor, plan, "plan:accept", {"state": plan.state})
    tasks.settle(session, actor, customer_id=customer_id, code=tasks.PLAN_ANSWER)
    view = _view(session, plan)
    language = session.get_one(Customer, customer_id).language.value
    told = ", ".join(f"{i18n.money(part.cents, language)} ({i18n.day(part.due, language)})" for part in view.instalments)
    params = {"total_cents": plan.total_cents, "parts": told}
    communications.send(session, actor, customer_id=customer_id, template="plan_accepted", params=params)
    dunning.on_payment(session, actor, customer_id=customer_id)
    return view.instalments[0].due


def withdraw(session: Session, actor: Actor, *, customer_id: int, plan_id: int, shown_version: int) -> None:
    """Take a proposal back, or end a plan that runs: what is late is followed up again. Raises PlanOver, ChangedMeanwhile."""
    actor.require(Permission.PLAN_WRITE, customer_id)
    plan = _plan(session, customer_id, plan_id, shown_version)
    if plan.state not in ALIVE:
        raise PlanOver
    _move(plan, PlanState.WITHDRAWN)
    session.flush()
    _record(session, actor, plan, "plan:withdraw", {"state": plan.state})
    tasks.settle(session, actor, customer_id=customer_id, code=tasks.PLAN_ANSWER)


def break_due(session: Session, actor: Actor, *, day: date) -> list[int]:
    """End the plans that are paid, and break those of which an instalment is unpaid so many days after its day; return the broken ones.

    Runs before the follow-up of the day, which goes on with what a broken plan leaves. A second call does nothing.
    """
    actor.require(Permission.JOB_RUN)
    broken, late = [], timedelta(days=catalogue().instalments.broken_after_days.value)
    running = select(col(PaymentPlan.id), col(PaymentPlan.customer_id)).where(col(PaymentPlan.state) == PlanState.ACTIVE)
    for plan_id, customer_id in session.execute(running.order_by(col(PaymentPlan.id))).all():
        lock_customer(session, customer_id)
        plan = session.get_one(PaymentPlan, plan_id, populate_existing=True)
        view = _view(session, plan)
        if plan.state is not PlanState.ACTIVE:
            continue
        if view.paid_cents >= view.total_cents:
            _move(plan, PlanState.KEPT)
        elif any(part.left_cents and part.due + late <= day for part in view.instalments):
            _move(plan, PlanState.BROKEN)
            broken.append(plan_id)
        else:
            continue
        session.flush()
        _record(session, actor, plan, f"plan:{plan.state.value}", {"state": plan.state, "paid_cents": view.paid_cents})
        if plan_id in broken:
            params = {"left_cents": view.total_cents - view.paid_cents}
            communications.send(session, actor, customer_id=customer_id, template="plan_broken", params=params)
    return broken


def plan_of(session: Session, actor: Actor, *, customer_id: int) -> PlanView | None:
    """Return the payment plan that runs or is proposed."""
    actor.require(Permission.BILL_READ, customer_id)
    alive = (col(PaymentPlan.customer_id) == customer_id, col(PaymentPlan.state).in_(ALIVE))
    plan = session.execute(select(PaymentPlan).where(*alive)).scalar_one_or_none()
    return _view(session, plan) if plan else None


def broken_of(session: Session, actor: Actor, *, customer_id: int) -> Broken | None:
    """Return the last plan where it broke and something of it is left."""
    actor.require(Permission.BILL_READ, customer_id)
    last = select(PaymentPlan).where(col(PaymentPlan.customer_id) == customer_id).order_by(col(PaymentPlan.id).desc()).limit(1)
    plan = session.execute(last).scalar_one_or_none()
    if plan is None or plan.state is not PlanState.BROKEN or plan.ended_on is None:
        return None
    view, late = _view(session, plan), timedelta(days=catalogue().instalments.broken_after_days.value)
    left = view.total_cents - view.paid_cents
    missed = next((part for part in view.instalments if part.left_cents and part.due + late <= plan.ended_on), None)
    return Broken(plan.ended_on, left, missed) if left else None


def _view(session: Session, plan: PaymentPlan) -> PlanView:
    """Return a plan with what is paid of it: what its bills ask less since, counted on the instalments in their order."""
    paid = plan.total_cents - _left(session, plan)
    rows = session.execute(
        select(col(Instalment.due_date), col(Instalment.amount_cents))
        .where(col(Instalment.customer_id) == plan.customer_id, col(Instalment.plan_id) == plan.id)
        .order_by(col(Instalment.ordinal))
    )
    found, covered = [], paid
    for due, cents in rows:
        found.append(Part(due, cents, max(0, cents - max(0, covered))))
        covered -= cents
    return PlanView(plan.id, plan.state, plan.proposed_on, plan.accepted_on, plan.total_cents, paid, tuple(found), plan.version)


def _left(session: Session, plan: PaymentPlan) -> int:
    query = (
        select(col(PlanBill.amount_cents), col(Bill.remaining_cents))
        .join(Bill, (col(Bill.customer_id) == PlanBill.customer_id) & (col(Bill.id) == PlanBill.bill_id))
        .where(col(PlanBill.customer_id) == plan.customer_id, col(PlanBill.plan_id) == plan.id)
    )
    return sum(min(int(amount), int(remaining)) for amount, remaining in session.execute(query))


def _disputed(session: Session, plan: PaymentPlan) -> bool:
    query = (
        select(col(Bill.id))
        .join(PlanBill, (col(PlanBill.customer_id) == Bill.customer_id) & (col(PlanBill.bill_id) == Bill.id))
        .where(col(PlanBill.customer_id) == plan.customer_id, col(PlanBill.plan_id) == plan.id, disputed_of_bill() > 0)
    )
    return session.execute(query.limit(1)).first() is not None


def _open(session: Session, customer_id: int) -> Sequence[Bill]:
    query = select(Bill).where(
        col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0,
        col(Bill.mandate_id).is_(None), disputed_of_bill() == 0,
    )  # fmt: skip
    return session.execute(query.order_by(col(Bill.bill_date), col(Bill.id))).scalars().all()


def _total(bills: Sequence[Bill], parts: int) -> int:
    least, most = least_and_most()
    if not least <= parts <= most:
        raise PlanParts(least=least, most=most)
    total = sum(bill.remaining_cents for bill in bills)
    if total < parts:  # An instalment is a cent at least.
        raise NothingOpen
    return total


def _plan(session: Session, customer_id: int, plan_id: int, shown_version: int) -> PaymentPlan:
    lock_customer(session, customer_id)
    mine = select(PaymentPlan).where(col(PaymentPlan.customer_id) == customer_id, col(PaymentPlan.id) == plan_id)
    plan: PaymentPlan | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if plan is None:
        raise NotFound
    audit.check_version(session, plan, shown_version, "payment_plan", plan.id)
    return plan


def _move(plan: PaymentPlan, state: PlanState) -> None:
    if state not in PLAN_MOVES[plan.state]:
        raise PlanOver
    plan.state = state
    if state not in ALIVE:
        plan.ended_on = clock.today()


def _record(session: Session, actor: Actor, plan: PaymentPlan, action: str, after: audit.Facts) -> None:
    audit.record(session, actor, action=action, object_type="payment_plan", object_id=plan.id, customer_id=plan.customer_id, after=after)
