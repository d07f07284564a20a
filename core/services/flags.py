"""What a file is marked with: a VIP's or a colleague's, which asks for a reason at each opening, and a customer who needs extra care."""

from sqlmodel import Session, select

from core.actor import Actor, Permission
from core.errors import NotFound
from core.models.customer import Customer
from core.services import audit
from core.text_rules import normalise

NAMES = ("vip", "colleague", "vulnerable")
REASON_LENGTH = 200


def read(session: Session, actor: Actor, *, customer_id: int) -> dict[str, bool]:
    """Return the marks of a file by name. Raises NotFound."""
    actor.require(Permission.CUSTOMER_READ, customer_id)
    row = _customer(session, customer_id)
    return {name: getattr(row, name) for name in NAMES}


def change(
    session: Session,
    actor: Actor,
    *,
    customer_id: int,
    shown_version: int,
    vip: bool,
    colleague: bool,
    vulnerable: bool,
    reason: str | None,
) -> None:
    """Change the marks of a file. Raises NotFound, ChangedMeanwhile, and what text_rules raises for the reason."""
    actor.require(Permission.FLAG_WRITE, customer_id)
    row = _customer(session, customer_id)
    audit.check_version(session, row, shown_version, "customer", customer_id)
    wanted = {"vip": vip, "colleague": colleague, "vulnerable": vulnerable}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) is not value}
    said = normalise(reason or "", field="reason", length=REASON_LENGTH) or None
    if not changed:
        return
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    audit.record(
        session, actor, action="customer:flags", object_type="customer", object_id=customer_id, customer_id=customer_id,
        before=before, after=changed, reason=said,
    )  # fmt: skip


def _customer(session: Session, customer_id: int) -> Customer:
    row = session.exec(select(Customer).where(Customer.id == customer_id)).first()
    if row is None:
        raise NotFound
    return row
