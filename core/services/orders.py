"""Changes of what a customer holds: reviewed, confirmed once, carried out when they take effect (TMF622, W3)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, or_
from sqlmodel import Session, col, func, select

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import Offering, catalogue, law
from core.db import ask
from core.errors import N_, DomainError, NotFound
from core.models.customer import Customer
from core.models.order import ItemAction, OrderCategory, OrderItem, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.services import audit, billing_facts, communications, option_reviews, products, slots
from core.services.option_reviews import Effective, Review, Setting, Start
from core.services.option_rules import Situation

OPTION_ORDERS = (OrderCategory.OPTION, OrderCategory.DECODER)
SWITCHED_ON = N_("“{option}” switched on")
SWITCHED_OFF = N_("“{option}” switched off")
SWAPPED = N_("“{option}” instead of “{other}”")


class OnlyStaffEndsNow(DomainError):
    """A customer's own option runs until the period that he paid ends."""

    message = N_("This option stays until {last}, the end of the period that is paid. Call {phone} if it must stop today.")
    field = "effective"


@dataclass(frozen=True)
class Item:
    """What an order does to one product, with its price in cents."""

    action: ItemAction
    product: Product
    price_cents: int
    effective_on: date


def review(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    product_no: str,
    offering_code: str,
    turn_on: bool,
    effective: Effective = Effective.PERIOD_END,
) -> Review:
    """Return what switching an option of a plan would do, and change nothing (W3).

    `effective` says when a recurring option ends, a choice of staff. Raises NotFound, OnlyStaffEndsNow or a refusal of option_rules.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    return _review(session, actor, customer_id, product_no, offering_code, effective, turn_on=turn_on)


def confirm(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    product_no: str,
    offering_code: str,
    turn_on: bool,
    shown_version: int,
    effective: Effective = Effective.PERIOD_END,
) -> str:
    """Order what was reviewed, and return the order's number; a swap is one order with two items.

    `shown_version` is the version of the plan in the review: the second of two clicks, or of two agents, gets ChangedMeanwhile.
    Raises what `review` raises.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    plan = products.lock(session, customer_id=customer_id, product_no=product_no, shown_version=shown_version)
    customer = session.get_one(Customer, customer_id)
    found = _review(session, actor, customer_id, product_no, offering_code, effective, turn_on=turn_on)
    items = [_ended(session, one, found.effective_on) for one in (*found.replaced, found.ended) if one]
    if turn_on:
        items.append(_added(session, customer, plan, found))
    order = place(session, actor, customer, items, category=_category(found), state=_state(found), undo_until_at=found.undo_until_at)
    for item in items:
        _carry_out(item)
    session.flush()
    audit.record(
        session, actor, action=f"option:{'on' if turn_on else 'off'}", object_type="product", object_id=plan.id, customer_id=customer_id,
        before={"options": [one.code for one in found.replaced]} if found.replaced else None,
        after={"option": offering_code, "order_no": order.order_no, "effective_on": found.effective_on},
    )  # fmt: skip
    _tell(session, actor, customer, order, found)
    return order.order_no


def place(
    session: Session,
    actor: Actor,
    customer: Customer,
    items: list[Item],
    *,
    category: OrderCategory,
    state: OrderState,
    undo_until_at: datetime | None = None,
    undoes_id: int | None = None,
    effective_on: date | None = None,
) -> ProductOrder:
    """Write an order with its items, which remember how their products are now. The customer must be locked."""
    actor.require(Permission.ORDER_WRITE, customer.id)
    count = session.exec(select(func.count()).select_from(ProductOrder).where(ProductOrder.customer_id == customer.id)).one()
    now = clock.now()
    order = ProductOrder(
        customer_id=customer.id,
        order_no=f"O{customer.customer_no}{count + 1:02d}",
        category=category,
        channel=actor.channel,
        state=state,
        effective_on=effective_on or items[-1].effective_on,
        undo_until_at=undo_until_at,
        undoes_id=undoes_id,
        created_by=actor.username,
        created_at=now,
        completed_at=now if state is OrderState.COMPLETED else None,
    )
    session.add(order)
    session.flush()
    for item in items:
        session.add(
            OrderItem(
                customer_id=customer.id,
                order_id=order.id,
                action=item.action,
                product_id=item.product.id,
                offering_code=item.product.offering_code,
                price_cents=item.price_cents,
                effective_on=item.effective_on,
                previous_until=item.product.until,
                previous_status=item.product.status,
            )
        )
    session.flush()
    return order


