"""A file as its customer sees it: the way in, the banner with the time left, and the way out (W20)."""

import streamlit as st

from core import clock
from core.actor import Permission
from core.db import look_again, transaction
from core.services import sessions
from core.ui import forms, gate, identity
from core.ui.act import act, operation
from core.ui.identity import SignedIn
from core.ui.text import t, tn

FORM = "desk:as_customer"
_LOOK_EVERY_SECONDS = 20


def button(signed_in: SignedIn) -> None:
    """Draw the way into the customer's view of the open file."""
    if signed_in.actor.may(Permission.CUSTOMER_WATCH) and "customer" in st.query_params:
        key = operation(FORM, st.query_params["customer"], signed_in.session_id, st.session_state.get("_watches", 0))
        st.button(t("See as the customer"), key=FORM, icon=":material/visibility:", on_click=_watch, args=(key,))


def banner(signed_in: SignedIn) -> None:
    """Say whose view this is and how long it lasts; nothing where it is one's own."""
    if signed_in.watches_until is not None:
        st.fragment(_banner, run_every=_LOOK_EVERY_SECONDS)()


def _banner() -> None:
    """Draw the banner; once the view ended, by its time or by the click below, the whole page is drawn anew."""
    signed_in = identity.current()
    if signed_in is None or signed_in.watches_until is None:
        st.rerun()
    left = signed_in.watches_until - clock.real_now()
    minutes = int(left.total_seconds() // 60) + 1
    with st.container(horizontal=True, vertical_alignment="center", key="card-watching", border=True):
        told = tn("{count} minute left", "{count} minutes left", minutes)
        st.markdown(
            f":material/visibility: **{t('You see this file as the customer does')}** · {t('nothing can be changed')} · {told}",
            width="stretch",
        )
        st.button(t("Leave the customer's view"), key="watch:leave", type="primary", icon=":material/close:", on_click=leave)


def leave() -> None:
    """End the view; the file stays open."""
    signed_in = identity.current()
    if signed_in is not None:
        with transaction() as session:
            sessions.leave(session, signed_in.session_id)
        look_again()
        forms.forget()


def _watch(key: str) -> None:
    visit, signed_in = gate.visit(Permission.CUSTOMER_WATCH), identity.current()
    st.session_state["_watches"] = st.session_state.get("_watches", 0) + 1
    if signed_in is not None:
        act(sessions.watch, form=FORM, operation=key, customer_id=visit.customer.id, session_id=signed_in.session_id)
