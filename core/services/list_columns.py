"""Which lists there are, and their columns, as data: one block for each noun. A new column is one line here, and its words.

A column of somebody's own table is compared in place; one of another table (whose customer it is) is looked up by the customer, so
that a list never joins what it does not need. A masked column is shown with its ends alone, and can be neither searched nor sorted:
who may not read a value must not be able to guess it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal_column, select
from sqlmodel import col

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import Texts, contact_reasons
from core.errors import N_, DomainError
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart
from core.models.approval import Approval, ApprovalKind, ApprovalState
from core.models.bill import Bill, BillCategory, BillState
from core.models.billing_account import BillingAccount, BillMedia, DunningState, PaymentMethod
from core.models.collection import Collection, CollectionState
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus, Language
from core.models.document import Document, DocumentState
from core.models.interaction import Interaction, InteractionChannel, Task
from core.models.mandate import Mandate, MandateState
from core.models.order import OrderCategory, OrderState, ProductOrder
from core.models.usage import UsageKind
from core.models.usage_hour import UsageHour
from core.services import approvals, bills, usage_words
from core.services.documents import KIND_NAMES
from core.services.references import mask_iban
from core.services.usage_numbers import mask as mask_number
from core.text_rules import fold

Expression = ColumnElement[Any]
Words = Mapping[str, str]


class UnknownList(DomainError):
    """The address names a list that does not exist."""

    message = N_("There is no list “{name}”. Choose one above.")


class UnknownColumn(DomainError):
    """The address names a column that the list does not have, or that the actor may not read."""

    message = N_("This list has no column “{column}” for you. Take it out of the address, or choose again.")


class Type(StrEnum):
    """What a column holds, and so how it is compared and written."""

    TEXT = "text"
    CHOICE = "choice"
    MONEY = "money"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    FLAG = "flag"


@dataclass(frozen=True)
class Source:
    """Another table of the same customer: its column with the customer's id, and which of its rows is meant."""

    customer_id: Any
    where: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column. `sql` is its value; `words` and `names` write it, the latter from a file of the product team; `quick` marks one that an index sorts, `folded` a text without accents that `sql` is searched by."""

    name: str
    label: str
    type: Type
    sql: Any
    source: Source | None = None
    words: Words = field(default_factory=dict)
    names: Callable[[], Mapping[str, Texts]] | None = None
    quick: bool = False
    sorts: Any = None
    folded: Any = None
    filterable: bool = True
    right: Permission | None = None
    mask: Callable[[str], str] | None = None

    @property
    def comparable(self) -> bool:
        """Whether rows may be filtered by it."""
        return self.filterable and self.mask is None

    @property
    def sortable(self) -> bool:
        """Whether rows may be sorted by it: quickly, or once a filter leaves few."""
        return self.comparable


def named(column: Column, value: object, language: str) -> str | None:
    """Return what a file of the product team calls a value; None where it says nothing."""
    texts = column.names().get(str(value)) if column.names else None
    return texts[language] if texts else None  # type: ignore[index]


class Named:
    """The labels of columns, in whichever language a refusal is read."""

    def __init__(self, *labels: str) -> None:
        self.names = {language: ", ".join(i18n.translate(language, label) for label in labels) for language in i18n.LANGUAGES}


@dataclass(frozen=True)
class Listing:
    """A list. `scope` is what the actor may see of it; `page` and `opens` say which page of the customer's file shows a row."""

    noun: str
    label: str
    icon: str
    right: Permission
    table: Any
    columns: tuple[Column, ...]
    shown: tuple[str, ...]
    sort: str
    page: str
    customer_id: Any
    opens: tuple[str, Any] | None = None
    scope: Callable[[Actor], Expression | None] = lambda _actor: None

    @property
    def key(self) -> Any:  # noqa: ANN401 - a column of any table
        """The column that names a row."""
        return self.table.id

    def columns_of(self, actor: Actor) -> dict[str, Column]:
        """Return what the actor may read, by name."""
        return {one.name: one for one in self.columns if one.right is None or actor.may(one.right)}

    def column(self, actor: Actor, name: str) -> Column:
        """Return a column. Raises UnknownColumn."""
        found = self.columns_of(actor).get(name)
        if found is None:
            raise UnknownColumn(column=name[:40])
        return found


def listing(noun: str) -> Listing:
    """Return a list by its noun. Raises UnknownList."""
    found = listings().get(noun)
    if found is None:
        raise UnknownList(name=noun[:40])
    return found


