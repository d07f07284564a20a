"""Filters of lists as the address says them: `and(late.eq.yes,or(left.gt.100,due.lt.$today-30))`.

What can't be read, or makes no sense for its column, is refused in a sentence; it is never left out, as a list that shows more than
was asked for would be believed. `$me`, `$today-30`, `$week` and `$month` mean who looks, and the day he looks.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, DecimalException
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_, select, true
from sqlmodel import col

from core import clock
from core.actor import Actor
from core.errors import N_, DomainError
from core.services.list_columns import Column, Listing, Named, Type, expression
from core.text_rules import fold

MOST_CHARACTERS, MOST_CONDITIONS, DEEPEST, MOST_VALUES = 2000, 20, 4, 50
"""How much an address may hold; groups within groups."""
ME = "$me"
_NAME = re.compile(r"[a-z_]{1,30}")
_PLAIN = re.compile(r"[^\s,()\"\\]+")
_DYNAMIC = re.compile(r"\$(today|week|month)([+-]\d{1,4})?")
_DAY_MAX = 3650
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)
LARGEST = 2**31 - 1
"""The largest number that a column or a key holds."""


class Op(StrEnum):
    """How a column is compared: `has` and `starts` in texts, `in` and `out` with several values, `none` and `some` for what is empty."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    HAS = "has"
    STARTS = "starts"
    IN = "in"
    OUT = "out"
    NONE = "none"
    SOME = "some"


_ORDERED = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE, Op.NONE, Op.SOME)
OPS: dict[Type, tuple[Op, ...]] = {
    Type.TEXT: (Op.HAS, Op.STARTS, Op.EQ, Op.NE, Op.IN, Op.OUT, Op.NONE, Op.SOME),
    Type.CHOICE: (Op.IN, Op.OUT, Op.EQ, Op.NE, Op.NONE, Op.SOME),
    Type.MONEY: (Op.GE, Op.LE, Op.GT, Op.LT, Op.EQ, Op.NE),
    Type.NUMBER: (Op.GE, Op.LE, Op.GT, Op.LT, Op.EQ, Op.NE),
    Type.DAY: _ORDERED,
    Type.MOMENT: _ORDERED,
    Type.FLAG: (Op.EQ,),
}
"""What fits a column of each type."""
SEVERAL, EMPTY = frozenset({Op.IN, Op.OUT}), frozenset({Op.NONE, Op.SOME})


class Unreadable(DomainError):
    """The filter is no filter."""

    message = N_("The filter in this address can't be read at “{text}”. Choose the filter again, or ask for the link anew.")


class TooMuch(DomainError):
    """The filter is too long or too deep."""

    message = N_("A filter holds {most} conditions at most, in groups {deep} deep. Take some out.")


class WrongColumn(DomainError):
    """The column can't be compared."""

    message = N_("“{column}” can't be filtered. Choose another column.")


class WrongOperator(DomainError):
    """The comparison does not fit the column."""

    message = N_("“{op}” does not fit the column “{column}”. Choose another comparison.")


class WrongValue(DomainError):
    """The value does not fit the column."""

    message = N_("“{value}” is nothing that the column “{column}” could hold. Correct it.")


@dataclass(frozen=True)
class Condition:
    """One comparison; its values as the address writes them."""

    column: str
    op: Op
    values: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """The only value."""
        return self.values[0] if self.values else ""


@dataclass(frozen=True)
class Group:
    """Conditions of which all must be true, or any."""

    every: bool
    parts: "tuple[Condition | Group, ...]"


Node = Condition | Group
EVERYTHING = Group(every=True, parts=())


def read(text: str) -> Group:
    """Read a filter; an empty text is none. Raises Unreadable, TooMuch."""
    if not text.strip():
        return EVERYTHING
    if len(text) > MOST_CHARACTERS:
        raise TooMuch(most=MOST_CONDITIONS, deep=DEEPEST)
    reader = _Reader(text)
    found = reader.node(1)
    reader.end()
    if sum(1 for _one in conditions(found)) > MOST_CONDITIONS:
        raise TooMuch(most=MOST_CONDITIONS, deep=DEEPEST)
    return found if isinstance(found, Group) else Group(every=True, parts=(found,))


