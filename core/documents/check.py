"""May this file come in? Its name and size are looked at here, its content in a child process with limits (S27 to S34)."""

import hashlib
import json
import logging
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from core.documents import names, refusals
from core.documents.refusals import BytesAround, ContentMismatch, Damaged, TooBig, TooHeavy
from core.settings import ROOT

MAX_MB = 10
MAX_BYTES = MAX_MB * 1024 * 1024
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"

log = logging.getLogger("guichet")

_STARTS = {PDF: b"%PDF-", JPEG: b"\xff\xd8\xff", PNG: b"\x89PNG\r\n\x1a\n"}
_IMAGE_KINDS = {JPEG: "JPEG", PNG: "PNG"}
_LATE_START = 1024
"""Readers look for the start of a PDF in so many bytes."""
_PDF_END = re.compile(rb"startxref\s+\d+\s+%%EOF\s*\Z")

Box = tuple[float, float, float, float]
"""Left, top, width and height, as shares (0 to 1) of the upright image."""

EID_BOXES: dict[str, tuple[Box, ...]] = {
    "front": ((0.0, 0.18, 0.35, 0.82), (0.35, 0.6, 0.65, 0.3)),
    "frontBefore2020": ((0.64, 0.18, 0.36, 0.82), (0.0, 0.7, 0.64, 0.3)),
    "back": ((0.0, 0.0, 1.0, 0.25), (0.62, 0.25, 0.38, 0.37), (0.0, 0.62, 1.0, 0.38)),
}
"""Where a Belgian eID shows its photo, national number, card number and machine-readable lines, roughly: the card should fill the image,
and who hands it in must look at the result."""


@dataclass(frozen=True)
class Accepted:
    """A file that may be stored, as it will be stored."""

    name: str
    mime: str
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The checksum of what is stored."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Limits:
    """What the child process may use.

    A 40-megapixel photo that must be turned takes up to 2 CPU seconds and 390 MB of addresses. A busy machine refuses no good file:
    processor time is what counts, and the wall clock only ends a child that waits for nothing.
    """

    cpu_seconds: int = 4
    wall_seconds: float = 10
    memory_mb: int = 512


LIMITS = Limits()

_places = BoundedSemaphore(2)
"""At most so many files are read at a time, or their memory adds up."""


def check(name: str, data: bytes, limits: Limits = LIMITS) -> Accepted:
    """Return a file as it may be stored: an image re-encoded, a PDF as it is.

    Raises the Refused of core.documents.refusals that says why not. What the browser declares is not asked: content decides the
    type, and the extension must agree.
    """
    shown, mime = names.parse(name)
    _check_outside(mime, data)
    return Accepted(shown, mime, _read(mime, data, (), limits))


def redact(data: bytes, mime: str, boxes: Sequence[Box]) -> bytes:
    """Return a JPEG or PNG with the boxes blacked out, so that what lies under them is never stored (R25). Refuses as `check` does."""
    if mime not in _IMAGE_KINDS:
        raise ContentMismatch
    _check_outside(mime, data)
    return _read(mime, data, boxes, LIMITS)


def _check_outside(mime: str, data: bytes) -> None:
    """Judge what needs no parsing."""
    if len(data) > MAX_BYTES:
        raise TooBig(limit_mb=MAX_MB)
    if not data.startswith(_STARTS[mime]):
        raise BytesAround if mime == PDF and _STARTS[PDF] in data[:_LATE_START] else ContentMismatch
    if mime == PDF and not _PDF_END.search(data[-_LATE_START:]):
        raise BytesAround if b"%%EOF" in data else Damaged


def _read(mime: str, data: bytes, boxes: Sequence[Box], limits: Limits) -> bytes:
    """Let the child read a file, and return the bytes to keep.

    The child gets no environment: no address and no key of ours is within reach of the file.
    """
    module, options = ("pdfs", {}) if mime == PDF else ("images", {"kind": _IMAGE_KINDS[mime], "boxes": list(boxes)})
    command = [sys.executable, "-BEsWignore", "-m", "core.documents.child", str(limits.cpu_seconds), str(limits.memory_mb)]
    given = json.dumps({"module": module, "options": options}).encode() + b"\n" + data
    try:
        with _places:
            done = subprocess.run(command, cwd=ROOT, env={}, input=given, capture_output=True, timeout=limits.wall_seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise TooHeavy from error
    if done.returncode < 0:
        raise TooHeavy
    if done.stderr:
        log.warning("a file from outside could not be read: %s", done.stderr.decode(errors="replace")[-2000:])
    done.check_returncode()
    head, _, kept = done.stdout.partition(b"\n")
    answer = json.loads(head)
    if answer:
        raise getattr(refusals, answer["refused"])(**answer["params"])
    return kept
