"""Events become charges once, in the order they happened, whatever order they come in; what comes after its bill is on the next one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import BillLine, LineKind
from core.models.billing_account import BillModel
from core.models.customer import Customer, CustomerStatus
from core.models.product import Product, ProductStatus, UsageCap
from core.models.usage import Direction, Tariff, UsageDay, UsageEvent, UsageKind, Zone
from core.services import bill_issuing, billing_facts, explain, rating, usage_rating
from core.services.explain import Paper
from core.services.periods import month_of
from core.services.rating import Running, Use
from core.services.usage_intake import RawEvent, Reason
from core.services.usage_rating import Taken
from tests.builders import AGENT, make_customer, make_product
from tests.rules.test_catalogue import _replace, files

__all__ = ["files"]

NOA = "+32470000012"
FIXED = "+3281000001"
OLD = "+32470000009"
DAY = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
GB = 1_000_000


@pytest.fixture
def customer(session: Session) -> Customer:
    return make_customer(session)


@pytest.fixture
def noa(session: Session, customer: Customer) -> Product:
    return make_product(session, customer, "RED", line=NOA)


def data(quantity: int, at: datetime = DAY, number: int = 1, **given: Any) -> RawEvent:
    return RawEvent(at, number, UsageKind.DATA, quantity, given.pop("line", NOA), **given)


def call(seconds: int, to: str, at: datetime = DAY, number: int = 1, **given: Any) -> RawEvent:
    return RawEvent(at, number, UsageKind.VOICE, seconds, given.pop("line", NOA), other_party=to, **given)


def text(to: str, at: datetime = DAY, number: int = 1, pieces: int = 1) -> RawEvent:
    return RawEvent(at, number, UsageKind.SMS, pieces, NOA, other_party=to)


def take(session: Session, *events: RawEvent) -> Taken:
    return usage_rating.take_in(session, SYSTEM, events=events)


def rows(session: Session) -> list[tuple[Any, ...]]:
    """Return all that is kept of each event, but for its bill."""
    table: Any = UsageEvent.__table__  # type: ignore[attr-defined]
    columns = [column for column in table.columns if column.name != "bill_id"]
    return [tuple(row) for row in session.execute(sql_select(*columns).order_by(*table.primary_key.columns))]


def days(session: Session) -> list[tuple[Any, ...]]:
    table: Any = UsageDay.__table__  # type: ignore[attr-defined]
    return [tuple(row) for row in session.execute(sql_select(*table.columns).order_by(*table.primary_key.columns))]


def cents(session: Session) -> list[tuple[Tariff, int]]:
    """Return how each event was charged, in the order they happened."""
    found: Any = session.exec(select(UsageEvent.tariff, UsageEvent.charged_cents).order_by(col(UsageEvent.at), col(UsageEvent.id)))
    return [(tariff, each) for tariff, each in found]


def draft(session: Session, customer: Customer, day: date) -> Any:
    return billing_facts.draft(session, customer.id, billing_facts.of_customer(session, customer.id), day)


def issue(session: Session, customer: Customer, day: date) -> Any:
    with clock.standing(clock.at(day, 6)):
        return bill_issuing.issue(session, SYSTEM, customer_id=customer.id, draft=draft(session, customer, day))


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """Undo what a block wrote."""
    with session.begin_nested() as savepoint:
        yield
        savepoint.rollback()
    session.expire_all()


class TestTakeIn:
    def test_charges_what_lies_above_the_bundle(self, session: Session, noa: Product) -> None:
        assert take(session, data(2 * GB), data(1_240_000, DAY + timedelta(days=1))) == Taken(2, 0, ())
        assert cents(session) == [(Tariff.INCLUDED, 0), (Tariff.OVER, 6200)]

    def test_changes_nothing_when_an_event_comes_again(self, session: Session, noa: Product) -> None:
        take(session, data(3 * GB))
        before = rows(session), days(session)
        assert take(session, data(9 * GB), data(1)) == Taken(0, 2, ())
        assert (rows(session), days(session)) == before

    def test_rates_again_what_happened_behind_an_event_that_comes_late(self, session: Session, noa: Product) -> None:
        take(session, data(2 * GB, DAY, 5))
        take(session, data(1000, DAY - timedelta(days=2), 9))
        assert cents(session) == [(Tariff.INCLUDED, 0), (Tariff.OVER, 5)]
        assert [(row[2], row[3], row[4], row[6], row[7], row[8]) for row in days(session)] == [
            (date(2026, 11, 8), UsageKind.DATA, Tariff.INCLUDED, 1000, 0, 0),
            (date(2026, 11, 10), UsageKind.DATA, Tariff.OVER, 2 * GB, 1000, 5),
        ]

    def test_finds_who_held_a_number_at_the_moment(self, session: Session, customer: Customer) -> None:
        before = make_product(session, customer, "RED", line=NOA, until=date(2026, 11, 10), status=ProductStatus.TERMINATED)
        after = make_product(session, make_customer(session), "HOT", line=NOA, since=date(2026, 11, 10))
        midnight = clock.at(date(2026, 11, 10))
        take(session, data(1, midnight - timedelta(seconds=1)), data(1, midnight))
        assert session.exec(select(UsageEvent.product_id).order_by(col(UsageEvent.at))).all() == [before.id, after.id]

    def test_finds_a_plan_without_a_number_by_its_product_number(self, session: Session, customer: Customer) -> None:
        poco = make_product(session, customer, "POCO")
        assert take(session, data(60 * GB, line=None, product_no=poco.product_no)).accepted == 1
        assert cents(session) == [(Tariff.INCLUDED, 0)]

    @pytest.mark.parametrize(
        ("event", "reason"),
        [
            (data(1, line="+32470999999"), Reason.NO_LINE),
            (data(1, DAY.replace(year=2027)), Reason.FUTURE),
            (data(1, DAY.replace(year=2025, month=10)), Reason.TOO_OLD),
            (data(-1), Reason.QUANTITY),
            (data(2_000 * GB), Reason.QUANTITY),
            (data(1, number=2**70), Reason.ID),
            (data(1, country="BEL"), Reason.PARTY),
            (RawEvent(DAY, 1, UsageKind.TV, 60, NOA), Reason.NOT_BROUGHT),
            (text("9123"), Reason.UNPRICED),
            (call(60, "090812345"), Reason.UNPRICED),
        ],
    )
    def test_rejects_what_cannot_be_rated_and_takes_the_rest(self, session: Session, noa: Product, event: RawEvent, reason: Reason) -> None:
        assert take(session, event, data(5, number=77)) == Taken(1, 0, ((0, reason),))

    def test_free_calls_end_with_their_option(self, session: Session, customer: Customer) -> None:
        trio = make_product(session, customer, "TRIO", line=FIXED)
        peak = make_product(session, customer, "TEL_PEAK", parent_id=trio.id, since=date(2026, 11, 1))
        peak.until = date(2026, 11, 11)
        session.flush()
        take(session, *(call(60, "+3222752727", DAY.replace(day=day), day, line=FIXED) for day in (10, 11, 12)))
        assert cents(session) == [(Tariff.INCLUDED, 0), (Tariff.PEAK, 5), (Tariff.PEAK, 5)]

    def test_rejects_use_of_a_closed_customer_whom_no_bill_reaches(self, session: Session, customer: Customer, noa: Product) -> None:
        customer.status = CustomerStatus.CLOSED
        session.flush()
        assert take(session, data(1)).rejected == ((0, Reason.CLOSED),)

    def test_is_no_work_of_people(self, session: Session, noa: Product) -> None:
        with pytest.raises(NotPermitted):
            usage_rating.take_in(session, AGENT, events=[data(1)])

    def test_leaves_one_entry_in_the_trail(self, session: Session, customer: Customer, noa: Product) -> None:
        take(session, data(1), data(2, number=2))
        take(session, data(1))
        session.flush()
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "usage:take_in")).all()
        assert [(entry.customer_id, (entry.after or {})["events"]) for entry in entries] == [(customer.id, 2)]

    def test_a_volume_bought_later_takes_nothing_back_and_is_there_to_be_used(
        self, session: Session, customer: Customer, noa: Product
    ) -> None:
        bought = clock.at(date(2026, 11, 12), 15)
        make_product(
            session, customer, "MOB_DATA_1G", parent_id=noa.id, since=date(2026, 11, 12), until=date(2026, 12, 1), provisioned_at=bought
        )
        take(session, data(3 * GB), data(GB, bought + timedelta(seconds=1)), data(1000, bought + timedelta(days=1)))
        assert cents(session) == [(Tariff.OVER, 5000), (Tariff.INCLUDED, 0), (Tariff.OVER, 5)]

    def test_counts_by_the_cycle_of_the_old_model_until_it_ends(self, session: Session) -> None:
        old = make_customer(session, bill_model=BillModel.LEGACY, cycle_day=20, migrate_on=date(2026, 11, 1))
        make_product(session, old, "RED", line=OLD)
        moments = [date(2026, 10, 19), date(2026, 10, 20), date(2026, 10, 31), date(2026, 11, 1)]
        take(session, *(data(1_500_000, clock.at(day, 12), line=OLD) for day in moments))
        assert [charge for _, charge in cents(session)] == [0, 0, 5000, 0]


class TestPremium:
    @pytest.mark.parametrize(
        ("event", "charged"),
        [
            (call(240, "090312345"), 600),
            (call(30, "+3290312345"), 150),
            (call(90, "0903 12 345"), 225),
            (call(3600, "090412345"), 2000),  # It ended after ten minutes (R15).
            (call(3600, "090912345"), 3100),
            (call(120, "070 22 24 66"), 60),
            (text("6040"), 200),
            (text("4123", pieces=20), 5000),  # No single charge above 50 EUR (W4).
        ],
    )
    def test_is_a_third_partys_by_the_class_of_its_number(self, session: Session, noa: Product, event: RawEvent, charged: int) -> None:
        take(session, event)
        found = session.exec(select(UsageEvent)).one()
        assert (found.kind, found.zone, found.tariff, found.charged_cents) == (
            UsageKind.PREMIUM, Zone.PREMIUM, Tariff.THIRD_PARTY, charged,
        )  # fmt: skip

    def test_never_comes_to_more_than_a_month_may(self, session: Session, noa: Product) -> None:
        take(session, *(call(60, "090912345", DAY + timedelta(hours=hour)) for hour in range(11)))
        assert [charge for _, charge in cents(session)] == [3100] * 9 + [2100, 0]

    @pytest.mark.parametrize("number", ["112", "0800 12 345", "116000"])
    def test_a_free_number_is_kept_and_not_summed(self, session: Session, noa: Product, number: str) -> None:
        take(session, call(99_999, number))
        assert (cents(session), days(session)) == ([(Tariff.FREE, 0)], [])

    def test_a_078_is_a_call_like_any_other(self, session: Session, noa: Product) -> None:
        take(session, call(9600, "078 15 15 15"), call(60, "078 15 15 15", DAY + timedelta(days=1)))
        assert cents(session) == [(Tariff.INCLUDED, 0), (Tariff.OVER, 16)]

    def test_is_charged_in_spite_of_a_cap_of_nothing(self, session: Session, customer: Customer, noa: Product) -> None:
        """A cap bars a line in the network; what got through happened, and is given back by a credit note, not by silence."""
        session.add(UsageCap(customer_id=customer.id, product_id=noa.id, cap_cents=0, set_at=DAY))
        take(session, text("6040"))
        assert cents(session) == [(Tariff.THIRD_PARTY, 200)]


class TestZone:
    def test_the_eu_is_home_and_the_world_is_outside_every_bundle(self, session: Session, noa: Product) -> None:
        take(
            session,
            data(GB, zone=Zone.EU, country="FR"),
            data(1001, DAY + timedelta(hours=1), zone=Zone.WORLD, country="US"),
            data(GB, DAY + timedelta(hours=2)),
            call(90, "+12125550100", DAY + timedelta(hours=3), zone=Zone.WORLD, country="US"),
        )
        assert cents(session) == [(Tariff.INCLUDED, 0), (Tariff.WORLD, 600), (Tariff.INCLUDED, 0), (Tariff.WORLD, 300)]

    def test_what_comes_in_uses_no_bundle(self, session: Session, noa: Product) -> None:
        take(session, call(9600, "+32470000099", direction=Direction.IN), call(9600, "+32470000099", DAY + timedelta(hours=9)))
        assert cents(session) == [(Tariff.FREE, 0), (Tariff.INCLUDED, 0)]


class TestPeak:
    def test_follows_the_hours_of_brussels(self, session: Session, customer: Customer) -> None:
        make_product(session, customer, "TRIO", line=FIXED)
        friday, saturday = date(2026, 11, 13), date(2026, 11, 14)
        moments = [clock.at(friday, 7, 59), clock.at(friday, 8), clock.at(friday, 15, 59), clock.at(friday, 16), clock.at(saturday, 12)]
        take(session, *(call(90, "+3222752727", at, line=FIXED) for at in moments))
        assert [charge for _, charge in cents(session)] == [0, 8, 8, 0, 0]


LINES = (NOA, FIXED, OLD)
_seconds = st.sampled_from([0, 1, 59, 60, 61, 600, 4000, 9000])


@st.composite
def raw_events(draw: st.DrawFn, since: date = date(2026, 9, 25), days: int = 54, size: int = 14) -> list[RawEvent]:
    """Events of three lines, close to the limits of bundles, ceilings, periods and the change to winter time."""
    found = []
    for _ in range(draw(st.integers(1, size))):
        at = clock.at(since) + timedelta(minutes=draw(st.integers(0, days * 96)) * 15)
        kind, line = draw(st.sampled_from([UsageKind.DATA, UsageKind.VOICE, UsageKind.SMS])), draw(st.sampled_from(LINES))
        zone = draw(st.sampled_from([Zone.NATIONAL, Zone.NATIONAL, Zone.EU, Zone.WORLD]))
        if line == FIXED:
            kind = UsageKind.VOICE if kind is UsageKind.SMS else kind
        quantity = draw(st.sampled_from([1, 999, 1000, 700_000, 1_500_500])) if kind is UsageKind.DATA else draw(_seconds)
        party = draw(st.sampled_from(["+32470000099", "+3290912345", "+3290312345", "+3278151515", "112"]))
        if kind is UsageKind.SMS:
            quantity, party = draw(st.sampled_from([1, 20])), draw(st.sampled_from(["4123", "+32470000099"]))
        other = None if kind is UsageKind.DATA else party
        found.append(
            RawEvent(
                at, draw(st.integers(1, 3)), kind, quantity, line, direction=draw(st.sampled_from(Direction)), zone=zone, other_party=other
            )
        )
    return list({(one.line, one.at, one.id): one for one in found}.values())


@pytest.fixture
def three(session: Session) -> list[Customer]:
    """A family with a minor's line and a fixed one, and a customer who leaves the old model on 1 November."""
    family = make_customer(session)
    noa = make_product(session, family, "RED", line=NOA)
    make_product(session, family, "TRIO", line=FIXED)
    for day in (date(2026, 10, 10), date(2026, 11, 10)):
        make_product(
            session, family, "MOB_DATA_1G", parent_id=noa.id, since=day, until=month_of(day).until, provisioned_at=clock.at(day, 15)
        )
    old = make_customer(session, bill_model=BillModel.LEGACY, cycle_day=20, migrate_on=date(2026, 11, 1))
    make_product(session, old, "RED", line=OLD)
    return [family, old]


