"""Half days: which there are, which are free, and how a place is taken."""

from datetime import date, datetime

import pytest
from sqlmodel import Session, select

from core import catalogue, clock
from core.models.appointment import AppointmentCategory, DayPart, TimeSlot
from core.services import slots
from core.services.slots import DayKind

REPAIR, INSTALLATION, MOVE = AppointmentCategory.REPAIR, AppointmentCategory.INSTALLATION, AppointmentCategory.MOVE
MORNING, AFTERNOON = DayPart


def brussels(year: int, month: int, day: int, hour: int = 10) -> datetime:
    return clock.at(date(year, month, day), hour)


def fill(session: Session, zone: str, day: date, part: DayPart, left: int = 0) -> None:
    places = slots.capacity(zone)
    session.add(TimeSlot(id=slots.slot_id(zone, day, part), zone=zone, day=day, part=part, capacity=places, booked=places - left))
    session.flush()


class TestSlotId:
    def test_says_zone_day_and_part(self) -> None:
        assert slots.slot_id("10", date(2026, 11, 25), MORNING) == 102611251
        assert slots.slot_id("99", date(2026, 11, 5), AFTERNOON) == 992611052

    def test_the_last_one_of_the_century_fits_a_32_bit_column(self) -> None:
        assert slots.slot_id("99", date(2099, 12, 31), AFTERNOON) < 2**31


class TestWorkingDays:
    @pytest.mark.parametrize(
        ("start", "count", "expected"),
        [
            (date(2026, 11, 18), 2, date(2026, 11, 20)),
            (date(2026, 11, 20), 2, date(2026, 11, 23)),  # A Saturday counts, a Sunday does not.
            (date(2026, 12, 24), 1, date(2026, 12, 26)),  # Christmas does not count.
            (date(2026, 11, 10), 1, date(2026, 11, 12)),  # Armistice Day.
            (date(2027, 3, 27), 1, date(2027, 3, 30)),  # Easter Sunday and Monday.
        ],
    )
    def test_skips_sundays_and_holidays(self, start: date, count: int, expected: date) -> None:
        assert slots.working_day_after(start, count) == expected


class TestCutOff:
    @pytest.mark.parametrize(
        ("visit", "expected"),
        [
            (date(2026, 11, 19), brussels(2026, 11, 18, 18)),
            (date(2026, 11, 23), brussels(2026, 11, 21, 18)),  # Monday: the Saturday before.
            (date(2026, 11, 12), brussels(2026, 11, 10, 18)),  # After Armistice Day.
            (date(2027, 3, 30), brussels(2027, 3, 27, 18)),  # After Easter, two days long.
        ],
    )
    def test_is_18_00_on_the_working_day_before(self, visit: date, expected: datetime) -> None:
        assert slots.cut_off(visit) == expected

    def test_is_brussels_time_across_the_change_of_clocks(self) -> None:
        assert clock.local(slots.cut_off(date(2026, 10, 26))).isoformat() == "2026-10-24T18:00:00+02:00"
        assert clock.local(slots.cut_off(date(2026, 10, 27))).isoformat() == "2026-10-26T18:00:00+01:00"


class TestStartsAt:
    def test_a_morning_begins_at_eight_in_brussels_on_both_sides_of_the_change_of_clocks(self) -> None:
        assert slots.starts_at(date(2027, 3, 27), MORNING).isoformat() == "2027-03-27T07:00:00+00:00"
        assert slots.starts_at(date(2027, 3, 29), MORNING).isoformat() == "2027-03-29T06:00:00+00:00"
        assert slots.ends_at(date(2026, 10, 26), AFTERNOON).isoformat() == "2026-10-26T16:00:00+00:00"


