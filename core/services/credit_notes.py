"""Credit notes: what an issued bill is corrected by (R11, W8). Who may credit how much is a rule of its own: see `corrections`."""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core import clock, money
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import NotFound
from core.models.bill import Bill, BillCategory, BillLine, BillState, LineKind
from core.models.product import Product
from core.pdf.bill import PrintedVat
from core.services import audit, bill_numbers, bill_printing, billing, credit_rules, e_invoices
from core.services.bill_issuing import line_rows, lower
from core.services.bill_printing import Issue
from core.services.bill_words import COMPENSATIONS, CreditReason
from core.services.billing import Line
from core.services.credit_rules import Amounts, Charged, Credited
from core.services.periods import Period, month_of, prorate

_RIGHTS = {CreditReason.AFTER_END: Permission.ORDER_WRITE, CreditReason.MISSED_VISIT: Permission.APPOINTMENT_OVERRIDE}
"""Amounts that follow from a rule may be credited by whoever may carry out what causes them; free amounts need the right to issue."""
_PAID_AHEAD = (LineKind.SUBSCRIPTION, LineKind.OPTION)


@dataclass(frozen=True)
class Paper:
    """A bill as notes see it: what it charges, and what was given back of it."""

    bill: Bill
    charged: Charged
    given: Credited
    lines: Mapping[int, Line]


@dataclass(frozen=True)
class Note:
    """A credit note before it is written; `lines` each with the ordinal of the bill's line that they credit, where there is one."""

    reason: CreditReason
    lines: tuple[tuple[Line, int | None], ...]
    amounts: Amounts
    span: Period
    """The days it is about: they stand in the words of its reason."""


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
    """Credit part of a bill by a rule and return the note's number. Compensations carry no VAT; the rest follows the bill's (W8).

    A missed visit (of the day `since`) gives what the law says, days after the end ([since, until) of a product) their share of the
    month; another reason names its amount, VAT included. What the bill still asks becomes less; what was paid already stays open as
    credit, for the next bill or a refund.
    Raises NotFound, CreditTooHigh.
    """
    actor.require(Permission.BILL_ISSUE if incl_cents is not None else _RIGHTS.get(reason, Permission.BILL_ISSUE), customer_id)
    paper = read(session, customer_id, bill_no, lock=True)
    day = day or clock.today()
    span = Period(since or day, until or (since or day) + timedelta(days=1))
    line, ordinal = Line(LineKind.ADJUSTMENT, reason.value, 0, 0, product_id, since=since, until=until), None
    if reason is CreditReason.AFTER_END and product_id and since and until:
        line, ordinal = _after_end(session, paper, line, product_id, Period(since, until))
    else:
        cents = law("missed_visit_credit_cents") if reason is CreditReason.MISSED_VISIT else incl_cents or 0
        if paper.charged.business and reason not in COMPENSATIONS:
            cents = money.split_inclusive(cents, paper.charged.vat_percent)[0]
        line = replace(line, amount_cents=cents, unit_price_cents=cents)
    note = Note(reason, ((line, ordinal),), amounts(paper, reason, line.amount_cents, ordinal), span)
    return write(session, actor, paper=paper, note=note, day=day, note_no=note_no, refund_iban=refund_iban).bill_no


def read(session: Session, customer_id: int, bill_no: str, *, lock: bool = False) -> Paper:
    """Return a bill with what was given back of it; `lock` it where a note is to be written. Raises NotFound, for a note too."""
    query = select(Bill).where(
        col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE
    )
    bill: Bill | None = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if bill is None:
        raise NotFound
    rows = session.execute(
        select(BillLine).where(col(BillLine.customer_id) == customer_id, col(BillLine.bill_id) == bill.id).order_by(col(BillLine.ordinal))
    ).scalars()
    lines = {row.ordinal: Line(**{name: getattr(row, name) for name in Line.__dataclass_fields__}) for row in rows}
    business = bool(bill.printed["priced_excl"])
    penalty = sum(line.amount_cents for line in lines.values() if line.kind is LineKind.PENALTY)
    charged = Charged(
        business=business,
        vat_percent=bill.printed["vat"][0]["percent"],
        own_cents=(bill.excl_cents if business else bill.incl_cents) - penalty,
        vat_cents=bill.vat_cents,
        third_party_cents=bill.third_party_cents + penalty,
        lines={ordinal: (line.kind, line.amount_cents) for ordinal, line in lines.items()},
    )
    return Paper(bill, charged, _given(session, bill, business=business), lines)


