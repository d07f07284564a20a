"""The search box of every page: as somebody types, what was found stands beneath it. A fragment of its own, so that the page rests meanwhile."""

import streamlit as st

from core.actor import Permission
from core.services.search import Hit
from core.services.search_numbers import WrongCheckDigits
from core.services.search_terms import MOST_CHARACTERS
from core.ui import hits, identity, navigation, view
from core.ui.parts import draw
from core.ui.statuses import status_mark
from core.ui.text import esc, md, message, t

KEY = "desk:search"
LIMIT = 8
SHORTEST = 2
_TYPED = "_typed"
_LAST = "_last_search"


@st.fragment
def show() -> None:
    """Draw the box, and beneath it what was found for what was just typed; any other run of the page closes the list."""
    with view.at_one_moment(), st.container(key="search", gap=None):
        st.text_input(
            t("Find a customer"),
            key=KEY,
            type="search",
            icon=":material/search:",
            label_visibility="collapsed",
            placeholder=t("Name, customer no., phone, bill, +++OGM+++"),
            max_chars=MOST_CHARACTERS,
            live="250ms",
            on_change=_note_typed,
        )
        term = str(st.session_state.pop(_TYPED, "")).strip()
        signed_in = identity.current() if len(term) >= SHORTEST else None
        if signed_in is not None and signed_in.actor.may(Permission.CUSTOMER_SEARCH):
            with st.container(key="search-hits", gap=None):
                try:
                    _show_hits(term, hits.ask(signed_in.actor, term, limit=LIMIT))
                except WrongCheckDigits as refusal:
                    _show_end(term, message(refusal))


def _note_typed() -> None:
    """Keep what was typed for this run; after a change of page the browser says the same once more, which is no new search."""
    term = st.session_state[KEY]
    if term != st.session_state.get(_LAST):
        st.session_state[_LAST] = st.session_state[_TYPED] = term


def _show_hits(term: str, found: list[Hit]) -> None:
    again = "q" in st.query_params  # The page may list the same customers, under the keys that are promised.
    for hit in found:
        with st.container(key=f"desk:{'quick' if again else 'hit'}:{hit.customer_no}"):
            state = [status_mark(hit.status).word] if hits.ended(hit) else []
            told = " · ".join(part for part in (hit.customer_no, *state, hits.why(hit, term), hit.address) if part)
            label = f"**{md(hit.name)}** :small[{md(told)}]"
            st.page_link(navigation.page(hits.page(hit)), label=label, query_params=hits.query(hit))
    nobody = t("No customer for “{term}”. Try the customer no., a phone or a +++…+++ communication.", term=term)
    _show_end(term, "" if found else nobody, single=hits.sure(found))


def _show_end(term: str, told: str, *, single: bool = False) -> None:
    """Say what is to be said, in the element that also tells the keyboard which term this list is for, and lead to the page of all results."""
    only = ' data-single="1"' if single else ""
    draw(f'<p class="g-lead" role="status" data-term="{esc(term)}"{only}>{esc(told)}</p>')
    label = t("What can be searched") if told else t("All results")
    page = navigation.page(navigation.DESK.path)
    st.page_link(page, label=label, icon=":material/arrow_forward:", icon_position="right", query_params={"q": term})
