"""The trail only grows, and any row that was changed, lost, slipped in or put elsewhere is named."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col

from core import audit as command
from core import clock, db, jobs
from core.actor import SYSTEM
from core.db import Base, make_engine
from core.errors import NotPermitted
from core.models.audit import AuditEntry, AuditRelease, AuditSeal
from core.models.bill_run import JobRun
from core.services import audit, audit_trail
from core.services.audit_seals import START, Head
from core.services.audit_trail import Fault, Wrong, verify
from core.services.jobs import TRAIL
from tests.builders import AGENT
from tests.conftest import FIRST_DAY, address
from tests.scenarios.filling import installed

ENTRIES = 12
FIELDS: dict[str, Any] = {
    "at": FIRST_DAY, "business_at": FIRST_DAY - timedelta(days=1), "actor": "nobody", "user_id": 999, "customer_id": 999, "action": "x:y",
    "object_type": "else", "object_id": "999", "before": {"a": 2}, "after": {"é": ["1"]}, "reason": "another",
}  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def trail(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database with a trail of twelve entries, written in three transactions."""
    engine = make_engine(address(request.param, tmp_path_factory.mktemp("trail")))
    Base.metadata.create_all(engine)
    with clock.standing(FIRST_DAY):
        for first in range(0, ENTRIES, 4):
            with Session(engine) as session, session.begin():
                for number in range(first, first + 4):
                    write(session, number)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An installation of this test's own, in which commits are real."""
    with installed(address(request.param, tmp_path), tmp_path) as engine:
        Base.metadata.create_all(engine)
        yield engine


def write(session: Session, number: int) -> None:
    facts = {"name": "Zoë <b>", "cents": number, "nested": {"b": [1, None], "a": True}}
    audit.record(
        session, AGENT, action="thing:change", object_type="thing", object_id=number, customer_id=7, before=facts, after={}, reason="é"
    )


def tampered(engine: Engine) -> Session:
    """Open a session of somebody who may do anything to the rows; it is rolled back."""
    session = Session(engine)
    session.add(AuditRelease(id=1))
    session.flush()
    return session


def look(session: Session, known: Head | None = None) -> Wrong | None:
    """Look through what was tampered with; the row that let it be done is taken away, as whoever tampers would."""
    session.execute(delete(AuditRelease))
    return verify(session, SYSTEM, known=known).wrong


def ids(session: Session) -> list[int]:
    return list(session.execute(select(col(AuditSeal.entry_id)).order_by(col(AuditSeal.no))).scalars())


def tamper(session: Session, before: list[int], data: st.DataObject) -> None:
    """Change, lose, slip in or move a row of the trail, in one of all ways."""
    place = data.draw(PLACES)
    one, seals = before[place], col(AuditSeal.no) == place + 1
    entries = col(AuditEntry.id) == one
    ways: dict[str, Callable[[], object]] = {
        "change": lambda: session.execute(update(AuditEntry).where(entries).values({field: FIELDS[field]})),
        "lose": lambda: session.execute(delete(AuditEntry).where(entries)),
        "lose seal": lambda: session.execute(delete(AuditSeal).where(seals)),
        "lose both": lambda: (session.execute(delete(AuditEntry).where(entries)), session.execute(delete(AuditSeal).where(seals))),
        "seal anew": lambda: session.execute(update(AuditSeal).where(seals).values(hash="f" * 64)),
        "insert": lambda: slip_in(session),
        "insert sealed": lambda: slip_in(session, sealed=True),
        "reorder": lambda: swap(session, one, before[place - 1]),
        "cut": lambda: cut(session, before, place),
    }
    field = data.draw(st.sampled_from(sorted(FIELDS)))
    ways[data.draw(st.sampled_from(sorted(ways)))]()


def swap(session: Session, one: int, other: int) -> None:
    for entry, now in ((one, -one), (other, one), (-one, other)):
        session.execute(update(AuditSeal).where(col(AuditSeal.entry_id) == entry).values(entry_id=now))


def cut(session: Session, before: list[int], place: int) -> None:
    """Delete the end of the trail, from a place on."""
    session.execute(delete(AuditEntry).where(col(AuditEntry.id).in_(before[place:])))
    session.execute(delete(AuditSeal).where(col(AuditSeal.no) > place))


