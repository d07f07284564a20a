"""The help of a tab (Aide): what can be done here, and which of the two bill models this customer has."""

from collections.abc import Sequence

import streamlit as st

from core.catalogue import law
from core.models.billing_account import BillModel
from core.ui.gate import Visit
from core.ui.text import t


def show(visit: Visit, what: Sequence[str]) -> None:
    """Draw the help, closed: `what` is told in the reader's language already, a sentence each."""
    with st.expander(t("Help"), icon=":material/help:", key="help"):
        points = "\n".join(f"- {sentence}" for sentence in what)
        st.markdown(f"{points}\n\n**{t('Which bill model?')}** {' '.join(_model(visit))}")


def _model(visit: Visit) -> list[str]:
    customer = visit.customer
    if customer.bill_model is BillModel.LEGACY:
        found = [
            t("This customer has the old model: a bill on day {day} of the month, and the last {count} bills.", day=customer.cycle_day, count=law("bills_shown_legacy")),
        ]  # fmt: skip
        if customer.migrate_on:
            found.append(t("He moves to the new model on {on}; one transition bill follows.", on=customer.migrate_on))
    else:
        found = [
            t("This customer has the new model: a bill on the 5th for the calendar month in advance, and the last {count} bills.", count=law("bills_shown_current")),
        ]  # fmt: skip
    return [
        *found,
        t("On paper: the old bill has two blocks, “our services” and “services of third parties”; the new one has sections, with adjustments and third parties apart."),
        t("In the old model usage and subscription follow the anniversary day; in the new one the subscription is paid ahead by calendar month, and use outside the bundle comes with the next bill."),
    ]  # fmt: skip
