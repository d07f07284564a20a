"""Which pages there are, and the row of tabs. Addresses and French labels are promised to others: see docs/map.md."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from core.actor import Actor, Permission
from core.errors import N_
from core.ui.parts import Mark
from core.ui.text import language, t

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.navigation.page import StreamlitPage

PAGES = Path(__file__).resolve().parents[2] / "pages"
"""Absolute, since Streamlit counts from the entry script: that is the shell, or app.py where it is run as a plain script."""


@dataclass(frozen=True)
class Tab:
    """A page: its address, its name and its icon."""

    path: str
    label: str
    icon: str


TABS = (
    Tab("home", N_("Home"), "home"),
    Tab("bills", N_("Bills and payments"), "receipt_long"),
    Tab("account", N_("My account"), "person"),
    Tab("security", N_("Security"), "lock"),
    Tab("appointments", N_("Appointments"), "event"),
    Tab("usage", N_("Usage"), "bar_chart"),
)
STORY = Tab("timeline", N_("History"), "history")
"""The tab of a file that its customer never sees."""
DESK = Tab("customers", N_("Customers"), "groups")
DESK_TABS = {
    DESK: Permission.CUSTOMER_SEARCH,
    Tab("tasks", N_("My tasks"), "task_alt"): Permission.TASK_READ,
    Tab("lists", N_("Lists"), "list_alt"): Permission.LIST_READ,
    Tab("dashboard", N_("Team overview"), "monitoring"): Permission.DASHBOARD_READ,
    Tab("payments", N_("Payments"), "payments"): Permission.PAYMENT_RECORD,
    Tab("collections", N_("Direct debits"), "account_balance"): Permission.COLLECTION_RUN,
    Tab("approvals", N_("Approvals"), "approval"): Permission.CREDIT_WRITE,
    Tab("runs", N_("Bill runs"), "receipt"): Permission.JOB_RUN,
    Tab("looks", N_("Who looked"), "policy"): Permission.AUDIT_READ,
}
"""The pages of the house, about no single customer, and the right that each asks for."""
_OFFERED = "_offered"
DESK_PATHS = {tab.path for tab in DESK_TABS}


def pages(start: Callable[[], None]) -> "list[StreamlitPage]":
    """Return all pages for st.navigation. `/` itself is `start`, a hidden page that only switches to the right one.

    Every page is always in the list, whoever looks: a list by right would lose deep links on the way through the sign-in.
    """
    listed = [copy(page(tab.path)) for tab in (*TABS, STORY, *DESK_TABS)]  # Copies: Streamlit marks in them which one this run may open.
    return [st.Page(start, title="Guichet", url_path="start", default=True), *listed]


def page(path: str) -> "StreamlitPage":
    """Return what st.switch_page and st.page_link want for a page."""
    return _page(path, language())


@cache
def _page(path: str, _language: str) -> "StreamlitPage":
    """Make a page once for each language of its title: Streamlit looks at every folder on the way to its file."""
    label = next(tab.label for tab in (*TABS, STORY, *DESK_TABS) if tab.path == path)
    return st.Page(PAGES / f"{path}.py", title=t(label), url_path=path)


FOUND = "found"
"""What of the address names the number that a search found."""


def found_mark(*numbers: str | None) -> list[Mark]:
    """Return the mark of what carries the number that a search found; none where it is another's."""
    found = st.query_params.get(FOUND)
    return [Mark(t("Found"), "info", "search")] if found and found in numbers else []


def customer_query(customer_no: str | None, *, leads: bool = True) -> dict[str, str]:
    """Return the part of the address that keeps a customer's file open; who follows a link of the desk is asked for no reason (access.door).

    What somebody put together himself does not lead to a file: its links ask as a bare address does.
    """
    if not customer_no:
        return {}
    if leads:
        st.session_state.setdefault(_OFFERED, set()).add(customer_no)
    return {"customer": customer_no}


def offered(customer_no: str) -> bool:
    """Whether the desk itself led to a file in this browser tab: a search, a list of the trade, a task."""
    return customer_no in st.session_state.get(_OFFERED, ())


def tabs(customer_no: str | None) -> "DeltaGenerator":
    """Draw the tabs as links that keep the customer, for the house with the story; Streamlit marks the one that is open. Return their row."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="tabs")
    with row:
        for tab in (*TABS, STORY) if customer_no else TABS:
            st.page_link(page(tab.path), label=t(tab.label), icon=f":material/{tab.icon}:", query_params=customer_query(customer_no))
    return row


def desk_tabs(actor: Actor) -> None:
    """Draw the pages of the house that this colleague may open; nothing where there is only one."""
    mine = [tab for tab, right in DESK_TABS.items() if actor.may(right)]
    if len(mine) > 1:
        with st.container(horizontal=True, gap="xxsmall", key="tabs"):
            for tab in mine:
                st.page_link(page(tab.path), label=t(tab.label), icon=f":material/{tab.icon}:")
