"""Mon compte: how to reach the customer, what was written to him, and the documents he handed in."""

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.db import reading
from core.errors import N_
from core.models.billing_account import BillMedia
from core.services import contacts, customers
from core.services.contacts import ContactData
from core.services.usage_numbers import national
from core.ui import aide, contact_drawer, forms, gate, inbox, papers, personal_data_card
from core.ui.gate import Visit
from core.ui.parts import badge, card, drawer, facts, heading, row
from core.ui.statuses import TASKS
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
                badge(t(TASKS.get(task.code, task.code)), "watch", "task_alt")
        told = []
        if visit.customer.read_only:
            told.append((t("Ended on"), t("{on}; this file can be read, not changed", on=visit.customer.status_since)))
        if visit.customer.mailbox_until and visit.customer.mailbox_until > clock.today():
            told.append((t("Mailbox"), t("stays open until {until}", until=visit.customer.mailbox_until)))
        told += [(t("To do"), f"{t(TASKS.get(task.code, task.code))} · {t('since {since}', since=task.since)}") for task in tasks]
        facts(told)


def show_contact(visit: Visit, data: ContactData) -> None:
    """Show the contact data, and the way to change them."""
    phone = national(data.phone) if data.phone else ""
    with card("contact", stretch=True):
        with row("contact"):
            heading(t("Contact data"), 3, width="content")
            st.space("stretch")
            if visit.actor.may(Permission.ACCOUNT_WRITE) and not data.read_only:
                clicked = st.button(
                    t("Change"), key="account:edit", icon=":material/edit:", on_click=contact_drawer.prepare, args=(data, phone)
                )  # fmt: skip
                if clicked:
                    drawer(t("Change contact data"), lambda: contact_drawer.draw(visit.customer.id, data))
        forms.answer(contact_drawer.FORM)
        facts(_told(visit, data, phone))
        contact_drawer.draw_code(visit.customer.id, data)


def _told(visit: Visit, data: ContactData, phone: str) -> list[tuple[str, str]]:
    customer = visit.customer
    verified = t("verified on {on}", on=clock.local(data.email_verified_at).date()) if data.email_verified_at else t("not verified")
    pairs = [
        (t("Name"), customer.name),
        (t("Second holder"), customer.second_holder or ""),
        (t("Enterprise no."), customer.enterprise_no or ""),
        (t("Born on"), day(customer.birth_date) if customer.birth_date else ""),
        (t("E-mail"), f"{data.email} · {verified}" if data.email else t("none: bills and messages go by post")),
        (t("Phone"), phone or t("none")),
        (t("Address"), data.address),
        (t("Language of bills and messages"), i18n.LANGUAGES[data.language]),
        (t("Bills"), t(MEDIA[customer.media])),
    ]
    return [(label, value) for label, value in pairs if value]


main(gate.enter(Permission.ACCOUNT_READ))
