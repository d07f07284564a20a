"""Direct debit: asked for, signed, changed, ended."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.communication import Communication
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.interaction import Task
from core.models.mandate import Mandate, MandateState
from core.services import bill_runs, bills, mandate_signing, mandates
from core.services.mandate_signing import AccountClosed, ConsentMissing, MandateRuns, NoCode, SameIban, WrongCode
from core.services.mandates import CODE_TRIES, MandateView
from core.services.references import IbanChecksum
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import NOVEMBER, bill, mandate

IBAN, OTHER = "BE46539000000636", "BE77539000001242"

COLLEAGUE = Actor(user_id=None, username="senior", role=Role.SENIOR)


@pytest.fixture
def customer(session: Session) -> Customer:
    customer = make_customer(session)
    make_product(session, customer, "RED")
    return customer


def ask(session: Session, customer: Customer, iban: str = IBAN, **given: bool) -> str:
    return mandate_signing.request(
        session, AGENT, customer_id=customer.id, holder="Sophie Lambert", iban=iban, consent=given.get("consent", True)
    )


def sent_code(session: Session, customer: Customer) -> str:
    query = select(Communication.body).where(col(Communication.customer_id) == customer.id, col(Communication.template) == "mandate_code")
    body = session.exec(query.order_by(col(Communication.id).desc())).first() or ""
    found = re.search(r"\d{6}", body)
    assert found
    return found[0]


def sign(session: Session, customer: Customer, code: str) -> MandateView:
    mandate_signing.count_try(session, AGENT, customer_id=customer.id)
    return mandate_signing.sign(session, AGENT, customer_id=customer.id, code=code)


def account(session: Session, customer: Customer) -> tuple[PaymentMethod, int]:
    row = session.exec(select(BillingAccount).where(col(BillingAccount.customer_id) == customer.id)).one()
    return row.payment_method, row.payment_due_days


class TestRequest:
    def test_waits_for_its_signature_under_a_reference_of_the_customer(self, session: Session, customer: Customer) -> None:
        umr = ask(session, customer)
        found = mandates.current(session, AGENT, customer_id=customer.id)
        assert umr == f"SCA{customer.customer_no}01"
        assert found is not None
        assert (found.state, found.masked) == (MandateState.PENDING_SIGNATURE, "BE46 •••• •••• 0636")
        assert account(session, customer)[0] is PaymentMethod.TRANSFER

    def test_asked_again_takes_the_new_account_and_a_new_code(self, session: Session, customer: Customer) -> None:
        first, code = ask(session, customer), sent_code(session, customer)
        assert ask(session, customer, OTHER) == first
        with pytest.raises(WrongCode):
            sign(session, customer, "000000" if code != "000000" else "111111")
        assert sign(session, customer, sent_code(session, customer)).iban == OTHER

    def test_the_next_one_after_an_end_counts_on(self, session: Session, customer: Customer) -> None:
        mandates.end(session, SYSTEM, mandate=mandate(session, customer), reason="AM04", tell=False)
        assert ask(session, customer) == f"SCA{customer.customer_no}02"

    def test_refuses_without_consent_or_holder_or_with_a_wrong_account(self, session: Session, customer: Customer) -> None:
        with pytest.raises(ConsentMissing):
            ask(session, customer, consent=False)
        with pytest.raises(IbanChecksum):
            ask(session, customer, "BE46539000000637")
        with pytest.raises(Missing):
            mandate_signing.request(session, AGENT, customer_id=customer.id, holder="  ", iban=IBAN, consent=True)

    def test_refuses_a_second_one_beside_a_running_one(self, session: Session, customer: Customer) -> None:
        mandate(session, customer)
        with pytest.raises(MandateRuns):
            ask(session, customer)

    def test_the_database_holds_one_running_mandate_at_most(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        session.add(Mandate(customer_id=customer.id, umr="SCA9", state=MandateState.DRAFT, holder="x", iban=IBAN, requested_at=clock.now()))
        with pytest.raises(IntegrityError):
            session.flush()

    def test_refuses_a_closed_customer_and_lets_a_suspended_one(self, session: Session, customer: Customer) -> None:
        customer.status = CustomerStatus.SUSPENDED
        ask(session, customer)
        customer.status = CustomerStatus.CLOSED
        with pytest.raises(AccountClosed):
            ask(session, customer)

    def test_needs_the_right_on_that_file(self, session: Session, customer: Customer) -> None:
        with pytest.raises(NotPermitted):
            mandate_signing.request(session, VIEWER, customer_id=customer.id, holder="x", iban=IBAN, consent=True)
        with pytest.raises(NotFound):
            mandate_signing.request(session, self_of(make_customer(session)), customer_id=customer.id, holder="x", iban=IBAN, consent=True)


class TestSign:
    def test_lets_the_mandate_run_from_the_next_bill_on(self, session: Session, customer: Customer) -> None:
        before = bill(session, customer, NOVEMBER)
        ask(session, customer)
        found = sign(session, customer, f" {sent_code(session, customer)[:3]} {sent_code(session, customer)[3:]}")
        assert (found.state, found.signed_on) == (MandateState.ACTIVE, date(2026, 11, 18))
        assert account(session, customer) == (PaymentMethod.DIRECT_DEBIT, 10)
        rows = {row.bill_no: row for row in bills.of_customer(session, AGENT, customer_id=customer.id)}
        assert not rows[before.bill_no].by_debit
        with clock.standing(clock.at(date(2026, 12, 5), 6)):
            bill_runs.run_day(session, SYSTEM, day=date(2026, 12, 5))
            newest = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (newest.by_debit, newest.due) == (True, date(2026, 12, 15))

    def test_ends_the_task_to_call_about_a_collection_that_came_back(self, session: Session, customer: Customer) -> None:
        for code in (mandates.TASK_RETURNED, "modem_not_returned"):
            session.add(Task(customer_id=customer.id, code=code, created_at=clock.now()))
        ask(session, customer)
        sign(session, customer, sent_code(session, customer))
        assert session.exec(select(Task.code).where(col(Task.done_at).is_(None))).all() == ["modem_not_returned"]

    def test_names_the_first_collection(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        sign(session, customer, sent_code(session, customer))
        query = select(Communication.body).where(col(Communication.template) == "mandate_active")
        assert "15/12/2026" in session.exec(query).one()

    def test_a_wrong_code_says_how_many_tries_are_left(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        wrong = f"{(int(sent_code(session, customer)) + 1) % 1_000_000:06d}"
        with pytest.raises(WrongCode) as refusal:
            sign(session, customer, wrong)
        assert refusal.value.params == {"left": CODE_TRIES - 1}

    def test_five_wrong_codes_end_it(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        right = sent_code(session, customer)
        for _ in range(CODE_TRIES):
            with pytest.raises((WrongCode, NoCode)):
                sign(session, customer, "12345")
        with pytest.raises(NoCode):
            sign(session, customer, right)

    def test_a_code_lives_a_quarter_of_an_hour_of_real_time(
        self, session: Session, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask(session, customer)
        later = datetime.now(UTC) + timedelta(minutes=16)
        monkeypatch.setattr(clock, "real_now", lambda: later)
        with pytest.raises(NoCode):
            sign(session, customer, sent_code(session, customer))

    def test_a_code_is_not_stored_as_it_was_sent(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        stored = session.exec(select(Mandate.code_hash).where(col(Mandate.customer_id) == customer.id)).one()
        assert sent_code(session, customer) not in (stored or "")


class TestAmend:
    @pytest.fixture
    def running(self, session: Session, customer: Customer) -> Mandate:
        return mandate(session, customer)

    def test_keeps_the_reference_and_the_old_account_until_the_code_is_back(
        self, session: Session, customer: Customer, running: Mandate
    ) -> None:
        shown = running.version
        umr = mandate_signing.amend(
            session,
            AGENT,
            customer_id=customer.id,
            holder="Sophie Lambert",
            iban=OTHER,
            consent=True,
            mandate_id=running.id,
            shown_version=shown,
        )
        waiting = mandates.current(session, AGENT, customer_id=customer.id)
        assert waiting is not None
        assert (umr, waiting.iban, waiting.pending_iban) == (running.umr, IBAN, OTHER)
        after = sign(session, customer, sent_code(session, customer))
        assert (after.umr, after.iban, after.pending_iban, after.state) == (running.umr, OTHER, None, MandateState.ACTIVE)
        assert running.amends_iban == IBAN

    def test_refuses_the_same_account_and_a_form_that_is_out_of_date(self, session: Session, customer: Customer, running: Mandate) -> None:
        form: dict[str, Any] = {"customer_id": customer.id, "mandate_id": running.id, "holder": "Sophie", "consent": True}
        with pytest.raises(SameIban):
            mandate_signing.amend(session, AGENT, iban=IBAN, shown_version=running.version, **form)
        with pytest.raises(ChangedMeanwhile):
            mandate_signing.amend(session, AGENT, iban=OTHER, shown_version=running.version - 1, **form)


class TestCancel:
    def test_goes_back_to_transfer_in_fifteen_days(self, session: Session, customer: Customer) -> None:
        running = mandate(session, customer)
        issued = bill(session, customer, NOVEMBER)
        mandates.cancel(session, AGENT, customer_id=customer.id, mandate_id=running.id, shown_version=running.version)
        assert account(session, customer) == (PaymentMethod.TRANSFER, 15)
        row = bills.of_customer(session, AGENT, customer_id=customer.id)[0]
        assert (row.bill_no, row.by_debit) == (issued.bill_no, True)

    def test_a_business_goes_back_to_thirty_days(self, session: Session) -> None:
        business = make_customer(session, kind=CustomerKind.ORGANIZATION, trading_name="Boulangerie Martin SRL")
        running = mandate(session, business)
        mandates.cancel(session, AGENT, customer_id=business.id, mandate_id=running.id, shown_version=running.version)
        assert account(session, business) == (PaymentMethod.TRANSFER, 30)

    def test_what_was_never_signed_just_goes(self, session: Session, customer: Customer) -> None:
        ask(session, customer)
        shown = mandates.current(session, AGENT, customer_id=customer.id)
        assert shown is not None
        mandates.cancel(session, AGENT, customer_id=customer.id, mandate_id=shown.id, shown_version=shown.version)
        query = select(Communication.template).where(col(Communication.customer_id) == customer.id)
        assert session.exec(query).all() == ["mandate_code"]

    def test_refuses_where_nothing_runs(self, session: Session, customer: Customer) -> None:
        with pytest.raises(NotFound):
            mandates.cancel(session, AGENT, customer_id=customer.id, mandate_id=1, shown_version=1)

    def test_of_one_that_ended_says_who_ended_it_and_leaves_the_next_one(self, session: Session, customer: Customer) -> None:
        first = mandate(session, customer)
        shown = first.version
        mandates.cancel(session, COLLEAGUE, customer_id=customer.id, mandate_id=first.id, shown_version=shown)
        ask(session, customer)
        mandate_signing.count_try(session, AGENT, customer_id=customer.id)
        second = session.exec(select(Mandate).where(Mandate.state == MandateState.PENDING_SIGNATURE)).one()
        assert second.version == shown
        with pytest.raises(ChangedMeanwhile) as refusal:
            mandates.cancel(session, AGENT, customer_id=customer.id, mandate_id=first.id, shown_version=shown)
        assert refusal.value.params["who"] == COLLEAGUE.username
        assert second.state is MandateState.PENDING_SIGNATURE


class TestPdf:
    def test_holds_the_reference_and_the_shorter_notice(self, session: Session, customer: Customer) -> None:
        running = mandate(session, customer)
        paper = mandates.pdf(session, self_of(customer), customer_id=customer.id, umr=running.umr)
        text = "".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages)
        assert running.umr in text
        assert "10" in text

    def test_shows_the_account_to_its_holder_and_masks_it_for_the_house(self, session: Session, customer: Customer) -> None:
        running = mandate(session, customer)

        def text(actor: Actor) -> str:
            paper = mandates.pdf(session, actor, customer_id=customer.id, umr=running.umr)
            return "".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages).replace(" ", "")

        assert running.iban in text(self_of(customer))
        assert running.iban not in text(AGENT)
        assert running.iban[-4:] in text(AGENT)

    def test_refuses_anothers(self, session: Session, customer: Customer) -> None:
        running = mandate(session, customer)
        with pytest.raises(NotFound):
            mandates.pdf(session, AGENT, customer_id=make_customer(session).id, umr=running.umr)
