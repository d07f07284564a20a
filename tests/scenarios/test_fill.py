"""A demo is filled once, the same each time, and comes back to its first day by one click."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import phonenumbers
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from core import clock, db, postcodes, start
from core.actor import SYSTEM, Actor, Role
from core.errors import NotPermitted
from core.models.audit import DemoClock
from core.models.bill import Bill, BillCategory, BillCounter, BillState
from core.models.billing_account import BillingAccount
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.interaction import Task
from core.models.mandate import Mandate
from core.models.payment import Payment, PaymentAllocation
from core.models.product import Product
from core.models.usage import UsageDay, UsageEvent
from core.models.user import User
from core.services import customers, open_amounts, payments, references, search_index, sessions, usage_rating, users
from core.services import demo as demo_clock
from core.services.references import parse_ogm
from seed import demo
from tests.conftest import FIRST_DAY, address
from tests.scenarios.filling import ROOT, contents, filled, installed

SAMPLES = 13
BILLS = col(Bill.category) != BillCategory.CREDIT_NOTE


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("demo")
    with filled(address("sqlite", folder), folder) as engine:
        yield engine


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


class TestFill:
    def test_writes_the_samples_and_two_hundred_others(self, session: Session) -> None:
        assert session.exec(select(func.count()).select_from(Customer)).one() == SAMPLES + demo.CUSTOMERS

    def test_lets_everybody_be_found(self, session: Session) -> None:
        assert search_index.differing(session.connection()) == []

    def test_gives_the_same_data_each_time(self, engine: Engine, tmp_path: Path) -> None:
        first = contents(engine)
        with filled(address("sqlite", tmp_path), tmp_path) as again:
            assert contents(again) == first

    def test_gives_the_same_data_on_postgresql(self, engine: Engine, tmp_path: Path) -> None:
        first = contents(engine)
        with filled(address("postgresql", tmp_path), tmp_path) as there:
            assert contents(there) == first

    def test_leaves_no_gap_in_the_numbers_of_any_month(self, session: Session) -> None:
        numbers: dict[str, list[int]] = {}
        for number in session.exec(select(Bill.bill_no).where(BILLS)):
            numbers.setdefault(number[:4], []).append(int(number[4:]))
        assert len(numbers) == 24
        for month, found in numbers.items():
            assert sorted(found) == list(range(1, len(found) + 1)), month

    def test_charges_what_the_engine_would_charge(self, engine: Engine) -> None:
        """Rated again from the catalogue, event by event, nobody's open use comes to another amount."""
        with Session(engine) as session, clock.standing(FIRST_DAY):
            assert usage_rating.rerate(session, SYSTEM, since=clock.add_months(clock.today(), -12)).events == 0
            session.rollback()

    def test_lets_the_counters_go_on_behind_the_last_number(self, session: Session) -> None:
        for counter in session.exec(select(BillCounter).where(func.length(BillCounter.series) == 4)):
            last = session.exec(select(func.max(Bill.bill_no)).where(BILLS, col(Bill.bill_no).startswith(counter.series))).one()
            assert last == f"{counter.series}{counter.last:06d}"

    def test_pays_bills_with_what_came_in(self, session: Session) -> None:
        counted = func.coalesce(func.sum(PaymentAllocation.amount_cents), 0)
        rows = session.exec(
            select(Bill.bill_no, Bill.remaining_cents, Bill.incl_cents + Bill.third_party_cents - Bill.credited_cents, counted)
            .outerjoin(PaymentAllocation, (col(PaymentAllocation.bill_id) == Bill.id) & col(PaymentAllocation.reversed_on).is_(None))
            .where(BILLS)
            .group_by(col(Bill.id))
        ).all()
        assert len(rows) > 4000
        # The credit note of P13 came after the bill was paid: it was paid back.
        assert [no for no, left, asked, paid in rows if left != asked - paid] == ["2609000130"]

    def test_sums_each_day_as_its_events_say(self, session: Session) -> None:
        figures = (func.count(), func.sum(UsageEvent.quantity), func.sum(UsageEvent.over_quantity), func.sum(UsageEvent.charged_cents))
        since = date(2026, 10, 1)
        days = select(*(func.sum(getattr(UsageDay, name)) for name in ("events", "quantity", "over_quantity", "charged_cents")))
        legacy = select(BillingAccount.customer_id).where(BillingAccount.cycle_day != 1)
        whole = col(UsageDay.customer_id).not_in(legacy)
        events = session.exec(select(*figures).where(UsageEvent.at >= clock.at(since), col(UsageEvent.customer_id).not_in(legacy))).one()
        assert tuple(events) == tuple(session.exec(days.where(UsageDay.day >= since, whole)).one())

    def test_uses_numbers_addresses_and_accounts_that_could_be_belgian(self, session: Session) -> None:
        media = session.exec(select(ContactMedium)).all()
        for phone in [one.value for one in media if one.kind is ContactKind.PHONE]:
            assert phonenumbers.is_valid_number(phonenumbers.parse(phone or "")), phone
        for line in session.exec(select(Product.line).where(col(Product.line).is_not(None))):
            assert phonenumbers.is_valid_number(phonenumbers.parse(line or "")), line
        for place in [one for one in media if one.kind is ContactKind.ADDRESS]:
            postcodes.check(place.postcode or "", place.town or "")
        for iban in [
            *session.exec(select(Mandate.iban)),
            *session.exec(select(Payment.payer_iban).where(col(Payment.payer_iban).is_not(None))),
        ]:
            assert references.iban(iban or "")[4:7] == "539"
        for number in session.exec(select(col(Customer.enterprise_no)).where(col(Customer.enterprise_no).is_not(None))):
            assert number
            assert int(number[8:]) == 97 - int(number[:8]) % 97

    def test_gives_no_line_twice(self, session: Session) -> None:
        lines = session.exec(select(Product.line).where(col(Product.line).is_not(None))).all()
        assert len(lines) == len(set(lines))

    def test_speaks_three_languages(self, session: Session) -> None:
        assert set(session.exec(select(Customer.language).where(Customer.customer_no > "10000200").distinct())) == {"fr", "nl", "de"}


