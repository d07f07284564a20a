"""On SQLite, a row of the trail can't be replaced by an insert either."""

from alembic import op

revision = '2026_11_28_no_replace'
down_revision = '2026_11_28_dispute_end'
branch_labels = None
depends_on = None

KNOWN = {
    "audit_entry": "NEW.id IN (SELECT id FROM audit_entry)",
    "audit_seal": "(NEW.no IN (SELECT no FROM audit_seal) OR NEW.entry_id IN (SELECT entry_id FROM audit_seal))",
}


def upgrade() -> None:
    """Apply it."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, known in KNOWN.items():
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {known} AND NOT EXISTS (SELECT 1 FROM audit_release) "
            "BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END"
        )


def downgrade() -> None:
    """Take it back."""
    if op.get_bind().dialect.name == "sqlite":
        for table in KNOWN:
            op.execute(f"DROP TRIGGER {table}_no_replace")