def write(node: Node) -> str:
    """Write a filter as the address holds it: what `read` reads."""
    if isinstance(node, Group):
        return f"{'and' if node.every else 'or'}({','.join(write(part) for part in node.parts)})" if node.parts else ""
    if node.op in EMPTY:
        return f"{node.column}.{node.op}"
    values = [_quoted(value) for value in node.values]
    given = f"({','.join(values)})" if node.op in SEVERAL else values[0]
    return f"{node.column}.{node.op}.{given}"


def conditions(node: Node) -> Iterator[Condition]:
    """Yield the conditions of a filter, from left to right."""
    if isinstance(node, Condition):
        yield node
    else:
        for part in node.parts:
            yield from conditions(part)


def where(one: Listing, actor: Actor, node: Node) -> ColumnElement[bool]:
    """Return a filter as a condition on the list's own table. Raises UnknownColumn, WrongColumn, WrongOperator, WrongValue."""
    if isinstance(node, Condition):
        return _compared(one, actor, node)
    parts = [where(one, actor, part) for part in node.parts]
    if not parts:
        return true()
    return and_(*parts) if node.every else or_(*parts)


def check(one: Listing, actor: Actor, node: Node) -> None:
    """Refuse a filter that makes no sense for a list, as `where` does."""
    where(one, actor, node)


def day_of(text: str) -> date | None:
    """Return the day that a text means, `$today-30` or 2026-11-18; None for what is no day."""
    if found := _DYNAMIC.fullmatch(text):
        today, more = clock.today(), int(found[2] or 0)
        starts = {"today": today, "week": today - timedelta(days=today.weekday()), "month": clock.month_start(today)}
        return starts[found[1]] + timedelta(days=more) if abs(more) <= _DAY_MAX else None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST and len(text) == len("2026-11-18") else None


def cents_of(text: str) -> int | None:
    """Return an amount in euros, `12.50` or `12,50`, in cents; None for what is no amount."""
    try:
        cents = Decimal(text.replace(",", ".")) * 100
    except DecimalException:
        return None
    return int(cents) if cents.is_finite() and cents == cents.to_integral_value() and abs(cents) <= LARGEST else None


def _number_of(text: str) -> int | None:
    found = int(text) if re.fullmatch(r"-?\d{1,12}", text, re.ASCII) else None
    return found if found is not None and abs(found) <= LARGEST else None


