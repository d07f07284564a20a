"""What is late, and how the law counts it."""

from datetime import date

from sqlmodel import Session

from core import clock
from core.actor import SYSTEM
from core.models.customer import Customer, CustomerStatus
from core.services import arrears, bills, collections, open_amounts, payments
from tests.builders import AGENT, make_customer, make_product
from tests.services.money_stories import NOVEMBER, bill, mandate, trio


class TestArrears:
    def test_p05_missed_three_and_the_fourth_may_cost_7_50(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        customer.status, customer.status_since = CustomerStatus.SUSPENDED, date(2026, 11, 10)
        found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert (found.amount.overdue_cents, found.missed, found.next_due, found.next_fee_cents, found.suspended_on) == (
            12600, 3, date(2026, 11, 20), 750, date(2026, 11, 10),
        )  # fmt: skip

    def test_the_third_missed_due_date_is_still_free(self, session: Session) -> None:
        found = arrears.of_customer(session, AGENT, customer_id=trio(session, 9, 10, 11).id)
        assert found is not None
        assert (found.missed, found.next_fee_cents) == (2, 0)

    def test_a_bill_paid_late_counts(self, session: Session) -> None:
        customer = trio(session, 8, 9, 10, 11)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=date(2026, 10, 1), amount_cents=4200)
        found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert found.missed == 3

    def test_what_waits_for_the_bank_over_a_weekend_is_not_late(self, session: Session) -> None:
        customer = self._debited(session)
        with clock.standing(clock.at(date(2026, 8, 16), 10)):  # The due date was a Saturday.
            assert open_amounts.open_summary(session, customer.id).overdue_cents == 0
            assert [row.days_overdue for row in bills.of_customer(session, AGENT, customer_id=customer.id)] == [0]

    def test_a_bill_that_we_collected_was_not_missed(self, session: Session) -> None:
        customer = self._debited(session)
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2608000062")
        bill(session, customer, NOVEMBER, bill_no="2611000062")
        collections.collect(session, SYSTEM, customer_id=customer.id, bill_no="2611000062")
        with clock.standing(clock.at(date(2026, 11, 17), 11)):
            collections.return_collection(session, SYSTEM, customer_id=customer.id, bill_no="2611000062", code="AM04")
        with clock.standing(clock.at(date(2026, 12, 2), 10)):
            found = arrears.of_customer(session, AGENT, customer_id=customer.id)
        assert found is not None
        assert (found.amount.overdue_cents, found.missed) == (2300, 1)

    def _debited(self, session: Session) -> Customer:
        customer = make_customer(session)
        make_product(session, customer, "POCO")
        mandate(session, customer)
        bill(session, customer, date(2026, 8, 5), bill_no="2608000062")
        return customer

    def test_is_none_when_nothing_is_late(self, session: Session) -> None:
        assert arrears.of_customer(session, AGENT, customer_id=trio(session, 11).id) is None
