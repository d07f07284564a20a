"""The card of what is late, clicked through as an agent, a reader and the customer himself; and a dispute in the drawer of its bill."""

from datetime import date
from html import unescape

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM
from core.models.billing_account import BillingAccount, DunningState, HoldReason
from core.models.customer import Customer
from core.models.dunning import BillDispute, PaymentDeclaration
from core.models.payment import PaymentPlan, PlanState
from core.models.product import Product, ProductStatus
from core.services import dunning, payment_plans
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import click, customer, has, open_tab, texts

TODAY = date(2026, 11, 18)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """P05's story under another number: three bills late, suspended on 10 November by the follow-up."""
    with new_demo() as session:
        found = customer(session, 8, 9, 10, 11)
        dunning.catch_up(session, SYSTEM, customer_ids=[found.id], until=TODAY)


def state() -> tuple[DunningState, set[ProductStatus]]:
    with db.reading() as session:
        account = session.exec(select(BillingAccount)).one()
        return account.dunning_state, {row.status for row in session.exec(select(Product))}


def propose(parts: int = 3) -> None:
    with db.transaction() as session:
        customer_id, shown = session.exec(select(Customer.id)).one(), session.exec(select(PaymentPlan.id)).first()
        payment_plans.propose_plan(session, SYSTEM, customer_id=customer_id, shown_plan=shown, parts=parts)


class TestLadder:
    def test_tells_what_came_what_comes_and_what_it_costs(self) -> None:
        told = unescape(texts(open_tab("viewer")))
        for words in (
            "126,00 € en retard, le plus ancien depuis le 20/08",
            "Services suspendus depuis le 10/11 ; le 112 reste joignable.",
            "Le 20/11 serait l'échéance manquée n° 4 de l'année : rappel de 7,50 € au plus.",
            "gratuit · payable sans frais jusqu'au 08/09/2026",
            "si rien n'est payé · 7,50 € sur la prochaine facture",
            "la loi permettrait 20,00 € au plus ; nous ne le demandons pas",
        ):
            assert words in told

    def test_offers_a_reader_nothing(self) -> None:
        propose()
        screen = open_tab("viewer")
        for key in ("plan:propose", "plan:accept", "plan:withdraw", "hold", "declare"):
            assert not has(screen, f"bills:{key}")

    def test_is_short_on_the_first_page(self) -> None:
        propose()
        screen = open_tab("agent")
        screen.switch_page("../pages/home.py").run()
        assert not screen.exception
        assert "Plan de paiement proposé le 18/11 : **3 × 56,00 €** (02/12, 02/01, 02/02)" in texts(screen)
        assert not has(screen, "bills:plan:accept")


class TestPlan:
    def test_is_previewed_proposed_and_taken_back(self) -> None:
        screen = open_tab()
        screen.selectbox(key="bills:plan:parts").set_value(4).run()
        assert "**4 × 42,00 €** (02/12, 02/01, 02/02, 02/03)" in texts(screen)
        screen = click(screen, "bills:plan:propose")
        assert "Le plan est proposé." in texts(screen)
        click(screen, "bills:plan:withdraw")
        with db.reading() as session:
            assert session.exec(select(PaymentPlan)).one().state is PlanState.WITHDRAWN

    def test_accepted_by_an_agent_brings_services_back_and_stands_on_the_bills(self) -> None:
        propose()
        screen = click(open_tab(), "bills:plan:accept")
        assert state() == (DunningState.NONE, {ProductStatus.ACTIVE})
        told = texts(screen)
        assert "Le plan est en cours. La première part est due le 02/12/2026." in told
        assert "en retard, le plus ancien" not in told
        assert told.count("à payer en plusieurs fois, selon le plan de paiement") == 4
        assert "Aucune étape ne suit tant que le plan de paiement est respecté." in told

    def test_what_is_paid_by_transfer_is_its_next_part(self) -> None:
        propose()
        screen = click(open_tab(), "bills:plan:accept")
        told = texts(screen)
        assert "56,00 €" in told.split("Communication", 1)[1].split("QR", 1)[0]
        assert "02/12/2026" in told.split("Communication", 1)[1].split("QR", 1)[0]
        screen.switch_page("../pages/home.py").run()
        assert "0,00 € payés, restent 168,00 €. Ensuite : 56,00 € pour le 02/12/2026." in texts(screen)
        assert "part de 56,00 € pour le 02/12" in "".join(link.proto.label for link in screen.get("page_link")).replace(
            "\N{NO-BREAK SPACE}", " "
        )

    def test_once_broken_the_bills_say_which_part_was_missed_and_what_is_left(self) -> None:
        propose()
        click(open_tab(), "bills:plan:accept")
        with db.transaction() as session, clock.standing(clock.at(date(2026, 12, 7), 6)):
            payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7))
        told = texts(open_tab())
        assert "Le plan de paiement a été rompu le 07/12/2026 : de la part du 02/12/2026, 56,00 € ne sont pas arrivés." in told
        assert "Ce qui reste du plan, 168,00 €, est à payer tout de suite." in told

    def test_an_agent_who_saw_an_old_proposal_is_told(self) -> None:
        propose()
        screen = open_tab()
        propose(5)
        assert "Modifié par system" in texts(click(screen, "bills:plan:accept"))
        assert state()[1] == {ProductStatus.SUSPENDED}


