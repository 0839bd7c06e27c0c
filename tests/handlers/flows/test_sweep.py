"""Sweeping: mails are sent once and slowly, batch jobs polled, finished scans closed."""

import itertools
import json
from collections import Counter
from dataclasses import replace
from unittest.mock import Mock

import pytest

from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import Outcome
from handlers.adapters.table.client import ATTEMPTS
from handlers.adapters.table.items import record_key
from handlers.adapters.table.scans import Scans
from handlers.domain import lane_message, notice
from handlers.domain.languages import LANGUAGES
from handlers.domain.record import BatchJob, LabelSummary, ObjectFacts, Problem, Progress, Scan, Segment, StartParameters
from handlers.domain.states import Lane, ScanMail, ScanStatus, State
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.sweep import SweepError, SweepFlow
from tests.handlers.doubles import (
    BUCKET,
    COMPLETIONS,
    OTHER_SCAN,
    ROLE,
    SCAN,
    TABLE,
    Clock,
    client_error,
    time_out,
    waiting,
)
from tests.handlers.sweeper_doubles import SETTINGS, TOPIC


@pytest.fixture(name="make_flow")
def _make_flow(ports, clock):
    """Return a function that makes a new environment of the sweeper."""
    return lambda **more: SweepFlow(ports, clock, replace(SETTINGS, **more))


@pytest.fixture(name="flow")
def _flow(make_flow):
    return make_flow()


@pytest.fixture(name="sweep")
def _sweep(flow, clock):
    """Return a function that sweeps, and waits for the rest of the minute."""

    def sweep(times=1):
        for _ in range(times):
            next_minute = clock.now() + 60
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(max(0, next_minute - clock.now()))

    return sweep


@pytest.fixture(name="flag")
def _flag(table):
    """Return a function that brings a video to FLAGGED, its mail due."""

    def flag(key="a.mp4"):
        record = waiting(key)
        table.records.register(record, None)
        table.records.write_segments(record, [Segment("Weapons", "Violence", 2, 83_000, 84_000, 99.5, 3)])
        label = LabelSummary("Weapons", "Violence", 2, 99.5, 1_500, 83_000)
        unsure = LabelSummary("Alcohol", "", 1, 12.0, 500, 0)
        final = replace(
            record,
            state=State.FLAGGED,
            finished_at=1.0,
            labels=(label, unsure),
            counted=("Weapons",),
            duration_ms=90_000,
            mail_due=True,
        )
        table.records.finish(final)
        return final

    return flag


class TestMails:
    def test_sent_once(self, sweep, flag, sns, table):
        """A due mail is sent once, contains the labels that counted and when, and is counted in its scan."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        flag("holiday.mp4")

        sweep(3)

        (mail,) = sns.mails
        assert (TOPIC, True) == (mail["TopicArn"], "holiday.mp4" in mail["Subject"])
        assert ("0:01:23" in mail["Message"], "Alcohol" in mail["Message"]) == (True, False)
        assert {"DataType": "String", "StringValue": SCAN} == mail["MessageAttributes"]["scan_id"]
        assert 1 == table.scans.scan(SCAN).mails_sent

    def test_language(self, make_flow, flag, sns, table, clock):
        """All kinds of mails are in the language of the deployment."""
        table.scans.put_scan(Scan(SCAN, BUCKET, mails_due=tuple(ScanMail)))
        table.control.pause("circuit breaker", "AccessDenied", mail=True)
        flag("holiday.mp4")

        make_flow(language=LANGUAGES["es"]).sweep(deadline=clock.now() + 300)

        words = (
            "Marcado: Armas en",
            "Inicio de analisis en pausa",
            "Escaneo en pausa",
            "No habra mas correos individuales",
            "Escaneo terminado",
            "avisos de finalizacion",
            "Subidas en espera",
        )
        assert [1] * 7 == [sum(word in mail["Subject"] for mail in sns.mails) for word in words]
        assert 7 == len(sns.mails)

    def test_pace(self, sweep, flag, sns):
        """At most five mails are sent a second, which SNS subscriptions can take."""
        for number in range(12):
            flag(f"{number}.mp4")

        sweep()

        gaps = [later - sooner for sooner, later in zip(sns.times, sns.times[1:], strict=False)]
        assert 12 == len(sns.mails)
        assert all(gap >= 0.199 for gap in gaps)

    def test_one_bad(self, sweep, flag, sns, flow, clock):
        """A mail that cannot be sent stays due and raises at the end; the others are sent."""
        for number in range(3):
            flag(f"{number}.mp4")
        sns.errors = [None, client_error("InvalidParameter")]

        with pytest.raises(SweepError):
            sweep()
        sent = len(sns.mails)
        sweep()

        assert (2, 3) == (sent, len(sns.mails))

    def test_not_noted(self, sweep, flag, sns, table, dynamodb):
        """If noting a sent mail fails, the next sweeps retry the note and do not send the mail again."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        final = flag()
        throttled = client_error("ProvisionedThroughputExceededException")

        for _ in range(2):
            dynamodb.fail("transact_write_items", *[throttled] * ATTEMPTS)
            with pytest.raises(SweepError, match="SendFlaggedMail"):
                sweep()
        sweep(2)

        assert 1 == len(sns.mails)
        assert (False, 1) == (table.records.record(final.video.id, SCAN).mail_due, table.scans.scan(SCAN).mails_sent)

    def test_index_lags(self, sweep, flag, sns, table, dynamodb):
        """A mail that the index still shows although it was sent is not sent again."""
        final = flag()
        table.records.mail_sent(final)
        dynamodb.update_item(
            TableName="scans",
            Key={"pk": {"S": f"VIDEO#{final.video.id}"}, "sk": {"S": f"SCAN#{SCAN}"}},
            UpdateExpression="SET work_pk = :pk, work_sk = :sk",
            ExpressionAttributeValues={":pk": {"S": "MAIL"}, ":sk": {"S": "0"}},
        )

        sweep()

        assert ([(final.video.id, SCAN)], []) == (table.records.mails_due(9), sns.mails)

    def test_without_a_scan(self, make_flow, flag, sns, clock):
        """Videos of a scan that the table does not know are mailed all the same, without a limit."""
        for number in range(3):
            flag(f"{number}.mp4")

        make_flow(mails_per_scan=1).sweep(deadline=clock.now() + 300)

        assert 3 == len(sns.mails)

    def test_lease(self, flow, flag, sns, table, clock):
        """While another sweeper runs, nothing is done."""
        flag()
        table.control.take_lease("another", clock.now() + 300)

        flow.sweep(deadline=clock.now() + 300)

        assert [] == sns.mails

    def test_out_of_time(self, flow, flag, sns, clock):
        """A sweep without time left sends no mail."""
        flag()

        flow.sweep(deadline=clock.now() + 29)

        assert [] == sns.mails


