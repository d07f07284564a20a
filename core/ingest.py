"""Takes in the usage events of a file: `python -m core.ingest FILE [--rejects FILE]`. The same file twice changes nothing.

A line that can't be taken in goes to the file of rejects with its number and the reason, and the run goes on. Exit codes: 0 when
everything was taken in or known, 1 when something was rejected, 2 when the file can't be read.
"""

import argparse
import csv
import gc
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sqlalchemy.exc import OperationalError

from core import db
from core.actor import SYSTEM
from core.db import transaction
from core.services import usage_files, usage_rating
from core.services.usage_files import BadFile, Record, Source
from core.services.usage_intake import RawEvent
from core.services.usage_rating import Taken

_BATCH = 20_000
_TRIES = 6
_WAIT_SECONDS = 0.2
_WIDTH = 32


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.ingest", description=__doc__)
    parser.add_argument("file", type=Path, help="CSV or Parquet; docs/operations.md lists the columns")
    parser.add_argument("--rejects", type=Path, help="where rejected lines go (FILE.rejects.csv)")
    parser.add_argument("--database-url", help="the database; else the one of GUICHET_DATABASE_URL")
    told = parser.parse_args(arguments)
    if told.database_url:
        db.use(told.database_url)
    path = told.rejects or told.file.with_name(f"{told.file.name}.rejects.csv")
    if path.resolve() == told.file.resolve():
        parser.error("The rejects can't go into the file itself: name another one with --rejects.")
    counts, wrong = Counts(), None
    try:
        with usage_files.opened(told.file) as source, Rejects(path, source.columns) as rejects:
            _run(source, rejects, counts)
    except BadFile as refusal:
        wrong = refusal
        sys.stderr.write(f"{told.file}: {refusal}\n")
    sys.stdout.write(counts.summary(path))
    return 2 if wrong else int(counts.rejected > 0)


@dataclass
class Counts:
    """How far a run has come: read = accepted + known + rejected."""

    accepted: int = 0
    known: int = 0
    rejected: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def read(self) -> int:
        """How many lines became something."""
        return self.accepted + self.known + self.rejected

    def add(self, taken: Taken, unreadable: int) -> None:
        """Count a batch."""
        self.accepted += taken.accepted
        self.known += taken.known
        self.rejected += len(taken.rejected) + unreadable

    def summary(self, rejects: Path) -> str:
        """Tell what became of what was read."""
        told = f"{self.read:,} read = {self.accepted:,} accepted + {self.known:,} known already + {self.rejected:,} rejected"
        return f"{told} ({self.pace:,.0f} a second){f'; see {rejects}' if self.rejected else ''}\n"

    @property
    def pace(self) -> float:
        """Lines a second so far."""
        return self.read / max(time.monotonic() - self.began, 0.001)


class Rejects:
    """The file of rejected lines, made when the first one comes: number, reason, and the fields as they were."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._path = path
        self._columns = [name for name in columns if name not in usage_files.REJECT_COLUMNS]
        self._places = [place for place, name in enumerate(columns) if name not in usage_files.REJECT_COLUMNS]
        self._many = len(columns)
        self._file: IO[str] | None = None

    def add(self, record: Record, reason: str) -> None:
        """Write one line; what a file of rejects that is read again said before is left out."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8", newline="")
            csv.writer(self._file).writerow([*usage_files.REJECT_COLUMNS, *self._columns])
        fields = [record.fields[place] for place in self._places] if len(record.fields) == self._many else record.fields
        csv.writer(self._file).writerow([record.number, reason, *fields])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()


def _run(source: Source, rejects: Rejects, counts: Counts) -> None:
    """Take in a file batch by batch, each in a transaction of its own."""
    gc.disable()  # Nothing here goes round in circles, and to look for it in what a batch holds takes a fifth of the time.
    try:
        for records, behind in source.batches(_BATCH):
            readable = [record for record in records if record.event is not None]
            taken = _taken([record.event for record in readable if record.event is not None])
            refused = [(readable[place], str(reason)) for place, reason in taken.rejected]
            refused += [(record, record.reason) for record in records if record.event is None]
            for record, reason in sorted(refused, key=lambda one: one[0].number):
                rejects.add(record, reason)
            counts.add(taken, len(records) - len(readable))
            sys.stderr.write(f"\r{_bar(counts, behind, source.size)}")
            sys.stderr.flush()
    finally:
        gc.enable()
        sys.stderr.write("\n")


def _taken(events: Sequence[RawEvent]) -> Taken:
    """Take in a batch; when the database was busy, or two runs stood in each other's way, it is done again: it changes nothing twice."""
    for attempt in range(_TRIES):
        try:
            with transaction() as session:
                return usage_rating.take_in(session, SYSTEM, events=events)
        except OperationalError:
            if attempt == _TRIES - 1:
                raise
            time.sleep(_WAIT_SECONDS * 2**attempt)
    raise AssertionError


def _bar(counts: Counts, behind: int, size: int) -> str:
    full = min(_WIDTH, _WIDTH * behind // max(size, 1))
    return f"[{'#' * full}{'.' * (_WIDTH - full)}] {counts.read:,} lines, {counts.rejected:,} rejected, {counts.pace:,.0f} a second"


if __name__ == "__main__":
    sys.exit(main())
