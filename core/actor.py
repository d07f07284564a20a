"""Who acts, and what each role may do. One enum holds every right, as `resource:action`."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import N_, DomainError, NotFound, NotPermitted


class Permission(StrEnum):
    """Each right there is, in alphabetical order."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    APPOINTMENT_OVERRIDE = "appointment:override"
    APPOINTMENT_READ = "appointment:read"
    APPOINTMENT_WRITE = "appointment:write"
    AUDIT_READ = "audit:read"
    BILL_ISSUE = "bill:issue"
    BILL_READ = "bill:read"
    BULK_RUN = "bulk:run"
    COLLECTION_RUN = "collection:run"
    CREDIT_APPROVE = "credit:approve"
    CREDIT_WRITE = "credit:write"
    CUSTOMER_ERASE = "customer:erase"
    CUSTOMER_EXPORT = "customer:export"
    CUSTOMER_READ = "customer:read"
    CUSTOMER_SEARCH = "customer:search"
    CUSTOMER_WATCH = "customer:watch"
    DASHBOARD_READ = "dashboard:read"
    DEMO_MOVE = "demo:move"
    DOCUMENT_READ = "document:read"
    DOCUMENT_REVIEW = "document:review"
    DOCUMENT_WRITE = "document:write"
    DUNNING_WRITE = "dunning:write"
    EINVOICE_SEND = "einvoice:send"
    FLAG_WRITE = "flag:write"
    HISTORY_READ = "history:read"
    INTERACTION_WRITE = "interaction:write"
    JOB_RUN = "job:run"
    LIST_EXPORT = "list:export"
    LIST_READ = "list:read"
    MACRO_RUN = "macro:run"
    MANDATE_WRITE = "mandate:write"
    MESSAGE_READ = "message:read"
    MESSAGE_SEND = "message:send"
    NOTE_READ = "note:read"
    NOTE_WRITE = "note:write"
    ORDER_APPROVE = "order:approve"
    ORDER_WRITE = "order:write"
    PAYMENT_RECORD = "payment:record"
    PAYMENT_REVERSE = "payment:reverse"
    PERSONAL_REVEAL = "personal:reveal"
    PLAN_ACCEPT = "plan:accept"
    PLAN_WRITE = "plan:write"
    REFUND_WRITE = "refund:write"
    SECURITY_ANSWER_CHECK = "security:answer_check"
    SECURITY_READ = "security:read"
    SECURITY_RESET_SEND = "security:reset_send"
    SECURITY_WRITE = "security:write"
    SESSION_REVOKE = "session:revoke"
    STATEMENT_IMPORT = "statement:import"
    TASK_READ = "task:read"
    TASK_WRITE = "task:write"
    TIMELINE_READ = "timeline:read"
    USAGE_EXPORT = "usage:export"
    USAGE_READ = "usage:read"
    USAGE_RECORD = "usage:record"
    USER_WRITE = "user:write"
    VIEW_LOCK = "view:lock"
    VIEW_SHARE = "view:share"


class Role(StrEnum):
    """Who somebody is to the house."""

    ADMIN = "admin"
    AGENT = "agent"
    BILLING = "billing"
    CUSTOMER = "customer"
    PRODUCT = "product"
    SENIOR = "senior"
    SYSTEM = "system"
    VIEWER = "viewer"


