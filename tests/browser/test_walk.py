"""A day's work in the six tabs, as an agent and as a customer: each tab is written on, the server restarts, and all of it is still there."""

import re
from collections.abc import Callable
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.browser.conftest import ROOT, Make, key, settled, sign_in
from tests.browser.walker import Walker

FILE = "?customer=10000017"
NOA = "1000001705"
OPTION = f"home:option:{NOA}:MOB_DATA_5G"
BILL = "2611000017"
IBAN, MASKED = "BE68 5390 0000 0434", "BE68 •••• •••• 0434"
CODE_MESSAGE = "Code de signature de votre domiciliation"
CARD = ROOT / "tests" / "corpus" / "ok_id.png"
OLD_PASSWORD, NEW_PASSWORD = "demo-Guichet-2026", "vier natte lantaarns"


def test_an_agent_finds_all_he_did_again_after_a_restart(make_server: Make, someone: Callable[[], Page]) -> None:
    server = make_server()
    agent = Walker(someone(), server, FILE)
    sign_in(agent.page, server, "agent", f"/home{FILE}")

    switches_5_gb_on(agent)
    moves_the_alert(agent)
    asks_for_direct_debit(agent)
    understands_the_next_bill(agent)
    takes_the_bill_along(agent)
    signs(agent, code=reads_the_code(agent))
    changes_the_phone(agent, "0470 00 00 21")
    hands_in_a_document(agent)
    sends_a_link_to_a_new_password(agent)
    visit = books_a_visit(agent)
    day = moves_the_visit(agent, visit)
    filters = filters_the_use_of_noa(agent)

    server.restart()
    agent = Walker(someone(), server, FILE)
    sign_in(agent.page, server, "agent", f"/home{FILE}")

    finds_5_gb(agent)
    finds_the_alert(agent)
    finds_direct_debit(agent)
    finds_the_phone(agent, "0470 00 00 21")
    finds_the_document(agent)
    finds_the_link(agent)
    finds_the_visit(agent, visit, day)
    finds_the_filters(agent, filters)


def test_a_customer_finds_all_she_did_again_after_a_restart(make_server: Make, someone: Callable[[], Page]) -> None:
    server = make_server()
    sophie = Walker(someone(), server)
    sign_in(sophie.page, server, "p01", "/home")

    switches_5_gb_on(sophie)
    caps_the_line(sophie)
    asks_for_direct_debit(sophie)
    understands_the_next_bill(sophie)
    takes_the_bill_along(sophie)
    signs(sophie, code=reads_the_code(sophie))
    moves_house_in_town(sophie)
    hands_in_a_document(sophie)
    chooses_a_question(sophie)
    changes_the_password(sophie)
    visit = books_a_visit(sophie)
    day = moves_the_visit(sophie, visit)
    filters = filters_the_use_of_noa(sophie)

    server.restart()
    sophie = Walker(someone(), server)
    signs_in_with_the_new_password(sophie)

    finds_5_gb(sophie)
    finds_the_cap(sophie)
    finds_direct_debit(sophie)
    finds_the_address(sophie)
    finds_the_document(sophie)
    finds_the_code_read(sophie)
    finds_the_question(sophie)
    finds_the_visit(sophie, visit, day)
    finds_the_filters(sophie, filters)


def test_an_option_can_be_undone_until_its_day_is_over(make_server: Make, someone: Callable[[], Page]) -> None:
    server = make_server()
    agent = Walker(someone(), server, FILE)
    sign_in(agent.page, server, "agent", f"/home{FILE}")

    switches_5_gb_on(agent)
    agent.sees("card-changes", "annulable jusqu'à 23:59")
    agent.page.locator("[class*='st-key-home-undo-'] button").click()
    agent.sees("card-changes", "annulée : Activation de « 5 Go par mois »")
    expect(agent.part(f"card-product-{NOA}")).not_to_contain_text("5 Go par mois")

    switches_5_gb_on(agent)
    lets_the_day_pass(agent)
    agent.opens("home")
    agent.sees(f"card-product-{NOA}", "5 Go par mois")
    expect(agent.page.locator("[class*='st-key-home-undo-']")).to_have_count(0)


# Accueil


def switches_5_gb_on(who: Walker) -> None:
    who.opens("home")
    who.clicks(f"home:options:{NOA}:mobile")
    who.ticks(OPTION)
    who.sees(
        "card-review", "« 5 Go par mois »", "10,00 € × 13/30 = 4,33 € (18/11 – 30/11)", "78,00 € → 88,00 €", "aujourd'hui jusqu'à 23:59"
    )
    who.clicks("home:review:confirm")
    who.sees("card-changes", "5 Go par mois", "annulable jusqu'à 23:59")