class TestJobs:
    def test_noted(self, sweep, table, s3control, clock):
        """The status of a batch job is noted in its scan, and when it was first seen to be over."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"), BatchJob("two"))))
        s3control.jobs = {"one": "Active", "two": "Complete"}
        now = clock.now()

        sweep()

        expected = (BatchJob("one", "Active", 10, 7, 1), BatchJob("two", "Complete", 10, 7, 1, now))
        assert expected == table.scans.scan(SCAN).jobs

    def test_not_too_often(self, flow, table, s3control, clock):
        """A batch job is polled at most every 30 s, and not once it is over."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Active"}
        for seconds in (10, 10, 20):
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(seconds)
        s3control.jobs = {"one": "Failed"}
        for _ in range(3):
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert ["one", "one"] == s3control.asked

    def test_unknown(self, sweep, table, s3control, clock):
        """A job that S3 does not know counts as over, until S3 knows it."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        now = clock.now()

        sweep(2)
        unknown = table.scans.scan(SCAN).jobs
        s3control.jobs = {"one": "New"}
        sweep()

        assert (BatchJob("one", "NotFound", terminal_since=now),) == unknown
        assert [("New", None)] == [(job.status, job.terminal_since) for job in table.scans.scan(SCAN).jobs]

    def test_trouble(self, sweep, table, s3control, flag, sns):
        """Mails are sent although polling batch jobs fails."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": client_error("TooManyRequestsException", 400)}
        flag()

        with pytest.raises(SweepError):
            sweep()

        assert 1 == len(sns.mails)

    def test_reasons(self, sweep, table, s3control):
        """Why a job failed is noted in its scan, in S3's words, but not at any length."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Failed"}
        failures = [{"FailureCode": f"Code{number}", "FailureReason": "x" * 2_000} for number in range(9)]
        s3control.more = {"FailureReasons": failures, "StatusUpdateReason": "by someone"}

        sweep()

        (job,) = table.scans.scan(SCAN).jobs
        assert ["Code0: " + "x" * 493, 5] == [job.reasons[0], len(job.reasons)]

    @pytest.mark.parametrize("status", ["Failed", "Cancelled"])
    def test_broken_without_waiting(self, sweep, table, s3control, sns, status):
        """A job that broke while nothing waited closes its scan, and the digest says how, why, and what to do."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), objects=10))
        s3control.jobs = {"one": status}
        s3control.more = {"FailureReasons": [{"FailureCode": "JobFailed", "FailureReason": "More than 50% of tasks failed."}]}

        sweep(10)

        (mail,) = sns.mails
        assert ScanStatus.CLOSED is table.scans.scan(SCAN).status
        assert "Scan ended early: 0 videos, 0 flagged, 0 failed, 10 without record" == mail["Subject"]
        assert f"Its batch job one ended with the status {status.lower()}." in mail["Message"]
        assert "S3's reason: JobFailed: More than 50% of tasks failed." in mail["Message"]
        retry = f"python tools/review_report.py retry --scan {SCAN} --stack VideoModeration"
        assert f"  what its batch job never got to, once the cause is fixed: {retry}" in mail["Message"]

    def test_reasons_in_the_mail_about_a_pause(self, sweep, table, s3control, sns):
        """The mail about a job that broke while videos waited says why, too."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        table.records.register(waiting(), None)
        s3control.jobs = {"one": "Failed"}
        s3control.more = {"FailureReasons": [{"FailureCode": "JobFailed", "FailureReason": "More than 50% of tasks failed."}]}

        sweep(2)

        (mail,) = sns.mails
        assert mail["Subject"].startswith("Scan paused: ")
        assert "S3's reason: JobFailed: More than 50% of tasks failed." in mail["Message"]


class TestSubscriptions:
    def seen(self, table):
        """Return the notes."""
        watch = table.control.mail_watch()
        return watch.reached, watch.none_since, watch.none_until

    def test_gone(self, sweep, table, sns, clock, caplog):
        """Once the only confirmed subscription is gone, it is noted since when, and alarmed once."""
        sweep(2)
        before = self.seen(table)
        gone = clock.now()
        sns.subscriptions = [[]]
        sweep(3)

        assert ((True, None, None), (True, gone, None)) == (before, self.seen(table))
        assert 1 == [entry.message for entry in caplog.records].count("no one is mailed")

    @pytest.mark.parametrize("arn", ["PendingConfirmation", "Deleted"])
    def test_not_confirmed(self, sweep, table, sns, clock, arn):
        """A subscription that waits, is suspended or was just ended reaches no one, also if none was ever confirmed."""
        sns.subscriptions = [[("email", arn), ("email-json", arn)]]
        began = clock.now()

        sweep(2)
        sns.subscriptions = [[]]
        sweep(2)

        assert (False, began, None) == self.seen(table)

    def test_back(self, sweep, table, sns, clock):
        """When someone subscribes again, the time without is noted; a later one takes its place."""
        sns.subscriptions = [[("email", "Deleted")]]
        gone = clock.now()
        sweep(2)
        sns.subscriptions = [[("email-json", f"{TOPIC}:2")]]
        back = clock.now()
        sweep(2)
        between = self.seen(table)
        sns.subscriptions = [[]]
        again = clock.now()
        sweep(2)

        assert ((True, gone, back), (True, again, None)) == (between, self.seen(table))

    @pytest.mark.parametrize("page", [[], [("sqs", f"{TOPIC}:1"), ("lambda", f"{TOPIC}:2")]])
    def test_never_subscribed(self, sweep, table, sns, raw, page):
        """A topic that never had an e-mail subscription is as its owner wants it: nothing is noted."""
        sns.subscriptions = [page]

        sweep(3)

        assert (False, None, None) == self.seen(table)
        assert [] == [key for key in raw() if key[0] == "SUBSCRIPTIONS"]

    def test_queue_stays(self, sweep, table, sns, clock):
        """A queue that still gets the mails does not make up for the person who no longer does."""
        sweep()
        sns.subscriptions = [[("sqs", f"{TOPIC}:1")]]
        gone = clock.now()
        sweep()

        assert (True, gone, None) == self.seen(table)

    def test_pages(self, sweep, table, sns):
        """A confirmed subscription is found on any page of the list."""
        sns.subscriptions = [[("sqs", f"{TOPIC}:{number}") for number in range(100)], [("email", f"{TOPIC}:101")]]

        sweep()

        assert (True, None, None) == self.seen(table)

    def test_trouble(self, sweep, table, sns, flag):
        """If the subscriptions cannot be listed, mails are sent nevertheless."""
        flag()
        sns.list_subscriptions_by_topic = Mock(side_effect=client_error("AuthorizationError", 403))

        with pytest.raises(SweepError, match="WatchSubscriptions"):
            sweep()

        assert 1 == len(sns.mails)


class TestCloseScans:
    @pytest.fixture(name="over")
    def _over(self, table, s3control):
        """Write a scan whose only batch job is complete."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Complete"}

    def test_closed(self, over, sweep, table):
        """A scan closes once its jobs have been over for five minutes and two sweeps a minute apart saw nothing of it."""
        sweep(6)
        before = table.scans.scan(SCAN).status
        sweep()

        assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (before, table.scans.scan(SCAN).status)

    @pytest.mark.parametrize(("counts", "final"), [((3, 3, 0), 0), ((3, 3, 0), 3), ((3, 2, 1), 3), ((1, 0, 1), 1)])
    def test_nothing_can_follow(self, over, sweep, table, s3control, counts, final):
        """A scan of which each task was answered, or each object is final, closes in the second sweep."""
        s3control.counts = counts
        for number in range(final):
            record = waiting(f"{number}.mp4")
            table.records.register(record, None)
            table.records.finish(replace(record, state=State.CLEAN, finished_at=1.0))

        sweep()
        before = table.scans.scan(SCAN).status
        sweep()

        assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (before, table.scans.scan(SCAN).status)

    @pytest.mark.parametrize(
        ("counts", "status", "planned"), [((3, 2, 1), "Complete", 1), ((3, 3, 0), "Failed", 1), ((3, 3, 0), "Complete", 2)]
    )
    def test_something_may_follow(self, over, sweep, table, s3control, counts, status, planned):
        """A failed task, a job that broke, or one that is still to be submitted may register a video later."""
        table.scans._change_scan(SCAN, lambda scan: replace(scan, planned_jobs=planned))
        s3control.counts = counts
        s3control.jobs = {"one": status}

        sweep(5)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_a_retry_may_follow(self, over, sweep, table, s3control):
        """If a task of a retry failed, its videos are final but it may register them later."""
        table.scans.add_job(SCAN, "two", retry=True)
        s3control.jobs = {"one": "Complete", "two": "Complete"}
        s3control.counts = (1, 0, 1)
        table.records.register(waiting(), None)
        table.records.finish(replace(waiting(), state=State.CLEAN, finished_at=1.0))

        sweep(5)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_sweeps_that_are_not_quite_a_minute_apart(self, over, flow, table, s3control, clock):
        """The two sweeps of a closing need not be a whole minute apart: schedules are not exact."""
        s3control.counts = (3, 3, 0)

        for _ in range(2):
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(59.5)

        assert table.scans.scan(SCAN).status is ScanStatus.CLOSED

    @pytest.mark.slow
    def test_missing_jobs(self, sweep, table, s3control):
        """A scan stays open while planned jobs are missing: its submission may be resumed."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), planned_jobs=2))
        s3control.jobs = {"one": "Complete", "two": "Complete"}
        sweep(20)
        before = table.scans.scan(SCAN).status

        table.scans.add_job(SCAN, "two")
        sweep(7)

        assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (before, table.scans.scan(SCAN).status)

    def test_missing_jobs_of_a_cancelled_scan(self, sweep, table, s3control):
        """A cancelled scan closes although planned jobs are missing."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),), planned_jobs=2))
        s3control.jobs = {"one": "Cancelled"}
        table.scans.cancel_scan(SCAN, "by somebody")

        sweep(8)

        assert not table.scans.scan(SCAN).live

    @pytest.mark.slow
    def test_waiting(self, over, sweep, table):
        """A scan with a waiting video stays open, and the two sweeps start again after it."""
        table.records.register(waiting(), None)
        sweep(10)
        before = table.scans.scan(SCAN)
        table.records.finish(replace(waiting(), state=State.CANCELLED, finished_at=1.0))
        sweep(1)
        between = table.scans.scan(SCAN).status
        sweep(1)

        assert (ScanStatus.OPEN, None, ScanStatus.OPEN) == (before.status, before.waiting_empty_since, between)
        assert table.scans.scan(SCAN).status is ScanStatus.CLOSED

    def test_appears(self, over, sweep, table):
        """A video that is seen between the two sweeps starts the count again."""
        sweep(6)
        table.records.register(waiting(), None)
        sweep()

        assert (ScanStatus.OPEN, None) == (table.scans.scan(SCAN).status, table.scans.scan(SCAN).waiting_empty_since)

    def test_running(self, over, sweep, table, run):
        """A scan with a running analysis stays open."""
        run()

        sweep(10)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    @pytest.mark.slow
    def test_mail_due(self, over, flow, table, flag, sns, clock):
        """A scan whose mail cannot be sent stays open."""
        flag()
        sns.errors = [client_error("InvalidParameter")] * 10

        for _ in range(10):
            with pytest.raises(SweepError):
                flow.sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    @pytest.mark.parametrize("status", ["Active", "Suspended", "Cancelling"])
    def test_job_not_over(self, over, sweep, table, s3control, status):
        """A scan whose batch job is not over stays open."""
        s3control.jobs = {"one": status}

        sweep(10)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_one_of_two_jobs(self, over, sweep, table, s3control):
        """A scan stays open until all of its jobs have been over for five minutes."""
        table.scans.add_job(SCAN, "two")
        s3control.jobs["two"] = "Active"
        sweep(10)
        before = table.scans.scan(SCAN).status
        s3control.jobs["two"] = "Complete"
        sweep(5)
        between = table.scans.scan(SCAN).status
        sweep(2)

        assert (ScanStatus.OPEN, ScanStatus.OPEN, ScanStatus.CLOSED) == (before, between, table.scans.scan(SCAN).status)

    def test_closed_once(self, over, sweep, table, sns, s3control):
        """A closed scan is left alone: it is not closed again, no job of it is polled, and there is one digest."""
        sweep(8)
        closed, asked = table.scans.scan(SCAN), len(s3control.asked)

        sweep(10)

        assert (closed, asked, 1) == (table.scans.scan(SCAN), len(s3control.asked), len(sns.mails))

    def test_cancelled_before_its_job(self, sweep, table, clock):
        """A scan that is cancelled before its job was created closes only after five minutes: the job may just be coming."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=clock.now()))
        table.scans.cancel_scan(SCAN, "by a test")

        sweep(6)
        before = table.scans.scan(SCAN).live
        sweep(2)

        assert (True, False) == (before, table.scans.scan(SCAN).live)

    def test_another_scan_runs(self, over, sweep, table, rekognition, s3control):
        """What runs of a scan keeps that one open, and no other."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, jobs=(BatchJob("other"),)))
        s3control.jobs["other"] = "Complete"
        record = waiting(scan_id=OTHER_SCAN)
        table.records.register(record, None)
        job = rekognition.start_content_moderation(ClientRequestToken=record.analysis.token, JobTag="tag", Video={})
        table.records.enter_running(record, job["JobId"])

        sweep(8)

        assert (ScanStatus.CLOSED, ScanStatus.OPEN) == tuple(table.scans.scan(name).status for name in (SCAN, OTHER_SCAN))

    def test_no_job(self, sweep, table, clock):
        """A scan that is still being submitted stays open."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=clock.now()))

        sweep(10)

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_a_job_never_came(self, sweep, table, clock, sns):
        """A scan whose submission was interrupted before its batch job was created is closed after a day, and no mail is sent."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=clock.now() - DAY))

        sweep(3)

        assert table.scans.scan(SCAN).status is ScanStatus.CLOSED
        assert sns.mails == []

    @pytest.mark.parametrize("status", [ScanStatus.PAUSED, ScanStatus.CANCELLED])
    def test_held(self, over, sweep, table, status):
        """A paused or cancelled scan keeps its status."""
        table.scans._change_scan(SCAN, lambda scan: replace(scan, status=status))

        sweep(10)

        assert status is table.scans.scan(SCAN).status


