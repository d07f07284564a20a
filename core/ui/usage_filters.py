"""Which use is asked for: read from the address, so that a link can be sent, drawn as widgets, and written back at each choice."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import streamlit as st
from sqlmodel import Session

from core import clock
from core.errors import N_
from core.models.usage import Direction, UsageKind, Zone
from core.services import usage_detail
from core.services import usage_words as words
from core.services.periods import Period
from core.services.usage_detail import By, Filters, Line
from core.ui.gate import Visit
from core.ui.text import language, t

NAMES = ("line", "kind", "from", "to", "bill", "direction", "zone", "number", "charged", "by", "show")
"""What the address may hold; `to` is the day after the last one."""

_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)
_DAY = timedelta(days=1)
_NUMBER = re.compile(r"[\d +./()-]{1,25}")
_OWN = "own"
_LABELS = {
    "line": N_("Line"), "kind": N_("Type"), "from": N_("First day"), "to": N_("Last day"), "bill": N_("Bill"), "direction": N_("Direction"),
    "zone": N_("Zone"), "number": N_("Number"), "charged": N_("Charged only"), "by": N_("Chart"), "show": N_("Chart"),
}  # fmt: skip

Thing = TypeVar("Thing")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class Known:
    """What can be chosen from in this file."""

    lines: tuple[Line, ...]
    bills: tuple[tuple[str, date], ...]
    running: Period
    before: Period
    today: date
    detail_since: date

    @property
    def periods(self) -> Mapping[str, tuple[date, date]]:
        """The periods that have a name; the first one is meant where the address says nothing."""
        end = self.today + _DAY
        return {
            "running": (self.running.since, end),
            "before": (self.before.since, self.before.until),
            "quarter": (clock.add_months(end, -3), end),
            "year": (self.detail_since, end),
        }


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `odd` names the parts that it could not mean."""

    filters: Filters
    by: By | None
    show: UsageKind | None
    odd: tuple[str, ...]


def known(session: Session, visit: Visit) -> Known:
    """Read what can be chosen from."""
    file, asked = visit.customer.id, st.query_params.get("bill", "")
    running, before = usage_detail.last_periods(session, visit.actor, customer_id=file)
    return Known(
        lines=usage_detail.lines(session, visit.actor, customer_id=file),
        bills=usage_detail.bills(session, visit.actor, customer_id=file, asked=asked if asked.isascii() and asked.isdigit() else None),
        running=running,
        before=before,
        today=clock.today(),
        detail_since=usage_detail.detail_since(),
    )


def read(choices: Known) -> Asked:
    """Read the address; what makes no sense in it is left out, named in `odd`, and taken out of the address."""
    said = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    odd: list[str] = []

    def take(name: str, means: Callable[[str], Thing | None]) -> Thing | None:
        found = means(said[name]) if name in said else None
        if name in said and found is None:
            odd.append(name)
        return found

    bill = take("bill", lambda text: text if text in {number for number, _day in choices.bills} else None)
    since, until = take("from", _date), take("to", _date)
    if bill is None and since is None and until is None:
        since, until = choices.periods["running"]
    filters = Filters(
        line=take("line", lambda text: text if text in {line.product_no for line in choices.lines} else None),
        kind=take("kind", partial(_member, UsageKind)),
        since=None if bill else since,
        until=None if bill else until,
        bill_no=bill,
        direction=take("direction", partial(_member, Direction)),
        zone=take("zone", partial(_member, Zone)),
        number=take("number", lambda text: text if _NUMBER.fullmatch(text) and re.search(r"\d", text) else None) or "",
        charged=take("charged", lambda text: text if text == "1" else None) is not None,
    )
    asked = Asked(filters, take("by", partial(_member, By)), take("show", partial(_member, UsageKind)), tuple(odd))
    if odd:
        _write({name: text for name, text in said.items() if name not in odd})
    return asked


def show(choices: Known, asked: Asked) -> None:
    """Draw the filters as they stand in the address."""
    _line(choices, asked.filters)
    _one_of("kind", {kind.value: label for kind, label in words.KINDS.items()}, asked.filters.kind, N_("All"), 125)
    _dates(asked.filters)
    _period(choices, asked.filters)
    _one_of("direction", {way.value: label for way, label in words.DIRECTIONS.items()}, asked.filters.direction, N_("Both"), 115)
    _one_of("zone", {zone.value: label for zone, label in words.ZONES.items()}, asked.filters.zone, N_("All zones"), 165)
    st.session_state["usage:number"] = asked.filters.number
    st.text_input(
        t("Number"), key="usage:number", placeholder="0470…", max_chars=25, width=130, on_change=_choose, args=("number",),
        help=t("The last three digits are hidden and are not searched."),
    )  # fmt: skip
    st.session_state["usage:charged"] = asked.filters.charged
    st.toggle(t("Charged only"), key="usage:charged", on_change=_choose, args=("charged",))


