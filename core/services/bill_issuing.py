"""Issuing bills: from then on they stand as they are, and a correction is a credit note (R11)."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.db.keys import take_ids
from core.errors import N_, DomainError
from core.models.bill import Bill, BillCategory, BillLine, BillState
from core.models.payment import PaymentAllocation
from core.services import audit, bill_numbers, bill_printing, communications, e_invoices, surplus, usage
from core.services.bill_printing import Addressee, Issue
from core.services.billing import BillDraft, Line
from core.services.references import ogm
from core.services.surplus import LeftOver


class NothingToBill(DomainError):
    """The amount due would be negative."""

    message = N_("There is nothing to charge: what is given back waits for the next bill.")


@dataclass(frozen=True)
class ToIssue:
    """A bill to be issued; without a number it gets the next one, without a moment it is issued now."""

    customer_id: int
    draft: BillDraft
    bill_no: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Issued:
    """An issued paper."""

    id: int
    bill_no: str
    due_date: date
    remaining_cents: int
    umr: str | None
    """The mandate under which it is collected."""


def issue(session: Session, actor: Actor, *, customer_id: int, draft: BillDraft, bill_no: str | None = None) -> Issued:
    """Issue a bill, write it down and tell the customer.

    Its due date follows the way of paying on its date; open credit and what is left of payments come off it (W8). Raises NothingToBill
    for a negative amount.
    """
    actor.require(Permission.BILL_ISSUE, customer_id)
    found = issue_many(session, actor, bills=[ToIssue(customer_id, draft, bill_no)])[0]
    usage.bill(session, actor, customer_id=customer_id, bill_id=found.id, until=draft.usage_period.until)
    announce(session, actor, customer_id=customer_id, bill=found)
    return found


def announce(session: Session, actor: Actor, *, customer_id: int, bill: Issued) -> None:
    """Tell the customer about a bill that was issued, and how it is paid; a business gets it as an e-invoice, too (R12)."""
    actor.require(Permission.BILL_ISSUE, customer_id)
    params = {
        "bill_no": bill.bill_no,
        "amount_cents": bill.remaining_cents,
        "due": bill.due_date,
        "ogm": None if bill.umr else ogm(bill.bill_no),
        "umr": bill.umr,
    }
    communications.send(session, actor, customer_id=customer_id, template="bill_issued", params=params)
    e_invoices.queue(session, actor, customer_id=customer_id, bill_no=bill.bill_no)


def issue_many(session: Session, actor: Actor, *, bills: Sequence[ToIssue]) -> list[Issued]:
    """Issue any number of bills in a few statements, without telling anybody; one audit entry holds the first and the last number."""
    actor.require(Permission.BILL_ISSUE)
    if any(one.draft.amount_due_cents < 0 for one in bills):
        raise NothingToBill
    if not bills:
        return []
    to = bill_printing.addressees(session, {one.customer_id for one in bills})
    numbers = _numbers(session, bills)
    money_left = surplus.of_customers(session, set(to))
    credits_left = _open_credits(session, set(to))
    rows, counted = [], []
    for one, number, token, bill_id in zip(bills, numbers, _tokens(len(bills)), take_ids(session, Bill, len(bills)), strict=True):
        credited = _take_credit(credits_left[one.customer_id], one.draft)
        paid = _take_money(money_left[one.customer_id], one.draft.amount_due_cents - credited)
        rows.append(_row(to[one.customer_id], one, number, token, credited, sum(paid.values())) | {"id": bill_id})
        counted += [_allocation(one, bill_id, payment_id, cents) for payment_id, cents in paid.items()]
    ids = [row["id"] for row in rows]
    session.execute(insert(_table(Bill)), rows)
    lines = [row for one, bill_id in zip(bills, ids, strict=True) for row in line_rows(one.customer_id, bill_id, one.draft.lines)]
    if lines:
        session.execute(insert(_table(BillLine)), lines)
    if counted:
        session.execute(insert(_table(PaymentAllocation)), counted)
    found = {"bills": len(bills), "first": min(numbers), "last": max(numbers)}
    customer = bills[0].customer_id if len(to) == 1 else None
    audit.record(session, actor, action="bill:issue", object_type="bill", object_id=max(numbers), customer_id=customer, after=found)
    return [_issued(to[one.customer_id], one, bill_id, row) for one, bill_id, row in zip(bills, ids, rows, strict=True)]


def lower(bill: Bill, cents: int) -> None:
    """Take an amount off what a bill still asks, or off what a credit note still gives."""
    set_remaining(bill, bill.remaining_cents - cents)


def set_remaining(bill: Bill, cents: int) -> None:
    """Set what is left of a bill, and the state that follows from it."""
    whole = bill.incl_cents + bill.third_party_cents
    bill.remaining_cents = cents
    bill.state = _state(cents, whole)


def _state(remaining: int, whole: int) -> BillState:
    if remaining == 0:
        return BillState.SETTLED
    return BillState.SENT if remaining == whole else BillState.PARTIALLY_PAID


def _table(model: Any) -> Any:  # noqa: ANN401 - SQLModel hides the table of a class
    return model.__table__


def _numbers(session: Session, bills: Sequence[ToIssue]) -> list[str]:
    """Return each bill's number: the given ones push their counters first, so that no other bill gets them."""
    given: dict[str, str] = {}
    for one in bills:
        if one.bill_no:
            given[one.bill_no[:4]] = max(one.bill_no, given.get(one.bill_no[:4], ""))
    for number in given.values():
        bill_numbers.push(session, number)
    months: dict[date, int] = defaultdict(int)
    for one in bills:
        if not one.bill_no:
            months[clock.month_start(one.draft.bill_date)] += 1
    taken = {month: iter(bill_numbers.take(session, month, many)) for month, many in months.items()}
    return [one.bill_no or next(taken[clock.month_start(one.draft.bill_date)]) for one in bills]


