"""Lists of customers, bills, orders and so on: one page at a time, found by the key of the last row, however many rows there are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, tuple_
from sqlmodel import Session

from core.actor import Actor, Permission
from core.errors import N_, DomainError
from core.models.customer import Customer
from core.services import list_filters
from core.services.list_columns import Column, Listing, Named, Type, expression
from core.services.list_filters import EVERYTHING, Group
from core.services.list_nouns import listing

PAGE = 25
MOST_COUNTED = 10_000
"""How far rows are counted, and how many at most are sorted without an index."""
_AT_ONCE = 500


class TooManyToSort(DomainError):
    """Sorting so many rows without an index would take too long."""

    message = N_("More than {most} rows can't be sorted by this column. Filter first, or sort by one of: {columns}.")


class NoSuchPage(DomainError):
    """The row that the page begins behind is gone."""

    message = N_("The row this page began at is gone. Start at the first page.")


class TwiceOrNone(DomainError):
    """The columns that are asked for make no list."""

    message = N_("The columns in this address can't be read. Choose them again.")


@dataclass(frozen=True)
class Query:
    """A list as it is asked for. `sort` is a column's name, with a minus for the largest first; empty fields mean the list's own."""

    noun: str
    where: Group = EVERYTHING
    columns: tuple[str, ...] = ()
    sort: str = ""
    after: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Row:
    """A row: its cells in the order of the columns, and where it opens. Money in cents; a masked cell holds what may be seen."""

    id: int
    customer_id: int | None
    customer_no: str | None
    object_no: str | None
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Page:
    """A page of a list; `count` says how many rows there are, up to MOST_COUNTED + 1."""

    listing: Listing
    columns: tuple[Column, ...]
    sort: str
    rows: tuple[Row, ...]
    count: int
    has_next: bool
    has_previous: bool

    @property
    def many(self) -> bool:
        """Whether there are more rows than were counted."""
        return self.count > MOST_COUNTED


def page(session: Session, actor: Actor, *, query: Query, size: int = PAGE) -> Page:
    """Return one page of a list.

    Raises UnknownList, NotPermitted, whatever `list_filters.where` refuses, TooManyToSort, NoSuchPage.
    """
    actor.require(Permission.LIST_READ)
    plan = _Plan(actor, query)
    found = _count(session, plan)
    plan.check_sort(found)
    ids, has_next, has_previous = _ids(session, plan, query, size)
    return Page(plan.listing, plan.columns, plan.sort, tuple(_rows(session, plan, ids)), found, has_next, has_previous)


def check(actor: Actor, *, query: Query) -> None:
    """Refuse a query that makes no sense for its list or its reader, as `page` does, without looking at a row."""
    actor.require(Permission.LIST_READ)
    _Plan(actor, query)


def count(session: Session, actor: Actor, *, query: Query, most: int = MOST_COUNTED) -> int:
    """Count the rows of a list, up to `most` + 1."""
    actor.require(Permission.LIST_READ)
    return _count(session, _Plan(actor, query), most)


def every(session: Session, actor: Actor, *, query: Query, most: int) -> Iterator[Row]:
    """Yield all rows of a list in its order, `most` of them at most, some hundred at a time."""
    actor.require(Permission.LIST_READ)
    plan = _Plan(actor, query)
    plan.check_sort(_count(session, plan))
    left, last = most, None
    while left > 0:
        ids, more, _newer = _ids(session, plan, Query(query.noun, after=last), min(left, _AT_ONCE))
        yield from _rows(session, plan, ids)
        left -= len(ids)
        if not more:
            return
        last = ids[-1]


def ids(session: Session, actor: Actor, *, query: Query, most: int) -> list[int]:
    """Return the ids of a list's rows, `most` + 1 of them at most."""
    actor.require(Permission.LIST_READ)
    plan = _Plan(actor, query)
    return list(session.execute(select(plan.listing.key).where(plan.where).order_by(plan.listing.key).limit(most + 1)).scalars())


def of_ids(session: Session, actor: Actor, *, noun: str, ids: Sequence[int]) -> list[Row]:
    """Return some rows of a list by their ids, in that order; what the actor may not see is left out."""
    actor.require(Permission.LIST_READ)
    plan = _Plan(actor, Query(noun))
    seen: set[int] = set()
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        seen.update(session.execute(select(plan.listing.key).where(plan.where, plan.listing.key.in_(some))).scalars())
    return list(_rows(session, plan, [one for one in ids if one in seen]))


