"""The queue of the outbox: messages that hint at its items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handlers.adapters.queue import MAX_SENT, Depth, depth_of
from handlers.domain import outbox
from handlers.domain.outbox import Due

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_sqs import SQSClient


class OutboxQueue:
    """One queue by its URL."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send_all(self, items: Sequence[Due]) -> None:
        """Send the messages of items, ten at a time; one that SQS does not take is sent by the next sweep."""
        for first in range(0, len(items), MAX_SENT):
            ten = items[first : first + MAX_SENT]
            entries = [{"Id": str(number), "MessageBody": outbox.body(due)} for number, due in enumerate(ten)]
            self._client.send_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type] # a TypedDict

    def depth(self) -> Depth:
        """Return about how many messages there are; SQS may be a minute late."""
        return depth_of(self._client, self._url)
