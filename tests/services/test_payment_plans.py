"""What is open, spread over months."""

from datetime import date

import pytest
from sqlmodel import Session

from core.actor import SYSTEM
from core.models.payment import PlanState
from core.services import payment_plans
from core.services.payment_plans import NothingOpen, PlanParts
from tests.builders import AGENT
from tests.services.money_stories import trio


class TestProposePlan:
    def test_p05_is_offered_three_times_56(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id)
        plan = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert (plan.state, plan.total_cents, plan.parts) == (
            PlanState.PROPOSED,
            16800,
            ((date(2026, 12, 2), 5600), (date(2027, 1, 2), 5600), (date(2027, 2, 2), 5600)),
        )

    def test_withdraws_the_proposal_before(self, session: Session) -> None:
        customer = trio(session, 8)
        payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, parts=2)
        payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, parts=4)
        plan = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert [cents for _due, cents in plan.parts] == [1050] * 4

    def test_refuses_thirteen_parts_and_an_empty_account(self, session: Session) -> None:
        customer = trio(session)
        with pytest.raises(PlanParts):
            payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id, parts=13)
        with pytest.raises(NothingOpen):
            payment_plans.propose_plan(session, SYSTEM, customer_id=customer.id)
