"""Why a dispute ended: decided by a colleague, or over by itself, since its bill is paid or the amount credited."""

import sqlalchemy as sa
from alembic import op

revision = '2026_11_28_dispute_end'
down_revision = '2026_11_27_lists'
branch_labels = None
depends_on = None

ENDS = ("decided", "paid", "credited")
DISPUTE = sa.table("bill_dispute", sa.column("until", sa.Date), sa.column("outcome", sa.String))


def upgrade() -> None:
    """Apply it: what ended before was decided."""
    with op.batch_alter_table('bill_dispute', schema=None) as batch_op:
        batch_op.add_column(sa.Column('outcome', sa.Enum(*ENDS, name='dispute_end', native_enum=False, create_constraint=True, length=40), nullable=True))
    op.execute(DISPUTE.update().where(DISPUTE.c.until.is_not(None)).values(outcome="decided"))
    with op.batch_alter_table('bill_dispute', schema=None) as batch_op:
        batch_op.create_check_constraint('outcome', '(until IS NULL) = (outcome IS NULL)')


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('bill_dispute', schema=None) as batch_op:
        batch_op.drop_constraint('outcome', type_='check')
        batch_op.drop_constraint('dispute_end', type_='check')
        batch_op.drop_column('outcome')
