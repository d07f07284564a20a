"""What is left to do: by whom, until when, done once, opened again, handed over."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.interaction import Task, Team
from core.models.user import User
from core.services import tasks
from core.services.tasks import Target, Whose
from core.text_rules import Missing
from tests.builders import AGENT, SINCE, VIEWER, make_customer, self_of

TODAY = date(2026, 11, 18)
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture
def customer(session: Session) -> Customer:
    session.add(User(username="senior", name="Claire Martin", role=Role.SENIOR, created_at=SINCE))
    session.add(User(username="gone", name="Long Gone", role=Role.AGENT, created_at=SINCE, active=False))
    return make_customer(session)


def add(session: Session, customer: Customer, words: str = "Call back", **given: object) -> int:
    return tasks.add(session, AGENT, customer_id=customer.id, words=words, **given)  # type: ignore[arg-type]


def listed(session: Session, actor: Actor, whose: Whose) -> list[str]:
    return [row.words or row.code for row in tasks.listed(session, actor, whose=whose)]


class TestAdd:
    def test_is_ones_own_unless_another_is_named(self, session: Session, customer: Customer) -> None:
        add(session, customer)
        (row,) = tasks.of_customer(session, AGENT, customer_id=customer.id)
        assert (row.words, row.owner, row.created_by, row.open) == ("Call back", "agent", "agent", True)
        assert session.exec(select(AuditEntry.action)).all() == ["task:add"]

    def test_refuses_what_is_late_already_no_words_and_nobody(self, session: Session, customer: Customer) -> None:
        with pytest.raises(tasks.DuePast):
            add(session, customer, due=TODAY - timedelta(days=1))
        with pytest.raises(Missing):
            add(session, customer, " ")
        for name in ("nobody", "gone"):
            with pytest.raises(tasks.NobodyThere):
                add(session, customer, to=Target(owner=name))

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.PRODUCT])
    def test_refuses_and_never_offers_who_may_not_do_it(self, session: Session, customer: Customer, role: Role) -> None:
        session.add(User(username="reader", name="Only Reads", role=role, created_at=SINCE))
        session.flush()
        assert [one.username for one in tasks.colleagues(session, AGENT)] == ["senior"]
        with pytest.raises(tasks.NobodyThere) as refused:
            add(session, customer, to=Target(owner="reader"))
        assert refused.value.field == "owner"
        task_id = add(session, customer)
        with pytest.raises(tasks.NobodyThere):
            tasks.hand_over(session, AGENT, customer_id=customer.id, task_id=task_id, shown_version=1, to=Target(owner="reader"))

    def test_is_not_for_readers_and_never_for_the_customer(self, session: Session, customer: Customer) -> None:
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                tasks.add(session, actor, customer_id=customer.id, words="x")
        with pytest.raises(NotPermitted):
            tasks.of_customer(session, self_of(customer), customer_id=customer.id)
        with pytest.raises(NotPermitted):
            tasks.listed(session, self_of(customer), whose=Whose.ALL)


class TestRightAndTrail:
    def test_who_only_reads_neither_completes_nor_opens_nor_hands_over(self, session: Session, customer: Customer) -> None:
        one: dict[str, Any] = {"customer_id": customer.id, "task_id": add(session, customer), "shown_version": 1}
        for actor in (VIEWER, self_of(customer)):
            for verb in (tasks.complete, tasks.reopen):
                with pytest.raises(NotPermitted):
                    verb(session, actor, **one)
            with pytest.raises(NotPermitted):
                tasks.hand_over(session, actor, to=Target(owner="senior"), **one)

    def test_each_step_of_a_task_is_written_down(self, session: Session, customer: Customer) -> None:
        one: dict[str, Any] = {"customer_id": customer.id, "task_id": add(session, customer)}
        tasks.hand_over(session, AGENT, shown_version=1, to=Target(owner="senior"), **one)
        tasks.complete(session, SENIOR, shown_version=2, **one)
        tasks.reopen(session, SENIOR, shown_version=3, **one)
        entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
        assert [entry.action for entry in entries] == ["task:add", "task:hand_over", "task:complete", "task:reopen"]
        assert (entries[1].before or {})["owner"] == AGENT.username
        assert (entries[1].after or {})["owner"] == "senior"


class TestComplete:
    def test_says_who_did_it_when_and_how(self, session: Session, customer: Customer) -> None:
        task = add(session, customer)
        tasks.complete(session, SENIOR, customer_id=customer.id, task_id=task, shown_version=1, words="Reached him at once")
        row = tasks.one(session, AGENT, customer_id=customer.id, task_id=task)
        assert (row.done_by, row.done_at, row.done_words, row.open) == ("senior", clock.now(), "Reached him at once", False)

    def test_of_a_task_that_a_rule_wrote(self, session: Session, customer: Customer) -> None:
        session.add(Task(customer_id=customer.id, code="debit_returned", created_at=clock.now()))
        session.flush()
        (row,) = tasks.of_customer(session, AGENT, customer_id=customer.id)
        tasks.complete(session, AGENT, customer_id=customer.id, task_id=row.id, shown_version=row.version)
        assert tasks.of_customer(session, AGENT, customer_id=customer.id) == []

    def test_happens_once(self, session: Session, customer: Customer) -> None:
        task = add(session, customer)
        tasks.complete(session, SENIOR, customer_id=customer.id, task_id=task, shown_version=1)
        with pytest.raises(ChangedMeanwhile):
            tasks.complete(session, AGENT, customer_id=customer.id, task_id=task, shown_version=1)
        with pytest.raises(tasks.TaskDone):
            tasks.complete(session, AGENT, customer_id=customer.id, task_id=task, shown_version=2)

    def test_of_another_files_task_is_not_found(self, session: Session, customer: Customer) -> None:
        task = add(session, customer)
        with pytest.raises(NotFound):
            tasks.complete(session, AGENT, customer_id=make_customer(session).id, task_id=task, shown_version=1)


class TestReopen:
    def test_opens_what_was_done_too_soon_and_the_trail_keeps_how(self, session: Session, customer: Customer) -> None:
        task = add(session, customer)
        tasks.complete(session, SENIOR, customer_id=customer.id, task_id=task, shown_version=1, words="No answer")
        tasks.reopen(session, AGENT, customer_id=customer.id, task_id=task, shown_version=2)
        assert tasks.one(session, AGENT, customer_id=customer.id, task_id=task).open
        last = session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first()
        assert last is not None
        assert last.before == {"done_by": "senior", "done_words": "No answer"}
        with pytest.raises(tasks.TaskOpen):
            tasks.reopen(session, AGENT, customer_id=customer.id, task_id=task, shown_version=3)


class TestHandOver:
    def test_gives_it_to_a_colleague_then_to_a_team(self, session: Session, customer: Customer) -> None:
        task = add(session, customer, due=TODAY)
        tasks.hand_over(session, AGENT, customer_id=customer.id, task_id=task, shown_version=1, to=Target(owner="senior"))
        assert listed(session, AGENT, Whose.MINE) == []
        assert listed(session, SENIOR, Whose.MINE) == ["Call back"]
        later = TODAY + timedelta(days=3)
        tasks.hand_over(
            session, SENIOR, customer_id=customer.id, task_id=task, shown_version=2, to=Target(team=Team.BILLING), due=later
        )  # fmt: skip
        row = tasks.one(session, AGENT, customer_id=customer.id, task_id=task)
        assert (row.owner, row.team, row.due) == (None, Team.BILLING, later)
        assert listed(session, BILLING, Whose.TEAM) == ["Call back"]

    def test_of_a_late_task_needs_no_new_day(self, session: Session, customer: Customer) -> None:
        task = add(session, customer, due=TODAY)
        with clock.standing(clock.now() + timedelta(days=2)):
            tasks.hand_over(
                session, AGENT, customer_id=customer.id, task_id=task, shown_version=1, to=Target(owner="senior"), due=TODAY
            )  # fmt: skip
            assert tasks.one(session, AGENT, customer_id=customer.id, task_id=task).days_late == 2


class TestListed:
    def test_shows_what_is_late_first_and_what_has_no_day_last(self, session: Session, customer: Customer) -> None:
        add(session, customer, "no day")
        add(session, customer, "tomorrow", due=TODAY + timedelta(days=1))
        add(session, customer, "today", due=TODAY)
        with clock.standing(clock.now() + timedelta(days=1)):
            found = tasks.listed(session, AGENT, whose=Whose.MINE)
            assert [(row.words, row.days_late) for row in found] == [("today", 1), ("tomorrow", 0), ("no day", 0)]
            assert [row.words for row in tasks.listed(session, AGENT, whose=Whose.MINE, late_only=True)] == ["today"]

    def test_what_a_rule_wrote_is_the_teams_by_its_code(self, session: Session, customer: Customer) -> None:
        for code in ("debit_returned", "debit_recall", "modem_not_returned"):
            session.add(Task(customer_id=customer.id, code=code, created_at=clock.now()))
        session.flush()
        assert listed(session, AGENT, Whose.TEAM) == ["debit_returned", "modem_not_returned"]
        assert listed(session, BILLING, Whose.TEAM) == ["debit_recall"]
        assert listed(session, VIEWER, Whose.TEAM) == []
        assert tasks.counts(session, AGENT) == {Whose.MINE: 0, Whose.TEAM: 2, Whose.ALL: 3}

    def test_colleagues_are_those_who_work_here(self, session: Session, customer: Customer) -> None:
        assert [(one.username, one.team) for one in tasks.colleagues(session, AGENT)] == [("senior", Team.CARE)]


class TestTable:
    def test_gives_a_task_to_a_person_or_to_a_team(self, session: Session, customer: Customer) -> None:
        session.add(Task(customer_id=customer.id, code="free", words="x", owner="agent", team=Team.CARE, created_at=clock.now()))
        with pytest.raises(IntegrityError):
            session.flush()

    def test_asks_for_words_where_no_code_tells(self, session: Session, customer: Customer) -> None:
        session.add(Task(customer_id=customer.id, code="free", created_at=clock.now()))
        with pytest.raises(IntegrityError):
            session.flush()
