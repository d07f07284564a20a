"""The use a bill charges is found from the bill: Consommations shows it by `?bill=`."""

from datetime import UTC, date, datetime

from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.models.usage import UsageEvent, UsageKind
from core.services import bill_issuing, billing_facts, usage
from core.services.usage import NewEvent
from tests.builders import make_customer, make_product

OCTOBER, NOVEMBER = datetime(2026, 10, 10, 12, 0, tzinfo=UTC), datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


class TestIssue:
    def test_ties_the_use_of_its_period_to_the_bill_and_no_other(self, session: Session) -> None:
        customer = make_customer(session)
        red = make_product(session, customer, "RED", since=date(2026, 10, 1))
        events = [NewEvent(customer.id, red.id, at, 1, UsageKind.SMS, 1) for at in (OCTOBER, NOVEMBER)]
        usage.record(session, SYSTEM, events=events)
        with clock.standing(clock.at(date(2026, 11, 5), 6)):
            draft = billing_facts.draft(session, customer.id, billing_facts.of_customer(session, customer.id), date(2026, 11, 5))
            issued = bill_issuing.issue(session, SYSTEM, customer_id=customer.id, draft=draft)
        query = select(UsageEvent.bill_id).where(UsageEvent.customer_id == customer.id).order_by(col(UsageEvent.at))
        assert session.exec(query).all() == [issued.id, None]
