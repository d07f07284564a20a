"""Many rows at once: tried out first, each row once, refusals told, money above the limit for all or for none."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from core import bulk as runner
from core import clock, db
from core.actor import ROLES, Actor, Permission, Role
from core.db import Base
from core.errors import ChangedMeanwhile, NotPermitted
from core.models.audit import AuditEntry
from core.models.billing_account import BillingAccount, BillMedia, HoldReason
from core.models.bulk import BulkRun, BulkState, RowState
from core.models.communication import Communication
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.e_invoice import EInvoice
from core.models.interaction import Task
from core.services import bulk, bulk_actions, dunning
from core.services.bulk import MOST, Nothing, NotNow, RunView, TooMany, TooManyTogether
from core.services.bulk_actions import ByHandOnly, WrongChoice
from core.services.dunning import HoldTooLong
from core.services.list_filters import read
from core.services.lists import Query
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import FIRST_DAY, address
from tests.services import money_stories

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
WORKS = {"template": "works_planned"}
CALL = {"code": "call_back", "due": "2026-11-25"}
HOLD = {"reason": "inquiry", "until": "2026-12-02"}


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A real database of each kind that commits, as a run needs; with six customers: one closed, one dead, one with a bill, one a business."""
    db.use(address(request.param, tmp_path, "bulk"))
    engine = db.engine()
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin(), clock.standing(FIRST_DAY):
        for number in range(4):
            make_customer(session, customer_no=f"1000000{number}")
        make_customer(session, customer_no="10000004", status=CustomerStatus.CLOSED)
        make_customer(session, customer_no="10000005", deceased_on=date(2026, 11, 1))
        owing = session.exec(select(Customer).where(Customer.customer_no == "10000000")).one()
        make_product(session, owing, "TRIO")
        money_stories.bill(session, owing, date(2026, 10, 5), bill_no="2610000001")
        money_stories.bill(session, owing, date(2026, 11, 5), bill_no="2611000001")
        shop = make_customer(
            session, customer_no="10000006", kind=CustomerKind.ORGANIZATION, trading_name="Bakker BV", given_name=None, family_name=None,
            enterprise_no="0403170701", media=BillMedia.PEPPOL,
        )  # fmt: skip
        make_product(session, shop, "TRIO")
        money_stories.bill(session, shop, date(2026, 11, 5), bill_no="2611000002")
    yield engine
    sys.modules["core.db.engine"]._used.clear()


def begun(action: str, params: dict[str, str], query: Query | None = None, actor: Actor = SENIOR, ids: list[int] | None = None) -> int:
    with db.reading() as session:
        draft = bulk.try_out(session, actor, action=action, query=query or Query("customers"), ids=ids, params=params)
    with db.transaction() as session:
        return bulk.begin(session, actor, draft=draft)


def run(action: str, params: dict[str, str], query: Query | None = None) -> RunView:
    return runner.run(SENIOR, begun(action, params, query))


def rows(run_id: int) -> dict[str, RowState]:
    with db.reading() as session:
        return {row.customer_no: row.state for row in bulk.rows(session, SENIOR, run_id=run_id)}


def written() -> int:
    """How many messages a run sent."""
    with db.reading() as session:
        return len(session.exec(select(Communication).where(Communication.template == WORKS["template"])).all())


def account_of(session: Session, customer_no: str) -> BillingAccount:
    theirs = select(BillingAccount).join(Customer, col(Customer.id) == BillingAccount.customer_id)
    return session.exec(theirs.where(Customer.customer_no == customer_no)).one()


def mediate(customer_no: str) -> None:
    """The ombudsman asks to claim nothing of a customer."""
    with db.transaction() as session:
        account = account_of(session, customer_no)
        dunning.hold(
            session, SENIOR, customer_id=account.customer_id, reason=HoldReason.OMBUDSMAN, until=date(2027, 3, 1), shown_version=account.version
        )  # fmt: skip


def held(customer_no: str) -> tuple[HoldReason | None, date | None]:
    with db.reading() as session:
        account = account_of(session, customer_no)
        return account.dunning_hold_reason, account.dunning_hold_until


def problem(run_id: int) -> str | None:
    """Why the first row of a run failed."""
    with db.reading() as session:
        return bulk.rows(session, SENIOR, run_id=run_id)[0].problem


