"""Collection runs: what is due, the file for the bank, and the day on which the money moves (W7, R7, R8).

A file is made, sent, settled. Until it is sent it follows its bills; from then on it stands as it is, and a collection is only called back.
"""

import zlib
from collections import Counter
from collections.abc import Sequence as Many
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError
from core.models.bill import Bill
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState, Sequence
from core.models.interaction import Task
from core.services import audit, collection_facts, collection_files, collections, mandates, payments
from core.services.collection_facts import Candidate, Hindrance

TASK_RECALL = "debit_recall"


class TooLateToWithdraw(DomainError):
    """The collection leaves the account within a business day (W7)."""

    message = N_(
        "The collection of {on} could be withdrawn until {last}. The holder may have it paid back by his bank within {weeks} weeks."
    )


@dataclass(frozen=True)
class DueDay:
    """What is to be collected on a day; `last_day` is the last one on which the file may be handed in."""

    collect_on: date
    last_day: date
    rows: tuple[Candidate, ...]

    @property
    def sum_cents(self) -> int:
        """What they come to."""
        return sum(row.amount_cents for row in self.rows)

    @property
    def sequences(self) -> Counter[Sequence]:
        """How many are the first of their mandate, and how many follow."""
        return Counter(row.sequence for row in self.rows)


@dataclass(frozen=True)
class Upcoming:
    """What is to be collected, day by day, and which bills can't be."""

    days: tuple[DueDay, ...]
    blocked: tuple[Candidate, ...]


@dataclass(frozen=True)
class BatchView:
    """A file as it is shown."""

    message_id: str
    collect_on: date
    made_at: datetime
    sent_at: datetime | None
    state: BatchState
    collections: int
    sum_cents: int
    sha256: str
    returned: int


@dataclass(frozen=True)
class OwnCollection:
    """A bill that will be collected from a customer: `sent` where the bank has it; `until` is the last day on which it may be withdrawn.

    With a `hindrance` it is not collected as long as that stands.
    """

    bill_no: str
    amount_cents: int
    collect_on: date
    sent: bool
    until: date
    hindrance: Hindrance | None = None


def upcoming(session: Session, actor: Actor) -> Upcoming:
    """Return what would be collected on each day, and what can't be, and why: the preview of each file (W7)."""
    actor.require(Permission.COLLECTION_RUN)
    found = collection_facts.waiting(session, clock.today())
    return Upcoming(_by_day(found), tuple(one for one in found if one.hindrance))


def batches(session: Session, actor: Actor, *, limit: int = 8) -> list[BatchView]:
    """Return the files that were made, the newest first."""
    actor.require(Permission.COLLECTION_RUN)
    names = "id message_id collect_on made_at sent_at state collections sum_cents sha256"
    columns = [getattr(CollectionBatch, name) for name in names.split()]
    rows = session.execute(
        select(*columns).order_by(col(CollectionBatch.collect_on).desc(), col(CollectionBatch.id).desc()).limit(limit)
    ).all()
    back = Counter(
        session.execute(
            select(col(Collection.batch_id)).where(
                col(Collection.batch_id).in_([row.id for row in rows]), col(Collection.state) == CollectionState.RETURNED
            )
        ).scalars()
    )
    return [BatchView(**{name: getattr(row, name) for name in names.split()[1:]}, returned=back[row.id]) for row in rows]


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> list[OwnCollection]:
    """Return what is to be collected from a customer, in a file already or not."""
    actor.require(Permission.BILL_READ, customer_id)
    query = (
        select(col(Bill.bill_no), col(Collection.amount_cents), col(Collection.collect_on), col(CollectionBatch.state))
        .join(Bill, (col(Bill.customer_id) == col(Collection.customer_id)) & (col(Bill.id) == col(Collection.bill_id)))
        .join(CollectionBatch, col(CollectionBatch.id) == col(Collection.batch_id))
        .where(col(Collection.customer_id) == customer_id, col(Collection.state) == CollectionState.PENDING)
        .order_by(col(Collection.collect_on), col(Collection.id))
    )
    filed = [
        OwnCollection(no, cents, on, state is not BatchState.MADE, collection_facts.last_day(on))
        for no, cents, on, state in session.execute(query)
    ]
    rest = collection_facts.waiting(session, clock.today(), col(Bill.customer_id) == customer_id)
    return filed + [OwnCollection(one.bill_no, one.amount_cents, one.collect_on, False, one.last_day, one.hindrance) for one in rest]


def make_batch(session: Session, actor: Actor, *, collect_on: date) -> str:
    """Make the file of a day and return its message id; where nothing new is due, that of the newest one of the day.

    Raises TooLateForBank less than a business day ahead (R7) and on days on which no bank works, NothingToCollect.
    """
    actor.require(Permission.COLLECTION_RUN)
    collection_files.check_day(collect_on, clock.today())
    return collection_files.make(session, actor, collect_on, clock.today())


