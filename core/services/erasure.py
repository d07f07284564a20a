"""The right to be forgotten (GDPR art. 17): what goes, what loses its names, what the law keeps and until when; then in one transaction."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law, law_source
from core.documents import pending
from core.errors import N_, DomainError, NotFound
from core.models.bill import Bill
from core.models.collection import Collection, CollectionState
from core.models.customer import Customer, CustomerKind, CustomerStatus
from core.models.document import Document
from core.models.mandate import Mandate
from core.models.user import User, UserSession
from core.services import audit, erased, mandates, open_amounts
from core.services.erased import ErasedAlready
from core.services.personal_data import ERASED, NUMBER, RULES, Fate, Rule
from core.text_rules import needed

REASON_LENGTH = 200


class StillCustomer(DomainError):
    """Who is a customer is needed to be one."""

    message = N_("Only a closed file can be erased. End the contract first.")


class MoneyOpen(DomainError):
    """Something is owed, one way or the other."""

    message = N_("{open_cents} is still to be paid, {credit_cents} to be given back. Settle that first.")


class DebitUnderWay(DomainError):
    """A collection is at the bank, or a mandate runs."""

    message = N_("A direct debit is still under way. Wait for the bank, and end the mandate first.")


class NotTheNumber(DomainError):
    """The number that was typed is another one."""

    message = N_("Type the customer no. of this file, {number}, to erase it.")
    field = "number"


@dataclass(frozen=True)
class Step:
    """What becomes of one kind of data. `rows` counts them; `until` is the last day that the law keeps them, `source` the law."""

    label: str
    fate: Fate
    rows: int
    until: date | None = None
    source: str = ""


@dataclass(frozen=True)
class Plan:
    """What an erasure would do, and why it can't be done now, if so."""

    customer_no: str
    version: int
    steps: tuple[Step, ...]
    refusal: DomainError | None


def plan(session: Session, actor: Actor, *, customer_id: int) -> Plan:
    """Return what an erasure would do: nothing is written. Raises NotPermitted."""
    actor.require(Permission.CUSTOMER_ERASE, customer_id)
    customer = session.get_one(Customer, customer_id)
    found: dict[tuple[str, Fate], Step] = {}
    for rule in RULES:
        rows = int(session.execute(select(func.count()).select_from(rule.table).where(whose(rule, customer_id))).scalar_one())
        until = _until(session, customer_id, rule.law) if rule.law and rows else None
        before = found.get((rule.label, rule.fate))
        found[rule.label, rule.fate] = Step(rule.label, rule.fate, rows + (before.rows if before else 0), until or (before.until if before else None), law_source(rule.law) if rule.law else "")  # fmt: skip
    steps = tuple(step for step in found.values() if step.rows)
    goes = any(step.fate is Fate.GOES for step in steps)
    return Plan(customer.customer_no, customer.version, steps, _refusal(session, customer, goes=goes))


def erase(session: Session, actor: Actor, *, customer_id: int, shown_version: int, number: str, reason: str) -> None:
    """Forget a customer, but for what the law keeps; there is no way back. What came into an erased file since goes by erasing it again.

    Raises NotTheNumber, Missing without a reason, StillCustomer, MoneyOpen, DebitUnderWay, ErasedAlready, ChangedMeanwhile.
    """
    actor.require(Permission.CUSTOMER_ERASE, customer_id)
    customer = _lock(session, customer_id)
    if number.strip() != customer.customer_no:
        raise NotTheNumber(number=customer.customer_no)
    reason = needed(reason, field="reason", length=REASON_LENGTH)
    audit.check_version(session, customer, shown_version, "customer", customer_id)
    planned = plan(session, actor, customer_id=customer_id)
    if planned.refusal:
        raise planned.refusal
    counts = {fate: sum(step.rows for step in planned.steps if step.fate is fate) for fate in Fate}
    for key in session.execute(select(col(Document.storage_key)).where(col(Document.customer_id) == customer_id)).scalars():
        pending.delete(session, key or "")
    session.expunge_all()  # What follows goes past the objects that were read.
    for rule in RULES:
        _carry_out(session, rule, customer)
    audit.record(
        session, actor, action=erased.ACTION, object_type="customer", object_id=customer_id, customer_id=customer_id,
        after={"customer_no": customer.customer_no, **{str(fate): rows for fate, rows in counts.items()}}, reason=reason,
    )  # fmt: skip
    session.flush()


