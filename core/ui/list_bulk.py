"""Many rows at once: chosen, tried out with what is left out and why, carried out in sight, stopped, tried again."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import streamlit as st

from core import bulk as runner
from core import clock
from core.actor import Actor, Permission
from core.db import reading
from core.errors import N_, DomainError
from core.models.billing_account import HoldReason
from core.models.bulk import BulkState, RowState
from core.services import bulk, communications
from core.services.bulk import Draft, RowView, RunView, Tried
from core.services.bulk_actions import ACTIONS, TASK_CODES, Action, actions_of
from core.services.lists import Page, Row
from core.ui import charts, forms, identity, list_address, parts
from core.ui.act import act, operation
from core.ui.list_address import Asked
from core.ui.list_rows import counted
from core.ui.parts import Mark
from core.ui.text import euro, language, md, message, moment, t, tn

FORM = "lists:bulk"
RUN = "run"
"""What the address calls a run."""
_CHOSEN, _DRAFT, _OPENED = "_lists_chosen", "_lists_draft", "_lists_action"
_EXAMPLES = 50
_STATES: dict[BulkState, Mark] = {
    BulkState.DRAFT: Mark(N_("Draft"), "neutral", "draft"),
    BulkState.RUNNING: Mark(N_("Under way"), "info", "progress_activity"),
    BulkState.STOPPED: Mark(N_("Stopped"), "watch", "pause_circle"),
    BulkState.FINISHED: Mark(N_("Finished"), "good", "check_circle"),
}
_ROWS = {RowState.EXCLUDED: N_("Left out"), RowState.WAITING: N_("Waits"), RowState.DONE: N_("Done"), RowState.FAILED: N_("Failed")}
_HOLDS = {
    HoldReason.OMBUDSMAN: N_("The ombudsman took the case"), HoldReason.INQUIRY: N_("We look into it"),
    HoldReason.DECEASED: N_("The holder is said to have died"),
}  # fmt: skip


def chooser(actor: Actor, asked: Asked) -> Callable[[Row], None] | None:
    """Return what draws the box that chooses a row; None where nothing can be done with many."""
    if not actions_of(actor, asked.listing.noun):
        return None
    return partial(_box, asked, frozenset(chosen(asked)))


def chosen(asked: Asked) -> list[int]:
    """Return the ids that are chosen; another list, or another filter, begins with none."""
    owner, ids = st.session_state.get(_CHOSEN, (None, []))
    return list(ids) if owner == _owner(asked) else []


def show_actions(actor: Actor, asked: Asked, found: Page) -> None:
    """Draw what can be done with the chosen rows, or with all of them."""
    known = actions_of(actor, asked.listing.noun)
    if not known:
        return
    ids = chosen(asked)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="lists-actions"):
        here = [row.id for row in found.rows]
        st.button(
            t("Choose this page"),
            key="lists:choose:page",
            type="tertiary",
            icon=":material/select_all:",
            on_click=_choose,
            args=(asked, [*ids, *here]),
        )
        if ids:
            st.button(
                t("Choose none"), key="lists:choose:none", type="tertiary", icon=":material/deselect:", on_click=_choose, args=(asked, [])
            )
        told = tn("{count} row chosen", "{count} rows chosen", len(ids)) if ids else t("None chosen: it is about {all}", all=counted(found))
        st.caption(told, width="content")
        st.space("stretch")
        for one in known:
            st.button(t(one.label), key=f"lists:action:{one.name}", icon=f":material/{one.icon}:", on_click=_open, args=(one.name,))
    name = st.session_state.pop(_OPENED, None)
    if name in ACTIONS:
        parts.drawer(t(ACTIONS[name].label), partial(_drawer, ACTIONS[name], asked, ids or None, counted(found)), width=620)


def show_run(actor: Actor) -> None:
    """Draw the run that the address names, how it stands, and what can be done about it."""
    text = st.query_params.get(RUN, "")
    if not text or not actor.may(Permission.BULK_RUN):
        return
    try:
        with reading() as session:
            run = bulk.view(session, actor, run_id=int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0)  # noqa: PLR2004 - nine digits
            found = bulk.rows(session, actor, run_id=run.id)
    except DomainError as refusal:
        st.warning(message(refusal))
        return
    with parts.card("bulk-run"):
        _head(run)
        forms.answer(FORM)
        if run.state is BulkState.RUNNING and run.waiting:
            st.button(
                t("Stop"),
                key="lists:run:stop",
                icon=":material/stop_circle:",
                on_click=_stop,
                args=(run, operation(FORM, "stop", run.id, run.version)),
            )
            if st.session_state.get(_running_key(run.id)):
                _go_on(actor, run)
        _run_buttons(run)
        _result(found)


def _head(run: RunView) -> None:
    state = _STATES[run.state]
    counts = [
        tn("{count} done", "{count} done", run.done), t("{count} failed", count=run.failed),
        tn("{count} waits", "{count} wait", run.waiting), tn("{count} left out", "{count} left out", run.excluded),
    ]  # fmt: skip
    label = f"{t(ACTIONS[run.action].label)} · {moment(run.created_at, 'short')} · {run.created_by}"
    parts.draw(parts.head(label, 3, marks=[Mark(t(state.word), state.tone, state.icon)]), parts.note(" · ".join(counts)))
    if run.at_once:
        parts.draw(parts.note(t("It is about {amount_cents}: all rows are done, or none.", amount_cents=run.amount_cents)))


def _run_buttons(run: RunView) -> None:
    with st.container(horizontal=True, gap="small"):
        key = operation(FORM, run.id, run.version, run.waiting, run.failed)
        if run.waiting and not st.session_state.get(_running_key(run.id)):
            st.button(
                t("Go on"), key="lists:run:resume", type="primary", icon=":material/play_arrow:", on_click=_resume, args=(run, key, False)
            )
        if run.failed and not run.waiting:
            st.button(
                t("Try what failed again"),
                key="lists:run:retry",
                type="primary",
                icon=":material/replay:",
                on_click=_resume,
                args=(run, key, True),
            )
        st.button(t("Close"), key="lists:run:close", type="tertiary", on_click=_close)


def _go_on(actor: Actor, run: RunView) -> None:
    """Step through what waits: a click elsewhere ends it between two rows, and it can be taken up again."""
    bar = st.progress(run.share, t("It runs …"))
    st.session_state.pop(_running_key(run.id), None)
    done = runner.run(actor, run.id, lambda share: bar.progress(share, t("It runs …")))
    if done.failed:
        forms.say(FORM, tn("{count} row failed. Below it says why.", "{count} rows failed. Below it says why.", done.failed), good=False)
    else:
        forms.say(FORM, tn("{count} row done.", "{count} rows done.", done.done), good=True)
    st.rerun()


def _result(found: Sequence[RowView]) -> None:
    head = (t("Customer no."), t("Customer"), t("About"), t("Result"), t("Why"))
    cells = [
        (one.customer_no, one.customer_name, one.subject, t(_ROWS[one.state]), t(one.problem, **one.params) if one.problem else "")
        for one in found
    ]
    charts.table(t("Result of each row"), head, cells)


def _drawer(action: Action, asked: Asked, ids: list[int] | None, all_rows: str) -> None:
    """Draw what the action needs to know, then what it would do, then the way to do it."""
    signed_in, begun = identity.current(), forms.last(FORM)
    if signed_in is None or (begun is not None and begun.good):
        st.rerun()
    actor = signed_in.actor
    told = (
        tn("About the row that is chosen.", "About the {count} rows that are chosen.", len(ids))
        if ids
        else t("About all rows of the filter: {all}.", all=all_rows)
    )
    parts.draw(parts.note(told))
    params = _PARAMS.get(action.name, dict)()
    shape = (action.name, asked.query.where, tuple(ids or ()), tuple(sorted(params.items())))
    if st.button(t("Try it out"), key="lists:bulk:try", icon=":material/science:"):
        st.session_state.pop(_DRAFT, None)
        try:
            with st.spinner(t("Each row is looked at …")), reading() as session:
                query = list_address.plain(asked.query)
                st.session_state[_DRAFT] = shape, bulk.try_out(session, actor, action=action.name, query=query, ids=ids, params=params)
        except DomainError as refusal:
            st.error(md(message(refusal)), icon=":material/error:")
            return
    known, draft = st.session_state.get(_DRAFT, (None, None))
    if draft is None or known != shape:
        parts.empty(t("Nothing is done yet: it shows which rows it would be about, which are left out, and why."))
        return
    _show_draft(draft)


def _show_draft(draft: Draft) -> None:
    takes = [one for one in draft.rows if one.refusal is None]
    out = [one for one in draft.rows if one.refusal is not None]
    facts = [
        (t("Would be done for"), tn("{count} row", "{count} rows", len(takes))),
        (t("Left out"), tn("{count} row", "{count} rows", len(out))),
    ]
    if draft.amount_cents:
        facts.append((t("Open amount"), euro(draft.amount_cents)))
    parts.draw(parts.fact_rows(facts, strong=(0,)))
    if draft.at_once:
        parts.draw(parts.note(t("It is about {amount_cents}: all rows are done, or none.", amount_cents=draft.amount_cents)))
    heads = (t("Customer no."), t("Customer"), t("About"))
    _rows_of(t("Would be done for"), heads, [_named(one) for one in takes])
    _rows_of(t("Left out"), (*heads, t("Why")), [(*_named(one), message(one.refusal)) for one in out if one.refusal])
    forms.answer(FORM)
    if takes:
        key = operation(FORM, draft.action.name, repr(draft.params), tuple(one.row.id for one in draft.rows), clock.now())
        label = tn("Do it for {count} row", "Do it for {count} rows", len(takes))
        st.button(label, key="lists:bulk:begin", type="primary", on_click=_begin, args=(draft, key))


def _named(one: Tried) -> tuple[str, ...]:
    """Name a row: its customer, and what it is about unless that is the customer himself."""
    return one.row.customer_no or "", one.name, one.subject if one.subject != one.row.customer_no else charts.NOTHING


def _rows_of(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Draw the first rows by name, and how many more there are."""
    if rows:
        parts.draw(parts.head(title, 3))
        charts.table(title, heads, rows[:_EXAMPLES])
    if len(rows) > _EXAMPLES:
        parts.empty(t("… and {count} more.", count=len(rows) - _EXAMPLES))


