"""A bank's answer to collections: looked at first, then taken in as a whole (R9, W7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.bank import returns as bank
from core.bank.returns import Returned
from core.models.bill import Bill
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.payment import Payment
from core.services import audit, collections

TASK_DISPUTE = "debit_dispute"
_IDS = 500
"""How many ids are asked for at once."""


class Outcome(StrEnum):
    """What a line of the bank's answer does."""

    RETURNED = "returned"
    REJECTED = "rejected"
    ALREADY = "already"
    DISPUTE = "dispute"
    DIFFERS = "differs"
    CODE = "code"
    UNKNOWN = "unknown"


CHANGES = (Outcome.RETURNED, Outcome.REJECTED)
"""What opens a bill again, or keeps it open."""


@dataclass(frozen=True)
class Line:
    """A line of the bank's answer, with the collection it is about; without one only the bank's id is known."""

    end_to_end_id: str
    code: str
    outcome: Outcome
    amount_cents: int = 0
    bill_no: str | None = None
    customer_id: int | None = None
    customer_no: str | None = None
    name: str | None = None
    until: date | None = None
    """Until when the bank might have sent it back; only where that is over."""


@dataclass(frozen=True)
class Taken:
    """What an answer does, line by line."""

    name: str
    lines: tuple[Line, ...]

    def of(self, *outcomes: Outcome) -> tuple[Line, ...]:
        """Return the lines with one of these outcomes."""
        return tuple(line for line in self.lines if line.outcome in outcomes)

    @property
    def changes(self) -> tuple[Line, ...]:
        """The lines that change something."""
        return self.of(*CHANGES)

    @property
    def sum_cents(self) -> int:
        """What comes back, or never came."""
        return sum(line.amount_cents for line in self.changes)


@dataclass(frozen=True)
class PastReturn:
    """A collection that came back, as the list shows it."""

    returned_on: date
    code: str
    amount_cents: int
    bill_no: str
    customer_no: str
    name: str


def look(session: Session, actor: Actor, *, name: str, data: bytes) -> Taken:
    """Return what an answer would do, and change nothing. Raises NotAnAnswer, FileRefused."""
    actor.require(Permission.COLLECTION_RUN)
    return Taken(name, tuple(line for line, _told in _sorted(session, bank.read(data))))


def take_in(session: Session, actor: Actor, *, name: str, data: bytes) -> Taken:
    """Carry out an answer, all of it or nothing; the same answer twice changes nothing the second time.

    What came too late, differs from what was sent, has a code that is none of R9 or is of no collection of ours changes no money: it is
    listed, and of what came too late a task is left. Raises NotAnAnswer, FileRefused.
    """
    actor.require(Permission.COLLECTION_RUN)
    found = bank.read(data)
    _lock(session, found)
    lines = _sorted(session, found)
    for line, told in lines:
        if line.customer_id is None or line.bill_no is None:
            continue
        if line.outcome in CHANGES:
            collections.return_collection(
                session, actor, customer_id=line.customer_id, bill_no=line.bill_no, code=line.code, booked_on=_booked(told)
            )
        elif line.outcome is Outcome.DISPUTE and not _asked(session, line.customer_id):
            session.add(Task(customer_id=line.customer_id, code=TASK_DISPUTE, created_at=clock.now()))
            session.flush()
    taken = Taken(name, tuple(line for line, _told in lines))
    audit.record(
        session, actor, action="collection:take_returns", object_type="bank_file", object_id=name[:40],
        after={"lines": len(taken.lines), "returned": len(taken.changes), "sum_cents": taken.sum_cents},
    )  # fmt: skip
    return taken


def since(session: Session, actor: Actor, *, day: date) -> list[PastReturn]:
    """Return what came back since a day, the newest first."""
    actor.require(Permission.COLLECTION_RUN)
    columns = (Collection.returned_on, Collection.return_code, Collection.amount_cents, Bill.bill_no, Customer.customer_no)
    query = (
        select(*map(col, columns), col(Customer.trading_name), col(Customer.given_name), col(Customer.family_name))
        .join(Bill, (col(Bill.customer_id) == col(Collection.customer_id)) & (col(Bill.id) == col(Collection.bill_id)))
        .join(Customer, col(Customer.id) == col(Collection.customer_id))
        .where(col(Collection.returned_on) >= day)
        .order_by(col(Collection.returned_on).desc(), col(Collection.id).desc())
    )
    return [
        PastReturn(row.returned_on, row.return_code, row.amount_cents, row.bill_no, row.customer_no, _name(row))
        for row in session.execute(query)
    ]


