"""The last three periods of a plan beside the running one: a chart on demand, and the same as a table."""

import streamlit as st

from core import i18n
from core.actor import Permission
from core.db import reading
from core.services import consumption
from core.services.consumption import Counter, PastPeriod
from core.ui import counters, gate
from core.ui.parts import drawer, empty
from core.ui.text import day, esc, language, t

_SHOWN = (Counter.INTERNET, Counter.DATA, Counter.CALLS, Counter.OFFPEAK, Counter.TEXTS)


def open_(product_id: int, name: str) -> None:
    """Open the drawer of a plan."""
    drawer(t("The last three periods"), lambda: _body(product_id, name), width=560)


def _body(product_id: int, name: str) -> None:
    visit = gate.visit(Permission.USAGE_READ)
    with reading() as session:
        found = consumption.last_periods(session, visit.actor, customer_id=visit.customer.id, product_id=product_id)
    st.text(name)
    used = [counter for counter in _SHOWN if any(past.counter is counter and past.used for past in found)]
    if not used:
        empty(t("Nothing was used yet. The comparison appears with the first use."))
        return
    chosen = used[0]
    if len(used) > 1:
        labels = {counter: t(counters.LABELS[counter]) for counter in used}
        chosen = st.segmented_control(
            t("What to compare"), used, default=used[0], format_func=labels.__getitem__, required=True,
            label_visibility="collapsed", key="home:history:counter",
        )  # fmt: skip
    periods = [past for past in found if past.counter is chosen]
    _chart(periods, [counters.quantity(chosen, past.used) for past in periods])


def _chart(periods: list[PastPeriod], written: list[str]) -> None:
    names = [_period(past) for past in periods]
    summary = " · ".join(f"{name}: {text}" for name, text in zip(names, written, strict=True))
    colours = ["#8CA9CC"] * (len(periods) - 1) + ["#3B82C4"]
    figure = {
        "data": [
            {
                "type": "bar", "x": names, "y": [past.used for past in periods], "text": written, "textposition": "outside",
                "cliponaxis": False, "marker": {"color": colours}, "hoverinfo": "skip",
            }
        ],
        "layout": {
            "height": 260, "margin": {"l": 0, "r": 0, "t": 24, "b": 24}, "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": {"fixedrange": True, "type": "category"}, "yaxis": {"visible": False, "fixedrange": True}, "bargap": 0.45,
        },
    }  # fmt: skip
    st.plotly_chart(figure, key="home:history:chart", config={"displayModeBar": False}, alt=summary)
    rows = "".join(f"<tr><th scope='row'>{esc(name)}</th><td>{esc(text)}</td></tr>" for name, text in zip(names, written, strict=True))
    st.html(f'<table class="g-waterfall"><tbody>{rows}</tbody></table>')


def _period(past: PastPeriod) -> str:
    if past.period.since.day == 1:
        return i18n.day(past.period.since, language(), "month")
    return f"{day(past.period.since, 'short')} – {day(past.period.last, 'short')}"  # noqa: RUF001 - a dash between days