def erased_on(session: Session, actor: Actor, *, customer_id: int) -> date | None:
    """Return the day a customer was forgotten, the last time he was."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    return erased.on(session, customer_id)


def _lock(session: Session, customer_id: int) -> Customer:
    """Keep out whoever would write a row of this customer: a foreign key shares his key, which only a full lock refuses."""
    mine = select(Customer).where(col(Customer.id) == customer_id).with_for_update()
    customer: Customer | None = session.execute(mine.execution_options(populate_existing=True)).scalar_one_or_none()
    if customer is None:
        raise NotFound
    return customer


def _refusal(session: Session, customer: Customer, *, goes: bool) -> DomainError | None:
    """Say why a customer can't be forgotten now; `goes` says whether anything of him is left that goes."""
    if not goes and (on := erased.on(session, customer.id)):
        return ErasedAlready(on=on)
    if customer.status is not CustomerStatus.CLOSED:
        return StillCustomer()
    amount = open_amounts.open_summary(session, customer.id)
    if amount.open_cents or amount.credit_cents:
        return MoneyOpen(open_cents=amount.open_cents, credit_cents=amount.credit_cents)
    waits = (col(Collection.customer_id) == customer.id, col(Collection.state) == CollectionState.PENDING)
    if mandates.running(session, customer.id) or session.execute(select(col(Collection.id)).where(*waits)).first():
        return DebitUnderWay()
    return None


def whose(rule: Rule, customer_id: int) -> Any:  # noqa: ANN401 - a condition
    """Return which rows of a table are a customer's."""
    column = rule.table.c[rule.by]
    if rule.by in {"customer_id", "id"}:
        return column == customer_id
    user = select(col(User.id)).where(col(User.customer_id) == customer_id)
    return column.in_(user if rule.by == "user_id" else select(col(UserSession.id)).where(col(UserSession.user_id).in_(user)))


def _carry_out(session: Session, rule: Rule, customer: Customer) -> None:
    table, mine = rule.table, whose(rule, customer.id)
    if rule.fate is Fate.GOES:
        session.execute(table.delete().where(mine))
        return
    values = {name: customer.customer_no if value == NUMBER else value for name, value in rule.blanks.items()}
    if rule.model is Customer:
        person = customer.kind is CustomerKind.INDIVIDUAL
        values |= {
            "family_name": ERASED if person else None,
            "trading_name": None if person else ERASED,
            "search_name": customer.customer_no,
        }
    if not values:
        return
    if "version" in table.c:
        values["version"] = table.c.version + 1
    filled = [table.c[name].is_not(None) for name, value in rule.blanks.items() if value == NUMBER]
    session.execute(table.update().where(mine, *filled).values(values))


def _until(session: Session, customer_id: int, name: str) -> date:
    """Return the last day that a law keeps what there is: from the last bill, the last debit, or today."""
    today = clock.today()
    if name == "keep_mandate_months":
        used = select(func.max(func.coalesce(col(Mandate.last_used_on), col(Mandate.cancelled_on)))).where(
            col(Mandate.customer_id) == customer_id
        )
        return clock.add_months(session.execute(used).scalar() or today, law(name))
    if name == "audit_months":
        return clock.add_months(today, law(name))
    last = session.execute(select(func.max(col(Bill.bill_date))).where(col(Bill.customer_id) == customer_id)).scalar() or today
    return date(last.year + law(name), 12, 31)
