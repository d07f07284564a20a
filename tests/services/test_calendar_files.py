"""The calendar file of a visit, read back as a calendar would read it."""

from datetime import date, timedelta

import pytest
from icalendar import Calendar, Component
from sqlmodel import Session

from core import clock
from core.errors import NotFound
from core.models.appointment import AppointmentCategory, DayPart
from core.models.customer import Customer, Language
from core.services import appointments, calendar_files, slots
from core.services.visits import Place, Visit
from tests.builders import AGENT, make_customer, self_of

MORNING, AFTERNOON = DayPart


def plan(session: Session, customer: Customer, day: date = date(2026, 11, 19)) -> Visit:
    slot = slots.slot_id("50", day, MORNING)
    return appointments.book(session, AGENT, customer_id=customer.id, category=AppointmentCategory.REPAIR, slot_id=slot)


def file_of(session: Session, customer: Customer, visit: Visit) -> bytes:
    return calendar_files.of_visit(session, AGENT, customer_id=customer.id, appointment_no=visit.appointment_no).data


def read(session: Session, customer: Customer, visit: Visit) -> tuple[Calendar, Component]:
    calendar = Calendar.from_ical(file_of(session, customer, visit))
    assert isinstance(calendar, Calendar)
    return calendar, calendar.walk("VEVENT")[0]


class TestOfVisit:
    def test_asks_for_the_half_day_in_brussels_time_and_carries_the_zone(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        calendar, event = read(session, customer, visit)
        assert calendar["METHOD"] == "REQUEST"
        assert (event["UID"], event["SEQUENCE"]) == (f"{visit.appointment_no}@guichet.example", 0)
        assert event["DTSTART"].params["TZID"] == "Europe/Brussels"
        assert event.decoded("DTSTART").isoformat() == "2026-11-19T08:00:00+01:00"
        assert event.decoded("DTEND").isoformat() == "2026-11-19T12:00:00+01:00"
        assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Brussels"]

    def test_its_zone_says_when_the_clocks_change(self, session: Session) -> None:
        customer = make_customer(session)
        calendar, _ = read(session, customer, plan(session, customer))
        (zone,) = calendar.walk("VTIMEZONE")
        changes = [(str(change.name), change.decoded("TZOFFSETTO"), repr(change["RRULE"].to_ical())) for change in zone.subcomponents]
        assert changes == [
            ("DAYLIGHT", timedelta(hours=2), "b'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3'"),
            ("STANDARD", timedelta(hours=1), "b'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10'"),
        ]

    def test_says_what_and_where_in_the_customers_language(self, session: Session) -> None:
        customer = make_customer(session, language=Language.DE)
        _, event = read(session, customer, plan(session, customer))
        assert event["SUMMARY"] == "Besuch des Technikers: Reparatur"
        assert "30 Minuten" in str(event["DESCRIPTION"])
        assert event["LOCATION"] == "Rue de Fer 12, 5000 Namur"

    def test_names_the_company_and_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        _, event = read(session, customer, plan(session, customer))
        assert (event["ORGANIZER"], event["ATTENDEE"]) == ("mailto:service@guichet.example", "mailto:sophie@example.be")

    def test_reminds_the_day_before(self, session: Session) -> None:
        customer = make_customer(session)
        calendar, _ = read(session, customer, plan(session, customer))
        (alarm,) = calendar.walk("VALARM")
        assert alarm.decoded("TRIGGER") == timedelta(days=-1)

    def test_a_move_keeps_the_uid_and_counts_on(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        moved = appointments.move(
            session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version,
            slot_id=slots.slot_id("50", date(2026, 11, 25), AFTERNOON),
        )  # fmt: skip
        calendar, event = read(session, customer, moved)
        assert (calendar["METHOD"], event["UID"], event["SEQUENCE"]) == ("REQUEST", f"{visit.appointment_no}@guichet.example", 1)
        assert event.decoded("DTSTART").isoformat() == "2026-11-25T12:00:00+01:00"

    def test_a_cancelled_visit_takes_its_entry_out(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        appointments.cancel(session, AGENT, customer_id=customer.id, appointment_id=visit.id, shown_version=visit.version)
        calendar, event = read(session, customer, visit)
        assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
        assert calendar.walk("VALARM") == []

    def test_is_summer_time_after_the_change_of_clocks(self, session: Session) -> None:
        customer = make_customer(session)
        with clock.standing(clock.at(date(2027, 3, 20), 10)):
            _, event = read(session, customer, plan(session, customer, date(2027, 3, 30)))
        assert event.decoded("DTSTART").isoformat() == "2027-03-30T08:00:00+02:00"

    def test_is_the_same_to_the_byte_while_the_clock_stands(self, session: Session) -> None:
        customer = make_customer(session)
        visit = plan(session, customer)
        assert file_of(session, customer, visit) == file_of(session, customer, visit)

    def test_a_place_with_commas_and_line_ends_stays_one_value(self, session: Session) -> None:
        customer = make_customer(session)
        place = Place("Rue X; 1, « A »\nEND:VEVENT", "5000")
        visit = appointments.book(
            session, AGENT, customer_id=customer.id, category=AppointmentCategory.REPAIR, place=place,
            slot_id=slots.slot_id("50", date(2026, 11, 19), MORNING),
        )  # fmt: skip
        calendar, event = read(session, customer, visit)
        assert event["LOCATION"] == "Rue X; 1, « A »\nEND:VEVENT"
        assert len(calendar.walk("VEVENT")) == 1

    def test_refuses_a_visit_of_another_customer(self, session: Session) -> None:
        mine, other = make_customer(session), make_customer(session)
        visit = plan(session, other)
        for customer_id in (mine.id, other.id):
            with pytest.raises(NotFound):
                calendar_files.of_visit(session, self_of(mine), customer_id=customer_id, appointment_no=visit.appointment_no)
