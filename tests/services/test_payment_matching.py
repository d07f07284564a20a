"""Suggestions for money that waits: what each clue finds, and in which order."""

from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from core.actor import SYSTEM
from core.errors import NotFound, NotPermitted
from core.models.customer import Customer
from core.services import payment_matching, payments
from core.services.payment_matching import Clue, Suggestion, name_alike, named_numbers, near_numbers
from core.services.references import ogm, parse_ogm
from tests.builders import AGENT, VIEWER, make_customer, make_product
from tests.services import money_stories
from tests.services.money_stories import NOVEMBER, trio

TODAY = date(2026, 11, 18)
KNOWN = "BE46539000000636"


def suggest(session: Session, **given_: Any) -> list[Suggestion]:
    facts: dict[str, Any] = {"received_on": TODAY, "amount_cents": 1234}
    payment = payments.record(session, SYSTEM, **(facts | given_))
    return payment_matching.suggest(session, AGENT, payment_id=payment)


def told(found: list[Suggestion]) -> list[tuple[str, str | None, list[Clue]]]:
    return [(one.customer_no, one.bill.bill_no if one.bill else None, list(one.clues)) for one in found]


def kevin(session: Session, *months: int) -> Customer:
    found = make_customer(session, given_name="Kevin", family_name="Dubois", search_name="kevin dubois")
    make_product(session, found, "TRIO")
    for month in months:
        money_stories.bill(session, found, date(2026, month, 5), bill_no=f"26{month:02d}000055")
    return found


class TestNearNumbers:
    @given(number=st.integers(0, 9_999_999_999), place=st.integers(0, 11), by=st.integers(1, 9))
    @settings(max_examples=60, deadline=None, derandomize=True)
    def test_a_wrong_digit_leads_back_to_its_bill(self, number: int, place: int, by: int) -> None:
        right = "".join(filter(str.isdigit, ogm(f"{number:010d}")))
        typed = f"{right[:place]}{(int(right[place]) + by) % 10}{right[place + 1 :]}"
        assert parse_ogm(typed) is None  # The check digits find any single wrong digit.
        assert near_numbers(f"+++{typed[:3]}/{typed[3:7]}/{typed[7:]}+++")[f"{number:010d}"] is Clue.DIGIT

    @given(number=st.integers(0, 9_999_999_999), places=st.sampled_from(list(combinations(range(12), 2))))
    @settings(max_examples=60, deadline=None, derandomize=True)
    def test_two_swapped_digits_lead_back_to_their_bill(self, number: int, places: tuple[int, int]) -> None:
        right = "".join(filter(str.isdigit, ogm(f"{number:010d}")))
        signs = list(right)
        left, other = places
        signs[left], signs[other] = signs[other], signs[left]
        typed = "".join(signs)
        if typed != right and parse_ogm(typed) is None:
            assert f"{number:010d}" in near_numbers(typed)

    @pytest.mark.parametrize("text", ["", "loyer", "+++261/1000/05520+++", "2611000055", "1234567890123456"])
    def test_nothing_is_near_what_is_right_or_no_communication(self, text: str) -> None:
        assert near_numbers(text) == {}

    def test_numbers_are_found_in_a_sentence(self) -> None:
        assert named_numbers("fact. 2611000055 + +++261/1000/01792+++ merci") == {"2611000055", "2611000017"}
        assert named_numbers("tel 0470123456789") == set()


class TestNameAlike:
    @pytest.mark.parametrize("payer", ["DUBOIS KEVIN", "M. Dubois", "Kévin Duboïs", "Mr Kevin Dubios", "dubois-kevin"])
    def test_knows_him(self, payer: str) -> None:
        assert name_alike(payer, "kevin dubois")

    @pytest.mark.parametrize("payer", ["", "M.", "DUPONT KEVIN", "Dubois Sophie", "SA Immobel"])
    def test_takes_nobody_else_for_him(self, payer: str) -> None:
        assert not name_alike(payer, "kevin dubois")


class TestSuggest:
    def test_offers_the_bill_whose_communication_has_one_other_digit(self, session: Session) -> None:
        customer = kevin(session, 10, 11)
        trio(session, 8)
        found = suggest(session, amount_cents=4200, communication="+++261/1000/05553+++", payer_name="DUBOIS KEVIN")
        assert told(found)[0] == (customer.customer_no, "2611000055", [Clue.DIGIT, Clue.NAME, Clue.AMOUNT])
        assert (found[0].customer_name, found[0].bill and found[0].bill.remaining_cents) == ("Kevin Dubois", 4200)

    def test_finds_numbers_in_a_free_text(self, session: Session) -> None:
        customer, other = kevin(session, 10, 11), make_customer(session)
        assert told(suggest(session, communication="facture 2610000055")) == [(customer.customer_no, "2610000055", [Clue.BILL_NO])]
        assert told(suggest(session, communication=f"klant {other.customer_no}")) == [(other.customer_no, None, [Clue.CUSTOMER_NO])]

    def test_a_paid_bill_still_tells_whose_money_it_is(self, session: Session) -> None:
        customer = kevin(session, 10, 11)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=4200)
        assert told(suggest(session, communication="2610000055")) == [(customer.customer_no, "2611000055", [Clue.BILL_NO])]

    def test_knows_the_account_of_a_mandate_or_of_an_earlier_payment(self, session: Session) -> None:
        customer = kevin(session, 11)
        money_stories.mandate(session, customer, iban=KNOWN)
        assert told(suggest(session, payer_iban=KNOWN)) == [(customer.customer_no, "2611000055", [Clue.ACCOUNT])]
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=1, payer_iban="BE77539000001242")
        assert told(suggest(session, payer_iban="BE77539000001242"))[0][2] == [Clue.ACCOUNT]

    def test_an_account_that_pays_for_two_customers_tells_nothing(self, session: Session) -> None:
        for customer in (kevin(session, 11), make_customer(session)):
            payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=1, payer_iban=KNOWN)
        assert suggest(session, payer_iban=KNOWN) == []

    def test_an_amount_alone_speaks_where_one_bill_asks_it(self, session: Session) -> None:
        customer = kevin(session, 11)
        assert told(suggest(session, amount_cents=4200)) == [(customer.customer_no, "2611000055", [Clue.AMOUNT])]
        trio(session, 8)
        assert suggest(session, amount_cents=4200) == []

    def test_offers_five_at_most_the_best_first_and_always_the_same(self, session: Session) -> None:
        for number in range(7):
            customer = make_customer(session, given_name="Jan", family_name="Peeters", search_name="jan peeters")
            make_product(session, customer, "RED" if number else "TRIO")
            money_stories.bill(session, customer, NOVEMBER)
        payment = payments.record(session, SYSTEM, received_on=TODAY, amount_cents=4200, payer_name="PEETERS JAN")
        found = payment_matching.suggest(session, AGENT, payment_id=payment)
        assert (len(found), list(found[0].clues)) == (5, [Clue.NAME, Clue.AMOUNT])
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        assert payment_matching.suggest(session, AGENT, payment_id=payment) == found

    def test_nothing_is_suggested_for_what_is_matched_or_to_a_reader(self, session: Session) -> None:
        customer = kevin(session, 11)
        payment = payments.record(session, SYSTEM, customer_id=customer.id, received_on=TODAY, amount_cents=1)
        with pytest.raises(NotFound):
            payment_matching.suggest(session, AGENT, payment_id=payment)
        with pytest.raises(NotPermitted):
            payment_matching.suggest(session, VIEWER, payment_id=payment)
