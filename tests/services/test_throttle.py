"""Guessing gets slower and slower, and the right one is never kept out for long (S16, S17)."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from core.models.user import Throttle
from core.services import throttle
from core.services.throttle import Scope, TooManyTries
from tests.services.moving import RealTime, real_time

__all__ = ["real_time"]

ALICE = Scope("account:alice")


def tries(session: Session, count: int, *scopes: Scope) -> int:
    """Try so many times and return how many tries were let through."""
    through = 0
    for _ in range(count):
        try:
            throttle.begin(session, *scopes)
        except TooManyTries:
            continue
        through += 1
    return through


class TestBegin:
    def test_lets_five_tries_through_and_then_says_when(self, session: Session, real_time: RealTime) -> None:
        assert tries(session, 5, ALICE) == 5
        with pytest.raises(TooManyTries) as refusal:
            throttle.begin(session, ALICE)
        assert refusal.value.params == {"time": "10:01"}

    def test_doubles_the_rest_up_to_a_quarter_of_an_hour(self, session: Session, real_time: RealTime) -> None:
        tries(session, 5, ALICE)
        rests = []
        for _ in range(8):
            until = session.exec(select(Throttle.rests_until)).one()
            assert until is not None
            rests.append((until - real_time.now).total_seconds())
            real_time.now = until
            assert tries(session, 1, ALICE) == 1
        assert rests == [30, 60, 120, 240, 480, 900, 900, 900]

    def test_ends_by_itself_however_often_it_was_asked_in_between(self, session: Session, real_time: RealTime) -> None:
        tries(session, 5, ALICE)
        assert tries(session, 100, ALICE) == 0
        real_time.passes(seconds=30)
        assert tries(session, 1, ALICE) == 1

    def test_lets_few_of_a_hundred_tries_through(self, session: Session, real_time: RealTime) -> None:
        through = 0
        for _ in range(100):
            through += tries(session, 1, ALICE)
            real_time.passes(seconds=6)
        assert through <= 10

    def test_forgets_after_an_hour_of_quiet(self, session: Session, real_time: RealTime) -> None:
        tries(session, 5, ALICE)
        real_time.passes(hours=1, seconds=1)
        assert tries(session, 10, ALICE) == 5

    def test_rests_where_one_scope_of_two_rests_and_counts_on_neither(self, session: Session, real_time: RealTime) -> None:
        address = Scope("address:192.0.2.1", free=20)
        tries(session, 20, address)
        assert tries(session, 1, ALICE, address) == 0
        session.rollback()
        assert tries(session, 5, ALICE) == 5

    def test_keeps_scopes_apart(self, session: Session, real_time: RealTime) -> None:
        tries(session, 6, ALICE)
        assert tries(session, 1, Scope("account:bob")) == 1


class TestSucceeded:
    def test_forgets_what_was_counted(self, session: Session, real_time: RealTime) -> None:
        tries(session, 4, ALICE)
        throttle.succeeded(session, ALICE)
        assert tries(session, 10, ALICE) == 5


class TestTakeBack:
    def test_takes_one_try_back_and_leaves_the_others(self, session: Session, real_time: RealTime) -> None:
        tries(session, 5, ALICE)
        throttle.take_back(session, ALICE)
        session.flush()
        assert tries(session, 10, ALICE) == 1

    def test_does_nothing_where_nothing_was_counted(self, session: Session) -> None:
        throttle.take_back(session, ALICE)


class TestTogether:
    def test_five_tabs_at_once_get_no_more_tries_than_one(self, engine: Engine) -> None:
        scope, through = Scope("account:race"), []

        def tab() -> None:
            for _ in range(4):
                with Session(engine) as session, session.begin():
                    through.append(tries(session, 1, scope))

        threads = [threading.Thread(target=tab) for _ in range(5)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(through) == 20
            assert sum(through) == 5
            with Session(engine) as session:
                row = session.exec(select(Throttle).where(Throttle.scope == scope.name)).one()
                assert row.failures == 5
                assert row.rests_until is not None
                assert row.rests_until - row.last_failure_at == timedelta(seconds=30)
        finally:
            with Session(engine) as session, session.begin():
                throttle.succeeded(session, scope)
