"""Single tasks of the sweep, run by themselves: what they write, what they log, and what they leave alone."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.mail import Subscribers
from handlers.adapters.queue import Depth, LaneQueues
from handlers.adapters.table import Comparison, LaneWatch, Lease, Outcome, ThrottledError
from handlers.adapters.table.items import record_key
from handlers.domain import Engine, reasons, watch
from handlers.domain.languages import ENGLISH
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Progress, Scan, Settings, StartParameters
from handlers.domain.states import SCAN_LANES, Lane, ScanMail, ScanStatus, State
from handlers.flows.sweep.cancel import CancelVideos
from handlers.flows.sweep.close_scans import CloseScans, NoteProgress
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.pace import paced
from handlers.flows.sweep.purge import PurgeLanes
from handlers.flows.sweep.repeat_samples import RepeatSamples
from handlers.flows.sweep.repeat_starts import RepeatStarts
from handlers.flows.sweep.send_mail import MailSettings, Post, SendScanMail, attempt_all
from handlers.flows.sweep.sweep import SweepFlow
from handlers.flows.sweep.watch_jobs import WatchJobs
from handlers.flows.sweep.watch_lanes import WatchLanes
from handlers.flows.sweep.watch_subscriptions import WatchSubscriptions
from tests.handlers.doubles import ACCOUNT, BUCKET, COMPLETIONS, OTHER_SCAN, ROLE, SCAN, TABLE, waiting
from tests.handlers.sweeper_doubles import SETTINGS

DAY = "2026-11-29"
DAY_SCAN = watch.scan_id(BUCKET, DAY)


class TestWatchSubscriptions:
    @pytest.fixture(name="look")
    def _look(self, table, clock):
        """Return a function that looks at a topic by its numbers of subscriptions, confirmed and not."""

        def look(confirmed, unconfirmed=0):
            topic = SimpleNamespace(subscribers=lambda: Subscribers(confirmed, unconfirmed))
            WatchSubscriptions(topic, table.control, clock).run(None, clock.now() + 5)

        return look

    def test_alarm(self, look, caplog):
        """When the last subscription is gone an alarm is logged, once; not when one is there again."""
        look(1)
        before = len(caplog.records)

        look(0)
        look(0)
        gone = [record.message for record in caplog.records[before:]]
        look(1)

        assert ["no one is mailed"] == gone == [record.message for record in caplog.records[before:]]

    def test_nothing_has_changed(self, look, dynamodb):
        """What is noted already is not written again."""
        look(1)
        written = len(dynamodb.called("put_item"))

        look(1)

        assert written == len(dynamodb.called("put_item"))


class TestWatchJobs:
    @pytest.mark.parametrize("cancelled", [True, False])
    def test_the_job_of_a_cancelled_scan(self, table, s3control, clock, cancelled):
        """A broken job of a cancelled scan needs no decision, though videos of it still wait."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        table.records.register(waiting(), None)
        s3control.jobs = {"one": "Cancelled"}
        if cancelled:
            table.scans.cancel_scan(SCAN, "by a test")
        task = WatchJobs(table.waiting, table.scans, BatchJobs(s3control, ACCOUNT), clock)

        for _ in range(3):
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            clock.sleep(60)

        scan = table.scans.scan(SCAN)
        assert (True, "cancelled" if cancelled else "paused") == (scan.jobs[0].told, scan.status.value)

    def test_not_more_than_every_30_seconds(self, table, s3control, clock):
        """A job is polled at most every 30 s, and not once it is over."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"), BatchJob("two", "Complete"))))
        s3control.jobs = {"one": "Active"}
        task = WatchJobs(table.waiting, table.scans, BatchJobs(s3control, ACCOUNT), clock)

        for _ in range(7):
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            clock.sleep(10)

        assert ["one"] * 3 == s3control.asked

    @pytest.mark.parametrize(
        ("status", "seconds", "is_settled"), [("Failed", 59, False), ("Failed", 60, True), ("Complete", 60, False)]
    )
    def test_settled(self, table, s3control, clock, status, seconds, is_settled):
        """A broken job of which nothing waits needs no decision once it has been over for a minute; a complete one never does."""
        job = BatchJob("one", status, terminal_since=clock.now() - seconds)
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(job,)))
        task = WatchJobs(table.waiting, table.scans, BatchJobs(s3control, ACCOUNT), clock)

        task.run(SweepContext(table.scans, table.control), clock.now() + 5)

        assert (replace(job, told=is_settled),) == table.scans.scan(SCAN).jobs

    @pytest.mark.parametrize("status", [ScanStatus.OPEN, ScanStatus.PAUSED])
    def test_only_open_scans_are_paused(self, table, s3control, clock, status):
        """A scan whose broken job was settled stays as it is; one that is paused keeps its reason, and its job is not settled."""
        job = BatchJob("one", "Failed", terminal_since=1.0, told=status is ScanStatus.OPEN)
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(job,), status=status, held_reason="by a test"))
        if status is ScanStatus.OPEN:
            table.records.register(waiting(), None)
        before = table.scans.scan(SCAN)

        WatchJobs(table.waiting, table.scans, BatchJobs(s3control, ACCOUNT), clock).run(
            SweepContext(table.scans, table.control), clock.now() + 5
        )

        assert before == table.scans.scan(SCAN)

    def test_reason(self, table, s3control, clock, caplog):
        """The reason of a pause names every job that broke, and is logged as an alarm."""
        jobs = tuple(BatchJob(name, status, terminal_since=1.0) for name, status in (("one", "Failed"), ("two", "Cancelled")))
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(*jobs, BatchJob("three", "Complete"))))
        table.records.register(waiting(), None)
        context = SweepContext(table.scans, table.control)
        context.scans()

        WatchJobs(table.waiting, table.scans, BatchJobs(s3control, ACCOUNT), clock).run(context, clock.now() + 5)

        reason = "its batch job one is failed; its batch job two is cancelled"
        assert (ScanStatus.PAUSED, reason) == ((scan := context.scans()[0]).status, scan.held_reason)
        assert [("scan paused", reason)] == [(entry.message, entry.reason) for entry in caplog.records]


class TestWatchLanes:
    @pytest.fixture(name="look")
    def _look(self, table, clock):
        """Return a function that runs the task by what the normal lane has; it returns the lanes that were looked at."""

        def look(*, messages=0, dead=0):
            looked = []
            queues = SimpleNamespace(
                lanes=SCAN_LANES,
                depth=lambda lane: Depth(messages * (lane is Lane.NORMAL), 0),
                dead_letters=lambda lane: looked.append(lane) or dead * (lane is Lane.NORMAL),
            )
            task = WatchLanes(table.waiting, table.scans, table.control, queues, clock)
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            return looked

        return look

    @pytest.fixture(name="waits", autouse=True)
    def _waits(self, table):
        """Register a video that waits in the normal lane."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        table.records.register(waiting(), None)

    @pytest.mark.parametrize(
        ("since", "messages", "noted", "is_marked"),
        [(None, 0, 0, False), (54, 0, 54, False), (55, 0, None, True), (55, 1, None, False), (None, 1, None, False)],
    )
    def test_empty(self, look, table, clock, since, messages, noted, is_marked):
        """Messages are sent again once a lane in which videos wait was empty in two sweeps, 55 s apart at least."""
        empty_since = None if since is None else clock.now() - since
        table.control.note_lane(Lane.NORMAL, LaneWatch(empty_since=empty_since, purged_at=7.0))

        look(messages=messages)

        expected = LaneWatch(empty_since=None if noted is None else clock.now() - noted, purged_at=7.0)
        assert expected == table.control.lane_watch(Lane.NORMAL)
        assert (clock.now() if is_marked else None) == table.scans.scan(SCAN).resend_before

    @pytest.mark.parametrize(
        ("seen", "dead", "noted", "is_marked"),
        [
            (LaneWatch(3), 3, LaneWatch(3), False),
            (LaneWatch(3), 4, LaneWatch(3, 4), False),
            (LaneWatch(3, 4), 4, LaneWatch(4), True),
            (LaneWatch(3, 5), 4, LaneWatch(4), True),
            (LaneWatch(3, 0), 1, LaneWatch(1), False),
        ],
    )
    def test_dead_letters(self, look, table, clock, seen, dead, noted, is_marked):
        """Messages are sent again when two counts agree that a lane has more dead letters; fewer are only noted."""
        table.control.note_lane(Lane.NORMAL, seen)

        look(messages=1, dead=dead)

        assert noted == table.control.lane_watch(Lane.NORMAL)
        assert (clock.now() if is_marked else None) == table.scans.scan(SCAN).resend_before

    @pytest.mark.parametrize("paused", ["starting", "scan"])
    def test_paused(self, look, table, paused):
        """While starting is paused, or no scan is open, no lane is looked at."""
        if paused == "starting":
            table.control.pause("someone", "because")
        else:
            table.scans.pause_scan(SCAN, "by a test")

        assert [] == look()

    def test_all_lanes(self, look):
        """Otherwise all are."""
        assert list(SCAN_LANES) == look()


