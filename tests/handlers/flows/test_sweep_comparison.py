"""Comparing watched buckets: what no event brought is sent to the queue of uploads, whenever the sweeper dies."""

import contextlib
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from handlers.adapters.table import Comparison, CurrentUpload, WatchState, open_table
from handlers.adapters.uploads import ATTEMPTS, BucketListing, UploadQueue
from handlers.domain import ObjectFacts, Record, State, Video, upload, watch
from handlers.domain.upload import Source, Upload
from handlers.domain.watch import Watch
from handlers.flows.registration import Registration
from handlers.flows.sweep.compare_uploads import CompareUploads
from handlers.flows.sweep.context import SweepContext
from handlers.flows.sweep.sweep import SweepFlow, UploadPorts
from handlers.flows.upload import UploadFlow
from tests.handlers import tables
from tests.handlers.doubles import ACCOUNT, BUCKET, MP4, TABLE, Clock, Through, client_error
from tests.handlers.sweeper_doubles import SETTINGS, Buckets, KilledError, UploadMessages

OTHER_BUCKET = "amzn-s3-demo-other"
DAY = "2026-11-29"
SCAN_ID = watch.scan_id(BUCKET, DAY)
NOON = watch.begin_of(DAY) + 43_200
# When the uploads of the day are compared.
BEGIN = watch.end_of(DAY) + 1_800
WEEK = 7 * 86_400
FACTS = ObjectFacts("abc", 3, None)


class World:
    """A watched bucket, the table, the queue of uploads, and a sweeper that only compares."""

    def __init__(self, clock, *, page=1_000, seconds=0.0, **watches):
        self.clock = clock
        clock.time = BEGIN
        self.dynamodb = tables.dynamodb(clock)
        self.table = open_table(self.dynamodb, TABLE, clock)
        self.buckets = Buckets(clock, page, seconds)
        self.s3 = Through(self.buckets)
        self.queue = UploadMessages()
        self.sqs = Through(self.queue)
        self.watched = {BUCKET: Watch(BUCKET)} | watches

    @property
    def ports(self):
        """Return what a sweeper uses of watched buckets."""
        return UploadPorts(BucketListing(self.s3), UploadQueue(self.sqs, "uploads", "dead uploads", self.clock))

    def watch(self, bucket=BUCKET, since=0.0):
        """Switch a watch on as if at another time."""
        self.table.watches.begin(bucket, since)
        self.buckets.objects.setdefault(bucket, {})

    def compare(self):
        """Go on comparing for at most ten seconds, in a new environment."""
        ports = self.ports
        task = CompareUploads(self.table.records, self.table.watches, ports.listing, ports.queue, self.clock, self.watched)
        task.run(SweepContext(self.table.scans, self.table.control), self.clock.now() + 10)

    def note(self, key, modified_at, *, scan_id=SCAN_ID, registered=True, bucket=BUCKET, facts=FACTS, put_at=None):
        """Note a key's newest content, and perhaps register it."""
        video = Video(bucket, key, None, "abc")
        self.table.watches.note_current(CurrentUpload(bucket, key, video.id, scan_id, modified_at), None)
        if registered and scan_id is not None:
            record = Record(video, scan_id, State.WAITING, facts=facts, queued_at=1.0, uploaded_at=modified_at, put_at=put_at)
            self.table.records.register(record, None)

    def state(self, bucket=BUCKET):
        """Return what is known of a watch."""
        return self.table.watches.state(bucket)


@pytest.fixture(name="world")
def _world(clock):
    world = World(clock)
    world.watch()
    return world