def _open_credits(session: Session, customer_ids: set[int]) -> Mapping[int, list[Bill]]:
    """Return the credit notes that still give something, the oldest first."""
    found: dict[int, list[Bill]] = defaultdict(list)
    query = select(Bill).where(
        col(Bill.customer_id).in_(customer_ids), col(Bill.category) == BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0
    )
    # Locked: a refund at the same moment waits, and finds what the bill left of the note.
    oldest_first = query.order_by(col(Bill.bill_date), col(Bill.id)).with_for_update()
    for note in session.execute(oldest_first.execution_options(populate_existing=True)).scalars():
        found[note.customer_id].append(note)
    return found


def _take_credit(notes: list[Bill], draft: BillDraft) -> int:
    """Use up open credit for a bill, the oldest first, and return how much of it."""
    taken = 0
    for note in notes:
        if note.bill_date <= draft.bill_date:
            cents = min(draft.amount_due_cents - taken, note.remaining_cents)
            lower(note, cents)
            taken += cents
    return taken


def _take_money(left: list[LeftOver], asked: int) -> dict[int, int]:
    """Use up what is left of payments for what a bill asks, the oldest first, and return how much of each."""
    taken: dict[int, int] = {}
    for payment in left:
        if cents := min(asked, payment.cents):
            payment.cents -= cents
            asked -= cents
            taken[payment.payment_id] = cents
    return taken


def _allocation(one: ToIssue, bill_id: int, payment_id: int, cents: int) -> dict[str, Any]:
    return {
        "customer_id": one.customer_id,
        "payment_id": payment_id,
        "bill_id": bill_id,
        "amount_cents": cents,
        "allocated_on": one.draft.bill_date,
    }


def _tokens(many: int) -> list[str]:
    """Return random tokens of 32 characters, all drawn at once."""
    drawn = secrets.token_hex(16 * many)
    return [drawn[start : start + 32] for start in range(0, len(drawn), 32)]


def _row(to: Addressee, one: ToIssue, number: str, token: str, credited: int, paid: int) -> dict[str, Any]:
    draft = one.draft
    issued = Issue(number, ogm(number), one.at or clock.now(), token, credited, paid)
    mandate = to.mandate_on(draft.bill_date)
    remaining = draft.amount_due_cents - credited - paid
    return {
        "version": 1,
        "customer_id": to.customer_id,
        "bill_no": number,
        "category": draft.category,
        "bill_date": draft.bill_date,
        "due_date": to.due_date(draft.bill_date),
        "period_since": draft.period.since,
        "period_until": draft.period.until,
        "state": _state(remaining, draft.amount_due_cents),
        "excl_cents": draft.excl_cents,
        "vat_cents": draft.vat_cents,
        "incl_cents": draft.incl_cents,
        "third_party_cents": draft.third_party_cents,
        "credited_cents": credited,
        "remaining_cents": remaining,
        "ogm": issued.ogm,
        "mandate_id": mandate.id if mandate else None,
        "document_token": issued.token,
        "printed": bill_printing.bill(to, draft, issued).to_dict(),
        "issued_at": issued.at,
    }


def _issued(to: Addressee, one: ToIssue, bill_id: int, row: dict[str, Any]) -> Issued:
    mandate = to.mandate_on(one.draft.bill_date)
    return Issued(bill_id, row["bill_no"], row["due_date"], row["remaining_cents"], mandate.umr if mandate else None)


def line_rows(customer_id: int, bill_id: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the rows of the lines of a bill or a credit note, in their order."""
    return [{"customer_id": customer_id, "bill_id": bill_id, "ordinal": number, **vars(line)} for number, line in enumerate(lines, 1)]
