"""What stands on the files before two people come to them: `python -m tests.browser.two_scene` sets it and says what is called how."""

import json
from datetime import date

from sqlmodel import Session, col, select

from core import clock
from core.actor import Actor, Role
from core.db import transaction
from core.models.appointment import AppointmentCategory
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount, HoldReason
from core.models.customer import Customer, CustomerStatus
from core.models.document import DocumentKind
from core.models.mandate import Mandate, MandateState
from core.models.payment import PaymentPlan
from core.models.saved_view import Ownership
from core.models.user import User
from core.services import (
    access,
    appointments,
    approvals,
    corrections,
    documents,
    dunning,
    flags,
    interactions,
    notes,
    payment_plans,
    refunds,
    saved_views,
    slots,
    tags,
    tasks,
)  # fmt: skip
from core.services.access import Why
from core.services.bill_words import CreditReason
from core.services.corrections import Wish
from core.services.lists import Query
from tests.browser.conftest import ROOT

Told = dict[str, str | int]
"""Names of what was made: numbers of customers, ids of rows."""


def main() -> None:
    """Set the scene in the database that the settings name, and print its names."""
    told: Told = {}
    with transaction() as session:
        colleagues = {one: _actor(session, one) for one in ("agent", "senior", "billing", "admin")}
        _story(session, colleagues["agent"], told)
        _visits(session, colleagues["agent"], told)
        _money(session, colleagues, told)
        _rest(session, colleagues, told)
    print(json.dumps(told))  # noqa: T201 - the answer of a command


def _actor(session: Session, username: str) -> Actor:
    user = session.exec(select(User).where(User.username == username)).one()
    return Actor(user_id=user.id, username=username, role=Role(user.role))


def _story(session: Session, agent: Actor, told: Told) -> None:
    for name, customer_id in (("pin", 1), ("reword", 2), ("withdraw", 3)):
        told[f"note/{name}"] = notes.add(session, agent, customer_id=customer_id, text=f"Note to {name}")
    told["tag"] = tags.add(session, agent, customer_id=4, word="two")
    for name, customer_id in (("complete", 1), ("hand_over", 2), ("reopen", 3)):
        told[f"task/{name}"] = tasks.add(session, agent, customer_id=customer_id, words=f"Task to {name}", due=clock.today())
    done = int(told["task/reopen"])
    tasks.complete(session, agent, customer_id=3, task_id=done, shown_version=1)
    told["talk"] = interactions.begin(session, agent, customer_id=2)


def _visits(session: Session, agent: Actor, told: Told) -> None:
    """Plan two visits that have begun by now, and two to come."""
    for name, customer_id, planned in (
        ("complete", 1, date(2026, 11, 11)), ("fail", 2, date(2026, 11, 11)), ("move", 3, None), ("cancel", 10, None),
    ):  # fmt: skip
        with clock.standing(clock.at(planned, 9) if planned else clock.now()):
            home = appointments.of_customer(session, agent, customer_id=customer_id).home
            assert home is not None
            category, zone = AppointmentCategory.REPAIR, slots.zone_of(home.postcode)
            week = slots.week(session, zone=zone, category=category, day=slots.window(category).since)
            free = next(half for day in week.days for half in day.half_days if half.free)
            visit = appointments.book(session, agent, customer_id=customer_id, category=category, slot_id=free.id)
            told[f"visit/{name}"] = visit.appointment_no


