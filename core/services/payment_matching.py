"""Whose money it may be: suggestions for a payment that waits, each with its reasons (W8). A person decides, never this."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import combinations

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import Session, col

from core.actor import Actor, Permission
from core.errors import NotFound
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer
from core.models.mandate import Mandate, MandateState
from core.models.payment import Payment, PaymentState
from core.services import customers, payments
from core.services.customers import written_name
from core.services.payments import UnmatchedPayment
from core.services.references import parse_ogm
from core.text_rules import fold

MOST = 5
ALIKE = 0.8
"""How alike the words of two names must be: difflib's ratio."""
_STRUCTURED = re.compile(r"(?<!\d)(\d{3})[/ .-]?(\d{4})[/ .-]?(\d{5})(?!\d)")
_BILL_NO, _CUSTOMER_NO = re.compile(r"(?<!\d)\d{10}(?!\d)"), re.compile(r"(?<!\d)\d{8}(?!\d)")
_DIGITS = "0123456789"
_BEGINNING = 3
_LOOKED_THROUGH = 50
_MOST_ALIKE = 300
_NO_NAMES = {
    "mme",
    "mevr",
    "mevrouw",
    "madame",
    "monsieur",
    "mijnheer",
    "dhr",
    "herr",
    "frau",
    "the",
    "van",
    "von",
    "den",
    "der",
    "ou",
    "and",
}
"""Words on a payer's line that say nothing about who he is."""


class Clue(StrEnum):
    """Why a payment may belong somewhere, the strongest first."""

    DIGIT = "digit"
    SWAP = "swap"
    BILL_NO = "billNo"
    CUSTOMER_NO = "customerNo"
    ACCOUNT = "account"
    NAME = "name"
    AMOUNT = "amount"


WEIGHTS = {Clue.DIGIT: 80, Clue.SWAP: 80, Clue.BILL_NO: 70, Clue.CUSTOMER_NO: 60, Clue.ACCOUNT: 60, Clue.NAME: 30, Clue.AMOUNT: 15}


@dataclass(frozen=True)
class OpenBill:
    """A bill that asks something."""

    customer_id: int
    bill_no: str
    bill_date: date
    due: date
    remaining_cents: int


@dataclass(frozen=True)
class Suggestion:
    """A bill that a payment may be meant for, or a customer who owes nothing, and why."""

    customer_id: int
    customer_no: str
    customer_name: str
    bill: OpenBill | None
    clues: tuple[Clue, ...]

    @property
    def score(self) -> int:
        """How probable it is, for the order."""
        return sum(WEIGHTS[clue] for clue in self.clues)


def suggest(session: Session, actor: Actor, *, payment_id: int) -> list[Suggestion]:
    """Return at most five suggestions for a payment that waits, the most probable first, always in the same order. Raises NotFound."""
    actor.require(Permission.PAYMENT_RECORD)
    payment = session.get(Payment, payment_id)
    if payment is None or payment.state is not PaymentState.UNMATCHED:
        raise NotFound
    text = payment.communication or ""
    on_bills, on_customers = _by_bills(session, text), _by_customers(session, payment, text)
    alone = _only_of_amount(session, payment.amount_cents)
    for bill in alone:
        on_customers[bill.customer_id].add(Clue.AMOUNT)
    customers = {*on_customers, *(bill.customer_id for bill in on_bills)}
    names = _names(session, customers)
    asked = _open_bills(session, col(Bill.customer_id).in_(customers))
    found = rank(payment.amount_cents, asked, on_bills, on_customers)
    return [Suggestion(customer_id, *names[customer_id], bill, clues) for customer_id, bill, clues in found]


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> list[tuple[UnmatchedPayment, Suggestion]]:
    """Return the money that waits and may be this customer's, the oldest first, each with its best suggestion."""
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    found = []
    for waiting in payments.unmatched(session, actor)[:_LOOKED_THROUGH]:
        his = [one for one in suggest(session, actor, payment_id=waiting.id) if one.customer_id == customer_id]
        if his and his[0].clues != (Clue.AMOUNT,):
            found.append((waiting, his[0]))
    return found


