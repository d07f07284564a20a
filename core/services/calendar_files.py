"""The calendar file of a visit: a later one with the same UID moves the entry in the customer's calendar, or takes it out."""

from dataclasses import dataclass
from datetime import timedelta

from icalendar import Alarm, Calendar, Component, Event, vCalAddress, vText
from sqlmodel import Session, col, select

from core import catalogue, clock, i18n
from core.actor import Actor
from core.errors import N_
from core.models.appointment import AppointmentCategory, AppointmentState
from core.models.customer import ContactKind, ContactMedium, Customer
from core.services import appointments, slots
from core.services.visits import Visit

MIME = "text/calendar"
BRUSSELS = """\
BEGIN:VTIMEZONE
TZID:Europe/Brussels
BEGIN:DAYLIGHT
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""
SUMMARIES = {
    AppointmentCategory.INSTALLATION: N_("Visit of the technician: installation"),
    AppointmentCategory.REPAIR: N_("Visit of the technician: repair"),
    AppointmentCategory.MOVE: N_("Visit of the technician: house move"),
}
CONDITIONS = N_("Appointment {appointment_no}. The technician calls you {minutes} minutes before. An adult must be present.")
CHANGES = N_("You can move or cancel it until {until}.")


@dataclass(frozen=True)
class CalendarFile:
    """A file to download: its name, and its bytes, which are the same as long as the clock stands."""

    name: str
    data: bytes


def of_visit(session: Session, actor: Actor, *, customer_id: int, appointment_no: str) -> CalendarFile:
    """Return the file of a visit: METHOD:REQUEST, or METHOD:CANCEL for a cancelled one (W14).

    Raises NotFound for a visit of another customer.
    """
    visit = appointments.find(session, actor, customer_id=customer_id, appointment_no=appointment_no)
    language = session.exec(select(Customer.language).where(Customer.id == customer_id)).one()
    return CalendarFile(f"{appointment_no}.ics", _calendar(visit, language, _email(session, customer_id)).to_ical())


def _calendar(visit: Visit, language: str, email: str | None) -> Calendar:
    cancelled = visit.state is AppointmentState.CANCELLED
    calendar = Calendar()
    calendar.add("prodid", f"-//Guichet//Appointments//{language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "REQUEST")
    calendar.add_component(Component.from_ical(BRUSSELS))
    calendar.add_component(_event(visit, language, email, cancelled=cancelled))
    return calendar


def _event(visit: Visit, language: str, email: str | None, *, cancelled: bool) -> Event:
    event = Event()
    event.add("uid", f"{visit.appointment_no}@guichet.example")
    event.add("sequence", visit.sequence)
    event.add("dtstamp", clock.now())
    event.add("dtstart", clock.local(visit.starts_at))
    event.add("dtend", clock.local(visit.ends_at))
    event.add("summary", i18n.translate(language, SUMMARIES[visit.category]))
    event.add("description", _description(visit, language))
    event.add("location", visit.place)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("organizer", _address(catalogue.company().email, catalogue.company().name))
    if email:
        event.add("attendee", _address(email))
    if not cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", timedelta(days=-1))
        alarm.add("description", i18n.translate(language, SUMMARIES[visit.category]))
        event.add_component(alarm)
    return event


def _description(visit: Visit, language: str) -> str:
    minutes = slots.rule("call_ahead_minutes")
    text = i18n.translate(language, CONDITIONS, appointment_no=visit.appointment_no, minutes=minutes)
    if visit.in_time:
        text += " " + i18n.translate(language, CHANGES, until=visit.cut_off_at)
    return text


def _address(email: str, name: str | None = None) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    if name:
        address.params["cn"] = vText(name)
    return address


def _email(session: Session, customer_id: int) -> str | None:
    return session.exec(
        select(ContactMedium.value).where(
            ContactMedium.customer_id == customer_id, ContactMedium.kind == ContactKind.EMAIL, col(ContactMedium.until_at).is_(None)
        )
    ).first()
