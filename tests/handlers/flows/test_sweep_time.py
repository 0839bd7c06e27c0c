"""All tasks of a sweep alike: each works up to its last moment, and what it changes is seen by those that follow."""

from dataclasses import replace

import pytest

from handlers.adapters.table import Lease
from handlers.adapters.table.scan_items import LaneWatch
from handlers.adapters.uploads import BucketListing, UploadQueue
from handlers.domain import BatchJob, Lane, ObjectFacts, Scan, ScanMail, ScanStatus, StartParameters, State, watch
from handlers.domain.watch import Watch
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.sweep import SweepFlow, UploadPorts
from tests.handlers.doubles import BUCKET, COMPLETIONS, ROLE, SCAN, waiting
from tests.handlers.sweeper_doubles import SETTINGS, Buckets, UploadMessages

WRITES = {"put_item", "update_item", "delete_item", "transact_write_items", "send_message", "send_message_batch", "purge_queue"}
# In the order of their ids.
PAUSED, CANCELLED, OVER = (f"{SCAN[:-1]}{number}" for number in (2, 3, 4))
FACTS = ObjectFacts("abc", 3, None)
START = StartParameters(None, 50.0, COMPLETIONS, ROLE)


class Everything:
    """A deployment in which every task of the sweeper has something to do."""

    def __init__(self, table, ports, dynamodb, sqs, urls, sns, s3control, rekognition, clock):
        self.table, self.clock = table, clock
        self.seen = [dynamodb, sqs, sns, s3control, rekognition]
        self.buckets = Buckets(clock)
        queue = UploadQueue(UploadMessages(), "uploads", "dead uploads", clock)
        ports = replace(ports, uploads=UploadPorts(BucketListing(self.buckets), queue))
        self.flow = SweepFlow(ports, clock, replace(SETTINGS, watched={BUCKET: Watch(BUCKET)}))
        self._scans(s3control)
        self._videos(rekognition)
        sqs.send_message(QueueUrl=urls[Lane.EXPRESS], MessageBody="of the paused scan")
        table.watches.begin(BUCKET, 0.0)
        table.watches.pause_uploads(BUCKET, "someone")
        self.buckets.put(BUCKET, "b.mp4", 1.0)
        clock.time += 2_000
        table.scans.put_scan(Scan(PAUSED, BUCKET, lane=Lane.EXPRESS, status=ScanStatus.PAUSED, held_at=clock.now()))
        table.control.note_lane(Lane.NORMAL, LaneWatch(empty_since=clock.now() - 100))

    def _scans(self, s3control):
        due = {"resend_due": True, "mails_due": (ScanMail.NOTICES,), "mails_sent": 3}
        self.table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), **due))
        self.table.scans.put_scan(Scan(CANCELLED, BUCKET, status=ScanStatus.CANCELLED, held_at=1.0))
        over = BatchJob("over", "Complete", tasks=1, succeeded=1, failed=0, terminal_since=1.0)
        self.table.scans.put_scan(Scan(OVER, BUCKET, jobs=(over,)))
        day = watch.day_of(self.clock.now())
        self.table.scans.ensure_day_scan(watch.scan_id(BUCKET, day), BUCKET, day, held=None)
        self.table.scans.cancel_waiting(watch.scan_id(BUCKET, day))
        s3control.jobs = {"one": "Active"}

    def _videos(self, rekognition):
        now, records = self.clock.now(), self.table.records
        for scan_id, lane in ((SCAN, Lane.NORMAL), (PAUSED, Lane.EXPRESS), (CANCELLED, Lane.NORMAL)):
            records.register(waiting("waits.mp4", scan_id=scan_id, lane=lane, queued_at=now - 11 * 86_400), None)
        runs, flagged, noted, frames = (waiting(f"{name}.mp4") for name in ("runs", "flagged", "noted", "frames"))
        for record in (runs, flagged, noted, frames):
            records.register(record, None)
        analysis = runs.analysis
        job = rekognition.start_content_moderation(ClientRequestToken=analysis.token, JobTag=analysis.tag, Video={})
        records.enter_running(runs, job["JobId"])
        records.finish(replace(flagged, state=State.FLAGGED, finished_at=1.0, mail_due=True))
        records.note_start_tried(noted, FACTS, START, at=now)
        self.table.samplings.begin(frames, FACTS, Lease("dead", now), at=now)

    def done(self):
        """Return how much was written, sent and asked until now."""
        dynamodb, sqs, sns, s3control, rekognition = self.seen
        calls = sum(name in WRITES for name, _ in (*dynamodb.calls, *sqs.calls))
        return calls + sum(map(len, (sns.mails, s3control.asked, rekognition.gets, self.buckets.asked)))

    def task(self, name):
        """Return the task of this name."""
        return next(task for task, _ in self.flow._tasks if type(task).__name__ == name)

    def context(self):
        """Return the context of a sweep that begins now."""
        return SweepContext(self.table.scans, self.table.control)


