"""Recording a payment by hand in a customer's file, with what it would do; money that waits and may be his is offered first."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core import clock
from core.actor import Permission
from core.db import reading
from core.errors import DomainError
from core.services import bills, open_amounts, payment_corrections, payment_entry, payment_matching, payments
from core.services.bills import BillRow
from core.services.payment_entry import COMMENT_LENGTH, COMMUNICATION_LENGTH
from core.services.payment_matching import Suggestion
from core.services.payments import UnmatchedPayment
from core.ui import forms, gate, parts, payment_queue
from core.ui.act import act, operation
from core.ui.bill_payments import FORM
from core.ui.gate import Visit
from core.ui.parts import draw, fact_rows, note
from core.ui.text import day, euro, message, t

OLDEST = ""
WIDTH = 520
_KEY = "bills:payment:add"


def show(visit: Visit) -> None:
    """Draw the button for those who may, what is free of earlier payments, and the answer to the last click."""
    if not visit.actor.may(Permission.PAYMENT_RECORD):
        return
    with reading() as session:
        free = payment_corrections.left_over(session, visit.actor, customer_id=visit.customer.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="payments:by_hand"):
        if st.button(t("Record a payment"), key=_KEY, icon=":material/payments:"):
            forms.forget()
            parts.drawer(t("Record a payment"), _drawer, width=WIDTH)
        if free:
            left = sum(one.left_cents for one in free)
            st.caption(t("{left_cents} of earlier payments counts on no bill yet: open the details of a bill.", left_cents=left))
    forms.answer(FORM)


def _drawer() -> None:
    """Ask for the payment; the drawer closes once it is saved."""
    visit = gate.visit(Permission.PAYMENT_RECORD)
    answer = forms.last(FORM)
    if answer is not None and answer.good:
        st.rerun()
    body(visit)


def body(visit: Visit) -> None:
    """Draw what waits and may be his, then the form."""
    with reading() as session:
        waiting = payment_matching.of_customer(session, visit.actor, customer_id=visit.customer.id)
        rows = [row for row in bills.of_customer(session, visit.actor, customer_id=visit.customer.id, older=True) if row.is_open]
    if waiting:
        _show_waiting(visit, waiting)
    _show_form(visit, sorted(rows, key=lambda row: row.bill_date))


def _show_waiting(visit: Visit, waiting: Sequence[tuple[UnmatchedPayment, Suggestion]]) -> None:
    """Offer what the bank received already: to write it down once more would count it twice."""
    parts.draw(parts.head(t("Is it one of these?"), 3))
    for row, found in waiting:
        with st.container(gap="xxsmall", key=f"billrow-waiting-{row.id}"):
            st.text(f"{day(row.received_on)} · {euro(row.amount_cents)} · {payment_queue.payer(row)}")
            bill_no = found.bill.bill_no if found.bill else None
            label = t("Count it on bill {bill_no}", bill_no=bill_no) if bill_no else t("Count it as credit")
            st.button(
                f"{label} – {payment_queue.reasons(found)}", key=f"bills:payment:take:{row.id}", on_click=_take,  # noqa: RUF001 - a dash before the reasons
                args=(visit.customer.id, row, bill_no, operation(FORM, row.id, bill_no)),
            )  # fmt: skip


def _show_form(visit: Visit, rows: Sequence[BillRow]) -> None:
    words = {OLDEST: t("The oldest first")} | {
        row.bill_no: f"{row.bill_no} · {day(row.bill_date)} · {euro(row.remaining_cents)}" for row in rows
    }
    names = {f"{_KEY}:amount": "", f"{_KEY}:communication": "", f"{_KEY}:comment": ""}
    forms.begin(FORM, visit.customer.id, names)
    st.text_input(t("Amount received"), key=f"{_KEY}:amount", placeholder="42,00", max_chars=14)
    forms.error(FORM, "amount")
    st.date_input(t("Received on"), value=clock.today(), max_value=clock.today(), format="DD/MM/YYYY", key=f"{_KEY}:day")
    forms.error(FORM, "received_on")
    st.selectbox(t("Counts on"), list(words), format_func=words.__getitem__, key=f"{_KEY}:bill")
    st.text_input(t("Communication (if there was one)"), key=f"{_KEY}:communication", max_chars=COMMUNICATION_LENGTH)
    forms.error(FORM, "communication")
    st.text_input(t("How is it known?"), key=f"{_KEY}:comment", max_chars=COMMENT_LENGTH, placeholder=t("Proof of payment by e-mail, seen with the bank …"))  # fmt: skip
    forms.error(FORM, "comment")
    amount = str(st.session_state[f"{_KEY}:amount"])
    if amount.strip():
        _show_preview(visit, amount, str(st.session_state[f"{_KEY}:bill"]))
    forms.answer(FORM)
    key = operation(FORM, *((row.bill_no, row.version) for row in rows), amount)
    st.button(t("Record it"), key=f"{_KEY}:save", type="primary", on_click=_enter, args=(visit.customer.id, key))


def _show_preview(visit: Visit, amount: str, bill_no: str) -> None:
    """Tell the balance before and after."""
    try:
        cents = payment_entry.cents_of(amount)
    except DomainError as refusal:
        parts.empty(message(refusal))
        return
    with reading() as session:
        told = payment_entry.preview(
            session, visit.actor, customer_id=visit.customer.id, amount_cents=cents, bill_no=bill_no or None
        )  # fmt: skip
    counted = [(t("on bill {bill_no}", bill_no=number), euro(share)) for number, share in told.counted]
    draw(
        note(t("This is what it does:")),
        fact_rows(
            [
                *counted,
                (t("Open before"), euro(told.open_before_cents)), (t("Open after"), euro(told.open_after_cents)),
                *([(t("Credit after"), euro(told.credit_after_cents))] if told.credit_after_cents else []),
            ],
            strong=(len(counted) + 1,),
        ),
    )  # fmt: skip


def _enter(customer_id: int, key: str) -> None:
    """Save the payment that was typed."""
    try:
        cents = payment_entry.cents_of(str(st.session_state[f"{_KEY}:amount"]))
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False, field=refusal.field)
        return
    saved = act(
        payment_entry.enter, form=FORM, operation=key, done=partial(_recorded, customer_id, cents), customer_id=customer_id,
        received_on=st.session_state[f"{_KEY}:day"], amount_cents=cents, bill_no=st.session_state[f"{_KEY}:bill"] or None,
        communication=st.session_state[f"{_KEY}:communication"], comment=st.session_state[f"{_KEY}:comment"],
    )  # fmt: skip
    if saved:
        st.session_state.update({f"{_KEY}:amount": "", f"{_KEY}:communication": "", f"{_KEY}:comment": ""})


def _recorded(customer_id: int, cents: int, _result: object) -> str:
    """Say what was recorded, and what is left."""
    with reading() as session:
        left = open_amounts.open_summary(session, customer_id)
    if left.open_cents:
        return t("{amount_cents} recorded: {open_cents} is left to pay.", amount_cents=cents, open_cents=left.open_cents)
    if left.credit_cents:
        return t(
            "{amount_cents} recorded: all is paid, and {credit_cents} is left as credit.",
            amount_cents=cents,
            credit_cents=left.credit_cents,
        )
    return t("{amount_cents} recorded: all is paid.", amount_cents=cents)


def _take(customer_id: int, row: UnmatchedPayment, bill_no: str | None, key: str) -> None:
    """Count money that waited for this customer."""
    done = partial(_recorded, customer_id, row.amount_cents)
    act(payments.match, form=FORM, operation=key, done=done, payment_id=row.id, customer_id=customer_id, bill_no=bill_no)
