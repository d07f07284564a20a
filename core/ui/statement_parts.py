"""Statements of the bank: taken in after a look at what it would do, and the list of those that were."""

from pathlib import Path

import streamlit as st

from core.actor import Actor
from core.bank.statement import MOST_BYTES
from core.catalogue import FILES
from core.db import reading
from core.errors import N_, DomainError
from core.services import statements
from core.services.statements import Fate, StatementRow, Sum, Taken
from core.settings import settings
from core.ui import forms, parts
from core.ui.act import act, operation
from core.ui.parts import Mark, draw, entry, fact_rows, note
from core.ui.text import day, euro, md, message, moment, t, tn

FORM = "payments:file"
SAMPLES = ("statement.cod", "statement.xml")
FATES = {
    Fate.MATCHED: N_("Find their bill"),
    Fate.WAITING: N_("Will wait for their bill"),
    Fate.KNOWN: N_("Known already"),
    Fate.RETURNED: N_("Came back, with the bank's reason"),
    Fate.OTHER: N_("Not ours to book"),
}
_ROUND = "_statement_round"


def show_upload(actor: Actor) -> None:
    """Draw the place for a file, what the file would do, and the button that does it."""
    with parts.row("file"):
        parts.heading(t("Take in a statement"), width="content")
    forms.answer(FORM)
    with parts.card("file"):
        with parts.uploader("payments:file"):
            file = st.file_uploader(
                t("CODA or camt.053, {most} MB at most", most=MOST_BYTES // 1024 // 1024),
                key=f"payments:file:{st.session_state.get(_ROUND, 0)}",
            )
        if settings().demo:
            _show_samples()
        if file is None:
            return
        try:
            with reading() as session:
                found = statements.look(session, actor, data=file.getvalue())
        except DomainError as refusal:
            st.error(md(message(refusal)), icon=":material/error:")
            return
        _show_look(found)
        key = operation(FORM, file.file_id)
        st.button(
            t("Book it") if found.new_statements else t("Nothing to book"), key="payments:file:save", type="primary",
            disabled=not found.new_statements, on_click=_take_in, args=(key,),
        )  # fmt: skip


def show_list(actor: Actor) -> None:
    """Draw the statements that were taken in, the newest first."""
    with reading() as session:
        rows = statements.taken_in(session, actor)
    with parts.row("statements"):
        parts.heading(t("Statements taken in"), width="content")
    with parts.card("statements"):
        if rows:
            draw(*(_row(row) for row in rows))
        else:
            parts.empty(t("No statement was taken in yet."))


def _row(row: StatementRow) -> str:
    mark = (
        Mark(tn("{count} waits", "{count} wait", row.waiting), "watch", "hourglass_empty")
        if row.waiting
        else Mark(t("All found"), "good", "check_circle")
    )
    told = t(
        "no. {number}: from {opening_cents} to {closing_cents}, {entries} entries, {payments} booked · {name}, {at} by {who}",
        number=row.number, opening_cents=row.opening_cents, closing_cents=row.closing_cents, entries=row.entries, payments=row.payments,
        name=row.name, at=moment(row.at), who=row.by,
    )  # fmt: skip
    return entry(day(row.day), mark, euro(row.closing_cents - row.opening_cents), told)


def _show_look(found: Taken) -> None:
    """Tell what the file holds: the rows add up to its entries, and the entries to the difference of the balances."""
    days = day(found.first_day) if found.first_day == found.last_day else f"{day(found.first_day)} – {day(found.last_day)}"  # noqa: RUF001 - a dash between days
    rows = [(t(FATES[fate]), f"{one.count} · {euro(one.cents)}") for fate, one in found.sums.items() if one.count]
    total = (t("All entries"), f"{found.entries.count} · {euro(found.entries.cents)}")
    draw(note(t("{days}: this is what booking it would do.", days=days)), fact_rows([*rows, total], strong=(len(rows),)))
    if not found.new_statements:
        st.info(t("This statement was taken in before."), icon=":material/info:")
    if found.missing:
        st.warning(t("It does not begin where the last statement ended: one between them is missing."), icon=":material/rule:")


def _show_samples() -> None:
    """Offer files to try with: the demo has no bank."""
    with st.container(horizontal=True, gap="small"):
        for name in SAMPLES:
            st.download_button(
                t("Sample: {name}", name=name), data=Path(FILES / "samples" / name).read_bytes(), file_name=name, type="tertiary",
                mime="application/octet-stream", icon=":material/download:", key=f"payments:sample:{name}", on_click="ignore",
            )  # fmt: skip


def _take_in(key: str) -> None:
    """Book the file that lies in the uploader, and empty it."""
    file = st.session_state.get(f"payments:file:{st.session_state.get(_ROUND, 0)}")
    if file is None:
        return
    if act(statements.take_in, form=FORM, operation=key, done=_done, name=file.name, data=file.getvalue()):
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _done(taken: Taken) -> str:
    empty = Sum()
    matched, waiting = (taken.sums.get(fate, empty) for fate in (Fate.MATCHED, Fate.WAITING))
    return t(
        "Booked: {matched} found their bill ({matched_cents}), {waiting} wait for it ({waiting_cents}).",
        matched=matched.count, matched_cents=matched.cents, waiting=waiting.count, waiting_cents=waiting.cents,
    )  # fmt: skip
