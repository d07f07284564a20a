"""A bill or a credit note as it was issued, and its PDF."""

from dataclasses import dataclass
from datetime import date, datetime

from core.pdf.values import Printed, PrintedParty, PrintedSeller

ONE_OFF, SUBSCRIPTION, OPTION, USAGE, ADJUSTMENT, THIRD_PARTY = "oneOff", "subscription", "option", "usage", "adjustment", "thirdParty"
PENALTY = "penalty"
KINDS = (ONE_OFF, SUBSCRIPTION, OPTION, USAGE, ADJUSTMENT, PENALTY, THIRD_PARTY)
SERVICES = ("pack", "internet", "tv", "phone", "mobile", "other")
CREDIT_NOTE, TRANSITION, LAST = "creditNote", "transition", "last"


@dataclass(frozen=True, slots=True)
class PrintedLine(Printed):
    """One line. `kind` and the units are those of a bill line; `service` is its category in the overview; `label` is in the customer's language.

    Amounts are in cents with VAT for a consumer, without for a business (R4), always with VAT for a third party's service (R5). `until` is
    exclusive. With `share_days` and `month_days` the price is printed as a share of the month (R6).
    """

    kind: str
    service: str
    label: str
    amount_cents: int
    detail: str | None = None
    since: date | None = None
    until: date | None = None
    quantity: int = 1
    unit: str = "piece"
    unit_price_cents: int = 0
    share_days: int | None = None
    month_days: int | None = None


@dataclass(frozen=True, slots=True)
class PrintedUse(Printed):
    """How many units of a service were used in the period, charged or not (R13). `unit` is minute, message, call, megabyte or gigabyte."""

    service: str
    quantity: int
    unit: str


@dataclass(frozen=True, slots=True)
class PrintedVat(Printed):
    """One row of the VAT table; percent 0 holds what is outside VAT, such as a compensation."""

    percent: int
    base_cents: int
    vat_cents: int


@dataclass(frozen=True, slots=True)
class PrintedDebit(Printed):
    """How a bill is collected: `debit_on` is the banking day of the collection, `iban_end` the last four characters of the account."""

    umr: str
    debit_on: date
    iban_end: str


@dataclass(frozen=True, slots=True)
class PrintedCredit(Printed):
    """What a credit note is for (R11).

    Without `refund_iban_end` the amount comes off the bill it refers to, but for `kept_cents`, which the next bill uses.
    """

    refers_to: str
    reason: str
    refund_iban_end: str | None = None
    kept_cents: int = 0


@dataclass(frozen=True, slots=True)
class PrintedAdvice(Printed):
    """The yearly advice on the cheapest plan (R13); no plan means that the customer has it already."""

    plan: str | None = None
    saving_cents: int = 0


@dataclass(frozen=True, slots=True)
class PrintedBill(Printed):
    """All that a bill or a credit note shows. `category` is that of the bill; `period_until` is exclusive; a bill without `debit` is paid by transfer.

    `peppol_id` is where its e-invoice goes, as scheme:number (R12).
    Raises ValueError when the lines don't add up to the VAT table, or a kind or service is unknown: such a bill must not be issued.
    """

    category: str
    legacy: bool
    language: str
    bill_no: str
    bill_date: date
    due_date: date
    period_since: date
    period_until: date
    seller: PrintedSeller
    customer: PrintedParty
    customer_no: str
    easy_switch_id: str
    lines: tuple[PrintedLine, ...]
    vat: tuple[PrintedVat, ...]
    issued_at: datetime
    document_token: str
    ogm: str | None = None
    priced_excl: bool = False
    order_reference: str | None = None
    peppol_id: str | None = None
    uses: tuple[PrintedUse, ...] = ()
    paid_cents: int = 0
    credited_cents: int = 0
    debit: PrintedDebit | None = None
    credit: PrintedCredit | None = None
    free_exit_on: date | None = None
    advice: PrintedAdvice | None = None
    mailbox_months: int | None = None
    demo_prices: bool = True
    qr_with_signs: bool = False

    def __post_init__(self) -> None:
        """Refuse a bill that doesn't add up."""
        if any(line.kind not in KINDS or line.service not in SERVICES for line in self.lines):
            msg = f"{self.bill_no}: a line of an unknown kind or service."
            raise ValueError(msg)
        own = sum(line.amount_cents for line in self.lines if line.kind != THIRD_PARTY)
        if own != (self.excl_cents if self.priced_excl else self.incl_cents):
            msg = f"{self.bill_no}: the lines make {own}, the VAT table {self.excl_cents} + {self.vat_cents}."
            raise ValueError(msg)
        if (self.category == CREDIT_NOTE) != (self.credit is not None):
            msg = f"{self.bill_no}: a credit note, and nothing else, says what it credits."
            raise ValueError(msg)

    @property
    def is_credit_note(self) -> bool:
        """Whether it gives money back."""
        return self.credit is not None

    @property
    def excl_cents(self) -> int:
        """What we charge, without VAT."""
        return sum(row.base_cents for row in self.vat)

    @property
    def vat_cents(self) -> int:
        """The VAT on what we charge."""
        return sum(row.vat_cents for row in self.vat)

    @property
    def incl_cents(self) -> int:
        """What we charge, with VAT."""
        return self.excl_cents + self.vat_cents

    @property
    def penalty_cents(self) -> int:
        """What of it makes good a damage, such as the cost of a reminder: it stands outside VAT (R24)."""
        return sum(line.amount_cents for line in self.lines if line.kind == PENALTY)

    @property
    def third_party_cents(self) -> int:
        """What others charge through us, with their VAT (R5)."""
        return sum(line.amount_cents for line in self.lines if line.kind == THIRD_PARTY)

    @property
    def total_cents(self) -> int:
        """The whole bill."""
        return self.incl_cents + self.third_party_cents

    @property
    def amount_due_cents(self) -> int:
        """What was left to pay when the bill was issued."""
        return self.total_cents - self.paid_cents - self.credited_cents


def render_bill(printed: PrintedBill) -> bytes:
    """Return the PDF of a bill or a credit note (W6, R13). The same value gives the same bytes."""
    from core.pdf.bill_pages import draw  # noqa: PLC0415 - fpdf takes half a second to import: only who prints waits for it.

    return draw(printed)
