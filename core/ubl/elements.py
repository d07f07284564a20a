"""The pieces of a UBL document. What has no content is left out: Peppol forbids empty elements (R12)."""

from typing import Any

from lxml import etree

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC, _CBC = f"{_OASIS}CommonAggregateComponents-2", f"{_OASIS}CommonBasicComponents-2"
_PREFIXES: dict[str | None, str] = {"cac": _CAC, "cbc": _CBC}
CURRENCY = "EUR"

Element = Any
"""An element of lxml, which has no types of its own."""


def text(name: str, value: object | None, **attributes: str) -> Element | None:
    """Return a basic component; None when there is nothing to say."""
    said = "" if value is None else str(value).strip()
    if not said:
        return None
    made = etree.Element(f"{{{_CBC}}}{name}", attributes, nsmap=_PREFIXES)
    made.text = said
    return made


def amount(name: str, cents: int) -> Element:
    """Return an amount of money with its two decimals."""
    return text(name, f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}", currencyID=CURRENCY)


def group(name: str, *parts: Element | None) -> Element | None:
    """Return an aggregate of what is there; None when nothing is."""
    found = [part for part in parts if part is not None]
    if not found:
        return None
    made = etree.Element(f"{{{_CAC}}}{name}", nsmap=_PREFIXES)
    made.extend(found)
    return made


def document(name: str, *parts: Element | None) -> bytes:
    """Return a whole document of a kind, Invoice or CreditNote, its parts in the order of the schema."""
    own = f"{_OASIS}{name}-2"
    root = etree.Element(f"{{{own}}}{name}", nsmap=_PREFIXES | {None: own})
    root.extend(part for part in parts if part is not None)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written
