"""Starting: slots, pace, pauses, and each row of the design's table for Start."""

import json
from dataclasses import replace

import pytest

from handlers.adapters.objects import ObjectStore
from handlers.adapters.rekognition import AnalysisStarter
from handlers.adapters.table import DayUsedUpError
from handlers.domain import lane_message, watch
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Problem, Scan, Settings, StartParameters
from handlers.domain.states import Lane, ScanStatus, State
from handlers.domain.watch import Watch
from handlers.flows.breaker import Breaker
from handlers.flows.lane_events import LaneEventsFlow
from handlers.flows.start import StartFlow, StartSettings
from handlers.flows.start_rules import Limits
from tests.handlers.doubles import (
    ACCOUNT,
    BUCKET,
    COMPLETIONS,
    MP4,
    ROLE,
    SCAN,
    client_error,
    time_out,
    waiting,
)

DAY = 86_400
SIX_HOURS = 6 * 3_600_000


class Lanes:
    """Registers videos, and invokes the starter with their messages."""

    def __init__(self, table, objects, queues, sqs, urls, s3, clock, rekognition):
        self.table, self.objects, self.queues = table, objects, queues
        self.sqs, self.urls, self.s3, self.clock, self.rekognition = sqs, urls, s3, clock, rekognition
        self.table.scans.put_scan(Scan(SCAN, BUCKET))
        self.environment()

    def environment(self, slots=18, account_jobs=20, min_confidence=50.0, watched=()):
        """Start a new environment of the function."""
        watches = {each.bucket: each for each in watched}
        settings = StartSettings(COMPLETIONS, ROLE, min_confidence, Limits(slots, account_jobs), watches)
        starter = AnalysisStarter(self.rekognition)
        start_flow = StartFlow(
            self.table.records, Breaker(self.table.control), self.table.watches, self.objects, starter, self.clock, settings
        )
        self.flow = LaneEventsFlow(start_flow, self.queues, self.clock)

    def register(self, key="a.mp4", body=MP4, **fields):
        """Store an object, and register it with its message in the normal lane."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        record = waiting(key, **fields)
        self.queues.send(record)
        self.table.records.register(record, None)
        return record

    def receive(self):
        """Receive one message as the event source mapping does, or None."""
        answer = self.sqs.receive_message(QueueUrl=self.urls[Lane.NORMAL], AttributeNames=["ApproximateReceiveCount"])
        return answer.get("Messages", [None])[0]

    def invoke(self, message, seconds=900, receives=None):
        """Invoke the function with a message; return whether it was deferred, and for how long it is hidden."""
        count = receives or message["Attributes"]["ApproximateReceiveCount"]
        entry = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": str(count)},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:stack-normal",
        }
        response = self.flow.respond({"Records": [entry]}, deadline=self.clock.now() + seconds)
        hides = [call["VisibilityTimeout"] for call in self.sqs.called("change_message_visibility")]
        back = [item["itemIdentifier"] for item in response["batchItemFailures"]]
        assert back in ([], [message["MessageId"]])
        return hides[-1] if back else None

    def run(self, **fields):
        """Receive one message and invoke the function with it."""
        return self.invoke(self.receive(), **fields)

    def record(self, key="a.mp4"):
        """Return the record of a key."""
        return self.table.records.record(waiting(key).video.id, SCAN)


@pytest.fixture(name="lanes")
def _lanes(table, objects, queues, sqs, urls, s3, clock, rekognition):
    return Lanes(table, objects, queues, sqs, urls, s3, clock, rekognition)


class TestStart:
    def test_started(self, lanes, rekognition, clock):
        """A waiting video is started with token, tag and channel, and runs."""
        record = lanes.register("ü b.mp4")
        began = clock.now()

        deferred = lanes.run()

        (start,) = rekognition.starts
        now = lanes.record("ü b.mp4")
        assert deferred is None
        assert (State.RUNNING, "0" * 64, began) == (now.state, now.rekognition_job_id, now.start_tried_at)
        assert {
            "Video": {"S3Object": {"Bucket": BUCKET, "Name": "ü b.mp4"}},
            "MinConfidence": 50.0,
            "ClientRequestToken": record.analysis.token,
            "JobTag": record.analysis.tag,
            "NotificationChannel": {"SNSTopicArn": COMPLETIONS, "RoleArn": ROLE},
        } == start

    def test_hidden_first(self, lanes, sqs):
        """First of all, its message is hidden for the rest of the invocation and 30 s."""
        lanes.register()

        lanes.run(seconds=800)

        assert [830] == [call["VisibilityTimeout"] for call in sqs.called("change_message_visibility")]

    def test_version_pinned(self, lanes, rekognition, s3):
        """In a versioned bucket, the version that was checked is analysed."""
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        lanes.register()
        version = s3.head_object(Bucket=BUCKET, Key="a.mp4")["VersionId"]

        lanes.run()

        assert version == rekognition.starts[0]["Video"]["S3Object"]["Version"] == lanes.record().start.version_id

    def test_changed(self, lanes):
        """A video that was replaced since it was registered is analysed as it is now, and marked."""
        lanes.register()

        lanes.run()

        assert lanes.record().changed_during_scan
        assert lanes.record().facts.size == len(MP4)

    @pytest.mark.parametrize("versioned", [False, True])
    def test_superseded(self, lanes, rekognition, versioned):
        """An upload that the same bytes replaced on another day is not paid for twice; a version may be current again one day."""
        etag = lanes.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)["ETag"].strip('"')
        version = None
        if versioned:
            lanes.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
            version = lanes.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)["VersionId"]
        video = Video(BUCKET, "a.mp4", version, None if versioned else etag)
        record = replace(waiting(), video=video, superseded_at=lanes.clock.now())
        lanes.queues.send(record)
        lanes.table.records.register(record, None)

        lanes.run()

        now = lanes.table.records.record(video.id, SCAN)
        assert (State.RUNNING if versioned else State.FAILED) is now.state
        assert (None if versioned else "superseded") == (now.problem and now.problem.code)
        assert int(versioned) == len(rekognition.starts)

    def test_superseded_and_put_again_meanwhile(self, lanes, rekognition):
        """An upload that is put again while a starter takes it for superseded is not lost: it is started next time."""
        etag = lanes.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)["ETag"].strip('"')
        video = Video(BUCKET, "a.mp4", None, etag)
        superseded = replace(waiting(), video=video, superseded_at=lanes.clock.now(), put_at=1.0)
        lanes.queues.send(superseded)
        lanes.table.records.register(superseded, None)
        look = lanes.objects.look

        def put_again(*asked):
            lanes.objects.look = look
            lanes.table.records.note_put_again(superseded, 2.0)
            return look(*asked)

        lanes.objects.look = put_again
        message = lanes.receive()
        lanes.invoke(message)
        before = lanes.table.records.record(video.id, SCAN)
        lanes.invoke(message)

        assert (State.WAITING, None) == (before.state, before.superseded_at)
        assert State.RUNNING is lanes.table.records.record(video.id, SCAN).state
        assert 1 == len(rekognition.starts)

    def test_pace(self, lanes, rekognition):
        """Starts of one environment are a second apart, also across invocations."""
        for number in range(3):
            lanes.register(f"{number}.mp4")

        for _ in range(3):
            lanes.run()

        first, second, third = rekognition.start_times
        assert (second - first >= 1, third - second >= 1) == (True, True)

    def test_twice(self, lanes, rekognition):
        """A message that comes twice starts its video once."""
        record = lanes.register()
        lanes.queues.send(record)

        deferred = [lanes.run(), lanes.run()]

        assert [None, None] == deferred
        assert (1, None) == (len(rekognition.starts), lanes.receive())


class TestMessages:
    @pytest.mark.parametrize("body", ["", "no JSON", "[]", "{}", json.dumps({"bucket": "b", "key": "k"})])
    def test_unintelligible(self, lanes, sqs, urls, body, caplog):
        """An invalid message is dropped, and logged as an alarm."""
        sqs.send_message(QueueUrl=urls[Lane.NORMAL], MessageBody=body or " ")

        assert lanes.run() is None
        assert ["ERROR"] == [entry.levelname for entry in caplog.records]

    @pytest.mark.parametrize("receives", [1, 20])
    def test_no_record_yet(self, lanes, queues, receives):
        """A message without a record is deferred for 30 s."""
        queues.send(waiting())

        assert 30 == lanes.run(receives=receives)

    def test_never_a_record(self, lanes, queues):
        """A message whose record never comes is finally dropped: its task failed."""
        queues.send(waiting())

        assert lanes.run(receives=21) is None

    def test_lower_attempt(self, lanes, queues, rekognition):
        """A message of a later attempt than its record's is deferred until the record is written."""
        lanes.register()
        message = {**lanes.receive(), "Body": lane_message.body(waiting(attempt=1))}

        assert 30 == lanes.invoke(message)
        assert [] == rekognition.starts

    def test_higher_attempt(self, lanes, rekognition):
        """A message of an earlier attempt than its record's is dropped."""
        lanes.register(attempt=1)
        message = {**lanes.receive(), "Body": lane_message.body(waiting())}

        assert lanes.invoke(message) is None
        assert [] == rekognition.starts

    @pytest.mark.parametrize("state", [State.RUNNING, State.CLEAN, State.FAILED, State.CANCELLED])
    def test_not_waiting(self, lanes, rekognition, state, table, queues):
        """A message whose record does not wait is dropped."""
        record = replace(waiting(), state=state)
        table.records.register(record, None)
        queues.send(record)

        assert lanes.run() is None
        assert [] == rekognition.starts

    @pytest.mark.parametrize("event", [None, {}, {"Records": []}, {"Records": "x"}])
    def test_no_event(self, lanes, event):
        """An event that is not from SQS defers nothing."""
        assert {"batchItemFailures": []} == lanes.flow.respond(event, deadline=lanes.clock.now() + 900)

    def test_trouble(self, lanes, dynamodb):
        """An error of the table defers the message, and is not raised."""
        lanes.register()
        dynamodb.fail("batch_get_item", client_error("AccessDeniedException"))

        assert 30 == lanes.run()
        assert lanes.record().state is State.WAITING


