"""What colleagues looked at in the last days, in real time: an ordinary week, a protected file, and an hour with too many files."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlmodel import Session, col, select

from core import clock
from core.models.audit import AuditEntry
from core.models.customer import Customer
from core.models.user import User
from core.services import access, audit_seals
from core.services.access import Because, Masked, Why
from core.services.customers import OPENED

_DAYS = 5
_HOURS = (9, 10, 11, 14, 15)
_FILES = {"senior": 4, "billing": 3, "viewer": 2}
"""How many files each of them opens in an hour."""
_TOO_MANY = ("viewer", 16, 37)
"""Who opened too many, from which hour on, and how many."""
_SAMPLE = "10000017"


def add(session: Session) -> None:
    """Write the looks."""
    draw = Random(4712)
    ids = list(
        session.exec(select(Customer.id).where(col(Customer.vip).is_(False), col(Customer.colleague).is_(False)).order_by(col(Customer.id)))
    )
    users = dict(session.exec(select(User.username, User.id).where(col(User.username).in_(_FILES))).all())
    today = clock.local(clock.real_now()).date()
    for ago in range(_DAYS, 0, -1):
        for hour in _HOURS:
            at = clock.at(today - timedelta(days=ago), hour, 5)
            for who, files in _FILES.items():
                for place, customer_id in enumerate(draw.sample(ids, files)):
                    _look(session, at + timedelta(minutes=9 * place), who, users[who], customer_id)
    who, hour, files = _TOO_MANY
    for place, customer_id in enumerate(draw.sample(ids, files)):
        _look(session, clock.at(today - timedelta(days=1), hour, 2) + timedelta(minutes=place), who, users[who], customer_id)
    sample, vip = (
        session.exec(select(Customer.id).where(one)).first() for one in (Customer.customer_no == _SAMPLE, col(Customer.vip).is_(True))
    )
    shown = {"field": Masked.BIRTH_DATE, "why": Why.CALLER}
    said = {"why": Why.FOLLOW_UP, "because": Because.PROTECTED}
    for place, (about, action, after, words) in enumerate(
        (
            (sample, OPENED, None, None),
            (sample, access.REVEAL, shown, None),
            (vip, access.REASON, said, "Rappel après la panne du 16/11"),
            (vip, OPENED, None, None),
        )
    ):
        if about is not None:
            at = clock.at(today - timedelta(days=1), 17, place)
            _look(session, at, "senior", users["senior"], about, action, after=after, reason=words)
    session.flush()


def _look(session: Session, at: datetime, actor: str, user_id: int, customer_id: int, action: str = OPENED, **more: Any) -> None:  # noqa: ANN401 - the columns of the table
    entry = AuditEntry(
        at=at, business_at=clock.now(), actor=actor, user_id=user_id, customer_id=customer_id, action=action, object_type="customer",
        object_id=str(customer_id), **more,
    )  # fmt: skip
    audit_seals.note(session, entry)
