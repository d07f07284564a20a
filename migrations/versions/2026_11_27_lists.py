"""Lists: saved views, bulk runs, hours of the network, and the indexes that sort."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '2026_11_27_lists'
down_revision = '2026_11_27_story'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table('bulk_run',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('action', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('noun', sqlmodel.AutoString(length=20), nullable=False),
    sa.Column('where_', sqlmodel.AutoString(length=2000), nullable=False),
    sa.Column('params', sa.JSON(), nullable=False),
    sa.Column('state', sa.Enum('draft', 'running', 'stopped', 'finished', name='bulk_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('at_once', sa.Boolean(), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.Column('created_by', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('created_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('finished_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.CheckConstraint("(state = 'finished') = (finished_at IS NOT NULL)", name=op.f('ck_bulk_run_finished')),
    sa.CheckConstraint('amount_cents >= 0', name=op.f('ck_bulk_run_amount_cents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_run'))
    )
    with op.batch_alter_table('bulk_run', schema=None) as batch_op:
        batch_op.create_index('ix_bulk_run_by', ['created_by', 'id'], unique=False)

    op.create_table('saved_view',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('noun', sqlmodel.AutoString(length=20), nullable=False),
    sa.Column('name', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('ownership', sa.Enum('mine', 'team', 'locked', name='ownership', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('owner', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('where_', sqlmodel.AutoString(length=2000), nullable=False),
    sa.Column('columns', sqlmodel.AutoString(length=400), nullable=False),
    sa.Column('sort', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('changed_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.CheckConstraint('length(name) > 0', name=op.f('ck_saved_view_name')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_view'))
    )
    with op.batch_alter_table('saved_view', schema=None) as batch_op:
        batch_op.create_index('uq_saved_view_mine', ['owner', 'noun', 'name'], unique=True, sqlite_where=sa.text("ownership = 'mine'"), postgresql_where=sa.text("ownership = 'mine'"))
        batch_op.create_index('uq_saved_view_shared', ['noun', 'name'], unique=True, sqlite_where=sa.text("ownership <> 'mine'"), postgresql_where=sa.text("ownership <> 'mine'"))

    op.create_table('usage_hour',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('data', 'voice', 'sms', 'mms', 'premium', 'tv', name='usage_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('events', sa.BigInteger(), nullable=False),
    sa.Column('quantity', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('events > 0', name=op.f('ck_usage_hour_events')),
    sa.CheckConstraint('hour BETWEEN 0 AND 23', name=op.f('ck_usage_hour_hour')),
    sa.CheckConstraint('quantity >= 0', name=op.f('ck_usage_hour_quantity')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_usage_hour')),
    sa.UniqueConstraint('day', 'hour', 'kind', name=op.f('uq_usage_hour_day_hour_kind'))
    )
    op.create_table('bulk_row',
    sa.Column('run_id', sa.Integer(), nullable=False),
    sa.Column('ordinal', sa.Integer(), nullable=False),
    sa.Column('object_id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('subject', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.Column('account_version', sa.Integer(), nullable=True),
    sa.Column('state', sa.Enum('excluded', 'waiting', 'done', 'failed', name='row_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('problem', sqlmodel.AutoString(length=300), nullable=True),
    sa.Column('problem_params', sa.JSON(), nullable=True),
    sa.Column('tried_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.CheckConstraint("(state IN ('done', 'failed')) = (tried_at IS NOT NULL)", name=op.f('ck_bulk_row_tried')),
    sa.CheckConstraint("(state IN ('excluded', 'failed')) = (problem IS NOT NULL)", name=op.f('ck_bulk_row_problem')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_bulk_row_customer_id')),
    sa.ForeignKeyConstraint(['run_id'], ['bulk_run.id'], name=op.f('fk_bulk_row_run_id')),
    sa.PrimaryKeyConstraint('run_id', 'ordinal', name=op.f('pk_bulk_row'))
    )
    with op.batch_alter_table('bulk_row', schema=None) as batch_op:
        batch_op.create_index('ix_bulk_row_state', ['run_id', 'state', 'ordinal'], unique=False)

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.create_index('ix_appointment_day', ['day', 'id'], unique=False)

    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.create_index('ix_approval_requested', ['requested_at', 'id'], unique=False)

    with op.batch_alter_table('bill', schema=None) as batch_op:
        batch_op.create_index('ix_bill_date', ['bill_date', 'id'], unique=False)
        batch_op.create_index('ix_bill_open', ['due_date', 'id'], unique=False, sqlite_where=sa.text("state <> 'settled' AND category <> 'creditNote'"), postgresql_where=sa.text("state <> 'settled' AND category <> 'creditNote'"))

    with op.batch_alter_table('collection', schema=None) as batch_op:
        batch_op.create_index('ix_collection_collect_on', ['collect_on', 'id'], unique=False)

    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.create_index('ix_document_uploaded', ['uploaded_at', 'id'], unique=False)

    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.create_index('ix_interaction_at', ['at', 'id'], unique=False)

    with op.batch_alter_table('mandate', schema=None) as batch_op:
        batch_op.create_index('ix_mandate_requested', ['requested_at', 'id'], unique=False)

    with op.batch_alter_table('product_order', schema=None) as batch_op:
        batch_op.create_index('ix_product_order_created', ['created_at', 'id'], unique=False)

    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.create_index('ix_task_created', ['created_at', 'id'], unique=False)



def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_index('ix_task_created')

    with op.batch_alter_table('product_order', schema=None) as batch_op:
        batch_op.drop_index('ix_product_order_created')

    with op.batch_alter_table('mandate', schema=None) as batch_op:
        batch_op.drop_index('ix_mandate_requested')

    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.drop_index('ix_interaction_at')

    with op.batch_alter_table('document', schema=None) as batch_op:
        batch_op.drop_index('ix_document_uploaded')

    with op.batch_alter_table('collection', schema=None) as batch_op:
        batch_op.drop_index('ix_collection_collect_on')

    with op.batch_alter_table('bill', schema=None) as batch_op:
        batch_op.drop_index('ix_bill_open', sqlite_where=sa.text("state <> 'settled' AND category <> 'creditNote'"), postgresql_where=sa.text("state <> 'settled' AND category <> 'creditNote'"))
        batch_op.drop_index('ix_bill_date')

    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.drop_index('ix_approval_requested')

    with op.batch_alter_table('appointment', schema=None) as batch_op:
        batch_op.drop_index('ix_appointment_day')

    with op.batch_alter_table('bulk_row', schema=None) as batch_op:
        batch_op.drop_index('ix_bulk_row_state')

    op.drop_table('bulk_row')
    op.drop_table('usage_hour')
    with op.batch_alter_table('saved_view', schema=None) as batch_op:
        batch_op.drop_index('uq_saved_view_shared', sqlite_where=sa.text("ownership <> 'mine'"), postgresql_where=sa.text("ownership <> 'mine'"))
        batch_op.drop_index('uq_saved_view_mine', sqlite_where=sa.text("ownership = 'mine'"), postgresql_where=sa.text("ownership = 'mine'"))

    op.drop_table('saved_view')
    with op.batch_alter_table('bulk_run', schema=None) as batch_op:
        batch_op.drop_index('ix_bulk_run_by')

    op.drop_table('bulk_run')
