"""The e-invoice of a bill: whether it was sent, where to and under which reference, and the way to send it again (R12)."""

from functools import partial

import streamlit as st

from core import i18n
from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.e_invoice import EInvoiceState
from core.services import access_point, e_invoices
from core.services.e_invoices import Sending, Transmission
from core.ui import download, forms
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark, Tone, card, draw, empty, fact_rows, head, note
from core.ui.text import moment, t

_STATES: dict[EInvoiceState, tuple[str, Tone, str]] = {
    EInvoiceState.QUEUED: (N_("On its way"), "watch", "schedule_send"),
    EInvoiceState.SENT: (N_("Transmitted"), "good", "check_circle"),
    EInvoiceState.FAILED: (N_("Not delivered"), "bad", "error"),
}
_SIMULATED: tuple[str, Tone, str] = (N_("Transmission simulated"), "info", "science")


def show(visit: Visit, bill_no: str) -> None:
    """Draw the e-invoice of a bill or a credit note; nothing for a consumer, who gets none."""
    with reading() as session:
        found = e_invoices.of_bill(session, visit.actor, customer_id=visit.customer.id, bill_no=bill_no)
    if found is None:
        return
    with card(f"einvoice-{bill_no}"):
        marks = []
        if found.last:
            word, tone, icon = _state(found.last)
            marks.append(Mark(t(word), tone, icon))
        draw(head(t("E-invoice"), 3, marks=marks))
        forms.answer(_form(bill_no))
        if found.last:
            draw(*_told(found.last))
        else:
            empty(t("This bill was not sent as an e-invoice. It would go to {receiver}.", receiver=found.receiver))
        _buttons(visit, found)
        if len(found.transmissions) > 1:
            _earlier(found)


def _told(one: Transmission) -> list[str]:
    """Tell a transmission: when, where to, under which reference, and what came of it."""
    when = one.sent_at or one.queued_at
    pairs = [(t("Sent on") if one.sent_at else t("Asked for on"), moment(when))]
    pairs += [(t("Peppol address"), one.receiver), (t("Reference"), one.message_id)]
    if one.answer:
        pairs.append((t("Answer of the access point"), one.answer))
    return [fact_rows(pairs), *([note(_explained(one))] if _explained(one) else [])]


def _explained(one: Transmission) -> str:
    """Say what the state alone would not tell."""
    if one.simulated:
        return t("Demo: no access point is set up. The sending was simulated; nothing went out.")
    if one.state is EInvoiceState.FAILED:
        return t("The access point did not take it. Check the Peppol address with the customer, then send it again.")
    if one.state is EInvoiceState.QUEUED and not access_point.carries():
        return t("It waits: no access point is set up here (GUICHET_PEPPOL_URL).")
    if one.state is EInvoiceState.QUEUED and one.tries:
        return t("{tries} times tried; the next try is at {at}.", tries=one.tries, at=i18n.clock_time(one.due_at))
    return ""


def _buttons(visit: Visit, found: Sending) -> None:
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            t("Download UBL"), data=download.made(partial(e_invoices.document, customer_id=visit.customer.id, bill_no=found.bill_no)),
            file_name=f"guichet-{visit.customer.customer_no}-{found.bill_no}.xml", mime="application/xml", key=f"bills:ubl:{found.bill_no}",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if visit.actor.may(Permission.EINVOICE_SEND):
            shown = len(found.transmissions)
            st.button(
                t("Send again") if shown else t("Send as an e-invoice"), key=f"bills:einvoice:{found.bill_no}", icon=":material/send:",
                disabled=found.last is not None and found.last.state is EInvoiceState.QUEUED,
                on_click=_send, args=(visit.customer.id, found.bill_no, shown, operation("einvoice", found.bill_no, shown)),
            )  # fmt: skip


def _earlier(found: Sending) -> None:
    """Show the transmissions before the last one, the newest first."""
    with st.expander(t("Earlier transmissions"), icon=":material/history:"):
        rows = [(f"{moment(one.sent_at or one.queued_at)} · {t(_state(one)[0])}", one) for one in found.transmissions[1:]]
        draw(fact_rows([(told, " · ".join(part for part in (one.message_id, one.answer) if part)) for told, one in rows]))


def _state(one: Transmission) -> tuple[str, Tone, str]:
    return _SIMULATED if one.simulated else _STATES[one.state]


def _form(bill_no: str) -> str:
    return f"bills:einvoice:{bill_no}"


def _send(customer_id: int, bill_no: str, shown: int, key: str) -> None:
    """Send a bill once more."""
    act(
        e_invoices.send, form=_form(bill_no), operation=key, done=_done, customer_id=customer_id, bill_no=bill_no, shown_attempts=shown
    )  # fmt: skip


def _done(one: Transmission) -> str:
    if one.state is EInvoiceState.SENT:
        return t("Sent under reference {reference}. It is the same bill: nothing is charged twice.", reference=one.message_id)
    return t("It goes out under reference {reference}. It is the same bill: nothing is charged twice.", reference=one.message_id)
