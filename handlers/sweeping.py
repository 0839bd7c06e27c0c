"""Sweeping, once a minute: what no event brings about. Sends due mails, asks after batch jobs, closes finished scans.

Each chore stands alone: one that fails does not keep the others back. Design, sections 3, 4 and 5.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from handlers import errors
from handlers.adapters.batch_jobs import OVER, BatchJobs
from handlers.adapters.mail import MailTopic
from handlers.adapters.table import Outcome, ScanTable
from handlers.clock import Clock
from handlers.domain.mail import flagged_mail
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import ScanStatus
from handlers.logs import Log

MAIL_PACE_SECONDS = 0.2
"""SNS suspends an e-mail subscription above 10 messages a second (General Reference, SNS quotas): half of that."""

MAILS_A_SWEEP = 200
LAST_SECONDS = 30.0
"""No chore goes on with less time left."""

JOB_ASKED_SECONDS = 30.0
"""S3 slows down who asks after a batch job more often (S3 user guide, troubleshooting-batch-operations)."""

JOBS_OVER_SECONDS = 300.0
"""A batch job may be over while the last invocations of its tasks still run."""

EMPTY_SECONDS = 60.0
"""The indexes lag behind the table: a scan is closed only when nothing of it was seen in two sweeps so far apart."""

MAILS_LOOKED_AT = 1_000


class SweepError(Exception):
    """Some chores failed; the next sweep tries again."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """Which scans have analyses running or mails due; `complete` where all due mails were seen."""

    scan_ids: frozenset[str]
    complete: bool


class Sweeping:
    """Sweeps; lives as long as its warm environment."""

    def __init__(self, table: ScanTable, topic: MailTopic, batch_jobs: BatchJobs, clock: Clock, stack_name: str) -> None:
        self._table = table
        self._topic = topic
        self._batch_jobs = batch_jobs
        self._clock = clock
        self._stack_name = stack_name
        self._holder = uuid.uuid4().hex
        self._asked: dict[str, float] = {}

    def sweep(self, *, deadline: float) -> None:
        """Do every chore once, unless another sweeper is at it.

        Raises:
            SweepError: At the end, if any chore failed.
        """
        if not self._table.take_lease(self._holder, deadline):
            Log().info("another sweeper is at it")
            return
        chores: tuple[Callable[[float], None], ...] = (self._send_mails, self._note_jobs, self._close_scans)
        failed = [chore.__name__ for chore in chores if not self._done(chore, deadline - LAST_SECONDS)]
        self._table.return_lease(self._holder)
        if failed:
            raise SweepError(f"failed: {', '.join(failed)}")

    def _done(self, chore: Callable[[float], None], until: float) -> bool:
        try:
            chore(until)
        except Exception as error:  # noqa: BLE001 # the other chores must not suffer; it is raised at the end
            Log().alarm("chore failed", chore=chore.__name__, cause=error, reason=errors.code_of(error))
            return False
        return True

    # --- mails -------------------------------------------------------------------------------------------------------

    def _send_mails(self, until: float) -> None:
        """Send the mails that are due, the oldest first; one that cannot be sent does not keep the others back."""
        failures: list[Exception] = []
        for video_id, scan_id in self._table.mails_due(MAILS_A_SWEEP):
            if self._clock.now() > until:
                break
            try:
                self._send_mail(video_id, scan_id)
            except Exception as error:  # noqa: BLE001 # raised below, after the others
                failures.append(error)
        if failures:
            raise ExceptionGroup(f"{len(failures)} mails were not sent", failures)

    def _send_mail(self, video_id: str, scan_id: str) -> None:
        record = self._table.record(video_id, scan_id)
        if record is None or not record.mail_due:
            # The index lags: this mail was sent a moment ago.
            return
        self._topic.publish(
            flagged_mail(
                record,
                [label for name in record.counted for label in record.labels if label.name == name],
                self._table.segments(video_id, scan_id, record.attempt),
                scan_id,
                self._stack_name,
            )
        )
        outcome = self._table.mail_sent(record)
        Log().info("mail sent", scan_id=scan_id, video_id=video_id, outcome=outcome.value)
        self._clock.sleep(MAIL_PACE_SECONDS)

    # --- batch jobs --------------------------------------------------------------------------------------------------

    def _note_jobs(self, until: float) -> None:
        """Note how the batch jobs of scans stand that are not closed."""
        self._asked = {job: at for job, at in self._asked.items() if self._clock.now() - at < JOB_ASKED_SECONDS}
        for scan in self._table.scans():
            if scan.status is ScanStatus.CLOSED or self._clock.now() > until:
                continue
            jobs = tuple(map(self._asked_after, scan.jobs))
            if jobs != scan.jobs:
                self._table.note_jobs(scan.id, jobs)

    def _asked_after(self, job: BatchJob) -> BatchJob:
        if job.status in OVER or job.id in self._asked:
            return job
        self._asked[job.id] = self._clock.now()
        return self._batch_jobs.ask(job, at=self._clock.now())

    # --- closing -----------------------------------------------------------------------------------------------------

    def _close_scans(self, until: float) -> None:
        """Close open scans of which nothing is left to come."""
        over = [scan for scan in self._table.scans() if scan.status is ScanStatus.OPEN and self._jobs_are_over(scan)]
        if not over:
            return
        under_way = self._under_way()
        for scan in over:
            if self._clock.now() > until:
                return
            self._close(scan, empty=self._seems_empty(scan, under_way))

    def _jobs_are_over(self, scan: Scan) -> bool:
        """Tell whether every batch job has been over for a while. A scan without one is still being submitted."""
        now = self._clock.now()
        return bool(scan.jobs) and all(
            job.terminal_since is not None and now - job.terminal_since >= JOBS_OVER_SECONDS for job in scan.jobs
        )

    def _under_way(self) -> _UnderWay:
        mails = self._table.mails_due(MAILS_LOOKED_AT)
        running = (running.scan_id for running in self._table.running())
        return _UnderWay(frozenset(running) | {scan_id for _, scan_id in mails}, complete=len(mails) < MAILS_LOOKED_AT)

    def _seems_empty(self, scan: Scan, under_way: _UnderWay) -> bool:
        nothing_seen = under_way.complete and scan.id not in under_way.scan_ids
        return nothing_seen and self._table.waiting_seems_empty(scan.id)

    def _close(self, scan: Scan, *, empty: bool) -> None:
        now, since = self._clock.now(), scan.waiting_empty_since
        if empty and since is not None:
            if now - since >= EMPTY_SECONDS and self._table.close_scan(scan) is Outcome.DONE:
                Log().info("scan closed", scan_id=scan.id)
        elif empty != (since is not None):
            self._table.note_waiting_empty(scan.id, now if empty else None)
