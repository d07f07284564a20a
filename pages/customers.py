"""Clients: what the search box found, and the files opened last."""

import streamlit as st

from core import clock
from core.actor import Actor, Permission
from core.db import reading, transaction
from core.errors import N_
from core.services import customers, looks, search
from core.services.search import Hit, Why, WrongCheckDigits
from core.services.usage_numbers import national
from core.ui import gate, navigation
from core.ui.parts import badge, card, draw, empty, head, heading, row
from core.ui.statuses import status_mark
from core.ui.text import md, message, moment, t, tn

LIMIT = 20
WHY = {
    Why.CUSTOMER_NO: N_("customer no."),
    Why.NAME: "",
    Why.HOLDER: N_("contact: {found}"),
    Why.NEAR: N_("close to “{term}”"),
    Why.PHONE: N_("phone {found}"),
    Why.LINE: N_("line {found}"),
    Why.EMAIL: N_("e-mail {found}"),
    Why.BILL: N_("bill {found}"),
    Why.OGM: N_("communication {found}"),
    Why.NEAR_OGM: N_("bill {found}: its communication is nearly the same"),
    Why.ENTERPRISE_NO: N_("enterprise no. {found}"),
    Why.PRODUCT: N_("product {found}"),
    Why.ORDER: N_("order {found}"),
    Why.APPOINTMENT: N_("visit {found}"),
    Why.ADDRESS: N_("address: {found}"),
}
PAGES = {
    Why.BILL: "bills",
    Why.OGM: "bills",
    Why.NEAR_OGM: "bills",
    Why.APPOINTMENT: "appointments",
    Why.EMAIL: "account",
    Why.ADDRESS: "account",
}


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    term = st.query_params.get("q", "").strip()
    draw(head(t("Customers"), 1))
    if term:
        show_hits(actor, term)
    else:
        empty(t("Search above: a name, a customer no., a phone, an e-mail, a bill, a +++communication+++ or a postcode with a street."))
    show_recent(actor)


def show_hits(actor: Actor, term: str) -> None:
    """Show whom the term leads to; a single one opens at once."""
    try:
        with reading() as session:
            hits = search.find(session, actor, term=term, limit=LIMIT)
    except WrongCheckDigits as refusal:
        st.warning(md(message(refusal)), icon=":material/rule:")
        return
    note_hits(actor, hits)
    open_single(hits, term)
    if not hits:
        st.text(t("No customer for “{term}”. Try the customer no., a phone or a +++…+++ communication.", term=term))
        return
    if hits[0].why is Why.NEAR_OGM:
        st.warning(t("No bill has the communication {term}. These are the nearest.", term=md(term)), icon=":material/rule:")
    if len(hits) == LIMIT:
        summary = t("The {count} most probable results for “{term}”. Add a word to find fewer.", count=LIMIT, term=term)
    else:
        summary = tn("{count} result for “{term}”", "{count} results for “{term}” · the most probable first", len(hits), term=term)
    st.text(summary)
    for hit in hits:
        show_hit(hit, term)


def note_hits(actor: Actor, hits: list[Hit]) -> None:
    """Write down whom this search showed: once, and not at each run of the page."""
    shown = {hit.customer_no: hit.why.value for hit in hits}
    if shown and st.session_state.get("_noted_hits") != shown:
        st.session_state["_noted_hits"] = shown
        with transaction() as session:
            looks.note_hits(session, actor, hits=shown)


def show_hit(hit: Hit, term: str) -> None:
    """Show one customer, and why he was found."""
    number = hit.customer_no
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"card-hit-{number}"):
        with st.container(key=f"desk:hit:{number}", width=230):
            st.page_link(navigation.page(PAGES.get(hit.why, "home")), label=md(hit.name), query_params=query_of(hit))
        st.text(number, width=80)
        st.text(" · ".join(part for part in (hit.address, national(hit.contact) if hit.contact.startswith("+") else hit.contact) if part))
        st.space("stretch")
        if WHY[hit.why]:
            found = national(hit.found) if hit.why in {Why.PHONE, Why.LINE} else hit.found
            st.text(t(WHY[hit.why], found=found, term=term), width="content")
        badge(*status_mark(hit.status))


def show_recent(actor: Actor) -> None:
    """Show the files this colleague opened last."""
    with reading() as session:
        opened = customers.recent(session, actor)
    with card("recent"):
        with row("recent"):
            heading(t("Opened last"), 3, width="content")
        if not opened:
            empty(t("No file was opened yet."))
        for file in opened:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-recent-{file.customer_no}"):
                with st.container(key=f"desk:recent:{file.customer_no}", width=230):
                    query = navigation.customer_query(file.customer_no)
                    st.page_link(navigation.page("home"), label=md(file.name), query_params=query)
                st.text(file.customer_no, width=80)
                st.caption(moment(clock.local(file.at), "short"), width="content")
                st.space("stretch")
                badge(*status_mark(file.status))


def open_single(hits: list[Hit], term: str) -> None:
    """Open a single sure hit, once: whoever comes back to the list wants to see it."""
    seen, st.session_state["_searched"] = st.session_state.get("_searched"), term
    if len(hits) == 1 and hits[0].why not in {Why.NEAR, Why.NEAR_OGM} and seen != term:
        st.switch_page(navigation.page(PAGES.get(hits[0].why, "home")), query_params=query_of(hits[0]))


def query_of(hit: Hit) -> dict[str, str]:
    """Return the address of a hit: a bill that was searched is opened itself."""
    return navigation.customer_query(hit.customer_no) | ({"bill": hit.found} if hit.why in {Why.BILL, Why.NEAR_OGM} else {})


main(gate.enter_desk(Permission.CUSTOMER_SEARCH))