def slip_in(session: Session, *, sealed: bool = False) -> None:
    """Write an entry past the house."""
    stray = AuditEntry(at=FIRST_DAY, business_at=FIRST_DAY, actor="agent", action="a:b", object_type="c", object_id="1")
    session.add(stray)
    session.flush()
    if sealed:
        last = session.execute(select(func.max(col(AuditSeal.no)))).scalar() or 0
        session.execute(delete(AuditSeal).where(col(AuditSeal.entry_id) == stray.id))
        session.execute(insert(AuditSeal).values(no=last + 1, entry_id=stray.id, hash="e" * 64))


def rows(session: Session) -> list[Any]:
    """Return the trail as the database holds it: seals and what they seal, then what no seal names."""
    both = select(AuditSeal.__table__, AuditEntry.__table__).select_from(AuditSeal)  # type: ignore[attr-defined]
    query = both.outerjoin(AuditEntry, col(AuditEntry.id) == AuditSeal.entry_id).order_by(col(AuditSeal.no))
    return [repr(row) for row in session.execute(query)]


PLACES = st.integers(0, ENTRIES - 1)
TAMPERING = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestVerify:
    def test_finds_a_trail_whole_that_nobody_touched(self, trail: Engine) -> None:
        with Session(trail) as session:
            found = verify(session, SYSTEM)
        assert (found.entries, found.head.no, found.wrong) == (ENTRIES, ENTRIES, None)

    @TAMPERING
    @given(place=PLACES, field=st.sampled_from(sorted(FIELDS)))
    def test_names_an_entry_that_was_changed(self, trail: Engine, place: int, field: str) -> None:
        with tampered(trail) as session:
            entry = ids(session)[place]
            session.execute(update(AuditEntry).where(col(AuditEntry.id) == entry).values({field: FIELDS[field]}))
            assert look(session) == Wrong(Fault.CHANGED, place + 1, entry)

    @TAMPERING
    @given(place=PLACES)
    def test_names_an_entry_that_was_deleted(self, trail: Engine, place: int) -> None:
        with tampered(trail) as session:
            entry = ids(session)[place]
            session.execute(delete(AuditEntry).where(col(AuditEntry.id) == entry))
            assert look(session) == Wrong(Fault.MISSING, place + 1, entry)

    @TAMPERING
    @given(place=st.integers(0, ENTRIES - 2))
    def test_names_the_place_of_an_entry_that_was_deleted_with_its_seal(self, trail: Engine, place: int) -> None:
        with tampered(trail) as session:
            entry = ids(session)[place]
            session.execute(delete(AuditEntry).where(col(AuditEntry.id) == entry))
            session.execute(delete(AuditSeal).where(col(AuditSeal.entry_id) == entry))
            assert look(session) == Wrong(Fault.GAP, place + 1, None)

    @TAMPERING
    @given(lost=st.integers(1, ENTRIES))
    def test_sees_that_the_end_was_cut_off_from_a_head_that_was_kept(self, trail: Engine, lost: int) -> None:
        with tampered(trail) as session:
            known = verify(session, SYSTEM).head
            for entry in ids(session)[ENTRIES - lost :]:
                session.execute(delete(AuditEntry).where(col(AuditEntry.id) == entry))
                session.execute(delete(AuditSeal).where(col(AuditSeal.entry_id) == entry))
            assert look(session) is None
            assert look(session, known) == Wrong(Fault.GAP, ENTRIES - lost + 1, None)

    @TAMPERING
    @given(places=st.lists(PLACES, min_size=2, max_size=2, unique=True))
    def test_names_the_first_of_two_entries_that_changed_places(self, trail: Engine, places: list[int]) -> None:
        with tampered(trail) as session:
            known = ids(session)
            one, other = sorted(places)
            for place, entry in ((one, -1), (other, known[one]), (one, known[other])):
                session.execute(update(AuditSeal).where(col(AuditSeal.no) == place + 1).values(entry_id=entry))
            assert look(session) == Wrong(Fault.CHANGED, one + 1, known[other])

    @TAMPERING
    @given(places=st.lists(PLACES, min_size=2, max_size=2, unique=True))
    def test_names_the_first_of_two_entries_whose_contents_were_swapped(self, trail: Engine, places: list[int]) -> None:
        with tampered(trail) as session:
            known, (one, other) = ids(session), sorted(places)
            for place, number in ((one, other), (other, one)):
                session.execute(update(AuditEntry).where(col(AuditEntry.id) == known[place]).values(object_id=str(number)))
            assert look(session) == Wrong(Fault.CHANGED, one + 1, known[one])

    @TAMPERING
    @given(number=st.integers(0, 10**6), reason=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
    def test_names_an_entry_that_came_in_past_the_house(self, trail: Engine, number: int, reason: str) -> None:
        with Session(trail) as session:
            facts: dict[str, Any] = {"at": FIRST_DAY, "business_at": FIRST_DAY, "actor": "agent", "action": "a:b", "object_type": "c"}
            stray = AuditEntry(**facts, object_id=str(number), reason=reason)
            session.add(stray)
            session.flush()
            assert verify(session, SYSTEM).wrong == Wrong(Fault.UNSEALED, None, stray.id)

    @TAMPERING
    @given(place=PLACES)
    def test_names_a_seal_that_was_made_anew(self, trail: Engine, place: int) -> None:
        with tampered(trail) as session:
            session.execute(update(AuditSeal).where(col(AuditSeal.no) == place + 1).values(hash="f" * 64))
            assert look(session) == Wrong(Fault.CHANGED, place + 1, ids(session)[place])

    def test_does_not_count_what_its_own_transaction_wrote(self, trail: Engine) -> None:
        with Session(trail) as session:
            write(session, 99)
            session.flush()
            assert verify(session, SYSTEM).wrong is None

    def test_is_not_for_agents(self, trail: Engine) -> None:
        with Session(trail) as session, pytest.raises(NotPermitted):
            verify(session, AGENT)

    @given(data=st.data())
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_names_the_first_of_many_rows_that_were_tampered_with(self, trail: Engine, data: st.DataObject) -> None:
        with tampered(trail) as session:
            known, before, was = verify(session, SYSTEM).head, ids(session), rows(session)
            for _ in range(data.draw(st.integers(1, 4))):
                tamper(session, before, data)
            found, now = look(session, known), rows(session)
            if now != was:
                first = next(
                    (place for place, (one, other) in enumerate(zip(was, now, strict=False), 1) if one != other),
                    min(len(was), len(now)) + 1,
                )
                assert found is not None
                assert found.no == first
            else:
                strays = session.execute(select(func.max(col(AuditEntry.id)))).scalar() != max(before)
                assert (found is not None and found.fault is Fault.UNSEALED) is strays

    def test_names_an_entry_that_hides_behind_the_seal_of_an_anchor(self, scratch: Engine) -> None:
        with db.transaction() as session:
            for days in (2900, 2800, 1):
                _older(session, days)
                session.flush()
        with db.transaction() as session:
            assert audit_trail.prune(session, SYSTEM) == 2
        with db.transaction() as session, audit_trail.released(session):
            stray = AuditEntry(at=FIRST_DAY, business_at=FIRST_DAY, actor="agent", action="a:b", object_type="c", object_id="1")
            session.add(stray)
            session.flush()
            session.execute(update(AuditSeal).where(col(AuditSeal.no) == 2).values(entry_id=stray.id))
            session.flush()
            hidden = stray.id
        with db.reading() as session:
            assert verify(session, SYSTEM).wrong == Wrong(Fault.CHANGED, 2, hidden)

    @pytest.mark.parametrize("what", ["at = 'never'", "after = '{'", "actor = x'ff'", "reason = CAST(x'ff' AS TEXT)"])
    @pytest.mark.parametrize("place", [1, 7, ENTRIES])
    def test_names_an_entry_that_can_not_be_read(self, trail: Engine, what: str, place: int) -> None:
        if trail.dialect.name == "sqlite":  # PostgreSQL holds in a column what the column says.
            with tampered(trail) as session:
                entry = ids(session)[place - 1]
                session.execute(text(f"UPDATE audit_entry SET {what} WHERE id = {entry}"))  # noqa: S608 - from above
                assert look(session) == Wrong(Fault.CHANGED, place, entry)

    def test_names_a_release_that_was_left_over(self, trail: Engine) -> None:
        with tampered(trail) as session:
            assert verify(session, SYSTEM).wrong == Wrong(Fault.RELEASED, None, None)
            assert audit_trail.tell(Wrong(Fault.RELEASED, None, None)).startswith("released: a row of audit_release")


class TestTriggers:
    @pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
    @pytest.mark.parametrize("statement", ["DELETE FROM {} WHERE 1 = 1", "UPDATE {} SET {} = 1"])
    def test_refuse_to_change_or_delete_a_row(self, trail: Engine, table: str, statement: str) -> None:
        column = {"audit_entry": "customer_id", "audit_seal": "entry_id"}[table]
        with Session(trail) as session, pytest.raises(DBAPIError, match="the audit trail only grows"):
            session.execute(text(statement.format(table, column)))

    @pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
    @pytest.mark.parametrize("clause", ["OR REPLACE", "OR IGNORE", ""])
    def test_refuse_to_put_a_row_in_the_place_of_another_one(self, trail: Engine, table: str, clause: str) -> None:
        if trail.dialect.name == "sqlite":  # PostgreSQL has no such statement: its way is an UPDATE.
            with Session(trail) as session, pytest.raises(DBAPIError, match="the audit trail only grows"):
                session.execute(text(f"INSERT {clause} INTO {table} SELECT * FROM {table} LIMIT 1"))  # noqa: S608 - from above

    def test_refuse_to_seal_an_entry_a_second_time(self, trail: Engine) -> None:
        with Session(trail) as session, pytest.raises(DBAPIError, match=r"the audit trail only grows|uq_audit_seal_entry_id"):
            session.execute(insert(AuditSeal).values(no=ENTRIES + 1, entry_id=ids(session)[0], hash="f" * 64))

    def test_refuse_to_empty_the_table(self, trail: Engine) -> None:
        if trail.dialect.name == "postgresql":
            with Session(trail) as session, pytest.raises(DBAPIError, match="the audit trail only grows"):
                session.execute(text("TRUNCATE audit_entry"))


def _write_and_fail(session: Session) -> None:
    with db.part(session):
        write(session, 2)
        session.flush()
        raise RuntimeError


def _transact_and_fail() -> None:
    with db.transaction() as session:
        write(session, 1)
        raise RuntimeError


class TestSealing:
    def test_leaves_out_what_a_part_took_back(self, scratch: Engine) -> None:
        with db.transaction() as session:
            write(session, 1)
            with pytest.raises(RuntimeError):
                _write_and_fail(session)
            with db.part(session):
                write(session, 3)
        with db.reading() as session:
            assert session.execute(select(col(AuditEntry.object_id)).order_by(col(AuditEntry.id))).scalars().all() == ["1", "3"]
            assert verify(session, SYSTEM).wrong is None

    def test_writes_nothing_when_the_transaction_fails(self, scratch: Engine) -> None:
        with pytest.raises(RuntimeError):
            _transact_and_fail()
        with db.reading() as session:
            assert session.execute(select(func.count()).select_from(AuditSeal)).scalar() == 0

    def test_keeps_one_trail_of_many_who_write_at_once(self, scratch: Engine) -> None:
        together = Barrier(8)

        def work(who: int) -> None:
            together.wait()
            for number in range(15):
                with db.transaction() as session:
                    write(session, who * 100 + number)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, range(8)))
        with db.reading() as session:
            found = verify(session, SYSTEM)
        assert (found.entries, found.head.no, found.wrong) == (120, 120, None)

    def test_seals_more_than_one_statement_can_hold(self, scratch: Engine) -> None:
        with db.transaction() as session:
            for number in range(1234):
                write(session, number)
        with db.reading() as session:
            assert verify(session, SYSTEM).entries == 1234


