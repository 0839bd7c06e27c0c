"""Sampling: what is paid for and kept, the lease, the pace, pauses and cancellations, and what ends a film."""

import gzip
import json
from collections import deque
from dataclasses import replace

import pytest

from handlers.adapters.hits import HitStore
from handlers.adapters.images import ImageModeration
from handlers.adapters.media import Frame, MediaError
from handlers.adapters.objects import ObjectStore
from handlers.adapters.table import Lease, Outcome
from handlers.domain import policy, reasons, watch
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.record import Problem, Scan
from handlers.domain.states import Lane, ScanStatus, State
from handlers.domain.watch import Watch
from handlers.flows.breaker import Breaker
from handlers.flows.lane_events import LaneEventsFlow
from handlers.flows.sample import SampleFlow, SampleSettings
from handlers.flows.sample_rules import IMAGES_KEPT, LEASE_SECONDS, MAX_TRIES, UNKNOWN_ATTEMPTS
from tests.handlers.doubles import ACCOUNT, BUCKET, MP4, SCAN, WORK_BUCKET, client_error, time_out, waiting

POLICY = json.dumps({"default": {"min_confidence": 80, "alert": True}})
JPEG = b"\xff\xd8\xff\xe0" + bytes(2_000)
INTERVAL_MS = 5_000


class DiedError(BaseException):
    """The worker was killed."""