class TestHold:
    def test_is_set_with_its_end_and_ended(self) -> None:
        screen = open_tab()
        screen.date_input(key="bills:hold:until").set_value(date(2027, 2, 15))
        screen = click(screen, "bills:hold")
        assert "En pause jusqu'au 15/02/2027 : Le médiateur a pris le dossier." in texts(screen)
        with db.reading() as session:
            account = session.exec(select(BillingAccount)).one()
            assert (account.dunning_hold_reason, account.dunning_hold_since) == (HoldReason.OMBUDSMAN, TODAY)
        assert "le suivi reprend où il en était" in texts(click(screen, "bills:release"))

    def test_of_more_than_four_months_is_refused_with_the_last_day(self) -> None:
        screen = open_tab()
        screen.date_input(key="bills:hold:until").set_value(date(2027, 6, 1))
        assert "le 18/03/2027 au plus tard" in texts(click(screen, "bills:hold"))


class TestDeclare:
    def test_brings_services_back_once_proven(self) -> None:
        screen = click(open_tab(), "bills:declare")
        assert "Dites ce qui prouve le paiement" in texts(screen)
        screen.text_input(key="bills:declare:proof").input("Extrait du 17/11")
        screen = click(screen, "bills:declare")
        assert "L'argent est attendu jusqu'au 25/11/2026." in texts(screen)
        assert state() == (DunningState.NONE, {ProductStatus.ACTIVE})
        assert not has(screen, "bills:declare")
        with db.reading() as session:
            assert session.exec(select(PaymentDeclaration)).one().proof == "Extrait du 17/11"


def _section(bill_no: str) -> None:
    """The script of the section, open."""
    from core.actor import Permission
    from core.db import reading
    from core.services import bills
    from core.ui import dispute_section, gate

    visit = gate.visit(Permission.BILL_READ)
    with reading() as session:
        rows = bills.of_customer(session, visit.actor, customer_id=visit.customer.id)
    dispute_section.show(visit, next(row for row in rows if row.bill_no == bill_no))


def drawer(bill_no: str, who: str = "agent") -> AppTest:
    """Run the section of the drawer for somebody who signed in."""
    signed_in = open_tab(who)
    screen = AppTest.from_function(_section, args=(bill_no,), default_timeout=60)
    screen.session_state["_tab_token"] = signed_in.session_state["_tab_token"]
    screen.query_params["customer"] = "10000017"
    screen.run()
    assert not screen.exception
    return screen


class TestDispute:
    def test_is_noted_and_decided_in_the_drawer(self) -> None:
        screen = click(drawer("2608000017"), "bills:dispute:2608000017")
        assert "Dites en quelques mots ce que le client conteste." in texts(screen)
        screen.text_input(key="bills:dispute:reason:2608000017").input("Pas de <b>service</b> en août")
        screen = click(screen, "bills:dispute:2608000017")
        told = texts(screen)
        assert "Noté : ce montant n'est pas réclamé" in told
        assert "Pas de &lt;b&gt;service" in told
        click(screen, "bills:dispute:decide:2608000017")
        with db.reading() as session:
            row = session.exec(select(BillDispute).order_by(col(BillDispute.id))).one()
            assert (row.disputed_cents, row.until) == (4200, clock.today())

    def test_is_read_by_who_may_not_write_it(self) -> None:
        assert not has(drawer("2608000017", "viewer"), "bills:dispute:2608000017")
        click(open_tab(), "bills:details:2608000017")
