"""The limit above the bundle after which a line is blocked until the period ends. It blocks, where an alert only tells (W4).

A cap acts in the network and never on what is charged: what got through happened, and rating charges it by the tariff. Only so is a charge
the same whenever it is worked out (a cap has no history, and holds from the moment it is set), and only so does a block that failed show:
it is made good by a credit note with its reason, which the customer can read and the house can count, not by an amount left out in silence.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue, law
from core.db import ask
from core.errors import N_, DomainError
from core.models.product import UsageCap
from core.services import audit, communications, products
from core.services.usage_numbers import national


class NotOffered(DomainError):
    """The amount is none of the choices, or nothing is charged beyond the bundle of this line."""

    message = N_("This cap can't be set on this line. Choose one of the amounts shown.")


class RaisedByHolderOnly(DomainError):
    """Whoever uses the line does not decide what it may cost."""

    message = N_("Only the account holder can raise or lift a cap. Tick the box if it is he who asks.")
    field = "holder_asks"


def offered(offering: Offering) -> bool:
    """Whether a plan can have a cap: where something is charged beyond its bundle."""
    return offering.when_used_up == "charge"


def choices() -> tuple[int, ...]:
    """Return the caps to choose from, in cents; besides them there is none at all."""
    return tuple(law("cap_choices_cents"))


def blocked(cap_cents: int | None, *, used_up: bool, over_cents: int) -> bool:
    """Whether a line stands still until its period ends: its bundle is used up, and what it spent above it reached the cap."""
    return cap_cents is not None and used_up and over_cents >= cap_cents


def blocks_premium(cap_cents: int | None) -> bool:
    """Whether a cap also bars premium numbers and calls abroad: the cap of nothing does, from the first moment on."""
    return cap_cents == 0


def raises(before: int | None, after: int | None) -> bool:
    """Whether a cap lets more be spent than before; none at all is the highest."""
    return before is not None and (after is None or after > before)


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> Mapping[int, int]:
    """Return the caps in cents by product id; a line that is not named has none."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    return dict(ask(session, _caps_query(), customer_id=customer_id))


@cache
def _caps_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of two columns
    """Make the query of `of_customer` once: Accueil asks it."""
    return select(UsageCap.product_id, UsageCap.cap_cents).where(UsageCap.customer_id == bindparam("customer_id"))


def set_cap(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    product_no: str,
    shown_version: int,
    cap_cents: int | None,
    holder_asks: bool = False,
) -> None:
    """Set the cap of a line, in cents, or lift it with None; it holds at once, and the customer is told.

    Only the account holder raises or lifts one: he himself, or staff with `holder_asks`, which is kept in the trail.
    Raises NotFound, ChangedMeanwhile, NotOffered or RaisedByHolderOnly.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    plan = products.lock(session, customer_id=customer_id, product_no=product_no, shown_version=shown_version)
    if not offered(catalogue()[plan.offering_code]) or (cap_cents is not None and cap_cents not in choices()):
        raise NotOffered
    row = session.exec(select(UsageCap).where(UsageCap.customer_id == customer_id, UsageCap.product_id == plan.id)).first()
    before = row.cap_cents if row else None
    if raises(before, cap_cents) and actor.staff and not holder_asks:
        raise RaisedByHolderOnly
    if cap_cents == before:
        return
    if cap_cents is None:
        session.delete(row)
    else:
        row = row or UsageCap(customer_id=customer_id, product_id=plan.id, cap_cents=cap_cents, set_at=clock.now())
        row.cap_cents, row.set_at = cap_cents, clock.now()
        session.add(row)
    session.flush()
    audit.record(
        session, actor, action="cap:set", object_type="product", object_id=plan.id, customer_id=customer_id,
        before={"cap_cents": before}, after={"cap_cents": cap_cents},
        reason="asked by the account holder" if actor.staff and holder_asks else None,
    )  # fmt: skip
    line = national(plan.line) if plan.line else plan.product_no
    amount: dict[str, object] = {} if cap_cents is None else {"amount_cents": cap_cents}
    template = "cap_removed" if cap_cents is None else "cap_set"
    communications.send(session, actor, customer_id=customer_id, template=template, params={"line": line} | amount)
