"""A payment that somebody writes down by hand, and what it would do before it is saved (W8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.errors import N_, DomainError
from core.models.billing_account import PaymentMethod
from core.models.payment import Payment, PaymentState
from core.services import open_amounts, payments
from core.services.payments import NothingReceived, NotReceivedYet
from core.services.references import parse_ogm
from core.text_rules import fold, needed, normalise

COMMENT_LENGTH = 200
_AMOUNT = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,2}))?")
COMMUNICATION_LENGTH = 140


class TooMuchByHand(DomainError):
    """The amount is higher than what is written down by hand."""

    message = N_("By hand at most {most_cents}. A larger payment is taken from the bank's statement.")
    field = "amount"


class TooLongAgo(DomainError):
    """The day is too far back."""

    message = N_("That is more than {days} days ago. Look the payment up in the bank's statements.")
    field = "received_on"


class NamesAnotherFile(DomainError):
    """The communication is that of another customer's bill."""

    message = N_("This communication is that of another customer's bill. Open his file, or leave it out.")
    field = "communication"


class BookedAlready(DomainError):
    """The bank's statement brought this money before."""

    message = N_(
        "The bank's statement of {day} brought {amount_cents} of this customer. "
        "If this is other money, give its own communication, or wait for its statement."
    )
    field = "amount"


class AmountUnreadable(DomainError):
    """What was typed is no amount."""

    message = N_("Write the amount in euro, with a comma before the cents: 42,00.")
    field = "amount"


@dataclass(frozen=True)
class Preview:
    """What a payment would do, in cents: open and credit before and after, and what counts on which bill."""

    open_before_cents: int
    open_after_cents: int
    credit_before_cents: int
    credit_after_cents: int
    counted: tuple[tuple[str, int], ...]


def cents_of(text: str, *, field: str = "amount") -> int:
    """Return what was typed into a field as an amount in euro, such as "42", "42,5" or "1 234,56", in cents. Raises AmountUnreadable."""
    found = _AMOUNT.fullmatch("".join(text.split()).replace("€", ""))
    if found is None:
        raise AmountUnreadable(field=field)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def spread(cents: int, rests: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """Share money out over bills (number, cents still asked) in their order; what is left over is on none of them."""
    shares = []
    for bill_no, rest in rests:
        share = min(cents, rest)
        if share:
            shares.append((bill_no, share))
        cents -= share
    return tuple(shares)


def same_words(one: str | None, other: str | None) -> bool:
    """Whether two communications may be of the same transfer: they are the same, however written, or one of them is missing."""
    if not one or not other:
        return True
    return (parse_ogm(one) or fold(one)) == (parse_ogm(other) or fold(other))


def preview(session: Session, actor: Actor, *, customer_id: int, amount_cents: int, bill_no: str | None = None) -> Preview:
    """Tell what a payment would do; with a bill, that one is paid first."""
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    before = open_amounts.open_summary(session, customer_id)
    rests = [(row.bill_no, row.remaining_cents) for row in session.execute(payments.open_bills(customer_id)).scalars()]
    counted = spread(max(amount_cents, 0), sorted(rests, key=lambda rest: rest[0] != bill_no))
    used = sum(cents for _bill_no, cents in counted)
    return Preview(
        open_before_cents=before.open_cents,
        open_after_cents=before.open_cents - used,
        credit_before_cents=before.credit_cents,
        credit_after_cents=before.credit_cents + max(amount_cents, 0) - used,
        counted=counted,
    )


def enter(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    received_on: date,
    amount_cents: int,
    comment: str,
    communication: str = "",
    bill_no: str | None = None,
) -> int:
    """Write down a payment of a customer, with a comment that says how it is known; return its id.

    Raises NothingReceived, TooMuchByHand, NotReceivedYet, TooLongAgo, NamesAnotherFile, Missing without a comment, BookedAlready,
    NotFound.
    """
    actor.require(Permission.PAYMENT_RECORD, customer_id)
    if amount_cents <= 0:
        raise NothingReceived
    if amount_cents > (most := law("payment_by_hand_max_cents")):
        raise TooMuchByHand(most_cents=most)
    if received_on > clock.today():
        raise NotReceivedYet
    if received_on < clock.today() - timedelta(days=(days := law("payment_by_hand_back_days"))):
        raise TooLongAgo(days=days)
    communication = normalise(communication, field="communication", length=COMMUNICATION_LENGTH)
    if payments.owner_of(session, communication) not in {None, customer_id}:
        raise NamesAnotherFile
    comment = needed(comment, field="comment", length=COMMENT_LENGTH)
    payments.lock(session, [customer_id])  # A statement that is being taken in holds him too: its money is seen once it is there.
    if day := _brought_on(session, customer_id, received_on, amount_cents, communication):
        raise BookedAlready(day=day, amount_cents=amount_cents)
    return payments.record(
        session, actor, customer_id=customer_id, received_on=received_on, amount_cents=amount_cents, comment=comment,
        communication=communication or None, bill_no=bill_no or parse_ogm(communication),
    )  # fmt: skip


def _brought_on(session: Session, customer_id: int, received_on: date, amount_cents: int, communication: str) -> date | None:
    """Return the day on which a statement brought what may be the same money, as `statements` meets what was written by hand."""
    days = timedelta(days=law("payment_by_hand_meets_statement_days"))
    query = select(col(Payment.received_on), col(Payment.communication)).where(
        col(Payment.customer_id) == customer_id,
        col(Payment.amount_cents) == amount_cents,
        col(Payment.method) == PaymentMethod.TRANSFER.value,
        col(Payment.state) == PaymentState.MATCHED,
        col(Payment.statement_id).is_not(None),
        col(Payment.received_on).between(received_on - days, received_on + days),
    )
    found = session.execute(query.order_by(col(Payment.received_on), col(Payment.id))).all()
    return next((day for day, words in found if same_words(words, communication)), None)