class TestFullAccount:
    @pytest.mark.parametrize("code", ["LimitExceededException", "ThrottlingException", "ProvisionedThroughputExceededException"])
    def test_waits_in_place(self, lanes, rekognition, clock, code):
        """While the account is full the starter waits in place, a second or two at a time."""
        lanes.register()
        rekognition.refuse_starts.extend([client_error(code)] * 5)

        deferred = lanes.run()

        gaps = [later - sooner for sooner, later in zip(rekognition.start_times, rekognition.start_times[1:], strict=False)]
        assert (None, State.RUNNING) == (deferred, lanes.record().state)
        assert all(1 <= gap <= 2 for gap in gaps)
        assert [rekognition.starts[0]] * 6 == rekognition.starts

    def test_defers(self, lanes, rekognition, clock):
        """A starter whose time runs out withdraws its note, and defers its message for a second."""
        lanes.register()
        rekognition.refuse_starts.extend([client_error("LimitExceededException")] * 2_000)
        began = clock.now()

        deferred = lanes.run(seconds=100)

        now = lanes.record()
        assert (1, State.WAITING, None, None) == (deferred, now.state, now.start_tried_at, now.start)
        assert 30 < clock.now() - began < 50

    @pytest.mark.parametrize(("seconds", "starts"), [(60.999, 1), (61.0, 2), (62.0, 3)])
    def test_until_when_it_waits(self, lanes, rekognition, monkeypatch, seconds, starts):
        """A starter waits for a second or two as long as it has a minute left after that."""
        waits = []
        monkeypatch.setattr("handlers.flows.start.jitter", lambda *bounds: waits.append(bounds) or 1.0)
        lanes.register()
        rekognition.refuse_starts.extend([client_error("LimitExceededException")] * 9)

        assert 1 == lanes.run(seconds=seconds)
        assert (starts, {(1.0, 2.0)}) == (len(rekognition.starts), set(waits))

    def test_cancelled_meanwhile(self, lanes, rekognition, table):
        """A video is not started if its scan is cancelled while the starter waits."""
        lanes.register()
        rekognition.refuse_starts.append(client_error("LimitExceededException"))
        start = rekognition.start_content_moderation

        def cancelled(**parameters):
            table.scans._change_scan(SCAN, lambda scan: replace(scan, status=ScanStatus.CANCELLED))
            return start(**parameters)

        rekognition.start_content_moderation = cancelled

        assert lanes.run() is None
        assert (1, None) == (len(rekognition.starts), lanes.record().start_tried_at)


