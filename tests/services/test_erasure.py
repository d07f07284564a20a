"""The right to be forgotten and to be told: nothing personal is left but what the law keeps, nothing of others is told."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, inspect, select, text
from sqlmodel import Session, col

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.db import Base
from core.documents import store
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentMove, AppointmentState, DayPart
from core.models.approval import Approval, ApprovalKind
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillState
from core.models.billing_account import BillingAccount
from core.models.communication import Communication, MessageChannel
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerStatus, EmailVerification, Language
from core.models.document import Document, DocumentKind
from core.models.dunning import BillDispute, DisputeEnd, PaymentDeclaration
from core.models.interaction import Interaction, InteractionChannel, Task
from core.models.mandate import Mandate, MandateState
from core.models.order import HouseMove, Occupancy, OrderCategory, OrderState, ProductOrder
from core.models.payment import Payment, PaymentAllocation, PaymentState
from core.models.product import Product
from core.models.usage import UsageKind
from core.models.user import SecurityQuestion, User, UserSession
from core.services import audit, changes, erasure, interactions, macros, notes, subject_access, tags, tasks, timeline, usage
from core.services.changes import Subject
from core.services.erased import ErasedAlready
from core.services.erasure import DebitUnderWay, MoneyOpen, NotTheNumber, StillCustomer
from core.services.personal_data import EXCEPTIONS, OF_NOBODY, RULES, Fate
from core.services.tasks import Target
from core.services.usage import NewEvent
from core.settings import settings
from core.text_rules import Missing
from tests.builders import AGENT, make_customer, make_product, self_of
from tests.services import money_stories

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
MARKS = ("zyxwvu", "470998877", "be71096123456769", "1977-07-07", "0470111222", "geheimnis")
"""What is his alone: his name, number, account, birthday, whom he called, and what he told us."""
IBAN, PHONE = "BE71096123456769", "+32470998877"


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GUICHET_DOCUMENTS_URL", f"file://{tmp_path}/docs")
    settings.cache_clear()
    yield
    settings.cache_clear()


def left(session: Session, **given: Any) -> Customer:
    """Somebody who left, and of whom every table knows something; all is paid."""
    customer = make_customer(
        session, given_name="Zyxwvu", family_name="Zyxwvuman", search_name="zyxwvu zyxwvuman", birth_date=date(1977, 7, 7),
        second_holder="Zyxwvu senior", status_reason="moved to Zyxwvustad", **given,
    )  # fmt: skip
    one = customer.id
    for medium in session.execute(select(ContactMedium).where(col(ContactMedium.customer_id) == one)).scalars():
        if medium.street:
            medium.street = "Zyxwvustraat"
        else:
            medium.value = "zyxwvu@example.be" if "@" in (medium.value or "") else PHONE
    line = make_product(session, customer, "RED", line=PHONE, user_name="Zyxwvu junior")
    money_stories.bill(session, customer, date(2026, 11, 5), bill_no="2611000017")
    bill = session.execute(select(Bill).where(col(Bill.customer_id) == one)).scalar_one()
    order = ProductOrder(customer_id=one, order_no=f"O{one}", category=OrderCategory.MOVE, channel="selfcare", state=OrderState.COMPLETED,
                         effective_on=clock.today(), created_by="zyxwvu", created_at=clock.now())  # fmt: skip
    visit = Appointment(customer_id=one, appointment_no=f"A{one}", category=AppointmentCategory.MOVE, state=AppointmentState.COMPLETED, zone="B50",
                        day=clock.today(), part=DayPart.MORNING, place="Zyxwvustraat 1", contact_phone=PHONE, created_at=clock.now())  # fmt: skip
    user = User(username="zyxwvu", name="Zyxwvu", role=Role.CUSTOMER, customer_id=one, created_at=clock.now())
    session.add_all([order, visit, user])
    session.flush()
    usage.record(
        session, SYSTEM, events=[NewEvent(one, line.id, clock.at(date(2026, 11, 12)), 1, UsageKind.VOICE, 60, other_party="0470111222")]
    )
    key = store.new_key()
    store.put(key, b"zyxwvu")
    session.add_all([
        HouseMove(customer_id=one, order_id=order.id, appointment_id=visit.id, move_out=clock.today(), move_in=clock.today(), to_street="Zyxwvulaan",
                  to_number="1", to_postcode="5000", to_town="Namur", occupancy=Occupancy.OWNER, contact_name="Zyxwvu", contact_phone=PHONE),
        AppointmentMove(customer_id=one, appointment_id=visit.id, from_day=clock.today(), from_part=DayPart.MORNING, to_day=clock.today(),
                        to_part=DayPart.AFTERNOON, moved_by="zyxwvu", moved_at=clock.now(), reason="geheimnis"),
        UserSession(token_hash=f"t{one}", user_id=user.id, auth_version=1, created_at=clock.now(), last_seen_at=clock.now(), device="zyxwvu phone"),
        SecurityQuestion(customer_id=one, question="geheimnis?", answer_hash="h", set_at=clock.now()),
        EmailVerification(customer_id=one, email="zyxwvu@example.be", code_hash="h", sent_at=clock.now(), expires_at=clock.now()),
        Communication(customer_id=one, template="welcome", channel=MessageChannel.EMAIL, language=Language.FR, receiver="zyxwvu@example.be",
                      subject="Zyxwvu", body="Zyxwvu geheimnis", sent_at=clock.now()),
        Document(customer_id=one, document_no=f"D{one}", kind=DocumentKind.ID_CARD, name="zyxwvu.png", mime="image/png", size=6, sha256="0" * 64,
                 storage_key=key, uploaded_by="zyxwvu", uploaded_at=clock.now()),
        Interaction(customer_id=one, channel=InteractionChannel.PHONE, reason="bill", at=clock.now(), ended_at=clock.now(), agent="agent", note="zyxwvu geheimnis"),
        Task(customer_id=one, code="call_back", created_at=clock.now()),
        Approval(customer_id=one, kind=ApprovalKind.REFUND, subject="x", payload={"iban": IBAN}, amount_cents=1, reason="typed_account",
                 comment="geheimnis", requested_by="agent", requested_at=clock.now()),
        BillDispute(customer_id=one, bill_id=bill.id, disputed_cents=1, reason="geheimnis", since=clock.today(), until=clock.today(), outcome=DisputeEnd.DECIDED),
        PaymentDeclaration(customer_id=one, year=2026, day=clock.today(), until=clock.today() + timedelta(days=1), proof="zyxwvu Beleg"),
        Mandate(customer_id=one, umr=f"M{one}", state=MandateState.CANCELLED, holder="Zyxwvu", iban=IBAN, requested_at=clock.now(),
                signed_on=date(2026, 1, 1), cancelled_on=date(2026, 11, 1), pending_iban=IBAN, last_used_on=date(2026, 10, 20)),
        Payment(customer_id=one, received_on=date(2026, 11, 10), amount_cents=bill.remaining_cents, method="transfer", state=PaymentState.MATCHED,
                payer_name="Zyxwvu", payer_iban=IBAN, communication="zyxwvu"),
    ])  # fmt: skip
    account = session.execute(select(BillingAccount).where(col(BillingAccount.customer_id) == one)).scalar_one()
    account.order_reference = "zyxwvu"
    audit.record(
        session,
        AGENT,
        action="contact:change",
        object_type="customer",
        object_id=one,
        customer_id=one,
        before={"email": "zyxwvu@example.be"},
    )
    audit.record(session, AGENT, action="customer:open", object_type="customer", object_id=one, customer_id=one)
    session.flush()
    paid = session.execute(select(Payment).where(col(Payment.customer_id) == one)).scalar_one()
    session.add(
        PaymentAllocation(
            customer_id=one, payment_id=paid.id, bill_id=bill.id, amount_cents=bill.remaining_cents, allocated_on=paid.received_on
        )
    )
    bill.remaining_cents, bill.state = 0, BillState.SETTLED
    customer.status = CustomerStatus.CLOSED
    session.flush()
    return customer


def found(session: Session) -> dict[str, set[str]]:
    """Every table and column of the database that holds a mark, whichever tables there are: by value, not by what the code says."""
    connection = session.connection()
    metadata = MetaData()
    metadata.reflect(connection)
    hits: dict[str, set[str]] = {}
    names = set(inspect(connection).get_table_names()) | set(metadata.tables)
    for name in sorted(names):
        for row in connection.execute(text(f'SELECT * FROM "{name}"')).mappings():  # noqa: S608 - names of our own tables
            for column, value in row.items():
                told = (value.decode("latin-1") if isinstance(value, bytes) else str(value)).lower()
                if any(mark in told for mark in MARKS):
                    hits.setdefault(name, set()).add(column)
    return hits


def erase(session: Session, customer: Customer, actor: Actor = SENIOR, **given: Any) -> None:
    shown: dict[str, Any] = {"shown_version": customer.version, "number": customer.customer_no, "reason": "His letter of today."} | given
    erasure.erase(session, actor, customer_id=customer.id, **shown)


class TestTables:
    def test_every_table_says_what_becomes_of_it(self) -> None:
        named = {rule.table.name for rule in RULES} | OF_NOBODY
        assert named == set(Base.metadata.tables)

    def test_every_column_that_is_told_or_blanked_exists(self) -> None:
        for rule in RULES:
            assert {*rule.tells, *rule.blanks, rule.by} <= set(rule.table.c.keys()), rule.table.name

    def test_what_stays_as_it_is_names_its_law(self) -> None:
        for rule in RULES:
            assert (rule.fate is Fate.STAYS) == bool(rule.law), rule.table.name
            assert not rule.law or EXCEPTIONS.get(rule.table.name, rule.law) == rule.law


class TestErase:
    def test_leaves_nothing_personal_but_what_the_law_keeps(self, session: Session) -> None:
        customer = left(session)
        before = found(session)
        assert {"customer", "contact_medium", "communication", "document", "product", "interaction", "user_account", "house_move"} <= set(
            before
        )
        erase(session, customer)
        after = found(session)
        assert set(after) <= set(EXCEPTIONS), {name: after[name] for name in set(after) - set(EXCEPTIONS)}
        assert after["bill"] == {"printed"}
        assert "pending_iban" not in after["mandate"]

    def test_refuses_where_the_file_changed_since_it_was_shown(self, session: Session) -> None:
        customer = left(session)
        with pytest.raises(ChangedMeanwhile):
            erase(session, customer, shown_version=customer.version - 1)

    def test_gives_up_the_papers_he_handed_in(self, session: Session) -> None:
        customer = left(session)
        key = session.execute(select(col(Document.storage_key))).scalar_one()
        erase(session, customer)
        assert session.info["documents"].given_up == [key]

    def test_keeps_the_bills_to_the_cent_and_the_file_under_its_number(self, session: Session) -> None:
        customer = left(session)
        bill = session.execute(select(col(Bill.printed), col(Bill.incl_cents))).one()
        erase(session, customer)
        assert session.execute(select(col(Bill.printed), col(Bill.incl_cents))).one() == bill
        row = session.execute(select(Customer).where(col(Customer.customer_no) == customer.customer_no)).scalar_one()
        assert (row.name, row.search_name, row.birth_date) == ("–", customer.customer_no, None)

    def test_leaves_his_neighbour_alone(self, session: Session) -> None:
        customer, neighbour = left(session), make_customer(session, family_name="Blijver", search_name="blijver")
        make_product(session, neighbour, "RED", line="+32470555555")
        erase(session, customer)
        assert session.execute(select(col(Product.line)).where(col(Product.customer_id) == neighbour.id)).scalar_one() == "+32470555555"
        assert len(session.execute(select(ContactMedium).where(col(ContactMedium.customer_id) == neighbour.id)).all()) == 3

    def test_is_in_the_trail_with_its_reason_and_once(self, session: Session) -> None:
        customer = left(session)
        erase(session, customer)
        entry = session.execute(select(AuditEntry).where(col(AuditEntry.action) == "customer:erase")).scalar_one()
        assert (entry.actor, entry.reason, entry.customer_id) == ("senior", "His letter of today.", customer.id)
        row = session.get_one(Customer, customer.id)
        with pytest.raises(ErasedAlready):
            erase(session, row)
        assert erasure.erased_on(session, SENIOR, customer_id=customer.id) == clock.today()

    def test_can_be_repeated_while_anything_is_left_that_goes(self, session: Session) -> None:
        customer = left(session)
        erase(session, customer)
        session.add(Communication(customer_id=customer.id, template="welcome", channel=MessageChannel.EMAIL, language=Language.FR,
                                  receiver="zyxwvu@example.be", subject="Zyxwvu", body="Zyxwvu", sent_at=clock.now()))  # fmt: skip
        session.add(ContactMedium(customer_id=customer.id, kind=ContactKind.EMAIL, value="zyxwvu@example.be", since_at=clock.now()))
        session.flush()
        assert erasure.plan(session, SENIOR, customer_id=customer.id).refusal is None
        erase(session, session.get_one(Customer, customer.id))
        assert set(found(session)) <= set(EXCEPTIONS)
        assert isinstance(erasure.plan(session, SENIOR, customer_id=customer.id).refusal, ErasedAlready)


class TestErasedFile:
    def test_takes_no_note_tag_task_talk_or_macro_any_more(self, session: Session) -> None:
        customer = left(session)
        erase(session, customer)
        file: dict[str, Any] = {"customer_id": customer.id}
        verbs: tuple[Callable[[], object], ...] = (
            lambda: notes.add(session, AGENT, text="Called", **file),
            lambda: notes.reword(session, AGENT, note_id=1, shown_version=1, text="Called", **file),
            lambda: notes.pin(session, AGENT, note_id=1, shown_version=1, pinned=True, **file),
            lambda: tags.add(session, AGENT, word="fibre", **file),
            lambda: tasks.add(session, AGENT, words="Call back", **file),
            lambda: tasks.reopen(session, AGENT, task_id=1, shown_version=1, **file),
            lambda: tasks.hand_over(session, AGENT, task_id=1, shown_version=1, to=Target(owner="agent"), **file),
            lambda: interactions.begin(session, AGENT, **file),
            lambda: macros.run(session, AGENT, code="missed_visit", language="fr", seal="", **file),
        )
        for verb in verbs:
            with pytest.raises(ErasedAlready):
                verb()

    def test_tells_no_old_values_in_its_story_or_its_history(self, session: Session) -> None:
        customer = left(session)
        change = session.execute(select(AuditEntry).where(col(AuditEntry.action) == "contact:change")).scalar_one()
        change_id = change.id
        file: dict[str, Any] = {"customer_id": customer.id}
        assert timeline.one(session, AGENT, source="change", entry_id=change_id, **file).facts["before"] == {"email": "zyxwvu@example.be"}
        erase(session, customer)
        assert "change" not in {entry.source for entry in timeline.of_customer(session, AGENT, limit=200, **file).entries}
        with pytest.raises(NotFound):
            timeline.one(session, AGENT, source="change", entry_id=change_id, **file)
        history = changes.of(session, AGENT, subject=Subject.CUSTOMER, **file)
        assert [(one.action, one.before, one.reason, one.version) for one in history] == [
            ("customer:erase", {}, "His letter of today.", None), ("contact:change", {}, None, None),
        ]  # fmt: skip

    def test_is_closed_and_erased_a_closed_one_still_takes_notes(self, session: Session) -> None:
        customer = left(session)
        assert notes.add(session, AGENT, customer_id=customer.id, text="Called")


class TestRefusals:
    def test_a_running_file_is_not_erased(self, session: Session) -> None:
        customer = left(session)
        customer.status = CustomerStatus.ACTIVE
        session.flush()
        with pytest.raises(StillCustomer):
            erase(session, customer)

    def test_open_money_comes_first(self, session: Session) -> None:
        customer = left(session)
        session.add(
            Payment(customer_id=customer.id, received_on=clock.today(), amount_cents=1, method="transfer", state=PaymentState.MATCHED)
        )
        session.flush()
        with pytest.raises(MoneyOpen):
            erase(session, customer)

    def test_a_mandate_that_waits_comes_first(self, session: Session) -> None:
        customer = left(session)
        session.add(
            Mandate(
                customer_id=customer.id, umr="M2", state=MandateState.PENDING_SIGNATURE, holder="x", iban=IBAN, requested_at=clock.now()
            )
        )
        session.flush()
        with pytest.raises(DebitUnderWay):
            erase(session, customer)

    def test_the_number_is_typed_and_the_reason_said(self, session: Session) -> None:
        customer = left(session)
        with pytest.raises(NotTheNumber):
            erase(session, customer, number="10000001")
        with pytest.raises(Missing):
            erase(session, customer, reason=" ")

    def test_only_a_team_lead_erases_or_makes_a_bundle(self, session: Session) -> None:
        customer = left(session)
        for actor in (AGENT, self_of(customer)):
            with pytest.raises(NotPermitted):
                erase(session, customer, actor)
            with pytest.raises(NotPermitted):
                subject_access.bundle(session, actor, customer_id=customer.id, file=io.BytesIO())


class TestPlan:
    def test_tells_before_what_goes_and_what_stays_until_when(self, session: Session) -> None:
        customer = left(session)
        told = erasure.plan(session, SENIOR, customer_id=customer.id)
        steps = {(step.label, step.fate): step for step in told.steps}
        assert told.refusal is None
        assert steps["Contact data", Fate.GOES].rows == 3
        assert steps["Bills", Fate.STAYS].until == date(2036, 12, 31)
        assert "VAT code" in steps["Bills", Fate.STAYS].source
        assert steps["Mandates", Fate.STAYS].until == date(2027, 11, 20)
        assert found(session)["customer"]  # Nothing was written.


class TestBundle:
    def made(self, session: Session, customer: Customer) -> dict[str, bytes]:
        file = io.BytesIO()
        subject_access.bundle(session, SENIOR, customer_id=customer.id, file=file)
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}

    def test_holds_his_data_by_noun_and_his_papers(self, session: Session) -> None:
        files = self.made(session, left(session))
        assert json.loads(files["data/customer.json"])[0]["birth_date"] == "1977-07-07"
        assert {one["value"] or one["street"] for one in json.loads(files["data/contact_medium.json"])} == {
            "zyxwvu@example.be",
            PHONE,
            "Zyxwvustraat",
        }
        assert files["bills/2611000017.pdf"].startswith(b"%PDF")
        assert any(name.startswith("mandates/") and data.startswith(b"%PDF") for name, data in files.items())
        assert b"zyxwvu" in files[next(name for name in files if name.startswith("documents/"))]
        assert {one["action"] for one in json.loads(files["data/audit_entry.json"])} >= {"customer:open"}

    def test_holds_nothing_of_others_of_the_house_or_secret(self, session: Session) -> None:
        files = self.made(session, left(session))
        told = b"".join(data for name, data in files.items() if name.startswith("data/")).decode()
        assert "0470111222" not in told.replace(" ", "")  # Whom he called.
        assert "Zyxwvu junior" not in told  # Who uses his line.
        for secret in ('"agent"', 'geheimnis"', "note", "comment", "_hash", "storage_key", "token", "secret"):
            assert secret not in told, secret

    def test_holds_nothing_of_his_neighbour(self, session: Session) -> None:
        customer, neighbour = left(session), make_customer(session, family_name="Blijver")
        told = b"".join(self.made(session, customer).values())
        assert neighbour.customer_no.encode() not in told

    def test_only_reads_and_is_written_down_once_by_who_hands_it_out(self, session: Session) -> None:
        customer = left(session)
        before = len(session.execute(select(col(AuditEntry.id))).all())
        told = subject_access.bundle(session, SENIOR, customer_id=customer.id, file=io.BytesIO())
        session.flush()
        assert len(session.execute(select(col(AuditEntry.id))).all()) == before
        subject_access.note(session, SENIOR, customer_id=customer.id, told=told)
        entry = session.execute(select(AuditEntry).where(col(AuditEntry.action) == "customer:export")).scalar_one()
        assert (entry.actor, entry.customer_id, entry.after) == ("senior", customer.id, {"rows": told.rows, "papers": 3})

    def test_is_not_noted_by_who_may_not_make_it(self, session: Session) -> None:
        customer = left(session)
        with pytest.raises(NotPermitted):
            subject_access.note(session, AGENT, customer_id=customer.id, told=subject_access.Told(1, 1))
