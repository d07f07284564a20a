"""The drawer of one bill: its lines, and what became of it. Each section draws nothing where it has nothing to say."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core import i18n
from core.actor import Permission
from core.db import reading
from core.services import bills, explain
from core.services.bill_words import label
from core.services.billing import Line
from core.services.bills import BillRow
from core.services.changes import Subject
from core.ui import bill_payments, changes, credit_form, dispute_section, e_invoice_card, forms, gate, parts, refund_form
from core.ui.gate import Visit
from core.ui.parts import draw, fact_rows, note
from core.ui.text import day, euro, language, t

WIDTH = 560
_NAMED = "_bill_named"


def button(row: BillRow) -> None:
    """Draw the button that opens the drawer."""
    if st.button(t("Details"), key=f"bills:details:{row.bill_no}", type="tertiary"):
        forms.forget()
        _open(row)


def open_named(visit: Visit) -> None:
    """Open the bill or credit note that `?details=` names, however old; once it is closed, the address no longer names it."""
    wanted = st.query_params.get("details")
    if wanted and st.session_state.pop(_NAMED, None) == wanted:  # It closed by a run of the page: something was done in it.
        _closed()
    elif wanted and "bill" not in st.query_params:
        st.session_state[_NAMED] = wanted
        with reading() as session:
            found = bills.of_customer(session, visit.actor, customer_id=visit.customer.id, older=True)
        if row := next((one for one in found if one.bill_no == wanted), None):
            _open(row)


def _open(row: BillRow) -> None:
    title = t("Credit note {bill_no}", bill_no=row.bill_no) if row.is_credit_note else t("Bill {bill_no}", bill_no=row.bill_no)
    parts.drawer(title, partial(_drawer, row.bill_no), width=WIDTH, closed=_closed)


def _closed() -> None:
    st.session_state.pop(_NAMED, None)
    st.query_params.pop("details", None)


def _drawer(bill_no: str) -> None:
    visit = gate.visit(Permission.BILL_READ)
    with reading() as session:
        found = bills.of_customer(session, visit.actor, customer_id=visit.customer.id, older=True)
    row = next((one for one in found if one.bill_no == bill_no), None)
    if row is None:
        st.rerun()
    for section in SECTIONS:
        section(visit, row)


def _lines(visit: Visit, row: BillRow) -> None:
    """Draw what the bill charges."""
    with reading() as session:
        found = bills.lines(session, visit.actor, customer_id=visit.customer.id, bill_no=row.bill_no)
    pairs = [(_what(line), euro(line.amount_cents)) for line in found]
    if sum(line.amount_cents for line in found) != row.total_cents:  # A business reads its lines without VAT.
        pairs += [(t("Without VAT"), euro(row.total_cents - row.vat_cents)), (t("VAT"), euro(row.vat_cents))]
    elif row.vat_cents:
        pairs.append((t("of which VAT"), euro(row.vat_cents)))
    pairs.append((t("Total"), euro(row.total_cents)))
    strong = [len(pairs) - 1]
    if not row.is_credit_note and row.remaining_cents != row.total_cents:
        pairs += [(words, i18n.signed_money(-cents, language())) for words, cents in _settled(row) if cents]
        pairs.append((t("Left to pay"), euro(row.remaining_cents)))
        strong.append(len(pairs) - 1)
    when = day(row.bill_date) if row.is_credit_note else t("{on} · due {due}", on=day(row.bill_date), due=day(row.due))
    draw(note(when), fact_rows(pairs, strong=strong))


def _settled(row: BillRow) -> list[tuple[str, int]]:
    """Tell what was taken off a bill: credited, and paid."""
    taken = row.total_cents - row.remaining_cents
    credited = min(row.credited_cents, taken)
    return [(t("Already credited"), credited), (t("Already paid"), taken - credited)]


def _what(line: Line) -> str:
    name = label(line.code, language(), line.since, line.until)
    how = explain.how(line, language())
    named = f"{name}, {line.detail}" if line.detail else name
    return f"{named} · {how}" if how else named


def _e_invoice(visit: Visit, row: BillRow) -> None:
    e_invoice_card.show(visit, row.bill_no)


def _history(visit: Visit, row: BillRow) -> None:
    changes.section(visit, Subject.BILL, row.bill_no)


SECTIONS: tuple[Callable[[Visit, BillRow], None], ...] = (
    _lines,
    bill_payments.section,
    credit_form.show,
    refund_form.show,
    dispute_section.show,
    _e_invoice,
    _history,
)
"""What the drawer tells, in the order of the screen; a part of its own goes into a module of its own and is named here."""