class _Plan:
    """A query that was checked against its list and its reader."""

    def __init__(self, actor: Actor, query: Query) -> None:
        self.listing = listing(query.noun)
        actor.require(self.listing.right)
        known = self.listing.columns_of(actor)
        names = query.columns or tuple(name for name in self.listing.shown if name in known)
        if len(set(names)) != len(names) or len(names) > len(self.listing.columns):
            raise TwiceOrNone
        self.columns = tuple(self.listing.column(actor, name) for name in names)
        self.sort = query.sort or self.listing.sort
        self.by, self.down = self.listing.column(actor, self.sort.removeprefix("-")), self.sort.startswith("-")
        if not self.by.sortable:
            raise list_filters.WrongColumn(column=Named(self.by.label))
        self.quick = [column.label for column in known.values() if column.quick]
        self.where = list_filters.where(self.listing, actor, query.where)
        scope = self.listing.scope(actor)
        if scope is not None:
            self.where = self.where & scope

    def check_sort(self, found: int) -> None:
        """Refuse to sort many rows without an index."""
        if found > MOST_COUNTED and not self.by.quick:
            raise TooManyToSort(most=MOST_COUNTED, columns=Named(*self.quick))

    @property
    def order(self) -> Any:  # noqa: ANN401 - a column or an expression
        """What rows are sorted by."""
        found = _value(self.listing, self.by, self.by.sorts)
        return case((found, 1), else_=0) if self.by.type is Type.FLAG else found


def _count(session: Session, plan: _Plan, most: int | None = None) -> int:
    some = select(plan.listing.key).where(plan.where).limit((most or MOST_COUNTED) + 1).subquery()
    return int(session.execute(select(func.count()).select_from(some)).scalar_one())


def _ids(session: Session, plan: _Plan, query: Query, size: int) -> tuple[list[int], bool, bool]:
    """Return the ids of a page, and whether there is one behind it and one before it. What is empty comes last, whichever way."""
    key, order, back = plan.listing.key, plan.order, query.before is not None
    anchor = query.before if back else query.after
    asked: Select[Any] = select(key).where(plan.where)
    if anchor is not None:
        asked = asked.where(_behind(plan, order, _anchor(session, plan, order, anchor), back=back))
    turned = plan.down != back
    terms = [] if plan.by.quick else [order.is_(None).desc() if back else order.is_(None)]
    terms += [order.desc(), key.desc()] if turned else [order.asc(), key.asc()]
    found = list(session.execute(asked.order_by(*terms).limit(size + 1)).scalars())
    more, found = len(found) > size, found[:size]
    if back:
        return found[::-1], True, more
    return found, more, anchor is not None


def _anchor(session: Session, plan: _Plan, order: Any, anchor: int) -> tuple[Any, int]:  # noqa: ANN401
    found = session.execute(select(order).where(plan.listing.key == anchor)).first() if 0 < anchor <= list_filters.LARGEST else None
    if found is None:
        raise NoSuchPage
    return found[0], anchor


def _behind(plan: _Plan, order: Any, anchor: tuple[Any, int], *, back: bool) -> ColumnElement[bool]:  # noqa: ANN401
    """Return what lies behind a row, or before it; rows with an empty value lie behind all others."""
    key, (value, row_id), down = plan.listing.key, anchor, plan.down != back
    further = key < row_id if down else key > row_id
    if plan.by.quick:
        return tuple_(order, key) < tuple_(value, row_id) if down else tuple_(order, key) > tuple_(value, row_id)
    if value is None:
        empty = order.is_(None) & further
        return or_(order.is_not(None), empty) if back else empty
    beyond = or_(order < value if down else order > value, (order == value) & further)
    return (order.is_not(None) & beyond) if back else or_(beyond, order.is_(None))


def _rows(session: Session, plan: _Plan, ids: Sequence[int]) -> Iterator[Row]:
    """Read what is shown of some rows, in their order."""
    one = plan.listing
    number = _by_customer(one, Customer.customer_no, (Customer.id, ())) if one.customer_id is not None else None
    fixed = [one.key, one.customer_id, number, one.opens[1] if one.opens else None]
    wanted = [sql for sql in fixed if sql is not None] + [_value(one, column) for column in plan.columns]
    wanted = [sql.label(f"c{place}") for place, sql in enumerate(wanted)]
    found = {row[0]: row for row in session.execute(select(*wanted).select_from(one.table).where(one.key.in_(ids)))}
    places = [index for index, sql in enumerate(fixed) if sql is not None]
    for row_id in ids:
        row = found.get(row_id)
        if row is not None:
            known: dict[int, Any] = dict(zip(places, row, strict=False))
            cells = (_seen(column, value) for column, value in zip(plan.columns, row[len(places) :], strict=True))
            yield Row(row_id, known.get(1), known.get(2), known.get(3), tuple(cells))


def _value(one: Listing, column: Column, sorts: Any = None) -> Any:  # noqa: ANN401
    """Return a column's value, from whichever table, as an expression on the list's own."""
    sql = expression(column.sql) if sorts is None else sorts
    return sql if column.source is None else _by_customer(one, sql, (column.source.customer_id, column.source.where))


def _by_customer(one: Listing, sql: Any, source: tuple[Any, tuple[Any, ...]]) -> Any:  # noqa: ANN401
    customer_id, where = source
    if customer_id is one.customer_id:
        return sql
    return select(sql).where(customer_id == one.customer_id, *where).correlate(one.table).limit(1).scalar_subquery()


def _seen(column: Column, value: Any) -> Any:  # noqa: ANN401
    return column.mask(value) if column.mask is not None and value else value
