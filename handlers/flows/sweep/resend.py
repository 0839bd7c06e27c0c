"""Sending messages again, whether they were lost, dropped, dead or too old: the record decides, a message is only a hint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from handlers.adapters import LaneQueues
from handlers.adapters.table import Scans, WaitingRecords
from handlers.domain import Record, Scan
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.pace import paced
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class ResendMessages:
    """Sends the messages of videos that have waited too long again."""

    _waiting: WaitingRecords
    _scans: Scans
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Send again, the oldest first, unless starting is paused."""
        if context.settings().paused:
            return
        for scan in context.open_scans():
            if scan.resend_due:
                self._scans.resend_now(scan.id)
                context.forget()
        for scan in context.open_scans():
            paced(self._due(scan), self._send, self._clock, until)

    def _due(self, scan: Scan) -> Iterator[Record]:
        # What is being cancelled keeps its time, by which it is found.
        before = rules.sent_again_before(scan, self._clock.now())
        return (record for record in self._waiting.waiting(scan.id, before=before) if not scan.cancels(record))

    def _send(self, records: Sequence[Record]) -> None:
        # The message first: dying in between leaves one message too many, never one too few.
        taken = self._queues.send_all(records)
        count = self._waiting.requeue(taken, at=self._clock.now())
        Log().info("messages sent again", scan_id=records[0].scan_id, messages=len(taken), records=count)