def listings_of(actor: Actor) -> dict[str, Listing]:
    """Return the lists that the actor may open."""
    return {noun: one for noun, one in listings().items() if actor.may(one.right)}


@cache
def listings() -> dict[str, Listing]:
    """Return all lists by noun, in the order of the screen."""
    made = (
        _customers(), _bills(), _orders(), _appointments(), _tasks(), _approvals(), _debits(), _documents(), _mandates(), _contacts(), _network(),
    )  # fmt: skip
    return {one.noun: one for one in made}


def folded(text: str) -> str:
    """Fold a text as the column does that it is searched in."""
    return fold(text)


def mask_email(address: str) -> str:
    """Write an address with its first letter and its domain alone."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"


_YES_NO = {"yes": N_("yes"), "no": N_("no")}
_STATUSES = {
    CustomerStatus.PROSPECT: N_("Prospect"), CustomerStatus.ACTIVE: N_("Active"), CustomerStatus.SUSPENDED: N_("Suspended"),
    CustomerStatus.CLOSED: N_("Closed"),
}  # fmt: skip
_KINDS = {CustomerKind.INDIVIDUAL: N_("Person"), CustomerKind.ORGANIZATION: N_("Organisation")}
_LANGUAGES = {Language.FR: "Français", Language.NL: "Nederlands", Language.DE: "Deutsch", Language.EN: "English"}
_MEDIA = {BillMedia.PDF: "PDF", BillMedia.PAPER: N_("Paper"), BillMedia.PEPPOL: N_("E-invoice")}
_METHODS = {PaymentMethod.TRANSFER: N_("Transfer"), PaymentMethod.DIRECT_DEBIT: N_("Direct debit")}
_DUNNING = {
    DunningState.NONE: N_("none"), DunningState.REMINDER1: N_("1st reminder"), DunningState.REMINDER2: N_("2nd reminder"),
    DunningState.FORMAL_NOTICE: N_("Formal notice"), DunningState.RESTRICTED: N_("Restriction"), DunningState.SUSPENDED: N_("Suspension"),
    DunningState.TERMINATED: N_("End of contract"),
}  # fmt: skip
_BILL_KINDS = {
    BillCategory.NORMAL: N_("Bill"), BillCategory.LAST: N_("Last bill"), BillCategory.TRANSITION: N_("Bill of transition"),
    BillCategory.CREDIT_NOTE: N_("Credit note"),
}  # fmt: skip
_BILL_STATES = {
    BillState.NEW: N_("New"), BillState.SENT: N_("Open"), BillState.PARTIALLY_PAID: N_("Partly paid"), BillState.SETTLED: N_("Settled"),
}  # fmt: skip
_ORDER_KINDS = {
    OrderCategory.NEW: N_("New product"), OrderCategory.OPTION: N_("Option"), OrderCategory.DECODER: N_("Decoder"),
    OrderCategory.PLAN: N_("Plan"), OrderCategory.MOVE: N_("House move"), OrderCategory.CANCEL: N_("Cancellation"),
    OrderCategory.UNDO: N_("Undoing"),
}  # fmt: skip
_ORDER_STATES = {
    OrderState.ACKNOWLEDGED: N_("Received"), OrderState.HELD: N_("Held"), OrderState.IN_PROGRESS: N_("Under way"),
    OrderState.COMPLETED: N_("Done"), OrderState.REJECTED: N_("Refused"), OrderState.CANCELLED: N_("Cancelled"),
}  # fmt: skip
_CHANNELS = {"agent": N_("Colleague"), "selfcare": N_("Customer area")}
_VISIT_KINDS = {
    AppointmentCategory.INSTALLATION: N_("Installation"), AppointmentCategory.REPAIR: N_("Repair"), AppointmentCategory.MOVE: N_("House move"),
}  # fmt: skip
_VISIT_STATES = {
    AppointmentState.INITIALIZED: N_("Visit asked for"), AppointmentState.CONFIRMED: N_("Visit confirmed"),
    AppointmentState.COMPLETED: N_("Visit done"), AppointmentState.FAILED: N_("Visit did not take place"),
    AppointmentState.CANCELLED: N_("Visit cancelled"),
}  # fmt: skip
_PARTS = {DayPart.MORNING: "08 – 12", DayPart.AFTERNOON: "12 – 17"}  # noqa: RUF001 - a dash between hours
_APPROVAL_KINDS = {ApprovalKind.CREDIT: N_("Credit"), ApprovalKind.REFUND: N_("Refund to a typed account")}
_APPROVAL_STATES = {
    ApprovalState.PENDING: N_("Waits"), ApprovalState.APPROVED: N_("Approved"), ApprovalState.REFUSED: N_("Refused"),
    ApprovalState.WITHDRAWN: N_("Withdrawn"), ApprovalState.EXPIRED: N_("Expired"),
}  # fmt: skip
_DEBIT_STATES = {
    CollectionState.PENDING: N_("At the bank"), CollectionState.SETTLED: N_("Collected"), CollectionState.RETURNED: N_("Returned"),
    CollectionState.WITHDRAWN: N_("Withdrawn"),
}  # fmt: skip
_PAPER_STATES = {
    DocumentState.PENDING: N_("To check"), DocumentState.ACCEPTED: N_("Accepted"), DocumentState.REJECTED: N_("Rejected"),
    DocumentState.PURGED: N_("Copy erased"),
}  # fmt: skip
_MANDATE_STATES = {
    MandateState.DRAFT: N_("Draft"), MandateState.PENDING_SIGNATURE: N_("Waits for its signature"), MandateState.ACTIVE: N_("Active"),
    MandateState.SUSPENDED: N_("Suspended"), MandateState.CANCELLED: N_("Cancelled"), MandateState.EXPIRED: N_("Expired"),
}  # fmt: skip
_CONTACT_WAYS = {
    InteractionChannel.PHONE: N_("Phone"), InteractionChannel.EMAIL: N_("E-mail"), InteractionChannel.CHAT: N_("Chat"),
    InteractionChannel.SHOP: N_("Shop"),
}  # fmt: skip

_NAME = func.coalesce(
    Customer.trading_name, func.trim(func.coalesce(Customer.given_name, "") + " " + func.coalesce(Customer.family_name, ""))
)
_OF_CUSTOMER = Source(Customer.id)
_OF_ACCOUNT = Source(BillingAccount.customer_id)


def _medium(kind: ContactKind) -> Source:
    return Source(ContactMedium.customer_id, (col(ContactMedium.kind) == kind, col(ContactMedium.until_at).is_(None)))


def _text(name: str, label: str, sql: Any, **more: Any) -> Column:  # noqa: ANN401 - expressions of any column
    return Column(name, label, Type.TEXT, sql, **more)


def _choice(name: str, label: str, sql: Any, words: Mapping[Any, str], **more: Any) -> Column:  # noqa: ANN401
    return Column(name, label, Type.CHOICE, sql, words={str(key): word for key, word in words.items()}, **more)


def _flag(name: str, label: str, sql: Any, **more: Any) -> Column:  # noqa: ANN401
    return Column(name, label, Type.FLAG, sql, words=_YES_NO, **more)


def _whose() -> tuple[Column, ...]:
    """Return the columns that say whose row it is: every list but that of customers has them."""
    return (
        _text("customer", N_("Customer"), _NAME, source=_OF_CUSTOMER, folded=Customer.search_name, sorts=Customer.search_name),
        _text("customer_no", N_("Customer no."), Customer.customer_no, source=_OF_CUSTOMER),
        _choice("customer_status", N_("Customer's state"), Customer.status, _STATUSES, source=_OF_CUSTOMER),
        _choice("language", N_("Language"), Customer.language, _LANGUAGES, source=_OF_CUSTOMER),
        _text("postcode", N_("Postcode"), ContactMedium.postcode, source=_medium(ContactKind.ADDRESS)),
    )


def _customers() -> Listing:
    c, a, m = Customer, BillingAccount, ContactMedium
    place = _medium(ContactKind.ADDRESS)
    return Listing(
        "customers", N_("Customers"), "groups", Permission.CUSTOMER_READ, c,
        (
            _text("name", N_("Name"), _NAME, folded=c.search_name, sorts=c.search_name, quick=True),
            _text("customer_no", N_("Customer no."), c.customer_no, quick=True),
            _choice("status", N_("State"), c.status, _STATUSES),
            Column("since", N_("Since"), Type.DAY, c.status_since),
            _choice("kind", N_("Type"), c.kind, _KINDS),
            _choice("language", N_("Language"), c.language, _LANGUAGES),
            _text("postcode", N_("Postcode"), m.postcode, source=place),
            _text("town", N_("Town"), m.town, source=place),
            _text("email", N_("E-mail"), m.value, source=_medium(ContactKind.EMAIL), mask=mask_email),
            _text("phone", N_("Phone"), m.value, source=_medium(ContactKind.PHONE), mask=mask_number),
            _choice("media", N_("Bill by"), a.media, _MEDIA, source=_OF_ACCOUNT),
            _choice("pays", N_("Pays by"), a.payment_method, _METHODS, source=_OF_ACCOUNT),
            _choice("dunning", N_("Follow-up"), a.dunning_state, _DUNNING, source=_OF_ACCOUNT),
            Column("hold", N_("On hold until"), Type.DAY, a.dunning_hold_until, source=_OF_ACCOUNT),
            Column("migrates", N_("Changes model on"), Type.DAY, a.migrate_on, source=_OF_ACCOUNT),
            Column("open", N_("Open amount"), Type.MONEY, _open_amount(), filterable=False, right=Permission.BILL_READ),
            _flag("vip", N_("VIP"), c.vip),
            _flag("colleague", N_("Colleague"), c.colleague),
            _flag("vulnerable", N_("Vulnerable"), c.vulnerable),
            Column("deceased", N_("Deceased on"), Type.DAY, c.deceased_on),
            Column("created", N_("Created"), Type.MOMENT, c.created_at),
        ),
        ("name", "customer_no", "status", "postcode", "town", "pays", "dunning", "open"), "name", "home", c.id,
    )  # fmt: skip


def _open_amount() -> Any:  # noqa: ANN401
    """Return what a customer has to pay, in cents: read for the rows that are shown, never sorted or compared."""
    owed = (col(Bill.customer_id) == Customer.id) & (col(Bill.category) != BillCategory.CREDIT_NOTE) & (col(Bill.remaining_cents) > 0)
    return func.coalesce(select(func.sum(col(Bill.remaining_cents))).where(owed).correlate(Customer).scalar_subquery(), 0)


OPEN_BILL = and_(col(Bill.state) != literal_column("'settled'"), col(Bill.category) != literal_column("'creditNote'"))
"""Its values written out, as the index `ix_bill_open` says them: with bound ones no database uses it."""
PAYABLE = func.coalesce(col(Bill.payable_until), col(Bill.due_date))


def late_bill() -> Expression:
    """Return what makes a bill late, as the bills themselves say it: not what we collect, what a plan spreads, or what is disputed."""
    claimed = col(Bill.remaining_cents) > bills.disputed_of_bill()
    return and_(OPEN_BILL, clock.today() > PAYABLE, col(Bill.mandate_id).is_(None), ~bills.in_plan_of_bill(), claimed)


class _Now:
    """An expression that is made when it is asked for: it holds the day."""

    def __init__(self, make: Callable[[], Expression]) -> None:
        self.make = make


def expression(sql: Any) -> Any:  # noqa: ANN401
    """Return a column's expression as of now."""
    return sql.make() if isinstance(sql, _Now) else sql


