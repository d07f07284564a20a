"""What runs, under which plan, at which price; and the next free number."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session

from core import clock
from core.errors import ChangedMeanwhile, NotFound
from core.models.customer import CustomerKind
from core.models.product import ProductStatus
from core.services import products
from tests.builders import AGENT, make_customer, make_product, self_of

TODAY = date(2026, 11, 18)


class TestHeld:
    def test_nests_options_under_their_plan_in_the_order_of_the_numbers(self, session: Session) -> None:
        customer = make_customer(session)
        trio = make_product(session, customer, "TRIO", product_no=f"{customer.customer_no}01")
        red = make_product(session, customer, "RED", product_no=f"{customer.customer_no}03", line="+32470000001", user_name="Noa")
        make_product(session, customer, "MOB_DATA_5G", parent_id=red.id, product_no=f"{customer.customer_no}04")
        make_product(session, customer, "TV_SPORT", parent_id=trio.id, product_no=f"{customer.customer_no}02")
        found = products.held(session, AGENT, customer_id=customer.id)
        assert [(plan.code, [option.code for option in plan.options]) for plan in found] == [
            ("TRIO", ["TV_SPORT"]),
            ("RED", ["MOB_DATA_5G"]),
        ]
        assert (found[1].line, found[1].user_name, found[1].price_cents, found[1].vat_included) == ("+32470000001", "Noa", 800, True)

    def test_leaves_out_what_ended_was_cancelled_or_begins_later(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "LOCO", until=TODAY)
        make_product(session, customer, "POCO", status=ProductStatus.CANCELLED)
        make_product(session, customer, "DUO", since=TODAY + timedelta(days=1), status=ProductStatus.PENDING_ACTIVE)
        make_product(session, customer, "RED", until=TODAY + timedelta(days=1), status=ProductStatus.PENDING_TERMINATE)
        assert [plan.code for plan in products.held(session, AGENT, customer_id=customer.id)] == ["RED"]

    def test_a_business_reads_prices_without_vat(self, session: Session) -> None:
        customer = make_customer(session, kind=CustomerKind.ORGANIZATION, trading_name="Boulangerie Martin SRL")
        for code in ("LOCO", "CHILI", "CHILI"):
            make_product(session, customer, code)
        found = products.held(session, AGENT, customer_id=customer.id)
        assert [plan.price_cents for plan in found] == [2645, 2314, 2314]
        assert products.month_cents(found) == 7273

    def test_hides_what_belongs_to_another(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        with pytest.raises(NotFound):
            products.held(session, self_of(other), customer_id=customer.id)


class TestMonthCents:
    def test_counts_neither_one_shots_nor_what_is_ending(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        make_product(session, customer, "MOB_DATA_1G", parent_id=red.id, until=date(2026, 12, 1))
        make_product(
            session, customer, "MOB_UNLIM_CALLS", parent_id=red.id, until=date(2026, 12, 1), status=ProductStatus.PENDING_TERMINATE
        )
        make_product(session, customer, "MOB_DATA_5G", parent_id=red.id)
        assert products.month_cents(products.held(session, AGENT, customer_id=customer.id)) == 1800


class TestOfProductNo:
    def test_does_not_find_an_option_or_what_belongs_to_another(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        red = make_product(session, customer, "RED")
        option = make_product(session, customer, "MOB_DATA_5G", parent_id=red.id)
        assert products.of_product_no(session, AGENT, customer_id=customer.id, product_no=red.product_no).id == red.id
        for customer_id, product_no in [(customer.id, option.product_no), (other.id, red.product_no)]:
            with pytest.raises(NotFound):
                products.of_product_no(session, AGENT, customer_id=customer_id, product_no=product_no)


class TestLock:
    def test_lets_the_version_grow(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED")
        before = red.version
        products.lock(session, customer_id=customer.id, product_no=red.product_no, shown_version=before)
        session.flush()
        assert red.version == before + 1
        with pytest.raises(ChangedMeanwhile):
            products.lock(session, customer_id=customer.id, product_no=red.product_no, shown_version=before)

    def test_does_not_find_an_ended_plan(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED", status=ProductStatus.TERMINATED, until=TODAY)
        with pytest.raises(NotFound):
            products.lock(session, customer_id=customer.id, product_no=red.product_no, shown_version=red.version)


class TestNextProductNo:
    def test_follows_the_highest_one_ever_given(self, session: Session) -> None:
        customer = make_customer(session)
        assert products.next_product_no(session, customer) == f"{customer.customer_no}01"
        make_product(session, customer, "RED", product_no=f"{customer.customer_no}07", status=ProductStatus.TERMINATED, until=clock.today())
        make_product(session, customer, "RED", product_no=f"{customer.customer_no}03")
        assert products.next_product_no(session, customer) == f"{customer.customer_no}08"
