"""What the coded columns of the lists are called."""

from core.errors import N_
from core.models.appointment import AppointmentCategory, AppointmentState, DayPart
from core.models.approval import ApprovalKind, ApprovalState
from core.models.bill import BillCategory, BillState
from core.models.billing_account import BillMedia, DunningState, PaymentMethod
from core.models.collection import CollectionState
from core.models.customer import CustomerKind, CustomerStatus, Language
from core.models.document import DocumentState
from core.models.interaction import InteractionChannel
from core.models.mandate import MandateState
from core.models.order import OrderCategory, OrderState

YES_NO = {"yes": N_("yes"), "no": N_("no")}
STATUSES = {
    CustomerStatus.PROSPECT: N_("Prospect"), CustomerStatus.ACTIVE: N_("Active"), CustomerStatus.SUSPENDED: N_("Suspended"),
    CustomerStatus.CLOSED: N_("Closed"),
}  # fmt: skip
KINDS = {CustomerKind.INDIVIDUAL: N_("Person"), CustomerKind.ORGANIZATION: N_("Organisation")}
LANGUAGES = {Language.FR: "Français", Language.NL: "Nederlands", Language.DE: "Deutsch", Language.EN: "English"}
MEDIA = {BillMedia.PDF: "PDF", BillMedia.PAPER: N_("Paper"), BillMedia.PEPPOL: N_("E-invoice")}
METHODS = {PaymentMethod.TRANSFER: N_("Transfer"), PaymentMethod.DIRECT_DEBIT: N_("Direct debit")}
DUNNING = {
    DunningState.NONE: N_("none"), DunningState.REMINDER1: N_("1st reminder"), DunningState.REMINDER2: N_("2nd reminder"),
    DunningState.FORMAL_NOTICE: N_("Formal notice"), DunningState.RESTRICTED: N_("Restriction"), DunningState.SUSPENDED: N_("Suspension"),
    DunningState.TERMINATED: N_("End of contract"),
}  # fmt: skip
BILL_KINDS = {
    BillCategory.NORMAL: N_("Bill"), BillCategory.LAST: N_("Last bill"), BillCategory.TRANSITION: N_("Bill of transition"),
    BillCategory.CREDIT_NOTE: N_("Credit note"),
}  # fmt: skip
BILL_STATES = {
    BillState.NEW: N_("New"), BillState.SENT: N_("Open"), BillState.PARTIALLY_PAID: N_("Partly paid"), BillState.SETTLED: N_("Settled"),
}  # fmt: skip
ORDER_KINDS = {
    OrderCategory.NEW: N_("New product"), OrderCategory.OPTION: N_("Option"), OrderCategory.DECODER: N_("Decoder"),
    OrderCategory.PLAN: N_("Plan"), OrderCategory.MOVE: N_("House move"), OrderCategory.CANCEL: N_("Cancellation"),
    OrderCategory.UNDO: N_("Undoing"),
}  # fmt: skip
ORDER_STATES = {
    OrderState.ACKNOWLEDGED: N_("Received"), OrderState.HELD: N_("Held"), OrderState.IN_PROGRESS: N_("Under way"),
    OrderState.COMPLETED: N_("Done"), OrderState.REJECTED: N_("Refused"), OrderState.CANCELLED: N_("Cancelled"),
}  # fmt: skip
CHANNELS = {"agent": N_("Colleague"), "selfcare": N_("Customer area")}
VISIT_KINDS = {
    AppointmentCategory.INSTALLATION: N_("Installation"), AppointmentCategory.REPAIR: N_("Repair"), AppointmentCategory.MOVE: N_("House move"),
}  # fmt: skip
VISIT_STATES = {
    AppointmentState.INITIALIZED: N_("Visit asked for"), AppointmentState.CONFIRMED: N_("Visit confirmed"),
    AppointmentState.COMPLETED: N_("Visit done"), AppointmentState.FAILED: N_("Visit did not take place"),
    AppointmentState.CANCELLED: N_("Visit cancelled"),
}  # fmt: skip
PARTS = {DayPart.MORNING: "08 – 12", DayPart.AFTERNOON: "12 – 17"}  # noqa: RUF001 - a dash between hours
APPROVAL_KINDS = {ApprovalKind.CREDIT: N_("Credit"), ApprovalKind.REFUND: N_("Refund to a typed account")}
APPROVAL_STATES = {
    ApprovalState.PENDING: N_("Waits"), ApprovalState.APPROVED: N_("Approved"), ApprovalState.REFUSED: N_("Refused"),
    ApprovalState.WITHDRAWN: N_("Withdrawn"), ApprovalState.EXPIRED: N_("Expired"),
}  # fmt: skip
DEBIT_STATES = {
    CollectionState.PENDING: N_("At the bank"), CollectionState.SETTLED: N_("Collected"), CollectionState.RETURNED: N_("Returned"),
    CollectionState.WITHDRAWN: N_("Withdrawn"),
}  # fmt: skip
PAPER_STATES = {
    DocumentState.PENDING: N_("To check"), DocumentState.ACCEPTED: N_("Accepted"), DocumentState.REJECTED: N_("Rejected"),
    DocumentState.PURGED: N_("Copy erased"),
}  # fmt: skip
MANDATE_STATES = {
    MandateState.DRAFT: N_("Draft"), MandateState.PENDING_SIGNATURE: N_("Waits for its signature"), MandateState.ACTIVE: N_("Active"),
    MandateState.SUSPENDED: N_("Suspended"), MandateState.CANCELLED: N_("Cancelled"), MandateState.EXPIRED: N_("Expired"),
}  # fmt: skip
CONTACT_WAYS = {
    InteractionChannel.PHONE: N_("Phone"), InteractionChannel.EMAIL: N_("E-mail"), InteractionChannel.CHAT: N_("Chat"),
    InteractionChannel.SHOP: N_("Shop"),
}  # fmt: skip
