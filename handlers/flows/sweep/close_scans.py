"""Closing scans of which nothing is left to come, and noting how fast the others go."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters.table import Outcome, Records, Scans, WaitingRecords
from handlers.domain.record import Progress, Scan
from handlers.domain.states import ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import MAILS_LOOKED_AT
from handlers.runtime.clock import Clock
from handlers.runtime.logs import Log

# A batch job may be over while the last invocations of its tasks still run.
JOBS_OVER_SECONDS = 300.0

# The indexes lag behind the table: a scan is closed only when two sweeps this far apart saw nothing of it.
EMPTY_SECONDS = 60.0

# A scan without a batch job after this time gets none: its submission was interrupted before the job was created.
SUBMITTING_SECONDS = 86_400.0

# How often it is noted how many videos of a scan are final: reading its totals costs a read of some sixty small items.
PROGRESS_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Which scans have analyses running or mails due; `complete` where all due mails were seen."""

    scan_ids: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class CloseScans:
    """Closes open scans, and ends cancelled ones."""

    _records: Records
    _waiting: WaitingRecords
    _scans: Scans
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Close every scan of which nothing was seen in two sweeps after its jobs were over."""
        over = [
            scan for scan in context.scans() if scan.live and scan.status is not ScanStatus.PAUSED and self._jobs_are_over(scan)
        ]
        if not over:
            return
        under_way = self._under_way()
        for scan in over:
            if self._clock.now() > until:
                return
            self._close(scan, context, empty=self._seems_empty(scan, under_way))

    def _jobs_are_over(self, scan: Scan) -> bool:
        """Tell whether every batch job has been over for a while.

        An open scan that lacks some is still being submitted; one that has none at all only for a day, then nothing will come.
        """
        now = self._clock.now()
        if scan.status is ScanStatus.CANCELLED and now - (scan.held_at or 0.0) < JOBS_OVER_SECONDS:
            return False
        if not scan.jobs and scan.status is not ScanStatus.CANCELLED:
            return now - scan.created_at >= SUBMITTING_SECONDS
        return (not scan.missing_jobs or scan.status is ScanStatus.CANCELLED) and all(
            job.terminal_since is not None and now - job.terminal_since >= JOBS_OVER_SECONDS for job in scan.jobs
        )

    def _under_way(self) -> _UnderWay:
        mails = self._records.mails_due(MAILS_LOOKED_AT)
        running = (running.scan_id for running in self._records.running())
        return _UnderWay(frozenset(running) | {scan_id for _, scan_id in mails}, complete=len(mails) < MAILS_LOOKED_AT)

    def _seems_empty(self, scan: Scan, under_way: _UnderWay) -> bool:
        nothing_seen = under_way.complete and scan.id not in under_way.scan_ids
        return nothing_seen and self._waiting.waiting_seems_empty(scan.id)

    def _close(self, scan: Scan, context: SweepContext, *, empty: bool) -> None:
        now, since = self._clock.now(), scan.waiting_empty_since
        if empty and since is not None:
            if now - since >= EMPTY_SECONDS and self._scans.close_scan(scan) is Outcome.DONE:
                Log().info("scan closed", scan_id=scan.id)
                context.forget()
        elif empty != (since is not None):
            self._scans.note_waiting_empty(scan.id, now if empty else None)
            context.forget()


@dataclass(frozen=True, slots=True)
class NoteProgress:
    """Notes every ten minutes how many videos of an open scan are final, from which its speed is computed."""

    _scans: Scans
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Note the progress of every open scan where it is time."""
        for scan in context.open_scans():
            now = self._clock.now()
            if now > until:
                return
            if not scan.progress or now - scan.progress[-1].at >= PROGRESS_SECONDS:
                self._scans.note_progress(scan.id, Progress(now, self._scans.totals(scan.id).final))
