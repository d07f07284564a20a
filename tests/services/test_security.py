"""A password, a link and a question: what each may do, and what none ever shows (S11, S23 to S26)."""

import inspect
import re
from dataclasses import astuple

import pytest
from sqlmodel import Session, col, select

from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.communication import Communication
from core.models.customer import Customer
from core.models.user import PasswordReset, SecurityQuestion, User
from core.services import communications, passwords, security, sessions, throttle, users
from core.text_rules import Missing
from tests.builders import AGENT, SINCE, VIEWER, make_customer
from tests.services.moving import RealTime, real_time

__all__ = ["real_time"]

OLD = "vier natte lantaarns"
NEW = "drie droge paraplu's"
QUESTION = "Le nom de votre premier animal ?"


@pytest.fixture
def customer(session: Session) -> Customer:
    return make_customer(session)


@pytest.fixture
def himself(session: Session, customer: Customer) -> Actor:
    user = User(
        username="p01",
        name="Sophie Lambert",
        role=Role.CUSTOMER,
        customer_id=customer.id,
        created_at=SINCE,
        password_hash=passwords.hash_new(OLD),
    )
    session.add(user)
    session.flush()
    return Actor(user.id, "p01", Role.CUSTOMER, customer.id)


def stored_hash(session: Session) -> str | None:
    return session.exec(select(User.password_hash)).one()


def set_question(session: Session, actor: Actor, customer: Customer, answer: str = "Médor", shown_version: int = 0) -> None:
    security.set_question(
        session, actor, customer_id=customer.id, current=OLD, question=QUESTION, answer=answer, shown_version=shown_version
    )
    session.flush()


def link_of(session: Session) -> str:
    body = session.exec(
        select(Communication.body).where(Communication.template == "password_reset").order_by(col(Communication.id).desc())
    ).first()
    found = re.search(r"https://guichet\.example/\?reset=(\S+)", body or "")
    assert found is not None
    return found[1]


def send(session: Session, customer: Customer) -> str:
    security.send_reset(session, AGENT, customer_id=customer.id, address="https://guichet.example/")
    session.flush()
    return link_of(session)


class TestChangePassword:
    def change(
        self, session: Session, actor: Actor, current: str = OLD, new: str = NEW, repeat: str | None = None, session_id: int = 0
    ) -> int:
        return security.change_password(
            session, actor, current=current, new=new, repeat=new if repeat is None else repeat, session_id=session_id
        )

    def test_ends_the_other_sessions_and_keeps_this_one(self, session: Session, himself: Actor) -> None:
        assert himself.user_id is not None
        here, there = (sessions.open_(session, himself.user_id, device="") for _ in range(2))
        found = sessions.find(session, here)
        assert found is not None
        assert self.change(session, himself, session_id=found.session_id) == 1
        session.flush()
        assert sessions.find(session, here) is not None
        assert sessions.find(session, there) is None
        assert passwords.matches(stored_hash(session), NEW)

    def test_refuses_a_wrong_current_password_beside_its_field(self, session: Session, himself: Actor) -> None:
        with pytest.raises(security.WrongPassword) as refusal:
            self.change(session, himself, current=OLD + " ")
        assert refusal.value.field == "current"

    def test_refuses_two_new_ones_that_differ(self, session: Session, himself: Actor) -> None:
        with pytest.raises(security.Differs) as refusal:
            self.change(session, himself, repeat=NEW + " ")
        assert refusal.value.field == "repeat"

    def test_refuses_the_old_one_again(self, session: Session, himself: Actor) -> None:
        with pytest.raises(security.SameAsBefore):
            self.change(session, himself, new=OLD)

    def test_refuses_a_weak_one_and_changes_nothing(self, session: Session, himself: Actor) -> None:
        with pytest.raises(passwords.MadeOfNames) as refusal:
            self.change(session, himself, new="Sophie-Lambert-p01")
        assert refusal.value.field == "new"
        assert passwords.matches(stored_hash(session), OLD)

    def test_lets_an_agent_change_his_own(self, session: Session) -> None:
        user_id = users.create(
            session, Actor(None, "admin", Role.ADMIN), username="amelie", name="Amélie Dubois", role=Role.AGENT, password=OLD
        )
        self.change(session, Actor(user_id, "amelie", Role.AGENT))
        assert passwords.matches(stored_hash(session), NEW)

    def test_writes_to_the_customer_and_to_the_trail_without_a_secret(self, session: Session, himself: Actor) -> None:
        self.change(session, himself)
        session.flush()
        assert session.exec(select(Communication.template)).all() == ["password_changed"]
        trail = [entry.model_dump() for entry in session.exec(select(AuditEntry)).all()]
        assert "password:change" in str(trail)
        assert not any(secret in str(trail) for secret in (OLD, NEW, "argon2"))


class TestCountTry:
    def test_rests_after_five_wrong_ones_and_forgets_them_after_a_right_one(
        self, session: Session, himself: Actor, real_time: RealTime
    ) -> None:
        for _ in range(5):
            security.count_try(session, himself)
        with pytest.raises(throttle.TooManyTries):
            security.count_try(session, himself)
        real_time.passes(seconds=30)
        security.count_try(session, himself)
        security.change_password(session, himself, current=OLD, new=NEW, repeat=NEW, session_id=0)
        for _ in range(5):
            security.count_try(session, himself)