def under_way(session: Session, customer_id: int, plan_id: int) -> dict[str, str]:
    """Return the orders that have not taken effect yet on a plan's options: option code to order number."""
    two_hours_ago = clock.now() - timedelta(hours=law("phone_option_hours"))
    given = {"customer_id": customer_id, "plan_id": plan_id, "today": clock.today(), "two_hours_ago": two_hours_ago}
    return dict(ask(session, _under_way_query(), **given))


@cache
def _under_way_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of two columns
    """Make the query of `under_way` once: each flip of a toggle asks it. What is held for a delivery, of a later day, or within its two hours."""
    pending = or_(
        col(ProductOrder.state) == OrderState.HELD,
        and_(
            col(ProductOrder.state) == OrderState.IN_PROGRESS,
            or_(*(col(ProductOrder.category) == category for category in OPTION_ORDERS)),  # SQLAlchemy writes an IN anew each time.
            or_(col(ProductOrder.effective_on) > bindparam("today"), col(ProductOrder.created_at) > bindparam("two_hours_ago")),
        ),
    )
    return (
        select(OrderItem.offering_code, ProductOrder.order_no)
        .join(ProductOrder, col(ProductOrder.id) == OrderItem.order_id)
        .join(Product, col(Product.id) == OrderItem.product_id)
        .where(OrderItem.customer_id == bindparam("customer_id"), Product.parent_id == bindparam("plan_id"), pending)
    )


def deliver(session: Session, actor: Actor, *, customer_id: int, order_no: str) -> None:
    """Note that a decoder arrived: from today on it runs, and is charged. Nothing happens to an order that is not held."""
    actor.require(Permission.ORDER_WRITE, customer_id)
    products.lock_customer(session, customer_id)
    order = session.exec(
        select(ProductOrder).where(
            ProductOrder.customer_id == customer_id, ProductOrder.order_no == order_no, ProductOrder.state == OrderState.HELD
        )
    ).first()
    if order is not None:
        _deliver(session, actor, order)


def settle_due(session: Session, actor: Actor) -> int:
    """Bring into effect what is due, for all customers: the job of each night. Returns how many orders it completed."""
    actor.require(Permission.ORDER_WRITE)
    today = clock.today()
    ended = session.exec(
        select(Product).where(
            col(Product.until) <= today,
            or_(
                col(Product.status) == ProductStatus.PENDING_TERMINATE,
                and_(col(Product.status) == ProductStatus.ACTIVE, col(Product.parent_id).is_not(None)),
            ),
        )
    )
    for product in ended.all():
        product.status = ProductStatus.TERMINATED
    orders = session.exec(
        select(ProductOrder).where(
            col(ProductOrder.category).in_(OPTION_ORDERS), col(ProductOrder.state).in_([OrderState.HELD, OrderState.IN_PROGRESS])
        )
    ).all()
    due = [order for order in orders if _due(order, today)]
    for order in due:
        if order.state is OrderState.HELD:
            _deliver(session, actor, order)
        else:
            _complete(session, actor, order)
    return len(due)


def _due(order: ProductOrder, today: date) -> bool:
    if order.effective_on > today:
        return False
    return order.state is OrderState.HELD or order.created_at + timedelta(hours=law("phone_option_hours")) <= clock.now()


def _deliver(session: Session, actor: Actor, order: ProductOrder) -> None:
    items = session.exec(
        select(OrderItem.product_id).where(OrderItem.customer_id == order.customer_id, OrderItem.order_id == order.id)
    ).all()
    for product in session.exec(select(Product).where(Product.customer_id == order.customer_id, col(Product.id).in_(items))).all():
        product.status, product.since, product.provisioned_at = ProductStatus.ACTIVE, clock.today(), clock.now()
    order.effective_on = clock.today()
    _complete(session, actor, order)


