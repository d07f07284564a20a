"""Visits of a technician: what may happen to them, until when, and by whom."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from core import clock
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentMove, AppointmentState, DayPart, Failure, TimeSlot
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus, Language
from core.models.order import HouseMove, OrderCategory, OrderState, ProductOrder
from core.services import appointments, slots, visits
from core.services.visits import Place, Visit
from core.text_rules import TooLong
from tests.builders import AGENT, VIEWER, make_customer, self_of

REPAIR, INSTALLATION, MOVE = AppointmentCategory.REPAIR, AppointmentCategory.INSTALLATION, AppointmentCategory.MOVE
MORNING, AFTERNOON = DayPart
THURSDAY = date(2026, 11, 19)
WEDNESDAY_AFTER = date(2026, 11, 25)


def namur(day: date, part: DayPart = MORNING) -> int:
    """The number of a half day where make_customer's customers live."""
    return slots.slot_id("50", day, part)


def booked(session: Session, day: date, part: DayPart = MORNING) -> int:
    return session.exec(select(TimeSlot.booked).where(TimeSlot.id == namur(day, part))).first() or 0


def fill(session: Session, day: date, part: DayPart = MORNING) -> None:
    places = slots.capacity("50")
    session.add(TimeSlot(id=namur(day, part), zone="50", day=day, part=part, capacity=places, booked=places))
    session.flush()


def plan(session: Session, customer: Customer, day: date = THURSDAY, **given: Any) -> Visit:
    """A visit planned on the first day, on Thursday morning unless told otherwise."""
    facts: dict[str, Any] = {"category": REPAIR, "slot_id": namur(day)} | given
    return appointments.book(session, AGENT, customer_id=customer.id, **facts)


def past_repair(session: Session, customer: Customer, day: date, **given: Any) -> None:
    facts: dict[str, Any] = {"state": AppointmentState.COMPLETED, "fee_cents": 5000} | given
    session.add(
        Appointment(
            customer_id=customer.id, appointment_no=f"A{customer.customer_no}{day:%m}", category=REPAIR, zone="50", day=day, part=MORNING,
            place="Rue de Fer 12, 5000 Namur", created_at=clock.now(), **facts,
        )
    )  # fmt: skip
    session.flush()


def house_move(session: Session, customer: Customer, visit: Visit, state: OrderState = OrderState.IN_PROGRESS) -> HouseMove:
    order = ProductOrder(
        customer_id=customer.id, order_no="O1", category=OrderCategory.MOVE, channel="agent", state=state, effective_on=THURSDAY,
        created_by="agent", created_at=clock.now(),
    )  # fmt: skip
    session.add(order)
    session.flush()
    row = HouseMove(
        customer_id=customer.id, order_id=order.id, appointment_id=visit.id, move_out=date(2026, 12, 15), move_in=date(2026, 12, 15),
        to_street="Naamsestraat", to_number="55", to_postcode="3000", to_town="Leuven", contact_name="T. Janssens", contact_phone="+32470000007",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def messages(session: Session, customer: Customer) -> list[str]:
    return list(session.exec(select(Communication.template).where(Communication.customer_id == customer.id).order_by(Communication.id)))  # type: ignore[arg-type]


def trail(session: Session, customer: Customer) -> list[AuditEntry]:
    return list(session.exec(select(AuditEntry).where(AuditEntry.customer_id == customer.id).order_by(AuditEntry.id)))  # type: ignore[arg-type]


def brussels(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return clock.at(date(year, month, day), hour)


class TestOfCustomer:
    def test_shows_the_coming_ones_first_and_the_latest_past_one_on_top(self, session: Session) -> None:
        customer = make_customer(session)
        for day in (date(2026, 9, 1), date(2026, 10, 1)):
            past_repair(session, customer, day)
        later = plan(session, customer, WEDNESDAY_AFTER, category=INSTALLATION)
        next_one = plan(session, customer)
        found = appointments.of_customer(session, AGENT, customer_id=customer.id)
        assert [visit.appointment_no for visit in found.coming] == [next_one.appointment_no, later.appointment_no]
        assert [visit.day.month for visit in found.past] == [10, 9]

    def test_tells_until_when_a_visit_may_change_and_how_often(self, session: Session) -> None:
        visit = plan(session, make_customer(session))
        assert (visit.cut_off_at, visit.in_time, visit.moves_left) == (brussels(2026, 11, 18, 18), True, 3)

    def test_a_visit_is_past_once_its_half_day_is_over(self, session: Session) -> None:
        customer = make_customer(session)
        plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 12)):
            found = appointments.of_customer(session, AGENT, customer_id=customer.id)
            assert (found.coming, found.past[0].awaits_outcome) == ((), True)

    def test_only_a_repair_can_be_planned_by_the_customer_and_no_second_one(self, session: Session) -> None:
        customer = make_customer(session)
        assert appointments.of_customer(session, self_of(customer), customer_id=customer.id).plannable == (REPAIR,)
        assert appointments.of_customer(session, AGENT, customer_id=customer.id).plannable == (REPAIR, INSTALLATION)
        plan(session, customer)
        assert appointments.of_customer(session, self_of(customer), customer_id=customer.id).plannable == ()

    def test_nothing_can_be_planned_by_a_reader_or_for_a_closed_file(self, session: Session) -> None:
        customer, closed = make_customer(session), make_customer(session, status=CustomerStatus.CLOSED)
        assert appointments.of_customer(session, VIEWER, customer_id=customer.id).plannable == ()
        assert appointments.of_customer(session, AGENT, customer_id=closed.id).plannable == ()

    def test_a_customer_cannot_see_another_file(self, session: Session) -> None:
        mine, other = make_customer(session), make_customer(session)
        plan(session, other)
        with pytest.raises(NotFound):
            appointments.of_customer(session, self_of(mine), customer_id=other.id)


