"""Fills what a bill prints: an issued bill copies all of it, so that it never changes (R13)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, select

from core import clock
from core.catalogue import catalogue, company, law
from core.models.bill import BillCategory, LineKind
from core.models.billing_account import BillingAccount, BillModel, PaymentMethod
from core.models.customer import ContactKind, ContactMedium, Customer, CustomerKind, Language
from core.models.mandate import Mandate
from core.models.product import Product
from core.pdf.bill import PrintedAdvice, PrintedBill, PrintedCredit, PrintedDebit, PrintedLine, PrintedUse, PrintedVat
from core.pdf.values import PrintedMediator, PrintedParty, PrintedSeller
from core.services import cheapest
from core.services.bill_words import CreditReason, label
from core.services.billing import BillDraft, Count, Line
from core.services.periods import Period, next_banking_day
from core.services.usage_numbers import national

DECEMBER = 12


@dataclass(frozen=True)
class Signed:
    """A mandate and the days on which it ran."""

    id: int
    umr: str
    iban: str
    since: date
    until: date | None


@dataclass(frozen=True)
class Item:
    """A product as a bill tells it: its plan's code and the line it serves."""

    code: str
    plan: str
    line: str | None
    since: date


@dataclass(frozen=True)
class Addressee:
    """Whom a bill is for, and how he is billed and pays."""

    customer_id: int
    customer_no: str
    language: str
    business: bool
    party: PrintedParty
    seller: PrintedSeller
    easy_switch_id: str
    order_reference: str | None
    peppol_id: str | None
    legacy: bool
    migrate_on: date | None
    transfer_days: int
    mandates: tuple[Signed, ...]
    items: Mapping[int, Item]

    def mandate_on(self, day: date) -> Signed | None:
        """Return the mandate that ran on a day: bills issued while it runs are collected (W7)."""
        return next((one for one in self.mandates if one.since <= day and (one.until is None or day < one.until)), None)

    def due_date(self, bill_date: date) -> date:
        """Return until when a bill is to be paid."""
        days = law("direct_debit_due_days") if self.mandate_on(bill_date) else self.transfer_days
        return bill_date + timedelta(days=days)


@dataclass(frozen=True)
class Issue:
    """The numbers of a paper that is being issued."""

    number: str
    ogm: str | None
    at: datetime
    token: str
    credited_cents: int = 0
    paid_cents: int = 0


def addressees(session: Session, customer_ids: Collection[int]) -> dict[int, Addressee]:
    """Return whom bills are for; a handful of queries for any number of customers."""
    parties, items, mandates = _parties(session, customer_ids), _items(session, customer_ids), _mandates(session, customer_ids)
    rows = session.exec(
        select(Customer, BillingAccount)
        .join(BillingAccount, col(BillingAccount.customer_id) == Customer.id)
        .where(col(Customer.id).in_(customer_ids))
    )
    found, sellers = {}, {language.value: seller(language.value) for language in Language}
    for customer, account in rows:
        business = customer.kind is CustomerKind.ORGANIZATION
        by_transfer = account.payment_method is PaymentMethod.TRANSFER
        found[customer.id] = Addressee(
            customer_id=customer.id,
            customer_no=customer.customer_no,
            language=customer.language.value,
            business=business,
            party=_named(parties[customer.id], customer.name, customer.enterprise_no if business else None),
            seller=sellers[customer.language.value],
            easy_switch_id=account.easy_switch_id,
            order_reference=account.order_reference,
            peppol_id=account.peppol_id if business else None,
            legacy=account.bill_model is BillModel.LEGACY,
            migrate_on=account.migrate_on,
            transfer_days=account.payment_due_days if by_transfer else law("business_due_days" if business else "transfer_due_days"),
            mandates=tuple(mandates[customer.id]),
            items=items[customer.id],
        )
    return found


