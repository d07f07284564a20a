"""Who acts, and what each role may do. One enum holds every right, as `resource:action`."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import NotFound, NotPermitted


class Permission(StrEnum):
    """Each right there is, in alphabetical order."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    APPOINTMENT_OVERRIDE = "appointment:override"
    APPOINTMENT_READ = "appointment:read"
    APPOINTMENT_WRITE = "appointment:write"
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
    DASHBOARD_READ = "dashboard:read"
    DEMO_MOVE = "demo:move"
    DOCUMENT_READ = "document:read"
    DOCUMENT_REVIEW = "document:review"
    DOCUMENT_WRITE = "document:write"
    DUNNING_WRITE = "dunning:write"
    EINVOICE_SEND = "einvoice:send"
    JOB_RUN = "job:run"
    LIST_EXPORT = "list:export"
    LIST_READ = "list:read"
    MANDATE_WRITE = "mandate:write"
    MESSAGE_READ = "message:read"
    MESSAGE_SEND = "message:send"
    ORDER_APPROVE = "order:approve"
    ORDER_WRITE = "order:write"
    PAYMENT_RECORD = "payment:record"
    PAYMENT_REVERSE = "payment:reverse"
    PLAN_ACCEPT = "plan:accept"
    PLAN_WRITE = "plan:write"
    REFUND_WRITE = "refund:write"
    SECURITY_ANSWER_CHECK = "security:answer_check"
    SECURITY_READ = "security:read"
    SECURITY_RESET_SEND = "security:reset_send"
    SECURITY_WRITE = "security:write"
    SESSION_REVOKE = "session:revoke"
    STATEMENT_IMPORT = "statement:import"
    TASK_WRITE = "task:write"
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
_STAFF = _READS | {P.CUSTOMER_SEARCH, P.DEMO_MOVE, P.LIST_READ}
_AGENT = _STAFF | {
    P.ACCOUNT_WRITE, P.APPOINTMENT_OVERRIDE, P.APPOINTMENT_WRITE, P.CREDIT_WRITE, P.DOCUMENT_REVIEW, P.DOCUMENT_WRITE, P.DUNNING_WRITE,
    P.EINVOICE_SEND, P.MANDATE_WRITE, P.ORDER_WRITE, P.PAYMENT_RECORD, P.PLAN_ACCEPT, P.PLAN_WRITE, P.SECURITY_ANSWER_CHECK,
    P.SECURITY_RESET_SEND, P.SESSION_REVOKE, P.USAGE_EXPORT, P.VIEW_SHARE,
}  # fmt: skip
_LEAD = {P.BULK_RUN, P.DASHBOARD_READ, P.LIST_EXPORT, P.MESSAGE_SEND, P.TASK_WRITE, P.VIEW_SHARE}
_SENIOR = _AGENT | _LEAD | {
    P.CREDIT_APPROVE, P.CUSTOMER_ERASE, P.CUSTOMER_EXPORT, P.ORDER_APPROVE, P.PAYMENT_REVERSE, P.REFUND_WRITE, P.VIEW_LOCK,
}  # fmt: skip
_BILLING = _STAFF | _LEAD | {
    P.BILL_ISSUE, P.COLLECTION_RUN, P.CREDIT_APPROVE, P.CREDIT_WRITE, P.DUNNING_WRITE, P.EINVOICE_SEND, P.JOB_RUN, P.MANDATE_WRITE,
    P.PAYMENT_RECORD, P.PAYMENT_REVERSE, P.PLAN_ACCEPT, P.PLAN_WRITE, P.REFUND_WRITE, P.STATEMENT_IMPORT, P.USAGE_EXPORT,
}  # fmt: skip
_SELF = _READS | {
    P.ACCOUNT_WRITE, P.APPOINTMENT_WRITE, P.DOCUMENT_WRITE, P.MANDATE_WRITE, P.ORDER_WRITE, P.PLAN_ACCEPT, P.SECURITY_WRITE,
    P.SESSION_REVOKE, P.USAGE_EXPORT,
}  # fmt: skip

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


@dataclass(frozen=True)
class Actor:
    """Who does something. A customer's actor is tied to his own file; staff's is not."""

    user_id: int | None
    username: str
    role: Role
    customer_id: int | None = None

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

        Raises NotPermitted without the right, and NotFound for a customer who names somebody else's file: the answer is
        the same as for a file that does not exist (S03).
        """
        if not self.may(permission):
            raise NotPermitted
        if self.role is Role.CUSTOMER and (self.customer_id is None or customer_id != self.customer_id):
            raise NotFound


SYSTEM = Actor(user_id=None, username="system", role=Role.SYSTEM)
