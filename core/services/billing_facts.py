"""What the next bill of a customer depends on, read from the database: how he is billed, what he holds, what the last bill did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Select, bindparam, exists, func, literal, select, union_all
from sqlmodel import Session, col

from core import clock
from core.db import ask
from core.models.appointment import Appointment, AppointmentState
from core.models.bill import Bill, BillCategory, BillLine, LineKind
from core.models.customer import CustomerStatus
from core.models.dunning import DunningClaim, DunningNotice
from core.models.order import HouseMove, OrderState, ProductOrder
from core.models.product import ProductStatus
from core.services import billing, holdings
from core.services.bill_words import COMPENSATIONS, FEE_REMINDER
from core.services.billing import Account, BillDraft, Coverage, Held, OneOff
from core.services.credit_rules import NO_VAT
from core.services.holdings import Holding
from core.services.usage import hold_still, late_sums, period_sums
from core.services.usage_numbers import national

FEE = "FEE_TECHNICIAN"
"""A technician's visit, and the in-home work of a move."""
_CHARGES = {1: (FEE, LineKind.ONE_OFF), 2: (FEE, LineKind.ONE_OFF), 3: (FEE_REMINDER, LineKind.PENALTY)}
"""What the visits, the moves and the reminders of the query below are on a bill."""
_NOTED_LATE = timedelta(days=62)
"""How long before the last bill a visit may lie that is still looked for: a technician's report comes within two months."""
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
    found = holdings.of_customer(session, customer_id)
    held = _held(found.products)
    if change:
        held = [replace(one, until=change.end.get(one.product_id or 0, one.until)) for one in held] + list(change.add)
    return Facts(found.account, found.status, tuple(held), _coverage(session, customer_id))


def draft(session: Session, customer_id: int, facts: Facts, bill_date: date) -> BillDraft:
    """Return the bill of a date: the one that would be issued if nothing more happened.

    In a transaction that writes, nothing is recorded for the customer from here on until it ends: what is issued is what was drafted.
    """
    hold_still(session, [customer_id])
    span = billing.usage_period(facts.account, bill_date, facts.previous, facts.held)
    return billing.preview(
        account=facts.account,
        held=facts.held,
        bill_date=bill_date,
        previous=facts.previous,
        usage=period_sums(session, customer_id=customer_id, since=span.since, until=span.until),
        late=late_sums(session, customer_id=customer_id, before=span.since),
        one_offs=_one_offs(session, customer_id, facts.previous, bill_date),
    )


def _held(products: Sequence[Holding]) -> list[Held]:
    """Return what was ever held, in the order of the numbers; what waits for its first day counts, what waits for a parcel does not."""
    names = {one.id: one.user_name or (national(one.line) if one.line else None) for one in products}
    today = clock.today()
    return [
        Held(one.code, one.since, one.until, one.id, names[one.id] or (names.get(one.parent_id) if one.parent_id else None))
        for one in products
        if one.status in _BILLED or (one.status is ProductStatus.PENDING_ACTIVE and one.since > today)
    ]


def _coverage(session: Session, customer_id: int) -> Coverage | None:
    """Return what the last bill did; a product that a credit note gave back since is paid until that day only."""
    lines = ask(session, _since_last_query(), customer_id=customer_id)
    if not lines:
        return None
    last = next(line for line in lines if line.category is not BillCategory.CREDIT_NOTE)
    paid: dict[int | None, date] = {}
    ahead: dict[int | None, int] = {}
    for line in lines:
        if line.product_id is None:
            continue
        if line.kind is LineKind.ADJUSTMENT and line.since:
            paid[line.product_id] = line.since
        elif line.kind in {LineKind.SUBSCRIPTION, LineKind.OPTION} and line.until:
            if line.id == last.id and line.until >= paid.get(line.product_id, line.until):
                ahead[line.product_id] = line.ordinal
            paid[line.product_id] = max(line.until, paid.get(line.product_id, line.until))
        elif line.kind is LineKind.ONE_OFF and line.since:
            paid[line.product_id] = line.since
    left = {product_id: _left_cents(lines, last.id, ordinal) for product_id, ordinal in ahead.items()}
    return Coverage(last.bill_date, last.period_until, paid, left, _own_left_cents(lines, last.id))


def _left_cents(lines: Sequence[Any], bill_id: int, ordinal: int) -> int:
    """Return what a line of a bill charges still, without what notes gave back of it."""
    charged = sum(line.amount_cents for line in lines if line.id == bill_id and line.ordinal == ordinal)
    given = sum(line.amount_cents for line in lines if line.refers_bill_id == bill_id and line.refers_ordinal == ordinal)
    return int(charged - given)


