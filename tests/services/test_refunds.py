"""Money paid back: to a known account, never more than is left, and there again when the bank sends it back."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.bill import Bill
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.payment import PaymentAllocation, Refund, RefundState
from core.services import approvals, bills, collections, mandate_signing, open_amounts, payment_corrections, payments, refunds
from core.services.references import IbanChecksum
from core.services.refunds import AccountUnknown, RefundDecided, RefundTooHigh, Source, StillReturnable
from tests.builders import AGENT, make_customer, make_product, self_of
from tests.services import money_stories
from tests.services.money_stories import trio

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
PAYER, OTHER = "BE66539000001343", "BE77539000001242"


def credited(session: Session, paid_cents: int = 4200) -> tuple[Customer, str]:
    """A customer who paid his bill of September from a known account, and was credited 10.00 of it."""
    customer = trio(session, 9)
    payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=paid_cents, payer_iban=PAYER)
    note = bills.issue_credit_note(
        session, SYSTEM, customer_id=customer.id, bill_no="2609000055", reason=bills.CreditReason.GOODWILL, incl_cents=1000
    )
    return customer, note


def left(session: Session, note: str) -> int:
    return session.exec(select(Bill.remaining_cents).where(col(Bill.bill_no) == note)).one()


class TestRefund:
    def test_pays_a_credit_note_back_once_and_tells_the_customer(self, session: Session) -> None:
        customer, note = credited(session)
        refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban="BE66 5390 0000 1343")
        message = session.exec(select(Communication).where(col(Communication.template) == "refund_requested")).one()
        assert "BE66 •••• •••• 1343" in message.body
        assert PAYER not in message.body
        with pytest.raises(RefundTooHigh):
            refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=PAYER)

    def test_pays_a_part_and_never_more_than_is_left(self, session: Session) -> None:
        customer, note = credited(session)
        refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=PAYER, amount_cents=400)
        assert left(session, note) == 600
        for cents in (601, 0, -1):
            with pytest.raises(RefundTooHigh):
                refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=PAYER, amount_cents=cents)

    def test_pays_back_what_was_paid_too_much(self, session: Session) -> None:
        customer, _note = credited(session, paid_cents=5000)
        assert open_amounts.open_summary(session, customer.id).credit_cents == 1800
        (found,) = refunds.overpaid(session, SENIOR, customer_id=customer.id)
        assert found.left_cents == 800
        refunds.refund(session, SENIOR, customer_id=customer.id, payment_id=found.payment_id, iban=PAYER)
        assert open_amounts.open_summary(session, customer.id).credit_cents == 1000
        assert refunds.overpaid(session, SENIOR, customer_id=customer.id) == []
        with pytest.raises(RefundTooHigh):
            refunds.refund(session, SENIOR, customer_id=customer.id, payment_id=found.payment_id, iban=PAYER)

    def test_refuses_an_account_that_nobody_paid_from_or_signed_for(self, session: Session) -> None:
        customer, note = credited(session)
        with pytest.raises(AccountUnknown):
            refunds.refund(session, BILLING, customer_id=customer.id, credit_note_no=note, iban=OTHER)
        with pytest.raises(IbanChecksum):
            refunds.refund(session, BILLING, customer_id=customer.id, credit_note_no=note, iban="BE66539000001344")

    def test_refuses_others_papers_agents_and_customers(self, session: Session) -> None:
        customer, note = credited(session)
        stranger = make_customer(session)
        money_stories.mandate(session, stranger, iban=OTHER)
        with pytest.raises(NotFound):
            refunds.refund(session, SENIOR, customer_id=stranger.id, credit_note_no=note, iban=OTHER)
        for actor in (AGENT, self_of(customer)):
            with pytest.raises(NotPermitted):
                refunds.refund(session, actor, customer_id=customer.id, credit_note_no=note, iban=PAYER)


class TestDirectDebit:
    """What a direct debit holds too much waits until the bank can no longer take it back: it would go out twice."""

    def _surplus(self, session: Session) -> tuple[Customer, int]:
        """42.00 collected on 16 November, of which the bill counts 32.00."""
        customer = make_customer(session)
        make_product(session, customer, "TRIO")
        money_stories.mandate(session, customer, iban=PAYER)
        money_stories.bill(session, customer, money_stories.NOVEMBER, bill_no="2611000062")
        payment = collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        counted = session.exec(select(PaymentAllocation).where(col(PaymentAllocation.payment_id) == payment)).one()
        counted.amount_cents -= 1000
        session.flush()
        return customer, payment

    def test_is_paid_back_only_once_its_eight_weeks_have_passed(self, session: Session) -> None:
        customer, payment = self._surplus(session)
        for day in (date(2026, 11, 18), date(2027, 1, 11)):
            with clock.standing(clock.at(day, 10)):
                assert refunds.overpaid(session, SENIOR, customer_id=customer.id) == []
                with pytest.raises(StillReturnable) as refusal:
                    refunds.refund(session, SENIOR, customer_id=customer.id, payment_id=payment, iban=PAYER)
                assert refusal.value.params["since"] == date(2027, 1, 12)
        with clock.standing(clock.at(date(2027, 1, 12), 10)):
            assert [one.left_cents for one in refunds.overpaid(session, SENIOR, customer_id=customer.id)] == [1000]
            refunds.refund(session, SENIOR, customer_id=customer.id, payment_id=payment, iban=PAYER)
            assert refunds.overpaid(session, SENIOR, customer_id=customer.id) == []

    def test_can_neither_be_asked_for_nor_approved_before(self, session: Session) -> None:
        customer, payment = self._surplus(session)
        wish = refunds.Wish(OTHER, payment_id=payment, comment="Seen on his bank card")
        with pytest.raises(StillReturnable):
            approvals.request_refund(session, SENIOR, customer_id=customer.id, wish=wish)
        with clock.standing(clock.at(date(2027, 1, 12), 10)):
            asked = approvals.request_refund(session, SENIOR, customer_id=customer.id, wish=wish)
        with pytest.raises(StillReturnable), session.begin_nested():
            approvals.approve(session, BILLING, approval_id=asked, shown_version=1)
        assert session.exec(select(Refund)).all() == []


class TestAccounts:
    def test_are_those_of_mandates_then_of_payments_masked(self, session: Session) -> None:
        customer, _note = credited(session)
        money_stories.mandate(session, customer, iban=OTHER)
        found = refunds.accounts(session, SENIOR, customer_id=customer.id)
        assert [(one.iban, one.masked, one.source) for one in found] == [
            (OTHER, "BE77 •••• •••• 1242", Source.MANDATE),
            (PAYER, "BE66 •••• •••• 1343", Source.PAYMENT),
        ]

    def test_leave_out_what_was_only_asked_for_and_other_customers(self, session: Session) -> None:
        customer = trio(session, 9)
        mandate_signing.request(session, AGENT, customer_id=customer.id, holder="Sophie Lambert", iban=OTHER, consent=True)
        money_stories.mandate(session, make_customer(session))
        assert refunds.accounts(session, SENIOR, customer_id=customer.id) == []

    def test_leave_out_those_of_payments_that_the_colleague_recorded_or_matched_himself(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        found: dict[str, Any] = {"received_on": date(2026, 9, 14), "amount_cents": 1}
        payments.record(session, SENIOR, customer_id=customer.id, payer_iban=PAYER, **found)
        waiting = payments.record(session, SYSTEM, payer_iban=OTHER, **found)
        payments.match(session, SENIOR, payment_id=waiting, customer_id=customer.id)
        assert refunds.accounts(session, SENIOR, customer_id=customer.id) == []
        assert {one.iban for one in refunds.accounts(session, BILLING, customer_id=customer.id)} == {PAYER, OTHER}
        payments.record(session, SYSTEM, customer_id=customer.id, payer_iban=PAYER, **found)
        assert [one.iban for one in refunds.accounts(session, SENIOR, customer_id=customer.id)] == [PAYER]

    def test_refuse_a_refund_to_a_stranger_whose_cent_the_colleague_matched(self, session: Session) -> None:
        customer, note = credited(session)
        waiting = payments.record(session, SYSTEM, received_on=date(2026, 9, 14), amount_cents=1, payer_iban=OTHER)
        payments.match(session, SENIOR, payment_id=waiting, customer_id=customer.id)
        with pytest.raises(AccountUnknown):
            refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=OTHER)


class TestSettle:
    def _asked(self, session: Session) -> tuple[Customer, str, int]:
        customer, note = credited(session)
        return customer, note, refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=PAYER)

    def test_billing_notes_that_it_was_paid_out(self, session: Session) -> None:
        customer, note, number = self._asked(session)

        def refunded_on() -> date | None:
            return next(row for row in bills.of_customer(session, AGENT, customer_id=customer.id) if row.bill_no == note).refunded_on

        with pytest.raises(NotPermitted):
            refunds.complete(session, SENIOR, customer_id=customer.id, refund_id=number, shown_version=1)
        assert refunded_on() is None
        refunds.complete(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=1)
        (found,) = refunds.of_customer(session, SENIOR, customer_id=customer.id)
        assert (found.state, found.completed_on, found.masked) == (RefundState.COMPLETED, date(2026, 11, 18), "BE66 •••• •••• 1343")
        assert refunded_on() == date(2026, 11, 18)

    def test_sent_back_the_credit_is_there_again_and_can_be_paid_back_elsewhere(self, session: Session) -> None:
        customer, note, number = self._asked(session)
        refunds.reject(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=1)
        assert left(session, note) == 1000
        shown = next(row for row in bills.of_customer(session, AGENT, customer_id=customer.id) if row.bill_no == note)
        assert shown.refunded_on is None
        refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban=PAYER)

    def test_an_overpayment_sent_back_is_there_again(self, session: Session) -> None:
        customer = trio(session, 9)
        payment = payments.record(
            session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=5000, payer_iban=PAYER
        )
        number = refunds.refund(session, SENIOR, customer_id=customer.id, payment_id=payment, iban=PAYER)
        refunds.reject(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=1)
        assert open_amounts.open_summary(session, customer.id).credit_cents == 800

    def test_happens_once(self, session: Session) -> None:
        customer, note, number = self._asked(session)
        with pytest.raises(ChangedMeanwhile):
            refunds.reject(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=2)
        refunds.complete(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=1)
        with pytest.raises(ChangedMeanwhile) as refusal:
            refunds.reject(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=1)
        assert refusal.value.params["who"] == BILLING.username
        with pytest.raises(RefundDecided):
            refunds.reject(session, BILLING, customer_id=customer.id, refund_id=number, shown_version=2)
        assert left(session, note) == 0
        assert session.exec(select(Refund)).one().version == 2


class TestWithPayments:
    def test_what_was_paid_back_counts_on_no_bill_and_belongs_to_nobody_else(self, session: Session) -> None:
        """42.00 asked, 50.00 paid, 8.00 paid back: nothing is left to count, and the payment stays where it is."""
        customer = trio(session, 9)
        payment = payments.record(
            session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=5000, payer_iban=PAYER
        )
        refunds.refund(session, SYSTEM, customer_id=customer.id, iban=PAYER, payment_id=payment)
        assert payment_corrections.left_over(session, SYSTEM, customer_id=customer.id) == []
        assert open_amounts.open_summary(session, customer.id).credit_cents == 0
        with pytest.raises(payment_corrections.PaidBack):
            payment_corrections.reverse(
                session, SYSTEM, customer_id=customer.id, payment_id=payment, comment="wrong customer", to_queue=True
            )
