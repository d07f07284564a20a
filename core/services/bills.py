"""A customer's bills: the next one before it exists, the list, the paper, and why an amount is what it is."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import NotFound
from core.models.bill import Bill, BillCategory, BillLine, BillState
from core.models.billing_account import BillingAccount, BillModel, PaymentMethod
from core.models.customer import Customer, CustomerKind
from core.models.payment import Payment, PaymentAllocation, Refund, RefundState
from core.models.product import Product
from core.pdf.bill import PrintedBill, render_bill
from core.services import audit, bill_printing, billing, billing_facts, explain, usage
from core.services.bill_issuing import Issued, ToIssue, issue, issue_many
from core.services.bill_words import CreditReason
from core.services.billing import BillDraft, Line
from core.services.billing_facts import Change
from core.services.credit_notes import issue_credit_note
from core.services.explain import Advice, Explanation, Paper
from core.services.open_amounts import disputed_of_bill, in_plan_of_bill
from core.services.periods import Period, next_banking_day
from core.services.references import mask_iban

__all__ = [
    "BillRow", "Change", "CreditReason", "Issued", "NextBill", "ToIssue", "due_days", "explain_bill", "explain_next", "issue", "issue_credit_note",
    "issue_many", "last_advice", "lines", "of_customer", "pdf", "preview_next",
]  # fmt: skip
_REFERRED = aliased(Bill)


@dataclass(frozen=True)
class NextBill:
    """The bill that would be made if nothing more happened. `first` where none was made before."""

    draft: BillDraft
    first: bool

    @property
    def bill_date(self) -> date:
        """The day it will be made."""
        return self.draft.bill_date

    @property
    def amount_due_cents(self) -> int:
        """What it would ask."""
        return self.draft.amount_due_cents


@dataclass(frozen=True)
class BillRow:
    """A bill or a credit note in the list; amounts in cents. `due` is the day until which it can be paid without being late."""

    bill_no: str
    category: BillCategory
    bill_date: date
    due: date
    period: Period
    state: BillState
    total_cents: int
    vat_cents: int
    remaining_cents: int
    credited_cents: int
    ogm: str | None
    refers_to: str | None
    reason: str | None
    reason_since: date | None
    reason_until: date | None
    by_debit: bool
    in_plan: bool
    disputed_cents: int
    version: int
    paid_on: date | None = None
    collected_on: date | None = None
    returned_on: date | None = None
    return_code: str | None = None
    refunded_on: date | None = None
    refunded_to: str | None = None

    @property
    def is_credit_note(self) -> bool:
        """Whether it gives money back."""
        return self.category is BillCategory.CREDIT_NOTE

    @property
    def is_open(self) -> bool:
        """Whether something is left to pay."""
        return not self.is_credit_note and self.remaining_cents > 0

    @property
    def days_overdue(self) -> int:
        """How many days it is late; 0 when it isn't.

        What we collect ourselves is never late: on a weekend it waits for the bank. What a payment plan spreads is not late either, nor
        what is disputed.
        """
        claimed = self.is_open and self.remaining_cents > self.disputed_cents
        return max(0, (clock.today() - self.due).days) if claimed and not (self.by_debit or self.in_plan) else 0


def preview_next(session: Session, actor: Actor, *, customer_id: int, with_change: Change | None = None) -> NextBill | None:
    """Return the next bill as it stands now, with a change tried out on it; None for who gets no more bills."""
    actor.require(Permission.BILL_READ, customer_id)
    facts = billing_facts.of_customer(session, customer_id, with_change)
    if not facts.runs:
        return None
    day = billing.next_bill_date(facts.account, facts.previous, clock.today())
    draft = billing_facts.draft(session, customer_id, facts, day)
    return NextBill(draft, first=facts.previous is None) if draft.lines else None


def due_days(session: Session, actor: Actor, *, customer_id: int, bill_date: date) -> tuple[date, date]:
    """Return until when a bill of a day is to be paid by transfer, and when it is collected by direct debit."""
    actor.require(Permission.BILL_READ, customer_id)
    days = bill_printing.addressees(session, [customer_id])[customer_id].transfer_days
    return bill_date + timedelta(days=days), next_banking_day(bill_date + timedelta(days=law("direct_debit_due_days")))


def of_customer(session: Session, actor: Actor, *, customer_id: int, older: bool = False) -> list[BillRow]:
    """Return bills and credit notes, the newest first: of 12 months in the legacy model, 24 in the current one, or all."""
    actor.require(Permission.BILL_READ, customer_id)
    query = _rows_query(customer_id)
    if not older:
        query = query.where(col(Bill.bill_date) > clock.add_months(clock.today(), -_months_shown(session, customer_id)))
    rows = session.execute(query.order_by(col(Bill.bill_date).desc(), col(Bill.id).desc())).all()
    stories, refunded = _stories(session, customer_id), _refunded(session, customer_id)
    return [_row(row, stories.get(row.id, {}), refunded.get(row.id)) for row in rows]


def lines(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> list[Line]:
    """Return the lines of a bill or a credit note, in its order; none for a number that is not this customer's."""
    actor.require(Permission.BILL_READ, customer_id)
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no)
    found = session.execute(select(col(Bill.id)).where(*named)).scalar_one_or_none()
    return list(_lines(session, customer_id, found)) if found else []


