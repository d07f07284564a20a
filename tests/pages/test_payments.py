"""The page of payments, and payments in a customer's file, clicked through as an agent, a senior and the billing team."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import db
from core.actor import SYSTEM
from core.bank.statement import Entry
from core.models.audit import AuditEntry
from core.models.bill import Bill
from core.models.customer import Customer
from core.models.payment import Payment, PaymentState
from core.models.statement import BankStatement
from core.services import payments
from tests.bank.writers import DAY, coda
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.services import money_stories

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
TYPED = "+++261/1000/05553+++"
"""The communication of bill 2611000055 with one wrong digit."""


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day, with Kevin Dubois and his bills of October and November, on a database of its own."""
    with new_demo() as session:
        kevin = make_customer(session, customer_no="10000055", given_name="Kevin", family_name="Dubois", search_name="kevin dubois")
        make_product(session, kevin, "TRIO")
        for month in (10, 11):
            money_stories.bill(session, kevin, date(2026, month, 5), bill_no=f"26{month}000055")


def waits(cents: int = 4200, text: str = TYPED, payer: str = "DUBOIS KEVIN") -> int:
    with db.transaction() as session:
        return payments.record(session, SYSTEM, received_on=DAY, amount_cents=cents, communication=text, payer_name=payer)


def paid(cents: int, bill_no: str | None = None) -> int:
    with db.transaction() as session:
        customer = session.exec(select(Customer).where(Customer.customer_no == "10000055")).one()
        return payments.record(session, SYSTEM, customer_id=customer.id, bill_no=bill_no, received_on=DAY, amount_cents=cents)


def open_page(who: str = "agent") -> AppTest:
    return _open(who, "../pages/payments.py")


def open_file(who: str = "agent") -> AppTest:
    return _open(who, "../pages/bills.py", customer="10000055")


def _open(who: str, page: str, **query: str) -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    for name, value in query.items():
        screen.query_params[name] = value
    screen.switch_page(page).run()
    assert not screen.exception
    return screen


