"""The macros of the product team, `seed/macros.yaml`: read, checked, and read again when the file changes."""

from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Literal

import yaml
from pydantic import TypeAdapter

from core import catalogue
from core.catalogue import LANGUAGES, Strict, Texts
from core.services import communications

FACTS: dict[str, frozenset[str]] = {
    "visit_missed": frozenset({"visit_day", "appointment_no", "credit_cents", "bill_no"}),
    "debit_refused": frozenset({"bill_no", "amount_cents", "due", "ogm"}),
    "modem_missing": frozenset({"until"}),
    "move_running": frozenset({"move_out", "move_in", "after_move", "address"}),
}
"""What each condition brings."""
_CREDITED = frozenset({"credit_no", "amount_cents"})
"""What a credit brings to the messages behind it."""


class CreditStep(Strict):
    """What the law owes for a missed visit, on the newest bill."""

    credit: Literal["missed_visit"]


class VisitStep(Strict):
    """A new visit."""

    visit: Literal["first_free"]


class MessageStep(Strict):
    """A message to the customer."""

    message: str


class DoneStep(Strict):
    """A task that is done with it."""

    done: str
    words: Texts


class PostponeStep(Strict):
    """A task that goes to the agent, with a new day."""

    postpone: str
    due: str


class TaskStep(Strict):
    """A task that is new."""

    task: Texts
    due: str
    to: Literal["me", "care", "billing", "product"] = "me"


class NoteStep(Strict):
    """A note."""

    note: Texts
    pinned: bool = False


Step = CreditStep | VisitStep | MessageStep | DoneStep | PostponeStep | TaskStep | NoteStep


class Macro(Strict):
    """A named set of steps, and when it is offered."""

    names: Texts
    when: str
    steps: tuple[Step, ...]


_BOOK = TypeAdapter(dict[str, Macro])


def book() -> dict[str, Macro]:
    """Return the macros by code, in the order of the file. Raises ValueError, which names the mistake, when the file is wrong."""
    path = catalogue.FILES / "macros.yaml"
    return _read(path, path.stat().st_mtime_ns, communications.FILE.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _messages_changed: int) -> dict[str, Macro]:
    found = _BOOK.validate_python(yaml.safe_load(path.read_text("utf-8")))
    for code, macro in found.items():
        for problem in _problems(macro):
            msg = f"macros.yaml: {code}: {problem}"
            raise ValueError(msg)
    return found


def _problems(macro: Macro) -> list[str]:
    """Say what is wrong with a macro."""
    if macro.when not in FACTS:
        return [f"{macro.when} is no condition; there are {sorted(FACTS)}"]
    found, known = ([] if macro.steps else ["it has no steps"]), FACTS[macro.when]
    texts = [macro.names, *(text for step in macro.steps for text in _texts(step))]
    found += [f"{text} needs fr, nl, de and en" for text in texts if set(text) != LANGUAGES]
    for text in (one for texts_ in texts for one in texts_.values()):
        if unknown := {name for _, name, _, _ in Formatter().parse(text) if name} - known:
            found.append(f"“{text}” names {sorted(unknown)}, which {macro.when} does not bring")
    credited = False
    for step in macro.steps:
        credited = credited or isinstance(step, CreditStep)
        if isinstance(step, CreditStep | VisitStep) and macro.when != "visit_missed":
            found.append("a credit and a visit are for visit_missed")
        if isinstance(step, TaskStep | PostponeStep) and step.due not in known:
            found.append(f"due: {step.due} is not brought by {macro.when}")
        if isinstance(step, MessageStep):
            template = communications.templates().get(step.message)
            if template is None:
                found.append(f"messages.yaml holds no {step.message}")
            elif missing := template.needs - known - (_CREDITED if credited else frozenset()):
                found.append(f"message {step.message} needs {sorted(missing)}, which {macro.when} does not bring")
    return found


def _texts(step: Step) -> list[Texts]:
    if isinstance(step, DoneStep):
        return [step.words]
    if isinstance(step, TaskStep):
        return [step.task]
    return [step.note] if isinstance(step, NoteStep) else []
