"""The name of a file: data to show, never a path."""

import re
import unicodedata

from core.documents.refusals import HiddenCharacter, MissingExtension, WrongExtension
from core.text_rules import JOINERS

EXTENSIONS = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
MAX_SHOWN = 120

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_FOLDERS = re.compile(r"[/\\]")
_UNSAFE = re.compile(r"[^\w.()-]+")


def parse(name: str) -> tuple[str, str]:
    """Return the name to show (NFC, without folders, at most 120 characters) and the type that its last extension names.

    Raises HiddenCharacter, MissingExtension or WrongExtension (S31, S41).
    """
    composed = unicodedata.normalize("NFC", name)
    if any(unicodedata.category(char) in _HIDDEN and char not in JOINERS for char in composed):
        raise HiddenCharacter
    stem, _dot, extension = _FOLDERS.split(composed)[-1].strip().rpartition(".")
    if not stem.strip(". ") or not extension:
        raise MissingExtension
    mime = EXTENSIONS.get(extension.lower())
    if mime is None:
        raise WrongExtension
    return f"{stem[: MAX_SHOWN - len(extension) - 1]}.{extension}", mime


def served(document_no: str, name: str) -> str:
    """Return the name under which a file is downloaded: nothing in it can break a header (S32), and no two documents share it (S36)."""
    return f"{document_no}-{_UNSAFE.sub('_', name)}"
