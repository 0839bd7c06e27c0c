"""What the Lambda part needs of its neighbours: queues that event source mappings read, and something that runs a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tools.emulator.services.lambda_.model import Function, Invocation, Outcome


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as an event source mapping receives it.

    Attributes:
        message_id: SQS's id of the message, the same at each receipt.
        receipt_handle: The handle of this receipt.
        body: The body.
        md5_of_body: 32 hex digits.
        attributes: ApproximateReceiveCount, SentTimestamp, SenderId, ApproximateFirstReceiveTimestamp (all as strings, times in
            epoch milliseconds) and AWSTraceHeader where the message has one.
        message_attributes: By name, in the form of Lambda's event: `{"stringValue": ..., "dataType": "String",
            "stringListValues": [], "binaryListValues": []}`.
    """

    message_id: str
    receipt_handle: str
    body: str
    md5_of_body: str
    attributes: Mapping[str, str]
    message_attributes: Mapping[str, Mapping[str, Any]]


class ReceivingQueues(Protocol):
    """SQS as an event source mapping sees it. Called from several threads."""

    def receive(self, queue_arn: str, max_messages: int) -> Sequence[ReceivedMessage]:
        """Return at most so many (1 to 10) visible messages, without waiting.

        They are hidden for the queue's visibility timeout. Each receipt counts, and sends a message that was received too often to
        the dead-letter queue, as SQS does.

        Raises:
            LookupError: There is no such queue.
        """
        ...

    def visibility_seconds(self, queue_arn: str) -> float:
        """Return for how long the queue hides a message that was received.

        Raises:
            LookupError: There is no such queue.
        """
        ...

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete messages by the handles of their receipts; a handle that is no longer good is passed over.

        Raises:
            LookupError: There is no such queue.
        """
        ...


class Runtime(Protocol):
    """What runs functions. The service has made sure that a concurrency limit allows one more."""

    def run(self, function: Function, invocation: Invocation, done: Callable[[Outcome], None]) -> None:
        """Run the function once and call `done` once with what it came to; must not raise."""
        ...

    def retire(self, function_name: str) -> None:
        """Let no later invocation of the function meet an environment that exists now: its code or configuration has changed."""
        ...

    def close(self) -> None:
        """End every environment, also the busy ones."""
        ...
