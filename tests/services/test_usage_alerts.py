"""Warnings of use: each threshold once in a period, by the channel that was chosen, never in the night."""

from datetime import date

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotPermitted
from core.models.communication import Communication, MessageChannel
from core.models.customer import Customer
from core.models.product import AlertChannel, AlertMetric, Product
from core.models.usage import UsageKind
from core.services import alerts, usage_alerts, usage_rating
from core.services.usage_intake import RawEvent
from tests.builders import AGENT, make_customer, make_product

TODAY = date(2026, 11, 18)
GB = 1_000_000


@pytest.fixture
def red(session: Session) -> Product:
    """A Mobile Red: 2,000 MB, then 0.05 for each."""
    return make_product(session, make_customer(session), "RED", line="+32470000012")


def use(session: Session, product: Product, kilobytes: int, day: date = date(2026, 11, 12), number: int = 1) -> None:
    event = RawEvent(clock.at(day, 12), number, UsageKind.DATA, kilobytes, product_no=product.product_no)
    assert usage_rating.take_in(session, SYSTEM, events=[event]).accepted == 1


def told(session: Session) -> list[tuple[str, MessageChannel]]:
    rows = session.exec(select(Communication).order_by(col(Communication.id)))
    return [(row.template, row.channel) for row in rows]


class TestSendDue:
    def test_the_legal_ones_come_at_the_end_of_the_bundle_and_fifty_euros_above_it(self, session: Session, red: Product) -> None:
        use(session, red, 2 * GB - 1)
        assert usage_alerts.send_due(session, SYSTEM, TODAY) == 0
        use(session, red, 1, number=2)
        assert usage_alerts.send_due(session, SYSTEM, TODAY) == 1
        use(session, red, GB, number=3)
        assert usage_alerts.send_due(session, SYSTEM, TODAY) == 1
        both = (MessageChannel.SMS, MessageChannel.EMAIL)
        assert told(session) == [("alert_bundle", one) for one in both] + [("alert_over", one) for one in both]

    def test_is_told_once_in_a_period_and_again_in_the_next_one(self, session: Session, red: Product) -> None:
        use(session, red, 2 * GB)
        assert [usage_alerts.send_due(session, SYSTEM, TODAY) for _ in range(3)] == [1, 0, 0]
        december = date(2026, 12, 20)
        with clock.standing(clock.at(december, 10)):
            use(session, red, 2 * GB, day=date(2026, 12, 10))
            assert [usage_alerts.send_due(session, SYSTEM, december) for _ in range(2)] == [1, 0]

    def test_what_the_customer_chose_stands_instead_of_the_law(self, session: Session, red: Product) -> None:
        chosen = {AlertMetric.BUNDLE_PERCENT: 50, AlertMetric.OVER_CENTS: None}
        alerts.set_alerts(
            session, AGENT, customer_id=red.customer_id, product_no=red.product_no, shown_version=red.version, thresholds=chosen,
            channel=AlertChannel.SMS, no_alert=True,
        )  # fmt: skip
        use(session, red, GB)
        usage_alerts.send_due(session, SYSTEM, TODAY)
        use(session, red, 4 * GB, number=2)
        usage_alerts.send_due(session, SYSTEM, TODAY)
        assert told(session) == [("alert_bundle", MessageChannel.SMS)]

    def test_none_goes_out_in_the_night(self, session: Session, red: Product) -> None:
        use(session, red, 2 * GB)
        with clock.standing(clock.at(TODAY, 6)):
            usage_alerts.send_due(session, SYSTEM, TODAY)
        assert {clock.local(clock.from_stored(one)).hour for one in session.exec(select(Communication.sent_at))} == {7}

    def test_a_line_that_slows_down_is_told_of_its_bundle_by_the_name_of_its_plan(self, session: Session) -> None:
        poco = make_product(session, session.exec(select(Customer)).first() or make_customer(session), "POCO")
        use(session, poco, 50 * GB)
        assert usage_alerts.send_due(session, SYSTEM, TODAY) == 1
        assert "Internet Poco" in session.exec(select(Communication.body)).all()[0]

    def test_a_demo_begins_with_what_was_told_before(self, session: Session, red: Product) -> None:
        use(session, red, 4 * GB)
        usage_alerts.mark_told(session, SYSTEM)
        assert usage_alerts.send_due(session, SYSTEM, TODAY) == 0
        assert told(session) == []

    def test_needs_the_right(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            usage_alerts.send_due(session, AGENT, TODAY)