class TestSlots:
    @pytest.mark.parametrize(("slots", "running", "starts"), [(2, 1, 1), (2, 2, 0), (0, 0, 0), (5, 5, 1), (5, 9, 1), (5, 10, 0)])
    def test_count(self, lanes, table, rekognition, slots, running, starts):
        """Below the quota (5) our count decides; at the quota Rekognition does, and our count stops at twice the quota."""
        lanes.environment(slots=slots, account_jobs=5)
        for number in range(running):
            table.records.register(waiting(f"{number}.mp4"), None)
            table.records.enter_running(waiting(f"{number}.mp4"), f"job {number}")
        lanes.register()

        deferred = lanes.run(seconds=70)

        assert starts == len(rekognition.starts)
        assert deferred == (None if starts else 1)

    @pytest.mark.parametrize(("slots", "running"), [(1, 0), (2, 0), (2, 1), (3, 0), (4, 1)])
    def test_four_starters(self, lanes, table, rekognition, monkeypatch, slots, running):
        """Four starters that count the slots at the same moment use no more than there are, and some use those that are free."""
        lanes.environment(slots=slots)
        for number in range(running):
            table.records.register(waiting(f"{number}.mp4"), None)
            table.records.enter_running(waiting(f"{number}.mp4"), f"job {number}")
        for number in range(4):
            lanes.register(f"{number}.mov")
        messages = [lanes.receive() for _ in range(4)]
        look = ObjectStore.look

        def meanwhile(objects, video):
            """Let the next starter get as far as this one before this one notes its Start."""
            if messages:
                lanes.invoke(messages.pop(), seconds=61)
            return look(objects, video)

        monkeypatch.setattr(ObjectStore, "look", meanwhile)

        lanes.invoke(messages.pop(), seconds=61)

        assert slots - running == len(rekognition.starts) == table.records.running_count() - running
        assert [] == table.records.starting()

    def test_unknown_takes_a_slot(self, lanes, table, rekognition):
        """A Start of unknown outcome takes a slot until it is repeated, and is repeated although all are in use."""
        lanes.environment(slots=1)
        lanes.register("a.mp4")
        lanes.register("b.mp4")
        rekognition.lose_answer = True
        first, second = lanes.receive(), lanes.receive()
        lanes.invoke(first)

        meanwhile = lanes.invoke(second, seconds=70)
        again = lanes.invoke(first)

        assert (1, None) == (meanwhile, again)
        assert ([1, 0], 1) == ([table.records.running_count(), len(table.records.starting())], len(rekognition.jobs))

    def test_fewer_slots_while_it_waits(self, lanes, table, rekognition, clock):
        """A starter that waits for a free job gives its slot back when there are fewer of them."""
        lanes.register()
        rekognition.refuse_starts.append(client_error("LimitExceededException"))
        clock.meanwhile = lambda: table.control.set_slots(0)

        deferred = lanes.run(seconds=70)

        assert (1, 1, []) == (deferred, len(rekognition.starts), table.records.starting())
        assert lanes.record().start_tried_at is None

    @pytest.mark.parametrize("code", ["InvalidS3ObjectException", "IdempotentParameterMismatchException"])
    def test_failed_frees_its_slot(self, lanes, table, rekognition, code):
        """A video that fails at its Start takes no slot."""
        lanes.register()
        rekognition.refuse_starts.append(client_error(code))

        lanes.run()

        assert (State.FAILED, 0) == (lanes.record().state, table.records.slots_in_use())

    def test_slots_of_the_settings(self, lanes, dynamodb, rekognition):
        """The settings item overrides the deployed slots."""
        dynamodb.put_item(TableName="scans", Item={"pk": {"S": "SETTINGS"}, "sk": {"S": "SETTINGS"}, "slots": {"N": "0"}})
        lanes.register()

        assert 1 == lanes.run(seconds=70)
        assert [] == rekognition.starts


