"""What a card says of a line: used, left, above the bundle, where it will end; money and volume are never mixed up."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound
from core.models.customer import Customer
from core.models.product import Product, UsageCap
from core.models.usage import Tariff, UsageKind
from core.services import consumption, usage
from core.services.consumption import Counter, Gauge, LineUse
from core.services.usage import NewEvent
from tests.builders import AGENT, make_customer, make_product, self_of

NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
MB = 1000


def use(session: Session, product: Product, kind: UsageKind, quantity: int, *, at: datetime = NOON, over: int = 0, cents: int = 0) -> None:
    tariff = Tariff.OVER if over else Tariff.INCLUDED
    event = NewEvent(product.customer_id, product.id, at, quantity, kind, quantity, tariff=tariff, over_quantity=over, charged_cents=cents)
    usage.record(session, SYSTEM, events=[event])


def line(session: Session, customer: Customer, product: Product) -> LineUse:
    return consumption.running(session, AGENT, customer_id=customer.id).lines[product.id]


def gauge(found: LineUse, counter: Counter) -> Gauge:
    return next(one for one in found.gauges if one.counter is counter)


class TestRunning:
    def test_counts_what_was_used_against_the_bundle(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        use(session, red, UsageKind.DATA, 500 * MB)
        data = gauge(line(session, customer, red), Counter.DATA)
        assert (data.used, data.bundle, data.over, data.share) == (500 * MB, 2000 * MB, 0, 0.25)

    def test_leaves_out_the_month_before(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        use(session, red, UsageKind.DATA, 500 * MB, at=NOON - timedelta(days=30))
        assert gauge(line(session, customer, red), Counter.DATA).used == 0

    def test_the_legacy_model_counts_from_its_anniversary_day(self, session: Session) -> None:
        customer = make_customer(session, bill_model="legacy", cycle_day=20)
        red = make_product(session, customer, "RED")
        use(session, red, UsageKind.DATA, 500 * MB, at=datetime(2026, 10, 21, 11, 0, tzinfo=UTC))
        found = consumption.running(session, AGENT, customer_id=customer.id)
        assert (found.period.since, found.period.until) == (date(2026, 10, 20), date(2026, 11, 20))
        assert gauge(found.lines[red.id], Counter.DATA).used == 500 * MB

    def test_foresees_nothing_on_the_first_three_days(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED", since=date(2026, 11, 16))
        use(session, red, UsageKind.DATA, 120 * MB, at=datetime(2026, 11, 17, 11, 0, tzinfo=UTC))
        assert gauge(line(session, customer, red), Counter.DATA).forecast is None
        with clock.standing(datetime(2026, 11, 19, 9, 0, tzinfo=UTC)):
            assert gauge(line(session, customer, red), Counter.DATA).forecast == 450 * MB

    def test_what_was_charged_above_the_bundle_stays_charged_when_the_bundle_grows(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        use(session, red, UsageKind.DATA, 2000 * MB)
        use(session, red, UsageKind.DATA, 1240 * MB, over=1240 * MB, cents=6200)
        make_product(session, customer, "MOB_DATA_5G", parent_id=red.id, since=date(2026, 11, 18))
        data = gauge(line(session, customer, red), Counter.DATA)
        assert (data.over, data.over_cents, data.bundle) == (1240 * MB, 6200, 4166 * MB)

    def test_volume_that_was_bought_is_counted_once_the_bundle_is_empty(self, session: Session) -> None:
        customer = make_customer(session)
        hot = make_product(session, customer, "HOT")
        make_product(session, customer, "MOB_DATA_1G", parent_id=hot.id, since=date(2026, 11, 18), until=date(2026, 12, 1))
        use(session, hot, UsageKind.DATA, 10_300 * MB)
        found = line(session, customer, hot)
        assert (gauge(found, Counter.DATA).used, gauge(found, Counter.ADDED).used, found.added_left) == (10_000 * MB, 300 * MB, 700 * MB)

    @pytest.mark.parametrize(("cap_cents", "blocked"), [(0, True), (500, False), (None, False)])
    def test_a_line_is_blocked_beyond_its_bundle_by_a_cap_that_is_reached(
        self, session: Session, cap_cents: int | None, blocked: bool
    ) -> None:
        customer = make_customer(session)
        hot = make_product(session, customer, "HOT")
        if cap_cents is not None:
            session.add(UsageCap(customer_id=customer.id, product_id=hot.id, cap_cents=cap_cents, set_at=NOON))
        use(session, hot, UsageKind.DATA, 10_000 * MB)
        assert line(session, customer, hot).blocked is blocked

    def test_home_internet_slows_down_and_costs_nothing(self, session: Session) -> None:
        customer = make_customer(session)
        poco = make_product(session, customer, "POCO")
        use(session, poco, UsageKind.DATA, 50_000 * MB)
        found = line(session, customer, poco)
        assert (found.slowed, found.blocked, found.over_cents) == (True, False, 0)

    def test_somebody_elses_use_is_not_found(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        with pytest.raises(NotFound):
            consumption.running(session, self_of(other), customer_id=customer.id)


class TestLastPeriods:
    def test_returns_three_periods_and_the_running_one(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        for months, amount in enumerate((100, 200, 300, 400)):
            use(session, red, UsageKind.DATA, amount * MB, at=clock.at(clock.add_months(date(2026, 11, 10), -months), 12))
        found = consumption.last_periods(session, AGENT, customer_id=customer.id, product_id=red.id)
        assert [one.used // MB for one in found if one.counter is Counter.DATA] == [400, 300, 200, 100]

    def test_leaves_out_the_time_before_the_contract(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED", since=date(2026, 10, 5))
        found = consumption.last_periods(session, AGENT, customer_id=customer.id, product_id=red.id)
        assert {one.period.since for one in found} == {date(2026, 10, 1), date(2026, 11, 1)}
