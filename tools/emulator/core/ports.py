"""What the engines of the offline world need of each other: small ports, so that each engine is tested alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class NoSuchObjectError(Exception):
    """There is no such bucket, key or version, or it is a delete marker."""


class ObjectArchivedError(Exception):
    """The object is in an archive class and not restored."""


class ObjectForbiddenError(Exception):
    """The service that asks may not read or write the object."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's content and what S3 says about it: etag without quotes, version None where the bucket has none.

    `encryption` is the value of x-amz-server-side-encryption ("AES256", "aws:kms", "aws:kms:dsse"), None where it is not known.
    """

    body: bytes
    etag: str
    size: int
    version_id: str | None
    encryption: str | None = None


@dataclass(frozen=True, slots=True)
class ListedVersion:
    """One version of an object as a listing shows it: bytes, epoch seconds, version None where there are none."""

    key: str
    version_id: str | None
    latest: bool
    size: int
    modified: float
    storage_class: str


class Objects(Protocol):
    """S3 as other services see it."""

    def list(self, bucket: str) -> Iterator[ListedVersion]:
        """Yield the versions of a bucket's objects by key, without delete markers; raise as `read` does for the bucket."""

    def read(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """Return an object, or raise `NoSuchObjectError`, `ObjectArchivedError` or `ObjectForbiddenError`."""

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object with SSE-S3; raise `NoSuchObjectError` where there is no such bucket, or `ObjectForbiddenError`."""


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What a synchronous invocation came to."""

    status: int  # 200 where the function ran, 429 where it was throttled, 404 where there is none, 500 for a fault of Lambda's
    payload: bytes  # what the function returned, or the error object (`errorMessage`, `errorType`, ...), as JSON
    function_error: str | None = None  # None, or "Unhandled" where the function raised, timed out or died


class Functions(Protocol):
    """Lambda as other services see it. Neither call blocks."""

    def invoke(self, function_arn: str, payload: bytes, done: Callable[[InvocationResult], None]) -> None:
        """Invoke a function and call `done` once with the result (RequestResponse)."""

    def invoke_event(self, function_arn: str, payload: bytes, *, trace: str | None = None) -> str | None:
        """Queue an asynchronous invocation and return its request id, or None if there is no such function."""


class Topics(Protocol):
    """SNS as other services see it."""

    def publish(self, topic_arn: str, message: str) -> None:
        """Publish a message to a topic; raise `LookupError` where there is no such topic."""


class Queues(Protocol):
    """SQS as other services see it."""

    def send(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        """Send a message (attributes are strings); raise `LookupError` where there is no such queue."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it was received: what it was at that moment."""

    message_id: str  # SQS's id of the message, the same at each receipt
    receipt_handle: str  # the handle of this receipt
    body: str
    md5_of_body: str  # 32 hex digits
    # SQS's own, by their names, times in epoch milliseconds; AWSTraceHeader where the message has one.
    attributes: Mapping[str, str]
    # The sender's, as they travel: name -> `{"DataType": "String", "StringValue": ...}`.
    message_attributes: Mapping[str, Mapping[str, Any]]


class ReceivingQueues(Protocol):
    """SQS as an event source mapping sees it. Called from several threads; each raises `LookupError` for an unknown queue."""

    def receive(self, queue_arn: str, max_messages: int) -> Sequence[ReceivedMessage]:
        """Return up to `max_messages` (1 to 10) visible messages, hidden from now on, without waiting."""

    def visibility_seconds(self, queue_arn: str) -> float:
        """Return for how long the queue hides a message that was received."""

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete messages by the handles of their receipts; a handle that is no longer valid is ignored."""
