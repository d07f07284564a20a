"""An e-invoice keeps the schema of UBL, the rules of EN 16931 and those of Peppol, and says what the paper says (R12)."""

import base64
import re
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any

import einvoice
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from peppol.xsd import validate_xsd

from core import money
from core.pdf.bill import PrintedBill, PrintedLine, PrintedVat, render_bill
from core.services.bill_printing import seller
from core.ubl.invoice import endpoint, priced, render_invoice
from tests.pdf import samples as papers
from tests.ubl import samples

NAMES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def parsed(printed: PrintedBill) -> Any:
    return etree.fromstring(render_invoice(printed, samples.PDF))


def said(document: Any, path: str) -> list[str]:
    """Return the texts at a path such as "cac:OrderReference/cbc:ID"."""
    return [found if isinstance(found, str) else found.text for found in document.xpath(path, namespaces=NAMES)]


@pytest.fixture(params=samples.PAPERS.values(), ids=list(samples.PAPERS))
def paper(request: pytest.FixtureRequest) -> PrintedBill:
    made: PrintedBill = request.param()
    return made


@pytest.fixture
def document(paper: PrintedBill) -> Any:
    return parsed(paper)


class TestSchemaAndRules:
    """Judged by two libraries that know nothing of us and need no network."""

    def test_is_ubl_2_1(self, paper: PrintedBill) -> None:
        assert validate_xsd(render_invoice(paper, samples.PDF)) == (True, [])

    def test_keeps_the_rules_of_en_16931(self, paper: PrintedBill) -> None:
        assert einvoice.validate_file(BytesIO(render_invoice(paper, samples.PDF)), profile="en16931").violations == []

    @pytest.mark.parametrize(
        ("written", "instead", "rule"),
        [
            (b">88.00</cbc:PayableAmount>", b">88.01</cbc:PayableAmount>", "BR-CO-16"),
            (b">72.73</cbc:LineExtensionAmount><cbc:Tax", b">72.74</cbc:LineExtensionAmount><cbc:Tax", "BR-CO-10"),
            (b"<cbc:CompanyID>BE0999999130</cbc:CompanyID>", b"<cbc:CompanyID>0999999130</cbc:CompanyID>", "BR-CO-09"),
        ],
    )
    def test_the_judge_sees_what_is_wrong(self, written: bytes, instead: bytes, rule: str) -> None:
        sent = render_invoice(samples.bakery(), samples.PDF)
        assert sent.count(written) == 1
        found = einvoice.validate_file(BytesIO(sent.replace(written, instead)), profile="en16931")
        assert rule in {violation.rule_id for violation in found.violations}


