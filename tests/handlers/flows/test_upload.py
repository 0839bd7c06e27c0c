"""New uploads: which content an event means, in which scan it is registered, and what killing the function costs (nothing)."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from handlers import new_upload, wiring
from handlers.adapters.objects import Look, ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import CurrentUpload
from handlers.domain import lane_message, upload, watch
from handlers.domain.engine import Engine
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Problem, Record
from handlers.domain.states import Lane, ScanStatus, State
from handlers.domain.upload import Source, Upload
from handlers.domain.watch import SUFFIXES_WITH_IMAGES, Watch
from handlers.flows.registration import Registration
from handlers.flows.sweep.close_scans import EMPTY_SECONDS, CloseScans
from handlers.flows.sweep.context import SweepContext
from handlers.flows.upload import KNOWN_SECONDS, UploadFlow
from handlers.runtime import Clients, SystemClock
from handlers.settings import NewUploadSettings
from tests.handlers.doubles import BUCKET, MP4, client_error
from tests.tools.estimate.headers import box, file_of, track

OTHER_MP4 = MP4 + b"another"
JPEG = b"\xff\xd8\xff\xe0" + bytes(2_000)
# moto's S3 lives in the present, whatever the test's clock says.
NOW = datetime.now(UTC).timestamp()
TODAY = watch.day_of(NOW)
DAY_SCAN = watch.scan_id(BUCKET, TODAY)


class KilledError(BaseException):
    """The function was killed: no code of its own sees this."""


@pytest.fixture(name="flow")
def _flow(table, objects, queues, clock):
    clock.time = NOW
    return flow_of(table, objects, queues, clock)


def flow_of(table, objects, queues, clock):
    """Return the flow of an environment."""
    registration = Registration(table.records, objects, queues, clock)
    watched = {BUCKET: Watch(BUCKET, prefixes=("", "in/"))}
    return UploadFlow(registration, table.records, table.scans, table.watches, clock, watched)


def event_of(*bodies):
    """Return the SQS event of messages."""
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def created(key, version_id=None, *, at=NOW, size=2_024, bucket=BUCKET):
    """Return S3's event of an upload, as EventBridge puts it into the queue."""
    version = {} if version_id is None else {"version-id": version_id}
    return json.dumps(
        {
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": {
                "bucket": {"name": bucket},
                "object": {"key": key, "size": size, "etag": "of-the-event", **version, "sequencer": "617f08299329d189"},
            },
        }
    )


def put(s3, key="a.mp4", body=MP4):
    """Put an object; return the video that it is, and its event."""
    answer = s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    version = answer.get("VersionId")
    video = Video(BUCKET, key, version) if version else Video(BUCKET, key, None, answer["ETag"].strip('"'))
    return video, created(key, version)


MDAT = box(b"mdat", bytes(70_000))


def film(milliseconds, *, behind=b"", before=b""):
    """Return a film, with boxes before and behind its header."""
    whole = file_of(track(box(b"avc1", bytes(78)), units=milliseconds), units=milliseconds, behind=behind)
    return whole[:16] + before + whole[16:]


