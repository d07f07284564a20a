"""Listes: customers, bills, orders and the rest, filtered, sorted, saved, taken along, and worked on together."""

import tempfile
from functools import partial

import streamlit as st
from sqlmodel import Session

from core.actor import Actor, Permission
from core.db import reading
from core.errors import DomainError
from core.services import list_export, lists, saved_views
from core.services.list_columns import listings_of
from core.services.list_export import Format
from core.services.lists import Page, Query
from core.ui import download, gate, list_address, list_bulk, list_filter, list_rows, list_views, parts
from core.ui.list_address import Asked
from core.ui.text import language, message, t

MIMES = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def main(actor: Actor) -> None:
    """Tell the page from top to bottom."""
    found: Page | None = None
    with reading() as session:
        asked = list_address.read(session, actor)
        views = saved_views.of_list(session, actor, noun=asked.listing.noun)
        refused = asked.refused
        if refused is None:
            try:
                found = lists.page(session, actor, query=asked.query)
            except DomainError as refusal:
                refused = refusal
    parts.draw(parts.head(t("Lists"), 1))
    show_nouns(actor, asked)
    list_bulk.show_run(actor)
    list_views.show(actor, asked, views)
    if refused is not None or found is None:
        show_refusal(asked, refused)
        return
    with parts.card("list-filter"):
        list_filter.show(actor, asked)
    with parts.card("list-rows"):
        show_tools(actor, asked, found)
        show_rows(actor, asked, found)


def show_nouns(actor: Actor, asked: Asked) -> None:
    """Draw the choice of the list."""
    known = listings_of(actor)
    st.session_state["lists:of"] = asked.listing.noun
    st.pills(
        t("List"), list(known), key="lists:of", required=True, label_visibility="collapsed",
        format_func=lambda noun: t(known[noun].label), on_change=choose_noun,
    )  # fmt: skip


def show_refusal(asked: Asked, refused: DomainError | None) -> None:
    """Say why nothing is shown, and offer the way out."""
    if refused is not None:
        st.error(message(refused), icon=":material/link_off:")
    st.button(t("Show the whole list"), key="lists:whole", on_click=list_address.go, args=(Query(asked.listing.noun),))


def show_tools(actor: Actor, asked: Asked, found: Page) -> None:
    """Draw order, columns, and the ways to take the rows along."""
    known = asked.listing.columns_of(actor)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="lists-tools"):
        sorts = [column.name for column in known.values() if column.sortable and (column.quick or not found.many)]
        st.session_state["lists:sort"], st.session_state["lists:down"] = (
            found.sort.removeprefix("-"),
            "-" if found.sort.startswith("-") else "+",
        )
        st.selectbox(
            t("Sort by"),
            sorts,
            key="lists:sort",
            width=190,
            format_func=lambda name: t(known[name].label),
            on_change=choose_sort,
            args=(asked,),
        )
        st.segmented_control(
            t("Direction"), ["+", "-"], key="lists:down", required=True, label_visibility="collapsed",
            format_func={"+": t("Rising"), "-": t("Falling")}.__getitem__, on_change=choose_sort, args=(asked,),
        )  # fmt: skip
        with st.popover(t("Columns"), icon=":material/view_column:"):
            st.session_state["lists:columns"] = [column.name for column in found.columns]
            st.multiselect(
                t("Columns"), list(known), key="lists:columns", format_func=lambda name: t(known[name].label), on_change=choose_columns,
                args=(asked,),
            )  # fmt: skip
        st.space("stretch")
        list_bulk.show_newest(actor)
        show_exports(actor, asked, found)


def show_exports(actor: Actor, asked: Asked, found: Page) -> None:
    """Draw the ways to take all rows of the filter along; the file is made at the click, where it can't be refused any more."""
    if not actor.may(Permission.LIST_EXPORT):
        return
    try:
        if found.many:
            with reading() as session:
                list_export.check(session, actor, query=list_address.plain(asked.query))
    except DomainError as refusal:
        st.caption(message(refusal), width="content")
        return
    for kind in Format:
        query = list_address.plain(asked.query)
        make = download.read_first(
            partial(write_file, query=query, kind=kind, tongue=language()), partial(note_file, query=query, kind=kind)
        )
        st.download_button(
            kind.upper() if kind is not Format.PARQUET else "Parquet", data=make, mime=MIMES[kind], key=f"lists:{kind}",
            file_name=f"{asked.listing.noun}.{kind}", on_click="ignore", disabled=not found.rows,
        )  # fmt: skip


def show_rows(actor: Actor, asked: Asked, found: Page) -> None:
    """Draw the rows, or what is missing."""
    if not found.rows:
        parts.empty(t("No row matches this filter. Take a condition out, or choose another view."))
        return
    list_rows.show(asked, found, list_bulk.chooser(actor, asked))
    list_bulk.show_actions(actor, asked, found)


def write_file(session: Session, actor: Actor, *, query: Query, kind: Format, tongue: str) -> tuple[bytes, int]:
    """Make the file at the click, and count its rows."""
    with tempfile.TemporaryFile() as file:
        rows = list_export.export(session, actor, query=query, file_format=kind, language=tongue, file=file)
        file.seek(0)
        return file.read(), rows


def note_file(session: Session, actor: Actor, rows: int, *, query: Query, kind: Format) -> None:
    """Write down what was taken along."""
    list_export.note(session, actor, query=query, file_format=kind, rows=rows)


def choose_noun() -> None:
    """Open another list, whole."""
    list_address.go(Query(st.session_state["lists:of"]))


def choose_sort(asked: Asked) -> None:
    """Sort by another column, or the other way."""
    sign = "-" if st.session_state["lists:down"] == "-" else ""
    query = list_address.plain(asked.query)
    list_address.go(Query(query.noun, query.where, query.columns, sign + st.session_state["lists:sort"]), asked.view)


def choose_columns(asked: Asked) -> None:
    """Show other columns; none chosen means those of the list."""
    query = asked.query
    list_address.go(Query(query.noun, query.where, tuple(st.session_state["lists:columns"]), query.sort), asked.view)


main(gate.enter_desk(Permission.LIST_READ))
