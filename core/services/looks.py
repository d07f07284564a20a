"""Who looked at a customer's data, when and why, for whoever asks by right (W18, GDPR art. 15); and who looked at more than is usual for him."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlmodel
from sqlalchemy import Select, distinct, func, select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission, Role
from core.catalogue import law
from core.day_rules import near
from core.errors import N_, DomainError, NotFound
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.user import User
from core.services import audit, look_words
from core.services.access import Masked, Why
from core.services.customers import OPENED, SAME_LOOK
from core.services.usage_export import inert

FOUND = "customer:found"
SHOWN = 200
"""How many looks the screen shows; the file holds them all."""
HEAD = (N_("When"), N_("Who"), N_("Role"), N_("What"), N_("Of"), N_("Reason"), N_("In words"))


class EndsBefore(DomainError):
    """The report would end before it starts."""

    message = N_("The last day lies before the first one. Change one of them.")
    field = "until"


@dataclass(frozen=True)
class Look:
    """A look at a customer's data, in real time. `of` is what was looked at, where that is less than the file."""

    at: datetime
    actor: str
    name: str
    role: Role | None
    action: str
    of: str
    why: Why | None
    words: str | None


@dataclass(frozen=True)
class Report:
    """Who looked at a customer's data between two days, both included, the newest look first; `total` counts those not shown too."""

    customer_no: str
    customer_name: str
    since: date
    until: date
    looks: tuple[Look, ...]
    total: int


@dataclass(frozen=True)
class Anomaly:
    """An hour in which somebody opened more files than he usually does; `usual` is his mean of an hour in which he opened any."""

    actor: str
    name: str
    hour: datetime
    files: int
    usual: float


def ask_report(session: Session, actor: Actor, *, customer_no: str, since: date, until: date) -> int:
    """Write down that somebody asks who looked at a customer, and return the customer's id. Raises NotFound, OddDay, EndsBefore."""
    actor.require(Permission.AUDIT_READ)
    customer_id = _customer(session, customer_no).id
    _check_days(since, until)
    _record(session, actor, customer_id, "report", since, until)
    return customer_id


def report(session: Session, actor: Actor, *, customer_no: str, since: date, until: date, most: int | None = SHOWN) -> Report:
    """Return who of the house looked at a customer's data. Raises NotFound, OddDay, EndsBefore."""
    actor.require(Permission.AUDIT_READ)
    customer = _customer(session, customer_no)
    _check_days(since, until)
    days = (col(AuditEntry.at) >= clock.at(since), col(AuditEntry.at) < clock.at(until + timedelta(days=1)))
    own = select(col(User.username)).where(col(User.customer_id) == customer.id)
    asked = (
        col(AuditEntry.customer_id) == customer.id,
        col(AuditEntry.action).in_(look_words.LOOKS),
        *days,
        col(AuditEntry.actor).not_in(own),
    )
    total = session.execute(select(func.count()).select_from(AuditEntry).where(*asked)).scalar() or 0
    query = select(AuditEntry, col(User.name), col(User.role)).outerjoin(User, col(User.username) == AuditEntry.actor).where(*asked)
    rows = session.execute(query.order_by(col(AuditEntry.id).desc()).limit(most))
    return Report(customer.customer_no, customer.name, since, until, tuple(_look(*row) for row in rows), total)


def export(session: Session, actor: Actor, *, customer_no: str, since: date, until: date, language: str) -> bytes:
    """Return the whole report as CSV, its cells inert; the export is itself a look. Raises NotFound, OddDay, EndsBefore."""
    actor.require(Permission.AUDIT_READ)
    found = report(session, actor, customer_no=customer_no, since=since, until=until, most=None)
    text = io.StringIO(newline="")
    lines = csv.writer(text, delimiter=";")
    lines.writerow([i18n.translate(language, title) for title in HEAD])
    for one in found.looks:
        moment = clock.local(one.at).strftime("%Y-%m-%d %H:%M:%S")
        lines.writerow([moment, *(inert(cell) for cell in (one.name, one.role or "", *told(one, language)))])
    _record(session, actor, _customer(session, customer_no).id, "export", since, until)
    return text.getvalue().encode("utf-8-sig")


def told(look: Look, language: str) -> tuple[str, str, str, str]:
    """Return in words what was looked at, of what, why, and the words that were given."""
    what = i18n.translate(language, look_words.LOOKS[look.action])
    of = i18n.translate(language, look_words.MASKED[Masked(look.of)]) if look.action == "personal:reveal" else look.of
    return what, of, i18n.translate(language, look_words.WHY[look.why]) if look.why else "", look.words or ""


