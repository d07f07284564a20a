"""Payments taken back and counted anew: not a cent is lost, and nothing is forgotten."""

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from core.actor import SYSTEM, Actor, Role
from core.errors import ChangedMeanwhile, DomainError, NotFound, NotPermitted
from core.models.bill import Bill, BillState
from core.models.customer import Customer
from core.models.payment import Payment, PaymentAllocation, PaymentState, Refund, RefundState
from core.services import bills, collections, open_amounts, payment_corrections, payments
from core.services.payment_corrections import NothingCounted, NotOurs
from core.text_rules import Missing
from tests.builders import AGENT, make_customer, make_product
from tests.services import money_stories
from tests.services.money_stories import trio

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
TODAY = date(2026, 11, 18)


def rests(session: Session, customer: Customer) -> list[int]:
    return [row.remaining_cents for row in bills.of_customer(session, AGENT, customer_id=customer.id)]


def paid(session: Session, customer: Customer, cents: int, bill_no: str | None = None) -> int:
    return payments.record(session, SYSTEM, customer_id=customer.id, bill_no=bill_no, received_on=TODAY, amount_cents=cents)


def reverse(session: Session, customer: Customer, payment: int, **more: Any) -> None:
    payment_corrections.reverse(session, SENIOR, customer_id=customer.id, payment_id=payment, **({"comment": "Wrong bill"} | more))


