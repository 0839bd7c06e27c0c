"""Scripted faults: kill, fail or hang a function at a chosen AWS call of its next invocations."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

from tools.emulator.services.lambda_.model import Fault


class Faults:
    """The scripted faults of each function; one that an invocation does not reach is kept for the next."""

    def __init__(self) -> None:
        self._orders: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._lock = threading.Lock()

    def kill(self, function: str, *, call: int, when: str = "before", times: int = 1) -> None:
        """Kill the process right before or after the n-th AWS call (from 1) of an invocation, in `times` invocations."""
        self._order(function, Fault("kill", call, when), times)

    def fail(self, function: str, *, call: int = 0, when: str = "before", times: int = 1) -> None:
        """Raise a `RuntimeError` in the function at its n-th AWS call, or in place of the handler if `call` is 0."""
        self._order(function, Fault("raise", call, when), times)

    def hang(self, function: str, *, call: int = 0, when: str = "before", times: int = 1) -> None:
        """Let the function hang at its n-th AWS call, or in place of the handler if `call` is 0, until its timeout."""
        self._order(function, Fault("hang", call, when), times)

    def pending(self, function: str) -> int:
        """Return how many faults have not struck yet."""
        with self._lock:
            return len(self._orders[function])

    def clear(self) -> None:
        """Cancel all faults."""
        with self._lock:
            self._orders.clear()

    def take(self, function: str) -> Fault | None:
        """Return the fault for an invocation that begins now, or None."""
        with self._lock:
            orders = self._orders[function]
            return orders.popleft() if orders else None

    def give_back(self, function: str, fault: Fault) -> None:
        """Keep a fault that did not strike for the next invocation."""
        with self._lock:
            self._orders[function].appendleft(fault)

    def _order(self, function: str, fault: Fault, times: int) -> None:
        with self._lock:
            self._orders[function].extend([fault] * times)
