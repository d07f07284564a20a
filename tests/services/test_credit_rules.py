"""How much of a bill can be credited, and with how much VAT: whatever the parts, all of it and not a cent more."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import money
from core.models.bill import LineKind
from core.services import billing, credit_rules
from core.services.billing import Line
from core.services.credit_rules import Amounts, Charged, Credited, CreditTooHigh, LineCreditTooHigh

KINDS = (LineKind.SUBSCRIPTION, LineKind.USAGE, LineKind.ADJUSTMENT, LineKind.THIRD_PARTY)
LINES = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(-3000, 9000)), min_size=1, max_size=6)
STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9000)), max_size=30)


def charged(lines: Sequence[tuple[LineKind, int]], *, business: bool) -> Charged:
    """A bill of some lines, with the totals that an issued one has. Third parties give nothing back."""
    kept = [(kind, abs(cents) if kind is LineKind.THIRD_PARTY else cents) for kind, cents in lines]
    excl, vat, incl, third = billing.totals([Line(kind, "X", cents, cents) for kind, cents in kept], business=business)
    return Charged(business, money.VAT_PERCENT, excl if business else incl, vat, third, dict(enumerate(kept, 1)))


def after(bill: Charged, before: Credited, found: Amounts, parts: Mapping[int, int]) -> Credited:
    """What was given back once a note is written."""
    own = found.excl_cents if bill.business else found.incl_cents
    lines = {ordinal: before.lines.get(ordinal, 0) + parts.get(ordinal, 0) for ordinal in {*before.lines, *parts}}
    third = before.third_party_cents + found.third_party_cents
    return Credited(before.own_cents + own, before.vat_cents + found.vat_cents, third, 0, lines)


def rest(bill: Charged, before: Credited) -> Credited:
    """Credit whatever is left, line by line, each in a note of its own."""
    for ordinal in bill.lines:
        if left := credit_rules.line_left(bill, before, ordinal):
            before = after(bill, before, credit_rules.of_lines(bill, before, {ordinal: left}), {ordinal: left})
    return before


class TestParts:
    @given(lines=LINES, steps=STEPS, business=st.booleans())
    def test_any_parts_end_with_the_whole_bill_and_its_whole_vat(
        self, lines: list[tuple[LineKind, int]], steps: list[tuple[int, int]], *, business: bool
    ) -> None:
        bill, before = charged(lines, business=business), Credited()
        for number, cents in steps:
            # Step 0 is a gesture on the whole bill, the others credit a line; each asks for more than is left at times.
            left = credit_rules.line_left(bill, before, number) if number in bill.lines else credit_rules.own_left(bill, before)
            parts = {number: min(cents, left)} if number in bill.lines else {}
            if not min(cents, left):
                continue
            found = credit_rules.of_lines(bill, before, parts) if parts else credit_rules.of_price(bill, before, min(cents, left))
            before = after(bill, before, found, parts)
            assert 0 <= found.vat_cents <= found.incl_cents
            assert found.total_cents == min(cents, left) + (found.vat_cents if business else 0)
            assert before.vat_cents <= max(0, bill.vat_cents)
            assert before.own_cents <= max(0, bill.own_cents)
        before = rest(bill, before)
        if bill.own_cents >= 0:
            assert (before.own_cents, before.vat_cents) == (bill.own_cents, bill.vat_cents)
        assert before.third_party_cents == bill.third_party_cents
        assert all(credit_rules.line_left(bill, before, ordinal) == 0 for ordinal in bill.lines)

    @given(cents=st.integers(1, 100_000), business=st.booleans())
    def test_the_first_note_is_rounded_as_any_document(self, cents: int, *, business: bool) -> None:
        bill = charged([(LineKind.SUBSCRIPTION, 100_001)], business=business)
        found = credit_rules.of_price(bill, Credited(), cents)
        alone = (cents, money.vat_on(cents)) if business else money.split_inclusive(cents)
        assert (found.excl_cents, found.vat_cents) == alone

    def test_cents_one_by_one_give_the_vat_back_exactly(self) -> None:
        bill, before = charged([(LineKind.SUBSCRIPTION, 999)], business=False), Credited()
        for _ in range(999):
            before = after(bill, before, credit_rules.of_price(bill, before, 1), {})
        assert (before.own_cents, before.vat_cents) == (999, 173)


class TestLimits:
    BILL = charged(
        [(LineKind.SUBSCRIPTION, 4200), (LineKind.OPTION, 1699), (LineKind.ADJUSTMENT, -736), (LineKind.THIRD_PARTY, 600)], business=False
    )

    def test_a_line_gives_no_more_than_it_charged(self) -> None:
        with pytest.raises(LineCreditTooHigh) as refusal:
            credit_rules.of_lines(self.BILL, Credited(1000, 174, 0, 0, {2: 1000}), {2: 700})
        assert (refusal.value.params["left_cents"], refusal.value.field) == (699, "amount:2")

    def test_all_lines_together_give_no_more_than_the_bill_asks(self) -> None:
        with pytest.raises(CreditTooHigh):
            credit_rules.of_lines(self.BILL, Credited(), {1: 4200, 2: 1699})

    def test_a_line_that_gives_back_can_not_be_credited(self) -> None:
        assert credit_rules.line_left(self.BILL, Credited(), 3) == 0

    def test_a_gesture_leaves_less_for_the_lines(self) -> None:
        assert credit_rules.line_left(self.BILL, Credited(own_cents=5000, vat_cents=868), 1) == 163

    def test_third_parties_are_outside_vat_and_no_gesture_reaches_them(self) -> None:
        found = credit_rules.of_lines(self.BILL, Credited(), {1: 1210, 4: 600})
        assert (found.excl_cents, found.vat_cents, found.third_party_cents, found.total_cents) == (1000, 210, 600, 1810)
        with pytest.raises(CreditTooHigh):
            credit_rules.of_price(self.BILL, Credited(), 5164)

    def test_a_damage_has_no_vat_and_leaves_the_price_as_it_is(self) -> None:
        found = credit_rules.of_damage(self.BILL, Credited(own_cents=5163, vat_cents=896), 3000)
        assert (found.excl_cents, found.vat_cents, found.vat_percent) == (3000, 0, 0)
        with pytest.raises(CreditTooHigh):
            credit_rules.of_damage(self.BILL, Credited(compensated_cents=3000), 2764)
