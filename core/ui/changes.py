"""The history of a thing: old and new side by side, who and why, and the way back where there is one."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.services import changes
from core.services.changes import Change, Subject
from core.ui import change_words as words
from core.ui import forms, gate, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.text import esc, moment, t

FORM = "changes"


def button(visit: Visit, subject: Subject, object_id: object | None = None) -> None:
    """Draw the button that opens the history at the right; customers have none."""
    if not visit.actor.may(Permission.HISTORY_READ):
        return
    key = f"changes:{subject}:{object_id}" if object_id is not None else f"changes:{subject}"
    if st.button(t("History"), key=key, icon=":material/history:", type="tertiary"):
        forms.forget()
        parts.drawer(t("History"), partial(body, subject, object_id), width=600)


def section(visit: Visit, subject: Subject, object_id: object) -> None:
    """Draw the history, closed, at the end of a drawer."""
    if visit.actor.may(Permission.HISTORY_READ):
        with st.expander(t("History"), icon=":material/history:", key=f"changes:section:{subject}"):
            body(subject, object_id)


def body(subject: Subject, object_id: object | None) -> None:
    """Draw the changes, the newest first."""
    visit = gate.visit(Permission.HISTORY_READ)
    with reading() as session:
        found = changes.of(session, visit.actor, customer_id=visit.customer.id, subject=subject, object_id=object_id)
    forms.answer(FORM)
    if not found:
        parts.empty(t("Nothing was changed yet."))
    plain: list[str] = []
    for one in found:
        plain.append(_told(one))
        if one.version is not None and not visit.customer.read_only:
            parts.draw(*plain)
            plain = []
            _way_back(visit, one)
    if plain:
        parts.draw(*plain)


def _way_back(visit: Visit, one: Change) -> None:
    key = operation(FORM, one.entry_id, one.version)
    with st.popover(t("Take back"), icon=":material/undo:", type="tertiary", key=f"changes:back:{one.entry_id}"):
        rows = [(words.field(name), f"{words.value(name, one.after)} → {words.value(name, one.before)}") for name in one.before]
        parts.draw(parts.note(t("This becomes a change of its own; the history keeps both.")), parts.fact_rows(rows))
        st.button(t("Put the old value back"), key=f"changes:revert:{one.entry_id}", on_click=_revert, args=(visit.customer.id, one, key))


def _told(one: Change) -> str:
    """Make a change: who, when and what, then a table of old and new."""
    who = words.who(one.actor, one.name)
    head = f"<strong>{esc(words.action(one.action))}</strong> · {esc(moment(one.at))} · {esc(who)}"
    why = f'<div class="g-note">« {esc(one.reason)} »</div>' if one.reason else ""
    return f'<div class="g-change"><div>{head}</div>{why}{_table(one)}</div>'


def _table(one: Change) -> str:
    names: Sequence[str] = [name for name in one.fields if not isinstance(one.after.get(name, one.before.get(name)), dict)]
    if not names:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{esc(words.field(name))}</th><td>{esc(words.value(name, one.before))}</td>'
        f"<td>{esc(words.value(name, one.after))}</td></tr>"
        for name in names
    )
    titles = f'<tr><th scope="col"></th><th scope="col">{esc(t("Before"))}</th><th scope="col">{esc(t("After"))}</th></tr>'
    return f"<table><thead>{titles}</thead><tbody>{rows}</tbody></table>"


def _revert(customer_id: int, one: Change, key: str) -> None:
    act(
        changes.revert, form=FORM, operation=key, done=t("The old value is back."), customer_id=customer_id, entry_id=one.entry_id,
        shown_version=one.version,
    )  # fmt: skip
