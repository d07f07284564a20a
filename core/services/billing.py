"""What a bill holds: subscriptions in advance, shares of what began since the last one, usage of the period behind it.

Pure: values in, values out. The preview of the next bill and the issued bill come from the same function, so they can't disagree.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from core import clock, money
from core.catalogue import Catalogue, catalogue, law
from core.models.bill import BillCategory, LineKind
from core.models.billing_account import BillModel
from core.models.usage import Tariff, UsageKind
from core.services.periods import Period, cycle_of, month_of, prorate
from core.services.rating import KB_PER_MB, MINUTE, RATES
from core.services.usage import Late, Sum

PREMIUM = "PREMIUM"
"""The code of lines that pass on a third party's service."""

_UNITS = {UsageKind.DATA: "megabyte", UsageKind.VOICE: "minute", UsageKind.SMS: "message", UsageKind.MMS: "message"}
_SIZES = {UsageKind.DATA: KB_PER_MB, UsageKind.VOICE: MINUTE, UsageKind.SMS: 1, UsageKind.MMS: 1}

Usage = Mapping[tuple[int, UsageKind, Tariff], Sum]
LateUsage = Mapping[tuple[int, UsageKind, Tariff], Late]


@dataclass(frozen=True)
class Account:
    """How somebody is billed. A business reads prices without VAT (R4)."""

    bill_model: BillModel = BillModel.CURRENT
    cycle_day: int = 1
    migrate_on: date | None = None
    business: bool = False


@dataclass(frozen=True)
class Held:
    """A plan or an option that somebody holds; `detail` tells it from another one of its kind (the user's name, the number)."""

    code: str
    since: date
    until: date | None = None
    product_id: int | None = None
    detail: str | None = None


@dataclass(frozen=True)
class OneOff:
    """A single charge of a day, in cents, VAT included: a technician's visit; a penalty, such as a reminder's fee, lies outside VAT."""

    code: str
    day: date
    cents: int
    detail: str | None = None
    kind: LineKind = LineKind.ONE_OFF


@dataclass(frozen=True)
class Coverage:
    """What the last bill did: all that was held on its date is paid until a day; `paid_until` names products paid until another one.

    What came on the date itself may have come after the bill was made: it is paid only where `paid_until` names it. `left_cents` is
    what of a product's charge was not credited by hand since, `own_left_cents` what of all our own: no more is given back (W8).
    """

    bill_date: date
    until: date
    paid_until: Mapping[int | None, date] = field(default_factory=dict)
    left_cents: Mapping[int | None, int] = field(default_factory=dict)
    own_left_cents: int | None = None

    def knows(self, one: Held) -> bool:
        """Whether the last bill counted on a product."""
        return one.since < self.bill_date or (one.since == self.bill_date and one.product_id in self.paid_until)


@dataclass(frozen=True)
class Line:
    """A line of a bill; the amount in cents, VAT included for consumers, excluded for businesses."""

    kind: LineKind
    code: str
    amount_cents: int
    unit_price_cents: int
    product_id: int | None = None
    detail: str | None = None
    since: date | None = None
    until: date | None = None
    quantity: int = 1
    unit: str = "piece"
    share_days: int | None = None
    month_days: int | None = None


@dataclass(frozen=True)
class Count:
    """How much of a product's service was used, charged or not, in the unit a bill counts in (R13)."""

    product_id: int
    kind: UsageKind
    quantity: int
    unit: str


@dataclass(frozen=True)
class BillDraft:
    """A bill before it has a number."""

    bill_date: date
    category: BillCategory
    period: Period
    usage_period: Period
    lines: tuple[Line, ...]
    excl_cents: int
    vat_cents: int
    incl_cents: int
    third_party_cents: int
    business: bool = False
    counts: tuple[Count, ...] = ()

    @property
    def penalty_cents(self) -> int:
        """What of the net and the gross amount makes good a damage, and has no VAT."""
        return sum(line.amount_cents for line in self.lines if line.kind is LineKind.PENALTY)

    @property
    def amount_due_cents(self) -> int:
        """What the bill asks: the operator's total and the third parties' services (R5)."""
        return self.incl_cents + self.third_party_cents


def preview(
    *,
    account: Account,
    held: Sequence[Held],
    bill_date: date,
    previous: Coverage | None = None,
    usage: Usage | None = None,
    late: LateUsage | None = None,
    one_offs: Sequence[OneOff] = (),
    sold: Catalogue | None = None,
) -> BillDraft:
    """Return the bill of a date.

    `usage` holds the sums of `usage_period(account, bill_date, previous, held)`, `late` those of before that no bill charged, which get
    lines of their own with the days they are of; `one_offs` the charges since the last bill.
    What was held when the last bill was made is paid until the end of that bill's period: where it ended before, the rest is given
    back as an adjustment. What began later is charged from its first day on, by days of its period (R6). One-shots and one-offs
    count in full.
    """
    sold = sold or catalogue()
    period = paid_ahead(account, bill_date)
    lines = [line for one in held for line in _held_lines(one, account, period, bill_date, previous, sold)]
    lines = _all_at_most(lines, previous.own_left_cents if previous else None)
    lines += [_one_off_line(one, business=account.business) for one in one_offs]
    lines += _usage_lines(held, usage or {}, late or {}, sold, business=account.business)
    category = _category(account, bill_date, previous)
    shown = Period(previous.until, period.until) if category is BillCategory.TRANSITION and previous else period
    excl, vat, incl, third = totals(lines, business=account.business)
    behind = usage_period(account, bill_date, previous, held)
    return BillDraft(
        bill_date, category, shown, behind, tuple(lines), excl, vat, incl, third, account.business, _counts(usage or {}, late or {})
    )


