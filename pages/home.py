"""Accueil: what the customer holds and uses, what is owed, and the way to change it."""

from collections.abc import Sequence

import streamlit as st

from core import clock, i18n
from core.actor import Permission
from core.db import reading
from core.models.customer import CustomerStatus
from core.services import arrears, consumption, products
from core.services.consumption import Consumption
from core.services.products import Held
from core.services.usage_numbers import national
from core.ui import aide, arrears_card, gate, move_wizard, navigation, option_drawer, product_card
from core.ui.gate import Visit
from core.ui.parts import card, draw, empty, fact_rows, head
from core.ui.text import day, t


def main(visit: Visit) -> None:
    """Tell the page from top to bottom."""
    with reading() as session:
        late = arrears.of_customer(session, visit.actor, customer_id=visit.customer.id)
        held = products.held(session, visit.actor, customer_id=visit.customer.id)
        used = consumption.running(session, visit.actor, customer_id=visit.customer.id)
    if late:
        arrears_card.brief(late)
    option_drawer.changes_of_today(visit)
    show_products(visit, held, used)
    option_drawer.open_asked(held)
    aide.show(
        visit,
        [
            t("Each card is a product: what was used, what is left, and where the period will end at this pace."),
            t("The option buttons switch options on and off; a review shows price and date before anything is written."),
            t("An alert warns and never blocks; a cap blocks. Both are under Settings."),
            t("What was changed today can be undone until 23:59."),
        ],
    )


def show_products(visit: Visit, held: Sequence[Held], used: Consumption) -> None:
    """Show each plan with its use of the running period and its options, then how to reach the customer and the house move."""
    draw(head(t("Products"), note=_period(used) if held else ""))
    if not held:
        _nothing_held(visit)
    with st.grid(3, min_column_width=330, gap="small"):
        for plan in held:
            product_card.show(visit, plan, used.lines[plan.id], used)
        show_contact(visit)
        if not visit.customer.read_only:
            move_wizard.show(visit)


def _period(used: Consumption) -> str:
    since, last = day(used.period.since, "short"), day(used.period.last, "short")
    time = i18n.clock_time(used.as_of)
    return t("Period from {since} to {last} · as of {time}, data up to 30 min late", since=since, last=last, time=time)


def show_contact(visit: Visit) -> None:
    """Show how to reach the customer."""
    customer, changes = visit.customer, visit.actor.may(Permission.ACCOUNT_WRITE) and not visit.customer.read_only
    rows = [
        (t("Address"), customer.address),
        (t("Phone"), national(customer.phone) if customer.phone else t("none")),
        (t("E-mail"), customer.email or t("none: bills and messages go by post")),
    ]
    with card("contact", stretch=True):
        draw(head(t("Contact"), 3, marks=navigation.found_mark(customer.phone)), fact_rows(rows))
        st.page_link(
            navigation.page("account"),
            label=t("Change contact data") if changes else t("See contact data"),
            icon=":material/edit:" if changes else ":material/visibility:",
            query_params=navigation.customer_query(customer.customer_no if visit.actor.staff else None),
        )


def _nothing_held(visit: Visit) -> None:
    if visit.customer.status is CustomerStatus.CLOSED:
        text = t("Contract ended on {on}. This file can be read, not changed.", on=visit.customer.status_since)
        mailbox = visit.customer.mailbox_until
        if mailbox and mailbox > clock.today():
            text = f"{text} {t('The mailbox stays open until {until}.', until=mailbox)}"
        empty(text)
    else:
        empty(t("No product is running. The first order opens it."))


main(gate.enter(Permission.CUSTOMER_READ))
