"""Paying back: what a credit note gives, or what was paid too much, to an account that is known (W8)."""

from functools import partial

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.payment import RefundState
from core.services import approvals, refunds
from core.services.bills import BillRow
from core.services.corrections import COMMENT_LENGTH
from core.services.refunds import Account, RefundRow, Source, Wish
from core.ui import forms
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import card, draw, head, note
from core.ui.text import day, euro, t

FORM = "bill:refund"
_OTHER = ""
"""The choice of an account that is typed."""

_ACCOUNT, _IBAN, _COMMENT = (f"bills:refund:{name}" for name in ("account", "iban", "comment"))
_ROUND = "_refund_round"
_SOURCES = {Source.MANDATE: N_("{masked} · mandate of {on}"), Source.PAYMENT: N_("{masked} · payment of {on}")}
_STATES = {
    RefundState.REQUESTED: N_("{amount_cents} to {masked}: asked of the bank on {on}"),
    RefundState.COMPLETED: N_("{amount_cents} to {masked}: paid out on {on}"),
    RefundState.REJECTED: N_("{amount_cents} to {masked}: sent back by the bank, asked for on {on}"),
}


def show(visit: Visit, row: BillRow) -> None:
    """Draw the refunds of a credit note, and pay back what is left of it."""
    if not row.is_credit_note:
        return
    with reading() as session:
        done = refunds.of_customer(session, visit.actor, customer_id=visit.customer.id)
    last = forms.last(FORM)
    if last and last.good:
        st.rerun()  # It is done: the page behind shows it.
    forms.answer(FORM)
    mine = [one for one in done if one.credit_note_no == row.bill_no]
    may = visit.actor.may(Permission.REFUND_WRITE) and row.remaining_cents > 0
    if mine or may:
        draw(head(t("Refund"), 3, end=euro(row.remaining_cents) if may else ""))
    for one in mine:
        _show_refund(visit, one)
    if may:
        _form(visit, row.bill_no, row.remaining_cents, Wish("", credit_note_no=row.bill_no))


def show_overpaid(visit: Visit) -> None:
    """Draw on the page what was paid too much, and pay it back; nothing where there is nothing, or for who may not."""
    if not visit.actor.may(Permission.REFUND_WRITE):
        return
    forms.answer(FORM)
    with reading() as session:
        found = refunds.overpaid(session, visit.actor, customer_id=visit.customer.id)
        open_ = [one for one in refunds.of_customer(session, visit.actor, customer_id=visit.customer.id) if not one.credit_note_no]
    if not found and not open_:
        return
    with card("overpaid"):
        draw(head(t("Paid too much"), 3, end=euro(sum(one.left_cents for one in found)) if found else ""))
        for one in open_:
            _show_refund(visit, one)
        if found:
            oldest = found[0]
            told = N_("{left_cents} of the payment of {on} ({amount_cents}) is on no bill.")
            said = t(told, left_cents=oldest.left_cents, on=day(oldest.received_on), amount_cents=oldest.amount_cents)
            draw(note(f"{said} {t('It goes off the next bill, unless it is paid back.')}"))
            with st.expander(t("Pay it back"), icon=":material/payments:", key="bills:overpaid"), st.container(width=520):
                _form(visit, f"payment-{oldest.payment_id}", oldest.left_cents, Wish("", payment_id=oldest.payment_id))


def _show_refund(visit: Visit, one: RefundRow) -> None:
    told = t(_STATES[one.state], amount_cents=one.amount_cents, masked=one.masked, on=day(one.completed_on or one.requested_on))
    draw(note(told))
    if one.state is RefundState.REQUESTED and visit.actor.may(Permission.COLLECTION_RUN):
        with st.container(horizontal=True, gap="small"):
            shown = (visit.customer.id, one)
            st.button(t("Paid out by the bank"), key=f"bills:refund:done:{one.id}", on_click=_settle, args=(*shown, True))
            st.button(t("Sent back by the bank"), key=f"bills:refund:rejected:{one.id}", on_click=_settle, args=(*shown, False))


def _form(visit: Visit, name: str, left_cents: int, wish: Wish) -> None:
    """Ask for the account: one of those that are known, or another one that a colleague looks at."""
    with reading() as session:
        known = {one.iban: one for one in refunds.accounts(session, visit.actor, customer_id=visit.customer.id)}
        waiting = approvals.of_customer(session, visit.actor, customer_id=visit.customer.id)
    if any(one.subject == wish.subject for one in waiting):
        draw(note(t("The refund waits for an approval.")))
        return
    chosen = st.selectbox(t("To account"), [*known, _OTHER], format_func=partial(_account, known), key=f"{_ACCOUNT}:{name}")
    typed = chosen == _OTHER
    if typed:
        forms.begin(f"{FORM}:{name}", visit.customer.id, {f"{_IBAN}:{name}": "", f"{_COMMENT}:{name}": ""})
        st.text_input("IBAN", key=f"{_IBAN}:{name}", placeholder="BE00 0000 0000 0000", max_chars=42)
        forms.error(FORM, "iban")
        st.text_input(t("How do you know that it is the customer's?"), key=f"{_COMMENT}:{name}", max_chars=COMMENT_LENGTH)
        forms.error(FORM, "comment")
        st.caption(t("An account that no mandate and no payment names is looked at by a second person."))
    forms.error(FORM, "amount")
    key = operation(FORM, name, left_cents, st.session_state.get(_ROUND, 0))
    words = t("Ask for approval") if typed else t("Pay {left_cents} back", left_cents=left_cents)
    st.button(
        words, key=f"bills:refund:{name}", icon=":material/payments:", on_click=_save, args=(visit.customer.id, name, wish, left_cents, key)
    )


def _account(known: dict[str, Account], iban: str) -> str:
    if iban == _OTHER:
        return t("another account")
    one = known[iban]
    return t(_SOURCES[one.source], masked=one.masked, on=day(one.day))


def _save(customer_id: int, name: str, wish: Wish, left_cents: int, key: str) -> None:
    """Pay back what was shown, or ask for it."""
    state = st.session_state
    chosen: str = state[f"{_ACCOUNT}:{name}"]
    source = {"credit_note_no": wish.credit_note_no, "payment_id": wish.payment_id, "amount_cents": left_cents}
    if chosen == _OTHER:
        asked = Wish(iban=state[f"{_IBAN}:{name}"], comment=state[f"{_COMMENT}:{name}"], **source)  # type: ignore[arg-type]
        done = t("Asked for. A colleague finds it under Approvals.")
        saved = act(approvals.request_refund, form=FORM, operation=key, done=done, customer_id=customer_id, wish=asked)
    else:
        done = t("{amount} is asked of the bank; the customer is told.", amount=euro(left_cents))
        saved = act(refunds.refund, form=FORM, operation=key, done=done, customer_id=customer_id, iban=chosen, **source)
    if saved:
        state[_ROUND] = state.get(_ROUND, 0) + 1


def _settle(customer_id: int, one: RefundRow, paid: bool) -> None:  # noqa: FBT001 - which button it was
    """Note what the bank did."""
    verb = refunds.complete if paid else refunds.reject
    done = t("Noted as paid out.") if paid else t("The credit is there again; the customer is told.")
    key = operation(FORM, one.id, one.version, paid)
    act(verb, form=FORM, operation=key, done=done, customer_id=customer_id, refund_id=one.id, shown_version=one.version)
