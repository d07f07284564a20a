"""How a demo lives on while its clock is moved: people go on using their lines, and pay as they did before.

What they use is drawn day by day, the same each time, and goes through the rating of the house like the events of a network.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from random import Random

from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.catalogue import law
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount, DunningState
from core.models.customer import Customer, CustomerStatus
from core.models.product import Product, ProductStatus, UsageCap
from core.models.usage import UsageKind
from core.services import consumption, demo, payments, usage_rating
from core.services.consumption import Counter
from core.services.usage_intake import RawEvent
from seed import crowd, rhythm
from seed.rhythm import Totals
from seed.story import stories

_SEED = 20_261_119
_SOONEST_DAYS, _DIFFERENT_DAYS = 4, 10
_MONTH_DAYS = 30
_SATURDAY = 5
_PREMIUM = "6040"
_CALLED = {UsageKind.VOICE, UsageKind.SMS}


def pass_time(session: Session, since: datetime, until: datetime) -> None:
    """Write what was used between two moments, and what was paid on the days that began meanwhile."""
    with clock.standing(until):
        usage_rating.take_in(session, SYSTEM, events=list(_used(session, since, until)))
        for number in range((clock.local(until).date() - clock.local(since).date()).days):
            _pay(session, clock.local(since).date() + timedelta(days=number + 1))


def _used(session: Session, since: datetime, until: datetime) -> Iterator[RawEvent]:
    """Draw the events of each day that runs, each line of its own, and keep those between the moments."""
    query = select(Product.product_no, Product.offering_code).where(
        col(Product.status) == ProductStatus.ACTIVE, col(Product.parent_id).is_(None)
    )
    first, last = clock.local(since).date(), clock.local(until).date()
    days, capped = [first + timedelta(days=number) for number in range((last - first).days + 1)], _capped(session)
    for product_no, code in session.exec(query.order_by(Product.product_no)):
        events = [event for day in days for event in _of_day(product_no, code, day) if since <= event.at < until]
        yield from _within(events, *capped[product_no]) if product_no in capped else events


def _capped(session: Session) -> dict[str, tuple[date, int]]:
    """Return of each line with a cap since when its period runs, and how many kB the network still lets through: none above its bundle."""
    found = {}
    query = select(Product.id, Product.product_no, Product.customer_id).join(UsageCap, col(UsageCap.product_id) == Product.id)
    for product_id, product_no, customer_id in session.exec(query):
        running = consumption.running(session, SYSTEM, customer_id=customer_id)
        line = running.lines.get(product_id)
        gauges = [one for one in line.gauges if one.counter in {Counter.DATA, Counter.ADDED}] if line else []
        found[product_no] = running.period.since, sum(max(0, (one.bundle or 0) - one.used) for one in gauges)
    return found


def _within(events: list[RawEvent], since: date, left_kb: int) -> Iterator[RawEvent]:
    """Let through what a capped line may still use: calls and messages, data as long as there are some, nothing premium."""
    for event in events:
        if event.kind is UsageKind.DATA:
            if clock.local(event.at).date() >= since and event.quantity <= left_kb:
                left_kb -= event.quantity
                yield event
        elif event.kind is not UsageKind.PREMIUM:
            yield event


def _of_day(product_no: str, code: str, day: date) -> Iterator[RawEvent]:
    """Draw a day of a line: of each kind one event or none, since a rare one happens on some days only."""
    chance = Random(f"{_SEED} {product_no} {day}")
    month = _months().get(product_no) or crowd.facts()["use"].get(code, {})
    for number, (name, total) in enumerate(month.items(), 1):
        if name not in rhythm.KINDS:
            continue
        one = rhythm.KINDS[name]
        mean = float(str(total)) / _MONTH_DAYS * chance.uniform(0.3, 1.7)
        many = int(mean) + (chance.random() < mean % 1)
        (hour,) = chance.choices(range(24), rhythm.HOURS[one.rhythm])
        if many and not (one.rhythm == "office" and day.weekday() >= _SATURDAY):
            at = clock.at(day, hour) + timedelta(seconds=chance.randrange(3600))
            other = (
                _PREMIUM if one.kind is UsageKind.PREMIUM else f"+324700{chance.randrange(10_000, 99_999)}" if one.kind in _CALLED else None
            )
            yield RawEvent(at, number, one.kind, many * one.size, product_no=product_no, other_party=other)


@cache
def _months() -> Mapping[str, Totals]:
    """Return by product what an ordinary month of a sample customer looks like."""
    return {product_no: totals for story in stories() for product_no, totals in story.get("months", {}).items()}


def _pay(session: Session, day: date) -> None:
    """Let the transfers of a day come in. Who is late stays late, and whose case is disputed pays nothing."""
    query = (
        select(Bill, Customer)
        .join(Customer, col(Customer.id) == Bill.customer_id)
        .join(BillingAccount, col(BillingAccount.customer_id) == Bill.customer_id)
        .where(
            Bill.category != BillCategory.CREDIT_NOTE,
            Bill.remaining_cents > 0,
            col(Bill.mandate_id).is_(None),
            BillingAccount.dunning_state == DunningState.NONE,
            col(BillingAccount.dunning_hold_until).is_(None),
            Customer.status == CustomerStatus.ACTIVE,
        )
    )
    for bill, customer in session.exec(query.order_by(col(Bill.id))).all():
        if _pays_on(bill, customer) == day:
            payments.record(
                session, SYSTEM, received_on=day, amount_cents=bill.remaining_cents, communication=bill.ogm, payer_name=customer.name
            )


def _pays_on(bill: Bill, customer: Customer) -> date:
    """Return when a bill is paid: so many days after it, as he is used to; what lies open on a demo's first day, when it is due."""
    due = bill.payable_until or bill.due_date
    if bill.bill_date <= clock.local(demo.FIRST_MOMENT).date() or bill.payable_until:
        return due
    usual = bill.bill_date + timedelta(days=_SOONEST_DAYS + int(customer.customer_no) % _DIFFERENT_DAYS)
    return min(usual, due) if customer.trading_name is None else due - timedelta(days=law("transfer_due_days") // 3)
