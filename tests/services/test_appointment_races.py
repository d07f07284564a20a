"""Many at once on one half day: real threads, real commits, on both databases (S54).

Each thread has its own session, as each click has. A control first shows that the race happens without the protection.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from core import clock
from core.errors import ChangedMeanwhile
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart, TimeSlot
from core.services import appointments, slots
from core.services.visits import Visit
from tests.builders import AGENT, make_customer
from tests.conftest import FIRST_DAY

THREADS = 8
DAYS = tuple(date(2026, 11, number) for number in (23, 24, 25, 26, 27, 28))
MORNING, AFTERNOON = DayPart


def namur(day: date, part: DayPart = MORNING) -> int:
    return slots.slot_id("50", day, part)


def leave_one_place(engine: Engine, *days: date) -> None:
    """Leave one place on these mornings."""
    places = slots.capacity("50")
    with Session(engine) as session, session.begin():
        for day in days:
            session.add(TimeSlot(id=namur(day), zone="50", day=day, part=MORNING, capacity=places, booked=places - 1))


def customers(engine: Engine, count: int = THREADS) -> list[int]:
    with Session(engine) as session, session.begin():
        return [make_customer(session).id for _ in range(count)]


def at_once(work: Callable[[int], bool], count: int = THREADS) -> int:
    """Run the same work in so many threads that start together; returns how many of them succeeded."""
    start = Barrier(count)

    def run(number: int) -> bool:
        with clock.standing(FIRST_DAY):
            start.wait()
            return work(number)

    with ThreadPoolExecutor(count) as threads:
        return sum(threads.map(run, range(count)))


def book(engine: Engine, customer_id: int, slot_id: int, category: AppointmentCategory = AppointmentCategory.REPAIR) -> Visit | None:
    try:
        with Session(engine) as session, session.begin():
            return appointments.book(session, AGENT, customer_id=customer_id, category=category, slot_id=slot_id)
    except (slots.SlotTaken, appointments.AlreadyPlanned):
        return None


def on_slot(engine: Engine, slot_id: int) -> tuple[int, int]:
    """How many places a half day counts as booked, and how many visits it really has."""
    with Session(engine) as session:
        counted = session.exec(select(TimeSlot.booked).where(TimeSlot.id == slot_id)).one()
        visits = session.exec(select(func.count()).select_from(Appointment).where(Appointment.slot_id == slot_id)).one()
        return counted, visits


class TestLastPlace:
    def test_control_reading_first_and_writing_later_books_it_more_than_once(self, scratch: Engine) -> None:
        leave_one_place(scratch, DAYS[0])
        ids, slot, all_have_read = customers(scratch), namur(DAYS[0]), Barrier(THREADS)

        def naive(number: int) -> bool:
            with Session(scratch.execution_options(guichet_writes=False)) as session:
                row = session.exec(select(TimeSlot.booked, TimeSlot.capacity).where(TimeSlot.id == slot)).one()
            all_have_read.wait()
            if row[0] >= row[1]:
                return False
            with Session(scratch) as session, session.begin():
                session.get_one(TimeSlot, slot).booked = row[0] + 1
                session.add(
                    Appointment(
                        customer_id=ids[number], appointment_no=f"A{number}", category=AppointmentCategory.REPAIR,
                        state=AppointmentState.CONFIRMED, slot_id=slot, zone="50", day=DAYS[0], part=MORNING, place="Namur",
                        created_at=clock.now(),
                    )
                )  # fmt: skip
            return True

        assert at_once(naive) == THREADS
        assert on_slot(scratch, slot) == (slots.capacity("50"), THREADS)

    def test_eight_want_it_and_one_gets_it(self, scratch: Engine) -> None:
        leave_one_place(scratch, *DAYS)
        for day in DAYS:
            ids = customers(scratch)
            assert at_once(lambda number, day=day, ids=ids: book(scratch, ids[number], namur(day)) is not None) == 1  # type: ignore[misc]
            assert on_slot(scratch, namur(day)) == (slots.capacity("50"), 1)

    def test_a_half_day_without_a_row_yet_is_filled_to_its_capacity(self, scratch: Engine) -> None:
        ids, slot = customers(scratch), namur(DAYS[0], AFTERNOON)
        assert at_once(lambda number: book(scratch, ids[number], slot) is not None) == slots.capacity("50")
        assert on_slot(scratch, slot) == (slots.capacity("50"), slots.capacity("50"))


class TestMovesAtOnce:
    def move(self, engine: Engine, customer_id: int, visit: Visit, slot_id: int) -> bool:
        try:
            with Session(engine) as session, session.begin():
                appointments.move(
                    session, AGENT, customer_id=customer_id, appointment_id=visit.id, shown_version=visit.version, slot_id=slot_id
                )
        except (slots.SlotTaken, ChangedMeanwhile):
            return False
        return True

    def planned(self, engine: Engine, ids: list[int], slot_ids: list[int]) -> list[Visit]:
        found = [book(engine, customer_id, slot_id) for customer_id, slot_id in zip(ids, slot_ids, strict=True)]
        return [visit for visit in found if visit]

    def test_eight_move_to_the_last_place_and_seven_keep_what_they_have(self, scratch: Engine) -> None:
        leave_one_place(scratch, DAYS[5])
        ids = customers(scratch)
        before = [namur(DAYS[number % 4], AFTERNOON) for number in range(THREADS)]
        visits = self.planned(scratch, ids, before)
        assert at_once(lambda number: self.move(scratch, ids[number], visits[number], namur(DAYS[5]))) == 1
        assert on_slot(scratch, namur(DAYS[5])) == (slots.capacity("50"), 1)
        rest = [on_slot(scratch, slot) for slot in sorted(set(before))]
        assert all(counted == visits for counted, visits in rest)
        assert sum(counted for counted, _ in rest) == THREADS - 1

    def test_visits_that_change_places_do_not_wait_for_each_other(self, scratch: Engine) -> None:
        ids, ends = customers(scratch), (namur(DAYS[0], AFTERNOON), namur(DAYS[1], AFTERNOON))
        visits = self.planned(scratch, ids[:4], [ends[0], ends[0], ends[1], ends[1]])
        assert at_once(lambda number: self.move(scratch, ids[number], visits[number], ends[number < 2]), 4) == 4
        assert [on_slot(scratch, slot) for slot in ends] == [(2, 2), (2, 2)]

    def test_of_eight_agents_at_one_visit_one_moves_it_and_the_others_are_told(self, scratch: Engine) -> None:
        (customer_id,) = customers(scratch, 1)
        (visit,) = self.planned(scratch, [customer_id], [namur(DAYS[0], AFTERNOON)])
        places = [namur(day, part) for day in DAYS[1:5] for part in DayPart]
        assert at_once(lambda number: self.move(scratch, customer_id, visit, places[number])) == 1
        with Session(scratch) as session:
            assert session.exec(select(func.sum(TimeSlot.booked))).one() == 1

    def test_one_customer_books_one_visit_of_a_kind(self, scratch: Engine) -> None:
        (customer_id,) = customers(scratch, 1)
        places = [namur(day, part) for day in DAYS[:4] for part in DayPart]
        assert at_once(lambda number: book(scratch, customer_id, places[number]) is not None) == 1
