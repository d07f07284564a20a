"""A bill or a credit note as an e-invoice: UBL 2.1 by the rules of Peppol BIS Billing 3.0 and EN 16931 (R12).

It says what the paper says and nothing else: all of it comes from what the bill froze when it was issued.
"""

import base64
from collections.abc import Sequence
from datetime import date, timedelta

from core import i18n, money
from core.errors import N_
from core.pdf.bill import PENALTY, THIRD_PARTY, PrintedBill, PrintedLine
from core.pdf.values import PrintedParty, PrintedSeller
from core.ubl.elements import CURRENCY, Element, amount, document, group, text

CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
SCHEME = "0208"
"""Belgian enterprise numbers, in the code list of electronic addresses and in that of companies."""

_INVOICE, _CREDIT_NOTE = "380", "381"
_TRANSFER, _DIRECT_DEBIT = "30", "59"
_STANDARD, _OUTSIDE = "S", "E"
_UNITS = {"day": "DAY", "month": "MON", "minute": "MIN", "megabyte": "4L", "gigabyte": "E34"}
"""UN/ECE recommendation 20; pieces, messages and calls are counted, "one" by "one"."""
_ONE = "C62"

_THIRD_PARTIES = N_("Services by third parties, passed on with their own VAT: outside our VAT base")
_COMPENSATION = N_("Compensation for damage: outside VAT")
_DEMO = N_("Demo prices: an invented company, no payment is expected.")


def endpoint(printed: PrintedBill) -> str | None:
    """Return where a bill's e-invoice goes, as scheme:number; None for a consumer, or where no number was printed.

    Bills that were issued before the address was frozen have the enterprise number.
    """
    if not printed.priced_excl:
        return None
    number = _enterprise(printed.customer)
    return printed.peppol_id or (f"{SCHEME}:{number}" if number else None)


def render_invoice(printed: PrintedBill, pdf: bytes) -> bytes:
    """Return a business's bill as an e-invoice, its paper embedded. The same values give the same bytes.

    Raises ValueError for a bill without an endpoint, and for one whose own lines are taxed at several rates: lines don't tell theirs.
    """
    to = endpoint(printed)
    if to is None or len(_rates(printed)) > 1:
        msg = f"{printed.bill_no}: not a bill that can be an e-invoice."
        raise ValueError(msg)
    credit = printed.credit
    kind = "CreditNote" if credit else "Invoice"
    return document(
        kind,
        text("CustomizationID", CUSTOMIZATION),
        text("ProfileID", PROFILE),
        text("ID", printed.bill_no),
        text("IssueDate", printed.bill_date),
        None if credit else text("DueDate", printed.due_date),
        text(f"{kind}TypeCode", _CREDIT_NOTE if credit else _INVOICE),
        text("Note", _note(printed)),
        text("DocumentCurrencyCode", CURRENCY),
        None if printed.order_reference else text("BuyerReference", printed.customer_no),
        _period(*_whole_period(printed)),
        group("OrderReference", text("ID", printed.order_reference)),
        group("BillingReference", group("InvoiceDocumentReference", text("ID", credit.refers_to))) if credit else None,
        _paper(printed, pdf),
        group("AccountingSupplierParty", _seller(printed.seller, debited=printed.debit is not None)),
        group("AccountingCustomerParty", _buyer(printed, to)),
        _payment_means(printed),
        group("PaymentTerms", text("Note", _terms(printed))),
        _tax_total(printed),
        _totals(printed),
        *(_line(printed, line, number, kind) for number, line in enumerate(printed.lines, 1)),
    )


def _note(printed: PrintedBill) -> str:
    """Return the one note that Peppol allows: why it is credited, and that a demo's invoice is none."""
    demo = i18n.translate(printed.language, _DEMO) if printed.demo_prices else None
    return " · ".join(part for part in (printed.credit.reason if printed.credit else None, demo) if part)


def _whole_period(printed: PrintedBill) -> tuple[date, date]:
    """Return the period of all that is charged: no line may lie outside of it, and usage lies behind the subscriptions."""
    begins = [line.since for line in printed.lines if line.since]
    ends = [line.until for line in printed.lines if line.until] + [day + timedelta(days=1) for day in begins]
    return min([printed.period_since, *begins]), max([printed.period_until, *ends])