class TestReverse:
    def test_opens_the_bills_again_and_keeps_the_money_as_credit(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        reverse(session, customer, paid(session, customer, 5000))
        assert rests(session, customer) == [4200, 4200]
        found = open_amounts.open_summary(session, customer.id)
        assert (found.open_cents, found.credit_cents) == (8400, 5000)
        newest = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (newest.state, newest.paid_on, newest.returned_on) == (BillState.SENT, None, None)

    def test_takes_one_bill_back_and_leaves_the_other(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        reverse(session, customer, paid(session, customer, 5000), bill_no="2609000055")
        assert rests(session, customer) == [4200, 0]
        assert open_amounts.open_summary(session, customer.id).credit_cents == 800

    def test_lets_the_money_of_somebody_else_wait_again(self, session: Session) -> None:
        wrong, right = trio(session, 8), make_customer(session)
        payment = paid(session, wrong, 4200)
        reverse(session, wrong, payment, to_queue=True)
        (waiting,) = payments.unmatched(session, AGENT)
        assert (waiting.amount_cents, rests(session, wrong), open_amounts.open_summary(session, wrong.id).credit_cents) == (4200, [4200], 0)
        payments.match(session, AGENT, payment_id=waiting.id, customer_id=right.id)
        assert session.get_one(Payment, payment).state is PaymentState.MOVED
        with pytest.raises(ChangedMeanwhile):
            reverse(session, wrong, payment)

    def test_refuses_a_collection(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "TRIO")
        money_stories.mandate(session, customer)
        money_stories.bill(session, customer, date(2026, 11, 5), bill_no="2611000062")
        payment = collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        with pytest.raises(NotOurs):
            reverse(session, customer, payment)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04", day=date(2026, 11, 17))
        with pytest.raises(NotOurs):
            reverse(session, customer, payment)

    def test_refuses_a_second_time_another_bill_and_another_file(self, session: Session) -> None:
        customer, other = trio(session, 8), make_customer(session)
        payment = paid(session, customer, 4200)
        with pytest.raises(NothingCounted):
            reverse(session, customer, payment, bill_no="2609000055")
        with pytest.raises(NotFound):
            reverse(session, other, payment)
        reverse(session, customer, payment)
        with pytest.raises(NothingCounted):
            reverse(session, customer, payment)

    def test_needs_the_right_and_a_comment(self, session: Session) -> None:
        customer = trio(session, 8)
        payment = paid(session, customer, 4200)
        with pytest.raises(NotPermitted):
            payment_corrections.reverse(session, AGENT, customer_id=customer.id, payment_id=payment, comment="Wrong bill")
        with pytest.raises(Missing):
            reverse(session, customer, payment, comment="  ")


class TestReallocate:
    def test_counts_as_it_is_told(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payment = paid(session, customer, 5000)
        payment_corrections.reallocate(
            session, SENIOR, customer_id=customer.id, payment_id=payment, allocations={"2609000055": 4000}, comment="Asked by the customer"
        )
        assert rests(session, customer) == [200, 4200]
        assert open_amounts.open_summary(session, customer.id).credit_cents == 1000

    def test_counts_what_is_left_of_a_collection_and_still_refuses_to_take_it_back(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "TRIO")
        money_stories.mandate(session, customer)
        money_stories.bill(session, customer, date(2026, 11, 5), bill_no="2611000062")
        payment = collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        money_stories.bill(session, customer, date(2026, 12, 5), bill_no="2612000062")
        session.exec(select(PaymentAllocation)).one().amount_cents = 3200
        session.flush()
        payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment, bill_no="2612000062")
        assert rests(session, customer) == [3200, 0]
        with pytest.raises(NothingCounted):
            payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment, bill_no="2612000062")
        for to_queue in (False, True):
            with pytest.raises(NotOurs):
                reverse(session, customer, payment, to_queue=to_queue)
        with pytest.raises(NotOurs):
            payment_corrections.reallocate(
                session, SENIOR, customer_id=customer.id, payment_id=payment, allocations={"2612000062": 100}, comment="Asked"
            )

    def test_counts_what_is_left_on_a_bill(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payment = paid(session, customer, 5000)
        reverse(session, customer, payment, bill_no="2609000055")
        assert [one.left_cents for one in payment_corrections.left_over(session, AGENT, customer_id=customer.id)] == [800]
        payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment, bill_no="2609000055")
        assert rests(session, customer) == [3400, 0]
        with pytest.raises(NothingCounted):
            payment_corrections.count_left(session, AGENT, customer_id=customer.id, payment_id=payment, bill_no="2609000055")
        assert payment_corrections.left_over(session, AGENT, customer_id=customer.id) == []


class TestWhatIsLeft:
    def test_pays_the_next_bill_and_the_paper_says_so(self, session: Session) -> None:
        customer = trio(session, 8)
        payment = paid(session, customer, 10000)
        september = money_stories.bill(session, customer, date(2026, 9, 5), bill_no="2609000055")
        assert (rests(session, customer), september.remaining_cents) == ([0, 0], 0)
        row = session.exec(select(Bill).where(Bill.bill_no == "2609000055")).one()
        assert (row.state, row.remaining_cents, row.printed["paid_cents"]) == (BillState.SETTLED, 0, 4200)
        money_stories.bill(session, customer, date(2026, 10, 5), bill_no="2610000055")
        assert rests(session, customer) == [2600, 0, 0]
        assert payment_corrections.left_over(session, AGENT, customer_id=customer.id) == []
        reverse(session, customer, payment)
        assert rests(session, customer) == [4200, 4200, 4200]

    def test_is_not_what_was_paid_back_or_waits_to_be(self, session: Session) -> None:
        customer = trio(session, 8)
        payment = paid(session, customer, 5000)
        session.add(
            Refund(
                customer_id=customer.id, payment_id=payment, amount_cents=500, iban="BE46539000000636", state=RefundState.REQUESTED,
                requested_on=TODAY,
            )
        )  # fmt: skip
        money_stories.bill(session, customer, date(2026, 9, 5), bill_no="2609000055")
        assert rests(session, customer) == [3900, 0]


OPERATION = st.tuples(
    st.sampled_from(["record", "wait", "match", "reverse", "queue", "reallocate", "count_left"]),
    st.integers(0, 5),
    st.integers(-10, 9000),
    st.integers(0, 3),
)


class TestAnySequence:
    @given(operations=st.lists(OPERATION, min_size=1, max_size=14))
    @settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_loses_no_cent(self, session: Session, operations: list[tuple[str, int, int, int]]) -> None:
        people = [make_customer(session), make_customer(session)]
        numbers: list[list[str]] = []
        for person in people:
            make_product(session, person, "TRIO")
            numbers.append([money_stories.bill(session, person, date(2026, month, 5)).bill_no for month in (8, 9)])
        came_in, before = 0, max([0, *session.exec(select(Payment.id))])
        for kind, which, cents, bill in operations:
            seen = [*session.exec(select(Payment.id).where(Payment.id > before).order_by(col(Payment.id))), 0]
            owner, number = people[bill % 2], numbers[bill % 2][bill // 2]
            click = session.begin_nested()
            try:
                came_in += _do(session, kind, owner.id, number, seen[which % len(seen)], cents, odd=bool(which % 2))
                click.commit()
            except DomainError:
                click.rollback()
            _adds_up(session, [person.id for person in people], before, came_in)


def _do(session: Session, kind: str, owner: int, number: str, payment: int, cents: int, *, odd: bool) -> int:
    """Carry out one operation, and return what came in by it."""
    if kind == "record":
        payments.record(session, SENIOR, received_on=TODAY, amount_cents=cents, customer_id=owner, bill_no=number if odd else None)
        return cents
    if kind == "wait":
        payments.record(session, SENIOR, received_on=TODAY, amount_cents=cents)
        return cents
    if kind == "match":
        payments.match(session, SENIOR, customer_id=owner, payment_id=payment, allocations={number: cents} if odd else None)
    elif kind == "count_left":
        payment_corrections.count_left(session, SENIOR, customer_id=owner, payment_id=payment, bill_no=number)
    elif kind == "reallocate":
        payment_corrections.reallocate(
            session, SENIOR, customer_id=owner, payment_id=payment, allocations={number: cents}, comment="x"
        )  # fmt: skip
    else:
        payment_corrections.reverse(
            session, SENIOR, customer_id=owner, payment_id=payment, comment="x", to_queue=kind == "queue", bill_no=number if odd else None
        )
    return 0


def _adds_up(session: Session, people: list[int], before: int, came_in: int) -> None:
    live = select(PaymentAllocation).where(col(PaymentAllocation.reversed_on).is_(None), col(PaymentAllocation.customer_id).in_(people))
    counted: Counter[int] = Counter()
    for allocation in session.exec(live):
        counted[allocation.bill_id] += allocation.amount_cents
    for bill in session.exec(select(Bill).where(col(Bill.customer_id).in_(people))):
        assert bill.remaining_cents == bill.incl_cents + bill.third_party_cents - bill.credited_cents - counted[bill.id]
    found = session.exec(select(Payment).where(Payment.id > before)).all()
    assert sum(payment.amount_cents for payment in found if payment.state is not PaymentState.MOVED) == came_in
    for payment in found:
        left = payments.left_of(session, payment)
        assert 0 <= left <= payment.amount_cents
        assert payment.state is PaymentState.MATCHED or left == payment.amount_cents
    for person in people:
        left = sum(payments.left_of(session, one) for one in found if one.customer_id == person and one.state is PaymentState.MATCHED)
        assert open_amounts.open_summary(session, person).credit_cents == left
