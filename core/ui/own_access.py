"""What one does with an account of one's own: change the password or the question, and see where it is signed in."""

import secrets
from datetime import datetime

import streamlit as st

from core.actor import Actor, Permission
from core.db import reading
from core.services import security, sessions
from core.services.security import Access
from core.services.sessions import SessionLine
from core.settings import settings
from core.ui import forms, gate, identity, keys, parts, preferences
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.identity import SignedIn
from core.ui.text import day, md, moment, t, tn

PASSWORD = "password"  # noqa: S105 - the name of a form
SESSIONS = "sessions"
QUESTION = "question"
_FIELDS = ("security:current", "security:new", "security:repeat")
_QUESTION_FIELDS = ("security:question", "security:answer", "security:question:current")


def open_drawer() -> None:
    """Open one's own password and sessions at the right: for those who have no tab of their own."""
    parts.drawer(t("My password and sessions"), _drawer)


def _drawer() -> None:
    signed_in = identity.current()
    if signed_in is None:
        st.rerun()
    with reading() as session:
        since = security.password_since(session, signed_in.actor)
    show_password(since)
    show_sessions(signed_in.actor, None)
    if signed_in.actor.may(Permission.CUSTOMER_SEARCH):
        show_keys(signed_in)


def show_keys(signed_in: SignedIn) -> None:
    """Draw the switch of the single keys, and what each does."""
    st.markdown(f"**{t('Keyboard')}**")
    st.session_state["prefs:keys"] = signed_in.single_keys
    st.toggle(t("Single keys"), key="prefs:keys", on_change=preferences.choose_keys, args=(signed_in.actor,))
    parts.draw(keys.rows())


def show_password(since: datetime | None) -> None:
    """Draw the form of a new password; what is typed stays until it was right."""
    with st.form("security:password", border=False):
        st.text_input(t("Current password"), type="password", key="security:current", autocomplete="current-password")
        forms.error(PASSWORD, "current")
        st.text_input(t("New password"), type="password", key="security:new", autocomplete="new-password")
        forms.error(PASSWORD, "new")
        st.text_input(t("New password, once more"), type="password", key="security:repeat", autocomplete="new-password")
        forms.error(PASSWORD, "repeat")
        st.caption(t("15 characters or more. Four words that do not belong together are easy to keep."))
        st.form_submit_button(
            t("Save the password"), key="security:save", type="primary", on_click=_change, args=(operation(PASSWORD, since),)
        )  # fmt: skip
    forms.answer(PASSWORD)


def show_question(visit: Visit, access: Access) -> None:
    """Draw the customer's question; the answer is typed anew each time, since nobody keeps it (S25)."""
    if access.question and access.question_since:
        parts.facts([(t("Your question"), access.question), (t("Set on"), day(access.question_since.date()))])
    with st.form("security:question:form", border=False):
        st.text_input(t("Question"), key="security:question", placeholder=t("The name of your first pet"))
        forms.error(QUESTION, "question")
        st.text_input(t("Answer"), key="security:answer", autocomplete="off")
        forms.error(QUESTION, "answer")
        st.text_input(t("Current password"), type="password", key="security:question:current", autocomplete="current-password")
        forms.error(QUESTION, "current")
        st.caption(t("We ask it on the telephone to recognise you. It never lets anyone sign in."))
        key = operation(QUESTION, visit.customer.id, access.question_version)
        st.form_submit_button(
            t("Save the question"), key="security:question:save", on_click=_save_question, args=(key, access.question_version)
        )
    forms.answer(QUESTION)


def show_sessions(actor: Actor, customer_id: int | None) -> None:
    """Draw where a customer's account, or the actor's own (None), is signed in; who may can end each."""
    signed_in = identity.current()
    here = signed_in.session_id if signed_in else 0
    with reading() as session:
        lines = sessions.of_user(session, actor, customer_id=customer_id)
    may = customer_id is None or actor.may(Permission.SESSION_REVOKE)
    for line in lines:
        _show_session(line, customer_id, here=line.id == here, may=may)
    others = [line.id for line in lines if line.id != here]
    if not lines:
        parts.empty(t("Signed in nowhere."))
    elif settings().demo:
        st.caption(t("Sign-ins follow real time, whatever day the demo's clock shows."))
    if may and others:
        key = operation(SESSIONS, *others)
        st.button(t("Sign out everywhere else") if here in {line.id for line in lines} else t("Sign out everywhere"),
                  key="security:sessions:all", on_click=_revoke_all, args=(key, customer_id, here))  # fmt: skip
    forms.answer(SESSIONS)


def _show_session(line: SessionLine, customer_id: int | None, *, here: bool, may: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-session-{line.id}"):
        st.markdown(f"**{md(line.device or t('Unknown browser'))}**", width="content")
        if here:
            parts.badge(t("This session"), "info", "check")
        st.caption(
            t("since {since}, last used {seen}", since=moment(line.since, "short"), seen=moment(line.last_seen_at, "short")),
            width="content",
        )
        st.space("stretch")
        if may and not here:
            key = operation(SESSIONS, line.id)
            st.button(
                t("End the session"), key=f"security:session:{line.id}", type="tertiary", on_click=_revoke, args=(key, customer_id, line.id)
            )


def _count_try(form: str) -> bool:
    """Count a try of one's own password, in a transaction of its own: the refusal that may follow must not undo it."""
    return act(security.count_try, form=form, operation=operation(form, secrets.token_hex()))


def _change(key: str) -> None:
    signed_in = identity.current()
    if signed_in is None or not _count_try(PASSWORD):
        return
    current, new, repeat = (st.session_state[name] for name in _FIELDS)
    changed = act(
        security.change_password, form=PASSWORD, operation=key, current=current, new=new, repeat=repeat, session_id=signed_in.session_id,
        done=lambda ended: tn("Your password is changed. {count} other session was signed out.", "Your password is changed. {count} other sessions were signed out.", ended),
    )  # fmt: skip
    if changed:
        _empty(_FIELDS)


def _save_question(key: str, shown_version: int) -> None:
    visit = gate.visit(Permission.SECURITY_WRITE)
    question, answer, current = (st.session_state[name] for name in _QUESTION_FIELDS)
    saved = _count_try(QUESTION) and act(
        security.set_question, form=QUESTION, operation=key, customer_id=visit.customer.id, current=current, question=question,
        answer=answer, shown_version=shown_version, done=t("Your question is saved."),
    )  # fmt: skip
    if saved:
        _empty(_QUESTION_FIELDS)


def _empty(fields: tuple[str, ...]) -> None:
    """Wipe what was typed once it was right: no secret stays on the screen."""
    for name in fields:
        st.session_state[name] = ""


def _revoke(key: str, customer_id: int | None, session_id: int) -> None:
    act(
        sessions.revoke,
        form=SESSIONS,
        operation=key,
        customer_id=customer_id,
        session_id=session_id,
        done=t("Signed out. It ends at the next click there."),
    )


def _revoke_all(key: str, customer_id: int | None, here: int) -> None:
    act(
        sessions.revoke_all, form=SESSIONS, operation=key, customer_id=customer_id, but=here,
        done=lambda ended: tn("{count} session was signed out.", "{count} sessions were signed out.", ended),
    )  # fmt: skip
