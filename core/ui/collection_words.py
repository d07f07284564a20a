"""The states of direct debits, in words."""

from core.errors import N_
from core.models.collection import BatchState
from core.services import collections
from core.services.collection_facts import Hindrance
from core.services.returns import Outcome
from core.ui.parts import Mark, Tone
from core.ui.text import t

_BATCHES: dict[BatchState, tuple[str, Tone, str]] = {
    BatchState.MADE: (N_("File made"), "watch", "draft"),
    BatchState.SENT: (N_("At the bank"), "info", "send"),
    BatchState.SETTLED: (N_("Collected"), "good", "check_circle"),
}
HINDRANCES = {
    Hindrance.DECEASED: N_("the customer has died: clear the takeover first"),
    Hindrance.DISPUTED: N_("the customer contests the bill: decide on that first"),
    Hindrance.PLAN: N_("the bill is paid in instalments"),
    Hindrance.ENDED: N_("the bank's answer ended the mandate: ask for a transfer"),
    Hindrance.EXPIRED: N_("the mandate was not used for 36 months: ask for a new one"),
    Hindrance.HOLD: N_("collection is on hold: it goes on by itself when the hold ends"),
    Hindrance.NOTICE: N_("the bill came too late before its due date: ask for a transfer"),
    Hindrance.SUSPENDED: N_("the mandate is suspended: ask for a transfer"),
}
"""Why a bill is not collected, and what to do."""
_OUTCOMES: dict[Outcome, tuple[str, Tone, str]] = {
    Outcome.RETURNED: (N_("Bill open again"), "watch", "undo"),
    Outcome.REJECTED: (N_("Not collected"), "watch", "block"),
    Outcome.ALREADY: (N_("Known already"), "neutral", "done_all"),
    Outcome.DISPUTE: (N_("Too late: dispute it"), "bad", "gavel"),
    Outcome.DIFFERS: (N_("Other amount"), "bad", "difference"),
    Outcome.CODE: (N_("Unknown code"), "bad", "question_mark"),
    Outcome.UNKNOWN: (N_("Not ours"), "bad", "help"),
}


def batch_mark(state: BatchState) -> Mark:
    """Return how far a file has come."""
    word, tone, icon = _BATCHES[state]
    return Mark(t(word), tone, icon)


def outcome_mark(outcome: Outcome) -> Mark:
    """Return what a line of the bank's answer does."""
    word, tone, icon = _OUTCOMES[outcome]
    return Mark(t(word), tone, icon)


def reason(code: str) -> str:
    """Write a bank's code with its reason."""
    return f"{code} · {t(collections.RETURN_CODES[code])}" if code in collections.RETURN_CODES else code
