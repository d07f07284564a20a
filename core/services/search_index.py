"""Keeps what the search looks through right: whatever changes a name, a way to reach a customer or a line brings it up to date at once."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, delete, event, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from core import postcodes
from core.models.customer import ContactKind, ContactMedium, Customer
from core.models.product import Product
from core.models.search import SearchEntry
from core.text_rules import fold

BAR = "|"
"""Stands between two names: folded text never holds it."""
_TOGETHER = 500
_TEXTS = ("name", "place", "mail", "number")
_READ = {
    Customer: ("customer_no", "given_name", "family_name", "trading_name", "second_holder", "enterprise_no"),
    ContactMedium: ("customer_id", "kind", "value", "street", "number", "box", "postcode", "town", "until_at"),
    Product: ("customer_id", "line"),
}
"""What an entry is made of: a change of anything else costs nothing here."""

Text = dict[str, Any]


def refresh(connection: Connection, customer_ids: Iterable[int]) -> None:
    """Bring the entries of customers up to date; bulk writes, which no session sees, call it themselves.

    The entry is locked before the file is read: of two who change one file at once, the second one reads what the first one wrote.
    """
    for ids in _batches(sorted(set(customer_ids))):
        entry = SearchEntry.__table__  # type: ignore[attr-defined]
        known = {row.customer_id: row for row in connection.execute(_locked(ids))}
        wanted = _texts(connection, ids)
        changed = [
            text for key, text in wanted.items() if key not in known or any(text[name] != getattr(known[key], name) for name in _TEXTS)
        ]
        if gone := [key for key in known if key not in wanted]:
            connection.execute(delete(SearchEntry).where(col(SearchEntry.customer_id).in_(gone)))
        if changed:
            insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement = insert(entry)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["customer_id"], set_={name: statement.excluded[name] for name in _TEXTS}),
                changed,
            )


def rebuild(connection: Connection) -> int:
    """Make all entries anew, and return how many customers there are: for a database that was written past the house."""
    ids = connection.execute(select(col(Customer.id))).scalars().all()
    refresh(connection, ids)
    return len(ids)


def differing(connection: Connection) -> list[int]:
    """Return the customers whose entry is not what their file says: none, unless somebody wrote past the house."""
    found: list[int] = []
    for ids in _batches(connection.execute(select(col(Customer.id)).order_by(col(Customer.id))).scalars().all()):
        known = {row.customer_id: row._asdict() for row in connection.execute(_rows(ids))}
        found += [key for key, text in _texts(connection, ids).items() if known.get(key) != text]
    return found


def orders(*parts: str) -> list[str]:
    """Return a name in the orders people write it in: as it is, and with its parts, or else its first or last word, moved."""
    whole = fold(" ".join(part for part in parts if part))
    words = whole.split()
    if len([part for part in parts if part]) > 1:
        moved = [fold(" ".join([parts[1], parts[0]]))]
    else:
        moved = [" ".join(words[1:] + words[:1]), " ".join(words[-1:] + words[:-1])]
    return [one for one in dict.fromkeys([whole, *moved]) if one]


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _TOGETHER] for start in range(0, len(ids), _TOGETHER))


def _rows(ids: Sequence[int]) -> Any:  # noqa: ANN401 - SQLAlchemy's select of columns
    return select(*(getattr(SearchEntry, name) for name in ("customer_id", *_TEXTS))).where(col(SearchEntry.customer_id).in_(ids))


def _locked(ids: Sequence[int]) -> Any:  # noqa: ANN401 - SQLAlchemy's select of columns
    return _rows(ids).order_by(col(SearchEntry.customer_id)).with_for_update()


def _texts(connection: Connection, ids: Sequence[int]) -> dict[int, Text]:
    places, mails, numbers = defaultdict[int, list[str]](list), defaultdict[int, list[str]](list), defaultdict[int, list[str]](list)
    names = ("customer_id", "kind", "value", "street", "number", "box", "postcode", "town")
    media = select(*(getattr(ContactMedium, name) for name in names)).where(
        col(ContactMedium.customer_id).in_(ids), col(ContactMedium.until_at).is_(None)
    )
    for key, kind, value, street, number, box, postcode, town in connection.execute(media.order_by(col(ContactMedium.id))):
        if kind is ContactKind.ADDRESS:
            towns = (name for name in (town, *postcodes.towns(postcode or "")) if name)
            places[key].append(fold(" ".join(part for part in (street, number, box, postcode, *dict.fromkeys(towns)) if part)))
        elif kind is ContactKind.EMAIL:
            mails[key].append((value or "").lower())
        else:
            numbers[key].append(f"p{_digits(value)}")
    lines = select(col(Product.customer_id), col(Product.line)).where(col(Product.customer_id).in_(ids), col(Product.line).is_not(None))
    for key, line in connection.execute(lines.order_by(col(Product.id))):
        numbers[key].append(f"l{_digits(line)}")
    people = select(*(getattr(Customer, name) for name in ("id", *_READ[Customer]))).where(col(Customer.id).in_(ids))
    found: dict[int, Text] = {}
    for key, customer_no, given, family, trading, holder, enterprise_no in connection.execute(people):
        called = dict.fromkeys([*orders(given or "", family or ""), *([fold(trading)] if trading else []), *orders(holder or "")])
        own = [f"c{customer_no}", *([f"e{enterprise_no}"] if enterprise_no else []), *dict.fromkeys(numbers[key])]
        found[key] = {
            "customer_id": key,
            "name": f" {f' {BAR} '.join(called)} ",
            "place": _between(places[key]),
            "mail": _between(mails[key]),
            "number": _between(own),
        }
    return found


def _digits(number: str | None) -> str:
    return re.sub(r"\D", "", number or "")


def _between(texts: Iterable[str]) -> str:
    """Put texts between blanks, so that the beginning and the end of each word can be asked for."""
    return f" {' '.join(texts)} "


@event.listens_for(Session, "after_flush")
def _follow(session: Session, _flushed: object) -> None:
    """Bring up to date, in the same transaction, whose names, contacts or lines were written."""
    ids = {key for row in (*session.new, *session.dirty, *session.deleted) if (key := _touched(session, row)) is not None}
    if ids:
        refresh(session.connection(), ids)


def _touched(session: Session, row: object) -> int | None:
    """Return whose entry a written row changes."""
    read = _READ.get(type(row))  # type: ignore[call-overload]
    if read is None:
        return None
    if row not in session.new and row not in session.deleted:
        attributes = inspect(row).attrs
        if not any(attributes[name].history.has_changes() for name in read):
            return None
    elif isinstance(row, Product) and row.line is None:
        return None
    return row.id if isinstance(row, Customer) else row.customer_id  # type: ignore[attr-defined]
