"""Statements of the bank: what a file would do, and taking it in, whole or not at all (W8).

An entry finds its bill by its structured communication alone. What came in is booked once: an entry that stands in another statement,
or that a clerk wrote down by hand before, is known. What went out, came back, or is the proceeds of our collections is counted and left
to those who book it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.bank import statement_file
from core.bank.statement import Entry, LineUnreadable, Nature, Statement
from core.catalogue import company, law
from core.errors import N_, DomainError
from core.models.billing_account import PaymentMethod
from core.models.payment import Payment, PaymentState
from core.models.statement import BankStatement
from core.services import audit, payments
from core.services.payment_entry import same_words
from core.services.payments import Origin
from core.services.references import group_iban

LISTED = 20
_NAME, _NUMBER, _COMMUNICATION, _PAYER, _IBAN, _REFERENCE = 120, 35, 140, 120, 34, 35
_TWELVE_DIGITS = 12
_MOST_CENTS = 2**31 - 1
"""What a payment can hold: no customer pays 21 million euro at once, but a company moves them between its accounts."""


class OtherAccount(DomainError):
    """The statement is that of another account."""

    message = N_("Line {line} names account {account}; ours is {ours}. Choose the statement of our account.")
    field = "file"


class OtherContent(DomainError):
    """A statement of that number and day was taken in with other balances."""

    message = N_("Statement {number} of {day} was taken in before, with other balances. Ask the bank which one holds.")
    field = "file"


class StandsTwice(DomainError):
    """A file holds two statements of the same number and day: which one holds, the bank alone knows."""

    message = N_("Statement {number} of {day} stands twice in this file. Ask the bank for the file again.")
    field = "file"


class NotYet(DomainError):
    """The statement is of a day that has not come."""

    message = N_("Statement {number} is of {day}, which has not come yet. Choose a file of the bank's.")
    field = "file"


class TakenMeanwhile(DomainError):
    """A colleague takes the same statement in at this moment."""

    message = N_("A colleague took this statement in at the same moment. Look at the list of statements.")
    field = "file"


class Fate(StrEnum):
    """What becomes of an entry."""

    MATCHED = "matched"
    WAITING = "waiting"
    KNOWN = "known"
    RETURNED = "returned"
    OTHER = "other"


@dataclass(frozen=True)
class Sum:
    """How many entries, and what they add up to in cents, negative where more went out."""

    count: int = 0
    cents: int = 0


@dataclass(frozen=True)
class Line:
    """An entry and what becomes of it."""

    entry: Entry
    fate: Fate
    customer_id: int | None = None
    known_payment_id: int | None = None


@dataclass(frozen=True)
class Taken:
    """What a file holds and what becomes of it; the sums by fate add up to `entries`. `missing` where a statement before is not there."""

    statements: int
    new_statements: int
    entries: Sum
    sums: Mapping[Fate, Sum]
    lines: tuple[Line, ...]
    first_day: date
    last_day: date
    missing: bool


@dataclass(frozen=True)
class StatementRow:
    """A statement that was taken in; amounts in cents. `waiting` counts its payments that have no customer yet."""

    number: str
    day: date
    opening_cents: int
    closing_cents: int
    entries: int
    payments: int
    waiting: int
    name: str
    at: datetime
    by: str


def look(session: Session, actor: Actor, *, data: bytes) -> Taken:
    """Tell what a file would do, and write nothing. Raises what `take_in` does."""
    actor.require(Permission.STATEMENT_IMPORT)
    found = _checked(data)
    lines = [(one, _lines(session, one)) for one in found]
    return _taken(session, found, lines)


def take_in(session: Session, actor: Actor, *, name: str, data: bytes) -> Taken:
    """Book what a file holds, and return what became of it; what was taken in before changes nothing.

    Raises NotAStatement and the other refusals of core.bank, OtherAccount, OtherContent, StandsTwice, NotYet, TakenMeanwhile.
    """
    actor.require(Permission.STATEMENT_IMPORT)
    found = _checked(data)
    missing = _missing(session, found)
    fresh = [one for one in found if not _is_known(session, one)]
    rows = _write(session, actor, fresh, name, hashlib.sha256(data).hexdigest())
    lines = []
    for one in found:
        statement_id = rows.get(_key(one))
        planned = _lines(session, one, statement_id)
        lines.append((one, planned))
        for number, line in enumerate(planned if statement_id is not None else (), 1):
            _book(session, actor, Origin(statement_id or 0, number, line.entry.bank_reference[:_REFERENCE] or None), line)
    taken = replace(_taken(session, found, lines), new_statements=len(fresh), missing=missing)
    if rows:
        after = {fate.value: {"count": one.count, "cents": one.cents} for fate, one in taken.sums.items()}
        audit.record(session, actor, action="statement:import", object_type="statement", object_id=min(rows.values()), after=after)
    return taken


def taken_in(session: Session, actor: Actor, *, limit: int = LISTED) -> list[StatementRow]:
    """Return the statements that were taken in, the newest first."""
    actor.require(Permission.STATEMENT_IMPORT)
    counts = (
        select(
            col(Payment.statement_id),
            func.count().label("all"),
            func.count().filter(col(Payment.state) == PaymentState.UNMATCHED).label("waiting"),
        )
        .where(col(Payment.statement_id).is_not(None))
        .group_by(col(Payment.statement_id))
        .subquery()
    )
    query = (
        select(BankStatement, func.coalesce(counts.c.all, 0), func.coalesce(counts.c.waiting, 0))
        .outerjoin(counts, counts.c.statement_id == col(BankStatement.id))
        .order_by(col(BankStatement.day).desc(), col(BankStatement.id).desc())
        .limit(limit)
    )
    return [
        StatementRow(row.number, row.day, row.opening_cents, row.closing_cents, row.entry_count, booked, waiting, row.name,
                     row.imported_at, row.imported_by)
        for row, booked, waiting in session.execute(query)
    ]  # fmt: skip


def _checked(data: bytes) -> list[Statement]:
    """Read a file, and refuse one that is not of our account, of a day to come, or that holds a statement twice."""
    found, ours, seen = statement_file.read(data), company().iban, set()
    for one in found:
        if one.account != ours:
            raise OtherAccount(line=one.line, account=group_iban(one.account), ours=group_iban(ours))
        if one.day > clock.today():
            raise NotYet(number=one.number, day=one.day)
        if len(one.number) > _NUMBER:
            raise LineUnreadable(line=one.line)
        if _key(one) in seen:
            raise StandsTwice(number=one.number, day=one.day)
        seen.add(_key(one))
    return found


def _key(one: Statement) -> tuple[str, str, date]:
    return one.account, one.number, one.day


def _is_known(session: Session, one: Statement) -> bool:
    """Whether a statement was taken in. Raises OtherContent where its balances were others."""
    same = (col(BankStatement.account) == one.account, col(BankStatement.number) == one.number, col(BankStatement.day) == one.day)
    row = session.execute(select(BankStatement).where(*same)).scalar_one_or_none()
    if row and (row.opening_cents, row.closing_cents, row.entry_count) != (one.opening_cents, one.closing_cents, len(one.entries)):
        raise OtherContent(number=one.number, day=one.day)
    return row is not None


def _missing(session: Session, found: Iterable[Statement]) -> bool:
    """Whether the first new statement does not begin where the last one before it ended: one between them is not there."""
    fresh = sorted((one for one in found if not _is_known(session, one)), key=lambda one: (one.day, one.number))
    if not fresh:
        return False
    query = select(col(BankStatement.closing_cents)).where(
        col(BankStatement.account) == fresh[0].account, col(BankStatement.day) <= fresh[0].day
    )
    last = session.execute(query.order_by(col(BankStatement.day).desc(), col(BankStatement.id).desc()).limit(1)).scalar_one_or_none()
    ends = [last, *(one.closing_cents for one in fresh)]
    return any(end is not None and end != one.opening_cents for end, one in zip(ends, fresh, strict=False))


def _write(session: Session, actor: Actor, fresh: Iterable[Statement], name: str, sha256: str) -> dict[tuple[str, str, date], int]:
    """Write the statements first: whoever takes the same one in waits here, and is told."""
    rows = {}
    for one in fresh:
        row = BankStatement(
            account=one.account, number=one.number, day=one.day, opening_cents=one.opening_cents, closing_cents=one.closing_cents,
            entry_count=len(one.entries), sha256=sha256, name=name[-_NAME:], imported_at=clock.now(), imported_by=actor.username,
        )  # fmt: skip
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise TakenMeanwhile from error
        rows[_key(one)] = row.id
    return rows


def _lines(session: Session, one: Statement, statement_id: int | None = None) -> list[Line]:
    """Tell what becomes of each entry of a statement; with `statement_id` it is being taken in, else it may be known whole."""
    if statement_id is None and _is_known(session, one):
        return [Line(entry, Fate.KNOWN if _comes_in(entry) else _left_alone(entry)) for entry in one.entries]
    owners = payments.owners_of(session, (entry.communication for entry in one.entries if _comes_in(entry)))
    if statement_id is not None:
        payments.lock(session, owners.values())
    elsewhere = _elsewhere(session, one, statement_id)
    by_hand: set[int] = set()
    return [_line(session, entry, owners.get(entry.communication), elsewhere, by_hand) for entry in one.entries]


def _line(session: Session, entry: Entry, owner: int | None, elsewhere: Counter[tuple[date, int, str]], by_hand: set[int]) -> Line:
    if not _comes_in(entry):
        return Line(entry, _left_alone(entry))
    seen = (entry.booked_on, entry.amount_cents, entry.bank_reference[:_REFERENCE])
    if elsewhere[seen]:
        elsewhere[seen] -= 1
        return Line(entry, Fate.KNOWN)
    if owner is None:
        return Line(entry, Fate.WAITING)
    if payment_id := _by_hand(session, owner, entry, by_hand):
        by_hand.add(payment_id)
        return Line(entry, Fate.KNOWN, owner, payment_id)
    return Line(entry, Fate.MATCHED, owner)


def _comes_in(entry: Entry) -> bool:
    return 0 < entry.amount_cents <= _MOST_CENTS and entry.nature is Nature.TRANSFER


def _left_alone(entry: Entry) -> Fate:
    return Fate.RETURNED if entry.nature is Nature.RETURN else Fate.OTHER


def _elsewhere(session: Session, one: Statement, statement_id: int | None) -> Counter[tuple[date, int, str]]:
    """Count what other statements hold of this one's entries: the same day, amount and reference of the bank's."""
    wanted = {entry.bank_reference[:_REFERENCE] for entry in one.entries if entry.bank_reference and _comes_in(entry)}
    query = select(col(Payment.received_on), col(Payment.amount_cents), col(Payment.bank_reference)).where(
        col(Payment.bank_reference).in_(wanted), col(Payment.statement_id).is_not(None), col(Payment.statement_id) != (statement_id or 0)
    )
    return Counter((day, cents, reference or "") for day, cents, reference in session.execute(query))


def _by_hand(session: Session, customer_id: int, entry: Entry, taken: set[int]) -> int | None:
    """Return the transfer of this amount that a clerk wrote down before the statement came, once.

    With another communication it is other money; the one that has the same goes before one that has none.
    """
    days = timedelta(days=law("payment_by_hand_meets_statement_days"))
    query = select(col(Payment.id), col(Payment.communication)).where(
        col(Payment.customer_id) == customer_id,
        col(Payment.amount_cents) == entry.amount_cents,
        col(Payment.method) == PaymentMethod.TRANSFER.value,
        col(Payment.state) == PaymentState.MATCHED,
        col(Payment.statement_id).is_(None),
        col(Payment.received_on).between(entry.booked_on - days, entry.booked_on + days),
        col(Payment.id).not_in(taken),
    )
    found = session.execute(query.order_by(col(Payment.received_on), col(Payment.id))).all()
    same = [(payment_id, words) for payment_id, words in found if same_words(words, entry.communication)]
    return min(same, key=lambda one: not one[1], default=(None,))[0]


def _book(session: Session, actor: Actor, origin: Origin, line: Line) -> None:
    """Write an entry down as a payment, or tell a payment that was written by hand where it stands in the bank's books."""
    entry = line.entry
    if line.known_payment_id:
        payment = payments.locked(session, line.known_payment_id)
        payment.statement_id, payment.entry_no, payment.bank_reference = origin.statement_id, origin.entry_no, origin.reference
        session.flush()
        after = {"statement": origin.statement_id, "entry": origin.entry_no}
        audit.record(
            session, actor, action="payment:confirm", object_type="payment", object_id=payment.id, customer_id=payment.customer_id,
            after=after,
        )  # fmt: skip
    elif line.fate in {Fate.MATCHED, Fate.WAITING}:
        payments.record(
            session, actor, customer_id=line.customer_id, received_on=min(entry.booked_on, clock.today()),
            amount_cents=entry.amount_cents, origin=origin,
            communication=_written(entry)[:_COMMUNICATION] or None, payer_name=entry.payer_name[:_PAYER] or None,
            payer_iban=entry.payer_iban[:_IBAN] or None,
        )  # fmt: skip


def _written(entry: Entry) -> str:
    """Return a communication as people write it: a structured one in its groups, whether its check digits fit or not."""
    digits = entry.communication
    if not entry.structured or len(digits) != _TWELVE_DIGITS or not digits.isdigit():
        return digits
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def _taken(session: Session, found: list[Statement], lines: Iterable[tuple[Statement, list[Line]]]) -> Taken:
    every = tuple(line for _one, planned in lines for line in planned)
    return Taken(
        statements=len(found),
        new_statements=sum(not _is_known(session, one) for one in found),
        entries=_sum(every),
        sums={fate: _sum(line for line in every if line.fate is fate) for fate in Fate},
        lines=every,
        first_day=min(one.day for one in found),
        last_day=max(one.day for one in found),
        missing=_missing(session, found),
    )


def _sum(lines: Iterable[Line]) -> Sum:
    kept = list(lines)
    return Sum(len(kept), sum(line.entry.amount_cents for line in kept))
