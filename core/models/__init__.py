"""The tables. Importing this package defines all of them, which is what migrations and a fresh database need."""

from core.models import (
    appointment,
    approval,
    audit,
    bill,
    billing_account,
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
    "approval",
    "audit",
    "bill",
    "billing_account",
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
