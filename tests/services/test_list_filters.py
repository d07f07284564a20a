"""Filters of lists: what the address says is what is asked, or it is refused in a sentence."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session

from core.actor import Actor, Role
from core.errors import DomainError
from core.services import list_filters, lists
from core.services.list_columns import Type, UnknownColumn
from core.services.list_filters import (
    DEEPEST,
    MOST_CONDITIONS,
    OPS,
    Condition,
    Group,
    Op,
    TooMuch,
    Unreadable,
    WrongColumn,
    WrongOperator,
    WrongValue,
    cents_of,
    check,
    day_of,
    read,
    write,
)
from core.services.list_nouns import UnknownList, listing, listings
from core.services.lists import Query
from tests.builders import AGENT, VIEWER, make_customer

ADMIN = Actor(user_id=None, username="admin", role=Role.ADMIN)


class TestAddress:
    @pytest.mark.parametrize(
        "text",
        [
            "and(late.eq.yes)",
            "and(late.eq.yes,or(left.gt.100,due.lt.$today-30))",
            "or(state.in.(sent,partiallyPaid),and(kind.out.(last),customer.has.dubois))",
            'and(customer.has."a, b (c) \\"d\\" \\\\e")',
            "and(deceased.none,vip.eq.no)",
            'and(customer.has."")',
        ],
    )
    def test_is_written_as_it_was_read(self, text: str) -> None:
        assert write(read(text)) == text

    def test_a_condition_alone_is_a_group_of_one(self) -> None:
        assert read("late.eq.yes") == Group(every=True, parts=(Condition("late", Op.EQ, ("yes",)),))

    def test_nothing_is_everything(self) -> None:
        assert read("") == read("  ") == Group(every=True, parts=())

    @pytest.mark.parametrize(
        "text",
        [
            "late", "late.", "late.eq", "late.eq.", "late.is.yes", "and()", "and(late.eq.yes", "and(late.eq.yes))", "and(late.eq.yes,)",
            "not(late.eq.yes)", "state.in.()", "state.in.sent", 'customer.has."open', "é.eq.1", "(late.eq.yes)",
            "late.eq.yes late.eq.no",
        ],
    )  # fmt: skip
    def test_what_can_not_be_read_is_refused_and_quoted(self, text: str) -> None:
        with pytest.raises(Unreadable):
            read(text)

    def test_a_filter_has_an_end(self) -> None:
        with pytest.raises(TooMuch):
            read(f"and({','.join(['late.eq.yes'] * (MOST_CONDITIONS + 1))})")
        with pytest.raises(TooMuch):
            read("and(" * (DEEPEST + 1) + "late.eq.yes" + ")" * (DEEPEST + 1))
        assert read("and(" * DEEPEST + "late.eq.yes" + ")" * DEEPEST)
        with pytest.raises(TooMuch):
            read("(" * 2001)


class TestMeaning:
    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            ("colour.eq.red", UnknownColumn), ("late.gt.yes", WrongOperator), ("late.eq.maybe", WrongValue), ("due.lt.yesterday", WrongValue),
            ("due.lt.2026-02-30", WrongValue), ("due.lt.$today-99999", WrongValue), ("left.gt.many", WrongValue), ("left.gt.0.001", WrongValue),
            ("left.gt.nan", WrongValue), ("left.gt.1e30", WrongValue), ("left.gt.1e999999", WrongValue), ("left.gt.1e-999999", WrongValue), ("left.gt.21474836.48", WrongValue),
            ("left.lt.-21474836.48", WrongValue), ("state.in.(sent,gone)", WrongValue), ("late.eq.yes;drop", WrongValue), ("state.has.sent", WrongOperator),
            ('customer.has."a\x00b"', WrongValue),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, text: str, refusal: type[DomainError]) -> None:
        with pytest.raises(refusal):
            check(listing("bills"), AGENT, read(text))

    def test_a_masked_column_can_not_be_guessed(self) -> None:
        for noun, column in (("customers", "email"), ("customers", "phone"), ("mandates", "iban"), ("debits", "iban")):
            with pytest.raises(WrongColumn):
                check(listing(noun), ADMIN, read(f"{column}.has.a"))

    def test_a_list_that_does_not_exist_is_named(self) -> None:
        with pytest.raises(UnknownList):
            listing("secrets")

    def test_days_move_with_the_day_of_the_reader(self) -> None:
        assert day_of("$today") == date(2026, 11, 18)
        assert day_of("$today-30") == date(2026, 10, 19)
        assert day_of("$week") == date(2026, 11, 16)
        assert day_of("$month+5") == date(2026, 11, 6)
        assert day_of("2026-11-05") == date(2026, 11, 5)
        assert [day_of(text) for text in ("$tomorrow", "20261105", "1-1-2026", "", "0001-01-01")] == [None] * 5

    def test_amounts_are_read_to_the_cent(self) -> None:
        assert [cents_of(text) for text in ("12", "12,5", "12.50", "-3", "12.505", "inf", "x", "")] == [
            1200,
            1250,
            1250,
            -300,
            None,
            None,
            None,
            None,
        ]


class TestColumns:
    def test_every_column_takes_every_comparison_that_fits_its_type(self) -> None:
        values = {
            Type.TEXT: "$me", Type.MONEY: "1.00", Type.NUMBER: "1", Type.DAY: "$today", Type.MOMENT: "$today", Type.FLAG: "yes", Type.CHOICE: "",
        }  # fmt: skip
        for one in listings().values():
            for column in one.columns:
                value = values[column.type] or next(iter(column.words))
                for op in OPS[column.type]:
                    condition = Condition(column.name, op, () if op in list_filters.EMPTY else (value,))
                    if column.comparable:
                        check(one, ADMIN, read(write(condition)))

    def test_a_list_shows_and_sorts_by_columns_it_has(self) -> None:
        for one in listings().values():
            names = [column.name for column in one.columns]
            assert len(set(names)) == len(names), one.noun
            assert set(one.shown) <= set(names), one.noun
            assert one.column(ADMIN, one.sort.removeprefix("-")).quick, one.noun

    def test_a_reader_without_the_right_does_not_even_know_the_column(self) -> None:
        assert "network" not in {noun for noun, one in listings().items() if VIEWER.may(one.right)}


class TestFound:
    @pytest.mark.parametrize(
        ("condition", "found"),
        [
            ("eq.2026-11-17", True), ("ne.2026-11-17", False), ("le.2026-11-17", True), ("lt.2026-11-17", False), ("ge.2026-11-17", True),
            ("gt.2026-11-17", False), ("lt.2026-11-18", True), ("le.2026-11-16", False), ("gt.2026-11-16", True), ("ge.2026-11-18", False),
        ],
    )  # fmt: skip
    def test_a_moment_is_compared_with_a_whole_day_of_brussels(self, session: Session, condition: str, found: bool) -> None:
        customer = make_customer(session, created_at=datetime(2026, 11, 17, 22, 59, tzinfo=UTC))
        rows = lists.page(session, ADMIN, query=Query("customers", read(f"created.{condition}"))).rows
        assert [row.customer_no for row in rows] == ([customer.customer_no] if found else [])

    @pytest.mark.parametrize("sign", ["%", "_", "\\\\", "2%", "2_"])
    def test_a_sign_of_the_database_is_a_letter_like_any_other(self, session: Session, sign: str) -> None:
        make_customer(session)
        for op in (Op.HAS, Op.STARTS):
            asked = Group(every=True, parts=(Condition("customer_no", op, (sign,)),))
            assert lists.page(session, ADMIN, query=Query("customers", asked)).rows == ()
