"""What can be done in one go: a button for each macro that applies, and the drawer that shows its steps before they are done."""

from functools import partial

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.errors import DomainError
from core.services import macros
from core.services.macro_steps import Planned
from core.services.macros import Plan
from core.services.slots import HalfDay
from core.ui import forms, gate, parts
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.half_days import short
from core.ui.parts import Mark, draw, head
from core.ui.text import esc, language, md, message, t

FORM = "desk:macro"
WIDTH = 560
_SLOT = "desk:macro:slot"


def show(visit: Visit) -> None:
    """Draw the macros that apply; nothing where none does."""
    if not visit.actor.may(Permission.MACRO_RUN):
        return
    with reading() as session:
        offered = macros.offered(session, visit.actor, customer_id=visit.customer.id)
    if not offered:
        forms.answer(FORM)
        return
    with parts.card("macros"):
        with parts.row("macros"):
            parts.heading(t("In one go"), 3, width="content")
        forms.answer(FORM)
        for code, names in offered.items():
            name = names[language()]  # type: ignore[index]
            if st.button(md(name), key=f"desk:macro:{code}", icon=":material/bolt:", width="stretch", on_click=_begin):
                parts.drawer(name, partial(_body, code), width=WIDTH)


def _begin() -> None:
    forms.forget()
    st.session_state.pop(_SLOT, None)


def _body(code: str) -> None:
    answer = forms.last(FORM)
    if answer is not None and answer.good:
        st.rerun()  # The file behind the drawer is another now.
    visit = gate.visit(Permission.MACRO_RUN)
    try:
        with reading() as session:
            plan = macros.preview(
                session, visit.actor, customer_id=visit.customer.id, code=code, language=language(), slot_id=st.session_state.get(_SLOT)
            )  # fmt: skip
    except DomainError as refusal:
        st.warning(md(message(refusal)), icon=":material/rule:")
        return
    st.caption(t("Nothing is done yet. All of it is done at once, or nothing."))
    for number, step in enumerate(plan.steps, 1):
        _step(number, step)
    if plan.slots:
        _choose(plan)
    forms.answer(FORM)
    forms.error(FORM, "slot")
    key = operation(FORM, visit.customer.id, code, plan.seal)
    st.button(
        t("Do all of it"), key="desk:macro:run", type="primary", icon=":material/bolt:", disabled=not plan.does_something, on_click=_run,
        args=(visit.customer.id, plan, key),
    )  # fmt: skip


def _step(number: int, planned: Planned) -> None:
    """Draw a step: what it will do, and word for word what will be written."""
    mark = Mark(t("left out"), "neutral", "block") if planned.left_out else None
    told = t(planned.told.msgid, **planned.told.params)
    written = ""
    if planned.text:
        subject = f"<strong>{esc(planned.subject)}</strong><br>" if planned.subject else ""
        written = f'<blockquote class="g-written">{subject}{esc(planned.text)}</blockquote>'
    draw(head(f"{number}. {told}", 3, marks=(mark,) if mark else ()), written)


def _choose(plan: Plan) -> None:
    """Offer the first free half days."""
    by_id: dict[int, HalfDay] = {one.id: one for one in plan.slots}
    st.selectbox(
        t("Half day of the visit"), list(by_id), index=list(by_id).index(plan.slot_id) if plan.slot_id in by_id else 0, key=_SLOT,
        format_func=lambda number: short(by_id[number].day, by_id[number].part),
    )  # fmt: skip


def _run(customer_id: int, plan: Plan, key: str) -> None:
    done = t("Done: {name}.", name=plan.names[language()])  # type: ignore[index]
    act(
        macros.run, form=FORM, operation=key, done=done, customer_id=customer_id, code=plan.code, language=language(), seal=plan.seal,
        slot_id=plan.slot_id,
    )  # fmt: skip