class TestSetQuestion:
    def test_keeps_a_hash_of_the_answer_alone(self, session: Session, himself: Actor, customer: Customer) -> None:
        set_question(session, himself, customer)
        row = session.exec(select(SecurityQuestion)).one()
        assert row.question == QUESTION
        assert row.answer_hash.startswith("$argon2id$")
        dumped = str([row.model_dump(), *(entry.model_dump() for entry in session.exec(select(AuditEntry)).all())]).lower()
        assert "médor" not in dumped
        assert "medor" not in dumped

    def test_asks_the_password_again(self, session: Session, himself: Actor, customer: Customer) -> None:
        with pytest.raises(security.WrongPassword):
            security.set_question(
                session, himself, customer_id=customer.id, current="wrong", question=QUESTION, answer="Médor", shown_version=0
            )

    def test_refuses_an_answer_of_two_letters(self, session: Session, himself: Actor, customer: Customer) -> None:
        with pytest.raises(security.AnswerTooShort):
            set_question(session, himself, customer, answer="a - b")

    def test_refuses_an_empty_answer(self, session: Session, himself: Actor, customer: Customer) -> None:
        with pytest.raises(Missing):
            set_question(session, himself, customer, answer=" ")

    def test_refuses_a_form_that_showed_an_older_question(self, session: Session, himself: Actor, customer: Customer) -> None:
        set_question(session, himself, customer)
        with pytest.raises(ChangedMeanwhile):
            set_question(session, himself, customer)
        set_question(session, himself, customer, answer="Minou", shown_version=1)

    @pytest.mark.parametrize("actor", [AGENT, VIEWER])
    def test_refuses_the_house(self, session: Session, customer: Customer, actor: Actor) -> None:
        with pytest.raises(NotPermitted):
            set_question(session, actor, customer)

    def test_hides_another_customers_file(self, session: Session, himself: Actor) -> None:
        with pytest.raises(NotFound):
            set_question(session, himself, make_customer(session))


class TestCheckAnswer:
    @pytest.mark.parametrize(("answer", "right"), [("Médor", True), ("  MEDOR ", True), ("me-dor", True), ("Medor2", False), ("", False)])
    def test_compares_without_case_accents_and_blanks(
        self, session: Session, himself: Actor, customer: Customer, answer: str, *, right: bool
    ) -> None:
        set_question(session, himself, customer)
        assert security.check_answer(session, AGENT, customer_id=customer.id, answer=answer) is right

    def test_notes_each_check_and_its_result_but_no_answer(self, session: Session, himself: Actor, customer: Customer) -> None:
        set_question(session, himself, customer)
        security.check_answer(session, AGENT, customer_id=customer.id, answer="Rex the dog")
        session.flush()
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "question:check")).one()
        assert (entry.actor, entry.customer_id, entry.after) == ("agent", customer.id, {"match": False})
        assert "Rex" not in str(entry.model_dump())

    def test_rests_after_three_wrong_answers(self, session: Session, himself: Actor, customer: Customer, real_time: RealTime) -> None:
        set_question(session, himself, customer)
        for _ in range(3):
            assert not security.check_answer(session, AGENT, customer_id=customer.id, answer="Rex")
        with pytest.raises(throttle.TooManyTries):
            security.check_answer(session, AGENT, customer_id=customer.id, answer="Médor")
        real_time.passes(seconds=30)
        assert security.check_answer(session, AGENT, customer_id=customer.id, answer="Médor")

    def test_says_so_where_there_is_no_question(self, session: Session, customer: Customer) -> None:
        with pytest.raises(security.NoQuestion):
            security.check_answer(session, AGENT, customer_id=customer.id, answer="Médor")

    def test_is_refused_to_the_customer_and_to_a_viewer(self, session: Session, himself: Actor, customer: Customer) -> None:
        for actor in (himself, VIEWER):
            with pytest.raises(NotPermitted):
                security.check_answer(session, actor, customer_id=customer.id, answer="Médor")

    def test_opens_nothing(self) -> None:
        for verb in (security.reset_password, security.change_password, security.send_reset, users.admit, users.judge, users.entry):
            assert "answer" not in inspect.signature(verb).parameters


class TestAccess:
    def test_shows_states_and_no_secret(self, session: Session, himself: Actor, customer: Customer) -> None:
        set_question(session, himself, customer)
        token = send(session, customer)
        found = security.access(session, AGENT, customer_id=customer.id)
        assert (found.username, found.active, found.question, found.question_version) == ("p01", True, QUESTION, 1)
        assert found.link_until is not None
        assert not any(secret in str(astuple(found)) for secret in ("argon2", token, "medor"))

    def test_is_empty_without_an_account(self, session: Session, customer: Customer) -> None:
        found = security.access(session, AGENT, customer_id=customer.id)
        assert (found.username, found.active, found.link_until, found.question_version) == (None, False, None, 0)

    def test_hides_another_customer(self, session: Session, himself: Actor) -> None:
        with pytest.raises(NotFound):
            security.access(session, himself, customer_id=make_customer(session).id)


