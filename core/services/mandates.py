"""Direct debit: a mandate is asked for, signed with a code, changed, ended (W7, R7, R8)."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.mandate import MANDATE_MOVES, Mandate, MandateState
from core.pdf.mandate import PrintedMandate, render_mandate
from core.services import audit, bill_printing, billing, billing_facts, communications
from core.services.periods import next_banking_day
from core.services.references import iban as checked_iban
from core.services.references import mask_iban
from core.text_rules import needed

CODE_DIGITS = 6
CODE_LIVES = timedelta(minutes=15)
CODE_TRIES = 5
HOLDER_LENGTH = 70
"""What SEPA files allow for a name."""

RUNNING = (MandateState.DRAFT, MandateState.PENDING_SIGNATURE, MandateState.ACTIVE, MandateState.SUSPENDED)


class AccountClosed(DomainError):
    """Nothing is collected from a customer who left."""

    message = N_("The contract has ended: there is nothing left to collect.")


class ConsentMissing(DomainError):
    """The shorter notice must be agreed to (R7)."""

    message = N_("Agree to the notice of {days} days, or the bank asks for {usual}.")
    field = "consent"


class MandateRuns(DomainError):
    """There is a mandate already."""

    message = N_("A direct debit runs already. Change its account instead of asking for another one.")


class SameIban(DomainError):
    """The new account is the old one."""

    message = N_("This is the account that is used now. Give another one.")
    field = "iban"


class NoCode(DomainError):
    """No code waits, it is too old, or it was mistyped too often."""

    message = N_("This code no longer counts. Ask for a new one.")
    field = "code"


class WrongCode(DomainError):
    """The code differs from the one that was sent."""

    message = N_("That is not the code that was sent. Tries left: {left}.")
    field = "code"


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


def request(session: Session, actor: Actor, *, customer_id: int, holder: str, iban: str, consent: bool) -> str:
    """Ask for a direct debit and send the code that signs it; return the mandate's reference (UMR).

    Asked for again before it was signed, the same mandate takes the new account and a new code. Raises AccountClosed, MandateRuns,
    ConsentMissing, what text_rules raises for the holder and references.iban for the account.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    customer = _open_customer(session, customer_id)
    row = _running(session, customer_id)
    if row and row.state is not MandateState.PENDING_SIGNATURE:
        raise MandateRuns
    name, number = _form(holder, iban, consent=consent)
    if row is None:
        row = Mandate(
            customer_id=customer_id,
            umr=_next_umr(session, customer),
            state=MandateState.PENDING_SIGNATURE,
            holder=name,
            iban=number,
            requested_at=clock.now(),
        )
    row.holder, row.iban = name, number
    _send_code(session, actor, row)
    audit.record(
        session, actor, action="mandate:request", object_type="mandate", object_id=row.id, customer_id=customer_id,
        after={"umr": row.umr, "iban": mask_iban(number), "state": row.state},
    )  # fmt: skip
    return row.umr


def amend(session: Session, actor: Actor, *, customer_id: int, holder: str, iban: str, consent: bool, shown_version: int) -> str:
    """Put another account under the running mandate, once the code that is sent comes back; the reference stays (W7).

    Raises NotFound without a running mandate, ChangedMeanwhile, SameIban, and what `request` raises.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    _open_customer(session, customer_id)
    row = _active(session, customer_id, shown_version)
    name, number = _form(holder, iban, consent=consent)
    if number == row.iban:
        raise SameIban
    row.pending_iban, row.pending_holder = number, name
    _send_code(session, actor, row)
    audit.record(
        session, actor, action="mandate:amend", object_type="mandate", object_id=row.id, customer_id=customer_id,
        after={"pending_iban": mask_iban(number)},
    )  # fmt: skip
    return row.umr


def resend_code(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Send a new code for what waits for its signature. Raises NotFound when nothing waits."""
    actor.require(Permission.MANDATE_WRITE, customer_id)
    row = _waiting(session, customer_id)
    if row is None:
        raise NotFound
    _send_code(session, actor, row)
    audit.record(session, actor, action="mandate:send_code", object_type="mandate", object_id=row.id, customer_id=customer_id)