DAY = 86_400
MINUTE = 60


class TestMailLimit:
    @pytest.fixture(name="many", autouse=True)
    def _many(self, table, flag, clock):
        """Flag five videos of a scan with a limit of three mails, and sweep."""
        table.scans.put_scan(Scan(SCAN, BUCKET, objects=6, jobs=(BatchJob("one", "Complete", terminal_since=clock.now()),)))
        for number in range(5):
            flag(f"{number}.mp4")

    def subjects(self, sns):
        """Return the subjects of the mails sent."""
        return [mail["Subject"] for mail in sns.mails]

    def test_limit(self, sweep, sns, table):
        """Three videos are mailed, then the limit once; nothing stays due."""
        sweep(3)

        assert [True] * 3 == [subject.startswith("Flagged") for subject in self.subjects(sns)[:3]]
        assert [f"No more mails about single videos of scan {SCAN}"] == self.subjects(sns)[3:]
        assert ([], 3, ()) == (table.records.mails_due(9), table.scans.scan(SCAN).mails_sent, table.scans.scan(SCAN).mails_due)

    def test_digest(self, sweep, sns, table):
        """The digest of a closed scan has counts, the worst videos and the cost, and is sent once."""
        failing = waiting("bad.mp4")
        table.records.register(failing, None)
        table.records.finish(failing.as_failed(Problem("InvalidS3ObjectException", "Unreadable."), at=1.0))

        sweep(10)

        digest = sns.mails[-1]
        assert [1, "Scan finished: 6 videos, 5 flagged, 1 failed"] == [
            sum("finished" in subject for subject in self.subjects(sns)),
            digest["Subject"],
        ]
        assert "1  InvalidS3ObjectException" in digest["Message"]
        assert "99.5 %  Weapons at 0:01:23  s3://amzn-s3-demo-bucket/0.mp4" in digest["Message"]
        assert "Analysed: 7.5 minutes of video, about $0.75" in digest["Message"]
        assert ScanStatus.CLOSED is table.scans.scan(SCAN).status

    @pytest.mark.slow
    def test_digest_survives_trouble(self, flow, sns, table, clock):
        """A digest that cannot be sent is sent by a later sweep."""
        for _ in range(6):
            flow.sweep(deadline=clock.now() + 300)
            clock.sleep(MINUTE)
        sns.errors = [client_error("InternalError", 500)] * 2
        failed = 0
        for _ in range(5):
            try:
                flow.sweep(deadline=clock.now() + 300)
            except SweepError:
                failed += 1
            clock.sleep(MINUTE)

        assert (2, 1) == (failed, sum("finished" in subject for subject in self.subjects(sns)))

    @pytest.mark.slow
    def test_reopened(self, sweep, sns, table):
        """A scan that is opened again sends another digest when it closes."""
        sweep(10)

        table.scans.add_job(SCAN, "retry")
        sweep(10)

        assert 2 == sum("finished" in subject for subject in self.subjects(sns))


@pytest.fixture(name="run")
def _run(table, rekognition):
    """Return a function that brings a video to RUNNING, and returns its record and its job."""

    def run(key="a.mp4", *, repeated=False):
        record = waiting(key)
        table.records.register(record, None)
        job_id = rekognition.start_content_moderation(
            ClientRequestToken=record.analysis.token, JobTag=record.analysis.tag, Video={}
        )["JobId"]
        table.records.enter_running(record, job_id, repeated=repeated)
        return record, job_id

    return run


