"""Who may have an account, and who gets in (S16 to S18, S22)."""

from contextlib import suppress

import pytest
from argon2 import PasswordHasher
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.user import User
from core.services import passwords, sessions, throttle, users
from core.services.throttle import TooManyTries
from core.settings import Mode, settings
from tests.builders import AGENT, make_customer
from tests.services.moving import RealTime, count_verifications, real_time

__all__ = ["real_time"]

ADMIN = Actor(user_id=None, username="admin", role=Role.ADMIN)
GOOD = "vier natte lantaarns"


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "mode", Mode.LIVE)


def make_account(session: Session, username: str = "alice", password: str = GOOD) -> int:
    return users.create(session, ADMIN, username=username, name="Alice Renard", role=Role.AGENT, password=password)


def sign_in(session: Session, username: str, password: str, browser: str = "", address: str | None = "192.0.2.7") -> str | None:
    """Do what the sign-in screen does, in one transaction."""
    entry = users.entry(session, username=username, browser=browser, address=address)
    throttle.begin(session, *entry.scopes)
    if not users.judge(entry, password):
        users.refuse(session, entry)
        return None
    return users.admit(session, entry, password=password, device="", browser=browser)


def tries(session: Session, count: int, username: str, password: str = "wrong", browser: str = "") -> int:  # noqa: S107 - a wrong one
    """Try so many times and return how many tries were judged."""
    judged = 0
    for _ in range(count):
        with suppress(TooManyTries):
            sign_in(session, username, password, browser=browser)
            judged += 1
    return judged