class TestPeppol:
    """One test for each rule of Peppol BIS Billing 3.0 that R12 names, or that a bill of ours could break."""

    def test_r001_and_r007_name_the_process(self, document: Any) -> None:
        assert said(document, "cbc:ProfileID") == ["urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"]

    def test_r002_has_one_note_at_most(self, document: Any) -> None:
        assert len(said(document, "cbc:Note")) <= 1

    def test_r003_has_a_reference_of_the_buyer_or_of_his_order(self, document: Any, paper: PrintedBill) -> None:
        references = said(document, "cbc:BuyerReference | cac:OrderReference/cbc:ID")
        assert references == [paper.order_reference or paper.customer_no]

    def test_r004_names_the_specification(self, document: Any) -> None:
        assert said(document, "cbc:CustomizationID") == [
            "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
        ]  # fmt: skip

    def test_r005_knows_one_currency(self, document: Any) -> None:
        assert said(document, "cbc:TaxCurrencyCode") == []

    def test_r080_r100_and_r101_refers_to_no_object_and_no_project(self, document: Any) -> None:
        assert (
            said(document, "//cbc:DocumentTypeCode | //cac:CreditNoteLine/cac:DocumentReference | //cac:InvoiceLine/cac:DocumentReference")
            == []
        )

    def test_r040_to_r046_no_allowance_stands_beside_the_lines(self, document: Any) -> None:
        assert document.xpath("//cac:AllowanceCharge", namespaces=NAMES) == []

    def test_r008_has_no_empty_element(self, document: Any) -> None:
        assert [node.tag for node in document.iter() if not len(node) and not (node.text or "").strip()] == []

    def test_r010_and_r020_have_both_electronic_addresses(self, document: Any) -> None:
        parties = document.xpath("*/cac:Party/cbc:EndpointID", namespaces=NAMES)
        assert [(node.get("schemeID"), node.text) for node in parties] == [("0208", "0999999130"), ("0208", "0999999031")]

    def test_common_r043_belgian_numbers_have_their_check_digits(self, document: Any) -> None:
        numbers = said(document, "//*[@schemeID='0208']")
        assert len(numbers) == 4
        assert all(re.fullmatch(r"[01]\d{9}", number) and int(number[8:]) == 97 - int(number[:8]) % 97 for number in numbers)

    def test_r051_all_amounts_are_in_the_currency_of_the_document(self, document: Any) -> None:
        assert set(said(document, "//@currencyID")) == {"EUR"} == set(said(document, "cbc:DocumentCurrencyCode"))

    def test_r053_and_r054_have_the_vat_once(self, document: Any) -> None:
        assert len(document.xpath("cac:TaxTotal", namespaces=NAMES)) == 1

    def test_r061_a_direct_debit_names_its_mandate(self) -> None:
        means = "cac:PaymentMeans/"
        found = parsed(samples.debited())
        assert said(found, f"{means}cbc:PaymentMeansCode") == ["59"]
        assert said(found, f"{means}cac:PaymentMandate/cbc:ID") == ["SCA1000004801"]
        assert said(found, f"{means}cac:PayeeFinancialAccount/cbc:ID") == []
        assert said(found, "cac:AccountingSupplierParty//cbc:ID[@schemeID='SEPA']") == ["BE25ZZZ0999999130"]

    def test_r110_and_r111_no_line_lies_outside_the_period(self, document: Any) -> None:
        (begins,), (ends,) = said(document, "cac:InvoicePeriod/cbc:StartDate"), said(document, "cac:InvoicePeriod/cbc:EndDate")
        lines = "*[local-name()='InvoiceLine' or local-name()='CreditNoteLine']/cac:InvoicePeriod/cbc:"
        days = said(document, f"{lines}StartDate | {lines}EndDate")
        assert days
        assert all(begins <= day <= ends for day in days)

    def test_r120_and_r121_quantity_times_price_is_the_amount(self, document: Any) -> None:
        for line in document.xpath("cac:InvoiceLine | cac:CreditNoteLine", namespaces=NAMES):
            (quantity,) = said(line, "cbc:InvoicedQuantity | cbc:CreditedQuantity")
            (price,), bases = said(line, "cac:Price/cbc:PriceAmount"), said(line, "cac:Price/cbc:BaseQuantity")
            exact = Decimal(quantity) * Decimal(price) / Decimal(bases[0] if bases else 1)
            assert said(line, "cbc:LineExtensionAmount") == [str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))]

    def test_r130_a_price_is_for_the_unit_that_is_counted(self, document: Any) -> None:
        for line in document.xpath("cac:InvoiceLine | cac:CreditNoteLine", namespaces=NAMES):
            assert len(set(said(line, ".//@unitCode"))) == 1


class TestAmounts:
    def test_vat_is_charged_once_on_the_total(self) -> None:
        found = parsed(samples.bakery())
        assert said(found, "cac:TaxTotal/cbc:TaxAmount") == ["15.27"]
        assert said(found, "cac:LegalMonetaryTotal/*") == ["72.73", "72.73", "88.00", "88.00"]

    def test_what_third_parties_charge_is_outside_the_base(self) -> None:
        found = parsed(samples.third_parties())
        assert said(found, "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory/cbc:ID") == ["S", "E"]
        assert said(found, "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount") == ["72.73", "6.00"]
        assert said(found, "cac:TaxTotal//cbc:TaxAmount") == ["15.27", "15.27", "0.00"]
        assert said(found, "cac:TaxTotal//cbc:TaxExemptionReason")
        assert said(found, "cac:LegalMonetaryTotal/cbc:PayableAmount") == ["94.00"]

    def test_a_compensation_carries_no_vat(self) -> None:
        found = parsed(samples.compensated())
        assert said(found, "cac:TaxTotal//cac:TaxCategory/cbc:ID | cac:TaxTotal//cac:TaxCategory/cbc:Percent") == ["E", "0"]
        assert said(found, "cac:LegalMonetaryTotal/cbc:PayableAmount") == ["30.00"]

    def test_what_was_credited_before_comes_off(self) -> None:
        found = parsed(samples.prorated())
        assert said(found, "cac:LegalMonetaryTotal/*") == ["72.35", "72.35", "87.54", "10.00", "77.54"]

    def test_a_share_of_a_month_is_counted_in_its_days(self) -> None:
        line = samples.prorated().lines[0]
        assert priced(line) == (13, "DAY", 2314, 30)

    def test_what_is_given_back_has_a_negative_quantity_and_never_a_negative_price(self) -> None:
        assert priced(samples.prorated().lines[1]) == (-12, "DAY", 661, 31)

    def test_where_the_price_of_a_unit_was_rounded_the_amount_is_the_price_of_all(self) -> None:
        assert priced(samples.prorated().lines[2]) == (90, "MIN", 1116, 90)

    @given(st.integers(0, 90_000), st.integers(1, 31), st.integers(28, 31), st.integers(0, 900), st.booleans(), st.integers(-3, 3))
    def test_any_line_makes_its_amount_exactly(self, price: int, days: int, of: int, count: int, shared: bool, off: int) -> None:
        share: dict[str, Any] = {"share_days": min(days, of), "month_days": of} if shared else {}
        exact = money.times(price, min(days, of), of) if shared else price * count
        line = PrintedLine(
            "usage", "mobile", "Appels", exact + off, quantity=1 if shared else count, unit="minute", unit_price_cents=price, **share
        )
        quantity, _unit, cents, base = priced(line)
        assert cents >= 0
        assert base > 0
        assert money.times(cents, quantity, base) == line.amount_cents


