"""Many at once on one plan, one undo, one move: real threads, real commits, on both databases (S52, S53)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from core import clock
from core.errors import ChangedMeanwhile, DomainError
from core.models.appointment import DayPart, TimeSlot
from core.models.order import OrderCategory, ProductOrder
from core.models.product import Product, UsageCap
from core.services import caps, moves, order_undo, orders, products, slots
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import FIRST_DAY
from tests.services.test_moves import IN, LEUVEN

THREADS = 8


def a_plan(engine: Engine, offering: str = "RED") -> Product:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return make_product(session, make_customer(session), offering)


def at_once(engine: Engine, work: Callable[[Session, int], object]) -> list[object]:
    """Let all threads work at the same moment, each in its own transaction; return what each of them got, refusals too."""
    start = Barrier(THREADS)

    def one(number: int) -> object:
        with clock.standing(FIRST_DAY):
            start.wait()
            try:
                with Session(engine, expire_on_commit=False) as session, session.begin():
                    return work(session, number)
            except DomainError as refusal:
                return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def buy(session: Session, plan: Product, shown_version: int) -> str:
    return orders.confirm(
        session, AGENT, customer_id=plan.customer_id, product_no=plan.product_no, offering_code="MOB_DATA_1G", turn_on=True,
        shown_version=shown_version,
    )  # fmt: skip


def count(engine: Engine, table: type, **where: object) -> int:
    with Session(engine) as session:
        return session.exec(select(func.count()).select_from(table).filter_by(**where)).one()


class TestConfirm:
    def test_without_the_lock_several_write(self, scratch: Engine) -> None:
        """The control: a version that is only looked at before stops nobody."""
        plan, seen = a_plan(scratch), Barrier(THREADS)

        def careless(session: Session, number: int) -> None:
            seen.wait()
            session.add(
                Product(
                    customer_id=plan.customer_id, parent_id=plan.id, offering_code="MOB_DATA_1G", product_no=f"X{number}",
                    since=date(2026, 11, 18), until=date(2026, 12, 1),
                )
            )  # fmt: skip

        with Session(scratch) as session:
            assert session.exec(select(Product.version).where(Product.id == plan.id)).one() == plan.version
        at_once(scratch, careless)
        assert count(scratch, Product, offering_code="MOB_DATA_1G") == THREADS

    def test_one_of_eight_agents_on_one_plan_wins_and_the_others_are_told(self, scratch: Engine) -> None:
        plan = a_plan(scratch)
        found = at_once(scratch, lambda session, _: buy(session, plan, plan.version))
        assert sum(isinstance(one, str) for one in found) == 1
        assert sum(isinstance(one, ChangedMeanwhile) for one in found) == THREADS - 1
        assert count(scratch, Product, offering_code="MOB_DATA_1G") == count(scratch, ProductOrder) == 1

    def test_orders_on_two_plans_of_one_customer_get_two_numbers(self, scratch: Engine) -> None:
        with Session(scratch, expire_on_commit=False) as session, session.begin():
            customer = make_customer(session)
            plans = [make_product(session, customer, "RED", product_no=f"{customer.customer_no}{number:02d}") for number in range(THREADS)]
        found = at_once(scratch, lambda session, number: buy(session, plans[number], plans[number].version))
        assert len({str(one) for one in found}) == THREADS
        assert count(scratch, ProductOrder) == THREADS


class TestUndo:
    def test_eight_clicks_undo_once(self, scratch: Engine) -> None:
        plan = a_plan(scratch)
        with Session(scratch) as session, session.begin():
            number = buy(session, plan, plan.version)
        found = at_once(scratch, lambda session, _: order_undo.undo(session, AGENT, customer_id=plan.customer_id, order_no=number))
        assert sum(isinstance(one, order_undo.AlreadyUndone) for one in found) == THREADS - 1
        assert count(scratch, ProductOrder, category=OrderCategory.UNDO) == 1


class TestSetCap:
    def test_one_of_eight_wins(self, scratch: Engine) -> None:
        plan = a_plan(scratch)
        choices = (0, 500, 1000, 2500, 5000, 0, 500, 1000)
        found = at_once(
            scratch,
            lambda session, number: caps.set_cap(
                session, AGENT, customer_id=plan.customer_id, product_no=plan.product_no, shown_version=plan.version,
                cap_cents=choices[number],
            ),
        )  # fmt: skip
        assert sum(isinstance(one, ChangedMeanwhile) for one in found) == THREADS - 1
        assert count(scratch, UsageCap) == 1


class TestConfirmMove:
    def test_eight_clicks_are_one_move_with_one_visit(self, scratch: Engine) -> None:
        plan = a_plan(scratch, "LOCO")
        found = at_once(scratch, lambda session, _: moves.confirm(session, AGENT, customer_id=plan.customer_id, wish=LEUVEN))
        assert sum(isinstance(one, moves.UnderWay) for one in found) == THREADS - 1
        with Session(scratch) as session:
            assert session.exec(select(TimeSlot.booked).where(TimeSlot.id == slots.slot_id("30", IN, DayPart.MORNING))).one() == 1
            assert len(products.held(session, AGENT, customer_id=plan.customer_id)) == 1
