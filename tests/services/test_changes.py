"""What became of a thing, and the way back from a change."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.customer import Customer, Language
from core.models.product import AlertChannel, AlertMetric, UsageCap
from core.services import alerts, audit, caps, changes, contacts, customers, flags
from core.services.caps import RaisedByHolderOnly
from core.services.changes import Change, NotRevertible, Subject
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


def contact(session: Session, customer: Customer, **changed: Any) -> None:
    now = contacts.read(session, AGENT, customer_id=customer.id)
    facts: dict[str, Any] = {name: getattr(now, name) or "" for name in ("email", "phone", "street", "number", "box", "postcode", "town")}
    given = facts | {"language": now.language} | changed
    contacts.change(session, AGENT, customer_id=customer.id, shown_version=now.version, **given)
    session.flush()


def history(session: Session, customer: Customer, subject: Subject = Subject.CUSTOMER, actor: Actor = AGENT) -> list[Change]:
    session.flush()
    return changes.of(session, actor, customer_id=customer.id, subject=subject)


def revert(session: Session, customer: Customer, change: Change, actor: Actor = AGENT) -> None:
    version = change.version or 1
    changes.revert(session, actor, customer_id=customer.id, entry_id=change.entry_id, shown_version=version)
    session.flush()


class TestOf:
    def test_tells_old_and_new_who_and_why_the_newest_first_and_no_looks(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 99")
        customers.open_file(session, AGENT, customer_id=customer.id)
        flags.change(session, SENIOR, customer_id=customer.id, shown_version=customer.version, vip=True, colleague=False, vulnerable=False, reason="minister")  # fmt: skip
        told = history(session, customer)
        assert [(one.action, one.name, one.before, one.after, one.reason) for one in told] == [
            ("customer:flags", "senior", {"vip": False}, {"vip": True}, "minister"),
            ("contact:change", "agent", {"phone": "+32470000001"}, {"phone": "+32470000099"}, None),
        ]

    def test_keeps_to_the_thing_and_the_customer_it_is_asked_for(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        for customer, number in ((one, "1"), (one, "2"), (other, "1")):
            audit.record(session, AGENT, action="bill:x", object_type="bill", object_id=number, customer_id=customer.id)
        session.flush()
        found = changes.of(session, AGENT, customer_id=one.id, subject=Subject.BILL, object_id="1")
        assert len(found) == 1

    def test_is_not_for_customers_nor_for_who_only_reads(self, session: Session) -> None:
        customer = make_customer(session)
        for actor in (self_of(customer), VIEWER):
            with pytest.raises(NotPermitted):
                changes.of(session, actor, customer_id=customer.id, subject=Subject.CUSTOMER)

    def test_only_the_newest_change_of_a_field_can_be_taken_back(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 98")
        contact(session, customer, language=Language.NL)
        contact(session, customer, phone="0470 00 00 99")
        assert [one.version is not None for one in history(session, customer)] == [True, True, False]


class TestRevert:
    def test_puts_phone_language_and_address_back_as_a_new_change(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 99", language=Language.DE, street="Place d'Armes", number="1")
        revert(session, customer, history(session, customer)[0])
        now = contacts.read(session, AGENT, customer_id=customer.id)
        assert (now.phone, now.language, now.street, now.number) == ("+32470000001", Language.FR, "Rue de Fer", "12")
        actions = [one.action for one in history(session, customer)]
        assert actions == [changes.REVERT, "contact:change", "contact:change"]

    def test_a_foreign_phone_comes_back_too(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="+33 6 12 34 56 78")
        contact(session, customer, phone="0470 00 00 99")
        revert(session, customer, history(session, customer)[0])
        assert contacts.read(session, AGENT, customer_id=customer.id).phone == "+33612345678"

    def test_refuses_a_change_that_was_changed_again(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 98")
        first = history(session, customer)[0]
        contact(session, customer, phone="0470 00 00 99")
        with pytest.raises(ChangedMeanwhile) as refusal:
            revert(session, customer, first)
        assert refusal.value.params["who"] == AGENT.username
        with pytest.raises(NotRevertible):
            revert(session, customer, replace(first, version=customer.version))

    def test_refuses_what_was_shown_before_somebody_else_wrote(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 98")
        shown = history(session, customer)[0]
        contact(session, customer, language=Language.NL)
        with pytest.raises(ChangedMeanwhile):
            revert(session, customer, shown)

    def test_needs_the_right_of_the_change_itself(self, session: Session) -> None:
        customer = make_customer(session)
        contact(session, customer, phone="0470 00 00 98")
        flags.change(session, SENIOR, customer_id=customer.id, shown_version=customer.version, vip=True, colleague=False, vulnerable=False, reason="")  # fmt: skip
        marked, phoned = history(session, customer)
        for actor, change in ((VIEWER, phoned), (AGENT, marked)):
            with pytest.raises(NotPermitted):
                revert(session, customer, change, actor)

    def test_finds_no_change_of_another_customer(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        contact(session, one, phone="0470 00 00 98")
        with pytest.raises(NotFound):
            revert(session, other, history(session, one)[0])

    def test_refuses_what_has_no_way_back(self, session: Session) -> None:
        customer = make_customer(session)
        audit.record(
            session, AGENT, action="option:on", object_type="product", object_id=1, customer_id=customer.id, before={"options": ["A"]}
        )
        with pytest.raises(NotRevertible):
            revert(session, customer, history(session, customer, Subject.PRODUCT)[0])

    def test_puts_marks_back(self, session: Session) -> None:
        customer = make_customer(session)
        flags.change(session, SENIOR, customer_id=customer.id, shown_version=customer.version, vip=True, colleague=False, vulnerable=True, reason="")  # fmt: skip
        revert(session, customer, history(session, customer, actor=SENIOR)[0], SENIOR)
        assert flags.read(session, AGENT, customer_id=customer.id) == {"vip": False, "colleague": False, "vulnerable": False}

    def test_lowers_a_cap_again_but_raises_none_for_who_is_not_the_holder(self, session: Session) -> None:
        customer = make_customer(session)
        plan = make_product(session, customer, "RED", line="+32470000001")
        given: dict[str, Any] = {"customer_id": customer.id, "product_no": plan.product_no}
        caps.set_cap(session, AGENT, shown_version=plan.version, cap_cents=500, **given)
        caps.set_cap(session, AGENT, shown_version=plan.version, cap_cents=5000, holder_asks=True, **given)
        revert(session, customer, history(session, customer, Subject.PRODUCT)[0])
        assert session.exec(select(UsageCap.cap_cents)).one() == 500
        with pytest.raises(RaisedByHolderOnly):
            revert(session, customer, history(session, customer, Subject.PRODUCT)[1])

    def test_puts_an_alert_back(self, session: Session) -> None:
        customer = make_customer(session)
        plan = make_product(session, customer, "RED", line="+32470000001")
        for percent in (80, 50):
            alerts.set_alerts(
                session, AGENT, customer_id=customer.id, product_no=plan.product_no, shown_version=plan.version,
                thresholds={AlertMetric.BUNDLE_PERCENT: percent}, channel=AlertChannel.SMS,
            )  # fmt: skip
        revert(session, customer, history(session, customer, Subject.PRODUCT)[0])
        found = alerts.of_customer(session, AGENT, customer_id=customer.id)[plan.id]
        assert [one.threshold for one in found if one.metric is AlertMetric.BUNDLE_PERCENT] == [80]
