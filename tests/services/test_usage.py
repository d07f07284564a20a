"""What was used: recorded once, summed by Brussels day, and told only as far as it may be."""

import csv
import io
import json
import unicodedata
import zipfile
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook
from sqlalchemy import func
from sqlmodel import Session, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillState
from core.models.customer import Customer
from core.models.product import Product
from core.models.usage import Direction, Tariff, UsageDay, UsageEvent, UsageKind, Zone
from core.services import usage, usage_detail, usage_export, usage_numbers
from core.services.usage import NewEvent, Sum
from core.services.usage_detail import By, EndsBeforeItStarts, Filters, Key
from core.services.usage_export import Format
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
ALL = Filters()
INJECTIONS = (Path(__file__).parent.parent / "corpus" / "csv_injection.txt").read_text("utf-8").splitlines()
UNTOLD = ["100", "101", "103", "107", "110", "112", "116000", "116123", "+32116111", "+3280012345", "080012345"]


@pytest.fixture
def customer(session: Session) -> Customer:
    return make_customer(session)


@pytest.fixture
def product(session: Session, customer: Customer) -> Product:
    return make_product(session, customer, line="+32470000011", user_name="Noa")


def event(
    product: Product, number: int = 1, *, at: datetime = NOON, kind: UsageKind = UsageKind.VOICE, quantity: int = 60, **given: Any
) -> NewEvent:
    return NewEvent(product.customer_id, product.id, at, number, kind, quantity, **given)


def record(session: Session, *events: NewEvent) -> int:
    return usage.record(session, SYSTEM, events=events)


def listed(session: Session, customer: Customer, filters: Filters = ALL, limit: int = 1000) -> list[int]:
    """Return the ids of the events that a filter lets through, newest first."""
    return [row.key.id for row in usage_detail.page(session, AGENT, customer_id=customer.id, filters=filters, limit=limit).rows]


def exported(session: Session, customer: Customer, filters: Filters = ALL, file_format: Format = Format.CSV, language: str = "en") -> bytes:
    file = io.BytesIO()
    usage_export.export(session, AGENT, customer_id=customer.id, filters=filters, file_format=file_format, language=language, file=file)
    return file.getvalue()


def csv_rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def make_bill(session: Session, customer: Customer, bill_no: str) -> Bill:
    bill = Bill(
        customer_id=customer.id, bill_no=bill_no, bill_date=date(2026, 11, int(bill_no[-1])), due_date=date(2026, 11, 20), period_since=date(2026, 11, 1),
        period_until=date(2026, 12, 1), state=BillState.SENT, excl_cents=100, vat_cents=21, incl_cents=121, remaining_cents=121,
        ogm=bill_no, document_token=bill_no, printed={}, issued_at=NOON,
    )  # fmt: skip
    session.add(bill)
    session.flush()
    return bill


