"""Whatever an address holds, its page says what it can't mean, and never breaks."""

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from core import db, start
from core.models.audit import DemoClock
from core.services import users
from core.settings import ROOT
from tests.builders import make_customer, make_product
from tests.conftest import FIRST_DAY, empty
from tests.services.test_orders import paid_november

SHELL = Path(ROOT) / "core" / "shell.py"
ODD = (
    "0001-01-01",
    "9999-12-31",
    "1000000000000",
    "-1",
    "2147483648",
    "9999999999",
    "9" * 3000,
    "a\x00b",
    "\u202e<b>",
    "😀",
    "٣",
    "$today+9999",
    "$month-3650",
    "",
)
PARAMS = {
    "home": ("option", "customer"),
    "bills": ("bill", "details"),
    "usage": ("bill", "from", "to", "kind", "line", "direction", "zone", "number", "charged", "after"),
    "timeline": ("kind", "on", "before", "entry"),
    "appointments": ("plan",),
    "account": ("reset",),
    "tasks": ("whose", "late"),
    "customers": ("q",),
    "lists": ("of", "view", "where", "columns", "sort", "after", "before", "run"),
    "looks": ("customer",),
}


@pytest.fixture
def screen(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The desk of a team lead, in a demo with one customer, on each database in turn."""
    db.use(engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr(start, "ready", lambda: None)
    with Session(engine) as session, session.begin():
        session.add(DemoClock(moment=FIRST_DAY))
        customer = make_customer(session, customer_no="10000017")
        make_product(session, customer, "HOT", line="+32470000011")
        make_product(session, customer, "TRIO", line="+3281000001")
        paid_november(session, customer)
        users.create_demo_accounts(session)
    found = AppTest.from_file(str(SHELL), default_timeout=60).run()
    yield found.button(key="sign_in:demo:senior").click().run()
    empty(engine)
    sys.modules["core.db.engine"]._moments.clear()


def opened(screen: AppTest, page: str, **asked: str) -> None:
    screen.query_params.clear()
    screen.query_params["customer"] = "10000017"
    for name, value in asked.items():
        screen.query_params[name] = value
    screen.switch_page(f"../pages/{page}.py").run()
    assert not screen.exception, (page, asked)


@pytest.mark.parametrize("page", sorted(PARAMS))
def test_a_page_bears_any_value_in_its_address(screen: AppTest, page: str) -> None:
    for name, value in product(PARAMS[page], ODD):
        opened(screen, page, **{name: value})