class TestFound:
    def test_lost_event(self, world):
        """An upload whose event was lost is sent once to the queue of uploads, with the time of its LastModified."""
        world.buckets.put(BUCKET, "a b+é😀%.mp4", NOON, etag="9a-2", size=7)

        world.compare()
        world.compare()

        (body,) = world.queue.bodies
        assert Upload(BUCKET, "a b+é😀%.mp4", None, "9a-2", 7, NOON, Source.COMPARISON) == upload.parse(body)
        assert (BEGIN, None) == (world.state().compared_at, world.state().comparison)

    @pytest.mark.parametrize(
        ("modified_at", "noted"),
        [
            pytest.param(NOON, None, id="never noted"),
            pytest.param(NOON + 1, {"modified_at": NOON}, id="an older content noted"),
            pytest.param(NOON, {"modified_at": NOON, "registered": False}, id="noted without a record"),
            pytest.param(NOON, {"modified_at": NOON, "facts": ObjectFacts("other", 3, None)}, id="another of the same second"),
            pytest.param(NOON, {"modified_at": NOON + 9, "registered": False}, id="a newer one noted without a record"),
        ],
    )
    def test_missed(self, world, modified_at, noted):
        """What has no note, one of another content, or one whose record was never written, is missed."""
        world.buckets.put(BUCKET, "a.mp4", modified_at)
        if noted is not None:
            world.note("a.mp4", **noted)

        world.compare()

        assert ["a.mp4"] == world.queue.keys

    @pytest.mark.parametrize(
        "noted",
        [
            pytest.param({"modified_at": NOON}, id="registered"),
            pytest.param({"modified_at": NOON, "facts": None}, id="registered, but could not be read"),
            pytest.param({"modified_at": NOON, "scan_id": None}, id="not a video"),
            pytest.param({"modified_at": NOON, "scan_id": watch.scan_id(BUCKET, "2026-11-28")}, id="in another scan"),
        ],
    )
    def test_registered(self, world, noted):
        """What is registered, in whatever scan, or is not a video, is not sent again."""
        world.buckets.put(BUCKET, "a.mp4", NOON)
        world.note("a.mp4", **noted)

        world.compare()

        assert [] == world.queue.keys

    @pytest.mark.parametrize(("put_at", "sent"), [(NOON, []), (NOON - 60, ["a.mp4"])])
    def test_put_again(self, world, put_at, sent):
        """The same bytes that were put again and never came to an analysis of their own are sent."""
        world.buckets.put(BUCKET, "a.mp4", NOON)
        world.note("a.mp4", modified_at=NOON, put_at=put_at)

        world.compare()

        assert sent == world.queue.keys

    def test_another_content_than_the_noted_one(self, world):
        """What is there is sent although a later content is noted: a multipart upload has the time of its beginning."""
        world.buckets.put(BUCKET, "a.mp4", NOON)
        world.note("a.mp4", modified_at=NOON + 9, facts=ObjectFacts("other", 3, None))

        world.compare()

        assert ["a.mp4"] == world.queue.keys

    @pytest.mark.parametrize(
        ("key", "modified_at", "size"),
        [
            pytest.param("in/a.txt", NOON, 3, id="suffix"),
            pytest.param("out/a.mp4", NOON, 3, id="prefix"),
            pytest.param("in/a.mp4", NOON, 0, id="empty"),
            pytest.param("in/a.mp4", NOON - 3_602, 3, id="older than the watch"),
            pytest.param("in/a.mp4", BEGIN - 900, 3, id="its event may still come"),
        ],
    )
    def test_not_looked_at(self, clock, key, modified_at, size):
        """What the watch does not take, is older than it, or was put a moment ago, is not sent."""
        world = World(clock, **{BUCKET: Watch(BUCKET, ("in/",))})
        world.watch(since=NOON - 3_600.5)
        world.buckets.put(BUCKET, key, modified_at, size=size)

        world.compare()

        assert [] == world.queue.keys

    @pytest.mark.parametrize(("seconds", "sent"), [(900.0, []), (901.0, ["a.mp4"])])
    def test_a_moment_ago(self, world, seconds, sent):
        """An upload is looked at a quarter of an hour after it was put; until then its event may be on its way."""
        world.buckets.put(BUCKET, "a.mp4", BEGIN - seconds)

        world.compare()

        assert sent == world.queue.keys

    def test_multipart(self, world):
        """An upload that was initiated before the last comparison and completed after it is found, for a week."""
        world.compare()
        world.buckets.put(BUCKET, "week.mp4", BEGIN - WEEK + 1)
        world.buckets.put(BUCKET, "longer.mp4", BEGIN - WEEK)
        world.clock.time += 86_400

        world.compare()

        assert ["week.mp4"] == world.queue.keys

    def test_without_events(self, world):
        """Uploads of a whole day without events are found, those of another bucket too, ten in a message batch."""
        world.watched[OTHER_BUCKET] = Watch(OTHER_BUCKET)
        world.watch(OTHER_BUCKET)
        for bucket, number in itertools.product((BUCKET, OTHER_BUCKET), range(25)):
            world.buckets.put(bucket, f"{number:02}.mp4", NOON + number)

        world.compare()

        assert [f"{number:02}.mp4" for number in range(25)] * 2 == world.queue.keys
        assert [10, 10, 5] * 2 == [len(call["Entries"]) for call in world.sqs.called("send_message_batch")]

    def test_same_second(self, clock):
        """An upload of the second in which the watch was switched on is looked at: LastModified has no fraction."""
        world = World(clock)
        world.watch(since=NOON + 0.7)
        world.buckets.put(BUCKET, "a.mp4", NOON)

        world.compare()

        assert ["a.mp4"] == world.queue.keys


