"""A house move under way: its milestones, another day for it, its cancellation, and its end (W5)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import Service, catalogue
from core.db import ask
from core.errors import N_, DomainError, NotFound
from core.models.appointment import Appointment, AppointmentCategory
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.order import HouseMove, ItemAction, OrderItem, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.services import appointments, audit, communications, move_rules, products, slots, visits
from core.services.moves import running
from core.services.slots import HalfDay
from core.services.visits import Visit
from core.text_rules import address_line


class CancelTooLate(DomainError):
    """The technician is on his way."""

    message = N_("This move could be cancelled until {until}. Put the visit on another day instead.")


class Step(StrEnum):
    """The milestones of a move."""

    ACCEPTED = "accepted"
    SLOT = "slot"
    OLD_LINE_STOPS = "oldLineStops"
    ACTIVATION = "activation"


@dataclass(frozen=True)
class Milestone:
    """A milestone: its day, and whether it is behind."""

    step: Step
    day: date
    done: bool


@dataclass(frozen=True)
class Move:
    """A move under way; the fee in cents, VAT included. Both lines run on `overlap_days`, billed once; none on `without_days`."""

    order_no: str
    address: str
    move_out: date
    move_in: date
    keep_number: bool
    has_number: bool
    fee_cents: int
    visit: Visit | None
    milestones: tuple[Milestone, ...]
    overlap_days: int
    without_days: int
    cancel_until: datetime

    @property
    def may_cancel(self) -> bool:
        """Whether it can still be cancelled free of charge."""
        return clock.now() < self.cancel_until


def current(session: Session, actor: Actor, *, customer_id: int) -> Move | None:
    """Return the move under way with its milestones, or None. The day of the visit is the day of the activation."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    under_way = ask(session, _running_query(), customer_id=customer_id)
    if not under_way:
        return None
    order_id, move_id = under_way[0]
    order, move = session.get_one(ProductOrder, order_id), session.get_one(HouseMove, move_id)
    visit = _visit(session, move)
    active = visit.day if visit else move.move_in
    plans = move_rules.fixed(products.held(session, actor, customer_id=customer_id))
    return Move(
        order_no=order.order_no,
        address=_address(move, session.get_one(Customer, customer_id).language),
        move_out=move.move_out,
        move_in=move.move_in,
        keep_number=move.keep_number,
        has_number=move_rules.has_number(plans),
        fee_cents=move.fee_cents,
        visit=visit,
        milestones=(
            Milestone(Step.ACCEPTED, clock.local(order.created_at).date(), done=True),
            Milestone(Step.SLOT, active, done=visit is not None),
            Milestone(Step.OLD_LINE_STOPS, move.move_out, done=move.move_out < clock.today()),
            Milestone(Step.ACTIVATION, active, done=active < clock.today()),
        ),
        overlap_days=move_rules.overlap_days(active, move.move_out),
        without_days=move_rules.without_days(active, move.move_out),
        cancel_until=_cancel_until(visit, active),
    )


def other_half_days(session: Session, actor: Actor, *, customer_id: int, move: Move) -> tuple[HalfDay, ...]:
    """Return the free half days on which the installation of a move could take place instead."""
    actor.require(Permission.APPOINTMENT_READ, customer_id)
    if move.visit is None:
        return ()
    span = slots.window(AppointmentCategory.MOVE)
    since = max(span.since, move_rules.earliest())
    days = slots.open_days(session, zone=move.visit.zone, since=since, until=span.until)
    free = [half_day for day in days for half_day in day.half_days if half_day.free]
    return tuple(one for one in free if (one.day, one.part) != (move.visit.day, move.visit.part))


def postpone(
    session: Session, actor: Actor, *, customer_id: int, order_no: str, shown_version: int, slot_id: int, reason: str | None = None
) -> date:
    """Put the installation on another half day and return its day; the arrival moves by as many days, the day of leaving stays.

    `shown_version` is the visit's. Raises NotFound, InstallTooSoon, OverlapTooLong and what appointments.move raises.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    products.lock_customer(session, customer_id)
    order, move = _open(session, customer_id, order_no)
    visit = _visit(session, move)
    if visit is None:
        raise NotFound
    audit.check_version(session, visit, shown_version, "appointment", visit.id)
    half_day = slots.offered(slot_id, zone=visit.zone, category=AppointmentCategory.MOVE)
    move_rules.check_install(half_day, move_in=half_day.day, move_out=move.move_out)
    appointments.move(
        session, actor, customer_id=customer_id, appointment_id=visit.id, shown_version=shown_version, slot_id=slot_id, reason=reason
    )
    move.move_in += half_day.day - visit.day
    order.effective_on = half_day.day
    for item, product in _items(session, order):
        if item.action is ItemAction.DELETE:
            product.until = half_day.day
        elif item.action is ItemAction.ADD:
            product.since = half_day.day
    session.flush()
    audit.record(
        session, actor, action="move:postpone", object_type="order", object_id=order_no, customer_id=customer_id,
        before={"day": visit.day}, after={"day": half_day.day},
    )  # fmt: skip
    return half_day.day


def cancel(session: Session, actor: Actor, *, customer_id: int, order_no: str, shown_version: int) -> None:
    """Cancel a move and its visit, free until the visit's cut-off: everything stays where it is.

    `shown_version` is the visit's, 0 where there is none. Raises NotFound, ChangedMeanwhile, CancelTooLate.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    customer = products.lock_customer(session, customer_id)
    order, move = _open(session, customer_id, order_no)
    visit = _visit(session, move)
    if (visit.version if visit else 0) != shown_version:
        raise audit.changed_meanwhile(session, "appointment", move.appointment_id)
    until = _cancel_until(visit, move.move_in)
    if clock.now() >= until:
        raise CancelTooLate(until=until)
    order.state = OrderState.CANCELLED
    _put_back(session, order)
    session.flush()
    if visit and visit.coming:
        appointments.cancel(session, actor, customer_id=customer_id, appointment_id=visit.id, shown_version=visit.version)
    audit.record(
        session, actor, action="move:cancel", object_type="order", object_id=order_no, customer_id=customer_id,
        after={"state": order.state},
    )  # fmt: skip
    params = {"order_no": order_no, "address": _address(move, customer.language)}
    communications.send(session, actor, customer_id=customer_id, template="move_cancelled", params=params)


