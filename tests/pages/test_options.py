"""The drawers of Accueil: options with their review, settings of a line, the house move. Their bodies run as scripts of their own."""

from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core import db
from core.models.audit import DemoClock
from core.models.customer import Customer, CustomerStatus
from core.models.order import ProductOrder
from core.models.product import Product, UsageAlert, UsageCap
from core.services import move_progress, orders
from core.services.option_reviews import Effective
from tests.builders import AGENT, make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.services.test_orders import paid_november

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
HOME = "../pages/home.py"
TRIO, HOT, LOCO = "1000001701", "1000001702", "1000001703"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer, on a database of its own."""
    with new_demo() as session:
        customer = make_customer(session, customer_no="10000017")
        make_product(session, customer, "TRIO", product_no=TRIO, line="+3281000001")
        make_product(session, customer, "HOT", product_no=HOT, line="+32470000011", user_name="*Amadou*")
        paid_november(session, customer)


def home(who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page(HOME).run()
    assert not screen.exception
    return screen


def _options(product_no: str, group: str) -> None:
    """The script of the options' drawer; it closes as the dialog does."""
    import streamlit as st

    from core.catalogue import Service
    from core.ui import forms, option_drawer

    answer = forms.last(option_drawer.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
    else:
        option_drawer.body(product_no, Service(group), {})


def _settings(product_no: str) -> None:
    """The script of the settings, open."""
    from core.actor import Permission
    from core.db import reading
    from core.services import products
    from core.ui import gate, settings_drawer

    visit = gate.visit(Permission.CUSTOMER_READ)
    with reading() as session:
        plan = products.of_product_no(session, visit.actor, customer_id=visit.customer.id, product_no=product_no)
    settings_drawer.body(visit, plan)


def _move() -> None:
    """The script of the wizard."""
    import streamlit as st

    from core.actor import Permission
    from core.ui import forms, gate, move_wizard

    answer = forms.last(move_wizard.FORM)
    if answer is not None and answer.good:
        st.success(answer.text)
        return
    if "_prepared" not in st.session_state:
        st.session_state["_prepared"] = True
        move_wizard.prepare(gate.visit(Permission.ORDER_WRITE))
    move_wizard.body()


def drawer(script: Any, *given: str, who: str = "agent") -> AppTest:
    """Run a drawer's body for somebody who signed in."""
    signed_in = home(who)
    screen = AppTest.from_function(script, args=given, default_timeout=60)
    screen.session_state["_tab_token"] = signed_in.session_state["_tab_token"]
    screen.query_params["customer"] = "10000017"
    return ran(screen)


def ran(screen: AppTest) -> AppTest:
    screen.run()
    assert not screen.exception
    return screen


def drawer_title(screen: AppTest) -> str:
    """The title of the drawer that is open, as markdown."""
    return next(str(block.proto.dialog.title) for block in screen._tree.children[2].children.values() if block.type == "dialog")


def flip(screen: AppTest, product_no: str, code: str) -> AppTest:
    toggle = screen.toggle(key=f"home:option:{product_no}:{code}")
    toggle.set_value(not toggle.value)
    return ran(screen)


def click(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click()
    return ran(screen)


def keys(screen: AppTest) -> list[str]:
    return [button.key or "" for button in screen.button]


def texts(screen: AppTest) -> str:
    """All that is said, without the marks that keep a text from being mark-up."""
    kinds = (
        screen.markdown,
        screen.caption,
        screen.subheader,
        screen.success,
        screen.error,
        screen.warning,
        screen.text,
        screen.get("html"),
    )
    switches = [toggle.label for toggle in screen.toggle]
    said = "\n".join([*switches, *(str(getattr(element, "value", "") or element.proto.body) for kind in kinds for element in kind)])
    return unescape(said).replace("\\", "")


def on(screen: AppTest, product_no: str, code: str) -> bool:
    return bool(screen.toggle(key=f"home:option:{product_no}:{code}").value)


def held() -> list[str]:
    with db.reading() as session:
        return list(session.exec(select(Product.offering_code).where(col(Product.parent_id).is_not(None)).order_by(col(Product.id))))


def give(offering: str, under: str) -> None:
    with db.transaction() as session:
        plan = session.exec(select(Product).where(Product.product_no == under)).one()
        make_product(session, session.get_one(Customer, plan.customer_id), offering, parent_id=plan.id, product_no=f"{under}0")


class TestOptions:
    def test_each_option_has_its_toggle_its_price_and_what_it_holds(self) -> None:
        screen = drawer(_options, HOT, "mobile")
        assert [toggle.value for toggle in screen.toggle] == [False] * 4
        assert "10,00\xa0€ /mois" in texts(screen)
        assert "5 000 Mo de plus chaque mois" in texts(screen)

    def test_its_drawer_is_named_after_the_service_and_whose_line_it_is(self) -> None:
        screen = click(home(), f"home:options:{HOT}:mobile")
        assert drawer_title(screen) == r"Options mobiles · \*Amadou\* · 0470 00 00 11"

    def test_a_flipped_toggle_shows_the_review_and_writes_nothing(self) -> None:
        screen = flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G")
        shown = texts(screen)
        assert "10,00\xa0€ × 13/30 = 4,33\xa0€ (18/11 – 30/11)" in shown
        assert "57,00\xa0€ → 67,00\xa0€" in shown
        assert held() == []

    def test_confirmed_it_is_ordered(self) -> None:
        screen = click(flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G"), "home:review:confirm")
        assert held() == ["MOB_DATA_5G"]
        assert "O1000001701" in texts(screen)

    def test_what_was_drawn_before_a_reset_of_the_demo_is_refused_afterwards(self) -> None:
        screen = flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G")
        with db.transaction() as session:
            session.exec(select(DemoClock)).one().resets += 1
        screen = click(screen, "home:review:confirm")
        assert "La démo a été remise à zéro entre-temps" in texts(screen)
        assert held() == []

    def test_cancelled_the_toggle_falls_back(self) -> None:
        screen = click(flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G"), "home:review:cancel")
        assert not on(screen, HOT, "MOB_DATA_5G")
        assert "home:review:confirm" not in keys(screen)

    def test_flipped_back_it_asks_for_nothing(self) -> None:
        screen = drawer(_options, HOT, "mobile")
        screen = flip(flip(screen, HOT, "MOB_DATA_5G"), HOT, "MOB_DATA_5G")
        assert "home:review:confirm" not in keys(screen)

    def test_a_refused_toggle_falls_back_and_says_why(self) -> None:
        give("MOB_DATA_1G", HOT)
        screen = flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_1G")
        assert on(screen, HOT, "MOB_DATA_1G")
        assert "se termine seul avec la période" in texts(screen)

    def test_what_somebody_else_changed_meanwhile_is_told_and_nothing_is_ordered(self) -> None:
        screen = flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G")
        with db.transaction() as session:
            plan = session.exec(select(Product).where(Product.product_no == HOT)).one()
            orders.confirm(
                session, AGENT, customer_id=plan.customer_id, product_no=HOT, offering_code="MOB_BAR_PREMIUM", turn_on=True,
                shown_version=plan.version,
            )  # fmt: skip
        screen = click(screen, "home:review:confirm")
        assert "Modifié par agent à 10:00" in texts(screen)
        assert held() == ["MOB_BAR_PREMIUM"]
        assert not on(screen, HOT, "MOB_DATA_5G")

    def test_a_swap_names_what_it_replaces(self) -> None:
        give("TEL_PEAK", TRIO)
        screen = flip(drawer(_options, TRIO, "phone"), TRIO, "TEL_OFFPEAK")
        assert "Appels gratuits en heures pleines" in texts(screen)
        assert "rendu\xa0: 5,00\xa0€ × 13/30 = 2,17\xa0€" in texts(screen)

    def test_staff_choose_when_an_option_ends_and_the_review_follows(self) -> None:
        give("TV_SPORT", TRIO)
        screen = flip(drawer(_options, TRIO, "tv"), TRIO, "TV_SPORT")
        assert "le 01/12\xa0; utilisable jusqu'au 30/11" in texts(screen)
        screen.segmented_control(key="home:review:effective").set_value(Effective.NOW)
        assert "tout de suite" in texts(ran(screen))

    def test_a_customer_has_no_such_choice(self) -> None:
        give("TV_SPORT", TRIO)
        screen = flip(drawer(_options, TRIO, "tv", who="p01"), TRIO, "TV_SPORT")
        assert "home:review:confirm" in keys(screen)
        assert not screen.segmented_control

    def test_an_option_under_way_waits(self) -> None:
        give("TV_SPORT", TRIO)
        click(flip(drawer(_options, TRIO, "tv"), TRIO, "TV_SPORT"), "home:review:confirm")
        toggle = drawer(_options, TRIO, "tv").toggle(key=f"home:option:{TRIO}:TV_SPORT")
        assert (toggle.value, toggle.disabled) == (False, True)

    def test_a_viewer_sees_and_changes_nothing(self) -> None:
        assert all(toggle.disabled for toggle in drawer(_options, TRIO, "tv", who="viewer").toggle)

    def test_while_suspended_only_restrictions_can_be_switched(self) -> None:
        with db.transaction() as session:
            session.exec(select(Customer)).one().status = CustomerStatus.SUSPENDED
        screen = drawer(_options, HOT, "mobile")
        enabled = [toggle.key for toggle in screen.toggle if not toggle.disabled]
        assert enabled == [f"home:option:{HOT}:MOB_BAR_PREMIUM", f"home:option:{HOT}:MOB_BAR_ROAMING"]


class TestChangesOfToday:
    def test_are_shown_with_a_way_back_that_works_once(self) -> None:
        click(flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G"), "home:review:confirm")
        screen = click(home(), "home:undo:O1000001701")
        assert "Commande O1000001701 annulée" in texts(screen)
        assert "home:undo:O1000001701" not in keys(screen)

    def test_a_viewer_has_no_way_back(self) -> None:
        click(flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G"), "home:review:confirm")
        screen = home("viewer")
        assert "5 Go par mois" in texts(screen)
        assert "home:undo:O1000001701" not in keys(screen)


class TestSettings:
    def test_a_cap_is_set_at_once(self) -> None:
        screen = drawer(_settings, HOT)
        screen.selectbox(key=f"home:cap:{HOT}:choice").set_value(0)
        click(screen, f"home:cap:{HOT}:save")
        with db.reading() as session:
            assert session.exec(select(UsageCap.cap_cents)).one() == 0

    def test_staff_raise_it_for_the_holder_only(self) -> None:
        screen = drawer(_settings, HOT)
        screen.selectbox(key=f"home:cap:{HOT}:choice").set_value(500)
        click(screen, f"home:cap:{HOT}:save")
        screen.selectbox(key=f"home:cap:{HOT}:choice").set_value(5000)
        click(screen, f"home:cap:{HOT}:save")
        assert "Seul le titulaire" in texts(screen)
        screen.checkbox(key=f"home:cap:{HOT}:holder_asks").check()
        click(screen, f"home:cap:{HOT}:save")
        with db.reading() as session:
            assert session.exec(select(UsageCap.cap_cents)).one() == 5000
        assert not screen.checkbox(key=f"home:cap:{HOT}:holder_asks").value

    def test_no_alert_must_be_confirmed(self) -> None:
        screen = drawer(_settings, HOT)
        screen.selectbox(key=f"home:alert:{HOT}:overCents").set_value(-1)
        click(screen, f"home:alert:{HOT}:save")
        assert "Cochez la case" in texts(screen)
        screen.checkbox(key=f"home:alert:{HOT}:no_alert").check()
        click(screen, f"home:alert:{HOT}:save")
        with db.reading() as session:
            found = session.exec(select(UsageAlert.metric, UsageAlert.threshold)).all()
        assert {tuple(one) for one in found} == {("bundlePercent", 100), ("overCents", None)}

    def test_the_legal_alert_is_shown_where_none_was_chosen(self) -> None:
        screen = drawer(_settings, HOT)
        assert [screen.selectbox(key=f"home:alert:{HOT}:{metric}").value for metric in ("bundlePercent", "overCents")] == [100, 5000]


class TestMove:
    def filled(self, **changes: str) -> AppTest:
        screen = drawer(_move)
        typed = {"street": "Naamsestraat", "number": "55", "postcode": "3000", "town": "Leuven"} | changes
        for name, value in typed.items():
            screen.text_input(key=f"home:move:{name}").set_value(value)
        return click(screen, "home:move:next")

    def test_three_steps_lead_to_an_order_with_its_visit(self) -> None:
        screen = self.filled()
        screen.date_input(key="home:move:move_in").set_value(date(2026, 12, 16))
        screen.date_input(key="home:move:move_out").set_value(date(2026, 12, 15))
        screen = click(screen, "home:move:next")
        assert "Naamsestraat 55, 3000 Leuven" in texts(screen)
        assert "sans frais jusqu'au mar. 15/12 18:00" in texts(screen)
        click(screen, "home:review:confirm")
        with db.reading() as session:
            move = move_progress.current(session, AGENT, customer_id=session.exec(select(Customer.id)).one())
        assert move is not None
        assert (move.move_in, move.visit and move.visit.day) == (date(2026, 12, 16), date(2026, 12, 16))

    def test_an_error_stands_under_its_field_and_what_was_typed_stays(self) -> None:
        screen = self.filled(postcode="0999")
        assert "0999 n'est pas un code postal belge" in texts(screen)
        assert screen.text_input(key="home:move:street").value == "Naamsestraat"

    def test_a_number_of_another_zone_can_not_be_kept(self) -> None:
        screen = drawer(_move)
        for name, value in {"street": "Naamsestraat", "number": "55", "postcode": "3000", "town": "Leuven"}.items():
            screen.text_input(key=f"home:move:{name}").set_value(value)
        screen.checkbox(key="home:move:keep_number").check()
        assert "zone 016" in texts(click(screen, "home:move:next"))

    def test_another_plan_must_be_accepted(self) -> None:
        screen = click(self.filled(postcode="6890", town="Libin"), "home:move:next")
        assert "Cochez la case pour continuer avec" in texts(screen)
        screen.checkbox(key="home:move:accept_proposal").check()
        assert "42,00\xa0€ → 36,00\xa0€" in texts(click(screen, "home:move:next"))

    def test_back_keeps_what_was_entered(self) -> None:
        screen = click(self.filled(), "home:move:back")
        assert screen.text_input(key="home:move:town").value == "Leuven"


class TestHome:
    def test_the_promised_keys_are_there(self) -> None:
        found = keys(home())
        for key in (f"home:options:{TRIO}:tv", f"home:options:{HOT}:mobile", f"home:decoder:add:{TRIO}", "home:move"):
            assert key in found

    def test_an_order_is_counted_once_however_often_it_is_looked_at(self) -> None:
        click(flip(drawer(_options, HOT, "mobile"), HOT, "MOB_DATA_5G"), "home:review:confirm")
        home()
        with db.reading() as session:
            assert len(session.exec(select(ProductOrder)).all()) == 1
