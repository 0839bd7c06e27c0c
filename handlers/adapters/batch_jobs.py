"""Polling S3 Batch Operations jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.domain import BatchJob, batch_jobs

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_s3control import S3ControlClient


class BatchJobs:
    """The S3 Batch Operations jobs of one account."""

    def __init__(self, client: S3ControlClient, account_id: str) -> None:
        self._client = client
        self._account_id = account_id

    def poll(self, job: BatchJob, *, at: float) -> BatchJob:
        """Return a job in its current status; `terminal_since` is when it was first seen to be over, or not found."""
        try:
            job = batch_jobs.described(job, self._client.describe_job(AccountId=self._account_id, JobId=job.id)["Job"])
        except ClientError as error:
            if fault_of(error) is not Fault.MISSING:
                raise
            job = replace(job, status=batch_jobs.NOT_FOUND)
        over = job.status in batch_jobs.TERMINAL or job.status == batch_jobs.NOT_FOUND
        return replace(job, terminal_since=(job.terminal_since or at) if over else None)
