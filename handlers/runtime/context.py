"""The part of Lambda's context that the functions use."""

from __future__ import annotations

from typing import Protocol

from handlers.runtime.clock import Clock


class Context(Protocol):
    """The second argument of a handler."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still run."""


def deadline(context: Context, clock: Clock) -> float:
    """Return when Lambda ends the invocation, in epoch seconds."""
    return clock.now() + context.get_remaining_time_in_millis() / 1000
