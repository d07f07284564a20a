"""Papers a customer hands in."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from core.db.base import Base, Versioned, closed


class DocumentKind(StrEnum):
    """What a document is (W12)."""

    ID_CARD = "idCard"
    MANDATE = "mandate"
    PROOF_OF_ADDRESS = "proofOfAddress"
    COMPANY_PAPERS = "companyPapers"
    OTHER = "other"


class DocumentState(StrEnum):
    """How far the check of a document has come (TMF667)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PURGED = "purged"


S = DocumentState
DOCUMENT_MOVES: dict[DocumentState, frozenset[DocumentState]] = {
    S.PENDING: frozenset({S.ACCEPTED, S.REJECTED, S.PURGED}),
    S.ACCEPTED: frozenset({S.PURGED}),
    S.REJECTED: frozenset({S.PURGED}),
    S.PURGED: frozenset(),
}


class Document(Versioned, Base, table=True):
    """A row is one file handed in; its bytes lie in the document store under a random key, until it is purged."""

    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint("(state = 'purged') = (storage_key IS NULL)", name="purged"),
        Index("ix_document_customer", "customer_id", "uploaded_at"),
        Index("ix_document_uploaded", "uploaded_at", "id"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    document_no: str = Field(max_length=16, unique=True)
    kind: DocumentKind = Field(sa_type=closed(DocumentKind))
    name: str = Field(max_length=120)
    mime: str = Field(max_length=40)
    size: int
    sha256: str = Field(max_length=64)
    storage_key: str | None = Field(default=None, max_length=64)
    state: DocumentState = Field(default=DocumentState.PENDING, sa_type=closed(DocumentState))
    reason: str | None = Field(default=None, max_length=200)
    uploaded_by: str = Field(max_length=60)
    uploaded_at: datetime
    reviewed_by: str | None = Field(default=None, max_length=60)
    reviewed_at: datetime | None = None
    purge_on: date | None = None
