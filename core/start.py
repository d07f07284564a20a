"""What happens before the first page: the schema is brought up to date, and a new demo is filled. Also the way back to a demo's first day."""

import fcntl
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, text
from sqlmodel import Session, select

from core import db
from core.actor import Actor, Permission
from core.db.upgrade import upgrade
from core.models.audit import DemoClock
from core.services import macro_book
from core.settings import settings

_LOCK_NO = 4_712_026
"""PostgreSQL's advisory lock of this product."""


def ready() -> None:
    """Bring the database to the newest schema and fill an empty demo; two processes that start together do it once."""
    macro_book.book()  # A mistake in the file stops the start, and names itself.
    engine = db.engine()
    with _alone(engine):
        upgrade(engine)
        if settings().demo and not _filled(engine):
            _fill()


@cache
def once() -> None:
    """Do once per process what must happen before the first page; what failed is tried again."""
    ready()
    gc.collect()
    gc.freeze()  # What was loaded stays as long as the process: each look for circles among it took more of a page than its queries.


def done() -> bool:
    """Whether `once` has done its work."""
    return once.cache_info().currsize > 0


def reset_demo(actor: Actor) -> None:
    """Put a demo back to its first day; whoever is signed in stays signed in."""
    actor.require(Permission.DEMO_MOVE)
    from seed import demo  # noqa: PLC0415 - the seed is loaded where it is needed, not at each start

    with _alone(db.engine()):
        demo.reset()


def live(session: Session, since: datetime, until: datetime) -> None:
    """Let a demo's people live on between two moments: they use their lines, and pay."""
    from seed import life  # noqa: PLC0415 - the seed is loaded where it is needed, not at each start

    life.pass_time(session, since, until)


def _fill() -> None:
    from seed import demo  # noqa: PLC0415 - the seed is loaded where it is needed, not at each start

    demo.fill()


def _filled(engine: Engine) -> bool:
    with Session(engine) as session:
        return session.exec(select(DemoClock.id)).first() is not None


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Hold the installation's lock: a file beside an SQLite database, an advisory lock on PostgreSQL."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"SELECT pg_advisory_lock({_LOCK_NO})"))
            try:
                yield
            finally:
                connection.execute(text(f"SELECT pg_advisory_unlock({_LOCK_NO})"))
        return
    path = Path(f"{engine.url.database}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
