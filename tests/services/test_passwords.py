"""A password is long, whole, and not the first one that is guessed (S19 to S22)."""

import unicodedata

import pytest
from argon2 import PasswordHasher, extract_parameters

from core.services import passwords
from tests.services.moving import count_verifications

NAMES = ("p01", "Sophie Lambert")
GOOD = "vier natte lantaarns"


class TestCheckNew:
    @pytest.mark.parametrize("password", ["quatorze-signe", "a b c d e f g", ""])
    def test_refuses_fewer_than_15_characters(self, password: str) -> None:
        with pytest.raises(passwords.TooShort) as refusal:
            passwords.check_new(password, names=NAMES)
        assert refusal.value.params == {"least": 15, "missing": 15 - len(password)}

    @pytest.mark.parametrize(
        "password",
        [
            "quinze-signes-x",
            "soixante-quatre signes, dont des blancs, sans majuscule et sans !",
            "é" * 3 + GOOD,
            "🐌🦊🐙🌵🎈" * 3,
            GOOD + " ",
            "  " + GOOD,
        ],
    )
    def test_accepts_15_characters_and_more_of_any_kind(self, password: str) -> None:
        passwords.check_new(password, names=NAMES)

    def test_accepts_128_characters_and_refuses_129(self) -> None:
        long = "".join(chr(ord("a") + (index * index) % 26) for index in range(128))
        passwords.check_new(long, names=NAMES)
        with pytest.raises(passwords.TooLong):
            passwords.check_new(long + "z", names=NAMES)

    def test_counts_an_accent_typed_apart_as_one_character(self) -> None:
        apart = unicodedata.normalize("NFD", "éééééééabcdefg")
        assert len(apart) > 15
        with pytest.raises(passwords.TooShort):
            passwords.check_new(apart, names=NAMES)

    def test_refuses_each_of_the_3000_most_common_ones_said_twice_or_padded(self) -> None:
        words = passwords.blocklist()
        assert len(words) > 3000
        for word in words:
            repeated = word * (15 // len(word) + 1)
            with pytest.raises((passwords.TooCommon, passwords.MadeOfNames)):
                passwords.check_new(repeated, names=NAMES)

    @pytest.mark.parametrize(
        "password",
        ["Password!!!!!!!!", "2026football20262026", "aaaaaaaaaaaaaaaa", "123456789012345", "1qaz2wsx3edc4rfv", "demo-Guichet-2026"],
    )
    def test_refuses_what_is_tried_first(self, password: str) -> None:
        with pytest.raises(passwords.TooCommon):
            passwords.check_new(password, names=NAMES)

    @pytest.mark.parametrize("password", ["Sophie-Lambert-26", "scarlet-scarlet-p01", "Guichet-Scarlet-1", "LAMBERT.sophie!!"])
    def test_refuses_the_holders_name_and_ours(self, password: str) -> None:
        with pytest.raises(passwords.MadeOfNames):
            passwords.check_new(password, names=NAMES)

    def test_accepts_a_name_inside_enough_other_words(self) -> None:
        passwords.check_new("sophie mange trois figues", names=NAMES)


class TestHashNew:
    def test_is_argon2id_with_19_mib_two_passes_and_one_lane(self) -> None:
        found = extract_parameters(passwords.hash_new(GOOD))
        assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == ("ID", 19 * 1024, 2, 1)

    def test_never_stores_two_like_hashes(self) -> None:
        assert passwords.hash_new(GOOD) != passwords.hash_new(GOOD)


class TestMatches:
    @pytest.mark.parametrize("other", [GOOD + " ", " " + GOOD, GOOD.upper(), GOOD[:-1], ""])
    def test_neither_strips_nor_cuts_nor_folds(self, other: str) -> None:
        stored = passwords.hash_new(GOOD)
        assert passwords.matches(stored, GOOD)
        assert not passwords.matches(stored, other)

    def test_tells_apart_passwords_that_differ_at_byte_73(self) -> None:
        stored = passwords.hash_new("x" * 72 + "a")
        assert not passwords.matches(stored, "x" * 72 + "b")

    def test_takes_an_accent_typed_apart_as_the_same(self) -> None:
        stored = passwords.hash_new(unicodedata.normalize("NFC", "été à la mer du Nord"))
        assert passwords.matches(stored, unicodedata.normalize("NFD", "été à la mer du Nord"))

    def test_does_the_same_work_without_an_account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        verified = count_verifications(monkeypatch)
        stored = passwords.hash_new(GOOD)
        for password_hash, given in ((stored, GOOD), (stored, "wrong"), (None, GOOD), (stored, "x" * 1000)):
            passwords.matches(password_hash, given)
        assert len(verified) == 4
        assert {(p.memory_cost, p.time_cost, p.parallelism) for p in map(extract_parameters, verified)} == {(19 * 1024, 2, 1)}

    def test_answers_no_for_the_empty_account_whatever_is_typed(self) -> None:
        assert not passwords.matches(None, "")
        assert not passwords.matches(None, GOOD)

    def test_survives_a_lone_surrogate(self) -> None:
        assert not passwords.matches(passwords.hash_new(GOOD), "\ud800" * 15)


class TestIsOutdated:
    def test_finds_a_hash_with_lower_costs(self) -> None:
        assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD))
        assert not passwords.is_outdated(passwords.hash_new(GOOD))
