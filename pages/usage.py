"""Consommations: what was used, filtered, in sums, in a chart, event by event, and as a file."""

import io
from dataclasses import dataclass
from functools import partial

import streamlit as st
from sqlmodel import Session

from core import clock, i18n
from core.actor import Actor, Permission
from core.db import reading
from core.errors import DomainError
from core.services import usage_detail, usage_export
from core.services.usage_detail import PAGE, Filters, Page, Total
from core.services.usage_export import Format
from core.ui import aide, download, gate, parts, usage_chart, usage_filters, usage_rows
from core.ui.gate import Visit
from core.ui.text import language, message, t
from core.ui.usage_chart import Drawn
from core.ui.usage_filters import Asked, Known

gate.enter(Permission.USAGE_READ)

MIMES = {Format.CSV: "text/csv", Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ICONS = {Format.CSV: ":material/download:", Format.XLSX: ":material/table_view:"}


@dataclass(frozen=True)
class Found:
    """What the filters let through; `drawn` is None where there is nothing."""

    totals: tuple[Total, ...]
    drawn: Drawn | None
    page: Page


@st.fragment
def main() -> None:
    """Draw what the address asks for. A choice reruns this part alone: so the right to see it is checked in here, each time."""
    visit = gate.visit(Permission.USAGE_READ)
    refused = found = None
    with reading() as session:
        choices = usage_filters.known(session, visit)
        asked = usage_filters.read(choices)
        try:
            found = find(session, visit, choices, asked)
        except DomainError as refusal:
            refused = refusal
        now = i18n.clock_time(clock.now())
    with parts.row("usage"):
        parts.heading(t("Usage"))
        st.caption(t("as of {now}, data up to 30 min late", now=now))
    usage_filters.odd(asked)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="usage-filters"):
        usage_filters.show(choices, asked)
        st.space("stretch")
        show_exports(visit, asked, nothing=found is None or not found.page.rows)
    if refused is not None:
        st.error(message(refused), icon=":material/error:")
    elif found is not None:
        show_found(choices, asked, found)
    show_help(visit, choices)


def find(session: Session, visit: Visit, choices: Known, asked: Asked) -> Found:
    """Read sums, chart and one page of events."""
    actor, file, filters = visit.actor, visit.customer.id, asked.filters
    totals = usage_detail.totals(session, actor, customer_id=file, filters=filters)
    after = usage_rows.after(file, asked)
    page = usage_detail.page(session, actor, customer_id=file, filters=filters, after=after)
    if not totals:
        return Found(totals, None, page)
    by = usage_chart.counted_by(choices, asked)
    points = usage_detail.series(session, actor, customer_id=file, filters=filters, by=by)
    return Found(totals, usage_chart.drawn(choices, asked, by, points), page)


def show_exports(visit: Visit, asked: Asked, *, nothing: bool) -> None:
    """Draw the ways to take the filtered rows along; the file is made at the click."""
    if not visit.actor.may(Permission.USAGE_EXPORT):
        return
    for kind in Format:
        st.download_button(
            kind.upper(), data=download.made(partial(write_file, customer_id=visit.customer.id, filters=asked.filters, kind=kind, tongue=language())),
            file_name=f"{t('Usage').lower()}-{visit.customer.customer_no}.{kind}", mime=MIMES[kind], key=f"usage:{kind}", icon=ICONS[kind],
            on_click="ignore", disabled=nothing,
        )  # fmt: skip


def write_file(session: Session, actor: Actor, *, customer_id: int, filters: Filters, kind: Format, tongue: str) -> bytes:
    """Make the file at the click."""
    file = io.BytesIO()
    usage_export.export(session, actor, customer_id=customer_id, filters=filters, file_format=kind, language=tongue, file=file)
    return file.getvalue()


def show_found(choices: Known, asked: Asked, found: Found) -> None:
    """Draw sums, chart and events, or what is missing."""
    if found.drawn is None:
        with parts.card("usage-empty"):
            parts.empty(t("No use matches these filters.") if choices.lines else t("Nothing was used yet."))
    else:
        with parts.card("usage-totals"):
            usage_rows.totals(found.totals)
        with parts.card("usage-chart"):
            usage_chart.show(choices, asked, found.drawn)
    if found.page.rows:
        with parts.card("usage-rows"):
            usage_rows.events(choices, found.page, PAGE)
    if asked.filters.since is not None and asked.filters.since < choices.detail_since:
        st.caption(
            t(
                "Single events are kept for 12 months, here since {since}. Of earlier months only the sums are left.",
                since=choices.detail_since,
            )
        )


def show_help(visit: Visit, choices: Known) -> None:
    """Draw the help of this tab."""
    aide.show(
        visit,
        (
            t("Choose a line, a type and a period; the address keeps your choices, so this view can be sent as a link."),
            t("CSV and XLSX hold exactly the rows that the filters let through."),
            t("The last three digits of other numbers are hidden; emergency and 0800 numbers are never listed."),
            t(
                "Single events are kept for 12 months, here since {since}. Of earlier months only the sums are left.",
                since=choices.detail_since,
            ),
        ),
    )


main()
