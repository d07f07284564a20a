"""Which browsers are signed in: a row per browser, found by the hash of a random token, judged anew at every run (S09 to S13)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, update
from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Permission, Role
from core.catalogue import law
from core.db import ask
from core.errors import NotFound, NotPermitted
from core.models.customer import Customer
from core.models.user import SignInTicket, User, UserSession
from core.services import audit

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
BESIDE = timedelta(minutes=5)
"""So long after its last click a browser still counts as having a file open."""
TICKET_LIVES = timedelta(seconds=30)
REMEMBERED = timedelta(days=90)
"""So long a browser that signed in counts as one the account knows."""

WATCH = "customer:watch"
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, as the database knows him at this moment, and whether he works with single keys. `unseen` asks for a call of `seen`.

    `watches_until` is set while a colleague sees a file as its customer does; his actor is then a customer's, and may only look.
    """

    actor: Actor
    session_id: int
    name: str
    language: str
    single_keys: bool
    unseen: bool
    watches_until: datetime | None = None

    @property
    def username(self) -> str:
        """The name he signs in with."""
        return self.actor.username


@dataclass(frozen=True)
class SessionLine:
    """A browser that is signed in now."""

    id: int
    device: str
    since: datetime
    last_seen_at: datetime


def fingerprint(secret: str) -> str:
    """Return the hash by which a random secret is found again (S48: the secret itself is nowhere)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def open_(session: Session, user_id: int, *, device: str, browser: str = "") -> str:
    """Sign a browser in and return its token, which nothing keeps but the browser. `browser` names it across sign-ins."""
    now = clock.real_now()
    user = session.exec(select(User).where(User.id == user_id, col(User.active).is_(True))).one()
    session.execute(delete(SignInTicket).where(col(SignInTicket.expires_at) < now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    row = UserSession(
        token_hash=fingerprint(token),
        user_id=user.id,
        auth_version=user.auth_version,
        created_at=now,
        last_seen_at=now,
        device=device[:200],
        browser_hash=fingerprint(browser) if browser else "",
    )
    session.add(row)
    session.flush()
    audit.record(session, _actor(user), action="session:open", object_type="user_session", object_id=row.id, customer_id=user.customer_id)
    return token


def find(session: Session, token: str) -> SignedIn | None:
    """Return who holds a token, or None: unknown, ended, idle for 30 minutes, 12 hours old, or of an account that may no longer."""
    now = clock.real_now()
    given = {"token_hash": fingerprint(token), "idle_since": now - IDLE, "opened_since": now - LONGEST}
    found = ask(session, _find_query(), **given)
    if not found:
        return None
    session_id, last_seen_at, watches_id, watches_until, *who, name, language, single_keys = found[0]
    actor, until = _acting(now, (watches_id, watches_until), Actor(*who))
    return SignedIn(actor, session_id, name, language, single_keys, last_seen_at < now - SEEN_EVERY, until)


def holder(session: Session, session_id: int) -> Actor:
    """Return who holds a session that still lives, for what runs outside of any page: a download. Raises NotPermitted."""
    now = clock.real_now()
    columns = (UserSession.watches_id, UserSession.watches_until, User.id, User.username, User.role, User.customer_id)
    query = select(*columns).join(UserSession, col(UserSession.user_id) == User.id)  # type: ignore[call-overload]
    found = session.execute(query.where(UserSession.id == session_id, *_alive(now))).first()
    if found is None:
        raise NotPermitted
    return _acting(now, (found[0], found[1]), Actor(*found[2:]))[0]


def watch(session: Session, actor: Actor, *, customer_id: int, session_id: int) -> datetime:
    """Let a colleague see a file as its customer does, in this browser and for some minutes; return until when (W20). Raises NotFound."""
    actor.require(Permission.CUSTOMER_WATCH, customer_id)
    row = session.exec(select(UserSession).where(UserSession.id == session_id, UserSession.user_id == actor.user_id)).first()
    if row is None or session.get(Customer, customer_id) is None:
        raise NotFound
    until = clock.real_now() + timedelta(minutes=law("watch_minutes"))
    row.watches_id, row.watches_until = customer_id, until
    session.add(row)
    audit.record(
        session, actor, action=WATCH, object_type="customer", object_id=customer_id, customer_id=customer_id, after={"until": until}
    )
    return until


def leave(session: Session, session_id: int) -> None:
    """End the customer's view of a browser; the colleague is himself again at its next run."""
    row = session.exec(select(UserSession).where(UserSession.id == session_id).with_for_update()).first()
    if row is None or row.watches_id is None:
        return
    watched, row.watches_id, row.watches_until = row.watches_id, None, None
    session.add(row)
    himself = _actor(session.exec(select(User).where(User.id == row.user_id)).one())
    audit.record(session, himself, action="customer:leave", object_type="customer", object_id=watched, customer_id=watched)


