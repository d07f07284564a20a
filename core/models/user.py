"""Who can sign in, and who is signed in. Times here are real time, never the demo's."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from core.actor import Role
from core.db.base import Base, Versioned, closed


class User(Versioned, Base, table=True):
    """A row is one account that can sign in; a customer's is tied to his file. `auth_version` grows when all sessions must end."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("(role = 'customer') = (customer_id IS NOT NULL)", name="customer"),
        CheckConstraint("password_hash IS NULL OR password_hash LIKE '$argon2id$%'", name="password_hash"),
    )

    id: int = Field(default=None, primary_key=True)
    username: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=120)
    role: Role = Field(sa_type=closed(Role))
    customer_id: int | None = Field(default=None, foreign_key="customer.id", unique=True)
    password_hash: str | None = Field(default=None, max_length=200)
    auth_version: int = 1
    active: bool = True
    language: str = Field(default="fr", max_length=2)
    single_keys: bool = True
    created_at: datetime
    password_changed_at: datetime | None = None


class UserSession(Base, table=True):
    """A row is one browser that is signed in; only the hash of its cookie is kept.

    `customer_id` is the file that somebody of the house has open in it. Until `watches_until` he sees a file as its customer does.
    """

    __tablename__ = "user_session"
    __table_args__ = (
        Index("ix_user_session_user", "user_id"),
        Index("ix_user_session_customer", "customer_id"),
        CheckConstraint("(watches_id IS NULL) = (watches_until IS NULL)", name="watches"),
    )

    id: int = Field(default=None, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="user_account.id")
    auth_version: int
    created_at: datetime
    last_seen_at: datetime
    revoked_at: datetime | None = None
    device: str = Field(default="", max_length=200)
    browser_hash: str = Field(default="", max_length=64)
    customer_id: int | None = Field(default=None, foreign_key="customer.id")
    watches_id: int | None = Field(default=None, foreign_key="customer.id")
    watches_until: datetime | None = None


class SignInTicket(Base, table=True):
    """A row carries a sign-in from the form to the cookie: used once, within seconds."""

    __tablename__ = "sign_in_ticket"

    ticket_hash: str = Field(primary_key=True, max_length=64)
    session_id: int = Field(foreign_key="user_session.id")
    token: str = Field(max_length=64)
    expires_at: datetime


class Throttle(Base, table=True):
    """A row counts the failed tries on one thing (an account, an address) and says until when it rests."""

    __tablename__ = "throttle"

    scope: str = Field(primary_key=True, max_length=200)
    failures: int
    last_failure_at: datetime
    rests_until: datetime | None = None


class SecurityQuestion(Versioned, Base, table=True):
    """A row is a customer's question and the hash of his folded answer: never a way in, only a check during a call (S24)."""

    __tablename__ = "security_question"
    __table_args__ = (UniqueConstraint("customer_id"),)

    id: int = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id")
    question: str = Field(max_length=200)
    answer_hash: str = Field(max_length=200)
    set_at: datetime


class PasswordReset(Base, table=True):
    """A row is a link that lets a customer choose a new password once, within half an hour."""

    __tablename__ = "password_reset"
    __table_args__ = (Index("ix_password_reset_user", "user_id"),)

    token_hash: str = Field(primary_key=True, max_length=64)
    user_id: int = Field(foreign_key="user_account.id")
    sent_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    sent_by: str = Field(max_length=60)
