"""Collections that a bank refused or sent back: pain.002 before the money moved, camt.053 and camt.054 after it did (R9).

Parsed without entities, without network and without a document type. Elements are found by their names, whichever version of the
message they are in: what is read of them is the same in all.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from core.errors import N_, DomainError

MOST_BYTES = 10 * 1024 * 1024
_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:(pain\.002|camt\.05[34])\.001\.\d\d\}Document")
_REFUSED = "RJCT"
_NO_REASON = "MS03"
_MOST = 35


class NotAnAnswer(DomainError):
    """The file is none of the three messages in which returns come."""

    message = N_("This is not an answer to collections that can be read. Ask the bank for pain.002, camt.053 or camt.054.")
    field = "file"


class FileRefused(DomainError):
    """The bank took nothing of a file: no customer is to blame for that."""

    message = N_("The bank refused the whole file {message_id} ({code}): nothing was changed. Ask the bank why, and hand it in again.")
    field = "file"


@dataclass(frozen=True)
class Returned:
    """One collection that did not come through; the amount where the message tells it."""

    end_to_end_id: str
    code: str
    booked_on: date | None
    amount_cents: int | None


def read(data: bytes) -> list[Returned]:
    """Return what a message sends back, in its order. Raises NotAnAnswer, FileRefused."""
    if len(data) > MOST_BYTES:
        raise NotAnAnswer
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotAnAnswer from error
    kind = _NAMESPACE.fullmatch(root.tag)
    if kind is None or root.getroottree().docinfo.internalDTD is not None:
        raise NotAnAnswer
    return list(_refused(root) if kind[1] == "pain.002" else _sent_back(root))


def _refused(root: etree._Element) -> Iterator[Returned]:
    """Return the transactions that were refused; a whole file or group that was, names none of them."""
    booked_on = _day(root.find("{*}CstmrPmtStsRpt/{*}GrpHdr/{*}CreDtTm"))
    nodes = list(root.iterfind("{*}CstmrPmtStsRpt/{*}OrgnlPmtInfAndSts/{*}TxInfAndSts"))
    whole = (
        root.find("{*}CstmrPmtStsRpt/{*}OrgnlGrpInfAndSts/{*}GrpSts"),
        *root.iterfind("{*}CstmrPmtStsRpt/{*}OrgnlPmtInfAndSts/{*}PmtInfSts"),
    )
    for status in whole:
        if status is not None and status.text == _REFUSED and not nodes:
            message = _text(root, "CstmrPmtStsRpt/OrgnlGrpInfAndSts/OrgnlMsgId")
            raise FileRefused(message_id=message, code=_code(status.getparent(), "StsRsnInf"))
    for node in nodes:
        if _text(node, "TxSts") in {_REFUSED, ""}:
            amount = _cents(node.find("{*}OrgnlTxRef/{*}Amt/{*}InstdAmt"))
            yield Returned(_text(node, "OrgnlEndToEndId"), _code(node, "StsRsnInf"), booked_on, amount)


def _sent_back(root: etree._Element) -> Iterator[Returned]:
    """Return the transactions of a statement or an advice that carry the reason of a return."""
    for entry in root.iter("{*}Ntry"):
        booked_on = _day(entry.find("{*}BookgDt"))
        for node in entry.iterfind("{*}NtryDtls/{*}TxDtls"):
            if node.find("{*}RtrInf") is not None:
                places = ("{*}AmtDtls/{*}InstdAmt/{*}Amt", "{*}AmtDtls/{*}TxAmt/{*}Amt", "{*}Amt")
                amount = next((found for place in places if (found := node.find(place)) is not None), None)
                yield Returned(_text(node, "Refs/EndToEndId"), _code(node, "RtrInf"), booked_on, _cents(amount))


def _code(node: etree._Element, name: str) -> str:
    """Return why, in the code of the scheme; a bank that gives none gives no reason."""
    return _text(node, f"{name}/Rsn/Cd") or _text(node, f"{name}/Rsn/Prtry") or _NO_REASON


def _cents(node: etree._Element | None) -> int | None:
    if node is None or node.get("Ccy", "EUR") != "EUR":
        return None
    try:
        return int(Decimal((node.text or "").strip()) * 100)
    except (InvalidOperation, OverflowError, ValueError) as error:
        raise NotAnAnswer from error


def _day(node: etree._Element | None) -> date | None:
    """Return the day of a date or of a moment, as the bank wrote it."""
    text = "" if node is None else "".join(node.itertext()).strip()
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError as error:
        raise NotAnAnswer from error


def _text(node: etree._Element, path: str) -> str:
    found = node.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return " ".join((found.text or "").split())[:_MOST] if found is not None else ""
