"""A SEPA Core mandate as the customer agreed to it, and its PDF."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from core.pdf.values import Printed, PrintedParty, PrintedSeller


@dataclass(frozen=True, slots=True)
class PrintedMandate(Printed):
    """All that a mandate shows (R7, R8). Without `signed_on` it has a place for a signature on paper; `amends_iban` is the account it replaces."""

    language: str
    umr: str
    seller: PrintedSeller
    customer: PrintedParty
    customer_no: str
    holder: str
    iban: str
    issued_at: datetime
    document_token: str
    prenotification_days: int
    refund_weeks: int
    signed_on: date | None = None
    signed_by: Literal["code", "paper"] | None = None
    amends_iban: str | None = None


def render_mandate(printed: PrintedMandate) -> bytes:
    """Return the PDF of a mandate. The same value gives the same bytes."""
    from core.pdf.mandate_page import draw  # noqa: PLC0415 - fpdf takes half a second to import: only who prints waits for it.

    return draw(printed)
