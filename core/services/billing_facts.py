"""What the next bill of a customer depends on, read from the database: how he is billed, what he holds, what the last bill did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlmodel import Session, col

from core import clock
from core.db import ask
from core.models.appointment import Appointment, AppointmentState
from core.models.bill import Bill, BillCategory, BillLine, LineKind
from core.models.billing_account import BillingAccount
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.order import HouseMove, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.services import billing
from core.services.billing import Account, BillDraft, Coverage, Held, OneOff
from core.services.usage import period_sums
from core.services.usage_numbers import national

FEE = "FEE_TECHNICIAN"
"""A technician's visit, and the in-home work of a move."""
_BILLED = (ProductStatus.ACTIVE, ProductStatus.SUSPENDED, ProductStatus.PENDING_TERMINATE, ProductStatus.TERMINATED)


@dataclass(frozen=True)
class Change:
    """A change of what somebody holds, tried out on the next bill: what comes, and which products end on which day."""

    add: Sequence[Held] = ()
    end: Mapping[int, date] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """How somebody is billed, what he holds and what the last bill did."""

    account: Account
    status: CustomerStatus
    held: tuple[Held, ...]
    previous: Coverage | None

    @property
    def runs(self) -> bool:
        """Whether there will be a bill: a closed customer, or one who holds nothing, gets none."""
        return self.status is not CustomerStatus.CLOSED and bool(self.held)


def of_customer(session: Session, customer_id: int, change: Change | None = None) -> Facts:
    """Return what the next bill depends on, a change of it included."""
    account, status = _account(session, customer_id)
    held = _held(session, customer_id)
    if change:
        held = [replace(one, until=change.end.get(one.product_id or 0, one.until)) for one in held] + list(change.add)
    return Facts(account, status, tuple(held), _coverage(session, customer_id))


def draft(session: Session, customer_id: int, facts: Facts, bill_date: date) -> BillDraft:
    """Return the bill of a date: the one that would be issued if nothing more happened."""
    span = billing.usage_period(facts.account, bill_date, facts.previous, facts.held)
    return billing.preview(
        account=facts.account,
        held=facts.held,
        bill_date=bill_date,
        previous=facts.previous,
        usage=period_sums(session, customer_id=customer_id, since=span.since, until=span.until),
        one_offs=_one_offs(session, customer_id, facts.previous, bill_date),
    )


def _account(session: Session, customer_id: int) -> tuple[Account, CustomerStatus]:
    model, cycle_day, migrate_on, kind, status = ask(session, _account_query(), customer_id=customer_id)[0]
    return Account(model, cycle_day, migrate_on, kind is CustomerKind.ORGANIZATION), status


def _held(session: Session, customer_id: int) -> list[Held]:
    """Return what was ever held, in the order of the numbers; what waits for its first day counts, what waits for a parcel does not."""
    found = ask(session, _held_query(), customer_id=customer_id)
    names = {row.id: row.user_name or (national(row.line) if row.line else None) for row in found}
    today = clock.today()
    return [
        Held(row.offering_code, row.since, row.until, row.id, names[row.id] or names.get(row.parent_id))
        for row in found
        if row.status in _BILLED or (row.status is ProductStatus.PENDING_ACTIVE and row.since > today)
    ]


def _coverage(session: Session, customer_id: int) -> Coverage | None:
    """Return what the last bill did; a product that a credit note gave back since is paid until that day only."""
    found = ask(session, _last_query(), customer_id=customer_id)
    if not found:
        return None
    last = found[0]
    lines = ask(session, _lines_query(), customer_id=customer_id, since=last.bill_date)
    paid: dict[int | None, date] = {}
    for product, kind, since, until in lines:
        if kind is LineKind.ADJUSTMENT and since:
            paid[product] = since
        elif kind in {LineKind.SUBSCRIPTION, LineKind.OPTION} and until:
            paid[product] = max(until, paid.get(product, until))
    return Coverage(last.bill_date, last.period_until, paid)


def _one_offs(session: Session, customer_id: int, previous: Coverage | None, bill_date: date) -> list[OneOff]:
    """Return the technician's visits and the moves since the last bill that are not free."""
    after = previous.bill_date if previous else date.min
    visits, moves = (ask(session, query, customer_id=customer_id, after=after, last=bill_date) for query in _one_off_queries())
    return [OneOff(FEE, day, cents) for day, cents in (*visits, *moves)]


# The queries of a preview are made once: the band asks them on every page, and to build them took longer than to run them.


@cache
def _account_query() -> Select[*tuple[Any, ...]]:
    columns = (BillingAccount.bill_model, BillingAccount.cycle_day, BillingAccount.migrate_on, Customer.kind, Customer.status)
    return (
        select(*(col(column) for column in columns))
        .join(Customer, col(Customer.id) == BillingAccount.customer_id)
        .where(col(BillingAccount.customer_id) == bindparam("customer_id"))
    )


@cache
def _held_query() -> Select[*tuple[Any, ...]]:
    names = ("id", "offering_code", "since", "until", "parent_id", "line", "user_name", "status")
    mine = col(Product.customer_id) == bindparam("customer_id")
    return select(*(getattr(Product, name) for name in names)).where(mine).order_by(col(Product.product_no))


@cache
def _last_query() -> Select[date, date]:
    return (
        select(col(Bill.bill_date), col(Bill.period_until))
        .where(col(Bill.customer_id) == bindparam("customer_id"), col(Bill.category) != BillCategory.CREDIT_NOTE)
        .order_by(col(Bill.bill_date).desc())
        .limit(1)
    )


@cache
def _lines_query() -> Select[int | None, LineKind, date | None, date | None]:
    return (
        select(col(BillLine.product_id), col(BillLine.kind), col(BillLine.since), col(BillLine.until))
        .join(Bill, (col(Bill.customer_id) == BillLine.customer_id) & (col(Bill.id) == BillLine.bill_id))
        .where(col(Bill.customer_id) == bindparam("customer_id"), col(Bill.bill_date) >= bindparam("since"))
        .where(col(BillLine.product_id).is_not(None))
        .order_by(col(Bill.bill_date), col(Bill.id))
    )


@cache
def _one_off_queries() -> tuple[Select[date, int], Select[date, int]]:
    customer_id: BindParameter[int] = bindparam("customer_id")
    after: BindParameter[date] = bindparam("after")
    last: BindParameter[date] = bindparam("last")
    visits = select(col(Appointment.day), col(Appointment.fee_cents)).where(
        col(Appointment.customer_id) == customer_id,
        col(Appointment.state) == AppointmentState.COMPLETED,
        col(Appointment.fee_cents) > 0,
        col(Appointment.day) > after,
        col(Appointment.day) <= last,
    )
    moves = (
        select(col(HouseMove.move_in), col(HouseMove.fee_cents))
        .join(ProductOrder, (col(ProductOrder.customer_id) == HouseMove.customer_id) & (col(ProductOrder.id) == HouseMove.order_id))
        .where(
            col(HouseMove.customer_id) == customer_id,
            col(ProductOrder.state) == OrderState.COMPLETED,
            col(HouseMove.fee_cents) > 0,
            col(HouseMove.move_in) > after,
            col(HouseMove.move_in) <= last,
        )
    )
    return visits, moves
