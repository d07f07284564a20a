"""Taking back a change: the same day if nothing of it was used, or before it takes effect. It is another order, never a deletion (W3)."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, bindparam, or_
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue
from core.db import ask
from core.errors import N_, DomainError, NotFound
from core.models.customer import Customer, CustomerStatus
from core.models.order import ItemAction, OrderCategory, OrderItem, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.models.usage import UsageEvent, UsageKind
from core.services import audit, billing, billing_facts, communications, option_rules, orders, products
from core.services.orders import OPTION_ORDERS, Item
from core.services.rating import Running, bundle
from core.services.usage import period_sums
from core.services.usage_numbers import national


class AlreadyUndone(DomainError):
    """Somebody took it back before."""

    message = N_("Order {order_no} was already undone by {who} at {at}. Nothing needs to be done.")


class TooLate(DomainError):
    """The day is over."""

    message = N_("This could be undone until {until}. Switch the option itself instead.")


class AlreadyUsed(DomainError):
    """Some of the volume is gone."""

    message = N_("“{option}” has been used: it can no longer be undone.")


class AlreadyDelivered(DomainError):
    """It stands at the customer's."""

    message = N_("“{option}” has been delivered: it can no longer be undone. Switch it off instead.")


class ChangedAfterwards(DomainError):
    """A later order builds on it."""

    message = N_("Order {order_no} changed the same option later. Undo that one first.")


@dataclass(frozen=True)
class Undoable:
    """A change that is fresh or still to come: what it does, who asked for it, until when it can be taken back.

    `who` is whose line the plan is, or its number. `withdraws` is a change that has not taken effect; `until_at` is None while a delivery is awaited; `why_not` is the refusal
    that taking it back would meet.
    """

    order_no: str
    plan: Offering
    who: str | None
    on: Offering | None
    off: Offering | None
    created_by: str
    created_at: datetime
    effective_on: date
    until_at: datetime | None
    withdraws: bool
    why_not: DomainError | None


@dataclass(frozen=True)
class _Change:
    order: ProductOrder
    items: tuple[tuple[OrderItem, Product], ...]
    plan: Product

    @property
    def withdraws(self) -> bool:
        return self.order.state is OrderState.HELD or self.order.effective_on > clock.today()

    def offering(self, action: ItemAction) -> Offering | None:
        return next((catalogue()[item.offering_code] for item, _ in self.items if item.action is action), None)


def undoable(session: Session, actor: Actor, *, customer_id: int) -> tuple[Undoable, ...]:
    """Return the changes of today and those still to come, the newest first; what was taken back is left out."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    found = [row.id for row in ask(session, _fresh_query(), customer_id=customer_id, now=clock.now())]
    if not found:
        return ()
    mine = (ProductOrder.customer_id == customer_id, col(ProductOrder.id).in_(found))
    orders_of_today = session.exec(select(ProductOrder).where(*mine).order_by(col(ProductOrder.id).desc())).all()
    return tuple(_undoable(session, _change(session, order)) for order in orders_of_today)


@cache
def _fresh_query() -> Any:  # noqa: ANN401 - SQLModel types a select of one column otherwise than of several
    """Make the query of what can still be undone once: Accueil asks it, and mostly there is nothing."""
    customer_id: BindParameter[int] = bindparam("customer_id")
    undone = select(ProductOrder.undoes_id).where(ProductOrder.customer_id == customer_id, col(ProductOrder.undoes_id).is_not(None))
    return select(ProductOrder.id).where(
        ProductOrder.customer_id == customer_id,
        or_(*(col(ProductOrder.category) == category for category in OPTION_ORDERS)),  # SQLAlchemy writes an IN anew each time.
        or_(col(ProductOrder.undo_until_at) >= bindparam("now"), col(ProductOrder.state) == OrderState.HELD),
        col(ProductOrder.id).not_in(undone),
    )


def undo(session: Session, actor: Actor, *, customer_id: int, order_no: str) -> str:
    """Take a change back by an order that puts everything as it was, and return that order's number.

    Raises NotFound, AlreadyUndone, TooLate, AlreadyUsed, AlreadyDelivered, ChangedAfterwards, or a refusal of option_rules where what
    comes back no longer fits.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    customer = products.lock_customer(session, customer_id)
    if customer.status is CustomerStatus.CLOSED:
        raise option_rules.FileClosed
    order = session.exec(
        select(ProductOrder)
        .where(ProductOrder.customer_id == customer_id, ProductOrder.order_no == order_no, col(ProductOrder.category).in_(OPTION_ORDERS))
        .execution_options(populate_existing=True)
    ).first()
    if order is None:
        raise NotFound
    change = _change(session, order)
    check(session, change)
    template = "order_withdrawn" if change.withdraws else "order_undone"
    undoing = _take_back(session, actor, customer, change)
    what = orders.told(customer.language, change.offering(ItemAction.ADD), change.offering(ItemAction.DELETE))
    communications.send(session, actor, customer_id=customer_id, template=template, params={"order_no": order_no, "what": what})
    return undoing.order_no


def check(session: Session, change: _Change) -> None:
    """Refuse to take back what is too old, used, delivered, built upon, or no longer fits."""
    order = change.order
    if earlier := session.exec(select(ProductOrder).where(ProductOrder.undoes_id == order.id)).first():
        raise AlreadyUndone(order_no=order.order_no, who=earlier.created_by, at=clock.local(earlier.created_at).strftime("%H:%M"))
    if order.undo_until_at is not None and order.undo_until_at < clock.now():
        raise TooLate(until=order.undo_until_at)
    if later := _later(session, change):
        raise ChangedAfterwards(order_no=later)
    for item, product in change.items:
        if item.action is not ItemAction.ADD:
            continue
        if product.provisioned_at is not None:
            raise AlreadyDelivered(option=catalogue()[item.offering_code])
        if _used_kb(session, order, change.plan, product) > 0:
            raise AlreadyUsed(option=catalogue()[item.offering_code])
    _check_fits(session, change)


