"""Money: runs, collections, follow-up, corrections, statements, e-invoices."""

from datetime import timedelta

import sqlalchemy as sa
import sqlmodel
from alembic import op
from alembic.operations.base import BatchOperations

revision = '2026_11_26_money'
down_revision = '2026_11_22_first_tables'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table('bank_statement',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account', sqlmodel.AutoString(length=34), nullable=False),
    sa.Column('number', sqlmodel.AutoString(length=35), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('opening_cents', sa.BigInteger(), nullable=False),
    sa.Column('closing_cents', sa.BigInteger(), nullable=False),
    sa.Column('entry_count', sa.Integer(), nullable=False),
    sa.Column('sha256', sqlmodel.AutoString(length=64), nullable=False),
    sa.Column('name', sqlmodel.AutoString(length=120), nullable=False),
    sa.Column('imported_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('imported_by', sqlmodel.AutoString(length=60), nullable=False),
    sa.CheckConstraint('entry_count >= 0', name=op.f('ck_bank_statement_entry_count')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bank_statement')),
    sa.UniqueConstraint('account', 'number', 'day', name=op.f('uq_bank_statement_account_number_day'))
    )
    op.create_table('bill_run',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('started_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('started_by', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('finished_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_bill_run'))
    )
    op.create_table('collection_batch',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('message_id', sqlmodel.AutoString(length=35), nullable=False),
    sa.Column('collect_on', sa.Date(), nullable=False),
    sa.Column('made_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('sent_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.Column('state', sa.Enum('made', 'sent', 'settled', name='batch_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('collections', sa.Integer(), nullable=False),
    sa.Column('sum_cents', sa.Integer(), nullable=False),
    sa.Column('sha256', sqlmodel.AutoString(length=64), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("(state = 'made') = (sent_at IS NULL)", name=op.f('ck_collection_batch_sent')),
    sa.CheckConstraint('collections > 0', name=op.f('ck_collection_batch_collections')),
    sa.CheckConstraint('sum_cents > 0', name=op.f('ck_collection_batch_sum_cents')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collection_batch')),
    sa.UniqueConstraint('message_id', name=op.f('uq_collection_batch_message_id'))
    )
    with op.batch_alter_table('collection_batch', schema=None) as batch_op:
        batch_op.create_index('ix_collection_batch_collect_on', ['collect_on'], unique=False)

    op.create_table('job_run',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('job', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('done_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('day', 'job', name=op.f('pk_job_run'))
    )
    op.create_table('dunning_notice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('episode', sa.Integer(), nullable=False),
    sa.Column('step', sa.Enum('reminder1', 'reminder2', 'formalNotice', 'restricted', 'suspended', 'terminated', 'missedDueDate', name='dunning_step', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('channel', sa.Enum('email', 'sms', 'letter', 'portal', name='message_channel', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('claimed_cents', sa.Integer(), nullable=False),
    sa.Column('free_until', sa.Date(), nullable=False),
    sa.CheckConstraint('claimed_cents > 0', name=op.f('ck_dunning_notice_claimed_cents')),
    sa.CheckConstraint('episode >= 1', name=op.f('ck_dunning_notice_episode')),
    sa.CheckConstraint('free_until > day', name=op.f('ck_dunning_notice_free_until')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_dunning_notice_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dunning_notice')),
    sa.UniqueConstraint('customer_id', 'day', name=op.f('uq_dunning_notice_customer_id_day')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_dunning_notice_customer_id_id'))
    )
    with op.batch_alter_table('dunning_notice', schema=None) as batch_op:
        batch_op.create_index('uq_dunning_notice_rung', ['customer_id', 'episode', 'step'], unique=True, sqlite_where=sa.text("step <> 'missedDueDate'"), postgresql_where=sa.text("step <> 'missedDueDate'"))

    op.create_table('payment_declaration',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('proof', sqlmodel.AutoString(length=200), nullable=False),
    sa.CheckConstraint('until > day', name=op.f('ck_payment_declaration_dates')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_payment_declaration_customer_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payment_declaration')),
    sa.UniqueConstraint('customer_id', 'year', name=op.f('uq_payment_declaration_customer_id_year'))
    )
    op.create_table('price_notice',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('offering_code', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=False),
    sa.Column('before_cents', sa.Integer(), nullable=False),
    sa.Column('after_cents', sa.Integer(), nullable=False),
    sa.CheckConstraint('after_cents > before_cents', name=op.f('ck_price_notice_rise')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_price_notice_customer_id')),
    sa.PrimaryKeyConstraint('customer_id', 'offering_code', 'since', name=op.f('pk_price_notice'))
    )
    op.create_table('approval',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('credit', 'refund', name='approval_kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('subject', sqlmodel.AutoString(length=20), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.Column('reason', sqlmodel.AutoString(length=40), nullable=False),
    sa.Column('comment', sqlmodel.AutoString(length=200), nullable=False),
    sa.Column('state', sa.Enum('pending', 'approved', 'refused', 'withdrawn', 'expired', name='approval_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('requested_by', sqlmodel.AutoString(length=60), nullable=False),
    sa.Column('requested_by_id', sa.Integer(), nullable=True),
    sa.Column('requested_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('decided_by', sqlmodel.AutoString(length=60), nullable=True),
    sa.Column('decided_by_id', sa.Integer(), nullable=True),
    sa.Column('decided_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.Column('note', sqlmodel.AutoString(length=200), nullable=True),
    sa.CheckConstraint("(state = 'pending') = (decided_at IS NULL)", name=op.f('ck_approval_decided')),
    sa.CheckConstraint("state NOT IN ('approved', 'refused') OR decided_by <> requested_by", name=op.f('ck_approval_two_people')),
    sa.CheckConstraint('(decided_at IS NULL) = (decided_by IS NULL)', name=op.f('ck_approval_decided_by')),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_approval_amount_cents')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_approval_customer_id')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['user_account.id'], name=op.f('fk_approval_decided_by_id')),
    sa.ForeignKeyConstraint(['requested_by_id'], ['user_account.id'], name=op.f('fk_approval_requested_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_approval_customer_id_id'))
    )
    with op.batch_alter_table('approval', schema=None) as batch_op:
        batch_op.create_index('ix_approval_state', ['state', 'id'], unique=False)
        batch_op.create_index('uq_approval_waiting', ['customer_id', 'kind', 'subject'], unique=True, sqlite_where=sa.text("state = 'pending'"), postgresql_where=sa.text("state = 'pending'"))

    op.create_table('usage_alert_sent',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.Column('metric', sa.Enum('bundlePercent', 'overCents', name='alert_metric', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('threshold', sa.Integer(), nullable=False),
    sa.Column('period_since', sa.Date(), nullable=False),
    sa.Column('sent_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id', 'product_id'], ['product.customer_id', 'product.id'], name=op.f('fk_usage_alert_sent_customer_id_product_id')),
    sa.PrimaryKeyConstraint('product_id', 'metric', 'threshold', 'period_since', name=op.f('pk_usage_alert_sent'))
    )
    with op.batch_alter_table('usage_alert_sent', schema=None) as batch_op:
        batch_op.create_index('ix_usage_alert_sent_customer', ['customer_id'], unique=False)

    op.create_table('bill_dispute',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=False),
    sa.Column('disputed_cents', sa.Integer(), nullable=False),
    sa.Column('reason', sqlmodel.AutoString(length=200), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.CheckConstraint('disputed_cents > 0', name=op.f('ck_bill_dispute_disputed_cents')),
    sa.CheckConstraint('until IS NULL OR until >= since', name=op.f('ck_bill_dispute_dates')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_bill_dispute_customer_id_bill_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bill_dispute'))
    )
    with op.batch_alter_table('bill_dispute', schema=None) as batch_op:
        batch_op.create_index('uq_bill_dispute_open', ['customer_id', 'bill_id'], unique=True, sqlite_where=sa.text('until IS NULL'), postgresql_where=sa.text('until IS NULL'))

    op.create_table('bill_run_item',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Enum('waiting', 'issued', 'nothing', 'failed', name='outcome', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=True),
    sa.Column('problem', sqlmodel.AutoString(length=200), nullable=True),
    sa.CheckConstraint("(outcome = 'failed') = (problem IS NOT NULL)", name=op.f('ck_bill_run_item_failed')),
    sa.CheckConstraint("(outcome = 'issued') = (bill_id IS NOT NULL)", name=op.f('ck_bill_run_item_issued')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_bill_run_item_customer_id_bill_id')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_bill_run_item_customer_id')),
    sa.ForeignKeyConstraint(['day'], ['bill_run.day'], name=op.f('fk_bill_run_item_day')),
    sa.PrimaryKeyConstraint('day', 'customer_id', name=op.f('pk_bill_run_item'))
    )
    with op.batch_alter_table('bill_run_item', schema=None) as batch_op:
        batch_op.create_index('ix_bill_run_item_outcome', ['day', 'outcome', 'customer_id'], unique=False)

    op.create_table('collection',
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=False),
    sa.Column('mandate_id', sa.Integer(), nullable=False),
    sa.Column('batch_id', sa.Integer(), nullable=True),
    sa.Column('payment_id', sa.Integer(), nullable=True),
    sa.Column('end_to_end_id', sqlmodel.AutoString(length=35), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.Column('sequence', sa.Enum('FRST', 'RCUR', 'OOFF', 'FNAL', name='sequence', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('collect_on', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('pending', 'settled', 'returned', 'withdrawn', name='collection_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('holder', sqlmodel.AutoString(length=120), nullable=False),
    sa.Column('iban', sqlmodel.AutoString(length=34), nullable=False),
    sa.Column('amended', sa.Boolean(), nullable=False),
    sa.Column('returned_on', sa.Date(), nullable=True),
    sa.Column('return_code', sqlmodel.AutoString(length=4), nullable=True),
    sa.CheckConstraint("(state = 'returned') = (return_code IS NOT NULL)", name=op.f('ck_collection_return_code')),
    sa.CheckConstraint("(state = 'returned') = (returned_on IS NOT NULL)", name=op.f('ck_collection_returned_on')),
    sa.CheckConstraint("batch_id IS NOT NULL OR state = 'withdrawn'", name=op.f('ck_collection_in_a_file')),
    sa.CheckConstraint("state <> 'settled' OR payment_id IS NOT NULL", name=op.f('ck_collection_settled')),
    sa.CheckConstraint("state NOT IN ('pending', 'withdrawn') OR payment_id IS NULL", name=op.f('ck_collection_unpaid')),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_collection_amount_cents')),
    sa.ForeignKeyConstraint(['batch_id'], ['collection_batch.id'], name=op.f('fk_collection_batch_id')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_collection_customer_id_bill_id')),
    sa.ForeignKeyConstraint(['customer_id', 'mandate_id'], ['mandate.customer_id', 'mandate.id'], name=op.f('fk_collection_customer_id_mandate_id')),
    sa.ForeignKeyConstraint(['customer_id', 'payment_id'], ['payment.customer_id', 'payment.id'], name=op.f('fk_collection_customer_id_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_collection')),
    sa.UniqueConstraint('customer_id', 'id', name=op.f('uq_collection_customer_id_id')),
    sa.UniqueConstraint('end_to_end_id', name=op.f('uq_collection_end_to_end_id'))
    )
    with op.batch_alter_table('collection', schema=None) as batch_op:
        batch_op.create_index('ix_collection_batch', ['batch_id'], unique=False)
        batch_op.create_index('ix_collection_customer', ['customer_id', 'bill_id'], unique=False)
        batch_op.create_index('ix_collection_returned', ['returned_on'], unique=False)
        batch_op.create_index('uq_collection_live', ['bill_id'], unique=True, sqlite_where=sa.text("state IN ('pending', 'settled')"), postgresql_where=sa.text("state IN ('pending', 'settled')"))

    op.create_table('dunning_claim',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('notice_id', sa.Integer(), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=False),
    sa.Column('claimed_cents', sa.Integer(), nullable=False),
    sa.Column('missed_no', sa.Integer(), nullable=True),
    sa.Column('fee_cents', sa.Integer(), nullable=False),
    sa.CheckConstraint('claimed_cents > 0', name=op.f('ck_dunning_claim_claimed_cents')),
    sa.CheckConstraint('fee_cents = 0 OR (fee_cents > 0 AND missed_no IS NOT NULL)', name=op.f('ck_dunning_claim_fee_cents')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_dunning_claim_customer_id_bill_id')),
    sa.ForeignKeyConstraint(['customer_id', 'notice_id'], ['dunning_notice.customer_id', 'dunning_notice.id'], name=op.f('fk_dunning_claim_customer_id_notice_id')),
    sa.PrimaryKeyConstraint('notice_id', 'bill_id', name=op.f('pk_dunning_claim'))
    )
    with op.batch_alter_table('dunning_claim', schema=None) as batch_op:
        batch_op.create_index('uq_dunning_claim_first', ['customer_id', 'bill_id'], unique=True, sqlite_where=sa.text('missed_no IS NOT NULL'), postgresql_where=sa.text('missed_no IS NOT NULL'))

    op.create_table('e_invoice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('message_id', sqlmodel.AutoString(length=36), nullable=False),
    sa.Column('receiver', sqlmodel.AutoString(length=50), nullable=False),
    sa.Column('state', sa.Enum('queued', 'sent', 'failed', name='e_invoice_state', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('queued_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('due_at', sqlmodel.UTCDateTime(), nullable=False),
    sa.Column('sent_at', sqlmodel.UTCDateTime(), nullable=True),
    sa.Column('access_point', sqlmodel.AutoString(length=120), nullable=True),
    sa.Column('answer', sqlmodel.AutoString(length=300), nullable=True),
    sa.Column('sha256', sqlmodel.AutoString(length=64), nullable=True),
    sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f('ck_e_invoice_sent')),
    sa.CheckConstraint("state <> 'sent' OR sha256 IS NOT NULL", name=op.f('ck_e_invoice_sha256')),
    sa.CheckConstraint('attempt >= 1', name=op.f('ck_e_invoice_attempt')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_e_invoice_customer_id_bill_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_e_invoice')),
    sa.UniqueConstraint('customer_id', 'bill_id', 'attempt', name=op.f('uq_e_invoice_customer_id_bill_id_attempt')),
    sa.UniqueConstraint('message_id', name=op.f('uq_e_invoice_message_id'))
    )
    with op.batch_alter_table('e_invoice', schema=None) as batch_op:
        batch_op.create_index('ix_e_invoice_due', ['due_at'], unique=False, sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))
        batch_op.create_index('uq_e_invoice_queued', ['customer_id', 'bill_id'], unique=True, sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))

    op.create_table('plan_bill',
    sa.Column('customer_id', sa.Integer(), nullable=False),
    sa.Column('plan_id', sa.Integer(), nullable=False),
    sa.Column('bill_id', sa.Integer(), nullable=False),
    sa.Column('amount_cents', sa.Integer(), nullable=False),
    sa.CheckConstraint('amount_cents > 0', name=op.f('ck_plan_bill_amount_cents')),
    sa.ForeignKeyConstraint(['customer_id', 'bill_id'], ['bill.customer_id', 'bill.id'], name=op.f('fk_plan_bill_customer_id_bill_id')),
    sa.ForeignKeyConstraint(['customer_id', 'plan_id'], ['payment_plan.customer_id', 'payment_plan.id'], name=op.f('fk_plan_bill_customer_id_plan_id')),
    sa.PrimaryKeyConstraint('plan_id', 'bill_id', name=op.f('pk_plan_bill'))
    )
    with op.batch_alter_table('plan_bill', schema=None) as batch_op:
        batch_op.create_index('ix_plan_bill_bill', ['customer_id', 'bill_id'], unique=False)

    op.add_column('bill', sa.Column('reason', sqlmodel.AutoString(length=40), nullable=True))
    op.add_column('bill', sa.Column('comment', sqlmodel.AutoString(length=200), nullable=True))
    op.add_column('bill', sa.Column('credited_by', sqlmodel.AutoString(length=60), nullable=True))
    op.add_column('bill_line', sa.Column('refers_bill_id', sa.Integer(), nullable=True))
    op.add_column('bill_line', sa.Column('refers_ordinal', sa.Integer(), nullable=True))
    op.add_column('billing_account', sa.Column('dunning_hold_since', sa.Date(), nullable=True))
    op.add_column('communication', sa.Column('tries', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('communication', sa.Column('next_try_at', sqlmodel.UTCDateTime(), nullable=True))
    op.add_column('communication', sa.Column('problem', sqlmodel.AutoString(length=200), nullable=True))
    op.add_column('payment', sa.Column('statement_id', sa.Integer(), nullable=True))
    op.add_column('payment', sa.Column('entry_no', sa.Integer(), nullable=True))
    op.add_column('payment', sa.Column('bank_reference', sqlmodel.AutoString(length=35), nullable=True))
    op.add_column('payment', sa.Column('moved_to_id', sa.Integer(), nullable=True))
    op.add_column('payment_plan', sa.Column('accepted_on', sa.Date(), nullable=True))
    op.add_column('payment_plan', sa.Column('ended_on', sa.Date(), nullable=True))
    op.add_column('refund', sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
    op.add_column('refund', sa.Column('payment_id', sa.Integer(), nullable=True))
    _carry_over()
    _rebuild()
    op.create_index('uq_bill_day', 'bill', ['customer_id', 'bill_date'], unique=True, **_where("category <> 'creditNote'"))
    op.create_index('ix_communication_waiting', 'communication', ['next_try_at'], **_where("state IN ('initial', 'inProgress')"))
    op.create_index('ix_payment_payer_iban', 'payment', ['payer_iban'])
    op.create_index('uq_payment_plan_alive', 'payment_plan', ['customer_id'], unique=True, **_where("state IN ('proposed', 'active')"))
    op.drop_index('ix_usage_event_bill', table_name='usage_event')
    op.create_index('ix_usage_event_bill', 'usage_event', ['customer_id', 'bill_id'], **_where('bill_id IS NOT NULL'))
    op.create_index('ix_usage_event_open', 'usage_event', ['customer_id', 'at'], **_where('bill_id IS NULL'))


def _where(condition: str) -> dict[str, sa.TextClause]:
    return {'sqlite_where': sa.text(condition), 'postgresql_where': sa.text(condition)}


def _carry_over() -> None:
    """Fill the new columns of what is there already."""
    for statement in (
        "UPDATE bill SET reason = (SELECT code FROM bill_line l WHERE l.customer_id = bill.customer_id AND l.bill_id = bill.id AND l.ordinal = 1) "
        "WHERE category = 'creditNote'",
        "UPDATE billing_account SET dunning_hold_reason = NULL WHERE dunning_hold_until IS NULL",
        "UPDATE billing_account SET dunning_hold_reason = 'inquiry' WHERE dunning_hold_until IS NOT NULL AND coalesce(dunning_hold_reason, '') <> 'ombudsman'",
        "UPDATE payment_plan SET accepted_on = proposed_on WHERE state IN ('active', 'kept', 'broken')",
        "UPDATE payment_plan SET ended_on = proposed_on WHERE state NOT IN ('proposed', 'active')",
        "INSERT INTO plan_bill (customer_id, plan_id, bill_id, amount_cents) "
        "SELECT p.customer_id, p.id, b.id, b.remaining_cents FROM payment_plan p JOIN bill b ON b.customer_id = p.customer_id "
        "WHERE p.state IN ('proposed', 'active') AND b.category <> 'creditNote' AND b.remaining_cents > 0",
    ):
        op.execute(statement)
    account = sa.table('billing_account', sa.column('id', sa.Integer), sa.column('dunning_hold_since', sa.Date), sa.column('dunning_hold_until', sa.Date))
    held = sa.select(account.c.id, account.c.dunning_hold_until).where(account.c.dunning_hold_until.is_not(None))
    for key, until in op.get_bind().execute(held).all():  # The longest hold there was: four months.
        op.execute(account.update().where(account.c.id == key).values(dunning_hold_since=until - timedelta(days=120)))


# What rows must fulfil from now on; of these, the checks in _WIDER were narrower before.
_CHECKS: dict[str, dict[str, str]] = {
    'bill': {'ck_bill_credit': "category = 'creditNote' OR (reason IS NULL AND comment IS NULL AND credited_by IS NULL)"},
    'bill_line': {
        'ck_bill_line_refers': "(refers_bill_id IS NULL) = (refers_ordinal IS NULL)",
        'ck_bill_line_credited': "refers_bill_id IS NULL OR amount_cents > 0",
        'ck_bill_line_line_kind': "kind IN ('oneOff', 'subscription', 'option', 'usage', 'adjustment', 'penalty', 'thirdParty')",
    },
    'billing_account': {
        'ck_billing_account_dunning_hold_since': "(dunning_hold_until IS NULL) = (dunning_hold_since IS NULL)",
        'ck_billing_account_dunning_hold_reason': "(dunning_hold_until IS NULL) = (dunning_hold_reason IS NULL)",
        'ck_billing_account_dunning_hold_dates': "dunning_hold_until > dunning_hold_since",
        'ck_billing_account_hold_reason': "dunning_hold_reason IN ('ombudsman', 'inquiry', 'deceased')",
    },
    'communication': {'ck_communication_tries': "tries >= 0"},
    'instalment': {'ck_instalment_amount_cents': "amount_cents > 0", 'ck_instalment_ordinal': "ordinal BETWEEN 1 AND 12"},
    'payment': {
        'ck_payment_moved': "(state = 'moved') = (moved_to_id IS NOT NULL)",
        'ck_payment_owner': "(state = 'unmatched') = (customer_id IS NULL)",
        'ck_payment_entry': "(statement_id IS NULL) = (entry_no IS NULL)",
        'ck_payment_payment_state': "state IN ('matched', 'unmatched', 'returned', 'moved')",
    },
    'payment_plan': {
        'ck_payment_plan_total_cents': "total_cents > 0",
        'ck_payment_plan_ended_on': "(state IN ('proposed', 'active')) = (ended_on IS NULL)",
        'ck_payment_plan_accepted_on': "state NOT IN ('active', 'kept', 'broken') OR accepted_on IS NOT NULL",
    },
    'refund': {
        'ck_refund_source': "(credit_note_id IS NULL) <> (payment_id IS NULL)",
        'ck_refund_completed': "(state = 'completed') = (completed_on IS NOT NULL)",
    },
    'usage_day': {'ck_usage_day_tariff': "tariff IN ('included', 'offpeak', 'peak', 'over', 'thirdParty', 'free', 'world')"},
    'usage_event': {'ck_usage_event_tariff': "tariff IN ('included', 'offpeak', 'peak', 'over', 'thirdParty', 'free', 'world')"},
}
_WIDER = {'ck_bill_line_line_kind', 'ck_payment_payment_state', 'ck_usage_day_tariff', 'ck_usage_event_tariff'}


def _rebuild() -> None:
    """Bring checks and keys of the changed tables to what they are now."""
    for table, checks in _CHECKS.items():
        rows = {'sqlite_with_rowid': False} if table in {'usage_day', 'usage_event'} else {}  # Told again, as SQLite makes the table anew.
        with op.batch_alter_table(table, table_kwargs=rows) as batch_op:
            for name in _WIDER & set(checks):
                batch_op.drop_constraint(op.f(name), type_='check')
        with op.batch_alter_table(table, table_kwargs=rows) as batch_op:
            _keys(table, batch_op)
            for name, rule in checks.items():
                batch_op.create_check_constraint(op.f(name), sa.text(rule))


def _keys(table: str, batch_op: BatchOperations) -> None:
    if table == 'bill_line':
        batch_op.create_foreign_key(batch_op.f('fk_bill_line_customer_id_refers_bill_id_refers_ordinal'), 'bill_line', ['customer_id', 'refers_bill_id', 'refers_ordinal'], ['customer_id', 'bill_id', 'ordinal'])
    if table == 'billing_account':
        batch_op.alter_column('dunning_hold_reason', existing_type=sa.VARCHAR(length=200), type_=sa.VARCHAR(length=40), existing_nullable=True)
    if table == 'communication':
        batch_op.alter_column('tries', existing_type=sa.Integer(), server_default=None)
    if table == 'payment':
        batch_op.create_unique_constraint(batch_op.f('uq_payment_statement_id_entry_no'), ['statement_id', 'entry_no'])
        batch_op.create_foreign_key(batch_op.f('fk_payment_statement_id'), 'bank_statement', ['statement_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_payment_moved_to_id'), 'payment', ['moved_to_id'], ['id'])
    if table in {'usage_day', 'usage_event'}:
        batch_op.alter_column('charged_cents', existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)
    if table == 'refund':
        batch_op.alter_column('version', existing_type=sa.Integer(), server_default=None)
        batch_op.drop_constraint(batch_op.f('fk_refund_credit_note_id'), type_='foreignkey')
        batch_op.create_foreign_key(batch_op.f('fk_refund_customer_id_credit_note_id'), 'bill', ['customer_id', 'credit_note_id'], ['customer_id', 'id'])
        batch_op.create_foreign_key(batch_op.f('fk_refund_customer_id_payment_id'), 'payment', ['customer_id', 'payment_id'], ['customer_id', 'id'])


def downgrade() -> None:
    """There is no way back: bills, payments and notices of the new kinds would be lost."""
    msg = "This migration is not taken back: restore the copy of the database that was made before it."
    raise RuntimeError(msg)