def _period(since: date | None, until: date | None) -> Element | None:
    """Return a period; UBL's last day belongs to it, ours doesn't."""
    last = max(since or date.min, until - timedelta(days=1)) if until else None
    return group("InvoicePeriod", text("StartDate", since), text("EndDate", last))


def _paper(printed: PrintedBill, pdf: bytes) -> Element | None:
    data = base64.b64encode(pdf).decode()
    attached = text("EmbeddedDocumentBinaryObject", data, mimeCode="application/pdf", filename=f"{printed.bill_no}.pdf")
    return group("AdditionalDocumentReference", text("ID", printed.bill_no), group("Attachment", attached))


def _seller(seller: PrintedSeller, *, debited: bool) -> Element | None:
    """Return who charges; the creditor identifier of direct debits stands among the identifiers of the seller."""
    return group(
        "Party",
        text("EndpointID", seller.enterprise_no, schemeID=SCHEME),
        group("PartyIdentification", text("ID", seller.creditor_id, schemeID="SEPA")) if debited else None,
        group("PartyName", text("Name", seller.name)),
        _address(seller.street, None, seller.postcode, seller.town, "BE"),
        _tax_scheme(seller.enterprise_no),
        _legal_entity(seller.name, seller.enterprise_no),
        group("Contact", text("Telephone", seller.phone), text("ElectronicMail", seller.email)),
    )


def _buyer(printed: PrintedBill, to: str) -> Element | None:
    buyer, number = printed.customer, _enterprise(printed.customer)
    scheme, _, address = to.partition(":")
    street = " ".join(part for part in (buyer.street, buyer.number) if part)
    box = i18n.translate(printed.language, "box {box}", box=buyer.box) if buyer.box else None
    return group(
        "Party",
        text("EndpointID", address, schemeID=scheme),
        group("PartyName", text("Name", buyer.name)),
        _address(street, box, buyer.postcode, buyer.town, buyer.country),
        _tax_scheme(number) if number else None,
        _legal_entity(buyer.name, number),
    )


def _enterprise(party: PrintedParty) -> str:
    """Return the ten digits of an enterprise number, which papers also print with its country."""
    return (party.vat_no or "").removeprefix("BE")


def _address(street: str, box: str | None, postcode: str, town: str, country: str) -> Element | None:
    return group(
        "PostalAddress",
        text("StreetName", street),
        text("AdditionalStreetName", box),
        text("CityName", town),
        text("PostalZone", postcode),
        group("Country", text("IdentificationCode", country)),
    )


def _tax_scheme(number: str) -> Element | None:
    return group("PartyTaxScheme", text("CompanyID", f"BE{number}"), group("TaxScheme", text("ID", "VAT")))


def _legal_entity(name: str, number: str) -> Element | None:
    return group("PartyLegalEntity", text("RegistrationName", name), text("CompanyID", number, schemeID=SCHEME))


def _payment_means(printed: PrintedBill) -> Element | None:
    """Return how it is paid, one way only: by transfer, or collected under a mandate. What asks for nothing has none."""
    if printed.credit or printed.amount_due_cents <= 0:
        return None
    ogm = text("PaymentID", printed.ogm)
    if printed.debit:
        return group("PaymentMeans", text("PaymentMeansCode", _DIRECT_DEBIT), ogm, group("PaymentMandate", text("ID", printed.debit.umr)))
    seller = printed.seller
    account = group(
        "PayeeFinancialAccount",
        text("ID", seller.iban),
        text("Name", seller.name),
        group("FinancialInstitutionBranch", text("ID", seller.bic)),
    )
    return group("PaymentMeans", text("PaymentMeansCode", _TRANSFER), ogm, account)


def _terms(printed: PrintedBill) -> str:
    """Return how it is settled, in the words of the paper."""
    credit, language = printed.credit, printed.language
    if credit and credit.refund_iban_end:
        return i18n.translate(language, "refunded to account …{end}", end=credit.refund_iban_end)
    if credit:
        return i18n.translate(language, "taken off bill {bill_no}", bill_no=credit.refers_to)
    if printed.amount_due_cents <= 0:
        return i18n.translate(language, "nothing to pay")
    if printed.debit:
        return i18n.translate(language, "will be debited on {debit_on}", debit_on=printed.debit.debit_on)
    return i18n.translate(language, "to be paid by {due_date}", due_date=printed.due_date)


