"""Tags above a customer's file: a word, whose it is, and until when it stands; for the house alone (W17)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.day_rules import near
from core.errors import N_, DomainError, NotFound
from core.models.note import Tag
from core.services import audit, erased
from core.services.products import lock_customer
from core.text_rules import fold, needed

WORD_LENGTH = 30
_MOST = 8
"""So many words above a name are still read."""


class Stands(DomainError):
    """The word is there already."""

    message = N_("“{word}” stands above this file already.")
    field = "tag"


class TooMany(DomainError):
    """More words than anybody reads."""

    message = N_("A file carries {most} tags at most. Take one off first.")
    field = "tag"


class UntilPast(DomainError):
    """A tag that ends before it begins."""

    message = N_("A tag stands until a day to come. Choose a later day, or none.")
    field = "tag_until"


class NotStanding(DomainError):
    """The tag was taken off, or has run out."""

    message = N_("This tag was taken off meanwhile, or has run out.")


@dataclass(frozen=True)
class TagRow:
    """A tag that stands; `last` is the last day it does."""

    id: int
    word: str
    owner: str
    since_at: datetime
    last: date | None
    version: int


def add(session: Session, actor: Actor, *, customer_id: int, word: str, last: date | None = None) -> int:
    """Put a word above a file, until the end of a day or until it is taken off; return its id.

    Raises Missing and what text_rules raises, UntilPast, OddDay, ErasedAlready, Stands, TooMany.
    """
    actor.require(Permission.NOTE_WRITE, customer_id)
    word = needed(word, field="tag", length=WORD_LENGTH)
    if last is not None and last < clock.today():
        raise UntilPast
    if last is not None:
        near(last, field="tag_until")
    lock_customer(session, customer_id)
    erased.refuse(session, customer_id)
    rows = session.execute(select(Tag).where(col(Tag.customer_id) == customer_id, col(Tag.ended_at).is_(None))).scalars()
    standing = []
    for row in rows.all():
        if row.until is not None and row.until <= clock.today():
            _end(session, actor, row, "run_out")
        else:
            standing.append(row)
    folded = fold(word)[:60] or word
    if any(row.folded == folded for row in standing):
        raise Stands(word=word)
    if len(standing) >= _MOST:
        raise TooMany(most=_MOST)
    tag = Tag(
        customer_id=customer_id, word=word, folded=folded, owner=actor.username, since_at=clock.now(),
        until=last + timedelta(days=1) if last else None,
    )  # fmt: skip
    session.add(tag)
    session.flush()
    _record(session, actor, tag, "put", {"word": word, "until": tag.until})
    return tag.id


def end(session: Session, actor: Actor, *, customer_id: int, tag_id: int, shown_version: int) -> None:
    """Take a tag off, whosever it is. Raises NotFound, NotStanding, ChangedMeanwhile."""
    actor.require(Permission.NOTE_WRITE, customer_id)
    mine = select(Tag).where(col(Tag.customer_id) == customer_id, col(Tag.id) == tag_id).with_for_update()
    row: Tag | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "tag", row.id)
    if row.ended_at is not None:
        raise NotStanding
    _end(session, actor, row, "take_off")


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> list[TagRow]:
    """Return the tags that stand today, the oldest first."""
    actor.require(Permission.NOTE_READ, customer_id)
    today = or_(col(Tag.until).is_(None), col(Tag.until) > clock.today())
    query = select(Tag).where(col(Tag.customer_id) == customer_id, col(Tag.ended_at).is_(None), today).order_by(col(Tag.id))
    return [
        TagRow(row.id, row.word, row.owner, row.since_at, row.until - timedelta(days=1) if row.until else None, row.version)
        for row in session.execute(query).scalars()
    ]


def _end(session: Session, actor: Actor, row: Tag, verb: str) -> None:
    row.ended_at, row.ended_by = clock.now(), actor.username
    session.flush()
    _record(session, actor, row, verb, {"word": row.word})


def _record(session: Session, actor: Actor, row: Tag, verb: str, after: audit.Facts) -> None:
    audit.record(session, actor, action=f"tag:{verb}", object_type="tag", object_id=row.id, customer_id=row.customer_id, after=after)
