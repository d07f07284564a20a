"""The card of the direct debit: asked for, signed with a code, changed, ended (W7)."""

import secrets
from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.actor import Permission
from core.catalogue import law
from core.db import reading
from core.errors import N_
from core.models.mandate import MandateState
from core.services import bills, collections, mandate_signing, mandates
from core.services.access import Masked
from core.services.changes import Subject
from core.services.collection_runs import OwnCollection
from core.services.mandate_signing import HOLDER_LENGTH
from core.services.mandates import MandateView
from core.ui import changes, collection_card, download, forms, gate, reveal, two_at_once
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Tone, badge, card, empty, facts, heading, row
from core.ui.text import day, t
from core.ui.two_at_once import Field

FORM = "mandate"
WHY_ENDED = collections.RETURN_CODES | {mandates.EXPIRED: N_("it was not used for 36 months")}


def show(visit: Visit, mandate: MandateView | None, coming: Sequence[OwnCollection]) -> None:
    """Draw the direct debit as it stands, and what can be done with it."""
    may = visit.actor.may(Permission.MANDATE_WRITE) and not visit.customer.read_only
    running = mandate if mandate and mandate.state in mandates.RUNNING else None
    with card("mandate", stretch=True):
        with row("mandate"):
            heading(t("Direct debit"), 3, width="content")
            if running:
                badge(*_state(running))
        forms.answer(FORM)
        if running is None:
            _none(visit, mandate, may=may)
        else:
            _running(visit, running, may=may)
        collection_card.show(visit, coming)


def _none(visit: Visit, last: MandateView | None, *, may: bool) -> None:
    """Tell that none runs, why the last one ended, and ask for one."""
    if last and last.cancelled_on:
        why = t(WHY_ENDED.get(last.cancel_reason or "", N_("ended on request")))
        empty(t("Mandate {umr} ended on {on}: {why}. Bills are paid by transfer.", umr=last.umr, on=last.cancelled_on, why=why))
    else:
        empty(t("No direct debit runs. Bills that were issued already stay payable by transfer."))
    if may:
        _form(visit, t("Start the direct debit"), last)


def _running(visit: Visit, mandate: MandateView, *, may: bool) -> None:
    pairs = [(t("Holder"), mandate.holder), ("IBAN", reveal.written(visit, Masked.IBAN, mandate.masked)), (t("Mandate"), mandate.umr)]
    if mandate.signed_on:
        pairs.append((t("Signed on"), day(mandate.signed_on)))
    if mandate.last_used_on:
        pairs.append((t("Last collection"), day(mandate.last_used_on)))
    if mandate.pending_masked:
        pairs.append((t("New account, not signed yet"), mandate.pending_masked))
    facts(pairs)
    reveal.button(visit, Masked.IBAN)
    waits = mandate.state is MandateState.PENDING_SIGNATURE or mandate.pending_iban is not None
    if may and waits:
        _code(visit, mandate)
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            t("Mandate (PDF)"), data=download.made(partial(mandates.pdf, customer_id=visit.customer.id, umr=mandate.umr)), file_name=f"guichet-{mandate.umr}.pdf",
            mime="application/pdf", key="bills:mandate:pdf", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if may:
            _end(visit, mandate)
        changes.button(visit, Subject.MANDATE)
    if may and mandate.state is MandateState.ACTIVE:
        with st.expander(t("Change the account"), icon=":material/edit:"):
            _form(visit, t("Change the account"), mandate)


def _form(visit: Visit, save: str, mandate: MandateView | None) -> None:
    """Ask for holder, account and the consent to the shorter notice."""
    days = law("direct_debit_prenotification_days")
    holder = mandate.holder if mandate else visit.customer.name
    opening = (visit.customer.id, mandate.id if mandate else None)
    two_at_once.fill(FORM, opening, {"bills:mandate:holder": Field(t("Account holder"), holder)})
    forms.begin(FORM, visit.customer.id, {"bills:mandate:iban": "", "bills:mandate:consent": False})
    st.text_input(t("Account holder"), key="bills:mandate:holder", max_chars=HOLDER_LENGTH)
    forms.error(FORM, "holder")
    st.text_input("IBAN", key="bills:mandate:iban", placeholder="BE00 0000 0000 0000", max_chars=42)
    forms.error(FORM, "iban")
    st.checkbox(
        t("The holder agrees to be told of each collection {days} days ahead, by the bill, and may have it paid back by his bank within {weeks} weeks.",
          days=days, weeks=law("direct_debit_refund_weeks")),
        key="bills:mandate:consent",
    )  # fmt: skip
    forms.error(FORM, "consent")
    two_at_once.show(FORM)
    two_at_once.theirs(FORM)
    amends = mandate if mandate and mandate.state is MandateState.ACTIVE else None
    key = operation("mandate", mandate.id if mandate else None, mandate.version if mandate else None)
    st.button(
        save, key="bills:mandate:save", type="secondary" if amends else "primary", on_click=_ask, args=(visit.customer.id, amends, key)
    )
    customer_reads = t("A code goes to your phone; it signs the mandate.")
    st.caption(t("A code goes to the customer's phone; it signs the mandate.") if visit.actor.staff else customer_reads)


