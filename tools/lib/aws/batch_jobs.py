"""Jobs of S3 Batch Operations, as the tools create and ask after them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.domain.record import BatchJob

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.literals import JobStatusType
    from mypy_boto3_s3control.type_defs import JobFailureTypeDef, JobListDescriptorTypeDef

ACTIVE_JOBS = 6
"""Active jobs that an account may have at a time (S3 user guide, batch-ops)."""

REMEMBERED_SECONDS = 90 * 86_400
"""For so long after its end ListJobs tells of a job (S3 user guide, batch-ops-list-jobs)."""

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
"""Statuses of a job that is not over. AWS does not say which of them it counts as active: we count all."""

TERMINAL = frozenset({"Complete", "Failed", "Cancelled"})
"""Complete means that every task was attempted, not that every task succeeded."""


NO_SUCH_JOB = frozenset({"404", "NoSuchJob", "NotFoundException"})
"""How S3 says that it knows no such job: not yet, or no longer (90 days after its end)."""


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as DescribeJob tells of it, with the reasons of a failure (there may be none although tasks failed)."""

    job: BatchJob
    reasons: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Tell whether the job has ended."""
        return self.job.status in TERMINAL

    @property
    def broken(self) -> bool:
        """Tell whether the job ended before every task was attempted."""
        return self.over and self.job.status != "Complete"


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


def together(views: Sequence[JobView]) -> JobView:
    """Return several jobs of a scan as if they were one: broken if any is, over if all are, with the sum of their tasks.

    What is not known of one of them is not known of all.
    """
    if len(views) == 1:
        return views[0]
    broken = [view for view in views if view.broken]
    shown = next(iter([*broken, *(view for view in views if not view.over), *views])).job
    job = BatchJob(
        id=shown.id,
        status=shown.status,
        tasks=_sum(view.job.tasks for view in views),
        succeeded=_sum(view.job.succeeded for view in views),
        failed=_sum(view.job.failed for view in views),
    )
    return JobView(job, tuple(reason for view in broken for reason in view.reasons))


def open_jobs(s3control: S3ControlClient, account_id: str) -> int:
    """Return how many jobs of the account, whoever made them, are not over."""
    return sum(1 for _ in _listed(s3control, account_id, OPEN))


def described_as(s3control: S3ControlClient, account_id: str, descriptions: Iterable[str]) -> dict[str, str]:
    """Return the ids of the account's jobs that have one of these descriptions, by the description; S3 remembers 90 days.

    For how long a `ClientRequestToken` returns the job that it made AWS does not document, so the list decides.
    """
    wanted = set(descriptions)
    listed = _listed(s3control, account_id, ())
    return {told: job["JobId"] for job in listed if (told := job.get("Description", "")) in wanted and "JobId" in job}


def _listed(s3control: S3ControlClient, account_id: str, statuses: Sequence[JobStatusType]) -> Iterator[JobListDescriptorTypeDef]:
    following: dict[str, str] = {}
    while True:  # botocore has no paginator for this operation
        page = s3control.list_jobs(AccountId=account_id, JobStatuses=statuses, MaxResults=1000, **following)
        yield from page.get("Jobs", [])
        if not (token := page.get("NextToken")):
            return
        following = {"NextToken": token}


def _sum(counts: Iterable[int | None]) -> int | None:
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def _reasons(failures: list[JobFailureTypeDef], update: str | None) -> list[str]:
    told = [f"{failure.get('FailureCode', '')}: {failure.get('FailureReason', '')}" for failure in failures]
    return [*told, update] if update else told
