"""Whoever is meant is among the first ten: the same proof as `python -m benchmarks.search --all`, with fewer customers and on both databases."""

import pytest
from sqlalchemy import text
from sqlmodel import Session

from benchmarks import people
from core.services import search
from core.text_rules import fold
from tests.builders import AGENT

CUSTOMERS, NAMES, EVERY, FIRST = 5_000, 40, 31, 10


@pytest.fixture
def names(session: Session) -> list[str]:
    found = people.write(session, CUSTOMERS)
    session.execute(text("ANALYZE"))
    return found


def test_finds_everybody_by_his_name_with_a_slip_and_by_parts_of_his_numbers(session: Session, names: list[str]) -> None:
    known = set(names)
    missed, tried = [], 0
    for name in people.unique(names, NAMES):
        for term in list(people.slips(name))[::EVERY]:
            if term not in known and fold(term) == term:
                tried += 1
                if name not in {fold(hit.name) for hit in search.find(session, AGENT, term=term, limit=FIRST)}:
                    missed.append((name, term))
    assert tried > NAMES * 20
    assert missed == []

    for index in range(0, CUSTOMERS, 333):
        number = str(people.FIRST_NO + index)
        terms = (f"{index:06d}", f"0470 {index:06d}", f"tel:71{index:06d}", f"11{index + 1:06d}", f".{index}@example.be", number)
        assert [term for term in terms if number not in {hit.customer_no for hit in search.find(session, AGENT, term=term)}] == []