def pdf(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> bytes:
    """Return the paper of an issued bill, as it was issued; who took it is written down. Raises NotFound."""
    actor.require(Permission.BILL_READ, customer_id)
    printed = session.execute(
        select(col(Bill.printed)).where(col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no)
    ).scalar_one_or_none()
    if printed is None:
        raise NotFound
    audit.record(session, actor, action="bill:download", object_type="bill", object_id=bill_no, customer_id=customer_id)
    return render_bill(PrintedBill.from_dict(printed))


def explain_bill(session: Session, actor: Actor, *, customer_id: int, bill_no: str, language: str) -> Explanation:
    """Explain a bill by the one before it. Raises NotFound, for a credit note too."""
    actor.require(Permission.BILL_READ, customer_id)
    shown = session.execute(_papers_query(customer_id).where(col(Bill.bill_no) == bill_no)).first()
    if shown is None:
        raise NotFound
    earlier = session.execute(_papers_query(customer_id).where(col(Bill.bill_date) < shown.bill_date).limit(1)).first()
    after, before = _paper(session, customer_id, shown), _paper(session, customer_id, earlier) if earlier else None
    begun = earlier.period_since if earlier else None
    after = replace(after, used_up=usage.used_up(session, customer_id=customer_id, bill_id=shown.id, since=begun))
    return explain.explain(after, before, plans=_plans(session, customer_id), language=language)


def explain_next(session: Session, actor: Actor, *, customer_id: int, language: str, with_change: Change | None = None) -> Explanation:
    """Explain the next bill by the last one. Raises NotFound for who gets no more bills."""
    found = preview_next(session, actor, customer_id=customer_id, with_change=with_change)
    if found is None:
        raise NotFound
    last = session.execute(_papers_query(customer_id).limit(1)).first()
    before = _paper(session, customer_id, last) if last else None
    used_up = usage.used_up(session, customer_id=customer_id, bill_id=None, since=found.draft.usage_period.since)
    return explain.explain(Paper.of_draft(found.draft, used_up), before, plans=_plans(session, customer_id), language=language)


def last_advice(session: Session, actor: Actor, *, customer_id: int, language: str) -> tuple[Advice, ...]:
    """Return which options would have been cheaper, or not, on the last bill; none before the first one."""
    actor.require(Permission.BILL_READ, customer_id)
    last = session.execute(_papers_query(customer_id).limit(1)).first()
    if last is None:
        return ()
    return explain.explain(_paper(session, customer_id, last), None, plans=_plans(session, customer_id), language=language).advice


def _months_shown(session: Session, customer_id: int) -> int:
    model = session.execute(select(col(BillingAccount.bill_model)).where(col(BillingAccount.customer_id) == customer_id)).scalar_one()
    return int(law("bills_shown_legacy" if model is BillModel.LEGACY else "bills_shown_current"))


def _rows_query(customer_id: int) -> Any:  # noqa: ANN401 - a select of more columns than its type can tell
    names = (
        "id bill_no category bill_date due_date payable_until period_since period_until state vat_cents incl_cents third_party_cents "
        "remaining_cents credited_cents ogm mandate_id reason version"
    )
    named = (col(_REFERRED.customer_id) == col(Bill.customer_id)) & (col(_REFERRED.id) == col(Bill.refers_to_id))
    columns = [getattr(Bill, name) for name in names.split()]
    return (
        select(
            *columns,
            col(_REFERRED.bill_no).label("refers_to"),
            in_plan_of_bill().label("in_plan"),
            disputed_of_bill().label("disputed_cents"),
        )
        .outerjoin(_REFERRED, named)
        .where(col(Bill.customer_id) == customer_id)
    )


def _row(row: Any, story: Mapping[str, Any], refunded: tuple[date, str] | None) -> BillRow:  # noqa: ANN401 - rows of wide selects
    return BillRow(
        bill_no=row.bill_no,
        category=row.category,
        bill_date=row.bill_date,
        due=row.payable_until or row.due_date,
        period=Period(row.period_since, row.period_until),
        state=row.state,
        total_cents=row.incl_cents + row.third_party_cents,
        vat_cents=row.vat_cents,
        remaining_cents=row.remaining_cents,
        credited_cents=row.credited_cents,
        ogm=row.ogm,
        refers_to=row.refers_to,
        reason=row.reason,
        reason_since=row.period_since if row.reason else None,
        reason_until=row.period_until if row.reason else None,
        refunded_on=refunded[0] if refunded else None,
        refunded_to=refunded[1] if refunded else None,
        by_debit=row.mandate_id is not None,
        in_plan=bool(row.in_plan),
        disputed_cents=min(int(row.disputed_cents), row.remaining_cents),
        version=row.version,
        **story,
    )


def _stories(session: Session, customer_id: int) -> dict[int, dict[str, Any]]:
    """Return by bill when it was paid or collected, and when a collection came back."""
    columns = (PaymentAllocation.bill_id, PaymentAllocation.reversed_on, Payment.method, Payment.received_on, Payment.return_code)
    query = (
        select(*map(col, columns))
        .join(Payment, (col(Payment.customer_id) == col(PaymentAllocation.customer_id)) & (col(Payment.id) == PaymentAllocation.payment_id))
        .where(
            col(PaymentAllocation.customer_id) == customer_id,
            # A correction of ours leaves no trace here: the bill is open as if nothing had been counted on it.
            col(PaymentAllocation.reversed_on).is_(None) | col(Payment.return_code).is_not(None),
        )
        .order_by(col(PaymentAllocation.id))
    )
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in session.execute(query):
        story = found[row.bill_id]
        if row.method == PaymentMethod.DIRECT_DEBIT:
            story["collected_on"] = row.received_on
        if row.reversed_on:
            story |= {"returned_on": row.reversed_on, "return_code": row.return_code}
        else:
            story["paid_on"] = row.received_on
    return found


def _refunded(session: Session, customer_id: int) -> dict[int, tuple[date, str]]:
    """Return by credit note when it was paid back last, and to which account, masked; what was only asked of the bank was not yet."""
    query = (
        select(col(Refund.credit_note_id), col(Refund.completed_on), col(Refund.iban))
        .where(col(Refund.customer_id) == customer_id, col(Refund.credit_note_id).is_not(None), col(Refund.state) == RefundState.COMPLETED)
        .order_by(col(Refund.completed_on), col(Refund.id))
    )
    return {note: (on, mask_iban(iban)) for note, on, iban in session.execute(query) if note is not None and on is not None}


def _papers_query(customer_id: int) -> Any:  # noqa: ANN401 - a select of more columns than its type can tell
    names = [
        "id",
        "bill_no",
        "bill_date",
        "category",
        "period_since",
        "period_until",
        "vat_cents",
        "incl_cents",
        "third_party_cents",
        "credited_cents",
    ]
    columns = [getattr(Bill, name) for name in names]
    return (
        select(*columns, col(Customer.kind))
        .join(Customer, col(Customer.id) == Bill.customer_id)
        .where(col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE)
        .order_by(col(Bill.bill_date).desc(), col(Bill.id).desc())
    )


def _paper(session: Session, customer_id: int, row: Any) -> Paper:  # noqa: ANN401 - a row of a wide select
    return Paper(
        bill_date=row.bill_date,
        lines=_lines(session, customer_id, row.id),
        vat_cents=row.vat_cents,
        total_cents=row.incl_cents + row.third_party_cents,
        business=row.kind is CustomerKind.ORGANIZATION,
        category=row.category,
        period=Period(row.period_since, row.period_until),
        credited_cents=row.credited_cents,
    )


def _lines(session: Session, customer_id: int, bill_id: int) -> tuple[Line, ...]:
    query = select(*(getattr(BillLine, one.name) for one in fields(Line))).where(
        col(BillLine.customer_id) == customer_id, col(BillLine.bill_id) == bill_id
    )
    return tuple(Line(*line) for line in session.execute(query.order_by(col(BillLine.ordinal))))


def _plans(session: Session, customer_id: int) -> dict[int, str]:
    """Return by product what it is."""
    query = select(col(Product.id), col(Product.offering_code)).where(col(Product.customer_id) == customer_id)
    return {product: code for product, code in session.execute(query)}  # noqa: C416 - rows, not pairs
