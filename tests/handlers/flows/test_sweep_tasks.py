"""Single tasks of the sweep, run by themselves: what they write, what they log, and what they leave alone."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.mail import Subscribers
from handlers.adapters.queue import Depth
from handlers.domain.record import BatchJob, ObjectFacts, Progress, Scan, Settings, StartParameters
from handlers.domain.states import SCAN_LANES, Lane, ScanStatus, State
from handlers.flows.sweep.close_scans import CloseScans, NoteProgress
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.purge import PurgeLanes
from handlers.flows.sweep.repeat_starts import RepeatStarts
from handlers.flows.sweep.watch_jobs import WatchJobs
from handlers.flows.sweep.watch_subscriptions import WatchSubscriptions
from tests.handlers.doubles import ACCOUNT, BUCKET, COMPLETIONS, OTHER_SCAN, ROLE, SCAN, waiting


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

    @pytest.mark.parametrize("what", ["runs", "waits", "is mailed"])
    def test_not_empty(self, close, table, clock, what):
        """A scan stays open while a video of it runs, waits, or is to be mailed, and what seemed empty is noted no more."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(replace(OVER, terminal_since=0.0),), waiting_empty_since=0.0))
        record = waiting()
        table.records.register(record, None)
        if what != "waits":
            table.records.enter_running(record, "job")
        if what == "is mailed":
            table.records.finish(replace(record, state=State.FLAGGED, finished_at=1.0, mail_due=True))

        assert close()
        assert table.scans.scan(SCAN).waiting_empty_since is None

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
