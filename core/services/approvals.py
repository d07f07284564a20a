"""What one colleague asks for and another one lets pass, with the facts of that moment (W8).

A kind of request names its verbs in `VERBS`: what reads and checks it, what carries it out, and who may ask and decide.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.approval import APPROVAL_MOVES, Approval, ApprovalKind, ApprovalState
from core.models.customer import Customer
from core.services import audit, corrections, refunds
from core.text_rules import needed, normalise

NOTE_LENGTH = 200
_MOST_WAITING, _MOST_RECENT = 200, 20
"""How many a list shows."""


class AlreadyWaiting(DomainError):
    """The same paper waits for a decision already."""

    message = N_("A request about {subject} waits already. Withdraw it first, or wait for its decision.")


class OwnRequest(DomainError):
    """Nobody decides what he asked for."""

    message = N_("You asked for this yourself. A colleague decides.")


class NotWaiting(DomainError):
    """The request was decided, withdrawn or expired meanwhile."""

    message = N_("This request was decided by {who} at {at}. Load the page again.")


class TooOld(DomainError):
    """The request waited too long."""

    message = N_("This request is older than {days} days and has expired. Ask for it again.")


class NoteMissing(DomainError):
    """A refusal without its reason."""

    message = N_("Say why you refuse: your colleague reads it.")
    field = "note"


Wish = corrections.Wish | refunds.Wish


@dataclass(frozen=True)
class Verb:
    """What a kind of request needs: `amount` checks it and says how much it is about, `carry_out` does it once it is approved."""

    ask: Permission
    decide: Permission
    reads: TypeAdapter[Any]
    amount: Callable[[Session, Actor, int, Any], int]
    carry_out: Callable[[Session, Actor, Approval, Any], str | int]


def _credit_amount(session: Session, actor: Actor, customer_id: int, wish: corrections.Wish) -> int:
    return corrections.preview(session, actor, customer_id=customer_id, wish=wish).amounts.total_cents


def _refund_amount(session: Session, actor: Actor, customer_id: int, wish: refunds.Wish) -> int:
    return refunds.left_cents(session, actor, customer_id=customer_id, wish=wish)


def _credit(session: Session, actor: Actor, approval: Approval, wish: corrections.Wish) -> str:
    return corrections.credit_approved(session, actor, approval=approval, wish=wish)


def _refund(session: Session, actor: Actor, approval: Approval, wish: refunds.Wish) -> int:
    return refunds.refund_approved(session, actor, approval=approval, wish=wish)


P = Permission
VERBS: dict[ApprovalKind, Verb] = {
    ApprovalKind.CREDIT: Verb(P.CREDIT_WRITE, P.CREDIT_APPROVE, TypeAdapter(corrections.Wish), _credit_amount, _credit),
    ApprovalKind.REFUND: Verb(P.REFUND_WRITE, P.REFUND_WRITE, TypeAdapter(refunds.Wish), _refund_amount, _refund),
}


@dataclass(frozen=True)
class Request:
    """A request as the screen shows it; the amount in cents. `mine` for who asked, `decides` for who may let it pass."""

    id: int
    kind: ApprovalKind
    state: ApprovalState
    customer_id: int
    customer_no: str
    customer_name: str
    subject: str
    wish: Wish
    amount_cents: int
    reason: str
    comment: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str | None
    mine: bool
    decides: bool
    version: int


def request_credit(session: Session, actor: Actor, *, customer_id: int, wish: corrections.Wish) -> int:
    """Ask for a credit above one's limit; return the request's id. Raises what `corrections.preview` raises, Missing, AlreadyWaiting."""
    actor.require(Permission.CREDIT_WRITE, customer_id)
    return _request(session, actor, customer_id, _Asked(ApprovalKind.CREDIT, wish, wish.bill_no, wish.reason.value))


def request_refund(session: Session, actor: Actor, *, customer_id: int, wish: refunds.Wish) -> int:
    """Ask for a refund to an account that was typed; return the request's id. Raises what `refunds.left_cents` raises, Missing, AlreadyWaiting."""
    actor.require(Permission.REFUND_WRITE, customer_id)
    return _request(session, actor, customer_id, _Asked(ApprovalKind.REFUND, wish, wish.subject, "typed_account"))


