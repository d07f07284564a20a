"""Above the rows of a list: their order, their columns, and the ways to take them along."""

import tempfile
from functools import partial

import streamlit as st
from sqlmodel import Session

from core.actor import Actor, Permission
from core.db import reading
from core.errors import DomainError
from core.services import list_export
from core.services.list_export import Format
from core.services.lists import Page, Query
from core.ui import download, list_address, list_bulk
from core.ui.list_address import Asked
from core.ui.text import language, message, t

MIMES = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}


def show(actor: Actor, asked: Asked, found: Page) -> None:
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
            on_change=_choose_sort,
            args=(asked,),
        )
        st.segmented_control(
            t("Direction"), ["+", "-"], key="lists:down", required=True, label_visibility="collapsed",
            format_func={"+": t("Rising"), "-": t("Falling")}.__getitem__, on_change=_choose_sort, args=(asked,),
        )  # fmt: skip
        with st.popover(t("Columns"), icon=":material/view_column:"):
            st.session_state["lists:columns"] = [column.name for column in found.columns]
            st.multiselect(
                t("Columns"), list(known), key="lists:columns", format_func=lambda name: t(known[name].label), on_change=_choose_columns,
                args=(asked,),
            )  # fmt: skip
        st.space("stretch")
        list_bulk.show_newest(actor)
        _show_exports(actor, asked, found)


def _show_exports(actor: Actor, asked: Asked, found: Page) -> None:
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
            partial(_write_file, query=query, kind=kind, tongue=language()), partial(_note_file, query=query, kind=kind)
        )
        st.download_button(
            kind.upper() if kind is not Format.PARQUET else "Parquet", data=make, mime=MIMES[kind], key=f"lists:{kind}",
            file_name=f"{asked.listing.noun}.{kind}", on_click="ignore", disabled=not found.rows,
        )  # fmt: skip


def _write_file(session: Session, actor: Actor, *, query: Query, kind: Format, tongue: str) -> tuple[bytes, int]:
    """Make the file at the click, and count its rows."""
    with tempfile.TemporaryFile() as file:
        rows = list_export.export(session, actor, query=query, file_format=kind, language=tongue, file=file)
        file.seek(0)
        return file.read(), rows


def _note_file(session: Session, actor: Actor, rows: int, *, query: Query, kind: Format) -> None:
    """Write down what was taken along."""
    list_export.note(session, actor, query=query, file_format=kind, rows=rows)


def _choose_sort(asked: Asked) -> None:
    """Sort by another column, or the other way."""
    sign = "-" if st.session_state["lists:down"] == "-" else ""
    query = list_address.plain(asked.query)
    list_address.go(Query(query.noun, query.where, query.columns, sign + st.session_state["lists:sort"]), asked.view)


def _choose_columns(asked: Asked) -> None:
    """Show other columns; none chosen means those of the list."""
    query = asked.query
    list_address.go(Query(query.noun, query.where, tuple(st.session_state["lists:columns"]), query.sort), asked.view)