class TestSendReset:
    def test_writes_a_link_that_the_house_can_not_see(self, session: Session, himself: Actor, customer: Customer) -> None:
        token = send(session, customer)
        message_id = session.exec(select(Communication.id)).one()
        seen = communications.open_message(session, AGENT, customer_id=customer.id, message_id=message_id)
        assert token not in seen.body
        assert token in communications.open_message(session, himself, customer_id=customer.id, message_id=message_id).body
        session.flush()
        assert not any(token in str(entry.model_dump()) for entry in session.exec(select(AuditEntry)).all())
        assert token not in str(session.exec(select(PasswordReset)).one().model_dump())

    def test_makes_a_customers_first_account_without_a_password(self, session: Session, customer: Customer) -> None:
        token = send(session, customer)
        assert stored_hash(session) is None
        assert security.reset_password(session, token=token, new=NEW, repeat=NEW) == customer.customer_no

    @pytest.mark.parametrize("actor", [VIEWER, Actor(1, "p01", Role.CUSTOMER, 1)])
    def test_is_refused_without_the_right(self, session: Session, customer: Customer, actor: Actor) -> None:
        with pytest.raises(NotPermitted):
            security.send_reset(session, actor, customer_id=customer.id, address="https://guichet.example")

    def test_refuses_where_nobody_told_the_apps_address(self, session: Session, himself: Actor, customer: Customer) -> None:
        with pytest.raises(security.NoAddress):
            security.send_reset(session, AGENT, customer_id=customer.id, address="")

    def test_refuses_a_file_that_is_not_there(self, session: Session) -> None:
        with pytest.raises(NotFound):
            security.send_reset(session, AGENT, customer_id=999_999, address="https://guichet.example")


class TestResetPassword:
    def test_works_once_ends_all_sessions_and_forgets_the_tries(
        self, session: Session, himself: Actor, customer: Customer, real_time: RealTime
    ) -> None:
        assert himself.user_id is not None
        stolen = sessions.open_(session, himself.user_id, device="")
        entry = users.entry(session, username="p01", browser="", address=None)
        for _ in range(5):
            throttle.begin(session, *entry.scopes)
        token = send(session, customer)
        assert security.reset_for(session, token) == ("p01", "fr")
        assert security.reset_password(session, token=token, new=NEW, repeat=NEW) == "p01"
        session.flush()
        assert sessions.find(session, stolen) is None
        throttle.begin(session, *entry.scopes)
        with pytest.raises(security.LinkDead):
            security.reset_password(session, token=token, new=OLD, repeat=OLD)
        assert passwords.matches(stored_hash(session), NEW)

    def test_refuses_after_half_an_hour(self, session: Session, himself: Actor, customer: Customer, real_time: RealTime) -> None:
        token = send(session, customer)
        real_time.passes(minutes=30)
        with pytest.raises(security.LinkDead):
            security.reset_password(session, token=token, new=NEW, repeat=NEW)

    def test_refuses_a_link_that_a_newer_one_replaced(self, session: Session, himself: Actor, customer: Customer) -> None:
        older, newer = send(session, customer), send(session, customer)
        with pytest.raises(security.LinkDead):
            security.reset_for(session, older)
        assert security.reset_for(session, newer) == ("p01", "fr")

    def test_stays_good_after_a_weak_password(self, session: Session, himself: Actor, customer: Customer) -> None:
        token = send(session, customer)
        with pytest.raises(passwords.TooShort):
            security.reset_password(session, token=token, new="short", repeat="short")
        assert security.reset_for(session, token) == ("p01", "fr")

    @pytest.mark.parametrize("token", ["", "x", "' OR 1=1 --", "\ud800"])
    def test_refuses_any_other_token(self, session: Session, himself: Actor, customer: Customer, token: str) -> None:
        send(session, customer)
        with pytest.raises(security.LinkDead):
            security.reset_password(session, token=token, new=NEW, repeat=NEW)

    def test_refuses_a_closed_account(self, session: Session, himself: Actor, customer: Customer) -> None:
        token = send(session, customer)
        users.set_active(session, Actor(None, "admin", Role.ADMIN), username="p01", active=False)
        session.flush()
        with pytest.raises(security.LinkDead):
            security.reset_password(session, token=token, new=NEW, repeat=NEW)


class TestSetByOperator:
    def test_sets_a_password_of_the_house_and_never_a_customers(self, session: Session, himself: Actor) -> None:
        users.create(session, Actor(None, "admin", Role.ADMIN), username="amelie", name="Amélie", role=Role.AGENT, password=OLD)
        security.set_by_operator(session, username="amelie", password=NEW)
        assert passwords.matches(session.exec(select(User.password_hash).where(User.username == "amelie")).one(), NEW)
        with pytest.raises(NotFound):
            security.set_by_operator(session, username="p01", password=NEW)