def count_try(session: Session, actor: Actor, *, customer_id: int) -> None:
    """Count a try of the code; a click of its own before `sign`, so that a refusal can't undo it. Raises NoCode."""
    actor.require(Permission.MANDATE_WRITE, customer_id)
    row = _with_code(session, customer_id)
    if row.code_failures >= CODE_TRIES:
        raise NoCode
    row.code_failures += 1
    session.flush()


def sign(session: Session, actor: Actor, *, customer_id: int, code: str) -> MandateView:
    """Take the code that was sent as the signature: the mandate runs, or the new account takes the old one's place.

    Bills issued from now on are collected; those that are open stay payable by transfer. Call `count_try` in a click before.
    Raises AccountClosed, NoCode, WrongCode.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    customer = _open_customer(session, customer_id)
    row = _with_code(session, customer_id)
    if row.code_failures > CODE_TRIES:
        raise NoCode
    if not hmac.compare_digest(row.code_hash or "", _hash(row.umr, "".join(code.split()))):
        if row.code_failures >= CODE_TRIES:
            raise NoCode
        raise WrongCode(left=CODE_TRIES - row.code_failures)
    if row.pending_iban:
        _take_new_account(session, actor, row)
    else:
        activate(session, actor, mandate=row, customer=customer, signed_on=clock.today())
    return _shown(session, actor, customer_id)


def activate(session: Session, actor: Actor, *, mandate: Mandate, customer: Customer, signed_on: date, tell: bool = True) -> None:
    """Let a signed mandate run: the customer pays by direct debit from the next bill on, and is told so."""
    actor.require(Permission.MANDATE_WRITE, customer.id)
    _move(mandate, MandateState.ACTIVE)
    mandate.signed_on, mandate.code_hash, mandate.code_expires_at, mandate.code_failures = signed_on, None, None, 0
    _pay_by(session, customer, PaymentMethod.DIRECT_DEBIT)
    session.flush()
    audit.record(
        session, actor, action="mandate:activate", object_type="mandate", object_id=mandate.id, customer_id=customer.id,
        before={"state": MandateState.PENDING_SIGNATURE}, after={"state": mandate.state, "signed_on": signed_on},
    )  # fmt: skip
    if tell:
        params = {"umr": mandate.umr, "iban_masked": mask_iban(mandate.iban), "first_due": _first_due(session, customer.id)}
        communications.send(session, actor, customer_id=customer.id, template="mandate_active", params=params)


def cancel(session: Session, actor: Actor, *, customer_id: int, shown_version: int) -> None:
    """End the direct debit from the next bill on; a bill that was issued under it is still collected (W7).

    A mandate that was never signed just goes. Raises NotFound, ChangedMeanwhile.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    row = _running(session, customer_id)
    if row is None:
        raise NotFound
    audit.check_version(session, row, shown_version, "mandate", row.id)
    end(session, actor, mandate=row, reason=None)


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


