"""What events cost."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import catalogue, law
from core.models.usage import Direction, Tariff, UsageKind
from core.services.periods import month_of
from core.services.rating import Bundle, Charge, Running, Use, Used, bundle, over, premium_cents, rate, started_mb

NOVEMBER = month_of(date(2026, 11, 1))
SINCE = date(2024, 1, 1)
RED = Running("RED", SINCE)


class TestBundle:
    def test_holds_what_the_plan_holds(self) -> None:
        assert bundle(RED, [], NOVEMBER) == Bundle(data_kb=2_000_000, voice_seconds=9600, sms=None)

    def test_an_option_that_began_within_the_period_counts_for_its_days(self) -> None:
        assert bundle(RED, [Running("MOB_DATA_5G", date(2026, 11, 18))], NOVEMBER).data_kb == (2000 + 5000 * 13 // 30) * 1000

    def test_a_one_shot_counts_in_full(self) -> None:
        hot = bundle(Running("HOT", SINCE), [Running("MOB_DATA_1G", date(2026, 11, 18), date(2026, 12, 1))], NOVEMBER)
        assert hot.data_kb == 11_000_000

    def test_an_option_of_another_period_does_not_count(self) -> None:
        options = [Running("MOB_DATA_1G", date(2026, 10, 2), date(2026, 11, 1)), Running("MOB_DATA_5G", date(2026, 12, 1))]
        assert bundle(RED, options, NOVEMBER).data_kb == 2_000_000

    def test_an_unlimited_option_takes_the_limit_away(self) -> None:
        assert bundle(RED, [Running("MOB_UNLIM_CALLS", date(2026, 11, 18))], NOVEMBER).voice_seconds is None


class TestRate:
    def test_data_above_the_bundle_is_charged_per_started_mb(self) -> None:
        noa = bundle(RED, [], NOVEMBER)
        assert rate(Use(UsageKind.DATA, 1_240_000), noa, Used(data_kb=2_000_000)) == Charge(Tariff.OVER, 1_240_000, 6200)
        assert rate(Use(UsageKind.DATA, 2), noa, Used(data_kb=1_999_999)).charged_cents == 5

    def test_a_throttled_plan_never_charges_data(self) -> None:
        poco = bundle(Running("POCO", SINCE), [], NOVEMBER)
        assert rate(Use(UsageKind.DATA, 90_000_000), poco) == Charge(Tariff.INCLUDED)

    def test_a_call_outside_the_bundle_costs_a_full_first_minute_then_seconds(self) -> None:
        red, used = bundle(RED, [], NOVEMBER), Used(voice_seconds=9600)
        assert rate(Use(UsageKind.VOICE, 10), red, used).charged_cents == 16
        assert rate(Use(UsageKind.VOICE, 90), red, used).charged_cents == 24

    def test_a_call_that_leaves_the_bundle_pays_the_seconds_outside(self) -> None:
        red = bundle(RED, [], NOVEMBER)
        assert rate(Use(UsageKind.VOICE, 90), red, Used(voice_seconds=9540)) == Charge(Tariff.OVER, 30, 8)

    def test_peak_calls_of_a_fixed_line_cost_five_cents_a_minute(self) -> None:
        duo = bundle(Running("DUO", SINCE), [Running("TEL_OFFPEAK", SINCE)], NOVEMBER)
        assert rate(Use(UsageKind.VOICE, 2700, peak=True), duo) == Charge(Tariff.PEAK, 0, 225)
        assert rate(Use(UsageKind.VOICE, 2700), duo) == Charge(Tariff.OFFPEAK)

    def test_peak_calls_are_free_with_the_option(self) -> None:
        trio = bundle(Running("TRIO", SINCE), [Running("TEL_PEAK", SINCE)], NOVEMBER)
        assert rate(Use(UsageKind.VOICE, 2700, peak=True), trio) == Charge(Tariff.INCLUDED)

    def test_messages_are_free_and_mms_are_not(self) -> None:
        red = bundle(RED, [], NOVEMBER)
        assert rate(Use(UsageKind.SMS, 1), red).charged_cents == 0
        assert rate(Use(UsageKind.MMS, 2), red) == Charge(Tariff.OVER, 2, 100)

    def test_what_comes_in_is_free(self) -> None:
        assert (
            rate(Use(UsageKind.VOICE, 600, direction=Direction.IN), bundle(RED, [], NOVEMBER), Used(voice_seconds=99_999)).over_quantity
            == 0
        )


class TestPremiumCents:
    @pytest.mark.parametrize(("number", "seconds", "cents"), [("0903", 240, 600), ("0904", 7200, 2000), ("0909", 3, 3100), ("070", 90, 45)])
    def test_follows_the_class_of_the_number(self, number: str, seconds: int, cents: int) -> None:
        assert premium_cents(catalogue().premium[number], seconds) == cents

    @given(st.sampled_from(sorted(catalogue().premium)), st.integers(0, 604_800), st.integers(0, 40_000))
    def test_never_exceeds_what_a_charge_and_a_month_may_come_to(self, number: str, quantity: int, before: int) -> None:
        cents = premium_cents(catalogue().premium[number], quantity, Used(third_party_cents=before))
        assert 0 <= cents <= law("premium_transaction_ceiling_cents")
        assert cents == 0 or before + cents <= law("premium_month_ceiling_cents")


class TestOver:
    @given(st.lists(st.integers(0, 700_000), max_size=30))
    def test_the_events_of_a_period_add_up_to_its_started_mb(self, quantities: list[int]) -> None:
        noa = bundle(RED, [], NOVEMBER)
        charges = over([Use(UsageKind.DATA, quantity) for quantity in quantities], noa)
        beyond = max(0, sum(quantities) - 2_000_000)
        assert sum(charge.over_quantity for charge in charges) == beyond
        assert sum(charge.charged_cents for charge in charges) == 5 * started_mb(beyond)