def _bills() -> Listing:
    b = Bill
    return Listing(
        "bills", N_("Bills"), "receipt_long", Permission.BILL_READ, b,
        (
            _text("bill_no", N_("Bill no."), b.bill_no, quick=True),
            *_whose()[:2],
            Column("date", N_("Date"), Type.DAY, b.bill_date, quick=True),
            _choice("kind", N_("Type"), b.category, _BILL_KINDS),
            _choice("state", N_("State"), b.state, _BILL_STATES),
            Column("due", N_("To be paid until"), Type.DAY, PAYABLE),
            Column("total", N_("Total"), Type.MONEY, col(b.incl_cents) + col(b.third_party_cents)),
            Column("left", N_("Left"), Type.MONEY, b.remaining_cents),
            _flag("open", N_("To pay"), OPEN_BILL),
            _flag("late", N_("Late"), _Now(late_bill)),
            _flag("debit", N_("By direct debit"), col(b.mandate_id).is_not(None)),
            _flag("disputed", N_("Disputed"), _Now(lambda: OPEN_BILL & (bills.disputed_of_bill() > 0))),
            Column("credited", N_("Credited"), Type.MONEY, b.credited_cents),
            _text("credited_by", N_("Credited by"), b.credited_by),
            Column("issued", N_("Issued"), Type.MOMENT, b.issued_at),
            _choice("media", N_("Bill by"), BillingAccount.media, _MEDIA, source=_OF_ACCOUNT),
            _choice("dunning", N_("Follow-up"), BillingAccount.dunning_state, _DUNNING, source=_OF_ACCOUNT),
            *_whose()[2:],
        ),
        ("bill_no", "customer", "date", "state", "due", "total", "left", "late"), "-date", "bills", b.customer_id, opens=("bill", b.bill_no),
    )  # fmt: skip


