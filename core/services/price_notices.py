"""Who holds what will cost more is told apart from any bill, a month ahead, and may leave free of charge for three months (R19)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue, law
from core.models.customer import Customer, CustomerStatus
from core.models.price_notice import PriceNotice
from core.models.product import Product, ProductStatus
from core.services import audit, communications

log = logging.getLogger("guichet")

_HELD = (ProductStatus.ACTIVE, ProductStatus.SUSPENDED)


@dataclass(frozen=True)
class Rise:
    """A price that goes up on a day; cents, VAT included."""

    offering: Offering
    since: date
    before_cents: int
    after_cents: int


def rises(day: date) -> Iterator[Rise]:
    """Return the prices of the catalogue that go up after a day. What gets cheaper, or happens to be new, needs no notice."""
    for offering in catalogue().offerings.values():
        if offering.one_shot:
            continue  # Nobody holds it beyond the period he bought it in.
        for price in offering.prices[1:]:
            before = offering.price_cents(price.since - timedelta(days=1))
            if price.since > day and price.incl_cents > before:
                yield Rise(offering, price.since, before, price.incl_cents)


def send_due(session: Session, actor: Actor, day: date) -> int:
    """Tell everybody who holds something of a rise to come, once; return how many messages went out.

    A rise that the catalogue tells of less than a month ahead is told all the same, and named in the log: the law asks for more.
    """
    actor.require(Permission.JOB_RUN)
    told = 0
    for rise in rises(day):
        if rise.since < clock.add_months(day, law("price_notice_months")):
            log.warning("%s rises on %s: that is less than %s month ahead", rise.offering.code, rise.since, law("price_notice_months"))
        for customer in session.execute(_untold(rise)).scalars().all():
            _tell(session, actor, customer, rise, day)
            told += 1
    return told


def _tell(session: Session, actor: Actor, customer: Customer, rise: Rise, day: date) -> None:
    session.add(
        PriceNotice(
            customer_id=customer.id, offering_code=rise.offering.code, since=rise.since, sent_on=day, before_cents=rise.before_cents,
            after_cents=rise.after_cents,
        )
    )  # fmt: skip
    params = {
        "what": rise.offering.name(customer.language.value),
        "since": rise.since,
        "before_cents": rise.before_cents,
        "after_cents": rise.after_cents,
        "free_until": clock.add_months(day, law("price_free_exit_months")),
    }
    communications.send(session, actor, customer_id=customer.id, template="price_change", params=params)
    after = {"code": rise.offering.code, "since": rise.since, "after_cents": rise.after_cents}
    audit.record(session, actor, action="price:notice", object_type="customer", object_id=customer.id, customer_id=customer.id, after=after)


def _untold(rise: Rise):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a select
    holds = select(col(Product.customer_id)).where(
        col(Product.offering_code) == rise.offering.code,
        col(Product.status).in_(_HELD),
        or_(col(Product.until).is_(None), col(Product.until) > rise.since),
    )
    known = select(col(PriceNotice.customer_id)).where(
        col(PriceNotice.offering_code) == rise.offering.code, col(PriceNotice.since) == rise.since
    )
    return (
        select(Customer)
        .where(col(Customer.id).in_(holds), col(Customer.id).not_in(known), col(Customer.status) != CustomerStatus.CLOSED)
        .order_by(col(Customer.id))
        .with_for_update()
    )
