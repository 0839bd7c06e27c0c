"""The end of every command that submits a job: its ids are printed and, where that is wanted, the scan is followed to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.domain.states import ScanStatus, State
from tools.lib.aws.batch_jobs import JobView
from tools.lib.aws.clients import explain
from tools.lib.cli import ExitCode, Invocation
from tools.lib.errors import ToolError
from tools.lib.review.completion_report import BucketFiles
from tools.lib.review.skipped import not_looked_at
from tools.lib.scans.follow import follow
from tools.lib.scans.status import ScanProgress
from tools.lib.submit.options import SubmitOptions
from tools.lib.text import printable


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that was created; `copy` is the local one of its manifest, `plan` that of the scan or retry as JSON values."""

    scan_id: str
    job_id: str
    manifest_uri: str
    copy: Path
    plan: Mapping[str, Any]
    next_command: str

    def sentences(self) -> list[str]:
        """Return what a person needs to find the scan again."""
        return [
            f"scan      {self.scan_id}",
            f"job       {self.job_id}",
            f"manifest  {self.copy}",
            f"next      {self.next_command}",
        ]

    def as_json(self) -> dict[str, Any]:
        """Return ids, manifest, next command and plan as JSON values."""
        return {
            "scan_id": self.scan_id,
            "job_id": self.job_id,
            "job_ids": [self.job_id],
            "manifest": {"uri": self.manifest_uri, "copy": str(self.copy)},
            "next": [self.next_command],
            "plan": self.plan,
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """How a scan stands once its batch job broke or all of it is over.

    Attributes:
        skipped: Objects that were not looked at because they are something else than a video.
    """

    progress: ScanProgress
    job: JobView
    skipped: int

    @property
    def exit_code(self) -> ExitCode:
        """Return what a review of the scan tells the shell, too."""
        if self.job.broken:
            return ExitCode.FAILED
        videos = self.progress.totals.videos
        lost = videos.get(State.FAILED, 0) + videos.get(State.CANCELLED, 0)
        if (
            lost
            or self.progress.set_aside
            or self.skipped
            or self.job.job.failed
            or self.progress.scan.status is ScanStatus.CANCELLED
        ):
            return ExitCode.SOME_FAILED
        return ExitCode.DONE

    def sentences(self) -> list[str]:
        reasons = self.job.reasons if self.job.broken else ()
        return [self.progress.line(), *(f"job failed because  {printable(reason)}" for reason in reasons)]

    def as_json(self) -> dict[str, Any]:
        """Return the end as JSON values; what is ineligible is counted as the review counts it."""
        job, totals = self.job.job, self.progress.totals
        return {
            "status": self.progress.scan.status.value,
            "job": {
                "status": job.status,
                "tasks": job.tasks,
                "succeeded": job.succeeded,
                "failed": job.failed,
                "reasons": list(self.job.reasons),
            },
            "videos": {state.value: count for state, count in sorted(totals.videos.items())},
            "ineligible": totals.ineligible + self.progress.set_aside,
            "skipped": self.skipped,
            "running": self.progress.running,
            "exit_code": int(self.exit_code),
        }


@dataclass(frozen=True, slots=True)
class Waited:
    """What was submitted and how it ended, as one result; `ended` is None where the following was interrupted."""

    submitted: Submitted
    ended: Ended | None

    def sentences(self) -> list[str]:
        """Return how it ended; the ids were printed before."""
        return self.ended.sentences() if self.ended else []

    def as_json(self) -> dict[str, Any]:
        return {**self.submitted.as_json(), "result": self.ended.as_json() if self.ended else None}


def finish(run: Invocation, how: SubmitOptions, submitted: Submitted, set_aside: int) -> ExitCode:
    """Print what was submitted, follow the scan to its end where that is wanted, and return the exit code.

    `set_aside` objects were left out of the scan's jobs and are not analysed.

    Raises:
        ToolError: Following failed for good.
    """
    if not how.wait:
        run.terminal.result(submitted)
        return ExitCode.DONE
    for line in submitted.sentences():
        run.terminal.info(line)
    ended: Ended | None = None
    try:
        ended = _follow(run, how, submitted, set_aside)
    except KeyboardInterrupt:
        run.terminal.info(f"Stopped following. The scan continues by itself; to follow it again: {submitted.next_command}")
        return ExitCode.INTERRUPTED
    except (BotoCoreError, ClientError) as error:
        cause = explain(error)
        raise ToolError(
            f"Following the scan failed; the scan itself continues. {cause}",
            cure=f"{cause.cure} To follow it again: {submitted.next_command}",
        ) from error
    finally:
        run.terminal.result(Waited(submitted, ended))
    if ended.job.broken:
        run.terminal.error(_broken(submitted, ended.job))
    return ended.exit_code


def _follow(run: Invocation, how: SubmitOptions, submitted: Submitted, set_aside: int) -> Ended:
    with run.terminal.bar("videos") as bar:
        progress, job = follow(
            run, submitted.scan_id, submitted.job_id, set_aside=set_aside, poll_seconds=how.poll_seconds, bar=bar
        )
    files = BucketFiles(run.clients.s3, run.deployment.work_bucket)
    # Only the reports tell how many objects were skipped; those of a broken job say nothing of the rest.
    skipped = 0 if job.broken else not_looked_at(progress.scan, progress.totals, files, run.table.records)
    return Ended(progress, job, skipped)


def _broken(submitted: Submitted, job: JobView) -> ToolError:
    reasons = "; ".join(job.reasons) or "S3 gave no reason"
    return ToolError(
        f"The S3 Batch Operations job {job.job.id} ended as {job.job.status}: {reasons}",
        cure="The videos it had handed over are still analysed; "
        f"`{submitted.next_command}` tells which. Fix the reason, then submit again.",
    )
