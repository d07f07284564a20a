"""The database: one engine per process, one transaction per click."""

from core.db.ask import ask, once
from core.db.base import Base, closed
from core.db.engine import OnlyReads, engine, life, make_engine, reading, snapshot, transaction, use

__all__ = ["Base", "OnlyReads", "ask", "closed", "engine", "life", "make_engine", "once", "reading", "snapshot", "transaction", "use"]
