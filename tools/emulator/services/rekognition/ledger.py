"""What the emulated Rekognition really ran and what that would have cost, kept apart from how the engine decides.

Tests hold the product against it, so it counts for itself: it knows nothing of quotas, tokens or results.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One job that was opened."""

    job_id: str
    bucket: str
    key: str
    version_id: str | None
    token: str | None
    tag: str | None
    opened_at: float  # epoch seconds
    closed_at: float | None = None  # epoch seconds; None while it runs
    status: str = "IN_PROGRESS"  # IN_PROGRESS, SUCCEEDED or FAILED
    minutes_billed: float = 0.0  # length of the video in minutes, not rounded; 0 for a failed job (AWS does not say)
    notices: int = 0  # completion notices sent for it


class Ledger:
    """All jobs ever opened, and how Start calls were answered; may be read while the world runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, LedgerEntry] = {}
        self._answers: Counter[str] = Counter()
        self._open = 0
        self._max_open = 0

    def opened(self, entry: LedgerEntry) -> None:
        """Note a job that starts."""
        with self._lock:
            self._entries[entry.job_id] = entry
            self._open += 1
            self._max_open = max(self._max_open, self._open)

    def closed(self, job_id: str, at: float, status: str, minutes: float) -> None:
        """Note a job's end and what it costs."""
        with self._lock:
            self._entries[job_id] = replace(self._entries[job_id], closed_at=at, status=status, minutes_billed=minutes)
            self._open -= 1

    def noticed(self, job_id: str) -> None:
        """Note a completion notice that was sent."""
        with self._lock:
            entry = self._entries[job_id]
            self._entries[job_id] = replace(entry, notices=entry.notices + 1)

    def answered(self, answer: str) -> None:
        """Note how a Start call was answered: "Started", "Repeated" (a token's old job) or the error's code."""
        with self._lock:
            self._answers[answer] += 1

    @property
    def jobs(self) -> tuple[LedgerEntry, ...]:
        """Return every job, in order of opening."""
        with self._lock:
            return tuple(self._entries.values())

    @property
    def start_answers(self) -> Counter[str]:
        """Return how many Start calls got which answer."""
        with self._lock:
            return Counter(self._answers)

    @property
    def open_now(self) -> int:
        """Return how many jobs run."""
        with self._lock:
            return self._open

    @property
    def max_open(self) -> int:
        """Return how many jobs ran at the same time at most."""
        with self._lock:
            return self._max_open

    @property
    def max_starts_in_a_second(self) -> int:
        """Return how many jobs were opened within one second at most."""
        return _most_within_a_second(entry.opened_at for entry in self.jobs)

    @property
    def minutes_billed(self) -> float:
        """Return the video minutes that AWS would have billed."""
        return sum(entry.minutes_billed for entry in self.jobs)


def _most_within_a_second(times: Iterable[float]) -> int:
    most, window = 0, deque[float]()
    for time in sorted(times):
        window.append(time)
        while window[0] <= time - 1.0:
            window.popleft()
        most = max(most, len(window))
    return most