class TestLimitOfADay:
    """The limit of a watched bucket, here of two minutes."""

    @pytest.fixture(autouse=True)
    def _limited(self, lanes):
        lanes.environment(watched=[Watch(BUCKET, max_minutes_per_day=2)])

    @pytest.fixture(name="day")
    def _day(self, table, clock):
        """Return a function that tells how many milliseconds of the day are taken."""
        return lambda: table.watches.day(BUCKET, watch.day_of(clock.now())).started_ms

    def test_films(self, lanes, rekognition, day):
        """Of 36 films of six hours that come at once one is started: it alone is more than the limit."""
        for number in range(36):
            lanes.register(f"{number:02}.mp4", uploaded_at=1.0, expected_ms=SIX_HOURS)

        deferred = [lanes.run() for _ in range(36)]

        assert [None] + [60] * 35 == deferred
        assert (1, SIX_HOURS) == (len(rekognition.starts), day())

    def test_ended(self, lanes, rekognition, table, day, clock):
        """What an analysis took in the end counts in place of what was expected."""
        for number in range(3):
            lanes.register(f"{number}.mp4", uploaded_at=1.0, expected_ms=SIX_HOURS)
        lanes.run()
        running = lanes.record("0.mp4")
        table.records.finish(replace(running, state=State.CLEAN, finished_at=clock.now(), duration_ms=119_999))

        deferred = [lanes.run() for _ in range(2)]

        assert [None, 60] == deferred
        assert (2, 119_999 + SIX_HOURS) == (len(rekognition.starts), day())

    def test_failed(self, lanes, table, day, clock):
        """What failed gives back what was expected of it."""
        lanes.register(uploaded_at=1.0, expected_ms=SIX_HOURS)
        lanes.run()

        table.records.finish(lanes.record().as_failed(Problem("analysis-failed", "no"), at=clock.now()))

        assert 0 == day()

    @pytest.mark.parametrize("code", ["LimitExceededException", "VideoTooLargeException"])
    def test_refused(self, lanes, rekognition, day, code):
        """A Start that was certainly refused gives back what was expected; each try takes it anew, once."""
        rekognition.refuse_starts.extend([client_error(code)] * 20)
        lanes.register(uploaded_at=1.0, expected_ms=60_000)

        lanes.run(seconds=70)

        assert 0 == day()
        assert rekognition.starts

    def test_no_header(self, lanes, day):
        """A video whose header says nothing is expected to be as long as its bytes allow at a slow rate."""
        body = MP4 + bytes(1_000_000 - len(MP4))
        lanes.register(body=body, uploaded_at=1.0)

        lanes.run()

        assert 32_000 == day() == lanes.record().reserved_ms

    def test_released(self, lanes, rekognition, table, clock, day):
        """On a day whose limit a person has lifted all are started, and counted."""
        table.watches.release(BUCKET, watch.day_of(clock.now()))
        for number in range(3):
            lanes.register(f"{number}.mp4", uploaded_at=1.0, expected_ms=120_000)

        for _ in range(3):
            lanes.run()

        assert (3, 360_000) == (len(rekognition.starts), day())

    def test_the_next_day(self, lanes, rekognition, clock, day):
        """On the next day what waits is started, though yesterday's analysis still runs."""
        for number in range(2):
            lanes.register(f"{number}.mp4", uploaded_at=1.0, expected_ms=SIX_HOURS)
        lanes.run()
        clock.time += DAY

        assert lanes.run() is None
        assert (2, SIX_HOURS) == (len(rekognition.starts), day())

    def test_two_starters(self, lanes, table, rekognition, dynamodb):
        """Of two starters that read the same day one starts its video: the add has the limit as its condition."""
        first, second = (lanes.register(f"{number}.mp4", uploaded_at=1.0, expected_ms=SIX_HOURS) for number in range(2))
        facts, start = ObjectFacts("abc", 3, None), StartParameters(None, 50.0, COMPLETIONS, ROLE)
        taking = [replace(record, reserved_ms=SIX_HOURS) for record in (first, second)]

        table.records.note_start_tried(taking[0], facts, start, at=1.0, limit_ms=120_000)
        with pytest.raises(DayUsedUpError):
            table.records.note_start_tried(taking[1], facts, start, at=2.0, limit_ms=120_000)

        assert [first.video.id] == [each.video_id for each in table.records.starting()]

    @pytest.mark.parametrize("fields", [{}, {"uploaded_at": 1.0}])
    def test_others_pay_no_request(self, lanes, table, dynamodb, fields):
        """Neither a scan of the same bucket nor a watch without a limit makes another request."""
        if fields:
            lanes.environment(watched=[Watch(BUCKET)])
        lanes.register(**fields)
        dynamodb.calls.clear()

        lanes.run()

        assert [] == [name for name in ("UPLOADS#", "'WATCH'") if name in str(dynamodb.calls)]
        assert lanes.record().reserved_ms is None