def _orders() -> Listing:
    o = ProductOrder
    return Listing(
        "orders", N_("Orders"), "shopping_cart", Permission.CUSTOMER_READ, o,
        (
            _text("order_no", N_("Order no."), o.order_no, quick=True),
            *_whose()[:2],
            _choice("kind", N_("Type"), o.category, _ORDER_KINDS),
            _choice("state", N_("State"), o.state, _ORDER_STATES),
            Column("created", N_("Created"), Type.MOMENT, o.created_at, quick=True),
            Column("effective", N_("Takes effect"), Type.DAY, o.effective_on),
            Column("completed", N_("Completed"), Type.MOMENT, o.completed_at),
            _choice("channel", N_("Way"), o.channel, _CHANNELS),
            _text("by", N_("By"), o.created_by),
            *_whose()[2:],
        ),
        ("order_no", "customer", "kind", "state", "created", "effective", "by"), "-created", "home", o.customer_id,
    )  # fmt: skip


def _appointments() -> Listing:
    a = Appointment
    return Listing(
        "appointments", N_("Appointments"), "event", Permission.APPOINTMENT_READ, a,
        (
            _text("visit_no", N_("Visit no."), a.appointment_no, quick=True),
            *_whose()[:2],
            Column("day", N_("Day"), Type.DAY, a.day, quick=True),
            _choice("part", N_("Hours"), a.part, _PARTS),
            _choice("kind", N_("Type"), a.category, _VISIT_KINDS),
            _choice("state", N_("State"), a.state, _VISIT_STATES),
            _text("zone", N_("Zone"), a.zone),
            _text("place", N_("Place"), a.place),
            _text("phone", N_("Phone on site"), a.contact_phone, mask=mask_number),
            Column("moves", N_("Moved"), Type.NUMBER, a.self_moves),
            Column("fee", N_("Fee"), Type.MONEY, a.fee_cents),
            Column("created", N_("Created"), Type.MOMENT, a.created_at),
            *_whose()[2:],
        ),
        ("visit_no", "customer", "day", "part", "kind", "state", "place"), "-day", "appointments", a.customer_id,
    )  # fmt: skip


