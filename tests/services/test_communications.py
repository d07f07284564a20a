"""What customers are written, by which way, and who has read it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.errors import NotFound
from core.models.communication import Communication, MessageChannel
from core.models.customer import ContactKind, ContactMedium, Customer, Language
from core.services import communications
from core.settings import Mode, settings
from tests.builders import AGENT, make_customer, self_of

ORDER: dict[str, Any] = {"order_no": "O1", "what": "5 Go", "effective": date(2026, 11, 18)}


def _without(session: Session, customer: Customer, kind: ContactKind) -> None:
    medium = session.exec(
        select(ContactMedium).where(
            ContactMedium.customer_id == customer.id, ContactMedium.kind == kind, col(ContactMedium.until_at).is_(None)
        )
    ).one()
    medium.until_at = clock.now()
    session.add(medium)
    session.flush()


def _sent(session: Session, customer: Customer, template: str = "order_confirmed", **params: object) -> Communication:
    message_id = communications.send(session, AGENT, customer_id=customer.id, template=template, params=params or ORDER)
    return session.get_one(Communication, message_id)


class TestTemplates:
    def test_every_template_reads_in_four_languages_with_the_same_params(self) -> None:
        found = communications.templates()
        assert len(found) >= 31
        for template in found.values():
            assert set(template.subject) == set(template.body) == {"fr", "nl", "de", "en"}

    @pytest.mark.parametrize(
        ("facts", "told"),
        [
            ("subject: {fr: A, nl: A, de: A}\n  body: {fr: B, nl: B, de: B, en: B}", "languages"),
            ("subject: {fr: A, nl: A, de: A, en: A}\n  body: {fr: '{x}', nl: B, de: B, en: B}", "differ"),
            ("secret: code\n  subject: {fr: A, nl: A, de: A, en: A}\n  body: {fr: B, nl: B, de: B, en: B}", "secret"),
        ],
    )
    def test_refuses_a_file_with(self, facts: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "messages.yaml"
        file.write_text(f"frame: {{fr: '{{text}}', nl: '', de: '', en: ''}}\nx:\n  channel: email\n  {facts}\n", "utf-8")
        monkeypatch.setattr(communications, "FILE", file)
        with pytest.raises(ValueError, match=told):
            communications.templates()


class TestSend:
    def test_writes_in_the_language_of_the_customer_and_formats_by_type(self, session: Session) -> None:
        customer = make_customer(session, language=Language.NL)
        undo = datetime(2026, 11, 18, 22, 59, tzinfo=UTC)
        row = _sent(session, customer, **ORDER, price_cents=217, undo_until=undo)
        assert row.subject == "Uw bestelling O1"
        assert row.body.startswith("Dag Sophie Lambert,\n\nWij hebben geregistreerd: 5 Go. Geldig vanaf 18/11/2026.\nPrijs: €\xa02,17.")
        assert "tot 18/11/2026 23:59." in row.body
        assert (row.channel, row.receiver) == (MessageChannel.EMAIL, "sophie@example.be")

    def test_leaves_out_a_sentence_whose_param_is_none(self, session: Session) -> None:
        assert "None" not in _sent(session, make_customer(session), **ORDER, price_cents=None).body

    def test_writes_a_letter_without_an_email(self, session: Session) -> None:
        customer = make_customer(session)
        _without(session, customer, ContactKind.EMAIL)
        row = _sent(session, customer)
        assert (row.channel, row.receiver) == (MessageChannel.LETTER, "Rue de Fer 12, 5000 Namur")

    def test_sends_an_sms_to_the_phone(self, session: Session) -> None:
        row = _sent(session, make_customer(session), "alert_bundle", line="0470 00 00 01", percent=80)
        assert (row.channel, row.receiver) == (MessageChannel.SMS, "+32470000001")
        assert row.body == "Guichet Télécom : 80 % du forfait du 0470 00 00 01 sont utilisés."

    def test_keeps_in_the_space_what_has_no_other_way(self, session: Session) -> None:
        customer = make_customer(session)
        for kind in ContactKind:
            _without(session, customer, kind)
        assert _sent(session, customer).channel is MessageChannel.PORTAL

    def test_holds_an_alert_of_the_night_until_seven(self, session: Session) -> None:
        customer = make_customer(session)
        with clock.standing(clock.at(date(2026, 11, 18), 3)):
            row = _sent(session, customer, "alert_over", line="0470", amount_cents=5000)
            assert row.sent_at == clock.at(date(2026, 11, 18), 7)
            assert communications.of_customer(session, AGENT, customer_id=customer.id) == []
        assert len(communications.of_customer(session, AGENT, customer_id=customer.id)) == 1

    def test_does_not_read_placeholders_in_what_a_customer_typed(self, session: Session) -> None:
        row = _sent(session, make_customer(session, family_name="{0.__class__}"), **ORDER | {"what": "{order_no}"})
        assert "Bonjour Sophie {0.__class__}," in row.body
        assert "{order_no}." in row.body

    @pytest.mark.parametrize("params", [{}, {"order_no": "O1"}, ORDER | {"prize_cents": 1}])
    def test_refuses_other_params_than_the_template_has(self, session: Session, params: dict[str, object]) -> None:
        customer = make_customer(session)
        with pytest.raises(ValueError, match="needs"):
            communications.send(session, AGENT, customer_id=customer.id, template="order_confirmed", params=params)

    def test_refuses_a_customer_who_names_another(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        with pytest.raises(NotFound):
            communications.send(session, self_of(one), customer_id=other.id, template="password_changed", params={})


class TestPreview:
    def test_shows_the_text_and_sends_nothing(self, session: Session) -> None:
        customer = make_customer(session)
        draft = communications.preview(session, AGENT, customer_id=customer.id, template="order_confirmed", params=ORDER)
        assert draft.subject == "Votre commande O1"
        assert communications.of_customer(session, AGENT, customer_id=customer.id) == []


class TestOfCustomer:
    def test_pages_by_key_from_the_newest_on(self, session: Session) -> None:
        customer = make_customer(session)
        for hour in range(5):
            with clock.standing(clock.at(date(2026, 11, 17), 8 + hour // 2)):
                _sent(session, customer, **ORDER | {"order_no": f"O{hour}"})
        read = communications.of_customer
        first = read(session, AGENT, customer_id=customer.id, limit=2)
        second = read(session, AGENT, customer_id=customer.id, limit=2, before=first[-1].key)
        third = read(session, AGENT, customer_id=customer.id, limit=2, before=second[-1].key)
        assert [row.subject[-2:] for row in (*first, *second, *third)] == ["O4", "O3", "O2", "O1", "O0"]

    def test_shows_nothing_of_another_customer(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        _sent(session, other)
        assert communications.of_customer(session, self_of(one), customer_id=one.id) == []
        with pytest.raises(NotFound):
            communications.of_customer(session, self_of(one), customer_id=other.id)


class TestOpenMessage:
    def test_marks_it_read_when_the_customer_opens_it(self, session: Session) -> None:
        customer = make_customer(session)
        row = _sent(session, customer)
        read = communications.open_message(session, self_of(customer), customer_id=customer.id, message_id=row.id)
        assert read.read_at == clock.now()
        assert communications.unread_count(session, AGENT, customer_id=customer.id) == 0
        assert communications.of_customer(session, AGENT, customer_id=customer.id, unread_only=True) == []

    def test_keeps_the_first_reading(self, session: Session) -> None:
        customer = make_customer(session)
        row = _sent(session, customer)
        for _ in range(2):
            communications.open_message(session, self_of(customer), customer_id=customer.id, message_id=row.id)
            clock.stand_at(clock.now() + timedelta(hours=1))
        assert row.read_at == clock.now() - timedelta(hours=2)

    def test_leaves_it_unread_when_an_agent_looks(self, session: Session) -> None:
        customer = make_customer(session)
        row = _sent(session, customer)
        communications.open_message(session, AGENT, customer_id=customer.id, message_id=row.id)
        assert communications.unread_count(session, AGENT, customer_id=customer.id) == 1

    def test_refuses_the_message_of_another(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        row = _sent(session, other)
        with pytest.raises(NotFound):
            communications.open_message(session, self_of(one), customer_id=one.id, message_id=row.id)
        with pytest.raises(NotFound):
            communications.open_message(session, AGENT, customer_id=one.id, message_id=row.id)

    def test_hides_a_link_from_staff_and_shows_it_to_the_customer(self, session: Session) -> None:
        customer = make_customer(session)
        row = _sent(session, customer, "password_reset", link="https://x/abc")
        read = communications.open_message
        assert "https://x/abc" not in read(session, AGENT, customer_id=customer.id, message_id=row.id).body
        assert "https://x/abc" in read(session, self_of(customer), customer_id=customer.id, message_id=row.id).body

    def test_shows_a_code_to_staff_in_a_demo_only(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        customer = make_customer(session)
        row = _sent(session, customer, "mandate_code", code="482913")
        read = communications.open_message
        assert "482913" in read(session, AGENT, customer_id=customer.id, message_id=row.id).body
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        assert "482913" not in read(session, AGENT, customer_id=customer.id, message_id=row.id).body