def versions_on(s3):
    """Switch the bucket's versions on."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


class TestRegistered:
    def test_one(self, flow, table, s3, objects, messages):
        """An upload becomes a WAITING record in the scan of its day, and a message in the lane express."""
        video, event = put(s3)
        put_at(objects, int(NOW))

        assert {"batchItemFailures": []} == flow.respond(event_of(event))

        record = table.records.record(video.id, DAY_SCAN)
        scan = table.scans.scan(DAY_SCAN)
        assert (State.WAITING, Lane.EXPRESS, video) == (record.state, record.lane, record.video)
        assert int(NOW) == record.uploaded_at
        assert (BUCKET, TODAY, ScanStatus.OPEN, Lane.EXPRESS, ()) == (scan.bucket, scan.day, scan.status, scan.lane, scan.jobs)
        assert [lane_message.body(record)] == [message["Body"] for message in messages(Lane.EXPRESS)]
        assert [] == messages(Lane.NORMAL)

    @pytest.mark.parametrize(
        "key", ["a+b.mp4", "a b.mp4", "100%.mp4", "%2B.mp4", "a,\"\n'<script>.MP4", "\U0001f600.mov", "x" * 1020 + ".mp4"]
    )
    def test_keys(self, flow, table, s3, key):
        """Any key is registered as it is."""
        video, event = put(s3, key)

        flow.respond(event_of(event))

        assert key == table.records.record(video.id, DAY_SCAN).video.key

    def test_the_message_leads_to_the_record(self, flow, table, s3, messages):
        """A starter finds the record by what the message says, with and without versions."""
        bodies = [put(s3, "a.mp4")[1]]
        versions_on(s3)
        bodies.append(put(s3, "b.mp4")[1])

        flow.respond(event_of(*bodies))

        parsed = [lane_message.parse(message["Body"]) for message in messages(Lane.EXPRESS)]
        assert all(table.records.situation(message.analysis).record.video == message.video for message in parsed)
        assert len(parsed) == 2

    def test_sent_again(self, flow, table, s3):
        """The index of waiting records names the content too, so that its message can be sent again."""
        video, event = put(s3)
        flow.respond(event_of(event))

        (waiting,) = table.waiting.waiting(DAY_SCAN)

        assert video == waiting.video

    def test_the_day_is_that_of_the_event(self, flow, table, s3, objects):
        """An event that is dealt with after midnight belongs to the day of its upload."""
        video, _ = put(s3)
        put_at(objects, 1_764_374_399)

        flow.respond(event_of(created("a.mp4", at=1_764_374_399)))

        scan_id = watch.scan_id(BUCKET, "2025-11-28")
        assert table.records.record(video.id, scan_id) is not None
        assert table.scans.scan(scan_id).day == "2025-11-28"

    def test_found_by_the_comparison(self, flow, table, s3):
        """What the comparison found is registered like any upload, and counted once on its day."""
        video, _ = put(s3)
        body = upload.compared_body(Upload(BUCKET, "a.mp4", None, None, len(MP4), NOW, Source.COMPARISON))

        flow.respond(event_of(body, body))

        assert table.records.record(video.id, DAY_SCAN).missed
        assert table.watches.day(BUCKET, TODAY).missed == 1
        assert table.watches.state(BUCKET).last_upload_at is None

    def test_cannot_be_analysed(self, flow, table, s3, messages):
        """An upload that cannot be analysed is FAILED at once, with the reason, and nothing is sent."""
        answer = s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4, StorageClass="GLACIER")

        flow.respond(event_of(created("a.mp4")))

        record = table.records.record(Video(BUCKET, "a.mp4", None, answer["ETag"].strip('"')).id, DAY_SCAN)
        assert (State.FAILED, "archived") == (record.state, record.problem.code)
        assert [] == messages(Lane.EXPRESS)

    def test_forbidden(self, flow, table, s3):
        """An upload that may not be read is FAILED under the etag of its event."""
        put(s3)
        s3.fail("head_object", client_error("403", 403))

        flow.respond(event_of(created("a.mp4")))

        record = table.records.record(Video(BUCKET, "a.mp4", None, "of-the-event").id, DAY_SCAN)
        assert (State.FAILED, "forbidden") == (record.state, record.problem.code)


class TestMeasured:
    @pytest.fixture(name="limited")
    def _limited(self, table, objects, queues, clock):
        """Return a flow whose watch has a limit of minutes."""
        clock.time = NOW
        registration = Registration(table.records, objects, queues, clock)
        watched = {BUCKET: Watch(BUCKET, max_minutes_per_day=60)}
        return UploadFlow(registration, table.records, table.scans, table.watches, clock, watched)

    @pytest.mark.parametrize("behind", [False, True])
    def test_length(self, limited, table, s3, behind):
        """Where a day has a limit, the length by the header is noted, also where the header is behind the film."""
        video, event = put(s3, body=film(90_500, before=MDAT) if behind else film(90_500, behind=MDAT))

        limited.respond(event_of(event))

        assert 90_500 == table.records.record(video.id, DAY_SCAN).expected_ms
        assert 2 + 1 + behind == len([call for call in s3.calls if call[0] in ("head_object", "get_object")])

    def test_no_header(self, limited, table, s3):
        """A file whose header cannot be found is registered all the same."""
        video, event = put(s3, body=MP4[:16] + MDAT)

        limited.respond(event_of(event))

        assert (State.WAITING, None) == ((record := table.records.record(video.id, DAY_SCAN)).state, record.expected_ms)

    def test_without_a_limit(self, flow, table, s3):
        """Where there is no limit, no further byte is read."""
        video, event = put(s3, body=film(90_500))

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).expected_ms is None
        assert ["head_object", "get_object"] == [call[0] for call in s3.calls if call[0] in ("head_object", "get_object")]

    def test_replaced_meanwhile(self, limited, table, s3, objects):
        """If the object is replaced or may not be read any more between the two looks, its length is not known."""
        video, event = put(s3, body=film(90_500))
        look = objects.look

        def replaced(*asked):
            found = look(*asked)
            put(s3, body=film(10_000))
            return found

        objects.look = replaced

        limited.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).expected_ms is None


class TestFrames:
    """Uploads where frames are deployed, and what becomes of them where they are deployed no more."""

    @pytest.fixture(name="by")
    def _by(self, table, s3, sqs, urls, clock):
        """Return a function that makes a flow with a watch, with lanes of frames or without."""
        clock.time = NOW

        def by(*, frames=True, **fields):
            lanes = urls if frames else {lane: urls[lane] for lane in (Lane.NORMAL, Lane.EXPRESS)}
            registration = Registration(table.records, ObjectStore(s3, images=frames), LaneQueues(sqs, lanes), clock)
            watched = {BUCKET: Watch(BUCKET, suffixes=SUFFIXES_WITH_IMAGES, **fields)}
            return UploadFlow(registration, table.records, table.scans, table.watches, clock, watched)

        return by

    @pytest.mark.parametrize("body", [MP4, b"\x1a\x45\xdf\xa3" + bytes(2_000)])
    def test_film(self, by, table, s3, messages, body):
        """A film goes into the express lane of frames with the interval of its watch, in whatever container."""
        video, event = put(s3, body=body)

        by(engine=Engine.FRAMES, interval_ms=2_000).respond(event_of(event))

        record = table.records.record(video.id, DAY_SCAN)
        assert (Engine.FRAMES, 2_000, Lane.FRAMES_EXPRESS) == (record.engine, record.interval_ms, record.lane)
        assert [lane_message.body(record)] == [message["Body"] for message in messages(Lane.FRAMES_EXPRESS)]
        assert [] == messages(Lane.EXPRESS)

    @pytest.mark.parametrize("engine", Engine)
    def test_image(self, by, table, s3, messages, engine):
        """An image goes by frames, whatever the engine of its watch; no header is looked for in it."""
        video, event = put(s3, "a.JPG", JPEG)

        by(engine=engine, max_minutes_per_day=60).respond(event_of(event))

        record = table.records.record(video.id, DAY_SCAN)
        assert (Engine.FRAMES, Lane.FRAMES_EXPRESS, None) == (record.engine, record.lane, record.expected_ms)
        assert ["head_object", "get_object"] == [call[0] for call in s3.calls if call[0] in ("head_object", "get_object")]
        assert (1, []) == (len(messages(Lane.FRAMES_EXPRESS)), messages(Lane.EXPRESS))

    def test_film_where_images_are_watched(self, by, table, s3, messages):
        """With the video API a film goes its usual way, although images are watched."""
        video, event = put(s3)

        by().respond(event_of(event))

        assert (Engine.VIDEO, None) == ((record := table.records.record(video.id, DAY_SCAN)).engine, record.interval_ms)
        assert 1 == len(messages(Lane.EXPRESS))

    def test_length(self, by, table, s3):
        """Where a day has a limit, a film by frames is measured as any other."""
        video, event = put(s3, body=film(90_500))

        by(engine=Engine.FRAMES, max_minutes_per_day=60).respond(event_of(event))

        assert 90_500 == table.records.record(video.id, DAY_SCAN).expected_ms

    def test_retry(self, by, table, s3, messages):
        """A retry keeps engine and interval, though the watch has others by now."""
        video, event = put(s3)
        by(engine=Engine.FRAMES, interval_ms=2_000).respond(event_of(event))
        failed = table.records.record(video.id, DAY_SCAN)
        table.records.finish(failed.as_failed(Problem("changed", "changed"), at=NOW))
        messages(Lane.FRAMES_EXPRESS)

        by().respond(event_of(upload.retry_body(failed, 1)))

        record = table.records.record(video.id, DAY_SCAN)
        assert (1, Engine.FRAMES, 2_000) == (record.attempt, record.engine, record.interval_ms)
        assert 1 == len(messages(Lane.FRAMES_EXPRESS))

    def test_retry_without_frames(self, by, table, s3, messages):
        """Where frames are deployed no more, a retry changes nothing: the video API would cost more than was asked for."""
        video, event = put(s3)
        by(engine=Engine.FRAMES).respond(event_of(event))
        failed = table.records.record(video.id, DAY_SCAN)
        table.records.finish(failed.as_failed(Problem("changed", "changed"), at=NOW))

        answer = by(frames=False).respond(event_of(upload.retry_body(failed, 1)))

        assert {"batchItemFailures": []} == answer
        assert (State.FAILED, 0) == ((record := table.records.record(video.id, DAY_SCAN)).state, record.attempt)
        assert [] == messages(Lane.EXPRESS)


class TestIgnored:
    @pytest.mark.parametrize(
        "event",
        [
            created("a.mkv"),
            created("a.mp4", size=0),
            created("a.mp4", bucket="amzn-s3-demo-work"),
            created("hits/scan=1/a.json.gz"),
        ],
        ids=["suffix", "empty", "bucket", "hits"],
    )
    def test_not_watched(self, flow, raw, s3, messages, event):
        """Other suffixes, empty objects and other buckets leave no trace, and are not even looked at."""
        put(s3)
        s3.calls.clear()

        assert {"batchItemFailures": []} == flow.respond(event_of(event))

        assert ({}, [], []) == (raw(), messages(Lane.EXPRESS), s3.calls)

    @pytest.mark.parametrize(("after", "registered"), [(-1, True), (0, True), (1, False)])
    def test_off(self, flow, table, s3, objects, clock, after, registered):
        """What was uploaded after a watch was switched off leaves no trace, though events come for rules of others."""
        video, _ = put(s3)
        table.watches.begin(BUCKET, NOW - 60)
        put_at(objects, int(NOW) + after)
        clock.time = int(NOW)
        table.watches.end(BUCKET)

        assert {"batchItemFailures": []} == flow.respond(event_of(created("a.mp4", at=NOW + after)))

        assert registered is (table.records.record(video.id, DAY_SCAN) is not None)
        assert registered is (table.watches.current(BUCKET, "a.mp4") is not None)

    def test_off_by_a_slow_clock(self, flow, table, s3, objects, clock):
        """What was uploaded before a watch was switched off is registered, if a later event was seen, though the clock was slow."""
        table.watches.note_upload(BUCKET, int(NOW))
        video, event = put(s3)
        put_at(objects, int(NOW))
        clock.time = NOW - 300
        table.watches.end(BUCKET)

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).state is State.WAITING

    def test_put_after_it_was_off(self, flow, table, s3, objects):
        """A late event of before that finds what was put after a watch was switched off registers nothing."""
        video, _ = put(s3)
        put_at(objects, int(NOW) + 60)
        table.watches.begin(BUCKET, NOW - 100)
        table.watches.end(BUCKET)

        flow.respond(event_of(created("a.mp4", at=NOW - 50)))

        assert table.records.record(video.id, DAY_SCAN) is None
        assert table.watches.current(BUCKET, "a.mp4") is None

    def test_on_again(self, flow, table, s3):
        """What is uploaded after a watch was switched on again is registered."""
        video, event = put(s3)
        table.watches.end(BUCKET)
        table.watches.begin(BUCKET, NOW)

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).state is State.WAITING

    def test_prefixes(self, table, objects, queues, clock, s3, raw):
        """A key without any of the prefixes is not looked at."""
        registration = Registration(table.records, objects, queues, clock)
        watched = {BUCKET: Watch(BUCKET, prefixes=("in/",))}

        UploadFlow(registration, table.records, table.scans, table.watches, clock, watched).respond(event_of(put(s3)[1]))

        assert {} == raw()

    def test_deleted(self, flow, raw, messages):
        """An object that is gone by now leaves no record: a content that is gone has no consequences."""
        flow.respond(event_of(created("gone.mp4")))

        assert ({}, []) == (raw(), messages(Lane.EXPRESS))

    def test_no_video(self, flow, table, s3):
        """What is not a video gets no record and no scan, but a note, so that the comparison does not find it."""
        video, event = put(s3, body=b"just text")

        flow.respond(event_of(event))

        current = table.watches.current(BUCKET, "a.mp4")
        assert (video.id, None) == (current.video_id, current.scan_id)
        assert [] == table.scans.scans()

    @pytest.mark.parametrize("body", ["", "x", "{}", "[]", '{"source": "aws.s3"}', '{"source": "retry", "bucket": "b"}'])
    def test_none_of_ours(self, flow, raw, body):
        """A message that is none of ours is dropped; it would come back for days."""
        assert {"batchItemFailures": []} == flow.respond(event_of(body))
        assert {} == raw()

    @pytest.mark.parametrize("event", [None, {}, [], {"Records": None}, {"Records": [1, None]}])
    def test_no_event(self, flow, event):
        """No event makes the function raise."""
        assert {"batchItemFailures": []} == flow.respond(event)


class TestRepeated:
    def test_twice(self, flow, table, s3, messages):
        """A repeated event registers nothing anew and sends nothing."""
        video, event = put(s3)

        flow.respond(event_of(event, event))
        flow.respond(event_of(event))

        assert len(messages(Lane.EXPRESS)) == 1
        assert table.records.record(video.id, DAY_SCAN).superseded_at is None

    def test_after_the_verdict(self, flow, table, s3):
        """A repeated event leaves a verdict alone."""
        video, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(video.id, DAY_SCAN)
        table.records.finish(record.as_failed(Problem("analysis-failed", "no codec"), at=NOW))

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).state is State.FAILED

    def test_on_another_day(self, flow, table, s3):
        """An upload at midnight whose day is told differently is registered once, in the scan that was first."""
        video, event = put(s3)
        flow.respond(event_of(event))

        flow.respond(event_of(created("a.mp4", at=NOW - 86_400)))

        assert [DAY_SCAN] == [scan.id for scan in table.scans.scans()]
        assert table.records.record(video.id, DAY_SCAN) is not None

    def test_a_closed_scan_is_opened_again(self, flow, table, s3, clock):
        """A late event opens the scan of its day again."""
        put(s3)
        flow.respond(event_of(created("a.mp4")))
        table.scans.close_scan(table.scans.scan(DAY_SCAN))
        _, event = put(s3, "b.mp4")
        clock.time += 60

        flow.respond(event_of(event))

        assert table.scans.scan(DAY_SCAN).status is ScanStatus.OPEN

    def test_a_scan_that_is_about_to_be_closed(self, flow, table, s3, objects, clock):
        """What is registered while an environment relies on a scan being open is in an open one, though nothing of it waited."""
        close = CloseScans(table.records, table.samplings, table.waiting, table.scans, table.watches, clock)
        videos = [put(s3, key)[0] for key in ("a.mp4", "b.mp4", "c.mp4")]
        clock.time = watch.end_of(TODAY) + 2 * 86_400
        archived, statuses = Problem("archived", "It is archived."), []
        # The sweeps are a minute apart; the second upload comes just before the second one.
        for video, problem, until_sweep, after in zip(videos, (archived, archived, None), (15, 14, 1), (46, 15, 0), strict=True):
            found = Look(ObjectFacts(video.etag, 3, None, int(NOW)), problem)
            objects.look = lambda *_, found=found: found
            flow.respond(event_of(created(video.key)))
            statuses.append(table.scans.scan(DAY_SCAN).status)
            clock.time += until_sweep
            close.run(SweepContext(table.scans, table.control), clock.now() + 5)
            clock.time += after

        assert [ScanStatus.OPEN] * 3 == statuses
        assert State.WAITING is table.records.record(videos[2].id, DAY_SCAN).state

    def test_relied_on_for_less_than_the_sweeper_waits(self):
        """What was registered in a scan that was just found open is seen by one of the two sweeps that close it."""
        assert KNOWN_SECONDS + 5 < EMPTY_SECONDS

    def test_a_late_event_of_what_was_replaced(self, flow, table, s3, objects):
        """A late event finds what another one put since: that is an upload of its own day and time, and yesterday gets no scan."""
        put(s3)
        second, event = put(s3, body=OTHER_MP4)
        put_at(objects, int(NOW))

        flow.respond(event_of(created("a.mp4", at=NOW - 86_400), event))

        assert [DAY_SCAN] == [scan.id for scan in table.scans.scans()]
        assert int(NOW) == table.records.record(second.id, DAY_SCAN).uploaded_at

    def test_once_a_minute(self, flow, dynamodb, s3, clock):
        """An environment checks the scan of a day, and notes that events come, once a minute."""
        counts = []
        for key, seconds in (("a.mp4", 0), ("b.mp4", KNOWN_SECONDS - 0.1), ("c.mp4", 0.2)):
            clock.time += seconds
            dynamodb.calls.clear()
            flow.respond(event_of(put(s3, key)[1]))
            keys = [call["Key"]["pk"]["S"] for call in dynamodb.called("get_item")]
            noted = [call for call in dynamodb.called("update_item") if call["Key"]["pk"]["S"] == "WATCH"]
            counts.append((keys.count("SCANS"), len(noted)))

        assert [(1, 1), (0, 0), (2, 1)] == counts


class TestReplaced:
    def test_without_versions(self, flow, table, s3, messages):
        """A second upload under a key is another video; the first one is superseded."""
        first, event = put(s3)
        flow.respond(event_of(event))
        second, event = put(s3, body=OTHER_MP4)

        flow.respond(event_of(event))

        assert table.records.record(first.id, DAY_SCAN).superseded_at == NOW
        assert table.records.record(second.id, DAY_SCAN).superseded_at is None
        assert len(messages(Lane.EXPRESS)) == 2

    def test_with_versions(self, flow, table, s3):
        """A second version is another video; the first one is superseded."""
        versions_on(s3)
        first, event = put(s3)
        flow.respond(event_of(event))
        second, event = put(s3, body=OTHER_MP4)

        flow.respond(event_of(event))

        superseded = [table.records.record(video.id, DAY_SCAN).superseded_at is not None for video in (first, second)]
        assert [True, False] == superseded

    def test_late_and_refused(self, flow, table, s3):
        """A late event of an older content that S3 refuses to show leaves the note about the newest one as it is."""
        _, event = put(s3)
        flow.respond(event_of(event))
        before = table.watches.current(BUCKET, "a.mp4")
        s3.fail("head_object", *[client_error("403", 403)] * 9)

        flow.respond(event_of(created("a.mp4", at=before.modified_at - 60)))

        assert before == table.watches.current(BUCKET, "a.mp4")

    def test_events_in_reverse(self, flow, table, s3):
        """An older version whose event comes last is superseded from the beginning."""
        versions_on(s3)
        first, early = put(s3)
        second, late = put(s3, body=OTHER_MP4)
        table.watches.note_current(current_of(second, modified_at=NOW + 86_400), None)

        flow.respond(event_of(late, early))

        superseded = [table.records.record(video.id, DAY_SCAN).superseded_at is not None for video in (first, second)]
        assert [True, False] == superseded

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "in reverse"])
    def test_in_the_same_second(self, flow, table, objects, s3, order):
        """S3's times have no fraction: of two versions of one second the one that is there now is the newer one."""
        versions_on(s3)
        puts = [put(s3), put(s3, body=OTHER_MP4)]
        put_at(objects, NOW)

        for number in order:
            flow.respond(event_of(puts[number][1]))

        superseded = [table.records.record(video.id, DAY_SCAN).superseded_at is not None for video, _ in puts]
        assert [True, False] == superseded

    def test_by_something_else(self, flow, table, s3):
        """A video that is replaced by what is not a video is superseded as well."""
        first, event = put(s3)
        flow.respond(event_of(event))
        _, event = put(s3, body=b"just text")

        flow.respond(event_of(event))

        assert table.records.record(first.id, DAY_SCAN).superseded_at == NOW

    def test_the_event_of_what_is_gone(self, flow, table, s3, messages):
        """Without versions both events of two uploads mean the content that is there: it is registered once."""
        put(s3)
        second, event = put(s3, body=OTHER_MP4)

        flow.respond(event_of(created("a.mp4"), event))

        assert table.records.record(second.id, DAY_SCAN).superseded_at is None
        assert len(messages(Lane.EXPRESS)) == 1

    @pytest.mark.parametrize("state", [State.CLEAN, State.FLAGGED, State.FAILED])
    def test_a_content_that_comes_back(self, flow, table, s3, messages, state):
        """Of A, B and A again, A is analysed again, once: Rekognition may have read B, and its mail may have been spared."""
        first, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(first.id, DAY_SCAN)
        table.records.finish(replace(record, state=state, finished_at=NOW, problem=Problem("missing", "gone")))
        second, event = put(s3, body=OTHER_MP4)
        flow.respond(event_of(event))
        again, event = put(s3)

        flow.respond(event_of(event, event))

        record = table.records.record(first.id, DAY_SCAN)
        assert first == again
        assert (State.WAITING, 1, None) == (record.state, record.attempt, record.superseded_at)
        assert table.records.record(second.id, DAY_SCAN).superseded_at is not None
        assert len(messages(Lane.EXPRESS)) == 3
        assert table.scans.totals(DAY_SCAN).final == 0

    @pytest.mark.parametrize(("state", "attempt"), [(State.CLEAN, 1), (State.FAILED, 1), (State.CANCELLED, 1), (State.WAITING, 0)])
    def test_the_same_bytes_later(self, flow, table, s3, objects, messages, state, attempt):
        """The same bytes that are put later on the day are analysed again; what still waits is looked at when it is started."""
        first, event = put(s3)
        put_at(objects, int(NOW))
        flow.respond(event_of(event))
        if state is not State.WAITING:
            record = table.records.record(first.id, DAY_SCAN)
            table.records.finish(replace(record, state=state, finished_at=NOW, problem=Problem("missing", "gone")))
        put_at(objects, int(NOW) + 60)
        second = created(first.key, at=NOW + 60)

        flow.respond(event_of(second, second))

        record = table.records.record(first.id, DAY_SCAN)
        assert (State.WAITING, attempt) == (record.state, record.attempt)
        # The time to the next verdict counts from the upload that it is about.
        assert int(NOW) + 60 * attempt == record.uploaded_at
        assert len(messages(Lane.EXPRESS)) == 1 + attempt

    def test_the_same_bytes_while_they_are_analysed(self, flow, table, s3, objects):
        """While an analysis runs that may have read other bytes, the event comes back, until it is over."""
        first, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(first.id, DAY_SCAN)
        table.records.enter_running(record, "job")
        later(objects, 60)

        back = flow.respond(event_of(event))
        table.records.finish(replace(record, state=State.CLEAN, finished_at=NOW))
        done = flow.respond(event_of(event))

        assert [{"batchItemFailures": [{"itemIdentifier": "m0"}]}, {"batchItemFailures": []}] == [back, done]
        again = table.records.record(first.id, DAY_SCAN)
        assert (State.WAITING, 1) == (again.state, again.attempt)

    def test_put_too_often(self, flow, table, s3, objects, messages, caplog):
        """After 99 analyses on a day the last verdict stays, with an alarm: an attempt has two digits."""
        video, event = put(s3)
        last = Record(video, DAY_SCAN, State.CLEAN, 99, uploaded_at=NOW, put_at=NOW - 1, finished_at=NOW)
        table.records.register(last, None)
        later(objects, 60)

        assert {"batchItemFailures": []} == flow.respond(event_of(event))

        (alarm,) = [entry for entry in caplog.records if entry.message == "upload not analysed again: it was put too often"]
        assert (DAY_SCAN, video.id, "ERROR") == (alarm.scan_id, alarm.video_id, alarm.levelname)
        assert (State.CLEAN, 99) == ((record := table.records.record(video.id, DAY_SCAN)).state, record.attempt)
        assert [] == messages(Lane.EXPRESS)

    @pytest.mark.parametrize(("seconds", "more", "attempt"), [(0, 0, 0), (0, 1, 1), (1, 0, 1)])
    def test_other_bytes_with_the_same_etag(self, flow, table, s3, objects, seconds, more, attempt):
        """Bytes with the same MD5 are analysed, if they are put in another second or have another size."""
        video, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(video.id, DAY_SCAN)
        table.records.finish(replace(record, state=State.CLEAN, finished_at=NOW))
        look = objects.look

        def collided(*asked):
            found = look(*asked)
            facts = replace(found.facts, size=found.facts.size + more, modified_at=found.facts.modified_at + seconds)
            return replace(found, facts=facts)

        objects.look = collided

        flow.respond(event_of(event, event))

        assert attempt == table.records.record(video.id, DAY_SCAN).attempt

    def test_a_version_that_is_uncovered(self, flow, table, s3):
        """A version that is current again, as the later one was deleted, has its verdict again, and is mailed if it is flagged."""
        versions_on(s3)
        first, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(first.id, DAY_SCAN)
        table.records.finish(replace(record, state=State.FLAGGED, finished_at=NOW, counted=("Weapons",)))
        second, event = put(s3, body=OTHER_MP4)
        flow.respond(event_of(event))
        s3.delete_object(Bucket=BUCKET, Key="a.mp4", VersionId=second.version_id)

        flow.respond(event_of(upload.compared_body(Upload(BUCKET, "a.mp4", None, None, len(MP4), NOW, Source.COMPARISON))))

        record = table.records.record(first.id, DAY_SCAN)
        assert (State.FLAGGED, 0, None, True) == (record.state, record.attempt, record.superseded_at, record.mail_due)
        assert [(first.id, DAY_SCAN)] == list(table.records.mails_due(10))

    def test_replaced_while_it_comes_back(self, flow, table, s3, objects, queues, clock):
        """A content that comes back and is replaced at that moment is superseded in the end."""
        first, event = put(s3)
        flow.respond(event_of(event))
        flow.respond(event_of(put(s3, body=OTHER_MP4)[1]))
        _, back = put(s3)
        again = table.records.note_put_again

        def overtaken(*arguments):
            table.records.note_put_again = again
            flow_of(table, objects, queues, clock).respond(event_of(put(s3, body=OTHER_MP4 + b"!")[1]))
            return again(*arguments)

        table.records.note_put_again = overtaken
        flow.respond(event_of(back))

        assert table.records.record(first.id, DAY_SCAN).superseded_at is not None

    def test_a_multipart_upload_that_was_begun_before(self, flow, table, objects, s3):
        """Without versions what is there counts, though its LastModified, when it was initiated, is the earlier one."""
        first, event = put(s3)
        flow.respond(event_of(event))
        second, event = put(s3, body=OTHER_MP4)
        put_at(objects, NOW - 3_600)

        flow.respond(event_of(event))

        superseded = [table.records.record(video.id, DAY_SCAN).superseded_at is not None for video in (first, second)]
        assert [True, False] == superseded

    def test_the_same_bytes_on_another_day(self, flow, table, s3):
        """The same bytes on a later day are an upload of that day: an equal etag proves nothing against an uploader."""
        video, event = put(s3)
        table.watches.note_current(current_of(video, modified_at=NOW - 90_000, scan_id=watch.scan_id(BUCKET, "2025-11-28")), None)

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN) is not None

    def test_noted_on_another_day_meanwhile(self, flow, table, s3, objects):
        """If the same bytes are noted for the next day while this one is registered, this day's record is superseded."""
        video, event = put(s3)
        tomorrow = watch.scan_id(BUCKET, watch.day_of(NOW + 86_400))
        ensure = table.scans.ensure_day_scan

        def overtaken(*arguments, **named):
            seen = table.watches.current(BUCKET, "a.mp4")
            table.watches.note_current(current_of(video, modified_at=NOW + 86_400, scan_id=tomorrow), seen)
            return ensure(*arguments, **named)

        table.scans.ensure_day_scan = overtaken
        put_at(objects, int(NOW))

        flow.respond(event_of(event))

        assert table.records.record(video.id, DAY_SCAN).superseded_at is not None

    def test_a_late_mark_on_what_came_back(self, flow, table, s3, objects):
        """Whoever still holds that a content was replaced does not mark it once it has come back."""
        first, event = put(s3)
        flow.respond(event_of(event))
        second, event = put(s3, body=OTHER_MP4)
        supersede = table.records.supersede
        seen = []

        def late(video_id, scan_id):
            if not seen:
                seen.append(video_id)
                note = table.watches.current(BUCKET, "a.mp4")
                table.watches.note_current(current_of(first, modified_at=NOW + 60), note)
            return supersede(video_id, scan_id)

        table.records.supersede = late

        flow.respond(event_of(event))

        assert [first.id] == seen
        assert table.records.record(first.id, DAY_SCAN).superseded_at is None
        assert table.records.record(second.id, DAY_SCAN).superseded_at is not None


