"""The page of lists, clicked: the address holds all of it, and what it can't mean is said."""

from datetime import date
from urllib.parse import unquote

import pytest
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import db
from core.models.bulk import BulkRun, BulkState
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus
from core.models.saved_view import Ownership, SavedView
from core.services import list_export, lists, saved_views
from core.services.list_filters import read
from core.services.lists import Query
from core.ui import list_filter
from tests.builders import AGENT, make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.pages.test_bills import click, has, open_tab, texts
from tests.services import money_stories


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo whose thirty customers are alike, but for one who is suspended and has a late bill."""
    with new_demo() as session:
        for number in range(30):
            one = make_customer(
                session, customer_no=f"100000{number:02d}", family_name=f"Dubois{number:02d}", search_name=f"sophie dubois{number:02d}",
                status=CustomerStatus.SUSPENDED if number == 7 else CustomerStatus.ACTIVE,
            )  # fmt: skip
            if number == 7:
                make_product(session, one, "TRIO")
                money_stories.bill(session, one, date(2026, 9, 5), bill_no="2609000017")


def opened(who: str = "senior", **address: str) -> AppTest:
    screen = open_tab(who)
    screen.switch_page("../pages/lists.py")
    for name, value in address.items():
        screen.query_params[name] = value
    screen.run()
    assert not screen.exception
    return screen


def rows(screen: AppTest) -> list[str]:
    """The labels of the links of the rows."""
    return [
        link.proto.label.replace("\\", "")
        for link in screen.get("page_link")
        if "Dubois" in link.proto.label or link.proto.label.startswith("26")
    ]


def address(screen: AppTest) -> dict[str, str]:
    return {
        name: unquote(value if isinstance(value, str) else value[0])
        for name, value in screen.query_params.items()
        if name in {"of", "view", "where", "columns", "sort", "after", "run"}
    }


class TestAddress:
    def test_a_link_shows_list_filter_order_and_columns(self) -> None:
        screen = opened(of="bills", where="and(late.eq.yes)", columns="bill_no,left", sort="bill_no")
        assert rows(screen) == ["2609000017"]
        assert screen.selectbox(key="lists:column:0").value == "late"
        assert screen.multiselect(key="lists:columns").value == ["bill_no", "left"]

    @pytest.mark.parametrize(
        ("told", "sentence"),
        [
            ({"of": "secrets"}, "La liste « secrets » n'existe pas"),
            ({"of": "bills", "where": "and(late.eq"}, "Le filtre de cette adresse est illisible"),
            ({"of": "bills", "where": "and(colour.eq.red)"}, "pas de colonne « colour »"),
            ({"of": "bills", "where": "and(late.eq.perhaps)"}, "« perhaps » ne peut pas se trouver dans la colonne « En retard »"),
            ({"of": "customers", "where": "and(email.has.a)"}, "« E-mail » ne peut pas être filtré"),
            ({"of": "customers", "sort": "email"}, "« E-mail » ne peut pas être filtré ni trié"),
            ({"of": "customers", "after": "x"}, "illisible"),
            ({"of": "customers", "after": "99999"}, "n'existe plus"),
            ({"of": "customers", "after": "2147483647"}, "n'existe plus"),
            ({"of": "customers", "before": "2147483648"}, "illisible"),
            ({"of": "customers", "columns": "name,name"}, "Les colonnes de cette adresse sont illisibles"),
            ({"view": "v999"}, "Introuvable"),
        ],
    )
    def test_what_can_not_be_meant_is_said_and_shows_no_row(self, told: dict[str, str], sentence: str) -> None:
        screen = opened(**told)
        assert sentence in " ".join(one.value for one in screen.error).replace("\\", "")
        assert rows(screen) == []
        screen.button(key="lists:whole").click().run()
        assert not screen.exception
        assert not screen.error

    def test_pages_are_walked_and_a_page_has_its_address(self) -> None:
        screen = opened(of="customers", sort="customer_no")
        assert len(rows(screen)) == 25
        screen.button(key="lists:next").click().run()
        assert len(rows(screen)) == 5
        assert address(screen)["after"]
        screen.button(key="lists:previous").click().run()
        assert len(rows(screen)) == 25


class TestFilter:
    def test_a_condition_is_added_changed_and_taken_out_in_the_address(self) -> None:
        screen = opened(of="customers")
        screen.button(key="lists:add:top").click().run()
        assert address(screen)["where"] == 'and(name.has."")'
        screen.selectbox(key="lists:column:0").select("status").run()
        screen.multiselect(key="lists:value:0").set_value(["suspended"]).run()
        assert address(screen)["where"] == "and(status.in.(suspended))"
        assert rows(screen) == ["Sophie Dubois07"]
        screen.button(key="lists:remove:0").click().run()
        assert "where" not in address(screen)
        assert len(rows(screen)) == 25

    def test_groups_nest_and_turn(self) -> None:
        screen = opened(of="customers", where="and(status.in.(suspended))")
        screen.button(key="lists:group:top").click().run()
        assert address(screen)["where"] == 'and(status.in.(suspended),or(name.has."",name.has.""))'
        screen.text_input(key="lists:value:1-0").input("07").run()
        screen.segmented_control(key="lists:every:1").set_value("and").run()
        assert address(screen)["where"] == 'and(status.in.(suspended),and(name.has.07,name.has.""))'
        assert rows(screen) == ["Sophie Dubois07"]

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("18/09/2026", "2026-09-18"), ("18.9.2026", "2026-09-18"), ("18-09-2026", "2026-09-18"), ("$today-45", "$today-45"), ("soon", None),
         ("31/02/2026", None), ("18/09", None)],
    )  # fmt: skip
    def test_a_day_is_typed_as_one_writes_it(self, typed: str, meant: str | None) -> None:
        assert list_filter._typed_day(typed) == meant

    def test_a_wrong_amount_is_said_beside_its_field_and_stays_to_be_put_right(self) -> None:
        screen = opened(of="bills", where="and(left.ge.0)")
        screen.text_input(key="lists:value:0").input("many").run()
        assert "Écrivez un montant" in texts(screen)
        assert screen.text_input(key="lists:value:0").value == "many"
        assert address(screen)["where"] == "and(left.ge.0)"

    def test_an_amount_is_typed_with_a_comma(self) -> None:
        screen = opened(of="bills", where="and(left.ge.0)")
        screen.text_input(key="lists:value:0").input("12,50 €").run()
        assert address(screen)["where"] == "and(left.ge.12.50)"


class TestViews:
    def test_a_view_of_the_trade_is_opened_and_its_filter_is_in_sight(self) -> None:
        screen = opened(of="bills")
        screen.selectbox(key="lists:view").select("overdue").run()
        assert rows(screen) == ["2609000017"]
        assert address(screen)["view"] == "overdue"
        assert screen.selectbox(key="lists:column:0").value == "late"

    def test_a_view_in_which_nothing_is_filtered_any_more_stays_so(self) -> None:
        screen = opened(of="customers", view="suspended")
        screen.button(key="lists:remove:0").click().run()
        assert len(rows(screen)) == 25
        assert has(screen, "lists:view:back")

    def test_takes_over_no_change_of_another_list(self) -> None:
        with db.transaction() as session:
            code = saved_views.save(session, AGENT, name="Suspendus", ownership=Ownership.TEAM, query=Query("customers"))
        assert has(opened(view=code, of="customers", where="and(status.in.(suspended))"), "lists:view:change")
        assert not has(opened(view=code, of="bills", where="and(late.eq.yes)"), "lists:view:change")

    def test_is_saved_with_a_name_and_offered_to_its_owner(self) -> None:
        screen = opened(of="customers", where="and(status.in.(suspended))")
        with db.transaction() as session:
            code = saved_views.save(
                session, AGENT, name="Les miens", ownership=Ownership.MINE, query=Query("customers", read("status.in.(suspended)"))
            )
        assert code not in screen.run().selectbox(key="lists:view").options
        mine = opened("agent", view=code)
        assert rows(mine) == ["Sophie Dubois07"]
        with Session(db.engine()) as session:
            assert session.exec(select(SavedView)).one().owner == "agent"


class TestBulk:
    def begun(self, screen: AppTest) -> AppTest:
        """Run the body of the drawer: only a browser keeps a dialog open."""

        def drawer(token: str) -> None:
            import streamlit as st

            from core.actor import Actor, Role
            from core.db import reading
            from core.services.bulk_actions import ACTIONS
            from core.ui import forms, list_address, list_bulk

            if (answer := forms.last(list_bulk.FORM)) is not None and answer.good:
                return  # A browser closes the drawer here.
            with reading() as session:
                asked = list_address.read(session, Actor(None, "senior", Role.SENIOR))
            list_bulk._drawer(ACTIONS["message"], asked, None, "")
            st.text(token)

        body = AppTest.from_function(drawer, args=("x",), default_timeout=60)
        body.session_state["_tab_token"] = screen.session_state["_tab_token"]
        body.query_params["of"] = "customers"
        body.run()
        assert not body.exception
        return body

    def test_is_tried_out_then_done_with_its_result_on_the_page(self) -> None:
        body = self.begun(opened(of="customers"))
        body = click(body, "lists:bulk:try")
        assert "30 lignes" in texts(body)
        assert "Serait fait pour" in texts(body)
        with Session(db.engine()) as session:
            named = session.exec(select(Customer.family_name)).first()
        assert f"{named}</td>" in texts(body)
        with Session(db.engine()) as session:
            assert session.exec(select(Communication).where(Communication.template == "works_planned")).all() == []
        body.button(key="lists:bulk:begin").click().run()
        with Session(db.engine()) as session:
            run = session.exec(select(BulkRun)).one()
            assert run.state is BulkState.RUNNING
        screen = opened(of="customers", run=str(run.id))
        screen = click(screen, "lists:run:resume")
        assert "30 lignes faites." in texts(screen)
        with Session(db.engine()) as session:
            assert session.exec(select(BulkRun)).one().state is BulkState.FINISHED
            assert len(session.exec(select(Communication).where(col(Communication.template) == "works_planned")).all()) == 30

    def test_rows_are_chosen_and_another_filter_forgets_them(self) -> None:
        screen = opened(of="customers")
        screen.checkbox[0].check().run()
        assert "1 ligne choisie" in texts(screen)
        screen.button(key="lists:add:top").click().run()
        assert "Rien de choisi" in texts(screen)


class TestRights:
    @pytest.mark.parametrize(
        ("who", "exports", "acts"), [("viewer", False, False), ("agent", False, False), ("senior", True, True), ("billing", True, True)]
    )
    def test_files_and_actions_are_offered_to_who_may(self, who: str, exports: bool, acts: bool) -> None:
        screen = opened(who, of="customers")
        assert any("CSV" in button.proto.label for button in screen.get("download_button")) == exports
        assert has(screen, "lists:action:message") == acts

    def test_more_rows_than_a_file_holds_are_refused_before_the_click(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lists, "MOST_COUNTED", 10)
        monkeypatch.setattr(list_export, "MOST", 29)
        screen = opened(of="customers")
        assert not screen.get("download_button")
        assert "Un fichier contient au plus 29 lignes. Filtrez davantage." in [one.value for one in screen.caption]
        monkeypatch.setattr(list_export, "MOST", 30)
        assert opened(of="customers").get("download_button")

    def test_a_list_that_is_not_his_is_refused(self) -> None:
        screen = opened("viewer", of="approvals")
        assert "vous n'avez pas le droit" in " ".join(one.value for one in screen.error).lower()
