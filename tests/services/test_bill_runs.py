"""The bills of a day: for everybody, once, whatever happens to who makes them."""

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, col, delete, func, select

from core import clock, db
from core.actor import SYSTEM
from core.db import Base
from core.errors import NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart
from core.models.bill import Bill, BillCounter, BillLine, LineKind
from core.models.billing_account import BillModel
from core.models.communication import Communication
from core.models.customer import ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.product import Product
from core.money import split_inclusive, vat_on
from core.services import bill_runs, bills
from core.services.bill_runs import RunSummary
from tests.builders import AGENT, VIEWER, make_customer, make_product
from tests.conftest import address
from tests.scenarios.filling import installed
from tests.services.money_stories import DECEMBER, family, legacy

FIRST = date(2027, 1, 5)


def run(session: Session, day: date) -> RunSummary:
    with clock.standing(clock.at(day, 6)):
        bill_runs.run_day(session, SYSTEM, day=day)
        found = bill_runs.summary(session, SYSTEM, day=day)
    assert found is not None
    return found


class TestRunDay:
    def test_issues_once_a_month_and_lets_p09_change_model(self, session: Session) -> None:
        family(session)
        old = legacy(session)
        assert run(session, date(2026, 11, 20)).issued == 0
        assert (run(session, DECEMBER).issued, run(session, DECEMBER).due_cents) == (2, 1093 + 14600)
        january = run(session, date(2027, 1, 5))
        assert (january.issued, january.due_cents) == (2, 800 + 7800)
        with clock.standing(clock.at(date(2027, 1, 5), 6)):
            assert [row.total_cents for row in bills.of_customer(session, AGENT, customer_id=old.id)] == [800, 1093, 800]

    def test_the_same_run_twice_issues_and_tells_nothing_twice(self, session: Session) -> None:
        family(session)
        first = run(session, DECEMBER)
        told = session.exec(select(func.count()).select_from(Communication)).one()
        assert run(session, DECEMBER) == first
        assert session.exec(select(func.count()).select_from(Communication)).one() == told

    def test_its_summary_adds_up(self, session: Session) -> None:
        family(session)
        make_customer(session)  # Holds nothing.
        broken = make_customer(session)
        make_product(session, broken, "NOT_SOLD")
        found = run(session, DECEMBER)
        assert (found.customers, found.issued, found.nothing, found.failed, found.waiting) == (3, 1, 1, 1, 0)
        assert found.due_cents == found.excl_cents + found.vat_cents + found.third_party_cents == 14600

    def test_one_customers_mistake_leaves_the_others_their_bills_and_is_named(self, session: Session) -> None:
        broken = make_customer(session)
        product = make_product(session, broken, "NOT_SOLD")
        family(session)
        assert run(session, DECEMBER).issued == 1
        assert [(one.customer_no, one.told) for one in bill_runs.problems(session, SYSTEM, day=DECEMBER)] == [
            (broken.customer_no, "KeyError: 'NOT_SOLD'")
        ]
        product.offering_code = "RED"
        session.flush()
        again = run(session, DECEMBER)
        assert (again.issued, again.failed) == (2, 0)

    def test_a_mistake_while_bills_are_issued_is_one_customers_alone_too(self, session: Session) -> None:
        nowhere, (first, last) = family(session), (make_customer(session), make_customer(session))
        for customer in (first, last):
            make_product(session, customer, "RED")
        session.exec(delete(ContactMedium).where(col(ContactMedium.customer_id) == nowhere.id))
        found = run(session, DECEMBER)
        assert (found.issued, found.failed, found.waiting) == (2, 1, 0)
        assert [one.customer_no for one in bill_runs.problems(session, SYSTEM, day=DECEMBER)] == [nowhere.customer_no]
        numbers = session.exec(select(Bill.bill_no).where(col(Bill.bill_date) == DECEMBER).order_by(col(Bill.bill_no))).all()
        assert int(numbers[1]) == int(numbers[0]) + 1

    def test_a_visit_that_is_noted_after_the_bill_is_on_the_next_one_once(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED", since=date(2026, 12, 1))
        assert run(session, DECEMBER).due_cents == 800
        session.add(
            Appointment(
                customer_id=customer.id, appointment_no="A1", category=AppointmentCategory.REPAIR, zone="50",
                day=DECEMBER - timedelta(days=2), part=DayPart.MORNING, place="Rue de Fer 12, 5000 Namur", created_at=clock.now(),
                state=AppointmentState.COMPLETED, fee_cents=5000,
            )
        )  # fmt: skip
        assert run(session, FIRST).due_cents == 800 + 5000
        assert run(session, date(2027, 2, 5)).due_cents == 800

    @pytest.mark.parametrize(
        ("cycle_day", "days"),
        [(31, [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]), (29, [date(2028, 1, 29), date(2028, 2, 29), date(2028, 3, 29)])],
    )
    def test_a_cycle_day_that_a_month_lacks_falls_on_its_last_day(self, session: Session, cycle_day: int, days: list[date]) -> None:
        customer = make_customer(session, bill_model=BillModel.LEGACY, cycle_day=cycle_day)
        make_product(session, customer, "RED", since=date(days[0].year - 1, 12, cycle_day))
        around = [date.fromordinal(day.toordinal() + shift) for day in days for shift in (-1, 0, 1)]
        issued = [day for day in sorted(around) if run(session, day).issued]
        assert issued == days
        rows = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id).order_by(col(Bill.bill_date))).all()
        assert [row.period_since for row in rows] == days
        assert all(before.period_until == after.period_since for before, after in pairwise(rows))

    def test_a_closed_customer_gets_no_bill(self, session: Session) -> None:
        customer = family(session)
        customer.status = CustomerStatus.CLOSED
        session.flush()
        assert run(session, DECEMBER).customers == 0

    def test_needs_the_right(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            bill_runs.run_day(session, VIEWER, day=DECEMBER)

    def test_the_database_refuses_a_second_bill_of_a_day(self, session: Session) -> None:
        customer = family(session)
        run(session, DECEMBER)
        row = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id, col(Bill.bill_date) == DECEMBER)).one()
        twin = Bill(**row.model_dump(exclude={"id", "bill_no", "ogm"}), bill_no="9999999999", ogm="x")
        session.add(twin)
        with pytest.raises(Exception, match=r"uq_bill_day|bill\.customer_id, bill\.bill_date"):
            session.flush()
        session.rollback()


