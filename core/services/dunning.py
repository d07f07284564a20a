"""The follow-up of unpaid bills as it is carried out: steps, holds, disputes, announced payments, and the way back (W9, R22, R24)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core import clock
from core.actor import SYSTEM, Actor, Permission
from core.catalogue import catalogue, law
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount, DunningState, HoldReason
from core.models.communication import MessageChannel
from core.models.dunning import BillDispute, DisputeEnd, DunningClaim, DunningNotice, DunningStep, PaymentDeclaration
from core.services import audit, communications, dunning_effects, dunning_facts, dunning_steps
from core.services.dunning_steps import Next, Notice, Situation
from core.services.products import lock_customer
from core.services.references import ogm
from core.text_rules import normalise

HOUR = 9
"""The hour at which the past is told."""
_REASON, _PROOF = 200, 200
"""What the columns hold."""


class NothingLate(DomainError):
    """There is nothing that could be followed up."""

    message = N_("Nothing is late: there is nothing to follow up.")


class HoldTooLong(DomainError):
    """A hold lasts four months at most (R22)."""

    message = N_("A hold ends after today, and on {last} at the latest. Choose such a day.")
    field = "until"


class NoHold(DomainError):
    """Nothing is held."""

    message = N_("The follow-up is not on hold. Reload the page to see how it stands.")


class NoReason(DomainError):
    """Why is missing."""

    message = N_("Say in a few words what the customer contests.")
    field = "reason"


class DisputeTooHigh(DomainError):
    """More would be disputed than is open."""

    message = N_("At most {left_cents} of this bill can be disputed, and at least a cent. Correct the amount.")
    field = "amount"


class DisputedAlready(DomainError):
    """One dispute at a time."""

    message = N_("This bill is disputed already. Decide that dispute first.")


class NoProof(DomainError):
    """An announcement without proof."""

    message = N_("Say what proves the payment: the day, the amount, the bank's reference.")
    field = "proof"


class AnnouncedThisYear(DomainError):
    """A customer is believed once a year (W9)."""

    message = N_("A payment was announced on {on} already, once a year is believed. Enter the payment when it is there, or offer a plan.")


@dataclass(frozen=True)
class Taken:
    """A step that was taken."""

    customer_id: int
    step: DunningStep
    fee_cents: int


def run_due(session: Session, actor: Actor, *, day: date) -> list[Taken]:
    """Take each step that is due on a day, and let go who owes nothing any more; a second call on that day does nothing.

    Runs before the bills of the day are made, so that a fee lies on the next bill. What is due is seen first without holding anything;
    then each customer in turn is locked and looked at again, so that two runs at once take each step once.
    """
    actor.require(Permission.JOB_RUN)
    taken, rules = [], catalogue().dunning
    for customer_id, at in dunning_facts.of_many(session, dunning_facts.followed(session, day), day):
        comes = dunning_steps.next_step(at, day, rules)
        due = isinstance(comes, Next) and comes.day <= day
        if due or (at.rung and not dunning_steps.owed(at, day, rules)):
            found = _look_again(session, actor, customer_id, day)
            taken += [found] if found else []
    dunning_effects.close_due(session, actor, day=day)
    return taken


def catch_up(session: Session, actor: Actor, *, customer_ids: Iterable[int], until: date) -> None:
    """Take the steps that were due until a day, each at the time it was due: what is open now was open then."""
    actor.require(Permission.JOB_RUN)
    rules = catalogue().dunning
    for customer_id, found in list(dunning_facts.of_many(session, customer_ids, until)):
        at, day = found, date.min
        while True:
            comes = dunning_steps.next_step(at, day, rules)
            day = max(day, comes.day if isinstance(comes, Next) else comes.until or date.max)
            if day > until:
                break
            if notice := dunning_steps.take(at, day, rules):
                with clock.standing(clock.at(day, HOUR)):
                    _carry_out(session, actor, _account(session, customer_id), at, notice)
                at = dunning_steps.after(at, notice)


def on_payment(session: Session, actor: Actor, *, customer_id: int) -> bool:
    """End the follow-up where nothing is left to claim, bring the services back the same day, and tell the customer; whether it did.

    A dispute ends by itself where its bill is paid, or its amount credited: nothing is left to decide.
    Called by the service that took the money, credited a bill or started a plan, which checked the right.
    """
    actor.require(Permission.BILL_READ, customer_id)
    _end_disputes(session, actor, customer_id)
    followed = select(col(BillingAccount.dunning_state)).where(col(BillingAccount.customer_id) == customer_id)
    if session.execute(followed).scalar_one_or_none() in {None, DunningState.NONE}:
        return False
    lock_customer(session, customer_id)  # Always before his account, so that two who wait never wait for each other.
    account, day = _account(session, customer_id), clock.today()
    if account.dunning_state is DunningState.NONE or dunning_steps.owed(
        dunning_facts.of_customer(session, customer_id, day), day, catalogue().dunning
    ):
        return False
    _let_go(session, actor, account)
    return True


def hold(session: Session, actor: Actor, *, customer_id: int, reason: HoldReason, until: date, shown_version: int) -> None:
    """Claim nothing until a day, four months ahead at most (R22). Raises HoldTooLong, ChangedMeanwhile."""
    actor.require(Permission.DUNNING_WRITE, customer_id)
    lock_customer(session, customer_id)
    account, today = _account(session, customer_id), clock.today()
    audit.check_version(session, account, shown_version, "billing_account", account.id)
    last = clock.add_months(today, law("mediation_hold_months"))
    if not today < until <= last:
        raise HoldTooLong(last=last)
    account.dunning_hold_since, account.dunning_hold_until, account.dunning_hold_reason = today, until, reason
    _record(session, actor, account, "dunning:hold", {"reason": reason, "until": until})


def release(session: Session, actor: Actor, *, customer_id: int, shown_version: int) -> None:
    """End a hold: the follow-up goes on where it stood. Raises NoHold, ChangedMeanwhile."""
    actor.require(Permission.DUNNING_WRITE, customer_id)
    lock_customer(session, customer_id)
    account = _account(session, customer_id)
    audit.check_version(session, account, shown_version, "billing_account", account.id)
    if account.dunning_hold_until is None:
        raise NoHold
    account.dunning_hold_since = account.dunning_hold_until = account.dunning_hold_reason = None
    _record(session, actor, account, "dunning:release", {"until": clock.today()})


def dispute(session: Session, actor: Actor, *, customer_id: int, bill_no: str, disputed_cents: int, reason: str) -> None:
    """Write down what the customer contests of a bill: that amount alone is not claimed until it is decided (W9).

    Raises NotFound, NoReason, Unreadable, TooLong, DisputeTooHigh, DisputedAlready.
    """
    actor.require(Permission.DUNNING_WRITE, customer_id)
    lock_customer(session, customer_id)
    bill = _bill(session, customer_id, bill_no)
    reason = normalise(reason, field="reason", length=_REASON)
    if not reason:
        raise NoReason
    if not 0 < disputed_cents <= bill.remaining_cents:
        raise DisputeTooHigh(left_cents=bill.remaining_cents)
    if _open_dispute(session, bill):
        raise DisputedAlready
    row = BillDispute(customer_id=customer_id, bill_id=bill.id, disputed_cents=disputed_cents, reason=reason, since=clock.today())
    session.add(row)
    session.flush()
    after = {"bill_no": bill_no, "disputed_cents": disputed_cents}
    audit.record(
        session, actor, action="dunning:dispute", object_type="bill_dispute", object_id=row.id, customer_id=customer_id, after=after,
        reason=row.reason,
    )  # fmt: skip
    on_payment(session, actor, customer_id=customer_id)


def decide_dispute(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> None:
    """End a dispute: what is still open of the bill is claimed again; what the customer was right about is credited. Raises NotFound."""
    actor.require(Permission.DUNNING_WRITE, customer_id)
    lock_customer(session, customer_id)
    row = _open_dispute(session, _bill(session, customer_id, bill_no))
    if row is None:
        raise NotFound
    _end_dispute(session, actor, row, DisputeEnd.DECIDED)


def declare_payment(session: Session, actor: Actor, *, customer_id: int, proof: str) -> date:
    """Believe that the money is on its way, once a year: services come back the same day; return until when it is waited for (W9).

    Raises NoProof, Unreadable, TooLong, NothingLate, AnnouncedThisYear.
    """
    actor.require(Permission.DUNNING_WRITE, customer_id)
    lock_customer(session, customer_id)
    account, today = _account(session, customer_id), clock.today()
    proof = normalise(proof, field="proof", length=_PROOF)
    if not proof:
        raise NoProof
    if not dunning_steps.owed(dunning_facts.of_customer(session, customer_id, today), today, catalogue().dunning):
        raise NothingLate
    mine = (col(PaymentDeclaration.customer_id) == customer_id, col(PaymentDeclaration.year) == today.year)
    before = session.execute(select(col(PaymentDeclaration.day)).where(*mine)).scalar_one_or_none()
    if before:
        raise AnnouncedThisYear(on=before)
    until = today + timedelta(days=catalogue().dunning.announced_days.value)
    row = PaymentDeclaration(customer_id=customer_id, year=today.year, day=today, until=until, proof=proof)
    session.add(row)
    session.flush()
    audit.record(
        session, actor, action="dunning:declare_payment", object_type="payment_declaration", object_id=row.id, customer_id=customer_id,
        after={"until": until}, reason=row.proof,
    )  # fmt: skip
    if account.dunning_state is not DunningState.NONE:
        _let_go(session, actor, account, awaited_until=until)
    return until


def _look_again(session: Session, actor: Actor, customer_id: int, day: date) -> Taken | None:
    """Do what is due for one customer once nobody else changes what he owes or holds."""
    lock_customer(session, customer_id)  # Before his bills, as whoever counts a payment does.
    owes = (col(Bill.customer_id) == customer_id, col(Bill.remaining_cents) > 0)
    session.execute(select(col(Bill.id)).where(*owes).order_by(col(Bill.bill_date), col(Bill.id)).with_for_update()).all()
    account, rules = _account(session, customer_id), catalogue().dunning
    at = dunning_facts.of_customer(session, customer_id, day)
    if notice := dunning_steps.take(at, day, rules):
        _carry_out(session, actor, account, at, notice)
        return Taken(customer_id, notice.step, notice.fee_cents)
    if account.dunning_state is not DunningState.NONE and not dunning_steps.owed(at, day, rules):
        _let_go(session, actor, account)
    return None


def _carry_out(session: Session, actor: Actor, account: BillingAccount, at: Situation, notice: Notice) -> None:
    """Write a step down, let it take effect, and tell the customer what is claimed, what it costs and what comes next."""
    mine, before = account.customer_id, account.dunning_state
    last = session.execute(select(func.max(col(DunningNotice.episode))).where(col(DunningNotice.customer_id) == mine)).scalar_one() or 0
    row = DunningNotice(
        customer_id=mine,
        episode=last if last and before is not DunningState.NONE else last + 1,
        step=notice.step,
        day=notice.day,
        channel=MessageChannel.LETTER if notice.by_post else MessageChannel.EMAIL,
        claimed_cents=notice.claimed_cents,
        free_until=notice.free_until,
    )
    session.add(row)
    session.flush()
    for one in notice.claims:
        session.add(
            DunningClaim(
                customer_id=mine, notice_id=row.id, bill_id=one.bill_id, claimed_cents=one.cents, missed_no=one.missed_no,
                fee_cents=one.fee_cents,
            )
        )  # fmt: skip
    if notice.step is not DunningStep.MISSED:
        account.dunning_state = DunningState(notice.step.value)
    session.flush()
    if notice.step is DunningStep.SUSPENDED:
        dunning_effects.suspend(session, actor, customer_id=mine)
    elif notice.step is DunningStep.TERMINATED:
        dunning_effects.end(session, SYSTEM, customer_id=mine, day=notice.day)
    after = {"state": account.dunning_state, "claimed_cents": notice.claimed_cents, "fee_cents": notice.fee_cents}
    audit.record(
        session, actor, action=f"dunning:{notice.step.value}", object_type="billing_account", object_id=account.id, customer_id=mine,
        before={"state": before}, after=after,
    )  # fmt: skip
    _tell(session, actor, at, notice, account)


def _tell(session: Session, actor: Actor, at: Situation, notice: Notice, account: BillingAccount) -> None:
    rules = catalogue().dunning
    template = next((rung.template for rung in rules.steps if rung.step == notice.step), rules.missed_template)
    comes = dunning_steps.next_step(dunning_steps.after(at, notice), notice.day, rules)
    params = {
        "amount_cents": notice.claimed_cents,
        "bills": ", ".join(claim.bill_no for claim in notice.claims),
        "ogm": ogm(notice.claims[0].bill_no),
        "free_last": notice.free_until - timedelta(days=1),
        "fee_cents": notice.fee_cents or None,
        "next_on": comes.day if isinstance(comes, Next) and comes.step is not DunningStep.MISSED else None,
    }
    known = communications.templates()[template]
    params = {name: value for name, value in params.items() if name in known.needs or name in known.added}
    channel = MessageChannel.LETTER if notice.by_post else None
    communications.send(session, actor, customer_id=account.customer_id, template=template, params=params, channel=channel)


def _let_go(session: Session, actor: Actor, account: BillingAccount, awaited_until: date | None = None) -> None:
    """End the episode."""
    before, account.dunning_state = account.dunning_state, DunningState.NONE
    restored = dunning_effects.restore(session, actor, customer_id=account.customer_id)
    if before is DunningState.RESTRICTED:
        restored = True
    audit.record(
        session, actor, action="dunning:end", object_type="billing_account", object_id=account.id, customer_id=account.customer_id,
        before={"state": before}, after={"state": account.dunning_state},
    )  # fmt: skip
    session.flush()
    params = {"on": clock.today(), "restored_on": clock.today() if restored else None, "awaited_until": awaited_until}
    by_post = dunning_facts.of_customer(session, account.customer_id, clock.today()).by_post
    channel = MessageChannel.LETTER if by_post else None
    communications.send(session, actor, customer_id=account.customer_id, template="dunning_ended", params=params, channel=channel)


def _account(session: Session, customer_id: int) -> BillingAccount:
    mine = select(BillingAccount).where(col(BillingAccount.customer_id) == customer_id).with_for_update()
    found: BillingAccount | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _bill(session: Session, customer_id: int, bill_no: str) -> Bill:
    named = (col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no, col(Bill.category) != BillCategory.CREDIT_NOTE)
    found: Bill | None = session.execute(select(Bill).where(*named).with_for_update()).scalar_one_or_none()
    if found is None:
        raise NotFound
    return found


def _open_dispute(session: Session, bill: Bill) -> BillDispute | None:
    mine = (col(BillDispute.customer_id) == bill.customer_id, col(BillDispute.bill_id) == bill.id, col(BillDispute.until).is_(None))
    found: BillDispute | None = session.execute(select(BillDispute).where(*mine)).scalar_one_or_none()
    return found


def _end_disputes(session: Session, actor: Actor, customer_id: int) -> None:
    """End the disputes that payments or credits left nothing to decide of."""
    note = aliased(Bill)
    credited = select(func.sum(col(note.incl_cents) + col(note.third_party_cents))).where(
        col(note.customer_id) == col(BillDispute.customer_id), col(note.refers_to_id) == col(BillDispute.bill_id), col(note.bill_date) >= col(BillDispute.since)
    )  # fmt: skip
    query = (
        select(BillDispute, col(Bill.remaining_cents), func.coalesce(credited.correlate(BillDispute).scalar_subquery(), 0))
        .join(Bill, (col(Bill.customer_id) == BillDispute.customer_id) & (col(Bill.id) == BillDispute.bill_id))
        .where(col(BillDispute.customer_id) == customer_id, col(BillDispute.until).is_(None))
    )
    for row, left, given in session.execute(query).all():
        if given >= row.disputed_cents:
            _end_dispute(session, actor, row, DisputeEnd.CREDITED)
        elif not left:
            _end_dispute(session, actor, row, DisputeEnd.PAID)


def _end_dispute(session: Session, actor: Actor, row: BillDispute, outcome: DisputeEnd) -> None:
    row.until, row.outcome = clock.today(), outcome
    session.flush()
    action = "dunning:decide_dispute" if outcome is DisputeEnd.DECIDED else "dunning:end_dispute"
    audit.record(
        session, actor, action=action, object_type="bill_dispute", object_id=row.id, customer_id=row.customer_id,
        before={"disputed_cents": row.disputed_cents}, after={"until": row.until, "outcome": outcome},
    )  # fmt: skip


def _record(session: Session, actor: Actor, account: BillingAccount, action: str, after: audit.Facts) -> None:
    session.flush()
    audit.record(
        session, actor, action=action, object_type="billing_account", object_id=account.id, customer_id=account.customer_id, after=after
    )
