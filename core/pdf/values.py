"""What all papers print, as plain values that can be stored as JSON and read again years later."""

from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from types import UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

_JSON = frozenset({str, int, bool, type(None)})
"""What is JSON data as it is: most of what a bill prints, and a month has many bills."""


class Printed:
    """A frozen dataclass of texts, numbers, days, moments, tuples and other `Printed` values."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON data; every field is written, so that a later default can't change an issued paper."""
        values = ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        return {name: value if type(value) in _JSON else _plain(value) for name, value in values}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Read a value that `to_dict` wrote; a key that the class doesn't know raises TypeError."""
        hints = get_type_hints(cls)
        return cls(**{name: _typed(hints.get(name), value) for name, value in found.items()})


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON data
    if isinstance(value, Printed):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def _typed(hint: Any, value: Any) -> Any:  # noqa: ANN401 - JSON data
    if value is None:
        return None
    if get_origin(hint) in {Union, UnionType}:
        hint = next(option for option in get_args(hint) if option is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_typed(get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and is_dataclass(hint) and issubclass(hint, Printed):
        return hint.from_dict(value)
    if hint in {date, datetime}:
        return hint.fromisoformat(value)
    return value


@dataclass(frozen=True, slots=True)
class PrintedParty(Printed):
    """Whom a paper is for: the name as it stands on the letter box, and the address."""

    name: str
    street: str
    number: str | None
    box: str | None
    postcode: str
    town: str
    country: str = "BE"
    vat_no: str | None = None


@dataclass(frozen=True, slots=True)
class PrintedMediator(Printed):
    """Who helps when a complaint is not solved, in the reader's language."""

    name: str
    address: str
    phone: str
    site: str


@dataclass(frozen=True, slots=True)
class PrintedSeller(Printed):
    """Who writes the paper: `enterprise_no` is ten digits, phones are as a reader dials them, words are in the reader's language."""

    name: str
    street: str
    postcode: str
    town: str
    enterprise_no: str
    iban: str
    bic: str | None
    creditor_id: str
    phone: str
    email: str
    comparison_site: str
    mediator: PrintedMediator