def give(session: Session, actor: Actor, *, payment_id: int, customer_no: str, bill_no: str | None = None) -> None:
    """Match a payment with a customer named by his number. Raises what payments.match does."""
    actor.require(Permission.PAYMENT_RECORD)
    customer_id = customers.head(session, actor, customer_no=customer_no).id
    payments.match(session, actor, payment_id=payment_id, customer_id=customer_id, bill_no=bill_no)


def rank(
    amount_cents: int,
    asked: Sequence[OpenBill],
    on_bills: Mapping[OpenBill, set[Clue]],
    on_customers: Mapping[int, set[Clue]],
) -> list[tuple[int, OpenBill | None, tuple[Clue, ...]]]:
    """Put clues together, best first: who is meant without a bill is offered the one of that amount, else his oldest."""
    told: dict[tuple[int, OpenBill | None], set[Clue]] = {}
    for bill, clues in on_bills.items():
        told[bill.customer_id, bill] = clues | on_customers.get(bill.customer_id, set())
    for customer_id in set(on_customers) - {bill.customer_id for bill in on_bills}:
        own = [bill for bill in asked if bill.customer_id == customer_id]
        meant = next((bill for bill in own if bill.remaining_cents == amount_cents), own[0] if own else None)
        told[customer_id, meant] = set(on_customers[customer_id])
    found = []
    for (customer_id, meant), clues in told.items():
        if meant and meant.remaining_cents == amount_cents:
            clues.add(Clue.AMOUNT)
        found.append((customer_id, meant, tuple(sorted(clues, key=list(Clue).index))))
    return sorted(found, key=_order)[:MOST]


def near_numbers(text: str) -> dict[str, Clue]:
    """Return the bill numbers whose communication differs from a mistyped one by one digit, or by two that changed places (R1)."""
    found: dict[str, Clue] = {}
    for typed in ("".join(groups) for groups in _STRUCTURED.findall(text)):
        if parse_ogm(typed):
            continue
        for clue, meant in (*((Clue.DIGIT, one) for one in _one_digit_off(typed)), *((Clue.SWAP, one) for one in _swapped(typed))):
            if number := parse_ogm(meant):
                found.setdefault(number, clue)
    return found


def named_numbers(text: str) -> set[str]:
    """Return what in a free text may be the number of a bill: written as such, or as a whole communication."""
    typed = (parse_ogm("".join(groups)) for groups in _STRUCTURED.findall(text))
    return {*_BILL_NO.findall(text), *(number for number in typed if number)}


def name_alike(payer: str, customer: str) -> bool:
    """Whether a payer's line names a customer, in any order and slips of the fingers apart: "DUBOIS KEVIN" is "Kevin Dubois"."""
    theirs, ours = sorted(name_words(payer)), sorted(name_words(customer))
    if not theirs:
        return False
    return set(theirs) <= set(ours) or SequenceMatcher(None, " ".join(theirs), " ".join(ours)).ratio() >= ALIKE


def name_words(line: str) -> list[str]:
    """Return the words of a line that name somebody: no initials, no forms of address."""
    return [word for word in fold(line).replace(".", " ").split() if len(word) > 1 and word not in _NO_NAMES]


def _one_digit_off(typed: str) -> Iterator[str]:
    for place, old in enumerate(typed):
        yield from (f"{typed[:place]}{new}{typed[place + 1 :]}" for new in _DIGITS if new != old)


def _swapped(typed: str) -> Iterator[str]:
    for left, right in combinations(range(len(typed)), 2):
        if typed[left] != typed[right]:
            signs = list(typed)
            signs[left], signs[right] = signs[right], signs[left]
            yield "".join(signs)


def _order(found: tuple[int, OpenBill | None, tuple[Clue, ...]]) -> tuple[int, date, str, int]:
    customer_id, bill, clues = found
    return -sum(WEIGHTS[clue] for clue in clues), bill.bill_date if bill else date.max, bill.bill_no if bill else "", customer_id


