"""Cancelling the waiting videos of cancelled scans; running ones finish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.adapters.table import WaitingRecords
from handlers.domain import Record, ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.pace import paced
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class CancelVideos:
    """Takes waiting videos of cancelled scans to CANCELLED, unless their analysis may have started."""

    _waiting: WaitingRecords
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
