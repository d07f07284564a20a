"""The house move: its card with the milestones, and the drawer in three steps: where to, when, and the review."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from core import clock
from core.actor import Permission
from core.db import reading
from core.errors import DomainError
from core.models.order import Occupancy
from core.services import move_progress, move_rules, moves
from core.services.move_progress import Move
from core.services.move_rules import LineCheck, Wish
from core.services.moves import Review
from core.services.slots import HalfDay
from core.services.usage_numbers import national
from core.services.visits import Visit as TechnicianVisit
from core.ui import forms, gate, move_words
from core.ui.act import act, operation
from core.ui.gate import Visit
from core.ui.parts import Mark, card, draw, drawer, facts, head, note
from core.ui.text import day, euro, md, message, t

FORM = "move"
CURRENT = "move_current"
_DRAFT = "_move_draft"
_KEPT = "_move_town_kept"
_STEPS = 3


def show(visit: Visit) -> None:
    """Draw the card: the move under way with its milestones, or the way to order one."""
    with reading() as session:
        move = move_progress.current(session, visit.actor, customer_id=visit.customer.id)
    may = visit.actor.may(Permission.ORDER_WRITE) and not visit.customer.read_only
    with card("move", stretch=True):
        marks = [Mark(t("Under way"), "info", "local_shipping")] if move else []
        how = "" if move else note(t("The line, the number and the bills move along. Order it four weeks ahead."))
        draw(head(t("House move"), 3, marks=marks), how)
        for form in (FORM, CURRENT):
            answer = forms.last(form)
            if answer is not None and (answer.good or (form == CURRENT and move is None)):  # What else was refused is told in the drawer.
                forms.answer(form)
        if move:
            _under_way(move, may=may)
        elif may and st.button(t("Move house"), key="home:move", icon=":material/local_shipping:"):
            prepare(visit)
            drawer(t("House move"), body)


def _under_way(move: Move, *, may: bool) -> None:
    st.text(t("To {address} · order {order_no}", address=move.address, order_no=move.order_no))
    facts(move_words.milestones(move))
    st.caption(
        " · ".join([move_words.between(move.overlap_days, move.without_days), t("free to cancel until {until}", until=move.cancel_until)])
    )
    if may and st.button(t("Change the move"), key="home:move", icon=":material/event:"):
        forms.forget()
        drawer(t("House move"), change_body)


def change_body() -> None:
    """Draw the two things that can change: the half day of the installation, and whether the move takes place."""
    _close_when_done(CURRENT)
    visit = gate.visit(Permission.ORDER_WRITE)
    with reading() as session:
        move = move_progress.current(session, visit.actor, customer_id=visit.customer.id)
        free = move_progress.other_half_days(session, visit.actor, customer_id=visit.customer.id, move=move) if move else ()
    if move is None:
        st.rerun()
    facts(move_words.milestones(move))
    forms.answer(CURRENT)
    if move.visit and free:
        st.selectbox(
            t("Another half day for the installation"), free, index=_a_week_later(move.visit, free), key="home:move:slot",
            format_func=lambda one: move_words.half_day(one.day, one.part),
        )  # fmt: skip
        if not move.visit.in_time:
            st.text_input(t("Reason for the late change"), key="home:move:reason", max_chars=200)
        forms.error(CURRENT, "slot")
        forms.error(CURRENT, "reason")
        forms.error(CURRENT, "move_out")
        st.caption(t("The arrival moves along; the old line still stops on {day}.", day=day(move.move_out, "full")))
        chosen: HalfDay = st.session_state["home:move:slot"]
        if (without := (chosen.day - move.move_out).days - 1) > 0:
            st.caption(f":orange[:material/link_off: {md(move_words.between(0, without))}]")
        st.button(
            t("Move the installation"), key="home:move:postpone", type="primary", on_click=_postpone,
            args=(visit.customer.id, move, operation("postpone", move.order_no, move.visit.version)),
        )  # fmt: skip
    if move.may_cancel:
        st.button(
            t("Cancel the move"), key="home:move:cancel", on_click=_cancel,
            args=(visit.customer.id, move, operation("cancel move", move.order_no, _shown(move))),
        )  # fmt: skip
        st.caption(t("Free of charge until {until}; its visit is cancelled too.", until=move.cancel_until))


def _a_week_later(visit: TechnicianVisit, free: tuple[HalfDay, ...]) -> int:
    """Propose what is asked for most: a week later."""
    later = visit.day + timedelta(weeks=1)
    return next((place for place, half_day in enumerate(free) if half_day.day >= later), 0)


def prepare(visit: Visit) -> None:
    """Start with an empty draft; the contact is the customer until somebody else is named."""
    forms.forget()
    today = clock.today()
    phone = national(visit.customer.phone) if visit.customer.phone else ""
    st.session_state[_DRAFT] = {
        "step": 1, "opened": clock.real_now().isoformat(), "checks": (), "street": "", "number": "", "box": "", "floor": "", "postcode": "",
        "town": "", "occupancy": Occupancy.TENANT, "new_build": False, "keep_number": False, "contact_name": visit.customer.name,
        "contact_phone": phone, "move_out": today + timedelta(weeks=4), "move_in": today + timedelta(weeks=4), "technician": False,
        "accept_proposal": False,
    }  # fmt: skip


def body() -> None:
    """Draw the step of the wizard that is open."""
    _close_when_done(FORM)
    visit = gate.visit(Permission.ORDER_WRITE)
    draft = _draft()
    try:
        with reading() as session:
            start = moves.situation(session, visit.actor, customer_id=visit.customer.id)
    except DomainError as refusal:
        st.warning(md(message(refusal)), icon=":material/info:")
        return
    st.caption(t("Step {step} of {steps}", step=draft["step"], steps=_STEPS))
    if draft["step"] == 1:
        _where(draft, has_number=start.has_number)
    elif draft["step"] == 2:  # noqa: PLR2004 - the second step
        _when(draft)
    else:
        _review(visit, draft)


def _where(draft: Mapping[str, Any], *, has_number: bool) -> None:
    with st.form("home:move:where", border=False):
        _text(draft, "street", t("Street"))
        with st.grid(3, min_column_width=110, gap="small"):
            _text(draft, "number", t("House number"))
            _text(draft, "box", f"{t('Box')} {t('(optional)')}")
            _text(draft, "floor", f"{t('Floor')} {t('(optional)')}")
        with st.grid(2, gap="small"):
            _text(draft, "postcode", t("Postcode"))
            _text(draft, "town", t("Town"))
        kinds = list(move_words.OCCUPANCIES)
        st.radio(
            t("You live there as"), kinds, index=kinds.index(draft["occupancy"]), key="home:move:occupancy", horizontal=True,
            format_func=lambda kind: t(move_words.OCCUPANCIES[kind]),
        )  # fmt: skip
        st.checkbox(t("It is a new building"), value=draft["new_build"], key="home:move:new_build")
        if has_number:
            st.checkbox(t("Keep the fixed number (within the same zone)"), value=draft["keep_number"], key="home:move:keep_number")
            forms.error(FORM, "keep_number")
        with st.grid(2, gap="small"):
            _text(draft, "contact_name", t("Contact on the spot"))
            _text(draft, "contact_phone", t("Phone"))
        forms.answer(FORM)
        st.form_submit_button(t("Continue"), key="home:move:next", type="primary", on_click=_to_dates)


def _when(draft: Mapping[str, Any]) -> None:
    with st.form("home:move:when", border=False):
        for check in draft["checks"]:
            _line_check(check, draft)
        with st.grid(2, gap="small"):
            for name, label in (("move_out", t("Day of leaving")), ("move_in", t("Day of arrival"))):
                with st.container(gap="xxsmall"):
                    st.date_input(label, value=draft[name], key=f"home:move:{name}", format="DD/MM/YYYY")
                    forms.error(FORM, name)
        st.caption(t("The earliest installation is on {day}.", day=day(move_rules.earliest(), "full")))
        fee = euro(move_rules.fee_cents(_wish(dict(draft) | {"technician": True})))
        st.checkbox(t("Wiring inside the home by the technician ({fee})", fee=fee), value=draft["technician"], key="home:move:technician")
        forms.answer(FORM)
        with st.container(horizontal=True, gap="small"):
            st.form_submit_button(t("Continue"), key="home:move:next", type="primary", on_click=_to_review)
            st.form_submit_button(t("Back"), key="home:move:back", on_click=_go, args=(1,))


def _line_check(check: LineCheck, draft: Mapping[str, Any]) -> None:
    if check.proposal is None or check.why is None:
        st.success(t("{plan} is possible at the new address.", plan=check.plan.offering), icon=":material/check_circle:")
        return
    st.warning(
        t("{plan} is not possible there: {why}. We propose {proposal}.", plan=check.plan.offering, why=t(move_words.WHY[check.why]), proposal=check.proposal),
        icon=":material/warning:",
    )  # fmt: skip
    st.checkbox(t("Go on with {proposal}", proposal=check.proposal), value=draft["accept_proposal"], key="home:move:accept_proposal")
    forms.error(FORM, "accept_proposal")


def _review(visit: Visit, draft: Mapping[str, Any]) -> None:
    with reading() as session:
        free = moves.half_days(
            session, visit.actor, customer_id=visit.customer.id, postcode=draft["postcode"], since=max(draft["move_in"], clock.today())
        )
    if not free:
        st.warning(t("No half day is free from then on. Choose another day of arrival."), icon=":material/event_busy:")
        st.button(t("Back"), key="home:move:back", on_click=_go, args=(2,))
        return
    chosen: HalfDay = st.selectbox(
        t("Half day of the installation"), free, key="home:move:slot", format_func=lambda one: move_words.half_day(one.day, one.part)
    )
    forms.error(FORM, "slot")
    wish = _wish(dict(draft) | {"slot_id": chosen.id})
    found = _read_review(visit, wish)
    if found:
        for warning in move_words.warnings(found):
            st.warning(md(warning), icon=":material/info:")
        with card("review"):
            st.markdown(f"**{t('Check before you confirm')}**")
            facts(move_words.facts(found))
    forms.answer(FORM)
    with st.container(horizontal=True, gap="small"):
        st.button(
            t("Confirm"), key="home:review:confirm", type="primary", icon=":material/check:", disabled=found is None, on_click=_confirm,
            args=(visit.customer.id, wish, operation(FORM, visit.customer.id, draft["opened"])),
        )  # fmt: skip
        st.button(t("Back"), key="home:move:back", on_click=_go, args=(2,))


def _read_review(visit: Visit, wish: Wish) -> Review | None:
    try:
        with reading() as session:
            return moves.review(session, visit.actor, customer_id=visit.customer.id, wish=wish)
    except DomainError as refusal:
        st.error(md(message(refusal)), icon=":material/error:")
        return None


def _draft() -> dict[str, Any]:
    draft: dict[str, Any] = st.session_state[_DRAFT]
    return draft


def _text(draft: Mapping[str, Any], name: str, label: str) -> None:
    with st.container(gap="xxsmall"):
        st.text_input(label, value=draft[name], key=f"home:move:{name}", autocomplete="off")
        forms.error(FORM, name)


def _keep(*names: str) -> dict[str, Any]:
    """Take over what the open step holds."""
    draft = _draft()
    for name in names:
        key = f"home:move:{name}"
        if key in st.session_state:
            draft[name] = st.session_state[key]
    return draft


def _to_dates() -> None:
    """Check the address and the line; a town known under another postcode is asked about once."""
    draft = _keep(
        "street", "number", "box", "floor", "postcode", "town", "occupancy", "new_build", "keep_number", "contact_name", "contact_phone"
    )
    forms.forget()
    place = (draft["postcode"], draft["town"])
    draft["town_kept"] = st.session_state.get(_KEPT) == place
    visit = gate.visit(Permission.ORDER_WRITE)
    try:
        with reading() as session:
            wish, draft["checks"] = moves.check_place(session, visit.actor, customer_id=visit.customer.id, wish=_wish(draft))
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False, field=refusal.field)
        st.session_state[_KEPT] = place if refusal.field == "postcode" else None
        return
    draft |= {"street": wish.street, "number": wish.number, "postcode": wish.postcode, "town": wish.town}
    draft["step"] = 2


def _to_review() -> None:
    """Check the days, and that a proposal was accepted."""
    draft = _keep("move_out", "move_in", "technician", "accept_proposal")
    forms.forget()
    refused = next((check for check in draft["checks"] if check.proposal), None)
    try:
        moves.check_days(_wish(draft))
        if refused and not draft["accept_proposal"]:
            raise move_rules.NotAtThisPlace(plan=refused.plan.offering, postcode=draft["postcode"], proposal=refused.proposal)
    except DomainError as refusal:
        forms.say(FORM, message(refusal), good=False, field=refusal.field)
        return
    draft["step"] = 3


def _go(step: int) -> None:
    """Go back to a step; what it held is still there."""
    _keep("move_out", "move_in", "technician", "accept_proposal")
    forms.forget()
    _draft()["step"] = step


def _wish(draft: Mapping[str, Any]) -> Wish:
    return Wish(**{name: value for name, value in draft.items() if name in Wish.__dataclass_fields__})


def _confirm(customer_id: int, wish: Wish, key: str) -> None:
    """Order the move."""
    act(
        moves.confirm, form=FORM, operation=key, customer_id=customer_id, wish=wish,
        done=lambda order_no: t("The move is ordered. Order no. {order_no}.", order_no=order_no),
    )  # fmt: skip


def _postpone(customer_id: int, move: Move, key: str) -> None:
    """Put the installation on another half day."""
    half_day: HalfDay = st.session_state["home:move:slot"]
    act(
        move_progress.postpone, form=CURRENT, operation=key, customer_id=customer_id, order_no=move.order_no,
        shown_version=_shown(move), slot_id=half_day.id, reason=st.session_state.get("home:move:reason"),
        done=lambda day_: t("The installation is now on {day}.", day=day(day_, "full")),
    )  # fmt: skip


def _cancel(customer_id: int, move: Move, key: str) -> None:
    """Cancel the move and its visit."""
    done = t("The move {order_no} is cancelled; everything stays where it is.", order_no=move.order_no)
    given = {"customer_id": customer_id, "order_no": move.order_no, "shown_version": _shown(move)}
    act(move_progress.cancel, form=CURRENT, operation=key, done=done, **given)


def _shown(move: Move) -> int:
    return move.visit.version if move.visit else 0


def _close_when_done(form: str) -> None:
    answer = forms.last(form)
    if answer is not None and answer.good:
        st.rerun()
