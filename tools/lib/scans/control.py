"""One run of `control_scan.py`: what is done to scans and to starting as a whole. The sweeper and the starters act on it."""

from __future__ import annotations

import getpass
from collections import Counter
from collections.abc import Iterator

import click
from botocore.exceptions import ClientError

from handlers.adapters.table import Outcome, open_table
from handlers.domain.record import BatchJob, Scan, Settings
from handlers.domain.states import ScanStatus
from tools.lib.aws import deployment
from tools.lib.aws.batch_jobs import NO_SUCH_JOB, TERMINAL
from tools.lib.aws.clients import code_of
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.cli.program import ProgramContext, Target
from tools.lib.doctor import Case, Findings
from tools.lib.errors import ToolError
from tools.lib.listing import Selection
from tools.lib.scans.redrive import Redrive, Redriven
from tools.lib.scans.status import CommandResult, ScanHistory, ScanList, ScanProgress

WATCH_SECONDS = 30.0

_OVER_ALREADY = "JobStatusException"
"""What UpdateJobStatus answers for a job that cannot be cancelled any more (botocore: s3control UpdateJobStatus)."""


class Control:
    """The commands, for one deployment."""

    def __init__(self, program_context: ProgramContext, terminal: Terminal, target: Target) -> None:
        self._clock = program_context.clock
        self._examine = program_context.examine
        self._terminal = terminal
        self._target = target
        self._clients = program_context.connect(target.profile, target.region)
        self._deployment = deployment.find(self._clients.cloudformation, target.stack)
        self._table = open_table(self._clients.dynamodb, self._deployment.table_name, self._clock)

    # --- looking -----------------------------------------------------------------------------------------------------

    def status(self, scan_id: str | None) -> ScanProgress:
        """Return how a scan stands; the newest one where none is named."""
        return self._now(self._scan(scan_id))

    def watch(self, scan_id: str | None, poll_seconds: float) -> Iterator[ScanProgress]:
        """Yield how a scan stands, look after look, until it is over."""
        named = self._scan(scan_id).id
        while True:
            progress = self.status(named)
            yield progress
            if not progress.scan.live:
                return
            self._clock.sleep(poll_seconds)

    def list(self) -> ScanList:
        """Return how all scans stand."""
        return ScanList(self._all())

    def history(self, since: float | None) -> ScanHistory:
        """Return the scans that were created since then (epoch seconds), or all."""
        return ScanHistory(self._all(since or 0), since)

    def doctor(self, bucket: str, prefixes: tuple[str, ...], *, unconfirmed_mail: bool) -> Findings:
        """Return what speaks for and against a scan of these prefixes of a bucket, as `submit_job.py --check` does."""
        case = Case(
            clients=self._clients,
            deployment=self._deployment,
            table=self._table,
            bucket=bucket,
            unconfirmed_mail=unconfirmed_mail,
            prefixes=Selection(bucket=bucket, prefixes=prefixes).ranges,
        )
        return self._examine(case)

    def _all(self, since: float = 0) -> tuple[ScanProgress, ...]:
        settings = self._table.control.settings() or Settings()
        running = Counter(video.scan_id for video in self._table.records.running())
        scans = [scan for scan in self._table.scans.scans() if scan.created_at >= since]
        return tuple(self._progress(scan, settings, running[scan.id]) for scan in scans)

    def _now(self, scan: Scan) -> ScanProgress:
        running = sum(video.scan_id == scan.id for video in self._table.records.running())
        return self._progress(scan, self._table.control.settings() or Settings(), running)

    def _progress(self, scan: Scan, settings: Settings, running: int) -> ScanProgress:
        return ScanProgress(
            scan=scan,
            totals=self._table.scans.totals(scan.id),
            running=running,
            settings=settings,
            slots=self._deployment.slots if settings.slots is None else settings.slots,
            now=self._clock.now(),
        )

    # --- acting ------------------------------------------------------------------------------------------------------

    def pause(self, scan_id: str | None) -> CommandResult:
        """Pause a scan, or all starting."""
        if scan_id is None:
            outcome = self._table.control.pause(_person(), "by control_scan.py")
            what = "Starting is paused" if outcome is Outcome.DONE else "Starting was paused already"
            again = self._target.command("control_scan.py", "resume")
            return CommandResult(f"{what}; analyses that run finish. To go on: {again}", {"paused": True, "outcome": outcome.name})
        scan = self._scan(scan_id)
        outcome = self._done(self._table.scans.pause_scan(scan.id, f"by {_person()}"), scan, "paused")
        again = self._target.command("control_scan.py", "resume", scan.id)
        text = f"The scan {scan.id} is paused; analyses that run finish. To go on: {again}"
        return CommandResult(text, {"scan": scan.id, "status": ScanStatus.PAUSED.value, "outcome": outcome.name})

    def resume(self, scan_id: str | None) -> CommandResult:
        """Let a scan, or all starting, go on."""
        if scan_id is None:
            outcome = self._table.control.resume()
            what = "Starting goes on" if outcome is Outcome.DONE else "Starting was not paused"
            return CommandResult(
                f"{what}; the lanes are polled again within two minutes.", {"paused": False, "outcome": outcome.name}
            )
        scan = self._scan(scan_id)
        outcome = self._done(self._table.scans.resume_scan(scan.id), scan, "resumed")
        text = f"The scan {scan.id} goes on; its waiting videos are sent to their lane again within two minutes."
        return CommandResult(text, {"scan": scan.id, "status": ScanStatus.OPEN.value, "outcome": outcome.name})

    def slots(self, wanted: int) -> CommandResult:
        """Set how many of the account's jobs are used.

        Raises:
            ToolError: More than the account has.
        """
        most = self._deployment.account_jobs
        if wanted > most:
            raise ToolError(
                f"The account has {most} Rekognition video jobs (`account_jobs` in cdk.json), {wanted} are too many.",
                cure=f"Pass at most {most}; if AWS raised your quota, raise account_jobs and run `make deploy`.",
            )
        self._table.control.set_slots(wanted)
        tail = ": all there are, Rekognition's refusal decides" if wanted == most else ""
        return CommandResult(
            f"Up to {wanted} of the account's {most} jobs are used from now on{tail}.", {"slots": wanted, "account_jobs": most}
        )

    def cancel(self, scan_id: str, *, agreed: bool) -> CommandResult:
        """Cancel a scan, then its batch jobs: in the other order the end of the jobs would look like a fault."""
        scan = self._scan(scan_id)
        if not agreed:
            self._agree(scan)
        outcome = self._done(self._table.scans.cancel_scan(scan.id, f"by {_person()}"), scan, "cancelled")
        cancelled = [job.id for job in scan.jobs if job.status not in TERMINAL and self._cancel_job(job)]
        text = (
            f"The scan {scan.id} is cancelled, and {len(cancelled):,} of its batch jobs with it; "
            "its waiting videos follow, 300 a second. Analyses that run finish."
        )
        values = {"scan": scan.id, "status": ScanStatus.CANCELLED.value, "cancelled_jobs": cancelled, "outcome": outcome.name}
        return CommandResult(text, values)

    def _agree(self, scan: Scan) -> None:
        self._terminal.info(self._now(scan).line())
        if not self._terminal.confirm(f"Cancel the scan {scan.id}? What waits is not analysed; this cannot be taken back."):
            self._terminal.info("Nothing was cancelled.")
            raise click.exceptions.Exit(ExitCode.FAILED)

    def _cancel_job(self, job: BatchJob) -> bool:
        try:
            self._clients.s3control.update_job_status(
                AccountId=self._deployment.account_id,
                JobId=job.id,
                RequestedJobStatus="Cancelled",
                StatusUpdateReason="control_scan.py",
            )
        except ClientError as error:
            if code_of(error) not in NO_SUCH_JOB | {_OVER_ALREADY}:
                raise
            return False
        return True

    # --- dead letters ------------------------------------------------------------------------------------------------

    def redrive(self) -> Redriven:
        """Do again what dead letters ask for."""
        with self._terminal.bar("letters") as bar:
            return Redrive(self._clients.sqs, self._clients.functions, self._table.scans, self._clock, self._deployment).run(bar)

    # --- finding -----------------------------------------------------------------------------------------------------

    def _scan(self, scan_id: str | None) -> Scan:
        if scan_id is not None and (scan := self._table.scans.scan(scan_id)):
            return scan
        scans = self._table.scans.scans()
        if scan_id is None and scans:
            return scans[0]
        known = f"The newest of {len(scans):,} is {scans[0].id}." if scans else "Submit one with submit_job.py."
        raise ToolError(f"There is no scan{f' {scan_id}' if scan_id else ' yet'}.", cure=known)

    def _done(self, outcome: Outcome, scan: Scan, what: str) -> Outcome:
        if outcome is not Outcome.BY_ANOTHER:
            return outcome
        now = self._table.scans.scan(scan.id) or scan
        status = self._target.command("control_scan.py", "status", scan.id)
        raise ToolError(f"The scan {scan.id} cannot be {what}: it is {now.status.value}.", cure=f"`{status}` shows how it stands.")


def _person() -> str:
    """Return who sits at this machine, for others to ask."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name, as in a container (KeyError before Python 3.13)
        return "control_scan.py"
