"""The file of a collection run: made of what is due on a day, written anew while its bills change, then sent and left as it is (R7, R8)."""

import hashlib
import zlib
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission
from core.bank.direct_debits import Creditor, Debit, render
from core.catalogue import company
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState
from core.services import audit, collection_facts
from core.services.collection_facts import Candidate
from core.services.periods import next_banking_day
from core.services.references import ogm


class NothingToCollect(DomainError):
    """No bill is to be collected on a day."""

    message = N_("Nothing is left to collect on {on}.")


class TooLateForBank(DomainError):
    """The bank would not carry out a file for that day any more, or works on no such day."""

    message = N_("The bank does not collect on {on} any more. The first day it can still do so is {first}.")


def check_day(collect_on: date, today: date) -> None:
    """Raise TooLateForBank for a day on which the bank would not carry out a file that it gets today."""
    first = collection_facts.first_day(today)
    if collect_on < first or next_banking_day(collect_on) != collect_on:
        raise TooLateForBank(on=collect_on, first=first)


def make(session: Session, actor: Actor, collect_on: date, today: date) -> str:
    """Write the file of what is due on a day and in no file yet. Two at once: the second waits for the bills, and finds them taken."""
    actor.require(Permission.COLLECTION_RUN)
    session.execute(select(col(Bill.id)).where(*collection_facts.open_debits()).order_by(col(Bill.id)).with_for_update()).all()
    todo = [one for one in collection_facts.waiting(session, today) if one.collect_on == collect_on and one.hindrance is None]
    of_day = select(col(CollectionBatch.message_id)).where(col(CollectionBatch.message_id).startswith(f"SDD-{collect_on:%Y%m%d}-"))
    newest: str | None = session.execute(of_day.order_by(col(CollectionBatch.message_id).desc()).limit(1)).scalar_one_or_none()
    if not todo and newest is None:
        raise NothingToCollect(on=collect_on)
    if not todo and newest:
        return newest
    name = message_id(collect_on, int(newest[-2:]) + 1 if newest else 1)
    batch = CollectionBatch(
        message_id=name,
        collect_on=collect_on,
        made_at=clock.now(),
        state=BatchState.MADE,
        collections=len(todo),
        sum_cents=sum(one.amount_cents for one in todo),
        sha256="",
        content=b"",
    )
    session.add(batch)
    session.flush()
    tried = collection_facts.attempts(session, [one.bill_id for one in todo])
    for one in todo:
        end_to_end_id = f"{one.bill_no}D{tried.get(one.bill_id, 0) + 1}"
        row = Collection(
            customer_id=one.customer_id, bill_id=one.bill_id, mandate_id=one.mandate_id, batch_id=batch.id, end_to_end_id=end_to_end_id,
            state=CollectionState.PENDING, **_copied(one, collect_on),
        )  # fmt: skip
        session.add(row)
    session.flush()
    rewrite(session, batch, today)
    _record(session, actor, batch, "make")
    return name


def rewrite(session: Session, batch: CollectionBatch, today: date) -> bool:
    """Write a file that was not sent yet from its bills as they stand; False where none is left, and the file with it.

    What was paid meanwhile, or must not be collected any more, leaves it; a day that the bank can't keep any more moves on.
    """
    rows = pending_rows(session, batch)
    named = col(Bill.id).in_([row.bill_id for row in rows])
    found = {
        one.bill_id: one for one in collection_facts.of_bills(session, today, *collection_facts.open_debits(), named, but_batch=batch.id)
    }
    batch.collect_on = max(batch.collect_on, collection_facts.first_day(today))
    debits = []
    for row in rows:
        one = found.get(row.bill_id)
        if one is None or one.hindrance:
            row.state, row.batch_id = CollectionState.WITHDRAWN, None
            continue
        for name, value in _copied(one, batch.collect_on).items():
            setattr(row, name, value)
        debits.append(_debit(row, one))
    session.flush()
    if not debits:
        session.delete(batch)
        session.flush()
        return False
    data = render(creditor(), batch.message_id, clock.local(batch.made_at), debits)
    batch.collections, batch.sum_cents = len(debits), sum(one.amount_cents for one in debits)
    batch.sha256, batch.content = hashlib.sha256(data).hexdigest(), zlib.compress(data)
    session.flush()
    return True


def send(session: Session, actor: Actor, batch: CollectionBatch, today: date) -> bool:
    """Let a file stand as it is from now on; False where nothing is left of it."""
    actor.require(Permission.COLLECTION_RUN)
    if not rewrite(session, batch, today):
        _record(session, actor, batch, "drop")
        return False
    batch.state, batch.sent_at = BatchState.SENT, clock.now()
    session.flush()
    _record(session, actor, batch, "send")
    return True


def _copied(one: Candidate, collect_on: date) -> dict[str, Any]:
    """Return what a collection copies of its bill and its mandate."""
    return {
        "amount_cents": one.amount_cents,
        "sequence": one.sequence,
        "collect_on": collect_on,
        "holder": one.holder,
        "iban": one.iban,
        "amended": one.amended,
    }


def _debit(row: Collection, one: Candidate) -> Debit:
    return Debit(
        row.end_to_end_id, row.amount_cents, row.sequence.value, row.collect_on, one.umr, one.signed_on, row.holder, row.iban,
        f"{one.bill_no} {ogm(one.bill_no)}", row.amended,
    )  # fmt: skip


def creditor() -> Creditor:
    """Return who collects."""
    ours = company()
    street, _, number = ours.street.rpartition(" ")
    return Creditor(ours.name, ours.iban, ours.creditor_id, street, number, ours.postcode, ours.town[i18n.DEFAULT], bic=ours.bic)  # type: ignore[index]


def message_id(collect_on: date, number: int) -> str:
    """Name a file by its day, and its number on it."""
    return f"SDD-{collect_on:%Y%m%d}-{number:02d}"


def locked(session: Session, name: str) -> CollectionBatch:
    """Return a file, locked until the transaction ends. Raises NotFound."""
    found: CollectionBatch | None = session.execute(
        select(CollectionBatch).where(col(CollectionBatch.message_id) == name).with_for_update()
    ).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def pending_rows(session: Session, batch: CollectionBatch) -> list[Collection]:
    """Return what a file still asks for."""
    query = select(Collection).where(col(Collection.batch_id) == batch.id, col(Collection.state) == CollectionState.PENDING)
    return list(session.execute(query.order_by(col(Collection.id))).scalars())


def _record(session: Session, actor: Actor, batch: CollectionBatch, verb: str) -> None:
    audit.record(
        session, actor, action=f"collection:{verb}", object_type="collection_batch", object_id=batch.message_id,
        after={"collect_on": batch.collect_on, "collections": batch.collections, "sum_cents": batch.sum_cents, "sha256": batch.sha256},
    )  # fmt: skip
