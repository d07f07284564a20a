"""Periods of both bill models, shares, and banking days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.services.periods import cycle_of, month_of, next_banking_day, previous_banking_day, prorate

DAYS = st.dates(date(2019, 1, 1), date(2032, 12, 31))


class TestProrate:
    def test_counts_the_days_of_the_actual_month(self) -> None:
        november = month_of(date(2026, 11, 1))
        assert prorate(4200, date(2026, 11, 12), november.until, november).cents == 2660
        assert prorate(500, date(2026, 11, 18), november.until, november).cents == 217
        assert prorate(1000, date(2026, 11, 18), november.until, november).cents == 433

    def test_knows_a_leap_february(self) -> None:
        for year, cents in ((2027, 400), (2028, 414)):
            month = month_of(date(year, 2, 1))
            assert prorate(800, date(year, 2, 15), month.until, month).cents == cents

    def test_gives_back_what_was_paid_for_days_after_the_end(self) -> None:
        september = month_of(date(2026, 9, 19))
        assert prorate(3200, date(2026, 9, 19), september.until, september).cents == 1280

    def test_writes_its_own_sum(self) -> None:
        november = month_of(date(2026, 11, 1))
        assert "× 13/30 =" in prorate(1000, date(2026, 11, 18), november.until, november).formula("fr")

    @given(DAYS, st.integers(0, 100_000), st.data())
    def test_loses_no_cent_where_a_month_is_cut_in_two(self, day: date, cents: int, data: st.DataObject) -> None:
        month = month_of(day)
        cut = data.draw(st.dates(month.since, month.until))
        parts = prorate(cents, month.since, cut, month), prorate(cents, cut, month.until, month)
        assert cents <= parts[0].cents + parts[1].cents <= cents + 1
        assert parts[0].days + parts[1].days == month.days


class TestPeriods:
    def test_an_anniversary_on_the_31st_clamps_to_the_end_of_a_short_month(self) -> None:
        assert cycle_of(date(2026, 11, 30), 31).since == date(2026, 11, 30)
        assert cycle_of(date(2026, 11, 29), 31).since == date(2026, 10, 31)

    @given(DAYS, st.integers(1, 31))
    def test_cycles_follow_each_other_without_gap(self, day: date, cycle_day: int) -> None:
        cycle = cycle_of(day, cycle_day)
        assert day in cycle
        assert cycle_of(cycle.until, cycle_day).since == cycle.until


class TestBankingDays:
    def test_a_collection_due_on_a_sunday_is_made_on_monday(self) -> None:
        assert next_banking_day(date(2026, 11, 15)) == date(2026, 11, 16)

    def test_banks_rest_at_easter_christmas_and_on_may_day(self) -> None:
        assert next_banking_day(date(2026, 4, 3)) == date(2026, 4, 7)
        assert next_banking_day(date(2026, 12, 25)) == date(2026, 12, 28)
        assert next_banking_day(date(2026, 5, 1)) == date(2026, 5, 4)

    @given(DAYS)
    def test_the_one_before_a_banking_day_is_a_banking_day(self, day: date) -> None:
        before = previous_banking_day(day)
        assert before < day
        assert next_banking_day(before) == before
        assert next_banking_day(before + timedelta(days=1)) >= day
