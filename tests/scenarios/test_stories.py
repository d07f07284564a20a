"""Stories of bills, told by dates: what happened, and what each bill then says, line by line, to the cent."""

from datetime import date

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.models.bill import Bill, BillLine
from core.models.billing_account import BillModel
from core.models.customer import Customer
from core.models.mandate import MandateState
from core.models.product import Product, ProductStatus
from core.models.usage import Tariff, UsageKind
from core.services import bill_runs, bills, collections, jobs, open_amounts, refunds, usage
from core.services.bill_words import CreditReason
from core.services.usage import NewEvent
from tests.builders import make_customer, make_product
from tests.services.money_stories import mandate, paid

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)

Told = tuple[str, int, str | None]
"""A line: its code, its cents, and its share of a month."""


def told(session: Session, customer: Customer, day: date) -> list[Told]:
    """Make the bills of a day, and return the lines of this customer's; none where he gets no bill."""
    with clock.standing(clock.at(day, 6)):
        bill_runs.run_day(session, SYSTEM, day=day)
    row = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id, col(Bill.bill_date) == day)).one_or_none()
    if row is None:
        return []
    lines = session.exec(select(BillLine).where(col(BillLine.bill_id) == row.id).order_by(col(BillLine.ordinal))).all()
    assert sum(line.amount_cents for line in lines) == row.incl_cents + row.third_party_cents
    assert row.excl_cents + row.vat_cents == row.incl_cents
    return [(line.code, line.amount_cents, f"{line.share_days}/{line.month_days}" if line.share_days else None) for line in lines]


def end(product: Product, day: date) -> None:
    """Let a product end; `day` is the first one without it."""
    product.until, product.status = day, ProductStatus.TERMINATED


def new(session: Session, code: str, since: date, **given: object) -> tuple[Customer, Product]:
    customer = make_customer(session, **given)
    return customer, make_product(session, customer, code, since=since)


class TestCurrentModel:
    def test_a_first_year(self, session: Session) -> None:
        """16 Nov: a Chili begins. 5 Dec: the days since, and December. Then a month at a time."""
        customer, _plan = new(session, "CHILI", date(2026, 11, 16))
        assert told(session, customer, date(2026, 12, 5)) == [("CHILI", 1400, "15/30"), ("CHILI", 2800, None)]
        for month in range(1, 12):
            assert told(session, customer, date(2027, month, 5)) == [("CHILI", 2800, None)]

    def test_a_plan_goes_up_in_the_middle_of_a_month(self, session: Session) -> None:
        """5 Nov: Red for November. 18 Nov: Hot instead. 5 Dec: 13 days of Red come back, 13 days of Hot and December are charged."""
        customer, red = new(session, "RED", date(2026, 1, 1))
        assert told(session, customer, date(2026, 11, 5))[-1] == ("RED", 800, None)
        end(red, date(2026, 11, 18))
        make_product(session, customer, "HOT", since=date(2026, 11, 18))
        assert told(session, customer, date(2026, 12, 5)) == [("RED", -347, "13/30"), ("HOT", 650, "13/30"), ("HOT", 1500, None)]
        assert told(session, customer, date(2027, 1, 5)) == [("HOT", 1500, None)]

    def test_a_plan_goes_down_in_the_middle_of_a_month(self, session: Session) -> None:
        """5 Nov: Chili. 18 Nov: Red instead. 5 Dec: 0.66 more comes back than is charged, so no bill. 5 Jan: both months at once."""
        customer, chili = new(session, "CHILI", date(2026, 1, 1))
        assert told(session, customer, date(2026, 11, 5))[-1] == ("CHILI", 2800, None)
        end(chili, date(2026, 11, 18))
        make_product(session, customer, "RED", since=date(2026, 11, 18))
        assert told(session, customer, date(2026, 12, 5)) == []
        lines = told(session, customer, date(2027, 1, 5))
        assert lines == [("CHILI", -1213, "13/30"), ("RED", 347, "13/30"), ("RED", 800, None), ("RED", 800, None)]

    def test_an_option_on_off_and_on_again_in_one_month(self, session: Session) -> None:
        """9 Nov: on. 12 Nov: off at once. 23 Nov: on again. 5 Dec: 3 days, 8 days, and December."""
        customer, red = new(session, "RED", date(2026, 1, 1))
        told(session, customer, date(2026, 11, 5))
        first = make_product(session, customer, "MOB_DATA_5G", parent_id=red.id, since=date(2026, 11, 9))
        end(first, date(2026, 11, 12))
        make_product(session, customer, "MOB_DATA_5G", parent_id=red.id, since=date(2026, 11, 23))
        assert told(session, customer, date(2026, 12, 5)) == [
            ("RED", 800, None), ("MOB_DATA_5G", 100, "3/30"), ("MOB_DATA_5G", 267, "8/30"), ("MOB_DATA_5G", 1000, None),
        ]  # fmt: skip

    @pytest.mark.parametrize(("year", "cents", "share"), [(2027, 400, "14/28"), (2028, 414, "15/29")])
    def test_february_counts_its_own_days(self, session: Session, year: int, cents: int, share: str) -> None:
        """15 Feb: a Red begins. 5 Mar: 14 of 28 days, in a leap year 15 of 29."""
        customer, _red = new(session, "RED", date(year, 2, 15))
        assert told(session, customer, date(year, 3, 5)) == [("RED", cents, share), ("RED", 800, None)]


