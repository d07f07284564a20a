"""Trust: a trail that is sealed and only grows, and the customer's eyes lent to a colleague."""

import hashlib
import json

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '2026_11_27_trust'
down_revision = '2026_11_27_search'
branch_labels = None
depends_on = None

TABLES = ("audit_entry", "audit_seal")
RELEASED = "EXISTS (SELECT 1 FROM audit_release)"
FORBIDDEN = "the audit trail only grows"
ENTRY = sa.table(
    "audit_entry", sa.column("id", sa.Integer), sa.column("at", sqlmodel.UTCDateTime), sa.column("business_at", sqlmodel.UTCDateTime),
    sa.column("actor", sa.String), sa.column("user_id", sa.Integer), sa.column("customer_id", sa.Integer), sa.column("action", sa.String),
    sa.column("object_type", sa.String), sa.column("object_id", sa.String), sa.column("before", sa.JSON), sa.column("after", sa.JSON),
    sa.column("reason", sa.String),
)


def upgrade() -> None:
    """Apply it."""
    op.create_table('audit_release',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.CheckConstraint('id = 1', name=op.f('ck_audit_release_one')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_release'))
    )
    op.create_table('audit_seal',
    sa.Column('no', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('entry_id', sa.Integer(), nullable=False),
    sa.Column('hash', sqlmodel.AutoString(length=64), nullable=False),
    sa.PrimaryKeyConstraint('no', name=op.f('pk_audit_seal')),
    sa.UniqueConstraint('entry_id', name=op.f('uq_audit_seal_entry_id'))
    )
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('watches_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('watches_until', sqlmodel.UTCDateTime(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_user_session_watches_id'), 'customer', ['watches_id'], ['id'])
        batch_op.create_check_constraint('watches', '(watches_id IS NULL) = (watches_until IS NULL)')
    op.create_index('ix_audit_entry_action', 'audit_entry', ['action', 'at'], unique=False)
    seal_what_is_there()
    only_grow()


def seal_what_is_there() -> None:
    """Seal the entries of before, in the order of their ids."""
    connection, no, last = op.get_bind(), 0, "0" * 64
    for row in connection.execute(sa.select(ENTRY).order_by(ENTRY.c.id)).all():
        no += 1
        moments = (row.at.isoformat(), row.business_at.isoformat())
        told = [no, row.id, *moments, row.actor, row.user_id, row.customer_id, row.action, row.object_type, row.object_id, row.before, row.after, row.reason]
        text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        last = hashlib.sha256(f"{last}{text}".encode("utf-8", "surrogatepass")).hexdigest()
        connection.execute(sa.text("INSERT INTO audit_seal (no, entry_id, hash) VALUES (:no, :entry_id, :hash)"), {"no": no, "entry_id": row.id, "hash": last})


def only_grow() -> None:
    """Let the triggers refuse to change or delete what was written."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NOT {RELEASED} THEN RAISE EXCEPTION '{FORBIDDEN}' USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$"
        )
    for table in TABLES:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
            )
            continue
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{what.lower()} BEFORE {what} ON {table} WHEN NOT {RELEASED} "
                f"BEGIN SELECT RAISE(ABORT, '{FORBIDDEN}'); END"
            )


def downgrade() -> None:
    """There is no way back: a trail that is no longer sealed can't be trusted again."""
    msg = "This migration is not taken back: restore the copy of the database that was made before it."
    raise RuntimeError(msg)
