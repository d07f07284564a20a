"""Customers who are nothing but found: names of many kinds, an address, an e-mail, phones and a bill each, written in bulk."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import Session

from core import postcodes
from core.models.bill import Bill, BillCounter, BillState
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.product import Product, ProductStatus
from core.services import references, search_index
from core.services.customers import search_name
from core.text_rules import fold
from seed import crowd
from seed.bulk import keyed, table

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
DAY = date(2026, 11, 5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FIRST_NO = 30_000_000
_SEED, _TOGETHER = 20_261_118, 5_000
_SYLLABLES = "bal ber bo bru car cor da de del den dor du el fer gar ge go har her hu jo ka kel la lam le lin lo mar mer mo na ne no pa per pi ro sa ser ta ter to va ver wil"
_ENDS = "aert ard eau elle ens ers et ier in mans mont on ot schot steen stra"

Rows = list[dict[str, Any]]


def write(session: Session, customers: int) -> list[str]:
    """Write so many customers, and return their full names as they are folded, in the order of their numbers."""
    names = _names(customers)
    for start in range(0, customers, _TOGETHER):
        _write(session, list(enumerate(names[start : start + _TOGETHER], start)))
    session.add(BillCounter(series="2611", last=customers))
    session.flush()
    return [fold(f"{given} {family}") for given, family in names]


def unique(names: list[str], many: int) -> list[str]:
    """Return names that one customer has, spread over all of them."""
    count = Counter(names)
    single = [name for name in names if count[name] == 1]
    return single[:: max(1, len(single) // many)][:many]


def slips(name: str) -> Iterator[str]:
    """Return what a slip of the fingers makes of a name, each once: a letter left out, swapped with the next, mistaken or added."""
    made = dict.fromkeys([name])
    for at in range(len(name) + 1):
        before, behind = name[:at], name[at:]
        made |= dict.fromkeys([before + behind[1:], *([before + behind[1] + behind[0] + behind[2:]] if len(behind) > 1 else [])])
        for letter in LETTERS:
            made |= dict.fromkeys([before + letter + behind[1:], before + letter + behind])
    yield from (one for one in made if one != name)


def _names(many: int) -> list[tuple[str, str]]:
    """Draw names as a country has them: common ones that many share, double ones, and rare ones that are somebody's alone."""
    rng, told = np.random.default_rng(_SEED), crowd.facts()
    given = [name for names in told["given_names"].values() for name in names]
    common = [name for names in told["family_names"].values() for name in names]
    rare = [f"{first}{second}{end}".capitalize() for first, second, end in product(_SYLLABLES.split(), _SYLLABLES.split(), _ENDS.split())]
    found = []
    for kind, first, second, third in rng.random((many, 4)):
        family = common[int(first * len(common))]
        if kind > 0.9:  # noqa: PLR2004 - one in ten bears two names
            family = f"{family}-{common[int(third * len(common))]}"
        elif kind > 0.5:  # noqa: PLR2004 - four in ten a rare one
            family = rare[int(third * len(rare))]
        found.append((given[int(second * len(given))], family))
    return found


def _write(session: Session, people: list[tuple[int, tuple[str, str]]]) -> None:
    places = [found[0] for found in postcodes.places().values()]
    streets = [name for names in crowd.facts()["streets"].values() for name in names]
    customers: Rows = [
        {
            "version": 1, "customer_no": str(FIRST_NO + index), "kind": CustomerKind.INDIVIDUAL, "given_name": given, "family_name": family,
            "language": "fr", "status": CustomerStatus.ACTIVE, "status_since": SINCE.date(), "vip": False, "colleague": False, "vulnerable": False,
            "search_name": search_name(given, family, None), "created_at": SINCE,
        }
        for index, (given, family) in people
    ]  # fmt: skip
    ids = keyed(session, Customer, customers)
    media, lines, bills = [], [], []
    for (index, (given, family)), key in zip(people, ids, strict=True):
        place, owner = places[index * 7 % len(places)], {"customer_id": key, "version": 1}
        common = dict.fromkeys(("value", "street", "number", "postcode", "town", "country")) | {"customer_id": key, "since_at": SINCE}
        mail = f"{fold(given)}.{fold(family)}.{index}@example.be".replace(" ", ".")
        where = {"street": streets[index % len(streets)], "number": str(1 + index % 190), "postcode": place.postcode, "town": place.fr}
        media += [
            common | {"kind": ContactKind.EMAIL, "value": mail},
            common | {"kind": ContactKind.PHONE, "value": f"+32470{index:06d}"},
            common | {"kind": ContactKind.ADDRESS, "country": "BE"} | where,
        ]
        line = {"product_no": f"{FIRST_NO + index}01", "offering_code": "RED", "ordinal": 1, "since": SINCE.date(), "is_minor": False}
        lines.append(owner | line | {"status": ProductStatus.ACTIVE, "line": f"+32471{index:06d}"})
        number = f"2611{index + 1:06d}"
        bill = {
            "bill_no": number,
            "ogm": references.ogm(number),
            "category": "normal",
            "state": BillState.SENT,
            "document_token": f"t{number}",
        }
        days = {"bill_date": DAY, "due_date": DAY, "period_since": DAY, "period_until": DAY, "issued_at": SINCE, "printed": {}}
        cents = {
            "excl_cents": 3471,
            "vat_cents": 729,
            "incl_cents": 4200,
            "third_party_cents": 0,
            "credited_cents": 0,
            "remaining_cents": 4200,
        }
        bills.append(owner | bill | days | cents)
    for model, rows in ((ContactMedium, media), (Product, lines), (Bill, bills)):
        session.execute(insert(table(model)), rows)
    search_index.refresh(session.connection(), ids)
