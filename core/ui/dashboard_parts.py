"""The pieces of the team lead's page: figures, charts, and beside each chart the same as rows that open the list behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core import i18n
from core.catalogue import contact_reasons
from core.errors import N_
from core.models.appointment import AppointmentState, DayPart
from core.models.usage import UsageKind
from core.services import dashboard
from core.services import usage_words as words
from core.services.dashboard import Age, Hour, Reason, Visits, Work
from core.services.lists import Query
from core.ui import charts, list_address, navigation, parts
from core.ui.charts import Series
from core.ui.text import euro, first_large, language, md, percent, t, tn

_STATES = {
    AppointmentState.INITIALIZED: N_("Visit asked for"), AppointmentState.CONFIRMED: N_("Visit confirmed"),
    AppointmentState.COMPLETED: N_("Visit done"), AppointmentState.FAILED: N_("Visit did not take place"),
}  # fmt: skip
_PARTS = {DayPart.MORNING: "08\xa0–\xa012\xa0h", DayPart.AFTERNOON: "12\xa0–\xa017\xa0h"}  # noqa: RUF001 - a dash between hours
KINDS = (UsageKind.DATA, UsageKind.VOICE, UsageKind.SMS)
_KIND = "dashboard:kind"
_UNITS = {UsageKind.DATA: N_("in GB"), UsageKind.VOICE: N_("in minutes"), UsageKind.SMS: N_("in number")}
_SCALES = {UsageKind.DATA: words.KB_PER_GB, UsageKind.VOICE: words.MINUTE, UsageKind.SMS: 1}


@dataclass(frozen=True)
class Line:
    """A row beside a chart: what, how much, and the list that holds it."""

    label: str
    value: str
    query: Query


@dataclass(frozen=True)
class Heading:
    """What stands above a chart: its title, its sum, and what is said where there is nothing."""

    title: str
    told: str
    nothing: str
    something: bool


def show_work(found: Sequence[Work]) -> None:
    """Draw what waits, each figure a link to its list."""
    with parts.card("work"):
        parts.draw(parts.head(t("Open work"), 3))
        with st.grid(4, min_column_width=150, gap="small"):
            for one in found:
                count = t("{count} or more", count=one.rows - 1) if one.more else i18n.number(one.rows, language())
                with st.container(key=f"dashboard:work:{one.view.code}", gap="xxsmall"):
                    name = one.view.name(language())
                    st.page_link(
                        navigation.page("lists"), label=f"**{count}** {md(name)}", query_params={"of": one.view.noun, "view": one.view.code}
                    )


def show_ages(found: Sequence[Age]) -> None:
    """Draw the late bills by how late they are."""
    bills, cents = sum(one.bills for one in found), sum(one.cents for one in found)
    labels = [_age(one) for one in found]
    title, told = t("Late bills by age"), t("{bills} · {cents}", bills=tn("{count} bill", "{count} bills", bills), cents=euro(cents))
    series = [Series(t("Left"), [one.cents / 100 for one in found], [euro(one.cents) for one in found])]
    lines = [
        Line(f"{label} {t('days')}", f"{tn('{count} bill', '{count} bills', one.bills)} · {euro(one.cents)}", one.query)
        for label, one in zip(labels, found, strict=True)
    ]
    _chart("ages", Heading(title, told, t("No bill is late."), bool(bills)), labels, series, lines)


def show_visits(found: Sequence[Visits]) -> None:
    """Draw today's visits by half day and state."""
    states = [state for state in _STATES if any(state in one.states for one in found)]
    labels = [_PARTS[one.part] for one in found]
    many = sum(sum(one.states.values()) for one in found)
    series = [
        Series(t(_STATES[state]), [one.states.get(state, 0) for one in found], [str(one.states.get(state, 0)) for one in found])
        for state in states
    ]
    lines = [
        Line(label, ", ".join(f"{count} {t(_STATES[state])}" for state, count in one.states.items()) or t("none"), one.query)
        for label, one in zip(labels, found, strict=True)
    ]
    heading = Heading(t("Visits today"), tn("{count} visit", "{count} visits", many), t("Nobody is visited today."), bool(many))
    _chart("visits", heading, labels, series, lines)


