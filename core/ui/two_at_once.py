"""Two who change the same thing at once: the second one keeps what he typed, and sees it beside what the other one saved.

A form that shows stored values fills its fields here. Where they change under it, fields he did not touch take the new value; those he
did stay as he typed them, and a table tells what was, what is now, and what is his. The version that guards the save is that of the
same reading, so nothing is written over that was not on his screen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.ui import charts
from core.ui.text import t


@dataclass(frozen=True)
class Field:
    """A field of a form: what it is called, what is stored, and how a value of it is written.

    Fields of one `group` are one thing, as an address is: where both changed it, it stays whole as the reader typed it.
    """

    label: str
    stored: Any
    words: Callable[[Any], str] = str
    group: str = ""


@dataclass(frozen=True)
class _Change:
    """What somebody else changed under a form: `typed` is None where the reader had not touched it."""

    label: str
    before: str
    now: str
    typed: str | None


def fill(form: str, opening: object, fields: Mapping[str, Field]) -> None:
    """Fill the fields before they are drawn, by widget key; an `opening` of its own starts afresh."""
    stored = {key: field.stored for key, field in fields.items()}
    known, before = st.session_state.get(_filled(form), (None, {}))
    st.session_state[_filled(form)] = (opening, stored)
    if known != opening or before.keys() != stored.keys():
        st.session_state.pop(_changed(form), None)
        st.session_state.update(stored)
        return
    changes = dict[str, _Change](st.session_state.get(_changed(form), {}))
    typed = {key: st.session_state.setdefault(key, before[key]) for key in fields}
    theirs = {key for key in fields if stored[key] != before[key]}
    mine = {key for key in fields if typed[key] not in (before[key], stored[key])}
    both = {fields[key].group for key in theirs} & {fields[key].group for key in mine} - {""}
    for key, field in fields.items():
        together = field.group in both
        if key not in theirs and not (together and key in mine):
            continue
        kept = together or key in mine
        if not kept:
            st.session_state[key] = stored[key]
        words = field.words
        changes[key] = _Change(field.label, words(before[key]), words(stored[key]), words(typed[key]) if kept else None)
    st.session_state[_changed(form)] = changes


def saved(form: str) -> None:
    """Start afresh with what is stored now: the reader saved, having seen what others did."""
    st.session_state.pop(_filled(form), None)
    st.session_state.pop(_changed(form), None)


def show(form: str) -> None:
    """Draw what others changed meanwhile beside what the reader typed; nothing where nobody did."""
    changes: dict[str, _Change] = st.session_state.get(_changed(form), {})
    if not changes:
        return
    kept = any(change.typed is not None for change in changes.values())
    told = t("Your typing is kept: saving puts it in place of theirs.") if kept else t("The new values are in the form.")
    with st.container(key=f"{form}:beside", gap="xsmall"):
        st.warning(f"{t('Changed by somebody else while you had it open.')} {told}", icon=":material/group:")
        nothing = "–"  # noqa: RUF001 - a dash where there is nothing
        rows = [
            (one.label, one.before or nothing, one.now or nothing, nothing if one.typed is None else one.typed or nothing)
            for one in changes.values()
        ]
        charts.table(t("Changed meanwhile"), [t("Field"), t("Before"), t("Now"), t("Yours")], rows)


def theirs(form: str) -> None:
    """Offer to take what the others saved; outside of an `st.form`, which holds no such button."""
    changes: dict[str, _Change] = st.session_state.get(_changed(form), {})
    if any(change.typed is not None for change in changes.values()):
        st.button(t("Take their values"), key=f"{form}:theirs", icon=":material/undo:", type="tertiary", on_click=_take, args=(form,))


def _take(form: str) -> None:
    _opening, stored = st.session_state[_filled(form)]
    for key in st.session_state.pop(_changed(form), {}):
        st.session_state[key] = stored[key]


def _filled(form: str) -> str:
    return f"_filled:{form}"


def _changed(form: str) -> str:
    return f"_changed:{form}"
