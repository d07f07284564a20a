"""What a list and a column of it are.

A column of somebody's own table is compared in place; one of another table (whose customer it is) is looked up by the customer, so
that a list never joins what it does not need. A masked column is shown with its ends alone, and can be neither searched nor sorted:
who may not read a value must not be able to guess it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement

from core import i18n
from core.actor import Actor, Permission
from core.catalogue import Texts
from core.errors import N_, DomainError

Expression = ColumnElement[Any]
Words = Mapping[str, str]


class UnknownColumn(DomainError):
    """The address names a column that the list does not have, or that the actor may not read."""

    message = N_("This list has no column “{column}” for you. Take it out of the address, or choose again.")


class Type(StrEnum):
    """What a column holds, and so how it is compared and written."""

    TEXT = "text"
    CHOICE = "choice"
    MONEY = "money"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"


@dataclass(frozen=True)
class Source:
    """Another table of the same customer: its column with the customer's id, and which of its rows is meant."""

    customer_id: Any
    where: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column. `sql` is its value; `words` and `names` write it, the latter from a file of the product team; `quick` marks one that an index sorts, `folded` a text without accents that `sql` is searched by."""

    name: str
    label: str
    type: Type
    sql: Any
    source: Source | None = None
    words: Words = field(default_factory=dict)
    names: Callable[[], Mapping[str, Texts]] | None = None
    quick: bool = False
    sorts: Any = None
    folded: Any = None
    filterable: bool = True
    right: Permission | None = None
    mask: Callable[[str], str] | None = None

    @property
    def comparable(self) -> bool:
        """Whether rows may be filtered by it."""
        return self.filterable and self.mask is None

    @property
    def sortable(self) -> bool:
        """Whether rows may be sorted by it: quickly, or once a filter leaves few."""
        return self.comparable


def named(column: Column, value: object, language: str) -> str | None:
    """Return what a file of the product team calls a value; None where it says nothing."""
    texts = column.names().get(str(value)) if column.names else None
    return texts[language] if texts else None  # type: ignore[index]


class Named:
    """The labels of columns, in whichever language a refusal is read."""

    def __init__(self, *labels: str) -> None:
        self.names = {language: ", ".join(i18n.translate(language, label) for label in labels) for language in i18n.LANGUAGES}


@dataclass(frozen=True)
class Listing:
    """A list. `scope` is what the actor may see of it; `page` and `opens` say which page of the customer's file shows a row."""

    noun: str
    label: str
    icon: str
    right: Permission
    table: Any
    columns: tuple[Column, ...]
    shown: tuple[str, ...]
    sort: str
    page: str
    customer_id: Any
    opens: tuple[str, Any] | None = None
    scope: Callable[[Actor], Expression | None] = lambda _actor: None

    @property
    def key(self) -> Any:  # noqa: ANN401 - a column of any table
        """The column that names a row."""
        return self.table.id

    def columns_of(self, actor: Actor) -> dict[str, Column]:
        """Return what the actor may read, by name."""
        return {one.name: one for one in self.columns if one.right is None or actor.may(one.right)}

    def column(self, actor: Actor, name: str) -> Column:
        """Return a column. Raises UnknownColumn."""
        found = self.columns_of(actor).get(name)
        if found is None:
            raise UnknownColumn(column=name[:40])
        return found


class Now:
    """An expression that is made when it is asked for: it holds the day."""

    def __init__(self, make: Callable[[], Expression]) -> None:
        self.make = make


def expression(sql: Any) -> Any:  # noqa: ANN401
    """Return a column's expression as of now."""
    return sql.make() if isinstance(sql, Now) else sql


def mask_email(address: str) -> str:
    """Write an address with its first letter and its domain alone."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"
