"""Jobs of S3 Batch Operations, as the tools create and poll them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.domain.record import BatchJob

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.literals import JobStatusType
    from mypy_boto3_s3control.type_defs import JobFailureTypeDef, JobListDescriptorTypeDef

# Active jobs that an account may have at a time (S3 user guide, batch-ops).
ACTIVE_JOBS = 6

# AWS asks not to describe a job more often (docs/aws.md#3-jobs); the videos take their time anyway.
POLL_SECONDS = 30.0

# How long after its end ListJobs lists a job (S3 user guide, batch-ops-list-jobs).
REMEMBERED_SECONDS = 90 * 86_400

# Statuses of a job that is not over. AWS does not say which of them it counts as active: we count all.
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

# Complete means that every task was attempted, not that every task succeeded.
TERMINAL = frozenset({"Complete", "Failed", "Cancelled"})


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as DescribeJob tells of it, with the reasons of a failure (there may be none although tasks failed)."""

    job: BatchJob
    reasons: tuple[str, ...] = ()

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
        return f"batch job {job.status}, {(job.succeeded or 0) + (job.failed or 0):,} of {job.tasks:,} tasks{failed}"


def describe(s3control: S3ControlClient, account_id: str, job_id: str) -> JobView:
    """Return how a job stands. AWS wants this asked every 30 s at most, and may answer NoSuchJob right after the job was made."""
    told = s3control.describe_job(AccountId=account_id, JobId=job_id)["Job"]
    progress = told.get("ProgressSummary", {})
    job = BatchJob(
        id=job_id,
        status=told.get("Status", "New"),
        tasks=progress.get("TotalNumberOfTasks"),
        succeeded=progress.get("NumberOfTasksSucceeded"),
        failed=progress.get("NumberOfTasksFailed"),
    )
    return JobView(job, tuple(_reasons(told.get("FailureReasons", []), told.get("StatusUpdateReason"))))


def open_jobs(s3control: S3ControlClient, account_id: str) -> int:
    """Return how many jobs of the account, whoever made them, are not over."""
    return sum(1 for _ in _listed(s3control, account_id, OPEN))


def described_as(s3control: S3ControlClient, account_id: str, description: str) -> str | None:
    """Return the id of the account's job that has this description, None where there is none; S3 remembers 90 days.

    For how long a `ClientRequestToken` returns the job that it made AWS does not document, so the list decides.
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


def _reasons(failures: list[JobFailureTypeDef], update: str | None) -> list[str]:
    told = [f"{failure.get('FailureCode', '')}: {failure.get('FailureReason', '')}" for failure in failures]
    return [*told, update] if update else told
