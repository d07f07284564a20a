"""What a customer used: recorded once, and summed per Brussels day in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission
from core.db import ask
from core.db.ask import ANSWERS
from core.errors import NotFound
from core.models.billing_account import BillingAccount
from core.models.product import Product
from core.models.usage import Direction, Tariff, UsageDay, UsageEvent, UsageKind, Zone
from core.services import audit, usage_numbers


@dataclass(frozen=True)
class Sum:
    """What some events add up to; quantities in the unit of their kind (kB, seconds, pieces)."""

    events: int = 0
    quantity: int = 0
    over_quantity: int = 0
    charged_cents: int = 0

    @classmethod
    def read(cls, figures: Sequence[Any]) -> "Sum":
        """Take what `sums` selected: PostgreSQL answers sums of big integers as decimals."""
        return cls(*(int(figure) for figure in figures))

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.events + other.events,
            self.quantity + other.quantity,
            self.over_quantity + other.over_quantity,
            self.charged_cents + other.charged_cents,
        )


DayKey = tuple[int, int, date, UsageKind, Tariff]
"""Customer, product, Brussels day, kind and tariff."""


class NewEvent(NamedTuple):
    """An event as it comes from rating: quantity in kB, seconds or pieces by its kind; `id` is unique within its product and moment.

    A tuple, so that tens of thousands of them are made and written quickly.
    """

    customer_id: int
    product_id: int
    at: datetime
    id: int
    kind: UsageKind
    quantity: int
    direction: Direction = Direction.OUT
    zone: Zone = Zone.NATIONAL
    country: str | None = None
    tariff: Tariff = Tariff.INCLUDED
    other_party: str | None = None
    over_quantity: int = 0
    charged_cents: int = 0
    bill_id: int | None = None


def record(session: Session, actor: Actor, *, events: Sequence[NewEvent]) -> int:
    """Write events that were not written before, add them to the sums of their Brussels days, and return how many they were.

    An event whose product, moment and id are known changes nothing, whatever else it says. Events with emergency, helpline and
    0800 numbers are kept but not summed: they are free, use no bundle, and are told nowhere (R14).
    Raises NotFound where a product is not its customer's.
    """
    actor.require(Permission.USAGE_RECORD)
    _hold_products(session, {(event.product_id, event.customer_id) for event in events})
    fresh = unknown(session, events)
    if not fresh:
        return 0
    write_events(session, fresh)
    changes = DayChanges()
    for event in fresh:
        changes.add(event)
    changes.write(session)
    customers = {event.customer_id for event in fresh}
    audit.record(
        session,
        actor,
        action="usage:record",
        object_type="usage",
        object_id=f"{fresh[0].product_id}/{fresh[0].id}",
        customer_id=customers.pop() if len(customers) == 1 else None,
        after={"events": len(fresh), "first_at": min(event.at for event in fresh), "last_at": max(event.at for event in fresh)},
    )
    return len(fresh)


def record_sums(session: Session, actor: Actor, *, days: Mapping[DayKey, Sum]) -> None:
    """Write sums of days whose events are no longer kept (R27). Raises NotFound where a product is not its customer's."""
    actor.require(Permission.USAGE_RECORD)
    _hold_products(session, {(product, customer) for customer, product, _day, _kind, _tariff in days})
    rows = sorted(
        (customer, product, str(day), kind, tariff, *vars(found).values()) for (customer, product, day, kind, tariff), found in days.items()
    )
    _add_days(session, rows)
    if days:
        oldest, newest = min(key[2] for key in days), max(key[2] for key in days)
        after = {"days": len(rows), "first": oldest, "last": newest}
        audit.record(session, actor, action="usage:record_sums", object_type="usage", object_id=rows[0][1], after=after)


def bill(session: Session, actor: Actor, *, customer_id: int, bill_id: int, until: date) -> int:
    """Tie a customer's events before a day that are on no bill yet to the bill that charges them; return how many.

    Those of the bill's own period, and late ones: their period had been billed when they came (`late_sums`).
    """
    actor.require(Permission.BILL_ISSUE, customer_id)
    done: Any = session.execute(
        update(UsageEvent)
        .where(col(UsageEvent.customer_id) == customer_id, col(UsageEvent.bill_id).is_(None), col(UsageEvent.at) < clock.at(until))
        .values(bill_id=bill_id)
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)


def hold_still(session: Session, customer_ids: Iterable[int]) -> None:
    """Let nobody else record, rate or bill what these customers used until the transaction ends.

    Two that record at once would both find an event unknown, and one that came between the sums of a bill and its tie would be tied
    without being charged. A session that only reads holds nothing, and SQLite lets one transaction write at a time anyway.
    """
    if ANSWERS not in session.info and session.get_bind().dialect.name == "postgresql":
        wanted = sorted(set(customer_ids))
        accounts = select(BillingAccount.id).where(col(BillingAccount.customer_id).in_(wanted)).order_by(col(BillingAccount.customer_id))
        session.exec(accounts.with_for_update(key_share=True)).all()


