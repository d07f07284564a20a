"""An A4 sheet in millimetres from the top left: text, lines, areas and a QR code, drawn straight into the page."""

from datetime import datetime
from typing import Literal

from fpdf import FPDF
from fpdf.enums import PDFResourceType
from fpdf.prefs import ViewerPreferences

from core.pdf.letters import Letters, clean

Colour = tuple[int, int, int]
INK: Colour = (0x0F, 0x17, 0x20)
MUTE: Colour = (0x51, 0x5D, 0x6B)
ACCENT: Colour = (0x1F, 0x5A, 0xA6)
LINE: Colour = (0xD5, 0xDC, 0xE4)
SOFT: Colour = (0xEF, 0xF4, 0xFA)
WHITE: Colour = (0xFF, 0xFF, 0xFF)

LEFT, RIGHT, TOP, BOTTOM = 18.0, 192.0, 24.0, 279.0
"""The edges of what is written on a sheet; the foot of the page lies below."""

_CURVE = 0.4477
"""Where the handles of a quarter circle lie, as a share of its radius from the corner."""


class Paper(FPDF):
    """A document under construction; `y` is where the next thing is drawn.

    Its dates and its /ID come from the caller, so that the same calls give the same bytes.
    """

    def __init__(self, *, title: str, author: str, language: str, created_at: datetime, token: str) -> None:
        super().__init__(unit="mm", format="A4")
        self._id = token.encode().hex().upper()
        self.set_auto_page_break(auto=False)
        self.set_title(title)
        self.set_author(author)
        self.set_creator("Guichet")
        self.set_lang(f"{language}-BE")
        self.set_creation_date(created_at)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.letters = Letters(self.fonts)  # type: ignore[arg-type]
        self.add_page()

    def file_id(self) -> str:
        """Return the /ID that the caller chose."""
        return f"<{self._id}><{self._id}>"

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return the width of a text in millimetres."""
        return self.letters.width(clean(text), bold=bold) * size / 1000 / self.k

    def put(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: Colour = INK,
        align: Literal["left", "right"] = "left",
    ) -> None:
        """Write one line with its baseline at y; x is its left or its right end."""
        text = clean(text)
        pieces, width = self.letters.set(text, bold=bold)
        start = x * self.k - (width * size / 1000 if align == "right" else 0)
        base = (self.h - y) * self.k
        out = [f"BT {_rgb(colour)} rg"]
        for piece in pieces:
            self._resource_catalog.add(PDFResourceType.FONT, piece.font.i, self.page)
            left, up = start + piece.x * size / 1000, base + piece.y * size / 1000
            out.append(f"/F{piece.font.i} {size:g} Tf 1 0 0 1 {left:.2f} {up:.2f} Tm <{piece.codes.encode('utf-16-be').hex()}> Tj")
        out.append("ET")
        self._out(" ".join(out))

    def wrap(self, text: str, size: float, width: float, *, bold: bool = False, most: int = 40) -> list[str]:
        """Cut a text into lines that fit; a word that is too long is cut; what passes `most` lines ends in an ellipsis."""
        lines: list[str] = []
        line = ""
        for word in clean(text).split(" "):
            tried = f"{line} {word}" if line else word
            if self.width(tried, size, bold=bold) <= width:
                line = tried
                continue
            if line:
                lines.append(line)
            line = word
            while self.width(line, size, bold=bold) > width and len(lines) <= most:
                fits = max(1, self._fits(line, size, width, bold=bold))
                lines.append(line[:fits])
                line = line[fits:]
            if len(lines) > most:
                break
        lines.append(line)
        return lines if len(lines) <= most else [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]

    def _fits(self, text: str, size: float, width: float, *, bold: bool) -> int:
        low, high = 0, min(len(text), 400)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(text[:middle], size, bold=bold) <= width else (low, middle - 1)
        return low

    def fitting(self, text: str, size: float, width: float) -> float:
        """Return the size, at most the one given, at which a bold line fits."""
        return min(size, size * width / max(1, self.width(text, size, bold=True)))

    def write_block(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        size: float = 9,
        *,
        bold: bool = False,
        colour: Colour = INK,
        leading: float = 1.38,
        most: int = 40,
    ) -> float:
        """Write a paragraph whose first baseline is at y; return the baseline after its last line."""
        step = size * leading / self.k
        for line in self.wrap(text, size, width, bold=bold, most=most):
            self.put(x, y, line, size, bold=bold, colour=colour)
            y += step
        return y

    def rule(self, x: float, y: float, until: float, *, colour: Colour = LINE, weight: float = 0.6) -> None:
        """Draw a horizontal line."""
        k, level = self.k, (self.h - y) * self.k
        self._out(f"q {_rgb(colour)} RG {weight:g} w {x * k:.2f} {level:.2f} m {until * k:.2f} {level:.2f} l S Q")

    def area(self, x: float, y: float, width: float, height: float, colour: Colour, *, radius: float = 0) -> None:
        """Fill a rectangle, with round corners if asked."""
        k, r = self.k, radius * self.k
        left, right, top, bottom = x * k, (x + width) * k, (self.h - y) * k, (self.h - y - height) * k
        if not r:
            self._out(f"{_rgb(colour)} rg {left:.2f} {bottom:.2f} {right - left:.2f} {top - bottom:.2f} re f")
            return
        c = r * _CURVE
        path = [
            f"{left + r:.2f} {top:.2f} m {right - r:.2f} {top:.2f} l",
            f"{right - c:.2f} {top:.2f} {right:.2f} {top - c:.2f} {right:.2f} {top - r:.2f} c {right:.2f} {bottom + r:.2f} l",
            f"{right:.2f} {bottom + c:.2f} {right - c:.2f} {bottom:.2f} {right - r:.2f} {bottom:.2f} c {left + r:.2f} {bottom:.2f} l",
            f"{left + c:.2f} {bottom:.2f} {left:.2f} {bottom + c:.2f} {left:.2f} {bottom + r:.2f} c {left:.2f} {top - r:.2f} l",
            f"{left:.2f} {top - c:.2f} {left + c:.2f} {top:.2f} {left + r:.2f} {top:.2f} c f",
        ]
        self._out(f"{_rgb(colour)} rg {' '.join(path)}")

    def squares(self, x: float, y: float, size: float, rows: tuple[bytes, ...], colour: Colour = INK) -> None:
        """Draw a matrix of dark modules, such as a QR code, into a square: one path, a rectangle per dark stretch."""
        k, step = self.k, size / len(rows) * self.k
        out = [f"{_rgb(colour)} rg"]
        for index, row in enumerate(rows):
            bottom = (self.h - y) * k - (index + 1) * step
            column = 0
            for stretch in bytes(row).split(b"\0"):
                if stretch:
                    out.append(f"{x * k + column * step:.3f} {bottom:.3f} {len(stretch) * step:.3f} {step:.3f} re")
                column += len(stretch) + 1
        self._out(f"{' '.join(out)} f")

    def mark(self, x: float, y: float, size: float) -> None:
        """Draw the sign of the house: a counter under an arch."""
        self.area(x, y, size, size, ACCENT, radius=size * 0.22)
        arch = size * 0.5
        self.area(x + size * 0.25, y + size * 0.2, arch, size * 0.46, WHITE, radius=arch * 0.48)
        self.area(x + size * 0.25, y + size * 0.44, arch, size * 0.22, WHITE)
        self.area(x + size * 0.375, y + size * 0.34, size * 0.25, size * 0.3, ACCENT, radius=size * 0.12)
        self.area(x + size * 0.375, y + size * 0.5, size * 0.25, size * 0.14, ACCENT)
        self.area(x + size * 0.17, y + size * 0.7, size * 0.66, size * 0.1, WHITE, radius=size * 0.04)

    def finish(self, foot: list[str], page_of: str) -> bytes:
        """Write the foot of each page, `{page}` and `{pages}` filled in, and return the document."""
        pages = len(self.pages)
        for page in range(1, pages + 1):
            self.page = page
            self.rule(LEFT, BOTTOM + 4, RIGHT)
            for index, text in enumerate(foot):
                self.put(LEFT, BOTTOM + 8 + index * 3.4, text, 7, colour=MUTE)
            self.put(RIGHT, BOTTOM + 8, page_of.format(page=page, pages=pages), 7, colour=MUTE, align="right")
        return bytes(self.output())


def _rgb(colour: Colour) -> str:
    return " ".join(f"{part / 255:.3f}" for part in colour)
