"""What a customer used, told: which lines, listed, totalled and put in series, as a reader may see it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, cast, extract, false, func, or_, union_all
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, BillModel
from core.models.product import Product
from core.models.usage import Direction, Tariff, UsageDay, UsageEvent, UsageKind, Zone
from core.services import periods, usage_numbers
from core.services.periods import Period
from core.services.usage import Sum, sums

PAGE = 25
_HOUR = 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class EndsBeforeItStarts(DomainError):
    """The last day lies before the first."""

    message = N_("The last day lies before the first. Choose other dates.")
    field = "to"


class By(StrEnum):
    """What a chart counts by: days, months, or the hours of the day."""

    DAY = "day"
    HOUR = "hour"
    MONTH = "month"


class Unit(StrEnum):
    """What a quantity counts."""

    KB = "kb"
    SECOND = "second"
    PIECE = "piece"


@dataclass(frozen=True)
class Line:
    """A product that was used: `number` as it is dialled, where it has one."""

    product_id: int
    product_no: str
    offering_code: str
    user_name: str | None
    number: str | None


@dataclass(frozen=True)
class Filters:
    """Which events are meant; None and "" mean all of them. `until` is exclusive; `number` is a part of the other party's number."""

    line: str | None = None
    kind: UsageKind | None = None
    since: date | None = None
    until: date | None = None
    bill_no: str | None = None
    direction: Direction | None = None
    zone: Zone | None = None
    number: str = ""
    charged: bool = False

    @property
    def whole_days(self) -> bool:
        """Whether the sums per day can answer: they know neither direction, zone, number, bill nor which events were charged."""
        return not (self.bill_no or self.direction or self.zone or self.number or self.charged)


@dataclass(frozen=True)
class Total:
    """What the events of one kind add up to."""

    kind: UsageKind
    sum: Sum


@dataclass(frozen=True)
class Point:
    """What one product used of one kind on a day, in the month that starts on it, or in an hour of the day (0 to 23)."""

    bucket: date | int
    product_id: int
    kind: UsageKind
    sum: Sum


class Key(NamedTuple):
    """Where a page ended: an event's id is unique only within its product and moment."""

    at: datetime
    id: int
    product_id: int


@dataclass(frozen=True)
class Row:
    """An event as it may be told: the other party's last three digits are hidden (R27)."""

    key: Key
    product_no: str
    kind: UsageKind
    unit: Unit
    direction: Direction
    zone: Zone
    country: str | None
    tariff: Tariff
    other_party: str | None
    quantity: int
    over_quantity: int
    charged_cents: int
    bill_no: str | None


@dataclass(frozen=True)
class Page:
    """Some events, newest first; `next_key` is None on the last page."""

    rows: tuple[Row, ...]
    next_key: Key | None


def detail_since() -> date:
    """Return the first day whose events are still told one by one; of earlier days only sums are kept (R27)."""
    return clock.add_months(clock.today(), -law("usage_detail_months"))


def last_periods(session: Session, actor: Actor, *, customer_id: int) -> tuple[Period, Period]:
    """Return the period that runs and the one before: calendar months, or cycles of the old bill model (W2)."""
    actor.require(Permission.USAGE_READ, customer_id)
    account = session.exec(
        select(BillingAccount.bill_model, BillingAccount.cycle_day).where(BillingAccount.customer_id == customer_id)
    ).first()
    cycle_day = account[1] if account is not None and account[0] is BillModel.LEGACY else 1
    running = periods.cycle_of(clock.today(), cycle_day)
    return running, periods.cycle_of(running.since - timedelta(days=1), cycle_day)


def lines(session: Session, actor: Actor, *, customer_id: int) -> tuple[Line, ...]:
    """Return the products of a customer that were ever used."""
    actor.require(Permission.USAGE_READ, customer_id)
    found: Any = session.exec(
        select(  # type: ignore[call-overload]
            Product.id, Product.product_no, Product.offering_code, Product.user_name, Product.line
        )
        .where(Product.customer_id == customer_id, _used())
        .order_by(col(Product.product_no))
    )
    return tuple(Line(key, no, code, user, line and usage_numbers.national(line)) for key, no, code, user, line in found)


def bills(session: Session, actor: Actor, *, customer_id: int, asked: str | None = None) -> tuple[tuple[str, date], ...]:
    """Return number and date of the bills that charged events which are still told, newest first, and of the customer's bill asked for."""
    actor.require(Permission.USAGE_READ, customer_id)
    billed = select(UsageEvent.bill_id).where(UsageEvent.customer_id == customer_id, UsageEvent.bill_id == Bill.id).exists()
    found = session.exec(
        select(col(Bill.bill_no), col(Bill.bill_date))
        .where(Bill.customer_id == customer_id, (col(Bill.bill_no) == asked) | ((col(Bill.bill_date) >= detail_since()) & billed))
        .order_by(col(Bill.bill_date).desc(), col(Bill.bill_no).desc())
    )
    return tuple((number, issued) for number, issued in found)


