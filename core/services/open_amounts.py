"""What a customer owes: what is open, what of it is late, disputed or spread by a plan, and what we owe him."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, func, select
from sqlmodel import Session, col

from core import clock
from core.db import ask
from core.models.bill import Bill, BillCategory
from core.models.dunning import BillDispute
from core.models.payment import Payment, PaymentAllocation, PaymentPlan, PaymentState, PlanBill, PlanState, Refund, RefundState


@dataclass(frozen=True)
class OpenAmount:
    """What a customer owes in cents: altogether, late, since when, and what we owe him.

    What he disputes is open, and not late (W9); so is what a running payment plan spreads, `spread_cents`.
    """

    open_cents: int
    overdue_cents: int
    oldest_overdue: date | None
    credit_cents: int
    next_due: date | None
    disputed_cents: int = 0
    spread_cents: int = 0

    @property
    def overdue_days(self) -> int:
        """How late the oldest one is."""
        return (clock.today() - self.oldest_overdue).days if self.oldest_overdue else 0


def open_summary(session: Session, customer_id: int) -> OpenAmount:
    """Return what is open; the caller checked the right to see the file."""
    row = ask(session, _open_query(), customer_id=customer_id, today=clock.today())[0]
    return OpenAmount(int(row[0]), int(row[1]), row[3], int(row[2]), row[4], int(row[5]), int(row[6]))


@cache
def _open_query() -> Select[Any]:
    """Make the query of `open_summary` once: to build it took longer than to run it, and the band asks it on every page."""
    customer_id: BindParameter[int] = bindparam("customer_id")
    payable = func.coalesce(col(Bill.payable_until), col(Bill.due_date))
    spread = in_plan_of_bill()
    late = (payable < bindparam("today")) & col(Bill.mandate_id).is_(None) & ~spread
    due = case((col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents)), else_=0)
    disputed = disputed_of_bill()
    claimed = case((due > disputed, due - disputed), else_=0)
    owed = case((col(Bill.category) == BillCategory.CREDIT_NOTE, col(Bill.remaining_cents)), else_=0)
    paid = (
        select(func.sum(col(Payment.amount_cents)))
        .where(col(Payment.customer_id) == customer_id, col(Payment.state) == PaymentState.MATCHED)
        .scalar_subquery()
    )
    counted = (
        select(func.sum(col(PaymentAllocation.amount_cents)))
        .where(col(PaymentAllocation.customer_id) == customer_id, col(PaymentAllocation.reversed_on).is_(None))
        .scalar_subquery()
    )
    paid_back = (
        select(func.sum(col(Refund.amount_cents)))
        .where(col(Refund.customer_id) == customer_id, col(Refund.payment_id).is_not(None), col(Refund.state) != RefundState.REJECTED)
        .scalar_subquery()
    )
    return select(
        func.coalesce(func.sum(due), 0),
        func.coalesce(func.sum(case((late, claimed), else_=0)), 0),
        func.coalesce(func.sum(owed), 0) + func.coalesce(paid, 0) - func.coalesce(counted, 0) - func.coalesce(paid_back, 0),
        func.min(case((late & (claimed > 0), payable))),
        func.min(case((~late & ~spread & (claimed > 0), payable))),
        func.coalesce(func.sum(due - claimed), 0),
        func.coalesce(func.sum(case((spread, due), else_=0)), 0),
    ).where(col(Bill.customer_id) == customer_id, col(Bill.remaining_cents) > 0)


def disputed_of_bill() -> Any:  # noqa: ANN401 - an expression within a query of bills
    """Return what of a bill waits for the decision of a dispute, in cents; it may be more than what is left of the bill by now."""
    of_bill = (col(BillDispute.customer_id) == col(Bill.customer_id)) & (col(BillDispute.bill_id) == col(Bill.id))
    open_one = select(col(BillDispute.disputed_cents)).where(of_bill, col(BillDispute.until).is_(None)).correlate(Bill)
    return func.coalesce(open_one.scalar_subquery(), 0)


def in_plan_of_bill() -> ColumnElement[bool]:
    """Say whether a running payment plan spreads a bill: it is paid by instalments, so it is not late."""
    of_bill = (col(PlanBill.customer_id) == col(Bill.customer_id)) & (col(PlanBill.bill_id) == col(Bill.id))
    of_plan = (col(PaymentPlan.customer_id) == PlanBill.customer_id) & (col(PaymentPlan.id) == PlanBill.plan_id)
    return select(col(PlanBill.plan_id)).join(PaymentPlan, of_plan).where(of_bill, col(PaymentPlan.state) == PlanState.ACTIVE).exists()
