"""Talks with a customer: somebody is on the line, who is he, what about, how it ended, who goes on with it (W13, W17)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import contact_reasons
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.interaction import CallerCheck, CallerFact, Interaction, InteractionChannel, Team
from core.models.user import User
from core.services import audit, erased, tasks, throttle
from core.services.payment_entry import cents_of
from core.services.tasks import Target
from core.services.throttle import Scope
from core.text_rules import Missing, needed, normalise

WORDS_LENGTH = 2000
HEARD_LENGTH = 40
ENOUGH = 2
"""So many right answers make a caller known (W13)."""
_DAY = re.compile(r"(\d{1,2})\D(\d{1,2})\D(\d{4}|\d{2})")
_YOUNGEST_CENTURY = 2000


class OnTheLine(DomainError):
    """One talk at a time."""

    message = N_("You are on the line with customer {customer_no}. End that talk first.")


class TalkOver(DomainError):
    """The talk has ended."""

    message = N_("This talk has ended already. Load the page again.")


class ReasonMissing(DomainError):
    """A talk ends with what it was about."""

    message: ClassVar[str] = N_("Choose what the talk was about.")
    field = "reason"


class NotAsked(DomainError):
    """The file does not hold this fact, so no answer could be right."""

    message = N_("This file does not hold that. Ask for something else.")
    field = "heard"


@dataclass(frozen=True)
class OpenTalk:
    """A talk that goes on. `checks` tells the last answer to each question that was asked."""

    id: int
    customer_id: int
    customer_no: str
    channel: InteractionChannel
    at: datetime
    opened_at: datetime
    checks: Mapping[CallerFact, bool]
    version: int

    @property
    def known(self) -> bool:
        """Whether the caller is who he says he is."""
        return sum(self.checks.values()) >= ENOUGH

    @property
    def seconds(self) -> int:
        """For how long it has lasted, in real time."""
        return max(0, int((clock.real_now() - self.opened_at).total_seconds()))


def begin(session: Session, actor: Actor, *, customer_id: int, channel: InteractionChannel = InteractionChannel.PHONE) -> int:
    """Open a talk with a customer, and return its id. Raises OnTheLine while another one goes on, ErasedAlready, NotFound."""
    actor.require(Permission.INTERACTION_WRITE, customer_id)
    session.execute(select(col(User.id)).where(col(User.id) == actor.user_id).with_for_update())  # Two clicks of one agent take turns.
    running = current(session, actor)
    if running is not None:
        raise OnTheLine(customer_no=running.customer_no)
    erased.refuse(session, customer_id)
    row = Interaction(customer_id=customer_id, channel=channel, at=clock.now(), agent=actor.username, opened_at=clock.real_now())
    session.add(row)
    session.flush()
    _record(session, actor, row, "begin", {"channel": channel})
    return row.id


def current(session: Session, actor: Actor) -> OpenTalk | None:
    """Return the talk that the actor is in."""
    actor.require(Permission.INTERACTION_WRITE)
    query = (
        select(Interaction, col(Customer.customer_no))
        .join(Customer, col(Customer.id) == Interaction.customer_id)
        .where(col(Interaction.agent) == actor.username, col(Interaction.ended_at).is_(None))
    )
    found = session.execute(query).first()
    if found is None:
        return None
    row, customer_no = found
    return OpenTalk(
        row.id, row.customer_id, customer_no, row.channel, row.at, row.opened_at or row.at, checks_of(session, actor, row.customer_id, row.id),
        row.version,
    )  # fmt: skip


def answers_of(session: Session, actor: Actor, customer_id: int, interaction_id: int) -> dict[CallerFact, tuple[bool, ...]]:
    """Return all that a caller answered to each question, in order: a wrong answer stays known beside the right one that followed."""
    actor.require(Permission.NOTE_READ, customer_id)
    mine = (col(CallerCheck.customer_id) == customer_id, col(CallerCheck.interaction_id) == interaction_id)
    found: dict[CallerFact, tuple[bool, ...]] = {}
    for fact, matched in session.execute(
        select(col(CallerCheck.fact), col(CallerCheck.matched)).where(*mine).order_by(col(CallerCheck.id))
    ):
        found[fact] = (*found.get(fact, ()), matched)
    return found


def checks_of(session: Session, actor: Actor, customer_id: int, interaction_id: int) -> dict[CallerFact, bool]:
    """Return what a caller was asked, and whether his last answer to it was right."""
    actor.require(Permission.NOTE_READ, customer_id)
    return {fact: matched[-1] for fact, matched in answers_of(session, actor, customer_id, interaction_id).items()}


def check(session: Session, actor: Actor, *, customer_id: int, fact: CallerFact, heard: str) -> bool:
    """Whether what a caller said is right; the answer is kept in his talk, what he said is not. Wrong ones are counted (S24).

    Raises NotFound without a talk with this customer, NotAsked, Missing, TooManyTries.
    """
    actor.require(Permission.INTERACTION_WRITE, customer_id)
    row = _own(session, actor, customer_id)
    heard = needed(heard, field="heard", length=HEARD_LENGTH)
    scope = Scope(f"caller:{customer_id}:{fact.value}", free=3)
    throttle.begin(session, scope)
    right = _right(session, customer_id, fact, heard)
    if right:
        throttle.succeeded(session, scope)
    session.add(CallerCheck(customer_id=customer_id, interaction_id=row.id, fact=fact, matched=right, at=clock.now()))
    _record(session, actor, row, "check", {"fact": fact, "match": right})
    return right


def end(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    talk_id: int,
    shown_version: int,
    reason: str,
    words: str = "",
    hand_to: Target | None = None,
    left: str = "",
) -> None:
    """End the talk: what it was about, and in a few words how it went. Handed over, what is `left` becomes a task of a colleague or team.

    Raises NotFound, ChangedMeanwhile, ReasonMissing, Missing, NobodyThere.
    """
    actor.require(Permission.INTERACTION_WRITE, customer_id)
    row = _shown(session, actor, customer_id, talk_id, shown_version)
    if reason not in contact_reasons():
        raise ReasonMissing
    row.reason, row.note = reason, normalise(words, field="words", length=WORDS_LENGTH, lines=True)
    if hand_to is not None:
        if not left.strip():
            raise Missing(field="left")
        tasks.add(session, actor, customer_id=customer_id, words=left, due=clock.today(), to=hand_to, code=tasks.HANDOVER)
        row.handed_to = hand_to.owner or (hand_to.team or Team.CARE).value
    row.ended_at = clock.now()
    row.seconds = max(0, int((clock.real_now() - (row.opened_at or clock.real_now())).total_seconds()))
    session.flush()
    _record(session, actor, row, "end", {"reason": reason, "seconds": row.seconds, "handed_to": row.handed_to})


def _shown(session: Session, actor: Actor, customer_id: int, talk_id: int, shown_version: int) -> Interaction:
    """Return one's own talk as it was shown: the next one with the same customer is another. Raises NotFound, ChangedMeanwhile, TalkOver."""
    mine = (col(Interaction.customer_id) == customer_id, col(Interaction.agent) == actor.username, col(Interaction.id) == talk_id)
    query = select(Interaction).where(*mine).with_for_update().execution_options(populate_existing=True)
    row: Interaction | None = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "interaction", row.id)
    if row.ended_at is not None:
        raise TalkOver
    return row


