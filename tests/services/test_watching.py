"""A colleague who sees a file as its customer does: for some minutes, under both names, and without changing anything."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from core import clock, services
from core.actor import LOOKS, ROLES, Actor, OnlyLooks, Permission, Role
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.user import User, UserSession
from core.services import audit, communications, sessions, users
from tests.builders import AGENT, SINCE, make_customer, self_of

WRITES = sorted(set(Permission) - LOOKS)


def watcher_of(customer: Customer) -> Actor:
    return Actor(None, "agent", Role.CUSTOMER, customer.id, watcher_id=4)


def signed_in(session: Session, role: Role = Role.AGENT) -> tuple[Actor, str, int]:
    """Sign somebody of the house in; return him, his token and the id of his session."""
    user = User(username=f"u{role}", name="U", role=role, created_at=SINCE)
    session.add(user)
    session.flush()
    token = sessions.open_(session, user.id, device="Firefox")
    row = session.exec(select(UserSession).where(UserSession.user_id == user.id)).one()
    return Actor(user.id, user.username, role), token, row.id


def found(session: Session, token: str) -> sessions.SignedIn:
    session.flush()
    known = sessions.find(session, token)
    assert known is not None
    return known


class TestWatch:
    def test_makes_a_customers_actor_under_the_colleagues_name(self, session: Session) -> None:
        customer = make_customer(session)
        actor, token, session_id = signed_in(session)
        sessions.watch(session, actor, customer_id=customer.id, session_id=session_id)
        seen = found(session, token)
        assert (seen.actor.staff, seen.actor.house, seen.actor.watching) == (False, True, True)
        assert (seen.actor.username, seen.actor.watcher_id, seen.actor.customer_id) == ("uagent", actor.user_id, customer.id)
        assert sessions.holder(session, session_id) == seen.actor

    def test_ends_by_itself(self, session: Session) -> None:
        customer = make_customer(session)
        actor, token, session_id = signed_in(session)
        until = sessions.watch(session, actor, customer_id=customer.id, session_id=session_id)
        assert timedelta(minutes=14) < until - clock.real_now() <= timedelta(minutes=15)
        session.get_one(UserSession, session_id).watches_until = clock.real_now() - timedelta(seconds=1)
        assert found(session, token).actor == actor
        assert sessions.holder(session, session_id) == actor

    def test_ends_when_he_leaves_and_both_are_written_down(self, session: Session) -> None:
        customer = make_customer(session)
        actor, token, session_id = signed_in(session)
        sessions.watch(session, actor, customer_id=customer.id, session_id=session_id)
        sessions.leave(session, session_id)
        sessions.leave(session, session_id)
        assert found(session, token).actor == actor
        trail = session.exec(select(AuditEntry).where(AuditEntry.customer_id == customer.id).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
        assert [(one.action, one.actor, one.user_id) for one in trail] == [
            ("customer:watch", "uagent", actor.user_id), ("customer:leave", "uagent", actor.user_id),
        ]  # fmt: skip

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.PRODUCT, Role.BILLING])
    def test_is_for_who_talks_with_customers(self, session: Session, role: Role) -> None:
        customer = make_customer(session)
        actor, _, session_id = signed_in(session, role)
        with pytest.raises(NotPermitted):
            sessions.watch(session, actor, customer_id=customer.id, session_id=session_id)

    def test_is_for_ones_own_browser_and_a_customer_that_is_there(self, session: Session) -> None:
        customer = make_customer(session)
        actor, _, _ = signed_in(session)
        _, _, others = signed_in(session, Role.SENIOR)
        for customer_id, session_id in ((customer.id, others), (999_999, others)):
            with pytest.raises(NotFound):
                sessions.watch(session, actor, customer_id=customer_id, session_id=session_id)


class TestRequire:
    @pytest.mark.parametrize("permission", WRITES)
    def test_refuses_whatever_changes_something(self, permission: Permission) -> None:
        watcher = Actor(None, "agent", Role.CUSTOMER, 7, watcher_id=4)
        with pytest.raises(OnlyLooks if permission in ROLES[Role.CUSTOMER] else NotPermitted):
            watcher.require(permission, 7)

    @pytest.mark.parametrize("permission", sorted(LOOKS))
    def test_lets_him_look_at_this_file_and_no_other(self, permission: Permission) -> None:
        watcher = Actor(None, "agent", Role.CUSTOMER, 7, watcher_id=4)
        watcher.require(permission, 7)
        with pytest.raises(NotFound):
            watcher.require(permission, 8)


def _verbs() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Return every public verb of the services that takes an actor."""
    for found_module in pkgutil.iter_modules(services.__path__):
        module = importlib.import_module(f"core.services.{found_module.name}")
        for name, verb in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(verb) or verb.__module__ != module.__name__:
                continue
            if list(inspect.signature(verb).parameters)[:2] == ["session", "actor"]:
                yield f"{found_module.name}.{name}", verb


