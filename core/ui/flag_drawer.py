"""What a file is marked with, and the drawer in which a team lead changes it."""

import secrets

import streamlit as st

from core.actor import Permission
from core.errors import N_
from core.services import flags
from core.ui import forms, gate, two_at_once
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import draw, drawer, note
from core.ui.text import t
from core.ui.two_at_once import Field

FORM = "flags"
_OPENING = "_flags_opening"
_LABELS = {"vip": N_("VIP"), "colleague": N_("Colleague"), "vulnerable": N_("Needs extra care")}


def button(visit: Visit) -> None:
    """Draw the button that opens the marks, for those who may change them."""
    if not visit.actor.may(Permission.FLAG_WRITE) or visit.customer.read_only:
        return
    if st.button(t("Marks"), key="account:flags", icon=":material/flag:", type="tertiary", on_click=_prepare):
        drawer(t("Marks of this file"), _body)


def _prepare() -> None:
    forms.forget()
    st.session_state[_OPENING] = secrets.token_hex(4)
    st.session_state["account:flag:reason"] = ""


def _body() -> None:
    visit = gate.visit(Permission.FLAG_WRITE)
    draw(note(t("The file of a VIP or a colleague asks for a reason at each opening.")))
    fields = {f"account:flag:{name}": Field(t(_LABELS[name]), getattr(visit.customer, name), _yes) for name in flags.NAMES}
    two_at_once.fill(FORM, st.session_state.get(_OPENING), fields)
    for name in flags.NAMES:
        st.checkbox(t(_LABELS[name]), key=f"account:flag:{name}")
    st.text_input(t("Why (optional)"), key="account:flag:reason", max_chars=flags.REASON_LENGTH)
    forms.error(FORM, "reason")
    forms.answer(FORM)
    two_at_once.show(FORM)
    two_at_once.theirs(FORM)
    key = operation(FORM, visit.customer.id, visit.customer.version)
    st.button(t("Save"), key="account:flag:save", type="primary", on_click=_save, args=(visit.customer.id, visit.customer.version, key))


def _yes(value: bool) -> str:  # noqa: FBT001 - what is written
    return t("yes") if value else t("no")


def _save(customer_id: int, version: int, key: str) -> None:
    given = {name: st.session_state[f"account:flag:{name}"] for name in (*flags.NAMES, "reason")}
    act(flags.change, form=FORM, operation=key, done=t("Saved."), customer_id=customer_id, shown_version=version, **given)
