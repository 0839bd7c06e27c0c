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

    def times(self, other: Range) -> Range:
        """Multiply by another figure that is not negative, as if both were always at the same end of their bars."""
        return Range(self.low * other.low, self.best * other.best, self.high * other.high)

    def over(self, other: Range) -> Range:
        """Divide by another figure that is positive, as if each were always at the opposite end of its bar to the other."""
        return Range(self.low / other.high, self.best / other.best, self.high / other.low)

    def at_least(self, other: Range) -> Range:
        """Return the greater of two figures at each end of the bar."""
        return Range(max(self.low, other.low), max(self.best, other.best), max(self.high, other.high))

    def as_json(self) -> dict[str, float]:
        return {"low": self.low, "best": self.best, "high": self.high}
