"""Mon compte: how to reach the customer, what was written to him, and the documents he handed in."""

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.billing_account import BillMedia
from core.services import contacts, customers
from core.services.access import Masked
from core.services.changes import Subject
from core.services.contacts import ContactData
from core.services.usage_numbers import national
from core.ui import aide, changes, contact_drawer, flag_drawer, forms, gate, inbox, papers, personal_data_card, reveal
from core.ui.gate import Visit
from core.ui.parts import badge, card, drawer, facts, heading, row
from core.ui.statuses import task_word
from core.ui.text import day, t

MEDIA = {BillMedia.PDF: N_("by e-mail (PDF)"), BillMedia.PAPER: N_("on paper"), BillMedia.PEPPOL: N_("as an e-invoice (Peppol)")}


def main(visit: Visit) -> None:
    """Tell the page from top to bottom."""
    with reading() as session:
        data = contacts.read(session, visit.actor, customer_id=visit.customer.id)
    heading(t("My account"))
    show_end(visit)
    with st.grid(2, min_column_width=340, gap="small"):
        show_contact(visit, data)
        papers.show(visit)
    inbox.show(visit)
    personal_data_card.show(visit)
    aide.show(
        visit,
        [
            t("Each change of contact data is told to the customer, at the old e-mail too when the e-mail changes."),
            t("A new e-mail counts once the code we send there is typed in; the old one is used until then."),
            t("The language applies to the next bill and the next message."),
            t("Messages are kept as they were sent. They count as read when the customer opens them, not when a colleague looks."),
            t("Documents are checked by us; a copy of an identity card is erased 30 days after it was accepted."),
        ],
    )


def show_end(visit: Visit) -> None:
    """Show what is left of a contract that ended, and what is still to do."""
    with reading() as session:
        tasks = customers.open_tasks(session, visit.actor, customer_id=visit.customer.id)
    if not (visit.customer.read_only or tasks):
        return
    with card("left"):
        with row("left"):
            heading(t("Contract ended") if visit.customer.read_only else t("To do"), 3, width="content")
            for task in tasks:
                badge(task_word(task.code, task.words), "watch", "task_alt")
        told = []
        if visit.customer.read_only:
            told.append((t("Ended on"), t("{on}; this file can be read, not changed", on=visit.customer.status_since)))
        if visit.customer.mailbox_until and visit.customer.mailbox_until > clock.today():
            told.append((t("Mailbox"), t("stays open until {until}", until=visit.customer.mailbox_until)))
        told += [(t("To do"), f"{task_word(task.code, task.words)} · {t('since {since}', since=task.since)}") for task in tasks]
        facts(told)


def show_contact(visit: Visit, data: ContactData) -> None:
    """Show the contact data, and the way to change them."""
    phone = national(data.phone) if data.phone else ""
    with card("contact", stretch=True):
        with row("contact"):
            heading(t("Contact data"), 3, width="content")
            st.space("stretch")
            may = visit.actor.may(Permission.ACCOUNT_WRITE) and not data.read_only
            if may and st.button(t("Change"), key="account:edit", icon=":material/edit:", on_click=contact_drawer.prepare):
                drawer(t("Change contact data"), contact_drawer.draw)
        forms.answer(contact_drawer.FORM)
        facts(_told(visit, data, phone))
        with st.container(horizontal=True, gap="small"):
            if visit.customer.born:
                reveal.button(visit, Masked.BIRTH_DATE)
            flag_drawer.button(visit)
            changes.button(visit, Subject.CUSTOMER)
        contact_drawer.draw_code(visit.customer.id, data)


def _told(visit: Visit, data: ContactData, phone: str) -> list[tuple[str, str]]:
    customer = visit.customer
    verified = t("verified on {on}", on=clock.local(data.email_verified_at).date()) if data.email_verified_at else t("not verified")
    pairs = [
        (t("Name"), customer.name),
        (t("Second holder"), customer.second_holder or ""),
        (t("Enterprise no."), customer.enterprise_no or ""),
        (t("Born on"), _born(visit)),
        (t("E-mail"), f"{data.email} · {verified}" if data.email else t("none: bills and messages go by post")),
        (t("Phone"), phone or t("none")),
        (t("Address"), data.address),
        (t("Language of bills and messages"), i18n.LANGUAGES[data.language]),
        (t("Bills"), t(MEDIA[customer.media])),
    ]
    return [(label, value) for label, value in pairs if value]


def _born(visit: Visit) -> str:
    if visit.customer.birth_date:
        return day(visit.customer.birth_date)
    return reveal.written(visit, Masked.BIRTH_DATE, "••/••/••••") if visit.customer.born else ""


main(gate.enter(Permission.ACCOUNT_READ))
