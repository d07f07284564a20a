"""Charts of stacked bars in our own colours, and the tables that say the same in words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import i18n
from core.ui.text import esc, language

HEIGHT = 260
_COLOURS = {
    "light": ("#1F5AA6", "#D0730F", "#3AA576", "#760F54", "#4B2817"),
    "dark": ("#6FA8F0", "#F0A04B", "#DEE0B5", "#D6457F", "#7A74E6"),
}
_INK = {"light": "#0F1720", "dark": "#E4E9EF"}
_GRID = {"light": "#D5DCE4", "dark": "#34404E"}
_PATTERNS = ("", "/", ".", "x", "-")
_LABELS, _WIDE = 8, 6
"""As many labels as a telephone has room for; a wider one is broken in two."""

NOTHING = "—"
"""Stands in a cell that has nothing to say."""
SERIES = len(_PATTERNS)
"""How many series can be told apart."""


@dataclass(frozen=True)
class Series:
    """What one colour stands for: a value per bar, and the same as it is written."""

    name: str
    values: Sequence[float]
    shown: Sequence[str]


def stacked(key: str, labels: Sequence[str], series: Sequence[Series], alt: str) -> None:
    """Draw bars, one per label, stacked in the order of the series; `alt` says the sum in words."""
    st.plotly_chart(
        _spec(labels, series, st.context.theme.type or "light", language()),
        key=key,
        theme=None,
        height=HEIGHT,
        alt=alt,
        config={"displayModeBar": False},
    )


def table(label: str, head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Collection[int] = (), *, folds: str = "") -> None:
    """Draw rows of text as a real table, all of it escaped; `numbers` are the columns that stand at the right.

    `folds` is the class of a table whose rows fold into lines on a phone: laid out otherwise, it says itself what it is.
    """
    sides = ["num" if place in numbers else "" for place in range(len(head))]
    roles = {
        tag: f' role="{role}"' if folds else "" for tag, role in (("table", "table"), ("tr", "row"), ("th", "columnheader"), ("td", "cell"))
    }
    titles = "".join(f'<th scope="col" class="{side}"{roles["th"]}>{esc(title)}</th>' for title, side in zip(head, sides, strict=True))
    body = "".join(
        f"<tr{roles['tr']}>"
        + "".join(
            f'<td class="{side}{" nil" if cell == NOTHING else ""}"{roles["td"]}>{esc(cell)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    st.html(
        f'<div class="g-table {folds}" role="region" tabindex="0" aria-label="{esc(label)}">'
        f"<table{roles['table']}><thead><tr{roles['tr']}>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _spec(labels: Sequence[str], series: Sequence[Series], theme: str, tongue: str) -> dict[str, Any]:
    """Return what Plotly draws. Bars stand on numbers, so that two of the same label stay two; names are escaped, as Plotly reads them as HTML."""
    locale = i18n.babel_locale(tongue)
    places = list(range(len(labels)))
    bars = [
        {
            "type": "bar",
            "name": esc(one.name),
            "x": places,
            "y": list(one.values),
            "customdata": [f"{esc(label)}<br>{esc(one.name)} <b>{esc(shown)}</b>" for label, shown in zip(labels, one.shown, strict=True)],
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {
                "color": _COLOURS[theme][place % SERIES],
                "pattern": {"shape": _PATTERNS[place % SERIES], "fillmode": "overlay", "fgcolor": "rgba(0,0,0,.35)", "size": 6},
            },
        }
        for place, one in enumerate(series)
    ]
    every = -(-len(labels) // _LABELS)
    ticks = [esc(label).replace(" ", "<br>", 1) if len(label) > _WIDE else esc(label) for label in labels[::every]]
    axis = {"fixedrange": True, "zeroline": False, "automargin": True}
    layout = {
        "barmode": "stack",
        "bargap": 0.25,
        "height": HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 36 if len(series) > 1 else 8, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Source Sans, sans-serif", "size": 12, "color": _INK[theme]},
        "separators": f"{locale.number_symbols['latn']['decimal']}{locale.number_symbols['latn']['group']}",
        "showlegend": len(series) > 1,
        "legend": {
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1.02,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        "xaxis": {
            **axis,
            "showgrid": False,
            "tickangle": 0,
            "tickvals": places[::every],
            "ticktext": ticks,
        },
        "yaxis": {**axis, "gridcolor": _GRID[theme], "nticks": 5, "tickformat": ",~f", "rangemode": "tozero"},
        "hoverlabel": {"align": "left"},
        "dragmode": False,
    }
    return {"data": bars, "layout": layout}
