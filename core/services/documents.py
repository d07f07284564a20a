"""Papers that customers hand in: added, looked at, accepted or rejected, and deleted when they have served (W12, R25)."""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from obstore.exceptions import BaseError
from sqlmodel import Session, and_, col, or_, select

from core import clock, i18n
from core.actor import Actor, Permission
from core.documents import names, pending, store
from core.documents.check import check
from core.errors import N_, DomainError, NotFound
from core.models.customer import Customer
from core.models.document import DOCUMENT_MOVES, Document, DocumentKind, DocumentState
from core.services import audit, communications
from core.text_rules import needed

MAX_FILES = 20
"""Files that a customer may have in the store at a time (S28)."""
MAX_FILES_AT_ONCE = 5
PURGE_AFTER = timedelta(days=30)
"""How long the copy of an ID card is kept: after it came in, and again after it was accepted."""
REASON_LENGTH = 200

KIND_NAMES = {
    DocumentKind.ID_CARD: N_("identity card"),
    DocumentKind.MANDATE: N_("direct debit mandate"),
    DocumentKind.PROOF_OF_ADDRESS: N_("proof of address"),
    DocumentKind.COMPANY_PAPERS: N_("company papers"),
    DocumentKind.OTHER: N_("other document"),
}

log = logging.getLogger("guichet")

_SWEPT_AFTER = timedelta(hours=1)
"""No transaction takes so long: bytes that are older and have no row will never get one."""


class TooManyFiles(DomainError):
    """The customer's place in the store is full."""

    message = N_("There are {limit} documents already. Delete one that is waiting or was rejected, then add this one.")
    field = "file"


class AlreadyThere(DomainError):
    """The same content was handed in before."""

    message = N_("This file is already there: it was added on {day} as {document_no}. Nothing more is needed.")
    field = "file"


class AlreadyChecked(DomainError):
    """The document was accepted or rejected before."""

    message = N_("This document was already checked. Ask the customer for a new one if it must change.")


class NotToWithdraw(DomainError):
    """An accepted document is ours to keep until its day."""

    message = N_("An accepted document can't be deleted. Ask us if it must be.")


class Unavailable(DomainError):
    """The bytes can't be had, or are no longer what was stored."""

    message = N_("This document can't be opened now. Try again later, or ask the customer for a new copy.")


@dataclass(frozen=True)
class DocumentRow:
    """A document in a list."""

    id: int
    document_no: str
    kind: DocumentKind
    name: str
    mime: str
    size: int
    state: DocumentState
    reason: str | None
    uploaded_by: str
    uploaded_at: datetime
    reviewed_by: str | None
    reviewed_at: datetime | None
    purge_on: date | None
    version: int

    @property
    def verified(self) -> bool:
        """Whether it was found good; that stays known (by whom, and when) after the copy is gone."""
        return self.reviewed_at is not None and self.reason is None

    @property
    def held(self) -> bool:
        """Whether the file itself can still be opened."""
        return self.state is not DocumentState.PURGED


@dataclass(frozen=True)
class Opened:
    """A document as it is downloaded."""

    name: str
    mime: str
    data: bytes


