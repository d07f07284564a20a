"""What is sold, what the law fixes, and who sells: read from `seed/*.yaml`, checked, and read again when a file changes."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

FILES = Path(__file__).resolve().parent.parent / "seed"

UNLIMITED: Literal["unlimited"] = "unlimited"
Amount = int | Literal["unlimited"]
Texts = dict[Literal["fr", "nl", "de", "en"], str]
Lists = dict[Literal["fr", "nl", "de", "en"], list[str]]
LANGUAGES = {"fr", "nl", "de", "en"}
_PREMIUM_NUMBERS = re.compile(r"0\d{2,3}|\dxxx")


class Service(StrEnum):
    """What a plan brings, and the group its options lie in."""

    INTERNET = "internet"
    TV = "tv"
    PHONE = "phone"
    MOBILE = "mobile"


class Strict(BaseModel):
    """A part of a file: an unknown key is a mistake, and said so."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(Strict):
    """A price in cents, VAT included, from a day on."""

    since: date
    incl_cents: int


class Allowance(Strict):
    """What a period holds; None is nothing, `unlimited` is not counted off."""

    data_mb: Amount | None = None
    voice_min: Amount | None = None
    offpeak_min: Amount | None = None
    peak_min: Amount | None = None
    sms: Amount | None = None


class Offering(Strict):
    """A plan or an option."""

    code: str
    names: Texts
    holds: Lists
    prices: list[Price]
    services: tuple[Service, ...] = ()
    group: Service | None = None
    parents: tuple[str, ...] = ()
    charge: Literal["month", "once"] = "month"
    allowance: Allowance = Allowance()
    when_used_up: Literal["charge", "throttle"] = "charge"
    excludes: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    max: int = 1
    starts: Literal["now", "two_hours", "delivered"] = "now"
    ends: Literal["period", "now"] = "period"
    restriction: bool = False

    @property
    def is_plan(self) -> bool:
        """Whether it stands alone."""
        return self.group is None

    @property
    def one_shot(self) -> bool:
        """Whether it is bought once and lives until the period ends."""
        return self.charge == "once"

    def name(self, language: str) -> str:
        """Its name in a language."""
        return self.names[language]  # type: ignore[index]

    def price_cents(self, day: date) -> int:
        """Its price of a day, VAT included."""
        return next((price for price in reversed(self.prices) if price.since <= day), self.prices[0]).incl_cents

    @model_validator(mode="after")
    def _told_in_four_languages(self) -> Self:
        if set(self.names) != LANGUAGES or set(self.holds) != LANGUAGES:
            msg = f"{self.code}: names and holds need fr, nl, de and en."
            raise ValueError(msg)
        days = [price.since for price in self.prices]
        if not days or days != sorted(set(days)):
            msg = f"{self.code}: prices are missing, or do not stand in the order of their days."
            raise ValueError(msg)
        return self


class Rate(Strict):
    """What a unit outside the bundle costs, in cents, VAT included.

    A call counts for `first_seconds` at least, and in steps of `then_seconds` behind them; messages and started MB are counted whole.
    """

    cents: int = Field(ge=0)
    unit: Literal["minute", "message", "megabyte"]
    source: str
    first_seconds: int | None = Field(default=None, ge=0)
    then_seconds: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _tells_how_calls_are_counted(self) -> Self:
        if (self.unit == "minute") != (self.first_seconds is not None and self.then_seconds is not None):
            msg = "A price per minute, and no other, names first_seconds and then_seconds."
            raise ValueError(msg)
        return self


class Premium(Strict):
    """A class of numbers with a price of their own, in cents, VAT included (R16).

    `charged` says whose money it is: a third party's, nobody's (`free`), or an ordinary call (`as_call`). `category` is what can be barred
    (W4); a class without one is always reachable (R15).
    """

    cents: int = Field(ge=0)
    unit: Literal["minute", "call", "message"]
    source: str
    charged: Literal["third_party", "as_call", "free"] = "third_party"
    category: Literal["adult", "premium", "payment", "gaming"] | None = None
    max_minutes: int | None = Field(default=None, ge=1)
    first_seconds: int = Field(default=60, ge=0)
    then_seconds: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _costs_only_what_is_a_third_partys(self) -> Self:
        if (self.cents > 0) != (self.charged == "third_party"):
            msg = "A premium class has a price where a third party charges it, and none elsewhere."
            raise ValueError(msg)
        return self


class Peak(Strict):
    """When calls of a fixed line are charged: on these days of the week (Monday is 0), from one hour until another, in Brussels."""

    weekdays: tuple[int, ...]
    since_hour: int
    until_hour: int
    source: str


class Fee(Strict):
    """A one-off charge in cents, VAT included."""

    cents: int
    source: str


class Term(Strict):
    """A number of the house's terms, in the unit its name ends with, and where it comes from."""

    value: int
    source: str


class DunningRung(Strict):
    """A step of the follow-up of unpaid bills: so many days after the due date, or after the step before it."""

    step: Literal["reminder1", "reminder2", "formalNotice", "restricted", "suspended", "terminated"]
    after_days: int = Field(ge=1)
    template: str
    channel: Literal["own", "letter"]
    source: str


class Dunning(Strict):
    """How unpaid bills are followed up (W9, R24)."""

    steps: list[DunningRung] = Field(min_length=1)
    missed_template: str
    resume_at: str
    fee: Fee
    postage: Fee
    announced_days: Term

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        names = [rung.step for rung in self.steps]
        if names != sorted(set(names), key=LADDER.index) or self.resume_at not in names:
            msg = f"dunning: the steps do not stand in the order {', '.join(LADDER)}, or resume_at is none of them."
            raise ValueError(msg)
        return self


LADDER = ("reminder1", "reminder2", "formalNotice", "restricted", "suspended", "terminated")