class TestWhen:
    def test_from_half_past_midnight(self, world):
        """Before half past midnight nothing is read, not even the table."""
        world.clock.time = BEGIN - 1
        before = len(world.dynamodb.calls)

        world.compare()

        assert ([], before) == (world.buckets.asked, len(world.dynamodb.calls))

    def test_once_a_day(self, world):
        """A bucket is listed once a UTC day."""
        for _ in range(3 * 24 * 2):
            world.compare()
            world.clock.time += 1_800

        assert 3 == len(world.buckets.asked)

    def test_off(self, clock):
        """A bucket whose watch was never switched on, or was switched off, is not listed."""
        world = World(clock, **{OTHER_BUCKET: Watch(OTHER_BUCKET)})
        world.watch(OTHER_BUCKET)
        world.table.watches.end(OTHER_BUCKET)

        world.compare()

        assert [] == world.buckets.asked

    def test_one_environment(self, world):
        """Once a bucket is compared, an environment does not read its watch again before the next day."""
        task = CompareUploads(
            world.table.records, world.table.watches, world.ports.listing, world.ports.queue, world.clock, world.watched
        )
        calls = []
        for _ in range(3):
            before = len(world.dynamodb.calls)
            task.run(None, world.clock.now() + 10)
            calls.append(len(world.dynamodb.calls) - before)

        assert [2, 1, 0] == calls

    @pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404)])
    def test_one_that_cannot_be_listed(self, world, caplog, code, status):
        """A bucket that is gone or may not be listed is named once a day; the others are compared, and the sweep does not fail."""
        world.watched = {OTHER_BUCKET: Watch(OTHER_BUCKET)} | world.watched
        world.watch(OTHER_BUCKET)
        world.buckets.put(BUCKET, "a.mp4", NOON)
        ports = world.ports
        task = CompareUploads(world.table.records, world.table.watches, ports.listing, ports.queue, world.clock, world.watched)

        world.s3.fail("list_objects_v2", client_error(code, status))
        for _ in range(3):
            task.run(None, world.clock.now() + 10)
        asked, found = list(world.s3.calls), list(world.queue.keys)
        world.clock.time += 86_400
        task.run(None, world.clock.now() + 10)

        (alarm,) = [entry for entry in caplog.records if entry.message == "bucket not compared"]
        assert (OTHER_BUCKET, code, "ERROR") == (alarm.bucket, alarm.reason, alarm.levelname)
        assert [OTHER_BUCKET, BUCKET] == [parameters["Bucket"] for _, parameters in asked]
        assert ["a.mp4"] == found
        assert BEGIN + 86_400 == world.state(OTHER_BUCKET).compared_at

    def test_one_bad(self, world):
        """A bucket whose listing fails for another reason does not keep the others from being compared, but the sweep fails."""
        world.watched = {OTHER_BUCKET: Watch(OTHER_BUCKET)} | world.watched
        world.watch(OTHER_BUCKET)
        world.buckets.put(BUCKET, "a.mp4", NOON)
        world.s3.fail("list_objects_v2", client_error("InternalError", 500))

        with pytest.raises(ExceptionGroup):
            world.compare()

        assert (["a.mp4"], None) == (world.queue.keys, world.state(OTHER_BUCKET).compared_at)