OVER = BatchJob("one", "Complete", tasks=2, succeeded=1, failed=1)


class TestCloseScans:
    @pytest.fixture(name="close")
    def _close(self, table, clock):
        """Return a function that runs the task, a minute after another, and returns whether the scan is live afterwards."""
        task = CloseScans(table.records, table.samplings, table.waiting, table.scans, table.watches, clock)

        def close(times=2):
            for _ in range(times):
                task.run(SweepContext(table.scans, table.control), clock.now() + 5)
                clock.sleep(60)
            return table.scans.scan(SCAN).live

        return close

    @pytest.mark.parametrize(("seconds", "live"), [(299, True), (300, False)])
    def test_late_tasks(self, close, table, clock, seconds, live):
        """A scan of whose job a task failed closes 5 minutes after the job, in two sweeps."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=clock.now() - seconds),)))
        first = close(1)
        clock.sleep(-60)

        assert (True, live) == (first, table.scans.scan(SCAN).waiting_empty_since is None)

    @pytest.mark.parametrize(("seconds", "live"), [(54, True), (55, False)])
    def test_two_sweeps(self, close, table, clock, seconds, live):
        """Between the two sweeps that see nothing wait are 55 s at least."""
        since = clock.now() - seconds
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),), waiting_empty_since=since))

        assert live is close(1)

    @pytest.mark.parametrize("what", ["runs", "runs by frames", "waits", "is mailed"])
    def test_not_empty(self, close, table, clock, what):
        """A scan stays open while a video of it runs, waits, or is to be mailed, and what seemed empty is noted no more."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),), waiting_empty_since=0.0))
        record = waiting()
        table.records.register(record, None)
        if what == "runs by frames":
            table.samplings.begin(record, record.facts, Lease("a worker", clock.now()), at=clock.now())
        elif what != "waits":
            table.records.enter_running(record, "job")
        if what == "is mailed":
            table.records.finish(replace(record, state=State.FLAGGED, finished_at=1.0, mail_due=True))

        assert close()
        assert table.scans.scan(SCAN).waiting_empty_since is None

    @pytest.mark.parametrize(("most", "live"), [(2, True), (3, False)])
    def test_more_mails_than_are_looked_at(self, close, table, monkeypatch, most, live):
        """While more mails are due than a sweep looks at, a scan stays open: a mail of it may be among the others."""
        monkeypatch.setattr("handlers.flows.sweep.close_scans.MAILS_LOOKED_AT", most)
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),)))
        for key in ("a.mp4", "b.mp4"):
            record = waiting(key, scan_id=OTHER_SCAN)
            table.records.register(record, None)
            table.records.finish(replace(record, state=State.FLAGGED, finished_at=1.0, mail_due=True))

        assert live is close()

    @pytest.mark.parametrize(("hours", "live"), [(0.999, True), (1, False)])
    def test_day(self, table, clock, hours, live):
        """The scan of a day is over an hour after the day."""
        self.run_after_a_day(table, clock, hours)

        assert live is (table.scans.scan(DAY_SCAN).waiting_empty_since is None)

    @pytest.mark.parametrize(("hours", "live"), [(23.999, True), (24, False)])
    def test_day_that_is_compared(self, table, clock, hours, live):
        """One whose bucket is still compared is over after another day."""
        table.watches.begin(BUCKET, 1.0)
        table.watches.note_comparison(BUCKET, Comparison(2.0), table.watches.state(BUCKET))

        self.run_after_a_day(table, clock, hours)

        assert live is (table.scans.scan(DAY_SCAN).waiting_empty_since is None)

    def run_after_a_day(self, table, clock, hours):
        """Run the task some hours after the end of a day that has a scan."""
        table.scans.ensure_day_scan(DAY_SCAN, BUCKET, DAY, held=None)
        clock.time = watch.end_of(DAY) + hours * 3_600
        task = CloseScans(table.records, table.samplings, table.waiting, table.scans, table.watches, clock)
        task.run(SweepContext(table.scans, table.control), clock.now() + 5)

    def test_what_runs_in_another_scan(self, close, table):
        """What runs in another scan keeps none open."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),)))
        other = waiting(scan_id=OTHER_SCAN)
        table.records.register(other, None)
        table.records.enter_running(other, "job")

        assert not close()

    @pytest.mark.parametrize(("seconds", "live"), [(86_399, True), (86_400, False)])
    def test_no_job(self, close, table, clock, seconds, live):
        """A scan that never got a job closes after a day."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=clock.now() - seconds))

        close(1)
        clock.sleep(-60)

        assert live is (table.scans.scan(SCAN).waiting_empty_since is None)

    @pytest.mark.parametrize(("seconds", "live"), [(299, True), (300, False)])
    def test_cancelled(self, close, table, clock, seconds, live):
        """A cancelled scan closes 5 minutes after it was cancelled, though its job was never there."""
        held_at = clock.now() - seconds
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.CANCELLED, held_at=held_at))

        close(1)

        assert live is (table.scans.scan(SCAN).waiting_empty_since is None)

    def test_no_time_left(self, table, clock):
        """Once its time is over the task leaves the rest to the next sweep."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),)))
        task = CloseScans(table.records, table.samplings, table.waiting, table.scans, table.watches, clock)

        task.run(SweepContext(table.scans, table.control), clock.now() - 1)

        assert table.scans.scan(SCAN).waiting_empty_since is None


class TestNoteProgress:
    @pytest.mark.parametrize(("seconds", "points"), [(599, 1), (600, 2)])
    def test_every_ten_minutes(self, table, clock, seconds, points):
        """The progress of an open scan is noted ten minutes after the last note, with what was handed over."""
        before = Progress(clock.now() - seconds, 3, 1)
        table.scans.put_scan(Scan(SCAN, BUCKET, progress=(before,), handed_over=4))

        NoteProgress(table.scans, clock).run(SweepContext(table.scans, table.control), clock.now() + 5)

        assert [before, Progress(clock.now(), 0, 4)][:points] == list(table.scans.scan(SCAN).progress)

    def test_paused(self, table, clock):
        """That of a paused scan is not, nor once the time of the sweep is over."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.PAUSED))
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))
        task = NoteProgress(table.scans, clock)

        task.run(SweepContext(table.scans, table.control), clock.now() - 1)
        late = table.scans.scan(OTHER_SCAN).progress
        task.run(SweepContext(table.scans, table.control), clock.now() + 5)

        assert ((), (), 1) == (late, table.scans.scan(SCAN).progress, len(table.scans.scan(OTHER_SCAN).progress))


