"""Performing a plan: upload, register the scan, create its jobs. If interrupted, the same plan resumes where it stopped.

The order makes that possible. The manifest is in the bucket before the scan is in the table, and the scan before any job: a scan
that is not in the table has no job. Of a scan that is, S3's own list of jobs tells which were created, by their descriptions; in
the moment between, the token does (AWS does not document for how long a token returns its job).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import Scans, ThrottledError
from handlers.domain.record import Scan
from handlers.domain.states import ScanStatus
from tools.lib.aws import batch_jobs
from tools.lib.cli.output import Terminal
from tools.lib.cli.program import as_tool_error
from tools.lib.errors import ToolError
from tools.lib.manifest.sources.s3_generated import Generated
from tools.lib.manifest.upload import UploadedManifest, upload_shown
from tools.lib.submit.context import SubmitContext
from tools.lib.submit.job_request import FullAccountError, RefusedError, create_job
from tools.lib.submit.plan import Plan, PlannedJob
from tools.lib.submit.plan_file import PlanFiles

_TABLE_ERRORS = (BotoCoreError, ClientError, ThrottledError)


@dataclass(slots=True)
class SubmissionProgress:
    """How many of the jobs exist: what a person is told who interrupts.

    Attributes:
        requested: Whether the next job was requested and S3 has not answered yet.
    """

    total: int
    job_ids: list[str] = field(default_factory=list)
    requested: bool = False

    def sentence(self) -> str:
        """Return the progress for a person."""
        if self.requested:
            return f"Whether job {len(self.job_ids) + 1} of {self.total} was created is not known."
        if not self.job_ids:
            return "No job was created, nothing is scanned."
        return f"{len(self.job_ids)} of {self.total} jobs are created."


def perform(context: SubmitContext, plan: Plan, files: PlanFiles, resume: str) -> tuple[str, ...]:
    """Perform a plan, or the rest of it, and return the ids of its jobs. `resume` is the command that continues it.

    Raises:
        ToolError: It failed; the cure says how to resume.
        KeyboardInterrupt: It was interrupted; how to resume has been printed.
    """
    progress = SubmissionProgress(len(plan.parts))
    with _resumable(context.terminal, progress, resume):
        existing, uploaded = _begin(context, plan, files)
        for job in plan.jobs:
            job_id = existing.get(job.description) or _create(context, job, uploaded or _rows(context, job, files), progress)
            progress.job_ids.append(job_id)
            progress.requested = False
            _note(context, job, job_id)
    return tuple(progress.job_ids)


def note_job(scans: Scans, scan_id: str, job_id: str, *, retry: bool = False) -> str | None:
    """Note a job in its scan. Returns a warning if that failed: the job runs, and its first task notes it again."""
    try:
        scans.add_job(scan_id, job_id, retry=retry)
    except _TABLE_ERRORS as error:
        return f"The job runs, but could not be noted in the table yet; its first task will do so. ({error})"
    return None


@contextmanager
def _resumable(terminal: Terminal, progress: SubmissionProgress, resume: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.info(f"Interrupted. {progress.sentence()} To continue: {resume}")
        raise
    except Exception as error:  # whatever it was: the plan can be resumed, and the person must be told how
        cause = as_tool_error(error)
        raise ToolError(str(cause), cure=f"{cause.cure} {progress.sentence()} To continue: {resume}") from error


def _begin(context: SubmitContext, plan: Plan, files: PlanFiles) -> tuple[dict[str, str], UploadedManifest | Generated | None]:
    """Make sure that the scan is registered. Returns the existing jobs, by description, and the manifest of an only job."""
    scan = context.scans.scan(plan.scan_id)
    if scan is None:
        uploaded = plan.generated or _upload(context, plan, files.manifest, plan.manifest_key)
        if plan.ineligible:
            _upload(context, plan, files.ineligible, plan.ineligible_key)
        _register(context, plan)  # before any job is created: no task may find a scan that is not in the table
        return {}, uploaded if plan.jobs[0].alone else None
    _require_same(context, scan, plan)
    descriptions = (job.description for job in plan.jobs)
    return batch_jobs.described_as(context.clients.s3control, plan.deployment.account_id, descriptions), None


def _register(context: SubmitContext, plan: Plan) -> None:
    context.scans.put_scan(
        Scan(
            id=plan.scan_id,
            bucket=plan.selection.bucket,
            lane=plan.lane,
            created_at=context.clock.now(),
            manifest_uri=None if plan.generated else plan.manifest_uri,
            objects=plan.objects,
            planned_jobs=len(plan.parts),
            prefixes=plan.noted_prefixes,
            set_aside=plan.ineligible,
        )
    )


def _require_same(context: SubmitContext, scan: Scan, plan: Plan) -> None:
    """Make sure that a registered scan is this plan's, and that S3 still lists its jobs."""
    if (scan.bucket, scan.planned_jobs) != (plan.selection.bucket, len(plan.parts)):
        raise ToolError(
            f"The table knows the scan {scan.id} with {scan.planned_jobs} jobs for {scan.bucket}, the plan has "
            f"{len(plan.parts)} for {plan.selection.bucket}.",
            cure="The plan was edited: put it back as it was, or make a new one with --dry-run.",
        )
    if context.clock.now() - scan.created_at > batch_jobs.REMEMBERED_SECONDS:
        raise ToolError(
            f"The scan {scan.id} was begun more than 90 days ago: S3 no longer lists the jobs that it had.",
            cure="Make a new plan with --dry-run.",
        )


