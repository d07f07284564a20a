"""When a macro is offered: each condition finds its facts, or says that it does not hold (W17)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor
from core.catalogue import law
from core.models.appointment import Appointment, AppointmentState, Failure
from core.models.bill import Bill, BillCategory
from core.models.interaction import Task
from core.models.payment import Payment, PaymentAllocation
from core.services import move_progress
from core.services.bill_words import CreditReason

RECENT_DAYS = 60
MODEM_DAYS = 14


def _visit_missed(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    """Find the last visit that we missed, while something is left to make good: the money, or another visit."""
    mine = (col(Appointment.customer_id) == customer_id, col(Appointment.failed_by) == Failure.OPERATOR)
    since = clock.today() - timedelta(days=RECENT_DAYS)
    query = (
        select(Appointment).where(*mine, col(Appointment.day) >= since).order_by(col(Appointment.day).desc(), col(Appointment.id).desc())
    )
    missed: Appointment | None = session.execute(query.limit(1)).scalar_one_or_none()
    bill_no = _newest_bill(session, customer_id)
    if missed is None or bill_no is None:
        return None
    credited = session.execute(
        select(col(Bill.bill_no), col(Bill.bill_date)).where(
            col(Bill.customer_id) == customer_id, col(Bill.reason) == CreditReason.MISSED_VISIT, col(Bill.period_since) == missed.day
        )
    ).first()
    planned = session.execute(
        select(col(Appointment.day), col(Appointment.part))
        .where(
            col(Appointment.customer_id) == customer_id, col(Appointment.category) == missed.category,
            col(Appointment.state).in_((AppointmentState.CONFIRMED, AppointmentState.COMPLETED)), col(Appointment.day) > missed.day,
        )
        .order_by(col(Appointment.day).desc())
        .limit(1)
    ).first()  # fmt: skip
    if credited and planned:
        return None
    return {
        "visit_day": missed.day, "appointment_no": missed.appointment_no, "category": missed.category, "zone": missed.zone,
        "credit_cents": int(law("missed_visit_credit_cents")), "bill_no": bill_no, "credited": credited, "planned": planned,
    }  # fmt: skip


def _debit_refused(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    """Find the last collection that came back, while its bill asks something."""
    since = clock.today() - timedelta(days=RECENT_DAYS)
    query = (
        select(col(Bill.bill_no), col(Bill.remaining_cents), col(Bill.payable_until), col(Bill.ogm))
        .join(PaymentAllocation, (col(PaymentAllocation.customer_id) == Bill.customer_id) & (col(PaymentAllocation.bill_id) == Bill.id))
        .join(Payment, (col(Payment.customer_id) == PaymentAllocation.customer_id) & (col(Payment.id) == PaymentAllocation.payment_id))
        .where(
            col(Bill.customer_id) == customer_id, col(Bill.remaining_cents) > 0, col(Bill.payable_until) >= clock.today(),
            col(Payment.returned_on) >= since,
        )
        .order_by(col(Payment.returned_on).desc(), col(Payment.id).desc())
        .limit(1)
    )  # fmt: skip
    row = session.execute(query).first()
    return {"bill_no": row[0], "amount_cents": row[1], "due": row[2], "ogm": row[3]} if row else None


def _modem_missing(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    until = clock.today() + timedelta(days=MODEM_DAYS)
    task = open_task(session, customer_id, "modem_not_returned")
    return {"until": until} if task is not None and (task.due is None or task.due <= clock.today()) else None


def _move_running(session: Session, actor: Actor, customer_id: int) -> dict[str, Any] | None:
    move = move_progress.current(session, actor, customer_id=customer_id)
    if move is None:
        return None
    after = max(move.move_in, clock.today()) + timedelta(days=1)
    return {"move_out": move.move_out, "move_in": move.move_in, "after_move": after, "address": move.address}


CONDITIONS: dict[str, Callable[[Session, Actor, int], dict[str, Any] | None]] = {
    "visit_missed": _visit_missed,
    "debit_refused": _debit_refused,
    "modem_missing": _modem_missing,
    "move_running": _move_running,
}


def _newest_bill(session: Session, customer_id: int) -> str | None:
    mine = (col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE)
    query = select(col(Bill.bill_no)).where(*mine).order_by(col(Bill.bill_date).desc(), col(Bill.id).desc()).limit(1)
    return session.execute(query).scalar_one_or_none()


def open_task(session: Session, customer_id: int, code: str) -> Task | None:
    """Return the oldest task of a kind that is still open."""
    mine = (col(Task.customer_id) == customer_id, col(Task.code) == code, col(Task.done_at).is_(None))
    found: Task | None = session.execute(select(Task).where(*mine).order_by(col(Task.id)).limit(1)).scalar_one_or_none()
    return found
