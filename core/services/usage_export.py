"""What a customer used, as a file: exactly the rows that the filters let through, in cells that no spreadsheet runs."""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from typing import IO

from sqlmodel import Session

from core import clock, i18n
from core.actor import Actor, Permission
from core.errors import N_
from core.services import audit, usage_detail
from core.services import usage_words as words
from core.services.usage_detail import Filters, Row, Unit

HEAD = (
    N_("When"), N_("Type"), N_("Direction"), N_("Line"), N_("Other party"), N_("Quantity"), N_("of which out of bundle"), N_("Unit"),
    N_("Zone"), N_("Tariff"), N_("Cost (EUR)"), N_("Bill"),
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell must not begin with; the last four are the wide signs that some spreadsheets read as formulas too."""
_MOMENT = "%Y-%m-%d %H:%M:%S"
_MOMENT_XLSX = "dd/mm/yyyy hh:mm:ss"
_WIDTHS = (19, 20, 10, 28, 20, 11, 11, 8, 24, 16, 11, 13)

Cell = str | int | float | datetime | None


class Format(StrEnum):
    """The kinds of file there are."""

    CSV = "csv"
    XLSX = "xlsx"


def export(
    session: Session, actor: Actor, *, customer_id: int, filters: Filters, file_format: Format, language: str, file: IO[bytes]
) -> int:
    """Write the filtered rows to a file, newest first, and return how many they were; the export is audited with its filters.

    Moments are Brussels time, data in MB, calls in seconds, costs in euros. Holds only some rows in memory at a time.
    Raises NotFound for a line or bill of somebody else, EndsBeforeItStarts.
    """
    actor.require(Permission.USAGE_EXPORT, customer_id)
    used = usage_detail.lines(session, actor, customer_id=customer_id)
    names = {line.product_no: words.line(line, language) for line in used}
    rows = usage_detail.every(session, actor, customer_id=customer_id, filters=filters)
    write: dict[Format, Callable[..., int]] = {Format.CSV: _write_csv, Format.XLSX: _write_xlsx}
    written = write[file_format](file, [i18n.translate(language, title) for title in HEAD], _cells(rows, names, language))
    asked = {name: value for name, value in asdict(filters).items() if value}
    audit.record(
        session,
        actor,
        action="usage:export",
        object_type="usage",
        object_id=customer_id,
        customer_id=customer_id,
        after={**asked, "format": file_format, "rows": written},
    )
    return written


def inert(text: str) -> str:
    """Return a text that a spreadsheet shows and never runs (S39): no control characters, an apostrophe before what could be a formula."""
    text = "".join(char for char in text if not unicodedata.category(char).startswith("C"))
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(rows: Iterator[Row], lines: dict[str, str], language: str) -> Iterator[tuple[Cell, ...]]:
    say = cache(partial(i18n.translate, language))
    place = cache(partial(words.place, language=language))
    for row in rows:
        number = row.other_party or ""
        yield (
            clock.local(row.key.at).replace(tzinfo=None),
            say(words.event(row)),
            say(words.DIRECTIONS[row.direction]),
            lines[row.product_no],
            f"00{number[1:]}" if number.startswith("+") else number,  # A plus sign would be read as a formula.
            _quantity(row.unit, row.quantity),
            _quantity(row.unit, row.over_quantity),
            say(words.UNITS[row.unit]),
            place(row.zone, row.country),
            say(words.TARIFFS[row.tariff]),
            row.charged_cents / 100,
            row.bill_no,
        )


def _quantity(unit: Unit, quantity: int) -> int | float:
    return quantity / words.KB_PER_MB if unit is Unit.KB else quantity


def _write_csv(file: IO[bytes], head: list[str], rows: Iterator[tuple[Cell, ...]]) -> int:
    """Write what a Belgian spreadsheet opens by double click: semicolons, decimal commas, a byte-order mark."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    lines, written = csv.writer(text, delimiter=";"), 0
    lines.writerow(head)
    for written, row in enumerate(rows, 1):  # noqa: B007 - the count is the answer
        lines.writerow([_csv_cell(cell) for cell in row])
    text.detach()
    return written


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.strftime(_MOMENT)
    if isinstance(cell, float):
        return f"{cell:.3f}".rstrip("0").rstrip(".").replace(".", ",")
    return inert(cell) if isinstance(cell, str) else str(cell if cell is not None else "")


def _write_xlsx(file: IO[bytes], head: list[str], rows: Iterator[tuple[Cell, ...]]) -> int:
    import xlsxwriter  # noqa: PLC0415 - only who exports pays for it

    written = 0
    safe = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, safe) as book:
        bold, moment, number = (
            book.add_format({"bold": True}),
            book.add_format({"num_format": _MOMENT_XLSX}),
            book.add_format({"num_format": "#,##0.00"}),
        )
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for column, (title, width) in enumerate(zip(head, _WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, title, bold)
        for written, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(written, column, cell, moment)
                elif isinstance(cell, str):
                    sheet.write_string(written, column, inert(cell))
                elif cell is not None:
                    sheet.write_number(written, column, cell, number if isinstance(cell, float) else None)
    return written
