"""What a bill says at each place, as plain sentences and rows, and the card that tells how to pay."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from segno.helpers import make_epc_qr

from core import i18n
from core.errors import N_
from core.pdf import words
from core.pdf.bill import LAST, TRANSITION, PrintedAdvice, PrintedBill, PrintedCredit, PrintedLine
from core.pdf.paper import LEFT, MUTE, SOFT, WHITE, Paper

Say = Callable[..., str]
Row = tuple[str, str]

_TITLES = {LAST: N_("Final bill"), TRANSITION: N_("Transition bill")}


def title(bill: PrintedBill) -> str:
    """Return the msgid of what the paper is called."""
    return N_("Credit note") if bill.is_credit_note else _TITLES.get(bill.category, N_("Bill"))


def answer(bill: PrintedBill, t: Say) -> tuple[str, int, str]:
    """Return what the box at the top says: a label, an amount in cents, and when or how."""
    if bill.credit:
        return t("Amount credited"), bill.total_cents, _given_back(bill, bill.credit, t)
    if bill.amount_due_cents <= 0:
        return t("Amount due"), bill.amount_due_cents, t("nothing to pay")
    if bill.debit:
        return t("Amount due"), bill.amount_due_cents, t("will be debited on {debit_on}", debit_on=bill.debit.debit_on)
    return t("Amount due"), bill.amount_due_cents, t("to be paid by {due_date}", due_date=bill.due_date)


def _given_back(bill: PrintedBill, credit: PrintedCredit, t: Say) -> str:
    """Say how a customer gets what is credited."""
    if credit.refund_iban_end:
        return t("refunded to account …{end}", end=credit.refund_iban_end)
    if not credit.kept_cents:
        return t("taken off bill {bill_no}", bill_no=credit.refers_to)
    if credit.kept_cents == bill.total_cents:
        return t("kept for your next bill")
    return t("{kept_cents} of it kept for your next bill", kept_cents=credit.kept_cents)


def facts(bill: PrintedBill, t: Say) -> list[Row]:
    """Return the numbers and dates at the top right."""
    rows = [(t("Customer no."), bill.customer_no)]
    if bill.credit:
        rows += [
            (t("Credit note no."), bill.bill_no),
            (t("Date"), i18n.day(bill.bill_date, bill.language)),
            (t("Refers to bill"), bill.credit.refers_to),
        ]
    else:
        rows += [
            (t("Bill no."), bill.bill_no),
            (t("Bill date"), i18n.day(bill.bill_date, bill.language)),
            (t("Due date"), i18n.day(bill.due_date, bill.language)),
            (t("Period"), words.period(bill.period_since, bill.period_until, bill.language)),
        ]
    rows.append((t("Easy Switch ID"), bill.easy_switch_id))
    if bill.order_reference:
        rows.append((t("Your reference"), bill.order_reference))
    if bill.customer.vat_no:
        rows.append((t("Your VAT number"), f"BE {words.enterprise(bill.customer.vat_no)}"))
    return rows


def calculation(line: PrintedLine, language: str) -> str:
    """Return how an amount came about: "5,00 € × 13/30", "1 240 MB × 0,05 €", or nothing if there is nothing to tell."""  # noqa: RUF002 - a multiplication sign
    price = i18n.money(line.unit_price_cents, language)
    if line.share_days and line.month_days:
        times = f"{line.quantity} × " if line.quantity != 1 else ""  # noqa: RUF001 - a multiplication sign
        return f"{times}{price} × {line.share_days}/{line.month_days}"  # noqa: RUF001
    if line.unit == "piece" and line.quantity == 1:
        return ""
    units = words.amount_of(line.quantity, line.unit, language)
    return f"{units} × {price}" if line.unit_price_cents else units  # noqa: RUF001


def totals(bill: PrintedBill, t: Say) -> list[tuple[str, int, bool]]:
    """Return the rows that lead to the amount due: label, cents, and whether it is the one that counts."""
    rows: list[tuple[str, int, bool]] = []
    if bill.priced_excl:
        rows += [(t("Total excl. VAT"), bill.excl_cents - bill.penalty_cents, False), (t("VAT"), bill.vat_cents, False)]
    elif bill.third_party_cents or bill.penalty_cents:
        rows.append((t("Our services, VAT included"), bill.incl_cents - bill.penalty_cents, False))
    if bill.penalty_cents:
        rows.append((t("Reminder costs, outside VAT"), bill.penalty_cents, False))
    if bill.third_party_cents:
        rows.append((t("Services by third parties"), bill.third_party_cents, False))
    if bill.is_credit_note:
        return [*rows, (t("Amount credited"), bill.total_cents, True)]
    rows.append((t("Total, VAT included"), bill.total_cents, False))
    if bill.paid_cents:
        rows.append((t("Already paid"), -bill.paid_cents, False))
    if bill.credited_cents:
        rows.append((t("Already credited"), -bill.credited_cents, False))
    return [*rows, (t("Amount due"), bill.amount_due_cents, True)]


def vat_rows(bill: PrintedBill, t: Say) -> list[tuple[str, str, str, str]]:
    """Return the VAT table with its head: rate, base, VAT and both together (R4). Third parties' services are not in it (R5)."""
    if not bill.vat:
        return []
    table = [(t("VAT rate"), t("Base"), t("VAT"), t("Total"))]
    for row in bill.vat:
        amounts = (row.base_cents, row.vat_cents, row.base_cents + row.vat_cents)
        base, vat, total = (i18n.money(cents, bill.language) for cents in amounts)
        table.append((f"{row.percent}\N{NO-BREAK SPACE}%" if row.percent else t("Outside VAT"), base, vat, total))
    return table


