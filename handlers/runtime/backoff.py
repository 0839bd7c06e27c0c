"""How long to wait before trying again: longer each time, and never two callers in step."""

from __future__ import annotations

import random


def backoff(attempt: int, *, base: float, cap: float) -> float:
    """Return the seconds to wait after a failed attempt (0 for the first): half fixed, half random, doubling up to `cap`."""
    return jitter(0.5, 1.0) * min(cap, base * 2.0 ** min(attempt, 30))


def jitter(low: float, high: float) -> float:
    """Return seconds anywhere between two bounds."""
    return random.uniform(low, high)  # noqa: S311 # spreads callers over time, keeps no secret
