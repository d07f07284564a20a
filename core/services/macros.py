"""What can be done in one go (W17): offered where it applies, shown step by step, carried out all or nothing.

A macro only puts verbs of other services in a row: each checks its own right, and writes its own entry in the trail.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import Texts, law
from core.errors import N_, DomainError, NotFound
from core.models.appointment import Appointment, AppointmentCategory, AppointmentState, Failure
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillCategory
from core.models.interaction import Task, Team
from core.models.note import NoteSource
from core.models.payment import Payment, PaymentAllocation
from core.services import appointments, audit, communications, credit_notes, erased, macro_book, move_progress, notes, slots, tasks, visits
from core.services.bill_words import CreditReason
from core.services.credit_notes import Paper
from core.services.credit_rules import Amounts
from core.services.macro_book import CreditStep, DoneStep, Macro, MessageStep, NoteStep, PostponeStep, Step, TaskStep, VisitStep
from core.services.products import lock_customer
from core.services.slots import HalfDay
from core.services.tasks import Target

RECENT_DAYS = 60
MODEM_DAYS = 14
SLOTS_OFFERED = 12
_RUN = "macro:run"
_LATER = "…"
"""Stands in a preview for what is only known once it is done."""


class NotOffered(DomainError):
    """The macro does not apply to this file any more."""

    message = N_("This no longer applies to this file. Load the page again.")


class MacroChanged(DomainError):
    """What it would do is no longer what was shown."""

    message = N_("Meanwhile something changed: look at the steps again before you confirm.")


@dataclass(frozen=True)
class Told:
    """A sentence for the screen."""

    msgid: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """A step before it is done: what it will do, or why it is left out; `text` is what will be written, `subject` its heading."""

    step: Step
    told: Told
    left_out: bool = False
    subject: str = ""
    text: str = ""


@dataclass(frozen=True)
class Plan:
    """A macro as it would run now. `slots` are the half days to choose from where it plans a visit; `seal` is what was shown."""

    code: str
    names: Texts
    steps: tuple[Planned, ...]
    slots: tuple[HalfDay, ...]
    slot_id: int | None
    seal: str

    @property
    def does_something(self) -> bool:
        """Whether a step is left to do."""
        return any(not one.left_out for one in self.steps)


@dataclass
class _Run:
    """The file a macro works on, and what its steps found out so far."""

    session: Session
    actor: Actor
    customer_id: int
    language: str
    facts: dict[str, Any]
    slot_id: int | None = None
    slots: tuple[HalfDay, ...] = ()


def offered(session: Session, actor: Actor, *, customer_id: int) -> dict[str, Texts]:
    """Return the macros that apply to a file, by code, with their names."""
    actor.require(Permission.MACRO_RUN, customer_id)
    mine = {code: macro for code, macro in macro_book.book().items() if all(actor.may(right) for right in _rights(macro))}
    holds = {when: _CONDITIONS[when](session, actor, customer_id) is not None for when in {macro.when for macro in mine.values()}}
    return {code: macro.names for code, macro in mine.items() if holds[macro.when]}


def preview(session: Session, actor: Actor, *, customer_id: int, code: str, language: str, slot_id: int | None = None) -> Plan:
    """Return what a macro would do now, step by step; `language` is the agent's, in which notes and tasks are written. Raises NotOffered, NotPermitted."""
    actor.require(Permission.MACRO_RUN, customer_id)
    return _plan(session, actor, customer_id, code, language, slot_id)[1]


def run(session: Session, actor: Actor, *, customer_id: int, code: str, language: str, seal: str, slot_id: int | None = None) -> Plan:
    """Carry out a macro as it was shown: all of its steps, or none. Raises ErasedAlready, NotOffered, MacroChanged, and whatever a step refuses."""
    actor.require(Permission.MACRO_RUN, customer_id)
    lock_customer(session, customer_id)
    erased.refuse(session, customer_id)
    at, plan = _plan(session, actor, customer_id, code, language, slot_id)
    if plan.seal != seal:
        raise MacroChanged
    for planned in plan.steps:
        if not planned.left_out:
            _STEPS[type(planned.step)].do(at, planned.step)
    names = [_name(planned.step) for planned in plan.steps]
    left_out = [name for name, planned in zip(names, plan.steps, strict=True) if planned.left_out]
    audit.record(
        session, actor, action=_RUN, object_type="macro", object_id=code, customer_id=customer_id,
        after={"macro": code, "name": dict(plan.names), "steps": [name for name in names if name not in left_out], "left_out": left_out},
    )  # fmt: skip
    return plan


