"""Tells a sample customer: months of use, bills and payments, and the events of `scenarios/*.yaml`, each on its own day."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import yaml
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.services import bill_issuing, billing_facts, dunning
from seed import ledger, people, use
from seed.happenings import HAPPENINGS
from seed.ledger import BILLS_AT, Payer
from seed.scene import Scene, Story

FOLDER = Path(__file__).resolve().parent / "scenarios"
MONTHS = 24
_TOLD_SINCE = 6
"""For how many months a sample customer finds a message with each bill."""


def stories() -> list[Story]:
    """Return all sample customers, in their order."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [yaml.load(path.read_text("utf-8"), Loader=loader) for path in sorted(FOLDER.glob("*.yaml"))]  # noqa: S506 - a safe loader


def tell(session: Session, story: Story) -> None:
    """Write a customer and everything that happened to him until now."""
    customer = people.open_file(session, story["customer"], story.get("billing", {}))
    scene = Scene(session, story, customer, people.give(session, customer, story["products"]))
    past = use.past(scene, MONTHS)
    payer = _payer(scene, past)
    for moment, happen in sorted(_events(scene), key=lambda one: one[0]):
        _catch_up(scene, payer, moment)
        with clock.standing(moment):
            happen()
    _catch_up(scene, payer, clock.now())
    use.record(scene, past, payer.billed)
    session.flush()


def _events(scene: Scene) -> Iterator[tuple[datetime, Callable[[], None]]]:
    for event in scene.story["story"]:
        name, facts = next((name, facts) for name, facts in event.items() if name != "at")
        at = datetime.fromisoformat(str(event["at"]))
        yield clock.at(at.date(), at.hour, at.minute), partial(HAPPENINGS[name], scene, facts)


def _payer(scene: Scene, past: use.Past) -> Payer:
    """Return how he is billed and pays, from the first bill that is told."""
    start = clock.add_months(clock.month_start(clock.today()), 1 - MONTHS)
    account = billing_facts.of_customer(scene.session, scene.customer.id).account
    since, pays = scene.story["customer"]["since"], scene.story.get("pays", {})
    return Payer(
        customer_id=scene.customer.id,
        name=scene.customer.name,
        account=account,
        holds=(),
        used=past.of,
        next_day=max(start, since),
        previous=ledger.before(account, start, since),
        until=scene.until,
        pays_after=pays.get("days_after", 0),
        stops=pays.get("stops"),
        debit=scene.sign(scene.story["mandate"]) if "mandate" in scene.story else None,
    )


def _catch_up(scene: Scene, payer: Payer, moment: datetime) -> None:
    """Write the bills and payments that came before a moment, and follow up what was not paid."""
    day = payer.bill_day()
    if day and clock.at(day, BILLS_AT) < moment:
        payer.holds = billing_facts.of_customer(scene.session, scene.customer.id).held
    told_since = clock.add_months(clock.today(), -_TOLD_SINCE)
    for bill_date, bill in ledger.write(scene.session, [payer], moment, scene.number_of):
        if bill_date >= told_since:
            with clock.standing(clock.at(bill_date, BILLS_AT)):
                bill_issuing.announce(scene.session, SYSTEM, customer_id=scene.customer.id, bill=bill)
    if payer.stops:
        dunning.catch_up(scene.session, SYSTEM, customer_ids=[scene.customer.id], until=clock.local(moment).date())