class TestLogged:
    @pytest.mark.parametrize(
        ("keys", "expected"),
        [((), [("bucket compared", None)]), (("a.mp4", "b.mp4"), [("bucket compared: events are missing", 2)])],
    )
    def test_end(self, world, caplog, keys, expected):
        """The end of a comparison is logged, with how many events were missing, by the sweep that ended it."""
        caplog.set_level("INFO")
        for key in keys:
            world.buckets.put(BUCKET, key, NOON)

        world.compare()
        world.compare()

        assert expected == [
            (entry.message, getattr(entry, "missed", None)) for entry in caplog.records if "compared" in entry.message
        ]

    def test_overtaken(self, world, caplog):
        """A sweep that another one overtook logs nothing."""
        caplog.set_level("INFO")
        world.buckets.put(BUCKET, "a.mp4", NOON)
        end = world.table.watches.end_comparison
        world.table.watches.end_comparison = lambda *given: (end(*given), end(*given))[1]

        world.compare()

        assert [] == [entry.message for entry in caplog.records if "compared" in entry.message]


class TestPages:
    def test_goes_on(self, clock):
        """A long listing goes on after ten seconds with the next sweep, after the key at which it stopped."""
        world = World(clock, page=10, seconds=4.0)
        world.watch()
        for number in range(60):
            world.buckets.put(BUCKET, f"{number:02}.mp4", NOON)

        world.compare()
        under_way = world.state()
        world.compare()

        assert Comparison(BEGIN, "29.mp4", 30) == under_way.comparison
        assert [f"{number:02}.mp4" for number in range(60)] == world.queue.keys
        assert ["", "09.mp4", "19.mp4", "29.mp4", "39.mp4", "49.mp4"] == [after for _, _, after in world.buckets.asked]
        assert (BEGIN, None) == (world.state().compared_at, world.state().comparison)

    def test_a_large_bucket_does_not_keep_others_back(self, clock):
        """Buckets share the time of a sweep: one whose listing takes hours does not keep a small one from being compared."""
        world = World(clock, page=1, seconds=1.0, **{OTHER_BUCKET: Watch(OTHER_BUCKET)})
        for bucket in (BUCKET, OTHER_BUCKET):
            world.watch(bucket)
        for number in range(100):
            world.buckets.put(BUCKET, f"{number:02}.mp4", NOON)
        world.buckets.put(OTHER_BUCKET, "small.mp4", NOON)

        world.compare()
        first = world.state().comparison
        world.compare()

        assert "small.mp4" in world.queue.keys
        assert (BEGIN, None) < (world.state(OTHER_BUCKET).compared_at, "")
        assert (True, True) == (first.after_key < world.state().comparison.after_key, clock.now() <= BEGIN + 2 * 12)

    def test_over_midnight(self, clock):
        """A comparison that takes more than a day ends as it began, and the next one begins at once."""
        world = World(clock, page=1, seconds=11.0)
        world.watch()
        for key in ("a.mp4", "b.mp4"):
            world.buckets.put(BUCKET, key, NOON)

        world.compare()
        world.clock.time = BEGIN + 86_400
        world.compare()
        ended = world.state()
        world.compare()

        assert WatchState(since=0.0, compared_at=BEGIN) == ended
        assert BEGIN + 86_400 < world.state().comparison.began_at

    def test_prefixes(self, clock):
        """Only the prefixes of a watch are listed, each once, though one lies within another."""
        world = World(clock, page=2, **{BUCKET: Watch(BUCKET, ("in/", "in/deep/", "a/", "z/"))})
        world.watch()
        for key in ("a/1.mp4", "b/1.mp4", "in/1.mp4", "in/2.mp4", "in/deep/1.mp4", "in/z.mp4", "y/1.mp4"):
            world.buckets.put(BUCKET, key, NOON)

        world.compare()

        assert ["a/1.mp4", "in/1.mp4", "in/2.mp4", "in/deep/1.mp4", "in/z.mp4"] == world.queue.keys
        assert {"a/", "in/", "z/"} == {prefix for _, prefix, _ in world.buckets.asked}

    def test_two_sweeps(self, clock):
        """Of two sweeps that compare at once, the one that was overtaken stops, and the other's progress stays."""
        world = World(clock, page=1)
        world.watch()
        for key in ("a.mp4", "b.mp4", "c.mp4"):
            world.buckets.put(BUCKET, key, NOON)
        seen = world.state()
        world.compare()

        outcomes = [
            world.table.watches.note_comparison(BUCKET, Comparison(BEGIN, "a.mp4", 1), seen),
            world.table.watches.end_comparison(BUCKET, Comparison(BEGIN - 60), seen),
        ]

        assert ["DONE_BEFORE"] * 2 == [outcome.name for outcome in outcomes]
        assert WatchState(since=0.0, compared_at=BEGIN) == world.state()

    def test_switched_off_meanwhile(self, clock):
        """A comparison leaves nothing behind of a watch that is switched off while it runs."""
        world = World(clock, page=1, seconds=11.0)
        world.watch()
        for key in ("a.mp4", "b.mp4"):
            world.buckets.put(BUCKET, key, NOON)
        clock.meanwhile = lambda: world.table.watches.end(BUCKET)

        world.compare()

        assert WatchState() == replace(world.state(), ended_at=None)


