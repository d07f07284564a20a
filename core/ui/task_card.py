"""What is left to do: a task with what can be done with it, the card of a file's tasks, and the form of a new one."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from core import clock
from core.actor import Actor, Permission
from core.db import reading
from core.models.interaction import Team
from core.services import tasks
from core.services.tasks import Colleague, Target, TaskRow
from core.ui import forms, parts, two_at_once
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark
from core.ui.statuses import task_word
from core.ui.text import day, md, moment, t, tn
from core.ui.timeline_words import TEAMS, who
from core.ui.two_at_once import Field

FORM = "desk:task"
_ROUND = "_task_round"
_PERSON, _TEAM = "person:", "team:"


def show(visit: Visit) -> None:
    """Draw the card of a file's tasks."""
    with reading() as session:
        found = tasks.of_customer(session, visit.actor, customer_id=visit.customer.id)
    with parts.card("tasks"):
        with parts.row("tasks"):
            parts.heading(t("To do"), 3, width="content")
            st.space("stretch")
            if visit.actor.may(Permission.TASK_WRITE):
                _new(visit)
        forms.answer(FORM)
        if not found:
            parts.empty(t("Nothing is left to do."))
        for row in found:
            with st.container(gap="xxsmall", key=f"billrow-task-{row.id}"):
                show_row(row)
                show_actions(visit.actor, row, place="card")


def show_row(row: TaskRow) -> None:
    """Draw what is to do, by whom and until when."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        parts.badge(*mark(row))
        st.caption(md(who(row.owner, row.team)), width="content")
    st.text(task_word(row.code, row.words))


def mark(row: TaskRow, *, dated: bool = True) -> Mark:
    """Return how a task stands; `dated` with its day, where that does not stand beside it."""
    if not row.open:
        return Mark(t("Done"), "good", "check_circle")
    if row.days_late:
        return Mark(tn("{count} day late", "{count} days late", row.days_late), "bad", "error")
    if row.due == clock.today():
        return Mark(t("Today"), "watch", "today")
    if row.due is None:
        return Mark(t("No date"), "neutral", "schedule")
    return Mark(t("by {due} at the latest", due=day(row.due, "short")) if dated else t("To do"), "info", "schedule")


def show_actions(actor: Actor, row: TaskRow, *, place: str) -> None:
    """Draw what can be done with a task: it is done, it is somebody else's, it was done too soon."""
    if not row.open:
        told = t("Done by {who} on {on}", who=row.done_by or "?", on=moment(row.done_at, "short") if row.done_at else "")
        st.caption(md(" · ".join(filter(None, (told, row.done_words)))))
    if not actor.may(Permission.TASK_WRITE):
        return
    shown: dict[str, Any] = {"customer_id": row.customer_id, "task_id": row.id, "shown_version": row.version}
    key, name = operation(FORM, place, row.id, row.version), f"{place}:{row.id}"
    if not row.open:
        st.button(t("Open it again"), key=f"desk:task:reopen:{name}", type="tertiary", on_click=_reopen, args=(shown, f"{key}o"))
        return
    with st.container(horizontal=True, gap="small"):
        with st.popover(t("It is done"), type="tertiary", key=f"desk:task:done:{name}", icon=":material/check:"):
            st.text_input(t("How it went (optional)"), key=f"desk:task:words:{name}", max_chars=tasks.WORDS_LENGTH)
            st.button(t("Mark it done"), key=f"desk:task:complete:{name}", on_click=_complete, args=(name, shown, f"{key}d"))
        with st.popover(t("Hand over"), type="tertiary", key=f"desk:task:hand:{name}", icon=":material/forward:"):
            _fill(actor, row, name)
            forms.error(FORM, "owner")
            forms.error(FORM, "due")
            two_at_once.show(f"desk:task:hand:{name}")
            two_at_once.theirs(f"desk:task:hand:{name}")
            st.button(t("Hand it over"), key=f"desk:task:hand_over:{name}", on_click=_hand_over, args=(name, shown, f"{key}h"))


