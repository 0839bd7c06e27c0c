"""The tasks of a job: read from the manifest as needed, in another order than the manifest's."""

from __future__ import annotations

import base64
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from tools.emulator.services.s3_batch.invocation import Answer
from tools.emulator.services.s3_batch.manifest import Row

# The next task is drawn from a window of rows: tasks need not run in the manifest's order [S3:batch-ops-job-status].
WINDOW = 1000

# Once this many redrives wait, no new row is read: bounds the memory of a job all of whose tasks fail temporarily.
MOST_WAITING = 10_000

_ID_BYTES = 24


@dataclass(slots=True)
class Task:
    """The work on one row: its invocation, how often it was redriven, and its last answer if that was a temporary failure."""

    id: str
    row: Row
    invocation_id: str = ""
    redrives: int = 0
    last: Answer | None = None


class Tasks:
    """Hands out the tasks of a job; only those that run or wait are in memory."""

    def __init__(self, rows: Iterator[Row], order: random.Random) -> None:
        self._rows: Iterator[Row] | None = rows
        self._order = order
        self._window: list[Row] = []
        self._returned: deque[Task] = deque()
        self._waiting: deque[tuple[float, Task]] = deque()

    def next(self, now: float) -> Task | None:
        """Return the next task: one that was returned, a redrive that is due, or another row; None if none may run now."""
        if self._returned:
            return self._returned.popleft()
        if self._waiting and self._waiting[0][0] <= now:
            return self._waiting.popleft()[1]
        if len(self._waiting) >= MOST_WAITING:
            return None
        row = self._draw()
        return None if row is None else Task(opaque_id(self._order), row)

    def return_task(self, task: Task) -> None:
        """Take back a task that Lambda did not accept; it comes next."""
        self._returned.append(task)

    def redrive(self, task: Task, due: float) -> None:
        """Take back a task to run again later; due times must not decrease."""
        self._waiting.append((due, task))

    def due(self) -> float | None:
        """Return when the first redrive is due, None if there is none."""
        return self._waiting[0][0] if self._waiting else None

    def unfinished(self) -> Iterator[Task]:
        """Yield what was returned or waits for a redrive, and forget it."""
        yield from self._returned
        yield from (task for _, task in self._waiting)
        self._returned.clear()
        self._waiting.clear()

    @property
    def exhausted(self) -> bool:
        """Whether every task has been handed out and none was returned."""
        return not self._returned and not self._waiting and not self._fill()

    def _draw(self) -> Row | None:
        window = self._fill()
        if not window:
            return None
        at = self._order.randrange(len(window))
        window[at], window[-1] = window[-1], window[at]
        return window.pop()

    def _fill(self) -> list[Row]:
        while self._rows is not None and len(self._window) < WINDOW:
            row = next(self._rows, None)
            if row is None:
                self._rows = None  # lets go of the manifest
            else:
                self._window.append(row)
        return self._window


def opaque_id(source: random.Random) -> str:
    """Return an id that looks like AWS's: random bytes in Base64."""
    return base64.b64encode(source.randbytes(_ID_BYTES)).decode("ascii")