def _by_bills(session: Session, text: str) -> dict[OpenBill, set[Clue]]:
    near = near_numbers(text)
    clues = {number: {Clue.BILL_NO} for number in named_numbers(text)} | {number: {clue} for number, clue in near.items()}
    if not clues:
        return {}
    return {bill: clues[bill.bill_no] for bill in _open_bills(session, col(Bill.bill_no).in_(clues))}


def _by_customers(session: Session, payment: Payment, text: str) -> dict[int, set[Clue]]:
    found: dict[int, set[Clue]] = defaultdict(set)
    if numbers := _CUSTOMER_NO.findall(text):
        for (customer_id,) in session.execute(select(col(Customer.id)).where(col(Customer.customer_no).in_(numbers))):
            found[customer_id].add(Clue.CUSTOMER_NO)
    if named := named_numbers(text):  # A bill that is paid already still tells whose money it is.
        settled = select(col(Bill.customer_id)).where(col(Bill.bill_no).in_(named), col(Bill.remaining_cents) == 0)
        for (customer_id,) in session.execute(settled):
            found[customer_id].add(Clue.BILL_NO)
    if (customer_id := _of_account(session, payment.payer_iban)) is not None:
        found[customer_id].add(Clue.ACCOUNT)
    for customer_id in _of_name(session, payment.payer_name or ""):
        found[customer_id].add(Clue.NAME)
    return found


def _of_account(session: Session, iban: str | None) -> int | None:
    """Return the one customer whom an account is known to pay for; None where it paid for several."""
    if not iban:
        return None
    signed = select(col(Mandate.customer_id)).where(col(Mandate.iban) == iban, col(Mandate.state) == MandateState.ACTIVE)
    paid = select(col(Payment.customer_id)).where(col(Payment.payer_iban) == iban, col(Payment.state) == PaymentState.MATCHED)
    known = {customer_id for (customer_id,) in session.execute(signed.union(paid))}
    return int(known.pop()) if len(known) == 1 else None


def _of_name(session: Session, payer: str) -> list[int]:
    """Return the customers whose name is that of the payer; the search begins with the first letters of the longest word."""
    longest = max(name_words(payer), key=len, default="")
    if not longest:
        return []
    name, start = col(Customer.search_name), longest[:_BEGINNING]
    query = select(col(Customer.id), name).where(name.like(f"{start}%") | name.like(f"% {start}%"))
    rows = session.execute(query.order_by(name, col(Customer.id)).limit(_MOST_ALIKE)).all()
    return [customer_id for customer_id, stored in rows if name_alike(payer, stored)]


def _only_of_amount(session: Session, amount_cents: int) -> list[OpenBill]:
    """Return the open bill of an amount where there is only one."""
    same = col(Bill.remaining_cents) == amount_cents
    found = session.execute(_query(same).limit(2)).all()
    return [OpenBill(*row) for row in found] if len(found) == 1 else []


def _open_bills(session: Session, *where: ColumnElement[bool]) -> list[OpenBill]:
    return [OpenBill(*row) for row in session.execute(_query(*where))]


def _query(*where: ColumnElement[bool]) -> Select[int, str, date, date, int]:
    due = func.coalesce(col(Bill.payable_until), col(Bill.due_date))
    columns = (col(Bill.customer_id), col(Bill.bill_no), col(Bill.bill_date), due, col(Bill.remaining_cents))
    asks = (col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0)
    return select(*columns).where(*asks, *where).order_by(col(Bill.bill_date), col(Bill.id))


def _names(session: Session, customer_ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    columns = (Customer.id, Customer.customer_no, Customer.given_name, Customer.family_name, Customer.trading_name)
    query = select(*map(col, columns)).where(col(Customer.id).in_(customer_ids))
    return {row[0]: (row[1], written_name(*row[2:])) for row in session.execute(query)}
