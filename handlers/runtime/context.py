"""The part of Lambda's context object that the functions use."""

from __future__ import annotations

from typing import Protocol

from handlers.runtime.clock import Clock


class Context(Protocol):
    """The second parameter of a handler."""

    def get_remaining_time_in_millis(self) -> int:
        """Return for how long the invocation may still run."""


def deadline(context: Context, clock: Clock) -> float:
    """Return when the invocation will be ended, in epoch seconds."""
    return clock.now() + context.get_remaining_time_in_millis() / 1000
