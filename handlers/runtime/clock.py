"""Time as a port: so that tests and the offline world can hand in their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> float:
        """Return the time in epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""


class SystemClock:
    """The machine's clock. Looks `time` up at each call: the offline world runs a function's clock faster through it."""

    def now(self) -> float:
        """Return the time in epoch seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait this many seconds."""
        time.sleep(seconds)
