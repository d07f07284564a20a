"""The tab of the visits, clicked through as an agent and as a customer."""

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, col, select
from streamlit.testing.v1 import AppTest

from core import clock, db
from core.models.appointment import AppointmentCategory, AppointmentMove, AppointmentState, DayPart, Failure, TimeSlot
from core.models.audit import DemoClock
from core.models.customer import Customer, CustomerStatus
from core.models.order import HouseMove, OrderCategory, OrderState, ProductOrder
from core.services import appointments, slots, visits
from core.services.visits import Visit
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import FIRST_DAY
from tests.pages.conftest import NewDemo

SHELL = Path(__file__).resolve().parents[2] / "core" / "shell.py"
PAGE = "../pages/appointments.py"
NO = "1000001701"
MORNING, AFTERNOON = DayPart
CHOSEN = slots.slot_id("50", date(2026, 11, 25), MORNING)


@pytest.fixture(autouse=True)
def demo(new_demo: NewDemo) -> None:
    """A demo on its first day with one customer, on a database of its own."""
    with new_demo() as session:
        make_product(session, make_customer(session, customer_no="10000017"), "TRIO")


def plan(day: date = date(2026, 11, 19), category: AppointmentCategory = AppointmentCategory.REPAIR) -> None:
    with db.transaction() as session:
        slot = slots.slot_id("50", day, MORNING)
        appointments.book(session, AGENT, customer_id=session.exec(select(Customer.id)).one(), category=category, slot_id=slot)


def move_clock(moment: datetime) -> None:
    with Session(db.engine()) as session, session.begin():
        session.get_one(DemoClock, 1).moment = moment


def visit() -> Visit:
    with db.reading() as session:
        (found,) = visits.of_file(session, session.exec(select(Customer.id)).one())
        return found


def take_all(slot_id: int) -> None:
    """Let others take every place of a half day."""
    places = slots.capacity("50")
    with Session(db.engine()) as session, session.begin():
        session.add(TimeSlot(id=slot_id, zone="50", day=date(2026, 11, 25), part=MORNING, capacity=places, booked=places))


def open_tab(who: str = "agent") -> AppTest:
    screen = AppTest.from_file(str(SHELL), default_timeout=60).run()
    screen.button(key=f"sign_in:demo:{who}").click().run()
    screen.query_params["customer"] = "10000017"
    screen.switch_page(PAGE).run()
    assert not screen.exception
    return screen


def click(screen: AppTest, key: str) -> AppTest:
    screen.button(key=key).click().run()
    assert not screen.exception
    return screen


def has(screen: AppTest, key: str) -> bool:
    return any(button.key == key for button in screen.button)


