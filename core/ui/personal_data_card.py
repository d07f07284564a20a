"""A customer's rights on his data: the bundle of all of them, and to be forgotten, with what the law keeps."""

import tempfile
from functools import partial

import streamlit as st
from sqlmodel import Session

from core.actor import Actor, Permission
from core.db import reading
from core.errors import N_
from core.services import erasure, subject_access
from core.services.erased import ErasedAlready
from core.services.erasure import Plan
from core.services.personal_data import Fate
from core.services.subject_access import Told
from core.ui import charts, download, forms, gate, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark
from core.ui.text import md, message, t

FORM = "account:data"
_FATES = {Fate.GOES: N_("erased"), Fate.BLANKED: N_("kept without names"), Fate.STAYS: N_("kept by law")}


def show(visit: Visit) -> None:
    """Draw what a team lead may do with all data of a customer."""
    if not visit.actor.may(Permission.CUSTOMER_EXPORT):
        return
    file = visit.customer.id
    with reading() as session:
        erased = erasure.erased_on(session, visit.actor, customer_id=file) if visit.customer.read_only else None
        may = visit.actor.may(Permission.CUSTOMER_ERASE)
        over = bool(may and erased) and isinstance(erasure.plan(session, visit.actor, customer_id=file).refusal, ErasedAlready)
    with parts.card("data"):
        marks = [Mark(t("Erased on {on}", on=erased), "neutral", "delete")] if erased else []
        parts.draw(parts.head(t("Personal data"), 3, marks=marks), parts.note(t("On the customer's request only; both are written down.")))
        forms.answer(FORM)
        with st.container(horizontal=True, gap="small"):
            make = download.read_first(partial(write_bundle, customer_id=file), partial(note_bundle, customer_id=file))
            st.download_button(
                t("All his data (ZIP)"), data=make, file_name=f"guichet-{visit.customer.customer_no}.zip", mime="application/zip",
                key="account:data:bundle", icon=":material/folder_zip:", on_click="ignore",
            )  # fmt: skip
            if may and not over and st.button(t("Erase …"), key="account:data:erase", icon=":material/person_off:"):
                forms.forget()
                parts.drawer(t("Erase personal data"), _drawer, width=680)


def write_bundle(session: Session, actor: Actor, *, customer_id: int) -> tuple[bytes, Told]:
    """Make the bundle at the click, and count what it holds."""
    with tempfile.TemporaryFile() as file:
        told = subject_access.bundle(session, actor, customer_id=customer_id, file=file)
        file.seek(0)
        return file.read(), told


def note_bundle(session: Session, actor: Actor, told: Told, *, customer_id: int) -> None:
    """Write down what was taken along."""
    subject_access.note(session, actor, customer_id=customer_id, told=told)


def _drawer() -> None:
    visit = gate.visit(Permission.CUSTOMER_ERASE)
    found = forms.last(FORM)
    if found is not None and found.good:
        st.rerun()
    with reading() as session:
        plan = erasure.plan(session, visit.actor, customer_id=visit.customer.id)
    forms.answer(FORM)
    _show_plan(plan)
    if plan.refusal is not None:
        st.warning(md(message(plan.refusal)), icon=":material/block:")
        return
    st.text_input(t("Reason"), key="account:data:reason", max_chars=erasure.REASON_LENGTH, placeholder=t("the customer's request of …"))
    forms.error(FORM, "reason")
    st.text_input(t("Type the customer no. to confirm"), key="account:data:number", max_chars=8, width=260)
    forms.error(FORM, "number")
    st.caption(t("There is no way back."))
    key = operation(FORM, visit.customer.id, plan.version)
    st.button(t("Erase for good"), key="account:data:confirm", type="primary", on_click=_erase, args=(visit.customer.id, plan.version, key))


def _show_plan(plan: Plan) -> None:
    rows = [
        (t(step.label), str(step.rows), t(_FATES[step.fate]), t("until {until}", until=step.until) if step.until else "", step.source)
        for step in sorted(plan.steps, key=lambda step: list(Fate).index(step.fate))
    ]
    charts.table(t("What becomes of each"), (t("What"), t("Rows"), t("Becomes"), t("How long"), t("By which law")), rows, numbers={1})


def _erase(customer_id: int, version: int, key: str) -> None:
    act(
        erasure.erase, form=FORM, operation=key, done=t("The personal data are erased."), customer_id=customer_id, shown_version=version,
        number=str(st.session_state["account:data:number"]), reason=str(st.session_state["account:data:reason"]),
    )  # fmt: skip
