"""Which towns a postcode names."""

import csv

import pytest

from core import postcodes
from core.postcodes import PostcodeOfAnotherTown, UnknownPostcode


class TestTowns:
    def test_gives_the_name_in_the_language_of_the_place_first(self) -> None:
        assert postcodes.towns("5000") == ("Namur", "Namen")
        assert postcodes.towns("3000") == ("Leuven", "Louvain")
        assert postcodes.towns("4780") == ("Sankt Vith", "Saint-Vith")

    def test_gives_both_towns_of_a_shared_postcode(self) -> None:
        assert postcodes.towns("1040") == ("Bruxelles", "Brussel", "Etterbeek")

    def test_gives_none_for_an_unknown_postcode(self) -> None:
        assert postcodes.towns("9999") == ()

    def test_knows_all_postcodes(self) -> None:
        with postcodes.FILE.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 1152
        assert all(row["language"] in {"fr", "nl", "de"} and row["zone"].startswith("0") for row in rows)


class TestMatches:
    @pytest.mark.parametrize(
        ("postcode", "town"),
        [
            ("5000", "NAMUR"), ("5000", "Namen"), ("4000", "liege"), ("1080", "Molenbeek-Saint-Jean"), ("1080", "Sint-Jans-Molenbeek"),
            ("1348", "Louvain-la-Neuve"), ("1060", "St-Gilles"), ("4780", "St. Vith"), ("1080", "Bruxelles"), ("2060", "Antwerpen"),
        ],
    )  # fmt: skip
    def test_takes(self, postcode: str, town: str) -> None:
        assert postcodes.matches(postcode, town)

    @pytest.mark.parametrize(
        ("postcode", "town"), [("5000", "Liège"), ("3001", "Heverlee"), ("5000", ""), ("5000", "Nam"), ("9999", "Namur")]
    )
    def test_takes_not(self, postcode: str, town: str) -> None:
        assert not postcodes.matches(postcode, town)


class TestSuggest:
    def test_proposes_the_municipality_of_a_part(self) -> None:
        assert postcodes.suggest("3001", "Heverlee") == ("Leuven", "Louvain")

    def test_proposes_nothing_for_a_town_that_matches(self) -> None:
        assert postcodes.suggest("1348", "louvain la neuve") == ()


class TestCheck:
    @pytest.mark.parametrize(("postcode", "town"), [("3001", "Heverlee"), ("1348", "Louvain-la-Neuve"), ("5000", "Namur")])
    def test_takes_towns_and_their_parts(self, postcode: str, town: str) -> None:
        postcodes.check(postcode, town)

    def test_asks_about_a_town_with_another_postcode_and_takes_it_when_kept(self) -> None:
        with pytest.raises(PostcodeOfAnotherTown) as refusal:
            postcodes.check("5561", "Celles")
        assert refusal.value.params["postcodes"] == "7760"
        postcodes.check("5561", "Celles", kept=True)

    def test_refuses_an_unknown_postcode_even_when_kept(self) -> None:
        with pytest.raises(UnknownPostcode):
            postcodes.check("9999", "Namur", kept=True)


class TestZoneOf:
    @pytest.mark.parametrize(
        ("postcode", "zone"),
        [("1000", "02"), ("2800", "015"), ("4000", "04"), ("5000", "081"), ("9000", "09"), ("3000", "016"), ("4700", "087")],
    )
    def test_gives_the_code_of_fixed_lines(self, postcode: str, zone: str) -> None:
        assert postcodes.zone_of(postcode) == zone


class TestLanguageOf:
    @pytest.mark.parametrize(("postcode", "language"), [("4700", "de"), ("8000", "nl"), ("5000", "fr"), ("9999", None)])
    def test_gives_the_language_of_the_place(self, postcode: str, language: str | None) -> None:
        assert postcodes.language_of(postcode) == language
