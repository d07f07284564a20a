"""What the search box recognises, and what it never does."""

import json
from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session, select

from core import clock
from core.errors import NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCounter, BillState
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.order import OrderCategory, OrderState, ProductOrder
from core.services import references, search
from core.services.customers import search_name
from core.services.search_numbers import WrongCheckDigits
from core.services.search_terms import Sort, Why
from core.settings import ROOT
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import trio

BEFORE = datetime(2025, 1, 1, tzinfo=UTC)


def _person(session: Session, given: str, family: str, **more: object) -> Customer:
    holder = str(more.get("second_holder") or "")
    return make_customer(session, given_name=given, family_name=family, search_name=search_name(given, family, None, holder), **more)


def _moves_to(session: Session, customer: Customer, street: str, number: str, postcode: str = "5000", town: str = "Namur") -> None:
    where = (ContactMedium.customer_id == customer.id, ContactMedium.kind == ContactKind.ADDRESS)
    home = session.exec(select(ContactMedium).where(*where)).one()
    home.street, home.number, home.postcode, home.town = street, number, postcode, town
    session.flush()


def _bill(customer: Customer, number: str) -> Bill:
    day = date(2026, 11, 5)
    amounts = {"excl_cents": 3471, "vat_cents": 729, "incl_cents": 4200, "remaining_cents": 4200}
    dates = {"bill_date": day, "due_date": day, "period_since": day, "period_until": day, "issued_at": clock.now()}
    facts = {
        "customer_id": customer.id,
        "bill_no": number,
        "ogm": references.ogm(number),
        "state": BillState.SENT,
        "document_token": number,
    }
    return Bill.model_validate(amounts | dates | facts | {"printed": {}})


def _found(session: Session, term: str) -> list[tuple[str, Why]]:
    return [(hit.name, hit.why) for hit in search.find(session, AGENT, term=term)]


