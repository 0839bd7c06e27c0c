"""control_scan.py: each command, against an account in moto."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from handlers.adapters.table import MailWatch
from handlers.domain import lane_message, notice, outbox, upload
from handlers.domain.identity import Video
from handlers.domain.outbox import Due
from handlers.domain.record import BatchJob, ObjectFacts, Problem, Progress, Record, Scan
from handlers.domain.states import ScanStatus, State
from handlers.domain.watch import Watch
from tools import submit_job
from tools.control_scan import main
from tools.lib import doctor
from tools.lib.cli import ProgramContext
from tools.lib.doctor import Finding, Level

EVENTS = Path(__file__).parents[1] / "events"
BUCKET = "amzn-s3-demo-bucket"
SCAN = "01K742SG00000G40R40M30E209"
OLDER = "01K742SG000000000000000001"
JOB = "00000000-0000-4000-8000-000000000001"
TOPIC = "arn:aws:sns:us-east-1:111122223333:completions"


def control(account, *arguments, interactive=False, answer=None):
    """Run control_scan in this process and return click's result."""
    program_context = ProgramContext(
        connect=lambda _profile, _region: account.clients, clock=account.clock, interactive=interactive
    )
    return CliRunner().invoke(main, list(arguments), obj=program_context, input=answer)


def waiting(key, attempt=0):
    """Return a record that waits."""
    facts = ObjectFacts("abc", 3, None)
    return Record(Video(BUCKET, key), SCAN, State.WAITING, attempt=attempt, facts=facts, queued_at=1_760_000_000.0)


@pytest.fixture(name="scan")
def _scan(account):
    """An account with a scan of ten objects, begun an hour ago: three are done, one of them flagged, and one runs."""
    began = account.clock.now() - 3_600
    progress = (Progress(began, 0), Progress(began + 600, 1))
    account.table.scans.put_scan(Scan(OLDER, BUCKET, created_at=began - 1, objects=1, status=ScanStatus.CLOSED))
    account.table.scans.put_scan(
        Scan(SCAN, BUCKET, created_at=began, objects=10, jobs=(BatchJob(JOB, "Active"),), progress=progress)
    )
    for key, state in (("a", State.CLEAN), ("b", State.FLAGGED), ("c", State.CLEAN)):
        account.table.records.register(waiting(key), None)
        account.table.records.finish(replace(waiting(key), state=state, finished_at=1.0, duration_ms=60_000))
    account.table.records.register(waiting("d"), None)
    account.table.records.enter_running(waiting("d"), "job")
    account.table.records.register(waiting("e"), None)
    account.wire.calls.clear()
    return account


