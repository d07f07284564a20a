"""What a mandate prints, read back from the PDF (R7, R8)."""

import pytest

from core.pdf.mandate import render_mandate
from tests.pdf import reading, samples

SIGNED = render_mandate(samples.mandate())


class TestMandate:
    @pytest.mark.parametrize(
        "item",
        [
            "SEPA-domiciliëringsmandaat",
            "Mandaatreferentie (UMR) SCA1000006201",
            "Naam Guichet Télécom SA (démo)",
            "Adres Boulevard du Guichet 1, 1000 Bruxelles, BE",
            "Identificatie van de schuldeiser BE25ZZZ0999999130",
            "Rekeninghouder Marie Claes",
            "IBAN BE46 5390 0000 0636",
            "Klant Marie Claes · 10000062",
            "Adres Bondgenotenlaan 20, 3000 Leuven",
            "Type betaling Terugkerend",
            "minstens 10 dagen vooraf worden aangekondigd in plaats van 14",
            "binnen 8 weken",
            "Ondertekend op 01/10/2024 met de code die u werd toegestuurd",
        ],
    )
    def test_prints(self, item: str) -> None:
        assert item in reading.text(SIGNED)

    def test_authorises_the_creditor_and_the_bank(self) -> None:
        text = reading.text(SIGNED)
        assert "(A) Guichet Télécom SA (démo) de toestemming om opdrachten naar uw bank te sturen" in text
        assert "(B) uw bank de toestemming om uw rekening te debiteren" in text

    def test_leaves_a_place_to_sign_on_paper(self) -> None:
        text = reading.text(render_mandate(samples.mandate(signed_on=None, signed_by=None)))
        assert "Datum en plaats" in text
        assert "Handtekening van de rekeninghouder" in text
        assert "Ondertekend op" not in text

    def test_says_that_it_was_signed_on_paper(self) -> None:
        assert "op papier" in reading.text(render_mandate(samples.mandate(signed_by="paper")))

    def test_names_the_account_it_replaces(self) -> None:
        assert "Vervangt de rekening BE79 5390 0000 0333" in reading.text(render_mandate(samples.mandate(amends_iban="BE79539000000333")))

    @pytest.mark.parametrize("language", ["fr", "nl", "de"])
    def test_speaks_the_customers_language(self, language: str) -> None:
        text = reading.text(render_mandate(samples.mandate(language=language)))
        for word in ("Creditor", "By signing", "Recurrent", "Signed on", "You ", "Account"):
            assert word not in text.replace("Récurrent", "")

    def test_is_the_same_bytes_each_time_and_after_storage(self) -> None:
        assert render_mandate(samples.mandate()) == SIGNED
        assert render_mandate(samples.stored(samples.mandate())) == SIGNED

    def test_fits_one_page(self) -> None:
        long_name = samples.mandate(holder="Aleksandrina-Maximiliana van den Broeck-Vandermeersch " * 2)
        assert len(reading.pages(render_mandate(long_name))) == 1