class TestRecord:
    def test_keeps_every_figure_of_an_event(self, session: Session, product: Product) -> None:
        told = event(
            product, 9, kind=UsageKind.DATA, quantity=5000, direction=Direction.IN, zone=Zone.EU, country="FR", tariff=Tariff.OVER,
            other_party="+33612345678", over_quantity=1240, charged_cents=62,
        )  # fmt: skip
        assert record(session, told) == 1
        kept = session.exec(select(UsageEvent)).one()
        assert tuple(getattr(kept, name) for name in NewEvent._fields) == told

    def test_changes_nothing_when_it_comes_again(self, session: Session, product: Product) -> None:
        record(session, event(product))
        assert record(session, event(product, quantity=999), event(product)) == 0
        assert session.exec(select(UsageEvent.quantity)).all() == [60]
        assert session.exec(select(UsageDay.quantity, UsageDay.events)).all() == [(60, 1)]

    def test_takes_one_of_two_alike_in_a_batch(self, session: Session, product: Product) -> None:
        assert record(session, event(product), event(product, quantity=999)) == 1
        assert session.exec(select(UsageDay.quantity)).all() == [60]

    def test_knows_one_moment_in_any_time_zone(self, session: Session, product: Product) -> None:
        record(session, event(product))
        assert record(session, event(product, at=NOON.astimezone(clock.BRUSSELS))) == 0

    def test_tells_apart_same_ids_at_other_moments_and_on_other_products(
        self, session: Session, customer: Customer, product: Product
    ) -> None:
        other = make_product(session, customer)
        assert record(session, event(product), event(product, at=NOON + timedelta(microseconds=1)), event(other)) == 3

    def test_refuses_a_product_of_another_customer(self, session: Session, product: Product) -> None:
        stranger = make_customer(session)
        with pytest.raises(NotFound):
            record(session, event(product)._replace(customer_id=stranger.id))
        assert session.exec(select(func.count()).select_from(UsageEvent)).one() == 0

    @pytest.mark.parametrize("actor", [AGENT, VIEWER])
    def test_is_no_work_of_people(self, session: Session, product: Product, actor: Any) -> None:
        with pytest.raises(NotPermitted):
            usage.record(session, actor, events=[event(product)])

    def test_leaves_one_entry_in_the_trail(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product), event(product, 2))
        session.flush()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "usage:record")).one()
        assert entry.customer_id == customer.id
        assert entry.after is not None
        assert entry.after["events"] == 2

    @pytest.mark.parametrize("number", UNTOLD)
    def test_keeps_free_and_emergency_calls_out_of_the_sums(self, session: Session, product: Product, number: str) -> None:
        assert record(session, event(product, other_party=number)) == 1
        assert session.exec(select(UsageDay)).all() == []

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_sums_equal_the_events_in_any_order_and_however_often(self, session: Session, product: Product, data: st.DataObject) -> None:
        moments = st.integers(0, 40 * 24 * 60).map(lambda minutes: datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=minutes))
        drawn = data.draw(
            st.lists(
                st.builds(
                    lambda at, number, kind, tariff, quantity, cents: event(
                        product, number, at=at, kind=kind, quantity=quantity, tariff=tariff, over_quantity=quantity // 2, charged_cents=cents
                    ),
                    moments, st.integers(1, 3), st.sampled_from(UsageKind), st.sampled_from(Tariff), st.integers(0, 10**10), st.integers(0, 500),
                ),
                max_size=25, unique_by=lambda one: (one.at, one.id),
            )
        )  # fmt: skip
        again = data.draw(st.permutations(drawn + drawn))
        cut = data.draw(st.integers(0, len(again)))
        with session.begin_nested() as savepoint:
            record(session, *again[:cut])
            record(session, *again[cut:])
            expected: dict[tuple[date, UsageKind, Tariff], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
            for one in drawn:
                figures = expected[clock.local(one.at).date(), one.kind, one.tariff]
                for place, figure in enumerate((1, one.quantity, one.over_quantity, one.charged_cents)):
                    figures[place] += figure
            found = session.exec(select(UsageDay).execution_options(populate_existing=True)).all()
            assert {
                (day.day, day.kind, day.tariff): [day.events, day.quantity, day.over_quantity, day.charged_cents] for day in found
            } == expected
            session.expunge_all()
            savepoint.rollback()


class TestPeriodSums:
    def test_sums_by_product_kind_and_tariff_within_the_days(self, session: Session, customer: Customer, product: Product) -> None:
        other = make_product(session, customer)
        record(
            session,
            event(product, 1, at=clock.at(date(2026, 11, 1))),
            event(product, 2, at=clock.at(date(2026, 11, 30), 23, 59)),
            event(product, 3, at=clock.at(date(2026, 12, 1))),
            event(product, 4, at=clock.at(date(2026, 11, 1)) - timedelta(seconds=1)),
            event(product, 5, kind=UsageKind.DATA, quantity=900, tariff=Tariff.OVER, over_quantity=100, charged_cents=5),
            event(other, 1, quantity=7),
        )
        assert usage.period_sums(session, customer_id=customer.id, since=date(2026, 11, 1), until=date(2026, 12, 1)) == {
            (product.id, UsageKind.VOICE, Tariff.INCLUDED): Sum(2, 120, 0, 0),
            (product.id, UsageKind.DATA, Tariff.OVER): Sum(1, 900, 100, 5),
            (other.id, UsageKind.VOICE, Tariff.INCLUDED): Sum(1, 7, 0, 0),
        }

    def test_leaves_out_other_customers(self, session: Session, product: Product) -> None:
        stranger = make_customer(session)
        record(session, event(product))
        assert usage.period_sums(session, customer_id=stranger.id, since=date(2026, 1, 1), until=date(2027, 1, 1)) == {}


class TestPage:
    def test_refuses_a_customer_who_asks_for_another_file(self, session: Session, product: Product) -> None:
        stranger = make_customer(session)
        record(session, event(product))
        verbs: list[Any] = [usage_detail.page, usage_detail.totals]
        for verb in verbs:
            with pytest.raises(NotFound):
                verb(session, self_of(stranger), customer_id=product.customer_id, filters=ALL)
        with pytest.raises(NotFound):
            usage_detail.series(session, self_of(stranger), customer_id=product.customer_id, filters=ALL, by=By.DAY)
        with pytest.raises(NotFound):
            usage_detail.lines(session, self_of(stranger), customer_id=product.customer_id)

    def test_refuses_a_line_of_another_customer(self, session: Session, customer: Customer) -> None:
        foreign = make_product(session, make_customer(session))
        with pytest.raises(NotFound):
            listed(session, customer, Filters(line=foreign.product_no))

    def test_refuses_a_bill_of_another_customer(self, session: Session, customer: Customer) -> None:
        make_bill(session, make_customer(session), "2611000999")
        with pytest.raises(NotFound):
            listed(session, customer, Filters(bill_no="2611000999"))

    def test_never_shows_another_customers_events(self, session: Session, customer: Customer, product: Product) -> None:
        foreign = make_product(session, make_customer(session))
        record(session, event(product, 1), event(foreign, 2))
        assert listed(session, customer) == [1]

    @pytest.mark.parametrize("number", UNTOLD)
    def test_never_tells_free_and_emergency_calls(self, session: Session, customer: Customer, product: Product, number: str) -> None:
        record(session, event(product, 1, other_party=number), event(product, 2, other_party="+32470123456"))
        assert listed(session, customer) == [2]
        assert len(csv_rows(exported(session, customer))) == 2
        assert [total.sum.events for total in usage_detail.totals(session, AGENT, customer_id=customer.id, filters=ALL)] == [1]
        hours = usage_detail.series(session, AGENT, customer_id=customer.id, filters=ALL, by=By.HOUR)
        assert sum(point.sum.events for point in hours) == 1

    def test_hides_the_last_three_digits_from_agent_and_customer(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product, other_party="+32470123456"))
        for actor in (AGENT, self_of(customer)):
            rows = usage_detail.page(session, actor, customer_id=customer.id, filters=ALL).rows
            assert [row.other_party for row in rows] == ["+32 470 12 3• ••"]

    def test_tells_events_of_twelve_months_only(self, session: Session, customer: Customer, product: Product) -> None:
        first = date(2025, 11, 18)
        assert usage_detail.detail_since() == first
        record(session, event(product, 1, at=clock.at(first)), event(product, 2, at=clock.at(first) - timedelta(seconds=1)))
        assert listed(session, customer) == [1]
        assert listed(session, customer, Filters(since=date(2020, 1, 1), charged=False)) == [1]
        months = usage_detail.series(session, AGENT, customer_id=customer.id, filters=ALL, by=By.MONTH)
        assert [(point.bucket, point.sum.events) for point in months] == [(date(2025, 11, 1), 2)]

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_chains_without_gap_or_repeat(self, session: Session, customer: Customer, product: Product, data: st.DataObject) -> None:
        moments, numbers = st.integers(0, 4), st.integers(1, 6)
        with session.begin_nested() as savepoint:
            held = (product, make_product(session, customer), make_product(session, customer))
            drawn = data.draw(st.sets(st.tuples(moments, numbers, st.integers(0, 2)), max_size=40))
            limit = data.draw(st.integers(1, 9))
            record(session, *(event(held[which], number, at=NOON + timedelta(seconds=second)) for second, number, which in drawn))
            seen: list[Key] = []
            after: Key | None = None
            for _ in range(50):
                found = usage_detail.page(session, AGENT, customer_id=customer.id, filters=ALL, after=after, limit=limit)
                seen += [row.key for row in found.rows]
                after = found.next_key
                if after is None:
                    break
            wanted = [Key(NOON + timedelta(seconds=second), number, held[which].id) for second, number, which in drawn]
            assert seen == sorted(wanted, reverse=True)
            session.expunge_all()
            savepoint.rollback()


