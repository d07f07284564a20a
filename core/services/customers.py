"""Customers' files: who it is at a glance, who opened it, and what is left to do. Finding one is in search.py."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Date, Select, bindparam, cast, func, literal, null, or_, select, union_all
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.db import Base, ask
from core.errors import NotFound
from core.models.audit import AuditEntry
from core.models.billing_account import BillingAccount, BillMedia, BillModel, DunningState, HoldReason, PaymentMethod
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus, Language
from core.models.interaction import Interaction, Task
from core.models.note import Tag
from core.services import audit
from core.text_rules import address_line, fold

OPENED = "customer:open"
SAME_LOOK = timedelta(minutes=15)
NUMBER_LENGTH = 8
HIS_OWN = frozenset({"modem_not_returned"})
"""What is left to do for the customer himself; the rest is work of ours."""
_MEDIUM = ("medium", "value", "street", "number", "box", "postcode", "town")
"""What a row of a head says about one way to reach the customer."""
_TASK, _TAG, _TALK = "1task", "2tag", "3talk"


@dataclass(frozen=True)
class CustomerHead:
    """What every page needs to know of the open file. Days are Brussels days; `address` is one line in the customer's language.

    `born` says that the birth date is known; the date itself is the customer's own to see, and masked to the house (access.reveal).
    """

    id: int
    customer_no: str
    kind: CustomerKind
    name: str
    language: Language
    status: CustomerStatus
    status_since: date
    status_reason: str | None
    second_holder: str | None
    born: bool
    birth_date: date | None
    enterprise_no: str | None
    vip: bool
    colleague: bool
    vulnerable: bool
    deceased_on: date | None
    withdrawal_until: date | None
    mailbox_until: date | None
    version: int
    bill_model: BillModel
    migrate_on: date | None
    cycle_day: int
    media: BillMedia
    payment_method: PaymentMethod
    dunning_state: DunningState
    dunning_hold_until: date | None
    dunning_hold_reason: HoldReason | None
    address: str
    email: str | None
    phone: str | None

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed in this file any more."""
        return self.status is CustomerStatus.CLOSED


@dataclass(frozen=True)
class Opened:
    """A file somebody looked at."""

    customer_no: str
    name: str
    status: CustomerStatus
    at: datetime


@dataclass(frozen=True)
class OpenTask:
    """Something left to do for a customer; `code` names it, or its `words` do."""

    code: str
    due: date | None
    since: date
    words: str | None = None


@dataclass(frozen=True)
class Marks:
    """What the house marked on a file: what is left to do, the tags that stand, and the customer whom the reader has on the line."""

    tasks: tuple[OpenTask, ...] = ()
    tags: tuple[str, ...] = ()
    on_the_line: str | None = None
    line_since: datetime | None = None


def head(session: Session, actor: Actor, *, customer_no: str | None = None) -> CustomerHead:
    """Return the head of a file: the one with this number, or the customer's own when he looks himself.

    Raises NotFound for a number that does not exist, and for a customer who names somebody else's: the answer is the same (S03).
    """
    actor.require(Permission.CUSTOMER_READ, actor.customer_id)
    if customer_no is not None and not (len(customer_no) == NUMBER_LENGTH and customer_no.isascii() and customer_no.isdecimal()):
        raise NotFound
    column, named = ("id", actor.customer_id) if customer_no is None else ("customer_no", customer_no)
    found = ask(session, _head_query(column), named=named)
    if not found:
        raise NotFound
    row = found[0]
    actor.require(Permission.CUSTOMER_READ, row.id)
    media = {one.medium: one for one in found}  # A row for each.
    address, email, phone = (media.get(kind) for kind in (ContactKind.ADDRESS, ContactKind.EMAIL, ContactKind.PHONE))
    facts = {name: value for name, value in row._mapping.items() if name not in _MEDIUM}  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    birth_date = facts.pop("birth_date")
    given_name, family_name, trading_name = (facts.pop(name) for name in ("given_name", "family_name", "trading_name"))
    return CustomerHead(
        **facts,
        born=birth_date is not None,
        birth_date=None if actor.house else birth_date,
        name=written_name(given_name, family_name, trading_name),
        address=address_line(address.street, address.number, address.box, address.postcode, address.town, row.language) if address else "",
        email=email.value if email else None,
        phone=phone.value if phone else None,
    )


