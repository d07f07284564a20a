"""What a customer holds: plans with their options, what they cost, and how a change gets hold of one."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue
from core.db import once
from core.errors import NotFound
from core.models.customer import Customer
from core.models.product import Product, ProductStatus
from core.services import audit, billing, holdings
from core.services.holdings import Holding

GONE = (ProductStatus.TERMINATED, ProductStatus.CANCELLED)


@dataclass(frozen=True)
class Held(Holding):
    """A plan or an option that runs; `price_cents` is today's price as its reader sees it: with VAT, for a business without."""

    price_cents: int
    vat_included: bool
    options: tuple["Held", ...] = field(default=())

    @property
    def offering(self) -> Offering:
        """What it is, by the catalogue."""
        return catalogue()[self.code]

    @property
    def stays(self) -> bool:
        """Whether it is paid every month, and nobody ended it."""
        return self.until is None and not self.offering.one_shot

    def count(self, code: str) -> int:
        """How many of an option run under this plan."""
        return sum(option.code == code for option in self.options)


def held(session: Session, actor: Actor, *, customer_id: int) -> tuple[Held, ...]:
    """Return the plans that run, each with its options, in the order of their numbers; what ended, or begins later, is left out."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    return once(session, ("held", customer_id), lambda: _nest(_running(session, customer_id)))


def of_product_no(session: Session, actor: Actor, *, customer_id: int, product_no: str) -> Held:
    """Return one running plan with its options. Raises NotFound for an option, an ended plan, or another customer's."""
    for plan in held(session, actor, customer_id=customer_id):
        if plan.product_no == product_no:
            return plan
    raise NotFound


def month_cents(plans: Iterable[Held]) -> int:
    """Return what plans and options cost together in a whole month; one-shots and what is ending don't count."""
    return sum(one.price_cents for plan in plans for one in (plan, *plan.options) if one.stays)


def lock(session: Session, *, customer_id: int, product_no: str, shown_version: int) -> Product:
    """Get hold of a plan to change it, its options, alerts or cap: one change of a customer's products happens at a time.

    The plan's version grows with it, so that a second agent who saw the old one is told who was first (S53).
    Raises NotFound or ChangedMeanwhile.
    """
    lock_customer(session, customer_id)
    plan = session.exec(
        select(Product)
        .where(
            Product.customer_id == customer_id,
            Product.product_no == product_no,
            col(Product.parent_id).is_(None),
            col(Product.status).not_in(GONE),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if plan is None:
        raise NotFound
    audit.check_version(session, plan, shown_version, "product", plan.id)
    flag_modified(plan, "status")
    return plan


def lock_customer(session: Session, customer_id: int) -> Customer:
    """Wait until nobody else changes this customer's products, and return him. Raises NotFound."""
    customer = session.exec(
        select(Customer).where(Customer.id == customer_id).with_for_update(key_share=True).execution_options(populate_existing=True)
    ).first()
    if customer is None:
        raise NotFound
    return customer


def next_product_no(session: Session, customer: Customer) -> str:
    """Return the next free number: the customer's, and a counter. The customer must be locked."""
    numbers = session.exec(select(Product.product_no).where(Product.customer_id == customer.id))
    last = max((int(number.removeprefix(customer.customer_no)) for number in numbers), default=0)
    return f"{customer.customer_no}{last + 1:02d}"


def _running(session: Session, customer_id: int) -> list[Held]:
    found, today = holdings.of_customer(session, customer_id), clock.today()
    return [
        _held(one, today, business=found.account.business)
        for one in found.products
        if one.status not in GONE and (one.until is None or one.until > today) and (one.since <= today or one.parent_id is not None)
    ]


def _held(one: Holding, today: date, *, business: bool) -> Held:
    return Held(**vars(one), price_cents=billing.price_cents(one.code, today, business=business), vat_included=not business)


def _nest(rows: list[Held]) -> tuple[Held, ...]:
    return tuple(replace(plan, options=tuple(row for row in rows if row.parent_id == plan.id)) for plan in rows if plan.parent_id is None)