def period_sums(session: Session, *, customer_id: int, since: date, until: date) -> dict[tuple[int, UsageKind, Tariff], Sum]:
    """Sum a customer's days from `since` until `until` (exclusive) by product id, kind and tariff, for meters and bills.

    Reads the sums per day only; emergency, helpline and 0800 numbers are not in them (R14).
    """
    found = ask(session, _sums_query(), customer_id=customer_id, since=since, until=until)
    return {(product, kind, tariff): Sum.read(figures) for product, kind, tariff, *figures in found}


@dataclass(frozen=True)
class Late:
    """What events that came after the bill of their period add up to, and the days on which they happened, `until` exclusive."""

    sum: Sum
    since: date
    until: date


def late_sums(session: Session, *, customer_id: int, before: date) -> dict[tuple[int, UsageKind, Tariff], Late]:
    """Sum a customer's events before a day that are on no bill, by product id, kind and tariff: the next bill charges them too."""
    found = ask(session, _late_query(), customer_id=customer_id, before=clock.at(before))
    return {
        (product, kind, tariff): Late(
            Sum.read(figures),
            clock.local(clock.from_stored(first)).date(),
            clock.local(clock.from_stored(last)).date() + timedelta(days=1),
        )
        for product, kind, tariff, first, last, *figures in found
    }


def used_up(session: Session, *, customer_id: int, bill_id: int | None, since: date | None) -> dict[tuple[int, UsageKind], datetime]:
    """Return by product id and kind when a bundle was used up: the first event above it that a bill charges, or that is on none yet.

    What happened before `since` belongs to an earlier period. Of bills whose events are deleted by now nothing is known.
    """
    first = func.min(UsageEvent.at)
    on_it = col(UsageEvent.bill_id).is_(None) if bill_id is None else col(UsageEvent.bill_id) == bill_id
    query = select(col(UsageEvent.product_id), col(UsageEvent.kind), first).where(
        col(UsageEvent.customer_id) == customer_id, on_it, col(UsageEvent.tariff) == Tariff.OVER, col(UsageEvent.over_quantity) > 0
    )  # fmt: skip
    if since:
        query = query.where(col(UsageEvent.at) >= clock.at(since))
    found = session.execute(query.group_by(col(UsageEvent.product_id), col(UsageEvent.kind)))
    return {(product, kind): clock.from_stored(at) for product, kind, at in found}


@cache
def _late_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of that many columns
    """Make the query of `late_sums` once; the index of open events answers it by the few that there are."""
    key = (col(UsageEvent.product_id), col(UsageEvent.kind), col(UsageEvent.tariff))
    return (
        select(*key, func.min(UsageEvent.at), func.max(UsageEvent.at), *sums(UsageEvent))  # type: ignore[call-overload]
        .where(
            UsageEvent.customer_id == bindparam("customer_id"),
            col(UsageEvent.bill_id).is_(None),
            UsageEvent.at < bindparam("before"),
        )
        .group_by(*key)
    )


@cache
def _sums_query() -> Any:  # noqa: ANN401 - what SQLAlchemy makes of that many columns
    """Make the query of `period_sums` once: the band and Accueil ask it on every page."""
    products = select(Product.id).where(Product.customer_id == bindparam("customer_id"))
    return (
        select(col(UsageDay.product_id), col(UsageDay.kind), col(UsageDay.tariff), *sums(UsageDay))
        .where(
            UsageDay.customer_id == bindparam("customer_id"),
            col(UsageDay.product_id).in_(products),  # So that the key is used down to the day.
            UsageDay.day >= bindparam("since"),
            UsageDay.day < bindparam("until"),
        )
        .group_by(col(UsageDay.product_id), col(UsageDay.kind), col(UsageDay.tariff))
    )


def sums(table: type[UsageDay] | type[UsageEvent]) -> tuple[Any, ...]:
    """Return the columns that `Sum.read` takes: events are counted, days hold their count."""
    events = func.sum(table.events) if table is UsageDay else func.count()
    return (events, *(func.sum(getattr(table, name)) for name in ("quantity", "over_quantity", "charged_cents")))