class _Reader:
    """Reads a filter from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def node(self, deep: int) -> Node:
        """Read a group or a condition."""
        if deep > DEEPEST + 1:
            raise TooMuch(most=MOST_CONDITIONS, deep=DEEPEST)
        name = self._take(_NAME)
        if name in {"and", "or"} and self._sees("("):
            if deep > DEEPEST:
                raise TooMuch(most=MOST_CONDITIONS, deep=DEEPEST)
            parts = [self.node(deep + 1)]
            while self._sees(","):
                parts.append(self.node(deep + 1))
            self._expect(")")
            return Group(name == "and", tuple(parts))
        self._expect(".")
        return self._condition(name)

    def end(self) -> None:
        """Refuse what is left over."""
        if self._at != len(self._text):
            self._refuse()

    def _condition(self, column: str) -> Condition:
        name = self._take(_NAME)
        if name not in set(Op):
            self._refuse(len(name))
        op = Op(name)
        if op in EMPTY:
            return Condition(column, op)
        self._expect(".")
        if op not in SEVERAL:
            return Condition(column, op, (self._value(),))
        self._expect("(")
        values = [self._value()]
        while self._sees(","):
            values.append(self._value())
        self._expect(")")
        if len(values) > MOST_VALUES:
            raise TooMuch(most=MOST_CONDITIONS, deep=DEEPEST)
        return Condition(column, op, tuple(values))

    def _value(self) -> str:
        if not self._sees('"'):
            return self._take(_PLAIN)
        letters: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            self._at += 1
            if char == '"':
                return "".join(letters)
            if char == "\\" and self._at < len(self._text):
                char = self._text[self._at]
                self._at += 1
            letters.append(char)
        self._refuse()
        return ""

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._refuse()
            return ""
        self._at = found.end()
        return found[0]

    def _sees(self, char: str) -> bool:
        if not self._text.startswith(char, self._at):
            return False
        self._at += 1
        return True

    def _expect(self, char: str) -> None:
        if not self._sees(char):
            self._refuse()

    def _refuse(self, back: int = 0) -> None:
        start = self._at - back
        raise Unreadable(text=self._text[start : start + 30] or self._text[-30:])


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _compared(one: Listing, actor: Actor, condition: Condition) -> ColumnElement[bool]:
    column = one.column(actor, condition.column)
    if not column.comparable:
        raise WrongColumn(column=Named(column.label))
    if condition.op not in OPS[column.type]:
        raise WrongOperator(column=Named(column.label), op=condition.op)
    if column.source is None:
        return _condition(column, condition, actor)
    absent = condition.op is Op.NONE
    met = _condition(column, Condition(condition.column, Op.SOME) if absent else condition, actor)
    whose = select(column.source.customer_id).where(*column.source.where, met)
    return col(one.customer_id).not_in(whose) if absent else col(one.customer_id).in_(whose)


def _condition(column: Column, condition: Condition, actor: Actor) -> ColumnElement[bool]:
    sql: Any = expression(column.sql)
    if condition.op in EMPTY:
        return and_(sql.is_(None) if condition.op is Op.NONE else sql.is_not(None))
    if column.type is Type.TEXT:
        return _text(column, condition, actor)
    if column.type is Type.FLAG:
        return and_(sql) if _value(column, condition.value) else not_(sql)
    if column.type is Type.CHOICE:
        values = [_value(column, value) for value in condition.values]
        return and_(sql.not_in(values) if condition.op in {Op.OUT, Op.NE} else sql.in_(values))
    compare = _moment if column.type is Type.MOMENT else _ordered
    return compare(sql, condition.op, _value(column, condition.value))


def _value(column: Column, text: str) -> Any:  # noqa: ANN401 - a value of any column
    """Return what a text means to a column. Raises WrongValue."""
    known: dict[Type, Callable[[], Any]] = {
        Type.FLAG: lambda: {"yes": True, "no": False}.get(text),
        Type.CHOICE: lambda: text if text in column.words else None,
        Type.MONEY: lambda: cents_of(text),
        Type.NUMBER: lambda: _number_of(text),
        Type.DAY: lambda: day_of(text),
        Type.MOMENT: lambda: day_of(text),
    }
    found = known[column.type]()
    if found is None:
        raise WrongValue(value=text[:40], column=Named(column.label))
    return found


def _text(column: Column, condition: Condition, actor: Actor) -> ColumnElement[bool]:
    values = [actor.username if value == ME else value for value in condition.values]
    if any("\x00" in value or not value.isprintable() for value in values):
        raise WrongValue(value="?", column=Named(column.label))
    fits: Any = column.sql if column.folded is None else column.folded
    if column.folded is not None:
        values = [fold(value) for value in values]
    match condition.op:
        case Op.HAS:
            return _like(fits, f"%{_literal(values[0])}%")
        case Op.STARTS:
            return _like(fits, f"{_literal(values[0])}%")
        case Op.IN | Op.EQ:
            return and_(fits.in_(values))
        case _:
            return or_(fits.is_(None), fits.not_in(values))


def _like(fits: Any, pattern: str) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    found: ColumnElement[bool] = fits.ilike(pattern, escape="\\")
    return found


def _literal(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)


def _moment(sql: Any, op: Op, day: date) -> ColumnElement[bool]:  # noqa: ANN401 - a column
    """Compare moments with a whole day in Brussels."""
    begins, ends = clock.at(day), clock.at(day + timedelta(days=1))
    found: dict[Op, Any] = {
        Op.LT: sql < begins,
        Op.LE: sql < ends,
        Op.GT: sql >= ends,
        Op.GE: sql >= begins,
        Op.EQ: and_(sql >= begins, sql < ends),
        Op.NE: or_(sql < begins, sql >= ends),
    }
    return and_(found[op])


def _ordered(sql: Any, op: Op, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column, and what it is compared with
    found: dict[Op, Any] = {
        Op.LT: sql < value,
        Op.LE: sql <= value,
        Op.GT: sql > value,
        Op.GE: sql >= value,
        Op.EQ: sql == value,
        Op.NE: sql != value,
    }
    return and_(found[op])
