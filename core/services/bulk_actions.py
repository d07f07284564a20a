"""What can be done with many rows of a list at once: each action names the verb that does it for one, which checks the right again.

`excludes` says why a row is left out, before anything is done; `do` may refuse all the same, as time has passed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from core.actor import Actor, Permission
from core.catalogue import law
from core.day_rules import near
from core.errors import N_, DomainError
from core.models.bill import Bill, BillCategory
from core.models.billing_account import BillingAccount, HoldReason
from core.models.bulk import BulkRow
from core.models.customer import Customer, CustomerStatus
from core.models.e_invoice import EInvoiceState
from core.models.interaction import Task
from core.services import audit, communications, dunning, e_invoices
from core.services.lists import Row

Params = Mapping[str, Any]
_CUSTOMERS = frozenset({"customers", "bills", "orders", "appointments", "tasks", "debits", "documents", "mandates", "contacts"})
TASK_CODES = {"call_back": N_("Call the customer"), "check_file": N_("Check the file")}


class FileIsClosed(DomainError):
    """The customer left."""

    message = N_("The customer's file is closed.")


class HasDied(DomainError):
    """Nobody writes to the dead."""

    message = N_("The customer has died.")


class WaitsAlready(DomainError):
    """The same task is open."""

    message = N_("The same task is open already.")


class HeldAlready(DomainError):
    """The follow-up is on hold."""

    message = N_("The follow-up is on hold until {until} already.")


class ByHandOnly(DomainError):
    """The template is none for colleagues."""

    message = N_("This message is not sent by hand. Choose another one.")
    field = "template"


class WrongChoice(DomainError):
    """What the action is to do is not said."""

    message = N_("Choose what is to be done.")


@dataclass(frozen=True)
class Action:
    """Something to do with a row. `once` where it is about the customer: of several rows of his, the first one counts.

    `on_account` where it writes on the customer's account: what changed there since it was tried out is never written over.
    """

    name: str
    label: str
    icon: str
    right: Permission
    nouns: frozenset[str]
    check: Callable[[Params], None]
    excludes: Callable[[Session, Actor, Row, Params], DomainError | None]
    do: Callable[[Session, Actor, BulkRow, Params], object]
    amount: Callable[[Session, int], int] = field(default=lambda _session, _customer_id: 0)
    once: bool = True
    on_account: bool = False


def _no_params(_params: Params) -> None:
    pass


def _no_e_invoice(session: Session, actor: Actor, row: Row, _params: Params) -> DomainError | None:
    found = e_invoices.of_bill(session, actor, customer_id=row.customer_id or 0, bill_no=row.object_no or "")
    if found is None:
        return e_invoices.NotForConsumers()
    return e_invoices.UnderWay() if found.last and found.last.state is EInvoiceState.QUEUED else None


def _send_e_invoice(session: Session, actor: Actor, row: BulkRow, _params: Params) -> None:
    found = e_invoices.of_bill(session, actor, customer_id=row.customer_id, bill_no=row.subject)
    if found is None:
        raise e_invoices.NotForConsumers
    e_invoices.send(session, actor, customer_id=row.customer_id, bill_no=row.subject, shown_attempts=len(found.transmissions))


def _known_task(params: Params) -> None:
    if params.get("code") not in TASK_CODES:
        raise WrongChoice(field="code")
    if params.get("due"):
        near(_day(params, "due"), field="due")


def _day(params: Params, name: str) -> date:
    """Return a day of the params. Raises WrongChoice."""
    try:
        return date.fromisoformat(params.get(name, ""))
    except ValueError as error:
        raise WrongChoice(field=name) from error


def _task_waits(session: Session, _actor: Actor, row: Row, params: Params) -> DomainError | None:
    return WaitsAlready() if _waits(session, row.customer_id or 0, params) else None


def _waits(session: Session, customer_id: int, params: Params) -> bool:
    same = (col(Task.customer_id) == customer_id, col(Task.code) == params["code"], col(Task.done_at).is_(None))
    return session.execute(select(col(Task.id)).where(*same)).first() is not None


def _add_task(session: Session, actor: Actor, of: BulkRow, params: Params) -> None:
    customer_id = of.customer_id
    actor.require(Permission.TASK_WRITE, customer_id)
    if _waits(session, customer_id, params):
        raise WaitsAlready
    due = date.fromisoformat(params["due"]) if params.get("due") else None
    row = Task(customer_id=customer_id, code=params["code"], due=due, created_at=clock.now(), created_by=actor.username)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        action="task:add",
        object_type="task",
        object_id=row.id,
        customer_id=customer_id,
        after={"code": row.code, "due": row.due},
    )


def _known_hold(params: Params) -> None:
    if params.get("reason") not in set(HoldReason):
        raise WrongChoice(field="reason")
    until = _day(params, "until")
    last = clock.add_months(clock.today(), law("mediation_hold_months"))
    if not clock.today() < until <= last:
        raise dunning.HoldTooLong(last=last)


def _held(session: Session, _actor: Actor, row: Row, _params: Params) -> DomainError | None:
    until = account(session, row.customer_id or 0)[1]
    return HeldAlready(until=until) if until and until > clock.today() else None


def _hold(session: Session, actor: Actor, row: BulkRow, params: Params) -> None:
    held = account(session, row.customer_id)[1]
    if held and held > clock.today():
        raise HeldAlready(until=held)
    reason, until = HoldReason(params["reason"]), date.fromisoformat(params["until"])
    dunning.hold(session, actor, customer_id=row.customer_id, reason=reason, until=until, shown_version=row.account_version or 0)


def _not_held(session: Session, _actor: Actor, row: Row, _params: Params) -> DomainError | None:
    return None if account(session, row.customer_id or 0)[1] else dunning.NoHold()


def _release(session: Session, actor: Actor, row: BulkRow, _params: Params) -> None:
    dunning.release(session, actor, customer_id=row.customer_id, shown_version=row.account_version or 0)


def account(session: Session, customer_id: int) -> tuple[int, date | None]:
    """Return the version of a customer's account, and until when its follow-up is on hold."""
    a = BillingAccount
    found = session.execute(select(col(a.version), col(a.dunning_hold_until)).where(col(a.customer_id) == customer_id)).one()
    return found[0], found[1]


