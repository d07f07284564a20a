"""The seals of the trail: each entry is hashed together with the seal before it, so that no row can be changed, lost or slipped in unseen.

What a transaction wrote is sealed right before its commit. On PostgreSQL writers take turns only from there on: a lock that is held
until the commit lets the next one see the newest seal. SQLite has one writer at a time anyway.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, event, exists, insert, select, text
from sqlmodel import Session, col

from core.models.audit import AuditEntry, AuditSeal

START = "0" * 64
"""What the first seal of all holds in place of the one before it."""
UNSEALED = "audit_unsealed"
"""Where a session keeps what it recorded and has not sealed yet."""

_LOCK = text("SELECT pg_advisory_xact_lock(4712027)")
_AT_ONCE = 500
_NAMES = ("id", "at", "business_at", "actor", "user_id", "customer_id", "action", "object_type", "object_id", "before", "after", "reason")
ENTRY = tuple(getattr(AuditEntry, name) for name in _NAMES)
"""The columns that are sealed: all there are."""


@dataclass(frozen=True)
class Head:
    """How far the trail goes: the number of its newest seal, and its hash. Whoever keeps it elsewhere can tell later that nothing was cut off."""

    no: int
    hash: str


def note(session: Session, entry: AuditEntry) -> None:
    """Write an entry, to be sealed at the end of the transaction."""
    session.add(entry)
    session.info.setdefault(UNSEALED, []).append(entry)


def newest(session: Session) -> Head:
    """Return the newest seal."""
    found = session.execute(_newest()).first()
    return Head(*found) if found else Head(0, START)


def seal(before: str, no: int, row: Any) -> str:  # noqa: ANN401 - a row of the trail
    """Return the hash of an entry in its place, together with the hash before it."""
    moments = (row.at.isoformat(), row.business_at.isoformat())
    who = (row.actor, row.user_id, row.customer_id)
    what = (row.action, row.object_type, row.object_id, row.before, row.after, row.reason)
    told = json.dumps([no, row.id, *moments, *who, *what], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{before}{told}".encode("utf-8", "surrogatepass")).hexdigest()


@event.listens_for(Session, "before_commit")
def _seal_what_was_noted(session: Session) -> None:
    """Seal what was recorded in this transaction, as the database holds it; the end of a part of it is no commit."""
    if UNSEALED not in session.info or session.in_nested_transaction():
        return
    session.flush()
    written = sorted({entry.id for entry in session.info.pop(UNSEALED) if entry.id is not None})
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_LOCK)
    head = newest(session)
    no, last = head.no, head.hash
    for start in range(0, len(written), _AT_ONCE):
        seals = []
        for row in session.execute(_noted(), {"ids": written[start : start + _AT_ONCE]}):
            no += 1
            last = seal(last, no, row)
            seals.append({"no": no, "entry_id": row.id, "hash": last})
        if seals:
            session.execute(insert(AuditSeal), seals)


@cache
def _newest() -> Select[int, str]:
    return select(col(AuditSeal.no), col(AuditSeal.hash)).order_by(col(AuditSeal.no).desc()).limit(1)


@cache
def _noted() -> Select[Any]:
    """Make the query of noted entries that are still there: those of a part that failed are not."""
    sealed = exists().where(col(AuditSeal.entry_id) == AuditEntry.id)
    return select(*ENTRY).where(col(AuditEntry.id).in_(bindparam("ids", expanding=True)), ~sealed).order_by(col(AuditEntry.id))