class TestNumbers:
    @pytest.mark.parametrize("term", ["0471 00 00 09", "0471/00.00.09", "+32 471 00 00 09", "0032471000009", "(0471) 000009"])
    def test_finds_a_phone_in_any_spelling(self, session: Session, term: str) -> None:
        customer = _person(session, "Kevin", "Dubois")
        medium = ContactMedium(
            customer_id=_person(session, "Ann", "Other").id, kind=ContactKind.PHONE, value="+32471000009", since_at=BEFORE
        )
        medium.until_at = clock.now()
        session.add(medium)
        make_product(session, customer, line="+32471000009")
        assert _found(session, term) == [("Kevin Dubois", Why.LINE)]

    def test_finds_a_fixed_line_written_with_00_and_not_a_communication(self, session: Session) -> None:
        make_product(session, _person(session, "Kevin", "Dubois"), line="+3281000005")
        assert _found(session, "003281000005") == [("Kevin Dubois", Why.LINE)]

    def test_finds_a_contact_phone(self, session: Session) -> None:
        _person(session, "Kevin", "Dubois")
        assert _found(session, "0470 00 00 01") == [("Kevin Dubois", Why.PHONE)]

    @pytest.mark.parametrize("given", ["number", "spaced"])
    def test_finds_a_customer_number(self, session: Session, given: str) -> None:
        number = _person(session, "Kevin", "Dubois").customer_no
        _person(session, "Ann", "Other")
        term = number if given == "number" else f" {number[:4]} {number[4:]} "
        assert _found(session, term) == [("Kevin Dubois", Why.CUSTOMER_NO)]

    @pytest.mark.parametrize(
        ("term", "why", "opens"),
        [
            ("2611000055", Why.BILL, ""),
            ("+++261/1000/05533+++", Why.OGM, "2611000055"),
            ("***261/1000/05533***", Why.OGM, "2611000055"),
            ("261100005533", Why.OGM, "2611000055"),
            ("261 1000 05533", Why.OGM, "2611000055"),
            ("o-26110001", Why.ORDER, "700001"),
            ("commande: 2611", Why.ORDER, "700001"),
            ("a1000005501", Why.APPOINTMENT, ""),
        ],
    )
    def test_finds_a_bill_an_order_and_a_visit(self, session: Session, term: str, why: Why, opens: str) -> None:
        customer = _person(session, "Kevin", "Dubois")
        day, owner = date(2026, 11, 5), {"customer_id": customer.id}
        amounts = {"excl_cents": 3471, "vat_cents": 729, "incl_cents": 4200, "remaining_cents": 4200}
        dates = {"bill_date": day, "due_date": day, "period_since": day, "period_until": day, "issued_at": clock.now()}
        bill = {"bill_no": "2611000055", "ogm": "+++261/1000/05533+++", "state": BillState.SENT, "document_token": "x", "printed": {}}
        session.add(Bill.model_validate(owner | amounts | dates | bill))
        order = {"id": 700001, "category": OrderCategory.OPTION, "channel": "agent", "state": OrderState.COMPLETED, "effective_on": day}
        session.add(
            ProductOrder.model_validate(owner | order | {"order_no": "O26110001", "created_by": "agent", "created_at": clock.now()})
        )
        visit = {"category": AppointmentCategory.REPAIR, "state": AppointmentState.CONFIRMED, "day": day, "part": DayPart.MORNING}
        more = {"appointment_no": "A1000005501", "zone": "50", "place": "Namur", "created_at": clock.now()}
        session.add(Appointment.model_validate(owner | visit | more))
        session.flush()
        assert [(hit.name, hit.why, hit.opens) for hit in search.find(session, AGENT, term=term)] == [("Kevin Dubois", why, opens)]

    @pytest.mark.parametrize("term", ["+++261/1000/05534+++", "261100005534"])
    def test_says_that_a_communication_is_mistyped(self, session: Session, term: str) -> None:
        with pytest.raises(WrongCheckDigits) as refusal:
            search.find(session, AGENT, term=term)
        assert refusal.value.params == {"ogm": "+++261/1000/05534+++"}

    @pytest.mark.parametrize("term", ["+++261/1000/05553+++", "+++261/1000/05335+++"], ids=["a digit", "two that changed places"])
    def test_offers_the_bill_whose_communication_is_nearly_the_same(self, session: Session, term: str) -> None:
        trio(session, 11)
        (hit,) = search.find(session, AGENT, term=term)
        assert (hit.why, hit.found) == (Why.NEAR_OGM, "2611000055")

    @pytest.mark.parametrize("term", ["BE 0999.999.031", "0999999031", "999.999.031", "be0999999031"])
    def test_finds_an_enterprise_or_vat_number(self, session: Session, term: str) -> None:
        bakery = {"kind": CustomerKind.ORGANIZATION, "trading_name": "Boulangerie Martin SRL", "enterprise_no": "0999999031"}
        make_customer(session, given_name=None, family_name=None, **bakery)
        assert _found(session, term) == [("Boulangerie Martin SRL", Why.ENTERPRISE_NO)]


