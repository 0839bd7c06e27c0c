"""The end of every command that submits a job: it prints the ids and, with --wait, follows the scan to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.domain import ScanStatus, State
from handlers.domain.languages import ENGLISH
from tools.lib.aws import JobView, explain
from tools.lib.cli import CommandResult, ExitCode, Invocation
from tools.lib.errors import ToolError
from tools.lib.review import BucketFiles, not_looked_at
from tools.lib.scans import ScanProgress, follow
from tools.lib.submit.options import SubmitOptions
from tools.lib.text import printable


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that was created; `copy` is the local copy of its manifest, `plan` the plan of the scan or retry as JSON values."""

    scan_id: str
    job_id: str
    manifest_uri: str
    copy: Path
    plan: Mapping[str, Any]
    next_command: str

    def sentences(self) -> list[str]:
        return [
            f"scan      {self.scan_id}",
            f"job       {self.job_id}",
            f"manifest  {self.copy}",
            f"next      {self.next_command}",
        ]

    def as_json(self) -> dict[str, Any]:
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
    """The result of a scan that is over, whose batch job ended early, or that is held.

    Attributes:
        skipped: How many objects were skipped because they are not videos.
    """

    progress: ScanProgress
    job: JobView
    skipped: int

    @property
    def held(self) -> bool:
        """Tell whether a person must act before the scan can go on: it, or all starting, is paused."""
        scan = self.progress.scan
        return scan.status is ScanStatus.PAUSED or (scan.status is ScanStatus.OPEN and self.progress.settings.paused)

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code; where no job ended early, a review of the scan has the same."""
        if self.job.broken or self.held:
            return ExitCode.FAILED
        videos = self.progress.totals.videos
        without_verdict = videos.get(State.FAILED, 0) + videos.get(State.CANCELLED, 0) + self.progress.set_aside + self.skipped
        if without_verdict or self.job.job.failed or self.progress.scan.status is ScanStatus.CANCELLED:
            return ExitCode.SOME_FAILED
        return ExitCode.DONE

    def sentences(self) -> list[str]:
        if self.job.broken:
            return [self.progress.line(), *(f"job failed because  {printable(reason)}" for reason in self.job.job.reasons)]
        return [self.progress.line(), *(f"Warning: {ENGLISH.render(warning)}" for warning in self.progress.warnings)]

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON values; `ineligible` counts what a review counts as such."""
        job, totals = self.job.job, self.progress.totals
        return {
            "status": self.progress.scan.status.value,
            "job": {
                "status": job.status,
                "tasks": job.tasks,
                "succeeded": job.succeeded,
                "failed": job.failed,
                "reasons": list(job.reasons),
            },
            "held_reason": self.progress.scan.held_reason,
            "paused": self.progress.settings.paused,
            "paused_by": self.progress.settings.paused_by,
            "paused_reason": self.progress.settings.paused_reason,
            "warnings": [ENGLISH.render(warning) for warning in self.progress.warnings],
            "videos": {state.value: count for state, count in sorted(totals.videos.items())},
            "ineligible": totals.ineligible + self.progress.set_aside,
            "skipped": self.skipped,
            "running": self.progress.running,
            "exit_code": int(self.exit_code),
        }


def finish(run: Invocation, how: SubmitOptions, submitted: Submitted, set_aside: int) -> ExitCode:
    """Print what was submitted, follow the scan to its end if the options say so, and return the exit code.

    `set_aside` is how many objects were left out of the scan's jobs and are not analysed.

    Raises:
        ToolError: AWS refused to show the progress.
    """
    if not how.wait:
        run.terminal.result(submitted)
        return ExitCode.DONE
    for line in submitted.sentences():
        run.terminal.info(line)
    ended: Ended | None = None
    try:
        ended = _follow(run, how.poll_seconds, submitted, set_aside)
    except KeyboardInterrupt:
        run.terminal.info(f"Stopped following the scan, which continues. To see its results: {submitted.next_command}")
        return ExitCode.INTERRUPTED
    except (BotoCoreError, ClientError) as error:
        cause = explain(error)
        raise ToolError(
            f"Following the scan failed; the scan itself continues. {cause}",
            cure=f"{cause.cure} To see its results: {submitted.next_command}",
        ) from error
    finally:
        result = {**submitted.as_json(), "result": ended.as_json() if ended else None}
        run.terminal.result(CommandResult(ended.sentences() if ended else [], result))
    if ended.job.broken:
        run.terminal.error(_broken(run, submitted, ended.job))
    elif ended.held:
        run.terminal.error(held_error(run, ended.progress))
    return ended.exit_code


def _follow(run: Invocation, poll_seconds: float, submitted: Submitted, set_aside: int) -> Ended:
    with run.terminal.bar("videos") as bar:
        progress, job = follow(run, submitted.scan_id, submitted.job_id, set_aside=set_aside, poll_seconds=poll_seconds, bar=bar)
    files = BucketFiles(run.clients.s3, run.deployment.work_bucket)
    # Only the reports show how many objects were skipped; those of a job that ended early do not cover the rest.
    skipped = 0 if job.broken or not job.over else not_looked_at(progress.scan, progress.totals, files, run.table.records)
    return Ended(progress, job, skipped)


def _broken(run: Invocation, submitted: Submitted, job: JobView) -> ToolError:
    reasons = "; ".join(job.job.reasons) or "S3 gave no reason"
    resume = run.target.command("control_scan.py", "resume", submitted.scan_id)
    return ToolError(
        f"The S3 Batch Operations job {job.job.id} ended as {job.job.status}: {reasons}",
        cure=f"Fix the reason. If videos that it had registered still wait, the scan is paused within two minutes: `{resume}` has "
        f"them analysed. Then `{_retry(run, submitted)}` takes up the rest; `{submitted.next_command}` shows what became of each.",
    )


def held_error(run: Invocation, progress: ScanProgress) -> ToolError:
    """Return the error that a scan is held, or all starting is, and the commands that let it go on."""
    scan, settings = progress.scan, progress.settings
    status = run.target.command("control_scan.py", "status", scan.id, "--watch")
    if scan.status is ScanStatus.PAUSED:
        resume = run.target.command("control_scan.py", "resume", scan.id)
        cancel = run.target.command("control_scan.py", "cancel", scan.id)
        return ToolError(
            f"Scan {scan.id} is paused: {scan.held_reason or 'no reason was given'}. What waits is not analysed.",
            cure=f"`{resume}` lets it go on, `{cancel}` ends it; `{status}` follows it.",
        )
    by, reason = settings.paused_by or "someone", settings.paused_reason or "no reason was given"
    return ToolError(
        f"Starting is paused by {by}: {reason}. What waits is not analysed.",
        cure=f"Fix the cause, then `{run.target.command('control_scan.py', 'resume')}`; `{status}` follows the scan.",
    )


def _retry(run: Invocation, submitted: Submitted) -> str:
    return run.target.command("review_report.py", "retry", "--scan", submitted.scan_id)