def _undoable(session: Session, change: _Change) -> Undoable:
    order = change.order
    try:
        check(session, change)
        why_not = None
    except DomainError as refusal:
        why_not = refusal
    return Undoable(
        order.order_no, catalogue()[change.plan.offering_code], change.plan.user_name or (national(change.plan.line) if change.plan.line else None),
        change.offering(ItemAction.ADD), change.offering(ItemAction.DELETE),
        order.created_by, order.created_at, order.effective_on, order.undo_until_at, change.withdraws, why_not,
    )  # fmt: skip


def _change(session: Session, order: ProductOrder) -> _Change:
    rows = session.exec(
        select(OrderItem, Product)
        .join(Product, col(Product.id) == OrderItem.product_id)
        .where(OrderItem.customer_id == order.customer_id, OrderItem.order_id == order.id)
        .order_by(col(OrderItem.id))
    ).all()
    plan = session.exec(select(Product).where(Product.customer_id == order.customer_id, Product.id == rows[0][1].parent_id)).one()
    return _Change(order, tuple((item, product) for item, product in rows), plan)


def _take_back(session: Session, actor: Actor, customer: Customer, change: _Change) -> ProductOrder:
    opposite = {ItemAction.ADD: ItemAction.DELETE, ItemAction.DELETE: ItemAction.ADD}
    items = [Item(opposite[item.action], product, item.price_cents, clock.today()) for item, product in change.items]
    undoing = orders.place(
        session, actor, customer, items, category=OrderCategory.UNDO, state=OrderState.COMPLETED, undoes_id=change.order.id
    )
    for item, product in change.items:
        if item.action is ItemAction.ADD:
            product.status, product.until = ProductStatus.CANCELLED, product.since
        else:
            product.status, product.until = ProductStatus(item.previous_status or ProductStatus.ACTIVE), item.previous_until
    if change.order.state is not OrderState.COMPLETED:
        change.order.state = OrderState.CANCELLED
    flag_modified(change.plan, "status")
    session.flush()
    audit.record(
        session, actor, action="option:undo", object_type="product", object_id=change.plan.id, customer_id=customer.id,
        before={"order_no": change.order.order_no}, after={"order_no": undoing.order_no},
    )  # fmt: skip
    return undoing


def _later(session: Session, change: _Change) -> str | None:
    """Return the number of a later order on the same products that still counts."""
    undone = select(ProductOrder.undoes_id).where(
        ProductOrder.customer_id == change.order.customer_id, col(ProductOrder.undoes_id).is_not(None)
    )
    return session.exec(
        select(ProductOrder.order_no)
        .join(OrderItem, col(OrderItem.order_id) == ProductOrder.id)
        .where(
            OrderItem.customer_id == change.order.customer_id,
            col(OrderItem.product_id).in_([product.id for _, product in change.items]),
            ProductOrder.id > change.order.id,
            ProductOrder.category != OrderCategory.UNDO,
            col(ProductOrder.id).not_in(undone),
        )
        .limit(1)
    ).first()


def _used_kb(session: Session, order: ProductOrder, plan: Product, product: Product) -> int:
    """Return how much of an option's data was used: what the line used since the order, as far as it passed everything else it has."""
    if not isinstance(catalogue()[product.offering_code].allowance.data_mb, int):
        return 0
    since_order = session.exec(
        select(func.sum(UsageEvent.quantity)).where(
            UsageEvent.customer_id == plan.customer_id,
            UsageEvent.product_id == plan.id,
            UsageEvent.at >= order.created_at,
            UsageEvent.kind == UsageKind.DATA,
        )
    ).one()
    if not since_order:
        return 0
    period = billing.paid_ahead(billing_facts.of_customer(session, plan.customer_id).account, clock.today())
    others = session.exec(
        select(Product.offering_code, Product.since, Product.until).where(  # type: ignore[call-overload]
            Product.customer_id == plan.customer_id, Product.parent_id == plan.id, Product.id != product.id
        )
    ).all()
    rest = bundle(Running(plan.offering_code, plan.since, plan.until), [Running(*other) for other in others], period).data_kb
    if rest is None:
        return 0
    sums = period_sums(session, customer_id=plan.customer_id, since=period.since, until=period.until)
    used = sum(found.quantity for (product_id, kind, _), found in sums.items() if product_id == plan.id and kind is UsageKind.DATA)
    return min(int(since_order), max(0, used - rest))


def _check_fits(session: Session, change: _Change) -> None:
    """Refuse to bring back what does not go with the options that run by now, or to take away what they need."""
    ids = {product.id for _, product in change.items}
    running = session.exec(
        select(Product.id, Product.offering_code).where(
            Product.customer_id == change.order.customer_id,
            Product.parent_id == change.plan.id,
            col(Product.status).not_in(products.GONE),
            or_(col(Product.until).is_(None), col(Product.until) > clock.today()),
        )
    ).all()
    codes = Counter(code for product_id, code in running if product_id not in ids)
    codes.update(item.offering_code for item, _ in change.items if item.action is ItemAction.DELETE)
    option_rules.check_together(catalogue(), codes, change.items[0][0].offering_code)
