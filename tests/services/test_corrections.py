"""Credits by hand: lines, gestures, damages; their VAT, their limit, what becomes of bill and credit."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import ChangedMeanwhile, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory, BillLine, BillState, LineKind
from core.models.communication import Communication
from core.models.customer import Customer, CustomerKind
from core.models.product import Product
from core.services import billing_facts, bills, corrections, open_amounts, payments
from core.services.bill_words import FEE_REMINDER, CreditReason
from core.services.billing import Account, OneOff, preview
from core.services.corrections import AboveLimit, DayMissing, NothingToCredit, ReasonUnfit, Target, Wish
from core.services.credit_rules import CreditTooHigh, LineCreditTooHigh
from core.text_rules import Missing
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services.money_stories import NOVEMBER, OCTOBER, bill, family

SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)
OTHER_AGENT = Actor(user_id=None, username="other", role=Role.AGENT)
BILLING = Actor(user_id=None, username="billing", role=Role.BILLING)
BILL = "2611000017"


def trio(session: Session, **given: Any) -> Customer:
    """A customer whose bill of November charges a Trio, 42.00, and sports, 16.99."""
    customer = make_customer(session, **given)
    plan = make_product(session, customer, "TRIO", product_no=f"{customer.customer_no}01")
    make_product(session, customer, "TV_SPORT", parent_id=plan.id, product_no=f"{customer.customer_no}02")
    bill(session, customer, NOVEMBER, bill_no=BILL)
    return customer


def bakery(session: Session) -> Customer:
    """A business whose bill of November charges 72.73 without VAT: 15.27 of VAT, 88.00."""
    customer = make_customer(
        session, kind=CustomerKind.ORGANIZATION, trading_name="Boulangerie Martin SRL", enterprise_no="0999999031", given_name=None
    )
    for code in ("LOCO", "CHILI", "CHILI"):
        make_product(session, customer, code)
    bill(session, customer, NOVEMBER, bill_no=BILL)
    return customer


def reminded(session: Session, **given: Any) -> Customer:
    """A customer whose bill of November charges a Trio, and 7.50 for a reminder."""
    customer = make_customer(session, **given)
    make_product(session, customer, "TRIO")
    held = billing_facts.of_customer(session, customer.id).held
    fee = OneOff(FEE_REMINDER, date(2026, 10, 26), 750, kind=LineKind.PENALTY)
    account = Account(business=customer.kind is CustomerKind.ORGANIZATION)
    draft = preview(account=account, held=held, bill_date=NOVEMBER, previous=OCTOBER, one_offs=[fee])
    bills.issue(session, SYSTEM, customer_id=customer.id, draft=draft, bill_no=BILL)
    return customer


def wish(**facts: Any) -> Wish:
    return Wish(**({"bill_no": BILL, "reason": CreditReason.BILLING_ERROR, "comment": "No sports since the 1st."} | facts))


def note_of(session: Session, number: str) -> Bill:
    return session.exec(select(Bill).where(col(Bill.bill_no) == number)).one()


class TestCredit:
    def test_a_line_is_credited_with_its_vat_and_the_bill_asks_less(self, session: Session) -> None:
        customer = trio(session)
        number = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1699}))
        note = note_of(session, number)
        assert (note.excl_cents, note.vat_cents, note.incl_cents, note.remaining_cents) == (1404, 295, 1699, 0)
        assert (note.state, note.reason, note.comment) == (BillState.SETTLED, "billing_error", "No sports since the 1st.")
        row = note_of(session, BILL)
        assert (row.state, row.remaining_cents, row.credited_cents) == (BillState.PARTIALLY_PAID, 4200, 1699)
        assert [(line.code, line.amount_cents) for line in bills.lines(session, AGENT, customer_id=customer.id, bill_no=number)] == [
            ("TV_SPORT", 1699)
        ]

    def test_a_business_reads_its_amount_without_vat(self, session: Session) -> None:
        customer = bakery(session)
        number = corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(parts={1: 1000}))
        note = note_of(session, number)
        assert (note.excl_cents, note.vat_cents, note.incl_cents) == (1000, 210, 1210)
        assert note.printed["priced_excl"]

    def test_third_parties_are_credited_outside_vat(self, session: Session) -> None:
        customer = family(session)
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found
        bills.issue(session, SYSTEM, customer_id=customer.id, draft=found.draft, bill_no="2612000017")
        premium = next(number for number, line in enumerate(found.draft.lines, 1) if line.code == "PREMIUM")
        number = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(bill_no="2612000017", parts={premium: 600}))
        note = note_of(session, number)
        assert (note.excl_cents, note.vat_cents, note.third_party_cents, note.printed["vat"]) == (0, 0, 600, [])
        assert bills.pdf(session, AGENT, customer_id=customer.id, bill_no=number).startswith(b"%PDF")

    def test_a_damage_is_made_good_without_vat_and_names_its_day(self, session: Session) -> None:
        customer = trio(session)
        asked = wish(reason=CreditReason.OUTAGE, amount_cents=1000, day=date(2026, 11, 12))
        note = note_of(session, corrections.credit(session, AGENT, customer_id=customer.id, wish=asked))
        assert (note.excl_cents, note.vat_cents, note.printed["vat"][0]["percent"]) == (1000, 0, 0)
        assert note.printed["credit"]["reason"] == "Indemnité pour la panne du 12/11/2026"

    def test_what_was_paid_stays_as_credit_and_the_next_bill_uses_it(self, session: Session) -> None:
        customer = trio(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=5000)
        number = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1699}))
        note = note_of(session, number)
        assert (note_of(session, BILL).remaining_cents, note.remaining_cents, note.state) == (0, 800, BillState.PARTIALLY_PAID)
        assert note.printed["credit"]["kept_cents"] == 800
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found
        assert found.amount_due_cents == 5899, "the days it is about are not given back twice, nor charged again"
        issued = bills.issue(session, SYSTEM, customer_id=customer.id, draft=found.draft)
        assert (issued.remaining_cents, note.remaining_cents) == (5099, 0)

    @pytest.mark.parametrize(("credited", "back"), [(200, -736), (1200, -499), (1699, 0)])
    def test_a_product_that_ends_gives_back_only_what_a_credit_left(self, session: Session, credited: int, back: int) -> None:
        customer = trio(session)
        corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(reason=CreditReason.GOODWILL, parts={2: credited}))
        sport = session.exec(select(Product).where(col(Product.offering_code) == "TV_SPORT")).one()
        sport.until = date(2026, 11, 18)
        session.flush()
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found
        assert sum(line.amount_cents for line in found.draft.lines if line.product_id == sport.id) == back

    def test_what_a_later_bill_gave_back_of_a_line_can_not_be_credited_again(self, session: Session) -> None:
        customer = trio(session)
        sport = session.exec(select(Product).where(col(Product.offering_code) == "TV_SPORT")).one()
        sport.until = date(2026, 11, 18)
        session.flush()
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found
        bills.issue(session, SYSTEM, customer_id=customer.id, draft=found.draft, bill_no="2612000017")
        with pytest.raises(LineCreditTooHigh) as refusal:
            corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(parts={2: 1699}))
        assert refusal.value.params["left_cents"] == 1699 - 736
        corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(parts={2: 1699 - 736}))

    def test_a_bill_credited_in_one_amount_gives_nothing_back_when_a_product_ends(self, session: Session) -> None:
        customer = trio(session)
        corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(reason=CreditReason.GOODWILL, amount_cents=5500))
        sport = session.exec(select(Product).where(col(Product.offering_code) == "TV_SPORT")).one()
        sport.until = date(2026, 11, 18)
        session.flush()
        found = bills.preview_next(session, AGENT, customer_id=customer.id)
        assert found
        assert sum(line.amount_cents for line in found.draft.lines if line.product_id == sport.id) == -(5899 - 5500)

    def test_for_the_next_bill_this_one_asks_as_much_as_before(self, session: Session) -> None:
        customer = trio(session)
        number = corrections.credit(
            session, AGENT, customer_id=customer.id, wish=wish(reason=CreditReason.GOODWILL, amount_cents=1000, target=Target.NEXT_BILL)
        )
        assert (note_of(session, BILL).remaining_cents, note_of(session, number).remaining_cents) == (5899, 1000)
        paper = PdfReader(BytesIO(bills.pdf(session, AGENT, customer_id=customer.id, bill_no=number)))
        assert "gardé pour votre prochaine facture" in paper.pages[0].extract_text()

    def test_tells_the_customer_and_keeps_the_comment_for_the_house(self, session: Session) -> None:
        customer = trio(session)
        number = corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1699}))
        message = session.exec(select(Communication).where(col(Communication.template) == "credit_note")).one()
        assert number in message.subject
        assert "No sports" not in message.body + str(note_of(session, number).printed)
        entry = session.exec(select(AuditEntry).where(col(AuditEntry.object_id) == number)).one()
        assert (entry.actor, entry.action, entry.reason) == ("agent", "bill:credit", "No sports since the 1st.")

    @pytest.mark.parametrize(
        ("facts", "refusal"),
        [
            ({"parts": {2: 1700}}, LineCreditTooHigh),
            ({"parts": {2: -1}}, NothingToCredit),
            ({"parts": {3: 1}}, NothingToCredit),
            ({"parts": {2: 0}}, NothingToCredit),
            ({"parts": {2: 1}, "amount_cents": 1}, NothingToCredit),
            ({"amount_cents": 5900, "reason": CreditReason.GOODWILL}, CreditTooHigh),
            ({"amount_cents": 100}, ReasonUnfit),
            ({"parts": {2: 1}, "reason": CreditReason.OUTAGE}, ReasonUnfit),
            ({"amount_cents": 100, "reason": CreditReason.MISSED_VISIT}, ReasonUnfit),
            ({"amount_cents": 100, "reason": CreditReason.OUTAGE}, DayMissing),
            ({"amount_cents": 100, "reason": CreditReason.OUTAGE, "day": date(2026, 11, 19)}, DayMissing),
            ({"parts": {2: 1}, "comment": "  "}, Missing),
            ({"parts": {2: 1}, "bill_no": "2611000018"}, NotFound),
        ],
    )
    def test_refuses(self, session: Session, facts: dict[str, Any], refusal: type[Exception]) -> None:
        customer = trio(session)
        with pytest.raises(refusal):
            corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(**facts))

    def test_refuses_more_than_is_left_of_a_line_after_another_note(self, session: Session) -> None:
        customer = trio(session)
        corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1000}))
        with pytest.raises(LineCreditTooHigh) as refusal:
            corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(parts={2: 700}))
        assert refusal.value.params["left_cents"] == 699

    def test_refuses_days_that_a_line_was_credited_for_already(self, session: Session) -> None:
        customer = make_customer(session)
        loco = make_product(session, customer, "LOCO")
        bill(session, customer, NOVEMBER, bill_no=BILL)
        corrections.credit(session, SENIOR, customer_id=customer.id, wish=wish(parts={1: 3000}))
        with pytest.raises(LineCreditTooHigh):
            bills.issue_credit_note(
                session, AGENT, customer_id=customer.id, bill_no=BILL, reason=CreditReason.AFTER_END, product_id=loco.id,
                since=date(2026, 11, 19), until=date(2026, 12, 1),
            )  # fmt: skip

    def test_refuses_a_bill_that_changed_since_it_was_shown(self, session: Session) -> None:
        customer = trio(session)
        shown = corrections.creditable(session, AGENT, customer_id=customer.id, bill_no=BILL).version
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=100)
        with pytest.raises(ChangedMeanwhile):
            corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={2: 1}), shown_version=shown)

    def test_refuses_readers_customers_and_other_files(self, session: Session) -> None:
        customer = trio(session)
        for actor in (VIEWER, self_of(customer)):
            with pytest.raises(NotPermitted):
                corrections.credit(session, actor, customer_id=customer.id, wish=wish(parts={2: 1}))
        with pytest.raises(NotFound):
            corrections.credit(session, AGENT, customer_id=make_customer(session).id, wish=wish(parts={2: 1}))


class TestLimit:
    def gesture(self, cents: int, bill_no: str = BILL) -> Wish:
        return wish(reason=CreditReason.GOODWILL, amount_cents=cents, bill_no=bill_no)

    @pytest.mark.parametrize(("actor", "most"), [(AGENT, 2500), (SENIOR, 10000), (BILLING, 10000)])
    def test_each_role_has_its_own_to_the_cent(self, session: Session, actor: Actor, most: int) -> None:
        customer = make_customer(session)
        for _ in range(4):
            make_product(session, customer, "TRIO")
        bill(session, customer, NOVEMBER, bill_no=BILL)
        corrections.credit(session, actor, customer_id=customer.id, wish=self.gesture(most // 2))
        with pytest.raises(AboveLimit) as refusal:
            corrections.credit(session, actor, customer_id=customer.id, wish=self.gesture(most - most // 2 + 1))
        assert refusal.value.params == {"limit_cents": most, "used_cents": most // 2, "hours": 24}
        corrections.credit(session, actor, customer_id=customer.id, wish=self.gesture(most - most // 2))

    def test_counts_all_bills_of_the_customer_and_24_hours(self, session: Session) -> None:
        customer = trio(session)
        bill(session, customer, date(2026, 10, 5), bill_no="2610000017")
        corrections.credit(session, AGENT, customer_id=customer.id, wish=self.gesture(2500))
        with pytest.raises(AboveLimit):
            corrections.credit(session, AGENT, customer_id=customer.id, wish=self.gesture(1, "2610000017"))
        with clock.standing(clock.now() + timedelta(hours=24)):
            corrections.credit(session, AGENT, customer_id=customer.id, wish=self.gesture(2500, "2610000017"))

    def test_counts_neither_a_colleagues_nor_another_customers_nor_what_a_rule_gives(self, session: Session) -> None:
        customer, other = trio(session), make_customer(session)
        make_product(session, other, "TRIO")
        bill(session, other, NOVEMBER, bill_no="2611000024")
        bills.issue_credit_note(
            session, AGENT, customer_id=customer.id, bill_no=BILL, reason=CreditReason.MISSED_VISIT, since=date(2026, 11, 2)
        )
        corrections.credit(session, OTHER_AGENT, customer_id=customer.id, wish=self.gesture(2500))
        corrections.credit(session, AGENT, customer_id=other.id, wish=self.gesture(2500, "2611000024"))
        corrections.credit(session, AGENT, customer_id=customer.id, wish=self.gesture(2500))

    def test_counts_the_vat_of_a_business_too(self, session: Session) -> None:
        customer = bakery(session)
        with pytest.raises(AboveLimit):
            corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={1: 2067}))
        corrections.credit(session, AGENT, customer_id=customer.id, wish=wish(parts={1: 2066}))


class TestPreview:
    def test_says_before_and_after_as_the_credit_does_it(self, session: Session) -> None:
        customer = trio(session)
        payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=5000)
        asked = wish(parts={2: 1699})
        found = corrections.preview(session, AGENT, customer_id=customer.id, wish=asked)
        assert (found.total_cents, found.credited_cents, found.before_cents, found.after_cents, found.kept_cents) == (5899, 0, 899, 0, 800)
        assert (found.amounts.excl_cents, found.amounts.vat_cents, found.above_limit) == (1404, 295, False)
        number = corrections.credit(session, AGENT, customer_id=customer.id, wish=asked)
        assert note_of(session, BILL).remaining_cents == found.after_cents
        assert note_of(session, number).remaining_cents == found.kept_cents
        again = corrections.preview(session, AGENT, customer_id=customer.id, wish=wish(parts={1: 802}))
        assert (again.credited_cents, again.above_limit) == (1699, True)


class TestReminderFee:
    """A reminder's cost is ours and outside VAT: its note keeps it where the bill does."""

    def _ordinal(self, session: Session, customer: Customer, code: str) -> int:
        rows = session.exec(select(BillLine).where(col(BillLine.customer_id) == customer.id, col(BillLine.code) == code)).all()
        return next(row.ordinal for row in rows if row.refers_bill_id is None)

    def _credit(self, session: Session, customer: Customer, **parts: int) -> Bill:
        found = {self._ordinal(session, customer, code): cents for code, cents in parts.items()}
        return note_of(session, corrections.credit(session, SYSTEM, customer_id=customer.id, wish=wish(parts=found)))

    def test_is_credited_alone_without_vat_as_the_bill_charged_it(self, session: Session) -> None:
        customer = reminded(session)
        assert [(row["percent"], row["base_cents"]) for row in note_of(session, BILL).printed["vat"]][1] == (0, 750)
        note = self._credit(session, customer, FEE_REMINDER=750)
        assert (note.excl_cents, note.vat_cents, note.incl_cents, note.third_party_cents) == (750, 0, 750, 0)
        assert note.printed["vat"] == [{"percent": 0, "base_cents": 750, "vat_cents": 0}]
        assert bills.pdf(session, AGENT, customer_id=customer.id, bill_no=note.bill_no).startswith(b"%PDF")

    def test_stands_beside_the_taxed_row_of_another_line(self, session: Session) -> None:
        note = self._credit(session, reminded(session), FEE_REMINDER=750, TRIO=1210)
        assert (note.excl_cents, note.vat_cents, note.incl_cents, note.third_party_cents) == (1750, 210, 1960, 0)
        assert [(row["percent"], row["base_cents"], row["vat_cents"]) for row in note.printed["vat"]] == [(21, 1000, 210), (0, 750, 0)]

    def test_is_given_back_once_and_takes_nothing_off_what_else_can_be_credited(self, session: Session) -> None:
        customer = reminded(session)
        before = corrections.creditable(session, SYSTEM, customer_id=customer.id, bill_no=BILL).own_cents
        self._credit(session, customer, FEE_REMINDER=500)
        with pytest.raises(LineCreditTooHigh) as refusal:
            self._credit(session, customer, FEE_REMINDER=251)
        assert refusal.value.params["left_cents"] == 250
        self._credit(session, customer, FEE_REMINDER=250)
        with pytest.raises(LineCreditTooHigh):
            self._credit(session, customer, FEE_REMINDER=1)
        assert corrections.creditable(session, SYSTEM, customer_id=customer.id, bill_no=BILL).own_cents == before

    @pytest.mark.parametrize("business", [False, True])
    @pytest.mark.parametrize("cut", [1, 333, 4199])
    def test_credited_in_parts_the_whole_bill_and_its_vat_come_back(self, session: Session, cut: int, *, business: bool) -> None:
        company = {
            "kind": CustomerKind.ORGANIZATION,
            "trading_name": "Boulangerie Martin SRL",
            "enterprise_no": "0999999031",
            "given_name": None,
        }
        customer = reminded(session, **(company if business else {}))
        row = note_of(session, BILL)
        for most in (cut, 9999):
            for ordinal, _line, left in corrections.creditable(session, SYSTEM, customer_id=customer.id, bill_no=BILL).lines:
                corrections.credit(session, SYSTEM, customer_id=customer.id, wish=wish(parts={ordinal: min(left, most)}))
        sums = [func.sum(getattr(Bill, name)) for name in ("excl_cents", "vat_cents", "incl_cents", "third_party_cents")]
        notes = session.exec(select(*sums).where(col(Bill.refers_to_id) == row.id)).one()
        assert tuple(notes) == (row.excl_cents, row.vat_cents, row.incl_cents, 0)
        assert row.remaining_cents == 0


