"""The year that follows: the sample customers live on for twelve months, and each of their bills says what their story lets expect."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import pytest
from sqlmodel import Session, col, select

from core import clock, db
from core.actor import SYSTEM
from core.db import Base
from core.models.bill import Bill, BillCategory, BillLine, BillState, LineKind
from core.models.collection import Collection, CollectionState
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus
from core.models.dunning import DunningNotice, DunningStep
from core.money import split_inclusive, vat_on
from core.services import demo, jobs, usage_alerts
from seed import life
from seed.bulk import working
from seed.story import stories, tell
from tests.scenarios.filling import installed

DAYS = 365
MONTHS = [clock.add_months(date(2026, 12, 5), month) for month in range(12)]
REGULAR = {
    "P01": 7800, "P02": 3600, "P03": 1500, "P04": 7273, "P06": 3100, "P07": 3200, "P08": 5899, "P09": 800, "P10": 4700, "P11": 4200, "P12": 2800,
}  # fmt: skip
"""What an ordinary month costs in cents, in the terms of the bill."""
BESIDES = {("P09", MONTHS[0]): 293, ("P12", MONTHS[0]): 1400}
"""Shares of the month behind, on the first bill: the days between two models, the days since the start."""
ONCE = {("P03", MONTHS[0]): 500, ("P11", MONTHS[0]): 5000}
"""The gigabyte of 18 November, the visit of 10 November."""
DEBITED = {"P03", "P07", "P10"}
USED = {"P01", "P02"}
"""Who uses what is charged: a line far above its bundle in November, peak minutes each month."""


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The thirteen, told as ever, and 365 days later."""
    folder = tmp_path_factory.mktemp("year")
    with installed(f"sqlite:///{folder / 'year.db'}", folder) as engine:
        Base.metadata.create_all(engine)
        with working() as session:
            demo.start_clock(session)
            jobs.mark_done(session, SYSTEM, day=clock.today())
            for story in stories():
                tell(session, story)
            usage_alerts.mark_told(session, SYSTEM)
        with db.transaction() as session:
            demo.move_clock(session, SYSTEM, days=DAYS, live=life.pass_time)
        with Session(engine) as session:
            yield session


def customer(year: Session, who: str) -> Customer:
    number = next(story["customer"]["customer_no"] for story in stories() if story["account"] == who.lower())
    return year.exec(select(Customer).where(Customer.customer_no == number)).one()


def papers(year: Session, who: str) -> list[tuple[Bill, list[BillLine]]]:
    """Return the bills of the year with their lines, the oldest first."""
    mine = (
        col(Bill.customer_id) == customer(year, who).id,
        col(Bill.bill_date) > date(2026, 11, 18),
        Bill.category != BillCategory.CREDIT_NOTE,
    )
    found = year.exec(select(Bill).where(*mine).order_by(col(Bill.bill_date))).all()
    lines: dict[int, list[BillLine]] = defaultdict(list)
    for line in year.exec(select(BillLine).where(col(BillLine.customer_id) == customer(year, who).id).order_by(col(BillLine.ordinal))):
        lines[line.bill_id].append(line)
    return [(bill, lines[bill.id]) for bill in found]


def of_kinds(lines: list[BillLine], *kinds: LineKind) -> int:
    return sum(line.amount_cents for line in lines if line.kind in kinds)


