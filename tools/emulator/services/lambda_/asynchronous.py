"""Asynchronous invocations: Lambda's queue of events, its retries, and its dead letters."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tools.emulator.core import Clock, InvocationResult, Queues
from tools.emulator.services.lambda_.model import Function

# Throttles and system errors: "from 1 second after the first attempt to a maximum of 5 minutes" [L:invocation-async].
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 300.0
# A dead letter's ErrorMessage is the first kilobyte of the error message [L:invocation-async-retain-records].
DEAD_LETTER_MESSAGE_LIMIT = 1024

_OK = 200
_LOOP = 400
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Event:
    """An accepted event; all tries share its request id."""

    request_id: str
    function_name: str
    payload: bytes
    traces: Sequence[str]
    accepted: float
    failures: int = 0
    throttles: int = 0


# Tries an event once. Of the result's statuses, 429 and 500 are throttles and system errors, 400 is a stopped loop.
Attempt = Callable[[Event, Callable[[InvocationResult], None]], None]


@dataclass(frozen=True, slots=True)
class AsynchronousInvocations:
    """Tries each event until it succeeds, or has no retries left or is too old and becomes a dead letter."""

    clock: Clock
    queues: Queues
    retry_seconds: Sequence[float]
    attempt: Attempt
    find: Callable[[str], Function | None]

    def accept(self, event: Event) -> None:
        """Queue an event for an immediate first try."""
        self._try_after(0.0, event)

    def _try_after(self, seconds: float, event: Event) -> None:
        self.clock.call_later(seconds, lambda: self.attempt(event, lambda result: self._tried(event, result)))

    def _tried(self, event: Event, result: InvocationResult) -> None:
        function = self.find(event.function_name)
        if function is None:
            return  # deleted in the meantime, and its events with it
        if result.status == _LOOP:
            self._give_up(function, event, result, "RecursiveInvocation")
        elif result.status != _OK:
            event.throttles += 1
            wait = min(FIRST_BACKOFF_SECONDS * 2 ** (event.throttles - 1), LONGEST_BACKOFF_SECONDS)
            self._try_again(function, event, result, wait)
        elif result.function_error is not None:
            event.failures += 1
            event.throttles = 0
            wait = self.retry_seconds[min(event.failures, len(self.retry_seconds)) - 1]
            self._try_again(function, event, result, wait)

    def _try_again(self, function: Function, event: Event, result: InvocationResult, wait: float) -> None:
        if event.failures > function.max_retry_attempts:
            self._give_up(function, event, result, "RetriesExhausted")
        elif self.clock.now() + wait - event.accepted > function.max_event_age:
            self._give_up(function, event, result, "EventAgeExceeded")
        else:
            self._try_after(wait, event)

    def _give_up(self, function: Function, event: Event, result: InvocationResult, condition: str) -> None:
        log.warning("gave up event %s of %s: %s", event.request_id, function.name, condition)
        if function.on_failure_arn is not None:
            self._send(function.on_failure_arn, json.dumps(self._record(function, event, result, condition)), {})
        if function.dead_letter_arn is not None:
            self._send(function.dead_letter_arn, event.payload.decode(), _dead_letter_attributes(event, result))

    def _send(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        try:
            self.queues.send(queue_arn, body, attributes)
        except LookupError:  # Lambda only counts these (metrics DeadLetterErrors, DestinationDeliveryFailures)
            log.exception("the queue %s for dead letters does not exist", queue_arn)

    def _record(self, function: Function, event: Event, result: InvocationResult, condition: str) -> dict[str, Any]:
        """Return the record that Lambda sends to an on-failure destination [L:invocation-async-retain-records]."""
        return {
            "version": "1.0",
            "timestamp": datetime.fromtimestamp(self.clock.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": f"{function.arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": event.failures,
            },
            "requestPayload": json.loads(event.payload),
            "responseContext": {
                "statusCode": result.status,
                "executedVersion": "$LATEST",
                "functionError": result.function_error,
            },
            "responsePayload": json.loads(result.payload),
        }


def _dead_letter_attributes(event: Event, result: InvocationResult) -> dict[str, str]:
    message = str(json.loads(result.payload).get("errorMessage", ""))
    return {
        "RequestID": event.request_id,
        "ErrorCode": str(result.status),
        "ErrorMessage": message[:DEAD_LETTER_MESSAGE_LIMIT] or "none",
    }