def _create(context: SubmitContext, job: PlannedJob, rows: UploadedManifest | Generated, progress: SubmissionProgress) -> str:
    """Create a job; one of several waits until the account has room."""
    while True:
        _require_open(context, job)
        if not job.alone:
            _wait_for_room(context, job)
        try:
            progress.requested = True
            return create_job(context.clients.s3control, job.new_job, rows)
        except RefusedError as refusal:
            progress.requested = False
            if job.alone or not isinstance(refusal, FullAccountError):
                if not progress.job_ids:
                    _close(context, job.scan_id)
                raise
        context.clock.sleep(context.poll_seconds)


def _close(context: SubmitContext, scan_id: str) -> None:
    """Close a scan that was refused its first job: nothing else would. Resuming opens it again.

    An error of the table must not hide AWS's refusal.
    """
    with suppress(*_TABLE_ERRORS):
        if (scan := context.scans.scan(scan_id)) is not None:
            context.scans.close_scan(scan)


def _wait_for_room(context: SubmitContext, job: PlannedJob) -> None:
    account_id, total = job.plan.deployment.account_id, len(job.plan.parts)
    with context.terminal.bar("jobs") as bar:
        while (count := batch_jobs.open_jobs(context.clients.s3control, account_id)) >= batch_jobs.ACTIVE_JOBS:
            bar.show(
                f"The account may have {batch_jobs.ACTIVE_JOBS} active jobs and has {count}: job {job.part.number} of "
                f"{total} waits until one has ended",
                job.part.number - 1,
                total,
            )
            context.clock.sleep(context.poll_seconds)
            _require_open(context, job)


def _require_open(context: SubmitContext, job: PlannedJob) -> None:
    scan = context.scans.scan(job.scan_id)
    if scan is not None and scan.status in {ScanStatus.CANCELLED, ScanStatus.PAUSED}:
        resume = f"`python tools/control_scan.py resume {scan.id}`" if scan.status is ScanStatus.PAUSED else "a new plan"
        raise ToolError(
            f"The scan {scan.id} is {scan.status.value} ({scan.held_reason or 'no reason is known'}): it gets no further job.",
            cure=f"Begin again with {resume}.",
        )


def _note(context: SubmitContext, job: PlannedJob, job_id: str) -> None:
    """Note a job unless the scan knows it: to note it again would open a scan that is closed."""
    scan = context.scans.scan(job.scan_id)
    if scan is not None and job_id in {noted.id for noted in scan.jobs}:
        return
    if warning := note_job(context.scans, job.scan_id, job_id):
        context.terminal.info(warning)


def _rows(context: SubmitContext, job: PlannedJob, files: PlanFiles) -> UploadedManifest | Generated:
    span = (job.part.start, job.part.end)
    return job.plan.generated or _upload(context, job.plan, files.manifest, job.manifest_key, span)


def _upload(context: SubmitContext, plan: Plan, path: Path, key: str, span: tuple[int, int] | None = None) -> UploadedManifest:
    with context.terminal.bar("bytes") as bar:
        return upload_shown(context.clients.s3, path, (plan.deployment.work_bucket, key), bar, span)
