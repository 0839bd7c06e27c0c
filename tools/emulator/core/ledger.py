"""Ledgers of what happened, and the one of the API calls that the world's server answered."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Ledger(Generic[T]):
    """The last entries, oldest first. Safe to use from any thread."""

    def __init__(self, kept: int) -> None:
        self._entries: deque[T] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def note(self, entry: T) -> None:
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[T]:
        with self._lock:
            return list(self._entries)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One API call that was answered."""

    time: float  # when it was answered, in epoch seconds of the world
    principal: str  # the function that signed it, or `tool`
    service: str
    operation: str
    status: int


class ApiLedger(Ledger[ApiCall]):
    """The last calls; a rehearsal of 500 videos makes some 6,000."""

    def __init__(self) -> None:
        super().__init__(200_000)

    def calls(self, *, principal: str | None = None, service: str | None = None, operation: str | None = None) -> list[ApiCall]:
        """Return the calls by a principal, to a service, of an operation; None means any."""
        return [
            call
            for call in self.entries()
            if principal in (None, call.principal) and service in (None, call.service) and operation in (None, call.operation)
        ]

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how often each (service, operation) was called."""
        return Counter((call.service, call.operation) for call in self.calls())
