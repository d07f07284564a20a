"""What comes next for unpaid bills, when, and what it may cost at most: the law as a table, and the laws of the ladder."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import LADDER, catalogue, law
from core.models.billing_account import DunningState
from core.models.dunning import DunningStep
from core.services import dunning_steps
from core.services.dunning_steps import Debt, Next, Rest, Situation, Why

RULES = catalogue().dunning
AUGUST, SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 20) for month in (8, 9, 10, 11))
DAY = timedelta(days=1)


def debts(*dues: date, cents: int = 4200) -> tuple[Debt, ...]:
    return tuple(Debt(number, f"26{due:%m}000055", due, cents) for number, due in enumerate(dues, 1))


def play(at: Situation, since: date, until: date) -> tuple[list[dunning_steps.Notice], Situation]:
    """Live through days without any payment."""
    found, day = [], since
    while day < until:
        known = replace(at, missed={*at.missed, *(one.due for one in at.debts if one.due < day)})
        if notice := dunning_steps.take(known, day, RULES):
            found.append(notice)
            at = dunning_steps.after(at, notice)
        day += DAY
    return found, at


class TestLadder:
    def test_p05_20_aug_due_25_aug_reminded_10_nov_suspended_25_nov_the_first_that_costs(self) -> None:
        notices, _ = play(Situation(debts(AUGUST, SEPTEMBER, OCTOBER, NOVEMBER)), date(2026, 8, 1), date(2027, 1, 31))
        assert [(one.step, one.day, one.claimed_cents, one.fee_cents) for one in notices] == [
            (DunningStep.REMINDER1, date(2026, 8, 25), 4200, 0),
            (DunningStep.REMINDER2, date(2026, 9, 25), 8400, 0),
            (DunningStep.FORMAL_NOTICE, date(2026, 10, 26), 12600, 0),  # The 25th was a Sunday.
            (DunningStep.RESTRICTED, date(2026, 11, 3), 12600, 0),
            (DunningStep.SUSPENDED, date(2026, 11, 10), 12600, 0),
            (DunningStep.MISSED, date(2026, 11, 25), 16800, 750),
            (DunningStep.TERMINATED, date(2027, 1, 11), 16800, 0),  # The 9th was a Saturday.
        ]

    def test_a_step_that_was_late_waits_its_days_for_the_next_one(self) -> None:
        at = Situation(debts(AUGUST))
        first = dunning_steps.take(at, date(2026, 10, 1), RULES)
        assert first is not None
        assert dunning_steps.next_step(dunning_steps.after(at, first), date(2026, 10, 1), RULES) == Next(
            DunningStep.REMINDER2, date(2026, 11, 2)
        )

    def test_no_step_falls_into_the_days_without_cost(self) -> None:
        fast = RULES.model_copy(update={"steps": [rung.model_copy(update={"after_days": 1}) for rung in RULES.steps]})
        at = Situation(debts(AUGUST))
        first = dunning_steps.take(at, date(2026, 8, 21), fast)
        assert first is not None
        assert dunning_steps.next_step(dunning_steps.after(at, first), date(2026, 8, 22), fast) == Next(
            DunningStep.REMINDER2, date(2026, 9, 7)  # The 14 days end on the 4th, a Friday.
        )  # fmt: skip

    def test_after_a_broken_plan_it_goes_on_with_the_formal_notice(self) -> None:
        _, at = play(Situation(debts(AUGUST)), date(2026, 8, 1), date(2027, 3, 1))
        again = replace(at, rung=None, rung_day=None)
        assert dunning_steps.next_step(again, date(2027, 3, 1), RULES) == Next(DunningStep.FORMAL_NOTICE, date(2027, 1, 12))

    def test_a_debt_that_was_only_reminded_of_goes_on_with_the_next_step(self) -> None:
        _, at = play(Situation(debts(AUGUST)), date(2026, 8, 1), date(2026, 8, 27))
        comes = dunning_steps.next_step(replace(at, rung=None, rung_day=None), date(2026, 12, 1), RULES)
        assert isinstance(comes, Next)
        assert comes.step is DunningStep.REMINDER2


class TestRest:
    @pytest.mark.parametrize(
        ("at", "why"),
        [
            (Situation(), Why.NOTHING_LATE),
            (Situation((replace(debts(AUGUST)[0], in_plan=True),)), Why.PLAN),
            (Situation((replace(debts(AUGUST)[0], disputed_cents=4200),)), Why.DISPUTE),
            (Situation((replace(debts(AUGUST)[0], by_debit=True),)), Why.DIRECT_DEBIT),
            (Situation(debts(AUGUST), deceased=True), Why.DECEASED),
            (Situation(debts(AUGUST), closed=True), Why.CLOSED),
        ],
    )
    def test_says_why(self, at: Situation, why: Why) -> None:
        assert dunning_steps.next_step(at, NOVEMBER, RULES) == Rest(why)

    def test_a_hold_ends_on_its_day(self) -> None:
        at = Situation(debts(AUGUST), held_since=date(2026, 8, 22), held_until=date(2026, 12, 22))
        assert dunning_steps.next_step(at, date(2026, 12, 21), RULES) == Rest(Why.HOLD, date(2026, 12, 22))
        assert isinstance(dunning_steps.next_step(at, date(2026, 12, 22), RULES), Next)

    def test_only_the_disputed_amount_is_left_out(self) -> None:
        at = Situation((replace(debts(AUGUST)[0], disputed_cents=1200),))
        notice = dunning_steps.take(at, date(2026, 8, 25), RULES)
        assert notice is not None
        assert notice.claimed_cents == 3000


class TestFreeUntil:
    def test_begins_the_next_day_when_it_is_electronic(self) -> None:
        assert dunning_steps.free_until(date(2026, 8, 25), by_post=False) == date(2026, 9, 9)  # 26 Aug to 8 Sep.

    def test_begins_on_the_third_working_day_by_post(self) -> None:
        assert dunning_steps.free_until(date(2026, 8, 25), by_post=True) == date(2026, 9, 11)  # From Fri 28 Aug on.
        assert dunning_steps.free_until(date(2026, 10, 30), by_post=True) == date(
            2026, 11, 17
        )  # All Saints is a Sunday: from Tue 3 Nov on.

    def test_the_fourteen_days_are_whole_ones(self) -> None:
        sent = date(2026, 12, 24)
        assert (dunning_steps.free_until(sent, by_post=False) - sent).days == 15


class TestFee:
    @pytest.mark.parametrize(("number", "cents"), [(1, 0), (2, 0), (3, 0), (4, 750), (5, 750), (12, 750)])
    def test_three_a_year_are_free(self, number: int, cents: int) -> None:
        assert dunning_steps.fee_cents(number, RULES, consumer=True, by_post=False) == cents

    def test_a_letter_adds_its_stamp_where_there_is_a_fee(self) -> None:
        stamp = RULES.postage.cents
        assert [dunning_steps.fee_cents(number, RULES, consumer=True, by_post=True) for number in (3, 4)] == [0, 750 + stamp]

    def test_a_business_pays_none(self) -> None:
        assert dunning_steps.fee_cents(4, RULES, consumer=False, by_post=False) == 0

    def test_a_higher_fee_in_the_file_is_capped_by_the_law(self) -> None:
        dear = RULES.model_copy(update={"fee": RULES.fee.model_copy(update={"cents": 1000})})
        assert dunning_steps.fee_cents(4, dear, consumer=True, by_post=False) == 750

    def test_a_new_year_starts_afresh(self) -> None:
        missed = {date(2026, month, 20) for month in (9, 10, 11, 12)}
        assert dunning_steps.missed_no(missed, date(2026, 12, 20)) == 4
        assert dunning_steps.missed_no(missed | {date(2027, 1, 20)}, date(2027, 1, 20)) == 1

    @pytest.mark.parametrize(
        ("debt", "most"),
        [
            (0, 0), (1, 2000), (15000, 2000), (15001, 3000), (16800, 3180), (50000, 6500), (50001, 6500), (100000, 9000),
            (3_920_000, 200000), (5_000_000, 200000),
        ],
    )  # fmt: skip
    def test_the_lump_sum_of_r24(self, debt: int, most: int) -> None:
        assert dunning_steps.lump_sum_max_cents(debt) == most


class TestServices:
    @pytest.mark.parametrize("state", list(DunningState))
    def test_emergency_numbers_are_always_reached(self, state: DunningState) -> None:
        assert all(dunning_steps.may_call(state, number) for number in law("emergency_numbers"))

    def test_a_restricted_line_is_called_but_does_not_call(self) -> None:
        state = DunningState.RESTRICTED
        assert dunning_steps.may_call(state, "+3281000001", incoming=True)
        assert not dunning_steps.may_call(state, "+3281000001")
        assert not dunning_steps.may_use_mobile_data(state)

    def test_before_that_nothing_is_barred(self) -> None:
        assert dunning_steps.may_call(DunningState.FORMAL_NOTICE, "+3281000001")
        assert dunning_steps.may_use_mobile_data(DunningState.FORMAL_NOTICE)


class TestWhateverHappens:
    @settings(deadline=None, max_examples=60)
    @given(
        months=st.sets(st.integers(0, 23), min_size=1, max_size=8),
        paid=st.dictionaries(st.integers(1, 8), st.integers(0, 900), max_size=6),
        missed_nights=st.sets(st.integers(0, 900), max_size=40),
        by_post=st.booleans(),
    )
    def test_no_step_is_skipped_or_taken_twice_and_no_fee_is_above_the_law(
        self, months: set[int], paid: dict[int, int], missed_nights: set[int], *, by_post: bool
    ) -> None:
        start = date(2026, 1, 1)
        at = Situation(debts(*(date(2026 + month // 12, month % 12 + 1, 20) for month in sorted(months))), by_post=by_post)
        episode: list[DunningStep] = []
        reached: dict[int, int] = {}
        firsts: dict[int, int] = {}
        costs: dict[int, list[int]] = {}
        for number in range(900):
            day = start + number * DAY
            at = replace(at, debts=tuple(one for one in at.debts if paid.get(one.bill_id, 901) > number))
            if at.rung and not dunning_steps.owed(at, day, RULES):
                at, episode = replace(at, rung=None, rung_day=None), []
            if number in missed_nights:
                continue
            at = replace(at, missed={*at.missed, *(one.due for one in at.debts if one.due < day)})
            notice = dunning_steps.take(at, day, RULES)
            if notice is None:
                continue
            again = dunning_steps.after(at, notice)
            assert dunning_steps.take(again, day, RULES) is None
            if notice.step is not DunningStep.MISSED:
                before = (
                    dunning_steps.height(episode[-1]) if episode else max([-1, *(reached.get(one.bill_id, -1) for one in notice.claims)])
                )
                expected = min(before + 1, LADDER.index(RULES.resume_at)) if not episode else before + 1
                assert dunning_steps.height(notice.step) == expected
                episode.append(notice.step)
            for claim in notice.claims:
                reached[claim.bill_id] = max(reached.get(claim.bill_id, -1), dunning_steps.height(notice.step))
                if claim.missed_no is not None:
                    assert claim.bill_id not in firsts
                    firsts[claim.bill_id] = claim.missed_no
                    costs.setdefault(claim.due.year, []).append(claim.fee_cents)
                else:
                    assert claim.fee_cents == 0
            at = again
        most = 750 + (RULES.postage.cents if by_post else 0)
        for fees in costs.values():
            assert sum(fee == 0 for fee in fees) >= min(3, len(fees))
            assert all(fee <= most for fee in fees)
