"""What a demo can do with its clock: a day on, a month on, back to the first day."""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from core.actor import Actor, Permission
from core.services import demo
from core.ui import forms
from core.ui.act import act, operation
from core.ui.identity import SignedIn
from core.ui.text import moment, t


def show(signed_in: SignedIn, now: datetime, reset: Callable[[Actor], None]) -> None:
    """Draw the demo's clock and its buttons."""
    st.caption(t("Demo clock: it stands at {now}. Data are invented.", now=moment(now)))
    if not signed_in.actor.may(Permission.DEMO_MOVE):
        return
    key = operation("demo", now)
    with st.container(horizontal=True):
        st.button(t("+1 day"), key="demo:clock:day", on_click=_move, args=(key,), kwargs={"days": 1})
        st.button(t("+1 month"), key="demo:clock:month", on_click=_move, args=(key,), kwargs={"months": 1})
    st.button(t("Reset the demo"), key="demo:reset", icon=":material/restart_alt:", on_click=_reset, args=(signed_in.actor, reset))
    forms.answer("demo")


def _move(key: str, *, days: int = 0, months: int = 0) -> None:
    act(demo.move_clock, form="demo", operation=key, days=days, months=months, done=t("The clock moved."))


def _reset(actor: Actor, reset: Callable[[Actor], None]) -> None:
    reset(actor)
    forms.say("demo", t("The demo is back on its first day."), good=True)
