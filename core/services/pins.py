"""The files that somebody of the house keeps at hand: pinned by himself, seen by nobody else."""

from typing import Any

from sqlalchemy import Row, delete, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound, NotPermitted
from core.models.customer import Customer
from core.models.pin import PinnedFile
from core.services import audit
from core.services.customers import Opened, written_name

MOST = 20


class PinnedEnough(DomainError):
    """More than a list to keep at hand can hold."""

    message = N_("You pinned {most} files. Unpin one that you no longer need.")


def pinned(session: Session, actor: Actor) -> list[Opened]:
    """Return the actor's pinned files, by name, with the moment each was pinned."""
    actor.require(Permission.CUSTOMER_SEARCH)
    columns = (
        Customer.customer_no,
        Customer.given_name,
        Customer.family_name,
        Customer.trading_name,
        Customer.status,
        PinnedFile.pinned_at,
    )
    query = select(*columns).join(PinnedFile, col(PinnedFile.customer_id) == Customer.id).where(col(PinnedFile.user_id) == actor.user_id)  # type: ignore[call-overload]
    return sorted((_opened(row) for row in session.execute(query)), key=lambda file: file.name)


def pin(session: Session, actor: Actor, *, customer_no: str) -> None:
    """Pin a file; one that is pinned stays so. Raises NotFound and PinnedEnough."""
    customer_id = _customer(session, actor, customer_no)
    mine = session.execute(select(col(PinnedFile.customer_id)).where(col(PinnedFile.user_id) == actor.user_id)).scalars().all()
    if customer_id in mine:
        return
    if len(mine) >= MOST:
        raise PinnedEnough(most=MOST)
    session.add(PinnedFile(user_id=actor.user_id or 0, customer_id=customer_id, pinned_at=clock.now()))
    audit.record(session, actor, action="file:pin", object_type="customer", object_id=customer_id, customer_id=customer_id)


def unpin(session: Session, actor: Actor, *, customer_no: str) -> None:
    """Take a file off the list; one that is not on it stays off. Raises NotFound."""
    customer_id = _customer(session, actor, customer_no)
    mine = (col(PinnedFile.user_id) == actor.user_id, col(PinnedFile.customer_id) == customer_id)
    if session.execute(delete(PinnedFile).where(*mine).returning(col(PinnedFile.customer_id))).first() is not None:
        audit.record(session, actor, action="file:unpin", object_type="customer", object_id=customer_id, customer_id=customer_id)


def _customer(session: Session, actor: Actor, customer_no: str) -> int:
    actor.require(Permission.CUSTOMER_SEARCH)
    if actor.user_id is None:
        raise NotPermitted
    found = session.execute(select(col(Customer.id)).where(col(Customer.customer_no) == customer_no)).scalar()
    if found is None:
        raise NotFound
    actor.require(Permission.CUSTOMER_READ, found)
    return int(found)


def _opened(row: Row[Any]) -> Opened:
    return Opened(row.customer_no, written_name(row.given_name, row.family_name, row.trading_name), row.status, row.pinned_at)
