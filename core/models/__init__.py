"""The tables. Importing this package defines all of them, which is what migrations and a fresh database need."""

from core.models import (
    appointment,
    audit,
    bill,
    billing_account,
    communication,
    customer,
    document,
    dunning,
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
    "communication",
    "customer",
    "document",
    "dunning",
    "interaction",
    "mandate",
    "order",
    "payment",
    "product",
    "usage",
    "user",
]
