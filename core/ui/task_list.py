"""The list of what is left to do in all files: its filters, which stand in the address, and its rows."""

import streamlit as st

from core import clock
from core.actor import Actor
from core.errors import N_
from core.services.tasks import TaskRow, Whose
from core.ui import navigation, task_card
from core.ui.parts import draw, entry
from core.ui.statuses import task_word
from core.ui.text import day, md, t
from core.ui.timeline_words import who

FORM = task_card.FORM
_WHOSE, _LATE = "tasks:whose", "tasks:late"
WHOSE = {Whose.MINE: N_("Mine"), Whose.TEAM: N_("My team's"), Whose.ALL: N_("Everybody's")}


def asked() -> tuple[Whose, bool]:
    """Return what the address asks for."""
    wanted = st.query_params.get("whose", "")
    return (Whose(wanted) if wanted in list(Whose) else Whose.MINE), st.query_params.get("late") == "1"


def show_filters(counts: dict[Whose, int], whose: Whose, late: bool) -> None:  # noqa: FBT001 - a filter
    """Draw whose tasks are wanted, and whether only those that are late."""
    st.session_state[_WHOSE], st.session_state[_LATE] = whose, late
    st.toggle(t("Late ones only"), key=_LATE, on_change=_filter)
    st.segmented_control(
        t("Whose tasks"), list(Whose), format_func=lambda one: f"{t(WHOSE[one])} · {counts[one]}", key=_WHOSE, required=True,
        on_change=_filter, label_visibility="collapsed",
    )  # fmt: skip


def show_row(actor: Actor, row: TaskRow) -> None:
    """Draw a task with its customer, and what can be done with it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-task-{row.id}"):
        with st.container(key=f"tasks:file:{row.id}", width=190):
            st.page_link(
                navigation.page("timeline"), label=md(row.customer_name), query_params=navigation.customer_query(row.customer_no),
            )  # fmt: skip
        given = f"{who(row.owner, row.team)} · {t('since {since}', since=clock.local(row.created_at).date())}"
        draw(
            entry(
                day(row.due, "short") if row.due else "",
                task_card.mark(row, dated=False),
                "",
                f"{task_word(row.code, row.words)} · {given}",
            )
        )
        with st.container(width="content"):
            task_card.show_actions(actor, row, place="list")


def _filter() -> None:
    """Put the choice into the address."""
    whose, late = st.session_state[_WHOSE], st.session_state[_LATE]
    st.query_params["whose"] = Whose(whose).value
    if late:
        st.query_params["late"] = "1"
    else:
        st.query_params.pop("late", None)
