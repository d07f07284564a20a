"""Whom a number leads to: of a customer, a phone, a bill, an order, a visit, an enterprise, whole or in part, in any spelling (W16)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import phonenumbers
from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col
from stdnum.be import ogm_vcs

from core.db import Base
from core.errors import N_, DomainError
from core.models.appointment import Appointment
from core.models.bill import Bill, BillCategory, BillCounter
from core.models.customer import ContactMedium, Customer
from core.models.order import ProductOrder
from core.models.product import Product
from core.services import search_text
from core.services.payment_matching import near_numbers
from core.services.search_terms import FETCHED, SHORTEST_FRAGMENT, Asked, Match, Sort, Why
from core.services.search_text import holds

_NUMBER = re.compile(r"[\d\s+()./*-]+")
_OGM = re.compile(r"(\+{3}|\*{3})?(\d{12})(\+{3}|\*{3})?")
_ENTERPRISE = re.compile(r"(BE)?(0?|1)(\d{9})")
_LETTERED = re.compile(r"[A-Z]\d{3,}")
_ABROAD = "00"
_COUNTRY = "32"
_SERIES = 24
_SEQUENCES = 5000
_TOGETHER = 1000
_BILL_NO_LENGTH = 10


class WrongCheckDigits(DomainError):
    """A structured communication whose last two digits do not follow from the others."""

    message = N_("{ogm} is mistyped: its last two digits do not match the others. Compare it with the bill.")


def by_number(session: Session, asked: Asked) -> Iterator[Match]:
    """Find what a whole number belongs to; for a mistyped communication the nearest bills. Raises WrongCheckDigits."""
    compact = _compact(asked.term)
    if not compact.isascii() or not any(map(str.isdigit, compact)):
        return
    ogm = _OGM.fullmatch(compact)
    if ogm and (not compact.startswith(_ABROAD) or asked.sort is Sort.OGM):
        written = f"+++{ogm[2][:3]}/{ogm[2][3:7]}/{ogm[2][7:]}+++"
        if not ogm_vcs.is_valid(ogm[2]):
            yield from _near_ogm(session, written)
            return
        yield from _where(session, Bill, Why.OGM, "ogm", written, opens="bill_no")
        return
    yield from _where(session, Customer, Why.CUSTOMER_NO, "customer_no", compact)
    yield from _where(session, Bill, Why.BILL, "bill_no", compact)
    yield from _where(session, Product, Why.PRODUCT, "product_no", compact)
    for letter in ("", "O", "A") if asked.sort else ("",):
        yield from _where(session, ProductOrder, Why.ORDER, "order_no", letter + compact, opens="id")
        yield from _where(session, Appointment, Why.APPOINTMENT, "appointment_no", letter + compact)
    if enterprise := _ENTERPRISE.fullmatch(compact):
        yield from _where(session, Customer, Why.ENTERPRISE_NO, "enterprise_no", (enterprise[2] or "0") + enterprise[3])
    if phone := _phone(asked.term):
        yield from _where(session, Product, Why.LINE, "line", phone)
        current = col(ContactMedium.until_at).is_(None)
        yield from _where(session, ContactMedium, Why.PHONE, "value", phone, current)


def _near_ogm(session: Session, written: str) -> Iterator[Match]:
    """Find the bills whose communication differs from a mistyped one by a digit, or by two that changed places. Raises WrongCheckDigits."""
    meant = (col(Bill.bill_no).in_(near_numbers(written)), col(Bill.category) != BillCategory.CREDIT_NOTE)
    query = (
        select(col(Bill.customer_id), col(Bill.bill_no)).where(*meant).order_by(col(Bill.remaining_cents) == 0, col(Bill.bill_date).desc())
    )
    found = session.execute(query.limit(FETCHED)).all()
    if not found:
        raise WrongCheckDigits(ogm=written)
    yield from (Match(customer_id, Why.NEAR_OGM, bill_no) for customer_id, bill_no in found)


def by_part(session: Session, asked: Asked) -> Iterator[Match]:
    """Find what holds four digits or more: the last ones of a phone first, then other parts, then bills, orders and visits."""
    compact = _compact(asked.term)
    if _LETTERED.fullmatch(compact):
        yield from _beginning(session, ProductOrder, Why.ORDER, "order_no", compact, opens="id")
        yield from _beginning(session, Appointment, Why.APPOINTMENT, "appointment_no", compact)
    digits = re.sub(r"^BE|[+*]", "", compact)
    if not (digits.isascii() and digits.isdecimal() and len(digits) >= SHORTEST_FRAGMENT):
        return
    if asked.sort is not Sort.BILL:
        yield from _by_digits(session, _spellings(digits, compact))
    if asked.sort in {Sort.ORDER, Sort.VISIT}:
        yield from _beginning(session, ProductOrder, Why.ORDER, "order_no", f"O{digits}", opens="id")
        yield from _beginning(session, Appointment, Why.APPOINTMENT, "appointment_no", f"A{digits}")
    yield from _by_part_of_a_bill_no(session, digits, Why.OGM if asked.sort is Sort.OGM else Why.BILL)


def _by_digits(session: Session, spellings: Sequence[str]) -> Iterator[Match]:
    for ends in (" ", ""):
        where = search_text.any_of([holds("number", f"{digits}{ends}") for digits in spellings])
        ranked = []
        for row in search_text.rows(session, where, "number", limit=FETCHED):
            for number in row.number.split():
                if any(digits in number for digits in spellings):
                    starts = any(number[1:].startswith(digits) for digits in spellings)
                    ranked.append((not starts, _KINDS[number[0]][1], Match(row.customer_id, _KINDS[number[0]][0], _told(number))))
        yield from (match for *_, match in sorted(ranked, key=lambda one: one[:2]))


_KINDS = {"p": (Why.PHONE, 0), "l": (Why.LINE, 1), "c": (Why.CUSTOMER_NO, 2), "e": (Why.ENTERPRISE_NO, 3)}


def _told(number: str) -> str:
    return f"+{number[1:]}" if number[0] in "pl" else number[1:]


def _spellings(digits: str, compact: str) -> list[str]:
    """Return how digits may stand in the index, which holds phones with their country: "0471" is "32471" there, and an enterprise's own zero stays."""
    if digits.startswith(_ABROAD) and not compact.startswith("+"):
        return [digits, digits[len(_ABROAD) :]]
    return [digits, _COUNTRY + digits[1:]] if digits.startswith("0") else [digits]


