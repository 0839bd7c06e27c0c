"""Waiting for what was submitted: the scan is followed to its end, and whatever breaks off the looking leaves the scan alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from handlers.adapters.table import Records, Scans
from handlers.runtime.clock import Clock
from tools.lib.aws.clients import Clients, explain
from tools.lib.cli.output import ExitCode, Terminal
from tools.lib.errors import ToolError
from tools.lib.review.inputs import BucketFiles
from tools.lib.review.skipped import not_looked_at
from tools.lib.scans import follow
from tools.lib.scans.follow import Follower, View
from tools.lib.submit.submission import Submission


@dataclass(frozen=True, slots=True)
class Waited:
    """A submission that was followed, as one result: `view` is None where the following was broken off."""

    submitted: Submission
    view: View | None

    def sentences(self) -> list[str]:
        """Return how it ended; the ids were told when the scan was submitted."""
        return self.view.sentences() if self.view else []

    def as_json(self) -> dict[str, Any]:
        """Return submission and end as one JSON value."""
        return {**self.submitted.as_json(), "result": self.view.as_json() if self.view else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How a submission is waited for: the port to AWS, the person, and the time between two looks."""

    clients: Clients
    scans: Scans
    records: Records
    terminal: Terminal
    clock: Clock
    poll_seconds: float

    def wait(self, submitted: Submission, objects: int | None, *, set_aside: int = 0) -> ExitCode:
        """Follow a submission to the end of its scan of so many objects, tell how it ended, and return what to tell the shell.

        `set_aside` objects more were left out of its jobs, and are not analysed: that is an end as of those that failed.

        Raises:
            ToolError: The looking broke off for good.
        """
        for line in submitted.sentences():
            self.terminal.info(line)
        view: View | None = None
        try:
            view = self._counted(self._follow(submitted, objects, set_aside), submitted)
        except KeyboardInterrupt:
            self.terminal.info(f"Stopped looking. The scan goes on by itself; to look again: {submitted.next_commands[0]}")
            return ExitCode.INTERRUPTED
        except (BotoCoreError, ClientError) as error:
            cause = explain(error)
            raise ToolError(
                f"Looking after the scan broke off, the scan itself goes on. {cause}",
                cure=f"{cause.cure} To look again: {submitted.next_commands[0]}",
            ) from error
        finally:
            self.terminal.result(Waited(submitted, view))
        if view.job.broken:
            self.terminal.error(_broken(submitted, view))
        return view.exit_code

    def _follow(self, submitted: Submission, objects: int | None, set_aside: int) -> View:
        follower = Follower(
            s3control=self.clients.s3control,
            scans=self.scans,
            records=self.records,
            account_id=submitted.plan.deployment.account_id,
            clock=self.clock,
            poll_seconds=self.poll_seconds,
            set_aside=set_aside,
        )
        with self.terminal.bar("videos") as bar:
            return follow.last_view(follower.follow(submitted.plan.scan_id, submitted.job_ids, objects), bar)

    def _counted(self, view: View, submitted: Submission) -> View:
        """Return the last view with what only the reports tell: how many objects were skipped, and so not looked at."""
        scan = self.scans.scan(submitted.plan.scan_id)
        if scan is None or view.job.broken:
            return view
        files = BucketFiles(self.clients.s3, submitted.plan.deployment.work_bucket)
        return replace(view, skipped=not_looked_at(scan, view.totals, files, self.records))


def _broken(submitted: Submission, view: View) -> ToolError:
    reasons = "; ".join(view.job.reasons) or "S3 gave no reason"
    return ToolError(
        f"The S3 Batch Operations job {view.job.job.id} ended as {view.job.job.status}: {reasons}",
        cure="The videos it had handed over are still analysed; "
        f"`{submitted.next_commands[0]}` tells which. Mend the reason, then submit again.",
    )