def bill(to: Addressee, draft: BillDraft, issue: Issue) -> PrintedBill:
    """Return all that a bill prints."""
    mandate, due = to.mandate_on(draft.bill_date), to.due_date(draft.bill_date)
    yearly = draft.bill_date.month == DECEMBER and any("internet" in catalogue()[item.plan].services for item in to.items.values())
    legacy = draft.bill_date < to.migrate_on if to.migrate_on else to.legacy
    return PrintedBill(
        category=draft.category.value,
        legacy=legacy,
        language=to.language,
        bill_no=issue.number,
        bill_date=draft.bill_date,
        due_date=due,
        period_since=draft.period.since,
        period_until=draft.period.until,
        seller=to.seller,
        customer=to.party,
        customer_no=to.customer_no,
        easy_switch_id=to.easy_switch_id,
        lines=tuple(_line(to, line, draft) for line in draft.lines),
        vat=_vat(draft),
        issued_at=issue.at,
        document_token=issue.token,
        ogm=issue.ogm,
        priced_excl=draft.business,
        order_reference=to.order_reference,
        peppol_id=to.peppol_id,
        uses=tuple(_uses(to, draft.counts)),
        credited_cents=issue.credited_cents,
        paid_cents=issue.paid_cents,
        debit=PrintedDebit(mandate.umr, next_banking_day(due), mandate.iban[-4:]) if mandate else None,
        free_exit_on=_free_exit(to.items.values()),
        advice=_advice(to, draft) if draft.bill_date.month == DECEMBER else None,
        mailbox_months=law("mailbox_after_exit_months") if yearly else None,
    )


def credit_note(
    to: Addressee,
    lines: Sequence[Line],
    day: date,
    issue: Issue,
    *,
    refers_to: str,
    reason: CreditReason,
    span: Period,
    vat: tuple[PrintedVat, ...],
    priced_excl: bool,
    kept_cents: int = 0,
    refund_iban: str | None = None,
) -> PrintedBill:
    """Return all that a credit note prints: positive amounts, the bill it refers to, the reason and its days (R11)."""
    why = label(reason, to.language, span.since, span.until)
    return PrintedBill(
        category=BillCategory.CREDIT_NOTE.value,
        legacy=to.legacy,
        language=to.language,
        bill_no=issue.number,
        bill_date=day,
        due_date=day,
        period_since=span.since,
        period_until=span.until,
        seller=to.seller,
        customer=to.party,
        customer_no=to.customer_no,
        easy_switch_id=to.easy_switch_id,
        lines=tuple(_printed(to, line, label(line.code, to.language, line.since, line.until), line.since, line.until) for line in lines),
        vat=vat,
        issued_at=issue.at,
        document_token=issue.token,
        priced_excl=priced_excl,
        order_reference=to.order_reference,
        peppol_id=to.peppol_id,
        credit=PrintedCredit(refers_to, why, refund_iban[-4:] if refund_iban else None, kept_cents),
    )


def seller(language: str) -> PrintedSeller:
    """Return who writes, in the reader's language."""
    ours = company()
    helps = ours.mediator
    mediator = PrintedMediator(helps["name"][language], helps["address"], national(helps["phone"]), helps["site"])
    return PrintedSeller(
        ours.name, ours.street, ours.postcode, ours.town[language], ours.enterprise_no, ours.iban, ours.bic, ours.creditor_id,  # type: ignore[index]
        national(ours.phone), ours.email, ours.comparison_sites[language], mediator,  # type: ignore[index]
    )  # fmt: skip


def _vat(draft: BillDraft) -> tuple[PrintedVat, ...]:
    """Return the rows of the VAT table: what makes good a damage stands in one of its own, without VAT."""
    taxed = PrintedVat(law("vat_percent"), draft.excl_cents - draft.penalty_cents, draft.vat_cents)
    return (taxed, PrintedVat(0, draft.penalty_cents, 0)) if draft.penalty_cents else (taxed,)


def _line(to: Addressee, line: Line, draft: BillDraft) -> PrintedLine:
    used = line.kind in {LineKind.USAGE, LineKind.THIRD_PARTY} and line.since is None  # Late use names the days it is of.
    since, until = (draft.usage_period.since, draft.usage_period.until) if used else (line.since, line.until)
    return _printed(to, line, label(line.code, to.language, line.since, line.until), since, until)


