"""The story on the screen: its filters, its days, a line for each entry that leads to its object, and the way to older days."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from core import clock
from core.services.timeline import Cursor, Entry, Kind, Page
from core.ui import navigation
from core.ui import timeline_words as words
from core.ui.gate import Visit
from core.ui.parts import card, draw, empty, head, heading
from core.ui.text import day, md, t

_KINDS, _DAY = "timeline:kinds", "timeline:day"
_COLOURS = {"good": "green", "info": "blue", "watch": "orange", "bad": "red", "neutral": "gray"}


def asked() -> tuple[tuple[Kind, ...], date | None, Cursor | None]:
    """Return what the address asks for: of which kinds, until which day, from which place on."""
    query = st.query_params
    wanted = query.get("kind", "").split(",")
    try:
        on = date.fromisoformat(query.get("on", ""))
    except ValueError:
        on = None
    return tuple(kind for kind in Kind if kind.value in wanted), on, Cursor.read(query["before"]) if "before" in query else None


def keep_address(visit: Visit) -> None:
    """Say the address once more: a link within one page changes what is shown, but not what the browser's bar says."""
    st.query_params["customer"] = visit.customer.customer_no


def show_filters(visit: Visit, kinds: Sequence[Kind], on: date | None) -> None:
    """Draw which kinds are told, and the jump to a day."""
    st.session_state.setdefault(_owner(visit), None)
    if st.session_state[_owner(visit)] != (tuple(kinds), on):  # The address changed under the widgets: a link was followed.
        st.session_state[_owner(visit)] = (tuple(kinds), on)
        st.session_state[_KINDS], st.session_state[_DAY] = list(kinds), on
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="headrow-story"):
        heading(t("History"), width="content")
        st.space("stretch")
        st.text(t("Jump to a day"), width="content")
        st.date_input(
            t("Jump to a day"), key=_DAY, value=None, format="DD/MM/YYYY", max_value=clock.today(), on_change=_filter, width=150,
            label_visibility="collapsed",
        )  # fmt: skip
    st.pills(
        t("What is told"), list(Kind), selection_mode="multi", format_func=lambda kind: t(words.KINDS[kind][0]), key=_KINDS,
        on_change=_filter, label_visibility="collapsed",
    )  # fmt: skip


def show(visit: Visit, page: Page, *, paged: bool) -> None:
    """Draw the entries by day, and the way to older ones."""
    if not page.entries:
        empty(t("Nothing of this kind is told in this file."))
        return
    shown: date | None = None
    with card("story"), st.container(key="story", gap=None):
        for entry in page.entries:
            if entry.day != shown:
                shown = entry.day
                draw(f'<div class="g-day">{head(_day(shown), 3)}</div>')
            _entry(visit, entry)
    with st.container(horizontal=True, gap="small", key="timeline-pages"):
        if paged:
            _link(visit, t("Newest entries"), "vertical_align_top", before=None, on=None)
        if page.older:
            _link(visit, t("Older entries"), "expand_more", before=str(page.older))


def _day(value: date) -> str:
    days = {0: t("Today"), 1: t("Yesterday")}
    near = days.get((clock.today() - value).days)
    return f"{near} · {day(value, 'full')}" if near else day(value, "full")


def _entry(visit: Visit, entry: Entry) -> None:
    """Draw an entry as one link; the style sheet puts its parts into columns."""
    told = words.tell(entry)
    time = clock.local(entry.at).strftime("%H:%M") if entry.timed else " "
    parts = [f":small[{md(time)}]", f"**{md(told.title)}**"]
    if told.amount:
        parts.append(f"***{md(told.amount)}***")
    if told.mark:
        symbol = f":material/{told.mark.icon}: " if told.mark.icon else ""
        parts.append(f":{_COLOURS[told.mark.tone]}-badge[{symbol}{md(told.mark.word)}]")
    if told.detail:
        parts.append(f":small[{md(told.detail)}]")
    path, query = target(visit, entry)
    st.page_link(navigation.page(path), label=" ".join(parts), icon=f":material/{words.icon(entry)}:", query_params=query)


def target(visit: Visit, entry: Entry) -> tuple[str, dict[str, str]]:
    """Return the address of an entry's object: its own page where it has one, else its drawer beside the story."""
    own = navigation.customer_query(visit.customer.customer_no)
    if entry.source == "bill":
        return "bills", own | {"details": entry.facts["bill_no"]}
    if entry.kind is Kind.VISIT:
        return "appointments", own
    if entry.kind is Kind.DOCUMENT:
        return "account", own
    return "timeline", _kept() | own | {"entry": f"{entry.source}-{entry.id}"}


def _kept() -> dict[str, str]:
    """Return what of the address a link within the story keeps."""
    return {name: st.query_params[name] for name in ("kind", "on", "before") if name in st.query_params}


def _link(visit: Visit, label: str, icon: str, **changed: str | None) -> None:
    query = _kept() | navigation.customer_query(visit.customer.customer_no)
    query = {name: value for name, value in (query | changed).items() if value}
    st.page_link(navigation.page("timeline"), label=label, icon=f":material/{icon}:", query_params=query)


def _owner(visit: Visit) -> str:
    return f"_timeline:{visit.customer.id}"


def _filter() -> None:
    """Put the choice into the address; a page that was turned begins anew."""
    kinds, on = st.session_state[_KINDS], st.session_state[_DAY]
    st.query_params.pop("before", None)
    for name, value in (("kind", ",".join(kind.value for kind in Kind if kind in kinds)), ("on", on.isoformat() if on else "")):
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
