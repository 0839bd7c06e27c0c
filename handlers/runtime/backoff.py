"""Exponential backoff with jitter."""

from __future__ import annotations

import random


def backoff_seconds(attempt: int, *, base: float, cap: float) -> float:
    """Return the seconds to wait after a failed attempt (0 for the first), which double up to `cap`; half of them are random."""
    return jitter(0.5, 1.0) * min(cap, base * 2.0 ** min(attempt, 30))


def jitter(low: float, high: float) -> float:
    """Return random seconds between two bounds."""
    return random.uniform(low, high)  # noqa: S311 # not for secrets
