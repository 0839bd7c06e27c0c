"""The sweep, once a minute: what no event brings about. See docs/architecture.md#sweeping.

A sweep is over before the next one is due; what it had no time for is done then. The tasks are independent: one that fails does not
keep the others back. Two sweeps at a time would do no harm (every write is conditional), the lease saves money, and mails: it
lasts as long as the function may, so that a sweep that hangs is over before another begins to send.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from handlers.adapters import aws_errors
from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.mail import MailTopic
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader
from handlers.adapters.table import Table
from handlers.domain.languages import ENGLISH, Language
from handlers.flows.sweep.cancel import CancelVideos
from handlers.flows.sweep.check_overdue import CheckOverdue
from handlers.flows.sweep.close_scans import CloseScans, NoteProgress
from handlers.flows.sweep.context import SweepContext, SweepTask
from handlers.flows.sweep.purge import PurgeLanes
from handlers.flows.sweep.resend import ResendMessages
from handlers.flows.sweep.send_mail import MailSettings, Post, SendFlaggedMail, SendScanMail
from handlers.flows.sweep.watch_jobs import WatchJobs
from handlers.flows.sweep.watch_lanes import SwitchLanes, WatchLanes
from handlers.runtime.clock import Clock
from handlers.runtime.logs import Log

# No task runs longer than this after the sweep's start: the next sweep is due after a minute.
SWEEP_SECONDS = 50.0

# No task runs on with less time than this until the invocation's end.
LAST_SECONDS = 30.0


class SweepError(Exception):
    """Some tasks failed; the next sweep tries again."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All that the sweeper works with."""

    table: Table
    topic: MailTopic
    batch_jobs: BatchJobs
    queues: LaneQueues
    reader: AnalysisReader
    completion: CompletionFunction
    switches: LaneSwitches


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What the mails contain and how many there are per scan, and the topic through which completion hears of an analysis."""

    stack_name: str
    completions_topic_arn: str
    mails_per_scan: int
    language: Language = ENGLISH


class SweepFlow:
    """Sweeps; lives as long as its warm environment."""

    def __init__(self, ports: Ports, clock: Clock, settings: SweepSettings) -> None:
        self._scans = ports.table.scans
        self._control = ports.table.control
        self._clock = clock
        self._holder = uuid.uuid4().hex
        self._tasks = _tasks(ports, clock, settings)

    def sweep(self, *, deadline: float) -> None:
        """Run every task once, unless another sweeper is running.

        Raises:
            SweepError: At the end, if any task failed.
        """
        began = self._clock.now()
        if not self._control.take_lease(self._holder, deadline):
            Log().info("another sweeper is at it")
            return
        context, end = SweepContext(self._scans, self._control), min(deadline - LAST_SECONDS, began + SWEEP_SECONDS)
        failed = [type(task).__name__ for task, share in self._tasks if not self._ran(task, context, share, end)]
        self._control.return_lease(self._holder)
        if failed:
            raise SweepError(f"failed: {', '.join(failed)}")

    def _ran(self, task: SweepTask, context: SweepContext, share: float, end: float) -> bool:
        now = self._clock.now()
        if now > end:
            return True
        try:
            task.run(context, min(end, now + share))
        except Exception as error:  # noqa: BLE001 # the other tasks must not suffer; it is raised at the end
            Log().alarm("chore failed", chore=type(task).__name__, cause=error, reason=aws_errors.code_of(error))
            return False
        return True


def _tasks(ports: Ports, clock: Clock, settings: SweepSettings) -> Sequence[tuple[SweepTask, float]]:
    """Return the tasks in their order, with the seconds that each may take: what is short and urgent comes before what is long."""
    records, waiting, scans, control = ports.table.records, ports.table.waiting, ports.table.scans, ports.table.control
    queues, post = ports.queues, Post(ports.topic, clock)
    mails = MailSettings(settings.stack_name, settings.mails_per_scan, settings.language)
    return (
        (SwitchLanes(ports.switches), 5.0),
        (SendFlaggedMail(records, scans, post, clock, mails), 15.0),
        (WatchJobs(waiting, scans, ports.batch_jobs, clock), 5.0),
        (CloseScans(records, waiting, scans, clock), 5.0),
        (SendScanMail(records, waiting, scans, control, post, clock, mails), 10.0),
        (CheckOverdue(records, ports.reader, ports.completion, clock, settings.completions_topic_arn), 15.0),
        (NoteProgress(scans, clock), 5.0),
        (PurgeLanes(waiting, scans, control, queues, clock), 5.0),
        (CancelVideos(waiting, queues, clock), 20.0),
        (WatchLanes(waiting, scans, control, queues, clock), 5.0),
        (ResendMessages(waiting, queues, clock), SWEEP_SECONDS),
    )
