"""Single tasks of the sweep, run by themselves: what they write, what they log, and what they leave alone."""

from types import SimpleNamespace

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.mail import Subscribers
from handlers.domain.record import BatchJob, Scan, Settings
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.watch_jobs import WatchJobs
from handlers.flows.sweep.watch_subscriptions import WatchSubscriptions
from tests.handlers.doubles import ACCOUNT, BUCKET, SCAN, waiting


class TestWatchSubscriptions:
    @pytest.fixture(name="look")
    def _look(self, table, clock):
        """Return a function that looks at a topic with so many subscriptions, confirmed and not."""

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
