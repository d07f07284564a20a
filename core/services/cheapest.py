"""Whether another plan of the same services would have been cheaper for what was used: the yearly advice on the bill (R13). Pure."""

from collections.abc import Iterable, Mapping
from datetime import date

from core.catalogue import Catalogue, Offering, catalogue
from core.models.bill import LineKind
from core.models.usage import UsageKind
from core.services import rating
from core.services.billing import BillDraft, Count, price_cents
from core.services.rating import KB_PER_MB, MINUTE, Running, Use

_SIZES = {UsageKind.DATA: KB_PER_MB, UsageKind.VOICE: MINUTE, UsageKind.SMS: 1, UsageKind.MMS: 1}


def advise(plans: Mapping[int, str], draft: BillDraft, sold: Catalogue | None = None) -> tuple[str | None, int]:
    """Return the plan that would save most on one line, and how many cents a month; (None, 0) where each line has the cheapest.

    `plans` names the plan of each product that is one. A plan that slows down before the use of the period is reached is no advice.
    """
    sold = sold or catalogue()
    best: tuple[str | None, int] = (None, 0)
    for product, code in plans.items():
        counts = [count for count in draft.counts if count.product_id == product]
        paid = sum(line.amount_cents for line in draft.lines if line.product_id == product and line.kind is LineKind.USAGE)
        now = price_cents(code, draft.bill_date, business=draft.business, sold=sold) + paid
        for other in sold.offerings.values():
            if not other.is_plan or set(other.services) != set(sold[code].services):
                continue
            cost = _cost(other, counts, draft, sold)
            if cost is not None and now - cost > best[1]:
                best = (other.code, now - cost)
    return best


def _cost(plan: Offering, counts: Iterable[Count], draft: BillDraft, sold: Catalogue) -> int | None:
    """Return what a month of that use costs with a plan, or None where it would be slowed down."""
    held = rating.bundle(Running(plan.code, date.min), [], draft.usage_period, sold)
    total = price_cents(plan.code, draft.bill_date, business=draft.business, sold=sold)
    for count in counts:
        quantity = count.quantity * _SIZES[count.kind]
        if count.kind is UsageKind.DATA and held.throttled and held.data_kb is not None and quantity > held.data_kb:
            return None
        total += rating.rate(Use(count.kind, quantity), held, sold=sold).charged_cents
    return total