class TestThoseThereForAReason:
    def test_two_share_a_name_and_a_town(self, session: Session) -> None:
        query = select(col(Customer.birth_date)).where(Customer.given_name == "Jan", Customer.family_name == "Janssens", _lives_in("3500"))
        assert len(set(session.exec(query).all())) == 2

    def test_one_has_died_and_another_took_over(self, session: Session) -> None:
        gone = session.exec(select(Customer).where(col(Customer.deceased_on).is_not(None))).one()
        heir = session.get_one(Customer, gone.taken_over_by_id)
        assert (gone.status, heir.status, heir.family_name) == ("closed", "active", gone.family_name)
        last = session.exec(select(func.max(Bill.bill_date)).where(Bill.customer_id == gone.id)).one()
        first = session.exec(select(func.min(Bill.bill_date)).where(Bill.customer_id == heir.id)).one()
        assert (last, first) == (date(2026, 10, 5), date(2026, 11, 5))

    def test_one_is_held_by_the_ombudsman(self, session: Session) -> None:
        account = session.exec(select(BillingAccount).where(col(BillingAccount.dunning_hold_until).is_not(None))).one()
        assert account.dunning_hold_until == date(2027, 2, 15)
        late = select(Bill).where(Bill.customer_id == account.customer_id, Bill.state != BillState.SETTLED, Bill.due_date < clock.today())
        assert session.exec(late).first() is not None

    def test_one_is_important_and_one_a_colleague(self, session: Session) -> None:
        for flag in (Customer.vip, Customer.colleague):
            assert session.exec(select(func.count()).select_from(Customer).where(flag)).one() == 1

    def test_two_payments_wait_for_their_bill(self, session: Session) -> None:
        free, mistyped = payments.unmatched(session, SYSTEM)
        assert not any(char.isdigit() for char in free.communication or "")
        assert parse_ogm(mistyped.communication or "") is None
        ogm = session.exec(select(Bill.ogm).where(Bill.bill_no == "2611000055")).one()
        assert sum(one != other for one, other in zip(ogm or "", mistyped.communication or "", strict=True)) == 1


def _lives_in(postcode: str) -> bool:
    return col(Customer.id).in_(select(ContactMedium.customer_id).where(ContactMedium.postcode == postcode))  # type: ignore[return-value]


