"""Mon compte, clicked through as an agent and as a customer."""

from datetime import date

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.actor import SYSTEM, Actor, Role
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus, EmailVerification
from core.models.document import Document, DocumentKind, DocumentState
from core.models.interaction import Task
from core.models.user import UserSession
from core.services import communications, contacts, documents, notes
from core.settings import ROOT
from core.ui import personal_data_card
from tests.builders import AGENT, make_customer
from tests.pages.conftest import NewDemo
from tests.services.test_contacts import FORM

SHELL = ROOT / "core" / "shell.py"
CORPUS = ROOT / "tests" / "corpus"
NASTY = "**x** ![x](http://127.0.0.1:9/beacon.png)"


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer, on a database and a document store of its own."""
    with new_demo() as session:
        make_customer(session, customer_no="10000017")


def open_tab(who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page("../pages/account.py").run()
    assert not screen.exception
    return screen


def click(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click().run()
    assert not screen.exception
    return screen


def keys(screen: AppTest) -> set[str]:
    return {str(button.key) for button in screen.button}


def facts(screen: AppTest) -> str:
    return " ".join(html.proto.body for html in screen.get("html"))


def texts(screen: AppTest) -> str:
    return " ".join(text.value for text in screen.text)


def customer_id() -> int:
    with db.reading() as session:
        return session.exec(select(Customer.id)).one()


def write(template: str = "password_changed", **params: object) -> int:
    with db.transaction() as session:
        return communications.send(session, SYSTEM, customer_id=customer_id(), template=template, params=params)


def close_file() -> None:
    with db.transaction() as session:
        customer = session.exec(select(Customer)).one()
        customer.status, customer.mailbox_until = CustomerStatus.CLOSED, date(2028, 3, 18)
        session.add_all([customer, Task(customer_id=customer.id, code="modem_not_returned", created_at=clock.now())])


def hand_in(kind: DocumentKind = DocumentKind.ID_CARD) -> str:
    with db.transaction() as session:
        data = (CORPUS / "ok_gray.jpg").read_bytes()
        return documents.add(session, SYSTEM, customer_id=customer_id(), kind=kind, name="scan.jpg", data=data).document_no


class TestContactData:
    def test_shows_them_as_labels_and_values(self) -> None:
        shown = facts(open_tab())
        for value in ("Sophie Lambert", "sophie@example.be", "0470 00 00 01", "Rue de Fer 12, 5000 Namur", "par e-mail (PDF)"):
            assert value in shown

    def test_says_that_a_customer_without_an_email_gets_letters(self) -> None:
        with db.transaction() as session:
            medium = session.exec(select(ContactMedium).where(ContactMedium.kind == ContactKind.EMAIL)).one()
            medium.until_at = clock.now()
        assert "par la poste" in facts(open_tab())

    def test_fills_the_form_with_what_is_stored(self) -> None:
        screen = click(open_tab(), "account:edit")
        filled = {
            name: screen.text_input(key=f"account:{name}").value for name in ("email", "phone", "street", "number", "postcode", "town")
        }
        assert list(filled.values()) == ["sophie@example.be", "0470 00 00 01", "Rue de Fer", "12", "5000", "Namur"]

    def test_saves_what_changed_and_says_so(self) -> None:
        screen = click(open_tab(), "account:edit")
        screen.text_input(key="account:phone").set_value("0471 12 34 56")
        click(screen, "account:save")
        assert "0471 12 34 56" in facts(screen)
        assert any("téléphone" in success.value for success in screen.success)

    def test_a_session_that_ended_under_the_drawer_leads_to_the_sign_in_and_writes_nothing(self) -> None:
        screen = click(open_tab(), "account:edit")
        screen.text_input(key="account:street").input("Rue Haute")
        with db.transaction() as session:
            session.execute(update(UserSession).values(revoked_at=clock.real_now()))
        click(screen, "account:save")
        assert "Votre session est terminée." in screen.error[0].value
        assert "account:save" not in keys(screen)
        assert "sign_in:demo:agent" in keys(screen)
        with Session(db.engine()) as session:
            assert "Rue Haute" not in session.exec(select(ContactMedium.street)).all()

    def test_changes_nothing_on_a_wrong_field(self) -> None:
        screen = click(open_tab(), "account:edit")
        screen.text_input(key="account:street").set_value("Rue Haute")
        screen.text_input(key="account:phone").set_value("0477 123 45")
        click(screen, "account:save")
        assert "Rue de Fer 12" in facts(screen)

    @pytest.mark.parametrize("who", ["viewer", "billing"])
    def test_can_only_be_read_without_the_right(self, who: str) -> None:
        assert "account:edit" not in keys(open_tab(who))

    def test_of_a_closed_file_can_only_be_read(self) -> None:
        close_file()
        screen = open_tab()
        assert "account:edit" not in keys(screen)
        assert "18/03/2028" in facts(screen)
        assert "Modem non rendu" in facts(screen)

    def test_shows_hostile_text_as_it_is(self) -> None:
        with db.transaction() as session:
            given = FORM | {"street": NASTY, "town": "<img src=x>"}
            contacts.change(session, AGENT, customer_id=customer_id(), shown_version=1, **given)
        screen = open_tab()
        assert "&lt;img src=x&gt;" in facts(screen)
        assert not any(NASTY in markdown.value for markdown in screen.markdown)


class TestCode:
    def test_confirms_a_new_email(self) -> None:
        with db.transaction() as session:
            contacts.change(session, AGENT, customer_id=customer_id(), shown_version=1, **FORM | {"email": "new@example.be"})
        screen = open_tab()
        with db.reading() as session:
            code = str(session.exec(select(Communication.secret)).one())
        screen.text_input(key="account:code").set_value("000000" if code != "000000" else "1")
        click(screen, "account:code:save")
        assert any("Essais restants" in caption.value for caption in screen.caption)
        screen.text_input(key="account:code").set_value(code)
        click(screen, "account:code:save")
        assert "new@example.be" in facts(screen)
        with db.reading() as session:
            assert session.exec(select(EmailVerification)).all() == []


class TestMessages:
    def test_counts_as_read_when_the_customer_opens_it(self) -> None:
        message = write()
        screen = click(open_tab("p01"), f"account:message:{message}")
        assert "vos autres sessions sont fermées" in texts(screen)
        with db.reading() as session:
            assert session.exec(select(Communication.read_at)).one() is not None

    def test_stays_unread_when_an_agent_opens_it(self) -> None:
        message = write()
        screen = click(open_tab(), f"account:message:{message}")
        assert "vos autres sessions sont fermées" in texts(screen)
        with db.reading() as session:
            assert session.exec(select(Communication.read_at)).one() is None

    def test_hides_a_link_from_an_agent(self) -> None:
        message = write("password_reset", link="https://guichet.example/?reset=abc")
        assert "reset=abc" not in texts(click(open_tab(), f"account:message:{message}"))

    def test_turns_pages_and_comes_back(self) -> None:
        sent = [write() for _ in range(11)]
        screen = open_tab()
        assert f"account:message:{sent[0]}" not in keys(screen)
        click(screen, "account:messages:older")
        assert f"account:message:{sent[0]}" in keys(screen)
        click(screen, "account:messages:newest")
        assert f"account:message:{sent[-1]}" in keys(screen)

    def test_shows_only_unread_ones_on_demand(self) -> None:
        read, unread = write(), write()
        click(open_tab("p01"), f"account:message:{read}")
        screen = open_tab("p01")
        screen.toggle(key="account:messages:unread").set_value(True).run()
        assert f"account:message:{unread}" in keys(screen)
        assert f"account:message:{read}" not in keys(screen)


class TestDocuments:
    def test_takes_a_file_in_and_empties_the_field(self) -> None:
        screen = open_tab("p01")
        screen.file_uploader[0].upload("recto.jpg", (CORPUS / "ok_gray.jpg").read_bytes(), "image/jpeg").run()
        click(screen, "account:upload:save")
        assert "recto.jpg" in texts(screen)
        assert any("Document reçu" in success.value for success in screen.success)
        assert screen.button(key="account:upload:save").disabled

    def test_says_why_a_file_is_refused(self) -> None:
        screen = open_tab("p01")
        screen.file_uploader[0].upload("virus.pdf", (CORPUS / "exe_as.pdf").read_bytes(), "application/pdf").run()
        click(screen, "account:upload:save")
        assert any(":red[" in caption.value for caption in screen.caption)
        with db.reading() as session:
            assert session.exec(select(Document)).all() == []

    def test_tells_why_an_identity_card_is_asked_and_what_else_will_do(self) -> None:
        screen = open_tab("p01")
        assert any("Noircissez" in info.value and "itsme" in info.value for info in screen.info)
        screen.selectbox(key="account:upload:kind").set_value(DocumentKind.OTHER).run()
        assert not screen.info

    def test_shows_when_the_copy_is_erased(self) -> None:
        hand_in()
        assert "copie effacée le 18/12/2026 au plus tard" in texts(open_tab())

    def test_is_checked_by_an_agent_and_not_by_the_customer(self) -> None:
        number = hand_in()
        assert f"account:review:{number}" not in keys(open_tab("p01"))
        screen = click(open_tab(), f"account:review:{number}")
        assert "account:review:accept" in keys(screen)

    def test_gets_its_verdict_from_an_agent(self) -> None:
        number = hand_in()
        screen = click(open_tab(), f"account:review:{number}")
        click(screen, "account:review:accept")
        assert "vérifié le 18/11/2026 par agent" in texts(screen)

    def test_is_erased_on_demand(self) -> None:
        number = hand_in()
        click(open_tab("p01"), f"account:withdraw:save:{number}")
        with db.reading() as session:
            assert session.exec(select(col(Document.state))).one() is DocumentState.PURGED

    def test_can_not_be_handed_in_to_a_closed_file(self) -> None:
        close_file()
        assert "account:upload:save" not in keys(open_tab())


class TestBundle:
    def test_is_made_by_reading_alone_while_others_write_and_is_noted_once(self) -> None:
        senior = Actor(user_id=None, username="senior", role=Role.SENIOR)
        file = customer_id()
        with db.reading() as reader:
            made, told = personal_data_card.write_bundle(reader, senior, customer_id=file)
            with db.transaction() as writer:
                notes.add(writer, AGENT, customer_id=file, text="Called meanwhile")
        with db.transaction() as session:
            personal_data_card.note_bundle(session, senior, told, customer_id=file)
        with db.reading() as session:
            noted = session.exec(select(AuditEntry.after).where(AuditEntry.action == "customer:export")).all()
        assert made.startswith(b"PK")
        assert noted == [{"rows": told.rows, "papers": 0}]

    def test_is_offered_to_a_team_lead(self) -> None:
        close_file()
        assert "account:data:bundle" in {str(one.proto.id).rsplit("-", 1)[-1] for one in open_tab("senior").get("download_button")}
