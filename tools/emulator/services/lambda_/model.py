"""What a function is, and what one invocation of it consists of and comes to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tools.emulator.services.lambda_.errors import UnsupportedFunctionError
from tools.emulator.services.lambda_.ledger import Entry

# A function without an EventInvokeConfig: [L:invocation-async] in docs/aws.md#10-lambda.
DEFAULT_RETRY_ATTEMPTS = 2
MAXIMUM_EVENT_AGE_SECONDS = 21_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function's code and configuration, as CreateFunction and its neighbours give them."""

    name: str
    arn: str  # its unqualified ARN
    handler: str  # `package.module.function`
    role: str  # the ARN of its execution role
    code: bytes = field(repr=False)  # the deployment package, a zip file
    # The function's own environment variables, without those that Lambda sets.
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 3.0  # seconds, 1 to 900
    memory: int = 128  # megabytes; handed to the function, not enforced
    dead_letter_arn: str | None = None  # queue for the events of failed asynchronous invocations
    on_failure_arn: str | None = None  # queue for the records of failed asynchronous invocations
    max_retry_attempts: int = DEFAULT_RETRY_ATTEMPTS  # how often a failed asynchronous invocation is repeated, 0 to 2
    max_event_age: float = MAXIMUM_EVENT_AGE_SECONDS  # seconds after which an asynchronous invocation is given up, 60 to 21,600
    reserved_concurrency: int | None = None  # guarantee and cap; 0 blocks the function; None: it takes from the unreserved pool

    def __post_init__(self) -> None:
        """Refuse destinations other than queues, by name."""
        for arn in (self.dead_letter_arn, self.on_failure_arn):
            if arn is not None and ":sqs:" not in arn:
                raise UnsupportedFunctionError(
                    f"function {self.name}: the offline world sends dead letters to SQS only, not to {arn}"
                )

    def runs_as(self, other: Function) -> bool:
        """Return whether an environment made for the other would serve this one too."""
        return _environment_of(self) == _environment_of(other)


def _environment_of(function: Function) -> tuple[object, ...]:
    return (
        function.handler,
        function.role,
        function.code,
        dict(function.environment),
        function.timeout,
        function.memory,
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault on order: what it does to the process, and at which AWS call of the invocation (0: before the handler begins)."""

    action: Literal["kill", "raise", "hang"]
    call: int
    when: str = "before"  # or "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of a function: the event as JSON, its trace header, where its AWS calls are noted, and the fault ordered for it."""

    request_id: str
    payload: bytes
    trace: str
    watch: Entry
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: the payload to answer with, and whether it is a function error; `system` is a fault of Lambda's own."""

    payload: bytes
    failed: bool = False
    system: bool = False


def failure(kind: str, message: str) -> Outcome:
    """Return a function error in Lambda's form: `{"errorType": ..., "errorMessage": ...}`."""
    return Outcome(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)


def timed_out(function: Function, request_id: str) -> Outcome:
    """Return what Lambda reports of a function that took longer than its timeout (docs/aws.md#10-lambda)."""
    return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {function.timeout:.2f} seconds")


def exited(request_id: str, reason: str) -> Outcome:
    """Return what Lambda reports of a process that ended by itself."""
    return failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {reason}")
