"""The steps of a macro: each has a plan, which changes nothing, and does what it planned by a verb of another service (W17)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlmodel import Session

from core import clock, i18n
from core.actor import Actor, Permission
from core.catalogue import Texts
from core.errors import N_
from core.models.appointment import AppointmentCategory
from core.models.interaction import Team
from core.models.note import NoteSource
from core.services import appointments, communications, credit_notes, notes, slots, tasks, visits
from core.services.bill_words import CreditReason
from core.services.credit_notes import Paper
from core.services.credit_rules import Amounts
from core.services.macro_book import CreditStep, DoneStep, MessageStep, NoteStep, PostponeStep, Step, TaskStep, VisitStep
from core.services.macro_conditions import open_task
from core.services.slots import HalfDay
from core.services.tasks import Target

SLOTS_OFFERED = 12
_LATER = "…"
"""Stands in a preview for what is only known once it is done."""


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


@dataclass
class Run:
    """The file a macro works on, and what its steps found out so far."""

    session: Session
    actor: Actor
    customer_id: int
    language: str
    facts: dict[str, Any]
    slot_id: int | None = None
    slots: tuple[HalfDay, ...] = ()


@dataclass(frozen=True)
class Verb:
    """How a step is planned, and how it is done."""

    plan: Callable[[Run, Any], Planned]
    do: Callable[[Run, Any], object]


def _plan_credit(at: Run, step: CreditStep) -> Planned:
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


def _do_credit(at: Run, _step: CreditStep) -> None:
    at.facts["credit_no"] = credit_notes.issue_credit_note(
        at.session, at.actor, customer_id=at.customer_id, reason=CreditReason.MISSED_VISIT, bill_no=at.facts["bill_no"],
        since=at.facts["visit_day"],
    )  # fmt: skip


def _plan_visit(at: Run, step: VisitStep) -> Planned:
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


def _do_visit(at: Run, _step: VisitStep) -> None:
    appointments.book(
        at.session, at.actor, customer_id=at.customer_id, category=AppointmentCategory(at.facts["category"]), slot_id=at.slot_id or 0
    )  # fmt: skip


def _plan_message(at: Run, step: MessageStep) -> Planned:
    template = communications.templates()[step.message]
    if at.facts.get("was_credited") and "credit_no" in template.needs:
        return Planned(step, Told(N_("No message: the credit was told already")), left_out=True)
    draft = communications.preview(
        at.session, at.actor, customer_id=at.customer_id, template=step.message, params=_params(at, step.message)
    )
    told = Told(N_("Write to {receiver}"), {"receiver": draft.receiver})
    return Planned(step, told, subject=draft.subject, text=draft.body)


def _do_message(at: Run, step: MessageStep) -> None:
    communications.send(at.session, at.actor, customer_id=at.customer_id, template=step.message, params=_params(at, step.message))


def _plan_done(at: Run, step: DoneStep) -> Planned:
    left_out = open_task(at.session, at.customer_id, step.done) is None
    told = N_("The task is done already") if left_out else N_("Mark a task done: {words}")
    return Planned(step, Told(told, {} if left_out else {"words": _text(at, step.words)}), left_out=left_out)


def _do_done(at: Run, step: DoneStep) -> None:
    if task := open_task(at.session, at.customer_id, step.done):
        tasks.complete(
            at.session, at.actor, customer_id=at.customer_id, task_id=task.id, shown_version=task.version, words=_text(at, step.words)
        )  # fmt: skip


def _plan_postpone(at: Run, step: PostponeStep) -> Planned:
    left_out = open_task(at.session, at.customer_id, step.postpone) is None
    told = N_("The task is done already") if left_out else N_("Take the task over, until {due}")
    return Planned(step, Told(told, {} if left_out else {"due": at.facts[step.due]}), left_out=left_out)


def _do_postpone(at: Run, step: PostponeStep) -> None:
    if task := open_task(at.session, at.customer_id, step.postpone):
        tasks.hand_over(
            at.session, at.actor, customer_id=at.customer_id, task_id=task.id, shown_version=task.version,
            to=Target(owner=at.actor.username), due=at.facts[step.due],
        )  # fmt: skip


def _plan_task(at: Run, step: TaskStep) -> Planned:
    told = Told(N_("New task, until {due}"), {"due": max(at.facts[step.due], clock.today())})
    return Planned(step, told, text=_text(at, step.task))


def _do_task(at: Run, step: TaskStep) -> None:
    to = Target(owner=at.actor.username) if step.to == "me" else Target(team=Team(step.to))
    due: date = max(at.facts[step.due], clock.today())
    tasks.add(at.session, at.actor, customer_id=at.customer_id, words=_text(at, step.task), due=due, to=to)


def _plan_note(at: Run, step: NoteStep) -> Planned:
    return Planned(step, Told(N_("Write a note")), text=_text(at, step.note))


def _do_note(at: Run, step: NoteStep) -> None:
    notes.add(
        at.session, at.actor, customer_id=at.customer_id, text=_text(at, step.note), pinned=step.pinned, source=NoteSource.RULE
    )  # fmt: skip


STEPS: dict[type[Step], Verb] = {
    CreditStep: Verb(_plan_credit, _do_credit),
    VisitStep: Verb(_plan_visit, _do_visit),
    MessageStep: Verb(_plan_message, _do_message),
    DoneStep: Verb(_plan_done, _do_done),
    PostponeStep: Verb(_plan_postpone, _do_postpone),
    TaskStep: Verb(_plan_task, _do_task),
    NoteStep: Verb(_plan_note, _do_note),
}
RIGHTS: dict[type[Step], Permission] = {
    CreditStep: Permission.APPOINTMENT_OVERRIDE,
    VisitStep: Permission.APPOINTMENT_WRITE,
    MessageStep: Permission.MESSAGE_READ,
    DoneStep: Permission.TASK_WRITE,
    PostponeStep: Permission.TASK_WRITE,
    TaskStep: Permission.TASK_WRITE,
    NoteStep: Permission.NOTE_WRITE,
}
"""What each step asks for: who may not do one of them is not offered the macro. The verbs check again."""


def _params(at: Run, template: str) -> dict[str, object]:
    """Return what a message needs of the facts."""
    found = communications.templates()[template]
    return {name: at.facts[name] for name in found.needs | (found.added.keys() & at.facts.keys())}


def _text(at: Run, texts: Texts) -> str:
    """Write a text of the file in the agent's language."""
    shown = {name: i18n.show(at.language, name, value) for name, value in at.facts.items()}
    return str(texts[at.language].format(**shown))  # type: ignore[index]


def _free(session: Session, category: AppointmentCategory, zone: str) -> tuple[HalfDay, ...]:
    """Return the first half days that are free."""
    span = slots.window(category)
    days = slots.open_days(session, zone=zone, since=span.since, until=span.until)
    return tuple(half_day for day in days for half_day in day.half_days if half_day.free > 0)[:SLOTS_OFFERED]
