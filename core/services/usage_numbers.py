"""The other party of an event: which numbers are never told, how much of the others is, and how they are searched."""

import re
from functools import lru_cache

import phonenumbers

EMERGENCY = ("100", "101", "103", "107", "110", "112")
UNTOLD_PATTERNS = ("116___", "+32116___", "0800%", "+32800%")
"""SQL patterns of the helplines 116xxx and of free numbers (R14)."""

MASKED = 3
"""Digits at the end that stay hidden (R27)."""

_UNTOLD = re.compile(r"100|101|103|107|110|112|(\+32)?116\d{3}|(0|\+32)800.*")
_SHORT = 6
_SHORT_CODE = re.compile(r"[2-9]\d{3}")
_CLASSES = re.compile(r"\+32(70|78|90\d|800)\d+")
"""070, 078, 0800 and 090x: no line of a zone or a mobile begins like that."""


def told(number: str | None) -> bool:
    """Whether an event with this number may be listed, summed and exported: not with emergency, helpline and 0800 numbers (R14)."""
    return number is None or _UNTOLD.fullmatch(number) is None


def short(number: str | None) -> bool:
    """Whether this is a short code, to which messages are sent, and not a number that is called."""
    return number is not None and len(number) <= _SHORT and number.isdigit()


@lru_cache(maxsize=8192)
def stored(number: str | None) -> str | None:
    """Return a number as it is kept: +32..., short codes and names as they are (R17). Never refuses: networks tell what they like."""
    if not number or short(number):
        return number or None
    digits = re.sub(r"[\s./()-]", "", number)
    if not re.fullmatch(r"\+?\d+", digits):
        return number
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+32{digits[1:]}" if digits.startswith("0") else digits


@lru_cache(maxsize=8192)
def premium(number: str | None) -> str | None:
    """Return the name of the class that a kept number would be in: "0903", "070" or "6xxx"; None for an ordinary number."""
    if number is None:
        return None
    if _SHORT_CODE.fullmatch(number):
        return f"{number[0]}xxx"
    found = _CLASSES.match(number)
    return f"0{found[1]}" if found else None


@lru_cache(maxsize=8192)
def mask(number: str) -> str:
    """Write a number with its last three digits hidden: +32470123456 is "+32 470 12 3• ••" (R27)."""
    shown = list(_international(number))
    digits = [place for place, char in enumerate(shown) if char.isdigit()]
    for place in digits[-MASKED:]:
        shown[place] = "•"
    return "".join(shown)


@lru_cache(maxsize=8192)
def national(number: str) -> str:
    """Write a customer's own number as it is dialled here: +32470000011 is "0470 00 00 11" (R17)."""
    try:
        parsed = phonenumbers.parse(number, "BE")
    except phonenumbers.NumberParseException:
        return number
    abroad = parsed.country_code != phonenumbers.country_code_for_region("BE")
    style = phonenumbers.PhoneNumberFormat.INTERNATIONAL if abroad else phonenumbers.PhoneNumberFormat.NATIONAL
    return str(phonenumbers.format_number(parsed, style))


def searched(text: str) -> tuple[str, ...]:
    """Return the SQL patterns that find a typed number in the part of a number that is told, last three digits cut off.

    What is hidden can't be found out by searching for it: it counts as any digit, where enough digits before it match.
    """
    digits = re.sub(r"\D", "", text)
    if not digits:
        return ()
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = "32" + digits[1:]
    ends = [f"%{digits[:-cut]}" for cut in range(1, MASKED + 1) if len(digits) - cut > MASKED]
    return (f"%{digits}%", *ends)


def _international(number: str) -> str:
    if not number.startswith("+"):
        return number
    try:
        return str(phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    except phonenumbers.NumberParseException:
        return number