class TestKilled:
    @pytest.mark.parametrize("calls", range(1, 8))
    @pytest.mark.parametrize("operation", ["get_item", "update_item", "batch_get_item", "list_objects_v2", "send_message_batch"])
    def test_anywhere(self, clock, operation, calls):
        """A sweeper that is killed after any call loses nothing and counts nothing twice; what it sends twice was sent before."""
        world = World(clock, page=5)
        world.watch()
        for number in range(25):
            world.buckets.put(BUCKET, f"{number:02}.mp4", NOON)
        for number in range(0, 25, 3):
            world.note(f"{number:02}.mp4", NOON)
        counted = []
        note = world.table.watches.end_comparison
        world.table.watches.end_comparison = lambda bucket, comparison, seen: (
            counted.append(comparison.missed),
            note(bucket, comparison, seen),
        )[1]
        for client in (world.s3, world.sqs, world.dynamodb):
            client.die_after(operation, KilledError(), calls)
        with contextlib.suppress(KilledError):
            world.compare()
        for client in (world.s3, world.sqs, world.dynamodb):
            client.live()

        world.compare()

        missed = {f"{number:02}.mp4" for number in range(25) if number % 3}
        assert (missed, {len(missed)}) == (set(world.queue.keys), set(counted))
        assert (BEGIN, None) == (world.state().compared_at, world.state().comparison)


PAGE = b"<!DOCTYPE html><html></html>"
KEYS = st.text(st.sampled_from("ab/\n+%é😀￿"), max_size=4).map(lambda name: f"{name}.mp4")
# Of an object: seconds before the comparison, how much older or newer its note is, if any, and whether there is a record.
OBJECTS = st.dictionaries(
    KEYS,
    st.tuples(
        st.sampled_from([0, 600, 901, 40_000, 86_400, 8 * 86_400]),
        st.none() | st.sampled_from([-5, 0, 5]),
        st.sampled_from(["registered", "no record", "not a video"]),
    ),
    max_size=12,
)
PREFIXES = st.lists(st.text(st.sampled_from("ab/"), min_size=1, max_size=2), max_size=3).map(tuple)
OPERATIONS = ["get_item", "update_item", "batch_get_item", "list_objects_v2", "send_message_batch"]
DEATHS = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(1, 4)), max_size=6)


