"""A cap blocks, at once; only the account holder lets more be spent (W4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from core.catalogue import catalogue
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.product import Product
from core.services import caps, products
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

CAPS = st.one_of(st.none(), st.sampled_from(caps.choices()))


def line(session: Session, offering: str = "RED") -> Product:
    return make_product(session, make_customer(session), offering, line="+32470000012")


def put(session: Session, plan: Product, cap_cents: int | None, **given: Any) -> None:
    version = products.of_product_no(session, AGENT, customer_id=plan.customer_id, product_no=plan.product_no).version
    facts = {"shown_version": version} | given
    actor = facts.pop("actor", AGENT)
    caps.set_cap(session, actor, customer_id=plan.customer_id, product_no=plan.product_no, cap_cents=cap_cents, **facts)


def cap_of(session: Session, plan: Product) -> int | None:
    return caps.of_customer(session, AGENT, customer_id=plan.customer_id).get(plan.id)


class TestBlocked:
    def test_zero_blocks_as_soon_as_the_bundle_is_used_up(self) -> None:
        assert caps.blocked(0, used_up=True, over_cents=0)
        assert not caps.blocked(0, used_up=False, over_cents=0)

    def test_five_euros_block_at_five_euros(self) -> None:
        assert not caps.blocked(500, used_up=True, over_cents=499)
        assert caps.blocked(500, used_up=True, over_cents=500)

    def test_without_a_cap_nothing_blocks(self) -> None:
        assert not caps.blocked(None, used_up=True, over_cents=10**6)

    @given(cap=CAPS, higher=CAPS, over=st.integers(0, 20000))
    def test_a_higher_cap_never_blocks_more(self, cap: int | None, higher: int | None, over: int) -> None:
        if caps.raises(cap, higher):
            assert caps.blocked(cap, used_up=True, over_cents=over) >= caps.blocked(higher, used_up=True, over_cents=over)


class TestBlocksPremium:
    def test_only_zero_does(self) -> None:
        assert [cap for cap in (None, *caps.choices()) if caps.blocks_premium(cap)] == [0]


class TestRaises:
    @given(first=CAPS, second=CAPS)
    def test_one_of_two_different_caps_is_the_higher_one(self, first: int | None, second: int | None) -> None:
        assert (caps.raises(first, second) + caps.raises(second, first)) == (first != second)


class TestOffered:
    def test_only_where_something_is_charged_beyond_the_bundle(self) -> None:
        assert [code for code, one in catalogue().offerings.items() if one.is_plan and caps.offered(one)] == ["RED", "HOT", "CHILI"]


class TestSetCap:
    def test_holds_at_once_and_tells_the_customer(self, session: Session) -> None:
        plan = line(session)
        put(session, plan, 0)
        assert cap_of(session, plan) == 0
        sent = session.exec(select(Communication)).one()
        assert sent.template == "cap_set"
        assert "0470 00 00 12" in sent.body

    def test_anybody_at_the_desk_lowers_it(self, session: Session) -> None:
        plan = line(session)
        for cap in (5000, 2500, 0):
            put(session, plan, cap)
        assert cap_of(session, plan) == 0

    @pytest.mark.parametrize("cap", [500, None])
    def test_is_raised_or_lifted_only_when_the_holder_asks(self, session: Session, cap: int | None) -> None:
        plan = line(session)
        put(session, plan, 0)
        with pytest.raises(caps.RaisedByHolderOnly):
            put(session, plan, cap)
        put(session, plan, cap, holder_asks=True)
        assert cap_of(session, plan) == cap
        reasons = session.exec(select(AuditEntry.reason).where(AuditEntry.action == "cap:set").order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        assert reasons == [None, "asked by the account holder"]

    def test_the_holder_raises_it_himself(self, session: Session) -> None:
        customer = make_customer(session)
        plan = make_product(session, customer)
        put(session, plan, 0)
        put(session, plan, 2500, actor=self_of(customer))
        assert cap_of(session, plan) == 2500

    def test_lifting_it_is_told_too(self, session: Session) -> None:
        plan = line(session)
        put(session, plan, 500)
        put(session, plan, None, holder_asks=True)
        assert session.exec(select(Communication.template)).all() == ["cap_set", "cap_removed"]

    def test_the_same_cap_again_writes_nothing(self, session: Session) -> None:
        plan = line(session)
        put(session, plan, 500)
        put(session, plan, 500)
        assert len(session.exec(select(Communication)).all()) == 1

    @pytest.mark.parametrize("cap", [-1, 1, 700])
    def test_refuses_another_amount(self, session: Session, cap: int) -> None:
        with pytest.raises(caps.NotOffered):
            put(session, line(session), cap)

    def test_refuses_a_line_that_is_never_charged_beyond_its_bundle(self, session: Session) -> None:
        with pytest.raises(caps.NotOffered):
            put(session, line(session, "LOCO"), 500)

    def test_a_second_agent_is_told(self, session: Session) -> None:
        plan = line(session)
        before = plan.version
        put(session, plan, 0)
        with pytest.raises(ChangedMeanwhile):
            put(session, plan, 5000, shown_version=before, holder_asks=True)
        assert cap_of(session, plan) == 0

    def test_refuses_others(self, session: Session) -> None:
        plan = line(session)
        with pytest.raises(NotPermitted):
            put(session, plan, 0, actor=VIEWER)
        with pytest.raises(NotFound):
            put(session, plan, 0, actor=self_of(make_customer(session)))
