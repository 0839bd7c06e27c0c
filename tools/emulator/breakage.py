"""What went wrong inside the offline world itself: then a program's results in it prove nothing."""

from __future__ import annotations

import logging
import threading

from tools.emulator.core.ledger import ApiLedger
from tools.emulator.services.lambda_ import InvocationLedger

SERVER_ERROR = 500  # from this status on moto or one of our services has failed; nothing here answers so on purpose, but for orders
# Not a fault of the world: the function ran, was refused for want of capacity, or took longer than this machine gave it. From the
# last two the scan has to recover by itself.
_HARMLESS = frozenset({None, "success", "throttled", "Sandbox.Timedout"})


class OwnFaults(logging.Handler):
    """Keeps what the emulator logs as an error: an exception of an engine that does not reach a caller."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._errors: list[str] = []
        self._guard = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of an error."""
        fault = record.exc_info[1] if record.exc_info else None
        reason = f": {type(fault).__name__}: {fault}" if fault is not None else ""
        with self._guard:
            self._errors.append(record.getMessage() + reason)

    def all(self) -> list[str]:
        """Return the errors, oldest first."""
        with self._guard:
            return list(self._errors)

    def install(self) -> None:
        """Listen to all modules of the emulator."""
        logging.getLogger("tools.emulator").addHandler(self)

    def uninstall(self) -> None:
        """Stop listening."""
        logging.getLogger("tools.emulator").removeHandler(self)


def breakage(own: OwnFaults, invocations: InvocationLedger, calls: ApiLedger) -> list[str]:
    """Return a sentence for each thing that broke: the world's own faults, functions that ended in an error, calls that failed."""
    functions = [f"function {each.function} ended in {each.result}" for each in invocations.all() if each.result not in _HARMLESS]
    failed = [
        f"{call.service}.{call.operation} was answered {call.status}" for call in calls.calls() if call.status >= SERVER_ERROR
    ]
    return list(dict.fromkeys([*own.all(), *functions, *failed]))