def current_of(video, *, modified_at, scan_id=DAY_SCAN):
    """Return the note of a content as the newest one of its key."""
    return CurrentUpload(video.bucket, video.key, video.id, scan_id, modified_at)


def put_at(objects, at):
    """Let S3 tell that all objects were put at a time."""
    look = objects.look
    objects.look = lambda *asked: replace(found := look(*asked), facts=replace(found.facts, modified_at=at))


def later(objects, seconds):
    """Let S3 tell that all objects were put later by so much."""
    look = objects.look

    def looked(*asked):
        found = look(*asked)
        return replace(found, facts=replace(found.facts, modified_at=found.facts.modified_at + seconds))

    objects.look = looked


class TestPaused:
    def test_a_new_day(self, flow, table, s3):
        """While the watch is paused the scan of a new day begins paused, with the reason by which it is resumed."""
        table.watches.pause_uploads(BUCKET, "reviewer")
        video, event = put(s3)

        flow.respond(event_of(event))

        scan = table.scans.scan(DAY_SCAN)
        assert (ScanStatus.PAUSED, watch.PAUSED_BY_HAND) == (scan.status, scan.held_reason)
        assert table.records.record(video.id, DAY_SCAN).state is State.WAITING

    @pytest.mark.parametrize(("released", "status"), [(False, ScanStatus.PAUSED), (True, ScanStatus.OPEN)])
    def test_the_minutes_are_used_up(self, flow, table, s3, released, status):
        """A scan that begins on a day whose minutes are used up waits from the beginning, unless a person has lifted the limit."""
        table.watches.note_limit(BUCKET, TODAY)
        if released:
            table.watches.release(BUCKET, TODAY)

        flow.respond(event_of(put(s3)[1]))

        assert table.scans.scan(DAY_SCAN).status is status

    def test_the_last_event(self, flow, table, s3):
        """The watch knows when the last event came."""
        flow.respond(event_of(put(s3)[1]))

        assert int(NOW) == table.watches.state(BUCKET).last_upload_at


