"""What became of a thing: each change with its old and new values, who made it and why; and the way back, as a new change of its own (issue 4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from core.actor import Actor, Permission
from core.errors import N_, DomainError, NotFound
from core.models.audit import AuditEntry
from core.models.customer import ContactKind, ContactMedium, Customer, Language
from core.models.product import AlertChannel, AlertMetric, Product
from core.models.user import User
from core.services import alerts, audit, caps, contacts, erased, flags
from core.services.look_words import LOOKS
from core.services.usage_numbers import national
from core.text_rules import address_line

SHOWN = 100
REVERT = "change:revert"


class Subject(StrEnum):
    """What a history is about."""

    CUSTOMER = "customer"
    PRODUCT = "product"
    BILL = "bill"
    MANDATE = "mandate"
    APPOINTMENT = "appointment"
    ACCOUNT = "account"


_TYPES: dict[Subject, tuple[str, ...]] = {
    Subject.CUSTOMER: ("customer",),
    Subject.PRODUCT: ("product",),
    Subject.BILL: ("bill", "e_invoice"),
    Subject.MANDATE: ("mandate",),
    Subject.APPOINTMENT: ("appointment",),
    Subject.ACCOUNT: ("billing_account", "payment_plan", "bill_dispute", "payment_declaration"),
}
"""What the trail calls the things of a subject."""


class NotRevertible(DomainError):
    """There is no way back from this change, or what it changed has changed again."""

    message = N_("This change can't be taken back: there is a newer one, or it is none that can. Look at the history again.")


@dataclass(frozen=True)
class Change:
    """One change. `at` is business time; `version` is what the thing carries now, set where the reader may take the change back."""

    entry_id: int
    at: datetime
    actor: str
    name: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str | None
    version: int | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of what changed, in their order."""
        return tuple(dict.fromkeys((*self.before, *self.after)))


def of(session: Session, actor: Actor, *, customer_id: int, subject: Subject, object_id: object | None = None) -> list[Change]:
    """Return the changes of one thing, or of all of its kind of a customer, the newest first; of an erased file no values, and no words."""
    actor.require(Permission.HISTORY_READ, customer_id)
    asked = [
        col(AuditEntry.customer_id) == customer_id,
        col(AuditEntry.object_type).in_(_TYPES[subject]),
        col(AuditEntry.action).not_in((*LOOKS, "customer:leave")),
    ]
    if object_id is not None:
        asked.append(col(AuditEntry.object_id) == str(object_id))
    query = select(AuditEntry, col(User.name)).outerjoin(User, col(User.username) == AuditEntry.actor).where(*asked)
    rows = session.execute(query.order_by(col(AuditEntry.id).desc()).limit(SHOWN)).all()
    if erased.on(session, customer_id):
        return [_change(entry, name, None, bare=entry.action != erased.ACTION) for entry, name in rows]
    found: list[Change] = []
    taken: set[tuple[str, str, str]] = set()
    for entry, name in rows:
        touched = {(entry.object_id, entry.action, field) for field in entry.before or {}}
        newest = entry.action in _WAYS_BACK and actor.may(_WAYS_BACK[entry.action].right) and bool(touched) and not touched & taken
        taken |= touched
        version = _version(session, entry) if newest else None
        found.append(_change(entry, name, version))
    return found


def revert(session: Session, actor: Actor, *, customer_id: int, entry_id: int, shown_version: int) -> None:
    """Put back what a change replaced, by the verb that made it: with its right, its checks and its messages.

    Raises NotFound for another customer's change, NotRevertible, ChangedMeanwhile, and what the verb raises.
    """
    actor.require(Permission.HISTORY_READ, customer_id)
    entry = session.get(AuditEntry, entry_id)
    if entry is None or entry.customer_id != customer_id:
        raise NotFound
    way = _WAYS_BACK.get(entry.action)
    if way is None or not entry.before:
        raise NotRevertible
    actor.require(way.right, customer_id)
    if _version(session, entry) != shown_version:
        raise audit.changed_meanwhile(session, entry.object_type, entry.object_id)
    if not _stands(session, entry):
        raise NotRevertible
    way.go(session, actor, entry, shown_version)
    audit.record(
        session, actor, action=REVERT, object_type=entry.object_type, object_id=entry.object_id, customer_id=customer_id,
        after={"entry": entry_id},
    )  # fmt: skip


