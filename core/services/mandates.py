"""Mandates of direct debit: what runs, what ends it, and how the account pays then (W7, R7, R8)."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import NotFound
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.customer import Customer, CustomerKind
from core.models.interaction import Task
from core.models.mandate import MANDATE_MOVES, Mandate, MandateState
from core.pdf.mandate import PrintedMandate, render_mandate
from core.services import audit, bill_printing, billing, billing_facts, communications
from core.services.periods import next_banking_day
from core.services.references import mask_iban

CODE_TRIES = 5
"""How often a code may be mistyped before it no longer counts."""

EXPIRED = "expired"
"""Why a mandate ended that nobody used."""

TASK_RETURNED = "debit_returned"
"""The task to call a customer whose collection came back (R9)."""

RUNNING = (MandateState.DRAFT, MandateState.PENDING_SIGNATURE, MandateState.ACTIVE, MandateState.SUSPENDED)


@dataclass(frozen=True)
class MandateView:
    """A mandate as it is shown. `code_until` is set while a code waits; `pending_iban` is the account that it would bring."""

    id: int
    umr: str
    state: MandateState
    holder: str
    iban: str
    signed_on: date | None
    cancelled_on: date | None
    cancel_reason: str | None
    last_used_on: date | None
    pending_iban: str | None
    code_until: datetime | None
    version: int

    @property
    def masked(self) -> str:
        """The account with only its ends in sight."""
        return mask_iban(self.iban)

    @property
    def pending_masked(self) -> str | None:
        """The account that waits for its code, with only its ends in sight."""
        return mask_iban(self.pending_iban) if self.pending_iban else None


def current(session: Session, actor: Actor, *, customer_id: int) -> MandateView | None:
    """Return the mandate that runs or waits for its signature, else the last one."""
    actor.require(Permission.BILL_READ, customer_id)
    row = session.execute(
        select(Mandate)
        .where(col(Mandate.customer_id) == customer_id)
        .order_by(col(Mandate.state).in_(RUNNING).desc(), col(Mandate.id).desc())
        .limit(1)
    ).scalar_one_or_none()
    if row is None:
        return None
    waits = row.code_expires_at if row.code_hash and row.code_failures < CODE_TRIES else None
    return MandateView(
        row.id, row.umr, row.state, row.holder, row.iban, row.signed_on, row.cancelled_on, row.cancel_reason, row.last_used_on,
        row.pending_iban, waits if waits and waits > clock.real_now() else None, row.version,
    )  # fmt: skip


def activate(session: Session, actor: Actor, *, mandate: Mandate, customer: Customer, signed_on: date, tell: bool = True) -> None:
    """Let a signed mandate run: the customer pays by direct debit from the next bill on, and is told so.

    To call him about a collection that came back is done with it.
    """
    actor.require(Permission.MANDATE_WRITE, customer.id)
    _move(mandate, MandateState.ACTIVE)
    mandate.signed_on, mandate.code_hash, mandate.code_expires_at, mandate.code_failures = signed_on, None, None, 0
    _pay_by(session, customer, PaymentMethod.DIRECT_DEBIT)
    to_call = select(Task).where(col(Task.customer_id) == customer.id, col(Task.code) == TASK_RETURNED, col(Task.done_at).is_(None))
    for task in session.execute(to_call).scalars():
        task.done_at = clock.now()
    session.flush()
    audit.record(
        session, actor, action="mandate:activate", object_type="mandate", object_id=mandate.id, customer_id=customer.id,
        before={"state": MandateState.PENDING_SIGNATURE}, after={"state": mandate.state, "signed_on": signed_on},
    )  # fmt: skip
    if tell:
        params = {"umr": mandate.umr, "iban_masked": mask_iban(mandate.iban), "first_due": _first_due(session, customer.id)}
        communications.send(session, actor, customer_id=customer.id, template="mandate_active", params=params)


def cancel(session: Session, actor: Actor, *, customer_id: int, mandate_id: int, shown_version: int) -> None:
    """End the direct debit from the next bill on; a bill that was issued under it is still collected (W7).

    A mandate that was never signed just goes. Raises NotFound, ChangedMeanwhile.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    end(session, actor, mandate=as_shown(session, customer_id, mandate_id, shown_version), reason=None)


def end(session: Session, actor: Actor, *, mandate: Mandate, reason: str | None, tell: bool = True) -> None:
    """End a mandate: the account pays by transfer again. `reason` is the bank's code where a collection was refused."""
    actor.require(Permission.MANDATE_WRITE, mandate.customer_id)
    before = mandate.state
    _move(mandate, MandateState.CANCELLED)
    mandate.cancelled_on, mandate.cancel_reason = clock.today(), reason
    mandate.code_hash = mandate.code_expires_at = mandate.pending_iban = mandate.pending_holder = None
    customer = session.get_one(Customer, mandate.customer_id)
    if before is not MandateState.PENDING_SIGNATURE:
        _pay_by(session, customer, PaymentMethod.TRANSFER)
    session.flush()
    audit.record(
        session, actor, action="mandate:cancel", object_type="mandate", object_id=mandate.id, customer_id=customer.id,
        before={"state": before}, after={"state": mandate.state}, reason=reason,
    )  # fmt: skip
    if tell and before is not MandateState.PENDING_SIGNATURE:
        communications.send(session, actor, customer_id=customer.id, template="mandate_cancelled", params={"umr": mandate.umr})


