"""Payment plans: what is open, spread over months (W8)."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, money
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError
from core.models.payment import Instalment, PaymentPlan, PlanState
from core.services import audit, bills

PLAN_PARTS = range(2, 13)
BROKEN_PLANS = 2


class NothingOpen(DomainError):
    """There is nothing to pay."""

    message = N_("Nothing is open: there is nothing to spread.")


class PlanParts(DomainError):
    """A plan has 2 to 12 parts (W8)."""

    message = N_("A plan has {least} to {most} instalments.")


class PlansBroken(DomainError):
    """Too many plans were broken within a year (W8)."""

    message = N_("{broken} plans were broken in the last 12 months. Hand the file to a colleague of Billing.")


@dataclass(frozen=True)
class PlanView:
    """A payment plan as it is shown; amounts in cents."""

    id: int
    state: PlanState
    proposed_on: date
    total_cents: int
    parts: tuple[tuple[date, int], ...]


def propose_plan(session: Session, actor: Actor, *, customer_id: int, parts: int = 3) -> int:
    """Propose to pay what is open in equal monthly instalments, the first in 14 days; return the plan's id.

    An earlier proposal is withdrawn. Raises PlanParts, PlansBroken, NothingOpen.
    """
    actor.require(Permission.PLAN_WRITE, customer_id)
    if parts not in PLAN_PARTS:
        raise PlanParts(least=PLAN_PARTS.start, most=PLAN_PARTS.stop - 1)
    today = clock.today()
    plans = session.execute(select(PaymentPlan).where(col(PaymentPlan.customer_id) == customer_id)).scalars().all()
    broken = sum(one.state is PlanState.BROKEN and one.proposed_on > clock.add_months(today, -12) for one in plans)
    if broken > BROKEN_PLANS:
        raise PlansBroken(broken=broken)
    total = bills.open_summary(session, customer_id).open_cents
    if not total:
        raise NothingOpen
    for one in plans:
        if one.state is PlanState.PROPOSED:
            one.state = PlanState.WITHDRAWN
    plan = PaymentPlan(customer_id=customer_id, state=PlanState.PROPOSED, proposed_on=today, total_cents=total)
    session.add(plan)
    session.flush()
    first = today + timedelta(days=law("reminder_days"))
    for index, cents in enumerate(money.spread(total, parts)):
        due = clock.add_months(first, index)
        session.add(Instalment(customer_id=customer_id, plan_id=plan.id, ordinal=index + 1, due_date=due, amount_cents=cents))
    session.flush()
    audit.record(
        session, actor, action="plan:propose", object_type="payment_plan", object_id=plan.id, customer_id=customer_id,
        after={"total_cents": total, "parts": parts},
    )  # fmt: skip
    return plan.id


def plan_of(session: Session, actor: Actor, *, customer_id: int) -> PlanView | None:
    """Return the payment plan that runs or is proposed."""
    actor.require(Permission.BILL_READ, customer_id)
    plan = session.execute(
        select(PaymentPlan)
        .where(col(PaymentPlan.customer_id) == customer_id, col(PaymentPlan.state).in_([PlanState.PROPOSED, PlanState.ACTIVE]))
        .order_by(col(PaymentPlan.id).desc())
        .limit(1)
    ).scalar_one_or_none()
    if plan is None:
        return None
    parts = session.execute(
        select(col(Instalment.due_date), col(Instalment.amount_cents))
        .where(col(Instalment.customer_id) == customer_id, col(Instalment.plan_id) == plan.id)
        .order_by(col(Instalment.ordinal))
    )
    return PlanView(plan.id, plan.state, plan.proposed_on, plan.total_cents, tuple((due, cents) for due, cents in parts))
