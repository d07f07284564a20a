"""The tab of bills, clicked through as an agent, a reader and a customer."""

import re
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM
from core.models.communication import Communication
from core.models.customer import Customer, CustomerStatus
from core.models.mandate import Mandate, MandateState
from core.services import bills, collections, payment_plans, payments
from core.services.bill_words import CreditReason
from tests.builders import make_customer, make_product
from tests.pages.conftest import NewDemo
from tests.services import money_stories

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
PAGE = "../pages/bills.py"
IBAN = "BE46539000000636"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day, without customers, on a database of its own."""
    with new_demo():
        pass


def customer(session: Session, *months: int, plan: str = "TRIO", since: date = date(2022, 1, 1)) -> Customer:
    """A customer with the bills of some months of 2026."""
    found = make_customer(session, customer_no="10000017")
    make_product(session, found, plan, since=since)
    for month in months:
        money_stories.bill(session, found, date(2026, month, 5), bill_no=f"26{month:02d}000017")
    return found


def open_tab(who: str = "agent", **query: str) -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    for name, value in {"customer": "10000017", **query}.items():
        screen.query_params[name] = value
    screen.switch_page(PAGE).run()
    assert not screen.exception
    return screen


def click(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click().run()
    assert not screen.exception
    return screen


def has(screen: AppTest, key: str) -> bool:
    return any(button.key == key for button in screen.button)


def texts(screen: AppTest) -> str:
    """Return all that is written, with plain blanks in amounts."""
    kinds = (screen.markdown, screen.caption, screen.subheader, screen.success, screen.error, screen.get("html"))
    found = "\n".join(str(getattr(element, "value", None) or element.proto.body) for kind in kinds for element in kind)
    return re.sub(r"\\(.)", r"\1", found.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " "))


def rows(screen: AppTest) -> int:
    return len([button for button in screen.get("download_button") if button.proto.id.find("bills:pdf:") >= 0])


class TestList:
    def test_shows_twelve_then_the_rest(self) -> None:
        with db.transaction() as session:
            found = customer(session)
            for months in range(14):
                money_stories.bill(session, found, clock.add_months(money_stories.NOVEMBER, -months))
        screen = open_tab()
        assert rows(screen) == 12
        assert screen.button(key="bills:more").label == "Voir 2 de plus"
        assert rows(click(screen, "bills:more")) == 14

    def test_older_bills_come_on_request(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            money_stories.bill(session, found, date(2023, 5, 5))
        screen = open_tab()
        assert rows(screen) == 1
        assert rows(click(screen, "bills:more")) == 2
        assert not has(screen, "bills:more")

    def test_the_filter_keeps_what_is_to_pay(self) -> None:
        with db.transaction() as session:
            found = customer(session, 10, 11)
            payments.record(session, SYSTEM, customer_id=found.id, received_on=date(2026, 10, 12), amount_cents=4200)
        screen = open_tab()
        screen.segmented_control(key="bills:filter").set_value("open").run()
        assert "2611000017 · échéance 20/11/2026" in texts(screen)
        assert "2610000017" not in texts(screen)

    def test_a_credit_note_names_its_bill_and_what_is_left(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            bills.issue_credit_note(
                session, SYSTEM, customer_id=found.id, bill_no="2611000017", reason=CreditReason.MISSED_VISIT, since=date(2026, 10, 21)
            )
        told = texts(open_tab())
        assert "reste 12,00 € sur 42,00 €" in told
        assert "sur la facture 2611000017 : Indemnité : nous avons manqué la visite du 21/10/2026" in told

    def test_what_is_left_of_a_credit_goes_off_the_estimate(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            payments.record(session, SYSTEM, customer_id=found.id, received_on=date(2026, 11, 12), amount_cents=4200)
            bills.issue_credit_note(
                session, SYSTEM, customer_id=found.id, bill_no="2611000017", reason=CreditReason.MISSED_VISIT, since=date(2026, 10, 21)
            )
        screen = open_tab()
        told = texts(screen)
        assert "moins 30,00 € de crédit : 12,00 € à payer" in told
        band = " ".join(link.proto.label for link in screen.get("page_link"))
        assert "30,00 € de crédit en moins" in band.replace("\N{NO-BREAK SPACE}", " ")

    def test_a_bill_that_was_only_credited_is_not_called_paid(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            bills.issue_credit_note(
                session, SYSTEM, customer_id=found.id, bill_no="2611000017", reason=CreditReason.MISSED_VISIT, since=date(2026, 10, 21)
            )
        told = texts(open_tab())
        assert "À payer" in told
        assert "Payée" not in told

    def test_a_new_customer_reads_when_the_first_bill_comes(self) -> None:
        with db.transaction() as session:
            customer(session, plan="CHILI", since=date(2026, 11, 16))
        told = texts(open_tab())
        assert "Pas encore de facture" in told
        assert "**05/12/2026**, pour environ **42,00 €** : 14,00 € (16/11 – 30/11) + 28,00 € (décembre 2026)." in told
        assert "Par virement, elle est à payer au plus tard le 20/12/2026 ; par domiciliation, elle est prélevée le 15/12/2026." in told

    def test_a_closed_file_is_read_only(self) -> None:
        with db.transaction() as session:
            customer(session, 9).status = CustomerStatus.CLOSED
        screen = open_tab()
        assert not has(screen, "bills:mandate:save")
        assert not has(screen, "bills:explain:next")


class TestArrears:
    def test_says_cause_consequence_and_what_comes(self) -> None:
        with db.transaction() as session:
            found = customer(session, 8, 9, 10, 11)
            found.status, found.status_since = CustomerStatus.SUSPENDED, date(2026, 11, 10)
            payment_plans.propose_plan(session, SYSTEM, customer_id=found.id, shown_plan=None)
        told = texts(open_tab())
        assert "126,00 € en retard, le plus ancien depuis le 20/08" in told
        assert "Services suspendus depuis le 10/11 ; le 112 reste joignable." in told
        assert "Le 20/11 serait l'échéance manquée n° 4 de l'année : rappel de 7,50 € au plus." in told
        assert "**3 × 56,00 €** (02/12, 02/01, 02/02)" in told

    def test_is_not_there_when_nothing_is_late(self) -> None:
        with db.transaction() as session:
            customer(session, 11)
        assert "en retard" not in texts(open_tab())


class TestExplanation:
    def test_the_address_opens_it_once(self) -> None:
        with db.transaction() as session:
            customer(session, 10, 11)
        screen = open_tab(bill="2611000017")
        assert "Facture du 05/11/2026, comparée à celle du 05/10/2026 · même montant, pour les mêmes raisons" in texts(screen)
        screen.segmented_control(key="bills:filter").set_value("open").run()
        assert "comparée" not in texts(screen)

    def test_the_estimate_is_explained_too(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            make_product(session, found, "RED", since=date(2026, 11, 16))
        screen = click(open_tab(), "bills:explain:next")
        assert screen.query_params["bill"] == "next"
        assert "Facture estimée du 05/12/2026, comparée à celle du 05/11/2026" in texts(screen)
        assert "8,00 € × 15/30 (16/11 – 30/11)" in texts(screen)
        assert "44,63 € + 9,37 € de TVA (21 %) = 54,00 €" in texts(screen)

    def test_another_customers_bill_opens_nothing(self) -> None:
        with db.transaction() as session:
            customer(session, 11)
            other = make_customer(session)
            make_product(session, other, "RED")
            money_stories.bill(session, other, date(2026, 11, 5), bill_no="2611000099")
        assert "comparée" not in texts(open_tab(bill="2611000099"))


class TestTransfer:
    def test_shows_communication_and_amount_of_the_oldest_open_bill(self) -> None:
        with db.transaction() as session:
            customer(session, 10, 11)
        screen = open_tab()
        assert "+++261/0000/01765+++" in texts(screen)
        screen.selectbox(key="bills:transfer:bill").set_value("2611000017").run()
        assert "+++261/1000/01792+++" in texts(screen)

    def test_is_not_there_when_nothing_is_open(self) -> None:
        with db.transaction() as session:
            found = customer(session, 11)
            payments.record(session, SYSTEM, customer_id=found.id, received_on=date(2026, 11, 12), amount_cents=4200)
        assert "Payer par virement" not in texts(open_tab())


def mandate() -> tuple[MandateState, str, str]:
    """Return state, reference and account of the only mandate."""
    with db.reading() as session:
        row = session.exec(select(Mandate)).one()
        return row.state, row.umr, row.iban


def sent_code() -> str:
    with db.reading() as session:
        query = select(Communication.body).where(col(Communication.template) == "mandate_code").order_by(col(Communication.id).desc())
        found = re.search(r"\d{6}", session.exec(query).first() or "")
    assert found
    return found[0]


class TestMandate:
    @pytest.fixture(autouse=True)
    def _customer(self, demo: None) -> None:
        with db.transaction() as session:
            customer(session, 11)

    def _asked(self, screen: AppTest, iban: str = IBAN, *, consent: bool = True) -> AppTest:
        screen.text_input(key="bills:mandate:iban").input(iban)
        screen.checkbox(key="bills:mandate:consent").set_value(consent)
        return click(screen, "bills:mandate:save")

    def _signed(self, screen: AppTest) -> AppTest:
        screen.text_input(key="bills:mandate:code").input(sent_code())
        return click(screen, "bills:mandate:sign")

    def test_is_asked_for_and_signed_with_the_code(self) -> None:
        screen = self._asked(open_tab())
        assert "BE46 •••• •••• 0636" in texts(screen)
        assert mandate()[0] is MandateState.PENDING_SIGNATURE
        screen = self._signed(screen)
        assert "La première facture prélevée est celle du 05/12/2026, le 15/12/2026" in texts(screen)
        assert mandate()[0] is MandateState.ACTIVE

    @pytest.mark.parametrize(
        ("iban", "consent", "told"),
        [
            ("BE46539000000637", True, "Les chiffres de contrôle ne correspondent pas"),
            ("BE4653900000063", True, "Un numéro BE compte 16 caractères ; celui-ci en a 15."),
            ("US46539000000636", True, "US n'est pas un pays où la domiciliation fonctionne."),
            (IBAN, False, "Acceptez le préavis de 10 jours"),
        ],
    )
    def test_says_what_must_change(self, iban: str, told: str, *, consent: bool) -> None:
        screen = self._asked(open_tab(), iban, consent=consent)
        assert told in texts(screen)
        with db.reading() as session:
            assert session.exec(select(Mandate)).first() is None

    def test_a_wrong_code_counts(self) -> None:
        screen = self._asked(open_tab())
        screen.text_input(key="bills:mandate:code").input("12345")
        assert "Essais restants : 4." in texts(click(screen, "bills:mandate:sign"))

    def test_the_account_is_changed_under_the_same_reference(self) -> None:
        screen = self._signed(self._asked(open_tab()))
        umr = mandate()[1]
        screen = self._signed(self._asked(screen, "BE77539000001242"))
        assert "BE77 •••• •••• 1242" in texts(screen)
        assert mandate() == (MandateState.ACTIVE, umr, "BE77539000001242")

    def test_is_ended(self) -> None:
        screen = click(self._signed(self._asked(open_tab())), "bills:mandate:cancel")
        assert "La domiciliation a pris fin." in texts(screen)
        assert mandate()[0] is MandateState.CANCELLED

    def test_what_was_typed_on_one_file_does_not_follow_to_the_next(self) -> None:
        with db.transaction() as session:
            make_customer(session, customer_no="10000024", given_name="Kevin", family_name="Dubois")
        screen = open_tab()
        for field, typed in (("holder", "Somebody Else"), ("iban", IBAN)):
            screen.text_input(key=f"bills:mandate:{field}").input(typed)
        screen.checkbox(key="bills:mandate:consent").check().run()
        assert screen.text_input(key="bills:mandate:iban").value == IBAN
        screen.query_params["customer"] = "10000024"
        screen.run()
        assert [screen.text_input(key=f"bills:mandate:{field}").value for field in ("holder", "iban")] == ["Kevin Dubois", ""]
        assert not screen.checkbox(key="bills:mandate:consent").value

    def test_tells_why_the_bank_ended_it(self) -> None:
        with db.transaction() as session:
            found = session.exec(select(Customer)).one()
            money_stories.mandate(session, found)
            money_stories.bill(session, found, date(2026, 11, 4), bill_no="2611000062")
            collections.collect(session, SYSTEM, customer_id=found.id, bill_no="2611000062")
            collections.return_collection(session, SYSTEM, customer_id=found.id, bill_no="2611000062", code="AM04", day=date(2026, 11, 17))
        told = texts(open_tab())
        assert "terminé le 18/11/2026 : provision insuffisante." in told
        assert "prélevée le 16/11, refusée le 17/11 : provision insuffisante (AM04) · à payer au plus tard le 01/12/2026" in told

    def test_a_reader_is_offered_nothing(self) -> None:
        screen = open_tab("viewer")
        assert not has(screen, "bills:mandate:save")
