"""A signed-in browser is known by a row, judged anew each time, and gone when it must be gone (S09 to S13)."""

import pytest
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.user import SignInTicket, User, UserSession
from core.services import sessions, users
from tests.builders import AGENT, SINCE, VIEWER, make_customer
from tests.services.moving import RealTime, real_time

__all__ = ["real_time"]


def make_user(session: Session, username: str = "alice", role: Role = Role.AGENT, customer_id: int | None = None) -> User:
    user = User(username=username, name=username.title(), role=role, customer_id=customer_id, created_at=SINCE)
    session.add(user)
    session.flush()
    return user


def actor_of(user: User) -> Actor:
    return Actor(user.id, user.username, user.role, user.customer_id)


class TestOpen:
    def test_keeps_the_hash_of_a_long_random_token_alone(self, session: Session) -> None:
        token = sessions.open_(session, make_user(session).id, device="Firefox · Linux")
        row = session.exec(select(UserSession)).one()
        assert len(token) >= 43
        assert row.token_hash == sessions.fingerprint(token)
        assert token not in str(row.model_dump())

    def test_gives_each_sign_in_another_token(self, session: Session) -> None:
        user = make_user(session)
        assert sessions.open_(session, user.id, device="") != sessions.open_(session, user.id, device="")


class TestFind:
    def test_returns_who_it_is_from_the_database(self, session: Session) -> None:
        customer = make_customer(session)
        user = make_user(session, "p01", Role.CUSTOMER, customer.id)
        found = sessions.find(session, sessions.open_(session, user.id, device=""))
        assert found is not None
        assert found.actor == Actor(user.id, "p01", Role.CUSTOMER, customer.id)
        assert (found.username, found.name, found.language) == ("p01", "P01", "fr")

    @pytest.mark.parametrize("token", ["", "none", "eyJhbGciOiJub25lIn0.e30.", "x" * 5000, "\ud800"])
    def test_knows_no_other_token(self, session: Session, token: str) -> None:
        sessions.open_(session, make_user(session).id, device="")
        assert sessions.find(session, token) is None

    def test_ends_after_30_idle_minutes(self, session: Session, real_time: RealTime) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        real_time.passes(minutes=29)
        assert sessions.find(session, token) is not None
        real_time.passes(minutes=1)
        assert sessions.find(session, token) is None

    def test_ends_after_12_hours_however_busy(self, session: Session, real_time: RealTime) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        for _ in range(71):
            real_time.passes(minutes=10)
            found = sessions.find(session, token)
            assert found is not None
            sessions.seen(session, found.session_id)
        real_time.passes(minutes=10)
        assert sessions.find(session, token) is None

    def test_asks_to_be_noted_once_a_minute_at_most(self, session: Session, real_time: RealTime) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        real_time.passes(seconds=59)
        assert not self._unseen(session, token)
        real_time.passes(seconds=2)
        assert self._unseen(session, token)
        sessions.seen(session, session.exec(select(UserSession.id)).one())
        assert not self._unseen(session, token)

    @staticmethod
    def _unseen(session: Session, token: str) -> bool:
        found = sessions.find(session, token)
        assert found is not None
        return found.unseen

    def test_forgets_a_closed_account_at_once(self, session: Session) -> None:
        user = make_user(session)
        token = sessions.open_(session, user.id, device="")
        users.set_active(session, Actor(None, "admin", Role.ADMIN), username="alice", active=False)
        session.flush()
        assert sessions.find(session, token) is None
        users.set_active(session, Actor(None, "admin", Role.ADMIN), username="alice", active=True)
        session.flush()
        assert sessions.find(session, token) is None

    def test_takes_the_role_of_this_moment(self, session: Session) -> None:
        user = make_user(session)
        token = sessions.open_(session, user.id, device="")
        user.role = Role.VIEWER
        session.flush()
        found = sessions.find(session, token)
        assert found is not None
        assert found.actor.role is Role.VIEWER


class TestSeen:
    def test_does_not_wake_an_ended_session(self, session: Session, real_time: RealTime) -> None:
        user = make_user(session)
        token = sessions.open_(session, user.id, device="")
        session_id = session.exec(select(UserSession.id)).one()
        sessions.revoke(session, actor_of(user), customer_id=None, session_id=session_id)
        session.flush()
        sessions.seen(session, session_id)
        assert sessions.find(session, token) is None


