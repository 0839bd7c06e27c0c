"""How many messages a queue has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The codes of SQS for a queue that is gone, in the JSON protocol and in the older one.
_NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


def depth_of(sqs: SQSClient, url: str) -> int | None:
    """Return how many messages a queue has, those being processed included; None if it is gone."""
    try:
        counts = sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
    except ClientError as error:
        if code_of(error) in _NO_QUEUE:
            return None
        raise
    return sum(map(int, counts.values()))
