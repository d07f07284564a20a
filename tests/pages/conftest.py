"""Pages run on a database of their own: what a test put in place of the installation's is taken away again."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _own_database() -> Iterator[None]:
    yield
    sys.modules["core.db.engine"]._used.clear()
