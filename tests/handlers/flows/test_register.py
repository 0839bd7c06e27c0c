"""Registering: each row of the design's table for batch tasks, and what killing it anywhere costs (nothing)."""

import contextlib
import json
from dataclasses import replace

import pytest

from handlers import batch_invoke
from handlers.domain import lane_message
from handlers.domain.identity import Video
from handlers.domain.record import BatchJob, Problem, Scan
from handlers.domain.states import Lane, ScanStatus, State
from handlers.flows.register import RegisterFlow
from handlers.flows.registration import Registration
from tests.handlers.doubles import BUCKET, JOB, MP4, SCAN, are_growing_waits, batch_event, client_error, waiting

AWS_TROUBLE = ["ThrottlingException", "ProvisionedThroughputExceededException", "SlowDown"]


@pytest.fixture(name="flow")
def _flow(table, objects, queues, clock):
    return RegisterFlow(Registration(table.records, objects, queues, clock), table.scans, clock)


def answer(response):
    """Return code and text of the one result."""
    (result,) = response["results"]
    return result["resultCode"], json.loads(result["resultString"])


def record_of(table, key="a.mp4"):
    """Return the record of a key of the test bucket."""
    return table.records.record(Video(BUCKET, key).id, SCAN)


class TestNew:
    def test_waits(self, flow, table, s3, messages, clock):
        """A registered video has a WAITING record with the facts of its object and one message in the lane; its task succeeds."""
        etag = s3.put_object(Bucket=BUCKET, Key="a b+ü.mp4", Body=MP4)["ETag"].strip('"')

        code, text = answer(flow.respond(batch_event("a%20b%2B%C3%BC.mp4")))

        record = record_of(table, "a b+ü.mp4")
        assert ("Succeeded", {"state": "WAITING", "scan": SCAN}) == (code, text)
        assert (State.WAITING, etag, len(MP4)) == (record.state, record.facts.etag, record.facts.size)
        assert (JOB, clock.now(), Lane.NORMAL, 0) == (record.batch_job_id, record.queued_at, record.lane, record.attempt)
        assert [lane_message.body(record)] == [message["Body"] for message in messages()]

    def test_express(self, flow, table, s3, messages):
        """The message goes to the lane named in the job's arguments."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

        flow.respond(batch_event("a.mp4", lane="express"))

        assert (0, 1) == (len(messages(Lane.NORMAL)), len(messages(Lane.EXPRESS)))
        assert record_of(table).lane is Lane.EXPRESS

    def test_scan(self, flow, table, s3):
        """The first video writes the scan with its batch job."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

        flow.respond(batch_event("a.mp4"))

        scan = table.scans.scan(SCAN)
        assert (BUCKET, ScanStatus.OPEN, [JOB]) == (scan.bucket, scan.status, [job.id for job in scan.jobs])

    @pytest.mark.parametrize(("retry", "settled"), [("0", False), ("1", True)])
    def test_the_first_task_of_a_retry(self, flow, table, s3, retry, settled):
        """The first task of a retry job settles the scan's earlier job in the write that adds its own; another job does not."""
        table.scans.put_scan(Scan(SCAN, BUCKET, jobs=(BatchJob("earlier", "Cancelled"),)))
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

        flow.respond(batch_event("a.mp4", retry=retry))

        assert [("earlier", settled), (JOB, False)] == [(job.id, job.told) for job in table.scans.scan(SCAN).jobs]

    def test_many_tasks(self, flow, s3):
        """Each task has its own result; an invalid one does not affect the others."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

        response = flow.respond(batch_event("a.mp4", "%FF.mp4", "missing.mp4"))

        codes = [result["resultCode"] for result in response["results"]]
        assert ["Succeeded", "PermanentFailure", "PermanentFailure"] == codes

    @pytest.mark.parametrize("event", [{}, None, {"tasks": []}, {"tasks": "x", "invocationSchemaVersion": "9"}])
    def test_malformed(self, flow, event):
        """Any event gets a response."""
        response = flow.respond(event)

        assert ("PermanentFailure", []) == (response["treatMissingKeysAs"], response["results"])

    def test_overtaken(self, flow, table, s3, queues, monkeypatch):
        """A task that another one overtakes answers with the record as that one left it, which runs already."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        send = queues.send

        def overtaken(record):
            send(record)
            table.records.register(record, None)
            table.records.enter_running(record, "job")

        monkeypatch.setattr(queues, "send", overtaken)

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("Succeeded", {"state": "RUNNING", "scan": SCAN}) == (code, text)
        assert State.RUNNING is record_of(table).state


