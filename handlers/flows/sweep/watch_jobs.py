"""Polling batch jobs, and pausing the scan of one that broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from handlers.adapters.batch_jobs import OVER, BatchJobs
from handlers.adapters.table import Outcome, Scans, WaitingRecords
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import ScanStatus
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import attempt_all
from handlers.runtime.clock import Clock
from handlers.runtime.logs import Log

# S3 throttles more frequent DescribeJob calls (S3 user guide, troubleshooting-batch-operations).
ASKED_SECONDS = 30.0

# When a job is over its last tasks may still run (they retry for half a minute), and the index of what waits lags.
SETTLED_SECONDS = 60.0

# Statuses of a job that ended before all its tasks were tried (S3 user guide, batch-ops-job-status).
BROKEN = frozenset({"Cancelled", "Failed"})


@dataclass(slots=True)
class WatchJobs:
    """Notes how the batch jobs stand of scans that are not over."""

    _waiting: WaitingRecords
    _scans: Scans
    _batch_jobs: BatchJobs
    _clock: Clock
    _asked: dict[str, float] = field(default_factory=dict)

    def run(self, context: SweepContext, until: float) -> None:
        """Ask after every job that may have moved, and pause the scans of those that broke."""
        self._asked = {job: at for job, at in self._asked.items() if self._clock.now() - at < ASKED_SECONDS}
        live = [scan for scan in context.scans() if scan.live]
        attempt_all((partial(self._look_after, scan, context) for scan in live), lambda: self._clock.now() <= until)

    def _look_after(self, scan: Scan, context: SweepContext) -> None:
        jobs = tuple(map(self._asked_after, scan.jobs))
        if jobs != scan.jobs:
            self._scans.note_jobs(scan.id, jobs)
            context.forget()
        self._pause_if_broken(scan, jobs, context)

    def _asked_after(self, job: BatchJob) -> BatchJob:
        if job.status in OVER or job.id in self._asked:
            return job
        self._asked[job.id] = self._clock.now()
        return self._batch_jobs.ask(job, at=self._clock.now())

    def _pause_if_broken(self, scan: Scan, jobs: tuple[BatchJob, ...], context: SweepContext) -> None:
        """Pause a scan of which a job was cancelled or failed while videos wait; a person decides whether they are analysed."""
        broken = [job for job in jobs if job.status in BROKEN and not job.told]
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
        """Note that nothing is to be decided about broken jobs: what waits later on comes from another job, and not from these.

        The scan closes by itself, and its digest says how they ended; cancelling the scan was the decision.
        """
        now = self._clock.now()
        long_over = [job for job in broken if job.terminal_since is not None and now - job.terminal_since >= SETTLED_SECONDS]
        if long_over:
            self._scans.note_jobs(scan.id, tuple(replace(job, told=True) for job in long_over))
            context.forget()
