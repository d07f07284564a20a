"""Money paid back."""

from datetime import date

import pytest
from sqlmodel import Session

from core.actor import SYSTEM
from core.services import bills, payments, refunds
from core.services.refunds import RefundTooHigh
from tests.services.money_stories import trio


class TestRefund:
    def test_pays_a_credit_note_back_once(self, session: Session) -> None:
        customer = trio(session, 9)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=4200)
        note = bills.issue_credit_note(
            session, SYSTEM, customer_id=customer.id, bill_no="2609000055", reason=bills.CreditReason.GOODWILL, incl_cents=1000
        )
        refunds.refund(session, SYSTEM, customer_id=customer.id, credit_note_no=note, iban="BE66539000001343")
        with pytest.raises(RefundTooHigh):
            refunds.refund(session, SYSTEM, customer_id=customer.id, credit_note_no=note, iban="BE66539000001343")
