"""Consommations, clicked through as an agent, as a viewer and as the customer."""

import json
from datetime import date, datetime, timedelta
from html import escape
from typing import Any

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM
from core.models.product import Product
from core.models.usage import Direction, Tariff, UsageKind, Zone
from core.services import usage
from core.services.usage import NewEvent
from core.settings import ROOT
from tests.builders import make_customer, make_product
from tests.conftest import FIRST_DAY
from tests.pages.conftest import NewDemo

SHELL = ROOT / "core" / "shell.py"
NASTY = '<img src=x onerror="alert(1)">**Noa**'


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer and one line, on a database of its own."""
    with new_demo() as session:
        customer = make_customer(session, customer_no="10000017")
        make_product(session, customer, product_no="1000001705", user_name="Noa", line="+32470000012")


def use(*events: tuple[datetime, UsageKind, int], product_no: str = "1000001705", **given: Any) -> None:
    with db.transaction() as session:
        product = session.exec(select(Product).where(Product.product_no == product_no)).one()
        new = [NewEvent(product.customer_id, product.id, at, number, kind, size, **given) for number, (at, kind, size) in enumerate(events)]
        usage.record(session, SYSTEM, events=new)


def calls(count: int, **given: Any) -> None:
    """Record calls of a minute, one each three hours, the last one this morning."""
    use(
        *((FIRST_DAY - timedelta(hours=3 * number + 1), UsageKind.VOICE, 60) for number in range(count)),
        other_party="+32470123456",
        **given,
    )


def open_tab(who: str = "agent", **query: str) -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    for name, value in {"customer": "10000017", **query}.items():
        screen.query_params[name] = value
    screen.switch_page("../pages/usage.py").run()
    assert not screen.exception
    return screen


def html(screen: AppTest) -> str:
    return " ".join(part.proto.body for part in screen.get("html"))


def rows(screen: AppTest) -> int:
    return html(screen).split('aria-label="Consommations"')[-1].count("<tr") - 1


def address(screen: AppTest) -> dict[str, str]:
    found = {name: str(value) for name, value in screen.query_params.items()}
    return {name: value for name, value in found.items() if name != "customer"}


def drawn(screen: AppTest) -> bool:
    return bool(screen.get("plotly_chart"))


class TestFilters:
    def test_begin_with_the_running_period_and_an_empty_address(self) -> None:
        calls(5)
        screen = open_tab()
        assert (screen.date_input(key="usage:from").value, screen.date_input(key="usage:to").value) == (
            date(2026, 11, 1),
            date(2026, 11, 18),
        )
        assert screen.selectbox(key="usage:period").value == "running"
        assert address(screen) == {}

    def test_are_read_from_a_link(self) -> None:
        use((clock.at(date(2026, 10, 5)), UsageKind.DATA, 5000), (clock.at(date(2026, 11, 5)), UsageKind.DATA, 7000))
        screen = open_tab(**{"from": "2026-10-01", "to": "2026-11-01", "kind": "data"})
        assert (screen.date_input(key="usage:from").value, screen.date_input(key="usage:to").value) == (
            date(2026, 10, 1),
            date(2026, 10, 31),
        )
        assert screen.selectbox(key="usage:kind").value == "data"
        assert screen.selectbox(key="usage:period").value == "before"
        assert "5 Mo" in html(screen)
        assert "7 Mo" not in html(screen)

    def test_are_written_to_the_address(self) -> None:
        calls(5)
        screen = open_tab()
        screen.selectbox(key="usage:line").set_value("1000001705").run()
        screen.selectbox(key="usage:kind").set_value("voice").run()
        screen.selectbox(key="usage:direction").set_value("out").run()
        screen.selectbox(key="usage:zone").set_value("national").run()
        screen.text_input(key="usage:number").set_value("0470 12").run()
        screen.toggle(key="usage:charged").set_value(True).run()
        screen.date_input(key="usage:to").set_value(date(2026, 11, 17)).run()
        assert not screen.exception
        assert address(screen) == {
            "line": "1000001705", "kind": "voice", "direction": "out", "zone": "national", "number": "0470 12", "charged": "1",
            "from": "2026-11-01", "to": "2026-11-18",
        }  # fmt: skip

    def test_keep_the_customer_in_the_address(self) -> None:
        calls(1)
        screen = open_tab()
        screen.selectbox(key="usage:kind").set_value("voice").run()
        assert screen.query_params["customer"] == "10000017"

    def test_leave_the_address_when_they_are_taken_back(self) -> None:
        calls(1)
        screen = open_tab(kind="voice")
        screen.selectbox(key="usage:kind").set_value("").run()
        assert address(screen) == {}

    def test_set_both_dates_by_a_period(self) -> None:
        calls(1)
        screen = open_tab()
        screen.selectbox(key="usage:period").set_value("before").run()
        assert address(screen) == {"from": "2026-10-01", "to": "2026-11-01"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("kind", "banana"), ("line", "9999999999"), ("from", "2026-02-30"), ("from", "0001-01-01"), ("to", "9999-12-31"), ("bill", "26x"),
            ("direction", "up"), ("zone", "moon"), ("number", "' OR 1=1"), ("number", "+()"), ("charged", "yes"), ("by", "year"), ("show", "x"),
        ],
    )  # fmt: skip
    def test_name_what_a_link_can_not_mean_and_drop_it(self, name: str, value: str) -> None:
        calls(2)
        screen = open_tab(**{name: value})
        assert "laissée de côté" in screen.info[0].value
        assert address(screen) == {}
        assert rows(screen) == 2

    def test_refuse_a_last_day_before_the_first(self) -> None:
        calls(2)
        screen = open_tab(**{"from": "2026-11-10", "to": "2026-11-05"})
        assert [error.value for error in screen.error] == ["Le dernier jour précède le premier. Choisissez d'autres dates."]

    def test_let_through_only_what_they_say(self) -> None:
        calls(2)
        use(
            (FIRST_DAY - timedelta(hours=2), UsageKind.SMS, 1), direction=Direction.IN, zone=Zone.EU, country="FR", tariff=Tariff.OVER,
            charged_cents=7, other_party="+33612345678",
        )  # fmt: skip
        for query in ({"direction": "in"}, {"zone": "eu"}, {"kind": "sms"}, {"charged": "1"}, {"number": "0033 612"}):
            screen = open_tab(**query)
            assert rows(screen) == 1
            assert "Union européenne (France)" in html(screen)
            assert "+33 6 12 34 5• ••" in html(screen)


class TestTotals:
    def test_say_quantity_and_cost(self) -> None:
        use((FIRST_DAY - timedelta(days=1), UsageKind.DATA, 3_240_000), over_quantity=1_240_000, tariff=Tariff.OVER, charged_cents=6200)
        shown = html(open_tab()).replace("\u202f", " ").replace("\xa0", " ")
        assert "3 240 Mo" in shown
        assert "dont 1 240 Mo hors forfait : 62,00 €" in shown


class TestChart:
    def test_waits_for_three_past_days(self) -> None:
        use(
            (clock.at(date(2026, 11, 16), 10), UsageKind.VOICE, 660), (clock.at(date(2026, 11, 17), 10), UsageKind.VOICE, 60),
            (clock.at(date(2026, 11, 18), 9), UsageKind.DATA, 120_000),
        )  # fmt: skip
        screen = open_tab()
        assert not drawn(screen)
        sentence = "12 minutes et 120 Mo depuis le 16/11. Le graphique apparaît à partir de trois jours de consommation."
        assert sentence in [caption.value for caption in screen.caption]

    def test_draws_one_bar_for_each_day_of_the_period(self) -> None:
        calls(40)
        screen = open_tab()
        assert drawn(screen)
        chart = screen.get("plotly_chart")[0].proto
        assert chart.alt == "Appels par jour, en minutes, 01/11 – 18/11 : 40 min 00 s. Noa 40 min 00 s"
        bars = json.loads(chart.spec)["data"][0]
        assert len(bars["y"]) == 18
        assert bars["customdata"][17] == "18/11<br>Noa <b>4 min 00 s</b>"

    def test_is_told_as_a_table_too(self) -> None:
        calls(40)
        screen = open_tab()
        screen.toggle(key="usage:table").set_value(True).run()
        assert '<td class="">17/11</td>' in html(screen)

    def test_counts_by_hour_on_demand_and_keeps_it_in_the_address(self) -> None:
        calls(40)
        screen = open_tab()
        screen.segmented_control(key="usage:by").set_value("hour").run()
        assert address(screen) == {"by": "hour"}
        assert "Appels par heure de la journée" in screen.get("plotly_chart")[0].proto.alt

    def test_has_only_months_where_no_detail_is_left(self) -> None:
        use((clock.at(date(2025, 3, 5)), UsageKind.DATA, 5000), (clock.at(date(2025, 4, 5)), UsageKind.DATA, 7000))
        screen = open_tab(**{"from": "2025-01-01", "to": "2025-07-01"})
        axis = json.loads(screen.get("plotly_chart")[0].proto.spec)["layout"]["xaxis"]
        assert axis["ticktext"] == ["mars<br>2025", "avr.<br>2025", "mai<br>2025", "juin<br>2025"]
        assert any("Le détail est gardé 12 mois, ici depuis le 18/11/2025" in caption.value for caption in screen.caption)
        assert 'aria-label="Consommations"' not in html(screen)


class TestRows:
    def test_come_25_at_a_time_and_can_be_leafed_through(self) -> None:
        calls(60)
        screen = open_tab(**{"from": "2026-11-01", "to": "2026-11-19"})
        seen = [rows(screen)]
        for _ in range(2):
            screen.button(key="usage:next").click().run()
            seen.append(rows(screen))
        assert seen == [25, 25, 10]
        assert screen.button(key="usage:next").disabled
        screen.button(key="usage:previous").click().run()
        assert "Lignes 26 à 50" in [caption.value for caption in screen.caption]

    def test_begin_again_under_other_filters(self) -> None:
        calls(60)
        screen = open_tab()
        screen.button(key="usage:next").click().run()
        screen.selectbox(key="usage:kind").set_value("voice").run()
        assert "Lignes 1 à 25" in [caption.value for caption in screen.caption]

    @pytest.mark.parametrize("who", ["agent", "p01"])
    def test_hide_three_digits_even_from_the_customer(self, who: str) -> None:
        calls(1)
        screen = open_tab(who)
        assert "+32 470 12 3• ••" in html(screen)
        assert "123456" not in html(screen)

    def test_show_a_name_as_it_was_typed(self) -> None:
        with db.transaction() as session:
            session.exec(select(Product)).one().user_name = NASTY
        calls(40)
        screen = open_tab()
        assert NASTY not in html(screen)
        assert escape(NASTY) in html(screen)
        assert "u003cimg" not in screen.get("plotly_chart")[0].proto.spec

    def test_are_missed_kindly(self) -> None:
        assert "Rien n'a encore été consommé." in [caption.value for caption in open_tab().caption]
        calls(1)
        screen = open_tab(zone="world")
        assert any(caption.value.startswith("Aucune consommation ne correspond") for caption in screen.caption)


class TestExport:
    def test_is_offered_to_agents_and_not_to_viewers(self) -> None:
        calls(1)
        assert len(open_tab("agent").get("download_button")) == 2
        assert open_tab("viewer").get("download_button") == []
