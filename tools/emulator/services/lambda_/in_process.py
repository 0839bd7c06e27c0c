"""The runtime for tests that need no process: handlers are imported by name and called in the caller's thread."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.emulator.core.clock import Clock
from tools.emulator.services.lambda_ import worker
from tools.emulator.services.lambda_.model import Action, Function, Invocation, Outcome, exited, timed_out


class InProcessRuntime:
    """Calls handlers of this interpreter one at a time, with the function's own variables added to the environment.

    A call lasts as long as the handler sleeps by the clock: beyond the timeout its answer is lost, as on Lambda. The function's
    package is not looked at, nor are AWS calls: only faults at call 0 can strike.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Call the handler and then `done`, both before returning."""
        with self._lock:
            began = self._clock.now()
            outcome = self._struck(function, invocation) or self._called(function, invocation, began)
            if self._clock.now() - began > function.timeout:
                outcome = timed_out(function, invocation.request_id)
        done(outcome)

    def retire(self, function_name: str) -> None:
        """Do nothing: modules stay imported."""

    def close(self) -> None:
        """Do nothing."""

    def _struck(self, function: Function, invocation: Invocation) -> Outcome | None:
        fault = invocation.fault
        if fault is None or fault.call != 0:
            return None
        invocation.watch.struck()
        if fault.action is Action.HANG:
            return timed_out(function, invocation.request_id)
        if fault.action is Action.KILL:
            return exited(invocation.request_id, "with error: signal: killed")
        return _error(RuntimeError("a fault on order"), invocation)

    def _called(self, function: Function, invocation: Invocation, began: float) -> Outcome:
        context = _Context(function, invocation, self._clock, began + function.timeout)
        try:
            with _environment(function):
                handler = worker.load(function.handler)
                return Outcome(json.dumps(handler(json.loads(invocation.payload), context), ensure_ascii=False).encode())
        except Exception as fault:  # noqa: BLE001  # what a handler raises is its result
            return _error(fault, invocation)


class _Context(worker.Context):
    def __init__(self, function: Function, invocation: Invocation, clock: Clock, deadline: float) -> None:
        request = {"request_id": invocation.request_id, "arn": function.arn, "deadline": deadline}
        variables = {
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "in-process",
        }
        super().__init__(request, variables)
        self._clock = clock

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function's timeout, by the clock of the test."""
        return max(0, int((self._deadline - self._clock.now()) * 1000))


def _error(fault: Exception, invocation: Invocation) -> Outcome:
    return Outcome(json.dumps(worker.describe(fault, invocation.request_id)).encode(), failed=True)


@contextmanager
def _environment(function: Function) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(function.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
