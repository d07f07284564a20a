"""What a bill prints, item by item (W6, R13), read back from the PDF."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from core.pdf.bill import PrintedAdvice, PrintedBill, PrintedLine, PrintedUse, PrintedVat, render_bill
from tests.pdf import reading, samples

P01 = render_bill(samples.bill())
NEXT = render_bill(samples.next_bill())
P04 = render_bill(samples.business_bill())
P10 = render_bill(samples.debit_bill())
P09 = render_bill(samples.legacy_bill())


class TestHead:
    def test_names_the_seller_with_address_enterprise_number_and_account(self) -> None:
        for item in ("Guichet Télécom SA (démo)", "Boulevard du Guichet 1, 1000 Bruxelles", "TVA BE 0999.999.130", "BE04 5390 0000 0131"):
            assert item in reading.text(P01)

    def test_prints_the_bic_where_there_is_one(self) -> None:
        seller = replace(samples.SELLER, bic="GEBABEBB")
        assert reading.text(render_bill(samples.bill(seller=seller))).count("GEBABEBB") == 2

    def test_names_the_customer_with_his_address(self) -> None:
        customer = samples.party("Nathalie Wouters", "Meir", "50", "2000", "Antwerpen", box="2")
        assert "Nathalie Wouters Meir 50 bus 2 2000 Antwerpen" in reading.text(render_bill(samples.bill(language="nl", customer=customer)))

    def test_names_a_foreign_country(self) -> None:
        customer = samples.party("Anne Roy", "Rue Nationale", "1", "59000", "Lille", country="FR")
        assert "59000 Lille FR" in reading.text(render_bill(samples.bill(customer=customer)))

    @pytest.mark.parametrize(
        "row",
        [
            "N° de client 10000017",
            "N° de facture 2611000017",
            "Date de facture 05/11/2026",
            "Date d'échéance 20/11/2026",
            "Période 01/11/2026 – 30/11/2026",
            "Easy Switch ID ES10000017",
        ],
    )
    def test_lists_the_numbers_and_dates(self, row: str) -> None:
        assert row in reading.text(P01)

    def test_prints_a_business_customers_reference_and_vat_number(self) -> None:
        assert "Votre référence de commande BM-2026" in reading.text(P04)
        assert "BE 0999.999.031" in reading.text(P04)
        assert "Votre référence" not in reading.text(P01)

    def test_shows_the_amount_due_big_at_the_top_right(self) -> None:
        biggest = max(reading.words(P01)[0], key=lambda word: word["size"])
        assert biggest["text"] == "78,00"
        assert biggest["x0"] > 595 / 2
        assert biggest["top"] < 100
        assert "Montant à payer 78,00 € à payer au plus tard le 20/11/2026" in reading.text(P01)

    def test_calls_the_last_bill_final(self) -> None:
        assert "Facture finale 2611000017" in reading.text(render_bill(samples.bill(category="last")))


class TestOverview:
    def test_counts_the_units_of_each_category(self) -> None:
        for row in ("Pack 118 Go 42,00 €", "Mobile 8 420 Mo · 212 min · 96 messages 31,00 €", "Téléphonie fixe 45 min compris"):
            assert row in reading.text(P01)

    def test_shows_adjustments_and_third_parties_as_rows_of_their_own(self) -> None:
        less = samples.line("adjustment", "mobile", "Remise fidélité", -500)
        bill = samples.next_bill()
        data = render_bill(replace(bill, lines=(*bill.lines, less), vat=(PrintedVat(21, 11157, 2343),)))
        assert "Ajustements et réductions -5,00 €" in reading.text(data)
        assert "Mobile 8 420 Mo · 212 min · 96 messages 93,00 € Ajustements" in reading.text(data)
        assert "Services de tiers 6,00 €" in reading.text(data)

    def test_keeps_small_volumes_in_megabytes(self) -> None:
        data = render_bill(samples.bill(uses=(PrintedUse("mobile", 9999, "megabyte"), PrintedUse("internet", 49600, "megabyte"))))
        assert "9 999 Mo" in reading.text(data)
        assert "49,6 Go" in reading.text(data)


class TestLines:
    def test_shows_periods_with_their_last_day(self) -> None:
        assert "Scarlet Trio 081 00 00 01 01/11/2026 – 30/11/2026 42,00 €" in reading.text(P01)

    def test_puts_each_kind_under_its_heading_in_order(self) -> None:
        lines = (
            samples.line("adjustment", "other", "Geste commercial", -300),
            samples.line("oneOff", "internet", "Technicien", 5000),
            *samples.next_bill().lines,
        )
        text = reading.text(render_bill(replace(samples.next_bill(), lines=lines, vat=(PrintedVat(21, 15455, 3245),))))
        headings = (
            "Frais uniques 50,00 €",
            "Abonnements 78,00 €",
            "Consommation hors forfait 62,00 €",
            "Ajustements -3,00 €",
            "Services de tiers, TVA comprise 6,00 €",
        )
        places = [text.index(heading) for heading in headings]
        assert places == sorted(places)

    def test_shows_usage_with_its_units_and_rate(self) -> None:
        assert "1 240 Mo × 0,05 € 62,00 €" in reading.text(NEXT)

    def test_shows_third_parties_apart(self) -> None:
        assert "SMS premium 0470 00 00 12, Noa · 6xxx 01/11/2026 – 30/11/2026 3 messages × 2,00 € 6,00 €" in reading.text(NEXT)

    def test_shows_how_a_share_of_a_month_is_computed(self) -> None:
        assert "20/11/2026 – 30/11/2026 8,00 € × 11/30 2,93 €" in reading.text(render_bill(samples.transition_bill()))

    def test_shows_several_of_a_kind(self) -> None:
        line = replace(samples.line("option", "tv", "Décodeur TV supplémentaire", 1000), quantity=2, unit_price_cents=500)
        data = render_bill(samples.bill(lines=(line,), vat=(PrintedVat(21, 826, 174),)))
        assert "2 × 5,00 € 10,00 €" in reading.text(data)

    def test_aligns_all_amounts_at_the_right_edge(self) -> None:
        ends = [word["x1"] for word in reading.words(NEXT)[0] if word["text"] == "€" and word["x0"] > 500 and word["top"] > 150]
        assert len(ends) > 15
        assert max(ends) - min(ends) < 0.2

    def test_loses_no_line_of_a_long_bill_and_repeats_the_head_on_every_page(self) -> None:
        found = reading.pages(render_bill(samples.long_bill(100)))
        assert len(found) == 3
        assert [index for index in range(1, 101) if f"Poste {index} " not in " ".join(found)] == []
        for number, page in enumerate(found, start=1):
            assert "Détail Période Hors TVA" in page
            assert f"Page {number}/3" in page
        assert found[1].startswith("Facture 2611000017 N° de client 10000017")

    def test_keeps_everything_within_the_sheet(self) -> None:
        for page in reading.words(render_bill(samples.long_bill(60))):
            assert all(word["x0"] > 50 and word["x1"] < 545 and word["top"] > 30 and word["bottom"] < 830 for word in page)


class TestTotals:
    def test_shows_base_rate_and_vat_of_a_consumer(self) -> None:
        assert "21 % 64,46 € 13,54 € 78,00 €" in reading.text(P01)

    def test_keeps_third_parties_out_of_the_vat_but_in_the_amount_due(self) -> None:
        text = reading.text(NEXT)
        assert "21 % 115,70 € 24,30 € 140,00 €" in text
        assert "Total, TVA comprise 146,00 €" in text
        assert "Montant à payer 146,00 €" in text

    def test_adds_vat_once_to_a_business_bill(self) -> None:
        text = reading.text(P04)
        for row in ("Total hors TVA 72,73 €", "TVA 15,27 €", "Montant à payer 88,00 €", "Hors TVA"):
            assert row in text

    def test_takes_off_what_was_paid_and_credited(self) -> None:
        text = reading.text(render_bill(samples.bill(paid_cents=1000, credited_cents=3000)))
        for row in ("Total, TVA comprise 78,00 €", "Déjà payé -10,00 €", "Déjà crédité -30,00 €", "Montant à payer 38,00 €"):
            assert row in text

    def test_shows_what_is_outside_vat_in_a_row_of_its_own(self) -> None:
        less = samples.line("adjustment", "other", "Indemnité", -3000)
        bill = samples.bill(lines=(*samples.bill().lines, less), vat=(PrintedVat(21, 6446, 1354), PrintedVat(0, -3000, 0)))
        assert "Non soumis -30,00 € 0,00 € -30,00 €" in reading.text(render_bill(bill))

    @pytest.mark.parametrize(
        "changes",
        [
            {"vat": (PrintedVat(21, 6446, 1353),)},
            {"lines": ()},
            {"lines": (PrintedLine("gift", "mobile", "?", 7800),)},
            {"lines": (PrintedLine("usage", "fax", "?", 7800),)},
            {"category": "creditNote"},
        ],
    )
    def test_refuses_a_bill_that_does_not_add_up(self, changes: dict[str, object]) -> None:
        with pytest.raises(ValueError, match="2611000017"):
            samples.bill(**changes)


class TestPayment:
    def test_tells_how_to_transfer(self) -> None:
        for row in ("Bénéficiaire Guichet Télécom SA (démo)", "IBAN BE04 5390 0000 0131", "Communication structurée +++261/1000/01792+++"):
            assert row in reading.text(P01)

    def test_gives_a_code_that_a_phone_reads(self) -> None:
        expected = ["BCD", "002", "1", "SCT", "", "Guichet Télécom SA (démo)", "BE04539000000131", "EUR78", "", "261100001792"]
        assert [code.split("\n") for code in reading.codes(P01)] == [expected]

    def test_can_write_the_reference_with_its_signs(self) -> None:
        assert reading.codes(render_bill(samples.bill(qr_with_signs=True)))[0].endswith("+++261/1000/01792+++")

    def test_puts_what_is_left_into_the_code(self) -> None:
        assert "EUR28.99" in reading.codes(render_bill(samples.bill(credited_cents=4901)))[0].split("\n")

    def test_announces_a_collection_and_then_asks_for_no_transfer(self) -> None:
        text = reading.text(P10)
        assert "wird am 16.11.2026 abgebucht" in text
        assert "von Ihrem Konto mit der Endung 1040" in text
        assert "SCA1000010901" in text
        assert "BE25ZZZ0999999130" in text
        assert "Das Fälligkeitsdatum, der 15.11.2026, ist kein Bankarbeitstag." in text
        assert "Überweisung" not in text
        assert "+++" not in text
        assert reading.codes(P10) == []

    def test_says_nothing_of_banking_days_when_the_due_date_is_one(self) -> None:
        assert "Bankarbeitstag" not in reading.text(render_bill(replace(samples.debit_bill(), due_date=date(2026, 11, 16))))

    def test_asks_for_nothing_when_all_is_paid(self) -> None:
        data = render_bill(samples.bill(paid_cents=7800))
        assert "Il n'y a rien à payer pour cette facture." in reading.text(data)
        assert "+++" not in reading.text(data)
        assert reading.codes(data) == []


class TestParagraphs:
    @pytest.mark.parametrize(
        ("free_exit_on", "words"),
        [
            (date(2024, 3, 1), "Contrat à durée indéterminée, sans indemnité de résiliation depuis le 01/03/2024."),
            (date(2027, 3, 1), "Contrat à durée indéterminée, sans indemnité de résiliation à partir du 01/03/2027."),
            (None, "Contrat à durée indéterminée, sans indemnité de résiliation."),
        ],
    )
    def test_tells_the_contract_and_from_when_leaving_is_free(self, free_exit_on: date | None, words: str) -> None:
        assert words in reading.text(render_bill(samples.bill(free_exit_on=free_exit_on)))

    def test_names_the_comparison_site_and_the_easy_switch_id(self) -> None:
        assert "www.meilleurtarif.be" in reading.text(P01)
        assert "votre Easy Switch ID : ES10000017." in reading.text(P01)

    def test_says_where_to_complain_and_names_the_mediator(self) -> None:
        text = reading.text(P01)
        for item in ("02 100 00 00", "service@guichet.example", "Service de médiation", "02 223 09 09", "www.ombudsmantelecom.be"):
            assert item in text

    def test_advises_the_cheapest_plan_when_asked_to(self) -> None:
        assert "formule la moins chère" not in reading.text(P01)
        assert "vous avez déjà notre formule la moins chère" in reading.text(NEXT)
        cheaper = render_bill(samples.bill(advice=PrintedAdvice("Mobile Red", 700)))
        assert "Mobile Red vous coûterait 7,00 € de moins par mois" in reading.text(cheaper)

    def test_tells_of_the_mailbox_after_the_end_when_asked_to(self) -> None:
        assert "gratuitement pendant 18 mois" in reading.text(NEXT)
        assert "18 mois" not in reading.text(P01)

    def test_marks_the_prices_as_a_demo(self) -> None:
        assert "Prix de démonstration" in reading.pages(P01)[0]
        assert "Prix de démonstration" not in reading.text(render_bill(samples.bill(demo_prices=False)))

    def test_numbers_the_pages(self) -> None:
        assert "Page 1/1" in reading.text(P01)

    @pytest.mark.parametrize("data", [P01, NEXT, P04, P10, P09], ids=["P01", "next", "P04", "P10", "P09"])
    def test_fits_a_usual_bill_on_one_page(self, data: bytes) -> None:
        assert len(reading.pages(data)) == 1


class TestLayouts:
    def test_shows_two_blocks_in_the_old_model(self) -> None:
        text = reading.text(P09)
        assert "Services fournis par Guichet Télécom SA (démo) 8,00 €" in text
        assert "Services de tiers, TVA comprise 0,00 €" in text
        assert "20/10/2026 – 19/11/2026" in text
        assert "Abonnements" not in text

    def test_explains_a_transition_bill(self) -> None:
        text = reading.text(render_bill(samples.transition_bill()))
        assert "Facture de transition 2612000093" in text
        assert "cette facture couvre la période du 20/11/2026 au 31/12/2026" in text
        assert "Montant à payer 10,93 €" in text

    @pytest.mark.parametrize(
        ("language", "words"),
        [
            ("fr", ["Facture 2611000017", "Montant à payer", "20/11/2026", "78,00 €"]),
            ("nl", ["Factuur 2611000017", "te betalen uiterlijk op 20/11/2026", "€ 78,00"]),
            ("de", ["Rechnung 2611000017", "zahlbar bis 20.11.2026", "78,00 €"]),
            ("en", ["Bill 2611000017", "to be paid by 20/11/2026"]),
        ],
    )
    def test_speaks_the_customers_language(self, language: str, words: list[str]) -> None:
        data = render_bill(samples.bill(language=language))
        assert [item for item in words if item not in reading.text(data)] == []
        assert reading.root(data)["/Lang"] == f"{language}-BE"

    @pytest.mark.parametrize("language", ["fr", "nl", "de"])
    def test_leaves_no_english_behind(self, language: str) -> None:
        text = reading.text(render_bill(replace(samples.next_bill(), language=language, credited_cents=100)))
        for word in ("Overview", "Used", "Customer", "Amount", "Total,", "VAT", "Your ", "Compare the", "Scan with", "Already", "bundle"):
            assert word not in text.replace("Total, TVA", "")


class TestCreditNote:
    def test_gives_its_number_the_bill_and_the_reason(self) -> None:
        text = reading.text(render_bill(samples.missed_visit_note()))
        for item in (
            "Note de crédit 2610900086",
            "Concerne la facture 2611000086",
            "Date 22/10/2026",
            "Motif : le technicien n'est pas venu au rendez-vous du 21/10/2026",
            "Montant crédité 30,00 € déduit de la facture 2611000086",
        ):
            assert item in text

    def test_shows_a_compensation_without_vat(self) -> None:
        assert "Non soumis 30,00 € 0,00 € 30,00 €" in reading.text(render_bill(samples.missed_visit_note()))

    def test_shows_vat_and_the_refund_of_what_was_billed(self) -> None:
        text = reading.text(render_bill(samples.refund_note()))
        assert "21 % € 10,58 € 2,22 € 12,80" in text
        assert "19/09/2026 – 30/09/2026 € 32,00 × 12/30 € 12,80" in text
        assert "terugbetaald op rekening …1343" in text

    def test_asks_for_no_payment(self) -> None:
        data = render_bill(samples.missed_visit_note())
        assert reading.codes(data) == []
        for word in ("échéance", "virement", "+++", "à payer"):
            assert word not in reading.text(data)


class TestDocument:
    def test_is_the_same_bytes_each_time(self) -> None:
        assert render_bill(samples.bill()) == P01

    def test_is_the_same_bytes_after_storage(self) -> None:
        for bill in (samples.next_bill(), samples.debit_bill(), samples.refund_note()):
            assert samples.stored(bill) == bill
            assert render_bill(samples.stored(bill)) == render_bill(bill)

    def test_does_not_depend_on_what_was_printed_before(self) -> None:
        first = render_bill(samples.bill())
        render_bill(samples.bill(customer=samples.party("Владимир محمد 王", "Rue", "1", "1000", "Bruxelles")))
        assert render_bill(samples.bill()) == first

    def test_can_be_drawn_by_several_threads_at_once(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(render_bill, [samples.bill()] * 8)) == {P01}

    def test_takes_its_date_and_identity_from_the_value(self) -> None:
        found = reading.reader(P01)
        assert found.metadata is not None
        assert found.metadata.creation_date == datetime(2026, 11, 5, 3, 0, tzinfo=UTC)
        assert reading.identity(P01) == samples.TOKEN.encode()

    def test_differs_with_the_token(self) -> None:
        assert render_bill(samples.bill(document_token="f" * 32)) != P01

    def test_has_a_title_an_author_and_shows_the_title(self) -> None:
        found = reading.reader(P01)
        assert found.metadata is not None
        assert (found.metadata.title, found.metadata.author) == ("Facture 2611000017", "Guichet Télécom SA (démo)")
        assert reading.root(P01)["/ViewerPreferences"]["/DisplayDocTitle"].value is True

    def test_embeds_its_fonts_and_stays_small(self) -> None:
        fonts = {word["fontname"] for word in reading.words(P01)[0]}
        assert fonts == {"MPDFAA+NotoSans", "MPDFAA+NotoSansBold"}
        assert len(P01) < 40_000

    def test_does_not_import_fpdf_before_it_is_needed(self) -> None:
        told = subprocess.run([sys.executable, "-c", "import core.pdf.bill, core.pdf.mandate, sys; print('fpdf' in sys.modules)"],
                              check=True, capture_output=True, text=True)  # fmt: skip
        assert told.stdout.strip() == "False"

    def test_refuses_stored_data_of_another_shape(self) -> None:
        with pytest.raises(TypeError):
            PrintedBill.from_dict({**samples.bill().to_dict(), "colour": "blue"})


class TestReminderCosts:
    """What makes good a damage is ours to ask, but no price: it stands in a section of its own, outside VAT (R24)."""

    @staticmethod
    def _with_fee(bill: PrintedBill) -> PrintedBill:
        fee = samples.line("penalty", "other", "Rappel du 25/11/2026", 750, unit_price_cents=750)
        return replace(bill, lines=(*bill.lines, fee), vat=(*bill.vat, PrintedVat(0, 750, 0)))

    def test_have_a_section_and_a_row_of_the_vat_table_in_the_current_model(self) -> None:
        printed = self._with_fee(samples.bill())
        told = reading.text(render_bill(printed))
        assert printed.total_cents == 7800 + 750
        assert "Rappel du 25/11/2026 7,50 €" in told
        assert told.count("Frais de rappel, hors TVA 7,50 €") == 3  # In the overview, over its lines, and in the totals.
        assert "Nos services, TVA comprise 78,00 €" in told
        assert "Non soumis 7,50 € 0,00 € 7,50 €" in told
        assert "Montant à payer 85,50 €" in told

    def test_have_a_block_in_the_old_model(self) -> None:
        plain = samples.legacy_bill()
        told = reading.text(render_bill(self._with_fee(plain)))
        assert told.count("Frais de rappel, hors TVA 7,50 €") == 3
        assert f"Services fournis par {plain.seller.name} 8,00 €" in told

    def test_a_bill_without_them_is_as_it_was(self) -> None:
        assert "Frais de rappel" not in reading.text(P01)
