"""Cancelling the waiting videos of cancelled scans, and what waited when the scan of a day was cancelled; running ones finish."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.adapters.table import Scans, WaitingRecords
from handlers.domain import Record, Scan, ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.pace import paced
from handlers.runtime import Clock, Log


@dataclass(frozen=True, slots=True)
class CancelVideos:
    """Takes videos to CANCELLED, unless their analysis may have started."""

    _waiting: WaitingRecords
    _scans: Scans
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Cancel the videos of every live scan that are to be cancelled."""
        for scan in context.scans():
            if scan.cancel_due:
                self._scans.cancel_now(scan.id)
                context.forget()
        for scan in context.scans():
            if scan.live:
                paced(self._cancelled(scan), self._cancel, self._clock, until)

    def _cancelled(self, scan: Scan) -> Iterable[Record]:
        if scan.status is ScanStatus.CANCELLED:
            return self._waiting.waiting(scan.id)
        return () if scan.cancel_before is None else self._waiting.waiting(scan.id, before=scan.cancel_before)

    def _cancel(self, records: Sequence[Record]) -> None:
        cancelled = self._waiting.cancel(records, at=self._clock.now())
        Log().info("videos cancelled", scan_id=records[0].scan_id, count=cancelled.count, owed=len(cancelled.may_have_started))