def take_in_parts(session: Session, events: Sequence[RawEvent], data: st.DataObject) -> None:
    """Take events in in any order, cut anywhere, some of them again."""
    mixed = data.draw(st.permutations(events))
    again = data.draw(st.integers(0, len(mixed)))
    mixed = [*mixed[:again], *mixed]
    while mixed:
        cut = data.draw(st.integers(1, len(mixed)))
        take(session, *mixed[:cut])
        mixed = mixed[cut:]


class TestAnyOrder:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(events=raw_events(), data=st.data())
    def test_gives_the_same_rows_sums_and_bill(
        self, session: Session, three: list[Customer], events: list[RawEvent], data: st.DataObject
    ) -> None:
        def outcome() -> list[Any]:
            return [rows(session), days(session), *(draft(session, one, date(2026, 12, 5)) for one in three)]

        with undone(session):
            taken = take(session, *sorted(events))
            assert taken.accepted + taken.known + len(taken.rejected) == len(events)
            expected = outcome()
        with undone(session):
            take_in_parts(session, events, data)
            assert outcome() == expected

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(events=raw_events(), data=st.data())
    def test_charges_data_as_a_period_read_at_once(
        self, session: Session, customer: Customer, noa: Product, events: list[RawEvent], data: st.DataObject
    ) -> None:
        """The rule told a second time, without sums, batches or databases: sort, cut into months, add up."""
        some = [one for one in events if one.line == NOA and one.kind is UsageKind.DATA]
        with undone(session):
            take_in_parts(session, some, data)
            by_month: dict[date, list[RawEvent]] = {}
            for one in sorted(some):
                by_month.setdefault(clock.local(one.at).date().replace(day=1), []).append(one)
            expected = 0
            for month, of_it in by_month.items():
                bundle = rating.bundle(Running("RED", date(2024, 1, 1)), [], month_of(month))
                uses = [Use(one.kind, one.quantity, direction=one.direction, zone=one.zone) for one in of_it]
                expected += sum(charge.charged_cents for charge in rating.over(uses, bundle))
            assert sum(charge for _, charge in cents(session)) == expected
            assert sum(row[-1] for row in days(session)) == expected


