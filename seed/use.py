"""What a sample customer used, month by month, charged as it goes: event by event as long as detail is kept, as sums before that (R27)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from core import clock
from core.actor import SYSTEM
from core.catalogue import catalogue
from core.models.billing_account import BillModel
from core.models.product import Product
from core.models.usage import Tariff, UsageKind
from core.services import rating, usage, usage_detail
from core.services.billing import Usage
from core.services.periods import Period, cycle_of, month_of
from core.services.rating import Running
from core.services.usage import DayKey, NewEvent, Sum
from seed import rhythm
from seed.rhythm import Span, Totals, Use
from seed.scene import Scene


@dataclass
class Past:
    """What was used, before it is written: sums and events by the last day of their period."""

    sums: dict[date, dict[tuple[int, UsageKind, Tariff], Sum]] = field(default_factory=lambda: defaultdict(dict))
    events: list[tuple[date, NewEvent]] = field(default_factory=list)
    days: dict[DayKey, Sum] = field(default_factory=dict)

    def of(self, since: date, until: date) -> Usage:
        """Return what was used in the periods that end within these days, for a bill."""
        return {key: found for last, sums in self.sums.items() if since <= last < until for key, found in sums.items()}

    def add(self, period: Period, told: list[tuple[NewEvent, int]], *, detail: bool) -> None:
        """Take in what a plan was used for in a period: events, or sums that stand for several, on one day."""
        found: dict[tuple[int, UsageKind, Tariff], list[int]] = {}
        for event, events in told:
            one = found.setdefault((event.product_id, event.kind, event.tariff), [0, 0, 0, 0])
            for index, figure in enumerate((events, event.quantity, event.over_quantity, event.charged_cents)):
                one[index] += figure
        sums = {key: Sum(*figures) for key, figures in found.items()}
        self.sums[period.last].update(sums)
        if detail:
            self.events += [(period.last, event) for event, _events in told]
        else:
            customer_id, day = told[0][0].customer_id, clock.local(told[0][0].at).date()
            self.days |= {(customer_id, product, day, kind, tariff): one for (product, kind, tariff), one in sums.items()}


def past(scene: Scene, months: int) -> Past:
    """Return the use of all plans over the last months, the running one exactly as told."""
    found, rng = Past(), np.random.default_rng(int(scene.customer.customer_no))
    for product in [one for one in scene.products.values() if one.parent_id is None]:
        for period, totals in _months(scene, product, months, rng):
            span = _span(scene, product, period)
            if span is not None and totals:
                detail = period.until > usage_detail.detail_since()
                uses = [(one, 1) for one in rhythm.month(rng, totals, span)] if detail else rhythm.whole(totals, span)
                found.add(period, list(_charged(scene, product, period, uses, len(found.events))), detail=detail)
    return found


def record(scene: Scene, past: Past, billed: Mapping[date, int]) -> None:
    """Write what was used; `billed` names the bill of each period that has one, by its last day."""
    events = [event._replace(bill_id=billed.get(last)) for last, event in past.events]
    usage.record(scene.session, SYSTEM, events=events)
    usage.record_sums(scene.session, SYSTEM, days=past.days)


def _months(scene: Scene, product: Product, months: int, rng: np.random.Generator) -> Iterator[tuple[Period, Totals]]:
    """Return each period of a plan with what was used in it; an ordinary month differs a little from the next."""
    today = clock.today()
    ordinary = scene.story.get("months", {}).get(product.product_no, {})
    running = scene.story.get("running", {}).get(product.product_no, {})
    period = _period(scene, clock.add_months(clock.month_start(today), -months))
    while period.since <= today:
        yield period, running if today in period else {name: _varied(rng, name, value) for name, value in ordinary.items()}
        period = _period(scene, period.until)


def _period(scene: Scene, day: date) -> Period:
    return cycle_of(day, scene.cycle_day) if scene.model is BillModel.LEGACY else month_of(day)


def _span(scene: Scene, product: Product, period: Period) -> Span | None:
    """Return the days of a period on which a plan could be used."""
    story_ends = next((facts.get("until") for facts in scene.story["products"] if facts["number"] == product.product_no), None)
    ends = [period.until, clock.today() + timedelta(days=1), story_ends, scene.story.get("running", {}).get("until")]
    since, until = max(period.since, product.since), min(end for end in ends if end)
    return Span(since, until, clock.now()) if since < until else None


def _charged(scene: Scene, product: Product, period: Period, uses: list[tuple[Use, int]], first_id: int) -> Iterator[tuple[NewEvent, int]]:
    """Charge data above the bundle and peak minutes, in the order they were used; the rest comes as it is told."""
    sold = catalogue()
    held = rating.bundle(Running(product.offering_code, product.since), [], period, sold)
    used = rating.Used()
    for number, (one, count) in enumerate(uses, first_id + 1):
        tariff, over, cents = one.tariff, 0, one.charged_cents
        if one.kind is UsageKind.DATA and held.data_kb is not None:
            event = rating.Use(one.kind, one.quantity)
            charge = rating.rate(event, held, used, sold)
            used = rating.after(event, charge, used)
            tariff, over, cents = charge.tariff, charge.over_quantity, charge.charged_cents
        elif tariff is Tariff.PEAK:
            cents = rating.rate(rating.Use(one.kind, one.quantity, peak=True), held, used, sold).charged_cents
        yield NewEvent(
            scene.customer.id, product.id, one.at, number, one.kind, one.quantity, one.direction, one.zone, one.country, tariff,
            one.other_party, over, cents,
        ), count  # fmt: skip


def _varied(rng: np.random.Generator, name: str, value: int) -> int:
    """Let an ordinary month differ from the next one; minutes that are charged stay as told."""
    return value if name == "peak_min" else int(value * rng.uniform(0.82, 1.12))
