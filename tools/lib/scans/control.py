"""The commands of `control_scan.py` that change something. They write to the table; the sweeper and the starters act on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, code_of, fault_of
from handlers.adapters.table import Outcome
from handlers.domain import BatchJob, Scan, ScanStatus
from handlers.domain import watch as watches
from handlers.domain.batch_jobs import TERMINAL
from tools.lib.cli import CommandResult, Invocation, user_name
from tools.lib.errors import ToolError
from tools.lib.json_keys import scan_keys
from tools.lib.scans.status import ScanProgress, find, progress_of
from tools.lib.text import counted

# The error of UpdateJobStatus for a job that can no longer be cancelled (botocore: s3control UpdateJobStatus).
_JOB_IS_OVER = "JobStatusException"


def watch(run: Invocation, scan_id: str | None, poll_seconds: float) -> Iterator[ScanProgress]:
    """Yield the progress of a scan every `poll_seconds`, until the scan is over."""
    scan_id = find(run.table.scans, scan_id).id  # of the newest scan: a newer one may come while this one is watched
    while True:
        (progress,) = progress_of(run, [find(run.table.scans, scan_id)])
        yield progress
        if not progress.scan.live:
            return
        run.clock.sleep(poll_seconds)


def pause(run: Invocation, scan_id: str | None) -> CommandResult:
    """Pause a scan, or all starting where `scan_id` is None."""
    if scan_id is None:
        outcome = run.table.control.pause(user_name(), "by control_scan.py")
        what = "Starting is paused" if outcome is Outcome.DONE else "Starting was already paused"
        command = run.target.command("control_scan.py", "resume")
        text = f"{what}; running analyses finish. To resume: {command}"
        return CommandResult([text], {"paused": True, "outcome": outcome.name})
    scan = find(run.table.scans, scan_id)
    outcome = _done(run, run.table.scans.pause_scan(scan.id, f"by {user_name()}"), scan, "paused")
    command = run.target.command("control_scan.py", "resume", scan.id)
    text = f"Scan {scan.id} is paused; running analyses finish. To resume: {command}"
    return CommandResult([text], {**scan_keys(scan.id), "status": ScanStatus.PAUSED.value, "outcome": outcome.name})


def resume(run: Invocation, scan_id: str | None) -> CommandResult:
    """Resume a scan, or all starting where `scan_id` is None."""
    if scan_id is None:
        outcome = run.table.control.resume()
        what = "Starting is resumed" if outcome is Outcome.DONE else "Starting was not paused"
        text = f"{what}; the lanes are polled again within two minutes."
        return CommandResult([text], {"paused": False, "outcome": outcome.name})
    scan = find(run.table.scans, scan_id)
    outcome = _done(run, run.table.scans.resume_scan(scan.id), scan, "resumed")
    text = f"Scan {scan.id} is resumed; its waiting videos are sent to their lane again within two minutes.{_held_again(run, scan)}"
    return CommandResult([text], {**scan_keys(scan.id), "status": ScanStatus.OPEN.value, "outcome": outcome.name})


def _held_again(run: Invocation, scan: Scan) -> str:
    """Return what else is to be done about the scan of a day that the sweeper paused: it would pause it again."""
    commands = {watches.PAUSED_BY_HAND: "resume", watches.LIMIT_REACHED: "release"}
    if scan.day is None or scan.held_reason not in commands:
        return ""
    command = run.target.command("control_scan.py", "watch", commands[scan.held_reason], scan.bucket)
    return f" The sweeper pauses it again because {scan.held_reason}: `{command}` ends that."


def slots(run: Invocation, number: int) -> CommandResult:
    """Set how many of the account's Rekognition jobs the deployment uses.

    Raises:
        ToolError: The account does not have that many.
    """
    most = run.deployment.account_jobs
    if number > most:
        raise ToolError(
            f"{number} is more than the account's {most} Rekognition video jobs (`account_jobs` in cdk.json).",
            cure=f"Pass at most {most}; if AWS raised your quota, raise account_jobs and run `make deploy`.",
        )
    run.table.control.set_slots(number)
    limit = "; only Rekognition's own refusal limits it" if number == most else ""
    text = f"The deployment now uses up to {number} of the account's {counted(most, 'job')}{limit}."
    return CommandResult([text], {"slots": number, "account_jobs": most})


def cancel(run: Invocation, scan_id: str, *, agreed: bool) -> CommandResult:
    """Cancel a scan, then its batch jobs: in the other order the end of the jobs would look like a fault."""
    scan = find(run.table.scans, scan_id)
    if scan.day is not None:
        return _cancel_day(run, scan, agreed=agreed)
    run.require_agreement("pass --yes", agreed=agreed)
    if not agreed:
        run.terminal.info(progress_of(run, [scan])[0].line())
        run.agree(
            f"Cancel scan {scan.id}? Waiting videos will not be analysed, and this cannot be undone.", "Nothing was cancelled."
        )
    outcome = _done(run, run.table.scans.cancel_scan(scan.id, f"by {user_name()}"), scan, "cancelled")
    cancelled = [job.id for job in scan.jobs if job.status not in TERMINAL and _cancel_job(run, job)]
    jobs = f"{'is' if len(cancelled) == 1 else 'are'} {counted(len(cancelled), 'batch job')}"
    text = f"Scan {scan.id} is cancelled, and so {jobs}; its waiting videos follow at 300 a second. Running analyses finish."
    values = {**scan_keys(scan.id), "status": ScanStatus.CANCELLED.value, "cancelled_jobs": cancelled, "outcome": outcome.name}
    return CommandResult([text], values)


def _cancel_day(run: Invocation, scan: Scan, *, agreed: bool) -> CommandResult:
    """Cancel what waits of the scan of a day, which goes on: later uploads would be left out without a word otherwise."""
    run.require_agreement("pass --yes", agreed=agreed)
    if not agreed:
        run.terminal.info(progress_of(run, [scan])[0].line())
        run.agree(f"Cancel the uploads that wait of scan {scan.id}? Later ones are still analysed.", "Nothing was cancelled.")
    outcome = _done(run, run.table.scans.cancel_waiting(scan.id), scan, "cancelled")
    pause = run.target.command("control_scan.py", "watch", "pause", scan.bucket)
    text = (
        f"What waits of scan {scan.id} is cancelled within two minutes, at 300 a second; running analyses finish. "
        f"Later uploads to {scan.bucket} are analysed: `{pause}` lets them wait."
    )
    values: dict[str, Any] = {
        **scan_keys(scan.id),
        "status": scan.status.value,
        "cancelled_jobs": [],
        "outcome": outcome.name,
    }
    return CommandResult([text], values)


def _cancel_job(run: Invocation, job: BatchJob) -> bool:
    try:
        run.clients.s3control.update_job_status(
            AccountId=run.deployment.account_id,
            JobId=job.id,
            RequestedJobStatus="Cancelled",
            StatusUpdateReason="control_scan.py",
        )
    except ClientError as error:
        if fault_of(error) is not Fault.MISSING and code_of(error) != _JOB_IS_OVER:
            raise
        return False
    return True


def _done(run: Invocation, outcome: Outcome, scan: Scan, what: str) -> Outcome:
    if outcome is not Outcome.BY_ANOTHER:
        return outcome
    now = run.table.scans.scan(scan.id) or scan
    status = run.target.command("control_scan.py", "status", scan.id)
    raise ToolError(f"Scan {scan.id} cannot be {what}: it is {now.status.value}.", cure=f"`{status}` shows its progress.")
