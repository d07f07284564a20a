"""Twelve calls of a day at the desk, each within its clicks: what the agent must see, what he does, and what is true afterwards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, Make, key, settled, sign_in
from tests.browser.walker import Walker

NOA = "1000001705"
CARD = ROOT / "tests" / "corpus" / "ok_id.png"


class Agent(Walker):
    """An agent whose clicks and confirmed searches are counted; typing is free."""

    used = 0

    def finds(self, term: str) -> None:
        """Type into the search box and confirm."""
        box = self.page.locator(f"{key('desk:search')} input")
        box.fill(term)
        box.press("Enter")
        self.used += 1
        self.page.wait_for_selector(key("card-band"))
        settled(self.page)

    def clicks(self, name: str) -> None:
        self.used += 1
        super().clicks(name)
        settled(self.page)

    def ticks(self, name: str) -> None:
        self.used += 1
        super().ticks(name)
        settled(self.page)

    def closes(self) -> None:
        """Close the drawer by its key."""
        drawer = self.part("drawer")
        drawer.wait_for()
        self.page.keyboard.press("Escape")
        drawer.wait_for(state="hidden")

    def presses(self, name: str, keys: str) -> None:
        """Change a toggle or a box from the keyboard: that is typing."""
        self.part(name).locator("input").press(keys)
        settled(self.page)

    def goes(self, tab: str) -> None:
        """Go to another tab of the file."""
        self.used += 1
        self.opens_tab(tab)

    def opens_tab(self, tab: str) -> None:
        """Look at another tab, after the call."""
        self.part("tabs").locator(f"a[href*='{tab}?']").click()
        settled(self.page)

    def hands_in(self, file: Path) -> None:
        """Drop a file onto the page."""
        self.part("account:upload").locator("input[type=file]").set_input_files(file)
        settled(self.page)

    def follows(self, part: str, words: str) -> None:
        """Click a link of a part of the screen by its words."""
        self.used += 1
        self.part(part).get_by_role("link").filter(has_text=words).first.click()
        settled(self.page)


@pytest.fixture
def agent(make_server: Make, someone: Callable[[], Page]) -> Agent:
    """An agent at the desk on the first day, on data of his own."""
    server = make_server()
    found = Agent(someone(), server)
    sign_in(found.page, server, "agent", "/customers")
    return found


def test_c01_why_will_my_next_bill_be_so_high(agent: Agent) -> None:
    agent.finds("0470 00 00 12")
    agent.follows("card-band", "Prochaine facture")
    agent.sees("drawer", "146,00 €", "62,00 €", "6,00 €", "1 240 Mo")
    assert agent.used <= 3
    agent.follows("drawer", "Ajouter")
    agent.sees("card-review", "5 Go par mois", "4,33 €")
    agent.clicks("home:review:confirm")
    agent.clicks(f"home:settings:{NOA}")
    agent.chooses(f"home:cap:{NOA}:choice", "0,00 € : numéros surtaxés et étranger bloqués aussi")
    agent.clicks(f"home:cap:{NOA}:save")
    agent.sees("drawer", "Enregistré.")
    assert agent.used <= 7


def test_c04_you_took_nothing_from_my_account(agent: Agent) -> None:
    agent.finds("Marie Claes")
    agent.follows("card-band", "Solde ouvert")
    agent.sees("card-bills", "prélevée le 16/11, refusée le 17/11 : provision insuffisante (AM04) · à payer au plus tard le 01/12/2026")
    agent.sees("card-transfer", "31,00 €", "+++261/1000/06240+++")
    agent.types("bills:mandate:iban", "BE68 5390 0754 7034")
    agent.presses("bills:mandate:consent", "Space")
    agent.clicks("bills:mandate:save")
    agent.sees("card-mandate", "La première facture prélevée est celle du 05/12/2026, le 15/12/2026", "Signature en attente")
    agent.sees("card-bills", "31,00 €", "À payer")
    assert agent.used <= 3


def test_c05_the_technician_never_came(agent: Agent) -> None:
    agent.finds("Ahmed Haddad")
    agent.follows("card-band", "Rendez-vous")
    agent.sees("card-visits-past", "21/10/2026", "30,00 €")
    agent.sees("card-band", "28,99 €")
    agent.clicks("appointments:confirm")
    agent.sees("card-band", "jeu. 19/11")
    assert agent.used <= 3
    agent.opens_tab("account")
    agent.sees("card-messages", "Votre rendez-vous")
    agent.opens_tab("bills")
    agent.sees("card-bills", "28,99 €")
    assert agent.part("card-bills").get_by_text("Note de crédit").count() == 1


def test_c06_not_tomorrow_please(agent: Agent) -> None:
    agent.finds("A1000011602")
    agent.sees("card-visit-A1000011602", "jeudi 19 novembre 2026, 08:00 – 12:00", "Modifiable jusqu'au mer. 18/11 à 18:00")
    agent.clicks("appointments:confirm")
    agent.sees("card-visit-A1000011602", "lundi 23 novembre 2026")
    assert agent.used <= 2


def test_c07_free_calls_in_the_evening_instead(agent: Agent) -> None:
    agent.finds("10000109")
    agent.clicks("home:options:1000010901:phone")
    agent.presses("home:option:1000010901:TEL_OFFPEAK", "Space")
    agent.sees("card-review", "Remplace", "05/12", "Annulable")
    agent.clicks("home:review:confirm")
    agent.sees("card-changes", "annulable jusqu'à 23:59")
    assert agent.used <= 3


def test_c08_when_do_i_pay_and_how_much(agent: Agent) -> None:
    agent.finds("Lucas De Smet")
    agent.sees("card-band", "05/12 · env. 42,00 €", "14,00 € + 28,00 €", "mandat en attente de signature")
    agent.goes("account")
    agent.hands_in(CARD)
    agent.clicks("account:upload:save")
    agent.sees("card-documents", CARD.name, "À vérifier", "copie effacée le 18/12/2026 au plus tard")
    assert agent.used <= 3


def test_c09_we_get_the_keys_a_week_later(agent: Agent) -> None:
    agent.finds("Thomas Janssens")
    agent.sees("card-move", "mer. 16/12, 08 – 12 h", "mar. 15/12")
    agent.clicks("home:move")
    agent.clicks("home:move:postpone")
    agent.sees("card-move", "mer. 23/12")
    agent.sees("card-band", "mer. 23/12")
    assert agent.used <= 3


def test_c10_why_do_i_get_an_odd_bill(agent: Agent) -> None:
    agent.finds("Lucienne Moreau")
    agent.follows("card-band", "Prochaine facture")
    agent.sees("drawer", "8,00 € × 11/30", "2,93 €", "10,93 €", "ancien modèle", "Il n'y a donc pas de facture le 20/11/2026.")
    assert agent.used <= 2


def test_c11_where_is_my_money(agent: Agent) -> None:
    agent.finds("Nathalie Wouters")
    agent.follows("card-band", "Solde ouvert")
    agent.sees("card-band", "Modem non rendu")
    agent.sees("card-bills", "12,80 €", "remboursée le 25/09/2026", "1343", "32,00 €")
    assert agent.used <= 2


def test_c12_our_accounting_has_not_received_it(agent: Agent) -> None:
    agent.finds("2611000048")
    agent.closes()
    agent.clicks("bills:details:2611000048")
    agent.sees("drawer", "88,00 €", "Envoyée le", "05/11/2026 06:00", "3cc00332")
    agent.clicks("bills:einvoice:2611000048")
    agent.sees("drawer", "18/11/2026 10:00")
    assert agent.used <= 3


def test_c03_i_paid_and_i_am_cut_off(agent: Agent) -> None:
    box = agent.page.locator(f"{key('desk:search')} input")
    box.fill("+++261/1000/05513+++")
    box.press("Enter")
    agent.used += 1
    agent.page.get_by_text("Voici les plus proches").wait_for()
    agent.follows("desk:hit:10000055", "Kevin Dubois")
    agent.closes()
    agent.sees("card-arrears", "126,00 € en retard", "Services suspendus depuis le 10/11 ; le 112 reste joignable.", "3 × 56,00 €")
    agent.clicks("bills:plan:accept")
    agent.sees("card-band", "Actif")
    agent.clicks("bills:payment:add")
    agent.types("bills:payment:add:amount", "56,00")
    agent.types("bills:payment:add:comment", "Extrait de compte vu")
    agent.clicks("bills:payment:add:save")
    agent.sees("card-bills", "Dans le plan")
    agent.sees("card-band", "112,00 €")
    assert agent.used <= 5


def test_c02_is_the_peak_option_worth_it(agent: Agent) -> None:
    agent.finds("Peeters, Mechelen")
    agent.clicks("home:options:1000002401:phone")
    agent.sees("drawer", "45 min ont coûté 2,25 €", "coûte 5,00 € par mois", "NL: 45 min kostten € 2,25", "ze had niet geloond")
    assert agent.used <= 2
