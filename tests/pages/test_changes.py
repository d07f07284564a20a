"""The history in its drawer, in words; and a change that is taken back."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import db
from core.actor import Actor, Role
from core.models.customer import Language
from core.services import caps, contacts, customers
from core.settings import ROOT
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.services.test_orders import paid_november

SHELL = ROOT / "core" / "shell.py"
COLLEAGUE = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day: a colleague changed phone, language and a cap of a customer."""
    with new_demo() as session:
        customer = make_customer(session, customer_no="10000017")
        plan = make_product(session, customer, "RED", product_no="1000001703", line="+32470000001")
        paid_november(session, customer)
        now = contacts.read(session, COLLEAGUE, customer_id=customer.id)
        parts = {name: getattr(now, name) for name in ("street", "number", "box", "postcode", "town")}
        given: dict[str, Any] = {
            "customer_id": customer.id,
            "shown_version": now.version,
            "email": now.email or "",
            "language": Language.DE,
        } | parts
        contacts.change(session, COLLEAGUE, phone="0470 00 00 99", **given)
        caps.set_cap(session, COLLEAGUE, customer_id=customer.id, product_no=plan.product_no, shown_version=plan.version, cap_cents=500)


def opened(tab: str, who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page(f"../pages/{tab}.py").run()
    assert not screen.exception
    return screen


def html(screen: AppTest) -> str:
    return " ".join(str(one.proto.body) for one in screen.get("html"))


def entry_of(screen: AppTest) -> str:
    return next(str(one.key) for one in screen.button if str(one.key).startswith("changes:revert:"))


class TestHistory:
    def test_tells_old_and_new_in_the_words_of_the_reader(self) -> None:
        screen = opened("account")
        screen.button(key="changes:customer").click().run()
        assert not screen.exception
        told = html(screen)
        for word in ("Coordonnées modifiées", "Claire Martin", "0470 00 00 01", "0470 00 00 99", "Français", "Deutsch", "Avant", "Après"):
            assert word in told, word

    def test_takes_a_change_back(self) -> None:
        screen = opened("account")
        screen.button(key="changes:customer").click().run()
        screen.button(key=entry_of(screen)).click().run()
        assert not screen.exception
        with db.reading() as session:
            head = customers.head(session, COLLEAGUE, customer_no="10000017")
        assert (head.phone, head.language) == ("+32470000001", Language.FR)

    def test_offers_no_way_back_to_who_may_not_change_it(self) -> None:
        screen = opened("account", "billing")
        screen.button(key="changes:customer").click().run()
        assert "Coordonnées modifiées" in html(screen)
        assert not [one for one in screen.button if str(one.key).startswith("changes:revert:")]

    def test_stands_in_the_settings_of_a_line_and_in_a_bill(self) -> None:
        screen = opened("home")
        screen.button(key="home:settings:1000001703").click().run()
        assert not screen.exception
        assert "Plafond modifié" in html(screen)
        screen = opened("bills")
        screen.button(key="changes:account").click().run()
        assert not screen.exception

    @pytest.mark.parametrize("who", ["p01", "viewer"])
    @pytest.mark.parametrize("tab", ["account", "bills", "appointments"])
    def test_is_not_for_customers_nor_for_who_only_reads(self, tab: str, who: str) -> None:
        assert not [one for one in opened(tab, who).button if str(one.key).startswith("changes:")]


class TestFlags:
    def test_a_team_lead_marks_a_file_and_the_trail_keeps_it(self) -> None:
        screen = opened("account", "senior")
        screen.button(key="account:flags").click().run()
        screen.checkbox(key="account:flag:vip").check()
        screen.button(key="account:flag:save").click().run()
        assert not screen.exception
        with db.reading() as session:
            assert customers.head(session, COLLEAGUE, customer_no="10000017").vip

    def test_is_not_offered_to_an_agent(self) -> None:
        assert not [one for one in opened("account").button if one.key == "account:flags"]
