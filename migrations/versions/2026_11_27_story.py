"""The story of a file: notes, tags, tasks of somebody, calls with their caller's check."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '2026_11_27_story'
down_revision = '2026_11_27_trust'
branch_labels = None
depends_on = None

_INTERACTION = (
    ('ended_at', 'ended_at IS NULL OR ended_at >= at'),
    ('reason', "ended_at IS NULL OR reason <> ''"),
    ('handed_to', 'handed_to IS NULL OR ended_at IS NOT NULL'),
    ('seconds', 'seconds >= 0'),
)
_TASK = (
    ('owner', 'owner IS NULL OR team IS NULL'),
    ('done_by', 'done_by IS NULL OR done_at IS NOT NULL'),
    ('done_words', 'done_words IS NULL OR done_by IS NOT NULL'),
    ('words', "code NOT IN ('free', 'handover') OR words IS NOT NULL"),
)


def upgrade() -> None:
    """Apply it."""
    op.create_table('note',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('text', sqlmodel.AutoString(length=2000), nullable=False),
    sa.Column('source', sa.Enum('agent', 'system', 'rule', name='note_source', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('author', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('pinned', sa.Boolean(), nullable=False),
    sa.Column('created_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('replaces_id', sa.Integer(), nullable=True),
    sa.Column('until_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.Column('until_by', sqlmodel.AutoString(length=60), nullable=True),
    sa.CheckConstraint("text <> ''", name=op.f('ck_note_text')),
    sa.CheckConstraint('(until_at IS NULL) = (until_by IS NULL)', name=op.f('ck_note_until_by')),
    sa.CheckConstraint('until_at IS NULL OR until_at >= created_at', name=op.f('ck_note_until_at')),
    sa.ForeignKeyConstraint(['customer_id', 'replaces_id'], ['note.customer_id', 'note.id'], name=op.f('fk_note_customer_id_replaces_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_note_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_note_customer_id_id')),
    sa.UniqueConstraint('replaces_id', name=op.f('uq_note_replaces_id'))
    )
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.create_index('ix_note_customer', ['customer_id', 'created_at'], unique=False)

    op.create_table('tag',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('word', sqlmodel.AutoString(length=30), nullable=False),
    sa.Column('folded', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('owner', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('since_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('ended_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.Column('ended_by', sqlmodel.AutoString(length=60), nullable=True),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_by IS NULL)', name=op.f('ck_tag_ended_by')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_tag_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tag'))
    )
    with op.batch_alter_table('tag', schema=None) as batch_op:
        batch_op.create_index('ix_tag_customer', ['customer_id'], unique=False)
        batch_op.create_index('uq_tag_stands', ['customer_id', 'folded'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('opened_at', sqlmodel.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('ended_at', sqlmodel.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column('seconds', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('handed_to', sqlmodel.AutoString(length=60), nullable=True))
    op.execute("UPDATE interaction SET ended_at = at, reason = CASE reason WHEN '' THEN 'other' ELSE reason END")  # Nobody was on the line.
    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.alter_column('version', server_default=None)
        batch_op.create_unique_constraint(batch_op.f('uq_interaction_customer_id_id'), ['customer_id', 'id'])
        for name, condition in _INTERACTION:
            batch_op.create_check_constraint(batch_op.f(f'ck_interaction_{name}'), condition)
        batch_op.create_index('uq_interaction_open', ['agent'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('caller_check',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('interaction_id', sa.Integer(), nullable=False),
    sa.Column('fact', sa.Enum('customerNo', 'birthDate', 'billAmount', 'postcode', name='caller_fact', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('matched', sa.Boolean(), nullable=False),
    sa.Column('at', sqlmodel.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'interaction_id'], ['interaction.customer_id', 'interaction.id'], name=op.f('fk_caller_check_customer_id_interaction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_caller_check'))
    )
    with op.batch_alter_table('caller_check', schema=None) as batch_op:
        batch_op.create_index('ix_caller_check_interaction', ['customer_id', 'interaction_id'], unique=False)

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.add_column(sa.Column('words', sqlmodel.AutoString(length=200), nullable=True))
        batch_op.add_column(sa.Column('owner', sqlmodel.AutoString(length=60), nullable=True))
        batch_op.add_column(sa.Column('team', sa.Enum('care', 'billing', 'product', name='team', native_enum=False, create_constraint=True, length=40), nullable=True))
        batch_op.add_column(sa.Column('created_by', sqlmodel.AutoString(length=60), nullable=False, server_default='system'))
        batch_op.add_column(sa.Column('done_by', sqlmodel.AutoString(length=60), nullable=True))
        batch_op.add_column(sa.Column('done_words', sqlmodel.AutoString(length=200), nullable=True))
        for name, condition in _TASK:
            batch_op.create_check_constraint(batch_op.f(f'ck_task_{name}'), condition)
        batch_op.create_index('ix_task_open', ['due'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.alter_column('created_by', server_default=None)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('caller_check', schema=None) as batch_op:
        batch_op.drop_index('ix_caller_check_interaction')

    op.drop_table('caller_check')
    with op.batch_alter_table('task', schema=None) as batch_op:
        for name, _condition in _TASK:
            batch_op.drop_constraint(batch_op.f(f'ck_task_{name}'), type_='check')
        batch_op.drop_index('ix_task_open', sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
        batch_op.drop_column('done_words')
        batch_op.drop_column('done_by')
        batch_op.drop_column('created_by')
        batch_op.drop_column('team')
        batch_op.drop_column('owner')
        batch_op.drop_column('words')

    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.drop_index('uq_interaction_open', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        for name, _condition in _INTERACTION:
            batch_op.drop_constraint(batch_op.f(f'ck_interaction_{name}'), type_='check')
        batch_op.drop_constraint(batch_op.f('uq_interaction_customer_id_id'), type_='unique')
        batch_op.drop_column('handed_to')
        batch_op.drop_column('seconds')
        batch_op.drop_column('ended_at')
        batch_op.drop_column('opened_at')
        batch_op.drop_column('version')

    with op.batch_alter_table('tag', schema=None) as batch_op:
        batch_op.drop_index('uq_tag_stands', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index('ix_tag_customer')

    op.drop_table('tag')
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.drop_index('ix_note_customer')

    op.drop_table('note')
