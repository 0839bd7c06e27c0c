"""How many invocations may run at a time: the account has one pool, of which functions may reserve a part."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

from tools.emulator.services.lambda_.model import Function


class ThrottledError(Exception):
    """No invocation of the function may begin now; the text is Lambda's `Reason`."""


class Concurrency:
    """Counts running invocations against the account's limit, reserved concurrency, and the limit of this machine.

    Reserved concurrency is both a guarantee and a cap; other functions share what is not reserved [L:configuration-concurrency].
    """

    def __init__(self, *, account_limit: int, function_limit: int, functions: Mapping[str, Function]) -> None:
        self._account_limit = account_limit
        self._function_limit = function_limit
        self._functions = functions
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, function: Function) -> None:
        """Count an invocation that begins.

        Raises:
            ThrottledError: A limit is reached.
        """
        with self._lock:
            reason = self._refusal(function)
            if reason is not None:
                raise ThrottledError(reason)
            self._running[function.name] += 1

    def leave(self, function_name: str) -> None:
        """Count an invocation that has ended."""
        with self._lock:
            self._running[function_name] -= 1

    def running(self, function_name: str) -> int:
        """Return how many invocations of the function run now."""
        with self._lock:
            return self._running[function_name]

    def _refusal(self, function: Function) -> str | None:
        running = self._running[function.name]
        if function.reserved_concurrency is not None and running >= function.reserved_concurrency:
            return "ReservedFunctionConcurrentInvocationLimitExceeded"
        if running >= self._function_limit or (function.reserved_concurrency is None and self._pool_is_full()):
            return "ConcurrentInvocationLimitExceeded"
        return None

    def _pool_is_full(self) -> bool:
        functions = dict(self._functions)
        reserved = {name: each.reserved_concurrency for name, each in functions.items() if each.reserved_concurrency is not None}
        running = sum(count for name, count in self._running.items() if name not in reserved)
        return running >= self._account_limit - sum(reserved.values())
