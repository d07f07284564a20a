"""The top bar: logo, search, demo clock, language, account."""

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.db import reading
from core.settings import settings
from core.ui import demo_controls, identity, keys, navigation, own_access, preferences, search_box, watching
from core.ui.demo_controls import DemoPowers
from core.ui.identity import SignedIn
from core.ui.text import day, language, t


def show(signed_in: SignedIn, logo: str, powers: DemoPowers) -> None:
    """Draw the bar; customers have no search."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="topbar"):
        with st.container(horizontal=True, vertical_alignment="center", width=620, wrap=False, key="topbar-left"):
            if signed_in.actor.may(Permission.CUSTOMER_SEARCH):
                st.html(logo + keys.html(single=signed_in.single_keys), width=118, unsafe_allow_javascript=True)
                search_box.show()
            else:
                st.html(logo, width=118)
        st.space("stretch")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="xxsmall", key="topbar-right"):
            if settings().demo:
                _clock(signed_in, powers)
            _language(signed_in)
            if not signed_in.actor.watching:
                _account(signed_in)


def _clock(signed_in: SignedIn, powers: DemoPowers) -> None:
    with reading():  # Business time stands where the database says.
        now = clock.now()
    with st.popover(f"{day(clock.local(now).date(), 'weekday')} · {i18n.clock_time(now)}", icon=":material/schedule:", type="tertiary"):
        demo_controls.show(signed_in, now, powers)


def _language(signed_in: SignedIn) -> None:
    with st.popover(language().upper(), icon=":material/language:", type="tertiary"):
        st.radio(
            t("Language of the screen"),
            list(i18n.LANGUAGES),
            index=list(i18n.LANGUAGES).index(language()),
            format_func=i18n.LANGUAGES.__getitem__,
            key="prefs:language",
            on_change=preferences.choose_language,
            args=(signed_in.actor,),
        )


def _account(signed_in: SignedIn) -> None:
    with st.popover(signed_in.username, icon=":material/account_circle:", type="tertiary"):
        st.text(signed_in.name)
        if signed_in.actor.staff:
            st.page_link(navigation.page(navigation.DESK.path), label=t(navigation.DESK.label), icon=":material/groups:")
            if st.button(t("My password and sessions"), key="session:access", icon=":material/key:"):
                own_access.open_drawer()
            watching.button(signed_in)
        st.button(t("Sign out"), key="session:sign_out", icon=":material/logout:", on_click=identity.sign_out)
