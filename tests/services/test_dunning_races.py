"""Two nights at once, a night and a payment, two acceptances: real threads, real commits, on both databases."""

from datetime import date

from sqlalchemy import Engine
from sqlmodel import Session, select

from core import clock
from core.actor import SYSTEM
from core.errors import ChangedMeanwhile
from core.models.billing_account import BillingAccount, DunningState
from core.models.communication import Communication
from core.models.dunning import DunningNotice
from core.services import dunning, payment_plans, payments
from tests.builders import AGENT
from tests.services.money_stories import trio
from tests.services.test_order_races import THREADS, at_once

REMINDED = date(2026, 8, 25)


def late(engine: Engine) -> int:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return trio(session, 8).id


def test_one_step_is_taken_and_told_once(scratch: Engine) -> None:
    late(scratch)

    def night(session: Session, _number: int) -> int:
        with clock.standing(clock.at(REMINDED, 6)):
            return len(dunning.run_due(session, SYSTEM, day=REMINDED))

    assert sorted(at_once(scratch, night)) == [0] * (THREADS - 1) + [1]  # type: ignore[type-var]
    with Session(scratch) as session:
        assert len(session.exec(select(DunningNotice)).all()) == 1
        assert len(session.exec(select(Communication).where(Communication.template == "dunning_reminder")).all()) == 1


def test_who_pays_in_that_very_night_is_not_left_in_the_follow_up(scratch: Engine) -> None:
    customer_id = late(scratch)

    def work(session: Session, number: int) -> object:
        if number:
            return dunning.run_due(session, SYSTEM, day=REMINDED)
        return payments.record(session, SYSTEM, customer_id=customer_id, received_on=REMINDED, amount_cents=4200)

    at_once(scratch, work)
    with Session(scratch) as session:
        assert session.exec(select(BillingAccount)).one().dunning_state is DunningState.NONE


def test_a_plan_is_accepted_once(scratch: Engine) -> None:
    customer_id = late(scratch)
    with Session(scratch) as session, session.begin():
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer_id, shown_plan=None)

    def work(session: Session, _number: int) -> date:
        return payment_plans.accept(session, AGENT, customer_id=customer_id, plan_id=plan_id, shown_version=1)

    found = at_once(scratch, work)
    assert found.count(date(2026, 12, 2)) == 1
    assert sum(isinstance(one, ChangedMeanwhile) for one in found) == THREADS - 1