@settings(deadline=None)
@given(OBJECTS, PREFIXES, DEATHS, st.integers(1, 4), st.lists(st.integers(0, 3), max_size=ATTEMPTS - 1))
def test_all_that_is_missed_and_nothing_else(objects, prefixes, deaths, page, refused):
    """Whatever a bucket and the table hold, and wherever the sweeper dies: all that is missed is sent, and nothing else."""
    world = World(Clock(), page=page, **{BUCKET: Watch(BUCKET, prefixes)})
    world.watch(since=BEGIN - 2 * 86_400)
    world.queue.refused = list(refused)
    for key, (seconds, noted, kind) in objects.items():
        world.buckets.put(BUCKET, key, BEGIN - seconds)
        if noted is not None:
            scan_id = None if kind == "not a video" else SCAN_ID
            world.note(key, BEGIN - seconds + noted, scan_id=scan_id, registered=kind == "registered")

    for operation, calls in deaths:
        for client in (world.s3, world.sqs, world.dynamodb):
            client.die_after(operation, KilledError(), calls)
        with contextlib.suppress(KilledError):
            world.compare()
        for client in (world.s3, world.sqs, world.dynamodb):
            client.live()
    world.compare()

    missed = {
        key
        for key, (seconds, noted, kind) in objects.items()
        if key.startswith(prefixes or "") and seconds in (901, 40_000, 86_400) and (noted in (None, -5) or kind == "no record")
    }
    assert missed == set(world.queue.keys)
    assert world.state().comparison is None


class TestRegistered:
    @pytest.fixture(name="compare")
    def _compare(self, table, s3, objects, queues, clock):
        """Return a function that compares the bucket on the next day, registers what is missed, and tells how much that was."""
        watched, messages = {BUCKET: Watch(BUCKET)}, UploadMessages()
        queue = UploadQueue(messages, "uploads", "dead uploads", clock)
        flow = UploadFlow(
            Registration(table.records, objects, queues, clock), table.records, table.scans, table.watches, clock, watched
        )
        table.watches.begin(BUCKET, clock.now())
        # moto's S3 lives in the present.
        clock.time = watch.end_of(watch.day_of(datetime.now(UTC).timestamp())) + 1_800

        def compare():
            CompareUploads(table.records, table.watches, BucketListing(s3), queue, clock, watched).run(None, clock.now() + 10)
            clock.time += 86_400
            bodies, messages.bodies = messages.bodies, []
            entries = [{"messageId": str(number), "body": body} for number, body in enumerate(bodies)]
            assert not bodies or {"batchItemFailures": []} == flow.respond({"Records": entries})
            return len(bodies)

        return compare

    @pytest.fixture(name="versions", params=[False, True])
    def _versions(self, request, s3):
        """Tell whether the bucket keeps versions."""
        if request.param:
            s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        return request.param

    def test_found_once(self, compare, s3, table, versions):
        """What is found is registered as missed in the scan of its day, by its version or etag, and is not found again."""
        put = s3.put_object(Bucket=BUCKET, Key="a é.mp4", Body=MP4)
        s3.put_object(Bucket=BUCKET, Key="page.mp4", Body=PAGE)
        modified_at = s3.head_object(Bucket=BUCKET, Key="a é.mp4")["LastModified"].timestamp()

        found = [compare() for _ in range(3)]

        video = identified("a é.mp4", put)
        day = watch.day_of(modified_at)
        record = table.records.record(video.id, watch.scan_id(BUCKET, day))
        assert [2, 0, 0] == found
        assert (State.WAITING, True, modified_at) == (record.state, record.missed, record.uploaded_at)
        assert 1 == table.watches.day(BUCKET, day).missed

    def test_overwritten(self, compare, s3, table, versions):
        """A content that replaced another one is found, within the same second too, and the other is superseded."""
        first = s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)
        day = watch.day_of(s3.head_object(Bucket=BUCKET, Key="a.mp4")["LastModified"].timestamp())
        found = [compare()]
        replace_within_the_second(s3, MP4 + b"another")

        found += [compare(), compare()]

        video = identified("a.mp4", first)
        assert [1, 1, 0] == found
        assert table.records.record(video.id, watch.scan_id(BUCKET, day)).superseded_at is not None

    def test_a_video_in_the_second_of_what_was_none(self, compare, s3, table, versions):
        """A video whose event is lost is found although, in the very second it was put, its key held what is not a video."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=PAGE)
        found = [compare()]
        put = replace_within_the_second(s3, MP4)
        day = watch.day_of(s3.head_object(Bucket=BUCKET, Key="a.mp4")["LastModified"].timestamp())

        found += [compare(), compare()]

        video = identified("a.mp4", put)
        assert [1, 1, 0] == found
        assert State.WAITING is table.records.record(video.id, watch.scan_id(BUCKET, day)).state

    def test_a_video_that_s3_refuses_to_show(self, compare, s3, versions):
        """What is found and may not be looked at is noted all the same, so that no later comparison finds it again."""
        s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=PAGE)
        found = [compare()]
        replace_within_the_second(s3, MP4)
        s3.fail("head_object", *[client_error("403", 403)] * 20)

        found += [compare() for _ in range(3)]

        assert [1, 1, 0, 0] == found


def identified(key, put):
    """Return an object as an upload names it: by its version, if S3 gave it one, else by its etag."""
    version_id = put.get("VersionId")
    return Video(BUCKET, key, version_id, None if version_id else put["ETag"].strip('"'))


def replace_within_the_second(s3, body):
    """Put a.mp4 in place of what is there, with the same LastModified; return S3's answer."""
    stored = s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys
    modified = stored["a.mp4"].last_modified
    put = s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=body)
    stored["a.mp4"].last_modified = modified
    return put


