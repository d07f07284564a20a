"""The sign-in screen: streamlit-authenticator's form with our own check behind it, and the doors of a demo."""

from typing import Any

import streamlit as st

from core import i18n
from core.db import reading, transaction
from core.errors import N_, DomainError
from core.services import security, sessions, throttle, users
from core.settings import settings
from core.ui import forms, identity
from core.ui.brand import style
from core.ui.parts import draw
from core.ui.text import md, message, speak, t

FORM = "sign_in"
ROLES = {
    "agent": N_("Agent"),
    "senior": N_("Team lead"),
    "billing": N_("Billing"),
    "product": N_("Product"),
    "admin": N_("Administration"),
    "viewer": N_("Read only"),
}
_CHOSEN = "_chosen_language"


def show(logo: str) -> None:
    """Draw the card: the form, or the choice of a new password where the address carries a link to one."""
    draw(style("sign_in"))
    with st.container(horizontal_alignment="center"), st.container(width=460, border=True, key="card-sign_in", gap="small"):
        st.html(logo)
        if "reset" in st.query_params:
            _show_reset(st.query_params["reset"])
        else:
            _show_form()
        _show_languages()


def _show_form() -> None:
    st.title(t("Sign in"), anchor=False)
    if not settings().demo and not identity.browser():
        st.warning(t("This browser, or something on the way to it, drops our cookie. Allow cookies for this site and reload the page."))
        return
    fields = {"Form name": t("Sign in"), "Username": t("User name"), "Password": t("Password"), "Login": t("Sign in")}
    _authenticator().login(fields=fields, key="sign_in:form")
    if identity.current() is not None:
        st.rerun()
    _answer()
    if settings().demo:
        _show_demo()


def _show_demo() -> None:
    st.caption(t("Demonstration: invented data, demo prices. One click lets you in."))
    with st.container(key="sign_in:staff"), st.grid(2, min_column_width=130, gap="small"):
        for username, role in ROLES.items():
            _door(username, t(role), ":material/badge:")
    with reading() as session:
        customers = users.demo_names(session)
    with st.expander(t("Enter as a customer")), st.grid(3, min_column_width=110, gap="small"):
        for username, name in customers.items():
            _door(username, md(name), None)


def _door(username: str, label: str, icon: str | None) -> None:
    st.button(label, key=f"sign_in:demo:{username}", icon=icon, width="stretch", on_click=_enter_demo, args=(username,))


def _show_languages() -> None:
    with st.container(horizontal=True, gap="small", key="sign_in:languages"):
        for code, name in i18n.LANGUAGES.items():
            st.button(name, key=f"sign_in:language:{code}", type="tertiary", on_click=_choose_language, args=(code,))


def _show_reset(token: str) -> None:
    try:
        with reading() as session:
            username, language = security.reset_for(session, token)
    except DomainError as refusal:
        st.title(t("Choose a password"), anchor=False)
        st.error(message(refusal), icon=":material/error:")
        st.button(t("Go to the sign-in"), key="sign_in:back", on_click=st.query_params.clear)
        return
    speak(language, unless_chosen=True)
    st.title(t("Choose a password"), anchor=False)
    st.caption(
        t("For the account {username}. 15 characters or more: four words that do not belong together are easy to keep.", username=username)
    )
    with st.form("sign_in:reset", border=False):
        st.text_input(t("New password"), type="password", key="sign_in:new", autocomplete="new-password")
        forms.error(FORM, "new")
        st.text_input(t("New password, once more"), type="password", key="sign_in:repeat", autocomplete="new-password")
        forms.error(FORM, "repeat")
        st.form_submit_button(t("Save the password"), key="sign_in:reset:save", on_click=_reset, args=(token,))
    forms.answer(FORM)


def _answer() -> None:
    """Draw the answer to the last try: our own words alone, so nothing in them needs to be made inert."""
    found = forms.last(FORM)
    if found is not None and found.good:
        st.success(found.text, icon=":material/check_circle:")
    elif found is not None:
        st.error(found.text, icon=":material/error:")


def _choose_language(code: str) -> None:
    speak(code)
    st.session_state[_CHOSEN] = code


def _enter_demo(username: str) -> None:
    try:
        with transaction() as session:
            token = users.admit_demo(session, username=username, device=identity.device(), browser=identity.browser())
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False)
        return
    _enter(token)


def _reset(token: str) -> None:
    try:
        with transaction() as session:
            security.reset_password(session, token=token, new=st.session_state["sign_in:new"], repeat=st.session_state["sign_in:repeat"])
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False, field=refusal.field)
        return
    st.query_params.clear()
    forms.say(FORM, t("Your password is saved. Sign in with it."), good=True)


def _judge(username: str, password: str) -> bool:
    """Judge a try in three steps: count it, judge it without holding the database, then let in or note the refusal."""
    forms.forget()
    try:
        with transaction() as session:
            entry = users.entry(session, username=username, browser=identity.browser(), address=identity.address())
            throttle.begin(session, *entry.scopes)
    except throttle.TooManyTries as refusal:
        forms.say(FORM, message(refusal), good=False)
        return False
    right = users.judge(entry, password)
    with transaction() as session:
        token = users.admit(session, entry, password=password, device=identity.device(), browser=identity.browser()) if right else None
        if token is None:
            users.refuse(session, entry)
    if token is None:
        forms.say(FORM, t("User name or password is wrong."), good=False)
        return False
    _enter(token)
    return True


def _enter(token: str) -> None:
    """Let the new session into the browser, in the language that was chosen on this screen."""
    chosen = st.session_state.get(_CHOSEN)
    if chosen is not None:
        with transaction() as session:
            signed_in = sessions.find(session, token)
            if signed_in is not None:
                users.choose_language(session, signed_in.actor, language=chosen)
    identity.enter(token)


def _authenticator() -> Any:  # noqa: ANN401 - the library has no types
    """Return the library's form: it reads no cookie, keeps no state and knows no password. Signed-in runs never import it."""
    from streamlit_authenticator import Authenticate  # noqa: PLC0415 - costs a second, once, here only

    class Form(Authenticate):  # type: ignore[misc]
        """Takes the library's form, and neither its cookie in an iframe nor its credentials in memory."""

        def __init__(self) -> None:
            self.path = None
            self.attrs = {"login_sleep_time": 0}
            self.cookie_controller = _NoCookie()
            self.authentication_controller = _Check()

    return Form()


class _NoCookie:
    """Stands where the library writes a cookie that scripts can read: ours is set by a route."""

    def get_cookie(self) -> None:
        """Know nobody."""

    def set_cookie(self) -> None:
        """Write nothing."""


class _Check:
    """Stands where the library compares passwords: it would strip them, forget wrong tries and tell known names by their time."""

    def login(self, username: str, password: str, *_limits: object, **_options: object) -> bool:
        """Judge what the form holds."""
        return _judge(username, password)
