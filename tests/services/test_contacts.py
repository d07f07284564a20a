"""How contact data change: what is taken, what is refused, who is told."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.billing_account import BillMedia
from core.models.communication import Communication
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus, EmailVerification, Language
from core.postcodes import PostcodeOfAnotherTown, UnknownPostcode
from core.services import contacts
from core.services.contacts import Changed, ContractEnded, EmailInUse, NoCode, NotAnEmail, NotAPhone, WrongCode
from core.services.throttle import TooManyTries
from core.settings import ROOT
from core.text_rules import Missing, TooLong, Unreadable
from tests.builders import AGENT, VIEWER, make_customer, self_of

FORM: dict[str, Any] = {
    "email": "sophie@example.be", "phone": "0470 00 00 01", "street": "Rue de Fer", "number": "12", "box": "", "postcode": "5000",
    "town": "Namur", "language": Language.FR,
}  # fmt: skip


def _change(session: Session, customer: Customer, actor: Any = AGENT, **given: Any) -> Changed:
    form = {"shown_version": customer.version} | FORM | given
    return contacts.change(session, actor, customer_id=customer.id, **form)


def _media(session: Session, customer: Customer, kind: ContactKind) -> list[ContactMedium]:
    query = select(ContactMedium).where(ContactMedium.customer_id == customer.id, ContactMedium.kind == kind)
    return list(session.exec(query.order_by(col(ContactMedium.id))))


def _messages(session: Session, customer: Customer) -> list[Communication]:
    return list(session.exec(select(Communication).where(Communication.customer_id == customer.id).order_by(col(Communication.id))))


def _code(session: Session, customer: Customer) -> str:
    return str(_messages(session, customer)[-1].secret)


class TestChange:
    def test_closes_the_old_address_and_lets_the_new_one_follow(self, session: Session) -> None:
        customer = make_customer(session)
        assert _change(session, customer, street="Rue Haute", number="9", box="2").what == ("address",)
        old, new = _media(session, customer, ContactKind.ADDRESS)
        assert (old.street, old.until_at) == ("Rue de Fer", clock.now())
        assert (new.street, new.number, new.box, new.until_at) == ("Rue Haute", "9", "2", None)
        assert contacts.read(session, AGENT, customer_id=customer.id).address == "Rue Haute 9 bte 2, 5000 Namur"

    def test_stores_a_phone_as_e164(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, phone="0471/12.34.56")
        assert contacts.read(session, AGENT, customer_id=customer.id).phone == "+32471123456"

    def test_makes_the_version_of_the_file_grow_once(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, phone="0471 12 34 56", number="13", language=Language.NL)
        assert customer.version == 2

    def test_does_nothing_when_nothing_differs(self, session: Session) -> None:
        customer = make_customer(session)
        assert _change(session, customer, phone="+32 470 00 00 01", email="Sophie@example.be", postcode="B-5000") == Changed(())
        assert customer.version == 1
        assert _messages(session, customer) == []

    def test_writes_the_trail_with_before_and_after(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, phone="0471 12 34 56")
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "contact:change")).one()
        assert (entry.before, entry.after) == ({"phone": "+32470000001"}, {"phone": "+32471123456"})

    def test_tells_the_customer_in_his_new_language(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, phone="0471 12 34 56", language=Language.NL)
        (message,) = _messages(session, customer)
        assert "telefoon, taal" in message.body
        assert message.receiver == "sophie@example.be"

    def test_removes_the_email_of_a_customer_with_paper_bills_and_tells_it_there(self, session: Session) -> None:
        customer = make_customer(session, media=BillMedia.PAPER)
        _change(session, customer, email="")
        assert contacts.read(session, AGENT, customer_id=customer.id).email is None
        assert _messages(session, customer)[0].receiver == "sophie@example.be"

    def test_keeps_the_email_the_bills_go_to(self, session: Session) -> None:
        with pytest.raises(EmailInUse):
            _change(session, make_customer(session), email="")

    def test_refuses_a_closed_file(self, session: Session) -> None:
        with pytest.raises(ContractEnded):
            _change(session, make_customer(session, status=CustomerStatus.CLOSED), number="13")

    def test_refuses_a_version_that_is_not_the_shown_one(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, number="13")
        with pytest.raises(ChangedMeanwhile):
            _change(session, customer, number="14", shown_version=1)

    def test_is_for_the_customer_himself_and_not_for_another_or_a_viewer(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        assert _change(session, one, self_of(one), number="13").what == ("address",)
        with pytest.raises(NotFound):
            _change(session, other, self_of(one), number="13")
        with pytest.raises(NotPermitted):
            _change(session, other, VIEWER, number="13")


class TestPhones:
    @pytest.mark.parametrize("phone", ["0471 12 34 56", "02 275 27 27", "087 59 12 34", "+33 6 12 34 56 78", "0032 471 12 34 56"])
    def test_takes(self, session: Session, phone: str) -> None:
        assert _change(session, make_customer(session), phone=phone).what == ("phone",)

    @pytest.mark.parametrize("phone", ["5995", "0477 123 45", "070 12 34 56", "0902 12 345", "0470ABCDEF", "112", "+999 12345678", "--"])
    def test_refuses(self, session: Session, phone: str) -> None:
        with pytest.raises(NotAPhone) as refusal:
            _change(session, make_customer(session), phone=phone)
        assert refusal.value.field == "phone"

    def test_needs_one(self, session: Session) -> None:
        with pytest.raises(Missing):
            _change(session, make_customer(session), phone=" ")


class TestAddresses:
    def test_takes_a_part_of_a_municipality(self, session: Session) -> None:
        assert _change(session, make_customer(session), postcode="3001", town="Heverlee").what == ("address",)

    def test_asks_about_a_town_known_elsewhere_and_takes_it_when_kept(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(PostcodeOfAnotherTown):
            _change(session, customer, postcode="5561", town="Celles")
        assert _change(session, customer, postcode="5561", town="Celles", town_kept=True).what == ("address",)

    @pytest.mark.parametrize(
        ("field", "text", "refusal"),
        [
            ("postcode", "9999", UnknownPostcode),
            ("postcode", "50", UnknownPostcode),
            ("postcode", "", Missing),
            ("street", " ", Missing),
            ("number", "1234567890123", TooLong),
            ("box", "\u202e2", Unreadable),
            ("town", "", Missing),
        ],
    )
    def test_names_the_field_to_correct(self, session: Session, field: str, text: str, refusal: type[Exception]) -> None:
        with pytest.raises(refusal) as raised:
            _change(session, make_customer(session), **{field: text})
        assert raised.value.field == field  # type: ignore[attr-defined]


class TestEmails:
    @pytest.mark.parametrize(
        "email", ["sophie", "a@b", "a b@example.be", "a@example..be", "é@example.be", "javascript:alert(1)", f"{'a' * 65}@x.be"]
    )
    def test_refuses(self, session: Session, email: str) -> None:
        with pytest.raises(NotAnEmail):
            _change(session, make_customer(session), email=email)

    def test_waits_for_the_code_that_went_to_the_new_address(self, session: Session) -> None:
        customer = make_customer(session)
        assert _change(session, customer, email="New@Example.be") == Changed((), "new@example.be")
        data = contacts.read(session, AGENT, customer_id=customer.id)
        assert (data.email, data.pending_email, data.version) == ("sophie@example.be", "new@example.be", 1)
        assert _messages(session, customer)[0].receiver == "new@example.be"

    def test_keeps_only_a_hash_of_the_code(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, email="new@example.be")
        row = session.exec(select(EmailVerification)).one()
        assert _code(session, customer) not in row.code_hash
        assert len(_code(session, customer)) == 6

    def test_rests_after_too_many_codes(self, session: Session) -> None:
        customer = make_customer(session)
        for _ in range(5):
            _change(session, customer, email="new@example.be")
        with pytest.raises(TooManyTries):
            _change(session, customer, email="new@example.be")


def _confirm(session: Session, customer: Customer, code: str) -> str:
    contacts.count_try(session, AGENT, customer_id=customer.id)
    return contacts.confirm_email(session, AGENT, customer_id=customer.id, code=code)


class TestConfirmEmail:
    def test_takes_the_new_email_as_verified_and_tells_the_old_one(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, email="new@example.be")
        code = _code(session, customer)
        assert _confirm(session, customer, f" {code[:3]} {code[3:]}") == "new@example.be"
        data = contacts.read(session, AGENT, customer_id=customer.id)
        assert (data.email, data.email_verified_at, data.pending_email, data.version) == ("new@example.be", clock.now(), None, 2)
        assert _messages(session, customer)[-1].receiver == "sophie@example.be"

    def test_refuses_a_wrong_code_and_dies_at_the_fifth(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, email="new@example.be")
        code = _code(session, customer)
        wrong = f"{(int(code) + 1) % 10**6:06d}"
        for left in (4, 3, 2, 1):
            with pytest.raises(WrongCode) as refusal:
                _confirm(session, customer, wrong)
            assert refusal.value.params == {"left": left}
        for tried in (wrong, code):
            with pytest.raises(NoCode):
                _confirm(session, customer, tried)

    def test_refuses_a_code_that_is_too_old(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, email="new@example.be")
        row = session.exec(select(EmailVerification)).one()
        row.expires_at -= timedelta(minutes=16)
        session.add(row)
        session.flush()
        assert contacts.read(session, AGENT, customer_id=customer.id).pending_email is None
        with pytest.raises(NoCode):
            _confirm(session, customer, _code(session, customer))

    def test_refuses_the_code_of_an_earlier_address(self, session: Session) -> None:
        customer = make_customer(session)
        _change(session, customer, email="one@example.be")
        code = _code(session, customer)
        _change(session, customer, email="two@example.be")
        with pytest.raises(WrongCode):
            _confirm(session, customer, code)

    def test_refuses_without_a_code(self, session: Session) -> None:
        with pytest.raises(NoCode):
            _confirm(session, make_customer(session), "123456")


TEXT_FIELDS = ("street", "number", "box", "postcode", "town", "phone", "email")


class TestHostileText:
    @pytest.mark.parametrize(
        "text", [json.loads(line) for line in (ROOT / "tests" / "corpus" / "nasty_strings.txt").read_text("utf-8").splitlines()]
    )
    def test_is_stored_as_it_is_or_refused_with_its_field(self, session: Session, text: str) -> None:
        """Both databases run this: the verdict may not differ, and what is taken comes back unchanged."""
        verdicts = {}
        for field in TEXT_FIELDS:
            customer = make_customer(session, media=BillMedia.PAPER)
            try:
                _change(session, customer, **{field: text}, town_kept=True)
            except (Missing, TooLong, Unreadable, NotAPhone, NotAnEmail, UnknownPostcode) as refusal:
                verdicts[field] = f"{refusal.field}: {type(refusal).__name__}"
            else:
                session.expire_all()
                data = contacts.read(session, AGENT, customer_id=customer.id)
                verdicts[field] = repr(getattr(data, field) or "")
        assert all(verdict.startswith((f"{field}: ", "'", '"')) for field, verdict in verdicts.items())
        assert verdicts == _verdicts.setdefault(text, verdicts)


_verdicts: dict[str, dict[str, str]] = {}
"""What the first database said to each text."""
