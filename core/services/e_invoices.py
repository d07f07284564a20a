"""E-invoices of businesses (R12): a bill as UBL, and its transmissions. Sending again sends the same bill; nothing is billed twice."""

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import SYSTEM, Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, BillMedia
from core.models.e_invoice import EInvoice, EInvoiceState
from core.pdf.bill import PrintedBill, render_bill
from core.services import access_point, audit
from core.services.access_point import Answer, Parcel
from core.ubl.invoice import endpoint, render_invoice

MAX_TRIES = 8
_FIRST_PAUSE = timedelta(minutes=5)
"""How long after a first failure it is tried again; each pause is twice the one before, so that eight tries take half a day."""


class NotForConsumers(DomainError):
    """E-invoices go from business to business."""

    message = N_("Only businesses get e-invoices. Send this customer the PDF.")


class NoReceiver(DomainError):
    """The bill names no electronic address, and no enterprise number that could stand for it."""

    message = N_("Bill {bill_no} names no enterprise number, so no e-invoice can find its reader. Send the PDF.")


class UnderWay(DomainError):
    """The last transmission has no answer yet."""

    message = N_("An e-invoice of this bill is on its way already. Wait for the answer of the access point.")


@dataclass(frozen=True)
class Transmission:
    """One transmission of a bill. `access_point` None where nothing left this installation; `sha256` is that of the document."""

    attempt: int
    message_id: str
    receiver: str
    state: EInvoiceState
    tries: int
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    access_point: str | None
    answer: str | None
    sha256: str | None

    @property
    def simulated(self) -> bool:
        """Whether it was marked as sent without being handed to anybody."""
        return self.state is EInvoiceState.SENT and self.access_point is None


@dataclass(frozen=True)
class Sending:
    """Where a bill's e-invoice goes, as scheme:number, and its transmissions, the newest first."""

    bill_no: str
    receiver: str
    transmissions: tuple[Transmission, ...]

    @property
    def last(self) -> Transmission | None:
        """The newest transmission."""
        return self.transmissions[0] if self.transmissions else None


