"""What was paid on a bill, in its drawer: the way to take it back, and to count money on it that is still free."""

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.services import payment_corrections
from core.services.bills import BillRow
from core.services.payment_corrections import COMMENT_LENGTH, Counted, Left
from core.ui import forms, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.text import day, euro, t

FORM = "bills:payment"
"""Of recording a payment too: whichever drawer was closed by its answer, the page says it."""


def section(visit: Visit, row: BillRow) -> None:
    """Draw the payments that count on the bill, and what could; nothing where there is neither."""
    answer = forms.last(FORM)
    if answer is not None and answer.good:
        st.rerun()  # The balance and the list behind the drawer are others now.
    body(visit, row)


def body(visit: Visit, row: BillRow) -> None:
    """Draw what counts on the bill."""
    if row.is_credit_note:
        return
    with reading() as session:
        counted = payment_corrections.on_bill(session, visit.actor, customer_id=visit.customer.id, bill_no=row.bill_no)
        free = (
            payment_corrections.left_over(session, visit.actor, customer_id=visit.customer.id) if row.is_open and visit.actor.staff else []
        )
    if not counted and not free:
        return
    parts.draw(parts.head(t("Paid on this bill"), 3))
    forms.answer(FORM)
    if not counted:
        parts.empty(t("Nothing counts on this bill."))
    for one in counted:
        _show_counted(visit, row, one)
    for left in free:
        _show_free(visit, row, left)


def _show_counted(visit: Visit, row: BillRow, one: Counted) -> None:
    with st.container(gap="xxsmall", key=f"billrow-counted-{one.payment_id}"):
        st.text(f"{day(one.received_on)} · {euro(one.cents)} · {_story(visit, one)}")
        if not one.by_debit and visit.actor.may(Permission.PAYMENT_REVERSE):
            with st.popover(t("Take it back"), type="tertiary", key=f"bills:payment:ask:{one.payment_id}"):
                _show_reverse(visit, row, one)


def _story(visit: Visit, one: Counted) -> str:
    """Say how it was paid, by whom, and of how much it is a part."""
    told = [t("by direct debit") if one.by_debit else t("by transfer")]
    if visit.actor.staff and one.payer_name:
        told.append(one.payer_name)
    if one.payer_masked:
        told.append(one.payer_masked)
    if one.cents != one.of_cents:
        told.append(t("part of {of_cents}", of_cents=one.of_cents))
    return " · ".join(told)


def _show_reverse(visit: Visit, row: BillRow, one: Counted) -> None:
    """Ask once more, and what is to become of the money."""
    key = f"bills:payment:{one.payment_id}"
    ways = {
        "bill": t("The bill asks it again; the money stays as credit"),
        "queue": t("It is somebody else's: all of it waits for its bill again"),
    }
    st.radio(t("What becomes of the money?"), list(ways), format_func=ways.__getitem__, key=f"{key}:way")
    st.text_input(t("Why is it taken back?"), key=f"{key}:comment", max_chars=COMMENT_LENGTH)
    forms.error(FORM, "comment")
    st.button(
        t("Take {cents} back", cents=one.cents), key=f"bills:payment:reverse:{one.payment_id}", type="primary", on_click=_reverse,
        args=(visit.customer.id, one.payment_id, row.bill_no, operation(FORM, one.payment_id, row.bill_no, row.version)),
    )  # fmt: skip


def _show_free(visit: Visit, row: BillRow, left: Left) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-free-{left.payment_id}"):
        st.text(t("{left_cents} of {on} counts on no bill yet", left_cents=left.left_cents, on=day(left.received_on)))
        if visit.actor.may(Permission.PAYMENT_RECORD):
            st.button(
                t("Count it here"), key=f"bills:payment:count:{left.payment_id}", on_click=_count_left,
                args=(visit.customer.id, left.payment_id, row.bill_no, operation(FORM, "count", left.payment_id, row.bill_no, row.version)),
            )  # fmt: skip


def _reverse(customer_id: int, payment_id: int, bill_no: str, key: str) -> None:
    """Take the payment back from this bill, or out of the file."""
    to_queue = st.session_state[f"bills:payment:{payment_id}:way"] == "queue"
    done = t("It waits for its bill again, on the page Payments.") if to_queue else t("The bill asks it again; the money stays as credit.")
    act(
        payment_corrections.reverse, form=FORM, operation=key, done=done, customer_id=customer_id, payment_id=payment_id, bill_no=bill_no,
        to_queue=to_queue, comment=st.session_state[f"bills:payment:{payment_id}:comment"],
    )  # fmt: skip


def _count_left(customer_id: int, payment_id: int, bill_no: str, key: str) -> None:
    act(
        payment_corrections.count_left, form=FORM, operation=key, done=t("Counted on this bill."), customer_id=customer_id,
        payment_id=payment_id, bill_no=bill_no,
    )  # fmt: skip
