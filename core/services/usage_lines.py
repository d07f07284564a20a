"""Lines that use is rated on: who held a number at a moment, in which periods it is counted off, and what the bundle held just then."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from core import clock
from core.catalogue import Catalogue
from core.models.billing_account import BillingAccount, BillModel
from core.models.customer import Customer, CustomerStatus
from core.models.product import Product, ProductStatus
from core.services import billing, rating
from core.services.billing import Account
from core.services.periods import Period
from core.services.rating import Bundle, Running

_RAN = (ProductStatus.ACTIVE, ProductStatus.SUSPENDED, ProductStatus.PENDING_TERMINATE, ProductStatus.TERMINATED)
_CHUNK = 5000
"""How many values one query names: databases take some ten thousands."""


@dataclass(frozen=True)
class Line:
    """A plan from the first moment of its first day until the first of its last (exclusive), with its options by the moment they began."""

    customer_id: int
    product_id: int
    product_no: str
    number: str | None
    plan: Running
    account: Account
    closed: bool
    since_at: datetime
    until_at: datetime | None
    options: list[tuple[datetime, Running]] = field(default_factory=list)
    _bundles: dict[tuple[Period, int, int], Bundle] = field(default_factory=dict)
    _periods: list[Period] = field(default_factory=list)

    def ran(self, at: datetime) -> bool:
        """Whether the line was the customer's at a moment: a number may change hands."""
        return self.since_at <= at and (self.until_at is None or at < self.until_at)

    def period(self, day: date) -> Period:
        """Return the period in which a day is counted, by the customer's bill model."""
        for known in self._periods:
            if day in known:
                return known
        self._periods.append(billing.counted_period(self.account, day))
        return self._periods[-1]

    def bundle(self, period: Period, at: datetime, sold: Catalogue) -> Bundle:
        """Return what the line might use at a moment of a period: an option bought later takes nothing back that was charged (W3)."""
        begun, day = bisect_right(self.options, at, key=lambda option: option[0]), clock.local(at).date()
        options = [option for _, option in self.options[:begun]]
        ended = sum(1 for option in options if option.until is not None and option.until <= day)
        if (period, begun, ended) not in self._bundles:
            self._bundles[period, begun, ended] = rating.bundle(self.plan, options, period, sold, day)
        return self._bundles[period, begun, ended]


def named(session: Session, numbers: Collection[str], product_nos: Collection[str]) -> tuple[dict[str, list[Line]], dict[str, list[Line]]]:
    """Return the lines that ever had one of these numbers, and those with one of these product numbers; each under its name."""
    found: dict[int, Line] = {}
    for column, values in ((col(Product.line), numbers), (col(Product.product_no), product_nos)):
        found |= {one.product_id: one for part in _parts(values) for one in _lines(session, column.in_(part))}
    _add_options(session, found)
    by_number: dict[str, list[Line]] = {}
    for one in found.values():
        if one.number is not None:
            by_number.setdefault(one.number, []).append(one)
    return by_number, {one.product_no: [one] for one in found.values()}


def by_id(session: Session, product_ids: Collection[int]) -> dict[int, Line]:
    """Return lines by their product's id."""
    found = {one.product_id: one for part in _parts(product_ids) for one in _lines(session, col(Product.id).in_(part))}
    _add_options(session, found)
    return found


def _lines(session: Session, condition: ColumnElement[bool]) -> Iterable[Line]:
    query = (
        select(  # type: ignore[call-overload]
            Product.customer_id, Product.id, Product.product_no, Product.line, Product.offering_code, Product.since, Product.until,
            BillingAccount.bill_model, BillingAccount.cycle_day, BillingAccount.migrate_on, Customer.status,
        )
        .join(BillingAccount, col(BillingAccount.customer_id) == Product.customer_id)
        .join(Customer, col(Customer.id) == Product.customer_id)
        .where(condition, col(Product.parent_id).is_(None), col(Product.status).in_(_RAN))
    )  # fmt: skip
    accounts: dict[tuple[BillModel, int, date | None], Account] = {}
    for customer, product, product_no, number, code, since, until, *how, status in session.exec(query):
        account = accounts.setdefault(tuple(how), Account(*how))
        yield Line(
            customer, product, product_no, number, Running(code, since, until), account, status is CustomerStatus.CLOSED,
            clock.at(since), clock.at(until) if until else None,
        )  # fmt: skip


def _add_options(session: Session, lines: dict[int, Line]) -> None:
    for part in _parts(lines):
        query = select(  # type: ignore[call-overload]
            Product.parent_id, Product.offering_code, Product.since, Product.until, Product.provisioned_at
        ).where(col(Product.parent_id).in_(part), col(Product.status).in_(_RAN))
        for plan, code, since, until, provisioned_at in session.exec(query):
            begins = clock.at(since)
            if provisioned_at is not None and clock.local(provisioned_at).date() == since:
                begins = provisioned_at  # It was switched on in the course of its first day.
            lines[plan].options.append((begins, Running(code, since, until)))
    for line in lines.values():
        line.options.sort(key=lambda option: (option[0], option[1].code))


def _parts(values: Collection[Any]) -> Iterable[list[Any]]:
    ordered = sorted(values)
    return (ordered[start : start + _CHUNK] for start in range(0, len(ordered), _CHUNK))