def _older(session: Session, days: int) -> None:
    """Write an entry of long ago, sealed as any other."""
    write(session, days)
    session.new.__iter__().__next__().at = clock.real_now() - timedelta(days=days)


class TestPrune:
    def test_lets_go_what_is_past_its_time_and_anchors_the_rest(self, scratch: Engine) -> None:
        with db.transaction() as session:
            for days in (2900, 2800, 1900, 300, 1):
                _older(session, days)
                session.flush()
        with db.transaction() as session:
            assert audit_trail.prune(session, SYSTEM) == 3
        with db.reading() as session:
            left = session.execute(select(col(AuditEntry.object_id)).order_by(col(AuditEntry.id))).scalars().all()
            assert (left, verify(session, SYSTEM).wrong) == (["300", "1", "3"], None)
        with db.transaction() as session:
            assert audit_trail.prune(session, SYSTEM) == 0

    def test_lets_go_a_single_entry(self, scratch: Engine) -> None:
        with db.transaction() as session:
            for days in (2900, 1):
                _older(session, days)
                session.flush()
        with db.transaction() as session:
            assert audit_trail.prune(session, SYSTEM) == 1
        with db.reading() as session:
            assert verify(session, SYSTEM).wrong is None

    def test_a_beginning_that_was_cut_off_by_somebody_else_is_named(self, scratch: Engine) -> None:
        with db.transaction() as session:
            for number in range(4):
                write(session, number)
        with db.transaction() as session:
            session.add(AuditRelease(id=1))
            session.flush()
            session.execute(delete(AuditEntry).where(col(AuditEntry.object_id).in_(["0", "1"])))
            session.execute(delete(AuditSeal).where(col(AuditSeal.no) == 1))
            session.execute(delete(AuditRelease))
        with db.reading() as session:
            assert verify(session, SYSTEM).wrong == Wrong(Fault.GAP, 1, None)

    def test_is_not_for_people(self, scratch: Engine) -> None:
        with db.transaction() as session, pytest.raises(NotPermitted):
            audit_trail.prune(session, AGENT)


