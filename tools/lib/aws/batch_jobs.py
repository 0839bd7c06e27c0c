"""Jobs of S3 Batch Operations, as the tools create and poll them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.domain import BatchJob
from handlers.domain.batch_jobs import TERMINAL, described

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.literals import JobStatusType
    from mypy_boto3_s3control.type_defs import JobListDescriptorTypeDef

# Active jobs that an account may have at a time (S3 user guide, batch-ops).
ACTIVE_JOBS = 6

# S3 throttles more frequent DescribeJob calls (docs/aws.md#3-jobs).
POLL_SECONDS = 30.0

# How long ListJobs lists a job that has ended (S3 user guide, batch-ops-list-jobs).
REMEMBERED_SECONDS = 90 * 86_400

# Statuses of a job that has not ended. AWS does not document which of them count as active, so all do here.
OPEN: tuple[JobStatusType, ...] = (
    "Active",
    "Cancelling",
    "Completing",
    "Failing",
    "New",
    "Paused",
    "Pausing",
    "Preparing",
    "Ready",
    "Suspended",
)


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as S3 describes it."""

    job: BatchJob

    @property
    def over(self) -> bool:
        return self.job.status in TERMINAL

    @property
    def broken(self) -> bool:
        """Tell whether the job ended before every task was attempted."""
        return self.over and self.job.status != "Complete"

    def line(self) -> str:
        job = self.job
        if job.tasks is None:
            return f"batch job {job.status}"
        failed = f", {job.failed:,} failed" if job.failed else ""
        tasks = "1 task" if job.tasks == 1 else f"{job.tasks:,} tasks"
        return f"batch job {job.status}, {(job.succeeded or 0) + (job.failed or 0):,} of {tasks}{failed}"


def describe(s3control: S3ControlClient, account_id: str, job_id: str) -> JobView:
    """Return the current state of a job. AWS allows this every 30 s, and may not find a job that was created just now."""
    return JobView(described(BatchJob(job_id), s3control.describe_job(AccountId=account_id, JobId=job_id)["Job"]))


def open_jobs(s3control: S3ControlClient, account_id: str) -> int:
    """Return how many jobs of the account have not ended, whoever created them."""
    return sum(1 for _ in _listed(s3control, account_id, OPEN))


def described_as(s3control: S3ControlClient, account_id: str, description: str) -> str | None:
    """Return the id of the account's job with this description, or None; S3 lists a job for 90 days after its end.

    AWS does not document for how long a `ClientRequestToken` returns the job that it created, so the list decides.
    """
    listed = _listed(s3control, account_id, ())
    return next((job["JobId"] for job in listed if job.get("Description") == description and "JobId" in job), None)


def _listed(s3control: S3ControlClient, account_id: str, statuses: Sequence[JobStatusType]) -> Iterator[JobListDescriptorTypeDef]:
    following: dict[str, str] = {}
    while True:  # botocore has no paginator for this operation
        page = s3control.list_jobs(AccountId=account_id, JobStatuses=statuses, MaxResults=1000, **following)
        yield from page.get("Jobs", [])
        if not (token := page.get("NextToken")):
            return
        following = {"NextToken": token}
