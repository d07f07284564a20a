"""What a run draws from: one moment of the database, one look at the files, one language."""

from collections.abc import Iterator
from contextlib import contextmanager

from core import catalogue, db
from core.ui.text import speaking


@contextmanager
def at_one_moment() -> Iterator[None]:
    """Draw all of a block from the same moment: no two amounts of a page contradict each other, and each thing is looked up once."""
    with db.snapshot(), catalogue.held(), speaking():
        yield