def _tasks() -> Listing:
    one = Task
    return Listing(
        "tasks", N_("Tasks"), "task_alt", Permission.CUSTOMER_READ, one,
        (
            _text("task", N_("Task"), func.coalesce(one.words, one.code)),
            _text("owner", N_("Whose"), func.coalesce(one.owner, one.team)),
            *_whose()[:2],
            Column("due", N_("Due"), Type.DAY, one.due),
            Column("created", N_("Created"), Type.MOMENT, one.created_at, quick=True),
            _flag("open", N_("Open"), col(one.done_at).is_(None)),
            Column("done", N_("Done"), Type.MOMENT, one.done_at),
            *_whose()[2:],
        ),
        ("task", "customer", "due", "owner", "created", "open"), "-created", "timeline", one.customer_id,
    )  # fmt: skip


def _approvals() -> Listing:
    a = Approval
    return Listing(
        "approvals", N_("Approvals"), "approval", Permission.CREDIT_WRITE, a,
        (
            _text("subject", N_("About"), a.subject),
            *_whose()[:2],
            _choice("kind", N_("Type"), a.kind, _APPROVAL_KINDS),
            _choice("state", N_("State"), a.state, _APPROVAL_STATES),
            Column("amount", N_("Amount"), Type.MONEY, a.amount_cents),
            _text("by", N_("Asked by"), a.requested_by),
            Column("asked", N_("Asked at"), Type.MOMENT, a.requested_at, quick=True),
            _text("decided_by", N_("Decided by"), a.decided_by),
            Column("decided", N_("Decided at"), Type.MOMENT, a.decided_at),
            _text("comment", N_("Comment"), a.comment),
            *_whose()[2:],
        ),
        ("subject", "customer", "kind", "state", "amount", "by", "asked"), "-asked", "approvals", a.customer_id,
        scope=approvals.visible,
    )  # fmt: skip


