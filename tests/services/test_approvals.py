"""What needs a second person: asked for, let pass, refused, taken back, expired (W8)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.approval import Approval, ApprovalState
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory
from core.models.customer import Customer
from core.models.payment import Refund, RefundState
from core.services import approvals, bills, corrections, payments, refunds
from core.services.approvals import AlreadyWaiting, NoteMissing, NotWaiting, OwnRequest, TooOld
from core.services.bill_words import CreditReason
from core.services.corrections import Wish
from core.services.credit_rules import CreditTooHigh, LineCreditTooHigh
from core.services.refunds import RefundTooHigh
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER
from tests.services.money_stories import NOVEMBER
from tests.services.test_corrections import BILL, BILLING, OTHER_AGENT, SENIOR, trio, wish

TYPED = "BE66539000001343"


def sixty(**facts: Any) -> Wish:
    return wish(**({"parts": {1: 4200, 2: 1699}} | facts))


def ask(session: Session, customer: Customer, actor: Actor = AGENT, **facts: Any) -> int:
    return approvals.request_credit(session, actor, customer_id=customer.id, wish=sixty(**facts))


def row_of(session: Session, number: int) -> Approval:
    return session.exec(select(Approval).where(Approval.id == number)).one()


def notes(session: Session) -> list[Bill]:
    return list(session.exec(select(Bill).where(Bill.category == BillCategory.CREDIT_NOTE)).all())


class TestRequest:
    def test_changes_nothing_yet_and_waits_with_all_that_was_asked(self, session: Session) -> None:
        customer = trio(session)
        number = ask(session, customer, day=None, target=corrections.Target.NEXT_BILL)
        assert notes(session) == []
        (found,) = approvals.of_customer(session, AGENT, customer_id=customer.id)
        assert (found.id, found.amount_cents, found.mine, found.decides) == (number, 5899, True, False)
        assert found.wish == sixty(target=corrections.Target.NEXT_BILL), "read from the database as it was asked"

    def test_refuses_at_once_what_no_approval_could_allow(self, session: Session) -> None:
        customer = trio(session)
        with pytest.raises(LineCreditTooHigh):
            ask(session, customer, parts={2: 1700})
        with pytest.raises(Missing):
            ask(session, customer, comment="")
        with pytest.raises(NotPermitted):
            ask(session, customer, VIEWER)

    def test_refuses_a_second_one_about_the_same_bill(self, session: Session) -> None:
        customer = trio(session)
        ask(session, customer)
        with pytest.raises(AlreadyWaiting):
            ask(session, customer, OTHER_AGENT)


class TestApprove:
    @pytest.mark.parametrize("actor", [SENIOR, BILLING])
    def test_carries_the_credit_out_and_names_both_people(self, session: Session, actor: Actor) -> None:
        customer = trio(session)
        approvals.approve(session, actor, approval_id=ask(session, customer), shown_version=1, note="Checked.")
        (note,) = notes(session)
        assert (note.incl_cents, note.vat_cents, note.credited_by, note.comment) == (5899, 1024, None, "No sports since the 1st.")
        entry = session.exec(select(AuditEntry).where(col(AuditEntry.action) == "bill:credit")).one()
        assert entry.after
        assert (entry.actor, entry.after["asked_by"]) == (actor.username, "agent")
        decided = session.exec(select(AuditEntry).where(col(AuditEntry.action) == "approval:approve")).one()
        assert (decided.actor, decided.reason) == (actor.username, "Checked.")

    def test_uses_up_nobodys_limit(self, session: Session) -> None:
        customer = trio(session)
        approvals.approve(session, SENIOR, approval_id=ask(session, customer, parts={1: 3000}), shown_version=1)
        for actor, most in ((AGENT, 2500), (SENIOR, 10000)):
            found = corrections.creditable(session, actor, customer_id=customer.id, bill_no=BILL)
            assert (found.used_cents, found.limit_cents) == (0, most)

    def test_nobody_approves_or_refuses_his_own(self, session: Session) -> None:
        customer = trio(session)
        number = ask(session, customer, SENIOR)
        with pytest.raises(OwnRequest):
            approvals.approve(session, SENIOR, approval_id=number, shown_version=1)
        with pytest.raises(OwnRequest):
            approvals.refuse(session, SENIOR, approval_id=number, shown_version=1, note="x")
        approvals.approve(session, BILLING, approval_id=number, shown_version=1)

    def test_the_database_holds_two_people_too(self, session: Session) -> None:
        row = row_of(session, ask(session, trio(session)))
        row.state, row.decided_by, row.decided_at = ApprovalState.APPROVED, row.requested_by, clock.now()
        with pytest.raises(IntegrityError):
            session.flush()

    def test_a_credit_can_not_pass_without_its_approval(self, session: Session) -> None:
        row = row_of(session, ask(session, trio(session)))
        with pytest.raises(NotPermitted):
            corrections.credit_approved(session, SENIOR, approval=row, wish=sixty())

    def test_an_agent_approves_nothing(self, session: Session) -> None:
        number = ask(session, trio(session))
        with pytest.raises(NotPermitted):
            approvals.approve(session, OTHER_AGENT, approval_id=number, shown_version=1)

    def test_looks_at_the_bill_as_it_is_now(self, session: Session) -> None:
        customer = trio(session)
        number = ask(session, customer)
        corrections.credit(session, OTHER_AGENT, customer_id=customer.id, wish=wish(parts={2: 100}))
        session.flush()
        with pytest.raises(CreditTooHigh), session.begin_nested():
            approvals.approve(session, SENIOR, approval_id=number, shown_version=1)
        session.expire_all()
        assert row_of(session, number).state is ApprovalState.PENDING
        assert len(notes(session)) == 1

    def test_a_payment_meanwhile_turns_it_into_credit(self, session: Session) -> None:
        customer = trio(session)
        number = ask(session, customer)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=5899)
        approvals.approve(session, SENIOR, approval_id=number, shown_version=1)
        assert notes(session)[0].remaining_cents == 5899

    def test_once_decided_it_stays_so(self, session: Session) -> None:
        number = ask(session, trio(session))
        approvals.refuse(session, SENIOR, approval_id=number, shown_version=1, note="Only 16.99 is wrong.")
        with pytest.raises(NotWaiting):
            approvals.approve(session, BILLING, approval_id=number, shown_version=2)
        assert notes(session) == []

    def test_refuses_a_request_that_was_shown_otherwise(self, session: Session) -> None:
        number = ask(session, trio(session))
        with pytest.raises(ChangedMeanwhile):
            approvals.approve(session, SENIOR, approval_id=number, shown_version=2)


class TestRefuseAndWithdraw:
    def test_a_refusal_says_why(self, session: Session) -> None:
        number = ask(session, trio(session))
        with pytest.raises(NoteMissing):
            approvals.refuse(session, SENIOR, approval_id=number, shown_version=1, note=" ")
        approvals.refuse(session, SENIOR, approval_id=number, shown_version=1, note="Only 16.99 is wrong.")
        (found,) = approvals.recent(session, AGENT)
        assert (found.state, found.note, found.decided_by) == (ApprovalState.REFUSED, "Only 16.99 is wrong.", "senior")

    def test_only_who_asked_takes_it_back(self, session: Session) -> None:
        customer = trio(session)
        number = ask(session, customer)
        with pytest.raises(NotFound):
            approvals.withdraw(session, OTHER_AGENT, approval_id=number, shown_version=1)
        approvals.withdraw(session, AGENT, approval_id=number, shown_version=1)
        assert approvals.of_customer(session, AGENT, customer_id=customer.id) == []
        ask(session, customer)


class TestExpire:
    def test_after_thirty_days_nobody_lets_it_pass(self, session: Session) -> None:
        number = ask(session, trio(session))
        with clock.standing(clock.now() + timedelta(days=30)):
            assert approvals.expire(session, SYSTEM) == 0
        with clock.standing(clock.now() + timedelta(days=30, seconds=1)):
            with pytest.raises(TooOld):
                approvals.approve(session, SENIOR, approval_id=number, shown_version=1)
            assert approvals.expire(session, SYSTEM) == 1
        assert row_of(session, number).state is ApprovalState.EXPIRED


class TestLists:
    def test_an_agent_sees_his_own_and_a_senior_all(self, session: Session) -> None:
        mine = ask(session, trio(session))
        assert [one.id for one in approvals.pending(session, AGENT)] == [mine]
        assert approvals.pending(session, OTHER_AGENT) == []
        assert [(one.id, one.decides) for one in approvals.pending(session, SENIOR)] == [(mine, True)]
        assert [approvals.count(session, actor) for actor in (AGENT, OTHER_AGENT, SENIOR)] == [0, 0, 1]

    def test_a_reader_sees_nothing(self, session: Session) -> None:
        customer = trio(session)
        for read in (approvals.pending, approvals.recent, approvals.count):
            with pytest.raises(NotPermitted):
                read(session, VIEWER)
        with pytest.raises(NotPermitted):
            approvals.of_customer(session, VIEWER, customer_id=customer.id)


class TestTypedAccount:
    def _asked(self, session: Session) -> tuple[str, int]:
        customer = trio(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=5899)
        note = bills.issue_credit_note(
            session, SYSTEM, customer_id=customer.id, bill_no=BILL, reason=CreditReason.GOODWILL, incl_cents=1000
        )
        asked = refunds.Wish(TYPED, note, comment="Card shown in the shop.")
        return note, approvals.request_refund(session, SENIOR, customer_id=customer.id, wish=asked)

    def test_is_paid_back_to_once_a_colleague_agrees(self, session: Session) -> None:
        _note, number = self._asked(session)
        approvals.approve(session, BILLING, approval_id=number, shown_version=1)
        row = session.exec(select(Refund)).one()
        assert (row.iban, row.amount_cents, row.state) == (TYPED, 1000, RefundState.REQUESTED)

    def test_waits_on_when_the_credit_is_gone(self, session: Session) -> None:
        note, number = self._asked(session)
        customer_id = row_of(session, number).customer_id
        refunds.refund(session, SYSTEM, customer_id=customer_id, credit_note_no=note, iban=TYPED)
        session.flush()
        with pytest.raises(RefundTooHigh), session.begin_nested():
            approvals.approve(session, BILLING, approval_id=number, shown_version=1)
        session.expire_all()
        assert row_of(session, number).state is ApprovalState.PENDING
