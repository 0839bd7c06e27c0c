"""A rule and its targets, as EventBridge holds them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.emulator.services.events.pattern import Pattern

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}


@dataclass(frozen=True, slots=True)
class Target:
    """A function or queue that gets a rule's events, or a constant input (JSON) instead."""

    arn: str
    constant_input: str | None = None
    dead_letter_arn: str | None = None  # of the queue for events that could not be delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: it has a schedule, a pattern, or both."""

    arn: str
    expression: str | None = None
    pattern: Pattern | None = None
    enabled: bool = True
    targets: tuple[Target, ...] = ()

    @property
    def period(self) -> float:
        """Seconds between two scheduled events.

        Raises:
            ValueError: The expression is not `rate(...)`.
        """
        match = _RATE.fullmatch(self.expression or "")
        if match is None or int(match[1]) == 0:
            raise ValueError(f"rule {self.arn}: the offline world runs rate(...) schedules only, not {self.expression!r}")
        return int(match[1]) * _SECONDS[match[2].removesuffix("s")]