class TestCheckOverdue:
    def test_lost_notice(self, sweep, run, rekognition, functions):
        """For a finished analysis whose notice was lost, completion is invoked with an equal notice."""
        _, job_id = run()
        rekognition.finish(job_id)

        sweep(3)

        (event,) = functions.events
        assert (job_id,) == notice.parse_event(event, COMPLETIONS).job_ids

    def test_seldom(self, sweep, run, rekognition, clock):
        """A running analysis is polled once a minute and a tenth of its age have passed since its start or the last poll."""
        _, _ = run()
        began = clock.now()
        times = []

        for _ in range(60):
            asked = len(rekognition.gets)
            sweep()
            if len(rekognition.gets) > asked:
                times.append(clock.now() - MINUTE - began)

        gaps = [later - sooner for sooner, later in zip([0, *times], times, strict=False)]
        assert all(gap >= 60 + 0.1 * at for gap, at in zip(gaps, times, strict=True))
        assert all(gap <= 60 + 0.1 * at + 61 for gap, at in zip(gaps, times, strict=True))
        assert 15 == len(times)

    def test_one_a_second(self, sweep, run, rekognition, clock):
        """At most one analysis is polled a second while slots are free; the rest waits for the next sweep."""
        for number in range(17):
            run(f"{number}.mp4")
        clock.sleep(120)
        began = clock.now()

        sweep()
        first = len(rekognition.gets)
        sweep(2)

        assert 10 <= first <= 16
        assert clock.now() - began == 180
        assert {call["MaxResults"] for call in rekognition.gets} == {1}
        assert 17 == len({call["JobId"] for call in rekognition.gets})

    @pytest.mark.parametrize("seconds", [30, 65])
    def test_all_slots(self, sweep, run, rekognition, functions, clock, seconds):
        """If finished analyses hold all slots, because their notices are lost, one sweep finds them all, and soon."""
        for number in range(18):
            _, job_id = run(f"{number}.mp4")
            rekognition.finish(job_id)
        clock.sleep(seconds)
        began = clock.now()

        sweep()

        assert 18 == len(functions.events)
        assert [0.5] * 18 == clock.slept[-19:-1]
        assert clock.now() - began == 60

    def test_all_slots_of_the_settings(self, sweep, run, rekognition, table, clock):
        """All slots are those that `control_scan.py slots` has set."""
        table.control.set_slots(2)
        for number in range(2):
            run(f"{number}.mp4")
        clock.sleep(30)

        sweep()

        assert 2 == len(rekognition.gets)

    def test_all_slots_with_an_unknown_start(self, sweep, run, rekognition, table, clock):
        """A slot that an analysis may hold, because its Start is noted, is in use, too."""
        table.control.set_slots(2)
        run()
        record = waiting("b.mp4")
        table.records.register(record, None)
        start = StartParameters(None, 50.0, COMPLETIONS, ROLE)
        table.records.note_start_tried(record, ObjectFacts("abc", 3, None), start, at=clock.now())
        clock.sleep(30)

        sweep()

        assert 1 == len(rekognition.gets)

    def test_all_slots_with_notices(self, sweep, run, rekognition, clock):
        """Long analyses in all slots are polled 20 times in their first hour instead of 15: AWS discourages polling."""
        for number in range(18):
            run(f"{number}.mp4")

        sweep(60)

        assert {20} == set(Counter(call["JobId"] for call in rekognition.gets).values())

    def test_after_lost_notices(self, sweep, run, rekognition, functions, table, clock):
        """Where notices were lost within the hour, finished analyses are found sooner although slots are free."""
        table.scans.put_scan(Scan(SCAN, BUCKET, handed_over=9, progress=(Progress(clock.now(), 100, 8),)))
        _, job_id = run()
        rekognition.finish(job_id)
        clock.sleep(30)

        sweep()

        assert 1 == len(functions.events)

    def test_counted(self, sweep, run, rekognition, table):
        """Each analysis that is handed over is counted once in its scan, however often `completion` fails on it."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        for number in range(3):
            _, job_id = run(f"{number}.mp4")
            rekognition.finish(job_id)

        sweep(10)

        assert (3, False) == (table.scans.scan(SCAN).handed_over, table.scans.scan(SCAN).notices_mailed)

    def test_repeated_start_is_not_counted(self, sweep, run, rekognition, functions, table):
        """The notice of a job whose Start was repeated is expected to be missed."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        _, job_id = run(repeated=True)
        rekognition.finish(job_id)

        sweep()

        assert (1, None) == (len(functions.events), table.scans.scan(SCAN).handed_over)

    def test_scan_unknown(self, sweep, run, rekognition, functions):
        """An analysis of a scan that was deleted is handed over all the same."""
        _, job_id = run()
        rekognition.finish(job_id)

        sweep(3)

        assert functions.events

    @pytest.mark.parametrize(
        ("lost", "final", "mails"),
        [(11, 0, 0), (12, 0, 1), (15, 0, 1), (12, 120, 1), (12, 121, 0), (15, 150, 1), (15, 151, 0)],
    )
    def test_operator_is_mailed(self, sweep, run, rekognition, table, dynamodb, sns, clock, caplog, lost, final, mails):
        """Twelve lost notices within the hour, and a tenth of the videos that became final, are mailed and alarmed, once."""
        earlier = Progress(clock.now() - 3_000, 1_000, 70)
        table.scans.put_scan(Scan(SCAN, BUCKET, handed_over=70, progress=(earlier,)))
        dynamodb.put_item(
            TableName="scans",
            Item={"pk": {"S": f"SCAN#{SCAN}"}, "sk": {"S": "TOTALS#0"}, "clean": {"N": str(1_000 + final)}},
        )
        for number in range(lost):
            _, job_id = run(f"{number}.mp4")
            rekognition.finish(job_id)

        sweep(5)

        subjects = [mail["Subject"] for mail in sns.mails]
        assert [f"Completion notices of scan {SCAN} do not arrive"] * mails == subjects
        assert mails == [entry.message for entry in caplog.records].count("completion notices do not arrive")
        assert 70 + lost == table.scans.scan(SCAN).handed_over

    def test_twice_at_a_time(self, table, make_flow, run, rekognition, functions, clock):
        """Of two sweeps that see the same analysis, one polls it."""
        _, job_id = run()
        rekognition.finish(job_id)
        clock.sleep(120)
        (seen,) = table.records.running()
        make_flow().sweep(deadline=clock.now() + 300)

        outcomes = [table.records.note_polled(seen, at=clock.now()) for _ in range(2)]

        assert (1, 1) == (len(rekognition.gets), len(functions.events))
        assert "DONE" not in [outcome.name for outcome in outcomes]

    def test_another_polls_one(self, sweep, table, run, rekognition, clock, monkeypatch):
        """An analysis that another sweeper polls at the moment keeps this one from polling no other."""
        jobs = [run(f"{number}.mp4")[1] for number in range(2)]
        clock.sleep(120)
        note = table.records.note_polled

        def overtaken(running, *, at):
            monkeypatch.setattr(table.records, "note_polled", note)
            note(running, at=at - 1)
            return note(running, at=at)

        monkeypatch.setattr(table.records, "note_polled", overtaken)

        sweep()

        assert 1 == len(rekognition.gets)
        assert rekognition.gets[0]["JobId"] in jobs

    def test_unknown_job(self, sweep, run, rekognition, table):
        """An analysis that Rekognition no longer knows fails as lost, and its slot becomes free."""
        record, job_id = run()
        del rekognition.jobs[job_id]

        sweep(3)

        assert ("result-lost", 0) == (table.records.record(record.video.id, SCAN).problem.code, table.records.running_count())
        assert {"result-lost": 1} == table.scans.totals(SCAN).failures

    @pytest.mark.parametrize(("days", "state"), [(5.9, State.RUNNING), (6.0, State.FAILED)])
    def test_six_days(self, sweep, run, clock, table, days, state):
        """A result that is not stored within six days is lost, just before Rekognition deletes it."""
        record, _ = run()
        clock.sleep(days * DAY)

        sweep()

        assert state is table.records.record(record.video.id, SCAN).state

    @pytest.mark.parametrize("change", ["deleted", "retried", "over"])
    @pytest.mark.parametrize("end", ["over", "forgotten"])
    def test_without_record(self, sweep, run, rekognition, table, dynamodb, functions, change, end):
        """An analysis that no record runs keeps its slot while its job takes one of the account's, and no longer."""
        record, job_id = run()
        key = {name: {"S": value} for name, value in record_key(record.video.id, SCAN).items()}
        if change == "deleted":
            dynamodb.delete_item(TableName=TABLE, Key=key)
        else:
            name, value = ("attempt", {"N": "1"}) if change == "retried" else ("state", {"S": "FAILED"})
            dynamodb.update_item(
                TableName=TABLE,
                Key=key,
                UpdateExpression="SET #n = :v",
                ExpressionAttributeNames={"#n": name},
                ExpressionAttributeValues={":v": value},
            )
        sweep(5)
        while_it_runs = table.records.running_count()
        if end == "over":
            rekognition.finish(job_id)
        else:
            del rekognition.jobs[job_id]

        sweep(5)

        assert (1, 0, []) == (while_it_runs, table.records.running_count(), functions.events)

    def test_without_record_or_job_id(self, sweep, table, dynamodb):
        """An analysis of an earlier version that has neither a job id nor a record frees its slot."""
        table.records.register(waiting(), None)
        table.records.enter_running(waiting(), None)
        key = {name: {"S": value} for name, value in record_key(waiting().video.id, SCAN).items()}
        dynamodb.delete_item(TableName=TABLE, Key=key)

        sweep()

        assert 0 == table.records.running_count()

    def test_without_job_id(self, sweep, table, rekognition):
        """An analysis without a job id, from an earlier version, fails: no result can be attributed to it."""
        table.records.register(waiting(), None)
        table.records.enter_running(waiting(), None)

        sweep()

        record = table.records.record(waiting().video.id, SCAN)
        assert (State.FAILED, "start-unknown", 0, []) == (
            record.state,
            record.problem.code,
            table.records.running_count(),
            rekognition.gets,
        )

    def test_repeated_start(self, sweep, run, rekognition, functions):
        """An analysis whose Start was repeated is polled by the next sweep: it may be over, and its notice gone."""
        _, job_id = run(repeated=True)
        rekognition.finish(job_id)

        sweep()

        assert [(job_id,)] == [notice.parse_event(event, COMPLETIONS).job_ids for event in functions.events]

    def test_repeated_start_that_goes_on(self, sweep, run, rekognition):
        """If it still runs, it is polled as rarely as any other from then on."""
        run(repeated=True)

        sweep(2)

        assert 1 == len(rekognition.gets)

    def test_the_others_are_polled_too(self, sweep, table, run, rekognition, functions, clock):
        """Analyses that are lost, given up, or of no record do not keep the same sweep from polling the others."""
        table.records.register(waiting("without.mp4"), None)
        table.records.enter_running(waiting("without.mp4"), None)
        _, job_id = run("gone.mp4")
        del rekognition.jobs[job_id]
        again, _ = run("again.mp4")
        table.records._table.update(
            {
                "Key": {"pk": {"S": f"VIDEO#{again.video.id}"}, "sk": {"S": f"SCAN#{SCAN}"}},
                "UpdateExpression": "SET attempt = :next",
                "ExpressionAttributeValues": {":next": {"N": "1"}},
            }
        )
        clock.sleep(5.99 * DAY)
        _, last = run("last.mp4")
        rekognition.finish(last)
        clock.sleep(120 + 0.01 * DAY)

        sweep()

        assert [(last,)] == [notice.parse_event(event, COMPLETIONS).job_ids for event in functions.events]
        assert [State.FAILED, State.FAILED, State.RUNNING] == [
            table.records.record(waiting(f"{name}.mp4").video.id, SCAN).state for name in ("without", "gone", "again")
        ]

    @pytest.mark.parametrize("error", [client_error("ProvisionedThroughputExceededException"), time_out()])
    def test_too_busy(self, sweep, run, rekognition, table, clock, error):
        """If Rekognition throttles, nothing is concluded, and this sweep polls no more."""
        for number in range(3):
            run(f"{number}.mp4")
        clock.sleep(120)
        rekognition.refuse_gets.append(error)

        sweep()

        assert (1, 3) == (len(rekognition.gets), table.records.running_count())

    def test_completion_cannot_be_reached(self, sweep, flow, run, rekognition, functions, clock):
        """If invoking completion fails, it is invoked after the next poll."""
        _, job_id = run()
        rekognition.finish(job_id)
        functions.errors = [client_error("TooManyRequestsException", 429)]
        clock.sleep(120)

        with pytest.raises(SweepError, match="CheckOverdue"):
            flow.sweep(deadline=clock.now() + 300)
        sweep(4)

        assert 1 <= len(functions.events)


