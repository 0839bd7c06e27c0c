"""The lanes: sending the messages of records, hiding a message for a while, depths, dead letters and purging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import Lane, Record, lane_message

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_sqs import SQSClient

# Twelve hours (SQS API, ChangeMessageVisibility).
MAX_VISIBILITY_SECONDS = 43_200

# Messages of one SendMessageBatch (SQS API); ten of ours with the longest keys stay below its 256 KiB.
MAX_SENT = 10


@dataclass(frozen=True, slots=True)
class Depth:
    """About how many messages a queue holds: `visible` can be received, `other` are in flight or delayed."""

    visible: int
    other: int

    @property
    def total(self) -> int:
        """Return how many messages the queue seems to hold, hidden ones too."""
        return self.visible + self.other


class LaneQueues:
    """Both queues by their URLs, with their dead-letter queues if given."""

    def __init__(self, client: SQSClient, urls: Mapping[Lane, str], dead_letters: Mapping[Lane, str] | None = None) -> None:
        self._client = client
        self._urls = urls
        self._dead_letters = dead_letters or {}

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Return the lanes that there are: those of frames only where they are deployed."""
        return tuple(lane for lane in Lane if lane in self._urls)

    def send(self, record: Record) -> None:
        """Send the message of a record to its lane."""
        self._client.send_message(QueueUrl=self._urls[record.lane], MessageBody=lane_message.body(record))

    def lane(self, queue_arn: str) -> Lane:
        """Return which lane a queue is, by the last part of its ARN.

        Raises:
            LookupError: The queue is not in the function's environment.
        """
        name = queue_arn.rpartition(":")[2]
        for lane, url in self._urls.items():
            if url.rpartition("/")[2] == name:
                return lane
        raise LookupError(f"{queue_arn} is not one of the lanes")

    def hide(self, lane: Lane, receipt_handle: str, seconds: float) -> bool:
        """Hide a received message for `seconds` from now; return whether its receipt handle was still valid."""
        timeout = min(MAX_VISIBILITY_SECONDS, max(0, round(seconds)))
        try:
            self._client.change_message_visibility(
                QueueUrl=self._urls[lane], ReceiptHandle=receipt_handle, VisibilityTimeout=timeout
            )
        except ClientError as error:
            if fault_of(error) is not Fault.CONDITION:
                raise
            return False
        return True

    def send_all(self, records: Sequence[Record]) -> list[Record]:
        """Send the messages of records to their lanes, ten at a time; return the records whose messages were accepted.

        Records whose lane is not deployed, as those of frames may be no longer, get no message, and the others get theirs.
        """
        taken: list[Record] = []
        sent = sorted((record for record in records if record.lane in self._urls), key=lambda record: record.lane)
        for lane, group in groupby(sent, key=lambda record: record.lane):
            same = list(group)
            for first in range(0, len(same), MAX_SENT):
                taken += self._send_ten(lane, same[first : first + MAX_SENT])
        return taken

    def _send_ten(self, lane: Lane, records: Sequence[Record]) -> list[Record]:
        answer = self._client.send_message_batch(
            QueueUrl=self._urls[lane],
            Entries=[{"Id": str(number), "MessageBody": lane_message.body(record)} for number, record in enumerate(records)],
        )
        return [records[int(entry["Id"])] for entry in answer.get("Successful", [])]

    def depth(self, lane: Lane) -> Depth:
        """Return about how many messages a lane holds; SQS may be a minute late."""
        return depth_of(self._client, self._urls[lane])

    def dead_letters(self, lane: Lane) -> int:
        """Return about how many dead letters a lane has, with those that someone is looking at."""
        return depth_of(self._client, self._dead_letters[lane]).total

    def purge(self, lane: Lane) -> bool:
        """Delete every message of a lane, which takes up to a minute; False if it was purged within the last minute."""
        try:
            self._client.purge_queue(QueueUrl=self._urls[lane])
        except ClientError as error:
            if fault_of(error) is not Fault.BUSY:
                raise
            return False
        return True


def depth_of(client: SQSClient, url: str) -> Depth:
    """Return about how many messages a queue holds; SQS may be a minute late."""
    answer = client.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ],
    )
    found = {name: int(value) for name, value in answer["Attributes"].items()}
    visible = found["ApproximateNumberOfMessages"]
    return Depth(visible, found["ApproximateNumberOfMessagesNotVisible"] + found["ApproximateNumberOfMessagesDelayed"])
