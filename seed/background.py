"""Any number of customers around the sample customers: drawn, written in bulk, and billed by the same functions as everybody."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import insert
from sqlmodel import Session, col, func, select

from core import clock
from core.actor import SYSTEM
from core.catalogue import Service, catalogue, law
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, DayPart
from core.models.bill import Bill, BillCategory, BillCounter
from core.models.billing_account import BillingAccount, BillMedia, BillModel, DunningState, PaymentMethod
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, CustomerStatus
from core.models.interaction import Interaction, InteractionChannel, Task
from core.models.mandate import Mandate, MandateState
from core.models.product import Product, ProductStatus
from core.services import audit, dunning, payments, search_index, slots
from core.services.billing import Account, Held
from core.services.usage_numbers import national
from core.text_rules import fold
from seed import crowd, habits, ledger
from seed.bulk import keyed, table
from seed.crowd import Person
from seed.habits import Line
from seed.ledger import Debit, Payer

CHUNK = 500
"""How many customers are written together."""
_FIRST_NO = 10_001_001
_SEED = 20_261_118
_CONTACTS, _EVERY_TASK, _VISITS = 160, 12, 9
_REASONS = {
    "bill": 30,
    "breakdown": 22,
    "arrears": 14,
    "option": 12,
    "appointment": 10,
    "usage": 8,
    "contract_end": 5,
    "move": 5,
    "other": 4,
}
"""Why people call, and how often in a hundred or so."""

Rows = list[dict[str, Any]]


def add(session: Session, *, customers: int, months: int, known: bool = False) -> None:
    """Write so many customers with the bills and use of so many months behind them.

    Around the sample customers, the `known` ones of background.yaml come first, and bills take the numbers that those of the samples
    left free. The same call on the same data writes the same customers.
    """
    first_no = _next_no(session)
    people = crowd.known(first_no)[:customers] if known else []
    start = clock.add_months(clock.month_start(clock.today()), 1 - months)
    rng = np.random.default_rng([_SEED, first_no])
    people += crowd.draw(rng, first_no + len(people), customers - len(people), start)
    ids = keyed(session, Customer, [_customer(person) for person in people])
    session.execute(insert(table(ContactMedium)), [row for key, person in zip(ids, people, strict=True) for row in _media(key, person)])
    session.execute(insert(table(BillingAccount)), [_account(key, person) for key, person in zip(ids, people, strict=True)])
    debits = _mandates(session, ids, people)
    held, lines = _products(session, ids, people)
    used = habits.draw(rng, lines, months)
    payers = [_payer(key, person, start, held[key], debits.get(key), used) for key, person in zip(ids, people, strict=True)]
    ledger.write(session, payers, clock.now(), _free_numbers(session) if known else lambda _day: None)
    habits.record(session, used, {payer.customer_id: payer.billed for payer in payers})
    search_index.refresh(session.connection(), ids)
    _link_takeovers(session, ids, people)
    dunning.catch_up(session, SYSTEM, customer_ids=[key for key, one in zip(ids, people, strict=True) if one.stops], until=clock.today())
    numbers = {"customers": len(people), "first": people[0].customer_no, "last": people[-1].customer_no}
    audit.record(session, SYSTEM, action="customer:import", object_type="customer", object_id=people[-1].customer_no, after=numbers)


def add_unmatched(session: Session) -> None:
    """Write the payments of background.yaml whose bill is not known."""
    for told in crowd.facts()["unmatched"]:
        given = {name: told[name] for name in ("received_on", "amount_cents", "payer_name", "communication")}
        with clock.standing(clock.at(told["received_on"], 12)):
            payments.record(session, SYSTEM, **given, payer_iban=crowd.account(told["payer_account"]))


def add_contacts(session: Session) -> None:
    """Let people have called, written and come by during the last month; some leave something to do."""
    rng = np.random.default_rng(_SEED)
    known = list(
        session.execute(
            select(Customer.id).where(col(Customer.customer_no) >= str(_FIRST_NO), col(Customer.status) == CustomerStatus.ACTIVE)
        ).scalars()
    )
    reasons, ways = (
        list(_REASONS),
        [InteractionChannel.PHONE] * 6 + [InteractionChannel.EMAIL] * 2 + [InteractionChannel.CHAT, InteractionChannel.SHOP],
    )
    weights = np.array(list(_REASONS.values())) / sum(_REASONS.values())
    today = clock.today()
    for place in range(_CONTACTS):
        at = clock.at(today - timedelta(days=int(rng.integers(0, 30))), int(rng.integers(8, 18)), int(rng.integers(0, 60)))
        one, agent = int(rng.choice(known)), str(rng.choice(["agent", "senior", "billing"], p=[0.7, 0.2, 0.1]))
        if at > clock.now():
            continue
        reason = str(rng.choice(reasons, p=weights))
        way, seconds = ways[int(rng.integers(0, len(ways)))], 60 * int(rng.integers(2, 12))
        ended_at = at + timedelta(seconds=seconds)
        session.add(Interaction(customer_id=one, channel=way, reason=reason, at=at, agent=agent, ended_at=ended_at, seconds=seconds))
        if place % _EVERY_TASK == 0:
            code, due = ("call_back", "check_file")[place // _EVERY_TASK % 2], today + timedelta(days=int(rng.integers(-3, 10)))
            session.add(Task(customer_id=one, code=code, due=due, created_at=at))


def add_visits(session: Session) -> None:
    """Let technicians visit some of them today, and leave two visits of last week without an outcome."""
    m, c = ContactMedium, Customer
    columns: Any = (m.customer_id, m.street, m.number, m.postcode, m.town, c.customer_no)
    mine = (col(c.customer_no) >= str(_FIRST_NO), col(c.status) == CustomerStatus.ACTIVE, col(m.kind) == ContactKind.ADDRESS)
    query = select(*columns).join(c, col(c.id) == m.customer_id).where(*mine, col(m.until_at).is_(None))
    for place, (one, street, number, postcode, town, customer_no) in enumerate(
        session.execute(query.order_by(m.customer_id).limit(_VISITS + 2))
    ):
        day = clock.today() if place < _VISITS else clock.today() - timedelta(days=7)
        session.add(
            Appointment(
                customer_id=one, appointment_no=f"A{customer_no}01", category=AppointmentCategory.REPAIR if place % 3 else AppointmentCategory.INSTALLATION,
                state=AppointmentState.COMPLETED if place in {0, 2} else AppointmentState.CONFIRMED, zone=slots.zone_of(postcode), day=day,
                part=DayPart.MORNING if place % 2 == 0 else DayPart.AFTERNOON, place=f"{street} {number}, {postcode} {town}",
                created_at=clock.at(day - timedelta(days=5), 10),
            )
        )  # fmt: skip


def _next_no(session: Session) -> int:
    last = session.exec(select(func.max(Customer.customer_no))).one()
    return max(_FIRST_NO, int(last or 0) + 1)


def _free_numbers(session: Session) -> Callable[[date], str | None]:
    """Return what fills the gaps that earlier bills left in each month's numbers, from the lowest on, before the counter goes on."""
    month = func.substr(Bill.bill_no, 1, 4)
    told = col(Bill.category) != BillCategory.CREDIT_NOTE
    many = dict(session.execute(select(month, func.count()).where(told).group_by(month)).all())
    free: dict[str, Iterator[str]] = {}
    for series, last in session.execute(select(col(BillCounter.series), col(BillCounter.last))):
        if last > many.get(series, last):
            known = set(session.execute(select(col(Bill.bill_no)).where(told, col(Bill.bill_no).startswith(series))).scalars())
            free[series] = iter([f"{series}{number:06d}" for number in range(1, last) if f"{series}{number:06d}" not in known])
    return lambda day: next(free.get(f"{day:%y%m}", iter(())), None)