def _fill(actor: Actor, row: TaskRow, name: str) -> None:
    """Draw who does it and until when, with what is stored."""
    with reading() as session:
        there = tasks.colleagues(session, actor)
    whom, due = f"desk:task:to:{name}", f"desk:task:due:{name}"
    now = _option(Target(row.owner, None if row.owner else row.team))
    options = list(dict.fromkeys([*_options(there), now]))
    named = partial(_named, there=there)
    fields = {whom: Field(t("Who does it"), now, named), due: Field(t("Due"), row.due, lambda on: day(on) if on else "")}
    two_at_once.fill(f"desk:task:hand:{name}", row.id, fields)
    st.selectbox(t("Who does it"), options, key=whom, format_func=named)
    st.date_input(t("Due"), value=None, key=due, format="DD/MM/YYYY")


def choose(key: str, actor: Actor, *, current: Target) -> None:
    """Draw the choice of a colleague or a team."""
    with reading() as session:
        there = tasks.colleagues(session, actor)
    options, now = _options(there), _option(current)
    index = options.index(now) if now in options else 0
    st.selectbox(t("Who does it"), options, index=index, key=key, format_func=lambda option: _named(option, there))


def _options(there: Sequence[Colleague]) -> list[str]:
    return [*(f"{_TEAM}{team.value}" for team in Team), *(f"{_PERSON}{one.username}" for one in there)]


def _option(target: Target) -> str:
    return f"{_PERSON}{target.owner}" if target.owner else f"{_TEAM}{(target.team or Team.CARE).value}"


def chosen(key: str) -> Target:
    """Return who was chosen."""
    option = str(st.session_state.get(key, ""))
    if option.startswith(_PERSON):
        return Target(owner=option.removeprefix(_PERSON))
    return Target(team=Team(option.removeprefix(_TEAM) or Team.CARE))


def _named(option: str, there: Sequence[Colleague]) -> str:
    if option.startswith(_TEAM):
        return t("Team: {team}", team=t(TEAMS[Team(option.removeprefix(_TEAM))]))
    username = option.removeprefix(_PERSON)
    return next((f"{one.name} ({one.username})" for one in there if one.username == username), username)


def _new(visit: Visit) -> None:
    number = st.session_state.get(_ROUND, 0)
    name = f"{visit.customer.id}:{number}"
    with st.popover(t("New task"), icon=":material/add_task:", type="tertiary", key="desk:task:new"):
        st.text_input(t("What is to do"), key=f"desk:task:what:{name}", max_chars=tasks.WORDS_LENGTH)
        forms.error(FORM, "task")
        choose(f"desk:task:whom:{name}", visit.actor, current=Target(owner=visit.actor.username))
        forms.error(FORM, "owner")
        st.date_input(t("Due (optional)"), value=None, min_value=clock.today(), key=f"desk:task:by:{name}", format="DD/MM/YYYY")
        forms.error(FORM, "due")
        key = operation(FORM, "new", name)
        st.button(t("Write it down"), key="desk:task:save", on_click=_add, args=(visit.customer.id, number, key))


def _add(customer_id: int, number: int, key: str) -> None:
    name = f"{customer_id}:{number}"
    given = {
        "words": st.session_state.get(f"desk:task:what:{name}", ""),
        "due": st.session_state.get(f"desk:task:by:{name}"),
        "to": chosen(f"desk:task:whom:{name}"),
    }
    if act(tasks.add, form=FORM, operation=key, done=t("Written down."), customer_id=customer_id, **given):
        st.session_state[_ROUND] = number + 1


def _complete(name: str, shown: dict[str, Any], key: str) -> None:
    words = st.session_state.get(f"desk:task:words:{name}", "")
    act(tasks.complete, form=FORM, operation=key, done=t("Done."), words=words, **shown)


def _reopen(shown: dict[str, Any], key: str) -> None:
    act(tasks.reopen, form=FORM, operation=key, done=t("The task is open again."), **shown)


def _hand_over(name: str, shown: dict[str, Any], key: str) -> None:
    to, due = chosen(f"desk:task:to:{name}"), st.session_state.get(f"desk:task:due:{name}")
    if act(tasks.hand_over, form=FORM, operation=operation(key, to, due), done=t("Handed over."), to=to, due=due, **shown):
        two_at_once.saved(f"desk:task:hand:{name}")
