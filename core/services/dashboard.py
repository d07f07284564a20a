"""What a team lead looks at first: the work that waits, what is late, today's visits, why people call, how the network is used.

Each figure is the count of a list, and names the filter of that list: who clicks sees the rows that were counted.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.models.appointment import Appointment, AppointmentState, DayPart
from core.models.bill import Bill
from core.models.interaction import Interaction
from core.models.usage import UsageKind
from core.models.usage_hour import UsageHour
from core.services import lists, saved_views
from core.services.list_filters import Condition, Group, Op, read
from core.services.list_nouns import PAYABLE, late_bill, listing
from core.services.lists import Query
from core.services.saved_views import View

WORK = (
    "tasks_open", "approvals_waiting", "papers_to_check", "mandates_unsigned", "visits_unclosed", "returned_week", "disputed", "orders_stuck",
)  # fmt: skip
"""The views of the trade that are counted."""
AGES = ((1, 14), (15, 30), (31, 60), (61, 90), (91, None))
"""Days late, from and to."""
CONTACT_DAYS, NETWORK_DAYS = 30, 7
_REASONS = 8


@dataclass(frozen=True)
class Work:
    """A view, and how many rows it has; `more` where they were not counted to the end."""

    view: View
    rows: int

    @property
    def more(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.rows > lists.MOST_COUNTED


@dataclass(frozen=True)
class Age:
    """What is late by some days: `until` None where there is no end. Cents."""

    since: int
    until: int | None
    bills: int
    cents: int
    query: Query


@dataclass(frozen=True)
class Visits:
    """Today's visits of a half day, by their state."""

    part: DayPart
    states: dict[AppointmentState, int]
    query: Query


@dataclass(frozen=True)
class Reason:
    """Why people called, and how often; None for all the rarer reasons together."""

    reason: str | None
    contacts: int
    query: Query


@dataclass(frozen=True)
class Hour:
    """What was used in an hour of the day, on the days that were counted: events and their quantity."""

    hour: int
    events: int
    quantity: int


def work(session: Session, actor: Actor) -> list[Work]:
    """Count what waits, in the lists that the actor may open."""
    actor.require(Permission.DASHBOARD_READ)
    views = [saved_views.find(session, actor, code=code) for code in WORK]
    seen = [view for view in views if actor.may(listing(view.noun).right)]
    return [Work(view, lists.count(session, actor, query=view.query)) for view in seen]


def ages(session: Session, actor: Actor) -> list[Age]:
    """Sum up the late bills by how late they are, as the list of bills counts them."""
    actor.require(Permission.DASHBOARD_READ)
    actor.require(Permission.BILL_READ)
    today = clock.today()
    bucket: Any = case(
        *((today - timedelta(days=until) <= PAYABLE, place) for place, (_since, until) in enumerate(AGES) if until), else_=len(AGES) - 1
    )
    bucket = bucket.label("bucket")
    found = {
        place: (bills, int(cents))
        for place, bills, cents in session.execute(
            select(bucket, func.count(), func.sum(col(Bill.remaining_cents))).where(late_bill()).group_by(bucket)
        )
    }
    told = []
    for place, (since, until) in enumerate(AGES):
        bills, cents = found.get(place, (0, 0))
        ends = f",due.ge.$today-{until}" if until else ""
        told.append(Age(since, until, bills, cents, Query("bills", read(f"and(late.eq.yes,due.le.$today-{since}{ends})"))))
    return told


def visits(session: Session, actor: Actor) -> list[Visits]:
    """Count today's visits by half day and state; cancelled ones do not count."""
    actor.require(Permission.DASHBOARD_READ)
    actor.require(Permission.APPOINTMENT_READ)
    a = Appointment
    today = (col(a.day) == clock.today(), col(a.state) != AppointmentState.CANCELLED)
    query = select(col(a.part), col(a.state), func.count()).where(*today).group_by(col(a.part), col(a.state))
    counts = {(part, state): many for part, state, many in session.execute(query)}
    return [
        Visits(
            part,
            {state: counts[part, state] for state in AppointmentState if (part, state) in counts},
            Query("appointments", read(f"and(day.eq.$today,state.out.(cancelled),part.in.({part}))")),
        )
        for part in DayPart
    ]


def reasons(session: Session, actor: Actor) -> list[Reason]:
    """Count the contacts of the last 30 days by their reason, the most frequent first, the rare ones together."""
    actor.require(Permission.DASHBOARD_READ)
    actor.require(Permission.CUSTOMER_READ)
    since = clock.today() - timedelta(days=CONTACT_DAYS)
    many = func.count()
    query = (
        select(col(Interaction.reason), many).where(col(Interaction.at) >= clock.at(since)).group_by(col(Interaction.reason))
        .order_by(many.desc(), col(Interaction.reason))
    )  # fmt: skip
    rows = list(session.execute(query))
    at = Condition("at", Op.GE, (f"$today-{CONTACT_DAYS}",))
    told = [
        Reason(reason, count, Query("contacts", Group(every=True, parts=(at, Condition("reason", Op.EQ, (reason,))))))
        for reason, count in rows[:_REASONS]
    ]
    if rest := rows[_REASONS:]:
        shown = tuple(reason for reason, _count in rows[:_REASONS])
        others = Query("contacts", Group(every=True, parts=(at, Condition("reason", Op.OUT, shown))))
        told.append(Reason(None, sum(count for _reason, count in rest), others))
    return told


def hours(session: Session, actor: Actor, *, kind: UsageKind) -> list[Hour]:
    """Sum up what the network was used for by the hour of the day, on the last seven full days."""
    actor.require(Permission.DASHBOARD_READ)
    u, today = UsageHour, clock.today()
    within = (col(u.day) >= today - timedelta(days=NETWORK_DAYS), col(u.day) < today, col(u.kind) == kind)
    query = select(col(u.hour), func.sum(col(u.events)), func.sum(col(u.quantity))).where(*within).group_by(col(u.hour))
    found = {hour: (int(events), int(quantity)) for hour, events, quantity in session.execute(query)}
    return [Hour(hour, *found.get(hour, (0, 0))) for hour in range(24)] if found else []


def hours_query(kind: UsageKind, hour: int | None = None) -> Query:
    """Return the list behind the hours of a kind."""
    within = f"and(kind.in.({kind}),day.ge.$today-{NETWORK_DAYS},day.lt.$today"
    return Query("network", read(f"{within})" if hour is None else f"{within},hour.eq.{hour})"))