class TestRepeatStarts:
    @pytest.fixture(name="scan", autouse=True)
    def _scan(self, table):
        table.scans.put_scan(Scan(SCAN, BUCKET))

    @pytest.fixture(name="noted")
    def _noted(self, table, clock):
        """Return a video in the normal lane whose Start is noted."""
        record = waiting(queued_at=clock.now())
        table.records.register(record, None)
        start = StartParameters(None, 50.0, COMPLETIONS, ROLE)
        table.records.note_start_tried(record, ObjectFacts("abc", 3, None), start, at=clock.now())
        return record

    @pytest.fixture(name="backlog", autouse=True)
    def _backlog(self, queues):
        """Fill the normal lane: nothing is lost in it."""
        queues.send(waiting("before.mp4"))

    @pytest.mark.parametrize("status", [ScanStatus.OPEN, ScanStatus.PAUSED, ScanStatus.CANCELLED])
    def test_to_the_express_lane(self, sweep, table, noted, messages, status):
        """If a Start is unknown for twenty minutes, its message goes to the express lane, whatever has become of the scan."""
        table.scans._change_scan(SCAN, lambda scan: replace(scan, status=status))

        sweep(19)
        before = messages(Lane.EXPRESS)
        sweep(3)
        first = messages(Lane.EXPRESS)
        sweep(20)

        bodies = [message["Body"] for message in first]
        assert ([], [lane_message.body(noted)]) == (before, bodies)
        assert bodies == [message["Body"] for message in messages(Lane.EXPRESS)]
        assert Lane.NORMAL is table.records.record(noted.video.id, SCAN).lane

    def test_not_while_paused(self, sweep, table, noted, messages):
        """While starting is paused no starter would take the message."""
        table.control.pause("somebody", "because")
        sweep(30)
        before = messages(Lane.EXPRESS)

        table.control.resume()
        sweep()

        assert ([], 1) == (before, len(messages(Lane.EXPRESS)))

    def test_known(self, sweep, table, noted, messages):
        """What runs is not sent again."""
        table.records.enter_running(noted, "job")

        sweep(30)

        assert [] == messages(Lane.EXPRESS)

    @pytest.mark.parametrize("change", ["deleted", "retried", "not noted", "over"])
    def test_without_record(self, sweep, table, dynamodb, noted, messages, change):
        """A STARTING item whose record does not wait with a noted Start frees its slot."""
        key = {name: {"S": value} for name, value in record_key(noted.video.id, SCAN).items()}
        updates = {"retried": "SET attempt = :one", "not noted": "REMOVE start_tried_at", "over": "SET #s = :failed"}
        if change == "deleted":
            dynamodb.delete_item(TableName=TABLE, Key=key)
        else:
            names = {"ExpressionAttributeNames": {"#s": "state"}} if change == "over" else {}
            values = {"retried": {":one": {"N": "1"}}, "over": {":failed": {"S": "FAILED"}}}.get(change)
            given = names | ({"ExpressionAttributeValues": values} if values else {})
            dynamodb.update_item(TableName=TABLE, Key=key, UpdateExpression=updates[change], **given)

        sweep(25)

        assert (0, []) == (table.records.slots_in_use(), messages(Lane.EXPRESS))