def _code(visit: Visit, mandate: MandateView) -> None:
    """Ask for the code that signs, or send another one."""
    if mandate.code_until:
        told = t(
            "A code was sent to the customer's phone; it counts for {minutes} minutes.", minutes=mandate_signing.CODE_LIVES.seconds // 60
        )
    else:
        told = t("No code counts any more: send a new one, then type it here.")
    st.caption(told)
    forms.begin("mandate:sign", visit.customer.id, {"bills:mandate:code": ""})
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(t("Code"), key="bills:mandate:code", width=150, max_chars=8, autocomplete="one-time-code")
        shown = (visit.customer.id, mandate)
        key = operation("mandate:sign", mandate.id, mandate.version)
        live = mandate.code_until is not None
        st.button(
            t("Sign"), key="bills:mandate:sign", type="primary" if live else "secondary", on_click=_sign, args=(visit.customer.id, key)
        )
        st.button(t("Send a new code"), key="bills:mandate:resend", type="secondary" if live else "primary", on_click=_resend, args=shown)
    forms.error(FORM, "code")


def _end(visit: Visit, mandate: MandateView) -> None:
    """End it, after one more question."""
    signed = mandate.state is not MandateState.PENDING_SIGNATURE
    with st.popover(t("End the direct debit") if signed else t("Drop the request")):
        if signed:
            st.markdown(t("Bills issued from now on are paid by transfer. A bill that was issued under this mandate is still collected."))
        else:
            st.markdown(t("The mandate was not signed: nothing was collected with it."))
        st.button(t("End it now"), key="bills:mandate:cancel", on_click=_cancel, args=(visit.customer.id, mandate))


def _state(mandate: MandateView) -> tuple[str, Tone, str]:
    if mandate.state is MandateState.PENDING_SIGNATURE:
        return t("Waits for its signature"), "watch", "stylus_note"
    if mandate.state is MandateState.SUSPENDED:
        return t("Suspended"), "watch", "pause_circle"
    return t("Active"), "good", "check_circle"


def _ask(customer_id: int, amends: MandateView | None, key: str) -> None:
    given = {"holder": st.session_state["bills:mandate:holder"], "iban": st.session_state["bills:mandate:iban"], "consent": st.session_state["bills:mandate:consent"]}  # fmt: skip
    verb = partial(mandate_signing.amend, mandate_id=amends.id, shown_version=amends.version) if amends else mandate_signing.request
    act(verb, form=FORM, operation=key, done=_requested, customer_id=customer_id, **given)


def _sign(customer_id: int, key: str) -> None:
    code = st.session_state["bills:mandate:code"]
    if act(mandate_signing.count_try, form=FORM, operation=operation(FORM, secrets.token_hex()), customer_id=customer_id):
        act(mandate_signing.sign, form=FORM, operation=key, done=_signed, customer_id=customer_id, code=code)


def _signed(mandate: MandateView) -> str:
    return f"{t('The direct debit runs on account {masked}.', masked=mandate.masked)} {_first_debit()}".strip()


def _requested(_result: object) -> str:
    return f"{t('The code is on its way to the phone.')} {_first_debit()}".strip()


def _first_debit() -> str:
    """Say which bill is the first to be collected, and when; nothing for who gets no more bills."""
    visit = gate.visit(Permission.BILL_READ)
    with reading() as session:
        found = bills.preview_next(session, visit.actor, customer_id=visit.customer.id)
        if found is None:
            return ""
        debit = bills.due_days(session, visit.actor, customer_id=visit.customer.id, bill_date=found.bill_date)[1]
    return t(
        "The first bill that is collected is that of {bill}, on {debit}; earlier ones stay transfers.", bill=found.bill_date, debit=debit
    )


def _resend(customer_id: int, mandate: MandateView) -> None:
    key = operation("mandate:resend", mandate.id, mandate.version)
    act(mandate_signing.resend_code, form=FORM, operation=key, done=t("The code is on its way to the phone."), customer_id=customer_id)


def _cancel(customer_id: int, mandate: MandateView) -> None:
    key = operation("mandate:cancel", mandate.id, mandate.version)
    signed = mandate.state is not MandateState.PENDING_SIGNATURE
    done = (
        t("The direct debit has ended. The next bill is paid by transfer.")
        if signed
        else t("The request is dropped: nothing was collected with it.")
    )
    shown = {"mandate_id": mandate.id, "shown_version": mandate.version}
    act(mandates.cancel, form=FORM, operation=key, done=done, customer_id=customer_id, **shown)
