"""What a step of the follow-up does to services: suspended, ended, brought back, and the file closed after the last bill (W9)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillModel
from core.models.customer import Customer, CustomerStatus
from core.models.product import Product, ProductStatus
from core.services import audit, billing, billing_facts, credit_notes
from core.services.bill_words import CreditReason
from core.services.credit_rules import CreditTooHigh
from core.services.periods import month_of
from core.services.products import GONE

REASON = "arrears"
"""Why a customer is suspended: only what the follow-up suspended comes back with a payment."""


def suspend(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Suspend the services that run: they neither call nor are called, but reach the emergency numbers. The caller checked the right."""
    actor.require(Permission.BILL_READ, customer_id)
    customer = session.get_one(Customer, customer_id)
    for product in _products(session, customer_id):
        if product.status is ProductStatus.ACTIVE:
            product.status = ProductStatus.SUSPENDED
    _stand(session, actor, customer, CustomerStatus.SUSPENDED, clock.today())


def restore(session: Session, actor: Actor, *, customer_id: int) -> bool:
    """Bring back what was suspended for arrears, at once; whether anything was. The caller checked the right."""
    actor.require(Permission.BILL_READ, customer_id)
    customer = session.get_one(Customer, customer_id)
    suspended = [one for one in _products(session, customer_id) if one.status is ProductStatus.SUSPENDED]
    if customer.status is not CustomerStatus.SUSPENDED or customer.status_reason != REASON or not suspended:
        return False
    for product in suspended:
        product.status = ProductStatus.ACTIVE
    _stand(session, actor, customer, CustomerStatus.ACTIVE, clock.today())
    return True


def end(session: Session, actor: Actor, *, customer_id: int, day: date) -> None:
    """End all products on a day and give back what was paid ahead, on the last bill (R20); the file closes after the bill that follows."""
    actor.require(Permission.BILL_ISSUE, customer_id)
    customer, facts = session.get_one(Customer, customer_id), billing_facts.of_customer(session, customer_id)
    paid = facts.previous.paid_until if facts.previous and facts.account.bill_model is BillModel.CURRENT else {}
    ended = _products(session, customer_id)
    for product in ended:
        waits = product.status in {ProductStatus.CREATED, ProductStatus.PENDING_ACTIVE}
        product.status = ProductStatus.CANCELLED if waits else ProductStatus.TERMINATED
        product.until = max(product.since, min(product.until or day, day))
    _stand(session, actor, customer, CustomerStatus.SUSPENDED, customer.status_since)
    session.flush()
    _give_back(session, actor, customer_id, [one for one in ended if one.status is ProductStatus.TERMINATED], day, paid)


def close_due(session: Session, actor: Actor, *, day: date) -> None:
    """Close the files whose services ended for arrears, once the day of their last bill has passed; a second call does nothing."""
    actor.require(Permission.JOB_RUN)
    runs = select(col(Product.id)).where(col(Product.customer_id) == col(Customer.id), col(Product.status).not_in(GONE)).exists()
    query = select(Customer).where(col(Customer.status) == CustomerStatus.SUSPENDED, col(Customer.status_reason) == REASON, ~runs)
    for customer in session.execute(query.order_by(col(Customer.id))).scalars().all():
        facts = billing_facts.of_customer(session, customer.id)
        last = max((one.until for one in facts.held if one.until), default=day)
        if billing.next_bill_date(facts.account, None, last) < day:
            _stand(session, actor, customer, CustomerStatus.CLOSED, day)


def _give_back(
    session: Session, actor: Actor, customer_id: int, ended: Sequence[Product], day: date, paid: Mapping[int | None, date]
) -> None:
    bills = (col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE)
    bill_no = session.execute(select(col(Bill.bill_no)).where(*bills).order_by(col(Bill.bill_date).desc()).limit(1)).scalar_one_or_none()
    for product in ended:
        until = min(paid.get(product.id, day), month_of(day).until)
        price = billing.price_cents(product.offering_code, day, business=False)
        if bill_no and price and day < until:
            with suppress(CreditTooHigh):  # What this bill can't give back any more, the last one adjusts.
                credit_notes.issue_credit_note(
                    session, actor, customer_id=customer_id, reason=CreditReason.AFTER_END, bill_no=bill_no, product_id=product.id,
                    since=day, until=until, day=day,
                )  # fmt: skip


def _products(session: Session, customer_id: int) -> Sequence[Product]:
    mine = (col(Product.customer_id) == customer_id, col(Product.status).not_in(GONE))
    return session.execute(select(Product).where(*mine).order_by(col(Product.product_no))).scalars().all()


def _stand(session: Session, actor: Actor, customer: Customer, status: CustomerStatus, since: date) -> None:
    before = customer.status
    if before is status:
        return
    customer.status, customer.status_since = status, since
    customer.status_reason = None if status is CustomerStatus.ACTIVE else REASON
    session.flush()
    verb = {CustomerStatus.SUSPENDED: "suspend", CustomerStatus.ACTIVE: "restore", CustomerStatus.CLOSED: "close"}[status]
    audit.record(
        session, actor, action=f"customer:{verb}", object_type="customer", object_id=customer.id, customer_id=customer.id,
        before={"status": before}, after={"status": status, "reason": customer.status_reason},
    )  # fmt: skip