def show_reasons(found: Sequence[Reason]) -> None:
    """Draw why people called in the last month."""
    labels = [_reason(one.reason) for one in found]
    many = sum(one.contacts for one in found)
    series = [Series(t("Contacts"), [one.contacts for one in found], [str(one.contacts) for one in found])]
    lines = [Line(label, f"{one.contacts} · {percent(one.contacts / many)}", one.query) for label, one in zip(labels, found, strict=True)]
    told = t("{count} in the last {days} days", count=many, days=dashboard.CONTACT_DAYS)
    _chart("reasons", Heading(t("Contacts by reason"), told, t("Nobody called."), bool(many)), labels, series, lines)


def chosen_kind() -> UsageKind:
    """Return which use of the network is shown."""
    found = st.session_state.get(_KIND, KINDS[0])
    return UsageKind(found) if found in set(KINDS) else KINDS[0]


def show_hours(kind: UsageKind, found: Sequence[Hour]) -> None:
    """Draw the use of the network by the hour of the day."""
    scale, unit = _SCALES[kind], t(_UNITS[kind])
    labels = [t("{hour} h", hour=f"{one.hour:02d}") for one in found]
    shown = [words.total(kind, one.events, one.quantity, language()) for one in found]
    lines = [Line(label, amount, dashboard.hours_query(kind, one.hour)) for label, amount, one in zip(labels, shown, found, strict=True)]
    busiest = max(found, key=lambda one: one.quantity, default=None)
    told = t("the last {days} days · busiest at {hour} h", days=dashboard.NETWORK_DAYS, hour=f"{busiest.hour:02d}") if busiest else ""
    series = [Series(t(words.KINDS[kind]), [one.quantity / scale for one in found], shown)]
    title = t("Use of the network by hour, {unit}", unit=unit)
    _chart("hours", Heading(title, told, t("Nothing was counted yet: the night does it."), bool(found)), labels, series, lines, _kinds)


def _chart(
    key: str,
    heading: Heading,
    labels: Sequence[str],
    series: Sequence[Series],
    lines: Sequence[Line],
    switch: Callable[[], None] | None = None,
) -> None:
    """Draw a card: its sum, its bars, and its rows, which read aloud and open their lists."""
    with parts.card(f"chart-{key}", stretch=True):
        parts.draw(parts.head(heading.title, 3, note=heading.told if heading.something else ""))
        if switch is not None:
            switch()
        if not heading.something:
            parts.empty(heading.nothing)
            return
        spoken = "; ".join(f"{line.label}: {line.value}" for line in lines)
        charts.stacked(f"dashboard:{key}", labels, series, f"{heading.title}: {heading.told}. {spoken}")
        if len(lines) > _MANY:
            with st.expander(t("See as a table")):
                _rows(key, lines)
        else:
            _rows(key, lines)


def _kinds() -> None:
    st.session_state[_KIND] = chosen_kind()
    st.segmented_control(
        t("Kind of use"), list(KINDS), key=_KIND, required=True, label_visibility="collapsed", format_func=lambda kind: t(words.KINDS[kind])
    )


_MANY = 9


def _rows(key: str, lines: Sequence[Line]) -> None:
    for place, line in enumerate(lines):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"billrow-{key}-{place}"):
            st.page_link(navigation.page("lists"), label=md(line.label), query_params=list_address.query_params(line.query))
            st.space("stretch")
            st.text(line.value, width="content")


def _age(one: Age) -> str:
    return t("over {days}", days=one.since - 1) if one.until is None else f"{one.since}\xa0–\xa0{one.until}"  # noqa: RUF001 - a dash between days


def _reason(reason: str | None) -> str:
    if reason is None:
        return t("Other reasons")
    names = contact_reasons().get(reason)
    return first_large(names[language()]) if names else reason  # type: ignore[index]