def _printed(to: Addressee, line: Line, name: str, since: date | None, until: date | None) -> PrintedLine:
    item = to.items.get(line.product_id or 0)
    return PrintedLine(
        kind=line.kind.value,
        service=_service(item, line),
        label=name,
        amount_cents=line.amount_cents,
        detail=item.line if item else line.detail,
        since=since,
        until=until,
        quantity=line.quantity,
        unit=line.unit,
        unit_price_cents=line.unit_price_cents,
        share_days=line.share_days,
        month_days=line.month_days,
    )


def _service(item: Item | None, line: Line) -> str:
    """Return the category of the overview: an option's own, a pack's calls under the fixed line, a plan's single one."""
    if line.code == "RATE_FIX_PEAK":
        return "phone"
    if item is None:
        return "other"
    offering = catalogue().offerings.get(line.code, catalogue()[item.plan])
    if offering.group:
        return offering.group.value
    return offering.services[0].value if len(offering.services) == 1 else "pack"


def _uses(to: Addressee, counts: Iterable[Count]) -> list[PrintedUse]:
    """Count the units of each service (R13): in a pack, data is its internet's and calls are its fixed line's."""
    totals: dict[tuple[str, str], int] = defaultdict(int)
    for count in counts:
        services = catalogue()[to.items[count.product_id].plan].services
        fixed = "phone" if count.unit == "minute" else "internet"
        totals["mobile" if "mobile" in services else fixed, count.unit] += count.quantity
    return [PrintedUse(service, quantity, unit) for (service, unit), quantity in totals.items()]


def _advice(to: Addressee, draft: BillDraft) -> PrintedAdvice:
    """Return the yearly advice (R13) for the lines that are charged."""
    charged = {line.product_id for line in draft.lines if line.kind is LineKind.SUBSCRIPTION}
    code, cents = cheapest.advise({product: item.plan for product, item in to.items.items() if product in charged}, draft)
    return PrintedAdvice(catalogue()[code].name(to.language), cents) if code else PrintedAdvice()


def _free_exit(items: Iterable[Item]) -> date | None:
    """Return the day from which leaving costs nothing: six months after the newest plan began (R20)."""
    starts = [item.since for item in items if item.code == item.plan]
    return clock.add_months(max(starts), law("free_termination_after_months")) if starts else None


def _named(found: PrintedParty, name: str, vat_no: str | None) -> PrintedParty:
    return PrintedParty(name, found.street, found.number, found.box, found.postcode, found.town, found.country, vat_no)


def _parties(session: Session, customer_ids: Collection[int]) -> dict[int, PrintedParty]:
    rows = session.exec(
        select(ContactMedium).where(
            col(ContactMedium.customer_id).in_(customer_ids),
            ContactMedium.kind == ContactKind.ADDRESS,
            col(ContactMedium.until_at).is_(None),
        )
    )
    return {
        row.customer_id: PrintedParty("", row.street or "", row.number, row.box, row.postcode or "", row.town or "", row.country or "BE")
        for row in rows
    }


def _items(session: Session, customer_ids: Collection[int]) -> dict[int, dict[int, Item]]:
    rows = session.exec(select(Product).where(col(Product.customer_id).in_(customer_ids)).order_by(col(Product.id))).all()
    codes = {row.id: (row.offering_code, _shown(row)) for row in rows}
    found: dict[int, dict[int, Item]] = defaultdict(dict)
    for row in rows:
        plan, line = codes[row.parent_id or row.id]
        found[row.customer_id][row.id] = Item(row.offering_code, plan, line, row.since)
    return found


def _shown(row: Product) -> str | None:
    return ", ".join(part for part in (national(row.line) if row.line else None, row.user_name) if part) or None


def _mandates(session: Session, customer_ids: Collection[int]) -> dict[int, list[Signed]]:
    rows = session.exec(
        select(Mandate).where(col(Mandate.customer_id).in_(customer_ids), col(Mandate.signed_on).is_not(None)).order_by(col(Mandate.id))
    )
    found: dict[int, list[Signed]] = defaultdict(list)
    for row in rows:
        if row.signed_on:
            found[row.customer_id].append(Signed(row.id, row.umr, row.iban, row.signed_on, row.cancelled_on))
    return found
