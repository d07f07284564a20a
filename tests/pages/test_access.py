"""A file outside of one's queue stays closed until its opening has a reason; what is masked is shown for a moment."""

from datetime import date, timedelta

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.models.audit import AuditEntry
from core.models.billing_account import BillMedia
from core.models.customer import Customer
from core.services.customers import search_name
from core.settings import ROOT
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo

SHELL = ROOT / "core" / "shell.py"
PLAIN, VIP, SAMPLE = "20000501", "20000502", "10000017"
TABS = ("home", "bills", "account", "security", "appointments", "usage")


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with an ordinary customer, a VIP and a sample customer."""
    with new_demo() as session:
        for number, given, vip in ((PLAIN, "Zelda", False), (VIP, "Hilde", True), (SAMPLE, "Sophie", False)):
            facts = {
                "search_name": search_name(given, "Vermeersch", None),
                "birth_date": date(1979, 9, 17),
                "vip": vip,
                "media": BillMedia.PAPER,
            }
            customer = make_customer(session, customer_no=number, given_name=given, family_name="Vermeersch", **facts)
            make_product(session, customer, "RED", line=f"+3247{number[-7:]}")


def opened(number: str, tab: str = "home", who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = number
    screen.switch_page(f"../pages/{tab}.py").run()
    assert not screen.exception
    return screen


def seen(screen: AppTest) -> str:
    """Return all that is on the screen, as text."""
    parts = [str(one.proto) for one in screen.main]
    return " ".join([*parts, *(str(one.proto) for one in screen.get("html")), *(str(one.proto) for one in screen.get("page_link"))])


def trail(action: str) -> list[AuditEntry]:
    with db.reading() as session:
        found = list(session.exec(select(AuditEntry).where(AuditEntry.action == action)).all())
        session.expunge_all()
        return found


def marked(number: str, mark: str) -> None:
    with db.transaction() as session:
        setattr(session.exec(select(Customer).where(Customer.customer_no == number)).one(), mark, True)


class TestDoor:
    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize("number", [PLAIN, VIP])
    def test_shows_nothing_of_the_file_before_the_reason(self, number: str, tab: str) -> None:
        screen = opened(number, tab)
        assert screen.button(key="door:open")
        assert "Vermeersch" not in seen(screen)
        assert "+3247" not in seen(screen)
        assert trail("customer:open") == []

    def test_opens_the_page_that_was_asked_for_once_the_reason_is_given(self) -> None:
        screen = opened(VIP, "account")
        assert screen.button(key="door:open").disabled
        screen.selectbox(key="door:why").select_index(0).run()
        screen.button(key="door:open").click().run()
        assert not screen.exception
        assert "Vermeersch" in seen(screen)
        assert [(one.actor, one.after) for one in trail("customer:reason")] == [("agent", {"why": "caller", "because": "protected"})]
        assert len(trail("customer:open")) == 1

    def test_keeps_the_file_closed_while_another_reason_has_no_words(self) -> None:
        screen = opened(PLAIN)
        screen.selectbox(key="door:why").select_index(5).run()
        screen.button(key="door:open").click().run()
        assert "Vermeersch" not in seen(screen)
        screen.text_input(key="door:words").set_value("lost letter")
        screen.button(key="door:open").click().run()
        assert "Vermeersch" in seen(screen)
        assert trail("customer:reason")[0].reason == "lost letter"

    def test_a_reason_of_today_opens_the_file_in_a_new_tab(self) -> None:
        screen = opened(VIP)
        screen.selectbox(key="door:why").select_index(0).run()
        screen.button(key="door:open").click().run()
        assert "Vermeersch" in seen(opened(VIP))

    def test_a_search_leads_in_without_a_question_but_not_to_a_vip(self) -> None:
        for term, name in (("zelda", True), ("hilde", False)):
            screen = opened(SAMPLE)
            screen.query_params.clear()
            screen.query_params["q"] = term
            screen.switch_page("../pages/customers.py").run()
            assert not screen.exception
            assert (not [one for one in screen.button if one.key == "door:open"]) is name

    @pytest.mark.parametrize("mark", ["vip", "colleague"])
    def test_a_file_that_is_marked_while_it_lies_open_closes_at_the_next_run(self, mark: str) -> None:
        screen = opened(SAMPLE, "account")
        assert "Vermeersch" in seen(screen)
        marked(SAMPLE, mark)
        screen.run()
        assert "Vermeersch" not in seen(screen)
        screen.selectbox(key="door:why").select_index(0).run()
        screen.button(key="door:open").click().run()
        assert "Vermeersch" in seen(screen)

    def test_a_file_that_is_marked_under_an_open_drawer_shows_nothing_more(self) -> None:
        screen = opened(SAMPLE, "account")
        marked(SAMPLE, "vip")
        screen.button(key="account:edit").click().run()
        assert not screen.exception
        assert "Vermeersch" not in seen(screen)

    def test_a_reason_that_was_given_holds_when_the_file_is_marked_later(self) -> None:
        screen = opened(PLAIN)
        screen.selectbox(key="door:why").select_index(0).run()
        screen.button(key="door:open").click().run()
        marked(PLAIN, "vip")
        screen.run()
        assert "Vermeersch" in seen(screen)

    @pytest.mark.parametrize(
        ("asked", "leads"),
        [
            ({"view": "paper_bills"}, True),
            ({"view": "paper_bills", "sort": "-name"}, True),
            ({"view": "paper_bills", "where": f'customer_no.eq."{PLAIN}"'}, False),
            ({"of": "customers", "where": f'customer_no.eq."{PLAIN}"'}, False),
            ({"of": "customers"}, False),
        ],
    )
    def test_a_list_of_the_trade_leads_in_without_a_question_but_none_that_one_filtered_himself(
        self, asked: dict[str, str], leads: bool
    ) -> None:
        screen = opened(SAMPLE)
        screen.query_params.clear()
        for name, value in asked.items():
            screen.query_params[name] = value
        screen.switch_page("../pages/lists.py").run()
        assert not screen.exception
        assert "Zelda" in seen(screen)
        screen.query_params.clear()
        screen.query_params["customer"] = PLAIN
        screen.switch_page("../pages/home.py").run()
        assert (not [one for one in screen.button if one.key == "door:open"]) is leads

    def test_a_callback_of_a_closed_file_is_refused(self) -> None:
        screen = opened(SAMPLE, "account")
        screen.query_params["customer"] = VIP
        screen.button(key="account:edit").click().run()
        assert "Vermeersch" not in seen(screen) or screen.button(key="door:open")

    def test_the_customer_himself_is_asked_nothing(self) -> None:
        screen = opened(SAMPLE, who="p01")
        assert "Vermeersch" in seen(screen)


def shown(screen: AppTest) -> AppTest:
    screen.selectbox(key="reveal:birth_date:why").select_index(0).run()
    return screen.button(key="reveal:birth_date:show").click().run()


class TestReveal:
    def test_shows_a_birth_date_with_a_reason_and_masks_it_on_leaving(self) -> None:
        screen = opened(SAMPLE, "account")
        assert "••/••/••••" in seen(screen)
        assert "17/09/1979" not in seen(screen)
        assert screen.button(key="reveal:birth_date:show").disabled
        screen = shown(screen)
        assert "17/09/1979" in seen(screen)
        assert [one.after for one in trail("personal:reveal")] == [{"field": "birth_date", "why": "caller"}]
        screen.switch_page("../pages/home.py").run()
        screen.switch_page("../pages/account.py").run()
        assert "17/09/1979" not in seen(screen)

    def test_masks_it_again_at_a_click_and_after_its_time(self) -> None:
        screen = shown(opened(SAMPLE, "account"))
        screen.button(key="reveal:birth_date:hide").click().run()
        assert "17/09/1979" not in seen(screen)
        screen = shown(screen)
        revealed = screen.session_state["_revealed"]
        screen.session_state["_revealed"] = {one: (value, clock.real_now() - timedelta(seconds=1)) for one, (value, _) in revealed.items()}
        screen.run()
        assert "17/09/1979" not in seen(screen)

    def test_is_not_offered_to_who_only_reads(self) -> None:
        screen = opened(SAMPLE, "account", "viewer")
        assert "••/••/••••" in seen(screen)
        assert not [one for one in screen.button if str(one.key).startswith("reveal:")]

    def test_the_customer_sees_his_own(self) -> None:
        assert "17/09/1979" in seen(opened(SAMPLE, "account", "p01"))