class TestRetried:
    @pytest.fixture(name="failed")
    def _failed(self, flow, table, s3):
        """Return the record of an upload that has failed."""
        video, event = put(s3)
        flow.respond(event_of(event))
        record = table.records.record(video.id, DAY_SCAN)
        table.records.finish(record.as_failed(Problem("result-lost", "lost"), at=NOW))
        return table.records.record(video.id, DAY_SCAN)

    def test_again(self, flow, table, failed, messages):
        """A retry raises the attempt, keeps what is known of the upload, and sends a message; twice does no more than once."""
        body = upload.retry_body(failed, 1)
        messages(Lane.EXPRESS)

        flow.respond(event_of(body))
        flow.respond(event_of(body))

        record = table.records.record(failed.video.id, DAY_SCAN)
        assert (State.WAITING, 1, failed.uploaded_at) == (record.state, record.attempt, record.uploaded_at)
        assert table.scans.totals(DAY_SCAN).final == 0
        assert {lane_message.body(record)} == {message["Body"] for message in messages(Lane.EXPRESS)}

    def test_what_is_kept(self, flow, table, failed):
        """A new attempt is of the same upload: when it was put, and that another content has replaced it, is kept."""
        table.records.supersede(failed.video.id, DAY_SCAN)
        failed = table.records.record(failed.video.id, DAY_SCAN)

        flow.respond(event_of(upload.retry_body(failed, 1)))

        record = table.records.record(failed.video.id, DAY_SCAN)
        assert (failed.put_at, failed.superseded_at) == (record.put_at, record.superseded_at)
        assert None not in (failed.put_at, failed.superseded_at)

    def test_replaced_since(self, flow, table, failed, s3):
        """A content that was replaced cannot be retried: it fails with that reason."""
        put(s3, body=OTHER_MP4)

        flow.respond(event_of(upload.retry_body(failed, 1)))

        record = table.records.record(failed.video.id, DAY_SCAN)
        assert (State.FAILED, 1, "superseded") == (record.state, record.attempt, record.problem.code)
        assert table.scans.totals(DAY_SCAN).final == 1

    def test_unknown(self, flow, table, failed):
        """A retry of what the scan does not have changes nothing."""
        scan_id = watch.scan_id(BUCKET, "2025-11-28")
        body = json.dumps({**json.loads(upload.retry_body(failed, 1)), "scan_id": scan_id})

        assert {"batchItemFailures": []} == flow.respond(event_of(body))
        assert table.scans.scan(scan_id) is None


