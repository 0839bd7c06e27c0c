"""The sweep, once a minute: does what no event triggers. See docs/architecture.md#sweeping.

A sweep ends before the next one is due, which does the rest. The tasks are independent: if one fails, the others still run. Two
sweeps at once do no harm, because every write is conditional; the lease saves requests and duplicate mails. It lasts as long as the
function may run, so a sweep that hangs has ended before another one sends mails.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from handlers.adapters import (
    AnalysisReader,
    BatchJobs,
    BucketListing,
    CompletionFunction,
    LaneQueues,
    LaneSwitches,
    MailTopic,
    OutboxQueue,
    UploadQueue,
    aws_errors,
)
from handlers.adapters.table import Table
from handlers.domain.languages import ENGLISH, Language
from handlers.domain.watch import Watch
from handlers.flows.sweep.cancel import CancelVideos
from handlers.flows.sweep.check_overdue import CheckOverdue
from handlers.flows.sweep.close_scans import CloseScans, NoteProgress
from handlers.flows.sweep.compare_uploads import CompareUploads
from handlers.flows.sweep.context import SweepContext, SweepTask
from handlers.flows.sweep.hold_watches import HoldWatches
from handlers.flows.sweep.purge import PurgeLanes
from handlers.flows.sweep.repeat_samples import RepeatSamples
from handlers.flows.sweep.repeat_starts import RepeatStarts
from handlers.flows.sweep.resend import ResendMessages
from handlers.flows.sweep.send_mail import MailSettings, Post, SendFlaggedMail, SendScanMail
from handlers.flows.sweep.send_outbox import SendOutbox
from handlers.flows.sweep.watch_jobs import WatchJobs
from handlers.flows.sweep.watch_lanes import SwitchLanes, WatchLanes
from handlers.flows.sweep.watch_subscriptions import WatchSubscriptions
from handlers.flows.sweep.watch_uploads import WatchUploads
from handlers.runtime import Clock, Log

# Tasks stop this long after the start of the sweep: the next one is due after a minute.
SWEEP_SECONDS = 50.0

# Tasks stop this long before the end of the invocation.
LAST_SECONDS = 30.0


class SweepError(Exception):
    """Some tasks failed; the next sweep tries again."""


@dataclass(frozen=True, slots=True)
class UploadPorts:
    """What the sweeper uses of watched buckets."""

    listing: BucketListing
    queue: UploadQueue


@dataclass(frozen=True, slots=True)
class Ports:
    """The table and services that the sweeper uses; `uploads` where a bucket is watched, `outbox` where there are consequences."""

    table: Table
    topic: MailTopic
    batch_jobs: BatchJobs
    queues: LaneQueues
    reader: AnalysisReader
    completion: CompletionFunction
    switches: LaneSwitches
    uploads: UploadPorts | None = None
    outbox: OutboxQueue | None = None


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """What mails contain and how many a scan sends one by one, the topic of completion notices, and how many jobs are used.

    `watched`: the watched buckets by name.
    """

    stack_name: str
    completions_topic_arn: str
    region: str
    mails_per_scan: int
    slots: int
    language: Language = ENGLISH
    watched: Mapping[str, Watch] = field(default_factory=dict)


class SweepFlow:
    """Runs the tasks; one instance serves an environment."""

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
        except Exception as error:  # noqa: BLE001 # the other tasks still run; raised at the end
            Log().alarm("chore failed", chore=type(task).__name__, cause=error, reason=aws_errors.code_of(error))
            return False
        return True


def _tasks(ports: Ports, clock: Clock, settings: SweepSettings) -> Sequence[tuple[SweepTask, float]]:
    """Return the tasks in order, short and urgent ones first, with the seconds that each may take."""
    records, waiting, scans, control = ports.table.records, ports.table.waiting, ports.table.scans, ports.table.control
    samplings = ports.table.samplings
    watches, queues, post = ports.table.watches, ports.queues, Post(ports.topic, clock)
    mails = MailSettings(settings.stack_name, settings.region, settings.mails_per_scan, settings.language)
    hold: list[tuple[SweepTask, float]] = []
    compare: list[tuple[SweepTask, float]] = []
    if ports.uploads is not None:
        hold = [(HoldWatches(waiting, scans, watches, clock, settings.watched), 5.0)]
        listing, uploads = ports.uploads.listing, ports.uploads.queue
        compare = [
            (WatchUploads(watches, uploads), 5.0),
            (CompareUploads(records, watches, listing, uploads, clock, settings.watched), 10.0),
        ]
    publish: list[tuple[SweepTask, float]] = []
    if ports.outbox is not None:
        publish = [(SendOutbox(ports.table.outbox, ports.outbox, clock), 10.0)]
    return (
        (SwitchLanes(ports.switches), 5.0),
        (WatchSubscriptions(ports.topic, control, clock), 5.0),
        *hold,
        (SendFlaggedMail(records, scans, post, clock, mails), 15.0),
        (WatchJobs(waiting, scans, ports.batch_jobs, clock), 5.0),
        (CloseScans(records, samplings, waiting, scans, watches, clock), 5.0),
        (SendScanMail(records, waiting, scans, control, watches, post, clock, mails), 10.0),
        *publish,
        (CheckOverdue(records, scans, ports.reader, ports.completion, clock, settings.completions_topic_arn, settings.slots), 15.0),
        (RepeatStarts(records, queues, clock), 5.0),
        (RepeatSamples(records, samplings, queues, clock), 5.0),
        (NoteProgress(scans, clock), 5.0),
        *compare,
        (PurgeLanes(waiting, scans, control, queues, clock), 5.0),
        (CancelVideos(waiting, scans, clock), 20.0),
        (WatchLanes(waiting, scans, control, queues, clock), 5.0),
        (ResendMessages(waiting, scans, queues, clock), SWEEP_SECONDS),
    )
