"""Performing a plan: upload, enter the scan, create its jobs. Wherever that breaks off, the same plan goes on there.

The order makes it so. The manifest is in the bucket before the scan is in the table, and the scan before any job: a scan that is
not there has no job. Of a scan that is there, S3's own list of jobs says which were created, by their descriptions; in the moment
between, the token does (AWS does not document for how long a token returns its job).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from handlers.adapters.table import Scans
from handlers.domain.record import Scan
from handlers.domain.states import ScanStatus
from handlers.runtime.clock import Clock
from tools.lib.aws import batch_jobs
from tools.lib.aws.clients import Clients
from tools.lib.cli.output import Terminal
from tools.lib.cli.program import as_tool_error
from tools.lib.errors import ToolError
from tools.lib.manifest.sources.s3_generated import Generated
from tools.lib.manifest.upload import UploadedManifest
from tools.lib.submit import submission
from tools.lib.submit.plan import Plan, PlannedJob
from tools.lib.submit.plan_file import PlanFiles
from tools.lib.submit.submission import FullAccountError, RefusedError


@dataclass(slots=True)
class Course:
    """How far a submission has come: what is told to who breaks it off."""

    total: int
    job_ids: list[str] = field(default_factory=list)
    asking: bool = False

    def sentence(self) -> str:
        """Return what there is by now."""
        if self.asking:
            return f"Whether job {len(self.job_ids) + 1} of {self.total} was created is not known."
        if not self.job_ids:
            return "No job was created, nothing is scanned."
        return f"{len(self.job_ids)} of {self.total} jobs are created."


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitting:
    """How plans are performed: the ports, the person, and the time between two looks at a full account."""

    clients: Clients
    scans: Scans
    clock: Clock
    terminal: Terminal
    poll_seconds: float

    def perform(self, plan: Plan, files: PlanFiles, again: str) -> tuple[str, ...]:
        """Perform a plan, or the rest of it, and return the ids of its jobs. `again` is the command that goes on.

        Raises:
            ToolError: It broke off; the cure says how to go on.
            KeyboardInterrupt: So it did, and how to go on has been said.
        """
        course = Course(len(plan.parts))
        with self._to_be_continued(course, again):
            known, uploaded = self._begin(plan, files)
            for job in plan.jobs:
                job_id = known.get(job.description) or self._create(job, uploaded or self._rows_of(job, files), course)
                course.job_ids.append(job_id)
                course.asking = False
                self._note(job, job_id)
        return tuple(course.job_ids)

    @contextmanager
    def _to_be_continued(self, course: Course, again: str) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt:
            self.terminal.info(f"Broken off. {course.sentence()} To go on: {again}")
            raise
        except Exception as error:  # whatever it was: the plan goes on, and the person must hear how
            cause = as_tool_error(error)
            raise ToolError(str(cause), cure=f"{cause.cure} {course.sentence()} To go on: {again}") from error

    def _begin(self, plan: Plan, files: PlanFiles) -> tuple[dict[str, str], UploadedManifest | Generated | None]:
        """See to it that the scan is entered. Returns the jobs there are, by description, and an only job's manifest."""
        scan = self.scans.scan(plan.scan_id)
        if scan is None:
            uploaded = plan.generated or self._upload(plan, files.manifest, plan.manifest_key)
            if plan.ineligible:
                self._upload(plan, files.ineligible, plan.ineligible_key)
            submission.register(self.scans, plan, self.clock)
            return {}, uploaded if plan.jobs[0].alone else None
        self._require_same(scan, plan)
        account_id = plan.deployment.account_id
        return batch_jobs.described_as(self.clients.s3control, account_id, (job.description for job in plan.jobs)), None

    def _require_same(self, scan: Scan, plan: Plan) -> None:
        """Make sure that a scan which is entered already is this plan's, and that S3 still remembers its jobs."""
        if (scan.bucket, scan.planned_jobs) != (plan.selection.bucket, len(plan.parts)):
            raise ToolError(
                f"The table knows the scan {scan.id} with {scan.planned_jobs} jobs for {scan.bucket}, the plan has "
                f"{len(plan.parts)} for {plan.selection.bucket}.",
                cure="The plan was edited: put it back as it was, or make a new one with --dry-run.",
            )
        if self.clock.now() - scan.created_at > batch_jobs.REMEMBERED_SECONDS:
            raise ToolError(
                f"The scan {scan.id} was begun more than 90 days ago: S3 has forgotten which of its jobs there were.",
                cure="Make a new plan with --dry-run.",
            )

    def _note(self, job: PlannedJob, job_id: str) -> None:
        """See to it that the scan knows a job. To note it again would open a scan that is closed."""
        scan = self.scans.scan(job.scan_id)
        if scan is not None and job_id in {noted.id for noted in scan.jobs}:
            return
        if trouble := submission.note_job(self.scans, job, job_id):
            self.terminal.info(trouble)

    def _create(self, job: PlannedJob, rows: UploadedManifest | Generated, course: Course) -> str:
        """Create a job; one of several waits until the account has room."""
        while True:
            self._require_open(job)
            if not job.alone:
                self._wait_for_room(job)
            try:
                course.asking = True
                return submission.create_job(self.clients.s3control, job, job.job_request(rows))
            except RefusedError as refusal:
                course.asking = False
                if job.alone or not isinstance(refusal, FullAccountError):
                    self._close_if_empty(job, course)
                    raise
            self.clock.sleep(self.poll_seconds)

    def _close_if_empty(self, job: PlannedJob, course: Course) -> None:
        """Close a scan that was refused its first job: nothing else would. To go on opens it again."""
        if not course.job_ids:
            submission.close(self.scans, job.scan_id)

    def _wait_for_room(self, job: PlannedJob) -> None:
        with self.terminal.bar("jobs") as bar:
            while (count := self._open_jobs(job)) >= batch_jobs.ACTIVE_JOBS:
                bar.show(
                    f"The account may have {batch_jobs.ACTIVE_JOBS} active jobs and has {count}: job {job.part.number} of "
                    f"{len(job.plan.parts)} waits until one is over",
                    job.part.number - 1,
                    len(job.plan.parts),
                )
                self.clock.sleep(self.poll_seconds)
                self._require_open(job)

    def _open_jobs(self, job: PlannedJob) -> int:
        return batch_jobs.open_jobs(self.clients.s3control, job.deployment.account_id)

    def _require_open(self, job: PlannedJob) -> None:
        scan = self.scans.scan(job.scan_id)
        if scan is not None and scan.status in {ScanStatus.CANCELLED, ScanStatus.PAUSED}:
            resume = f"`python tools/control_scan.py resume {scan.id}`" if scan.status is ScanStatus.PAUSED else "a new plan"
            raise ToolError(
                f"The scan {scan.id} is {scan.status.value} ({scan.held_reason or 'no reason is known'}): it gets no further job.",
                cure=f"Begin again with {resume}.",
            )

    def _rows_of(self, job: PlannedJob, files: PlanFiles) -> UploadedManifest | Generated:
        return job.plan.generated or self._upload(job.plan, files.manifest, job.manifest_key, (job.part.start, job.part.end))

    def _upload(self, plan: Plan, path: Path, key: str, span: tuple[int, int] | None = None) -> UploadedManifest:
        with self.terminal.bar("bytes") as bar:
            return submission.upload_manifest(self.clients.s3, path, (plan.deployment.work_bucket, key), bar, span)
