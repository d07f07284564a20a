"""What a customer holds and how he is billed, in one read: what runs, what is billed and what was used all start here."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from core.db import ask, once
from core.errors import NotFound
from core.models.billing_account import BillingAccount
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.product import Product, ProductStatus
from core.services.billing import Account


@dataclass(frozen=True)
class Holding:
    """A product of a customer's, as its row has it: one that runs, that ended, or that is to come."""

    id: int
    product_no: str
    code: str
    parent_id: int | None
    ordinal: int
    since: date
    until: date | None
    status: ProductStatus
    line: str | None
    user_name: str | None
    is_minor: bool
    version: int


@dataclass(frozen=True)
class Holdings:
    """A customer's products, in the order of their numbers, his state, and how he is billed."""

    account: Account
    status: CustomerStatus
    products: Sequence[Holding]


def of_customer(session: Session, customer_id: int) -> Holdings:
    """Return what a customer holds; the caller checked the right. Raises NotFound."""
    return once(session, ("holdings", customer_id), lambda: _read(session, customer_id))


def _read(session: Session, customer_id: int) -> Holdings:
    found = ask(session, _query(), customer_id=customer_id)
    if not found:
        raise NotFound
    model, cycle_day, migrate_on, kind, status = found[0][:_ABOUT_HIM]
    products = [Holding(*row[_ABOUT_HIM:]) for row in found if row.id is not None]  # Who holds nothing has one row without a product.
    return Holdings(Account(model, cycle_day, migrate_on, kind is CustomerKind.ORGANIZATION), status, products)


_ABOUT_HIM = 5


@cache
def _query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of that many columns
    billed = (BillingAccount.bill_model, BillingAccount.cycle_day, BillingAccount.migrate_on, Customer.kind)
    products = [getattr(Product, "offering_code" if one.name == "code" else one.name) for one in fields(Holding)]
    return (
        select(*(col(column) for column in billed), col(Customer.status).label("customer_status"), *products)
        .select_from(BillingAccount)
        .join(Customer, col(Customer.id) == BillingAccount.customer_id)
        .outerjoin(Product, col(Product.customer_id) == BillingAccount.customer_id)
        .where(col(BillingAccount.customer_id) == bindparam("customer_id"))
        .order_by(col(Product.product_no))
    )