def finds_5_gb(who: Walker) -> None:
    who.opens("home")
    who.sees(f"card-product-{NOA}", "5 Go par mois")
    who.sees("card-changes", "5 Go par mois", "annulable jusqu'à 23:59")
    who.clicks(f"home:options:{NOA}:mobile")
    expect(who.field(OPTION)).to_be_checked()


def moves_the_alert(who: Walker) -> None:
    who.clicks(f"home:settings:{NOA}")
    who.chooses(f"home:alert:{NOA}:overCents", "à partir de 75,00 €")
    who.clicks(f"home:alert:{NOA}:save")
    expect(who.page.get_by_text("Enregistré.")).to_be_visible()


def finds_the_alert(who: Walker) -> None:
    who.opens("home")
    who.clicks(f"home:settings:{NOA}")
    expect(who.field(f"home:alert:{NOA}:overCents")).to_have_value(re.compile(r"75,00"))


def caps_the_line(who: Walker) -> None:
    who.clicks(f"home:settings:{NOA}")
    who.chooses(f"home:cap:{NOA}:choice", "25,00 €")
    who.clicks(f"home:cap:{NOA}:save")
    expect(who.page.get_by_text("Enregistré.")).to_be_visible()


def finds_the_cap(who: Walker) -> None:
    who.opens("home")
    who.clicks(f"home:settings:{NOA}")
    expect(who.field(f"home:cap:{NOA}:choice")).to_have_value(re.compile(r"25,00"))


def lets_the_day_pass(who: Walker) -> None:
    who.part("topbar-right").get_by_role("button").first.click()
    who.clicks("demo:clock:day")
    who.sees("topbar-right", "jeu. 19/11")


# Factures et paiements


def asks_for_direct_debit(who: Walker) -> None:
    who.opens("bills")
    who.types("bills:mandate:iban", IBAN)
    who.ticks("bills:mandate:consent")
    who.clicks("bills:mandate:save")
    who.sees("card-mandate", "Signature en attente", MASKED)


def signs(who: Walker, code: str) -> None:
    who.opens("bills")
    who.types("bills:mandate:code", code)
    who.clicks("bills:mandate:sign")
    who.sees("card-mandate", "Actif")


def finds_direct_debit(who: Walker) -> None:
    who.opens("bills")
    who.sees("card-mandate", "Actif", MASKED, "Signé le 18/11/2026")
    who.sees("card-band", "Paiement Domiciliation")


def understands_the_next_bill(who: Walker) -> None:
    who.clicks("bills:explain:next")
    who.sees("drawer", "Noa : 1 240 Mo × 0,05 € + 62,00 €")
    assert parse_qs(urlsplit(who.page.url).query)["bill"] == ["next"]
    who.page.keyboard.press("Escape")
    expect(who.part("drawer")).to_be_hidden()


def takes_the_bill_along(who: Walker) -> None:
    file = who.downloads(f"bills:pdf:{BILL}")
    assert file.startswith(b"%PDF")
    assert "78,00" in " ".join(page.extract_text() for page in PdfReader(BytesIO(file)).pages)


# Mon compte


def reads_the_code(who: Walker) -> str:
    """Open the message that holds the code; in a demo the house may read it too."""
    who.opens("account")
    who.page.get_by_role("button", name=CODE_MESSAGE).first.click()
    who.sees("drawer", "est le code")
    found = re.search(r"(\d{6}) est le code", who.part("drawer").inner_text())
    assert found is not None
    return found[1]


def finds_the_code_read(sophie: Walker) -> None:
    row = sophie.page.locator("[class*='st-key-billrow-message-']").filter(has_text=CODE_MESSAGE)
    expect(row).to_contain_text("Lu")


def changes_the_phone(who: Walker, phone: str) -> None:
    who.opens("account")
    who.clicks("account:edit")
    who.types("account:phone", phone)
    who.clicks("account:save")
    who.sees("card-contact", "Enregistré", phone)


def finds_the_phone(who: Walker, phone: str) -> None:
    who.opens("account")
    who.sees("card-contact", f"Téléphone {phone}")


def moves_house_in_town(who: Walker) -> None:
    who.opens("account")
    who.clicks("account:edit")
    who.types("account:street", "Rue de l'Ange")
    who.types("account:number", "3")
    who.clicks("account:save")
    who.sees("card-contact", "Enregistré", "Rue de l'Ange 3, 5000 Namur")


def finds_the_address(who: Walker) -> None:
    who.opens("account")
    who.sees("card-contact", "Adresse Rue de l'Ange 3, 5000 Namur")


