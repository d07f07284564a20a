"""The tables. Importing this package defines all of them, which is what migrations and a fresh database need."""

from core.models import (
    appointment,
    audit,
    bill,
    billing_account,
    collection,
    communication,
    customer,
    document,
    interaction,
    mandate,
    order,
    payment,
    product,
    usage,
    user,
)

__all__ = [
    "appointment",
    "audit",
    "bill",
    "billing_account",
    "collection",
    "communication",
    "customer",
    "document",
    "interaction",
    "mandate",
    "order",
    "payment",
    "product",
    "usage",
    "user",
]
