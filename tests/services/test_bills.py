"""Bills from the database: the next one, issuing, credit notes, the list, what is open, the paper."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory, BillCounter, BillState
from core.models.billing_account import BillingAccount, BillMedia
from core.models.communication import Communication
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.product import ProductStatus
from core.services import bill_numbers, billing, billing_facts, bills, open_amounts, payments, refunds
from core.services.bill_issuing import NothingToBill
from core.services.bill_words import CreditReason
from core.services.billing import Held
from core.services.bills import Change, ToIssue
from core.services.credit_rules import CreditTooHigh
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import DECEMBER, NOVEMBER, bill, family, legacy, mandate


def row_of(session: Session, bill_no: str) -> Bill:
    return session.exec(select(Bill).where(col(Bill.bill_no) == bill_no)).one()


class TestPreviewNext:
    def test_p01_is_140_euros_and_6_for_third_parties(self, session: Session) -> None:
        found = bills.preview_next(session, VIEWER, customer_id=family(session).id)
        assert found is not None
        assert (found.bill_date, found.draft.excl_cents, found.draft.vat_cents, found.draft.incl_cents) == (DECEMBER, 11570, 2430, 14000)
        assert (found.draft.third_party_cents, found.amount_due_cents) == (600, 14600)

    def test_p09_has_no_bill_on_the_twentieth(self, session: Session) -> None:
        found = bills.preview_next(session, AGENT, customer_id=legacy(session).id)
        assert found is not None
        assert (found.bill_date, found.amount_due_cents, found.draft.category) == (DECEMBER, 1093, BillCategory.TRANSITION)

    def test_p12_is_a_first_bill(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "CHILI", since=date(2026, 11, 16))
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert found.first
        assert [line.amount_cents for line in found.draft.lines] == [1400, 2800]

    def test_p13_gets_none(self, session: Session) -> None:
        customer = make_customer(session, status=CustomerStatus.CLOSED)
        make_product(session, customer, "LOCO", until=date(2026, 9, 19), status=ProductStatus.TERMINATED)
        assert bills.preview_next(session, AGENT, customer_id=customer.id) is None

    def test_tries_a_change_out(self, session: Session) -> None:
        customer = family(session)
        added = Change(add=[Held("MOB_DATA_5G", date(2026, 11, 18))])
        found = bills.preview_next(session, AGENT, customer_id=customer.id, with_change=added)
        assert found is not None
        assert found.amount_due_cents == 14600 + 433 + 1000

    def test_leaves_out_what_was_cancelled_or_waits_for_its_parcel(self, session: Session) -> None:
        customer = family(session)
        make_product(session, customer, "TV_SPORT", since=date(2026, 11, 17), status=ProductStatus.CANCELLED)
        make_product(session, customer, "TV_SPORT", since=date(2026, 11, 18), status=ProductStatus.PENDING_ACTIVE)
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert found.amount_due_cents == 14600

    def test_refuses_another_customer(self, session: Session) -> None:
        customer, other = family(session), make_customer(session)
        with pytest.raises(NotFound):
            bills.preview_next(session, self_of(other), customer_id=customer.id)


class TestIssue:
    def test_prints_what_was_previewed(self, session: Session) -> None:
        customer = family(session)
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found is not None
        with clock.standing(clock.at(DECEMBER, 6)):
            bills.issue(session, SYSTEM, customer_id=customer.id, draft=found.draft)
            row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
            assert (row.total_cents, row.remaining_cents, row.state, row.due) == (14600, 14600, BillState.SENT, date(2026, 12, 20))
            text = "".join(page.extract_text() for page in PdfReader(BytesIO(self._pdf(session, customer, row.bill_no))).pages)
        assert "146,00" in text
        assert "Mobile Red" in text

    @staticmethod
    def _pdf(session: Session, customer: Customer, bill_no: str) -> bytes:
        return bills.pdf(session, self_of(customer), customer_id=customer.id, bill_no=bill_no)

    def test_numbers_follow_each_other_behind_the_given_ones(self, session: Session) -> None:
        first, second, third = (make_customer(session) for _ in range(3))
        assert bill(session, first, NOVEMBER, bill_no="2611000017").bill_no == "2611000017"
        assert bill(session, second, NOVEMBER).bill_no == "2611000018"
        assert bill(session, third, NOVEMBER).bill_no == "2611000019"

    def test_its_communication_follows_from_its_number(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        bill(session, customer, NOVEMBER, bill_no="2611000017")
        assert row_of(session, "2611000017").ogm == "+++261/1000/01792+++"

    def test_a_business_has_thirty_days(self, session: Session) -> None:
        customer = make_customer(session, kind=CustomerKind.ORGANIZATION, trading_name="Boulangerie Martin SRL", enterprise_no="0999999031",
                                 media=BillMedia.PEPPOL)  # fmt: skip
        session.flush()
        account = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id))
        account.one().payment_due_days = 30
        for code in ("LOCO", "CHILI", "CHILI"):
            make_product(session, customer, code)
        found = bill(session, customer, NOVEMBER)
        assert (found.due_date, found.remaining_cents) == (date(2026, 12, 5), 8800)

    def test_under_a_mandate_it_is_due_in_ten_days_and_collected(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        mandate(session, customer, signed_on=date(2026, 11, 5))
        assert bill(session, customer, date(2026, 10, 5)).due_date == date(2026, 10, 20)
        found = bill(session, customer, NOVEMBER)
        assert found.due_date == date(2026, 11, 15)
        assert row_of(session, found.bill_no).printed["debit"]["debit_on"] == "2026-11-16"

    def test_tells_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        bill(session, customer, NOVEMBER, bill_no="2611000017")
        message = session.exec(select(Communication).where(col(Communication.template) == "bill_issued")).one()
        assert "+++261/1000/01792+++" in message.body

    def test_needs_the_right(self, session: Session) -> None:
        customer = family(session)
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found is not None
        with pytest.raises(NotPermitted):
            bills.issue(session, AGENT, customer_id=customer.id, draft=found.draft)

    def test_refuses_a_negative_amount(self, session: Session) -> None:
        customer = make_customer(session)
        trio = make_product(session, customer, "TRIO")
        bill(session, customer, NOVEMBER)
        trio.until, trio.status = date(2026, 11, 10), ProductStatus.TERMINATED
        session.flush()
        facts = billing_facts.of_customer(session, customer.id)
        with pytest.raises(NothingToBill):
            bills.issue(session, SYSTEM, customer_id=customer.id, draft=billing_facts.draft(session, customer.id, facts, DECEMBER))


class TestYearlyAdvice:
    def _december(self, session: Session, customer: Customer) -> dict[str, Any]:
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found is not None
        issued = bills.issue(session, SYSTEM, customer_id=customer.id, draft=found.draft)
        return row_of(session, issued.bill_no).printed

    def test_names_the_plan_that_saves_most(self, session: Session) -> None:
        printed = self._december(session, family(session))
        assert printed["advice"] == {"plan": "Mobile Hot", "saving_cents": 5500}
        assert printed["mailbox_months"] == 18

    def test_says_so_where_each_line_has_the_cheapest(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        printed = self._december(session, customer)
        assert (printed["advice"], printed["mailbox_months"]) == ({"plan": None, "saving_cents": 0}, None)

    def test_stands_on_no_other_bill_of_the_year(self, session: Session) -> None:
        family(session)
        assert row_of(session, "2611000017").printed["advice"] is None


class TestIssueMany:
    def test_issues_as_issue_does(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        for one in (customer, other):
            make_product(session, one, "TRIO")
        found = [bills.preview_next(session, AGENT, customer_id=one.id) for one in (customer, other)]
        drafts = [one.draft for one in found if one]
        many = bills.issue_many(session, SYSTEM, bills=[ToIssue(customer.id, drafts[0], "2612000017"), ToIssue(other.id, drafts[1])])
        assert [one.bill_no for one in many] == ["2612000017", "2612000018"]
        first, second = (row_of(session, one.bill_no) for one in many)
        assert first.printed["lines"] == second.printed["lines"]
        assert first.document_token != second.document_token

    def test_uses_open_credit_once(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        paid = bill(session, customer, NOVEMBER)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=800)
        bills.issue_credit_note(
            session, SYSTEM, customer_id=customer.id, bill_no=paid.bill_no, reason=CreditReason.GOODWILL, incl_cents=500, day=NOVEMBER
        )
        held, january = [Held("RED", date(2026, 1, 1))], date(2027, 1, 5)
        covered = {DECEMBER: billing.Coverage(NOVEMBER, date(2026, 12, 1)), january: billing.Coverage(DECEMBER, date(2027, 1, 1))}
        drafts = [billing.preview(account=billing.Account(), held=held, bill_date=day, previous=covered[day]) for day in covered]
        found = bills.issue_many(session, SYSTEM, bills=[ToIssue(customer.id, draft) for draft in drafts])
        assert [one.remaining_cents for one in found] == [300, 800]
        assert open_amounts.open_summary(session, customer.id).credit_cents == 0


class TestIssueCreditNote:
    def _trio(self, session: Session) -> tuple[Customer, bills.Issued]:
        customer = make_customer(session)
        trio = make_product(session, customer, "TRIO")
        make_product(session, customer, "TV_SPORT", parent_id=trio.id)
        return customer, bill(session, customer, NOVEMBER)

    def test_p08_a_missed_visit_gives_thirty_euros_without_vat(self, session: Session) -> None:
        customer, found = self._trio(session)
        number = bills.issue_credit_note(
            session, AGENT, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.MISSED_VISIT, since=date(2026, 10, 21),
            day=date(2026, 10, 22), note_no="2610900086",
        )  # fmt: skip
        note, shown = row_of(session, number), bills.of_customer(session, AGENT, customer_id=customer.id)
        assert (note.incl_cents, note.vat_cents, note.remaining_cents) == (3000, 0, 0)
        assert [(row.state, row.remaining_cents, row.credited_cents) for row in shown if not row.is_credit_note] == [
            (BillState.PARTIALLY_PAID, 2899, 3000)
        ]
        assert [(row.refers_to, row.reason, row.reason_since) for row in shown if row.is_credit_note] == [
            (found.bill_no, "missed_visit", date(2026, 10, 21))
        ]

    def test_p13_days_after_the_end_are_paid_back_with_their_vat(self, session: Session) -> None:
        customer = make_customer(session)
        loco = make_product(session, customer, "LOCO")
        found = bill(session, customer, date(2026, 9, 5))
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 9, 14), amount_cents=3200)
        number = bills.issue_credit_note(
            session, AGENT, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.AFTER_END, product_id=loco.id,
            since=date(2026, 9, 19), until=date(2026, 10, 1), day=date(2026, 9, 19),
        )  # fmt: skip
        note = row_of(session, number)
        assert (note.excl_cents, note.vat_cents, note.incl_cents, note.bill_no) == (1058, 222, 1280, "2609900001")
        assert open_amounts.open_summary(session, customer.id).credit_cents == 1280
        refunds.refund(
            session, SYSTEM, customer_id=customer.id, credit_note_no=number, iban="BE66539000001343", completed_on=date(2026, 9, 25)
        )
        assert open_amounts.open_summary(session, customer.id).credit_cents == 0

    def test_credit_notes_have_a_series_of_their_own(self, session: Session) -> None:
        customer, found = self._trio(session)
        numbers = [
            bills.issue_credit_note(
                session, SYSTEM, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.GOODWILL, incl_cents=100
            )
            for _ in range(2)
        ]
        assert numbers == ["2611900001", "2611900002"]
        assert bill(session, make_customer(session), NOVEMBER).bill_no == "2611000002"

    def test_refuses_more_than_the_bill(self, session: Session) -> None:
        customer, found = self._trio(session)
        with pytest.raises(CreditTooHigh):
            bills.issue_credit_note(
                session, SYSTEM, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.GOODWILL, incl_cents=5900
            )

    def test_a_free_amount_needs_the_right_to_issue(self, session: Session) -> None:
        customer, found = self._trio(session)
        with pytest.raises(NotPermitted):
            bills.issue_credit_note(
                session, AGENT, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.GOODWILL, incl_cents=100
            )

    def test_refuses_another_customers_bill(self, session: Session) -> None:
        _customer, found = self._trio(session)
        with pytest.raises(NotFound):
            bills.issue_credit_note(
                session, SYSTEM, customer_id=make_customer(session).id, bill_no=found.bill_no, reason=CreditReason.GOODWILL, incl_cents=1
            )

    def test_the_next_bill_does_not_give_the_same_days_back_again(self, session: Session) -> None:
        customer = make_customer(session)
        trio = make_product(session, customer, "TRIO")
        sport = make_product(session, customer, "TV_SPORT", parent_id=trio.id)
        found = bill(session, customer, NOVEMBER)
        sport.until, sport.status = date(2026, 11, 18), ProductStatus.TERMINATED
        before = bills.preview_next(session, AGENT, customer_id=customer.id)
        bills.issue_credit_note(
            session, AGENT, customer_id=customer.id, bill_no=found.bill_no, reason=CreditReason.AFTER_END, product_id=sport.id,
            since=date(2026, 11, 18), until=date(2026, 12, 1),
        )  # fmt: skip
        after = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert before is not None
        assert after is not None
        assert (before.amount_due_cents, after.amount_due_cents) == (4200 - 736, 4200)


class TestOfCustomer:
    def test_shows_24_months_and_the_rest_on_request(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED", since=date(2022, 1, 1))
        for months in range(26):
            bill(session, customer, clock.add_months(NOVEMBER, -months))
        assert len(bills.of_customer(session, AGENT, customer_id=customer.id)) == 24
        assert len(bills.of_customer(session, AGENT, customer_id=customer.id, older=True)) == 26

    def test_says_how_late_a_bill_is(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "TRIO")
        bill(session, customer, date(2026, 8, 5))
        assert bills.of_customer(session, AGENT, customer_id=customer.id)[0].days_overdue == 90

    def test_hides_another_customers(self, session: Session) -> None:
        customer = family(session)
        assert bills.of_customer(session, AGENT, customer_id=make_customer(session).id) == []
        with pytest.raises(NotFound):
            bills.pdf(session, AGENT, customer_id=make_customer(session).id, bill_no="2611000017")
        assert customer.id


class TestOpenSummary:
    def test_p05_owes_168_of_which_126_late_for_90_days(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "TRIO")
        for month in (8, 9, 10, 11):
            bill(session, customer, date(2026, month, 5))
        found = open_amounts.open_summary(session, customer.id)
        assert (found.open_cents, found.overdue_cents, found.overdue_days, found.next_due) == (16800, 12600, 90, date(2026, 11, 20))

    def test_is_empty_for_a_new_customer(self, session: Session) -> None:
        assert open_amounts.open_summary(session, make_customer(session).id) == open_amounts.OpenAmount(0, 0, None, 0, None)


class TestPdf:
    def test_is_the_same_each_time_and_leaves_a_trace(self, session: Session) -> None:
        customer = family(session)
        papers = [bills.pdf(session, AGENT, customer_id=customer.id, bill_no="2611000017") for _ in range(2)]
        assert papers[0] == papers[1]
        session.flush()
        trail = session.exec(select(AuditEntry.action).where(col(AuditEntry.object_id) == "2611000017")).all()
        assert trail.count("bill:download") == 2


class TestNumbers:
    @pytest.fixture
    def counters(self, engine: Engine) -> Iterator[Engine]:
        yield engine
        with Session(engine) as session, session.begin():
            for counter in session.exec(select(BillCounter)):
                session.delete(counter)

    def test_have_no_gap_and_no_double_when_taken_at_once(self, counters: Engine) -> None:
        taken: list[str] = []

        def take() -> None:
            for _ in range(10):
                with Session(counters) as session, session.begin():
                    found = bill_numbers.take(session, NOVEMBER)
                taken.extend(found)

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == [f"2611{number:06d}" for number in range(1, 41)]

    def test_a_number_of_an_undone_bill_is_given_again(self, counters: Engine) -> None:
        with Session(counters) as session:
            assert bill_numbers.take(session, NOVEMBER) == ["2611000001"]
            session.rollback()
            assert bill_numbers.take(session, NOVEMBER) == ["2611000001"]
            session.rollback()

    def test_pass_on_to_a_second_series_before_the_credit_notes(self, session: Session) -> None:
        bill_numbers.push(session, "2611899999")
        assert bill_numbers.take(session, NOVEMBER, 3) == ["2611900000", "2631000001", "2631000002"]
        assert bill_numbers.take(session, NOVEMBER + timedelta(days=1)) == ["2631000003"]
        assert bill_numbers.take_credit_note(session, NOVEMBER) == "2611900001"
