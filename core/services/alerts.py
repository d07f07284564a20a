"""Warnings a customer gets before a bill grows: they tell, they never block (R18, W4). A line without a row has the legal ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, Service, catalogue, law
from core.errors import N_, DomainError
from core.models.product import AlertChannel, AlertMetric, UsageAlert
from core.services import audit, products

_CHOICES = {AlertMetric.BUNDLE_PERCENT: "alert_percent_choices", AlertMetric.OVER_CENTS: "alert_over_choices_cents"}
_DEFAULTS = {AlertMetric.BUNDLE_PERCENT: "alert_default_percent", AlertMetric.OVER_CENTS: "alert_default_over_cents"}


class NotOffered(DomainError):
    """The threshold is none of those the regulator names, or the line has nothing to watch."""

    message = N_("This alert can't be set on this line. Choose one of the thresholds shown.")


class ConfirmNoAlert(DomainError):
    """The legal alert does not go away by accident."""

    message = N_("Without an alert a high bill comes unannounced. Tick the box to confirm that no alert is wanted.")
    field = "no_alert"


@dataclass(frozen=True)
class Alert:
    """What is watched: a threshold in percent or cents, None for no alert; `chosen` tells it from the legal default."""

    metric: AlertMetric
    threshold: int | None
    channel: AlertChannel
    chosen: bool


def metrics(offering: Offering) -> tuple[AlertMetric, ...]:
    """Return what can be watched on a plan: a bundle that is counted off, and money where something is charged beyond it."""
    counted = any(isinstance(amount, int) for amount in (offering.allowance.data_mb, offering.allowance.voice_min, offering.allowance.sms))
    charged = offering.when_used_up == "charge" or Service.PHONE in offering.services
    return tuple(metric for metric, there in ((AlertMetric.BUNDLE_PERCENT, counted), (AlertMetric.OVER_CENTS, charged)) if there)


def choices(metric: AlertMetric) -> tuple[int, ...]:
    """Return the thresholds to choose from, in percent or cents."""
    return tuple(law(_CHOICES[metric]))


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> Mapping[int, tuple[Alert, ...]]:
    """Return the alerts of every plan that runs, by product id; the legal ones where nothing was chosen."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    rows = session.exec(
        select(UsageAlert.product_id, UsageAlert.metric, UsageAlert.threshold, UsageAlert.channel).where(
            UsageAlert.customer_id == customer_id
        )
    )
    chosen = {
        (product_id, metric): Alert(AlertMetric(metric), threshold, AlertChannel(channel), chosen=True)
        for product_id, metric, threshold, channel in rows
    }
    plans = products.held(session, actor, customer_id=customer_id)
    return {plan.id: tuple(chosen.get((plan.id, metric)) or _legal(metric) for metric in metrics(plan.offering)) for plan in plans}


def set_alerts(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    product_no: str,
    shown_version: int,
    thresholds: Mapping[AlertMetric, int | None],
    channel: AlertChannel,
    no_alert: bool = False,
) -> None:
    """Choose the thresholds of a line, in percent or cents, None for no alert, and how it is told.

    To go without an alert needs `no_alert`. Raises NotFound, ChangedMeanwhile, NotOffered or ConfirmNoAlert.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    plan = products.lock(session, customer_id=customer_id, product_no=product_no, shown_version=shown_version)
    offered = metrics(catalogue()[plan.offering_code])
    for metric, threshold in thresholds.items():
        if metric not in offered or (threshold is not None and threshold not in choices(metric)):
            raise NotOffered
    if None in thresholds.values() and not no_alert:
        raise ConfirmNoAlert
    rows = {
        row.metric: row
        for row in session.exec(select(UsageAlert).where(UsageAlert.customer_id == customer_id, col(UsageAlert.product_id) == plan.id))
    }
    before = {metric.value: rows[metric].threshold if metric in rows else _legal(metric).threshold for metric in thresholds}
    for metric, threshold in thresholds.items():
        row = rows.get(metric) or UsageAlert(customer_id=customer_id, product_id=plan.id, metric=metric, set_at=clock.now())
        row.threshold, row.channel, row.set_at = threshold, channel, clock.now()
        session.add(row)
    session.flush()
    after = {metric.value: threshold for metric, threshold in thresholds.items()}
    audit.record(
        session, actor, action="alert:set", object_type="product", object_id=plan.id, customer_id=customer_id, before=before,
        after=after | {"channel": channel},
    )  # fmt: skip


def _legal(metric: AlertMetric) -> Alert:
    return Alert(metric, int(law(_DEFAULTS[metric])), AlertChannel.BOTH, chosen=False)
