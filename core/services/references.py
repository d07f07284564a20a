"""The numbers on bills and bank forms: structured communications (R1) and account numbers (R3), checked with sentences that help."""

import re
from decimal import Decimal
from io import BytesIO

from segno.helpers import make_epc_qr

from core.errors import N_, DomainError

_OGM = re.compile(r"(\+\+\+|\*\*\*)?(\d{3})/?(\d{4})/?(\d{5})(\+\+\+|\*\*\*)?")
_LENGTHS = {
    "AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "VA": 22,
}  # fmt: skip
"""The countries of the SEPA zone and how long their account numbers are."""


class IbanMissing(DomainError):
    """No account number was given."""

    message = N_("The account number is missing. It starts with two letters, such as BE.")
    field = "iban"


class IbanNotSepa(DomainError):
    """The account lies outside the zone of direct debits, or the number doesn't start with a country."""

    message = N_("{start} is not a country where direct debits work. Give a number that starts with BE or another SEPA country.")
    field = "iban"


class IbanLength(DomainError):
    """The number has too many or too few characters."""

    message = N_("A number of {country} has {length} characters; this one has {given}. Check what is missing or too much.")
    field = "iban"


class IbanCharacters(DomainError):
    """The number holds something else than letters and digits."""

    message = N_("An account number holds letters and digits only. Leave out {found}.")
    field = "iban"


class IbanChecksum(DomainError):
    """The check digits don't fit: a digit was mistyped."""

    message = N_("The check digits don't fit: one of the digits is wrong. Compare it with the bank card.")
    field = "iban"


def ogm(number: str) -> str:
    """Return the structured communication of ten digits: "2611000017" is +++261/1000/01792+++ (R1)."""
    digits = f"{number}{int(number) % 97 or 97:02d}"
    return f"+++{digits[:3]}/{digits[3:7]}/{digits[7:]}+++"


def parse_ogm(text: str) -> str | None:
    """Return the ten digits of a structured communication; None when it isn't one, or its check digits don't fit.

    It may stand between +++ or ***, the same at both ends, or be twelve bare digits.
    """
    found = _OGM.fullmatch(re.sub(r"\s", "", text))
    if found is None or found[1] != found[5]:
        return None
    number = f"{found[2]}{found[3]}{found[4][:3]}"
    return number if int(found[4][3:]) == (int(number) % 97 or 97) else None


def iban(text: str) -> str:
    """Return an account number of the SEPA zone, checked (R3): 16 characters and a check of their own for Belgian ones.

    Raises IbanMissing, IbanCharacters, IbanNotSepa, IbanLength and IbanChecksum.
    """
    number = re.sub(r"[\s.\-]", "", text).upper()
    if not number:
        raise IbanMissing
    if odd := sorted(set(re.sub(r"[A-Z0-9]", "", number))):
        raise IbanCharacters(found=" ".join(odd))
    country = number[:2]
    if country not in _LENGTHS:
        raise IbanNotSepa(start=country)
    if len(number) != _LENGTHS[country]:
        raise IbanLength(country=country, length=_LENGTHS[country], given=len(number))
    if not number[2:4].isdigit() or int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 != 1:
        raise IbanChecksum
    if country == "BE" and (not number[4:].isdigit() or int(number[14:]) != (int(number[4:14]) % 97 or 97)):
        raise IbanChecksum
    return number


def epc_qr(*, name: str, account: str, amount_cents: int, communication: str) -> bytes:
    """Return the QR code of a transfer as SVG (EPC v2, the communication as structured reference, twelve digits; R10)."""
    code = make_epc_qr(
        name=name, iban=account, amount=Decimal(amount_cents) / 100, reference="".join(filter(str.isdigit, communication)), encoding="utf-8"
    )
    out = BytesIO()
    code.save(out, kind="svg", scale=3, border=4, light="#FFFFFF", dark="#000000", xmldecl=False)
    return out.getvalue()


def mask_iban(number: str) -> str:
    """Write an account number with only its ends: "BE77 •••• •••• 1242"."""
    hidden = " ".join("••••" for _ in range(len(number) // 4 - 2))
    return f"{number[:4]} {hidden} {number[-4:]}"


def group_iban(number: str) -> str:
    """Write an account number in groups of four."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
