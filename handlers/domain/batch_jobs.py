"""S3 Batch Operations jobs: their statuses, and what DescribeJob says of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers.domain.record import BatchJob

# Statuses that a job does not leave (S3 user guide, batch-ops-job-status). Complete means that every task was attempted, not that
# every task succeeded.
COMPLETE = "Complete"
TERMINAL = frozenset({COMPLETE, "Failed", "Cancelled"})
BROKEN = frozenset({"Failed", "Cancelled"})

# Our own status of a job that S3 does not know: 90 days after its end, or for a moment after it was created.
NOT_FOUND = "NotFound"


def described(job: BatchJob, description: Mapping[str, Any]) -> BatchJob:
    """Return a job with the status and the task counts of a description, the `Job` of a DescribeJob response."""
    progress = description.get("ProgressSummary", {})
    return replace(
        job,
        status=description.get("Status", job.status),
        tasks=progress.get("TotalNumberOfTasks"),
        succeeded=progress.get("NumberOfTasksSucceeded"),
        failed=progress.get("NumberOfTasksFailed"),
    )