def add(session: Session, actor: Actor, *, customer_id: int, kind: DocumentKind, name: str, data: bytes) -> DocumentRow:
    """Take in a file and tell the customer.

    What is stored is what core.documents.check made of it. The copy of an ID card is deleted after 30 days even if nobody looks
    at it. Raises Refused (the file can't be taken), TooManyFiles, AlreadyThere and NotFound.
    """
    actor.require(Permission.DOCUMENT_WRITE, customer_id)
    accepted = check(name, data)
    document_no = _next_number(session, customer_id, accepted.sha256)
    row = Document(
        customer_id=customer_id,
        document_no=document_no,
        kind=kind,
        name=accepted.name,
        mime=accepted.mime,
        size=len(accepted.data),
        sha256=accepted.sha256,
        storage_key=pending.put(session, accepted.data),
        uploaded_by=actor.username,
        uploaded_at=clock.now(),
        purge_on=clock.today() + PURGE_AFTER if kind is DocumentKind.ID_CARD else None,
    )
    session.add(row)
    session.flush()
    _record(session, actor, row, "add", after={"kind": kind, "mime": row.mime, "size": row.size, "purge_on": row.purge_on})
    _tell(session, actor, row, "document_received")
    return _row(row)


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> tuple[DocumentRow, ...]:
    """Return a customer's documents, the newest first. Of those deleted, only the verified remain: when and by whom."""
    actor.require(Permission.DOCUMENT_READ, customer_id)
    held_or_verified = or_(
        Document.state != DocumentState.PURGED, and_(col(Document.reviewed_at).is_not(None), col(Document.reason).is_(None))
    )
    found = session.execute(
        select(*(getattr(Document, field) for field in DocumentRow.__dataclass_fields__))
        .where(Document.customer_id == customer_id, held_or_verified)
        .order_by(col(Document.uploaded_at).desc(), col(Document.id).desc())
    )
    return tuple(DocumentRow(*row) for row in found)


def open_(session: Session, actor: Actor, *, customer_id: int, document_id: int) -> Opened:
    """Return the bytes of a document, and write down who looked at it.

    Staff open an ID card only with the right to check documents (R25). The name to save it under is its own for each document
    (S36). Raises NotFound and Unavailable.
    """
    actor.require(Permission.DOCUMENT_READ, customer_id)
    row = _held(session, customer_id, document_id)
    if row.kind is DocumentKind.ID_CARD and actor.house:
        actor.require(Permission.DOCUMENT_REVIEW, customer_id)
    opened = Opened(names.served(row.document_no, row.name), row.mime, _bytes_of(row))
    _record(session, actor, row, "open")
    return opened


def review(
    session: Session, actor: Actor, *, customer_id: int, document_id: int, shown_version: int, accept: bool, reason: str = ""
) -> DocumentRow:
    """Accept a document, or reject it with a reason that the customer reads.

    An accepted ID card is deleted 30 days later, a rejected one at the next run of `purge_due`. Raises ChangedMeanwhile,
    AlreadyChecked, NotFound and, for a rejection without a reason, Missing.
    """
    actor.require(Permission.DOCUMENT_REVIEW, customer_id)
    row = _shown(session, customer_id, document_id, shown_version)
    state = DocumentState.ACCEPTED if accept else DocumentState.REJECTED
    if state not in DOCUMENT_MOVES[row.state]:
        raise AlreadyChecked
    row.reason = None if accept else needed(reason, field="reason", length=REASON_LENGTH)
    row.state = state
    row.reviewed_by, row.reviewed_at = actor.username, clock.now()
    if row.kind is DocumentKind.ID_CARD:
        row.purge_on = clock.today() + PURGE_AFTER if accept else clock.today()
    session.flush()
    _record(
        session, actor, row, "accept" if accept else "reject",
        before={"state": DocumentState.PENDING}, after={"state": row.state, "purge_on": row.purge_on}, reason=row.reason,
    )  # fmt: skip
    if accept:
        _tell(session, actor, row, "document_accepted", purge_on=row.purge_on)
    else:
        _tell(session, actor, row, "document_rejected", reason=row.reason)
    return _row(row)


def withdraw(session: Session, actor: Actor, *, customer_id: int, document_id: int, shown_version: int) -> None:
    """Delete a document that waits or was rejected. Raises ChangedMeanwhile, NotToWithdraw and NotFound."""
    actor.require(Permission.DOCUMENT_WRITE, customer_id)
    row = _shown(session, customer_id, document_id, shown_version)
    if row.state is DocumentState.ACCEPTED:
        raise NotToWithdraw
    _purge(session, actor, row, "withdraw")


