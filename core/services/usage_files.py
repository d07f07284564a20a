"""Files of usage events, read in batches: CSV line by line, so that a broken line costs that line only, and Parquet by row groups."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from core.models.usage import Direction, UsageKind, Zone
from core.services import usage_numbers
from core.services.usage_intake import RawEvent

REQUIRED = ("at", "id", "kind", "quantity")
NAMED_BY = ("line", "product_no")
OPTIONAL = ("direction", "zone", "country", "other_party")
REJECT_COLUMNS = ("reject_line", "reject_reason")
"""What a file of rejects has in front; it can be read again once it was put right."""

_LONGEST_LINE = 65_536
_BLOCK = 1 << 20
_MOST_DIGITS = 19
_KINDS = {one.value: one for one in UsageKind}
_DIRECTIONS = {"": Direction.OUT, **{one.value: one for one in Direction}}
_ZONES = {"": Zone.NATIONAL, **{one.value: one for one in Zone}}


class BadFile(Exception):
    """The file as a whole can't be read; the text says why, and what to do."""


class BadRecord(ValueError):
    """A line that is no event; the text says why."""


class Record(NamedTuple):
    """A line of a file: its number (the heading is line 1; rows of Parquet count from 1), its fields as they were, and what it tells."""

    number: int
    fields: Sequence[object]
    event: RawEvent | None
    reason: str = ""


@dataclass(frozen=True)
class Source:
    """A file that is open: its columns, how much of it there is, and its records in batches, each with how much of it lies behind."""

    columns: tuple[str, ...]
    size: int
    batches: Callable[[int], Iterator[tuple[list[Record], int]]]


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a file: Parquet by its first bytes, else CSV in UTF-8 with commas or semicolons. Raises BadFile, then and while it is read."""
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == b"PAR1"
            file.seek(0)
            if parquet:
                with pq.ParquetFile(file) as table:
                    yield _parquet(table)
            else:
                yield _csv(file, path.stat().st_size)
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        msg = f"The file can't be read ({error})."
        raise BadFile(msg) from error


def _parser(columns: Sequence[str]) -> Callable[[Sequence[Any]], RawEvent]:
    """Return what makes an event of the fields of a line. Raises BadFile for a heading that does not hold what is needed."""
    missing = [name for name in REQUIRED if name not in columns]
    if not set(columns) & set(NAMED_BY):
        missing.append("line or product_no")
    strange = sorted(set(columns) - {*REQUIRED, *NAMED_BY, *OPTIONAL, *REJECT_COLUMNS})
    if missing or strange or len(set(columns)) != len(columns):
        told = [f"missing: {', '.join(missing)}"] if missing else []
        told += [f"unknown: {', '.join(strange)}"] if strange else []
        msg = f"The heading is not the one of usage events ({'; '.join(told) or 'a column stands twice'}); docs/operations.md lists the columns."
        raise BadFile(msg)
    places = {name: columns.index(name) for name in columns}
    at, number, kind, quantity = (places[name] for name in REQUIRED)
    line, product, direction, zone, country, party = (places.get(name, -1) for name in (*NAMED_BY, *OPTIONAL))

    def parse(fields: Sequence[Any]) -> RawEvent:
        given = (*fields, "")  # A column that is not there reads the empty field behind the last one.
        return RawEvent(
            _moment(given[at]), _whole("id", given[number]), _one_of("kind", given[kind], _KINDS), _whole("quantity", given[quantity]),
            usage_numbers.stored(_text(given[line])), _text(given[product]), _one_of("direction", given[direction], _DIRECTIONS),
            _one_of("zone", given[zone], _ZONES), _text(given[country]), _text(given[party]),
        )  # fmt: skip

    return parse


def _moment(value: Any) -> datetime:  # noqa: ANN401 - text, or what Parquet holds
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if moment.tzinfo is not None:
            return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = "at is no moment with its offset, like 2026-11-18T09:30:00+01:00"
    raise BadRecord(msg)


def _whole(name: str, value: Any) -> int:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    msg = f"{name} is no whole number"
    raise BadRecord(msg)


def _one_of(name: str, value: Any, known: Mapping[str, Any]) -> Any:  # noqa: ANN401
    found = known.get("" if value is None else value)
    if found is None:
        msg = f"{name} is none of {', '.join(sorted(filter(None, known)))}"
        raise BadRecord(msg)
    return found


def _text(value: Any) -> str | None:  # noqa: ANN401
    if value is None or value == "":
        return None
    if "\x00" in str(value):
        msg = "a field holds a byte of nothing"
        raise BadRecord(msg)
    return str(value)


def _csv(file: IO[bytes], size: int) -> Source:
    """Read CSV line by line: no field of ours holds a line break, so that a stray quote can't swallow the lines behind it."""
    lines = _lines(file)
    heading = _decoded(next(lines, (0, b"", 0))[1])
    if heading is None:
        msg = "The heading is no text in UTF-8."
        raise BadFile(msg)
    heading = heading.removeprefix("\ufeff")
    comma = ";" if heading.count(";") > heading.count(",") else ","
    columns = tuple(name.strip() for name in _split(heading, comma) or ())
    parse = _parser(columns)

    def record(number: int, raw: bytes) -> Record:
        line = _decoded(raw)
        if line is None:
            return Record(
                number, [raw[:_LONGEST_LINE].decode("utf-8", "backslashreplace")], None, "the line is no text in UTF-8, or too long"
            )
        fields = _split(line, comma)
        if fields is None or len(fields) != len(columns):
            return Record(number, [line] if fields is None else fields, None, f"the line has not the {len(columns)} fields of the heading")
        return _record(number, fields, parse)

    def batches(many: int) -> Iterator[tuple[list[Record], int]]:
        found: list[Record] = []
        behind = 0
        for number, raw, behind in lines:
            if raw:
                found.append(record(number, raw))
            if len(found) == many:
                yield found, behind
                found = []
        if found:
            yield found, behind

    return Source(columns, size, batches)


