"""What a bank's statement says, whichever format it came in, and why one is refused."""

import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.errors import N_, DomainError

MOST_BYTES = 10 * 1024 * 1024
"""A statement of a hundred thousand payments stays below it; what is larger is no statement, or one to be asked for in parts."""
EURO = "EUR"
_WHOLE_CENT = Decimal("0.01")


class NotAStatement(DomainError):
    """The file is neither CODA nor camt.053."""

    message = N_("This is not a statement that can be read. Ask the bank for CODA (version 2) or camt.053.")
    field = "file"


class TooLarge(DomainError):
    """The file is larger than any statement."""

    message = N_("The file is larger than {most} MB. Ask the bank for one file a day.")
    field = "file"


class LineLength(DomainError):
    """A line of a CODA file is not 128 characters long."""

    message = N_("Line {line} has {length} characters instead of 128: the file was cut or changed. Fetch it from the bank again.")
    field = "file"


class LineUnreadable(DomainError):
    """A line holds something else than its place in the file wants."""

    message = N_("Line {line} cannot be read: the file was cut or changed. Fetch it from the bank again.")
    field = "file"


class CutOff(DomainError):
    """The file ends before its last statement does."""

    message = N_("The file stops at line {line}, before its end. Fetch it from the bank again.")
    field = "file"


class DoesNotAddUp(DomainError):
    """The entries don't lead from the old balance to the new one, or to the totals the bank wrote."""

    message = N_("Line {line} says {told_cents}, but the entries make {found_cents}. Fetch the file from the bank again.")
    field = "file"


class WrongCount(DomainError):
    """The file holds more or fewer records than it says."""

    message = N_("Line {line} counts {told} records, but there are {found}. Fetch the file from the bank again.")
    field = "file"


class NotInEuro(DomainError):
    """An account or an amount is in another currency."""

    message = N_("Line {line} is in {currency}. Only statements in euro can be taken in.")
    field = "file"


class Nature(StrEnum):
    """What kind of movement an entry is."""

    TRANSFER = "transfer"
    COLLECTION = "collection"
    """The proceeds of our own direct debits."""
    RETURN = "return"
    """A collection or a transfer that came back, with the bank's reason."""
    REVERSAL = "reversal"
    """The bank takes an earlier booking back."""


@dataclass(frozen=True)
class Entry:
    """A movement of the account; cents are positive where money came in. A structured communication stands without its signs."""

    amount_cents: int
    booked_on: date
    nature: Nature = Nature.TRANSFER
    communication: str = ""
    structured: bool = False
    payer_name: str = ""
    payer_iban: str = ""
    bank_reference: str = ""
    return_code: str = ""


@dataclass(frozen=True)
class Statement:
    """What moved on an account from one balance to the next."""

    account: str
    number: str
    day: date
    opening_cents: int
    closing_cents: int
    entries: tuple[Entry, ...]
    line: int
    """Where in the file the account is named."""


def cents(amount: Decimal, line: int) -> int:
    """Return an amount in euro as cents. Raises LineUnreadable where it holds parts of a cent."""
    if not amount.is_finite() or amount != amount.quantize(_WHOLE_CENT):
        raise LineUnreadable(line=line)
    return int(amount * 100)


def clean(text: str) -> str:
    """Return a text of a bank file as it may be stored: composed, in one line, single blanks, nothing invisible."""
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in unicodedata.normalize("NFC", text))
    return " ".join(text.split())
