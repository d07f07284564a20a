"""Search: what customers are found by, pinned files, single keys."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.exc import DBAPIError

from core.services import search_index

revision = '2026_11_27_search'
down_revision = '2026_11_27_desk'
branch_labels = None
depends_on = None

TEXTS = ('name', 'place', 'mail', 'number')
OLD, NEW = (f"{row}.customer_id, {', '.join(f'{row}.{name}' for name in TEXTS)}" for row in ('old', 'new'))
INTO = f"INSERT INTO search_text (rowid, {', '.join(TEXTS)}) VALUES ({NEW});"
OUT = f"INSERT INTO search_text (search_text, rowid, {', '.join(TEXTS)}) VALUES ('delete', {OLD});"


def make_extension() -> None:
    """Make pg_trgm known to the database, or say who can."""
    try:
        op.execute('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    except DBAPIError as error:
        msg = 'The search needs the extension pg_trgm. Let its owner run CREATE EXTENSION pg_trgm in this database, then start again: docs/operations.md.'
        raise RuntimeError(msg) from error


def upgrade() -> None:
    """Apply it."""
    postgresql = op.get_bind().dialect.name == 'postgresql'
    if postgresql:
        make_extension()
    op.create_table('search_entry',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    *(sa.Column(name, sa.Text(), nullable=False) for name in TEXTS),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_search_entry_customer_id')),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_search_entry'))
    )
    if postgresql:
        op.create_index('ix_search_entry_texts', 'search_entry', TEXTS, postgresql_using='gin', postgresql_ops=dict.fromkeys(TEXTS, 'gin_trgm_ops'))
    else:
        op.execute(f"CREATE VIRTUAL TABLE search_text USING fts5({', '.join(TEXTS)}, content='search_entry', content_rowid='customer_id', columnsize=0, tokenize='trigram')")
        op.execute(f'CREATE TRIGGER search_entry_in AFTER INSERT ON search_entry BEGIN {INTO} END')
        op.execute(f'CREATE TRIGGER search_entry_out AFTER DELETE ON search_entry BEGIN {OUT} END')
        op.execute(f'CREATE TRIGGER search_entry_changed AFTER UPDATE ON search_entry BEGIN {OUT} {INTO} END')
    op.create_table('pinned_file',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_pinned_file_customer_id')),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], name=op.f('fk_pinned_file_user_id')),
    sa.PrimaryKeyConstraint('user_id', 'customer_id', name=op.f('pk_pinned_file'))
    )
    with op.batch_alter_table('pinned_file', schema=None) as batch_op:
        batch_op.create_index('ix_pinned_file_customer_id', ['customer_id'], unique=False)
    with op.batch_alter_table('user_account', schema=None) as batch_op:
        batch_op.add_column(sa.Column('single_keys', sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table('user_account', schema=None) as batch_op:
        batch_op.alter_column('single_keys', server_default=None)
    search_index.rebuild(op.get_bind())


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('user_account', schema=None) as batch_op:
        batch_op.drop_column('single_keys')
    op.drop_table('pinned_file')
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TABLE search_text')
    op.drop_table('search_entry')
