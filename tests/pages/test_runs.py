"""The page of bill runs, clicked through by billing."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session, func, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM
from core.models.audit import DemoClock
from core.models.bill import Bill
from core.models.product import Product
from core.services import jobs
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import click, has, texts
from tests.services import money_stories

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
TODAY = date(2026, 11, 18)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """P01 in a demo of its own, in which all is done until today."""
    with new_demo() as session:
        jobs.mark_done(session, SYSTEM, day=TODAY)
        money_stories.family(session)


def open_page(who: str = "billing") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.switch_page("../pages/runs.py").run()
    assert not screen.exception
    return screen


def bills_made() -> int:
    with Session(db.engine()) as session:
        return session.exec(select(func.count()).select_from(Bill)).one()


def test_a_run_tried_out_shows_its_sums_and_issues_nothing() -> None:
    screen = open_page()
    assert screen.selectbox(key="runs:day").value == date(2026, 12, 5)
    shown = texts(click(screen, "runs:rehearse"))
    for part in ("1 facture", "115,70 €", "24,30 €", "6,00 €", "146,00 €"):
        assert part in shown
    assert bills_made() == 1


def test_says_when_all_is_done() -> None:
    screen = open_page()
    assert "Tout ce qui était dû est fait" in texts(screen)
    assert not has(screen, "runs:start")


def test_does_what_is_due_and_shows_the_run() -> None:
    with db.transaction() as session:
        session.get_one(DemoClock, 1).moment = clock.at(date(2026, 12, 6), 10)
    screen = open_page()
    assert "18 jours à traiter" in texts(screen)
    shown = texts(click(screen, "runs:start"))
    assert bills_made() == 2
    assert "Tout ce qui était dû est fait" in shown
    assert "05/12/2026" in shown
    assert "146,00 €" in shown


def test_a_bill_that_failed_is_tried_again_once_its_cause_is_mended() -> None:
    with db.transaction() as session:
        broken = make_product(session, make_customer(session), "NOT_SOLD")
        session.get_one(DemoClock, 1).moment = clock.at(date(2026, 12, 6), 10)
    screen = click(open_page(), "runs:start")
    assert any("NOT_SOLD" in one.value for one in screen.text)
    screen = click(screen, "runs:again:2026-12-05")
    assert has(screen, "runs:again:2026-12-05")
    with db.transaction() as session:
        session.get_one(Product, broken.id).offering_code = "RED"
    screen = click(screen, "runs:again:2026-12-05")
    assert not has(screen, "runs:again:2026-12-05")
    assert bills_made() == 3


@pytest.mark.parametrize("who", ["agent", "viewer", "product", "p01"])
def test_is_for_billing_alone(who: str) -> None:
    screen = open_page(who) if who != "p01" else AppTest.from_file(str(SHELL), default_timeout=60).run()
    assert not has(screen, "runs:rehearse")
