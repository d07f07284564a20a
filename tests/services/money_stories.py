"""Customers with bills, as the tests of money need them."""

from datetime import date
from typing import Any

from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.models.billing_account import BillModel
from core.models.customer import Customer, CustomerKind
from core.models.mandate import Mandate, MandateState
from core.models.usage import Tariff, UsageKind
from core.services import billing_facts, bills, mandates, payments, usage
from core.services.billing import Account, Coverage, preview
from core.services.usage import NewEvent
from tests.builders import make_customer, make_product

NOVEMBER = date(2026, 11, 5)
DECEMBER = date(2026, 12, 5)
OCTOBER = Coverage(date(2026, 10, 5), date(2026, 11, 1))


def family(session: Session) -> Customer:
    """P01: five products, the bill of November, 1,240 MB above the bundle and three premium messages since."""
    customer = make_customer(session)
    trio = make_product(session, customer, "TRIO", line="+3281000001")
    make_product(session, customer, "TV_DECODER_EXTRA", parent_id=trio.id)
    make_product(session, customer, "RED", line="+32470000001", user_name="Sophie")
    make_product(session, customer, "HOT", line="+32470000011", user_name="Amadou")
    noa = make_product(session, customer, "RED", line="+32470000012", user_name="Noa", is_minor=True)
    bill(session, customer, NOVEMBER, bill_no="2611000017")
    over = NewEvent(customer.id, noa.id, clock.at(date(2026, 11, 14), 18), 1, UsageKind.DATA, 3_240_000, over_quantity=1_240_000,
                    charged_cents=6200, tariff=Tariff.OVER)  # fmt: skip
    texts = [
        NewEvent(customer.id, noa.id, clock.at(date(2026, 11, 15), 10 + number), number, UsageKind.PREMIUM, 1, other_party="6123",
                 tariff=Tariff.THIRD_PARTY, charged_cents=200)
        for number in (2, 3, 4)
    ]  # fmt: skip
    usage.record(session, SYSTEM, events=[over, *texts])
    return customer


def bill(session: Session, customer: Customer, day: date, previous: Coverage | None = None, **given: Any) -> bills.Issued:
    """The bill of a day for all that the customer holds, issued that morning."""
    held = billing_facts.of_customer(session, customer.id).held
    business = customer.kind is CustomerKind.ORGANIZATION
    account = given.pop("account", Account(business=business))
    before = previous or Coverage(clock.add_months(day, -1), clock.month_start(day))
    draft = preview(account=account, held=held, bill_date=day, previous=before)
    with clock.standing(clock.at(day, 6)):
        return bills.issue(session, SYSTEM, customer_id=customer.id, draft=draft, **given)


def legacy(session: Session) -> Customer:
    """P09: day 20, moves to the current model on 1 December; the bill of 20 October is the last one."""
    customer = make_customer(session, bill_model=BillModel.LEGACY, cycle_day=20, migrate_on=date(2026, 12, 1))
    make_product(session, customer, "RED", line="+32470000009")
    account = Account(BillModel.LEGACY, 20, date(2026, 12, 1))
    bill(session, customer, date(2026, 10, 20), Coverage(date(2026, 9, 20), date(2026, 10, 20)), account=account)
    return customer


def mandate(session: Session, customer: Customer, signed_on: date = date(2024, 10, 1), iban: str = "BE46539000000636") -> Mandate:
    """A mandate that runs since a day."""
    row = Mandate(
        customer_id=customer.id, umr=f"SCA{customer.customer_no}01", state=MandateState.PENDING_SIGNATURE, holder=customer.name, iban=iban,
        requested_at=clock.at(signed_on, 9),
    )  # fmt: skip
    session.add(row)
    session.flush()
    mandates.activate(session, SYSTEM, mandate=row, customer=customer, signed_on=signed_on, tell=False)
    return row


def trio(session: Session, *months: int) -> Customer:
    """P05: a Trio with the bills of some months."""
    customer = make_customer(session)
    make_product(session, customer, "TRIO")
    for month in months:
        bill(session, customer, date(2026, month, 5), bill_no=f"26{month:02d}000055")
    return customer


def paid(session: Session, day: date, amount_cents: int, **given: Any) -> int:
    """Money that came in on a day, written down on it."""
    with clock.standing(clock.at(day, 9)):
        return payments.record(session, SYSTEM, received_on=day, amount_cents=amount_cents, **given)
