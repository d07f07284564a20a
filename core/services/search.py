"""The one search box: it recognises what was typed, and finds the customers it belongs to (W16)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import phonenumbers
from rapidfuzz.distance import OSA
from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col
from stdnum.be import ogm_vcs

from core import postcodes
from core.actor import Actor, Permission
from core.db import Base
from core.errors import N_, DomainError
from core.models.appointment import Appointment
from core.models.bill import Bill, BillCategory, BillCounter
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus
from core.models.order import ProductOrder
from core.models.product import Product
from core.services import audit, search_text
from core.services.customers import written_name
from core.services.payment_matching import near_numbers
from core.services.search_index import BAR
from core.services.search_text import Texts, holds
from core.text_rules import TooLong, Unreadable, address_line, fold, normalise

SEARCHED = "customer:search"
NOTHING = "nothing"
"""As what a term is recognised that leads to nobody."""
MOST_CHARACTERS = 100
_FETCHED = 300
_MORE = 5
"""So many times what is wanted is looked at, since closed files step back."""
_ALIKE = 5000
"""How many names that share half of a mistyped one are compared with it."""
_SHORTEST_MISSPELT = 4
_SHORTEST_FRAGMENT = 4
_SERIES = 24
_SEQUENCES = 5000
_TOGETHER = 1000
_NUMBER = re.compile(r"[\d\s+()./*-]+")
_OGM = re.compile(r"(\+{3}|\*{3})?(\d{12})(\+{3}|\*{3})?")
_ENTERPRISE = re.compile(r"(BE)?(0?|1)(\d{9})")
_LETTERED = re.compile(r"[A-Z]\d{3,}")
_PREFIXED = re.compile(r"([^\W\d_][\w .-]{0,16}?)\s*:(?!//)\s*(.*)", re.DOTALL)
_NAME_SIGNS = " -'\u2019.,&/()"
_ABROAD = "00"
_COUNTRY = "32"


class WrongCheckDigits(DomainError):
    """A structured communication whose last two digits do not follow from the others."""

    message = N_("{ogm} is mistyped: its last two digits do not match the others. Compare it with the bill.")


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


@dataclass(frozen=True)
class _Asked:
    """What was typed: the text, what it is said to be, and how many customers are wanted."""

    term: str
    sort: Sort | None
    limit: int

    @property
    def words(self) -> list[str]:
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
_SHOWS: dict[Sort, frozenset[Why]] = {
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


def find(session: Session, actor: Actor, *, term: str, limit: int = 20) -> list[Hit]:
    """Return the customers a term leads to, the most probable first.

    Numbers are read in any spelling: customer, phone (also of a line), bill, product, order, visit, enterprise or VAT number, and
    a communication with or without its signs; from four digits on also parts of them. Else: parts of an e-mail, words of names and
    addresses in any order and without accents, and names with a slip of the fingers. A word before a colon (`tel:`, `bill:`, ...)
    says what is meant. For a mistyped communication the nearest bills are offered. Raises WrongCheckDigits where there is none.
    """
    actor.require(Permission.CUSTOMER_SEARCH)
    try:
        asked = _asked(normalise(term, field="q", length=MOST_CHARACTERS), limit)
    except (Unreadable, TooLong):
        return []
    wanted = _SHOWS.get(asked.sort) if asked.sort else None
    for way in (_by_number, _by_email, _by_part_of_a_number, _by_name, _by_place, _by_part_of_an_email, _by_near_name):
        found: dict[int, _Match] = {}
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


def _asked(term: str, limit: int) -> _Asked:
    prefixed = _PREFIXED.fullmatch(term)
    sort = _SORTS.get(fold(prefixed[1])) if prefixed else None
    return _Asked(prefixed[2] if prefixed and sort else term, sort, limit)


def _by_number(session: Session, asked: _Asked) -> Iterator[_Match]:
    compact = _compact(asked.term)
    if not compact.isascii() or not any(map(str.isdigit, compact)):
        return
    ogm = _OGM.fullmatch(compact)
    if ogm and (not compact.startswith(_ABROAD) or asked.sort is Sort.OGM):
        written = f"+++{ogm[2][:3]}/{ogm[2][3:7]}/{ogm[2][7:]}+++"
        if not ogm_vcs.is_valid(ogm[2]):
            yield from _near_ogm(session, written)
            return
        yield from _where(session, Bill, Why.OGM, "ogm", written)
        return
    yield from _where(session, Customer, Why.CUSTOMER_NO, "customer_no", compact)
    yield from _where(session, Bill, Why.BILL, "bill_no", compact)
    yield from _where(session, Product, Why.PRODUCT, "product_no", compact)
    for letter in ("", "O", "A") if asked.sort else ("",):
        yield from _where(session, ProductOrder, Why.ORDER, "order_no", letter + compact)
        yield from _where(session, Appointment, Why.APPOINTMENT, "appointment_no", letter + compact)
    if enterprise := _ENTERPRISE.fullmatch(compact):
        yield from _where(session, Customer, Why.ENTERPRISE_NO, "enterprise_no", (enterprise[2] or "0") + enterprise[3])
    if phone := _phone(asked.term):
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


def _by_email(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find an e-mail that begins so, an equal one first."""
    if "@" in asked.term:
        typed = asked.term.lower()
        whole, beginning = f" {typed} ", f" {typed}"
        yield from _mails(session, holds("mail", whole), typed)
        yield from _mails(session, holds("mail", beginning), typed)
        yield from _mails(session, holds("mail", typed), typed)