def amounts(paper: Paper, reason: CreditReason, cents: int, ordinal: int | None = None) -> Amounts:
    """Return what a note of one line gives. Raises CreditTooHigh."""
    if reason in COMPENSATIONS:
        return credit_rules.of_damage(paper.charged, paper.given, cents)
    if ordinal is not None:
        return credit_rules.of_lines(paper.charged, paper.given, {ordinal: cents})
    return credit_rules.of_price(paper.charged, paper.given, cents)


def taken_cents(bill: Bill, found: Amounts, *, next_bill: bool) -> int:
    """Return how much of a note comes off what its bill still asks; the rest waits for the next bill, or a refund."""
    return 0 if next_bill else min(found.total_cents, bill.remaining_cents)


def write(
    session: Session,
    actor: Actor,
    *,
    paper: Paper,
    note: Note,
    day: date,
    next_bill: bool = False,
    comment: str | None = None,
    credited_by: str | None = None,
    asked_by: str | None = None,
    note_no: str | None = None,
    refund_iban: str | None = None,
) -> Bill:
    """Write a note whose bill is locked; called by the verbs whose right was checked. The audit names who asked, where another one did."""
    actor.require(Permission.BILL_READ, paper.bill.customer_id)
    bill, found, customer_id = paper.bill, note.amounts, paper.bill.customer_id
    to = bill_printing.addressees(session, [customer_id])[customer_id]
    number = note_no or bill_numbers.take_credit_note(session, day)
    if note_no:
        bill_numbers.push(session, note_no)
    taken = taken_cents(bill, found, next_bill=next_bill)
    issued = Issue(number, None, clock.now(), secrets.token_hex(16))
    kept = 0 if refund_iban else found.total_cents - taken
    printed = bill_printing.credit_note(
        to, [line for line, _ in note.lines], day, issued, refers_to=bill.bill_no, reason=note.reason, span=note.span,
        vat=_vat_rows(found), priced_excl=paper.charged.business, kept_cents=kept, refund_iban=refund_iban,
    )  # fmt: skip
    row = Bill(
        customer_id=customer_id,
        bill_no=number,
        category=BillCategory.CREDIT_NOTE,
        bill_date=day,
        due_date=day,
        period_since=note.span.since,
        period_until=note.span.until,
        state=BillState.SENT if taken == 0 else BillState.SETTLED if taken == found.total_cents else BillState.PARTIALLY_PAID,
        excl_cents=found.excl_cents,
        vat_cents=found.vat_cents,
        incl_cents=found.incl_cents,
        third_party_cents=found.third_party_cents,
        remaining_cents=found.total_cents - taken,
        refers_to_id=bill.id,
        reason=note.reason.value,
        comment=comment,
        credited_by=credited_by,
        document_token=issued.token,
        printed=printed.to_dict(),
        issued_at=issued.at,
    )
    session.add(row)
    session.flush()
    for given, (_line, ordinal) in zip(line_rows(customer_id, row.id, [line for line, _ in note.lines]), note.lines, strict=True):
        session.add(BillLine(**given, refers_bill_id=bill.id if ordinal else None, refers_ordinal=ordinal))
    bill.credited_cents += found.total_cents
    lower(bill, taken)
    after = {"reason": note.reason.value, "incl_cents": found.total_cents, "bill_no": bill.bill_no}
    audit.record(
        session, actor, action="bill:credit", object_type="bill", object_id=number, customer_id=customer_id,
        after=after | ({"asked_by": asked_by} if asked_by else {}), reason=comment,
    )  # fmt: skip
    session.flush()
    e_invoices.queue(session, actor, customer_id=customer_id, bill_no=number)
    return row