class TestResend:
    @pytest.fixture(name="scan", autouse=True)
    def _scan(self, table):
        table.scans.put_scan(Scan(SCAN, BUCKET))

    def bodies(self, messages, lane=Lane.NORMAL):
        """Return the keys of the messages of a lane."""
        return [lane_message.parse(message["Body"]).video.key for message in messages(lane)]

    @pytest.mark.parametrize(("days", "sent"), [(9.9, []), (10.01, ["a.mp4"])])
    def test_forgotten(self, sweep, table, clock, messages, queues, days, sent):
        """A message is sent again when it is ten days old, before SQS deletes it."""
        table.records.register(waiting(queued_at=clock.now()), None)
        queues.send(waiting("another.mp4"))
        clock.sleep(days * DAY)

        sweep(3)

        assert [*sent, "another.mp4"] == sorted(self.bodies(messages))

    def test_marked(self, sweep, table, clock, messages):
        """Messages from before the scan's mark are sent again once, the oldest first, each to its lane."""
        now = clock.now()
        for number in range(8):
            lane = Lane.EXPRESS if number == 3 else Lane.NORMAL
            table.records.register(waiting(f"{number}.mp4", queued_at=now - 100 + 10 * number, lane=lane), None)
        table.scans.send_again(SCAN, now - 45)

        sweep(3)

        assert [f"{number}.mp4" for number in (0, 1, 2, 4, 5)] == sorted(self.bodies(messages))
        assert ["3.mp4"] == self.bodies(messages, Lane.EXPRESS)
        assert now <= table.records.record(waiting("0.mp4").video.id, SCAN).queued_at

    @pytest.mark.slow
    def test_order_and_pace(self, sweep, sqs, table, clock):
        """At most 300 messages are sent again a second, the oldest first."""
        now = clock.now()
        for number in range(130):
            table.records.register(waiting(f"{number:03}.mp4", queued_at=now - 1_000 + number), None)
        table.scans.send_again(SCAN, now)

        sweep()

        calls = sqs.called("send_message_batch")
        keys = [json.loads(entry["MessageBody"])["key"] for call in calls for entry in call["Entries"]]
        assert sorted(keys) == keys
        assert 130 == len(keys)
        assert 130 / 300 <= sum(seconds for seconds in clock.slept if seconds < 1) + 0.001

    def test_not_yet(self, sweep, table, clock, messages):
        """A mark in the future has no effect yet: the lane may still be purged."""
        table.records.register(waiting(queued_at=clock.now()), None)
        table.scans.send_again(SCAN, clock.now() + 90)

        sweep()
        before = self.bodies(messages)
        sweep(2)

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    def test_two_scans(self, sweep, table, clock, messages):
        """One sweep sends the messages of all open scans again, not only those of the oldest."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, created_at=1.0))
        table.records.register(waiting(queued_at=clock.now() - 11 * DAY), None)
        table.records.register(waiting("other.mp4", scan_id=OTHER_SCAN, queued_at=clock.now() - 11 * DAY), None)

        sweep()

        assert ["a.mp4", "other.mp4"] == sorted(self.bodies(messages))

    def test_resumed_in_purge(self, sweep, table, clock, messages):
        """A scan resumed within the minute after a purge has its messages sent again when the purge can delete none of them."""
        table.records.register(waiting(queued_at=clock.now()), None)
        table.scans.pause_scan(SCAN, "by a test")
        table.scans.send_again(SCAN, clock.now() + 60)
        clock.sleep(10)
        table.scans.resume_scan(SCAN)

        sweep()
        before = self.bodies(messages)
        sweep()

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    def test_not_while_paused(self, sweep, table, clock, messages):
        """While starting is paused nothing is sent again; messages that SQS deleted meanwhile are sent afterwards."""
        table.records.register(waiting(queued_at=clock.now() - 11 * DAY), None)
        table.control.pause("somebody", "because")
        sweep(2)
        before = self.bodies(messages)

        table.control.resume()
        sweep()

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    def test_paused_scan(self, sweep, table, clock, messages):
        """Nothing is sent again for a paused scan; when it is resumed, its dropped messages are."""
        table.records.register(waiting(queued_at=clock.now() - 11 * DAY), None)
        table.scans.pause_scan(SCAN, "by a test")
        sweep(2)
        before = self.bodies(messages)

        table.scans.resume_scan(SCAN)
        sweep()

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    @pytest.mark.parametrize("skew", [-240.0, 0.0, 240.0])
    @pytest.mark.parametrize("asked", ["resume_scan", "resend_soon"])
    def test_a_persons_clock(self, sweep, table, clock, messages, asked, skew):
        """Whatever the clock of whoever resumes a scan or redrives its letters says, the next sweep sends all that waits."""
        table.records.register(waiting(queued_at=clock.now() - 30), None)
        theirs = Scans(table.scans._table, Clock(clock.now() + skew))
        if asked == "resume_scan":
            theirs.pause_scan(SCAN, "by a test")

        getattr(theirs, asked)(SCAN)
        sweep()
        first = self.bodies(messages)
        sweep(5)

        assert (["a.mp4"], []) == (first, self.bodies(messages))

    def test_resumed_after_a_purge(self, sweep, table, clock, messages):
        """A scan that is resumed within a minute of a purge is sent again only once the purge is over."""
        table.records.register(waiting(queued_at=clock.now()), None)
        table.scans.pause_scan(SCAN, "by a test")
        table.scans.send_again(SCAN, clock.now() + 60)
        table.scans.resume_scan(SCAN)

        sweep()
        before = self.bodies(messages)
        sweep(2)

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    def test_started_meanwhile(self, table, clock):
        """A record that was started or sent again since the index was read does not change."""
        for key in ("a.mp4", "b.mp4", "c.mp4"):
            table.records.register(waiting(key, queued_at=clock.now()), None)
        seen = list(table.waiting.waiting(SCAN))
        table.records.enter_running(waiting("b.mp4"), "job")
        clock.sleep(5)

        counts = [table.waiting.requeue(seen, at=clock.now()) for _ in range(2)]

        assert [2, 0] == counts
        assert State.RUNNING is table.records.record(waiting("b.mp4").video.id, SCAN).state

    def test_queue_takes_some(self, sweep, sqs, table, clock, messages):
        """A message that the queue refuses counts as not sent."""
        table.records.register(waiting(queued_at=clock.now() - 11 * DAY), None)
        sqs.fail("send_message_batch", client_error("ServiceUnavailable", 503))

        with pytest.raises(SweepError, match="ResendMessages"):
            sweep()
        clock.sleep(MINUTE)
        sweep()

        assert ["a.mp4"] == self.bodies(messages)

    @pytest.mark.parametrize("peeked", [1, 3])
    def test_peeking_at_dead_letters(self, sweep, sqs, dead_urls, table, clock, messages, queues, peeked):
        """Dead letters that someone looks at, and that are hidden for a while, are not new afterwards."""
        table.records.register(waiting(queued_at=clock.now() + 2 * MINUTE), None)
        queues.send(waiting())
        for number in range(3):
            sqs.send_message(QueueUrl=dead_urls[Lane.NORMAL], MessageBody=f"dead {number}")
        sweep(2)
        before = len(messages())
        queues.send(waiting("keeps the lane from being empty"))

        for _ in range(2):
            letters = sqs.receive_message(QueueUrl=dead_urls[Lane.NORMAL], MaxNumberOfMessages=peeked)["Messages"]
            sweep(2)
            for letter in letters:
                handle = letter["ReceiptHandle"]
                sqs.change_message_visibility(QueueUrl=dead_urls[Lane.NORMAL], ReceiptHandle=handle, VisibilityTimeout=0)
            sweep(2)

        assert (1, 1) == (before, len(messages()))

    @pytest.mark.parametrize("late", [160, 0])
    def test_late_counts_of_dead_letters(self, sweep, sqs, table, clock, queues, monkeypatch, late):
        """Dead letters that SQS counts twice, or not at all, just after someone has looked at them are not new."""
        counts = {**dict.fromkeys(Lane, itertools.repeat(0)), Lane.NORMAL: iter([80, 80, late, 80, 80, 80])}
        monkeypatch.setattr(LaneQueues, "dead_letters", lambda _, lane: next(counts[lane]))
        queues.send(waiting("keeps the lane from being empty"))
        table.records.register(waiting(queued_at=clock.now() - 1), None)
        sweep(2)
        before = len(sqs.called("send_message_batch"))

        sweep(4)

        assert (1, 1) == (before, len(sqs.called("send_message_batch")))

    def test_dead_letter(self, sweep, sqs, dead_urls, table, clock, messages, queues):
        """A new dead letter in a lane has the messages of its waiting videos sent again, once."""
        queues.send(waiting("keeps the lane from being empty"))
        table.records.register(waiting(queued_at=clock.now()), None)
        sweep(3)
        before = len(sqs.called("send_message_batch"))
        sqs.send_message(QueueUrl=dead_urls[Lane.NORMAL], MessageBody="dead")

        sweep(5)

        assert (0, 1) == (before, len(sqs.called("send_message_batch")))

    def test_empty_lane(self, sweep, table, clock, messages):
        """Messages are lost if a lane is empty in two sweeps while videos wait; in one, its counts may be late."""
        table.records.register(waiting(queued_at=clock.now()), None)

        sweep()
        before = self.bodies(messages)
        sweep()

        assert ([], ["a.mp4"]) == (before, self.bodies(messages))

    def test_empty_now_and_then(self, sweep, sqs, table, clock, messages, queues):
        """A lane that has messages again in between has lost none."""
        table.records.register(waiting(queued_at=clock.now()), None)
        for _ in range(3):
            sweep()
            queues.send(waiting("another.mp4"))
            sweep()
            for message in messages():
                url = sqs.get_queue_url(QueueName="stack-normal")["QueueUrl"]
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

        assert [] == sqs.called("send_message_batch")

    def test_only_what_waits_in_the_lane(self, sweep, table, clock, sqs, dead_urls, queues):
        """A lane's dead letter has the scans marked of which something waits in that lane, each time that there is a new one."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, lane=Lane.EXPRESS))
        table.records.register(waiting(queued_at=clock.now()), None)
        table.records.register(waiting("b.mp4", scan_id=OTHER_SCAN, lane=Lane.EXPRESS, queued_at=clock.now()), None)
        queues.send(waiting("keeps the lane from being empty"))
        queues.send(waiting("keeps the lane from being empty", lane=Lane.EXPRESS))
        marks = []

        for _ in range(2):
            sqs.send_message(QueueUrl=dead_urls[Lane.EXPRESS], MessageBody="dead")
            sweep(2)
            marks.append(table.scans.scan(OTHER_SCAN).resend_before)

        assert table.scans.scan(SCAN).resend_before is None
        assert marks[0] + 2 * MINUTE == marks[1]

    def test_other_lane_is_empty(self, sweep, table, clock, messages, queues):
        """An empty other lane does not matter."""
        table.records.register(waiting(queued_at=clock.now()), None)
        queues.send(waiting())

        sweep(5)

        assert ["a.mp4"] == self.bodies(messages)


class TestPurgeAndCancel:
    @pytest.fixture(name="three", autouse=True)
    def _three(self, table, clock, s3control):
        """Register three videos, one of them with a noted Start."""
        table.scans.put_scan(
            Scan(SCAN, BUCKET, objects=3, jobs=(BatchJob("one", "Cancelled", terminal_since=clock.now(), told=True),))
        )
        for key in ("a.mp4", "b.mp4", "unknown.mp4"):
            table.records.register(waiting(key, queued_at=clock.now()), None)
        start = StartParameters(None, 50.0, COMPLETIONS, ROLE)
        table.records.note_start_tried(waiting("unknown.mp4"), ObjectFacts("abc", 3, None), start, at=clock.now())

    def states(self, table):
        """Return the state of each video."""
        return {key: table.records.record(waiting(key).video.id, SCAN).state for key in ("a.mp4", "b.mp4", "unknown.mp4")}

    def test_cancelled(self, sweep, table):
        """The waiting videos of a cancelled scan are cancelled and counted, except those that may have started."""
        table.scans.cancel_scan(SCAN, "by a test")

        sweep(3)

        assert {"a.mp4": State.CANCELLED, "b.mp4": State.CANCELLED, "unknown.mp4": State.WAITING} == self.states(table)
        assert 2 == table.scans.totals(SCAN).videos[State.CANCELLED]

    def test_cancelling_twice(self, table, clock):
        """Cancelling again changes and counts nothing."""
        seen = list(table.waiting.waiting(SCAN))

        results = [table.waiting.cancel(seen, at=clock.now()) for _ in range(3)]

        assert [2, 0, 0] == [result.count for result in results]
        assert [["unknown.mp4"]] * 3 == [[record.video.key for record in result.may_have_started] for result in results]
        assert 2 == table.scans.totals(SCAN).final

    def test_over(self, sweep, table, clock, sns):
        """A cancelled scan is over once all its videos are final; it stays cancelled, as its digest reports."""
        table.scans.cancel_scan(SCAN, "by a test")
        sweep(8)
        before = table.scans.scan(SCAN).live
        table.records.finish(replace(waiting("unknown.mp4"), state=State.CLEAN, finished_at=1.0, duration_ms=60_000))

        sweep(5)

        scan = table.scans.scan(SCAN)
        assert (True, False, ScanStatus.CANCELLED) == (before, scan.live, scan.status)
        assert ["Scan cancelled: 3 videos, 0 flagged, 0 failed"] == [mail["Subject"] for mail in sns.mails]

    def test_two_scans(self, sweep, table, clock):
        """One sweep cancels the waiting videos of all cancelled scans; those of an open one wait on."""
        other, third = waiting("other.mp4", scan_id=OTHER_SCAN), waiting("third.mp4", scan_id=f"{OTHER_SCAN[:-1]}3")
        for record in (other, third):
            table.scans.put_scan(Scan(record.scan_id, BUCKET, created_at=1.0))
            table.records.register(record, None)
        for scan_id in (SCAN, OTHER_SCAN):
            table.scans.cancel_scan(scan_id, "by a test")

        sweep()

        assert State.CANCELLED is table.records.record(other.video.id, OTHER_SCAN).state
        assert State.CANCELLED is self.states(table)["a.mp4"]
        assert State.WAITING is table.records.record(third.video.id, third.scan_id).state

    def test_late_registration(self, sweep, table, clock):
        """A video that a last task registers afterwards is cancelled, too."""
        table.scans.cancel_scan(SCAN, "by a test")
        sweep()

        table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "one")
        table.records.register(waiting("late.mp4"), None)
        sweep()

        assert State.CANCELLED is table.records.record(waiting("late.mp4").video.id, SCAN).state

    def test_no_purge(self, sweep, table, sqs):
        """A small scan's messages are dropped as they come."""
        table.scans.pause_scan(SCAN, "by a test")

        sweep(2)

        assert [] == sqs.called("purge_queue")

    def test_purge(self, sweep, table, sqs, clock, monkeypatch, messages):
        """The lane of a large scan is purged once, and the other scans' messages are sent again after the purge."""
        monkeypatch.setattr("handlers.flows.sweep.purge.PURGED_ABOVE", 2)
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))
        other = waiting("other.mp4", scan_id=OTHER_SCAN, queued_at=clock.now())
        table.records.register(other, None)
        for key in ("a.mp4", "b.mp4", "unknown.mp4", "other.mp4"):
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="stack-normal")["QueueUrl"], MessageBody=key)
        table.scans.pause_scan(SCAN, "by a test")

        sweep()
        before = messages()
        sweep(3)

        assert ([], 1) == (before, len(sqs.called("purge_queue")))
        assert ["other.mp4"] == [lane_message.parse(message["Body"]).video.key for message in messages()]


