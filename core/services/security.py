"""How an account is kept safe: its password, the link to a new one, and a customer's question (W13, S23 to S26).

The question is never a way in: it only helps to recognise somebody on the telephone. The house can neither read nor choose
a customer's password; it can send him a link that works once, for half an hour.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from sqlalchemy import update
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Permission
from core.errors import N_, DomainError, NotFound, NotPermitted
from core.models.user import PasswordReset, SecurityQuestion, User
from core.services import audit, communications, passwords, sessions, throttle, users
from core.services.throttle import Scope
from core.text_rules import fold, needed

LINK_LIVES = timedelta(minutes=30)
QUESTION_LENGTH = 200
ANSWER_LENGTH = 100
SHORTEST_ANSWER = 3


class WrongPassword(DomainError):
    """The current password is not the one that was typed."""

    message: ClassVar[str] = N_("This is not your current password. Type it again.")
    field = "current"


class Differs(DomainError):
    """The new password was typed in two ways."""

    message: ClassVar[str] = N_("The two new passwords differ. Type the new one again.")
    field = "repeat"


class SameAsBefore(DomainError):
    """The new password is the old one."""

    message: ClassVar[str] = N_("This is your current password. Choose another one.")
    field = "new"


class AnswerTooShort(DomainError):
    """The answer could be guessed by trying out letters."""

    message: ClassVar[str] = N_("Use {least} letters or digits or more.")
    field = "answer"


class NoQuestion(DomainError):
    """The customer chose no question."""

    message: ClassVar[str] = N_("This customer has chosen no security question. Ask for two other facts.")


class NoAddress(DomainError):
    """Nobody told this installation where it is reached, and a browser's word is not taken for it."""

    message: ClassVar[str] = N_("This installation does not know its own address. Ask whoever runs it to set GUICHET_PUBLIC_URL.")


class LinkDead(DomainError):
    """The link was used, replaced, or is older than half an hour."""

    message: ClassVar[str] = N_("This link no longer works. Ask for a new one.")


@dataclass(frozen=True)
class Access:
    """What may be said about how a customer signs in: states and dates, never a secret. `username` is None without an account."""

    username: str | None
    active: bool
    password_since: datetime | None
    link_until: datetime | None
    question: str | None
    question_since: datetime | None
    question_version: int


def access(session: Session, actor: Actor, *, customer_id: int) -> Access:
    """Return how a customer signs in."""
    actor.require(Permission.SECURITY_READ, customer_id)
    user_id, username, active, password_since = session.exec(
        select(User.id, User.username, User.active, User.password_changed_at).where(User.customer_id == customer_id)
    ).first() or (None, None, False, None)
    link_until = session.exec(
        select(PasswordReset.expires_at).where(
            PasswordReset.user_id == user_id, col(PasswordReset.used_at).is_(None), PasswordReset.expires_at > clock.real_now()
        )
    ).first()
    question, since, version = session.exec(
        select(SecurityQuestion.question, SecurityQuestion.set_at, SecurityQuestion.version).where(
            SecurityQuestion.customer_id == customer_id
        )
    ).first() or (None, None, 0)
    return Access(username, active, password_since, link_until, question, since, version)


def password_since(session: Session, actor: Actor) -> datetime | None:
    """Return when the actor last changed his own password; None when he never did."""
    return session.exec(select(User.password_changed_at).where(User.id == actor.user_id)).first()


def count_try(session: Session, actor: Actor) -> None:
    """Count a try of the actor's own password; a click of its own, so that a refusal that follows can't undo it. Raises TooManyTries."""
    if actor.user_id is None:
        raise NotPermitted
    throttle.begin(session, _own_tries(actor))


