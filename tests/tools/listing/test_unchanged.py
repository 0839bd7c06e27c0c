"""What an earlier scan has finished is left out, if it is still the same."""

import pytest

from handlers.adapters.table import CurrentUpload
from handlers.domain import Engine
from handlers.domain.identity import Video
from tools.lib.estimate import EngineChoice
from tools.lib.listing import Batch, ListedObject
from tools.lib.manifest.unchanged import Unchanged

BUCKET = "amzn-s3-demo-bucket"


class Table:
    """Answers which videos each scan has finished, with the ETags of then, all by an engine and an interval."""

    def __init__(self, by=(Engine.VIDEO, None), **scans):
        self._by = by
        self._scans = {
            scan: {Video(BUCKET, key, version).id: etag for (key, version), etag in known.items()} for scan, known in scans.items()
        }
        self.asked = []

    def finished(self, names, counts):
        """Yield what is known of these, which are of one scan, if verdicts by this engine count."""
        ids, scan_ids = zip(*names, strict=True)
        [scan_id] = set(scan_ids)
        self.asked.append((scan_id, len(ids)))
        return ((one, self._scans[scan_id][one]) for one in ids if one in self._scans[scan_id] and counts(*self._by))


def remaining(table, objects, scans, *, size=2, **how):
    """Return the keys that remain, and how many were left out."""
    unchanged = Unchanged(table, BUCKET, scans, at_once=3, **how)
    batches = (Batch.of(objects[begin : begin + size]) for begin in range(0, len(objects), size))
    return [one.key for batch in unchanged.without(batches) for one in batch], unchanged.left_out


def test_the_same_etag_is_left_out():
    """Finished with this ETag: left out. Another ETag, none, or never finished: scanned."""
    table = Table(A={("same é.mp4", None): "1", ("changed.mp4", None): "1", ("unknown.mp4", None): ""})
    objects = [
        ListedObject("same é.mp4", 1, etag="1"),
        ListedObject("changed.mp4", 1, etag="2"),
        ListedObject("unknown.mp4", 1, etag=None),
        ListedObject("new.mp4", 1, etag="1"),
    ]

    assert remaining(table, objects, ["A"]) == (["changed.mp4", "unknown.mp4", "new.mp4"], 1)


@pytest.mark.parametrize(
    ("scan", "found", "asked", "left_out"),
    [
        ("video", (Engine.VIDEO, None), EngineChoice(), 1),
        ("video", (Engine.VIDEO, None), EngineChoice(Engine.FRAMES, 1_000), 1),
        ("frames", (Engine.FRAMES, 5_000), EngineChoice(), 0),
        ("frames", (Engine.FRAMES, 5_000), EngineChoice(others=Engine.FRAMES), 0),
        ("frames", (Engine.FRAMES, 5_000), EngineChoice(Engine.FRAMES, 5_000), 1),
        ("frames", (Engine.FRAMES, 5_000), EngineChoice(Engine.FRAMES, 2_000), 0),
        ("video", (Engine.FRAMES, 5_000), EngineChoice(), 0),
        ("video", (Engine.FRAMES, 5_000), EngineChoice(others=Engine.FRAMES), 1),
        ("frames", (Engine.FRAMES, None), EngineChoice(), 1),
    ],
)
def test_only_a_verdict_that_is_as_thorough_counts(scan, found, asked, left_out):
    """What frames looked at is scanned again by the video API or at a shorter interval, unless the video API does not take it."""
    table = Table(found, **{scan: {("a.mp4", None): "1"}})

    _, count = remaining(table, [ListedObject("a.mp4", 1, etag="1")], [scan], by_frames={"frames"}, choice=asked)

    assert left_out == count


def test_a_version_is_never_changed_but_for_null():
    """A version that was finished is left out whatever its ETag; the one called null may have been overwritten."""
    table = Table(A={("a.mp4", "v1"): "1", ("b.mp4", "null"): "1", ("c.mp4", "null"): "1"})
    objects = [
        ListedObject("a.mp4", 1, "v1", etag="9"),
        ListedObject("b.mp4", 1, "null", etag="9"),
        ListedObject("c.mp4", 1, "null", etag="1"),
    ]

    assert remaining(table, objects, ["A"]) == (["b.mp4"], 2)


