"""How many invocations may run at a time: one pool for the account, out of which functions may reserve a part."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from tools.emulator.services.lambda_.errors import ThrottledError
from tools.emulator.services.lambda_.model import Function


class Concurrency:
    """Counts running invocations against the account's limit, reserved concurrency, and what a laptop can bear.

    Reserved concurrency is both a guarantee and a cap; the others share what is not reserved [L:configuration-concurrency].
    """

    def __init__(self, *, account_limit: int, function_limit: int, functions: Mapping[str, Function]) -> None:
        self._account_limit = account_limit
        self._function_limit = function_limit
        self._functions = functions
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, function: Function) -> None:
        """Count one more invocation of the function.

        Raises:
            ThrottledError: A limit is reached.
        """
        with self._lock:
            reason = self._refusal(function)
            if reason is not None:
                raise ThrottledError(reason)
            self._running[function.name] += 1

    def leave(self, function_name: str) -> None:
        """Count one invocation less."""
        with self._lock:
            self._running[function_name] -= 1

    def running(self, function_name: str) -> int:
        """Return how many invocations of the function run now."""
        with self._lock:
            return self._running[function_name]

    def _refusal(self, function: Function) -> str | None:
        if function.reserved_concurrency is not None:
            if self._running[function.name] >= function.reserved_concurrency:
                return "ReservedFunctionConcurrentInvocationLimitExceeded"
        elif self._unreserved_running() >= self._unreserved_limit():
            return "ConcurrentInvocationLimitExceeded"
        if self._running[function.name] >= self._function_limit:
            return "ConcurrentInvocationLimitExceeded"
        return None

    def _unreserved_limit(self) -> int:
        return self._account_limit - sum(function.reserved_concurrency or 0 for function in list(self._functions.values()))

    def _unreserved_running(self) -> int:
        return sum(count for name, count in self._running.items() if not self._reserves(name))

    def _reserves(self, name: str) -> bool:
        function = self._functions.get(name)
        return function is not None and function.reserved_concurrency is not None