def expire_due(session: Session, actor: Actor, *, day: date) -> list[Mandate]:
    """End the mandates that nobody used for 36 months (R7), tell their holders, and return them; a second call finds none."""
    actor.require(Permission.MANDATE_WRITE)
    used = func.coalesce(col(Mandate.last_used_on), col(Mandate.signed_on))
    query = select(Mandate).where(
        col(Mandate.state) == MandateState.ACTIVE, used <= clock.add_months(day, -law("mandate_dies_after_months"))
    )
    found = list(session.execute(query.order_by(col(Mandate.id)).with_for_update()).scalars())
    for row in found:
        _move(row, MandateState.EXPIRED)
        row.cancelled_on, row.cancel_reason = day, EXPIRED
        row.code_hash = row.code_expires_at = row.pending_iban = row.pending_holder = None
        _pay_by(session, session.get_one(Customer, row.customer_id), PaymentMethod.TRANSFER)
        session.flush()
        audit.record(
            session, actor, action="mandate:expire", object_type="mandate", object_id=row.id, customer_id=row.customer_id,
            before={"state": MandateState.ACTIVE}, after={"state": row.state},
        )  # fmt: skip
        params = {"umr": row.umr, "months": law("mandate_dies_after_months")}
        communications.send(session, actor, customer_id=row.customer_id, template="mandate_expired", params=params)
    return found


def usable_until(signed_on: date, last_used_on: date | None) -> date:
    """Return the day from which a mandate is dead, 36 months after it was last used or signed (R7)."""
    return clock.add_months(last_used_on or signed_on, law("mandate_dies_after_months"))


def pdf(session: Session, actor: Actor, *, customer_id: int, umr: str) -> bytes:
    """Return the paper of a mandate: whole for its holder, with its account masked for the house, which reveals it on the screen. Raises NotFound."""
    actor.require(Permission.BILL_READ, customer_id)
    row: Mandate | None = session.execute(
        select(Mandate).where(col(Mandate.customer_id) == customer_id, col(Mandate.umr) == umr)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.record(session, actor, action="mandate:download", object_type="mandate", object_id=row.id, customer_id=customer_id)
    return paper(session, row, whole=not actor.house)


def paper(session: Session, row: Mandate, *, whole: bool) -> bytes:
    """Print a mandate, its account masked unless it is wanted whole; nothing is written down, which is for whoever hands it out."""
    shown = str if whole else mask_iban
    to = bill_printing.addressees(session, [row.customer_id])[row.customer_id]
    return render_mandate(
        PrintedMandate(
            language=to.language,
            umr=row.umr,
            seller=to.seller,
            customer=to.party,
            customer_no=to.customer_no,
            holder=row.holder,
            iban=shown(row.iban),
            issued_at=row.requested_at,
            document_token=hashlib.sha256(f"{row.id} {row.umr} {row.iban}".encode()).hexdigest()[:32],
            prenotification_days=law("direct_debit_prenotification_days"),
            refund_weeks=law("direct_debit_refund_weeks"),
            signed_on=row.signed_on,
            signed_by="code" if row.signed_on else None,
            amends_iban=shown(row.amends_iban) if row.amends_iban else None,
        )
    )


def _move(row: Mandate, state: MandateState) -> None:
    if state not in MANDATE_MOVES[row.state]:
        raise NotFound
    row.state = state


def _pay_by(session: Session, customer: Customer, method: PaymentMethod) -> None:
    """Let the account follow: how it pays, and in how many days (R7, house terms)."""
    account = session.execute(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).scalar_one()
    business = customer.kind is CustomerKind.ORGANIZATION
    by_transfer = "business_due_days" if business else "transfer_due_days"
    account.payment_method = method
    account.payment_due_days = law("direct_debit_due_days" if method is PaymentMethod.DIRECT_DEBIT else by_transfer)


def _first_due(session: Session, customer_id: int) -> date | None:
    """Return when the first bill under a mandate will be collected."""
    facts = billing_facts.of_customer(session, customer_id)
    if not facts.runs:
        return None
    bill_date = billing.next_bill_date(facts.account, facts.previous, clock.today())
    return next_banking_day(bill_date + timedelta(days=law("direct_debit_due_days")))


def as_shown(session: Session, customer_id: int, mandate_id: int, shown_version: int) -> Mandate:
    """Return the mandate that runs, where it is the one that was shown, unchanged. Raises NotFound, ChangedMeanwhile."""
    row: Any = session.execute(select(Mandate).where(col(Mandate.customer_id) == customer_id, col(Mandate.id) == mandate_id)).scalar()
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "mandate", mandate_id)
    if row.state not in RUNNING:
        raise NotFound
    found: Mandate = row
    return found


def running(session: Session, customer_id: int) -> Mandate | None:
    """Return the one mandate that runs or waits for its signature."""
    query: Any = select(Mandate).where(col(Mandate.customer_id) == customer_id, col(Mandate.state).in_(RUNNING))
    found: Mandate | None = session.execute(query).scalar_one_or_none()
    return found