def _plan(session: Session, actor: Actor, customer_id: int, code: str, language: str, slot_id: int | None) -> tuple[_Run, Plan]:
    macro: Macro | None = macro_book.book().get(code)
    if macro is None:
        raise NotFound
    for right in _rights(macro):
        actor.require(right, customer_id)
    facts = _CONDITIONS[macro.when](session, actor, customer_id)
    if facts is None:
        raise NotOffered
    at = _Run(session, actor, customer_id, language, dict(facts), slot_id)
    steps = tuple(_STEPS[type(step)].plan(at, step) for step in macro.steps)
    shown = _newest_run(session, customer_id, code), [(one.told, one.left_out, one.subject, one.text) for one in steps]
    seal = hashlib.sha256(repr(shown).encode()).hexdigest()[:32]
    return at, Plan(code, macro.names, steps, at.slots, at.slot_id, seal)


def _newest_run(session: Session, customer_id: int, code: str) -> int | None:
    """Find when a macro last ran on a file, as its entry in the trail: what was shown before that is over, so that nothing is done twice."""
    e = AuditEntry
    mine = (col(e.customer_id) == customer_id, col(e.action) == _RUN, col(e.object_type) == "macro", col(e.object_id) == code)
    found: int | None = session.execute(select(func.max(col(e.id))).where(*mine)).scalar_one()
    return found


# Conditions: each returns its facts, or None where it does not hold.