class Film:
    """Media whose frames are where a test puts them; the bytes of each say what is seen in it."""

    def __init__(self, length=10, seen=(), **fields):
        self.times = [INTERVAL_MS // 2 + INTERVAL_MS * number for number in range(length)]
        self.seen = dict(seen)
        self.kind, self.passthrough, self.complete, self.ends = "film", False, True, True
        self.duration_ms, self.decoded_ms = INTERVAL_MS * length, INTERVAL_MS * length
        self.error, self.opened, self.at_frame = None, [], {}
        vars(self).update(fields)

    def open(self, source, *, interval_ms, after_ms):
        """Open it as `open_media` does."""
        source.read(0, 8)
        self.opened.append((interval_ms, after_ms))
        if self.error is not None:
            raise MediaError(self.error)
        self.after_ms, self.complete = -1 if after_ms is None else after_ms, True
        return self

    def __enter__(self):
        """Enter the context."""
        return self

    def __exit__(self, *_):
        """Leave it."""

    def frames(self):
        """Yield the frames that follow."""
        for at in self.times if not self.passthrough else []:
            if at > self.after_ms:
                self.at_frame.get(at, lambda: None)()
                yield Frame(at, self.seen.get(at, "").encode())
        self.complete = self.complete and self.ends


class Images:
    """DetectModerationLabels: finds in an image what its bytes say."""

    def __init__(self, clock):
        self.clock, self.calls, self.times = clock, [], []
        self.refuse = deque()
        self.dies_after, self.seconds = None, 0.3

    def detect_moderation_labels(self, **parameters):
        """Look at an image."""
        self.calls.append(parameters)
        self.times.append(self.clock.now())
        error = self.refuse.popleft() if self.refuse else None
        if error is not None:
            raise error
        self.clock.time += self.seconds
        if self.dies_after == len(self.calls):
            raise DiedError
        name = parameters["Image"].get("Bytes", b"").decode()
        labels = [{"Name": name, "ParentName": "", "TaxonomyLevel": 1, "Confidence": 99.0}] if name else []
        return {"ModerationLabels": labels, "ModerationModelVersion": "7.0"}


class Worker:
    """Registers films, and invokes the function with their messages."""

    def __init__(self, table, queues, sqs, urls, s3, work, clock):
        self.table, self.queues, self.sqs, self.urls, self.s3, self.clock = table, queues, sqs, urls, s3, clock
        self.images, self.film = Images(clock), Film()
        self.table.scans.put_scan(Scan(SCAN, BUCKET, engine=Engine.FRAMES, interval_ms=INTERVAL_MS))
        self.store, self.work = HitStore(work, WORK_BUCKET), work
        self.rate, self.watched = 5.0, {}

    def flow(self):
        """Return the flow of a new environment."""
        return SampleFlow(
            self.table.records,
            self.table.samplings,
            self.table.pace,
            self.table.watches,
            Breaker(self.table.control),
            ObjectStore(self.s3, images=True),
            self.film.open,
            ImageModeration(self.images),
            self.store,
            policy.parse(POLICY),
            self.clock,
            SampleSettings(50.0, self.rate, self.watched),
        )

    def register(self, key="a.mkv", body=MP4, **fields):
        """Store an object, and register it with its message in the lane of frames."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        record = waiting(key, lane=Lane.FRAMES, engine=Engine.FRAMES, interval_ms=INTERVAL_MS, **fields)
        self.queues.send(record)
        self.table.records.register(record, None)
        return record

    def run(self, seconds=900, receives=1):
        """Receive one message and invoke the function with it; return for how long it is deferred, or None."""
        answer = self.sqs.receive_message(QueueUrl=self.urls[Lane.FRAMES])
        message = answer["Messages"][0]
        return self.invoke(message, seconds, receives)

    def invoke(self, message, seconds=900, receives=1):
        """Invoke the function with a message."""
        entry = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": {"ApproximateReceiveCount": str(receives)},
            "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:stack-frames",
        }
        flow = LaneEventsFlow(self.flow(), self.queues, self.clock)
        response = flow.respond({"Records": [entry]}, deadline=self.clock.now() + seconds)
        hides = [call["VisibilityTimeout"] for call in self.sqs.called("change_message_visibility")]
        return hides[-1] if response["batchItemFailures"] else None

    def again(self, record, seconds=900):
        """Invoke the function with the message of a record, as if the queue had brought it back; return the deferral."""
        self.queues.send(record)
        found = None
        while more := self.sqs.receive_message(QueueUrl=self.urls[Lane.FRAMES]).get("Messages"):
            found = more[0]
        return self.invoke(found, seconds)

    def record(self, key="a.mkv"):
        """Return the record of a key."""
        return self.table.records.record(waiting(key).video.id, SCAN)

    def raw_hits(self, key="a.mkv"):
        """Return the stored raw hits of a record."""
        body = self.work.get_object(Bucket=WORK_BUCKET, Key=self.record(key).hits_key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]


@pytest.fixture(name="worker")
def _worker(table, queues, sqs, urls, s3, work, clock):
    return Worker(table, queues, sqs, urls, s3, work, clock)


class TestFilm:
    def test_clean(self, worker):
        """Every frame is looked at once; a film in which nothing is found is clean, and says how it was looked at."""
        worker.register()

        deferred = worker.run()

        now = worker.record()
        assert deferred is None
        assert (State.CLEAN, 10, 50_000, "7.0") == (now.state, now.images, now.duration_ms, now.model_version)
        assert (Engine.FRAMES, INTERVAL_MS) == (now.engine, now.interval_ms)
        assert 10 == len(worker.images.calls)
        assert 0 == worker.table.samplings.under_way()

    def test_flagged(self, worker):
        """Hits of one frame after the other are one segment; one that is far away is another, and each counts for its interval."""
        worker.film = Film(seen={12_500: "Weapons", 17_500: "Weapons", 42_500: "Weapons"})
        worker.register()

        worker.run()

        now = worker.record()
        segments = list(worker.table.records.segments(now.video.id, SCAN, 0))
        assert State.FLAGGED is now.state
        assert now.mail_due
        assert [(12_500, 17_500), (42_500, 42_500)] == [(each.start_ms, each.end_ms) for each in segments]
        assert 15_000 == now.labels[0].milliseconds
        assert [12_500, 17_500, 42_500] == [hit["timestamp_ms"] for hit in worker.raw_hits()]
        assert {"frames"} == {hit["engine"] for hit in worker.raw_hits()}

    def test_totals(self, worker):
        """The totals of the scan count the film and its images."""
        worker.register()

        worker.run()

        totals = worker.table.scans.totals(SCAN)
        assert (1, 10) == (totals.videos[State.CLEAN], totals.images)

    def test_no_slot(self, worker):
        """A film under sampling takes none of the account's video jobs, and is listed by itself."""
        seen = []
        worker.film.at_frame[22_500] = lambda: seen.append(
            (worker.record().state, worker.table.records.slots_in_use(), worker.table.samplings.under_way())
        )
        worker.register()

        worker.run()

        assert [(State.RUNNING, 0, 1)] == seen

    def test_changed(self, worker, s3):
        """A film that was replaced since it was registered is looked at as it is now, and marked."""
        worker.register(body=MP4 + b"more")

        worker.run()

        assert worker.record().changed_during_scan
        assert len(MP4) + 4 == worker.record().facts.size


class TestImage:
    def test_as_it_is(self, worker):
        """An image that Rekognition can read in S3 is one call, and has no interval."""
        worker.film = Film(0, kind="image", passthrough=True, duration_ms=None)
        worker.register("a.jpg", JPEG)

        worker.run()

        now = worker.record("a.jpg")
        assert [{"S3Object": {"Bucket": BUCKET, "Name": "a.jpg"}}] == [call["Image"] for call in worker.images.calls]
        assert (State.CLEAN, 1, None) == (now.state, now.images, now.interval_ms)

    def test_paid_once(self, worker, work):
        """An image that was paid for is not looked at again, although its verdict could not be written."""
        worker.film = Film(0, kind="image", passthrough=True, duration_ms=None)
        record = worker.register("a.jpg", JPEG)
        work.fail("put_object", client_error("SlowDown", 503))
        worker.run()

        worker.again(record)

        assert State.CLEAN is worker.record("a.jpg").state
        assert 1 == len(worker.images.calls)

    def test_refused(self, worker):
        """An image that Rekognition cannot read fails with its code."""
        worker.film = Film(0, kind="image", passthrough=True, duration_ms=None)
        worker.images.refuse.append(client_error("InvalidImageFormatException"))
        worker.register("a.jpg", JPEG)

        worker.run()

        now = worker.record("a.jpg")
        assert (State.FAILED, "InvalidImageFormatException", 0) == (now.state, now.problem.code, now.images)


class TestProgress:
    def test_killed(self, worker, clock):
        """Of a worker that dies at most twenty images are lost; the next one goes on where it stopped, and finds what it found."""
        worker.film = Film(50, seen={2_500: "Weapons", 247_500: "Violence"})
        record = worker.register()
        worker.images.dies_after = 45
        with pytest.raises(DiedError):
            worker.run()
        before = worker.record()
        clock.time += LEASE_SECONDS

        worker.images.dies_after = None
        worker.again(record)

        now = worker.record()
        assert (40, 197_500) == (before.images, before.position_ms)
        assert [(INTERVAL_MS, None), (INTERVAL_MS, 197_500)] == worker.film.opened
        assert (State.FLAGGED, 50) == (now.state, now.images)
        assert 55 == len(worker.images.calls)
        assert {"Weapons", "Violence"} == {label.name for label in now.labels}

    @pytest.mark.slow
    def test_longer_than_invocation(self, worker):
        """A film that takes longer than an invocation goes on in the next; nothing is paid for twice."""
        worker.film = Film(800)
        record = worker.register()

        deferred = worker.run(seconds=200)
        before = worker.record()
        worker.again(record)

        assert 1 == deferred
        assert 0 < before.images < 800
        assert before.images == before.position_ms // INTERVAL_MS + 1
        assert (State.CLEAN, 800, 800) == (worker.record().state, worker.record().images, len(worker.images.calls))

    def test_written_on_errors(self, worker, s3):
        """What was paid for is written, and the lease given back, when the object can no longer be read."""
        worker.film.at_frame[27_500] = lambda: (_ for _ in ()).throw(time_out())
        record = worker.register()

        deferred = worker.run()
        worker.film.at_frame.clear()
        worker.again(record)

        assert 30 == deferred
        assert (State.CLEAN, 10, 10) == (worker.record().state, worker.record().images, len(worker.images.calls))

    def test_slow(self, worker, clock):
        """A film whose frames take long keeps its lease: progress is written every half minute."""
        worker.film = Film(10)
        held = []

        def look():
            clock.time += 29.0
            held.append(worker.table.samplings.all()[0].until > clock.now())

        worker.film.at_frame = dict.fromkeys(worker.film.times, look)
        worker.register()

        worker.run()

        assert held == [True] * 10
        assert State.CLEAN is worker.record().state


class TestLease:
    def test_another_is_at_it(self, worker, clock):
        """A second message for a film that a worker is at is deferred, and pays for nothing."""
        record = worker.register()
        worker.table.samplings.begin(record, record.facts, Lease("another", clock.now() + 100), at=clock.now())

        deferred = worker.run()

        assert 30 == deferred
        assert [] == worker.images.calls

    def test_lost(self, worker, clock):
        """A worker whose lease another has taken stops before its next call, and what it found is not written."""
        worker.film = Film(40, seen={2_500: "Weapons"})
        record = worker.register()

        def overtaken():
            clock.time += 2 * LEASE_SECONDS
            assert worker.table.samplings.take_over(record, Lease("another", clock.now() + 100)) is not None

        worker.film.at_frame[52_500] = overtaken

        deferred = worker.run()

        assert deferred is None
        assert 10 == len(worker.images.calls)
        assert (State.RUNNING, 0) == (worker.record().state, worker.record().images)
        assert "another" == worker.table.samplings.all()[0].holder

    def test_died_too_often(self, worker, clock):
        """A film at which one worker after the other dies is given up."""
        record = worker.register()
        worker.images.dies_after = 1
        with pytest.raises(DiedError):
            worker.run()
        for _ in range(MAX_TRIES):
            worker.images.calls.clear()
            clock.time += LEASE_SECONDS
            with pytest.raises(DiedError):
                worker.again(record)
        clock.time += LEASE_SECONDS

        worker.again(record)

        assert (State.FAILED, reasons.UNFINISHED) == (worker.record().state, worker.record().problem.code)
        assert 0 == worker.table.samplings.under_way()

    def test_written_twice(self, worker, clock):
        """Progress that is written twice is the same as once."""
        record = worker.register()
        lease = Lease("me", clock.now() + 100)
        worker.table.samplings.begin(record, record.facts, lease, at=1.0)
        paid = replace(record, images=3, position_ms=12_500)

        assert worker.table.samplings.write_progress(paid, (), lease)
        assert worker.table.samplings.write_progress(paid, (), lease)
        assert (3, 12_500) == (worker.record().images, worker.record().position_ms)

    def test_begun_by_another(self, worker, clock):
        """A film that another worker has begun is not begun again."""
        record = worker.register()
        lease = Lease("me", clock.now() + 100)

        assert Outcome.DONE is worker.table.samplings.begin(record, record.facts, lease, at=1.0)
        assert Outcome.DONE_BEFORE is worker.table.samplings.begin(record, record.facts, lease, at=1.0)


class TestPace:
    @pytest.mark.parametrize("rate", [5.0, 2.0, 50.0])
    def test_below_the_quota(self, worker, rate):
        """No span of ten seconds has more calls than the quota, however quick the calls are."""
        worker.rate, worker.film, worker.images.seconds = rate, Film(round(12 * rate)), 0.0
        worker.register()

        worker.run()

        times = worker.images.times
        assert 0.9 * 10 * rate <= max(sum(first <= at < first + 10 for at in times) for first in times) <= 10 * rate

    def test_used(self, worker):
        """Where calls are quick enough, the pace is used to 95 %."""
        worker.rate, worker.film = 2.0, Film(60)
        worker.register()

        worker.run()

        times = worker.images.times
        assert 59 / (times[-1] - times[0]) >= 0.95 * 2.0

    def test_shared(self, worker):
        """Two workers never get the same time, whoever asks first."""
        first, second, third = (worker.table.pace.take_turn(0.5) for _ in range(3))

        assert (0.5, 0.5) == (second - first, third - second)

    def test_throttled(self, worker):
        """A throttled image waits in place, and is paid for once."""
        worker.images.refuse.extend([client_error("ProvisionedThroughputExceededException"), client_error("ThrottlingException")])
        worker.register()

        worker.run()

        assert (State.CLEAN, 10) == (worker.record().state, worker.record().images)
        assert 12 == len(worker.images.calls)


class TestTimes:
    """What a worker does at which moment; calls take no time here."""

    @pytest.fixture(autouse=True)
    def _quick(self, worker):
        worker.images.seconds = 0.0

    def test_lease(self, worker, clock):
        """The lease lasts two minutes."""
        until = []
        worker.film.at_frame[2_500] = lambda: until.append(worker.table.samplings.all()[0].until - clock.now())
        worker.register()

        worker.run()

        assert [120.0] == until

    @pytest.mark.parametrize(("seconds", "images", "state"), [(90.0, 1, State.RUNNING), (89.9, 0, State.FAILED)])
    def test_the_end_of_the_invocation(self, worker, seconds, images, state):
        """No call begins in the last ninety seconds; in a whole invocation one must."""
        worker.images.seconds = 0.3
        worker.register()

        worker.run(seconds=seconds)

        assert (images, state, images) == (len(worker.images.calls), worker.record().state, worker.record().images)

    @pytest.mark.parametrize(("seconds", "written"), [(29.999, 0), (30.0, 1)])
    def test_progress(self, worker, clock, seconds, written):
        """Progress is written half a minute after it was written last."""
        found, began = [], clock.now()
        worker.film.at_frame[7_500] = lambda: setattr(clock, "time", began + seconds)
        worker.film.at_frame[12_500] = lambda: found.append(worker.record().images)
        worker.register()

        worker.run()

        assert [written] == found

    @pytest.mark.parametrize(("frames", "written"), [(20, 0), (21, 20)])
    def test_progress_after_twenty_images(self, worker, frames, written):
        """Or after twenty images."""
        found = []
        worker.film = Film(frames)
        worker.rate = 50.0
        worker.film.at_frame[worker.film.times[-1]] = lambda: None
        worker.images.dies_after = frames
        worker.register()
        with pytest.raises(DiedError):
            worker.run()

        found.append(worker.record().images)

        assert [written] == found

    @pytest.mark.parametrize(("seconds", "is_used"), [(94.9, True), (95.0, False)])
    def test_the_end_of_the_lease(self, worker, clock, seconds, is_used):
        """A turn that comes less than 25 s before the lease ends is not used: the call might outlast it."""
        began = clock.now()
        worker.table.pace.take_turn(seconds)
        worker.register()

        worker.run()

        assert is_used is (pytest.approx(seconds, abs=0.01) == worker.images.times[0] - began)
        assert 10 == len(worker.images.calls)

    @pytest.mark.parametrize(("late", "ahead"), [(0.3, 0.0), (0.31, 0.31)])
    def test_a_late_turn(self, worker, clock, monkeypatch, late, ahead):
        """A turn that comes more than 0.3 s too late lapses, and the next one is requested as much further ahead."""
        take, asked = worker.table.pace.take_turn, []

        def take_turn(seconds, *, ahead=0.0):
            asked.append(ahead)
            at = take(seconds, ahead=ahead)
            clock.time += late if len(asked) == 1 else 0.0
            return at

        monkeypatch.setattr(worker.table.pace, "take_turn", take_turn)
        worker.film = Film(1)
        worker.register()
        began = clock.now()

        worker.run()

        assert [0.0, ahead][: 1 + bool(ahead)] == pytest.approx(asked)
        assert 1 == len(worker.images.calls)
        assert bool(ahead) is (worker.images.times[0] > began + late)

    def test_waits_between_refusals(self, worker, monkeypatch):
        """Waits after throttled images grow from half a second to ten, anew for each image."""
        waits = []
        monkeypatch.setattr(
            "handlers.flows.sample.backoff_seconds", lambda attempt, **bounds: waits.append((attempt, bounds)) or 0.0
        )
        throttled = client_error("ThrottlingException")
        worker.images.refuse.extend([throttled, throttled, None, throttled])
        worker.register()

        worker.run()

        bounds = {"base": 0.5, "cap": 10.0}
        assert [(0, bounds), (1, bounds), (0, bounds)] == waits


class TestRefused:
    """What Rekognition refuses, and for how long it is believed to be our own fault."""

    def test_accepted(self, worker):
        """An image that is accepted ends the row of refused videos."""
        worker.table.control.count_refused("another")
        worker.register()

        worker.run()

        assert 0 == worker.table.control.settings().refused_in_row

    @pytest.mark.parametrize("error", [time_out(), client_error("InternalServerError", 500)])
    def test_no_answer(self, worker, error):
        """An image without an answer is sent five times at most, for each may be charged; then the worker is free for others."""
        record = worker.register()
        throttled = client_error("ThrottlingException")
        worker.images.refuse.extend([throttled, *[error] * UNKNOWN_ATTEMPTS, *[error] * (UNKNOWN_ATTEMPTS - 1)])

        deferred = worker.run()
        calls = len(worker.images.calls)
        worker.again(record)

        assert (60, 1 + UNKNOWN_ATTEMPTS) == (deferred, calls)
        assert (State.CLEAN, 10) == (worker.record().state, worker.record().images)

    @pytest.mark.parametrize(("others", "state", "is_paused"), [(18, State.FAILED, None), (19, State.RUNNING, True)])
    def test_many_that_cannot_be_read(self, worker, others, state, is_paused):
        """Images that Rekognition cannot read fail, until twenty in a row were: then all starting is paused."""
        worker.film = Film(0, kind="image", passthrough=True, duration_ms=None)
        worker.images.refuse.append(client_error("InvalidS3ObjectException"))
        for number in range(others):
            worker.table.control.count_refused(f"video {number}")
        worker.register("a.jpg", JPEG)

        deferred = worker.run()

        assert (60 if is_paused else None, state) == (deferred, worker.record("a.jpg").state)
        assert bool(is_paused) is worker.table.control.settings().paused

    @pytest.mark.parametrize(
        ("refusals", "seconds", "state"), [(19, 3_600, State.FAILED), (18, 3_600, State.RUNNING), (19, 3_599, State.RUNNING)]
    )
    def test_hopeless(self, worker, clock, refusals, seconds, state):
        """A film that was refused twenty times within an hour or more, for what must be our fault, fails."""
        record = worker.register()
        worker.images.refuse.extend([client_error("AccessDeniedException")] * 2)
        worker.run()
        for _ in range(refusals - 1):
            worker.table.records.note_refusal(worker.record())
        clock.time += seconds

        worker.again(record)

        assert state is worker.record().state


class TestHeld:
    def test_paused_scan(self, worker):
        """A scan that is paused stops its films within twenty images; its message is dropped, for it is sent again."""
        worker.film = Film(50)
        worker.register()
        worker.film.at_frame[52_500] = lambda: worker.table.scans.pause_scan(SCAN, "by hand")

        deferred = worker.run()

        assert deferred is None
        assert IMAGES_KEPT == len(worker.images.calls) == worker.record().images
        assert worker.table.samplings.all()[0].holder is None

    def test_paused_all(self, worker):
        """While starting is paused messages come back, and nothing is paid for."""
        worker.register()
        worker.table.control.pause("someone", "reason")

        assert 60 == worker.run()
        assert [] == worker.images.calls

    def test_cancelled(self, worker):
        """A film of a cancelled scan is cancelled within twenty images; what was paid for is counted."""
        worker.film = Film(50)
        worker.register()
        worker.film.at_frame[52_500] = lambda: worker.table.scans.cancel_scan(SCAN, "by hand")

        worker.run()

        assert (State.CANCELLED, IMAGES_KEPT) == (worker.record().state, worker.record().images)
        assert 0 == worker.table.samplings.under_way()
        assert IMAGES_KEPT == worker.table.scans.totals(SCAN).images

    def test_cancelled_before(self, worker):
        """The message of a waiting film of a cancelled scan is dropped."""
        worker.register()
        worker.table.scans.cancel_scan(SCAN, "by hand")

        assert worker.run() is None
        assert [] == worker.images.calls
        assert ScanStatus.CANCELLED is worker.table.scans.scan(SCAN).status


class TestEnds:
    def test_damaged_flagged(self, worker):
        """A damaged film in which something was found is flagged, and says up to where it could be decoded."""
        worker.film = Film(4, seen={2_500: "Weapons"}, ends=False, decoded_ms=18_000, duration_ms=50_000)
        worker.register()

        worker.run()

        assert (State.FLAGGED, 18_000) == (worker.record().state, worker.record().decoded_ms)

    def test_damaged_clean(self, worker):
        """A damaged film in which nothing was found has failed: nothing is known of the rest."""
        worker.film = Film(4, ends=False, decoded_ms=751_000, duration_ms=2_822_000)
        worker.register()

        worker.run()

        now = worker.record()
        assert (State.FAILED, reasons.PARTLY_DECODED, 4) == (now.state, now.problem.code, now.images)
        assert "Decoded up to 0:12:31 of 0:47:02." == now.problem.message

    @pytest.mark.slow
    def test_hole_before_another_invocation(self, worker):
        """A hole in a film is remembered by the invocation that continues behind it, which cannot know of it otherwise."""
        worker.film = Film(800)
        worker.film.at_frame[22_500] = lambda: vars(worker.film).update(complete=False)
        record = worker.register()

        deferred = worker.run(seconds=200)
        before = worker.record()
        worker.again(record)

        now = worker.record()
        assert (1, State.RUNNING, 17_500) == (deferred, before.state, before.decoded_ms)
        assert (State.FAILED, reasons.PARTLY_DECODED, 800) == (now.state, now.problem.code, now.images)
        assert "Decoded up to 0:00:17 of 1:06:40." == now.problem.message

    def test_undecodable(self, worker):
        """An object that cannot be decoded fails with the reason, and costs nothing."""
        worker.film.error = Problem(reasons.UNDECODABLE, "No stream can be decoded.")
        worker.register()

        worker.run()

        assert (State.FAILED, reasons.UNDECODABLE, 0) == (
            worker.record().state,
            worker.record().problem.code,
            len(worker.images.calls),
        )

    def test_gone(self, worker, s3):
        """An object that is gone before it is begun fails."""
        worker.register()
        s3.delete_object(Bucket=BUCKET, Key="a.mkv")

        worker.run()

        assert (State.FAILED, reasons.MISSING) == (worker.record().state, worker.record().problem.code)

    def test_superseded(self, worker, s3, clock):
        """An upload that the same bytes replaced on another day is not paid for twice."""
        etag = s3.put_object(Bucket=BUCKET, Key="a.mkv", Body=MP4)["ETag"].strip('"')
        video = Video(BUCKET, "a.mkv", None, etag)
        fields = {"lane": Lane.FRAMES, "engine": Engine.FRAMES, "interval_ms": INTERVAL_MS, "superseded_at": clock.now()}
        record = replace(waiting("a.mkv"), video=video, **fields)
        worker.queues.send(record)
        worker.table.records.register(record, None)

        worker.run()

        now = worker.table.records.record(video.id, SCAN)
        assert (State.FAILED, reasons.SUPERSEDED, []) == (now.state, now.problem.code, worker.images.calls)

    def test_replaced_meanwhile(self, worker, s3, clock):
        """An object that was replaced while it was looked at fails, for the frames would be of two films."""
        worker.film = Film(50)
        record = worker.register()
        worker.images.dies_after = 30
        with pytest.raises(DiedError):
            worker.run()
        clock.time += LEASE_SECONDS
        s3.put_object(Bucket=BUCKET, Key="a.mkv", Body=MP4 + b"other")

        worker.again(record)

        now = worker.record()
        assert (State.FAILED, reasons.CHANGED, 20) == (now.state, now.problem.code, now.images)

    def test_forbidden(self, worker, s3):
        """An object that may not be read any more is our own fault: its message comes back."""
        worker.register()
        s3.fail("head_object", client_error("403", 403))

        assert 60 == worker.run()
        assert State.WAITING is worker.record().state

    def test_access_denied(self, worker):
        """A permission that is missing for Rekognition keeps the message, and counts for the circuit breaker."""
        worker.images.refuse.append(client_error("AccessDeniedException"))
        worker.register()

        assert 60 == worker.run()
        assert 1 == worker.table.control.settings().refused_in_row

    def test_no_frame_in_time(self, worker, clock):
        """A film of which not one frame comes out in an invocation fails, instead of being tried for ever."""

        def slow():
            clock.time += 900
            worker.source.read(0, 8)

        original = worker.film.open
        worker.film.open = lambda source, **named: (setattr(worker, "source", source), original(source, **named))[1]
        worker.film.at_frame[2_500] = slow
        worker.register()

        worker.run()

        assert (State.FAILED, reasons.UNFINISHED) == (worker.record().state, worker.record().problem.code)

    def test_over(self, worker):
        """A message whose record is final is dropped."""
        worker.register()
        record = worker.record()
        worker.table.records.finish(record.as_failed(Problem("x", "y"), at=0.0))

        assert worker.run() is None
        assert [] == worker.images.calls


class TestLimitOfADay:
    """The limit of a watched bucket, here of two minutes; an interval is five seconds."""

    @pytest.fixture(autouse=True)
    def _limited(self, worker):
        worker.watched = {BUCKET: Watch(BUCKET, max_minutes_per_day=2)}

    @pytest.fixture(name="day")
    def _day(self, table, clock):
        """Return a function that tells how many milliseconds of the day are taken."""
        return lambda: table.watches.day(BUCKET, watch.day_of(clock.now())).started_ms

    def test_films(self, worker, day):
        """A film counts with its length, by frames as by the video API; once the minutes are taken nothing more is paid for."""
        worker.film = Film(24)
        records = [worker.register(f"{number}.mkv", uploaded_at=1.0, expected_ms=120_000) for number in range(2)]

        deferred = [worker.again(record) for record in records]

        assert [None, 60] == deferred
        assert (24, 120_000) == (len(worker.images.calls), day())
        assert (State.WAITING, None) == ((held := worker.record("1.mkv")).state, held.reserved_ms)

    def test_images(self, worker, table, day, clock):
        """An image counts as 0.6 s: 200 of them are two minutes."""
        worker.film = Film(kind="image", passthrough=True, duration_ms=None)

        worker.again(worker.register("a.jpg", body=JPEG, uploaded_at=1.0))

        found = table.watches.day(BUCKET, watch.day_of(clock.now()))
        assert (600, 600, 1) == (day(), found.milliseconds, found.analyses)

    def test_taken_before_the_first_call(self, worker, day):
        """What is expected is taken when the first image is paid for, by its bytes where no header says how long it is."""
        worker.film, taken = Film(1), []
        worker.film.at_frame[2_500] = lambda: taken.append(day())

        worker.again(worker.register(body=MP4 + bytes(1_000_000 - len(MP4)), uploaded_at=1.0))

        assert [32_000] == taken

    def test_failed(self, worker, day):
        """A film that cannot be read to its end counts with what was paid for, and gives the rest back."""
        worker.film, problem = Film(24), Problem(reasons.UNREADABLE, "no")

        def broken():
            raise MediaError(problem)

        worker.film.at_frame[52_500] = broken

        worker.again(worker.register(uploaded_at=1.0, expected_ms=120_000))

        assert (State.FAILED, 10, 47_500) == (worker.record().state, worker.record().images, day())

    def test_longer_than_its_header(self, worker, table, day):
        """A film whose header lies takes more as it is paid for, and stops once the minutes are used up."""
        worker.film, seen = Film(100), []

        def used_up():
            seen.append(day())
            table.scans.pause_scan(SCAN, watch.LIMIT_REACHED)

        worker.film.at_frame[152_500] = used_up

        worker.again(worker.register(uploaded_at=1.0, expected_ms=1_000))

        assert [97_500] == seen
        assert (State.RUNNING, 40, day()) == (worker.record().state, worker.record().images, worker.record().reserved_ms)

    def test_within_its_share(self, worker, table):
        """A film that has taken its share goes on to its end although the minutes are used up."""
        worker.film = Film(60)
        worker.film.at_frame[52_500] = lambda: table.scans.pause_scan(SCAN, watch.LIMIT_REACHED)

        worker.again(worker.register(uploaded_at=1.0, expected_ms=300_000))

        assert (State.CLEAN, 60) == (worker.record().state, worker.record().images)

    def test_written_twice(self, worker, table, clock, day):
        """Progress beyond what was expected is taken once, though the SDK may repeat the write."""
        record = replace(worker.register(uploaded_at=1.0), reserved_ms=1_000)
        lease = Lease("me", clock.now() + 100)
        table.samplings.begin(record, record.facts, lease, at=clock.now())
        paid = replace(record, images=3, position_ms=12_500)

        assert table.samplings.write_progress(paid, (), lease)
        assert table.samplings.write_progress(paid, (), lease)
        assert 12_500 == day()

    def test_released(self, worker, table, clock, day):
        """On a day whose limit a person has lifted all are looked at, and counted."""
        table.watches.release(BUCKET, watch.day_of(clock.now()))
        worker.film = Film(24)

        deferred = [worker.again(worker.register(f"{number}.mkv", uploaded_at=1.0, expected_ms=120_000)) for number in range(2)]

        assert ([None, None], 240_000) == (deferred, day())

    @pytest.mark.parametrize("fields", [{}, {"uploaded_at": 1.0}])
    def test_others_pay_no_request(self, worker, dynamodb, fields):
        """Neither a scan of the same bucket nor a watch without a limit makes another request."""
        worker.watched = {BUCKET: Watch(BUCKET)} if fields else worker.watched
        record = worker.register(**fields)
        dynamodb.calls.clear()

        worker.again(record)

        assert "'WATCH'" not in str(dynamodb.calls)
        assert worker.record().reserved_ms is None
