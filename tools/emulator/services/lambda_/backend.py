"""Lambda's functions, and the three ways to invoke them: synchronously, as an event, by a queue."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.emulator.core import AwsError, Clock, InvocationResult, Queues, ReceivingQueues
from tools.emulator.services.lambda_ import lineage
from tools.emulator.services.lambda_.asynchronous import AsynchronousInvocations, Event
from tools.emulator.services.lambda_.concurrency import Concurrency, ThrottledError
from tools.emulator.services.lambda_.faults import Faults
from tools.emulator.services.lambda_.ledger import Entry, InvocationLedger
from tools.emulator.services.lambda_.mapping import Mapping, Poller
from tools.emulator.services.lambda_.model import Fault, Function, Invocation, Outcome, Runtime
from tools.emulator.settings import EmulatorSettings

Done = Callable[[InvocationResult], None]

# How often an idle event source mapping polls its queue, in seconds of real time: cheap, and too short to be noticed.
IDLE_POLL_SECONDS = 0.1
# The largest payloads [L:gettingstarted-limits].
SYNCHRONOUS_PAYLOAD_LIMIT = 6 * 1024 * 1024
ASYNCHRONOUS_PAYLOAD_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Cause:
    """Why a function is invoked: the ledger's source, the trace headers of the requests, and the request id."""

    source: str
    traces: Sequence[str]
    request_id: str