class TestFilters:
    @pytest.fixture
    def used(self, session: Session, customer: Customer, product: Product) -> None:
        other = make_product(session, customer, product_no="9900000001")
        bill = make_bill(session, customer, "2611000777")
        record(
            session,
            event(product, 1, at=clock.at(date(2026, 11, 1)), other_party="+32470123456"),
            event(product, 2, at=clock.at(date(2026, 11, 5)), kind=UsageKind.SMS, quantity=1, direction=Direction.IN, other_party="+32491555666"),
            event(product, 3, at=clock.at(date(2026, 11, 10)), kind=UsageKind.DATA, zone=Zone.EU, country="FR"),
            event(
                product, 4, at=clock.at(date(2026, 11, 15)), kind=UsageKind.PREMIUM, quantity=1, zone=Zone.PREMIUM, tariff=Tariff.THIRD_PARTY,
                other_party="6040", charged_cents=200,
            ),
            event(other, 5, at=clock.at(date(2026, 11, 16)), bill_id=bill.id, other_party="+33612345678"),
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("filters", "ids"),
        [
            (ALL, [5, 4, 3, 2, 1]),
            (Filters(line="9900000001"), [5]),
            (Filters(kind=UsageKind.DATA), [3]),
            (Filters(since=date(2026, 11, 5)), [5, 4, 3, 2]),
            (Filters(until=date(2026, 11, 5)), [1]),
            (Filters(since=date(2026, 11, 5), until=date(2026, 11, 11)), [3, 2]),
            (Filters(bill_no="2611000777"), [5]),
            (Filters(direction=Direction.IN), [2]),
            (Filters(zone=Zone.EU), [3]),
            (Filters(charged=True), [4]),
            (Filters(number="0470"), [1]),
            (Filters(number="+32 470/12.3"), [1]),
            (Filters(number="0032470123"), [1]),
            (Filters(number="470 123"), [1]),
            (Filters(number="0470123456"), [1]),
            (Filters(number="0470123999"), [1]),
            (Filters(number="0470124456"), []),
            (Filters(number="555666"), []),
            (Filters(number="6"), [5, 4]),
            (Filters(number="%"), []),
            (Filters(kind=UsageKind.VOICE, number="33"), [5]),
        ],
    )
    @pytest.mark.usefixtures("used")
    def test_let_through_what_they_say_in_list_sums_series_and_file(
        self, session: Session, customer: Customer, filters: Filters, ids: list[int]
    ) -> None:
        assert listed(session, customer, filters) == ids
        totals = usage_detail.totals(session, AGENT, customer_id=customer.id, filters=filters)
        assert sum(total.sum.events for total in totals) == len(ids)
        for by in By:
            points = usage_detail.series(session, AGENT, customer_id=customer.id, filters=filters, by=by)
            assert sum(point.sum.events for point in points) == len(ids)
        assert len(csv_rows(exported(session, customer, filters))) == len(ids) + 1

    def test_refuse_an_end_before_the_start(self, session: Session, customer: Customer) -> None:
        with pytest.raises(EndsBeforeItStarts):
            listed(session, customer, Filters(since=date(2026, 11, 2), until=date(2026, 11, 2)))

    @pytest.mark.parametrize("typed", ["123", "1234567890", "0470123456"])
    def test_never_let_hidden_digits_be_guessed(self, session: Session, customer: Customer, product: Product, typed: str) -> None:
        record(session, event(product, 1, other_party="+32470123456"))
        same = {tuple(listed(session, customer, Filters(number=typed + f"{last:03d}"[-3:]))) for last in range(0, 1000, 37)}
        assert len(same) == 1