def of_bill(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> Sending | None:
    """Return how a bill or a credit note was transmitted; None where it can't be an e-invoice. Raises NotFound."""
    actor.require(Permission.BILL_READ, customer_id)
    bill_id, printed = _bill(session, customer_id, bill_no)
    receiver = endpoint(printed)
    if receiver is None:
        return None
    rows = session.execute(_rows(customer_id, bill_id)).scalars()
    return Sending(bill_no, receiver, tuple(_shown(row) for row in rows))


def document(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> bytes:
    """Return a bill as UBL with its paper embedded; who took it is written down. Raises NotFound, NotForConsumers, NoReceiver."""
    actor.require(Permission.BILL_READ, customer_id)
    _bill_id, printed = _bill(session, customer_id, bill_no)
    _receiver(printed)
    audit.record(session, actor, action="e_invoice:download", object_type="bill", object_id=bill_no, customer_id=customer_id)
    return render_invoice(printed, render_bill(printed))


def queue(session: Session, actor: Actor, *, customer_id: int, bill_no: str) -> None:
    """Begin the first transmission of a paper that was just issued, if the customer gets e-invoices; whoever may issue it causes it."""
    actor.require(Permission.BILL_READ, customer_id)
    media = select(col(BillingAccount.media)).where(col(BillingAccount.customer_id) == customer_id)
    if session.execute(media).scalar_one() is not BillMedia.PEPPOL:
        return
    bill_id, printed = _bill(session, customer_id, bill_no)
    if endpoint(printed) is not None:
        _begin(session, actor, customer_id, bill_id, printed, attempt=1)


def send(session: Session, actor: Actor, *, customer_id: int, bill_no: str, shown_attempts: int) -> Transmission:
    """Transmit an issued bill once more, or for the first time; the bill stays as it is.

    Raises NotFound, NotForConsumers, NoReceiver, UnderWay while the last one has no answer, and ChangedMeanwhile when somebody else
    sent it since `shown_attempts` transmissions were on the screen.
    """
    actor.require(Permission.EINVOICE_SEND, customer_id)
    bill_id, printed = _bill(session, customer_id, bill_no, lock=True)
    _receiver(printed)
    rows = session.execute(_rows(customer_id, bill_id)).scalars().all()
    if len(rows) != shown_attempts:
        raise audit.changed_meanwhile(session, "e_invoice", bill_no)
    if any(row.state is EInvoiceState.QUEUED for row in rows):
        raise UnderWay
    return _shown(_begin(session, actor, customer_id, bill_id, printed, attempt=len(rows) + 1))


def take_due(session: Session, actor: Actor) -> Parcel | None:
    """Take the transmission that waits longest, and lease it: should its answer never be written down, it is tried again later.

    None where nothing is due, or no access point is set up and this is not a demo: then it waits.
    """
    actor.require(Permission.EINVOICE_SEND)
    if not access_point.carries():
        return None
    due = (col(EInvoice.state) == EInvoiceState.QUEUED, col(EInvoice.due_at) <= clock.now())
    query = select(EInvoice).where(*due).order_by(col(EInvoice.due_at), col(EInvoice.id)).limit(1).with_for_update(skip_locked=True)
    row = session.execute(query).scalar_one_or_none()
    return _take(session, row) if row else None


def settle(session: Session, actor: Actor, *, parcel: Parcel, answer: Answer) -> None:
    """Write down what came of handing over: sent, tried again after a longer pause each time, or failed for good."""
    actor.require(Permission.EINVOICE_SEND, parcel.customer_id)
    named = (col(EInvoice.customer_id) == parcel.customer_id, col(EInvoice.id) == parcel.id)
    row = session.execute(select(EInvoice).where(*named).with_for_update()).scalar_one()
    if row.state is not EInvoiceState.QUEUED:
        return  # An earlier try was slow, and has answered meanwhile.
    row.answer, row.access_point = answer.text, answer.access_point
    if answer.accepted:
        row.state, row.sent_at, row.sha256 = EInvoiceState.SENT, clock.now(), hashlib.sha256(parcel.document).hexdigest()
    elif answer.final or row.tries >= MAX_TRIES:
        row.state = EInvoiceState.FAILED
    else:
        row.due_at = clock.now() + _pause(row.tries)
        session.flush()
        return
    after = {"attempt": row.attempt, "state": row.state, "answer": row.answer}
    audit.record(session, actor, action="e_invoice:settle", object_type="e_invoice", object_id=row.message_id, customer_id=row.customer_id, after=after)  # fmt: skip
    session.flush()


def _begin(session: Session, actor: Actor, customer_id: int, bill_id: int, printed: PrintedBill, *, attempt: int) -> EInvoice:
    """Write a transmission down. A demo without an access point simulates it at once: it has no network to wait for.

    The reference follows from who sends which bill and for which time: worked out again, it is the same.
    """
    named = f"urn:guichet:{printed.seller.enterprise_no}:{printed.bill_no}:{attempt}"
    row = EInvoice(
        customer_id=customer_id,
        bill_id=bill_id,
        attempt=attempt,
        message_id=str(uuid.uuid5(uuid.NAMESPACE_URL, named)),
        receiver=_receiver(printed),
        queued_at=clock.now(),
        due_at=clock.now(),
    )
    session.add(row)
    session.flush()
    after = {"message_id": row.message_id, "attempt": attempt, "receiver": row.receiver}
    audit.record(
        session, actor, action="e_invoice:send", object_type="e_invoice", object_id=printed.bill_no, customer_id=customer_id, after=after
    )
    if access_point.simulated():
        parcel = _take(session, row)
        settle(session, SYSTEM, parcel=parcel, answer=access_point.hand_over(parcel))
    return row


def _take(session: Session, row: EInvoice) -> Parcel:
    row.tries += 1
    row.due_at = clock.now() + _pause(row.tries)
    session.flush()
    named = (col(Bill.customer_id) == row.customer_id, col(Bill.id) == row.bill_id)
    printed = PrintedBill.from_dict(session.execute(select(col(Bill.printed)).where(*named)).scalar_one())
    return Parcel(row.id, row.customer_id, row.message_id, row.receiver, render_invoice(printed, render_bill(printed)))


def _pause(tries: int) -> timedelta:
    return _FIRST_PAUSE * (1 << tries - 1)


def _receiver(printed: PrintedBill) -> str:
    """Return where an e-invoice goes. Raises NotForConsumers, NoReceiver."""
    if not printed.priced_excl:
        raise NotForConsumers
    found = endpoint(printed)
    if found is None:
        raise NoReceiver(bill_no=printed.bill_no)
    return found


def _bill(session: Session, customer_id: int, bill_no: str, *, lock: bool = False) -> tuple[int, PrintedBill]:
    query = select(col(Bill.id), col(Bill.printed)).where(col(Bill.customer_id) == customer_id, col(Bill.bill_no) == bill_no)
    found = session.execute(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound
    return found.id, PrintedBill.from_dict(found.printed)


def _rows(customer_id: int, bill_id: int) -> Any:  # noqa: ANN401 - a select, which SQLModel types by hand
    named = (col(EInvoice.customer_id) == customer_id, col(EInvoice.bill_id) == bill_id)
    return select(EInvoice).where(*named).order_by(col(EInvoice.attempt).desc())


def _shown(row: EInvoice) -> Transmission:
    return Transmission(
        attempt=row.attempt,
        message_id=row.message_id,
        receiver=row.receiver,
        state=row.state,
        tries=row.tries,
        queued_at=row.queued_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        access_point=row.access_point,
        answer=row.answer,
        sha256=row.sha256,
    )
