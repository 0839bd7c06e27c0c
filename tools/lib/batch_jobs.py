"""Jobs of S3 Batch Operations, as the tools create and ask after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.domain.record import BatchJob

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient
    from mypy_boto3_s3control.type_defs import JobFailureTypeDef

TERMINAL = frozenset({"Complete", "Failed", "Cancelled"})
"""Complete means that every task was attempted, not that every task succeeded."""


UNKNOWN = frozenset({"404", "NoSuchJob", "NotFoundException"})
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


def _reasons(failures: list[JobFailureTypeDef], update: str | None) -> list[str]:
    told = [f"{failure.get('FailureCode', '')}: {failure.get('FailureReason', '')}" for failure in failures]
    return [*told, update] if update else told
