"""Performing a plan: upload the manifest, register the scan, create its job. The same plan resumes where it was interrupted.

The order makes that possible. The manifest is in the bucket before the scan is in the table, and the scan before its job exists, so
a scan that the table does not know has no job. If the table knows it, S3's list of jobs shows by the description whether the job
was created. While the list does not show it yet, the token returns the same job (AWS does not document for how long).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import Scans, ThrottledError
from handlers.domain import Scan, ScanStatus
from tools.lib.aws import batch_jobs
from tools.lib.cli import Invocation, Terminal, as_tool_error
from tools.lib.errors import ToolError
from tools.lib.manifest import Generated, UploadedManifest, upload_manifest
from tools.lib.submit.job_request import RefusedError, create_job
from tools.lib.submit.plan import Plan
from tools.lib.submit.plan_file import PlanFiles
from tools.lib.text import counted

_TABLE_ERRORS = (BotoCoreError, ClientError, ThrottledError)


@dataclass(slots=True)
class SubmissionProgress:
    """Whether the job exists, for the message after an interruption.

    Attributes:
        requested: Whether the job was requested and S3 has not answered yet.
    """

    job_id: str | None = None
    requested: bool = False

    def sentence(self) -> str:
        if self.requested:
            return "It is not known whether the job was created."
        return "The job was created." if self.job_id else "No job was created; nothing is scanned."


def perform(run: Invocation, plan: Plan, files: PlanFiles, resume: str) -> str:
    """Perform a plan, or the rest of it, and return the id of its job. `resume` is the command that resumes it.

    Raises:
        ToolError: It failed; the cure says how to resume.
        KeyboardInterrupt: It was interrupted; how to resume has been printed.
    """
    progress = SubmissionProgress()
    with _resumable(run.terminal, progress, resume):
        scan = run.table.scans.scan(plan.scan_id)
        job_id = None if scan is None else _existing_job(run, scan, plan)
        if job_id is None:
            rows = plan.generated or _upload(run, plan, files.manifest, plan.manifest_key)
            if scan is None:
                _register(run, plan, files)  # before any job is created: no task may find a scan that is not in the table
            job_id = _create(run, plan, rows, progress)
        progress.job_id, progress.requested = job_id, False
        scan = run.table.scans.scan(plan.scan_id)
        known = scan is not None and job_id in {job.id for job in scan.jobs}
        if not known and (warning := note_job(run.table.scans, plan.scan_id, job_id)):  # noting it again would reopen a closed scan
            run.terminal.info(warning)
    return job_id


def note_job(scans: Scans, scan_id: str, job_id: str, *, retry: bool = False) -> str | None:
    """Add a job to its scan. Returns a warning if that failed: the job runs, and its first task adds it."""
    try:
        scans.add_job(scan_id, job_id, retry=retry)
    except _TABLE_ERRORS as error:
        return f"The job runs, but it could not be recorded in the table; its first task will do so. ({error})"
    return None


@contextmanager
def _resumable(terminal: Terminal, progress: SubmissionProgress, resume: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.info(f"Interrupted. {progress.sentence()} To continue: {resume}")
        raise
    except Exception as error:  # whatever it was, the plan can be resumed, and the message must say how
        cause = as_tool_error(error)
        raise ToolError(str(cause), cure=f"{cause.cure} {progress.sentence()} To continue: {resume}") from error


def _existing_job(run: Invocation, scan: Scan, plan: Plan) -> str | None:
    """Return the id of the job that an earlier run created for the scan, or None."""
    _require_same(scan, plan, run.clock.now())
    return batch_jobs.described_as(run.clients.s3control, plan.deployment.account_id, plan.new_job.description)


def _register(run: Invocation, plan: Plan, files: PlanFiles) -> None:
    if plan.ineligible:
        _upload(run, plan, files.ineligible, plan.ineligible_key)
    run.table.scans.put_scan(
        Scan(
            id=plan.scan_id,
            bucket=plan.selection.bucket,
            lane=plan.lane,
            created_at=run.clock.now(),
            manifest_uri=None if plan.generated else plan.manifest_uri,
            objects=plan.objects,
            planned_jobs=1,
            prefixes=plan.noted_prefixes,
            set_aside=plan.ineligible,
            not_selected=plan.not_selected,
            engine=plan.choice.engine,
            interval_ms=plan.interval_ms,
        )
    )


def _require_same(scan: Scan, plan: Plan, now: float) -> None:
    """Make sure that a registered scan is that of the plan, and that S3 would still list its job."""
    if scan.bucket != plan.selection.bucket:
        raise ToolError(
            f"In the table, scan {scan.id} is of the bucket {scan.bucket}; the plan is for {plan.selection.bucket}.",
            cure="The plan was edited: restore it, or make a new one with --dry-run.",
        )
    if scan.objects is not None and scan.objects != plan.objects:
        raise ToolError(
            f"In the table, scan {scan.id} has {counted(scan.objects, 'object')}; the plan has {_objects(plan)}.",
            cure="The plan was edited: restore it, or make a new one with --dry-run.",
        )
    if now - scan.created_at > batch_jobs.REMEMBERED_SECONDS:
        raise ToolError(
            f"Scan {scan.id} was begun more than 90 days ago: S3 no longer lists its job.",
            cure="Make a new plan with --dry-run.",
        )


def _objects(plan: Plan) -> str:
    return "those that S3 finds" if plan.objects is None else counted(plan.objects, "object")


def _create(run: Invocation, plan: Plan, rows: UploadedManifest | Generated, progress: SubmissionProgress) -> str:
    _require_open(run.table.scans, plan.scan_id)
    progress.requested = True
    try:
        return create_job(run.clients.s3control, plan.new_job, rows)
    except RefusedError:
        progress.requested = False
        _close(run.table.scans, plan.scan_id)
        raise


def _close(scans: Scans, scan_id: str) -> None:
    """Close a scan whose job was refused, because nothing else would. Resuming opens it again."""
    with suppress(*_TABLE_ERRORS):  # an error of the table must not hide AWS's refusal
        if (scan := scans.scan(scan_id)) is not None:
            scans.close_scan(scan)


def _require_open(scans: Scans, scan_id: str) -> None:
    scan = scans.scan(scan_id)
    if scan is not None and scan.status in {ScanStatus.CANCELLED, ScanStatus.PAUSED}:
        resume = f"Run `python tools/control_scan.py resume {scan.id}`."
        raise ToolError(
            f"Scan {scan.id} is {scan.status.value} ({scan.held_reason or 'for an unknown reason'}), so no job is created for it.",
            cure=resume if scan.status is ScanStatus.PAUSED else "Make a new plan with --dry-run.",
        )


def _upload(run: Invocation, plan: Plan, path: Path, key: str) -> UploadedManifest:
    with run.terminal.bar("bytes") as bar:
        return upload_manifest(run.clients.s3, path, (plan.deployment.work_bucket, key), bar)