def texts(screen: AppTest) -> str:
    """All that is said, without the marks that keep a text from being mark-up."""
    kinds = (screen.markdown, screen.caption, screen.subheader, screen.success, screen.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


class TestWithoutAVisit:
    def test_says_so_and_offers_to_plan_one(self) -> None:
        screen = open_tab()
        assert "Aucune visite n'est prévue." in texts(screen)
        assert screen.button(key="appointments:plan").label == "Planifier une visite"

    def test_planning_can_be_left_again(self) -> None:
        screen = click(open_tab(), "appointments:plan")
        assert not has(screen, "appointments:plan")
        screen = click(screen, "appointments:plan:cancel")
        assert has(screen, "appointments:plan")
        assert not [button for button in screen.button if (button.key or "").startswith("appointments:slot")]

    def test_a_visit_takes_three_clicks(self) -> None:
        screen = click(open_tab(), "appointments:plan")
        click(screen, f"appointments:slot:{slots.slot_id('50', date(2026, 11, 19), AFTERNOON)}")
        assert "50,00" in texts(screen)
        click(screen, "appointments:confirm")
        assert "La visite est planifiée : jeudi 19 novembre 2026, 12:00 – 17:00." in texts(screen)
        assert (visit().day, visit().part) == (date(2026, 11, 19), AFTERNOON)

    def test_staff_may_plan_an_installation_which_needs_a_day_more(self) -> None:
        screen = click(open_tab(), "appointments:plan")
        screen.segmented_control(key="appointments:category").set_value(AppointmentCategory.INSTALLATION).run()
        assert not has(screen, f"appointments:slot:{slots.slot_id('50', date(2026, 11, 19), MORNING)}")
        assert has(screen, f"appointments:slot:{slots.slot_id('50', date(2026, 11, 20), MORNING)}")

    def test_a_reader_is_offered_nothing(self) -> None:
        assert not has(open_tab("viewer"), "appointments:plan")

    def test_a_closed_file_is_read_only(self) -> None:
        plan()
        with Session(db.engine()) as session, session.begin():
            session.exec(select(Customer)).one().status = CustomerStatus.CLOSED
        screen = open_tab()
        assert not any(
            (button.key or "").startswith(("appointments:plan", "appointments:move", "appointments:slot")) for button in screen.button
        )


class TestMove:
    def test_the_visit_stands_first_with_all_its_conditions(self) -> None:
        plan()
        screen = open_tab("p01")
        assert screen.subheader[0].value == "Réparation · jeudi 19 novembre 2026, 08:00 – 12:00"
        assert "Modifiable jusqu'au mer. 18/11 à 18:00 (encore 8 h). Encore 3 déplacements possibles." in texts(screen)

    def test_takes_two_clicks_and_is_said_in_place(self) -> None:
        plan()
        screen = click(open_tab("p01"), f"appointments:slot:{CHOSEN}")
        assert (
            "**Déplacer** jeu. 19/11, 08 – 12 h → **mer. 25/11, 08 – 12 h** · gratuit · déplacement 1 sur 3 · confirmation par message"
            in texts(screen)
        )
        click(screen, "appointments:confirm")
        assert "La visite est déplacée : mercredi 25 novembre 2026" in texts(screen)
        assert (visit().day, visit().self_moves) == (date(2026, 11, 25), 1)
        assert not has(screen, "appointments:confirm")

    def test_cancelling_the_choice_changes_nothing(self) -> None:
        plan()
        screen = click(open_tab(), f"appointments:slot:{CHOSEN}")
        click(screen, "appointments:cancel_choice")
        assert not has(screen, "appointments:confirm")
        assert visit().day == date(2026, 11, 19)

    def test_the_arrows_show_other_weeks_up_to_the_edge_of_the_window(self) -> None:
        plan()
        screen = click(open_tab(), f"appointments:move:A{NO}")
        click(screen, "appointments:week:earlier")
        assert screen.button(key="appointments:week:earlier").disabled
        for _ in range(4):
            click(screen, "appointments:week:later")
        assert screen.button(key="appointments:week:later").disabled
        assert has(screen, f"appointments:slot:{slots.slot_id('50', date(2026, 12, 18), AFTERNOON)}")

    def test_a_full_half_day_and_its_own_cannot_be_chosen(self) -> None:
        plan(date(2026, 11, 24))
        take_all(CHOSEN)
        screen = open_tab()
        full, own = (
            screen.button(key=f"appointments:slot:{CHOSEN}"),
            screen.button(key=f"appointments:slot:{slots.slot_id('50', date(2026, 11, 24), MORNING)}"),
        )
        assert (full.disabled, full.label) == (True, "08 – 12 h · complet")
        assert (own.disabled, own.label) == (True, "08 – 12 h · prévu")

    def test_a_lost_place_names_the_nearest_and_leaves_the_visit(self) -> None:
        plan()
        screen = click(open_tab(), f"appointments:slot:{CHOSEN}")
        take_all(CHOSEN)
        click(screen, "appointments:confirm")
        assert "Ce créneau vient d'être pris. Le plus proche est libre" in texts(screen)
        assert visit().day == date(2026, 11, 19)

    def test_after_the_cut_off_the_customer_reads_whom_to_call(self) -> None:
        plan()
        move_clock(clock.at(date(2026, 11, 18), 18))
        screen = open_tab("p01")
        assert "Plus modifiable depuis le mer. 18/11 à 18:00. Appelez le 02 100 00 00" in texts(screen)
        assert not any(
            (button.key or "").startswith(("appointments:move", "appointments:slot", "appointments:cancel")) for button in screen.button
        )

    def test_after_the_cut_off_an_agent_gives_a_reason(self) -> None:
        plan()
        move_clock(clock.at(date(2026, 11, 18), 18))
        screen = click(open_tab(), f"appointments:slot:{CHOSEN}")
        click(screen, "appointments:confirm")
        assert "Indiquez pourquoi vous la modifiez maintenant." in texts(screen)
        screen.text_input(key="appointments:reason").set_value("Enfant malade")
        click(screen, "appointments:confirm")
        with db.reading() as session:
            assert session.exec(select(AppointmentMove.reason)).all() == ["Enfant malade"]

    def test_the_choice_of_one_file_is_not_carried_into_another(self) -> None:
        plan()
        with db.transaction() as session:
            make_product(session, make_customer(session, customer_no="10000025"), "TRIO")
        screen = click(open_tab(), f"appointments:slot:{CHOSEN}")
        screen.query_params["customer"] = "10000025"
        screen.run()
        assert not has(screen, "appointments:confirm")


class TestMoveOfAHouseMove:
    def test_takes_the_house_move_along(self) -> None:
        install = date(2026, 12, 16)
        plan(install, AppointmentCategory.MOVE)
        with db.transaction() as session:
            (found,) = visits.of_file(session, session.exec(select(Customer.id)).one())
            order = ProductOrder(
                customer_id=found.customer_id, order_no="M1", category=OrderCategory.MOVE, channel="agent", state=OrderState.IN_PROGRESS,
                effective_on=install, created_by="agent", created_at=FIRST_DAY,
            )  # fmt: skip
            session.add(order)
            session.flush()
            session.add(
                HouseMove(
                    customer_id=found.customer_id, order_id=order.id, appointment_id=found.id, move_out=date(2026, 12, 15), move_in=install,
                    to_street="Rue de Bruxelles", to_number="1", to_postcode="5000", to_town="Namur", contact_name="S. Lambert",
                    contact_phone="+32470000001",
                )
            )  # fmt: skip
        later = date(2026, 12, 23)
        screen = click(open_tab(), "appointments:week:later")
        click(screen, f"appointments:slot:{slots.slot_id('50', later, MORNING)}")
        assert "l'arrivée suit, le jour du départ ne change pas" in texts(screen)
        click(screen, "appointments:confirm")
        assert "La visite est déplacée au mercredi 23 décembre 2026, et le déménagement avec elle." in texts(screen)
        with db.reading() as session:
            dates = session.exec(select(col(HouseMove.move_in))).one(), session.exec(select(col(ProductOrder.effective_on))).one()
        assert (visit().day, *dates) == (later, later, later)


class TestCancel:
    def test_asks_once_more_and_offers_the_way_out_of_the_calendar(self) -> None:
        plan()
        screen = click(open_tab("p01"), f"appointments:cancel_confirm:A{NO}")
        assert "La visite est annulée : jeudi 19 novembre 2026" in texts(screen)
        assert visit().state is AppointmentState.CANCELLED
        assert screen.download_button(key=f"appointments:ics:A{NO}").label == "Retirer du calendrier (.ics)"


class TestOutcome:
    def test_a_missed_visit_says_what_we_owe(self) -> None:
        plan()
        move_clock(clock.at(date(2026, 11, 19), 13))
        screen = open_tab()
        screen.radio(key=f"appointments:outcome_kind:A{NO}").set_value("We did not come")
        click(screen, f"appointments:outcome_save:A{NO}")
        assert "30,00" in screen.success[0].value
        assert "Manqué par nous : 30,00" in texts(screen)
        assert visit().failed_by is Failure.OPERATOR

    def test_is_not_for_the_customer(self) -> None:
        plan()
        move_clock(clock.at(date(2026, 11, 19), 13))
        assert not has(open_tab("p01"), f"appointments:outcome_save:A{NO}")


class TestLanguages:
    @pytest.mark.parametrize(
        ("language", "title", "button"),
        [
            ("nl", "Herstelling · donderdag 19 november 2026, 08:00 – 12:00", "Verplaatsen"),
            ("de", "Reparatur · Donnerstag, 19. November 2026, 08:00 – 12:00", "Verlegen"),
            ("en", "Repair · Thursday 19 November 2026, 08:00 – 12:00", "Move the visit"),
        ],
    )
    def test_speaks_the_readers_language(self, language: str, title: str, button: str) -> None:
        plan()
        screen = open_tab()
        screen.radio(key="prefs:language").set_value(language).run()
        assert screen.subheader[0].value == title
        assert screen.button(key=f"appointments:move:A{NO}").label == button


class TestGate:
    def test_signed_out_the_page_shows_nothing(self) -> None:
        plan()
        screen = AppTest.from_file(str(SHELL), default_timeout=60)
        screen.query_params["customer"] = "10000017"
        screen.switch_page(PAGE).run()
        assert not has(screen, f"appointments:move:A{NO}")
        assert "Rue de Fer" not in texts(screen)

    def test_a_customer_who_names_another_file_sees_his_own(self) -> None:
        plan()
        with db.transaction() as session:
            make_product(session, make_customer(session, customer_no="10000025"), "TRIO")
        screen = open_tab("p01")
        screen.query_params["customer"] = "10000025"
        screen.run()
        assert has(screen, f"appointments:move:A{NO}")