class TestPartsOfNumbers:
    @pytest.mark.parametrize(
        "term", ["7654", "047112 7654", "0471", "0471 12", "+32 471 12", "00324711", "112765", "tel:7654", "GSM : 0471 12"]
    )
    def test_finds_the_beginning_the_end_or_a_part_of_a_phone(self, session: Session, term: str) -> None:
        make_product(session, _person(session, "Kevin", "Dubois"), line="+32471127654")
        _person(session, "Ann", "Other")
        assert _found(session, term) == [("Kevin Dubois", Why.LINE)]

    def test_puts_the_last_digits_before_others(self, session: Session) -> None:
        make_product(session, _person(session, "Ann", "Other"), line="+32477654999")
        make_product(session, _person(session, "Kevin", "Dubois"), line="+32471127654")
        assert [name for name, _ in _found(session, "7654")] == ["Kevin Dubois", "Ann Other"]

    @pytest.mark.parametrize("term", ["765", "12"])
    def test_does_not_look_for_fewer_than_four_digits(self, session: Session, term: str) -> None:
        make_product(session, _person(session, "Kevin", "Dubois"), line="+32471127654")
        assert _found(session, term) == []

    @pytest.mark.parametrize("term", ["26110000", "000055", "1100005", "0055", "bill:0055", "facture: 611000055", "261/1000/055"])
    def test_finds_a_part_of_a_bill_number(self, session: Session, term: str) -> None:
        customer = _person(session, "Kevin", "Dubois", customer_no="20999999")
        session.add_all([_bill(customer, "2611000055"), BillCounter(series="2611", last=60)])
        session.flush()
        assert _found(session, term) == [("Kevin Dubois", Why.BILL)]

    @pytest.mark.parametrize(("term", "numbers"), [("O2099", 1), ("order:2099", 1), ("bestelling: 20999", 1), ("order:2098", 0)])
    def test_finds_the_beginning_of_an_order(self, session: Session, term: str, numbers: int) -> None:
        customer = _person(session, "Kevin", "Dubois", customer_no="30999999")
        order = {"category": OrderCategory.OPTION, "channel": "agent", "state": OrderState.COMPLETED, "effective_on": date(2026, 11, 5)}
        more = {"customer_id": customer.id, "order_no": "O2099999901", "created_by": "agent", "created_at": clock.now()}
        session.add(ProductOrder.model_validate(order | more))
        session.flush()
        assert _found(session, term) == [("Kevin Dubois", Why.ORDER)] * numbers

    @pytest.mark.parametrize("term", ["BE 0999.999", "vat:999031", "tva : BE0999", "9999990"])
    def test_finds_a_part_of_an_enterprise_number(self, session: Session, term: str) -> None:
        bakery = {"kind": CustomerKind.ORGANIZATION, "trading_name": "Boulangerie Martin SRL", "enterprise_no": "0999999031"}
        make_customer(session, given_name=None, family_name=None, **bakery)
        assert _found(session, term) == [("Boulangerie Martin SRL", Why.ENTERPRISE_NO)]


class TestPrefixes:
    def test_says_what_is_meant(self, session: Session) -> None:
        haute = _person(session, "Marie", "Haute")
        lives = _person(session, "Ann", "Other")
        _moves_to(session, lives, "Rue Haute", "12")
        assert {name for name, _ in _found(session, "haute")} == {"Marie Haute"}
        assert [hit.customer_no for hit in search.find(session, AGENT, term="adresse: haute")] == [lives.customer_no]
        assert [hit.customer_no for hit in search.find(session, AGENT, term="nom:haute")] == [haute.customer_no]

    @pytest.mark.parametrize("sort", Sort)
    def test_each_has_its_words_and_finds_nothing_where_nothing_is(self, session: Session, sort: Sort) -> None:
        _person(session, "Kevin", "Dubois")
        assert search.find(session, AGENT, term=f"{sort}:zwartkruis") == []
        assert search.find(session, AGENT, term=f"{sort}:") == []

    def test_a_word_that_is_none_is_part_of_the_term(self, session: Session) -> None:
        _person(session, "Odd", "Be: good")
        assert _found(session, "be: good") == [("Odd Be: good", Why.NAME)]


