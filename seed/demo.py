"""The demo: its first day, its accounts, its sample customers and everybody around them."""

from sqlmodel import Session

from core import db
from core.services import demo, users
from seed.story import stories, tell


def fill() -> None:
    """Fill an empty demo, in one transaction: half a demo is none."""
    with db.transaction() as session:
        _write(session)


def reset() -> None:
    """Empty the demo and fill it again; sign-ins of accounts that come back are kept."""
    raise NotImplementedError


def _write(session: Session) -> None:
    demo.start_clock(session)
    for story in stories():
        tell(session, story)
    users.create_demo_accounts(session)
