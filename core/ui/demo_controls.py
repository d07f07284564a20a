"""What a demo can do with its clock: a day on, a month on, back to the first day."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import streamlit as st

from core.actor import Actor, Permission
from core.services import demo
from core.services.demo import Live
from core.ui import forms
from core.ui.act import act, operation
from core.ui.identity import SignedIn
from core.ui.text import moment, t


class DemoPowers(NamedTuple):
    """What a demo can do with its data, which lie above the screen: begin anew, and live on."""

    reset: Callable[[Actor], None]
    live: Live


def show(signed_in: SignedIn, now: datetime, powers: DemoPowers) -> None:
    """Draw the demo's clock and its buttons."""
    st.caption(t("Demo clock: it stands at {now}. Data are invented.", now=moment(now)))
    if not signed_in.actor.may(Permission.DEMO_MOVE):
        return
    with st.container(horizontal=True):
        day = st.button(t("+1 day"), key="demo:clock:day")
        month = st.button(t("+1 month"), key="demo:clock:month")
    back = st.button(t("Reset the demo"), key="demo:reset", icon=":material/restart_alt:")
    forms.answer("demo")
    # These take seconds: they run here, where a spinner can say so, and not in a callback.
    if day or month:
        _pass_days(demo.days_ahead(months=1) if month else 1, now, powers.live)
        st.rerun()
    if back:
        with st.spinner(t("Back to the first day …")):
            powers.reset(signed_in.actor)
        forms.say("demo", t("The demo is back on its first day."), good=True)
        st.rerun()


def _pass_days(days: int, now: datetime, live: Live) -> None:
    """Let days pass, each in a transaction of its own: whoever leaves in between finds the clock on a day that is done."""
    bar = st.progress(0.0, t("The days pass: options take effect, bills are made …"))
    for number in range(days):
        key = operation("demo:day", now, number)
        if not act(demo.move_clock, form="demo", operation=key, days=1, live=live, done=t("The clock moved.")):
            return
        bar.progress((number + 1) / days, t("Day {number} of {days}", number=number + 1, days=days))