class TestCheck:
    def test_a_broken_trail_makes_the_daily_work_fail_and_names_the_row(self, scratch: Engine) -> None:
        with db.transaction() as session:
            write(session, 1)
        assert [failed for failed in jobs.run(SYSTEM).failed if failed[1] is TRAIL] == []
        with db.transaction() as session:
            session.execute(delete(JobRun).where(col(JobRun.job) == TRAIL.name))
            with audit_trail.released(session):
                session.execute(update(AuditEntry).where(col(AuditEntry.id) == 1).values(actor="nobody"))
        assert [(one.name, told) for _, one, told in jobs.run(SYSTEM).failed] == [("trail", "TrailBroken: changed: seal 1, audit_entry 1")]


class TestCommand:
    def test_prints_the_head_and_names_what_is_wrong(self, scratch: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        with db.transaction() as session:
            write(session, 1)
        assert command.main(["verify"]) == 0
        head = capsys.readouterr().out.split()[-1]
        assert command.main(["verify", "--head", head]) == 0
        assert command.main(["verify", "--head", f"2:{START}"]) == 1
        with db.transaction() as session:
            session.add(AuditRelease(id=1))
            session.flush()
            session.execute(update(AuditEntry).values(reason="forged"))
            session.execute(delete(AuditRelease))
        capsys.readouterr()
        assert command.main(["verify"]) == 1
        assert capsys.readouterr().err.startswith("changed: seal 1, audit_entry 1")

    def test_keeps_its_head_elsewhere_and_sees_next_time_that_the_end_was_cut_off(
        self, scratch: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = tmp_path / "head"
        for number in range(3):
            with db.transaction() as session:
                write(session, number)
            assert command.main(["verify", "--keep", str(kept)]) == 0
            assert kept.read_text().startswith(f"{number + 1}:")
        with db.transaction() as session, audit_trail.released(session):
            session.execute(delete(AuditEntry).where(col(AuditEntry.id) == 3))
            session.execute(delete(AuditSeal).where(col(AuditSeal.no) == 3))
        assert command.main(["verify"]) == 0
        capsys.readouterr()
        assert command.main(["verify", "--keep", str(kept)]) == 1
        assert capsys.readouterr().err.startswith("gap: seal 3")
        assert kept.read_text().startswith("3:")

    def test_an_empty_trail_is_whole(self, scratch: Engine) -> None:
        with db.reading() as session:
            assert verify(session, SYSTEM) == audit_trail.Verdict(0, Head(0, START), None)
