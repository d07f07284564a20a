"""Issuing bills and credit notes: from then on they stand as they are, and a correction is a credit note (R11)."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session, col

from core import clock, money
from core.actor import Actor, Permission
from core.catalogue import law
from core.db.keys import take_ids
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory, BillLine, BillState, LineKind
from core.models.product import Product
from core.pdf.bill import PrintedVat
from core.services import audit, bill_numbers, bill_printing, billing, communications, e_invoices, usage
from core.services.bill_printing import Addressee, Issue
from core.services.bill_words import COMPENSATIONS, CreditReason
from core.services.billing import BillDraft, Line
from core.services.periods import month_of, prorate
from core.services.references import ogm

_RIGHTS = {CreditReason.AFTER_END: Permission.ORDER_WRITE, CreditReason.MISSED_VISIT: Permission.APPOINTMENT_OVERRIDE}
"""Amounts that follow from a rule may be credited by whoever may carry out what causes them; free amounts need the right to issue."""


class CreditTooHigh(DomainError):
    """More would be credited than was charged (W8)."""

    message = N_("Only {left_cents} of this bill can still be credited. Lower the amount.")
    field = "amount"


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

    Its due date follows the way of paying on its date; open credit comes off it. Raises NothingToBill for a negative amount.
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
    credits_left = _open_credits(session, set(to))
    tokens = _tokens(len(bills))
    rows = [
        _row(to[one.customer_id], one, number, token, _take_credit(credits_left[one.customer_id], one.draft))
        for one, number, token in zip(bills, numbers, tokens, strict=True)
    ]
    ids = take_ids(session, Bill, len(rows))
    session.execute(insert(_table(Bill)), [row | {"id": key} for key, row in zip(ids, rows, strict=True)])
    lines = [row for one, bill_id in zip(bills, ids, strict=True) for row in _line_rows(one.customer_id, bill_id, one.draft.lines)]
    if lines:
        session.execute(insert(_table(BillLine)), lines)
    found = {"bills": len(bills), "first": min(numbers), "last": max(numbers)}
    customer = bills[0].customer_id if len(to) == 1 else None
    audit.record(session, actor, action="bill:issue", object_type="bill", object_id=max(numbers), customer_id=customer, after=found)
    return [_issued(to[one.customer_id], one, bill_id, row) for one, bill_id, row in zip(bills, ids, rows, strict=True)]


def issue_credit_note(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    reason: CreditReason,
    bill_no: str,
    incl_cents: int | None = None,
    product_id: int | None = None,
    since: date | None = None,
    until: date | None = None,
    day: date | None = None,
    note_no: str | None = None,
    refund_iban: str | None = None,
) -> str:
    """Credit part of a bill and return the note's number. Compensations carry no VAT; the rest follows the bill's (W8).

    A missed visit (of the day `since`) gives what the law says, days after the end ([since, until) of a product) their share of the
    month; another reason names its amount, VAT included. What the bill still asks becomes less; what was paid already stays open as
    credit, for the next bill or a refund.
    Raises NotFound, CreditTooHigh.
    """
    actor.require(Permission.BILL_ISSUE if incl_cents is not None else _RIGHTS.get(reason, Permission.BILL_ISSUE), customer_id)
    bill = _bill(session, customer_id, bill_no)
    to = bill_printing.addressees(session, [customer_id])[customer_id]
    line = _credited(session, to, reason, incl_cents=incl_cents, product_id=product_id, since=since, until=until)
    excl, vat, incl, printed_vat = _credit_totals(line, reason, business=to.business)
    if incl > bill.incl_cents + bill.third_party_cents - bill.credited_cents:
        raise CreditTooHigh(left_cents=bill.incl_cents + bill.third_party_cents - bill.credited_cents)
    day = day or clock.today()
    number = note_no or bill_numbers.take_credit_note(session, day)
    if note_no:
        bill_numbers.push(session, note_no)
    issued = Issue(number, None, clock.now(), secrets.token_hex(16))
    paper = bill_printing.credit_note(to, line, day, issued, refers_to=bill_no, vat=printed_vat, refund_iban=refund_iban)
    taken = min(incl, bill.remaining_cents)
    note = Bill(
        customer_id=customer_id,
        bill_no=number,
        category=BillCategory.CREDIT_NOTE,
        bill_date=day,
        due_date=day,
        period_since=paper.period_since,
        period_until=paper.period_until,
        state=BillState.SETTLED if taken == incl else BillState.SENT,
        excl_cents=excl,
        vat_cents=vat,
        incl_cents=incl,
        remaining_cents=incl - taken,
        refers_to_id=bill.id,
        document_token=issued.token,
        printed=paper.to_dict(),
        issued_at=issued.at,
    )
    session.add(note)
    session.flush()
    session.add(BillLine(**_line_rows(customer_id, note.id, [line])[0]))
    bill.credited_cents += incl
    lower(bill, taken)
    after = {"reason": reason.value, "incl_cents": incl, "bill_no": bill_no}
    audit.record(session, actor, action="bill:credit", object_type="bill", object_id=number, customer_id=customer_id, after=after)
    session.flush()
    e_invoices.queue(session, actor, customer_id=customer_id, bill_no=number)
    return number


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


def _bill(session: Session, customer_id: int, bill_no: str) -> Bill:
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE)
    found: Bill | None = session.execute(select(Bill).where(*named)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


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
    for note in session.execute(query.order_by(col(Bill.bill_date), col(Bill.id))).scalars():
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


def _tokens(many: int) -> list[str]:
    """Return random tokens of 32 characters, all drawn at once."""
    drawn = secrets.token_hex(16 * many)
    return [drawn[start : start + 32] for start in range(0, len(drawn), 32)]


def _row(to: Addressee, one: ToIssue, number: str, token: str, credited: int) -> dict[str, Any]:
    draft = one.draft
    issued = Issue(number, ogm(number), one.at or clock.now(), token, credited)
    mandate = to.mandate_on(draft.bill_date)
    remaining = draft.amount_due_cents - credited
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


def _line_rows(customer_id: int, bill_id: int, lines: Sequence[Line]) -> list[dict[str, Any]]:
    return [{"customer_id": customer_id, "bill_id": bill_id, "ordinal": number, **vars(line)} for number, line in enumerate(lines, 1)]


def _credited(
    session: Session,
    to: Addressee,
    reason: CreditReason,
    *,
    incl_cents: int | None,
    product_id: int | None,
    since: date | None,
    until: date | None,
) -> Line:
    """Return the line of a credit note; its amount is positive, without VAT where a business is charged VAT on it."""
    line = Line(LineKind.ADJUSTMENT, reason.value, 0, 0, product_id, since=since, until=until)
    if reason is CreditReason.AFTER_END and product_id and since and until:
        code = session.execute(
            select(col(Product.offering_code)).where(col(Product.customer_id) == to.customer_id, col(Product.id) == product_id)
        ).scalar_one_or_none()
        if code is None:
            raise NotFound
        price = billing.price_cents(code, since, business=to.business)
        share = prorate(price, since, until, month_of(since))
        return replace(
            line, amount_cents=share.cents, unit_price_cents=price, unit="month", share_days=share.days, month_days=share.of_days
        )
    cents = law("missed_visit_credit_cents") if reason is CreditReason.MISSED_VISIT else incl_cents or 0
    if to.business and reason not in COMPENSATIONS:
        cents = money.split_inclusive(cents, law("vat_percent"))[0]
    return replace(line, amount_cents=cents, unit_price_cents=cents)


def _credit_totals(line: Line, reason: CreditReason, *, business: bool) -> tuple[int, int, int, PrintedVat]:
    if reason in COMPENSATIONS:
        return line.amount_cents, 0, line.amount_cents, PrintedVat(0, line.amount_cents, 0)
    excl, vat, incl, _third = billing.totals([line], business=business)
    return excl, vat, incl, PrintedVat(law("vat_percent"), excl, vat)
