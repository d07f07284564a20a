"""What is typed into the search box: the text, and what a word before a colon says it is."""

import re
from dataclasses import dataclass
from enum import StrEnum

from core.text_rules import fold

MOST_CHARACTERS = 100
FETCHED = 300
"""How many customers a way of searching brings at most."""
SHORTEST_FRAGMENT = 4
"""Fewer signs of a number, an e-mail or an address lead to anybody."""
_PREFIXED = re.compile(r"([^\W\d_][\w .-]{0,16}?)\s*:(?!//)\s*(.*)", re.DOTALL)
_NAME_SIGNS = " -'\u2019.,&/()"


class Sort(StrEnum):
    """What somebody says he types, by a word before a colon."""

    PHONE = "tel"
    NAME = "name"
    ADDRESS = "addr"
    EMAIL = "mail"
    CUSTOMER = "no"
    BILL = "bill"
    OGM = "ogm"
    ENTERPRISE = "vat"
    ORDER = "order"
    VISIT = "visit"


class Why(StrEnum):
    """What of a customer matched."""

    CUSTOMER_NO = "customerNo"
    NAME = "name"
    HOLDER = "holder"
    NEAR = "near"
    PHONE = "phone"
    LINE = "line"
    EMAIL = "email"
    BILL = "bill"
    OGM = "ogm"
    NEAR_OGM = "nearOgm"
    ENTERPRISE_NO = "enterpriseNo"
    PRODUCT = "product"
    ORDER = "order"
    APPOINTMENT = "appointment"
    ADDRESS = "address"


@dataclass(frozen=True)
class Match:
    """A customer a term leads to, and by what; `opens` names the object itself where `found` does not: the bill of a communication, an order's id."""

    customer_id: int
    why: Why
    found: str
    opens: str = ""


@dataclass(frozen=True)
class Asked:
    """What was typed: the text, what it is said to be, and how many customers are wanted."""

    term: str
    sort: Sort | None
    limit: int

    @property
    def words(self) -> list[str]:
        """Its words without accents and capitals."""
        return fold(self.term).split()

    @property
    def odd(self) -> bool:
        """Whether it holds signs that no name is written with."""
        return any(not char.isalnum() and char not in _NAME_SIGNS for char in self.term)


_WORDS: dict[Sort, str] = {
    Sort.PHONE: "tel phone telephone telefoon telefon gsm mobile handy line ligne lijn leitung",
    Sort.NAME: "name nom naam holder titulaire",
    Sort.ADDRESS: "addr address adresse adres anschrift street rue straat strasse",
    Sort.EMAIL: "mail email e-mail courriel",
    Sort.CUSTOMER: "no nr customer client klant kunde",
    Sort.BILL: "bill invoice facture factuur rechnung",
    Sort.OGM: "ogm vcs com communication mededeling mitteilung",
    Sort.ENTERPRISE: "vat tva btw mwst bce kbo ent enterprise entreprise onderneming unternehmen",
    Sort.ORDER: "order commande cmd bestelling bestellung",
    Sort.VISIT: "visit visite rdv rendez-vous appointment afspraak bezoek termin besuch",
}
"""The words that say what follows them, in the languages of the house; accents don't matter."""
_SORTS = {fold(word): sort for sort, words in _WORDS.items() for word in words.split()}
SHOWS: dict[Sort, frozenset[Why]] = {
    Sort.PHONE: frozenset({Why.PHONE, Why.LINE}),
    Sort.NAME: frozenset({Why.NAME, Why.HOLDER, Why.NEAR}),
    Sort.ADDRESS: frozenset({Why.ADDRESS}),
    Sort.EMAIL: frozenset({Why.EMAIL}),
    Sort.CUSTOMER: frozenset({Why.CUSTOMER_NO}),
    Sort.BILL: frozenset({Why.BILL}),
    Sort.OGM: frozenset({Why.OGM, Why.NEAR_OGM}),
    Sort.ENTERPRISE: frozenset({Why.ENTERPRISE_NO}),
    Sort.ORDER: frozenset({Why.ORDER}),
    Sort.VISIT: frozenset({Why.APPOINTMENT}),
}


def read(term: str, limit: int) -> Asked:
    """Take the word before a colon off, where it says what follows."""
    prefixed = _PREFIXED.fullmatch(term)
    sort = _SORTS.get(fold(prefixed[1])) if prefixed else None
    return Asked(prefixed[2] if prefixed and sort else term, sort, limit)
