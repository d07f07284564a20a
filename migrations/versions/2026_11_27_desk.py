"""The agents' desk: which file a browser has open."""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_27_desk'
down_revision = '2026_11_26_money'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    with op.batch_alter_table('user_session') as batch_op:
        batch_op.add_column(sa.Column('customer_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_user_session_customer_id'), 'customer', ['customer_id'], ['id'])
        batch_op.create_index('ix_user_session_customer', ['customer_id'])


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('user_session') as batch_op:
        batch_op.drop_index('ix_user_session_customer')
        batch_op.drop_constraint(batch_op.f('fk_user_session_customer_id'), type_='foreignkey')
        batch_op.drop_column('customer_id')