def totals(session: Session, actor: Actor, *, customer_id: int, filters: Filters) -> tuple[Total, ...]:
    """Sum what the filters let through by kind, in the order of UsageKind.

    Raises NotFound for a line or bill of somebody else, EndsBeforeItStarts.
    """
    actor.require(Permission.USAGE_READ, customer_id)
    source = _Scope.find(session, customer_id, filters).source()
    found = session.exec(select(col(source.table.kind), *sums(source.table)).where(*source.conditions).group_by(col(source.table.kind)))
    of_kind = {row[0]: Sum.read(row[1:]) for row in found}
    return tuple(Total(kind, of_kind[kind]) for kind in UsageKind if kind in of_kind)


def series(session: Session, actor: Actor, *, customer_id: int, filters: Filters, by: By) -> tuple[Point, ...]:
    """Sum what the filters let through by bucket, product and kind, buckets in order.

    Days and months come from the sums per day where the filters allow it, hours of the day from the events.
    Raises NotFound for a line or bill of somebody else, EndsBeforeItStarts.
    """
    actor.require(Permission.USAGE_READ, customer_id)
    source = _Scope.find(session, customer_id, filters).source(by)
    table, moment = source.table, source.moment
    found = session.exec(
        select(moment, table.product_id, table.kind, *sums(table))
        .where(*source.conditions)
        .group_by(moment, col(table.product_id), col(table.kind))
    )
    points: dict[tuple[date | int, int, UsageKind], Sum] = {}
    for moment_, product, kind, *figures in found:
        key = (source.bucket(moment_), product, kind)
        points[key] = points.get(key, Sum()) + Sum.read(figures)
    return tuple(Point(*key, points[key]) for key in sorted(points))


def page(session: Session, actor: Actor, *, customer_id: int, filters: Filters, after: Key | None = None, limit: int = PAGE) -> Page:
    """List what the filters let through, newest first, from behind the key of the last row that was shown.

    Never lists emergency, helpline or 0800 numbers (R14), nor what is older than `detail_since` (R27).
    Raises NotFound for a line or bill of somebody else, EndsBeforeItStarts.
    """
    actor.require(Permission.USAGE_READ, customer_id)
    scope = _Scope.find(session, customer_id, filters)
    if not scope.products:
        return Page((), None)
    conditions = scope.of_events()
    heads = [  # A piece of each product's own order; merging these costs less than sorting all that a customer used.
        select(*_COLUMNS)  # type: ignore[call-overload]
        .where(UsageEvent.customer_id == customer_id, UsageEvent.product_id == product, *conditions, *_behind(after, product))
        .order_by(col(UsageEvent.at).desc(), col(UsageEvent.id).desc())
        .limit(limit + 1)
        .subquery()
        for product in scope.products
    ]
    merged = union_all(*(select(head) for head in heads)).subquery()
    found: Any = session.exec(
        select(*merged.c, Bill.bill_no)  # type: ignore[call-overload]
        .outerjoin(Bill, col(Bill.id) == merged.c.bill_id)
        .order_by(merged.c.at.desc(), merged.c.id.desc(), merged.c.product_id.desc())
        .limit(limit + 1)
    )
    rows = tuple(_row(scope, row) for row in found)
    return Page(rows[:limit], rows[limit - 1].key if len(rows) > limit else None)


def every(session: Session, actor: Actor, *, customer_id: int, filters: Filters) -> Iterator[Row]:
    """Yield what `page` would list, page after page, holding only some rows at a time."""
    after: Key | None = None
    while True:
        found = page(session, actor, customer_id=customer_id, filters=filters, after=after, limit=1000)
        yield from found.rows
        if found.next_key is None:
            return
        after = found.next_key


@dataclass(frozen=True)
class _Source:
    """Where sums are read from: a table, what its rows are grouped by, the bucket that is, and which of its rows count."""

    table: type[UsageDay] | type[UsageEvent]
    moment: Any
    bucket: Callable[[Any], date | int]
    conditions: list[ColumnElement[bool]]


