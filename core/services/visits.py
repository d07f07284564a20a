"""What a visit of a technician is: where and when it takes place, until when it may change, what it costs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from core import catalogue, clock, i18n
from core.actor import Actor, Permission
from core.errors import N_
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart, Failure
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.order import HouseMove, OrderState, ProductOrder
from core.services import slots
from core.text_rules import address_line

SECOND_VISIT = N_("second visit within 14 days")
NETWORK_FAULT = N_("fault in the network")
CUSTOMER_ABSENT = N_("nobody was at home")
WAIVED = N_("waived")


@dataclass(frozen=True)
class Place:
    """Where a visit takes place, as it is printed, and the postcode that decides the zone."""

    text: str
    postcode: str


@dataclass(frozen=True)
class Visit:
    """One visit as the screen shows it; amounts in cents, VAT included. `house_move` is the number of the running order it belongs to."""

    id: int
    customer_id: int
    appointment_no: str
    category: AppointmentCategory
    state: AppointmentState
    version: int
    zone: str
    day: date
    part: DayPart
    place: str
    sequence: int
    self_moves: int
    fee_cents: int
    fee_reason: str | None
    failed_by: Failure | None
    house_move: str | None

    @property
    def starts_at(self) -> datetime:
        """When the half day begins."""
        return slots.starts_at(self.day, self.part)

    @property
    def ends_at(self) -> datetime:
        """When the half day ends."""
        return slots.ends_at(self.day, self.part)

    @property
    def cut_off_at(self) -> datetime:
        """Until when the customer may change it."""
        return slots.cut_off(self.day)

    @property
    def coming(self) -> bool:
        """Whether the visit still has to take place."""
        return self.state is AppointmentState.CONFIRMED and clock.now() < self.ends_at

    @property
    def in_time(self) -> bool:
        """Whether the cut-off has not passed yet."""
        return clock.now() < self.cut_off_at

    @property
    def awaits_outcome(self) -> bool:
        """Whether it has begun and nobody noted how it went."""
        return self.state is AppointmentState.CONFIRMED and clock.now() >= self.starts_at

    @property
    def moves_left(self) -> int:
        """How often the customer may still move it himself."""
        return max(0, int(slots.rule("self_moves")) - self.self_moves)

    @property
    def credit_cents(self) -> int:
        """What the customer gets back for a visit that we missed (R21)."""
        return int(catalogue.law("missed_visit_credit_cents")) if self.failed_by is Failure.OPERATOR else 0


def may_move(actor: Actor, visit: Visit) -> bool:
    """Whether somebody may put a visit on another day now; the house may so after the cut-off, with a reason."""
    if not actor.may(Permission.APPOINTMENT_WRITE) or not visit.coming:
        return False
    return actor.may(Permission.APPOINTMENT_OVERRIDE) or (visit.in_time and visit.moves_left > 0)


def may_cancel(actor: Actor, visit: Visit) -> bool:
    """Whether somebody may cancel a visit now; a running house move keeps its own."""
    late = not visit.in_time and not actor.may(Permission.APPOINTMENT_OVERRIDE)
    return actor.may(Permission.APPOINTMENT_WRITE) and visit.coming and not late and visit.house_move is None


def home_of(session: Session, customer_id: int) -> Place | None:
    """Return the current address of a customer."""
    row = session.exec(
        select(  # type: ignore[call-overload, misc]
            ContactMedium.street, ContactMedium.number, ContactMedium.box, ContactMedium.postcode, ContactMedium.town, Customer.language
        )
        .join(Customer, col(Customer.id) == ContactMedium.customer_id)
        .where(
            ContactMedium.customer_id == customer_id,
            ContactMedium.kind == ContactKind.ADDRESS,
            col(ContactMedium.until_at).is_(None),
        )
    ).first()
    return Place(address_line(*row), row[3]) if row else None


def fee_of(session: Session, *, customer_id: int, category: AppointmentCategory, day: date) -> tuple[int, str | None]:
    """Return what a visit costs in cents, and why it costs nothing; a repair soon after another one is charged once (W14).

    A house move carries the price of its visit itself.
    """
    if category is AppointmentCategory.MOVE:
        return 0, None
    earlier = col(Appointment.day).between(day - timedelta(days=slots.rule("repeat_days")), day)
    repairs = select(Appointment.id).where(
        Appointment.customer_id == customer_id,
        Appointment.category == AppointmentCategory.REPAIR,
        Appointment.state == AppointmentState.COMPLETED,
        earlier,
    )
    if category is AppointmentCategory.REPAIR and session.exec(repairs.limit(1)).first():
        return 0, SECOND_VISIT
    return catalogue.catalogue().fees["FEE_TECHNICIAN"].cents, None


def when(language: str, day: date, part: DayPart) -> str:
    """Write a half day in full: jeudi 19 novembre 2026, 08:00 – 12:00."""  # noqa: RUF002 - the dash of a span of hours
    start, end = part.value.split("-")
    return f"{i18n.day(day, language, 'full')}, {start}:00 – {end}:00"  # noqa: RUF001 - the same dash


def of_file(session: Session, customer_id: int, *conditions: object) -> list[Visit]:
    """Return a customer's visits in the order in which they take place."""
    running = (OrderState.ACKNOWLEDGED, OrderState.HELD, OrderState.IN_PROGRESS)
    house_move = (
        select(ProductOrder.order_no)
        .join(HouseMove, col(HouseMove.order_id) == ProductOrder.id)
        .where(HouseMove.customer_id == customer_id, HouseMove.appointment_id == Appointment.id, col(ProductOrder.state).in_(running))
        .limit(1)
        .scalar_subquery()
    )
    rows = session.exec(
        select(  # type: ignore[call-overload]
            Appointment.id, Appointment.customer_id, Appointment.appointment_no, Appointment.category, Appointment.state, Appointment.version,
            Appointment.zone, Appointment.day, Appointment.part, Appointment.place, Appointment.sequence, Appointment.self_moves, Appointment.fee_cents,
            Appointment.fee_reason, Appointment.failed_by, house_move,
        )
        .where(Appointment.customer_id == customer_id, *conditions)
        .order_by(col(Appointment.day), col(Appointment.part), col(Appointment.id))
    )  # fmt: skip
    return [Visit(*row) for row in rows]
