"""What is late, what comes of it and what comes next: as the law counts missed due dates (W9, R24)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer, CustomerStatus
from core.models.payment import PaymentAllocation
from core.services import bills, payment_plans
from core.services.bills import OpenAmount
from core.services.payment_plans import PlanView


@dataclass(frozen=True)
class Arrears:
    """What is late. `missed` counts this year's due dates that passed unpaid; the next one costs at most `next_fee_cents`."""

    amount: OpenAmount
    missed: int
    next_due: date | None
    next_fee_cents: int
    suspended_on: date | None
    plan: PlanView | None


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> Arrears | None:
    """Return what is late; None when nothing is."""
    actor.require(Permission.BILL_READ, customer_id)
    amount = bills.open_summary(session, customer_id)
    if not amount.overdue_cents:
        return None
    missed = _missed(session, customer_id)
    status, since = session.execute(select(col(Customer.status), col(Customer.status_since)).where(col(Customer.id) == customer_id)).one()
    return Arrears(
        amount=amount,
        missed=missed,
        next_due=amount.next_due,
        next_fee_cents=law("reminder_fee_max_cents") if missed + 1 > law("free_reminders_a_year") else 0,
        suspended_on=since if status is CustomerStatus.SUSPENDED else None,
        plan=payment_plans.plan_of(session, actor, customer_id=customer_id),
    )


def _missed(session: Session, customer_id: int) -> int:
    """Count the due dates of this calendar year that passed before the bill was paid; the day of a collection is our choice, so none of those."""
    today = clock.today()
    payable = func.coalesce(col(Bill.payable_until), col(Bill.due_date))
    paid = (
        select(func.max(col(PaymentAllocation.allocated_on)))
        .where(
            col(PaymentAllocation.customer_id) == col(Bill.customer_id),
            col(PaymentAllocation.bill_id) == col(Bill.id),
            col(PaymentAllocation.reversed_on).is_(None),
        )
        .scalar_subquery()
    )
    query = select(func.count()).where(
        col(Bill.customer_id) == customer_id,
        col(Bill.category) != BillCategory.CREDIT_NOTE,
        payable >= date(today.year, 1, 1),
        payable < today,
        col(Bill.mandate_id).is_(None),
        (col(Bill.remaining_cents) > 0) | (paid > payable),
    )
    return int(session.execute(query).scalar_one())