class TestPurgeLanes:
    @pytest.fixture(name="purge")
    def _purge(self, table, clock, monkeypatch):
        """Return a function that runs the task by the messages of each lane and the waiting videos; it returns what was purged."""

        def purge(*, messages=10_001, waits=10_001):
            purged = []
            queues = SimpleNamespace(
                lanes=SCAN_LANES, depth=lambda _lane: Depth(messages, 0), purge=lambda lane: not purged.append(lane)
            )
            monkeypatch.setattr(type(table.waiting), "waiting_count", lambda _self, _scan, most: min(waits, most + 1))
            task = PurgeLanes(table.waiting, table.scans, table.control, queues, clock)
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            return purged

        return purge

    @pytest.mark.parametrize(
        ("held", "given", "purged"),
        [
            (0.0, {}, True),
            (-599.0, {}, True),
            (-600.0, {}, False),
            (0.0, {"messages": 10_000}, False),
            (0.0, {"waits": 10_000}, False),
        ],
    )
    def test_worth_it(self, purge, table, clock, held, given, purged):
        """A lane is purged within ten minutes after a scan was held of which more than 10,000 messages lie in it."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.PAUSED, held_at=clock.now() + held))

        assert purged is bool(purge(**given))

    def test_once(self, purge, table, clock):
        """A lane is purged once for each time that a scan was held, though the clock of who held it is ahead."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.PAUSED, held_at=clock.now() + 240))
        purges = [purge(), purge()]
        noted = table.control.lane_watch(Lane.NORMAL)
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, status=ScanStatus.PAUSED, held_at=clock.now() + 241))

        assert ([[Lane.NORMAL], []], [Lane.NORMAL]) == (purges, purge())
        assert (clock.now() + 240, None) == (noted.purged_at, noted.empty_since)

    def test_refused(self, table, clock, monkeypatch):
        """A lane that SQS does not purge, because it was purged a moment ago, is purged by the next sweep."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.PAUSED, held_at=clock.now()))
        monkeypatch.setattr(type(table.waiting), "waiting_count", lambda _self, _scan, most: most + 1)
        asked = []
        queues = SimpleNamespace(lanes=SCAN_LANES, depth=lambda _: Depth(10_001, 0), purge=asked.append)
        task = PurgeLanes(table.waiting, table.scans, table.control, queues, clock)

        for _ in range(2):
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)

        assert [Lane.NORMAL] * 2 == asked

    def test_lane(self, purge, table, clock):
        """A lane that was purged after its scan was held is not purged again for a scan that is held in the other one."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.PAUSED, held_at=clock.now() - 60))
        first = purge()
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, lane=Lane.EXPRESS, status=ScanStatus.PAUSED, held_at=clock.now() + 1))

        assert ([Lane.NORMAL], [Lane.EXPRESS]) == (first, purge())

    def test_who_is_marked(self, purge, table, clock):
        """The messages of all scans that go on, or may, are sent again a minute later, but not those of a cancelled one."""
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.CANCELLED, held_at=clock.now()))
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))

        purge()

        assert (None, clock.now() + 60) == tuple(table.scans.scan(name).resend_before for name in (SCAN, OTHER_SCAN))


