"""Whether a customer was forgotten: nothing is written into his file any more."""

from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.errors import N_, DomainError, NotFound
from core.models.audit import AuditEntry
from core.models.customer import Customer, CustomerStatus

ACTION = "customer:erase"


class ErasedAlready(DomainError):
    """The customer was forgotten."""

    message = N_("This file was erased on {on} already.")


def on(session: Session, customer_id: int) -> date | None:
    """Return the day a closed file was erased, the last time it was."""
    status = session.execute(select(col(Customer.status)).where(col(Customer.id) == customer_id)).scalar()
    return _day(session, customer_id) if status is CustomerStatus.CLOSED else None


def refuse(session: Session, customer_id: int) -> None:
    """Refuse to write into an erased file. Whoever erases it meanwhile waits, or is waited for. Raises ErasedAlready, NotFound.

    Comes before any lock on a row of the file: who erases takes the customer first too.
    """
    mine = select(col(Customer.status)).where(col(Customer.id) == customer_id).with_for_update(read=True, key_share=True)
    status = session.execute(mine).scalar()
    if status is None:
        raise NotFound
    if status is CustomerStatus.CLOSED and (day := _day(session, customer_id)):
        raise ErasedAlready(on=day)


def _day(session: Session, customer_id: int) -> date | None:
    mine = (col(AuditEntry.customer_id) == customer_id, col(AuditEntry.action) == ACTION)
    found = session.execute(select(func.max(col(AuditEntry.business_at))).where(*mine)).scalar()
    return clock.local(found).date() if found else None
