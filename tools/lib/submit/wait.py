"""Waiting for what was submitted: the scan is followed to its end; it continues whatever interrupts the following."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.lib.aws.clients import explain
from tools.lib.cli.output import ExitCode
from tools.lib.errors import ToolError
from tools.lib.review.inputs import BucketFiles
from tools.lib.review.skipped import not_looked_at
from tools.lib.scans import follow
from tools.lib.scans.follow import Follower, View
from tools.lib.submit.context import SubmitContext
from tools.lib.submit.submitted import Submitted


@dataclass(frozen=True, slots=True)
class Waited:
    """What was submitted and how it ended, as one result; `view` is None where the following was interrupted."""

    submitted: Submitted
    view: View | None

    def sentences(self) -> list[str]:
        """Return how it ended; the ids were printed before."""
        return self.view.sentences() if self.view else []

    def as_json(self) -> dict[str, Any]:
        """Return both as one JSON value."""
        return {**self.submitted.as_json(), "result": self.view.as_json() if self.view else None}


def wait(context: SubmitContext, submitted: Submitted, objects: int | None, *, set_aside: int = 0) -> ExitCode:
    """Follow a scan of this many objects to its end, print how it ended, and return the exit code.

    `set_aside` objects more were left out of its jobs, and are not analysed: they count for the exit code as failed ones do.

    Raises:
        ToolError: Following failed for good.
    """
    for line in submitted.sentences():
        context.terminal.info(line)
    view: View | None = None
    try:
        view = _with_skipped(context, _follow(context, submitted, objects, set_aside), submitted)
    except KeyboardInterrupt:
        context.terminal.info(f"Stopped following. The scan continues by itself; to follow it again: {submitted.next_command}")
        return ExitCode.INTERRUPTED
    except (BotoCoreError, ClientError) as error:
        cause = explain(error)
        raise ToolError(
            f"Following the scan failed; the scan itself continues. {cause}",
            cure=f"{cause.cure} To follow it again: {submitted.next_command}",
        ) from error
    finally:
        context.terminal.result(Waited(submitted, view))
    if view.job.broken:
        context.terminal.error(_broken(submitted, view))
    return view.exit_code


def _follow(context: SubmitContext, submitted: Submitted, objects: int | None, set_aside: int) -> View:
    follower = Follower(
        s3control=context.clients.s3control,
        scans=context.scans,
        records=context.records,
        account_id=submitted.plan.deployment.account_id,
        clock=context.clock,
        poll_seconds=context.poll_seconds,
        set_aside=set_aside,
    )
    with context.terminal.bar("videos") as bar:
        return follow.last_view(follower.follow(submitted.plan.scan_id, submitted.job_id, objects), bar)


def _with_skipped(context: SubmitContext, view: View, submitted: Submitted) -> View:
    """Return the last view with what only the reports tell: how many objects were skipped, and so not looked at."""
    scan = context.scans.scan(submitted.plan.scan_id)
    if scan is None or view.job.broken:
        return view
    files = BucketFiles(context.clients.s3, submitted.plan.deployment.work_bucket)
    return replace(view, skipped=not_looked_at(scan, view.totals, files, context.records))


def _broken(submitted: Submitted, view: View) -> ToolError:
    reasons = "; ".join(view.job.reasons) or "S3 gave no reason"
    return ToolError(
        f"The S3 Batch Operations job {view.job.job.id} ended as {view.job.job.status}: {reasons}",
        cure="The videos it had handed over are still analysed; "
        f"`{submitted.next_command}` tells which. Fix the reason, then submit again.",
    )
