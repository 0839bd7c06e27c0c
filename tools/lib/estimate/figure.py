"""A figure with its error bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    """The best guess and the bar around it, `low <= best <= high`, in whatever unit its name says."""

    low: float
    best: float
    high: float

    @classmethod
    def exactly(cls, value: float) -> Range:
        """Return a figure without doubt."""
        return cls(value, value, value)

    def through(self, function: Callable[[float], float]) -> Range:
        """Return what a function that never falls makes of the figure."""
        return Range(function(self.low), function(self.best), function(self.high))

    def plus(self, other: Range) -> Range:
        """Return the sum of two figures, as if both were at the same end of their bars."""
        return Range(self.low + other.low, self.best + other.best, self.high + other.high)

    def as_json(self) -> dict[str, float]:
        return {"low": self.low, "best": self.best, "high": self.high}
