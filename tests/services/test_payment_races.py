"""Two clerks at the same money: real threads, real commits, on both databases (S52, S53)."""

from datetime import date

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from core.actor import SYSTEM
from core.bank.statement import Entry
from core.errors import ChangedMeanwhile
from core.models.bill import Bill
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.models.statement import BankStatement
from core.services import payment_corrections, payment_entry, payments, statements
from core.services.payment_corrections import NothingCounted
from core.services.statements import TakenMeanwhile
from tests.bank.writers import DAY, coda
from tests.builders import AGENT
from tests.services.money_stories import trio
from tests.services.test_order_races import THREADS, at_once, count

TODAY = date(2026, 11, 18)


def live_cents(engine: Engine) -> int:
    with Session(engine) as session:
        live = select(func.coalesce(func.sum(PaymentAllocation.amount_cents), 0)).where(col(PaymentAllocation.reversed_on).is_(None))
        return session.exec(live).one()


class TestMatch:
    def test_one_of_eight_clerks_wins_and_the_others_are_told(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = trio(session, 8, 9)
            payment = payments.record(session, SYSTEM, received_on=TODAY, amount_cents=4200)
        found = at_once(
            scratch,
            lambda session, number: payments.match(
                session, AGENT, payment_id=payment, customer_id=customer.id, bill_no="2608000055" if number % 2 else "2609000055"
            ),
        )
        assert found.count(None) == 1
        assert [one.params for one in found if isinstance(one, ChangedMeanwhile)] == [{"who": "agent", "at": "10:00"}] * (THREADS - 1)
        assert live_cents(scratch) == 4200


class TestRecord:
    def test_eight_payments_on_one_bill_pay_it_once_and_stay_as_credit(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = trio(session, 8, 9)
        given = {"customer_id": customer.id, "received_on": TODAY, "amount_cents": 2000}
        found = at_once(
            scratch,
            lambda session, number: payments.record(
                session, AGENT, **given, bill_no="2608000055" if number % 2 else "2609000055"  # type: ignore[arg-type]
            ),
        )  # fmt: skip
        assert all(isinstance(one, int) for one in found)
        with Session(scratch) as session:
            assert session.exec(select(func.sum(Bill.remaining_cents))).one() == 0
        assert live_cents(scratch) == 8400


class TestReverse:
    def test_eight_clicks_take_back_once(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = trio(session, 8)
            payment = payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=4200)
        found = at_once(
            scratch,
            lambda session, _: payment_corrections.reverse(session, SYSTEM, customer_id=customer.id, payment_id=payment, comment="x"),
        )
        assert sum(isinstance(one, NothingCounted) for one in found) == THREADS - 1
        with Session(scratch) as session:
            assert session.exec(select(Bill.remaining_cents)).one() == 4200


class TestTakeIn:
    def test_eight_clicks_take_a_statement_in_once(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            trio(session, 8)
        data = coda([Entry(4200, DAY, communication="260800005549", structured=True), Entry(100, DAY)])
        found = at_once(scratch, lambda session, _: statements.take_in(session, SYSTEM, name="x", data=data))
        fresh = [one for one in found if isinstance(one, statements.Taken) and one.new_statements]
        late = [one for one in found if isinstance(one, TakenMeanwhile) or (isinstance(one, statements.Taken) and not one.new_statements)]
        assert (len(fresh), len(late)) == (1, THREADS - 1)
        assert (count(scratch, Payment), count(scratch, BankStatement)) == (2, 1)
        assert count(scratch, Payment, state=PaymentState.UNMATCHED) == 1

    def test_a_clerk_and_a_statement_bring_the_same_money_once(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = trio(session, 8)
        data = coda([Entry(4200, DAY, communication="260800005549", structured=True)])
        given = {"customer_id": customer.id, "received_on": DAY, "amount_cents": 4200, "comment": "Proof by e-mail"}

        def either(session: Session, number: int) -> object:
            if number == 0:
                return payment_entry.enter(session, AGENT, **given)  # type: ignore[arg-type]
            return statements.take_in(session, SYSTEM, name="x", data=data)

        at_once(scratch, either)
        assert (count(scratch, Payment), count(scratch, BankStatement)) == (1, 1)
