"""Bills of past months and what was paid on them, for any number of customers at once: a few statements, however many there are.

Charges of a single day (a technician's visit) are not in them: they wait for the first bill that is issued after the past.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.catalogue import law
from core.models.bill import Bill, BillState, LineKind
from core.models.billing_account import BillModel, PaymentMethod
from core.models.mandate import Mandate
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.services import audit, bill_issuing, billing, periods
from core.services.bill_issuing import Issued, ToIssue
from core.services.billing import Account, BillDraft, Coverage, Held, Usage
from core.services.references import ogm
from seed.bulk import keyed, table

BILLS_AT = 6
"""The hour at which the bills of a day are made; payments are booked an hour later."""


@dataclass(frozen=True)
class Debit:
    """The mandate under which bills are collected."""

    id: int
    holder: str
    iban: str


@dataclass(frozen=True)
class Owed:
    """A bill and the day on which it is paid in full, collected or by transfer."""

    day: date
    bill: Issued
    debit: Debit | None

    @property
    def booked_at(self) -> datetime:
        """The moment at which the payment is booked."""
        return clock.at(self.day, BILLS_AT + 1)


@dataclass
class Payer:
    """Somebody whose past bills are written, from `next_day` on; `stops` is the day from whose bills on he pays no more."""

    customer_id: int
    name: str
    account: Account
    holds: Sequence[Held]
    used: Callable[[date, date], Usage]
    next_day: date
    previous: Coverage | None = None
    until: date | None = None
    pays_after: int = 10
    stops: date | None = None
    debit: Debit | None = None
    billed: dict[date, int] = field(default_factory=dict)
    """The bill of each period of use, by the period's last day."""
    owed: list[Owed] = field(default_factory=list)

    def bill_day(self) -> date | None:
        """Return the date of his next bill, if there is one."""
        day = billing.next_bill_date(self.account, self.previous, self.next_day)
        return day if self.until is None or day < self.until else None

    def drafts(self, until: datetime) -> Iterator[tuple["Payer", BillDraft]]:
        """Return his bills before a moment, and go on behind them."""
        while (day := self.bill_day()) and clock.at(day, BILLS_AT) < until:
            span = billing.usage_period(self.account, day, self.previous, self.holds)
            draft = billing.preview(
                account=self.account,
                held=self.holds,
                bill_date=day,
                previous=self.previous,
                usage=self.used(span.since, span.until),
            )
            self.previous, self.next_day = _covered(draft), day + timedelta(days=1)
            yield self, draft

    def take(self, draft: BillDraft, bill: Issued) -> None:
        """Remember a bill that was issued, and when it will be paid."""
        self.billed[draft.usage_period.last] = bill.id
        if bill.remaining_cents and (self.stops is None or draft.bill_date < self.stops):
            debit = self.debit if bill.umr else None
            day = periods.next_banking_day(bill.due_date) if debit else draft.bill_date + timedelta(days=self.pays_after)
            self.owed.append(Owed(day, bill, debit))


def before(account: Account, start: date, since: date) -> Coverage | None:
    """Return what the last bill before a day covered, which is not told itself: none for a customer who came later."""
    if since >= start:
        return None
    if account.bill_model is BillModel.LEGACY:
        cycle = periods.cycle_of(start - timedelta(days=1), account.cycle_day)
        return Coverage(cycle.since, cycle.until)
    bill_date = clock.add_months(start, -1).replace(day=law("bill_day"))
    return Coverage(bill_date, billing.paid_ahead(account, bill_date).until)


def write(session: Session, payers: Sequence[Payer], until: datetime, number_of: Callable[[date], str | None]) -> list[tuple[date, Issued]]:
    """Issue all bills of these customers before a moment, in the order of their dates, and book what they paid on them by then.

    `number_of` gives the number of a bill of a date; None leaves it to the counter. Returns the bills with their dates.
    """
    with clock.standing(until):
        todo = sorted((one for payer in payers for one in payer.drafts(until)), key=lambda one: one[1].bill_date)
        bills = [
            ToIssue(payer.customer_id, draft, number_of(draft.bill_date), clock.at(draft.bill_date, BILLS_AT)) for payer, draft in todo
        ]
        issued = bill_issuing.issue_many(session, SYSTEM, bills=bills)
        for (payer, draft), bill in zip(todo, issued, strict=True):
            payer.take(draft, bill)
    _pay(session, payers, until)
    return [(draft.bill_date, bill) for (_payer, draft), bill in zip(todo, issued, strict=True)]


def _covered(draft: BillDraft) -> Coverage:
    """Return what a bill paid for, as the next one will read it."""
    paid: dict[int | None, date] = {}
    for line in draft.lines:
        if line.kind is LineKind.ADJUSTMENT and line.since:
            paid[line.product_id] = line.since
        elif line.kind in {LineKind.SUBSCRIPTION, LineKind.OPTION} and line.until:
            paid[line.product_id] = max(line.until, paid.get(line.product_id, line.until))
        elif line.kind is LineKind.ONE_OFF and line.since:
            paid[line.product_id] = line.since
    return Coverage(draft.bill_date, draft.period.until, paid)


def _pay(session: Session, payers: Sequence[Payer], until: datetime) -> None:
    """Book the payments before a moment, in the order of their days."""
    due = sorted(((one, payer) for payer in payers for one in payer.owed if one.booked_at < until), key=lambda found: found[0].day)
    for payer in payers:
        payer.owed = [one for one in payer.owed if one.booked_at >= until]
    if not due:
        return
    ids = keyed(session, Payment, [_payment(one, payer) for one, payer in due])
    counted = [
        {
            "customer_id": payer.customer_id,
            "payment_id": key,
            "bill_id": one.bill.id,
            "amount_cents": one.bill.remaining_cents,
            "allocated_on": one.day,
        }
        for key, (one, payer) in zip(ids, due, strict=True)
    ]
    session.execute(insert(table(PaymentAllocation)), counted)
    bills, paid = table(Bill), [{"key": one.bill.id} for one, _payer in due]
    settled = {"remaining_cents": 0, "state": BillState.SETTLED, "version": bills.c.version + 1}
    session.execute(update(bills).where(bills.c.id == bindparam("key")).values(settled), paid)
    mandates, last = table(Mandate), {one.debit.id: one.day for one, _payer in due if one.debit}
    if last:
        used = {"last_used_on": bindparam("day"), "version": mandates.c.version + 1}
        uses = [{"key": key, "day": day} for key, day in last.items()]
        session.execute(update(mandates).where(mandates.c.id == bindparam("key")).values(used), uses)
    with clock.standing(until):
        audit.record(
            session, SYSTEM, action="payment:record", object_type="payment", object_id=ids[-1],
            customer_id=payers[0].customer_id if len(payers) == 1 else None, after={"payments": len(ids), "first": ids[0], "last": ids[-1]},
        )  # fmt: skip


def _payment(one: Owed, payer: Payer) -> dict[str, Any]:
    return {
        "version": 1,
        "customer_id": payer.customer_id,
        "received_on": one.day,
        "amount_cents": one.bill.remaining_cents,
        "method": (PaymentMethod.DIRECT_DEBIT if one.debit else PaymentMethod.TRANSFER).value,
        "state": PaymentState.MATCHED,
        "communication": ogm(one.bill.bill_no),
        "payer_name": one.debit.holder if one.debit else payer.name,
        "payer_iban": one.debit.iban if one.debit else None,
        "mandate_id": one.debit.id if one.debit else None,
    }
