"""What a customer used: recorded once, summed per Brussels day, listed, totalled and charted."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.models.product import Product
from core.models.usage import Tariff, UsageDay, UsageKind


@dataclass(frozen=True)
class Sum:
    """What some events add up to; quantities in the unit of their kind (kB, seconds, pieces)."""

    events: int
    quantity: int
    over_quantity: int
    charged_cents: int


def period_sums(session: Session, *, customer_id: int, since: date, until: date) -> dict[tuple[int, UsageKind, Tariff], Sum]:
    """Sum a customer's days from `since` until `until` (exclusive) by product id, kind and tariff, for meters and bills; reads the roll-up only."""
    products = select(Product.id).where(Product.customer_id == customer_id)
    found = session.exec(
        select(UsageDay.product_id, UsageDay.kind, UsageDay.tariff, *_SUMS)
        .where(
            UsageDay.customer_id == customer_id,
            col(UsageDay.product_id).in_(products),  # So that the key is used down to the day.
            UsageDay.day >= since,
            UsageDay.day < until,
        )
        .group_by(col(UsageDay.product_id), col(UsageDay.kind), col(UsageDay.tariff))
    )
    return {(row[0], UsageKind(row[1]), Tariff(row[2])): Sum(int(row[3]), int(row[4]), int(row[5]), int(row[6])) for row in found}


_SUMS = tuple(func.sum(column) for column in (UsageDay.events, UsageDay.quantity, UsageDay.over_quantity, UsageDay.charged_cents))
