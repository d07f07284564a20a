"""Bytes that follow a database transaction: a row never stands without its bytes.

Bytes are written before their row is committed, and deleted after the row that gave them up is. What goes wrong in between
leaves bytes without a row, which nobody can reach and `core.services.documents.sweep` deletes.
"""

import logging
from dataclasses import dataclass, field

from obstore.exceptions import BaseError
from sqlalchemy import event
from sqlalchemy.orm import Session

from core.documents import store

log = logging.getLogger("guichet")

_NAME = "documents"


@dataclass
class _Pending:
    written: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    committing: bool = False


def put(session: Session, data: bytes) -> str:
    """Store bytes for a row of this transaction and return their key."""
    key = store.new_key()
    store.put(key, data)
    _of(session).written.append(key)
    return key


def delete(session: Session, key: str) -> None:
    """Delete bytes once this transaction is committed."""
    _of(session).given_up.append(key)


def _of(session: Session) -> _Pending:
    pending: _Pending = session.info.setdefault(_NAME, _Pending())
    return pending


@event.listens_for(Session, "before_commit")
def _commits(session: Session) -> None:
    """From here on only the database knows whether the rows stand: a failure must not delete their bytes."""
    if _NAME in session.info and not session.in_nested_transaction():
        _of(session).committing = True


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    if _NAME in session.info and not session.in_nested_transaction():
        _delete(session.info.pop(_NAME).given_up)


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    """Forget what was to be deleted, also where only a savepoint fell; clean up what was written if the whole transaction did."""
    pending: _Pending | None = session.info.pop(_NAME, None)
    if pending and not pending.committing and not session.in_nested_transaction():
        _delete(pending.written)


def _delete(keys: list[str]) -> None:
    """Delete what is no longer needed; what can't be deleted now is left to the sweep."""
    for key in keys:
        try:
            store.delete(key)
        except (BaseError, OSError):
            log.exception("bytes left in the document store")
