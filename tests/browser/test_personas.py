"""Each of the thirteen sample customers shows on the named tab, in words, what he is there for: as an agent of the house sees him."""

import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pypdf import PdfReader

from tests.browser.conftest import Server, key, settled, sign_in

NUMBERS = {
    "P01": "10000017", "P02": "10000024", "P03": "10000031", "P04": "10000048", "P05": "10000055", "P06": "10000062", "P07": "10000079",
    "P08": "10000086", "P09": "10000093", "P10": "10000109", "P11": "10000116", "P12": "10000123", "P13": "10000130",
}  # fmt: skip

TOLD: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("P01", "home"): {
        "card-product-1000001705": (
            "Hors forfait", "Noa · 0470 00 00 12 · mineur", "3 240 / 2 000 Mo", "1 240 Mo hors forfait × 0,05 € = 62,00 €",
            "Services surtaxés 6,00 €",
        ),
        "card-band": ("05/12 · env. 146,00 €", "dont 68,00 € hors forfait", "14/11 · SMS", "Alerte hors forfait"),
    },
    ("P01", "bills"): {
        "card-band": ("78,00 €", "échéance 20/11"),
        "billrow-next": ("05/12/2026", "Estimation", "env. 146,00 €"),
        "billrow-2611000017": ("À payer", "78,00 €", "échéance 20/11/2026"),
        "card-transfer": ("+++261/1000/01792+++", "78,00 €"),
    },
    ("P01", "bills?bill=next"): {
        "drawer": (
            "78,00 €", "Noa : 1 240 Mo × 0,05 € + 62,00 €", "+ 6,00 €", "146,00 €",
            "L'option « 5 Go par mois » (10,00 € par mois) aurait évité ces 62,00 €.",
        ),
    },
    ("P02", "home"): {"card-product-1000002401": ("Bloquer les numéros surtaxés",), "card-contact": ("par la poste",)},
    ("P02", "account"): {"card-contact": ("Georgette Peeters", "sur papier", "Nederlands")},
    ("P02", "bills?bill=2611000024"): {
        "billrow-2611000024": ("Payée", "38,25 €", "payée le 12/11/2026"),
        "drawer": ("45 min ont coûté 2,25 €", "« Appels gratuits en heures pleines » coûte 5,00 € par mois : elle n'aurait pas valu la peine."),
    },
    ("P03", "home"): {
        "card-product-1000003101": ("Bloqué, sauf volume ajouté", "10 000 / 10 000 Mo épuisé", "Volume ajouté 0 / 1 000 Mo"),
        "card-changes": ("1 Go en plus", "18/11 09:30", "annulable jusqu'à 23:59", "Annuler ce changement"),
    },
    ("P03", "bills"): {"card-mandate": ("Actif", "BE79 •••• •••• 0333", "SCA1000003101")},
    ("P03", "usage"): {"card-usage-rows": ("Union européenne (France)",)},
    ("P04", "home"): {"card-product-1000004801": ("26,45 €",), "card-product-1000004802": ("23,14 €",)},
    ("P04", "bills"): {"billrow-2611000048": ("À payer", "88,00 €", "échéance 05/12/2026")},
    ("P04", "account"): {"card-contact": ("Boulangerie Martin SRL", "0999999031", "par facture électronique (Peppol)")},
    ("P05", "home"): {
        "card-band": ("Suspendu", "168,00 €", "126,00 € en retard"),
        "card-arrears": (
            "126,00 € en retard, le plus ancien depuis le 20/08", "Services suspendus depuis le 10/11 ; le 112 reste joignable.",
            "Le 20/11 serait l'échéance manquée n° 4 de l'année : rappel de 7,50 € au plus.", "3 × 56,00 €", "Il commence dès que le client l'accepte",
        ),
        "card-product-1000005501": ("Suspendu",),
    },
    ("P05", "bills"): {
        "card-arrears": ("126,00 € en retard", "3 × 56,00 €"),
        "billrow-2608000055": ("En retard", "42,00 €", "échéance 20/08/2026 · 90 jours de retard"),
        "billrow-2609000055": ("En retard",),
        "billrow-2610000055": ("En retard",),
        "billrow-2611000055": ("À payer", "échéance 20/11/2026"),
    },
    ("P06", "home"): {"card-product-1000006201": ("49,6 / 50 Go", "Bientôt épuisé")},
    ("P06", "bills"): {
        "billrow-2611000062": (
            "À payer", "31,00 €", "prélevée le 16/11, refusée le 17/11 : provision insuffisante (AM04)", "à payer au plus tard le 01/12/2026",
        ),
        "card-mandate": ("Mandat SCA1000006201 terminé le 17/11/2026 : provision insuffisante.",),
        "card-transfer": ("31,00 €", "01/12/2026"),
    },
    ("P07", "home"): {"card-move": ("En cours", "Vers Naamsestraat 55, 3000 Leuven", "Arrêt de l'ancienne ligne mar. 15/12")},
    ("P07", "appointments"): {
        "card-visit-A1000007901": ("Déménagement · mercredi 16 décembre 2026, 08:00 – 12:00", "Confirmé", "Fait partie du déménagement."),
    },
    ("P07", "account"): {"card-contact": ("Thomas Janssens", "Eva Maes")},
    ("P08", "home"): {"card-product-1000008601": ("Bouquet Sport",)},
    ("P08", "bills"): {
        "billrow-2610900086": ("Note de crédit", "30,00 €", "sur la facture 2611000086", "visite du 21/10/2026"),
        "billrow-2611000086": ("À payer", "reste 28,99 € sur 58,99 €"),
    },
    ("P08", "appointments"): {"card-visits-past": ("21/10/2026", "N'a pas eu lieu", "Manqué par nous : 30,00 € de compensation.")},
    ("P09", "home"): {
        "shell": ("Période du 20/10 au 19/11",),
        "card-product-1000009301": ("590 / 2 000 Mo 1 jour restant · prévision 610 Mo",),
    },
    ("P09", "bills?bill=next"): {
        "billrow-next": ("05/12/2026", "env. 10,93 €"),
        "drawer": ("8,00 € × 11/30 (20/11 – 30/11) + 2,93 €", "10,93 €", "ancien modèle", "aucun jour n'est compté deux fois"),
    },
    ("P09", "account"): {"card-messages": ("Votre facture change",)},
    ("P10", "account"): {"card-contact": ("Deutsch",), "card-messages": ("Ihre Rechnung 2611000109",)},
    ("P10", "bills"): {"billrow-2611000109": ("Payée", "47,00 €", "prélevée le 16/11/2026"), "card-mandate": ("BE02 •••• •••• 1040",)},
    ("P11", "appointments"): {
        "card-visit-A1000011602": (
            "Réparation · jeudi 19 novembre 2026, 08:00 – 12:00", "Confirmé", "Modifiable jusqu'au mer. 18/11 à 18:00 (encore 8 h).",
            "Deuxième visite dans les 14 jours : gratuite.", "Déplacer",
        ),
        "card-visits-past": ("10/11/2026", "Effectué", "50,00 € facturés."),
    },
    ("P12", "bills"): {
        "card-band": ("Rétractation jusqu'au 30/11/2026", "mandat en attente de signature"),
        "card-first_bill": (
            "Pas encore de facture", "05/12/2026", "environ 42,00 €", "14,00 € (16/11 – 30/11) + 28,00 € (décembre 2026).",
        ),
        "card-mandate": ("Signature en attente", "BE77 •••• •••• 1242"),
    },
    ("P12", "account"): {"card-documents": ("Carte d'identité", "À vérifier")},
    ("P12", "usage"): {"card-usage-chart": ("12 minutes et 120 Mo depuis le 16/11.", "à partir de trois jours")},
    ("P13", "home"): {
        "card-band": ("Clôturé", "Modem non rendu"),
        "shell": ("Contrat terminé le 18/09/2026.", "La boîte mail reste ouverte jusqu'au 18/03/2028."),
    },
    ("P13", "bills"): {
        "billrow-2609000130": ("Payée", "32,00 €", "payée le 14/09/2026"),
        "billrow-2609900130": ("Note de crédit", "12,80 €", "sur la facture 2609000130", "remboursée le 25/09/2026"),
    },
    ("P13", "account"): {"card-left": ("Contrat terminé", "18/09/2026", "Modem non rendu", "18/03/2028")},
}  # fmt: skip
"""What is to be read, by customer and address, in which part of the screen."""


