"""One standard queue: a message has one receiver at a time, and becomes visible again when its visibility timeout ends.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
import itertools
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.emulator.core import Clock, ReceivedMessage
from tools.emulator.services.sqs.errors import SqsError, invalid_value

# Counted from a message's last receipt; an extension does not restart it [SQSAPI:API_ChangeMessageVisibility].
MAX_VISIBILITY_SECONDS = 43_200
# After this many receipts a message goes to the back of its queue; before, it keeps its place while it is hidden
# [SQS:sqs-available-cloudwatch-metrics, ApproximateAgeOfOldestMessage]. Standard queues promise no order; this one keeps the
# order that the page describes.
BACK_AFTER_RECEIVES = 3
# As in moto and in AWS's documentation.
SENDER = "AIDAIT2UOQQY3AUEKVGXU"


@dataclass(slots=True)
class Message:
    """A message in a queue."""

    body: str
    attributes: Mapping[str, Any]  # the sender's: name -> `{"DataType": "String", "StringValue": ...}`
    trace: str | None  # the sender's X-Ray trace header, if there was one
    sent_at: float  # epoch seconds; a dead letter keeps those of its first queue
    visible_at: float  # epoch seconds from which on it can be received
    receives: int = 0  # how often it was received
    first_received_at: float | None = None  # epoch seconds, None before
    received_at: float | None = None  # when it was last received, likewise
    source_arn: str | None = None  # a dead letter's first queue
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def md5(self) -> str:
        """The MD5 of the body, 32 hex digits."""
        return hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest()

    @property
    def handle(self) -> str:
        """The receipt handle of its last receipt."""
        return base64.urlsafe_b64encode(f"{self.id} {self.receives}".encode()).decode()

    def system_attributes(self) -> dict[str, str]:
        """Return SQS's own attributes, with times in epoch milliseconds."""
        found = {
            "SenderId": SENDER,
            "SentTimestamp": str(int(self.sent_at * 1000)),
            "ApproximateReceiveCount": str(self.receives),
            "ApproximateFirstReceiveTimestamp": str(int((self.first_received_at or 0.0) * 1000)),
        }
        if self.trace is not None:
            found["AWSTraceHeader"] = self.trace
        if self.source_arn is not None:
            found["DeadLetterQueueSourceArn"] = self.source_arn
        return found