def _own_left_cents(lines: Sequence[Any], bill_id: int) -> int | None:
    """Return what a bill charges still of our own services, without what notes lowered of its price; what made good a damage did not.

    None for a bill that was taken over without its lines: what it charged is not known.
    """
    own = [line for line in lines if line.amount_cents is not None and line.kind not in NO_VAT]
    if not any(line.id == bill_id for line in own):
        return None
    charged = sum(line.amount_cents for line in own if line.id == bill_id)
    given = sum(line.amount_cents for line in own if line.refers_to_id == bill_id and line.reason not in COMPENSATIONS)
    return int(charged - given)


def _one_offs(session: Session, customer_id: int, previous: Coverage | None, bill_date: date) -> list[OneOff]:
    """Return the technician's visits, the moves and the reminders that are not free and on no bill yet, however late they were noted."""
    after = previous.bill_date - _NOTED_LATE if previous else date.min
    found = ask(session, _one_off_query(), customer_id=customer_id, after=after, last=bill_date)
    return [OneOff(_CHARGES[order][0], day, cents, kind=_CHARGES[order][1]) for order, day, cents in found]


# The queries of a preview are made once: the band asks them on every page, and to build them took longer than to run them.


@cache
def _since_last_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of that many columns
    """Make the query of the last bill and of what was issued since, line by line."""
    mine = col(Bill.customer_id) == bindparam("customer_id")
    last = select(func.max(col(Bill.bill_date))).where(mine, col(Bill.category) != BillCategory.CREDIT_NOTE).scalar_subquery()
    of_it = (col(BillLine.customer_id) == Bill.customer_id) & (col(BillLine.bill_id) == Bill.id)
    columns = (
        Bill.id, Bill.bill_date, Bill.period_until, Bill.category, BillLine.product_id, BillLine.kind, BillLine.since, BillLine.until,
        BillLine.ordinal, BillLine.amount_cents, BillLine.refers_bill_id, BillLine.refers_ordinal, Bill.refers_to_id, Bill.reason,
    )  # fmt: skip
    return (
        select(*(col(column) for column in columns))
        .outerjoin(BillLine, of_it)
        .where(mine, col(Bill.bill_date) >= last)
        .order_by(col(Bill.bill_date), col(Bill.id))
    )


@cache
def _one_off_query() -> CompoundSelect[*tuple[Any, ...]]:
    """Make the query of the visits, then of the moves, then of the reminders that cost something (R24)."""
    customer_id: BindParameter[int] = bindparam("customer_id")
    after: BindParameter[date] = bindparam("after")
    last: BindParameter[date] = bindparam("last")

    def unbilled(order: int, day: Any) -> Any:  # noqa: ANN401 - a column, and a condition
        named = (col(BillLine.code) == _CHARGES[order][0], col(BillLine.since) == day, col(BillLine.kind) == _CHARGES[order][1])
        return ~exists().where(col(BillLine.customer_id) == customer_id, *named)

    visits: Select[*tuple[Any, ...]] = select(
        literal(1).label("order"), col(Appointment.day).label("day"), col(Appointment.fee_cents)
    ).where(
        col(Appointment.customer_id) == customer_id,
        col(Appointment.state) == AppointmentState.COMPLETED,
        col(Appointment.fee_cents) > 0,
        col(Appointment.day) > after,
        col(Appointment.day) <= last,
        unbilled(1, col(Appointment.day)),
    )
    moves = (
        select(literal(2), col(HouseMove.move_in), col(HouseMove.fee_cents))
        .join(ProductOrder, (col(ProductOrder.customer_id) == HouseMove.customer_id) & (col(ProductOrder.id) == HouseMove.order_id))
        .where(
            col(HouseMove.customer_id) == customer_id,
            col(ProductOrder.state) == OrderState.COMPLETED,
            col(HouseMove.fee_cents) > 0,
            col(HouseMove.move_in) > after,
            col(HouseMove.move_in) <= last,
            unbilled(2, col(HouseMove.move_in)),
        )
    )
    reminders = (
        select(literal(3), col(DunningNotice.day), func.sum(col(DunningClaim.fee_cents)))
        .join(
            DunningClaim, (col(DunningClaim.customer_id) == DunningNotice.customer_id) & (col(DunningClaim.notice_id) == DunningNotice.id)
        )
        .where(
            col(DunningNotice.customer_id) == customer_id,
            col(DunningClaim.fee_cents) > 0,
            col(DunningNotice.day) > after,
            col(DunningNotice.day) <= last,
            unbilled(3, col(DunningNotice.day)),
        )
        .group_by(col(DunningNotice.id), col(DunningNotice.day))
    )
    return union_all(visits, moves, reminders).order_by("order", "day")
