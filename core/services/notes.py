"""Notes about a customer, for the house alone: written, pinned, reworded within a day; no wording is ever lost (W17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.note import Note, NoteSource
from core.services import audit, erased
from core.text_rules import Missing, normalise

TEXT_LENGTH = 2000
EDITED_WITHIN = timedelta(days=1)


class NotYours(DomainError):
    """Somebody else wrote the note."""

    message = N_("{author} wrote this note. Write one of your own below it.")
    field = "note"


class TooOld(DomainError):
    """A note may be reworded for a day."""

    message = N_("This note is older than a day, and stays as it is. Write another one.")
    field = "note"


@dataclass(frozen=True)
class NoteRow:
    """A note as it stands. `first_id` is its first wording's; `editable` for who may still change its words."""

    id: int
    first_id: int
    text: str
    source: NoteSource
    author: str
    pinned: bool
    created_at: datetime
    editable: bool
    version: int

    @property
    def reworded(self) -> bool:
        """Whether an earlier wording exists."""
        return self.id != self.first_id


@dataclass(frozen=True)
class Wording:
    """An earlier wording, and until when it stood."""

    text: str
    until_at: datetime
    until_by: str


def add(session: Session, actor: Actor, *, customer_id: int, text: str, pinned: bool = False, source: NoteSource = NoteSource.AGENT) -> int:
    """Write a note and return its id; `source` says whether a person chose the words, or a rule did. Raises ErasedAlready, Missing and what text_rules raises."""
    actor.require(Permission.NOTE_WRITE, customer_id)
    erased.refuse(session, customer_id)
    row = Note(
        customer_id=customer_id, text=_text(text), source=source, author=actor.username, pinned=pinned, created_at=clock.now()
    )  # fmt: skip
    session.add(row)
    session.flush()
    _record(session, actor, row, "write", {"pinned": pinned, "source": source})
    return row.id


def reword(session: Session, actor: Actor, *, customer_id: int, note_id: int, shown_version: int, text: str) -> int:
    """Replace one's own note of today by another wording, and return its id; the earlier one stays readable.

    Raises ErasedAlready, NotFound, ChangedMeanwhile, NotYours, TooOld, Missing.
    """
    actor.require(Permission.NOTE_WRITE, customer_id)
    erased.refuse(session, customer_id)
    row = _own(session, actor, customer_id, note_id, shown_version)
    words = _text(text)
    if words == row.text:
        return row.id
    pinned, row.pinned = row.pinned, False
    row.until_at, row.until_by = clock.now(), actor.username
    session.flush()
    after = Note(
        customer_id=customer_id, text=words, source=row.source, author=row.author, pinned=pinned, created_at=row.created_at,
        replaces_id=row.id,
    )  # fmt: skip
    session.add(after)
    session.flush()
    _record(session, actor, after, "reword", {"replaces": row.id})
    return after.id


def withdraw(session: Session, actor: Actor, *, customer_id: int, note_id: int, shown_version: int) -> None:
    """Withdraw one's own note of today: it no longer counts, and stays readable in the story. Raises what `reword` raises."""
    actor.require(Permission.NOTE_WRITE, customer_id)
    row = _own(session, actor, customer_id, note_id, shown_version)
    row.pinned, row.until_at, row.until_by = False, clock.now(), actor.username
    session.flush()
    _record(session, actor, row, "withdraw", {})


def pin(session: Session, actor: Actor, *, customer_id: int, note_id: int, shown_version: int, pinned: bool) -> None:
    """Pin a note above the others, or take the pin out, whoever wrote it. Raises ErasedAlready, NotFound, ChangedMeanwhile."""
    actor.require(Permission.NOTE_WRITE, customer_id)
    erased.refuse(session, customer_id)
    row = _standing(session, customer_id, note_id, shown_version)
    row.pinned = pinned
    session.flush()
    _record(session, actor, row, "pin" if pinned else "unpin", {})


