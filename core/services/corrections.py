"""Who may credit what by hand: lines of a bill, a gesture, a damage; with a reason, a comment and a limit (W8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission, Role
from core.catalogue import law
from core.errors import N_, DomainError, NotPermitted
from core.models.approval import Approval, ApprovalState
from core.models.bill import Bill, BillCategory, LineKind
from core.services import audit, communications, credit_notes, credit_rules, dunning
from core.services.bill_words import COMPENSATIONS, CreditReason, label
from core.services.billing import Line
from core.services.credit_notes import Note, Paper
from core.services.credit_rules import Amounts
from core.services.periods import Period
from core.services.products import lock_customer
from core.text_rules import needed

COMMENT_LENGTH = 200


class NothingToCredit(DomainError):
    """Neither a line nor an amount was given."""

    message = N_("Give the amount of at least one line, or one amount for the whole bill.")
    field = "amount"


class ReasonUnfit(DomainError):
    """The reason does not go with what is credited."""

    message = N_("This reason does not go with it. Choose another reason, or credit lines instead of one amount.")
    field = "reason"


class DayMissing(DomainError):
    """A damage without its day."""

    message = N_("Give the day of the outage: it stands on the credit note. It can't lie in the future.")
    field = "day"


class AboveLimit(DomainError):
    """More than this colleague may credit alone; cut into slices it stays too much (W8)."""

    message = N_(
        "You may credit a customer {limit_cents} within {hours} hours; {used_cents} of it are used. Lower the amount, or ask for approval."
    )


class Target(StrEnum):
    """What a credit comes off."""

    THIS_BILL = "thisBill"
    NEXT_BILL = "nextBill"


@dataclass(frozen=True)
class Wish:
    """What is to be credited: `parts` of the bill's lines by ordinal, or one amount; cents, in the terms of the bill's own prices."""

    bill_no: str
    reason: CreditReason
    comment: str
    parts: Mapping[int, int] = field(default_factory=dict)
    amount_cents: int = 0
    day: date | None = None
    target: Target = Target.THIS_BILL


@dataclass(frozen=True)
class Creditable:
    """What can still be credited of a bill, in cents: by line, in one amount, to make good a damage. And how much this colleague may give."""

    lines: tuple[tuple[int, Line, int], ...]
    own_cents: int
    damage_cents: int
    business: bool
    limit_cents: int | None
    used_cents: int
    version: int


@dataclass(frozen=True)
class Preview:
    """A bill before and after a credit, in cents. `kept_cents` stays as credit for the next bill."""

    amounts: Amounts
    total_cents: int
    credited_cents: int
    before_cents: int
    after_cents: int
    kept_cents: int
    above_limit: bool


def creditable(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> Creditable:
    """Return what can still be credited of a bill. Raises NotFound, for a credit note too."""
    actor.require(Permission.CREDIT_WRITE, customer_id)
    paper = credit_notes.read(session, customer_id, bill_no)
    charged, given = paper.charged, paper.given
    left = [(ordinal, line, credit_rules.line_left(charged, given, ordinal)) for ordinal, line in paper.lines.items()]
    return Creditable(
        lines=tuple(one for one in left if one[2]),
        own_cents=credit_rules.own_left(charged, given),
        damage_cents=max(0, charged.total_cents - given.compensated_cents),
        business=charged.business,
        limit_cents=_limit(actor),
        used_cents=_used(session, actor, customer_id),
        version=paper.bill.version,
    )


def lines(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> Mapping[int, Line]:
    """Return the lines of a bill by ordinal. Raises NotFound, for a credit note too."""
    actor.require(Permission.CREDIT_WRITE, customer_id)
    return credit_notes.read(session, customer_id, bill_no).lines


def comment(session: Session, actor: Actor, *, customer_id: int, note_no: str) -> str | None:
    """Return what a colleague wrote about a credit note; customers never read it."""
    actor.require(Permission.CREDIT_WRITE, customer_id)
    query = select(col(Bill.comment)).where(col(Bill.customer_id) == customer_id, col(Bill.bill_no) == note_no)
    return session.execute(query).scalar_one_or_none()


def preview(session: Session, actor: Actor, *, customer_id: int, wish: Wish) -> Preview:
    """Return what a credit would do, and whether it needs a second person; checked as `credit` does, but for the comment.

    Raises NotFound, NothingToCredit, ReasonUnfit, DayMissing, CreditTooHigh.
    """
    actor.require(Permission.CREDIT_WRITE, customer_id)
    paper = credit_notes.read(session, customer_id, wish.bill_no)
    found = _note(paper, wish).amounts
    taken = credit_notes.taken_cents(paper.bill, found, next_bill=wish.target is Target.NEXT_BILL)
    given = paper.given
    return Preview(
        amounts=found,
        total_cents=paper.charged.total_cents,
        credited_cents=given.own_cents
        + (given.vat_cents if paper.charged.business else 0)
        + given.third_party_cents
        + given.compensated_cents,
        before_cents=paper.bill.remaining_cents,
        after_cents=paper.bill.remaining_cents - taken,
        kept_cents=found.total_cents - taken,
        above_limit=_above(session, actor, customer_id, found),
    )


def credit(session: Session, actor: Actor, *, customer_id: int, wish: Wish, shown_version: int | None = None) -> str:
    """Credit a bill by hand within one's own limit, tell the customer, and return the note's number.

    VAT follows the bill; what makes good a damage carries none. With `shown_version`, a bill that changed since is refused.
    Raises NotFound, Missing without a comment, NothingToCredit, ReasonUnfit, DayMissing, CreditTooHigh, AboveLimit, ChangedMeanwhile.
    """
    actor.require(Permission.CREDIT_WRITE, customer_id)
    lock_customer(session, customer_id)  # Two credits at once on two of his bills would each see the limit unused.
    paper = credit_notes.read(session, customer_id, wish.bill_no, lock=True)
    if shown_version is not None:
        audit.check_version(session, paper.bill, shown_version, "bill", wish.bill_no)
    note = _note(paper, wish)
    limit = _limit(actor)
    if limit is not None and _above(session, actor, customer_id, note.amounts):
        raise AboveLimit(limit_cents=limit, used_cents=_used(session, actor, customer_id), hours=law("credit_limit_hours"))
    return _write(session, actor, paper, note, wish, credited_by=actor.username)


def credit_approved(session: Session, actor: Actor, *, approval: Approval, wish: Wish) -> str:
    """Carry out a credit that this colleague just approved; it uses up nobody's limit, and its audit entry names both.

    All facts are checked again, as they are now. Raises what `credit` raises, and NotPermitted for a request that is not approved.
    """
    actor.require(Permission.CREDIT_APPROVE, approval.customer_id)
    if approval.state is not ApprovalState.APPROVED or approval.decided_by != actor.username or approval.requested_by == actor.username:
        raise NotPermitted
    lock_customer(session, approval.customer_id)
    paper = credit_notes.read(session, approval.customer_id, wish.bill_no, lock=True)
    return _write(session, actor, paper, _note(paper, wish), wish, asked_by=approval.requested_by)


def reasons(*, by_line: bool) -> list[CreditReason]:
    """Return the reasons that can be given for lines, or for one amount."""
    return [CreditReason(code) for code in law("credit_line_reasons" if by_line else "credit_amount_reasons")]


def _write(
    session: Session, actor: Actor, paper: Paper, note: Note, wish: Wish, *, credited_by: str | None = None, asked_by: str | None = None
) -> str:
    row = credit_notes.write(
        session, actor, paper=paper, note=note, day=clock.today(), next_bill=wish.target is Target.NEXT_BILL,
        comment=needed(wish.comment, field="comment", length=COMMENT_LENGTH), credited_by=credited_by, asked_by=asked_by,
    )  # fmt: skip
    dunning.on_payment(session, actor, customer_id=row.customer_id)
    communications.send(
        session, actor, customer_id=row.customer_id, template="credit_note",
        params={
            "credit_no": row.bill_no, "amount_cents": note.amounts.total_cents, "bill_no": wish.bill_no,
            "reason": label(note.reason.value, row.printed["language"], note.span.since, note.span.until),
        },
    )  # fmt: skip
    return row.bill_no


def _note(paper: Paper, wish: Wish) -> Note:
    """Check a wish and return its note."""
    parts = {ordinal: cents for ordinal, cents in wish.parts.items() if cents}
    if bool(parts) == bool(wish.amount_cents) or min([*parts.values(), wish.amount_cents]) < 0 or not set(parts) <= set(paper.lines):
        raise NothingToCredit
    if wish.reason not in reasons(by_line=bool(parts)):
        raise ReasonUnfit
    damage = wish.reason in COMPENSATIONS
    if damage and (wish.day is None or wish.day > clock.today()):
        raise DayMissing
    since = wish.day if damage and wish.day else clock.today()
    span = Period(since, since + timedelta(days=1))
    if not parts:
        line = Line(LineKind.ADJUSTMENT, wish.reason.value, wish.amount_cents, wish.amount_cents, since=since if damage else None)
        return Note(wish.reason, ((line, None),), credit_notes.amounts(paper, wish.reason, wish.amount_cents), span)
    lines = tuple((_credited(paper.lines[ordinal], cents), ordinal) for ordinal, cents in sorted(parts.items()))
    return Note(wish.reason, lines, credit_rules.of_lines(paper.charged, paper.given, parts), span)


def _credited(line: Line, cents: int) -> Line:
    """Return the note's line for a bill's. Without its product: the next bill would take the days for given back, and charge them again."""
    return Line(line.kind, line.code, cents, cents, detail=line.detail, since=line.since, until=line.until)


def _limit(actor: Actor) -> int | None:
    """Return how much somebody may credit one customer alone; None without a limit, for what the house's rules credit."""
    return None if actor.role is Role.SYSTEM else int(law("credit_limits_cents").get(actor.role.value, 0))


def _above(session: Session, actor: Actor, customer_id: int, found: Amounts) -> bool:
    limit = _limit(actor)
    return limit is not None and _used(session, actor, customer_id) + found.total_cents > limit


def _used(session: Session, actor: Actor, customer_id: int) -> int:
    """Return what a colleague credited a customer on his own within the hours that a limit counts."""
    query = select(func.coalesce(func.sum(col(Bill.incl_cents) + col(Bill.third_party_cents)), 0)).where(
        col(Bill.customer_id) == customer_id,
        col(Bill.category) == BillCategory.CREDIT_NOTE,
        col(Bill.credited_by) == actor.username,
        col(Bill.issued_at) > clock.now() - timedelta(hours=law("credit_limit_hours")),
    )
    return int(session.execute(query).scalar_one())
