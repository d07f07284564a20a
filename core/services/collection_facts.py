"""What could be collected: each open bill under a mandate, when, as which collection of its mandate, and what stands in the way."""

from collections.abc import Collection as Many
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core.catalogue import law
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount
from core.models.collection import Collection, CollectionState, Sequence
from core.models.customer import Customer
from core.models.dunning import BillDispute
from core.models.mandate import Mandate, MandateState
from core.models.payment import PaymentPlan, PlanBill, PlanState
from core.services import mandates
from core.services.periods import banking_day_ahead, banking_days_before, next_banking_day

LIVE = (CollectionState.PENDING, CollectionState.SETTLED)


class Hindrance(StrEnum):
    """Why a bill is not collected."""

    DECEASED = "deceased"
    DISPUTED = "disputed"
    ENDED = "ended"
    EXPIRED = "expired"
    HOLD = "hold"
    NOTICE = "notice"
    PLAN = "plan"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Candidate:
    """A bill that is to be collected; amounts in cents. `amended` where the mandate's account is not the one it was used with last."""

    bill_id: int
    bill_no: str
    customer_id: int
    customer_no: str
    name: str
    amount_cents: int
    due_date: date
    collect_on: date
    mandate_id: int
    umr: str
    signed_on: date
    holder: str
    iban: str
    sequence: Sequence
    amended: bool
    hindrance: Hindrance | None

    @property
    def last_day(self) -> date:
        """The last day on which its file may be handed in, and on which it may be withdrawn (R7, W7)."""
        return last_day(self.collect_on)


def last_day(collect_on: date) -> date:
    """Return the last day on which the bank takes a collection of a day, or takes it back (R7, W7)."""
    return banking_days_before(collect_on, law("direct_debit_file_banking_days"))


def first_day(today: date) -> date:
    """Return the first day on which the bank would carry out what it gets today (R7)."""
    return banking_day_ahead(today, law("direct_debit_file_banking_days"))


def open_debits() -> tuple[ColumnElement[bool], ...]:
    """Return what makes a bill one that is to be collected."""
    return (col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.mandate_id).is_not(None), col(Bill.remaining_cents) > 0)


def waiting(session: Session, today: date, *where: ColumnElement[bool]) -> list[Candidate]:
    """Return the bills that no file holds yet."""
    held = select(col(Collection.bill_id)).where(col(Collection.state).in_(LIVE))
    return of_bills(session, today, *open_debits(), col(Bill.id).not_in(held), *where)


def of_bills(session: Session, today: date, *where: ColumnElement[bool], but_batch: int | None = None) -> list[Candidate]:
    """Return bills as they would be collected, in the order of their dates: the first of a new mandate comes first (R8).

    `but_batch` leaves a file out of what its mandates were used for: that of a file which is made anew.
    """
    columns = (
        Bill.id, Bill.bill_no, Bill.customer_id, Bill.bill_date, Bill.due_date, Bill.remaining_cents, Customer.customer_no, Customer.deceased_on,
        BillingAccount.dunning_hold_until, Mandate.umr, Mandate.state, Mandate.cancel_reason, Mandate.signed_on, Mandate.last_used_on, Mandate.holder, Mandate.iban,
        Mandate.amends_iban,
    )  # fmt: skip
    query = (
        select(
            *map(col, columns),
            col(Mandate.id).label("mandate_id"),
            *_name_columns(),
            _disputed().label("disputed"),
            _in_plan().label("in_plan"),
        )
        .join(Mandate, (col(Mandate.customer_id) == col(Bill.customer_id)) & (col(Mandate.id) == col(Bill.mandate_id)))
        .join(Customer, col(Customer.id) == col(Bill.customer_id))
        .join(BillingAccount, col(BillingAccount.customer_id) == col(Bill.customer_id))
        .where(*where)
        .order_by(col(Bill.bill_date), col(Bill.id))
    )
    rows = session.execute(query).all()
    last = _last_ibans(session, {row.mandate_id for row in rows}, but_batch)
    found = []
    for row in rows:
        used_with = last.get(row.mandate_id) or ((row.amends_iban or row.iban) if row.last_used_on else None)
        one = _candidate(row, today, used_with)
        found.append(one)
        if one.hindrance is None:
            last[row.mandate_id] = row.iban
    return found


