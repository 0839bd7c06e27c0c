"""Uploads as the sweeper sees them: what a watched bucket holds, and the queue of uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, ThrottledError, code_of, fault_of
from handlers.adapters.queue import MAX_SENT, depth_of
from handlers.domain import upload
from handlers.domain.upload import Upload
from handlers.runtime import Clock, backoff_seconds

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# Attempts to send messages that SQS did not take.
ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class ListedObject:
    """The newest content of a key as a listing has it: etag without quotes, size in bytes, LastModified in epoch seconds."""

    key: str
    etag: str
    size: int
    modified_at: float


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Objects in order of their keys, and whether others follow the last one."""

    objects: tuple[ListedObject, ...]
    more: bool


class NotListedError(Exception):
    """A bucket is gone, or may not be listed; the message is S3's code."""


class BucketListing:
    """The objects of buckets, page by page."""

    def __init__(self, client: S3Client) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take

    def page(self, bucket: str, prefix: str, after_key: str) -> ListedPage:
        """Return the first objects with a prefix whose keys follow a key ("": any), a thousand at most.

        Raises:
            NotListedError: The bucket is gone, or may not be listed.
        """
        after = {"StartAfter": after_key} if after_key else {}
        try:
            answer = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, **after)
        except ClientError as error:
            if fault_of(error) in (Fault.MISSING, Fault.FORBIDDEN):
                raise NotListedError(code_of(error)) from error
            raise
        objects = tuple(
            ListedObject(entry["Key"], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"].timestamp())
            for entry in answer.get("Contents", [])
        )
        return ListedPage(objects, more=answer["IsTruncated"] and bool(objects))


class UploadQueue:
    """The queue of uploads, with its dead-letter queue."""

    def __init__(self, client: SQSClient, url: str, dead_letters_url: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._dead_letters_url = dead_letters_url
        self._clock = clock

    def send_all(self, uploads: Sequence[Upload]) -> None:
        """Send messages about uploads that no event brought, ten at a time, until SQS has taken each."""
        for first in range(0, len(uploads), MAX_SENT):
            self._send_ten([upload.compared_body(each) for each in uploads[first : first + MAX_SENT]])

    def _send_ten(self, bodies: Sequence[str]) -> None:
        for attempt in range(ATTEMPTS):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
            )
            taken = {int(entry["Id"]) for entry in answer.get("Successful", [])}
            bodies = [body for number, body in enumerate(bodies) if number not in taken]
            if not bodies:
                return
            self._clock.sleep(backoff_seconds(attempt, base=0.1, cap=2.0))
        raise ThrottledError(f"SQS did not take all messages in {ATTEMPTS} attempts: {len(bodies)} are left")

    def dead_letters(self) -> int:
        """Return about how many dead letters there are, with those that someone is looking at."""
        return depth_of(self._client, self._dead_letters_url).total
