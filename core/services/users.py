"""The accounts that can sign in, and whether somebody is who he says (S12, S16 to S22)."""

import re
from dataclasses import dataclass
from typing import ClassVar

from sqlmodel import Session, col, select

from core import clock, i18n
from core.actor import SYSTEM, Actor, Permission, Role
from core.errors import N_, DomainError, NotFound, NotPermitted
from core.models.customer import Customer
from core.models.user import User, UserSession
from core.services import audit, passwords, sessions, throttle
from core.services.throttle import Scope
from core.settings import settings

DEMO_PASSWORD = "demo-Guichet-2026"  # noqa: S105 - promised to every visitor of a demo, refused in live mode
DEMO_STAFF: dict[str, tuple[Role, str]] = {
    "agent": (Role.AGENT, "Amélie Dubois"),
    "senior": (Role.SENIOR, "Claire Martin"),
    "billing": (Role.BILLING, "Bart Claes"),
    "product": (Role.PRODUCT, "Pieter Maes"),
    "admin": (Role.ADMIN, "Annick Renard"),
    "viewer": (Role.VIEWER, "Victor Leroy"),
}
DEMO_CUSTOMERS = {
    "p01": "10000017", "p02": "10000024", "p03": "10000031", "p04": "10000048", "p05": "10000055", "p06": "10000062", "p07": "10000079",
    "p08": "10000086", "p09": "10000093", "p10": "10000109", "p11": "10000116", "p12": "10000123", "p13": "10000130",
}  # fmt: skip
"""User name and customer number of the sample customers."""

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,59}")


class DemoOnly(DomainError):
    """Sample accounts are for a demo."""

    message: ClassVar[str] = N_("Sample accounts exist in a demo only. Create an account of your own.")


class UsernameUnfit(DomainError):
    """The user name is not one that can be typed everywhere."""

    message: ClassVar[str] = N_("A user name has 2 to 60 small letters, digits, dots, hyphens or underscores.")
    field = "username"


class UsernameTaken(DomainError):
    """Somebody has this user name."""

    message: ClassVar[str] = N_("This user name is taken. Choose another one.")
    field = "username"


@dataclass(frozen=True)
class Entry:
    """What a sign-in may be judged on: the account if there is one, and the scopes its tries are counted on."""

    user_id: int | None
    password_hash: str | None
    own: Scope
    address: Scope | None

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All scopes of the try."""
        return (self.own, self.address) if self.address else (self.own,)


def entry(session: Session, *, username: str, browser: str, address: str | None) -> Entry:
    """Look an account up for a sign-in. A browser that the account knows is counted by itself: a stranger's wrong tries don't stop it (S17)."""
    found = session.exec(
        select(User.id, User.password_hash, UserSession.id)
        .outerjoin(
            UserSession,
            (col(UserSession.user_id) == User.id)
            & (UserSession.browser_hash == sessions.fingerprint(browser))
            & (UserSession.created_at > clock.real_now() - sessions.REMEMBERED),
        )
        .where(User.username == fold(username), col(User.active).is_(True))
        .limit(1)
    ).first()
    user_id, password_hash, known = found or (None, None, None)
    name = sessions.fingerprint(fold(username))
    if browser and known is not None:
        return Entry(user_id, password_hash, Scope(f"browser:{name}:{sessions.fingerprint(browser)}"), None)
    return Entry(user_id, password_hash, Scope(f"account:{name}"), Scope(f"address:{address}", free=20) if address else None)


def judge(entry: Entry, password: str) -> bool:
    """Whether the password is the account's; known or not, the same work is done. Hold no transaction open: this takes a while."""
    right = passwords.matches(entry.password_hash, password)
    return right and (settings().demo or password != DEMO_PASSWORD)


def admit(session: Session, entry: Entry, *, password: str, device: str, browser: str) -> str | None:
    """Let in whoever was judged right, and return the token of his session; renew an outdated hash (S22).

    None when the account was closed or given another password while it was judged.
    """
    query = select(User).where(User.id == entry.user_id, User.password_hash == entry.password_hash, col(User.active).is_(True))
    user = session.exec(query.with_for_update()).first()
    if user is None:
        return None
    throttle.succeeded(session, entry.own)
    if entry.address:
        throttle.take_back(session, entry.address)
    if user.password_hash is not None and passwords.is_outdated(user.password_hash):
        user.password_hash = passwords.hash_new(password)
        session.add(user)
    return sessions.open_(session, user.id, device=device, browser=browser)


def refuse(session: Session, entry: Entry) -> None:
    """Note a wrong try on an account that exists; of others nothing is kept, for people type passwords into the wrong field (S48)."""
    if entry.user_id is not None:
        audit.record(session, SYSTEM, action="session:refuse", object_type="user_account", object_id=entry.user_id)


def admit_demo(session: Session, *, username: str, device: str, browser: str) -> str:
    """Let a visitor of a demo in as one of the sample accounts, by a click. Raises DemoOnly elsewhere, NotFound for another account."""
    if not settings().demo:
        raise DemoOnly
    query = select(User.id).where(User.username == username, col(User.active).is_(True))
    found = session.exec(query).first() if username in DEMO_STAFF or username in DEMO_CUSTOMERS else None
    if found is None:
        raise NotFound
    return sessions.open_(session, found, device=device, browser=browser)


