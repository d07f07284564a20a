"""Papers: handed in, looked at, checked and deleted in time (W12, R25)."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM
from core.documents import pending, store
from core.documents.refusals import ContentMismatch
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry, Operation
from core.models.communication import Communication
from core.models.customer import Customer, Language
from core.models.document import Document, DocumentKind, DocumentState
from core.services import documents
from core.services.documents import DocumentRow
from core.settings import settings
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, self_of
from tests.conftest import FIRST_DAY, empty

CORPUS = Path(__file__).parent.parent / "corpus"
LETTER = (CORPUS / "ok_letter.pdf").read_bytes()
OTHER = (CORPUS / "ok_name_number.pdf").read_bytes()
FRONT = (CORPUS / "ok_id_front.jpg").read_bytes()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "documents_url", f"file://{tmp_path / 'documents'}")


@pytest.fixture
def committing(engine: Engine) -> Iterator[Engine]:
    """A database in which commits are real; it is emptied afterwards."""
    yield engine
    empty(engine)


def add(
    session: Session, customer: Customer, kind: DocumentKind = DocumentKind.PROOF_OF_ADDRESS, name: str = "a.pdf", data: bytes = LETTER
) -> DocumentRow:
    return documents.add(session, AGENT, customer_id=customer.id, kind=kind, name=name, data=data)


def add_id(session: Session, customer: Customer) -> DocumentRow:
    return add(session, customer, DocumentKind.ID_CARD, "Carte d'identité.jpg", FRONT)


def review(session: Session, customer: Customer, row: DocumentRow, *, accept: bool, reason: str = "") -> DocumentRow:
    return documents.review(
        session, AGENT, customer_id=customer.id, document_id=row.id, shown_version=row.version, accept=accept, reason=reason
    )


def hold(session: Session, customer: Customer, count: int) -> None:
    """Rows as `add` leaves them, without their bytes."""
    for number in range(count):
        session.add(
            Document(
                customer_id=customer.id, document_no=f"D{customer.customer_no}{number + 1:02d}", kind=DocumentKind.OTHER, name="a.pdf",
                mime="application/pdf", size=1, sha256=f"{number}", storage_key=store.new_key(), uploaded_by="agent", uploaded_at=clock.now(),
            )
        )  # fmt: skip
    session.flush()


class OnPurposeError(Exception):
    """A transaction fails for a reason that has nothing to do with documents."""


def fail(session: Session, work: Callable[[Session], object], *, savepoint: bool = False) -> None:
    """Do some work in a transaction, or in a savepoint of it, that fails afterwards."""
    with suppress(OnPurposeError), session.begin_nested() if savepoint else session.begin():
        work(session)
        raise OnPurposeError


def stored() -> set[str]:
    return {key for keys in store.older_than(clock.real_now() + timedelta(days=1)) for key in keys}


def actions(session: Session, customer: Customer) -> list[tuple[str, str]]:
    query = select(AuditEntry.action, AuditEntry.actor).where(AuditEntry.customer_id == customer.id).order_by(col(AuditEntry.id))
    return [(action, actor) for action, actor in session.exec(query) if action.startswith("document:")]


def messages(session: Session, customer: Customer) -> list[Communication]:
    return list(session.exec(select(Communication).where(Communication.customer_id == customer.id).order_by(col(Communication.id))))


class TestAdd:
    def test_stores_the_file_and_waits_for_the_check(self, session: Session) -> None:
        customer = make_customer(session)
        row = add(session, customer, name="../Facture d'énergie.pdf")
        assert (row.name, row.mime, row.size) == ("Facture d'énergie.pdf", "application/pdf", len(LETTER))
        assert (row.document_no, row.state, row.purge_on) == (f"D{customer.customer_no}01", DocumentState.PENDING, None)
        key = session.get_one(Document, row.id).storage_key
        assert key
        assert stored() == {key}
        assert store.get(key) == LETTER

    def test_gives_the_copy_of_an_id_card_an_end(self, session: Session) -> None:
        assert add_id(session, make_customer(session)).purge_on == date(2026, 12, 18)

    def test_tells_the_customer_in_his_language_and_the_trail_without_the_name(self, session: Session) -> None:
        customer = make_customer(session, language=Language.NL)
        row = add_id(session, customer)
        (message,) = messages(session, customer)
        assert "Goed ontvangen: identiteitskaart." in message.body
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "document:add")).one()
        assert entry.after == {"kind": "idCard", "mime": "image/jpeg", "size": row.size, "purge_on": "2026-12-18"}

    def test_takes_a_file_from_the_customer_himself(self, session: Session) -> None:
        customer = make_customer(session)
        me = self_of(customer)
        row = documents.add(session, me, customer_id=customer.id, kind=DocumentKind.OTHER, name="a.pdf", data=LETTER)
        assert row.uploaded_by == me.username

    def test_refuses_what_the_check_refuses_and_stores_nothing(self, session: Session) -> None:
        with pytest.raises(ContentMismatch):
            add(session, make_customer(session), data=FRONT)
        assert not stored()

    def test_refuses_a_viewer_and_somebody_elses_file(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        with pytest.raises(NotPermitted):
            documents.add(session, VIEWER, customer_id=customer.id, kind=DocumentKind.OTHER, name="a.pdf", data=LETTER)
        with pytest.raises(NotFound):
            documents.add(session, self_of(other), customer_id=customer.id, kind=DocumentKind.OTHER, name="a.pdf", data=LETTER)

    def test_refuses_a_customer_who_is_not_there(self, session: Session) -> None:
        with pytest.raises(NotFound):
            documents.add(session, AGENT, customer_id=10**6, kind=DocumentKind.OTHER, name="a.pdf", data=LETTER)
        assert not stored()

    def test_refuses_the_same_content_twice_and_says_where_it_is(self, session: Session) -> None:
        customer = make_customer(session)
        row = add(session, customer)
        with pytest.raises(documents.AlreadyThere) as refusal:
            add(session, customer, name="b.pdf")
        assert refusal.value.params == {"day": FIRST_DAY.date(), "document_no": row.document_no}
        assert add(session, make_customer(session)).document_no != row.document_no

    def test_takes_twenty_files_and_not_one_more(self, session: Session) -> None:
        customer = make_customer(session)
        hold(session, customer, 19)
        row = add(session, customer)
        with pytest.raises(documents.TooManyFiles):
            add(session, customer, data=OTHER)
        documents.withdraw(session, AGENT, customer_id=customer.id, document_id=row.id, shown_version=row.version)
        with pytest.raises(ChangedMeanwhile) as refusal:
            documents.withdraw(session, self_of(customer), customer_id=customer.id, document_id=row.id, shown_version=row.version)
        assert refusal.value.params["who"] == AGENT.username
        assert add(session, customer, data=OTHER).document_no == f"D{customer.customer_no}21"


class TestTransaction:
    def test_keeps_the_bytes_of_what_is_committed(self, committing: Engine) -> None:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            row = add(session, make_customer(session))
        with Session(committing) as session:
            assert stored() == {session.get_one(Document, row.id).storage_key}

    def test_leaves_no_bytes_when_the_transaction_fails(self, committing: Engine) -> None:
        during = []
        with Session(committing) as session:
            fail(session, lambda session: during.append((add(session, make_customer(session)), len(stored()))))
        assert during[0][1] == 1
        assert not stored()

    def test_keeps_the_bytes_when_nobody_knows_whether_the_commit_came_through(self, committing: Engine) -> None:
        with Session(committing) as session:
            session.add(Operation(key="same", actor="agent", at=clock.now()))
            session.flush()
            session.expunge_all()
            session.add(Operation(key="same", actor="agent", at=clock.now()))
            pending.put(session, b"x")
            with pytest.raises(IntegrityError):
                session.commit()
        assert len(stored()) == 1

    def test_deletes_the_bytes_of_a_withdrawal_only_once_it_is_committed(self, committing: Engine) -> None:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            customer = make_customer(session)
            row = add(session, customer)

        def withdraw(session: Session) -> None:
            documents.withdraw(session, AGENT, customer_id=customer.id, document_id=row.id, shown_version=row.version)

        with Session(committing) as session:
            fail(session, withdraw)
        assert len(stored()) == 1
        with Session(committing) as session, session.begin():
            fail(session, withdraw, savepoint=True)
        assert len(stored()) == 1
        with Session(committing) as session, session.begin():
            assert documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id).data == LETTER
            with session.begin_nested():
                withdraw(session)
            assert len(stored()) == 1
        assert not stored()

    def test_lets_no_two_uploads_pass_the_quota_together(self, committing: Engine) -> None:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            customer = make_customer(session)
            hold(session, customer, 18)

        def hand_in(number: int) -> bool:
            out = io.BytesIO()
            Image.new("L", (8, 8), number).save(out, "PNG")
            try:
                with clock.standing(FIRST_DAY), Session(committing) as session, session.begin():
                    add(session, customer, name="a.png", data=out.getvalue())
            except documents.TooManyFiles:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(hand_in, range(4))) == 2
        with Session(committing) as session:
            assert session.exec(select(func.count()).select_from(Document)).one() == 20


class TestOfCustomer:
    def test_lists_the_newest_first_and_nobody_elses(self, session: Session) -> None:
        customer = make_customer(session)
        add(session, make_customer(session))
        with clock.standing(FIRST_DAY - timedelta(hours=1)):
            old = add(session, customer)
        new = add(session, customer, data=OTHER)
        assert documents.of_customer(session, VIEWER, customer_id=customer.id) == (new, old)

    def test_leaves_out_what_was_withdrawn(self, session: Session) -> None:
        customer = make_customer(session)
        row = add(session, customer)
        documents.withdraw(session, AGENT, customer_id=customer.id, document_id=row.id, shown_version=row.version)
        rejected = add(session, customer)
        rejected = review(session, customer, rejected, accept=False, reason="Illisible")
        documents.withdraw(session, AGENT, customer_id=customer.id, document_id=rejected.id, shown_version=rejected.version)
        assert documents.of_customer(session, AGENT, customer_id=customer.id) == ()

    def test_refuses_somebody_elses_file(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        with pytest.raises(NotFound):
            documents.of_customer(session, self_of(other), customer_id=customer.id)


class TestOpen:
    def test_returns_the_bytes_and_writes_down_who_looked(self, session: Session) -> None:
        customer = make_customer(session)
        row = add(session, customer, name='a"b c.pdf')
        opened = documents.open_(session, VIEWER, customer_id=customer.id, document_id=row.id)
        assert (opened.name, opened.mime, opened.data) == (f"{row.document_no}-a_b_c.pdf", "application/pdf", LETTER)
        assert actions(session, customer) == [("document:add", "agent"), ("document:open", "viewer")]

    def test_serves_each_customer_his_own_bytes_under_a_name_of_their_own(self, session: Session) -> None:
        first, second = make_customer(session), make_customer(session)
        noise = Image.effect_noise((1600, 1400), 90)
        served = []
        for customer, spot in ((first, 0), (second, 255)):
            noise.putpixel((801, 703), spot)
            out = io.BytesIO()
            noise.save(out, "PNG")
            row = add(session, customer, name="facture.png", data=out.getvalue())
            served.append(documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id))
        assert all(len(document.data) > 2**20 for document in served)
        assert served[0].name != served[1].name
        assert served[0].data != served[1].data

    def test_shows_an_id_card_only_to_who_checks_it_and_to_its_owner(self, session: Session) -> None:
        customer = make_customer(session)
        row = add_id(session, customer)
        with pytest.raises(NotPermitted):
            documents.open_(session, VIEWER, customer_id=customer.id, document_id=row.id)
        assert documents.open_(session, self_of(customer), customer_id=customer.id, document_id=row.id).mime == "image/jpeg"
        assert documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id).data

    def test_refuses_a_document_of_another_customer(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        row = add(session, customer)
        for actor in (AGENT, self_of(other)):
            with pytest.raises(NotFound):
                documents.open_(session, actor, customer_id=other.id, document_id=row.id)

    def test_refuses_bytes_that_are_gone_or_changed(self, session: Session) -> None:
        customer = make_customer(session)
        row = add(session, customer)
        key = session.get_one(Document, row.id).storage_key or ""
        store.put(key, OTHER)
        with pytest.raises(documents.Unavailable):
            documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id)
        store.delete(key)
        with pytest.raises(documents.Unavailable):
            documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id)


class TestReview:
    def test_accepts_and_counts_thirty_days_from_then(self, session: Session) -> None:
        customer = make_customer(session)
        row = add_id(session, customer)
        with clock.standing(FIRST_DAY + timedelta(days=5)):
            row = review(session, customer, row, accept=True)
        assert (row.state, row.purge_on, row.reviewed_by, row.verified) == (DocumentState.ACCEPTED, date(2026, 12, 23), "agent", True)
        assert "Nous effaçons la copie le 23/12/2026." in messages(session, customer)[1].body
        assert actions(session, customer)[1] == ("document:accept", "agent")

    def test_keeps_an_accepted_paper_that_is_no_id_card(self, session: Session) -> None:
        customer = make_customer(session)
        assert review(session, customer, add(session, customer), accept=True).purge_on is None
        assert "effaçons" not in messages(session, customer)[1].body

    def test_rejects_with_a_reason_that_the_customer_reads(self, session: Session) -> None:
        customer = make_customer(session)
        row = review(session, customer, add_id(session, customer), accept=False, reason=" Photo floue ")
        assert (row.state, row.reason, row.verified, row.purge_on) == (DocumentState.REJECTED, "Photo floue", False, FIRST_DAY.date())
        assert "Motif : Photo floue." in messages(session, customer)[1].body

    def test_refuses_a_rejection_without_a_reason(self, session: Session) -> None:
        customer = make_customer(session)
        with pytest.raises(Missing) as refusal:
            review(session, customer, add(session, customer), accept=False, reason=" ")
        assert refusal.value.field == "reason"

    def test_refuses_a_second_answer(self, session: Session) -> None:
        customer = make_customer(session)
        shown = add(session, customer)
        accepted = review(session, customer, shown, accept=True)
        with pytest.raises(ChangedMeanwhile) as refusal:
            review(session, customer, shown, accept=False, reason="x")
        assert refusal.value.params["who"] == "agent"
        with pytest.raises(documents.AlreadyChecked):
            review(session, customer, accepted, accept=False, reason="x")

    def test_refuses_the_customer_himself_a_viewer_and_another_file(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        row = add(session, customer)
        for actor in (self_of(customer), VIEWER):
            with pytest.raises(NotPermitted):
                documents.review(session, actor, customer_id=customer.id, document_id=row.id, shown_version=row.version, accept=True)
        with pytest.raises(NotFound):
            review(session, other, row, accept=True)


class TestWithdraw:
    def test_refuses_an_accepted_document_and_a_foreign_one(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        row = review(session, customer, add(session, customer), accept=True)
        facts = {"document_id": row.id, "shown_version": row.version}
        with pytest.raises(documents.NotToWithdraw):
            documents.withdraw(session, self_of(customer), customer_id=customer.id, **facts)
        with pytest.raises(NotFound):
            documents.withdraw(session, self_of(other), customer_id=other.id, **facts)

    def test_refuses_a_version_that_is_no_longer_current(self, session: Session) -> None:
        customer = make_customer(session)
        shown = add(session, customer)
        review(session, customer, shown, accept=False, reason="x")
        with pytest.raises(ChangedMeanwhile):
            documents.withdraw(session, AGENT, customer_id=customer.id, document_id=shown.id, shown_version=shown.version)


class TestPurgeDue:
    def test_deletes_the_copy_and_leaves_by_whom_and_when(self, committing: Engine) -> None:
        with Session(committing, expire_on_commit=False) as session, session.begin():
            customer = make_customer(session)
            review(session, customer, add_id(session, customer), accept=True)
        for day, purged in ((29, 0), (30, 1), (31, 0)):
            with clock.standing(FIRST_DAY + timedelta(days=day)), Session(committing) as session, session.begin():
                assert documents.purge_due(session, SYSTEM) == purged
        assert not stored()
        with Session(committing) as session:
            (row,) = documents.of_customer(session, AGENT, customer_id=customer.id)
            assert (row.state, row.held, row.verified, row.reviewed_by, row.reviewed_at) == (
                DocumentState.PURGED, False, True, "agent", FIRST_DAY,
            )  # fmt: skip
            assert row.name == row.document_no
            assert actions(session, customer)[-1] == ("document:purge", "system")
            with pytest.raises(NotFound):
                documents.open_(session, AGENT, customer_id=customer.id, document_id=row.id)

    def test_deletes_an_id_card_that_nobody_checked(self, session: Session) -> None:
        customer = make_customer(session)
        add_id(session, customer)
        with clock.standing(FIRST_DAY + timedelta(days=30)):
            assert documents.purge_due(session, SYSTEM) == 1
        assert documents.of_customer(session, AGENT, customer_id=customer.id) == ()

    def test_deletes_a_rejected_id_card_at_its_next_run(self, session: Session) -> None:
        customer = make_customer(session)
        review(session, customer, add_id(session, customer), accept=False, reason="x")
        assert documents.purge_due(session, SYSTEM) == 1

    def test_refuses_a_customer(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            documents.purge_due(session, self_of(make_customer(session)))


class TestSweep:
    def test_deletes_old_bytes_without_a_row_and_no_others(self, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        row = add(session, make_customer(session))
        store.put(store.new_key(), b"orphan")
        assert documents.sweep(session, SYSTEM) == 0
        monkeypatch.setattr(documents, "_SWEPT_AFTER", timedelta(hours=-1))
        assert documents.sweep(session, SYSTEM) == 1
        assert stored() == {session.get_one(Document, row.id).storage_key}
