"""The messages card: what was written to the customer, read or not, and each one as it was sent."""

import streamlit as st

from core.actor import Permission
from core.db import reading, transaction
from core.errors import N_, DomainError
from core.models.communication import MessageChannel
from core.services import communications
from core.services.communications import Key, Message, MessageRow
from core.services.usage_numbers import national
from core.ui import forms, gate, parts
from core.ui.gate import Visit
from core.ui.text import md, message, moment, t

FORM = "messages"
LIMIT = 10
CHANNELS = {
    MessageChannel.EMAIL: N_("e-mail"),
    MessageChannel.SMS: N_("SMS"),
    MessageChannel.LETTER: N_("letter"),
    MessageChannel.PORTAL: N_("customer area"),
}
_OPENED = "_message"
_PAGE = "_messages_before"
_UNREAD = "account:messages:unread"


def show(visit: Visit) -> None:
    """Draw the newest messages, and the way to older ones."""
    customer = visit.customer
    unread_only = bool(st.session_state.get(_UNREAD))
    before = _before(customer.id)
    with reading() as session:
        unread = communications.unread_count(session, visit.actor, customer_id=customer.id)
        rows = communications.of_customer(
            session, visit.actor, customer_id=customer.id, before=before, limit=LIMIT + 1, unread_only=unread_only
        )  # fmt: skip
    with parts.card("messages"):
        with parts.row("messages"):
            parts.heading(t("Messages"), 3, width="content")
            if unread:
                parts.badge(t("{count} unread", count=unread), "info", "mail")
            st.space("stretch")
            if unread or unread_only:
                st.toggle(t("Unread only"), key=_UNREAD, on_change=_turn, args=(customer.id, None))
        forms.answer(FORM)
        if not rows:
            parts.empty(t("No unread message.") if unread_only else t("Nothing was written to this customer yet."))
        for row in rows[:LIMIT]:
            _show_row(row)
        _show_pages(customer.id, rows, before)
    opened = st.session_state.pop(_OPENED, None)
    if isinstance(opened, Message):
        parts.drawer(t("Message"), lambda: show_message(opened))


def _show_row(row: MessageRow) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-message-{row.id}"):
        st.text(moment(row.sent_at), width=130)
        with st.container(width=96):
            if row.read_at:
                parts.badge(t("Read"), "neutral", "drafts")
            else:
                parts.badge(t("Unread"), "info", "mail")
        st.button(md(row.subject), key=f"account:message:{row.id}", type="tertiary", on_click=_open, args=(row.id,))
        st.space("stretch")
        st.text(_way(row), width="content")


def _show_pages(customer_id: int, rows: list[MessageRow], before: Key | None) -> None:
    older = rows[LIMIT - 1].key if len(rows) > LIMIT else None
    if not (before or older):
        return
    with st.container(horizontal=True, gap="small"):
        if before:
            st.button(t("Newest messages"), key="account:messages:newest", on_click=_turn, args=(customer_id, None))
        if older:
            st.button(t("Older messages"), key="account:messages:older", on_click=_turn, args=(customer_id, older))


def show_message(opened: Message) -> None:
    """Draw a message as it was sent: plain text, whatever it holds."""
    read = moment(opened.read_at) if opened.read_at else t("not yet")
    parts.facts(
        [(t("Subject"), opened.subject), (t("Sent"), f"{moment(opened.sent_at)} · {_way(opened)}"), (t("Read by the customer"), read)]
    )
    st.text(opened.body)
    if communications.HIDDEN in opened.body:
        st.caption(t("What lets the customer in is hidden from staff."))


def _open(message_id: int) -> None:
    """Open a message; it counts as read when the customer himself does."""
    visit = gate.visit(Permission.MESSAGE_READ)
    forms.forget()
    try:
        with transaction() as session:
            st.session_state[_OPENED] = communications.open_message(
                session, visit.actor, customer_id=visit.customer.id, message_id=message_id
            )  # fmt: skip
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False)


def _turn(customer_id: int, before: Key | None) -> None:
    st.session_state[_PAGE] = (customer_id, before)


def _before(customer_id: int) -> Key | None:
    """Return where the shown page begins; another file starts at its newest message."""
    owner, before = st.session_state.get(_PAGE, (None, None))
    return before if owner == customer_id else None


def _way(row: MessageRow) -> str:
    """Say how a message travelled, and to where."""
    receiver = national(row.receiver) if row.receiver.startswith("+") else row.receiver
    return t(CHANNELS[row.channel]) if row.channel is MessageChannel.PORTAL else f"{t(CHANNELS[row.channel])} · {receiver}"
