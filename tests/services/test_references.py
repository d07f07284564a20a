"""Structured communications and account numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum.be import ogm_vcs

from core.services.references import IbanCharacters, IbanChecksum, IbanLength, IbanMissing, IbanNotSepa, iban, mask_iban, ogm, parse_ogm


class TestOgm:
    def test_ends_with_the_rest_by_97(self) -> None:
        assert ogm("2611000017") == "+++261/1000/01792+++"
        assert ogm("9700000000") == "+++970/0000/00097+++"

    @given(st.integers(0, 9_999_999_999))
    def test_agrees_with_stdnum_and_reads_itself(self, number: int) -> None:
        written = ogm(f"{number:010d}")
        assert ogm_vcs.is_valid(written)
        assert parse_ogm(written) == f"{number:010d}"

    @pytest.mark.parametrize("text", ["+++123/4567/89012+++", "***123/4567/89002+++", "12345678901", "loyer", ""])
    def test_refuses_what_is_none(self, text: str) -> None:
        assert parse_ogm(text) is None

    @pytest.mark.parametrize("text", ["***123/4567/89002***", "123456789002", "+++ 123 / 4567 / 89002 +++"])
    def test_reads_every_spelling(self, text: str) -> None:
        assert parse_ogm(text) == "1234567890"


class TestIban:
    @pytest.mark.parametrize("number", ["BE79539000000333", "BE68539007547034", "BE82210000088968", "NL91ABNA0417164300"])
    def test_takes_good_ones(self, number: str) -> None:
        assert iban(" ".join(number[start : start + 4].lower() for start in range(0, len(number), 4))) == number
        assert stdnum_iban.is_valid(number, check_country=False)

    @pytest.mark.parametrize(
        ("text", "refusal"),
        [
            ("", IbanMissing), ("BE00539000000333", IbanChecksum), ("BE79539000000334", IbanChecksum), ("BE7953900000033", IbanLength),
            ("US79539000000333", IbanNotSepa), ("539-0000003-33", IbanNotSepa), ("BE79 5390 0000 033€", IbanCharacters),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, text: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            iban(text)

    def test_knows_the_national_check_of_belgium(self) -> None:
        wrong_inside = "539000000332"
        check = 98 - int(wrong_inside + "111400") % 97
        with pytest.raises(IbanChecksum):
            iban(f"BE{check:02d}{wrong_inside}")

    def test_hides_the_middle(self) -> None:
        assert mask_iban("BE77539000001242") == "BE77 •••• •••• 1242"