def many(model: type[Base]) -> int:
    with db.reading() as session:
        return len(session.exec(select(model)).all())


class TestTryOut:
    def test_says_who_is_left_out_and_why_and_writes_nothing(self, house: Engine) -> None:
        with db.reading() as session:
            draft = bulk.try_out(session, SENIOR, action="message", query=Query("customers"), ids=None, params=WORKS)
        assert {one.row.customer_no: type(one.refusal) for one in draft.rows if one.refusal} == {
            "10000004": bulk_actions.FileIsClosed,
            "10000005": bulk_actions.HasDied,
        }
        assert written() == 0

    def test_of_several_bills_of_a_customer_he_is_written_to_once(self, house: Engine) -> None:
        found = run("message", WORKS, Query("bills"))
        assert (found.done, found.excluded) == (2, 1)
        assert written() == 2

    @pytest.mark.parametrize(
        ("action", "params", "refusal"),
        [
            ("message", {"template": "password_reset"}, ByHandOnly), ("message", {}, ByHandOnly), ("task", {"code": "x"}, WrongChoice),
            ("hold", {"reason": "whim", "until": "2026-12-01"}, WrongChoice), ("hold", {"reason": "inquiry", "until": "2027-12-01"}, HoldTooLong),
            ("delete", {}, WrongChoice),
        ],
    )  # fmt: skip
    def test_refuses_what_makes_no_sense(self, house: Engine, action: str, params: dict[str, str], refusal: type[Exception]) -> None:
        with pytest.raises(refusal), db.reading() as session:
            bulk.try_out(session, SENIOR, action=action, query=Query("customers"), ids=None, params=params)

    def test_an_agent_has_no_bulk_actions(self, house: Engine) -> None:
        with pytest.raises(NotPermitted), db.reading() as session:
            bulk.try_out(session, AGENT, action="message", query=Query("customers"), ids=None, params=WORKS)
        assert bulk_actions.actions_of(AGENT, "customers") == []

    def test_no_row_and_too_many_rows_are_refused(self, house: Engine) -> None:
        with pytest.raises(Nothing), db.reading() as session:
            bulk.try_out(session, SENIOR, action="message", query=Query("customers"), ids=[999], params=WORKS)
        with pytest.raises(TooMany), db.reading() as session:
            bulk.try_out(session, SENIOR, action="message", query=Query("customers"), ids=list(range(MOST + 1)), params=WORKS)