class TestCreditNote:
    def test_is_a_381_with_positive_amounts_that_names_its_bill(self) -> None:
        found = parsed(samples.credited())
        assert etree.QName(found).localname == "CreditNote"
        assert said(found, "cbc:CreditNoteTypeCode") == ["381"]
        assert said(found, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID") == ["2611000048"]
        assert said(found, "cac:LegalMonetaryTotal/*") == ["10.58", "10.58", "12.80", "12.80"]
        assert said(found, "cac:CreditNoteLine/cbc:CreditedQuantity") == ["12"]

    def test_says_why_and_how_it_is_settled_and_asks_for_no_payment(self) -> None:
        found = parsed(replace(samples.credited(), demo_prices=False))
        assert said(found, "cbc:Note") == ["Payé d'avance, après la fin"]
        assert said(found, "cac:PaymentTerms/cbc:Note") == ["remboursé sur le compte …0420"]
        assert said(found, "cac:PaymentMeans/cbc:PaymentMeansCode") == []


class TestPayment:
    def test_a_transfer_carries_the_structured_communication(self) -> None:
        found = parsed(samples.bakery())
        assert said(found, "cac:PaymentMeans/cbc:PaymentMeansCode | cac:PaymentMeans/cbc:PaymentID") == ["30", "+++261/1000/04826+++"]
        assert said(found, "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID") == ["BE04539000000131"]
        assert said(found, "cbc:DueDate") == ["2026-12-05"]

    def test_nothing_to_pay_asks_for_no_payment(self) -> None:
        found = parsed(samples.bakery(credited_cents=8800))
        assert said(found, "cac:LegalMonetaryTotal/cbc:PayableAmount") == ["0.00"]
        assert said(found, "cac:PaymentMeans/cbc:PaymentMeansCode") == []
        assert einvoice.validate_file(BytesIO(render_invoice(samples.bakery(credited_cents=8800), samples.PDF)), profile="en16931").valid


class TestPaper:
    def test_the_paper_is_embedded_as_it_was_issued(self) -> None:
        paper = samples.bakery()
        found = etree.fromstring(render_invoice(paper, render_bill(paper)))
        (attached,) = found.xpath("cac:AdditionalDocumentReference/cac:Attachment/cbc:EmbeddedDocumentBinaryObject", namespaces=NAMES)
        assert (attached.get("mimeCode"), attached.get("filename")) == ("application/pdf", "2611000048.pdf")
        assert base64.b64decode(attached.text) == render_bill(paper)

    def test_the_same_bill_gives_the_same_bytes(self, paper: PrintedBill) -> None:
        assert render_invoice(papers.stored(paper), samples.PDF) == render_invoice(paper, samples.PDF)

    def test_is_told_in_the_language_of_the_customer(self) -> None:
        dutch = replace(samples.compensated(), language="nl", seller=seller("nl"))
        assert said(parsed(dutch), "cac:TaxTotal//cbc:TaxExemptionReason") == ["Schadevergoeding: buiten de btw"]

    def test_signs_in_a_name_stay_signs(self) -> None:
        named = replace(samples.bakery().customer, name="Dupont & <Fils>")
        found = parsed(samples.bakery(customer=named))
        assert said(found, "cac:AccountingCustomerParty//cbc:RegistrationName") == ["Dupont & <Fils>"]


class TestEndpoint:
    def test_a_consumer_has_none(self) -> None:
        assert endpoint(papers.bill()) is None

    def test_a_bill_from_before_the_address_was_frozen_goes_to_the_enterprise_number(self) -> None:
        stored = papers.business_bill().to_dict()
        del stored["peppol_id"]
        assert endpoint(PrintedBill.from_dict(stored)) == "0208:0999999031"

    def test_refuses_to_write_a_consumers_bill(self) -> None:
        with pytest.raises(ValueError, match="2611000017"):
            render_invoice(papers.bill(), samples.PDF)

    def test_refuses_a_bill_whose_lines_do_not_tell_their_rate(self) -> None:
        rows = (PrintedVat(21, 7273, 1527), PrintedVat(6, 0, 0))
        with pytest.raises(ValueError, match="2611000048"):
            render_invoice(samples.bakery(vat=rows, bill_date=date(2026, 11, 5)), samples.PDF)
