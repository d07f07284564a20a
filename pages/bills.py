"""Factures et paiements: what is late, the bills and why they are as high as they are, the direct debit, how to pay."""

from collections.abc import Sequence

import streamlit as st

from core.actor import Permission
from core.catalogue import law
from core.db import reading
from core.models.billing_account import BillModel
from core.services import arrears, bills, collection_runs, mandates, open_amounts
from core.services.bills import BillRow, NextBill
from core.services.changes import Subject
from core.ui import aide, arrears_card, bill_drawer, bill_parts, changes, credit_form, gate, mandate_card, parts, payment_drawer
from core.ui.gate import Visit
from core.ui.text import t, tn

FIRST_ROWS = 12
_MORE, _FILTER = "bills:more", "bills:filter"


def main(visit: Visit) -> None:
    """Tell the page from top to bottom."""
    customer_id = visit.customer.id
    older = st.session_state.get(_key(visit)) == "older"
    with reading() as session:
        late = arrears.of_customer(session, visit.actor, customer_id=customer_id)
        coming = bills.preview_next(session, visit.actor, customer_id=customer_id)
        rows = bills.of_customer(session, visit.actor, older=older, customer_id=customer_id)
        credit_cents = open_amounts.open_summary(session, customer_id).credit_cents
        mandate = mandates.current(session, visit.actor, customer_id=customer_id)
        collected = collection_runs.of_customer(session, visit.actor, customer_id=customer_id)
    if late:
        arrears_card.show(visit, late)
    credit_form.show_open(visit)
    payment_drawer.show(visit)
    if rows:
        show_bills(visit, rows, coming, credit_cents)
    elif coming:
        bill_parts.show_first(visit, coming)
    else:
        parts.empty(t("No bill yet, and none to come: no product runs."))
    with st.grid(2, min_column_width=340, gap="small"):
        mandate_card.show(visit, mandate, collected)
        if payable := bill_parts.payable(rows, late.plan if late else None):
            bill_parts.show_transfer(payable)
    show_help(visit)
    bill_parts.open_explanation(rows, next_bill=coming is not None)
    bill_drawer.open_named(visit)


def show_bills(visit: Visit, rows: Sequence[BillRow], coming: NextBill | None, credit_cents: int) -> None:
    """Show the list: the bill to come, then the newest ones, twelve at first."""
    months = law("bills_shown_legacy" if visit.customer.bill_model is BillModel.LEGACY else "bills_shown_current")
    with parts.row("bills"):
        parts.heading(t("Bills"), width="content")
        st.caption(t("{months} months · older ones on request", months=months), width="content")
        st.space("stretch")
        words = {"all": t("All bills"), "open": t("To pay"), "paid": t("Paid ones")}
        wanted = st.segmented_control(
            t("Which bills"), list(words), format_func=words.__getitem__, default="all", required=True, key=_FILTER,
            label_visibility="collapsed",
        )  # fmt: skip
        changes.button(visit, Subject.ACCOUNT)
    kept = [row for row in rows if wanted == "all" or row.is_open == (wanted == "open")]
    shown = kept if st.session_state.get(_key(visit)) else kept[:FIRST_ROWS]
    with parts.card("bills"):
        if coming and wanted == "all":
            bill_parts.show_next(coming, credit_cents)
        for row in shown:
            bill_parts.show_bill(visit, row)
        if not shown:
            parts.empty(t("Nothing is left to pay.") if wanted == "open" else t("No bill is paid yet."))
        _show_more(visit, hidden=len(kept) - len(shown))


def _show_more(visit: Visit, *, hidden: int) -> None:
    """Offer the rest of the months that are shown, then the older ones."""
    step = st.session_state.get(_key(visit))
    if hidden:
        label = tn("See {count} more", "See {count} more ones", hidden)
        st.button(label, key=_MORE, icon=":material/expand_more:", on_click=_set_step, args=(visit, "all"))
    elif step != "older":
        st.button(
            t("Search for older bills"), key=_MORE, icon=":material/history:", type="tertiary", on_click=_set_step, args=(visit, "older")
        )


def show_help(visit: Visit) -> None:
    """Say what can be done here, and which bill model this customer has."""
    aide.show(
        visit,
        [
            t("Explain shows how the amount of one bill became that of the next; the estimate does the same for the bill to come."),
            t("An issued bill never changes. A correction is a credit note, which names its bill."),
            t("A direct debit starts with the first bill after its signature; what is open before is paid by transfer."),
            t("Where the bank sends a collection back, the mandate ends at no cost and the bill may be paid for 14 days more."),
        ],
    )


def _key(visit: Visit) -> str:
    return f"bills:step:{visit.customer.id}"


def _set_step(visit: Visit, step: str) -> None:
    """Show more of the list of this customer."""
    st.session_state[_key(visit)] = step


main(gate.enter(Permission.BILL_READ))
