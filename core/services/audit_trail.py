"""Whether the trail is still what was written, and how its oldest part is let go once its time is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, delete, exists, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.models.audit import AuditEntry, AuditRelease, AuditSeal
from core.services import audit
from core.services.audit_seals import ENTRY, START, UNSEALED, Head, newest, seal

PRUNED = "audit:prune"
_NOT_READ = (ValueError, TypeError, AttributeError, SQLAlchemyError)
"""What is raised where a row holds something else than its columns say, as SQLite lets it."""


class Fault(StrEnum):
    """What can be wrong with a row of the trail."""

    CHANGED = "changed"
    """The entry, its place or its seal is not what was written."""
    MISSING = "missing"
    """The entry of a seal is gone."""
    GAP = "gap"
    """A seal is gone, or the trail begins later than it may."""
    UNSEALED = "unsealed"
    """An entry came in past the house."""
    RELEASED = "released"
    """A row of audit_release was left over: whoever writes to the database may change and delete what he likes."""


class TrailBroken(Exception):
    """The trail is not what was written: somebody must look into it."""


@dataclass(frozen=True)
class Wrong:
    """The first row that is wrong."""

    fault: Fault
    no: int | None
    entry_id: int | None


@dataclass(frozen=True)
class Verdict:
    """What a look through the trail found: how many entries are right, where it ends, and the first row that is wrong."""

    entries: int
    head: Head
    wrong: Wrong | None


def verify(session: Session, actor: Actor, *, known: Head | None = None) -> Verdict:
    """Look through the whole trail and name the first row that is not what was written.

    `known` is a head that was kept elsewhere: the trail must still hold it. What this transaction wrote itself is not looked at.
    """
    actor.require(Permission.AUDIT_READ)
    entries, last, met = 0, Head(0, START), known is None or known.no == 0
    for row in _rows(session):
        anchor = not last.no and (row.no != 1 or row.id is None) and _pruned(session, row)
        if fault := _fault(last, row, anchor=anchor):
            return Verdict(entries, last, _wrong(fault, last, row))
        entries += not anchor
        last = Head(row.no, row.hash)
        if known is not None and known.no == last.no:
            met = known.hash == last.hash
            if not met:
                return Verdict(entries, last, _wrong(Fault.CHANGED, last, row))
    if not met and known is not None and known.no > last.no:
        return Verdict(entries, last, Wrong(Fault.GAP, last.no + 1, None))
    return Verdict(entries, last, _beside(session))


def check(session: Session, actor: Actor) -> None:
    """Look through the whole trail, in a session that only reads: nobody waits. Raises TrailBroken, which names the row."""
    found = verify(session, actor)
    if found.wrong is not None:
        raise TrailBroken(tell(found.wrong))


def let_go(session: Session, actor: Actor, _day: date) -> int:
    """Do a day's work on the trail inside its transaction: let go what is past its time, and return how many entries that were."""
    return prune(session, actor)


def tell(wrong: Wrong) -> str:
    """Name a wrong row, for those who run the house."""
    if wrong.fault is Fault.RELEASED:
        return f"{wrong.fault.value}: a row of audit_release lets the trail be changed; delete it, and find out who left it"
    place = f"seal {wrong.no}" if wrong.no else "no seal"
    entry = f"audit_entry {wrong.entry_id}" if wrong.entry_id else "no entry"
    return f"{wrong.fault.value}: {place}, {entry}"


def prune(session: Session, actor: Actor, *, before: datetime | None = None) -> int:
    """Delete the entries that the house need no longer keep, from the oldest on, and return how many they were (S50).

    The newest seal among them stays as the anchor of the rest, and an entry of its own names it: a trail that begins anywhere else is broken.
    """
    actor.require(Permission.JOB_RUN)
    limit = before or clock.at(clock.add_months(clock.local(clock.real_now()).date(), -law("audit_months")))
    younger = (
        select(func.min(col(AuditSeal.no))).join(AuditEntry, col(AuditEntry.id) == AuditSeal.entry_id).where(col(AuditEntry.at) >= limit)
    )
    first_kept = session.execute(younger).scalar() or newest(session).no + 1
    anchor = session.execute(select(AuditSeal.no, AuditSeal.hash).where(col(AuditSeal.no) == first_kept - 1)).first()  # type: ignore[call-overload]
    if anchor is None:
        return 0
    old = select(col(AuditSeal.entry_id)).where(col(AuditSeal.no) < first_kept)
    with released(session):
        gone: int = session.execute(delete(AuditEntry).where(col(AuditEntry.id).in_(old))).rowcount  # type: ignore[attr-defined]
        session.execute(delete(AuditSeal).where(col(AuditSeal.no) < first_kept - 1))
    if gone:
        after = {"entries": gone, "no": anchor.no, "hash": anchor.hash}
        audit.record(session, actor, action=PRUNED, object_type="audit_seal", object_id=anchor.no, after=after)
    return gone


