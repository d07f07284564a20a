"""Listes: customers, bills, orders and the rest, filtered, sorted, saved, taken along, and worked on together."""

import streamlit as st

from core.actor import Actor, Permission
from core.db import reading
from core.errors import DomainError
from core.services import lists, saved_views
from core.services.list_nouns import listings_of
from core.services.lists import Page, Query
from core.ui import gate, list_address, list_bulk, list_filter, list_rows, list_tools, list_views, parts
from core.ui.list_address import Asked
from core.ui.text import message, t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    found: Page | None = None
    with reading() as session:
        asked = list_address.read(session, actor)
        views = saved_views.of_list(session, actor, noun=asked.listing.noun)
        refused = asked.refused
        if refused is None:
            try:
                found = lists.page(session, actor, query=asked.query)
            except DomainError as refusal:
                refused = refusal
    parts.draw(parts.head(t("Lists"), 1))
    show_nouns(actor, asked)
    list_bulk.show_run(actor)
    list_views.show(actor, asked, views)
    if refused is not None or found is None:
        show_refusal(asked, refused)
        return
    with parts.card("list-filter"):
        list_filter.show(actor, asked)
    with parts.card("list-rows"):
        list_tools.show(actor, asked, found)
        show_rows(actor, asked, found)


def show_nouns(actor: Actor, asked: Asked) -> None:
    """Draw the choice of the list."""
    known = listings_of(actor)
    st.session_state["lists:of"] = asked.listing.noun
    st.pills(
        t("List"), list(known), key="lists:of", required=True, label_visibility="collapsed",
        format_func=lambda noun: t(known[noun].label), on_change=choose_noun,
    )  # fmt: skip


def show_refusal(asked: Asked, refused: DomainError | None) -> None:
    """Say why nothing is shown, and offer the way out."""
    if refused is not None:
        st.error(message(refused), icon=":material/link_off:")
    st.button(t("Show the whole list"), key="lists:whole", on_click=list_address.go, args=(Query(asked.listing.noun),))


def show_rows(actor: Actor, asked: Asked, found: Page) -> None:
    """Draw the rows, or what is missing."""
    if not found.rows:
        parts.empty(t("No row matches this filter. Take a condition out, or choose another view."))
        return
    list_rows.show(asked, found, list_bulk.chooser(actor, asked))
    list_bulk.show_actions(actor, asked, found)


def choose_noun() -> None:
    """Open another list, whole."""
    list_address.go(Query(st.session_state["lists:of"]))


main(gate.enter_desk(Permission.LIST_READ))