class TestRehearse:
    def test_what_was_tried_out_is_what_is_issued(self, session: Session) -> None:
        """Sixty customers by chance: the sums of the rehearsal are the sums of the run, each preview is its bill, each VAT is its total's."""
        chance = random.Random(20261205)  # noqa: S311 - any sixty will do.
        people = [_anybody(session, chance) for _ in range(60)]
        with clock.standing(clock.at(DECEMBER, 5)):
            tried = bill_runs.rehearse(session, SYSTEM, day=DECEMBER)
            previews = {one.id: bills.preview_next(session, AGENT, customer_id=one.id) for one in people}
        found = run(session, DECEMBER)
        assert (tried.bills, tried.nothing, tried.failed) == (found.issued, found.nothing, found.failed)
        assert (tried.excl_cents, tried.vat_cents, tried.third_party_cents) == (found.excl_cents, found.vat_cents, found.third_party_cents)
        assert found.issued > 40
        for row in session.exec(select(Bill).where(col(Bill.bill_date) == DECEMBER)):
            preview = previews[row.customer_id]
            lines = session.exec(select(BillLine).where(col(BillLine.bill_id) == row.id).order_by(col(BillLine.ordinal))).all()
            assert preview is not None
            assert [(one.code, one.amount_cents) for one in lines] == [(one.code, one.amount_cents) for one in preview.draft.lines]
            own = sum(one.amount_cents for one in lines if one.kind is not LineKind.THIRD_PARTY)
            business = session.get_one(Customer, row.customer_id).kind is CustomerKind.ORGANIZATION
            excl, vat = (own, vat_on(own)) if business else split_inclusive(own)
            assert (row.excl_cents, row.vat_cents) == (excl, vat)

    def test_counts_who_changes_model_before_the_day(self, session: Session) -> None:
        legacy(session)
        with clock.standing(clock.at(date(2026, 11, 18), 10)):
            assert bill_runs.upcoming(session, SYSTEM)[DECEMBER] == 1
            tried = bill_runs.rehearse(session, SYSTEM, day=DECEMBER)
        assert (tried.bills, tried.due_cents) == (1, 1093)
        assert (run(session, DECEMBER).issued, run(session, DECEMBER).due_cents) == (1, 1093)

    def test_writes_nothing(self, session: Session) -> None:
        family(session)
        with clock.standing(clock.at(date(2026, 11, 18), 10)):
            assert bill_runs.upcoming(session, SYSTEM) == {DECEMBER: 1}
            tried = bill_runs.rehearse(session, SYSTEM, day=DECEMBER)
        assert [(one.before_cents, one.after_cents) for one in tried.jumps] == [(7800, 14600)]
        assert not session.new
        assert not session.dirty
        assert session.exec(select(func.count()).select_from(Bill)).one() == 1


