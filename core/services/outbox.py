"""E-mails on their way: each is taken for a while, handed to the mail server, and settled; what was not settled is tried again."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.models.communication import Communication, MessageChannel, MessageState

LEASE = timedelta(minutes=10)
"""How long an e-mail is left to who took it; whoever dies meanwhile has not lost it."""
TRIES = 6
_WAITS = timedelta(minutes=5)
"""After the first failure; after each further one twice as long."""


@dataclass(frozen=True)
class Outgoing:
    """An e-mail to be handed over. A second try carries the same reference, so that a mail server can tell it is no new one."""

    id: int
    to: str
    subject: str
    body: str
    reference: str


def take(session: Session, actor: Actor) -> Outgoing | None:
    """Take the oldest e-mail that is due, for a while; None where there is none. Two at once take different ones."""
    actor.require(Permission.JOB_RUN)
    now = clock.real_now()
    row: Communication | None = session.execute(
        select(Communication)
        .where(
            col(Communication.channel) == MessageChannel.EMAIL,
            col(Communication.state).in_([MessageState.INITIAL, MessageState.IN_PROGRESS]),
            col(Communication.sent_at) <= clock.now(),
            or_(col(Communication.next_try_at).is_(None), col(Communication.next_try_at) <= now),
        )
        .order_by(col(Communication.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    row.state, row.next_try_at = MessageState.IN_PROGRESS, now + LEASE
    session.flush()
    return Outgoing(row.id, row.receiver, row.subject, row.body, f"{row.customer_id}.{row.id}")


def settle(session: Session, actor: Actor, *, message_id: int, problem: str | None = None) -> None:
    """Write down that an e-mail was handed over, or why not: it is tried again later, and given up after six times."""
    actor.require(Permission.JOB_RUN)
    row = session.get_one(Communication, message_id, with_for_update=True)
    row.problem, row.next_try_at = problem and problem[:200], None
    if problem is None:
        row.state = MessageState.COMPLETED
    else:
        row.tries += 1
        row.state = MessageState.FAILED if row.tries >= TRIES else MessageState.INITIAL
        row.next_try_at = None if row.tries >= TRIES else clock.real_now() + _WAITS * 2 ** (row.tries - 1)
    session.flush()
