"""Each page and drawer on each database: what a page reads is read in a transaction that may not write."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from core import db, start
from core.models.audit import DemoClock
from core.services import users
from core.ui.navigation import TABS
from tests.builders import make_customer, make_product
from tests.conftest import FIRST_DAY, empty
from tests.services.test_orders import paid_november

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
TRIO, HOT = "1000001701", "1000001702"
DRAWERS = {
    "home": (f"home:options:{HOT}:mobile", f"home:options:{TRIO}:tv", f"home:decoder:add:{TRIO}", f"home:history:{HOT}", "home:move"),
    "bills": ("bills:explain:next",),
}


@pytest.fixture(autouse=True)
def demo(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A demo on its first day with one customer, on each database in turn."""
    db.use(engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr(start, "ready", lambda: None)
    with Session(engine) as session, session.begin():
        session.add(DemoClock(moment=FIRST_DAY))
        customer = make_customer(session, customer_no="10000017")
        make_product(session, customer, "TRIO", product_no=TRIO, line="+3281000001")
        make_product(session, customer, "HOT", product_no=HOT, line="+32470000011")
        paid_november(session, customer)
        users.create_demo_accounts(session)
    yield
    empty(engine)
    sys.modules["core.db.engine"]._moments.clear()


def opened(path: str, who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    return sound(screen.switch_page(f"../pages/{path}.py"))


def sound(screen: AppTest) -> AppTest:
    screen.run()
    assert not screen.exception
    assert not screen.error
    return screen


@pytest.mark.parametrize("path", [*(tab.path for tab in TABS), "customers"])
def test_a_page_is_read_without_a_write(path: str) -> None:
    assert opened(path).get("html")


@pytest.mark.parametrize(("path", "key"), [(path, key) for path, keys in DRAWERS.items() for key in keys])
def test_a_drawer_is_read_without_a_write(path: str, key: str) -> None:
    screen = opened(path)
    screen.button(key=key).click()
    drawers = [block for block in sound(screen)._tree.children[2].children.values() if block.type == "dialog"]
    assert len(drawers) == 1