class TestUnfit:
    def test_missing(self, flow, table):
        """A missing object fails permanently, with a record, at every repetition."""
        answers = [answer(flow.respond(batch_event("a.mp4"))) for _ in range(2)]

        assert [("PermanentFailure", "missing")] * 2 == [(code, text["reason"]) for code, text in answers]
        assert (State.FAILED, "missing") == (record_of(table).state, record_of(table).problem.code)
        assert 1 == table.scans.totals(SCAN).videos[State.FAILED]

    def test_forbidden(self, flow, table, s3):
        """An unreadable object fails permanently, with a record."""
        s3.fail("head_object", client_error("403", 403))

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("PermanentFailure", "forbidden") == (code, text["reason"])
        assert record_of(table).state is State.FAILED

    def test_unreadable(self, flow, table, s3):
        """HEAD's bare 400 becomes a reason that explains it; the task succeeds, because the fault is in this object alone."""
        s3.fail("head_object", client_error("400", 400))

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("Succeeded", "unreadable") == (code, text["reason"])
        assert "SSE-C" in record_of(table).problem.message

    @pytest.mark.parametrize(
        ("stored", "reason"),
        [({"Body": b""}, "empty"), ({"Body": MP4, "StorageClass": "GLACIER"}, "archived")],
    )
    def test_ineligible(self, flow, table, s3, messages, stored, reason):
        """An object that cannot be analysed is FAILED at once, its task succeeds with the reason, and nothing is sent."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", **stored)

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("Succeeded", "FAILED", reason) == (code, text["state"], text["reason"])
        assert (reason, []) == (record_of(table).problem.code, messages())

    def test_no_video(self, flow, table, s3, messages):
        """An object that is not a video is skipped: nothing is stored or sent."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"just text")

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("Succeeded", "SKIPPED", "not-a-video") == (code, text["state"], text["reason"])
        assert (None, []) == (record_of(table), messages())


class TestAgain:
    def test_redrive(self, flow, s3, messages):
        """A repeated task sends nothing again."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

        answers = [answer(flow.respond(batch_event("a.mp4"))) for _ in range(3)]

        assert [("Succeeded", {"state": "WAITING", "scan": SCAN})] * 3 == answers
        assert 1 == len(messages())

    @pytest.mark.parametrize("state", [State.RUNNING, State.CLEAN, State.FLAGGED, State.CANCELLED])
    def test_existing(self, flow, table, s3, state):
        """The result for an existing record follows from its state; the object is not read."""
        table.records.register(replace(waiting(), state=state), None)

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("Succeeded", {"state": state.value, "scan": SCAN}) == (code, text)
        assert [] == s3.called("head_object")

    @pytest.mark.parametrize(("retry", "attempt"), [("1", 1), ("2", 2)])
    def test_retry(self, flow, table, s3, messages, retry, attempt):
        """A task of a retry job registers a failed video again with the job's attempt."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        table.records.register(waiting().as_failed(Problem("analysis-failed", "codec"), at=1.0), None)

        codes = [answer(flow.respond(batch_event("a.mp4", retry=retry)))[0] for _ in range(2)]

        record = record_of(table)
        assert ["Succeeded", "Succeeded"] == codes
        assert (State.WAITING, attempt, None) == (record.state, record.attempt, record.problem)
        assert (1, 0) == (len(messages()), table.scans.totals(SCAN).final)

    @pytest.mark.parametrize(("retry", "sent"), [("0", 0), ("1", 0), ("2", 1)])
    def test_retry_of_a_waiting_video(self, flow, table, messages, retry, sent):
        """A later retry sends the message of a waiting video once more, in case it was lost; the attempt does not change."""
        record = waiting(attempt=1, lane=Lane.EXPRESS)
        table.records.register(record, None)

        code, text = answer(flow.respond(batch_event("a.mp4", retry=retry)))

        assert ("Succeeded", "WAITING") == (code, text["state"])
        assert [lane_message.body(record)] * sent == [message["Body"] for message in messages(Lane.EXPRESS)]
        assert record == record_of(table)

    @pytest.mark.parametrize("state", [State.RUNNING, State.CLEAN, State.FLAGGED])
    def test_retry_of_what_runs_or_is_done(self, flow, table, messages, state):
        """A retry neither changes nor sends anything for a video that runs or is done."""
        record = replace(waiting(), state=state)
        table.records.register(record, None)

        flow.respond(batch_event("a.mp4", retry="1"))

        assert ([], record) == (messages(), record_of(table))

    def test_retry_of_what_is_no_video_any_more(self, flow, table, s3, messages):
        """A failed video that was replaced by another kind of file stays FAILED, with the new reason."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"just text")
        table.records.register(waiting().as_failed(Problem("forbidden", "no"), at=1.0), None)

        code, text = answer(flow.respond(batch_event("a.mp4", retry="1")))

        record = record_of(table)
        assert ("Succeeded", "FAILED", "not-a-video") == (code, text["state"], text["reason"])
        assert (State.FAILED, "not-a-video", 1) == (record.state, record.problem.code, record.attempt)
        assert ([], 1) == (messages(), table.scans.totals(SCAN).videos[State.FAILED])

    @pytest.mark.parametrize("retry", ["0", "1"])
    def test_no_retry(self, flow, table, retry):
        """A clone of the same job does not register a failed video again."""
        table.records.register(waiting(attempt=1).as_failed(Problem("analysis-failed", "codec"), at=1.0), None)

        code, text = answer(flow.respond(batch_event("a.mp4", retry=retry)))

        assert ("Succeeded", "FAILED", "analysis-failed") == (code, text["state"], text["reason"])

    def test_reopens(self, flow, table, s3, clock):
        """A registration opens a closed scan again, at most a minute after the scan was last checked."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        flow.respond(batch_event("a.mp4"))
        table.scans.close_scan(table.scans.scan(SCAN))
        clock.sleep(60)

        flow.respond(batch_event("a.mp4"))

        assert table.scans.scan(SCAN).status is ScanStatus.OPEN

    def test_scan_is_ensured_once_a_minute(self, flow, s3, dynamodb):
        """An environment checks a scan at most once a minute."""
        for key in ("a", "b", "c"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=MP4)
            flow.respond(batch_event(key))

        scans = [call for call in dynamodb.called("get_item") if call["Key"]["pk"]["S"] == "SCANS"]
        assert 1 == len(scans)