def _candidate(row: Any, today: date, used_with: str | None) -> Candidate:  # noqa: ANN401 - a row of a wide select
    collect_on = max(next_banking_day(row.due_date), first_day(today))
    return Candidate(
        bill_id=row.id,
        bill_no=row.bill_no,
        customer_id=row.customer_id,
        customer_no=row.customer_no,
        name=row.trading_name or " ".join(part for part in (row.given_name, row.family_name) if part),
        amount_cents=row.remaining_cents,
        due_date=row.due_date,
        collect_on=collect_on,
        mandate_id=row.mandate_id,
        umr=row.umr,
        signed_on=row.signed_on,
        holder=row.holder,
        iban=row.iban,
        sequence=Sequence.RCUR if used_with else Sequence.FRST,
        amended=used_with is not None and used_with != row.iban,
        hindrance=hindrance(row, collect_on),
    )


def hindrance(row: Any, collect_on: date) -> Hindrance | None:  # noqa: ANN401 - a row of a wide select
    """Return what forbids to collect a bill on a day; a mandate that its holder ended still serves the bills issued under it (W7)."""
    by_the_bank = row.state is MandateState.CANCELLED and row.cancel_reason is not None
    tests = {
        Hindrance.DECEASED: row.deceased_on is not None,
        Hindrance.SUSPENDED: row.state is MandateState.SUSPENDED,
        Hindrance.ENDED: by_the_bank,
        Hindrance.EXPIRED: row.state is MandateState.EXPIRED or collect_on >= mandates.usable_until(row.signed_on, row.last_used_on),
        Hindrance.DISPUTED: row.disputed,
        Hindrance.PLAN: row.in_plan,
        Hindrance.HOLD: row.dunning_hold_until is not None and row.dunning_hold_until > collect_on,
        Hindrance.NOTICE: (row.due_date - row.bill_date).days < law("direct_debit_prenotification_days"),
    }
    return next((why for why, holds in tests.items() if holds), None)


def _last_ibans(session: Session, mandate_ids: Many[int], but_batch: int | None) -> dict[int, str]:
    """Return by mandate the account that it was used with last; what was withdrawn, or refused before its day, was no use."""
    used = (col(Collection.state).in_(LIVE) | col(Collection.payment_id).is_not(None)) & (col(Collection.batch_id) != (but_batch or 0))
    newest = (
        select(func.max(col(Collection.id))).where(used, col(Collection.mandate_id).in_(mandate_ids)).group_by(col(Collection.mandate_id))
    )
    rows = session.execute(select(col(Collection.mandate_id), col(Collection.iban)).where(col(Collection.id).in_(newest)))
    return {mandate_id: iban for mandate_id, iban in rows}  # noqa: C416 - rows, not pairs


def _disputed() -> ColumnElement[bool]:
    """Tell whether the customer contests the bill: nothing of it is taken while that is looked into."""
    of_it = (col(BillDispute.customer_id) == col(Bill.customer_id), col(BillDispute.bill_id) == col(Bill.id))
    return select(col(BillDispute.id)).where(*of_it, col(BillDispute.until).is_(None)).exists()


def _in_plan() -> ColumnElement[bool]:
    """Tell whether the bill is paid in instalments."""
    of_it = (col(PlanBill.customer_id) == col(Bill.customer_id), col(PlanBill.bill_id) == col(Bill.id))
    plan = (col(PaymentPlan.id) == col(PlanBill.plan_id)) & (col(PaymentPlan.state) == PlanState.ACTIVE)
    return select(col(PlanBill.bill_id)).join(PaymentPlan, plan).where(*of_it).exists()


def _name_columns() -> list[Any]:
    return [col(Customer.trading_name), col(Customer.given_name), col(Customer.family_name)]


def attempts(session: Session, bill_ids: Many[int]) -> Mapping[int, int]:
    """Return by bill how often it was in a file before."""
    query = select(col(Collection.bill_id), func.count()).where(col(Collection.bill_id).in_(bill_ids)).group_by(col(Collection.bill_id))
    return {bill_id: int(many) for bill_id, many in session.execute(query)}
