"""E-invoices of businesses: sent once when a bill is issued, once more when asked, and never a second bill (R12, c12)."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from core import clock, db, jobs
from core.actor import SYSTEM, Actor, Permission, Role
from core.db import Base
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import Bill
from core.models.billing_account import BillingAccount, BillMedia
from core.models.customer import Customer, CustomerKind
from core.models.e_invoice import EInvoice, EInvoiceState
from core.services import access_point, bills, e_invoices
from core.services.access_point import Answer
from core.services.bills import CreditReason
from core.services.e_invoices import NoReceiver, NotForConsumers, Sending, Transmission, UnderWay
from core.settings import Mode, settings
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import NOVEMBER, bill

BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
BILL_NO = "2611000048"
ACCESS_POINT = "https://key:secret@peppol.example/send"


def bakery(session: Session, **given: Any) -> Customer:
    """P04: a bakery with three products, billed by Peppol, and the bill of November: 88.00."""
    facts: dict[str, Any] = {"trading_name": "Boulangerie Martin SRL", "enterprise_no": "0999999031", "media": BillMedia.PEPPOL} | given
    customer = make_customer(session, kind=CustomerKind.ORGANIZATION, **facts)
    account = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).one()
    account.order_reference, account.peppol_id = "BM-2026", f"0208:{facts['enterprise_no']}" if facts["enterprise_no"] else None
    for code in ("LOCO", "CHILI", "CHILI"):
        make_product(session, customer, code)
    bill(session, customer, NOVEMBER, bill_no=BILL_NO)
    return customer


def sending(session: Session, customer: Customer, bill_no: str = BILL_NO) -> Sending:
    found = e_invoices.of_bill(session, AGENT, customer_id=customer.id, bill_no=bill_no)
    assert found is not None
    return found


def send(session: Session, customer: Customer, shown: int, actor: Actor = AGENT) -> Transmission:
    return e_invoices.send(session, actor, customer_id=customer.id, bill_no=BILL_NO, shown_attempts=shown)


def actions(session: Session, action: str) -> list[AuditEntry]:
    return list(session.exec(select(AuditEntry).where(col(AuditEntry.action) == action).order_by(col(AuditEntry.id))))


@pytest.fixture
def with_access_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "peppol_url", ACCESS_POINT)


class TestIssue:
    def test_a_business_gets_its_bill_as_an_e_invoice_when_it_is_issued(self, session: Session) -> None:
        customer = bakery(session)
        (first,) = sending(session, customer).transmissions
        assert (first.attempt, first.state, first.receiver) == (1, EInvoiceState.SENT, "0208:0999999031")
        assert first.sent_at == clock.at(NOVEMBER, 6)

    def test_a_credit_note_is_sent_too(self, session: Session) -> None:
        customer = bakery(session)
        note = bills.issue_credit_note(
            session, BILLING, customer_id=customer.id, reason=CreditReason.GOODWILL, bill_no=BILL_NO, incl_cents=1210
        )  # fmt: skip
        assert [one.state for one in sending(session, customer, note).transmissions] == [EInvoiceState.SENT]
        assert b"CreditNote-2" in e_invoices.document(session, AGENT, customer_id=customer.id, bill_no=note)

    def test_says_that_a_demo_without_an_access_point_only_simulates(self, session: Session) -> None:
        (first,) = sending(session, bakery(session)).transmissions
        assert first.simulated

    def test_a_business_billed_on_paper_gets_none_until_it_is_asked_for(self, session: Session) -> None:
        customer = bakery(session, media=BillMedia.PAPER)
        assert sending(session, customer).transmissions == ()
        assert send(session, customer, 0).attempt == 1

    def test_a_consumer_gets_none(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        bill(session, customer, NOVEMBER, bill_no="2611000017")
        assert e_invoices.of_bill(session, AGENT, customer_id=customer.id, bill_no="2611000017") is None
        assert session.exec(select(func.count()).select_from(EInvoice)).one() == 0

    @pytest.mark.usefixtures("with_access_point")
    def test_with_an_access_point_it_waits_for_the_job(self, session: Session) -> None:
        (first,) = sending(session, bakery(session)).transmissions
        assert (first.state, first.sent_at, first.sha256) == (EInvoiceState.QUEUED, None, None)


class TestSend:
    def test_a_second_transmission_of_the_same_bill_bills_nothing_twice(self, session: Session) -> None:
        customer = bakery(session)
        before = session.exec(select(Bill)).one().model_dump()
        second = send(session, customer, 1)
        first = sending(session, customer).transmissions[1]
        assert (second.attempt, second.state, second.sent_at) == (2, EInvoiceState.SENT, clock.now())
        assert second.sha256 == first.sha256
        assert second.message_id != first.message_id
        session.expire_all()
        assert session.exec(select(Bill)).one().model_dump() == before

    def test_is_written_down_with_its_reference(self, session: Session) -> None:
        customer = bakery(session)
        second = send(session, customer, 1)
        entry = actions(session, "e_invoice:send")[-1]
        assert (entry.actor, entry.customer_id, entry.object_id) == ("agent", customer.id, BILL_NO)
        assert entry.after == {"message_id": second.message_id, "attempt": 2, "receiver": "0208:0999999031"}

    def test_refuses_when_somebody_else_sent_it_meanwhile(self, session: Session) -> None:
        customer = bakery(session)
        send(session, customer, 1, actor=BILLING)
        with pytest.raises(ChangedMeanwhile) as refusal:
            send(session, customer, 1)
        assert refusal.value.params["who"] == "billing"
        assert len(sending(session, customer).transmissions) == 2

    @pytest.mark.usefixtures("with_access_point")
    def test_refuses_while_one_is_on_its_way(self, session: Session) -> None:
        customer = bakery(session)
        with pytest.raises(UnderWay):
            send(session, customer, 1)

    @pytest.mark.usefixtures("with_access_point")
    def test_the_database_holds_one_that_waits_for_each_bill(self, session: Session) -> None:
        bakery(session)
        waits = session.exec(select(EInvoice)).one()
        session.add(EInvoice(**waits.model_dump(exclude={"id", "attempt", "message_id"}), attempt=2, message_id="another"))
        with pytest.raises(IntegrityError):
            session.flush()

    def test_refuses_a_consumer(self, session: Session) -> None:
        customer = make_customer(session)
        make_product(session, customer, "RED")
        bill(session, customer, NOVEMBER, bill_no=BILL_NO)
        with pytest.raises(NotForConsumers):
            send(session, customer, 0)
        with pytest.raises(NotForConsumers):
            e_invoices.document(session, AGENT, customer_id=customer.id, bill_no=BILL_NO)

    def test_refuses_a_business_that_nothing_leads_to(self, session: Session) -> None:
        customer = bakery(session, enterprise_no=None)
        with pytest.raises(NoReceiver):
            send(session, customer, 0)

    def test_needs_the_right(self, session: Session) -> None:
        customer = bakery(session)
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                send(session, customer, 1, actor=actor)
        holders = {role for role in Role if Actor(None, "x", role).may(Permission.EINVOICE_SEND)}
        assert holders == {Role.AGENT, Role.SENIOR, Role.BILLING, Role.ADMIN, Role.SYSTEM}

    def test_refuses_another_customers_bill(self, session: Session) -> None:
        bakery(session)
        with pytest.raises(NotFound):
            send(session, make_customer(session), 1)


class TestDocument:
    def test_a_customer_takes_his_own_and_it_is_written_down(self, session: Session) -> None:
        customer = bakery(session)
        found = e_invoices.document(session, self_of(customer), customer_id=customer.id, bill_no=BILL_NO)
        assert b'<cbc:PayableAmount currencyID="EUR">88.00<' in found
        assert b"BM-2026" in found
        assert [entry.object_id for entry in actions(session, "e_invoice:download")] == [BILL_NO]

    def test_is_what_was_transmitted(self, session: Session) -> None:
        customer = bakery(session)
        found = e_invoices.document(session, AGENT, customer_id=customer.id, bill_no=BILL_NO)
        assert hashlib.sha256(found).hexdigest() == sending(session, customer).transmissions[0].sha256

    def test_stays_as_issued_when_the_customer_changes_his_address(self, session: Session) -> None:
        customer = bakery(session)
        before = e_invoices.document(session, AGENT, customer_id=customer.id, bill_no=BILL_NO)
        account = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).one()
        account.peppol_id, account.order_reference, customer.trading_name = "0208:0202239951", "NEW", "Autre SA"
        session.flush()
        assert e_invoices.document(session, AGENT, customer_id=customer.id, bill_no=BILL_NO) == before

    def test_is_nobody_elses(self, session: Session) -> None:
        customer = bakery(session)
        with pytest.raises(NotFound):
            e_invoices.document(session, self_of(make_customer(session)), customer_id=customer.id, bill_no=BILL_NO)


@pytest.mark.usefixtures("with_access_point")
class TestHandOver:
    """What the job does: take, hand over, settle."""

    def test_a_receipt_makes_it_sent(self, session: Session) -> None:
        customer = bakery(session)
        parcel = e_invoices.take_due(session, SYSTEM)
        assert parcel is not None
        e_invoices.settle(session, SYSTEM, parcel=parcel, answer=Answer(accepted=True, text="ok 17", access_point="peppol.example"))
        (one,) = sending(session, customer).transmissions
        assert (one.state, one.answer, one.simulated) == (EInvoiceState.SENT, "ok 17", False)
        assert one.sha256 == hashlib.sha256(parcel.document).hexdigest()
        assert e_invoices.take_due(session, SYSTEM) is None

    def test_what_is_on_its_way_is_not_taken_twice(self, session: Session) -> None:
        bakery(session)
        assert e_invoices.take_due(session, SYSTEM) is not None
        assert e_invoices.take_due(session, SYSTEM) is None

    def test_a_lost_answer_is_tried_again_under_the_same_reference(self, session: Session) -> None:
        bakery(session)
        first = e_invoices.take_due(session, SYSTEM)
        with clock.standing(clock.now() + timedelta(minutes=6)):
            again = e_invoices.take_due(session, SYSTEM)
        assert first is not None
        assert first == again

    def test_each_failure_waits_twice_as_long_and_the_eighth_is_the_last(self, session: Session) -> None:
        customer, moment, pauses = bakery(session), clock.now(), []
        for _ in range(e_invoices.MAX_TRIES):
            with clock.standing(moment):
                parcel = e_invoices.take_due(session, SYSTEM)
                assert parcel is not None
                e_invoices.settle(session, SYSTEM, parcel=parcel, answer=Answer(accepted=False, text="503 busy"))
            row = session.exec(select(EInvoice)).one()
            pauses.append((row.due_at - moment) / timedelta(minutes=1))
            moment = row.due_at
        assert pauses == [5, 10, 20, 40, 80, 160, 320, 640]
        assert row.state is EInvoiceState.FAILED
        assert [one.answer for one in sending(session, customer).transmissions] == ["503 busy"]
        assert send(session, customer, 1).attempt == 2

    def test_a_refusal_of_the_document_is_not_tried_again(self, session: Session) -> None:
        customer = bakery(session)
        parcel = e_invoices.take_due(session, SYSTEM)
        assert parcel is not None
        e_invoices.settle(session, SYSTEM, parcel=parcel, answer=Answer(accepted=False, text="400 unknown receiver", final=True))
        assert [one.state for one in sending(session, customer).transmissions] == [EInvoiceState.FAILED]

    def test_a_slow_answer_does_not_undo_a_faster_one(self, session: Session) -> None:
        customer = bakery(session)
        parcel = e_invoices.take_due(session, SYSTEM)
        assert parcel is not None
        e_invoices.settle(session, SYSTEM, parcel=parcel, answer=Answer(accepted=True, access_point="peppol.example"))
        e_invoices.settle(session, SYSTEM, parcel=parcel, answer=Answer(accepted=False, final=True))
        assert [one.state for one in sending(session, customer).transmissions] == [EInvoiceState.SENT]

    def test_a_live_house_without_an_access_point_keeps_it_waiting(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "peppol_url", None)
        monkeypatch.setattr(settings(), "mode", Mode.LIVE)
        customer = bakery(session)
        assert e_invoices.take_due(session, SYSTEM) is None
        assert [one.state for one in sending(session, customer).transmissions] == [EInvoiceState.QUEUED]


class _AccessPoint(BaseHTTPRequestHandler):
    """An access point that answers what it was told to, and keeps what it got."""

    answer: tuple[int, bytes] = (200, b"")
    got: list[tuple[str, Message, bytes]]

    def do_POST(self) -> None:
        self.got.append((self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        status, body = self.answer
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST  # noqa: N815 - the base class's name

    def log_message(self, *_given: Any) -> None:
        """Say nothing."""


@contextmanager
def listening(status: int, body: bytes = b"") -> Iterator[type[_AccessPoint]]:
    """An access point on this machine, set up as the one of this installation."""
    handler = type("Answers", (_AccessPoint,), {"answer": (status, body), "got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings(), "peppol_url", f"http://key:s%3Acret@127.0.0.1:{server.server_port}/send")
            patch.setenv("no_proxy", "127.0.0.1")
            yield handler
    finally:
        server.shutdown()
        server.server_close()


class TestAccessPoint:
    PARCEL = access_point.Parcel(1, 1, "reference", "0208:0999999031", b"<Invoice/>")

    def test_gets_the_document_its_reference_and_its_receiver(self) -> None:
        with listening(202, b"taken\n17") as at:
            assert access_point.hand_over(self.PARCEL) == Answer(accepted=True, text="taken 17", access_point="127.0.0.1")
        ((path, headers, body),) = at.got
        assert (path, body) == ("/send", b"<Invoice/>")
        assert (headers["X-Message-ID"], headers["X-Receiver"]) == ("reference", "0208:0999999031")
        assert headers["Authorization"] == "Basic a2V5OnM6Y3JldA=="

    @pytest.mark.parametrize(
        ("status", "final"), [(400, True), (422, True), (408, False), (429, False), (500, False), (503, False), (302, False)]
    )
    def test_only_a_refusal_of_the_document_is_final(self, status: int, final: bool) -> None:
        with listening(status, b"no"):
            found = access_point.hand_over(self.PARCEL)
        assert (found.accepted, found.final, found.text) == (False, final, f"{status} no")

    def test_one_that_cannot_be_reached_is_tried_again(self) -> None:
        with listening(200):
            pass
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings(), "peppol_url", "http://127.0.0.1:9/send")
            patch.setenv("no_proxy", "127.0.0.1")
            found = access_point.hand_over(self.PARCEL)
        assert (found.accepted, found.final) == (False, False)
        assert found.text


class TestDeliverDue:
    def test_hands_over_each_one_in_transactions_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys.modules["core.db.engine"], "_used", [f"sqlite:///{tmp_path / 'e.db'}"])
        Base.metadata.create_all(db.engine())
        with listening(200, b"ok") as at:
            with db.transaction() as session:
                customer = bakery(session)
                bill(session, customer, date(2026, 10, 5), bill_no="2610000048")
            assert jobs.deliver_e_invoices() == 2
            assert jobs.deliver_e_invoices() == 0
            assert len(at.got) == 2
        with db.reading() as session:
            assert {row.state for row in session.exec(select(EInvoice))} == {EInvoiceState.SENT}
            kept = session.exec(select(EInvoice.sha256)).all()
        assert {hashlib.sha256(body).hexdigest() for _path, _headers, body in at.got} == set(kept)
        db.engine().dispose()