def _record(number: int, fields: Sequence[Any], parse: Callable[[Sequence[Any]], RawEvent]) -> Record:
    try:
        return Record(number, fields, parse(fields))
    except BadRecord as wrong:
        return Record(number, fields, None, str(wrong))


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes, int]]:
    """Yield each line with its number and where it ends; of one that never ends only the beginning is kept."""
    number, behind, rest = 1, 0, b""
    while block := file.read(_BLOCK):
        *whole, open_end = (rest + block).split(b"\n")
        for line in whole:
            behind += len(line) + 1
            yield number, line[: _LONGEST_LINE + 1].rstrip(b"\r"), behind
            number += 1
        rest = open_end[: _LONGEST_LINE + 1]
    if rest:
        yield number, rest.rstrip(b"\r"), behind + len(rest)


def _decoded(raw: bytes) -> str | None:
    if len(raw) > _LONGEST_LINE:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _split(line: str, comma: str) -> list[str] | None:
    """Cut a line into its fields; None where its quotes do not close."""
    if '"' not in line:
        return line.split(comma)
    try:
        return next(csv.reader([line], delimiter=comma, strict=True), [])
    except csv.Error:
        return None


def _parquet(table: pq.ParquetFile) -> Source:
    columns = tuple(table.schema_arrow.names)
    parse = _parser(columns)

    def batches(many: int) -> Iterator[tuple[list[Record], int]]:
        number = 0
        for batch in table.iter_batches(batch_size=many):
            rows = zip(*(_values(column) for column in batch.columns), strict=True)
            yield [_record(place, fields, parse) for place, fields in enumerate(rows, number + 1)], number + batch.num_rows
            number += batch.num_rows

    return Source(columns, table.metadata.num_rows, batches)


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return list(column.to_pylist())