class TestNextOf:
    def test_is_the_first_confirmed_one_that_is_not_over(self, session: Session) -> None:
        customer = make_customer(session)
        plan(session, customer, category=INSTALLATION, slot_id=namur(WEDNESDAY_AFTER))
        plan(session, customer)
        assert appointments.next_of(session, customer.id) == appointments.NextVisit(THURSDAY, MORNING, REPAIR, AppointmentState.CONFIRMED)
        with clock.standing(brussels(2026, 11, 19, 12)):
            found = appointments.next_of(session, customer.id)
            assert found is not None
            assert found.day == WEDNESDAY_AFTER

    def test_is_nothing_without_a_visit(self, session: Session) -> None:
        assert appointments.next_of(session, make_customer(session).id) is None


class TestBook:
    def test_takes_a_place_writes_the_confirmation_and_the_trail(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        assert (visit.appointment_no, visit.state) == (f"A{customer.customer_no}01", AppointmentState.CONFIRMED)
        assert (visit.place, visit.zone, visit.sequence) == ("Rue de Fer 12, 5000 Namur", "50", 0)
        assert booked(session, THURSDAY) == 1
        assert messages(session, customer) == ["appointment_confirmed"]
        (entry,) = trail(session, customer)
        assert (entry.action, entry.after) == ("appointment:book", {"day": "2026-11-19", "part": "08-12"})

    def test_the_message_says_when_and_until_when_it_may_change(self, session: Session) -> None:
        customer = make_customer(session, language=Language.NL)
        plan(session, customer)
        body = session.exec(select(Communication.body).where(Communication.customer_id == customer.id)).one()
        assert "donderdag 19 november 2026, 08:00 – 12:00" in body
        assert "18/11/2026 18:00" in body

    def test_takes_place_elsewhere_when_a_place_is_named(self, session: Session) -> None:
        customer = make_customer(session)
        leuven = Place("Naamsestraat 55, 3000 Leuven", "3000")
        slot = slots.slot_id("30", date(2026, 12, 16), MORNING)
        visit = appointments.book(session, AGENT, customer_id=customer.id, category=MOVE, slot_id=slot, place=leuven)
        assert (visit.zone, visit.place, visit.fee_cents) == ("30", "Naamsestraat 55, 3000 Leuven", 0)

    def test_refuses_a_half_day_of_another_zone(self, session: Session) -> None:
        with pytest.raises(slots.SlotNotOffered):
            plan(session, make_customer(session), slot_id=slots.slot_id("10", THURSDAY, MORNING))

    def test_refuses_a_second_visit_of_the_same_kind(self, session: Session) -> None:
        customer = make_customer(session)
        plan(session, customer)
        with pytest.raises(appointments.AlreadyPlanned):
            plan(session, customer, WEDNESDAY_AFTER)

    def test_refuses_a_closed_file(self, session: Session) -> None:
        with pytest.raises(appointments.FileClosed):
            plan(session, make_customer(session, status=CustomerStatus.CLOSED))

    def test_refuses_a_reader(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(NotPermitted):
            appointments.book(session, VIEWER, customer_id=customer.id, category=REPAIR, slot_id=namur(THURSDAY))

    def test_a_repair_costs_the_technicians_fee(self, session: Session) -> None:
        visit = plan(session, make_customer(session))
        assert (visit.fee_cents, visit.fee_reason) == (5000, None)

    @pytest.mark.parametrize(("earlier", "fee_cents"), [(date(2026, 11, 10), 0), (date(2026, 11, 5), 0), (date(2026, 11, 4), 5000)])
    def test_a_second_repair_within_fourteen_days_is_free(self, session: Session, earlier: date, fee_cents: int) -> None:
        customer = make_customer(session)
        past_repair(session, customer, earlier)
        visit = plan(session, customer)
        assert (visit.fee_cents, visit.fee_reason) == (fee_cents, None if fee_cents else visits.SECOND_VISIT)

    def test_a_failed_visit_does_not_make_the_next_one_free(self, session: Session) -> None:
        customer = make_customer(session)
        past_repair(session, customer, date(2026, 11, 10), state=AppointmentState.FAILED, failed_by=Failure.CUSTOMER)
        assert plan(session, customer).fee_cents == 5000


class TestMove:
    def move(self, session: Session, customer: Customer, visit: Visit, day: date = WEDNESDAY_AFTER, **given: Any) -> Visit:
        facts: dict[str, Any] = {"actor": AGENT, "shown_version": visit.version, "slot_id": namur(day)} | given
        actor = facts.pop("actor")
        return appointments.move(session, actor, customer_id=customer.id, appointment_id=visit.id, **facts)

    def test_takes_the_new_place_frees_the_old_one_and_keeps_what_was(self, session: Session) -> None:
        customer = make_customer(session)
        moved = self.move(session, customer, plan(session, customer))
        assert (moved.day, moved.sequence) == (WEDNESDAY_AFTER, 1)
        assert (booked(session, THURSDAY), booked(session, WEDNESDAY_AFTER)) == (0, 1)
        history = session.exec(select(AppointmentMove).where(AppointmentMove.customer_id == customer.id)).one()
        assert (history.from_day, history.to_day, history.moved_by) == (THURSDAY, WEDNESDAY_AFTER, "agent")
        assert messages(session, customer) == ["appointment_confirmed", "appointment_moved"]
        entry = trail(session, customer)[-1]
        assert (entry.action, entry.before, entry.after) == (
            "appointment:move",
            {"day": "2026-11-19", "part": "08-12"},
            {"day": "2026-11-25", "part": "08-12"},
        )

    def test_keeps_the_price_it_was_planned_for(self, session: Session) -> None:
        customer = make_customer(session)
        past_repair(session, customer, date(2026, 11, 10))
        moved = self.move(session, customer, plan(session, customer), date(2026, 12, 1))
        assert (moved.fee_cents, moved.fee_reason) == (0, visits.SECOND_VISIT)

    def test_keeps_the_old_place_when_the_new_one_is_full(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        fill(session, WEDNESDAY_AFTER)
        with pytest.raises(slots.SlotTaken):
            self.move(session, customer, visit)
        assert booked(session, THURSDAY) == 1
        assert appointments.find(session, AGENT, customer_id=customer.id, appointment_no=visit.appointment_no) == visit

    def test_does_not_offer_the_place_the_customer_has(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        fill(session, THURSDAY, AFTERNOON)
        with pytest.raises(slots.SlotTaken) as refusal:
            self.move(session, customer, visit, slot_id=namur(THURSDAY, AFTERNOON))
        assert refusal.value.params["day"] == date(2026, 11, 20)

    def test_refuses_the_half_day_it_is_on(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with pytest.raises(appointments.SameSlot):
            self.move(session, customer, visit, THURSDAY)

    def test_a_customer_may_move_it_until_18_00_the_working_day_before(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(datetime(2026, 11, 18, 16, 59, 59, tzinfo=UTC)):
            assert self.move(session, customer, visit, actor=self_of(customer)).day == WEDNESDAY_AFTER

    def test_from_18_00_on_the_customer_reads_whom_to_call(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 18, 18)), pytest.raises(appointments.TooLate) as refusal:
            self.move(session, customer, visit, actor=self_of(customer))
        assert refusal.value.params == {"until": brussels(2026, 11, 18, 18), "phone": "02 100 00 00"}

    def test_a_monday_visit_can_no_longer_move_on_sunday(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer, date(2026, 11, 23))
        with clock.standing(brussels(2026, 11, 22)), pytest.raises(appointments.TooLate):
            self.move(session, customer, visit, actor=self_of(customer))

    def test_afterwards_an_agent_gives_a_reason_which_is_kept(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 18, 18)):
            with pytest.raises(appointments.ReasonNeeded) as refusal:
                self.move(session, customer, visit, reason="  ")
            self.move(session, customer, visit, reason=" Child ill ")
        assert refusal.value.field == "reason"
        assert session.exec(select(AppointmentMove.reason).where(AppointmentMove.customer_id == customer.id)).one() == "Child ill"
        assert trail(session, customer)[-1].reason == "Child ill"

    def test_a_reason_that_is_too_long_is_refused(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 18, 18)), pytest.raises(TooLong):
            self.move(session, customer, visit, reason="x" * 201)

    def test_a_customer_moves_it_three_times_at_most_an_agent_as_often_as_needed(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        for day in (24, 25, 26):
            visit = self.move(session, customer, visit, date(2026, 11, day), actor=self_of(customer))
        assert visit.moves_left == 0
        with pytest.raises(appointments.NoMovesLeft):
            self.move(session, customer, visit, date(2026, 11, 27), actor=self_of(customer))
        moved = self.move(session, customer, visit, date(2026, 11, 27))
        assert (moved.self_moves, moved.sequence) == (3, 4)

    def test_the_second_of_two_agents_is_told_who_was_first(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        self.move(session, customer, visit)
        with pytest.raises(ChangedMeanwhile) as refusal:
            self.move(session, customer, visit, date(2026, 11, 26))
        assert refusal.value.params == {"who": "agent", "at": "10:00"}

    def test_refuses_a_visit_of_another_customer(self, session: Session) -> None:
        mine, other = make_customer(session), make_customer(session)
        visit = plan(session, other)
        with pytest.raises(NotFound):
            self.move(session, mine, visit, actor=self_of(mine))
        with pytest.raises(NotFound):
            self.move(session, other, visit, actor=self_of(mine))

    def test_refuses_a_visit_that_is_over(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 12)), pytest.raises(appointments.NotComing):
            self.move(session, customer, visit, reason="late")

    def test_leaves_the_house_move_it_belongs_to_as_it_is(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer, category=MOVE, slot_id=namur(date(2026, 12, 16)))
        row = house_move(session, customer, visit)
        moved = self.move(session, customer, visit, date(2026, 12, 18))
        assert (moved.house_move, row.appointment_id, row.move_in) == ("O1", visit.id, date(2026, 12, 15))

    def test_refuses_what_lies_outside_of_the_window(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with pytest.raises(slots.SlotNotOffered):
            self.move(session, customer, visit, date(2026, 12, 19))


class TestCancel:
    def cancel(self, session: Session, customer: Customer, visit: Visit, **given: Any) -> Visit:
        facts: dict[str, Any] = {"actor": AGENT, "shown_version": visit.version} | given
        actor = facts.pop("actor")
        return appointments.cancel(session, actor, customer_id=customer.id, appointment_id=visit.id, **facts)

    def test_frees_the_half_day_and_tells_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        cancelled = self.cancel(session, customer, plan(session, customer), actor=self_of(customer))
        assert (cancelled.state, cancelled.sequence) == (AppointmentState.CANCELLED, 1)
        assert booked(session, THURSDAY) == 0
        assert messages(session, customer)[-1] == "appointment_cancelled"
        assert trail(session, customer)[-1].action == "appointment:cancel"

    def test_cannot_be_done_twice(self, session: Session) -> None:
        customer = make_customer(session)
        cancelled = self.cancel(session, customer, plan(session, customer))
        with pytest.raises(appointments.NotComing):
            self.cancel(session, customer, cancelled)
        assert booked(session, THURSDAY) == 0

    def test_is_refused_after_the_cut_off_unless_an_agent_says_why(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 18, 20)):
            with pytest.raises(appointments.TooLate):
                self.cancel(session, customer, visit, actor=self_of(customer))
            assert self.cancel(session, customer, visit, reason="Repaired from here").state is AppointmentState.CANCELLED

    def test_is_refused_while_a_house_move_needs_the_visit(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer, category=MOVE, slot_id=namur(date(2026, 12, 16)))
        house_move(session, customer, visit)
        with pytest.raises(appointments.OfHouseMove):
            self.cancel(session, customer, visit)

    def test_is_possible_once_the_house_move_is_cancelled(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer, category=MOVE, slot_id=namur(date(2026, 12, 16)))
        house_move(session, customer, visit, OrderState.CANCELLED)
        assert self.cancel(session, customer, visit).state is AppointmentState.CANCELLED

    def test_makes_room_for_a_new_visit(self, session: Session) -> None:
        customer = make_customer(session)
        self.cancel(session, customer, plan(session, customer))
        assert plan(session, customer).appointment_no == f"A{customer.customer_no}02"


class TestComplete:
    def test_keeps_the_price(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 9)):
            done = appointments.complete(session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version)
        assert (done.state, done.fee_cents) == (AppointmentState.COMPLETED, 5000)
        assert trail(session, customer)[-1].action == "appointment:complete"

    def test_a_fault_in_the_network_costs_nothing(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 9)):
            done = appointments.complete(
                session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version, network_fault=True
            )
        assert (done.fee_cents, done.fee_reason) == (0, visits.NETWORK_FAULT)

    def test_not_before_the_half_day_begins(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(datetime(2026, 11, 19, 6, 59, tzinfo=UTC)), pytest.raises(appointments.NotYet):
            appointments.complete(session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version)

    def test_not_by_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 9)), pytest.raises(NotPermitted):
            appointments.complete(session, self_of(customer), customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version)


class TestFail:
    def fail(self, session: Session, customer: Customer, **given: Any) -> Visit:
        visit = plan(session, customer)
        with clock.standing(brussels(2026, 11, 19, 13)):
            return appointments.fail(session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version, **given)

    def test_by_us_it_costs_nothing_and_the_customer_is_owed_thirty_euros(self, session: Session) -> None:
        customer = make_customer(session)
        visit = self.fail(session, customer, by=Failure.OPERATOR)
        assert (visit.state, visit.fee_cents, visit.credit_cents) == (AppointmentState.FAILED, 0, 3000)
        assert messages(session, customer)[-1] == "appointment_failed_by_us"

    def test_an_absent_customer_pays_unless_it_is_waived(self, session: Session) -> None:
        charged = self.fail(session, make_customer(session), by=Failure.CUSTOMER)
        waived = self.fail(session, make_customer(session), by=Failure.CUSTOMER, waive=True)
        assert (charged.fee_cents, charged.fee_reason, charged.credit_cents) == (5000, visits.CUSTOMER_ABSENT, 0)
        assert (waived.fee_cents, waived.fee_reason) == (0, visits.WAIVED)

    def test_without_access_it_costs_nothing(self, session: Session) -> None:
        visit = self.fail(session, make_customer(session), by=Failure.NO_ACCESS)
        assert (visit.fee_cents, visit.fee_reason, visit.credit_cents) == (0, None, 0)

    def test_allows_a_new_visit_at_once(self, session: Session) -> None:
        customer = make_customer(session)
        self.fail(session, customer, by=Failure.OPERATOR)
        assert plan(session, customer, WEDNESDAY_AFTER).state is AppointmentState.CONFIRMED
