"""Money that came in and counts on no bill: it pays the customer's next one (W8)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.models.customer import Customer
from core.models.payment import Payment, PaymentAllocation, PaymentState, Refund, RefundState


@dataclass
class LeftOver:
    """What is left of a payment, in cents."""

    payment_id: int
    cents: int


def used_up(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """Return by payment how much of it counts on bills or was paid back, in cents."""
    counted = (
        select(col(PaymentAllocation.payment_id), col(PaymentAllocation.amount_cents))
        .where(col(PaymentAllocation.customer_id).in_(customer_ids), col(PaymentAllocation.reversed_on).is_(None))
        .union_all(
            select(col(Refund.payment_id), col(Refund.amount_cents)).where(
                col(Refund.customer_id).in_(customer_ids), col(Refund.payment_id).is_not(None), col(Refund.state) != RefundState.REJECTED
            )
        )
        .subquery()
    )
    query = select(counted.c.payment_id, func.sum(counted.c.amount_cents)).group_by(counted.c.payment_id)
    return {payment: int(cents) for payment, cents in session.execute(query)}


def of_customers(session: Session, customer_ids: Collection[int]) -> Mapping[int, list[LeftOver]]:
    """Return by customer the payments of which something is left, the oldest first.

    Customers, then payments are locked until the transaction ends: nobody counts the same money elsewhere in the meantime.
    """
    customers = select(col(Customer.id)).where(col(Customer.id).in_(customer_ids)).order_by(col(Customer.id))
    session.execute(customers.with_for_update(key_share=True)).all()
    counted = used_up(session, customer_ids)
    query = (
        select(col(Payment.customer_id), col(Payment.id), col(Payment.amount_cents))
        .where(col(Payment.customer_id).in_(customer_ids), col(Payment.state) == PaymentState.MATCHED)
        .order_by(col(Payment.received_on), col(Payment.id))
    )
    found: dict[int, list[LeftOver]] = defaultdict(list)
    for customer_id, payment_id, cents in session.execute(query.with_for_update()):
        if (left := cents - counted.get(payment_id, 0)) > 0:
            found[customer_id].append(LeftOver(payment_id, left))
    return found
