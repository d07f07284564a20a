"""Builders: the least that a test must say to have a customer, a product, a bill."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from sqlmodel import Session

from core.actor import Actor, Role
from core.models.billing_account import BillingAccount
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.product import Product
from core.services import products

_numbers = count(1)
SINCE = datetime(2024, 1, 1, tzinfo=UTC)

AGENT = Actor(user_id=None, username="agent", role=Role.AGENT)
VIEWER = Actor(user_id=None, username="viewer", role=Role.VIEWER)


def self_of(customer: Customer) -> Actor:
    """Return the customer himself, signed in."""
    return Actor(user_id=None, username=f"c{customer.customer_no}", role=Role.CUSTOMER, customer_id=customer.id)


def make_customer(session: Session, **given: Any) -> Customer:
    """A customer in Namur with an address, an e-mail, a phone and a billing account."""
    account = {name: given.pop(name) for name in ("bill_model", "cycle_day", "media", "payment_method", "migrate_on") if name in given}
    number = next(_numbers)
    facts: dict[str, Any] = {
        "given_name": "Sophie",
        "family_name": "Lambert",
        "customer_no": f"{20000000 + number}",
        "status_since": date(2024, 1, 1),
    } | given
    defaults: dict[str, Any] = {"search_name": "sophie lambert", "created_at": SINCE}
    customer = Customer(**(defaults | facts))
    session.add(customer)
    session.flush()
    session.add(BillingAccount(customer_id=customer.id, easy_switch_id=f"ES{customer.customer_no}", **account))
    session.add(
        ContactMedium(customer_id=customer.id, kind=ContactKind.EMAIL, value="sophie@example.be", since_at=SINCE, verified_at=SINCE)
    )
    session.add(ContactMedium(customer_id=customer.id, kind=ContactKind.PHONE, value="+32470000001", since_at=SINCE))
    session.add(
        ContactMedium(
            customer_id=customer.id, kind=ContactKind.ADDRESS, street="Rue de Fer", number="12", postcode="5000", town="Namur", country="BE",
            since_at=SINCE,
        )
    )  # fmt: skip
    session.flush()
    return customer


def make_product(session: Session, customer: Customer, offering: str = "RED", **given: Any) -> Product:
    """A product that runs since the start of 2024."""
    product_no = products.next_product_no(session, customer)
    facts: dict[str, Any] = {"product_no": product_no, "since": date(2024, 1, 1)} | given
    product = Product(customer_id=customer.id, offering_code=offering, **facts)
    session.add(product)
    session.flush()
    return product
