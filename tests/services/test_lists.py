"""Lists: exactly the rows of the filter, page by page, each once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

import pytest
from sqlmodel import Session

from core import clock
from core.actor import SYSTEM, Actor, Role
from core.errors import NotPermitted
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart
from core.models.approval import Approval, ApprovalKind
from core.models.bill import Bill, BillState
from core.models.collection import Collection
from core.models.customer import Customer, CustomerStatus
from core.models.document import Document, DocumentKind
from core.models.interaction import Interaction, InteractionChannel, Task
from core.models.mandate import Mandate, MandateState
from core.models.order import OrderCategory, OrderState, ProductOrder
from core.models.usage import UsageKind
from core.models.usage_hour import UsageHour
from core.services import list_columns, lists
from core.services.list_filters import LARGEST, OPS, Condition, Group, Op, WrongValue, read
from core.services.list_nouns import listings
from core.services.lists import NoSuchPage, Query, TwiceOrNone
from core.text_rules import fold
from tests.builders import AGENT, VIEWER, make_customer, make_product, self_of
from tests.services import money_stories

ADMIN = Actor(user_id=None, username="admin", role=Role.ADMIN)
MANY = 60


def crowd(session: Session) -> list[Customer]:
    """Sixty customers, some of them alike in all but their number, each with a row of every list."""
    found = []
    for number in range(MANY):
        name = ("Élodie", "Dubois") if number % 3 else ("Jan", "De Smet")
        customer = make_customer(
            session, given_name=name[0], family_name=name[1], search_name=fold(" ".join(name)), vip=number % 7 == 0,
            deceased_on=date(2026, 1, 1) + timedelta(days=number) if number % 5 == 0 else None,
            status=CustomerStatus.SUSPENDED if number % 4 == 0 else CustomerStatus.ACTIVE,
        )  # fmt: skip
        make_product(session, customer, "RED", line=f"+3247100{number:04d}")
        one = customer.id
        session.add_all([
            Task(customer_id=one, code="modem_not_returned", due=date(2026, 11, 1 + number % 20) if number % 2 else None, created_at=clock.now(),
                 done_at=clock.now() if number % 9 == 0 else None),
            Interaction(customer_id=one, channel=InteractionChannel.PHONE, reason="bill" if number % 2 else "move", at=clock.now(), ended_at=clock.now(), agent="agent"),
            Appointment(customer_id=one, appointment_no=f"A{one}", category=AppointmentCategory.REPAIR, state=AppointmentState.CONFIRMED, zone="B50",
                        day=date(2026, 11, 18 + number % 4), part=DayPart.MORNING, place="Namur", created_at=clock.now()),
            ProductOrder(customer_id=one, order_no=f"O{one}", category=OrderCategory.OPTION, channel="agent", state=OrderState.COMPLETED,
                         effective_on=clock.today(), created_by="agent" if number % 2 else "senior", created_at=clock.now()),
            Document(customer_id=one, document_no=f"D{one}", kind=DocumentKind.ID_CARD, name="id.png", mime="image/png", size=1, sha256="0" * 64,
                     storage_key="k", uploaded_by="agent", uploaded_at=clock.now()),
            Mandate(customer_id=one, umr=f"M{one}", state=MandateState.PENDING_SIGNATURE, holder="X", iban="BE68539007547034",
                    requested_at=clock.now()),
            Approval(customer_id=one, kind=ApprovalKind.CREDIT, subject=f"B{one}", payload={}, amount_cents=100 + number, reason="goodwill",
                     comment="Late.", requested_by="agent" if number % 2 else "senior", requested_at=clock.now()),
        ])  # fmt: skip
        found.append(customer)
    session.add_all(
        UsageHour(day=date(2026, 11, 17), hour=hour, kind=kind, events=1, quantity=hour)
        for hour in range(24)
        for kind in (UsageKind.DATA, UsageKind.SMS)
    )
    session.flush()
    for place, customer in enumerate(found[:8]):
        money_stories.bill(session, customer, date(2026, 9 + place % 3, 5), bill_no=f"26110{place:05d}")
    return found


@pytest.fixture
def people(session: Session) -> list[Customer]:
    return crowd(session)


def walked(session: Session, query: Query, actor: Actor = ADMIN, size: int = 7) -> list[int]:
    """The ids of all pages, forwards; the way back must show the same."""
    pages: list[list[int]] = []
    page = lists.page(session, actor, query=query, size=size)
    while page.rows:
        pages.append([row.id for row in page.rows])
        if not page.has_next:
            break
        page = lists.page(session, actor, query=replace(query, after=page.rows[-1].id, before=None), size=size)
    back = [pages[-1]] if pages else []
    while back and page.has_previous:
        page = lists.page(session, actor, query=replace(query, before=page.rows[0].id, after=None), size=size)
        back.insert(0, [row.id for row in page.rows])
    whole = list(chain.from_iterable(pages))
    assert list(chain.from_iterable(back)) == whole
    return whole


def every_sort() -> Iterator[tuple[str, str]]:
    for noun, one in listings().items():
        for column in one.columns:
            if column.sortable:
                yield noun, column.name


class TestPages:
    @pytest.mark.parametrize("noun", list(listings()))
    def test_each_row_comes_once_whichever_column_sorts_and_whichever_way(
        self, session: Session, people: list[Customer], noun: str
    ) -> None:
        for name in (name for which, name in every_sort() if which == noun):
            up, down = walked(session, Query(noun, sort=name)), walked(session, Query(noun, sort=f"-{name}"))
            assert sorted(up) == sorted(down)
            assert len(set(up)) == len(up) == lists.count(session, ADMIN, query=Query(noun))

    def test_what_is_empty_comes_last_both_ways(self, session: Session, people: list[Customer]) -> None:
        for sort in ("deceased", "-deceased"):
            cells = [
                row.cells[0] for row in lists.every(session, ADMIN, query=Query("customers", columns=("deceased",), sort=sort), most=1000)
            ]
            known = [cell for cell in cells if cell]
            assert cells == sorted(known, reverse=sort.startswith("-")) + [None] * (MANY - len(known))

    def test_a_page_behind_a_row_that_is_gone_says_so(self, session: Session, people: list[Customer]) -> None:
        with pytest.raises(NoSuchPage):
            lists.page(session, ADMIN, query=Query("customers", after=999_999_999))

    def test_a_file_holds_no_more_rows_than_it_may(self, session: Session, people: list[Customer]) -> None:
        assert len(list(lists.every(session, ADMIN, query=Query("customers"), most=13))) == 13


class TestFilter:
    @pytest.mark.parametrize("noun", list(listings()))
    def test_a_comparison_and_its_opposite_share_all_rows(self, session: Session, people: list[Customer], noun: str) -> None:
        values = {"text": "agent", "money": "1.00", "number": "1", "day": "$today", "moment": "$today", "flag": "yes"}
        everything = lists.count(session, ADMIN, query=Query(noun))
        opposite = {Op.EQ: Op.NE, Op.LT: Op.GE, Op.LE: Op.GT, Op.IN: Op.OUT, Op.NONE: Op.SOME}
        for column in listings()[noun].columns:
            for op in OPS[column.type] if column.comparable else ():
                given = () if op in {Op.NONE, Op.SOME} else (values.get(column.type) or next(iter(column.words)),)
                one = Query(noun, where=Group(every=True, parts=(Condition(column.name, op, given),)))
                found = lists.count(session, ADMIN, query=one)
                if op in opposite and {opposite[op], Op.NONE} <= set(OPS[column.type]) and column.source is None:
                    other, empty = (
                        lists.count(
                            session, ADMIN, query=replace(one, where=Group(every=True, parts=(Condition(column.name, way, values_of),)))
                        )
                        for way, values_of in ((opposite[op], given), (Op.NONE, ()))
                    )
                    double = {Op.EQ, Op.IN} & {op} and column.type == "text"
                    assert found + other + (0 if op is Op.NONE or double else empty) == everything, (column.name, op)

    def test_groups_nest(self, session: Session, people: list[Customer]) -> None:
        query = Query("customers", where=read("and(or(vip.eq.yes,name.has.ELODIE),status.in.(suspended))"))
        meant = [one.id for one in people if (one.vip or one.given_name == "Élodie") and one.status is CustomerStatus.SUSPENDED]
        assert sorted(walked(session, query)) == sorted(meant)

    def test_the_largest_numbers_are_compared_and_larger_ones_are_refused(self, session: Session, people: list[Customer]) -> None:
        """PostgreSQL compares what a column could hold, and nothing beyond."""
        for noun, name, largest, beyond in (
            ("bills", "left", "21474836.47", "21474836.48"),
            ("appointments", "moves", "2147483647", "2147483648"),
        ):
            everything = lists.count(session, ADMIN, query=Query(noun))
            assert lists.count(session, ADMIN, query=Query(noun, where=read(f"{name}.lt.{largest}"))) == everything
            assert lists.count(session, ADMIN, query=Query(noun, where=read(f"{name}.lt.-{largest}"))) == 0
            for value in (beyond, f"-{beyond}"):
                with pytest.raises(WrongValue):
                    lists.count(session, ADMIN, query=Query(noun, where=read(f"{name}.lt.{value}")))
        with pytest.raises(NoSuchPage):
            lists.page(session, ADMIN, query=Query("bills", after=LARGEST))

    def test_percent_and_underscore_are_letters(self, session: Session, people: list[Customer]) -> None:
        assert lists.count(session, ADMIN, query=Query("orders", where=read('by.has."%"'))) == 0
        assert lists.count(session, ADMIN, query=Query("orders", where=read("by.has._"))) == 0

    def test_me_is_who_looks(self, session: Session, people: list[Customer]) -> None:
        query = Query("orders", where=read("by.eq.$me"))
        assert lists.count(session, AGENT, query=query) == MANY // 2
        assert lists.count(session, ADMIN, query=query) == 0

    def test_days_are_days_in_brussels(self, session: Session, people: list[Customer]) -> None:
        with clock.standing(clock.at(date(2026, 11, 20), 0, 30)):
            session.add(Task(customer_id=people[0].id, code="late", created_at=clock.now()))
            session.flush()
            assert lists.count(session, ADMIN, query=Query("tasks", where=read("created.eq.$today"))) == 1
        assert lists.count(session, ADMIN, query=Query("tasks", where=read("created.eq.2026-11-19"))) == 0

    def test_a_late_bill_is_one_that_its_own_tab_calls_late(self, session: Session, people: list[Customer]) -> None:
        late = {row.object_no for row in lists.every(session, ADMIN, query=Query("bills", where=read("late.eq.yes")), most=1000)}
        from core.services import bills

        meant = {row.bill_no for one in people for row in bills.of_customer(session, SYSTEM, customer_id=one.id) if row.days_overdue}
        assert late == meant
        assert late


class TestRights:
    def test_a_customer_has_no_lists(self, session: Session, people: list[Customer]) -> None:
        with pytest.raises(NotPermitted):
            lists.page(session, self_of(people[0]), query=Query("customers"))

    def test_a_viewer_reads_no_approvals(self, session: Session, people: list[Customer]) -> None:
        with pytest.raises(NotPermitted):
            lists.page(session, VIEWER, query=Query("approvals"))

    def test_an_agent_sees_of_approvals_what_he_asked_for(self, session: Session, people: list[Customer]) -> None:
        assert lists.count(session, AGENT, query=Query("approvals")) == MANY // 2
        assert lists.count(session, ADMIN, query=Query("approvals")) == MANY
        assert (
            len(lists.of_ids(session, AGENT, noun="approvals", ids=lists.ids(session, ADMIN, query=Query("approvals"), most=1000)))
            == MANY // 2
        )

    def test_a_masked_cell_never_holds_the_value(self, session: Session, people: list[Customer]) -> None:
        for noun, name in (("customers", "email"), ("customers", "phone"), ("mandates", "iban")):
            for row in lists.every(session, ADMIN, query=Query(noun, columns=(name,)), most=5):
                assert "•" in row.cells[0]

    def test_columns_are_asked_for_once_and_exist(self, session: Session, people: list[Customer]) -> None:
        with pytest.raises(TwiceOrNone):
            lists.page(session, ADMIN, query=Query("customers", columns=("name", "name")))
        with pytest.raises(list_columns.UnknownColumn):
            lists.page(session, ADMIN, query=Query("customers", columns=("password",)))


class TestOpens:
    def test_a_row_knows_whose_file_and_which_object_it_opens(self, session: Session, people: list[Customer]) -> None:
        (row,) = lists.page(session, ADMIN, query=Query("bills", where=read("bill_no.eq.2611000000"))).rows
        assert (row.customer_no, row.object_no) == (people[0].customer_no, "2611000000")
        assert session.get_one(Bill, row.id).state is BillState.SENT
        assert session.query(Collection).count() == 0