def paragraphs(bill: PrintedBill, t: Say) -> list[Row]:
    """Return what the law wants said (R13), each with its heading."""
    seller, mediator = bill.seller, bill.seller.mediator
    found: list[Row] = []
    if not bill.is_credit_note:
        found.append((t("Your contract"), _contract(bill, t)))
        compare = t("Compare the prices and plans of all operators on {site}.", site=seller.comparison_site)
        switch = t("To move, give your new operator your Easy Switch ID: {number}.", number=bill.easy_switch_id)
        found.append((t("Compare offers"), f"{compare} {switch}"))
    ask = t("Call {phone} or write to {email}.", phone=seller.phone, email=seller.email)
    appeal = t("Not satisfied with our answer? The mediator helps free of charge: {name}, {address}, {phone}, {site}.",
               name=mediator.name, address=mediator.address, phone=mediator.phone, site=mediator.site)  # fmt: skip
    found.append((t("A question or a complaint?"), f"{ask} {appeal}"))
    if bill.mailbox_months:
        sentence = t("If you leave us, your e-mail address stays yours free of charge for {months} months. Ask for it when you end your contract.",
                     months=bill.mailbox_months)  # fmt: skip
        found.append((t("Your e-mail address"), sentence))
    if bill.advice:
        found.append((t("The cheapest plan for you"), _advice(bill.advice, t)))
    return found


def _contract(bill: PrintedBill, t: Say) -> str:
    free = bill.free_exit_on
    if free is None:
        return t("Contract of indefinite duration, without termination fee.")
    if free <= bill.bill_date:
        return t("Contract of indefinite duration, without termination fee since {free_exit_on}.", free_exit_on=free)
    return t("Contract of indefinite duration, without termination fee from {free_exit_on} on.", free_exit_on=free)


def _advice(advice: PrintedAdvice, t: Say) -> str:
    if advice.plan is None:
        return t("Going by your usage, you already have our cheapest plan.")
    return t("Going by your usage, {plan} would cost you {saving_cents} less a month.", plan=advice.plan, saving_cents=advice.saving_cents)


@dataclass(frozen=True, slots=True)
class Payment:
    """How to pay: a sentence, rows of label and value, and a QR code as rows of modules."""

    heading: str
    sentence: list[str]
    rows: list[Row]
    caption: list[str]
    code: tuple[bytes, ...] = ()