def settle_due(session: Session, actor: Actor) -> int:
    """Carry out for all customers what a day brought: the job of each night. Returns how many moves are finished.

    The address changes with the arrival, the plans with the visit; the order ends when the old line has stopped too.
    """
    actor.require(Permission.ORDER_WRITE)
    today, finished = clock.today(), 0
    rows = session.exec(
        select(ProductOrder, HouseMove)
        .join(HouseMove, (col(HouseMove.customer_id) == ProductOrder.customer_id) & (col(HouseMove.order_id) == ProductOrder.id))
        .where(running())
    ).all()
    for order, move in rows:
        visit = _visit(session, move)
        active = visit.day if visit else move.move_in
        if move.move_in <= today:
            _change_address(session, actor, move)
        if active <= today:
            _change_plans(session, order, move)
        if max(active, move.move_out) < today:
            order.state, order.completed_at = OrderState.COMPLETED, clock.now()
            finished += 1
            audit.record(
                session, actor, action="move:complete", object_type="order", object_id=order.order_no, customer_id=order.customer_id,
                after={"state": order.state},
            )  # fmt: skip
    session.flush()
    return finished


@cache
def _running_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of two columns
    """Make the query of `current` once: Accueil asks it, and mostly there is no move."""
    return (
        select(ProductOrder.id, HouseMove.id)
        .join(HouseMove, (col(HouseMove.customer_id) == ProductOrder.customer_id) & (col(HouseMove.order_id) == ProductOrder.id))
        .where(ProductOrder.customer_id == bindparam("customer_id"), running())
    )


def _open(session: Session, customer_id: int, order_no: str) -> tuple[ProductOrder, HouseMove]:
    found = session.exec(
        select(ProductOrder, HouseMove)
        .join(HouseMove, (col(HouseMove.customer_id) == ProductOrder.customer_id) & (col(HouseMove.order_id) == ProductOrder.id))
        .where(ProductOrder.customer_id == customer_id, ProductOrder.order_no == order_no, running())
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        known = select(ProductOrder.id).where(ProductOrder.customer_id == customer_id, ProductOrder.order_no == order_no)
        if session.exec(known).first() is None:
            raise NotFound
        raise audit.changed_meanwhile(session, "order", order_no)
    return found


def _visit(session: Session, move: HouseMove) -> Visit | None:
    found = visits.of_file(session, move.customer_id, Appointment.id == move.appointment_id) if move.appointment_id else []
    return found[0] if found else None


def _cancel_until(visit: Visit | None, active: date) -> datetime:
    return visit.cut_off_at if visit else slots.cut_off(active)


def _address(move: HouseMove, language: str) -> str:
    return address_line(move.to_street, move.to_number, move.to_box, move.to_postcode, move.to_town, language)


def _items(session: Session, order: ProductOrder) -> list[tuple[OrderItem, Product]]:
    rows = session.exec(
        select(OrderItem, Product)
        .join(Product, col(Product.id) == OrderItem.product_id)
        .where(OrderItem.customer_id == order.customer_id, OrderItem.order_id == order.id)
    )
    return [(item, product) for item, product in rows]


def _put_back(session: Session, order: ProductOrder) -> None:
    """Let every plan be as it was before the move was ordered."""
    for item, product in _items(session, order):
        if item.action is ItemAction.ADD:
            product.status, product.until = ProductStatus.CANCELLED, product.since
        elif item.action is ItemAction.DELETE:
            product.status, product.until = ProductStatus(item.previous_status or ProductStatus.ACTIVE), item.previous_until


def _change_address(session: Session, actor: Actor, move: HouseMove) -> None:
    """Let the new address follow the old one, which stays in the file."""
    old = session.exec(
        select(ContactMedium).where(
            ContactMedium.customer_id == move.customer_id, ContactMedium.kind == ContactKind.ADDRESS, col(ContactMedium.until_at).is_(None)
        )
    ).first()
    new: audit.Facts = {
        "street": move.to_street,
        "number": move.to_number,
        "box": move.to_box,
        "postcode": move.to_postcode,
        "town": move.to_town,
    }
    before = {name: getattr(old, name) for name in new} if old else {}
    if before == new:
        return
    if old:
        old.until_at = clock.now()
        session.flush()
    session.add(ContactMedium(customer_id=move.customer_id, kind=ContactKind.ADDRESS, country="BE", since_at=clock.now(), **new))
    session.flush()
    audit.record(
        session, actor, action="contact:move", object_type="customer", object_id=move.customer_id, customer_id=move.customer_id,
        before=before, after=new,
    )  # fmt: skip


def _change_plans(session: Session, order: ProductOrder, move: HouseMove) -> None:
    """Start what is new at the new place, end what it replaces, and let a number go that is not kept."""
    for item, product in _items(session, order):
        if item.action is ItemAction.DELETE:
            product.status = ProductStatus.TERMINATED
            continue
        if product.status is ProductStatus.PENDING_ACTIVE:
            product.status, product.provisioned_at = ProductStatus.ACTIVE, clock.now()
        if not move.keep_number and Service.PHONE in catalogue()[product.offering_code].services:
            product.line = None