class TestPauses:
    def test_everything(self, lanes, table, rekognition):
        """While starting is paused, messages are deferred, rarely enough not to become dead letters."""
        table.control.pause("someone", "lunch")
        lanes.register()

        assert 60 == lanes.run()
        assert [] == rekognition.starts

    def test_a_day_that_is_being_cancelled(self, lanes, table, rekognition, clock):
        """Until the sweeper has noted the moment, messages are deferred; then those of before are dropped, later ones started."""
        earlier = lanes.register(queued_at=clock.now())
        clock.time += 1
        table.scans.cancel_waiting(SCAN)
        deferred = lanes.run()
        table.scans.cancel_now(SCAN)
        lanes.register("later.mp4", queued_at=clock.now())

        later = lanes.run()
        lanes.queues.send(earlier)
        dropped = lanes.run()

        assert (60, None, None) == (deferred, later, dropped)
        assert ["later.mp4"] == [start["Video"]["S3Object"]["Name"] for start in rekognition.starts]
        assert State.WAITING is lanes.record().state

    @pytest.mark.parametrize("status", [ScanStatus.PAUSED, ScanStatus.CANCELLED])
    def test_scan(self, lanes, table, rekognition, status):
        """The messages of a paused or cancelled scan are dropped."""
        table.scans._change_scan(SCAN, lambda scan: replace(scan, status=status))
        lanes.register()

        assert lanes.run() is None
        assert ([], State.WAITING) == (rekognition.starts, lanes.record().state)

    @pytest.mark.parametrize("status", [ScanStatus.PAUSED, ScanStatus.CANCELLED])
    def test_may_have_started(self, lanes, table, rekognition, status):
        """A Start that may have happened is repeated even if paused or cancelled: its job may run, and be paid for."""
        lanes.register()
        rekognition.lose_answer = True
        message = lanes.receive()
        lanes.invoke(message)
        table.scans._change_scan(SCAN, lambda scan: replace(scan, status=status))
        table.control.pause("someone", "lunch")

        deferred = lanes.invoke(message)

        assert (None, State.RUNNING, 1) == (deferred, lanes.record().state, len(rekognition.jobs))


