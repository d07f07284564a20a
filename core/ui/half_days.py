"""The week of half days to choose from, and what is being chosen in it."""

from dataclasses import dataclass, replace
from datetime import date

import streamlit as st

from core.errors import N_
from core.models.appointment import AppointmentCategory, DayPart
from core.services import slots, visits
from core.services.appointments import Visits
from core.services.slots import Day, DayKind, HalfDay, Week
from core.services.visits import Visit
from core.ui import gate, parts
from core.ui.text import day, t

CATEGORIES = {
    AppointmentCategory.INSTALLATION: N_("Installation"),
    AppointmentCategory.REPAIR: N_("Repair"),
    AppointmentCategory.MOVE: N_("House move"),
}
WITHOUT = {DayKind.CLOSED: N_("public holiday"), DayKind.TOO_SOON: N_("no longer possible"), DayKind.TOO_FAR: N_("not open yet")}
LAST_PLACES = {DayPart.MORNING: N_("last place in the morning"), DayPart.AFTERNOON: N_("last place in the afternoon")}
PLAN = "plan"
"""What the address of Rendez-vous holds to begin a new visit."""
_KEPT = "_half_day_choice"
_NONE = 0


@dataclass(frozen=True)
class Choice:
    """What somebody is choosing: a half day for a visit, or for a new one (None)."""

    customer_id: int
    category: AppointmentCategory
    zone: str
    day: date
    visit: Visit | None = None
    slot_id: int | None = None

    def takes(self, half_day: HalfDay) -> bool:
        """Whether a half day can be chosen: it is free, and not the one the visit is on."""
        return half_day.free > 0 and not self.has(half_day)

    def has(self, half_day: HalfDay) -> bool:
        """Whether the visit is on a half day already."""
        return self.visit is not None and (self.visit.day, self.visit.part) == (half_day.day, half_day.part)


def another_day(customer_id: int, visit: Visit) -> Choice:
    """Begin to choose another half day for a visit."""
    return Choice(customer_id, visit.category, visit.zone, slots.week_to_move(visit.category, visit.day), visit)


def new_visit(customer_id: int, category: AppointmentCategory, postcode: str) -> Choice:
    """Begin to plan a visit at home, in the first week that has room."""
    return Choice(customer_id, category, slots.zone_of(postcode), slots.window(category).since)


def keep(choice: Choice | None) -> None:
    """Remember what is being chosen; None forgets it."""
    st.session_state[_KEPT] = choice


def current(file: gate.Visit, found: Visits) -> Choice | None:
    """Return what is being chosen in this file: what was asked for, else another half day for the next visit."""
    kept = st.session_state.get(_KEPT)
    movable = [visit for visit in found.coming if visits.may_move(file.actor, visit) and not file.customer.read_only]
    if isinstance(kept, Choice) and kept.customer_id == file.customer.id:
        if kept.visit is None and kept.category in found.plannable:
            return kept
        for visit in movable:
            if kept.visit is not None and kept.visit.id == visit.id:
                return replace(kept, visit=visit)
    return another_day(file.customer.id, movable[0]) if movable else None


def none(choice: Choice) -> Choice | None:
    """Return the choice of no half day: a visit stays where it is, a new one is not planned."""
    return replace(choice, slot_id=_NONE) if choice.visit else None


def chosen(week: Week, choice: Choice, *, propose: bool) -> HalfDay | None:
    """Return the half day that was chosen, as long as it can be; else the first one of the week, or the first one later than the visit.

    Nothing is proposed to who just said no, nor for a visit that is too near: its change needs a reason.
    """
    free = [half_day for one in week.days for half_day in one.half_days if choice.takes(half_day)]
    if choice.slot_id is None and propose and (choice.visit is None or choice.visit.in_time):
        return next((half_day for half_day in free if choice.visit is None or half_day.day > choice.visit.day), None)
    return next((half_day for half_day in free if half_day.id == choice.slot_id), None)