def _debits() -> Listing:
    c = Collection
    of_bill = (col(Bill.customer_id) == c.customer_id) & (col(Bill.id) == c.bill_id)
    number = select(col(Bill.bill_no)).where(of_bill).correlate(c).scalar_subquery()
    return Listing(
        "debits", N_("Direct debits"), "account_balance", Permission.BILL_READ, c,
        (
            _text("bill_no", N_("Bill no."), number),
            *_whose()[:2],
            Column("collect", N_("Collected on"), Type.DAY, c.collect_on, quick=True),
            Column("amount", N_("Amount"), Type.MONEY, c.amount_cents),
            _choice("state", N_("State"), c.state, _DEBIT_STATES),
            Column("returned", N_("Returned on"), Type.DAY, c.returned_on),
            _text("code", N_("Bank's code"), c.return_code),
            _text("iban", N_("Account"), c.iban, mask=mask_iban),
            *_whose()[2:],
        ),
        ("bill_no", "customer", "collect", "amount", "state", "returned", "code"), "-collect", "bills", c.customer_id, opens=("bill", number),
    )  # fmt: skip


def _documents() -> Listing:
    d = Document
    return Listing(
        "documents", N_("Documents"), "description", Permission.DOCUMENT_READ, d,
        (
            _text("document_no", N_("Document no."), d.document_no, quick=True),
            *_whose()[:2],
            _choice("kind", N_("Type"), d.kind, KIND_NAMES),
            _choice("state", N_("State"), d.state, _PAPER_STATES),
            Column("handed_in", N_("Handed in"), Type.MOMENT, d.uploaded_at, quick=True),
            _text("reviewed_by", N_("Checked by"), d.reviewed_by),
            Column("purge", N_("Copy erased on"), Type.DAY, d.purge_on),
            *_whose()[2:],
        ),
        ("document_no", "customer", "kind", "state", "handed_in", "reviewed_by"), "-handed_in", "account", d.customer_id,
    )  # fmt: skip


def _mandates() -> Listing:
    m = Mandate
    return Listing(
        "mandates", N_("Mandates"), "signature", Permission.BILL_READ, m,
        (
            _text("umr", N_("Mandate reference"), m.umr, quick=True),
            *_whose()[:2],
            _choice("state", N_("State"), m.state, _MANDATE_STATES),
            Column("asked", N_("Asked at"), Type.MOMENT, m.requested_at, quick=True),
            Column("signed", N_("Signed on"), Type.DAY, m.signed_on),
            Column("cancelled", N_("Ended on"), Type.DAY, m.cancelled_on),
            Column("used", N_("Last used on"), Type.DAY, m.last_used_on),
            _text("iban", N_("Account"), m.iban, mask=mask_iban),
            *_whose()[2:],
        ),
        ("umr", "customer", "state", "asked", "signed", "iban"), "-asked", "bills", m.customer_id,
    )  # fmt: skip


def _contacts() -> Listing:
    i = Interaction
    return Listing(
        "contacts", N_("Contacts"), "forum", Permission.CUSTOMER_READ, i,
        (
            _text("reason", N_("Reason"), i.reason, names=contact_reasons),
            *_whose()[:2],
            Column("at", N_("When"), Type.MOMENT, i.at, quick=True),
            _choice("way", N_("Way"), i.channel, _CONTACT_WAYS),
            _text("by", N_("By"), i.agent),
            *_whose()[2:],
        ),
        ("reason", "customer", "at", "way", "by"), "-at", "home", i.customer_id,
    )  # fmt: skip


def _network() -> Listing:
    """Make the list of what the whole network was used for, by the hour: it belongs to no customer."""
    u = UsageHour
    return Listing(
        "network", N_("Network"), "cell_tower", Permission.DASHBOARD_READ, u,
        (
            Column("day", N_("Day"), Type.DAY, u.day, quick=True),
            Column("hour", N_("Hour"), Type.NUMBER, u.hour),
            _choice("kind", N_("Type"), u.kind, {kind.value: word for kind, word in usage_words.KINDS.items()}),
            Column("events", N_("How many"), Type.NUMBER, u.events),
            Column("quantity", N_("Quantity (MB, s, pieces)"), Type.NUMBER, case((col(u.kind) == UsageKind.DATA, col(u.quantity) / 1000), else_=u.quantity)),
        ),
        ("day", "hour", "kind", "events", "quantity"), "-day", "", None,
    )  # fmt: skip