def _message_params() -> dict[str, Any]:
    known = {name: one for name, one in communications.templates().items() if one.by_hand}
    name = st.selectbox(t("Message"), list(known), key="lists:bulk:template", format_func=lambda name: known[name].subject[language()])
    st.text(known[name].body[language()].split("\n\n", 1)[1].rsplit("{added}", 1)[0])
    return {"template": name}


def _task_params() -> dict[str, Any]:
    code = st.selectbox(t("Task"), list(TASK_CODES), key="lists:bulk:code", format_func=lambda code: t(TASK_CODES[code]))
    due = st.date_input(t("Due"), value=clock.today() + timedelta(days=7), key="lists:bulk:due", format="DD/MM/YYYY", width=200)
    return {"code": code, "due": due.isoformat() if isinstance(due, date) else ""}


def _hold_params() -> dict[str, Any]:
    reason = st.selectbox(
        t("Reason"), [HoldReason.INQUIRY, HoldReason.OMBUDSMAN], key="lists:bulk:reason", format_func=lambda one: t(_HOLDS[one])
    )
    until = st.date_input(t("Until"), value=clock.today() + timedelta(days=14), key="lists:bulk:until", format="DD/MM/YYYY", width=200)
    return {"reason": reason.value, "until": until.isoformat() if isinstance(until, date) else clock.today().isoformat()}