def _by_part_of_a_bill_no(session: Session, digits: str, why: Why) -> Iterator[Match]:
    """Find bills whose number holds some digits, the newest first. Numbers are given out in a row, so the possible ones can be told without a search."""
    counters = session.execute(select(col(BillCounter.series), col(BillCounter.last)).order_by(col(BillCounter.series).desc()))
    found, many = 0, 0
    for numbers in _together(number for series, last in counters.all()[:_SERIES] for number in _numbers(series, last, digits)):
        query = select(col(Bill.customer_id), col(Bill.bill_no)).where(col(Bill.bill_no).in_(numbers)).order_by(col(Bill.bill_no).desc())
        for customer_id, bill_no in session.execute(query.limit(FETCHED)):
            yield Match(customer_id, why, bill_no, bill_no)
            found += 1
        many += len(numbers)
        if found >= FETCHED or many >= _SEQUENCES:
            return


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


def _where(
    session: Session, table: type[Base], why: Why, column: str, value: str, *more: ColumnElement[bool], opens: str | None = None
) -> Iterator[Match]:
    """Find a value; `opens` is the column that names what is opened, where the value itself does not."""
    owner = "id" if table is Customer else "customer_id"
    query = select(getattr(table, owner), getattr(table, opens or column)).where(getattr(table, column) == value, *more).limit(FETCHED)
    for customer_id, opened in session.execute(query):
        yield Match(customer_id, why, value, str(opened) if opens else "")


def _beginning(session: Session, table: type[Base], why: Why, column: str, value: str, *, opens: str | None = None) -> Iterator[Match]:
    """Find numbers that begin so, the last given first; between two values, as an index is read in any collation."""
    number = getattr(table, column)
    query = select(table.customer_id, number, getattr(table, opens or column)).where(number.between(value, f"{value}{'9' * 16}"))  # type: ignore[attr-defined]
    for customer_id, found, opened in session.execute(query.order_by(number.desc()).limit(FETCHED)):
        yield Match(customer_id, why, found, str(opened) if opens else "")