class TestRepeatStarts:
    @pytest.mark.parametrize(("seconds", "sent"), [(1_199, 0), (1_200, 1)])
    def test_after_twenty_minutes(self, table, queues, clock, messages, seconds, sent):
        """A Start that is unknown for twenty minutes has its message sent, and again twenty minutes later."""
        record = waiting()
        table.records.register(record, None)
        start = StartParameters(None, 50.0, COMPLETIONS, ROLE)
        table.records.note_start_tried(record, ObjectFacts("abc", 3, None), start, at=clock.now())
        task, counts = RepeatStarts(table.records, queues, clock), []

        for _ in range(2):
            clock.sleep(seconds)
            for _ in range(2):
                task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            counts.append(len(messages(Lane.EXPRESS)))

        assert [sent, 1] == counts


class TestCancelVideos:
    """What waits of a scan that was cancelled, and of the scan of a day, of which later uploads go on."""

    @pytest.fixture(name="cancel")
    def _cancel(self, table, clock):
        """Return a function that runs the task, and returns the keys that wait afterwards."""
        task = CancelVideos(table.waiting, table.scans, clock)

        def cancel(scan_id):
            task.run(SweepContext(table.scans, table.control), clock.now() + 50)
            return [record.video.key for record in table.waiting.waiting(scan_id)]

        return cancel

    @pytest.fixture(name="upload")
    def _upload(self, table):
        """Return a function that registers a video of a scan that was queued at some time."""
        return lambda key, at, scan_id=DAY_SCAN: table.records.register(waiting(key, scan_id=scan_id, queued_at=at), None)

    def test_what_waited(self, cancel, upload, table, clock):
        """Of the scan of a day what was queued before the sweep that cancels is cancelled, and nothing that came later."""
        table.scans.ensure_day_scan(DAY_SCAN, BUCKET, DAY, held=None)
        upload("before.mp4", clock.now() - 0.001)
        upload("with it.mp4", clock.now())
        table.scans.cancel_waiting(DAY_SCAN)

        first = cancel(DAY_SCAN)
        clock.sleep(60)
        upload("after.mp4", clock.now())
        second = cancel(DAY_SCAN)

        assert (["with it.mp4"], ["with it.mp4", "after.mp4"]) == (first, second)
        assert ScanStatus.OPEN is table.scans.scan(DAY_SCAN).status

    def test_nothing_is_cancelled(self, cancel, upload, table, clock):
        """Of a scan that was not cancelled nothing is, however long it has waited."""
        table.scans.ensure_day_scan(DAY_SCAN, BUCKET, DAY, held=None)
        upload("old.mp4", clock.now() - 86_400)

        assert ["old.mp4"] == cancel(DAY_SCAN)

    def test_all(self, cancel, upload, table, clock):
        """Of a scan that is cancelled all is, whenever it was queued; of one that is over nothing is looked at."""
        over = Scan(OTHER_SCAN, BUCKET, status=ScanStatus.CANCELLED, held_at=1.0, closed_at=2.0, mails_due=(ScanMail.DIGEST,))
        table.scans.put_scan(over)
        table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.CANCELLED, held_at=1.0))
        for scan_id in (SCAN, OTHER_SCAN):
            upload("before.mp4", 1.0, scan_id)
            upload("after.mp4", clock.now() + 60, scan_id)

        assert [] == cancel(SCAN)
        assert ["before.mp4", "after.mp4"] == [record.video.key for record in table.waiting.waiting(OTHER_SCAN)]


