"""Draws people who could live in Belgium: names of its three communities, postcodes with their towns, phones and accounts that are nobody's."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml

from core import clock, postcodes
from core.postcodes import Place
from core.text_rules import fold

FILE = Path(__file__).resolve().parent / "background.yaml"
Rng = np.random.Generator
T = TypeVar("T")

_BRUSSELS_UNTIL = "1300"
_DUTCH_IN_BRUSSELS = 0.2
_BUSINESS, _DEBIT, _PAPER, _LEGACY, _LATE, _NEW = 0.05, 0.45, 0.12, 0.1, 0.06, 0.2
_AGE_DAYS, _PAYS_AFTER, _OLDEST_DAYS, _LATER_AT_WORK = (28 * 365, 89 * 365), (3, 15), 7 * 365, 14
_CHANCES = ("place", "dutch", "new", "business", "given", "family", "since", "street", "number", "debit", "late", "legacy", "paper")
"""What is left to chance for each of them."""
_FREE_ZONES = {"02": "010", "03": "015", "04": "087", "09": "053", "080": "087"}
"""Behind the other zones no number starts with 0 or 1, so those are nobody's; these zones have none to spare, and take a neighbour's."""
_FIRST_MOBILE = 470_000_100
_BANK = "539"
"""A bank code that belongs to no bank (R3)."""


@dataclass(frozen=True)
class Person:
    """Somebody before he is a customer; each of `plans` is a plan followed by its options."""

    customer_no: str
    language: str
    street: str
    number: str
    postcode: str
    since: date
    plans: tuple[tuple[str, ...], ...]
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    trading_name: str | None = None
    until: date | None = None
    legacy_day: int | None = None
    paper: bool = False
    debit: bool = False
    pays_after: int = 8
    stops: date | None = None
    vip: bool = False
    colleague: bool = False
    deceased_on: date | None = None
    taken_over: bool = False
    hold_until: date | None = None
    hold_reason: str | None = None

    @property
    def name(self) -> str:
        """The name as it is written on a letter."""
        return self.trading_name or f"{self.given_name} {self.family_name}"

    @property
    def town(self) -> str:
        """The town, in his language where it has a name in it."""
        place = _by_postcode()[self.postcode]
        return place.names[0] if place.language != "fr" or self.language != "nl" else place.nl

    @property
    def email(self) -> str:
        """An address of the domain that is kept for examples."""
        return re.sub(r"[^a-z0-9]+", ".", fold(self.name)).strip(".") + f".{int(self.customer_no) % 1_000_000}@example.be"

    @property
    def enterprise_no(self) -> str | None:
        """A number with the right check digits (R2), of a range that is not given out."""
        if self.trading_name is None:
            return None
        first = f"099{int(self.customer_no) % 100_000:05d}"
        return f"{first}{97 - int(first) % 97:02d}"

    @property
    def iban(self) -> str:
        """An account of the bank that does not exist."""
        return account(int(self.customer_no) % 10_000_000)

    def line(self, number: int, *, mobile: bool) -> str:
        """Return the phone number of his plan of that number."""
        index = int(self.customer_no) % 1_000_000
        if mobile:
            return f"+32{_FIRST_MOBILE + 4 * index + number}"
        zone = _by_postcode()[self.postcode].zone
        return f"+32{_FREE_ZONES.get(zone, zone)[1:]}{index % 200_000:06d}"


def account(number: int) -> str:
    """Return an account number of bank 539 with both its checks (R3)."""
    digits = f"{_BANK}{number:07d}"
    bban = f"{digits}{int(digits) % 97 or 97:02d}"
    return f"BE{98 - int(f'{bban}111400') % 97:02d}{bban}"


def facts() -> dict[str, Any]:
    """Return what background.yaml tells."""
    return _read(FILE.stat().st_mtime_ns)


def draw(rng: Rng, first_no: int, count: int, start: date) -> list[Person]:
    """Draw people; four in five were customers before `start`."""
    told, today = facts(), clock.today()
    communities = list(told["communities"])
    community = rng.choice(len(communities), size=count, p=_shares(told["communities"].values()))
    home = rng.choice(len(told["households"]), size=count, p=_shares(one["share"] for one in told["households"]))
    work = rng.choice(len(told["businesses"]), size=count, p=_shares(one["share"] for one in told["businesses"]))
    age, waits, cycle, late = (rng.integers(*span, size=count) for span in (_AGE_DAYS, _PAYS_AFTER, (1, 32), (0, 3)))
    chances: list[dict[str, float]] = [dict(zip(_CHANCES, row, strict=True)) for row in rng.random((count, len(_CHANCES))).tolist()]
    found = []
    for index, chance in enumerate(chances):
        spoken = communities[community[index]]
        place = _one(_places()[spoken], chance["place"])
        language = "nl" if place.postcode < _BRUSSELS_UNTIL and chance["dutch"] < _DUTCH_IN_BRUSSELS else spoken
        new, business = chance["new"] < _NEW, chance["business"] < _BUSINESS
        family = _one(told["family_names"][language], chance["family"])
        since = _since(start, today, chance["since"], new=new)
        facts_of_his = {
            "trading_name": f"{_one(told['companies'][language], chance['given'])} {family} {told['legal_forms'][language]}",
            "plans": _plans(told["businesses"][work[index]]),
            "pays_after": int(waits[index]) + _LATER_AT_WORK,
        } if business else {
            "given_name": _one(told["given_names"][language], chance["given"]),
            "family_name": family,
            "birth_date": today - timedelta(days=int(age[index])),
            "plans": _plans(told["households"][home[index]]),
            "pays_after": int(waits[index]),
            "legacy_day": int(cycle[index]) if not new and chance["legacy"] < _LEGACY else None,
            "paper": chance["paper"] < _PAPER,
        }  # fmt: skip
        found.append(
            Person(
                customer_no=str(first_no + index),
                language=language,
                street=_one(told["streets"][language], chance["street"]),
                number=str(1 + int(chance["number"] ** 2 * 180)),
                postcode=place.postcode,
                since=since,
                debit=chance["debit"] < _DEBIT,
                stops=clock.add_months(clock.month_start(today), -int(late[index])) if chance["late"] < _LATE else None,
                **facts_of_his,
            )
        )
    return found


def known(first_no: int) -> list[Person]:
    """Return the people of background.yaml who are there for a reason."""
    return [Person(customer_no=str(number), **told | {"plans": _plans(told)}) for number, told in enumerate(facts()["known"], first_no)]


@cache
def _read(_changed: int) -> dict[str, Any]:
    told: dict[str, Any] = yaml.load(FILE.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    return told


@cache
def _by_postcode() -> dict[str, Place]:
    return {code: places[0] for code, places in postcodes.places().items()}


@cache
def _places() -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in _by_postcode().values():
        found.setdefault(place.language, []).append(place)
    return found


def _plans(told: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(plan.split()) for plan in told["plans"])


def _since(start: date, today: date, chance: float, *, new: bool) -> date:
    if new:
        return start + timedelta(days=int(chance * (today - start).days))
    return start - timedelta(days=1 + int(chance * _OLDEST_DAYS))


def _shares(values: Iterable[float]) -> np.ndarray[Any, Any]:
    weights = list(values)
    return np.array(weights) / sum(weights)


def _one(choices: Sequence[T], chance: float) -> T:
    return choices[int(chance * len(choices))]