@dataclass(frozen=True, slots=True)
class Limits:
    """A queue's settings; `max_receives` is None if it has no dead-letter queue."""

    visibility_seconds: float = 30.0
    delay_seconds: float = 0.0
    retention_seconds: float = 345_600.0
    max_receives: int | None = None


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages are visible, in flight and delayed."""

    visible: int
    in_flight: int
    delayed: int


class MessageQueue:
    """The messages of one queue; thread-safe.

    `refuses_late`: whether hiding a message is refused once it has become visible again.
    """

    def __init__(self, clock: Clock, *, refuses_late: bool = False) -> None:
        self._clock = clock
        self._refuses_late = refuses_late
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        # (visible from, order, message id) of hidden and new messages; outdated entries are skipped.
        self._agenda: list[tuple[float, int, str]] = []
        # (place, order, message id) of visible messages. The place is the time when a message was sent or became visible.
        self._line: list[tuple[float, int, str]] = []
        self._in_line: set[str] = set()
        self._order = itertools.count()

    def send(self, body: str, attributes: Mapping[str, Any], limits: Limits, *, delay: float | None, trace: str | None) -> Message:
        """Add a message."""
        now = self._clock.now()
        message = Message(body, attributes, trace, now, now + (limits.delay_seconds if delay is None else delay))
        self.add(message)
        return message

    def add(self, message: Message) -> None:
        """Add a message; a dead letter keeps its id, its times and its attributes."""
        with self._lock:
            self._messages[message.id] = message
            self._plan(message)

    def receive(self, count: int, limits: Limits, visibility: float | None = None) -> tuple[list[ReceivedMessage], list[Message]]:
        """Hide visible messages and return them; also remove and return those that were received too often."""
        timeout = limits.visibility_seconds if visibility is None else visibility
        chosen: list[Message] = []
        dead: list[Message] = []
        with self._lock:
            now = self._clock.now()
            for message in self._visible(now, limits):
                if limits.max_receives is not None and message.receives >= limits.max_receives:
                    del self._messages[message.id]
                    dead.append(message)
                    continue
                chosen.append(message)
                if len(chosen) == count:
                    break
            return [self._hand_out(message, now, timeout) for message in chosen], dead

    def delete(self, handle: str) -> None:
        """Delete a message by the handle of its last receipt; an older handle has no effect, as on AWS.

        Raises:
            SqsError: The text is not a receipt handle.
        """
        message_id, receipt = _parse(handle)
        with self._lock:
            message = self._messages.get(message_id)
            if message is not None and message.receives == receipt:
                del self._messages[message_id]

    def change_visibility(self, handle: str, seconds: float) -> None:
        """Hide a received message for some seconds from now on; 0 makes it visible at once.

        Raises:
            SqsError: It was deleted or received again, or would be hidden for over 12 hours from its receipt.
        """
        message_id, receipt = _parse(handle)
        with self._lock:
            now = self._clock.now()
            message = self._messages.get(message_id)
            if message is None or message.receives != receipt:
                # AWS answers so, although its API reference names no such error (mapbox/ecs-watchbot#135, vmihailenco/taskq#29).
                reason = "Message does not exist or is not available for visibility timeout change."
                raise invalid_value("ReceiptHandle", handle, reason)
            if message.visible_at <= now:
                if self._refuses_late:
                    reason = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message is not in flight."
                    raise SqsError("MessageNotInflight", reason)
                return
            if now + seconds - (message.received_at or now) > MAX_VISIBILITY_SECONDS:
                raise invalid_value(
                    "VisibilityTimeout", seconds, "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]."
                )
            message.visible_at = now + seconds
            self._plan(message)

    def purge(self) -> None:
        """Delete all messages."""
        with self._lock:
            self._messages.clear()
            self._agenda.clear()
            self._line.clear()
            self._in_line.clear()

    def depth(self, limits: Limits) -> Depth:
        """Return how many messages there are, without those whose retention period is over."""
        with self._lock:
            now = self._clock.now()
            kept = [message for message in self._messages.values() if message.sent_at + limits.retention_seconds > now]
        hidden = [message for message in kept if message.visible_at > now]
        delayed = sum(not message.receives for message in hidden)
        return Depth(len(kept) - len(hidden), len(hidden) - delayed, delayed)

    def next_visible_in(self) -> float | None:
        """Return in how many seconds a hidden message becomes visible, or None if none is hidden."""
        with self._lock:
            now = self._clock.now()
            return min((message.visible_at - now for message in self._messages.values() if message.visible_at > now), default=None)

    def _plan(self, message: Message) -> None:
        heapq.heappush(self._agenda, (message.visible_at, next(self._order), message.id))

    def _visible(self, now: float, limits: Limits) -> Iterator[Message]:
        """Yield visible messages, taking each out of the line."""
        self._line_up(now)
        while self._line:
            _, _, message_id = heapq.heappop(self._line)
            self._in_line.discard(message_id)
            message = self._messages.get(message_id)
            if message is None:
                continue
            if message.sent_at + limits.retention_seconds <= now:
                del self._messages[message_id]
                continue
            yield message

    def _line_up(self, now: float) -> None:
        while self._agenda and self._agenda[0][0] <= now:
            visible_at, order, message_id = heapq.heappop(self._agenda)
            message = self._messages.get(message_id)
            if message is not None and message.visible_at == visible_at and message_id not in self._in_line:
                self._in_line.add(message_id)
                place = message.sent_at if message.receives < BACK_AFTER_RECEIVES else visible_at
                heapq.heappush(self._line, (place, order, message_id))

    def _hand_out(self, message: Message, now: float, timeout: float) -> ReceivedMessage:
        message.receives += 1
        message.first_received_at = message.first_received_at or now
        message.received_at = now
        message.visible_at = now + timeout
        self._plan(message)
        return ReceivedMessage(
            message.id, message.handle, message.body, message.md5, message.system_attributes(), message.attributes
        )


def _parse(handle: str) -> tuple[str, int]:
    try:
        message_id, _, receipt = base64.urlsafe_b64decode(handle).decode().partition(" ")
        return message_id, int(receipt)
    except (binascii.Error, ValueError):
        message = f'The input receipt handle "{handle}" is not a valid receipt handle.'
        raise SqsError("ReceiptHandleIsInvalid", message, "ReceiptHandleIsInvalid") from None
