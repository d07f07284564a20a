"""The demo: its first day, its accounts, its sample customers and everybody around them."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Table, text, update
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.db import RESET_LOCK, Base
from core.documents import pending
from core.models.audit import AuditRelease, DemoClock
from core.models.communication import Communication, MessageChannel
from core.models.customer import Customer
from core.models.document import Document
from core.models.pin import PinnedFile
from core.models.user import User, UserSession
from core.services import audit_trail, dashboard, demo, jobs, network_hours, slots, usage_alerts, users
from seed import background, debits, desk, looks
from seed.bulk import table, working
from seed.story import MONTHS, stories, tell

CUSTOMERS = 200
"""How many live around the sample customers."""
_PINNED = ("10000017", "10000055")
_UNREAD = timedelta(days=14)
_CALENDAR = timedelta(days=61)
"""How far ahead a house move can be planned (W14)."""


class _SignedIn(NamedTuple):
    """A browser that is signed in, and as whom."""

    username: str
    token_hash: str
    created_at: datetime
    last_seen_at: datetime
    device: str
    browser_hash: str


def fill() -> None:
    """Fill an empty demo, in one transaction: half a demo is none."""
    with working() as session:
        _write(session)


def reset() -> None:
    """Empty the demo and fill it again, in one transaction; sign-ins of accounts that come back are kept."""
    with working() as session:
        signed_in, resets = _signed_in(session), session.exec(select(DemoClock.resets)).first() or 0
        for key in session.exec(select(Document.storage_key).where(col(Document.storage_key).is_not(None))):
            pending.delete(session, key or "")
        _empty(session)
        _write(session, resets + 1)
        ids = dict(session.exec(select(User.username, User.id)).all())
        session.add_all(
            UserSession(**one._asdict() | {"user_id": ids[one.username], "auth_version": 1}) for one in signed_in if one.username in ids
        )


def _write(session: Session, resets: int = 0) -> None:
    demo.start_clock(session)
    session.get_one(DemoClock, 1).resets = resets
    for story in stories():
        tell(session, story)
    jobs.mark_done(session, SYSTEM, day=clock.today())
    _fill_calendars(session)
    background.add(session, customers=CUSTOMERS, months=MONTHS, known=True)
    background.add_unmatched(session)
    background.add_contacts(session)
    background.add_visits(session)
    network_hours.count(session, SYSTEM, since=clock.today() - timedelta(days=dashboard.NETWORK_DAYS), until=clock.today())
    usage_alerts.mark_told(session, SYSTEM)
    debits.file_past(session)
    users.create_demo_accounts(session)
    _pin(session)
    looks.add(session)
    desk.add(session)
    messages = table(Communication)
    session.execute(
        update(messages)
        .where(messages.c.sent_at < clock.now() - _UNREAD, messages.c.channel != MessageChannel.LETTER)
        .values(read_at=messages.c.sent_at)
    )


def _pin(session: Session) -> None:
    """Let the agent keep two files at hand, of customers who call these days."""
    agent = session.exec(select(User.id).where(User.username == "agent")).one()
    for customer_id in session.exec(select(Customer.id).where(col(Customer.customer_no).in_(_PINNED))):
        session.add(PinnedFile(user_id=agent, customer_id=customer_id, pinned_at=clock.now()))


def _fill_calendars(session: Session) -> None:
    """Let technicians be busy where the sample customers live, once their own visits are booked: some half days are full."""
    today = clock.today()
    for zone in sorted({slots.zone_of(story["customer"]["address"]["postcode"]) for story in stories()}):
        slots.prebook(session, zone, since=today, until=today + _CALENDAR)


def _signed_in(session: Session) -> list[_SignedIn]:
    """Return who is signed in; whose sessions were ended stays out."""
    query = select(
        User.username,
        UserSession.token_hash,
        UserSession.created_at,
        UserSession.last_seen_at,
        UserSession.device,
        UserSession.browser_hash,
    )  # type: ignore[call-overload]
    valid = (UserSession.user_id == User.id, UserSession.auth_version == User.auth_version, col(UserSession.revoked_at).is_(None))
    return [_SignedIn(*row) for row in session.execute(query.where(*valid, col(User.active).is_(True)))]


def _empty(session: Session) -> None:
    """Delete all rows and let ids begin at 1 again: addresses and links stay what they were."""
    tables = [one for one in Base.metadata.sorted_tables if one is not table(AuditRelease)]
    with audit_trail.released(session):
        _delete(session, tables)
    session.expunge_all()


def _delete(session: Session, tables: list[Table]) -> None:
    if session.get_bind().dialect.name == "postgresql":  # Row by row it would look for each bill in all that was used.
        session.execute(text(f"LOCK TABLE {RESET_LOCK} IN ACCESS EXCLUSIVE MODE"))
        session.execute(text(f"TRUNCATE {', '.join(one.name for one in tables)} RESTART IDENTITY"))
    else:
        for one in reversed(tables):
            session.execute(one.delete())
