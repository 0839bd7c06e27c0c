"""What the engines need from each other: small ports, so that each engine can be tested alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class NoSuchObjectError(Exception):
    """There is no such bucket, key or version, or it is a delete marker."""


class ObjectArchivedError(Exception):
    """The object is in an archive class and not restored."""


class ObjectForbiddenError(Exception):
    """The calling service may not read or write the object."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content and metadata: the etag without quotes, version None if the bucket has none.

    `encryption` is the value of x-amz-server-side-encryption ("AES256", "aws:kms", "aws:kms:dsse"), None if unknown.
    """

    body: bytes
    etag: str
    size: int
    version_id: str | None
    encryption: str | None = None


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One version of an object in a listing: size in bytes, time in epoch seconds, version None if the bucket has none."""

    key: str
    version_id: str | None
    latest: bool
    size: int
    modified: float
    storage_class: str


class Objects(Protocol):
    """S3 as other services see it."""

    def list(self, bucket: str) -> Iterator[ListedVersion]:
        """Yield the versions of a bucket's objects by key, newest first, without delete markers; raise as `read` does."""

    def read(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """Return an object, or raise `NoSuchObjectError`, `ObjectArchivedError` or `ObjectForbiddenError`."""

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object with SSE-S3, or raise `NoSuchObjectError` (there is no such bucket) or `ObjectForbiddenError`."""


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """The result of a synchronous invocation."""

    status: int  # 200: the function ran; 429: throttled; 404: no such function; 500: a fault of Lambda
    payload: bytes  # what the function returned, or the error object (`errorMessage`, `errorType`, ...), as JSON
    function_error: str | None = None  # "Unhandled" if the function raised, timed out or died


class Functions(Protocol):
    """Lambda as other services see it. Neither call blocks."""

    def invoke(self, function_arn: str, payload: bytes, done: Callable[[InvocationResult], None]) -> None:
        """Invoke a function and call `done` once with the result (RequestResponse)."""

    def invoke_event(self, function_arn: str, payload: bytes, *, trace: str | None = None) -> str | None:
        """Queue an asynchronous invocation, with the sender's trace if it has one.

        Returns:
            Its request id, or None if there is no such function.
        """


class Topics(Protocol):
    """SNS as other services see it."""

    def publish(self, topic_arn: str, message: str) -> None:
        """Publish a message, or raise `LookupError` if there is no such topic."""


class Events(Protocol):
    """EventBridge's default bus as other services see it."""

    def send(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = (), time: float | None = None
    ) -> str:
        """Put an event on the bus and return its id; `time` is in epoch seconds, now if None."""


class Queues(Protocol):
    """SQS as other services see it."""

    def send(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        """Send a message with attributes of type String, or raise `LookupError` if there is no such queue."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as one receipt returned it."""

    message_id: str  # the same at each receipt
    receipt_handle: str  # of this receipt
    body: str
    md5_of_body: str  # 32 hex digits
    # SQS's own, with times in epoch milliseconds; AWSTraceHeader if the message has one.
    attributes: Mapping[str, str]
    # The sender's, as on the wire: name -> `{"DataType": "String", "StringValue": ...}`.
    message_attributes: Mapping[str, Mapping[str, Any]]


class ReceivingQueues(Protocol):
    """SQS as an event source mapping sees it; called from several threads. All raise `LookupError` for an unknown queue."""

    def receive(self, queue_arn: str, max_messages: int) -> Sequence[ReceivedMessage]:
        """Return up to `max_messages` (1 to 10) visible messages without waiting, and hide them from now on."""

    def visibility_seconds(self, queue_arn: str) -> float:
        """Return for how long the queue hides a received message."""

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete messages by their receipt handles; handles that are no longer valid are ignored."""
