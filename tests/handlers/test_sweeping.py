"""Sweeping: mails sent once and slowly, batch jobs asked after, scans closed when nothing is left to come."""

from dataclasses import replace

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.mail import MailTopic
from handlers.domain.record import BatchJob, LabelSummary, Scan, Segment
from handlers.domain.states import ScanStatus, State
from handlers.sweeping import SweepError, Sweeping
from tests.handlers.doubles import ACCOUNT, BUCKET, SCAN, client_error, waiting

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"


class Sns:
    """A topic that keeps what is published, and when."""

    def __init__(self, clock):
        self.clock = clock
        self.mails = []
        self.times = []
        self.errors = []

    def publish(self, **mail):
        """Keep a mail."""
        if self.errors and (error := self.errors.pop(0)):
            raise error
        self.mails.append(mail)
        self.times.append(self.clock.now())


class S3Control:
    """Batch jobs by id: a status, or an error."""

    def __init__(self):
        self.jobs = {}
        self.asked = []

    def describe_job(self, AccountId, JobId):  # noqa: N803
        """Describe a job as S3 does."""
        assert AccountId == ACCOUNT
        self.asked.append(JobId)
        status = self.jobs.get(JobId)
        if status is None:
            raise client_error("NotFoundException", 404)
        if isinstance(status, Exception):
            raise status
        counts = {"TotalNumberOfTasks": 10, "NumberOfTasksSucceeded": 7, "NumberOfTasksFailed": 1}
        return {"Job": {"JobId": JobId, "Status": status, "ProgressSummary": counts}}


@pytest.fixture(name="sns")
def _sns(clock):
    return Sns(clock)


@pytest.fixture(name="s3control")
def _s3control():
    return S3Control()


@pytest.fixture(name="sweeping")
def _sweeping(table, sns, s3control, clock):
    return Sweeping(table, MailTopic(sns, TOPIC), BatchJobs(s3control, ACCOUNT), clock, "VideoModeration")


@pytest.fixture(name="sweep")
def _sweep(sweeping, clock):
    """Return a function that sweeps as the schedule does, and lets the rest of the minute pass."""

    def sweep(times=1):
        for _ in range(times):
            next_minute = clock.now() + 60
            sweeping.sweep(deadline=clock.now() + 300)
            clock.sleep(max(0, next_minute - clock.now()))

    return sweep


@pytest.fixture(name="flag")
def _flag(table):
    """Return a function that brings a video to FLAGGED, its mail due."""

    def flag(key="a.mp4"):
        record = waiting(key)
        table.register(record, None)
        table.write_segments(record, [Segment("Weapons", "Violence", 2, 83_000, 84_000, 99.5, 3)])
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
        table.finish(final)
        return final

    return flag


class TestMails:
    def test_sent_once(self, sweep, flag, sns, table):
        """A due mail is sent once, says what counted and when, and is counted in its scan."""
        table.put_scan(Scan(SCAN, BUCKET))
        flag("holiday.mp4")

        sweep(3)

        (mail,) = sns.mails
        assert (TOPIC, True) == (mail["TopicArn"], "holiday.mp4" in mail["Subject"])
        assert ("0:01:23" in mail["Message"], "Alcohol" in mail["Message"]) == (True, False)
        assert {"DataType": "String", "StringValue": SCAN} == mail["MessageAttributes"]["scan_id"]
        assert 1 == table.scan(SCAN).mails_sent

    def test_pace(self, sweep, flag, sns):
        """Mails keep the distance that SNS's subscriptions bear: at most five a second."""
        for number in range(12):
            flag(f"{number}.mp4")

        sweep()

        gaps = [later - sooner for sooner, later in zip(sns.times, sns.times[1:], strict=False)]
        assert 12 == len(sns.mails)
        assert all(gap >= 0.199 for gap in gaps)

    def test_one_bad(self, sweep, flag, sns, sweeping, clock):
        """A mail that cannot be sent keeps no other back, stays due, and raises at the end."""
        for number in range(3):
            flag(f"{number}.mp4")
        sns.errors = [None, client_error("InvalidParameter")]

        with pytest.raises(SweepError):
            sweep()
        sent = len(sns.mails)
        sweep()

        assert (2, 3) == (sent, len(sns.mails))

    def test_index_lags(self, sweep, flag, sns, table, dynamodb):
        """A mail that the index still shows although it was sent is not sent again."""
        final = flag()
        table.mail_sent(final)
        dynamodb.update_item(
            TableName="scans",
            Key={"pk": {"S": f"VIDEO#{final.video.id}"}, "sk": {"S": f"SCAN#{SCAN}"}},
            UpdateExpression="SET work_pk = :pk, work_sk = :sk",
            ExpressionAttributeValues={":pk": {"S": "MAIL"}, ":sk": {"S": "0"}},
        )

        sweep()

        assert ([(final.video.id, SCAN)], []) == (table.mails_due(9), sns.mails)

    def test_lease(self, sweeping, flag, sns, table, clock):
        """While another sweeper is at it, nothing is done."""
        flag()
        table.take_lease("another", clock.now() + 300)

        sweeping.sweep(deadline=clock.now() + 300)

        assert [] == sns.mails

    def test_out_of_time(self, sweeping, flag, sns, clock):
        """A sweep that has no time left begins no mail."""
        flag()

        sweeping.sweep(deadline=clock.now() + 29)

        assert [] == sns.mails