def odd(asked: Asked) -> None:
    """Say which parts of the address were left out."""
    if asked.odd:
        names = ", ".join(dict.fromkeys(t(_LABELS[name]) for name in asked.odd))
        st.info(
            t("Part of this address could not be read and was left out: {names}. Choose again below.", names=names),
            icon=":material/link_off:",
        )


def switch(name: str, options: Mapping[str, str], chosen: str, label: str) -> None:
    """Draw a choice of the chart that is kept in the address too."""
    st.session_state[f"usage:{name}"] = str(chosen)
    st.segmented_control(
        label, list(options), format_func=options.__getitem__, key=f"usage:{name}", required=True, label_visibility="collapsed",
        on_change=_choose, args=(name,),
    )  # fmt: skip


def _line(choices: Known, filters: Filters) -> None:
    names = {line.product_no: words.line(line, language()) for line in choices.lines}
    _one_of("line", names, filters.line, N_("All lines"), 200, translate=False)


def _one_of(name: str, options: Mapping[str, str], chosen: str | None, every: str, width: int, *, translate: bool = True) -> None:
    """Draw one filter; the first choice is no filter at all."""
    shown = {"": t(every)} | {value: t(label) if translate else label for value, label in options.items()}
    st.session_state[f"usage:{name}"] = str(chosen or "")
    st.selectbox(
        t(_LABELS[name]), list(shown), format_func=shown.__getitem__, key=f"usage:{name}", width=width, on_change=_choose, args=(name,)
    )


def _period(choices: Known, filters: Filters) -> None:
    labels = {
        "running": t("Current period"), "before": t("Previous period"), "quarter": t("Last 3 months"), "year": t("Last 12 months"),
    }  # fmt: skip
    labels |= {number: t("Bill of {day} ({number})", day=issued, number=number) for number, issued in choices.bills}
    named = [name for name, span in choices.periods.items() if span == (filters.since, filters.until)]
    chosen = filters.bill_no or (named[0] if named else _OWN)
    if chosen == _OWN:
        labels[_OWN] = t("Dates of your choice")
    spans = {name: {"from": since.isoformat(), "to": until.isoformat()} for name, (since, until) in choices.periods.items()}
    meant = spans | {"running": {}, _OWN: spans["running"]} | {number: {"bill": number} for number, _day in choices.bills}
    st.session_state["usage:period"] = chosen
    st.selectbox(
        t("Period"), list(labels), format_func=labels.__getitem__, key="usage:period", width=190, on_change=_choose_period, args=(meant,)
    )


def _dates(filters: Filters) -> None:
    st.session_state["usage:from"] = filters.since
    st.session_state["usage:to"] = filters.until - _DAY if filters.until else None
    for name, label in (("from", t("First day")), ("to", t("Last day"))):
        st.date_input(
            label, key=f"usage:{name}", format="DD/MM/YYYY", min_value=_FIRST, max_value=_LAST, width=140, disabled=filters.bill_no is not None,
            on_change=_choose_dates,
        )  # fmt: skip


def _choose(name: str) -> None:
    value = st.session_state[f"usage:{name}"]
    _write(_said() | {name: "1" if value is True else str(value or "").strip()})


def _choose_dates() -> None:
    since, last = st.session_state["usage:from"], st.session_state["usage:to"]
    _write(_said() | {"bill": "", "from": since.isoformat() if since else "", "to": (last + _DAY).isoformat() if last else ""})


def _choose_period(meant: Mapping[str, Mapping[str, str]]) -> None:
    _write(_said() | {"bill": "", "from": "", "to": ""} | dict(meant[st.session_state["usage:period"]]))


def _said() -> dict[str, str]:
    return {name: st.query_params[name] for name in NAMES if name in st.query_params}


def _write(said: Mapping[str, str]) -> None:
    """Put the choices into the address, and leave the rest of it alone."""
    rest = {name: st.query_params[name] for name in st.query_params if name not in NAMES}
    st.query_params.from_dict(rest | {name: text for name, text in said.items() if text})


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None


def _member(states: type[Choice], text: str) -> Choice | None:
    return states(text) if text in set(states) else None
