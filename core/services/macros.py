"""What can be done in one go (W17): offered where it applies, shown step by step, carried out all or nothing.

A macro only puts verbs of other services in a row: each checks its own right, and writes its own entry in the trail.
"""

import hashlib
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.actor import Actor, Permission
from core.catalogue import Texts
from core.errors import N_, DomainError, NotFound
from core.models.audit import AuditEntry
from core.services import audit, erased, macro_book
from core.services.macro_book import Macro, Step
from core.services.macro_conditions import CONDITIONS
from core.services.macro_steps import RIGHTS, STEPS, Planned, Run
from core.services.products import lock_customer
from core.services.slots import HalfDay

_RUN = "macro:run"


class NotOffered(DomainError):
    """The macro does not apply to this file any more."""

    message = N_("This no longer applies to this file. Load the page again.")


class MacroChanged(DomainError):
    """What it would do is no longer what was shown."""

    message = N_("Meanwhile something changed: look at the steps again before you confirm.")


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


def offered(session: Session, actor: Actor, *, customer_id: int) -> dict[str, Texts]:
    """Return the macros that apply to a file, by code, with their names."""
    actor.require(Permission.MACRO_RUN, customer_id)
    mine = {code: macro for code, macro in macro_book.book().items() if all(actor.may(right) for right in _rights(macro))}
    holds = {when: CONDITIONS[when](session, actor, customer_id) is not None for when in {macro.when for macro in mine.values()}}
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
            STEPS[type(planned.step)].do(at, planned.step)
    names = [_name(planned.step) for planned in plan.steps]
    left_out = [name for name, planned in zip(names, plan.steps, strict=True) if planned.left_out]
    audit.record(
        session, actor, action=_RUN, object_type="macro", object_id=code, customer_id=customer_id,
        after={"macro": code, "name": dict(plan.names), "steps": [name for name in names if name not in left_out], "left_out": left_out},
    )  # fmt: skip
    return plan


def _plan(session: Session, actor: Actor, customer_id: int, code: str, language: str, slot_id: int | None) -> tuple[Run, Plan]:
    macro: Macro | None = macro_book.book().get(code)
    if macro is None:
        raise NotFound
    for right in _rights(macro):
        actor.require(right, customer_id)
    facts = CONDITIONS[macro.when](session, actor, customer_id)
    if facts is None:
        raise NotOffered
    at = Run(session, actor, customer_id, language, dict(facts), slot_id)
    steps = tuple(STEPS[type(step)].plan(at, step) for step in macro.steps)
    shown = _newest_run(session, customer_id, code), [(one.told, one.left_out, one.subject, one.text) for one in steps]
    seal = hashlib.sha256(repr(shown).encode()).hexdigest()[:32]
    return at, Plan(code, macro.names, steps, at.slots, at.slot_id, seal)


def _newest_run(session: Session, customer_id: int, code: str) -> int | None:
    """Find when a macro last ran on a file, as its entry in the trail: what was shown before that is over, so that nothing is done twice."""
    e = AuditEntry
    mine = (col(e.customer_id) == customer_id, col(e.action) == _RUN, col(e.object_type) == "macro", col(e.object_id) == code)
    found: int | None = session.execute(select(func.max(col(e.id))).where(*mine)).scalar_one()
    return found


def _rights(macro: Macro) -> set[Permission]:
    return {RIGHTS[type(step)] for step in macro.steps}


def _name(step: Step) -> str:
    return next(iter(type(step).model_fields))