def file(session: Session, actor: Actor, *, message_id: str) -> bytes:
    """Return a file for the bank. Whoever takes it first hands it in: from then on it stands as it is. Raises NotFound, NothingToCollect."""
    actor.require(Permission.COLLECTION_RUN)
    batch = collection_files.locked(session, message_id)
    if batch.state is BatchState.MADE and not collection_files.send(session, actor, batch, clock.today()):
        raise collection_files.NothingToCollect(on=batch.collect_on)
    audit.record(
        session, actor, action="collection:download", object_type="collection_batch", object_id=message_id, after={"sha256": batch.sha256}
    )
    return zlib.decompress(batch.content)


def withdraw(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> None:
    """Take one bill out of what is collected, until a business day before; it is then paid by transfer (W7).

    Where the bank has the file already a task asks a colleague to call the collection back there.
    Raises NotFound, NotCollectible, TooLateToWithdraw.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    found = _pending(session, customer_id, bill_no)
    batch = _batch_of(session, found) if found else None
    bill, today = payments.bill_of(session, customer_id, bill_no), clock.today()
    if bill.mandate_id is None or bill.remaining_cents == 0:
        raise collections.NotCollectible
    if found and batch:
        last = collection_facts.last_day(found.collect_on)
        if today > last:
            raise TooLateToWithdraw(on=found.collect_on, last=last, weeks=law("direct_debit_refund_weeks"))
        found.state = CollectionState.WITHDRAWN
        if batch.state is BatchState.MADE:
            found.batch_id = None
            session.flush()
            collection_files.rewrite(session, batch, today)
        else:
            session.add(Task(customer_id=customer_id, code=TASK_RECALL, due=last, created_at=clock.now()))
    audit.record(
        session, actor, action="collection:withdraw", object_type="bill", object_id=bill_no, customer_id=customer_id,
        after={"file": batch.message_id if batch else None, "recalled": bool(found and found.batch_id)},
    )  # fmt: skip
    collections.pay_by_transfer(session, actor, bill=bill)


def make_due(session: Session, actor: Actor, day: date) -> list[str]:
    """Do all that a day asks before its collections: dead mandates end, and each file whose last day has come is made and sent.

    A second call on the day does nothing. Returns the message ids of what was sent.
    """
    actor.require(Permission.COLLECTION_RUN)
    for mandate in mandates.expire_due(session, actor, day=day):
        collections.release(session, actor, mandate=mandate)
    query = select(CollectionBatch).where(col(CollectionBatch.state) == BatchState.MADE).order_by(col(CollectionBatch.id)).with_for_update()
    session.execute(query).all()  # Files before bills, as everybody who needs both locks them.
    for due in _by_day(collection_facts.waiting(session, day)):
        if due.last_day <= day:
            collection_files.make(session, actor, due.collect_on, day)
    made = [one for one in session.execute(query).scalars().all() if collection_facts.last_day(one.collect_on) <= day]
    return [one.message_id for one in made if collection_files.send(session, actor, one, day)]


def settle_due(session: Session, actor: Actor, day: date) -> int:
    """Book what the bank collected up to a day and return how many; a second call finds nothing."""
    actor.require(Permission.COLLECTION_RUN)
    sent = (
        select(CollectionBatch)
        .where(col(CollectionBatch.state) == BatchState.SENT, col(CollectionBatch.collect_on) <= day)
        .order_by(col(CollectionBatch.collect_on), col(CollectionBatch.id))
        .with_for_update()
    )
    many = 0
    for batch in session.execute(sent).scalars().all():
        rows = collection_files.pending_rows(session, batch)
        for row in rows:
            collections.settle(session, actor, collection=row)
        many += len(rows)
        batch.state = BatchState.SETTLED
        session.flush()
        audit.record(
            session, actor, action="collection:settle", object_type="collection_batch", object_id=batch.message_id,
            after={"collections": len(rows), "sum_cents": sum(row.amount_cents for row in rows)},
        )  # fmt: skip
    return many


def _by_day(found: Many[Candidate]) -> tuple[DueDay, ...]:
    free = [one for one in found if one.hindrance is None]
    days = sorted({one.collect_on for one in free})
    return tuple(DueDay(on, collection_facts.last_day(on), tuple(one for one in free if one.collect_on == on)) for on in days)


def _batch_of(session: Session, row: Collection) -> CollectionBatch:
    """Return the file of a collection, locked before its bill is: in the order in which a file is sent and settled."""
    found: CollectionBatch = session.execute(
        select(CollectionBatch).where(col(CollectionBatch.id) == row.batch_id).with_for_update()
    ).scalar_one()
    return found


def _pending(session: Session, customer_id: int, bill_no: str) -> Collection | None:
    found: Collection | None = session.execute(
        select(Collection)
        .join(Bill, (col(Bill.customer_id) == col(Collection.customer_id)) & (col(Bill.id) == col(Collection.bill_id)))
        .where(col(Collection.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Collection.state) == CollectionState.PENDING)
    ).scalar_one_or_none()
    return found
