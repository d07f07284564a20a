"""What will be collected from a customer, in his card of the direct debit, and the way to withdraw it (W7)."""

from collections.abc import Sequence

import streamlit as st

from core import clock
from core.actor import Permission
from core.services import collection_runs
from core.services.collection_runs import OwnCollection
from core.ui import forms, gate
from core.ui.act import act, operation
from core.ui.collection_words import HINDRANCES
from core.ui.gate import Visit
from core.ui.parts import Mark, draw, entry
from core.ui.text import day, euro, t

FORM = "collection"


def show(visit: Visit, coming: Sequence[OwnCollection]) -> None:
    """Draw each bill that will be collected; until a business day before, it may be withdrawn."""
    may = visit.actor.may(Permission.MANDATE_WRITE) and not visit.customer.read_only
    for one in coming:
        _show_one(visit, one, may=may)
    forms.answer(FORM)


def _show_one(visit: Visit, one: OwnCollection, *, may: bool) -> None:
    mark, early = _mark(one), clock.today() <= one.until
    told = t("may be withdrawn until {until}", until=one.until) if early else t("too late to withdraw it")
    if one.hindrance:
        told = t(HINDRANCES[one.hindrance]) if visit.actor.staff else t("it waits; you may pay it by transfer instead")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-collection-{one.bill_no}"):
        draw(entry(day(one.collect_on), mark, euro(one.amount_cents), f"{one.bill_no} · {told}"))
        if may and early:
            with st.popover(t("Withdraw this collection"), type="tertiary", key=f"bills:collection:{one.bill_no}"):
                st.text(t("The bill is then paid by transfer, within two weeks. The direct debit goes on with the next bill."))
                key = operation("collection:withdraw", one.bill_no, one.collect_on)
                st.button(
                    t("Withdraw it now"), key=f"bills:collection:withdraw:{one.bill_no}", on_click=_withdraw,
                    args=(visit.customer.id, one.bill_no, key),
                )  # fmt: skip


def _mark(one: OwnCollection) -> Mark:
    if one.hindrance:
        return Mark(t("Not collected"), "watch", "front_hand")
    return Mark(t("At the bank"), "info", "send") if one.sent else Mark(t("To be collected"), "info", "schedule")


def _withdraw(customer_id: int, bill_no: str, key: str) -> None:
    gate.visit(Permission.MANDATE_WRITE)
    done = t("Bill {bill_no} is no longer collected: it is paid by transfer.", bill_no=bill_no)
    act(collection_runs.withdraw, form=FORM, operation=key, done=done, customer_id=customer_id, bill_no=bill_no)
