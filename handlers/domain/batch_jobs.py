"""S3 Batch Operations jobs: their statuses, and what DescribeJob says of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

from handlers.domain.record import BatchJob, Scan
from handlers.domain.states import ScanStatus

# Statuses that a job does not leave (S3 user guide, batch-ops-job-status). Complete means that every task was attempted, not that
# every task succeeded.
COMPLETE = "Complete"
TERMINAL = frozenset({COMPLETE, "Failed", "Cancelled"})
BROKEN = frozenset({"Failed", "Cancelled"})

# Our own status of a job that S3 does not know: 90 days after its end, or for a moment after it was created.
NOT_FOUND = "NotFound"

# Of a job's failure reasons: how many are kept, and of how many characters each. The item of a scan holds those of all its jobs.
MAX_REASONS = 5
MAX_REASON = 500


def described(job: BatchJob, description: Mapping[str, Any]) -> BatchJob:
    """Return a job with what a description, the `Job` of a DescribeJob response, says of its status, task counts and end."""
    progress = description.get("ProgressSummary", {})
    return replace(
        job,
        status=description.get("Status", job.status),
        tasks=progress.get("TotalNumberOfTasks"),
        succeeded=progress.get("NumberOfTasksSucceeded"),
        failed=progress.get("NumberOfTasksFailed"),
        reasons=tuple(reason[:MAX_REASON] for reason in _reasons(description))[:MAX_REASONS],
    )


def _reasons(description: Mapping[str, Any]) -> Iterator[str]:
    for failure in description.get("FailureReasons") or ():
        yield ": ".join(part for part in (failure.get("FailureCode"), failure.get("FailureReason")) if part)
    if update := description.get("StatusUpdateReason"):
        yield update


def unfinished(scan: Scan) -> tuple[BatchJob, ...]:
    """Return the jobs of a scan that failed or were cancelled before every task was attempted, and that no later job made up for.

    What `control_scan.py cancel` cancels ended as it was meant to.
    """
    last = tuple(takewhile(lambda job: job.status in BROKEN, reversed(scan.jobs)))[::-1]
    return tuple(job for job in last if scan.status is not ScanStatus.CANCELLED or job.status == "Failed")