class TestSeries:
    def points(self, session: Session, customer: Customer, by: By, filters: Filters = ALL) -> list[tuple[Any, int]]:
        return [
            (point.bucket, point.sum.events)
            for point in usage_detail.series(session, AGENT, customer_id=customer.id, filters=filters, by=by)
        ]

    @pytest.mark.parametrize("filters", [ALL, Filters(direction=Direction.OUT)], ids=["from days", "from events"])
    def test_puts_all_25_hours_of_the_autumn_day_together(
        self, session: Session, customer: Customer, product: Product, filters: Filters
    ) -> None:
        first = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
        record(session, *(event(product, hour, at=first + timedelta(hours=hour)) for hour in range(-1, 26)))
        days = [(date(2026, 10, 24), 1), (date(2026, 10, 25), 25), (date(2026, 10, 26), 1)]
        assert self.points(session, customer, By.DAY, filters) == days
        that_day = Filters(since=date(2026, 10, 25), until=date(2026, 10, 26), direction=filters.direction)
        assert self.points(session, customer, By.HOUR, that_day) == [(hour, 2 if hour == 2 else 1) for hour in range(24)]

    def test_puts_the_23_hours_of_the_spring_day_together(self, session: Session, customer: Customer, product: Product) -> None:
        first = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
        record(session, *(event(product, hour, at=first + timedelta(hours=hour)) for hour in range(23)))
        assert self.points(session, customer, By.DAY) == [(date(2026, 3, 29), 23)]
        assert self.points(session, customer, By.HOUR) == [(hour, 1) for hour in range(24) if hour != 2]

    def test_starts_months_on_their_first_day(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product, 1, at=clock.at(date(2026, 10, 31), 23, 59)), event(product, 2, at=clock.at(date(2026, 11, 1))))
        assert self.points(session, customer, By.MONTH) == [(date(2026, 10, 1), 1), (date(2026, 11, 1), 1)]