@contextmanager
def released(session: Session) -> Iterator[None]:
    """Let rows of the trail be deleted within a block: for what is past its time, and for a demo that begins anew."""
    session.execute(insert(AuditRelease).values(id=1))
    yield
    session.execute(delete(AuditRelease))


def _fault(last: Head, row: Any, *, anchor: bool) -> Fault | None:  # noqa: ANN401 - a row of the trail
    """Say what is wrong with a row, as it follows the seal before it."""
    if anchor:
        return None if row.id is None else Fault.CHANGED  # The entry of an anchor is gone: another one hides behind its seal.
    if row.no != last.no + 1:
        return Fault.GAP
    if row.id is None:
        return Fault.MISSING
    return None if row.hash is not None and row.hash == _hash(last.hash, row) else Fault.CHANGED


def _wrong(fault: Fault, last: Head, row: Any) -> Wrong:  # noqa: ANN401 - a row of the trail
    return Wrong(fault, last.no + 1, None) if fault is Fault.GAP else Wrong(fault, row.no, row.entry_id)


def _beside(session: Session) -> Wrong | None:
    """Return what is wrong beside the seals: an entry without one, or a release that nobody took away."""
    own = {entry.id for entry in session.info.get(UNSEALED, ())}
    stray = next((one for one in session.execute(_unsealed()).scalars() if one not in own), None)
    if stray is not None:
        return Wrong(Fault.UNSEALED, None, stray)
    return Wrong(Fault.RELEASED, None, None) if session.execute(select(col(AuditRelease.id))).first() else None


@dataclass(frozen=True)
class _Unreadable:
    """A seal whose entry holds what the house can't have written: no moment, no JSON, no text."""

    no: int
    entry_id: int
    id: int
    hash: None = None


def _rows(session: Session) -> Iterator[Any]:
    """Go through the seals with their entries, many at a time; one by one from where something can't be read, to tell which it is."""
    last = None
    try:
        for row in session.execute(_trail(), execution_options={"yield_per": 2000}):
            yield row
            last = row.no
    except _NOT_READ:
        left = select(col(AuditSeal.no), col(AuditSeal.entry_id)).order_by(col(AuditSeal.no))
        for no, entry_id in session.execute(left if last is None else left.where(col(AuditSeal.no) > last)).all():
            try:
                yield session.execute(_trail().where(col(AuditSeal.no) == no)).one()
            except _NOT_READ:
                yield _Unreadable(no, entry_id, entry_id)


def _hash(before: str, row: Any) -> str | None:  # noqa: ANN401 - a row of the trail
    try:
        return seal(before, row.no, row)
    except _NOT_READ:
        return None  # SQLite holds bytes where text belongs, too.


def _pruned(session: Session, row: Any) -> bool:  # noqa: ANN401 - a row of the trail
    """Whether the trail may begin with this seal: an entry further on says that what was before it is past its time."""
    query = select(col(AuditEntry.after)).where(
        col(AuditEntry.object_type) == "audit_seal", col(AuditEntry.object_id) == str(row.no), col(AuditEntry.action) == PRUNED
    )
    try:
        return any(isinstance(after, dict) and after.get("hash") == row.hash for after in session.execute(query).scalars())
    except _NOT_READ:
        return False


@cache
def _trail() -> Select[Any]:
    of = col(AuditEntry.id) == AuditSeal.entry_id
    query = select(col(AuditSeal.no), col(AuditSeal.entry_id), col(AuditSeal.hash), *ENTRY)
    return query.select_from(AuditSeal).outerjoin(AuditEntry, of).order_by(col(AuditSeal.no))


@cache
def _unsealed() -> Select[Any]:
    sealed = exists().where(col(AuditSeal.entry_id) == AuditEntry.id)
    return select(col(AuditEntry.id)).where(~sealed).order_by(col(AuditEntry.id))
