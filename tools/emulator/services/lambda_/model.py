"""A function, an invocation of it and the outcome, and what runs functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tools.emulator.services.lambda_.ledger import Entry

# Of a function without an EventInvokeConfig [L:invocation-async].
DEFAULT_RETRY_ATTEMPTS = 2
MAXIMUM_EVENT_AGE_SECONDS = 21_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function's code and configuration."""

    name: str
    arn: str  # its unqualified ARN
    handler: str  # `package.module.function`
    role: str  # the ARN of its execution role
    code: bytes = field(repr=False)  # the deployment package, a zip file
    # The function's own environment variables, without those that Lambda sets.
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0  # seconds, 1 to 900
    memory: int = 128  # megabytes; shown to the function, but not enforced
    dead_letter_arn: str | None = None  # the queue for events of failed asynchronous invocations
    on_failure_arn: str | None = None  # the queue for records of failed asynchronous invocations
    max_retry_attempts: int = DEFAULT_RETRY_ATTEMPTS  # of a failed asynchronous invocation, 0 to 2
    max_event_age: float = MAXIMUM_EVENT_AGE_SECONDS  # seconds for which an asynchronous invocation is retried, 60 to 21,600
    reserved_concurrency: int | None = None  # None: the function shares the unreserved pool

    def runs_as(self, other: Function) -> bool:
        """Return whether a process that was started for the other function can run this one."""
        members = ("handler", "role", "code", "environment", "timeout", "memory")
        return all(getattr(self, name) == getattr(other, name) for name in members)


@dataclass(frozen=True, slots=True)
class Fault:
    """A scripted fault: what it does to the process, and at which AWS call of an invocation; 0 is before the handler begins."""

    action: Literal["kill", "raise", "hang"]
    call: int
    when: str = "before"  # or "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of a function: the event as JSON, the trace header, the ledger's entry, and the fault that is to strike."""

    request_id: str
    payload: bytes
    trace: str
    entry: Entry
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The payload that a run returned, and whether it is a function error or (`system`) an error of Lambda itself."""

    payload: bytes
    failed: bool = False
    system: bool = False


def failure(kind: str, message: str) -> Outcome:
    """Return a function error as Lambda writes it: `{"errorType": ..., "errorMessage": ...}`."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def timed_out(function: Function, request_id: str) -> Outcome:
    """Return what Lambda reports of a function that exceeded its timeout (docs/aws.md#10-lambda)."""
    return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {function.timeout:.2f} seconds")


def exited(request_id: str, reason: str) -> Outcome:
    """Return what Lambda reports of a process that exited."""
    return failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {reason}")


class Runtime(Protocol):
    """What runs functions; the service has checked that concurrency allows one more run."""

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Run the function and call `done` once with the outcome; must not raise."""

    def retire(self, function_name: str) -> None:
        """Use no existing process for later invocations of the function: its code or configuration has changed."""

    def close(self) -> None:
        """End all processes, including busy ones."""