class DayChanges:
    """By how much the sums of days change: events are added as they come, and taken away before they are rated again."""

    def __init__(self) -> None:
        self._days: dict[tuple[int, int, str, UsageKind, Tariff], list[int]] = {}
        self._emptied: set[tuple[int, int, str, UsageKind, Tariff]] = set()

    def add(self, event: NewEvent, sign: int = 1) -> None:
        """Add an event, or take it away; emergency, helpline and 0800 numbers are in no sum (R14)."""
        if event.other_party is not None and not usage_numbers.told(event.other_party):
            return
        key = (event.customer_id, event.product_id, _day_of(event.at.replace(minute=0, second=0, microsecond=0)), event.kind, event.tariff)
        figures = self._days.get(key)
        if figures is None:
            figures = self._days[key] = [0, 0, 0, 0]
        figures[0] += sign
        figures[1] += sign * event.quantity
        figures[2] += sign * event.over_quantity
        figures[3] += sign * event.charged_cents
        if sign < 0:
            self._emptied.add(key)

    def write(self, session: Session) -> None:
        """Bring the days up to date; one that holds no event any more goes."""
        _add_days(session, [(*key, *figures) for key, figures in self._days.items() if any(figures)])
        if self._emptied:
            where = " AND ".join(f"{name} = ?" for name in _DAY_KEY)
            run_many(session, f"DELETE FROM usage_day WHERE {where} AND events = 0", sorted(self._emptied))  # noqa: S608 - our own names


@lru_cache(maxsize=4096)
def _day_of(hour: datetime) -> str:
    """Return the Brussels day of the start of an hour: Brussels is always whole hours from UTC."""
    return str(hour.astimezone(clock.BRUSSELS).date())


def _hold_products(session: Session, named: set[tuple[int, int]]) -> None:
    """Hold customers still, and see that each product is its customer's."""
    hold_still(session, {customer for _product, customer in named})
    query = select(Product.id, Product.customer_id).where(col(Product.id).in_(sorted(product for product, _customer in named)))
    if named - set(session.exec(query)):
        raise NotFound


def unknown(session: Session, events: Sequence[NewEvent]) -> list[NewEvent]:
    """Return the events that are not in the database, each once, in the order of the key, which is the order on disk."""
    fresh: dict[tuple[int, datetime, int], NewEvent] = {}
    for event in events:
        fresh.setdefault(
            (event.product_id, event.at, event.id), event if event.at.tzinfo is UTC else event._replace(at=event.at.astimezone(UTC))
        )
    if fresh:
        moments = [moment for _product, moment, _id in fresh]
        known = (
            select(UsageEvent.product_id, UsageEvent.at, UsageEvent.id)
            .join(Product, (col(Product.customer_id) == UsageEvent.customer_id) & (col(Product.id) == UsageEvent.product_id))
            .where(col(Product.id).in_({event.product_id for event in events}), col(UsageEvent.at).between(min(moments), max(moments)))
        )
        for key in session.exec(known):
            fresh.pop(key, None)
    return sorted(fresh.values())


def run_many(session: Session, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Hand rows to the driver as they are, each value at its `?`: SQLAlchemy's own statements for many rows take three times as long."""
    connection = session.connection()
    connection.exec_driver_sql(statement if connection.dialect.paramstyle == "qmark" else statement.replace("?", "%s"), list(rows))


def stored_moment(session: Session, moment: datetime) -> str | datetime:
    """Return a UTC moment as the driver of this database keeps it."""
    return moment if session.get_bind().dialect.name == "postgresql" else moment.isoformat(" ", "microseconds")[:_NO_OFFSET]


def write_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Write events that are new, with UTC moments."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        cursor: Any = connection.connection.cursor()
        with cursor, cursor.copy(f"COPY usage_event ({', '.join(NewEvent._fields)}) FROM STDIN") as copy:
            for event in events:
                copy.write_row(event)
        return
    rows = [(*event[:2], event.at.isoformat(" ", "microseconds")[:_NO_OFFSET], *event[3:]) for event in events]
    _write(session, "usage_event", NewEvent._fields, rows)


def change_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Write what rating again made of events that are on no bill: one that is on a bill stays as it is."""
    key = "customer_id = ? AND product_id = ? AND at = ? AND id = ?"
    run_many(
        session,
        f"UPDATE usage_event SET kind = ?, zone = ?, tariff = ?, over_quantity = ?, charged_cents = ? WHERE {key} AND bill_id IS NULL",  # noqa: S608 - our own names
        [
            (one.kind, one.zone, one.tariff, one.over_quantity, one.charged_cents, one.customer_id, one.product_id,
             stored_moment(session, one.at), one.id)
            for one in events
        ],
    )  # fmt: skip


def _write(session: Session, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]], clause: str = "") -> None:
    names, marks = ", ".join(columns), ", ".join(["?"] * len(columns))
    run_many(session, f"INSERT INTO {table} ({names}) VALUES ({marks}) {clause}", rows)  # noqa: S608 - our own names


def _add_days(session: Session, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        added = ", ".join(f"{name} = usage_day.{name} + excluded.{name}" for name in _FIGURES)
        clause = f"ON CONFLICT ({', '.join(_DAY_KEY)}) DO UPDATE SET {added}"
        _write(session, "usage_day", (*_DAY_KEY, *_FIGURES), rows, clause)


_DAY_KEY = ("customer_id", "product_id", "day", "kind", "tariff")
_FIGURES = ("events", "quantity", "over_quantity", "charged_cents")
_NO_OFFSET = len("2026-11-18 09:00:00.000000")
