"""How much of a bill can be credited, and with how much VAT (W8, R4): values in, values out.

A bill's own lines are priced as its reader sees them: with VAT for a consumer, without for a business. Third parties' lines are
outside VAT (R5), and so is what makes good a damage. VAT is computed on the whole that was credited so far, the new note included,
and the note takes what earlier notes left of it: the first note is rounded as any document is, and all notes of a bill together
give back its VAT to the cent, in whatever parts it was credited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core import money
from core.errors import N_, DomainError
from core.models.bill import LineKind

NO_VAT = frozenset({LineKind.THIRD_PARTY, LineKind.PENALTY})
"""Lines outside VAT: what third parties charge, and what a reminder cost."""


class CreditTooHigh(DomainError):
    """More would be credited than was charged (W8)."""

    message = N_("Only {left_cents} of this bill can still be credited. Lower the amount.")
    field = "amount"


class LineCreditTooHigh(CreditTooHigh):
    """More would be credited than a line charged (W8)."""

    message = N_("Only {left_cents} of this line can still be credited. Lower its amount.")


@dataclass(frozen=True)
class Charged:
    """What a bill charges, in cents: `own_cents` in its own terms, `third_party_cents` with all that is outside VAT, `lines` by ordinal."""

    business: bool
    vat_percent: int
    own_cents: int
    vat_cents: int
    third_party_cents: int
    lines: Mapping[int, tuple[LineKind, int]]

    @property
    def total_cents(self) -> int:
        """What it asks, VAT included."""
        return self.own_cents + (self.vat_cents if self.business else 0) + self.third_party_cents


@dataclass(frozen=True)
class Credited:
    """What notes gave back of a bill so far, in the same terms (a reminder's cost with the third parties'); what made good a damage is counted apart.

    `later` is what later bills gave back of a line, as its product ended within days that were paid.
    """

    own_cents: int = 0
    vat_cents: int = 0
    third_party_cents: int = 0
    compensated_cents: int = 0
    lines: Mapping[int, int] = field(default_factory=dict)
    later: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Amounts:
    """What a note gives, in cents. `vat_percent` is 0 for what is outside VAT; `penalty_cents` is the part of `excl_cents` that is.

    A note keeps a reminder's cost where its bill does: among our own amounts, in a VAT row of its own.
    """

    excl_cents: int
    vat_cents: int
    third_party_cents: int
    vat_percent: int
    penalty_cents: int = 0

    @property
    def incl_cents(self) -> int:
        """What it gives of our own services, VAT included."""
        return self.excl_cents + self.vat_cents

    @property
    def total_cents(self) -> int:
        """What it gives altogether."""
        return self.incl_cents + self.third_party_cents


def own_left(charged: Charged, given: Credited) -> int:
    """Return how much of the bill's own services can still be credited, in its own terms."""
    return max(0, charged.own_cents - given.own_cents - sum(given.later.values()))


def line_left(charged: Charged, given: Credited, ordinal: int) -> int:
    """Return how much of a line can still be credited; 0 for a line that gives back itself."""
    kind, cents = charged.lines[ordinal]
    left = cents - given.lines.get(ordinal, 0) - given.later.get(ordinal, 0)
    third = charged.third_party_cents - given.third_party_cents
    return max(0, min(left, third if kind in NO_VAT else own_left(charged, given)))


def of_lines(charged: Charged, given: Credited, parts: Mapping[int, int]) -> Amounts:
    """Return what a note on some lines gives. Raises LineCreditTooHigh, and CreditTooHigh where all lines together are too much."""
    for ordinal, cents in parts.items():
        if cents > (left := line_left(charged, given, ordinal)):
            raise LineCreditTooHigh(left_cents=left, field=f"amount:{ordinal}")
    outside = {kind: sum(cents for ordinal, cents in parts.items() if charged.lines[ordinal][0] is kind) for kind in NO_VAT}
    own, penalty = sum(parts.values()) - sum(outside.values()), outside[LineKind.PENALTY]
    found = of_price(charged, given, own, outside[LineKind.THIRD_PARTY])
    return replace(found, excl_cents=found.excl_cents + penalty, penalty_cents=penalty)


def of_price(charged: Charged, given: Credited, own_cents: int, third_party_cents: int = 0) -> Amounts:
    """Return what a note gives that lowers the price: its VAT follows the bill's. Raises CreditTooHigh."""
    if own_cents > (left := own_left(charged, given)):
        raise CreditTooHigh(left_cents=left)
    vat = _vat(charged, given.own_cents + own_cents) - given.vat_cents if own_cents else 0
    excl = own_cents if charged.business else own_cents - vat
    return Amounts(excl, vat, third_party_cents, charged.vat_percent)


def of_damage(charged: Charged, given: Credited, cents: int) -> Amounts:
    """Return what a note gives that makes good a damage, without VAT; all of them never give more than the bill. Raises CreditTooHigh."""
    if cents > (left := charged.total_cents - given.compensated_cents):
        raise CreditTooHigh(left_cents=left)
    return Amounts(cents, 0, 0, 0)


def _vat(charged: Charged, own_cents: int) -> int:
    """Return the VAT of a part of the bill; of the whole, its own."""
    if own_cents == charged.own_cents:
        return charged.vat_cents
    if charged.business:
        return money.vat_on(own_cents, charged.vat_percent)
    return money.split_inclusive(own_cents, charged.vat_percent)[1]
