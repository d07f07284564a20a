"""Real time that a test can move, and a count of the work that verifying a password is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from core import clock


class RealTime:
    """Stands at a moment until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 18, 9, 0, 10, tzinfo=UTC)

    def passes(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def real_time(monkeypatch: pytest.MonkeyPatch) -> RealTime:
    """Real time that stands at 18 Nov 2026, 10:00:10 in Brussels."""
    time = RealTime()
    monkeypatch.setattr(clock, "real_now", lambda: time.now)
    return time


def count_verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the stored hash of each verification."""
    verified: list[str] = []
    real = PasswordHasher.verify

    def verify(hasher: PasswordHasher, stored: str, given: Any) -> bool:
        verified.append(stored)
        return real(hasher, stored, given)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    return verified
