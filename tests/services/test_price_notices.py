"""A price that goes up is told apart from any bill, once, to whom it concerns."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session, select

from core import clock
from core.actor import SYSTEM
from core.models.communication import Communication
from core.models.customer import CustomerStatus
from core.services import bill_runs, bills, price_notices
from core.services.price_notices import rises
from tests.builders import AGENT, make_customer, make_product
from tests.services.money_stories import NOVEMBER, bill, trio

TODAY = date(2026, 11, 18)


@pytest.fixture
def dearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The Trio costs 44.00 from 1 January on, and the Loco less than before."""
    catalogue = sys.modules["core.catalogue"]
    for path in catalogue.FILES.glob("*.yaml"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    changed = tmp_path / "catalogue.yaml"
    text = changed.read_text("utf-8")
    text = text.replace("incl_cents: 4200}", "incl_cents: 4200}\n      - {since: 2027-01-01, incl_cents: 4400}", 1)
    text = text.replace("incl_cents: 3200}", "incl_cents: 3200}\n      - {since: 2027-01-01, incl_cents: 3000}", 1)
    changed.write_text(text, "utf-8")
    monkeypatch.setattr(catalogue, "FILES", tmp_path)
    yield
    catalogue._looks.clear()


def told(session: Session) -> list[str]:
    return list(session.exec(select(Communication.body).where(Communication.template == "price_change")))


@pytest.mark.usefixtures("dearer")
class TestSendDue:
    def test_tells_who_holds_it_once_with_both_prices_and_the_way_out(self, session: Session) -> None:
        make_product(session, make_customer(session), "TRIO")
        assert price_notices.send_due(session, SYSTEM, TODAY) == 1
        assert price_notices.send_due(session, SYSTEM, TODAY) == 0
        (body,) = told(session)
        text = body.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
        for part in ("01/01/2027", "44,00 €", "42,00 €", "18/02/2027"):
            assert part in text

    def test_tells_nobody_of_what_gets_cheaper_or_of_what_he_does_not_hold(self, session: Session) -> None:
        make_product(session, make_customer(session), "LOCO")
        assert price_notices.send_due(session, SYSTEM, TODAY) == 0

    def test_leaves_out_who_has_left_or_will_have_left(self, session: Session) -> None:
        make_product(session, make_customer(session), "TRIO", until=date(2026, 12, 31))
        make_product(session, make_customer(session, status=CustomerStatus.CLOSED), "TRIO")
        assert price_notices.send_due(session, SYSTEM, TODAY) == 0

    def test_a_rise_told_too_late_is_told_and_named_in_the_log(self, session: Session, caplog: pytest.LogCaptureFixture) -> None:
        make_product(session, make_customer(session), "TRIO")
        assert price_notices.send_due(session, SYSTEM, date(2026, 12, 2)) == 1
        assert "TRIO rises on 2027-01-01" in caplog.text

    def test_a_rise_that_came_is_no_longer_to_come(self) -> None:
        assert [rise.offering.code for rise in rises(date(2026, 12, 31))] == ["TRIO"]
        assert list(rises(date(2027, 1, 1))) == []


@pytest.mark.usefixtures("dearer")
def test_the_bill_keeps_the_old_price_until_its_day_and_the_explanation_names_the_change(session: Session) -> None:
    """18 Nov: told. 5 Dec: 42.00. 5 Jan: 44.00, because the price changed."""
    customer = trio(session)
    bill(session, customer, NOVEMBER)
    for day, cents in ((date(2026, 12, 5), 4200), (date(2027, 1, 5), 4400)):
        with clock.standing(clock.at(day, 6)):
            bill_runs.run_day(session, SYSTEM, day=day)
            newest = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
            assert (newest.bill_date, newest.total_cents) == (day, cents)
    with clock.standing(clock.at(date(2027, 1, 6), 6)):
        why = bills.explain_bill(session, AGENT, customer_id=customer.id, bill_no=newest.bill_no, language="fr")
    assert [(step.label.params.get("before_cents"), step.label.params.get("after_cents"), step.cents) for step in why.steps] == [
        (4200, 4400, 200)
    ]