def _by_part_of_an_email(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find an e-mail that holds the term, which then is a single word; a short one must begin it."""
    typed = asked.term.lower()
    if (
        len(typed) >= _SHORTEST_FRAGMENT
        and " " not in typed
        and (asked.sort is Sort.EMAIL or not asked.odd or "." in typed or "_" in typed)
    ):
        yield from _mails(session, holds("mail", f" {typed}"), typed)
        yield from _mails(session, holds("mail", typed), typed)


def _mails(session: Session, where: Texts, typed: str) -> Iterator[_Match]:
    for row in search_text.rows(session, where, "mail", limit=_FETCHED):
        yield _Match(row.customer_id, Why.EMAIL, next(mail for mail in row.mail.split() if typed.strip() in mail))


def _by_part_of_a_number(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find what holds four digits or more: the last ones of a phone first, then other parts, then bills, orders and visits."""
    compact = _compact(asked.term)
    if _LETTERED.fullmatch(compact):
        yield from _beginning(session, ProductOrder, Why.ORDER, "order_no", compact)
        yield from _beginning(session, Appointment, Why.APPOINTMENT, "appointment_no", compact)
    digits = re.sub(r"^BE|[+*]", "", compact)
    if not (digits.isascii() and digits.isdecimal() and len(digits) >= _SHORTEST_FRAGMENT):
        return
    if asked.sort is not Sort.BILL:
        yield from _by_digits(session, _spellings(digits, compact))
    if asked.sort in {Sort.ORDER, Sort.VISIT}:
        yield from _beginning(session, ProductOrder, Why.ORDER, "order_no", f"O{digits}")
        yield from _beginning(session, Appointment, Why.APPOINTMENT, "appointment_no", f"A{digits}")
    yield from _by_part_of_a_bill_no(session, digits, Why.OGM if asked.sort is Sort.OGM else Why.BILL)


def _by_digits(session: Session, spellings: Sequence[str]) -> Iterator[_Match]:
    for ends in (" ", ""):
        where = search_text.any_of([holds("number", f"{digits}{ends}") for digits in spellings])
        ranked = []
        for row in search_text.rows(session, where, "number", limit=_FETCHED):
            for number in row.number.split():
                if any(digits in number for digits in spellings):
                    starts = any(number[1:].startswith(digits) for digits in spellings)
                    ranked.append((not starts, _KINDS[number[0]][1], _Match(row.customer_id, _KINDS[number[0]][0], _told(number))))
        yield from (match for *_, match in sorted(ranked, key=lambda one: one[:2]))


_KINDS = {"p": (Why.PHONE, 0), "l": (Why.LINE, 1), "c": (Why.CUSTOMER_NO, 2), "e": (Why.ENTERPRISE_NO, 3)}


def _told(number: str) -> str:
    return f"+{number[1:]}" if number[0] in "pl" else number[1:]


def _spellings(digits: str, compact: str) -> list[str]:
    """Return how digits may stand in the index, which holds phones with their country: "0471" is "32471" there, and an enterprise's own zero stays."""
    if digits.startswith(_ABROAD) and not compact.startswith("+"):
        return [digits, digits[len(_ABROAD) :]]
    return [digits, _COUNTRY + digits[1:]] if digits.startswith("0") else [digits]


def _by_part_of_a_bill_no(session: Session, digits: str, why: Why) -> Iterator[_Match]:
    """Find bills whose number holds some digits, the newest first. Numbers are given out in a row, so the possible ones can be told without a search."""
    counters = session.execute(select(col(BillCounter.series), col(BillCounter.last)).order_by(col(BillCounter.series).desc()))
    found, many = 0, 0
    for numbers in _together(number for series, last in counters.all()[:_SERIES] for number in _numbers(series, last, digits)):
        query = select(col(Bill.customer_id), col(Bill.bill_no)).where(col(Bill.bill_no).in_(numbers)).order_by(col(Bill.bill_no).desc())
        for customer_id, bill_no in session.execute(query.limit(_FETCHED)):
            yield _Match(customer_id, why, bill_no)
            found += 1
        many += len(numbers)
        if found >= _FETCHED or many >= _SEQUENCES:
            return


_BILL_NO_LENGTH = 10


def _numbers(series: str, last: int, digits: str) -> Iterator[str]:
    """Return the numbers of a series that hold some digits, the last ones first."""
    width = _BILL_NO_LENGTH - len(series)
    if len(digits) > _BILL_NO_LENGTH or width <= 0:
        return
    for before in range(len(series) + 1):  # Where the digits begin within the series: what follows is the beginning of the sequence.
        head, tail = digits[: len(series) - before], digits[len(series) - before :]
        if before < len(series) and tail and len(tail) <= width and series[before:] == head:
            low = int(tail.ljust(width, "0"))
            yield from (f"{series}{number:0{width}d}" for number in range(min(last, low + 10 ** (width - len(tail)) - 1), low - 1, -1))
    if len(digits) <= width:
        yield from (text for number in _holding(digits, width) if 0 < number <= last for text in [f"{series}{number:0{width}d}"])


@cache
def _holding(digits: str, width: int) -> tuple[int, ...]:
    """Return the sequence numbers of a width that hold some digits, those that end with them first."""
    free = width - len(digits)
    found: dict[int, None] = {}
    for behind in range(free + 1):
        for rest in range(10**free):
            text = f"{rest:0{free}d}" if free else ""
            found[int(text[: free - behind] + digits + text[free - behind :])] = None
    return tuple(found)


def _together(numbers: Iterable[str]) -> Iterator[list[str]]:
    waiting: list[str] = []
    for number in numbers:
        waiting.append(number)
        if len(waiting) == _TOGETHER:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _by_name(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find names by their words or the beginnings of words, and between both those that are a slip of the fingers away from the whole."""
    if not asked.words:
        return
    whole = _named(session, asked, [_whole(word) for word in asked.words])
    equal = [one for one in whole if _is_form(asked.words, one[1])]
    others = whole[len(equal) :]
    near = _near(session, asked, asked.words, edits=1, parts=False) if len(asked.words) > 1 and not equal else []
    longer = _named(session, asked, asked.words) if len(whole) < asked.limit and not asked.words[-1].isdecimal() else []
    yield from (match for match, _ in equal)
    before = asked.limit // 4
    others = _one_of_each(others)
    yield from (match for match, _ in _one_of_each([*others[:before], *near, *others[before:], *longer]))


def _is_form(words: Sequence[str], name: str) -> bool:
    return " ".join(words) in _forms(name)


def _forms(name: str) -> list[str]:
    return [form.strip() for form in name.split(BAR)]


def _whole(word: str) -> str:
    return f"{word} " if len(word) > 1 else word


def _named(session: Session, asked: _Asked, beginnings: Sequence[str]) -> list[tuple[_Match, str]]:
    where = search_text.all_of([holds("name", f" {beginning}") for beginning in beginnings])
    found = []
    for row in search_text.people(session, where, limit=_FETCHED):
        name = written_name(row.given_name, row.family_name, row.trading_name)
        if _literally(asked, f"{name} {row.family_name} {row.given_name} {row.second_holder}"):
            by_holder = row.second_holder and not _begin_words(asked.words, fold(name))
            match = _Match(row.customer_id, Why.HOLDER, row.second_holder) if by_holder else _Match(row.customer_id, Why.NAME, name)
            found.append((match, row.name))
    return sorted(found, key=lambda one: (not _is_form(asked.words, one[1]), one[0].why is Why.HOLDER, one[1], one[0].customer_id))


def _one_of_each(found: Sequence[tuple[_Match, str]]) -> list[tuple[_Match, str]]:
    """Put one customer of each name before the namesakes: whoever is meant is among the first."""
    many = Counter[str]()
    ranked = []
    for one in found:
        ranked.append((many[one[1]], one))
        many[one[1]] += 1
    return [one for _, one in sorted(ranked, key=lambda ranked_one: ranked_one[0])]


def _by_place(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find addresses by their words, or a name with words of its address: "rue haute 12 namur", "peeters mechelen"."""
    words = asked.words
    too_little = len(words) == 1 and (len(words[0]) < _SHORTEST_FRAGMENT or (words[0].isdecimal() and asked.sort is not Sort.ADDRESS))
    if not words or too_little:
        return
    columns = ("place",) if asked.sort is Sort.ADDRESS else ("name", "place")
    for beginnings in ([f"{word} " for word in words], [_whole(word) if word.isdecimal() else word for word in words], words):
        where = search_text.all_of([search_text.any_of([holds(column, f" {beginning}") for column in columns]) for beginning in beginnings])
        found = list(_placed(session, asked, search_text.people(session, where, limit=_FETCHED)))
        if found:
            yield from found
            return
    if asked.sort is None and (split := _town_behind(words)):
        for edits in (1, 2):
            yield from (match for match, _ in _near(session, asked, split[0], edits=edits, town=split[1]))


def _placed(session: Session, asked: _Asked, rows: Sequence[Any]) -> Iterator[_Match]:
    """Say of each customer whether he was found by his address alone."""
    m = ContactMedium
    columns = (getattr(m, name) for name in ("customer_id", "street", "number", "postcode", "town"))
    current = (col(m.customer_id).in_([row.customer_id for row in rows]), col(m.kind) == ContactKind.ADDRESS, col(m.until_at).is_(None))
    lines = {key: address_line(street, number, None, postcode, town, "") for key, street, number, postcode, town in
             session.execute(select(*columns).where(*current))}  # fmt: skip
    for row in rows:
        name, address = written_name(row.given_name, row.family_name, row.trading_name), lines.get(row.customer_id, "")
        if _literally(asked, f"{name} {row.second_holder} {address}"):
            by_place = _begin_words(asked.words, row.place)
            yield _Match(row.customer_id, Why.ADDRESS if by_place else Why.NAME, address if by_place else name)


def _town_behind(words: Sequence[str]) -> tuple[list[str], str] | None:
    """Take the town off the end of a name: "petres mechelen"."""
    for start in range(1, len(words)):
        town = " ".join(words[start:])
        if postcodes.codes_of(town):
            return list(words[:start]), town
    return None


def _by_near_name(session: Session, asked: _Asked) -> Iterator[_Match]:
    """Find names that differ from the term by a slip of the fingers, or two."""
    for edits in (1, 2):
        found = _one_of_each(_near(session, asked, asked.words, edits=edits))
        if found:
            yield from (match for match, _ in found)
            return


def _near(
    session: Session, asked: _Asked, words: Sequence[str], *, edits: int, town: str | None = None, parts: bool = True
) -> list[tuple[_Match, str]]:
    """Find names at most so many letters away from what was typed: added, left out, mistaken or swapped.

    Of `edits + 1` pieces with a letter between them, one is in the name as it was typed: those names are compared letter by letter.
    With `parts`, each typed word may also be near a word, or the beginning of one; who lives in the `town` is compared in any case.
    """
    typed = " ".join(words)
    if asked.odd or len(typed) < _SHORTEST_MISSPELT or sum(char.isalpha() for char in typed) < len(typed) / 2:
        return []
    halves = [holds("name", piece) for piece in pieces(f" {typed} ", edits + 1)]
    if not halves and not town:
        return []
    where = search_text.all_of([*([search_text.any_of(halves)] if halves else []), *([holds("place", f" {town} ")] if town else [])])
    ranked = []
    for row in search_text.rows(session, where, "name", limit=_ALIKE):
        away, form = _away(typed, words, row.name, edits, parts=parts)
        if away <= edits:
            ranked.append((away, form[:1] != typed[:1], form, row.customer_id, row.name))
    best = sorted(ranked)[:_FETCHED]
    return [(_Match(customer_id, Why.NEAR, ""), name) for *_, customer_id, name in best]


def pieces(text: str, many: int) -> list[str]:
    """Cut a text into so many pieces with a letter between each two, none too short to be looked for."""
    size, rest = divmod(len(text) - (many - 1), many)
    if size < search_text.SHORTEST:
        return [text[: search_text.SHORTEST], text[-search_text.SHORTEST :]] if len(text) == 2 * search_text.SHORTEST else []
    found, start = [], 0
    for index in range(many):
        length = size + (index < rest)
        found.append(text[start : start + length])
        start += length + 1
    return found


def _away(typed: str, words: Sequence[str], name: str, edits: int, *, parts: bool) -> tuple[int, str]:
    """Return how many letters a name is away from what was typed, and in which of its forms."""
    nearest, form = edits + 1, ""
    for one in _forms(name):
        away = OSA.distance(typed, one, score_cutoff=edits)
        if away < nearest:
            nearest, form = away, one
    if parts and nearest > edits:
        for one in _forms(name):
            away = sum(_word_away(word, one.split(), edits) for word in words)
            if away < nearest:
                nearest, form = away, one
    return nearest, form


def _word_away(word: str, others: Sequence[str], edits: int) -> int:
    """Return how far the nearest of some words, or its beginning, is away from a typed one."""
    if len(word) < _SHORTEST_MISSPELT:
        return 0 if any(other.startswith(word) for other in others) else edits + 1
    return min(
        (int(OSA.distance(word, text, score_cutoff=edits)) for other in others for text in (other, other[: len(word)])), default=edits + 1
    )


def _begin_words(words: Iterable[str], text: str) -> bool:
    return all(f" {word}" in f" {text}" for word in words)


def _literally(asked: _Asked, text: str) -> bool:
    """Whether signs that no name is written with are in the text as they were typed: `a%b` finds "a%b" alone."""
    return not asked.odd or asked.term.casefold() in text.casefold()


def _compact(term: str) -> str:
    return re.sub(r"[\s./()-]", "", term).upper()


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


def _beginning(session: Session, table: type[Base], why: Why, column: str, value: str) -> Iterator[_Match]:
    """Find numbers that begin so, the last given first; between two values, as an index is read in any collation."""
    number = getattr(table, column)
    query = select(table.customer_id, number).where(number.between(value, f"{value}{'9' * 16}"))  # type: ignore[attr-defined]
    for customer_id, found in session.execute(query.order_by(number.desc()).limit(_FETCHED)):
        yield _Match(customer_id, why, found)


def _hits(session: Session, matches: list[_Match], term: str) -> list[Hit]:
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
        )
        hits.append((not equal, person.status is CustomerStatus.CLOSED, hit))
    return [hit for *_, hit in sorted(hits, key=lambda ranked: ranked[:2])]
