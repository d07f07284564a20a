"""The head of a file, who looked at it, and what is left to do."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, func, select

from core import clock
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.billing_account import BillModel
from core.models.customer import CustomerKind
from core.models.interaction import Task
from core.services import customers
from core.services.audit_trail import released
from tests.builders import AGENT, VIEWER, make_customer, self_of


class TestHead:
    def test_gives_the_file_of_a_number(self, session: Session) -> None:
        customer = make_customer(session, bill_model=BillModel.LEGACY, second_holder="Eva Maes")
        head = customers.head(session, AGENT, customer_no=customer.customer_no)
        assert (head.id, head.name, head.bill_model, head.second_holder) == (customer.id, "Sophie Lambert", BillModel.LEGACY, "Eva Maes")
        assert (head.address, head.email, head.phone) == ("Rue de Fer 12, 5000 Namur", "sophie@example.be", "+32470000001")

    def test_writes_the_trading_name_of_an_organisation(self, session: Session) -> None:
        given = {"kind": CustomerKind.ORGANIZATION, "given_name": None, "family_name": None, "trading_name": "Boulangerie Martin SRL"}
        customer = make_customer(session, **given)
        assert customers.head(session, AGENT, customer_no=customer.customer_no).name == "Boulangerie Martin SRL"

    def test_gives_a_customer_his_own_file_without_a_number(self, session: Session) -> None:
        make_customer(session)
        customer = make_customer(session)
        assert customers.head(session, self_of(customer)).id == customer.id

    def test_answers_the_same_for_another_file_and_for_none(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        for number in (other.customer_no, "99999999"):
            with pytest.raises(NotFound):
                customers.head(session, self_of(one), customer_no=number)

    @pytest.mark.parametrize("number", ["", "1", "1000001\x00", "١٢٣٤٥٦٧٨", "' OR 1=1", "100000170", "\ud800" * 8])
    def test_finds_nothing_under_what_is_no_number(self, session: Session, number: str) -> None:
        make_customer(session)
        with pytest.raises(NotFound):
            customers.head(session, AGENT, customer_no=number)


def _looks(session: Session, customer_id: int) -> int:
    query = select(func.count()).where(AuditEntry.action == customers.OPENED, AuditEntry.customer_id == customer_id)
    return session.exec(query).one()


class TestOpenFile:
    def test_is_written_down_once_in_a_quarter_of_an_hour_for_each_one(self, session: Session) -> None:
        customer = make_customer(session)
        for actor in (AGENT, AGENT, VIEWER):
            customers.open_file(session, actor, customer_id=customer.id)
            session.flush()
        assert _looks(session, customer.id) == 2

    def test_is_written_down_again_later(self, session: Session) -> None:
        customer = make_customer(session)
        customers.open_file(session, AGENT, customer_id=customer.id)
        session.flush()
        with released(session):
            session.exec(select(AuditEntry).where(AuditEntry.action == customers.OPENED)).one().at -= timedelta(minutes=16)
            session.flush()
        customers.open_file(session, AGENT, customer_id=customer.id)
        session.flush()
        assert _looks(session, customer.id) == 2

    def test_is_not_written_down_for_the_customer_himself(self, session: Session) -> None:
        customer = make_customer(session)
        customers.open_file(session, self_of(customer), customer_id=customer.id)
        session.flush()
        assert _looks(session, customer.id) == 0


class TestRecent:
    def test_gives_the_files_the_actor_opened_and_the_last_one_first(self, session: Session) -> None:
        first, second, third = (make_customer(session) for _ in range(3))
        for actor, customer in ((AGENT, first), (AGENT, second), (VIEWER, third)):
            customers.open_file(session, actor, customer_id=customer.id)
            session.flush()
        with released(session):
            session.exec(select(AuditEntry).where(col(AuditEntry.customer_id) == first.id)).one().at -= timedelta(hours=1)
            session.flush()
        customers.open_file(session, AGENT, customer_id=first.id)
        session.flush()
        found = customers.recent(session, AGENT)
        assert [row.customer_no for row in found] == [first.customer_no, second.customer_no]
        assert found[0].at == clock.now()

    def test_is_not_for_customers(self, session: Session) -> None:
        with pytest.raises(NotPermitted):
            customers.recent(session, self_of(make_customer(session)))


class TestOpenTasks:
    def test_gives_what_is_not_done(self, session: Session) -> None:
        customer = make_customer(session)
        session.add(Task(customer_id=customer.id, code="modem_not_returned", created_at=clock.now()))
        session.add(Task(customer_id=customer.id, code="call_back", created_at=clock.now(), done_at=clock.now()))
        session.flush()
        assert customers.open_tasks(session, AGENT, customer_id=customer.id) == [
            customers.OpenTask("modem_not_returned", None, date(2026, 11, 18))
        ]

    def test_shows_the_customer_what_is_his_and_not_our_own_work(self, session: Session) -> None:
        customer = make_customer(session)
        for code in ("debit_returned", "modem_not_returned", "debit_holder_died"):
            session.add(Task(customer_id=customer.id, code=code, created_at=clock.now()))
        session.flush()
        assert [one.code for one in customers.open_tasks(session, self_of(customer), customer_id=customer.id)] == ["modem_not_returned"]
        assert len(customers.open_tasks(session, AGENT, customer_id=customer.id)) == 3
