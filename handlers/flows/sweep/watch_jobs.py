"""Polling batch jobs, and pausing a scan whose job was cancelled or failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from handlers.adapters import BatchJobs
from handlers.adapters.table import Outcome, Scans, WaitingRecords
from handlers.domain import BatchJob, Scan, ScanStatus, batch_jobs
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import attempt_all
from handlers.runtime import Clock, Log

# S3 throttles more frequent DescribeJob calls (S3 user guide, troubleshooting-batch-operations).
POLL_SECONDS = 30.0

# When a job ends, its last tasks may still run (they retry for half a minute), and the index of waiting records lags.
SETTLED_SECONDS = 60.0


@dataclass(slots=True)
class WatchJobs:
    """Notes the status of the batch jobs of live scans."""

    _waiting: WaitingRecords
    _scans: Scans
    _batch_jobs: BatchJobs
    _clock: Clock
    _polled_at: dict[str, float] = field(default_factory=dict)

    def run(self, context: SweepContext, until: float) -> None:
        """Poll every job that has not ended, and pause the scans of broken ones."""
        self._polled_at = {job: at for job, at in self._polled_at.items() if self._clock.now() - at < POLL_SECONDS}
        live = [scan for scan in context.scans() if scan.live]
        attempt_all((partial(self._watch, scan, context) for scan in live), lambda: self._clock.now() <= until)

    def _watch(self, scan: Scan, context: SweepContext) -> None:
        jobs = tuple(map(self._polled, scan.jobs))
        if jobs != scan.jobs:
            self._scans.note_jobs(scan.id, jobs)
            context.forget()
        self._pause_if_broken(scan, jobs, context)

    def _polled(self, job: BatchJob) -> BatchJob:
        if job.status in batch_jobs.TERMINAL or job.id in self._polled_at:
            return job
        self._polled_at[job.id] = self._clock.now()
        return self._batch_jobs.poll(job, at=self._clock.now())

    def _pause_if_broken(self, scan: Scan, jobs: tuple[BatchJob, ...], context: SweepContext) -> None:
        """Pause a scan whose job broke while videos wait: a person decides whether they are analysed."""
        broken = [job for job in jobs if job.status in batch_jobs.BROKEN and not job.told]
        if not broken or scan.status is ScanStatus.PAUSED:
            return
        if scan.status is ScanStatus.CANCELLED or self._waiting.waiting_seems_empty(scan.id):
            self._settle(scan, broken, context)
            return
        reason = "; ".join(f"its batch job {job.id} is {job.status.lower()}" for job in broken)
        if self._scans.pause_broken_scan(scan.id, frozenset(job.id for job in broken), reason) is Outcome.DONE:
            Log({"scan_id": scan.id}).alarm("scan paused", reason=reason)
        context.forget()

    def _settle(self, scan: Scan, broken: Sequence[BatchJob], context: SweepContext) -> None:
        """Note that broken jobs need no decision: their scan was cancelled, or nothing of them waited.

        The scan closes by itself, and its digest reports how they ended. What waits later comes from another job.
        """
        now = self._clock.now()
        long_over = [job for job in broken if job.terminal_since is not None and now - job.terminal_since >= SETTLED_SECONDS]
        if long_over:
            self._scans.note_jobs(scan.id, tuple(replace(job, told=True) for job in long_over))
            context.forget()
