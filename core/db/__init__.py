"""The database: one engine per process, one transaction per click."""

from core.db.ask import ask, once
from core.db.base import Base, closed
from core.db.engine import RESET_LOCK, OnlyReads, engine, life, look_again, make_engine, part, reading, snapshot, transaction, use

__all__ = [
    "RESET_LOCK",
    "Base",
    "OnlyReads",
    "ask",
    "closed",
    "engine",
    "life",
    "look_again",
    "make_engine",
    "once",
    "part",
    "reading",
    "snapshot",
    "transaction",
    "use",
]