def change_password(session: Session, actor: Actor, *, current: str, new: str, repeat: str, session_id: int) -> int:
    """Change the actor's own password; all his other sessions end, and their number is returned (S11, S23).

    Call `count_try` in a click before. Raises WrongPassword, Differs, SameAsBefore, or what `passwords.check_new` raises.
    """
    user = _own_account(session, actor, current)
    if passwords.matches(user.password_hash, new):
        raise SameAsBefore
    _set_password(session, user, new, repeat)
    _tell(session, actor, user)
    ended = _end_others(session, actor, user, session_id)
    audit.record(
        session,
        actor,
        action="password:change",
        object_type="user_account",
        object_id=user.id,
        customer_id=user.customer_id,
        after={"ended": ended},
    )
    return ended


def set_question(session: Session, actor: Actor, *, customer_id: int, current: str, question: str, answer: str, shown_version: int) -> None:
    """Choose or change the question; the current password is asked again (S25). `shown_version` is 0 where there was none.

    Call `count_try` in a click before. Raises WrongPassword, AnswerTooShort, ChangedMeanwhile, or what text_rules raises.
    """
    actor.require(Permission.SECURITY_WRITE, customer_id)
    _own_account(session, actor, current)
    question = needed(question, field="question", length=QUESTION_LENGTH)
    folded = fold_answer(needed(answer, field="answer", length=ANSWER_LENGTH))
    if len(folded) < SHORTEST_ANSWER:
        raise AnswerTooShort(least=SHORTEST_ANSWER)
    row = session.exec(select(SecurityQuestion).where(SecurityQuestion.customer_id == customer_id).with_for_update()).first()
    if (row.version if row else 0) != shown_version:
        raise audit.changed_meanwhile(session, "security_question", customer_id)
    row = row or SecurityQuestion(customer_id=customer_id, question="", answer_hash="", set_at=clock.real_now())
    row.question, row.answer_hash, row.set_at = question, passwords.hash_new(folded), clock.real_now()
    session.add(row)
    action = "question:change" if shown_version else "question:set"
    audit.record(session, actor, action=action, object_type="security_question", object_id=customer_id, customer_id=customer_id)


def check_answer(session: Session, actor: Actor, *, customer_id: int, answer: str) -> bool:
    """Whether a caller's answer is the customer's. Each look is audited, and wrong ones are counted (S24, S25).

    Raises NoQuestion, TooManyTries.
    """
    actor.require(Permission.SECURITY_ANSWER_CHECK, customer_id)
    stored = session.exec(select(SecurityQuestion.answer_hash).where(SecurityQuestion.customer_id == customer_id)).first()
    if stored is None:
        raise NoQuestion
    scope = Scope(f"answer:{customer_id}", free=3)
    throttle.begin(session, scope)
    right = passwords.matches(stored, fold_answer(answer))
    if right:
        throttle.succeeded(session, scope)
    audit.record(
        session,
        actor,
        action="question:check",
        object_type="security_question",
        object_id=customer_id,
        customer_id=customer_id,
        after={"match": right},
    )
    return right


def send_reset(session: Session, actor: Actor, *, customer_id: int, address: str) -> datetime:
    """Send a customer a link to choose a password, and return until when it works; links sent before die.

    `address` is where the app is reached, such as https://guichet.example. Nobody but the customer ever sees the link (S26).
    Raises NoAddress where it is empty.
    """
    actor.require(Permission.SECURITY_RESET_SEND, customer_id)
    if not address:
        raise NoAddress
    user = users.for_customer(session, actor, customer_id=customer_id)
    now = clock.real_now()
    _use_up_links(session, user.id, now)
    token = secrets.token_urlsafe(32)
    until = now + LINK_LIVES
    session.add(
        PasswordReset(token_hash=sessions.fingerprint(token), user_id=user.id, sent_at=now, expires_at=until, sent_by=actor.username)
    )
    communications.send(
        session, actor, customer_id=customer_id, template="password_reset", params={"link": f"{address.rstrip('/')}/?reset={token}"}
    )
    audit.record(
        session, actor, action="reset:send", object_type="user_account", object_id=user.id, customer_id=customer_id, after={"until": until}
    )
    return until


