"""What the lines of bills and credit notes are called, in any language."""

from datetime import date, timedelta
from enum import StrEnum

from core import i18n
from core.catalogue import catalogue
from core.errors import N_
from core.services.billing import PREMIUM


class CreditReason(StrEnum):
    """Why something is credited."""

    AFTER_END = "after_end"
    MISSED_VISIT = "missed_visit"
    OUTAGE = "outage"
    BILLING_ERROR = "billing_error"
    GOODWILL = "goodwill"


FEE_REMINDER = "FEE_REMINDER"
"""The code of lines that charge a reminder (R24)."""

COMPENSATIONS = {CreditReason.MISSED_VISIT, CreditReason.OUTAGE}
"""Reasons that make good a damage: they carry no VAT (W8)."""

_LABELS = {
    "RATE_FIX_PEAK": N_("Peak-hour calls of the fixed line"),
    "RATE_OOB_VOICE": N_("Calls outside the bundle"),
    "RATE_OOB_SMS": N_("Text messages outside the bundle"),
    "RATE_OOB_DATA": N_("Mobile data outside the bundle"),
    "RATE_MMS": N_("Picture messages"),
    "RATE_WORLD_VOICE": N_("Calls outside the EU"),
    "RATE_WORLD_SMS": N_("Text messages outside the EU"),
    "RATE_WORLD_DATA": N_("Mobile data outside the EU"),
    "FEE_TECHNICIAN": N_("Technician's visit"),
    FEE_REMINDER: N_("Reminder of {since}"),
    PREMIUM: N_("Premium services"),
    CreditReason.AFTER_END: N_("Paid in advance, after the end: {since} to {last}"),
    CreditReason.MISSED_VISIT: N_("Compensation: we missed the visit of {since}"),
    CreditReason.OUTAGE: N_("Compensation for the outage of {since}"),
    CreditReason.BILLING_ERROR: N_("Correction of a mistake on the bill"),
    CreditReason.GOODWILL: N_("Goodwill gesture"),
}


def label(code: str, language: str, since: date | None = None, until: date | None = None) -> str:
    """Return what a line is called: a product by its name, a rate, a fee or a reason by its words; `until` is exclusive."""
    if code in _LABELS:
        last = until - timedelta(days=1) if until else since
        return i18n.translate(language, _LABELS[code], since=since, last=last)
    return catalogue()[code].name(language)