class TestRun:
    def test_does_each_row_and_says_what_came_of_it(self, house: Engine) -> None:
        found = run("message", WORKS)
        assert (found.state, found.done, found.failed, found.excluded) == (BulkState.FINISHED, 5, 0, 2)
        assert written() == 5
        assert rows(found.id)["10000004"] is RowState.EXCLUDED

    def test_a_second_pass_does_nothing_twice(self, house: Engine) -> None:
        found = run("message", WORKS)
        assert runner.run(SENIOR, found.id) == found
        assert written() == 5

    def test_four_at_once_do_each_row_once(self, house: Engine) -> None:
        number = begun("task", CALL)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _place: runner.run(SENIOR, number), range(4)))
        with db.reading() as session:
            found = bulk.view(session, SENIOR, run_id=number)
        assert (found.done, found.failed, found.state) == (7, 0, BulkState.FINISHED)
        assert many(Task) == 7

    def test_what_changed_since_the_dry_run_fails_with_its_reason_and_can_be_tried_again(self, house: Engine) -> None:
        number = begun("message", WORKS)
        with db.transaction() as session:
            session.exec(select(Customer).where(Customer.customer_no == "10000001")).one().deceased_on = date(2026, 11, 18)
        found = runner.run(SENIOR, number)
        assert (found.done, found.failed) == (4, 1)
        with db.reading() as session:
            first = bulk.rows(session, SENIOR, run_id=number)[0]
        assert (first.customer_no, first.problem) == ("10000001", "The customer has died.")
        with db.transaction() as session:
            session.exec(select(Customer).where(Customer.customer_no == "10000001")).one().deceased_on = None
        with db.transaction() as session:
            bulk.resume(session, SENIOR, run_id=number, failed=True)
        found = runner.run(SENIOR, number)
        assert (found.done, found.failed, found.state) == (5, 0, BulkState.FINISHED)
        assert written() == 5

    def test_is_stopped_between_two_rows_and_taken_up_again(self, house: Engine) -> None:
        number = begun("message", WORKS)

        def stop(share: float) -> None:
            if share >= 0.4:
                with db.transaction() as session:
                    bulk.stop(session, SENIOR, run_id=number)

        found = runner.run(SENIOR, number, stop)
        assert (found.state, found.done, found.waiting) == (BulkState.STOPPED, 2, 3)
        with pytest.raises(NotNow), db.transaction() as session:
            bulk.stop(session, SENIOR, run_id=number)
        with db.transaction() as session:
            bulk.resume(session, SENIOR, run_id=number)
        assert runner.run(SENIOR, number).done == 5
        assert written() == 5

    def test_who_lost_the_right_meanwhile_does_nothing(self, house: Engine) -> None:
        number = begun("message", WORKS)
        weaker = Actor(user_id=None, username="senior", role=Role.VIEWER)
        with pytest.raises(NotPermitted):
            runner.run(weaker, number)
        assert written() == 0

    @pytest.mark.parametrize("when", ["begins", "goes on"])
    def test_who_lost_the_right_of_the_action_meanwhile_neither_begins_it_nor_goes_on(
        self, house: Engine, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        with db.reading() as session:
            draft = bulk.try_out(session, SENIOR, action="message", query=Query("customers"), ids=None, params=WORKS)
        with db.transaction() as session:
            number = bulk.begin(session, SENIOR, draft=draft)
        monkeypatch.setitem(ROLES, Role.SENIOR, ROLES[Role.SENIOR] - {Permission.MESSAGE_SEND})
        with pytest.raises(NotPermitted), db.transaction() as session:
            bulk.begin(session, SENIOR, draft=draft) if when == "begins" else bulk.resume(session, SENIOR, run_id=number)

    def test_what_was_done_meanwhile_is_not_called_failed(self, house: Engine) -> None:
        number = begun("message", WORKS)
        with db.transaction() as session:
            done = bulk.step(session, SENIOR, run_id=number)
        assert done is not None
        with db.transaction() as session:
            bulk.fail(session, SENIOR, run_id=number, ordinal=done, refusal=NotNow())
        with db.reading() as session:
            found = bulk.view(session, SENIOR, run_id=number)
        assert (found.done, found.failed) == (1, 0)

    def test_a_crash_in_a_row_is_told_by_its_reference(self, house: Engine) -> None:
        number = begun("task", CALL)
        with db.transaction() as session:
            session.get_one(BulkRun, number).params = {}
        found = runner.run(SENIOR, number)
        assert found.failed == 7
        with db.reading() as session:
            assert bulk.rows(session, SENIOR, run_id=number)[0].problem == bulk.Unexpected.message


class TestMoney:
    def test_a_hold_is_set_and_ended_for_all(self, house: Engine) -> None:
        assert run("hold", HOLD).done == 7
        with db.reading() as session:
            assert {row.dunning_hold_until for row in session.exec(select(BillingAccount))} == {date(2026, 12, 2)}
            draft = bulk.try_out(session, SENIOR, action="hold", query=Query("customers"), ids=None, params=HOLD)
        assert all(one.refusal for one in draft.rows)
        assert run("release", {}).done == 7

    def test_a_hold_that_was_set_since_the_dry_run_is_not_written_over(self, house: Engine) -> None:
        number = begun("hold", HOLD)
        mediate("10000001")
        found = runner.run(SENIOR, number)
        assert (found.done, found.failed) == (6, 1)
        assert held("10000001") == (HoldReason.OMBUDSMAN, date(2027, 3, 1))
        assert problem(number) == bulk_actions.HeldAlready.message

    def test_a_hold_that_was_set_since_the_dry_run_is_not_ended(self, house: Engine) -> None:
        run("hold", HOLD)
        number = begun("release", {})
        mediate("10000001")
        found = runner.run(SENIOR, number)
        assert (found.done, found.failed) == (6, 1)
        assert held("10000001") == (HoldReason.OMBUDSMAN, date(2027, 3, 1))
        assert problem(number) == ChangedMeanwhile.message

    def test_a_hold_that_was_set_between_the_dry_run_and_its_confirmation_is_not_ended(self, house: Engine) -> None:
        run("hold", HOLD)
        with db.reading() as session:
            draft = bulk.try_out(session, SENIOR, action="release", query=Query("customers"), ids=None, params={})
        mediate("10000001")
        with db.transaction() as session:
            number = bulk.begin(session, SENIOR, draft=draft)
        assert runner.run(SENIOR, number).failed == 1
        with db.transaction() as session:
            bulk.resume(session, SENIOR, run_id=number, failed=True)
        assert runner.run(SENIOR, number).failed == 1
        assert held("10000001") == (HoldReason.OMBUDSMAN, date(2027, 3, 1))

    def test_above_the_limit_one_refusal_means_none(self, house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "law", lambda _name: 1000)
        number = begun("hold", HOLD)
        with db.transaction() as session:
            last = session.exec(select(BillingAccount).order_by(col(BillingAccount.id).desc())).first()
            assert last is not None
            session.delete(last)
        found = runner.run(SENIOR, number)
        assert found.at_once
        assert (found.state, found.done, found.failed, found.waiting) == (BulkState.STOPPED, 0, 1, 6)
        with db.reading() as session:
            assert {row.dunning_hold_until for row in session.exec(select(BillingAccount))} == {None}

    def test_above_the_limit_what_failed_is_tried_again_with_all_others(self, house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "law", lambda _name: 1000)
        number = begun("hold", HOLD)
        mediate("10000001")
        assert runner.run(SENIOR, number).state is BulkState.STOPPED
        with db.transaction() as session:
            bulk.resume(session, SENIOR, run_id=number)
        found = runner.run(SENIOR, number)
        assert (found.state, found.done, found.failed, found.waiting) == (BulkState.STOPPED, 0, 1, 6)
        assert held("10000002") == (None, None)

    def test_above_the_limit_all_are_done_together(self, house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "law", lambda _name: 1000)
        found = run("hold", HOLD)
        assert (found.at_once, found.state, found.done, found.amount_cents) == (True, BulkState.FINISHED, 7, 12600)

    def test_above_the_limit_more_rows_than_one_transaction_may_hold_are_refused(
        self, house: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bulk, "law", {"bulk_at_once_cents": 1000, "bulk_at_once_rows": 7}.get)
        with db.reading() as session:
            draft = bulk.try_out(session, SENIOR, action="hold", query=Query("customers"), ids=None, params=HOLD)
        monkeypatch.setattr(bulk, "law", {"bulk_at_once_cents": 1000, "bulk_at_once_rows": 6}.get)
        with pytest.raises(TooManyTogether) as refused, db.reading() as session:
            bulk.try_out(session, SENIOR, action="hold", query=Query("customers"), ids=None, params=HOLD)
        assert refused.value.params == {"amount_cents": 12600, "most": 6}
        with pytest.raises(TooManyTogether), db.transaction() as session:
            bulk.begin(session, SENIOR, draft=draft)

    def test_below_the_limit_as_many_rows_as_a_run_holds_are_taken(self, house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "law", {"bulk_at_once_cents": 500_000, "bulk_at_once_rows": 1}.get)
        assert run("hold", HOLD).done == 7


class TestEInvoices:
    def test_are_sent_again_to_businesses_alone(self, house: Engine) -> None:
        before = many(EInvoice)
        found = run("e_invoice", {}, Query("bills"))
        assert (found.done, found.excluded) == (1, 2)
        assert many(EInvoice) == before + 1


class TestTrail:
    def test_tells_who_did_what_to_how_many(self, house: Engine) -> None:
        found = run("task", CALL, Query("customers", read("vip.eq.no")))
        with db.reading() as session:
            entries = session.exec(select(AuditEntry).where(col(AuditEntry.object_type) == "bulk_run").order_by(col(AuditEntry.id))).all()
            tasks = session.exec(select(AuditEntry).where(AuditEntry.action == "task:add")).all()
            assert [entry.action for entry in entries] == ["bulk:begin", "bulk:finished"]
            assert entries[0].after is not None
            assert (entries[0].after["rows"], entries[0].after["where"]) == (7, "and(vip.eq.no)")
            assert len({entry.customer_id for entry in tasks}) == found.done == 7
