"""The answer to the last click: shown in place, next to the field it is about, until the next click or another page."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.ui.text import md

ANSWER = "_answer"
_STOOD = "_stood"
"""What stood in a field when its refusal was first drawn."""


@dataclass(frozen=True)
class Answer:
    """What a form says after a click: `field` is set where one input must change."""

    form: str
    good: bool
    text: str
    field: str | None = None


def say(form: str, text: str, *, good: bool, field: str | None = None) -> None:
    """Keep the answer to the click that is being handled."""
    st.session_state[ANSWER] = Answer(form, good, text, field)


def forget() -> None:
    """Drop the answer: the reader went elsewhere."""
    st.session_state.pop(ANSWER, None)


def begin(form: str, file: int, fields: Mapping[str, str | bool]) -> None:
    """Fill the fields of a form before it is drawn; what was typed on one customer's file never follows to the next one's.

    A search leads from file to file on the same tab, and Streamlit keeps what stands in a field as long as its key is drawn.
    """
    owner = f"_file:{form}"
    same, st.session_state[owner] = st.session_state.get(owner) == file, file
    for key, value in fields.items():
        if not same or key not in st.session_state:
            st.session_state[key] = value


def last(form: str) -> Answer | None:
    """Return the answer that belongs to a form."""
    found = st.session_state.get(ANSWER)
    return found if isinstance(found, Answer) and found.form == form else None


def answer(form: str) -> None:
    """Draw a form's success, or the refusal that is about no single field."""
    found = last(form)
    if found is None or found.field is not None:
        return
    if found.good:
        st.success(md(found.text), icon=":material/check_circle:")
    else:
        st.error(md(found.text), icon=":material/error:")


def error(form: str, field: str, value: object = None) -> None:
    """Draw the refusal of one field, right below it; with its `value`, only until something else stands in it."""
    found = last(form)
    if found is not None and found.field == field:
        about, stood = st.session_state.get(_STOOD, (None, None))
        if about is not found:
            st.session_state[_STOOD] = found, value
        elif stood != value:
            return
        st.caption(f":red[:material/error: {md(found.text)}]")
