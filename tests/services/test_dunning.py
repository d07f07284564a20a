"""The follow-up of unpaid bills as it is carried out, told by dates."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.catalogue import catalogue
from core.errors import ChangedMeanwhile, DomainError, NotFound, NotPermitted
from core.models.bill import Bill, BillState, LineKind
from core.models.billing_account import BillingAccount, BillMedia, DunningState, HoldReason
from core.models.communication import Communication, MessageChannel
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.dunning import BillDispute, DisputeEnd, DunningClaim, DunningNotice, DunningStep
from core.models.product import Product, ProductStatus
from core.services import arrears, bill_runs, bills, collections, corrections, dunning, explain, jobs, open_amounts, payment_plans, payments
from core.services.bill_words import FEE_REMINDER, CreditReason
from core.services.option_rules import Situation, Suspended, may_order
from core.services.products import held
from core.text_rules import TooLong, Unreadable
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import bill, mandate, paid, trio

SUSPENDED_ON = date(2026, 11, 10)
TODAY = date(2026, 11, 18)


def pass_until(session: Session, day: date, since: date = date(2026, 8, 5)) -> None:
    """Let the job run each night."""
    while since < day:
        since += timedelta(days=1)
        with clock.standing(clock.at(since, 6)):
            dunning.run_due(session, SYSTEM, day=since)


def p05(session: Session, until: date = TODAY) -> Customer:
    customer = trio(session, 8, 9, 10, 11)
    pass_until(session, until)
    return customer


def notices(session: Session, customer: Customer) -> list[tuple[DunningStep, date]]:
    query = select(DunningNotice).where(DunningNotice.customer_id == customer.id).order_by(col(DunningNotice.day))
    return [(row.step, row.day) for row in session.exec(query)]


def state(session: Session, customer: Customer) -> DunningState:
    return session.exec(select(BillingAccount).where(BillingAccount.customer_id == customer.id)).one().dunning_state


def statuses(session: Session, customer: Customer) -> set[ProductStatus]:
    return {row.status for row in session.exec(select(Product).where(Product.customer_id == customer.id))}


def sent(session: Session, customer: Customer, template: str) -> list[Communication]:
    query = select(Communication).where(Communication.customer_id == customer.id, Communication.template == template)
    return list(session.exec(query.order_by(col(Communication.id))))


class TestRunDue:
    def test_p05_20_aug_due_25_aug_reminded_10_nov_suspended(self, session: Session) -> None:
        customer = p05(session)
        assert notices(session, customer) == [
            (DunningStep.REMINDER1, date(2026, 8, 25)), (DunningStep.REMINDER2, date(2026, 9, 25)),
            (DunningStep.FORMAL_NOTICE, date(2026, 10, 26)), (DunningStep.RESTRICTED, date(2026, 11, 3)),
            (DunningStep.SUSPENDED, SUSPENDED_ON),
        ]  # fmt: skip
        assert (customer.status, customer.status_since) == (CustomerStatus.SUSPENDED, SUSPENDED_ON)
        assert statuses(session, customer) == {ProductStatus.SUSPENDED}
        assert session.exec(select(func.sum(DunningClaim.fee_cents))).one() == 0
        told = sent(session, customer, "dunning_formal_notice")[0].body
        assert "126,00" in told
        assert "03/11/2026" in told

    def test_a_second_run_of_the_day_does_nothing(self, session: Session) -> None:
        customer = p05(session, date(2026, 8, 25))
        assert dunning.run_due(session, SYSTEM, day=date(2026, 8, 25)) == []
        assert len(notices(session, customer)) == len(sent(session, customer, "dunning_reminder")) == 1

    def test_restricted_keeps_the_products_and_the_right_to_order(self, session: Session) -> None:
        customer = p05(session, date(2026, 11, 4))
        assert state(session, customer) is DunningState.RESTRICTED
        assert (customer.status, statuses(session, customer)) == (CustomerStatus.ACTIVE, {ProductStatus.ACTIVE})
        assert "112 reste joignable" in sent(session, customer, "dunning_restricted")[0].body

    def test_suspended_orders_only_what_bars(self, session: Session) -> None:
        customer, sold = p05(session), catalogue()
        at = Situation(customer.status, held(session, AGENT, customer_id=customer.id)[0], {}, sold)
        may_order(at, sold["TEL_BAR_PREMIUM"])
        with pytest.raises(Suspended):
            may_order(at, sold["TV_SPORT"])

    def test_25_nov_the_fourth_missed_due_date_costs_7_50_on_the_bill_of_december(self, session: Session) -> None:
        customer = p05(session, date(2026, 11, 25))
        assert notices(session, customer)[-1] == (DunningStep.MISSED, date(2026, 11, 25))
        assert "7,50" in sent(session, customer, "dunning_reminder")[-1].body
        with clock.standing(clock.at(date(2026, 12, 5), 6)):
            assert bill_runs.run_day(session, SYSTEM, day=date(2026, 12, 5)) == 1
        mine = (col(Bill.customer_id) == customer.id, col(Bill.bill_date) == date(2026, 12, 5))
        row = session.exec(select(Bill).where(*mine)).one()
        assert (row.excl_cents, row.vat_cents, row.incl_cents) == (3471 + 750, 729, 4200 + 750)
        (line,) = [one for one in bills.lines(session, AGENT, customer_id=customer.id, bill_no=row.bill_no) if one.kind is LineKind.PENALTY]
        assert (line.code, line.amount_cents, line.since) == (FEE_REMINDER, 750, date(2026, 11, 25))
        assert row.printed["vat"] == [
            {"percent": 21, "base_cents": 3471, "vat_cents": 729},
            {"percent": 0, "base_cents": 750, "vat_cents": 0},
        ]
        with clock.standing(clock.at(date(2027, 1, 5), 6)):
            after = bills.preview_next(session, SYSTEM, customer_id=customer.id)
        assert after is not None
        assert after.draft.penalty_cents == 0

    def test_the_bill_explains_the_fee_outside_vat(self, session: Session) -> None:
        customer = p05(session, date(2026, 11, 25))
        found = bills.explain_next(session, AGENT, customer_id=customer.id, language="en")
        assert [(step.label.params["what"], step.cents) for step in found.steps] == [("Reminder of 25/11/2026", 750)]
        assert (found.vat.params["own_cents"], found.vat.params["penalty_cents"]) == (4200, 750)
        assert isinstance(found.vat, explain.Told)

    def test_a_business_is_never_charged(self, session: Session) -> None:
        customer = make_customer(session, kind=CustomerKind.ORGANIZATION, trading_name="Garage", enterprise_no="0999999130")
        make_product(session, customer, "LOCO")
        for month in (5, 6, 7, 8):
            bill(session, customer, date(2026, month, 5))
        pass_until(session, TODAY, date(2026, 5, 5))
        assert len(session.exec(select(DunningClaim).where(col(DunningClaim.missed_no) == 4)).all()) == 1
        assert session.exec(select(func.sum(DunningClaim.fee_cents))).one() == 0

    def test_paper_customers_get_letters_and_more_days(self, session: Session) -> None:
        customer = make_customer(session, media=BillMedia.PAPER)
        make_product(session, customer, "TRIO")
        bill(session, customer, date(2026, 8, 5))
        pass_until(session, date(2026, 8, 26))
        row = session.exec(select(DunningNotice)).one()
        assert (row.channel, row.free_until) == (MessageChannel.LETTER, date(2026, 9, 11))
        (letter,) = sent(session, customer, "dunning_reminder")
        assert letter.channel is MessageChannel.LETTER
        assert "10/09/2026" in letter.body

    def test_what_is_collected_is_not_followed_up(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        mandate(session, customer)
        bill(session, customer, date(2026, 8, 5))
        pass_until(session, date(2026, 10, 1))
        assert notices(session, customer) == []

    def test_a_returned_collection_is_reminded_of_after_its_new_day(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        mandate(session, customer)
        issued = bill(session, customer, date(2026, 8, 5))
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no=issued.bill_no)
        collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no=issued.bill_no, code="AM04", day=date(2026, 8, 18))
        pass_until(session, date(2026, 9, 30))
        assert notices(session, customer) == [(DunningStep.REMINDER1, date(2026, 9, 7))]  # Payable until 1 Sep; the 6th is a Sunday.

    def test_the_dead_are_left_alone(self, session: Session) -> None:
        customer = trio(session, 8)
        customer.deceased_on = date(2026, 8, 10)
        pass_until(session, TODAY)
        assert notices(session, customer) == []

    def test_11_jan_the_contract_ends_and_the_days_after_it_are_given_back(self, session: Session) -> None:
        customer = p05(session)
        jobs.pass_days(session, SYSTEM, since=TODAY, until=date(2027, 1, 12))
        assert state(session, customer) is DunningState.TERMINATED
        product = session.exec(select(Product).where(Product.customer_id == customer.id)).one()
        assert (product.status, product.until) == (ProductStatus.TERMINATED, date(2027, 1, 11))
        note = session.exec(select(Bill).where(Bill.customer_id == customer.id, Bill.category == "creditNote")).one()
        assert (note.incl_cents, note.bill_date) == (2845, date(2027, 1, 11))  # 42.00 x 21/31
        assert str(customer.status) == "suspended"
        jobs.pass_days(session, SYSTEM, since=date(2027, 1, 12), until=date(2027, 2, 6))
        assert customer.status is CustomerStatus.CLOSED

    def test_is_for_jobs(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            dunning.run_due(session, AGENT, day=TODAY)


class TestCatchUp:
    def test_comes_to_what_the_nights_would_have_come_to(self, session: Session) -> None:
        nightly, at_once = p05(session), trio(session)
        for month in (8, 9, 10, 11):
            bill(session, at_once, date(2026, month, 5))
        dunning.catch_up(session, SYSTEM, customer_ids=[at_once.id], until=TODAY)
        assert notices(session, at_once) == notices(session, nightly)
        assert (at_once.status, at_once.status_since) == (nightly.status, nightly.status_since)
        amounts = [
            list(
                session.exec(
                    select(DunningNotice.claimed_cents).where(DunningNotice.customer_id == one.id).order_by(col(DunningNotice.day))
                )
            )
            for one in (nightly, at_once)
        ]
        assert amounts[0] == amounts[1]
        dunning.catch_up(session, SYSTEM, customer_ids=[at_once.id], until=TODAY)
        assert notices(session, at_once) == notices(session, nightly)


class TestOnPayment:
    def test_services_come_back_the_same_day(self, session: Session) -> None:
        customer = p05(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=12600)
        assert state(session, customer) is DunningState.NONE
        assert (customer.status, customer.status_since, customer.status_reason) == (CustomerStatus.ACTIVE, TODAY, None)
        assert statuses(session, customer) == {ProductStatus.ACTIVE}
        (told,) = sent(session, customer, "dunning_ended")
        assert "fonctionnent à nouveau" in told.body

    def test_a_part_of_it_brings_nothing_back(self, session: Session) -> None:
        customer = p05(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=12500)
        assert (state(session, customer), statuses(session, customer)) == (DunningState.SUSPENDED, {ProductStatus.SUSPENDED})

    def test_what_was_suspended_for_another_reason_stays_so(self, session: Session) -> None:
        customer = p05(session)
        customer.status_reason = "fraud"
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=12600)
        assert statuses(session, customer) == {ProductStatus.SUSPENDED}

    def test_a_credit_that_nobody_told_of_is_found_at_night(self, session: Session) -> None:
        customer = p05(session, date(2026, 8, 26))
        row = session.exec(select(Bill).where(Bill.bill_no == "2608000055")).one()
        row.remaining_cents, row.state = 0, BillState.SETTLED
        pass_until(session, date(2026, 8, 27), date(2026, 8, 26))
        assert state(session, customer) is DunningState.NONE

    def test_the_next_late_bill_begins_a_new_episode(self, session: Session) -> None:
        customer = p05(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=12600)
        pass_until(session, date(2026, 11, 26), TODAY)
        assert notices(session, customer)[-1] == (DunningStep.REMINDER1, date(2026, 11, 25))
        last = session.exec(select(DunningNotice).order_by(col(DunningNotice.id).desc())).first()
        assert last is not None
        assert last.episode == 2


class TestHold:
    def test_nothing_is_claimed_until_its_day(self, session: Session) -> None:
        customer = p05(session, date(2026, 10, 1))
        with clock.standing(clock.at(date(2026, 10, 1), 10)):
            dunning.hold(
                session, AGENT, customer_id=customer.id, reason=HoldReason.OMBUDSMAN, until=date(2026, 12, 1), shown_version=_version(session, customer)
            )  # fmt: skip
        pass_until(session, date(2026, 12, 2), date(2026, 10, 1))
        assert notices(session, customer)[2:] == [(DunningStep.FORMAL_NOTICE, date(2026, 12, 1))]

    def test_refuses_more_than_four_months_and_a_day_behind(self, session: Session) -> None:
        customer = trio(session, 8)
        for until in (TODAY, date(2027, 3, 19)):
            with pytest.raises(dunning.HoldTooLong):
                dunning.hold(session, AGENT, customer_id=customer.id, reason=HoldReason.OMBUDSMAN, until=until, shown_version=1)

    def test_a_release_lets_it_go_on(self, session: Session) -> None:
        customer = trio(session, 8)
        dunning.hold(session, AGENT, customer_id=customer.id, reason=HoldReason.INQUIRY, until=date(2027, 3, 18), shown_version=1)
        dunning.release(session, AGENT, customer_id=customer.id, shown_version=_version(session, customer))
        assert [one.step for one in dunning.run_due(session, SYSTEM, day=TODAY)] == [DunningStep.REMINDER1]
        with pytest.raises(dunning.NoHold):
            dunning.release(session, AGENT, customer_id=customer.id, shown_version=_version(session, customer))

    def test_refuses_what_somebody_changed_meanwhile(self, session: Session) -> None:
        with pytest.raises(ChangedMeanwhile):
            dunning.hold(session, AGENT, customer_id=trio(session).id, reason=HoldReason.INQUIRY, until=date(2026, 12, 1), shown_version=7)

    def test_is_not_for_readers_nor_for_the_customer(self, session: Session) -> None:
        customer = trio(session, 8)
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                dunning.hold(session, actor, customer_id=customer.id, reason=HoldReason.INQUIRY, until=date(2026, 12, 1), shown_version=1)


def _version(session: Session, customer: Customer) -> int:
    return session.exec(select(BillingAccount.version).where(BillingAccount.customer_id == customer.id)).one()


class TestDispute:
    def test_leaves_out_that_amount_only(self, session: Session) -> None:
        customer = trio(session, 8)
        dunning.dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055", disputed_cents=1200, reason="Bouquet TV")
        dunning.run_due(session, SYSTEM, day=TODAY)
        assert session.exec(select(DunningNotice.claimed_cents)).one() == 3000

    def test_is_open_and_not_late_and_its_reason_is_for_colleagues(self, session: Session) -> None:
        customer = p05(session)
        given: dict[str, Any] = {"customer_id": customer.id, "bill_no": "2608000055"}
        dunning.dispute(session, AGENT, disputed_cents=1200, reason="Says no TV; doubtful", **given)
        found = open_amounts.open_summary(session, customer.id)
        assert (found.open_cents, found.overdue_cents, found.disputed_cents) == (16800, 11400, 1200)
        dunning.decide_dispute(session, AGENT, **given)
        dunning.dispute(session, AGENT, disputed_cents=4200, reason="Says no TV; doubtful", **given)
        found = open_amounts.open_summary(session, customer.id)
        assert (found.overdue_cents, found.oldest_overdue) == (8400, date(2026, 9, 20))
        rows = {row.bill_no: row for row in bills.of_customer(session, AGENT, customer_id=customer.id)}
        assert (rows["2608000055"].days_overdue, rows["2608000055"].disputed_cents) == (0, 4200)
        assert rows["2609000055"].days_overdue > 0
        told = [arrears.dispute_of(session, who, **given) for who in (AGENT, self_of(customer))]
        assert [one and one.reason for one in told] == ["Says no TV; doubtful", None]

    def test_of_all_that_is_late_brings_the_services_back_until_it_is_decided(self, session: Session) -> None:
        customer = p05(session, date(2026, 11, 11))
        for bill_no in ("2608000055", "2609000055", "2610000055"):
            dunning.dispute(session, AGENT, customer_id=customer.id, bill_no=bill_no, disputed_cents=4200, reason="Pas de service")
        assert statuses(session, customer) == {ProductStatus.ACTIVE}
        found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert [(one.step, one.day) for one in found.coming][:1] == [
            (DunningStep.REMINDER1, date(2026, 11, 25))
        ]  # Of the bill of November.
        dunning.decide_dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055")
        assert [one.step for one in dunning.run_due(session, SYSTEM, day=TODAY)] == [DunningStep.FORMAL_NOTICE]

    def test_is_over_by_itself_once_its_bill_is_paid_and_not_before(self, session: Session) -> None:
        customer = trio(session, 8)
        dunning.dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055", disputed_cents=1200, reason="Bouquet TV")
        for cents, outcome in ((3500, None), (700, DisputeEnd.PAID)):
            payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=cents)
            row = session.exec(select(BillDispute)).one()
            assert (row.outcome, row.until) == (outcome, TODAY if outcome else None)

    def test_is_over_by_itself_once_its_amount_is_credited(self, session: Session) -> None:
        customer = trio(session, 8)
        dunning.dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055", disputed_cents=1200, reason="Bouquet TV")
        for cents, outcome in ((1000, None), (200, DisputeEnd.CREDITED)):
            wish = corrections.Wish(bill_no="2608000055", reason=CreditReason.GOODWILL, comment="No TV", amount_cents=cents)
            corrections.credit(session, AGENT, customer_id=customer.id, wish=wish)
            assert session.exec(select(BillDispute.outcome)).one() == outcome
        assert open_amounts.open_summary(session, customer.id).disputed_cents == 0

    def test_refuses_what_does_not_fit(self, session: Session) -> None:
        customer, given = trio(session, 8), {"bill_no": "2608000055", "reason": "Bouquet"}
        with pytest.raises(dunning.DisputeTooHigh):
            dunning.dispute(session, AGENT, customer_id=customer.id, disputed_cents=4201, **given)
        with pytest.raises(dunning.NoReason):
            dunning.dispute(session, AGENT, customer_id=customer.id, disputed_cents=100, bill_no="2608000055", reason=" ")
        dunning.dispute(session, AGENT, customer_id=customer.id, disputed_cents=100, **given)
        with pytest.raises(dunning.DisputedAlready):
            dunning.dispute(session, AGENT, customer_id=customer.id, disputed_cents=100, **given)
        with pytest.raises(NotFound):
            dunning.dispute(session, AGENT, customer_id=make_customer(session).id, disputed_cents=100, **given)

    @pytest.mark.parametrize(("reason", "refusal"), [("x" * 201, TooLong), ("Bou\0quet", Unreadable), ("a\nb", Unreadable)])
    def test_refuses_a_reason_that_could_not_be_stored(self, session: Session, reason: str, refusal: type[DomainError]) -> None:
        customer = trio(session, 8)
        with pytest.raises(refusal) as found:
            dunning.dispute(session, AGENT, customer_id=customer.id, bill_no="2608000055", disputed_cents=100, reason=reason)
        assert found.value.field == "reason"


class TestDeclarePayment:
    def test_is_believed_the_same_day_and_once_a_year(self, session: Session) -> None:
        customer = p05(session)
        assert dunning.declare_payment(session, AGENT, customer_id=customer.id, proof="Extrait du 17/11, 126,00") == date(2026, 11, 25)
        assert (state(session, customer), statuses(session, customer)) == (DunningState.NONE, {ProductStatus.ACTIVE})
        with pytest.raises(dunning.AnnouncedThisYear):
            dunning.declare_payment(session, AGENT, customer_id=customer.id, proof="encore")

    def test_without_the_money_it_goes_on_with_the_formal_notice(self, session: Session) -> None:
        customer = p05(session)
        dunning.declare_payment(session, AGENT, customer_id=customer.id, proof="Extrait du 17/11")
        pass_until(session, date(2026, 12, 10), TODAY)
        assert notices(session, customer)[5:] == [
            (DunningStep.FORMAL_NOTICE, date(2026, 11, 25)), (DunningStep.RESTRICTED, date(2026, 12, 3)),
            (DunningStep.SUSPENDED, date(2026, 12, 10)),
        ]  # fmt: skip

    def test_needs_a_proof_and_something_late(self, session: Session) -> None:
        with pytest.raises(dunning.NoProof):
            dunning.declare_payment(session, AGENT, customer_id=trio(session, 8).id, proof=" ")
        with pytest.raises(dunning.NothingLate):
            dunning.declare_payment(session, AGENT, customer_id=trio(session, 11).id, proof="Extrait")

    @pytest.mark.parametrize(("proof", "refusal"), [("x" * 201, TooLong), ("Ex\0trait", Unreadable), ("a\u202eb", Unreadable)])
    def test_refuses_a_proof_that_could_not_be_stored(self, session: Session, proof: str, refusal: type[DomainError]) -> None:
        with pytest.raises(refusal) as found:
            dunning.declare_payment(session, AGENT, customer_id=trio(session, 8).id, proof=proof)
        assert found.value.field == "proof"


class TestPlan:
    def test_c03_money_entered_plan_accepted_services_back(self, session: Session) -> None:
        customer = p05(session)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        waiting = payments.record(session, AGENT, received_on=date(2026, 11, 16), amount_cents=4200, communication="+++261/1000/05553+++")
        payments.match(session, AGENT, payment_id=waiting, customer_id=customer.id, bill_no="2611000055")
        assert statuses(session, customer) == {ProductStatus.SUSPENDED}
        payment_plans.accept(session, self_of(customer), customer_id=customer.id, plan_id=plan_id, shown_version=1)
        assert (state(session, customer), statuses(session, customer)) == (DunningState.NONE, {ProductStatus.ACTIVE})
        plan = payment_plans.plan_of(session, AGENT, customer_id=customer.id)
        assert plan is not None
        assert [(part.cents, part.left_cents) for part in plan.instalments] == [(5600, 1400), (5600, 5600), (5600, 5600)]
        pass_until(session, date(2026, 12, 1), TODAY)
        assert len(notices(session, customer)) == 5

    def test_a_broken_plan_lets_it_go_on(self, session: Session) -> None:
        customer = p05(session)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        jobs.pass_days(session, SYSTEM, since=TODAY, until=date(2026, 12, 7))
        assert notices(session, customer)[5:] == [(DunningStep.FORMAL_NOTICE, date(2026, 12, 7))]
        assert len(sent(session, customer, "plan_broken")) == 1

    def test_a_new_bill_is_due_as_usual(self, session: Session) -> None:
        customer = p05(session)
        plan_id = payment_plans.propose_plan(session, AGENT, customer_id=customer.id, shown_plan=None)
        payment_plans.accept(session, AGENT, customer_id=customer.id, plan_id=plan_id, shown_version=1)
        for day in (date(2026, 12, 1), date(2027, 1, 2), date(2027, 2, 2)):
            paid(session, day, 5600, customer_id=customer.id)
        jobs.pass_days(session, SYSTEM, since=TODAY, until=date(2026, 12, 29))
        assert notices(session, customer)[5:] == [(DunningStep.REMINDER1, date(2026, 12, 28))]  # Due 20 Dec; Fri 25 and Sat 26 are closed.


def test_two_readers_of_a_file_see_the_ladder(session: Session) -> None:
    customer = p05(session)
    found = arrears.of_customer(session, Actor(None, "reader", Role.VIEWER), customer_id=customer.id)
    assert found is not None
    assert [(one.step, one.day, one.fee_cents) for one in found.coming] == [
        (DunningStep.MISSED, date(2026, 11, 25), 750), (DunningStep.TERMINATED, date(2027, 1, 11), 0),
    ]  # fmt: skip
    assert (found.state, [one.step for one in found.told][-1], found.lump_sum_cents) == (
        DunningState.SUSPENDED,
        DunningStep.SUSPENDED,
        2000,
    )
