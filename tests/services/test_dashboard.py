"""The team lead's figures: each is the number of rows of the list that it opens."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import NotPermitted
from core.models.appointment import AppointmentState, DayPart
from core.models.bill import Bill
from core.models.customer import Customer
from core.models.interaction import Interaction, InteractionChannel
from core.models.usage import UsageKind
from core.models.usage_hour import UsageHour
from core.services import dashboard, lists, network_hours, usage
from core.services.lists import Query
from core.services.usage import NewEvent
from tests.builders import AGENT, make_customer, make_product
from tests.services.test_lists import ADMIN, crowd

PRODUCT = Actor(user_id=None, username="product", role=Role.PRODUCT)


def counted(session: Session, query: Query) -> int:
    return lists.count(session, ADMIN, query=query)


@pytest.fixture
def people(session: Session) -> list[Customer]:
    return crowd(session)


class TestFigures:
    def test_open_work_counts_what_its_views_show(self, session: Session, people: list[Customer]) -> None:
        found = dashboard.work(session, ADMIN)
        assert {one.view.code for one in found} == set(dashboard.WORK)
        assert {one.view.code: one.rows for one in found if one.rows} == {
            one.view.code: counted(session, one.view.query) for one in found if one.rows
        }
        assert any(one.rows for one in found)

    def test_late_bills_fall_into_one_age_each(self, session: Session, people: list[Customer]) -> None:
        for place, bill in enumerate(session.exec(select(Bill).order_by(col(Bill.id)))):
            bill.due_date = date(2026, 11, 18) if place == 0 else clock.add_months(date(2026, 11, 17), -place)
        session.flush()
        found = dashboard.ages(session, ADMIN)
        late = [row for row in lists.every(session, ADMIN, query=Query("bills", columns=("late", "left")), most=1000) if row.cells[0]]
        assert sum(one.bills for one in found) == len(late) == 7
        assert sum(one.cents for one in found) == sum(row.cells[1] for row in late)
        for one in found:
            assert counted(session, one.query) == one.bills, one.since

    def test_visits_of_today_are_counted_by_half_day_without_cancelled_ones(self, session: Session, people: list[Customer]) -> None:
        found = {one.part: one for one in dashboard.visits(session, ADMIN)}
        assert found[DayPart.MORNING].states == {AppointmentState.CONFIRMED: 15}
        assert counted(session, found[DayPart.MORNING].query) == 15
        assert found[DayPart.AFTERNOON].states == {}

    def test_contacts_are_counted_by_reason_and_the_rare_ones_together(self, session: Session, people: list[Customer]) -> None:
        session.add_all(
            Interaction(
                customer_id=people[0].id,
                channel=InteractionChannel.PHONE,
                reason=f"rare, ({number})",
                at=clock.now(),
                agent="agent",
                ended_at=clock.now(),
            )
            for number in range(9)
        )
        old = clock.at(date(2026, 9, 1))
        session.add(
            Interaction(customer_id=people[0].id, channel=InteractionChannel.PHONE, reason="bill", at=old, agent="agent", ended_at=old)
        )
        session.flush()
        found = dashboard.reasons(session, ADMIN)
        assert [one.contacts for one in found[:2]] == [30, 30]
        assert found[-1].reason is None
        assert sum(one.contacts for one in found) == 69
        for one in found:
            assert counted(session, one.query) == one.contacts, one.reason

    def test_only_who_leads_sees_them(self, session: Session) -> None:
        for verb in (dashboard.work, dashboard.ages, dashboard.visits, dashboard.reasons):
            for actor in (AGENT, PRODUCT):
                with pytest.raises(NotPermitted):
                    verb(session, actor)


class TestNetwork:
    def used(self, session: Session, *hours: int, day: date = date(2026, 11, 17)) -> None:
        line = make_product(session, customer := make_customer(session), "RED")
        events = [
            NewEvent(customer.id, line.id, clock.at(day, hour, 30), number, UsageKind.DATA, 1000) for number, hour in enumerate(hours)
        ]
        usage.record(session, SYSTEM, events=events)

    def test_the_night_counts_the_day_before_by_brussels_hours(self, session: Session) -> None:
        self.used(session, 0, 23, 23)
        self.used(session, 5, day=date(2026, 11, 18))
        assert network_hours.count_day(session, SYSTEM, clock.today()) == 3
        rows = {(row.day, row.hour): (row.events, row.quantity) for row in session.exec(select(UsageHour))}
        assert rows == {(date(2026, 11, 17), 0): (1, 1000), (date(2026, 11, 17), 23): (2, 2000)}

    def test_a_second_time_counts_anew_and_not_twice(self, session: Session) -> None:
        self.used(session, 7)
        network_hours.count_day(session, SYSTEM, clock.today())
        network_hours.count_day(session, SYSTEM, clock.today())
        assert [row.events for row in session.exec(select(UsageHour))] == [1]

    def test_the_hour_that_comes_twice_in_october_is_one(self, session: Session) -> None:
        line = make_product(session, customer := make_customer(session), "RED")
        twice = clock.at(date(2026, 10, 25), 2)
        events = [NewEvent(customer.id, line.id, at, 1, UsageKind.DATA, 5) for at in (twice, twice + timedelta(hours=1))]
        usage.record(session, SYSTEM, events=events)
        network_hours.count(session, SYSTEM, since=date(2026, 10, 25), until=date(2026, 10, 26))
        assert [(row.hour, row.events) for row in session.exec(select(UsageHour))] == [(2, 2)]

    def test_the_chart_shows_all_hours_of_the_last_days_and_opens_their_list(self, session: Session) -> None:
        self.used(session, 7, 7, 20)
        network_hours.count_day(session, SYSTEM, clock.today())
        found = dashboard.hours(session, ADMIN, kind=UsageKind.DATA)
        assert [(one.hour, one.events) for one in found if one.events] == [(7, 2), (20, 1)]
        assert len(found) == 24
        assert counted(session, dashboard.hours_query(UsageKind.DATA, 7)) == 1
        assert counted(session, dashboard.hours_query(UsageKind.DATA)) == 2
        assert dashboard.hours(session, ADMIN, kind=UsageKind.SMS) == []