def of_customer(session: Session, actor: Actor, *, customer_id: int, limit: int = 5) -> list[NoteRow]:
    """Return the notes that stand: all that are pinned first, then the newest ones."""
    actor.require(Permission.NOTE_READ, customer_id)
    stands = (col(Note.customer_id) == customer_id, col(Note.until_at).is_(None))
    newest = (col(Note.created_at).desc(), col(Note.id).desc())
    pinned = session.execute(select(Note).where(*stands, col(Note.pinned).is_(True)).order_by(*newest)).scalars()
    others = session.execute(select(Note).where(*stands, col(Note.pinned).is_(False)).order_by(*newest).limit(limit)).scalars()
    return _rows(session, actor, [*pinned, *others])


def one(session: Session, actor: Actor, *, customer_id: int, note_id: int) -> NoteRow:
    """Return one note that stands. Raises NotFound."""
    actor.require(Permission.NOTE_READ, customer_id)
    mine = (col(Note.customer_id) == customer_id, col(Note.id) == note_id, col(Note.until_at).is_(None))
    row: Note | None = session.execute(select(Note).where(*mine)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return _rows(session, actor, [row])[0]


def wordings(session: Session, actor: Actor, *, customer_id: int, note_id: int) -> list[Wording]:
    """Return the earlier wordings of a note, the last one first."""
    actor.require(Permission.NOTE_READ, customer_id)
    found, before = [], _replaced(session, customer_id, note_id)
    while before is not None:
        row = session.execute(select(Note).where(col(Note.customer_id) == customer_id, col(Note.id) == before)).scalar_one()
        if row.until_at and row.until_by:
            found.append(Wording(row.text, row.until_at, row.until_by))
        before = row.replaces_id
    return found


def _replaced(session: Session, customer_id: int, note_id: int) -> int | None:
    query = select(col(Note.replaces_id)).where(col(Note.customer_id) == customer_id, col(Note.id) == note_id)
    return session.execute(query).scalar_one_or_none()


def _own(session: Session, actor: Actor, customer_id: int, note_id: int, shown_version: int) -> Note:
    row = _standing(session, customer_id, note_id, shown_version)
    if row.author != actor.username:
        raise NotYours(author=row.author)
    if clock.now() - row.created_at >= EDITED_WITHIN:
        raise TooOld
    return row


def _standing(session: Session, customer_id: int, note_id: int, shown_version: int) -> Note:
    mine = select(Note).where(col(Note.customer_id) == customer_id, col(Note.id) == note_id).with_for_update()
    row: Note | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound
    if row.until_at is not None:  # A new wording is a row of its own: the trail of this one does not know it.
        raise audit.changed_by(row.until_by, row.until_at)
    audit.check_version(session, row, shown_version, "note", row.id)
    return row


def _text(text: str) -> str:
    found = normalise(text, field="note", length=TEXT_LENGTH, lines=True)
    if not found:
        raise Missing(field="note")
    return found


def _rows(session: Session, actor: Actor, rows: Sequence[Note]) -> list[NoteRow]:
    before: dict[int, int] = {}
    if any(row.replaces_id for row in rows):
        later = (col(Note.customer_id) == rows[0].customer_id, col(Note.replaces_id).is_not(None))
        before = {note: earlier for note, earlier in session.execute(select(col(Note.id), col(Note.replaces_id)).where(*later))}  # noqa: C416
    found = []
    for row in rows:
        first = row.id
        while first in before:
            first = before[first]
        found.append(_row(actor, row, first))
    return found


def _row(actor: Actor, row: Note, first_id: int) -> NoteRow:
    mine = row.author == actor.username and clock.now() - row.created_at < EDITED_WITHIN and actor.may(Permission.NOTE_WRITE)
    return NoteRow(row.id, first_id, row.text, row.source, row.author, row.pinned, row.created_at, mine, row.version)


def _record(session: Session, actor: Actor, row: Note, verb: str, after: audit.Facts) -> None:
    audit.record(
        session, actor, action=f"note:{verb}", object_type="note", object_id=row.id, customer_id=row.customer_id, after=after or None
    )