class TestStart:
    def test_finds_the_data_as_they_were_left(self, tmp_path: Path) -> None:
        with filled(address("sqlite", tmp_path), tmp_path) as engine:
            with db.transaction() as session:
                session.add(Task(customer_id=1, code="call_back", created_at=clock.now()))
            before = contents(engine)
            start.ready()
            assert contents(engine) == before

    def test_fills_once_when_two_processes_start_together(self, tmp_path: Path) -> None:
        environment = os.environ | {
            "GUICHET_DATABASE_URL": address("sqlite", tmp_path),
            "GUICHET_DOCUMENTS_URL": f"file://{tmp_path / 'documents'}",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-c", "from core import start; start.ready()"]
        running = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
        assert [(one.communicate()[1], one.returncode) for one in running] == [(b"", 0), (b"", 0)]
        with installed(address("sqlite", tmp_path), tmp_path) as engine, Session(engine) as session:
            assert session.exec(select(func.count()).select_from(Customer)).one() == SAMPLES + demo.CUSTOMERS


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
class TestReset:
    @pytest.fixture
    def engine(self, kind: str, tmp_path: Path) -> Iterator[Engine]:
        with filled(address(kind, tmp_path), tmp_path) as engine:
            yield engine

    def test_brings_back_the_first_day_and_keeps_who_is_signed_in(self, engine: Engine, tmp_path: Path) -> None:
        first = contents(engine, frozenset({"demo_clock"}))
        with db.transaction() as session:
            mine, theirs, ended, strange = self._sign_in(session)
            demo_clock.move_clock(session, SYSTEM, days=40)
            session.get_one(Customer, 1).family_name = "Autre"
        with clock.standing(FIRST_DAY):
            start.reset_demo(Actor(None, "agent", Role.AGENT))
        with db.transaction() as session:
            assert clock.now() == FIRST_DAY
            assert session.exec(select(DemoClock.resets)).one() == 1
            agent, sophie = sessions.find(session, mine), sessions.find(session, theirs)
            assert agent is not None
            assert sophie is not None
            assert (agent.username, sophie.name) == ("agent", "Sophie Lambert")
            assert sessions.find(session, ended) is None
            assert sessions.find(session, strange) is None
        changed = {"demo_clock", "user_session"}
        after = contents(engine, frozenset({"demo_clock"}))
        assert {name: found for name, found in after.items() if name not in changed} == {
            name: found for name, found in first.items() if name not in changed
        }
        assert len(list((tmp_path / "documents").iterdir())) == 1

    def test_what_is_drawn_meanwhile_is_of_before_or_after_never_of_an_empty_demo(self, engine: Engine) -> None:
        done = threading.Event()
        found: list[tuple[str, int]] = []

        def draw() -> None:
            while not done.is_set():
                with db.snapshot():
                    with db.reading() as session:
                        kevin = customers.head(session, SYSTEM, customer_no="10000055")
                    time.sleep(0.05)
                    with db.reading() as session:
                        found.append((kevin.name, open_amounts.open_summary(session, kevin.id).open_cents))

        with ThreadPoolExecutor(3) as pool:
            drawing = [pool.submit(draw) for _ in range(3)]
            time.sleep(0.2)
            start.reset_demo(Actor(None, "agent", Role.AGENT))
            done.set()
            for one in drawing:
                one.result(timeout=60)
        assert set(found) == {("Kevin Dubois", 168_00)}

    def _sign_in(self, session: Session) -> tuple[str, str, str, str]:
        """Sign in as an agent, as a customer, as one who left again, and as somebody whom the demo does not know."""
        ids = dict(session.exec(select(User.username, User.id)).all())
        users.create(session, SYSTEM, username="neu", name="Neu", role=Role.AGENT, password="ein Satz, der lang genug ist")
        new = session.exec(select(User.id).where(User.username == "neu")).one()
        tokens = [sessions.open_(session, user, device="Firefox") for user in (ids["agent"], ids["p01"], ids["billing"], new)]
        sessions.end_all(session, SYSTEM, user_id=ids["billing"], customer_id=None)
        session.flush()
        return tokens[0], tokens[1], tokens[2], tokens[3]

    def test_is_for_who_may_move_the_demo(self, engine: Engine) -> None:
        with pytest.raises(NotPermitted):
            start.reset_demo(Actor(None, "p01", Role.CUSTOMER, 1))


class TestCommand:
    def _run(self, tmp_path: Path, *arguments: str, mode: str = "demo", module: str = "seed") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "GUICHET_DATABASE_URL": address("sqlite", tmp_path),
            "GUICHET_DOCUMENTS_URL": f"file://{tmp_path / 'documents'}",
            "GUICHET_MODE": mode,
            "GUICHET_COOKIE_KEY": "k" * 40,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", module, *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def test_adds_customers_and_goes_on_with_the_numbers(self, tmp_path: Path) -> None:
        first = self._run(tmp_path, "--customers", "30", "--months", "3", mode="live")
        assert (first.returncode, first.stdout) == (0, "")
        assert "30 of 30 customers, done at" in first.stderr
        again = self._run(tmp_path, "--customers", "20", "--months", "3", mode="live")
        assert again.returncode == 0, again.stderr
        with installed(address("sqlite", tmp_path), tmp_path) as engine, Session(engine) as session:
            numbers = session.exec(select(Customer.customer_no).order_by(Customer.customer_no)).all()
            assert numbers == [str(10_001_001 + index) for index in range(50)]
            for series, last in session.exec(select(BillCounter.series, BillCounter.last)):
                assert session.exec(select(func.count()).where(BILLS, col(Bill.bill_no).startswith(series))).one() == last

    def test_refuses_to_reset_what_is_no_demo(self, tmp_path: Path) -> None:
        assert self._run(tmp_path, "--reset", mode="live").returncode == 2

    def test_tells_the_accounts_of_a_demo_only(self, tmp_path: Path) -> None:
        told = self._run(tmp_path, module="seed.accounts")
        assert users.DEMO_PASSWORD in told.stdout
        assert all(name in told.stdout for name in (*users.DEMO_STAFF, *users.DEMO_CUSTOMERS))
        assert self._run(tmp_path, module="seed.accounts", mode="live").stdout == ""
