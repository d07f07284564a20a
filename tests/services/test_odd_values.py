"""What nobody would type on purpose: every verb refuses it with a sentence, or takes it; none breaks."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, select

from core.actor import Actor, Role
from core.day_rules import OddDay
from core.errors import DomainError
from core.models.billing_account import BillingAccount, HoldReason
from core.models.customer import Customer
from core.models.interaction import CallerFact
from core.models.saved_view import Ownership
from core.services import (
    access,
    bulk,
    dunning,
    interactions,
    list_filters,
    lists,
    looks,
    notes,
    payment_entry,
    payment_plans,
    saved_views,
    tags,
    tasks,
    timeline,
)
from core.services.list_filters import OPS, Condition, Group
from core.services.list_nouns import listings
from core.services.lists import Query
from core.services.tasks import Target
from tests.builders import make_customer, make_product
from tests.services.test_orders import paid_november

DAYS = (date.min, date(1, 1, 2), date(1900, 1, 1), date(2200, 1, 1), date(9999, 12, 30), date.max)
NUMBERS = (-(10**12), -1, 0, 2**31, 2**63, 10**12, 10**30)
TEXTS = (
    "a\x00b",
    "\ud800",
    "\u202eevil",
    "😀" * 10,
    "x" * 100_000,
    " ",
    "٣",
    "\ufeffa",
    "'; --",
    "%",
    "1e999",
    "NaN",
    "-0",
    "9" * 5000,
    "0001-01-01",
    "9999-12-31",
    "$today+9999",
)
SENIOR = Actor(user_id=None, username="senior", role=Role.SENIOR)

Verb = Callable[[Session, Customer, Any], object]


def account_version(session: Session, customer: Customer) -> int:
    return session.exec(select(BillingAccount.version).where(BillingAccount.customer_id == customer.id)).one()


def hold(session: Session, one: Customer, day: date) -> None:
    version = account_version(session, one)
    dunning.hold(session, SENIOR, customer_id=one.id, reason=HoldReason.INQUIRY, until=day, shown_version=version)


def task_handed_over(session: Session, one: Customer, day: date) -> None:
    number = tasks.add(session, SENIOR, customer_id=one.id, words="call")
    tasks.hand_over(session, SENIOR, customer_id=one.id, task_id=number, shown_version=1, to=Target(owner="senior"), due=day)


def in_bulk(session: Session, _one: Customer, day: date) -> object:
    tried = [
        bulk.try_out(session, SENIOR, action=name, query=Query("customers"), ids=None, params=given)
        for name, given in (
            ("task", {"code": "call_back", "due": day.isoformat()}),
            ("hold", {"reason": "inquiry", "until": day.isoformat()}),
        )
    ]
    return [bulk.begin(session, SENIOR, draft=draft) for draft in tried]


def heard(session: Session, one: Customer, text: str) -> object:
    interactions.begin(session, SENIOR, customer_id=one.id)
    return [interactions.check(session, SENIOR, customer_id=one.id, fact=fact, heard=text) for fact in CallerFact]


OF_DAYS: dict[str, Verb] = {
    "a tag until": lambda session, one, day: tags.add(session, SENIOR, customer_id=one.id, word="slow", last=day),
    "a task due": lambda session, one, day: tasks.add(session, SENIOR, customer_id=one.id, words="call", due=day),
    "a task handed over until": task_handed_over,
    "a hold until": hold,
    "in bulk": in_bulk,
    "a jump in the history": lambda session, one, day: timeline.of_customer(session, SENIOR, customer_id=one.id, until=day),
    "who looked since": lambda session, one, day: looks.report(
        session, SENIOR, customer_no=one.customer_no, since=day, until=date(2026, 11, 18)
    ),
    "who looked until": lambda session, one, day: looks.report(
        session, SENIOR, customer_no=one.customer_no, since=date(2026, 11, 1), until=day
    ),
}
OF_NUMBERS: dict[str, Verb] = {
    "parts of a plan": lambda session, one, number: payment_plans.preview(session, SENIOR, customer_id=one.id, parts=number),
    "a row of a list": lambda session, _one, number: lists.page(session, SENIOR, query=Query("customers", after=number)),
    "a payment by hand": lambda session, one, number: payment_entry.preview(session, SENIOR, customer_id=one.id, amount_cents=number),
    "a disputed amount": lambda session, one, number: dunning.dispute(
        session, SENIOR, customer_id=one.id, bill_no="2611000017", disputed_cents=number, reason="no"
    ),
}
OF_TEXTS: dict[str, Verb] = {
    "a tag": lambda session, one, text: tags.add(session, SENIOR, customer_id=one.id, word=text),
    "a task": lambda session, one, text: tasks.add(session, SENIOR, customer_id=one.id, words=text),
    "who does a task": lambda session, one, text: tasks.add(session, SENIOR, customer_id=one.id, words="call", to=Target(owner=text)),
    "a note": lambda session, one, text: notes.add(session, SENIOR, customer_id=one.id, text=text),
    "a view's name": lambda session, _one, text: saved_views.save(
        session, SENIOR, name=text, ownership=Ownership.MINE, query=Query("customers")
    ),
    "a view's code": lambda session, _one, text: saved_views.find(session, SENIOR, code=text),
    "a filter": lambda session, _one, text: lists.page(session, SENIOR, query=Query("bills", list_filters.read(text))),
    "an order": lambda session, _one, text: lists.page(session, SENIOR, query=Query("bills", sort=text)),
    "a column": lambda session, _one, text: lists.page(session, SENIOR, query=Query("bills", columns=(text,))),
    "a list": lambda session, _one, text: lists.page(session, SENIOR, query=Query(text)),
    "an amount": lambda _session, _one, text: payment_entry.cents_of(text),
    "a customer's number": lambda session, _one, text: access.door(session, SENIOR, customer_no=text, offered=False),
    "a bulk action": lambda session, _one, text: bulk.try_out(
        session, SENIOR, action=text, query=Query("customers"), ids=None, params={"until": text}
    ),
    "a bulk hold": lambda session, _one, text: bulk.try_out(
        session, SENIOR, action="hold", query=Query("customers"), ids=None, params={"reason": "inquiry", "until": text}
    ),
    "a bulk task": lambda session, _one, text: bulk.try_out(
        session, SENIOR, action="task", query=Query("customers"), ids=None, params={"code": "call_back", "due": text}
    ),
    "what a caller said": heard,
}


def bears(session: Session, verb: Verb, values: tuple[Any, ...]) -> None:
    """Try each value, each from the same start; what is taken must be storable."""
    customer = make_customer(session, birth_date=date(1979, 9, 17))
    make_product(session, customer, "RED", line="+32470000011")
    paid_november(session, customer)
    session.flush()
    for value in values:
        tried = session.begin_nested()
        with suppress(DomainError):
            verb(session, customer, value)
            session.flush()
        tried.rollback()
        session.expire_all()


@pytest.mark.parametrize("verb", OF_DAYS)
def test_any_day(session: Session, verb: str) -> None:
    bears(session, OF_DAYS[verb], DAYS)


@pytest.mark.parametrize("verb", OF_NUMBERS)
def test_any_number(session: Session, verb: str) -> None:
    bears(session, OF_NUMBERS[verb], NUMBERS)


@pytest.mark.parametrize("verb", OF_TEXTS)
def test_any_text(session: Session, verb: str) -> None:
    bears(session, OF_TEXTS[verb], TEXTS)


@pytest.mark.parametrize("noun", sorted(listings()))
def test_any_value_of_any_column_of_a_list(session: Session, noun: str) -> None:
    make_customer(session)
    for column in listings()[noun].columns:
        for op in OPS[column.type]:
            for value in (text[: list_filters.MOST_CHARACTERS] for text in TEXTS):
                with suppress(DomainError), session.begin_nested():
                    lists.page(session, SENIOR, query=Query(noun, Group(every=True, parts=(Condition(column.name, op, (value,)),))))


@pytest.mark.parametrize("day", [date(2126, 11, 18), date.max])
def test_a_day_too_far_ahead_is_refused_beside_its_field(session: Session, day: date) -> None:
    customer = make_customer(session)
    with pytest.raises(OddDay) as refused:
        tags.add(session, SENIOR, customer_id=customer.id, word="slow", last=day)
    assert (refused.value.field, refused.value.params["last"]) == ("tag_until", date(2036, 11, 18))
    with pytest.raises(OddDay) as refused:
        tasks.add(session, SENIOR, customer_id=customer.id, words="call", due=day)
    assert refused.value.field == "due"
