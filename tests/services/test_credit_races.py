"""Money given back by two at once: real threads, real commits, on both databases (S52, S53)."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from core.actor import SYSTEM, Actor, Role
from core.models.approval import Approval, ApprovalState
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer
from core.models.payment import Refund
from core.services import approvals, bills, corrections, open_amounts, payments, refunds
from core.services.approvals import AlreadyWaiting, NotWaiting
from core.services.bill_words import CreditReason
from core.services.corrections import AboveLimit
from core.services.credit_rules import CreditTooHigh
from core.services.refunds import RefundTooHigh
from tests.builders import AGENT
from tests.services.money_stories import NOVEMBER, bill
from tests.services.test_corrections import BILL, trio, wish
from tests.services.test_order_races import THREADS, at_once

PAYER = "BE66539000001343"


def boss(number: int) -> Actor:
    return Actor(user_id=None, username=f"senior{number}", role=Role.SENIOR)


def told(engine: Engine, prepare: Callable[[Session], Customer] = trio) -> Customer:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return prepare(session)


def total(engine: Engine, column: Any, **where: object) -> int:
    with Session(engine) as session:
        return int(session.exec(select(func.coalesce(func.sum(column), 0)).filter_by(**where)).one())


class TestApprove:
    def test_one_of_eight_carries_it_out(self, scratch: Engine) -> None:
        customer = told(scratch)
        with Session(scratch) as session, session.begin():
            number = approvals.request_credit(session, AGENT, customer_id=customer.id, wish=wish(parts={1: 4200}))
        found = at_once(scratch, lambda session, who: approvals.approve(session, boss(who), approval_id=number, shown_version=1))
        assert sum(isinstance(one, str) for one in found) == 1
        assert sum(isinstance(one, NotWaiting) for one in found) == THREADS - 1
        assert total(scratch, Bill.incl_cents, category=BillCategory.CREDIT_NOTE) == 4200

    def test_one_of_eight_requests_about_one_bill_waits(self, scratch: Engine) -> None:
        customer = told(scratch)
        found = at_once(
            scratch, lambda session, _: approvals.request_credit(session, AGENT, customer_id=customer.id, wish=wish(parts={1: 4200}))
        )
        assert sum(isinstance(one, AlreadyWaiting) for one in found) == THREADS - 1
        with Session(scratch) as session:
            assert len(session.exec(select(Approval).where(col(Approval.state) == ApprovalState.PENDING)).all()) == 1


class TestCredit:
    def test_eight_at_once_give_no_more_than_the_line(self, scratch: Engine) -> None:
        customer = told(scratch)
        found = at_once(
            scratch, lambda session, who: corrections.credit(session, boss(who), customer_id=customer.id, wish=wish(parts={2: 1000}))
        )
        assert sum(isinstance(one, CreditTooHigh) for one in found) == THREADS - 1
        assert total(scratch, Bill.incl_cents, category=BillCategory.CREDIT_NOTE) == 1000

    def test_one_agent_at_eight_bills_at_once_stays_within_his_limit(self, scratch: Engine) -> None:
        def eight_bills(session: Session) -> Customer:
            customer = trio(session)
            for month in range(2, 10):
                bill(session, customer, date(2026, month, 5), bill_no=f"26{month:02d}000017")
            return customer

        customer = told(scratch, eight_bills)
        asked = {"reason": CreditReason.GOODWILL, "amount_cents": 1500}
        found = at_once(
            scratch,
            lambda session, number: corrections.credit(
                session, AGENT, customer_id=customer.id, wish=wish(bill_no=f"26{number + 2:02d}000017", **asked)
            ),
        )
        assert sum(isinstance(one, AboveLimit) for one in found) == THREADS - 1

    def test_credits_and_payments_at_once_lose_nothing(self, scratch: Engine) -> None:
        customer = told(scratch)

        def work(session: Session, number: int) -> object:
            if number % 2:
                return payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=1500)
            return corrections.credit(session, boss(number), customer_id=customer.id, wish=wish(parts={1: 1000}))

        assert not [one for one in at_once(scratch, work) if isinstance(one, Exception)]
        with Session(scratch) as session:
            row = session.exec(select(Bill).where(col(Bill.bill_no) == BILL)).one()
            summary = open_amounts.open_summary(session, customer.id)
        assert (row.remaining_cents, row.credited_cents) == (0, 4000)
        assert summary.credit_cents == 4 * 1500 + 4 * 1000 - 5899


class TestRefund:
    def test_eight_at_once_pay_back_once(self, scratch: Engine) -> None:
        customer = told(scratch)
        with Session(scratch) as session, session.begin():
            payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=7000, payer_iban=PAYER)
            note = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1699}))
            payment = refunds.overpaid(session, SYSTEM, customer_id=customer.id)[0].payment_id

        def work(session: Session, number: int) -> object:
            source = {"payment_id": payment} if number % 2 else {"credit_note_no": note}
            return refunds.refund(session, boss(number), customer_id=customer.id, iban=PAYER, **source)

        found = at_once(scratch, work)
        assert sum(isinstance(one, RefundTooHigh) for one in found) == THREADS - 2
        assert total(scratch, Refund.amount_cents) == 1699 + 7000 - 5899

    def test_a_bill_at_the_same_moment_uses_what_a_refund_left_of_the_note(self, scratch: Engine) -> None:
        """10.00 wait for the next bill: whoever comes second finds nothing, and nobody fails for having read too early."""
        customer = told(scratch)
        with Session(scratch) as session, session.begin():
            payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=5899, payer_iban=PAYER)
            note = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1000}))
            upcoming = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert upcoming
        draft = upcoming.draft

        def work(session: Session, number: int) -> object:
            if number == THREADS // 2:
                return bills.issue(session, SYSTEM, customer_id=customer.id, draft=draft, bill_no="2612000017").remaining_cents
            return refunds.refund(session, boss(number), customer_id=customer.id, iban=PAYER, credit_note_no=note)

        found = at_once(scratch, work)
        asked = found[THREADS // 2]
        assert asked in {draft.amount_due_cents, draft.amount_due_cents - 1000}
        refused = [one for one in found if isinstance(one, Exception)]
        assert all(isinstance(one, RefundTooHigh) for one in refused)
        assert total(scratch, Refund.amount_cents) + draft.amount_due_cents - asked == 1000
