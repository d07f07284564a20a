"""The trail of who did what: written by hand in each service, in the transaction of the change itself."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, OnlyLooks
from core.errors import ChangedMeanwhile
from core.models.audit import AuditEntry
from core.services import audit_seals

Facts = dict[str, Any]
LOOKS = frozenset({"bill:download", "document:open", "e_invoice:download", "mandate:download", "message:open", "usage:export"})
"""What may be recorded in a customer's view: nothing of it changes anything."""


def record(
    session: Session,
    actor: Actor,
    *,
    action: str,
    object_type: str,
    object_id: object,
    customer_id: int | None = None,
    before: Facts | None = None,
    after: Facts | None = None,
    reason: str | None = None,
) -> None:
    """Write one entry: `action` is `noun:verb`; before and after hold only the facts that changed, never a secret.

    Whatever is written passes here: a colleague in a customer's view may only look. Raises OnlyLooks.
    """
    if actor.watching and action not in LOOKS:
        raise OnlyLooks
    audit_seals.note(
        session,
        AuditEntry(
            at=clock.real_now(),
            business_at=clock.now(),
            actor=actor.username,
            user_id=actor.user_id or actor.watcher_id,
            customer_id=customer_id,
            action=action,
            object_type=object_type,
            object_id=str(object_id),
            before=_plain(before),
            after=_plain(after),
            reason=reason,
        ),
    )


def check_version(session: Session, row: Any, shown: int, object_type: str, object_id: object) -> None:  # noqa: ANN401 - any versioned row
    """Refuse to write on a row that changed since it was shown (S53); the refusal says who changed it, and when."""
    if row.version != shown:
        raise changed_meanwhile(session, object_type, object_id)


def changed_meanwhile(session: Session, object_type: str, object_id: object) -> ChangedMeanwhile:
    """Return the refusal that names the last one who changed an object."""
    last = session.exec(
        select(AuditEntry.actor, AuditEntry.business_at)
        .where(AuditEntry.object_type == object_type, AuditEntry.object_id == str(object_id))
        .order_by(col(AuditEntry.id).desc())
        .limit(1)
    ).first()
    return changed_by(*last) if last else changed_by(None, None)


def changed_by(who: str | None, moment: datetime | None) -> ChangedMeanwhile:
    """Return the refusal that names who was first, and when."""
    return ChangedMeanwhile(who=who or "?", at=clock.local(moment or clock.now()).strftime("%H:%M"))


def _plain(facts: Facts | None) -> Facts | None:
    """Turn facts into what JSON can hold."""
    if facts is None:
        return None
    return {name: _plain_value(value) for name, value in facts.items()}


def _plain_value(value: Any) -> Any:  # noqa: ANN401 - whatever a fact may be
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
