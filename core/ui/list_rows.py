"""The rows of a list: a line each, a card each on a phone, and each opens its object."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import streamlit as st

from core import i18n
from core.services.list_columns import Column, Listing, Type, named
from core.services.lists import MOST_COUNTED, Page, Row
from core.ui import list_address, navigation
from core.ui.list_address import Asked
from core.ui.parts import Mark, Tone, draw, state
from core.ui.statuses import TASKS
from core.ui.text import day, esc, euro, language, md, moment, t, tn

NOTHING = "\u2013"
"""A dash where there is nothing."""
_WEIGHTS = {Type.TEXT: 2.0, Type.CHOICE: 1.6, Type.MONEY: 1.1, Type.NUMBER: 0.8, Type.DAY: 1.1, Type.MOMENT: 1.5, Type.FLAG: 0.9}
_NUMBERS = {Type.MONEY, Type.NUMBER}
_FIRST = 190
"""How wide the link of a row is."""
_TONES: dict[str, tuple[Tone, str]] = {
    "active": ("good", "check_circle"), "suspended": ("bad", "block"), "closed": ("neutral", "do_not_disturb_on"), "prospect": ("neutral", "person_search"),
    "settled": ("good", "check_circle"), "sent": ("info", "schedule"), "partiallyPaid": ("watch", "timelapse"), "completed": ("good", "check_circle"),
    "failed": ("bad", "error"), "cancelled": ("neutral", "cancel"), "confirmed": ("info", "event"), "initialized": ("info", "schedule"),
    "pending": ("watch", "hourglass_top"), "approved": ("good", "check_circle"), "accepted": ("good", "check_circle"), "refused": ("bad", "cancel"),
    "rejected": ("bad", "error"), "returned": ("bad", "undo"), "pendingSignature": ("watch", "stylus_note"), "held": ("watch", "pause_circle"),
    "inProgress": ("info", "progress_activity"), "acknowledged": ("info", "schedule"),
}  # fmt: skip
_STATES = {"state", "status"}
_ALARMS = {"late": ("bad", "error"), "disputed": ("watch", "balance"), "vulnerable": ("watch", "front_hand"), "vip": ("info", "star")}


def shown(column: Column, value: Any) -> str:  # noqa: ANN401 - a cell of any column
    """Write a cell in the reader's language."""
    if value is None or value == "":
        return NOTHING
    writes: dict[Type, Callable[[Any], str]] = {
        Type.TEXT: lambda text: named(column, text, language()) or t(column.words.get(text, TASKS.get(text, ""))) or str(text),
        Type.CHOICE: lambda name: t(column.words[str(name)]) if str(name) in column.words else str(name),
        Type.MONEY: lambda cents: euro(int(cents)),
        Type.NUMBER: lambda number: i18n.number(int(number), language()),
        Type.DAY: lambda when: day(when if isinstance(when, date) else date.fromisoformat(str(when))),
        Type.MOMENT: lambda when: moment(when) if isinstance(when, datetime) else str(when),
        Type.FLAG: lambda flag: t(column.words["yes" if flag else "no"]),
    }
    return writes[column.type](value)


def counted(found: Page) -> str:
    """Say how many rows there are."""
    if found.many:
        return t("more than {most} rows", most=MOST_COUNTED)
    return tn("{count} row", "{count} rows", found.count)


def show(asked: Asked, found: Page, chosen: Callable[[Row], None] | None) -> None:
    """Draw the page: its heading line, its rows, and the way to its neighbours. `chosen` draws what selects a row."""
    first, rest = found.columns[0], found.columns[1:]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", wrap=False, key="lists-heading"):
        if chosen is not None:
            st.space(24)
        st.html(f'<div class="g-heading">{esc(t(first.label))}</div>', width=_FIRST)
        draw(_cells(rest, [t(column.label) for column in rest], heading=True))
    for row in found.rows:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-list-{row.id}"):
            if chosen is not None:
                chosen(row)
            _link(found.listing, first, row, leads=asked.daily)
            if rest:
                draw(_cells(rest, [_cell(column, value) for column, value in zip(rest, row.cells[1:], strict=True)]))
    _pager(asked, found)


def _link(one: Listing, column: Column, row: Row, *, leads: bool) -> None:
    label = shown(column, row.cells[0])
    with st.container(key=f"lists:open:{row.id}", width=_FIRST):
        if not one.page:
            st.text(label)
            return
        query = navigation.customer_query(row.customer_no, leads=leads)
        if one.opens and row.object_no:
            query |= {one.opens[0]: row.object_no}
        st.page_link(navigation.page(one.page), label=md(label), query_params=query)


def _cells(columns: Sequence[Column], cells: Sequence[str], *, heading: bool = False) -> str:
    """Make the cells of a line. On a phone each stands beside its label; a reader hears the label everywhere."""
    tracks = " ".join(f"minmax(0,{_WEIGHTS[column.type]}fr)" for column in columns)
    made = []
    for column, cell in zip(columns, cells, strict=True):
        side = " num" if column.type in _NUMBERS else ""
        label = "" if heading else f'<span class="g-label">{esc(t(column.label))}</span>'
        made.append(f'<span class="g-cell{side}">{label}<span>{esc(cell) if heading else cell}</span></span>')
    return f'<div class="g-line{" g-heading" if heading else ""}" style="grid-template-columns:{tracks}">{"".join(made)}</div>'


def _cell(column: Column, value: Any) -> str:  # noqa: ANN401 - a cell of any column
    text = shown(column, value)
    if column.type is Type.CHOICE and column.name in _STATES and value is not None:
        tone, icon = _TONES.get(str(value), ("neutral", "circle"))
        return state(Mark(text, tone, icon))
    if column.type is Type.FLAG and value and column.name in _ALARMS:
        tone, icon = _ALARMS[column.name]  # type: ignore[assignment]
        return state(Mark(text, tone, icon))
    return esc(text)


def _pager(asked: Asked, found: Page) -> None:
    first, last = (found.rows[0].id, found.rows[-1].id) if found.rows else (None, None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="lists-pager"):
        st.caption(counted(found), width="content")
        st.space("stretch")
        start = replace(asked.query, after=None, before=None)
        st.button(t("First page"), key="lists:first", disabled=not found.has_previous, on_click=list_address.go, args=(start, asked.view))
        st.button(
            t("Previous"), key="lists:previous", icon=":material/chevron_left:", disabled=not found.has_previous, on_click=list_address.go,
            args=(replace(start, before=first), asked.view),
        )  # fmt: skip
        st.button(
            t("Next"), key="lists:next", icon=":material/chevron_right:", icon_position="right", disabled=not found.has_next,
            on_click=list_address.go, args=(replace(start, after=last), asked.view),
        )  # fmt: skip