def _money(session: Session, by: dict[str, Actor], told: Told) -> None:
    late = (
        select(Customer.id)
        .join(Bill, col(Bill.customer_id) == Customer.id)
        .join(BillingAccount, col(BillingAccount.customer_id) == Customer.id)
        .where(
            col(Customer.id) > 13, Customer.status == CustomerStatus.ACTIVE, Bill.category == BillCategory.NORMAL,
            Bill.remaining_cents > 500, Bill.due_date < clock.today(), col(BillingAccount.dunning_hold_until).is_(None),
            col(Customer.id).not_in(select(PaymentPlan.customer_id)), col(Customer.id).not_in(select(Mandate.customer_id)),
        )
        .distinct()
        .order_by(col(Customer.id))
    )  # fmt: skip
    held, released, proposed, withdrawn = session.exec(late).all()[:4]
    for name, customer_id in (("hold", held), ("release", released), ("propose", proposed), ("withdraw", withdrawn)):
        told[name] = _opened(session, by, customer_id)
    account = session.exec(select(BillingAccount).where(BillingAccount.customer_id == released)).one()
    until = clock.add_months(clock.today(), 1)
    dunning.hold(session, by["billing"], customer_id=released, reason=HoldReason.INQUIRY, until=until, shown_version=account.version)
    payment_plans.propose_plan(session, by["billing"], customer_id=withdrawn, shown_plan=None)
    paid = (
        select(Bill)
        .join(Mandate, col(Mandate.customer_id) == Bill.customer_id)
        .where(
            col(Bill.customer_id) > 13, Mandate.state == MandateState.ACTIVE, Bill.category == BillCategory.NORMAL,
            Bill.remaining_cents == 0, Bill.incl_cents > 1000,
        )
        .order_by(col(Bill.customer_id), col(Bill.id).desc())
    )  # fmt: skip
    bills = list({bill.customer_id: bill for bill in session.exec(paid)}.values())
    for name, bill in zip(("complete", "reject"), bills, strict=False):
        wish = Wish(bill.bill_no, CreditReason.GOODWILL, "Two at once", amount_cents=500)
        note = corrections.credit(session, by["senior"], customer_id=bill.customer_id, wish=wish)
        iban = refunds.accounts(session, by["senior"], customer_id=bill.customer_id)[0].iban
        refund = refunds.refund(session, by["senior"], customer_id=bill.customer_id, credit_note_no=note, iban=iban)
        told |= {f"refund/{name}": refund, f"refund/{name}/note": note, f"refund/{name}/file": _opened(session, by, bill.customer_id)}
    for name, bill in zip(("approve", "refuse", "withdraw"), bills[2:], strict=False):
        wish = Wish(bill.bill_no, CreditReason.GOODWILL, "Two at once", amount_cents=900)
        told[f"approval/{name}"] = approvals.request_credit(session, by["agent"], customer_id=bill.customer_id, wish=wish)


def _rest(session: Session, by: dict[str, Actor], told: Told) -> None:
    data = (ROOT / "tests" / "corpus" / "ok_id.png").read_bytes()
    for name, customer_id in (("review", 9), ("withdraw", 10)):
        row = documents.add(session, by["agent"], customer_id=customer_id, kind=DocumentKind.OTHER, name="two.png", data=data)
        told[f"document/{name}"] = row.document_no
    documents.review(
        session, by["senior"], customer_id=10, document_id=row.id, shown_version=row.version, accept=False, reason="unreadable"
    )
    for name in ("change", "remove"):
        told[f"view/{name}"] = saved_views.save(session, by["senior"], name=f"Two {name}", ownership=Ownership.TEAM, query=Query("bills"))
    customer = session.get_one(Customer, 8)
    marks = {"vip": False, "colleague": False, "vulnerable": True}
    flags.change(session, by["senior"], customer_id=8, shown_version=customer.version, reason="", **marks)
    told["entry"] = (
        session.exec(select(AuditEntry.id).where(AuditEntry.action == "customer:flags").order_by(col(AuditEntry.id).desc())).first() or 0
    )


def _opened(session: Session, by: dict[str, Actor], customer_id: int) -> str:
    """Give each colleague's reason to open a file that is no sample, and return its number."""
    number = session.get_one(Customer, customer_id).customer_no
    for actor in by.values():
        access.give_reason(session, actor, customer_no=number, why=Why.OTHER, words="two at once")
    return number


main()
