"""Why somebody of the house opens a file or sees what is masked in it: asked where it does not go without saying, and written down (W18)."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.db import ask
from core.errors import NotFound
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.mandate import Mandate
from core.services import audit
from core.services.customers import NUMBER_LENGTH, OPENED
from core.services.mandates import RUNNING
from core.services.references import group_iban
from core.services.users import DEMO_CUSTOMERS
from core.settings import settings
from core.text_rules import needed, normalise

REASON = "customer:reason"
REVEAL = "personal:reveal"
WORDS_LENGTH = 200


class Because(StrEnum):
    """Why a reason is asked."""

    PROTECTED = "protected"
    """It is a VIP's or a colleague's file: always."""
    LINK = "link"
    """Nothing on the desk led there: a bare address, a link of somebody else, a list that he filtered himself."""


class Why(StrEnum):
    """Why a file is opened, or what is masked is seen."""

    CALLER = "caller"
    FOLLOW_UP = "follow_up"
    ASKED = "asked"
    COMPLAINT = "complaint"
    CHECK = "check"
    OTHER = "other"


class Masked(StrEnum):
    """What of a person is masked until somebody says why he needs it."""

    BIRTH_DATE = "birth_date"
    IBAN = "iban"


@dataclass(frozen=True)
class Door:
    """A file before it is opened: `asks` says why a reason is needed, None that it may be opened; `given` that a reason was given today."""

    customer_id: int
    asks: Because | None
    given: bool


def door(session: Session, actor: Actor, *, customer_no: str, offered: bool) -> Door:
    """Say whether a file may be opened without a word. `offered` is a file that the desk itself led to: a search, a list of the trade, a task.

    A reason holds for the working day, in real time; a look of today at an ordinary file does too. Raises NotFound.
    """
    actor.require(Permission.CUSTOMER_READ, actor.customer_id)
    if not (len(customer_no) == NUMBER_LENGTH and customer_no.isascii() and customer_no.isdecimal()):
        raise NotFound
    found = ask(session, _file_query(), customer_no=customer_no)
    if not found:
        raise NotFound
    customer_id, vip, colleague = found[0]
    actor.require(Permission.CUSTOMER_READ, customer_id)
    if not actor.staff:
        return Door(customer_id, None, given=False)
    today = clock.at(clock.local(clock.real_now()).date())
    done = {row.action for row in ask(session, _today_query(), actor=actor.username, customer_id=customer_id, since=today)}
    if REASON in done:
        return Door(customer_id, None, given=True)
    if vip or colleague:
        return Door(customer_id, Because.PROTECTED, given=False)
    free = offered or OPENED in done or _sample(customer_no)
    return Door(customer_id, None if free else Because.LINK, given=False)


def give_reason(session: Session, actor: Actor, *, customer_no: str, why: Why, words: str) -> None:
    """Write down why a file is opened; from now on it is open for the working day. Raises NotFound, Missing, Unreadable, TooLong."""
    at = door(session, actor, customer_no=customer_no, offered=False)
    said = _said(why, words)
    if actor.staff and at.asks is not None:
        facts = {"why": why, "because": at.asks}
        audit.record(
            session,
            actor,
            action=REASON,
            object_type="customer",
            object_id=at.customer_id,
            customer_id=at.customer_id,
            after=facts,
            reason=said,
        )


def reveal(session: Session, actor: Actor, *, customer_id: int, masked: Masked, why: Why, words: str) -> str:
    """Return what is masked, in full, and write down who saw it and why. Raises NotFound where there is nothing, and what text_rules raises."""
    actor.require(Permission.PERSONAL_REVEAL, customer_id)
    said = _said(why, words)
    found = ask(session, _masked_query(masked), customer_id=customer_id)
    if not found or found[0][0] is None:
        raise NotFound
    facts = {"field": masked, "why": why}
    audit.record(
        session, actor, action=REVEAL, object_type="customer", object_id=customer_id, customer_id=customer_id, after=facts, reason=said
    )
    value = found[0][0]
    return group_iban(value) if masked is Masked.IBAN else str(value.isoformat())


def _said(why: Why, words: str) -> str | None:
    """Return the words beside a reason; "another reason" says nothing without them."""
    check = needed if why is Why.OTHER else normalise
    return check(words, field="words", length=WORDS_LENGTH) or None


def _sample(customer_no: str) -> bool:
    """Whether this is one of a demo's sample customers: they are in everybody's queue, so that a guide may link to them."""
    return settings().demo and customer_no in DEMO_CUSTOMERS.values()


@cache
def _file_query() -> Select[int, bool, bool]:
    return select(col(Customer.id), col(Customer.vip), col(Customer.colleague)).where(col(Customer.customer_no) == bindparam("customer_no"))


@cache
def _today_query() -> Select[Any]:
    whose = (col(AuditEntry.actor) == bindparam("actor"), col(AuditEntry.customer_id) == bindparam("customer_id"))
    looks = (col(AuditEntry.action).in_((OPENED, REASON)), col(AuditEntry.at) >= bindparam("since"))
    return select(col(AuditEntry.action)).where(*whose, *looks)


@cache
def _masked_query(masked: Masked) -> Select[Any]:
    if masked is Masked.BIRTH_DATE:
        return select(col(Customer.birth_date)).where(col(Customer.id) == bindparam("customer_id"))
    return (
        select(col(Mandate.iban))
        .where(col(Mandate.customer_id) == bindparam("customer_id"), col(Mandate.state).in_(RUNNING))
        .order_by(col(Mandate.id).desc())
        .limit(1)
    )
