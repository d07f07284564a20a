"""The state of a customer and what is left to do for him, as words, icon and colour."""

from core.errors import N_
from core.models.customer import CustomerStatus
from core.services.bulk_actions import TASK_CODES
from core.ui.parts import Mark, Tone
from core.ui.text import t

_STATUSES: dict[CustomerStatus, tuple[str, Tone, str]] = {
    CustomerStatus.PROSPECT: (N_("Prospect"), "neutral", "person_search"),
    CustomerStatus.ACTIVE: (N_("Active"), "good", "check_circle"),
    CustomerStatus.SUSPENDED: (N_("Suspended"), "bad", "block"),
    CustomerStatus.CLOSED: (N_("Closed"), "neutral", "do_not_disturb_on"),
}


TASKS = {
    "modem_not_returned": N_("Modem not returned"),
    "debit_returned": N_("Direct debit refused: call the customer"),
    "debit_duplicate": N_("Collected twice, says the bank: check, and write to the customer"),
    "debit_holder_died": N_("The bank says that the holder has died: check, then start the takeover"),
    "debit_dispute": N_("A collection came back too late: dispute it with the bank"),
    "debit_recall": N_("Collection withdrawn: call it back at the bank"),
    "plan_answer": N_("Call back: is the payment plan accepted?"),
} | TASK_CODES
"""What is left to do, by its code."""


def task_word(code: str, words: str | None) -> str:
    """Return what is left to do: in the words of who wrote it down, or by its code."""
    return words or t(TASKS.get(code, code))


def status_mark(status: CustomerStatus) -> Mark:
    """Return a customer's state."""
    word, tone, icon = _STATUSES[status]
    return Mark(t(word), tone, icon)
