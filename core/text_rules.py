"""What text from outside must be before it is stored, and how text is folded before it is compared."""

import re
import unicodedata

from core.errors import N_, DomainError

JOINERS = "\u200c\u200d"
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})  # noqa: RUF001 - a Turkish letter
_GAPS = re.compile(r"[^\w@.+]+|_+")


_BOX = {"fr": "bte", "nl": "bus", "de": "Briefkasten", "en": "box"}


class Unreadable(DomainError):
    """The text holds characters that nobody can see or that change the direction of reading."""

    message = N_("This text holds an invisible character. Type it again without pasting.")


class TooLong(DomainError):
    """The text is longer than its place."""

    message = N_("At most {length} characters. Shorten the text.")


class Missing(DomainError):
    """A field that must be filled is empty."""

    message = N_("This field is needed. Fill it in.")


def normalise(text: str, *, field: str, length: int, lines: bool = False) -> str:
    """Return text as it may be stored: composed (NFC), without blanks around, at most `length` code points (S41).

    Only a text of several `lines` may hold line ends; a BOM, NUL, other controls, lone surrogates and marks of direction
    are refused with Unreadable, as SQLite would store some of them and PostgreSQL none. Raises TooLong.
    """
    if lines:
        text = text.replace("\r\n", "\n")
    text = unicodedata.normalize("NFC", text).strip()
    if any(unicodedata.category(char) in _HIDDEN and char not in JOINERS and not (lines and char == "\n") for char in text):
        raise Unreadable(field=field)
    if len(text) > length:
        raise TooLong(field=field, length=length)
    return text


def needed(text: str, *, field: str, length: int) -> str:
    """Return one line of text as `normalise` does, and refuse an empty one with Missing."""
    found = normalise(text, field=field, length=length)
    if not found:
        raise Missing(field=field)
    return found


def fold(text: str) -> str:
    """Return text for comparing: small letters, no accents, single blanks instead of hyphens and apostrophes.

    "D'Hondt-Van den Berghe" becomes "d hondt van den berghe". The dot, plus and @ of addresses stay.
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return _GAPS.sub(" ", plain.casefold().translate(_LETTERS)).strip()


def address_line(street: str | None, number: str | None, box: str | None, postcode: str | None, town: str | None, language: str) -> str:
    """Write an address on one line, as the post wants it: "Rue de Fer 12 bte 3, 5000 Namur"."""
    door = " ".join(part for part in (street, number, f"{_BOX[language]} {box}" if box else None) if part)
    return ", ".join(part for part in (door, f"{postcode or ''} {town or ''}".strip()) if part)
