"""What went wrong inside the offline world itself: then the results of a program in it prove nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from tools.emulator.core import ApiLedger
from tools.emulator.services.lambda_ import InvocationLedger

# From this status on moto or one of our services has failed: only an ordered fault answers so on purpose.
SERVER_ERROR = 500
# Not a fault of the world: the function is running, succeeded, was throttled, or was too slow on this machine. A scan has to
# recover from the last two.
_HARMLESS = frozenset({None, "success", "throttled", "Sandbox.Timedout"})


class OwnFaults(logging.Handler):
    """Keeps what the emulator logs as an error: exceptions of an engine that reach no caller, oldest first."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        fault = record.exc_info[1] if record.exc_info else None
        reason = f": {type(fault).__name__}: {fault}" if fault is not None else ""
        self.sentences.append(record.getMessage() + reason)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to all modules of the emulator until the end of the block."""
        log = logging.getLogger("tools.emulator")
        log.addHandler(self)
        try:
            yield
        finally:
            log.removeHandler(self)


def breakage(own: OwnFaults, invocations: InvocationLedger, calls: ApiLedger) -> list[str]:
    """Return a sentence for each thing that broke: the world's own faults, functions that ended in an error, calls that failed."""
    functions = [f"function {each.function} ended in {each.result}" for each in invocations.all() if each.result not in _HARMLESS]
    failed = [
        f"{call.service}.{call.operation} was answered {call.status}" for call in calls.calls() if call.status >= SERVER_ERROR
    ]
    return list(dict.fromkeys([*own.sentences, *functions, *failed]))
