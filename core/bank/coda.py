"""CODA version 2, the statement of Belgian banks: lines of 128 characters, read by febelfin-coda and checked here.

The library reads the fields; it says neither in which line it stumbled nor that a file was cut off, and it checks totals with
`assert`, which an optimised interpreter skips. So the shape of the file, its totals and its balances are checked by us.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal, DecimalException

import coda

from core.bank.statement import (
    EURO,
    CutOff,
    DoesNotAddUp,
    Entry,
    LineLength,
    LineUnreadable,
    Nature,
    NotInEuro,
    Statement,
    WrongCount,
    cents,
    clean,
)

LINE = 128
_FOLLOWS = {"0": "1", "1": "23489", "2": "23489", "3": "23489", "4": "489", "8": "49", "9": "0"}
"""Which record may come after which."""
_AMOUNTS = {"1": slice(43, 58), "21": slice(32, 47), "8": slice(42, 57)}
"""Where a record holds an amount; the library would read "1E+99" as one."""
_ACCOUNTS = "0123"
"""The kinds of account number that the standard knows."""
_MOVEMENT, _TRAILER, _COUNTED = "21", "9", "1238"
_KEY = slice(2, 10)
"""The number of a movement and of its detail."""
_TYPE, _SUB_DETAIL = 53, "9"
_TOTALISED = {"1", "2"}
_COLLECTIONS = "05"
_STRUCTURED = {"101", "102"}
_TWELVE_DIGITS = 12
_C1, _LATIN_LETTERS = range(0x80, 0xA0), range(0xC0, 0x100)


def read(data: bytes) -> list[Statement]:
    """Return the statements of a file. Raises LineLength, LineUnreadable, CutOff, DoesNotAddUp, WrongCount, NotInEuro."""
    lines = _decode(data).rstrip("\r\n\x1a").split("\n")
    lines = [line.rstrip("\r") for line in lines]
    _check_shape(lines)
    walk = _Walk(lines)
    try:
        parsed = coda.CODA(walk)
    except (AssertionError, ValueError, LookupError, TypeError, AttributeError, DecimalException) as error:
        raise LineUnreadable(line=walk.line) from error
    starts = [number for number, line in enumerate(lines) if line[0] == "0"]
    ends = [*starts[1:], len(lines)]
    return [_statement(one, lines, start, end) for one, start, end in zip(parsed.statements, starts, ends, strict=True)]


def _decode(data: bytes) -> str:
    """Read the bytes as the bank meant them: UTF-8, else the old DOS page where its letters stand, else Latin."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        high = {byte for byte in data if byte >= _C1.start}
    dos = high & set(_C1) and not high & set(_LATIN_LETTERS)
    return data.decode("cp850" if dos else "cp1252", errors="replace")


def _check_shape(lines: Sequence[str]) -> None:
    """Refuse a file whose lines have another length, order, account or amount than CODA has, or that stops before its end.

    Its last code, whether another file follows, is not asked: banks write that one follows in files that stand alone.
    """
    before = "9"
    for number, line in enumerate(lines, 1):
        if len(line) != LINE:
            raise LineLength(line=number, length=len(line))
        if line[0] not in _FOLLOWS[before] or (line[0] == "1" and line[1] not in _ACCOUNTS):
            raise LineUnreadable(line=number)
        amounts = (line[place] for record, place in _AMOUNTS.items() if line.startswith(record))
        if not all(amount.isascii() and amount.isdigit() for amount in amounts):
            raise LineUnreadable(line=number)
        before = line[0]
    if before != "9":
        raise CutOff(line=len(lines))


