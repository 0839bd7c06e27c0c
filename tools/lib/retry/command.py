"""One run of `review_report.py retry`: what is worth another attempt is collected, shown, agreed to, and submitted."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
from botocore.exceptions import ClientError

from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import ScanStatus, State
from tools.lib.aws import batch_jobs
from tools.lib.aws.clients import code_of
from tools.lib.cli.atomic_file import kept_if_done
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.cli.program import ProgramContext, Target
from tools.lib.doctor import required
from tools.lib.errors import ToolError
from tools.lib.manifest import upload
from tools.lib.retry.plan import RetryPlan, Triage, next_number
from tools.lib.retry.retryable import Moment
from tools.lib.review.inputs import ScanChoice, ScanReading
from tools.lib.review.join import TruthTable
from tools.lib.scans.follow import NEW_JOB_SECONDS
from tools.lib.submit.context import SubmitContext
from tools.lib.submit.job_request import create_job
from tools.lib.submit.perform import note_job
from tools.lib.submit.submitted import Submitted
from tools.lib.submit.wait import wait


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequest:
    """What the command line asks for."""

    target: Target
    choice: ScanChoice
    all_failed: bool
    dry_run: bool
    agreed: bool
    wait: bool
    poll_seconds: float
    manifests: Path


class RetryRun:
    """The steps of one run."""

    def __init__(self, program_context: ProgramContext, terminal: Terminal, request: RetryRequest) -> None:
        self._clock = program_context.clock
        self._entropy = program_context.entropy
        self._terminal = terminal
        self._request = request
        self._reading = ScanReading(program_context, request.target)

    def run(self) -> ExitCode:
        """Do what was asked for and return what to tell the shell."""
        scan = self._reading.find(self._request.choice)
        self._require_at_rest(scan)
        with tempfile.TemporaryDirectory() as folder:
            draft = Path(folder) / "manifest.csv"
            plan, triage = self._plan(scan, draft)
            if self._request.dry_run or not plan.retried:
                self._terminal.result(plan)
                return ExitCode.DONE
            required.require_bucket(self._reading.clients.s3, scan.bucket, plan.deployment)
            self._agree(plan)
            return self._submit(plan, draft, triage)

    def _require_at_rest(self, scan: Scan) -> None:
        """Make sure that what no task was made of will not be attempted by itself, and that what is retried will be started.

        Raises:
            ToolError: The scan was cancelled, or one of its jobs is under way.
        """
        if scan.status is ScanStatus.CANCELLED:
            raise ToolError(
                f"The scan {scan.id} was cancelled: nothing of it would be started.", cure="Submit the objects as a new scan."
            )
        if scan.missing_jobs:
            raise ToolError(
                f"{scan.missing_jobs:,} of the {scan.planned_jobs or 1:,} jobs of scan {scan.id} are not submitted yet.",
                cure=f"`submit_job.py --run-plan manifests/{scan.id}.plan.json` submits it, or says how to end it.",
            )
        for job in scan.jobs:
            if status := self._under_way(scan, job):
                raise ToolError(
                    f"Job {job.id} of scan {scan.id} is {status}: it may come to these objects yet.",
                    cure="Wait until it is over, or cancel it (`aws s3control update-job-status "
                    f"--account-id {self._reading.deployment.account_id} --job-id {job.id} --requested-job-status Cancelled`).",
                )

    def _under_way(self, scan: Scan, job: BatchJob) -> str | None:
        """Return the status of a job that is not over, or None."""
        if job.status in batch_jobs.TERMINAL:
            return None
        try:
            view = batch_jobs.describe(self._reading.clients.s3control, self._reading.deployment.account_id, job.id)
        except ClientError as error:
            if code_of(error) not in batch_jobs.NO_SUCH_JOB:
                raise
            # S3 forgets a job 90 days after its end, and may not know one that was just made.
            return "New" if self._clock.now() - scan.created_at < NEW_JOB_SECONDS else None
        return None if view.over else view.job.status

    def _plan(self, scan: Scan, draft: Path) -> tuple[RetryPlan, Triage]:
        """Write the manifest while the objects pass, and return the plan and what it was sorted by."""
        table, truth = self._reading.table, TruthTable(expected=scan.objects)
        settings = table.control.settings()
        paused = scan.status is ScanStatus.PAUSED or (settings is not None and settings.paused)
        moment = Moment(self._clock.now(), anything_runs=table.records.running_count() > 0, paused=paused)
        triage = Triage(moment, self._request.all_failed)
        with self._terminal.bar("objects") as bar:
            outcomes, warnings = self._reading.results(scan, self._request.choice, truth, bar, whole=frozenset(State))
            written = upload.write_videos(draft, triage.chosen(outcomes))
        if not truth.adds_up:
            warnings.append("The objects of this scan do not add up: review_report.py says where.")
        if paused:
            warnings.append("Starting is paused: what is retried waits until it is resumed.")
        plan = RetryPlan(
            scan=scan,
            number=next_number(scan, triage.highest_attempt),
            run=self._entropy(4).hex(),
            retried=triage.retried,
            left=triage.left,
            versioned=written.versioned,
            deployment=self._reading.deployment,
            warnings=tuple(warnings),
        )
        return plan, triage

    def _agree(self, plan: RetryPlan) -> None:
        for line in plan.sentences():
            self._terminal.info(line)
        if not (self._request.agreed or self._terminal.confirm(f"Retry {plan.objects:,} objects?")):
            self._terminal.info("Nothing was submitted.")
            raise click.exceptions.Exit(ExitCode.FAILED)

    def _submit(self, plan: RetryPlan, draft: Path, triage: Triage) -> ExitCode:
        """Submit the plan. A refusal leaves the scan as it was: unlike a new one it has a past."""
        clients, table = self._reading.clients, self._reading.table
        copy = self._request.manifests / f"{plan.name}.csv"
        with kept_if_done(copy):
            shutil.copyfile(draft, copy)
            with self._terminal.bar("bytes") as bar:
                target = (plan.deployment.work_bucket, plan.manifest_key)
                uploaded = upload.upload(clients.s3, copy, target, bar)
        job_id = create_job(clients.s3control, plan.new_job, uploaded)
        if trouble := note_job(table.scans, plan.scan_id, job_id, retry=True):
            self._terminal.info(trouble)
        review = self._request.target.command("review_report.py", "--scan", plan.scan_id)
        submitted = Submitted(plan, uploaded.uri, copy, job_id, review)
        if not self._request.wait:
            self._terminal.result(submitted)
            return ExitCode.DONE
        context = SubmitContext(
            clients=clients,
            scans=table.scans,
            records=table.records,
            clock=self._clock,
            terminal=self._terminal,
            poll_seconds=self._request.poll_seconds,
        )
        return wait(context, submitted, triage.objects - triage.set_aside, set_aside=triage.set_aside)
