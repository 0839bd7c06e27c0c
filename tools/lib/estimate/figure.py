"""A figure with its error bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The best estimate and its bar, `low <= best <= high`."""

    low: float
    best: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Range:
        return cls(value, value, value)

    def through(self, function: Callable[[float], float]) -> Range:
        """Apply a monotonically increasing function."""
        return Range(function(self.low), function(self.best), function(self.high))

    def plus(self, other: Range) -> Range:
        """Add another figure, as if both were always at the same end of their bars."""
        return Range(self.low + other.low, self.best + other.best, self.high + other.high)

    def as_json(self) -> dict[str, float]:
        return {"low": self.low, "best": self.best, "high": self.high}