def approve(session: Session, actor: Actor, *, approval_id: int, shown_version: int, note: str = "") -> str | int:
    """Let a request pass and carry it out, checked again with the facts of now: where they no longer allow it, it goes on waiting.

    Return what its verb made: the number of a credit note, the id of a refund.

    Raises NotFound, OwnRequest, NotWaiting, ChangedMeanwhile, TooOld, and whatever the verb itself refuses.
    """
    actor.require(Permission.CREDIT_WRITE)
    row = _waiting(session, approval_id, shown_version)
    verb = VERBS[row.kind]
    actor.require(verb.decide, row.customer_id)
    if row.requested_by == actor.username:
        raise OwnRequest
    if row.requested_at < _oldest():
        raise TooOld(days=law("approval_lives_days"))
    _decide(session, actor, row, ApprovalState.APPROVED, note)
    return verb.carry_out(session, actor, row, verb.reads.validate_python(row.payload))


def refuse(session: Session, actor: Actor, *, approval_id: int, shown_version: int, note: str) -> None:
    """Turn a request down, with a word why. Raises NotFound, OwnRequest, NotWaiting, ChangedMeanwhile, NoteMissing."""
    actor.require(Permission.CREDIT_WRITE)
    row = _waiting(session, approval_id, shown_version)
    actor.require(VERBS[row.kind].decide, row.customer_id)
    if row.requested_by == actor.username:
        raise OwnRequest
    if not note.strip():
        raise NoteMissing
    _decide(session, actor, row, ApprovalState.REFUSED, note)


def withdraw(session: Session, actor: Actor, *, approval_id: int, shown_version: int) -> None:
    """Take one's own request back. Raises NotFound for another's, NotWaiting, ChangedMeanwhile."""
    actor.require(Permission.CREDIT_WRITE)
    row = _waiting(session, approval_id, shown_version)
    if row.requested_by != actor.username:
        raise NotFound
    _decide(session, actor, row, ApprovalState.WITHDRAWN, "")


def expire(session: Session, actor: Actor) -> int:
    """Let the requests expire that waited too long, and return how many: a job of the night."""
    actor.require(Permission.JOB_RUN)
    query = select(Approval).where(col(Approval.state) == ApprovalState.PENDING, col(Approval.requested_at) < _oldest())
    rows = session.execute(query.order_by(col(Approval.id)).with_for_update()).scalars().all()
    for row in rows:
        _decide(session, actor, row, ApprovalState.EXPIRED, "")
    return len(rows)


def pending(session: Session, actor: Actor) -> list[Request]:
    """Return what waits, the oldest first: what this colleague may decide, and what he asked for himself."""
    actor.require(Permission.CREDIT_WRITE)
    return _rows(session, actor, col(Approval.state) == ApprovalState.PENDING, visible(actor), order=col(Approval.id))


def recent(session: Session, actor: Actor) -> list[Request]:
    """Return the newest decisions, the newest first: of what `pending` showed."""
    actor.require(Permission.CREDIT_WRITE)
    return _rows(
        session,
        actor,
        col(Approval.state) != ApprovalState.PENDING,
        visible(actor),
        order=col(Approval.decided_at).desc(),
        most=_MOST_RECENT,
    )


def of_customer(session: Session, actor: Actor, *, customer_id: int) -> list[Request]:
    """Return what waits on a customer's file, whoever asked."""
    actor.require(Permission.CREDIT_WRITE, customer_id)
    mine = col(Approval.customer_id) == customer_id
    return _rows(session, actor, col(Approval.state) == ApprovalState.PENDING, mine, order=col(Approval.id))


def count(session: Session, actor: Actor) -> int:
    """Count what waits for this colleague's decision."""
    actor.require(Permission.CREDIT_WRITE)
    kinds = [kind for kind, verb in VERBS.items() if actor.may(verb.decide)]
    query = select(func.count()).where(
        col(Approval.state) == ApprovalState.PENDING, col(Approval.kind).in_(kinds), col(Approval.requested_by) != actor.username
    )
    return int(session.execute(query).scalar_one())


@dataclass(frozen=True)
class _Asked:
    """What a request is about."""

    kind: ApprovalKind
    wish: Wish
    subject: str
    reason: str


