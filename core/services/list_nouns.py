"""Which lists there are, and their columns, as data: one block for each noun. A new column is one line here, and its words."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import and_, case, func, literal_column, select
from sqlmodel import col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import contact_reasons
from core.errors import N_, DomainError
from core.models.appointment import Appointment
from core.models.approval import Approval
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount
from core.models.collection import Collection
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.document import Document
from core.models.interaction import Interaction, Task
from core.models.mandate import Mandate
from core.models.order import ProductOrder
from core.models.usage import UsageKind
from core.models.usage_hour import UsageHour
from core.services import approvals, open_amounts, usage_words
from core.services import list_words as words
from core.services.documents import KIND_NAMES
from core.services.list_columns import Column, Expression, Listing, Now, Source, Type, mask_email
from core.services.references import mask_iban
from core.services.usage_numbers import mask as mask_number


class UnknownList(DomainError):
    """The address names a list that does not exist."""

    message = N_("There is no list “{name}”. Choose one above.")


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
    return Column(name, label, Type.FLAG, sql, words=words.YES_NO, **more)


def _whose() -> tuple[Column, ...]:
    """Return the columns that say whose row it is: every list but that of customers has them."""
    return (
        _text("customer", N_("Customer"), _NAME, source=_OF_CUSTOMER, folded=Customer.search_name, sorts=Customer.search_name),
        _text("customer_no", N_("Customer no."), Customer.customer_no, source=_OF_CUSTOMER),
        _choice("customer_status", N_("Customer's state"), Customer.status, words.STATUSES, source=_OF_CUSTOMER),
        _choice("language", N_("Language"), Customer.language, words.LANGUAGES, source=_OF_CUSTOMER),
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
            _choice("status", N_("State"), c.status, words.STATUSES),
            Column("since", N_("Since"), Type.DAY, c.status_since),
            _choice("kind", N_("Type"), c.kind, words.KINDS),
            _choice("language", N_("Language"), c.language, words.LANGUAGES),
            _text("postcode", N_("Postcode"), m.postcode, source=place),
            _text("town", N_("Town"), m.town, source=place),
            _text("email", N_("E-mail"), m.value, source=_medium(ContactKind.EMAIL), mask=mask_email),
            _text("phone", N_("Phone"), m.value, source=_medium(ContactKind.PHONE), mask=mask_number),
            _choice("media", N_("Bill by"), a.media, words.MEDIA, source=_OF_ACCOUNT),
            _choice("pays", N_("Pays by"), a.payment_method, words.METHODS, source=_OF_ACCOUNT),
            _choice("dunning", N_("Follow-up"), a.dunning_state, words.DUNNING, source=_OF_ACCOUNT),
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
    claimed = col(Bill.remaining_cents) > open_amounts.disputed_of_bill()
    return and_(OPEN_BILL, clock.today() > PAYABLE, col(Bill.mandate_id).is_(None), ~open_amounts.in_plan_of_bill(), claimed)


def _bills() -> Listing:
    b = Bill
    return Listing(
        "bills", N_("Bills"), "receipt_long", Permission.BILL_READ, b,
        (
            _text("bill_no", N_("Bill no."), b.bill_no, quick=True),
            *_whose()[:2],
            Column("date", N_("Date"), Type.DAY, b.bill_date, quick=True),
            _choice("kind", N_("Type"), b.category, words.BILL_KINDS),
            _choice("state", N_("State"), b.state, words.BILL_STATES),
            Column("due", N_("To be paid until"), Type.DAY, PAYABLE),
            Column("total", N_("Total"), Type.MONEY, col(b.incl_cents) + col(b.third_party_cents)),
            Column("left", N_("Left"), Type.MONEY, b.remaining_cents),
            _flag("open", N_("To pay"), OPEN_BILL),
            _flag("late", N_("Late"), Now(late_bill)),
            _flag("debit", N_("By direct debit"), col(b.mandate_id).is_not(None)),
            _flag("disputed", N_("Disputed"), Now(lambda: OPEN_BILL & (open_amounts.disputed_of_bill() > 0))),
            Column("credited", N_("Credited"), Type.MONEY, b.credited_cents),
            _text("credited_by", N_("Credited by"), b.credited_by),
            Column("issued", N_("Issued"), Type.MOMENT, b.issued_at),
            _choice("media", N_("Bill by"), BillingAccount.media, words.MEDIA, source=_OF_ACCOUNT),
            _choice("dunning", N_("Follow-up"), BillingAccount.dunning_state, words.DUNNING, source=_OF_ACCOUNT),
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
            _choice("kind", N_("Type"), o.category, words.ORDER_KINDS),
            _choice("state", N_("State"), o.state, words.ORDER_STATES),
            Column("created", N_("Created"), Type.MOMENT, o.created_at, quick=True),
            Column("effective", N_("Takes effect"), Type.DAY, o.effective_on),
            Column("completed", N_("Completed"), Type.MOMENT, o.completed_at),
            _choice("channel", N_("Way"), o.channel, words.CHANNELS),
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
            _choice("part", N_("Hours"), a.part, words.PARTS),
            _choice("kind", N_("Type"), a.category, words.VISIT_KINDS),
            _choice("state", N_("State"), a.state, words.VISIT_STATES),
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
            _choice("kind", N_("Type"), a.kind, words.APPROVAL_KINDS),
            _choice("state", N_("State"), a.state, words.APPROVAL_STATES),
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
            _choice("state", N_("State"), c.state, words.DEBIT_STATES),
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
            _choice("state", N_("State"), d.state, words.PAPER_STATES),
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
            _choice("state", N_("State"), m.state, words.MANDATE_STATES),
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
            _choice("way", N_("Way"), i.channel, words.CONTACT_WAYS),
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
