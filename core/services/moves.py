"""Ordering a house move: the situation it starts from, its review, and the one order with its visit (W5)."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from core import catalogue, clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.appointment import AppointmentCategory
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.order import HouseMove, ItemAction, OrderCategory, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.services import (
    appointments,
    audit,
    billing,
    billing_facts,
    communications,
    move_rules,
    open_amounts,
    option_rules,
    orders,
    products,
    slots,
    visits,
)
from core.services.move_rules import LineCheck, Wish
from core.services.orders import Item
from core.services.products import Held
from core.services.slots import HalfDay
from core.services.visits import Place
from core.text_rules import address_line

MOVE = AppointmentCategory.MOVE


class UnderWay(DomainError):
    """One move at a time."""

    message = N_("A house move is already under way (order {order_no}). Put its visit on another day, or cancel it first.")


class InArrears(DomainError):
    """Old debts come first."""

    message = N_("Bills have been overdue for {days} days: a team lead must order this move, or the overdue amount be paid first.")


class SlotNeeded(DomainError):
    """A move has its visit."""

    message = N_("Choose a half day for the installation.")
    field = "slot"


@dataclass(frozen=True)
class Situation:
    """What a move starts from: the customer, his present address, the plans that are tied to it, and how late the oldest open bill is."""

    customer: Customer
    home: Place
    street: str
    number: str
    plans: tuple[Held, ...]
    has_number: bool
    overdue_days: int


@dataclass(frozen=True)
class Review:
    """A move before it is ordered. Money in cents, VAT included for consumers; `bill_to_old_address` is a bill that comes before."""

    wish: Wish
    address: str
    old_address: str
    checks: tuple[LineCheck, ...]
    half_day: HalfDay
    overlap_days: int
    without_days: int
    fee_cents: int
    month_before_cents: int
    month_after_cents: int
    has_number: bool
    short_notice_weeks: int | None
    overdue_days: int
    bill_to_old_address: date | None
    cancel_until: datetime


def situation(session: Session, actor: Actor, *, customer_id: int) -> Situation:
    """Return what a move starts from. Raises NotFound, FileClosed, Suspended, NothingToMove, UnderWay or InArrears."""
    actor.require(Permission.ORDER_WRITE, customer_id)
    customer, home = session.get(Customer, customer_id), _address_row(session, customer_id)
    if customer is None or home is None:
        raise NotFound
    if customer.status is CustomerStatus.CLOSED:
        raise option_rules.FileClosed
    if customer.status is CustomerStatus.SUSPENDED:
        raise option_rules.Suspended
    plans = move_rules.fixed(products.held(session, actor, customer_id=customer_id))
    if not plans:
        raise move_rules.NothingToMove
    if order_no := session.exec(select(ProductOrder.order_no).where(ProductOrder.customer_id == customer_id, running())).first():
        raise UnderWay(order_no=order_no)
    overdue = open_amounts.open_summary(session, customer_id).overdue_days
    overdue = overdue if overdue > catalogue.law("move_arrears_days") else 0
    if overdue and not actor.may(Permission.ORDER_APPROVE):
        raise InArrears(days=overdue)
    text = address_line(home.street, home.number, home.box, home.postcode, home.town, customer.language)
    place = Place(text, home.postcode or "")
    return Situation(customer, place, home.street or "", home.number or "", plans, move_rules.has_number(plans), overdue)


def check_place(session: Session, actor: Actor, *, customer_id: int, wish: Wish) -> tuple[Wish, tuple[LineCheck, ...]]:
    """Return the wish with its texts checked, and what the line at the new place does with each plan: the wizard's first step.

    Raises what `situation` and move_rules.checked_address raise, and NumberStaysInZone.
    """
    start = situation(session, actor, customer_id=customer_id)
    found = move_rules.checked_address(wish, (start.street, start.number, start.home.postcode))
    move_rules.check_number(found, start.home.postcode)
    return found, move_rules.check_line(start.plans, found.postcode)


def half_days(session: Session, actor: Actor, *, customer_id: int, postcode: str, since: date, count: int = 8) -> tuple[HalfDay, ...]:
    """Return the first free half days at a place from a day on, never before the earliest installation: the wizard's second step."""
    actor.require(Permission.APPOINTMENT_READ, customer_id)
    span = slots.window(MOVE)
    days = slots.open_days(session, zone=slots.zone_of(postcode), since=max(since, move_rules.earliest(), span.since), until=span.until)
    return tuple(half_day for day in days for half_day in day.half_days if half_day.free)[:count]


def review(session: Session, actor: Actor, *, customer_id: int, wish: Wish) -> Review:
    """Return what a move would do and cost, and write nothing: the wizard's last step.

    Raises what `check_place` raises, a refusal of the days, NotAtThisPlace, SlotNeeded or SlotNotOffered.
    """
    start = situation(session, actor, customer_id=customer_id)
    wish, checks = check_place(session, actor, customer_id=customer_id, wish=wish)
    check_days(wish)
    for check in checks:
        if check.proposal and not wish.accept_proposal:
            raise move_rules.NotAtThisPlace(plan=check.plan.offering, postcode=wish.postcode, proposal=check.proposal)
    if wish.slot_id is None:
        raise SlotNeeded
    half_day = slots.offered(wish.slot_id, zone=slots.zone_of(wish.postcode), category=MOVE)
    move_rules.check_install(half_day, move_in=wish.move_in, move_out=wish.move_out)
    facts = billing_facts.of_customer(session, customer_id)
    bill_date = billing.next_bill_date(facts.account, facts.previous, clock.today())
    before = products.month_cents(start.plans)
    changes = sum(
        billing.price_cents(check.proposal.code, half_day.day, business=facts.account.business) - products.month_cents([check.plan])
        for check in checks
        if check.proposal
    )
    return Review(
        wish=wish,
        address=move_rules.address(wish, start.customer.language),
        old_address=start.home.text,
        checks=checks,
        half_day=half_day,
        overlap_days=move_rules.overlap_days(half_day.day, wish.move_out),
        without_days=move_rules.without_days(half_day.day, wish.move_out),
        fee_cents=move_rules.fee_cents(wish),
        month_before_cents=before,
        month_after_cents=before + changes,
        has_number=start.has_number,
        short_notice_weeks=move_rules.short_notice_weeks(wish),
        overdue_days=start.overdue_days,
        bill_to_old_address=bill_date if bill_date < half_day.day else None,
        cancel_until=slots.cut_off(half_day.day),
    )