class TestRepeatSamples:
    """Analyses by frames that no worker is at, whose lease ended a while ago."""

    @pytest.fixture(name="film")
    def _film(self, table, clock):
        """Return a film whose worker died at once."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        record = waiting(engine=Engine.FRAMES, lane=Lane.FRAMES)
        table.records.register(record, None)
        table.samplings.begin(record, record.facts, Lease("dead", clock.now()), at=clock.now())
        return record

    @pytest.fixture(name="repeat")
    def _repeat(self, table, queues, clock, messages):
        """Return a function that runs the task after some seconds, and returns how many messages it sent."""
        task = RepeatSamples(table.records, table.samplings, queues, clock)

        def repeat(seconds):
            clock.sleep(seconds)
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            return len(messages(Lane.FRAMES_EXPRESS))

        return repeat

    def test_after_twenty_minutes(self, film, repeat):
        """The message is sent to the express lane twenty minutes after the lease ended, and again as long after that."""
        assert [0, 1, 0, 1] == [repeat(seconds) for seconds in (1_199, 1, 1_199, 1)]

    def test_dead_while_it_cancels(self, film, repeat, table, dynamodb, clock):
        """A sweeper that dies while it ends an analysis keeps workers off it for a minute, and no longer."""
        table.scans.cancel_scan(SCAN, "by a test")
        dynamodb.fail("transact_write_items", KeyboardInterrupt())

        with pytest.raises(KeyboardInterrupt):
            repeat(0)

        assert clock.now() + 60 == table.samplings.all()[0].until
        assert table.samplings.take_over(film, Lease("a worker", clock.now() + 90)) is None
        clock.sleep(60)
        assert table.samplings.take_over(film, Lease("a worker", clock.now() + 90)) is not None

    def test_a_worker_is_at_it(self, film, repeat, table, clock):
        """A film whose lease has not ended is left to its worker; from its end on the time counts."""
        table.samplings.take_over(film, Lease("alive", clock.now() + 2_000))

        assert [0, 0, 0, 1] == [repeat(seconds) for seconds in (1_999, 1, 1_199, 1)]

    @pytest.mark.parametrize("hold", ["starting", "scan"])
    def test_paused(self, film, repeat, table, hold):
        """Nothing is sent while starting is paused, or its scan."""
        if hold == "starting":
            table.control.pause("someone", "because")
        else:
            table.scans.pause_scan(SCAN, "by a test")

        assert 0 == repeat(5_000)

    def test_minutes_are_used_up(self, film, repeat, table):
        """What was begun goes on once the minutes of a day are used up."""
        table.scans.pause_scan(SCAN, watch.LIMIT_REACHED)

        assert 1 == repeat(5_000)

    @pytest.mark.parametrize("change", [{"attempt": 1}, {"state": State.WAITING}, {"state": State.FAILED}, None])
    @pytest.mark.parametrize("is_cancelled", [False, True])
    def test_another_record(self, film, repeat, table, dynamodb, change, is_cancelled):
        """An analysis that its record does not know is forgotten, and the record is left as it is."""
        key = record_key(film.video.id, SCAN)
        dynamodb.delete_item(TableName=TABLE, Key={name: {"S": value} for name, value in key.items()})
        if change is not None:
            table.records.register(replace(film, **change), None)
        before = table.records.record(film.video.id, SCAN)
        if is_cancelled:
            table.scans.cancel_scan(SCAN, "by a test")

        sent = repeat(1_200)

        assert (0, is_cancelled) == (sent, bool(table.samplings.all()))
        assert before == table.records.record(film.video.id, SCAN)

    @pytest.mark.parametrize(("seconds", "state"), [(-1, State.RUNNING), (0, State.CANCELLED)])
    def test_cancelled(self, film, repeat, table, clock, seconds, state):
        """A film of a cancelled scan is cancelled as soon as no worker is at it, also while starting is paused."""
        table.control.pause("someone", "because")
        table.samplings.take_over(film, Lease("alive", clock.now() + 100))
        table.scans.cancel_scan(SCAN, "by a test")

        repeat(100 + seconds)

        assert state is table.records.record(film.video.id, SCAN).state

    def test_frames_are_switched_off(self, film, table, ports, sqs, urls, dead_urls, clock):
        """Without lanes of frames nothing can be sent, but a film of a cancelled scan is cancelled, so that the scan ends."""
        queues = LaneQueues(sqs, {lane: urls[lane] for lane in (Lane.NORMAL, Lane.EXPRESS)}, dead_urls)
        flow, states = SweepFlow(replace(ports, queues=queues), clock, SETTINGS), []

        for change in (lambda: None, lambda: table.scans.cancel_scan(SCAN, "by a test")):
            change()
            clock.sleep(5_000)
            flow.sweep(deadline=clock.now() + 300)
            states.append(table.records.record(film.video.id, SCAN).state)

        assert [State.RUNNING, State.CANCELLED] == states

    @pytest.mark.parametrize("is_overtaken", [False, True])
    def test_paid_meanwhile(self, film, repeat, table, clock, monkeypatch, is_overtaken):
        """What a worker wrote just before the sweeper took its lease counts; one that took the lease itself goes on."""
        table.scans.cancel_scan(SCAN, "by a test")
        take_over = table.samplings.take_over

        def after_the_worker(record, lease):
            monkeypatch.setattr(table.samplings, "take_over", take_over)
            until = clock.now() + 60 * is_overtaken
            assert table.samplings.write_progress(replace(film, images=7), (), Lease("dead", until))
            return take_over(record, lease)

        monkeypatch.setattr(table.samplings, "take_over", after_the_worker)

        repeat(5)

        record = table.records.record(film.video.id, SCAN)
        assert (State.RUNNING if is_overtaken else State.CANCELLED, 7) == (record.state, record.images)

    def test_finished_at(self, film, repeat, table, clock):
        """It is over when the sweeper has ended it, and takes no place any more."""
        table.scans.cancel_scan(SCAN, "by a test")

        repeat(5)

        assert (clock.now(), []) == (table.records.record(film.video.id, SCAN).finished_at, table.samplings.all())


class TestSweepContext:
    def test_settings(self, table):
        """Settings that were never written are the defaults, and are read once a sweep."""
        context = SweepContext(table.scans, table.control)

        before = context.settings()
        table.control.set_slots(3)

        assert Settings() == before == context.settings()
        assert 3 == SweepContext(table.scans, table.control).settings().slots

    def test_scans(self, table):
        """Scans are read once, the oldest first, until a task has changed some; paused ones are not open."""
        for number, name in enumerate(("01JDEM00000000000000000001", "01JDEM00000000000000000002", "01JDEM00000000000000000003")):
            table.scans.put_scan(Scan(name, BUCKET, created_at=float(9 - number)))
        context = SweepContext(table.scans, table.control)
        before = [scan.id[-1] for scan in context.scans()]
        table.scans.pause_scan("01JDEM00000000000000000002", "by a test")
        kept = [scan.id[-1] for scan in context.open_scans()]

        context.forget()

        assert (["3", "2", "1"], ["3", "2", "1"]) == (before, kept)
        assert ["3", "1"] == [scan.id[-1] for scan in context.open_scans()]


class TestScanMails:
    """What a mail about a whole scan is made of."""

    @pytest.fixture(name="send")
    def _send(self, table, ports, sns, clock):
        """Return a function that sends the due mails of a scan, and returns their texts."""
        settings = MailSettings("VideoModeration", "us-east-1", 25, ENGLISH)
        post = Post(ports.topic, clock)
        task = SendScanMail(table.records, table.waiting, table.scans, table.control, table.watches, post, clock, settings)

        def send(*kinds, **fields):
            table.scans.put_scan(Scan(SCAN, BUCKET, status=ScanStatus.CLOSED, mails_due=kinds, objects=9, **fields))
            task.run(SweepContext(table.scans, table.control), clock.now() + 5)
            return [mail["Message"] for mail in sns.mails]

        return send

    def flag(self, table, *confidences, **fields):
        """Flag a video for each confidence."""
        for number, confidence in enumerate(confidences):
            record = waiting(f"{number}.mp4")
            table.records.register(record, None)
            label = LabelSummary("Weapons", "Violence", 2, confidence, 1_500, 2_000)
            flagged = replace(record, state=State.FLAGGED, finished_at=1.0, labels=(label,), counted=("Weapons",), **fields)
            table.records.finish(flagged)

    def test_the_worst(self, table, send):
        """The ten surest of the flagged videos are listed, the surest first, and how many more there are."""
        self.flag(table, *(80.0 + number for number in range(12)))

        (text,) = send(ScanMail.DIGEST)

        listed = [line.rpartition("/")[2] for line in text.splitlines() if "s3://" in line and "%" in line]
        assert [f"{number}.mp4" for number in range(11, 1, -1)] == listed
        assert "among those that were looked at" not in text

    def test_replaced(self, table, send):
        """A flagged video that another upload replaced is not listed, but counted apart."""
        self.flag(table, 99.0, 90.0)
        table.records.supersede(waiting("0.mp4").video.id, SCAN)

        (text,) = send(ScanMail.DIGEST)

        assert ["1.mp4"] == [line.rpartition("/")[2] for line in text.splitlines() if "s3://" in line and "%" in line]
        assert "1 flagged video is not listed, because another upload has replaced it." in text

    @pytest.mark.parametrize(("flagged", "is_all"), [(2, True), (3, False)])
    def test_too_many_to_look_at(self, table, send, monkeypatch, flagged, is_all):
        """Where more were flagged than are looked at, the mail says that the list is of some."""
        monkeypatch.setattr("handlers.flows.sweep.send_mail.FLAGGED_LOOKED_AT", 2)
        self.flag(table, *[90.0] * flagged)

        (text,) = send(ScanMail.DIGEST)

        assert is_all is ("among those that were looked at" not in text)
        assert 2 == sum("s3://" in line and "%" in line for line in text.splitlines())

    def test_without_a_day(self, table, send):
        """The digest of a scan that is not of a day knows neither of missed uploads nor of replaced ones that failed."""
        failed = waiting("failed.mp4")
        table.records.register(failed, None)
        table.records.finish(failed.as_failed(Problem(reasons.SUPERSEDED, "gone"), at=1.0))

        (text,) = send(ScanMail.DIGEST)

        assert "1  superseded" in text
        assert "No event brought" not in text

    @pytest.mark.parametrize(("most", "shown"), [(1, "more than 1"), (2, "2 videos"), (3, "2 videos")])
    @pytest.mark.parametrize("kind", [ScanMail.JOB_BROKEN, ScanMail.DAY_LIMIT])
    def test_waiting_videos(self, table, send, monkeypatch, kind, most, shown):
        """Waiting videos are counted up to a limit, beyond which the mail says so."""
        monkeypatch.setattr("handlers.flows.sweep.send_mail.WAITING_COUNTED", most)
        for key in ("a.mp4", "b.mp4"):
            table.records.register(waiting(key), None)

        (text,) = send(kind, jobs=(BatchJob("one", "Failed"),), day=DAY, limit_day=DAY)

        assert shown in text

    def test_once(self, table, send, sns):
        """Each mail is sent, noted, and not sent again."""
        send(ScanMail.LIMIT, ScanMail.NOTICES)

        assert ["LIMIT", "NOTICES"] == [mail["MessageAttributes"]["kind"]["StringValue"] for mail in sns.mails]
        assert () == table.scans.scan(SCAN).mails_due


class TestPost:
    @pytest.fixture(name="sent")
    def _sent(self):
        return []

    @pytest.fixture(name="post")
    def _post(self, sent, clock):
        """Return what publishes into a list."""
        return Post(SimpleNamespace(publish=sent.append), clock)

    def test_twice(self, post, sent):
        """A mail under a name that was noted may be sent again: the scan was opened again meanwhile."""
        outcomes = [post.deliver(("a",), lambda: "mail", lambda: Outcome.DONE) for _ in range(2)]

        assert ([Outcome.DONE] * 2, ["mail"] * 2) == (outcomes, sent)

    def test_not_noted(self, post, sent, clock):
        """A mail that could not be noted is not sent again; each has a fifth of a second for itself."""

        def fails():
            raise ThrottledError("busy")

        for _ in range(2):
            with pytest.raises(ThrottledError):
                post.deliver(("a",), lambda: "mail", fails)
        post.deliver(("b",), lambda: "other", lambda: Outcome.DONE)

        assert Outcome.DONE is post.deliver(("a",), lambda: "mail", lambda: Outcome.DONE)
        assert (["mail", "other"], [0.2, 0.2]) == (sent, clock.slept)

    def test_not_sent(self, clock):
        """A mail that could not be sent is tried again, after the pause: it may have gone out all the same."""

        def refused(_mail):
            raise ThrottledError("busy")

        post = Post(SimpleNamespace(publish=refused), clock)

        for _ in range(2):
            with pytest.raises(ThrottledError):
                post.deliver(("a",), lambda: "mail", lambda: Outcome.DONE)

        assert [0.2, 0.2] == clock.slept


def test_all_are_attempted():
    """Every step is done while there is time; those that failed are raised at the end, together."""
    done = []

    def step(number):
        done.append(number)
        if number % 2:
            raise ValueError(number)

    with pytest.raises(ExceptionGroup, match=r"^2 steps failed") as failed:
        attempt_all((partial(step, number) for number in range(9)), lambda: len(done) < 4)

    assert ([0, 1, 2, 3], [1, 3]) == (done, [error.args[0] for error in failed.value.exceptions])


def records(count):
    """Return records that wait."""
    return [waiting(f"{number}.mp4") for number in range(count)]


@pytest.mark.parametrize(
    ("count", "seconds", "chunks"),
    [(0, 9.0, []), (1, 9.0, [1]), (50, 9.0, [50]), (51, 9.0, [50, 1]), (130, 0.0, [50]), (130, 0.17, [50, 50]), (130, -1.0, [])],
)
def test_pace(clock, count, seconds, chunks):
    """Records are written fifty at a time, three hundred a second at most, until the time is over."""
    done, began = [], clock.now()

    paced(records(count), done.append, clock, began + seconds)

    assert chunks == [len(chunk) for chunk in done]
    assert [waiting(f"{number}.mp4") for number in range(sum(chunks))] == [record for chunk in done for record in chunk]
    assert clock.now() - began == pytest.approx(sum(chunks) / 300, abs=1e-6)


@pytest.mark.parametrize(("took", "waits"), [(0.1, 1 / 6 - 0.1), (0.5, 0.0)])
def test_pace_of_slow_writes(clock, took, waits):
    """What the writes themselves take counts towards the pace."""

    def work(_chunk):
        clock.time += took

    paced(records(50), work, clock, clock.now() + 0.1)

    assert [waits] == pytest.approx(clock.slept, abs=1e-6)