def _own(session: Session, actor: Actor, customer_id: int) -> Interaction:
    mine = (col(Interaction.customer_id) == customer_id, col(Interaction.agent) == actor.username, col(Interaction.ended_at).is_(None))
    query = select(Interaction).where(*mine).with_for_update().execution_options(populate_existing=True)
    row: Interaction | None = session.execute(query).scalar_one_or_none()
    if row is None:
        raise TalkOver
    return row


def _right(session: Session, customer_id: int, fact: CallerFact, heard: str) -> bool:
    """Compare an answer with the file, in whatever way it is written. Raises NotAsked."""
    customer = session.get_one(Customer, customer_id)
    digits = re.sub(r"\D", "", heard)
    if fact is CallerFact.CUSTOMER_NO:
        return digits == customer.customer_no
    if fact is CallerFact.BIRTH_DATE:
        if customer.birth_date is None:
            raise NotAsked
        return _day(heard) == customer.birth_date
    if fact is CallerFact.POSTCODE:
        current_one = (col(ContactMedium.customer_id) == customer_id, col(ContactMedium.until_at).is_(None))
        address = select(col(ContactMedium.postcode)).where(*current_one, col(ContactMedium.kind) == ContactKind.ADDRESS)
        return bool(digits) and digits == session.execute(address).scalar_one_or_none()
    query = select(col(Bill.incl_cents) + col(Bill.third_party_cents)).where(
        col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE
    )
    total = session.execute(query.order_by(col(Bill.bill_date).desc(), col(Bill.id).desc()).limit(1)).scalar_one_or_none()
    if total is None:
        raise NotAsked
    return cents_of(heard, field="heard") == int(total)


def _day(heard: str) -> date | None:
    """Read a day as it is said: 7/3/91, 07.03.1991, 07-03-1991."""
    found = _DAY.fullmatch(heard.strip())
    if found is None:
        return None
    day, month, year = map(int, found.groups())
    if year < 100:  # noqa: PLR2004 - two digits
        year += _YOUNGEST_CENTURY if _YOUNGEST_CENTURY + year < clock.today().year else 1900
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _record(session: Session, actor: Actor, row: Interaction, verb: str, after: audit.Facts) -> None:
    audit.record(
        session, actor, action=f"interaction:{verb}", object_type="interaction", object_id=row.id, customer_id=row.customer_id, after=after
    )
