"""What is done by itself: once for each day, in the order of the days, however often and by however many it is asked for."""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from core import clock, db
from core import jobs as scheduler
from core.actor import SYSTEM
from core.db import Base
from core.errors import NotPermitted
from core.models.audit import DemoClock
from core.models.bill import Bill
from core.models.bill_run import JobRun
from core.models.communication import Communication
from core.services import demo, jobs, orders
from core.services.jobs import BILLS, JOBS
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import address
from tests.scenarios.filling import installed
from tests.services.money_stories import family, mandate

TODAY = date(2026, 11, 18)


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A demo on its first day with P01 and a customer whose bills are collected."""
    with installed(address(request.param, tmp_path), tmp_path) as engine:
        _open_house(engine)
        yield engine


def _open_house(engine: Engine) -> None:
    Base.metadata.create_all(engine)
    with db.transaction() as session:
        session.add(DemoClock(moment=clock.at(TODAY, 10)))
        jobs.mark_done(session, SYSTEM, day=TODAY)
        family(session)
        debited = make_customer(session)
        make_product(session, debited, "HOT")
        mandate(session, debited)


def stand(day: date, hour: int = 10) -> None:
    """Put the demo's clock somewhere without doing what falls due on the way: nobody was there."""
    with db.transaction() as session:
        session.get_one(DemoClock, 1).moment = clock.at(day, hour)


class TestDue:
    def test_a_house_that_begins_today_has_todays_work_before_it(self, session: Session) -> None:
        assert list(jobs.due(session, SYSTEM)) == [(TODAY, job) for job in JOBS]

    def test_work_begins_at_six(self, session: Session) -> None:
        with clock.standing(clock.at(TODAY, 5, 59)):
            assert {day for day, _job in jobs.due(session, SYSTEM)} == {date(2026, 11, 17)}

    def test_days_nobody_ran_are_made_good_in_their_order(self, session: Session) -> None:
        jobs.mark_done(session, SYSTEM, day=date(2026, 11, 15))
        assert [day.day for day, _job in jobs.due(session, SYSTEM)] == [day for day in (16, 17, 18) for _job in JOBS]

    def test_needs_the_right(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            list(jobs.due(session, AGENT))


class TestDo:
    def test_a_second_time_does_nothing(self, session: Session) -> None:
        family(session)
        december = date(2026, 12, 5)
        assert jobs.do(session, SYSTEM, job=BILLS, day=december) == 1
        assert jobs.do(session, SYSTEM, job=BILLS, day=december) is None


class TestScheduler:
    def test_makes_good_a_month_nobody_ran_as_if_each_day_had_been_run(self, house: Engine) -> None:
        stand(date(2026, 12, 18))
        report = scheduler.run(SYSTEM)
        assert report.failed == []
        assert {(day.day, job.name): count for day, job, count in report.done if count} == {
            (19, "alerts"): 2, (25, "dunning"): 1, (5, "bills"): 2, (14, "debit_files"): 1, (15, "collections"): 1,
        }  # fmt: skip
        with Session(house) as session:
            days = Counter(row.bill_date for row in session.exec(select(Bill)))
            assert days == {date(2026, 11, 5): 1, date(2026, 12, 5): 2}
            assert session.exec(select(func.count()).select_from(JobRun)).one() == len(JOBS) * 31
        assert scheduler.run(SYSTEM).done == []

    def test_comes_to_the_same_as_a_demos_clock_that_is_moved(self, house: Engine, tmp_path: Path) -> None:
        stand(date(2026, 12, 18))
        scheduler.run(SYSTEM)
        with Session(house) as session:
            ran = _told(session)
        with installed(f"sqlite:///{tmp_path / 'moved.db'}", tmp_path) as other:
            _open_house(other)
            with db.transaction() as session:
                demo.move_clock(session, SYSTEM, months=1)
            with Session(other) as session:
                assert _told(session) == ran

    def test_a_job_that_fails_stops_its_own_days_only_and_is_tried_again(self, house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        stand(date(2026, 12, 6))
        with monkeypatch.context() as patch:
            patch.setattr(orders, "settle_due", lambda *_given: 1 / 0)
            report = scheduler.run(SYSTEM)
        assert [(day, job.name) for day, job, _told in report.failed] == [(date(2026, 11, 19), "orders")]
        assert ("bills", 2) in {(job.name, count) for _day, job, count in report.done}
        again = scheduler.run(SYSTEM)
        assert [job.name for _day, job, _count in again.done] == ["orders"] * 18

    def test_three_at_once_do_everything_once(self, house: Engine) -> None:
        stand(date(2026, 12, 18))
        children = []
        for _process in range(3):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    house.dispose(close=False)
                    status = len(scheduler.run(SYSTEM).failed)
                finally:
                    os._exit(status)
            children.append(child)
        assert {os.waitpid(child, 0)[1] for child in children} == {0}
        with Session(house) as session:
            assert sorted(session.exec(select(Bill.bill_no).where(col(Bill.bill_date) == date(2026, 12, 5)))) == [
                "2612000001",
                "2612000002",
            ]
            assert session.exec(select(func.count()).select_from(JobRun)).one() == len(JOBS) * 31

    def test_the_command_says_what_it_did(self, house: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        stand(date(2026, 12, 6))
        assert scheduler.main(["run"]) == 0
        assert "2026-12-05 bills: 2" in capsys.readouterr().out


def _told(session: Session) -> tuple[list[tuple[str, date, int, str]], list[tuple[str, date]]]:
    papers = [(row.bill_no, row.bill_date, row.remaining_cents, str(row.ogm)) for row in session.exec(select(Bill).order_by(Bill.bill_no))]
    messages = session.exec(select(Communication).order_by(col(Communication.sent_at), col(Communication.customer_id)))
    return papers, [(row.template, clock.local(clock.from_stored(row.sent_at)).date()) for row in messages]