class TestWhenToPurge:
    @pytest.fixture(name="full", autouse=True)
    def _full(self, table, clock, sqs, urls, monkeypatch):
        """Fill the normal lane with a large scan's messages, more than may be dropped one by one."""
        monkeypatch.setattr("handlers.flows.sweep.purge.PURGED_ABOVE", 2)
        table.scans.put_scan(Scan(SCAN, BUCKET))
        for key in ("a.mp4", "b.mp4", "c.mp4"):
            table.records.register(waiting(key, queued_at=clock.now()), None)
            sqs.send_message(QueueUrl=urls[Lane.NORMAL], MessageBody=key)

    def purged(self, sqs):
        """Return the names of the queues that were purged."""
        return [call["QueueUrl"].rpartition("/")[2] for call in sqs.called("purge_queue")]

    @pytest.mark.parametrize("hold", ["pause_scan", "cancel_scan"])
    def test_held(self, sweep, table, sqs, hold):
        """The lane of a scan that was paused or cancelled is purged, and no other."""
        getattr(table.scans, hold)(SCAN, "by a test")

        sweep()

        assert ["stack-normal"] == self.purged(sqs)

    def test_open(self, sweep, table, sqs):
        """The lane of open scans is not purged, nor that of a scan in the other lane."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, lane=Lane.EXPRESS))
        table.scans.pause_scan(OTHER_SCAN, "by a test")

        sweep()

        assert [] == self.purged(sqs)

    def test_long_ago(self, sweep, table, sqs, clock):
        """A lane is purged within ten minutes after the pause; what comes later is dropped as it comes."""
        table.scans.pause_scan(SCAN, "by a test")
        clock.sleep(601)

        sweep()

        assert [] == self.purged(sqs)

    def test_few_messages(self, sweep, table, sqs, clock, messages):
        """A lane with few messages is not purged, however many videos of the scan wait."""
        (first, *_) = messages()
        sqs.delete_message(QueueUrl=sqs.get_queue_url(QueueName="stack-normal")["QueueUrl"], ReceiptHandle=first["ReceiptHandle"])
        table.scans.pause_scan(SCAN, "by a test")

        sweep()

        assert [] == self.purged(sqs)

    def test_few_videos(self, sweep, table, sqs):
        """A lane full of others' messages is not purged for a small scan."""
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET))
        table.scans.pause_scan(OTHER_SCAN, "by a test")

        sweep()

        assert [] == self.purged(sqs)

    def test_again(self, sweep, table, sqs, urls):
        """A lane is purged once for each pause, however full it stays."""
        table.scans.pause_scan(SCAN, "by a test")
        sweep()
        for key in ("a.mp4", "b.mp4", "c.mp4"):
            sqs.send_message(QueueUrl=urls[Lane.NORMAL], MessageBody=key)
        sweep()
        first = self.purged(sqs)
        table.scans.resume_scan(SCAN)
        table.scans.pause_scan(SCAN, "by a test")

        sweep()

        assert (1, 2) == (len(first), len(self.purged(sqs)))

    def test_who_is_marked(self, sweep, table, clock):
        """Open and paused scans have their messages sent again a minute after the purge; cancelled and closed ones do not."""
        names = {status: f"{OTHER_SCAN[:-1]}{number}" for number, status in enumerate(ScanStatus, 3)}
        for status, name in names.items():
            closed_at = clock.now() if status is ScanStatus.CLOSED else None
            table.scans.put_scan(Scan(name, BUCKET, status=status, held_at=1.0, closed_at=closed_at))
        table.scans.pause_scan(SCAN, "by a test")
        now = clock.now()

        sweep()

        marked = {status: table.scans.scan(name).resend_before for status, name in names.items()}
        assert {ScanStatus.OPEN, ScanStatus.PAUSED} == {status for status, mark in marked.items() if mark is not None}
        assert now + 60 <= marked[ScanStatus.OPEN] == marked[ScanStatus.PAUSED]


def pauses(sns):
    """Return the subjects of the mails about paused scans."""
    return [mail["Subject"] for mail in sns.mails if "paused" in mail["Subject"]]


