"""The one search box: it recognises what was typed, and finds the customers it belongs to (W16)."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import phonenumbers
from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col
from stdnum.be import ogm_vcs

from core.actor import Actor, Permission
from core.db import Base
from core.errors import N_, DomainError
from core.models.appointment import Appointment
from core.models.bill import Bill, BillCategory
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus
from core.models.order import ProductOrder
from core.models.product import Product
from core.services.customers import written_name
from core.services.payment_matching import near_numbers
from core.text_rules import TooLong, Unreadable, address_line, fold, normalise

MOST_CHARACTERS = 100
NEAR = 0.75
"""How alike two words must be for a typing error: difflib's ratio."""
_FETCHED = 300
_SAME_POSTCODE = 5000
_SAME_FIRST_LETTER = 20_000
_SHORTEST_MISSPELT = 4
_NUMBER = re.compile(r"[\d\s+()./*-]+")
_OGM = re.compile(r"(\+{3}|\*{3})?(\d{12})(\+{3}|\*{3})?")
_ENTERPRISE = re.compile(r"(BE)?(0?|1)(\d{9})")
_NAME_SIGNS = " -'\u2019.,&/()"
_ABROAD = "00"
_ESCAPE = "\\"


class WrongCheckDigits(DomainError):
    """A structured communication whose last two digits do not follow from the others."""

    message = N_("{ogm} is mistyped: its last two digits do not match the others. Compare it with the bill.")


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
class Hit:
    """A customer who was found: `found` is what matched, as it is stored (a number, the name of the second holder, ...)."""

    customer_no: str
    name: str
    status: CustomerStatus
    address: str
    contact: str
    why: Why
    found: str


@dataclass(frozen=True)
class _Match:
    customer_id: int
    why: Why
    found: str


def find(session: Session, actor: Actor, *, term: str, limit: int = 20) -> list[Hit]:
    """Return the customers a term leads to, the most probable first.

    Numbers are read in any spelling: customer, phone (also of a line), bill, product, order, visit, enterprise or VAT number, and
    a communication with or without its signs. Else: e-mail, postcode with a town or street, or the beginnings of names in any
    order and without accents; a misspelt name is tried when nothing else fits. For a mistyped communication the nearest bills are
    offered. Raises WrongCheckDigits where there is none.
    """
    actor.require(Permission.CUSTOMER_SEARCH)
    try:
        term = normalise(term, field="q", length=MOST_CHARACTERS)
    except (Unreadable, TooLong):
        return []
    for way in (_by_number, _by_email, _by_place, _by_name, _by_near_name):
        matches = list({match.customer_id: match for match in reversed(list(way(session, term)))}.values())[::-1]
        if matches:
            return _hits(session, matches[:limit] if way is not _by_name else matches, term)[:limit]
    return []


def _by_number(session: Session, term: str) -> Iterator[_Match]:
    compact = re.sub(r"[\s./()-]", "", term).upper()
    if not compact.isascii():
        return
    ogm = _OGM.fullmatch(compact)
    if ogm and not compact.startswith(_ABROAD):
        written = f"+++{ogm[2][:3]}/{ogm[2][3:7]}/{ogm[2][7:]}+++"
        if not ogm_vcs.is_valid(ogm[2]):
            yield from _near_ogm(session, written)
            return
        yield from _where(session, Bill, Why.OGM, "ogm", written)
        return
    yield from _where(session, Customer, Why.CUSTOMER_NO, "customer_no", compact)
    yield from _where(session, Bill, Why.BILL, "bill_no", compact)
    yield from _where(session, Product, Why.PRODUCT, "product_no", compact)
    yield from _where(session, ProductOrder, Why.ORDER, "order_no", compact)
    yield from _where(session, Appointment, Why.APPOINTMENT, "appointment_no", compact)
    if enterprise := _ENTERPRISE.fullmatch(compact):
        yield from _where(session, Customer, Why.ENTERPRISE_NO, "enterprise_no", (enterprise[2] or "0") + enterprise[3])
    if phone := _phone(term):
        yield from _where(session, Product, Why.LINE, "line", phone)
        current = col(ContactMedium.until_at).is_(None)
        yield from _where(session, ContactMedium, Why.PHONE, "value", phone, current)


def _near_ogm(session: Session, written: str) -> Iterator[_Match]:
    """Find the bills whose communication differs from a mistyped one by a digit, or by two that changed places. Raises WrongCheckDigits."""
    meant = (col(Bill.bill_no).in_(near_numbers(written)), col(Bill.category) != BillCategory.CREDIT_NOTE)
    query = (
        select(col(Bill.customer_id), col(Bill.bill_no)).where(*meant).order_by(col(Bill.remaining_cents) == 0, col(Bill.bill_date).desc())
    )
    found = session.execute(query.limit(_FETCHED)).all()
    if not found:
        raise WrongCheckDigits(ogm=written)
    yield from (_Match(customer_id, Why.NEAR_OGM, bill_no) for customer_id, bill_no in found)


