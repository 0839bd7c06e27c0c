"""A job: its state, its counters, and how DescribeJob and ListJobs show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tools.emulator.services.s3_batch.pace import Ramp
from tools.emulator.services.s3_batch.report import Report
from tools.emulator.services.s3_batch.request import JobRequest
from tools.emulator.services.s3_batch.tasks import Tasks

# How long a job waits for confirmation before it fails [S3:batch-ops-job-status].
SUSPENDED_SECONDS = 30 * 86_400

# How long after its end a job is kept [S3:batch-ops-list-jobs].
KEPT_SECONDS = 90 * 86_400

MAX_REASON = 256


class Status(StrEnum):
    """A job's status, by AWS's names [bc JobStatus]."""

    NEW = "New"
    PREPARING = "Preparing"
    SUSPENDED = "Suspended"
    READY = "Ready"
    ACTIVE = "Active"
    PAUSING = "Pausing"
    PAUSED = "Paused"
    COMPLETING = "Completing"
    COMPLETE = "Complete"
    CANCELLING = "Cancelling"
    CANCELLED = "Cancelled"
    FAILING = "Failing"
    FAILED = "Failed"


TERMINAL = frozenset({Status.COMPLETE, Status.CANCELLED, Status.FAILED})
# The final status that follows each ending one.
ENDING = {Status.COMPLETING: Status.COMPLETE, Status.CANCELLING: Status.CANCELLED, Status.FAILING: Status.FAILED}


@dataclass(slots=True, eq=False)
class Job:
    """One job; its state changes under the engine's lock only."""

    id: str
    arn: str
    request: JobRequest
    created: float  # epoch seconds, as all times here
    priority: int
    tags: tuple[tuple[str, str], ...]
    status: Status = Status.NEW
    status_reason: str | None = None
    failures: list[tuple[str, str]] = field(default_factory=list)
    suspended: float | None = None
    terminated: float | None = None
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    generated: dict[str, Any] | None = None  # DescribeJob's GeneratedManifestDescriptor
    tasks: Tasks | None = None
    report: Report | None = None
    ramp: Ramp | None = None
    in_flight: int = 0  # invocations that have not returned
    pumping: bool = False  # a thread is starting tasks of this job; no other may
    wake_at: float | None = None  # when the runner looks at it next
    ending: bool = False  # its end is planned
    forgotten: bool = False  # by `reset`: results that still arrive for it are dropped
    _active_seconds: float = 0.0
    _active_since: float | None = None

    def enter(self, status: Status, now: float) -> None:
        """Change the status, and note the times that depend on it."""
        if self._active_since is not None:
            self._active_seconds += now - self._active_since
        self._active_since = now if status is Status.ACTIVE else None
        if status is Status.SUSPENDED:
            self.suspended = now
        if status in TERMINAL:
            self.terminated = now
        self.status = status

    def fail(self, code: str, reason: str) -> None:
        """Add a failure reason; the status is the caller's to change."""
        self.failures.append((code, reason[:MAX_REASON]))

    @property
    def executed(self) -> int:
        """How many tasks have ended."""
        return self.succeeded + self.failed

    def described(self, now: float) -> dict[str, Any]:
        """Return the job as DescribeJob's `Job`."""
        suspension = {"SuspendedDate": _time(self.suspended), "SuspendedCause": "Awaiting confirmation"} if self.suspended else {}
        generated = {"GeneratedManifestDescriptor": self.generated} if self.generated else {}
        return self.request.described | {
            "JobId": self.id,
            "JobArn": self.arn,
            "Status": str(self.status),
            "Priority": self.priority,
            "ProgressSummary": self._progress(now),
            "StatusUpdateReason": self.status_reason,
            "FailureReasons": [{"FailureCode": code, "FailureReason": reason} for code, reason in self.failures],
            "CreationTime": _time(self.created),
            "TerminationDate": _time(self.terminated),
            **suspension,
            **generated,
        }

    def listed(self, now: float) -> dict[str, Any]:
        """Return the job as an entry of ListJobs' `Jobs`."""
        return {
            "JobId": self.id,
            "Description": self.request.described.get("Description"),
            "Operation": "LambdaInvoke",
            "Priority": self.priority,
            "Status": str(self.status),
            "CreationTime": _time(self.created),
            "TerminationDate": _time(self.terminated),
            "ProgressSummary": self._progress(now),
        }

    def _progress(self, now: float) -> dict[str, Any]:
        since = self._active_since
        seconds = self._active_seconds + (0.0 if since is None else now - since)
        return {
            "TotalNumberOfTasks": self.total,
            "NumberOfTasksSucceeded": self.succeeded,
            "NumberOfTasksFailed": self.failed,
            "Timers": {"ElapsedTimeInActiveSeconds": int(seconds)},
        }


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