def pdf(session: Session, actor: Actor, *, customer_id: int, umr: str) -> bytes:
    """Return the paper of a mandate. Raises NotFound."""
    actor.require(Permission.BILL_READ, customer_id)
    row: Mandate | None = session.execute(
        select(Mandate).where(col(Mandate.customer_id) == customer_id, col(Mandate.umr) == umr)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    audit.record(session, actor, action="mandate:download", object_type="mandate", object_id=row.id, customer_id=customer_id)
    to = bill_printing.addressees(session, [customer_id])[customer_id]
    return render_mandate(
        PrintedMandate(
            language=to.language,
            umr=row.umr,
            seller=to.seller,
            customer=to.party,
            customer_no=to.customer_no,
            holder=row.holder,
            iban=row.iban,
            issued_at=row.requested_at,
            document_token=hashlib.sha256(f"{row.id} {row.umr} {row.iban}".encode()).hexdigest()[:32],
            prenotification_days=law("direct_debit_prenotification_days"),
            refund_weeks=law("direct_debit_refund_weeks"),
            signed_on=row.signed_on,
            signed_by="code" if row.signed_on else None,
            amends_iban=row.amends_iban,
        )
    )


def _form(holder: str, iban: str, *, consent: bool) -> tuple[str, str]:
    """Return the holder and the account as they may be stored."""
    name, number = needed(holder, field="holder", length=HOLDER_LENGTH), checked_iban(iban)
    if not consent:
        raise ConsentMissing(days=law("direct_debit_prenotification_days"), usual=law("sepa_prenotification_days"))
    return name, number


def _take_new_account(session: Session, actor: Actor, row: Mandate) -> None:
    before, row.amends_iban = row.iban, row.iban
    row.iban, row.holder = row.pending_iban or row.iban, row.pending_holder or row.holder
    row.pending_iban = row.pending_holder = row.code_hash = row.code_expires_at = None
    row.code_failures = 0
    session.flush()
    audit.record(
        session, actor, action="mandate:sign_amendment", object_type="mandate", object_id=row.id, customer_id=row.customer_id,
        before={"iban": mask_iban(before)}, after={"iban": mask_iban(row.iban)},
    )  # fmt: skip
    params = {"umr": row.umr, "iban_masked": mask_iban(row.iban)}
    communications.send(session, actor, customer_id=row.customer_id, template="mandate_amended", params=params)


def _send_code(session: Session, actor: Actor, row: Mandate) -> None:
    """Send six digits to the customer's phone; real time counts, as a demo's clock stands."""
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    row.code_hash, row.code_expires_at, row.code_failures = _hash(row.umr, code), clock.real_now() + CODE_LIVES, 0
    session.add(row)
    session.flush()
    communications.send(session, actor, customer_id=row.customer_id, template="mandate_code", params={"code": code})


def _hash(umr: str, code: str) -> str:
    """Make a code useless to who reads the table: slow enough that trying all of them outlives it."""
    return hashlib.scrypt(code.encode(), salt=umr.encode(), n=2**14, r=8, p=1, dklen=32).hex()


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


def _next_umr(session: Session, customer: Customer) -> str:
    """Return the customer's next reference: SCA, his number, and two digits that count his mandates (R8)."""
    many = session.execute(select(func.count()).where(col(Mandate.customer_id) == customer.id)).scalar_one()
    return f"SCA{customer.customer_no}{many + 1:02d}"


def _open_customer(session: Session, customer_id: int) -> Customer:
    """Lock the customer's row, so that two requests at once don't count the same mandate."""
    found: Customer | None = session.execute(select(Customer).where(col(Customer.id) == customer_id).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound
    if found.status is CustomerStatus.CLOSED:
        raise AccountClosed
    return found


def _running(session: Session, customer_id: int) -> Mandate | None:
    query: Any = select(Mandate).where(col(Mandate.customer_id) == customer_id, col(Mandate.state).in_(RUNNING))
    found: Mandate | None = session.execute(query).scalar_one_or_none()
    return found


def _active(session: Session, customer_id: int, shown_version: int) -> Mandate:
    row = _running(session, customer_id)
    if row is None or row.state is not MandateState.ACTIVE:
        raise NotFound
    audit.check_version(session, row, shown_version, "mandate", row.id)
    return row


def _waiting(session: Session, customer_id: int) -> Mandate | None:
    row = _running(session, customer_id)
    return row if row and (row.state is MandateState.PENDING_SIGNATURE or row.pending_iban) else None


def _with_code(session: Session, customer_id: int) -> Mandate:
    row = _waiting(session, customer_id)
    if row is None or row.code_hash is None or row.code_expires_at is None or row.code_expires_at <= clock.real_now():
        raise NoCode
    return row


def _shown(session: Session, actor: Actor, customer_id: int) -> MandateView:
    found = current(session, actor, customer_id=customer_id)
    if found is None:
        raise NotFound
    return found