class TestWindow:
    def test_a_repair_can_come_the_next_working_day_others_the_day_after(self) -> None:
        assert slots.window(REPAIR).since == date(2026, 11, 19)
        assert slots.window(INSTALLATION).since == date(2026, 11, 20)

    def test_is_thirty_days_long_and_sixty_for_a_move(self) -> None:
        assert slots.window(REPAIR).last == date(2026, 12, 18)
        assert slots.window(MOVE).last == date(2027, 1, 17)

    def test_a_day_whose_cut_off_has_passed_is_not_offered(self) -> None:
        with clock.standing(brussels(2026, 11, 18, 18)):
            assert slots.window(REPAIR).since == date(2026, 11, 20)
            assert slots.window(INSTALLATION).since == date(2026, 11, 20)

    def test_on_a_sunday_nothing_can_come_on_monday(self) -> None:
        with clock.standing(brussels(2026, 11, 22)):
            assert slots.window(REPAIR).since == date(2026, 11, 24)


class TestOpenDays:
    def test_has_two_half_days_from_monday_to_saturday(self, session: Session) -> None:
        found = slots.open_days(session, zone="50", since=date(2026, 11, 23), until=date(2026, 11, 30))
        assert [day.day.day for day in found] == [23, 24, 25, 26, 27, 28]
        assert {tuple(half_day.part for half_day in day.half_days) for day in found} == {(MORNING, AFTERNOON)}

    def test_a_holiday_has_none(self, session: Session) -> None:
        (christmas,) = slots.open_days(session, zone="50", since=date(2026, 12, 25), until=date(2026, 12, 26))
        assert (christmas.kind, christmas.half_days) == (DayKind.CLOSED, ())

    def test_tells_the_places_left_of_its_own_zone(self, session: Session) -> None:
        fill(session, "50", date(2026, 11, 25), MORNING, left=1)
        fill(session, "10", date(2026, 11, 25), AFTERNOON)
        (day,) = slots.open_days(session, zone="50", since=date(2026, 11, 25), until=date(2026, 11, 26))
        assert [half_day.free for half_day in day.half_days] == [1, slots.capacity("50")]

    def test_reading_writes_no_row(self, session: Session) -> None:
        slots.open_days(session, zone="50", since=date(2026, 11, 23), until=date(2026, 11, 30))
        assert session.exec(select(TimeSlot.id)).all() == []


class TestWeek:
    def test_keeps_its_shape_where_days_are_past_or_too_far(self, session: Session) -> None:
        week = slots.week(session, zone="50", category=REPAIR, day=date(2026, 11, 19))
        assert [day.kind for day in week.days] == [DayKind.TOO_SOON] * 3 + [DayKind.OPEN] * 3
        assert (week.earlier, week.later) == (None, date(2026, 11, 23))

    def test_the_last_week_ends_with_the_window(self, session: Session) -> None:
        week = slots.week(session, zone="50", category=REPAIR, day=date(2026, 12, 18))
        assert [day.kind for day in week.days] == [DayKind.OPEN] * 5 + [DayKind.TOO_FAR]
        assert (week.earlier, week.later) == (date(2026, 12, 7), None)


class TestWeekToMove:
    @pytest.mark.parametrize(
        ("visit", "expected"),
        [
            (date(2026, 11, 19), date(2026, 11, 23)),  # Three days are left of this week.
            (date(2026, 12, 9), date(2026, 12, 7)),
            (date(2026, 12, 18), date(2026, 12, 14)),  # The last week of the window.
            (date(2027, 2, 1), date(2026, 12, 14)),
        ],
    )
    def test_is_the_visits_own_unless_that_one_is_nearly_over(self, visit: date, expected: date) -> None:
        assert slots.week_to_move(REPAIR, visit) == expected


