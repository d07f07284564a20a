"""The file for the bank: valid, with sums that are right, in letters that all banks take."""

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from core.bank.direct_debits import Creditor, Debit, NotValidError, render, schema, sepa_text

OURS = Creditor("Guichet Télécom SA (démo)", "BE04539000000131", "BE25ZZZ0999999130", "Boulevard du Guichet", "1", "1000", "Bruxelles")
MADE = datetime(2026, 12, 14, 6, 0)  # noqa: DTZ001 - what stands in the file is a local time
STRINGS = Path(__file__).resolve().parents[1] / "corpus" / "nasty_strings.txt"
NASTY = [json.loads(line) for line in STRINGS.read_text("utf-8").splitlines() if line.startswith('"')]
ALLOWED = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]+")


def debit(number: int = 1, **given: Any) -> Debit:
    told: dict[str, Any] = {
        "end_to_end_id": f"2612{number:06d}D1",
        "amount_cents": 4200,
        "sequence": "RCUR",
        "collect_on": date(2026, 12, 15),
        "umr": f"SCA{number:08d}01",
        "signed_on": date(2024, 10, 1),
        "holder": "Sophie Lambert",
        "iban": "BE46539000000636",
        "text": f"2612{number:06d} +++261/2000/00117+++",
    }
    return Debit(**told | given)


def parsed(*debits: Debit) -> etree._Element:
    return etree.fromstring(render(OURS, "SDD-20261215-01", MADE, debits))


def texts(root: etree._Element, path: str) -> list[str]:
    return [node.text or "" for node in root.iterfind(".//" + "/".join(f"{{*}}{name}" for name in path.split("/")))]


class TestRender:
    def test_two_hundred_mandates_with_nasty_names_are_valid_and_add_up(self) -> None:
        debits = [
            debit(number, holder=NASTY[number % len(NASTY)], amount_cents=1 + 17 * number, sequence="FRST" if number % 3 else "RCUR",
                  amended=number % 5 == 0, text=NASTY[-number % len(NASTY)])
            for number in range(200)
        ]  # fmt: skip
        root = parsed(*debits)
        assert schema().validate(root)
        assert texts(root, "GrpHdr/NbOfTxs") == ["200"]
        assert texts(root, "GrpHdr/CtrlSum") == ["3385.00"]
        assert [int(many) for many in texts(root, "PmtInf/NbOfTxs")] == [133, 67]
        assert all(ALLOWED.fullmatch(text) for name in ("Dbtr/Nm", "RmtInf/Ustrd") for text in texts(root, name))
        assert sorted(texts(root, "EndToEndId")) == sorted(one.end_to_end_id for one in debits)

    def test_groups_by_day_and_sequence(self) -> None:
        root = parsed(debit(1), debit(2, sequence="FRST"), debit(3, collect_on=date(2026, 12, 16)), debit(4))
        groups = list(zip(texts(root, "ReqdColltnDt"), texts(root, "SeqTp"), texts(root, "PmtInf/NbOfTxs"), strict=True))
        assert groups == [("2026-12-15", "FRST", "1"), ("2026-12-15", "RCUR", "2"), ("2026-12-16", "RCUR", "1")]
        assert texts(root, "PmtInfId") == ["SDD-20261215-01-01", "SDD-20261215-01-02", "SDD-20261215-01-03"]

    def test_tells_the_creditor_with_his_address_in_parts(self) -> None:
        root = parsed(debit())
        assert texts(root, "CdtrSchmeId/Id/PrvtId/Othr/Id") == ["BE25ZZZ0999999130"]
        parts = [texts(root, f"Cdtr/PstlAdr/{name}")[0] for name in ("StrtNm", "BldgNb", "PstCd", "TwnNm", "Ctry")]
        assert parts == ["Boulevard du Guichet", "1", "1000", "Bruxelles", "BE"]
        assert texts(root, "AdrTp") == texts(root, "Dbtr/PstlAdr") == []

    def test_says_of_an_amended_mandate_alone_that_its_account_is_new(self) -> None:
        root = parsed(debit(1, amended=True), debit(2))
        assert texts(root, "AmdmntInd") == ["true"]
        assert texts(root, "OrgnlDbtrAcct/Id/Othr/Id") == ["SMNDA"]

    def test_the_same_collections_give_the_same_bytes_in_any_order(self) -> None:
        debits = [debit(number) for number in range(20)]
        assert render(OURS, "M", MADE, debits) == render(OURS, "M", MADE, debits[::-1])

    @pytest.mark.parametrize("wrong", [{"iban": "46539000000636"}, {"end_to_end_id": "x" * 36}, {"umr": ""}, {"amount_cents": -1}])
    def test_refuses_what_the_bank_would(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(NotValidError):
            parsed(debit(**wrong))

    def test_refuses_an_empty_file(self) -> None:
        with pytest.raises(NotValidError):
            parsed()

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(1, 99_999_999), st.text(max_size=80), st.sampled_from(["FRST", "RCUR"])), min_size=1, max_size=12)
    )
    def test_any_names_and_amounts_add_up(self, told: list[tuple[int, str, str]]) -> None:
        root = parsed(*(debit(number, amount_cents=cents, holder=name, sequence=kind) for number, (cents, name, kind) in enumerate(told)))
        whole = sum(cents for cents, _name, _kind in told)
        assert texts(root, "GrpHdr/CtrlSum") == [f"{whole // 100}.{whole % 100:02d}"]


class TestSepaText:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            ("Noé Müller-Łukasz", "Noe Muller-Lukasz"),
            ("D'Hondt & Zonen <NV>", "D'Hondt Zonen NV"),
            ("ß œ æ", "ss oe ae"),
            ("\N{GRINNING FACE}", "NOTPROVIDED"),
            ("a\r\nb\tc", "a b c"),
            ("x" * 90, "x" * 70),
        ],
    )
    def test_writes_in_the_letters_of_all_banks(self, text: str, written: str) -> None:
        assert sepa_text(text, 70) == written
