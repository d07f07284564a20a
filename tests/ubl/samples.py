"""Papers of businesses that are e-invoices too, one for each way in which they differ."""

from dataclasses import replace
from datetime import date
from typing import Any

from core.pdf.bill import PrintedBill, PrintedCredit, PrintedDebit, PrintedVat
from tests.pdf import samples
from tests.pdf.samples import line

PDF = b"%PDF-1.7 the paper of the bill"
_OCTOBER = {"since": date(2026, 10, 1), "until": date(2026, 11, 1)}


def bakery(**changes: Any) -> PrintedBill:
    """P04's bill: 72.73 + 15.27 = 88.00 by transfer, with an order reference."""
    return replace(samples.business_bill(), peppol_id="0208:0999999031", **changes)


def debited() -> PrintedBill:
    """The same, collected under a mandate, and nothing ordered: no reference of the customer's own."""
    return bakery(order_reference=None, debit=PrintedDebit(umr="SCA1000004801", debit_on=date(2026, 12, 7), iban_end="0420"))


def prorated() -> PrintedBill:
    """A plan from 18 November on, another one given back, minutes whose net price was rounded, and a visit; 10.00 were credited before."""
    days = {"since": date(2026, 11, 18), "until": date(2026, 12, 1)}
    back = {"since": date(2026, 10, 20), "until": date(2026, 11, 1)}
    lines = (
        line("subscription", "mobile", "Mobile Chili", 1003, unit="month", unit_price_cents=2314, share_days=13, month_days=30, **days),
        line("adjustment", "mobile", "Mobile Red", -256, unit="month", unit_price_cents=661, share_days=12, month_days=31, **back),
        line("usage", "mobile", "Appels hors forfait", 1116, quantity=90, unit="minute", unit_price_cents=12, **_OCTOBER),
        line("oneOff", "other", "Visite d'un technicien", 5372, unit_price_cents=5372, since=date(2026, 11, 18)),
    )
    box = replace(bakery().customer, box="3")
    return bakery(lines=lines, vat=(PrintedVat(21, 7235, 1519),), credited_cents=1000, customer=box)


def third_parties() -> PrintedBill:
    """P04's bill with 6.00 that others charge: outside the base of our VAT, so still 15.27 (R5)."""
    premium = line("thirdParty", "mobile", "Services premium", 600, quantity=3, unit="message", unit_price_cents=200, **_OCTOBER)
    return bakery(lines=(*bakery().lines, premium))


def credited() -> PrintedBill:
    """A credit note of 12 days of Internet Loco with its VAT, paid back."""
    days = {"since": date(2026, 11, 19), "until": date(2026, 12, 1)}
    given = line(
        "adjustment", "internet", "Payé d'avance, après la fin", 1058, unit="month", unit_price_cents=2645, share_days=12, month_days=30, **days
    )  # fmt: skip
    return bakery(
        category="creditNote", bill_no="2611900041", due_date=date(2026, 11, 19), bill_date=date(2026, 11, 19), lines=(given,),
        period_since=days["since"], period_until=days["until"], vat=(PrintedVat(21, 1058, 222),), ogm=None, uses=(),
        credit=PrintedCredit("2611000048", given.label, refund_iban_end="0420"),
    )  # fmt: skip


def compensated() -> PrintedBill:
    """A credit note of 30.00 for a visit that was missed: a compensation carries no VAT (W8)."""
    given = line("adjustment", "other", "Indemnité : visite manquée", 3000, unit_price_cents=3000, since=date(2026, 11, 12))
    return bakery(
        category="creditNote", bill_no="2611900042", bill_date=date(2026, 11, 13), lines=(given,), vat=(PrintedVat(0, 3000, 0),), ogm=None,
        uses=(), credit=PrintedCredit("2611000048", given.label),
    )  # fmt: skip


def third_parties_credited() -> PrintedBill:
    """A credit note of 2.00 that a third party had charged: nothing of it was taxed by us."""
    given = line("thirdParty", "mobile", "Services premium", 200, unit_price_cents=200, **_OCTOBER)
    return bakery(
        category="creditNote", bill_no="2611900043", bill_date=date(2026, 11, 13), lines=(given,), vat=(), ogm=None, uses=(),
        credit=PrintedCredit("2611000048", "Erreur sur la facture"),
    )  # fmt: skip


PAPERS = {made.__name__: made for made in (bakery, debited, prorated, third_parties, credited, compensated, third_parties_credited)}