def _anybody(session: Session, chance: random.Random) -> Customer:
    """A customer by chance: a household or a business, of either model, whose plans and options began and ended when they liked."""
    business = chance.random() < 0.3
    kind = {"kind": CustomerKind.ORGANIZATION, "trading_name": "SRL", "enterprise_no": "0999999031"} if business else {}
    model: dict[str, Any] = {"bill_model": BillModel.LEGACY, "cycle_day": chance.choice([4, 5, 28])} if chance.random() < 0.3 else {}
    if model and chance.random() < 0.5:
        model["migrate_on"] = date(2026, 12, 1)
    customer = make_customer(session, **kind, **model)
    for _plan in range(chance.randrange(1, 4)):
        since = date(2026, 11, 1) + timedelta(days=chance.randrange(-400, 34))
        until = since + timedelta(days=chance.randrange(0, 500)) if chance.random() < 0.3 else None
        plan = make_product(session, customer, chance.choice(["RED", "HOT", "CHILI", "TRIO", "LOCO"]), since=since, until=until)
        if chance.random() < 0.5:
            make_product(
                session, customer, chance.choice(["MOB_DATA_5G", "MOB_DATA_1G", "TV_SPORT"]), parent_id=plan.id, since=since, until=until
            )
    return customer


CUSTOMERS, MONTHS, KILLS = 24, 10, 100


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of its own with customers of both models, of which one holds nothing and one costs nothing."""
    with installed(address(request.param, tmp_path), tmp_path) as engine:
        Base.metadata.create_all(engine)
        with Session(engine) as session, session.begin():
            for number in range(CUSTOMERS):
                customer = make_customer(session)
                if number:
                    plan = make_product(session, customer, ("RED", "TRIO", "LOCO")[number % 3], since=date(2026, 12, 1))
                    make_product(
                        session, customer, "MOB_UNLIM_CALLS" if number % 3 == 0 else "TV_SPORT", parent_id=plan.id, since=date(2026, 12, 9)
                    )
        yield engine


def _run_and_die(engine: Engine, day: date, statements: int) -> None:
    """Make the bills of a day in a process of its own, which kills itself before its n-th statement; let it end where that never comes."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            engine.dispose(close=False)  # The parent's connections are the parent's.
            left = [statements]

            def count(*_given: Any) -> None:
                left[0] -= 1
                if left[0] < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(engine, "before_cursor_execute", count)
            event.listen(engine, "commit", count)
            _run_in_steps(day)
            status = 0
        finally:
            os._exit(status)
    _pid, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}


def _run_in_steps(day: date) -> None:
    waits = True
    with db.transaction() as session, clock.standing(clock.at(day, 6)):
        bill_runs.start(session, SYSTEM, day=day)
    while waits:
        with db.transaction() as session, clock.standing(clock.at(day, 6)):
            waits = bill_runs.step(session, SYSTEM, day=day, at_once=3)


def test_a_run_killed_at_a_hundred_points_and_taken_up_again_gives_each_customer_each_bill_once_and_numbers_without_gap(
    house: Engine,
) -> None:
    chance = random.Random(20261118)  # noqa: S311 - where to kill is no secret.
    days = [clock.add_months(FIRST, month) for month in range(MONTHS)]
    for day in days:
        for _kill in range(KILLS // MONTHS):
            _run_and_die(house, day, chance.randrange(1, 70))
        _run_in_steps(day)
    with Session(house) as session:
        rows = [(row.customer_id, row.bill_date, row.bill_no) for row in session.exec(select(Bill))]
        assert Counter((customer, day) for customer, day, _number in rows) == Counter(
            {(customer, day): 1 for customer in session.exec(select(Product.customer_id).distinct()) for day in days}
        )
        for day in days:
            numbers = sorted(number for _customer, on, number in rows if on == day)
            assert numbers == [f"{day:%y%m}{number:06d}" for number in range(1, CUSTOMERS)]
            assert session.get_one(BillCounter, f"{day:%y%m}").last == CUSTOMERS - 1
        told = Counter(session.exec(select(Communication.customer_id)).all())
        assert set(told.values()) == {MONTHS}


def test_two_runs_at_once_issue_each_bill_once(house: Engine) -> None:
    children = []
    for _process in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                house.dispose(close=False)
                _run_in_steps(FIRST)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert {os.waitpid(child, 0)[1] for child in children} == {0}
    with Session(house) as session:
        assert sorted(session.exec(select(Bill.bill_no))) == [f"2701{number:06d}" for number in range(1, CUSTOMERS)]
        session.exec(delete(Communication))
