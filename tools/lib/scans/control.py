"""One run of `control_scan.py`: what is done to scans and to starting as a whole. The sweeper and the starters act on it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, code_of, fault_of
from handlers.adapters.table import Outcome
from handlers.domain.batch_jobs import TERMINAL
from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import ScanStatus
from tools.lib.cli import CommandResult, Invocation
from tools.lib.errors import ToolError
from tools.lib.scans.status import ScanProgress, find, progress_of

# What UpdateJobStatus answers for a job that cannot be cancelled any more (botocore: s3control UpdateJobStatus).
_OVER_ALREADY = "JobStatusException"


def watch(run: Invocation, scan_id: str | None, poll_seconds: float) -> Iterator[ScanProgress]:
    """Yield how a scan stands, look after look, until it is over."""
    named = find(run, scan_id).id
    while True:
        (progress,) = progress_of(run, [find(run, named)])
        yield progress
        if not progress.scan.live:
            return
        run.clock.sleep(poll_seconds)


def pause(run: Invocation, scan_id: str | None) -> CommandResult:
    """Pause a scan, or all starting."""
    if scan_id is None:
        outcome = run.table.control.pause(_person(), "by control_scan.py")
        what = "Starting is paused" if outcome is Outcome.DONE else "Starting was paused already"
        again = run.target.command("control_scan.py", "resume")
        return CommandResult([f"{what}; analyses that run finish. To go on: {again}"], {"paused": True, "outcome": outcome.name})
    scan = find(run, scan_id)
    outcome = _done(run, run.table.scans.pause_scan(scan.id, f"by {_person()}"), scan, "paused")
    again = run.target.command("control_scan.py", "resume", scan.id)
    text = f"The scan {scan.id} is paused; analyses that run finish. To go on: {again}"
    return CommandResult([text], {"scan": scan.id, "status": ScanStatus.PAUSED.value, "outcome": outcome.name})


def resume(run: Invocation, scan_id: str | None) -> CommandResult:
    """Let a scan, or all starting, go on."""
    if scan_id is None:
        outcome = run.table.control.resume()
        what = "Starting goes on" if outcome is Outcome.DONE else "Starting was not paused"
        return CommandResult(
            [f"{what}; the lanes are polled again within two minutes."], {"paused": False, "outcome": outcome.name}
        )
    scan = find(run, scan_id)
    outcome = _done(run, run.table.scans.resume_scan(scan.id), scan, "resumed")
    text = f"The scan {scan.id} goes on; its waiting videos are sent to their lane again within two minutes."
    return CommandResult([text], {"scan": scan.id, "status": ScanStatus.OPEN.value, "outcome": outcome.name})


def slots(run: Invocation, wanted: int) -> CommandResult:
    """Set how many of the account's jobs are used.

    Raises:
        ToolError: More than the account has.
    """
    most = run.deployment.account_jobs
    if wanted > most:
        raise ToolError(
            f"The account has {most} Rekognition video jobs (`account_jobs` in cdk.json), {wanted} are too many.",
            cure=f"Pass at most {most}; if AWS raised your quota, raise account_jobs and run `make deploy`.",
        )
    run.table.control.set_slots(wanted)
    tail = ": all there are, Rekognition's refusal decides" if wanted == most else ""
    return CommandResult(
        [f"Up to {wanted} of the account's {most} jobs are used from now on{tail}."], {"slots": wanted, "account_jobs": most}
    )


def cancel(run: Invocation, scan_id: str, *, agreed: bool) -> CommandResult:
    """Cancel a scan, then its batch jobs: in the other order the end of the jobs would look like a fault."""
    scan = find(run, scan_id)
    if not agreed:
        run.terminal.info(progress_of(run, [scan])[0].line())
        question = f"Cancel the scan {scan.id}? What waits is not analysed; this cannot be taken back."
        run.agree(question, "Nothing was cancelled.")
    outcome = _done(run, run.table.scans.cancel_scan(scan.id, f"by {_person()}"), scan, "cancelled")
    cancelled = [job.id for job in scan.jobs if job.status not in TERMINAL and _cancel_job(run, job)]
    text = (
        f"The scan {scan.id} is cancelled, and {len(cancelled):,} of its batch jobs with it; "
        "its waiting videos follow, 300 a second. Analyses that run finish."
    )
    values = {"scan": scan.id, "status": ScanStatus.CANCELLED.value, "cancelled_jobs": cancelled, "outcome": outcome.name}
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
        if fault_of(error) is not Fault.MISSING and code_of(error) != _OVER_ALREADY:
            raise
        return False
    return True


def _done(run: Invocation, outcome: Outcome, scan: Scan, what: str) -> Outcome:
    if outcome is not Outcome.BY_ANOTHER:
        return outcome
    now = run.table.scans.scan(scan.id) or scan
    status = run.target.command("control_scan.py", "status", scan.id)
    raise ToolError(f"The scan {scan.id} cannot be {what}: it is {now.status.value}.", cure=f"`{status}` shows how it stands.")


def _person() -> str:
    """Return who sits at this machine, for others to ask."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name, as in a container (KeyError before Python 3.13)
        return "control_scan.py"
