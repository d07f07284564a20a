"""How a paper writes what is not a sentence: addresses, account numbers, periods, quantities."""

from datetime import date, timedelta

from core import i18n
from core.errors import N_
from core.pdf.values import PrintedParty

_UNITS = {
    "minute": (N_("{count} min"), N_("{count} min")),
    "message": (N_("{count} message"), N_("{count} messages")),
    "call": (N_("{count} call"), N_("{count} calls")),
    "megabyte": (N_("{count} MB"), N_("{count} MB")),
    "gigabyte": (N_("{count} GB"), N_("{count} GB")),
    "day": (N_("{count} day"), N_("{count} days")),
    "month": (N_("{count} month"), N_("{count} months")),
}
_GIGABYTE_FROM = 10_000
"""Megabytes from which an overview counts in gigabytes."""


def groups_of_four(account: str) -> str:
    """Write an IBAN as banks do: "BE04 5390 0000 0131"."""
    return " ".join(account[start : start + 4] for start in range(0, len(account), 4))


def enterprise(number: str) -> str:
    """Write ten digits as an enterprise number: "0999.999.130" (R2)."""
    digits = number.removeprefix("BE")
    return f"{digits[:4]}.{digits[4:7]}.{digits[7:]}"


def address(party: PrintedParty, language: str) -> list[str]:
    """Return the lines under a name."""
    box = i18n.translate(language, "box {box}", box=party.box) if party.box else None
    street = " ".join(part for part in (party.street, party.number, box) if part)
    town = f"{party.postcode} {party.town}"
    return [street, town] if party.country == "BE" else [street, town, party.country]


def last_day(until: date) -> date:
    """Return the last day of a period whose end is exclusive."""
    return until - timedelta(days=1)


def period(since: date | None, until: date | None, language: str) -> str:
    """Write a period with its first and its last day."""
    if since is None:
        return ""
    if until is None or last_day(until) <= since:
        return i18n.day(since, language)
    return f"{i18n.day(since, language)} – {i18n.day(last_day(until), language)}"  # noqa: RUF001 - a dash of a range


def amount_of(quantity: int, unit: str, language: str) -> str:
    """Write a number of units as it is charged: "1 240 MB"."""
    if unit not in _UNITS:
        return i18n.number(quantity, language)
    return i18n.translate_n(language, *_UNITS[unit], quantity)


def volume(quantity: int, unit: str, language: str) -> str:
    """Write how much was used: large volumes in gigabytes, "118 GB"."""
    if unit == "megabyte" and quantity >= _GIGABYTE_FROM:
        return i18n.translate(language, _UNITS["gigabyte"][1], count=i18n.decimal(quantity / 1000, language))
    return amount_of(quantity, unit, language)
