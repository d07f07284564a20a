"""What is left to do, by whom and until when: made, done, opened again, handed over (W17). The customer never sees it but for what is his."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlmodel import Session, col

from core import clock
from core.actor import ROLES, Actor, Permission, Role
from core.day_rules import near
from core.errors import N_, DomainError, NotFound
from core.models.customer import Customer
from core.models.interaction import Task, Team
from core.models.user import User
from core.services import audit, erased
from core.services.customers import written_name
from core.text_rules import needed, normalise

WORDS_LENGTH = 200
FREE, HANDOVER = "free", "handover"
"""The codes of tasks that somebody put into words himself, and of what is left of a call that was handed over."""
PLAN_ANSWER = "plan_answer"
"""The code of what waits for a proposed payment plan: it is done once the plan is accepted or taken back."""
BILLING = ("debit_dispute", "debit_duplicate", "debit_holder_died", "debit_recall")
"""The codes that are Billing's to do where nobody took them; the rest is Care's."""
TEAMS = {
    Role.AGENT: Team.CARE, Role.SENIOR: Team.CARE, Role.ADMIN: Team.CARE, Role.BILLING: Team.BILLING, Role.PRODUCT: Team.PRODUCT,
}  # fmt: skip
_NAME_LENGTH = 60
MOST = 100
"""How many a list shows."""


class TaskDone(DomainError):
    """The task was done meanwhile."""

    message = N_("{who} did this already. Load the page again.")


class TaskOpen(DomainError):
    """Nothing to open again."""

    message = N_("This task is open. Load the page again.")


class DuePast(DomainError):
    """A task that was late before it was written."""

    message = N_("A task is due today or later. Choose another day, or none.")
    field = "due"


class NobodyThere(DomainError):
    """Nobody of that name works here, or his role may do nothing."""

    message = N_("Nobody called {name} can take this. Choose a colleague or a team.")
    field = "owner"


class Whose(StrEnum):
    """Which tasks a list shows."""

    MINE = "mine"
    TEAM = "team"
    ALL = "all"


@dataclass(frozen=True)
class Target:
    """Who is to do something: a person or a team."""

    owner: str | None = None
    team: Team | None = None


@dataclass(frozen=True)
class Colleague:
    """Somebody of the house."""

    username: str
    name: str
    team: Team | None


@dataclass(frozen=True)
class TaskRow:
    """A task in a list; `team` is whose it is while nobody took it."""

    id: int
    customer_id: int
    customer_no: str
    customer_name: str
    code: str
    words: str | None
    due: date | None
    owner: str | None
    team: Team
    created_at: datetime
    created_by: str
    done_at: datetime | None
    done_by: str | None
    done_words: str | None
    version: int

    @property
    def open(self) -> bool:
        """Whether it is left to do."""
        return self.done_at is None

    @property
    def days_late(self) -> int:
        """How many days it is late; 0 when it isn't."""
        return max(0, (clock.today() - self.due).days) if self.open and self.due else 0