@dataclass(frozen=True)
class _Scope:
    """Filters whose line and bill were looked up among the customer's own; `products` are those that were used, id to number."""

    customer_id: int
    filters: Filters
    products: dict[int, str]
    bill_id: int | None

    @classmethod
    def find(cls, session: Session, customer_id: int, filters: Filters) -> "_Scope":
        if filters.since is not None and filters.until is not None and filters.since >= filters.until:
            raise EndsBeforeItStarts
        held = session.exec(select(Product.id, Product.product_no, _used()).where(Product.customer_id == customer_id)).all()
        if filters.line is not None and filters.line not in {number for _key, number, _was_used in held}:
            raise NotFound
        bill_id = None
        if filters.bill_no is not None:
            bill_id = session.exec(select(Bill.id).where(Bill.customer_id == customer_id, Bill.bill_no == filters.bill_no)).first()
            if bill_id is None:
                raise NotFound
        products = {key: number for key, number, was_used in held if was_used and filters.line in {None, number}}
        return cls(customer_id, filters, products, bill_id)

    def source(self, by: By = By.DAY) -> _Source:
        """Return the days where they can answer, else the events by the hour since 1970: Brussels is always whole hours from UTC."""
        if by is By.HOUR or not self.filters.whole_days:
            hour = cast(extract("epoch", col(UsageEvent.at)), BigInteger) // _HOUR
            return _Source(UsageEvent, hour.label("hour"), partial(_bucket, by), [self._of_whom(UsageEvent), *self.of_events()])
        conditions = [self._of_whom(UsageDay)]
        if self.filters.since is not None:
            conditions.append(col(UsageDay.day) >= self.filters.since)
        if self.filters.until is not None:
            conditions.append(col(UsageDay.day) < self.filters.until)
        if self.filters.kind is not None:
            conditions.append(col(UsageDay.kind) == self.filters.kind)
        if by is By.DAY:
            return _Source(UsageDay, col(UsageDay.day), lambda day: day, conditions)
        year, month = (cast(extract(part, col(UsageDay.day)), BigInteger) for part in ("year", "month"))
        return _Source(UsageDay, (year * 12 + month - 1).label("month"), lambda months: date(months // 12, months % 12 + 1, 1), conditions)

    def _of_whom(self, table: type[UsageDay] | type[UsageEvent]) -> ColumnElement[bool]:
        return (col(table.customer_id) == self.customer_id) & col(table.product_id).in_(self.products)

    def of_events(self) -> list[ColumnElement[bool]]:
        """Return what an event must meet, besides whose and which product's it is."""
        filters, oldest = self.filters, detail_since()
        found = [col(UsageEvent.at) >= clock.at(max(filters.since or oldest, oldest)), _told()]
        if filters.until is not None:
            found.append(col(UsageEvent.at) < clock.at(filters.until))
        wanted = ((UsageEvent.kind, filters.kind), (UsageEvent.direction, filters.direction), (UsageEvent.zone, filters.zone))
        found += [col(column) == value for column, value in (*wanted, (UsageEvent.bill_id, self.bill_id)) if value is not None]
        if filters.charged:
            found.append(col(UsageEvent.charged_cents) > 0)
        if filters.number:
            told = func.substr(UsageEvent.other_party, 1, func.length(UsageEvent.other_party) - usage_numbers.MASKED)
            found.append(or_(false(), *(told.like(pattern) for pattern in usage_numbers.searched(filters.number))))
        return found


def _used() -> ColumnElement[bool]:
    of_product = (UsageDay.customer_id == Product.customer_id, UsageDay.product_id == Product.id)
    return select(UsageDay.product_id).where(*of_product).exists()


def _told() -> ColumnElement[bool]:
    """Leave out emergency, helpline and 0800 numbers (R14); the same rule as usage_numbers.told."""
    number = col(UsageEvent.other_party)
    untold = or_(number.in_(usage_numbers.EMERGENCY), *(number.like(pattern) for pattern in usage_numbers.UNTOLD_PATTERNS))
    return number.is_(None) | ~untold


def _behind(after: Key | None, product: int) -> list[ColumnElement[bool]]:
    """Keep what comes after a key in the order of moment, id and product, all falling."""
    if after is None:
        return []
    at, number = col(UsageEvent.at), col(UsageEvent.id)
    last = number <= after.id if product < after.product_id else number < after.id
    return [at <= after.at, (at < after.at) | last]


def _bucket(by: By, hour: int) -> date | int:
    there = clock.local(_EPOCH + timedelta(hours=hour))
    if by is By.HOUR:
        return there.hour
    return clock.month_start(there.date()) if by is By.MONTH else there.date()


def _row(scope: _Scope, found: Any) -> Row:  # noqa: ANN401 - a row of _COLUMNS and a bill number
    return Row(
        key=Key(found.at, found.id, found.product_id),
        product_no=scope.products[found.product_id],
        kind=found.kind,
        unit=_unit(found.kind, found.other_party),
        direction=found.direction,
        zone=found.zone,
        country=found.country,
        tariff=found.tariff,
        other_party=found.other_party and usage_numbers.mask(found.other_party),
        quantity=found.quantity,
        over_quantity=found.over_quantity,
        charged_cents=found.charged_cents,
        bill_no=found.bill_no,
    )


def _unit(kind: UsageKind, other_party: str | None) -> Unit:
    if kind is UsageKind.DATA:
        return Unit.KB
    by_piece = kind in {UsageKind.SMS, UsageKind.MMS} or (kind is UsageKind.PREMIUM and usage_numbers.short(other_party))
    return Unit.PIECE if by_piece else Unit.SECOND


_COLUMNS = (
    UsageEvent.at, UsageEvent.id, UsageEvent.product_id, UsageEvent.kind, UsageEvent.direction, UsageEvent.zone, UsageEvent.country,
    UsageEvent.tariff, UsageEvent.other_party, UsageEvent.quantity, UsageEvent.over_quantity, UsageEvent.charged_cents, UsageEvent.bill_id,
)  # fmt: skip
