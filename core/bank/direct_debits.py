"""A file of collections for the bank: pain.008.001.08 of the SEPA Core scheme (R7, R8). Pure: values in, bytes out.

sepaxml lays the file out; what it draws at random or from the machine's clock is put in from what we know, so that the same values
give the same bytes. The debtor's address stays out: within the EEA no bank asks for it, and who does not need it does not get it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import sepaxml
from lxml import etree
from text_unidecode import unidecode

SCHEMA = "pain.008.001.08"
NAME_LENGTH, TEXT_LENGTH = 70, 140
_NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
_NOT_SEPA = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]+")
_NAMELESS = "NOTPROVIDED"
"""What the scheme writes where a name is needed and none can be told."""
_SAME_MANDATE = "SMNDA"
"""Same mandate, new debtor account: since November 2016 it stands for any change of account, whichever the bank."""


class NotValidError(ValueError):
    """The file does not keep to the bank's schema, or its sums are wrong: a mistake of ours, never offered to anybody."""


@dataclass(frozen=True)
class Creditor:
    """Who collects; the address is told in its parts."""

    name: str
    iban: str
    creditor_id: str
    street: str
    number: str
    postcode: str
    town: str
    country: str = "BE"
    bic: str | None = None


@dataclass(frozen=True)
class Debit:
    """One collection. `amended` where the mandate's account changed since it was last used."""

    end_to_end_id: str
    amount_cents: int
    sequence: str
    collect_on: date
    umr: str
    signed_on: date
    holder: str
    iban: str
    text: str
    amended: bool = False


def render(creditor: Creditor, message_id: str, made_at: datetime, debits: Sequence[Debit]) -> bytes:
    """Return the file, its collections grouped by day and sequence. Raises NotValidError, so that no wrong file leaves."""
    laid_out = sepaxml.SepaDD(_config(creditor), schema=SCHEMA, clean=False)
    ordered = sorted(debits, key=lambda one: (one.collect_on, one.sequence, one.end_to_end_id))
    for one in ordered:
        laid_out.add_payment(
            {
                "name": sepa_text(one.holder, NAME_LENGTH),
                "IBAN": one.iban,
                "amount": one.amount_cents,
                "type": one.sequence,
                "collection_date": one.collect_on,
                "mandate_id": one.umr,
                "mandate_date": one.signed_on,
                "description": sepa_text(one.text, TEXT_LENGTH),
                "endtoend_id": one.end_to_end_id,
            }
        )
    root = etree.fromstring(laid_out.export(validate=False))
    _name(root, message_id, made_at)
    _mark_amended(root, {one.end_to_end_id for one in ordered if one.amended})
    _check(root, ordered)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return data


def sepa_text(text: str, length: int) -> str:
    """Write a text in the letters that all banks take: "Łukasz Żółć-é" becomes "Lukasz Zolc-e"."""
    found = " ".join(_NOT_SEPA.sub(" ", unidecode(text)).split())[:length].strip()
    return found or _NAMELESS


def schema() -> etree.XMLSchema:
    """Return the bank's schema of the file."""
    return _schema()


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(file=str(Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd"))


def _config(creditor: Creditor) -> dict[str, object]:
    # sepaxml writes an address_type where this version of the schema has none.
    address = {
        "street_name": sepa_text(creditor.street, NAME_LENGTH),
        "building_number": creditor.number,
        "postcode": creditor.postcode,
        "town": sepa_text(creditor.town, 35),
        "country": creditor.country,
    }
    return {
        "name": sepa_text(creditor.name, NAME_LENGTH),
        "IBAN": creditor.iban,
        "batch": True,
        "creditor_id": creditor.creditor_id,
        "currency": "EUR",
        "address": address,
    } | ({"BIC": creditor.bic} if creditor.bic else {})


def _name(root: etree._Element, message_id: str, made_at: datetime) -> None:
    """Give the file and its groups their names, and the file its moment."""
    header = _one(root, "CstmrDrctDbtInitn/GrpHdr")
    _one(header, "MsgId").text, _one(header, "CreDtTm").text = message_id, f"{made_at:%Y-%m-%dT%H:%M:%S}"
    for number, group in enumerate(root.iterfind("{*}CstmrDrctDbtInitn/{*}PmtInf"), 1):
        _one(group, "PmtInfId").text = f"{message_id}-{number:02d}"


def _mark_amended(root: etree._Element, amended: set[str]) -> None:
    """Say of a mandate that its account is a new one, right behind the date of its signature."""
    for debit in root.iter(f"{{{_NAMESPACE}}}DrctDbtTxInf") if amended else ():
        if _one(debit, "PmtId/EndToEndId").text in amended:
            signed = _one(debit, "DrctDbtTx/MndtRltdInf/DtOfSgntr")
            told = etree.Element(f"{{{_NAMESPACE}}}AmdmntInfDtls")
            node = told
            for name in ("OrgnlDbtrAcct", "Id", "Othr", "Id"):
                node = etree.SubElement(node, f"{{{_NAMESPACE}}}{name}")
            node.text = _SAME_MANDATE
            yes = etree.Element(f"{{{_NAMESPACE}}}AmdmntInd")
            yes.text = "true"
            signed.addnext(told)
            signed.addnext(yes)


def _check(root: etree._Element, debits: Sequence[Debit]) -> None:
    """Refuse a file that the bank would, or whose sums are not those of its collections, in each group and altogether."""
    if not _schema().validate(root):
        raise NotValidError(str(_schema().error_log.last_error))
    initiation = _one(root, "CstmrDrctDbtInitn")
    groups = [_sums(group) for group in initiation.iterfind("{*}PmtInf")]
    for group, told in zip(initiation.iterfind("{*}PmtInf"), groups, strict=True):
        amounts = [_cents(one.text) for one in group.iterfind("{*}DrctDbtTxInf/{*}InstdAmt")]
        if told != (len(amounts), sum(amounts)):
            raise NotValidError(told, amounts)
    whole = (len(debits), sum(one.amount_cents for one in debits))
    if _sums(_one(initiation, "GrpHdr")) != whole or tuple(map(sum, zip(*groups, strict=True))) != whole:
        raise NotValidError(whole, groups)


def _sums(node: etree._Element) -> tuple[int, int]:
    return int(_one(node, "NbOfTxs").text or ""), _cents(_one(node, "CtrlSum").text)


def _cents(text: str | None) -> int:
    return int(Decimal(text or "") * 100)


def _one(node: etree._Element, path: str) -> etree._Element:
    found = node.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    if found is None:
        raise NotValidError(path)
    return found