class TestUnknown:
    @pytest.mark.parametrize(
        "error", [time_out(), client_error("InternalServerError", 500), client_error("ThrottlingException", 500)]
    )
    def test_repeated(self, lanes, rekognition, table, error):
        """If the outcome is unknown, the note stays, and Start is repeated with the same token and parameters, which is noted."""
        lanes.register()
        rekognition.refuse_starts.append(error)
        message = lanes.receive()
        first = lanes.invoke(message)
        noted = lanes.record().start
        lanes.environment(min_confidence=99.0)

        second = lanes.invoke(message)

        assert (10, None) == (first, second)
        assert [rekognition.starts[0]] * 2 == rekognition.starts
        assert [("0" * 64, True)] == [(running.job_id, running.repeated) for running in table.records.running()]
        assert (State.RUNNING, noted) == (lanes.record().state, lanes.record().start)

    def test_died_after_start(self, lanes, rekognition, dynamodb):
        """A starter that dies between Start and its write costs nothing: the same job is found again."""
        lanes.register()
        dynamodb.fail("transact_write_items", KilledError())
        message = lanes.receive()
        with pytest.raises(KilledError):
            lanes.invoke(message)

        lanes.environment()
        lanes.invoke(message)

        assert (State.RUNNING, 1) == (lanes.record().state, len(rekognition.jobs))

    def test_note_stays_when_refused_later(self, lanes, rekognition):
        """A refusal does not withdraw the note of an earlier invocation, whose Start may have happened."""
        lanes.register()
        rekognition.refuse_starts.extend([time_out(), *[client_error("LimitExceededException")] * 2_000])
        message = lanes.receive()
        lanes.invoke(message)
        noted = lanes.record().start_tried_at

        deferred = lanes.invoke(message, seconds=70)

        assert (1, noted) == (deferred, lanes.record().start_tried_at)

    @pytest.mark.slow
    def test_note_stays_when_another_repeated(self, lanes, rekognition, clock, queues):
        """A note that another starter has shared stays, although all Starts of its writer were certainly refused."""
        record = lanes.register()
        queues.send(record)
        first, second = lanes.receive(), lanes.receive()
        rekognition.refuse_starts.extend([client_error("LimitExceededException"), None])
        rekognition.refuse_starts.extend([client_error("LimitExceededException")] * 1_000)
        rekognition.lose_answer = True

        def concurrent():
            clock.meanwhile = None
            lanes.environment()
            lanes.invoke(second, seconds=120)

        clock.meanwhile = concurrent
        lanes.invoke(first, seconds=120)

        assert 1 == len(rekognition.jobs)
        assert State.WAITING is lanes.record().state
        assert lanes.record().start_tried_at is not None

    @pytest.mark.parametrize(("days", "state"), [(5.9, State.RUNNING), (6.1, State.FAILED)])
    def test_too_long(self, lanes, rekognition, clock, days, state):
        """After 6 days a repeated Start might be paid for again: the video fails as unknown."""
        lanes.register()
        rekognition.refuse_starts.append(time_out())
        message = lanes.receive()
        lanes.invoke(message)
        clock.sleep(days * DAY)

        lanes.invoke(message)

        now = lanes.record()
        assert state is now.state
        assert (state is State.FAILED) == (now.problem is not None and now.problem.code == "start-unknown")

    @pytest.mark.parametrize("code", ["InvalidS3ObjectException", "VideoTooLargeException"])
    def test_repeated_and_refused(self, lanes, rekognition, clock, s3, code):
        """A repeated Start that is refused for the object's fault shows nothing: the first one's job may run, and be paid for."""
        lanes.register()
        rekognition.lose_answer = True
        message = lanes.receive()
        lanes.invoke(message)
        noted = lanes.record().start_tried_at
        rekognition.refuse_starts.append(client_error(code))
        s3.delete_object(Bucket=BUCKET, Key="a.mp4")

        deferred = lanes.invoke(message)
        then = lanes.record()
        clock.sleep(600)
        lanes.invoke(message)

        assert (600, State.WAITING, noted) == (deferred, then.state, then.start_tried_at)
        assert (State.RUNNING, 1) == (lanes.record().state, len(rekognition.jobs))

    def test_refused_for_a_day(self, lanes, rekognition, clock):
        """If it is refused for a day, by when a job would be over, it fails for the object's fault, and is never a dead letter."""
        lanes.register()
        rekognition.refuse_starts.extend([time_out(), *[client_error("InvalidS3ObjectException")] * 2_000])
        message = lanes.receive()
        lanes.invoke(message)

        receives = 1
        while lanes.record().state is State.WAITING:
            clock.sleep(lanes.invoke(message) or 0)
            receives += 1

        assert ("InvalidS3ObjectException", True) == (lanes.record().problem.code, 100 < receives < 1_000)

    @pytest.mark.parametrize("code", ["InvalidS3ObjectException", "AccessDeniedException"])
    def test_refused_while_another_starts(self, lanes, rekognition, queues, code):
        """A refusal fails nothing whose Start another starter has repeated meanwhile: its job may run."""
        record = lanes.register()
        queues.send(record)
        first, second = lanes.receive(), lanes.receive()
        start = rekognition.start_content_moderation

        def refused(**parameters):
            rekognition.start_content_moderation = start
            lanes.environment()
            lanes.invoke(second)
            raise client_error(code)

        rekognition.start_content_moderation = refused
        for _ in range(19):
            lanes.table.records.note_refusal(record)
        lanes.clock.sleep(7_200)
        lanes.invoke(first)

        assert (1, State.RUNNING) == (len(rekognition.jobs), lanes.record().state)


