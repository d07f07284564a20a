"""Who did what, for whom, and when; and which clicks were already carried out.

The trail only grows: triggers refuse to change or delete a row of it, and each entry is sealed with a hash that holds all before it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, Connection, Index, event
from sqlmodel import Field

from core.db.base import Base


class AuditEntry(Base, table=True):
    """A row is one change, or one look at a customer's file, written in the transaction of what it tells about."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_customer", "customer_id", "id"),
        Index("ix_audit_entry_object", "object_type", "object_id", "id"),
        Index("ix_audit_entry_action", "action", "at"),
        Index("ix_audit_entry_actor", "actor", "action", "customer_id"),
    )

    id: int = Field(default=None, primary_key=True)
    at: datetime
    business_at: datetime
    actor: str = Field(max_length=60)
    user_id: int | None = None
    customer_id: int | None = None
    action: str = Field(max_length=60)
    object_type: str = Field(max_length=40)
    object_id: str = Field(max_length=40)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    reason: str | None = Field(default=None, max_length=200)


class AuditSeal(Base, table=True):
    """A row seals one entry: its place in the trail, and the hash of the entry together with the seal before."""

    __tablename__ = "audit_seal"

    no: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    entry_id: int = Field(unique=True)
    hash: str = Field(max_length=64)


class AuditRelease(Base, table=True):
    """The one row lets the trail be shortened; it is written and taken away within the transaction that does so."""

    __tablename__ = "audit_release"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(default=1, primary_key=True)


_FORBIDDEN = "the audit trail only grows"
_RELEASED = "EXISTS (SELECT 1 FROM audit_release)"
_KNOWN = {
    "audit_entry": "NEW.id IN (SELECT id FROM audit_entry)",
    "audit_seal": "(NEW.no IN (SELECT no FROM audit_seal) OR NEW.entry_id IN (SELECT entry_id FROM audit_seal))",
}
"""When a row would take the place of another one: INSERT OR REPLACE fires no trigger of DELETE."""
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"IF NOT {_RELEASED} THEN RAISE EXCEPTION '{_FORBIDDEN}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$"
)


def triggers(table: str) -> dict[str, tuple[str, ...]]:
    """Return the statements that let a table only grow, by kind of database."""
    return {
        "sqlite": tuple(
            f"CREATE TRIGGER {table}_no_{name} BEFORE {what} ON {table} WHEN {when}NOT {_RELEASED} "
            f"BEGIN SELECT RAISE(ABORT, '{_FORBIDDEN}'); END"
            for name, what, when in (("update", "UPDATE", ""), ("delete", "DELETE", ""), ("replace", "INSERT", f"{_KNOWN[table]} AND "))
        ),
        "postgresql": (
            _FUNCTION,
            (
                f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
            ),
        ),
    }


def _only_grows(table: Any, connection: Connection, **_given: object) -> None:  # noqa: ANN401 - a table that was just made
    for statement in triggers(table.name)[connection.dialect.name]:
        connection.exec_driver_sql(statement)


for _sealed in ("audit_entry", "audit_seal"):
    event.listen(Base.metadata.tables[_sealed], "after_create", _only_grows)


class Operation(Base, table=True):
    """A row is a click that was carried out: the same key again returns its result and does nothing (S52)."""

    __tablename__ = "operation"

    key: str = Field(primary_key=True, max_length=64)
    actor: str = Field(max_length=60)
    result: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    at: datetime


class DemoClock(Base, table=True):
    """The one row says at which moment a demo's business time stands, and counts its resets."""

    __tablename__ = "demo_clock"

    id: int = Field(default=1, primary_key=True)
    moment: datetime
    resets: int = 0