def purge_due(session: Session, actor: Actor) -> int:
    """Delete the copies whose day has come; that a document was verified, when and by whom stays. Returns how many."""
    actor.require(Permission.DOCUMENT_REVIEW)
    due = session.exec(
        select(Document)
        .where(col(Document.purge_on) <= clock.today(), Document.state != DocumentState.PURGED)
        .order_by(col(Document.id))
        .with_for_update(skip_locked=True)
    ).all()
    for row in due:
        _purge(session, actor, row, "purge")
    return len(due)


def sweep(session: Session, actor: Actor) -> int:
    """Delete bytes that no row knows, left by a transaction that failed; returns how many. Younger than an hour they may yet get a row."""
    actor.require(Permission.DOCUMENT_REVIEW)
    swept = 0
    for keys in store.older_than(clock.real_now() - _SWEPT_AFTER):
        known = set(session.exec(select(Document.storage_key).where(col(Document.storage_key).in_(keys))))
        for key in set(keys) - known:
            store.delete(key)
            swept += 1
    return swept


def _next_number(session: Session, customer_id: int, sha256: str) -> str:
    """Return the number of a customer's next document, while nobody else can add one. Raises NotFound, TooManyFiles, AlreadyThere."""
    customer_no = session.exec(select(Customer.customer_no).where(Customer.id == customer_id).with_for_update(key_share=True)).first()
    if customer_no is None:
        raise NotFound
    rows = session.exec(
        select(Document.document_no, Document.state, Document.sha256, Document.uploaded_at).where(Document.customer_id == customer_id)
    ).all()
    held = [(document_no, known, at) for document_no, state, known, at in rows if state != DocumentState.PURGED]
    for document_no, known, at in held:
        if known == sha256:
            raise AlreadyThere(day=clock.local(at).date(), document_no=document_no)
    if len(held) >= MAX_FILES:
        raise TooManyFiles(limit=MAX_FILES)
    return f"D{customer_no}{len(rows) + 1:02d}"


def _shown(session: Session, customer_id: int, document_id: int, shown_version: int) -> Document:
    """Return a document as it was shown; one that was erased since was changed by somebody too. Raises NotFound, ChangedMeanwhile."""
    row = session.exec(select(Document).where(Document.customer_id == customer_id, Document.id == document_id).with_for_update()).first()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "document", row.id)
    return _held(session, customer_id, document_id)


def _held(session: Session, customer_id: int, document_id: int) -> Document:
    """Return a document of this customer whose bytes are still there. Raises NotFound."""
    row = session.exec(
        select(Document)
        .where(Document.customer_id == customer_id, Document.id == document_id, Document.state != DocumentState.PURGED)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound
    return row


def _bytes_of(row: Document) -> bytes:
    try:
        data = store.get(row.storage_key or "")
    except (BaseError, OSError) as error:
        log.exception("the bytes of document %s can't be read", row.document_no)
        raise Unavailable from error
    if hashlib.sha256(data).hexdigest() != row.sha256:
        log.error("the bytes of document %s are not what was stored", row.document_no)
        raise Unavailable
    return data


def _purge(session: Session, actor: Actor, row: Document, verb: str) -> None:
    """Give up the bytes, and the name: customers write their national number there."""
    before = row.state
    pending.delete(session, row.storage_key or "")
    row.state, row.storage_key, row.name = DocumentState.PURGED, None, row.document_no
    session.flush()
    _record(session, actor, row, verb, before={"state": before}, after={"state": row.state})


def _record(session: Session, actor: Actor, row: Document, verb: str, **facts: Any) -> None:  # noqa: ANN401 - what the audit entry takes
    audit.record(session, actor, action=f"document:{verb}", object_type="document", object_id=row.id, customer_id=row.customer_id, **facts)


def _tell(session: Session, actor: Actor, row: Document, template: str, **params: object) -> None:
    language = session.exec(select(Customer.language).where(Customer.id == row.customer_id)).one()
    document = i18n.translate(language, KIND_NAMES[row.kind])
    communications.send(session, actor, customer_id=row.customer_id, template=template, params={"document": document, **params})


def _row(row: Document) -> DocumentRow:
    return DocumentRow(**{field: getattr(row, field) for field in DocumentRow.__dataclass_fields__})