def seen(session: Session, session_id: int) -> None:
    """Note that a session is in use; an ended one stays as it is."""
    session.execute(
        update(UserSession)
        .where(col(UserSession.id) == session_id, col(UserSession.revoked_at).is_(None))
        .values(last_seen_at=clock.real_now())
    )


def at_file(session: Session, actor: Actor, *, session_id: int, customer_id: int | None) -> None:
    """Note which file somebody of the house has open in a browser; None when he left it."""
    actor.require(Permission.CUSTOMER_SEARCH)
    mine = (col(UserSession.id) == session_id, col(UserSession.user_id) == actor.user_id)
    session.execute(update(UserSession).where(*mine).values(customer_id=customer_id, last_seen_at=clock.real_now()))


def beside(session: Session, actor: Actor, *, customer_id: int) -> list[str]:
    """Return the names of the colleagues who have the same file open now."""
    actor.require(Permission.CUSTOMER_SEARCH)
    now = clock.real_now()
    given = {"customer_id": customer_id, "user_id": actor.user_id, "since": now - BESIDE, "opened_since": now - LONGEST}
    return [name for (name,) in ask(session, _beside_query(), **given)]


def of_user(session: Session, actor: Actor, *, customer_id: int | None) -> tuple[SessionLine, ...]:
    """Return the browsers signed in now as a customer, or as the actor himself (None), the last used first."""
    user_id = _user_id(session, actor, customer_id, Permission.SECURITY_READ)
    rows = session.exec(
        select(UserSession.id, UserSession.device, UserSession.created_at, UserSession.last_seen_at)
        .join(User, col(User.id) == UserSession.user_id)
        .where(UserSession.user_id == user_id, *_alive(clock.real_now()))
        .order_by(col(UserSession.last_seen_at).desc())
    )
    return tuple(SessionLine(*row) for row in rows)


def revoke(session: Session, actor: Actor, *, customer_id: int | None, session_id: int) -> None:
    """Sign one browser out at its next run. Raises NotFound for a session that is another account's."""
    user_id = _user_id(session, actor, customer_id, Permission.SESSION_REVOKE)
    row = session.exec(select(UserSession).where(UserSession.id == session_id, UserSession.user_id == user_id)).first()
    if row is None:
        raise NotFound
    if row.revoked_at is None:
        row.revoked_at = clock.real_now()
        session.add(row)
        audit.record(
            session,
            actor,
            action="session:revoke",
            object_type="user_session",
            object_id=row.id,
            customer_id=customer_id or actor.customer_id,
        )


def revoke_all(session: Session, actor: Actor, *, customer_id: int | None, but: int | None = None) -> int:
    """Sign all browsers of an account out, `but` one; return how many there were."""
    user_id = _user_id(session, actor, customer_id, Permission.SESSION_REVOKE)
    return end_all(session, actor, user_id=user_id, customer_id=customer_id or actor.customer_id, but=but)


