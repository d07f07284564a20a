"""Options switched on and off, reviewed before and undone after, on the figures of the sample customers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, col, select

from core import clock
from core.actor import SYSTEM, Actor
from core.catalogue import catalogue
from core.errors import ChangedMeanwhile, DomainError, NotFound, NotPermitted
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillState
from core.models.billing_account import BillModel
from core.models.communication import Communication
from core.models.customer import Customer, CustomerKind, CustomerStatus, Language
from core.models.order import OrderItem, OrderState, ProductOrder
from core.models.product import Product, ProductStatus
from core.models.usage import UsageKind
from core.services import billing_facts, option_rules, order_undo, orders, products
from core.services.billing import next_bill_date
from core.services.option_reviews import Effective, Review, Start
from core.services.usage import NewEvent, record
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of

TODAY = date(2026, 11, 18)
DECEMBER = date(2026, 12, 1)
SENIOR = Actor(user_id=None, username="senior", role=AGENT.role)


def paid_november(session: Session, customer: Customer) -> None:
    """The bill of 5 November: what was held then is paid until the end of the month."""
    session.add(
        Bill(
            customer_id=customer.id, bill_no=f"26110{customer.id:05d}"[-10:], bill_date=date(2026, 11, 5), due_date=date(2026, 11, 20),
            period_since=date(2026, 11, 1), period_until=DECEMBER, state=BillState.SETTLED, excl_cents=0, vat_cents=0, incl_cents=0,
            remaining_cents=0, ogm=f"{customer.id:012d}", document_token=f"t{customer.id}", printed={},
            issued_at=datetime(2026, 11, 5, tzinfo=UTC),
        )
    )  # fmt: skip
    session.flush()


def family(session: Session) -> tuple[Customer, Product]:
    """P01: 78.00 a month, and the line of a minor."""
    customer = make_customer(session)
    trio = make_product(session, customer, "TRIO", line="+3281000001")
    make_product(session, customer, "TV_DECODER_EXTRA", parent_id=trio.id)
    make_product(session, customer, "RED", line="+32470000001")
    make_product(session, customer, "HOT", line="+32470000011")
    noa = make_product(session, customer, "RED", line="+32470000012", is_minor=True)
    paid_november(session, customer)
    return customer, noa


def at_home(session: Session, *options: str, **given: object) -> tuple[Customer, Product]:
    """A Trio with some options."""
    customer = make_customer(session, **given)
    trio = make_product(session, customer, "TRIO", line="+3281000001")
    for option in options:
        make_product(session, customer, option, parent_id=trio.id)
    paid_november(session, customer)
    return customer, trio


def look(session: Session, plan: Product, code: str, *, on: bool = True, actor: Actor = AGENT, **given: Effective) -> Review:
    return orders.review(session, actor, customer_id=plan.customer_id, product_no=plan.product_no, offering_code=code, turn_on=on, **given)


def order(session: Session, plan: Product, code: str, *, on: bool = True, actor: Actor = AGENT, **given: Effective) -> str:
    shown = look(session, plan, code, on=on, actor=actor, **given)
    return orders.confirm(
        session, actor, customer_id=plan.customer_id, product_no=plan.product_no, offering_code=code, turn_on=on,
        shown_version=shown.version, **given,
    )  # fmt: skip


def undo(session: Session, plan: Product, order_no: str, actor: Actor = AGENT) -> str:
    return order_undo.undo(session, actor, customer_id=plan.customer_id, order_no=order_no)


def options(session: Session, plan: Product) -> list[str]:
    return [one.code for one in products.of_product_no(session, AGENT, customer_id=plan.customer_id, product_no=plan.product_no).options]


def row(session: Session, order_no: str) -> ProductOrder:
    return session.exec(select(ProductOrder).where(ProductOrder.order_no == order_no)).one()


def option_row(session: Session, plan: Product, code: str) -> Product:
    found = session.exec(
        select(Product).where(Product.parent_id == plan.id, Product.offering_code == code).order_by(col(Product.id).desc())
    )
    return found.first() or pytest.fail(f"no {code}")


def next_bill_cents(session: Session, plan: Product) -> int:
    facts = billing_facts.of_customer(session, plan.customer_id)
    return billing_facts.draft(session, plan.customer_id, facts, next_bill_date(facts.account, facts.previous, clock.today())).incl_cents


def use_data(session: Session, plan: Product, kb: int, at: datetime) -> None:
    record(session, SYSTEM, events=[NewEvent(plan.customer_id, plan.id, at, 1, UsageKind.DATA, kb)])


class TestReview:
    def test_a_data_option_on_18_november_costs_433_on_the_next_bill(self, session: Session) -> None:
        _, noa = family(session)
        found = look(session, noa, "MOB_DATA_5G")
        first, month = found.lines
        assert (found.price_cents, found.month_before_cents, found.month_after_cents) == (1000, 7800, 8800)
        assert (first.amount_cents, first.share_days, first.month_days, first.since, first.until) == (433, 13, 30, TODAY, DECEMBER)
        assert (month.amount_cents, month.share_days) == (1000, None)
        assert (found.bill_date, found.start, found.effective_on) == (date(2026, 12, 5), Start.NOW, TODAY)
        assert found.undo_until_at == clock.at(TODAY, 23, 59)
        assert found.replaced == ()

    def test_its_volume_is_shared_like_its_price(self, session: Session) -> None:
        _, noa = family(session)
        volume = look(session, noa, "MOB_DATA_5G").volume
        assert volume is not None
        assert (volume.now_mb, volume.later_mb) == (5000 * 13 // 30, 5000)

    def test_a_volume_bought_once_counts_in_full_and_leaves_the_month_alone(self, session: Session) -> None:
        _, noa = family(session)
        found = look(session, noa, "MOB_DATA_1G")
        assert found.volume is not None
        assert (found.volume.now_mb, found.volume.later_mb) == (1000, 0)
        assert [line.amount_cents for line in found.lines] == [500]
        assert found.month_before_cents == found.month_after_cents == 7800
        assert found.period_until == DECEMBER

    def test_unlimited_calls_are_no_megabytes(self, session: Session) -> None:
        _, noa = family(session)
        volume = look(session, noa, "MOB_UNLIM_CALLS").volume
        assert volume is not None
        assert (volume.unlimited_calls, volume.now_mb) == (True, 0)

    def test_a_swap_names_what_it_replaces_and_gives_its_days_back(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK")
        found = look(session, trio, "TEL_OFFPEAK")
        assert [one.code for one in found.replaced] == ["TEL_PEAK"]
        assert found.peak_free == (True, False)
        assert look(session, trio, "TV_SPORT").peak_free is None
        assert (found.charge_cents, found.month_before_cents, found.month_after_cents) == (-217, 4700, 4200)
        assert (found.start, found.effective_at) == (Start.TWO_HOURS, clock.at(TODAY, 12))

    def test_a_decoder_is_charged_from_the_day_it_arrives(self, session: Session) -> None:
        _, trio = at_home(session)
        found = look(session, trio, "TV_DECODER_EXTRA")
        assert (found.start, found.effective_on, found.undo_until_at) == (Start.DELIVERED, date(2026, 11, 21), None)
        assert [line.amount_cents for line in found.lines] == [167, 500]

    def test_a_recurring_option_ends_with_the_period_without_a_refund(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        found = look(session, trio, "TV_SPORT", on=False)
        assert (found.start, found.effective_on, found.lines) == (Start.PERIOD_END, DECEMBER, ())
        assert (found.month_before_cents, found.month_after_cents) == (5899, 4200)
        assert found.undo_until_at == clock.at(date(2026, 11, 30), 23, 59)

    def test_staff_may_end_it_today_with_its_days_given_back(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        found = look(session, trio, "TV_SPORT", on=False, effective=Effective.NOW)
        assert (found.start, found.effective_on, found.charge_cents) == (Start.NOW, TODAY, -736)

    def test_a_customer_may_not(self, session: Session) -> None:
        customer, trio = at_home(session, "TV_SPORT")
        with pytest.raises(orders.OnlyStaffEndsNow) as refusal:
            look(session, trio, "TV_SPORT", on=False, actor=self_of(customer), effective=Effective.NOW)
        assert refusal.value.params["last"] == date(2026, 11, 30)

    def test_a_restriction_is_free_and_immediate_both_ways(self, session: Session) -> None:
        customer, trio = at_home(session)
        for on in (True, False):
            found = look(session, trio, "TEL_BAR_PREMIUM", on=on, actor=self_of(customer))
            assert (found.start, found.effective_on, found.charge_cents, found.price_cents) == (Start.NOW, TODAY, 0, 0)
            order(session, trio, "TEL_BAR_PREMIUM", on=on, actor=self_of(customer))

    def test_a_business_reads_prices_without_vat(self, session: Session) -> None:
        customer = make_customer(session, kind=CustomerKind.ORGANIZATION, trading_name="Boulangerie Martin SRL")
        chili = make_product(session, customer, "CHILI")
        paid_november(session, customer)
        found = look(session, chili, "MOB_DATA_5G")
        assert (found.price_cents, found.vat_included, found.month_before_cents, found.month_after_cents) == (826, False, 2314, 3140)
        assert [line.amount_cents for line in found.lines] == [358, 826]

    def test_the_old_bill_model_ends_options_on_its_own_day(self, session: Session) -> None:
        customer = make_customer(session, bill_model=BillModel.LEGACY, cycle_day=20)
        red = make_product(session, customer, "RED")
        make_product(session, customer, "MOB_DATA_5G", parent_id=red.id)
        found = look(session, red, "MOB_DATA_5G", on=False)
        assert (found.effective_on, found.bill_date) == (date(2026, 11, 20), date(2026, 11, 20))

    def test_writes_nothing(self, session: Session) -> None:
        _, noa = family(session)
        look(session, noa, "MOB_DATA_5G")
        assert not session.exec(select(ProductOrder)).all()
        assert not session.new and not session.dirty  # noqa: PT018 - one thing: nothing to write

    def test_refuses_who_only_reads(self, session: Session) -> None:
        _, noa = family(session)
        with pytest.raises(NotPermitted):
            look(session, noa, "MOB_DATA_5G", actor=VIEWER)

    def test_does_not_find_another_customers_line(self, session: Session) -> None:
        _, noa = family(session)
        other = make_customer(session)
        with pytest.raises(NotFound):
            orders.review(
                session, AGENT, customer_id=other.id, product_no=noa.product_no, offering_code="MOB_DATA_5G", turn_on=True
            )  # fmt: skip


class TestConfirm:
    def test_adds_the_option_today(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_5G")
        option = option_row(session, noa, "MOB_DATA_5G")
        assert (option.since, option.until, option.status) == (TODAY, None, ProductStatus.ACTIVE)
        assert (row(session, number).state, row(session, number).channel) == (OrderState.COMPLETED, "agent")
        assert number == f"O{option.product_no[:8]}01"

    def test_gives_option_and_order_the_next_numbers(self, session: Session) -> None:
        customer, noa = family(session)
        session.exec(select(Product).where(Product.id == noa.id)).one().product_no = f"{customer.customer_no}99"
        order(session, noa, "MOB_DATA_5G")
        assert option_row(session, noa, "MOB_DATA_5G").product_no == f"{customer.customer_no}100"
        assert order(session, noa, "MOB_BAR_PREMIUM").endswith("02")

    def test_the_next_bill_changes_by_exactly_what_the_review_said(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT", "TEL_PEAK")
        now = Effective.NOW
        for code, on in [("TV_MOVIES", True), ("TEL_OFFPEAK", True), ("TV_SPORT", False), ("TV_FAMILY", True)]:
            before, shown = next_bill_cents(session, trio), look(session, trio, code, on=on, effective=now)
            order(session, trio, code, on=on, effective=now)
            december_saved = sum(one.price_cents for one in shown.replaced) + (0 if on else shown.price_cents)
            assert next_bill_cents(session, trio) - before == shown.charge_cents - december_saved

    def test_a_one_shot_ends_with_the_period_and_can_be_bought_again(self, session: Session) -> None:
        _, noa = family(session)
        order(session, noa, "MOB_DATA_1G")
        order(session, noa, "MOB_DATA_1G")
        assert options(session, noa) == ["MOB_DATA_1G", "MOB_DATA_1G"]
        assert option_row(session, noa, "MOB_DATA_1G").until == DECEMBER

    def test_a_swap_is_one_order_with_two_items(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK", language=Language.DE)
        number = order(session, trio, "TEL_OFFPEAK")
        items = session.exec(select(OrderItem.action, OrderItem.offering_code).where(OrderItem.order_id == row(session, number).id)).all()
        assert [tuple(item) for item in items] == [("delete", "TEL_PEAK"), ("add", "TEL_OFFPEAK")]
        assert options(session, trio) == ["TEL_OFFPEAK"]
        assert row(session, number).state is OrderState.IN_PROGRESS

    def test_a_recurring_option_stays_usable_until_the_period_ends(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        order(session, trio, "TV_SPORT", on=False)
        option = option_row(session, trio, "TV_SPORT")
        assert (option.until, option.status) == (DECEMBER, ProductStatus.PENDING_TERMINATE)
        assert options(session, trio) == ["TV_SPORT"]

    def test_ended_now_it_is_gone_at_once(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        order(session, trio, "TV_SPORT", on=False, effective=Effective.NOW)
        assert options(session, trio) == []

    def test_holds_a_decoder_until_it_is_delivered(self, session: Session) -> None:
        _, trio = at_home(session)
        number = order(session, trio, "TV_DECODER_EXTRA")
        assert row(session, number).state is OrderState.HELD
        assert option_row(session, trio, "TV_DECODER_EXTRA").status is ProductStatus.PENDING_ACTIVE
        with pytest.raises(option_rules.UnderWay):
            look(session, trio, "TV_DECODER_EXTRA")

    def test_a_removal_under_way_blocks_a_second_order_on_the_option(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        number = order(session, trio, "TV_SPORT", on=False)
        with pytest.raises(option_rules.UnderWay) as refusal:
            look(session, trio, "TV_SPORT")
        assert refusal.value.params["order_no"] == number

    def test_a_call_option_blocks_for_its_two_hours_only(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK")
        order(session, trio, "TEL_OFFPEAK")
        with pytest.raises(option_rules.UnderWay):
            look(session, trio, "TEL_PEAK")
        with clock.standing(clock.now() + timedelta(hours=2)):
            order(session, trio, "TEL_PEAK")
        assert options(session, trio) == ["TEL_PEAK"]

    def test_the_same_click_twice_is_one_order(self, session: Session) -> None:
        _, noa = family(session)
        shown = look(session, noa, "MOB_DATA_1G")
        facts = {"customer_id": noa.customer_id, "product_no": noa.product_no, "offering_code": "MOB_DATA_1G", "turn_on": True}
        orders.confirm(session, AGENT, **facts, shown_version=shown.version)  # type: ignore[arg-type]
        with pytest.raises(ChangedMeanwhile):
            orders.confirm(session, AGENT, **facts, shown_version=shown.version)  # type: ignore[arg-type]
        assert options(session, noa) == ["MOB_DATA_1G"]

    def test_a_second_agent_is_told_who_changed_it_and_when(self, session: Session) -> None:
        _, noa = family(session)
        shown = look(session, noa, "MOB_UNLIM_CALLS", actor=SENIOR)
        order(session, noa, "MOB_DATA_5G", actor=AGENT)
        with pytest.raises(ChangedMeanwhile) as refusal:
            orders.confirm(
                session, SENIOR, customer_id=noa.customer_id, product_no=noa.product_no, offering_code="MOB_UNLIM_CALLS", turn_on=True,
                shown_version=shown.version,
            )  # fmt: skip
        assert refusal.value.params == {"who": "agent", "at": "10:00"}

    def test_writes_to_the_customer_in_his_language(self, session: Session) -> None:
        customer, trio = at_home(session, "TEL_PEAK", language=Language.DE)
        number = order(session, trio, "TEL_OFFPEAK")
        sent = session.exec(select(Communication).where(Communication.customer_id == customer.id)).one()
        assert (sent.template, sent.language) == ("order_confirmed", "de")
        assert number in sent.subject
        assert "„Kostenlos telefonieren in der Nebenzeit“ statt „Kostenlos telefonieren in der Hauptzeit“" in sent.body
        assert "18.11.2026 23:59" in sent.body

    def test_leaves_a_trail(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_5G")
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "option:on")).one()
        assert (entry.actor, entry.object_id, (entry.after or {})["order_no"]) == ("agent", str(noa.id), number)

    def test_a_suspended_customer_orders_nothing_that_costs(self, session: Session) -> None:
        customer, trio = at_home(session)
        customer.status = CustomerStatus.SUSPENDED
        session.flush()
        with pytest.raises(option_rules.Suspended):
            look(session, trio, "TV_SPORT")
        order(session, trio, "TEL_BAR_PREMIUM")

    def test_a_customer_orders_for_himself_only(self, session: Session) -> None:
        _, noa = family(session)
        stranger = self_of(make_customer(session))
        with pytest.raises(NotFound):
            look(session, noa, "MOB_DATA_5G", actor=stranger)


class TestUndo:
    def test_puts_an_option_back_off_and_keeps_both_orders(self, session: Session) -> None:
        _, noa = family(session)
        before = next_bill_cents(session, noa)
        number = order(session, noa, "MOB_DATA_5G")
        undoing = undo(session, noa, number)
        assert options(session, noa) == []
        assert option_row(session, noa, "MOB_DATA_5G").status is ProductStatus.CANCELLED
        assert row(session, undoing).undoes_id == row(session, number).id
        assert row(session, number).state is OrderState.COMPLETED
        assert next_bill_cents(session, noa) == before

    def test_puts_a_swap_back(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK")
        before = next_bill_cents(session, trio)
        undo(session, trio, order(session, trio, "TEL_OFFPEAK"))
        assert options(session, trio) == ["TEL_PEAK"]
        assert option_row(session, trio, "TEL_PEAK").until is None
        assert next_bill_cents(session, trio) == before

    def test_the_gigabyte_of_this_morning_until_2359(self, session: Session) -> None:
        customer = make_customer(session)
        hot = make_product(session, customer, "HOT")
        use_data(session, hot, 10_000_000, clock.at(date(2026, 11, 17), 20))
        with clock.standing(clock.at(TODAY, 9, 30)):
            number = order(session, hot, "MOB_DATA_1G", actor=self_of(customer))
        with clock.standing(clock.at(TODAY, 23, 59)):
            undo(session, hot, number, actor=self_of(customer))
        assert options(session, hot) == []

    def test_not_at_midnight(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_1G")
        with clock.standing(clock.at(date(2026, 11, 19))), pytest.raises(order_undo.TooLate):
            undo(session, noa, number)

    def test_not_once_some_of_the_volume_is_used(self, session: Session) -> None:
        customer = make_customer(session)
        hot = make_product(session, customer, "HOT")
        use_data(session, hot, 10_000_000, clock.at(date(2026, 11, 17), 20))
        number = order(session, hot, "MOB_DATA_1G")
        use_data(session, hot, 1, clock.now() + timedelta(minutes=5))
        with pytest.raises(order_undo.AlreadyUsed):
            undo(session, hot, number)

    def test_as_long_as_the_bundle_itself_lasts(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_1G")
        use_data(session, noa, 2_000_000, clock.now() + timedelta(minutes=5))
        undo(session, noa, number)

    def test_use_above_the_bundle_before_the_order_does_not_count(self, session: Session) -> None:
        _, noa = family(session)
        use_data(session, noa, 3_240_000, clock.at(date(2026, 11, 17), 20))
        undo(session, noa, order(session, noa, "MOB_DATA_1G"))

    def test_withdraws_a_removal_until_it_takes_effect(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        number = order(session, trio, "TV_SPORT", on=False)
        with clock.standing(clock.at(date(2026, 11, 30), 23, 59)):
            undo(session, trio, number)
        option = option_row(session, trio, "TV_SPORT")
        assert (option.until, option.status) == (None, ProductStatus.ACTIVE)
        assert row(session, number).state is OrderState.CANCELLED
        sent = session.exec(select(Communication.template).order_by(col(Communication.id).desc())).first()
        assert sent == "order_withdrawn"

    def test_withdraws_a_decoder_while_it_is_on_its_way(self, session: Session) -> None:
        _, trio = at_home(session)
        number = order(session, trio, "TV_DECODER_EXTRA")
        with clock.standing(clock.at(date(2026, 11, 20))):
            undo(session, trio, number)
        assert row(session, number).state is OrderState.CANCELLED

    def test_not_once_it_is_delivered(self, session: Session) -> None:
        _, trio = at_home(session)
        number = order(session, trio, "TV_DECODER_EXTRA")
        orders.deliver(session, AGENT, customer_id=trio.customer_id, order_no=number)
        with pytest.raises(order_undo.AlreadyDelivered):
            undo(session, trio, number)

    def test_a_second_agent_is_told_who_undid_it(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_5G")
        undo(session, noa, number, actor=AGENT)
        with pytest.raises(order_undo.AlreadyUndone) as refusal:
            undo(session, noa, number, actor=SENIOR)
        assert refusal.value.params["who"] == "agent"

    def test_the_later_order_comes_first(self, session: Session) -> None:
        _, trio = at_home(session)
        first = order(session, trio, "TV_SPORT")
        second = order(session, trio, "TV_SPORT", on=False)
        with pytest.raises(order_undo.ChangedAfterwards) as refusal:
            undo(session, trio, first)
        assert refusal.value.params["order_no"] == second
        undo(session, trio, second)
        undo(session, trio, first)
        assert options(session, trio) == []

    def test_does_not_bring_back_what_no_longer_fits(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK")
        ended = order(session, trio, "TEL_PEAK", on=False, effective=Effective.NOW)
        order(session, trio, "TEL_OFFPEAK")
        with pytest.raises(option_rules.Excludes):
            undo(session, trio, ended)

    def test_an_old_review_is_told_that_something_changed(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_5G")
        shown = look(session, noa, "MOB_UNLIM_CALLS")
        undo(session, noa, number)
        with pytest.raises(ChangedMeanwhile):
            orders.confirm(
                session, AGENT, customer_id=noa.customer_id, product_no=noa.product_no, offering_code="MOB_UNLIM_CALLS", turn_on=True,
                shown_version=shown.version,
            )  # fmt: skip

    def test_does_not_find_another_customers_order(self, session: Session) -> None:
        _, noa = family(session)
        number = order(session, noa, "MOB_DATA_5G")
        with pytest.raises(NotFound):
            order_undo.undo(session, AGENT, customer_id=make_customer(session).id, order_no=number)

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from(["on", "off", "now", "undo"]), st.sampled_from([one.code for one in catalogue().options_of("TRIO")])),
            max_size=12,
        )
    )
    def test_undoing_everything_leads_back_to_the_start(self, session: Session, steps: list[tuple[str, str]]) -> None:
        _, trio = at_home(session, "TEL_PEAK", "TV_SPORT")
        bill, held = next_bill_cents(session, trio), options(session, trio)
        for what, code in steps:
            try:
                if what == "undo":
                    for change in order_undo.undoable(session, AGENT, customer_id=trio.customer_id)[:1]:
                        undo(session, trio, change.order_no)
                else:
                    order(session, trio, code, on=what == "on", effective=Effective.NOW if what == "now" else Effective.PERIOD_END)
            except DomainError:
                continue
        while changes := order_undo.undoable(session, AGENT, customer_id=trio.customer_id):
            assert changes[0].why_not is None
            undo(session, trio, changes[0].order_no)
        assert options(session, trio) == held
        assert next_bill_cents(session, trio) == bill


class TestUndoable:
    def test_lists_todays_changes_and_those_to_come_the_newest_first(self, session: Session) -> None:
        customer, trio = at_home(session, "TV_SPORT", "TEL_PEAK")
        ended = order(session, trio, "TV_SPORT", on=False)
        swap = order(session, trio, "TEL_OFFPEAK", actor=SENIOR)
        found = order_undo.undoable(session, AGENT, customer_id=customer.id)
        assert [(one.order_no, one.withdraws, one.created_by) for one in found] == [(swap, False, "senior"), (ended, True, "agent")]
        assert [(one.on and one.on.code, one.off and one.off.code) for one in found] == [("TEL_OFFPEAK", "TEL_PEAK"), (None, "TV_SPORT")]

    def test_tomorrow_only_those_to_come_are_left(self, session: Session) -> None:
        customer, trio = at_home(session, "TV_SPORT")
        ended = order(session, trio, "TV_SPORT", on=False)
        order(session, trio, "TV_MOVIES")
        with clock.standing(clock.at(date(2026, 11, 19), 8)):
            assert [one.order_no for one in order_undo.undoable(session, AGENT, customer_id=customer.id)] == [ended]

    def test_says_why_one_can_not_be_undone(self, session: Session) -> None:
        customer, trio = at_home(session)
        order(session, trio, "TV_SPORT")
        order(session, trio, "TV_SPORT", on=False)
        later, first = order_undo.undoable(session, AGENT, customer_id=customer.id)
        assert later.why_not is None
        assert isinstance(first.why_not, order_undo.ChangedAfterwards)

    def test_leaves_out_what_was_undone(self, session: Session) -> None:
        customer, trio = at_home(session)
        undo(session, trio, order(session, trio, "TV_SPORT"))
        assert order_undo.undoable(session, AGENT, customer_id=customer.id) == ()


class TestDeliver:
    def test_the_decoder_runs_and_is_charged_from_that_day(self, session: Session) -> None:
        _, trio = at_home(session)
        number = order(session, trio, "TV_DECODER_EXTRA")
        with clock.standing(clock.at(date(2026, 11, 24), 14)):
            orders.deliver(session, AGENT, customer_id=trio.customer_id, order_no=number)
            orders.deliver(session, AGENT, customer_id=trio.customer_id, order_no=number)
        decoder = option_row(session, trio, "TV_DECODER_EXTRA")
        assert (decoder.since, decoder.status) == (date(2026, 11, 24), ProductStatus.ACTIVE)
        assert row(session, number).state is OrderState.COMPLETED


class TestSettleDue:
    def test_ends_what_has_run_out(self, session: Session) -> None:
        _, trio = at_home(session, "TV_SPORT")
        number = order(session, trio, "TV_SPORT", on=False)
        assert orders.settle_due(session, SYSTEM) == 0
        with clock.standing(clock.at(DECEMBER, 1)):
            assert orders.settle_due(session, SYSTEM) == 1
        assert option_row(session, trio, "TV_SPORT").status is ProductStatus.TERMINATED
        assert row(session, number).state is OrderState.COMPLETED

    def test_a_call_option_is_done_after_two_hours(self, session: Session) -> None:
        _, trio = at_home(session, "TEL_PEAK")
        number = order(session, trio, "TEL_OFFPEAK")
        with clock.standing(clock.now() + timedelta(hours=2)):
            orders.settle_due(session, SYSTEM)
        assert row(session, number).state is OrderState.COMPLETED

    def test_a_parcel_arrives_on_its_day(self, session: Session) -> None:
        _, trio = at_home(session)
        order(session, trio, "TV_DECODER_EXTRA")
        with clock.standing(clock.at(date(2026, 11, 21), 1)):
            orders.settle_due(session, SYSTEM)
        assert option_row(session, trio, "TV_DECODER_EXTRA").status is ProductStatus.ACTIVE

    def test_is_no_job_for_a_customer(self, session: Session) -> None:
        customer, _ = family(session)
        with pytest.raises(NotFound):
            orders.settle_due(session, self_of(customer))