@pytest.fixture(name="everything")
def _everything(table, ports, dynamodb, sqs, urls, sns, s3control, rekognition, clock, monkeypatch):
    monkeypatch.setattr("handlers.flows.sweep.purge.PURGED_ABOVE", 0)
    return Everything(table, ports, dynamodb, sqs, urls, sns, s3control, rekognition, clock)


@pytest.mark.parametrize(
    "name",
    [
        "HoldWatches",
        "SendFlaggedMail",
        "WatchJobs",
        "CloseScans",
        "SendScanMail",
        "CheckOverdue",
        "RepeatStarts",
        "RepeatSamples",
        "NoteProgress",
        "CompareUploads",
        "PurgeLanes",
        "WatchLanes",
    ],
)
def test_until_its_time_is_over(everything, clock, name):
    """A task does something at the last moment of its time, and nothing right after it: the next sweep does the rest."""
    task, context = everything.task(name), everything.context()
    context.scans()  # which sorts out those that are over
    counts = [everything.done()]

    for until in (clock.now() - 0.001, clock.now()):
        task.run(context, until)
        counts.append(everything.done())

    assert counts[0] == counts[1] < counts[2]


@pytest.mark.parametrize(
    "name",
    ["HoldWatches", "SendFlaggedMail", "WatchJobs", "CloseScans", "PurgeLanes", "CancelVideos", "WatchLanes", "ResendMessages"],
)
def test_what_the_next_task_sees(everything, clock, table, name):
    """Once a task has changed scans, the tasks after it see them as they are."""
    context = everything.context()
    before = context.scans()

    everything.task(name).run(context, clock.now() + 50)

    assert before != context.scans() == table.scans.active()[::-1]


@pytest.mark.parametrize(("name", "scan_id"), [("ResendMessages", SCAN), ("CancelVideos", CANCELLED)])
def test_videos_until_its_time_is_over(everything, clock, table, name, scan_id):
    """Videos are sent again or cancelled up to the last moment, and not after it."""
    records = [table.records.record(waiting("waits.mp4").video.id, scan_id)]

    for until in (clock.now() - 0.001, clock.now()):
        everything.task(name).run(everything.context(), until)
        records.append(table.records.record(waiting("waits.mp4").video.id, scan_id))

    assert records[0] == records[1] != records[2]


class Task:
    """A task that only notes until when it may run, and takes a while."""

    def __init__(self, clock, seconds=0.0):
        self.clock, self.seconds, self.runs = clock, seconds, []

    def run(self, _context, until):
        """Note how much time there is."""
        self.runs.append(until - self.clock.now())
        self.clock.time += self.seconds


@pytest.mark.parametrize(
    ("left", "expected"),
    [(300.0, [5.0, 40.0, 10.0]), (79.0, [5.0, 39.0, 9.0]), (50.0, [5.0, 10.0]), (40.0, [5.0, 0.0]), (30.0, [0.0]), (29.9, [])],
)
def test_seconds_of_tasks(everything, clock, left, expected):
    """Tasks have their seconds, end 50 s after the sweep began and 30 s before the invocation ends, and then none begins."""
    first, second, third = Task(clock, 10.0), Task(clock, 30.0), Task(clock)
    everything.flow._tasks = [(first, 5.0), (second, 60.0), (third, 20.0)]

    everything.flow.sweep(deadline=clock.now() + left)

    assert expected == pytest.approx(first.runs + second.runs + third.runs)
