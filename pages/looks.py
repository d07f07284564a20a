"""Accès aux dossiers: who looked at a customer's data, and who looked at more than is usual for him."""

from functools import partial

import streamlit as st

from core import clock
from core.actor import Actor, Permission
from core.db import reading
from core.services import looks
from core.services.looks import Anomaly, Report
from core.settings import settings
from core.ui import download, forms, gate, look_parts, parts
from core.ui.act import act, operation
from core.ui.text import language, t, tn

FORM = "looks"
MONTHS = 12
_ASKED = "_looks"


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    with reading() as session:
        unusual = looks.anomalies(session, actor)
    parts.draw(parts.head(t("Who looked"), 1))
    show_form(actor)
    asked = st.session_state.get(_ASKED)
    if asked:
        with reading() as session:
            found = looks.report(session, actor, **asked)
        show_report(found)
    show_unusual(unusual)


def show_form(actor: Actor) -> None:
    """Ask about whom, and of which days."""
    today = clock.local(clock.real_now()).date()
    forms.begin(FORM, actor.user_id or 0, {"looks:customer": ""})
    with parts.card("looks"), st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(t("Customer no."), key="looks:customer", max_chars=8, width=180)
        st.date_input(t("From"), clock.add_months(today, -MONTHS), key="looks:since", format="DD/MM/YYYY", width=150)
        st.date_input(t("To"), today, key="looks:until", format="DD/MM/YYYY", width=150)
        key = operation(FORM, st.session_state.get("_looks_asked", 0))
        st.button(t("Show who looked"), key="looks:show", type="primary", on_click=ask, args=(key,))
    if settings().demo:
        parts.draw(parts.note(t("Days and hours of this page are real ones: who looked, and when, does not move with the demo's clock.")))
    forms.error(FORM, "customer_no")
    forms.error(FORM, "until")
    forms.answer(FORM)


def show_report(found: Report) -> None:
    """Show who looked, the newest look first, and the way to the file of all of them."""
    with parts.card("report"):
        note = tn("{count} look", "{count} looks", found.total)
        parts.draw(parts.head(found.customer_name, 2, note=f"{found.customer_no} · {note}"))
        if not found.looks:
            parts.empty(t("Nobody of the house looked at this file in these days."))
            return
        export = partial(looks.export, customer_no=found.customer_no, since=found.since, until=found.until, language=language())
        st.download_button(
            t("All looks (CSV)"), data=download.made(export), file_name=f"looks-{found.customer_no}.csv",
            mime="text/csv", key="looks:csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        parts.draw(parts.ladder([look_parts.line(one) for one in found.looks], wide=True))
        if found.total > len(found.looks):
            parts.empty(t("The newest {count} are shown; the file holds all.", count=len(found.looks)))


def show_unusual(found: list[Anomaly]) -> None:
    """Show the hours in which somebody opened more files than usual."""
    with parts.card("unusual"):
        parts.draw(parts.head(t("More files than usual"), 2), parts.note(look_parts.rule()))
        if found:
            parts.draw(parts.ladder([look_parts.unusual(one) for one in found], wide=True))
        else:
            parts.empty(t("Nobody opened more files than usual."))


def ask(key: str) -> None:
    """Write down who asks, and show the report."""
    st.session_state["_looks_asked"] = st.session_state.get("_looks_asked", 0) + 1
    st.session_state.pop(_ASKED, None)
    given = {
        name: st.session_state[f"looks:{field}"] for name, field in (("customer_no", "customer"), ("since", "since"), ("until", "until"))
    }
    if act(looks.ask_report, form=FORM, operation=key, **given):
        st.session_state[_ASKED] = given


main(gate.enter_desk(Permission.AUDIT_READ))