def _by_email(session: Session, term: str) -> Iterator[_Match]:
    if "@" not in term:
        return
    current = col(ContactMedium.until_at).is_(None)
    exact = list(_where(session, ContactMedium, Why.EMAIL, "value", term.lower(), current))
    if exact:
        yield from exact
        return
    value = col(ContactMedium.value)
    query = (
        select(col(ContactMedium.customer_id), value)
        .where(current, col(ContactMedium.kind) == ContactKind.EMAIL, value.like(f"{_literal(term.lower())}%", escape=_ESCAPE))
        .order_by(value)
        .limit(_FETCHED)
    )
    for customer_id, found in session.execute(query):
        yield _Match(customer_id, Why.EMAIL, found)


def _by_place(session: Session, term: str) -> Iterator[_Match]:
    words = term.split()
    codes = [word for word in words if re.fullmatch(r"[1-9]\d{3}", word) and word.isascii()]
    rest = fold(" ".join(word for word in words if word not in codes)).split()
    if len(codes) != 1 or not rest:
        return
    m = ContactMedium
    query = (
        select(*(getattr(m, name) for name in ("customer_id", "street", "number", "postcode", "town")))
        .where(col(m.postcode) == codes[0], col(m.until_at).is_(None))
        .order_by(col(m.customer_id))
        .limit(_SAME_POSTCODE)
    )
    for customer_id, street, number, postcode, town in session.execute(query):
        if _begin_words(rest, fold(f"{street} {number} {town}")) and _literally(term, f"{postcode} {street} {number} {town}"):
            yield _Match(customer_id, Why.ADDRESS, address_line(street, number, None, postcode, town, ""))


def _by_name(session: Session, term: str) -> Iterator[_Match]:
    words = fold(term).split()
    if words:
        yield from _named(session, words, term, Why.NAME)


def _by_near_name(session: Session, term: str) -> Iterator[_Match]:
    """Find names that differ from the term by a slip of the fingers, the first letter apart."""
    words = fold(term).split()
    if not words or not all(word.isalpha() and len(word) >= _SHORTEST_MISSPELT for word in words):
        return
    meant = []
    for word in words:
        known = set[str]()
        for (name,) in session.execute(select(col(Customer.search_name)).where(_begins(word[0])).limit(_SAME_FIRST_LETTER)):
            known.update(part for part in name.split() if part[0] == word[0])
        near = difflib.get_close_matches(word, sorted(known), n=3, cutoff=NEAR)
        if not near:
            return
        meant.append(near)
    for word in meant[0]:
        yield from _named(session, [word, *(near[0] for near in meant[1:])], "", Why.NEAR)


def _named(session: Session, words: list[str], term: str, why: Why) -> Iterator[_Match]:
    columns = ("id", "given_name", "family_name", "trading_name", "second_holder")
    query = (
        select(*(getattr(Customer, name) for name in columns))
        .where(*(_begins(word) for word in words))
        .order_by(col(Customer.search_name), col(Customer.id))
        .limit(_FETCHED)
    )
    for customer_id, given, family, trading, holder in session.execute(query):
        name = written_name(given, family, trading)
        if not _literally(term, f"{name} {family} {given} {holder}"):
            continue
        if holder and not _begin_words(words, fold(name)):
            yield _Match(customer_id, Why.HOLDER, holder)
        else:
            yield _Match(customer_id, why, name)


def _begins(word: str) -> ColumnElement[bool]:
    """A word of the customer's name begins so."""
    name, like = col(Customer.search_name), _literal(word)
    return name.like(f"{like}%", escape=_ESCAPE) | name.like(f"% {like}%", escape=_ESCAPE)


def _begin_words(words: Iterable[str], text: str) -> bool:
    return all(f" {word}" in f" {text}" for word in words)


def _literal(text: str) -> str:
    """Escape what LIKE would read as a wildcard (S38)."""
    return re.sub(r"([%_\\])", r"\\\1", text)


def _literally(term: str, text: str) -> bool:
    """Whether signs that no name is written with are in the text as they were typed: `a%b` finds "a%b" alone."""
    odd = any(not char.isalnum() and char not in _NAME_SIGNS for char in term)
    return not odd or term.casefold() in text.casefold()


def _phone(term: str) -> str | None:
    """Return a number in any Belgian or international spelling as E.164 (R17)."""
    if not _NUMBER.fullmatch(term):
        return None
    try:
        number = phonenumbers.parse(term, "BE")
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if phonenumbers.is_possible_number(number) else None


def _where(session: Session, table: type[Base], why: Why, column: str, value: str, *more: ColumnElement[bool]) -> Iterator[_Match]:
    owner = "id" if table is Customer else "customer_id"
    query = select(getattr(table, owner)).where(getattr(table, column) == value, *more).limit(_FETCHED)
    for (customer_id,) in session.execute(query):
        yield _Match(customer_id, why, value)


def _hits(session: Session, matches: list[_Match], term: str) -> list[Hit]:
    """Fill in who the customers are; among names an equal one comes first, a closed file last."""
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
            found=match.found,
        )
        hits.append((not equal, match.why is not Why.NAME, person.status is CustomerStatus.CLOSED, hit))
    return [hit for *_, hit in sorted(hits, key=lambda ranked: ranked[:3])]