@pytest.fixture(scope="module")
def desk(chromium: Browser, server: Server) -> Iterator[Page]:
    """An agent who stays signed in for all these tests."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="fr-BE", timezone_id="Europe/Brussels")
    page = context.new_page()
    sign_in(page, server, "agent")
    yield page
    context.close()


def show(desk: Page, server: Server, who: str, address: str) -> None:
    """Open a customer's file at a tab."""
    path, _, query = address.partition("?")
    desk.goto(f"{server.url}/{path}?customer={NUMBERS[who]}&{query}")
    desk.wait_for_selector(key("card-band"))
    settled(desk)


def read(part: Locator) -> str:
    """Return what a part of the screen says, with plain single blanks."""
    return re.sub(r"\s+", " ", part.inner_text())


def pdf_text(desk: Page, bill_no: str) -> str:
    """Download a bill and return its text."""
    with desk.expect_download() as download:
        desk.locator(f"{key(f'bills:pdf:{bill_no}')} button").click()
    pages = PdfReader(BytesIO(Path(download.value.path()).read_bytes())).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def test_nobody_is_left_out() -> None:
    assert {who for who, _address in TOLD} == set(NUMBERS)


@pytest.mark.parametrize(("who", "address"), TOLD, ids=lambda part: part)
def test_the_tab_tells_the_state(desk: Page, server: Server, who: str, address: str) -> None:
    show(desk, server, who, address)
    for name, sentences in TOLD[who, address].items():
        part = desk.locator(key(name))
        expect(part).to_be_visible()
        said = read(part)
        for sentence in sentences:
            assert sentence in said, (name, said)


