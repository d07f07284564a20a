"""A list as a file: exactly the rows of its filter, in its columns and order, in cells that no spreadsheet runs."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import IO, Any

from sqlmodel import Session

from core import clock, i18n
from core.actor import Actor, Permission
from core.errors import N_, DomainError
from core.services import audit, list_filters, lists
from core.services.list_columns import Column, Listing, Type, named
from core.services.lists import Query
from core.services.usage_export import inert

MOST = 100_000
"""How many rows a file holds at most."""
_BATCH = 5000
_MOMENT = "%Y-%m-%d %H:%M:%S"
_CENT = Decimal("0.01")


class TooMany(DomainError):
    """More rows than a file may hold."""

    message = N_("A file holds {most} rows at most. Filter further.")


class Format(StrEnum):
    """The kinds of file there are."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


def check(session: Session, actor: Actor, *, query: Query) -> None:
    """Refuse to make a file of too many rows: a file is made outside of any page, where nothing could be said. Raises TooMany."""
    actor.require(Permission.LIST_EXPORT)
    if lists.count(session, actor, query=query, most=MOST) > MOST:
        raise TooMany(most=MOST)


def export(session: Session, actor: Actor, *, query: Query, file_format: Format, language: str, file: IO[bytes]) -> int:
    """Write all rows of a list to a file and return how many they were; who hands it out calls `note`, in a transaction that is short.

    Money is exact, in euros; days are ISO, moments Brussels time, masked cells stay masked. Holds only some rows in memory at a time.
    Raises TooMany before a byte is written, and whatever the list itself refuses.
    """
    actor.require(Permission.LIST_EXPORT)
    found = lists.page(session, actor, query=Query(query.noun, query.where, query.columns, query.sort), size=1)
    if found.many:
        check(session, actor, query=query)
    rows = (row.cells for row in lists.every(session, actor, query=query, most=MOST))
    write: dict[Format, Callable[..., int]] = {Format.CSV: _csv, Format.XLSX: _xlsx, Format.PARQUET: _parquet}
    return write[file_format](file, found.listing, found.columns, rows, language)


def note(session: Session, actor: Actor, *, query: Query, file_format: Format, rows: int) -> None:
    """Write down who took which rows along, before they are handed out."""
    actor.require(Permission.LIST_EXPORT)
    after = {
        "list": query.noun,
        "where": list_filters.write(query.where),
        "format": file_format,
        "rows": rows,
        "columns": ",".join(query.columns),
    }
    audit.record(session, actor, action="list:export", object_type="list", object_id=query.noun, after=after)


def _heads(columns: Sequence[Column], language: str) -> list[str]:
    return [i18n.translate(language, column.label) + (" (EUR)" if column.type is Type.MONEY else "") for column in columns]


def _plain(column: Column, value: Any, language: str) -> Any:  # noqa: ANN401 - a cell of any column
    """Return a cell as a file holds it: text, a number, an exact decimal, a day, or a moment of Brussels without its zone."""
    if value is None:
        return None
    reads: dict[Type, Callable[[Any], Any]] = {
        Type.TEXT: lambda text: named(column, text, language) or str(text),
        Type.CHOICE: lambda name: i18n.translate(language, column.words.get(str(name), str(name))),
        Type.MONEY: lambda cents: (Decimal(int(cents)) / 100).quantize(_CENT),
        Type.NUMBER: int,
        Type.DAY: lambda day: day if isinstance(day, date) else date.fromisoformat(str(day)),
        Type.MOMENT: lambda moment: clock.local(moment).replace(tzinfo=None, microsecond=0),
        Type.FLAG: lambda flag: i18n.translate(language, column.words["yes" if flag else "no"]),
    }
    return reads[column.type](value)


def _csv(file: IO[bytes], _one: Listing, columns: Sequence[Column], rows: Iterator[Sequence[Any]], language: str) -> int:
    """Write what a Belgian spreadsheet opens by double click: semicolons, decimal commas, a byte-order mark."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    lines, written = csv.writer(text, delimiter=";"), 0
    lines.writerow([inert(head) for head in _heads(columns, language)])
    for written, row in enumerate(rows, 1):  # noqa: B007 - the count is the answer
        lines.writerow([_csv_cell(_plain(column, value, language)) for column, value in zip(columns, row, strict=True)])
    text.detach()
    return written


def _csv_cell(cell: Any) -> str:  # noqa: ANN401
    if isinstance(cell, Decimal):
        return str(cell).replace(".", ",")
    if isinstance(cell, datetime):
        return cell.strftime(_MOMENT)
    if isinstance(cell, date):
        return cell.isoformat()
    return inert(cell) if isinstance(cell, str) else str(cell if cell is not None else "")


def _xlsx(file: IO[bytes], one: Listing, columns: Sequence[Column], rows: Iterator[Sequence[Any]], language: str) -> int:
    import xlsxwriter  # noqa: PLC0415 - only who exports pays for it

    written = 0
    safe = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, safe) as book:
        bold = book.add_format({"bold": True})
        forms = {
            Decimal: book.add_format({"num_format": "#,##0.00"}),
            datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            date: book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        sheet = book.add_worksheet(one.noun)
        sheet.freeze_panes(1, 0)
        for place, (head, column) in enumerate(zip(_heads(columns, language), columns, strict=True)):
            sheet.set_column(place, place, 28 if column.type is Type.TEXT else 18)
            sheet.write_string(0, place, head, bold)
        for written, row in enumerate(rows, 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                cell = _plain(column, value, language)
                if isinstance(cell, str):
                    sheet.write_string(written, place, inert(cell))
                elif isinstance(cell, (datetime, date)):
                    sheet.write_datetime(written, place, cell, forms[type(cell)])
                elif cell is not None:
                    sheet.write_number(written, place, cell, forms.get(type(cell)))
    return written


def _parquet(file: IO[bytes], _one: Listing, columns: Sequence[Column], rows: Iterator[Sequence[Any]], language: str) -> int:
    """Write typed columns, named as the address names them: programs read this file. A choice is its value, a flag a truth, money a decimal."""
    import pyarrow as pa  # noqa: PLC0415 - only who exports pays for it
    import pyarrow.parquet as pq  # noqa: PLC0415

    kinds = {
        Type.TEXT: pa.string(), Type.CHOICE: pa.string(), Type.MONEY: pa.decimal128(14, 2), Type.NUMBER: pa.int64(), Type.DAY: pa.date32(),
        Type.MOMENT: pa.timestamp("us", tz="UTC"), Type.FLAG: pa.bool_(),
    }  # fmt: skip
    raw: dict[Type, Callable[[Any], Any]] = {Type.CHOICE: str, Type.FLAG: bool, Type.MOMENT: lambda moment: moment}
    schema = pa.schema([(column.name, kinds[column.type]) for column in columns])
    written = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as table:
        while batch := list(islice(rows, _BATCH)):
            values = [
                pa.array(
                    [
                        None if cell is None else raw.get(column.type, lambda value, c=column: _plain(c, value, language))(cell)
                        for cell in cells
                    ],
                    kinds[column.type],
                )
                for column, cells in zip(columns, zip(*batch, strict=True), strict=True)
            ]
            table.write_table(pa.table(values, schema=schema))
            written += len(batch)
    return written