def _by_hand() -> None:
    """The script of the drawer that records a payment; it closes as the dialog does."""
    import streamlit as st

    from core.actor import Permission
    from core.ui import bill_payments, forms, gate, payment_drawer

    answer = forms.last(bill_payments.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
    else:
        payment_drawer.body(gate.visit(Permission.PAYMENT_RECORD))


def _on_bill(bill_no: str) -> None:
    """The script of what the drawer of a bill tells about payments; it closes as the dialog does."""
    import streamlit as st

    from core.actor import Permission
    from core.db import reading
    from core.services import bills
    from core.ui import bill_payments, forms, gate

    answer = forms.last(bill_payments.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
        return

    visit = gate.visit(Permission.BILL_READ)
    with reading() as session:
        rows = bills.of_customer(session, visit.actor, customer_id=visit.customer.id)
    bill_payments.body(visit, next(row for row in rows if row.bill_no == bill_no))


def drawer(script: Any, *given: str, who: str = "agent") -> AppTest:
    """Run a drawer's body for somebody who signed in."""
    signed_in = open_file(who)
    screen = AppTest.from_function(script, args=given, default_timeout=60)
    screen.session_state["_tab_token"] = signed_in.session_state["_tab_token"]
    screen.query_params["customer"] = "10000055"
    screen.run()
    assert not screen.exception
    return screen


def click(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click().run()
    assert not screen.exception
    return screen


def keys(screen: AppTest) -> set[str]:
    return {str(button.key) for button in screen.button}


def texts(screen: AppTest) -> str:
    kinds = (
        screen.markdown,
        screen.caption,
        screen.subheader,
        screen.success,
        screen.error,
        screen.warning,
        screen.info,
        screen.text,
        screen.get("html"),
    )
    found = "\n".join(str(getattr(element, "value", None) or element.proto.body) for kind in kinds for element in kind)
    return re.sub(r"\\(.)", r"\1", found.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " "))


def rests() -> list[int]:
    with db.reading() as session:
        return list(session.exec(select(Bill.remaining_cents).order_by(col(Bill.bill_no))))


class TestQueue:
    def test_offers_the_bill_that_one_digit_misses_and_says_why(self) -> None:
        payment = waits()
        screen = open_page()
        button = screen.button(key=f"payments:take:{payment}:2611000055")
        assert "un chiffre diffère, le nom ressemble, le même montant" in button.label
        assert TYPED in texts(screen)
        click(screen, f"payments:take:{payment}:2611000055")
        assert rests() == [4200, 0]
        assert "comptés pour Kevin Dubois" in texts(screen)
        assert "Chaque paiement a trouvé sa facture." in texts(screen)

    def test_gives_it_to_whoever_is_searched(self) -> None:
        payment = waits(text="merci", payer="")
        screen = open_page()
        screen.text_input(key=f"payments:find:{payment}").input("2610000055").run()
        click(screen, f"payments:give:{payment}:10000055")
        assert rests() == [0, 4200]

    def test_tells_the_second_clerk(self) -> None:
        payment = waits()
        screen = open_page()
        with db.transaction() as session:
            customer = session.exec(select(Customer)).one()
            payments.match(session, SYSTEM, payment_id=payment, customer_id=customer.id)
        click(screen, f"payments:take:{payment}:2611000055")
        assert "Modifié par system à 10:00" in texts(screen)
        assert rests() == [0, 4200]

    def test_what_a_payer_wrote_is_shown_and_never_obeyed(self) -> None:
        waits(text="<img src=x onerror=alert(1)> **x**", payer="<b>Eve</b>")
        screen = open_page()
        drawn = "".join(element.proto.body for element in screen.get("html"))
        assert "<img src=x" not in drawn
        assert "&lt;img src=x onerror=alert(1)&gt;" in drawn

    def test_an_agent_takes_no_statement_in(self) -> None:
        screen = open_page()
        assert not screen.file_uploader
        assert "Extraits importés" not in texts(screen)

    def test_a_reader_is_let_in_nowhere(self) -> None:
        screen = open_page("viewer")
        assert "Attend sa facture" not in texts(screen)
        assert "bills:payment:add" not in keys(open_file("viewer"))


class TestStatement:
    DATA = coda([Entry(4200, DAY, communication="261100005533", structured=True), Entry(100, DAY, communication="merci"), Entry(-500, DAY)])

    def _uploaded(self, data: bytes) -> AppTest:
        screen = open_page("billing")
        screen.file_uploader[0].upload("CODA231.cod", data, "application/octet-stream").run()
        assert not screen.exception
        return screen

    def test_is_looked_at_first_and_booked_then(self) -> None:
        screen = self._uploaded(self.DATA)
        assert "1 · 42,00 €" in texts(screen)
        assert "3 · 38,00 €" in texts(screen)
        assert rests() == [4200, 4200]
        click(screen, "payments:file:save")
        assert rests() == [4200, 0]
        told = texts(screen)
        assert "Comptabilisé : 1 ont trouvé leur facture (42,00 €), 1 l'attendent (1,00 €)." in told
        assert "n° 231 : de 1 000,00 € à 1 038,00 €, 3 mouvements, 2 comptabilisés · CODA231.cod" in told

    def test_a_second_time_offers_nothing(self) -> None:
        click(self._uploaded(self.DATA), "payments:file:save")
        screen = self._uploaded(self.DATA)
        assert "Cet extrait a déjà été importé." in texts(screen)
        assert screen.button(key="payments:file:save").disabled

    def test_a_bad_file_is_refused_with_its_line(self) -> None:
        screen = self._uploaded(self.DATA[:700])
        assert "La ligne 6 a 50 caractères au lieu de 128" in texts(screen)
        assert "payments:file:save" not in keys(screen)
        with db.reading() as session:
            assert session.exec(select(BankStatement)).first() is None


class TestByHand:
    def _typed(self, amount: str, comment: str = "Preuve par e-mail") -> AppTest:
        screen = drawer(_by_hand)
        screen.text_input(key="bills:payment:add:amount").input(amount)
        screen.text_input(key="bills:payment:add:comment").input(comment).run()
        assert not screen.exception
        return screen

    def test_shows_what_it_would_do_and_does_it(self) -> None:
        screen = self._typed("50,00")
        drawn = texts(screen)
        assert re.search(r"sur la facture 2610000055.*42,00 €.*sur la facture 2611000055.*8,00 €.*Ouvert après.*34,00 €", drawn, re.DOTALL)
        click(screen, "bills:payment:add:save")
        assert rests() == [0, 3400]
        with db.reading() as session:
            found = session.exec(select(AuditEntry.actor, AuditEntry.reason).where(AuditEntry.action == "payment:record")).one()
        assert found == ("agent", "Preuve par e-mail")

    @pytest.mark.parametrize(
        ("amount", "comment", "told"),
        [("0", "x", "doit dépasser zéro"), ("abc", "x", "une virgule avant les cents"), ("3000", "x", "À la main, 2 500,00 €"), ("42", "", "Ce champ est nécessaire")],
    )  # fmt: skip
    def test_says_what_must_change(self, amount: str, comment: str, told: str) -> None:
        screen = click(self._typed(amount, comment), "bills:payment:add:save")
        assert told in texts(screen)
        assert rests() == [4200, 4200]

    def test_opens_in_the_file(self) -> None:
        screen = click(open_file(), "bills:payment:add")
        assert "bills:payment:add:save" in keys(screen)
        assert "Payé sur cette facture" not in texts(click(open_file(), "bills:details:2610000055"))

    def test_offers_money_that_waits_before_it_is_written_down_twice(self) -> None:
        payment = waits()
        screen = drawer(_by_hand)
        click(screen, f"bills:payment:take:{payment}")
        assert rests() == [4200, 0]


class TestReverse:
    def _opened(self, who: str, bill_no: str = "2610000055") -> AppTest:
        return drawer(_on_bill, bill_no, who=who)

    def test_opens_the_bill_again(self) -> None:
        payment = paid(4200)
        screen = self._opened("senior")
        screen.text_input(key=f"bills:payment:{payment}:comment").input("Autre facture").run()
        click(screen, f"bills:payment:reverse:{payment}")
        assert rests() == [4200, 4200]
        assert "l'argent reste en crédit." in texts(screen)
        assert "42,00 € de paiements antérieurs" in texts(open_file())
        click(self._opened("agent"), f"bills:payment:count:{payment}")
        assert rests() == [0, 4200]

    def test_lets_it_wait_for_somebody_else(self) -> None:
        payment = paid(4200)
        screen = self._opened("senior")
        screen.radio(key=f"bills:payment:{payment}:way").set_value("queue")
        screen.text_input(key=f"bills:payment:{payment}:comment").input("Autre client").run()
        click(screen, f"bills:payment:reverse:{payment}")
        with db.reading() as session:
            assert session.exec(select(Payment.amount_cents).where(Payment.state == PaymentState.UNMATCHED)).all() == [4200]

    def test_asks_why(self) -> None:
        payment = paid(4200)
        screen = click(self._opened("senior"), f"bills:payment:reverse:{payment}")
        assert "Ce champ est nécessaire" in texts(screen)
        assert rests() == [0, 4200]

    def test_an_agent_sees_it_and_takes_nothing_back(self) -> None:
        payment = paid(4200)
        screen = self._opened("agent")
        assert "17/11/2026 · 42,00 € · par virement" in texts(screen)
        assert f"bills:payment:reverse:{payment}" not in keys(screen)
