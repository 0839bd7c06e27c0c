"""Closing finished scans, and noting the progress of the others."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.adapters.table import Outcome, Records, Samplings, Scans, WaitingRecords, Watches
from handlers.domain import Progress, Scan, ScanStatus, batch_jobs, watch
from handlers.flows.sweep import rules
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.send_mail import MAILS_LOOKED_AT
from handlers.runtime import Clock, Log

# The last invocations of a batch job may still run after its end, unless all its tasks were answered.
JOBS_OVER_SECONDS = 300.0

# The indexes lag behind the table: a scan is closed only once two sweeps, a minute apart, saw nothing of it wait.
EMPTY_SECONDS = 55.0

# A scan without a batch job after this time will never have one: its submission was interrupted.
NO_JOB_SECONDS = 86_400.0

# The scan of a day waits this long after its end for late events, and until its bucket is compared, but no longer than a day.
DAY_OVER_SECONDS = 3_600.0
COMPARED_SECONDS = 86_400.0

# Interval between two notes of progress: each reads the 64 totals items of a scan.
PROGRESS_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Scans with running analyses or due mails; `complete` if all due mails were seen."""

    scan_ids: frozenset[str]
    complete: bool


@dataclass(frozen=True, slots=True)
class CloseScans:
    """Closes open scans, and cancelled ones once all their videos are final."""

    _records: Records
    _samplings: Samplings
    _waiting: WaitingRecords
    _scans: Scans
    _watches: Watches
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Close every scan whose jobs are over and of which nothing was seen in two sweeps."""
        over = [scan for scan in context.scans() if scan.live and scan.status is not ScanStatus.PAUSED and self._is_over(scan)]
        if not over:
            return
        under_way = self._under_way()
        for scan in over:
            if self._clock.now() > until:
                return
            self._close(scan, context, empty=self._seems_empty(scan, under_way))

    def _is_over(self, scan: Scan) -> bool:
        """Tell whether no batch job, or upload of its day, can register another of its videos."""
        if scan.day is not None:
            return self._day_is_over(scan, scan.day)
        return _all_answered(scan) or self._all_final(scan) or self._jobs_are_over(scan)

    def _day_is_over(self, scan: Scan, day: str) -> bool:
        """Tell whether a day is over, and its bucket compared: what events have missed is to be in the scan's only digest."""
        late = self._clock.now() - watch.end_of(day)
        if late < DAY_OVER_SECONDS:
            return False
        return late >= COMPARED_SECONDS or rules.compared_since(self._watches.state(scan.bucket), watch.end_of(day))

    def _all_final(self, scan: Scan) -> bool:
        """Tell whether every object of a scan is final, although a task of its only batch job failed."""
        jobs = scan.jobs
        if scan.missing_jobs or len(jobs) != 1 or jobs[0].status != batch_jobs.COMPLETE or jobs[0].tasks is None:
            return False
        return self._scans.totals(scan.id).final >= jobs[0].tasks

    def _jobs_are_over(self, scan: Scan) -> bool:
        """Tell whether every batch job has been over for a while.

        An open scan that lacks jobs is still being submitted; if it has none after a day, none will come.
        """
        now = self._clock.now()
        if scan.status is ScanStatus.CANCELLED and now - (scan.held_at or 0.0) < JOBS_OVER_SECONDS:
            return False
        if not scan.jobs and scan.status is not ScanStatus.CANCELLED:
            return now - scan.created_at >= NO_JOB_SECONDS
        return (not scan.missing_jobs or scan.status is ScanStatus.CANCELLED) and all(
            job.terminal_since is not None and now - job.terminal_since >= JOBS_OVER_SECONDS for job in scan.jobs
        )

    def _under_way(self) -> _UnderWay:
        mails = self._records.mails_due(MAILS_LOOKED_AT)
        running = {running.scan_id for running in self._records.running()}
        sampling = {sampling.scan_id for sampling in self._samplings.all()}
        mailed = {scan_id for _, scan_id in mails}
        return _UnderWay(frozenset(running | sampling | mailed), complete=len(mails) < MAILS_LOOKED_AT)

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


def _all_answered(scan: Scan) -> bool:
    """Tell whether every task of every batch job succeeded: what succeeded is registered."""
    complete = all(job.status == batch_jobs.COMPLETE and job.tasks is not None and job.succeeded == job.tasks for job in scan.jobs)
    return bool(scan.jobs) and not scan.missing_jobs and complete


@dataclass(frozen=True, slots=True)
class NoteProgress:
    """Notes every ten minutes how many videos of an open scan are final, for the forecast."""

    _scans: Scans
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:
        """Note the progress of every open scan whose last note is old enough."""
        for scan in context.open_scans():
            now = self._clock.now()
            if now > until:
                return
            if not scan.progress or now - scan.progress[-1].at >= PROGRESS_SECONDS:
                self._scans.note_progress(scan.id, Progress(now, self._scans.totals(scan.id).final, scan.handed_over))
