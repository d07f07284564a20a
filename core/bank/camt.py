"""camt.053, the ISO 20022 statement, in its versions from .02 to .08 and after: they differ in where a name and an amount stand.

Parsed without entities, without network and without a document type: such a file has none, and one that has is refused.
"""

import re
from datetime import date
from decimal import Decimal

from lxml import etree

from core.bank.statement import (
    EURO,
    DoesNotAddUp,
    Entry,
    LineUnreadable,
    Nature,
    NotAStatement,
    NotInEuro,
    Statement,
    cents,
    clean,
)

_NAMESPACE = re.compile(r"\{urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d\}Document")
_AMOUNT = re.compile(r"\d{1,15}(\.\d{1,5})?")
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_BOOKED, _CREDIT, _YES = "BOOK", "CRDT", {"true", "1"}
_COLLECTIONS = "IDDT"
"""Issued direct debits, in the bank's code of a transaction."""


def read(data: bytes) -> list[Statement]:
    """Return the statements of a file. Raises NotAStatement, LineUnreadable, DoesNotAddUp, NotInEuro."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise LineUnreadable(line=error.lineno or 1) from error
    info = root.getroottree().docinfo
    if info.internalDTD is not None or not _NAMESPACE.fullmatch(root.tag):
        raise NotAStatement
    found = [_statement(one) for one in root.iterfind("{*}BkToCstmrStmt/{*}Stmt")]
    if not found:
        raise NotAStatement
    return found


def _statement(node: etree._Element) -> Statement:
    account = _node(node, "Acct/Id/IBAN")
    opening, closing = _balance(node, _OPENING), _balance(node, _CLOSING)
    booked = [one for one in node.iterfind("{*}Ntry") if (_text(one, "Sts/Cd") or _text(one, "Sts")) == _BOOKED]
    amounts = [_amount(one, _node(one, "Amt")) for one in booked]
    if opening[0] + sum(amounts) != closing[0]:
        raise DoesNotAddUp(line=closing[2], told_cents=closing[0], found_cents=opening[0] + sum(amounts))
    number = _text(node, "LglSeqNb") or _text(node, "ElctrncSeqNb") or _text(node, "Id")
    entries = tuple(entry for one, amount in zip(booked, amounts, strict=True) for entry in _entries(one, amount))
    iban = clean(account.text or "").replace(" ", "")
    return Statement(iban, number, closing[1], opening[0], closing[0], entries, account.sourceline)


def _balance(node: etree._Element, kinds: tuple[str, ...]) -> tuple[int, date, int]:
    """Return amount, day and line of the first balance of the kinds, in their order."""
    found = {_text(one, "Tp/CdOrPrtry/Cd"): one for one in reversed(node.findall("{*}Bal"))}
    one = next((found[kind] for kind in kinds if kind in found), None)
    if one is None:
        raise LineUnreadable(line=node.sourceline)
    amount = _node(one, "Amt")
    return _amount(one, amount), _day(_node(one, "Dt")), amount.sourceline


def _entries(node: etree._Element, total: int) -> list[Entry]:
    """Return what an entry holds: the parts of a batch where they add up to it, else itself."""
    parts = node.findall("{*}NtryDtls/{*}TxDtls")
    amounts = [_part_amount(node, part) for part in parts]
    if len(parts) > 1 and None not in amounts and sum(amount or 0 for amount in amounts) == total:
        return [_entry(node, part, amount or 0) for part, amount in zip(parts, amounts, strict=True)]
    return [_entry(node, parts[0] if len(parts) == 1 else None, total)]


def _part_amount(node: etree._Element, part: etree._Element) -> int | None:
    amount = part.find("{*}Amt")
    amount = part.find("{*}AmtDtls/{*}TxAmt/{*}Amt") if amount is None else amount
    return None if amount is None else _amount(part if _text(part, "CdtDbtInd") else node, amount)


def _entry(node: etree._Element, part: etree._Element | None, amount: int) -> Entry:
    inner = node if part is None else part
    side = "Dbtr" if amount > 0 else "Cdtr"
    reference = "" if part is None else _text(part, "RmtInf/Strd/CdtrRefInf/Ref")
    free = [] if part is None else [clean(one.text or "") for one in part.iterfind("{*}RmtInf/{*}Ustrd")]
    name = _text(inner, f"RltdPties/{side}/Pty/Nm") or _text(inner, f"RltdPties/{side}/Nm")
    return Entry(
        amount_cents=amount,
        booked_on=_day(_node(node, "BookgDt")),
        nature=_nature(node, inner),
        communication=reference or " ".join(free),
        structured=bool(reference),
        payer_name=name,
        payer_iban=_text(inner, f"RltdPties/{side}Acct/Id/IBAN").replace(" ", ""),
        bank_reference=_text(inner, "Refs/AcctSvcrRef") or _text(node, "AcctSvcrRef"),
        return_code=_text(inner, "RtrInf/Rsn/Cd"),
    )


def _nature(node: etree._Element, inner: etree._Element) -> Nature:
    if inner.find("{*}RtrInf") is not None:
        return Nature.RETURN
    if _text(node, "RvslInd") in _YES:
        return Nature.REVERSAL
    family = _text(inner, "BkTxCd/Domn/Fmly/Cd") or _text(node, "BkTxCd/Domn/Fmly/Cd")
    return Nature.COLLECTION if family == _COLLECTIONS else Nature.TRANSFER


def _amount(owner: etree._Element, node: etree._Element) -> int:
    """Return an amount in cents, negative where its owner says that it went out."""
    currency, text = node.get("Ccy", ""), (node.text or "").strip()
    if currency != EURO:
        raise NotInEuro(line=node.sourceline, currency=clean(currency))
    if not _AMOUNT.fullmatch(text):
        raise LineUnreadable(line=node.sourceline)
    found = cents(Decimal(text), node.sourceline)
    return found if _text(owner, "CdtDbtInd") == _CREDIT else -found


def _day(node: etree._Element) -> date:
    """Return the day of a date or of a moment, as the bank wrote it."""
    try:
        return date.fromisoformat((_text(node, "Dt") or _text(node, "DtTm"))[:10])
    except ValueError as error:
        raise LineUnreadable(line=node.sourceline) from error


def _node(node: etree._Element, path: str) -> etree._Element:
    found = node.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    if found is None:
        raise LineUnreadable(line=node.sourceline)
    return found


def _text(node: etree._Element, path: str) -> str:
    found = node.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    return clean(found.text or "") if found is not None else ""