_CARD, _PAD, _TOP, _CODE, _STEP, _ROW = 88.0, 5.0, 10.4, 29.0, 3.9, 8.6


def payment(bill: PrintedBill, t: Say, paper: Paper) -> Payment | None:
    """Return how a bill is paid: one way only, a transfer, a direct debit, or nothing. A credit note is not paid."""
    if bill.is_credit_note:
        return None

    def wrapped(text: str) -> list[str]:
        return paper.wrap(text, 8.4, _CARD - 2 * _PAD)

    if bill.amount_due_cents <= 0:
        return Payment(t("Payment"), wrapped(t("There is nothing to pay for this bill.")), [], [])
    if bill.debit:
        sentence = t("{amount_cents} will be debited on {debit_on} from your account ending in {end}. You have nothing to do.",
                     amount_cents=bill.amount_due_cents, debit_on=bill.debit.debit_on, end=bill.debit.iban_end)  # fmt: skip
        if bill.debit.debit_on != bill.due_date:
            sentence = f"{sentence} {t('The due date, {due_date}, is not a banking day.', due_date=bill.due_date)}"
        rows = [(t("Mandate reference (UMR)"), bill.debit.umr), (t("Creditor identifier"), bill.seller.creditor_id)]
        return Payment(t("Payment by direct debit"), wrapped(sentence), rows, [])
    rows = [
        (t("Beneficiary"), bill.seller.name),
        ("IBAN", words.groups_of_four(bill.seller.iban)),
        *([("BIC", bill.seller.bic)] if bill.seller.bic else []),
        (t("Structured communication"), bill.ogm or ""),
        (t("Amount, by {due_date}", due_date=bill.due_date), i18n.money(bill.amount_due_cents, bill.language)),
    ]
    caption = paper.wrap(t("Scan with your banking app"), 6.8, _CODE)
    return Payment(t("Payment by transfer"), [], rows, caption, epc_code(bill))


def epc_code(bill: PrintedBill) -> tuple[bytes, ...]:
    """Return the modules of the EPC QR code of a transfer, the OGM as its structured reference (R10)."""
    ogm = bill.ogm or ""
    code = make_epc_qr(
        name=bill.seller.name,
        iban=bill.seller.iban,
        bic=bill.seller.bic,
        amount=Decimal(bill.amount_due_cents) / 100,
        reference=ogm if bill.qr_with_signs else "".join(filter(str.isdigit, ogm)),
        encoding="utf-8",
    )
    return tuple(bytes(row) for row in code.matrix)


def height(payment: Payment | None) -> float:
    """Return how high the card is, in millimetres."""
    if payment is None:
        return 0
    text = 1 + len(payment.sentence) * _STEP + len(payment.rows) * _ROW
    beside = _CODE + 1 + 3 * len(payment.caption) if payment.code else 0
    return _TOP + max(text, beside) + _PAD


def draw_payment(paper: Paper, payment: Payment, top: float) -> None:
    """Draw the card at the left edge."""
    paper.area(LEFT, top, _CARD, height(payment), SOFT, radius=2.5)
    left, y = LEFT + _PAD, top + _TOP
    paper.put(left, y - 2.8, payment.heading, 10, bold=True)
    if payment.code:
        paper.area(left, y, _CODE, _CODE, WHITE)
        quiet = _CODE * 4 / (len(payment.code) + 8)
        paper.squares(left + quiet, y + quiet, _CODE - 2 * quiet, payment.code)
        for index, line in enumerate(payment.caption):
            paper.put(left, y + _CODE + 3.4 + index * 3, line, 6.8, colour=MUTE)
        left += _CODE + 5
    y += 2.6
    for line in payment.sentence:
        paper.put(left, y, line, 8.4)
        y += _STEP
    y += 1 if payment.sentence else 0
    for label, value in payment.rows:
        paper.put(left, y, label, 7, colour=MUTE)
        paper.put(left, y + _STEP, value, 9.2, bold=True)
        y += _ROW
