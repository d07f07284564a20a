"""A bank's answer to collections: looked at, then taken in as a whole."""

from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotPermitted
from core.models.bill import BillState
from core.models.billing_account import BillingAccount, HoldReason
from core.models.collection import Collection, CollectionState
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.services import bills, collection_runs, payments, returns
from core.services.collections import RETURN_CODES
from core.services.returns import Outcome, Taken
from tests.bank.answers import camt, pain
from tests.builders import AGENT
from tests.services import money_stories
from tests.services.test_collection_runs import BILLING, DUE, EVE, _templates, debtor, money, on, run
from tests.services.test_order_races import at_once

BACK = date(2026, 11, 17)


def take(session: Session, data: bytes, day: date = BACK) -> Taken:
    """Take an answer in; the look before it told the same."""
    told = on(day, returns.look, session, BILLING, name="answer.xml", data=data)
    taken = on(day, returns.take_in, session, BILLING, name="answer.xml", data=data)
    assert told == taken
    return taken


def outcomes(taken: Taken) -> list[Outcome]:
    return [line.outcome for line in taken.lines]


def tasks(session: Session, customer: Customer) -> list[str]:
    return list(session.exec(select(Task.code).where(Task.customer_id == customer.id).order_by(col(Task.id))))


class TestTakeIn:
    @pytest.mark.parametrize("code", list(RETURN_CODES))
    def test_each_code_opens_the_bill_again_at_no_cost(self, session: Session, code: str) -> None:
        customer, mandate, bill_no = debtor(session)
        run(session, EVE, DUE)
        taken = take(session, camt((f"{bill_no}D1", code), euros="8.00"))
        assert (outcomes(taken), taken.sum_cents) == ([Outcome.RETURNED], 800)
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.state, row.remaining_cents, row.by_debit, row.due) == (BillState.SENT, 800, False, date(2026, 12, 1))
        assert (row.returned_on, row.return_code) == (BACK, code)
        assert money(session, customer) == (800, 0)
        kept = code == "AM05"  # Our own mistake does not end the customer's mandate.
        assert (mandate.state, mandate.cancel_reason) == ((MandateState.ACTIVE, None) if kept else (MandateState.CANCELLED, code))
        assert tasks(session, customer) == [{"AM05": "debit_duplicate", "MD07": "debit_holder_died"}.get(code, "debit_returned")]
        mails = {"AM05": ["direct_debit_returned"], "MD07": []}.get(code, ["direct_debit_refused"])
        assert _templates(session, customer)[1:] == mails

    def test_the_death_of_the_holder_lets_reminders_rest_and_sends_no_mail(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        waiting = money_stories.bill(session, customer, date(2026, 11, 9)).bill_no
        run(session, EVE, DUE)
        take(session, camt((f"{bill_no}D1", "MD07")))
        account = session.exec(select(BillingAccount).where(BillingAccount.customer_id == customer.id)).one()
        assert (account.dunning_hold_until, account.dunning_hold_reason) == (date(2027, 3, 17), "deceased")
        assert payments.bill_of(session, customer.id, waiting).mandate_id is None
        assert _templates(session, customer) == ["bill_issued", "bill_issued"]
        assert customer.deceased_on is None  # What a bank writes is looked into first.

    def test_a_longer_hold_stays(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        run(session, EVE, DUE)
        account = session.exec(select(BillingAccount).where(BillingAccount.customer_id == customer.id)).one()
        account.dunning_hold_until, account.dunning_hold_reason = date(2027, 6, 1), HoldReason.OMBUDSMAN
        account.dunning_hold_since = date(2026, 11, 1)
        take(session, camt((f"{bill_no}D1", "MD07")))
        assert (account.dunning_hold_until, account.dunning_hold_reason) == (date(2027, 6, 1), "ombudsman")

    def test_refused_before_its_day_a_bill_stays_open_and_is_not_collected(self, session: Session) -> None:
        customer, mandate, bill_no = debtor(session)
        on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        assert outcomes(take(session, pain((f"{bill_no}D1", "AC04")), EVE)) == [Outcome.REJECTED]
        assert run(session, EVE, date(2026, 12, 31)) == 0
        assert (mandate.state, mandate.last_used_on) == (MandateState.CANCELLED, None)
        assert bills.of_customer(session, AGENT, customer_id=customer.id)[0].due == date(2026, 11, 27)
        assert money(session, customer) == (800, 0)

    def test_other_bills_that_wait_under_the_ended_mandate_are_paid_by_transfer(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        later = money_stories.bill(session, customer, date(2026, 11, 12))
        run(session, EVE, DUE)
        take(session, camt((f"{bill_no}D1", "AM04")))
        assert run(session, BACK, date(2026, 12, 31)) == 0
        assert payments.bill_of(session, customer.id, later.bill_no).mandate_id is None
        assert _templates(session, customer)[-2:] == ["collection_withdrawn", "direct_debit_refused"]

    def test_the_same_file_twice_changes_nothing(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        run(session, EVE, DUE)
        data = camt((f"{bill_no}D1", "AM04"), (f"{bill_no}D1", "AM04"))
        assert outcomes(take(session, data)) == [Outcome.RETURNED, Outcome.ALREADY]
        before = (money(session, customer), tasks(session, customer), _templates(session, customer))
        again = take(session, data)
        assert (outcomes(again), again.sum_cents) == ([Outcome.ALREADY, Outcome.ALREADY], 0)
        assert (money(session, customer), tasks(session, customer), _templates(session, customer)) == before

    def test_lists_what_is_of_no_collection_or_differs_from_it(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        run(session, EVE, DUE)
        assert outcomes(take(session, camt(("9999999999D1", "AM04"), (f"{bill_no}D1", "XX99")))) == [Outcome.UNKNOWN, Outcome.CODE]
        assert outcomes(take(session, camt((f"{bill_no}D1", "AM04"), euros="7.99"))) == [Outcome.DIFFERS]
        assert money(session, customer) == (0, 0)

    def test_a_file_that_was_never_sent_can_not_be_answered(self, session: Session) -> None:
        _, _, bill_no = debtor(session)
        on(EVE, collection_runs.make_batch, session, BILLING, collect_on=DUE)
        assert outcomes(take(session, pain((f"{bill_no}D1", "AM04")), EVE)) == [Outcome.UNKNOWN]

    @pytest.mark.parametrize(
        ("code", "last", "late"),
        [("MD06", date(2027, 1, 11), date(2027, 1, 12)), ("MD01", date(2027, 12, 16), date(2027, 12, 17))],
    )
    def test_a_return_after_its_time_is_a_dispute_with_the_bank(self, session: Session, code: str, last: date, late: date) -> None:
        customer, _, bill_no = debtor(session)
        run(session, EVE, DUE)
        read_on = date(2028, 1, 3)  # The bank's own day counts, not ours.
        (line,) = take(session, camt((f"{bill_no}D1", code), day=f"{late}"), read_on).lines
        assert (line.outcome, line.until) == (Outcome.DISPUTE, last)
        take(session, camt((f"{bill_no}D1", code), day=f"{late}"), read_on)
        assert (money(session, customer), tasks(session, customer)) == ((0, 0), ["debit_dispute"])
        assert outcomes(take(session, camt((f"{bill_no}D1", code), day=f"{last}"), read_on)) == [Outcome.RETURNED]

    def test_adds_up_over_many(self, session: Session) -> None:
        found = [debtor(session) for _ in range(6)]
        run(session, EVE, DUE)
        taken = take(session, camt(*((f"{bill_no}D1", "AM04") for _, _, bill_no in found[:4]), ("1D1", "AM04")))
        assert (len(taken.changes), taken.sum_cents, len(taken.of(Outcome.UNKNOWN))) == (4, 3200, 1)
        assert sum(money(session, customer)[0] for customer, _, _ in found) == 3200
        (batch,) = collection_runs.batches(session, BILLING)
        assert (batch.collections, batch.returned) == (6, 4)

    def test_is_for_who_may_run_collections(self, session: Session) -> None:
        for verb in (returns.look, returns.take_in):
            with pytest.raises(NotPermitted):
                verb(session, AGENT, name="x", data=b"")

    def test_two_at_once_return_once(self, scratch: Engine) -> None:
        with Session(scratch) as session, session.begin():
            _, _, bill_no = debtor(session)
            run(session, EVE, DUE)
        data, start = camt((f"{bill_no}D1", "AM04")), Barrier(8)

        def work(session: Session, _number: int) -> int:
            start.wait()
            return len(returns.take_in(session, BILLING, name="answer.xml", data=data).changes)

        assert sorted(str(one) for one in at_once(scratch, work)) == ["0"] * 7 + ["1"]
        with Session(scratch) as session:
            assert session.exec(select(func.count()).select_from(Task)).one() == 1


class TestSince:
    def test_lists_what_came_back_the_newest_first(self, session: Session) -> None:
        found = [debtor(session) for _ in range(2)]
        run(session, EVE, DUE)
        for day, (_, _, bill_no) in zip((BACK, date(2026, 11, 18)), found, strict=True):
            take(session, camt((f"{bill_no}D1", "AM04")), day)
        rows = returns.since(session, BILLING, day=BACK)
        assert [(row.returned_on.day, row.code, row.amount_cents, row.bill_no) for row in rows] == [
            (18, "AM04", 800, found[1][2]), (17, "AM04", 800, found[0][2]),
        ]  # fmt: skip
        assert returns.since(session, BILLING, day=date(2026, 11, 19)) == []
        assert session.exec(select(Collection.state).distinct()).all() == [CollectionState.RETURNED]
        assert clock.today() == date(2026, 11, 18)
        assert session.exec(select(Mandate.state).distinct()).all() == [MandateState.CANCELLED]
