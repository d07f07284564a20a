"""Fonts, and how any text becomes glyphs: plain text by a look-up, other scripts by shaping, what no font holds as a visible box."""

import re
import unicodedata
from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from operator import itemgetter
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection
from fpdf.fonts import Glyph, SubsetMap, TTFFont

FOLDER = Path(__file__).resolve().parent / "fonts"
REGULAR, BOLD = "NotoSans-Regular", "NotoSans-Bold"
FALLBACK = (
    "NotoSans-Extended",
    "NotoSansArabic-Regular",
    "NotoSansHebrew-Regular",
    "NotoSansArmenian-Regular",
    "NotoSansGeorgian-Regular",
    "NotoSansDevanagari-Regular",
    "NotoSansThai-Regular",
    "DejaVuSans-Symbols",
)
_LAYOUT = {"GSUB", "GPOS", "GDEF"}
_JOINERS = {"\u200c", "\u200d"}


@lru_cache(maxsize=16)
def _parsed(name: str) -> tuple[TTFFont, bytes]:
    path = FOLDER / f"{name}.ttf"
    font = TTFFont(FPDF(), path, name, "")
    font.ttfont.getGlyphOrder()  # Read now: afterwards nothing is read from this file by several threads at once.
    return font, path.read_bytes()


@lru_cache(maxsize=4)
def _plain(name: str) -> frozenset[str]:
    """Characters that are drawn by a mere look-up: no mark to place, no joining, no right-to-left."""
    return frozenset(char for char in map(chr, _parsed(name)[0].cmap) if unicodedata.category(char)[0] not in "MC")


def fresh(name: str, index: int) -> TTFFont:
    """Return a font for one document, its number in it given: parsed once for all of them, with its own list of used glyphs."""
    parsed, data = _parsed(name)
    font = copy(parsed)
    font.i = index
    font.ttfont = TTFont(BytesIO(data), recalcBBoxes=False, recalcTimestamp=False, lazy=True)
    font.ttfont.setGlyphOrder(parsed.ttfont.getGlyphOrder())
    for table in _LAYOUT & set(font.ttfont.keys()):
        del font.ttfont[table]  # Shaping reads them from the file; cutting them down for the document takes a third of its time.
    font.missing_glyphs = []
    font.subset = SubsetMap(font)
    return font


def clean(text: str) -> str:
    """Return a text without what can't be seen: controls become spaces, direction marks go, half characters are replaced."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(r"\s*[\r\n\t]\s*", " ", "".join(map(_seen, unicodedata.normalize("NFC", text))))


def _seen(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    if category == "Cf" and char not in _JOINERS:
        return ""
    return "\ufffd" if category == "Cs" else char


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of text in one font: character numbers of that font, and where the piece starts, in thousandths of the size."""

    font: TTFFont
    codes: str
    x: float
    y: float


class Letters:
    """The fonts of one document; a font is added when the first text needs it."""

    def __init__(self, fonts: dict[str, object]) -> None:
        self._fonts = fonts
        self._own: dict[str, TTFFont] = {}

    def font(self, name: str) -> TTFFont:
        """Return a font, added to the document if need be."""
        if name not in self._own:
            self._own[name] = self._fonts[name] = fresh(name, len(self._fonts) + 1)
        return self._own[name]

    def set(self, text: str, *, bold: bool) -> tuple[list[Placed], float]:
        """Return the pieces of a cleaned text in the order they stand on paper, and its width in thousandths of the size."""
        name = BOLD if bold else REGULAR
        font = self.font(name)
        if _plain(name).issuperset(text):
            pick = font.subset.pick
            return [Placed(font, "".join(chr(pick(ord(char)) or 0) for char in text), 0, 0)], self._advance(font, text)
        return self._shape(text, name)

    def width(self, text: str, *, bold: bool) -> float:
        """Return the width of a cleaned text in thousandths of the size."""
        name = BOLD if bold else REGULAR
        return self._advance(self.font(name), text) if _plain(name).issuperset(text) else self._shape(text, name)[1]

    @staticmethod
    def _advance(font: TTFFont, text: str) -> float:
        widths = font.cw
        return sum(widths[ord(char)] for char in text)

    def _shape(self, text: str, name: str) -> tuple[list[Placed], float]:
        """Place glyphs from left to right, but write them in the order in which they are read: that is how they are copied and searched."""
        placed: list[tuple[int, list[Placed]]] = []
        x = 0.0
        for font, start, run, direction in self._runs(text, name):
            leftwards = direction == TextDirection.RTL
            if font:
                glyphs, x = self._glyphs(font, run, direction, x)
            else:
                glyphs, x = self._boxes(run[::-1] if leftwards else run, x)
            placed.append((start, glyphs[::-1] if leftwards else glyphs))
        return [glyph for _start, glyphs in sorted(placed, key=itemgetter(0)) for glyph in glyphs], x

    @staticmethod
    def _glyphs(font: TTFFont, run: str, direction: TextDirection, x: float) -> tuple[list[Placed], float]:
        glyphs = []
        for glyph in font.shape_text(run, 10, {"features": {}, "fragment_direction": direction}):
            if glyph["mapped_char"] is not None:
                place = x + glyph["x_offset"] * font.scale, glyph["y_offset"] * font.scale
                glyphs.append(Placed(font, chr(glyph["mapped_char"]), *place))
            x += glyph["x_advance"] * font.scale
        return glyphs, x

    def _boxes(self, run: str, x: float) -> tuple[list[Placed], float]:
        """The empty box of the font, which a reader still copies as the character it stands for."""
        font = self.font(REGULAR)
        width = font.desc.missing_width
        codes = [font.subset.pick_glyph(Glyph(0, (ord(char),), ".notdef", round(width))) or 0 for char in run]
        return [Placed(font, chr(code), x + index * width, 0) for index, code in enumerate(codes)], x + width * len(run)

    def _runs(self, text: str, name: str) -> list[tuple[TTFFont | None, int, str, TextDirection]]:
        """Cut a text where its font or its direction changes, in the order of the page; each run reads in its own direction."""
        fonts = self._choose(text, name)
        runs: list[tuple[TTFFont | None, list[int], int]] = []
        for char in BidiParagraph(text, preserve_bn_chars=True).get_reordered_characters():
            index, level = char.character_index, char.embedding_level
            if runs and runs[-1][0] is fonts[index] and runs[-1][2] == level:
                runs[-1][1].append(index)
            else:
                runs.append((fonts[index], [index], level))
        return [
            (font, min(indices), "".join(text[index] for index in sorted(indices)), TextDirection.RTL if level % 2 else TextDirection.LTR)
            for font, indices, level in runs
        ]

    def _choose(self, text: str, name: str) -> list[TTFFont | None]:
        chosen: list[TTFFont | None] = []
        for char in text:
            before = chosen[-1] if chosen else None
            follows = char in _JOINERS or unicodedata.category(char)[0] == "M" or char == " "
            if follows and before is not None and ord(char) in before.cmap:
                chosen.append(before)
            else:
                covering = next((each for each in (name, *FALLBACK) if ord(char) in _parsed(each)[0].cmap), None)
                chosen.append(self.font(covering) if covering else None)
        return chosen