class TestStatus:
    def test_sentence(self, scan):
        """One sentence: how many of how many, what was found, what runs, and when it will be ready at the last hour's pace."""
        result = control(scan, "status")

        head, line = result.stdout.splitlines()
        assert (0, f"Scan {SCAN} of {BUCKET}") == (result.exit_code, head)
        assert line.startswith("3 of 10 done, 1 flagged, 1 running, ready about ")

    def test_what_was_left_out(self, scan):
        """What never went into the job is told beside the counts, which are those of the job."""
        scan.table.scans.put_scan(
            Scan("01K9ZZ6Q3M4T5V6W7X8Y9Z0ABD", BUCKET, created_at=1.0, objects=10, set_aside={"codec": 2, "empty": 1})
        )

        result = control(scan, "status", "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABD")
        output = json.loads(control(scan, "status", "01K9ZZ6Q3M4T5V6W7X8Y9Z0ABD", "--json").stdout)

        assert result.stdout.splitlines()[1].startswith("0 of 10 done, 0 flagged, 0 running, 3 left out as ineligible, ")
        assert (10, 0, 3) == (output["objects"], output["ineligible"], output["set_aside"])

    def test_reads_no_table(self, scan):
        """However large the scan is, only its item, totals, settings and the running analyses are read."""
        control(scan, "status", SCAN)

        reads = [params for name, params in scan.wire.calls if name in ("Query", "Scan", "BatchGetItem")]
        assert ({"Query"}, False) == (
            {name for name, _ in scan.wire.calls if name in ("Query", "Scan", "BatchGetItem")},
            any("IndexName" in params for params in reads),
        )
        assert [] == scan.wire.writes

    def test_json(self, scan):
        """The same as numbers; three videos in an hour leave seven for two hours and a third."""
        status = json.loads(control(scan, "status", "--json").stdout)

        assert (10, 3, 1, 18, 3.0) == (
            status["objects"],
            status["done"],
            status["running"],
            status["slots"],
            status["videos_per_hour"],
        )
        assert status["ready_at"] == pytest.approx(scan.clock.now() + 7 * 1_200)

    def test_objects_that_are_no_videos(self, scan):
        """Once the job is over and nothing waits, what has no record is not awaited any more: it is told, and the rest runs."""
        job = BatchJob(JOB, "Complete", 10, 9, 1, terminal_since=scan.clock.now())
        scan.table.scans.note_jobs(SCAN, (job,))
        before = json.loads(control(scan, "status", "--json").stdout)
        scan.table.scans.note_waiting_empty(SCAN, scan.clock.now())
        after = json.loads(control(scan, "status", "--json").stdout)

        assert (None, 7) == (before["without_record"], before["to_come"])
        assert (6, 1) == (after["without_record"], after["to_come"])
        assert after["line"].startswith(
            "3 of 10 done, 1 flagged, 6 without record (not videos, or failed tasks), 1 running, ready about "
        )
        assert after["ready_at"] == pytest.approx(scan.clock.now() + 1_200)

    def test_ineligible(self, scan):
        """What could not be analysed as it is is not counted as failed."""
        scan.table.records.register(waiting("f").as_failed(Problem("empty", "0 bytes"), at=1.0), None)
        scan.table.records.register(waiting("g").as_failed(Problem("forbidden", "no"), at=1.0), None)

        assert (
            control(scan, "status").stdout.splitlines()[1].startswith("5 of 10 done, 1 flagged, 1 failed, 1 ineligible, 1 running")
        )

    @pytest.mark.parametrize(
        ("act", "message"),
        [
            (lambda table: table.scans.pause_scan(SCAN, "by a test"), "the scan is paused (by a test)"),
            (
                lambda table: table.control.pause("circuit breaker", "AccessDenied: no"),
                "paused by circuit breaker: AccessDenied: no",
            ),
            (lambda table: table.scans.close_scan(table.scans.scan(SCAN)), "the scan is closed"),
        ],
    )
    def test_nothing_moves(self, scan, act, message):
        """Whoever looks at a scan that does not move sees why."""
        act(scan.table)

        assert message in control(scan, "status").stdout

    @pytest.mark.parametrize(
        ("job_status", "ended", "says"),
        [("Failed", "its batch job failed", "has failed"), ("Cancelled", "its batch job was cancelled", "was cancelled")],
    )
    def test_broken_job(self, scan, job_status, ended, says):
        """A batch job that broke while nothing waited is shown: that, why, how far it got, and what to do."""
        job = BatchJob(JOB, job_status, 10, 1, 3, 1.0, told=True, reasons=("JobFailed: More than 50% of tasks \x1bfailed.",))
        scan.table.scans.note_jobs(SCAN, (job,))
        scan.table.scans.note_waiting_empty(SCAN, 1.0)
        scan.table.scans.close_scan(scan.table.scans.scan(SCAN))

        shown = control(scan, "status", SCAN, "--stack", "VideoModeration").stdout.splitlines()
        listed = control(scan, "list").stdout
        output = json.loads(control(scan, "status", SCAN, "--json").stdout)

        warning = (
            f"Batch job {JOB} {says} before it had attempted every object (4 of 10 were, 3 failed): "
            "JobFailed: More than 50% of tasks \\x1bfailed. "
            f"Fix the cause; `python tools/review_report.py retry --scan {SCAN}` then scans what it never got to."
        )
        assert f"Warning: {warning}" == shown[2]
        assert "6 without record (not videos, or failed tasks, or not reached by their batch job)" in shown[1]
        assert shown[1].endswith(f"the scan is closed, {ended}")
        assert ended in listed
        assert [warning] == output["warnings"]
        assert [(job_status, list(job.reasons))] == [(one["status"], one["reasons"]) for one in output["jobs"]]

    def test_broken_job_of_a_paused_scan(self, scan):
        """Where videos wait, the scan is paused: the warning says how to go on or to end it."""
        scan.table.scans.note_jobs(SCAN, (BatchJob(JOB, "Failed", 10, 1, 3, 1.0),))
        scan.table.scans.pause_broken_scan(SCAN, frozenset({JOB}), f"its batch job {JOB} is failed")

        (warning,) = json.loads(control(scan, "status", SCAN, "--json").stdout)["warnings"]

        assert "no reason is known. What it had registered waits: `python tools/control_scan.py resume" in warning

    @pytest.mark.parametrize(("job_status", "warnings"), [("Cancelled", 0), ("Failed", 1)])
    def test_broken_job_of_a_cancelled_scan(self, scan, job_status, warnings):
        """A job that was cancelled with its scan ended as it was meant to; one that failed before is shown."""
        scan.table.scans.note_jobs(SCAN, (BatchJob(JOB, job_status, 10, 1, 3, 1.0),))
        scan.table.scans.cancel_scan(SCAN, "by a test")

        found = json.loads(control(scan, "status", SCAN, "--json").stdout)["warnings"]

        assert ["Submit what is missing as a new scan."] * warnings == [warning[-37:] for warning in found]

    @pytest.mark.parametrize("later", ["New", "Active", "Complete"])
    def test_broken_job_that_was_retried(self, scan, later):
        """Once a retry has taken up what a broken job never came to, nothing is left to do about it."""
        scan.table.scans.note_jobs(SCAN, (BatchJob(JOB, "Failed", 10, 1, 3, 1.0),))
        scan.table.scans.add_job(SCAN, "retry", retry=True)
        scan.table.scans.note_jobs(SCAN, (BatchJob("retry", later),))

        assert [] == json.loads(control(scan, "status", SCAN, "--json").stdout)["warnings"]

    def test_broken_retry(self, scan):
        """A retry whose job broke as well is shown beside the first."""
        scan.table.scans.note_jobs(SCAN, (BatchJob(JOB, "Failed", 10, 1, 3, 1.0),))
        scan.table.scans.add_job(SCAN, "retry", retry=True)
        scan.table.scans.note_jobs(SCAN, (BatchJob("retry", "Cancelled"),))

        found = json.loads(control(scan, "status", SCAN, "--json").stdout)["warnings"]

        assert [f"Batch job {JOB} has failed", "Batch job retry was cancelled"] == [
            warning.partition(" before ")[0] for warning in found
        ]

    @pytest.mark.parametrize(("lost", "warned"), [(1, False), (11, False), (12, True)])
    def test_lost_notices(self, scan, lost, warned):
        """From twelve results on that came without a notice, their number is shown, with what that means and what to do."""
        for _ in range(lost):
            scan.table.scans.count_handed_over(SCAN)

        output = json.loads(control(scan, "status", SCAN, "--json").stdout)

        assert warned == (f"1 running, {lost} fetched without a notice, " in output["line"])
        assert (lost, warned) == (output["handed_over"], bool(output["warnings"]))
        assert not warned or f"the sweeper had to ask for {lost} results; 3 videos are final. Look at" in output["warnings"][0]

    def test_no_one_is_mailed(self, scan):
        """That the mails reach no one is said of every scan that it concerns, with the command that repairs it."""
        now = scan.clock.now()
        scan.table.control.note_mail(MailWatch(reached=True, none_since=now - 60))

        output = json.loads(control(scan, "status", SCAN, "--json").stdout)

        (warning,) = output["warnings"]
        assert warning.startswith("No one has been mailed since 2025-10-09 08:52 UTC: ")
        assert "`aws sns subscribe --protocol email --notification-endpoint ADDRESS --topic-arn arn:aws:sns:us-east-1:" in warning

    @pytest.mark.parametrize(
        ("since", "until", "mails", "closed", "warned"),
        [
            (-60, None, 0, -90, False),
            (-60, None, 0, -30, True),
            (-60, -30, 3, None, True),
            (-60, -30, 0, None, False),
            (-60, -30, 3, -90, False),
            (-8_000, -7_500, 3, None, False),
        ],
    )
    def test_no_one_was_mailed(self, scan, since, until, mails, closed, warned):
        """A time without subscribers is said of scans that were open then, and once it is over, of those that sent mails."""
        now = scan.clock.now()
        at = {"none_since": now + since, "none_until": None if until is None else now + until}
        status, closed_at = (ScanStatus.OPEN, None) if closed is None else (ScanStatus.CLOSED, now + closed)
        other = Scan("other", BUCKET, created_at=now - 7_200, closed_at=closed_at, mails_sent=mails)
        scan.table.scans.put_scan(replace(other, status=status))
        scan.table.control.note_mail(MailWatch(reached=True, **at))

        assert warned == bool(json.loads(control(scan, "status", "other", "--json").stdout)["warnings"])

    def test_watch(self, scan):
        """Watching ends with the scan, and says how it ended."""
        scan.clock.planned = [lambda: None, lambda: scan.table.scans.close_scan(scan.table.scans.scan(SCAN))]

        result = control(scan, "status", "--watch")

        assert ([30.0, 30.0], 0) == (scan.clock.sleeps, result.exit_code)
        assert result.stdout.endswith("the scan is closed\n")

    @pytest.mark.slow
    def test_too_early(self, account):
        """Before the first video is final the time of the last one is unknown."""
        account.table.scans.put_scan(Scan(SCAN, BUCKET, created_at=account.clock.now(), objects=10))

        assert "0 of 10 done, 0 flagged, 0 running, finishing time not known yet" in control(account, "status").stdout

    def test_list(self, scan):
        """All scans, the newest first."""
        lines = control(scan, "list").stdout.splitlines()

        assert [SCAN, OLDER] == [line.split()[0] for line in lines]

    @pytest.mark.parametrize("arguments", [["status"], ["status", OLDER], ["cancel", OLDER, "--yes"]])
    def test_no_scan(self, account, arguments):
        """A scan that is not there is said so, with the cure."""
        result = control(account, *arguments)

        assert (1, "") == (result.exit_code, result.stdout)
        assert "There is no scan" in result.stderr
        assert "Cure:  Submit one with submit_job.py." in result.stderr