def _after_end(session: Session, paper: Paper, line: Line, product_id: int, span: Period) -> tuple[Line, int | None]:
    """Return the line for days paid in advance that were not used, and the line of the bill that charged them."""
    code = session.execute(
        select(col(Product.offering_code)).where(col(Product.customer_id) == paper.bill.customer_id, col(Product.id) == product_id)
    ).scalar_one_or_none()
    if code is None:
        raise NotFound
    price = billing.price_cents(code, span.since, business=paper.charged.business)
    share = prorate(price, span.since, span.until, month_of(span.since))
    found = replace(line, amount_cents=share.cents, unit_price_cents=price, unit="month", share_days=share.days, month_days=share.of_days)
    charged = (
        ordinal
        for ordinal, one in paper.lines.items()
        if one.product_id == product_id and one.kind in _PAID_AHEAD and one.since and one.until and one.since <= span.since < one.until
    )
    return found, next(charged, None)


def _given(session: Session, bill: Bill, *, business: bool) -> Credited:
    """Add up the notes on a bill, and their lines by the line they credit."""
    note = (col(Bill.customer_id) == bill.customer_id, col(Bill.refers_to_id) == bill.id, col(Bill.category) == BillCategory.CREDIT_NOTE)
    damage = col(Bill.reason).in_(COMPENSATIONS)
    own = col(Bill.excl_cents if business else Bill.incl_cents)
    sums = (
        func.sum(case((damage, 0), else_=own)),
        func.sum(col(Bill.vat_cents)),
        func.sum(col(Bill.third_party_cents)),
        func.sum(case((damage, col(Bill.incl_cents)), else_=0)),
    )
    totals = session.execute(select(*(func.coalesce(one, 0) for one in sums)).where(*note)).one()
    by_line = session.execute(
        select(col(BillLine.refers_ordinal), col(BillLine.kind), func.sum(col(BillLine.amount_cents)))
        .where(col(BillLine.customer_id) == bill.customer_id, col(BillLine.refers_bill_id) == bill.id)
        .group_by(col(BillLine.refers_ordinal), col(BillLine.kind))
    ).all()
    own_cents, vat, third, made_good = map(int, totals)
    penalty = sum(int(cents) for _, kind, cents in by_line if kind is LineKind.PENALTY)
    lines: dict[int, int] = defaultdict(int)
    for ordinal, _kind, cents in by_line:
        lines[ordinal] += int(cents)
    return Credited(own_cents - penalty, vat, third + penalty, made_good, lines, _given_later(session, bill))


def _given_later(session: Session, bill: Bill) -> dict[int, int]:
    """Return by line what later bills gave back of it: days that were paid ahead, after its product ended."""
    charged, back, later = aliased(BillLine), aliased(BillLine), aliased(Bill)
    same = (col(back.customer_id) == col(charged.customer_id), col(back.product_id) == col(charged.product_id))
    within = (col(back.since) >= col(charged.since), col(back.since) < col(charged.until))
    query = (
        select(col(charged.ordinal), func.sum(-col(back.amount_cents)))
        .join(back, and_(*same, *within))
        .join(later, (col(later.customer_id) == col(back.customer_id)) & (col(later.id) == col(back.bill_id)))
        .where(
            col(charged.customer_id) == bill.customer_id, col(charged.bill_id) == bill.id, col(charged.kind).in_(_PAID_AHEAD),
            col(back.kind) == LineKind.ADJUSTMENT, col(back.amount_cents) < 0, col(later.category) != BillCategory.CREDIT_NOTE,
            col(later.bill_date) > bill.bill_date,
        )
        .group_by(col(charged.ordinal))
    )  # fmt: skip
    return {ordinal: int(cents) for ordinal, cents in session.execute(query)}


def _vat_rows(found: Amounts) -> tuple[PrintedVat, ...]:
    """Return the rows of a note's VAT table, as its bill has them: a reminder's cost in one of its own, without VAT."""
    taxed = PrintedVat(found.vat_percent, found.excl_cents - found.penalty_cents, found.vat_cents)
    rows = ((taxed, taxed.base_cents + taxed.vat_cents), (PrintedVat(0, found.penalty_cents, 0), found.penalty_cents))
    return tuple(row for row, cents in rows if cents)
