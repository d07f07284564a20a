"""Tells a sample customer: months of use, bills and payments, and the events of `scenarios/*.yaml`, each on its own day."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.catalogue import law
from core.models.billing_account import BillModel
from core.services import bill_issuing, billing, billing_facts, periods
from core.services.billing import Account, Coverage
from seed import people, use
from seed.happenings import HAPPENINGS
from seed.scene import Scene, Story

FOLDER = Path(__file__).resolve().parent / "scenarios"
MONTHS = 24
_BILLS_AT = 6
"""The hour at which the bills of a day are made."""


def stories() -> list[Story]:
    """Return all sample customers, in their order."""
    return [yaml.safe_load(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]


def tell(session: Session, story: Story) -> None:
    """Write a customer and everything that happened to him until now."""
    now = clock.now()
    customer = people.open_file(session, story["customer"], story.get("billing", {}))
    scene = Scene(session, story, customer, people.give(session, customer, story["products"]))
    use.record(scene, MONTHS)
    if "mandate" in story:
        scene.sign(story["mandate"])
    for moment, happen in sorted(_timeline(scene, clock.local(now).date()), key=lambda one: one[0]):
        with clock.standing(moment):
            happen()
    session.flush()


def _timeline(scene: Scene, today: date) -> Iterator[tuple[datetime, Callable[[], None]]]:
    for event in scene.story["story"]:
        (name, facts) = next((name, facts) for name, facts in event.items() if name != "at")
        at = datetime.fromisoformat(str(event["at"]))
        yield clock.at(at.date(), at.hour, at.minute), _happening(scene, name, facts)
    for number, (bill_date, first) in enumerate(_bill_days(scene, today)):
        yield clock.at(bill_date, _BILLS_AT), _bill(scene, bill_date, first if number == 0 else None)
        paid_on = _paid_on(scene, bill_date)
        if paid_on <= today and scene.number_of(bill_date) not in scene.story.get("unpaid", []):
            yield clock.at(paid_on, _BILLS_AT + 1), _payment(scene, scene.number_of(bill_date), paid_on)


def _bill_days(scene: Scene, today: date) -> Iterator[tuple[date, Coverage | None]]:
    """Return the bill dates of the last months, and for the first of them what an older bill that is not told would have covered."""
    account = Account(scene.model, scene.cycle_day, scene.migrate_on)
    start = clock.add_months(clock.month_start(today), 1 - MONTHS)
    since, until = scene.story["customer"]["since"], scene.until
    day = max(start, since)
    before = Coverage(start - timedelta(days=26), billing.paid_ahead(account, start - timedelta(days=26)).until) if since < start else None
    if before is not None and scene.model is BillModel.LEGACY:
        before = Coverage(clock.add_months(start, -2, scene.cycle_day), clock.add_months(start, -1, scene.cycle_day))
        day = before.until
    previous = before
    while True:
        day = billing.next_bill_date(account, previous, day)
        if day > today or (until is not None and day >= until):
            return
        yield day, before
        previous = Coverage(day, billing.paid_ahead(account, day).until)
        day += timedelta(days=1)


def _bill(scene: Scene, bill_date: date, before: Coverage | None) -> Callable[[], None]:
    def issue() -> None:
        facts = billing_facts.of_customer(scene.session, scene.customer.id)
        if before is not None:
            facts = replace(facts, previous=before)
        draft = billing_facts.draft(scene.session, scene.customer.id, facts, bill_date)
        bill_issuing.issue(scene.session, SYSTEM, customer_id=scene.customer.id, draft=draft, bill_no=scene.number_of(bill_date))

    return issue


def _paid_on(scene: Scene, bill_date: date) -> date:
    if scene.story["pays"].get("collected"):
        return periods.next_banking_day(bill_date + timedelta(days=law("direct_debit_due_days")))
    found: date = bill_date + timedelta(days=scene.story["pays"]["days_after"])
    return found


def _payment(scene: Scene, bill_no: str, day: date) -> Callable[[], None]:
    return lambda: scene.pay(bill_no, day)


def _happening(scene: Scene, name: str, facts: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: HAPPENINGS[name](scene, facts)
