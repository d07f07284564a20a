"""Many at once on one note, one tag, one task, one talk, one macro: real threads, real commits, on both databases (S52, S53)."""

from collections.abc import Callable
from types import NoneType
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from core import clock
from core.actor import Actor, Role
from core.errors import DomainError
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer, CustomerStatus
from core.models.interaction import Interaction, Task
from core.models.note import Note, Tag
from core.models.user import User
from core.services import erasure, interactions, macros, notes, tags, tasks
from core.services.erased import ErasedAlready
from core.services.tags import Stands
from tests.builders import AGENT, SINCE, make_customer
from tests.conftest import FIRST_DAY
from tests.services.test_macros import missed
from tests.services.test_order_races import at_once, count

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


def a_file(engine: Engine) -> Customer:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return make_customer(session)


def won(found: list[object]) -> int:
    """How many were let through; whoever was not got a refusal that says why, and no crash."""
    return sum(not isinstance(one, DomainError) for one in found)


class TestErase:
    @pytest.mark.parametrize("what", ["note", "tag", "task", "talk"])
    def test_leaves_no_row_that_was_written_meanwhile(self, scratch: Engine, what: str) -> None:
        """Whoever writes first is erased too; whoever comes second is refused."""
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = make_customer(session)
            customer.status = CustomerStatus.CLOSED
        file: dict[str, Any] = {"customer_id": customer.id}
        verbs: dict[str, Callable[[Session, Actor], object]] = {
            "note": lambda session, actor: notes.add(session, actor, text="Called", **file),
            "tag": lambda session, actor: tags.add(session, actor, word="fibre", **file),
            "task": lambda session, actor: tasks.add(session, actor, words="Call back", **file),
            "talk": lambda session, actor: interactions.begin(session, actor, **file),
        }

        def go(session: Session, number: int) -> object:
            if number == 1:
                asked: dict[str, Any] = {"shown_version": customer.version, "number": customer.customer_no, "reason": "His letter"}
                erasure.erase(session, SENIOR, **asked, **file)
                return None
            return verbs[what](session, Actor(user_id=None, username=f"agent{number}", role=Role.AGENT))

        found = at_once(scratch, go)
        assert found[1] is None
        assert all(isinstance(one, (int, ErasedAlready, Stands, NoneType)) for one in found)
        assert count(scratch, {"note": Note, "tag": Tag, "task": Task, "talk": Interaction}[what]) == 0


class TestOneOfMany:
    def test_rewords_a_note(self, scratch: Engine) -> None:
        customer = a_file(scratch)
        with Session(scratch) as session, session.begin(), clock.standing(FIRST_DAY):
            note = notes.add(session, AGENT, customer_id=customer.id, text="first")

        def reword(session: Session, number: int) -> int:
            return notes.reword(session, AGENT, customer_id=customer.id, note_id=note, shown_version=1, text=f"mine {number}")

        assert won(at_once(scratch, reword)) == 1
        assert count(scratch, Note) == 2

    def test_puts_a_tag(self, scratch: Engine) -> None:
        customer = a_file(scratch)
        assert won(at_once(scratch, lambda session, _: tags.add(session, AGENT, customer_id=customer.id, word="fibre"))) == 1
        assert count(scratch, Tag) == 1

    def test_completes_a_task(self, scratch: Engine) -> None:
        customer = a_file(scratch)
        with Session(scratch) as session, session.begin(), clock.standing(FIRST_DAY):
            task = tasks.add(session, AGENT, customer_id=customer.id, words="Call back")

        def complete(session: Session, _number: int) -> None:
            tasks.complete(session, AGENT, customer_id=customer.id, task_id=task, shown_version=1)

        assert won(at_once(scratch, complete)) == 1

    def test_opens_a_talk_of_one_agent(self, scratch: Engine) -> None:
        customer = a_file(scratch)
        with Session(scratch) as session, session.begin():
            user = User(username="agent", name="Amélie Dubois", role=Role.AGENT, created_at=SINCE)
            session.add(user)
            session.flush()
            agent = Actor(user_id=user.id, username="agent", role=Role.AGENT)
        assert won(at_once(scratch, lambda session, _: interactions.begin(session, agent, customer_id=customer.id))) == 1
        assert count(scratch, Interaction) == 1

    def test_runs_a_macro(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin(), clock.standing(FIRST_DAY):
            customer = missed(session)
            seal = macros.preview(session, AGENT, customer_id=customer.id, code="missed_visit", language="fr").seal

        def run(session: Session, _number: int) -> object:
            return macros.run(session, AGENT, customer_id=customer.id, code="missed_visit", language="fr", seal=seal)

        assert won(at_once(scratch, run)) == 1
        assert count(scratch, Bill, category=BillCategory.CREDIT_NOTE) == 1
        assert count(scratch, Note) == 1