def hands_in_a_document(who: Walker) -> None:
    who.part("card-documents").get_by_text("Déposer un document").click()
    who.page.locator(f"{key('account:upload')} input[type=file]").set_input_files(CARD)
    expect(who.part("account:upload:save").get_by_role("button")).to_be_enabled()
    who.clicks("account:upload:save")
    who.sees("card-documents", "À vérifier", CARD.name)


def finds_the_document(who: Walker) -> None:
    who.opens("account")
    who.sees("card-documents", "À vérifier", CARD.name)


# Sécurité


def sends_a_link_to_a_new_password(agent: Walker) -> None:
    agent.opens("security")
    agent.clicks("security:reset")
    agent.sees("card-access", "Le lien est envoyé.")


def finds_the_link(agent: Walker) -> None:
    agent.opens("security")
    agent.sees("card-access", "Lien envoyé valable jusqu'au")


def chooses_a_question(sophie: Walker) -> None:
    sophie.opens("security")
    for name, text in (("question", "Le nom de mon premier chat"), ("answer", "Caramel"), ("question:current", OLD_PASSWORD)):
        sophie.types(f"security:{name}", text)
    sophie.clicks("security:question:save")
    sophie.sees("card-question", "enregistrée")


def finds_the_question(sophie: Walker) -> None:
    sophie.opens("security")
    sophie.sees("card-question", "Le nom de mon premier chat")


def changes_the_password(sophie: Walker) -> None:
    for name, text in (("current", OLD_PASSWORD), ("new", NEW_PASSWORD), ("repeat", NEW_PASSWORD)):
        sophie.types(f"security:{name}", text)
    sophie.clicks("security:save")
    sophie.sees("card-password", "Votre mot de passe est modifié.")


def signs_in_with_the_new_password(sophie: Walker) -> None:
    sophie.page.goto(f"{sophie.server.url}/home")
    sophie.page.get_by_label("Nom d'utilisateur").fill("p01")
    sophie.page.get_by_label("Mot de passe", exact=True).fill(NEW_PASSWORD)
    sophie.page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
    sophie.sees("card-band", "Sophie Lambert")


# Rendez-vous


def books_a_visit(who: Walker) -> str:
    """Plan a visit on the first free half day, and return its number."""
    who.opens("appointments")
    who.clicks("appointments:plan")
    chooses_a_half_day(who, 0)
    who.clicks("appointments:confirm")
    card = who.page.locator("[class*='st-key-card-visit-A']")
    expect(card).to_contain_text("Confirmé")
    settled(who.page)
    found = re.search(r"st-key-card-visit-(A\d+)", card.get_attribute("class") or "")
    assert found is not None
    return found[1]


def moves_the_visit(who: Walker, visit: str) -> str:
    """Put it on the last free half day of the week that is shown, and return when that is."""
    before = when(who, visit)
    who.clicks(f"appointments:move:{visit}")
    chooses_a_half_day(who, -1)
    who.clicks("appointments:confirm")
    expect(who.part(f"card-visit-{visit}")).not_to_contain_text(before)
    settled(who.page)
    assert b"BEGIN:VEVENT" in who.downloads(f"appointments:ics:{visit}")
    return when(who, visit)


def chooses_a_half_day(who: Walker, place: int) -> None:
    who.page.locator("[class*='st-key-appointments-slot-'] button:enabled").nth(place).click()
    expect(who.part("card-review")).to_be_visible()
    settled(who.page)


def when(who: Walker, visit: str) -> str:
    return who.part(f"card-visit-{visit}").get_by_role("heading").inner_text().partition(" · ")[2]


def finds_the_visit(who: Walker, visit: str, day: str) -> None:
    who.opens("appointments")
    who.sees(f"card-visit-{visit}", "Confirmé", day)


# Consommations


def filters_the_use_of_noa(who: Walker) -> str:
    """Choose a line and a kind, take the rows along, and return what the address holds then."""
    who.opens("usage")
    who.chooses("usage:line", "Noa · 0470 00 00 12")
    who.page.wait_for_url(f"**line={NOA}*")
    settled(who.page)
    who.chooses("usage:kind", "Données")
    who.page.wait_for_url("**kind=data*")
    settled(who.page)
    rows = who.downloads("usage:csv").decode("utf-8-sig").splitlines()
    assert len(rows) > 10
    assert all("Noa" in row and "Données" in row for row in rows[1:])
    return urlsplit(who.page.url).query


def finds_the_filters(who: Walker, query: str) -> None:
    who.page.goto(f"{who.server.url}/usage?{query}")
    who.sees("card-usage-rows", "Noa · 0470 00 00 12")
    expect(who.part("card-usage-rows")).not_to_contain_text("Amadou")
    expect(who.field("usage:line")).to_have_value(re.compile("Noa"))
    expect(who.field("usage:kind")).to_have_value("Données")
