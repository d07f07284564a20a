"""The drawer of one bill, opened by an agent and by a customer."""

from datetime import date

import pytest
from sqlmodel import Session, func, select
from streamlit.testing.v1 import AppTest

from core import db
from core.models.bill import Bill
from core.models.billing_account import BillMedia
from core.models.customer import CustomerKind
from core.models.e_invoice import EInvoice
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import click, has, open_tab, texts
from tests.services import money_stories

NUMBER = "2611000017"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    with new_demo():
        pass


def opened(who: str = "agent", *, business: bool = False) -> AppTest:
    facts = {
        "kind": CustomerKind.ORGANIZATION,
        "trading_name": "Boulangerie Martin SRL",
        "enterprise_no": "0999999031",
        "media": BillMedia.PEPPOL,
    }
    with db.transaction() as session:
        customer = make_customer(session, customer_no="10000017", **(facts if business else {}))
        make_product(session, customer, "LOCO")
        make_product(session, customer, "RED", user_name="Noa")
        money_stories.bill(session, customer, date(2026, 11, 5), bill_no=NUMBER)
    return click(open_tab(who), f"bills:details:{NUMBER}")


def test_tells_the_lines_and_their_total() -> None:
    shown = texts(opened())
    for part in ("Internet Loco", "Mobile Red, Noa", "32,00 €", "8,00 €", "40,00 €", "20/11/2026"):
        assert part in shown


def test_a_consumer_has_no_e_invoice() -> None:
    assert not has(opened(), f"bills:einvoice:{NUMBER}")


def test_an_e_invoice_is_sent_again_and_nothing_is_billed_twice() -> None:
    screen = opened(business=True)
    assert "0208:0999999031" in texts(screen)
    click(screen, f"bills:einvoice:{NUMBER}")
    with Session(db.engine()) as session:
        assert sorted(session.exec(select(EInvoice.attempt))) == [1, 2]
        assert session.exec(select(func.count()).select_from(Bill)).one() == 1


@pytest.mark.parametrize("who", ["viewer", "product"])
def test_who_only_reads_sends_nothing(who: str) -> None:
    assert not has(opened(who, business=True), f"bills:einvoice:{NUMBER}")
