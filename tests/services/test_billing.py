"""What a bill holds: every sample customer's figures, and the laws of adding up."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.models.bill import BillCategory, LineKind
from core.models.billing_account import BillModel
from core.models.usage import Tariff, UsageKind
from core.services.billing import Account, BillDraft, Coverage, Held, Line, OneOff, next_bill_date, preview, totals
from core.services.usage import Sum

SINCE = date(2024, 1, 1)
NOVEMBER, DECEMBER = date(2026, 11, 5), date(2026, 12, 5)
PAID_OCTOBER = Coverage(date(2026, 10, 5), date(2026, 11, 1))
PAID_NOVEMBER = Coverage(NOVEMBER, date(2026, 12, 1))
P01 = [
    Held("TRIO", SINCE, None, 1), Held("TV_DECODER_EXTRA", SINCE, None, 2), Held("RED", SINCE, None, 3, "Sophie"),
    Held("HOT", SINCE, None, 4, "Amadou"), Held("RED", SINCE, None, 5, "Noa"),
]  # fmt: skip
NOA_OVER = {
    (5, UsageKind.DATA, Tariff.OVER): Sum(40, 1_240_000, 1_240_000, 6200),
    (5, UsageKind.DATA, Tariff.INCLUDED): Sum(200, 2_000_000, 0, 0),
    (5, UsageKind.PREMIUM, Tariff.THIRD_PARTY): Sum(3, 3, 0, 600),
}
LEGACY = Account(BillModel.LEGACY, 20, date(2026, 12, 1))


def held(*codes: str) -> list[Held]:
    return [Held(code, SINCE) for code in codes]


def sums(bill: BillDraft) -> tuple[int, int, int, int]:
    return bill.excl_cents, bill.vat_cents, bill.incl_cents, bill.third_party_cents


class TestPreview:
    @pytest.mark.parametrize(
        ("codes", "expected"),
        [
            (["TRIO", "TV_DECODER_EXTRA", "RED", "HOT", "RED"], (6446, 1354, 7800, 0)),
            (["HOT"], (1240, 260, 1500, 0)),
            (["TRIO"], (3471, 729, 4200, 0)),
            (["POCO", "RED"], (2562, 538, 3100, 0)),
            (["LOCO"], (2645, 555, 3200, 0)),
            (["TRIO", "TV_SPORT"], (4875, 1024, 5899, 0)),
            (["TRIO", "TEL_PEAK"], (3884, 816, 4700, 0)),
        ],
    )
    def test_a_month_of_each_sample_customer(self, codes: list[str], expected: tuple[int, int, int, int]) -> None:
        assert sums(preview(account=Account(), held=held(*codes), bill_date=NOVEMBER, previous=PAID_OCTOBER)) == expected

    def test_p01_third_parties_stay_outside_the_vat_base(self) -> None:
        bill = preview(account=Account(), held=P01, bill_date=DECEMBER, previous=PAID_NOVEMBER, usage=NOA_OVER)
        assert sums(bill) == (11570, 2430, 14000, 600)
        assert bill.amount_due_cents == 14600

    def test_p02_peak_minutes_are_lines_of_usage(self) -> None:
        usage = {(1, UsageKind.VOICE, Tariff.PEAK): Sum(9, 2700, 2700, 225), (1, UsageKind.VOICE, Tariff.OFFPEAK): Sum(40, 9000, 0, 0)}
        products = [Held("DUO", SINCE, None, 1), Held("TEL_OFFPEAK", SINCE, None, 2), Held("TEL_BAR_PREMIUM", SINCE, None, 3)]
        bill = preview(account=Account(), held=products, bill_date=NOVEMBER, previous=PAID_OCTOBER, usage=usage)
        assert sums(bill) == (3161, 664, 3825, 0)
        assert [(line.code, line.quantity, line.unit, line.amount_cents) for line in bill.lines] == [
            ("DUO", 1, "month", 3600), ("RATE_FIX_PEAK", 45, "minute", 225),
        ]  # fmt: skip

    def test_p04_a_business_pays_vat_once_on_the_total(self) -> None:
        bill = preview(account=Account(business=True), held=held("LOCO", "CHILI", "CHILI"), bill_date=NOVEMBER, previous=PAID_OCTOBER)
        assert [line.amount_cents for line in bill.lines] == [2645, 2314, 2314]
        assert sums(bill) == (7273, 1527, 8800, 0)

    def test_p09_the_transition_bill_holds_the_days_between_the_models(self) -> None:
        previous = Coverage(date(2026, 10, 20), date(2026, 11, 20))
        bill = preview(account=LEGACY, held=held("RED"), bill_date=DECEMBER, previous=previous)
        assert [(line.amount_cents, line.share_days, line.month_days) for line in bill.lines] == [(293, 11, 30), (800, None, None)]
        assert bill.incl_cents == 1093
        assert bill.category is BillCategory.TRANSITION

    def test_scarlets_published_transition_bill(self) -> None:
        account = Account(BillModel.LEGACY, 21, date(2026, 10, 1))
        previous = Coverage(date(2026, 8, 21), date(2026, 9, 21))
        bill = preview(account=account, held=held("RED"), bill_date=date(2026, 10, 5), previous=previous)
        assert [line.amount_cents for line in bill.lines] == [267, 800]

    def test_the_bill_after_the_transition_charges_usage_once(self) -> None:
        previous = Coverage(DECEMBER, date(2027, 1, 1))
        bill = preview(account=LEGACY, held=held("RED"), bill_date=date(2027, 1, 5), previous=previous)
        assert (bill.usage_period.since, bill.usage_period.until) == (date(2026, 12, 1), date(2027, 1, 1))
        assert bill.category is BillCategory.NORMAL

    def test_p12_a_first_bill_holds_the_days_since_the_start(self) -> None:
        bill = preview(account=Account(), held=[Held("CHILI", date(2026, 11, 16))], bill_date=DECEMBER)
        assert [(line.amount_cents, line.share_days, line.month_days) for line in bill.lines] == [(1400, 15, 30), (2800, None, None)]

    def test_an_option_added_after_the_bill_is_charged_from_its_day(self) -> None:
        products = [Held("RED", SINCE), Held("MOB_DATA_5G", date(2026, 11, 18))]
        bill = preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER)
        assert [(line.code, line.amount_cents) for line in bill.lines] == [("RED", 800), ("MOB_DATA_5G", 433), ("MOB_DATA_5G", 1000)]

    def test_a_one_shot_is_charged_once_and_in_full(self) -> None:
        products = [Held("HOT", SINCE), Held("MOB_DATA_1G", date(2026, 11, 18), date(2026, 12, 1))]
        assert preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER).incl_cents == 2000
        later = Coverage(DECEMBER, date(2027, 1, 1))
        assert preview(account=Account(), held=products, bill_date=date(2027, 1, 5), previous=later).incl_cents == 1500

    def test_what_ends_before_the_period_is_not_charged(self) -> None:
        products = [Held("TRIO", SINCE), Held("TV_SPORT", SINCE, date(2026, 12, 1))]
        assert preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER).incl_cents == 4200

    def test_what_starts_after_the_bill_waits_for_the_next_one(self) -> None:
        products = [Held("TRIO", SINCE), Held("TV_SPORT", date(2026, 12, 20))]
        assert preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER).incl_cents == 4200

    def test_what_ends_within_paid_days_gives_the_rest_back(self) -> None:
        products = [Held("TRIO", SINCE, None, 1), Held("TEL_PEAK", SINCE, date(2026, 11, 18), 2)]
        bill = preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER)
        back = bill.lines[1]
        assert (back.kind, back.amount_cents, back.share_days, back.month_days) == (LineKind.ADJUSTMENT, -217, 13, 30)
        assert bill.incl_cents == 4200 - 217

    def test_what_a_credit_note_gave_back_is_not_given_back_again(self) -> None:
        products = [Held("TRIO", SINCE, None, 1), Held("TEL_PEAK", SINCE, date(2026, 11, 18), 2)]
        previous = Coverage(NOVEMBER, date(2026, 12, 1), {2: date(2026, 11, 18)})
        assert preview(account=Account(), held=products, bill_date=DECEMBER, previous=previous).incl_cents == 4200

    @pytest.mark.parametrize(("left", "back"), [(500, -217), (217, -217), (100, -100), (0, 0)])
    def test_no_more_is_given_back_than_was_not_credited_by_hand(self, left: int, back: int) -> None:
        products = [Held("TRIO", SINCE, None, 1), Held("TEL_PEAK", SINCE, date(2026, 11, 18), 2)]
        previous = Coverage(NOVEMBER, date(2026, 12, 1), left_cents={1: 4200, 2: left})
        bill = preview(account=Account(), held=products, bill_date=DECEMBER, previous=previous)
        assert bill.incl_cents == 4200 + back
        assert all((line.share_days is None) == (back != -217) for line in bill.lines if line.kind is LineKind.ADJUSTMENT)

    def test_what_ended_before_the_last_bill_is_over(self) -> None:
        products = [Held("TRIO", SINCE), Held("TEL_PEAK", SINCE, date(2026, 9, 10))]
        assert preview(account=Account(), held=products, bill_date=DECEMBER, previous=PAID_NOVEMBER).incl_cents == 4200

    @pytest.mark.parametrize(("since", "cents"), [(date(2026, 11, 4), 0), (NOVEMBER, 1472), (date(2026, 11, 6), 1416)])
    def test_what_came_on_the_bill_day_after_the_bill_is_on_the_next_one(self, since: date, cents: int) -> None:
        products = [Held("TRIO", SINCE, None, 1), Held("TV_SPORT", since, None, 2)]
        previous = Coverage(NOVEMBER, date(2026, 12, 1), {1: date(2026, 12, 1)})
        found = preview(account=Account(), held=products, bill_date=DECEMBER, previous=previous)
        before = sum(line.amount_cents for line in found.lines if line.product_id == 2 and line.since and line.since < date(2026, 12, 1))
        assert before == cents
        on_it = Coverage(NOVEMBER, date(2026, 12, 1), {1: date(2026, 12, 1), 2: date(2026, 12, 1)})
        assert {line.since for line in preview(account=Account(), held=products, bill_date=DECEMBER, previous=on_it).lines} == {
            date(2026, 12, 1)
        } | ({since} if since > NOVEMBER else set())

    def test_a_technicians_visit_is_charged_in_full(self) -> None:
        visit = OneOff("FEE_TECHNICIAN", date(2026, 11, 10), 5000)
        assert (
            preview(account=Account(), held=held("TRIO"), bill_date=DECEMBER, previous=PAID_NOVEMBER, one_offs=[visit]).incl_cents == 9200
        )

    def test_a_legacy_bill_runs_from_its_cycle_day(self) -> None:
        account = Account(BillModel.LEGACY, 20)
        previous = Coverage(date(2026, 9, 20), date(2026, 10, 20))
        bill = preview(account=account, held=held("RED"), bill_date=date(2026, 10, 20), previous=previous)
        assert (bill.period.since, bill.period.until) == (date(2026, 10, 20), date(2026, 11, 20))
        assert (bill.usage_period.since, bill.usage_period.until) == (date(2026, 9, 20), date(2026, 10, 20))
        assert sums(bill) == (661, 139, 800, 0)

    @given(
        products=st.lists(
            st.tuples(
                st.sampled_from(["TRIO", "RED", "HOT", "MOB_DATA_5G", "MOB_DATA_1G", "TV_SPORT"]), st.dates(date(2026, 9, 1), DECEMBER)
            )
        ),
        business=st.booleans(),
    )
    def test_lines_and_vat_always_add_up(self, products: list[tuple[str, date]], *, business: bool) -> None:
        account, named = Account(business=business), [Held(code, since) for code, since in products]
        bill = preview(account=account, held=named, bill_date=DECEMBER, previous=PAID_NOVEMBER)
        own = sum(line.amount_cents for line in bill.lines if line.kind is not LineKind.THIRD_PARTY)
        assert own == (bill.excl_cents if business else bill.incl_cents)
        assert bill.excl_cents + bill.vat_cents == bill.incl_cents
        assert abs(bill.vat_cents * 100 - bill.excl_cents * 21) <= 100

    @given(st.dates(date(2026, 1, 1), date(2026, 6, 30)), st.sampled_from(["RED", "TV_SPORT", "CHILI"]))
    def test_twelve_bills_charge_each_day_once(self, since: date, code: str) -> None:
        previous, spans = None, []
        for month in range(1, 13):
            bill_date = date(2026, month, 5)
            bill = preview(account=Account(), held=[Held(code, since)], bill_date=bill_date, previous=previous)
            spans += [(line.since, line.until) for line in bill.lines]
            previous = Coverage(bill_date, bill.period.until, {line.product_id: bill.period.until for line in bill.lines})
        assert spans[0][0] == since
        assert spans[-1][1] == date(2027, 1, 1)
        assert all(before[1] == after[0] for before, after in pairwise(spans))


class TestTotals:
    def test_vat_is_not_rounded_line_by_line(self) -> None:
        lines = [Line(LineKind.SUBSCRIPTION, "LOCO", 999, 999)] * 3
        assert totals(lines, business=True) == (2997, 629, 3626, 0)


class TestNextBillDate:
    def test_is_the_fifth(self) -> None:
        assert next_bill_date(Account(), PAID_NOVEMBER, date(2026, 11, 18)) == DECEMBER
        assert next_bill_date(Account(), None, date(2026, 11, 18)) == DECEMBER

    def test_is_today_until_the_bill_is_made(self) -> None:
        assert next_bill_date(Account(), PAID_NOVEMBER, DECEMBER) == DECEMBER
        assert next_bill_date(Account(), Coverage(DECEMBER, date(2027, 1, 1)), DECEMBER) == date(2027, 1, 5)

    def test_is_the_cycle_day_in_the_legacy_model(self) -> None:
        previous = Coverage(date(2026, 10, 20), date(2026, 11, 20))
        assert next_bill_date(Account(BillModel.LEGACY, 20), previous, date(2026, 11, 18)) == date(2026, 11, 20)

    def test_p09_skips_the_cycle_that_the_new_model_would_cut(self) -> None:
        assert next_bill_date(LEGACY, Coverage(date(2026, 10, 20), date(2026, 11, 20)), date(2026, 11, 18)) == DECEMBER