class TestPauseAndCancel:
    def test_pause_and_resume_a_scan(self, scan):
        """A paused scan is named as such, and when it goes on its messages are to be sent again."""
        paused = control(scan, "pause", SCAN)
        between = scan.table.scans.scan(SCAN)
        resumed = control(scan, "resume", SCAN)

        after = scan.table.scans.scan(SCAN)
        assert (0, 0) == (paused.exit_code, resumed.exit_code)
        assert f"python tools/control_scan.py resume {SCAN}" in paused.stdout
        assert (ScanStatus.PAUSED, ScanStatus.OPEN, True) == (between.status, after.status, after.resend_due)

    def test_pause_and_resume_everything(self, scan):
        """Without a scan all starting is meant; the settings name who paused."""
        control(scan, "pause")
        paused = scan.table.control.settings()
        control(scan, "resume")

        assert (True, True, False) == (paused.paused, bool(paused.paused_by), scan.table.control.settings().paused)

    def test_twice(self, scan):
        """Doing it twice is doing it once."""
        results = [control(scan, *words) for words in (["pause", SCAN], ["pause", SCAN], ["resume", SCAN], ["resume", SCAN])]

        assert [0] * 4 == [result.exit_code for result in results]

    @pytest.mark.parametrize("word", ["pause", "resume"])
    def test_closed(self, scan, word):
        """What is over can be neither paused nor resumed, and the error says what it is."""
        result = control(scan, word, OLDER)

        verb = {"pause": "paused", "resume": "resumed"}[word]
        assert (1, True) == (result.exit_code, f"cannot be {verb}: it is closed" in result.stderr)

    def test_slots(self, scan):
        """The number of slots is set; at the quota the message says that only Rekognition limits it."""
        results = [control(scan, "slots", number) for number in ("10", "20")]

        assert ([0, 0], 20) == ([result.exit_code for result in results], scan.table.control.settings().slots)
        assert "only Rekognition's own refusal limits it" in results[1].stdout

    @pytest.mark.parametrize(("number", "code"), [("21", 1), ("0", 2), ("many", 2)])
    def test_wrong_slots(self, scan, number, code):
        """More than the account has, and what is not a number, changes nothing."""
        assert (code, None) == (control(scan, "slots", number).exit_code, scan.table.control.settings())


