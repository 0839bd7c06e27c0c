"""One run of `review_report.py retry`: what is worth another attempt is collected, shown, and submitted once the person agrees."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import BatchJob, Scan, ScanStatus
from handlers.domain.batch_jobs import TERMINAL
from handlers.domain.languages import ENGLISH
from tools.lib.aws import batch_jobs
from tools.lib.cli import ExitCode, Invocation, kept_if_done
from tools.lib.doctor import require_bucket
from tools.lib.errors import ToolError
from tools.lib.manifest import upload_manifest, write_videos
from tools.lib.retry import uploads
from tools.lib.retry.plan import RetryPlan, Triage, next_number
from tools.lib.retry.retryable import Moment
from tools.lib.review import ObjectResult, ScanChoice, ScanReading, TruthTable
from tools.lib.scans import NEW_JOB_SECONDS
from tools.lib.submit import SubmitOptions, Submitted, create_job, finish, note_job
from tools.lib.text import counted

T = TypeVar("T")


def retry_scan(run: Invocation, choice: ScanChoice, how: SubmitOptions, *, all_failed: bool) -> ExitCode:
    """Show what a retry of the chosen scan includes, and submit it unless that is nothing or it is a dry run."""
    scan = choice.find(run)
    _require_at_rest(run, scan)
    run.require_agreement("pass --yes to retry, or --dry-run to see what would be retried", agreed=how.yes or how.dry_run)
    if scan.day is not None:
        return _retry_uploads(run, scan, choice, how, all_failed=all_failed)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "manifest.csv"
        plan, triage = _plan(run, scan, choice, draft, all_failed=all_failed)
        if how.dry_run or not plan.retried:
            run.terminal.result(plan)
            return ExitCode.DONE
        require_bucket(run.clients.s3, scan.bucket, plan.deployment)
        for line in plan.sentences():
            run.terminal.info(line)
        if not how.yes:
            run.agree(f"Retry {counted(plan.objects, 'object')}?", "Nothing was submitted.")
        return _submit(run, how, plan, draft, triage.set_aside)


def _require_at_rest(run: Invocation, scan: Scan) -> None:
    """Make sure that no job of the scan may still attempt these objects, and that a retry would be started.

    Raises:
        ToolError: The scan was cancelled, or one of its jobs is not over.
    """
    if scan.status is ScanStatus.CANCELLED:
        raise ToolError(f"Scan {scan.id} was cancelled, so a retry would not be started.", cure="Submit the objects as a new scan.")
    if scan.missing_jobs:
        raise ToolError(
            f"Jobs of scan {scan.id} that are not submitted yet: {scan.missing_jobs:,} of {scan.planned_jobs or 1:,}.",
            cure=f"`submit_job.py --run-plan manifests/{scan.id}.plan.json` submits the job, or says how to end the scan.",
        )
    for job in scan.jobs:
        if status := _open_status(run, scan, job):
            raise ToolError(
                f"Job {job.id} of scan {scan.id} is {status}: it may still attempt these objects.",
                cure="Wait until it is over, or cancel it (`aws s3control update-job-status "
                f"--account-id {run.deployment.account_id} --job-id {job.id} --requested-job-status Cancelled`).",
            )


def _open_status(run: Invocation, scan: Scan, job: BatchJob) -> str | None:
    """Return the status of a job that is not over, or None if it is."""
    if job.status in TERMINAL:
        return None
    try:
        view = batch_jobs.describe(run.clients.s3control, run.deployment.account_id, job.id)
    except ClientError as error:
        if fault_of(error) is not Fault.MISSING:
            raise
        # S3 forgets a job 90 days after its end, and may not know one that was just created.
        return "New" if run.clock.now() - scan.created_at < NEW_JOB_SECONDS else None
    return None if view.over else view.job.status


def _retry_uploads(run: Invocation, scan: Scan, choice: ScanChoice, how: SubmitOptions, *, all_failed: bool) -> ExitCode:
    queue_url = uploads.queue_of(run.deployment, scan.bucket)
    with tempfile.TemporaryDirectory() as folder:
        messages = uploads.Messages(Path(folder))
        triage, warnings, _ = _triaged(run, scan, choice, messages.write, all_failed=all_failed)
        plan = uploads.UploadsPlan(
            scan=scan,
            retried=triage.retried,
            left=triage.left,
            deployment=run.deployment,
            queue_url=queue_url,
            warnings=warnings,
        )
        if how.dry_run or not plan.retried:
            run.terminal.result(plan)
            return ExitCode.DONE
        return uploads.perform(run, how, plan, messages)


def _plan(run: Invocation, scan: Scan, choice: ScanChoice, draft: Path, *, all_failed: bool) -> tuple[RetryPlan, Triage]:
    """Write the manifest while the results are read, and return the plan and the triage that it is made of."""

    def write(chosen: Iterator[ObjectResult]) -> bool:
        return write_videos(draft, (outcome.video for outcome in chosen))

    triage, warnings, versioned = _triaged(run, scan, choice, write, all_failed=all_failed)
    plan = RetryPlan(
        scan=scan,
        number=next_number(scan, triage.highest_attempt),
        run=run.program_context.entropy(4).hex(),
        retried=triage.retried,
        left=triage.left,
        versioned=versioned,
        deployment=run.deployment,
        warnings=warnings,
    )
    return plan, triage


def _triaged(
    run: Invocation, scan: Scan, choice: ScanChoice, write: Callable[[Iterator[ObjectResult]], T], *, all_failed: bool
) -> tuple[Triage, tuple[str, ...], T]:
    """Write what is retried while the results are read; return the triage, its warnings, and what writing returned."""
    table, truth = run.table, TruthTable(expected=scan.objects)
    settings = table.control.settings()
    paused = scan.status is ScanStatus.PAUSED or (settings is not None and settings.paused)
    moment = Moment(run.clock.now(), anything_runs=table.records.running_count() + table.samplings.under_way() > 0, paused=paused)
    triage = Triage(moment, all_failed)
    with run.terminal.bar("objects") as bar:
        reading = ScanReading(run, scan, choice, truth, bar, whole=True)
        written = write(triage.chosen(reading.results()))
    warnings = [ENGLISH.render(warning) for warning in reading.warnings]
    if not truth.adds_up:
        warnings.append("The objects of this scan do not add up: review_report.py shows why.")
    if paused:
        warnings.append("Starting is paused: the retried videos wait until it is resumed.")
    return triage, tuple(warnings), written


def _submit(run: Invocation, how: SubmitOptions, plan: RetryPlan, draft: Path, set_aside: int) -> ExitCode:
    """Submit the plan. If S3 refuses it, the scan stays as it was, because unlike a new one it has results."""
    copy = how.manifests / f"{plan.name}.csv"
    with kept_if_done(copy):
        shutil.copyfile(draft, copy)
        with run.terminal.bar("bytes") as bar:
            uploaded = upload_manifest(run.clients.s3, copy, (plan.deployment.work_bucket, plan.manifest_key), bar)
    job_id = create_job(run.clients.s3control, plan.new_job, uploaded)
    if warning := note_job(run.table.scans, plan.scan.id, job_id, retry=True):
        run.terminal.info(warning)
    review = run.target.command("review_report.py", "--scan", plan.scan.id)
    submitted = Submitted(plan.scan.id, job_id, uploaded.uri, copy, plan.as_json(), review)
    return finish(run, how, submitted, set_aside)