class TestFaults:
    @pytest.mark.parametrize("code", ["InvalidS3ObjectException", "VideoTooLargeException"])
    def test_objects(self, lanes, rekognition, code):
        """A fault of the object fails the video with AWS's code."""
        lanes.register()
        rekognition.refuse_starts.append(client_error(code))

        assert lanes.run() is None
        assert (State.FAILED, code) == (lanes.record().state, lanes.record().problem.code)

    @pytest.mark.parametrize(("body", "code"), [(None, "missing"), (b"now a text", "not-a-video"), (b"", "empty")])
    def test_gone_or_changed(self, lanes, s3, rekognition, body, code):
        """A video that is gone, or was replaced by another kind of file, fails before any money is spent."""
        lanes.register()
        s3.delete_object(Bucket=BUCKET, Key="a.mp4")
        if body is not None:
            s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=body)

        assert lanes.run() is None
        assert (State.FAILED, code, []) == (lanes.record().state, lanes.record().problem.code, rekognition.starts)

    @pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException"])
    def test_ours(self, lanes, rekognition, code, table):
        """A fault of ours defers the message and is counted; a Start that succeeds resets the count."""
        lanes.register()
        rekognition.refuse_starts.append(client_error(code))
        message = lanes.receive()

        deferred = lanes.invoke(message)
        counted = table.control.settings().refused_in_row
        lanes.invoke(message)

        assert (60, 1, 0) == (deferred, counted, table.control.settings().refused_in_row)
        assert lanes.record().state is State.RUNNING

    def test_forbidden(self, lanes, s3, table):
        """A video that can no longer be read keeps its message: a permission of ours is missing."""
        lanes.register()
        s3.fail("head_object", client_error("403", 403))

        assert 60 == lanes.run()
        assert (State.WAITING, 1) == (lanes.record().state, table.control.settings().refused_in_row)

    def test_breaker(self, lanes, rekognition, table):
        """Twenty different videos refused in a row pause everything, with the reason."""
        rekognition.refuse_starts.extend([client_error("AccessDeniedException")] * 20)

        paused = []
        for number in range(20):
            lanes.register(f"{number}.mp4")
            lanes.run()
            paused.append(table.control.settings().paused)

        settings = table.control.settings()
        assert [False] * 19 + [True] == paused
        assert "circuit breaker" == settings.paused_by
        assert settings.paused_reason.startswith("AccessDeniedException: ")
        assert settings.mail_due

    def test_breaker_once(self, lanes, rekognition, table, caplog):
        """Refusals after the twentieth video neither pause nor alarm again, and a resume resets the count."""
        for number in range(19):
            table.control.count_refused(f"video {number}")
        rekognition.refuse_starts.extend([client_error("AccessDeniedException")] * 4)
        lanes.register()
        message = lanes.receive()
        lanes.invoke(message)
        table.control.count_refused("another invocation's")
        table.control.pause("circuit breaker", "another invocation's", mail=True)
        alarms = [entry.message for entry in caplog.records].count("starting is paused")

        table.control.resume()
        for _ in range(3):
            lanes.invoke(message)

        settings = table.control.settings()
        assert (1, False, 3, 1) == (alarms, settings.paused, settings.refused_in_row, len(settings.refused_videos))

    @pytest.mark.slow
    @pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException"])
    def test_one_video_does_not_break(self, lanes, rekognition, table, clock, code):
        """One video that is refused again and again, alone in the tail of its scan, does not pause the others."""
        lanes.register()
        rekognition.refuse_starts.extend([client_error(code)] * 30)
        message = lanes.receive()

        for _ in range(30):
            lanes.invoke(message)
            clock.sleep(60)

        assert not table.control.settings().paused
        lanes.register("b.mp4")
        assert ([None, None], State.RUNNING) == ([lanes.run(), lanes.run()], lanes.record("b.mp4").state)

    def test_forbidden_video_does_not_break(self, lanes, s3, table, clock):
        """Nor does one video that S3 no longer lets us read."""
        lanes.register()
        message = lanes.receive()
        s3.fail("head_object", *[client_error("403", 403)] * 30)

        for _ in range(30):
            lanes.invoke(message)
            clock.sleep(60)

        assert not table.control.settings().paused

    def test_unreadable_for_rekognition(self, lanes, rekognition, table):
        """We could read twenty videos that Rekognition cannot: that is not theirs, so everything is paused and the rest waits."""
        rekognition.refuse_starts.extend([client_error("InvalidS3ObjectException")] * 60)
        keys = [f"{number}.mp4" for number in range(60)]

        for key in keys:
            lanes.register(key)
            lanes.run()

        settings = table.control.settings()
        states = [lanes.record(key).state for key in keys]
        assert [State.FAILED] * 19 + [State.WAITING] * 41 == states
        assert 20 == len(rekognition.starts)
        assert (True, "circuit breaker", True) == (settings.paused, settings.paused_by, settings.mail_due)
        assert settings.paused_reason.startswith("InvalidS3ObjectException: ")
        assert lanes.record("19.mp4").start_tried_at is None

    @pytest.mark.slow
    def test_unreadable_now_and_then(self, lanes, rekognition, table):
        """A video that starts in between shows that Rekognition can read: single ones that it cannot never pause the others."""
        for number in range(60):
            rekognition.refuse_starts.append(client_error("InvalidS3ObjectException") if number % 19 else None)
            lanes.register(f"{number}.mp4")
            lanes.run()
            table.records.finish(replace(lanes.record(f"{number}.mp4"), state=State.CLEAN, finished_at=1.0))

        assert not (table.control.settings() or Settings()).paused

    def test_too_large_never_breaks(self, lanes, rekognition, table):
        """Films that are too large for Rekognition are their own fault, however many there are."""
        rekognition.refuse_starts.extend([client_error("VideoTooLargeException")] * 30)

        for number in range(30):
            lanes.register(f"{number}.mp4")
            lanes.run()

        assert (30, None) == (len(rekognition.starts), table.control.settings())

    @pytest.mark.slow
    def test_others_use_the_quota(self, lanes, rekognition, table):
        """Other users of the account's jobs are not a fault: the message is deferred, for hours if need be, and not counted."""
        lanes.register()
        message = lanes.receive()
        rekognition.refuse_starts.extend([client_error("LimitExceededException")] * 2_000)

        backs = [lanes.invoke(message, seconds=120) for _ in range(3)]
        record = lanes.record()
        rekognition.refuse_starts.clear()
        lanes.invoke(message)

        assert ([1] * 3, State.WAITING, None) == (backs, record.state, record.start_tried_at)
        assert (State.RUNNING, None) == (lanes.record().state, table.control.settings())

    def test_one_video(self, lanes, rekognition, table, clock):
        """A video refused 20 times over an hour while others start fails with the code."""
        lanes.register()
        rekognition.refuse_starts.extend([client_error("InvalidParameterException")] * 20)
        message = lanes.receive()

        for _ in range(20):
            lanes.invoke(message)
            table.control.forget_refused()
            clock.sleep(200)

        assert (State.FAILED, "InvalidParameterException") == (lanes.record().state, lanes.record().problem.code)

    def test_one_video_that_may_have_started(self, lanes, rekognition, table, clock):
        """A video that may have been started is never failed for refusals: it may be running, and paid for."""
        lanes.register()
        rekognition.refuse_starts.extend([time_out(), *[client_error("AccessDeniedException")] * 21])
        message = lanes.receive()

        for _ in range(22):
            lanes.invoke(message)
            table.control.forget_refused()
            clock.sleep(200)

        assert (State.WAITING, 21) == (lanes.record().state, lanes.record().refusals)
        assert lanes.record().start_tried_at is not None

    def test_one_video_is_forbidden(self, lanes, s3, table, clock):
        """A video that can never be read any more fails after 20 refusals over an hour, and not before."""
        lanes.register()
        s3.fail("head_object", *[client_error("403", 403)] * 21)
        message = lanes.receive()
        states = []

        for _ in range(21):
            lanes.invoke(message)
            states.append(lanes.record().state)
            table.control.forget_refused()
            clock.sleep(185)

        assert [*[State.WAITING] * 20, State.FAILED] == states
        assert "forbidden" == lanes.record().problem.code

    def test_mismatch(self, lanes, table, rekognition, caplog):
        """If another job has our token, the video fails at once with an alarm, and no slot is used."""
        record = lanes.register()
        rekognition.start_content_moderation(ClientRequestToken=record.analysis.token, JobTag=record.analysis.tag, Video={})

        assert lanes.run() is None
        now = lanes.record()
        assert (State.FAILED, "IdempotentParameterMismatchException", 0) == (
            now.state,
            now.problem.code,
            table.records.running_count(),
        )
        assert "ERROR" in [entry.levelname for entry in caplog.records]


class KilledError(BaseException):
    """Lambda ends the process; no code can catch it."""
