"""Pinned files: one's own, and nobody else's."""

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.user import User
from core.services import pins
from core.services.pins import PinnedEnough
from tests.builders import AGENT, make_customer, self_of


def colleague(session: Session, username: str = "alice") -> Actor:
    user = User(username=username, name=username, role=Role.AGENT, created_at=clock.real_now())
    session.add(user)
    session.flush()
    return Actor(user.id, username, Role.AGENT)


def numbers(session: Session, actor: Actor) -> list[str]:
    return [file.customer_no for file in pins.pinned(session, actor)]


class TestPin:
    def test_keeps_a_file_for_who_pinned_it_alone(self, session: Session) -> None:
        alice, bob, customer = colleague(session), colleague(session, "bob"), make_customer(session)
        pins.pin(session, alice, customer_no=customer.customer_no)
        assert (numbers(session, alice), numbers(session, bob)) == ([customer.customer_no], [])

    def test_lists_them_by_name(self, session: Session) -> None:
        alice = colleague(session)
        for family in ("Maes", "Claes"):
            pins.pin(session, alice, customer_no=make_customer(session, given_name="An", family_name=family).customer_no)
        assert [file.name for file in pins.pinned(session, alice)] == ["An Claes", "An Maes"]

    def test_does_nothing_the_second_time(self, session: Session) -> None:
        alice, customer = colleague(session), make_customer(session)
        for _ in range(2):
            pins.pin(session, alice, customer_no=customer.customer_no)
        actions = session.exec(select(AuditEntry.action).where(AuditEntry.customer_id == customer.id)).all()
        assert actions == ["file:pin"]

    def test_refuses_more_than_a_list_can_hold(self, session: Session) -> None:
        alice = colleague(session)
        for _ in range(pins.MOST):
            pins.pin(session, alice, customer_no=make_customer(session).customer_no)
        with pytest.raises(PinnedEnough):
            pins.pin(session, alice, customer_no=make_customer(session).customer_no)

    def test_refuses_a_file_that_is_not_there_and_an_actor_without_an_account(self, session: Session) -> None:
        with pytest.raises(NotFound):
            pins.pin(session, colleague(session), customer_no="99999999")
        with pytest.raises(NotPermitted):
            pins.pin(session, AGENT, customer_no=make_customer(session).customer_no)

    def test_is_not_for_customers(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(NotPermitted):
            pins.pin(session, self_of(customer), customer_no=customer.customer_no)


class TestUnpin:
    def test_takes_a_file_off_the_list_and_does_nothing_the_second_time(self, session: Session) -> None:
        alice, customer = colleague(session), make_customer(session)
        pins.pin(session, alice, customer_no=customer.customer_no)
        for _ in range(2):
            pins.unpin(session, alice, customer_no=customer.customer_no)
        actions = session.exec(select(AuditEntry.action).where(AuditEntry.customer_id == customer.id).order_by(col(AuditEntry.id))).all()
        assert (numbers(session, alice), actions) == ([], ["file:pin", "file:unpin"])
