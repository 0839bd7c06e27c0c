"""Following a scan to its end: first its batch job, then its videos, until the scan is closed."""

from __future__ import annotations

from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.aws_errors import Fault, ThrottledError, fault_of
from handlers.domain import BatchJob, ScanStatus
from tools.lib.aws import JobView, describe
from tools.lib.cli import Bar, Invocation
from tools.lib.scans.status import ScanProgress, find, progress_of
from tools.lib.text import printable

# How long DescribeJob may not know a job after it was created.
NEW_JOB_SECONDS = 300.0


def follow(
    run: Invocation, scan_id: str, job_id: str, *, set_aside: int, poll_seconds: float, bar: Bar
) -> tuple[ScanProgress, JobView]:
    """Show the progress of a scan until it is over, its job ended early or it is held; return the last progress, and the job.

    `set_aside` is how many objects are left out of its jobs now; a retry may include some that were left out at first. Transient
    errors (throttling, the network) are shown and polling continues; any other AWS error is raised.
    """
    job, known_by = JobView(BatchJob(job_id)), run.clock.now() + NEW_JOB_SECONDS
    while True:
        try:
            job = job if job.over else _described(run, job, may_be_unknown=run.clock.now() < known_by)
            progress = replace(progress_of(run, [find(run.table.scans, scan_id)])[0], job=job, set_aside=set_aside)
        except (BotoCoreError, ClientError, ThrottledError) as error:
            if not fault_of(error).transient:
                raise
            bar.show(f"the progress could not be read, trying again: {printable(str(error))}", 0, None)
        else:
            bar.show(progress.line(), progress.totals.final, progress.total)
            over = progress.scan.status in {ScanStatus.CLOSED, ScanStatus.CANCELLED}
            if over or job.broken or progress.scan.status is ScanStatus.PAUSED or _waits_for_starting(run, progress, job):
                return progress, job
        run.clock.sleep(poll_seconds)


def _waits_for_starting(run: Invocation, progress: ScanProgress, job: JobView) -> bool:
    """Tell whether something of a scan waits, or may still be registered, while all starting is paused."""
    return progress.settings.paused and not (job.over and run.table.waiting.waiting_seems_empty(progress.scan.id))


def _described(run: Invocation, last: JobView, *, may_be_unknown: bool) -> JobView:
    try:
        return describe(run.clients.s3control, run.deployment.account_id, last.job.id)
    except ClientError as error:
        if may_be_unknown and fault_of(error) is Fault.MISSING:
            return last
        raise
