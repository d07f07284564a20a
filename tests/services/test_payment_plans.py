"""What is open, spread over months."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.customer import Customer
from core.models.payment import PaymentPlan, PlanState
from core.services import customers, dunning, payment_plans, payments, tasks
from core.services.payment_plans import NothingOpen, PlanDisputed, PlanOver, PlanParts, PlanRuns, PlansBroken, PlanView
from core.services.references import ogm
from tests.builders import AGENT, VIEWER, make_customer, self_of
from tests.services.money_stories import bill, mandate, paid, trio


class TestProposePlan:
    def test_p05_is_offered_three_times_56(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, shown_plan=None)
        plan = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert (plan.state, plan.total_cents, plan.parts) == (
            PlanState.PROPOSED,
            16800,
            ((date(2026, 12, 2), 5600), (date(2027, 1, 2), 5600), (date(2027, 2, 2), 5600)),
        )

    def test_withdraws_the_proposal_that_was_shown_and_no_other(self, session: Session) -> None:
        customer = trio(session, 8)
        shown = payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, shown_plan=None, parts=2)
        with pytest.raises(ChangedMeanwhile) as refusal:
            payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None, parts=4)
        assert refusal.value.params["who"] == SYSTEM.username
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=shown, parts=4)
        with pytest.raises(ChangedMeanwhile):
            payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=shown, parts=3)
        plan = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert [cents for _due, cents in plan.parts] == [1050] * 4

    def test_refuses_thirteen_parts_and_an_empty_account(self, session: Session) -> None:
        customer = trio(session)
        with pytest.raises(PlanParts):
            payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, shown_plan=None, parts=13)
        with pytest.raises(NothingOpen):
            payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, shown_plan=None)

    def test_the_preview_is_what_is_proposed(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        shown = payment_plans.preview(session, AGENT, customer_id=customer.id, parts=5)
        assert [cents for _due, cents in shown] == [3360] * 5
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None, parts=5)
        assert plan(session, customer).parts == shown

    def test_spreads_odd_cents_over_the_first_parts(self) -> None:
        assert [cents for _due, cents in payment_plans.schedule(10000, 3, date(2026, 11, 18))] == [3334, 3333, 3333]

    def test_leaves_out_what_is_collected(self, session: Session) -> None:
        customer = trio(session, 8)
        mandate(session, customer)
        bill(session, customer, date(2026, 11, 5))
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        assert plan(session, customer).total_cents == 4200

    def test_leaves_out_a_disputed_bill_and_does_not_begin_with_one(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None, parts=2)
        proposed = plan(session, customer)
        dunning.dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055", disputed_cents=1200, reason="No service")
        with pytest.raises(PlanDisputed):
            payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=proposed.id, shown_version=proposed.version)
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=proposed.id, parts=2)
        proposed = plan(session, customer)
        assert proposed.total_cents == 4200
        dunning.decide_dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055")
        payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=proposed.id, parts=2)
        assert plan(session, customer).total_cents == 8400

    def test_refuses_a_second_plan_and_after_three_broken_ones(self, session: Session) -> None:
        customer = trio(session, 8)
        begin(session, customer)
        with pytest.raises(PlanRuns):
            payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7))
        for _ in range(2):
            begin(session, customer)
            payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7))
        with pytest.raises(PlansBroken):
            payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        with clock.standing(clock.at(date(2027, 11, 19), 10)):
            payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)


class TestAccept:
    def test_by_the_customer_himself_and_nobody_else(self, session: Session) -> None:
        customer, other = trio(session, 8), make_customer(session)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        for actor, refusal in ((self_of(other), NotFound), (VIEWER, NotPermitted)):
            with pytest.raises(refusal):
                payment_plans.accept(session, actor, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        first = payment_plans.accept(session, self_of(customer), customer_id=customer.id, plan_id=plan_id, shown_version=1)
        assert (first, plan(session, customer).state) == (date(2026, 12, 2), PlanState.ACTIVE)

    def test_ends_what_waited_for_the_answer(self, session: Session) -> None:
        customer, asks = trio(session, 8), {"shown_plan": None, "ask_on": date(2026, 11, 20)}
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, **asks)  # type: ignore[arg-type]
        waits = customers.open_tasks(session, AGENT, customer_id=customer.id)
        assert [(one.code, one.due) for one in waits] == [(tasks.PLAN_ANSWER, date(2026, 11, 20))]
        payment_plans.accept(session, self_of(customer), customer_id=customer.id, plan_id=plan_id, shown_version=1)
        assert customers.open_tasks(session, AGENT, customer_id=customer.id) == []

    def test_a_proposal_that_is_taken_back_waits_for_nothing(self, session: Session) -> None:
        customer = trio(session, 8)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None, ask_on=date(2026, 11, 20))
        payment_plans.withdraw(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        assert customers.open_tasks(session, AGENT, customer_id=customer.id) == []

    def test_refuses_what_changed_what_is_over_and_what_is_paid(self, session: Session) -> None:
        customer = trio(session, 8)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        with pytest.raises(ChangedMeanwhile):
            payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=2)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 18), amount_cents=4200)
        with pytest.raises(NothingOpen):
            payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        payment_plans.withdraw(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        with pytest.raises(PlanOver):
            payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=2)


class TestBreakDue:
    def test_2_dec_due_7_dec_broken_and_once_only(self, session: Session) -> None:
        customer = trio(session, 8)
        plan_id = begin(session, customer)
        assert payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 6)) == []
        assert payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7)) == [plan_id]
        assert payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7)) == []
        assert payment_plans.plan_of(session, AGENT, customer_id=customer.id) is None

    def test_tells_which_part_was_missed_and_what_is_left_until_it_is_paid(self, session: Session) -> None:
        customer = trio(session, 8)
        begin(session, customer)
        paid(session, date(2026, 11, 20), 400, customer_id=customer.id)
        with clock.standing(clock.at(date(2026, 12, 7), 6)):
            payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 7))
        missed = payment_plans.Part(date(2026, 12, 2), 1400, 1000)
        assert payment_plans.broken_of(session, AGENT, customer_id=customer.id) == payment_plans.Broken(date(2026, 12, 7), 3800, missed)
        paid(session, date(2026, 12, 8), 3800, customer_id=customer.id)
        assert payment_plans.broken_of(session, AGENT, customer_id=customer.id) is None

    def test_payments_settle_the_instalments_in_their_order_until_it_is_kept(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        plan_id = begin(session, customer)
        paid(session, date(2026, 11, 20), 4000, customer_id=customer.id)
        assert [part.left_cents for part in plan(session, customer).instalments] == [0, 1600, 2800]
        assert payment_plans.break_due(session, SYSTEM, day=date(2026, 12, 20)) == []
        paid(session, date(2027, 1, 2), 4400, customer_id=customer.id)
        payment_plans.break_due(session, SYSTEM, day=date(2027, 1, 3))
        assert session.get_one(PaymentPlan, plan_id).state is PlanState.KEPT

    def test_money_on_a_bill_outside_the_plan_does_not_count(self, session: Session) -> None:
        customer = trio(session, 8)
        begin(session, customer)
        issued = bill(session, customer, date(2026, 11, 5))
        paid(session, date(2026, 11, 20), 4200, customer_id=customer.id, communication=ogm(issued.bill_no))
        assert plan(session, customer).paid_cents == 0

    @given(total=st.integers(12, 500_000), parts=st.integers(2, 12))
    def test_instalments_always_add_up_and_come_each_month(self, total: int, parts: int) -> None:
        found = payment_plans.schedule(total, parts, date(2026, 12, 17))
        amounts = [cents for _due, cents in found]
        assert (sum(amounts), len(found)) == (total, parts)
        assert max(amounts) - min(amounts) <= 1
        assert [clock.add_months(found[0][0], index) for index in range(parts)] == [due for due, _cents in found]


def begin(session: Session, customer: Customer) -> int:
    plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
    payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
    return plan_id


def plan(session: Session, customer: Customer) -> PlanView:
    found = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
    assert found is not None
    return found
