"""Credits and refunds, clicked: within the limit, above it with a colleague, seen by nobody else."""

import re
from datetime import date

import pytest
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import db
from core.actor import SYSTEM
from core.models.approval import Approval, ApprovalState
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer
from core.models.payment import Payment, Refund, RefundState
from core.services import bills, payments
from core.services.bill_words import CreditReason
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import click, has, open_tab, texts
from tests.services import money_stories

BILL = "2611000017"
PAYER, TYPED = "BE66539000001343", "BE77539000001242"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day, whose only customer got a bill of 84.00: two Trios."""
    with new_demo() as session:
        found = make_customer(session, customer_no="10000017")
        for number in ("1000001701", "1000001702"):
            make_product(session, found, "TRIO", product_no=number)
        money_stories.bill(session, found, date(2026, 11, 5), bill_no=BILL)


def customer(session: Session) -> Customer:
    return session.exec(select(Customer)).one()


def notes() -> list[Bill]:
    with Session(db.engine()) as session:
        return list(session.exec(select(Bill).where(Bill.category == BillCategory.CREDIT_NOTE).order_by(col(Bill.id))))


def _drawer(bill_no: str) -> None:
    """The script of a bill's drawer; it closes as the dialog does."""
    import streamlit as st

    from core.ui import bill_drawer, credit_form, forms, refund_form

    answer = forms.last(credit_form.FORM) or forms.last(refund_form.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
    else:
        bill_drawer._drawer(bill_no)


def drawer(who: str, bill_no: str = BILL) -> AppTest:
    """Run a drawer's body for somebody who signed in: only a browser keeps a dialog open from click to click."""
    screen = AppTest.from_function(_drawer, args=(bill_no,), default_timeout=60)
    screen.session_state["_tab_token"] = open_tab(who).session_state["_tab_token"]
    screen.query_params["customer"] = "10000017"
    screen.run()
    assert not screen.exception
    return screen


def fill(screen: AppTest, comment: str = "Second line was never ordered.", **amounts: float) -> AppTest:
    for ordinal, euros in amounts.items():
        screen.text_input(key=f"bills:credit:amount:{BILL}:{ordinal.lstrip('_')}").set_value(f"{euros:.2f}".replace(".", ","))
    screen.text_input(key="bills:credit:comment").input(comment).run()
    return screen


def ask(who: str = "agent") -> AppTest:
    """Ask for 60.00 as somebody, and return his screen."""
    screen = fill(click(drawer(who), f"bills:credit:{BILL}"), _1=42.0, _2=18.0)
    return click(screen, "bills:credit:save")


def approvals_of(who: str) -> AppTest:
    screen = open_tab(who)
    screen.switch_page("../pages/approvals.py").run()
    assert not screen.exception
    return screen


def waiting() -> str:
    """What the agent reads on the customer's tab of bills about requests."""
    return re.sub(r"\\(.)", r"\1", " ".join(one.value for one in open_tab("agent").info)).replace("\N{NO-BREAK SPACE}", " ")


def request() -> Approval:
    with Session(db.engine()) as session:
        return session.exec(select(Approval).order_by(col(Approval.id).desc())).first()  # type: ignore[return-value]


class TestCredit:
    def test_within_the_limit_is_given_at_once_after_a_preview(self) -> None:
        screen = fill(click(drawer("agent"), f"bills:credit:{BILL}"), _2=16.99)
        assert "14,04 € + 2,95 € de TVA (21 %) = 16,99 €" in texts(screen)
        assert "84,00 € → 67,01 €" in texts(screen)
        assert screen.button(key="bills:credit:save").label == "Créditer"
        screen = click(screen, "bills:credit:save")
        assert "La note de crédit 2611900001 est émise." in texts(screen)
        assert [(note.incl_cents, note.vat_cents, note.credited_by) for note in notes()] == [(1699, 295, "agent")]

    def test_its_comment_is_for_the_house_alone(self) -> None:
        click(fill(click(drawer("agent"), f"bills:credit:{BILL}"), _2=16.99), "bills:credit:save")
        assert "Second line was never ordered." in texts(drawer("billing", "2611900001"))
        assert "Second line was never ordered." not in texts(drawer("viewer", "2611900001"))

    def test_without_a_comment_says_so_at_the_field(self) -> None:
        screen = fill(click(drawer("agent"), f"bills:credit:{BILL}"), "", _2=1.0)
        assert "Ce champ est nécessaire" in texts(click(screen, "bills:credit:save"))
        assert notes() == []

    def test_what_is_no_amount_is_said_beside_its_line_and_nothing_is_credited(self) -> None:
        screen = click(drawer("agent"), f"bills:credit:{BILL}")
        screen.text_input(key=f"bills:credit:amount:{BILL}:1").set_value("12,345").run()
        assert "Écrivez le montant en euros" in texts(screen)
        screen.text_input(key="bills:credit:comment").input("A slip.").run()
        assert "Écrivez le montant en euros" in texts(click(screen, "bills:credit:save"))
        screen.text_input(key=f"bills:credit:amount:{BILL}:1").set_value("0,50").run()
        click(screen, "bills:credit:save")
        assert [note.incl_cents for note in notes()] == [50]

    def test_an_outage_is_made_good_without_vat(self) -> None:
        screen = click(drawer("agent"), f"bills:credit:{BILL}")
        screen.segmented_control(key="bills:credit:what").set_value("amount").run()
        screen.selectbox(key="bills:credit:reason").select(CreditReason.OUTAGE).run()
        screen.date_input(key="bills:credit:day").set_value(date(2026, 11, 12)).run()
        click(fill(screen, _0=10.0), "bills:credit:save")
        (note,) = notes()
        assert (note.incl_cents, note.vat_cents, note.period_since) == (1000, 0, date(2026, 11, 12))

    @pytest.mark.parametrize("who", ["viewer", "product"])
    def test_a_reader_is_offered_nothing(self, who: str) -> None:
        screen = drawer(who)
        assert "Total" in texts(screen)
        assert not has(screen, f"bills:credit:{BILL}")
        assert "Crédit" not in texts(screen)


class TestFourEyes:
    def test_an_agent_asks_for_sixty_and_a_senior_approves(self) -> None:
        screen = ask()
        assert "C'est demandé." in texts(screen)
        assert f"{BILL} · 60,00 € en attente d'approbation, demandé par agent" in waiting()
        assert not has(drawer("agent"), f"bills:credit:{BILL}")
        assert notes() == []
        screen = approvals_of("senior")
        told = texts(screen)
        assert "1 vous attend" in told
        assert "Second line was never ordered." in told
        assert "84,00 € → 24,00 €" in told
        screen = click(screen, f"approvals:approve:{request().id}")
        assert "Approuvé : la note de crédit 26" in texts(screen)
        assert [(note.incl_cents, note.vat_cents) for note in notes()] == [(6000, 1041)]
        assert waiting() == ""

    def test_a_senior_can_not_approve_his_own(self) -> None:
        with db.transaction() as session:
            money_stories.bill(session, customer(session), date(2026, 10, 5), bill_no="2610000017")
        fill_ = fill(click(drawer("senior"), f"bills:credit:{BILL}"), _1=42.0, _2=42.0)
        click(fill_, "bills:credit:save")
        screen = click(drawer("senior", "2610000017"), "bills:credit:2610000017")
        screen.text_input(key="bills:credit:amount:2610000017:1").set_value("16,01")
        screen.text_input(key="bills:credit:comment").input("And October.").run()
        assert screen.button(key="bills:credit:save").label == "Demander l'approbation"
        click(screen, "bills:credit:save")
        number = request().id
        screen = approvals_of("senior")
        assert not has(screen, f"approvals:approve:{number}")
        assert has(screen, f"approvals:withdraw:{number}")
        assert has(approvals_of("billing"), f"approvals:approve:{number}")

    def test_a_refusal_needs_a_note_which_the_agent_reads(self) -> None:
        ask()
        number = request().id
        screen = click(approvals_of("senior"), f"approvals:refuse:{number}")
        assert "Dites pourquoi vous refusez" in texts(screen)
        screen.text_input(key=f"approvals:note:{number}").input("Only 18.00 is wrong.")
        assert "Refusé." in texts(click(screen, f"approvals:refuse:{number}"))
        assert "Only 18.00 is wrong." in texts(approvals_of("agent"))
        assert notes() == []

    def test_an_agent_withdraws_and_asks_again(self) -> None:
        ask()
        screen = approvals_of("agent")
        assert not has(screen, f"approvals:approve:{request().id}")
        click(screen, f"approvals:withdraw:{request().id}")
        assert request().state is ApprovalState.WITHDRAWN
        ask()
        assert request().state is ApprovalState.PENDING

    def test_says_why_it_can_not_be_given_any_more_and_goes_on_waiting(self) -> None:
        ask()
        screen = approvals_of("senior")
        with db.transaction() as session:
            bills.issue_credit_note(
                session, SYSTEM, customer_id=customer(session).id, bill_no=BILL, reason=CreditReason.GOODWILL, incl_cents=3000
            )
        screen = click(screen, f"approvals:approve:{request().id}")
        assert "Il ne reste que 54,00 € à créditer sur cette facture." in texts(screen)
        assert request().state is ApprovalState.PENDING

    def test_a_reader_does_not_enter(self) -> None:
        ask()
        screen = open_tab("viewer")
        screen.switch_page("../pages/approvals.py").run()
        assert "never ordered" not in texts(screen)
        assert [warning.value for warning in screen.warning]


class TestRefund:
    def _credited(self, paid_cents: int = 8400) -> str:
        with db.transaction() as session:
            customer_id = customer(session).id
            payments.record(
                session, SYSTEM, customer_id=customer_id, received_on=date(2026, 11, 12), amount_cents=paid_cents, payer_iban=PAYER
            )
            return bills.issue_credit_note(
                session, SYSTEM, customer_id=customer_id, bill_no=BILL, reason=CreditReason.GOODWILL, incl_cents=1000
            )

    def refund(self) -> Refund:
        with Session(db.engine()) as session:
            return session.exec(select(Refund)).one()

    def test_goes_to_a_known_account_which_stays_masked(self) -> None:
        note = self._credited()
        screen = drawer("senior", note)
        assert screen.selectbox(key=f"bills:refund:account:{note}").options == [
            "BE66 •••• •••• 1343 · paiement du 12/11/2026", "un autre compte",
        ]  # fmt: skip
        assert "le remboursement est demandé à la banque" in texts(click(screen, f"bills:refund:{note}"))
        assert (self.refund().iban, self.refund().amount_cents) == (PAYER, 1000)

    def test_goes_to_a_typed_account_once_a_colleague_agrees(self) -> None:
        note = self._credited()
        screen = drawer("senior", note)
        screen.selectbox(key=f"bills:refund:account:{note}").select_index(1).run()
        screen.text_input(key=f"bills:refund:iban:{note}").input(TYPED)
        screen.text_input(key=f"bills:refund:comment:{note}").input("Bank card shown in the shop.")
        click(screen, f"bills:refund:{note}")
        screen = approvals_of("billing")
        assert "BE77 5390 0000 1242" in texts(screen)
        click(screen, f"approvals:approve:{request().id}")
        assert (self.refund().iban, self.refund().state) == (TYPED, RefundState.REQUESTED)

    def test_what_was_paid_too_much_goes_back_from_the_page(self) -> None:
        self._credited(9000)
        screen = open_tab("billing")
        assert "6,00 € du paiement du 12/11/2026 (90,00 €)" in texts(screen)
        with Session(db.engine()) as session:
            number = session.exec(select(Payment.id)).one()
        screen = click(screen, f"bills:refund:payment-{number}")
        screen = click(screen, f"bills:refund:rejected:{self.refund().id}")
        assert "Le crédit est rétabli" in texts(screen)
        assert self.refund().state is RefundState.REJECTED

    def test_an_agent_sees_it_and_pays_nothing_back(self) -> None:
        note = self._credited(9000)
        assert not has(drawer("agent", note), f"bills:refund:{note}")
        assert "Payé en trop" not in texts(open_tab("agent"))
