"""A bill that is issued while its customer is erased: two real connections, real commits, on both databases."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date

import pytest
from sqlalchemy import Engine, func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Role
from core.models.audit import AuditEntry
from core.models.bill import Bill
from core.models.communication import Communication, MessageChannel
from core.models.customer import Customer, Language
from core.services import erased, erasure
from core.services.erasure import MoneyOpen
from tests.conftest import FIRST_DAY
from tests.services import money_stories
from tests.services.test_erasure import _own_store, left

__all__ = ["_own_store"]

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


def erase(engine: Engine, customer_id: int) -> None:
    with clock.standing(FIRST_DAY), Session(engine) as session, session.begin():
        customer = session.get_one(Customer, customer_id)
        given = {"shown_version": customer.version, "number": customer.customer_no, "reason": "asked for it"}
        erasure.erase(session, SENIOR, customer_id=customer_id, **given)  # type: ignore[arg-type]


def test_an_erasure_waits_for_a_bill_that_is_being_issued_and_then_refuses(scratch: Engine) -> None:
    with Session(scratch, expire_on_commit=False) as session, session.begin():
        customer = left(session)
    with ThreadPoolExecutor(1) as thread:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            money_stories.bill(session, customer, date(2026, 12, 5), bill_no="2612000017")
            session.flush()
            erasing = thread.submit(erase, scratch, customer.id)
            assert not wait([erasing], timeout=1).done, "the erasure did not wait for the bill"
        with pytest.raises(MoneyOpen):
            erasing.result(timeout=30)
    with Session(scratch) as session:
        assert session.execute(select(func.count()).where(col(Bill.customer_id) == customer.id)).scalar() == 2
        assert session.execute(select(func.count()).where(col(AuditEntry.action) == erased.ACTION)).scalar() == 0


def test_an_erasure_waits_for_whoever_writes_a_row_of_the_customers_and_takes_it_too(scratch: Engine) -> None:
    with Session(scratch, expire_on_commit=False) as session, session.begin():
        customer = left(session)
    with ThreadPoolExecutor(1) as thread:
        with Session(scratch) as session, session.begin():
            message = Communication(
                customer_id=customer.id, template="welcome", channel=MessageChannel.EMAIL, language=Language.FR, receiver="late@example.be",
                subject="x", body="y", sent_at=FIRST_DAY,
            )  # fmt: skip
            session.add(message)
            session.flush()
            erasing = thread.submit(erase, scratch, customer.id)
            assert not wait([erasing], timeout=1).done, "the erasure did not wait for the row"
        erasing.result(timeout=30)
    with Session(scratch) as session:
        his = session.execute(select(col(Communication.receiver)).where(col(Communication.customer_id) == customer.id)).scalars().all()
        assert "late@example.be" not in his
