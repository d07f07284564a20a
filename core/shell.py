"""The script of each run: who is it, where does he want to go, and the frame around every page.

It lies here, and not beside `pages/`, because Streamlit runs the pages of a sibling folder without asking the entry script.
"""

import streamlit as st

from core import start
from core.db import life, reading, transaction
from core.services import customers, sessions
from core.ui import band, call_bar, door, forms, gate, identity, navigation, reveal, sign_in, topbar, view, watching
from core.ui.brand import icon, logo, style
from core.ui.demo_controls import DemoPowers
from core.ui.identity import SignedIn
from core.ui.parts import draw, drawers_last
from core.ui.text import speak


def main() -> None:
    """Run the page the address names, for whom the cookie names."""
    st.set_page_config(page_title="Guichet", page_icon=icon(), layout="wide")
    if not start.done():
        with st.spinner("Guichet …"):  # Nobody has signed in yet: no language is chosen.
            start.once()
    with view.at_one_moment(), drawers_last():
        _run()


def _run() -> None:
    signed_in = identity.current()
    if signed_in is not None:
        speak(signed_in.language, unless_chosen=True)
    page = st.navigation(navigation.pages(_start), position="hidden")
    draw(style("guichet"))
    with st.container(horizontal_alignment="center"), st.container(key="shell", width=1320):
        if signed_in is None:
            sign_in.show(logo())
        else:
            _frame(signed_in, page)


def _frame(signed_in: SignedIn, page: "st.navigation.StreamlitPage") -> None:  # type: ignore[name-defined]
    visit = gate.find(signed_in.actor)
    if _moved(page.url_path, visit.customer.customer_no if visit else ""):
        forms.forget()
        reveal.forget()
        if visit is not None:
            # A link from a file to another one on the same page leaves the browser's address as it was; the tabs of a watched
            # customer name none, and who leaves his view is in his file.
            if "customer" in st.query_params or signed_in.actor.watching:
                st.query_params["customer"] = visit.customer.customer_no
            _note_the_look(visit)
        if signed_in.actor.staff:
            _note_the_file(signed_in, visit)
    topbar.show(signed_in, logo(), DemoPowers(start.reset_demo, start.live))
    watching.banner(signed_in)
    if page.url_path in navigation.DESK_PATHS:
        if signed_in.actor.staff:
            navigation.desk_tabs(signed_in.actor)
    elif visit is not None:
        marks = band.show(visit).marks
        with navigation.tabs(visit.customer.customer_no if visit.actor.staff else None):
            call_bar.show(visit, marks)
    elif waiting := gate.closed(signed_in.actor):
        door.show(waiting)
        return
    with gate.opened(visit):
        page.run()


def _note_the_look(visit: gate.Visit) -> None:
    """Write down who opened this file; a look that is written down already asks for no transaction."""
    with reading() as session:
        noted = customers.opened_lately(session, visit.actor, customer_id=visit.customer.id)
    if not noted:
        with transaction() as session:
            customers.open_file(session, visit.actor, customer_id=visit.customer.id)


def _note_the_file(signed_in: SignedIn, visit: gate.Visit | None) -> None:
    """Let colleagues see which file is open here; a tab of the same file is no news."""
    customer_id = visit.customer.id if visit else None
    here = (life(), customer_id)
    if st.session_state.get("_file", (life(), None)) != here:
        with transaction() as session:
            sessions.at_file(session, signed_in.actor, session_id=signed_in.session_id, customer_id=customer_id)
        st.session_state["_file"] = here


def _start() -> None:
    """Switch from `/` to the first page of whoever signed in, and keep the address's query."""
    signed_in = identity.current()
    at_home = signed_in is not None and (not signed_in.actor.staff or "customer" in st.query_params)
    st.switch_page(navigation.page("home" if at_home else navigation.DESK.path), query_params=dict(st.query_params))


def _moved(path: str, customer_no: str) -> bool:
    """Whether another page or another file is open than in the run before."""
    before, st.session_state["_here"] = st.session_state.get("_here"), (path, customer_no)
    return bool(before != (path, customer_no))


main()