class TestLines:
    def test_names_only_what_was_used(self, session: Session, customer: Customer, product: Product) -> None:
        make_product(session, customer)
        record(session, event(product))
        found = usage_detail.lines(session, AGENT, customer_id=customer.id)
        assert [(line.product_no, line.user_name, line.number) for line in found] == [(product.product_no, "Noa", "0470 00 00 11")]


class TestLastPeriods:
    def test_are_months(self, session: Session, customer: Customer) -> None:
        running, before = usage_detail.last_periods(session, AGENT, customer_id=customer.id)
        assert (running.since, running.until) == (date(2026, 11, 1), date(2026, 12, 1))
        assert (before.since, before.until) == (date(2026, 10, 1), date(2026, 11, 1))

    def test_are_cycles_of_the_old_model(self, session: Session) -> None:
        old = make_customer(session, bill_model="legacy", cycle_day=20)
        running, before = usage_detail.last_periods(session, AGENT, customer_id=old.id)
        assert (running.since, running.until) == (date(2026, 10, 20), date(2026, 11, 20))
        assert (before.since, before.until) == (date(2026, 9, 20), date(2026, 10, 20))


class TestBill:
    def test_ties_what_no_bill_charged_yet(self, session: Session, customer: Customer, product: Product) -> None:
        early, late = make_bill(session, customer, "2611000001"), make_bill(session, customer, "2611000002")
        foreign = make_product(session, make_customer(session))
        record(
            session,
            event(product, 1, at=clock.at(date(2026, 11, 1)), bill_id=early.id),
            event(product, 2, at=clock.at(date(2026, 11, 1))),
            event(product, 3, at=clock.at(date(2026, 12, 1))),
            event(foreign, 4, at=clock.at(date(2026, 11, 1))),
        )
        given: dict[str, Any] = {"customer_id": customer.id, "bill_id": late.id, "until": date(2026, 12, 1)}
        assert usage.bill(session, SYSTEM, **given) == 1
        assert listed(session, customer, Filters(bill_no="2611000002")) == [2]
        assert listed(session, customer, Filters(bill_no="2611000001")) == [1]

    def test_needs_the_right_to_issue(self, session: Session, customer: Customer) -> None:
        with pytest.raises(NotPermitted):
            usage.bill(session, AGENT, customer_id=customer.id, bill_id=1, until=date(2026, 12, 1))


class TestBills:
    def test_are_those_that_charged_something_and_the_one_asked_for(self, session: Session, customer: Customer, product: Product) -> None:
        make_bill(session, customer, "2611000001")
        charged = make_bill(session, customer, "2611000002")
        record(session, event(product, bill_id=charged.id))
        day = date(2026, 11, 2)
        assert usage_detail.bills(session, AGENT, customer_id=customer.id) == (("2611000002", day),)
        both = (("2611000002", day), ("2611000001", date(2026, 11, 1)))
        assert usage_detail.bills(session, AGENT, customer_id=customer.id, asked="2611000001") == both

    def test_are_never_another_customers(self, session: Session, customer: Customer) -> None:
        make_bill(session, make_customer(session), "2611000009")
        assert usage_detail.bills(session, AGENT, customer_id=customer.id, asked="2611000009") == ()


