"""House moves: who may, where the line goes, when, at what cost; and what happens to them afterwards (W5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.appointment import Appointment, AppointmentState, DayPart
from core.models.bill import Bill, BillState
from core.models.communication import Communication
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus
from core.models.order import HouseMove, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.postcodes import PostcodeOfAnotherTown, UnknownPostcode
from core.services import billing_facts, contacts, move_progress, move_rules, moves, option_rules, products, slots
from core.services.move_progress import Step
from core.services.move_rules import Wish
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
OUT, IN = date(2026, 12, 15), date(2026, 12, 16)


def slot(day: date, part: DayPart = DayPart.MORNING, zone: str = "30") -> int:
    return slots.slot_id(zone, day, part)


LEUVEN = Wish(
    street="Naamsestraat", number="55", postcode="3000", town="Leuven", move_out=OUT, move_in=IN, contact_name="Thomas Janssens",
    contact_phone="0470 00 00 07", slot_id=slot(IN),
)  # fmt: skip


def couple(session: Session, offering: str = "LOCO", **given: Any) -> Customer:
    """P07: internet in Namur instead of Gent, to be moved to Leuven."""
    customer = make_customer(session, **given)
    make_product(session, customer, offering, line="+3281000001" if offering in {"TRIO", "DUO"} else None)
    return customer


def look(session: Session, customer: Customer, wish: Wish = LEUVEN, actor: Actor = AGENT) -> moves.Review:
    return moves.review(session, actor, customer_id=customer.id, wish=wish)


def order(session: Session, customer: Customer, wish: Wish = LEUVEN, actor: Actor = AGENT) -> str:
    return moves.confirm(session, actor, customer_id=customer.id, wish=wish)


def under_way(session: Session, customer: Customer) -> move_progress.Move:
    return move_progress.current(session, AGENT, customer_id=customer.id) or pytest.fail("no move")


def visit_of(session: Session, customer: Customer) -> Appointment:
    return session.exec(
        select(Appointment).where(Appointment.customer_id == customer.id).order_by(col(Appointment.id).desc())
    ).first() or pytest.fail("no visit")


def overdue_since(session: Session, customer: Customer, day: date) -> None:
    session.add(
        Bill(
            customer_id=customer.id, bill_no=f"26{customer.id:08d}", bill_date=day - timedelta(days=15), due_date=day,
            period_since=day, period_until=day, state=BillState.SENT, excl_cents=3471, vat_cents=729, incl_cents=4200,
            remaining_cents=4200, ogm=f"{customer.id:012d}", document_token=f"t{customer.id}", printed={}, issued_at=datetime(2026, 8, 5, tzinfo=UTC),
        )
    )  # fmt: skip
    session.flush()


def address_of(session: Session, customer: Customer) -> ContactMedium:
    return session.exec(
        select(ContactMedium).where(
            ContactMedium.customer_id == customer.id, ContactMedium.kind == ContactKind.ADDRESS, col(ContactMedium.until_at).is_(None)
        )
    ).one()


class TestSituation:
    def test_a_mobile_line_moves_with_its_owner(self, session: Session) -> None:
        with pytest.raises(move_rules.NothingToMove):
            moves.situation(session, AGENT, customer_id=couple(session, "HOT").id)

    @pytest.mark.parametrize(
        ("status", "refusal"), [(CustomerStatus.SUSPENDED, option_rules.Suspended), (CustomerStatus.CLOSED, option_rules.FileClosed)]
    )
    def test_refuses_who_is_suspended_or_left(self, session: Session, status: CustomerStatus, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            moves.situation(session, AGENT, customer_id=couple(session, status=status).id)

    def test_bills_overdue_for_more_than_60_days_need_a_team_lead(self, session: Session) -> None:
        customer = couple(session)
        overdue_since(session, customer, date(2026, 9, 18))
        with pytest.raises(moves.InArrears) as refusal:
            moves.situation(session, AGENT, customer_id=customer.id)
        assert refusal.value.params["days"] == 61
        assert moves.situation(session, SENIOR, customer_id=customer.id).overdue_days == 61

    def test_sixty_days_are_no_obstacle(self, session: Session) -> None:
        customer = couple(session)
        overdue_since(session, customer, date(2026, 9, 19))
        assert moves.situation(session, AGENT, customer_id=customer.id).overdue_days == 0

    def test_one_move_at_a_time(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        with pytest.raises(moves.UnderWay) as refusal:
            moves.situation(session, AGENT, customer_id=customer.id)
        assert refusal.value.params["order_no"] == number

    def test_refuses_others(self, session: Session) -> None:
        customer = couple(session)
        with pytest.raises(NotPermitted):
            moves.situation(session, VIEWER, customer_id=customer.id)
        with pytest.raises(NotFound):
            moves.situation(session, self_of(make_customer(session)), customer_id=customer.id)


class TestCheckPlace:
    @pytest.mark.parametrize(
        ("changes", "refusal", "field"),
        [
            ({"street": " "}, Missing, "street"),
            ({"postcode": "0999"}, UnknownPostcode, "postcode"),
            ({"town": "Gent"}, PostcodeOfAnotherTown, "postcode"),
            ({"contact_name": ""}, Missing, "contact_name"),
            ({"contact_phone": "12"}, contacts.NotAPhone, "contact_phone"),
            ({"street": "RUE DE FER", "number": "12", "postcode": "5000", "town": "Namur"}, move_rules.SamePlace, "street"),
        ],
    )
    def test_refuses_and_names_the_field(self, session: Session, changes: dict[str, str], refusal: type[Exception], field: str) -> None:
        customer = couple(session)
        with pytest.raises(refusal) as refused:
            moves.check_place(session, AGENT, customer_id=customer.id, wish=replace(LEUVEN, **changes))  # type: ignore[arg-type]
        assert refused.value.field == field  # type: ignore[attr-defined]

    def test_keeps_a_part_of_a_town_that_the_customer_insists_on(self, session: Session) -> None:
        customer = couple(session)
        wish = replace(LEUVEN, town="Gent", town_kept=True)
        assert moves.check_place(session, AGENT, customer_id=customer.id, wish=wish)[0].town == "Gent"

    def test_a_number_stays_in_its_zone(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        with pytest.raises(move_rules.NumberStaysInZone) as refusal:
            moves.check_place(session, AGENT, customer_id=customer.id, wish=replace(LEUVEN, keep_number=True))
        assert (refusal.value.params["zone"], refusal.value.params["new_zone"]) == ("081", "016")
        near = replace(LEUVEN, keep_number=True, postcode="5100", town="Namur")
        assert moves.check_place(session, AGENT, customer_id=customer.id, wish=near)[0].keep_number

    def test_a_phone_is_stored_as_it_is_dialled_from_anywhere(self, session: Session) -> None:
        wish, _ = moves.check_place(session, AGENT, customer_id=couple(session).id, wish=LEUVEN)
        assert wish.contact_phone == "+32470000007"


class TestReview:
    def test_a_move_is_free_and_its_dates_are_told(self, session: Session) -> None:
        found = look(session, couple(session))
        assert (found.fee_cents, found.month_before_cents, found.month_after_cents) == (0, 3200, 3200)
        assert (found.overlap_days, found.without_days) == (0, 0)
        assert found.cancel_until == clock.at(date(2026, 12, 15), 18)
        assert found.bill_to_old_address == date(2026, 12, 5)
        assert found.short_notice_weeks is None

    def test_in_home_wiring_costs_fifty_euros(self, session: Session) -> None:
        assert look(session, couple(session), replace(LEUVEN, technician=True)).fee_cents == 5000

    @pytest.mark.parametrize(("new_build", "days", "weeks"), [(False, 27, 4), (False, 28, None), (True, 41, 6), (True, 42, None)])
    def test_warns_under_four_weeks_and_under_six_for_a_new_build(
        self, session: Session, days: int, weeks: int | None, *, new_build: bool
    ) -> None:
        day = date(2026, 11, 18) + timedelta(days=days)
        installed = day if slots.is_working_day(day) else slots.working_day_after(day)
        wish = replace(LEUVEN, move_in=day, move_out=day, new_build=new_build, slot_id=slot(installed))
        assert look(session, couple(session), wish).short_notice_weeks == weeks

    def test_the_earliest_installation_is_in_five_working_days(self, session: Session) -> None:
        customer, wish = couple(session), replace(LEUVEN, move_in=date(2026, 11, 20), move_out=date(2026, 11, 30))
        assert look(session, customer, replace(wish, slot_id=slot(date(2026, 11, 24)))).half_day.day == date(2026, 11, 24)
        with pytest.raises(move_rules.InstallTooSoon) as refusal:
            look(session, customer, replace(wish, slot_id=slot(date(2026, 11, 23))))
        assert refusal.value.params["earliest"] == date(2026, 11, 24)

    def test_nobody_opens_before_the_arrival(self, session: Session) -> None:
        with pytest.raises(move_rules.InstallBeforeArrival):
            look(session, couple(session), replace(LEUVEN, slot_id=slot(date(2026, 12, 14))))

    def test_both_places_are_served_for_fourteen_days_at_most(self, session: Session) -> None:
        customer = couple(session)
        assert look(session, customer, replace(LEUVEN, move_out=date(2026, 12, 29))).overlap_days == 14
        with pytest.raises(move_rules.OverlapTooLong):
            look(session, customer, replace(LEUVEN, move_out=date(2026, 12, 30)))

    def test_says_for_how_many_days_nothing_works(self, session: Session) -> None:
        assert look(session, couple(session), replace(LEUVEN, move_out=date(2026, 12, 10))).without_days == 5

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"move_out": date(2026, 11, 17)}, move_rules.MoveOutPast),
            ({"move_in": date(2026, 11, 17)}, move_rules.MoveInPast),
            ({"move_in": date(2027, 1, 18)}, move_rules.MoveInTooFar),
            ({"slot_id": None}, moves.SlotNeeded),
            ({"slot_id": slot(date(2026, 12, 25))}, slots.SlotNotOffered),
            ({"slot_id": slot(IN, zone="50")}, slots.SlotNotOffered),
        ],
    )
    def test_refuses_days_that_can_not_be(self, session: Session, changes: dict[str, Any], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            look(session, couple(session), replace(LEUVEN, **changes))

    def test_proposes_another_plan_where_the_line_is_too_weak(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        there = replace(LEUVEN, postcode="6890", town="Libin", slot_id=slot(IN, zone="68"))
        with pytest.raises(move_rules.NotAtThisPlace) as refusal:
            look(session, customer, there)
        assert refusal.value.params["proposal"].code == "DUO"  # type: ignore[attr-defined]
        found = look(session, customer, replace(there, accept_proposal=True))
        assert (found.month_before_cents, found.month_after_cents) == (4200, 3600)

    @given(active=st.dates(date(2026, 11, 1), date(2027, 2, 1)), out=st.dates(date(2026, 11, 1), date(2027, 2, 1)))
    def test_a_day_is_served_twice_or_not_at_all_never_both(self, active: date, out: date) -> None:
        twice, none = move_rules.overlap_days(active, out), move_rules.without_days(active, out)
        assert not (twice and none)
        days = [date(2026, 10, 1) + timedelta(days=number) for number in range(200)]
        assert none == sum(out < day < active for day in days)
        assert twice == sum(active <= day <= out for day in days)


class TestConfirm:
    def test_writes_one_order_one_visit_and_tells_the_customer(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        row = session.exec(select(ProductOrder).where(ProductOrder.order_no == number)).one()
        move = session.exec(select(HouseMove).where(HouseMove.order_id == row.id)).one()
        visit = visit_of(session, customer)
        assert (row.state, row.effective_on) == (OrderState.IN_PROGRESS, IN)
        assert (move.appointment_id, visit.day, visit.place) == (visit.id, IN, "Naamsestraat 55, 3000 Leuven")
        assert session.exec(select(Communication.template).order_by(col(Communication.id))).all() == [
            "appointment_confirmed",
            "move_ordered",
        ]

    def test_leaves_the_bill_alone_as_the_plan_goes_along(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        assert [(one.code, one.until) for one in billing_facts.of_customer(session, customer.id).held] == [("LOCO", None)]

    def test_a_second_click_finds_the_first_one(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        with pytest.raises(moves.UnderWay):
            order(session, customer)

    def test_puts_another_plan_in_the_place_of_one_the_line_refuses(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        trio = products.held(session, AGENT, customer_id=customer.id)[0]
        make_product(session, customer, "TV_SPORT", parent_id=trio.id)
        wish = replace(LEUVEN, postcode="6890", town="Libin", slot_id=slot(IN, zone="68"), accept_proposal=True)
        order(session, customer, wish)
        found = {(one.code, one.since, one.until) for one in billing_facts.of_customer(session, customer.id).held}
        assert found == {("TRIO", date(2024, 1, 1), IN), ("TV_SPORT", date(2024, 1, 1), IN), ("DUO", IN, None)}

    def test_the_customer_does_it_himself(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer, actor=self_of(customer))
        assert session.exec(select(ProductOrder.channel)).one() == "selfcare"


class TestCurrent:
    def test_tells_the_milestones(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        found = under_way(session, customer)
        assert [(one.step, one.day, one.done) for one in found.milestones] == [
            (Step.ACCEPTED, date(2026, 11, 18), True), (Step.SLOT, IN, True), (Step.OLD_LINE_STOPS, OUT, False), (Step.ACTIVATION, IN, False),
        ]  # fmt: skip
        assert found.may_cancel
        assert found.address == "Naamsestraat 55, 3000 Leuven"

    def test_is_none_without_a_move(self, session: Session) -> None:
        assert move_progress.current(session, AGENT, customer_id=couple(session).id) is None


class TestPostpone:
    def test_order_visit_and_arrival_agree(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        move = under_way(session, customer)
        assert move.visit is not None
        later = date(2026, 12, 23)
        move_progress.postpone(
            session, AGENT, customer_id=customer.id, order_no=number, shown_version=move.visit.version, slot_id=slot(later)
        )
        found = under_way(session, customer)
        assert (found.move_in, found.visit and found.visit.day, found.move_out, found.without_days) == (later, later, OUT, 7)
        assert session.exec(select(ProductOrder)).one().effective_on == later
        assert visit_of(session, customer).sequence == 1

    def test_moves_the_change_of_plan_along(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        wish = replace(LEUVEN, postcode="6890", town="Libin", slot_id=slot(IN, zone="68"), accept_proposal=True)
        number, later = order(session, customer, wish), date(2026, 12, 17)
        move_progress.postpone(
            session, AGENT, customer_id=customer.id, order_no=number, shown_version=visit_of(session, customer).version,
            slot_id=slot(later, zone="68"),
        )  # fmt: skip
        assert {(one.code, one.since, one.until) for one in billing_facts.of_customer(session, customer.id).held} == {
            ("TRIO", date(2024, 1, 1), later), ("DUO", later, None),
        }  # fmt: skip

    def test_a_second_agent_is_told(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        facts: dict[str, Any] = {"customer_id": customer.id, "order_no": number, "shown_version": visit_of(session, customer).version}
        move_progress.postpone(session, AGENT, **facts, slot_id=slot(date(2026, 12, 17)))
        with pytest.raises(ChangedMeanwhile):
            move_progress.postpone(session, SENIOR, **facts, slot_id=slot(date(2026, 12, 18)))

    def test_never_before_it_is_possible(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        with pytest.raises(move_rules.InstallTooSoon):
            move_progress.postpone(
                session, AGENT, customer_id=customer.id, order_no=number, shown_version=visit_of(session, customer).version,
                slot_id=slot(date(2026, 11, 21)),
            )  # fmt: skip

    def test_offers_other_half_days_only(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        found = move_progress.other_half_days(session, AGENT, customer_id=customer.id, move=under_way(session, customer))
        assert found[0].day == date(2026, 11, 24)
        assert slot(IN) not in {half_day.id for half_day in found}


class TestCancel:
    def test_frees_the_half_day_and_leaves_everything_where_it_is(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        wish = replace(LEUVEN, postcode="6890", town="Libin", slot_id=slot(IN, zone="68"), accept_proposal=True)
        number = order(session, customer, wish)
        shown = visit_of(session, customer).version
        move_progress.cancel(session, SENIOR, customer_id=customer.id, order_no=number, shown_version=shown)
        with pytest.raises(ChangedMeanwhile) as refusal:
            move_progress.cancel(session, AGENT, customer_id=customer.id, order_no=number, shown_version=shown)
        assert refusal.value.params["who"] == SENIOR.username
        assert move_progress.current(session, AGENT, customer_id=customer.id) is None
        assert visit_of(session, customer).state is AppointmentState.CANCELLED
        assert [(one.code, one.until) for one in products.held(session, AGENT, customer_id=customer.id)] == [("TRIO", None)]
        order(session, customer)

    def test_is_free_until_1800_the_day_before(self, session: Session) -> None:
        customer = couple(session)
        number = order(session, customer)
        with clock.standing(clock.at(OUT, 18)):
            assert not under_way(session, customer).may_cancel
            with pytest.raises(move_progress.CancelTooLate):
                move_progress.cancel(session, AGENT, customer_id=customer.id, order_no=number, shown_version=1)
        with clock.standing(clock.at(OUT, 17, 59)):
            with pytest.raises(ChangedMeanwhile):
                move_progress.cancel(session, AGENT, customer_id=customer.id, order_no=number, shown_version=0)
            move_progress.cancel(session, self_of(customer), customer_id=customer.id, order_no=number, shown_version=1)

    def test_does_not_find_another_customers_move(self, session: Session) -> None:
        number = order(session, couple(session))
        with pytest.raises(NotFound):
            move_progress.cancel(session, AGENT, customer_id=couple(session).id, order_no=number, shown_version=1)


class TestSettleDue:
    def test_the_address_follows_on_the_day_of_arrival_and_the_old_one_stays_in_the_file(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        with clock.standing(clock.at(OUT, 23)):
            move_progress.settle_due(session, SYSTEM)
            assert address_of(session, customer).postcode == "5000"
        with clock.standing(clock.at(IN, 1)):
            move_progress.settle_due(session, SYSTEM)
            move_progress.settle_due(session, SYSTEM)
        assert address_of(session, customer).postcode == "3000"
        addresses = session.exec(
            select(ContactMedium).where(ContactMedium.customer_id == customer.id, ContactMedium.kind == ContactKind.ADDRESS)
        )
        assert len(addresses.all()) == 2

    def test_the_order_ends_once_both_lines_are_done(self, session: Session) -> None:
        customer = couple(session)
        order(session, customer)
        with clock.standing(clock.at(IN, 1)):
            assert move_progress.settle_due(session, SYSTEM) == 0
        with clock.standing(clock.at(IN + timedelta(days=1), 1)):
            assert move_progress.settle_due(session, SYSTEM) == 1
            assert move_progress.current(session, AGENT, customer_id=customer.id) is None

    def test_the_new_plan_starts_and_the_number_goes(self, session: Session) -> None:
        customer = couple(session, "TRIO")
        wish = replace(LEUVEN, postcode="6890", town="Libin", slot_id=slot(IN, zone="68"), accept_proposal=True)
        order(session, customer, wish)
        with clock.standing(clock.at(IN, 9)):
            move_progress.settle_due(session, SYSTEM)
            plan = products.held(session, AGENT, customer_id=customer.id)[0]
        assert (plan.code, plan.status, plan.line) == ("DUO", ProductStatus.ACTIVE, None)
        assert session.exec(select(Product.status).where(Product.offering_code == "TRIO")).one() is ProductStatus.TERMINATED
