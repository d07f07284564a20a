"""The files of the product team: a mistake is named when the file is read, and a change is seen at the next click."""

import shutil
import time
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from core import catalogue
from core.catalogue import UNLIMITED
from core.services import communications

UNLIMITED_FROM_MB = 300_000
"""R29: "unlimited" may be said from 300 GB a month at full speed on."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files, which a test may spoil."""
    shutil.copytree(catalogue.FILES, tmp_path / "seed", ignore=shutil.ignore_patterns("*.py", "scenarios", "__pycache__"))
    monkeypatch.setattr(catalogue, "FILES", tmp_path / "seed")
    return tmp_path / "seed"


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


class TestCatalogue:
    def test_a_changed_price_is_read_at_the_next_call(self, files: Path) -> None:
        assert catalogue.catalogue()["RED"].price_cents(date(2026, 11, 18)) == 800
        _replace(files / "catalogue.yaml", "incl_cents: 800", "incl_cents: 900")
        assert catalogue.catalogue()["RED"].price_cents(date(2026, 11, 18)) == 900

    def test_a_price_holds_from_its_day_on(self, files: Path) -> None:
        _replace(
            files / "catalogue.yaml",
            "- {since: 2019-01-01, incl_cents: 800}",
            "- {since: 2019-01-01, incl_cents: 800}\n      - {since: 2027-01-01, incl_cents: 950}",
        )
        red = catalogue.catalogue()["RED"]
        assert [red.price_cents(date(2026, 12, 31)), red.price_cents(date(2027, 1, 1))] == [800, 950]

    def test_refuses_prices_that_do_not_stand_in_the_order_of_their_days(self, files: Path) -> None:
        _replace(
            files / "catalogue.yaml",
            "- {since: 2019-01-01, incl_cents: 800}",
            "- {since: 2027-01-01, incl_cents: 950}\n      - {since: 2019-01-01, incl_cents: 800}",
        )
        with pytest.raises(ValidationError, match="RED: prices are missing, or do not stand in the order of their days"):
            catalogue.catalogue()

    def test_a_block_sees_a_change_of_a_file_within_a_second(self, files: Path) -> None:
        with catalogue.held():
            assert catalogue.catalogue()["RED"].price_cents(date(2026, 11, 18)) == 800
            _replace(files / "catalogue.yaml", "incl_cents: 800", "incl_cents: 900")
            assert catalogue.catalogue()["RED"].price_cents(date(2026, 11, 18)) == 800
        time.sleep(catalogue.LOOK_EVERY_SECONDS)
        with catalogue.held():
            assert catalogue.catalogue()["RED"].price_cents(date(2026, 11, 18)) == 900

    def test_refuses_a_rule_that_names_what_is_not_sold(self, files: Path) -> None:
        _replace(files / "catalogue.yaml", "replaces: [TEL_PEAK]", "replaces: [TEL_PAEK]")
        with pytest.raises(ValidationError, match="TEL_PAEK"):
            catalogue.catalogue()

    def test_refuses_a_name_that_is_missing_in_a_language(self, files: Path) -> None:
        _replace(
            files / "catalogue.yaml",
            "{fr: Bouquet Sport, nl: Sportbouquet, de: Sportpaket, en: Sports bouquet}",
            "{fr: Bouquet Sport, nl: Sportbouquet, en: Sports bouquet}",
        )
        with pytest.raises(ValidationError, match="TV_SPORT"):
            catalogue.catalogue()

    def test_refuses_an_unknown_key(self, files: Path) -> None:
        _replace(files / "catalogue.yaml", "when_used_up: throttle", "when_used_upp: throttle")
        with pytest.raises(ValidationError, match="when_used_upp"):
            catalogue.catalogue()

    def test_a_plan_with_a_volume_below_300_gb_is_not_called_unlimited(self) -> None:
        for offering in catalogue.catalogue().offerings.values():
            volume = offering.allowance.data_mb
            if volume is not None and volume != UNLIMITED and volume < UNLIMITED_FROM_MB:
                assert not any("internet illimité" in text.lower() for text in offering.holds["fr"]), offering.code

    def test_what_bars_something_is_free(self) -> None:
        bars = [offering for offering in catalogue.catalogue().offerings.values() if offering.restriction]
        assert bars
        assert {price.incl_cents for offering in bars for price in offering.prices} == {0}


class TestPremium:
    @pytest.mark.parametrize(
        ("old", "new", "told"),
        [
            ('"0903": {cents: 150', '"0903": {cents: 151', "premium 0903: 151 cents are more than the 150"),
            ("3100, unit: call", "5001, unit: call", "premium 0909: 5001 cents are more than the 3100"),
            ("4xxx: {cents: 400", "4xxx: {cents: 5001", "premium 4xxx: a single charge may not exceed 5000"),
            (
                "cents: 50, unit: minute, max_minutes: 10",
                "cents: 50, unit: minute",
                "premium 0900: calls that are charged by the minute end",
            ),
            ('"070": {', '"70": {', "premium 70: name the first digits"),
            ("unit: call, charged: free", "unit: call", "A premium class has a price where a third party charges it"),
        ],
    )
    def test_refuses_what_the_law_does_not_allow(self, files: Path, old: str, new: str, told: str) -> None:
        _replace(files / "catalogue.yaml", old, new)
        with pytest.raises(ValidationError, match=told):
            catalogue.catalogue()

    def test_070_078_and_0800_are_never_barred(self) -> None:
        premium = catalogue.catalogue().premium
        assert {numbers for numbers, one in premium.items() if one.category is None} == {"070", "078", "0800"}

    def test_every_price_outside_a_bundle_names_its_source(self) -> None:
        sold = catalogue.catalogue()
        assert all(one.source for part in (sold.rates, sold.premium, sold.fees) for one in part.values())

    def test_refuses_a_price_per_minute_that_does_not_tell_how_calls_are_counted(self, files: Path) -> None:
        _replace(files / "catalogue.yaml", "{cents: 16, unit: minute, first_seconds: 60, then_seconds: 1,", "{cents: 16, unit: minute,")
        with pytest.raises(ValidationError, match="names first_seconds and then_seconds"):
            catalogue.catalogue()


class TestDunning:
    def test_refuses_steps_that_do_not_climb(self, files: Path) -> None:
        _replace(files / "catalogue.yaml", "- {step: reminder1, after_days: 5", "- {step: suspended, after_days: 5")
        with pytest.raises(ValidationError, match="the steps do not stand in the order"):
            catalogue.catalogue()

    def test_refuses_a_step_on_the_day_of_the_one_before(self, files: Path) -> None:
        _replace(files / "catalogue.yaml", "- {step: restricted, after_days: 8", "- {step: restricted, after_days: 0")
        with pytest.raises(ValidationError, match="after_days"):
            catalogue.catalogue()

    def test_every_step_has_its_message(self) -> None:
        told = catalogue.catalogue().dunning
        assert {rung.template for rung in told.steps} | {told.missed_template} <= set(communications.templates())

    def test_asks_for_no_more_than_the_law_allows(self) -> None:
        assert catalogue.catalogue().dunning.fee.cents <= catalogue.law("reminder_fee_max_cents")


class TestLaw:
    def test_every_constant_names_its_source(self) -> None:
        constants = catalogue._load(catalogue.FILES / "law.yaml")
        assert [name for name, facts in constants.items() if not facts.get("source")] == []
