"""What an earlier scan has finished is left out, if it is still the same."""

from handlers.domain.identity import Video
from tools.lib.listing import Batch, ListedObject
from tools.lib.manifest.unchanged import Unchanged

BUCKET = "amzn-s3-demo-bucket"


class Table:
    """Answers which videos each scan has finished, with the ETags of then."""

    def __init__(self, **scans):
        self._scans = {
            scan: {Video(BUCKET, key, version).id: etag for (key, version), etag in known.items()} for scan, known in scans.items()
        }
        self.asked = []

    def finished(self, video_ids, scan_id):
        """Yield what is known of these."""
        ids = list(video_ids)
        self.asked.append((scan_id, len(ids)))
        return ((one, self._scans[scan_id][one]) for one in ids if one in self._scans[scan_id])


def remaining(table, objects, scans, *, size=2):
    """Return the keys that remain, and how many were left out."""
    unchanged = Unchanged(table, BUCKET, scans, at_once=3)
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