class TestJobs:
    def test_noted(self, sweep, table, s3control, clock):
        """How a batch job stands is noted in its scan, and when it was first seen to be over."""
        table.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"), BatchJob("two"))))
        s3control.jobs = {"one": "Active", "two": "Complete"}
        now = clock.now()

        sweep()

        expected = (BatchJob("one", "Active", 10, 7, 1), BatchJob("two", "Complete", 10, 7, 1, now))
        assert expected == table.scan(SCAN).jobs

    def test_not_too_often(self, sweeping, table, s3control, clock):
        """A batch job is asked after every half minute at most, and no more once it is over."""
        table.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Active"}
        for seconds in (10, 10, 20):
            sweeping.sweep(deadline=clock.now() + 300)
            clock.sleep(seconds)
        s3control.jobs = {"one": "Failed"}
        for _ in range(3):
            sweeping.sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert ["one", "one"] == s3control.asked

    def test_unknown(self, sweep, table, s3control, clock):
        """A job that S3 does not know counts as over since then, until S3 knows it after all."""
        table.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        now = clock.now()

        sweep(2)
        unknown = table.scan(SCAN).jobs
        s3control.jobs = {"one": "New"}
        sweep()

        assert (BatchJob("one", "NotFound", terminal_since=now),) == unknown
        assert [("New", None)] == [(job.status, job.terminal_since) for job in table.scan(SCAN).jobs]

    def test_trouble(self, sweep, table, s3control, flag, sns):
        """Trouble with batch jobs does not keep the mails back."""
        table.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": client_error("TooManyRequestsException", 400)}
        flag()

        with pytest.raises(SweepError):
            sweep()

        assert 1 == len(sns.mails)


class TestClosing:
    @pytest.fixture(name="over")
    def _over(self, table, s3control):
        """Write a scan whose only batch job is complete."""
        table.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("one"),)))
        s3control.jobs = {"one": "Complete"}

    def test_closed(self, over, sweep, table):
        """A scan closes when its jobs have been over for five minutes and two sweeps a minute apart saw nothing of it."""
        sweep(6)
        before = table.scan(SCAN).status
        sweep()

        assert (ScanStatus.OPEN, ScanStatus.CLOSED) == (before, table.scan(SCAN).status)

    def test_waiting(self, over, sweep, table):
        """A scan of which a video waits stays open, and begins to count anew after it."""
        table.register(waiting(), None)
        sweep(10)
        before = table.scan(SCAN)
        table.finish(replace(waiting(), state=State.CANCELLED, finished_at=1.0))
        sweep(1)
        between = table.scan(SCAN).status
        sweep(1)

        assert (ScanStatus.OPEN, None, ScanStatus.OPEN) == (before.status, before.waiting_empty_since, between)
        assert table.scan(SCAN).status is ScanStatus.CLOSED

    def test_appears(self, over, sweep, table):
        """Something seen between the two sweeps starts the count anew."""
        sweep(6)
        table.register(waiting(), None)
        sweep()

        assert (ScanStatus.OPEN, None) == (table.scan(SCAN).status, table.scan(SCAN).waiting_empty_since)

    def test_running(self, over, sweep, table):
        """A scan of which an analysis runs stays open."""
        table.register(waiting(), None)
        table.enter_running(waiting(), "job")

        sweep(10)

        assert table.scan(SCAN).status is ScanStatus.OPEN

    def test_mail_due(self, over, sweeping, table, flag, sns, clock):
        """A scan of which a mail cannot be sent stays open."""
        flag()
        sns.errors = [client_error("InvalidParameter")] * 10

        for _ in range(10):
            with pytest.raises(SweepError):
                sweeping.sweep(deadline=clock.now() + 300)
            clock.sleep(60)

        assert table.scan(SCAN).status is ScanStatus.OPEN

    @pytest.mark.parametrize("status", ["Active", "Suspended", "Cancelling"])
    def test_job_not_over(self, over, sweep, table, s3control, status):
        """A scan whose batch job is not over stays open."""
        s3control.jobs = {"one": status}

        sweep(10)

        assert table.scan(SCAN).status is ScanStatus.OPEN

    def test_no_job(self, sweep, table):
        """A scan that is still being submitted stays open."""
        table.put_scan(Scan(SCAN, BUCKET))

        sweep(10)

        assert table.scan(SCAN).status is ScanStatus.OPEN

    @pytest.mark.parametrize("status", [ScanStatus.PAUSED, ScanStatus.CANCELLED])
    def test_held(self, over, sweep, table, status):
        """A paused or cancelled scan stays what it is."""
        table._change_scan(SCAN, lambda scan: replace(scan, status=status))

        sweep(10)

        assert status is table.scan(SCAN).status