class TestOffered:
    def test_the_first_and_the_last_day_of_the_window_can_be_chosen(self) -> None:
        for day in (date(2026, 11, 19), date(2026, 12, 18)):
            assert slots.offered(slots.slot_id("50", day, MORNING), zone="50", category=REPAIR).day == day

    @pytest.mark.parametrize(
        ("zone", "day"),
        [
            ("50", date(2026, 11, 18)),
            ("50", date(2026, 12, 19)),
            ("50", date(2026, 11, 22)),  # A Sunday.
            ("10", date(2026, 11, 25)),  # Another zone.
        ],
    )
    def test_refuses_a_half_day_that_the_screen_does_not_show(self, zone: str, day: date) -> None:
        with pytest.raises(slots.SlotNotOffered):
            slots.offered(slots.slot_id(zone, day, MORNING), zone="50", category=REPAIR)

    def test_refuses_a_holiday(self) -> None:
        with pytest.raises(slots.SlotNotOffered):
            slots.offered(slots.slot_id("50", date(2026, 12, 25), MORNING), zone="50", category=MOVE)


class TestTake:
    def take(self, session: Session, day: date, part: DayPart) -> None:
        half_day = slots.offered(slots.slot_id("50", day, part), zone="50", category=REPAIR)
        slots.take(session, half_day, category=REPAIR)

    def test_counts_each_place_until_none_is_left(self, session: Session) -> None:
        for _ in range(slots.capacity("50")):
            self.take(session, date(2026, 11, 25), MORNING)
        with pytest.raises(slots.SlotTaken):
            self.take(session, date(2026, 11, 25), MORNING)

    def test_a_lost_race_names_the_nearest_free_half_day_the_later_of_two(self, session: Session) -> None:
        fill(session, "50", date(2026, 11, 25), MORNING)
        with pytest.raises(slots.SlotTaken) as refusal:
            self.take(session, date(2026, 11, 25), MORNING)
        assert refusal.value.params == {"day": date(2026, 11, 25), "hours": "12 – 17"}

    def test_the_nearest_may_lie_before(self, session: Session) -> None:
        for day in (25, 26):
            for part in DayPart:
                fill(session, "50", date(2026, 11, day), part)
        with pytest.raises(slots.SlotTaken) as refusal:
            self.take(session, date(2026, 11, 25), MORNING)
        assert refusal.value.params == {"day": date(2026, 11, 24), "hours": "12 – 17"}

    def test_says_so_when_nothing_is_free(self, session: Session) -> None:
        span = slots.window(REPAIR)
        for day in slots.open_days(session, zone="50", since=span.since, until=span.until):
            for half_day in day.half_days:
                fill(session, "50", half_day.day, half_day.part)
        with pytest.raises(slots.AllTaken) as refusal:
            self.take(session, date(2026, 11, 25), MORNING)
        assert refusal.value.params == {"last": date(2026, 12, 18), "phone": "02 100 00 00"}


class TestPrebook:
    SINCE, UNTIL = date(2026, 11, 19), date(2027, 1, 18)

    def booked(self, session: Session) -> dict[int, int]:
        return dict(session.exec(select(TimeSlot.id, TimeSlot.booked)).all())

    def test_is_the_same_each_time_and_leaves_what_is_booked(self, session: Session) -> None:
        fill(session, "10", date(2026, 11, 19), MORNING, left=3)
        slots.prebook(session, "10", since=self.SINCE, until=self.UNTIL)
        first = self.booked(session)
        assert first[slots.slot_id("10", date(2026, 11, 19), MORNING)] == slots.capacity("10") - 3
        slots.prebook(session, "10", since=self.SINCE, until=self.UNTIL)
        assert self.booked(session) == first

    def test_leaves_a_choice_some_full_some_with_a_last_place(self, session: Session) -> None:
        slots.prebook(session, "10", since=self.SINCE, until=self.UNTIL)
        left = [slots.capacity("10") - booked for booked in self.booked(session).values()]
        assert 0.1 < left.count(0) / len(left) < 0.4
        assert left.count(1) > 0
        assert sum(1 for places in left if places > 1) > len(left) / 3


class TestRule:
    def test_each_constant_names_its_source(self) -> None:
        path = catalogue.FILES / "appointments.yaml"
        assert all(set(entry) == {"value", "source"} and entry["source"] for entry in slots._rules(path, 0).values())