class TestNames:
    @pytest.mark.parametrize("term", ["haddad", "HADDAD Ahméd", "ahmed haddad", "had", "had ahm"])
    def test_finds_beginnings_of_names_in_either_order_without_accents(self, session: Session, term: str) -> None:
        _person(session, "Ahmed", "Haddad")
        _person(session, "Ann", "Other")
        assert _found(session, term) == [("Ahmed Haddad", Why.NAME)]

    @pytest.mark.parametrize(
        ("stored", "term"), [("D'Hondt-Van den Berghe", "dhondt"), ("Żółć", "zolc"), ("Çelik", "celik"), ("Weiß", "weiss")]
    )
    def test_reads_over_signs_and_accents(self, session: Session, stored: str, term: str) -> None:
        _person(session, "An", stored)
        found = _found(session, term if term != "dhondt" else "d hondt")
        assert found == [(f"An {stored}", Why.NAME)]

    def test_finds_the_second_holder_and_says_so(self, session: Session) -> None:
        _person(session, "Thomas", "Janssens", second_holder="Eva Maes")
        assert [(hit.why, hit.found) for hit in search.find(session, AGENT, term="eva")] == [(Why.HOLDER, "Eva Maes")]

    def test_puts_an_equal_name_first_and_a_closed_file_last(self, session: Session) -> None:
        _person(session, "Anna", "Dubois", status=CustomerStatus.CLOSED)
        _person(session, "Kevin", "Duboisson")
        _person(session, "Kevin", "Dubois")
        assert [hit.name for hit in search.find(session, AGENT, term="dubois k")] == ["Kevin Dubois", "Kevin Duboisson"]
        assert search.find(session, AGENT, term="dubois kevin")[0].name == "Kevin Dubois"
        assert search.find(session, AGENT, term="dubois")[-1].name == "Anna Dubois"

    @pytest.mark.parametrize("term", ["dubios", "duboi kevin", "dobois"])
    def test_forgives_a_slip_when_nothing_else_fits(self, session: Session, term: str) -> None:
        _person(session, "Kevin", "Dubois")
        _person(session, "Ann", "Other")
        assert [name for name, _ in _found(session, term)] == ["Kevin Dubois"]

    @pytest.mark.parametrize(
        "term", ["kveindubois", "kevindubois", "k evin dubois", "evin dubois", "xkevin dubois", "dubois kevni", "kevin dubosi"]
    )
    def test_forgives_a_slip_anywhere_in_a_whole_name(self, session: Session, term: str) -> None:
        _person(session, "Kevin", "Dubois")
        _person(session, "Ann", "Other")
        assert [name for name, _ in _found(session, term)] == ["Kevin Dubois"]

    def test_offers_a_near_name_beside_longer_ones_that_begin_so(self, session: Session) -> None:
        for given in ("Jan", "Jana", "Janneke"):
            _person(session, given, "Maesnel")
        _person(session, "Jan", "Maesen")
        assert _found(session, "jan maesn")[0] == ("Jan Maesen", Why.NEAR)

    def test_shows_one_of_each_name_before_namesakes(self, session: Session) -> None:
        for _ in range(12):
            _person(session, "Jan", "Peeters")
        _person(session, "Jan", "Peetermans")
        assert ("Jan Peetermans", Why.NAME) in _found(session, "jan peeter")[:2]

    def test_forgives_a_slip_in_the_second_holder_and_in_a_company(self, session: Session) -> None:
        _person(session, "Thomas", "Janssens", second_holder="Eva Vermeulen")
        bakery = {"kind": CustomerKind.ORGANIZATION, "trading_name": "Boulangerie Martin SRL"}
        make_customer(session, given_name=None, family_name=None, **bakery)
        assert _found(session, "vermeulen evva") == [("Thomas Janssens", Why.NEAR)]
        assert _found(session, "boulangrie martin") == [("Boulangerie Martin SRL", Why.NEAR)]

    def test_finds_nothing_that_is_far_from_every_name(self, session: Session) -> None:
        _person(session, "Kevin", "Dubois")
        assert _found(session, "zwartkruis") == []

    def test_shows_at_most_so_many(self, session: Session) -> None:
        for _ in range(5):
            _person(session, "Kevin", "Dubois")
        assert len(search.find(session, AGENT, term="dubois", limit=3)) == 3