@pytest.mark.parametrize("who", sorted(REGULAR))
class TestEachMonth:
    def test_has_one_bill_of_the_ordinary_amount_and_what_is_told_besides(self, year: Session, who: str) -> None:
        found = papers(year, who)
        assert [bill.bill_date for bill, _lines in found] == MONTHS
        for bill, lines in found:
            regular = of_kinds(lines, LineKind.SUBSCRIPTION, LineKind.OPTION)
            assert regular == REGULAR[who] + BESIDES.get((who, bill.bill_date), 0), bill.bill_date
            assert of_kinds(lines, LineKind.ONE_OFF) == ONCE.get((who, bill.bill_date), 0), bill.bill_date
            assert bool(of_kinds(lines, LineKind.USAGE)) <= (who in USED)
            assert of_kinds(lines, LineKind.ADJUSTMENT, LineKind.PENALTY) == 0

    def test_charges_each_day_once(self, year: Session, who: str) -> None:
        found = papers(year, who)
        for (before, _), (after, _) in itertools.pairwise(found):
            assert before.period_until == after.period_since

    def test_adds_up_with_vat_once_on_the_document(self, year: Session, who: str) -> None:
        for bill, lines in papers(year, who):
            own = sum(line.amount_cents for line in lines if line.kind is not LineKind.THIRD_PARTY)
            assert (bill.excl_cents, bill.vat_cents) == ((own, vat_on(own)) if who == "P04" else split_inclusive(own))
            assert bill.third_party_cents == of_kinds(lines, LineKind.THIRD_PARTY)

    def test_is_paid(self, year: Session, who: str) -> None:
        states = [bill.state for bill, _lines in papers(year, who)]
        assert set(states[:-1]) == {BillState.SETTLED}

    def test_nobody_who_pays_is_followed_up(self, year: Session, who: str) -> None:
        assert year.exec(select(DunningNotice).where(DunningNotice.customer_id == customer(year, who).id)).all() == []
        assert customer(year, who).status is CustomerStatus.ACTIVE


@pytest.mark.parametrize("who", sorted(DEBITED))
def test_a_mandate_collects_each_bill_once_the_first_included(year: Session, who: str) -> None:
    rows = year.exec(select(Collection).where(Collection.customer_id == customer(year, who).id)).all()
    assert {row.state for row in rows} == {CollectionState.SETTLED}
    assert sorted(row.amount_cents for row in rows) == sorted(bill.incl_cents for bill, _lines in papers(year, who))


def test_p01_pays_in_december_for_what_noa_used_in_november_and_no_more(year: Session) -> None:
    first, *others = papers(year, "P01")
    assert of_kinds(first[1], LineKind.USAGE) >= 6200  # 1,240 MB until the 18th, and what she used since.
    assert of_kinds(first[1], LineKind.THIRD_PARTY) >= 600
    assert {of_kinds(lines, LineKind.USAGE) for _bill, lines in others} == {0}


def test_p03_whose_cap_is_zero_never_pays_above_his_bundle(year: Session) -> None:
    assert {of_kinds(lines, LineKind.USAGE, LineKind.THIRD_PARTY) for _bill, lines in papers(year, "P03")} == {0}


def test_p05_is_followed_up_step_by_step_until_his_contract_ends(year: Session) -> None:
    """25 Nov: the fourth missed due date costs 7.50. 28 Dec: so does the fifth. 11 Jan: the contract ends, 21 days of January come back.

    25 Jan: his last bill is late, the first missed due date of a new year, which is free.
    """
    kevin = customer(year, "P05")
    told = [
        (row.step, row.day)
        for row in year.exec(select(DunningNotice).where(DunningNotice.customer_id == kevin.id).order_by(col(DunningNotice.day)))
    ]
    assert [one for one in told if one[1] > date(2026, 11, 18)] == [
        (DunningStep.MISSED, date(2026, 11, 25)), (DunningStep.MISSED, date(2026, 12, 28)), (DunningStep.TERMINATED, date(2027, 1, 11)),
        (DunningStep.MISSED, date(2027, 1, 25)),
    ]  # fmt: skip
    assert [(bill.bill_date, bill.incl_cents, of_kinds(lines, LineKind.PENALTY)) for bill, lines in papers(year, "P05")] == [
        (date(2026, 12, 5), 4950, 750), (date(2027, 1, 5), 4950, 750),
    ]  # fmt: skip
    notes = year.exec(select(Bill).where(Bill.customer_id == kevin.id, Bill.category == BillCategory.CREDIT_NOTE)).all()
    assert [(note.bill_date, note.incl_cents) for note in notes] == [(date(2027, 1, 11), 2845)]
    assert kevin.status is CustomerStatus.CLOSED


def test_p09_is_explained_one_transition_and_then_a_month_at_a_time(year: Session) -> None:
    assert [bill.category for bill, _lines in papers(year, "P09")] == [BillCategory.TRANSITION, *[BillCategory.NORMAL] * 11]


def test_p13_who_left_gets_no_bill_and_no_message(year: Session) -> None:
    assert papers(year, "P13") == []
    gone = customer(year, "P13")
    late = year.exec(select(Communication.sent_at).where(Communication.customer_id == gone.id)).all()
    assert all(clock.local(clock.from_stored(moment)).date() <= date(2026, 11, 18) for moment in late)