def _stands(session: Session, entry: AuditEntry) -> bool:
    """Whether nothing that a change touched was changed again."""
    newer = select(AuditEntry).where(
        col(AuditEntry.object_type) == entry.object_type, col(AuditEntry.object_id) == entry.object_id,
        col(AuditEntry.action) == entry.action, col(AuditEntry.id) > entry.id,
    )  # fmt: skip
    return not any(set(entry.before or {}) & set(later.before or {}) for later in session.execute(newer).scalars())


def _version(session: Session, entry: AuditEntry) -> int | None:
    table = Product if entry.object_type == "product" else Customer
    return session.execute(select(col(table.version)).where(col(table.id) == int(entry.object_id))).scalar()


def _change(entry: AuditEntry, name: str | None, version: int | None, *, bare: bool = False) -> Change:
    before, after, reason = ({}, {}, None) if bare else (entry.before or {}, entry.after or {}, entry.reason)
    return Change(entry.id, entry.business_at, entry.actor, name or entry.actor, entry.action, before, after, reason, version)


def _contact_back(session: Session, actor: Actor, entry: AuditEntry, version: int) -> None:
    """Put contact data back; an address is found among those that were closed, and an e-mail needs its code again."""
    was: Mapping[str, Any] = entry.before or {}
    now = contacts.read(session, actor, customer_id=int(entry.object_id))
    address = {name: getattr(now, name) for name in ("street", "number", "box", "postcode", "town")}
    if was.get("address"):
        address = _old_address(session, int(entry.object_id), was["address"])
    phone = was.get("phone") or now.phone or ""
    contacts.change(
        session, actor, customer_id=int(entry.object_id), shown_version=version, email=was.get("email", now.email) or "",
        phone=national(phone) if phone.startswith("+32") else phone, language=Language(was.get("language", now.language)), town_kept=True, **address,
    )  # fmt: skip


def _old_address(session: Session, customer_id: int, written: str) -> dict[str, str]:
    query = select(ContactMedium).where(
        col(ContactMedium.customer_id) == customer_id,
        col(ContactMedium.kind) == ContactKind.ADDRESS,
        col(ContactMedium.until_at).is_not(None),
    )
    for row in session.execute(query.order_by(col(ContactMedium.id).desc())).scalars():
        parts = {name: getattr(row, name) or "" for name in ("street", "number", "box", "postcode", "town")}
        if written in {address_line(**parts, language=language) for language in Language}:
            return parts
    raise NotRevertible


def _cap_back(session: Session, actor: Actor, entry: AuditEntry, version: int) -> None:
    number, customer_id = _product_no(session, entry), entry.customer_id or 0
    cap_cents = (entry.before or {}).get("cap_cents")
    caps.set_cap(session, actor, customer_id=customer_id, product_no=number, shown_version=version, cap_cents=cap_cents)


def _alert_back(session: Session, actor: Actor, entry: AuditEntry, version: int) -> None:
    was, customer_id = entry.before or {}, entry.customer_id or 0
    thresholds = {AlertMetric(name): value for name, value in was.items() if name != "channel"}
    channel = AlertChannel(was.get("channel") or (entry.after or {})["channel"])
    alerts.set_alerts(
        session, actor, customer_id=customer_id, product_no=_product_no(session, entry), shown_version=version, thresholds=thresholds,
        channel=channel, no_alert=None in thresholds.values(),
    )  # fmt: skip


def _flags_back(session: Session, actor: Actor, entry: AuditEntry, version: int) -> None:
    customer_id = int(entry.object_id)
    now = flags.read(session, actor, customer_id=customer_id)
    flags.change(session, actor, customer_id=customer_id, shown_version=version, **(now | (entry.before or {})), reason=None)


def _product_no(session: Session, entry: AuditEntry) -> str:
    number = session.execute(
        select(col(Product.product_no)).where(col(Product.id) == int(entry.object_id), col(Product.customer_id) == entry.customer_id)
    ).scalar()
    if number is None:
        raise NotFound
    return str(number)


class _Way(NamedTuple):
    """How a change is taken back, and the right that it needs."""

    right: Permission
    go: Callable[[Session, Actor, AuditEntry, int], None]


_WAYS_BACK = {
    "contact:change": _Way(Permission.ACCOUNT_WRITE, _contact_back),
    "cap:set": _Way(Permission.ORDER_WRITE, _cap_back),
    "alert:set": _Way(Permission.ORDER_WRITE, _alert_back),
    "customer:flags": _Way(Permission.FLAG_WRITE, _flags_back),
}
"""The changes that can be taken back, each by the verb that made it."""