def _request(session: Session, actor: Actor, customer_id: int, asked: _Asked) -> int:
    verb = VERBS[asked.kind]
    comment = needed(asked.wish.comment, field="comment", length=corrections.COMMENT_LENGTH)
    # Of two who ask at once, the second one waits here and is told; the index would only say that something is wrong.
    session.execute(select(col(Customer.id)).where(col(Customer.id) == customer_id).with_for_update(key_share=True))
    same = (col(Approval.customer_id) == customer_id, col(Approval.kind) == asked.kind, col(Approval.subject) == asked.subject)
    if session.execute(select(col(Approval.id)).where(*same, col(Approval.state) == ApprovalState.PENDING)).first():
        raise AlreadyWaiting(subject=asked.subject)
    row = Approval(
        customer_id=customer_id,
        kind=asked.kind,
        subject=asked.subject,
        payload=verb.reads.dump_python(asked.wish, mode="json"),
        amount_cents=verb.amount(session, actor, customer_id, asked.wish),
        reason=asked.reason,
        comment=comment,
        requested_by=actor.username,
        requested_by_id=actor.user_id,
        requested_at=clock.now(),
    )
    session.add(row)
    session.flush()
    after = {"kind": asked.kind, "amount_cents": row.amount_cents, "subject": asked.subject, "reason": asked.reason}
    audit.record(
        session, actor, action="approval:request", object_type="approval", object_id=row.id, customer_id=customer_id, after=after,
        reason=comment,
    )  # fmt: skip
    return row.id


def _waiting(session: Session, approval_id: int, shown_version: int) -> Approval:
    """Return a request that waits, locked: of two who decide at once the second one is told."""
    row: Approval | None = session.execute(select(Approval).where(col(Approval.id) == approval_id).with_for_update()).scalar_one_or_none()
    if row is None:
        raise NotFound
    if row.state is not ApprovalState.PENDING:
        raise NotWaiting(who=row.decided_by, at=row.decided_at)
    audit.check_version(session, row, shown_version, "approval", approval_id)
    return row


def _decide(session: Session, actor: Actor, row: Approval, state: ApprovalState, note: str) -> None:
    if state not in APPROVAL_MOVES[row.state]:
        raise NotWaiting(who=row.decided_by, at=row.decided_at)
    row.state, row.note = state, normalise(note, field="note", length=NOTE_LENGTH) or None
    row.decided_by, row.decided_by_id, row.decided_at = actor.username, actor.user_id, clock.now()
    session.flush()
    audit.record(
        session, actor, action=f"approval:{_ACTIONS[state]}", object_type="approval", object_id=row.id, customer_id=row.customer_id,
        after={"state": state, "amount_cents": row.amount_cents, "subject": row.subject, "asked_by": row.requested_by}, reason=row.note,
    )  # fmt: skip


_ACTIONS = {
    ApprovalState.APPROVED: "approve",
    ApprovalState.REFUSED: "refuse",
    ApprovalState.WITHDRAWN: "withdraw",
    ApprovalState.EXPIRED: "expire",
}


def visible(actor: Actor) -> Any:  # noqa: ANN401 - a condition of a select
    """Return what an actor sees of the requests: what he may decide, and what he asked for himself."""
    kinds = [kind for kind, verb in VERBS.items() if actor.may(verb.decide)]
    return col(Approval.kind).in_(kinds) | (col(Approval.requested_by) == actor.username)


def _rows(session: Session, actor: Actor, *conditions: Any, order: Any, most: int = _MOST_WAITING) -> list[Request]:  # noqa: ANN401 - conditions of a select
    query = select(Approval, Customer).join(Customer, col(Customer.id) == Approval.customer_id).where(*conditions).order_by(order)
    return [
        Request(
            id=row.id,
            kind=row.kind,
            state=row.state,
            customer_id=row.customer_id,
            customer_no=customer.customer_no,
            customer_name=customer.name,
            subject=row.subject,
            wish=VERBS[row.kind].reads.validate_python(row.payload),
            amount_cents=row.amount_cents,
            reason=row.reason,
            comment=row.comment,
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            note=row.note,
            mine=row.requested_by == actor.username,
            decides=actor.may(VERBS[row.kind].decide) and row.requested_by != actor.username,
            version=row.version,
        )
        for row, customer in session.execute(query.limit(most)).all()
    ]


def _oldest() -> datetime:
    """Return the moment before which a request is too old."""
    return clock.now() - timedelta(days=law("approval_lives_days"))
