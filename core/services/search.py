"""The one search box: it recognises what was typed, and finds the customers it belongs to (W16)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core.actor import Actor, Permission
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus
from core.services import audit, search_text
from core.services.customers import written_name
from core.services.search_names import by_name, by_near_name, by_place
from core.services.search_numbers import by_number, by_part
from core.services.search_terms import FETCHED, MOST_CHARACTERS, SHORTEST_FRAGMENT, SHOWS, Asked, Match, Sort, Why, read
from core.services.search_text import Texts, holds
from core.text_rules import TooLong, Unreadable, address_line, fold, normalise

SEARCHED = "customer:search"
NOTHING = "nothing"
"""As what a term is recognised that leads to nobody."""
_MORE = 5
"""So many times what is wanted is looked at, since closed files step back."""


@dataclass(frozen=True)
class Hit:
    """A customer who was found: `found` is what matched, as it is stored (a number, the name of the second holder, ...), `opens` as in Match."""

    customer_no: str
    name: str
    status: CustomerStatus
    address: str
    contact: str
    why: Why
    found: str
    opens: str = ""


def find(session: Session, actor: Actor, *, term: str, limit: int = 20) -> list[Hit]:
    """Return the customers a term leads to, the most probable first.

    Numbers are read in any spelling: customer, phone (also of a line), bill, product, order, visit, enterprise or VAT number, and
    a communication with or without its signs; from four digits on also parts of them. Else: parts of an e-mail, words of names and
    addresses in any order and without accents, and names with a slip of the fingers. A word before a colon (`tel:`, `bill:`, ...)
    says what is meant. For a mistyped communication the nearest bills are offered. Raises WrongCheckDigits where there is none.
    """
    actor.require(Permission.CUSTOMER_SEARCH)
    try:
        asked = read(normalise(term, field="q", length=MOST_CHARACTERS), limit)
    except (Unreadable, TooLong):
        return []
    wanted = SHOWS.get(asked.sort) if asked.sort else None
    for way in (by_number, _by_email, by_part, by_name, by_place, _by_part_of_an_email, by_near_name):
        found: dict[int, Match] = {}
        for match in way(session, asked):
            if wanted is None or match.why in wanted:
                found.setdefault(match.customer_id, match)
        if found:
            return _hits(session, list(found.values())[: limit * _MORE], asked.term)[:limit]
    return []


def note(session: Session, actor: Actor, *, found: Sequence[Hit]) -> None:
    """Write down that somebody searched: as what his term was recognised, and how many he was shown (W18); the term may be somebody's data (S45)."""
    actor.require(Permission.CUSTOMER_SEARCH)
    kind = found[0].why.value if found else NOTHING
    audit.record(session, actor, action=SEARCHED, object_type="search", object_id=kind, after={"kind": kind, "hits": len(found)})


def _by_email(session: Session, asked: Asked) -> Iterator[Match]:
    """Find an e-mail that begins so, an equal one first."""
    if "@" in asked.term:
        typed = asked.term.lower()
        whole, beginning = f" {typed} ", f" {typed}"
        yield from _mails(session, holds("mail", whole), typed)
        yield from _mails(session, holds("mail", beginning), typed)
        yield from _mails(session, holds("mail", typed), typed)


def _by_part_of_an_email(session: Session, asked: Asked) -> Iterator[Match]:
    """Find an e-mail that holds the term, which then is a single word; a short one must begin it."""
    typed = asked.term.lower()
    if len(typed) >= SHORTEST_FRAGMENT and " " not in typed and (asked.sort is Sort.EMAIL or not asked.odd or "." in typed or "_" in typed):
        yield from _mails(session, holds("mail", f" {typed}"), typed)
        yield from _mails(session, holds("mail", typed), typed)


def _mails(session: Session, where: Texts, typed: str) -> Iterator[Match]:
    for row in search_text.rows(session, where, "mail", limit=FETCHED):
        yield Match(row.customer_id, Why.EMAIL, next(mail for mail in row.mail.split() if typed.strip() in mail))


def _hits(session: Session, matches: list[Match], term: str) -> list[Hit]:
    """Fill in who the customers are; an equal name comes first, a closed file last."""
    ids = [match.customer_id for match in matches]
    c, m = Customer, ContactMedium
    people: dict[int, Any] = {
        row.id: row
        for row in session.execute(
            select(*(getattr(c, name) for name in ("id", "customer_no", "given_name", "family_name", "trading_name", "status", "language")))
            .where(col(c.id).in_(ids))
        )
    }  # fmt: skip
    media: dict[tuple[int, ContactKind], Any] = {
        (row.customer_id, row.kind): row
        for row in session.execute(
            select(*(getattr(m, name) for name in ("customer_id", "kind", "value", "street", "number", "box", "postcode", "town")))
            .where(col(m.customer_id).in_(ids), col(m.until_at).is_(None))
        )
    }  # fmt: skip
    folded = fold(term)
    hits = []
    for match in matches:
        person = people[match.customer_id]
        names = (person.given_name, person.family_name, person.trading_name)
        place = media.get((person.id, ContactKind.ADDRESS))
        ways = (media.get((person.id, kind)) for kind in (ContactKind.PHONE, ContactKind.EMAIL))
        equal = folded in {fold(written_name(*names)), fold(f"{names[1] or ''} {names[0] or ''}")}
        hit = Hit(
            customer_no=person.customer_no,
            name=written_name(*names),
            status=person.status,
            address=address_line(place.street, place.number, place.box, place.postcode, place.town, person.language) if place else "",
            contact=next((way.value for way in ways if way), ""),
            why=match.why,
            found=match.found or written_name(*names),
            opens=match.opens,
        )
        hits.append((not equal, person.status is CustomerStatus.CLOSED, hit))
    return [hit for *_, hit in sorted(hits, key=lambda ranked: ranked[:2])]