class TestTroubles:
    @pytest.mark.parametrize("code", ["ThrottlingException", "SlowDown"])
    def test_for_a_while(self, flow, table, s3, code):
        """Trouble that passes is waited out in place."""
        video, event = put(s3)
        s3.fail("head_object", client_error(code, 503), client_error(code, 503))

        assert {"batchItemFailures": []} == flow.respond(event_of(event))
        assert table.records.record(video.id, DAY_SCAN) is not None

    def test_for_longer(self, flow, table, s3):
        """A message that could not be dealt with comes back, and the others are dealt with."""
        _, first = put(s3, "a.mp4")
        second, event = put(s3, "b.mp4")
        s3.fail("head_object", client_error("Unknown", 400))

        answer = flow.respond(event_of(first, event))

        assert {"batchItemFailures": [{"itemIdentifier": "m0"}]} == answer
        assert table.records.record(second.id, DAY_SCAN) is not None


def twice(respond, clients, operation, calls):
    """Respond to an event and be killed after the n-th call of an operation, then respond once more."""
    for client in clients:
        client.die_after(operation, KilledError(), calls)
    with contextlib.suppress(KilledError):
        respond()
    for client in clients:
        client.live()
    respond()


class TestKilled:
    @pytest.mark.parametrize("calls", range(1, 8))
    @pytest.mark.parametrize(
        "operation", ["get_item", "put_item", "update_item", "transact_write_items", "send_message", "head_object"]
    )
    def test_anywhere(self, table, objects, queues, clock, flow, s3, sqs, dynamodb, messages, operation, calls):
        """Killed after any call and repeated, an upload has one record and its message, and what it replaced is superseded."""
        first, event = put(s3)
        flow.respond(event_of(event))
        second, event = put(s3, body=OTHER_MP4)

        twice(lambda: flow_of(table, objects, queues, clock).respond(event_of(event)), (s3, sqs, dynamodb), operation, calls)

        records = [table.records.record(video.id, DAY_SCAN) for video in (first, second)]
        assert [True, False] == [record.superseded_at is not None for record in records]
        assert {lane_message.body(record) for record in records} == {message["Body"] for message in messages(Lane.EXPRESS)}

    @pytest.mark.parametrize("calls", range(1, 6))
    @pytest.mark.parametrize("operation", ["get_item", "put_item", "update_item", "transact_write_items", "send_message"])
    @pytest.mark.parametrize("final", [False, True])
    def test_when_a_content_comes_back(
        self, table, objects, queues, clock, flow, s3, sqs, dynamodb, messages, operation, calls, final
    ):
        """Killed after any call and repeated, a content that is back waits for one analysis, and what it replaced is superseded."""
        first, event = put(s3)
        flow.respond(event_of(event))
        if final:
            record = table.records.record(first.id, DAY_SCAN)
            table.records.finish(replace(record, state=State.CLEAN, finished_at=NOW))
        second, event = put(s3, body=OTHER_MP4)
        flow.respond(event_of(event))
        _, event = put(s3)

        twice(lambda: flow_of(table, objects, queues, clock).respond(event_of(event)), (s3, sqs, dynamodb), operation, calls)

        records = [table.records.record(video.id, DAY_SCAN) for video in (first, second)]
        assert [(False, int(final)), (True, 0)] == [(each.superseded_at is not None, each.attempt) for each in records]
        assert {State.WAITING} == {each.state for each in records}
        assert {lane_message.body(each) for each in records} <= {message["Body"] for message in messages(Lane.EXPRESS)}

    def test_replaced_while_it_is_registered(self, table, objects, queues, clock, flow, s3, dynamodb):
        """An upload that is replaced before it has a record is superseded once it has one."""
        versions_on(s3)
        (first, early), (second, late) = put(s3), put(s3, body=OTHER_MP4)
        register = table.records.register

        def overtaken(record, previous):
            if record.video == first:
                flow_of(table, objects, queues, clock).respond(event_of(late))
            return register(record, previous)

        table.records.register = overtaken
        flow.respond(event_of(early))

        superseded = [table.records.record(video.id, DAY_SCAN).superseded_at is not None for video in (first, second)]
        assert [True, False] == superseded


