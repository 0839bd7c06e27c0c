"""Lane events: runs a flow for each message of an SQS event, and returns those to defer.

Source: Lambda developer guide, services-sqs-errorhandling (partial batch responses); SQS developer guide, visibility timeout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from handlers.adapters import LaneQueues, code_of
from handlers.domain import json_text, lane_message
from handlers.flows.sample import SampleFlow
from handlers.flows.start import StartFlow
from handlers.flows.start_rules import Defer
from handlers.runtime import Clock, Log

# How long a message stays hidden after its invocation: a dead starter's comes back soon, a running one's is never received twice.
GRACE_SECONDS = 30.0

# How long a message is deferred after an error of the table, of S3 or of our own.
TROUBLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Received:
    """One message as Lambda passes it."""

    id: str
    handle: str
    body: str
    queue_arn: str
    receives: int


@dataclass(frozen=True, slots=True)
class LaneEventsFlow:
    """Answers the event source mappings of the two lanes of an engine."""

    _starting: StartFlow | SampleFlow
    _queues: LaneQueues
    _clock: Clock

    def respond(self, event: object, *, deadline: float) -> dict[str, Any]:
        """Process an event's messages; return the deferred ones as a partial batch response."""
        entries = json_text.items(json_text.mapping(event).get("Records"))
        if not entries:
            Log().alarm("the event is no SQS event: it has no records")
        received = [_received(json_text.mapping(entry)) for entry in entries]
        back = [message.id for message in received if self._process(message, deadline)]
        return {"batchItemFailures": [{"itemIdentifier": name} for name in back]}

    def _process(self, received: _Received, deadline: float) -> bool:
        """Process one message; return whether it is deferred."""
        message = lane_message.parse(received.body)
        if message is None:
            Log().alarm("message dropped: it is none of ours", message_id=received.id)
            return False
        try:
            lane = self._queues.lane(received.queue_arn)
            self._queues.hide(lane, received.handle, deadline - self._clock.now() + GRACE_SECONDS)
            back = self._starting.start(message, receives=received.receives, deadline=deadline)
        except Exception as error:  # noqa: BLE001 # a deferred message comes back sooner than after an exception
            log = Log({"scan_id": message.analysis.scan_id, "video_id": message.analysis.video_id})
            log.alarm("message not dealt with", cause=error, reason=code_of(error))
            back = Defer(TROUBLE_SECONDS, code_of(error))
        if back is None:
            return False
        self._defer(received, back)
        return True

    def _defer(self, received: _Received, back: Defer) -> None:
        """Make a message visible after a while; if that fails, it becomes visible when its present time-out ends."""
        try:
            self._queues.hide(self._queues.lane(received.queue_arn), received.handle, back.seconds)
        except Exception as error:  # noqa: BLE001 # it comes back in any case
            Log().warning("message handed back late", message_id=received.id, reason=code_of(error))


def _received(entry: dict[str, object]) -> _Received:
    attributes = json_text.mapping(entry.get("attributes"))
    return _Received(
        id=json_text.text_or_empty(entry.get("messageId")),
        handle=json_text.text_or_empty(entry.get("receiptHandle")),
        body=json_text.text_or_empty(entry.get("body")),
        queue_arn=json_text.text_or_empty(entry.get("eventSourceARN")),
        receives=int(json_text.text_or_empty(attributes.get("ApproximateReceiveCount")) or 1),
    )