def _customer(person: Person) -> dict[str, Any]:
    gone = person.until is not None
    return {
        "version": 1,
        "customer_no": person.customer_no,
        "kind": CustomerKind.ORGANIZATION if person.trading_name else CustomerKind.INDIVIDUAL,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "trading_name": person.trading_name,
        "enterprise_no": person.enterprise_no,
        "birth_date": person.birth_date,
        "language": person.language,
        "status": CustomerStatus.CLOSED if gone else CustomerStatus.ACTIVE,
        "status_since": person.until - timedelta(days=1) if person.until else person.since,
        "status_reason": "deceased" if person.deceased_on else None,
        "vip": person.vip,
        "colleague": person.colleague,
        "vulnerable": False,
        "deceased_on": person.deceased_on,
        "search_name": fold(person.name),
        "created_at": clock.at(person.since, 9),
    }


def _media(customer_id: int, person: Person) -> Rows:
    empty = dict.fromkeys(("value", "street", "number", "postcode", "town", "country", "verified_at"))
    common = empty | {"customer_id": customer_id, "since_at": clock.at(person.since, 9)}
    where = {"street": person.street, "number": person.number, "postcode": person.postcode, "town": person.town, "country": "BE"}
    mobile = next((number for number, plan in enumerate(person.plans) if _is_mobile(plan[0])), None)
    phone = person.line(0 if mobile is None else mobile, mobile=True)
    rows = [common | {"kind": ContactKind.ADDRESS} | where, common | {"kind": ContactKind.PHONE, "value": phone}]
    if not person.paper:
        rows.append(common | {"kind": ContactKind.EMAIL, "value": person.email, "verified_at": common["since_at"]})
    return rows


