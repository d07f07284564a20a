"""The bank's answer to collections: a file is looked at, line by line, before it is taken in (R9)."""

import hashlib

import streamlit as st

from core.actor import Actor
from core.db import reading
from core.errors import DomainError
from core.services import returns
from core.services.returns import Taken
from core.ui import charts, forms
from core.ui.act import act, operation
from core.ui.collection_words import outcome_mark, reason
from core.ui.parts import card, draw, head, note, uploader
from core.ui.text import day, euro, md, message, t, tn

FORM = "collections:file"
_ROUND = "_answer_round"


def show(actor: Actor) -> None:
    """Draw the place for a file, and what it would do."""
    with card("collections-answer"):
        draw(head(t("The bank's answer"), 3, note="pain.002, camt.053, camt.054"))
        forms.answer(FORM)
        with uploader("collections:file"):
            file = st.file_uploader(t("A file of what banks refused or sent back"), type=["xml"], key=_key())
        if file is not None:
            _look(actor, file.name, file.getvalue())


def _look(actor: Actor, name: str, data: bytes) -> None:
    """Tell what the file would do; nothing is changed yet."""
    try:
        with reading() as session:
            found = returns.look(session, actor, name=name, data=data)
    except DomainError as refusal:
        st.error(md(message(refusal)), icon=":material/error:")
        return
    draw(note(_summary(found)))
    if found.lines:
        heads = (t("Collection"), t("Customer"), t("Bill"), t("The bank's reason"), t("What happens"), t("Amount"))
        charts.table(t("Lines of {name}", name=name), heads, [_cells(line) for line in found.lines], {5})
    key = operation(FORM, hashlib.sha256(data).hexdigest(), len(found.changes))
    st.button(
        t("Take it in"), key="collections:file:save", type="primary", disabled=not found.changes and not found.of(returns.Outcome.DISPUTE),
        on_click=_take, args=(name, data, key),
    )  # fmt: skip


def _summary(found: Taken) -> str:
    """Tell in a sentence or two what the lines add up to."""
    if not found.lines:
        return t("This file sends nothing back: there is nothing to take in.")
    told = [tn("{count} collection of {sum_cents} comes back.", "{count} collections of {sum_cents} come back.", len(found.changes), sum_cents=found.sum_cents)]  # fmt: skip
    rest = len(found.lines) - len(found.changes)
    if rest:
        told.append(tn("{count} line changes no bill.", "{count} lines change no bill.", rest))
    return " ".join(told)


def _cells(line: returns.Line) -> tuple[str, ...]:
    what = outcome_mark(line.outcome).word
    if line.until:
        what = f"{what} ({t('possible until {until}', until=day(line.until))})"
    who = f"{line.name} · {line.customer_no}" if line.name else "—"
    return line.end_to_end_id, who, line.bill_no or "—", reason(line.code), what, euro(line.amount_cents) if line.bill_no else "—"


def _take(name: str, data: bytes, key: str) -> None:
    """Take the file in, as a whole; the place for the next one is empty then."""
    if act(returns.take_in, form=FORM, operation=key, done=_done, name=name, data=data):
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _done(taken: Taken) -> str:
    return f"{t('{name} is taken in.', name=taken.name)} {_summary(taken)}"


def _key() -> str:
    return f"collections:file:upload:{st.session_state.get(_ROUND, 0)}"
