"""The database: one engine per process, one transaction per click."""

from core.db.base import Base, closed
from core.db.engine import engine, make_engine, reading, transaction, use

__all__ = ["Base", "closed", "engine", "make_engine", "reading", "transaction", "use"]