class Instalments(Strict):
    """In how many instalments can be paid, and when a plan is broken (W8)."""

    least_parts: Term
    most_parts: Term
    most_broken: Term
    broken_after_days: Term


class Catalogue(Strict):
    """All that is sold, and the terms on which it is paid."""

    prices_note: str
    offerings: dict[str, Offering]
    rates: dict[str, Rate]
    peak: Peak
    premium: dict[str, Premium]
    fees: dict[str, Fee]
    dunning: Dunning
    instalments: Instalments

    def __getitem__(self, code: str) -> Offering:
        """Return an offering by its code."""
        return self.offerings[code]

    def options_of(self, plan: str, group: Service | None = None) -> list[Offering]:
        """Return the options that can hang under a plan, in the order of the file."""
        return [option for option in self.offerings.values() if plan in option.parents and group in {None, option.group}]

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        for offering in self.offerings.values():
            named = {*offering.parents, *offering.excludes, *offering.requires, *offering.replaces}
            if unknown := named - set(self.offerings):
                msg = f"{offering.code} names {sorted(unknown)}, which the catalogue does not hold."
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _keeps_premium_within_the_law(self) -> Self:
        """R15 and R16: no class above its ceiling, calls of 090x that are charged by the minute end, and no single charge above W4's."""
        highest: Mapping[str, int] = law("premium_ceilings_cents")
        for numbers, one in self.premium.items():
            if not _PREMIUM_NUMBERS.fullmatch(numbers):
                msg = f"premium {numbers}: name the first digits of numbers (0903), or short codes by their first digit (6xxx)."
                raise ValueError(msg)
            if one.cents > highest.get(numbers, one.cents):
                msg = f"premium {numbers}: {one.cents} cents are more than the {highest[numbers]} that the law allows."
                raise ValueError(msg)
            timed = numbers.startswith("090") and one.unit == "minute"
            if timed and one.max_minutes != law("premium_call_max_minutes"):
                msg = f"premium {numbers}: calls that are charged by the minute end after {law('premium_call_max_minutes')} minutes."
                raise ValueError(msg)
            if one.cents * (one.max_minutes or 1) > law("premium_transaction_ceiling_cents"):
                msg = f"premium {numbers}: a single charge may not exceed {law('premium_transaction_ceiling_cents')} cents."
                raise ValueError(msg)
        return self


class Company(Strict):
    """Who writes the bills."""

    name: str
    street: str
    postcode: str
    town: Texts
    enterprise_no: str
    iban: str
    bic: str | None
    creditor_id: str
    phone: str
    email: str
    comparison_sites: Texts
    mediator: dict[str, Any]


LOOK_EVERY_SECONDS = 1.0
"""How often a block looks whether a file changed: on some hosts a look costs as much as a query."""
_looks: dict[Path, tuple[float, int]] = {}

_held: ContextVar[dict[str, Any] | None] = ContextVar("held", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Look at each file once for a whole block: a page would ask seventy times, work on thousands of bills a hundred thousand times."""
    token = _held.set(_held.get() or {})
    try:
        yield
    finally:
        _held.reset(token)


def catalogue() -> Catalogue:
    """Return the catalogue as its file stands now."""
    found: Catalogue = _current("catalogue.yaml", _catalogue)
    return found


def _current(name: str, read: Callable[[Path, int], Any]) -> Any:  # noqa: ANN401 - what the file holds
    """Return what a file holds now, or held when the block first asked."""
    held = _held.get()
    if held is not None and name in held:
        return held[name]
    path, now = FILES / name, monotonic()
    if held is None:
        return read(path, path.stat().st_mtime_ns)
    looked_at, changed = _looks.get(path, (-LOOK_EVERY_SECONDS, 0))
    if now - looked_at >= LOOK_EVERY_SECONDS:
        changed = path.stat().st_mtime_ns
        _looks[path] = now, changed
    held[name] = read(path, changed)
    return held[name]


@lru_cache(maxsize=4)
def _catalogue(path: Path, _changed: int) -> Catalogue:
    found = _load(path)
    offerings = {code: Offering(code=code, **facts) for code, facts in (found.pop("plans") | found.pop("options")).items()}
    return Catalogue(offerings=offerings, **found)


def law(name: str) -> Any:  # noqa: ANN401 - numbers and lists of numbers
    """Return a constant of `seed/law.yaml`, in the unit its name ends with."""
    return _current("law.yaml", _law)[name]["value"]


def law_source(name: str) -> str:
    """Return where a constant of `seed/law.yaml` comes from."""
    return str(_current("law.yaml", _law)[name]["source"])


@lru_cache(maxsize=4)
def _law(path: Path, _changed: int) -> dict[str, Any]:
    return _load(path)


def company() -> Company:
    """Return who writes the bills."""
    found: Company = _current("company.yaml", _company)
    return found


@lru_cache(maxsize=4)
def _company(path: Path, _changed: int) -> Company:
    return Company(**_load(path))


def contact_reasons() -> Mapping[str, Texts]:
    """Return what a talk with a customer can be about, each with its name in four languages."""
    found: Mapping[str, Texts] = _current("contact_reasons.yaml", _contact_reasons)
    return found


@lru_cache(maxsize=4)
def _contact_reasons(path: Path, _changed: int) -> Mapping[str, Texts]:
    found = _load(path)
    for code, names in found.items():
        if set(names) != LANGUAGES:
            msg = f"contact_reasons.yaml: {code} needs fr, nl, de and en."
            raise ValueError(msg)
    return found


def _load(path: Path) -> dict[str, Any]:
    found = yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader, the fast one where there is one
    if not isinstance(found, dict):
        msg = f"{path.name} must hold a mapping."
        raise TypeError(msg)
    return found