def test_the_edge(aws, monkeypatch, urls):
    """The function reads its settings at its first call, and answers an event without messages."""
    new_upload._flow.cache_clear()
    for name, value in {
        "TABLE_NAME": "scans",
        "NORMAL_QUEUE_URL": urls[Lane.NORMAL],
        "EXPRESS_QUEUE_URL": urls[Lane.EXPRESS],
        "WATCH": watch.text({BUCKET: Watch(BUCKET)}),
    }.items():
        monkeypatch.setenv(name, value)

    assert {"batchItemFailures": []} == new_upload.handler(event_of("{}"), None)
    new_upload._flow.cache_clear()


def test_the_work_bucket(aws, urls, table, raw, monkeypatch):
    """Events of the work bucket start nothing, even where it is among the watched buckets: each result would be an upload."""
    monkeypatch.setattr("handlers.wiring.open_table", lambda *_, **__: table)
    settings = NewUploadSettings(
        table_name="scans",
        normal_queue_url=urls[Lane.NORMAL],
        express_queue_url=urls[Lane.EXPRESS],
        watch=watch.text({BUCKET: Watch(BUCKET)}),
        work_bucket_name=BUCKET,
    )

    flow = wiring.upload_flow(settings, wiring.Adapters(Clients(), SystemClock()))

    assert {"batchItemFailures": []} == flow.respond(event_of(created("hits/a.mp4")))
    assert {} == raw()