class TestSweep:
    @pytest.fixture(name="ports_of_uploads")
    def _ports_of_uploads(self, table, clock):
        buckets, queue = Buckets(clock), UploadMessages()
        clock.time = BEGIN
        buckets.put(BUCKET, "a.mp4", NOON)
        return buckets, queue, UploadPorts(BucketListing(buckets), UploadQueue(queue, "uploads", "dead uploads", clock))

    def test_whole_sweep(self, ports, ports_of_uploads, table, clock):
        """A sweep compares the watched buckets among its other tasks."""
        buckets, queue, uploads = ports_of_uploads
        clock.time = NOON
        table.watches.begin(BUCKET, clock.now())
        clock.time = BEGIN

        flow = SweepFlow(replace(ports, uploads=uploads), clock, replace(SETTINGS, watched={BUCKET: Watch(BUCKET)}))
        flow.sweep(deadline=clock.now() + 300)

        assert (["a.mp4"], 1) == (queue.keys, len(buckets.asked))

    def test_without_a_watch(self, ports, dynamodb, clock):
        """Where no bucket is watched, a sweep asks nothing about watches."""
        SweepFlow(ports, clock, SETTINGS).sweep(deadline=clock.now() + 300)

        asked = json.dumps([parameters for _, parameters in dynamodb.calls], default=str)
        assert [] == [word for word in ("WATCH", "UPLOAD", "uploads") if word in asked]

    @pytest.mark.parametrize(("counts", "expected"), [([0, 0], []), ([2, 2], [2]), ([2, 1, 3], [2, 2]), ([0, 1, 0], [1])])
    def test_dead_letters(self, ports, ports_of_uploads, clock, caplog, counts, expected):
        """Dead letters of the queue of uploads are an alarm when they grow, once each time."""
        _, queue, uploads = ports_of_uploads
        flow = SweepFlow(replace(ports, uploads=uploads), clock, replace(SETTINGS, watched={BUCKET: Watch(BUCKET)}))
        for count in counts:
            queue.dead = count
            flow.sweep(deadline=clock.now() + 300)

        alarms = [entry for entry in caplog.records if entry.message == "uploads not registered: new dead letters"]
        assert expected == [entry.messages for entry in alarms]
        assert {"ERROR"} >= {entry.levelname for entry in alarms}

    def test_bucket_is_gone(self, ports, ports_of_uploads, table, clock, caplog):
        """A watched bucket that is gone is named, and every task of the sweep runs."""
        buckets, _, uploads = ports_of_uploads
        buckets.objects.clear()
        table.watches.begin(BUCKET, clock.now())
        flow = SweepFlow(replace(ports, uploads=uploads), clock, replace(SETTINGS, watched={BUCKET: Watch(BUCKET)}))

        flow.sweep(deadline=clock.now() + 300)

        assert [BUCKET] == [entry.bucket for entry in caplog.records if entry.levelname == "ERROR"]