class TestP02:
    def test_has_settled_24_bills(self, desk: Page, server: Server) -> None:
        show(desk, server, "P02", "bills")
        desk.locator(f"{key('bills:more')} button").click()
        rows = desk.locator("[class*='st-key-billrow-2']")
        expect(rows).to_have_count(24)
        settled(desk)
        assert all("Payée" in read(row) for row in rows.all())


class TestP03:
    def test_stands_still_once_the_gigabyte_of_this_morning_is_taken_back(self, desk: Page, server: Server) -> None:
        show(desk, server, "P03", "home")
        desk.locator(f"{key('home:undo:O1000003101')} button").click()
        card = desk.locator(key("card-product-1000003101"))
        expect(card).not_to_contain_text("Volume ajouté")
        settled(desk)
        assert "Bloqué par le plafond" in read(card)


class TestP04:
    def test_has_vat_once_and_its_order_reference_on_the_bill(self, desk: Page, server: Server) -> None:
        show(desk, server, "P04", "bills")
        text = pdf_text(desk, "2611000048")
        for told in ("72,73", "15,27", "88,00", "BM-2026"):
            assert told in text


class TestP10:
    def test_reads_bills_in_german(self, desk: Page, server: Server) -> None:
        show(desk, server, "P10", "bills")
        text = pdf_text(desk, "2611000109")
        assert "Rechnung" in text
        assert "47,00" in text
        assert "Facture" not in text

    def test_reads_messages_in_german(self, desk: Page, server: Server) -> None:
        show(desk, server, "P10", "account")
        desk.get_by_role("button", name="Ihre Rechnung 2611000109").click()
        drawer = desk.locator(key("drawer"))
        expect(drawer).to_contain_text("Ihre Rechnung liegt bereit")
        assert "47,00 €, fällig am 15.11.2026" in read(drawer)

    def test_can_have_one_of_the_two_call_options(self, desk: Page, server: Server) -> None:
        show(desk, server, "P10", "home")
        desk.locator(f"{key('home:options:1000010901:phone')} button").click()
        desk.locator(f"{key('home:option:1000010901:TEL_OFFPEAK')} label").click()
        review = desk.locator(key("card-review"))
        expect(review).to_be_visible()
        settled(desk)
        assert "Remplace Appels gratuits en heures pleines" in read(review)
        desk.locator(f"{key('home:review:cancel')} button").click()
        expect(review).to_be_hidden()


class TestP13:
    @pytest.mark.parametrize(
        ("tab", "control"),
        [
            ("home", "home:options:1000013001:internet"), ("home", "home:move"), ("bills", "bills:mandate:save"), ("account", "account:edit"),
            ("account", "account:upload"), ("appointments", "appointments:plan"),
        ],
    )  # fmt: skip
    def test_can_be_read_and_not_changed(self, desk: Page, server: Server, tab: str, control: str) -> None:
        show(desk, server, "P13", tab)
        assert desk.locator(key(control)).count() == 0
