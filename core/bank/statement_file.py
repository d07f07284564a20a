"""A file of a bank: which format it is, and what it says."""

from core.bank import camt, coda
from core.bank.statement import MOST_BYTES, NotAStatement, Statement, TooLarge

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_XML = b"<"
_CODA = b"00000"


def read(data: bytes) -> list[Statement]:
    """Return the statements of a file. Raises TooLarge, NotAStatement, and what the formats refuse."""
    if len(data) > MOST_BYTES:
        raise TooLarge(most=MOST_BYTES // 1024 // 1024)
    start = data[:200].lstrip(b"".join(_MARKS)).replace(b"\0", b"").lstrip()
    if start.startswith(_XML):
        return camt.read(data)
    if start.startswith(_CODA):
        return coda.read(data)
    raise NotAStatement