class TestTrouble:
    @pytest.mark.parametrize("code", AWS_TROUBLE)
    @pytest.mark.parametrize("operation", ["head_object", "get_object"])
    def test_passes(self, flow, table, s3, code, operation):
        """Transient errors of less than 30 s do not affect the result."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        s3.fail(operation, client_error(code), client_error("InternalError", 500))

        assert "Succeeded" == answer(flow.respond(batch_event("a.mp4")))[0]
        assert record_of(table).state is State.WAITING

    def test_lasts(self, flow, sqs, s3, clock, table):
        """Errors of 30 s and more fail the task temporarily; its repetition by S3 is harmless."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        sqs.fail("send_message", *[client_error("ServiceUnavailable", 503)] * 100)
        before = clock.now()

        code, text = answer(flow.respond(batch_event("a.mp4")))

        assert ("TemporaryFailure", "ServiceUnavailable", SCAN) == (code, text["reason"], text["scan"])
        assert 20 < clock.now() - before <= 30
        assert are_growing_waits(clock.slept, base=0.2, cap=5.0)
        assert record_of(table) is None

    def test_ours(self, flow, sqs, s3, clock):
        """Other errors are not retried, and are never raised."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        sqs.fail("send_message", client_error("AccessDenied", 403), ZeroDivisionError("a fault of ours"))

        codes = [answer(flow.respond(batch_event("a.mp4"))) for _ in range(2)]

        reasons = [(code, text["reason"]) for code, text in codes]
        assert [("TemporaryFailure", "AccessDenied"), ("TemporaryFailure", "ZeroDivisionError")] == reasons
        assert [] == clock.slept

    def test_replaced_while_looked_at(self, flow, s3, table):
        """An object that is replaced between HEAD and GET is checked again."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        s3.fail("get_object", client_error("PreconditionFailed", 412))

        assert "Succeeded" == answer(flow.respond(batch_event("a.mp4")))[0]
        assert 2 == len(s3.called("head_object"))

    def test_no_settings(self, monkeypatch):
        """A function without its settings fails its tasks temporarily, with the reason."""
        monkeypatch.delenv("TABLE_NAME", raising=False)
        batch_invoke._flow.cache_clear()

        code, text = answer(batch_invoke.handler(batch_event("a.mp4"), None))

        assert ("TemporaryFailure", "SettingsError") == (code, text["reason"])
        assert "TABLE_NAME" in text["message"]


class KilledError(BaseException):
    """Lambda ends the process; no code can catch it."""


class TestKilled:
    @pytest.mark.parametrize("calls", [1, 2, 3, 4])
    @pytest.mark.parametrize("operation", ["get_item", "put_item", "send_message", "head_object"])
    def test_anywhere(self, flow, table, s3, sqs, dynamodb, messages, operation, calls):
        """A task that is killed after any call and repeated has the same result: one WAITING record and its message."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        for client in (s3, sqs, dynamodb):
            client.die_after(operation, KilledError(), calls)
        with contextlib.suppress(KilledError):
            flow.respond(batch_event("a.mp4"))
        for client in (s3, sqs, dynamodb):
            client.live()

        code, text = answer(RegisterFlow(flow._registration, table.scans, flow._clock).respond(batch_event("a.mp4")))

        record = record_of(table)
        bodies = {message["Body"] for message in messages()}
        assert ("Succeeded", "WAITING", State.WAITING) == (code, text["state"], record.state)
        assert {lane_message.body(record)} == bodies
