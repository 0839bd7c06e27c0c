"""Time in the offline world: one clock tells all engines the time and calls everything that is due later.

In a demo it follows real time, perhaps faster; in tests it stops until it is advanced.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

Action = Callable[[], None]
log = logging.getLogger(__name__)


class Clock(Protocol):
    """The time in the offline world, and a way to be called later."""

    def now(self) -> float:
        """Return the time in epoch seconds."""

    def call_later(self, seconds: float, action: Action) -> None:
        """Call an action once, after some seconds; it must not raise."""

    def sleep(self, seconds: float) -> None:
        """Wait for some of this clock's seconds."""


class _Agenda:
    """Actions by due time; those due at the same time keep the order in which they were added."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    def put(self, due: float, action: Action) -> None:
        heapq.heappush(self._entries, (due, next(self._order), action))

    @property
    def next_due(self) -> float | None:
        return self._entries[0][0] if self._entries else None

    def pop(self) -> Action:
        return heapq.heappop(self._entries)[2]


class ManualClock:
    """A clock that stops until a test advances it; actions run in the caller's thread, in order of their time."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._agenda = _Agenda()

    def now(self) -> float:
        return self._now

    def call_later(self, seconds: float, action: Action) -> None:
        self._agenda.put(self._now + max(0.0, seconds), action)

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the clock forward, stopping at each action that becomes due on the way, including those that actions add."""
        target = self._now + seconds
        while (due := self._agenda.next_due) is not None and due <= target:
            self._now = max(self._now, due)
            self._agenda.pop()()
        self._now = max(self._now, target)

    def run_until_idle(self, limit_seconds: float = 30 * 86_400) -> None:
        """Advance from action to action until none is left.

        Raises:
            TimeoutError: Actions were still planned after `limit_seconds`.
        """
        end = self._now + limit_seconds
        while (due := self._agenda.next_due) is not None:
            if due > end:
                raise TimeoutError(f"still busy after {limit_seconds} s of manual time")
            self.advance(max(0.0, due - self._now))


class WallClock:
    """Real time, running `speed` times as fast from now on; actions run in a pool of threads, so they may block."""

    def __init__(self, speed: float = 1.0, threads: int = 32, *, not_before: float = 0.0) -> None:
        self.speed = speed
        self.origin_wall = max(time.time(), not_before)
        self._origin = time.monotonic()
        self._agenda = _Agenda()
        self._changed = threading.Condition()
        self._open = True
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="world")
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Return the time in epoch seconds: at first the real one, then ahead of it if `speed` is above 1."""
        return self.origin_wall + (time.monotonic() - self._origin) * self.speed

    def call_later(self, seconds: float, action: Action) -> None:
        with self._changed:
            if self._open:
                self._agenda.put(self.now() + max(0.0, seconds), action)
                self._changed.notify()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.speed)

    def close(self) -> None:
        """Drop what was planned and wait for the actions that are running."""
        with self._changed:
            self._open = False
            self._changed.notify()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._open:
                    return
                due = self._agenda.next_due
                wait = None if due is None else (due - self.now()) / self.speed
                if wait is None or wait > 0:
                    self._changed.wait(wait)
                    continue
                action = self._agenda.pop()
            self._pool.submit(_guarded, action)


def _guarded(action: Action) -> None:
    try:
        action()
    except Exception:  # a fault of an engine must be seen, and must not stop the world's clock
        log.exception("an action of the offline world failed")