def note_hits(session: Session, actor: Actor, *, hits: Mapping[str, str]) -> int:
    """Write down whom a search showed, customer number to why he was found, once in a quarter of an hour; return how many were new.

    What was typed is not kept: it may be somebody's data itself (S45).
    """
    actor.require(Permission.CUSTOMER_SEARCH)
    known = dict(session.execute(select(col(Customer.customer_no), col(Customer.id)).where(col(Customer.customer_no).in_(hits))).all())
    lately = (
        col(AuditEntry.action) == FOUND,
        col(AuditEntry.at) > clock.real_now() - SAME_LOOK,
        col(AuditEntry.customer_id).in_(known.values()),
    )
    noted = set(session.execute(select(col(AuditEntry.customer_id)).where(col(AuditEntry.actor) == actor.username, *lately)).scalars())
    new = {number: customer_id for number, customer_id in known.items() if customer_id not in noted}
    for number, customer_id in new.items():
        facts = {"by": hits[number]}
        audit.record(session, actor, action=FOUND, object_type="customer", object_id=customer_id, customer_id=customer_id, after=facts)
    return len(new)


def anomalies(session: Session, actor: Actor, *, most: int = 50) -> list[Anomaly]:
    """Return the hours of the last days in which somebody opened many more files than he usually does, the newest first.

    The rule is `looks_anomaly` of seed/law.yaml: at least so many files, and so many times his mean of the other hours.
    """
    actor.require(Permission.AUDIT_READ)
    rule = law("looks_anomaly")
    since = clock.real_now() - timedelta(days=rule["days"])
    hours: dict[str, dict[datetime, int]] = defaultdict(dict)
    for who, hour, files in session.execute(_files_by_hour(session, since)):
        hours[who][datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)] = files
    names = dict(session.execute(select(col(User.username), col(User.name)).where(col(User.username).in_(hours))).all())
    found = [
        Anomaly(who, names.get(who, who), hour, files, usual)
        for who, counted in hours.items()
        for hour, files in counted.items()
        if unusual(files, usual := _usual(counted, hour), least=rule["least"], times=rule["times"])
    ]
    return sorted(found, key=lambda one: one.hour, reverse=True)[:most]


def unusual(files: int, usual: float, *, least: int, times: float) -> bool:
    """Whether so many files in an hour are more than usual."""
    return files >= least and files >= usual * times


def _usual(counted: Mapping[datetime, int], but: datetime) -> float:
    others = [files for hour, files in counted.items() if hour != but]
    return sum(others) / len(others) if others else 0.0


def _files_by_hour(session: Session, since: datetime) -> Select[str, str, int]:
    at = col(AuditEntry.at)
    on_postgres = session.get_bind().dialect.name == "postgresql"
    hour = func.to_char(func.timezone("UTC", at), "YYYY-MM-DD HH24") if on_postgres else func.strftime("%Y-%m-%d %H", at)
    files = func.count(distinct(col(AuditEntry.customer_id)))
    return (
        select(col(AuditEntry.actor), hour.label("hour"), files)
        .where(col(AuditEntry.action) == OPENED, at > since)
        .group_by(col(AuditEntry.actor), hour)
    )


def _customer(session: Session, customer_no: str) -> Customer:
    found = session.exec(sqlmodel.select(Customer).where(Customer.customer_no == customer_no.strip())).first()
    if found is None:
        raise NotFound(field="customer_no")
    return found


def _check_days(since: date, until: date) -> None:
    near(since, field="until")
    near(until, field="until")
    if until < since:
        raise EndsBefore


def _record(session: Session, actor: Actor, customer_id: int, verb: str, since: date, until: date) -> None:
    facts = {"since": since, "until": until}
    audit.record(
        session, actor, action=f"looks:{verb}", object_type="customer", object_id=customer_id, customer_id=customer_id, after=facts
    )


def _look(entry: AuditEntry, name: str | None, role: Role | None) -> Look:
    after = entry.after or {}
    of = (
        after.get("field", "")
        if entry.action == "personal:reveal"
        else ""
        if entry.object_type in {"customer", "usage"}
        else entry.object_id
    )
    why = Why(after["why"]) if "why" in after else None
    return Look(entry.at, entry.actor, name or entry.actor, role, entry.action, str(of), why, entry.reason)