VERBS = dict(_verbs())


class _UntouchedError(Exception):
    """A verb went on to its work."""


class _Untouchable:
    """Stands for any input, and for the database: whoever looks at it has let the watcher pass."""

    def __getattr__(self, name: str) -> Any:
        raise _UntouchedError(name)


class TestVerbs:
    def test_there_are_verbs(self) -> None:
        assert len(VERBS) > 150

    def test_each_verb_that_writes_refuses_before_its_work(self) -> None:
        """A verb whose right is no look refuses at its first line; one that only looks goes on to the database."""
        went_on = []
        for name, verb in VERBS.items():
            watcher = Actor(None, "agent", Role.CUSTOMER, 7, watcher_id=4)
            names = list(inspect.signature(verb).parameters.values())[2:]
            given = {one.name: 7 if one.name == "customer_id" else _Untouchable() for one in names if one.kind is one.KEYWORD_ONLY}
            try:
                verb(_Untouchable(), watcher, *[_Untouchable() for one in names if one.kind is one.POSITIONAL_OR_KEYWORD], **given)
            except (OnlyLooks, NotPermitted):
                continue
            except Exception:  # noqa: BLE001 - it went on, and stumbled over what stands for its input
                went_on.append(name)
        writing = [name for name in went_on if _changes(VERBS[name])]
        assert set(writing) == LOOKING_VERBS | INNER_VERBS | DOOR

    def test_even_one_that_forgot_its_right_can_record_no_change(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(OnlyLooks):
            audit.record(session, watcher_of(customer), action="thing:change", object_type="thing", object_id=1, customer_id=customer.id)

    def test_a_download_is_recorded_under_both_names(self, session: Session) -> None:
        customer = make_customer(session)
        facts: dict[str, Any] = {"action": "bill:download", "object_type": "bill", "object_id": 1, "customer_id": customer.id}
        audit.record(session, watcher_of(customer), **facts)
        session.flush()
        entry = session.exec(select(AuditEntry)).one()
        assert (entry.actor, entry.user_id, entry.customer_id) == ("agent", 4, customer.id)

    def test_his_own_account_stays_as_it_is(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            users.choose_language(session, watcher_of(make_customer(session)), language="nl")


LOOKING_VERBS = {
    "bills.pdf",
    "communications.open_message",
    "documents.open_",
    "e_invoices.document",
    "mandates.pdf",
    "usage_export.export",
}
"""Verbs that write down that somebody looked."""
INNER_VERBS = {
    "collections.pay_by_transfer", "communications.send", "credit_notes.write", "e_invoices.settle", "mandates.activate", "mandates.end",
    "orders.place", "payments.written", "sessions.end_all", "tasks.settle",
}  # fmt: skip
"""Verbs that are called by one that asked for its right; what they record is refused all the same."""
DOOR = {"access.give_reason"}
"""Does nothing for who is no staff."""


def _changes(verb: Callable[..., Any]) -> bool:
    source = inspect.getsource(verb)
    return any(sign in source for sign in ("audit.record(", "session.add(", "session.delete(", "_record(", "throttle.begin("))


class TestMessage:
    def test_a_look_in_the_customers_view_leaves_it_unread_and_secrets_hidden(self, session: Session) -> None:
        customer = make_customer(session)
        communications.send(session, AGENT, customer_id=customer.id, template="password_reset", params={"link": "https://x/?reset=s3cr3t"})
        session.flush()
        row = session.exec(select(Communication)).one()
        shown = communications.open_message(session, watcher_of(customer), customer_id=customer.id, message_id=row.id)
        assert ("s3cr3t" in shown.body, row.read_at) == (False, None)
        assert "s3cr3t" in communications.open_message(session, self_of(customer), customer_id=customer.id, message_id=row.id).body
