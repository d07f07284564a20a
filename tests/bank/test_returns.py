"""Answers of a bank are read as they are meant, and nothing else is."""

from datetime import date

import pytest

from core.bank.returns import FileRefused, NotAnAnswer, Returned, read
from tests.bank.answers import camt, pain, pain_of_a_file

TRAP = b"""<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>&x;</MsgId></GrpHdr></CstmrPmtStsRpt></Document>"""


class TestRead:
    @pytest.mark.parametrize("version", ["03", "10"])
    def test_reads_what_was_refused_before_its_day(self, version: str) -> None:
        found = read(pain(("2611000062D1", "AC04"), version=version, euros="31.00"))
        assert found == [Returned("2611000062D1", "AC04", date(2026, 11, 13), 3100)]

    @pytest.mark.parametrize("kind", ["camt.053", "camt.054"])
    def test_reads_what_was_sent_back_and_no_other_entry(self, kind: str) -> None:
        found = read(camt(("2611000062D1", "AM04"), ("2611000079D1", "MD06"), kind=kind))
        assert [(one.end_to_end_id, one.code, one.booked_on) for one in found] == [
            ("2611000062D1", "AM04", date(2026, 11, 17)), ("2611000079D1", "MD06", date(2026, 11, 17)),
        ]  # fmt: skip

    def test_accepted_ones_come_back_to_nobody(self) -> None:
        assert read(pain(("2611000062D1", "AC04"), status="ACSC")) == []

    def test_a_bank_that_gives_no_reason_gives_none(self) -> None:
        assert read(camt(("2611000062D1", "")))[0].code == "MS03"

    def test_a_file_refused_as_a_whole_is_nobodys_fault(self) -> None:
        with pytest.raises(FileRefused) as refusal:
            read(pain_of_a_file("FF01"))
        assert refusal.value.params == {"message_id": "SDD-20261116-01", "code": "FF01"}

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"not xml", b"<a/>", TRAP, pain(("1", "AM04"))[:-20], b"\x00" * 100,
            camt(("1", "AM04"), kind="camt.052"), camt(("1", "AM04"), day="soon"), camt(("1", "AM04"), euros="many"),
            b"<!DOCTYPE Document>" + pain(("1", "AM04")).split(b"?>")[1],
        ],
    )  # fmt: skip
    def test_refuses_what_is_no_answer(self, data: bytes) -> None:
        with pytest.raises(NotAnAnswer):
            read(data)
