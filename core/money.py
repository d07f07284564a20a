"""Money is integer cents; this is the only file that rounds."""

from fractions import Fraction

VAT_PERCENT = 21


def round_half_up(amount: Fraction) -> int:
    """Round a fraction of cents to whole cents, halves away from zero (R4)."""
    sign = -1 if amount < 0 else 1
    return sign * int(abs(amount) + Fraction(1, 2))


def times(cents: int, numerator: int, denominator: int = 1) -> int:
    """Multiply cents by a ratio: `times(500, 13, 30)` is 217 (R6)."""
    return round_half_up(Fraction(cents * numerator, denominator))


def split_inclusive(incl_cents: int, percent: int = VAT_PERCENT) -> tuple[int, int]:
    """Split an amount that holds VAT into (net, VAT), once per document: 4200 is 3471 + 729 (R4)."""
    net = round_half_up(Fraction(incl_cents * 100, 100 + percent))
    return net, incl_cents - net


def vat_on(excl_cents: int, percent: int = VAT_PERCENT) -> int:
    """VAT in cents on a net total, once per document: 7273 gives 1527 (R4)."""
    return round_half_up(Fraction(excl_cents * percent, 100))


def spread(cents: int, parts: int) -> list[int]:
    """Cut an amount into equal parts that add up to it; the first parts hold the odd cents."""
    base, rest = divmod(cents, parts)
    return [base + (1 if index < rest else 0) for index in range(parts)]