P = Permission
_READS = {P.ACCOUNT_READ, P.APPOINTMENT_READ, P.BILL_READ, P.CUSTOMER_READ, P.DOCUMENT_READ, P.MESSAGE_READ, P.SECURITY_READ, P.USAGE_READ}
_STAFF = _READS | {P.CUSTOMER_SEARCH, P.DEMO_MOVE, P.LIST_READ, P.NOTE_READ, P.TASK_READ, P.TIMELINE_READ}
_DESK = {P.HISTORY_READ, P.INTERACTION_WRITE, P.MACRO_RUN, P.NOTE_WRITE, P.PERSONAL_REVEAL, P.TASK_WRITE, P.VIEW_SHARE}
_AGENT = _STAFF | _DESK | {
    P.ACCOUNT_WRITE, P.APPOINTMENT_OVERRIDE, P.APPOINTMENT_WRITE, P.CREDIT_WRITE, P.CUSTOMER_WATCH, P.DOCUMENT_REVIEW, P.DOCUMENT_WRITE,
    P.DUNNING_WRITE, P.EINVOICE_SEND, P.MANDATE_WRITE, P.ORDER_WRITE, P.PAYMENT_RECORD, P.PLAN_ACCEPT, P.PLAN_WRITE,
    P.SECURITY_ANSWER_CHECK, P.SECURITY_RESET_SEND, P.SESSION_REVOKE, P.USAGE_EXPORT,
}  # fmt: skip
_LEAD = {P.BULK_RUN, P.DASHBOARD_READ, P.LIST_EXPORT, P.MESSAGE_SEND}
_SENIOR = _AGENT | _LEAD | {
    P.AUDIT_READ, P.CREDIT_APPROVE, P.CUSTOMER_ERASE, P.CUSTOMER_EXPORT, P.FLAG_WRITE, P.ORDER_APPROVE, P.PAYMENT_REVERSE,
    P.REFUND_WRITE, P.VIEW_LOCK,
}  # fmt: skip
_BILLING = _STAFF | _DESK | _LEAD | {
    P.BILL_ISSUE, P.COLLECTION_RUN, P.CREDIT_APPROVE, P.CREDIT_WRITE, P.DUNNING_WRITE, P.EINVOICE_SEND, P.JOB_RUN, P.MANDATE_WRITE,
    P.PAYMENT_RECORD, P.PAYMENT_REVERSE, P.PLAN_ACCEPT, P.PLAN_WRITE, P.REFUND_WRITE, P.STATEMENT_IMPORT, P.USAGE_EXPORT,
}  # fmt: skip
_SELF = _READS | {
    P.ACCOUNT_WRITE, P.APPOINTMENT_WRITE, P.DOCUMENT_WRITE, P.MANDATE_WRITE, P.ORDER_WRITE, P.PLAN_ACCEPT, P.SECURITY_WRITE,
    P.SESSION_REVOKE, P.USAGE_EXPORT,
}  # fmt: skip

LOOKS = frozenset(_READS | {P.USAGE_EXPORT})
"""What a colleague may do who sees a file as its customer does: look, and nothing else (W20)."""

ROLES: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset(_STAFF),
    Role.AGENT: frozenset(_AGENT),
    Role.SENIOR: frozenset(_SENIOR),
    Role.BILLING: frozenset(_BILLING),
    Role.PRODUCT: frozenset(_STAFF),
    Role.ADMIN: frozenset(_SENIOR | {P.JOB_RUN, P.USER_WRITE}),
    Role.CUSTOMER: frozenset(_SELF),
    Role.SYSTEM: frozenset(Permission),
}


class OnlyLooks(DomainError):
    """A colleague who sees a file as its customer does can't act for him."""

    message = N_("You see this file as the customer does: nothing can be changed. Leave his view first.")


@dataclass(frozen=True)
class Actor:
    """Who does something. A customer's actor is tied to his own file; staff's is not.

    A colleague who sees a file as its customer does has a customer's actor under his own name; `watcher_id` is his account.
    """

    user_id: int | None
    username: str
    role: Role
    customer_id: int | None = None
    watcher_id: int | None = None

    @property
    def watching(self) -> bool:
        """Whether this is a colleague who sees a file as its customer does."""
        return self.watcher_id is not None

    @property
    def house(self) -> bool:
        """Whether somebody of the house looks, in whatever view: secrets and masked values stay so."""
        return self.staff or self.watching

    @property
    def staff(self) -> bool:
        """Whether this is somebody of the house."""
        return self.role is not Role.CUSTOMER

    @property
    def channel(self) -> str:
        """How this actor's orders come in (TMF622)."""
        return "agent" if self.staff else "selfcare"

    def may(self, permission: Permission) -> bool:
        """Whether the role holds a right."""
        return permission in ROLES[self.role]

    def require(self, permission: Permission, customer_id: int | None = None) -> None:
        """Let through who holds the right on that customer's file.

        Raises NotPermitted without the right, OnlyLooks for a colleague in a customer's view who would change something, and NotFound for a customer who names somebody else's file: the answer is
        the same as for a file that does not exist (S03).
        """
        if not self.may(permission):
            raise NotPermitted
        if self.watching and permission not in LOOKS:
            raise OnlyLooks
        if self.role is Role.CUSTOMER and (self.customer_id is None or customer_id != self.customer_id):
            raise NotFound


SYSTEM = Actor(user_id=None, username="system", role=Role.SYSTEM)