def add(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    words: str = "",
    due: date | None = None,
    to: Target | None = None,
    code: str = FREE,
) -> int:
    """Write down something to do, for oneself unless another one is named; return its id. Raises ErasedAlready, Missing, DuePast, OddDay, NobodyThere."""
    actor.require(Permission.TASK_WRITE, customer_id)
    erased.refuse(session, customer_id)
    said = needed(words, field="task", length=WORDS_LENGTH) if words or code in {FREE, HANDOVER} else None
    if due is not None and due < clock.today():
        raise DuePast
    if due is not None:
        near(due, field="due")
    target = _checked(session, actor, to or Target(owner=actor.username))
    row = Task(
        customer_id=customer_id, code=code, words=said, due=due, owner=target.owner, team=target.team, created_at=clock.now(),
        created_by=actor.username,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _record(session, actor, row, "add", after={"code": code, "due": due, "owner": row.owner, "team": row.team})
    return row.id


def complete(session: Session, actor: Actor, *, customer_id: int, task_id: int, shown_version: int, words: str = "") -> None:
    """Note that a task is done, by whom and, where there is something to say, how. Raises NotFound, ChangedMeanwhile, TaskDone."""
    actor.require(Permission.TASK_WRITE, customer_id)
    row = _locked(session, customer_id, task_id, shown_version)
    if row.done_at is not None:
        raise TaskDone(who=row.done_by or "?")
    row.done_at, row.done_by = clock.now(), actor.username
    row.done_words = normalise(words, field="done", length=WORDS_LENGTH) or None
    session.flush()
    _record(session, actor, row, "complete", after={"code": row.code}, reason=row.done_words)


def settle(session: Session, actor: Actor, *, customer_id: int, code: str) -> None:
    """Note that what goes by a code is done, by the act that made it needless; the service that did that checked the right."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    mine = (col(Task.customer_id) == customer_id, col(Task.code) == code, col(Task.done_at).is_(None))
    for row in session.execute(select(Task).where(*mine).with_for_update()).scalars().all():
        row.done_at, row.done_by = clock.now(), actor.username
        session.flush()
        _record(session, actor, row, "complete", after={"code": code})


def reopen(session: Session, actor: Actor, *, customer_id: int, task_id: int, shown_version: int) -> None:
    """Open a task again that was done too soon. Raises ErasedAlready, NotFound, ChangedMeanwhile, TaskOpen."""
    actor.require(Permission.TASK_WRITE, customer_id)
    erased.refuse(session, customer_id)
    row = _locked(session, customer_id, task_id, shown_version)
    if row.done_at is None:
        raise TaskOpen
    before = {"done_by": row.done_by, "done_words": row.done_words}
    row.done_at = row.done_by = row.done_words = None
    session.flush()
    _record(session, actor, row, "reopen", before=before)


def hand_over(
    session: Session, actor: Actor, *, customer_id: int, task_id: int, shown_version: int, to: Target, due: date | None = None
) -> None:
    """Give a task to a colleague or a team, and perhaps more time.

    Raises ErasedAlready, NotFound, ChangedMeanwhile, TaskDone, NobodyThere, DuePast, OddDay.
    """
    actor.require(Permission.TASK_WRITE, customer_id)
    erased.refuse(session, customer_id)
    row = _locked(session, customer_id, task_id, shown_version)
    if row.done_at is not None:
        raise TaskDone(who=row.done_by or "?")
    if due is not None and due != row.due and due < clock.today():
        raise DuePast
    if due is not None:
        near(due, field="due")
    before = {"owner": row.owner, "team": row.team, "due": row.due}
    target = _checked(session, actor, to)
    row.owner, row.team, row.due = target.owner, target.team, due or row.due
    session.flush()
    _record(session, actor, row, "hand_over", before=before, after={"owner": row.owner, "team": row.team, "due": row.due})


def of_customer(session: Session, actor: Actor, *, customer_id: int, done: bool = False) -> list[TaskRow]:
    """Return what is left to do for a customer, what is due first first; with `done`, the last ones that were done too."""
    actor.require(Permission.TASK_READ, customer_id)
    mine = col(Task.customer_id) == customer_id
    found = [_row(row) for row in session.execute(_query(mine, col(Task.done_at).is_(None)))]
    if done:
        ended = _columns().where(mine, col(Task.done_at).is_not(None)).order_by(col(Task.done_at).desc()).limit(MOST)
        found += [_row(row) for row in session.execute(ended)]
    return found


def one(session: Session, actor: Actor, *, customer_id: int, task_id: int) -> TaskRow:
    """Return one task. Raises NotFound."""
    actor.require(Permission.TASK_READ, customer_id)
    row = session.execute(_columns().where(col(Task.customer_id) == customer_id, col(Task.id) == task_id)).first()
    if row is None:
        raise NotFound
    return _row(row)


def listed(session: Session, actor: Actor, *, whose: Whose, late_only: bool = False, limit: int = MOST) -> list[TaskRow]:
    """Return what is left to do of all files, what is late first."""
    actor.require(Permission.TASK_READ)
    late = [col(Task.due) < clock.today()] if late_only else []
    return [_row(row) for row in session.execute(_query(col(Task.done_at).is_(None), _of(actor, whose), *late).limit(limit))]


def counts(session: Session, actor: Actor) -> dict[Whose, int]:
    """Count what is left to do."""
    actor.require(Permission.TASK_READ)
    sums = (func.coalesce(func.sum(_as_number(_of(actor, whose))), 0) for whose in Whose)
    found = session.execute(select(*sums).where(col(Task.done_at).is_(None))).one()
    return dict(zip(Whose, map(int, found), strict=True))


def colleagues(session: Session, actor: Actor) -> list[Colleague]:
    """Return who can be handed something: the colleagues of the house, by name."""
    actor.require(Permission.TASK_READ)
    query = select(col(User.username), col(User.name), col(User.role)).where(*_working())
    return [Colleague(username, name, TEAMS.get(role)) for username, name, role in session.execute(query.order_by(col(User.name)))]


def team_of(code: str) -> Team:
    """Return whose a task is that nobody took, by its code."""
    return Team.BILLING if code in BILLING else Team.CARE


def _of(actor: Actor, whose: Whose) -> ColumnElement[bool]:
    """Say which tasks are whose: what nobody took is the team's, by its own word or by the task's code."""
    team = TEAMS.get(actor.role)
    if whose is Whose.ALL:
        return col(Task.id).is_not(None)
    if whose is Whose.MINE:
        return col(Task.owner) == actor.username
    if team is None:
        return col(Task.id).is_(None)
    by_code = {Team.BILLING: col(Task.code).in_(BILLING), Team.CARE: col(Task.code).not_in(BILLING)}
    nobodys = and_(col(Task.team).is_(None), by_code.get(team, col(Task.id).is_(None)))
    return and_(col(Task.owner).is_(None), or_(col(Task.team) == team, nobodys))


def _as_number(condition: ColumnElement[bool]) -> Any:  # noqa: ANN401 - an expression within a query

    return case((condition, 1), else_=0)


def _query(*conditions: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a select of more columns than its type can tell
    return _columns().where(*conditions).order_by(col(Task.due).is_(None), col(Task.due), col(Task.created_at), col(Task.id))


def _columns() -> Any:  # noqa: ANN401 - the same
    names = "id customer_id code words due owner team created_at created_by done_at done_by done_words version"
    who = (Customer.customer_no, Customer.given_name, Customer.family_name, Customer.trading_name)
    columns = (*(getattr(Task, name) for name in names.split()), *who)
    return select(*columns).join(Customer, col(Customer.id) == Task.customer_id)


def _row(row: Any) -> TaskRow:  # noqa: ANN401 - a row of a wide select
    return TaskRow(
        row.id, row.customer_id, row.customer_no, written_name(row.given_name, row.family_name, row.trading_name), row.code, row.words,
        row.due, row.owner, row.team or team_of(row.code), row.created_at, row.created_by, row.done_at, row.done_by, row.done_words, row.version,
    )  # fmt: skip


def _locked(session: Session, customer_id: int, task_id: int, shown_version: int) -> Task:
    mine = select(Task).where(col(Task.customer_id) == customer_id, col(Task.id) == task_id).with_for_update()
    row: Task | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "task", row.id)
    return row


def _checked(session: Session, actor: Actor, target: Target) -> Target:
    """Return who is to do it, somebody there is."""
    if target.owner is None:
        return Target(team=target.team or Team.CARE)
    if target.owner == actor.username or actor.role is Role.SYSTEM:
        return Target(owner=target.owner)
    name = normalise(target.owner, field="owner", length=_NAME_LENGTH)
    if session.execute(select(col(User.id)).where(col(User.username) == name, *_working())).first() is None:
        raise NobodyThere(name=name)
    return Target(owner=name)


def _working() -> tuple[ColumnElement[bool], ...]:
    """Say who can be given something to do: the colleagues whose role may do it."""
    able = [role for role, rights in ROLES.items() if Permission.TASK_WRITE in rights]
    return col(User.customer_id).is_(None), col(User.active).is_(True), col(User.role).in_(able)


def _record(
    session: Session, actor: Actor, row: Task, verb: str, *, before: audit.Facts | None = None, after: audit.Facts | None = None,
    reason: str | None = None,
) -> None:  # fmt: skip
    audit.record(
        session, actor, action=f"task:{verb}", object_type="task", object_id=row.id, customer_id=row.customer_id,
        before=before, after=after, reason=reason,
    )  # fmt: skip