def _lock(session: Session, found: Sequence[Returned]) -> None:
    """Lock the files that are answered, before their bills: the same answer taken in twice at once waits here, and finds them returned."""
    asked = {
        batch_id
        for ids in _parts(found)
        for batch_id in session.execute(select(col(Collection.batch_id)).where(col(Collection.end_to_end_id).in_(ids))).scalars()
    }
    query = select(col(CollectionBatch.id)).where(col(CollectionBatch.id).in_(asked)).order_by(col(CollectionBatch.id))
    session.execute(query.with_for_update()).all()


def _sorted(session: Session, found: Sequence[Returned]) -> list[tuple[Line, Returned]]:
    """Say of each line what it does, by what we know of its collection; the second line about one collection does nothing."""
    known = _known(session, found)
    seen: set[str] = set()
    lines = []
    for told in found:
        row = known.get(told.end_to_end_id)
        outcome, until = (Outcome.UNKNOWN, None) if row is None else _outcome(row, told)
        if told.end_to_end_id in seen and outcome in {*CHANGES, Outcome.DISPUTE}:
            outcome = Outcome.ALREADY
        if outcome in CHANGES:
            seen.add(told.end_to_end_id)
        if row is None:
            lines.append((Line(told.end_to_end_id, told.code, outcome), told))
        else:
            line = Line(
                told.end_to_end_id, told.code, outcome, row.amount_cents, row.bill_no, row.customer_id, row.customer_no, _name(row), until
            )
            lines.append((line, told))
    return lines


def _outcome(row: Any, told: Returned) -> tuple[Outcome, date | None]:  # noqa: ANN401 - a row of a wide select
    if row.state in {CollectionState.RETURNED, CollectionState.WITHDRAWN}:
        return Outcome.ALREADY, None
    if row.batch_state is BatchState.MADE:
        return Outcome.UNKNOWN, None  # The bank can't answer what it was not asked.
    if told.code not in collections.RETURN_CODES:
        return Outcome.CODE, None
    if told.amount_cents is not None and told.amount_cents != row.amount_cents:
        return Outcome.DIFFERS, None
    if row.received_on is None:
        return Outcome.REJECTED, None
    until = collections.returnable_until(told.code, row.received_on)
    return (Outcome.DISPUTE, until) if until and _booked(told) > until else (Outcome.RETURNED, None)


def _booked(told: Returned) -> date:
    """Return the day on which the bank took the money back; never one that is still to come."""
    return min(told.booked_on or clock.today(), clock.today())


def _known(session: Session, found: Sequence[Returned]) -> dict[str, Any]:
    columns = (
        Collection.end_to_end_id, Collection.state, Collection.amount_cents, Collection.customer_id, Bill.bill_no, Customer.customer_no,
        Customer.trading_name, Customer.given_name, Customer.family_name, Payment.received_on,
    )  # fmt: skip
    query = (
        select(*map(col, columns), col(CollectionBatch.state).label("batch_state"))
        .join(Bill, (col(Bill.customer_id) == col(Collection.customer_id)) & (col(Bill.id) == col(Collection.bill_id)))
        .join(Customer, col(Customer.id) == col(Collection.customer_id))
        .outerjoin(CollectionBatch, col(CollectionBatch.id) == col(Collection.batch_id))
        .outerjoin(Payment, (col(Payment.customer_id) == col(Collection.customer_id)) & (col(Payment.id) == col(Collection.payment_id)))
    )
    rows = [row for ids in _parts(found) for row in session.execute(query.where(col(Collection.end_to_end_id).in_(ids)))]
    return {row.end_to_end_id: row for row in rows}


def _parts(found: Sequence[Returned]) -> list[list[str]]:
    ids = sorted({told.end_to_end_id for told in found})
    return [ids[start : start + _IDS] for start in range(0, len(ids), _IDS)]


def _asked(session: Session, customer_id: int) -> bool:
    """Whether the task about a return that came too late waits already."""
    query = select(col(Task.id)).where(col(Task.customer_id) == customer_id, col(Task.code) == TASK_DISPUTE, col(Task.done_at).is_(None))
    return session.execute(query.limit(1)).first() is not None


def _name(row: Any) -> str:  # noqa: ANN401 - a row of a wide select
    return str(row.trading_name or " ".join(part for part in (row.given_name, row.family_name) if part))
