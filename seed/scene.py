"""The customer a story is about, and what its happenings need of him."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.models.appointment import Appointment
from core.models.billing_account import BillModel
from core.models.customer import Customer
from core.models.mandate import Mandate, MandateState
from core.models.product import Product
from core.services import mandates
from seed.ledger import Debit

Story = Mapping[str, Any]


@dataclass
class Scene:
    """A customer while his story is told."""

    session: Session
    story: Story
    customer: Customer
    products: dict[str, Product]
    billing: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.billing = self.story.get("billing", {})

    @property
    def self(self) -> Actor:
        """The customer himself, at his own tabs."""
        return Actor(user_id=None, username=self.story["account"], role=Role.CUSTOMER, customer_id=self.customer.id)

    @property
    def model(self) -> BillModel:
        """How he is billed."""
        return BillModel(self.billing.get("model", "current"))

    @property
    def cycle_day(self) -> int:
        """The day his period begins."""
        return int(self.billing.get("cycle_day", 1))

    @property
    def migrate_on(self) -> date | None:
        """When he passes to the current model."""
        return self.billing.get("migrate_on")

    @property
    def until(self) -> date | None:
        """When his last plan ends, if it does."""
        ends = [facts.get("until") for facts in self.story["products"] if not facts.get("under")]
        return max(end for end in ends if end) if ends and all(ends) else None

    def number_of(self, bill_date: date) -> str:
        """The number of his bill of a month: the sample customers keep their place in the series."""
        return f"{bill_date:%y%m}{self.customer.customer_no[-6:]}"

    def visit(self, number: str) -> Appointment:
        """One of his visits."""
        return self.session.exec(
            select(Appointment).where(Appointment.customer_id == self.customer.id, Appointment.appointment_no == number)
        ).one()

    def sign(self, facts: Mapping[str, Any]) -> Debit:
        """Write the mandate he handed in on paper: one that he signed runs from that day on, the other one waits."""
        asked: date = facts.get("signed") or facts["requested"]
        with clock.standing(clock.at(asked, 11)):
            row = Mandate(
                customer_id=self.customer.id,
                umr=facts["umr"],
                state=MandateState.PENDING_SIGNATURE,
                holder=self.customer.name,
                iban=facts["iban"],
                requested_at=clock.now(),
            )
            self.session.add(row)
            self.session.flush()
            if "signed" in facts:
                mandates.activate(self.session, SYSTEM, mandate=row, customer=self.customer, signed_on=asked)
        return Debit(row.id, row.holder, row.iban)