class TestOtherWays:
    @pytest.mark.parametrize("term", ["Sophie@Example.be", "sophie@"])
    def test_finds_an_email(self, session: Session, term: str) -> None:
        _person(session, "Sophie", "Lambert")
        assert _found(session, term) == [("Sophie Lambert", Why.EMAIL)]

    @pytest.mark.parametrize("term", ["lambert@", "mail:phie@exa", "e-mail: sophie", "sophie@example"])
    def test_finds_a_part_of_an_email(self, session: Session, term: str) -> None:
        _person(session, "Ann", "Other")
        found = search.find(session, AGENT, term=term.replace("lambert@", "phie@"))
        assert {hit.why for hit in found} == {Why.EMAIL}

    @pytest.mark.parametrize("term", ["haddad molenbeek", "hadad molenbeek"])
    def test_finds_a_name_with_the_beginning_of_its_town(self, session: Session, term: str) -> None:
        meant = _person(session, "Ahmed", "Haddad")
        _moves_to(session, meant, "Rue Haute", "1", "1080", "Molenbeek-Saint-Jean")
        _person(session, "Leila", "Haddad")
        session.flush()
        assert [hit.customer_no for hit in search.find(session, AGENT, term=term)] == [meant.customer_no]

    @pytest.mark.parametrize(
        "term",
        [
            "Dubois, Mechelen",
            "dubois malines",
            "Duboiss, Mechelen",
            "mechelen dubois",
            "dubois 2800",
            "dubios mechelen",
            "dubois mechlen",
            "dubios mechlen",
        ],
    )
    def test_finds_a_name_with_its_town_in_any_of_its_languages(self, session: Session, term: str) -> None:
        meant = _person(session, "Kevin", "Dubois")
        _moves_to(session, meant, "Befferstraat", "1", "2800", "Mechelen")
        _person(session, "Kevin", "Dubois")
        assert [hit.customer_no for hit in search.find(session, AGENT, term=term)] == [meant.customer_no]

    def test_finds_a_house_and_not_its_neighbours(self, session: Session) -> None:
        meant = _person(session, "Kevin", "Dubois")
        _moves_to(session, meant, "Rue Haute", "12")
        _moves_to(session, _person(session, "Ann", "Other"), "Rue Haute", "120")
        assert [hit.customer_no for hit in search.find(session, AGENT, term="Rue Haute 12 Namur")] == [meant.customer_no]
        assert len(search.find(session, AGENT, term="rue haute 1")) == 2

    @pytest.mark.parametrize(
        "term", ["5000 namur", "5000 Rue de Fer", "rue de fer 12 5000", "rue de fer 12 namur", "Namur", "namen", "addr:5000"]
    )
    def test_finds_a_postcode_with_a_town_or_a_street(self, session: Session, term: str) -> None:
        _person(session, "Sophie", "Lambert")
        assert _found(session, term) == [("Sophie Lambert", Why.ADDRESS)]

    def test_does_not_list_a_whole_postcode(self, session: Session) -> None:
        _person(session, "Sophie", "Lambert")
        assert _found(session, "5000") == []


class TestHostileTerms:
    @pytest.mark.parametrize(
        "term", [json.loads(line) for line in (ROOT / "tests" / "corpus" / "search_terms.txt").read_text("utf-8").splitlines()]
    )
    def test_finds_only_what_holds_the_term_literally(self, session: Session, term: str) -> None:
        _person(session, "Anna Bella", "Claes")
        _person(session, "Or", "One")
        _person(session, "Pg", "Sleep")
        literal = _person(session, "Odd", f"x {term[:80]} y".replace("\x00", ""))
        found = search.find(session, AGENT, term=term)
        assert {hit.customer_no for hit in found} <= {literal.customer_no}

    @pytest.mark.parametrize("sign", ["%", "_", "\\", "a%b_c"])
    def test_finds_a_name_that_holds_a_wildcard(self, session: Session, sign: str) -> None:
        _person(session, "Anna Bella", "Claes")
        _person(session, "Odd", f"Be{sign}lla")
        assert [hit.name for hit in search.find(session, AGENT, term=f"be{sign}lla")] == [f"Odd Be{sign}lla"]

    @pytest.mark.parametrize("term", ["", "   ", "\x00", "a\x00b", "\ud800", "x" * 101, "\u202eevil"])
    def test_finds_nothing_for_what_nobody_types(self, session: Session, term: str) -> None:
        _person(session, "Anna", "Claes")
        assert search.find(session, AGENT, term=term) == []

    def test_is_not_for_customers(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            search.find(session, self_of(_person(session, "A", "B")), term="a")


class TestNote:
    def test_writes_down_as_what_a_term_was_recognised_and_how_many_were_shown_but_not_the_term(self, session: Session) -> None:
        _person(session, "Anna", "Dubois")
        search.note(session, AGENT, found=search.find(session, AGENT, term="dubois"))
        search.note(session, VIEWER, found=search.find(session, VIEWER, term="zwartkruis"))
        found = session.exec(select(AuditEntry).where(AuditEntry.action == search.SEARCHED).order_by(AuditEntry.actor)).all()
        assert [(one.actor, one.object_id, one.after) for one in found] == [
            ("agent", "name", {"kind": "name", "hits": 1}), ("viewer", "nothing", {"kind": "nothing", "hits": 0}),
        ]  # fmt: skip

    def test_is_not_for_customers(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            search.note(session, self_of(_person(session, "A", "B")), found=[])