class TestOfUser:
    def test_lists_the_living_sessions_of_one_account(self, session: Session, real_time: RealTime) -> None:
        alice, bob = make_user(session), make_user(session, "bob")
        sessions.open_(session, alice.id, device="Firefox · Linux")
        real_time.passes(minutes=1)
        sessions.open_(session, alice.id, device="Safari · iPhone")
        sessions.open_(session, bob.id, device="Edge · Windows")
        assert [line.device for line in sessions.of_user(session, actor_of(alice), customer_id=None)] == [
            "Safari · iPhone",
            "Firefox · Linux",
        ]
        real_time.passes(minutes=29, seconds=30)
        assert [line.device for line in sessions.of_user(session, actor_of(alice), customer_id=None)] == ["Safari · iPhone"]

    def test_shows_an_agent_a_customers_sessions(self, session: Session) -> None:
        customer = make_customer(session)
        user = make_user(session, "p01", Role.CUSTOMER, customer.id)
        sessions.open_(session, user.id, device="Chrome · Android")
        assert [line.device for line in sessions.of_user(session, AGENT, customer_id=customer.id)] == ["Chrome · Android"]

    def test_hides_another_customer(self, session: Session) -> None:
        mine, other = make_customer(session), make_customer(session)
        with pytest.raises(NotFound):
            sessions.of_user(session, Actor(1, "p01", Role.CUSTOMER, mine.id), customer_id=other.id)


class TestRevoke:
    def test_signs_one_browser_out(self, session: Session) -> None:
        user = make_user(session)
        gone, stays = (sessions.open_(session, user.id, device="") for _ in range(2))
        found = sessions.find(session, gone)
        assert found is not None
        sessions.revoke(session, actor_of(user), customer_id=None, session_id=found.session_id)
        session.flush()
        assert sessions.find(session, gone) is None
        assert sessions.find(session, stays) is not None

    def test_refuses_another_accounts_session(self, session: Session) -> None:
        alice, bob = make_user(session), make_user(session, "bob")
        sessions.open_(session, bob.id, device="")
        with pytest.raises(NotFound):
            sessions.revoke(session, actor_of(alice), customer_id=None, session_id=session.exec(select(UserSession.id)).one())

    def test_refuses_a_viewer_on_a_customers_file(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(NotPermitted):
            sessions.revoke(session, VIEWER, customer_id=customer.id, session_id=1)


class TestRevokeAll:
    def test_ends_all_but_the_one_that_stays(self, session: Session) -> None:
        user = make_user(session)
        here, *others = (sessions.open_(session, user.id, device="") for _ in range(3))
        found = sessions.find(session, here)
        assert found is not None
        assert sessions.revoke_all(session, actor_of(user), customer_id=None, but=found.session_id) == 2
        session.flush()
        assert sessions.find(session, here) is not None
        assert [sessions.find(session, token) for token in others] == [None, None]


class TestRedeem:
    def test_works_once(self, session: Session) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        ticket = sessions.issue_ticket(session, token, browser="b")
        assert sessions.redeem(session, ticket, browser="b") == token
        assert sessions.redeem(session, ticket, browser="b") is None
        assert session.exec(select(SignInTicket)).all() == []

    def test_refuses_another_browser_and_stays_good_for_its_own(self, session: Session) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        ticket = sessions.issue_ticket(session, token, browser="victim")
        assert sessions.redeem(session, ticket, browser="attacker") is None
        assert sessions.redeem(session, ticket, browser="victim") == token

    def test_refuses_after_30_seconds(self, session: Session, real_time: RealTime) -> None:
        token = sessions.open_(session, make_user(session).id, device="")
        ticket = sessions.issue_ticket(session, token, browser="b")
        real_time.passes(seconds=30)
        assert sessions.redeem(session, ticket, browser="b") is None


class TestBeside:
    def test_names_colleagues_who_have_the_file_open_and_nobody_else(self, session: Session, real_time: RealTime) -> None:
        file, other = make_customer(session), make_customer(session)
        alice, bob = make_user(session), make_user(session, "bob")
        hers = sessions.find(session, sessions.open_(session, alice.id, device=""))
        assert hers
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == []
        sessions.at_file(session, hers.actor, session_id=hers.session_id, customer_id=file.id)
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == ["Alice"]
        assert sessions.beside(session, actor_of(bob), customer_id=other.id) == []
        assert sessions.beside(session, hers.actor, customer_id=file.id) == []
        real_time.passes(minutes=5)
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == []

    def test_ends_when_the_file_is_left_or_the_session_ends(self, session: Session) -> None:
        file = make_customer(session)
        alice, bob = make_user(session), make_user(session, "bob")
        hers = sessions.find(session, sessions.open_(session, alice.id, device=""))
        assert hers
        sessions.at_file(session, hers.actor, session_id=hers.session_id, customer_id=file.id)
        sessions.at_file(session, hers.actor, session_id=hers.session_id, customer_id=None)
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == []
        sessions.at_file(session, hers.actor, session_id=hers.session_id, customer_id=file.id)
        sessions.revoke(session, hers.actor, customer_id=None, session_id=hers.session_id)
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == []

    def test_nobody_says_for_another_what_he_looks_at(self, session: Session) -> None:
        file = make_customer(session)
        alice, bob = make_user(session), make_user(session, "bob")
        hers = sessions.find(session, sessions.open_(session, alice.id, device=""))
        assert hers
        sessions.at_file(session, actor_of(bob), session_id=hers.session_id, customer_id=file.id)
        assert sessions.beside(session, actor_of(bob), customer_id=file.id) == []
        with pytest.raises(NotPermitted):
            sessions.beside(session, Actor(1, "p01", Role.CUSTOMER, file.id), customer_id=file.id)