class _Walk:
    """The lines that the library takes; `line` is the number of the last one it took.

    The trailer is checked here, with its line named. A detail of a detail (type 9) only repeats what the one above holds, and the
    library can't take it.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self.line = 0

    def __iter__(self) -> Iterator[str]:
        left_out = ""
        for number, line in enumerate(self._lines, 1):
            self.line = number
            if line[0] == _MOVEMENT[0]:
                if line.startswith(_MOVEMENT):
                    left_out = line[_KEY] if line[_TYPE] == _SUB_DETAIL else ""
                if line[_KEY] == left_out:
                    continue
            if line[0] != _TRAILER:
                yield line


def _statement(found: coda.Statement, lines: Sequence[str], start: int, end: int) -> Statement:
    """Check a statement's totals and balances, and return it; `start` and `end` count its lines from 0."""
    if found.account_currency != EURO:
        raise NotInEuro(line=start + 2, currency=clean(found.account_currency or ""))
    number, day, balance = found.new_sequence, found.new_balance_date, found.new_balance
    if balance is None:  # Without a movement there may be no new balance.
        number, day, balance = found.old_sequence, found.old_balance_date, found.old_balance
    places = {line[_KEY]: place for place, line in enumerate(lines[start:end], start + 1) if line.startswith(_MOVEMENT)}
    moves = [(move, places[move.sequence + move.detail_sequence]) for move in found.moves]
    opening, closing = cents(found.old_balance, start + 2), cents(balance, end - 1)
    _check_sums([cents(move.amount, place) for move, place in moves], opening, closing, end)
    _check_trailer([cents(move.amount, place) for move, place in moves], lines[start:end], end)
    entries = tuple(entry for move, place in moves for entry in _entries(move, place))
    return Statement(_account(found), clean(number), day, opening, closing, entries, start + 2)


def _check_sums(amounts: Sequence[int], opening: int, closing: int, end: int) -> None:
    if opening + sum(amounts) != closing:
        raise DoesNotAddUp(line=end - 1, told_cents=closing, found_cents=opening + sum(amounts))


def _check_trailer(amounts: Sequence[int], lines: Sequence[str], end: int) -> None:
    """Compare with what the last record counts: records, what went out, what came in."""
    told = [lines[-1][place] for place in (slice(16, 22), slice(22, 37), slice(37, 52))]
    if not all(number.isascii() and number.isdigit() for number in told):
        raise LineUnreadable(line=end)
    records = sum(line[0] in _COUNTED for line in lines)
    if int(told[0]) != records:
        raise WrongCount(line=end, told=int(told[0]), found=records)
    out, into = -sum(amount for amount in amounts if amount < 0), sum(amount for amount in amounts if amount > 0)
    for written, really in ((told[1], out), (told[2], into)):
        if cents(Decimal(written) / 1000, end) != really:
            raise DoesNotAddUp(line=end, told_cents=cents(Decimal(written) / 1000, end), found_cents=really)


def _account(found: coda.Statement) -> str:
    """Return the account as IBAN; the old Belgian number of twelve digits gets its check digits."""
    number = "".join(found.account.split())
    if len(number) == _TWELVE_DIGITS and number.isdigit():
        return f"BE{98 - int(number + '111400') % 97:02d}{number}"
    return number


def _entries(move: coda.Move, line: int) -> list[Entry]:
    """Return what a movement holds: its details where the bank or the payer totalised several and they add up, else itself."""
    parts = move.moves
    if move.transaction_type in _TOTALISED and parts and sum((part.amount for part in parts), Decimal(0)) == move.amount:
        return [_entry(part, line) for part in parts]
    return [_entry(move, line)]


def _entry(move: coda.Move, line: int) -> Entry:
    structured = move.communication_type in _STRUCTURED
    return Entry(
        amount_cents=cents(move.amount, line),
        booked_on=move.entry_date,
        nature=_nature(move),
        communication=clean(move.communication or "").removesuffix("/") if structured else clean(move._communication[1:]),  # noqa: SLF001 - `communication` says nothing for the types it does not know
        structured=structured,
        payer_name=clean(move.counterparty_name or ""),
        payer_iban=clean((move.counterparty_account or "")[:34]).replace(" ", ""),
        bank_reference=clean(move.bank_reference),
        return_code=clean(move.r_reason or ""),
    )


def _nature(move: coda.Move) -> Nature:
    if clean(move.r_reason or "") or clean(move.r_transaction or ""):
        return Nature.RETURN
    if move.transaction_family == _COLLECTIONS:
        return Nature.COLLECTION
    return Nature.TRANSFER
