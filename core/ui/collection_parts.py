"""What the page of direct debits draws: days to come, what stands in the way, files, what came back."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from core.errors import N_
from core.models.collection import BatchState
from core.models.collection import Sequence as Which
from core.services import collection_runs
from core.services.collection_facts import Candidate
from core.services.collection_runs import BatchView, DueDay
from core.services.returns import PastReturn
from core.ui import charts, download, forms, navigation
from core.ui.act import act, operation
from core.ui.collection_words import HINDRANCES, batch_mark, reason
from core.ui.parts import Mark, card, draw, empty, entry, head, note
from core.ui.text import day, euro, md, moment, t, tn

FORM = "collections"
_LISTED = 100
"""How many collections of a day are listed: a page is not the place for ten thousand."""
_HEAD = (N_("Customer"), N_("Customer no."), N_("Bill"), N_("Mandate"), N_("Collection"), N_("Amount"))
_WHICH = {
    Which.FRST: N_("first of its mandate"),
    Which.RCUR: N_("follows others"),
    Which.OOFF: N_("single one"),
    Which.FNAL: N_("last of its mandate"),
}


def show_day(due: DueDay) -> None:
    """Draw what is to be collected on a day, and the button that makes its file."""
    name = f"{due.collect_on}"
    with card(f"collections-{name}"):
        many = tn("{count} collection", "{count} collections", len(due.rows))
        kinds = " · ".join(f"{which.value} {count}" for which, count in sorted(due.sequences.items()))
        draw(
            head(day(due.collect_on, "long"), 3, note=f"{many} · {kinds}", end=euro(due.sum_cents)),
            note(t("The bank takes the file until {last}; it leaves by itself on that day.", last=day(due.last_day))),
        )
        with st.expander(t("Details")):
            charts.table(
                t("Collections of {on}", on=due.collect_on), [t(title) for title in _HEAD], [_cells(row) for row in due.rows[:_LISTED]], {5}
            )
            if len(due.rows) > _LISTED:
                empty(t("The first {count} are listed; the file holds them all.", count=_LISTED))
        key = operation("collections:make", due.collect_on, [row.bill_no for row in due.rows])
        st.button(
            t("Make the file"), key=f"collections:make:{name}", icon=":material/note_add:", on_click=_make, args=(due.collect_on, key)
        )


def show_blocked(rows: Sequence[Candidate]) -> None:
    """Draw the bills that can't be collected, and why."""
    with card("collections-blocked"):
        draw(head(t("Can't be collected"), 3, note=tn("{count} bill waits", "{count} bills wait", len(rows))))
        for row in rows:
            told = f"{row.bill_no} · {t(HINDRANCES[row.hindrance])}" if row.hindrance else row.bill_no
            _row(
                f"blocked-{row.bill_no}",
                row.customer_no,
                row.name,
                (day(row.due_date), Mark(t("Not collected"), "watch", "front_hand"), row.amount_cents, told),
            )


def show_files(batches: Sequence[BatchView]) -> None:
    """Draw the files that were made, the newest first, each with its download."""
    with card("collections-files"):
        draw(head(t("Files for the bank"), 3, note=t("Whoever takes a file hands it in: from then on it stands as it is.")))
        if not batches:
            empty(t("No file was made yet. Make the one of the next day above."))
        for batch in batches:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-file-{batch.message_id}"):
                draw(entry(day(batch.collect_on), batch_mark(batch.state), euro(batch.sum_cents), _told(batch)))
                st.download_button(
                    t("Download (XML)"), data=download.made(partial(collection_runs.file, message_id=batch.message_id)), mime="application/xml",
                    file_name=f"{batch.message_id}.xml", key=f"collections:file:{batch.message_id}", type="tertiary",
                    on_click="ignore" if batch.state is not BatchState.MADE else "rerun",
                )  # fmt: skip


def show_returns(rows: Sequence[PastReturn], since: date) -> None:
    """Draw what banks sent back since a day, each with the way to the customer's bills."""
    with card("collections-returns"):
        draw(head(t("Sent back by banks"), 3, note=t("since {since}", since=since)))
        if not rows:
            empty(t("Nothing came back."))
        for row in rows:
            told = f"{row.bill_no} · {reason(row.code)}"
            _row(
                f"return-{row.bill_no}",
                row.customer_no,
                row.name,
                (day(row.returned_on), Mark(t("Sent back"), "watch", "undo"), row.amount_cents, told),
            )


def _row(key: str, customer_no: str, name: str, told: tuple[str, Mark, int, str]) -> None:
    """Draw a line about a customer's bill, with the way to his bills."""
    on, mark, cents, text = told
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-{key}"):
        draw(entry(on, mark, euro(cents), text))
        with st.container(key=f"collections:{key}", width="content"):
            st.page_link(navigation.page("bills"), label=md(name), query_params=navigation.customer_query(customer_no))


def _cells(row: Candidate) -> tuple[str, ...]:
    which = f"{row.sequence.value} · {t(_WHICH[row.sequence])}"
    which = f"{which}, {t('new account')}" if row.amended else which
    return row.name, row.customer_no, row.bill_no, row.umr, which, euro(row.amount_cents)


def _told(batch: BatchView) -> str:
    many = tn("{count} collection", "{count} collections", batch.collections)
    parts = [batch.message_id, many]
    if batch.returned:
        parts.append(tn("{count} came back", "{count} of them came back", batch.returned))
    if batch.sent_at:
        parts.append(t("sent on {at}", at=moment(batch.sent_at)))
    return " · ".join([*parts, f"SHA-256 {batch.sha256[:8]}…"])


def _make(collect_on: date, key: str) -> None:
    done = t("The file of {on} is made: it stands below.", on=collect_on)
    act(collection_runs.make_batch, form=FORM, operation=key, done=done, collect_on=collect_on)


def answer() -> None:
    """Draw the answer to the last click on this page."""
    forms.answer(FORM)