def _complete(session: Session, actor: Actor, order: ProductOrder) -> None:
    order.state, order.completed_at = OrderState.COMPLETED, clock.now()
    session.flush()
    audit.record(
        session, actor, action="order:complete", object_type="order", object_id=order.order_no, customer_id=order.customer_id,
        after={"state": order.state},
    )  # fmt: skip


def _review(session: Session, actor: Actor, customer_id: int, product_no: str, code: str, effective: Effective, *, turn_on: bool) -> Review:
    plans = products.held(session, actor, customer_id=customer_id)
    plan = next((plan for plan in plans if plan.product_no == product_no), None)
    if plan is None:
        raise NotFound
    billed = billing_facts.of_customer(session, customer_id)
    at = Situation(billed.status, plan, under_way(session, customer_id, plan.id), catalogue())
    setting = Setting(at, billed.account, billed.previous, plans, clock.now())
    if turn_on:
        return option_reviews.turning_on(setting, code)
    found = option_reviews.turning_off(setting, code, effective)
    if effective is Effective.NOW and found.option.ends == "period" and not actor.staff:
        raise OnlyStaffEndsNow(last=setting.period.last, phone=slots.phone())
    return found


def _added(session: Session, customer: Customer, plan: Product, found: Review) -> Item:
    option = found.option
    taken = session.exec(
        select(Product.ordinal).where(
            Product.customer_id == customer.id,
            Product.parent_id == plan.id,
            Product.offering_code == option.code,
            col(Product.until).is_(None),
        )
    ).all()
    product = Product(
        customer_id=customer.id,
        product_no=products.next_product_no(session, customer),
        offering_code=option.code,
        parent_id=plan.id,
        ordinal=next(ordinal for ordinal in range(1, option.max + 1) if ordinal not in taken),
        since=found.effective_on,
        until=found.period_until if option.one_shot else None,
        status=ProductStatus.CREATED,
    )
    session.add(product)
    session.flush()
    return Item(ItemAction.ADD, product, found.price_cents, found.effective_on)


def _ended(session: Session, one: products.Held, until: date) -> Item:
    return Item(ItemAction.DELETE, session.get_one(Product, one.id), one.price_cents, until)


def _carry_out(item: Item) -> None:
    product = item.product
    if item.action is ItemAction.DELETE:
        product.until, product.status = max(item.effective_on, product.since), ProductStatus.PENDING_TERMINATE
    elif item.action is ItemAction.ADD:
        delivered = catalogue()[product.offering_code].starts == "delivered"
        product.status = ProductStatus.PENDING_ACTIVE if delivered else ProductStatus.ACTIVE


def _category(found: Review) -> OrderCategory:
    return OrderCategory.DECODER if found.option.starts == "delivered" else OrderCategory.OPTION


def _state(found: Review) -> OrderState:
    states = {Start.NOW: OrderState.COMPLETED, Start.DELIVERED: OrderState.HELD}
    return states.get(found.start, OrderState.IN_PROGRESS)


def told(language: str, on: Offering | None, off: Offering | None) -> str:
    """Say in a language what an order does: one option on, one off, or one instead of the other."""
    if on and off:
        return i18n.translate(language, SWAPPED, option=on, other=off)
    return i18n.translate(language, SWITCHED_ON if on else SWITCHED_OFF, option=on or off)


def _tell(session: Session, actor: Actor, customer: Customer, order: ProductOrder, found: Review) -> None:
    replaced = found.replaced[0].offering if found.replaced else None
    what = told(customer.language, found.option, replaced) if found.turn_on else told(customer.language, None, found.option)
    communications.send(
        session, actor, customer_id=customer.id, template="order_confirmed",
        params={
            "order_no": order.order_no, "what": what, "effective": found.effective_on, "undo_until": order.undo_until_at,
            "price_cents": found.price_cents if found.turn_on and found.price_cents else None,
        },
    )  # fmt: skip