class TestCancel:
    @pytest.fixture(name="jobs", autouse=True)
    def _jobs(self, scan):
        scan.wire.answer("UpdateJobStatus", lambda params: {"JobId": params["JobId"], "Status": "Cancelling"})

    @pytest.mark.slow
    def test_agreed(self, scan):
        """Scan and batch job are cancelled, the scan first."""
        result = control(scan, "cancel", SCAN, "--yes")

        (call,) = scan.wire.of("UpdateJobStatus")
        assert (0, ["TransactWriteItems", "UpdateJobStatus"]) == (result.exit_code, scan.wire.writes)
        assert (JOB, "Cancelled") == (call["JobId"], call["RequestedJobStatus"])
        assert ScanStatus.CANCELLED is scan.table.scans.scan(SCAN).status

    @pytest.mark.parametrize(("answer", "status"), [("n\n", ScanStatus.OPEN), ("y\n", ScanStatus.CANCELLED)])
    def test_asks(self, scan, answer, status):
        """It asks before it destroys."""
        control(scan, "cancel", SCAN, interactive=True, answer=answer)

        assert status is scan.table.scans.scan(SCAN).status

    def test_without_a_terminal(self, scan):
        """Without a terminal --yes is required."""
        result = control(scan, "cancel", SCAN)

        assert (2, ScanStatus.OPEN) == (result.exit_code, scan.table.scans.scan(SCAN).status)

    def test_unknown_scan_without_a_terminal(self, scan):
        """A scan that there is not is named, terminal or not."""
        result = control(scan, "cancel", "01K742SG00000G40R40M30E2ZZ")

        assert 1 == result.exit_code
        assert "There is no scan 01K742SG00000G40R40M30E2ZZ" in result.stderr

    @pytest.mark.parametrize("code", ["JobStatusException", "NotFoundException"])
    def test_job_over(self, scan, errors, code):
        """A job that is over, or that S3 has forgotten, is nothing to cancel."""
        scan.wire.answer("UpdateJobStatus", lambda _: errors.http(code, 400))

        result = control(scan, "cancel", SCAN, "--yes", "--json")

        assert (0, []) == (result.exit_code, json.loads(result.stdout)["cancelled_jobs"])


