"""Collection runs: what is due, its file, and the day on which the money moves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, HoldReason, PaymentMethod
from core.models.collection import BatchState, Collection, CollectionBatch, CollectionState, Sequence
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.models.payment import Payment, PaymentPlan, PlanBill, PlanState
from core.services import bills, collection_runs, collections, dunning, mandates, open_amounts, payments
from core.services.collection_facts import Hindrance
from core.services.collection_files import NothingToCollect, TooLateForBank
from core.services.collection_runs import TASK_RECALL, TooLateToWithdraw
from core.services.collections import NotCollectible
from core.services.periods import next_banking_day
from tests.builders import AGENT, make_customer, make_product, self_of
from tests.services import money_stories
from tests.services.money_stories import NOVEMBER

Result = TypeVar("Result")
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
DUE, EVE = date(2026, 11, 16), date(2026, 11, 13)
"""The bill of 5 November is due on Sunday the 15th: collected on Monday, asked for on Friday."""


def debtor(session: Session, signed_on: date = date(2024, 10, 1), day: date = NOVEMBER, **given: str) -> tuple[Customer, Mandate, str]:
    """A customer who pays by direct debit, his mandate, and the number of the bill of a day."""
    customer = make_customer(session)
    make_product(session, customer, "RED")
    mandate = money_stories.mandate(session, customer, signed_on, **given)
    return customer, mandate, money_stories.bill(session, customer, day).bill_no


def on(day: date, verb: Callable[..., Result], *given: object, **named: object) -> Result:
    with clock.standing(clock.at(day, 8)):
        return verb(*given, **named)


def make(session: Session, collect_on: date = DUE, today: date = EVE) -> str:
    return on(today, collection_runs.make_batch, session, BILLING, collect_on=collect_on)


def run(session: Session, since: date, until: date) -> int:
    """Do the work of each day, and return how many were settled."""
    many = 0
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        on(day, collection_runs.make_due, session, SYSTEM, day)
        many += on(day, collection_runs.settle_due, session, SYSTEM, day)
    return many


def rows(session: Session) -> list[Collection]:
    return list(session.exec(select(Collection).order_by(col(Collection.id))))


def money(session: Session, customer: Customer) -> tuple[int, int]:
    found = open_amounts.open_summary(session, customer.id)
    return found.open_cents, found.credit_cents


def xml(data: bytes) -> etree._Element:
    return etree.fromstring(data)


def texts(data: bytes, name: str) -> list[str]:
    return [node.text or "" for node in xml(data).iter(f"{{*}}{name}")]


class TestUpcoming:
    def test_tells_the_day_its_sum_and_what_comes_first(self, session: Session) -> None:
        debtor(session)
        _, mandate, _ = debtor(session)
        mandate.last_used_on = date(2026, 10, 15)
        session.flush()
        (day,) = on(EVE, collection_runs.upcoming, session, BILLING).days
        assert (day.collect_on, day.last_day, day.sum_cents) == (DUE, EVE, 1600)
        assert day.sequences == {Sequence.FRST: 1, Sequence.RCUR: 1}

    @pytest.mark.parametrize(
        ("bill_day", "collect_on", "last"),
        [
            (date(2026, 11, 5), date(2026, 11, 16), date(2026, 11, 13)),
            (date(2026, 12, 15), date(2026, 12, 28), date(2026, 12, 24)),
            (date(2027, 3, 16), date(2027, 3, 30), date(2027, 3, 25)),
            (date(2027, 4, 21), date(2027, 5, 3), date(2027, 4, 30)),
            (date(2026, 12, 22), date(2027, 1, 4), date(2026, 12, 31)),
        ],
        ids=["a Sunday", "Christmas and the day after", "Good Friday to Easter Monday", "1 May", "New Year"],
    )
    def test_collects_when_banks_work_and_asks_them_a_banking_day_before(
        self, session: Session, bill_day: date, collect_on: date, last: date
    ) -> None:
        debtor(session, day=bill_day)
        (day,) = on(bill_day, collection_runs.upcoming, session, BILLING).days
        assert (day.collect_on, day.last_day) == (collect_on, last)

    @pytest.mark.parametrize("why", list(Hindrance))
    def test_names_what_stands_in_the_way(self, session: Session, why: Hindrance) -> None:
        customer, mandate, bill_no = debtor(session)
        account = session.exec(select(BillingAccount).where(BillingAccount.customer_id == customer.id)).one()
        bill = payments.bill_of(session, customer.id, bill_no)
        if why is Hindrance.DECEASED:
            customer.deceased_on = date(2026, 11, 8)
        elif why is Hindrance.ENDED:
            mandates.end(session, SYSTEM, mandate=mandate, reason="MS02", tell=False)
        elif why is Hindrance.EXPIRED:
            mandate.last_used_on = date(2023, 11, 16)
        elif why is Hindrance.HOLD:
            account.dunning_hold_since, account.dunning_hold_until = date(2026, 11, 6), date(2026, 11, 17)
            account.dunning_hold_reason = HoldReason.INQUIRY
        elif why is Hindrance.NOTICE:
            bill.due_date = date(2026, 11, 14)
        elif why is Hindrance.DISPUTED:
            dunning.dispute(session, AGENT, customer_id=customer.id, bill_no=bill_no, disputed_cents=100, reason="One call too many")
        elif why is Hindrance.PLAN:
            today = date(2026, 11, 6)
            plan = PaymentPlan(
                customer_id=customer.id, state=PlanState.ACTIVE, proposed_on=today, accepted_on=today, total_cents=bill.remaining_cents
            )
            session.add(plan)
            session.flush()
            session.add(PlanBill(customer_id=customer.id, plan_id=plan.id, bill_id=bill.id, amount_cents=bill.remaining_cents))
        else:
            mandate.state = MandateState.SUSPENDED
        session.flush()
        found = on(EVE, collection_runs.upcoming, session, BILLING)
        assert ([one.hindrance for one in found.blocked], found.days) == ([why], ())
        with pytest.raises(NothingToCollect):
            make(session)

    def test_a_mandate_ended_on_request_still_serves_the_bill_issued_under_it(self, session: Session) -> None:
        customer, mandate, _ = debtor(session)
        mandates.cancel(session, AGENT, customer_id=customer.id, mandate_id=mandate.id, shown_version=mandate.version)
        assert run(session, EVE, DUE) == 1

    def test_is_for_who_may_run_collections(self, session: Session) -> None:
        for verb in (collection_runs.upcoming, collection_runs.batches):
            with pytest.raises(NotPermitted):
                verb(session, AGENT)
        with pytest.raises(NotPermitted):
            collection_runs.make_batch(session, AGENT, collect_on=DUE)
        with pytest.raises(NotPermitted):
            collection_runs.file(session, AGENT, message_id="SDD-20261116-01")


class TestMakeBatch:
    def test_twice_makes_nothing_twice(self, session: Session) -> None:
        debtor(session)
        assert make(session) == make(session) == "SDD-20261116-01"
        assert len(rows(session)) == 1

    def test_a_bill_that_comes_later_gets_a_second_file(self, session: Session) -> None:
        debtor(session)
        make(session)
        debtor(session)
        assert make(session) == make(session) == "SDD-20261116-02"
        assert [row.sequence for row in rows(session)] == [Sequence.FRST, Sequence.FRST]

    @pytest.mark.parametrize("today", [date(2026, 11, 14), DUE, date(2026, 11, 17)])
    def test_refuses_less_than_a_banking_day_ahead(self, session: Session, today: date) -> None:
        debtor(session)
        with pytest.raises(TooLateForBank):
            make(session, today=today)

    def test_refuses_a_day_on_which_no_bank_works(self, session: Session) -> None:
        debtor(session)
        with pytest.raises(TooLateForBank):
            make(session, collect_on=date(2026, 11, 15))

    def test_the_file_says_what_the_rows_say(self, session: Session) -> None:
        _, mandate, bill_no = debtor(session)
        data = on(EVE, collection_runs.file, session, BILLING, message_id=make(session))
        assert texts(data, "CtrlSum") == ["8.00", "8.00"]
        assert texts(data, "EndToEndId") == [f"{bill_no}D1"]
        assert (texts(data, "MndtId"), texts(data, "ReqdColltnDt")) == ([mandate.umr], ["2026-11-16"])

    def test_of_two_bills_of_a_new_mandate_one_is_the_first(self, session: Session) -> None:
        customer, _, _ = debtor(session)
        money_stories.bill(session, customer, date(2026, 11, 6))
        make(session)
        assert [row.sequence for row in rows(session)] == [Sequence.FRST, Sequence.RCUR]

    def test_a_new_account_is_told_once(self, session: Session) -> None:
        customer, mandate, _ = debtor(session)
        run(session, EVE, DUE)
        mandate.amends_iban, mandate.iban = mandate.iban, "BE77539000001242"
        session.flush()
        for month in (12, 1):
            money_stories.bill(session, customer, date(2026 + (month == 1), month, 5))
        run(session, date(2026, 12, 14), date(2027, 1, 15))
        assert [(row.sequence, row.amended) for row in rows(session)] == [
            (Sequence.FRST, False), (Sequence.RCUR, True), (Sequence.RCUR, False),
        ]  # fmt: skip

    def test_the_database_holds_one_live_collection_for_a_bill(self, session: Session) -> None:
        debtor(session)
        make(session)
        row = rows(session)[0]
        again = {name: getattr(row, name) for name in ("customer_id", "bill_id", "mandate_id", "batch_id", "amount_cents", "collect_on")}
        session.add(
            Collection(**again, sequence=Sequence.RCUR, holder="x", iban=row.iban, state=CollectionState.PENDING, end_to_end_id="E2")
        )
        with pytest.raises(IntegrityError):
            session.flush()

    def test_eight_at_once_make_one_file(self, scratch: Engine) -> None:
        with Session(scratch) as session, session.begin():
            for _ in range(3):
                debtor(session)
        start = Barrier(8)

        def one(_number: int) -> str:
            start.wait()
            with Session(scratch) as session, session.begin():
                return make(session)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(one, range(8))) == {"SDD-20261116-01"}
        with Session(scratch) as session:
            assert session.exec(select(func.count()).select_from(Collection)).one() == 3


class TestFile:
    def test_is_sent_with_the_first_download_and_stands_from_then_on(self, session: Session) -> None:
        customer, mandate, bill_no = debtor(session)
        message_id = make(session)
        first = on(EVE, collection_runs.file, session, BILLING, message_id=message_id)
        mandate.iban = "BE77539000001242"
        payments.record(session, SYSTEM, received_on=EVE, amount_cents=800, communication=_ogm(session, customer, bill_no))
        assert on(EVE, collection_runs.file, session, BILLING, message_id=message_id) == first
        (shown,) = collection_runs.batches(session, BILLING)
        assert (shown.state, shown.collections, shown.sum_cents) == (BatchState.SENT, 1, 800)

    def test_until_it_is_sent_it_follows_its_bills(self, session: Session) -> None:
        (one, _, paid), (other, _, partly) = debtor(session), debtor(session)
        message_id = make(session)
        payments.record(session, SYSTEM, received_on=EVE, amount_cents=800, communication=_ogm(session, one, paid))
        payments.record(session, SYSTEM, received_on=EVE, amount_cents=300, communication=_ogm(session, other, partly))
        data = on(EVE, collection_runs.file, session, BILLING, message_id=message_id)
        assert (texts(data, "EndToEndId"), texts(data, "InstdAmt")) == ([f"{partly}D1"], ["5.00"])
        assert [row.state for row in rows(session)] == [CollectionState.WITHDRAWN, CollectionState.PENDING]

    def test_goes_where_nothing_of_it_is_left(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        message_id = make(session)
        payments.record(session, SYSTEM, received_on=EVE, amount_cents=800, communication=_ogm(session, customer, bill_no))
        with pytest.raises(NothingToCollect):
            on(EVE, collection_runs.file, session, BILLING, message_id=message_id)

    def test_taken_too_late_for_its_day_it_moves_to_the_next_one(self, session: Session) -> None:
        debtor(session)
        data = on(DUE, collection_runs.file, session, BILLING, message_id=make(session))
        assert texts(data, "ReqdColltnDt") == ["2026-11-17"]


class TestWithdraw:
    def test_leaves_the_file_and_is_paid_by_transfer(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        debtor(session)
        message_id = make(session)
        on(EVE, collection_runs.withdraw, session, self_of(customer), customer_id=customer.id, bill_no=bill_no)
        assert bill_no not in str(on(EVE, collection_runs.file, session, BILLING, message_id=message_id))
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.by_debit, row.is_open, row.due) == (False, True, date(2026, 11, 27))
        assert run(session, EVE, date(2026, 12, 1)) == 1
        assert money(session, customer) == (800, 0)
        assert _templates(session, customer)[-1] == "collection_withdrawn"

    def test_of_a_sent_file_asks_a_colleague_to_call_it_back(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        on(EVE, collection_runs.withdraw, session, AGENT, customer_id=customer.id, bill_no=bill_no)
        assert session.exec(select(Task.code, col(Task.due)).where(Task.customer_id == customer.id)).all() == [(TASK_RECALL, EVE)]
        assert run(session, EVE, DUE) == 0

    def test_before_any_file_it_just_is_paid_by_transfer(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        collection_runs.withdraw(session, AGENT, customer_id=customer.id, bill_no=bill_no)
        assert run(session, EVE, DUE) == 0
        with pytest.raises(NotCollectible):
            collection_runs.withdraw(session, AGENT, customer_id=customer.id, bill_no=bill_no)

    def test_refuses_from_the_last_banking_day_on(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        with pytest.raises(TooLateToWithdraw) as refusal:
            on(date(2026, 11, 14), collection_runs.withdraw, session, AGENT, customer_id=customer.id, bill_no=bill_no)
        assert refusal.value.params == {"on": DUE, "last": EVE, "weeks": 8}

    def test_refuses_anothers_bill(self, session: Session) -> None:
        _, _, bill_no = debtor(session)
        stranger = make_customer(session)
        with pytest.raises(NotFound):
            collection_runs.withdraw(session, self_of(stranger), customer_id=stranger.id, bill_no=bill_no)


class TestDays:
    def test_each_bill_is_collected_once_on_its_day(self, session: Session) -> None:
        customer, mandate, _ = debtor(session)
        assert run(session, NOVEMBER, date(2026, 11, 30)) == 1
        assert run(session, EVE, date(2026, 11, 30)) == 0
        payment = session.exec(select(Payment)).one()
        assert (payment.received_on, payment.amount_cents, payment.mandate_id) == (DUE, 800, mandate.id)
        assert money(session, customer) == (0, 0)
        assert mandate.last_used_on == DUE

    def test_a_job_that_was_down_collects_on_the_first_day_it_still_can(self, session: Session) -> None:
        debtor(session)
        run(session, date(2026, 11, 20), date(2026, 11, 24))
        assert rows(session)[0].collect_on == date(2026, 11, 23)

    def test_what_is_in_a_file_is_not_collected_beside_it(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        with pytest.raises(NotCollectible):
            collections.collect(session, SYSTEM, customer_id=customer.id, bill_no=bill_no)

    def test_what_was_paid_after_the_file_left_stays_as_credit(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        payments.record(session, SYSTEM, received_on=EVE, amount_cents=800, communication=_ogm(session, customer, bill_no))
        on(DUE, collection_runs.settle_due, session, SYSTEM, DUE)
        assert money(session, customer) == (0, 800)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no=bill_no, code="AM04")
        assert money(session, customer) == (0, 0)

    def test_a_returned_and_repaid_bill_is_never_collected_again(self, session: Session) -> None:
        customer, _, bill_no = debtor(session)
        run(session, EVE, DUE)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no=bill_no, code="AM04")
        assert run(session, DUE, date(2026, 12, 10)) == 0
        with clock.standing(clock.at(date(2026, 12, 1), 9)):
            payments.record(session, SYSTEM, received_on=clock.today(), amount_cents=800, communication=_ogm(session, customer, bill_no))
        assert run(session, date(2026, 12, 1), date(2026, 12, 31)) == 0
        assert money(session, customer) == (0, 0)

    def test_two_at_once_settle_once(self, scratch: Engine) -> None:
        with Session(scratch) as session, session.begin():
            debtor(session)
            on(EVE, collection_runs.make_due, session, SYSTEM, EVE)
        start = Barrier(6)

        def one(_number: int) -> int:
            start.wait()
            with Session(scratch) as session, session.begin():
                return on(DUE, collection_runs.settle_due, session, SYSTEM, DUE)

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(one, range(6))) == [0, 0, 0, 0, 0, 1]
        with Session(scratch) as session:
            assert session.exec(select(func.count()).select_from(Payment)).one() == 1

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(days=st.lists(st.integers(1, 27), min_size=1, max_size=8, unique=True), stop=st.integers(1, 60))
    def test_what_is_collected_is_what_was_due(self, session: Session, days: list[int], stop: int) -> None:
        with session.begin_nested() as point:
            customer, _, first = debtor(session)
            numbers = [first, *(money_stories.bill(session, customer, NOVEMBER + timedelta(days=number)).bill_no for number in days)]
            until = NOVEMBER + timedelta(days=stop)
            run(session, NOVEMBER, until)
            issued = session.exec(select(Bill).where(col(Bill.bill_no).in_(numbers))).all()
            due = [one for one in issued if next_banking_day(one.due_date) <= until]
            whole = sum(one.incl_cents + one.third_party_cents for one in issued)
            taken = sum(row.amount_cents for row in rows(session) if row.state is CollectionState.SETTLED)
            assert taken == sum(one.incl_cents + one.third_party_cents for one in due)
            assert money(session, customer) == (whole - taken, 0)
            batches = session.exec(select(CollectionBatch)).all()
            assert sum(one.sum_cents for one in batches) == sum(row.amount_cents for row in rows(session))
            point.rollback()
        session.expunge_all()


class TestExpiry:
    def test_after_36_months_without_use_bills_are_paid_by_transfer(self, session: Session) -> None:
        customer, mandate, bill_no = debtor(session, signed_on=date(2023, 11, 10))
        on(date(2026, 11, 9), collection_runs.make_due, session, SYSTEM, date(2026, 11, 9))
        assert mandate.state is MandateState.ACTIVE
        run(session, date(2026, 11, 10), date(2026, 11, 30))
        assert (mandate.state, mandate.cancelled_on, rows(session)) == (MandateState.EXPIRED, date(2026, 11, 10), [])
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.bill_no, row.by_debit, row.due) == (bill_no, False, date(2026, 11, 24))
        account = session.exec(select(BillingAccount).where(BillingAccount.customer_id == customer.id)).one()
        assert (account.payment_method, account.payment_due_days) == (PaymentMethod.TRANSFER, 15)
        assert _templates(session, customer)[-2:] == ["mandate_expired", "collection_withdrawn"]
        money_stories.bill(session, customer, date(2026, 12, 5))
        assert not any(row.by_debit for row in bills.of_customer(session, AGENT, customer_id=customer.id))

    def test_each_use_begins_the_time_anew(self, session: Session) -> None:
        _, mandate, _ = debtor(session, signed_on=date(2020, 1, 1))
        mandate.last_used_on = date(2023, 11, 17)
        session.flush()
        assert run(session, EVE, DUE) == 1


def _ogm(session: Session, customer: Customer, bill_no: str) -> str:
    return payments.bill_of(session, customer.id, bill_no).ogm or ""


def _templates(session: Session, customer: Customer) -> list[str]:
    query = select(Communication.template).where(Communication.customer_id == customer.id).order_by(col(Communication.id))
    return list(session.exec(query))