def _rates(printed: PrintedBill) -> set[int]:
    """Return the rates that our own lines are taxed at: none for a note that gives back what is outside VAT alone."""
    return {one.percent for one in printed.vat if one.percent}


def _category(printed: PrintedBill, line: PrintedLine) -> tuple[str, int]:
    """Return the VAT category of a line and its rate: third parties' services are outside our VAT (R5), compensations outside all (W8)."""
    percent = 0 if line.kind in {PENALTY, THIRD_PARTY} else max(_rates(printed), default=0)
    return (_STANDARD if percent else _OUTSIDE), percent


def _tax_category(name: str, category: tuple[str, int], why: str | None = None) -> Element | None:
    code, percent = category
    scheme = group("TaxScheme", text("ID", "VAT"))
    return group(name, text("ID", code), text("Percent", percent), text("TaxExemptionReason", why), scheme)


def _tax_total(printed: PrintedBill) -> Element | None:
    """Return the VAT, once on the document's total (R4), with what is outside of it and why."""
    sums: dict[tuple[str, int], int] = {}
    for line in printed.lines:
        category = _category(printed, line)
        sums[category] = sums.get(category, 0) + line.amount_cents
    subtotals = [
        group(
            "TaxSubtotal",
            amount("TaxableAmount", base),
            amount("TaxAmount", printed.vat_cents if category[1] else 0),
            _tax_category("TaxCategory", category, None if category[1] else _why_outside(printed)),
        )
        for category, base in sums.items()
    ]
    return group("TaxTotal", amount("TaxAmount", printed.vat_cents), *subtotals)


def _why_outside(printed: PrintedBill) -> str:
    reasons: Sequence[str] = [
        *([_THIRD_PARTIES] if printed.third_party_cents else []),
        *([_COMPENSATION] if printed.excl_cents and not _rates(printed) else []),
    ]
    return " · ".join(i18n.translate(printed.language, reason) for reason in reasons)


def _totals(printed: PrintedBill) -> Element | None:
    """Return the sums; what was paid or credited before the issue is EN 16931's paid amount."""
    net, settled = printed.excl_cents + printed.third_party_cents, printed.paid_cents + printed.credited_cents
    return group(
        "LegalMonetaryTotal",
        amount("LineExtensionAmount", net),
        amount("TaxExclusiveAmount", net),
        amount("TaxInclusiveAmount", printed.total_cents),
        amount("PrepaidAmount", settled) if settled else None,
        amount("PayableAmount", printed.amount_due_cents),
    )


def _line(printed: PrintedBill, line: PrintedLine, number: int, kind: str) -> Element | None:
    quantity, unit, price_cents, base = priced(line)
    counted = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    return group(
        f"{kind}Line",
        text("ID", number),
        text(counted, quantity, unitCode=unit),
        amount("LineExtensionAmount", line.amount_cents),
        _period(line.since, line.until),
        group(
            "Item",
            text("Description", line.detail),
            text("Name", line.label),
            _tax_category("ClassifiedTaxCategory", _category(printed, line)),
        ),
        group("Price", amount("PriceAmount", price_cents), text("BaseQuantity", base, unitCode=unit) if base != 1 else None),
    )


def priced(line: PrintedLine) -> tuple[int, str, int, int]:
    """Return a line as (quantity, unit, price in cents, for how many units), such that quantity x price / units makes its amount.

    A share of a month is counted in days, at the month's price for the days of that month (R6). Where the price of a unit was
    rounded, so that it no longer makes the amount, the amount is the price of all units. A negative amount has a negative quantity:
    prices never are (BR-27).
    """
    cents, sign = abs(line.amount_cents), -1 if line.amount_cents < 0 else 1
    if line.share_days and line.month_days and money.times(line.unit_price_cents, line.share_days, line.month_days) == cents:
        return sign * line.share_days, _UNITS["day"], line.unit_price_cents, line.month_days
    unit, count = _UNITS.get(line.unit, _ONE), max(line.quantity, 1)
    if count * line.unit_price_cents == cents:
        return sign * count, unit, line.unit_price_cents, 1
    return sign * count, unit, cents, count
