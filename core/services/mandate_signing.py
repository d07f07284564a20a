"""Signing a direct debit: it is asked for, or its account changes, and a code that was sent is the signature (W7, R8)."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError, NotFound
from core.models.customer import Customer, CustomerStatus
from core.models.mandate import Mandate, MandateState
from core.services import audit, communications, mandates
from core.services.mandates import CODE_TRIES, MandateView
from core.services.references import iban as checked_iban
from core.services.references import mask_iban
from core.text_rules import needed

CODE_DIGITS = 6
CODE_LIVES = timedelta(minutes=15)
HOLDER_LENGTH = 70
"""What SEPA files allow for a name."""


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


def request(session: Session, actor: Actor, *, customer_id: int, holder: str, iban: str, consent: bool) -> str:
    """Ask for a direct debit and send the code that signs it; return the mandate's reference (UMR).

    Asked for again before it was signed, the same mandate takes the new account and a new code. Raises AccountClosed, MandateRuns,
    ConsentMissing, what text_rules raises for the holder and references.iban for the account.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    customer = _open_customer(session, customer_id)
    row = mandates.running(session, customer_id)
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


def amend(
    session: Session, actor: Actor, *, customer_id: int, holder: str, iban: str, consent: bool, mandate_id: int, shown_version: int
) -> str:
    """Put another account under the running mandate, once the code that is sent comes back; the reference stays (W7).

    Raises NotFound without a running mandate, ChangedMeanwhile, SameIban, and what `request` raises.
    """
    actor.require(Permission.MANDATE_WRITE, customer_id)
    _open_customer(session, customer_id)
    row = _active(session, customer_id, mandate_id, shown_version)
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
        mandates.activate(session, actor, mandate=row, customer=customer, signed_on=clock.today())
    return _shown(session, actor, customer_id)


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


def _active(session: Session, customer_id: int, mandate_id: int, shown_version: int) -> Mandate:
    row = mandates.as_shown(session, customer_id, mandate_id, shown_version)
    if row.state is not MandateState.ACTIVE:
        raise NotFound
    return row


def _waiting(session: Session, customer_id: int) -> Mandate | None:
    row = mandates.running(session, customer_id)
    return row if row and (row.state is MandateState.PENDING_SIGNATURE or row.pending_iban) else None


def _with_code(session: Session, customer_id: int) -> Mandate:
    row = _waiting(session, customer_id)
    if row is None or row.code_hash is None or row.code_expires_at is None or row.code_expires_at <= clock.real_now():
        raise NoCode
    return row


def _shown(session: Session, actor: Actor, customer_id: int) -> MandateView:
    found = mandates.current(session, actor, customer_id=customer_id)
    if found is None:
        raise NotFound
    return found
