"""The page of direct debits, and a customer's own collections, clicked through."""

from datetime import date

import pytest
from sqlmodel import Session, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM
from core.models.audit import DemoClock
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState
from core.models.customer import Customer
from core.models.mandate import Mandate, MandateState
from core.services import bills, collection_runs
from tests.bank.answers import camt, pain_of_a_file
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import FIRST_DAY
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import SHELL, click, has, texts
from tests.services import money_stories

NAME = "*Ana* <b>Łuk</b>"
DUE, EVE = date(2026, 11, 23), date(2026, 11, 20)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one bill that is to be collected on Monday the 23rd."""
    with new_demo() as session:
        customer = make_customer(session, customer_no="10000017", given_name=NAME)
        make_product(session, customer, "RED")
        money_stories.mandate(session, customer)
        money_stories.bill(session, customer, date(2026, 11, 12), bill_no="2611000017")


def open_page(who: str = "billing", page: str = "collections") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page(f"../pages/{page}.py").run()
    assert not screen.exception
    return screen


def pass_days(until: date) -> None:
    """Let the days pass until one, with their work."""
    with db.transaction() as session:
        for number in range((until - FIRST_DAY.date()).days + 1):
            day = date.fromordinal(FIRST_DAY.date().toordinal() + number)
            with clock.standing(clock.at(day, 6)):
                collection_runs.make_due(session, SYSTEM, day)
                collection_runs.settle_due(session, SYSTEM, day)
        session.get_one(DemoClock, 1).moment = clock.at(until, 10)


def rows() -> list[Collection]:
    with Session(db.engine()) as session:
        return list(session.exec(select(Collection)))


class TestPage:
    def test_an_agent_does_not_get_in(self) -> None:
        assert not has(open_page("agent"), "collections:make:2026-11-23")

    def test_shows_the_day_and_makes_its_file(self) -> None:
        screen = open_page()
        assert "1 prélèvement · FRST 1" in texts(screen)
        assert "La banque prend le fichier jusqu'au 20/11/2026" in texts(screen).replace("&#x27;", "'")
        assert "&lt;b&gt;" in texts(screen)
        click(screen, "collections:make:2026-11-23")
        assert "SDD-20261123-01 · 1 prélèvement" in texts(screen)
        assert not has(screen, "collections:make:2026-11-23")
        with Session(db.engine()) as session:
            assert session.exec(select(CollectionBatch.state)).all() == [BatchState.MADE]

    def test_names_what_can_not_be_collected(self) -> None:
        with db.transaction() as session:
            session.exec(select(Customer)).one().deceased_on = date(2026, 11, 1)
        screen = open_page()
        assert "le client est décédé" in texts(screen)
        assert not has(screen, "collections:make:2026-11-23")

    def test_looks_at_an_answer_before_it_is_taken_in(self) -> None:
        pass_days(date(2026, 11, 24))
        screen = open_page()
        screen.file_uploader[0].upload("retour.xml", camt(("2611000017D1", "AM04"), ("1D1", "AM04"), day="2026-11-24"), "text/xml").run()
        told = texts(screen)
        assert "1 prélèvement revient, pour 8,00 €. 1 ligne ne change aucune facture." in told
        assert [row.state for row in rows()] == [CollectionState.SETTLED]
        click(screen, "collections:file:save")
        assert "retour.xml est pris en compte." in texts(screen)
        assert [(row.state, row.return_code) for row in rows()] == [(CollectionState.RETURNED, "AM04")]
        assert "2611000017 · AM04 · provision insuffisante" in texts(screen)

    def test_says_what_is_wrong_with_a_file(self) -> None:
        screen = open_page()
        screen.file_uploader[0].upload("x.xml", b"<a/>", "text/xml").run()
        assert "pain.002, camt.053 ou camt.054" in texts(screen)
        assert not has(screen, "collections:file:save")
        screen.file_uploader[0].upload("x.xml", pain_of_a_file("FF01"), "text/xml").run()
        assert "La banque a refusé tout le fichier SDD-20261116-01 (FF01)" in texts(screen)


class TestCard:
    def test_a_collection_is_withdrawn(self) -> None:
        screen = open_page("agent", "bills")
        assert "peut être retiré jusqu'au 20/11/2026" in texts(screen).replace("&#x27;", "'")
        click(screen, "bills:collection:withdraw:2611000017")
        assert "La facture 2611000017 n'est plus prélevée" in texts(screen).replace("&#x27;", "'")
        assert not has(screen, "bills:collection:withdraw:2611000017")
        with Session(db.engine()) as session:
            (row,) = bills.of_customer(session, AGENT, customer_id=1)
            assert not row.by_debit

    def test_a_mandate_that_nobody_used_says_so(self) -> None:
        with db.transaction() as session:
            session.exec(select(Mandate)).one().last_used_on = date(2023, 11, 18)
        pass_days(FIRST_DAY.date())
        told = texts(open_page("agent", "bills"))
        assert "il n'a pas servi pendant 36 mois" in told.replace("&#x27;", "'")
        assert "échéance 02/12/2026" in told

    def test_too_late_there_is_nothing_to_click(self) -> None:
        pass_days(date(2026, 11, 21))
        screen = open_page("agent", "bills")
        assert "trop tard pour le retirer" in texts(screen)
        assert not has(screen, "bills:collection:withdraw:2611000017")

    def test_a_reader_has_no_button(self) -> None:
        screen = open_page("viewer", "bills")
        assert "peut être retiré" in texts(screen)
        assert not has(screen, "bills:collection:withdraw:2611000017")

    def test_what_is_not_collected_says_why_and_may_be_paid_by_transfer(self) -> None:
        with db.transaction() as session:
            session.exec(select(Mandate)).one().state = MandateState.SUSPENDED
        screen = open_page("agent", "bills")
        assert "le mandat est suspendu" in texts(screen)
        click(screen, "bills:collection:withdraw:2611000017")
        with Session(db.engine()) as session:
            assert not bills.of_customer(session, AGENT, customer_id=1)[0].by_debit
