"""Belgian postcodes: which towns they name, in which language, and in which telephone zone. The data and their origin are in seed/."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from rapidfuzz.distance import OSA

from core.errors import N_, DomainError
from core.settings import ROOT
from core.text_rules import fold

FILE = ROOT / "seed" / "postcodes.csv"
_AFTER_BRUSSELS = "1300"
_SHORTEST = 4
_SAINTS = {"saint": "st", "sint": "st", "sankt": "st", "sainte": "ste"}


@dataclass(frozen=True)
class Place:
    """One municipality under one postcode."""

    postcode: str
    fr: str
    nl: str
    language: str
    zone: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names, that of the place's own language first; the Dutch one of a German-speaking place is the German one."""
        return tuple(dict.fromkeys((self.fr, self.nl) if self.language == "fr" else (self.nl, self.fr)))


class UnknownPostcode(DomainError):
    """No town has this postcode."""

    field = "postcode"
    message = N_("{postcode} is not a Belgian postcode. Check its four digits.")


class PostcodeOfAnotherTown(DomainError):
    """The town is known, under other postcodes."""

    field = "postcode"
    message = N_("{town} has the postcode {postcodes}, and {postcode} is {towns}. Correct one of them, or save again to keep both.")


def check(postcode: str, town: str, *, kept: bool = False) -> None:
    """Refuse a postcode that does not exist, or that belongs to other towns than the one named; `kept` lets the second pass.

    Many parts of municipalities are called like another town, so somebody who insists is believed. A part that is no town's
    name (Heverlee under 3001) passes at once: `suggest` says how its municipality is called (W5, W10).
    Raises UnknownPostcode and PostcodeOfAnotherTown.
    """
    if postcode not in _places():
        raise UnknownPostcode(postcode=postcode)
    elsewhere = _codes().get(_canonical(town), ())
    if elsewhere and not kept and not matches(postcode, town):
        codes = ", ".join(elsewhere[:3]) + (" …" if len(elsewhere) > 3 else "")  # noqa: PLR2004 - enough to recognise it
        raise PostcodeOfAnotherTown(postcode=postcode, town=town, postcodes=codes, towns=" / ".join(towns(postcode)))


def places() -> Mapping[str, Sequence[Place]]:
    """Return all municipalities by postcode."""
    return _places()


def towns(postcode: str) -> tuple[str, ...]:
    """Return the names of the municipalities of a postcode, the place's own language first; none for an unknown postcode."""
    return tuple(dict.fromkeys(name for place in _places().get(postcode, ()) for name in place.names))


def matches(postcode: str, town: str) -> bool:
    """Whether a town is a municipality of a postcode, or a part of its name ("Louvain-la-Neuve" under 1348), in either language."""
    words = f" {_canonical(town)} "
    names = (*towns(postcode), *(("Bruxelles", "Brussel") if _in_brussels(postcode) else ()))
    return bool(words.strip()) and any(words in f" {_canonical(name)} " for name in names)


def suggest(postcode: str, town: str) -> tuple[str, ...]:
    """Return the towns to propose for a postcode: none when the town already matches."""
    return () if matches(postcode, town) else towns(postcode)


def codes_of(town: str) -> tuple[str, ...]:
    """Return the postcodes of a municipality, in either language and without accents; none for an unknown name."""
    return _codes().get(_canonical(town), ())


def meant(town: str) -> tuple[str, ...]:
    """Return the folded names of the municipalities that an unfinished or mistyped name may mean; none where it is too short to tell."""
    typed = fold(town)
    if len(typed) < _SHORTEST:
        return ()
    begun = tuple(name for name in _folded() if name.startswith(f"{typed} ") or name == typed)
    return begun or tuple(name for name in _folded() if OSA.distance(typed, name, score_cutoff=1) <= 1)


def language_of(postcode: str) -> str | None:
    """Return the language of a place: nl, fr or de; Brussels is given as fr, where people choose."""
    return next((place.language for place in _places().get(postcode, ())), None)


def zone_of(postcode: str) -> str | None:
    """Return the zone code of fixed telephone lines ("081"): a number can be kept within its zone only (W5)."""
    return next((place.zone for place in _places().get(postcode, ())), None)


@cache
def _places() -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["postcode"], []).append(Place(**row))
    return found


@cache
def _folded() -> tuple[str, ...]:
    return tuple(dict.fromkeys(fold(name) for places in _places().values() for place in places for name in place.names))


@cache
def _codes() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for postcode, places in _places().items():
        for name in dict.fromkeys(_canonical(name) for place in places for name in place.names):
            found.setdefault(name, []).append(postcode)
    return {name: tuple(codes) for name, codes in found.items()}


def _canonical(town: str) -> str:
    """Fold a name, and write saints alike: "St. Vith" is "Sankt Vith", "St-Gilles" is "Saint-Gilles"."""
    return " ".join(_SAINTS.get(word, word) for word in fold(town).replace(".", " ").split())


def _in_brussels(postcode: str) -> bool:
    """Whether a postcode lies in Brussels, where people write the region's name for their municipality's."""
    return postcode in _places() and postcode < _AFTER_BRUSSELS