class TestLate:
    def test_is_charged_by_the_next_bill_with_the_days_it_is_of(self, session: Session, customer: Customer, noa: Product) -> None:
        october = datetime(2026, 10, 20, 12, tzinfo=UTC)
        take(session, data(2_500_000, october))
        first = issue(session, customer, date(2026, 11, 5))
        take(session, data(400_000, october - timedelta(days=5)))
        late = next(line for line in draft(session, customer, date(2026, 12, 5)).lines if line.kind is LineKind.USAGE)
        assert (late.code, late.quantity, late.amount_cents, late.since, late.until) == (
            "RATE_OOB_DATA", 400, 2000, date(2026, 10, 15), date(2026, 10, 16),
        )  # fmt: skip
        second = issue(session, customer, date(2026, 12, 5))
        query = select(UsageEvent.bill_id, UsageEvent.charged_cents).order_by(col(UsageEvent.at))
        assert session.exec(query).all() == [(second.id, 2000), (first.id, 2500)]
        assert not [line for line in draft(session, customer, date(2027, 1, 5)).lines if line.kind is LineKind.USAGE]

    def test_does_not_change_what_a_bill_charged(self, session: Session, customer: Customer, noa: Product) -> None:
        take(session, data(2_500_000, datetime(2026, 10, 20, 12, tzinfo=UTC)))
        issue(session, customer, date(2026, 11, 5))
        take(session, data(2_000_000, datetime(2026, 10, 1, 12, tzinfo=UTC)))
        usage_rating.rerate(session, SYSTEM, since=date(2026, 9, 1))
        assert cents(session) == [(Tariff.OVER, 10_000), (Tariff.OVER, 2500)]

    def test_is_explained_as_a_cause_of_its_own(self, session: Session, customer: Customer, noa: Product) -> None:
        take(session, data(2_500_000, datetime(2026, 10, 20, 12, tzinfo=UTC)))
        before = Paper.of_draft(draft(session, customer, date(2026, 11, 5)))
        issue(session, customer, date(2026, 11, 5))
        take(session, data(400_000, datetime(2026, 10, 21, 12, tzinfo=UTC)), data(2_100_000, DAY))
        after = Paper.of_draft(draft(session, customer, date(2026, 12, 5)))
        told = explain.explain(after, before, plans={noa.id: "RED"}, language="en")
        assert told.before_cents + sum(step.cents for step in told.steps) == told.total_cents
        assert [step.cents for step in told.steps if "late" in step.label.msgid] == [2000]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(events=raw_events(), data=st.data())
    def test_each_event_is_charged_once_whenever_bills_are_made(
        self, session: Session, three: list[Customer], events: list[RawEvent], data: st.DataObject
    ) -> None:
        bills = [(date(2026, 10, 5), 0), (date(2026, 10, 20), 1), (date(2026, 11, 5), 0), (date(2026, 11, 5), 1)]
        with undone(session):
            left = data.draw(st.permutations(events))
            for day, whose in bills:
                cut = data.draw(st.integers(0, len(left)))
                take(session, *left[:cut])
                left = left[cut:]
                issue(session, three[whose], day)
            take(session, *left)
            take(session, *events)
            charged = session.exec(select(UsageEvent.charged_cents, UsageEvent.bill_id)).all()
            assert sum(row[-1] for row in days(session)) == sum(each for each, _bill in charged)
            for one in three:
                issue(session, one, date(2026, 12, 5))
            kinds = (LineKind.USAGE, LineKind.THIRD_PARTY)
            billed = sum(session.exec(select(BillLine.amount_cents).where(col(BillLine.kind).in_(kinds))))
            assert billed == sum(each for each, _bill in charged)
            assert not session.exec(select(UsageEvent.id).where(col(UsageEvent.bill_id).is_(None))).all()


