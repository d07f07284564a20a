"""The story of a file: everything that happened, whatever table it lies in, the newest first (W17). For the house alone.

Each table that tells something is a source: one query, made once, that begins where a page ends (`_Source`). What only has a day
stands at the beginning of that day, so that what followed from it comes after it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, Select, String, bindparam, case, cast, func, select, tuple_, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.db import Base, ask
from core.errors import NotFound
from core.models.appointment import Appointment, AppointmentMove, AppointmentState
from core.models.audit import AuditEntry
from core.models.bill import Bill
from core.models.communication import Communication
from core.models.document import Document
from core.models.dunning import BillDispute, DunningNotice, PaymentDeclaration
from core.models.e_invoice import EInvoice
from core.models.interaction import CallerCheck, Interaction, Task
from core.models.note import Note, Tag
from core.models.order import OrderCategory, OrderItem, ProductOrder
from core.models.payment import Payment, PaymentAllocation, PaymentPlan, Refund
from core.models.product import Product
from core.services import erased
from core.services.open_amounts import disputed_of_bill, in_plan_of_bill

PAGE = 40
_LAST_ID = 2**31 - 1
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_TRAIL = "change"
_NO_SOURCE = 1000
"""A place behind all sources: a cursor with it leaves its own moment out."""
_REFERRED, _NEXT, _PLAN = aliased(Bill), aliased(Note), aliased(Product)


class Kind(StrEnum):
    """What an entry is about: the filters of the page, in the order of the screen."""

    BILL = "bill"
    PAYMENT = "payment"
    FOLLOW_UP = "followup"
    ORDER = "order"
    VISIT = "visit"
    MESSAGE = "message"
    CALL = "call"
    NOTE = "note"
    TASK = "task"
    DOCUMENT = "document"
    CHANGE = "change"


CHANGES = (
    "account:hold", "account:release", "alert:set", "appointment:cancel", "cap:set", "contact:change", "contact:move", "customer:close",
    "customer:restrict", "customer:restore", "customer:suspend", "macro:run", "mandate:activate", "mandate:amend", "mandate:cancel",
    "mandate:expire", "mandate:request", "mandate:sign_amendment", "move:complete", "move:postpone", "password:change", "password:reset",
    "question:change", "question:check", "question:set", "reset:send", "usage:export",
)  # fmt: skip
"""Which entries of the trail tell something that no table of its own tells. Who looked at a file is another question, and not told here."""


@dataclass(frozen=True)
class Cursor:
    """Where a page ends. It is written into the address, and read from there."""

    at: datetime
    source: int
    id: int

    def __str__(self) -> str:
        """Write it."""
        return f"{self.at:%Y%m%dT%H%M%S.%f}-{self.source}-{self.id}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Read what an address holds; None for what is none."""
        at, _, rest = text.partition("-")
        source, _, number = rest.partition("-")
        try:
            found = cls(clock.from_stored(at), int(source), min(max(int(number), 0), _LAST_ID))
        except (ValueError, OverflowError):
            return None
        return found if _FIRST_YEAR <= found.at.year <= _LAST_YEAR else None


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `timed` is False where only its day is known; `facts` are the columns of its source."""

    at: datetime
    timed: bool
    kind: Kind
    source: str
    id: int
    facts: Mapping[str, Any]
    rank: int

    @property
    def day(self) -> date:
        """Its day in Brussels."""
        return clock.local(self.at).date()

    @property
    def cursor(self) -> Cursor:
        """Where a page that ends with it ends."""
        return Cursor(self.at, self.rank, self.id)


@dataclass(frozen=True)
class Page:
    """Some entries, the newest first; `older` is where the next page begins, None where the story begins."""

    entries: tuple[Entry, ...]
    older: Cursor | None


@dataclass(frozen=True)
class _Source:
    """A table, when its rows happened (a moment or a day), what they tell, and which of them count."""

    kind: Kind
    table: type[Base]
    when: Any
    facts: Mapping[str, Any]
    where: tuple[ColumnElement[bool], ...] = ()
    joins: tuple[tuple[Any, Any], ...] = ()

    @property
    def timed(self) -> bool:
        """Whether a row has a moment, and not only a day."""
        return not isinstance(self.when.type, Date)


def _of(table: Any, names: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of any table
    return {name: getattr(table, name) for name in names.split()} | more


def _ordered() -> ColumnElement[str]:
    """Return what an order adds and ends, as "add:TV_SPORT,delete:TV_KIDS"."""
    mine = (col(OrderItem.customer_id) == ProductOrder.customer_id, col(OrderItem.order_id) == ProductOrder.id)
    told = func.aggregate_strings(type_coerce(col(OrderItem.action), String).concat(":").concat(col(OrderItem.offering_code)), ",")
    return select(told).where(*mine).correlate(ProductOrder).scalar_subquery()


def _plan_named(product_id: Any, customer_id: Any) -> Select[Any]:  # noqa: ANN401 - columns of any table
    """Return the query of the plan that a product is, or is an option of, as "RED|Noa|+32470000012"."""
    plan = (col(_PLAN.customer_id) == Product.customer_id) & (col(_PLAN.id) == func.coalesce(col(Product.parent_id), col(Product.id)))
    told = (
        col(_PLAN.offering_code)
        .concat("|")
        .concat(func.coalesce(col(_PLAN.user_name), ""))
        .concat("|")
        .concat(func.coalesce(col(_PLAN.line), ""))
    )
    return (
        select(func.min(told))
        .select_from(Product)
        .join(_PLAN, plan)
        .where(col(Product.customer_id) == customer_id, col(Product.id) == product_id)
    )


def _line_of_order() -> ColumnElement[str]:
    """Return whose plan an order of options changes; None where it is about all that a customer holds."""
    item = (col(OrderItem.customer_id) == ProductOrder.customer_id) & (col(OrderItem.order_id) == ProductOrder.id)
    of_option = select(func.min(col(OrderItem.product_id))).where(item).correlate(ProductOrder).scalar_subquery()
    single = col(ProductOrder.category).in_((OrderCategory.OPTION, OrderCategory.DECODER, OrderCategory.PLAN, OrderCategory.UNDO))
    return case((single, _plan_named(of_option, col(ProductOrder.customer_id)).correlate(ProductOrder).scalar_subquery()))


def _line_of_change() -> ColumnElement[str]:
    """Return the line whose setting an entry of the trail changed."""
    number = case((col(AuditEntry.object_type) == "product", cast(col(AuditEntry.object_id), Integer)))
    return _plan_named(number, col(AuditEntry.customer_id)).correlate(AuditEntry).scalar_subquery()


def _wrong_answers() -> ColumnElement[int]:
    """Return how many answers of a caller were wrong."""
    mine = (col(CallerCheck.customer_id) == Interaction.customer_id, col(CallerCheck.interaction_id) == Interaction.id)
    return select(func.count()).select_from(CallerCheck).where(*mine, ~col(CallerCheck.matched)).correlate(Interaction).scalar_subquery()


def _paid_bills() -> ColumnElement[str]:
    """Return the numbers of the bills that a payment counts on, or counted on before it went back."""
    of_bill = (col(PaymentAllocation.customer_id) == col(Bill.customer_id)) & (col(PaymentAllocation.bill_id) == col(Bill.id))
    mine = (col(PaymentAllocation.customer_id) == Payment.customer_id, col(PaymentAllocation.payment_id) == Payment.id)
    told = select(func.aggregate_strings(col(Bill.bill_no), ", ")).join(PaymentAllocation, of_bill)
    return told.where(*mine).correlate(Payment).scalar_subquery()


def _total() -> ColumnElement[int]:
    return col(Bill.incl_cents) + col(Bill.third_party_cents)


def _bill_no(bill_id: Any, customer_id: Any) -> ColumnElement[str]:  # noqa: ANN401 - columns of any table
    found = select(col(_REFERRED.bill_no)).where(col(_REFERRED.customer_id) == customer_id, col(_REFERRED.id) == bill_id)
    return found.scalar_subquery()


@cache
def sources() -> dict[str, _Source]:
    """Return the sources by name. Their order decides between entries of the same moment: the first stands above."""
    outcome = col(Appointment.state).in_((AppointmentState.COMPLETED, AppointmentState.FAILED))
    plan = _of(PaymentPlan, "total_cents state ended_on")
    visit = _of(Appointment, "appointment_no category state day part failed_by fee_cents")
    moved = (
        Appointment,
        (col(Appointment.customer_id) == AppointmentMove.customer_id) & (col(Appointment.id) == AppointmentMove.appointment_id),
    )
    written = _of(Document, "document_no kind name state reason uploaded_by reviewed_by")
    task = _of(Task, "code words due owner team created_by done_at done_by done_words")
    paid = _of(Payment, "amount_cents method state communication payer_name returned_on return_code", bills=_paid_bills())
    return {
        "note": _Source(Kind.NOTE, Note, Note.created_at, _of(Note, "text source author pinned replaces_id until_at until_by"), (~select(col(_NEXT.id)).where(col(_NEXT.replaces_id) == col(Note.id)).exists(),)),
        "tag": _Source(Kind.NOTE, Tag, Tag.since_at, _of(Tag, "word owner until ended_at ended_by")),
        "call": _Source(Kind.CALL, Interaction, Interaction.at, _of(Interaction, "channel reason agent note ended_at seconds handed_to", wrong=_wrong_answers())),
        "task_done": _Source(Kind.TASK, Task, Task.done_at, task, (col(Task.done_at).is_not(None),)),
        "task": _Source(Kind.TASK, Task, Task.created_at, task),
        _TRAIL: _Source(
            Kind.CHANGE, AuditEntry, AuditEntry.business_at, _of(AuditEntry, "action actor object_type before after reason", line=_line_of_change()),
            (col(AuditEntry.action).in_(CHANGES),),
        ),
        "message": _Source(Kind.MESSAGE, Communication, Communication.sent_at, _of(Communication, "template channel receiver subject state read_at")),
        "e_invoice": _Source(
            Kind.MESSAGE, EInvoice, EInvoice.sent_at, _of(EInvoice, "receiver attempt message_id", bill_no=_bill_no(EInvoice.bill_id, EInvoice.customer_id)),
            (col(EInvoice.sent_at).is_not(None),),
        ),
        "order": _Source(Kind.ORDER, ProductOrder, ProductOrder.created_at, _of(ProductOrder, "order_no category state effective_on created_by channel", items=_ordered(), line=_line_of_order())),
        "visit_moved": _Source(
            Kind.VISIT, AppointmentMove, AppointmentMove.moved_at,
            _of(AppointmentMove, "from_day from_part to_day to_part moved_by reason") | _of(Appointment, "appointment_no category"), joins=(moved,),
        ),
        "visit": _Source(Kind.VISIT, Appointment, Appointment.created_at, visit),
        "document_checked": _Source(Kind.DOCUMENT, Document, Document.reviewed_at, written, (col(Document.reviewed_at).is_not(None),)),
        "document": _Source(Kind.DOCUMENT, Document, Document.uploaded_at, written),
        "plan_ended": _Source(Kind.FOLLOW_UP, PaymentPlan, PaymentPlan.ended_on, plan, (col(PaymentPlan.ended_on).is_not(None),)),
        "plan_accepted": _Source(Kind.FOLLOW_UP, PaymentPlan, PaymentPlan.accepted_on, plan, (col(PaymentPlan.accepted_on).is_not(None),)),
        "plan": _Source(Kind.FOLLOW_UP, PaymentPlan, PaymentPlan.proposed_on, plan),
        "declaration": _Source(Kind.FOLLOW_UP, PaymentDeclaration, PaymentDeclaration.day, _of(PaymentDeclaration, "until proof")),
        "dispute_ended": _Source(
            Kind.FOLLOW_UP, BillDispute, BillDispute.until,
            _of(BillDispute, "disputed_cents outcome", bill_no=_bill_no(BillDispute.bill_id, BillDispute.customer_id)), (col(BillDispute.until).is_not(None),),
        ),
        "dispute": _Source(
            Kind.FOLLOW_UP, BillDispute, BillDispute.since,
            _of(BillDispute, "disputed_cents reason until", bill_no=_bill_no(BillDispute.bill_id, BillDispute.customer_id)),
        ),
        "notice": _Source(Kind.FOLLOW_UP, DunningNotice, DunningNotice.day, _of(DunningNotice, "step claimed_cents channel free_until episode")),
        "refunded": _Source(Kind.PAYMENT, Refund, Refund.completed_on, _of(Refund, "amount_cents iban state"), (col(Refund.completed_on).is_not(None),)),
        "refund": _Source(Kind.PAYMENT, Refund, Refund.requested_on, _of(Refund, "amount_cents iban state completed_on")),
        "returned": _Source(Kind.PAYMENT, Payment, Payment.returned_on, paid, (col(Payment.returned_on).is_not(None),)),
        "payment": _Source(Kind.PAYMENT, Payment, Payment.received_on, paid),
        "visit_outcome": _Source(Kind.VISIT, Appointment, Appointment.day, visit, (outcome,)),
        "bill": _Source(
            Kind.BILL, Bill, Bill.bill_date,
            _of(
                Bill, "bill_no category due_date payable_until state remaining_cents reason period_since period_until mandate_id",
                total_cents=_total(), in_plan=in_plan_of_bill(), disputed_cents=disputed_of_bill(), refers_to=_bill_no(Bill.refers_to_id, Bill.customer_id),
            ),
        ),
    }  # fmt: skip


def of_customer(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    kinds: Collection[Kind] = (),
    before: Cursor | None = None,
    until: date | None = None,
    limit: int = PAGE,
) -> Page:
    """Return a page of the story, the newest first: of all kinds or of some, from a cursor on, or from the end of a day `until` on.

    An erased file tells nothing of the trail, which the law keeps with the values of then.
    """
    actor.require(Permission.TIMELINE_READ, customer_id)
    newest = Cursor(clock.now() + timedelta(microseconds=1), _NO_SOURCE, 0)
    if before is None and until and until < clock.today():
        before = Cursor(clock.at(until + timedelta(days=1)), _NO_SOURCE, 0)
    if before is None or before.at > newest.at:
        before = newest
    silent = _TRAIL if erased.on(session, customer_id) else ""
    told = (
        _entries(session, customer_id, name, rank, before, limit + 1)
        for rank, (name, source) in enumerate(sources().items())
        if name != silent and (not kinds or source.kind in kinds)
    )
    found = list(islice(merge(*told, key=lambda one: (one.at, -one.rank, one.id), reverse=True), limit + 1))
    return Page(tuple(found[:limit]), found[limit - 1].cursor if len(found) > limit else None)


def one(session: Session, actor: Actor, *, customer_id: int, source: str, entry_id: int) -> Entry:
    """Return one entry. Raises NotFound for what is not told, or is another customer's."""
    actor.require(Permission.TIMELINE_READ, customer_id)
    if source not in sources() or not 0 < entry_id <= _LAST_ID or (source == _TRAIL and erased.on(session, customer_id)):
        raise NotFound
    rows = ask(session, _query(source, single=True), customer_id=customer_id, id=entry_id)
    if not rows or (found := _entry(source, list(sources()).index(source), rows[0])).at > clock.now():
        raise NotFound
    return found