def open_file(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Write down that somebody of the house looked at a file (S45): who, when, which; once in a quarter of an hour of real time."""
    if not opened_lately(session, actor, customer_id=customer_id):
        audit.record(session, actor, action=OPENED, object_type="customer", object_id=customer_id, customer_id=customer_id)


def opened_lately(session: Session, actor: Actor, *, customer_id: int) -> bool:
    """Whether there is nothing to write down when the actor looks at a file: he did so a moment ago, or it is his own."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    if not actor.staff:
        return True
    return bool(ask(session, _looks_query(), actor=actor.username, customer_id=customer_id, after=clock.real_now() - SAME_LOOK))


def recent(session: Session, actor: Actor, *, limit: int = 8) -> list[Opened]:
    """Return the files the actor looked at, the last one first."""
    actor.require(Permission.CUSTOMER_SEARCH)
    last = (
        select(col(AuditEntry.customer_id), func.max(col(AuditEntry.id)).label("entry"))
        .where(col(AuditEntry.actor) == actor.username, col(AuditEntry.action) == OPENED)
        .group_by(col(AuditEntry.customer_id))
        .order_by(func.max(col(AuditEntry.id)).desc())
        .limit(limit)
        .subquery()
    )
    query = (
        select(*_columns(Customer, "customer_no", "given_name", "family_name", "trading_name", "status"), col(AuditEntry.business_at))
        .join(last, last.c.customer_id == Customer.id)
        .join(AuditEntry, col(AuditEntry.id) == last.c.entry)
        .order_by(last.c.entry.desc())
    )
    return [Opened(number, written_name(*names), status, at) for number, *names, status, at in session.execute(query)]


def open_tasks(session: Session, actor: Actor, *, customer_id: int) -> list[OpenTask]:
    """Return what is left to do for a customer, the oldest first; he himself sees what is his to do."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    found = ask(session, _marks_query(), customer_id=customer_id, actor=actor.username, today=clock.today())
    return [_task(row) for row in found if row.what == _TASK and (actor.staff or row.word in HIS_OWN)]


def marks(session: Session, actor: Actor, *, customer_id: int) -> Marks:
    """Return what the house marked on a file; nothing for who is not of the house."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    if not actor.staff:
        return Marks()
    found = ask(session, _marks_query(), customer_id=customer_id, actor=actor.username, today=clock.today())
    talk = next((row for row in found if row.what == _TALK), None)
    return Marks(
        tuple(_task(row) for row in found if row.what == _TASK),
        tuple(row.word for row in found if row.what == _TAG),
        talk.word if talk else None,
        talk.since if talk else None,
    )


def written_name(given_name: str | None, family_name: str | None, trading_name: str | None) -> str:
    """Return a name as it is written on a letter."""
    return trading_name or " ".join(part for part in (given_name, family_name) if part)


def search_name(given_name: str | None, family_name: str | None, trading_name: str | None, second_holder: str | None = None) -> str:
    """Return what `Customer.search_name` must hold for a name to be found; whoever writes a customer's name writes this too."""
    return fold(" ".join(part for part in (given_name, family_name, trading_name, second_holder) if part))


@cache
def _head_query(column: str) -> Select[Any]:
    """Make the query of a head, by the customer's id or number, once: every page asks it."""
    person = "id customer_no kind given_name family_name trading_name language status status_since status_reason second_holder birth_date"
    flags = "enterprise_no vip colleague vulnerable deceased_on withdrawal_until mailbox_until version"
    account = "bill_model migrate_on cycle_day media payment_method dunning_state dunning_hold_until dunning_hold_reason"
    columns = (*_columns(Customer, *person.split(), *flags.split()), *_columns(BillingAccount, *account.split()))
    named = getattr(Customer, column) == bindparam("named")
    current = (col(ContactMedium.customer_id) == Customer.id) & col(ContactMedium.until_at).is_(None)
    query = select(*columns, col(ContactMedium.kind).label("medium"), *_columns(ContactMedium, *_MEDIUM[1:]))
    return query.join(BillingAccount, col(BillingAccount.customer_id) == Customer.id).outerjoin(ContactMedium, current).where(named)


def _task(row: Any) -> OpenTask:  # noqa: ANN401 - a row of a wide select
    return OpenTask(row.word, row.due, clock.local(row.since).date(), row.words)


@cache
def _marks_query() -> Any:  # noqa: ANN401 - a union has no type of its own
    """Make the one query of tasks, tags and the reader's talk: every page of the house asks it."""
    whose: BindParameter[int] = bindparam("customer_id")
    today = bindparam("today", type_=Date())
    task: Any = select(literal(_TASK).label("what"), col(Task.code).label("word"), col(Task.due), col(Task.created_at).label("since"), col(Task.words)).where(
        col(Task.customer_id) == whose, col(Task.done_at).is_(None)
    )  # fmt: skip
    tag = select(literal(_TAG), col(Tag.word), col(Tag.until), col(Tag.since_at), col(Tag.owner)).where(
        col(Tag.customer_id) == whose, col(Tag.ended_at).is_(None), or_(col(Tag.until).is_(None), col(Tag.until) > today)
    )
    talk = (
        select(literal(_TALK), col(Customer.customer_no), cast(null(), Date), col(Interaction.opened_at), col(Interaction.agent))
        .join(Interaction, col(Interaction.customer_id) == Customer.id)
        .where(col(Interaction.agent) == bindparam("actor"), col(Interaction.ended_at).is_(None))
    )
    return union_all(task, tag, talk).order_by("what", "since")


@cache
def _looks_query() -> Select[Any]:
    look = (col(AuditEntry.action) == OPENED, col(AuditEntry.at) > bindparam("after"))
    whose = (col(AuditEntry.actor) == bindparam("actor"), col(AuditEntry.customer_id) == bindparam("customer_id"))
    return select(col(AuditEntry.id)).where(*whose, *look).limit(1)


def _columns(table: type[Base], *names: str) -> list[Any]:
    """Return columns by name: more of them than SQLModel's typed select can hold."""
    return [getattr(table, name) for name in names]
