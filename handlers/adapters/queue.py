"""The lanes: sending the message of a record, and giving a message back for a while."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.domain import lane_message
from handlers.domain.record import Record
from handlers.domain.states import Lane
from handlers.errors import Fault, fault_of

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_sqs import SQSClient

MAX_VISIBILITY_SECONDS = 43_200
"""Twelve hours (SQS API, ChangeMessageVisibility)."""


class LaneQueues:
    """Both queues, by their URLs."""

    def __init__(self, client: SQSClient, urls: Mapping[Lane, str]) -> None:
        self._client = client
        self._urls = urls

    def send(self, record: Record) -> None:
        """Send the message that asks for a record's analysis to the record's lane."""
        self._client.send_message(QueueUrl=self._urls[record.lane], MessageBody=lane_message.body(record))

    def lane(self, queue_arn: str) -> Lane:
        """Return which lane a queue is, by its name.

        Raises:
            LookupError: It is neither; the event source mapping does not fit the function's environment.
        """
        name = queue_arn.rpartition(":")[2]
        for lane, url in self._urls.items():
            if url.rpartition("/")[2] == name:
                return lane
        raise LookupError(f"{queue_arn} is none of the lanes")

    def hide(self, lane: Lane, receipt_handle: str, seconds: float) -> bool:
        """Keep a message that was received from everybody for so long from now; tell whether it was still ours to hide."""
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
