"""Alerts tell, they never block; the legal ones do not go away by accident (W4)."""

import pytest
from sqlmodel import Session, select

from core.catalogue import catalogue
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.product import AlertChannel, AlertMetric, Product, UsageAlert
from core.services import alerts, products
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

PERCENT, OVER = AlertMetric


def line(session: Session, offering: str = "RED") -> Product:
    return make_product(session, make_customer(session), offering, line="+32470000012")


def shown(session: Session, plan: Product) -> list[tuple[AlertMetric, int | None, bool]]:
    found = alerts.of_customer(session, AGENT, customer_id=plan.customer_id)[plan.id]
    return [(alert.metric, alert.threshold, alert.chosen) for alert in found]


def choose(session: Session, plan: Product, thresholds: dict[AlertMetric, int | None], **given: object) -> None:
    version = products.of_product_no(session, AGENT, customer_id=plan.customer_id, product_no=plan.product_no).version
    facts = {"shown_version": version, "channel": AlertChannel.SMS, "actor": AGENT} | given
    actor = facts.pop("actor")
    alerts.set_alerts(
        session, actor, customer_id=plan.customer_id, product_no=plan.product_no, thresholds=thresholds, **facts  # type: ignore[arg-type]
    )  # fmt: skip


class TestMetrics:
    @pytest.mark.parametrize(
        ("code", "expected"),
        [("RED", (PERCENT, OVER)), ("HOT", (PERCENT, OVER)), ("POCO", (PERCENT,)), ("TRIO", (OVER,)), ("DUO", (OVER,)), ("LOCO", ())],
    )
    def test_watches_what_can_run_out_and_what_can_cost(self, code: str, expected: tuple[AlertMetric, ...]) -> None:
        assert alerts.metrics(catalogue()[code]) == expected


class TestOfCustomer:
    def test_without_a_choice_the_legal_alerts_hold(self, session: Session) -> None:
        assert shown(session, line(session)) == [(PERCENT, 100, False), (OVER, 5000, False)]

    def test_one_choice_leaves_the_other_legal(self, session: Session) -> None:
        plan = line(session)
        choose(session, plan, {PERCENT: 80})
        assert shown(session, plan) == [(PERCENT, 80, True), (OVER, 5000, False)]


class TestSetAlerts:
    def test_keeps_thresholds_and_channel(self, session: Session) -> None:
        plan = line(session)
        choose(session, plan, {PERCENT: 50, OVER: 7500}, channel=AlertChannel.EMAIL)
        choose(session, plan, {PERCENT: 80, OVER: 0})
        assert shown(session, plan) == [(PERCENT, 80, True), (OVER, 0, True)]
        assert set(session.exec(select(UsageAlert.channel))) == {AlertChannel.SMS}

    def test_goes_without_an_alert_only_when_that_is_confirmed(self, session: Session) -> None:
        plan = line(session)
        with pytest.raises(alerts.ConfirmNoAlert):
            choose(session, plan, {PERCENT: 100, OVER: None})
        choose(session, plan, {PERCENT: 100, OVER: None}, no_alert=True)
        assert shown(session, plan)[1] == (OVER, None, True)

    @pytest.mark.parametrize(("metric", "threshold"), [(PERCENT, 60), (PERCENT, 5000), (OVER, 100), (OVER, -1)])
    def test_refuses_a_threshold_the_regulator_does_not_name(self, session: Session, metric: AlertMetric, threshold: int) -> None:
        with pytest.raises(alerts.NotOffered):
            choose(session, line(session), {metric: threshold})

    def test_refuses_to_watch_a_bundle_that_has_no_end(self, session: Session) -> None:
        with pytest.raises(alerts.NotOffered):
            choose(session, line(session, "TRIO"), {PERCENT: 80})

    def test_a_second_agent_is_told(self, session: Session) -> None:
        plan = line(session)
        before = plan.version
        choose(session, plan, {PERCENT: 80})
        with pytest.raises(ChangedMeanwhile) as refusal:
            choose(session, plan, {PERCENT: 50}, shown_version=before)
        assert refusal.value.params["who"] == "agent"

    def test_leaves_a_trail_from_the_legal_value_on(self, session: Session) -> None:
        choose(session, line(session), {OVER: 10000})
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "alert:set")).one()
        assert (entry.before, entry.after) == ({"overCents": 5000}, {"overCents": 10000, "channel": "sms"})

    def test_the_customer_does_it_himself(self, session: Session) -> None:
        customer = make_customer(session)
        plan = make_product(session, customer)
        choose(session, plan, {PERCENT: 50}, actor=self_of(customer))
        assert shown(session, plan)[0] == (PERCENT, 50, True)

    def test_refuses_others(self, session: Session) -> None:
        plan = line(session)
        with pytest.raises(NotPermitted):
            choose(session, plan, {PERCENT: 50}, actor=VIEWER)
        with pytest.raises(NotFound):
            choose(session, plan, {PERCENT: 50}, actor=self_of(make_customer(session)))
