"""What every table holds about a customer: what he may have told (GDPR art. 15), and what becomes of it when he is forgotten (art. 17).

One line for each table. A table that is not named here fails a test: whoever adds one decides whose data it holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.errors import N_
from core.models.appointment import Appointment, AppointmentMove
from core.models.approval import Approval
from core.models.audit import AuditEntry
from core.models.bill import Bill, BillLine
from core.models.bill_run import BillRunItem
from core.models.billing_account import BillingAccount
from core.models.bulk import BulkRow
from core.models.collection import Collection
from core.models.communication import Communication
from core.models.customer import ContactMedium, Customer, EmailVerification
from core.models.document import Document
from core.models.dunning import BillDispute, DunningClaim, DunningNotice, PaymentDeclaration
from core.models.e_invoice import EInvoice
from core.models.interaction import CallerCheck, Interaction, Task
from core.models.mandate import Mandate
from core.models.note import Note, Tag
from core.models.order import HouseMove, OrderItem, ProductOrder
from core.models.payment import Instalment, Payment, PaymentAllocation, PaymentPlan, PlanBill, Refund
from core.models.pin import PinnedFile
from core.models.price_notice import PriceNotice
from core.models.product import Product, UsageAlert, UsageAlertSent, UsageCap
from core.models.search import SearchEntry
from core.models.usage import UsageDay, UsageEvent
from core.models.user import PasswordReset, SecurityQuestion, SignInTicket, User, UserSession

ERASED = "\u2013"
"""What stands where a name or an address stood."""
NUMBER = "#"
"""The customer's number stands there."""


class Fate(StrEnum):
    """What becomes of a table's rows: they go, they lose what is personal, or the law keeps them as they are."""

    GOES = "goes"
    BLANKED = "blanked"
    STAYS = "stays"


@dataclass(frozen=True)
class Rule:
    """A table. `blanks` are the columns that lose their value, with what stands there then; `law` names how long a kept one is kept.

    `tells` are the columns that go into the customer's own bundle: nothing about other people, no secret, no note of the house.
    `by` is the column that leads to him, where it is not `customer_id`.
    """

    model: Any
    label: str
    fate: Fate
    tells: tuple[str, ...] = ()
    blanks: Mapping[str, Any] = field(default_factory=dict)
    law: str = ""
    by: str = "customer_id"

    @property
    def table(self) -> Any:  # noqa: ANN401 - SQLModel hides the table of a class
        """The table itself."""
        return self.model.__table__


G, B, S = Fate.GOES, Fate.BLANKED, Fate.STAYS
_USE, _SIGN_IN, _ORDERS, _VISITS, _FOLLOW = N_("Usage"), N_("Sign-in"), N_("Orders"), N_("Appointments"), N_("Follow-up of late bills")
_BILLS, _PAYMENTS, _PRODUCTS, _NEWS = N_("Bills"), N_("Payments"), N_("Products"), N_("Messages")
_HOUSE = N_("Notes of the house")

