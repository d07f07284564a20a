"""Statements taken in: each entry once, whole files, and sums that add up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import Session, func, select

from core.actor import SYSTEM, Actor, Role
from core.bank.statement import Entry, LineUnreadable, Nature
from core.errors import NotPermitted
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.models.statement import BankStatement
from core.services import open_amounts, payments, statements
from core.services.statements import Fate, NotYet, OtherAccount, OtherContent, StandsTwice, Taken
from tests.bank.writers import camt, coda
from tests.builders import AGENT
from tests.services.money_stories import trio

BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
DAY = date(2026, 11, 17)
RIGHT = Entry(4200, DAY, communication="260800005549", structured=True, payer_name="DUBOIS KEVIN", payer_iban="BE46539000000636", bank_reference="A1")  # fmt: skip
WRONG = replace(RIGHT, communication="260800005548", bank_reference="A2")
FREE = Entry(3600, DAY, communication="Internet november", payer_name="M. Verhoeven", bank_reference="A3")
OUT = Entry(-1000, DAY, communication="Loyer", payer_name="Immo SA", bank_reference="A4")
BACK = Entry(-3100, DAY, Nature.RETURN, payer_name="Lucas", bank_reference="A5", return_code="AM04")
COLLECTED = Entry(9000, DAY, Nature.COLLECTION, bank_reference="A6")
ALL = (RIGHT, WRONG, FREE, OUT, BACK, COLLECTED)


def take_in(session: Session, data: bytes) -> Taken:
    return statements.take_in(session, BILLING, name="CODA231.cod", data=data)


def fates(taken: Taken) -> dict[str, tuple[int, int]]:
    return {fate.value: (one.count, one.cents) for fate, one in taken.sums.items() if one.count}


def count(session: Session, table: type) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


class TestTakeIn:
    @pytest.mark.parametrize("write", [coda, camt])
    def test_books_what_came_in_and_counts_the_rest(self, session: Session, write: object) -> None:
        customer = trio(session, 8)
        assert callable(write)
        data = write(ALL)
        planned, taken = statements.look(session, BILLING, data=data), take_in(session, data)
        assert fates(taken) == {"matched": (1, 4200), "waiting": (2, 7800), "returned": (1, -3100), "other": (2, 8000)}
        assert planned == taken
        assert (taken.entries.count, taken.entries.cents) == (6, sum(entry.amount_cents for entry in ALL))
        assert sum(one.cents for one in taken.sums.values()) == taken.entries.cents
        assert open_amounts.open_summary(session, customer.id).open_cents == 0
        waiting = payments.unmatched(session, AGENT)
        assert [(one.amount_cents, one.communication) for one in waiting] == [(4200, "+++260/8000/05548+++"), (3600, "Internet november")]
        (row,) = statements.taken_in(session, BILLING)
        assert (row.number, row.day, row.opening_cents, row.closing_cents) == ("231", DAY, 100_000, 116_900)
        assert (row.entries, row.payments, row.waiting, row.name, row.by) == (6, 3, 2, "CODA231.cod", "billing")

    def test_a_look_writes_nothing(self, session: Session) -> None:
        trio(session, 8)
        statements.look(session, BILLING, data=coda(ALL))
        assert (count(session, Payment), count(session, BankStatement)) == (0, 0)

    def test_the_same_file_again_changes_nothing(self, session: Session) -> None:
        trio(session, 8)
        take_in(session, coda(ALL))
        again = take_in(session, coda(ALL))
        assert fates(again) == {"known": (3, 12_000), "returned": (1, -3100), "other": (2, 8000)}
        assert (again.statements, again.new_statements) == (1, 0)
        assert (count(session, Payment), count(session, PaymentAllocation), count(session, BankStatement)) == (3, 1, 1)

    def test_a_file_that_overlaps_takes_in_only_what_is_new(self, session: Session) -> None:
        trio(session, 8, 9)
        first = coda([RIGHT], number="230", last=False)
        take_in(session, first)
        later = replace(RIGHT, communication="260900005576", bank_reference="B1")
        taken = take_in(session, first + coda([later], number="231", opening_cents=104_200))
        assert fates(taken) == {"known": (1, 4200), "matched": (1, 4200)}
        assert (taken.statements, taken.new_statements, taken.missing) == (2, 1, False)
        assert count(session, Payment) == 2

    def test_an_entry_that_stands_in_another_statement_is_known(self, session: Session) -> None:
        customer = trio(session, 8)
        take_in(session, coda([RIGHT, FREE]))
        taken = take_in(session, camt([RIGHT, FREE, replace(FREE, amount_cents=1, bank_reference="")], number="CAMT-1"))
        assert fates(taken) == {"known": (2, 7800), "waiting": (1, 1)}
        assert open_amounts.open_summary(session, customer.id).credit_cents == 0

    def test_two_equal_payments_of_one_statement_are_two(self, session: Session) -> None:
        customer = trio(session, 8)
        assert fates(take_in(session, coda([RIGHT, RIGHT]))) == {"matched": (2, 8400)}
        assert open_amounts.open_summary(session, customer.id).credit_cents == 4200

    def test_meets_a_payment_that_was_written_by_hand_once(self, session: Session) -> None:
        customer = trio(session, 8)
        payment = payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 16), amount_cents=4200)
        taken = take_in(session, coda([RIGHT, replace(RIGHT, bank_reference="A9")]))
        assert fates(taken) == {"known": (1, 4200), "matched": (1, 4200)}
        assert session.get_one(Payment, payment).entry_no == 1
        assert open_amounts.open_summary(session, customer.id).credit_cents == 4200

    def test_another_communication_by_hand_is_other_money(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        payments.record(session, SYSTEM, received_on=date(2026, 11, 16), amount_cents=4200, communication="+++260/9000/05576+++")
        assert fates(take_in(session, coda([RIGHT]))) == {"matched": (1, 4200)}
        assert open_amounts.open_summary(session, customer.id).open_cents == 0

    def test_meets_the_payment_by_hand_of_its_communication_before_one_without(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        bare = payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 15), amount_cents=4200)
        named = payments.record(session, SYSTEM, received_on=date(2026, 11, 16), amount_cents=4200, communication="260 8000 05549")
        other = replace(RIGHT, communication="260900005576", bank_reference="B1")
        assert fates(take_in(session, coda([RIGHT, other]))) == {"known": (2, 8400)}
        assert (session.get_one(Payment, named).entry_no, session.get_one(Payment, bare).entry_no) == (1, 2)

    def test_another_amount_by_hand_is_other_money(self, session: Session) -> None:
        customer = trio(session, 8)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 11, 16), amount_cents=4199)
        assert fates(take_in(session, coda([RIGHT]))) == {"matched": (1, 4200)}

    def test_a_known_account_or_name_books_nothing_by_itself(self, session: Session) -> None:
        customer = trio(session, 8)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=DAY, amount_cents=1, payer_iban=WRONG.payer_iban)
        assert fates(take_in(session, coda([WRONG]))) == {"waiting": (1, 4200)}

    def test_leaves_alone_what_no_customer_pays(self, session: Session) -> None:
        huge = replace(RIGHT, amount_cents=3_000_000_000)
        assert fates(take_in(session, coda([huge], opening_cents=5_000_000_000))) == {"other": (1, 3_000_000_000)}

    def test_says_that_a_statement_before_is_missing(self, session: Session) -> None:
        take_in(session, coda([FREE], number="229", day=date(2026, 11, 13)))
        assert take_in(session, coda([], number="230", opening_cents=103_600, day=date(2026, 11, 16))).missing is False
        assert take_in(session, coda([], number="232", opening_cents=103_601)).missing is True

    def test_refuses_another_account_and_names_the_line(self, session: Session) -> None:
        with pytest.raises(OtherAccount) as refusal:
            take_in(session, coda(ALL, account="BE77539000001242"))
        assert refusal.value.params == {"line": 2, "account": "BE77 5390 0000 1242", "ours": "BE04 5390 0000 0131"}
        assert count(session, BankStatement) == 0

    def test_refuses_other_balances_under_a_number_that_is_known(self, session: Session) -> None:
        take_in(session, coda([FREE]))
        with pytest.raises(OtherContent):
            take_in(session, coda([FREE, FREE]))

    @pytest.mark.parametrize("second", [[RIGHT], [FREE], []])
    @pytest.mark.parametrize("kind", ["coda", "camt"])
    def test_refuses_a_file_that_holds_a_statement_twice(self, session: Session, kind: str, second: list[Entry]) -> None:
        trio(session, 8)
        data = coda([RIGHT], last=False) + coda(second)
        if kind == "camt":
            added = camt(second).partition(b"<Stmt>")[2].partition(b"</Stmt>")[0]
            data = camt([RIGHT]).replace(b"</Stmt>", b"</Stmt><Stmt>" + added + b"</Stmt>")
        for verb in (statements.look, statements.take_in):
            with pytest.raises(StandsTwice) as refusal:
                verb(session, BILLING, data=data, **({"name": "x"} if verb is statements.take_in else {}))
            assert refusal.value.params == {"number": "231", "day": DAY}
        assert (count(session, Payment), count(session, BankStatement)) == (0, 0)

    def test_refuses_a_number_that_is_longer_than_any(self, session: Session) -> None:
        assert take_in(session, camt([], number="9" * 35)).new_statements == 1
        with pytest.raises(LineUnreadable):
            take_in(session, camt([], number="9" * 36))

    def test_refuses_a_day_to_come(self, session: Session) -> None:
        with pytest.raises(NotYet):
            take_in(session, coda([], day=date(2026, 11, 19)))

    def test_needs_the_right(self, session: Session) -> None:
        for verb in (statements.look, statements.take_in):
            with pytest.raises(NotPermitted):
                verb(session, AGENT, data=b"", **({"name": "x"} if verb is statements.take_in else {}))


class TestMany:
    def test_hundreds_of_entries_add_up(self, session: Session) -> None:
        customer = trio(session, 8, 9)
        entries: Sequence[Entry] = [
            replace((RIGHT, WRONG, FREE, OUT)[number % 4], amount_cents=(-1 if number % 4 == 3 else 1) * (number + 1), bank_reference=f"R{number}")
            for number in range(400)
        ]  # fmt: skip
        taken = take_in(session, coda(entries))
        assert sum(one.count for one in taken.sums.values()) == 400
        assert taken.sums[Fate.MATCHED].cents == sum(entry.amount_cents for entry in entries[::4])
        found = open_amounts.open_summary(session, customer.id)
        assert 8400 - found.open_cents + found.credit_cents == taken.sums[Fate.MATCHED].cents
        waits = select(func.sum(Payment.amount_cents)).where(Payment.state == PaymentState.UNMATCHED)
        assert session.exec(waits).one() == taken.sums[Fate.WAITING].cents
