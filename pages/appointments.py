"""Rendez-vous: the visit that is planned, another half day for it, a new one, and the visits that were."""

from functools import partial

import streamlit as st

from core.actor import Permission
from core.db import reading
from core.models.appointment import AppointmentState
from core.services import appointments, move_progress, slots, visits
from core.services.appointments import Visits
from core.services.slots import HalfDay
from core.services.visits import Visit
from core.ui import forms, gate, half_days, navigation, parts, visit_actions
from core.ui import visits as words
from core.ui.act import act, operation
from core.ui.half_days import Choice
from core.ui.text import t

file = gate.enter(Permission.APPOINTMENT_READ)

FORM = visit_actions.FORM


def main() -> None:
    """Draw what is planned, the week to choose from, and what was."""
    with reading() as session:
        found = appointments.of_customer(session, file.actor, customer_id=file.customer.id)
        if st.query_params.pop(half_days.PLAN, "") and found.home and found.plannable:
            half_days.keep(half_days.new_visit(file.customer.id, found.plannable[0], found.home.postcode))
        choice = half_days.current(file, found)
        week = slots.week(session, zone=choice.zone, category=choice.category, day=choice.day) if choice else None
        chosen = half_days.chosen(week, choice, propose=forms.last(FORM) is None) if choice and week else None
        fee = visits.fee_of(session, customer_id=file.customer.id, category=choice.category, day=chosen.day) if choice and chosen else None
    show_head(found, choice)
    for visit in found.coming:
        show_coming(visit)
    if choice and week:
        half_days.show(choice, week, found.plannable, chosen)
        forms.error(FORM, "slot")
        forms.error(FORM, "move_out")
        if chosen and fee:
            show_review(choice, chosen, fee)
    if found.past:
        show_past(found.past)
    with st.expander(t("Help"), icon=":material/help:"):
        st.markdown(words.rules())


def show_head(found: Visits, choice: Choice | None) -> None:
    """Draw the name of the tab, the way to a new visit, and the answer to the last click."""
    with parts.row("appointments"):
        parts.heading(t("Appointments"), width="content")
        st.space("stretch")
        if choice and choice.visit is None:
            st.button(t("Cancel"), key="appointments:plan:cancel", icon=":material/close:", on_click=half_days.keep, args=(None,))
        elif found.home and found.plannable:
            new = half_days.new_visit(file.customer.id, found.plannable[0], found.home.postcode)
            st.button(t("Plan a visit"), key="appointments:plan", icon=":material/add:", on_click=half_days.keep, args=(new,))
    forms.answer(FORM)
    if not found.coming:
        parts.empty(t("No visit is planned."))


def show_coming(visit: Visit) -> None:
    """Draw a coming visit with what can be done with it, and all its conditions."""
    no = visit.appointment_no
    with parts.card(f"visit-{no}"):
        with parts.row(f"visit-{no}"):
            parts.heading(words.title(visit), 3, width="content")
            parts.badge(*words.state(visit))
            show_found(no)
            st.space("stretch")
            if visits.may_move(file.actor, visit) and not file.customer.read_only:
                move = half_days.another_day(file.customer.id, visit)
                st.button(t("Move the visit"), key=f"appointments:move:{no}", icon=":material/edit_calendar:", on_click=begin, args=(move,))
            visit_actions.calendar_button(visit)
            visit_actions.cancel_button(file, visit)
            visit_actions.outcome_button(file, visit)
            visit_actions.history_button(file, visit)
        st.caption(words.conditions(visit, file.actor))


def show_review(choice: Choice, chosen: HalfDay, fee: tuple[int, str | None]) -> None:
    """Draw what will change, and the button that does it."""
    key = operation(FORM, choice.customer_id, choice.visit and (choice.visit.id, choice.visit.version), chosen.id)
    with parts.card("review"):
        if choice.visit and not choice.visit.in_time:
            visit_actions.reason("appointments:reason")
        with st.container(horizontal=True, vertical_alignment="center", key="review-row"):
            st.markdown(words.review(choice, chosen, fee, file.actor), width="stretch")
            with st.container(horizontal=True, width="content", wrap=False):
                st.button(
                    t("Confirm"), key="appointments:confirm", type="primary", icon=":material/check:",
                    on_click=confirm, args=(choice, chosen.id, key),
                )  # fmt: skip
                st.button(t("Cancel"), key="appointments:cancel_choice", on_click=half_days.keep, args=(half_days.none(choice),))


def show_past(past: tuple[Visit, ...]) -> None:
    """Draw the visits that were, the latest first, and how they went."""
    parts.heading(t("Earlier visits"))
    with parts.card("visits-past"):
        for visit in past:
            with st.container(horizontal=True, vertical_alignment="center", key=f"visit-past-{visit.appointment_no}"):
                st.markdown(words.past_title(visit), width=300)
                parts.badge(*words.state(visit))
                show_found(visit.appointment_no)
                st.markdown(words.outcome(visit), width="content")
                st.space("stretch")
                visit_actions.outcome_button(file, visit)
                if visit.state is AppointmentState.CANCELLED:
                    visit_actions.calendar_button(visit)


def show_found(appointment_no: str) -> None:
    """Mark the visit that was searched."""
    for mark in navigation.found_mark(appointment_no):
        parts.badge(*mark)


def begin(move: Choice) -> None:
    """Offer other half days for a visit."""
    half_days.keep(move)
    st.toast(t("Choose another half day in the week below."))


def confirm(choice: Choice, slot_id: int, key: str) -> None:
    """Move the visit, with its house move if it has one, or plan a new visit."""
    visit, reason = choice.visit, st.session_state.get("appointments:reason")
    if visit is None:
        place = {"customer_id": choice.customer_id, "category": choice.category, "slot_id": slot_id}
        done = act(appointments.book, form=FORM, operation=key, done=words.planned, **place)
    elif visit.house_move:
        shown = {"customer_id": visit.customer_id, "order_no": visit.house_move, "shown_version": visit.version}
        done = act(move_progress.postpone, form=FORM, operation=key, done=words.postponed, **shown, slot_id=slot_id, reason=reason)
    else:
        done = visit_actions.change(partial(appointments.move, slot_id=slot_id, reason=reason), visit, key, words.moved)
    if done:
        half_days.keep(None)


main()
