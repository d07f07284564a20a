"""Clients: what the search box found, and the files opened last."""

from collections.abc import Callable

import streamlit as st

from core import clock
from core.actor import Actor, Permission
from core.db import reading
from core.errors import N_
from core.services import customers, pins
from core.services.customers import Opened
from core.services.search import Hit
from core.services.search_numbers import WrongCheckDigits
from core.services.search_terms import Why
from core.ui import forms, gate, hits, navigation
from core.ui.act import act, operation
from core.ui.parts import badge, card, draw, empty, fact_rows, head, heading, row
from core.ui.statuses import status_mark
from core.ui.text import md, message, moment, t, tn

LIMIT = 20
PINS = "pins"
WAYS = (
    (N_("just so"), N_("Peeters, Mechelen · lambert sophie · Rue Haute 12 Namur · 0470 00 · 10000017 · +++261/1000/05533+++")),
    (N_("tel:"), N_("a phone or a line, in any spelling, or its last digits")),
    (N_("name:"), N_("a name, in any order; a slip of the fingers is forgiven")),
    (N_("addr:"), N_("a street with its number, a postcode, a town")),
    (N_("mail:"), N_("an e-mail, or part of it")),
    (N_("bill:"), N_("a bill number, or its last digits")),
    (N_("ogm:"), N_("a communication, with or without +++")),
    (N_("vat:"), N_("an enterprise or VAT number, with or without BE and dots")),
    (N_("order: visit:"), N_("the number of an order or of a visit")),
)
"""What can be typed, and the word before a colon that says what is meant."""


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    term = st.query_params.get("q", "").strip()
    with reading() as session:
        kept, opened = pins.pinned(session, actor), customers.recent(session, actor)
    draw(head(t("Customers"), 1))
    found = show_hits(actor, term) if term else []
    forms.answer(PINS)
    with st.grid(2, min_column_width=340, gap="small"):
        show_files("pinned", t("Pinned files"), kept, kept, t("Pin a file, and it stays here for you."))
        show_files("recent", t("Opened last"), opened, kept, t("No file was opened yet."))
    if not found:
        show_ways()


def show_hits(actor: Actor, term: str) -> list[Hit]:
    """Show whom the term leads to; a single one opens at once."""
    try:
        found = hits.ask(actor, term, limit=LIMIT)
    except WrongCheckDigits as refusal:
        st.warning(md(message(refusal)), icon=":material/rule:")
        return []
    open_single(found, term)
    st.query_params["q"] = term  # A link to the page that is open already does not change the browser's address.
    if not found:
        st.text(t("No customer for “{term}”. Try the customer no., a phone or a +++…+++ communication.", term=term))
        return []
    if found[0].why is Why.NEAR_OGM:
        st.warning(t("No bill has the communication {term}. These are the nearest.", term=md(term)), icon=":material/rule:")
    if len(found) == LIMIT:
        summary = t("The {count} most probable results for “{term}”. Add a word to find fewer.", count=LIMIT, term=term)
    else:
        summary = tn("{count} result for “{term}”", "{count} results for “{term}” · the most probable first", len(found), term=term)
    st.text(summary)
    for hit in found:
        show_hit(hit, term)
    return found


def show_hit(hit: Hit, term: str) -> None:
    """Show one customer, and why he was found."""
    number = hit.customer_no
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"card-hit-{number}"):
        with st.container(key=f"desk:hit:{number}", width=230):
            st.page_link(navigation.page(hits.page(hit)), label=md(hit.name), query_params=hits.query(hit))
        st.text(number, width=80)
        st.text(" · ".join(part for part in (hit.address, hits.contact(hit)) if part))
        st.space("stretch")
        if told := hits.why(hit, term):
            st.text(told, width="content")
        badge(*status_mark(hit.status))


def show_files(key: str, title: str, files: list[Opened], kept: list[Opened], missing: str) -> None:
    """Show a list of files, each with its pin."""
    pinned = {file.customer_no for file in kept}
    with card(key):
        with row(key):
            heading(title, 3, width="content")
        if not files:
            empty(missing)
        for file in files:
            number = file.customer_no
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-{key}-{number}"):
                with st.container(key=f"desk:{key}:{number}", width=190):
                    st.page_link(navigation.page("home"), label=md(file.name), query_params=navigation.customer_query(number))
                st.text(number, width=80)
                st.caption(moment(clock.local(file.at), "short"), width="content")
                st.space("stretch")
                badge(*status_mark(file.status))
                on = number in pinned
                key_of_click = operation(PINS, number, on, *sorted(pinned))
                args = (pins.unpin if on else pins.pin, number, key_of_click)
                st.button(t("Unpin") if on else t("Pin"), key=f"desk:pin:{key}:{number}", type="tertiary", on_click=change_pin, args=args)


def show_ways() -> None:
    """Show what can be typed into the box."""
    with card("ways"):
        with row("ways"):
            heading(t("What can be searched"), 3, width="content")
        draw(fact_rows([(t(ways), t(told)) for ways, told in WAYS]))


def open_single(found: list[Hit], term: str) -> None:
    """Open a single sure hit, once: whoever comes back to the list wants to see it."""
    seen, st.session_state["_searched"] = st.session_state.get("_searched"), term
    if hits.sure(found) and seen != term:
        st.switch_page(navigation.page(hits.page(found[0])), query_params=hits.query(found[0]))


def change_pin(verb: Callable[..., None], number: str, key: str) -> None:
    """Pin a file, or take it off the list."""
    act(verb, form=PINS, operation=key, customer_no=number)


main(gate.enter_desk(Permission.CUSTOMER_SEARCH))