class FunctionService:
    """Lambda; implements `ports.Functions`; thread-safe.

    Attributes:
        account_concurrency: The account's limit of concurrent invocations.
        faults: Scripted faults.
        ledger: Every invocation, and the AWS calls that it made.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        settings: EmulatorSettings,
        queues: Queues,
        receiving: ReceivingQueues,
        runtime: Runtime,
        idle_poll_seconds: float | None = IDLE_POLL_SECONDS,
    ) -> None:
        """Make a Lambda without functions.

        Args:
            clock: The world's clock.
            settings: Limits, retry waits, account and Region.
            queues: Where dead letters and failure records go.
            receiving: What event source mappings read.
            runtime: What runs the functions; closed with the service.
            idle_poll_seconds: Seconds of real time between two polls of an idle queue; None polls only when woken.
        """
        self.faults = Faults()
        self.ledger = InvocationLedger()
        self._clock = clock
        self._receiving = receiving
        self._runtime = runtime
        self.account_concurrency = settings.account_concurrency
        self._idle = None if idle_poll_seconds is None else idle_poll_seconds * settings.speed
        self._lock = threading.RLock()
        self._functions: dict[str, Function] = {}
        self._pollers: dict[str, Poller] = {}
        self._concurrency = Concurrency(
            account_limit=settings.account_concurrency,
            function_limit=settings.environments_per_function,
            functions=self._functions,
        )
        self._asynchronous = AsynchronousInvocations(
            clock=clock,
            queues=queues,
            retry_seconds=settings.async_retry_seconds,
            attempt=self._attempt,
            find=self.function,
        )

    # Functions.

    def put(self, function: Function) -> None:
        """Create or replace a function; changed code or configuration means new processes."""
        with self._lock:
            before = self._functions.get(function.name)
            self._functions[function.name] = function
        if before is not None and not function.runs_as(before):
            self._runtime.retire(function.name)

    def remove(self, name_or_arn: str) -> None:
        """Delete a function, its processes and its queued events."""
        name = _name(name_or_arn)
        with self._lock:
            self._functions.pop(name, None)
        self._runtime.retire(name)

    def function(self, name_or_arn: str) -> Function | None:
        """Return a function by its name or (qualified) ARN, or None; `$LATEST` is the only version."""
        with self._lock:
            return self._functions.get(_name(name_or_arn))

    def close(self) -> None:
        """Stop mappings, and end all processes."""
        with self._lock:
            pollers = list(self._pollers.values())
        for poller in pollers:
            poller.close()
        self._runtime.close()

    # Invocations.

    def invoke(self, function_arn: str, payload: bytes, done: Done, *, trace: str | None = None) -> None:
        """Invoke a function (RequestResponse) and call `done` once with the result; does not block.

        Args:
            function_arn: Name or ARN.
            payload: The event as JSON.
            done: Called from another thread, or at once if the function cannot run: status 404, 413, 429, or 400 for a loop.
            trace: The request's `X-Amzn-Trace-Id`, if it had one.
        """
        if len(payload) > SYNCHRONOUS_PAYLOAD_LIMIT:
            done(_refusal(413, "RequestTooLargeException", f"{len(payload)} byte payload is too large"))
            return
        self._invoke(function_arn, payload, _Cause("RequestResponse", _given(trace), str(uuid.uuid4())), done)

    def invoke_event(self, function_arn: str, payload: bytes, *, trace: str | None = None) -> str | None:
        """Queue an asynchronous invocation and return its request id, or None if there is no such function.

        Raises:
            AwsError: The payload is not JSON, or exceeds 1 MB.
        """
        function = self.function(function_arn)
        if function is None:
            return None
        _check_event(payload)
        event = Event(str(uuid.uuid4()), function.name, payload, _given(trace), self._clock.now())
        self._asynchronous.accept(event)
        return event.request_id

    def running(self, name_or_arn: str) -> int:
        """Return how many invocations of a function run now."""
        return self._concurrency.running(_name(name_or_arn))

    def _attempt(self, event: Event, done: Done) -> None:
        self._invoke(event.function_name, event.payload, _Cause("Event", event.traces, event.request_id), done)

    def _invoke_batch(self, function_arn: str, payload: bytes, traces: Sequence[str], done: Done) -> None:
        self._invoke(function_arn, payload, _Cause("SQS", traces, str(uuid.uuid4())), done)

    def _invoke(self, target: str, payload: bytes, cause: _Cause, done: Done) -> None:
        function = self.function(target)
        if function is None:
            done(_refusal(404, "ResourceNotFoundException", f"Function not found: {target}"))
            return
        entry = Entry(cause.request_id, function.name, cause.source, self._clock.now())
        try:
            trace = lineage.continued(cause.traces, function.arn, self._clock.now())
            self._concurrency.enter(function)
        except lineage.RecursionStoppedError:
            self._refused(
                entry, "RecursiveInvocationException", done, _refusal(400, "RecursiveInvocationException", "loop stopped")
            )
        except ThrottledError as throttled:
            self._refused(entry, "throttled", done, _throttled(str(throttled)))
        else:
            self.ledger.note(entry)
            self._run(function, payload, trace, entry, done)

    def _refused(self, entry: Entry, result: str, done: Done, refusal: InvocationResult) -> None:
        self.ledger.note(entry)
        entry.ended, entry.result = self._clock.now(), result
        done(refusal)

    def _run(self, function: Function, payload: bytes, trace: str, entry: Entry, done: Done) -> None:
        fault = self.faults.take(function.name)
        invocation = Invocation(request_id=entry.request_id, payload=payload, trace=trace, entry=entry, fault=fault)

        def ended(outcome: Outcome) -> None:
            self._ended(function, entry, fault, outcome)
            done(_result(outcome))

        self._runtime.run(function, invocation, ended)

    def _ended(self, function: Function, entry: Entry, fault: Fault | None, outcome: Outcome) -> None:
        self._concurrency.leave(function.name)
        if fault is not None and not entry.faulted:
            self.faults.give_back(function.name, fault)
        entry.ended = self._clock.now()
        entry.result = json.loads(outcome.payload).get("errorType", "Unhandled") if outcome.failed else "success"

    # Event source mappings.

    def put_mapping(self, mapping: Mapping) -> None:
        """Create or change an event source mapping."""
        with self._lock:
            poller = self._pollers.get(mapping.uuid)
            if poller is None:
                self._pollers[mapping.uuid] = Poller(
                    mapping, clock=self._clock, queues=self._receiving, invoke=self._invoke_batch, idle_seconds=self._idle
                )
                return
        poller.update(mapping)

    def remove_mapping(self, uuid: str) -> None:  # as in Lambda's API
        """Delete an event source mapping; batches that are being processed are not affected."""
        with self._lock:
            poller = self._pollers.pop(uuid, None)
        if poller is not None:
            poller.close()

    def mapping(self, uuid: str) -> Mapping | None:
        """Return an event source mapping, or None if there is none with this UUID."""
        with self._lock:
            poller = self._pollers.get(uuid)
        return None if poller is None else poller.mapping

    def mapping_state(self, uuid: str) -> str | None:
        """Return `Enabled`, `Disabling` or `Disabled`, or None if there is no such mapping."""
        with self._lock:
            poller = self._pollers.get(uuid)
        return None if poller is None else poller.state

    def wake(self, queue_arn: str) -> None:
        """Notify the mappings of a queue that a message was sent to it or became visible; does not block."""
        with self._lock:
            pollers = [poller for poller in self._pollers.values() if poller.mapping.queue_arn == queue_arn]
        for poller in pollers:
            poller.wake()


def _name(name_or_arn: str) -> str:
    """Return the name in `name`, `name:qualifier`, a partial or a whole ARN."""
    parts = name_or_arn.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]


def _given(trace: str | None) -> list[str]:
    return [trace] if trace else []


def _check_event(payload: bytes) -> None:
    if len(payload) > ASYNCHRONOUS_PAYLOAD_LIMIT:
        message = f"{len(payload)} byte payload is too large for the Event invocation type (limit 1048576 bytes)"
        raise AwsError("RequestTooLargeException", message, 413)
    try:
        json.loads(payload)
    except ValueError as fault:
        raise AwsError("InvalidRequestContentException", f"Could not parse request body into json: {fault}") from fault


def _result(outcome: Outcome) -> InvocationResult:
    if outcome.system:
        return InvocationResult(500, outcome.payload)
    return InvocationResult(200, outcome.payload, "Unhandled" if outcome.failed else None)


def _refusal(status: int, kind: str, message: str) -> InvocationResult:
    return InvocationResult(status, json.dumps({"Type": "User", "Code": kind, "Message": message}).encode())


def _throttled(reason: str) -> InvocationResult:
    return InvocationResult(429, json.dumps({"Reason": reason, "Type": "User", "message": "Rate Exceeded."}).encode())
