"""What the emulated Rekognition really ran and what that would have cost.

It is the evidence of tests, so it counts for itself: it knows nothing about the engine's quotas, tokens or results.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A job that was opened."""

    job_id: str
    bucket: str
    key: str
    version_id: str | None
    token: str | None
    tag: str | None
    opened_at: float  # epoch seconds
    closed_at: float | None = None  # epoch seconds; None while it runs
    status: str = "IN_PROGRESS"  # IN_PROGRESS, SUCCEEDED or FAILED
    minutes_billed: float = 0.0  # the video's length, not rounded; 0 for a failed job (AWS does not say)
    notices: int = 0  # completion notices that were sent


class Ledger:
    """All jobs, and how Starts were answered; may be read while the world runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, LedgerEntry] = {}
        self._answers: Counter[str] = Counter()
        self._open = 0
        self._max_open = 0

    def opened(self, entry: LedgerEntry) -> None:
        with self._lock:
            self._entries[entry.job_id] = entry
            self._open += 1
            self._max_open = max(self._max_open, self._open)

    def closed(self, job_id: str, at: float, status: str, minutes: float) -> None:
        """Note the end of a job and what it costs."""
        with self._lock:
            self._entries[job_id] = replace(self._entries[job_id], closed_at=at, status=status, minutes_billed=minutes)
            self._open -= 1

    def noticed(self, job_id: str) -> None:
        """Note a completion notice that was sent."""
        with self._lock:
            entry = self._entries[job_id]
            self._entries[job_id] = replace(entry, notices=entry.notices + 1)

    def answered(self, answer: str) -> None:
        """Note how a Start was answered: "Started", "Repeated" (with the token's job) or the error's code."""
        with self._lock:
            self._answers[answer] += 1

    @property
    def jobs(self) -> tuple[LedgerEntry, ...]:
        """All jobs, in the order in which they were opened."""
        with self._lock:
            return tuple(self._entries.values())

    @property
    def start_answers(self) -> Counter[str]:
        """How many Starts got each answer."""
        with self._lock:
            return Counter(self._answers)

    @property
    def open_now(self) -> int:
        """How many jobs are running."""
        with self._lock:
            return self._open

    @property
    def max_open(self) -> int:
        """The most jobs that ever ran at the same time."""
        with self._lock:
            return self._max_open

    @property
    def max_starts_in_a_second(self) -> int:
        """The most jobs that were ever opened within one second."""
        return most_within(1.0, (entry.opened_at for entry in self.jobs))

    @property
    def minutes_billed(self) -> float:
        """The minutes of video that AWS would have billed."""
        return sum(entry.minutes_billed for entry in self.jobs)


def most_within(seconds: float, times: Iterable[float]) -> int:
    """Return the largest number of times that lie within any span of this many seconds."""
    most, window = 0, deque[float]()
    for time in sorted(times):
        window.append(time)
        while window[0] <= time - seconds:
            window.popleft()
        most = max(most, len(window))
    return most