def _open_cents(session: Session, customer_id: int) -> int:
    mine = (col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE, col(Bill.remaining_cents) > 0)
    return int(session.execute(select(func.coalesce(func.sum(col(Bill.remaining_cents)), 0)).where(*mine)).scalar_one())


def _known_template(params: Params) -> None:
    found = communications.templates().get(str(params.get("template")))
    if found is None or not found.by_hand:
        raise ByHandOnly


def _not_written_to(session: Session, _actor: Actor, row: Row, _params: Params) -> DomainError | None:
    return _mute(session, row.customer_id or 0)


def _mute(session: Session, customer_id: int) -> DomainError | None:
    status, died = session.execute(select(col(Customer.status), col(Customer.deceased_on)).where(col(Customer.id) == customer_id)).one()
    if died:
        return HasDied()
    return FileIsClosed() if status is CustomerStatus.CLOSED else None


def _write_to(session: Session, actor: Actor, row: BulkRow, params: Params) -> None:
    customer_id = row.customer_id
    actor.require(Permission.MESSAGE_SEND, customer_id)
    _known_template(params)
    if refusal := _mute(session, customer_id):
        raise refusal
    message_id = communications.send(session, actor, customer_id=customer_id, template=params["template"], params={})
    audit.record(
        session, actor, action="message:send", object_type="communication", object_id=message_id, customer_id=customer_id,
        after={"template": params["template"]},
    )  # fmt: skip


P = Permission
ACTIONS: dict[str, Action] = {
    one.name: one
    for one in (
        Action("message", N_("Send a message"), "mail", P.MESSAGE_SEND, _CUSTOMERS, _known_template, _not_written_to, _write_to),
        Action("task", N_("Add a task"), "add_task", P.TASK_WRITE, _CUSTOMERS - {"tasks"}, _known_task, _task_waits, _add_task),
        Action(
            "hold", N_("Put the follow-up on hold"), "pause_circle", P.DUNNING_WRITE, frozenset({"customers", "bills"}), _known_hold, _held, _hold,
            amount=_open_cents, on_account=True,
        ),
        Action(
            "release", N_("End the hold"), "play_circle", P.DUNNING_WRITE, frozenset({"customers", "bills"}), _no_params, _not_held, _release,
            amount=_open_cents, on_account=True,
        ),
        Action(
            "e_invoice", N_("Send the e-invoice again"), "send", P.EINVOICE_SEND, frozenset({"bills"}), _no_params, _no_e_invoice, _send_e_invoice,
            once=False,
        ),
    )
}  # fmt: skip


def actions_of(actor: Actor, noun: str) -> list[Action]:
    """Return what the actor may do with the rows of a list."""
    return [one for one in ACTIONS.values() if noun in one.nouns and actor.may(one.right)] if actor.may(Permission.BULK_RUN) else []
