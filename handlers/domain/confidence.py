"""How a confidence is written: never so that it contradicts the verdict."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from functools import lru_cache

# As many as a Decimal of the default precision has beside a percentage.
MOST_DIGITS = 20


def shown(confidence: float, counts_from: float | None = None) -> Decimal:
    """Return a confidence rounded down, to one digit or to as many as the rule has by which it counts.

    Rounded to the nearest, 79.99 would be shown as 80.0 although it does not count under a rule of 80; and with fewer digits than
    the rule, 79.96 would be shown as 79.9 although it counts under a rule of 79.95.
    """
    return Decimal(repr(confidence)).quantize(_step(counts_from or 0), ROUND_FLOOR)


@lru_cache(maxsize=128)
def _step(counts_from: float) -> Decimal:
    """Return the least difference that is shown; a policy has few rules, and a page a hundred thousand confidences."""
    exponent = Decimal(repr(counts_from)).normalize().as_tuple().exponent
    digits = min(max(1, -int(exponent)), MOST_DIGITS)
    return Decimal(1).scaleb(-digits)
