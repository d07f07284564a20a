"""Looks through the audit trail: `python -m core.audit verify` names the first row that is not what was written."""

import argparse
import sys
from pathlib import Path

from core.actor import SYSTEM
from core.db import reading
from core.services import audit_trail
from core.services.audit_seals import Head


def main(arguments: list[str] | None = None) -> int:
    """Carry out the command and return its exit code: 0 when the trail is whole, 1 when it is not."""
    parser = argparse.ArgumentParser(prog="python -m core.audit", description=__doc__)
    verify = parser.add_subparsers(dest="command", required=True).add_parser("verify", help="look through the whole trail")
    verify.add_argument("--head", type=_head, metavar="NO:HASH", help="what an earlier run printed: the trail must still hold it")
    verify.add_argument(
        "--keep", type=Path, metavar="FILE", help="the same of a file that lies elsewhere; it then holds the head of this run"
    )
    given = parser.parse_args(arguments)
    known = given.head
    if given.keep and given.keep.exists():
        known = _head(given.keep.read_text().strip())
    with reading() as session:
        found = audit_trail.verify(session, SYSTEM, known=known)
    if found.wrong is not None:
        sys.stderr.write(f"{audit_trail.tell(found.wrong)}\n")
        return 1
    head = f"{found.head.no}:{found.head.hash}"
    if given.keep:
        given.keep.write_text(f"{head}\n")
    sys.stdout.write(f"{found.entries} entries, head {head}\n")
    return 0


def _head(told: str) -> Head:
    number, _, found = told.partition(":")
    return Head(int(number), found)


if __name__ == "__main__":
    sys.exit(main())
