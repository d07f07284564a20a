"""The tables. Importing this package defines all of them, which is what migrations and a fresh database need."""

from core.models import (
    appointment,
    audit,
    bill,
    bill_run,
    billing_account,
    communication,
    customer,
    document,
    interaction,
    mandate,
    order,
    payment,
    price_notice,
    product,
    usage,
    user,
)

__all__ = [
    "appointment",
    "audit",
    "bill",
    "bill_run",
    "billing_account",
    "communication",
    "customer",
    "document",
    "interaction",
    "mandate",
    "order",
    "payment",
    "price_notice",
    "product",
    "usage",
    "user",
]
