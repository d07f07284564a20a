"""What the header band says on every tab: what is owed, what comes, how it is paid, who comes by, when we last spoke (W1)."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlmodel import Session, col

from core.actor import Actor, Permission
from core.db import ask
from core.models.communication import Communication, MessageChannel
from core.models.interaction import Interaction
from core.models.mandate import Mandate, MandateState
from core.models.product import ProductStatus
from core.services import appointments, bills, customers, holdings, open_amounts, payment_plans, sessions
from core.services.appointments import NextVisit
from core.services.bills import NextBill
from core.services.customers import Marks
from core.services.open_amounts import OpenAmount
from core.services.payment_plans import PlanView


@dataclass(frozen=True)
class LastContact:
    """The last time we spoke or wrote: `channel` is how, `subject` is about what."""

    at: datetime
    channel: str
    subject: str


@dataclass(frozen=True)
class Overview:
    """What the band shows."""

    open_amount: OpenAmount
    next_bill: NextBill | None
    mandate: MandateState | None
    mandate_ended_on: date | None
    next_visit: NextVisit | None
    last_contact: LastContact | None
    minor_line: bool
    marks: Marks
    plan: PlanView | None = None
    beside: tuple[str, ...] = ()


def read(session: Session, actor: Actor, *, customer_id: int) -> Overview:
    """Return what the band says about a customer."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    amount = open_amounts.open_summary(session, customer_id)
    asks = amount.spread_cents or amount.overdue_cents  # Who owes nothing late has no plan, or has paid it: then nothing is asked.
    state, ended_on = _mandate(session, customer_id)
    return Overview(
        open_amount=amount,
        next_bill=bills.preview_next(session, actor, customer_id=customer_id),
        mandate=state,
        mandate_ended_on=ended_on,
        next_visit=appointments.next_of(session, customer_id),
        last_contact=_last_contact(session, customer_id),
        minor_line=_minor_line(session, customer_id),
        marks=customers.marks(session, actor, customer_id=customer_id),
        plan=payment_plans.plan_of(session, actor, customer_id=customer_id) if asks else None,
        beside=tuple(sessions.beside(session, actor, customer_id=customer_id)) if actor.staff else (),
    )


def _mandate(session: Session, customer_id: int) -> tuple[MandateState | None, date | None]:
    found = ask(session, _mandate_query(), customer_id=customer_id)
    return (found[0][0], found[0][1]) if found else (None, None)


def _last_contact(session: Session, customer_id: int) -> LastContact | None:
    found = [one for query in _contact_queries() for one in ask(session, query, customer_id=customer_id)]
    return LastContact(*max(found, key=lambda one: one[0])) if found else None


def _minor_line(session: Session, customer_id: int) -> bool:
    return any(one.is_minor and one.status is ProductStatus.ACTIVE for one in holdings.of_customer(session, customer_id).products)


@cache
def _mandate_query() -> Select[*tuple[Any, ...]]:
    mine = col(Mandate.customer_id) == bindparam("customer_id")
    return select(col(Mandate.state), col(Mandate.cancelled_on)).where(mine).order_by(col(Mandate.id).desc()).limit(1)


@cache
def _contact_queries() -> tuple[Select[*tuple[Any, ...]], Select[*tuple[Any, ...]]]:
    """Make the queries of the last talk and of the last message; what was only put into the portal is no contact."""
    customer_id: BindParameter[int] = bindparam("customer_id")
    spoke = (
        select(col(Interaction.at), col(Interaction.channel), col(Interaction.reason))
        .where(col(Interaction.customer_id) == customer_id)
        .order_by(col(Interaction.at).desc())
        .limit(1)
    )
    wrote = (
        select(col(Communication.sent_at), col(Communication.channel), col(Communication.subject))
        .where(col(Communication.customer_id) == customer_id, col(Communication.channel) != MessageChannel.PORTAL)
        .order_by(col(Communication.sent_at).desc(), col(Communication.id).desc())
        .limit(1)
    )
    return spoke, wrote