class TestLegacyModel:
    def test_a_cycle_day_of_31_through_a_leap_february(self, session: Session) -> None:
        """Bills of 31 Jan, 29 Feb, 31 Mar, 30 Apr: each day is charged once, each bill is a month."""
        customer, _red = new(session, "RED", date(2027, 12, 31), bill_model=BillModel.LEGACY, cycle_day=31)
        days = [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30)]
        assert told(session, customer, days[0]) == [("RED", 800, None), ("RED", 800, None)]
        for day in days[1:]:
            assert told(session, customer, day) == [("RED", 800, None)]
        rows = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id).order_by(col(Bill.bill_date))).all()
        assert [row.period_until for row in rows] == [date(2028, 2, 29), date(2028, 3, 31), date(2028, 4, 30), date(2028, 5, 31)]

    def test_usage_of_the_cycle_behind_is_on_the_bill_of_the_next_one(self, session: Session) -> None:
        """20 Oct: billed. 1 Nov: 8 minutes above the bundle. 20 Nov: the next cycle, and these minutes."""
        customer, red = new(session, "RED", date(2026, 1, 1), bill_model=BillModel.LEGACY, cycle_day=20)
        told(session, customer, date(2026, 10, 20))
        event = NewEvent(customer.id, red.id, clock.at(date(2026, 11, 1), 12), 1, UsageKind.VOICE, 480, tariff=Tariff.OVER, over_quantity=480,
                         charged_cents=128)  # fmt: skip
        usage.record(session, SYSTEM, events=[event])
        assert told(session, customer, date(2026, 11, 20)) == [("RED", 800, None), ("RATE_OOB_VOICE", 128, None)]
        assert told(session, customer, date(2026, 12, 20)) == [("RED", 800, None)]

    def test_the_published_move_to_the_calendar_month(self, session: Session) -> None:
        """21 Aug: a cycle until 21 Sep. 1 Oct: the current model. 5 Oct: ten days of September, and October: 2.67 + 8.00 = 10.67."""
        customer, _red = new(session, "RED", date(2026, 1, 1), bill_model=BillModel.LEGACY, cycle_day=21, migrate_on=date(2026, 10, 1))
        told(session, customer, date(2026, 8, 21))
        assert told(session, customer, date(2026, 9, 21)) == []
        assert told(session, customer, date(2026, 10, 5)) == [("RED", 267, "10/30"), ("RED", 800, None)]
        assert told(session, customer, date(2026, 11, 5)) == [("RED", 800, None)]


class TestMoneyBack:
    def test_a_refused_debit(self, session: Session) -> None:
        """5 Nov: billed. 13 Nov: the file leaves. 16 Nov: collected. 17 Nov: AM04. 1 Dec: paid by transfer. 5 Dec: a transfer again."""
        customer, _poco = new(session, "POCO", date(2026, 11, 1))
        signed = mandate(session, customer)
        told(session, customer, date(2026, 11, 5))
        with clock.standing(clock.at(date(2026, 11, 5), 7)):
            jobs.pass_days(session, SYSTEM, since=date(2026, 11, 5), until=date(2026, 11, 16))
        row = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id)).one()
        assert (row.remaining_cents, signed.last_used_on) == (0, date(2026, 11, 16))
        with clock.standing(clock.at(date(2026, 11, 17), 11)):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no=row.bill_no, code="AM04")
            jobs.pass_days(session, SYSTEM, since=date(2026, 11, 17), until=date(2026, 11, 30))
        assert (row.remaining_cents, row.payable_until, signed.state) == (2300, date(2026, 12, 1), MandateState.CANCELLED)
        paid(session, date(2026, 12, 1), 2300, communication=row.ogm)
        told(session, customer, date(2026, 12, 5))
        december = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id, col(Bill.bill_date) == date(2026, 12, 5))).one()
        assert (row.remaining_cents, december.mandate_id, december.due_date) == (0, None, date(2026, 12, 20))
        with clock.standing(clock.at(date(2026, 12, 5), 7)):
            jobs.pass_days(session, SYSTEM, since=date(2026, 12, 5), until=date(2026, 12, 20))
        assert december.remaining_cents == 2300  # Nothing is taken any more.

    def test_a_contract_that_ends_in_mid_month(self, session: Session) -> None:
        """5 Sep: September is billed, 32.00, and paid. 18 Sep: the last day. The 12 days that are left come back: 12.80, to a known account."""
        customer, loco = new(session, "LOCO", date(2026, 9, 1))
        told(session, customer, date(2026, 9, 5))
        row = session.exec(select(Bill).where(col(Bill.customer_id) == customer.id)).one()
        paid(session, date(2026, 9, 12), row.remaining_cents, communication=row.ogm, payer_iban="BE66539000001343")
        end(loco, date(2026, 9, 19))
        with clock.standing(clock.at(date(2026, 9, 22), 10)):
            note = bills.issue_credit_note(
                session, SYSTEM, customer_id=customer.id, reason=CreditReason.AFTER_END, bill_no=row.bill_no, product_id=loco.id,
                since=date(2026, 9, 19), until=date(2026, 10, 1),
            )  # fmt: skip
            assert open_amounts.open_summary(session, customer.id).credit_cents == 1280
            refunds.refund(session, SENIOR, customer_id=customer.id, credit_note_no=note, iban="BE66539000001343")
            assert open_amounts.open_summary(session, customer.id).credit_cents == 0
        assert told(session, customer, date(2026, 10, 5)) == []
