"""Every API call that the world's server answered: when, who, what, and with which status."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass

KEPT = 200_000  # entries; a rehearsal of 500 videos makes some 6,000 calls


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call.

    Attributes:
        time: Epoch seconds of the world, when it was answered.
        principal: The function that signed it, or `tool`.
        service: boto3's name of the service.
        operation: AWS's name of the operation.
        status: The HTTP status.
    """

    time: float
    principal: str
    service: str
    operation: str
    status: int


class ApiLedger:
    """The last calls, oldest first."""

    def __init__(self) -> None:
        self._calls: deque[ApiCall] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def note(self, call: ApiCall) -> None:
        """Add a call."""
        with self._lock:
            self._calls.append(call)

    def calls(self, *, principal: str | None = None, service: str | None = None, operation: str | None = None) -> list[ApiCall]:
        """Return the calls of a principal, to a service, of an operation; of all where None."""
        with self._lock:
            kept = list(self._calls)
        return [
            call
            for call in kept
            if principal in (None, call.principal) and service in (None, call.service) and operation in (None, call.operation)
        ]

    def counts(self) -> Counter[tuple[str, str]]:
        """Return how often each (service, operation) was called."""
        return Counter((call.service, call.operation) for call in self.calls())
