"""Makes a customer with what he holds, as a story or the generator tells him."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.models.billing_account import BillingAccount, BillMedia, BillModel
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, Language
from core.models.product import Product
from core.services import audit
from core.text_rules import fold

Facts = Mapping[str, Any]


def open_file(session: Session, customer: Facts, billing: Facts) -> Customer:
    """Write a customer, the ways to reach him and how he is billed, on the day he came."""
    since: date = customer["since"]
    with clock.standing(clock.at(since, 9)):
        names = [customer.get("given_name"), customer.get("family_name"), customer.get("trading_name"), customer.get("second_holder")]
        row = Customer(
            customer_no=customer["customer_no"],
            kind=CustomerKind.ORGANIZATION if customer.get("trading_name") else CustomerKind.INDIVIDUAL,
            given_name=customer.get("given_name"),
            family_name=customer.get("family_name"),
            trading_name=customer.get("trading_name"),
            enterprise_no=customer.get("enterprise_no"),
            second_holder=customer.get("second_holder"),
            birth_date=customer.get("birth_date"),
            language=Language(customer["language"]),
            status_since=since,
            withdrawal_until=customer.get("withdrawal_until"),
            mailbox_until=customer.get("mailbox_until"),
            vip=customer.get("vip", False),
            colleague=customer.get("colleague", False),
            search_name=fold(" ".join(name for name in names if name)),
            created_at=clock.now(),
        )
        session.add(row)
        session.flush()
        session.add_all(_media(row.id, customer))
        session.add(
            BillingAccount(
                customer_id=row.id,
                bill_model=BillModel(billing.get("model", "current")),
                cycle_day=billing.get("cycle_day", 1),
                migrate_on=billing.get("migrate_on"),
                media=BillMedia(billing.get("media", "pdf")),
                payment_due_days=billing.get("due_days", 15),
                order_reference=billing.get("order_reference"),
                peppol_id=billing.get("peppol_id"),
                easy_switch_id=f"ES{row.customer_no}{int(row.customer_no) % 97:02d}",
            )
        )
        audit.record(session, SYSTEM, action="customer:create", object_type="customer", object_id=row.id, customer_id=row.id)
        session.flush()
    return row


def _media(customer_id: int, customer: Facts) -> list[ContactMedium]:
    now = clock.now()
    found = [ContactMedium(customer_id=customer_id, kind=ContactKind.ADDRESS, country="BE", since_at=now, **customer["address"])]
    if customer.get("email"):
        found.append(ContactMedium(customer_id=customer_id, kind=ContactKind.EMAIL, value=customer["email"], since_at=now, verified_at=now))
    if customer.get("phone"):
        found.append(ContactMedium(customer_id=customer_id, kind=ContactKind.PHONE, value=customer["phone"], since_at=now))
    return found


def give(session: Session, customer: Customer, products: list[Facts]) -> dict[str, Product]:
    """Write what a customer holds, by product number; an option names its plan in `under`, and what ended since is ended by its story."""
    found: dict[str, Product] = {}
    for facts in products:
        row = Product(
            customer_id=customer.id,
            product_no=facts["number"],
            offering_code=facts["offering"],
            parent_id=found[facts["under"]].id if facts.get("under") else None,
            since=facts["since"],
            line=facts.get("line"),
            user_name=facts.get("user"),
            is_minor=facts.get("minor", False),
            provisioned_at=clock.at(facts["since"], 12),
        )
        session.add(row)
        session.flush()
        found[row.product_no] = row
    return found
