"""A customer's own data, as he may ask for them (GDPR art. 15 and 20): one ZIP with his data as JSON by noun, his papers, and who looked.

What is about other people, what is secret, and the notes of the house stay out: `personal_data.RULES` says what is told of each table.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import IO, Any

from obstore.exceptions import BaseError
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission
from core.documents import store
from core.errors import N_
from core.models.audit import AuditEntry
from core.models.bill import Bill
from core.models.customer import Customer
from core.models.document import Document
from core.models.mandate import Mandate
from core.models.usage import UsageEvent
from core.pdf.bill import PrintedBill, render_bill
from core.services import audit, mandates
from core.services.erasure import whose
from core.services.personal_data import RULES, Rule
from core.services.usage_numbers import mask

_BATCH = 2000
_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_READ_ME = N_(
    "These are the data we hold about customer {number}, as of {on}.\n\n"
    "data: one file for each kind of data, in JSON. Amounts are in euro cents, moments in UTC.\n"
    "bills, mandates, documents: your papers, as they are.\n"
    "Left out: what is about other people (their numbers end in dots), passwords and codes, and notes we made for ourselves.\n"
)


@dataclass(frozen=True)
class Told:
    """How much a bundle holds."""

    rows: int
    papers: int


def bundle(session: Session, actor: Actor, *, customer_id: int, file: IO[bytes]) -> Told:
    """Write a customer's bundle to a file and return how much it holds; who hands it out calls `note`, in a transaction that is short.

    Holds only some rows in memory at a time. Raises NotPermitted.
    """
    actor.require(Permission.CUSTOMER_EXPORT, customer_id)
    customer = session.get_one(Customer, customer_id)
    rows = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", i18n.translate(customer.language, _READ_ME, number=customer.customer_no, on=clock.today()))
        for rule in RULES:
            if rule.tells:
                rows += _write_table(session, archive, rule, customer_id)
        papers = (
            _papers(session, archive, customer_id) + _mandates(session, archive, customer_id) + _documents(session, archive, customer_id)
        )
    return Told(rows, papers)


def note(session: Session, actor: Actor, *, customer_id: int, told: Told) -> None:
    """Write down who took all data of a customer along, before they are handed out."""
    actor.require(Permission.CUSTOMER_EXPORT, customer_id)
    audit.record(
        session, actor, action="customer:export", object_type="customer", object_id=customer_id, customer_id=customer_id,
        after={"rows": told.rows, "papers": told.papers},
    )  # fmt: skip


def _write_table(session: Session, archive: zipfile.ZipFile, rule: Rule, customer_id: int) -> int:
    """Write a table as a list of objects; nothing where there are none."""
    rows = _rows(session, rule, customer_id)
    first = next(rows, None)
    if first is None:
        return 0
    count = 1
    with archive.open(f"data/{rule.table.name}.json", "w") as out:
        out.write(b"[\n" + _json(first))
        for count, row in enumerate(rows, 2):  # noqa: B007 - the count is the answer
            out.write(b",\n" + _json(row))
        out.write(b"\n]\n")
    return count


def _rows(session: Session, rule: Rule, customer_id: int) -> Iterator[dict[str, Any]]:
    columns = [rule.table.c[name] for name in rule.tells]
    order = list(rule.table.primary_key.columns)
    found = session.execute(select(*columns).where(whose(rule, customer_id)).order_by(*order).execution_options(yield_per=_BATCH))
    for row in found:
        told = dict(zip(rule.tells, row, strict=True))
        if rule.model is UsageEvent and told["other_party"]:
            told["other_party"] = mask(told["other_party"])
        if rule.model is AuditEntry and told["object_type"] not in {"customer", "bill", "document", "communication"}:
            told.pop("object_id")
        yield told


def _papers(session: Session, archive: zipfile.ZipFile, customer_id: int) -> int:
    query = select(col(Bill.bill_no), col(Bill.printed)).where(col(Bill.customer_id) == customer_id).order_by(col(Bill.id))
    count = 0
    for count, (number, printed) in enumerate(session.execute(query), 1):  # noqa: B007 - the count is the answer
        archive.writestr(f"bills/{number}.pdf", render_bill(PrintedBill.from_dict(printed)))
    return count


def _mandates(session: Session, archive: zipfile.ZipFile, customer_id: int) -> int:
    found = session.execute(select(Mandate).where(col(Mandate.customer_id) == customer_id)).scalars().all()
    for row in found:
        archive.writestr(f"mandates/{_NAMES.sub('-', row.umr)}.pdf", mandates.paper(session, row, whole=True))
    return len(found)


def _documents(session: Session, archive: zipfile.ZipFile, customer_id: int) -> int:
    """Put in what he handed in, as far as it is still kept; what can't be read is named instead."""
    held = (col(Document.customer_id) == customer_id, col(Document.storage_key).is_not(None))
    rows = session.execute(select(col(Document.document_no), col(Document.mime), col(Document.storage_key)).where(*held)).all()
    for number, mime, key in rows:
        kind = mime.rsplit("/", 1)[-1].replace("jpeg", "jpg")
        try:
            archive.writestr(f"documents/{number}.{kind}", store.get(key or ""))
        except (BaseError, OSError):
            archive.writestr(f"documents/{number}.missing.txt", number)
    return len(rows)


def _json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(type(value))
