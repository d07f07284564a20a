"""What is masked of a person, and the way to see it: with a reason, for a moment, until the file is left (W18)."""

from datetime import date, datetime, timedelta

import streamlit as st

from core import clock
from core.actor import Permission
from core.services import access
from core.services.access import Masked
from core.services.look_words import MASKED
from core.ui import forms, gate
from core.ui.act import act, operation
from core.ui.door import why_fields, why_given
from core.ui.gate import Visit
from core.ui.text import day, t

LASTS = timedelta(minutes=2)
_LOOK_EVERY_SECONDS = 5
_SEEN = "_revealed"


def forget() -> None:
    """Mask everything again: the reader went elsewhere."""
    st.session_state.pop(_SEEN, None)


def written(visit: Visit, masked: Masked, hidden: str) -> str:
    """Return a value as it may be shown now: in full while it is revealed, else masked."""
    value = _seen(visit.customer.id, masked)
    if value is None:
        return hidden
    return day(date.fromisoformat(value)) if masked is Masked.BIRTH_DATE else value


def button(visit: Visit, masked: Masked) -> None:
    """Draw the way to see a value, or to mask it again."""
    if not visit.actor.staff or not visit.actor.may(Permission.PERSONAL_REVEAL):
        return
    name = t(MASKED[masked])
    if _seen(visit.customer.id, masked) is not None:
        st.fragment(_clock, run_every=_LOOK_EVERY_SECONDS)(visit.customer.id, masked)
        return
    form = _form(masked)
    with st.popover(t("Show the {name}", name=name), icon=":material/visibility:", type="tertiary", key=f"{form}:popover"):
        chosen = why_fields(form)
        key = operation(form, visit.customer.id, st.session_state.get("_reveals", 0))
        st.button(t("Show for two minutes"), key=f"{form}:show", on_click=_reveal, args=(masked, key), disabled=not chosen)
        forms.answer(form)


def _clock(customer_id: int, masked: Masked) -> None:
    """Let the reader mask a value again, and draw the page anew once its time is over."""
    if _seen(customer_id, masked) is None:
        st.rerun()
    name = t(MASKED[masked])
    st.button(
        t("Hide the {name}", name=name), key=f"{_form(masked)}:hide", icon=":material/visibility_off:", type="tertiary", on_click=forget
    )


def _reveal(masked: Masked, key: str) -> None:
    visit = gate.visit(Permission.PERSONAL_REVEAL)
    st.session_state["_reveals"] = st.session_state.get("_reveals", 0) + 1
    found: list[str] = []

    def keep(value: str) -> str:
        found.append(value)
        return ""

    form = _form(masked)
    act(access.reveal, form=form, operation=key, done=keep, customer_id=visit.customer.id, masked=masked, **why_given(form))
    if found:
        forms.forget()
        st.session_state.setdefault(_SEEN, {})[visit.customer.id, masked] = (found[0], clock.real_now() + LASTS)


def _seen(customer_id: int, masked: Masked) -> str | None:
    """Return what is in sight at this moment; what was in sight too long is gone."""
    seen: dict[tuple[int, Masked], tuple[str, datetime]] = st.session_state.get(_SEEN, {})
    value, until = seen.get((customer_id, masked), (None, clock.real_now()))
    if value is not None and until <= clock.real_now():
        seen.pop((customer_id, masked))
        return None
    return value


def _form(masked: Masked) -> str:
    return f"reveal:{masked.value}"
