"""How tests read a paper: its text with plain spaces, its words with their places, its QR code."""

from io import BytesIO
from typing import Any

import pdfplumber
import pypdfium2
import zxingcpp
from pypdf import PdfReader

SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})


def reader(data: bytes) -> PdfReader:
    return PdfReader(BytesIO(data), strict=True)


def root(data: bytes) -> Any:
    """Return the catalogue of the document: its language, how it is to be shown."""
    return reader(data).root_object


def identity(data: bytes) -> bytes:
    """Return the first half of the document's /ID."""
    pair: Any = reader(data).trailer["/ID"]
    return bytes(pair[0].original_bytes)


def pages(data: bytes) -> list[str]:
    """Return the text of each page, its lines joined."""
    return [" ".join(page.extract_text().translate(SPACES).split()) for page in reader(data).pages]


def text(data: bytes) -> str:
    return " ".join(pages(data))


def squeezed(words: str) -> str:
    """Return a text without any space: lines may be broken anywhere."""
    return "".join(words.split())


def words(data: bytes) -> list[list[dict[str, Any]]]:
    """Return the words of each page with x0, x1, top, bottom and size in points."""
    with pdfplumber.open(BytesIO(data)) as document:
        return [page.extract_words(extra_attrs=["size", "fontname"]) for page in document.pages]


def picture(data: bytes, scale: float = 1) -> Any:
    """Return the first page as a Pillow image."""
    return pypdfium2.PdfDocument(data)[0].render(scale=scale).to_pil()


def codes(data: bytes) -> list[str]:
    """Return what a phone reads from the QR codes of the first page."""
    return [code.text for code in zxingcpp.read_barcodes(picture(data, scale=4))]
