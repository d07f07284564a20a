"""What a password must be, and how it is kept: Argon2id, and nothing that could be turned back (S19 to S22)."""

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from core.errors import N_, DomainError
from core.settings import ROOT
from core.text_rules import fold

MIN_LENGTH = 15
MAX_LENGTH = 128
LEAST_OF_ITS_OWN = 8
"""So many letters and digits must be left of a password once the account's name and ours are taken out."""

BLOCKLIST = ROOT / "seed" / "blocklist.txt"
HOUSE = ("guichet", "scarlet", "proximus")
_SHORTEST_NAME = 4
_SHORTEST_UNIT = 5
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$ZTj3dhoZ/ZrMJjlStPs2HQ$ybJo/k93nY/ecZ+AQouE+sbE7K7YfB/jRPUn6aP/DoY"


class TooShort(DomainError):
    """The password has fewer characters than it must have."""

    message = N_("Use {least} characters or more; {missing} are missing.")
    field = "new"


class TooLong(DomainError):
    """The password has more characters than it may have."""

    message = N_("Use {most} characters at most.")
    field = "new"


class TooCommon(DomainError):
    """The password is one of those that are tried first."""

    message = N_("This password is among the first ones that are guessed. Choose four words that do not belong together.")
    field = "new"


class MadeOfNames(DomainError):
    """The password is little more than the account's name, or ours."""

    message = N_("This password is built on your name or on ours. Choose four words that do not belong together.")
    field = "new"


def check_new(password: str, *, names: tuple[str, ...]) -> None:
    """Refuse a new password that is too short, too long or easy to guess; there is no rule of composition (S19).

    `names` are the account's own: its user name, its holder's name. Characters are counted as the reader sees them (NFC);
    none is cut off, and blanks count. Raises TooShort, TooLong, TooCommon or MadeOfNames.
    """
    length = len(_composed(password))
    if length < MIN_LENGTH:
        raise TooShort(least=MIN_LENGTH, missing=MIN_LENGTH - length)
    if length > MAX_LENGTH:
        raise TooLong(most=MAX_LENGTH)
    if _is_common(password.casefold()):
        raise TooCommon
    letters = rest = fold(password).replace(" ", "")
    for word in (*HOUSE, *_words(names)):
        rest = rest.replace(word, "")
    if len(rest) < min(LEAST_OF_ITS_OWN, len(letters)):
        raise MadeOfNames


def hash_new(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(_bytes(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the stored one; without a stored one the same work is done, and the answer is no (S18)."""
    usable = password_hash is not None and len(password) <= 4 * MAX_LENGTH
    try:
        _HASHER.verify(password_hash if usable and password_hash else _NOBODY, _bytes(password if usable else ""))
    except VerificationError:
        return False
    return usable


def is_outdated(password_hash: str) -> bool:
    """Whether a stored password was hashed with other costs than today's, and should be hashed again (S22)."""
    return _HASHER.check_needs_rehash(password_hash)


def _words(names: tuple[str, ...]) -> list[str]:
    return [word for name in names for word in fold(name).split() if len(word) >= _SHORTEST_NAME]


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    return _composed(password).encode("utf-8", "surrogatepass")


def _is_common(password: str) -> bool:
    """Whether a password is on the list: as it is, without digits and signs around it, or as one word said again and again."""
    known = blocklist()
    inner = password.strip("".join(char for char in set(password) if not char.isalpha()))
    units = {_unit(password), _unit(inner)}
    return any(unit in known or 0 < len(unit) < _SHORTEST_UNIT for unit in units) or password in known


def _unit(text: str) -> str:
    """Return the shortest beginning whose repetition makes the text: "abc" of "abcabcab"."""
    return next((text[:size] for size in range(1, len(text)) if all(char == text[i % size] for i, char in enumerate(text))), text)


@cache
def blocklist() -> frozenset[str]:
    """Return the passwords of seed/blocklist.txt."""
    return frozenset(line for line in BLOCKLIST.read_text("utf-8").splitlines() if line and not line.startswith("# ") and line != "#")
