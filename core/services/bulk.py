"""The same action on many rows: tried out first, then carried out row by row, each in its own transaction with what came of it.

A run can be stopped, taken up again, and by whom it may: what is done is never done twice, as a row is marked in the transaction of the
action itself. About more money than `bulk_at_once_cents`, all rows are done together, or none.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.bulk import BULK_MOVES, BulkRow, BulkRun, BulkState, RowState
from core.models.customer import Customer
from core.services import audit, list_filters, lists
from core.services.bulk_actions import ACTIONS, Action, Params, WrongChoice, account
from core.services.customers import written_name
from core.services.list_nouns import listing
from core.services.lists import Query, Row

MOST = 5000
"""How many rows a run may have."""
_SHOWN = 200
_PROBLEM = 300


class TooMany(DomainError):
    """More rows than one run may have."""

    message = N_("One run holds {most} rows at most. Filter further.")


class TooManyTogether(DomainError):
    """More rows than may be done in one transaction, in which nobody else writes on their accounts, nor on SQLite anything at all."""

    message = N_(
        "It is about {amount_cents}: all rows are done together, or none, and {most} rows at most. Filter further, or choose fewer rows."
    )


class Nothing(DomainError):
    """No row is left."""

    message = N_("Nothing is chosen that still exists. Choose rows first.")


class SameCustomer(DomainError):
    """A row above is about the same customer."""

    message = N_("A row above is about the same customer.")


class NotNow(DomainError):
    """The run is not where this could be done."""

    message = N_("This run went on meanwhile. Look at how it stands now.")


class Unexpected(DomainError):
    """Something that nobody foresaw."""

    message = N_("Something went wrong; the log tells it under {reference}.")


@dataclass(frozen=True)
class Tried:
    """What an action would do with a row, `name` its customer; `refusal` says why it is left out, `account_version` what was seen of the account."""

    row: Row
    name: str
    subject: str
    amount_cents: int
    refusal: DomainError | None
    account_version: int | None = None


@dataclass(frozen=True)
class Draft:
    """An action that was tried out: nothing is written yet."""

    action: Action
    query: Query
    params: Params
    rows: tuple[Tried, ...]

    @property
    def amount_cents(self) -> int:
        """How much money it is about."""
        return sum(one.amount_cents for one in self.rows if one.refusal is None)

    @property
    def at_once(self) -> bool:
        """Whether all rows are done together, or none."""
        return bool(self.amount_cents > law("bulk_at_once_cents"))


@dataclass(frozen=True)
class RunView:
    """A run as the screen shows it."""

    id: int
    action: str
    noun: str
    params: Params
    state: BulkState
    at_once: bool
    amount_cents: int
    created_by: str
    created_at: datetime
    version: int
    excluded: int
    waiting: int
    done: int
    failed: int

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        tried = self.done + self.failed
        return tried / (tried + self.waiting) if tried + self.waiting else 1.0


@dataclass(frozen=True)
class RowView:
    """A row of a run, and what came of it."""

    ordinal: int
    customer_no: str
    customer_name: str
    subject: str
    state: RowState
    problem: str | None
    params: dict[str, Any]


def try_out(session: Session, actor: Actor, *, action: str, query: Query, ids: Sequence[int] | None, params: Params) -> Draft:
    """Return what an action would do with the chosen rows, or with all of a filter; nothing is written.

    Raises NotPermitted, Nothing, TooMany, TooManyTogether, WrongChoice, and whatever the action refuses of its params.
    """
    actor.require(Permission.BULK_RUN)
    what = _action(action, query.noun)
    actor.require(what.right)
    what.check(params)
    chosen = list(ids) if ids is not None else lists.ids(session, actor, query=query, most=MOST)
    if len(chosen) > MOST:
        raise TooMany(most=MOST)
    rows = lists.of_ids(session, actor, noun=query.noun, ids=chosen)
    if not rows:
        raise Nothing
    tried, seen, names = [], set[int](), _names(session, {row.customer_id for row in rows if row.customer_id})
    for row in rows:
        customer_id = row.customer_id or 0
        version = account(session, customer_id)[0] if what.on_account else None
        refusal = SameCustomer() if what.once and customer_id in seen else what.excludes(session, actor, row, params)
        if refusal is None:
            seen.add(customer_id)
        subject = row.object_no or row.customer_no or ""
        tried.append(Tried(row, names.get(customer_id, ""), subject, 0 if refusal else what.amount(session, customer_id), refusal, version))
    return _short_enough(Draft(what, query, params, tuple(tried)))


def _names(session: Session, customers: Collection[int]) -> dict[int, str]:
    query = select(col(Customer.id), col(Customer.given_name), col(Customer.family_name), col(Customer.trading_name))
    return {one: written_name(*names) for one, *names in session.execute(query.where(col(Customer.id).in_(customers)))}


def begin(session: Session, actor: Actor, *, draft: Draft) -> int:
    """Write a run down and set it going; return its id. It does nothing yet: `core.bulk` steps through its rows."""
    actor.require(Permission.BULK_RUN)
    actor.require(draft.action.right)
    if all(one.refusal for one in _short_enough(draft).rows):
        raise Nothing
    run = BulkRun(
        action=draft.action.name, noun=draft.query.noun, where_=list_filters.write(draft.query.where), params=dict(draft.params),
        state=BulkState.RUNNING, at_once=draft.at_once, amount_cents=draft.amount_cents, created_by=actor.username, created_at=clock.now(),
    )  # fmt: skip
    session.add(run)
    session.flush()
    for ordinal, one in enumerate(draft.rows, 1):
        row = BulkRow(
            run_id=run.id, ordinal=ordinal, object_id=one.row.id, customer_id=one.row.customer_id or 0, subject=one.subject,
            amount_cents=one.amount_cents, account_version=one.account_version,
        )  # fmt: skip
        if one.refusal is not None:
            row.state = RowState.EXCLUDED
            _tell(row, one.refusal)
        session.add(row)
    session.flush()
    left_out = sum(1 for one in draft.rows if one.refusal)
    after = {"action": run.action, "list": run.noun, "where": run.where_, "rows": len(draft.rows) - left_out, "excluded": left_out}
    after |= {"params": dict(draft.params), "amount_cents": run.amount_cents, "at_once": run.at_once}
    audit.record(session, actor, action="bulk:begin", object_type="bulk_run", object_id=run.id, after=after)
    return run.id


def step(session: Session, actor: Actor, *, run_id: int) -> int | None:
    """Do the next row that waits, and return its ordinal; None when none is left to this process, or the run was stopped.

    Raises StepFailed with the row's ordinal where the action refuses: the transaction is then taken back, and `fail` writes it down.
    """
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id)
    if run.state is not BulkState.RUNNING or run.at_once:
        return None
    row: BulkRow | None = session.execute(_waiting(run_id).limit(1).with_for_update(skip_locked=True)).scalar_one_or_none()
    if row is None:
        return None
    _do(session, actor, run, row)
    return row.ordinal


def step_at_once(session: Session, actor: Actor, *, run_id: int) -> int:
    """Do all rows that wait in this one transaction and return how many; the first refusal raises StepFailed, and none is done."""
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id, lock=True)
    if run.state is not BulkState.RUNNING or not run.at_once:
        return 0
    rows = session.execute(_waiting(run_id).with_for_update()).scalars().all()
    for row in rows:
        _do(session, actor, run, row)
    return len(rows)


class StepFailed(Exception):
    """A row could not be done: its ordinal, and why."""

    def __init__(self, ordinal: int, cause: Exception) -> None:
        super().__init__(ordinal, cause)
        self.ordinal, self.cause = ordinal, cause


def fail(session: Session, actor: Actor, *, run_id: int, ordinal: int, refusal: DomainError) -> None:
    """Write down why a row could not be done, unless it was done meanwhile; a run of all or none stops there."""
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id, lock=True)
    row = session.execute(
        select(BulkRow).where(col(BulkRow.run_id) == run_id, col(BulkRow.ordinal) == ordinal).with_for_update()
    ).scalar_one()
    if row.state is not RowState.WAITING:
        return
    row.state, row.tried_at = RowState.FAILED, clock.real_now()
    _tell(row, refusal)
    if run.at_once and run.state is BulkState.RUNNING:
        _move(session, actor, run, BulkState.STOPPED)
    session.flush()


def finish(session: Session, actor: Actor, *, run_id: int) -> bool:
    """Close a run whose last row was tried; whether it is closed."""
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id, lock=True)
    waits = session.execute(select(func.count()).select_from(_waiting(run_id).subquery())).scalar_one()
    if run.state is BulkState.RUNNING and not waits:
        _move(session, actor, run, BulkState.FINISHED)
        session.flush()
    return run.state is BulkState.FINISHED


def stop(session: Session, actor: Actor, *, run_id: int) -> None:
    """Let a run rest: the row that is under way is still done. Raises NotNow where it does not run."""
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id, lock=True)
    if run.state is not BulkState.RUNNING:
        raise NotNow
    _move(session, actor, run, BulkState.STOPPED)
    session.flush()


def resume(session: Session, actor: Actor, *, run_id: int, failed: bool = False) -> None:
    """Let a run go on; with `failed`, what failed is tried again, as always where all rows are done or none. Raises NotNow where nothing is left."""
    actor.require(Permission.BULK_RUN)
    run = _run(session, run_id, lock=True)
    actor.require(ACTIONS[run.action].right)
    if failed or run.at_once:
        again = (col(BulkRow.run_id) == run_id, col(BulkRow.state) == RowState.FAILED)
        rows: Any = BulkRow.__table__  # type: ignore[attr-defined]
        session.execute(update(rows).where(*again).values(state=RowState.WAITING, problem=None, problem_params=None, tried_at=None))
    if session.execute(_waiting(run_id).limit(1)).first() is None:
        raise NotNow
    if run.state is not BulkState.RUNNING:
        _move(session, actor, run, BulkState.RUNNING)
    session.flush()


def view(session: Session, actor: Actor, *, run_id: int) -> RunView:
    """Return how a run stands. Raises NotFound."""
    actor.require(Permission.BULK_RUN)
    return _views(session, [_run(session, run_id)])[0]


def newest(session: Session, actor: Actor, *, limit: int = 8) -> list[RunView]:
    """Return the last runs, the newest first, whoever began them."""
    actor.require(Permission.BULK_RUN)
    return _views(session, session.execute(select(BulkRun).order_by(col(BulkRun.id).desc()).limit(limit)).scalars().all())


def rows(session: Session, actor: Actor, *, run_id: int, state: RowState | None = None) -> list[RowView]:
    """Return the rows of a run with what came of them; those that failed come first, 200 at most."""
    actor.require(Permission.BULK_RUN)
    c = Customer
    columns = (BulkRow, c.customer_no, c.given_name, c.family_name, c.trading_name)
    query = select(*columns).join(c, col(c.id) == BulkRow.customer_id).where(col(BulkRow.run_id) == run_id)  # type: ignore[call-overload]
    if state is not None:
        query = query.where(col(BulkRow.state) == state)
    query = query.order_by(col(BulkRow.state) != RowState.FAILED, col(BulkRow.ordinal)).limit(_SHOWN)
    return [
        RowView(row.ordinal, number, written_name(*names), row.subject, row.state, row.problem, told(row.problem_params))
        for row, number, *names in session.execute(query)
    ]


def told(params: dict[str, Any] | None) -> dict[str, Any]:
    """Return the params of a refusal as they were: days and moments are what they were."""
    return {name: _was(value["day"]) if isinstance(value, dict) else value for name, value in (params or {}).items()}


def _was(text: str) -> date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _action(name: str, noun: str) -> Action:
    found = ACTIONS.get(name)
    if found is None or listing(noun).noun not in found.nouns:
        raise WrongChoice
    return found


def _short_enough(draft: Draft) -> Draft:
    most = law("bulk_at_once_rows")
    if draft.at_once and sum(1 for one in draft.rows if one.refusal is None) > most:
        raise TooManyTogether(amount_cents=draft.amount_cents, most=most)
    return draft


def _do(session: Session, actor: Actor, run: BulkRun, row: BulkRow) -> None:
    try:
        ACTIONS[run.action].do(session, actor, row, run.params)
        row.state, row.tried_at = RowState.DONE, clock.real_now()
        session.flush()
    except Exception as error:
        raise StepFailed(row.ordinal, error) from error


def _tell(row: BulkRow, refusal: DomainError) -> None:
    row.problem = refusal.message[:_PROBLEM]
    row.problem_params = {name: {"day": value.isoformat()} if isinstance(value, date) else value for name, value in refusal.params.items()}


def _waiting(run_id: int) -> Any:  # noqa: ANN401 - a select
    return select(BulkRow).where(col(BulkRow.run_id) == run_id, col(BulkRow.state) == RowState.WAITING).order_by(col(BulkRow.ordinal))


def _run(session: Session, run_id: int, *, lock: bool = False) -> BulkRun:
    query = select(BulkRun).where(col(BulkRun.id) == run_id).execution_options(populate_existing=True)
    found: BulkRun | None = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _move(session: Session, actor: Actor, run: BulkRun, state: BulkState) -> None:
    if state not in BULK_MOVES[run.state]:
        raise NotNow
    before, run.state = run.state, state
    run.finished_at = clock.now() if state is BulkState.FINISHED else None
    audit.record(
        session, actor, action=f"bulk:{state}", object_type="bulk_run", object_id=run.id, before={"state": before}, after={"state": state}
    )


def _views(session: Session, runs: Sequence[BulkRun]) -> list[RunView]:
    ids = [run.id for run in runs]
    query = select(col(BulkRow.run_id), col(BulkRow.state), func.count()).where(col(BulkRow.run_id).in_(ids))
    counts = {(run_id, state): many for run_id, state, many in session.execute(query.group_by(col(BulkRow.run_id), col(BulkRow.state)))}
    return [
        RunView(
            run.id, run.action, run.noun, run.params, run.state, run.at_once, run.amount_cents, run.created_by, run.created_at, run.version,
            *(counts.get((run.id, state), 0) for state in (RowState.EXCLUDED, RowState.WAITING, RowState.DONE, RowState.FAILED)),
        )
        for run in runs
    ]  # fmt: skip
