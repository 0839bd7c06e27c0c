"""Sending the messages of videos whose Start has an unknown outcome again, so that a starter repeats the Start."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.adapters import LaneQueues
from handlers.adapters.table import Records, Starting
from handlers.domain import Lane, State
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# Longer than an invocation of start_analysis and the time for which its message stays hidden after it: whoever noted the Start is
# no longer at it.
REPEAT_SECONDS = 1_200.0


@dataclass(frozen=True, slots=True)
class RepeatStarts:
    """Sends messages to the express lane, whatever the lane of their video.

    A message that was received three times goes to the back of its queue (docs/aws.md#6-sqs): behind a million others it would
    come up only after the job's result is gone. Until the Start is repeated the video takes a slot.
    """

    _records: Records
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Send the messages of all whose outcome has been unknown for a while, unless starting is paused."""
        if context.settings().paused:
            return
        for starting in self._records.starting():
            now = self._clock.now()
            if now > until:
                return
            if now - (starting.sent_at or starting.since) >= REPEAT_SECONDS:
                self._send(starting)

    def _send(self, starting: Starting) -> None:
        log = Log({"scan_id": starting.scan_id, "video_id": starting.video_id})
        record = self._records.record(starting.video_id, starting.scan_id)
        noted = record is not None and record.state is State.WAITING and record.start_tried_at is not None
        if record is None or not noted or record.attempt != starting.attempt:
            outcome = self._records.forget_starting(starting)
            log.alarm("a Start is noted that its record does not know", outcome=outcome.value)
            return
        # The message first: dying in between leaves one message too many, never one too few.
        self._queues.send(replace(record, lane=Lane.EXPRESS))
        outcome = self._records.note_message_sent(starting, at=self._clock.now())
        log.warning("start still unknown: message sent to the express lane", outcome=outcome.value)