def _visit_missed(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    """Find the last visit that we missed, while something is left to make good: the money, or another visit."""
    mine = (col(Appointment.customer_id) == customer_id, col(Appointment.failed_by) == Failure.OPERATOR)
    since = clock.today() - timedelta(days=RECENT_DAYS)
    query = (
        select(Appointment).where(*mine, col(Appointment.day) >= since).order_by(col(Appointment.day).desc(), col(Appointment.id).desc())
    )
    missed: Appointment | None = session.execute(query.limit(1)).scalar_one_or_none()
    bill_no = _newest_bill(session, customer_id)
    if missed is None or bill_no is None:
        return None
    credited = session.execute(
        select(col(Bill.bill_no), col(Bill.bill_date)).where(
            col(Bill.customer_id) == customer_id, col(Bill.reason) == CreditReason.MISSED_VISIT, col(Bill.period_since) == missed.day
        )
    ).first()
    planned = session.execute(
        select(col(Appointment.day), col(Appointment.part))
        .where(
            col(Appointment.customer_id) == customer_id, col(Appointment.category) == missed.category,
            col(Appointment.state).in_((AppointmentState.CONFIRMED, AppointmentState.COMPLETED)), col(Appointment.day) > missed.day,
        )
        .order_by(col(Appointment.day).desc())
        .limit(1)
    ).first()  # fmt: skip
    if credited and planned:
        return None
    return {
        "visit_day": missed.day, "appointment_no": missed.appointment_no, "category": missed.category, "zone": missed.zone,
        "credit_cents": int(law("missed_visit_credit_cents")), "bill_no": bill_no, "credited": credited, "planned": planned,
    }  # fmt: skip


def _debit_refused(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    """Find the last collection that came back, while its bill asks something."""
    since = clock.today() - timedelta(days=RECENT_DAYS)
    query = (
        select(col(Bill.bill_no), col(Bill.remaining_cents), col(Bill.payable_until), col(Bill.ogm))
        .join(PaymentAllocation, (col(PaymentAllocation.customer_id) == Bill.customer_id) & (col(PaymentAllocation.bill_id) == Bill.id))
        .join(Payment, (col(Payment.customer_id) == PaymentAllocation.customer_id) & (col(Payment.id) == PaymentAllocation.payment_id))
        .where(
            col(Bill.customer_id) == customer_id, col(Bill.remaining_cents) > 0, col(Bill.payable_until) >= clock.today(),
            col(Payment.returned_on) >= since,
        )
        .order_by(col(Payment.returned_on).desc(), col(Payment.id).desc())
        .limit(1)
    )  # fmt: skip
    row = session.execute(query).first()
    return {"bill_no": row[0], "amount_cents": row[1], "due": row[2], "ogm": row[3]} if row else None


def _modem_missing(session: Session, _actor: Actor, customer_id: int) -> dict[str, Any] | None:
    until = clock.today() + timedelta(days=MODEM_DAYS)
    task = _open_task(session, customer_id, "modem_not_returned")
    return {"until": until} if task is not None and (task.due is None or task.due <= clock.today()) else None


def _move_running(session: Session, actor: Actor, customer_id: int) -> dict[str, Any] | None:
    move = move_progress.current(session, actor, customer_id=customer_id)
    if move is None:
        return None
    after = max(move.move_in, clock.today()) + timedelta(days=1)
    return {"move_out": move.move_out, "move_in": move.move_in, "after_move": after, "address": move.address}


_CONDITIONS: dict[str, Callable[[Session, Actor, int], dict[str, Any] | None]] = {
    "visit_missed": _visit_missed,
    "debit_refused": _debit_refused,
    "modem_missing": _modem_missing,
    "move_running": _move_running,
}


# Steps: each has a plan, which changes nothing, and does what it planned by a verb of another service.


@dataclass(frozen=True)
class _Verb:
    plan: Callable[[_Run, Any], Planned]
    do: Callable[[_Run, Any], object]


def _plan_credit(at: _Run, step: CreditStep) -> Planned:
    facts = at.facts
    if facts["credited"]:
        note_no, on = facts["credited"]
        facts |= {"credit_no": note_no, "amount_cents": facts["credit_cents"], "was_credited": True}
        return Planned(step, Told(N_("Credited already: note {note_no} of {on}"), {"note_no": note_no, "on": on}), left_out=True)
    paper: Paper = credit_notes.read(at.session, at.customer_id, facts["bill_no"])
    found: Amounts = credit_notes.amounts(paper, CreditReason.MISSED_VISIT, facts["credit_cents"])
    left = paper.bill.remaining_cents - credit_notes.taken_cents(paper.bill, found, next_bill=False)
    facts |= {"credit_no": _LATER, "amount_cents": found.total_cents}
    params = {
        "credit_cents": found.total_cents,
        "bill_no": facts["bill_no"],
        "before_cents": paper.bill.remaining_cents,
        "after_cents": left,
    }
    told = N_("Credit {credit_cents} on bill {bill_no}, without VAT: left to pay {before_cents} → {after_cents}")
    return Planned(step, Told(told, params))


def _do_credit(at: _Run, _step: CreditStep) -> None:
    at.facts["credit_no"] = credit_notes.issue_credit_note(
        at.session, at.actor, customer_id=at.customer_id, reason=CreditReason.MISSED_VISIT, bill_no=at.facts["bill_no"],
        since=at.facts["visit_day"],
    )  # fmt: skip


def _plan_visit(at: _Run, step: VisitStep) -> Planned:
    facts = at.facts
    if facts["planned"]:
        day, part = facts["planned"]
        return Planned(step, Told(N_("A visit is planned already: {when}"), {"when": visits.when(at.language, day, part)}), left_out=True)
    at.slots = _free(at.session, facts["category"], facts["zone"])
    chosen = next((one for one in at.slots if one.id == at.slot_id), at.slots[0] if at.slots else None)
    if chosen is None:
        return Planned(step, Told(N_("No half day is free: plan the visit by hand")), left_out=True)
    at.slot_id = chosen.id
    fee_cents, _why = visits.fee_of(at.session, customer_id=at.customer_id, category=facts["category"], day=chosen.day)
    params = {"when": visits.when(at.language, chosen.day, chosen.part), "fee_cents": fee_cents}
    told = (
        N_("Plan a visit: {when}; the confirmation is sent")
        if not fee_cents
        else N_("Plan a visit: {when}, {fee_cents} at most; the confirmation is sent")
    )
    return Planned(step, Told(told, params))


def _do_visit(at: _Run, _step: VisitStep) -> None:
    appointments.book(
        at.session, at.actor, customer_id=at.customer_id, category=AppointmentCategory(at.facts["category"]), slot_id=at.slot_id or 0
    )  # fmt: skip


def _plan_message(at: _Run, step: MessageStep) -> Planned:
    template = communications.templates()[step.message]
    if at.facts.get("was_credited") and "credit_no" in template.needs:
        return Planned(step, Told(N_("No message: the credit was told already")), left_out=True)
    draft = communications.preview(
        at.session, at.actor, customer_id=at.customer_id, template=step.message, params=_params(at, step.message)
    )
    told = Told(N_("Write to {receiver}"), {"receiver": draft.receiver})
    return Planned(step, told, subject=draft.subject, text=draft.body)


def _do_message(at: _Run, step: MessageStep) -> None:
    communications.send(at.session, at.actor, customer_id=at.customer_id, template=step.message, params=_params(at, step.message))


def _plan_done(at: _Run, step: DoneStep) -> Planned:
    left_out = _open_task(at.session, at.customer_id, step.done) is None
    told = N_("The task is done already") if left_out else N_("Mark a task done: {words}")
    return Planned(step, Told(told, {} if left_out else {"words": _text(at, step.words)}), left_out=left_out)


def _do_done(at: _Run, step: DoneStep) -> None:
    if task := _open_task(at.session, at.customer_id, step.done):
        tasks.complete(
            at.session, at.actor, customer_id=at.customer_id, task_id=task.id, shown_version=task.version, words=_text(at, step.words)
        )  # fmt: skip


def _plan_postpone(at: _Run, step: PostponeStep) -> Planned:
    left_out = _open_task(at.session, at.customer_id, step.postpone) is None
    told = N_("The task is done already") if left_out else N_("Take the task over, until {due}")
    return Planned(step, Told(told, {} if left_out else {"due": at.facts[step.due]}), left_out=left_out)


def _do_postpone(at: _Run, step: PostponeStep) -> None:
    if task := _open_task(at.session, at.customer_id, step.postpone):
        tasks.hand_over(
            at.session, at.actor, customer_id=at.customer_id, task_id=task.id, shown_version=task.version,
            to=Target(owner=at.actor.username), due=at.facts[step.due],
        )  # fmt: skip


def _plan_task(at: _Run, step: TaskStep) -> Planned:
    told = Told(N_("New task, until {due}"), {"due": max(at.facts[step.due], clock.today())})
    return Planned(step, told, text=_text(at, step.task))


def _do_task(at: _Run, step: TaskStep) -> None:
    to = Target(owner=at.actor.username) if step.to == "me" else Target(team=Team(step.to))
    due: date = max(at.facts[step.due], clock.today())
    tasks.add(at.session, at.actor, customer_id=at.customer_id, words=_text(at, step.task), due=due, to=to)


def _plan_note(at: _Run, step: NoteStep) -> Planned:
    return Planned(step, Told(N_("Write a note")), text=_text(at, step.note))


def _do_note(at: _Run, step: NoteStep) -> None:
    notes.add(
        at.session, at.actor, customer_id=at.customer_id, text=_text(at, step.note), pinned=step.pinned, source=NoteSource.RULE
    )  # fmt: skip


_STEPS: dict[type[Step], _Verb] = {
    CreditStep: _Verb(_plan_credit, _do_credit),
    VisitStep: _Verb(_plan_visit, _do_visit),
    MessageStep: _Verb(_plan_message, _do_message),
    DoneStep: _Verb(_plan_done, _do_done),
    PostponeStep: _Verb(_plan_postpone, _do_postpone),
    TaskStep: _Verb(_plan_task, _do_task),
    NoteStep: _Verb(_plan_note, _do_note),
}


_RIGHTS: dict[type[Step], Permission] = {
    CreditStep: Permission.APPOINTMENT_OVERRIDE,
    VisitStep: Permission.APPOINTMENT_WRITE,
    MessageStep: Permission.MESSAGE_READ,
    DoneStep: Permission.TASK_WRITE,
    PostponeStep: Permission.TASK_WRITE,
    TaskStep: Permission.TASK_WRITE,
    NoteStep: Permission.NOTE_WRITE,
}
"""What each step asks for: who may not do one of them is not offered the macro. The verbs check again."""


def _rights(macro: Macro) -> set[Permission]:
    return {_RIGHTS[type(step)] for step in macro.steps}


def _params(at: _Run, template: str) -> dict[str, object]:
    """Return what a message needs of the facts."""
    found = communications.templates()[template]
    return {name: at.facts[name] for name in found.needs | (found.added.keys() & at.facts.keys())}


def _text(at: _Run, texts: Texts) -> str:
    """Write a text of the file in the agent's language."""
    shown = {name: i18n.show(at.language, name, value) for name, value in at.facts.items()}
    return str(texts[at.language].format(**shown))  # type: ignore[index]


def _name(step: Step) -> str:
    return next(iter(type(step).model_fields))


def _newest_bill(session: Session, customer_id: int) -> str | None:
    mine = (col(Bill.customer_id) == customer_id, col(Bill.category) != BillCategory.CREDIT_NOTE)
    query = select(col(Bill.bill_no)).where(*mine).order_by(col(Bill.bill_date).desc(), col(Bill.id).desc()).limit(1)
    return session.execute(query).scalar_one_or_none()


def _open_task(session: Session, customer_id: int, code: str) -> Task | None:
    mine = (col(Task.customer_id) == customer_id, col(Task.code) == code, col(Task.done_at).is_(None))
    found: Task | None = session.execute(select(Task).where(*mine).order_by(col(Task.id)).limit(1)).scalar_one_or_none()
    return found


def _free(session: Session, category: AppointmentCategory, zone: str) -> tuple[HalfDay, ...]:
    """Return the first half days that are free."""
    span = slots.window(category)
    days = slots.open_days(session, zone=zone, since=span.since, until=span.until)
    return tuple(half_day for day in days for half_day in day.half_days if half_day.free > 0)[:SLOTS_OFFERED]