def totals(lines: Sequence[Line], *, business: bool) -> tuple[int, int, int, int]:
    """Return (net, VAT, gross, third parties) in cents: VAT once on the total (R4), third parties outside it (R5).

    Penalties are ours, so they are in net and gross; they make good a damage, so there is no VAT on them (R24).
    """
    third = sum(line.amount_cents for line in lines if line.kind is LineKind.THIRD_PARTY)
    penalty = sum(line.amount_cents for line in lines if line.kind is LineKind.PENALTY)
    own = sum(line.amount_cents for line in lines) - third - penalty
    percent = law("vat_percent")
    if business:
        vat = money.vat_on(own, percent)
        return own + penalty, vat, own + penalty + vat, third
    excl, vat = money.split_inclusive(own, percent)
    return excl + penalty, vat, own + penalty, third


def price_cents(code: str, day: date, *, business: bool, sold: Catalogue | None = None) -> int:
    """Return a price as its reader sees it: with VAT for a consumer, without for a business."""
    return _shown((sold or catalogue())[code].price_cents(day), business=business)


def paid_ahead(account: Account, bill_date: date) -> Period:
    """Return the period whose subscriptions a bill charges: the cycle that begins with it (legacy), or its calendar month."""
    return cycle_of(bill_date, account.cycle_day) if _legacy(account, bill_date) else month_of(bill_date)


def counted_period(account: Account, day: date) -> Period:
    """Return the period in which what is used on a day counts off the bundles: the one paid ahead, cut where the model changes."""
    whole = paid_ahead(account, day)
    if account.migrate_on is None:
        return whole
    if day < account.migrate_on:
        return Period(whole.since, min(whole.until, account.migrate_on))
    return Period(max(whole.since, account.migrate_on), whole.until) if account.migrate_on in whole else whole


def usage_period(account: Account, bill_date: date, previous: Coverage | None, held: Sequence[Held] = ()) -> Period:
    """Return the period whose usage a bill charges: from where the last bill left off until the period paid ahead."""
    until = paid_ahead(account, bill_date).since
    if previous:
        return Period(min(paid_ahead(account, previous.bill_date).since, until), until)
    return Period(min([until, *(one.since for one in held)]), until)


def next_bill_date(account: Account, previous: Coverage | None, today: date) -> date:
    """Return the date of the next bill.

    Current model: the bill day of the month. Legacy: the cycle day, unless the customer changes model before that cycle ends:
    then the transition bill of the new model follows instead (P09).
    """
    first = max(today, previous.bill_date + timedelta(days=1)) if previous else today
    if _legacy(account, first):
        cycle = cycle_of(first, account.cycle_day)
        if cycle.since < first:
            cycle = cycle_of(cycle.until, account.cycle_day)
        if account.migrate_on is None or cycle.until <= account.migrate_on:
            return cycle.since
        first = max(first, account.migrate_on)
    found = first.replace(day=law("bill_day"))
    return found if found >= first else clock.add_months(found, 1)


def _legacy(account: Account, day: date) -> bool:
    return account.bill_model is BillModel.LEGACY if account.migrate_on is None else day < account.migrate_on


def _category(account: Account, bill_date: date, previous: Coverage | None) -> BillCategory:
    moved = account.migrate_on is not None and previous is not None and previous.bill_date < account.migrate_on <= bill_date
    return BillCategory.TRANSITION if moved else BillCategory.NORMAL


def _held_lines(one: Held, account: Account, period: Period, bill_date: date, previous: Coverage | None, sold: Catalogue) -> Iterator[Line]:
    known = previous is not None and previous.knows(one)
    offering = sold[one.code]
    if one.since > bill_date or one.until == one.since:
        return
    if offering.one_shot:
        if not known:
            price = price_cents(one.code, one.since, business=account.business, sold=sold)
            yield Line(LineKind.ONE_OFF, one.code, price, price, one.product_id, one.detail, one.since, one.until)
        return
    first, end = one.since, min(one.until or period.until, period.until)
    if known and previous:
        first = previous.paid_until.get(one.product_id, previous.until)
        if previous.bill_date < end < first:
            back = _shares(one, account, LineKind.ADJUSTMENT, end, first, sold)
            yield from _at_most(back, previous.left_cents.get(one.product_id))
    yield from _shares(one, account, LineKind.SUBSCRIPTION if offering.is_plan else LineKind.OPTION, first, end, sold)