def test_later_scans_are_asked_only_about_what_is_left():
    """What one scan has answered no other is asked about; the order of the listing stands."""
    table = Table(A={(f"{n}", None): "1" for n in range(0, 20, 2)}, B={(f"{n}", None): "1" for n in range(0, 20, 3)}, C={})
    objects = [ListedObject(f"{n}", 1, etag="1") for n in range(20)]

    found, left_out = remaining(table, objects, ["A", "B", "C"], size=20)

    assert found == [f"{n}" for n in range(20) if n % 2 and n % 3]
    assert (left_out, table.asked) == (13, [("A", 20), ("B", 10), ("C", 7)])


# --- uploads to a watched bucket ------------------------------------------------------------------------------------------


class Uploads:
    """A table with uploads of many days: by key, the newest one as its version, etag and whether it has a verdict."""

    def __init__(self, **uploads):
        self._currents = {key: CurrentUpload(BUCKET, key, _upload(key, *it).id, f"DAY-{key}", 0.0) for key, it in uploads.items()}
        self._finished = {
            (current.video_id, current.scan_id): uploads[key][1] for key, current in self._currents.items() if uploads[key][2]
        }
        self.requests = 0

    def currents(self, bucket, keys):
        """Return the notes about these keys."""
        assert bucket == BUCKET
        return {key: self._currents[key] for key in keys if key in self._currents}

    def finished(self, names, _counts):
        """Yield what is known of these."""
        self.requests += 1
        return ((name[0], self._finished[name]) for name in names if name in self._finished)


def _upload(key, version, etag, _finished):
    return Video(BUCKET, key, version) if version else Video(BUCKET, key, None, etag)


def remaining_of_uploads(uploads, *objects, scans=()):
    """Return the keys and versions that remain."""
    unchanged = Unchanged(uploads, BUCKET, scans, watches=uploads, at_once=1)
    return [(one.key, one.version_id) for batch in unchanged.without([Batch.of(objects)]) for one in batch]


def test_the_verdict_of_an_upload_counts():
    """Without versions the etag decides: a key that was overwritten since, or whose upload has no verdict, is scanned."""
    uploads = Uploads(same=(None, "1", True), changed=(None, "1", True), failed=(None, "1", False))
    objects = [ListedObject(key, 1, etag="2" if key == "changed" else "1") for key in ("same", "changed", "failed", "new")]

    assert ["changed", "failed", "new"] == [key for key, _ in remaining_of_uploads(uploads, *objects)]


def test_the_version_of_an_upload_counts():
    """With versions the version decides, whatever the etag; a source that names several versions of a key is no exception."""
    uploads = Uploads(a=("v2", "1", True), b=("v1", "1", True))
    objects = [ListedObject("a", 1, "v1", etag="1"), ListedObject("a", 1, "v2", etag="9"), ListedObject("b", 1, "v2", etag="1")]

    assert [("a", "v1"), ("b", "v2")] == remaining_of_uploads(uploads, *objects)


def test_a_suspended_bucket():
    """The version called null is not one: its upload is told apart by its etag."""
    uploads = Uploads(a=(None, "1", True), b=(None, "1", True))
    objects = [ListedObject("a", 1, "null", etag="1"), ListedObject("b", 1, "null", etag="2")]

    assert [("b", "null")] == remaining_of_uploads(uploads, *objects)


def test_an_upload_of_unknown_etag():
    """An upload whose etag was not known is the video of the key, which says nothing about what the key holds now."""
    uploads = Uploads(a=(None, None, True))

    assert [("a", None)] == remaining_of_uploads(uploads, ListedObject("a", 1, etag="1"))


def test_uploads_of_any_number_of_days_cost_the_same():
    """Each key is read from the scan that its note names: days multiply nothing."""
    uploads = Uploads(**{f"k{number}": (None, "1", True) for number in range(1_000)})

    assert [] == remaining_of_uploads(uploads, *(ListedObject(f"k{number}", 1, etag="1") for number in range(1_000)), scans=["A"])
    assert 1 == uploads.requests
