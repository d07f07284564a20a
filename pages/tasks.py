"""Mes taches: what is left to do in all files: mine, my team's, everybody's; what is late first."""

import streamlit as st

from core.actor import Actor, Permission
from core.db import reading
from core.services import tasks
from core.services.tasks import TaskRow, Whose
from core.ui import forms, gate, parts, task_list
from core.ui.text import t


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    whose, late = task_list.asked()
    with reading() as session:
        counts = tasks.counts(session, actor)
        found = tasks.listed(session, actor, whose=whose, late_only=late)
    show_head(counts, whose, late)
    forms.answer(task_list.FORM)
    show_tasks(actor, found)


def show_head(counts: dict[Whose, int], whose: Whose, late: bool) -> None:  # noqa: FBT001 - a filter
    """Draw whose tasks are shown, and how many there are."""
    with parts.row("tasks"):
        parts.heading(t("My tasks"), 1, width="content")
        st.space("stretch")
        task_list.show_filters(counts, whose, late)


def show_tasks(actor: Actor, found: list[TaskRow]) -> None:
    """Show the tasks, a line each."""
    if not found:
        parts.empty(t("Nothing is left to do here."))
        return
    with parts.card("tasks"):
        for row in found:
            task_list.show_row(actor, row)
        if len(found) == tasks.MOST:
            st.caption(t("The first {count} are shown.", count=tasks.MOST))


main(gate.enter_desk(Permission.TASK_READ))