RULES: tuple[Rule, ...] = (
    Rule(UsageAlertSent, _USE, G, ("product_id", "metric", "threshold", "period_since", "sent_at")),
    Rule(UsageAlert, _USE, G, ("product_id", "metric", "threshold", "channel", "set_at")),
    Rule(UsageCap, _USE, G, ("product_id", "cap_cents", "set_at")),
    Rule(UsageEvent, _USE, G, ("product_id", "at", "kind", "direction", "zone", "country", "tariff", "other_party", "quantity", "over_quantity", "charged_cents")),
    Rule(UsageDay, _USE, G, ("product_id", "day", "kind", "tariff", "events", "quantity", "over_quantity", "charged_cents")),
    Rule(SignInTicket, _SIGN_IN, G, by="session_id"),
    Rule(UserSession, _SIGN_IN, G, ("created_at", "last_seen_at", "revoked_at", "device"), by="user_id"),
    Rule(PasswordReset, _SIGN_IN, G, ("sent_at", "used_at"), by="user_id"),
    Rule(User, _SIGN_IN, G, ("username", "name", "language", "created_at", "password_changed_at")),
    Rule(SecurityQuestion, _SIGN_IN, G, ("question", "set_at")),
    Rule(EmailVerification, _SIGN_IN, G, ("email", "sent_at")),
    Rule(HouseMove, N_("House moves"), G, ("move_out", "move_in", "to_street", "to_number", "to_box", "to_postcode", "to_town", "fee_cents")),
    Rule(AppointmentMove, _VISITS, G, ("appointment_id", "from_day", "from_part", "to_day", "to_part", "moved_at")),
    Rule(Appointment, _VISITS, G, ("appointment_no", "category", "state", "day", "part", "place", "contact_phone", "fee_cents", "failed_by", "created_at")),
    Rule(Communication, _NEWS, G, ("template", "channel", "language", "receiver", "subject", "sent_at", "read_at")),
    Rule(Document, N_("Documents"), G, ("document_no", "kind", "name", "mime", "size", "state", "uploaded_at", "reviewed_at", "purge_on")),
    Rule(ContactMedium, N_("Contact data"), G, ("kind", "value", "street", "number", "box", "postcode", "town", "country", "since_at", "until_at", "verified_at")),
    Rule(CallerCheck, N_("Contacts"), G, ("at",)),
    Rule(Interaction, N_("Contacts"), G, ("channel", "reason", "at")),
    Rule(Task, N_("Tasks"), G),
    Rule(Note, _HOUSE, G),
    Rule(Tag, _HOUSE, G),
    Rule(PinnedFile, _HOUSE, G),
    Rule(SearchEntry, _HOUSE, G),
    Rule(Approval, _HOUSE, G),
    Rule(PriceNotice, _NEWS, G, ("offering_code", "since", "sent_on", "before_cents", "after_cents")),
    Rule(OrderItem, _ORDERS, B, ("order_id", "action", "product_id", "offering_code", "price_cents", "effective_on")),
    Rule(ProductOrder, _ORDERS, B, ("id", "order_no", "category", "channel", "state", "effective_on", "created_at", "completed_at"), {"created_by": ERASED}),
    Rule(Product, _PRODUCTS, B, ("id", "product_no", "offering_code", "since", "until", "status", "line"), {"line": None, "user_name": None, "is_minor": False}),
    Rule(
        BillingAccount, N_("Billing account"), B,
        ("bill_model", "cycle_day", "media", "payment_method", "payment_due_days", "order_reference", "peppol_id", "easy_switch_id", "dunning_state"),
        {"order_reference": None, "peppol_id": None, "easy_switch_id": NUMBER},
    ),
    Rule(BillDispute, _FOLLOW, B, ("bill_id", "disputed_cents", "since", "until", "outcome"), {"reason": ERASED}),
    Rule(PaymentDeclaration, _FOLLOW, B, ("year", "day", "until", "proof"), {"proof": ERASED}),
    Rule(DunningClaim, _FOLLOW, B, ("notice_id", "bill_id", "claimed_cents", "missed_no", "fee_cents")),
    Rule(DunningNotice, _FOLLOW, B, ("id", "episode", "step", "day", "channel", "claimed_cents", "free_until")),
    Rule(PlanBill, N_("Payment plans"), B, ("plan_id", "bill_id", "amount_cents")),
    Rule(Instalment, N_("Payment plans"), B, ("plan_id", "ordinal", "due_date", "amount_cents")),
    Rule(PaymentPlan, N_("Payment plans"), B, ("id", "state", "proposed_on", "accepted_on", "ended_on", "total_cents")),
    Rule(BillRunItem, _HOUSE, B, blanks={"problem": NUMBER}),
    Rule(BulkRow, _HOUSE, B),
    Rule(
        Bill, _BILLS, S,
        ("id", "bill_no", "category", "bill_date", "due_date", "period_since", "period_until", "state", "excl_cents", "vat_cents", "incl_cents",
         "third_party_cents", "credited_cents", "remaining_cents", "ogm", "reason"),
        {"comment": None}, law="keep_bills_years",
    ),
    Rule(BillLine, _BILLS, S, ("bill_id", "ordinal", "kind", "code", "since", "until", "quantity", "unit", "unit_price_cents", "amount_cents"), law="keep_bills_years"),
    Rule(EInvoice, _BILLS, S, ("bill_id", "attempt", "receiver", "state", "queued_at", "sent_at"), law="keep_bills_years"),
    Rule(Payment, _PAYMENTS, S, ("id", "received_on", "amount_cents", "method", "state", "communication", "returned_on", "return_code"), law="keep_payments_years"),
    Rule(PaymentAllocation, _PAYMENTS, S, ("payment_id", "bill_id", "amount_cents", "allocated_on", "reversed_on"), law="keep_payments_years"),
    Rule(Refund, _PAYMENTS, S, ("amount_cents", "iban", "state", "requested_on", "completed_on"), law="keep_payments_years"),
    Rule(Collection, _PAYMENTS, S, ("bill_id", "amount_cents", "sequence", "collect_on", "state", "iban", "returned_on", "return_code"), law="keep_payments_years"),
    Rule(
        Mandate, N_("Mandates"), S, ("umr", "state", "holder", "iban", "requested_at", "signed_on", "cancelled_on", "last_used_on"),
        {"pending_iban": None, "pending_holder": None, "code_hash": None}, law="keep_mandate_months",
    ),
    Rule(AuditEntry, N_("Who looked, and what was changed"), S, ("business_at", "action", "object_type", "object_id"), law="audit_months"),
    Rule(
        Customer, N_("Name and customer no."), B,
        ("customer_no", "kind", "given_name", "family_name", "trading_name", "enterprise_no", "birth_date", "language", "status", "status_since",
         "vulnerable", "deceased_on", "withdrawal_until", "mailbox_until", "created_at"),
        {"given_name": None, "family_name": ERASED, "trading_name": ERASED, "enterprise_no": None, "birth_date": None, "second_holder": None,
         "status_reason": None, "vip": False, "colleague": False, "vulnerable": False, "deceased_on": None, "withdrawal_until": None,
         "mailbox_until": None, "search_name": ""},
        by="id",
    ),
)  # fmt: skip
"""In the order in which rows can go: what points to something goes before it."""

OF_NOBODY = frozenset({
    "audit_release", "audit_seal", "bank_statement", "bill_counter", "bill_run", "bulk_run", "collection_batch", "demo_clock", "job_run", "operation", "saved_view", "throttle",
    "time_slot", "usage_hour",
})  # fmt: skip
"""Tables about no customer. A file of collections holds holders and accounts as it travelled to the bank: it is kept like the payments."""

EXCEPTIONS: dict[str, str] = {
    "bill": "keep_bills_years", "bill_line": "keep_bills_years", "e_invoice": "keep_bills_years", "payment": "keep_payments_years",
    "refund": "keep_payments_years", "collection": "keep_payments_years", "collection_batch": "keep_payments_years",
    "bank_statement": "keep_payments_years", "mandate": "keep_mandate_months", "audit_entry": "audit_months",
}  # fmt: skip
"""Where something personal may be left, and by which law."""