def _entries(session: Session, customer_id: int, name: str, rank: int, before: Cursor, limit: int) -> list[Entry]:
    """Return the newest entries of a source below a cursor."""
    last = before.id if rank == before.source else _LAST_ID if rank > before.source else 0
    at: datetime | date = before.at
    if not sources()[name].timed:
        at = clock.local(before.at).date()
        if clock.at(at) < before.at:  # The day began before: all of it lies below.
            last = _LAST_ID
    rows = ask(session, _query(name), customer_id=customer_id, at=at, id=last, limit=limit)
    return [_entry(name, rank, row) for row in rows]


def _entry(name: str, rank: int, row: Any) -> Entry:  # noqa: ANN401 - a row of a wide select
    source = sources()[name]
    number, when, *values = row
    at = when if source.timed else clock.at(when)
    return Entry(at, source.timed, source.kind, name, number, dict(zip(source.facts, values, strict=True)), rank)


@cache
def _query(name: str, *, single: bool = False) -> Select[Any]:
    """Make the query of a source, once: its rows of a customer below a key, or one of them."""
    source = sources()[name]
    table: Any = source.table
    facts = [value.label(f"fact_{key}") for key, value in source.facts.items()]
    query: Select[Any] = select(table.id, source.when, *facts).where(table.customer_id == bindparam("customer_id"), *source.where)
    for joined, on in source.joins:
        query = query.join(joined, on)
    if single:
        return query.where(table.id == bindparam("id"))
    key = tuple_(bindparam("at", type_=source.when.type), bindparam("id", type_=Integer()))
    below = tuple_(source.when, table.id) < key
    return query.where(below).order_by(source.when.desc(), table.id.desc()).limit(bindparam("limit", type_=Integer()))
