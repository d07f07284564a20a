"""Each sample customer stands exactly as personas.json tells him, in the database and for the services that read it."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM
from core.bank.direct_debits import schema
from core.models.appointment import Appointment
from core.models.bill import Bill, BillCategory, BillLine, BillState
from core.models.billing_account import BillingAccount, PaymentMethod
from core.models.collection import Collection, CollectionBatch, CollectionState
from core.models.communication import Communication, MessageChannel
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.document import Document
from core.models.interaction import Task
from core.models.mandate import Mandate
from core.models.order import HouseMove, ProductOrder
from core.models.payment import Payment, PaymentAllocation, Refund
from core.models.product import Product, UsageCap
from core.models.usage import UsageEvent, UsageKind, Zone
from core.services import arrears, billing, billing_facts, bills, consumption, e_invoices, usage, usage_rating, visits
from core.services.consumption import Counter
from tests.conftest import FIRST_DAY
from tests.scenarios.filling import filled

TOLD = json.loads((Path(__file__).parent / "personas.json").read_text("utf-8"))
CUSTOMERS: list[dict[str, Any]] = TOLD["customers"]
Person = dict[str, Any]

BASIC = {
    "id", "customer_no", "given_name", "family_name", "language", "status", "bill_model", "cycle_day", "media", "payment", "address", "phone",
    "email", "products", "bills", "mandate", "birth_date", "trading_name", "enterprise_no", "vat_no", "peppol", "second_holder", "appointments",
    "credit_notes", "mailbox_until", "withdrawal_until",
}  # fmt: skip
SPECIAL = {
    "P01": {"running"}, "P02": {"settled_bills"}, "P03": {"running"}, "P06": {"running"}, "P07": {"move"}, "P09": {"migration"},
    "P05": {"suspended_on", "open_cents", "overdue_cents", "missed_due_dates_2026", "next_fee_max_cents", "plan_proposed"},
    "P12": {"documents", "next_bill"}, "P13": {"refund", "tasks"},
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("demo")
    with filled(f"sqlite:///{folder / 'guichet.db'}", folder) as engine, Session(engine) as session:
        yield session


@pytest.fixture(params=CUSTOMERS, ids=lambda one: one["id"])
def person(request: pytest.FixtureRequest) -> Person:
    return dict(request.param)


def named(identity: str) -> Person:
    return next(one for one in CUSTOMERS if one["id"] == identity)


def file_of(demo: Session, person: Person) -> Customer:
    return demo.exec(select(Customer).where(Customer.customer_no == person["customer_no"])).one()


def product(demo: Session, number: str) -> Product:
    return demo.exec(select(Product).where(Product.product_no == number)).one()


def bill(demo: Session, number: str) -> Bill:
    return demo.exec(select(Bill).where(Bill.bill_no == number)).one()


def day(text: str | None) -> Any:
    return date.fromisoformat(text) if text else None


def test_every_figure_of_the_file_is_looked_at() -> None:
    for person in CUSTOMERS:
        assert set(person) <= BASIC | SPECIAL.get(person["id"], set()), person["id"]


class TestFile:
    def test_has_the_customer(self, demo: Session, person: Person) -> None:
        row = file_of(demo, person)
        for name in ("given_name", "family_name", "language", "status", "trading_name", "enterprise_no"):
            assert getattr(row, name) == person.get(name), name
        for name in ("mailbox_until", "withdrawal_until"):
            assert getattr(row, name) == day(person.get(name)), name
        if "birth_date" in person:
            assert row.birth_date == day(person["birth_date"])
        second = person.get("second_holder")
        assert row.second_holder == (f"{second['given_name']} {second['family_name']}" if second else None)

    def test_can_be_reached(self, demo: Session, person: Person) -> None:
        query = select(ContactMedium).where(ContactMedium.customer_id == file_of(demo, person).id, col(ContactMedium.until_at).is_(None))
        media = {row.kind: row for row in demo.exec(query)}
        values = {kind: row.value for kind, row in media.items()}
        assert (values.get(ContactKind.PHONE), values.get(ContactKind.EMAIL)) == (person["phone"], person["email"])
        assert {name: getattr(media[ContactKind.ADDRESS], name) for name in person["address"]} == person["address"]

    def test_is_billed_as_told(self, demo: Session, person: Person) -> None:
        row = demo.exec(select(BillingAccount).where(BillingAccount.customer_id == file_of(demo, person).id)).one()
        assert (row.bill_model, row.cycle_day, row.media, row.payment_method, row.peppol_id) == (
            person["bill_model"], person["cycle_day"], person["media"], person["payment"], person.get("peppol"),
        )  # fmt: skip

    def test_holds_the_products_and_no_other(self, demo: Session, person: Person) -> None:
        rows = demo.exec(select(Product).where(Product.customer_id == file_of(demo, person).id).order_by(Product.product_no)).all()
        assert [row.product_no for row in rows] == [facts["product_no"] for facts in person["products"]]
        numbers = {row.id: row.product_no for row in rows}
        for row, facts in zip(rows, person["products"], strict=True):
            ends = clock.add_months(day(facts["since"]).replace(day=1), 1) if facts.get("one_shot") else day(facts["until"])
            assert (row.offering_code, row.since, row.until, row.status) == (facts["offering"], day(facts["since"]), ends, facts["status"])
            assert (row.line, row.user_name) == (facts.get("line") or facts.get("fixed_line"), facts.get("user"))
            assert (row.is_minor, numbers.get(row.parent_id or 0)) == (facts.get("minor", False), facts.get("parent"))
            cap = demo.exec(select(UsageCap.cap_cents).where(UsageCap.product_id == row.id)).first()
            assert cap == facts.get("cap_cents")

    def test_has_its_mandate(self, demo: Session, person: Person) -> None:
        rows = demo.exec(select(Mandate).where(Mandate.customer_id == file_of(demo, person).id)).all()
        told = person.get("mandate")
        assert [(row.umr, row.iban, row.state, row.signed_on, row.cancelled_on) for row in rows] == (
            [(told["umr"], told["iban"], told["state"], day(told.get("signed")), day(told.get("cancelled")))] if told else []
        )

    def test_has_its_visits(self, demo: Session, person: Person) -> None:
        rows = demo.exec(
            select(Appointment).where(Appointment.customer_id == file_of(demo, person).id).order_by(Appointment.appointment_no)
        )
        found = [(row.appointment_no, row.category, row.day, row.part, row.state, row.failed_by) for row in rows]
        told = person.get("appointments", [])
        assert found == [
            (one["appointment_no"], one["category"], day(one["day"]), one["slot"], one["state"], one.get("by")) for one in told
        ]


class TestBills:
    def test_are_the_ones_told(self, demo: Session, person: Person) -> None:
        for told in person["bills"]:
            row = bill(demo, told["bill_no"])
            assert (row.ogm, row.bill_date, row.due_date, row.state) == (told["ogm"], day(told["date"]), day(told["due"]), told["state"])
            for name in ("excl_cents", "vat_cents", "incl_cents", "third_party_cents", "remaining_cents"):
                assert getattr(row, name) == told[name], (row.bill_no, name)
            assert row.credited_cents == told.get("credited_cents", sum(note["incl_cents"] for note in _notes(person, row.bill_no)))
            assert row.payable_until == day(told.get("payment_due"))
            assert row.printed["order_reference"] == told.get("order_reference")
            if "overdue" in told:
                assert (row.remaining_cents > 0 and row.due_date < clock.today()) is told["overdue"]
            if "period" in told:
                assert [row.period_since, row.period_until] == [day(one) for one in told["period"]]

    def test_have_their_lines(self, demo: Session, person: Person) -> None:
        for told in person["bills"]:
            row = bill(demo, told["bill_no"])
            lines = demo.exec(select(BillLine).where(BillLine.bill_id == row.id).order_by(col(BillLine.ordinal))).all()
            words = [f"{one.code} {one.quantity} min x 0.05" if one.code == "RATE_FIX_PEAK" else one.code for one in lines]
            amounts = [line.get("incl_cents", line.get("excl_cents")) for line in told["lines"]]
            assert list(zip(words, [one.amount_cents for one in lines], strict=True)) == list(
                zip([line["offering"] for line in told["lines"]], amounts, strict=True)
            )

    def test_were_paid_when_told(self, demo: Session, person: Person) -> None:
        for told in person["bills"]:
            found = demo.exec(
                select(Payment, PaymentAllocation)
                .join(PaymentAllocation, col(PaymentAllocation.payment_id) == Payment.id)
                .where(PaymentAllocation.bill_id == bill(demo, told["bill_no"]).id)
            ).all()
            when = day(told.get("collected") or told.get("paid"))
            assert [payment.received_on for payment, _part in found] == ([when] if when else [])
            for payment, part in found:
                assert payment.method == (PaymentMethod.DIRECT_DEBIT if "collected" in told else PaymentMethod.TRANSFER)
                returned = told.get("returned", {})
                assert (payment.returned_on, payment.return_code) == (day(returned.get("on")), returned.get("code"))
                assert part.reversed_on == payment.returned_on
                assert payment.amount_cents == part.amount_cents == told["incl_cents"] + told["third_party_cents"]

    def test_reach_back_two_years(self, demo: Session, person: Person) -> None:
        customer_id = file_of(demo, person).id
        since = min(day(one["since"]) for one in person["products"])
        until = [day(one["until"]) for one in person["products"] if not one.get("one_shot")]
        months = {clock.add_months(date(2024, 12, 1), ahead) for ahead in range(24)}
        expected = {month for month in months if since <= month.replace(day=5) and (until[0] is None or month < until[0])}
        if person["bill_model"] == "legacy":
            expected.discard(date(2026, 11, 1))
        dates = demo.exec(select(col(Bill.bill_date)).where(Bill.customer_id == customer_id, Bill.category != BillCategory.CREDIT_NOTE))
        assert sorted(clock.month_start(one) for one in dates) == sorted(expected)

    def test_have_their_credit_notes(self, demo: Session, person: Person) -> None:
        query = select(Bill).where(Bill.customer_id == file_of(demo, person).id, Bill.category == BillCategory.CREDIT_NOTE)
        rows, told = demo.exec(query.order_by(Bill.bill_no)).all(), person.get("credit_notes", [])
        assert [(row.bill_no, row.bill_date, row.incl_cents, row.vat_cents) for row in rows] == [
            (one["no"], day(one["date"]), one["incl_cents"], one["vat_cents"]) for one in told
        ]
        for row, one in zip(rows, told, strict=True):
            assert row.excl_cents == one.get("excl_cents", one["incl_cents"])
            assert row.refers_to_id == bill(demo, one["refers_to"]).id
            assert (row.state, row.remaining_cents) == (BillState.SETTLED, 0)


def _notes(person: Person, bill_no: str) -> list[dict[str, Any]]:
    return [note for note in person.get("credit_notes", []) if note["refers_to"] == bill_no]


class TestRunning:
    @pytest.mark.parametrize("identity", ["P01", "P03", "P06"])
    def test_use_of_the_month_is_the_one_told(self, demo: Session, identity: str) -> None:
        person = named(identity)
        told, row = person["running"], product(demo, person["running"]["product_no"])
        line = consumption.running(demo, SYSTEM, customer_id=row.customer_id).lines[row.id]
        data = next(gauge for gauge in line.gauges if gauge.counter in {Counter.DATA, Counter.INTERNET})
        assert data.used == told["data_used_mb"] * 1000
        assert data.bundle == told["bundle_mb"] * 1000
        assert data.over_cents == told.get("over_incl_cents", 0)

    def test_of_p01_is_far_above_the_bundle(self, demo: Session) -> None:
        told = named("P01")["running"]
        row = product(demo, told["product_no"])
        line = consumption.running(demo, SYSTEM, customer_id=row.customer_id).lines[row.id]
        over = next(gauge.over for gauge in line.gauges if gauge.counter is Counter.DATA)
        assert (over, line.third_party_cents) == (told["over_mb"] * 1000, told["third_party"]["incl_cents"])
        premium = demo.exec(select(UsageEvent).where(UsageEvent.product_id == row.id, UsageEvent.kind == UsageKind.PREMIUM)).all()
        assert [one.other_party[:1] for one in premium if one.other_party] == ["6", "6", "6"]
        alert = select(Communication).where(Communication.customer_id == row.customer_id, Communication.template == "alert_over")
        assert clock.local(demo.exec(alert).one().sent_at).date() == day(told["alert_50_sent"])

    def test_of_p03_is_blocked_by_its_cap_and_was_abroad(self, demo: Session) -> None:
        told = named("P03")["running"]
        row = product(demo, told["product_no"])
        query = select(UsageEvent.country).where(UsageEvent.product_id == row.id, UsageEvent.zone == Zone.EU).distinct()
        assert demo.exec(query).all() == [told["roaming"]]
        line = consumption.running(demo, SYSTEM, customer_id=row.customer_id).lines[row.id]
        assert line.blocked is told["blocked_by_cap"]

    @pytest.mark.parametrize(
        ("identity", "facts"),
        [
            ("P01", named("P01")["running"]["next_bill"]),
            ("P12", named("P12")["next_bill"]),
            ("P09", named("P09")["migration"]["transition_bill"]),
        ],
    )
    def test_next_bill_is_the_one_told(self, demo: Session, identity: str, facts: dict[str, Any]) -> None:
        found = bills.preview_next(demo, SYSTEM, customer_id=file_of(demo, named(identity)).id)
        assert found is not None
        draft = found.draft
        assert (draft.bill_date, draft.incl_cents) == (day(facts["date"]), facts["incl_cents"])
        for name in ("excl_cents", "vat_cents", "third_party_cents", "amount_due_cents"):
            assert getattr(draft, name) == facts.get(name, getattr(draft, name)), name
        if "prorated_cents" in facts:
            assert [line.amount_cents for line in draft.lines] == [facts["prorated_cents"], facts["month_cents"]]


class TestWhatIsSpecial:
    def test_p02_has_24_settled_bills(self, demo: Session) -> None:
        states = demo.exec(select(Bill.state).where(Bill.customer_id == file_of(demo, named("P02")).id)).all()
        assert states == [BillState.SETTLED] * named("P02")["settled_bills"]

    def test_p03_can_undo_the_gigabyte_until_midnight(self, demo: Session) -> None:
        told = named("P03")["products"][1]
        order = demo.exec(select(ProductOrder).where(ProductOrder.customer_id == file_of(demo, named("P03")).id)).one()
        assert f"{clock.local(order.created_at):%Y-%m-%dT%H:%M}" == told["ordered"]
        assert order.undo_until_at is not None
        assert f"{clock.local(order.undo_until_at):%Y-%m-%dT%H:%M}" == told["undo_until"]

    def test_p05_is_in_arrears(self, demo: Session) -> None:
        person = named("P05")
        row = file_of(demo, person)
        found = arrears.of_customer(demo, SYSTEM, customer_id=row.id)
        assert found is not None
        assert (found.amount.open_cents, found.amount.overdue_cents) == (person["open_cents"], person["overdue_cents"])
        assert (found.missed, found.next_fee_cents) == (person["missed_due_dates_2026"], person["next_fee_max_cents"])
        assert found.suspended_on == row.status_since == day(person["suspended_on"])
        assert found.plan is not None
        assert (found.plan.state, [cents for _due, cents in found.plan.parts]) == ("proposed", person["plan_proposed"])

    def test_p07_is_moving(self, demo: Session) -> None:
        told, customer_id = named("P07")["move"], file_of(demo, named("P07")).id
        order = demo.exec(select(ProductOrder).where(ProductOrder.customer_id == customer_id)).one()
        assert (clock.local(order.created_at).date(), order.state) == (day(told["ordered"]), told["state"])
        move = demo.exec(select(HouseMove).where(HouseMove.order_id == order.id)).one()
        there = told["to"]
        assert move.move_out == day(told["out"])
        assert [move.to_street, move.to_number, move.to_box, move.to_postcode, move.to_town, "BE"] == list(there.values())
        visit = demo.exec(select(Appointment).where(Appointment.customer_id == customer_id)).one()
        assert move.appointment_id == visit.id

    def test_p09_passes_to_the_current_model(self, demo: Session) -> None:
        told, customer_id = named("P09")["migration"], file_of(demo, named("P09")).id
        account = demo.exec(select(BillingAccount).where(BillingAccount.customer_id == customer_id)).one()
        assert account.migrate_on == day(told["on"])
        found = bills.preview_next(demo, SYSTEM, customer_id=customer_id)
        assert found is not None
        assert found.draft.category is BillCategory.TRANSITION

    def test_p11_pays_one_visit_of_two_and_can_move_the_second_until_six(self, demo: Session) -> None:
        person = named("P11")
        found = {one.appointment_no: one for one in visits.of_file(demo, file_of(demo, person).id)}
        for told in person["appointments"]:
            visit = found[told["appointment_no"]]
            assert visit.fee_cents == told["fee_cents"]
            if "cut_off" in told:
                assert visit.cut_off_at == datetime.fromisoformat(told["cut_off"]).replace(tzinfo=clock.BRUSSELS)
                assert visit.day - timedelta(days=14) <= day(person["appointments"][0]["day"])

    def test_p12_has_a_card_that_waits(self, demo: Session) -> None:
        kinds = {"ID": "idCard"}
        rows = demo.exec(select(Document).where(Document.customer_id == file_of(demo, named("P12")).id)).all()
        assert [(row.kind, row.state) for row in rows] == [(kinds[one["kind"]], one["state"]) for one in named("P12")["documents"]]

    def test_p13_got_money_back_and_keeps_the_modem(self, demo: Session) -> None:
        person, customer_id = named("P13"), file_of(demo, named("P13")).id
        told, refund = person["refund"], demo.exec(select(Refund).where(Refund.customer_id == customer_id)).one()
        assert (refund.iban, refund.amount_cents, refund.state, refund.completed_on) == (
            told["iban"], told["cents"], told["state"], day(told["on"]),
        )  # fmt: skip
        tasks = demo.exec(select(Task.code).where(Task.customer_id == customer_id, col(Task.done_at).is_(None))).all()
        assert [code.replace("_", " ") for code in tasks] == person["tasks"]


class TestCollections:
    def test_of_p06_came_back_the_day_after(self, demo: Session) -> None:
        row = demo.exec(select(Collection).where(Collection.end_to_end_id == "2611000062D1")).one()
        assert (row.state, row.return_code, row.collect_on, row.returned_on) == (
            CollectionState.RETURNED, "AM04", date(2026, 11, 16), date(2026, 11, 17),
        )  # fmt: skip

    def test_of_the_last_months_lie_in_files_that_add_up(self, demo: Session) -> None:
        files = demo.exec(select(CollectionBatch)).all()
        assert min(one.collect_on for one in files) < date(2026, 9, 16)
        for one in files:
            rows = demo.exec(select(Collection).where(Collection.batch_id == one.id)).all()
            assert (len(rows), sum(row.amount_cents for row in rows)) == (one.collections, one.sum_cents)
            data = zlib.decompress(one.content)
            assert hashlib.sha256(data).hexdigest() == one.sha256
            assert schema().validate(etree.fromstring(data))

    def test_of_the_others_were_booked_on_their_day(self, demo: Session) -> None:
        query = select(Collection, Payment).join(Payment, col(Payment.id) == Collection.payment_id)
        for row, payment in demo.exec(query):
            assert (payment.amount_cents, payment.received_on, payment.mandate_id) == (row.amount_cents, row.collect_on, row.mandate_id)


class TestHistory:
    def test_nights_are_quiet_and_detail_reaches_back_a_year(self, demo: Session) -> None:
        moments = demo.exec(
            select(UsageEvent.at).join(Customer, col(Customer.id) == UsageEvent.customer_id).where(Customer.customer_no < "10000200")
        )
        hours = [clock.local(moment.replace(tzinfo=FIRST_DAY.tzinfo)).hour for moment in moments]
        assert sum(hour < 6 for hour in hours) < len(hours) * 0.05
        assert len(hours) > 20_000

    def test_nothing_was_used_after_now(self, demo: Session) -> None:
        assert demo.exec(select(UsageEvent).where(UsageEvent.at > FIRST_DAY)).first() is None

    def test_use_lies_on_the_bill_that_charges_it(self, demo: Session) -> None:
        row = product(demo, "1000002401")
        query = select(UsageEvent).where(UsageEvent.product_id == row.id, UsageEvent.at >= clock.at(date(2026, 10, 1)))
        october = demo.exec(query.where(UsageEvent.at < clock.at(date(2026, 11, 1)))).all()
        assert {one.bill_id for one in october} == {bill(demo, "2611000024").id}
        running = demo.exec(query.where(UsageEvent.at >= clock.at(date(2026, 11, 1)))).all()
        assert {one.bill_id for one in running} == {None}

    def test_letters_go_to_who_has_no_mail(self, demo: Session) -> None:
        query = select(Communication.channel).where(Communication.customer_id == file_of(demo, named("P02")).id).distinct()
        assert demo.exec(query).all() == [MessageChannel.LETTER]

    def test_each_bill_of_half_a_year_came_with_a_message(self, demo: Session) -> None:
        query = select(Communication).where(
            Communication.customer_id == file_of(demo, named("P01")).id, Communication.template == "bill_issued"
        )
        assert [clock.local(one.sent_at.replace(tzinfo=FIRST_DAY.tzinfo)).date() for one in demo.exec(query)] == [
            date(2026, month, 5) for month in range(6, 12)
        ]


class TestEInvoice:
    def test_p04_finds_when_his_bill_was_sent_and_under_which_reference(self, demo: Session) -> None:
        found = e_invoices.of_bill(demo, SYSTEM, customer_id=file_of(demo, named("P04")).id, bill_no="2611000048")
        assert found is not None
        (sent,) = found.transmissions
        assert (found.receiver, sent.sent_at) == ("0208:0999999031", clock.at(date(2026, 11, 5), 6))
        assert sent.message_id
        assert sent.simulated

    def test_p01_is_offered_none(self, demo: Session) -> None:
        assert e_invoices.of_bill(demo, SYSTEM, customer_id=file_of(demo, named("P01")).id, bill_no="2611000017") is None


class TestRating:
    def test_charges_the_sample_customers_again_what_their_stories_say(self, demo: Session, person: Person) -> None:
        """Rated event by event from the catalogue, the open use of each comes to the cents that were told."""
        with demo.begin_nested() as savepoint, clock.standing(FIRST_DAY):
            customer_id = file_of(demo, person).id
            found = usage_rating.rerate(demo, SYSTEM, since=clock.add_months(clock.today(), -12), customer_id=customer_id)
            savepoint.rollback()
        assert found.events == 0

    def test_nothing_that_was_used_before_the_last_bill_is_left_uncharged(self, demo: Session) -> None:
        with clock.standing(FIRST_DAY):
            for customer_id in demo.exec(select(Customer.id)).all():
                facts = billing_facts.of_customer(demo, customer_id)
                if facts.previous:
                    span = billing.usage_period(facts.account, clock.today(), facts.previous, facts.held)
                    assert usage.late_sums(demo, customer_id=customer_id, before=span.since) == {}, customer_id
