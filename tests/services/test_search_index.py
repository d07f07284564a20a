"""The search follows every change in its own transaction, and finds no longer what is no longer so."""

import ast
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from core import clock
from core.models.customer import ContactKind, ContactMedium, Customer, Language
from core.models.product import Product
from core.models.search import SearchEntry
from core.services import contacts, search, search_index
from seed import background
from tests.builders import AGENT, make_customer, make_product
from tests.conftest import FIRST_DAY
from tests.rules.sources import called, name, python_files, tree


def numbers(session: Session, term: str) -> list[str]:
    return [hit.customer_no for hit in search.find(session, AGENT, term=term)]


def differing(session: Session) -> list[int]:
    return search_index.differing(session.connection())


class TestFollows:
    def test_a_new_name_and_second_holder(self, session: Session) -> None:
        customer = make_customer(session, given_name="Sophie", family_name="Lambert")
        customer.family_name, customer.second_holder = "Vermeulen", "Eva Maes"
        session.flush()
        assert numbers(session, "lambert") == []
        assert numbers(session, "vermeulen sophie") == numbers(session, "maes eva") == [customer.customer_no]

    def test_new_contact_data(self, session: Session) -> None:
        customer = make_customer(session)
        contacts.change(
            session, AGENT, customer_id=customer.id, shown_version=customer.version, email="sophie@example.be", phone="0471 12 76 54",
            street="Befferstraat", number="1", box="", postcode="2800", town="Mechelen", language=Language.FR,
        )  # fmt: skip
        assert numbers(session, "befferstraat 1") == numbers(session, "7654") == [customer.customer_no]
        assert numbers(session, "rue de fer 12") == numbers(session, "0470 00 00 01") == []

    def test_an_e_mail_that_was_removed(self, session: Session) -> None:
        customer = make_customer(session)
        mail = session.exec(
            select(ContactMedium).where(ContactMedium.customer_id == customer.id, ContactMedium.kind == ContactKind.EMAIL)
        ).one()
        mail.until_at = clock.now()
        session.flush()
        assert numbers(session, "sophie@") == []

    def test_a_line_that_comes_and_goes(self, session: Session) -> None:
        product = make_product(session, make_customer(session, customer_no="20999998"), line="+32471127654")
        assert numbers(session, "7654") == ["20999998"]
        product.line = None
        session.flush()
        assert numbers(session, "7654") == []

    def test_a_file_that_goes(self, session: Session) -> None:
        customer = Customer(
            customer_no="20999997", family_name="Solo", status_since=FIRST_DAY.date(), search_name="solo", created_at=FIRST_DAY
        )
        session.add(customer)
        session.flush()
        session.delete(session.get_one(SearchEntry, customer.id))
        session.flush()
        session.delete(customer)
        session.flush()
        assert numbers(session, "solo") == []

    def test_what_was_taken_back_is_not_found(self, session: Session) -> None:
        customer = make_customer(session, given_name="Sophie", family_name="Lambert")
        part = session.begin_nested()
        customer.family_name = "Vermeulen"
        session.flush()
        assert numbers(session, "vermeulen") == [customer.customer_no]
        part.rollback()
        assert numbers(session, "vermeulen") == []
        assert numbers(session, "lambert") == [customer.customer_no]

    def test_customers_written_in_bulk(self, session: Session) -> None:
        background.add(session, customers=20, months=1)
        assert differing(session) == []
        assert session.exec(select(SearchEntry.customer_id)).all()


class TestDiffering:
    def test_names_who_was_written_past_the_house_and_rebuild_puts_it_right(self, session: Session) -> None:
        customer, _other = make_customer(session), make_customer(session)
        session.execute(update(Customer).where(col(Customer.id) == customer.id).values(family_name="Vermeulen"))
        assert differing(session) == [customer.id]
        assert search_index.rebuild(session.connection()) == 2
        assert differing(session) == []


class TestOrders:
    @pytest.mark.parametrize(
        ("parts", "forms"),
        [
            (("Kevin", "Dubois"), ["kevin dubois", "dubois kevin"]),
            (("Jean-Pierre", "El Amrani"), ["jean pierre el amrani", "el amrani jean pierre"]),
            (("", "Dubois"), ["dubois"]),
            (("Eva Van Damme",), ["eva van damme", "van damme eva", "damme eva van"]),
            (("",), []),
        ],
    )
    def test_are_those_people_write(self, parts: tuple[str, ...], forms: list[str]) -> None:
        assert search_index.orders(*parts) == forms


def test_two_who_change_one_file_at_once_are_both_found(scratch: Engine) -> None:
    with Session(scratch) as session, session.begin():
        customers = [make_customer(session, customer_no=f"2111{number:04d}") for number in range(10)]
        ids = [(one.id, make_product(session, one).id) for one in customers]
    ready = Barrier(2)

    def change(line: bool) -> None:
        for number, (customer_id, product_id) in enumerate(ids):
            ready.wait(30)
            with clock.standing(FIRST_DAY), Session(scratch) as session, session.begin():
                if line:
                    session.get_one(Product, product_id).line = f"+3247112{number:04d}"
                else:
                    session.get_one(Customer, customer_id).family_name = f"Vermeulen{chr(97 + number)}"

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, (True, False)))
    with Session(scratch) as session:
        assert search_index.differing(session.connection()) == []


def test_nobody_writes_names_contacts_or_lines_past_the_session() -> None:
    """A bulk write of our own is seen by nobody: whoever needs one calls `refresh` beside it."""
    found = [
        (name(path), node.lineno)
        for path in python_files("core")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and called(node) in {"update", "delete", "insert"}
        for argument in node.args[:1]
        if isinstance(argument, ast.Name) and argument.id in {"Customer", "ContactMedium", "Product"}
    ]
    assert found == []
