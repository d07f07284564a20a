"""Sécurité: a customer's password, question and sessions; for the house, their state and a link to a new password."""

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.services import security
from core.services.security import Access
from core.ui import aide, forms, gate, identity, own_access, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.text import day, moment, t

visit = gate.enter(Permission.SECURITY_READ)

HELP = (
    N_(
        "A password has 15 characters or more; there is no rule about capitals, digits or signs. When you change it, your other sessions end."
    ),
    N_("We ask your security question on the telephone, to recognise you. Nobody can read your answer or your password."),
)
HELP_STAFF = (
    N_("You can neither read nor choose a customer's password. Send the link: it works once, for 30 minutes, and a newer one replaces it."),
    N_(
        "Compare the answer while the caller is on the line. Each comparison is written down; after three wrong answers it rests for a while."
    ),
    N_("A right answer proves nothing alone: ask for another fact as well."),
)
CHECK = "check"
RESET = "reset"


def main(visit: Visit) -> None:
    """Draw the tab."""
    with reading() as session:
        access = security.access(session, visit.actor, customer_id=visit.customer.id)
    with parts.row("security"):
        parts.heading(t("Security"), width="content")
    with st.grid(2, min_column_width=340, gap="small"):
        if visit.actor.staff:
            show_access(visit, access)
            show_check(visit, access)
        else:
            with parts.card("password"):
                _title("password", t("Password"))
                own_access.show_password(access.password_since)
            with parts.card("question"):
                _title("question", t("Security question"))
                own_access.show_question(visit, access)
    show_sessions(visit, access)
    aide.show(visit, [t(sentence) for sentence in (HELP_STAFF if visit.actor.staff else HELP)])


def show_access(visit: Visit, access: Access) -> None:
    """Draw how the customer signs in, and send him a link; the password itself is nobody's to see or choose."""
    with parts.card("access"):
        _title("access", t("Sign-in"))
        parts.facts(
            [
                (t("User name"), access.username or t("no account yet")),
                (t("Account"), t("Active") if access.active else t("Closed") if access.username else t("none")),
                (t("Password changed"), day(access.password_since.date()) if access.password_since else t("not since the start")),
                (t("Link sent"), t("works until {until}", until=moment(access.link_until)) if access.link_until else t("none")),
            ]
        )
        if visit.actor.may(Permission.SECURITY_RESET_SEND):
            st.caption(t("The customer receives a link that works once, for 30 minutes. You do not see it."))
            key = operation(RESET, visit.customer.id, access.link_until)
            st.button(t("Send a link to a new password"), key="security:reset", icon=":material/mail:", on_click=send_reset, args=(key,))
        forms.answer(RESET)


def show_check(visit: Visit, access: Access) -> None:
    """Draw the customer's question, and compare the answer of a caller."""
    with parts.card("check"):
        _title("check", t("Security question"))
        if access.question is None:
            known = [
                t("customer number"),
                *([t("birth date")] if visit.customer.born else []),
                t("postcode"),
                t("amount of the last bill"),
            ]
            parts.empty(t("No question was chosen. Ask for two other facts: {facts}.", facts=", ".join(known)))
            return
        st.text(access.question)
        if visit.actor.may(Permission.SECURITY_ANSWER_CHECK):
            forms.begin(CHECK, visit.customer.id, {"security:check": ""})
            with st.form("security:check:form", border=False):
                st.text_input(t("The caller's answer"), key="security:check", autocomplete="off")
                key = operation(CHECK, visit.customer.id, st.session_state.get("_checks", 0))
                st.form_submit_button(t("Compare"), key="security:check:save", on_click=check_answer, args=(key,))
        forms.answer(CHECK)


def show_sessions(visit: Visit, access: Access) -> None:
    """Draw where the customer is signed in."""
    with parts.card("sessions"):
        _title("sessions", t("Sessions"))
        if access.username is None:
            parts.empty(t("Signed in nowhere."))
        else:
            own_access.show_sessions(visit.actor, visit.customer.id)


def _title(key: str, text: str) -> None:
    with parts.row(key):
        parts.heading(text, 3, width="content")


def send_reset(key: str) -> None:
    """Send the link."""
    visit = gate.visit(Permission.SECURITY_RESET_SEND)
    act(
        security.send_reset, form=RESET, operation=key, customer_id=visit.customer.id, address=identity.origin(),
        done=lambda until: t("The link is sent. It works until {until}.", until=moment(until)),
    )  # fmt: skip


def check_answer(key: str) -> None:
    """Compare an answer, say so, and wipe it."""
    visit = gate.visit(Permission.SECURITY_ANSWER_CHECK)
    verdict: list[bool] = []
    answer, st.session_state["security:check"] = st.session_state["security:check"], ""
    st.session_state["_checks"] = st.session_state.get("_checks", 0) + 1

    def keep(right: bool) -> str:  # noqa: FBT001 - the verb's own result
        verdict.append(right)
        return ""

    act(security.check_answer, form=CHECK, operation=key, customer_id=visit.customer.id, answer=answer, done=keep)
    if verdict:
        forms.say(CHECK, t("The answer matches.") if verdict[0] else t("The answer does not match."), good=verdict[0])


main(visit)
