"""Who looked at a customer's data, and who looked at more than is usual for him."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from core import clock
from core.actor import Actor, Role
from core.errors import NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.user import User
from core.services import access, audit, audit_seals, customers, looks
from core.services.access import Masked, Why
from core.services.looks import EndsBefore
from tests.builders import AGENT, SINCE, VIEWER, make_customer, self_of

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)


def days() -> dict[str, Any]:
    today = clock.local(clock.real_now()).date()
    return {"since": today - timedelta(days=3), "until": today}


def told(session: Session, customer: Customer, **given: Any) -> list[tuple[str, str]]:
    session.flush()
    found = looks.report(session, SENIOR, customer_no=customer.customer_no, **(days() | given))
    return [(one.name, one.action) for one in found.looks]


def look(session: Session, who: str, at: datetime, customer_id: int) -> None:
    facts: dict[str, Any] = {"object_type": "customer", "object_id": str(customer_id), "action": customers.OPENED}
    audit_seals.note(session, AuditEntry(at=at, business_at=at, actor=who, customer_id=customer_id, **facts))


class TestReport:
    def test_tells_each_kind_of_look_with_its_reason_the_newest_first(self, session: Session) -> None:
        customer = make_customer(session, vip=True, birth_date=date(1979, 9, 17))
        session.add(User(username="agent", name="Claire Martin", role=Role.AGENT, created_at=SINCE))
        given: dict[str, Any] = {"why": Why.OTHER, "words": "=cmd()"}
        access.give_reason(session, AGENT, customer_no=customer.customer_no, **given)
        customers.open_file(session, AGENT, customer_id=customer.id)
        access.reveal(session, AGENT, customer_id=customer.id, masked=Masked.BIRTH_DATE, **given)
        for action in ("bill:download", "document:open", "usage:export", "customer:export"):
            audit.record(session, VIEWER, action=action, object_type="bill", object_id="1", customer_id=customer.id)
        looks.note_hits(session, VIEWER, hits={customer.customer_no: "name"})
        assert told(session, customer) == [
            ("viewer", "customer:found"), ("viewer", "customer:export"), ("viewer", "usage:export"), ("viewer", "document:open"), ("viewer", "bill:download"),
            ("Claire Martin", "personal:reveal"), ("Claire Martin", "customer:open"), ("Claire Martin", "customer:reason"),
        ]  # fmt: skip

    def test_leaves_out_changes_other_files_other_days_and_the_customer_himself(self, session: Session) -> None:
        customer, other = make_customer(session), make_customer(session)
        own = self_of(customer)
        session.add(User(username=own.username, name="Sophie", role=Role.CUSTOMER, customer_id=customer.id, created_at=SINCE))
        audit.record(session, AGENT, action="contact:change", object_type="customer", object_id=1, customer_id=customer.id)
        audit.record(session, own, action="bill:download", object_type="bill", object_id=1, customer_id=customer.id)
        customers.open_file(session, AGENT, customer_id=other.id)
        look(session, "agent", clock.real_now() - timedelta(days=9), customer.id)
        assert told(session, customer) == []

    def test_is_itself_written_down(self, session: Session) -> None:
        customer = make_customer(session)
        looks.ask_report(session, SENIOR, customer_no=customer.customer_no, **days())
        looks.export(session, SENIOR, customer_no=customer.customer_no, language="fr", **days())
        assert told(session, customer) == [("senior", "looks:export"), ("senior", "looks:report")]

    def test_is_for_a_team_lead_only(self, session: Session) -> None:
        customer = make_customer(session)
        for verb in (looks.report, looks.ask_report):
            with pytest.raises(NotPermitted):
                verb(session, AGENT, customer_no=customer.customer_no, **days())
        with pytest.raises(NotPermitted):
            looks.anomalies(session, AGENT)

    def test_refuses_an_unknown_number_and_days_in_the_wrong_order(self, session: Session) -> None:
        with pytest.raises(NotFound):
            looks.report(session, SENIOR, customer_no="99999999", **days())
        customer = make_customer(session)
        with pytest.raises(EndsBefore):
            looks.report(session, SENIOR, customer_no=customer.customer_no, since=date(2026, 2, 2), until=date(2026, 2, 1))


class TestExport:
    def test_holds_every_look_in_cells_that_no_spreadsheet_runs(self, session: Session) -> None:
        customer = make_customer(session, vip=True)
        access.give_reason(session, AGENT, customer_no=customer.customer_no, why=Why.OTHER, words="=cmd|'/c calc'!A1")
        session.flush()
        file = looks.export(session, SENIOR, customer_no=customer.customer_no, language="nl", **days())
        head, row = csv.reader(io.StringIO(file.decode("utf-8-sig")), delimiter=";")
        assert (head[0], head[3]) == ("Wanneer", "Wat")
        assert row[1:] == ["agent", "", "Reden gegeven", "", "Een andere reden", "'=cmd|'/c calc'!A1"]


class TestNoteHits:
    def test_writes_down_whom_a_search_showed_once_and_not_what_was_typed(self, session: Session) -> None:
        one, other = make_customer(session), make_customer(session)
        assert looks.note_hits(session, AGENT, hits={one.customer_no: "phone"}) == 1
        session.flush()
        assert looks.note_hits(session, AGENT, hits={one.customer_no: "phone", other.customer_no: "phone", "99999999": "name"}) == 1
        session.flush()
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == looks.FOUND)).all()
        assert [(entry.customer_id, entry.after) for entry in entries] == [(one.id, {"by": "phone"}), (other.id, {"by": "phone"})]


class TestAnomalies:
    HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)

    def test_names_the_hour_in_which_somebody_opened_more_than_he_usually_does(self, session: Session) -> None:
        ids = [make_customer(session).id for _ in range(20)]
        for ago in range(1, 5):
            for customer_id in ids[:4]:
                look(session, "agent", self.HOUR - timedelta(hours=ago), customer_id)
                look(session, "agent", self.HOUR - timedelta(hours=ago), customer_id)
        for customer_id in ids:
            look(session, "agent", self.HOUR + timedelta(minutes=30), customer_id)
        session.flush()
        assert looks.anomalies(session, SENIOR) == [looks.Anomaly("agent", "agent", self.HOUR, 20, 4.0)]

    def test_says_nothing_of_who_always_opens_many(self, session: Session) -> None:
        ids = [make_customer(session).id for _ in range(20)]
        for ago in range(5):
            for customer_id in ids:
                look(session, "billing", self.HOUR - timedelta(hours=ago), customer_id)
        session.flush()
        assert looks.anomalies(session, SENIOR) == []

    @given(files=st.integers(0, 500), usual=st.floats(0, 100))
    def test_more_files_are_never_less_unusual(self, files: int, usual: float) -> None:
        rule = {"least": 15, "times": 3}
        assert looks.unusual(files, usual, **rule) <= looks.unusual(files + 1, usual, **rule)
        assert not looks.unusual(min(files, 14), usual, **rule)