def show(choice: Choice, week: Week, kinds: tuple[AppointmentCategory, ...], chosen: HalfDay | None) -> None:
    """Draw six days with their half days, the arrows to the weeks around them, and for a new visit its kind."""
    with parts.row("week"):
        parts.heading(t("Choose another half day") if choice.visit else t("Choose a half day"), width="content")
        if choice.visit is None and len(kinds) > 1:
            _kinds(choice, kinds)
        elif choice.visit is None:
            parts.badge(t(CATEGORIES[choice.category]), "info", "event")
        since, last = week.days[0].day, week.days[-1].day
        st.caption(t("week from {since} to {last}", since=day(since, "short"), last=day(last, "short")), width="content")
        st.space("stretch")
        _arrow("earlier", t("Previous week"), "chevron_left", choice, week.earlier)
        _arrow("later", t("Next week"), "chevron_right", choice, week.later)
    with st.grid(len(week.days), min_column_width=150, key="week"):
        for one in week.days:
            _day(choice, one, chosen)


def hours(part: DayPart) -> str:
    """Write the hours of a half day: 08 – 12 h."""  # noqa: RUF002 - the dash of a span of hours
    return t("{hours} h", hours=slots.hours(part))


def short(value: date, part: DayPart) -> str:
    """Write a half day for a line: mer. 25/11, 08 – 12 h."""  # noqa: RUF002 - the same dash
    return f"{day(value, 'weekday')}, {hours(part)}"


def _kinds(choice: Choice, kinds: tuple[AppointmentCategory, ...]) -> None:
    # The weeks are worked out here: a callback runs before the business clock of this run is set.
    starts = {kind: replace(choice, category=kind, day=slots.window(kind).since, slot_id=None) for kind in kinds}
    st.segmented_control(
        t("Kind of visit"), kinds, default=choice.category, required=True, format_func=lambda kind: t(CATEGORIES[kind]),
        key="appointments:category", on_change=_choose_kind, args=(starts,), label_visibility="collapsed",
    )  # fmt: skip


def _choose_kind(starts: dict[AppointmentCategory, Choice]) -> None:
    keep(starts[st.session_state["appointments:category"]])


def _arrow(name: str, label: str, icon: str, choice: Choice, monday: date | None) -> None:
    target = replace(choice, day=monday or choice.day, slot_id=None)
    st.button(
        label, key=f"appointments:week:{name}", icon=f":material/{icon}:", icon_position="left" if name == "earlier" else "right",
        disabled=monday is None, on_click=keep, args=(target,),
    )  # fmt: skip


def _day(choice: Choice, one: Day, chosen: HalfDay | None) -> None:
    with parts.card(f"day-{one.day}", stretch=True):
        with parts.row(f"day-{one.day}"):
            parts.heading(day(one.day, "weekday"), 3)
        for half_day in one.half_days:
            _half_day(choice, half_day, chosen=chosen is not None and chosen.id == half_day.id)
        if one.kind in WITHOUT:
            st.caption(t(WITHOUT[one.kind]))
        for half_day in one.half_days:
            if half_day.free == 1 and choice.takes(half_day):
                st.markdown(f":small[:orange[:material/hourglass_bottom: {t(LAST_PLACES[half_day.part])}]]")


def _half_day(choice: Choice, half_day: HalfDay, *, chosen: bool) -> None:
    label = hours(half_day.part)
    if choice.has(half_day):
        label = t("{hours} · planned", hours=label)
    elif not half_day.free:
        label = t("{hours} · full", hours=label)
    st.button(
        label, key=f"appointments:slot:{half_day.id}", width="stretch", type="primary" if chosen else "secondary",
        icon=":material/check:" if chosen else None, disabled=not choice.takes(half_day),
        on_click=keep, args=(replace(choice, slot_id=half_day.id),),
    )  # fmt: skip