def demo_names(session: Session) -> dict[str, str]:
    """Return the sample customers that exist, user name to name, in their order; none in live mode."""
    if not settings().demo:
        return {}
    query = (
        select(User.username, User.name).where(col(User.username).in_(DEMO_CUSTOMERS), User.role == Role.CUSTOMER).order_by(User.username)
    )
    return dict(session.exec(query).all())


def create_demo_accounts(session: Session) -> None:
    """Make the accounts of a demo: six of the house, and one for each sample customer that is there. Raises DemoOnly in live mode."""
    if not settings().demo:
        raise DemoOnly
    password_hash = passwords.hash_new(DEMO_PASSWORD)  # One hash for all: nineteen would take a second of the first start.
    for username, (role, name) in DEMO_STAFF.items():
        _add(session, username, name, role, password_hash)
    customers = session.exec(select(Customer).where(col(Customer.customer_no).in_(DEMO_CUSTOMERS.values()))).all()
    by_number = {customer.customer_no: customer for customer in customers}
    for username, number in DEMO_CUSTOMERS.items():
        if customer := by_number.get(number):
            _add(session, username, customer.name, Role.CUSTOMER, password_hash, customer)
    session.flush()


def create(session: Session, actor: Actor, *, username: str, name: str, role: Role, password: str) -> int:
    """Make an account of the house and return its id. Raises UsernameUnfit, UsernameTaken, or what `passwords.check_new` raises."""
    actor.require(Permission.USER_WRITE)
    username = fold(username)
    if not _USERNAME.fullmatch(username):
        raise UsernameUnfit
    if role in {Role.CUSTOMER, Role.SYSTEM}:
        raise NotPermitted
    if session.exec(select(User.id).where(User.username == username)).first() is not None:
        raise UsernameTaken
    passwords.check_new(password, names=(username, name))
    user = _add(session, username, name, role, passwords.hash_new(password))
    session.flush()
    audit.record(
        session, actor, action="user:create", object_type="user_account", object_id=user.id, after={"username": username, "role": role}
    )
    return user.id


def for_customer(session: Session, actor: Actor, *, customer_id: int) -> User:
    """Return a customer's account; his first is made here, without a password, under his customer number."""
    actor.require(Permission.SECURITY_RESET_SEND, customer_id)
    user = session.exec(select(User).where(User.customer_id == customer_id)).first()
    if user is None:
        customer = session.exec(select(Customer).where(Customer.id == customer_id)).first()
        if customer is None:
            raise NotFound
        user = _add(session, customer.customer_no, customer.name, Role.CUSTOMER, None, customer)
        session.flush()
        audit.record(session, actor, action="user:create", object_type="user_account", object_id=user.id, customer_id=customer_id)
    return user


def set_active(session: Session, actor: Actor, *, username: str, active: bool) -> None:
    """Close an account, or open it again; a closed one is out at its next run (S12). Raises NotFound."""
    actor.require(Permission.USER_WRITE)
    user = session.exec(select(User).where(User.username == fold(username))).first()
    if user is None:
        raise NotFound
    before = user.active
    user.active = active
    user.auth_version += 1
    session.add(user)
    audit.record(
        session, actor, action="user:set_active", object_type="user_account", object_id=user.id, customer_id=user.customer_id,
        before={"active": before}, after={"active": active},
    )  # fmt: skip


def choose_language(session: Session, actor: Actor, *, language: str) -> None:
    """Keep the language in which the actor reads the screen. Raises NotFound for a language we don't speak."""
    user = _own(session, actor)
    if language not in i18n.LANGUAGES:
        raise NotFound
    before, user.language = user.language, language
    session.add(user)
    audit.record(
        session, actor, action="user:choose_language", object_type="user_account", object_id=user.id, customer_id=user.customer_id,
        before={"language": before}, after={"language": language},
    )  # fmt: skip


def choose_single_keys(session: Session, actor: Actor, *, on: bool) -> None:
    """Keep whether single keys work for the actor: on some keyboards, and with some readers, they get in the way."""
    user = _own(session, actor)
    before, user.single_keys = user.single_keys, on
    session.add(user)
    audit.record(
        session, actor, action="user:choose_keys", object_type="user_account", object_id=user.id, customer_id=user.customer_id,
        before={"single_keys": before}, after={"single_keys": on},
    )  # fmt: skip


def fold(username: str) -> str:
    """Return a user name as it is compared: without blanks around, in small letters."""
    return username.strip().casefold()


def _own(session: Session, actor: Actor) -> User:
    """Return the actor's own account, which needs no right."""
    if actor.user_id is None:
        raise NotPermitted
    return session.exec(select(User).where(User.id == actor.user_id)).one()


def _add(session: Session, username: str, name: str, role: Role, password_hash: str | None, customer: Customer | None = None) -> User:
    user = User(
        username=username,
        name=name[:120],
        role=role,
        customer_id=customer.id if customer else None,
        password_hash=password_hash,
        language=str(customer.language) if customer else i18n.DEFAULT,
        created_at=clock.real_now(),
    )
    session.add(user)
    return user