_PARAMS: dict[str, Callable[[], dict[str, Any]]] = {"message": _message_params, "task": _task_params, "hold": _hold_params}


def _begin(draft: Draft, key: str) -> None:
    if act(bulk.begin, form=FORM, operation=key, done=_begun, draft=draft):
        st.session_state.pop(_DRAFT, None)
        st.session_state.pop(_CHOSEN, None)


def _begun(run_id: int) -> str:
    st.query_params[RUN] = str(run_id)
    st.session_state[_running_key(run_id)] = True
    return t("It runs …")


def _stop(run: RunView, key: str) -> None:
    st.session_state.pop(_running_key(run.id), None)
    act(bulk.stop, form=FORM, operation=key, done=t("Stopped. What is done stays done."), run_id=run.id)


def _resume(run: RunView, key: str, failed: bool) -> None:  # noqa: FBT001 - a callback's argument
    if act(bulk.resume, form=FORM, operation=key, run_id=run.id, failed=failed):
        st.session_state[_running_key(run.id)] = True


def _close() -> None:
    forms.forget()
    st.query_params.pop(RUN, None)


def _running_key(run_id: int) -> str:
    return f"_run:{run_id}"


def _open(name: str) -> None:
    forms.forget()
    st.session_state[_OPENED] = name


def _box(asked: Asked, ids: frozenset[int], row: Row) -> None:
    key = f"lists:choose:{row.id}"
    st.session_state[key] = row.id in ids
    label = t("Choose {what}", what=str(row.object_no or row.customer_no or row.id))
    st.checkbox(label, key=key, label_visibility="collapsed", width=24, on_change=_tick, args=(asked, row.id))


def _tick(asked: Asked, row_id: int) -> None:
    ids = [one for one in chosen(asked) if one != row_id]
    _choose(asked, [*ids, row_id] if st.session_state[f"lists:choose:{row_id}"] else ids)


def _choose(asked: Asked, ids: list[int]) -> None:
    st.session_state[_CHOSEN] = _owner(asked), list(dict.fromkeys(ids))


def _owner(asked: Asked) -> tuple[str, object]:
    return asked.query.noun, asked.query.where


def show_newest(actor: Actor) -> None:
    """Draw the way back to the last runs."""
    if not actor.may(Permission.BULK_RUN):
        return
    with reading() as session:
        found = bulk.newest(session, actor)
    if not found:
        return
    with st.popover(t("Earlier runs"), icon=":material/history:"):
        for run in found:
            label = f"{moment(run.created_at, 'short')} · {t(ACTIONS[run.action].label)} · {run.done}/{run.done + run.failed + run.waiting} · {t(_STATES[run.state].word)}"
            st.button(md(label), key=f"lists:run:{run.id}", type="tertiary", on_click=_show, args=(run.id,))


def _show(run_id: int) -> None:
    st.query_params[RUN] = str(run_id)