class TestBrokenJobs:
    @pytest.mark.parametrize("status", ["Cancelled", "Failed"])
    def test_paused_and_mailed(self, sweep, table, s3control, sns, status):
        """A scan whose batch job broke is paused, once, and a mail says how many videos wait."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        table.records.register(waiting(), None)
        s3control.jobs = {"one": status}

        sweep(3)
        paused = table.scans.scan(SCAN)
        table.scans.resume_scan(SCAN)
        sweep(3)

        (mail,) = sns.mails
        assert ("Scan paused: 1 video still waits", True) == (mail["Subject"], f"control_scan.py resume {SCAN}" in mail["Message"])
        assert (ScanStatus.PAUSED, ScanStatus.OPEN) == (paused.status, table.scans.scan(SCAN).status)

    def test_nothing_waits(self, sweep, table, s3control, sns):
        """If nothing waits, no decision is needed: the scan closes, and its digest reports how the job ended."""
        table.scans.put_scan(Scan(SCAN, BUCKET, objects=9, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Failed"}

        sweep(10)

        (mail,) = sns.mails
        assert (ScanStatus.CLOSED, True) == (
            table.scans.scan(SCAN).status,
            "Its batch job one ended with the status failed." in mail["Message"],
        )

    @pytest.fixture(name="broken")
    def _broken(self, table, s3control, clock):
        """Return a function that ends the scan's first job early, while a video runs or one waits."""

        def broken(status, *, waits):
            table.scans.put_scan(Scan(SCAN, BUCKET, objects=3, jobs=(BatchJob("one"),)))
            record = waiting("first.mp4")
            table.records.register(record, None)
            if not waits:
                table.records.enter_running(record, "analysis")
            s3control.jobs = {"one": status, "two": "Active", "three": "Active"}

        return broken

    @pytest.mark.parametrize("status", ["Cancelled", "Failed"])
    @pytest.mark.parametrize("sweeps", [0, 1, 10])
    def test_a_retry_goes_on(self, broken, sweep, table, sns, status, sweeps):
        """A retry is not paused because the scan's first job broke, whenever it comes."""
        broken(status, waits=False)
        sweep(sweeps)

        table.scans.add_job(SCAN, "two", retry=True)
        table.records.register(waiting("retried.mp4"), None)
        sweep(3)

        assert ([], ScanStatus.OPEN) == (pauses(sns), table.scans.scan(SCAN).status)

    def test_a_task_of_a_retry_is_first(self, broken, sweep, table, sns):
        """The same holds if the first task of the retry notes its job before the submitter does."""
        broken("Cancelled", waits=False)
        sweep()

        table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "two", retry=True)
        table.records.register(waiting("retried.mp4"), None)
        sweep(3)
        table.scans.add_job(SCAN, "two", retry=True)
        sweep(3)

        assert ([], ScanStatus.OPEN) == (pauses(sns), table.scans.scan(SCAN).status)

    def test_a_job_made_by_hand_goes_on(self, broken, sweep, table, sns):
        """A broken job of which nothing waited is settled: a clone from the console is not paused for it."""
        broken("Cancelled", waits=False)
        sweep(3)

        table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "two")
        table.records.register(waiting("again.mp4"), None)
        sweep(3)

        assert ([], ScanStatus.OPEN) == (pauses(sns), table.scans.scan(SCAN).status)

    def test_a_clone_of_a_cancelled_scan_goes_on(self, broken, sweep, table, sns):
        """The job of a cancelled scan is settled, too: another job is not paused for the first."""
        broken("Cancelled", waits=True)
        table.scans.cancel_scan(SCAN, "by a test")
        sweep(12)
        over = table.scans.scan(SCAN).live

        table.scans.ensure_scan(SCAN, BUCKET, Lane.NORMAL, "two")
        table.records.register(waiting("again.mp4"), None)
        sweep(3)

        assert (False, ScanStatus.OPEN) == (over, table.scans.scan(SCAN).status)
        assert [] == pauses(sns)

    @pytest.mark.parametrize("status", ["Cancelled", "Failed"])
    def test_a_broken_retry(self, broken, sweep, table, s3control, sns, status):
        """Of two retries, the one that breaks pauses the scan once, and is named in the reason."""
        broken("Cancelled", waits=False)
        for name in ("two", "three"):
            sweep(2)
            table.scans.add_job(SCAN, name, retry=True)
        table.records.register(waiting("retried.mp4"), None)
        s3control.jobs |= {"two": "Complete", "three": status}

        sweep(3)
        reason = table.scans.scan(SCAN).held_reason
        table.scans.resume_scan(SCAN)
        sweep(3)

        assert f"its batch job three is {status.lower()}" == reason
        assert ["Scan paused: 1 video still waits"] == pauses(sns)

    def test_tasks_that_are_late(self, broken, sweep, table, s3control, sns):
        """Videos that the last tasks of a cancelled job register right after its end still wait for a decision."""
        broken("Cancelled", waits=False)
        sweep()

        table.records.register(waiting("late.mp4"), None)
        sweep()

        assert ScanStatus.PAUSED == table.scans.scan(SCAN).status

    def test_an_expired_job(self, broken, sweep, table, s3control, sns):
        """A first job that S3 has forgotten pauses nothing."""
        broken("Complete", waits=False)
        s3control.jobs.pop("one")
        sweep(2)

        table.scans.add_job(SCAN, "two", retry=True)
        table.records.register(waiting("retried.mp4"), None)
        sweep(3)

        assert ([], ScanStatus.OPEN) == (pauses(sns), table.scans.scan(SCAN).status)

    def test_a_sweep_that_read_before(self, broken, table, s3control):
        """A sweep that read the scan before a retry does not undo that the retry settled the first job."""
        broken("Cancelled", waits=False)
        read = table.scans.scan(SCAN).jobs

        table.scans.add_job(SCAN, "two", retry=True)
        table.scans.note_jobs(SCAN, tuple(replace(job, status="Cancelled") for job in read))

        assert [("Cancelled", True), ("New", False)] == [(job.status, job.told) for job in table.scans.scan(SCAN).jobs]
        assert Outcome.BY_ANOTHER is table.scans.pause_broken_scan(SCAN, frozenset({"one"}), "late")

    def test_cancelled_by_us(self, sweep, table, s3control, sns):
        """The cancelled job of a cancelled scan is not mailed."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        table.records.register(waiting(), None)
        table.scans.cancel_scan(SCAN, "by a test")
        s3control.jobs = {"one": "Cancelled"}

        sweep(3)

        assert [] == sns.mails


class TestPausing:
    def test_mappings(self, sweep, table, functions):
        """A sweep makes the mappings agree with the settings, and switches none that is changing."""
        table.control.pause("somebody", "because")
        sweep()
        going = set(functions.states.values())
        sweep()
        functions.settle()
        sweep()
        paused = set(functions.states.values())
        table.control.resume()
        sweep()
        functions.settle()

        assert ({"Disabling"}, {"Disabled"}, {"Enabled"}) == (going, paused, set(functions.states.values()))

    def test_mapping_busy(self, sweep, table, functions):
        """A mapping that is busy is switched by the next sweep."""
        table.control.pause("somebody", "because")
        functions.errors = [client_error("ResourceInUseException")]

        sweep()
        first = sorted(functions.states.values())
        sweep()

        assert (["Disabling", "Enabled"], {"Disabling"}) == (first, set(functions.states.values()))

    def test_breaker_mail(self, sweep, table, sns):
        """A pause by the circuit breaker is mailed once; a pause by a person is not."""
        table.control.pause("circuit breaker", "AccessDeniedException: no", mail=True)
        sweep(3)
        table.control.resume()
        table.control.pause("somebody", "because")
        sweep(3)

        (mail,) = sns.mails
        assert "Starting is paused: AccessDeniedException: no" == mail["Subject"]
        assert "python tools/control_scan.py resume --stack VideoModeration" in mail["Message"]

    def test_resume_breaks_the_row(self, table):
        """A resume resets the count of refusals, or the next one would pause everything again."""
        for number in range(20):
            table.control.count_refused(f"video {number}")
        table.control.pause("circuit breaker", "AccessDenied", mail=True)

        outcomes = [table.control.resume(), table.control.resume()]

        settings = table.control.settings()
        assert ["DONE", "DONE_BEFORE"] == [outcome.name for outcome in outcomes]
        assert (False, None, False, 0) == (settings.paused, settings.paused_by, settings.mail_due, settings.refused_in_row)
        assert 1 == table.control.count_refused("the next one")


class TestOverlap:
    def test_no_harm(self, make_flow, table, run, rekognition, clock, s3control):
        """Two sweeps that read the same and act in turn have the result of one: one state and one count for each video."""
        jobs = (BatchJob("one", "Cancelled", terminal_since=clock.now(), told=True),)
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=jobs))
        table.scans.put_scan(Scan(OTHER_SCAN, BUCKET, lane=Lane.EXPRESS, jobs=jobs))
        for number in range(60):
            table.records.register(waiting(f"{number}.mp4", queued_at=clock.now() - number), None)
        old = waiting("old.mp4", scan_id=OTHER_SCAN, lane=Lane.EXPRESS, queued_at=clock.now() - 11 * DAY)
        table.records.register(old, None)
        lost, job_id = run("lost.mp4")
        del rekognition.jobs[job_id]
        table.scans.cancel_scan(SCAN, "by a test")
        clock.sleep(400)
        tasks = zip(make_flow()._tasks, make_flow()._tasks, strict=True)
        contexts = [SweepContext(table.scans, table.control) for _ in range(2)]
        seen = [(context.scans(), context.settings()) for context in contexts]

        for pair in tasks:
            for (task, _), context in zip(pair, contexts, strict=True):
                task.run(context, clock.now() + 100)

        totals = table.scans.totals(SCAN)
        assert seen[0] == seen[1]
        assert (60, 1, 61) == (totals.videos[State.CANCELLED], totals.videos[State.FAILED], totals.final)
        assert ("result-lost", 0) == (table.records.record(lost.video.id, SCAN).problem.code, table.records.running_count())
        assert (State.WAITING, True) == (
            table.records.record(old.video.id, OTHER_SCAN).state,
            table.records.record(old.video.id, OTHER_SCAN).queued_at > clock.now() - 100,
        )


class TestTime:
    def test_stops_in_time(self, flow, table, flag, run, clock, sns):
        """A sweep ends before the next one is due, however much there is to do."""
        table.scans.put_scan(Scan(SCAN, BUCKET))
        for number in range(20):
            run(f"{number}.mp4")
        for number in range(60):
            table.records.register(waiting(f"w{number}.mp4", queued_at=clock.now() - 11 * DAY), None)
        clock.sleep(200)
        began = clock.now()

        flow.sweep(deadline=clock.now() + 300)

        assert clock.now() - began < 55

    def test_dead_sweeper(self, make_flow, table, flag, sns, clock):
        """The lease of a sweeper that died blocks the next ones for at most a minute and a half."""
        flag()
        table.control.take_lease("dead", clock.now() + 90)
        for _ in range(3):
            make_flow().sweep(deadline=clock.now() + 300)
            clock.sleep(MINUTE)

        assert 1 == len(sns.mails)

    def test_progress_of_open_scans(self, sweep, table, clock):
        """Progress is noted of every open scan, at once and after ten minutes, and of none that is paused."""
        for name in (SCAN, OTHER_SCAN):
            table.scans.put_scan(Scan(name, BUCKET, created_at=clock.now()))
        table.scans.put_scan(Scan(f"{OTHER_SCAN[:-1]}3", BUCKET, created_at=clock.now()))
        table.scans.pause_scan(f"{OTHER_SCAN[:-1]}3", "by a test")
        began = clock.now()

        sweep(11)

        assert [[0, 600]] * 2 == [[point.at - began for point in table.scans.scan(name).progress] for name in (SCAN, OTHER_SCAN)]
        assert () == table.scans.scan(f"{OTHER_SCAN[:-1]}3").progress

    @pytest.mark.slow
    def test_progress(self, sweep, table, clock, flag):
        """The progress of an open scan is noted every ten minutes, and kept for an hour."""
        table.scans.put_scan(Scan(SCAN, BUCKET, created_at=clock.now()))
        flag()

        sweep(75)

        points = table.scans.scan(SCAN).progress
        assert [600.0] * 6 == [later.at - sooner.at for sooner, later in itertools.pairwise(points)]
        assert [1] * 7 == [point.final for point in points]