def end_all(session: Session, actor: Actor, *, user_id: int, customer_id: int | None, but: int | None = None) -> int:
    """End the sessions of an account, `but` one; called by the service whose change ends them, which checked the right."""
    rows = session.exec(
        select(UserSession).where(UserSession.user_id == user_id, col(UserSession.revoked_at).is_(None), UserSession.id != (but or 0))
    ).all()
    for row in rows:
        row.revoked_at = clock.real_now()
        session.add(row)
    if rows:
        audit.record(
            session, actor, action="session:revoke_all", object_type="user_account", object_id=user_id, customer_id=customer_id,
            after={"ended": len(rows)},
        )  # fmt: skip
    return len(rows)


def issue_ticket(session: Session, token: str, *, browser: str) -> str:
    """Return a ticket that carries a fresh sign-in from the form to the cookie: once, within 30 seconds, into the same browser."""
    ticket = secrets.token_urlsafe(_TOKEN_BYTES)
    session_id = session.exec(select(UserSession.id).where(UserSession.token_hash == fingerprint(token))).one()
    expires_at = clock.real_now() + TICKET_LIVES
    session.add(SignInTicket(ticket_hash=fingerprint(ticket + browser), session_id=session_id, token=token, expires_at=expires_at))
    session.flush()
    return ticket


def redeem(session: Session, ticket: str, *, browser: str) -> str | None:
    """Use a ticket up and return the token it carries; None when it was used, is too old, or came to another browser."""
    row = session.exec(select(SignInTicket).where(SignInTicket.ticket_hash == fingerprint(ticket + browser)).with_for_update()).first()
    if row is None:
        return None
    session.delete(row)
    session.flush()
    return row.token if row.expires_at > clock.real_now() else None


@cache
def _find_query() -> Select[Any]:
    """Make the query of `find` once: every run asks it."""
    whose = (User.id, User.username, User.role, User.customer_id, User.name, User.language, User.single_keys)
    columns = (UserSession.id, UserSession.last_seen_at, UserSession.watches_id, UserSession.watches_until, *whose)
    found = select(*columns).join(User, col(User.id) == UserSession.user_id).where(UserSession.token_hash == bindparam("token_hash"))  # type: ignore[call-overload]
    return found.where(*_living(bindparam("idle_since"), bindparam("opened_since")))  # type: ignore[no-any-return]


@cache
def _beside_query() -> Select[Any]:
    """Make the query of `beside` once: the band asks it."""
    found = select(User.name).distinct().join(UserSession, col(UserSession.user_id) == User.id)
    there = (col(UserSession.customer_id) == bindparam("customer_id"), col(UserSession.user_id) != bindparam("user_id"))
    return found.where(*there, *_living(bindparam("since"), bindparam("opened_since"))).order_by(col(User.name))


def _alive(now: datetime) -> tuple[bool, ...]:
    """Return what must hold of a session and its account for it to count."""
    return _living(now - IDLE, now - LONGEST)


def _living(idle_since: Any, opened_since: Any) -> tuple[bool, ...]:  # noqa: ANN401 - a moment, or the place of one
    return (  # type: ignore[return-value]
        col(UserSession.revoked_at).is_(None),
        UserSession.last_seen_at > idle_since,
        UserSession.created_at > opened_since,
        UserSession.auth_version == User.auth_version,
        col(User.active).is_(True),
    )


def _user_id(session: Session, actor: Actor, customer_id: int | None, permission: Permission) -> int:
    """Return the account that is meant; one's own needs no right of its own, a customer's does."""
    if customer_id is None:
        if actor.user_id is None:
            raise NotPermitted
        return actor.user_id
    actor.require(permission, customer_id)
    found = session.exec(select(User.id).where(User.customer_id == customer_id, User.role == Role.CUSTOMER)).first()
    if found is None:
        raise NotFound
    return found


def _acting(now: datetime, watches: tuple[int | None, datetime | None], himself: Actor) -> tuple[Actor, datetime | None]:
    """Return who acts in a session, and until when he only looks."""
    watches_id, until = watches
    if watches_id is None or until is None or until <= now:
        return himself, None
    return Actor(None, himself.username, Role.CUSTOMER, watches_id, watcher_id=himself.user_id), until


def _actor(user: User) -> Actor:
    return Actor(user.id, user.username, user.role, user.customer_id)