class TestRedrive:
    @pytest.fixture(name="events", autouse=True)
    def _events(self, account):
        """Keep the events that completion is invoked with."""
        events = []

        def invoke(params):
            assert (params["FunctionName"], params["InvocationType"]) == (
                "arn:aws:lambda:us-east-1:111122223333:function:completion",
                "Event",
            )
            events.append(json.loads(params["Payload"]))
            return {"StatusCode": 202}

        account.wire.answer("Invoke", invoke)
        return events

    def put(self, account, queue, body):
        """Put a letter into a queue."""
        account.sqs.send_message(QueueUrl=account.dead_letters[queue], MessageBody=body)

    def left(self, account):
        """Return how many letters each queue holds, hidden ones too."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return {
            name: sum(
                int(value) for value in account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
            )
            for name, url in account.dead_letters.items()
        }

    def test_function(self, account, events):
        """An event that completion failed on is handed to it again as it was."""
        event = notice.as_event("a" * 64, TOPIC, 1.0)
        self.put(account, "CompletionDeadLetters", json.dumps(event))

        result = control(account, "redrive")

        assert (0, [event]) == (result.exit_code, events)
        assert {0} == set(self.left(account).values())
        assert "Dead letters processed: 1 function." in result.stdout

    def test_subscription(self, account, events):
        """A notice that could not be delivered is handed over in the form in which SNS would have."""
        envelope = notice.as_event("b" * 64, TOPIC, 1.0)["Records"][0]["Sns"]
        self.put(account, "UndeliveredNotices", json.dumps(envelope))

        control(account, "redrive")

        (event,) = events
        assert ("b" * 64,) == notice.parse_event(event, TOPIC).job_ids

    @pytest.mark.parametrize("queue", ["NormalDeadLetters", "ExpressDeadLetters"])
    def test_lane(self, scan, events, queue):
        """A dead message has the waiting videos of its scan sent again by the sweeper."""
        for key in ("e", "f"):
            self.put(scan, queue, lane_message.body(waiting(key)))

        result = control(scan, "redrive", "--json")

        assert (2, True) == (json.loads(result.stdout)["done"]["lane"], scan.table.scans.scan(SCAN).resend_due)
        assert ([], {0}) == (events, set(self.left(scan).values()))

    def test_sweep(self, account, events):
        """A sweep that failed needs nothing any more."""
        self.put(account, "SweeperDeadLetters", "{}")

        assert (0, 0, []) == (control(account, "redrive").exit_code, self.left(account)["SweeperDeadLetters"], events)

    @pytest.mark.parametrize("queue", ["NormalDeadLetters", "CompletionDeadLetters", "UndeliveredNotices"])
    def test_foreign(self, account, events, queue):
        """What cannot be read stays where it is, and is said."""
        self.put(account, queue, "[1]")

        result = control(account, "redrive")

        assert (3, 1, []) == (result.exit_code, self.left(account)[queue], events)
        assert "1 dead letter could not be understood" in result.stdout

    @pytest.mark.parametrize(
        "body",
        [
            (EVENTS / "eventbridge_object_created.json").read_text("utf-8"),
            upload.compared_body(upload.Upload(BUCKET, "é +%.mp4", None, "abc", 3, 1.0)),
            upload.retry_body(waiting("e"), 1),
        ],
        ids=["event", "comparison", "retry"],
    )
    def test_upload(self, account, body):
        """A message about an upload, be it an event that EventBridge could not deliver, goes to its queue as it is."""
        urls = account.deploy_watching(Watch(BUCKET))
        account.sqs.send_message(QueueUrl=urls["UploadsDeadLetters"], MessageBody=body)

        result = control(account, "redrive", "--stack", "Watching", "--json")

        assert (0, 1) == (result.exit_code, json.loads(result.stdout)["done"]["upload"])
        (message,) = account.sqs.receive_message(QueueUrl=urls["Uploads"])["Messages"]
        assert body == message["Body"]
        assert "Messages" not in account.sqs.receive_message(QueueUrl=urls["UploadsDeadLetters"], VisibilityTimeout=0)

    @pytest.mark.parametrize("body", ["[1]", "", '{"source": "aws.s3", "detail-type": "Object Deleted"}', '{"source": "mine"}'])
    def test_no_upload(self, account, body):
        """What is no message about an upload stays where it is, and is said."""
        urls = account.deploy_watching(Watch(BUCKET))
        account.sqs.send_message(QueueUrl=urls["UploadsDeadLetters"], MessageBody=body or " ")

        result = control(account, "redrive", "--stack", "Watching", "--json")

        assert (3, 1) == (result.exit_code, json.loads(result.stdout)["left"])
        assert "Messages" not in account.sqs.receive_message(QueueUrl=urls["Uploads"])

    @pytest.mark.parametrize(("body", "left"), [(outbox.body(Due("a" * 32, SCAN, "t")), 0), ("[1]", 1)])
    def test_consequences(self, account, body, left):
        """A message about consequences needs nothing, as the item stays in the outbox; what is no such message is left."""
        url = account.sqs.create_queue(QueueName="outbox-dead-letters")["QueueUrl"]
        account.deploy("Consequences", OutboxQueueUrl="https://sqs.invalid/outbox", OutboxDeadLettersUrl=url)
        account.sqs.send_message(QueueUrl=url, MessageBody=body)

        result = control(account, "redrive", "--stack", "Consequences", "--json")

        printed = json.loads(result.stdout)
        assert (3 if left else 0, 1 - left, left) == (result.exit_code, printed["done"]["outbox"], printed["left"])

    @pytest.mark.parametrize("body", [{"TopicArn": TOPIC}, {"Message": "{}"}, {}])
    def test_half_an_envelope(self, account, events, body):
        """What SNS did not write is not delivered in its place: it stays where it is."""
        self.put(account, "UndeliveredNotices", json.dumps(body))

        result = control(account, "redrive", "--json")

        assert (3, 1, []) == (result.exit_code, json.loads(result.stdout)["left"], events)

    def test_many(self, account, events):
        """More letters than one answer of SQS holds."""
        for number in range(23):
            self.put(account, "CompletionDeadLetters", json.dumps(notice.as_event(f"{number:064}", TOPIC, 1.0)))

        control(account, "redrive")

        assert 23 == len(events)
        assert 4 == sum("CompletionDeadLetters" in call["QueueUrl"] for call in account.wire.of("ReceiveMessage"))


class TestDoctor:
    """The same look as `submit_job.py --check`, without a scan in mind."""

    @pytest.fixture(name="looks")
    def _looks(self, account, monkeypatch):
        """A function that runs both programs with a doctor who finds this, and returns their results and what each looked at."""

        def run(found, *arguments):
            cases = []

            def check(case):
                cases.append((case.bucket, case.prefixes, case.unconfirmed_mail, case.deployment))
                return found

            monkeypatch.setattr(doctor, "CHECKS", (("mail", check),))
            machine = ProgramContext(connect=lambda _profile, _region: account.clients, clock=account.clock, interactive=False)
            checked = CliRunner().invoke(submit_job.main, ["--check", *arguments], obj=machine)
            examined = CliRunner().invoke(main, ["doctor", *arguments], obj=machine)
            return checked, examined, cases

        return run

    @pytest.mark.slow
    @pytest.mark.parametrize(("level", "code"), [(Level.OK, 0), (Level.WARNING, 0), (Level.STOP, 1)])
    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_same_as_the_check(self, looks, level, code, form):
        """Both look at the same, say the same and end with the same exit code."""
        arguments = ["--bucket", BUCKET, "--prefix", "b/", "--prefix", "a/", "--prefix", "a/1/", "--unconfirmed-mail", *form]

        checked, examined, (first, second) = looks((Finding(level, "a finding", "a cure"),), *arguments)

        assert first == second
        assert ((BUCKET, ("a/", "b/"), True)) == second[:3]
        assert (code, checked.stdout, checked.stderr) == (examined.exit_code, examined.stdout, examined.stderr)
        assert "a cure" in examined.stdout

    @pytest.mark.slow
    def test_looks_for_real(self, account, errors):
        """Without a double the real checks are made, and nothing is changed."""
        account.wire.answer("ListServiceQuotas", lambda _: errors.http("AccessDenied", 403))  # moto has no answer

        result = control(account, "doctor", "--bucket", BUCKET, "--json")

        subjects = {finding["subject"] for finding in json.loads(result.stdout)["findings"]}
        assert {"bucket", "table", "mail", "rekognition quota"} <= subjects
        assert [] == account.wire.writes

    def test_needs_a_bucket(self, account):
        """What is to be scanned must be named."""
        assert 2 == control(account, "doctor").exit_code


def test_help_has_examples():
    """Each command says how it is called."""
    for names in (*((name,) for name in main.commands), *(("watch", name) for name in main.commands["watch"].commands)):
        shown = CliRunner().invoke(main, [*names, "--help"]).output

        assert f"python tools/control_scan.py {' '.join(names)}" in shown
        assert "Exit codes:" in shown