class TestWholeBill:
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(business=st.booleans(), cuts=st.lists(st.integers(1, 4000), min_size=1, max_size=3), to_pay=st.integers(0, 8800))
    def test_credited_in_any_parts_gives_back_total_and_vat(self, session: Session, business: bool, cuts: list[int], to_pay: int) -> None:
        with session.begin_nested() as savepoint:
            customer = bakery(session) if business else trio(session)
            row = note_of(session, BILL)
            if to_pay:
                payments.record(session, SYSTEM, customer_id=customer.id, received_on=NOVEMBER, amount_cents=to_pay)
            for cut in [*cuts, None]:
                for ordinal, _line, left in corrections.creditable(session, SYSTEM, customer_id=customer.id, bill_no=BILL).lines:
                    parts = {ordinal: min(cut or left, left)}
                    corrections.credit(session, SYSTEM, customer_id=customer.id, wish=wish(parts=parts))
            sums = [func.sum(getattr(Bill, name)) for name in ("excl_cents", "vat_cents", "incl_cents", "remaining_cents")]
            notes = session.exec(select(*sums).where(col(Bill.refers_to_id) == row.id, Bill.category == BillCategory.CREDIT_NOTE)).one()
            assert tuple(notes[:3]) == (row.excl_cents, row.vat_cents, row.incl_cents)
            assert row.remaining_cents == 0
            assert notes[3] == min(to_pay, row.incl_cents), "what was paid stays as credit"
            assert open_amounts.open_summary(session, customer.id).credit_cents == to_pay
            savepoint.rollback()
        session.expunge_all()
