"""Who the customer is, and how to reach him."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core.db.base import Base, Versioned, closed


class CustomerKind(StrEnum):
    """A person or an organisation (TMF632)."""

    INDIVIDUAL = "individual"
    ORGANIZATION = "organization"


class CustomerStatus(StrEnum):
    """TMF629."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


CUSTOMER_MOVES: dict[CustomerStatus, frozenset[CustomerStatus]] = {
    CustomerStatus.PROSPECT: frozenset({CustomerStatus.ACTIVE}),
    CustomerStatus.ACTIVE: frozenset({CustomerStatus.SUSPENDED, CustomerStatus.CLOSED}),
    CustomerStatus.SUSPENDED: frozenset({CustomerStatus.ACTIVE, CustomerStatus.CLOSED}),
    CustomerStatus.CLOSED: frozenset(),
}


class Language(StrEnum):
    """The language a customer is written to in."""

    FR = "fr"
    NL = "nl"
    DE = "de"
    EN = "en"


class CustomerFields(SQLModel):
    """What the form and the table share."""

    kind: CustomerKind = Field(default=CustomerKind.INDIVIDUAL, sa_type=closed(CustomerKind))
    given_name: str | None = Field(default=None, max_length=100)
    family_name: str | None = Field(default=None, max_length=100)
    trading_name: str | None = Field(default=None, max_length=150)
    enterprise_no: str | None = Field(default=None, max_length=10, index=True)
    birth_date: date | None = None
    language: Language = Field(default=Language.FR, sa_type=closed(Language))
    second_holder: str | None = Field(default=None, max_length=200)


class Customer(CustomerFields, Versioned, Base, table=True):
    """A row is one customer: a person or an organisation that holds products and receives bills."""

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint(
            "(kind = 'individual' AND family_name IS NOT NULL) OR (kind = 'organization' AND trading_name IS NOT NULL)", name="named"
        ),
        CheckConstraint("length(customer_no) = 8", name="customer_no"),
    )

    id: int = Field(default=None, primary_key=True)
    customer_no: str = Field(max_length=8, unique=True)
    status: CustomerStatus = Field(default=CustomerStatus.ACTIVE, sa_type=closed(CustomerStatus))
    status_since: date
    status_reason: str | None = Field(default=None, max_length=200)
    vip: bool = False
    colleague: bool = False
    vulnerable: bool = False
    deceased_on: date | None = None
    taken_over_by_id: int | None = Field(default=None, foreign_key="customer.id")
    withdrawal_until: date | None = None
    mailbox_until: date | None = None
    search_name: str = Field(max_length=400, index=True)
    created_at: datetime

    @property
    def name(self) -> str:
        """The name as it is written on a letter."""
        return self.trading_name or " ".join(part for part in (self.given_name, self.family_name) if part)


class ContactKind(StrEnum):
    """What a contact medium is (TMF632)."""

    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"


class AddressFields(SQLModel):
    """An address in the parts that SEPA and the post want (house trap 8)."""

    street: str | None = Field(default=None, max_length=120)
    number: str | None = Field(default=None, max_length=12)
    box: str | None = Field(default=None, max_length=12)
    postcode: str | None = Field(default=None, max_length=10)
    town: str | None = Field(default=None, max_length=80)
    country: str | None = Field(default=None, max_length=2)


class ContactMedium(AddressFields, Base, table=True):
    """A row is one way to reach a customer during a time; it is closed and followed by another, never overwritten."""

    __tablename__ = "contact_medium"
    __table_args__ = (
        ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        Index(
            "uq_contact_medium_current", "customer_id", "kind", unique=True,
            sqlite_where=text("until_at IS NULL"), postgresql_where=text("until_at IS NULL"),
        ),
        CheckConstraint("(kind = 'address') = (postcode IS NOT NULL)", name="address"),
        CheckConstraint("(kind = 'address') = (value IS NULL)", name="value"),
        Index("ix_contact_medium_value", "value"),
        Index("ix_contact_medium_postcode", "postcode"),
    )  # fmt: skip

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    kind: ContactKind = Field(sa_type=closed(ContactKind))
    value: str | None = Field(default=None, max_length=254)
    since_at: datetime
    until_at: datetime | None = None
    verified_at: datetime | None = None


class EmailVerification(Base, table=True):
    """A row is a code that was sent to a new e-mail address; the address counts once the code comes back."""

    __tablename__ = "email_verification"
    __table_args__ = (UniqueConstraint("customer_id"), ForeignKeyConstraint(["customer_id"], ["customer.id"]))

    id: int = Field(default=None, primary_key=True)
    customer_id: int
    email: str = Field(max_length=254)
    code_hash: str = Field(max_length=64)
    sent_at: datetime
    expires_at: datetime
    failures: int = 0