def check_days(wish: Wish) -> None:
    """Refuse days that can't be, as soon as they are chosen. Raises MoveOutPast, MoveInPast or MoveInTooFar."""
    move_rules.check_days(wish, slots.window(MOVE).last)


def confirm(session: Session, actor: Actor, *, customer_id: int, wish: Wish) -> str:
    """Order a move with its visit, and return the order's number; a second click finds the first one under way.

    Raises what `review` and appointments.book raise.
    """
    actor.require(Permission.ORDER_WRITE, customer_id)
    customer = products.lock_customer(session, customer_id)
    found = review(session, actor, customer_id=customer_id, wish=wish)
    day = found.half_day.day
    items = [item for check in found.checks for item in _items(session, customer, check, day)]
    order = orders.place(session, actor, customer, items, category=OrderCategory.MOVE, state=OrderState.IN_PROGRESS, effective_on=day)
    for item in items:
        _carry_out(item)
    place = Place(found.address, found.wish.postcode)
    visit = appointments.book(
        session, actor, customer_id=customer_id, category=MOVE, slot_id=found.half_day.id, place=place,
        contact_phone=found.wish.contact_phone,
    )  # fmt: skip
    session.add(_row(customer_id, order.id, visit.id, found))
    session.flush()
    audit.record(
        session, actor, action="move:order", object_type="order", object_id=order.order_no, customer_id=customer_id,
        after={"address": found.address, "move_out": wish.move_out, "move_in": wish.move_in, "visit": visit.appointment_no},
        reason=f"approved with bills overdue for {found.overdue_days} days" if found.overdue_days else None,
    )  # fmt: skip
    when = visits.when(customer.language, visit.day, visit.part)
    communications.send(
        session, actor, customer_id=customer_id, template="move_ordered",
        params={
            "order_no": order.order_no, "address": found.address, "move_out": wish.move_out, "move_in": wish.move_in, "when": when,
        },
    )  # fmt: skip
    return order.order_no


def running() -> ColumnElement[bool]:
    """The condition of a move order that is under way."""
    states = (OrderState.ACKNOWLEDGED, OrderState.HELD, OrderState.IN_PROGRESS)
    return and_(col(ProductOrder.category) == OrderCategory.MOVE, or_(*(col(ProductOrder.state) == state for state in states)))


def _items(session: Session, customer: Customer, check: LineCheck, day: date) -> list[Item]:
    """Return what a move does to a plan: it goes along, or another one takes its place from the day of the installation on."""
    plan = session.get_one(Product, check.plan.id)
    if check.proposal is None:
        return [Item(ItemAction.MODIFY, plan, check.plan.price_cents, day)]
    ended = [Item(ItemAction.DELETE, session.get_one(Product, one.id), one.price_cents, day) for one in (*check.plan.options, check.plan)]
    product = Product(
        customer_id=customer.id,
        product_no=products.next_product_no(session, customer),
        offering_code=check.proposal.code,
        since=day,
        status=ProductStatus.CREATED,
        line=plan.line,
        user_name=plan.user_name,
    )
    session.add(product)
    session.flush()
    business = customer.kind is CustomerKind.ORGANIZATION
    return [*ended, Item(ItemAction.ADD, product, billing.price_cents(product.offering_code, day, business=business), day)]


def _carry_out(item: Item) -> None:
    if item.action is ItemAction.ADD:
        item.product.status = ProductStatus.PENDING_ACTIVE
    elif item.action is ItemAction.DELETE:
        item.product.status, item.product.until = ProductStatus.PENDING_TERMINATE, item.effective_on


def _row(customer_id: int, order_id: int, appointment_id: int, found: Review) -> HouseMove:
    wish = found.wish
    return HouseMove(
        customer_id=customer_id,
        order_id=order_id,
        appointment_id=appointment_id,
        fee_cents=found.fee_cents,
        move_out=wish.move_out,
        move_in=wish.move_in,
        to_street=wish.street,
        to_number=wish.number,
        to_box=wish.box or None,
        to_floor=wish.floor or None,
        to_postcode=wish.postcode,
        to_town=wish.town,
        occupancy=wish.occupancy,
        new_build=wish.new_build,
        keep_number=wish.keep_number,
        technician=wish.technician,
        contact_name=wish.contact_name,
        contact_phone=wish.contact_phone,
    )


def _address_row(session: Session, customer_id: int) -> ContactMedium | None:
    return session.exec(
        select(ContactMedium).where(
            ContactMedium.customer_id == customer_id, ContactMedium.kind == ContactKind.ADDRESS, col(ContactMedium.until_at).is_(None)
        )
    ).first()
