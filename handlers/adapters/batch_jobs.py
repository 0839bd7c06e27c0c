"""Polling S3 Batch Operations jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain.record import BatchJob

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3control import S3ControlClient

# Statuses that a job does not leave (S3 user guide, batch-ops-job-status).
OVER = frozenset({"Complete", "Failed", "Cancelled"})

# Our word for a job that S3 does not know: 90 days after its end, or for a moment after it was created.
NOT_FOUND = "NotFound"


class BatchJobs:
    """The S3 Batch Operations jobs of one account."""

    def __init__(self, client: S3ControlClient, account_id: str) -> None:
        self._client = client
        self._account_id = account_id

    def ask(self, job: BatchJob, *, at: float) -> BatchJob:
        """Return a job as it stands now; `terminal_since` is when it was first seen to be over, or to be unknown."""
        try:
            found = self._client.describe_job(AccountId=self._account_id, JobId=job.id)["Job"]
        except ClientError as error:
            if fault_of(error) is not Fault.MISSING:
                raise
            return replace(job, status=NOT_FOUND, terminal_since=job.terminal_since or at)
        status = found["Status"]
        progress = found.get("ProgressSummary", {})
        return replace(
            job,
            status=status,
            tasks=progress.get("TotalNumberOfTasks"),
            succeeded=progress.get("NumberOfTasksSucceeded"),
            failed=progress.get("NumberOfTasksFailed"),
            terminal_since=(job.terminal_since or at) if status in OVER else None,
        )