class TestSignIn:
    def test_lets_the_right_password_in_however_the_name_is_typed(self, session: Session) -> None:
        make_account(session)
        assert sign_in(session, " Alice ", GOOD) is not None

    @pytest.mark.parametrize(("username", "password"), [("alice", GOOD + " "), ("alice", ""), ("nobody", GOOD), ("", "")])
    def test_refuses_all_else(self, session: Session, username: str, password: str) -> None:
        make_account(session)
        assert sign_in(session, username, password) is None

    def test_verifies_one_password_whether_the_account_exists_or_not(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        make_account(session)
        users.set_active(session, ADMIN, username="alice", active=False)
        make_account(session, "bob")
        verified = count_verifications(monkeypatch)
        for number, username in enumerate(("alice", "bob", "nobody"), 1):
            sign_in(session, username, "not the password")
            assert len(verified) == number

    def test_counts_known_and_unknown_names_alike(self, session: Session, real_time: RealTime) -> None:
        make_account(session)
        for username in ("alice", "nobody"):
            for _ in range(5):
                assert sign_in(session, username, "wrong", address=None) is None
            with pytest.raises(TooManyTries):
                sign_in(session, username, "wrong", address=None)

    def test_refuses_the_right_password_while_it_rests_and_takes_it_afterwards(self, session: Session, real_time: RealTime) -> None:
        make_account(session)
        for _ in range(5):
            sign_in(session, "alice", "wrong")
        with pytest.raises(TooManyTries):
            sign_in(session, "alice", GOOD)
        real_time.passes(seconds=30)
        assert sign_in(session, "alice", GOOD) is not None

    def test_lets_a_known_browser_in_while_a_stranger_guesses(self, session: Session, real_time: RealTime) -> None:
        make_account(session)
        assert sign_in(session, "alice", GOOD, browser="hers") is not None
        for number in range(200):
            try:
                sign_in(session, "alice", "wrong", browser="his", address=f"192.0.2.{number % 5}")
            except TooManyTries:
                real_time.passes(seconds=20)
        assert tries(session, 2, "alice", browser="his") < 2
        assert sign_in(session, "alice", GOOD, browser="hers") is not None

    def test_counts_a_known_browser_too(self, session: Session, real_time: RealTime) -> None:
        make_account(session)
        sign_in(session, "alice", GOOD, browser="hers")
        assert tries(session, 6, "alice", browser="hers") == 5

    def test_slows_down_an_address_that_tries_many_names(self, session: Session, real_time: RealTime) -> None:
        for number in range(20):
            sign_in(session, f"name{number}", "wrong")
        with pytest.raises(TooManyTries):
            sign_in(session, "another", "wrong")

    def test_gives_an_address_no_new_tries_for_a_success(self, session: Session, real_time: RealTime) -> None:
        make_account(session, "mallory")
        through = 0
        for number in range(25):
            through += tries(session, 1, f"name{number}")
            tries(session, 1, "mallory", password=GOOD)
        assert through == 20

    def test_renews_a_hash_with_lower_costs(self, session: Session) -> None:
        make_account(session)
        user = session.exec(select(User)).one()
        user.password_hash = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(GOOD)
        session.flush()
        assert sign_in(session, "alice", GOOD) is not None
        assert not passwords.is_outdated(user.password_hash)
        assert sign_in(session, "alice", GOOD) is not None

    def test_notes_a_wrong_try_without_what_was_typed(self, session: Session) -> None:
        make_account(session)
        sign_in(session, "alice", "a secret that is wrong")
        sign_in(session, "my password in the wrong field", "x")
        session.flush()
        entries = [entry for entry in session.exec(select(AuditEntry)).all() if entry.action == "session:refuse"]
        assert len(entries) == 1
        assert "secret" not in str(entries[0].model_dump())


class TestAdmit:
    def test_refuses_when_the_password_changed_while_it_was_judged(self, session: Session) -> None:
        make_account(session)
        entry = users.entry(session, username="alice", browser="", address=None)
        assert users.judge(entry, GOOD)
        user = session.exec(select(User)).one()
        user.password_hash = passwords.hash_new("een heel ander woord")
        session.flush()
        assert users.admit(session, entry, password=GOOD, device="", browser="") is None


class TestCreateDemoAccounts:
    def test_makes_the_house_and_the_sample_customers_that_are_there(self, session: Session) -> None:
        customer = make_customer(session, customer_no="10000109", language="de")
        users.create_demo_accounts(session)
        found = {user.username: user for user in session.exec(select(User)).all()}
        assert set(found) == {"agent", "senior", "billing", "product", "admin", "viewer", "p10"}
        assert (found["p10"].customer_id, found["p10"].language, found["p10"].name) == (customer.id, "de", "Sophie Lambert")
        assert sign_in(session, "agent", users.DEMO_PASSWORD) is not None

    def test_is_refused_in_live_mode(self, session: Session, live: None) -> None:
        with pytest.raises(users.DemoOnly):
            users.create_demo_accounts(session)


class TestAdmitDemo:
    def test_lets_in_by_a_click(self, session: Session) -> None:
        users.create_demo_accounts(session)
        found = sessions.find(session, users.admit_demo(session, username="viewer", device="", browser=""))
        assert found is not None
        assert found.actor.role is Role.VIEWER

    def test_refuses_an_account_that_is_no_sample(self, session: Session) -> None:
        make_account(session)
        with pytest.raises(NotFound):
            users.admit_demo(session, username="alice", device="", browser="")

    def test_is_refused_in_live_mode(self, session: Session, live: None) -> None:
        with pytest.raises(users.DemoOnly):
            users.admit_demo(session, username="agent", device="", browser="")


class TestLive:
    def test_refuses_the_demos_password_on_a_database_that_was_a_demo(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        users.create_demo_accounts(session)
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        assert sign_in(session, "admin", users.DEMO_PASSWORD) is None
        assert users.demo_names(session) == {}


class TestCreate:
    @pytest.mark.parametrize("username", ["", "a", "été", "a b", "-a", "x" * 61, "a\nb"])
    def test_refuses_an_unfit_name(self, session: Session, username: str) -> None:
        with pytest.raises(users.UsernameUnfit):
            make_account(session, username)

    def test_refuses_a_taken_name_in_other_letters(self, session: Session) -> None:
        make_account(session)
        with pytest.raises(users.UsernameTaken):
            make_account(session, "ALICE")

    def test_refuses_a_weak_password(self, session: Session) -> None:
        with pytest.raises(passwords.TooShort):
            make_account(session, password="short")

    def test_refuses_an_agent(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            users.create(session, AGENT, username="alice", name="Alice", role=Role.ADMIN, password=GOOD)

    def test_refuses_a_customer_without_a_file(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            users.create(session, ADMIN, username="alice", name="Alice", role=Role.CUSTOMER, password=GOOD)


class TestSetActive:
    def test_refuses_a_sign_in_to_a_closed_account(self, session: Session) -> None:
        make_account(session)
        users.set_active(session, ADMIN, username="alice", active=False)
        session.flush()
        assert sign_in(session, "alice", GOOD) is None

    def test_refuses_an_agent(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            users.set_active(session, AGENT, username="alice", active=False)


class TestChooseLanguage:
    def test_keeps_the_language_of_the_reader(self, session: Session) -> None:
        user_id = make_account(session)
        users.choose_language(session, Actor(user_id, "alice", Role.AGENT), language="nl")
        assert session.exec(select(User.language)).one() == "nl"

    def test_keeps_whether_single_keys_work(self, session: Session) -> None:
        user_id = make_account(session)
        users.choose_single_keys(session, Actor(user_id, "alice", Role.AGENT), on=False)
        assert session.exec(select(User.single_keys)).one() is False

    def test_refuses_a_language_we_do_not_speak(self, session: Session) -> None:
        user_id = make_account(session)
        with pytest.raises(NotFound):
            users.choose_language(session, Actor(user_id, "alice", Role.AGENT), language="it")