class TestExport:
    def test_holds_the_filtered_rows_and_no_others(self, session: Session, customer: Customer, product: Product) -> None:
        record(
            session,
            event(product, 1, kind=UsageKind.DATA, quantity=84_512, over_quantity=512, tariff=Tariff.OVER, charged_cents=420, zone=Zone.EU, country="FR"),
            event(product, 2, at=NOON + timedelta(seconds=5), other_party="+32470123456", quantity=372),
            event(product, 3, kind=UsageKind.SMS, quantity=1),
        )  # fmt: skip
        found = csv_rows(exported(session, customer, Filters(kind=UsageKind.DATA)))
        assert found[1:] == [
            [
                "2026-11-10 12:00:00",
                "Data",
                "Outgoing",
                "Noa · 0470 00 00 11",
                "",
                "84,512",
                "0,512",
                "MB",
                "European Union (France)",
                "out of bundle",
                "4,2",
                "",
            ]
        ]
        found = csv_rows(exported(session, customer, Filters(kind=UsageKind.VOICE)))
        assert found[1:] == [
            [
                "2026-11-10 12:00:05",
                "Call",
                "Outgoing",
                "Noa · 0470 00 00 11",
                "0032 470 12 3• ••",
                "372",
                "0",
                "s",
                "Belgium",
                "in the bundle",
                "0",
                "",
            ]
        ]

    def test_has_numbers_as_numbers_and_moments_as_moments_in_xlsx(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product, kind=UsageKind.DATA, quantity=84_512, charged_cents=420, other_party="+32470123456"))
        row = load_workbook(io.BytesIO(exported(session, customer, file_format=Format.XLSX))).get_sheet_by_index(0).to_python()[1]
        assert (row[0], row[4], row[5], row[10]) == (datetime(2026, 11, 10, 12, 0), "0032 470 12 3• ••", 84.512, 4.2)  # noqa: DTZ001 - a cell has no zone

    def test_speaks_the_readers_language(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product))
        heads = {language: csv_rows(exported(session, customer, language=language))[0] for language in ("fr", "nl", "de", "en")}
        assert [heads[language][0] for language in ("fr", "nl", "de", "en")] == ["Quand", "Wanneer", "Wann", "When"]

    @pytest.mark.parametrize("line", INJECTIONS)
    @pytest.mark.parametrize("file_format", Format)
    def test_has_no_cell_that_a_spreadsheet_runs(self, session: Session, customer: Customer, line: str, file_format: Format) -> None:
        hostile = json.loads(line).replace("\x00", "")  # PostgreSQL stores no NUL; `inert` is asked below.
        record(session, event(make_product(session, customer, user_name=hostile), other_party=hostile[:20] or None))
        content = exported(session, customer, file_format=file_format)
        if file_format is Format.CSV:
            cells = [cell for row in csv_rows(content) for cell in row]
            assert not [cell for cell in cells if cell.startswith(usage_export._FORMULA)]
        else:
            found = [cell for row in load_workbook(io.BytesIO(content)).get_sheet_by_index(0).to_python() for cell in row]
            assert not [cell for cell in found if isinstance(cell, str) and cell.startswith(usage_export._FORMULA)]
            assert b"<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")

    @pytest.mark.parametrize("line", INJECTIONS)
    def test_makes_every_known_trick_inert(self, line: str) -> None:
        made = usage_export.inert(json.loads(line))
        assert not [char for char in made if unicodedata.category(char).startswith("C")]
        assert not made.startswith(usage_export._FORMULA)

    def test_is_refused_without_the_right(self, session: Session, customer: Customer) -> None:
        with pytest.raises(NotPermitted):
            usage_export.export(
                session, VIEWER, customer_id=customer.id, filters=ALL, file_format=Format.CSV, language="fr", file=io.BytesIO()
            )

    def test_leaves_its_filters_and_count_in_the_trail(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, event(product), event(product, 2))
        exported(session, customer, Filters(kind=UsageKind.VOICE, since=date(2026, 11, 1)))
        session.flush()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "usage:export")).one()
        assert (entry.actor, entry.customer_id) == ("agent", customer.id)
        assert entry.after == {"kind": "voice", "since": "2026-11-01", "format": "csv", "rows": 2}

    def test_goes_on_past_its_own_page_size(self, session: Session, customer: Customer, product: Product) -> None:
        record(session, *(event(product, number, at=NOON + timedelta(seconds=number)) for number in range(2100)))
        assert len(csv_rows(exported(session, customer))) == 2101


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "shown"),
        [
            ("+32470123456", "+32 470 12 3• ••"),
            ("+3222752727", "+32 2 275 2• ••"),
            ("+33612345678", "+33 6 12 34 5• ••"),
            ("6040", "6•••"),
            ("12", "••"),
            ("bpost", "bpost"),
        ],
    )
    def test_are_masked(self, number: str, shown: str) -> None:
        assert usage_numbers.mask(number) == shown

    @pytest.mark.parametrize("number", ["+32470123456", "1000", "1160", "+32116", "+32471160001", "+3280123456", "+33800123456", None])
    def test_are_told_where_they_only_look_alike(self, session: Session, customer: Customer, product: Product, number: str | None) -> None:
        record(session, event(product, other_party=number))
        assert usage_numbers.told(number)
        assert listed(session, customer) == [1]
