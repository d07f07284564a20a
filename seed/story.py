"""Tells a sample customer: months of use, bills and payments, and the events of `scenarios/*.yaml`, each on its own day."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.catalogue import catalogue
from core.models.product import Product
from core.models.usage import UsageKind
from core.services import rating, usage
from core.services.periods import Period, cycle_of, month_of
from core.services.rating import Running
from core.services.usage import NewEvent
from seed import people, rhythm
from seed.rhythm import Use

FOLDER = Path(__file__).resolve().parent / "scenarios"
MONTHS = 24
Story = Mapping[str, Any]


def stories() -> list[Story]:
    """Return all sample customers, in their order."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]


class Teller:
    """Tells one customer."""

    def __init__(self, session: Session, story: Story) -> None:
        self.session = session
        self.sold = catalogue()
        self.story = story
        self.billing: Mapping[str, Any] = story.get("billing", {})
        self.customer = people.open_file(session, story["customer"], self.billing)
        self.products = people.give(session, self.customer, story["products"])

    def tell(self) -> None:
        """Write everything that happened until now."""
        self._use_lines()

    def _use_lines(self) -> None:
        now, events = clock.now(), []
        rng = np.random.default_rng(int(self.customer.customer_no))
        for product in [one for one in self.products.values() if one.parent_id is None]:
            for period, totals in self._months(product, clock.local(now).date()):
                events += self._rated(product, period, rhythm.month(rng, totals, *self._span(product, period, totals), now), len(events))
        usage.record(self.session, SYSTEM, events=events)

    def _months(self, product: Product, today: date) -> Iterator[tuple[Period, dict[str, Any]]]:
        """Return each period of a plan with what was used in it: an ordinary month varies a little, the running one is told exactly."""
        ordinary = self.story.get("months", {}).get(product.product_no, {})
        running = self.story.get("running", {})
        period = self._period(clock.add_months(today, -MONTHS))
        chance = np.random.default_rng(product.id)
        while period.since <= today:
            if today in period:
                yield period, running.get(product.product_no, {})
            else:
                yield period, {name: _varied(chance, name, value) for name, value in ordinary.items()}
            period = self._period(period.until)

    def _period(self, day: date) -> Period:
        if self.billing.get("model") == "legacy":
            return cycle_of(day, self.billing["cycle_day"])
        return month_of(day)

    def _span(self, product: Product, period: Period, totals: Mapping[str, Any]) -> tuple[date, date]:
        today = clock.today()
        until = min(period.until, product.until or period.until, self.story.get("running", {}).get("until", period.until), today + timedelta(days=1))
        since = max(period.since, product.since)
        return since, max(until, since + timedelta(days=1)) if totals else until

    def _rated(self, product: Product, period: Period, uses: list[Use], first_id: int) -> list[NewEvent]:
        """Charge data above the bundle in the order it was used; what the seed charges itself is left as it is."""
        if product.since >= period.until or (product.until and product.until <= period.since):
            return []
        held = rating.bundle(Running(product.offering_code, product.since, product.until), [], period)
        used, found = rating.Used(), []
        for number, use in enumerate(uses, first_id + 1):
            tariff, over, cents = use.tariff, 0, use.charged_cents
            if use.kind is UsageKind.DATA:
                event = rating.Use(use.kind, use.quantity)
                charge = rating.rate(event, held, used, self.sold)
                used = rating.after(event, used)
                tariff, over, cents = charge.tariff, charge.over_quantity, charge.charged_cents
            elif tariff is rhythm.Tariff.PEAK:
                cents = rating.rate(rating.Use(use.kind, use.quantity, peak=True), held, used, self.sold).charged_cents
            found.append(
                NewEvent(
                    self.customer.id, product.id, use.at, number, use.kind, use.quantity, use.direction, use.zone, use.country, tariff,
                    use.other_party, over, cents,
                )
            )  # fmt: skip
        return found


def _varied(rng: np.random.Generator, name: str, value: int) -> int:
    """Let an ordinary month differ from the next one; minutes that are charged stay as told."""
    return value if name == "peak_min" else int(value * rng.uniform(0.82, 1.12))
