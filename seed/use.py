"""What a sample customer used, month by month, charged as it goes."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from core import clock
from core.actor import SYSTEM
from core.catalogue import catalogue
from core.models.billing_account import BillModel
from core.models.product import Product
from core.models.usage import Tariff, UsageKind
from core.services import rating, usage
from core.services.periods import Period, cycle_of, month_of
from core.services.rating import Running
from core.services.usage import NewEvent
from seed import rhythm
from seed.rhythm import Use
from seed.scene import Scene


def record(scene: Scene, months: int) -> None:
    """Record the use of all plans over the last months, the running one exactly as told."""
    events: list[NewEvent] = []
    rng = np.random.default_rng(int(scene.customer.customer_no))
    for product in [one for one in scene.products.values() if one.parent_id is None]:
        for period, totals in _months(scene, product, months, rng):
            span = _span(scene, product, period)
            if span is not None and totals:
                events += _charged(scene, product, period, rhythm.month(rng, totals, *span, clock.now()), len(events))
    usage.record(scene.session, SYSTEM, events=events)


def _months(scene: Scene, product: Product, months: int, rng: np.random.Generator) -> Iterator[tuple[Period, dict[str, Any]]]:
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


def _span(scene: Scene, product: Product, period: Period) -> tuple[date, date] | None:
    """Return the days of a period on which a plan could be used."""
    story_ends = next((facts.get("until") for facts in scene.story["products"] if facts["number"] == product.product_no), None)
    ends = [period.until, clock.today() + timedelta(days=1), story_ends, scene.story.get("running", {}).get("until")]
    since, until = max(period.since, product.since), min(end for end in ends if end)
    return (since, until) if since < until else None


def _charged(scene: Scene, product: Product, period: Period, uses: list[Use], first_id: int) -> list[NewEvent]:
    """Charge data above the bundle and peak minutes, in the order they were used; the rest comes as it is told."""
    sold = catalogue()
    held = rating.bundle(Running(product.offering_code, product.since), [], period, sold)
    used, found = rating.Used(), []
    for number, one in enumerate(uses, first_id + 1):
        tariff, over, cents = one.tariff, 0, one.charged_cents
        if one.kind is UsageKind.DATA:
            event = rating.Use(one.kind, one.quantity)
            charge = rating.rate(event, held, used, sold)
            used = rating.after(event, used)
            tariff, over, cents = charge.tariff, charge.over_quantity, charge.charged_cents
        elif tariff is Tariff.PEAK:
            cents = rating.rate(rating.Use(one.kind, one.quantity, peak=True), held, used, sold).charged_cents
        found.append(
            NewEvent(
                scene.customer.id, product.id, one.at, number, one.kind, one.quantity, one.direction, one.zone, one.country, tariff,
                one.other_party, over, cents,
            )
        )  # fmt: skip
    return found


def _varied(rng: np.random.Generator, name: str, value: int) -> int:
    """Let an ordinary month differ from the next one; minutes that are charged stay as told."""
    return value if name == "peak_min" else int(value * rng.uniform(0.82, 1.12))


