"""What the customer contests of a bill, as a section of its drawer: that amount alone is not claimed until it is decided (W9)."""

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.models.customer import CustomerKind
from core.services import arrears, bills, dunning
from core.services.bill_words import label
from core.services.bills import BillRow
from core.ui import forms
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark, draw, head, note
from core.ui.text import day, euro, language, t

Choice = tuple[str, int]


def show(visit: Visit, row: BillRow) -> None:
    """Draw the dispute that waits for a decision, or let one be written down."""
    if row.is_credit_note:
        return
    form, may = f"dispute:{row.bill_no}", visit.actor.may(Permission.DUNNING_WRITE)
    with reading() as session:
        found = arrears.dispute_of(session, visit.actor, customer_id=visit.customer.id, bill_no=row.bill_no)
    if found is None and not (may and row.is_open):
        return
    if found:
        draw(
            head(t("Disputed"), 3, end=euro(found.disputed_cents), marks=[Mark(t("Waits for a decision"), "watch", "balance")]),
            note(" · ".join(filter(None, (day(found.since), found.reason)))),
        )
        if may:
            key = operation("dispute:decide", row.bill_no, found.since, found.disputed_cents)
            args = (form, visit.customer.id, row.bill_no, key)
            st.button(t("The dispute is decided"), key=f"bills:dispute:decide:{row.bill_no}", on_click=_decide, args=args)
            st.caption(t("Credit first what the customer was right about; what is left is claimed again."))
    else:
        _form(visit, row, form)
    forms.answer(form)


def _form(visit: Visit, row: BillRow, form: str) -> None:
    with st.expander(t("The customer contests this bill"), icon=":material/balance:"):
        choices = _choices(visit, row)
        forms.begin(form, visit.customer.id, {f"bills:dispute:reason:{row.bill_no}": ""})
        chosen = st.selectbox(
            t("What is contested"), range(len(choices)), format_func=lambda index: f"{choices[index][0]} · {euro(choices[index][1])}",
            key=f"bills:dispute:what:{row.bill_no}",
        )  # fmt: skip
        forms.error(form, "amount")
        st.text_input(t("Why (for colleagues)"), key=f"bills:dispute:reason:{row.bill_no}", max_chars=200)
        forms.error(form, "reason")
        cents = choices[chosen or 0][1]
        args = (form, visit.customer.id, row.bill_no, cents, operation(form, row.version, cents))
        st.button(t("Note the dispute"), key=f"bills:dispute:{row.bill_no}", on_click=_dispute, args=args)
        st.caption(t("Only this amount is left out of the follow-up; the rest stays due."))


def _choices(visit: Visit, row: BillRow) -> list[Choice]:
    """Offer all that is open, and each line, at most what is open; a business reads lines without VAT, so it has the whole only."""
    found = [(t("All that is open"), row.remaining_cents)]
    if visit.customer.kind is CustomerKind.ORGANIZATION:
        return found
    with reading() as session:
        lines = bills.lines(session, visit.actor, customer_id=visit.customer.id, bill_no=row.bill_no)
    named = [(label(line.code, language(), line.since, line.until), min(line.amount_cents, row.remaining_cents)) for line in lines]
    return [*found, *(one for one in named if one[1] > 0)] if len(named) > 1 else found


def _dispute(form: str, customer_id: int, bill_no: str, cents: int, key: str) -> None:
    """Write it down."""
    reason = st.session_state[f"bills:dispute:reason:{bill_no}"]
    act(
        dunning.dispute, form=form, operation=key, done=t("Noted: this amount is not claimed until it is decided."),
        customer_id=customer_id, bill_no=bill_no, disputed_cents=cents, reason=reason,
    )  # fmt: skip


def _decide(form: str, customer_id: int, bill_no: str, key: str) -> None:
    """End it."""
    done = t("The dispute is over: what is left of the bill is claimed again.")
    act(dunning.decide_dispute, form=form, operation=key, done=done, customer_id=customer_id, bill_no=bill_no)