def _account(customer_id: int, person: Person) -> dict[str, Any]:
    business = person.trading_name is not None
    by_transfer = law("business_due_days" if business else "transfer_due_days")
    return {
        "version": 1,
        "customer_id": customer_id,
        "bill_model": BillModel.LEGACY if person.legacy_day else BillModel.CURRENT,
        "cycle_day": person.legacy_day or 1,
        "media": BillMedia.PEPPOL if business else BillMedia.PAPER if person.paper else BillMedia.PDF,
        "payment_method": PaymentMethod.DIRECT_DEBIT if _pays_by_debit(person) else PaymentMethod.TRANSFER,
        "payment_due_days": law("direct_debit_due_days") if _pays_by_debit(person) else by_transfer,
        "peppol_id": f"0208:{person.enterprise_no}" if business else None,
        "easy_switch_id": f"ES{person.customer_no}{int(person.customer_no) % 97:02d}",
        "dunning_state": DunningState.NONE,
        "dunning_hold_since": clock.add_months(person.hold_until, -law("mediation_hold_months")) if person.hold_until else None,
        "dunning_hold_until": person.hold_until,
        "dunning_hold_reason": person.hold_reason,
    }


def _pays_by_debit(person: Person) -> bool:
    """Who is late pays by transfer: a refused collection would have ended his mandate."""
    return person.debit and person.stops is None and person.until is None


def _mandates(session: Session, ids: Sequence[int], people: Sequence[Person]) -> dict[int, Debit]:
    signed = [(key, person) for key, person in zip(ids, people, strict=True) if _pays_by_debit(person)]
    rows: Rows = [
        {
            "version": 1,
            "customer_id": key,
            "umr": f"SCA{person.customer_no}01",
            "state": MandateState.ACTIVE,
            "holder": person.name[:70],
            "iban": person.iban,
            "requested_at": clock.at(person.since, 9),
            "signed_on": person.since,
            "code_failures": 0,
        }
        for key, person in signed
    ]
    keys = keyed(session, Mandate, rows)
    return {key: Debit(mandate, person.name[:70], person.iban) for (key, person), mandate in zip(signed, keys, strict=True)}


def _products(session: Session, ids: Sequence[int], people: Sequence[Person]) -> tuple[dict[int, list[Held]], list[Line]]:
    """Write the plans, then the options that hang under them; return what each customer holds, and the lines that are used."""
    plans, options, behind = [], [], []
    for key, person in zip(ids, people, strict=True):
        number = 0
        for index, (plan, *extras) in enumerate(person.plans):
            number += 1
            plans.append(_product(key, person, number, plan, _line(person, index, plan)))
            for extra in extras:
                number += 1
                options.append(_product(key, person, number, extra, None))
                behind.append(len(plans) - 1)
    plan_ids = keyed(session, Product, plans)
    for row, index in zip(options, behind, strict=True):
        row["parent_id"] = plan_ids[index]
    held: dict[int, list[Held]] = {key: [] for key in ids}
    lines, people_by_id = [], dict(zip(ids, people, strict=True))
    for product_id, row in zip([*plan_ids, *keyed(session, Product, options)], [*plans, *options], strict=True):
        key, detail = row["customer_id"], national(row["line"]) if row["line"] else None
        held[key].append(Held(row["offering_code"], row["since"], row["until"], product_id, detail))
        if row["parent_id"] is None:
            lines.append(Line(key, product_id, row["offering_code"], row["since"], row["until"], people_by_id[key].legacy_day or 1))
    return held, lines


def _product(customer_id: int, person: Person, number: int, code: str, line: str | None) -> dict[str, Any]:
    return {
        "version": 1,
        "customer_id": customer_id,
        "product_no": f"{person.customer_no}{number:02d}",
        "offering_code": code,
        "parent_id": None,
        "ordinal": 1,
        "since": person.since,
        "until": person.until,
        "status": ProductStatus.TERMINATED if person.until else ProductStatus.ACTIVE,
        "line": line,
        "is_minor": False,
        "provisioned_at": clock.at(person.since, 12),
    }


def _line(person: Person, index: int, plan: str) -> str | None:
    services = catalogue()[plan].services
    return person.line(index, mobile=_is_mobile(plan)) if {Service.PHONE, Service.MOBILE} & set(services) else None


def _is_mobile(plan: str) -> bool:
    return Service.MOBILE in catalogue()[plan].services


def _payer(key: int, person: Person, start: date, held: Sequence[Held], debit: Debit | None, used: habits.Habits) -> Payer:
    model = BillModel.LEGACY if person.legacy_day else BillModel.CURRENT
    account = Account(model, person.legacy_day or 1, business=person.trading_name is not None)
    return Payer(
        customer_id=key,
        name=person.name,
        account=account,
        holds=[Held(one.code, one.since, None, one.product_id, one.detail) for one in held],
        used=lambda since, until: used.of(key, since, until),
        next_day=max(start, person.since),
        previous=ledger.before(account, start, person.since),
        until=person.until,
        pays_after=person.pays_after,
        stops=person.stops,
        debit=debit,
    )


def _link_takeovers(session: Session, ids: Sequence[int], people: Sequence[Person]) -> None:
    """Let a contract that was taken over name who took it: he follows in the list."""
    for index, person in enumerate(people):
        if person.taken_over:
            session.get_one(Customer, ids[index]).taken_over_by_id = ids[index + 1]
    session.flush()
