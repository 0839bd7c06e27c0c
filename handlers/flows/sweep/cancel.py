"""Cancelling the waiting videos of cancelled scans; running ones finish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.adapters import LaneQueues
from handlers.adapters.table import WaitingRecords
from handlers.domain import Record, ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.pace import paced
from handlers.runtime import Clock, Log

# How often the message is sent again of a video in a cancelled scan whose analysis may have started.
REMIND_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class CancelVideos:
    """Takes waiting videos of cancelled scans to CANCELLED, unless their analysis may have started."""

    _waiting: WaitingRecords
    _queues: LaneQueues
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Cancel the waiting videos of every live cancelled scan."""
        for scan in context.scans():
            cancelled = scan.status is ScanStatus.CANCELLED and scan.live
            if cancelled and not paced(self._waiting.waiting(scan.id), self._cancel, self._clock, until):
                return

    def _cancel(self, records: Sequence[Record]) -> None:
        cancelled = self._waiting.cancel(records, at=self._clock.now())
        Log().info("videos cancelled", scan_id=records[0].scan_id, count=cancelled.count, owed=len(cancelled.may_have_started))
        self._remind(cancelled.may_have_started)

    def _remind(self, may_have_started: Iterable[Record]) -> None:
        """Send messages again for videos that may have started: only a starter can find out, by repeating Start."""
        now = self._clock.now()
        late = [record for record in may_have_started if now - (record.queued_at or 0.0) >= REMIND_SECONDS]
        if late:
            self._waiting.requeue(self._queues.send_all(late), at=now)
