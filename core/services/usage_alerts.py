"""Warnings that go out when a line passes a threshold: once for each threshold and period, never a block (W4, R18)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue, law
from core.db.keys import insert_once
from core.models.communication import MessageChannel
from core.models.customer import Customer
from core.models.product import AlertChannel, AlertMetric, Product, ProductStatus, UsageAlert, UsageAlertSent
from core.models.usage import UsageDay, UsageKind
from core.services import alerts, communications, consumption, products
from core.services.alerts import Alert
from core.services.consumption import Counter, LineUse
from core.services.rating import KB_PER_MB, MINUTE
from core.services.usage_numbers import national

_LONGEST_PERIOD_DAYS = 31
_CHANNELS = {
    AlertChannel.SMS: (MessageChannel.SMS,),
    AlertChannel.EMAIL: (MessageChannel.EMAIL,),
    AlertChannel.BOTH: (MessageChannel.SMS, MessageChannel.EMAIL),
}
_SIZES = {UsageKind.DATA: ("data_mb", KB_PER_MB), UsageKind.VOICE: ("voice_min", MINUTE), UsageKind.SMS: ("sms", 1)}


@dataclass(frozen=True)
class _Passed:
    """A threshold that a line passed in its running period."""

    product_id: int
    alert: Alert
    period_since: date
    reached: int

    @property
    def row(self) -> dict[str, object]:
        """What is written down, so that it is told once."""
        return {
            "product_id": self.product_id, "metric": self.alert.metric, "threshold": self.alert.threshold,
            "period_since": self.period_since, "sent_at": clock.now(),
        }  # fmt: skip


def send_due(session: Session, actor: Actor, _day: date) -> int:
    """Tell every customer whose line passed a threshold since it was told last; return how many thresholds that were."""
    actor.require(Permission.JOB_RUN)
    told = 0
    for customer_id in _candidates(session):
        for passed in _passed(session, actor, customer_id):
            if insert_once(session, UsageAlertSent, [passed.row | {"customer_id": customer_id}]):
                _tell(session, actor, customer_id, passed)
                told += 1
    return told


def mark_told(session: Session, actor: Actor) -> None:
    """Write down that all that was passed until now was told: where a demo begins."""
    actor.require(Permission.JOB_RUN)
    for customer_id in _candidates(session):
        rows = [passed.row | {"customer_id": customer_id} for passed in _passed(session, actor, customer_id)]
        if rows:
            insert_once(session, UsageAlertSent, rows)


def _candidates(session: Session) -> list[int]:
    """Return the customers of whom a line may have passed a threshold; what a line truly may use is looked at for those alone."""
    since = clock.today().toordinal() - _LONGEST_PERIOD_DAYS
    query = (
        select(
            col(UsageDay.customer_id), col(UsageDay.product_id), col(Product.offering_code), col(UsageDay.kind),
            func.sum(col(UsageDay.quantity)), func.sum(col(UsageDay.charged_cents)),
        )
        .join(Product, (col(Product.customer_id) == UsageDay.customer_id) & (col(Product.id) == UsageDay.product_id))
        .where(col(UsageDay.day) > date.fromordinal(since), col(Product.status) == ProductStatus.ACTIVE)
        .group_by(col(UsageDay.customer_id), col(UsageDay.product_id), col(Product.offering_code), col(UsageDay.kind))
    )  # fmt: skip
    chosen = {(row.product_id, row.metric): row.threshold for row in session.execute(select(UsageAlert)).scalars()}
    percent, cents = law("alert_default_percent"), law("alert_default_over_cents")
    over: dict[int, int] = defaultdict(int)
    found = set()
    for customer_id, product_id, code, kind, quantity, charged in session.execute(query):
        full = chosen.get((product_id, AlertMetric.BUNDLE_PERCENT), percent)
        over[product_id] += int(charged)
        much = chosen.get((product_id, AlertMetric.OVER_CENTS), cents)
        if (full is not None and _share_reached(catalogue()[code], kind, int(quantity), full)) or (
            much is not None and over[product_id] >= max(much, 1)
        ):
            found.add(customer_id)
    return sorted(found)


def _share_reached(offering: Offering, kind: UsageKind, quantity: int, percent: int) -> bool:
    name, size = _SIZES.get(kind, (None, 1))
    held = getattr(offering.allowance, name) if name else None
    return isinstance(held, int) and quantity * 100 >= held * size * percent


def _passed(session: Session, actor: Actor, customer_id: int) -> Iterator[_Passed]:
    found = consumption.running(session, actor, customer_id=customer_id)
    chosen = alerts.of_customer(session, actor, customer_id=customer_id)
    for product_id, line in found.lines.items():
        for alert in chosen.get(product_id, ()):
            reached = _reached(line, alert.metric)
            if alert.threshold is not None and reached is not None and reached >= max(alert.threshold, 1):
                yield _Passed(product_id, alert, found.period.since, reached)


def _reached(line: LineUse, metric: AlertMetric) -> int | None:
    """Return how far a line has come, in percent of its fullest bundle or in cents above it."""
    if metric is AlertMetric.OVER_CENTS:
        return line.over_cents
    shares = [gauge.share for gauge in line.gauges if gauge.share is not None and gauge.counter is not Counter.ADDED]
    return int(max(shares) * 100) if shares else None


def _names(session: Session, actor: Actor, customer_id: int) -> Mapping[int, str]:
    """Return how each line is called: by its number, or by its plan."""
    language = session.get_one(Customer, customer_id).language.value
    held = products.held(session, actor, customer_id=customer_id)
    return {plan.id: national(plan.line) if plan.line else plan.offering.name(language) for plan in held}


def _tell(session: Session, actor: Actor, customer_id: int, passed: _Passed) -> None:
    line = _names(session, actor, customer_id)[passed.product_id]
    if passed.alert.metric is AlertMetric.BUNDLE_PERCENT:
        template, params = "alert_bundle", {"line": line, "percent": passed.alert.threshold}
    else:
        template, params = "alert_over", {"line": line, "amount_cents": passed.reached}
    for channel in _CHANNELS[passed.alert.channel]:
        communications.send(session, actor, customer_id=customer_id, template=template, params=params, channel=channel)
