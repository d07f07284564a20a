"""Statements of banks: what a good file says, and how a bad one is refused."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import catalogue
from core.bank.statement import (
    MOST_BYTES,
    CutOff,
    DoesNotAddUp,
    Entry,
    LineLength,
    LineUnreadable,
    Nature,
    NotAStatement,
    NotInEuro,
    TooLarge,
    WrongCount,
)
from core.bank.statement_file import read
from core.errors import DomainError
from tests.bank.writers import DAY, OURS, camt, coda

TRANSFER = Entry(4200, DAY, communication="261100005553", structured=True, payer_name="DUBOIS Kévin", payer_iban="BE46539000000636", bank_reference="REF1")  # fmt: skip
FREE = Entry(3600, DAY, communication="Internet november, klant 10000055", payer_name="M. Verhoeven", bank_reference="REF2")
OUT = Entry(-1000, DAY, communication="Loyer", payer_name="Immo SA", payer_iban="BE77539000001242", bank_reference="REF3")
RETURNED = Entry(-3100, DAY, Nature.RETURN, communication="2611000062", payer_name="Lucas", bank_reference="REF4", return_code="AM04")
COLLECTED = Entry(9000, DAY, Nature.COLLECTION, communication="Lot 12", payer_name="", bank_reference="REF5")
ALL = (TRANSFER, FREE, OUT, RETURNED, COLLECTED)
WRITERS: list[Callable[..., bytes]] = [coda, lambda entries, **more: camt(entries, version="02", **more), camt]


def changed(data: bytes, line: int, start: int, text: bytes) -> bytes:
    """Put a text into a line of a CODA file, lines and characters counted from 1 as in the standard."""
    lines = data.split(b"\r\n")
    old = lines[line - 1]
    lines[line - 1] = old[: start - 1] + text + old[start - 1 + len(text) :]
    return b"\r\n".join(lines)


def refusal(data: bytes) -> DomainError:
    with pytest.raises(DomainError) as found:
        read(data)
    assert found.value.field == "file"
    return found.value


class TestRead:
    @pytest.mark.parametrize("write", WRITERS, ids=["coda", "camt.02", "camt.08"])
    def test_says_what_the_bank_wrote(self, write: Callable[..., bytes]) -> None:
        (found,) = read(write(ALL))
        assert found.entries == ALL
        assert (found.account, found.number, found.day) == (OURS, "231", DAY)
        assert (found.opening_cents, found.closing_cents) == (100_000, 100_000 + sum(entry.amount_cents for entry in ALL))

    @pytest.mark.parametrize("encoding", ["latin-1", "cp850", "utf-8"])
    def test_reads_names_in_each_encoding_that_banks_use(self, encoding: str) -> None:
        named = Entry(100, DAY, communication="réf à vérifier", payer_name="Zoë Müller-Noël", bank_reference="R")
        assert read(coda([named], encoding=encoding))[0].entries == (named,)

    def test_takes_the_parts_of_what_the_bank_totalised(self) -> None:
        assert read(coda([OUT], globalised=[[TRANSFER, FREE]]))[0].entries == (OUT, TRANSFER, FREE)
        assert read(camt([OUT], batches=[[TRANSFER, FREE]]))[0].entries == (OUT, TRANSFER, FREE)

    def test_keeps_the_total_where_its_parts_do_not_add_up(self) -> None:
        data = coda([], globalised=[[TRANSFER, FREE]])
        (entry,) = read(changed(data, 6, 33, b"000000000004199"))[0].entries  # The first detail: a cent less.
        assert entry.amount_cents == TRANSFER.amount_cents + FREE.amount_cents

    def test_leaves_out_the_details_of_a_detail(self) -> None:
        data = coda([], globalised=[[Entry(4200, DAY, payer_name="A")]]).replace(b"6015000", b"7015000")
        lines = data.split(b"\r\n")
        below = [line[:6] + b"0002" + line[10:] for line in lines[5:8]]
        below[0] = below[0][:53] + b"9" + below[0][54:]
        lines[8:8] = below
        data = b"\r\n".join(lines)
        trailer = len(lines) - 1
        assert [entry.payer_name for entry in read(changed(data, trailer, 17, b"000011"))[0].entries] == ["A"]

    def test_reads_several_statements_of_one_file(self) -> None:
        first = coda([TRANSFER], number="230", day=date(2026, 11, 16), last=False)
        assert [one.number for one in read(first + coda([FREE], number="231", opening_cents=104_200))] == ["230", "231"]

    def test_a_file_may_stand_alone_although_it_says_that_another_follows(self) -> None:
        assert read(coda(ALL, last=False))[0].entries == ALL

    def test_a_day_without_movement_needs_no_new_balance(self) -> None:
        lines = coda([]).split(b"\r\n")
        data = changed(b"\r\n".join([*lines[:2], *lines[3:]]), 3, 17, b"000001")
        (found,) = read(data)
        assert (found.opening_cents, found.closing_cents, found.entries) == (100_000, 100_000, ())

    def test_an_old_account_number_becomes_an_iban(self) -> None:
        data = changed(changed(coda([]), 2, 2, b"0"), 2, 6, f"{OURS[4:]} EUR0BE".ljust(37).encode())
        assert read(changed(data, 3, 5, f"{OURS[4:]} EUR0BE".ljust(37).encode()))[0].account == OURS

    @given(data=st.data())
    @settings(max_examples=40, deadline=None, derandomize=True)
    def test_what_is_written_is_read_again(self, data: st.DataObject) -> None:
        words = st.text(st.sampled_from("abcdefgh XYZ0123456789éèüöç.,-/"), max_size=30).map(lambda text: " ".join(text.split()))
        made = st.builds(
            Entry,
            amount_cents=st.integers(-9_999_999, 9_999_999).filter(bool),
            booked_on=st.dates(date(2020, 1, 1), date(2068, 12, 31)),
            communication=words,
            payer_name=words,
            payer_iban=st.sampled_from(["", "BE46539000000636", "NL91ABNA0417164300"]),
            bank_reference=st.text(st.sampled_from("ABC123"), max_size=21),
        )
        entries, opening = data.draw(st.lists(made, max_size=6)), data.draw(st.integers(-10_000_000, 10_000_000))
        write = data.draw(st.sampled_from(WRITERS))
        (found,) = read(write(entries, opening_cents=opening))
        assert found.entries == tuple(entries)
        assert found.closing_cents == opening + sum(entry.amount_cents for entry in entries)


class TestRefusalsOfCoda:
    @pytest.mark.parametrize("lines", [1, 2, 3, 7, 17, 18])
    def test_refuses_a_file_that_was_cut_between_lines(self, lines: int) -> None:
        found = refusal(b"\r\n".join(coda(ALL).split(b"\r\n")[:lines]))
        assert (type(found), found.params) == (CutOff, {"line": lines})

    def test_refuses_a_file_that_was_cut_within_a_line(self) -> None:
        found = refusal(coda(ALL)[: 130 * 5 + 60])
        assert (type(found), found.params) == (LineLength, {"line": 6, "length": 60})

    def test_refuses_a_new_balance_that_does_not_follow(self) -> None:
        found = refusal(changed(coda(ALL), 18, 43, b"000000001127010"))
        assert (type(found), found.params["line"], found.params["found_cents"]) == (DoesNotAddUp, 18, 112_700)

    @pytest.mark.parametrize("place", [23, 38])
    def test_refuses_totals_that_are_not_those_of_the_entries(self, place: int) -> None:
        found = refusal(changed(coda(ALL), 19, place, b"000000000000010"))
        assert (type(found), found.params["line"], found.params["told_cents"]) == (DoesNotAddUp, 19, 1)

    def test_refuses_a_wrong_count_of_records(self) -> None:
        found = refusal(changed(coda(ALL), 19, 17, b"000016"))
        assert (type(found), found.params) == (WrongCount, {"line": 19, "told": 16, "found": 17})

    def test_refuses_another_currency(self) -> None:
        data = changed(changed(coda([]), 2, 40, b"USD"), 3, 39, b"USD")
        found = refusal(data)
        assert (type(found), found.params) == (NotInEuro, {"line": 2, "currency": "USD"})

    @pytest.mark.parametrize(
        ("line", "start", "text"),
        [(3, 33, b"00000000042X000"), (3, 48, b"310226"), (3, 1, b"5"), (4, 3, b"0009"), (19, 17, b"00-017"), (1, 128, b"1"), (3, 33, b"000000000042001")],
    )  # fmt: skip
    def test_names_the_line_it_cannot_read(self, line: int, start: int, text: bytes) -> None:
        found = refusal(changed(coda(ALL), line, start, text))
        assert (type(found), found.params) == (LineUnreadable, {"line": line})

    @pytest.mark.parametrize("kind", [b"4", b"9", b" ", b"x"])
    def test_refuses_an_account_of_a_kind_that_is_not_there(self, kind: bytes) -> None:
        found = refusal(changed(coda(ALL), 2, 2, kind))
        assert (type(found), found.params) == (LineUnreadable, {"line": 2})

    @pytest.mark.parametrize(("line", "start"), [(2, 44), (3, 33), (18, 43)])
    @pytest.mark.parametrize("amount", [b"1E+99", b"1E+9", b"1_0", b"NaN", b" 42"])
    def test_refuses_an_amount_that_is_not_all_digits(self, line: int, start: int, amount: bytes) -> None:
        found = refusal(changed(coda(ALL), line, start, amount.rjust(15, b"0")))
        assert (type(found), found.params) == (LineUnreadable, {"line": line})


class TestRefusalsOfCamt:
    def test_opens_no_file_that_an_entity_names(self) -> None:
        data = camt(ALL, head='<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(b"Loyer", b"&x;")
        assert isinstance(refusal(data), NotAStatement)

    def test_blows_up_no_entity(self) -> None:
        levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
        data = camt(ALL, head=f'<!DOCTYPE Document [<!ENTITY e0 "ha">{levels}]>').replace(b"Loyer", b"&e9;")
        assert isinstance(refusal(data), NotAStatement | LineUnreadable)

    def test_refuses_balances_that_do_not_follow(self) -> None:
        found = refusal(camt(ALL).replace(b">1127.00<", b">1127.01<"))
        assert (type(found), found.params) == (DoesNotAddUp, {"line": 7, "told_cents": 112_701, "found_cents": 112_700})

    def test_names_the_line_where_it_was_cut(self) -> None:
        found = refusal(camt(ALL)[:-60])
        assert isinstance(found, LineUnreadable)
        assert found.params["line"] in {12, 13}

    @pytest.mark.parametrize(
        ("old", "new", "kind"),
        [
            (b">42.00<", b">4.2E1<", LineUnreadable),
            (b">42.00<", b">NaN<", LineUnreadable),
            (b">42.00<", b">42.001<", LineUnreadable),
            (b'Ccy="EUR">42', b'Ccy="USD">42', NotInEuro),
            (b"<Cd>CLBD</Cd>", b"<Cd>ITBD</Cd>", LineUnreadable),
            (b"camt.053", b"camt.054", NotAStatement),
            (b"<Stmt>", b"<Rpt>", LineUnreadable),
        ],
    )
    def test_refuses_what_a_statement_does_not_hold(self, old: bytes, new: bytes, kind: type[DomainError]) -> None:
        assert isinstance(refusal(camt(ALL).replace(old, new)), kind)


class TestOtherFiles:
    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\xff\xd8\xff", b"a;b;c", b"<html></html>", b"\0" * 100, b"%PDF-1.7"])
    def test_are_no_statement(self, data: bytes) -> None:
        assert isinstance(refusal(data), NotAStatement)

    def test_too_large_a_file_is_not_even_looked_at(self) -> None:
        assert isinstance(refusal(b"<" + b" " * MOST_BYTES), TooLarge)


class TestSamples:
    """The files that the demo offers to try with."""

    def test_follow_each_other_on_our_account(self) -> None:
        samples = catalogue.FILES / "samples"
        (first,), (second,) = read((samples / "statement.cod").read_bytes()), read((samples / "statement.xml").read_bytes())
        assert {first.account, second.account} == {catalogue.company().iban}
        assert (first.closing_cents, first.day < second.day) == (second.opening_cents, True)
        assert {entry.nature for entry in first.entries} == {Nature.TRANSFER, Nature.COLLECTION, Nature.RETURN}
