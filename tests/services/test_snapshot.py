"""What a page reads: one moment of the database, asked once; and nothing is written on the way."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, event, func
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlmodel import Session, col, delete, select

from core import db
from core.models.audit import Operation
from tests.conftest import FIRST_DAY


@pytest.fixture(autouse=True)
def _this_database(engine: Engine) -> Iterator[None]:
    db.use(engine.url.render_as_string(hide_password=False))
    yield
    with Session(engine) as session, session.begin():
        session.execute(delete(Operation))
    sys.modules["core.db.engine"]._used.clear()


@cache
def _count_query() -> Any:
    return select(func.count(col(Operation.key))).where(Operation.actor == bindparam("actor"))


def counted(session: Session) -> int:
    return int(db.ask(session, _count_query(), actor="somebody")[0][0])


def written_elsewhere(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(_row())


def _row() -> Operation:
    return Operation(key=f"{datetime.now(UTC).timestamp()}", actor="somebody", at=FIRST_DAY)


class TestSnapshot:
    def test_all_readings_in_it_see_the_same_moment(self, engine: Engine) -> None:
        with db.snapshot():
            with db.reading() as session:
                assert counted(session) == 0
            written_elsewhere(engine)
            with db.reading() as session:
                assert session.exec(select(func.count(col(Operation.key)))).one() == 0
        with db.reading() as session:
            assert counted(session) == 1

    def test_what_is_written_in_it_is_seen_by_the_next_reading(self, engine: Engine) -> None:
        with db.snapshot():
            with db.reading() as session:
                assert counted(session) == 0
            with db.transaction() as session:
                session.add(_row())
            with db.reading() as session:
                assert counted(session) == 1

    def test_one_within_another_goes_on_with_it(self, engine: Engine) -> None:
        with db.snapshot():
            with db.reading() as outer:
                counted(outer)
            with db.snapshot(), db.reading() as inner:
                assert inner is outer
            with db.reading() as after:
                assert after is outer

    def test_a_reading_that_failed_does_not_spoil_the_next_one(self, engine: Engine) -> None:
        with db.snapshot():
            with pytest.raises(Exception, match="no_such_table"), db.reading() as session:
                session.connection().exec_driver_sql("SELECT * FROM no_such_table")
            with db.reading() as session:
                assert counted(session) == 0

    def test_a_session_kept_beyond_a_write_is_refused_rather_than_old(self, engine: Engine) -> None:
        with db.snapshot():
            with db.reading() as kept:
                counted(kept)
            with db.transaction() as session:
                session.add(_row())
            with pytest.raises(InvalidRequestError):
                kept.exec(select(Operation)).all()

    def test_a_reading_within_a_transaction_is_not_taken_for_the_newest_afterwards(self, engine: Engine) -> None:
        with db.snapshot():
            with db.transaction() as session:
                session.add(_row())
                session.flush()
                with db.reading() as before:
                    assert counted(before) == 0
            with db.reading() as after:
                assert counted(after) == 1

    def test_it_looks_again_where_it_is_told_to(self, engine: Engine) -> None:
        with db.snapshot():
            with db.reading() as session:
                assert counted(session) == 0
            written_elsewhere(engine)
            db.look_again()
            with db.reading() as session:
                assert counted(session) == 1

    def test_an_error_under_way_stays_the_one_that_is_told(self, engine: Engine) -> None:
        def draw() -> None:
            with db.snapshot(), db.reading() as session:
                session.add(_row())
                raise KeyError

        with pytest.raises(KeyError):
            draw()

    def test_a_statement_that_writes_is_refused_too(self, engine: Engine) -> None:
        with pytest.raises(DBAPIError), db.reading() as session:
            session.execute(delete(Operation))
        with db.transaction() as session:
            session.execute(delete(Operation))

    def test_a_reading_session_writes_nothing(self, engine: Engine) -> None:
        with pytest.raises(db.OnlyReads), db.reading() as session:
            session.add(_row())
        with db.reading() as session:
            assert counted(session) == 0


class TestAsk:
    def test_the_same_question_goes_to_the_database_once(self, engine: Engine) -> None:
        asked: list[str] = []

        def note(*call: Any) -> None:
            asked.append(call[2])

        event.listen(Engine, "before_cursor_execute", note)
        try:
            with db.snapshot(), db.reading() as session:
                counted(session)
                counted(session)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        assert sum("operation" in statement for statement in asked) == 1

    def test_in_a_transaction_what_was_written_so_far_is_counted(self, engine: Engine) -> None:
        with db.transaction() as session:
            assert counted(session) == 0
            session.add(_row())
            assert counted(session) == 1