class TestRerate:
    def test_charges_open_use_by_the_price_as_it_stands(self, session: Session, customer: Customer, noa: Product, files: Path) -> None:
        take(session, data(3 * GB, datetime(2026, 10, 20, 12, tzinfo=UTC)))
        issue(session, customer, date(2026, 11, 5))
        take(session, data(3 * GB))
        _replace(files / "catalogue.yaml", "RATE_OOB_DATA: {cents: 5", "RATE_OOB_DATA: {cents: 4")
        found = usage_rating.rerate(session, SYSTEM, since=date(2026, 9, 1))
        assert (found.events, found.before_cents, found.after_cents) == (1, 5000, 4000)
        assert [charge for _, charge in cents(session)] == [5000, 4000]
        session.flush()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "usage:rerate")).one()
        assert (entry.customer_id, entry.before, entry.after) == (
            customer.id, {"charged_cents": 5000}, {"charged_cents": 4000, "events": 1},
        )  # fmt: skip

    def test_leaves_other_customers_and_lines_alone(self, session: Session, customer: Customer, noa: Product, files: Path) -> None:
        other = make_product(session, make_customer(session), "RED", line=OLD)
        take(session, data(3 * GB), data(3 * GB, line=OLD))
        _replace(files / "catalogue.yaml", "RATE_OOB_DATA: {cents: 5", "RATE_OOB_DATA: {cents: 4")
        assert usage_rating.rerate(session, SYSTEM, since=date(2026, 11, 1), customer_id=customer.id).events == 1
        assert usage_rating.rerate(session, SYSTEM, since=date(2026, 11, 1), product_no=noa.product_no).events == 0
        assert usage_rating.rerate(session, SYSTEM, since=date(2026, 11, 1), product_no=other.product_no).events == 1

    @settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(events=raw_events(), data=st.data())
    def test_is_the_same_as_rating_afresh(
        self, session: Session, three: list[Customer], files: Path, events: list[RawEvent], data: st.DataObject
    ) -> None:
        kept = (files / "catalogue.yaml").read_text("utf-8")
        with undone(session):
            take_in_parts(session, events, data)
            try:
                _replace(files / "catalogue.yaml", "RATE_OOB_DATA: {cents: 5", "RATE_OOB_DATA: {cents: 4")
                _replace(files / "catalogue.yaml", "{cents: 3100, unit: call", "{cents: 2900, unit: call")
                usage_rating.rerate(session, SYSTEM, since=date(2026, 9, 1))
                assert usage_rating.rerate(session, SYSTEM, since=date(2026, 9, 1)).events == 0
                again = rows(session), days(session)
                session.execute(UsageEvent.__table__.delete())  # type: ignore[attr-defined]
                session.execute(UsageDay.__table__.delete())  # type: ignore[attr-defined]
                take(session, *events)
                assert (rows(session), days(session)) == again
            finally:
                (files / "catalogue.yaml").write_text(kept, "utf-8")