def _shares(one: Held, account: Account, kind: LineKind, since: date, until: date, sold: Catalogue) -> Iterator[Line]:
    """Charge the days of [since, until), or give them back as an adjustment."""
    sign = -1 if kind is LineKind.ADJUSTMENT else 1
    for whole, part in _pieces(account, since, until):
        price = price_cents(one.code, whole.since, business=account.business, sold=sold)
        share = prorate(price, part.since, part.until, whole)
        if share.cents:
            days = (None, None) if share.whole else (share.days, share.of_days)
            yield Line(kind, one.code, sign * share.cents, price, one.product_id, one.detail, part.since, part.until, 1, "month", *days)


def _at_most(back: Iterable[Line], left_cents: int | None) -> Iterator[Line]:
    """Give back no more than is left; a line that is cut shows no share of days, as they are not what it gives."""
    for line in back:
        if left_cents is None or -line.amount_cents <= left_cents:
            left_cents = None if left_cents is None else left_cents + line.amount_cents
            yield line
        elif left_cents:
            yield replace(line, amount_cents=-left_cents, share_days=None, month_days=None)
            left_cents = 0


def _all_at_most(lines: Sequence[Line], left_cents: int | None) -> list[Line]:
    """Give back no more of all products together than was not credited in one amount since."""
    found: list[Line] = []
    for line in lines:
        if line.kind is LineKind.ADJUSTMENT and line.amount_cents < 0:
            cut = list(_at_most([line], left_cents))
            found += cut
            left_cents = None if left_cents is None else left_cents + sum(one.amount_cents for one in cut)
        else:
            found.append(line)
    return found


def _pieces(account: Account, since: date, until: date) -> Iterator[tuple[Period, Period]]:
    """Cut [since, until) where periods end and where the model changes: each whole period with the part of it that counts."""
    while since < until:
        whole = paid_ahead(account, since)
        end = min(whole.until, until)
        if _legacy(account, since) and account.migrate_on:
            end = min(end, account.migrate_on)
        yield whole, Period(since, end)
        since = end


def _one_off_line(one: OneOff, *, business: bool) -> Line:
    cents = one.cents if one.kind is LineKind.PENALTY else _shown(one.cents, business=business)
    return Line(one.kind, one.code, cents, cents, None, one.detail, one.day)


def _usage_lines(held: Sequence[Held], usage: Usage, late: LateUsage, sold: Catalogue, *, business: bool) -> Iterator[Line]:
    """Return what was used outside the bundles, then what third parties charge, in the order of the products; late events behind."""
    names = {one.product_id: one.detail for one in held}
    order = {product: index for index, product in enumerate(names)}
    found: list[tuple[tuple[int, UsageKind, Tariff], Sum, Late | None]] = [(key, one, None) for key, one in usage.items()]
    found += [(key, one.sum, one) for key, one in late.items()]
    charged = sorted((one for one in found if one[1].charged_cents), key=lambda one: (order.get(one[0][0], len(order)), one[2] is not None))
    for (product, kind, tariff), total, days in charged:
        code = RATES.get((kind, tariff))
        if code is not None:
            cents = sold.rates[code].cents
            rate, amount = _shown(cents, business=business), _shown(total.charged_cents, business=business)
            quantity = money.times(total.charged_cents, 1, cents)
            line = Line(LineKind.USAGE, code, amount, rate, product, names.get(product), quantity=quantity, unit=_UNITS[kind])
            yield replace(line, since=days.since, until=days.until) if days else line
    for (product, _kind, tariff), total, days in charged:
        if tariff is Tariff.THIRD_PARTY:
            each, rest = divmod(total.charged_cents, total.events)
            count = (total.events, each) if not rest else (1, total.charged_cents)  # Services of different prices: one sum, no average.
            line = Line(LineKind.THIRD_PARTY, PREMIUM, total.charged_cents, count[1], product, names.get(product), quantity=count[0])
            yield replace(line, since=days.since, until=days.until) if days else line


def _counts(usage: Usage, late: LateUsage) -> tuple[Count, ...]:
    """Count what was used by product and kind: started MB and minutes, messages; not what came in, or was free."""
    totals: dict[tuple[int, UsageKind], int] = {}
    for (product, kind, tariff), found in [*usage.items(), *((key, one.sum) for key, one in late.items())]:
        if kind in _UNITS and tariff not in {Tariff.THIRD_PARTY, Tariff.FREE}:
            totals[product, kind] = totals.get((product, kind), 0) + found.quantity
    return tuple(Count(product, kind, -(-total // _SIZES[kind]), _UNITS[kind]) for (product, kind), total in totals.items())


def _shown(incl_cents: int, *, business: bool) -> int:
    return money.split_inclusive(incl_cents, law("vat_percent"))[0] if business else incl_cents
