"""The chart of Consommations: one kind of use by day, hour or month, a colour per line, and the same as a table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import streamlit as st

from core import clock
from core.errors import N_
from core.models.usage import UsageKind
from core.services import usage_words as words
from core.services.usage import Sum
from core.services.usage_detail import By, Filters, Point
from core.ui import charts, parts, usage_filters
from core.ui.charts import Series
from core.ui.text import day, euro, language, t
from core.ui.usage_filters import Asked, Known

FROM_DAYS = 3
"""A chart of days says something from this many past days of use on."""

MONTHS_FROM_DAYS = 62
"""A longer time is drawn by months, unless days are asked for."""

_TITLES = {By.DAY: N_("{what} per day, {unit}"), By.HOUR: N_("{what} by hour of the day, {unit}"), By.MONTH: N_("{what} per month, {unit}")}
_WAYS = {By.DAY: N_("By day"), By.HOUR: N_("By hour"), By.MONTH: N_("By month")}
_HEADS = {By.DAY: N_("Day"), By.HOUR: N_("Hour"), By.MONTH: N_("Month")}
_SCALES: dict[UsageKind, tuple[str, Callable[[Sum], float]]] = {
    UsageKind.DATA: (N_("in MB"), lambda found: found.quantity / words.KB_PER_MB),
    UsageKind.VOICE: (N_("in minutes"), lambda found: found.quantity / words.MINUTE),
    UsageKind.PREMIUM: (N_("in euros"), lambda found: found.charged_cents / 100),
    UsageKind.TV: (N_("in hours"), lambda found: found.quantity / words.HOUR),
}
_IN_GB: tuple[str, Callable[[Sum], float]] = (N_("in GB"), lambda found: found.quantity / words.KB_PER_GB)
_IN_PIECES: tuple[str, Callable[[Sum], float]] = (N_("in number"), lambda found: found.quantity)
GB_FROM_KB = 5 * words.KB_PER_GB
"""The height of an ordinary bar from which a chart of data counts in GB."""

_SPOKEN = (UsageKind.VOICE, UsageKind.SMS, UsageKind.MMS, UsageKind.DATA, UsageKind.PREMIUM, UsageKind.TV)
_DAY = timedelta(days=1)
Bucket = date | int


@dataclass(frozen=True)
class Drawn:
    """A kind, what it is counted by, all points of these filters, and what else could be drawn."""

    kind: UsageKind
    by: By
    points: Sequence[Point]
    kinds: Sequence[UsageKind]
    ways: Sequence[By]


def counted_by(choices: Known, asked: Asked) -> By:
    """Return what the chart counts by: what the address says where it can, else what fits the time."""
    found = _ways(choices, asked.filters)
    return asked.by if asked.by in found else found[0]


def drawn(choices: Known, asked: Asked, by: By, points: Sequence[Point]) -> Drawn | None:
    """Return what to draw of all points: the kind that is asked for, else the first that was used; None without any."""
    kinds = [kind for kind in UsageKind if kind in {point.kind for point in points}]
    if not kinds:
        return None
    return Drawn(asked.show if asked.show in kinds else kinds[0], by, points, kinds, _ways(choices, asked.filters))


def show(choices: Known, asked: Asked, drawn: Drawn) -> None:
    """Draw the chart with its switches and its table; where there is too little to see, say it in a sentence instead."""
    enough = drawn.by is not By.DAY or len({point.bucket for point in drawn.points if point.bucket != choices.today}) >= FROM_DAYS
    buckets = _buckets(choices, asked.filters, drawn)
    whole = sum((point.sum for point in drawn.points if point.kind is drawn.kind), Sum())
    unit, value = _scale(drawn.kind, whole.quantity // len(buckets))
    title = t(_TITLES[drawn.by], what=t(words.KINDS[drawn.kind]), unit=t(unit))
    span = f"{_label(buckets[0], drawn.by)} – {_label(buckets[-1], drawn.by)}"  # noqa: RUF001 - a dash between days
    with parts.row("usage-chart"):
        parts.heading(title if enough else t("Chart"))
        if enough:
            st.caption(t("{span} · total {amount}", span=span, amount=_written(drawn.kind, whole)))
        st.space("stretch")
        if len(drawn.kinds) > 1 and enough:
            usage_filters.switch("show", {kind.value: t(words.KINDS[kind]) for kind in drawn.kinds}, drawn.kind, t("What the chart shows"))
        if len(drawn.ways) > 1:
            usage_filters.switch("by", {by.value: t(_WAYS[by]) for by in By if by in drawn.ways}, drawn.by, t("What the chart counts by"))
    if not enough:
        _sentence(drawn.points)
        return
    lines = _lines(choices, drawn)
    shares = [f"{name} {_written(drawn.kind, sum(of_line.values(), Sum()))}" for name, of_line in lines]
    alt = t("{title}, {span}: {amount}. {shares}", title=title, span=span, amount=_written(drawn.kind, whole), shares="; ".join(shares))
    labels = [_label(bucket, drawn.by) for bucket in buckets]
    cells = [[of_line.get(bucket, Sum()) for bucket in buckets] for _name, of_line in lines]
    series = [
        Series(name, [value(cell) for cell in column], [_written(drawn.kind, cell) for cell in column])
        for (name, _of_line), column in zip(lines, cells, strict=True)
    ]
    charts.stacked("usage:chart", labels, series, alt)
    if st.toggle(t("See as a table"), key="usage:table"):
        sums = [_written(drawn.kind, sum(row, Sum())) for row in zip(*cells, strict=True)]
        rows = [
            (label, *(one.shown[place] for one in series), whole) for place, (label, whole) in enumerate(zip(labels, sums, strict=True))
        ]
        head = (t(_HEADS[drawn.by]), *(one.name for one in series), t("Total"))
        charts.table(title, head, rows, numbers=range(1, len(head)))


def _ways(choices: Known, filters: Filters) -> tuple[By, ...]:
    """Return what these filters can be counted by, the best first: where no detail is kept any more, months alone."""
    if filters.until is not None and filters.until <= choices.detail_since:
        return (By.MONTH,)
    long = filters.since is None or (filters.until or choices.today) - filters.since > timedelta(days=MONTHS_FROM_DAYS)
    return (By.MONTH, By.DAY, By.HOUR) if long and filters.bill_no is None else (By.DAY, By.HOUR)


def _sentence(points: Sequence[Point]) -> None:
    """Say what was used while there is too little for a chart: "12 minutes and 120 MB since 16/11."."""
    sums = [(kind, sum((point.sum for point in points if point.kind is kind), Sum())) for kind in _SPOKEN]
    used = words.sentence([(kind, found.events, found.quantity) for kind, found in sums if found.events], language())
    first = min(point.bucket for point in points if isinstance(point.bucket, date))
    parts.empty(t("{used} since {first}. The chart appears from three days of use on.", used=used, first=day(first, "short")))


def _lines(choices: Known, drawn: Drawn) -> list[tuple[str, dict[Bucket, Sum]]]:
    """Return what each line used per bucket, in the order of the lines; beyond the colours that can be told apart, the rest together."""
    of_line: dict[int, dict[Bucket, Sum]] = {}
    for point in drawn.points:
        if point.kind is drawn.kind:
            of_line.setdefault(point.product_id, {})[point.bucket] = point.sum
    found = [(words.short_line(line, language()), of_line[line.product_id]) for line in choices.lines if line.product_id in of_line]
    if len(found) <= charts.SERIES:
        return found
    rest: dict[Bucket, Sum] = {}
    for _name, used in found[charts.SERIES - 1 :]:
        for bucket, one in used.items():
            rest[bucket] = rest.get(bucket, Sum()) + one
    return [*found[: charts.SERIES - 1], (t("Other lines"), rest)]


def _buckets(choices: Known, filters: Filters, drawn: Drawn) -> list[Bucket]:
    """Return every bar's place, also where nothing was used: all hours, or all days or months until today."""
    if drawn.by is By.HOUR:
        return list(range(24))
    used = [point.bucket for point in drawn.points if isinstance(point.bucket, date)]
    first = filters.since or min(used)
    last = min(filters.until - _DAY if filters.until else choices.today, max(choices.today, *used))
    if drawn.by is By.MONTH:
        first = clock.month_start(max(first, min(used)))
        months = (last.year - first.year) * 12 + last.month - first.month
        return [clock.add_months(first, month) for month in range(months + 1)]
    return [first + index * _DAY for index in range((last - first).days + 1)]


def _scale(kind: UsageKind, mean: int) -> tuple[str, Callable[[Sum], float]]:
    """Return the unit of the chart and how a bar's height comes from a sum."""
    return _IN_GB if kind is UsageKind.DATA and mean >= GB_FROM_KB else _SCALES.get(kind, _IN_PIECES)


def _label(bucket: Bucket, by: By) -> str:
    if isinstance(bucket, int):
        return t("{hour} h", hour=f"{bucket:02d}")
    return day(bucket, "month_short" if by is By.MONTH else "short")


def _written(kind: UsageKind, found: Sum) -> str:
    return euro(found.charged_cents) if kind is UsageKind.PREMIUM else words.total(kind, found.events, found.quantity, language())