def reset_for(session: Session, token: str) -> tuple[str, str]:
    """Return the user name whose password a link may set, and the language of its owner. Raises LinkDead."""
    user = _linked(session, token)
    return user.username, user.language


def reset_password(session: Session, *, token: str, new: str, repeat: str) -> str:
    """Set a password by a link, once; all sessions end and the account's tries are forgotten. Return its user name.

    Raises LinkDead, Differs, or what `passwords.check_new` raises.
    """
    user = _linked(session, token)
    _set_password(session, user, new, repeat)
    _use_up_links(session, user.id, clock.real_now())
    himself = Actor(user.id, user.username, user.role, user.customer_id)
    _tell(session, himself, user)
    sessions.end_all(session, himself, user_id=user.id, customer_id=user.customer_id)
    throttle.succeeded(session, users.entry(session, username=user.username, browser="", address=None).own, _own_tries(himself))
    audit.record(session, himself, action="password:reset", object_type="user_account", object_id=user.id, customer_id=user.customer_id)
    return user.username


def set_by_operator(session: Session, *, username: str, password: str) -> None:
    """Set a password of the house at the server's own console; all sessions end. Raises NotFound."""
    user = session.exec(select(User).where(User.username == users.fold(username), col(User.customer_id).is_(None))).first()
    if user is None:
        raise NotFound
    _set_password(session, user, password, password)
    sessions.end_all(session, SYSTEM, user_id=user.id, customer_id=None)
    audit.record(session, SYSTEM, action="password:reset", object_type="user_account", object_id=user.id)


def fold_answer(answer: str) -> str:
    """Return an answer as it is compared: small letters without accents, blanks and signs (S25)."""
    return fold(answer).replace(" ", "")


def _own_account(session: Session, actor: Actor, current: str) -> User:
    """Return the actor's account if he knows its password."""
    if actor.user_id is None:
        raise NotPermitted
    if actor.customer_id is not None:
        actor.require(Permission.SECURITY_WRITE, actor.customer_id)
    user = session.exec(select(User).where(User.id == actor.user_id).with_for_update()).one()
    if not passwords.matches(user.password_hash, current):
        raise WrongPassword
    throttle.succeeded(session, _own_tries(actor))
    return user


def _set_password(session: Session, user: User, new: str, repeat: str) -> None:
    passwords.check_new(new, names=(user.username, user.name))
    if new != repeat:
        raise Differs
    user.password_hash = passwords.hash_new(new)
    user.password_changed_at = clock.real_now()
    session.add(user)


def _tell(session: Session, actor: Actor, user: User) -> None:
    """Write to a customer that his password changed: if it was not him, he learns it."""
    if user.customer_id is not None:
        communications.send(session, actor, customer_id=user.customer_id, template="password_changed", params={})


def _end_others(session: Session, actor: Actor, user: User, session_id: int) -> int:
    return sessions.end_all(session, actor, user_id=user.id, customer_id=user.customer_id, but=session_id)


def _own_tries(actor: Actor) -> Scope:
    return Scope(f"password:{actor.user_id}")


def _linked(session: Session, token: str) -> User:
    found = session.exec(
        select(User)
        .join(PasswordReset, col(PasswordReset.user_id) == User.id)
        .where(
            PasswordReset.token_hash == sessions.fingerprint(token),
            col(PasswordReset.used_at).is_(None),
            PasswordReset.expires_at > clock.real_now(),
            col(User.active).is_(True),
        )
        .with_for_update()
    ).first()
    if found is None:
        raise LinkDead
    return found


def _use_up_links(session: Session, user_id: int, now: datetime) -> None:
    session.execute(
        update(PasswordReset).where(col(PasswordReset.user_id) == user_id, col(PasswordReset.used_at).is_(None)).values(used_at=now)
    )
